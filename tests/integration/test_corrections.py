"""Corrections: from the report to the new version that the ticket names, with one person, with two, over a crash."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from certlib.changing import changes_of, decide_change, order_change
from certlib.changing import resume as resume_changes
from certlib.errors import CertlibError, ConflictError, InvalidRequestError, NotFoundError
from certlib.library import Library
from certlib.model import Holder, Licence, OverallWord, Status
from certlib.store import audits, tickets
from certlib.store.engine import reading
from certlib.store.lookups import licence_by_identifier, pdf_of
from certlib.store.tables_tickets import TICKET, TICKET_CLAIM, TICKET_STEP
from certlib.store.ticketing import Action, Ticket, TicketItem, TicketKind, TicketState
from certlib.tickets.corrections import Correction, correct, settle, settle_all
from certlib.tickets.following import (
    CORRECTIONS,
    Wanted,
    step_by_agency,
    step_by_holder,
    sweep,
    ticket_of,
    tickets_for,
    tickets_of,
    whole_json,
)
from certlib.tickets.reporting_errors import ErrorReport, is_reported, report_missing, report_own, report_wrong
from certlib.tickets.rules import is_overdue
from certlib.verifying import verify
from tests.support.changes import CrashAt, CrashError, lay_down, order
from tests.support.clock import Clock
from tests.support.holders import MOTHER, SECRETS, STRANGER, birth_of, company_of, licence_of, me_of, officer_of_company
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.tickets import CLERK, REPORT, SCOPE, WORDS, look_at, reported

AGENCY = MARKET_BUREAU.code
TYPE = "practitioner-licence"
RIGHT = Correction(operator="Wang", text="The application says so", new={"fields": {"practice_scope": SCOPE.right}})


@pytest.fixture
def licence(library: Library) -> Licence:
    return licence_of(library)


def refused(call: Any) -> str:  # noqa: ANN401  # a function
    try:
        call()
    except CertlibError as error:
        return error.code
    return ""


def now_of(library: Library, made: Ticket) -> Ticket:
    return tickets.ticket(library.store, made.code)


def steps(library: Library, made: Ticket) -> list[str]:
    return [each.action for each in tickets.steps_of(library.store, made)]


def test_an_error_from_report_to_new_version(library: Library, licence: Licence) -> None:
    made = reported(library, licence)
    assert (made.kind, made.state, made.agency_code) == (TicketKind.WRONG, TicketState.RECEIVED, AGENCY)
    assert is_reported(library, licence.identifier)
    assert licence_by_identifier(library.store, licence.identifier).status is Status.ACTIVE
    taken = step_by_agency(library, AGENCY, made.code, Action.TAKE, operator="Wang")
    assert taken.state is TicketState.IN_PROGRESS
    done = correct(library, AGENCY, made.code, RIGHT)
    assert done.state is TicketState.CORRECTED
    new = licence_by_identifier(library.store, done.successor)
    assert (new.version, new.fields["practice_scope"], new.status) == (2, SCOPE.right, Status.ACTIVE)
    assert changes_of(library, AGENCY, licence.identifier)[0].id == done.change_id
    for given in (licence.token, pdf_of(library.store, licence)):
        assert verify(given, library, now=library.now()).word is OverallWord.SUPERSEDED
    for given in (new.token, pdf_of(library.store, new)):
        assert verify(given, library, now=library.now()).word is OverallWord.VALID
    assert not is_reported(library, licence.identifier)
    shown = whole_json(library, ticket_of(library, me_of(library), made.code))
    assert [(each["action"], each["operator"]) for each in shown["steps"]] == [
        ("open", "holder"),
        ("take", "Wang"),
        ("correct", "Wang"),
        ("finish", "Wang"),
    ]
    assert shown["successor"] == new.identifier
    assert [each.act for each in audits.records_about(library.store, made.code)] == [
        *("ticket.opened", "ticket.taken", "ticket.correction_ordered", "ticket.corrected")
    ]
    assert refused(lambda: correct(library, AGENCY, made.code, RIGHT)) == "ticket_closed"
    again = report_own(library, me_of(library), new.identifier, REPORT)  # the next version may be wrong too
    assert again.code != made.code
    check_invariants(library.store)


def test_a_second_person_is_waited_for(library: Library, licence: Licence, clock: Clock) -> None:
    lay_down(library, 'maker_checker = ["correct"]\npending_days = 2', type_code=TYPE)
    made = reported(library, licence)
    waiting = correct(library, AGENCY, made.code, RIGHT)
    assert (waiting.state, waiting.successor) == (TicketState.CORRECTING, "")
    assert refused(lambda: correct(library, AGENCY, made.code, RIGHT)) == "not_now"
    assert refused(lambda: step_by_agency(library, AGENCY, made.code, Action.EXPLAIN, operator="W", text="x")) == (
        "not_now"
    )
    declined = decide_change(library, AGENCY, waiting.change_id, operator="Zhao", approve=False)
    assert settle(library, waiting).state is TicketState.IN_PROGRESS
    second = correct(library, AGENCY, made.code, RIGHT)
    assert second.change_id != declined.id
    clock.move(days=3)  # nobody decided in time
    assert settle_all(library) == (made.code,)
    third = correct(library, AGENCY, made.code, RIGHT)
    decide_change(library, AGENCY, third.change_id, operator="Zhao")
    (seen,) = tickets_for(library, Wanted(agency_code=AGENCY))
    done = settle(library, seen)
    assert done.state is TicketState.CORRECTED
    assert licence_by_identifier(library.store, done.successor).version == 2
    assert settle(library, seen) == done  # again changes nothing
    assert steps(library, made)[-1:] == ["finish"]
    assert tickets.steps_of(library.store, made)[-1].operator == "Zhao"
    check_invariants(library.store)


def test_an_unlawful_correction_leaves_the_ticket_as_it_is(library: Library, licence: Licence) -> None:
    made = reported(library, licence)
    wrong: dict[str, Any]
    for wrong in ({}, {"fields": {"no_such": "x"}}, {"number": "X"}, {"fields": 1}, {"expires_on": "soon"}):
        with pytest.raises(InvalidRequestError):
            correct(library, AGENCY, made.code, replace(RIGHT, new=wrong))
    assert now_of(library, made) == made
    assert steps(library, made) == ["open"]
    for said, fields in (
        (replace(RIGHT, operator=""), ["operator"]),
        (replace(RIGHT, text=" "), ["text"]),
        (replace(RIGHT, identifier=licence.identifier), ["identifier"]),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            correct(library, AGENCY, made.code, said)
        assert [each.field for each in caught.value.faults] == fields
    order_change(library, AGENCY, licence.identifier, order("correct", operator="zhang", renewed=RIGHT.new))
    with pytest.raises(InvalidRequestError, match="nothing is other"):  # put right already, on the newest version
        correct(library, AGENCY, made.code, RIGHT)
    assert step_by_agency(
        library, AGENCY, made.code, Action.EXPLAIN, operator="Wang", text="Done on the 22nd"
    ).state is (TicketState.EXPLAINED)
    check_invariants(library.store)


def test_a_licence_that_has_ended_is_corrected_on_paper_only(library: Library, licence: Licence) -> None:
    made = reported(library, licence)
    order_change(library, AGENCY, licence.identifier, order("withdraw"))
    done = correct(library, AGENCY, made.code, RIGHT)
    assert (done.state, done.successor) == (TicketState.CORRECTED, "")
    assert licence_by_identifier(library.store, licence.identifier).status is Status.WITHDRAWN
    check_invariants(library.store)


@pytest.mark.parametrize("step", ["ticket_correcting", "ordered", "issued", "finished", "ticket_ordered"])
def test_a_crash_on_the_way_is_gone_on_with(library: Library, clock: Clock, step: str) -> None:
    licence = licence_of(library)
    made = reported(library, licence)
    with pytest.raises(CrashError):
        correct(replace(library, step=CrashAt(step)), AGENCY, made.code, RIGHT)
    assert now_of(library, made).state is TicketState.CORRECTING
    settle_all(library)
    clock.move(minutes=20)
    list(resume_changes(library))
    settle_all(library)
    found = now_of(library, made)
    if step == "ticket_correcting":  # nothing was ordered yet
        assert found.state is TicketState.IN_PROGRESS
        found = correct(library, AGENCY, made.code, RIGHT)
    assert found.state is TicketState.CORRECTED
    assert licence_by_identifier(library.store, found.successor).version == 2
    check_invariants(library.store)


def test_two_clerks_who_correct_at_once_make_one_version(library: Library, licence: Licence) -> None:
    made = reported(library, licence)

    def once(number: int) -> str:
        said = replace(RIGHT, operator=f"Clerk {number}")
        return refused(lambda: correct(library, AGENCY, made.code, said))

    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(once, range(4)))
    assert codes.count("") == 1
    assert set(codes) <= {"", "not_now", "ticket_closed", "change_in_progress"}
    done = settle(library, now_of(library, made))
    assert done.state is TicketState.CORRECTED
    assert licence_by_identifier(library.store, done.successor).version == 2
    check_invariants(library.store)


def test_the_way_over_a_question_to_the_holder(library: Library, licence: Licence, clock: Clock) -> None:
    made = reported(library, licence)
    assert made.due_at is not None
    back = step_by_agency(library, AGENCY, made.code, Action.RETURN, operator="Wang", text="Which branch?")
    assert (back.state, back.due_at) == (TicketState.RETURNED, None)
    clock.move(days=30)  # the holder's time is not the agency's
    assert not is_overdue(now_of(library, made), clock())
    assert sweep(library) == ()
    assert refused(lambda: step_by_holder(library, me_of(library), made.code, Action.SUPPLEMENT)) == "invalid_request"
    more = step_by_holder(library, me_of(library), made.code, Action.SUPPLEMENT, text="The first one")
    assert more.state is TicketState.IN_PROGRESS
    assert more.due_at is not None
    assert more.due_at > clock()
    clock.move(days=30)
    assert sweep(library) == (made.code,)
    closed = step_by_agency(library, AGENCY, made.code, Action.DECLINE, operator="Wang", text="Not ours to change")
    assert (closed.state, closed.closed_at) == (TicketState.DECLINED, clock())
    assert [(e.action, e.text) for e in tickets.steps_of(library.store, made)][1:3] == [
        ("return", "Which branch?"),
        ("supplement", "The first one"),
    ]
    check_invariants(library.store)


def test_the_same_field_is_reported_once(library: Library, licence: Licence) -> None:
    made = reported(library, licence)
    other = TicketItem(field="category", wrong="x", right="")
    for items in ((SCOPE,), (other, replace(SCOPE, wrong="y"))):
        with pytest.raises(ConflictError) as caught:
            report_own(library, me_of(library), licence.identifier, ErrorReport(items=items))
        assert (caught.value.code, caught.value.identifier) == ("ticket_open", made.code)
    second = report_own(library, me_of(library), licence.identifier, ErrorReport(items=(other,)))
    step_by_holder(library, me_of(library), made.code, Action.WITHDRAW)
    assert report_own(library, me_of(library), licence.identifier, REPORT).state is TicketState.RECEIVED
    assert now_of(library, second).state is TicketState.RECEIVED
    check_invariants(library.store)


def test_reports_at_once_open_one_ticket(library: Library, licence: Licence) -> None:
    me = me_of(library)
    items = (SCOPE, TicketItem(field="category", wrong="x", right=""))

    def once(number: int) -> str:
        ordered = items if number % 2 else items[::-1]
        return refused(lambda: report_own(library, me, licence.identifier, ErrorReport(items=ordered)))

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(once, range(8)))
    assert sorted(codes) == ["", *["ticket_open"] * 7]
    check_invariants(library.store)


@pytest.mark.parametrize(
    ("report", "faults"),
    [
        (ErrorReport(), [("items", "required")]),
        (ErrorReport(items=(SCOPE, SCOPE)), [("items.1.field", "twice")]),
        (ErrorReport(items=(replace(SCOPE, wrong=""),)), [("items.0.wrong", "required")]),
        (ErrorReport(items=(replace(SCOPE, right="x" * 501),)), [("items.0.right", "too_long")]),
        (ErrorReport(items=(replace(SCOPE, field="no_such"),)), [("items.0.field", "unknown_field")]),
        (ErrorReport(items=(replace(SCOPE, field="a\x00" * 4096),)), [("items.0.field", "unknown_field")]),
        (ErrorReport(items=(SCOPE,), remark="\ud800"), [("remark", "bad_character")]),
        (ErrorReport(items=(SCOPE,), contact="x" * 101), [("contact", "too_long")]),
        (ErrorReport(items=tuple(replace(SCOPE, field=f"f{n}") for n in range(21))), [("items", "too_many")]),
    ],
)
def test_what_is_wrong_with_a_report_is_named(
    sqlite_library: Library, report: ErrorReport, faults: list[tuple[str, str]]
) -> None:
    licence = licence_of(sqlite_library)
    with pytest.raises(InvalidRequestError) as caught:
        report_own(sqlite_library, me_of(sqlite_library), licence.identifier, report)
    assert [(each.field, each.code) for each in caught.value.faults] == faults


def test_only_own_licences_are_reported(library: Library, licence: Licence) -> None:
    for who, identifier in ((STRANGER, licence.identifier), (MOTHER, "1.2.3"), (MOTHER, "a\x00"), (MOTHER, "\ud800")):
        with pytest.raises(NotFoundError):
            report_own(library, me_of(library, who), identifier, REPORT)
    company = company_of(library)
    officer = me_of(library, acting_for=officer_of_company(library).id)
    item = TicketItem(field="address", wrong="Old street", right="")
    made = report_own(library, officer, company.identifier, ErrorReport(items=(item,)))
    assert made.raiser == "delegate"
    assert tickets_of(library, officer, kinds=CORRECTIONS) == (made,)
    assert tickets_of(library, me_of(library), kinds=CORRECTIONS) == ()


def test_a_clerk_reports_what_was_met_and_learns_nothing_more(library: Library, licence: Licence) -> None:
    unknown = licence.identifier[:-4] + "9.X"
    assert refused(lambda: report_wrong(library, CLERK, licence.identifier, REPORT)) == "not_found"
    assert refused(lambda: report_wrong(library, CLERK, unknown, REPORT)) == "not_found"
    assert refused(lambda: report_wrong(library, CLERK, "", REPORT)) == "not_found"
    made = report_wrong(library, CLERK, licence.public_code, REPORT)
    assert (made.raiser_agency, made.raiser, made.writing.case) == (CITY.code, "Li Min", "330200-0107 2026-000117")
    assert tickets_of(library, me_of(library), kinds=CORRECTIONS) == (made,)  # the holder sees it too
    assert refused(lambda: step_by_holder(library, me_of(library), made.code, Action.WITHDRAW)) == "not_your_step"
    assert step_by_agency(library, CITY.code, made.code, Action.WITHDRAW, operator="Li Min").state is (
        TicketState.WITHDRAWN
    )
    look_at(library, licence)
    assert report_wrong(library, CLERK, licence.identifier, REPORT).identifier == licence.identifier
    own = replace(CLERK, agency_code=AGENCY)
    item = TicketItem(field="category", wrong="x", right="")
    mine = report_wrong(library, own, licence.identifier, ErrorReport(items=(item,)))
    assert step_by_agency(library, AGENCY, mine.code, Action.WITHDRAW, operator="Wang").state is TicketState.WITHDRAWN
    check_invariants(library.store)


def test_a_missing_licence_is_reported_issued_and_named(library: Library) -> None:
    report = ErrorReport(remark="She showed the paper one")
    said = {"type_code": TYPE, "agency_code": AGENCY, "holder_code": MOTHER[0], "report": report}
    made = report_missing(library, CLERK, **said)  # type: ignore[arg-type]  # right by reading
    assert (made.kind, made.identifier, made.fields) == (TicketKind.MISSING, "", ())
    with pytest.raises(ConflictError) as caught:
        report_missing(library, CLERK, **{**said, "holder_code": MOTHER[0].lower()})  # type: ignore[arg-type]  # as above
    assert caught.value.identifier == made.code
    assert tickets_of(library, me_of(library), kinds=CORRECTIONS) == (made,)
    issued = Correction(operator="Wang", text="Issued now")
    assert refused(lambda: correct(library, AGENCY, made.code, issued)) == "invalid_request"
    child, strange = birth_of(library), licence_of(library, STRANGER, number="YB-2026-000999")
    for other in (child, strange):
        with pytest.raises(InvalidRequestError, match="another type or holder"):
            correct(library, AGENCY, made.code, replace(issued, identifier=other.identifier))
    assert refused(lambda: correct(library, AGENCY, made.code, replace(issued, identifier="1.2.3"))) == "not_found"
    licence = licence_of(library)
    done = correct(library, AGENCY, made.code, replace(issued, identifier=licence.identifier))
    assert (done.state, done.successor) == (TicketState.CORRECTED, licence.identifier)
    with pytest.raises(InvalidRequestError) as wrong:
        report_missing(library, CLERK, type_code="no", agency_code="NO\x00", holder_code="", report=ErrorReport())
    assert [each.field for each in wrong.value.faults] == ["remark", "holder_code", "type", "agency"]
    check_invariants(library.store)


def test_what_was_written_lies_sealed(library: Library, licence: Licence) -> None:
    made = reported(library, licence)
    step_by_agency(library, AGENCY, made.code, Action.RETURN, operator="Wang", text="Ask 沈样宁 again")
    step_by_holder(library, me_of(library), made.code, Action.SUPPLEMENT, text="推拿 is what I do")
    report_missing(library, CLERK, type_code=TYPE, agency_code=AGENCY, holder_code=STRANGER[0],
                   report=ErrorReport(remark="struck out"))  # fmt: skip
    with reading(library.store) as conn:
        rows = [str(dict(r)) for t in (TICKET, TICKET_STEP, TICKET_CLAIM) for r in conn.execute(select(t)).mappings()]
    chain = json.dumps([[e.actor, e.subject, dict(e.detail)] for e in audits.read_chain(library.store)])
    for secret in (*SECRETS, *WORDS):
        assert secret not in "".join(rows)
        assert secret not in json.loads(json.dumps(chain, ensure_ascii=False))


def test_several_holders_see_what_a_clerk_reported(sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    assert licence.holders == (Holder(name="沈样宁", code=MOTHER[0], code_type="111"),)
    made = report_wrong(sqlite_library, CLERK, licence.public_code, REPORT)
    assert tickets_of(sqlite_library, me_of(sqlite_library, STRANGER), kinds=CORRECTIONS) == ()
    assert refused(lambda: ticket_of(sqlite_library, me_of(sqlite_library, STRANGER), made.code)) == "ticket_not_found"
