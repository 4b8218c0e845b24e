"""Which licences an asking is about, and what is recorded of them under the names that grants use."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from certlib.catalogue import FieldKind, parse_type
from certlib.errors import NotFoundError
from certlib.faces import holder_names
from certlib.identifiers import normalise_identifier
from certlib.model import derived_word
from certlib.store import agencies, seeking

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from certlib.catalogue import LicenceType
    from certlib.library import Library
    from certlib.model import Licence, OverallWord

_NARROW: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "}
"""Full-width forms and the ideographic blank, as an input method types them."""
_WIDE_BRACKETS: Final = str.maketrans("()", "（）")
_IMAGE: Final = re.compile(r"sha256:[0-9a-f]{64}")
"""What stands for a picture in a licence's fields."""


def folded(text: str) -> str:
    """NFC, full-width forms made narrow, runs of blanks made one, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_NARROW).split())


def folded_code(text: str) -> str:
    """A code or number as it is compared: as `folded`, in capitals, without blanks."""
    return folded(text).upper().replace(" ", "")


def number_forms(number: str) -> frozenset[str]:
    """The ways in which a number that was typed may stand in the record, exact; a handful."""
    typed = unicodedata.normalize("NFC", number).strip()
    narrow = folded(number)
    forms = {typed, narrow, narrow.replace(" ", "")}
    forms |= {each.translate(_WIDE_BRACKETS) for each in forms}
    return frozenset(forms | {each.upper() for each in forms})


def code_forms(holder_code: str) -> frozenset[str]:
    """The ways in which a holder's code that was typed may stand in the record; case does not matter there."""
    typed = unicodedata.normalize("NFC", holder_code).strip()
    narrow = folded(holder_code)
    return frozenset({typed, narrow, narrow.replace(" ", "")})


def find(
    lib: Library, *, type_code: str, holder_code: str = "", number: str = "", identifier: str = ""
) -> tuple[Licence, ...]:
    """The licences of a type that the given keys name, oldest first; may be empty.

    Current ones only; an identifier finds a superseded licence too. What is given must all fit.
    """
    if identifier:
        found = seeking.by_identifiers(lib.store, type_code, [normalise_identifier(identifier)])
    elif number:
        found = seeking.by_numbers(lib.store, type_code, number_forms(number))
    elif holder_code:
        return seeking.by_holders(lib.store, [type_code], code_forms(holder_code))
    else:
        return ()
    return tuple(each for each in found if fits_keys(each, holder_code=holder_code, number=number))


def fits_keys(licence: Licence, *, holder_code: str = "", number: str = "", identifier: str = "") -> bool:
    """Whether a licence has all of the keys that are given."""
    return (
        (not identifier or licence.identifier == normalise_identifier(identifier))
        and (not number or folded_code(licence.number) == folded_code(number))
        and (not holder_code or folded_code(holder_code) in {folded_code(each.code) for each in licence.holders})
    )


def type_of(lib: Library, type_code: str) -> LicenceType:
    """The newest registered version of a type.

    Raises:
        NotFoundError: code `type_not_found`; the library has none such.
    """
    known = agencies.current_type(lib.store, type_code)
    return parse_type(known.type_toml, where=f"{known.code}/v{known.version}/type.toml", version=known.version)


def values_of(lib: Library, licence: Licence, names: Collection[str]) -> dict[str, str]:
    """What is recorded of `names` (as grants name them): name -> text; what is missing is left out.

    Dates are ISO 8601; names and codes of several holders are joined as on the face; `agency` is the agency's code. A
    long-term licence has no `expires_on`. Images are never in it.
    """
    try:
        language = type_of(lib, licence.type_code).language
    except NotFoundError:  # a type that was issued is never forgotten; without its language a comma joins
        language = ""
    return recorded_values(licence, names, language)


def recorded_values(licence: Licence, names: Collection[str], language: str) -> dict[str, str]:
    """As `values_of`, when the language of the licence's type is known."""
    base = {
        "number": licence.number,
        "holder_name": holder_names(licence.holders, language),
        "holder_code": holder_codes(licence, language),
        "issued_on": licence.issued_on.isoformat(),
        "effective_on": licence.effective_on.isoformat(),
        "expires_on": licence.expires_on.isoformat() if licence.expires_on else "",
        "area_code": licence.area_code,
        "agency": licence.agency_code,
    }
    own = {name: value for name, value in licence.fields.items() if not _IMAGE.fullmatch(value)}
    return {name: value for name in names if (value := base.get(name, own.get(name, "")))}


def holder_codes(licence: Licence, language: str) -> str:
    """The holders' codes as one text, joined as their names are; those without a code are left out."""
    return ("、" if language.startswith("zh") else ", ").join(each.code for each in licence.holders if each.code)


def word_of(licence: Licence, now: datetime) -> OverallWord:
    """What the record says of the licence at `now`: `valid`, `expired`, `suspended`, `revoked` ..."""
    return derived_word(licence.status, licence.effective_on, licence.expires_on, licence.timezone, now)


def kinds_of(licence_type: LicenceType) -> dict[str, FieldKind]:
    """How the values of a type's own fields, and of the base values that are dates, are written."""
    days = dict.fromkeys(("issued_on", "effective_on", "expires_on"), FieldKind.DATE)
    return days | {each.name: each.kind for each in licence_type.fields}
