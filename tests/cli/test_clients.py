"""`certlib client`, `certlib grant`, `certlib agency` for those who only ask, and `certlib upgrade`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import text

import cli
from certlib.authorising import TokenRequest, access_token
from certlib.callers import authenticate
from certlib.clients import client_of
from certlib.library import Library
from certlib.store import audits
from certlib.store.engine import HEAD_REVISION, writing
from tests.support.libraries import CITY
from tests.support.oauth import System, new_key

Run = Callable[..., tuple[int, str, str]]
WHO = ("--operator", "zhang")
ASKS = ("--agency", CITY.code)


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


def test_a_client_with_a_secret(run: Run, sqlite_library: Library) -> None:
    code, out, _ = run("client", "add", *ASKS, "--name", "Old desk", "--scopes", "share", *WHO, "--json")
    made = json.loads(out)
    assert (code, made["method"], made["scopes"]) == (0, "client_secret", ["share"])
    asked = TokenRequest(client_id=made["client_id"], secret=made["client_secret"])
    bearer = access_token(sqlite_library, asked).bearer
    assert authenticate(sqlite_library, bearer).client_id == made["client_id"]
    listed = run("client", "list", "--json")[1]
    assert made["client_secret"] not in listed
    assert f"  secret         {made['proofs'][0]['secret']} until 20" in run("client", "list")[1]
    assert json.loads(listed)[0]["client_id"] == made["client_id"]
    code, text_, _ = run("client", "rotate", made["client_id"], *WHO, "--overlap-days", "0")
    assert (code, "shown once" in text_, "is withdrawn" in text_) == (0, True, True)
    with pytest.raises(Exception, match="did not prove itself"):
        access_token(sqlite_library, asked)
    code, text_, _ = run("client", "disable", made["client_id"], "--reason", "lost", *WHO)
    assert (code, "refused from now on" in text_) == (0, True)
    assert "disabled" in run("client", "list", *ASKS)[1]
    code, _, fault = run("client", "disable", made["client_id"], "--reason", "lost", *WHO)
    assert (code, "disabled already" in fault) == (1, True)


def test_a_client_with_a_key_of_its_own(run: Run, sqlite_library: Library, tmp_path: Path) -> None:
    key = new_key()
    own = tmp_path / "desk.public.pem"
    own.write_bytes(key.as_pem(private=False))
    made = json.loads(run("client", "add", *ASKS, "--name", "Desk", "--key", own, *WHO, "--json")[1])
    assert "client_secret" not in made
    named = ECKey.import_key(key.as_dict(private=True), {"kid": made["proofs"][0]["kid"]})
    desk = System(lib=sqlite_library, client=client_of(sqlite_library, made["client_id"]), key=named)
    access_token(sqlite_library, desk.asked())
    own.write_bytes(key.as_pem(private=True))
    code, _, fault = run("client", "add", *ASKS, "--name", "Desk", "--key", own, *WHO)
    assert (code, "this is a private key" in fault, "BEGIN" in fault) == (1, True, False)


def test_a_key_made_for_a_client(run: Run, sqlite_library: Library, tmp_path: Path) -> None:
    file = tmp_path / "desk.pem"
    made = json.loads(run("client", "add", *ASKS, "--name", "Desk", "--new-key", file, *WHO, "--json")[1])
    assert file.stat().st_mode & 0o077 == 0
    kid = made["proofs"][0]["kid"]
    key = ECKey.import_key(file.read_text("utf-8"), {"kid": kid})
    desk = System(lib=sqlite_library, client=client_of(sqlite_library, made["client_id"]), key=key)
    access_token(sqlite_library, desk.asked())
    code, _, fault = run("client", "rotate", made["client_id"], "--new-key", file, *WHO)
    assert (code != 0, "exists" in fault) == (True, True)
    other = tmp_path / "other.pem"
    code, _, fault = run("client", "add", "--agency", "NOBODY", "--name", "Desk", "--new-key", other, *WHO)
    assert (code, "not in this library" in fault, other.exists()) == (1, True, False)
    code, _, fault = run("client", "add", *ASKS, "--name", "D", "--new-key", other, "--key", file, *WHO)
    assert (code, "two ways" in fault) == (2, True)


GRANT = ("grant", "add", *ASKS, "--type", "business-licence", "--interfaces", "check,question", "--fields",
         "number,holder_name,address", "--matters", "330200-0107", "--basis", "statutory", "--clause",
         "Harbour Act, 12 (3)")  # fmt: skip


def test_a_grant_from_its_beginning_to_its_end(run: Run, sqlite_library: Library) -> None:
    code, text_, _ = run(*GRANT, *WHO)
    assert (code, "check, question" in text_, "0 of 1000 used today" in text_) == (0, True, True)
    (grant,) = json.loads(run("grant", "list", *ASKS, "--json")[1])
    assert grant["fields"] == ["number", "holder_name", "address"]
    code, out, _ = run("grant", "change", grant["id"], "--daily-cap", "5", "--until", "2099-01-01", *WHO, "--json")
    changed = json.loads(out)
    assert (code, changed["daily_cap"], changed["fields"]) == (0, 5, grant["fields"])
    assert changed["valid_until"] == "2099-01-01T00:00:00+00:00"
    assert changed["valid_from"] == grant["valid_from"]
    assert [each["id"] for each in json.loads(run("grant", "list", "--json")[1])] == [changed["id"]]
    whole = json.loads(run("grant", "list", "--ended", "--json")[1])
    assert [each["end_reason"] for each in whole] == [f"replaced by {changed['id']}", ""]
    code, _, fault = run("grant", "change", changed["id"], "--daily-cap", "5", *WHO)
    assert (code, "changes nothing" in fault) == (1, True)
    assert run("grant", "end", changed["id"], "--reason", "repealed", *WHO)[0] == 0
    code, _, fault = run("grant", "end", changed["id"], "--reason", "repealed", *WHO)
    assert (code, "has ended already" in fault) == (1, True)
    assert run("grant", "list")[1].startswith("There is no grant")
    acts = [record.act for record in audits.read_chain(sqlite_library.store) if "grant" in record.act]
    assert sorted(acts) == ["grant.added", "grant.added", "grant.ended", "grant.ended"]
    assert run("audit", "verify")[0] == 0


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        (("--fields", "number,adress"), "'adress' is no field of business-licence; it has number, holder_name"),
        (("--fields", ""), "fields: is missing"),
        (("--interfaces", "check,steal"), "interfaces: must be some of check, question, list, data, file, feed"),
        (("--matters", ""), "matters: must name"),
        (("--basis", "because"), "basis: must be statutory or consent"),
        (("--clause", ""), "a statutory basis names the law"),
        (("--daily-cap", "0"), "daily_cap: must be a number from 1"),
        (("--networks", "10.0.0.1/8"), "network: '10.0.0.1/8' is no network"),
        (("--until", "2020-01-01"), "until: must lie after"),
        (("--until", "someday"), "until: is no day or moment"),
        (("--from", "9999-12-31T23:59:59-23:00"), "from: is no day or moment"),
        (("--from", "2030-01-01", "--until", "2029-01-01"), "until: must lie after"),
        (("--type", "no-such-type"), "no type of this code"),
        (("--agency", "NOBODY"), "not in this library"),
    ],
)
def test_what_is_wrong_with_a_grant_is_named(run: Run, changes: tuple[str, ...], fault: str) -> None:
    code, _, told = run(*GRANT, *WHO, *changes)
    assert (code, fault in told) == (1, True), told
    assert run("grant", "list")[1].startswith("There is no grant")


def test_an_agency_that_only_asks(run: Run) -> None:
    code, text_, _ = run("agency", "add", "--code", "HARBOUR", "--name", "Harbour Office", "--asks-only")
    assert (code, "can ask" in text_) == (0, True)
    assert run("client", "add", "--agency", "HARBOUR", "--name", "Desk", *WHO)[0] == 0
    code, _, fault = run("agency", "add", "--code", "HARBOUR", "--name", "Harbour Office", "--asks-only")
    assert (code, "is in this library already" in fault) == (1, True)


def test_a_printed_bearer_says_what_it_is_for(run: Run, sqlite_library: Library) -> None:
    bearer = run("agency", "token", CITY.code, "--scopes", "share verify")[1].strip()
    assert authenticate(sqlite_library, bearer).scopes == frozenset({"share", "verify"})
    assert authenticate(sqlite_library, run("agency", "token", CITY.code)[1].strip()).scopes == frozenset(
        {"issue", "manage"}
    )
    code, _, fault = run("agency", "token", CITY.code, "--scopes", "root")
    assert (code, "must be some of issue manage" in fault) == (1, True)


def test_upgrading_what_is_up_to_date_changes_nothing(run: Run, sqlite_library: Library) -> None:
    done = json.loads(run("upgrade", "--json")[1])
    assert done == {"before": HEAD_REVISION, "after": HEAD_REVISION, "keys": [], "types": [], "left": []}
    with writing(sqlite_library.store) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    code, _, fault = run("agency", "list")
    assert (code, "certlib upgrade" in fault) == (2, True)
