"""What the status lists are made of, and when each was published: one moment for all processes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError

from certlib.model import Status
from certlib.store.engine import reading, writing
from certlib.store.moments import one_moment
from certlib.store.tables import ALLOTMENT, AUDIT_HEAD, LIBRARY, LICENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from certlib.store.engine import Store

_ROWS_AT_ONCE: Final = 5000
_ATTEMPTS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ShardState:
    """The statuses of one list as they stood at one moment."""

    counter: int
    """Of changes to the record: the head of the audit chain. Grows in the order in which changes became visible."""
    entries: tuple[tuple[int, Status], ...]
    """Index and status of every licence that is not active, by status and index."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """When the list that everybody gives out now was first signed."""

    issued_at: datetime
    """Whole seconds; each new content has a later one."""
    counter: int
    """Of changes, when the content was read."""
    digest: str
    """Of content and key, hex."""


def list_uri(store: Store, shard: int) -> str | None:
    """The URI of a status list, or None when no index of it was given yet."""
    with reading(store) as conn:
        newest = conn.execute(select(ALLOTMENT.c.shard)).scalar()
    return f"{store.status_list_url}{shard}" if newest is not None and 0 <= shard <= int(newest) else None


def change_counter(store: Store) -> int:
    """A number that has grown whenever a status has changed; one row, one read. It grows by other acts too."""
    with reading(store) as conn:
        return int(conn.execute(select(AUDIT_HEAD.c.seq)).scalar() or 0)


def shard_state(store: Store, shard: int) -> ShardState:
    """All statuses of one list that are not active, of one moment."""
    entries: list[tuple[int, Status]] = []
    with one_moment(store) as conn:
        counter = int(conn.execute(select(AUDIT_HEAD.c.seq)).scalar() or 0)
        for status in Status:
            if status is not Status.ACTIVE:
                entries += ((index, status) for index in _indices(conn, shard, status))
    return ShardState(counter=counter, entries=tuple(entries))


def published(  # noqa: PLR0913  # what makes one publication
    store: Store, shard: int, *, state_counter: int, digest: str, now: datetime, renew_after: timedelta
) -> Publication | None:
    """The publication of this content: the standing one, or a new one with a later time. None: read again.

    All processes agree: the same content has the same time, other content a later one. None means that another
    process has published what was read after this.
    """
    key = f"status_list.{shard}"
    for _attempt in range(_ATTEMPTS):
        try:
            with writing(store) as conn:
                query = select(LIBRARY.c.value).where(LIBRARY.c.key == key).with_for_update()
                value = conn.execute(query).scalar_one_or_none()
                standing = None if value is None else _publication(value)
                if standing is not None:
                    if standing.digest == digest and now - standing.issued_at < renew_after:
                        return standing
                    if standing.counter > state_counter:
                        return None
                moment = now.replace(microsecond=0)
                if standing is not None:
                    moment = max(moment, standing.issued_at + timedelta(seconds=1))
                fresh = Publication(issued_at=moment, counter=state_counter, digest=digest)
                if standing is None:
                    conn.execute(insert(LIBRARY).values(key=key, value=_text(fresh)))
                else:
                    conn.execute(update(LIBRARY).where(LIBRARY.c.key == key).values(value=_text(fresh)))
                return fresh
        except IntegrityError:  # another process was the first to publish this list
            continue
    return None


def _indices(conn: Connection, shard: int, status: Status) -> Iterator[int]:
    last = -1
    while True:
        query = (
            select(LICENCE.c.status_index)
            .where(
                LICENCE.c.status == str(status),
                text("status <> 'active'"),  # word for word the partial index's condition
                LICENCE.c.status_shard == shard,
                LICENCE.c.status_index > last,
            )
            .order_by(LICENCE.c.status_index)
            .limit(_ROWS_AT_ONCE)
        )
        found = list(conn.execute(query).scalars())
        yield from found
        if len(found) < _ROWS_AT_ONCE:
            return
        last = found[-1]


def _text(publication: Publication) -> str:
    return json.dumps([int(publication.issued_at.timestamp()), publication.counter, publication.digest])


def _publication(value: str) -> Publication:
    seconds, counter, digest = json.loads(value)
    return Publication(issued_at=datetime.fromtimestamp(seconds, tz=UTC), counter=counter, digest=digest)
