"""What is published of small counts: whatever is subtracted from whatever, no single day's count comes out."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.tickets.cells import NOTHING, Bounds, average, day_bounds, month_bounds, share, total

SMALL = 5


def published(days: tuple[int, ...], small: int) -> tuple[object, ...]:
    """All that an attacker can learn about one series of one month: each day, and the month. The rest are sums."""
    return (*(day_bounds(count, small, over=True) for count in days), month_bounds(days, small))


@pytest.mark.parametrize(("small", "days"), [(4, 3), (4, 5), (5, 2), (5, 3), (5, 5), (6, 4), (8, 3)])
def test_no_hidden_day_can_be_worked_out(small: int, days: int) -> None:
    """The attack in full: for each thing that may be published, every table of counts that fits it."""
    fitting: dict[tuple[object, ...], list[tuple[int, ...]]] = {}
    for table in product(range(small + 2), repeat=days):
        fitting.setdefault(published(table, small), []).append(table)
    for tables in fitting.values():
        for day in range(days):
            seen = {table[day] for table in tables}
            if max(seen) < small and seen != {0}:
                assert len(seen) >= small / 2, (tables[0], day, seen)


@given(st.lists(st.integers(0, 12), max_size=31), st.integers(4, 9))
def test_bounds_hold_the_truth_and_are_exact_where_they_can_be(days: list[int], small: int) -> None:
    bounds = month_bounds(days, small)
    assert bounds.low <= sum(days) <= bounds.high
    assert bounds.high - bounds.low < small
    if all(count == 0 or count >= small for count in days):
        assert bounds.exact
    single = total(day_bounds(count, small, over=True) for count in days)
    assert single.low <= bounds.low <= bounds.high <= single.high


@given(st.integers(0, 1000), st.integers(4, 20))
def test_a_day_that_is_not_over_counts_nobody(count: int, small: int) -> None:
    bounds = day_bounds(count, small, over=False)
    assert bounds.low <= count <= bounds.high
    assert count == 0 or bounds.high - bounds.low >= small - 2
    following = day_bounds(count + 1, small, over=False)
    assert following == bounds or (count + 1) % small == 0 or count == 0


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], Bounds(0, 0)),
        ([0, 0], Bounds(0, 0)),
        ([3], Bounds(1, 4)),
        ([7], Bounds(7, 7)),
        ([7, 3], Bounds(8, 11)),
        ([1, 1], Bounds(2, 4)),
        ([2, 3], Bounds(5, 5)),
        ([4, 4], Bounds(6, 8)),
        ([1] * 10, Bounds(10, 12)),
        ([2] * 10, Bounds(20, 20)),
        ([4] * 10, Bounds(38, 40)),
        ([100, 2, 2, 2], Bounds(106, 106)),
    ],
)
def test_months(days: list[int], expected: Bounds) -> None:
    assert month_bounds(days, SMALL) == expected


def test_how_bounds_are_shown() -> None:
    assert [each.shown(5) for each in (NOTHING, Bounds(1, 4), Bounds(7, 7), Bounds(8, 11))] == ["0", "<5", "7", "8-11"]
    assert Bounds(10, 12) - Bounds(1, 4) == Bounds(6, 11)
    assert Bounds(0, 3) - Bounds(1, 4) == Bounds(0, 2)


def test_rates_are_bounds_too() -> None:
    assert share(Bounds(9, 9), Bounds(1, 4)) == (9 / 13, 9 / 10)
    assert share(NOTHING, NOTHING) is None
    assert share(NOTHING, Bounds(1, 4)) == (0.0, 0.0)
    assert share(Bounds(1, 4), NOTHING) == (1.0, 1.0)
    assert average(dict.fromkeys(range(1, 6), NOTHING)) is None
    assert average({1: NOTHING, 5: Bounds(6, 6)}) == (5.0, 5.0)
    assert average({1: Bounds(1, 4), 5: Bounds(5, 5)}) == ((4 + 25) / 9, (1 + 25) / 6)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=5, max_size=5))
def test_the_average_lies_within_its_bounds(given_scores: list[tuple[int, int]]) -> None:
    scores = {score: Bounds(low, low + more) for score, (low, more) in enumerate(given_scores, 1)}
    found = average(scores)
    if found is None:
        return
    for counts in product(*(range(each.low, each.high + 1) for each in scores.values())):
        if sum(counts):
            mean = sum(score * count for score, count in zip(scores, counts, strict=True)) / sum(counts)
            assert found[0] - 1e-9 <= mean <= found[1] + 1e-9
