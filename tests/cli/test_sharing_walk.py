"""docs/sharing.md, typed command by command against the demo's library: what it shows is what comes."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import answered, ended, free_port, process
from tests.support.terminal import ROOT, Terminal

PAGE = ROOT / "docs" / "sharing.md"
BLOCK = re.compile(r"```console\n(.*?)```", re.DOTALL)
MARK = "--- next command ---"


@dataclass(frozen=True)
class Typed:
    """A command and what the page says it prints; `…` stands for anything."""

    command: str
    shown: tuple[str, ...]


def typed(text: str) -> list[Typed]:
    """The commands of all console blocks, in order."""
    found: list[tuple[list[str], list[str]]] = []
    for line in "".join(BLOCK.findall(text)).splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> "):
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [Typed(command="\n".join(command), shown=tuple(shown)) for command, shown in found]


def pattern(shown: tuple[str, ...]) -> str:
    """A regular expression of what the page shows."""
    return r".*?".join(re.escape(part) for part in "\n".join(shown).split("…"))


def test_the_walk_goes_as_the_page_says(tmp_path: Path) -> None:
    port = free_port()
    text = PAGE.read_text("utf-8").replace(":8080", f":{port}")
    steps = typed(text)
    assert len(steps) > 25
    terminal = Terminal(cwd=tmp_path)
    terminal.real("demo", "--prepare-only", "--port", str(port), code=0)
    script = "set -eu\n" + "".join(f"{step.command}\necho '{MARK}'\n" for step in steps)
    home = tmp_path / ".demo"
    with process(Terminal(cwd=tmp_path, home=home), "serve", "--port", str(port)) as running:
        assert answered(f"http://127.0.0.1:{port}/readyz")[0] == 200
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        ran = subprocess.run(  # noqa: S603  # the page's own commands
            ["/bin/bash", "-c", script],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        ended(running, signal.SIGINT)
    assert ran.returncode == 0, (ran.stdout[-2000:], ran.stderr[-2000:])
    printed = ran.stdout.split(MARK + "\n")
    for step, out in zip(steps, printed, strict=False):
        if step.shown:
            assert re.match(pattern(step.shown), out, re.DOTALL), (step.command, step.shown, out[:1500])
    assert len(printed) == len(steps) + 1
