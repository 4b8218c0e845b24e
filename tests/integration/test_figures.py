"""Figures: counted once whoever counts, by each agency's own days, and published so that nobody is counted out."""

import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from certlib.changing import order_change
from certlib.errors import CertlibError, InvalidRequestError
from certlib.figures import Question, question_of, scope_of, statistics
from certlib.issuing import issue
from certlib.library import Library
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.figures import Cell, progress
from certlib.store.lookups import successor_of
from certlib.store.tables_tickets import FIGURE_CURSOR, FIGURE_DAY
from certlib.tickets.counting import catch_up, counts_of, zones_of
from tests.support.changes import CrashAt, CrashError, order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.sharing import asker

ZONES: dict[str, ZoneInfo] = {CITY.code: ZoneInfo("America/Los_Angeles"), MARKET_BUREAU.code: ZoneInfo("Asia/Shanghai")}
TYPES = ("business-licence", "practitioner-licence")
SMALL = 5


def happen(library: Library, counts: Mapping[tuple[str, str, str], int], *, at: datetime) -> None:
    """Let so many looks, refusals and reports of (act, agency, type) be on the audit chain."""
    entries = [
        audits.Entry(
            actor="tests",
            act=act,
            subject="2.999.1.X.Y" if act.startswith("look.") else agency,
            detail={"agency": agency, "type": kind, "outcome": "match", "code": "no_grant", "reason": "other",
                    "score": 4, "kind": "wrong"},
        )
        for (act, agency, kind), times in counts.items()
        for _number in range(times)
    ]  # fmt: skip
    with writing(library.store) as conn:
        audits.append(conn, entries, at=at)


def noon(agency: str, day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), tzinfo=ZONES[agency]) + timedelta(hours=12)


def cells(library: Library) -> dict[Cell, int]:
    with reading(library.store) as conn:
        return {
            Cell(row["figure"], row["day"], row["agency_code"], row["type_code"], row["key"]): row["count"]
            for row in conn.execute(select(FIGURE_DAY)).mappings()
            if row["count"] and not row["figure"].startswith("stock")
        }


def counted_anew(library: Library) -> dict[Cell, int]:
    """Figures of everything but licences, from the whole chain at once."""
    found = counts_of(audits.read_chain(library.store), {}, zones=zones_of(library), types=frozenset(TYPES))
    return dict(found)


def shown(found: dict[str, object], figure: str, key: str = "") -> str:
    rows = found["rows"]
    assert isinstance(rows, list)
    matching = [each["shown"] for each in rows if (each["figure"], each["key"]) == (figure, key)]
    assert len(matching) <= 1
    return matching[0] if matching else "0"


def code_of(call: object) -> list[str]:
    assert callable(call)
    with pytest.raises(CertlibError) as caught:
        call()
    faults = caught.value.faults if isinstance(caught.value, InvalidRequestError) else ()
    return [each.field for each in faults] or [caught.value.code]


def test_each_record_is_counted_once_whoever_counts(library: Library, clock: Clock) -> None:
    for number in range(12):
        happen(library, {("look.check", CITY.code, TYPES[0]): 400 + number, ("share.refused", CITY.code, "x"): 3},
               at=clock())  # fmt: skip
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda _n: catch_up(library), range(8)))
    assert cells(library) == counted_anew(library)
    assert sum(cells(library).values()) == sum(400 + n + 3 for n in range(12))
    assert catch_up(library)
    assert cells(library) == counted_anew(library)
    assert progress(library.store).behind == 0
    check_invariants(library.store)


def test_counting_that_is_cut_short_is_gone_on_with(library: Library, clock: Clock) -> None:
    happen(library, {("look.check", CITY.code, TYPES[0]): 4500}, at=clock())
    for times in (1, 2):
        with pytest.raises(CrashError):
            catch_up(replace(library, step=CrashAt("figures_counted", times)))
    assert progress(library.store).behind < 4500
    assert not catch_up(library, blocks=0) or progress(library.store).behind == 0
    assert catch_up(library)
    assert cells(library) == counted_anew(library)
    assert set(cells(library).values()) == {4500}


def test_an_answer_says_when_it_is_behind(sqlite_library: Library, clock: Clock) -> None:
    happen(sqlite_library, {("look.check", CITY.code, TYPES[0]): 2500}, at=clock())
    assert catch_up(sqlite_library, blocks=1) is False
    assert progress(sqlite_library.store).behind > 0
    assert statistics(sqlite_library, question_of(sqlite_library, since="", until="", agency_code="", type_code=""))[
        "complete"
    ]


def test_days_are_those_of_the_agency(library: Library, clock: Clock) -> None:
    at = datetime(clock().year + 1, 3, 3, 3, tzinfo=UTC)  # the 2nd in Rainport, the 3rd in the sample city
    happen(library, {("look.check", CITY.code, TYPES[0]): 7, ("look.data", MARKET_BUREAU.code, TYPES[0]): 8}, at=at)
    catch_up(library)
    assert {(each.agency_code, each.day.day): count for each, count in cells(library).items()} == {
        (CITY.code, 2): 7,
        (MARKET_BUREAU.code, 3): 8,
    }


def test_what_somebody_made_up_does_not_stand_in_figures(library: Library, clock: Clock) -> None:
    for kind in ("张三's licence", "a\x00b", "x" * 64):
        happen(library, {("share.refused", CITY.code, kind): 5, ("look.own", "", kind): 5}, at=clock())
    happen(library, {("look.check", "NOBODY", TYPES[0]): 5}, at=clock())
    catch_up(library)
    assert {each.type_code for each in cells(library)} == {"unknown"}
    assert list(cells(library).values()) == [15]


def test_counts_uses_refusals_and_rates(library: Library, clock: Clock) -> None:
    counts: dict[tuple[str, str, str], int] = {
        ("look.check", CITY.code, TYPES[0]): 17,
        ("look.question", CITY.code, TYPES[0]): 3,
        ("share.refused", CITY.code, TYPES[0]): 6,
        ("ticket.escalated", CITY.code, TYPES[0]): 1,
        ("paper.demanded", CITY.code, TYPES[0]): 8,
        ("rating.given", CITY.code, TYPES[0]): 5,
    }
    day = clock().astimezone(ZONES[CITY.code]).date() + timedelta(days=1)
    happen(library, counts, at=noon(CITY.code, day))
    none = audits.Entry(actor="x", act="look.check", subject="holder:ab",
                        detail={"agency": CITY.code, "type": TYPES[0], "outcome": "nothing_found"})  # fmt: skip
    with writing(library.store) as conn:
        audits.append(conn, [none] * 9, at=noon(CITY.code, day))
    question = Question(since=day, until=day)
    clock.at = noon(CITY.code, day)
    today = statistics(library, question)
    assert [shown(today, "found", "check"), shown(today, "found", "question")] == ["15-19", "<5"]
    clock.move(days=1)
    found = statistics(library, question)
    assert shown(found, "found", "check") == "17"
    assert shown(found, "found", "question") == "<5"
    assert shown(found, "nothing_found", "check") == "9"
    assert shown(found, "refused", "no_grant") == "6"
    assert shown(found, "overdue", "wrong") == "<5"
    assert shown(found, "paper", "other") == "8"
    assert shown(found, "rated", "4") == "5"
    totals = {(each["figure"], each["key"]): each["shown"] for each in found["totals"]["counts"]}
    assert totals["uses", "check"] == "26"
    assert totals["uses", "question"] == "<5"
    assert found["totals"]["success_rate"] == {"at_least": round(18 / 27, 3), "at_most": round(21 / 30, 3)}
    assert found["totals"]["use_rate"] == {"at_least": round(27 / 35, 3), "at_most": round(30 / 38, 3)}
    assert found["totals"]["rating"] == {"at_least": 4.0, "at_most": 4.0}
    json.dumps(found)
    check_invariants(library.store)


def test_licences_in_force_follow_every_change(library: Library, clock: Clock) -> None:
    today = clock().astimezone(ZONES[MARKET_BUREAU.code]).date()
    licence = issue(library, company_request(expires_on=today + timedelta(days=40))).licence
    agency = MARKET_BUREAU.code

    def in_force() -> int:
        catch_up(library)
        day = clock().astimezone(ZONES[agency]).date()
        flows = {"issued": 1, "ended": -1, "restored": 1}
        return sum(flows[c.figure] * n for c, n in cells(library).items() if c.figure in flows and c.day <= day)

    assert in_force() == 1
    order_change(library, agency, licence.identifier, order("suspend"))
    assert in_force() == 0
    clock.move(days=1)
    order_change(library, agency, licence.identifier, order("restore"))
    assert in_force() == 1
    order_change(library, agency, licence.identifier, order("correct"))
    assert in_force() == 1  # the old one ended, the new one was issued
    clock.move(days=39)
    assert in_force() == 1  # its last day
    clock.move(days=1)
    assert in_force() == 0
    order_change(library, agency, lookup_newest(library, licence.identifier), order("cancel"))
    clock.move(days=1)
    assert in_force() == 0
    found = statistics(library, Question(since=today, until=today + timedelta(days=41)))
    (group,) = [each for each in found["groups"] if each["agency"] == agency]
    assert group["active"]["at_least"] == 0
    check_invariants(library.store)


def lookup_newest(library: Library, identifier: str) -> str:
    found = successor_of(library.store, identifier)
    assert found is not None
    return found.identifier


def test_the_stock_of_closed_months_is_kept(library: Library, clock: Clock) -> None:
    """Months close one by one, and the stock of each follows from what was published of it."""
    start = clock().date().replace(day=1) + timedelta(days=70)
    with writing(library.store) as conn:
        for months, count in ((0, 7), (1, 3), (1, 2), (2, 20)):
            day = (start.replace(day=1) + timedelta(days=31 * months)).replace(day=3 + count % 9)
            row = {"figure": "issued", "day": day, "agency_code": CITY.code, "type_code": TYPES[0], "key": ""}
            conn.execute(FIGURE_DAY.insert().values(**row, count=count))
    clock.at = datetime.combine(start + timedelta(days=150), datetime.min.time(), tzinfo=UTC)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _n: catch_up(library), range(4)))
    closed = progress(library.store).closed_on
    assert closed is not None
    assert closed < clock().date()
    until = clock().date() - timedelta(days=2)
    found = statistics(library, Question(since=until, until=until))
    (group,) = found["groups"]
    assert group["active"]["shown"] == "32"  # 7 + (3 and 2: exactly 5) + 20
    with reading(library.store) as conn:
        stock = conn.execute(select(FIGURE_DAY).where(FIGURE_DAY.c.figure.like("stock%"))).mappings().all()
    assert Counter(each["figure"] for each in stock)["stock_high"] >= 3
    last = {each["figure"]: each["count"] for each in stock if each["day"] == closed}
    assert last == {"stock_low": 32, "stock_high": 32}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ((1, 4), (4, 1)),  # an exact sum of two hidden days
        ((2, 3), (1, 4)),
        ((1,), (4,)),  # one hidden day
        ((1, 1, 1), (2, 2, 1)),  # few
        ((4, 4), (3, 4)),  # many
    ],
)
def test_the_attack_by_subtraction(
    sqlite_library: Library, clock: Clock, one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    """Two worlds that differ in single persons' doings give the same answers to every question that can be asked."""
    library = sqlite_library
    begin = (clock().date().replace(day=28) + timedelta(days=40)).replace(day=1)
    places = list(product((CITY.code, MARKET_BUREAU.code), TYPES))
    answers = []
    for small in (one, other):
        with writing(library.store) as conn:
            conn.execute(FIGURE_DAY.delete())
            conn.execute(FIGURE_CURSOR.update().values(closed_on=None))
            for number, (agency, kind) in enumerate(places):
                days = {3 + n: count for n, count in enumerate(small)} if number == 0 else {4: 9 + number, 6: 2}
                for day, count in {**days, 12: 30, 20: 7}.items():
                    for figure, key in (("found", "check"), ("issued", ""), ("rated", "1"), ("refused", "no_grant")):
                        row = {"figure": figure, "day": begin.replace(day=day), "agency_code": agency}
                        conn.execute(FIGURE_DAY.insert().values(**row, type_code=kind, key=key, count=count))
        clock.at = datetime.combine(begin + timedelta(days=45), datetime.min.time(), tzinfo=UTC)
        answers.append(asked_in_every_way(library, begin))
    assert answers[0] == answers[1]


def asked_in_every_way(library: Library, begin: date) -> list[object]:
    end = (begin + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    days = [begin - timedelta(days=1), *(begin.replace(day=n) for n in (1, 3, 4, 5, 12)), end]
    found: list[object] = []
    for since, until in product(days, days):
        if since > until:
            continue
        for agency, kind in (("", ""), (CITY.code, ""), ("", TYPES[0]), (CITY.code, TYPES[0])):
            question = Question(since=since, until=until, agency_code=agency, type_code=kind)
            found.append(statistics(library, question))
    return found


def test_small_counts_do_not_show_while_the_day_goes_on(sqlite_library: Library, clock: Clock) -> None:
    """Asked after each look: the answers change only where a multiple of the threshold is passed."""
    day = clock().astimezone(ZONES[CITY.code]).date() + timedelta(days=1)
    clock.at = noon(CITY.code, day)
    seen, rates = [], []
    for _number in range(12):
        happen(sqlite_library, {("look.check", CITY.code, TYPES[0]): 1}, at=clock())
        found = statistics(sqlite_library, Question(since=day, until=day))
        seen.append(shown(found, "found", "check"))
        rates.append(found["totals"]["success_rate"])
    assert seen == [*["<5"] * 4, *["5-9"] * 5, *["10-14"] * 3]
    assert [each is None for each in rates] == [*[True] * 4, *[False] * 8]  # of a few there is no rate


def test_questions_are_bounded(sqlite_library: Library) -> None:
    def ask(**parts: str) -> None:
        whole = {"since": "", "until": "", "agency_code": "", "type_code": ""} | parts
        statistics(sqlite_library, question_of(sqlite_library, **whole))

    ask()
    asked = question_of(sqlite_library, since="", until="", agency_code="", type_code="")
    assert asked.until == max(sqlite_library.now().astimezone(zone).date() for zone in ZONES.values())
    assert (asked.until - asked.since).days == 30
    ask(since="2026-01-01", until="2027-01-01")
    ask(since="2999-12-31", until="2999-12-31")
    ask(since="2000-01-01", until="2000-01-01")
    assert code_of(lambda: ask(since="2026-01-01", until="2027-01-02")) == ["to"]
    assert code_of(lambda: ask(since="2026-01-02", until="2026-01-01")) == ["to"]
    for text in ("1999-01-01", "2026-02-30", "20260101", "2026-1-1", "x", "٢٠٢٦-01-01", "\x00", "9" * 4096):
        assert code_of(lambda text=text: ask(since=text)) == ["from"]
    for text in ("NOBODY", "\x00", "\ud800", "x" * 4096):
        assert code_of(lambda text=text: ask(agency_code=text)) == ["agency"]
        assert code_of(lambda text=text: ask(type_code=text)) == ["type"]


def test_who_may_ask_about_whom() -> None:
    auditor, manager = asker(scopes=frozenset({"audit"})), asker(scopes=frozenset({"manage"}))
    assert scope_of(auditor, "") == ""
    assert scope_of(auditor, "X") == "X"
    assert scope_of(manager, "") == CITY.code
    assert scope_of(manager, CITY.code) == CITY.code
    assert code_of(lambda: scope_of(manager, MARKET_BUREAU.code)) == ["forbidden"]
    assert code_of(lambda: scope_of(asker(scopes=frozenset({"issue", "verify"})), "")) == ["forbidden"]
