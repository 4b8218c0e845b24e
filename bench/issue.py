"""Licences a second: pipeline, durable batch, the usual stack, and the floor. `python -m bench.issue`."""

from __future__ import annotations

import argparse
import hashlib
import itertools
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.library import new_library
from bench.peer import UsualStack
from bench.register import AGENCY, ROOT, BusinessRegister, write_register
from bench.table import RATE_HEADER, Subject, figure, interleaved, print_machine, print_table, progress, rate_rows
from certlib.batch import run_batch
from certlib.config import Settings, read_settings
from certlib.enrolling import issuing_kit
from certlib.issuing import identifier_root, issue_block
from certlib.lawfulness import checked_request
from certlib.library import Library, close_library, open_library
from certlib.making import Piece, made_licences, unreserved
from certlib.store.values import Intent, MadeLicence
from signing.keys import KeyAlgorithm, generate_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certlib.press import TypeFolder

BLOCK = 64
MAP = ROOT / "templates" / "business-licence" / "ningbo.map.toml"
STEADY = (0.1, 0.9)
"""Between these shares of the rows a batch runs steadily: processes have started, none is out of work yet."""
STAGES = {
    "prepared": "rows judged",
    "reserved": "reservation committed",
    "signed": "tokens signed",
    "drawn": "QR matrices",
    "rendered": "pages written",
    "sealed": "seals",
    "verified": "own work checked",
    "recorded": "recorded: blobs encrypted and synced, record and audit committed",
}


def pieces(
    lib: Library, folder: TypeFolder, register: BusinessRegister, count: int, first: int
) -> Iterator[list[Piece]]:
    """Blocks of lawful requests as reservations that nobody keeps: the rows' judgement is part of the pipeline."""
    kit, now = issuing_kit(lib, AGENCY.code), lib.now()
    licence_type = folder.licence_type

    def piece(number: int) -> Piece:
        intent = Intent(
            request=checked_request(licence_type, register.request(number), AGENCY, today=now.date()),
            type_version=licence_type.version,
            type_digest=folder.digest,
            identifier_scheme=licence_type.scheme,
            identifier_root=identifier_root(lib, licence_type.scheme),
            type_segment=licence_type.segment,
            agency_segment=AGENCY.code,
        )
        return Piece(reserved=unreserved(intent, now=now), folder=folder, kit=kit)

    for start in range(first, first + count, BLOCK):
        yield [piece(number) for number in range(start, min(start + BLOCK, first + count))]


class Pipeline:
    """Rows to sealed, self-verified bytes written to files; no record."""

    def __init__(self, settings: Settings, target: Path) -> None:
        self.lib = open_library(settings)
        self.folder = self.lib.press.folder("business-licence", 1)
        self.register = BusinessRegister(self.folder.licence_type)
        self.target = target
        self.made = 0
        self.sizes: list[int] = []
        self.run(BLOCK)  # fonts, form and CMS templates are made once per process, before the clock runs

    def run(self, count: int) -> int:
        """Make `count` licences."""
        done = 0
        for block in pieces(self.lib, self.folder, self.register, count, self.made):
            for result in made_licences(self.lib, block):
                if not isinstance(result, MadeLicence):
                    raise result
                (self.target / f"{os.getpid()}-{done % 500}.pdf").write_bytes(result.pdf)
                self.sizes.append(len(result.pdf))
                done += 1
        self.made += count
        return done


def _pipeline_worker(home: str, target: str, count: int, gate: Any, done: Any) -> None:  # noqa: ANN401  # queues
    pipeline = Pipeline(read_settings(Path(home)), Path(target))
    done.put(0)
    while gate.get():
        done.put(pipeline.run(count))


class PipelinePool:
    """The pipeline in several processes, started before the clock runs."""

    def __init__(self, settings: Settings, target: Path, processes: int, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.gate, self.done = context.Queue(), context.Queue()
        self.workers = [
            context.Process(
                target=_pipeline_worker,
                args=(str(settings.home), str(target), count // processes, self.gate, self.done),
            )
            for _ in range(processes)
        ]
        for worker in self.workers:
            worker.start()
        for _ in self.workers:
            self.done.get(timeout=300)

    def run(self) -> int:
        """One round in all processes."""
        for _ in self.workers:
            self.gate.put(True)
        return sum(self.done.get(timeout=600) for _ in self.workers)

    def close(self) -> None:
        """End the processes."""
        for _ in self.workers:
            self.gate.put(False)
        for worker in self.workers:
            worker.join(timeout=30)


class Floor:
    """One signature, one SHA-256 over a file's worth of bytes, one file written: less is not a sealed file."""

    def __init__(self, algorithm: KeyAlgorithm, target: Path, size: int) -> None:
        self.key, self.target, self.content = generate_key(algorithm), target, os.urandom(size)

    def run(self, count: int) -> int:
        """Do it `count` times."""
        for number in range(count):
            signature = self.key.sign_digest(hashlib.sha256(self.content).digest())
            (self.target / f"floor-{number % 500}").write_bytes(self.content + signature)
        return count


class Durable:
    """`certlib batch`: CSV in, record, audit and encrypted blobs durable in SQLite; a fresh library each round."""

    def __init__(self, template: Path, scratch: Path, count: int, workers: int) -> None:
        self.template, self.scratch, self.count, self.workers = template, scratch, count, workers
        self.rounds = itertools.count()
        self.steady: list[float] = []
        """Rows a second of each round in its steady part; empty where the register is too short for one."""

    def run(self) -> int:
        """Issue a register of `count` rows."""
        home = self.scratch / f"durable-{self.workers}-{next(self.rounds)}"
        shutil.copytree(self.template, home)
        lib = open_library(read_settings(home))
        marks: list[tuple[int, float]] = []
        try:
            summary = run_batch(
                lib, "business-licence", self.scratch / f"register-{self.count}.csv", MAP,
                agency_code=AGENCY.code, workers=self.workers, out=None,
                progress=lambda done, _refused, _part: marks.append((done, time.perf_counter())),
            )  # fmt: skip
        finally:
            close_library(lib)
        if summary.issued != self.count:
            raise SystemExit(f"issued {summary.issued} of {self.count}: {summary.refused_by_code}")
        shutil.rmtree(home)
        inside = [mark for mark in marks if STEADY[0] * self.count <= mark[0] <= STEADY[1] * self.count]
        if len(inside) > 1:
            self.steady.append((inside[-1][0] - inside[0][0]) / (inside[-1][1] - inside[0][1]))
        return self.count


class Stages:
    """Where the time of a durable licence goes: the library's own steps, by CPU and by wall clock."""

    def __init__(self, home: Path) -> None:
        self.lib = open_library(read_settings(home), step=self._step)
        self.wall: Counter[str] = Counter()
        self.cpu: Counter[str] = Counter()
        self.last = (0.0, 0.0)

    def _step(self, name: str) -> None:
        now = (time.perf_counter(), time.process_time())
        self.wall[name] += now[0] - self.last[0]  # type: ignore[assignment]  # a counter of seconds
        self.cpu[name] += now[1] - self.last[1]  # type: ignore[assignment]  # as above
        self.last = now

    def rows(self, count: int) -> list[list[str]]:
        """Issue `count` licences; one row a stage, milliseconds a licence."""
        register = BusinessRegister(self.lib.press.folder("business-licence", 1).licence_type)
        for start in range(0, count + BLOCK, BLOCK):
            requests = [register.request(start + number) for number in range(BLOCK)]
            if start <= BLOCK:  # the first block lays out the form and does not count
                self.wall.clear()
                self.cpu.clear()
            self.last = (time.perf_counter(), time.process_time())
            issue_block(self.lib, requests)
        close_library(self.lib)
        blocks = max(1, (count + BLOCK - 1) // BLOCK)
        each = 1000 / (blocks * BLOCK)
        rows = [[STAGES[name], f"{self.cpu[name] * each:.3f}", f"{self.wall[name] * each:.3f}"] for name in STAGES]
        total = [f"{sum(one.values()) * each:.3f}" for one in (self.cpu, self.wall)]
        return [*rows, ["together", *total]]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1280, help="licences a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--algorithms", nargs="+", type=KeyAlgorithm, default=[KeyAlgorithm.P256, KeyAlgorithm.RSA2048])
    parser.add_argument("--peer-count", type=int, default=24, help="documents a round of the usual stack")
    options = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(prefix="certlib-bench-") as name:
        scratch = Path(name)
        os.chdir(scratch)
        for algorithm in options.algorithms:
            measure(scratch / algorithm, algorithm, options.count, options.rounds, options.peer_count)
        os.chdir("/")


def measure(scratch: Path, algorithm: KeyAlgorithm, count: int, rounds: int, peer_count: int) -> None:
    """The tables for one kind of key."""
    scratch.mkdir()
    (scratch / "pdf").mkdir()
    progress("making a library")
    settings = new_library(scratch / "library", algorithm)
    write_register(scratch / f"register-{count}.csv", count)
    shutil.copytree(settings.home, scratch / "stages")
    pipeline = Pipeline(settings, scratch / "pdf")
    size = round(statistics.median(pipeline.sizes))
    pool = PipelinePool(settings, scratch / "pdf", 2, count)
    floor = Floor(algorithm, scratch / "pdf", size)
    peer = UsualStack(algorithm, [pipeline.register.request(number) for number in range(peer_count)])
    one, two = (Durable(settings.home, scratch, count, workers) for workers in (1, 2))
    usual = "reportlab + qrcode + pyHanko as documented"
    subjects = [
        Subject(name=usual, run=peer.run),
        Subject(name="pipeline, 1 process", run=lambda: pipeline.run(count)),
        Subject(name="pipeline, 2 processes", run=pool.run),
        Subject(name="durable batch, 1 process", run=one.run),
        Subject(name="durable batch, 2 processes", run=two.run),
        Subject(name="floor: signature + SHA-256 + write", run=lambda: floor.run(count)),
    ]
    try:
        measured = interleaved(subjects, rounds=rounds)
    finally:
        pool.close()
        close_library(pipeline.lib)
    title = f"Issuing, {algorithm}, {count} licences a round, median PDF {size:,} bytes"
    print_table(title, (*RATE_HEADER, "against the usual stack"), rate_rows(measured, against=usual))
    if one.steady and two.steady:
        print_table(
            "The durable batch after its start (rows from 10 % to 90 %)",
            ("processes", "licences/s", "range"),
            [
                [each.workers, figure(statistics.median(each.steady)),
                 f"{figure(min(each.steady))}-{figure(max(each.steady))}"]
                for each in (one, two)
            ],
        )  # fmt: skip
    stages = Stages(scratch / "stages")
    print_table("Where a durable licence's time goes", ("stage", "CPU ms", "wall ms"), stages.rows(count // 2))


if __name__ == "__main__":
    main()
