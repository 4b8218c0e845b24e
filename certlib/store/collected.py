"""Libraries that are followed, how far, and what their catalogues say. A page and its cursor are kept together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError, NotFoundError
from certlib.model import Status
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.feeds import CatalogueEntry
from certlib.store.tables_collecting import COLLECTED_LICENCE, COLLECTED_SOURCE, FOREIGN_PACK

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from certlib.store.engine import Store
    from certlib.store.feeds import CatalogueChange

FOUND: Final = 100
"""Licences that one search gives at most; a number stands for a few."""
_ENTRY: Final = tuple(CatalogueEntry.__slots__)
_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A library that is followed."""

    id: str
    """26 hex characters."""
    url: str
    """Without a slash at the end."""
    anchor_sha256: str
    name: str
    """As its trust pack says."""
    client_id: str
    key_uri: str
    matter_code: str
    cursor: str
    """Empty before the first page."""
    types: tuple[str, ...]
    """Codes of the types that the last page was about."""
    added_at: datetime
    added_by: str
    collected_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """A licence that another library holds."""

    entry: CatalogueEntry
    source: Source


def add_source(store: Store, source: Source) -> None:
    """Begin to follow a library.

    Raises:
        ConflictError: code `source_exists`: its URL is followed already.
    """
    values = {name: getattr(source, name) for name in source.__slots__ if name != "name"}
    detail: dict[str, str | int] = {"url": source.url, "anchor": source.anchor_sha256, "client": source.client_id}
    try:
        with writing(store) as conn:
            conn.execute(insert(COLLECTED_SOURCE).values({**values, "types": " ".join(source.types)}))
            entry = audits.Entry(actor=source.added_by, act="source.added", subject=source.id, detail=detail)
            audits.append(conn, [entry], at=source.added_at)
    except IntegrityError as error:
        raise ConflictError(f"{source.url} is followed already", code="source_exists") from error


def sources(store: Store) -> tuple[Source, ...]:
    """All libraries that are followed, oldest first."""
    query = select(COLLECTED_SOURCE, FOREIGN_PACK.c.name).join(
        FOREIGN_PACK, FOREIGN_PACK.c.anchor_sha256 == COLLECTED_SOURCE.c.anchor_sha256
    )
    with reading(store) as conn:
        rows = conn.execute(query.order_by(COLLECTED_SOURCE.c.added_at, COLLECTED_SOURCE.c.id)).mappings().all()
    return tuple(_source(row) for row in rows)


def held(store: Store, source_id: str) -> int:
    """How many licences are known of a library, ended ones too."""
    query = select(func.count()).where(COLLECTED_LICENCE.c.source_id == source_id)
    with reading(store) as conn:
        return int(conn.execute(query).scalar_one())


def apply(  # noqa: PLR0913  # a page in all its parts
    store: Store,
    source: Source,
    *,
    cursor: str,
    types: Sequence[str],
    changes: Sequence[CatalogueChange],
    now: datetime,
) -> int:
    """Keep a page and its cursor, in one transaction; how many licences it made known or changed.

    What is older than what is known of a licence changes nothing, so pages may be read again.

    Raises:
        ConflictError: code `collected_meanwhile`: another run went on from the same cursor.
    """
    newest = {each.entry.identifier: each for each in changes}
    with writing(store) as conn:
        moved = conn.execute(
            update(COLLECTED_SOURCE)
            .where(COLLECTED_SOURCE.c.id == source.id, COLLECTED_SOURCE.c.cursor == source.cursor)
            .values(cursor=cursor, types=" ".join(types), collected_at=now)
        )
        if moved.rowcount != 1:
            raise ConflictError("another run goes on with this library", code="collected_meanwhile")
        known = _known(conn, source.id, list(newest))
        fresh = [_row(source.id, each) for name, each in newest.items() if name not in known]
        later = [_row(source.id, each) for name, each in newest.items() if each.seq > known.get(name, each.seq)]
        if fresh:
            conn.execute(insert(COLLECTED_LICENCE), fresh)
        if later:
            conn.execute(_UPDATE, [{f"new_{name}": value for name, value in row.items()} for row in later])
        if fresh or later:
            detail: dict[str, str | int] = {"new": len(fresh), "changed": len(later), "seq": changes[-1].seq}
            entry = audits.Entry(actor="collect", act="catalogue.collected", subject=source.id, detail=detail)
            audits.append(conn, [entry], at=now)
    return len(fresh) + len(later)


_KEYS: Final = ("source_id", "identifier")
_UPDATE: Final = (
    update(COLLECTED_LICENCE)
    .where(*(COLLECTED_LICENCE.c[name] == bindparam(f"new_{name}") for name in _KEYS))
    .values({each.name: bindparam(f"new_{each.name}") for each in COLLECTED_LICENCE.c if each.name not in _KEYS})
)


def _known(conn: Any, source_id: str, identifiers: list[str]) -> dict[str, int]:  # noqa: ANN401  # a connection
    found: dict[str, int] = {}
    for begin in range(0, len(identifiers), _AT_ONCE):
        query = select(COLLECTED_LICENCE.c.identifier, COLLECTED_LICENCE.c.seq).where(
            COLLECTED_LICENCE.c.source_id == source_id,
            COLLECTED_LICENCE.c.identifier.in_(identifiers[begin : begin + _AT_ONCE]),
        )
        found |= {row.identifier: row.seq for row in conn.execute(query)}
    return found


def forget(store: Store, source: Source, *, operator: str, now: datetime, follow: bool) -> None:
    """Drop what is known of a library: to begin anew when `follow`, else to follow it no longer.

    Raises:
        NotFoundError: it is not followed.
    """
    with writing(store) as conn:
        gone = conn.execute(delete(COLLECTED_LICENCE).where(COLLECTED_LICENCE.c.source_id == source.id)).rowcount
        where = COLLECTED_SOURCE.c.id == source.id
        change = (
            update(COLLECTED_SOURCE).where(where).values(cursor="", types="")
            if follow
            else delete(COLLECTED_SOURCE).where(where)
        )
        if conn.execute(change).rowcount != 1:
            raise NotFoundError("no such library is followed")
        act = "source.begun_anew" if follow else "source.removed"
        entry = audits.Entry(actor=operator, act=act, subject=source.id, detail={"url": source.url, "licences": gone})
        audits.append(conn, [entry], at=now)


def found(
    store: Store, *, identifier: str = "", number: str = "", type_segments: Collection[str] | None = None
) -> tuple[Collected, ...]:
    """What libraries say of an identifier, or of a number that is public; at most `FOUND`.

    `type_segments` narrows; None is any type.
    """
    query = select(COLLECTED_LICENCE)
    if identifier:
        query = query.where(COLLECTED_LICENCE.c.identifier == identifier)
    if number:
        query = query.where(COLLECTED_LICENCE.c.number == number, COLLECTED_LICENCE.c.number_masked.is_(False))
    if type_segments is not None:
        query = query.where(COLLECTED_LICENCE.c.type_segment.in_(type_segments))
    if not (identifier or number):
        return ()
    by_id = {each.id: each for each in sources(store)}
    with reading(store) as conn:
        rows = conn.execute(query.order_by(COLLECTED_LICENCE.c.identifier).limit(FOUND)).mappings().all()
    return tuple(
        Collected(entry=_entry(row), source=by_id[row["source_id"]]) for row in rows if row["source_id"] in by_id
    )


def _row(source_id: str, change: CatalogueChange) -> dict[str, Any]:
    values = {name: getattr(change.entry, name) for name in _ENTRY}
    own = {"source_id": source_id, "seq": change.seq, "changed_at": change.at, "status": str(change.entry.status)}
    return {**values, **own}


def _entry(row: Any) -> CatalogueEntry:  # noqa: ANN401  # a row
    return CatalogueEntry(**{**{name: row[name] for name in _ENTRY}, "status": Status(row["status"])})


def _source(row: Any) -> Source:  # noqa: ANN401  # a row
    return Source(**{**{name: row[name] for name in Source.__slots__}, "types": tuple(row["types"].split())})
