"""What people may write into tickets, ratings and reports: bounded, printable, and there where it is needed. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, InvalidRequestError
from certlib.grants import MAX_CODE_CHARACTERS, MAX_OPERATOR_CHARACTERS
from certlib.lawfulness import text_fault

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TEXT_CHARACTERS: Final = 1000
MAX_VALUE_CHARACTERS: Final = 500
MAX_CONTACT_CHARACTERS: Final = 100


def text_faults(name: str, value: str, *, most: int = MAX_TEXT_CHARACTERS, needed: bool = True) -> list[FieldFault]:
    """What is wrong with a text; line breaks are data."""
    if not value.strip():
        return [FieldFault(field=name, code="required", reason="is missing")] if needed else []
    if len(value) > most:
        return [FieldFault(field=name, code="too_long", reason=f"has more than {most} characters")]
    fault = text_fault(name, value, multiline=True)
    return [] if fault is None else [fault]


def word_faults(name: str, value: str, *, most: int = MAX_CODE_CHARACTERS, needed: bool = True) -> list[FieldFault]:
    """What is wrong with a name or code; one line."""
    if not value.strip():
        return [FieldFault(field=name, code="required", reason="is missing")] if needed else []
    if len(value) > most:
        return [FieldFault(field=name, code="too_long", reason=f"has more than {most} characters")]
    if not value.isprintable():
        return [FieldFault(field=name, code="bad_character", reason="holds a character that is not printed")]
    return []


def operator_faults(operator: str) -> list[FieldFault]:
    """What is wrong with the name of who does it."""
    return word_faults("operator", operator, most=MAX_OPERATOR_CHARACTERS)


def require(faults: Iterable[FieldFault]) -> None:
    """Pass if there are no faults.

    Raises:
        InvalidRequestError: there are.
    """
    if found := tuple(faults):
        raise InvalidRequestError(found)
