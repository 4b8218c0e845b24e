"""Finding licences of one type for those who ask about them: many keys at once, current versions only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, text

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


def by_identifiers(store: Store, type_code: str, identifiers: Collection[str]) -> tuple[Licence, ...]:
    """The issued licences of the type with these identifiers, superseded ones too; order by age."""
    with reading(store) as conn:
        return _licences(
            store,
            conn,
            [_issued(type_code).where(LICENCE.c.identifier.in_(some)) for some in _pieces(identifiers)],
        )


def by_numbers(store: Store, type_code: str, numbers: Collection[str], *, agency_code: str = "") -> tuple[Licence, ...]:
    """The current licences of the type with exactly these numbers, of one agency if given; order by age."""
    with reading(store) as conn:
        agencies = [_printable(agency_code)] if agency_code else _issuers(conn, type_code)
        if not agencies:
            return ()
        # The index begins with the agency; there are few, and each is one range of it.
        return _licences(
            store,
            conn,
            [
                _issued(type_code).where(
                    LICENCE.c.agency_code.in_(agencies),
                    LICENCE.c.number.in_(some),
                    text("state <> 'void'"),
                    LICENCE.c.status != "superseded",
                )
                for some in _pieces(numbers)
            ],
        )


def by_holders(
    store: Store, type_codes: Collection[str], holder_codes: Collection[str], *, most: int = LISTED
) -> tuple[Licence, ...]:
    """The current licences of the types that holders of these codes have, at most `most` of each code; by age."""
    indices = {holder_index(store.cipher, each) for each in holder_codes}
    with reading(store) as conn:
        return _licences(store, conn, [_held(type_codes, some, most) for some in _pieces(indices)])


def _held(type_codes: Collection[str], indices: Sequence[bytes], most: int) -> Any:  # noqa: ANN401  # a query
    place = func.row_number().over(partition_by=LICENCE_HOLDER.c.code_index, order_by=LICENCE_HOLDER.c.licence_id)
    held = (
        select(LICENCE_HOLDER.c.licence_id, place.label("place"))
        .join(LICENCE, LICENCE.c.id == LICENCE_HOLDER.c.licence_id)
        .where(
            LICENCE_HOLDER.c.code_index.in_(indices),
            LICENCE.c.type_code.in_([each for each in type_codes if each.isprintable()]),
            LICENCE.c.state == "issued",
            LICENCE.c.status != "superseded",
        )
        .subquery()
    )
    return select(LICENCE).where(LICENCE.c.id.in_(select(held.c.licence_id).where(held.c.place <= most)))


def _issued(type_code: str) -> Any:  # noqa: ANN401  # a query
    return select(LICENCE).where(LICENCE.c.type_code == _printable(type_code), LICENCE.c.state == "issued")


def _printable(code: str) -> str:
    """The code, or an empty one where drivers would choke on it; nothing is recorded under that."""
    return code if code.isprintable() else ""


def _issuers(conn: Connection, type_code: str) -> list[str]:
    """The agencies that have issued the type: one step into the index for each agency of the library."""
    one = select(LICENCE.c.id).where(
        LICENCE.c.agency_code == AGENCY.c.code, LICENCE.c.type_code == _printable(type_code), text("state <> 'void'")
    )
    return list(conn.execute(select(AGENCY.c.code).where(one.exists())).scalars())


def _licences(store: Store, conn: Connection, queries: Sequence[Any]) -> tuple[Licence, ...]:
    rows = {row["id"]: row for query in queries for row in conn.execute(query).mappings()}
    return tuple(licence_value(store.cipher, rows[each]) for each in sorted(rows))


def _pieces(keys: Collection[Any]) -> Iterator[list[Any]]:
    """The keys in blocks; those that no record can have are left out, since drivers choke on some of them."""
    wanted = sorted({each for each in keys if isinstance(each, bytes) or each.isprintable()})
    for begin in range(0, len(wanted), KEYS_AT_ONCE):
        yield wanted[begin : begin + KEYS_AT_ONCE]
