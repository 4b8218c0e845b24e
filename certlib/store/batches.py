"""Batches: which register file is being issued, and how far it has come."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import NotFoundError
from certlib.identifiers import AgencyCode
from certlib.model import Sha256
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.tables import BATCH
from certlib.store.values import Batch, BatchCounts

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import RowMapping

    from certlib.store.engine import Store

_ID_CHARACTERS = 26


def open_batch(  # noqa: PLR0913  # what makes a batch this batch
    store: Store,
    *,
    file_sha256: Sha256,
    map_sha256: Sha256,
    type_code: str,
    agency_code: str,
    operator: str,
    now: datetime,
) -> Batch:
    """The batch of this file with this mapping for this type and agency: a new one, or the one begun before.

    Raises:
        NotFoundError: code `agency_not_found`.
    """
    key = f"{file_sha256}\x00{map_sha256}\x00{type_code}\x00{agency_code}"
    batch_id = hashlib.sha256(key.encode()).hexdigest()[:_ID_CHARACTERS]
    row = {
        "id": batch_id,
        "agency_code": agency_code,
        "type_code": type_code,
        "file_sha256": file_sha256,
        "map_sha256": map_sha256,
        "operator": operator,
        "read": 0,
        "issued": 0,
        "already": 0,
        "refused": 0,
        "opened_at": now,
        "updated_at": now,
        "finished_at": None,
    }
    known = _find(store, batch_id)
    if known is not None:
        return known
    try:
        with writing(store) as conn:
            conn.execute(insert(BATCH).values(row))
            detail: dict[str, str | int] = {"agency": agency_code, "type": type_code, "file_sha256": file_sha256}
            audits.append(
                conn, [audits.Entry(actor=operator, act="batch.opened", subject=batch_id, detail=detail)], at=now
            )
    except IntegrityError as error:
        known = _find(store, batch_id)  # another process was quicker
        if known is None:
            raise NotFoundError(f"agency {agency_code} is not in this library", code="agency_not_found") from error
        return known
    return batch(store, batch_id)


def batch(store: Store, batch_id: str) -> Batch:
    """The batch of this id.

    Raises:
        NotFoundError: code `batch_not_found`.
    """
    found = _find(store, batch_id)
    if found is None:
        raise NotFoundError(f"batch {batch_id} is not in this library", code="batch_not_found")
    return found


def all_batches(store: Store) -> tuple[Batch, ...]:
    """Every batch, oldest first; may be empty."""
    with reading(store) as conn:
        rows = conn.execute(select(BATCH).order_by(BATCH.c.opened_at, BATCH.c.id)).mappings().all()
    return tuple(_batch(row) for row in rows)


def record_progress(store: Store, batch_id: str, counts: BatchCounts, *, now: datetime, finished: bool = False) -> None:
    """Put down how far the present run has come; `counts` replace those before. A later run may reopen it.

    Raises:
        NotFoundError: code `batch_not_found`.
    """
    values = {
        "read": counts.read,
        "issued": counts.issued,
        "already": counts.already,
        "refused": counts.refused,
        "updated_at": now,
        "finished_at": now if finished else None,
    }
    with writing(store) as conn:
        row = conn.execute(select(BATCH.c.operator).where(BATCH.c.id == batch_id).with_for_update()).one_or_none()
        if row is None:
            raise NotFoundError(f"batch {batch_id} is not in this library", code="batch_not_found")
        conn.execute(update(BATCH).where(BATCH.c.id == batch_id).values(values))
        if finished:
            detail: dict[str, str | int] = {
                "read": counts.read,
                "issued": counts.issued,
                "already": counts.already,
                "refused": counts.refused,
            }
            entry = audits.Entry(actor=row.operator, act="batch.finished", subject=batch_id, detail=detail)
            audits.append(conn, [entry], at=now)


def _find(store: Store, batch_id: str) -> Batch | None:
    with reading(store) as conn:
        row = conn.execute(select(BATCH).where(BATCH.c.id == batch_id)).mappings().one_or_none()
    return None if row is None else _batch(row)


def _batch(row: RowMapping) -> Batch:
    return Batch(
        id=row["id"],
        agency_code=AgencyCode(row["agency_code"]),
        type_code=row["type_code"],
        file_sha256=Sha256(row["file_sha256"]),
        map_sha256=Sha256(row["map_sha256"]),
        operator=row["operator"],
        counts=BatchCounts(read=row["read"], issued=row["issued"], already=row["already"], refused=row["refused"]),
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
        finished_at=row["finished_at"],
    )
