"""Public look-ups: over HTTP beside a constant answer, and in libraries of different size. Called by `bench.verify`."""

from __future__ import annotations

import os
import random
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.library import new_library
from bench.load import Load, generator, load
from bench.records import code_of, filled
from bench.register import ROOT
from bench.table import (
    RATE_HEADER,
    Subject,
    clock,
    cpu_seconds,
    figure,
    interleaved,
    print_table,
    progress,
    rate_rows,
    strangers,
)
from certlib.answering import public_answer
from certlib.library import close_library, open_library
from certlib.retrieving import open_reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certlib.config import Settings

KEYS = 20_000
"""Different codes that are asked for, drawn from all records."""
START_SECONDS = 60.0
LOOKUP, CONSTANT = "/v1/verify/", "/constant/"
PATHS = {
    LOOKUP: "GET /v1/verify/<code>",
    CONSTANT: "a constant, from a plain route like the look-up's",
    "/fastapi/": "a constant, from an async route of FastAPI",
    "/healthz?": "GET /healthz, a def route on worker threads",
}


def library_of(folder: Path, count: int) -> Settings:
    """A library with `count` synthetic records."""
    progress(f"a library of {count:,} records")
    settings = new_library(folder)
    filled(settings, count)
    return settings


def some_codes(count: int) -> list[str]:
    """Codes of records between 1 and `count`, the same ones each time."""
    chosen = random.Random(count)  # noqa: S311  # nothing secret
    return [code_of(chosen.randint(1, count)) for _ in range(KEYS)]


@contextmanager
def server(settings: Settings) -> Iterator[tuple[int, int]]:
    """One uvicorn worker over a library, on a free port of the loopback: the port, and the process's id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [
        *(sys.executable, "-m", "uvicorn", "--factory", "bench.served:app", "--host", "127.0.0.1"),
        *("--port", str(port), "--log-level", "warning", "--no-access-log"),
    ]
    environment = {**os.environ, "CERTLIB_HOME": str(settings.home), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment)  # noqa: S603  # our own server
    try:
        _await(port, process)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def http_tables(settings: Settings, keys: Path, *, records: int, seconds: float, rounds: int) -> None:
    """Rates beside the constant, and the times of answers at half of the rate."""
    keys.write_text("\n".join(some_codes(records)), "ascii")
    full: dict[str, list[Load]] = {path: [] for path in PATHS}
    noise: dict[str, list[float]] = {path: [] for path in full}
    costs: dict[str, list[float]] = {path: [] for path in full}
    with server(settings) as (port, pid):
        for path in full:
            load(port, path, keys, seconds=min(1.0, seconds))
        for number in range(rounds):
            for path, results in full.items():
                progress(f"round {number + 1}/{rounds}: GET {path}")
                start, used = clock(), cpu_seconds(pid)
                results.append(load(port, path, keys, seconds=seconds))
                costs[path].append((cpu_seconds(pid) - used) * 1e6 / (results[-1].per_second * seconds))
                noise[path].append(strangers(start, clock()))
        rate = statistics.median(each.per_second for each in full[LOOKUP])
        half = [load(port, LOOKUP, keys, seconds=seconds, pause_ms=_pause_ms(rate / 2)) for _ in range(rounds)]
    progress("")
    base = statistics.median(each.per_second for each in full[CONSTANT])
    rows = []
    for path, results in full.items():
        rates = [each.per_second for each in results]
        ratios = [one.per_second / floor.per_second for one, floor in zip(results, full[CONSTANT], strict=True)]
        rows.append(
            [
                PATHS[path],
                figure(statistics.median(rates)),
                f"{figure(min(rates))}-{figure(max(rates))}",
                f"{statistics.median(costs[path]):.0f}",
                f"{statistics.median(each.p99_ms for each in results):.1f}",
                f"{statistics.median(rates) / base:.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
                sum(each.errors for each in results),
                f"{statistics.median(noise[path]):.0%}",
            ]
        )
    print_table(
        f"Look-ups over HTTP: one worker, {records:,} records, 32 connections, load by {generator()}",
        ("what", "a second", "range", "server CPU µs", "p99 ms", "of the constant (by round)", "errors", "others"),
        rows,
    )
    print_table(
        "The same look-ups at half of that rate",
        ("asked a second", "p50 ms", "p99 ms", "errors"),
        [[figure(each.per_second), f"{each.p50_ms:.2f}", f"{each.p99_ms:.2f}", each.errors] for each in half],
    )


def _pause_ms(rate: float) -> float:
    """The mean pause of a connection for `rate` questions a second over 32 connections."""
    return 1000 * 32 / rate


def growth_table(libraries: dict[int, Settings], *, rounds: int, lookups: int = 40_000) -> None:
    """The same look-up, without HTTP, in libraries of different size."""
    opened = {count: open_library(settings) for count, settings in libraries.items()}
    readers = {count: open_reader(lib) for count, lib in opened.items()}
    codes = {count: some_codes(count) for count in libraries}

    def run(count: int) -> int:
        reader, now = readers[count], opened[count].now()
        for index in range(lookups):
            public_answer(reader, codes[count][index % KEYS], now=now)
        return lookups

    subjects = [Subject(name=f"{count:,} records", run=lambda count=count: run(count)) for count in libraries]  # type: ignore[misc]  # mypy infers no lambda with a default
    try:
        for count in libraries:
            run(count)  # what is asked for lies in the system's cache, as in a server that has run for a while
        measured = interleaved(subjects, rounds=rounds)
    finally:
        for count, lib in opened.items():
            readers[count].close()
            close_library(lib)
    rows = rate_rows(measured, against=subjects[0].name)
    for row, settings in zip(rows, libraries.values(), strict=True):
        row.append(f"{(settings.home / 'certlib.sqlite').stat().st_size / 2**20:,.0f}")
    print_table(
        "One look-up by code as the library grows (no HTTP; pages in the system's cache)",
        (*RATE_HEADER, "rate against the first", "database MiB"),
        rows,
    )
