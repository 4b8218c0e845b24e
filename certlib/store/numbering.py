"""Serial and identifier of a new reservation, inside its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from certlib.identifiers import licence_identifier, serial
from certlib.store.tables import LICENCE

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from certlib.identifiers import LicenceIdentifier
    from certlib.store.values import Intent


def numbered(conn: Connection, intent: Intent, random: bytes) -> tuple[str, LicenceIdentifier]:
    """Serial and identifier. A later version stays under the serial of the one it supersedes (China profile 2.1).

    Where that identifier was given before, if only to a reservation that was given up, the serial is a new one, made of
    8 `random` bytes.
    """
    kept = serial_of_previous(conn, intent)
    if kept:
        identifier = _identifier(intent, kept)
        if conn.execute(select(LICENCE.c.id).where(LICENCE.c.identifier == identifier)).first() is None:
            return kept, identifier
    new = serial(intent.request.issued_on, random)
    return new, _identifier(intent, new)


def serial_of_previous(conn: Connection, intent: Intent) -> str:
    """The serial of the licence that the intent names as its previous one under the same number, or empty."""
    request = intent.request
    if not request.previous_identifier:
        return ""
    query = select(LICENCE.c.serial).where(
        LICENCE.c.identifier == request.previous_identifier,
        LICENCE.c.type_segment == intent.type_segment,
        LICENCE.c.agency_segment == intent.agency_segment,
        LICENCE.c.number == request.number,
        LICENCE.c.version < request.version,
    )
    return str(conn.execute(query).scalar_one_or_none() or "")


def _identifier(intent: Intent, serial_part: str) -> LicenceIdentifier:
    return licence_identifier(
        scheme=intent.identifier_scheme,
        root=intent.identifier_root,
        type_code=intent.type_segment,
        agency_code=intent.agency_segment,
        serial=serial_part,
        version=intent.request.version,
    )
