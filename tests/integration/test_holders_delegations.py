"""Acting for another: within the scope, until the day, never in a chain; revoked, it stops at once."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import select

from certlib.errors import CertlibError, ForbiddenError, InvalidRequestError, NotFoundError
from certlib.grants import Basis
from certlib.holding.codes import code_to_show, consent_code
from certlib.holding.delegating import (
    Act,
    DelegationKind,
    Party,
    Wanted,
    delegation_json,
    give,
    given_and_received,
    put_down,
    revoke,
    revoke_by_agency,
)
from certlib.holding.ledger import ledger
from certlib.holding.own import own_licence, own_licences, own_pdf
from certlib.holding.requests import decide, requests
from certlib.holding.sessions import HolderCaller, end_session
from certlib.library import Library
from certlib.sharing.uses import ask
from certlib.store import audits
from certlib.store.engine import reading
from certlib.store.tables_holding import DELEGATION
from tests.support.clock import Clock
from tests.support.holders import (
    CHILD,
    COMPANY,
    MOTHER,
    SECRETS,
    STRANGER,
    agent_of_mother,
    birth_of,
    company_of,
    guardian_of_child,
    licence_of,
    me_of,
    officer_of_company,
)
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY
from tests.support.sharing import asker, granted
from tests.support.uses import use_request

TYPE = "practitioner-licence"


def refusal(act: Any, *parts: object, **named: object) -> str:  # noqa: ANN401  # any use case
    """The code of the refusal, or empty."""
    try:
        act(*parts, **named)
    except CertlibError as error:
        return error.code
    return ""


def test_a_guardian_does_for_a_child_what_the_child_could(library: Library) -> None:
    birth = birth_of(library)
    made = guardian_of_child(library)
    mother = me_of(library, acting_for=made.id)
    assert (mother.holder_code, mother.actor, mother.delegation_id) == (CHILD[0], "delegate", made.id)
    assert [each["identifier"] for each in own_licences(library, mother).licences] == [birth.identifier]
    assert own_pdf(library, mother, birth.identifier)[0].startswith(b"%PDF")
    shown = code_to_show(library, mother, [birth.identifier])
    assert own_licences(library, me_of(library)).licences == (), "the child's are not the mother's own"
    entries = {each.act: each for each in audits.read_chain(library.store)}
    assert entries["code.made"].actor == "delegate"
    assert entries["code.made"].detail["delegation"] == made.id
    assert entries["delegation.made"].actor == "Counter 3"
    assert entries["look.own"].actor == "delegate"
    assert shown.kind == "show"
    check_invariants(library.store)


def test_a_company_acts_through_its_officer_only(library: Library) -> None:
    licence = company_of(library)
    with pytest.raises(InvalidRequestError) as caught:
        me_of(library, COMPANY)
    assert caught.value.faults[0].code == "not_a_person"
    made = officer_of_company(library, acts=frozenset({Act.SEE, Act.CONSENT}), types=("business-licence",))
    officer = me_of(library, acting_for=made.id)
    assert own_licence(library, officer, licence.identifier)["status"] == "valid"
    assert consent_code(library, officer, agency_code=CITY.code, types={"business-licence": ["number"]}).id
    named = delegation_json(made, library.now())
    assert named["principal"] == {
        "name": "甬江样本茶叶贸易有限公司",
        "code": "9****************U",
        "code_type": "001",
    }


def test_an_agent_stays_inside_the_scope(library: Library) -> None:
    first, second = licence_of(library), licence_of(library, number="YB-2026-000319")
    by_type = agent_of_mother(library, types=("birth-certificate",))
    by_licence = agent_of_mother(library, licences=(first.identifier.lower(),))
    only_see = agent_of_mother(library, acts=frozenset({Act.SEE}))
    typed, named = (me_of(library, STRANGER, acting_for=each.id) for each in (by_type, by_licence))
    assert own_licences(library, typed).licences == ()
    assert [each["identifier"] for each in own_licences(library, named).licences] == [first.identifier]
    for outsider, identifier in ((typed, first.identifier), (named, second.identifier)):
        assert refusal(own_licence, library, outsider, identifier) == "not_found"
        assert refusal(own_pdf, library, outsider, identifier) == "not_found"
        assert refusal(code_to_show, library, outsider, [identifier]) == "not_found"
    wanted = {"agency_code": CITY.code, "types": {TYPE: ["number"]}}
    assert refusal(consent_code, library, typed, **wanted) == "delegation_scope"
    assert refusal(consent_code, library, named, **wanted) == "delegation_scope", "one licence is not its whole type"
    own_licence(library, me_of(library), second.identifier)
    own_licence(library, me_of(library), first.identifier)
    assert {each["licence"] for each in ledger(library, named).looks} == {first.identifier}
    assert ledger(library, typed).looks == ()
    seer = me_of(library, STRANGER, acting_for=only_see.id)
    assert {each["licence"] for each in ledger(library, seer).looks if each["by"] == "holder"} == {
        first.identifier,
        second.identifier,
    }


def test_a_delegation_stops_on_its_day(library: Library, clock: Clock) -> None:
    licence_of(library)
    made = agent_of_mother(library, ends_at=library.now() + timedelta(minutes=10))
    clock.move(minutes=9, seconds=59)
    agent = me_of(library, STRANGER, acting_for=made.id)
    assert len(own_licences(library, agent).licences) == 1
    clock.move(seconds=1)
    assert refusal(own_licences, library, agent) == "delegation_over", "begun before, answered after"
    with pytest.raises(ForbiddenError) as caught:
        me_of(library, STRANGER, acting_for=made.id)
    assert caught.value.code == "delegation_over"
    given, _received = given_and_received(library, me_of(library))
    assert [delegation_json(each, library.now())["state"] for each in given] == ["over"]


def test_what_is_revoked_stops_those_who_were_let_in(library: Library) -> None:
    licence = licence_of(library)
    made = agent_of_mother(library)
    agent = me_of(library, STRANGER, acting_for=made.id)
    assert own_licence(library, agent, licence.identifier)
    revoke(library, me_of(library), made.id)
    assert refusal(own_licences, library, agent) == "delegation_over"
    assert refusal(own_licence, library, agent, licence.identifier) == "delegation_over"
    assert refusal(own_pdf, library, agent, licence.identifier) == "delegation_over"
    assert refusal(code_to_show, library, agent, [licence.identifier]) == "delegation_over"
    assert refusal(ledger, library, agent) == "delegation_over"
    assert refusal(revoke, library, me_of(library), made.id) == "delegation_ended"
    looks = [each for each in ledger(library, me_of(library)).looks if each["by"] == "delegate"]
    assert [(each["licence"], each["delegation"]) for each in looks] == [(licence.identifier, made.id)]
    check_invariants(library.store)


def test_looks_and_revocation_race_and_nothing_is_seen_after_the_answer(library: Library) -> None:
    licence = licence_of(library)
    made = agent_of_mother(library)
    agent, mother = me_of(library, STRANGER, acting_for=made.id), me_of(library)

    def go(number: int) -> str:
        if number == 7:
            return refusal(revoke, library, mother, made.id) or "revoked"
        return refusal(own_licence, library, agent, licence.identifier) or "seen"

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(go, range(16)))
    assert outcomes.count("revoked") == 1
    assert set(outcomes) <= {"revoked", "seen", "delegation_over"}
    acts = [each.act for each in audits.read_chain(library.store) if each.act in ("look.own", "delegation.ended")]
    assert acts[-1] == "delegation.ended", "each look stands before the end"
    assert acts.count("look.own") == outcomes.count("seen")
    check_invariants(library.store)


def test_only_its_parties_end_a_delegation(library: Library) -> None:
    birth_of(library)
    first, second, third = agent_of_mother(library), agent_of_mother(library), guardian_of_child(library)
    revoke(library, me_of(library, STRANGER), first.id)
    assert refusal(revoke, library, me_of(library, CHILD), second.id) == "delegation_not_found"
    assert refusal(revoke, library, me_of(library, (MOTHER[0], "999")), second.id) == "delegation_not_found"
    for odd in ("", "x", "0" * 26, "\x00", "\ud800"):
        assert refusal(revoke, library, me_of(library), odd) == "delegation_not_found"
    assert refusal(revoke, library, me_of(library, CHILD), third.id) == "set_by_agency"
    revoke(library, me_of(library), third.id)
    assert refusal(revoke_by_agency, library, second.id, operator="N", caller=asker()) == "delegation_not_found"
    assert refusal(revoke_by_agency, library, second.id, operator="") == "invalid_request"
    assert revoke_by_agency(library, second.id, operator="N").ended_by == "counter"
    given, received = given_and_received(library, me_of(library))
    assert {each.id: each.ended_by for each in given} == {first.id: "delegate", second.id: "counter"}
    assert {each.id: each.ended_by for each in received} == {third.id: "delegate"}


def test_nobody_acts_through_a_third_one(library: Library) -> None:
    made = guardian_of_child(library)
    mother = me_of(library, acting_for=made.id)
    wanted = Wanted(
        kind=DelegationKind.AGENT,
        delegate=Party(code=STRANGER[0], code_type=STRANGER[1]),
        acts=frozenset(Act),
        ends_at=library.now() + timedelta(days=1),
    )
    assert refusal(give, library, mother, wanted) == "not_for_delegates"
    give(library, me_of(library), wanted)
    with pytest.raises(ForbiddenError) as caught:
        me_of(library, STRANGER, acting_for=made.id)
    assert caught.value.code == "delegation_unknown"


FAR = datetime(9999, 12, 31, 23, 59, tzinfo=timezone(-timedelta(hours=14)))


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "ends_at", "in_past"),
        ({"ends_at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))}, "ends_at", "in_past"),
        ({"ends_at": FAR}, "ends_at", "too_late"),
        ({"acts": frozenset()}, "acts", "required"),
        ({"types": ("no-such",)}, "types", "unknown_type"),
        ({"types": ("\x00",)}, "types", "unknown_type"),
        ({"types": tuple(f"t{number}" for number in range(101))}, "types", "too_long"),
        ({"licences": ("1.2.3",)}, "licences", "unknown_licence"),
        ({"licences": ("\ud800",)}, "licences", "unknown_licence"),
        ({"delegate": Party(code=MOTHER[0].lower(), code_type="111")}, "delegate.code", "same_holder"),
        ({"delegate": Party(code=COMPANY[0], code_type="001")}, "delegate.code_type", "not_a_person"),
        ({"delegate": Party(code="", code_type="111")}, "delegate.code", "required"),
        ({"delegate": Party(code="7", code_type="111")}, "delegate.code", "bad_code"),
        ({"delegate": Party(code=STRANGER[0], code_type="111", name="a\x00")}, "delegate.name", "bad_form"),
        ({"basis": "x" * 201}, "basis", "bad_form"),
        ({"kind": DelegationKind.GUARDIAN}, "kind", "not_here"),
        ({"kind": DelegationKind.OFFICER}, "kind", "not_here"),
    ],
)
def test_what_a_holder_asks_wrongly_is_named(
    sqlite_library: Library, changes: dict[str, Any], field: str, code: str
) -> None:
    company = company_of(sqlite_library)
    with pytest.raises(InvalidRequestError) as caught:
        agent_of_mother(sqlite_library, **changes)
    assert [(each.field, each.code) for each in caught.value.faults] == [(field, code)]
    assert not [each for each in SECRETS if each in str(caught.value)]
    with pytest.raises(InvalidRequestError):
        agent_of_mother(sqlite_library, licences=(company.identifier,))


@pytest.mark.parametrize(
    ("principal", "kind"),
    [(COMPANY, "agent"), (COMPANY, "guardian"), (CHILD, "officer"), (("990101199003070024", "111"), "agent")],
)
def test_what_an_agency_puts_down_fits_its_kind(sqlite_library: Library, principal: tuple[str, str], kind: str) -> None:
    wanted = Wanted(
        kind=DelegationKind(kind),
        delegate=Party(code=MOTHER[0], code_type=MOTHER[1]),
        acts=frozenset(Act),
        ends_at=sqlite_library.now() + timedelta(days=1),
        basis="seen",
    )
    party = Party(code=principal[0], code_type=principal[1])
    with pytest.raises(InvalidRequestError) as caught:
        put_down(sqlite_library, wanted, principal=party, operator="N")
    assert caught.value.faults[0].field in ("kind", "principal.code")
    with pytest.raises(InvalidRequestError) as caught:
        put_down(sqlite_library, replace(wanted, basis=" "), principal=party, operator="N")
    assert caught.value.faults[0].field == "basis"


def test_a_holder_has_so_many_delegations(sqlite_library: Library) -> None:
    made = [agent_of_mother(sqlite_library) for _number in range(100)]
    assert refusal(agent_of_mother, sqlite_library) == "too_many_delegations"
    revoke(sqlite_library, me_of(sqlite_library), made[0].id)
    assert refusal(agent_of_mother, sqlite_library) == ""


def test_a_session_that_ended_does_nothing_more(library: Library) -> None:
    licence = licence_of(library)
    mother = me_of(library)
    made = agent_of_mother(library)
    end_session(library, mother)
    end_session(library, mother)
    for act, parts in ((own_licence, (licence.identifier,)), (own_pdf, (licence.identifier,)), (revoke, (made.id,))):
        assert refusal(act, library, mother, *parts) == "session_over"
    ended = [each for each in audits.read_chain(library.store) if each.act == "holder.session_ended"]
    assert len(ended) == 1
    check_invariants(library.store)


def test_delegations_keep_nothing_personal_in_clear(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    birth_of(library)
    party = Party(code=STRANGER[0], code_type=STRANGER[1], name="林样知")
    made = [guardian_of_child(library, basis="沈样晴的出生证明"), agent_of_mother(library, delegate=party)]
    revoke(library, me_of(library), made[1].id)
    with reading(library.store) as conn:
        rows = [str(row) for row in conn.execute(select(DELEGATION)).mappings()]
    kept = "\n".join([*rows, *map(str, audits.read_chain(library.store)), caplog.text, repr(made)])
    assert not [each for each in SECRETS if each in kept]
    given, _ = given_and_received(library, me_of(library))
    assert (given[0].delegate.name, given[0].principal.name) == ("林样知", "")


def caller(lib: Library, delegation_id: str) -> HolderCaller:
    return me_of(lib, STRANGER, acting_for=delegation_id)


def test_a_word_given_when_the_delegation_is_over_does_not_count(library: Library) -> None:
    licence_of(library)
    granted(library, type_code=TYPE, fields=("number",), basis=Basis.CONSENT, clause="")
    wanted = use_request(types=(TYPE,), fields={TYPE: ("number",)}, holder_code=MOTHER[0])
    use, _new = ask(library, asker(), wanted)
    made = agent_of_mother(library, types=(TYPE,))
    agent, mother = caller(library, made.id), me_of(library)
    revoke(library, mother, made.id)
    assert refusal(decide, library, agent, use.id, approve=True) == "delegation_over"
    end_session(library, mother)
    assert refusal(decide, library, mother, use.id, approve=True) == "session_over"
    assert [each["state"] for each in requests(library, me_of(library))] == ["pending"]
    assert decide(library, me_of(library), use.id, approve=True)["decided_by"] == "holder"
    check_invariants(library.store)


def test_an_agent_answers_requests_of_the_scope_only(library: Library) -> None:
    made = agent_of_mother(library, types=("birth-certificate",))
    assert requests(library, caller(library, made.id)) == []
    with pytest.raises(NotFoundError):
        decide(library, caller(library, made.id), "0" * 26, approve=True)
