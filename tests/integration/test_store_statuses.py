"""Status changes: each with its audit record, or not at all."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from certlib.errors import IllegalTransitionError, NotFoundError
from certlib.model import LEGAL_TRANSITIONS, Status
from certlib.store import audits
from certlib.store.audits import records_about
from certlib.store.engine import Store
from certlib.store.lookups import licence_by_identifier
from certlib.store.statuses import change_status, status_changes
from certlib.store.values import StatusChange
from tests.support.invariants import check_invariants
from tests.support.makers import NOW, issue_one, make_request, reserve_one

HOUR = timedelta(hours=1)


def change(store: Store, identifier: str, to: Status, *, reason: str = "超出经营范围，张三举报") -> StatusChange:
    return change_status(
        store,
        identifier,
        to=to,
        reason=reason,
        document_number="市监罚〔2026〕1号",
        operator="clerk-9",
        effective_at=NOW,
        now=NOW + HOUR,
    )


def test_a_change_is_kept_with_reason_document_and_operator(store: Store) -> None:
    licence = issue_one(store)
    made = change(store, licence.identifier, Status.SUSPENDED)
    assert (made.old, made.new, made.effective_at, made.recorded_at) == (
        Status.ACTIVE,
        Status.SUSPENDED,
        NOW,
        NOW + HOUR,
    )
    assert status_changes(store, licence.identifier) == (made,)
    assert licence_by_identifier(store, licence.identifier).status is Status.SUSPENDED
    restored = change(store, licence.identifier, Status.ACTIVE, reason="期满")
    assert status_changes(store, licence.identifier) == (made, restored)
    check_invariants(store)


def test_the_audit_record_names_no_person(store: Store) -> None:
    licence = issue_one(store)
    change(store, licence.identifier, Status.REVOKED)
    record = records_about(store, licence.identifier)[-1]
    assert (record.act, record.actor) == ("licence.status_changed", "clerk-9")
    assert record.detail.keys() == {"from", "to", "document_number", "reason_digest"}
    assert "张三" not in str(record)


@pytest.mark.parametrize("old", Status)
@pytest.mark.parametrize("new", Status)
def test_every_illegal_transition_is_refused_and_leaves_nothing(store: Store, old: Status, new: Status) -> None:
    licence = issue_one(store)
    if old is not Status.ACTIVE:
        change(store, licence.identifier, old)
    before = check_invariants(store)
    if new in LEGAL_TRANSITIONS[old]:
        change(store, licence.identifier, new)
        assert check_invariants(store).seq == before.seq + 1
        return
    with pytest.raises(IllegalTransitionError):
        change(store, licence.identifier, new)
    assert check_invariants(store) == before
    assert licence_by_identifier(store, licence.identifier).status is old


def test_only_issued_licences_have_a_status(store: Store) -> None:
    reserved = reserve_one(store)
    for identifier in (reserved.identifier, "1.2.3"):
        with pytest.raises(NotFoundError):
            change(store, identifier, Status.REVOKED)
    assert status_changes(store, "1.2.3") == ()
    check_invariants(store)


def test_a_failing_audit_undoes_the_change(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    licence = issue_one(store)
    before = check_invariants(store)

    class DiskGoneError(Exception):
        pass

    def fail(*_: object, **__: object) -> None:
        raise DiskGoneError

    with monkeypatch.context() as patch:
        patch.setattr(audits, "append", fail)
        with pytest.raises(DiskGoneError):
            change(store, licence.identifier, Status.REVOKED)
    assert licence_by_identifier(store, licence.identifier).status is Status.ACTIVE
    assert check_invariants(store) == before


def test_of_many_revocations_at_once_one_happens(store: Store) -> None:
    licence = issue_one(store)

    def attempt(_: int) -> bool:
        try:
            change(store, licence.identifier, Status.REVOKED)
        except IllegalTransitionError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1
    assert len(status_changes(store, licence.identifier)) == 1
    check_invariants(store)


def test_writers_of_audit_wait_for_each_other(store: Store) -> None:
    licences = [issue_one(store, make_request(f"N{number}")) for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: change(store, each.identifier, Status.CANCELLED), licences))
    check_invariants(store)
