"""Given values against recorded ones: match, differs or not recorded, field by field; the true value never leaves.

Pure. What is compared is what a person meant: full-width forms are narrow ones, codes know no case and no blanks, days
are days however they are written, amounts and numbers count by value. Texts and names are else compared as they are.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from certlib.catalogue import FieldKind
from certlib.errors import FieldFault, InvalidRequestError
from certlib.grants import BASE_FIELDS
from certlib.identifiers import normalise_identifier
from certlib.lawfulness import KIND_FORMS, text_fault
from certlib.sharing.finding import fits_keys, folded, folded_code, holder_codes, kinds_of, recorded_values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from certlib.catalogue import LicenceType
    from certlib.model import Licence

IDENTIFIER: Final = "identifier"
FINDERS: Final = (IDENTIFIER, "number", "holder_code")
"""Something of these must be given, or there is nothing to look up."""
MAX_KEY_CHARACTERS: Final = 200
"""Of an identifier, a number or a code; longer ones are recorded nowhere."""
MAX_VALUE_CHARACTERS: Final = 20_000
"""The longest field that a type can declare."""
LONG_TERM: Final = frozenset({"长期", "长期有效", "long-term", "long_term"})
"""How an end date is given that there is none."""
_CODES: Final = frozenset({"number", "holder_code", "area_code", "agency"})
_DAY: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?")
_DOTS: Final = str.maketrans(dict.fromkeys("•・‧･∙⋅", "·"))
"""Dots between the parts of a name, as different keyboards have them."""
_HAN: Final = "[\u3400-\u9fff\U00020000-\U0003ffff〇]"
_BESIDE_HAN: Final = re.compile(f"(?<={_HAN}) | (?={_HAN})")


class Compared(StrEnum):
    """What came of one given value. Wire-stable."""

    MATCH = "match"
    DIFFERS = "differs"
    NOT_RECORDED = "not_recorded"
    """The licence has no such value, so nothing can be said of the given one."""


class Outcome(StrEnum):
    """What came of a check. Wire-stable; in the order of judging (China profile, 6.2)."""

    NOTHING_FOUND = "nothing_found"
    AMBIGUOUS = "ambiguous"
    """Several licences fit, or several come near and none fits: more must be given."""
    DIFFERS = "differs"
    """One licence is meant, and not all that was given is recorded of it."""
    MATCH = "match"
    """All that was given is recorded of one licence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """Values that somebody says a licence has, read and lawful in form; made by `given_values`."""

    values: Mapping[str, str]
    """By the names of grants, and `identifier`; without blanks around them, none empty."""
    kinds: Mapping[str, FieldKind]
    """How values are written, by name; what is not in it is text."""

    @property
    def fields(self) -> tuple[str, ...]:
        """The names that must be granted."""
        return tuple(name for name in self.values if name != IDENTIFIER)

    @property
    def holder_code(self) -> str:
        """The holder's code in the form in which it is counted, or empty."""
        return folded_code(self.values.get("holder_code", ""))

    def key(self, name: str) -> str:
        """The value of one of `FINDERS`, or empty."""
        return self.values.get(name, "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What came of comparing."""

    outcome: Outcome
    licence: Licence | None
    """The one that is meant; None when nothing or too much was found."""
    fields: Mapping[str, Compared]
    """For each given value; empty without a licence."""


def known_names(licence_type: LicenceType | None) -> frozenset[str]:
    """Names under which values of a type can be given."""
    own = () if licence_type is None else (each.name for each in licence_type.fields)
    return frozenset({IDENTIFIER, *BASE_FIELDS, *own})


def given_values(licence_type: LicenceType, values: Mapping[str, str]) -> Given:
    """The given values, read.

    Raises:
        InvalidRequestError: nothing to look up by, or a value that none could have; with a fault for each, which
            never holds the value.
    """
    kinds, known = kinds_of(licence_type), known_names(licence_type)
    faults: list[FieldFault] = []
    for name, value in values.items():
        if name not in known:
            reason = "is not a value of this type; known are " + ", ".join(sorted(known))
            faults.append(FieldFault(field=name[:64], code="unknown_field", reason=reason))
        elif (fault := _fault(name, value, kinds.get(name, FieldKind.TEXT))) is not None:
            faults.append(fault)
    if not any(name in values for name in FINDERS):
        reason = "is missing: give an identifier, a number or a holder_code"
        faults.append(FieldFault(field="number", code="required", reason=reason))
    if faults:
        raise InvalidRequestError(tuple(faults))
    return Given(values={name: value.strip() for name, value in values.items()}, kinds=kinds)


def judged(given: Given, candidates: Sequence[Licence], language: str) -> Judged:
    """What can be said of `given` when `candidates` were found by it.

    One licence that fits all is the one meant; else the only one that was found, or that has all the given keys.
    """
    if not candidates:
        return Judged(outcome=Outcome.NOTHING_FOUND, licence=None, fields={})
    compared = [(each, compare(given, each, language)) for each in candidates]
    fitting = [pair for pair in compared if _all_match(pair[1].values())]
    if len(fitting) == 1:
        return Judged(outcome=Outcome.MATCH, licence=fitting[0][0], fields=fitting[0][1])
    if not fitting and len(compared) > 1:
        keys = {name: given.key(name) for name in FINDERS}
        compared = [pair for pair in compared if fits_keys(pair[0], **keys)]
    if fitting or len(compared) != 1:
        return Judged(outcome=Outcome.AMBIGUOUS, licence=None, fields={})
    return Judged(outcome=Outcome.DIFFERS, licence=compared[0][0], fields=compared[0][1])


def compare(given: Given, licence: Licence, language: str) -> dict[str, Compared]:
    """Each given value against what is recorded of the licence. `language` is the one of its type."""
    recorded = recorded_values(licence, given.fields, language)
    result: dict[str, Compared] = {}
    for name, value in given.values.items():
        if name == IDENTIFIER:
            same = normalise_identifier(value) == licence.identifier
        elif name in ("holder_name", "holder_code"):
            if name not in recorded:
                result[name] = Compared.NOT_RECORDED
                continue
            same = _is_holder(given, licence, name, recorded[name], language)
        elif name == "expires_on":  # none is recorded too: it is for ever
            same = _end(value) == licence.expires_on
        elif name not in recorded:
            result[name] = Compared.NOT_RECORDED
            continue
        else:
            same = _same(name, given.kinds.get(name, FieldKind.TEXT), value, recorded[name])
        result[name] = Compared.MATCH if same else Compared.DIFFERS
    return result


def _all_match(compared: Iterable[Compared]) -> bool:
    return all(each is Compared.MATCH for each in compared)


def _is_holder(given: Given, licence: Licence, name: str, joined: str, language: str) -> bool:
    """Whether the given name, or code, is that of a holder, or of all as the face joins them.

    When both are given they must be the same holder's.
    """
    form = _name_form if name == "holder_name" else folded_code
    value = form(given.values[name])
    if value == form(joined):
        return True
    code = given.holder_code
    if name == "holder_code" or not code or code == folded_code(holder_codes(licence, language)):
        held: Collection[str] = {each.code if name == "holder_code" else each.name for each in licence.holders}
    else:
        same_person = [each for each in licence.holders if folded_code(each.code) == code]
        held = {each.name for each in same_person or licence.holders}
    return value in {form(each) for each in held if each}


def _same(name: str, kind: FieldKind, value: str, recorded: str) -> bool:
    if name in _CODES:
        return folded_code(value) == folded_code(recorded)
    if kind is FieldKind.DATE:
        return _day(value) == _day(recorded)
    if kind in (FieldKind.MONEY, FieldKind.INTEGER):
        try:
            return Decimal(folded(value)) == Decimal(recorded)
        except InvalidOperation:  # an older version of the type had it as a text
            return False
    return _name_form(value) == _name_form(recorded)


def _name_form(text: str) -> str:
    """A name or text as it is compared; a blank beside a Han character is only decoration."""
    return _BESIDE_HAN.sub("", folded(text).translate(_DOTS))


def _end(value: str) -> date | None:
    return None if folded(value).lower() in LONG_TERM else _day(value)


def _day(value: str) -> date | None:
    """The day that a text names, year first; None if it names none."""
    if (hit := _DAY.fullmatch(folded(value))) is None:
        return None
    try:
        return date(*(int(part) for part in hit.groups() if part is not None))
    except ValueError:
        return None


def _fault(name: str, value: str, kind: FieldKind) -> FieldFault | None:
    """What keeps a given value from being compared, or None. The reason never holds it."""
    most = MAX_KEY_CHARACTERS if name in _CODES or name == IDENTIFIER else MAX_VALUE_CHARACTERS
    if kind is FieldKind.IMAGE:
        return FieldFault(field=name, code="not_comparable", reason="is a picture, which is not compared")
    if len(value) > most:
        return FieldFault(field=name, code="too_long", reason=f"has {len(value)} characters, at most {most}")
    narrow = folded(value)
    if not narrow:
        return FieldFault(field=name, code="required", reason="is empty; leave out what is not given")
    if (fault := text_fault(name, unicodedata.normalize("NFC", narrow))) is not None:
        return fault
    return _kind_fault(name, narrow, kind)


def _kind_fault(name: str, narrow: str, kind: FieldKind) -> FieldFault | None:
    for each, form, code, reason in KIND_FORMS:
        if kind is each and not form.fullmatch(narrow):
            return FieldFault(field=name, code=code, reason=reason)
    endless = name == "expires_on" and narrow.lower() in LONG_TERM
    if kind is FieldKind.DATE and not endless and _day(narrow) is None:
        return FieldFault(field=name, code="bad_date", reason="is not a day of the calendar (YYYY-MM-DD)")
    return None
