"""Trust packs that were signed. Versions only grow, whatever process signs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.tables import ALLOTMENT, TRUST_PACK

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.store.engine import Store

KEPT: Final = 10
"""Packs that stay; older ones serve nobody, since verifiers refuse to go back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeptPack:
    """A trust pack as it was signed."""

    version: int
    data: bytes
    issued_at: datetime


def next_pack_version(store: Store) -> int:
    """The version that the next pack must bear: 1 for the first."""
    with reading(store) as conn:
        return int(conn.execute(select(func.coalesce(func.max(TRUST_PACK.c.version), 0))).scalar_one()) + 1


def keep_pack(store: Store, *, version: int, data: bytes, operator: str, now: datetime) -> None:
    """Keep a signed pack, and drop those `KEPT` versions older.

    Raises:
        ConflictError: code `pack_exists`: another process was quicker; sign again with the next version.
    """
    try:
        with writing(store) as conn:
            conn.execute(insert(TRUST_PACK).values(version=version, data=data, issued_at=now))
            conn.execute(delete(TRUST_PACK).where(TRUST_PACK.c.version <= version - KEPT))
            entry = audits.Entry(actor=operator, act="pack.signed", subject=str(version), detail={"bytes": len(data)})
            audits.append(conn, [entry], at=now)
    except IntegrityError as error:
        raise ConflictError(f"trust pack {version} is there already", code="pack_exists") from error


def newest_pack(store: Store) -> KeptPack | None:
    """The pack with the highest version; None before the first."""
    with reading(store) as conn:
        row = conn.execute(select(TRUST_PACK).order_by(TRUST_PACK.c.version.desc()).limit(1)).one_or_none()
    return None if row is None else KeptPack(version=row.version, data=bytes(row.data), issued_at=row.issued_at)


def status_list_uris(store: Store) -> tuple[str, ...]:
    """The URI of every status list from which an index may have been given, in the order of their numbers."""
    with reading(store) as conn:
        shard = conn.execute(select(ALLOTMENT.c.shard)).scalar()
    return tuple(f"{store.status_list_url}{number}" for number in range(0 if shard is None else int(shard) + 1))
