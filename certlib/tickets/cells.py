"""Counts that tell nothing about single persons: what is published of a table of daily counts. Pure.

The rule. One series is what one agency did on one type, of one figure and key. All that is ever published are the
values of these nodes, or sums of them:

1. a day that is over: 0, or the count if it is at least `small`; else only that it lies between 1 and `small` - 1.
2. a day that is not over: as 1, but rounded down to a multiple of `small`: asked again and again, it counts nobody.
3. a month that is over, as a whole: its exact sum only if that leaves every hidden day of it open between 1 and
   `small` - 1; else bounds, chosen so that they leave it open too. With one hidden day there is no exact sum.

Months share no day, series share no count, and every total over types, agencies or days is a sum of nodes. So whatever
is subtracted from whatever, a hidden day stays open between at least `small` / 2 values. The attack test tries it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

WORST, BEST = 1, 5
"""Scores of ratings."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A count as it is published: it lies between the two, both included."""

    low: int
    high: int

    def __add__(self, other: Bounds) -> Bounds:
        """The sum of two counts."""
        return Bounds(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Bounds) -> Bounds:
        """The difference of two counts, of which the other one is never more."""
        return Bounds(max(0, self.low - other.high), max(0, self.high - other.low))

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high

    def shown(self, small: int) -> str:
        """For people: `17`, `<5`, or `12-15`."""
        if self.exact:
            return str(self.low)
        return f"<{small}" if self.high < small else f"{self.low}-{self.high}"


NOTHING: Final = Bounds(0, 0)


def day_bounds(count: int, small: int, *, over: bool) -> Bounds:
    """What is published of one day: rules 1 and 2."""
    if count == 0:
        return NOTHING
    if count < small:
        return Bounds(1, small - 1)
    if over:
        return Bounds(count, count)
    low = count // small * small
    return Bounds(low, low + small - 1)


def month_bounds(counts: Iterable[int], small: int) -> Bounds:
    """What is published of a month that is over, from its days: rule 3."""
    days = list(counts)
    shown = sum(count for count in days if count >= small)
    hidden = [count for count in days if 0 < count < small]
    most = small - 1
    if len(hidden) <= 1:
        return Bounds(shown + len(hidden), shown + most * len(hidden))
    total, least, greatest = sum(hidden), len(hidden), most * len(hidden)
    # Exact sums leave each hidden day both ends open: 1 beside days of `most`, and `most` beside days of 1.
    first, last = least + most - 1, greatest - (most - 1)
    if total < first:
        return Bounds(shown + least, shown + first - 1)
    if total > last:
        return Bounds(shown + last + 1, shown + greatest)
    return Bounds(shown + total, shown + total)


def total(parts: Iterable[Bounds]) -> Bounds:
    """The sum of published counts."""
    return sum(parts, NOTHING)


def share(part: Bounds, rest: Bounds) -> tuple[float, float] | None:
    """Between which shares `part` lies in part and rest together; None where there is nothing to divide."""
    if part.low + rest.high == 0 or part.high + rest.low == 0:
        return None
    return part.low / (part.low + rest.high), part.high / (part.high + rest.low)


def average(scores: Mapping[int, Bounds]) -> tuple[float, float] | None:
    """Between which values the average score lies; None where there may be no rating."""
    if sum(each.low for each in scores.values()) == 0:
        return None
    limits = range(WORST - 1, BEST + 1)
    return min(_mean(scores, limit.__ge__) for limit in limits), max(_mean(scores, limit.__lt__) for limit in limits)


def _mean(scores: Mapping[int, Bounds], many: Callable[[int], bool]) -> float:
    """The average if the scores that `many` names were given as often as can be, and the others as seldom."""
    weights = {score: bounds.high if many(score) else bounds.low for score, bounds in scores.items()}
    return sum(score * times for score, times in weights.items()) / sum(weights.values())
