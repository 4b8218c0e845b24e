"""Grants as they are written down, changed and ended; what a change carries over; who sees what."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from certlib import permitting
from certlib.errors import CertlibError, InvalidRequestError
from certlib.grants import BASE_FIELDS, Basis, Interface
from certlib.library import Library
from certlib.permitting import GrantOrder, add_grant, change_grant, end_grant, grants_in_force, list_grants
from certlib.sharing.admission import admit, settle
from certlib.store import audits, granting
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.sharing import MATTER, asker, asking

ORDER = GrantOrder(
    agency_code=CITY.code,
    type_code="business-licence",
    fields=("address", "number"),
    interfaces=("check",),
    matters=(MATTER,),
    basis="statutory",
    clause="Harbour Act, 12 (3)",
    daily_cap=10,
)


def ask(lib: Library, *, fields: tuple[str, ...] = ("number",)) -> str:
    """The grant that one check draws on, or the code of its refusal."""
    try:
        admission = admit(
            lib, asker(), asking(), interface=Interface.CHECK, type_code="business-licence", fields=fields
        )
        return settle(lib, admission, [admission.look(outcome="nothing_found", holder_code="x")]).id
    except CertlibError as error:
        return error.code


def test_a_grant_is_written_down_in_its_one_form(library: Library, clock: Clock) -> None:
    order = replace(ORDER, networks=("10.0.0.0/8", "2001:DB8::/32", "10.0.0.0/8"), interfaces=("file", "check"))
    grant = add_grant(library, order, operator="zhang")
    assert grant == granting.grant(library.store, grant.id)
    assert grant.fields == ("number", "address")  # in the order of the form
    assert grant.networks == ("10.0.0.0/8", "2001:db8::/32")
    assert (grant.valid_from, grant.valid_until, grant.granted_by) == (clock(), None, "zhang")
    all_fields = replace(ORDER, fields=tuple(permitting._fields_of(library, "business-licence")))  # noqa: SLF001
    assert set(add_grant(library, all_fields, operator="zhang").fields) >= {*BASE_FIELDS, "business_scope"}
    check_invariants(library.store)


def test_a_change_gives_nobody_a_second_cap(library: Library, clock: Clock) -> None:
    first = add_grant(library, ORDER, operator="zhang")
    assert [ask(library) for _ in range(6)] == [first.id] * 6
    clock.move(minutes=1)
    second = change_grant(library, first.id, operator="li", fields=("number",))
    assert permitting.grant_json(library, second)["used_today"] == 6
    assert [ask(library) for _ in range(5)] == [second.id] * 4 + ["daily_cap_reached"]
    assert ask(library, fields=("address",)) == "field_not_granted"
    third = change_grant(library, second.id, operator="li", daily_cap=11)
    assert [ask(library), ask(library)] == [third.id, "daily_cap_reached"]
    clock.move(days=1)
    assert ask(library) == third.id
    (old, *_) = list_grants(library, ended=True)
    assert (old.id, old.ended_by, old.end_reason) == (first.id, "li", f"replaced by {second.id}")
    records = [record for record in audits.read_chain(library.store) if record.act.startswith("grant.")]
    assert [record.act for record in records] == ["grant.added", *["grant.ended", "grant.added"] * 2]
    assert records[2].detail["replaces"] == first.id
    check_invariants(library.store)


def test_changing_while_sixteen_ask_never_gives_more_than_the_cap(library: Library) -> None:
    grant = add_grant(library, replace(ORDER, daily_cap=20), operator="zhang")

    def one(number: int) -> str:
        if number == 20:
            return change_grant(library, grant.id, operator="li", clause="Harbour Act, 13").id
        return ask(library)

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(one, range(60)))
    (now_in_force,) = list_grants(library)
    used = permitting.grant_json(library, now_in_force)["used_today"]
    assert used <= 20
    answered = sum(each in (grant.id, now_in_force.id) for each in told) - 1
    assert answered <= 20
    assert set(told) <= {grant.id, now_in_force.id, "daily_cap_reached", "grant_not_in_force"}
    check_invariants(library.store)


def test_two_who_change_one_grant_at_once(library: Library) -> None:
    grant = add_grant(library, ORDER, operator="zhang")

    def one(number: int) -> str:
        try:
            return change_grant(library, grant.id, operator=f"clerk {number}", daily_cap=100 + number).id
        except CertlibError as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(one, range(8)))
    assert told.count("grant_ended") == 7
    assert len(list_grants(library)) == 1
    check_invariants(library.store)


def test_what_cannot_be_granted_is_named(library: Library, clock: Clock) -> None:
    def faults(**changes: object) -> list[tuple[str, str]]:
        with pytest.raises(InvalidRequestError) as caught:
            add_grant(library, replace(ORDER, **changes), operator=str(changes.pop("operator", "zhang")))  # type: ignore[arg-type]  # wrong on purpose
        return [(fault.field, fault.code) for fault in caught.value.faults]

    assert faults(fields=("number", "adress", "photo\x00")) == [("fields", "unknown_field")] * 2
    assert faults(fields=()) == [("fields", "required")]
    assert faults(interfaces=()) == [("interfaces", "bad_interface")]
    assert faults(interfaces=("check", "CHECK")) == [("interfaces", "bad_interface")]
    assert faults(matters=()) == [("matters", "required")]
    for matter in ("", "a b", "x" * 65, "a\nb", "\u202e1"):
        assert faults(matters=(matter,)) == [("matters", "bad_form")], matter
    assert faults(basis="") == [("basis", "bad_basis")]
    assert faults(clause="") == [("clause", "required")]
    assert faults(clause="  ") == [("clause", "bad_length")]
    assert faults(clause="x" * 501) == [("clause", "bad_length")]
    for cap in (0, -1, 10**9 + 1):
        assert faults(daily_cap=cap) == [("daily_cap", "bad_number")]
    assert faults(networks=("10.0.0.1/8",)) == [("network", "bad_network")]
    assert faults(valid_until=clock()) == [("until", "bad_date")]
    assert faults(valid_from=datetime(2030, 1, 1, tzinfo=UTC), valid_until=datetime(2029, 1, 1, tzinfo=UTC)) == [
        ("until", "bad_date")
    ]
    strange = (
        (replace(ORDER, agency_code="NOBODY"), "agency_not_found"),
        (replace(ORDER, type_code="-"), "type_not_found"),
    )
    for order, code in strange:
        with pytest.raises(CertlibError) as caught:
            add_grant(library, order, operator="zhang")
        assert caught.value.code == code
    with pytest.raises(InvalidRequestError):
        add_grant(library, ORDER, operator="")
    assert list_grants(library, ended=True) == ()
    assert not [record for record in audits.read_chain(library.store) if record.act.startswith("grant.")]


def test_a_list_needs_no_fields_and_consent_no_clause(library: Library) -> None:
    feed = add_grant(library, replace(ORDER, fields=(), interfaces=("list", "feed")), operator="zhang")
    assert feed.interfaces == {Interface.LIST, Interface.FEED}
    by_consent = replace(ORDER, basis="consent", clause="", interfaces=("data", "file"))
    assert add_grant(library, by_consent, operator="zhang").basis is Basis.CONSENT
    with pytest.raises(InvalidRequestError) as caught:
        add_grant(library, replace(by_consent, interfaces=("data", "check", "list")), operator="zhang")
    assert [(each.field, each.code) for each in caught.value.faults] == [("interfaces", "needs_law")]


def test_ending_and_terms(library: Library, clock: Clock) -> None:
    grant = add_grant(
        library,
        replace(ORDER, valid_from=clock() + timedelta(days=1), valid_until=clock() + timedelta(days=2)),
        operator="zhang",
    )
    assert grants_in_force(library, CITY.code) == ()
    assert list_grants(library, agency_code=CITY.code, type_code="business-licence") == (grant,)
    assert ask(library) == "grant_not_in_force"
    clock.move(days=1)
    assert grants_in_force(library, CITY.code) == (grant,)
    assert grants_in_force(library, MARKET_BUREAU.code) == ()
    assert ask(library) == grant.id
    ended = end_grant(library, grant.id, reason="repealed", operator="li")
    assert (ended.ended_at, ended.ended_by, ended.end_reason) == (clock(), "li", "repealed")
    assert (grants_in_force(library, CITY.code), ask(library)) == ((), "grant_not_in_force")
    with pytest.raises(CertlibError) as caught:
        end_grant(library, grant.id, reason="x", operator="li")
    assert caught.value.code == "grant_ended"
    with pytest.raises(CertlibError) as caught:
        change_grant(library, grant.id, operator="li", daily_cap=1, valid_until=None)
    assert caught.value.code == "grant_ended"
    for grant_id in ("", "0" * 26, "\x00", "../x", "x" * 5000):
        with pytest.raises(CertlibError) as caught:
            end_grant(library, grant_id, reason="x", operator="li")
        assert caught.value.code == "grant_not_found"
    with pytest.raises(InvalidRequestError):
        end_grant(library, grant.id, reason="", operator="")
