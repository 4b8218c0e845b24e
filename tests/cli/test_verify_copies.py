"""`certlib verify` on a purpose-bound copy: the word, whom it is for, what to do instead, exit code 1."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from certlib.issuing import issue
from certlib.library import Library
from tests.support.copies import copy_of, token_in
from tests.support.libraries import CITY, company_request


@pytest.fixture
def copy(sqlite_library: Library, tmp_path: Path) -> Path:
    path = tmp_path / "copy.pdf"
    path.write_bytes(copy_of(sqlite_library, issue(sqlite_library, company_request()).licence).pdf)
    return path


def test_a_copy_is_no_licence_for_whoever_runs_the_command(sqlite_library: Library, copy: Path) -> None:
    home = str(sqlite_library.settings.home)
    for given in (str(copy), token_in(copy.read_bytes())):
        result = CliRunner().invoke(cli.app, ["verify", "--home", home, "--", given])
        assert result.exit_code == 1, result.output
        assert ": BOUND COPY (made_for_another)" in result.output
        assert f"copy for {CITY.name}, 子女入学 school entry, until 2026-12-" in result.output
        assert "no licence for anybody else. Ask the library" in result.output


def test_as_json_and_without_network(
    sqlite_library: Library, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    home = str(sqlite_library.settings.home)
    assert CliRunner().invoke(cli.app, ["trust", "export", "--home", home, "--out", str(tmp_path)]).exit_code == 0
    offline = ["--offline", "--trust-pack", str(tmp_path / "trust-pack.json")]
    for where in (["--home", home], offline):
        result = CliRunner().invoke(cli.app, ["verify", "--json", *where, "--", str(copy)])
        (answer,) = json.loads(result.stdout)
        assert (result.exit_code, answer["word"], answer["fault"]) == (1, "bound_copy", "made_for_another")
