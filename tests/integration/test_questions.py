"""Questions asked of a whole library: granted, answered, signed, put down; never a value, and no guessing."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.changing import ChangeOrder, order_change
from certlib.errors import CertlibError, ForbiddenError, InvalidRequestError, LimitReachedError
from certlib.grants import BASE_FIELDS, Interface
from certlib.issuing import issue
from certlib.library import Library
from certlib.lifecycle import StatusRequest, change_status
from certlib.model import Holder, Licence, Status
from certlib.operations import Operation
from certlib.sharing.answers import Answer
from certlib.sharing.asking_questions import questions_of
from certlib.store import audits, looks
from certlib.trusting import live_pack
from signing.receipts import VerifiedReceipt, verify_receipt
from signing.trust import TrustPack
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import company_request
from tests.support.questions import (
    CHILD,
    FATHER,
    MOTHER,
    STRANGER,
    birth_request,
    grant_questions,
    put,
    without,
)
from tests.support.sharing import granted

NOBODY = "990101200001010000"
YES, NO, NOT_RECORDED = Answer.YES, Answer.NO, Answer.NOT_RECORDED
COMPANY = "91990200MA7EXAM18U"


def word(lib: Library, relation: str, about: str, code: str) -> Answer:
    return put(lib, "holder_is", {"relation": relation, "code": code}, holder_code=about).answer


def day(lib: Library, text: date | str, **about: str) -> Answer:
    return put(lib, "is_valid_on", {"date": str(text)}, type_code="business-licence", **about).answer


def verified(lib: Library, receipt: str) -> VerifiedReceipt:
    return verify_receipt(receipt, pack_of(lib), now=lib.now())


def pack_of(lib: Library) -> TrustPack:
    return live_pack(lib, now=lib.now())


def test_nobody_is_asked_to_prove_that_the_mother_is_the_mother(library: Library) -> None:
    licence = issue(library, birth_request()).licence
    grant_questions(library)
    done = put(library, "holder_is", {"relation": "mother_of", "code": CHILD}, holder_code=MOTHER)
    assert done.answer is YES
    signed = verified(library, done.receipt).receipt
    assert (signed.act, signed.subject, signed.receipt_id) == ("question", "", done.receipt_id)
    assert signed.result == {
        "type": "birth-certificate",
        "question": "holder_is",
        "parameters": {"relation": "mother_of", "code": CHILD},
        "about": {"holder_code": MOTHER},
        "answer": "yes",
        "as_of": library.now().isoformat().replace("+00:00", "Z"),
    }
    child, mother = looks.looks_of_holder(library.store, CHILD), looks.looks_of_holder(library.store, MOTHER)
    assert [(each.fields, each.outcome, each.identifier) for each in child] == [
        (("question:holder_is",), "yes", licence.identifier)
    ]
    assert [(each.outcome, each.identifier) for each in mother] == [("yes", "")]
    chain = [str(each) for each in audits.read_chain(library.store)]
    assert not any(value in line for line in chain for value in (MOTHER, CHILD, FATHER, "陆样舟"))
    check_invariants(library.store)


def test_kin_both_ways_by_code_and_by_number(library: Library) -> None:
    issue(library, birth_request())
    grant_questions(library)
    assert word(library, "parent_of", FATHER, CHILD) is YES
    assert word(library, "parent_of", STRANGER, CHILD) is NO
    assert word(library, "child_of", CHILD, MOTHER) is YES
    assert word(library, "child_of", MOTHER, CHILD) is NOT_RECORDED
    by_number = {"relation": "child_of", "code": MOTHER}
    assert put(library, "holder_is", by_number, number="z991000117").answer is YES
    assert put(library, "holder_is", by_number, number="Z991000117", holder_code=CHILD).answer is YES
    assert put(library, "holder_is", by_number, number="Z991000117", holder_code=STRANGER).answer is NOT_RECORDED
    check_invariants(library.store)


def test_a_newborn_without_a_code_is_found_by_its_certificate(sqlite_library: Library) -> None:
    licence = issue(sqlite_library, birth_request(holders=(Holder(name="顾样舒", code="", code_type=""),))).licence
    grant_questions(sqlite_library)
    given = {"relation": "child_of", "code": MOTHER}
    assert put(sqlite_library, "holder_is", given, number=licence.number).answer is YES
    assert put(sqlite_library, "holder_is", given, identifier=licence.identifier).answer is YES
    assert word(sqlite_library, "parent_of", MOTHER, CHILD) is NOT_RECORDED


def test_what_is_not_recorded_always_looks_the_same(library: Library) -> None:
    issue(library, without(birth_request(), "father_name", "father_code"))
    issue(library, birth_request("Z991000118"))
    grant_questions(library)
    given = {"relation": "child_of", "code": STRANGER}
    answers = [
        put(library, "holder_is", given, holder_code=NOBODY),  # no such holder
        put(library, "holder_is", given, number="Z000000000"),  # no such number
        put(library, "holder_is", given, number="Z991000117"),  # the father is not recorded
        put(library, "holder_is", given, identifier="1.2.3"),
    ]
    assert {each.answer for each in answers} == {NOT_RECORDED}
    results = [verified(library, each.receipt).receipt for each in answers]
    assert {(each.act, each.subject) for each in results} == {("question", "")}
    members = {"type", "question", "parameters", "about", "answer", "as_of"}
    assert [each.result.keys() for each in results] == [members] * 4
    entries = [each for each in audits.read_chain(library.store) if each.act == "look.question"]
    assert {frozenset(each.detail) for each in entries} == {frozenset(entries[0].detail)}
    assert len(entries) == 8  # the one asked about and the one compared with, each time


def test_valid_on_a_day_before_it_was_revoked(library: Library, clock: Clock) -> None:
    licence = issue(library, company_request()).licence
    grant_questions(library, "business-licence")
    first = library.now().date()
    clock.move(days=10)
    revoke(library, licence, library.now())
    clock.move(days=10)
    today = library.now().date()
    by_code = {"holder_code": COMPANY}
    assert day(library, "2026-11-17", **by_code) is NO  # before its first day
    assert day(library, first + timedelta(days=5), **by_code) is YES
    assert day(library, first + timedelta(days=12), **by_code) is NO
    assert day(library, today, **by_code) is NO
    assert day(library, first + timedelta(days=5), number=COMPANY) is YES
    assert day(library, first + timedelta(days=5), identifier=licence.identifier) is YES
    assert day(library, first + timedelta(days=5), holder_code="91990200MA10000078") is NOT_RECORDED
    assert day(library, first + timedelta(days=5), holder_code=COMPANY.lower(), number=COMPANY) is YES
    assert day(library, first + timedelta(days=5), holder_code=COMPANY, number="91990200MA10000078") is NOT_RECORDED
    check_invariants(library.store)


def revoke(lib: Library, licence: Licence, effective_at: datetime) -> None:
    request = StatusRequest(
        to=Status.REVOKED, reason="r", document_number="D-1", operator="tests", effective_at=effective_at
    )
    change_status(lib, licence.identifier, request)


def test_an_earlier_version_answers_for_its_days(library: Library, clock: Clock) -> None:
    first = issue(library, company_request(expires_on=date(2026, 12, 31))).licence
    grant_questions(library, "business-licence")
    begin = library.now().date()
    clock.move(days=20)
    order = ChangeOrder(operation=Operation.RENEW, reason="r", operator="tests", renewed={"expires_on": "2031-12-31"})
    order_change(library, first.agency_code, first.identifier, order)
    clock.move(days=20)
    then = begin + timedelta(days=10)
    assert day(library, then, holder_code=COMPANY) is YES
    assert day(library, then, number=COMPANY) is YES
    assert day(library, then, identifier=first.identifier) is YES
    assert day(library, library.now().date(), holder_code=COMPANY) is YES
    assert day(library, library.now().date(), identifier=first.identifier) is NO
    assert (
        put(
            library, "scope_includes", {"text": "茶具销售"}, type_code="business-licence", identifier=first.identifier
        ).answer
        is NOT_RECORDED
    )  # superseded: it says nothing any more


def test_of_several_licences_of_a_holder_one_is_enough_to_be_valid(sqlite_library: Library, clock: Clock) -> None:
    lib = sqlite_library
    one = issue(lib, company_request()).licence
    other = replace(company_request(), number="91990200MA10000078")
    fields = {**other.fields, "business_scope": "渔业捕捞"}
    issue(lib, replace(other, fields=fields, holders=company_request().holders))
    grant_questions(lib, "business-licence")
    scope = {"text": "渔业捕捞"}
    assert put(lib, "scope_includes", scope, type_code="business-licence", holder_code=COMPANY).answer is NOT_RECORDED
    clock.move(days=1)
    revoke(lib, one, lib.now())
    assert day(lib, lib.now().date(), holder_code=COMPANY) is YES
    assert put(lib, "scope_includes", scope, type_code="business-licence", holder_code=COMPANY).answer is YES


def test_a_question_must_be_granted_by_its_name(sqlite_library: Library) -> None:
    lib = sqlite_library
    issue(lib, birth_request())
    given = {"relation": "mother_of", "code": CHILD}

    def refused(**changes: object) -> str:
        if changes:
            granted(lib, type_code="birth-certificate", **changes)
        with pytest.raises(ForbiddenError) as caught:
            put(lib, "holder_is", given, holder_code=MOTHER)
        return caught.value.code

    assert refused() == "no_grant"
    assert refused(fields=("question:holder_is",), interfaces=frozenset({Interface.CHECK})) == "interface_not_granted"
    assert refused(fields=(*BASE_FIELDS, "mother_code", "question:is_valid_on")) == "field_not_granted"
    grant_questions(lib)
    assert put(lib, "holder_is", given, holder_code=MOTHER).answer is YES
    with pytest.raises(ForbiddenError) as caught:
        put(lib, "holder_is", given, type_code="no-such-type", holder_code=MOTHER)
    assert caught.value.code == "no_grant"  # as of a type that is not granted


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({}, "holder_code"),
        ({"number": "Z991000117"}, "holder_code"),  # mother_of asks about the mother
        ({"holder_code": "x" * 129}, "holder_code"),
        ({"holder_code": MOTHER, "number": "\0"}, "number"),
        ({"holder_code": MOTHER, "identifier": "\ud800"}, "identifier"),
    ],
)
def test_whom_it_is_about_must_be_said(sqlite_library: Library, about: dict[str, str], field: str) -> None:
    grant_questions(sqlite_library)
    with pytest.raises(InvalidRequestError) as caught:
        put(sqlite_library, "holder_is", {"relation": "mother_of", "code": CHILD}, **about)
    assert [fault.field for fault in caught.value.faults] == [field]


def test_guessing_is_stopped_from_each_side(library: Library) -> None:
    issue(library, birth_request())
    grant_questions(library)
    most = library.settings.looks_per_holder_per_hour

    def guesses(about: str, code: str, relation: str = "mother_of") -> str:
        try:
            word(library, relation, about, code)
        except LimitReachedError as error:
            return error.code
        return ""

    mothers = [f"99010119820209{place:04d}" for place in range(most + 1)]
    assert [guesses(each, CHILD) for each in mothers].count("") == most  # many mothers, one child
    assert guesses("990101198202090001", CHILD) == "holder_limit_reached"
    assert guesses(CHILD, MOTHER, "child_of") == "holder_limit_reached"
    wide = "".join(chr(ord(each) + 0xFEE0) for each in CHILD)
    assert guesses("990101198202090001", f" {wide}") == "holder_limit_reached"  # spelt otherwise, the same person
    assert guesses(MOTHER, NOBODY) == ""
    check_invariants(library.store)


def test_guessing_by_number_is_stopped_whether_it_exists_or_not(sqlite_library: Library) -> None:
    lib = sqlite_library
    issue(lib, birth_request())
    grant_questions(lib, daily_cap=10_000)
    for number in ("Z991000117", "Z000000000"):
        codes = []
        for place in range(lib.settings.looks_per_holder_per_hour + 1):
            given = {"relation": "child_of", "code": f"guess{place}"}
            try:
                put(lib, "holder_is", given, number=number)
                codes.append("")
            except CertlibError as error:
                codes.append(error.code)
        assert codes[-1] == "holder_limit_reached"
        assert set(codes[:-1]) == {""}


def test_without_room_in_the_cap_there_is_no_answer(sqlite_library: Library) -> None:
    issue(sqlite_library, birth_request())
    grant_questions(sqlite_library, daily_cap=1)
    assert word(sqlite_library, "mother_of", MOTHER, CHILD) is YES
    with pytest.raises(LimitReachedError) as caught:
        word(sqlite_library, "mother_of", MOTHER, CHILD)
    assert caught.value.code == "daily_cap_reached"


def test_no_answer_holds_a_recorded_value_that_was_not_given(sqlite_library: Library) -> None:
    lib = sqlite_library
    request = company_request()
    licence = issue(lib, request).licence
    grant_questions(lib, "business-licence", daily_cap=10**9)
    object.__setattr__(lib, "settings", lib.settings.model_copy(update={"looks_per_holder_per_hour": 0}))
    recorded = {value for value in request.fields.values() if len(value) > 3}
    recorded |= {request.holders[0].name, licence.identifier, licence.public_code, "林样知", "1680000"}
    names = {each.name: each for each in questions_of(lib, "business-licence")}
    text = st.sampled_from(["茶具销售", "会议及展览服务", "林样知", "沈样宁", "渔业捕捞"])
    given_of = {
        "is_valid_on": st.fixed_dictionaries({"date": st.dates(date(2020, 1, 1), date(2026, 11, 20)).map(str)}),
        "scope_includes": st.fixed_dictionaries({"text": text}),
        "capital_at_least": st.fixed_dictionaries({"amount": st.sampled_from(names["capital_at_least"].allowed)}),
        "legal_representative_is": st.fixed_dictionaries({"text": text}),
    }
    assert given_of.keys() == names.keys()
    pack = pack_of(lib)

    @settings(max_examples=40, deadline=None)
    @given(st.sampled_from(sorted(given_of)).flatmap(lambda name: st.tuples(st.just(name), given_of[name])))
    def never(asked: tuple[str, dict[str, object]]) -> None:
        name, given = asked
        done = put(lib, name, given, type_code="business-licence", holder_code=COMPANY)
        payload = verify_receipt(done.receipt, pack, now=lib.now()).receipt
        shown = str(payload) + str(replace(done, receipt=""))
        kept = {value for value in recorded if value not in str(given)}
        assert not any(value in shown for value in kept)
        assert done.answer in Answer

    never()
    check_invariants(lib.store)


def test_a_future_day_is_refused(sqlite_library: Library) -> None:
    grant_questions(sqlite_library, "business-licence")
    with pytest.raises(InvalidRequestError) as caught:
        day(sqlite_library, (datetime.now(UTC) + timedelta(days=3)).date(), holder_code=COMPANY)
    assert [(each.field, each.code) for each in caught.value.faults] == [("parameters.date", "future_date")]
