"""Worker processes: each opens the library for itself, a dead one is noticed and its block is done again."""

from __future__ import annotations

import os
import signal
from collections import deque
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final

from certlib import errors
from certlib.batch.work import Job, Result, Task, results_of
from certlib.errors import CertlibError, FieldFault, OwnFaultError
from certlib.library import close_library, open_library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

    from certlib.config import Settings

    Serve = Callable[[Connection, Settings, Task], None]

TRIES: Final = 2
"""Deaths over one block before it is split into single rows, and over one row before it is given up."""
MAX_UNBORN: Final = 3
"""Workers that die one after the other before they could open the library."""
MAX_IDLE_DEATHS: Final = 20
"""Workers that die one after the other without finishing anything."""
NICENESS: Final = 5
"""Answering public questions comes before issuing in bulk on the same machine."""
READY: Final = "ready"
"""A worker's first word."""


@dataclass(kw_only=True, slots=True)
class _Slice:
    """A job, or a part of it, on its way to a worker."""

    index: int
    """Of the job in the batch."""
    start: int
    """Of the slice inside the job."""
    job: Job
    deaths: int = 0


@dataclass(kw_only=True, slots=True)
class _Worker:
    process: SpawnProcess
    connection: Connection
    ready: bool = False
    """Whether it has opened the library."""
    piece: _Slice | None = None
    """What it is at work on. One at a time: neither side ever waits for the other while both are sending."""


@dataclass(kw_only=True, slots=True)
class _Open:
    """A job whose results are not whole yet."""

    missing: int
    results: list[Result | None]


class WorkerPool:
    """Runs jobs in `count` processes and gives their results back in the order of the jobs.

    At most three blocks per worker are in memory. Close it, also after an error.
    """

    def __init__(self, settings: Settings, task: Task, *, count: int, serve: Serve | None = None) -> None:
        """Start the processes; `serve` is what each of them runs, for tests another than ours."""
        self.settings, self.task, self.serve = settings, task, serve or serve_jobs
        self.context = get_context("spawn")
        self.idle_deaths = self.unborn = 0
        self.waiting: deque[_Slice] = deque()
        self.open: dict[int, _Open] = {}
        self.workers = [self._started() for _ in range(count)]

    def results(self, jobs: Iterable[Job]) -> Iterator[tuple[Result, ...]]:
        """The results of each job, in their order.

        Raises:
            CertlibError: what a worker stopped at, as `results_of`.
            OwnFaultError: workers die one after the other without finishing anything.
        """
        source, index, due = iter(jobs), 0, 0
        more = True
        while more or self.open:
            while more and len(self.open) < 3 * len(self.workers):
                job = next(source, None)
                if job is None:
                    more = False
                    break
                count = len(job.candidates)
                self.open[index] = _Open(missing=count, results=[None] * count)
                if count:
                    self.waiting.append(_Slice(index=index, start=0, job=job))
                index += 1
                self._hand_out()
                self._collect(timeout=0)
            while due in self.open and not self.open[due].missing:
                done = self.open.pop(due)
                yield tuple(result for result in done.results if result is not None)
                due += 1
            if self.open and self.open[due].missing:
                self._hand_out()
                self._collect(timeout=None)

    def close(self) -> None:
        """End the processes: in good order where they are idle, at once where they are not."""
        for worker in self.workers:
            try:
                worker.connection.send(None)
            except OSError:
                continue
        for worker in self.workers:
            worker.process.join(timeout=10 if worker.piece is None else 0)
            if worker.process.is_alive():
                worker.process.terminate()
                worker.process.join()
            worker.connection.close()

    def _started(self) -> _Worker:
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=self.serve, args=(theirs, self.settings, self.task), daemon=True)
        # Ctrl-C reaches the whole group; the worker is born deaf to it, since the batch decides when to stop.
        old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, old)
        theirs.close()
        return _Worker(process=process, connection=ours)

    def _hand_out(self) -> None:
        for worker in self.workers:
            if self.waiting and worker.ready and worker.piece is None:
                worker.piece = self.waiting.popleft()
                try:
                    worker.connection.send(worker.piece.job)
                except OSError:
                    continue  # dead: _collect takes the piece back

    def _collect(self, *, timeout: float | None) -> None:
        """Take in what workers have finished, and replace dead ones."""
        by_object: dict[Any, _Worker] = {}
        for worker in self.workers:
            by_object[worker.connection] = by_object[worker.process.sentinel] = worker
        for worker in {id(by_object[each]): by_object[each] for each in wait(list(by_object), timeout)}.values():
            try:
                while worker.connection.poll():
                    self._take(worker, worker.connection.recv())
            except (EOFError, OSError):
                self._replace(worker)
                continue
            if not worker.process.is_alive() and not worker.connection.poll():
                self._replace(worker)

    def _take(self, worker: _Worker, answer: tuple[Result, ...] | _Stopped | str) -> None:
        if isinstance(answer, str):
            worker.ready, self.unborn = answer == READY, 0
            return
        if isinstance(answer, _Stopped):
            raise answer.error()
        piece, worker.piece = worker.piece, None
        if piece is None:
            raise AssertionError("an answer without a question")
        self.idle_deaths = 0
        self._keep(piece, answer)

    def _keep(self, piece: _Slice, results: tuple[Result, ...]) -> None:
        job = self.open[piece.index]
        job.results[piece.start : piece.start + len(results)] = results
        job.missing -= len(results)

    def _replace(self, worker: _Worker) -> None:
        """A worker died: another takes its place and its blocks."""
        worker.process.join()
        worker.connection.close()
        self.idle_deaths += 1
        self.unborn += not worker.ready
        if self.idle_deaths > MAX_IDLE_DEATHS or self.unborn > MAX_UNBORN:
            code = worker.process.exitcode
            raise OwnFaultError(f"worker processes die one after the other (exit {code}); what was issued stays issued")
        if worker.piece is not None:
            self.waiting.extendleft(reversed(self._again(worker.piece)))
        self.workers[self.workers.index(worker)] = self._started()

    def _again(self, piece: _Slice) -> list[_Slice]:
        """The slice once more; after several deaths its rows one by one, and a deadly row not at all."""
        piece.deaths += 1
        candidates = piece.job.candidates
        if piece.deaths < TRIES:
            return [piece]
        if len(candidates) == 1:
            reason = "the process that made this licence died each time; tell the operator, the other rows are done"
            fault = FieldFault(field="", code="worker_died", reason=reason)
            self._keep(piece, (Result(faults=(fault,)),))
            return []
        return [
            _Slice(index=piece.index, start=piece.start + place, job=replace(piece.job, candidates=(each,)))
            for place, each in enumerate(candidates)
        ]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stopped:
    """An error that ends the batch, in a shape that travels between processes."""

    kind: str
    message: str
    code: str
    hint: str
    problems: tuple[str, ...] = ()

    def error(self) -> CertlibError:
        """The error, of the class it had where that is known to `errors`."""
        kind = getattr(errors, self.kind, OwnFaultError)
        if kind is errors.TypeFolderError:
            return errors.TypeFolderError(self.problems)
        if kind in {errors.SetupError, errors.UnavailableError, errors.NotFoundError, OwnFaultError}:
            error: CertlibError = kind(self.message, code=self.code, hint=self.hint)
            return error
        return OwnFaultError(self.message, code=self.code)


def serve_jobs(connection: Connection, settings: Settings, task: Task) -> None:
    """A worker's life: jobs in, results out, until None comes or the batch is gone."""
    os.nice(NICENESS)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        lib = open_library(settings)
        connection.send(READY)
        try:
            while (job := connection.recv()) is not None:
                connection.send(results_of(lib, task, job))
        finally:
            close_library(lib)
    except CertlibError as error:
        kind = "TypeFolderError" if isinstance(error, errors.TypeFolderError) else type(error).__name__
        problems = tuple(getattr(error, "problems", ()))
        connection.send(_Stopped(kind=kind, message=str(error), code=error.code, hint=error.hint, problems=problems))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return
