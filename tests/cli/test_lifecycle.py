"""`certlib licence` and `certlib bulk`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import cli
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Licence
from tests.support.changes import HOLDER, lay_down
from tests.support.libraries import MARKET_BUREAU, company_request

Run = Callable[..., tuple[int, str, str]]
WHO = ("--operator", "zhang", "--reason", "检查不合格")
BY_LAW = (*WHO, "--document", "〔2026〕12号")
AGENCY = ("--agency", MARKET_BUREAU.code)


@pytest.fixture
def run(sqlite_library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`certlib ARGUMENTS` on the library, in this process: exit code, out, err."""
    monkeypatch.setenv("CERTLIB_HOME", str(sqlite_library.settings.home))

    def ran(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["certlib", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return ran


@pytest.fixture
def licence(sqlite_library: Library) -> Licence:
    return issue(sqlite_library, company_request()).licence


def test_a_licence_is_suspended_restored_and_revoked(run: Run, licence: Licence) -> None:
    code, text, _ = run("licence", "suspend", licence.identifier, *BY_LAW)
    assert (code, text.endswith("done: active -> suspended\n")) == (0, True)
    assert run("licence", "restore", licence.public_code, *WHO)[0] == 0
    assert run("licence", "revoke", licence.number, *BY_LAW, "--effective", "2026-11-01")[0] == 0
    code, _, fault = run("licence", "restore", licence.identifier, *WHO)
    assert (code, "revoked" in fault) == (1, True)
    code, _, fault = run("licence", "suspend", licence.identifier, *WHO, "--effective", "soon")
    assert (code, "is no moment" in fault) == (1, True)
    history = json.loads(run("licence", "history", licence.identifier, "--json")[1])
    assert {each["operation"] for each in history} == {"suspend", "restore", "revoke"}
    code, text, _ = run("audit", "verify")
    assert (code, "1 licences are as it says" in text) == (0, True)


def test_new_versions(run: Run, licence: Licence, tmp_path: Path) -> None:
    renewed = json.loads(run("licence", "renew", licence.identifier, *WHO, "--expires-on", "2035-01-01", "--json")[1])
    assert "expires_on" in renewed["changed"]
    data = tmp_path / "holder.json"
    data.write_text(json.dumps({"holders": HOLDER}), "utf-8")
    code, text, _ = run("licence", "transfer", renewed["successor"], *WHO, "--data", data)
    assert (code, "other: holders" in text) == (0, True)
    assert run("licence", "correct", licence.identifier, *WHO)[0] == 1  # nothing is other
    assert run("licence", "resume")[1] == "Nothing was left to do.\n"
    assert run("audit", "verify")[0] == 0


def test_two_persons(run: Run, licence: Licence, sqlite_library: Library) -> None:
    lay_down(sqlite_library, 'maker_checker = ["revoke"]')
    waiting = json.loads(run("licence", "revoke", licence.identifier, *BY_LAW, "--json")[1])
    code, text, _ = run("licence", "pending", *AGENCY)
    assert (code, waiting["id"] in text) == (0, True)
    assert run("licence", "approve", waiting["id"], "--operator", "zhang", *AGENCY)[0] == 1
    assert run("licence", "approve", waiting["id"], "--operator", "li", *AGENCY)[0] == 0
    assert run("licence", "pending", *AGENCY)[1] == "Nothing is pending.\n"
    assert run("audit", "verify")[0] == 0


def test_bulk(run: Run, licence: Licence, tmp_path: Path) -> None:
    file = tmp_path / "closed.csv"
    file.write_text(f"identifier\n{licence.identifier}\n", "utf-8")
    counted = json.loads(run("bulk", "plan", "cancel", "--file", file, *WHO, *AGENCY, "--dry-run", "--json")[1])
    assert (counted["selected"], counted["outcomes"]) == (1, {"moved": 1})
    assert "bulk" not in counted
    narrow = ("--type", "business-licence", "--since", "2026-01-01", "--key", licence.token_kid)
    act = json.loads(run("bulk", "plan", "revoke", *narrow, *BY_LAW, *AGENCY, "--json")[1])["bulk"]
    assert run("bulk", "run", act["id"], *AGENCY)[0] == 1  # not approved
    assert run("bulk", "approve", act["id"], "--operator", "li", "--count", "2", *AGENCY)[0] == 1
    code, text, _ = run("bulk", "approve", act["id"], "--operator", "li", "--count", "1", *AGENCY)
    assert (code, "done" in text) == (0, True)
    assert json.loads(run("bulk", "show", act["id"], *AGENCY, "--json")[1])["counts"] == {"done": 1}
    assert run("bulk", "plan", "revoke", *BY_LAW, *AGENCY)[0] == 1  # no filter is no wish
    assert run("audit", "verify")[0] == 0
