"""What an attacker, an auditor and an operator at night found in sharing; each stays found."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from api.schemas.gbt36906 import USE_FOR
from certlib import facade
from certlib.clients import add_client, disable_client
from certlib.collecting.feeding import changes_since
from certlib.collecting.searching import forward_check
from certlib.errors import CertlibError, NotFoundError
from certlib.grants import Basis, Interface
from certlib.holding.delegating import Act, DelegationKind, Party, Wanted, delegation_json, put_down
from certlib.holding.ledger import ledger
from certlib.issuing import issue
from certlib.library import Library
from certlib.permitting import change_grant, end_grant
from certlib.sharing.checks import check
from certlib.sharing.handles import NamedHolder
from certlib.sharing.holdings import list_licences
from certlib.sharing.use_data import read_data
from certlib.sharing.use_files import fetch, make_links
from certlib.sharing.use_receipts import use_receipt
from certlib.sharing.uses import UseRequest, ask, own_uses
from certlib.store import audits, copies, granting, looks
from certlib.store.engine import is_sqlite, writing
from certlib.store.ticketing import TicketKind
from certlib.tickets.following import ticket_of, tickets_of, whole_json
from certlib.tickets.objections import object_to
from certlib.tickets.rating import rate_own
from certlib.tickets.reporting_errors import ErrorReport, report_missing, report_own
from tests.support.holders import CHILD, MOTHER, STRANGER, birth_of, licence_of, me_of
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.sharing import MATTER, asker, asking, granted
from tests.support.tickets import CLERK, SCOPE
from tests.support.uses import HOLDER, TYPE, consent_code, use_request

OTHER = "91990200MA1000007E"
"""A code that nobody here has."""


def outcome(call: object) -> str:
    """The code of the error, or empty."""
    assert callable(call)
    try:
        call()
    except CertlibError as error:
        return error.code
    return ""


def test_a_national_request_id_tells_nobody_what_exists(library: Library) -> None:
    granted(library, basis=Basis.CONSENT, clause="", interfaces=frozenset({Interface.DATA}))
    issue(library, company_request())
    told = set()
    for number, holder in enumerate((HOLDER, OTHER)):
        said = facade.NationalRequest(
            certificate_type=TYPE,
            certificate_number=HOLDER,
            holder_code=holder,
            use_for=USE_FOR | {"certificateEventCode": MATTER},
            request_id=f"r{number}",
        )
        assert facade.answered(partial(facade.data_by_holder, library, asker(), said)).detail == "use_pending"
        use = next(each for each in own_uses(library, asker()) if each.holder_code == holder)
        # A second asking under the same id that guesses how the first was resolved.
        guess = UseRequest(
            asking=use.asking,
            interfaces=(Interface.DATA,),
            types=(TYPE,),
            holder_code=holder,
            identifier=facade.NOBODY,
            request_id=f"r{number}",
        )
        told.add(outcome(partial(ask, library, asker(), guess)))
        assert facade.answered(partial(facade.data_by_holder, library, asker(), said)).detail == "use_pending"
        assert len(own_uses(library, asker())) == number + 1
    assert len(told) == 1
    check_invariants(library.store)


def test_a_grant_is_changed_while_it_is_drawn_on(library: Library) -> None:
    grant = granted(library)
    day = library.now().astimezone(UTC).date()
    with writing(library.store) as conn:
        assert granting.count(conn, grant, day=day, times=1)
    with ThreadPoolExecutor(1) as pool:
        with writing(library.store) as conn:
            assert granting.count(conn, grant, day=day, times=1)
            changing = pool.submit(change_grant, library, grant.id, operator="o", daily_cap=5)
            with pytest.raises(TimeoutError):
                changing.result(timeout=1)
            entry = audits.Entry(actor="o", act="look.check", subject="s", detail={})
            audits.append(conn, [entry], at=library.now())
        changed = changing.result(timeout=20)
    assert granting.used(library.store, changed.id, day) == 2


def test_a_grant_that_ends_while_it_is_drawn_on_gives_nothing(library: Library) -> None:
    issue(library, company_request())
    grant = granted(library)
    use, _ = ask(library, asker(), use_request())

    def ended(step: str) -> None:
        if step == "read":
            end_grant(library, grant.id, reason="by mistake", operator="o")

    assert outcome(partial(read_data, replace(library, step=ended), asker(), use.id)) == "grant_not_in_force"
    assert outcome(partial(read_data, library, asker(), use.id)) == "grant_not_in_force"
    assert looks.looks_of_reference(library.store, use.id) == ()
    check_invariants(library.store)


@pytest.mark.parametrize(("way", "read"), [("list", "licence_holder"), ("feed", "FROM audit JOIN")])
def test_a_grant_that_ends_while_a_list_is_read_gives_none(library: Library, way: str, read: str) -> None:
    issue(library, company_request())
    grant = granted(library)
    once = [1]

    def ended(_conn: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if read in " ".join(statement.split()) and once:
            once.clear()
            end_grant(library, grant.id, reason="by mistake", operator="o")

    def ask_so() -> object:
        if way == "feed":
            return changes_since(library, asker(), cursor="", matter_code=MATTER)
        return list_licences(library, asker(), asking(), holder=NamedHolder(code=HOLDER, code_type="001"))

    event.listen(library.store.engine, "before_cursor_execute", ended)
    told = outcome(ask_so)
    event.remove(library.store.engine, "before_cursor_execute", ended)
    assert (told, once) == ("grant_not_in_force", [])
    acts = [each.act for each in audits.read_chain(library.store)]
    assert (acts[-1], [each for each in acts if each.startswith("look.")]) == ("share.refused", [])


def test_a_request_that_is_sent_again_at_once_is_no_wrong_code(library: Library) -> None:
    issue(library, company_request())
    granted(library, basis=Basis.CONSENT, clause="")
    request = use_request(holder_code="", consent_code=consent_code(library), request_id="r1")
    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(lambda _: ask(library, asker(), request), range(16)))
    assert len({use.id for use, _new in told}) == 1
    assert [new for _use, new in told].count(True) == 1
    assert "share.refused" not in [each.act for each in audits.read_chain(library.store)]


def test_who_puts_a_guardian_down_is_told_no_name(library: Library) -> None:
    """The name on the holder's licence is in no grant of a log-in service; no ledger would show that it was told."""
    birth_of(library)
    wanted = Wanted(
        kind=DelegationKind.GUARDIAN,
        delegate=Party(code=MOTHER[0], code_type=MOTHER[1]),
        acts=frozenset(Act),
        ends_at=library.now() + timedelta(days=9),
        basis="seen",
    )
    child = Party(code=CHILD[0], code_type=CHILD[1])
    made = put_down(library, wanted, principal=child, operator="o", caller=asker(scopes=frozenset({"holder"})))
    assert "沈样晴" not in str(delegation_json(made, library.now()))
    named = put_down(library, wanted, principal=replace(child, name="沈样晴"), operator="o", caller=asker())
    assert named.principal.name == "沈样晴"


def test_a_person_in_the_place_of_a_type_enters_no_audit(library: Library) -> None:
    """A tired clerk's system fills the wrong member; what it refuses it does not write down."""
    wrong = use_request(types=(MOTHER[0],), fields={})
    assert outcome(partial(ask, library, asker(), wrong)) == "invalid_request"
    assert MOTHER[0] not in str([each.detail for each in audits.read_chain(library.store)])


def test_a_copy_and_a_check_of_one_licence_wait_for_nobody(library: Library) -> None:
    licence = issue(library, company_request()).licence
    grant = granted(library)
    if is_sqlite(library.store):
        pytest.skip("one writer at a time")
    with writing(library.store) as copying:
        copies.locked_status(copying, licence.identifier)
        with writing(library.store) as checking:
            checking.execute(text("SET LOCAL lock_timeout = '2s'"))
            granting.count(checking, grant, day=library.now().date(), times=1)
            row = looks.Look(
                at=library.now(), kind="check", agency_code=CITY.code, client_id="", operator="o", matter_code="m",
                case_number="c", purpose="p", type_code=TYPE, fields=(), basis="statutory", grant_id=grant.id,
                outcome="match", identifier=licence.identifier,
            )  # fmt: skip
            looks.put(library.store, checking, [row])


def test_a_link_of_a_disabled_client_serves_nobody(library: Library) -> None:
    issue(library, company_request())
    granted(library)
    client, _ = add_client(library, CITY.code, name="desk", scopes=("share",), public_key=None, operator="o")
    caller = asker(client_id=client.id)
    use, _ = ask(library, caller, use_request())
    (link,) = make_links(library, caller, use.id)
    disable_client(library, client.id, reason="stolen", operator="o")
    assert outcome(lambda: fetch(library, link.secret, address="127.0.0.1")) == "client_disabled"
    assert [each.outcome for each in looks.looks_of_reference(library.store, use.id)] == ["offered"]


def test_an_objection_names_no_licence_of_another(library: Library) -> None:
    """An agency named the stranger beside the mother's number: the stranger learns that, and nothing of her."""
    licence = licence_of(library)
    granted(library, type_code=licence.type_code, fields=("number", "holder_code"))
    given = {"number": licence.number, "holder_code": STRANGER[0]}
    check(library, asker(), asking(), type_code=licence.type_code, given=given)
    me = me_of(library, STRANGER)
    (row,) = ledger(library, me).looks
    assert row["licence"] == ""
    made = object_to(library, me, look_id=int(str(row["id"])), reason="Not me")
    assert licence.identifier not in str(whole_json(library, made))


def test_equal_characters_of_another_document_are_another_holder(library: Library) -> None:
    licence = licence_of(library)
    granted(library, type_code=licence.type_code, fields=("number",))
    check(library, asker(), asking(), type_code=licence.type_code, given={"number": licence.number})
    (look,) = looks.looks_of_licence(library.store, licence.identifier)
    namesake = me_of(library, (MOTHER[0], "414"))
    assert ledger(library, namesake).looks == ()
    assert outcome(lambda: object_to(library, namesake, look_id=look.id, reason="x")) == "look_not_found"
    assert outcome(lambda: rate_own(library, namesake, look_id=look.id, score=5, text="")) == "look_not_found"
    report = ErrorReport(items=(SCOPE,))
    assert outcome(lambda: report_own(library, namesake, licence.identifier, report)) == "not_found"
    made = report_own(library, me_of(library), licence.identifier, report)
    kinds = (TicketKind.WRONG, TicketKind.MISSING)
    assert (tickets_of(library, me_of(library), kinds=kinds), tickets_of(library, namesake, kinds=kinds)) == (
        (made,),
        (),
    )
    assert outcome(lambda: ticket_of(library, namesake, made.code)) == "ticket_not_found"


def test_the_looks_of_a_use_are_found_by_an_index(sqlite_library: Library) -> None:
    """A receipt of a use reads the looks under its code, not all looks of the library."""
    issue(sqlite_library, company_request())
    granted(sqlite_library)
    use, _ = ask(sqlite_library, asker(), use_request())
    read: list[str] = []

    def planned(conn: Connection, _cursor: object, statement: str, parameters: tuple[Any, ...], *_rest: object) -> None:
        if "FROM look" in statement and not statement.startswith("EXPLAIN"):
            plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            read.extend(row[3] for row in plan if " look" in row[3])

    event.listen(sqlite_library.store.engine, "before_cursor_execute", planned)
    receipt = use_receipt(sqlite_library, asker(), use.id)
    event.remove(sqlite_library.store.engine, "before_cursor_execute", planned)
    assert receipt.result["looks_total"] == 0
    assert len(read) == 2
    assert all("ix_look_reference" in each for each in read), read


def test_a_check_that_is_not_handed_on_stands_in_the_audit(library: Library) -> None:
    licence = issue(library, company_request()).licence
    grant = granted(library, daily_cap=2)
    day = library.now().astimezone(UTC).date()
    given = {"number": HOLDER}
    for identifier in (licence.identifier, licence.identifier[:-1] + "0"):
        with pytest.raises(NotFoundError):
            forward_check(library, asker(), asking(), identifier=identifier, given=given)
    assert granting.used(library.store, grant.id, day) == 2
    more = outcome(lambda: forward_check(library, asker(), asking(), identifier=licence.identifier, given=given))
    assert more == "daily_cap_reached"


def test_who_reports_a_missing_licence_does_not_learn_who_else_did(library: Library) -> None:
    said = {"type_code": "practitioner-licence", "agency_code": MARKET_BUREAU.code, "holder_code": MOTHER[0]}
    report = ErrorReport(remark="She showed the paper one")
    report_missing(library, CLERK, **said, report=report)
    own = type(CLERK)(agency_code=MARKET_BUREAU.code, operator="Wang")
    assert outcome(lambda: report_missing(library, CLERK, **said, report=report)) == "ticket_open"
    assert outcome(lambda: report_missing(library, own, **said, report=report)) == ""
