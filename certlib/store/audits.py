"""The audit chain in the database. Records are appended inside the transaction of what they tell about."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, update

from certlib.audit import EMPTY_CHAIN, AuditChainState, AuditRecord, check_chain, next_record
from certlib.errors import OwnFaultError
from certlib.store.engine import reading, writing
from certlib.store.tables import AUDIT, AUDIT_HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

_ROWS_AT_ONCE: Final = 1000
_HEAD: Final = select(AUDIT_HEAD).with_for_update()


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What one audit record will tell."""

    actor: str
    act: str
    subject: str
    detail: Mapping[str, str | int]
    """Names, numbers and digests; never a personal value."""


def append(conn: Connection, entries: Sequence[Entry], *, at: datetime) -> None:
    """Append `entries` in order. Holds the head's lock until the caller's transaction ends: one writer at a time.

    Take it last, after all other locks, so that two writers never wait for each other.
    """
    if not entries:
        return
    head = conn.execute(_HEAD).mappings().one_or_none()
    if head is None:
        raise OwnFaultError("the head of the audit chain is missing", code="audit_broken")
    state = AuditChainState(seq=head["seq"], hash=head["hash"])
    rows = []
    for entry in entries:
        record = next_record(state, at=at, actor=entry.actor, act=entry.act, subject=entry.subject, detail=entry.detail)
        state = AuditChainState(seq=record.seq, hash=record.hash)
        rows.append(
            {
                "seq": record.seq,
                "at": record.at,
                "actor": record.actor,
                "act": record.act,
                "subject": record.subject,
                "detail": json.dumps(dict(record.detail), sort_keys=True, ensure_ascii=False),
                "previous_hash": record.previous_hash,
                "hash": record.hash,
            }
        )
    conn.execute(insert(AUDIT), rows)
    conn.execute(update(AUDIT_HEAD).values(seq=state.seq, hash=state.hash))


def note(store: Store, entry: Entry, *, at: datetime) -> None:
    """Append one record about an act that changed nothing else in the database."""
    with writing(store) as conn:
        append(conn, [entry], at=at)


def read_chain(store: Store, *, since: int = 0) -> Iterator[AuditRecord]:
    """The records after sequence number `since`, in order; memory stays flat."""
    while True:
        with reading(store) as conn:
            rows = conn.execute(
                select(AUDIT).where(AUDIT.c.seq > since).order_by(AUDIT.c.seq).limit(_ROWS_AT_ONCE)
            ).mappings()
            records = [_record(row) for row in rows]
        yield from records
        if len(records) < _ROWS_AT_ONCE:
            return
        since = records[-1].seq


def records_about(store: Store, subject: str) -> tuple[AuditRecord, ...]:
    """The records about one identifier, code or key id, oldest first."""
    with reading(store) as conn:
        rows = conn.execute(select(AUDIT).where(AUDIT.c.subject == subject).order_by(AUDIT.c.seq)).mappings()
        return tuple(_record(row) for row in rows)


def chain_head(store: Store) -> AuditChainState:
    """Where the chain ends, as kept apart from the records.

    Raises:
        OwnFaultError: code `audit_broken`, the head is missing.
    """
    with reading(store) as conn:
        row = conn.execute(select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash)).one_or_none()
    if row is None:
        raise OwnFaultError("the head of the audit chain is missing", code="audit_broken")
    return AuditChainState(seq=row.seq, hash=row.hash)


def check_audit(store: Store, *, since: AuditChainState = EMPTY_CHAIN) -> AuditChainState:
    """Read the chain from the mark `since` on and pass if it holds, up to the head as it was when the reading began.

    Raises:
        OwnFaultError: code `audit_broken`, at the first break, or when the record of the mark is not there as it was.
    """
    head = chain_head(store)
    after = since if since == EMPTY_CHAIN else _before_mark(store, since)
    up_to_head = (record for record in read_chain(store, since=after.seq) if record.seq <= head.seq)
    state = check_chain(up_to_head, after=after, head=head)
    with reading(store) as conn:
        last = conn.execute(select(AUDIT.c.seq).order_by(AUDIT.c.seq.desc()).limit(1)).scalar_one_or_none() or 0
    if last > chain_head(store).seq:
        raise OwnFaultError(f"the audit chain is broken: record {last} stands after its head", code="audit_broken")
    return state


def _before_mark(store: Store, mark: AuditChainState) -> AuditChainState:
    """Where the chain stood before the record that `mark` names, which must be there; its content is checked next."""
    with reading(store) as conn:
        row = conn.execute(select(AUDIT).where(AUDIT.c.seq == mark.seq)).mappings().one_or_none()
    if row is None or row["hash"] != mark.hash:
        raise OwnFaultError(f"the audit chain is broken: record {mark.seq} is another than before", code="audit_broken")
    return AuditChainState(seq=mark.seq - 1, hash=row["previous_hash"])


def _record(row: RowMapping) -> AuditRecord:
    return AuditRecord(
        seq=row["seq"],
        at=row["at"],
        actor=row["actor"],
        act=row["act"],
        subject=row["subject"],
        detail=json.loads(row["detail"]),
        previous_hash=row["previous_hash"],
        hash=row["hash"],
    )
