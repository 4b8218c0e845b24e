"""Licence types: what an agency may issue, with which fields, in which template version.

Pure: `parse_type` reads the text of a `type.toml`, `lawfulness` judges requests against it. docs/types.md
is the reference for authors.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar

from certlib.errors import TypeFolderError
from certlib.model import HolderKind, IdentifierScheme
from certlib.operations import DEFAULT_PENDING_DAYS, NO_POLICY, POLICIES, LifecyclePolicy, Operation
from certlib.questions import BUILT_IN, Askable, Question, read_questions

if TYPE_CHECKING:
    from collections.abc import Mapping


FIRST_FIELD_TOKEN_KEY: Final = 10
"""Token keys below are the licence's own (facts: qr-token, 2)."""
KEPT_TYPES: Final = 1024
"""Parsed types that stay in memory: every asking needs one, and reading TOML takes a millisecond or two."""
MAX_PENDING_DAYS: Final = 365
_E = TypeVar("_E", bound=StrEnum)
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
SEGMENT_FORMS: Final = {
    IdentifierScheme.GBT36904: re.compile(r"[0-9A-Z]{21}"),  # GB/T 36904: USCC of the defining body + 3
    IdentifierScheme.PLAIN: re.compile(r"[0-9A-Z]{1,21}"),
}
FOLDER = re.compile(r"[a-z][a-z0-9-]{0,63}")
RESERVED_FIELD_NAMES: Final = frozenset(
    {
        *("number", "holder_name", "holder_code", "holders", "issued_on", "effective_on", "expires_on", "validity"),
        *("agency", "agency_name", "area_code", "identifier", "public_code", "check_phrase", "version"),
    }
)
"""Names a layout uses for the licence's base values; a type's own field cannot take them."""


class FieldKind(StrEnum):
    """How a field's value is written and checked."""

    TEXT = "text"
    DATE = "date"
    """ISO 8601 `2026-11-22`."""
    MONEY = "money"
    """Decimal number, at most two places, no grouping."""
    INTEGER = "integer"
    IMAGE = "image"
    """PNG or JPEG bytes, given apart."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """A name in both languages; `en` may equal `zh` where there is only one."""

    zh: str
    en: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeField:
    """One field of a licence type."""

    name: str
    label: Label
    kind: FieldKind
    required: bool
    max_length: int
    """Characters after NFC."""
    pattern: str
    """Full-match regular expression, or empty."""
    token_key: int | None
    """Claim key in the token (>= 10), or None when the token does not carry it."""
    sensitive: bool
    """Masked in public answers, never in a message."""
    multiline: bool
    """Whether line breaks are data."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LicenceType:
    """One version of a licence type, as its type.toml says."""

    code: str
    """Folder name, e.g. `business-licence`."""
    version: int
    segment: str
    """The type code inside identifiers: 21 characters (gbt36904) or `[0-9A-Z]{1,21}` (plain)."""
    token_code: int
    """The type in the token, one integer per type within a library."""
    name: Label
    scheme: IdentifierScheme
    holder_kind: HolderKind
    holder_code_types: tuple[str, ...]
    """Allowed code types; empty means that the type asks for no holder code."""
    holder_code_required: bool
    max_holders: int
    language: str
    """BCP 47, of the printed form."""
    number_label: Label
    number_pattern: str
    number_max_length: int
    long_term_allowed: bool
    max_years: int | None
    """Longest validity, or None."""
    fields: tuple[TypeField, ...]
    """In the order of the file."""
    lifecycle: LifecyclePolicy = NO_POLICY
    """Who may change a licence of this type, and what beyond the general table."""
    questions: tuple[Question, ...] = (BUILT_IN,)
    """What it answers with yes, no or not recorded: the built-in one, then those of the file in their order."""

    def field(self, name: str) -> TypeField:
        """The field of this name; KeyError if the type has none."""
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(name)


@lru_cache(maxsize=KEPT_TYPES)
def parse_type(text: str, *, where: str, version: int) -> LicenceType:
    """The type that `text` (a type.toml) describes. `where` is the file's name for messages.

    Raises:
        TypeFolderError: with one line per problem, all of them at once.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TypeFolderError((f"{where}: not TOML: {error}",)) from error
    reader = _Reader(where)
    number = reader.table(data, "number")
    validity = reader.table(data, "validity")
    holder = reader.table(data, "holder")
    scheme = reader.choice(data, "identifier_scheme", IdentifierScheme, IdentifierScheme.PLAIN)
    fields = tuple(reader.field(each, index) for index, each in enumerate(data.get("fields", []), 1))
    code_types = tuple(str(each) for each in holder.get("code_types", []))
    questions, wrong = read_questions(
        data.get("questions", []),
        where=where,
        fields={each.name: Askable(kind=each.kind.value, sensitive=each.sensitive) for each in fields},
        code_types=code_types,
    )
    licence_type = LicenceType(
        code=reader.matched(data, "code", FOLDER),
        version=version,
        segment=reader.text(data, "segment"),
        token_code=reader.integer(data, "token_code", 1, 2**31),
        name=reader.label(data, "name"),
        scheme=scheme,
        holder_kind=reader.choice(holder, "kind", HolderKind, HolderKind.ANY),
        holder_code_types=code_types,
        holder_code_required=reader.flag(holder, "code_required", default=False),
        max_holders=reader.integer(holder, "max", 1, 100, default=1),
        language=reader.text(data, "language"),
        number_label=reader.label(number, "label"),
        number_pattern=reader.pattern(number, "pattern"),
        number_max_length=reader.integer(number, "max_length", 1, 128, default=64),
        long_term_allowed=reader.flag(validity, "long_term", default=False),
        max_years=reader.integer(validity, "max_years", 1, 200) if "max_years" in validity else None,
        fields=fields,
        lifecycle=reader.lifecycle(reader.table(data, "lifecycle")),
        questions=(BUILT_IN, *questions),
    )
    reader.problems += wrong
    form = SEGMENT_FORMS[scheme]
    if licence_type.segment and not form.fullmatch(licence_type.segment):
        reader.problems.append(f"{where}: segment: must match {form.pattern} for scheme {scheme}")
    known = {
        "code", "segment", "token_code", "name", "identifier_scheme", "holder", "language", "number", "validity",
        "fields", "notes", "lifecycle", "questions",
    }  # fmt: skip
    reader.problems += [f"{where}: {key}: not a key of a type" for key in sorted(data.keys() - known)]
    reader.unique([each.name for each in licence_type.fields], "field name")
    reader.unique([str(each.token_key) for each in licence_type.fields if each.token_key], "on_token")
    if reader.problems:
        raise TypeFolderError(tuple(reader.problems))
    return licence_type


class _Reader:
    """Reads typed keys of a TOML table and gathers every problem instead of stopping at the first."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[str] = []

    def problem(self, key: str, what: str) -> None:
        self.problems.append(f"{self.where}: {key}: {what}")

    def table(self, data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
        value = data.get(key, {})
        if isinstance(value, dict):
            return value
        self.problem(key, "must be a table")
        return {}

    def text(self, data: Mapping[str, Any], key: str) -> str:
        value = data.get(key)
        if isinstance(value, str) and value:
            return value
        self.problem(key, "is missing or not a text")
        return ""

    def matched(self, data: Mapping[str, Any], key: str, form: re.Pattern[str]) -> str:
        value = self.text(data, key)
        if value and not form.fullmatch(value):
            self.problem(key, f"must match {form.pattern}")
        return value

    def pattern(self, data: Mapping[str, Any], key: str) -> str:
        value = data.get(key, "")
        try:
            re.compile(value)
        except (re.error, TypeError) as error:
            self.problem(key, f"is not a regular expression: {error}")
            return ""
        return str(value)

    def integer(self, data: Mapping[str, Any], key: str, low: int, high: int, *, default: int | None = None) -> int:
        value = data.get(key, default)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.problem(key, f"must be a whole number from {low} to {high}")
        return low

    def flag(self, data: Mapping[str, Any], key: str, *, default: bool) -> bool:
        value = data.get(key, default)
        if not isinstance(value, bool):
            self.problem(key, "must be true or false")
            return default
        return value

    def label(self, data: Mapping[str, Any], key: str) -> Label:
        value = data.get(key)
        if isinstance(value, dict) and all(isinstance(value.get(tongue), str) for tongue in ("zh", "en")):
            return Label(zh=value["zh"], en=value["en"])
        self.problem(key, 'must be { zh = "...", en = "..." }')
        return Label(zh="", en="")

    def choice(self, data: Mapping[str, Any], key: str, kind: type[_E], default: _E) -> _E:
        try:
            return kind(data.get(key, default))
        except ValueError:
            self.problem(key, "must be one of " + ", ".join(kind))
            return default

    def lifecycle(self, table: Mapping[str, Any]) -> LifecyclePolicy:
        inner = _Reader(f"{self.where}: lifecycle")
        policy = LifecyclePolicy(
            maker_checker=frozenset(map(Operation, inner.words(table, "maker_checker", frozenset(Operation)))),
            pending_days=inner.integer(table, "pending_days", 1, MAX_PENDING_DAYS, default=DEFAULT_PENDING_DAYS),
            allow=inner.words(table, "allow", POLICIES),
        )
        for key in sorted(table.keys() - {"maker_checker", "pending_days", "allow"}):
            inner.problem(key, "not a key of a life cycle")
        self.problems += inner.problems
        return policy

    def words(self, data: Mapping[str, Any], key: str, known: frozenset[str]) -> frozenset[str]:
        value = data.get(key, [])
        if isinstance(value, list) and all(isinstance(each, str) and each in known for each in value):
            return frozenset(value)
        self.problem(key, "must be a list of " + ", ".join(sorted(known)))
        return frozenset()

    def field(self, data: object, index: int) -> TypeField:
        where, table = f"fields[{index}]", data if isinstance(data, dict) else {}
        inner = _Reader(f"{self.where}: {where}")
        name = inner.matched(table, "name", NAME)
        if name in RESERVED_FIELD_NAMES:
            inner.problem("name", f"{name} is a base value of every licence")
        token_key = table.get("on_token")
        if token_key is not None:
            token_key = inner.integer(table, "on_token", FIRST_FIELD_TOKEN_KEY, 999)
        result = TypeField(
            name=name,
            label=inner.label(table, "label"),
            kind=inner.choice(table, "kind", FieldKind, FieldKind.TEXT),
            required=inner.flag(table, "required", default=False),
            max_length=inner.integer(table, "max_length", 1, 20_000, default=200),
            pattern=inner.pattern(table, "pattern"),
            token_key=token_key,
            sensitive=inner.flag(table, "sensitive", default=False),
            multiline=inner.flag(table, "multiline", default=False),
        )
        known = {
            "name",
            "label",
            "kind",
            "required",
            "max_length",
            "pattern",
            "on_token",
            "sensitive",
            "multiline",
        }
        for key in sorted(table.keys() - known):
            inner.problem(key, "not a key of a field")
        if result.kind is FieldKind.IMAGE and token_key is not None:
            inner.problem("on_token", "an image does not fit into a token")
        self.problems += inner.problems
        return result

    def unique(self, values: list[str], what: str) -> None:
        for value in sorted({each for each in values if values.count(each) > 1}):
            self.problem("fields", f"{what} {value} stands twice")
