"""Legal changes of status as a table, and the word for a licence around midnight in the agency's zone."""

from datetime import UTC, date, datetime, timedelta

import pytest

from certlib.errors import IllegalTransitionError
from certlib.model import OverallWord, Status, derived_word, end_of_day, require_transition, start_of_day

A, S = Status.ACTIVE, Status.SUSPENDED
C, W, R, P = Status.CANCELLED, Status.WITHDRAWN, Status.REVOKED, Status.SUPERSEDED
LEGAL = {
    (A, S), (A, C), (A, W), (A, R), (A, P),
    (S, A), (S, C), (S, W), (S, R), (S, P),
}  # fmt: skip
"""Design, 3: terminal states never come back; suspension ends by restore, or in a terminal state."""
ILLEGAL = sorted({(old, new) for old in Status for new in Status} - LEGAL)


@pytest.mark.parametrize(("old", "new"), ILLEGAL)
def test_an_illegal_transition_is_refused(old: Status, new: Status) -> None:
    with pytest.raises(IllegalTransitionError, match=f"{old} cannot become {new}"):
        require_transition(old, new)


@pytest.mark.parametrize(("old", "new"), sorted(LEGAL))
def test_a_legal_transition_passes(old: Status, new: Status) -> None:
    require_transition(old, new)


def test_the_table_is_whole() -> None:
    assert len(ILLEGAL) + len(LEGAL) == len(Status) ** 2
    assert not any(old in (C, W, R, P) for old, _ in LEGAL)


BEGIN, END = date(2026, 3, 1), date(2026, 11, 22)
SECOND = timedelta(seconds=1)
ZONES = {
    "Asia/Shanghai": (datetime(2026, 2, 28, 16, tzinfo=UTC), datetime(2026, 11, 22, 16, tzinfo=UTC)),
    "America/Los_Angeles": (datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 11, 23, 8, tzinfo=UTC)),
    "UTC": (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)),
    "Pacific/Kiritimati": (datetime(2026, 2, 28, 10, tzinfo=UTC), datetime(2026, 11, 22, 10, tzinfo=UTC)),
    "Asia/Kathmandu": (datetime(2026, 2, 28, 18, 15, tzinfo=UTC), datetime(2026, 11, 22, 18, 15, tzinfo=UTC)),
}
"""First moment of the first day, and first moment after the last day, both inclusive days."""


@pytest.mark.parametrize("zone", ZONES)
def test_dates_are_judged_at_midnight_in_the_agencys_zone(zone: str) -> None:
    first, after = ZONES[zone]

    def word(now: datetime, status: Status = A) -> OverallWord:
        return derived_word(status, BEGIN, END, zone, now)

    assert word(first - SECOND) is OverallWord.NOT_YET_EFFECTIVE
    assert word(first) is OverallWord.VALID
    assert word(after - SECOND) is OverallWord.VALID
    assert word(after) is OverallWord.EXPIRED
    assert word(first - SECOND, S) is OverallWord.SUSPENDED
    assert word(after, S) is OverallWord.EXPIRED
    assert start_of_day(BEGIN, zone) == first
    assert end_of_day(END, zone) == after - SECOND


@pytest.mark.parametrize("status", [C, W, R, P])
@pytest.mark.parametrize(
    "now", [datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC), datetime(2099, 1, 1, tzinfo=UTC)]
)
def test_a_terminal_status_comes_before_any_date(status: Status, now: datetime) -> None:
    assert derived_word(status, BEGIN, END, "Asia/Shanghai", now) == status.value


def test_a_long_term_licence_never_expires() -> None:
    far = datetime(2999, 1, 1, tzinfo=UTC)
    assert derived_word(A, BEGIN, None, "Asia/Shanghai", far) is OverallWord.VALID


def test_a_day_of_another_length_still_ends_at_midnight() -> None:
    """Clocks go back in Los Angeles on 1 November 2026: that day has 25 hours."""
    begin, end = (
        start_of_day(date(2026, 11, 1), "America/Los_Angeles"),
        end_of_day(date(2026, 11, 1), "America/Los_Angeles"),
    )
    assert end - begin == timedelta(hours=25) - SECOND
