"""One-time links to purpose-bound copies, and the digests of the copies that left the house. No bytes are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

from certlib.errors import GoneError, NotFoundError
from certlib.store.engine import reading
from certlib.store.tables import LICENCE
from certlib.store.tables_uses import MADE_COPY, SHARING_USE, USE_LINK

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from certlib.store.engine import Store

_HEX_SHA256: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A one-time link as it is kept."""

    use_id: str
    identifier: str
    """The licence."""
    client_id: str
    """Who asked for the link."""
    expires_at: datetime
    claimed_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeCopy:
    """A copy that was given out."""

    sha256: str
    """Of its bytes, 64 lower-case hex."""
    use_id: str
    identifier: str
    """The licence."""
    agency_code: str
    """For whom it was made."""
    matter_code: str
    case_number: str
    made_at: datetime
    until_at: datetime


def add_links(  # noqa: PLR0913  # the parts of the rows
    store: Store,
    conn: Connection,
    links: Mapping[str, str],
    *,
    use_id: str,
    client_id: str,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep `links`, secret -> identifier, inside the caller's transaction; of the secrets only keyed hashes."""
    query = select(LICENCE.c.identifier, LICENCE.c.id).where(LICENCE.c.identifier.in_(sorted(set(links.values()))))
    ids = {row.identifier: row.id for row in conn.execute(query)}
    rows = [
        {
            "digest": _digest(store, secret),
            "use_id": use_id,
            "licence_id": ids[identifier],
            "client_id": client_id,
            "made_at": now,
            "expires_at": expires_at,
            "claimed_at": None,
        }
        for secret, identifier in links.items()
    ]
    if rows:
        conn.execute(insert(USE_LINK), rows)


def link(store: Store, secret: str) -> Link:
    """The link of this secret, used or not.

    Raises:
        NotFoundError: code `link_not_found`.
    """
    joined = USE_LINK.join(LICENCE, LICENCE.c.id == USE_LINK.c.licence_id)
    query = (
        select(USE_LINK, LICENCE.c.identifier).select_from(joined).where(USE_LINK.c.digest == _digest(store, secret))
    )
    with reading(store) as conn:
        row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no link is known under this address", code="link_not_found")
    return Link(
        use_id=row["use_id"],
        identifier=row["identifier"],
        client_id=row["client_id"],
        expires_at=row["expires_at"],
        claimed_at=row["claimed_at"],
    )


def claim(store: Store, conn: Connection, secret: str, *, now: datetime) -> None:
    """Use up a link inside the caller's transaction; of all who try, one passes.

    Raises:
        GoneError: code `link_used`, `link_expired`.
    """
    claimed = conn.execute(
        update(USE_LINK)
        .where(
            USE_LINK.c.digest == _digest(store, secret), USE_LINK.c.claimed_at.is_(None), USE_LINK.c.expires_at > now
        )
        .values(claimed_at=now)
    )
    if claimed.rowcount != 1:
        query = select(USE_LINK.c.claimed_at).where(USE_LINK.c.digest == _digest(store, secret))
        raise spent(used=conn.execute(query).scalar_one_or_none() is not None)


def spent(*, used: bool) -> GoneError:
    """The one problem of a link that serves no more."""
    if used:
        return GoneError("this link was used; it serves once", code="link_used", hint="Ask for a new one.")
    return GoneError("this link has expired", code="link_expired", hint="Ask for a new one.")


def locked_status(conn: Connection, identifier: str) -> str:
    """The stored status of a licence, which cannot change until the caller's transaction ends.

    The lock is a shared one: looks at the same licence, which refer to its row, are put down meanwhile.
    """
    query = select(LICENCE.c.status).where(LICENCE.c.identifier == identifier).with_for_update(read=True)
    return str(conn.execute(query).scalar_one())


def add_copy(  # noqa: PLR0913  # the parts of one row
    conn: Connection, *, sha256: str, use_id: str, identifier: str, now: datetime, until_at: datetime
) -> None:
    """Put down a copy that is about to leave, inside the caller's transaction."""
    licence_id = select(LICENCE.c.id).where(LICENCE.c.identifier == identifier).scalar_subquery()
    values = {"sha256": sha256, "use_id": use_id, "licence_id": licence_id, "made_at": now, "until_at": until_at}
    conn.execute(insert(MADE_COPY).values(values))


def copies_of(store: Store, use_id: str) -> tuple[MadeCopy, ...]:
    """The copies that were given out under a use, oldest first."""
    with reading(store) as conn:
        rows = conn.execute(_copies().where(MADE_COPY.c.use_id == use_id).order_by(MADE_COPY.c.made_at)).mappings()
        return tuple(MadeCopy(**row) for row in rows)


def copy_by_sha256(store: Store, sha256: str) -> MadeCopy | None:
    """The copy with this digest, or None: it was never given out by this library."""
    if len(sha256) != _HEX_SHA256 or not sha256.isascii() or not sha256.isalnum():
        return None
    with reading(store) as conn:
        row = conn.execute(_copies().where(MADE_COPY.c.sha256 == sha256)).mappings().one_or_none()
    return None if row is None else MadeCopy(**row)


def _copies() -> Any:  # noqa: ANN401  # a query
    joined = MADE_COPY.join(LICENCE, LICENCE.c.id == MADE_COPY.c.licence_id)
    joined = joined.join(SHARING_USE, SHARING_USE.c.id == MADE_COPY.c.use_id)
    of_use = (SHARING_USE.c.agency_code, SHARING_USE.c.matter_code, SHARING_USE.c.case_number)
    own = (MADE_COPY.c.sha256, MADE_COPY.c.use_id, MADE_COPY.c.made_at, MADE_COPY.c.until_at)
    return select(*own, LICENCE.c.identifier, *of_use).select_from(joined)


def _digest(store: Store, secret: str) -> bytes:
    return store.cipher.digest("link", secret.encode("utf-8", "surrogatepass"))
