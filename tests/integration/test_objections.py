"""Objections: from a row of the ledger to the agency's answer, its deadline, and who hears when it passes."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from certlib.errors import CertlibError, ConflictError, ForbiddenError, InvalidRequestError, NotFoundError, SetupError
from certlib.holding.sessions import HolderCaller, end_session
from certlib.library import Library
from certlib.store import audits, looks, tickets
from certlib.store.engine import reading, writing
from certlib.store.tables_tickets import TICKET, TICKET_CLAIM, TICKET_STEP
from certlib.store.ticketing import CLOSED, Action, TicketKind, TicketState
from certlib.tickets.following import (
    Wanted,
    overdue_only,
    step_by_agency,
    step_by_holder,
    sweep,
    ticket_for,
    ticket_of,
    tickets_for,
    tickets_of,
    whole_json,
)
from certlib.tickets.objections import MAX_OPEN_OF_HOLDER, answer, object_to
from certlib.tickets.rules import TABLE, Side, is_overdue, next_state
from certlib.tickets.working_days import CALENDAR_FILE, WorkingCalendar, deadline
from tests.support.clock import Clock
from tests.support.holders import MOTHER, STRANGER, agent_of_mother, licence_of, me_of
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.tickets import look_at, objection

OBJECTIONS = (TicketKind.OBJECTION,)


def acts(library: Library, subject: str) -> list[str]:
    return [each.act for each in audits.records_about(library.store, subject)]


def refused(call: object) -> str:
    assert callable(call)
    try:
        call()
    except CertlibError as error:
        return error.code
    return ""


def test_an_objection_from_the_ledger_to_its_answer(library: Library, clock: Clock) -> None:
    licence = licence_of(library)
    made = objection(library, licence)
    assert (made.state, made.agency_code, made.raiser_agency) == (TicketState.OPEN, CITY.code, "")
    expected = deadline(clock(), 5, timezone="America/Los_Angeles", calendar=WorkingCalendar())
    assert made.due_at == expected
    assert tickets_of(library, me_of(library), kinds=OBJECTIONS) == (made,)
    assert tickets_of(library, me_of(library, STRANGER), kinds=OBJECTIONS) == ()
    assert tickets_for(library, Wanted(agency_code=CITY.code)) == (made,)
    assert tickets_for(library, Wanted(agency_code=MARKET_BUREAU.code)) == ()
    with pytest.raises(NotFoundError):
        answer(library, MARKET_BUREAU.code, made.code, operator="Wang", justified=True, text="x")
    clock.move(hours=1)
    done = answer(library, CITY.code, made.code, operator="Li Min", justified=False, text="It was a mistake, sorry")
    assert (done.state, done.outcome, done.closed_at) == (TicketState.ANSWERED, "not_justified", clock())
    shown = whole_json(library, ticket_of(library, me_of(library), made.code))
    assert [(each["action"], each["by"], each["operator"], each["text"]) for each in shown["steps"]] == [
        ("open", "holder", "holder", ""),
        ("answer", CITY.code, "Li Min", "It was a mistake, sorry"),
    ]
    assert shown["text"] == "I never applied there"
    assert shown["about"]["purpose"] == "Application for a food permit"
    assert refused(lambda: answer(library, CITY.code, made.code, operator="L", justified=True, text="x")) == (
        "ticket_closed"
    )
    assert acts(library, made.code) == ["ticket.opened", "ticket.answered"]
    check_invariants(library.store)


def test_nobody_objects_to_what_is_not_theirs(library: Library) -> None:
    licence = licence_of(library)
    look = look_at(library, licence)
    for number in (look + 1, 0, -1, 2**63 - 1, 2**70):
        with pytest.raises(NotFoundError) as caught:
            object_to(library, me_of(library), look_id=number, reason="x")
        assert caught.value.code == "look_not_found"
    with pytest.raises(NotFoundError):
        object_to(library, me_of(library, STRANGER), look_id=look, reason="x")
    assert object_to(library, me_of(library), look_id=look, reason="x").look_id == look


def test_a_look_that_found_nothing_can_be_objected_to(sqlite_library: Library) -> None:
    look = look_at(sqlite_library, licence_of(sqlite_library), found=False)
    made = object_to(sqlite_library, me_of(sqlite_library), look_id=look, reason="Why?")
    assert (made.identifier, made.agency_code) == ("", CITY.code)


def test_what_the_holder_showed_is_nobodys_fault(sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    shown = looks.Look(
        **{name: "" for name in looks.Look.__slots__ if name not in ("at", "fields", "id", "kind")},  # type: ignore[arg-type]  # texts
        at=sqlite_library.now(),
        kind="shown",
        fields=(),
    )
    with writing(sqlite_library.store) as conn:
        row = looks.Look(**{n: getattr(shown, n) for n in looks.Look.__slots__} | {"identifier": licence.identifier})
        looks.put(sqlite_library.store, conn, [row])
    (found,) = looks.looks_of_holder(sqlite_library.store, MOTHER[0])
    with pytest.raises(InvalidRequestError) as caught:
        object_to(sqlite_library, me_of(sqlite_library), look_id=found.id, reason="x")
    assert [(each.field, each.code) for each in caught.value.faults] == [("look", "no_agency")]


def test_one_objection_to_one_look(library: Library) -> None:
    licence = licence_of(library)
    look = look_at(library, licence)
    me = me_of(library)

    def once(_number: int) -> str:
        try:
            return object_to(library, me, look_id=look, reason="x").code
        except ConflictError as error:
            return error.identifier if error.code == "ticket_open" else error.code

    with ThreadPoolExecutor(8) as pool:
        codes = set(pool.map(once, range(8)))
    assert len(codes) == 1
    (code,) = codes
    answer(library, CITY.code, code, operator="Li Min", justified=True, text="The law says so")
    assert once(0) == code  # answered once; nobody starts it anew
    other = look_at(library, licence)
    withdrawn = object_to(library, me, look_id=other, reason="x")
    step_by_holder(library, me, withdrawn.code, Action.WITHDRAW)
    assert object_to(library, me, look_id=other, reason="x").code != withdrawn.code
    check_invariants(library.store)


@pytest.mark.parametrize("reason", ["", " \n", "x" * 1001, "a\x00b", "\ud800"])
def test_an_objection_has_a_reason(sqlite_library: Library, reason: str) -> None:
    look = look_at(sqlite_library, licence_of(sqlite_library))
    with pytest.raises(InvalidRequestError) as caught:
        object_to(sqlite_library, me_of(sqlite_library), look_id=look, reason=reason)
    assert [each.field for each in caught.value.faults] == ["reason"]


def test_every_step_by_the_table(sqlite_library: Library) -> None:
    """Each action, by each side, from each state: what is not in the table is refused and changes nothing."""
    made = objection(sqlite_library, licence_of(sqlite_library))
    with reading(sqlite_library.store) as conn:
        before = conn.execute(select(TICKET)).mappings().one()
    for kind, state, action, side in product(TicketKind, TicketState, Action, Side):
        ticket = type(made)(**{n: getattr(made, n) for n in made.__slots__} | {"kind": kind, "state": state})
        kinds, whose, begins, end = TABLE[action]
        if kind in kinds and side is whose and state in begins and state not in CLOSED:
            assert next_state(ticket, action, side) is end
        else:
            with pytest.raises((ConflictError, ForbiddenError)):
                next_state(ticket, action, side)
    assert not any(begins & CLOSED for _, _, begins, _ in TABLE.values())
    with reading(sqlite_library.store) as conn:
        assert conn.execute(select(TICKET)).mappings().one() == before


def test_sides_do_not_take_each_others_steps(library: Library) -> None:
    made = objection(library, licence_of(library))
    me = me_of(library)
    assert refused(lambda: step_by_holder(library, me, made.code, Action.ANSWER, text="x")) == "not_your_step"
    assert refused(lambda: step_by_agency(library, CITY.code, made.code, Action.WITHDRAW, operator="L")) == (
        "not_your_step"
    )
    assert refused(lambda: step_by_agency(library, CITY.code, made.code, Action.TAKE, operator="L")) == "not_now"
    stranger = me_of(library, STRANGER)
    assert refused(lambda: step_by_holder(library, stranger, made.code, Action.WITHDRAW)) == "ticket_not_found"
    for code in ("", "0" * 26, "é" * 26, "a\x00b", "x" * 4096, "\ud800"):
        assert refused(lambda code=code: ticket_for(library, CITY.code, code)) == "ticket_not_found"
    assert tickets.ticket(library.store, made.code) == made


def test_overdue_follows_from_the_clock_and_is_put_down_once(library: Library, clock: Clock) -> None:
    made = objection(library, licence_of(library))
    assert made.due_at is not None
    clock.at = made.due_at - timedelta(seconds=1)
    assert not is_overdue(made, clock())
    assert sweep(library) == ()
    clock.move(seconds=1)
    assert is_overdue(made, clock())
    assert tickets_for(library, overdue_only(library, Wanted(agency_code=CITY.code)))[0].escalated_at == clock()
    first = tickets.ticket(library.store, made.code).escalated_at
    clock.move(days=3)
    assert sweep(library) == ()
    assert tickets.ticket(library.store, made.code).escalated_at == first
    (seen,) = tickets_for(library, Wanted(escalated=True))
    assert seen.code == made.code
    done = answer(library, CITY.code, made.code, operator="Li Min", justified=True, text="Late, but lawful")
    assert not is_overdue(done, clock())
    assert acts(library, made.code) == ["ticket.opened", "ticket.escalated", "ticket.answered"]
    check_invariants(library.store)


def test_sixteen_sweeps_at_once_escalate_once(library: Library, clock: Clock) -> None:
    licence = licence_of(library)
    made = [objection(library, licence) for _number in range(4)]
    clock.move(days=30)
    with ThreadPoolExecutor(16) as pool:
        found = [code for codes in pool.map(lambda _n: sweep(library), range(16)) for code in codes]
    assert sorted(found) == sorted(each.code for each in made)
    for each in made:
        assert acts(library, each.code).count("ticket.escalated") == 1
    check_invariants(library.store)


def test_an_answer_and_a_sweep_at_once(library: Library, clock: Clock) -> None:
    licence = licence_of(library)
    for _number in range(4):
        made = objection(library, licence)
        clock.move(days=30)
        with ThreadPoolExecutor(2) as pool:
            swept = pool.submit(sweep, library)
            done = pool.submit(answer, library, CITY.code, made.code, operator="L", justified=True, text="x").result()
        assert done.state is TicketState.ANSWERED
        seen = acts(library, made.code)
        assert seen in (
            ["ticket.opened", "ticket.escalated", "ticket.answered"],
            ["ticket.opened", "ticket.answered"],
        )
        assert (made.code in swept.result()) == (len(seen) == 3)
    check_invariants(library.store)


def test_the_librarys_calendar_moves_the_deadline(sqlite_library: Library, clock: Clock) -> None:
    path = sqlite_library.settings.home / CALENDAR_FILE
    today = clock().astimezone(ZoneInfo("America/Los_Angeles")).date()
    path.write_text(
        f"[agencies.RAINPORT]\nholidays = [{{ from = {today}, until = {today + timedelta(days=30)} }}]\n", "utf-8"
    )
    made = objection(sqlite_library, licence_of(sqlite_library))
    assert made.due_at is not None
    assert made.due_at > datetime.combine(today + timedelta(days=35), datetime.min.time(), tzinfo=UTC)
    path.write_text("holidays = [today]\n", "utf-8")
    with pytest.raises(SetupError, match=r"calendar\.toml"):
        objection(sqlite_library, licence_of(sqlite_library, number="YB-2026-000319"))


def test_what_was_written_lies_sealed(library: Library) -> None:
    made = objection(library, licence_of(library))
    answer(library, CITY.code, made.code, operator="Li Min", justified=True, text="Because of Mrs Shen")
    with reading(library.store) as conn:
        rows = [
            str(dict(row))
            for table in (TICKET, TICKET_STEP, TICKET_CLAIM)
            for row in conn.execute(select(table)).mappings()
        ]
    open_texts = "".join(rows) + json.dumps([dict(each.detail) for each in audits.read_chain(library.store)])
    for secret in ("never applied", "Mrs Shen", MOTHER[0]):
        assert secret not in open_texts
        assert secret.encode() not in b"".join(map(str.encode, rows))


def test_a_holder_cannot_flood_an_agency(sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    for _number in range(MAX_OPEN_OF_HOLDER):
        objection(sqlite_library, licence)
    with pytest.raises(CertlibError) as caught:
        objection(sqlite_library, licence)
    assert caught.value.code == "too_many_open"


def test_a_delegate_objects_in_the_scope_of_the_delegation(sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    look = look_at(sqlite_library, licence)
    narrow = agent_of_mother(sqlite_library, types=("business-licence",))
    outside = me_of(sqlite_library, STRANGER, acting_for=narrow.id)
    with pytest.raises(NotFoundError):
        object_to(sqlite_library, outside, look_id=look, reason="x")
    wide = agent_of_mother(sqlite_library)
    agent = me_of(sqlite_library, STRANGER, acting_for=wide.id)
    made = object_to(sqlite_library, agent, look_id=look, reason="x")
    assert made.raiser == "delegate"
    assert tickets_of(sqlite_library, me_of(sqlite_library), kinds=OBJECTIONS) == (made,)
    assert tickets_of(sqlite_library, outside, kinds=OBJECTIONS) == ()
    assert refused(lambda: ticket_of(sqlite_library, outside, made.code)) == "ticket_not_found"


def test_a_session_that_ended_meanwhile_opens_nothing(sqlite_library: Library) -> None:
    look = look_at(sqlite_library, licence_of(sqlite_library))
    me: HolderCaller = me_of(sqlite_library)
    end_session(sqlite_library, me)
    assert refused(lambda: object_to(sqlite_library, me, look_id=look, reason="x")) == "session_over"
    with reading(sqlite_library.store) as conn:
        assert conn.execute(select(TICKET)).all() == []
