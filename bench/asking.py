"""Checks and uses in a library of a hundred thousand licences. Called by `bench.share`.

In process, one caller and sixteen at once, beside the floor: a ledger row and its audit record committed, nothing
else. Over HTTP beside a constant answer to the same body. A bulk check of ten thousand rows.
"""

from __future__ import annotations

import csv
import io
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.holders import FIRST, filled_with_holders
from bench.library import new_library
from bench.lookups import server
from bench.posting import Posts, post_load
from bench.register import CITY, uscc
from bench.table import clock, figure, print_table, progress, strangers
from certlib.callers import AgencyCaller, bearer_for
from certlib.grants import BASE_FIELDS, Asking, Basis, Grant, Interface
from certlib.library import Library, close_library, open_library
from certlib.receipting import new_receipt_id
from certlib.sharing import bulk_checks, checks, use_data, uses
from certlib.sharing.admission import admit, settle
from certlib.store import granting, lookups

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from certlib.config import Settings

MATTER = "330200-0107"
TYPE = "business-licence"
CALLERS = 16
ASKING = Asking(matter_code=MATTER, case_number="2026-1", purpose="Bench", operator="bench")
FIELDS = (*BASE_FIELDS, "company_type", "legal_representative", "address", "business_scope")


@dataclass(frozen=True, kw_only=True, slots=True)
class Timed:
    """What one run of callers found."""

    per_second: float
    p50_ms: float
    p99_ms: float
    others: float


def asked_library(folder: Path, records: int) -> Settings:
    """A library with `records` licences that can be asked about, and a grant for all of it."""
    progress(f"a library of {records:,} licences with holders")
    settings = new_library(folder)
    filled_with_holders(settings, records)
    lib = open_library(settings)
    try:
        grant = Grant(
            id=new_receipt_id(),
            agency_code=CITY.code,
            type_code=TYPE,
            fields=FIELDS,
            interfaces=frozenset(Interface),
            matters=frozenset({MATTER}),
            basis=Basis.STATUTORY,
            clause="Bench Act, section 1",
            daily_cap=10**9,
            networks=(),
            valid_from=lib.now(),
            valid_until=None,
            granted_by="bench",
            granted_at=lib.now(),
        )
        granting.add_grant(lib.store, grant)
    finally:
        close_library(lib)
    return settings


def in_process_rows(lib: Library, records: int, *, seconds: float, rounds: int) -> list[list[str]]:
    """Rates and times of a check, of a use with its data, and of the floor; turns taken, the median round shown."""
    caller = AgencyCaller(agency_code=CITY.code, scopes=frozenset({"share"}), client_id="bench", address="127.0.0.1")
    given = _given(lib, records)

    def check(number: int) -> None:
        checks.check(lib, caller, ASKING, type_code=TYPE, given=given[number % len(given)])

    def use(number: int) -> None:
        wanted = uses.UseRequest(
            asking=ASKING,
            interfaces=(Interface.DATA,),
            types=(TYPE,),
            holder_code=given[number % len(given)]["holder_code"],
        )
        asked, _new = uses.ask(lib, caller, wanted)
        use_data.read_data(lib, caller, asked.id)

    def floor(number: int) -> None:
        admission = admit(lib, caller, ASKING, interface=Interface.CHECK, type_code=TYPE)
        code = given[number % len(given)]["holder_code"]
        settle(lib, admission, [admission.look(outcome="match", holder_code=code)])

    subjects: dict[str, Callable[[int], None]] = {
        "check of 4 values": check,
        "use: asked for, data read": use,
        "the floor: grant judged, ledger row and audit record committed": floor,
    }
    results: dict[tuple[str, int], list[Timed]] = {}
    for number in range(rounds):
        for name, run in subjects.items():
            for callers in (1, CALLERS):
                progress(f"round {number + 1}/{rounds}: {name}, {callers} at once")
                results.setdefault((name, callers), []).append(_timed(run, callers, seconds))
    progress("")
    return [
        [
            name,
            str(callers),
            figure(middle.per_second),
            f"{figure(min(each.per_second for each in timed))}-{figure(max(each.per_second for each in timed))}",
            f"{middle.p50_ms:.1f}",
            f"{middle.p99_ms:.1f}",
            f"{middle.others:.0%}",
        ]
        for (name, callers), timed in results.items()
        for middle in [sorted(timed, key=lambda each: each.per_second)[len(timed) // 2]]
    ]


def http_rows(lib: Library, records: int, folder: Path, *, seconds: float, rounds: int) -> list[list[str]]:
    """The same check over HTTP with one worker, beside a constant answer to the same body."""
    bodies = folder / "bodies"
    said = {"type": TYPE, "matter_code": MATTER, "case_number": "2026-1", "purpose": "Bench", "operator": "bench"}
    bodies.write_text("\n".join(json.dumps({**said, "given": given}) for given in _given(lib, records)), "utf-8")
    bearer = bearer_for(lib, CITY.code, ttl_seconds=24 * 3600, scopes=("share",))
    found: dict[str, list[tuple[float, float, float, int, float]]] = {}
    with server(lib.settings) as (port, _pid):
        for number in range(rounds):
            for path in ("/v1/checks", "/constant"):
                progress(f"round {number + 1}/{rounds}: POST {path}")
                posts = Posts(port=port, path=path, bodies=bodies, bearer=bearer, connections=CALLERS)
                begin = clock()
                one = post_load(posts, seconds=seconds)
                found.setdefault(path, []).append(
                    (one.per_second, one.p50_ms, one.p99_ms, one.errors, strangers(begin, clock()))
                )
    progress("")
    rows = []
    for path, each in found.items():
        rate, p50, p99, errors, others = sorted(each)[len(each) // 2]
        rows.append([f"POST {path}", figure(rate), f"{p50:.1f}", f"{p99:.1f}", str(errors), f"{others:.0%}"])
    return rows


def bulk_row(lib: Library, records: int, rows: int) -> list[str]:
    """A file of `rows` rows, as it comes by HTTP: read, compared, counted, put down, written, signed."""
    caller = AgencyCaller(agency_code=CITY.code, scopes=frozenset({"share"}), client_id="bench", address="127.0.0.1")
    names = ("holder_code", "number", "holder_name", "address")
    out = io.StringIO()
    writer = csv.DictWriter(out, names)
    writer.writeheader()
    writer.writerows(_given(lib, records, rows))
    progress(f"a file of {rows:,} rows")
    begin = clock()
    answer = bulk_checks.bulk_check(lib, caller, ASKING, type_code=TYPE, csv=out.getvalue(), jsonl=None)
    end = clock()
    progress("")
    seconds = end.wall - begin.wall
    return [
        f"{rows:,}",
        f"{seconds:.1f}",
        figure(rows / seconds),
        f"{len(answer.result.encode()):,}",
        f"{strangers(begin, end):.0%}",
    ]


def tables(scratch: Path, *, records: int, seconds: float, rounds: int, rows: int) -> None:
    """Print all of it."""
    settings = asked_library(scratch, records)
    lib = open_library(settings)
    try:
        header = ("what", "callers", "a second", "range", "p50 ms", "p99 ms", "others")
        title = f"Checks and uses, in process, SQLite, {records:,} licences"
        print_table(title, header, in_process_rows(lib, records, seconds=seconds, rounds=rounds))
        print_table(
            f"Checks over HTTP, one worker, {CALLERS} connections",
            ("what", "a second", "p50 ms", "p99 ms", "errors", "others"),
            http_rows(lib, records, scratch, seconds=seconds, rounds=rounds),
        )
        print_table(
            "One file of checks",
            ("rows", "seconds", "rows a second", "bytes out", "others"),
            [bulk_row(lib, records, rows)],
        )
    finally:
        close_library(lib)


def _given(lib: Library, records: int, count: int = 4000) -> list[dict[str, str]]:
    """What callers know of `count` licences drawn by lot: two of three know it right."""
    lots = random.Random(records)  # noqa: S311  # no secrets
    given = []
    for place in range(count):
        code = uscc(FIRST + lots.randrange(records))
        (licence,) = lookups.licences_by_holder(lib.store, code)
        name = licence.holders[0].name if place % 3 else "another company"
        given.append(
            {"holder_code": code, "number": code, "holder_name": name, "address": licence.fields.get("address", "-")}
        )
    return given


def _timed(run: Callable[[int], None], callers: int, seconds: float) -> Timed:
    """How `callers` threads get on when each asks again as soon as it is answered."""
    begin, end = clock(), time.perf_counter() + seconds

    def calls(caller: int) -> list[float]:
        times, number = [], caller * 1009
        while (start := time.perf_counter()) < end:
            run(number)
            times.append(time.perf_counter() - start)
            number += 1
        return times

    with ThreadPoolExecutor(callers) as pool:
        times = sorted(each for found in pool.map(calls, range(callers)) for each in found)
    after = clock()
    return Timed(
        per_second=len(times) / (after.wall - begin.wall),
        p50_ms=1000 * times[len(times) // 2],
        p99_ms=1000 * times[int(0.99 * len(times))],
        others=strangers(begin, after),
    )
