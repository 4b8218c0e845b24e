"""Grants are judged before anything is looked up; caps hold whoever races; nothing leaves without its ledger row."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from certlib.errors import CertlibError, ForbiddenError, InvalidRequestError, LimitReachedError
from certlib.grants import Basis, Interface
from certlib.issuing import issue
from certlib.library import Library
from certlib.sharing.admission import admit, guard_holder, settle
from certlib.store import audits, granting, looks
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request
from tests.support.sharing import asker, asking, granted

HOLDER = "91990200MA7EXAM18U"


def code_of(lib: Library, **changes: object) -> str:
    """The code of the refusal of a check by the city, or empty."""
    parts: dict[str, object] = {
        "caller": asker(),
        "asking": asking(),
        "interface": Interface.CHECK,
        "type_code": "business-licence",
        "fields": ("number", "address"),
    }
    parts |= changes
    caller, said = parts.pop("caller"), parts.pop("asking")
    try:
        admit(lib, caller, said, **parts)  # type: ignore[arg-type]  # the parts are right by reading
    except CertlibError as error:
        return error.code
    return ""


def test_each_rule_refuses_by_its_name(library: Library, clock: Clock) -> None:
    assert code_of(library) == "no_grant"
    granted(
        library,
        interfaces=frozenset({Interface.CHECK}),
        fields=("number", "address"),
        networks=("10.0.0.0/8", "2001:db8::/32"),
        valid_until=clock() + timedelta(days=1),
    )
    inside = asker(address="10.1.2.3")
    assert code_of(library, caller=inside) == ""
    assert code_of(library, caller=asker(address="::ffff:10.1.2.3")) == ""
    assert code_of(library, caller=asker(address="2001:db8::7")) == ""
    assert code_of(library, caller=asker(address="192.0.2.1")) == "network_not_granted"
    assert code_of(library, caller=asker(address="")) == "network_not_granted"
    assert code_of(library, caller=inside, interface=Interface.DATA) == "interface_not_granted"
    assert code_of(library, caller=inside, asking=asking(matter_code="other")) == "purpose_not_granted"
    assert code_of(library, caller=inside, fields=("number", "holder_name")) == "field_not_granted"
    assert code_of(library, caller=inside, type_code="no-such-type") == "no_grant"
    assert code_of(library, caller=asker(MARKET_BUREAU.code)) == "no_grant"
    clock.move(days=1)
    assert code_of(library, caller=inside) == "grant_not_in_force"
    refusals = [record for record in audits.read_chain(library.store) if record.act == "share.refused"]
    assert len(refusals) == 9
    assert "Application" not in str(refusals)
    check_invariants(library.store)


@pytest.mark.parametrize("name", ["matter_code", "case_number", "purpose", "operator"])
@pytest.mark.parametrize("value", ["", "  ", "x" * 201, "a\nb"])
def test_an_asking_names_all_that_it_must(sqlite_library: Library, name: str, value: str) -> None:
    granted(sqlite_library)
    with pytest.raises(InvalidRequestError) as caught:
        admit(
            sqlite_library,
            asker(),
            asking(**{name: value}),
            interface=Interface.CHECK,
            type_code="business-licence",
        )
    assert [fault.field for fault in caught.value.faults] == [name]


def test_by_consent_nobody_checks_or_lists(sqlite_library: Library) -> None:
    granted(sqlite_library, basis=Basis.CONSENT, clause="")
    for each in Interface:
        code = "" if each in (Interface.DATA, Interface.FILE) else "interface_not_granted"
        assert code_of(sqlite_library, interface=each) == code


def test_a_grant_that_was_ended_or_replaced_grants_nothing(library: Library, clock: Clock) -> None:
    first = granted(library)
    clock.move(seconds=1)
    second = granted(library, fields=("number",))
    granting.end_grant(library.store, first.id, operator="tests", reason="too wide", now=library.now())
    assert code_of(library) == "field_not_granted"
    assert code_of(library, fields=("number",)) == ""
    with pytest.raises(CertlibError) as caught:
        granting.end_grant(library.store, first.id, operator="tests", reason="again", now=library.now())
    assert caught.value.code == "grant_ended"
    assert [grant.id for grant in granting.grants(library.store)] == [first.id, second.id]
    assert granting.grant(library.store, second.id) == second


def test_sixteen_callers_never_get_more_than_the_cap(library: Library) -> None:
    licence = issue(library, company_request()).licence
    first, second = granted(library, daily_cap=7), granted(library, daily_cap=5)

    def ask(_number: int) -> str:
        admission = admit(
            library, asker(), asking(), interface=Interface.CHECK, type_code="business-licence", fields=("number",)
        )
        row = admission.look(outcome="match", identifier=licence.identifier, holder_code=HOLDER)
        try:
            return settle(library, admission, [row]).id
        except LimitReachedError as error:
            return error.code

    with ThreadPoolExecutor(16) as pool:
        drawn = list(pool.map(ask, range(48)))
    assert sorted(drawn) == sorted([first.id] * 7 + [second.id] * 5 + ["daily_cap_reached"] * 36)
    day = library.now().date()
    assert (granting.used(library.store, first.id, day), granting.used(library.store, second.id, day)) == (7, 5)
    ledger = looks.looks_of_holder(library.store, HOLDER)
    assert len(ledger) == 12
    assert {(each.outcome, each.purpose, each.identifier) for each in ledger} == {
        ("match", "Application for a food permit", licence.identifier)
    }
    assert [each.grant_id for each in ledger].count(second.id) == 5
    assert ledger == looks.looks_of_licence(library.store, licence.identifier)
    check_invariants(library.store)


def test_a_grant_that_ends_before_the_count_counts_nothing(library: Library) -> None:
    grant = granted(library)
    admission = admit(library, asker(), asking(), interface=Interface.CHECK, type_code="business-licence")
    granting.end_grant(library.store, grant.id, operator="tests", reason="repealed", now=library.now())
    with pytest.raises(ForbiddenError) as caught:
        settle(library, admission, [admission.look(outcome="match", holder_code=HOLDER)])
    assert caught.value.code == "grant_not_in_force"
    assert looks.looks_of_holder(library.store, HOLDER) == ()
    assert [each.act for each in audits.read_chain(library.store)][-1] == "share.refused"


def test_the_ledger_pages_and_holds_what_was_not_found(library: Library) -> None:
    granted(library)
    for number in range(5):
        admission = admit(
            library, asker(), asking(case_number=f"c{number}"), interface=Interface.CHECK, type_code="business-licence"
        )
        settle(library, admission, [admission.look(outcome="nothing_found", holder_code=HOLDER, reference="r")])
    first = looks.looks_of_holder(library.store, HOLDER, limit=2)
    rest = looks.looks_of_holder(library.store, HOLDER, before=first[-1].id)
    assert [each.case_number for each in (*first, *rest)] == ["c4", "c3", "c2", "c1", "c0"]
    assert len(looks.looks_of_reference(library.store, "r")) == 5
    assert looks.looks_of_holder(library.store, "91990200MA10000078") == ()


def test_who_asks_about_one_holder_again_and_again_is_stopped(library: Library, clock: Clock) -> None:
    granted(library)
    for _number in range(60):
        guard_holder(library, asker(), asking(), HOLDER, type_code="business-licence")
        admission = admit(library, asker(), asking(), interface=Interface.CHECK, type_code="business-licence")
        settle(library, admission, [admission.look(outcome="nothing_found", holder_code=HOLDER)])
    with pytest.raises(LimitReachedError) as caught:
        guard_holder(library, asker(), asking(), HOLDER, type_code="business-licence")
    assert caught.value.code == "holder_limit_reached"
    guard_holder(library, asker(MARKET_BUREAU.code), asking(), HOLDER, type_code="business-licence")
    clock.move(hours=1, seconds=1)
    guard_holder(library, asker(), asking(), HOLDER, type_code="business-licence")


def test_without_room_in_the_ledger_nothing_is_counted(library: Library) -> None:
    grant = granted(library)
    admission = admit(library, asker(), asking(), interface=Interface.CHECK, type_code="business-licence")

    def fails(*_parts: object) -> None:
        raise ForbiddenError("no")

    with pytest.raises(ForbiddenError):
        settle(library, admission, [admission.look(outcome="match", holder_code=HOLDER)], also=fails)
    assert granting.used(library.store, grant.id, library.now().date()) == 0
    assert looks.looks_of_holder(library.store, HOLDER) == ()
    check_invariants(library.store)
