"""`run_batch`: a whole register, row by row, each with one outcome; running it again finishes what was begun."""

from __future__ import annotations

import hashlib
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from certlib.batch.keyfile import KeyFile
from certlib.batch.pool import WorkerPool
from certlib.batch.reports import Reports
from certlib.batch.work import ROWS_PER_FOLDER, Job, Result, Task, results_of
from certlib.errors import FieldFault, InvalidRequestError, UnavailableError
from certlib.identifiers import AgencyCode
from certlib.intake import RequestMaker, open_register, parse_as_status, parse_map
from certlib.issuing import usable_folder
from certlib.lawfulness import checked_request
from certlib.lifecycle import ADVERSE
from certlib.model import Sha256
from certlib.store import agencies, batches
from certlib.store.values import BatchCounts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

    from certlib.catalogue import LicenceType
    from certlib.intake import Candidate, Register, RegisterMap, Row
    from certlib.library import Library
    from certlib.model import Agency

    Progress = Callable[[int, int, float], None]
    """Rows done, of them refused, and the share of the input that was read, 0 to 1."""

GATE_EVERY_ROWS: Final = 1000
"""One licence of so many goes through the print gate, the very first always."""
ENTRIES_PER_BLOCK: Final = 4
"""A block is closed at the latest when it holds so many times its size in rows, refused ones counted."""
MANY_ROWS: Final = 10 * ROWS_PER_FOLDER
PROGRESS_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 120.0


@dataclass(kw_only=True, slots=True)
class BatchSummary:
    """What a run did."""

    batch: str = ""
    """Id of the batch, the same for the same file, mapping, type and agency."""
    check: bool = False
    read: int = 0
    """Rows, without header and blank ones."""
    issued: int = 0
    """Licences made by this run."""
    already: int = 0
    """Rows whose licence stood already, with the same content."""
    refused: int = 0
    """Rows in errors.csv."""
    lawful: int = 0
    """Only with `check`: rows that would be issued."""
    changed: int = 0
    """Licences that were issued and then given the status of the register, or had it."""
    refused_by_code: dict[str, int] = field(default_factory=dict)
    """How many rows have a fault of each code; a row may have several."""
    interrupted: bool = False
    """Whether the run was asked to stop before the end; run again to resume."""
    seconds: float = 0.0
    folder: str = ""
    """Where the reports are."""
    errors_csv: str = ""
    issued_csv: str = ""
    """Empty with `check`."""

    @property
    def per_second(self) -> float:
        """Rows done in a second."""
        return self.read / self.seconds if self.seconds > 0 else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A row on its way: a candidate, or why it is none."""

    row: Row
    candidate: Candidate | None
    faults: tuple[FieldFault, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Block:
    """Rows in the order of the file, whose candidates are issued together."""

    entries: tuple[_Entry, ...]
    job: Job


def run_batch(  # noqa: PLR0913  # a batch has these knobs, all but four with a default
    lib: Library,
    licence_type: str,
    path: Path,
    mapping: Path,
    *,
    agency_code: str = "",
    check: bool = False,
    out: Path | None = None,
    workers: int = 1,
    as_status: str = "",
    encoding: str | None = None,
    operator: str = "batch",
    progress: Progress | None = None,
    patience_seconds: float = PATIENCE_SECONDS,
) -> BatchSummary:
    """Issue every lawful row of the register in `path`, each once, and report every other.

    `licence_type` is the type's code, `mapping` the mapping file. `out` gets PDFs and reports; without it the
    reports stand in the present folder, named after the register, and no PDF is written. With `check` every row is
    judged and drawn and nothing is issued. `as_status` (`VALUE=STATUS,...`) issues rows whose state the mapping
    refuses and gives them that status. SIGINT and SIGTERM end the run after the blocks at work, in good order.

    Raises:
        InvalidRequestError: register, mapping or an argument cannot be used at all; nothing was issued.
        NotFoundError: unknown type or agency.
        TypeFolderError: the type was changed after use, or a sample did not pass the print gate.
        SetupError, UnavailableError, OwnFaultError: what stops every row alike; run again to resume.
    """
    started = time.monotonic()
    folder = usable_folder(lib, licence_type, agencies.current_type(lib.store, licence_type).version)
    rules = _rules(mapping, folder.licence_type)
    agency = agencies.agency(lib.store, _agency_code(rules, agency_code))
    statuses = parse_as_status(as_status) if as_status else {}
    with open_register(
        path, needed=rules.columns, encoding=encoding or None, delimiter=rules.delimiter, sheet=rules.sheet
    ) as register:
        maker = RequestMaker(
            rules, folder.licence_type, register.columns, folder=path.parent, agency_code=agency.code,
            as_status=statuses,
        )  # fmt: skip
        many = register.lines > MANY_ROWS
        task = Task(check=check, out=out, many=many, operator=operator, patience_seconds=patience_seconds)
        run = _Run(lib=lib, register=register, maker=maker, agency=agency, licence_type=folder.licence_type, task=task)
        run.summary.check = check
        run.summary.batch = _batch_id(lib, path, rules, agency, operator, check=check)
        prefix = "" if out is not None else f"{path.stem}."
        target = out if out is not None else Path.cwd()
        reports = Reports(target, prefix=prefix, columns=register.columns, check=check)
        run.summary.folder, run.summary.errors_csv = str(target), str(reports.errors.path)
        run.summary.issued_csv = str(reports.issued.path) if reports.issued is not None else ""
        try:
            run.run(reports, workers=workers, progress=progress or (lambda _done, _refused, _part: None))
            run.summary.seconds = time.monotonic() - started
            reports.finish(asdict(run.summary), batch=run.summary.batch)
        except OSError as error:
            reports.abandon()
            message = f"{error.filename or target} cannot be read or written: {error.strerror}"
            raise UnavailableError(message, code="out_unwritable", hint="Make room and run it again.") from error
        except BaseException:
            reports.abandon()
            raise
    return run.summary


def _rules(mapping: Path, licence_type: LicenceType) -> RegisterMap:
    try:
        text = mapping.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        fault = FieldFault(field="map", code="no_file", reason=f"{mapping} cannot be read: {error}")
        raise InvalidRequestError((fault,)) from error
    return parse_map(text, where=mapping.name, licence_type=licence_type)


def _agency_code(rules: RegisterMap, said: str) -> AgencyCode:
    if said and rules.agency and said != rules.agency:
        reason = f"the mapping is made for agency {rules.agency}, asked is {said}"
        raise InvalidRequestError((FieldFault(field="agency_code", code="bad_agency", reason=reason),))
    if not said and not rules.agency:
        reason = "is missing; name it with --agency, or as agency in the mapping"
        raise InvalidRequestError((FieldFault(field="agency_code", code="required", reason=reason),))
    return AgencyCode(said or rules.agency)


def _batch_id(  # noqa: PLR0913  # what makes a batch this batch
    lib: Library, path: Path, rules: RegisterMap, agency: Agency, operator: str, *, check: bool
) -> str:
    if check:
        return ""
    with path.open("rb") as file:
        digest = Sha256(hashlib.file_digest(file, "sha256").hexdigest())
    opened = batches.open_batch(
        lib.store,
        file_sha256=digest,
        map_sha256=rules.sha256,
        type_code=rules.type_code,
        agency_code=agency.code,
        operator=operator,
        now=lib.now(),
    )
    return opened.id


class _Run:
    """One run over an opened register."""

    def __init__(  # noqa: PLR0913  # keyword-only; the parts of a run
        self,
        *,
        lib: Library,
        register: Register,
        maker: RequestMaker,
        agency: Agency,
        licence_type: LicenceType,
        task: Task,
    ) -> None:
        self.lib, self.register, self.maker = lib, register, maker
        self.agency, self.licence_type, self.task = agency, licence_type, task
        self.summary = BatchSummary()
        self.today = lib.now().astimezone(ZoneInfo(agency.timezone)).date()
        self.stopping = threading.Event()
        self.recorded_at = 0.0

    def run(self, reports: Reports, *, workers: int, progress: Progress) -> None:
        """Through the whole register."""
        home = self.lib.settings.home
        with KeyFile(home, expected=self.register.lines) as keys, _stopping_on_signals(self.stopping):
            blocks = self._blocks(keys)
            for block, results in self._done(blocks, workers):
                self._report(block, results, reports)
                part = block.entries[-1].row.number / max(self.register.lines, block.entries[-1].row.number)
                progress(self.summary.read, self.summary.refused, min(part, 0.999))
                self._record_progress(finished=False)
        self.summary.interrupted = self.stopping.is_set()
        self._record_progress(finished=not self.summary.interrupted)
        progress(self.summary.read, self.summary.refused, 1.0)

    def _blocks(self, keys: KeyFile) -> Iterator[_Block]:
        """Blocks of the library's size; the last may be smaller, none is empty."""
        size = self.lib.settings.block_size
        entries: list[_Entry] = []
        count, gated_at = 0, -GATE_EVERY_ROWS
        for rows_done, row in enumerate(self.register.rows, 1):
            if self.stopping.is_set():
                break
            entry = self._entry(row, keys)
            entries.append(entry)
            count += entry.candidate is not None
            if count == size or len(entries) >= ENTRIES_PER_BLOCK * size:
                gate = count > 0 and rows_done - gated_at >= GATE_EVERY_ROWS
                gated_at = rows_done if gate else gated_at
                yield _block(entries, gate=gate)
                entries, count = [], 0
        if entries:
            yield _block(entries, gate=gated_at < 0)

    def _entry(self, row: Row, keys: KeyFile) -> _Entry:
        """The row as a candidate that is lawful and the first of its number, or every reason why it is not."""
        draft = self.maker.draft(row)
        faults = list(draft.faults)
        candidate = draft.candidate
        if candidate is None:
            return _Entry(row=row, candidate=None, faults=draft.faults)
        try:
            request = checked_request(self.licence_type, candidate.request, self.agency, today=self.today)
        except InvalidRequestError as error:
            known = {fault.field for fault in faults}
            faults += (fault for fault in self._in_columns(error.faults) if fault.field not in known)
        if candidate.as_status in ADVERSE and not candidate.document_number.strip():
            reason = f"{candidate.as_status} needs the number of a legal document; map it under [state]"
            faults.append(FieldFault(field="document_number", code="required", reason=reason))
        if faults:
            return _Entry(row=row, candidate=None, faults=tuple(dict.fromkeys(faults)))
        first = keys.first_row(request.number, row.number)
        if first != row.number:
            reason = f"stands in row {first} already; only the first row of a number is issued"
            fault = FieldFault(field=self.maker.column_of("number"), code="duplicate", reason=reason)
            return _Entry(row=row, candidate=None, faults=(fault,))
        request = replace(request, batch=self.summary.batch, operator=self.task.operator)
        return _Entry(row=row, candidate=replace(candidate, request=request), faults=())

    def _in_columns(self, faults: Iterable[FieldFault]) -> tuple[FieldFault, ...]:
        return tuple(self.maker.in_columns(fault) for fault in faults)

    def _done(self, blocks: Iterable[_Block], workers: int) -> Iterator[tuple[_Block, tuple[Result, ...]]]:
        """Each block with one result per candidate, in the order of the file."""
        if workers <= 1:
            for block in blocks:
                yield block, results_of(self.lib, self.task, block.job, wait=self._wait) if block.job.candidates else ()
            return
        pool = WorkerPool(self.lib.settings, self.task, count=workers)
        try:
            held: list[_Block] = []

            def jobs() -> Iterator[Job]:
                for block in blocks:
                    held.append(block)
                    yield block.job

            for results in pool.results(jobs()):
                yield held.pop(0), results
        finally:
            pool.close()

    def _wait(self, seconds: float) -> None:
        if self.stopping.wait(seconds):
            raise UnavailableError("stopped while waiting for a part that does not answer; run again to resume")

    def _report(self, block: _Block, results: tuple[Result, ...], reports: Reports) -> None:
        summary, left = self.summary, iter(results)
        for entry in block.entries:
            summary.read += 1
            faults = entry.faults
            if entry.candidate is not None:
                result = next(left)
                faults = self._in_columns(result.faults)
                self._count(entry.candidate, result)
                reports.issue(entry.row, entry.candidate.request.number, result)
            if faults:
                summary.refused += 1
                for code in {fault.code for fault in faults}:
                    summary.refused_by_code[code] = summary.refused_by_code.get(code, 0) + 1
                reports.refuse(entry.row, faults)

    def _count(self, candidate: Candidate, result: Result) -> None:
        summary = self.summary
        if result.identifier is not None:
            summary.issued += result.new
            summary.already += not result.new
            summary.changed += candidate.as_status is not None and not result.faults and not self.task.check
        elif self.task.check and not result.faults:
            summary.lawful += 1

    def _record_progress(self, *, finished: bool) -> None:
        now = time.monotonic()
        if not self.summary.batch or (not finished and now - self.recorded_at < PROGRESS_SECONDS):
            return
        self.recorded_at = now
        summary = self.summary
        counts = BatchCounts(read=summary.read, issued=summary.issued, already=summary.already, refused=summary.refused)
        batches.record_progress(self.lib.store, summary.batch, counts, now=self.lib.now(), finished=finished)


def _block(entries: list[_Entry], *, gate: bool) -> _Block:
    candidates = tuple(entry.candidate for entry in entries if entry.candidate is not None)
    return _Block(entries=tuple(entries), job=Job(candidates=candidates, gate=gate))


@contextmanager
def _stopping_on_signals(stopping: threading.Event) -> Iterator[None]:
    """The first SIGINT or SIGTERM asks the run to stop, a second one ends it at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()
        _ = number

    old: dict[int, Any] = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
