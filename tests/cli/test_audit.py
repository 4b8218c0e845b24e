"""`certlib audit`, and `certlib verify` with a fetched status list."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import cli
from certlib import operating
from certlib.issuing import issue
from certlib.library import Library
from certlib.lifecycle import StatusRequest, change_status
from certlib.listing import current_list, open_lists
from certlib.model import Status
from certlib.store import agencies
from tests.support.clock import Clock
from tests.support.libraries import company_request

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    sqlite_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """`certlib ARGUMENTS` on the library, in this process: exit code, out, err."""
    monkeypatch.setenv("CERTLIB_HOME", str(sqlite_library.settings.home))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def ran(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["certlib", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return ran


def edited(lib: Library, statement: str) -> None:
    with closing(sqlite3.connect(lib.settings.home / "certlib.sqlite")) as conn, conn:
        conn.execute(statement)


def test_a_sound_chain_is_proved(run: Run, sqlite_library: Library) -> None:
    issue(sqlite_library, company_request())
    code, text, _ = run("audit", "verify")
    assert code == 0
    assert "1 licences are as it says" in text
    data = json.loads(run("audit", "verify", "--json")[1])
    assert data["licences"] == 1
    assert f"--since {data['head']}" in text
    again = json.loads(run("audit", "verify", "--since", data["head"], "--chain-only", "--json")[1])
    assert again == {"records": 0, "licences": None, "head": data["head"]}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'nobody' WHERE seq = 3",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
        "UPDATE licence SET status = 'revoked'",
        "UPDATE licence SET pdf_sha256 = 'x'",
    ],
)
def test_edits_and_deletions_are_found(run: Run, sqlite_library: Library, statement: str) -> None:
    issue(sqlite_library, company_request())
    edited(sqlite_library, statement)
    code, out, _ = run("audit", "verify", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (3, "audit_broken")


def test_an_export(run: Run, sqlite_library: Library, tmp_path: Path) -> None:
    code, out, _ = run("audit", "export")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [each["seq"] for each in lines] == list(range(1, len(lines) + 1))
    path = tmp_path / "audit.jsonl"
    code, text, _ = run("audit", "export", "--since", "2", "--out", path)
    assert (code, text) == (0, f"{len(lines) - 2} records in {path}\n")
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == lines[2:]
    assert run("audit", "export", "--out", path)[0] == 2, "an export is never written over"
    code, out, _ = run("audit", "export", "--since", "yesterday", "--json")
    assert (code, json.loads(out)["error"]["code"]) == (1, "invalid_request")
    assert run("audit", "verify", "--since", "5")[0] == 1
    assert agencies.all_agencies(sqlite_library.store)


def test_verifying_offline_with_a_newer_list(run: Run, sqlite_library: Library, tmp_path: Path, clock: Clock) -> None:
    licence = issue(sqlite_library, company_request()).licence
    assert run("trust", "export", "--out", tmp_path)[0] == 0
    clock.move(seconds=3)  # the list is newer than the pack
    change_status(
        sqlite_library,
        licence.identifier,
        StatusRequest(to=Status.SUSPENDED, reason="x", document_number="1", operator="t"),
    )
    made = current_list(open_lists(sqlite_library), 0)
    newer, broken = tmp_path / "list.cwt", tmp_path / "broken.jwt"
    newer.write_bytes(made.cwt)
    broken.write_bytes(made.jwt[:-8] + b"AAAAAAAA")
    offline = ("verify", licence.token, "--json", "--offline", "--trust-pack", tmp_path / "trust-pack.json")
    assert json.loads(run(*offline)[1])[0]["word"] == "valid_offline"
    code, out, _ = run(*offline, "--status-list", newer)
    assert (code, json.loads(out)[0]["word"]) == (1, "suspended")
    code, out, _ = run(*offline, "--status-list", newer, "--status-list", broken)
    error = json.loads(out)["error"]
    assert (code, error["faults"][0]["code"]) == (1, "bad_signature")
    assert error["faults"][0]["field"] == str(broken)
    assert run("verify", licence.token, "--status-list", newer)[0] == 2


def test_serving_an_older_library_gives_it_its_keys(sqlite_library: Library) -> None:
    edited(sqlite_library, "DELETE FROM signing_key WHERE purpose IN ('status', 'receipt')")
    for _ in range(2):
        assert operating.served_home(sqlite_library.settings.home) == str(sqlite_library.settings.home)
        found = [key.purpose for key in agencies.keys(sqlite_library.store) if key.owner is None]
        assert sorted(found) == ["api", "pack", "receipt", "root", "status"]
