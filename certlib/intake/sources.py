"""Where one value of a licence comes from: a column, several joined, a template, or a constant. Pure.

Nothing is mended unless the mapping says so: no trimming, no rule for `NaN`, no guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_KEYS: Final = frozenset({"column", "template", "const", "values", "other", "empty", "trim", "drop_empty"})
_ORIGINS: Final = ("column", "template", "const")


class UnmappedValueError(Exception):
    """The value is in no entry of `values`, and `other` says to refuse it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where a value comes from and how it is turned."""

    columns: tuple[str, ...]
    """In the order in which they stand in the value; empty for a constant."""
    literals: tuple[str, ...]
    """One more than columns: what stands before, between and behind them."""
    values: Mapping[str, str]
    """Exact value -> what is issued for it."""
    refuse_other: bool
    """Whether a value that is not in `values` is a fault."""
    empty: frozenset[str]
    """Cell values that mean that there is none."""
    trim: bool
    """Whether blanks around a cell are dropped."""
    drop_empty: bool
    """Whether an empty column takes the text before it with it."""

    def beside(self, other: Source) -> Source:
        """A source that stands for both where only the columns matter."""
        return replace(self, columns=tuple(dict.fromkeys((*self.columns, *other.columns))))

    def value(self, cell: Callable[[str], str]) -> str:
        """The value; `cell` gives a column's text.

        Raises:
            UnmappedValueError: see `refuse_other`.
        """
        texts = [self._cleaned(cell(name)) for name in self.columns]
        result = self._joined(texts)
        if self.values or self.refuse_other:
            if result in self.values:
                return self.values[result]
            if self.refuse_other:
                raise UnmappedValueError
        return result

    def _cleaned(self, text: str) -> str:
        if self.trim:
            text = text.strip()
        return "" if text in self.empty else text

    def _joined(self, texts: Sequence[str]) -> str:
        if not texts:
            return self.literals[0]
        if len(texts) == 1 and self.literals == ("", ""):
            return texts[0]
        if not self.drop_empty:
            parts = [literal + text for literal, text in zip(self.literals, texts, strict=False)]
            return "".join(parts) + self.literals[-1]
        result = ""
        for index, text in enumerate(texts):
            if text:
                # The text before the first column stands always; one between two columns needs something on its left.
                result += (self.literals[index] if result or index == 0 else "") + text
        return result + self.literals[-1] if result else ""


class SourceReader:
    """Reads sources and typed keys of a mapping, gathering (place, reason) of every problem."""

    def __init__(self) -> None:
        """Start without problems."""
        self.problems: list[tuple[str, str]] = []

    def problem(self, place: str, reason: str) -> None:
        """Note one problem."""
        self.problems.append((place, reason))

    def unknown(self, place: str, table: Mapping[str, Any], known: AbstractSet[str]) -> None:
        """Note every key of `table` that nobody knows."""
        for key in sorted(table.keys() - known):
            self.problem(f"{place}.{key}".lstrip("."), "is not known; known are " + ", ".join(sorted(known)))

    def table(self, data: Mapping[str, Any], key: str, known: AbstractSet[str] | None) -> Mapping[str, Any]:
        """The table under `key`; empty when it is missing."""
        value = data.get(key, {})
        if not isinstance(value, dict):
            self.problem(key, "must be a table")
            return {}
        if known is not None:
            self.unknown(key, value, known)
        return value

    def string(self, data: Mapping[str, Any], place: str, key: str, default: str) -> str:
        """A text."""
        value = data.get(key, default)
        if isinstance(value, str):
            return value
        self.problem(place, "must be a text")
        return default

    def strings(self, data: Mapping[str, Any], place: str, key: str) -> list[str]:
        """A list of texts; empty when it is missing."""
        value = data.get(key, [])
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value
        self.problem(place, "must be a list of texts")
        return []

    def texts(self, data: Mapping[str, Any], place: str, key: str) -> dict[str, str]:
        """A table of texts; empty when it is missing."""
        value = data.get(key, {})
        if isinstance(value, dict) and all(isinstance(each, str) for each in value.values()):
            return value
        self.problem(place, 'must be a table of texts like { "from" = "to" }')
        return {}

    def required(self, data: Mapping[str, Any], key: str, *, under: str = "") -> Source:
        """The source under `key`, which must be there."""
        result = self.optional(data, key, under=under)
        if result is None:
            self.problem(f"{under}.{key}".lstrip("."), "is missing")
            return self.source({"const": ""}, key)
        return result

    def optional(self, data: Mapping[str, Any], key: str, *, under: str = "") -> Source | None:
        """The source under `key`, or None when there is none."""
        return self.source(data[key], f"{under}.{key}".lstrip(".")) if key in data else None

    def source(self, value: object, place: str) -> Source:
        """The source that a table of the mapping describes."""
        table: Mapping[str, Any] = value if isinstance(value, dict) else {}
        origins = [key for key in _ORIGINS if key in table]
        if len(origins) != 1:
            self.problem(place, 'must be a table with one of column, template, const, like { column = "name" }')
        self.unknown(place, table, _KEYS)
        columns, literals = self._origin(table, origins[0] if origins else "", place)
        other = self.string(table, f"{place}.other", "other", "keep")
        if other not in {"keep", "refuse"}:
            self.problem(f"{place}.other", 'must be "keep" or "refuse"')
        return Source(
            columns=columns,
            literals=literals,
            values=self.texts(table, f"{place}.values", "values"),
            refuse_other=other == "refuse",
            empty=frozenset(self.strings(table, f"{place}.empty", "empty")),
            trim=self._flag(table, place, "trim"),
            drop_empty=self._flag(table, place, "drop_empty"),
        )

    def _origin(self, table: Mapping[str, Any], origin: str, place: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        text = self.string(table, f"{place}.{origin}", origin, "") if origin else ""
        if origin == "template":
            pieces = _PLACE.split(text)
            columns = tuple(pieces[1::2])
            if not columns or not all(columns) or re.search("[{}]", "".join(pieces[::2])):
                self.problem(f"{place}.template", "must name columns in braces, like {street}, {city}")
            return columns, tuple(pieces[::2])
        if origin == "column":
            if not text:
                self.problem(f"{place}.column", "must name a column")
            return (text,), ("", "")
        return (), (text,)

    def _flag(self, table: Mapping[str, Any], place: str, key: str) -> bool:
        value = table.get(key, False)
        if not isinstance(value, bool):
            self.problem(f"{place}.{key}", "must be true or false")
        return value is True
