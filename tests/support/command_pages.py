"""docs/cli.md, written from what the commands say. `make docs` writes it, a test compares."""

import tempfile
from pathlib import Path

from certlib.manual import EXAMPLES
from tests.support.terminal import ROOT, Terminal

PAGE = ROOT / "docs" / "cli.md"
FIRST_COMMAND = "\n## certlib "


def page(introduction: str) -> str:
    """The page: its introduction as it stands, then the help of each command in the order of the manual."""
    with tempfile.TemporaryDirectory() as folder:
        terminal = Terminal(cwd=Path(folder))
        parts = [introduction]
        for command in EXAMPLES:
            shown = terminal.run(*command.split(), "--help", code=0).out
            text = "\n".join(line.rstrip() for line in shown.strip().splitlines())
            parts.append(f"{FIRST_COMMAND}{command}\n\n```\n{text}\n```\n")
    return "".join(parts)


def introduction() -> str:
    """What stands above the first command; it is written by hand."""
    return PAGE.read_text("utf-8").partition(FIRST_COMMAND)[0]


if __name__ == "__main__":
    PAGE.write_text(page(introduction()), "utf-8")
