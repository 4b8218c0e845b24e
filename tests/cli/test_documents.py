"""What the documents show is run as it stands, and is the same in both languages."""

import re
import shlex
from pathlib import Path

import pytest

from certlib.config import Settings
from tests.cli.conftest import BUREAU
from tests.support.terminal import ROOT, Terminal

READMES = ("README.md", "README.zh-CN.md")
EXPECTED = {"certlib batch business-licence samples/companies.csv --map": {0, 1}, "certlib batch": {1}}
"""Exit codes other than 0, by the beginning of the line: the samples hold rows that are refused."""


def shell_lines(text: str) -> list[str]:
    """The lines of all sh blocks, without their comments."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = (re.sub(r"\s+# .*", "", line).strip() for block in blocks for line in block.splitlines())
    return [line for line in lines if line]


def test_both_readmes_show_the_same_commands() -> None:
    english, chinese = ((ROOT / name).read_text("utf-8") for name in READMES)
    assert shell_lines(english) == shell_lines(chinese)
    assert re.findall(r"^#+ ", english, re.MULTILINE) == re.findall(r"^#+ ", chinese, re.MULTILINE)


def test_every_certlib_command_of_the_readme_runs(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    for name in ("templates", "samples"):
        (folder / name).symlink_to(ROOT / name)
    terminal = Terminal(cwd=folder, home=tmp_path / "home", environment={"XDG_STATE_HOME": str(tmp_path / "state")})
    ran = 0
    for line in shell_lines((ROOT / "README.md").read_text("utf-8")):
        words = shlex.split(line)
        if words[0] != "certlib":
            assert words[0] in {"make", "export", "curl"}
            continue
        if "licence.pdf" in words:
            (folder / "licence.pdf").write_bytes(next(folder.glob("*91990200MA7EXAM18U*.pdf")).read_bytes())
        arguments = [str(path) for word in words[1:] for path in ([*folder.glob(word)] if "*" in word else [word])]
        codes = next((codes for start, codes in EXPECTED.items() if line.startswith(start)), {0})
        result = terminal.run(*arguments)
        assert result.code in codes, (line, result)
        ran += 1
    assert ran > 10
    assert (folder / "issued" / "issued.csv").is_file()
    assert BUREAU in terminal.run("agency", "list", code=0).out


def test_every_setting_is_explained() -> None:
    text = (ROOT / "docs" / "operating.md").read_text("utf-8")
    explained = re.findall(r"^\| `([a-z_]+)` \|", text.partition("## Settings")[2], re.MULTILINE)
    assert set(explained) == Settings.model_fields.keys() - {"home"}
    assert len(explained) == len(set(explained))
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, int | float | str) and field.default != "":
            (row,) = re.findall(rf"^\| `{name}` \| (.*?) \|", text, re.MULTILINE)
            assert row.strip("`") in {str(field.default), str(field.default).removesuffix(".0")}, name


@pytest.mark.parametrize(
    "path", sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")}), ids=lambda path: path.name
)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]
    assert missing == []


def test_pictures_are_small() -> None:
    for path in (ROOT / "docs" / "images").iterdir():
        assert path.stat().st_size < 400_000, path.name
