"""Questions that a type answers with yes, no or not recorded: declared in its type.toml, typed in their parameters.

Pure. docs/types.md, 7, is the reference for authors.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

GRANT_PREFIX: Final = "question:"
"""Before a question's name: how a grant's fields allow it."""
VALID_ON: Final = "is_valid_on"
"""Every type answers it without declaring it."""
HOLDER_CODE: Final = "holder_code"
"""As the field of `age_at_least`: the birth date is read from the holder's citizen number."""
CITIZEN_TYPE: Final = "111"  # GB/T 36903-2018, appendix A
MIN_TEXT: Final = 4
MAX_AGE: Final = 150
MAX_AMOUNT: Final = 10**18 - 1
MAX_TEXT_CHARACTERS: Final = 200
MAX_CODE_CHARACTERS: Final = 64
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


class QuestionKind(StrEnum):
    """How a question is answered: a closed set. Wire-stable."""

    VALID_ON = "valid_on"
    AGE_AT_LEAST = "age_at_least"
    RELATION = "relation"
    TEXT_INCLUDES = "text_includes"
    FIELD_AT_LEAST = "field_at_least"
    FIELD_IS = "field_is"


FIELD_KINDS: Final = {
    QuestionKind.AGE_AT_LEAST: frozenset({"date"}),
    QuestionKind.TEXT_INCLUDES: frozenset({"text"}),
    QuestionKind.FIELD_AT_LEAST: frozenset({"integer", "money"}),
    QuestionKind.FIELD_IS: frozenset({"text", "date", "integer", "money"}),
}
"""Kinds of fields that each kind of question can be about."""
GUESSABLE: Final = frozenset({QuestionKind.TEXT_INCLUDES, QuestionKind.FIELD_AT_LEAST, QuestionKind.FIELD_IS})
"""Kinds by which a value could be found out step by step: never about a sensitive field."""


class ParameterType(StrEnum):
    """How a parameter is written in JSON. Wire-stable."""

    DATE = "date"
    """Text, `2026-11-22`."""
    INTEGER = "integer"
    TEXT = "text"
    CODE = "code"
    """The code of a holder or of another person, as text."""
    CHOICE = "choice"
    """One of the listed texts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """One parameter of a question. All are needed."""

    name: str
    type: ParameterType
    choices: tuple[str, ...] = ()
    """For `choice`, and for an `integer` of which only these are answered."""
    minimum: int | None = None
    """Least integer; of a text the least letters, wide ones counting two."""
    maximum: int | None = None
    """Greatest integer; most characters of a text or code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """How the holder of a licence is related to the persons whose codes stand in some of its fields."""

    name: str
    fields: tuple[str, ...]
    inverse: bool
    """False: the one asked about is the holder, and the code given is compared with the fields. True: the other way
    round."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One question of a type."""

    name: str
    label_zh: str
    label_en: str
    kind: QuestionKind
    field: str = ""
    """What it is about: a field's name or `HOLDER_CODE`; empty for `valid_on` and `relation`."""
    relations: tuple[Relation, ...] = ()
    allowed: tuple[int, ...] = ()
    """Integers that may be asked; empty: any."""
    min_length: int = MIN_TEXT

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What must be given to ask it, in the order in which the documents name them."""
        choices = tuple(map(str, self.allowed))
        match self.kind:
            case QuestionKind.VALID_ON:
                return (Parameter(name="date", type=ParameterType.DATE),)
            case QuestionKind.AGE_AT_LEAST:
                age = Parameter(name="age", type=ParameterType.INTEGER, choices=choices, minimum=1, maximum=MAX_AGE)
                return (age,)
            case QuestionKind.RELATION:
                names = tuple(each.name for each in self.relations)
                return (
                    Parameter(name="relation", type=ParameterType.CHOICE, choices=names),
                    Parameter(name="code", type=ParameterType.CODE, minimum=1, maximum=MAX_CODE_CHARACTERS),
                )
            case QuestionKind.FIELD_AT_LEAST:
                low, high = -MAX_AMOUNT, MAX_AMOUNT
                amount = ParameterType.INTEGER
                return (Parameter(name="amount", type=amount, choices=choices, minimum=low, maximum=high),)
            case QuestionKind.TEXT_INCLUDES:
                low = self.min_length
                return (Parameter(name="text", type=ParameterType.TEXT, minimum=low, maximum=MAX_TEXT_CHARACTERS),)
            case QuestionKind.FIELD_IS:
                return (Parameter(name="text", type=ParameterType.TEXT, minimum=1, maximum=MAX_TEXT_CHARACTERS),)


BUILT_IN: Final = Question(
    name=VALID_ON, label_zh="在该日有效", label_en="Was or is valid on that day", kind=QuestionKind.VALID_ON
)


def grant_name(question: str) -> str:
    """The name under which a grant's fields allow this question."""
    return GRANT_PREFIX + question


@dataclass(frozen=True, kw_only=True, slots=True)
class Askable:
    """What a declaration must know of a field of its type."""

    kind: str
    """Value of `catalogue.FieldKind`."""
    sensitive: bool


def read_questions(
    data: object, *, where: str, fields: Mapping[str, Askable], code_types: Sequence[str]
) -> tuple[tuple[Question, ...], list[str]]:
    """The questions that `[[questions]]` of a type.toml declares, and what is wrong with them, one line each."""
    if not isinstance(data, list):
        return (), [f"{where}: questions: must be tables, [[questions]]"]
    found: list[Question] = []
    problems: list[str] = []
    for index, each in enumerate(data, 1):
        reader = _Declaration(each, fields, code_types)
        question = reader.question()
        problems += [f"{where}: questions[{index}]: {line}" for line in reader.problems]
        if not reader.problems:
            found.append(question)
    names = [each.name for each in found]
    twice = sorted({each for each in names if names.count(each) > 1})
    problems += [f"{where}: questions: name {each} stands twice" for each in twice]
    return tuple(found), problems


_KEYS: Final = {
    QuestionKind.AGE_AT_LEAST: {"field", "allowed"},
    QuestionKind.RELATION: {"relations"},
    QuestionKind.TEXT_INCLUDES: {"field", "min_length"},
    QuestionKind.FIELD_AT_LEAST: {"field", "allowed"},
    QuestionKind.FIELD_IS: {"field"},
}
_DECLARABLE: Final = tuple(_KEYS)


class _Declaration:
    """Reads one table of `[[questions]]` and gathers what is wrong with it."""

    def __init__(self, data: object, fields: Mapping[str, Askable], code_types: Sequence[str]) -> None:
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}
        self.fields = fields
        self.code_types = code_types
        self.problems: list[str] = [] if isinstance(data, dict) else ["must be a table"]

    def problem(self, key: str, what: str) -> None:
        self.problems.append(f"{key}: {what}")

    def question(self) -> Question:
        """Call once; it is to be trusted only if `problems` stays empty."""
        kind = self.kind()
        label = self.label()
        keys = {"name", "label", "kind", *_KEYS[kind]}
        for key in sorted(self.data.keys() - keys):
            self.problem(key, f"not a key of a question of kind {kind}")
        return Question(
            name=self.name(),
            label_zh=label[0],
            label_en=label[1],
            kind=kind,
            field=self.field(kind) if "field" in keys else "",
            relations=self.relations() if "relations" in keys else (),
            allowed=self.allowed(kind) if "allowed" in self.data and "allowed" in keys else (),
            min_length=self.min_length() if "min_length" in keys else MIN_TEXT,
        )

    def name(self) -> str:
        value = self.data.get("name")
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            self.problem("name", f"must match {_NAME.pattern}")
            return ""
        if value == VALID_ON:
            self.problem("name", f"{VALID_ON} is answered by every type; it is not declared")
        return value

    def kind(self) -> QuestionKind:
        value = self.data.get("kind")
        if value in _DECLARABLE:
            return QuestionKind(value)
        self.problem("kind", "must be one of " + ", ".join(_DECLARABLE))
        return QuestionKind.FIELD_IS

    def label(self) -> tuple[str, str]:
        value = self.data.get("label")
        if isinstance(value, dict) and all(isinstance(value.get(tongue), str) for tongue in ("zh", "en")):
            return value["zh"], value["en"]
        self.problem("label", 'must be { zh = "...", en = "..." }')
        return "", ""

    def field(self, kind: QuestionKind) -> str:
        value = self.data.get("field")
        if kind is QuestionKind.AGE_AT_LEAST and value == HOLDER_CODE:
            if CITIZEN_TYPE not in self.code_types:
                self.problem("field", f"{HOLDER_CODE} needs holders with citizen numbers: code_types has no 111")
            return HOLDER_CODE
        known = self.fields.get(value) if isinstance(value, str) else None
        if known is None:
            self.problem("field", "must be the name of a field of this type")
        elif known.kind not in FIELD_KINDS[kind]:
            self.problem("field", f"{value} must be of kind {' or '.join(sorted(FIELD_KINDS[kind]))} for {kind}")
        elif known.sensitive and kind in GUESSABLE:
            self.problem("field", f"{value} is sensitive: a question of kind {kind} would let it be guessed")
        return str(value)

    def relations(self) -> tuple[Relation, ...]:
        value = self.data.get("relations")
        if not isinstance(value, list) or not value:
            self.problem("relations", 'must be a list of { name = "...", fields = [...], inverse = true or false }')
            return ()
        found = [self.relation(each, index) for index, each in enumerate(value, 1)]
        names = [each.name for each in found]
        for name in sorted({each for each in names if names.count(each) > 1}):
            self.problem("relations", f"name {name} stands twice")
        return tuple(found)

    def relation(self, data: object, index: int) -> Relation:
        where, table = f"relations[{index}]", data if isinstance(data, dict) else {}
        name, fields, inverse = table.get("name"), table.get("fields"), table.get("inverse", False)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.problem(f"{where}: name", f"must match {_NAME.pattern}")
        fields = fields if isinstance(fields, list) else []
        texts = [each for each, known in self.fields.items() if known.kind == "text"]
        if not fields or any(each not in texts for each in fields):
            self.problem(f"{where}: fields", "must be names of text fields of this type")
        if not isinstance(inverse, bool):
            self.problem(f"{where}: inverse", "must be true or false")
        for key in sorted(table.keys() - {"name", "fields", "inverse"}):
            self.problem(f"{where}: {key}", "not a key of a relation")
        return Relation(name=str(name), fields=tuple(map(str, fields)), inverse=inverse is True)

    def allowed(self, kind: QuestionKind) -> tuple[int, ...]:
        value = self.data["allowed"]
        low, high = (1, MAX_AGE) if kind is QuestionKind.AGE_AT_LEAST else (-MAX_AMOUNT, MAX_AMOUNT)
        right = isinstance(value, list) and value and all(type(each) is int and low <= each <= high for each in value)
        if not right:
            self.problem("allowed", f"must be a list of whole numbers from {low} to {high}")
            return ()
        return tuple(sorted(set(value)))

    def min_length(self) -> int:
        value = self.data.get("min_length", MIN_TEXT)
        if type(value) is int and MIN_TEXT <= value <= MAX_TEXT_CHARACTERS:
            return value
        self.problem("min_length", f"must be a whole number from {MIN_TEXT} to {MAX_TEXT_CHARACTERS}")
        return MIN_TEXT
