"""Finding licences of one type for those who ask about them: many keys at once, current versions only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, select, text

from certlib.store.converting import holder_index, licence_value
from certlib.store.engine import reading
from certlib.store.tables import AGENCY, LICENCE, LICENCE_HOLDER

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection

    from certlib.model import Licence
    from certlib.store.engine import Store

KEYS_AT_ONCE: Final = 500
"""Keys in one statement; SQLite takes 32,766 values."""
LISTED: Final = 500
"""More hits than this are a search too wide, not an answer (China profile, 7.6)."""
_SUPERSEDED: Final = "superseded"


def _wanted(name: str) -> Any:  # noqa: ANN401  # a list of values, bound when the statement is run
    return bindparam(name, expanding=True)


_ISSUED: Final = select(LICENCE).where(LICENCE.c.state == "issued")
_BY_IDENTIFIER: Final = _ISSUED.where(
    LICENCE.c.identifier.in_(_wanted("keys")), LICENCE.c.type_code.in_(_wanted("types"))
)
_BY_NUMBER: Final = _ISSUED.where(
    LICENCE.c.agency_code.in_(_wanted("agencies")),
    LICENCE.c.type_code.in_(_wanted("types")),
    LICENCE.c.number.in_(_wanted("keys")),
    text("state <> 'void'"),
    LICENCE.c.status != _SUPERSEDED,
)
_ISSUERS: Final = select(AGENCY.c.code).where(
    select(LICENCE.c.id)
    .where(
        LICENCE.c.agency_code == AGENCY.c.code,
        LICENCE.c.type_code == bindparam("type_code"),
        text("state <> 'void'"),
    )
    .exists()
)
"""One step into the index for each agency of the library."""
_HELD: Final = (
    select(
        LICENCE_HOLDER.c.licence_id,
        func.row_number()
        .over(partition_by=LICENCE_HOLDER.c.code_index, order_by=LICENCE_HOLDER.c.licence_id)
        .label("place"),
    )
    .join(LICENCE, LICENCE.c.id == LICENCE_HOLDER.c.licence_id)
    .where(
        LICENCE_HOLDER.c.code_index.in_(_wanted("keys")),
        LICENCE.c.type_code.in_(_wanted("types")),
        LICENCE.c.state == "issued",
        LICENCE.c.status != _SUPERSEDED,
    )
    .subquery()
)
_BY_HOLDER: Final = select(LICENCE).where(
    LICENCE.c.id.in_(select(_HELD.c.licence_id).where(_HELD.c.place <= bindparam("most")))
)


def by_identifiers(store: Store, type_code: str, identifiers: Collection[str]) -> tuple[Licence, ...]:
    """The issued licences of the type with these identifiers, superseded ones too; order by age."""
    with reading(store) as conn:
        return _licences(store, conn, _BY_IDENTIFIER, identifiers, {"types": _printable([type_code])})


def by_numbers(store: Store, type_code: str, numbers: Collection[str], *, agency_code: str = "") -> tuple[Licence, ...]:
    """The current licences of the type with exactly these numbers, of one agency if given; order by age."""
    types = _printable([type_code])
    with reading(store) as conn:
        # The index begins with the agency; there are few, and each is one range of it.
        agencies = [agency_code] if agency_code else list(_issuers(conn, types))
        return _licences(store, conn, _BY_NUMBER, numbers, {"types": types, "agencies": _printable(agencies)})


def by_holders(
    store: Store, type_codes: Collection[str], holder_codes: Collection[str], *, most: int = LISTED
) -> tuple[Licence, ...]:
    """The current licences of the types that holders of these codes have, at most `most` of each code; by age."""
    indices = {holder_index(store.cipher, each) for each in holder_codes}
    with reading(store) as conn:
        return _licences(store, conn, _BY_HOLDER, indices, {"types": _printable(type_codes), "most": most})


def _issuers(conn: Connection, types: Sequence[str]) -> Iterator[str]:
    """The agencies that have issued a type."""
    for each in types:
        yield from conn.execute(_ISSUERS, {"type_code": each}).scalars()


def _licences(
    store: Store,
    conn: Connection,
    query: Any,  # noqa: ANN401  # a query
    keys: Collection[Any],
    values: dict[str, Any],
) -> tuple[Licence, ...]:
    wanted = sorted(_printable(keys))
    rows: dict[int, Any] = {}
    for begin in range(0, len(wanted), KEYS_AT_ONCE):
        found = conn.execute(query, {**values, "keys": wanted[begin : begin + KEYS_AT_ONCE]}).mappings()
        rows |= {row["id"]: row for row in found}
    return tuple(licence_value(store.cipher, rows[each]) for each in sorted(rows))


def _printable(keys: Collection[Any]) -> list[Any]:
    """The keys without those that no record can have, since drivers choke on some of them."""
    return [each for each in set(keys) if isinstance(each, bytes) or each.isprintable()]
