"""Holders' sessions in the database. Whose it is lies sealed; how the holder was identified, with it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

from certlib.errors import NotFoundError
from certlib.store.converting import holder_index
from certlib.store.engine import reading
from certlib.store.tables_holding import HOLDER_SESSION

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from certlib.store.engine import Store

ID_FORM: Final = re.compile(r"[0-9a-f]{26}")
"""Ids of sessions, codes and delegations."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """One log-in of a holder."""

    id: str
    """26 hex characters; the subject of the bearer."""
    holder_code: str = field(repr=False)
    code_type: str
    how: str = field(repr=False)
    """How the holder was identified, in words. May hold personal data."""
    agency_code: str
    """The agency whose log-in service made it; empty for one made at the library's own counter."""
    client_id: str
    operator: str
    created_at: datetime
    expires_at: datetime
    """Exclusive."""
    ended_at: datetime | None = None


def put(store: Store, conn: Connection, made: Session) -> None:
    """Keep a new session, inside the caller's transaction."""
    sealed = store.cipher.seal(json.dumps([made.holder_code, made.how]).encode(), f"session:{made.id}")
    row = {
        "id": made.id,
        "code_index": holder_index(store.cipher, made.holder_code),
        "code_type": made.code_type,
        "agency_code": made.agency_code,
        "client_id": made.client_id,
        "operator": made.operator,
        "created_at": made.created_at,
        "expires_at": made.expires_at,
        "ended_at": None,
        "key_id": store.cipher.key_id,
        "sealed": sealed,
    }
    conn.execute(insert(HOLDER_SESSION).values(row))


def session(store: Store, session_id: str) -> Session:
    """One session, ended ones too.

    Raises:
        NotFoundError: none of this id.
    """
    query = select(HOLDER_SESSION).where(HOLDER_SESSION.c.id == session_id)
    row = None
    if ID_FORM.fullmatch(session_id):
        with reading(store) as conn:
            row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no session is known under this id")
    code, how = json.loads(store.cipher.open(row["sealed"], f"session:{row['id']}", row["key_id"]))
    same: dict[str, Any] = {
        name: row[name]
        for name in (
            *("id", "code_type", "agency_code", "client_id", "operator", "created_at", "expires_at", "ended_at"),
        )
    }
    return Session(**same, holder_code=code, how=how)


def stands(conn: Connection, session_id: str, *, now: datetime) -> bool:
    """Whether a session goes on, for the rest of the caller's transaction."""
    query = select(HOLDER_SESSION.c.expires_at, HOLDER_SESSION.c.ended_at).where(HOLDER_SESSION.c.id == session_id)
    row = conn.execute(query.with_for_update(read=True)).one_or_none()
    return row is not None and row.ended_at is None and now < row.expires_at


def end(conn: Connection, session_id: str, *, now: datetime) -> bool:
    """End a session inside the caller's transaction; False if it had ended before."""
    still = (HOLDER_SESSION.c.id == session_id, HOLDER_SESSION.c.ended_at.is_(None))
    return bool(conn.execute(update(HOLDER_SESSION).where(*still).values(ended_at=now)).rowcount == 1)
