"""`certlib ticket`."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

import cli
from certlib.library import Library
from certlib.model import Licence
from certlib.store.engine import writing
from certlib.store.tables_tickets import TICKET
from certlib.tickets.rating import report_paper, report_paper_own
from certlib.tickets.working_days import CALENDAR_FILE
from tests.support.changes import lay_down
from tests.support.clock import Clock
from tests.support.holders import licence_of, me_of
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.tickets import objection, reported

Run = Callable[..., tuple[int, str, str]]
WANG = ("--agency", MARKET_BUREAU.code, "--operator", "Wang")
LI = ("--agency", CITY.code, "--operator", "Li Min")


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
def mine(sqlite_library: Library) -> Licence:
    return licence_of(sqlite_library)


def test_an_objection_is_answered(run: Run, sqlite_library: Library, mine: Licence) -> None:
    made = objection(sqlite_library, mine)
    code, text, _ = run("ticket", "list", "--open")
    assert (code, text.startswith(f"{made.code}  objection practitioner-licence  to RAINPORT  open, due 2")) == (
        0,
        True,
    )
    assert "never applied" not in run("ticket", "show", made.code)[1]
    assert "I never applied there" in run("ticket", "show", made.code, "--agency", CITY.code)[1]
    code, _, fault = run("ticket", "answer", made.code, "--outcome", "justified", *LI)
    assert (code, "text: is missing" in fault) == (1, True)
    code, text, _ = run("ticket", "answer", made.code, "--outcome", "justified", "--text", "Section 3", *LI)
    assert (code, "  justified" in text) == (0, True)
    assert run("ticket", "list", "--open")[1] == "There is no such ticket.\n"
    assert run("ticket", "answer", made.code, "--outcome", "take", *LI)[0] == 1
    assert run("ticket", "show", "0" * 26)[0] == 1
    assert run("ticket", "answer", made.code, "--outcome", "maybe", *LI)[0] == 2


def test_an_error_is_corrected(run: Run, sqlite_library: Library, mine: Licence, tmp_path: Path) -> None:
    made = reported(sqlite_library, mine)
    assert run("ticket", "answer", made.code, "--outcome", "take", *WANG)[0] == 0
    data = tmp_path / "change.json"
    data.write_text(json.dumps({"fields": {"practice_scope": "中医内科；推拿康复"}}), "utf-8")
    fix = ("ticket", "correct", made.code, "--data", data, "--text", "As applied for", *WANG)
    lay_down(sqlite_library, 'maker_checker = ["correct"]', type_code="practitioner-licence")
    waiting = json.loads(run(*fix, "--json")[1])
    assert waiting["state"] == "correcting"
    assert run("licence", "approve", waiting["change"], "--agency", MARKET_BUREAU.code, "--operator", "Zhao")[0] == 0
    assert json.loads(run("ticket", "sweep", "--json")[1])["followed"] == [made.code]
    (done,) = json.loads(run("ticket", "list", "--kind", "wrong", "--json")[1])
    assert (done["state"], bool(done["successor"])) == ("corrected", True)
    assert run(*fix)[0] == 1
    code, text, _ = run("audit", "verify")
    assert (code, "2 licences are as it says" in text) == (0, True)


def test_the_sweep_puts_down_what_is_overdue_once(
    run: Run, sqlite_library: Library, mine: Licence, clock: Clock
) -> None:
    made = objection(sqlite_library, mine)
    assert run("ticket", "sweep")[1] == "Nothing was left to do.\n"
    with writing(sqlite_library.store) as conn:  # commands go by the real clock
        conn.execute(TICKET.update().values(due_at=clock() - timedelta(days=1)))
    assert run("ticket", "sweep")[1] == f"overdue   {made.code}\n"
    assert run("ticket", "sweep")[1] == "Nothing was left to do.\n"
    for wanted in ("--overdue", "--escalated"):
        assert ", OVERDUE" in run("ticket", "list", wanted)[1]
    assert "escalate   open        library library\n" in run("ticket", "show", made.code)[1]


def test_the_calendar_is_shown_and_its_errors_are_named(run: Run, sqlite_library: Library) -> None:
    code, text, _ = run("ticket", "calendar", "--agency", CITY.code)
    assert (code, text.startswith("objection     5 working days, ends 2")) == (0, True)
    (sqlite_library.settings.home / CALENDAR_FILE).write_text("holidays = [1]\n", "utf-8")
    code, _, fault = run("ticket", "calendar", "--agency", CITY.code)
    assert (code, "holidays, entry 1" in fault) == (2, True)


def test_complaints_and_statistics(run: Run, sqlite_library: Library, mine: Licence) -> None:
    assert run("ticket", "complaints")[1] == "Nobody complained.\n"
    parts = {"type_code": mine.type_code, "matter_code": "m", "reason": "not_trusted"}
    report_paper(sqlite_library, CITY.code, text="", operator="Li", **parts)
    report_paper_own(sqlite_library, me_of(sqlite_library), agency_code=CITY.code, text="No!", **parts)
    lines = run("ticket", "complaints", "--agency", CITY.code)[1].splitlines()
    assert [line[22:] for line in lines] == [
        "RAINPORT  paper for practitioner-licence: not_trusted No!",
        "RAINPORT  paper for practitioner-licence: not_trusted",
    ]
    code, text, _ = run("statistics")
    assert (code, f"{CITY.code}  practitioner-licence: 0 in force" in text) == (0, True)
    assert "  paper          not_trusted            <5\n" in text
    assert json.loads(run("statistics", "--agency", CITY.code, "--json")[1])["complete"]
    code, _, fault = run("statistics", "--from", "soon")
    assert (code, "is no day like" in fault) == (1, True)
