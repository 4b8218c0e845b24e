"""Rounds that take turns, and the table that comes out."""

from __future__ import annotations

import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
RATE_HEADER = ("what", "a second", "range", "CPU ms each", "others")


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
    """Median CPU milliseconds a thing, of this process and all it started."""
    others: float
    """Share of the machine that strangers' processes used meanwhile, 0 to 1: the higher, the less a rate says."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Wall, our CPU and the whole machine's CPU, in seconds."""

    wall: float
    ours: float
    machine: float


def clock() -> Clock:
    """The clocks now."""
    return Clock(wall=time.perf_counter(), ours=_our_seconds(), machine=_machine_seconds())


def strangers(start: Clock, end: Clock) -> float:
    """Share of the machine, 0 to 1, that was busy for others between two clocks."""
    room = (end.wall - start.wall) * (os.cpu_count() or 1)
    return max(0.0, min(1.0, (end.machine - start.machine - (end.ours - start.ours)) / room))


def interleaved(subjects: Sequence[Subject], *, rounds: int = 3) -> list[Measured]:
    """Each subject once a round, `rounds` times, so that a noisy minute hits all of them alike."""
    rates: dict[str, list[float]] = {each.name: [] for each in subjects}
    costs: dict[str, list[float]] = {each.name: [] for each in subjects}
    noise: dict[str, list[float]] = {each.name: [] for each in subjects}
    for number in range(rounds):
        for subject in subjects:
            progress(f"round {number + 1}/{rounds}: {subject.name}")
            start = clock()
            done = subject.run()
            end = clock()
            rates[subject.name].append(done / (end.wall - start.wall))
            costs[subject.name].append(1000 * (end.ours - start.ours) / done)
            noise[subject.name].append(strangers(start, end))
    progress("")
    return [
        Measured(
            name=each.name,
            per_second=statistics.median(rates[each.name]),
            lowest=min(rates[each.name]),
            highest=max(rates[each.name]),
            cpu_ms=statistics.median(costs[each.name]),
            others=statistics.median(noise[each.name]),
        )
        for each in subjects
    ]


def progress(text: str) -> None:
    """Say on the terminal what is going on; the table goes to stdout."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text:<79}\r")
        sys.stderr.flush()


def _our_seconds() -> float:
    """CPU of this process, its ended children, and its living descendants."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system + _living(os.getpid())


def _living(parent: int) -> float:
    total = 0.0
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            children = [int(each) for each in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            total += cpu_seconds(child) + _living(child)
    return total


def cpu_seconds(pid: int) -> float:
    """CPU of a living process and of its ended children; nought when it has gone."""
    try:
        # proc(5): utime, stime, cutime, cstime are fields 14 to 17; the name in brackets may hold blanks.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(int(each) for each in fields[11:15]) / TICKS_PER_SECOND


def _machine_seconds() -> float:
    """CPU of everything on the machine; nought where /proc does not say."""
    try:
        fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _wait, irq, soft, steal = (int(each) for each in fields[:8])
    return (user + nice + system + irq + soft + steal) / TICKS_PER_SECOND


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A Markdown table, as it goes into docs/performance.md."""
    print(f"\n### {title}\n")
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    sys.stdout.flush()


def rate_rows(measured: Sequence[Measured], *, against: str = "") -> list[list[str]]:
    """One row a subject for `RATE_HEADER`; and, if given, the ratio to `against`."""
    base = next((each.per_second for each in measured if each.name == against), 0.0)
    rows = []
    for each in measured:
        row = [
            each.name,
            figure(each.per_second),
            f"{figure(each.lowest)}-{figure(each.highest)}",
            f"{each.cpu_ms:.3f}",
            f"{each.others:.0%}",
        ]
        rows.append([*row, f"{each.per_second / base:.2f}x"] if base else row)
    return rows


def figure(value: float) -> str:
    """A number with as many digits as it deserves."""
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"  # noqa: PLR2004  # three digits


def print_machine() -> None:
    """What the figures are taken on, and how busy it is."""
    load = ", ".join(f"{each:.2f}" for each in os.getloadavg())
    print(
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {load}"
    )
