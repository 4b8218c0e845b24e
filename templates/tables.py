"""A TOML table read key by key: each value checked, each unknown key refused."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from templates.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Mapping

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_MAX_TEXT = 4000
T = TypeVar("T")


class Table:
    """One table; take its keys, then call `done`, which refuses what was not taken."""

    def __init__(self, where: str, raw: object) -> None:
        """Wrap a table as tomllib returns it; `where` names it in errors."""
        if not isinstance(raw, dict):
            raise LayoutError(where, "must be a table")
        self.where = where
        self._raw: dict[str, object] = dict(raw)

    def fail(self, key: str, why: str) -> LayoutError:
        """Return the error for one key."""
        return LayoutError(self.where, f"{key}: {why}")

    def has(self, key: str) -> bool:
        """Return whether the key is still there."""
        return key in self._raw

    def take(self, key: str, default: object = None) -> object:
        """Return a raw value and strike the key off."""
        return self._raw.pop(key, default)

    def number(self, key: str, default: float | None = None, *, low: float = 0.0, high: float = 2000.0) -> float:
        """Return a number within bounds; without a default the key is required."""
        value = self._raw.pop(key, default)
        if value is None:
            raise self.fail(key, "is required")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fail(key, "must be a number")
        if not low <= value <= high:
            raise self.fail(key, f"must lie between {low:g} and {high:g}, not {value:g}")
        return float(value)

    def whole(self, key: str, default: int, *, low: int, high: int) -> int:
        """Return a whole number within bounds."""
        value = self.number(key, default, low=low, high=high)
        if value != int(value):
            raise self.fail(key, "must be a whole number")
        return int(value)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default the key is required."""
        value = self._raw.pop(key, default)
        if value is None:
            raise self.fail(key, "is required")
        if not isinstance(value, str) or len(value) > _MAX_TEXT:
            raise self.fail(key, f"must be a text of at most {_MAX_TEXT} characters")
        return value

    def choice(self, key: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """Return one of the words allowed."""
        value = self.text(key, default)
        if value not in allowed:
            raise self.fail(key, f"must be one of {', '.join(allowed)}, not {value!r}")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._raw.pop(key, default)
        if not isinstance(value, bool):
            raise self.fail(key, "must be true or false")
        return value

    def colour(self, key: str, default: str) -> str:
        """Return a colour as #rrggbb in lower case."""
        value = self.text(key, default)
        if not _COLOUR.fullmatch(value):
            raise self.fail(key, f'must be a colour such as "#8c1515", not {value!r}')
        return value.lower()

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return a list of texts; one text alone counts as a list of one."""
        value = self._raw.pop(key, None)
        if value is None:
            return default
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
            raise self.fail(key, "must be a text or a list of texts")
        return tuple(str(item) for item in items)

    def done(self) -> None:
        """Refuse whatever key is left.

        Raises:
            LayoutError: a key that nobody asked for.
        """
        if self._raw:
            raise LayoutError(self.where, f"unknown key {', '.join(sorted(self._raw))}")


def one_of(table: Table, key: str, options: Mapping[str, T], default: str | None = None) -> T:
    """Return the option that the key names."""
    return options[table.choice(key, tuple(options), default)]
