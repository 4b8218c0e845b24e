"""Reading back what was issued: an agency its own licences and files, the public one masked answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certlib.errors import NotFoundError
from certlib.identifiers import normalise_identifier
from certlib.store import agencies, lookups
from certlib.store.lookups import PublicReader

if TYPE_CHECKING:
    from certlib.callers import AgencyCaller
    from certlib.library import Library
    from certlib.model import Licence

__all__ = ["PublicReader", "check_ready", "open_reader", "own_licence", "sealed_pdf"]


def open_reader(lib: Library) -> PublicReader:
    """The reader behind `answering.public_answer`, one per process. The caller closes it.

    Raises:
        UnavailableError: the database does not answer.
    """
    return lookups.open_public_reader(lib.store)


def own_licence(lib: Library, caller: AgencyCaller, identifier: str) -> Licence:
    """The caller's own licence under `identifier`. Another agency's is not known to it.

    Raises:
        NotFoundError: none, or of another agency.
    """
    licence = lookups.licence_by_identifier(lib.store, normalise_identifier(identifier))
    if licence.agency_code != caller.agency_code:
        raise NotFoundError("no licence is known under this key")
    return licence


def sealed_pdf(lib: Library, licence: Licence) -> bytes:
    """The sealed PDF as it was issued.

    Raises:
        OwnFaultError: it is lost or damaged.
    """
    return lookups.pdf_of(lib.store, licence)


def check_ready(lib: Library) -> None:
    """Pass if the record can be read now.

    Raises:
        UnavailableError: the database does not answer.
    """
    agencies.all_agencies(lib.store)
