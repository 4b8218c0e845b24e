"""The parts of a batch that need no library: numbers on disk, workers that die, reports."""

from __future__ import annotations

import csv
import json
from datetime import date
from typing import TYPE_CHECKING

import pytest

from certlib.batch.keyfile import KeyFile
from certlib.batch.pool import WorkerPool
from certlib.batch.reports import Reports
from certlib.batch.work import Job, Result, Task
from certlib.config import Settings
from certlib.errors import FieldFault, OwnFaultError
from certlib.identifiers import AgencyCode, LicenceIdentifier, PublicCode
from certlib.intake import Candidate, Row
from certlib.model import IssueRequest
from tests.support.deadly import serve_and_die, serve_never

if TYPE_CHECKING:
    from pathlib import Path


def candidate(row: int) -> Candidate:
    request = IssueRequest(
        agency_code=AgencyCode("A"),
        type_code="t",
        number=str(row),
        holders=(),
        issued_on=date(2026, 1, 1),
        effective_on=date(2026, 1, 1),
        expires_on=None,
        fields={},
    )
    return Candidate(row=row, request=request, as_status=None, state="", document_number="")


def jobs(rows: int, size: int) -> list[Job]:
    return [
        Job(candidates=tuple(candidate(row) for row in range(start, min(start + size, rows))), gate=False)
        for start in range(0, rows, size)
    ]


def task(folder: Path) -> Task:
    return Task(check=False, out=None, many=False, operator=str(folder / "seen"), patience_seconds=0)


def test_keys_on_disk_know_every_first_row_and_grow(tmp_path: Path) -> None:
    with KeyFile(tmp_path, expected=0) as keys:
        assert [keys.first_row(f"n{number}", number + 2) for number in range(5000)] == list(range(2, 5002))
        assert [keys.first_row(f"n{number}", 9999) for number in range(5000)] == list(range(2, 5002))
        assert keys.slots > 1024
    assert list(tmp_path.iterdir()) == []


def test_results_come_in_order_and_a_deadly_row_is_set_apart(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    pool = WorkerPool(settings, task(tmp_path), count=2, serve=serve_and_die)
    try:
        blocks = [*jobs(40, 4), Job(candidates=(), gate=False)]
        results = list(pool.results(blocks))
    finally:
        pool.close()
    assert [len(each) for each in results] == [4] * 10 + [0]
    flat = [result for each in results for result in each]
    assert [result.file for row, result in enumerate(flat) if row != 13] == [str(row) for row in range(40) if row != 13]
    assert [fault.code for fault in flat[13].faults] == ["worker_died"]
    assert all(not worker.process.is_alive() for worker in pool.workers)


def test_workers_that_never_live_end_the_batch(tmp_path: Path) -> None:
    pool = WorkerPool(Settings(home=tmp_path), task(tmp_path), count=1, serve=serve_never)
    try:
        with pytest.raises(OwnFaultError, match="die one after the other"):
            list(pool.results(jobs(4, 4)))
    finally:
        pool.close()


def report(folder: Path, batch: str, number: str) -> None:
    reports = Reports(folder, prefix="", columns=("no", "name"), check=False)
    result = Result(identifier=LicenceIdentifier("1.2.3"), public_code=PublicCode("ABC"), file="x.pdf", new=True)
    reports.issue(Row(number=2, cells=(number, "n")), number, result)
    faults = (
        FieldFault(field="name", code="required", reason="is missing"),
        FieldFault(field="no", code="bad_form", reason="is odd"),
    )
    reports.refuse(Row(number=3, cells=("=1+1", "")), faults)
    unread = Row(number=4, cells=("", ""), faults=faults[:1], raw="7,8,9")
    reports.refuse(unread, faults[:1])
    reports.finish({"batch": batch}, batch=batch)


def test_reports_are_harmless_and_name_every_fault(tmp_path: Path) -> None:
    report(tmp_path, "b1", "-7")
    with (tmp_path / "issued.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["identifier", "code", "file", "number", "row"],
            ["1.2.3", "ABC", "x.pdf", "'-7", "2"],
        ]
    with (tmp_path / "errors.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["no", "name", "row", "field", "reason"],
            ["'=1+1", "", "3", "name; no", "name: is missing; no: is odd"],
            ["7,8,9", "", "4", "name", "is missing"],
        ]


def test_reports_of_another_register_are_kept(tmp_path: Path) -> None:
    report(tmp_path, "b1", "1")
    report(tmp_path, "b1", "2")
    assert not (tmp_path / "earlier").exists()
    report(tmp_path, "b2", "3")
    assert json.loads((tmp_path / "batch.json").read_text()) == {"batch": "b2"}
    assert '"2"' in (tmp_path / "earlier/b1/issued.csv").read_text()
    assert '"3"' in (tmp_path / "issued.csv").read_text()
