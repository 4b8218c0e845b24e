"""Purpose-bound copies (加注件): a licence's form drawn again for one asker, one purpose and a time, with its own seal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from certlib.errors import UnavailableError

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.library import Library
    from certlib.model import Licence


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeFor:
    """For whom and what for a copy is made."""

    agency_code: str
    agency_name: str
    purpose: str
    """1 to 200 characters, of any script."""
    until: datetime
    """Aware. A copy never lives longer than its licence."""
    use_code: str
    """ASCII, 1 to 64 characters; stands under the code where a licence has its look-up code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundCopy:
    """A sealed and self-verified copy. Nothing of it is kept here."""

    pdf: bytes
    sha256: str
    """Hex."""
    name: str
    """Safe file name that says it is a copy; holds granted values only."""


def bound_copy(lib: Library, licence: Licence, made_for: MadeFor, *, fields: frozenset[str]) -> BoundCopy:
    """A copy of `licence` for `made_for`, with the granted `fields` (names as in grants) and nothing else of it.

    The licence's row is not touched.

    Raises:
        InvalidRequestError: `until` has passed, or purpose, agency or use code cannot be used.
        TypeFolderError, NotFoundError: the form of the licence is gone or changed.
        SetupError: the issuing agency has no usable key.
        OwnFaultError: our own work did not pass our own check.
        UnavailableError: the time stamping authority or the store does not answer.
    """
    raise UnavailableError("copies are not drawn yet")
