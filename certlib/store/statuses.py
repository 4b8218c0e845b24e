"""The status of issued licences: the only thing about them that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, text, tuple_, update

from certlib.errors import NotFoundError
from certlib.identifiers import LicenceIdentifier
from certlib.model import Status, require_transition
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.tables import LICENCE, STATUS_CHANGE
from certlib.store.values import StatusChange

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from certlib.store.engine import Store

_ROWS_AT_ONCE: Final = 5000


def change_status(  # noqa: PLR0913  # what the law wants to know about a change
    store: Store,
    identifier: str,
    *,
    to: Status,
    reason: str,
    document_number: str,
    operator: str,
    effective_at: datetime,
    now: datetime,
) -> StatusChange:
    """Change the status and write the audit record, in one transaction. The caller checks that reasons are given.

    The audit record holds a keyed digest of the reason, which may name people; the reason itself stays in its row.

    Raises:
        NotFoundError: no licence was issued under `identifier`.
        IllegalTransitionError: the change is not allowed from where the licence stands.
        UnavailableError: the database does not take it now; nothing was changed.
    """
    with writing(store) as conn:
        query = select(LICENCE.c.id, LICENCE.c.status).where(
            LICENCE.c.identifier == identifier, LICENCE.c.state == "issued"
        )
        row = conn.execute(query.with_for_update()).one_or_none()
        if row is None:
            raise NotFoundError(f"{identifier}: no licence was issued under it")
        old = Status(row.status)
        require_transition(old, to)
        conn.execute(update(LICENCE).where(LICENCE.c.id == row.id).values(status=str(to)))
        change = StatusChange(
            identifier=LicenceIdentifier(identifier),
            old=old,
            new=to,
            reason=reason,
            document_number=document_number,
            operator=operator,
            effective_at=effective_at,
            recorded_at=now,
        )
        values = {
            "licence_id": row.id,
            "old": str(old),
            "new": str(to),
            "reason": reason,
            "document_number": document_number,
            "operator": operator,
            "effective_at": effective_at,
            "recorded_at": now,
        }
        conn.execute(insert(STATUS_CHANGE).values(values))
        detail: dict[str, str | int] = {
            "from": str(old),
            "to": str(to),
            "document_number": document_number,
            "reason_digest": store.cipher.digest("reason", reason.encode()).hex(),
        }
        entry = audits.Entry(actor=operator, act="licence.status_changed", subject=identifier, detail=detail)
        audits.append(conn, [entry], at=now)
    return change


def status_changes(store: Store, identifier: str) -> tuple[StatusChange, ...]:
    """All changes of a licence's status, oldest first; empty for one that never moved."""
    query = (
        select(STATUS_CHANGE)
        .join(LICENCE, LICENCE.c.id == STATUS_CHANGE.c.licence_id)
        .where(LICENCE.c.identifier == identifier)
        .order_by(STATUS_CHANGE.c.id)
    )
    with reading(store) as conn:
        rows = conn.execute(query).mappings().all()
    return tuple(
        StatusChange(
            identifier=LicenceIdentifier(identifier),
            old=Status(row["old"]),
            new=Status(row["new"]),
            reason=row["reason"],
            document_number=row["document_number"],
            operator=row["operator"],
            effective_at=row["effective_at"],
            recorded_at=row["recorded_at"],
        )
        for row in rows
    )


def status_snapshot(store: Store) -> Iterator[tuple[int, int, Status]]:
    """Shard, index and status of every licence that is not active, by status, shard and index; memory stays flat."""
    for status in Status:
        if status is not Status.ACTIVE:
            for shard, index in _places(store, status):
                yield shard, index, status


def _places(store: Store, status: Status) -> Iterator[tuple[int, int]]:
    """Shard and index of all with one status, in that order."""
    last = (-1, -1)
    while True:
        query = (
            select(LICENCE.c.status_shard, LICENCE.c.status_index)
            .where(
                LICENCE.c.status == str(status),
                text("status <> 'active'"),  # word for word the partial index's condition
                tuple_(LICENCE.c.status_shard, LICENCE.c.status_index) > last,
            )
            .order_by(LICENCE.c.status_shard, LICENCE.c.status_index)
            .limit(_ROWS_AT_ONCE)
        )
        with reading(store) as conn:
            places = [(row.status_shard, row.status_index) for row in conn.execute(query)]
        yield from places
        if len(places) < _ROWS_AT_ONCE:
            return
        last = places[-1]
