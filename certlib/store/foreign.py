"""Trust packs of other libraries: the newest of each, and which keys and agencies each of them speaks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError, NotFoundError
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.tables import SIGNING_KEY
from certlib.store.tables_collecting import FOREIGN_NAME, FOREIGN_PACK

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from certlib.store.engine import Store

KEY, AGENCY_CODE = "key", "agency"
_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class ForeignPack:
    """A trust pack of another library."""

    anchor_sha256: str
    """Of the root's public key; names the library for ever."""
    anchor_spki: bytes
    name: str
    """As the pack says."""
    version: int
    data: bytes
    imported_at: datetime
    imported_by: str


def keep(store: Store, pack: ForeignPack, *, kids: Collection[str], agency_codes: Collection[str]) -> bool:
    """Keep a checked pack in the place of the older one of its library; False when it stands there already.

    `agency_codes` are those of the agencies that issue there.

    Raises:
        ConflictError: code `rolled_back`: a newer one was here before, even if it was removed; `pack_differs`: another
            pack of the same version; `name_taken`: this library or another pack has one of its keys or agencies.
    """
    names = [(KEY, each) for each in sorted(kids)] + [(AGENCY_CODE, each) for each in sorted(agency_codes)]
    try:
        with writing(store) as conn:
            query = select(FOREIGN_PACK).where(FOREIGN_PACK.c.anchor_sha256 == pack.anchor_sha256)
            old = conn.execute(query.with_for_update()).mappings().one_or_none()
            if old is not None and not _is_newer(old, pack):
                return False
            _require_free(conn, pack.anchor_sha256, names)
            values = {name: getattr(pack, name) for name in pack.__slots__} | {"removed_at": None}
            where = FOREIGN_PACK.c.anchor_sha256 == pack.anchor_sha256
            conn.execute(
                insert(FOREIGN_PACK).values(values) if old is None else update(FOREIGN_PACK).where(where).values(values)
            )
            conn.execute(delete(FOREIGN_NAME).where(FOREIGN_NAME.c.anchor_sha256 == pack.anchor_sha256))
            rows = [{"kind": kind, "name": name, "anchor_sha256": pack.anchor_sha256} for kind, name in names]
            conn.execute(insert(FOREIGN_NAME), rows)
            detail: dict[str, str | int] = {
                "library": pack.name,
                "version": pack.version,
                "agencies": len(agency_codes),
            }
            entry = audits.Entry(
                actor=pack.imported_by, act="trust.imported", subject=pack.anchor_sha256, detail=detail
            )
            audits.append(conn, [entry], at=pack.imported_at)
    except IntegrityError as error:  # two packs with one name at the same moment
        raise _taken("") from error
    return True


def _is_newer(old: Any, pack: ForeignPack) -> bool:  # noqa: ANN401  # a row
    if pack.version < old["version"]:
        raise ConflictError(
            f"version {pack.version} is older than version {old['version']}, which was here", code="rolled_back"
        )
    if old["data"] is None or pack.version > old["version"]:
        return True
    if bytes(old["data"]) != pack.data:
        raise ConflictError(f"another pack of version {pack.version} was imported before", code="pack_differs")
    return False


def _require_free(conn: Connection, anchor_sha256: str, names: list[tuple[str, str]]) -> None:
    for kind, column in ((KEY, SIGNING_KEY.c.kid), (AGENCY_CODE, SIGNING_KEY.c.owner)):
        mine = [name for each, name in names if each == kind]
        for begin in range(0, len(mine), _AT_ONCE):
            part = mine[begin : begin + _AT_ONCE]
            taken = conn.execute(select(column).where(column.in_(part)).limit(1)).scalar_one_or_none()
            if taken is not None:
                raise _taken(f": {kind} {taken} is this library's own")
            query = select(FOREIGN_NAME.c.name).where(
                FOREIGN_NAME.c.kind == kind,
                FOREIGN_NAME.c.name.in_(part),
                FOREIGN_NAME.c.anchor_sha256 != anchor_sha256,
            )
            taken = conn.execute(query.limit(1)).scalar_one_or_none()
            if taken is not None:
                raise _taken(f": another imported pack speaks for {kind} {taken}")


def _taken(what: str) -> ConflictError:
    return ConflictError(f"the pack cannot be told from another{what}", code="name_taken")


def remove(store: Store, anchor_sha256: str, *, operator: str, now: datetime) -> None:
    """Take a pack back. Its version is remembered, so that no older one comes in later.

    Raises:
        NotFoundError: there is none.
    """
    with writing(store) as conn:
        where = (FOREIGN_PACK.c.anchor_sha256 == anchor_sha256) & FOREIGN_PACK.c.removed_at.is_(None)
        if conn.execute(update(FOREIGN_PACK).where(where).values(data=None, removed_at=now)).rowcount != 1:
            raise NotFoundError("no such trust pack was imported")
        conn.execute(delete(FOREIGN_NAME).where(FOREIGN_NAME.c.anchor_sha256 == anchor_sha256))
        entry = audits.Entry(actor=operator, act="trust.removed", subject=anchor_sha256, detail={})
        audits.append(conn, [entry], at=now)


def packs(store: Store) -> tuple[ForeignPack, ...]:
    """All that are in use, by name."""
    query = select(FOREIGN_PACK).where(FOREIGN_PACK.c.removed_at.is_(None)).order_by(FOREIGN_PACK.c.name)
    with reading(store) as conn:
        return tuple(_pack(row) for row in conn.execute(query).mappings())


def pack(store: Store, anchor_sha256: str) -> ForeignPack | None:
    """The one of this library, if it is in use."""
    query = select(FOREIGN_PACK).where(
        FOREIGN_PACK.c.anchor_sha256 == anchor_sha256, FOREIGN_PACK.c.removed_at.is_(None)
    )
    with reading(store) as conn:
        row = conn.execute(query).mappings().one_or_none()
    return None if row is None else _pack(row)


def version_for_key(store: Store, kid: str) -> tuple[str, int] | None:
    """Anchor and version of the pack that has a key of this id."""
    query = (
        select(FOREIGN_PACK.c.anchor_sha256, FOREIGN_PACK.c.version)
        .join(FOREIGN_NAME, FOREIGN_NAME.c.anchor_sha256 == FOREIGN_PACK.c.anchor_sha256)
        .where(FOREIGN_NAME.c.kind == KEY, FOREIGN_NAME.c.name == kid)
    )
    with reading(store) as conn:
        row = conn.execute(query).one_or_none()
    return None if row is None else (row.anchor_sha256, row.version)


def _pack(row: Any) -> ForeignPack:  # noqa: ANN401  # a row
    values = {name: row[name] for name in ForeignPack.__slots__}
    return ForeignPack(**{**values, "anchor_spki": bytes(row["anchor_spki"]), "data": bytes(row["data"])})
