"""The parameters of a question as they are asked: each of its type, or a fault that says which type it must be."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, InvalidRequestError
from certlib.questions import ParameterType

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from certlib.questions import Parameter, Question, Relation

EAST_OF_ALL: Final = timedelta(hours=14)
"""The zone in which a day begins first: what is no day yet there is the future everywhere."""
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A question with its parameters, each of its type."""

    question: Question
    parameters: Mapping[str, str | int]
    """As they were asked; dates as ISO 8601."""

    @property
    def day(self) -> date:
        """Of `valid_on`."""
        return date.fromisoformat(str(self.parameters["date"]))

    @property
    def relation(self) -> Relation:
        """Of `relation`: the one that was chosen."""
        return next(each for each in self.question.relations if each.name == self.parameters["relation"])


def letters(text: str) -> int:
    """How much a text says: letters and digits, Han characters and other wide ones counting two."""
    told = [each for each in unicodedata.normalize("NFKC", text) if each.isalnum()]
    return sum(2 if is_wide(each) else 1 for each in told)


def is_wide(letter: str) -> bool:
    """Whether a character is as wide as a Han character (Unicode, annex 11)."""
    return unicodedata.east_asian_width(letter) in "WF"


def asked(questions: Sequence[Question], name: str, given: Mapping[str, object], *, now: datetime) -> Asked:
    """The question `name` out of `questions`, with the parameters in `given` judged.

    Raises:
        InvalidRequestError: with a fault for each; `question` when there is none such, else `parameters.<name>`, each
            reason naming the type that is wanted. Never a value.
    """
    question = next((each for each in questions if each.name == name), None)
    if question is None:
        known = ", ".join(each.name for each in questions)
        raise InvalidRequestError((_fault("question", "unknown_question", f"this type answers: {known}"),))
    wanted = question.parameters
    faults = [fault for each in wanted if (fault := _parameter_fault(each, given.get(each.name), now)) is not None]
    names = ", ".join(each.name for each in wanted)
    if given.keys() - {
        each.name for each in wanted
    }:  # not by their names, which a caller may have filled with anything
        faults.append(_fault("parameters", "unknown_parameter", f"{question.name} takes only: {names}"))
    if faults:
        raise InvalidRequestError(tuple(faults))
    return Asked(question=question, parameters={each.name: _plain(given[each.name]) for each in wanted})


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def described(parameter: Parameter) -> str:
    """What a parameter must be, in words."""
    match parameter.type:
        case ParameterType.DATE:
            return "a date as text, YYYY-MM-DD"
        case ParameterType.CHOICE:
            return "one of " + ", ".join(parameter.choices)
        case ParameterType.INTEGER if parameter.choices:
            return "a whole number, one of " + ", ".join(parameter.choices)
        case ParameterType.INTEGER:
            return f"a whole number from {parameter.minimum} to {parameter.maximum}"
        case ParameterType.CODE:
            return f"a person's or organisation's code as text, at most {parameter.maximum} characters"
        case ParameterType.TEXT:
            return f"a text of at most {parameter.maximum} characters"


def _parameter_fault(parameter: Parameter, value: object, now: datetime) -> FieldFault | None:
    name = f"parameters.{parameter.name}"
    if value is None:
        return _fault(name, "required", f"is missing: {described(parameter)}")
    if parameter.type is ParameterType.INTEGER:
        return _integer_fault(parameter, name, value)
    if not isinstance(value, str):
        return _fault(name, "wrong_type", f"must be {described(parameter)}")
    return _text_fault(parameter, name, value, now)


def _text_fault(parameter: Parameter, name: str, value: str, now: datetime) -> FieldFault | None:
    if parameter.type is ParameterType.CHOICE:
        return None if value in parameter.choices else _fault(name, "bad_choice", f"must be {described(parameter)}")
    if parameter.type is ParameterType.DATE:
        return _date_fault(name, value, now)
    if len(value) > (parameter.maximum or 0):
        return _fault(name, "too_long", f"must be {described(parameter)}")
    if not value.strip() or not value.isprintable():
        return _fault(name, "bad_character", f"must be {described(parameter)}, printable and not blank")
    if parameter.type is ParameterType.TEXT and letters(value) < (parameter.minimum or 1):
        reason = f"needs at least {parameter.minimum} letters or digits, a Han character counting two"
        return _fault(name, "too_short", f"must be a text that {reason}: a guess must say something")
    return None


def _integer_fault(parameter: Parameter, name: str, value: object) -> FieldFault | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return _fault(name, "wrong_type", f"must be {described(parameter)}")
    low, high = parameter.minimum or 0, parameter.maximum or 0
    if not low <= value <= high or (parameter.choices and str(value) not in parameter.choices):
        return _fault(name, "out_of_range", f"must be {described(parameter)}")
    return None


def _date_fault(name: str, value: str, now: datetime) -> FieldFault | None:
    wanted = "a date as text, YYYY-MM-DD"
    if not _DAY.fullmatch(value):
        return _fault(name, "bad_date", f"must be {wanted}")
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return _fault(name, "bad_date", f"must be {wanted}, a day of the calendar")
    if day > (now + EAST_OF_ALL).date():
        return _fault(name, "future_date", f"must be {wanted}, not in the future: of that nothing is recorded yet")
    return None


def _fault(field: str, code: str, reason: str) -> FieldFault:
    return FieldFault(field=field, code=code, reason=reason)
