"""The ledger: one row for each look at a licence, written in the transaction of its audit record.

The row names who, when, why, on which basis and which fields; never a value of the licence. The purpose in words may
hold personal data, so it lies sealed; the audit record has the codes only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, bindparam, func, insert, or_, select, text

from certlib.errors import NotFoundError
from certlib.store import audits
from certlib.store.converting import holder_index
from certlib.store.engine import reading
from certlib.store.tables import LICENCE, LICENCE_HOLDER
from certlib.store.tables_sharing import LOOK

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

LISTED: Final = 500
_COLUMNS: Final = tuple(
    LOOK.c[name]
    for name in (
        *("id", "at", "kind", "agency_code", "client_id", "operator", "matter_code", "case_number", "type_code"),
        *("fields", "basis", "grant_id", "outcome", "reference", "key_id", "sealed"),
    )
)

# Built once: building a statement costs as much as running it.
_ASKED: Final = select(func.count()).where(
    LOOK.c.holder_index == bindparam("holder"),
    LOOK.c.agency_code == bindparam("agency"),
    LOOK.c.at >= bindparam("since"),
)
# As the index says it: without these words all looks are read.
_REFERRED: Final = text("look.reference <> ''")
_IDS: Final = select(LICENCE.c.identifier, LICENCE.c.id).where(
    LICENCE.c.identifier.in_(bindparam("wanted", expanding=True))
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """One look, as it is put down and as the holder sees it."""

    at: datetime
    kind: str
    """`check`, `question`, `list`, `data`, `file`, `shown`, `own` ...; wire-stable."""
    agency_code: str
    """Who looked; empty for somebody without a log-in, to whom the holder showed it."""
    client_id: str
    operator: str
    matter_code: str
    case_number: str
    purpose: str
    type_code: str
    """The type asked about; may be empty for a look at a use as a whole."""
    fields: tuple[str, ...]
    """Names of what was asked for or given."""
    basis: str
    """`statutory`, `consent`, or `holder` when the holder did it."""
    grant_id: str
    outcome: str
    """Code: `match`, `differs`, `yes`, `given`, `nothing_found` ..."""
    reference: str = ""
    """The use code, bulk id or receipt id that the look belongs to, or empty."""
    identifier: str = ""
    """The licence; empty when none was found."""
    holder_code: str = ""
    """Whom the asking was about, when it named a holder: kept as its keyed hash only, and empty when read back."""
    id: int = 0
    """Given by the database; 0 before."""


def put(store: Store, conn: Connection, looks: Sequence[Look]) -> None:
    """Write looks and their audit records inside the caller's transaction. Call it last: it takes the chain's lock."""
    if not looks:
        return
    wanted = {look.identifier for look in looks if look.identifier}
    ids = _licence_ids(conn, wanted)
    rows, entries = [], []
    for look in looks:
        index = holder_index(store.cipher, look.holder_code) if look.holder_code else None
        rows.append(_row(store, look, ids.get(look.identifier), index))
        detail: dict[str, str | int] = {
            "agency": look.agency_code,
            "client": look.client_id,
            "matter": look.matter_code,
            "case": look.case_number,
            "type": look.type_code,
            "fields": " ".join(look.fields),
            "basis": look.basis,
            "grant": look.grant_id,
            "outcome": look.outcome,
            "reference": look.reference,
        }
        subject = look.identifier or (f"holder:{index.hex()[:32]}" if index else look.reference)
        entries.append(
            audits.Entry(actor=look.operator or "holder", act=f"look.{look.kind}", subject=subject, detail=detail)
        )
    conn.execute(insert(LOOK), rows)
    audits.append(conn, entries, at=looks[0].at)


def looks_of_holder(store: Store, holder_code: str, *, before: int = 0, limit: int = LISTED) -> tuple[Look, ...]:
    """What the holder's ledger shows: looks at licences the holder has, and askings for the holder that found none.

    Newest first, at most `LISTED`; `before` is the id of the last one seen.
    """
    index = holder_index(store.cipher, holder_code)
    held = select(LICENCE_HOLDER.c.licence_id).where(LICENCE_HOLDER.c.code_index == index)
    return _found(store, or_(LOOK.c.holder_index == index, LOOK.c.licence_id.in_(held)), before, limit)


def looks_of_licence(store: Store, identifier: str, *, before: int = 0, limit: int = LISTED) -> tuple[Look, ...]:
    """The looks at one licence, newest first."""
    wanted = select(LICENCE.c.id).where(LICENCE.c.identifier == identifier).scalar_subquery()
    return _found(store, LOOK.c.licence_id == wanted, before, limit)


def looks_of_reference(store: Store, reference: str, *, before: int = 0, limit: int = LISTED) -> tuple[Look, ...]:
    """The looks under one use code or bulk id, newest first."""
    return _found(store, and_(LOOK.c.reference == reference, _REFERRED), before, limit) if reference else ()


def look(store: Store, look_id: int) -> Look:
    """One look.

    Raises:
        NotFoundError: none of this id.
    """
    query = _query().where(LOOK.c.id == look_id)
    with reading(store) as conn:
        row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no look is known under this number", code="look_not_found")
    return _look(store, row)


def count_for_holder(store: Store, holder_code: str, *, agency_code: str, since: datetime) -> int:
    """How often an agency has asked about a holder since a moment."""
    values = {"holder": holder_index(store.cipher, holder_code), "agency": agency_code, "since": since}
    with reading(store) as conn:
        return conn.execute(_ASKED, values).scalar_one()


def _found(store: Store, condition: Any, before: int, limit: int) -> tuple[Look, ...]:  # noqa: ANN401  # a condition
    query = _query().where(condition).order_by(LOOK.c.id.desc()).limit(min(limit, LISTED))
    if before:
        query = query.where(LOOK.c.id < before)
    with reading(store) as conn:
        return tuple(_look(store, row) for row in conn.execute(query).mappings())


def _query() -> Any:  # noqa: ANN401  # a query
    joined = LOOK.outerjoin(LICENCE, LICENCE.c.id == LOOK.c.licence_id)
    return select(*_COLUMNS, LICENCE.c.identifier).select_from(joined)


def _licence_ids(conn: Connection, identifiers: set[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    wanted = sorted(identifiers)
    for begin in range(0, len(wanted), LISTED):
        rows = conn.execute(_IDS, {"wanted": wanted[begin : begin + LISTED]})
        found |= {row.identifier: row.id for row in rows}
    return found


def _binding(look: Look) -> str:
    return f"look:{look.agency_code}:{look.case_number}"


def _row(store: Store, look: Look, licence_id: int | None, index: bytes | None) -> dict[str, Any]:
    return {
        "at": look.at,
        "kind": look.kind,
        "agency_code": look.agency_code,
        "client_id": look.client_id,
        "operator": look.operator,
        "matter_code": look.matter_code,
        "case_number": look.case_number,
        "type_code": look.type_code,
        "fields": " ".join(look.fields),
        "basis": look.basis,
        "grant_id": look.grant_id,
        "outcome": look.outcome,
        "reference": look.reference,
        "licence_id": licence_id,
        "holder_index": index,
        "key_id": store.cipher.key_id,
        "sealed": store.cipher.seal(look.purpose.encode(), _binding(look)),
    }


def _look(store: Store, row: RowMapping) -> Look:
    values = {key: row[key] for key in row if key not in ("fields", "key_id", "sealed", "identifier")}
    bare = Look(**values, purpose="", fields=tuple(row["fields"].split()), identifier=row["identifier"] or "")
    purpose = store.cipher.open(row["sealed"], _binding(bare), row["key_id"]).decode()
    return Look(**{**{name: getattr(bare, name) for name in bare.__slots__}, "purpose": purpose})
