"""Counting for the figures: from the audit chain, by day, from a cursor on, block by block, each record once.

Days are those of the calendar of the agency that acted. A licence's end is counted ahead, when it is issued, so that
nothing has to look for licences that ended.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from certlib.grants import Interface
from certlib.store import agencies
from certlib.store import figures as stored
from certlib.store.figures import STOCK_HIGH, STOCK_LOW, Cell
from certlib.tickets.cells import NOTHING, Bounds, month_bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from certlib.audit import AuditRecord
    from certlib.library import Library
    from certlib.store.figures import LicenceFacts

ISSUED, ENDED, RESTORED = "issued", "ended", "restored"
FOUND, NOTHING_FOUND, REFUSED = "found", "nothing_found", "refused"
OPENED, OVERDUE, PAPER, RATED = "tickets", "overdue", "paper", "rated"
FIGURES: Final = (ISSUED, ENDED, RESTORED, FOUND, NOTHING_FOUND, REFUSED, OPENED, OVERDUE, PAPER, RATED)
"""What is counted. Wire-stable."""
WAYS: Final = frozenset({*(each.value for each in Interface), "shown"})
"""Kinds of looks that count as uses."""
SUCCESSES: Final = frozenset({"match", "differs", "yes", "no", "given", "offered", "nothing_new"})
"""Outcomes that say that a licence was found, where the record names none."""
UNKNOWN: Final = "unknown"
"""For a type that is not registered: whatever somebody asked for does not stand in figures."""
SETTLING: Final = timedelta(hours=1)
"""After midnight, until a day counts as over: the last records of the day may still come."""
LAST_MIDNIGHT: Final = timedelta(hours=12)
"""UTC at which a day is over everywhere."""
DAY: Final = timedelta(days=1)
MAX_STOCK: Final = 10**9
"""No bound: what is read is at most agencies times types for a month's days."""
Series = tuple[str, str, str, str]
"""Agency, type, figure, key."""


def catch_up(lib: Library, *, blocks: int | None = None) -> bool:
    """Count what the audit chain holds since the last time, and close the months that are over; True: all of it.

    Safe in many processes at once, and to be cut short at any moment.
    """
    zones: dict[str, ZoneInfo] = zones_of(lib)
    types = frozenset(each.code for each in agencies.all_types(lib.store))

    def counted(records: Sequence[AuditRecord], facts: Mapping[str, LicenceFacts]) -> Mapping[Cell, int]:
        return counts_of(records, facts, zones=zones, types=types)

    done = 0
    while stored.progress(lib.store).behind and stored.count_block(lib.store, counted):
        lib.step("figures_counted")
        done += 1
        if blocks is not None and done >= blocks:
            break
    complete = stored.progress(lib.store).behind == 0
    while complete and _close_next_month(lib):
        lib.step("month_closed")
    return complete


def zones_of(lib: Library) -> dict[str, ZoneInfo]:
    """The time zone of each agency."""
    return {each.code: ZoneInfo(each.timezone) for each in agencies.all_agencies(lib.store)}


def counts_of(
    records: Iterable[AuditRecord],
    facts: Mapping[str, LicenceFacts],
    *,
    zones: Mapping[str, ZoneInfo],
    types: frozenset[str],
) -> Mapping[Cell, int]:
    """What these records add to the figures."""
    counts: Counter[Cell] = Counter()
    for record in records:
        if record.act in ("licence.issued", "licence.status_changed"):
            known = facts.get(record.subject)
            if known is not None:
                for cell, count in _of_licence(record, known):
                    counts[cell] += count
            continue
        found = _of_service(record)
        agency = str(record.detail.get("agency", ""))
        if found is None or agency not in zones:
            continue
        figure, key = found
        type_code = str(record.detail.get("type", ""))
        type_code = type_code if type_code in types else UNKNOWN
        day = record.at.astimezone(zones[agency]).date()
        counts[Cell(figure, day, agency, type_code, key[:32])] += 1
    return counts


def _of_service(record: AuditRecord) -> tuple[str, str] | None:
    """Figure and key that a record of anything but a licence's own life counts for."""
    detail = record.detail
    if record.act.startswith("look."):
        way = record.act.removeprefix("look.")
        if way not in WAYS:
            return None
        found = "." in record.subject or detail.get("outcome") in SUCCESSES
        return (FOUND if found else NOTHING_FOUND), way
    if record.act == "code.refused":
        return REFUSED, "code_unknown"
    of_act = {
        "share.refused": (REFUSED, "code"),
        "ticket.opened": (OPENED, "kind"),
        "ticket.escalated": (OVERDUE, "kind"),
        "paper.demanded": (PAPER, "reason"),
        "rating.given": (RATED, "score"),
    }.get(record.act)
    return None if of_act is None else (of_act[0], str(detail.get(of_act[1], "")))


def _of_licence(record: AuditRecord, known: LicenceFacts) -> Iterator[tuple[Cell, int]]:
    """What a licence's issue or change of status counts for; its end is counted ahead, on the day after its last."""
    day = record.at.astimezone(ZoneInfo(known.timezone)).date()
    after = None if known.expires_on is None else max(known.expires_on + DAY, day)

    def cell(figure: str, on: date) -> Cell:
        return Cell(figure, on, known.agency_code, known.type_code)

    if record.act == "licence.issued":
        yield cell(ISSUED, day), 1
        if after is not None:
            yield cell(ENDED, after), 1
        return
    if known.expires_on is not None and day > known.expires_on:
        return  # it had ended before
    if record.detail["from"] == "active":
        yield cell(ENDED, day), 1
        if after is not None:
            yield cell(ENDED, after), -1
    elif record.detail["to"] == "active":
        yield cell(RESTORED, day), 1
        if after is not None:
            yield cell(ENDED, after), 1


def _close_next_month(lib: Library) -> bool:
    """Put down the stock at the end of the next month that is over everywhere; False where there is none."""
    known = stored.progress(lib.store).closed_on
    begin = stored.first_day(lib.store) if known is None else known + DAY
    if begin is None:
        return False
    begin = begin.replace(day=1)
    end = month_end(begin)
    over_at = datetime.combine(end + DAY, datetime.min.time(), tzinfo=UTC) + LAST_MIDNIGHT + SETTLING
    if lib.now() < over_at:
        return False
    flows = series_of(
        stored.cells(lib.store, figures=(ISSUED, ENDED, RESTORED), since=begin, until=end, most=MAX_STOCK)
    )
    small = lib.settings.small_cell
    months = {key: month_bounds(days.values(), small) for key, days in flows.items()}
    stock = stock_at(lib, known)
    cells: dict[Cell, int] = {}
    for agency, type_code in {key[:2] for key in months} | stock.keys():
        bounds = moved(stock.get((agency, type_code), NOTHING), months, agency, type_code)
        cells[Cell(STOCK_LOW, end, agency, type_code)] = bounds.low
        cells[Cell(STOCK_HIGH, end, agency, type_code)] = bounds.high
    return stored.close_month(lib.store, before=known, end=end, stock=cells)


def stock_at(lib: Library, on: date | None) -> dict[tuple[str, str], Bounds]:
    """Active licences at the end of a closed month, by agency and type."""
    if on is None:
        return {}
    cells = stored.cells(lib.store, figures=(STOCK_LOW, STOCK_HIGH), since=on, until=on, most=MAX_STOCK)
    low = {(each.agency_code, each.type_code): count for each, count in cells.items() if each.figure == STOCK_LOW}
    return {
        (each.agency_code, each.type_code): Bounds(low.get((each.agency_code, each.type_code), 0), count)
        for each, count in cells.items()
        if each.figure == STOCK_HIGH
    }


def moved(stock: Bounds, flows: Mapping[Series, Bounds], agency: str, type_code: str) -> Bounds:
    """The stock after these flows."""
    issued, ended, restored = (flows.get((agency, type_code, each, ""), NOTHING) for each in (ISSUED, ENDED, RESTORED))
    return stock + issued + restored - ended


def series_of(cells: Mapping[Cell, int]) -> dict[Series, dict[date, int]]:
    """The cells by series and day."""
    found: dict[Series, dict[date, int]] = {}
    for cell, count in cells.items():
        key = (cell.agency_code, cell.type_code, cell.figure, cell.key)
        found.setdefault(key, {})[cell.day] = max(0, count)
    return found


def month_end(day: date) -> date:
    """The last day of the month of `day`."""
    return (day.replace(day=28) + 4 * DAY).replace(day=1) - DAY
