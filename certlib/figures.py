"""Figures of the service (效能监督): daily counts, published without small cells.

What is counted stands in `certlib.tickets.counting`; what may be published of it, and why nothing about single
persons follows from that, in `certlib.tickets.cells`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError
from certlib.grants import Interface
from certlib.store import agencies
from certlib.store import figures as stored
from certlib.tickets.cells import NOTHING, Bounds, average, day_bounds, month_bounds, share, total
from certlib.tickets.counting import (
    DAY,
    ENDED,
    FIGURES,
    FOUND,
    ISSUED,
    MAX_STOCK,
    NOTHING_FOUND,
    PAPER,
    RATED,
    RESTORED,
    SETTLING,
    UNKNOWN,
    Series,
    catch_up,
    month_end,
    moved,
    series_of,
    stock_at,
    zones_of,
)
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from certlib.callers import AgencyCaller
    from certlib.library import Library

_DAY_FORM: Final = re.compile(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}", re.ASCII)
MAX_DAYS: Final = 366
DAYS_SHOWN: Final = 31
"""In a range of at most so many days, each day is shown."""
MAX_CELLS: Final = 250_000
"""More than these at once is a question too wide."""
MAX_BLOCKS: Final = 25
"""Counted at most before one answer; the answer says whether more is left."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """What statistics are asked for."""

    since: date
    until: date
    """Included."""
    agency_code: str = ""
    type_code: str = ""


def scope_of(caller: AgencyCaller, agency_code: str) -> str:
    """The agency that a caller may ask about; empty is the whole library.

    Raises:
        ForbiddenError: the bearer is for none of this.
    """
    if "audit" in caller.scopes:
        return agency_code
    if not caller.scopes & {"manage", "share"}:
        raise ForbiddenError("this bearer is not for statistics")
    if agency_code not in ("", caller.agency_code):
        raise ForbiddenError("this bearer is for the figures of its own agency only")
    return caller.agency_code


def question_of(lib: Library, *, since: str, until: str, agency_code: str, type_code: str) -> Question:
    """The question that these texts ask; empty days are today, wherever it began first, and 30 days before the last.

    Raises:
        InvalidRequestError: a text is no day between 2000 and 2999.
    """
    now = lib.now()
    newest = max((now.astimezone(zone).date() for zone in zones_of(lib).values()), default=now.date())
    last = _day("to", until) if until else newest
    first = _day("from", since) if since else last - (DAYS_SHOWN - 1) * DAY
    return Question(since=first, until=last, agency_code=agency_code, type_code=type_code)


def statistics(lib: Library, question: Question) -> dict[str, Any]:
    """The figures, as programs read them: bounds of each count, and their sums.

    Raises:
        InvalidRequestError: the range is none or too long, or agency or type is not known.
    """
    _require(lib, question)
    complete = catch_up(lib, blocks=MAX_BLOCKS)
    seen = _Seen.of(lib)
    found = stored.cells(
        lib.store,
        figures=FIGURES,
        since=question.since,
        until=question.until,
        agency_code=question.agency_code,
        type_code=question.type_code,
        most=MAX_CELLS,
    )
    if len(found) > MAX_CELLS:
        raise _fault("from", "too_wide", "asks for too much at once; narrow it by agency, type or days")
    series = series_of(found)
    sums = {key: total(b for _, _, b in seen.nodes(key[0], days, question)) for key, days in series.items()}
    sums = {key: bounds for key, bounds in sums.items() if bounds != NOTHING}
    done = stored.progress(lib.store)
    return {
        "from": question.since.isoformat(),
        "to": question.until.isoformat(),
        "small_cell": seen.small,
        "complete": complete,
        # To the hour: when the last act of all was, is nobody's business.
        "counted_to": moment(done.at.replace(minute=0, second=0)) if done.at else None,
        "rows": [_row(seen, key, sums[key], series[key], question) for key in sorted(sums)],
        "groups": _groups(lib, seen, question, sums),
        "totals": _totals(seen, sums),
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Seen:
    """What of the calendar may be published now."""

    small: int
    over: Mapping[str, date]
    """Agency -> the last day that is over and counted."""
    today: Mapping[str, date]

    @classmethod
    def of(cls, lib: Library) -> _Seen:
        now = lib.now()
        done = stored.progress(lib.store)
        horizon = now - SETTLING
        if done.behind and done.at is not None:
            horizon = min(horizon, done.at)
        zones = zones_of(lib)
        return cls(
            small=lib.settings.small_cell,
            over={code: horizon.astimezone(zone).date() - DAY for code, zone in zones.items()},
            today={code: now.astimezone(zone).date() for code, zone in zones.items()},
        )

    def nodes(self, agency: str, days: Mapping[date, int], question: Question) -> Iterator[tuple[date, date, Bounds]]:
        """What is published of one series in a range: whole months that are over, and days."""
        over, today = self.over[agency], self.today[agency]
        months = {each.replace(day=1) for each in days if question.since <= each <= min(question.until, today)}
        for begin in sorted(months):
            end = month_end(begin)
            if question.since <= begin and end <= min(question.until, over):
                counts = [count for day, count in days.items() if begin <= day <= end]
                yield begin, end, month_bounds(counts, self.small)
                continue
            yield from self.days(agency, days, max(begin, question.since), min(end, question.until))

    def days(
        self, agency: str, days: Mapping[date, int], since: date, until: date
    ) -> Iterator[tuple[date, date, Bounds]]:
        """The single days of a range."""
        for day in sorted(days):
            if since <= day <= min(until, self.today[agency]):
                yield day, day, day_bounds(days[day], self.small, over=day <= self.over[agency])


def _row(seen: _Seen, key: Series, bounds: Bounds, days: Mapping[date, int], question: Question) -> dict[str, Any]:
    agency, type_code, figure, name = key
    if (question.until - question.since).days < DAYS_SHOWN:
        parts = seen.days(agency, days, question.since, question.until)
    else:
        parts = seen.nodes(agency, days, question)
    return {
        "agency": agency,
        "type": type_code,
        "figure": figure,
        "key": name,
        **_count(bounds, seen.small),
        "parts": [
            {"from": begin.isoformat(), "to": end.isoformat(), **_count(each, seen.small)} for begin, end, each in parts
        ],
    }


def _groups(lib: Library, seen: _Seen, question: Question, sums: Mapping[Series, Bounds]) -> list[dict[str, Any]]:
    """Active licences at the end of the range, and rates, by agency and type."""
    active = _active(lib, seen, question)
    pairs = sorted({key[:2] for key in sums} | active.keys())
    return [
        {
            "agency": agency,
            "type": type_code,
            "active": _count(active.get((agency, type_code), NOTHING), seen.small),
            **_rates(seen, {key: each for key, each in sums.items() if key[:2] == (agency, type_code)}),
        }
        for agency, type_code in pairs
    ]


def _active(lib: Library, seen: _Seen, question: Question) -> dict[tuple[str, str], Bounds]:
    """Licences in force at the end of the range: the stock of the last closed month, and what was published since."""
    closed = stored.progress(lib.store).closed_on
    last = question.until if month_end(question.until) == question.until else question.until.replace(day=1) - DAY
    on = None if closed is None else min(closed, last)
    begin = stored.first_day(lib.store)
    if begin is None or question.until < begin:
        return {}
    if on is not None and on >= begin:
        begin = on + DAY
    else:
        on = None
    since = Question(since=begin, until=question.until, agency_code=question.agency_code, type_code=question.type_code)
    flows = series_of(
        stored.cells(
            lib.store,
            figures=(ISSUED, ENDED, RESTORED),
            since=begin,
            until=question.until,
            agency_code=question.agency_code,
            type_code=question.type_code,
            most=MAX_STOCK,
        )
    )
    sums = {key: total(b for _, _, b in seen.nodes(key[0], days, since)) for key, days in flows.items()}
    stock = {
        key: bounds
        for key, bounds in stock_at(lib, on).items()
        if question.agency_code in ("", key[0]) and question.type_code in ("", key[1])
    }
    pairs = stock.keys() | {key[:2] for key in sums}
    return {pair: moved(stock.get(pair, NOTHING), sums, *pair) for pair in pairs}


def _rates(seen: _Seen, sums: Mapping[Series, Bounds]) -> dict[str, Any]:
    """Rates of what was counted often enough: of a few it would say what each of them did."""

    def of(*figures: str) -> Bounds:
        return total(bounds for key, bounds in sums.items() if key[2] in figures and key[3] != Interface.FEED)

    scores = {
        score: total(bounds for key, bounds in sums.items() if key[2:] == (RATED, str(score))) for score in range(1, 6)
    }
    uses = of(FOUND, NOTHING_FOUND)
    rates = {
        "success_rate": (uses, share(of(FOUND), of(NOTHING_FOUND))),
        "use_rate": (uses + of(PAPER), share(uses, of(PAPER))),
        "rating": (total(scores.values()), average(scores)),
    }
    return {
        name: None
        if each is None or of_all.low < seen.small
        else {"at_least": round(each[0], 3), "at_most": round(each[1], 3)}
        for name, (of_all, each) in rates.items()
    }


def _totals(seen: _Seen, sums: Mapping[Series, Bounds]) -> dict[str, Any]:
    """Sums over agencies and types, by figure and key; `uses` are the looks that found something and the others."""
    found: dict[tuple[str, str], Bounds] = {}
    for (_, _, figure, key), bounds in sums.items():
        for name in (figure, "uses") if figure in (FOUND, NOTHING_FOUND) else (figure,):
            found[name, key] = found.get((name, key), NOTHING) + bounds
    counts = [{"figure": figure, "key": key, **_count(found[figure, key], seen.small)} for figure, key in sorted(found)]
    return {"counts": counts, **_rates(seen, sums)}


def _count(bounds: Bounds, small: int) -> dict[str, Any]:
    return {"at_least": bounds.low, "at_most": bounds.high, "shown": bounds.shown(small)}


def _require(lib: Library, question: Question) -> None:
    if question.until < question.since:
        raise _fault("to", "before_from", "lies before `from`")
    if (question.until - question.since).days >= MAX_DAYS:
        raise _fault("to", "too_far", f"is more than {MAX_DAYS} days after `from`")
    if question.agency_code and question.agency_code not in {e.code for e in agencies.all_agencies(lib.store)}:
        raise _fault("agency", "unknown", "is no agency of this library")
    if question.type_code and question.type_code not in {UNKNOWN, *(e.code for e in agencies.all_types(lib.store))}:
        raise _fault("type", "unknown", "is no type of this library")


def _day(name: str, text: str) -> date:
    if _DAY_FORM.fullmatch(text):
        with suppress(ValueError):
            return date.fromisoformat(text)
    raise _fault(name, "bad_date", "is no day like 2026-11-22")


def _fault(name: str, code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field=name, code=code, reason=reason),))
