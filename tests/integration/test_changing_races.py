"""Several operators at once on one licence: one of them wins, and nobody reads it as valid after that."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

from sqlalchemy import select

from certlib.changing import changes_of, decide_change, order_change, resume
from certlib.errors import CertlibError, ConflictError, IllegalTransitionError
from certlib.issuing import issue, sweep
from certlib.library import Library
from certlib.model import OverallWord, Status
from certlib.operations import Operation
from certlib.store.changes import ChangeState
from certlib.store.engine import reading
from certlib.store.lookups import licence_by_identifier
from certlib.store.tables import LICENCE
from certlib.verifying import verify
from tests.support.changes import lay_down, order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request

AGENCY = MARKET_BUREAU.code


def test_different_operations_at_once(library: Library, clock: Clock) -> None:
    operations = ("revoke", "withdraw", "cancel", "correct", "renew", "transfer", "suspend", "correct")
    licence = issue(library, company_request()).licence
    gate = Barrier(len(operations))

    def go(operation: str) -> ChangeState | str:
        gate.wait()
        try:
            return order_change(library, AGENCY, licence.identifier, order(operation)).state
        except (ConflictError, IllegalTransitionError) as error:
            return error.code

    with ThreadPoolExecutor(len(operations)) as pool:
        ends = list(pool.map(go, operations))
    assert set(ends) <= {
        ChangeState.DONE,
        "illegal_transition",
        "conflict",
        "change_in_progress",
        "not_allowed_by_type",
    }
    with reading(library.store) as conn:
        rows = conn.execute(select(LICENCE).where(LICENCE.c.state == "issued")).mappings().all()
    assert sum(row["status"] in ("active", "suspended") for row in rows) <= 1
    assert licence_by_identifier(library.store, licence.identifier).status not in (Status.ACTIVE, Status.SUSPENDED)
    done = [each for each in changes_of(library, AGENCY, licence.identifier) if each.state is ChangeState.DONE]
    assert sum(each.new not in (each.old, Status.SUSPENDED) for each in done) == 1
    assert list(resume(library)) == []
    clock.move(hours=1)
    assert list(sweep(library)) == []
    check_invariants(library.store)


def test_one_change_approved_by_many(library: Library) -> None:
    lay_down(library, 'maker_checker = ["correct"]')
    licence = issue(library, company_request()).licence
    waiting = order_change(library, AGENCY, licence.identifier, order(Operation.CORRECT))
    gate = Barrier(4)

    def go(operator: str) -> str:
        gate.wait()
        try:
            return decide_change(library, AGENCY, waiting.id, operator=operator).successor
        except CertlibError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        successors = set(pool.map(go, ("li", "wang", "zhao", "sun")))
    (change,) = changes_of(library, AGENCY, licence.identifier)
    assert change.state is ChangeState.DONE
    assert successors == {change.successor}
    check_invariants(library.store)


def test_nobody_reads_it_as_valid_after_the_revocation_answered(library: Library) -> None:
    licence = issue(library, company_request()).licence
    answered, over = Event(), Event()
    late: list[OverallWord] = []

    def ask() -> None:
        while not over.is_set():
            known = answered.is_set()
            word = verify(licence.token, library, now=library.now()).word
            if known and word is not OverallWord.REVOKED:
                late.append(word)

    with ThreadPoolExecutor(4) as pool:
        askers = [pool.submit(ask) for _ in range(3)]
        order_change(library, AGENCY, licence.identifier, order("revoke"))
        answered.set()
        for _ in range(10):
            assert verify(licence.public_code, library, now=library.now()).word is OverallWord.REVOKED
        over.set()
        for each in askers:
            each.result()
    assert late == []
