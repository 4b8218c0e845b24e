"""Random sequences of askings, answers, readings and fetches: what must hold of every use holds after each step."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from certlib.changing import order_change
from certlib.errors import CertlibError
from certlib.grants import Basis
from certlib.issuing import issue
from certlib.library import Library, close_library
from certlib.model import OverallWord
from certlib.sharing.use_data import read_data
from certlib.sharing.use_files import fetch, make_links
from certlib.sharing.use_receipts import check_receipt, use_receipt
from certlib.sharing.uses import Use, UseState, ask, decide
from certlib.store import granting, looks, lookups
from certlib.store import uses as rows
from certlib.store.engine import reading
from certlib.store.tables_holding import ONE_TIME_CODE
from certlib.store.tables_sharing import LOOK
from certlib.store.tables_uses import MADE_COPY, SHARING_USE, USE_LINK
from tests.support.changes import CrashAt, CrashError, order
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request, opened
from tests.support.sharing import asker, granted
from tests.support.uses import HOLDER, STRANGER, TYPE, consent_code, use_request

CAP = 12
SETS = (("number",), ("number", "address"), ("holder_name", "legal_representative"))
FIELD_SETS = st.sampled_from(SETS)
PLACES = st.integers(0, 5)
TERMINAL = {OverallWord.REVOKED, OverallWord.CANCELLED, OverallWord.WITHDRAWN}


MAY_NOT_ASK = (
    *("grant_not_in_force", "too_many_waiting", "code_used", "code_expired"),
    *("holder_limit_reached", "too_many_wrong_codes"),
)


def one_of(error: CertlibError, *codes: str) -> None:
    assert error.code in codes


@dataclass
class Seen:
    """What the asker knows of one use."""

    use: Use
    fields: tuple[str, ...]
    data: int = 0
    """Looks of kind data that were answered."""
    offered: int = 0
    copies: int = 0


class Askings(RuleBasedStateMachine):
    """A holder with two licences, a stranger without; grants by law and by consent that come and go."""

    def __init__(self, make: Callable[[], Library]) -> None:
        super().__init__()
        self.make = make
        self.seen: list[Seen] = []
        self.links: list[tuple[Seen, str]] = []
        self.fetched: set[str] = set()
        self.codes: list[str] = []
        self.spent: Counter[str] = Counter()

    @initialize(by_law=st.booleans())
    def begin(self, by_law: bool) -> None:  # noqa: FBT001  # drawn
        self.library = self.make()
        self.clock: Any = self.library.now
        self.by_law = by_law
        self.identifiers = [
            issue(self.library, company_request(number, holders=company_request().holders)).licence.identifier
            for number in (HOLDER, "91990200MA7EXAM26N")
        ]
        self.grant = self.granted()

    def granted(self) -> Any:  # noqa: ANN401  # a grant
        parts: dict[str, object] = {} if self.by_law else {"basis": Basis.CONSENT, "clause": ""}
        names = tuple({name for each in SETS for name in each})
        return granted(self.library, daily_cap=CAP, fields=names, **parts)

    def asked(self, fields: tuple[str, ...], **changes: object) -> None:
        try:
            use, _ = ask(self.library, asker(), use_request(fields={TYPE: fields}, **changes))
        except CertlibError as error:
            one_of(error, *MAY_NOT_ASK)
        else:
            self.seen.append(Seen(use, fields))
            code = str(changes.get("consent_code", ""))
            if code:
                self.spent[code] += 1
            assert (use.state is UseState.PENDING) == (not self.by_law and not code)

    @rule(fields=FIELD_SETS, holder=st.sampled_from([HOLDER, STRANGER]))
    def ask_for(self, fields: tuple[str, ...], holder: str) -> None:
        self.asked(fields, holder_code=holder)

    @rule(fields=FIELD_SETS, again=st.booleans())
    def ask_with_code(self, fields: tuple[str, ...], again: bool) -> None:  # noqa: FBT001  # drawn
        if not (again and self.codes):
            self.codes.append(consent_code(self.library))
        self.asked(fields, holder_code="", consent_code=self.codes[-1])

    @rule(place=PLACES, approve=st.booleans(), stranger=st.booleans())
    def answer(self, place: int, approve: bool, stranger: bool) -> None:  # noqa: FBT001  # drawn
        if place >= len(self.seen):
            return
        known = self.now(self.seen[place])
        try:
            done = decide(self.library, STRANGER if stranger else HOLDER, known.id, approve=approve, by="holder")
        except CertlibError as error:
            one_of(error, "request_not_found", "already_decided", "request_expired")
        else:
            assert done.basis is Basis.CONSENT
            assert (done.holder_code == STRANGER) == stranger
            assert done.state in (UseState.GRANTED, UseState.DECLINED, UseState.WITHDRAWN, UseState.EXPIRED)

    def now(self, seen: Seen) -> Use:
        return rows.use(self.library.store, seen.use.id, now=self.clock())

    @rule(place=PLACES)
    def read(self, place: int) -> None:
        if place >= len(self.seen):
            return
        seen = self.seen[place]
        state = self.now(seen).state
        try:
            read = read_data(self.library, asker(), seen.use.id)
        except CertlibError as error:
            if state is UseState.GRANTED:
                one_of(error, "grant_not_in_force", "daily_cap_reached")
            return
        assert state is UseState.GRANTED
        seen.data += max(1, len(read.licences))
        for each in read.licences:
            assert set(each.fields) <= set(seen.fields), "a field beyond what was asked and granted"
            current = lookups.licence_by_identifier(self.library.store, each.identifier)
            assert (each.word in TERMINAL) == (current.status.value in TERMINAL)
        assert bool(read.licences) == (self.now(seen).holder_code == HOLDER)
        assert check_receipt(self.library, read.receipt).genuine

    @rule(place=PLACES)
    def link(self, place: int) -> None:
        if place >= len(self.seen):
            return
        seen = self.seen[place]
        state = self.now(seen).state
        try:
            links = make_links(self.library, asker(), seen.use.id)
        except CertlibError as error:
            if state is UseState.GRANTED:
                one_of(error, "grant_not_in_force", "daily_cap_reached")
            return
        assert state is UseState.GRANTED
        seen.offered += max(1, len(links))
        self.links += [(seen, each.secret) for each in links if each.secret]

    @rule(place=PLACES, crash=st.booleans())
    def fetch(self, place: int, crash: bool) -> None:  # noqa: FBT001  # drawn
        if place >= len(self.links):
            return
        seen, secret = self.links[place]
        if crash:
            lib = opened(self.library.settings, now=self.clock, step=CrashAt("copied"))
            try:
                fetch(lib, secret, address="127.0.0.1")
            except (CrashError, CertlibError):
                pass
            finally:
                close_library(lib)
            return
        try:
            copy = fetch(self.library, secret, address="127.0.0.1")
        except CertlibError as error:
            if secret in self.fetched:
                one_of(error, "link_used")
            return
        assert secret not in self.fetched, "a link served twice"
        assert copy.pdf
        self.fetched.add(secret)
        seen.copies += 1

    @rule(place=PLACES)
    def receipt(self, place: int) -> None:
        if place < len(self.seen):
            seen = self.seen[place]
            receipt = use_receipt(self.library, asker(), seen.use.id)
            assert receipt.result["looks_total"] == seen.data + seen.offered + seen.copies
            assert len(receipt.result["copies"]) == seen.copies  # type: ignore[arg-type]  # a list

    @rule(which=st.integers(0, 1))
    def revoke(self, which: int) -> None:
        if lookups.licence_by_identifier(self.library.store, self.identifiers[which]).status.value == "active":
            order_change(self.library, MARKET_BUREAU.code, self.identifiers[which], order("revoke"))

    @rule()
    def end_grant(self) -> None:
        self.clock.move(seconds=1)
        granting.end_grant(self.library.store, self.grant.id, operator="tests", reason="over", now=self.library.now())
        self.grant = self.granted()

    @rule(hours=st.sampled_from([0.1, 1, 25, 73]))
    def wait(self, hours: float) -> None:
        self.clock.move(hours=hours)

    @invariant()
    def what_must_hold(self) -> None:
        if not hasattr(self, "library"):
            return
        store = self.library.store
        check_invariants(store)
        with reading(store) as conn:
            uses = conn.execute(select(SHARING_USE)).mappings().all()
            used = select(ONE_TIME_CODE).where(ONE_TIME_CODE.c.used_at.is_not(None))
            used_codes = conn.execute(used).mappings().all()
            claimed = conn.execute(select(USE_LINK).where(USE_LINK.c.claimed_at.is_not(None))).mappings().all()
            copies = conn.execute(select(MADE_COPY)).mappings().all()
            ledger = Counter((row.reference, row.kind, row.outcome) for row in conn.execute(select(LOOK)))
        assert len(uses) == len(self.seen)
        assert len(used_codes) == sum(self.spent.values()) == len(self.spent), "a code was used twice"
        assert {row["reference"] for row in used_codes} <= {seen.use.id for seen in self.seen}
        assert len(claimed) == len(copies) == len(self.fetched)
        for seen in self.seen:
            code = seen.use.id
            data = ledger[code, "data", "given"] + ledger[code, "data", "nothing_found"]
            offered = ledger[code, "file", "offered"] + ledger[code, "file", "nothing_found"]
            assert (data, offered, ledger[code, "file", "given"]) == (seen.data, seen.offered, seen.copies)
            for look in looks.looks_of_reference(store, code):
                assert set(look.fields) == set(seen.fields)
                assert look.basis == seen.use.basis.value
        with reading(store) as conn:
            counted = conn.execute(select(LOOK).where((LOOK.c.kind != "file") | (LOOK.c.outcome != "given")))
            days = Counter((row.grant_id, row.at.date()) for row in counted)
        for (grant_id, day), times in days.items():
            assert granting.used(store, grant_id, day) == times <= CAP, "the count is not the ledger"

    def teardown(self) -> None:
        if hasattr(self, "library"):
            close_library(self.library)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_any_sequence_of_askings(kind: str, fresh_library: Callable[[str], Library]) -> None:
    run_state_machine_as_test(
        lambda: Askings(lambda: fresh_library(kind)),  # type: ignore[arg-type]  # any factory does, says its documentation
        settings=settings(
            max_examples=6 if kind == "sqlite" else 3,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
