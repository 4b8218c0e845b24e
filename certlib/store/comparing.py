"""Whether the licences on record are the ones that the audit chain tells of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from certlib.errors import OwnFaultError
from certlib.model import Status
from certlib.store.moments import one_moment
from certlib.store.tables import AUDIT, LICENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

_ROWS_AT_ONCE: Final = 500
ISSUED, STATUS_CHANGED = "licence.issued", "licence.status_changed"
_COLUMNS: Final = {
    "agency": "agency_code",
    "type": "type_code",
    "type_version": "type_version",
    "number": "number",
    "version": "version",
    "pdf_sha256": "pdf_sha256",
    "token_kid": "token_kid",
    "seal_kid": "seal_kid",
}
"""Detail of the record of an issue -> column of the licence."""


def check_licences(store: Store) -> int:
    """How many issued licences there are, if each is as the audit chain says: neither changed, added nor removed.

    Compared are what an issue notes, and the status. The caller has checked the chain. Memory stays flat.

    Raises:
        OwnFaultError: code `audit_broken`, at the first difference; the message names the identifier.
    """
    last, seen = -1, 0
    while True:
        with one_moment(store) as conn:
            rows = _block(conn, last)
            records = _records(conn, [row["identifier"] for row in rows])
        for row in rows:
            _compare(row, records.get(row["identifier"], []))
        seen += len(rows)
        if len(rows) < _ROWS_AT_ONCE:
            break
        last = rows[-1]["id"]
    with one_moment(store) as conn:
        noted = conn.execute(select(func.count()).select_from(AUDIT).where(AUDIT.c.act == ISSUED)).scalar_one()
        stand = conn.execute(select(func.count()).select_from(LICENCE).where(LICENCE.c.state == "issued")).scalar_one()
    if noted != stand:
        raise _differs(_missing(store) or "a licence", "was issued and is no longer on record")
    return seen


def _block(conn: Connection, last: int) -> list[RowMapping]:
    columns = (LICENCE.c.id, LICENCE.c.identifier, LICENCE.c.status, *(LICENCE.c[name] for name in _COLUMNS.values()))
    query = select(*columns).where(LICENCE.c.state == "issued", LICENCE.c.id > last)
    return list(conn.execute(query.order_by(LICENCE.c.id).limit(_ROWS_AT_ONCE)).mappings())


def _records(conn: Connection, identifiers: list[str]) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """Act and detail of the records about each, oldest first."""
    query = select(AUDIT.c.subject, AUDIT.c.act, AUDIT.c.detail).where(
        AUDIT.c.subject.in_(identifiers), AUDIT.c.act.in_((ISSUED, STATUS_CHANGED))
    )
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for subject, act, detail in conn.execute(query.order_by(AUDIT.c.seq)):
        found.setdefault(subject, []).append((act, json.loads(detail)))
    return found


def _compare(row: RowMapping, records: list[tuple[str, Mapping[str, Any]]]) -> None:
    identifier = row["identifier"]
    issues = [detail for act, detail in records if act == ISSUED]
    if len(issues) != 1:
        raise _differs(identifier, "stands on record and was never issued" if not issues else "was issued twice")
    for name, column in _COLUMNS.items():
        if issues[0].get(name) != row[column]:
            raise _differs(identifier, f"has another {column} than when it was issued")
    changes = [str(detail["to"]) for act, detail in records if act == STATUS_CHANGED]
    if row["status"] != (changes[-1] if changes else Status.ACTIVE.value):
        raise _differs(identifier, "has another status than its last change gave it")


def _missing(store: Store) -> str:
    """The first identifier that was issued and is not on record; empty when there is none."""
    last = 0
    while True:
        with one_moment(store) as conn:
            query = select(AUDIT.c.seq, AUDIT.c.subject).where(AUDIT.c.act == ISSUED, AUDIT.c.seq > last)
            noted = conn.execute(query.order_by(AUDIT.c.seq).limit(_ROWS_AT_ONCE)).all()
            names = [row.subject for row in noted]
            query = select(LICENCE.c.identifier).where(LICENCE.c.identifier.in_(names), LICENCE.c.state == "issued")
            stand = set(conn.execute(query).scalars())
        for name in names:
            if name not in stand:
                return str(name)
        if len(noted) < _ROWS_AT_ONCE:
            return ""
        last = noted[-1].seq


def _differs(identifier: str, what: str) -> OwnFaultError:
    return OwnFaultError(
        f"the record differs from the audit chain: {identifier} {what}",
        code="audit_broken",
        hint="Compare with a backup before going on.",
    )
