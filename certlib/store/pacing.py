"""How often an agency has asked about holders and licences: what guessing is recognised by. Read from the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, select

from certlib.store.converting import holder_index
from certlib.store.engine import reading
from certlib.store.tables import LICENCE
from certlib.store.tables_sharing import LOOK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

    from certlib.store.engine import Store

KEYS_AT_ONCE: Final = 500


def _asked(column: Any) -> Any:  # noqa: ANN401  # a column, a query
    """Askings by `column`, which must be the first of an index with agency and moment."""
    return (
        select(column.label("key"), func.count().label("asked"))
        .where(
            column.in_(bindparam("keys", expanding=True)),
            LOOK.c.agency_code == bindparam("agency"),
            LOOK.c.at >= bindparam("since"),
        )
        .group_by(column)
    )


_OF_HOLDERS: Final = _asked(LOOK.c.holder_index)
_OF_LICENCES: Final = _asked(LOOK.c.licence_id)
# Numbers first and looks by number then: joined, SQLite reads all that the agency asked in the hour.
_NUMBERS: Final = select(LICENCE.c.id, LICENCE.c.identifier).where(
    LICENCE.c.identifier.in_(bindparam("keys", expanding=True))
)


def asked_of_holders(
    store: Store, holder_codes: Collection[str], *, agency_code: str, since: datetime
) -> dict[str, int]:
    """Holder code -> how often the agency has named it since a moment; codes never named are left out."""
    codes = {holder_index(store.cipher, each): each for each in holder_codes}
    values = {"agency": agency_code, "since": since}
    with reading(store) as conn:
        rows = _rows(conn, _OF_HOLDERS, codes, values)
        return {codes[bytes(row.key)]: row.asked for row in rows}


def asked_of_licences(
    store: Store, identifiers: Collection[str], *, agency_code: str, since: datetime
) -> dict[str, int]:
    """Identifier -> how often the agency has looked at that licence since a moment; others are left out."""
    values = {"agency": agency_code, "since": since}
    with reading(store) as conn:
        numbers = {row.id: row.identifier for row in _rows(conn, _NUMBERS, identifiers, {})}
        return {numbers[row.key]: row.asked for row in _rows(conn, _OF_LICENCES, numbers, values)}


def _rows(
    conn: Connection,
    query: Any,  # noqa: ANN401  # a query
    keys: Collection[Any],
    values: dict[str, Any],
) -> Iterator[Any]:
    wanted = sorted(set(keys))
    for begin in range(0, len(wanted), KEYS_AT_ONCE):
        yield from conn.execute(query, {**values, "keys": wanted[begin : begin + KEYS_AT_ONCE]})
