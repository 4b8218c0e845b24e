"""A library that was made by the commands themselves, and terminals on it."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.hurrying import hurry
from tests.support.terminal import ROOT, Terminal

BUREAU, CITY = "11990200MB90000230", "RAINPORT"
SAMPLE = ROOT / "templates" / "business-licence" / "v1" / "sample.json"


@dataclass(frozen=True)
class Made:
    """What the commands made, for all tests to read."""

    folder: Path
    """`library`, `out` with the sealed PDF, `trust`."""
    issued: dict[str, str]
    """The answer of `issue --json`."""

    @property
    def issued_by(self) -> str:
        return BUREAU

    @property
    def pdf(self) -> Path:
        return Path(self.issued["file"])

    @property
    def pack(self) -> Path:
        return self.folder / "trust" / "trust-pack.json"

    @property
    def terminal(self) -> Terminal:
        """On this library, which the test does not change."""
        return Terminal(cwd=self.folder, home=self.folder / "library")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("made")
    terminal = Terminal(cwd=folder, home=folder / "library")
    terminal.run("init", "--organisation", "Tests", code=0)
    terminal.run("agency", "add", "--code", BUREAU, "--name", "样本市市场监督管理局", "--area-code", "990200", code=0)
    issued = terminal.run("issue", "business-licence", "--data", SAMPLE, "--out", "out", "--json", code=0).json()
    terminal.run("agency", "add", "--code", CITY, "--name", "City of Rainport", "--timezone", "America/Los_Angeles",
                 code=0)  # fmt: skip
    terminal.run("trust", "export", "--out", "trust", code=0)
    hurry(folder / "library")
    return Made(folder=folder, issued={**issued, "file": str(folder / issued["file"])})


@pytest.fixture
def own(made: Made, tmp_path: Path) -> Terminal:
    """On a copy of the library, which the test may change."""
    home = tmp_path / "library"
    shutil.copytree(made.folder / "library", home)
    return Terminal(cwd=tmp_path, home=home)


@pytest.fixture
def bare(tmp_path: Path) -> Terminal:
    """In an empty folder, with no library."""
    state = tmp_path / "state"
    folder = tmp_path / "empty"
    folder.mkdir()
    return Terminal(cwd=folder, environment={"XDG_STATE_HOME": str(state)})


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    """A lawful request under another number than the sample's."""
    data = json.loads(SAMPLE.read_text("utf-8"))
    path = tmp_path / "request.json"
    path.write_text(json.dumps({**data, "number": "91990200MA10000078"}), "utf-8")
    return path
