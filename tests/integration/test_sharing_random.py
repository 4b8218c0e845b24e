"""Random sequences of issuing, changing and checking: after each step the ledger is whole and no value has leaked."""

import base64
import json
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from certlib.changing import order_change
from certlib.errors import CertlibError, ConflictError, IllegalTransitionError
from certlib.grants import Basis
from certlib.issuing import issue
from certlib.library import Library, close_library
from certlib.model import Status
from certlib.operations import Operation
from certlib.sharing.bulk_checks import bulk_check, bulk_json
from certlib.sharing.checks import check, check_json
from certlib.sharing.handles import named_holder
from certlib.sharing.holdings import holdings_json, list_licences
from certlib.store import audits, granting, looks
from certlib.store.lookups import licence_by_identifier
from tests.support.changes import order
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request
from tests.support.sharing import asker, asking, granted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certlib.model import Licence

TYPE = "business-licence"
NUMBERS = ("91990200MA7EXAM18U", "91990200MA7EXAM204")
GIVEN = {
    "holder_name": ("甬江样本茶叶贸易有限公司", "别的公司"),
    "legal_representative": ("林样知", "林样"),
    "registered_capital": ("1680000", "1680001"),
    "issued_on": ("2026-11-20", "2026-11-21"),
    "expires_on": ("长期", "2030-01-01"),
    "area_code": ("330200",),
}
OPERATIONS = (Operation.SUSPEND, Operation.RESTORE, Operation.REVOKE, Operation.CORRECT)
CAPS = (9, 4)
VALUES = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in GIVEN.items()})
KEY = st.sampled_from(["number", "holder_code", "identifier"])
WHICH = st.integers(0, len(NUMBERS) - 1)


class Asked(RuleBasedStateMachine):
    """Two companies that may get a licence; an agency that asks about them until its caps are used up."""

    def __init__(self, make: "Callable[[], Library]") -> None:
        super().__init__()
        self.make = make
        self.licences: dict[int, Licence] = {}
        self.expected: Counter[str] = Counter()
        """Outcome of a look -> how many must be in the ledger."""
        self.refused = 0

    @initialize()
    def begin(self) -> None:
        self.library = self.make()
        self.clock: Any = self.library.now
        self.grants = [
            granted(self.library, daily_cap=CAPS[0]),
            granted(self.library, daily_cap=CAPS[1], basis=Basis.CONSENT),
        ]
        self.issue(0)

    @rule(which=WHICH)
    def issue(self, which: int) -> None:
        if which not in self.licences:
            self.licences[which] = issue(self.library, company_request(NUMBERS[which])).licence

    @rule(which=WHICH, operation=st.sampled_from(OPERATIONS))
    def change(self, which: int, operation: Operation) -> None:
        if which not in self.licences:
            return
        self.clock.move(seconds=1)
        try:
            done = order_change(
                self.library, MARKET_BUREAU.code, self.licences[which].identifier, order(operation, operator="z")
            )
        except (IllegalTransitionError, ConflictError, CertlibError):
            return
        self.licences[which] = licence_by_identifier(
            self.library.store, done.successor or self.licences[which].identifier
        )

    def key_of(self, which: int, key: str) -> str:
        if key == "identifier":
            return self.licences[which].identifier if which in self.licences else "2.999.1.A.B.C.001.K"
        return NUMBERS[which]

    @rule(which=WHICH, key=KEY, values=VALUES)
    def check(self, which: int, key: str, values: dict[str, str]) -> None:
        given = {key: self.key_of(which, key), **values}
        try:
            answer = check(self.library, asker(), asking(), type_code=TYPE, given=given)
        except CertlibError as error:
            self.refuse(error)
            return
        self.expected[answer.outcome.value] += 1
        told = check_json(answer)
        payload = answer.receipt.split(".")[1]
        plain = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
        self.nothing_leaked(json.dumps(told, ensure_ascii=False) + plain, list(given.values()))
        self.right(which, answer.outcome.value, answer.word, given)

    def right(self, which: int, outcome: str, word: str, given: "dict[str, str]") -> None:
        """The answer is what the record says now."""
        if which not in self.licences:
            assert (outcome, word) == ("nothing_found", "")
            return
        status = licence_by_identifier(self.library.store, self.licences[which].identifier).status
        true = all(given[name] == values[0] for name, values in GIVEN.items() if name in given and name != "area_code")
        if outcome == "match":
            assert true
            assert "area_code" not in given
            assert word == ("valid" if status is Status.ACTIVE else status.value)
        else:
            assert (outcome, word) == ("differs", "")
            assert not true or "area_code" in given

    @rule(rows=st.lists(st.tuples(WHICH, KEY, VALUES), min_size=1, max_size=4))
    def bulk(self, rows: "Sequence[tuple[int, str, dict[str, str]]]") -> None:
        lines = [{key: self.key_of(which, key), **values} for which, key, values in rows]
        text = "\n".join(json.dumps(line) for line in lines)
        try:
            answer = bulk_check(self.library, asker(), asking(), type_code=TYPE, csv=None, jsonl=text)
        except CertlibError as error:
            self.refuse(error)
            return
        self.nothing_leaked(json.dumps(bulk_json(answer), ensure_ascii=False), [])
        self.expected["answered"] += 1
        for line, (which, key, values) in zip(answer.result.splitlines(), rows, strict=True):
            found = json.loads(line)
            self.expected[found["result"]] += 1
            self.right(which, found["result"], found["word"] or "", {key: self.key_of(which, key), **values})

    @rule(which=WHICH)
    def list(self, which: int) -> None:
        holder = named_holder(self.library, NUMBERS[which], "001")
        try:
            found = list_licences(self.library, asker(), asking(), holder=holder)
        except CertlibError as error:
            self.refuse(error)
            return
        told = holdings_json(found)
        assert len(found.held) == (which in self.licences)
        self.expected["listed" if found.held else "nothing_found"] += 1
        shown = [each.licence.identifier for each in found.held] + [each.number for each in found.held]
        self.nothing_leaked(json.dumps(told, ensure_ascii=False), shown)

    @rule()
    def tomorrow(self) -> None:
        self.clock.move(days=1)

    def refuse(self, error: CertlibError) -> None:
        assert error.code == "daily_cap_reached"
        self.refused += 1

    def nothing_leaked(self, told: str, known: "Sequence[str]") -> None:
        for licence in self.licences.values():
            values = [licence.identifier, licence.number, licence.public_code, licence.holders[0].name, licence.token]
            values += [text for text in licence.fields.values() if len(text) > 1]
            values += ["2026-11-18", "1680000", "听潮路"]
            assert [each for each in values if each in told and not any(each in one for one in known)] == []

    @invariant()
    def whole(self) -> None:
        if not hasattr(self, "library"):
            return
        records = list(audits.read_chain(self.library.store))
        found = Counter(str(each.detail["outcome"]) for each in records if each.act.startswith("look."))
        assert found == +self.expected
        assert sum(each.act == "share.refused" for each in records) == self.refused
        ledger = {each.id: each for number in NUMBERS for each in looks.looks_of_holder(self.library.store, number)}
        held = [each for each in ledger.values() if each.identifier or each.outcome == "nothing_found"]
        assert len(held) <= sum(self.expected.values())
        day = self.clock().date()
        for grant, cap in zip(self.grants, CAPS, strict=True):
            assert granting.used(self.library.store, grant.id, day) <= cap

    def teardown(self) -> None:
        if hasattr(self, "library"):
            check_invariants(self.library.store)
            close_library(self.library)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_whatever_is_asked_the_ledger_is_whole(kind: str, fresh_library: Callable[[str], Library]) -> None:
    run_state_machine_as_test(
        lambda: Asked(lambda: fresh_library(kind)),  # type: ignore[arg-type]  # any factory does, says its documentation
        settings=settings(
            max_examples=8 if kind == "sqlite" else 3,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
