"""`certlib holder`."""

import io
import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

import cli
from api.app import create_app
from certlib.library import Library
from certlib.store import audits
from tests.support.holders import CHILD, COMPANY, MOTHER, SECRETS, birth_of, company_of, headers_of, licence_of

Run = Callable[..., tuple[int, str, str]]
SEEN = ("--how", "identity card seen", "--operator", "zhang")
WHO = ("--code", MOTHER[0], "--code-type", MOTHER[1])
TO_MOTHER = ("--to-code", MOTHER[0], "--to-code-type", MOTHER[1], "--to-name", "沈样宁")
YEAR = ("--until", "2027-11-21", "--basis", "Birth certificate seen", "--operator", "zhang")


@pytest.fixture
def run(sqlite_library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`certlib ARGUMENTS` on the library, in this process, with something to read: exit code, out, err."""
    monkeypatch.setenv("CERTLIB_HOME", str(sqlite_library.settings.home))

    def ran(*arguments: object, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["certlib", *map(str, arguments)])
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return ran


def test_a_holder_is_logged_in_at_the_counter(run: Run, sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    code, text, _ = run("holder", "token", "--code", "-", "--code-type", "111", *SEEN, typed=f"{MOTHER[0]}\n")
    assert code == 0
    with TestClient(create_app(sqlite_library)) as web:
        mine = {"Authorization": f"Bearer {text.strip()}"}
        assert web.get(f"/v1/my/licences/{licence.identifier}", headers=mine).status_code == 200
    made = json.loads(run("holder", "token", *WHO, *SEEN, "--ttl-seconds", 60, "--json")[1])
    assert set(made) == {"session", "bearer", "expires_at"}
    code, shown, _ = run("holder", "ledger", *WHO, *SEEN)
    assert (code, "holder" in shown, licence.identifier in shown, MOTHER[0] in shown) == (0, True, True, False)
    page = json.loads(run("holder", "ledger", *WHO, *SEEN, "--limit", 1, "--json")[1])
    assert page["next"] == page["looks"][0]["id"]
    assert "Nobody has looked" in run("holder", "ledger", "--code", CHILD[0], "--code-type", "111", *SEEN)[1]
    assert not [each for each in SECRETS if each in str(list(audits.read_chain(sqlite_library.store)))]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("token", "--code", "990101199003070024", "--code-type", "111", *SEEN), "check character"),
        (("token", "--code", COMPANY[0], "--code-type", "001", *SEEN), "officer"),
        (("token", "--code", "-", "--code-type", "111", *SEEN), "missing"),
        (("token", *WHO, "--how", "", "--operator", "zhang"), "how: is missing"),
        (("ledger", *WHO, "--how", "x", "--operator", ""), "operator: is missing"),
        (("delegate", "guardian", *WHO, *TO_MOTHER, *YEAR), "is the holder"),
        (("delegate", "officer", *WHO, *TO_MOTHER, *YEAR), "kind: "),
        (("delegate", "agent", *WHO, *TO_MOTHER, *YEAR, "--acts", "see,fly"), "acts: must be some of see show"),
        (("delegate", "agent", *WHO, *TO_MOTHER, *YEAR, "--until", "soon"), "until: is no day"),
        (("delegate", "agent", *WHO, *TO_MOTHER, *YEAR, "--until", "9999-12-31"), "more than 731 days"),
        (("delegate", "agent", *WHO, *TO_MOTHER, *YEAR, "--type", "x"), "types: names a type"),
        (("end-delegation", "x", "--operator", "zhang"), "no delegation is known"),
    ],
)
def test_what_is_wrong_is_said_without_the_code(run: Run, arguments: tuple[str, ...], text: str) -> None:
    code, out, err = run("holder", *arguments)
    assert (code, text in err, out) == (1, True, "")
    assert not [each for each in (*SECRETS, COMPANY[0]) if each in err]


def test_a_guardian_and_an_officer_are_put_down_and_ended(run: Run, sqlite_library: Library) -> None:
    birth, company = birth_of(sqlite_library), company_of(sqlite_library)
    child = ("--code", CHILD[0], "--code-type", CHILD[1])
    made = json.loads(run("holder", "delegate", "guardian", *child, *TO_MOTHER, *YEAR, "--json")[1])
    assert (made["acts"], made["ends_at"][:10]) == (["see", "show", "consent", "report"], "2027-11-22")
    code, line, _ = run(
        *("holder", "delegate", "officer", "--code", COMPANY[0], "--code-type", "001", *TO_MOTHER, *YEAR),
        *("--acts", "see consent", "--type", "business-licence"),
    )
    assert code == 0
    assert "officer  沈样宁 9****************3 for 甬江样本茶叶贸易有限公司" in line
    assert "see consent  business-licence" in line
    with TestClient(create_app(sqlite_library)) as web:
        for delegation, licence in ((made["id"], birth), (line.split()[0], company)):
            acting = headers_of(sqlite_library, acting_for=delegation)
            assert web.get(f"/v1/my/licences/{licence.identifier}", headers=acting).status_code == 200
            code, text, _ = run("holder", "end-delegation", delegation, "--operator", "zhang")
            assert (code, text.endswith("ended\n")) == (0, True)
            assert web.get(f"/v1/my/licences/{licence.identifier}", headers=acting).status_code == 403
    code, _, err = run("holder", "end-delegation", made["id"], "--operator", "zhang")
    assert (code, "has ended already" in err) == (1, True)
