"""Random sequences of operations: what must hold of every licence holds after each step."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from certlib.changing import changes_of, decide_change, open_changes, order_change, resume
from certlib.errors import CertlibError, ConflictError, ForbiddenError, IllegalTransitionError
from certlib.issuing import issue
from certlib.library import Library, close_library
from certlib.lifecycle_bulk import Bulk, Filter, decide, plan, run
from certlib.model import LEGAL_TRANSITIONS, Status
from certlib.operations import ADVERSE, NEW_VERSIONS, TABLE, Operation, Ruling, standing_of
from certlib.store.engine import reading
from certlib.store.lookups import licence_by_identifier
from certlib.store.tables import LICENCE
from tests.support.changes import CrashAt, CrashError, lay_down, order
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request, opened

AGENCY = MARKET_BUREAU.code
NUMBERS = ("91990200MA7EXAM18U", "91990200MA7EXAM26N")
OPERATIONS = st.sampled_from(sorted(Operation))


class Lives(RuleBasedStateMachine):
    """Two licences; withdrawing takes two persons."""

    def __init__(self, make: "Callable[[], Library]") -> None:
        super().__init__()
        self.make = make
        self.seen: dict[str, Status] = {}
        self.lines = 0

    @initialize()
    def begin(self) -> None:
        self.library = self.make()
        lay_down(self.library, 'maker_checker = ["withdraw"]\npending_days = 1')
        self.clock: Any = self.library.now
        self.identifiers: list[str] = [
            issue(self.library, company_request(number)).licence.identifier for number in NUMBERS
        ]
        self.text = 0

    def renewed(self, operation: Operation) -> dict[str, Any]:
        self.text += 1
        parts = order(operation).renewed
        if operation is Operation.CORRECT:
            parts = {"fields": {"address": f"样本市江湾区望湖街道听潮路{self.text}号"}}
        return dict(parts)

    def do(self, library: Library, which: int, operation: Operation, operator: str) -> None:
        self.clock.move(seconds=1)
        parts = {"renewed": self.renewed(operation)} if operation in NEW_VERSIONS else {}
        licence = licence_by_identifier(library.store, self.identifiers[which])
        found = TABLE[operation][standing_of(licence.status, licence.expires_on, licence.timezone, self.clock())]
        try:
            done = order_change(library, AGENCY, licence.identifier, order(operation, operator=operator, **parts))
        except IllegalTransitionError:
            assert found in (Ruling.REFUSED, Ruling.POLICY)
        except ConflictError as error:
            assert error.code in ("change_in_progress", "conflict")  # noqa: PT017  # one of several ends
        else:
            assert found not in (Ruling.REFUSED, Ruling.POLICY)
            if done.successor:
                self.identifiers[which] = done.successor
            assert (done.state.value == "pending") == (operation is Operation.WITHDRAW)

    @rule(which=st.integers(0, 1), operation=OPERATIONS, operator=st.sampled_from(["zhang", "li"]))
    def order(self, which: int, operation: Operation, operator: str) -> None:
        self.do(self.library, which, operation, operator)

    @rule(which=st.integers(0, 1), operator=st.sampled_from(["zhang", "li"]), approve=st.booleans())
    def decide(self, which: int, operator: str, approve: bool) -> None:  # noqa: FBT001  # drawn
        waiting = open_changes(self.library, AGENCY)
        if which >= len(waiting):
            return
        change = waiting[which]
        try:
            done = decide_change(self.library, AGENCY, change.id, operator=operator, approve=approve)
        except ForbiddenError:
            assert approve
            assert change.maker == operator
        except (ConflictError, IllegalTransitionError):
            pass
        else:
            assert not approve or done.checker != done.maker

    @rule(
        which=st.integers(0, 1),
        operation=st.sampled_from(sorted(NEW_VERSIONS)),
        step=st.sampled_from(["ordered", "reserved", "recorded", "issued"]),
    )
    def crash(self, which: int, operation: Operation, step: str) -> None:
        lib = opened(self.library.settings, now=self.library.now, step=CrashAt(step))
        try:
            self.do(lib, which, operation, "wang")
        except CrashError:
            check_invariants(self.library.store)
            for each in resume(self.library):
                assert not isinstance(each, CertlibError)
                self.identifiers[which] = each.successor
        finally:
            close_library(lib)

    @rule(operation=st.sampled_from([Operation.SUSPEND, Operation.RESTORE]))
    def bulk(self, operation: Operation) -> None:
        self.clock.move(seconds=1)
        wanted = Filter(type_code="business-licence")
        try:
            act = plan(self.library, AGENCY, Bulk(order=order(operation), wanted=wanted))
        except CertlibError as error:
            assert "nothing_selected" in {each.code for each in error.faults}  # type: ignore[attr-defined]  # noqa: PT017  # of its kind
            return
        decide(self.library, AGENCY, act.id, operator="li", total=act.total)
        assert run(self.library, AGENCY, act.id).state.value == "done"

    @precondition(lambda self: self.lines < 3)
    @rule()
    def wait(self) -> None:
        self.lines += 1
        self.clock.at += timedelta(days=1)

    @invariant()
    def what_must_hold(self) -> None:
        store = self.library.store
        check_invariants(store)
        with reading(store) as conn:
            rows = conn.execute(select(LICENCE).where(LICENCE.c.state == "issued")).mappings().all()
        for row in rows:
            now, before = Status(row["status"]), self.seen.get(row["identifier"])
            if before is not None and not LEGAL_TRANSITIONS[before]:
                assert now is before, "a terminal status came back"
            self.seen[row["identifier"]] = now
        living = Counter(row["serial"] for row in rows if row["status"] in ("active", "suspended"))
        assert all(number == 1 for number in living.values()), "two versions of one serial stand"
        for identifier in self.seen:
            for change in changes_of(self.library, AGENCY, identifier):
                assert change.operation not in ADVERSE or change.document_number
                assert change.checker != change.maker

    def teardown(self) -> None:
        if hasattr(self, "library"):
            close_library(self.library)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_any_sequence_of_operations(kind: str, fresh_library: Callable[[str], Library]) -> None:
    run_state_machine_as_test(
        lambda: Lives(lambda: fresh_library(kind)),  # type: ignore[arg-type]  # any factory does, says its documentation
        settings=settings(
            max_examples=4 if kind == "sqlite" else 2,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
