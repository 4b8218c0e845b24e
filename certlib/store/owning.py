"""The licences of one holder: found by the code's keyed hash, kept only if the kind of code is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from certlib.store.converting import holder_index, licence_value
from certlib.store.engine import reading
from certlib.store.tables import LICENCE, LICENCE_HOLDER

if TYPE_CHECKING:
    from collections.abc import Collection

    from certlib.model import Licence
    from certlib.store.engine import Store

LISTED: Final = 500


def held_by(licence: Licence, code: str, code_type: str) -> bool:
    """Whether this holder is one of the licence's.

    Case does not matter; the kind of code does: equal characters of another document are another holder.
    """
    return any(each.code.upper() == code.upper() and each.code_type == code_type for each in licence.holders)


def owned(
    store: Store, code: str, code_type: str, *, before: str = "", limit: int = LISTED
) -> tuple[tuple[Licence, ...], str]:
    """The holder's issued licences, newest first, and the identifier after which the next page begins, or empty.

    `before` is what the last page gave so.
    """
    most = min(limit, LISTED)
    query = (
        select(LICENCE)
        .join(LICENCE_HOLDER, LICENCE_HOLDER.c.licence_id == LICENCE.c.id)
        .where(LICENCE_HOLDER.c.code_index == holder_index(store.cipher, code), LICENCE.c.state == "issued")
        .order_by(LICENCE.c.id.desc())
        .limit(most + 1)
    )
    if before:
        query = query.where(LICENCE.c.id < select(LICENCE.c.id).where(LICENCE.c.identifier == before).scalar_subquery())
    with reading(store) as conn:
        rows = conn.execute(query).mappings().all()
    found = [licence_value(store.cipher, row) for row in rows[:most]]
    following = found[-1].identifier if len(rows) > most else ""
    # A licence that names the same code twice is found twice.
    once = {each.identifier: each for each in found if held_by(each, code, code_type)}
    return tuple(once.values()), following


def has_namesake(store: Store, code: str, code_type: str) -> bool:
    """Whether licences stand under the same characters of another kind of document, and so are another holder's."""
    index = holder_index(store.cipher, code)
    query = (
        select(LICENCE)
        .join(LICENCE_HOLDER, LICENCE_HOLDER.c.licence_id == LICENCE.c.id)
        .where(LICENCE_HOLDER.c.code_index == index, LICENCE.c.state == "issued")
        .order_by(LICENCE.c.id.desc())
        .limit(LISTED)
    )
    with reading(store) as conn:
        rows = conn.execute(query).mappings().all()
    return not all(held_by(licence_value(store.cipher, row), code, code_type) for row in rows)


def licences_named(store: Store, identifiers: Collection[str]) -> dict[str, Licence]:
    """The issued licences of these identifiers, at most 500, by identifier."""
    wanted = sorted(identifiers)[:LISTED]
    query = select(LICENCE).where(LICENCE.c.identifier.in_(wanted), LICENCE.c.state == "issued")
    if not wanted:
        return {}
    with reading(store) as conn:
        rows = conn.execute(query).mappings().all()
    return {row["identifier"]: licence_value(store.cipher, row) for row in rows}
