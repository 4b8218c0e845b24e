"""How often an agency has asked about holders and licences: what guessing is recognised by. Read from the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from certlib.store.converting import holder_index
from certlib.store.engine import reading
from certlib.store.tables import LICENCE
from certlib.store.tables_sharing import LOOK

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from certlib.store.engine import Store

KEYS_AT_ONCE: Final = 500


def asked_of_holders(
    store: Store, holder_codes: Collection[str], *, agency_code: str, since: datetime
) -> dict[str, int]:
    """Holder code -> how often the agency has named it since a moment; codes never named are left out."""
    codes = {holder_index(store.cipher, each): each for each in holder_codes}
    counts: dict[str, int] = {}
    wanted = sorted(codes)
    with reading(store) as conn:
        for begin in range(0, len(wanted), KEYS_AT_ONCE):
            query = (
                select(LOOK.c.holder_index, func.count().label("asked"))
                .where(
                    LOOK.c.holder_index.in_(wanted[begin : begin + KEYS_AT_ONCE]),
                    LOOK.c.agency_code == agency_code,
                    LOOK.c.at >= since,
                )
                .group_by(LOOK.c.holder_index)
            )
            counts |= {codes[bytes(row.holder_index)]: row.asked for row in conn.execute(query)}
    return counts


def asked_of_licences(
    store: Store, identifiers: Collection[str], *, agency_code: str, since: datetime
) -> dict[str, int]:
    """Identifier -> how often the agency has looked at that licence since a moment; others are left out."""
    counts: dict[str, int] = {}
    wanted = sorted(set(identifiers))
    with reading(store) as conn:
        for begin in range(0, len(wanted), KEYS_AT_ONCE):
            query = (
                select(LICENCE.c.identifier, func.count().label("asked"))
                .join(LOOK, LOOK.c.licence_id == LICENCE.c.id)
                .where(
                    LICENCE.c.identifier.in_(wanted[begin : begin + KEYS_AT_ONCE]),
                    LOOK.c.agency_code == agency_code,
                    LOOK.c.at >= since,
                )
                .group_by(LICENCE.c.identifier)
            )
            counts |= {row.identifier: row.asked for row in conn.execute(query)}
    return counts
