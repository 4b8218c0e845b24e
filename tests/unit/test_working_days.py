"""Deadlines in working days: weekends, holidays, make-up days, zones, changes of the clock, and wrong calendars."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.errors import SetupError
from certlib.tickets.working_days import (
    CALENDAR_FILE,
    Calendars,
    WorkingCalendar,
    deadline,
    parse_calendars,
    read_calendars,
)

PLAIN = WorkingCalendar()
GOLDEN_WEEK = parse_calendars(
    """
holidays = [{ from = 2026-10-01, until = 2026-10-07, name = "国庆" }, 2026-09-25]
working = [2026-09-20, 2026-10-10]

[agencies.RAINPORT]
holidays = [2026-11-26]

[agencies.FRIDAY]
weekend = ["friday", "saturday"]
""",
    where="calendar.toml",
)


def last_day(at: str, days: int, zone: str = "Asia/Shanghai", calendar: WorkingCalendar = PLAIN) -> str:
    """The last day on which the agency is in time, in its own zone."""
    end = deadline(datetime.fromisoformat(at), days, timezone=zone, calendar=calendar)
    return (end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).isoformat()[:10]


@pytest.mark.parametrize(
    ("at", "days", "expected"),
    [
        ("2026-11-23T10:00:00+08:00", 1, "2026-11-24"),  # Monday
        ("2026-11-23T23:59:59+08:00", 5, "2026-11-30"),  # over one weekend
        ("2026-11-27T10:00:00+08:00", 1, "2026-11-30"),  # Friday
        ("2026-11-28T10:00:00+08:00", 1, "2026-11-30"),  # Saturday
        ("2026-11-22T16:30:00+00:00", 1, "2026-11-24"),  # Monday half past midnight in Shanghai
        ("2026-11-22T15:59:59+00:00", 1, "2026-11-23"),  # still Sunday there
        ("2026-11-23T10:00:00+08:00", 250, "2027-11-08"),
    ],
)
def test_weekends_are_off(at: str, days: int, expected: str) -> None:
    assert last_day(at, days) == expected


def test_holidays_are_off_and_make_up_days_are_worked() -> None:
    calendar = GOLDEN_WEEK.of("11990200MB90000230")
    assert last_day("2026-09-30T10:00:00+08:00", 1, calendar=calendar) == "2026-10-08"
    assert last_day("2026-10-09T10:00:00+08:00", 1, calendar=calendar) == "2026-10-10"  # a Saturday that is worked
    assert last_day("2026-09-19T10:00:00+08:00", 1, calendar=calendar) == "2026-09-20"  # a Sunday that is worked
    assert last_day("2026-09-24T10:00:00+08:00", 1, calendar=calendar) == "2026-09-28"
    assert last_day("2026-09-30T10:00:00+08:00", 1) == "2026-10-01"


def test_an_agency_may_have_a_calendar_of_its_own() -> None:
    zone = "America/Los_Angeles"
    assert last_day("2026-11-25T10:00:00-08:00", 1, zone, GOLDEN_WEEK.of("RAINPORT")) == "2026-11-27"
    assert last_day("2026-09-30T10:00:00-07:00", 1, zone, GOLDEN_WEEK.of("RAINPORT")) == "2026-10-01"
    assert last_day("2026-11-26T10:00:00+03:00", 1, "Asia/Riyadh", GOLDEN_WEEK.of("FRIDAY")) == "2026-11-29"


@pytest.mark.parametrize(
    ("at", "zone", "expected"),
    [
        # The clock goes back on Sunday 2026-11-01: the day has 25 hours.
        ("2026-10-30T12:00:00-07:00", "America/Los_Angeles", "2026-11-03T08:00:00+00:00"),
        # It goes forward on Sunday 2026-03-08: 23 hours.
        ("2026-03-06T12:00:00-08:00", "America/Los_Angeles", "2026-03-10T07:00:00+00:00"),
        # In Beirut it goes forward at midnight, on Sunday 2026-03-29: that day begins at one.
        ("2026-03-27T12:00:00+02:00", "Asia/Beirut", "2026-03-30T21:00:00+00:00"),
        ("2026-11-23T12:00:00+05:45", "Asia/Kathmandu", "2026-11-24T18:15:00+00:00"),
    ],
)
def test_a_deadline_ends_at_midnight_of_the_agency(at: str, zone: str, expected: str) -> None:
    end = deadline(datetime.fromisoformat(at), 1, timezone=zone, calendar=PLAIN)
    assert end == datetime.fromisoformat(expected)
    assert end.tzinfo is UTC


def test_a_midnight_that_does_not_exist_is_the_next_moment() -> None:
    calendar = WorkingCalendar(weekend=frozenset())
    end = deadline(datetime(2026, 3, 27, 12, tzinfo=UTC), 1, timezone="Asia/Beirut", calendar=calendar)
    assert end == datetime(2026, 3, 28, 22, tzinfo=UTC)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001  # the zone comes next
    st.integers(1, 250),
    st.sampled_from(["Asia/Shanghai", "America/Los_Angeles", "Europe/Berlin", "Pacific/Apia"]),
)
def test_between_now_and_the_deadline_lie_so_many_working_days(at: datetime, days: int, zone: str) -> None:
    begin = at.replace(tzinfo=UTC)
    end = deadline(begin, days, timezone=zone, calendar=PLAIN)
    first = begin.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    last = end.astimezone(ZoneInfo(zone)).date()
    between = [first + timedelta(days=n) for n in range((last - first).days)]
    assert sum(PLAIN.is_working_day(day) for day in between) == days
    assert PLAIN.is_working_day(between[-1])
    assert deadline(begin, days + 1, timezone=zone, calendar=PLAIN) > end


def test_without_a_file_only_weekends_are_off(tmp_path: Path) -> None:
    assert read_calendars(tmp_path) == Calendars()
    (tmp_path / CALENDAR_FILE).write_text("holidays = [2026-10-01]\n", "utf-8")
    assert read_calendars(tmp_path).of("X").holidays == {date(2026, 10, 1)}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("holidays = 2026-10-01", "holidays: must be a list"),
        ('holidays = ["2026-10-01"]', "holidays, entry 1"),
        ("holidays = [2026-10-01, 2026-10-02T00:00:00]", "holidays, entry 2"),
        ("holidays = [{ from = 2026-10-07, until = 2026-10-01 }]", "holidays, entry 1"),
        ("holidays = [{ from = 2026-10-01, until = 2036-10-01 }]", "holidays, entry 1"),
        ("holidays = [{ from = 2026-10-01, until = 2026-10-02, x = 1 }]", "holidays, entry 1"),
        ("holidays = [2026-10-01]\nworking = [2026-10-01]", "working: 2026-10-01 is a holiday too"),
        ('weekend = ["Sunday"]', "weekend: must be a list of days"),
        (
            'weekend = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]',
            "not all seven",
        ),
        ("holydays = []", "holydays: is not known"),
        ("agencies = 1", "agencies: must be tables"),
        ("[agencies]\nX = 1", "agencies.X: must be a table"),
        ("[agencies.X]\nholidays = [1]", "agencies.X.holidays, entry 1"),
        ("[", "not TOML"),
        ("holidays = [2026-13-01]", "not TOML"),
    ],
)
def test_what_is_wrong_in_a_calendar_is_named(text: str, place: str) -> None:
    with pytest.raises(SetupError, match=r"calendar\.toml") as caught:
        parse_calendars(text, where="calendar.toml")
    assert place in str(caught.value)
    assert caught.value.hint


def test_a_calendar_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / CALENDAR_FILE).write_bytes(b"\xff")
    with pytest.raises(SetupError, match="cannot be read"):
        read_calendars(tmp_path)


def test_a_calendar_without_working_days_ends_the_search() -> None:
    always = WorkingCalendar(
        holidays=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in range(4000)), weekend=frozenset()
    )
    with pytest.raises(SetupError, match="no 1 working days"):
        deadline(datetime(2026, 1, 1, tzinfo=UTC), 1, timezone="Asia/Shanghai", calendar=always)
