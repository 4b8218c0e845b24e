"""Rounds that take turns, and the table that comes out."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """Something to measure."""

    name: str
    run: Callable[[], int]
    """Does the work once and gives how many things it did."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What came out for one subject."""

    name: str
    per_second: float
    """Median of the rounds, things per wall second."""
    lowest: float
    highest: float
    cpu_ms: float
    """Median CPU milliseconds a thing, children included."""


def interleaved(subjects: Sequence[Subject], *, rounds: int = 3) -> list[Measured]:
    """Each subject once a round, `rounds` times, so that a noisy minute hits all of them alike."""
    rates: dict[str, list[float]] = {each.name: [] for each in subjects}
    costs: dict[str, list[float]] = {each.name: [] for each in subjects}
    for number in range(rounds):
        for subject in subjects:
            sys.stderr.write(f"\rround {number + 1}/{rounds}: {subject.name:<60}")
            sys.stderr.flush()
            cpu, wall = _cpu_seconds(), time.perf_counter()
            done = subject.run()
            wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
            rates[subject.name].append(done / wall)
            costs[subject.name].append(1000 * cpu / done)
    sys.stderr.write("\r" + " " * 80 + "\r")
    return [
        Measured(
            name=each.name,
            per_second=statistics.median(rates[each.name]),
            lowest=min(rates[each.name]),
            highest=max(rates[each.name]),
            cpu_ms=statistics.median(costs[each.name]),
        )
        for each in subjects
    ]


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A Markdown table, as it goes into docs/performance.md."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def rate_rows(measured: Sequence[Measured], *, against: str = "") -> list[list[str]]:
    """One row a subject: name, rate with its range, CPU; and the ratio to `against` if given."""
    base = next((each.per_second for each in measured if each.name == against), 0.0)
    rows = []
    for each in measured:
        row = [each.name, f"{each.per_second:,.1f}", f"{each.lowest:,.1f}-{each.highest:,.1f}", f"{each.cpu_ms:.3f}"]
        rows.append([*row, f"{each.per_second / base:.2f}x"] if base else row)
    return rows


def print_machine() -> None:
    """What the figures were taken on."""
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {platform.system()}")
