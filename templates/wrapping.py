"""Breaks text into lines: Chinese between characters, Latin between words, punctuation where it belongs.

Widths are in thousandths of an em, so one measurement serves every size.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

# W3C "Requirements for Chinese Text Layout", 3.1.3: marks that do not start, and that do not end, a line.
NO_START = frozenset("、，。．：；！？）》〉」』】〕〗］｝”’…—～·‧・％‰℃°ー々〻,.:;!?)]}%")
NO_END = frozenset("（《〈「『【〔〖［｛“‘￥＄￡([{$¥")
# From here on a character is a word of its own: CJK radicals supplement, Unicode 16.0.
_FIRST_CJK = 0x2E80


class Line(NamedTuple):
    """One line: text[start:end]; `last` if it ends a paragraph."""

    start: int
    end: int
    last: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """A text with its running widths: character n reaches from widths[n] to widths[n + 1]."""

    text: str
    widths: list[int]

    def width(self, start: int, end: int) -> int:
        """Return the width of text[start:end]."""
        return self.widths[end] - self.widths[start]


def measured(text: str, advances: Mapping[str, int], spacing: int = 0) -> Measured:
    """Return a text with its running widths; `advances` holds each character's, `spacing` is added to each."""
    if spacing:
        return Measured(text, [0, *accumulate([advances[char] + spacing for char in text])])
    return Measured(text, [0, *accumulate(map(advances.__getitem__, text))])


def may_break(before: str, after: str) -> bool:
    """Return whether a line may end between two characters."""
    if after == " " or before == " ":
        return True
    if after in NO_START or before in NO_END:
        return False
    if ord(before) < _FIRST_CJK and ord(after) < _FIRST_CJK:
        return before in "-/" and after.isalpha()
    return True


def broken(
    text: Measured, width: float, *, first: int = 0, limit: int = 10_000, force: bool = True
) -> list[Line] | None:
    """Return lines no wider than `width`, from character `first` on; at most `limit` of them.

    A word wider than a line is broken inside only if `force`; otherwise the result is None. With
    `force`, a line always takes at least one character, even where that is wider than the line.
    """
    words, widths = text.text, text.widths
    size = len(words)
    lines: list[Line] = []
    start = first
    while len(lines) < limit:
        stop = words.find("\n", start)
        if stop < 0:
            stop = size
        reach = bisect_right(widths, widths[start] + width, start) - 1
        if reach >= stop:
            lines.append(Line(start, stop, True))  # noqa: FBT003 -- a record's third column, not a switch
            start = stop + 1
            if start > size:
                break
            continue
        end = reach
        while end > start and not may_break(words[end - 1], words[end]):
            end -= 1
        if end <= start:
            if not force:
                return None
            end = max(reach, start + 1)
        start = _append(lines, words, start, end)
        if start > size:
            break
    return lines


def _append(lines: list[Line], words: str, start: int, end: int) -> int:
    """Add a line that ends at `end`, without the blanks there; return where the next one starts."""
    stop = end
    while stop > start and words[stop - 1] == " ":
        stop -= 1
    size = len(words)
    while end < size and words[end] == " ":
        end += 1
    if end < size and words[end] == "\n":
        end += 1
    last = end >= size
    lines.append(Line(start, stop, last))
    return size + 1 if last else end
