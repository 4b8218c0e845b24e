"""One part of a batch: candidates in, one result for each out. The same in our process and in a worker's."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certlib.cataloguing import gate_licence
from certlib.errors import (
    CertlibError,
    ConflictError,
    FieldFault,
    InvalidRequestError,
    OwnFaultError,
    UnavailableError,
)
from certlib.issuing import BlockOutcome, issue_block, rehearse_block
from certlib.lifecycle import AS_IN_REGISTER, StatusRequest, change_status
from certlib.store.lookups import licences_by_number, pdf_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from certlib.identifiers import LicenceIdentifier, PublicCode
    from certlib.intake import Candidate
    from certlib.library import Library
    from certlib.model import IssueRequest, Licence

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 10.0
ROWS_PER_FOLDER: Final = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """What is done with every candidate of a batch."""

    check: bool
    """Rehearse only: nothing is issued."""
    out: Path | None
    """Folder for PDFs, or None for none."""
    many: bool
    """Whether PDFs are spread over folders of a thousand rows."""
    operator: str
    patience_seconds: float
    """How long a database or time stamping authority that does not answer is waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Candidates that are issued as one block."""

    candidates: tuple[Candidate, ...]
    gate: bool
    """Whether the first licence of the block goes through the print gate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What became of one candidate."""

    identifier: LicenceIdentifier | None = None
    """None when nothing was issued for it."""
    public_code: PublicCode | None = None
    file: str = ""
    """Of the PDF, relative to the output folder; empty when none was written."""
    new: bool = False
    faults: tuple[FieldFault, ...] = ()
    """Why nothing was issued, or why the status could not be changed. Fields are the licence's."""


def results_of(lib: Library, task: Task, job: Job, *, wait: Callable[[float], None] = time.sleep) -> tuple[Result, ...]:
    """One result per candidate, in their order. Safe to run again.

    Raises:
        SetupError, TypeFolderError, UnavailableError: what stops every row alike, the last after patient retries.
    """
    requests = [each.request for each in job.candidates]
    if task.check:
        return tuple(
            _checked(lib, request, error)
            for request, error in zip(requests, rehearse_block(lib, requests), strict=True)
        )
    outcomes = _patiently(task, lambda: _issued(lib, requests), wait)
    gated = not job.gate
    results = []
    for candidate, outcome in zip(job.candidates, outcomes, strict=True):
        if not gated and outcome.licence is not None:
            gate_licence(lib, outcome.licence)
            gated = True
        results.append(_result(lib, task, candidate, outcome, wait=wait))
    return tuple(results)


def _issued(lib: Library, requests: Sequence[IssueRequest]) -> list[BlockOutcome]:
    """The outcomes of a block; a row that we cannot make ourselves is set apart from the others."""
    try:
        return issue_block(lib, requests)
    except OwnFaultError as error:
        if len(requests) == 1:
            return [BlockOutcome(licence=None, new=False, error=error)]
        return [outcome for request in requests for outcome in _issued(lib, [request])]


def _patiently(task: Task, work: Callable[[], list[BlockOutcome]], wait: Callable[[float], None]) -> list[BlockOutcome]:
    """`work` again and again while what it needs does not answer, for as long as the task's patience."""
    pause, left = FIRST_PAUSE_SECONDS, task.patience_seconds
    while True:
        try:
            return work()
        except UnavailableError:
            if left <= 0:
                raise
        wait(min(pause, left))
        left -= pause
        pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _checked(lib: Library, request: IssueRequest, error: CertlibError | None) -> Result:
    """The result of a rehearsal, with what already stands under the number."""
    if error is not None:
        return Result(faults=_faults(error))
    standing = licences_by_number(
        lib.store, agency_code=request.agency_code, type_code=request.type_code, number=request.number
    )
    first = next((each for each in standing if each.version == request.version), None)
    if first is None:
        return Result()
    if differs := _differs(request, first):
        what = ", ".join(differs)
        message = f"{first.identifier} stands under this number with other content: {what}"
        return Result(faults=_faults(ConflictError(message, differs=differs, identifier=first.identifier)))
    return Result(identifier=first.identifier, public_code=first.public_code)


def _differs(request: IssueRequest, licence: Licence) -> tuple[str, ...]:
    """Names of what a licence has otherwise than the request; pictures are left to the issue itself."""
    names = ("issued_on", "effective_on", "expires_on", "area_code")
    found = [name for name in names if getattr(request, name) != getattr(licence, name)]
    if request.holders != licence.holders:
        found.insert(0, "holders")
    mine = {name: value for name, value in request.fields.items() if value}
    theirs = {name: value for name, value in licence.fields.items() if not value.startswith("sha256:")}
    found += [f"fields.{name}" for name in sorted(mine.keys() | theirs) if mine.get(name) != theirs.get(name)]
    return tuple(found)


def _result(
    lib: Library, task: Task, candidate: Candidate, outcome: BlockOutcome, *, wait: Callable[[float], None]
) -> Result:
    licence = outcome.licence
    if licence is None:
        return Result(faults=_faults(outcome.error))
    faults: tuple[FieldFault, ...] = ()
    if candidate.as_status is not None and licence.status is not candidate.as_status:
        change = StatusRequest(
            to=candidate.as_status,
            reason=f"{AS_IN_REGISTER}{candidate.state}",
            document_number=candidate.document_number,
            operator=task.operator,
        )
        try:
            _patiently(task, lambda: [_no_outcome(change_status(lib, licence.identifier, change))], wait)
        except (InvalidRequestError, CertlibError) as error:
            if isinstance(error, UnavailableError):
                raise
            faults = _faults(error)
    return Result(
        identifier=licence.identifier,
        public_code=licence.public_code,
        file=_written(lib, task, candidate.row, licence, outcome.pdf) if task.out is not None else "",
        new=outcome.new,
        faults=faults,
    )


def _no_outcome(_change: object) -> BlockOutcome:
    return BlockOutcome(licence=None, new=False, error=None)


def _faults(error: CertlibError | None) -> tuple[FieldFault, ...]:
    """The faults that an error tells, with the fields of the licence as their fields."""
    if isinstance(error, InvalidRequestError):
        return error.faults
    if isinstance(error, ConflictError):
        names = [name.removeprefix("fields.").removeprefix("images.") for name in error.differs]
        fields = [{"holders": "holder_name"}.get(name, name) for name in names] or ["number"]
        return tuple(FieldFault(field=name, code=error.code, reason=str(error)) for name in fields)
    if error is None:
        raise AssertionError("an outcome is a licence or an error")
    return (FieldFault(field="", code=error.code, reason=str(error)),)


def file_name(licence: Licence) -> str:
    """A file name that no other licence of the batch has: the licence's own, and the end of its serial."""
    serial = licence.identifier.rsplit(".", 3)[1]
    stem = licence.pdf_name.removesuffix(".pdf").encode()[:200].decode("utf-8", "ignore")
    return f"{stem}_{serial[-6:]}.pdf"


def _written(lib: Library, task: Task, row: int, licence: Licence, pdf: bytes | None) -> str:
    """The path of the PDF below the output folder, where it stands whole when this returns."""
    folder = f"{row // ROWS_PER_FOLDER:06d}/" if task.many else ""
    relative = folder + file_name(licence)
    target = f"{task.out}/{relative}"
    part = f"{task.out}/{folder}.{os.getpid()}.part"
    try:
        if pdf is None and not _stands(target, licence):
            pdf = pdf_of(lib.store, licence)
        if pdf is not None:
            _write(part, pdf)
            os.replace(part, target)  # noqa: PTH105  # a hundred times a second, without Path
    except OSError as error:
        raise UnavailableError(f"{target} cannot be written: {error.strerror}", code="out_unwritable") from error
    return relative


def _write(part: str, pdf: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        handle = os.open(part, flags, 0o666)
    except FileNotFoundError:
        Path(part).parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(part, flags, 0o666)
    with os.fdopen(handle, "wb", buffering=0) as file:
        written = 0
        while written < len(pdf):
            written += file.write(pdf[written:]) or 0


def _stands(target: str, licence: Licence) -> bool:
    try:
        with Path(target).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == licence.pdf_sha256
    except FileNotFoundError:
        return False
