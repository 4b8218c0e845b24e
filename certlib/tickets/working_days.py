"""Working days: when a deadline ends. Pure.

A deadline of n working days after a moment ends with the n-th working day after the day of that moment, in the zone
of the agency that must answer. Weekends are off. A library replaces the rest by `calendar.toml` in its home:

    weekend = ["saturday", "sunday"]
    holidays = [2026-10-01, { from = 2027-02-05, until = 2027-02-11 }]
    working = [2026-10-10]

    [agencies.RAINPORT]
    holidays = [2026-11-26]

`working` are days that are worked although they lie on a weekend (调休). An agency's own table stands for the whole.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from certlib.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CALENDAR_FILE: Final = "calendar.toml"
MAX_WORKING_DAYS: Final = 250
"""Longest deadline."""
MAX_RANGE_DAYS: Final = 366
DAY: Final = timedelta(days=1)
_WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MAX_DAYS_AHEAD: Final = 3660
"""A calendar that has no working day in ten years has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WorkingCalendar:
    """Which days are worked."""

    weekend: frozenset[int] = frozenset({5, 6})
    """Days of the week, Monday is 0."""
    holidays: frozenset[date] = frozenset()
    working: frozenset[date] = frozenset()
    """Worked although they lie on a weekend."""

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is worked."""
        return day in self.working or (day.weekday() not in self.weekend and day not in self.holidays)


@dataclass(frozen=True, kw_only=True, slots=True)
class Calendars:
    """The library's calendar, and those of agencies that have their own."""

    common: WorkingCalendar = WorkingCalendar()
    own: Mapping[str, WorkingCalendar] = field(default_factory=dict)

    def of(self, agency_code: str) -> WorkingCalendar:
        """The calendar that an agency works by."""
        return self.own.get(agency_code, self.common)


def deadline(at: datetime, days: int, *, timezone: str, calendar: WorkingCalendar) -> datetime:
    """The first moment (aware UTC) after the `days`-th working day that follows the day of `at` in `timezone`.

    Raises:
        SetupError: the calendar has no such day.
    """
    zone = ZoneInfo(timezone)
    day = at.astimezone(zone).date()
    left = days
    for _ahead in range(_MAX_DAYS_AHEAD):
        if left == 0:
            return datetime.combine(day + DAY, time.min, tzinfo=zone).astimezone(UTC)
        day += DAY
        left -= calendar.is_working_day(day)
    raise SetupError(f"the calendar has no {days} working days in ten years", hint=f"Look into {CALENDAR_FILE}.")


def read_calendars(home: Path) -> Calendars:
    """The calendars of the library in `home`; without a file, weekends only.

    Raises:
        SetupError: the file cannot be read, or says something that is no calendar; each place is named.
    """
    path = home / CALENDAR_FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return Calendars()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}", hint="Mend the file or remove it.") from error
    return parse_calendars(text, where=str(path))


def parse_calendars(text: str, *, where: str) -> Calendars:
    """The calendars that `text` (a calendar.toml) describes; `where` is its name for messages.

    Raises:
        SetupError: naming every place that is wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{where}: not TOML: {error}", hint="Mend the file or remove it.") from error
    problems: list[str] = []
    agencies = data.pop("agencies", {})
    common = _calendar(data, "", problems)
    own: dict[str, WorkingCalendar] = {}
    if not isinstance(agencies, dict):
        problems.append("agencies: must be tables like [agencies.CODE]")
        agencies = {}
    for code, table in agencies.items():
        if isinstance(table, dict):
            own[code] = _calendar(table, f"agencies.{code}.", problems)
        else:
            problems.append(f"agencies.{code}: must be a table")
    if problems:
        raise SetupError(f"{where}: {'; '.join(problems)}", hint="Mend the places named.")
    return Calendars(common=common, own=own)


def _calendar(table: dict[str, Any], prefix: str, problems: list[str]) -> WorkingCalendar:
    problems += [f"{prefix}{name}: is not known" for name in table.keys() - {"weekend", "holidays", "working"}]
    weekend = table.get("weekend", ["saturday", "sunday"])
    if not isinstance(weekend, list) or not all(each in _WEEK for each in weekend) or len({*weekend}) == len(_WEEK):
        problems.append(f"{prefix}weekend: must be a list of days like saturday, not all seven")
        weekend = []
    holidays = _days(table.get("holidays", []), f"{prefix}holidays", problems)
    working = _days(table.get("working", []), f"{prefix}working", problems)
    both = sorted(holidays & working)
    problems += [f"{prefix}working: {each} is a holiday too" for each in both]
    return WorkingCalendar(weekend=frozenset(map(_WEEK.index, weekend)), holidays=holidays, working=working)


def _days(value: object, name: str, problems: list[str]) -> frozenset[date]:
    if not isinstance(value, list):
        problems.append(f"{name}: must be a list of dates")
        return frozenset()
    found: set[date] = set()
    for number, each in enumerate(value, 1):
        if type(each) is date:
            found.add(each)
        elif isinstance(each, dict) and _is_range(each):
            begin, end = each["from"], each["until"]
            found.update(begin + n * DAY for n in range((end - begin).days + 1))
        else:
            problems.append(
                f"{name}, entry {number}: is neither a date like 2026-10-01 nor {{ from = ..., until = ... }} "
                f"of at most {MAX_RANGE_DAYS} days"
            )
    return frozenset(found)


def _is_range(value: dict[str, Any]) -> bool:
    begin, end = value.get("from"), value.get("until")
    return (
        value.keys() <= {"from", "until", "name"}
        and type(begin) is date
        and type(end) is date
        and begin <= end < begin + MAX_RANGE_DAYS * DAY
    )
