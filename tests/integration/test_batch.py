"""Whole batches on a real library: what is issued, what is refused, and what survives."""

from __future__ import annotations

import csv
import hashlib
import json
import multiprocessing
import os
import resource
import signal
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from certlib.batch import BatchSummary, run_batch
from certlib.errors import InvalidRequestError, NotFoundError, OwnFaultError, UnavailableError
from certlib.library import close_library, utc_now
from certlib.model import Status
from certlib.store.lookups import licence_by_identifier, licences_by_number
from tests.support.libraries import CITY, new_home, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certlib.config import Settings
    from certlib.library import Library
    from tests.support.databases import Database

COLUMNS = ("no", "name", "start", "address", "state", "trade")
MAP = """
type = "seattle-business-licence"
[number]
column = "no"
[holder]
name = { column = "name" }
[dates]
issued_on = { column = "start" }
[fields]
street_address = { column = "address" }
trade_name = { column = "trade" }
[state]
column = "state"
issue = ["open"]
document_number = { template = "register {no}" }
[state.refuse]
closed = "the business is closed"
struck = "the license was revoked"
"""
_numbers = count(1)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("batch") / "library"
    made = new_home(home, now=utc_now())
    (home / "certlib.toml").write_text("block_size = 4\n", "utf-8")
    return made.model_copy(update={"block_size": 4})


@pytest.fixture(scope="module")
def lib(settings: Settings) -> Iterator[Library]:
    opened_library = opened(settings, now=utc_now)
    yield opened_library
    close_library(opened_library)


class Registers:
    """Registers whose numbers no other test has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mapping = folder / "shops.map.toml"
        self.mapping.write_text(MAP, "utf-8")
        self.out = folder / "out"

    def row(self, **cells: str) -> dict[str, str]:
        number = f"{next(_numbers):016d}"
        return {
            "no": number, "name": "TIDEWATER  SAMPLE LLC", "start": "2026-01-31", "address": "1 SAMPLE AVE",
            "state": "open", "trade": "",
        } | cells  # fmt: skip

    def file(self, rows: list[dict[str, str]], name: str = "shops.csv") -> Path:
        path = self.folder / name
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows(rows)
        return path

    def run(self, lib: Library, path: Path, **options: Any) -> BatchSummary:  # noqa: ANN401  # run_batch's own
        options = {"agency_code": CITY.code, "out": self.out, "operator": "tests", **options}
        return run_batch(lib, "seattle-business-licence", path, self.mapping, **options)

    def report(self, name: str) -> list[dict[str, str]]:
        with (self.out / name).open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    @property
    def identifiers(self) -> dict[str, str]:
        return {row["number"]: row["identifier"] for row in self.report("issued.csv")}


@pytest.fixture
def registers(tmp_path: Path) -> Registers:
    return Registers(tmp_path)


def counts(summary: BatchSummary) -> tuple[int, int, int, int]:
    return summary.read, summary.issued, summary.already, summary.refused


def test_both_databases_and_workers_on_each(empty_database: Database, registers: Registers) -> None:
    url = "" if empty_database.kind == "sqlite" else empty_database.url
    lib = opened(new_home(empty_database.home / "library", database_url=url, now=utc_now()), now=utc_now)
    first = registers.file([registers.row() for _ in range(3)] + [registers.row(state="struck")])
    assert counts(registers.run(lib, first, as_status="struck=revoked")) == (4, 4, 0, 0)
    before = registers.identifiers
    with first.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, COLUMNS).writerows(registers.row() for _ in range(3))
    assert counts(registers.run(lib, first, as_status="struck=revoked", workers=2)) == (7, 3, 4, 0)
    assert before.items() <= registers.identifiers.items()
    close_library(lib)


def test_good_rows_are_issued_and_bad_ones_told(lib: Library, registers: Registers) -> None:
    good = registers.row(name="=cmd|' /C calc'!A0", trade="NaN")
    rows = [
        good,
        registers.row(name=""),
        registers.row(no="12"),
        registers.row(start="2026-02-30"),
        registers.row(address="A" * 101),
        registers.row(no=good["no"], name="SECOND"),
        registers.row(name="SAMPLE 😀 LLC"),
        registers.row(name="CONTROL\u202eLLC"),
        registers.row(state="closed"),
        registers.row(start="9999-12-31"),
        registers.row(trade="  DOUBLE  SPACES "),
    ]
    path = registers.file(rows)
    with path.open("a", encoding="utf-8") as file:
        file.write("ragged,row\n")
    summary = registers.run(lib, path)
    assert counts(summary) == (12, 2, 0, 10)
    issued = registers.report("issued.csv")
    assert [row["row"] for row in issued] == ["2", "12"]
    for row, source in zip(issued, (rows[0], rows[10]), strict=True):
        licence = licence_by_identifier(lib.store, row["identifier"])
        assert licence.holders[0].name == source["name"]
        assert licence.fields["trade_name"] == source["trade"]
        assert licence.public_code == row["code"]
        assert licence.batch == summary.batch
        pdf = (registers.out / row["file"]).read_bytes()
        assert hashlib.sha256(pdf).hexdigest() == licence.pdf_sha256
    errors = registers.report("errors.csv")
    assert [(row["row"], row["field"]) for row in errors] == [
        ("3", "name"), ("4", "no"), ("5", "start"), ("6", "address"), ("7", "no"), ("8", "name"), ("9", "name"),
        ("10", "state"), ("11", "start"), ("13", "(row)"),
    ]  # fmt: skip
    reasons = [row["reason"] for row in errors]
    for reason, part in zip(
        reasons,
        ("is missing", "form", "calendar", "101 characters", "row 2", "😀", "U+202E", "closed", "9998", "2 cells"),
        strict=True,
    ):
        assert part in reason
    assert {name: errors[2][name] for name in COLUMNS} == rows[3]
    assert json.loads((registers.out / "batch.json").read_text())["issued"] == 2


def test_all_faults_of_a_row_are_told_at_once(lib: Library, registers: Registers) -> None:
    summary = registers.run(lib, registers.file([registers.row(no="12", name="", start="soon")]))
    (error,) = registers.report("errors.csv")
    assert set(error["field"].split("; ")) == {"no", "name", "start"}
    assert summary.refused_by_code == {"bad_date": 1, "bad_form": 1, "required": 1}


def test_the_same_again_gives_the_same(lib: Library, registers: Registers) -> None:
    path = registers.file([registers.row() for _ in range(6)] + [registers.row(name="")])
    assert counts(registers.run(lib, path)) == (7, 6, 0, 1)
    first = registers.identifiers
    gone = registers.out / registers.report("issued.csv")[0]["file"]
    gone.write_bytes(b"damaged")
    assert counts(registers.run(lib, path)) == (7, 0, 6, 1)
    assert registers.identifiers == first
    assert gone.read_bytes().startswith(b"%PDF")
    assert len(registers.report("errors.csv")) == 1


@pytest.mark.parametrize("at", ["reserved", "sealed", "verified", "recorded"])
def test_a_killed_run_is_finished_by_the_next(settings: Settings, lib: Library, registers: Registers, at: str) -> None:
    path = registers.file([registers.row() for _ in range(10)])
    seen = count()

    def crash(name: str) -> None:
        if name == at and next(seen) == 1:
            raise SystemExit("killed")

    broken = opened(settings, now=utc_now, step=crash)
    with pytest.raises(SystemExit):
        registers.run(broken, path)
    close_library(broken)
    assert not (registers.out / "issued.csv").exists()
    done = 8 if at == "recorded" else 4
    assert counts(registers.run(lib, path)) == (10, 10 - done, done, 0)
    assert len(set(registers.identifiers.values())) == 10
    for number, identifier in registers.identifiers.items():
        (licence,) = licences_by_number(
            lib.store, agency_code=CITY.code, type_code="seattle-business-licence", number=number
        )
        assert licence.identifier == identifier


def test_errors_are_mended_and_fed_back(lib: Library, registers: Registers) -> None:
    path = registers.file([registers.row(), registers.row(start="soon", name="=1+1"), registers.row(name="")])
    first = registers.run(lib, path)
    assert counts(first) == (3, 1, 0, 2)
    errors = registers.out / "errors.csv"
    errors.write_bytes(errors.read_bytes().replace(b"soon", b"2026-03-01"))
    again = registers.run(lib, errors)
    assert counts(again) == (2, 1, 0, 1)
    (row,) = registers.report("issued.csv")
    assert licence_by_identifier(lib.store, row["identifier"]).holders[0].name == "=1+1"
    (left,) = registers.report("errors.csv")
    assert list(left) == [*COLUMNS, "row", "field", "reason"]
    assert (left["row"], left["field"]) == ("3", "name")
    assert (registers.out / "earlier" / first.batch / "issued.csv").exists()


def test_an_errors_csv_that_is_checked_in_its_place_is_not_touched(lib: Library, registers: Registers) -> None:
    registers.run(lib, registers.file([registers.row(), registers.row(start="soon")]))
    errors = registers.out / "errors.csv"
    errors.write_bytes(errors.read_bytes().replace(b"soon", b"2026-03-01"))
    before = errors.read_bytes()
    assert registers.run(lib, errors, check=True).lawful == 1
    assert errors.read_bytes() == before
    assert len(registers.report("issued.csv")) == 1


def test_other_content_under_a_number_is_a_conflict(lib: Library, registers: Registers) -> None:
    row = registers.row()
    registers.run(lib, registers.file([row]))
    changed = registers.file([row | {"name": "OTHER LLC", "trade": "NEW"}], "changed.csv")
    for check in (True, False):
        summary = registers.run(lib, changed, check=check)
        assert (summary.refused, summary.refused_by_code) == (1, {"conflict": 1})
        (error,) = registers.report("check-errors.csv" if check else "errors.csv")
        assert error["field"] == "name; trade"
        assert "fields.trade_name" in error["reason"]


def test_a_check_finds_all_and_issues_nothing(lib: Library, registers: Registers) -> None:
    rows = [registers.row(), registers.row(name="SAMPLE 😀 LLC"), registers.row(state="closed")]
    summary = registers.run(lib, registers.file(rows), check=True)
    assert (summary.lawful, *counts(summary)) == (1, 3, 0, 0, 2)
    assert [row["field"] for row in registers.report("check-errors.csv")] == ["name", "state"]
    assert [path.name for path in registers.out.iterdir()] == ["check-errors.csv"]
    assert not (registers.out / "issued.csv").exists()
    assert list(registers.out.glob("**/*.pdf")) == []
    for row in rows:
        found = licences_by_number(
            lib.store, agency_code=CITY.code, type_code="seattle-business-licence", number=row["no"]
        )
        assert found == ()


def test_closed_rows_take_the_status_of_the_register(lib: Library, registers: Registers) -> None:
    path = registers.file([registers.row(), registers.row(state="closed"), registers.row(state="struck")])
    said = "closed=cancelled,struck=revoked"
    for again in (False, True):
        summary = registers.run(lib, path, as_status=said)
        assert counts(summary) == ((3, 0, 3, 0) if again else (3, 3, 0, 0))
        assert summary.changed == 2
        found = [licence_by_identifier(lib.store, each).status for each in registers.identifiers.values()]
        assert found == [Status.ACTIVE, Status.CANCELLED, Status.REVOKED]
    wrong = registers.run(lib, path, as_status="closed=revoked,struck=revoked")
    assert wrong.refused_by_code == {"illegal_transition": 1}
    assert len(registers.identifiers) == 3


def test_a_run_killed_before_the_change_of_status_is_finished(
    settings: Settings, lib: Library, registers: Registers
) -> None:
    path = registers.file([registers.row(state="struck")])

    def crash(name: str) -> None:
        if name == "recorded":
            raise SystemExit("killed")

    broken = opened(settings, now=utc_now, step=crash)
    with pytest.raises(SystemExit):
        registers.run(broken, path, as_status="struck=revoked")
    close_library(broken)
    assert counts(registers.run(lib, path, as_status="struck=revoked")) == (1, 0, 1, 0)
    (identifier,) = registers.identifiers.values()
    assert licence_by_identifier(lib.store, identifier).status is Status.REVOKED


def test_workers_give_the_same_in_order_though_one_is_killed(lib: Library, registers: Registers) -> None:
    rows = [registers.row(name="" if place % 9 == 3 else f"SAMPLE {place}") for place in range(40)]
    killed: list[int | None] = []

    def kill_one(_done: int, _refused: int, _part: float) -> None:
        children = multiprocessing.active_children()
        if not killed and children:
            killed.append(children[0].pid)
            children[0].kill()

    path = registers.file(rows)
    summary = registers.run(lib, path, workers=2, progress=kill_one)
    bad = sum(not row["name"] for row in rows)
    assert killed
    assert (summary.read, summary.issued + summary.already, summary.refused) == (40, 40 - bad, bad)
    lines = [int(row["row"]) for row in registers.report("issued.csv")]
    assert lines == sorted(lines)
    assert len({row["identifier"] for row in registers.report("issued.csv")}) == 40 - bad
    assert multiprocessing.active_children() == []
    assert all((registers.out / row["file"]).exists() for row in registers.report("issued.csv"))
    assert list(registers.out.glob(".*part*")) == []


@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupt_stops_in_good_order(lib: Library, registers: Registers, workers: int) -> None:
    path = registers.file([registers.row() for _ in range(60)])
    asked: list[int] = []

    def interrupt(done: int, _refused: int, _part: float) -> None:
        if not asked:
            asked.append(done)
            os.kill(os.getpid(), signal.SIGINT)

    summary = registers.run(lib, path, workers=workers, progress=interrupt)
    assert summary.interrupted
    assert 0 < summary.issued < 60
    assert len(registers.report("issued.csv")) == summary.issued
    before = registers.identifiers
    finished = registers.run(lib, path)
    assert counts(finished) == (60, 60 - summary.issued, summary.issued, 0)
    assert before.items() <= registers.identifiers.items()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_does_not_answer_is_waited_for(settings: Settings, registers: Registers) -> None:
    path = registers.file([registers.row() for _ in range(2)])
    left = [2]

    def fail(name: str) -> None:
        if name == "verified" and left[0]:
            left[0] -= 1
            raise UnavailableError("gone for a moment")

    flaky = opened(settings, now=utc_now, step=fail)
    assert counts(registers.run(flaky, path, patience_seconds=10)) == (2, 2, 0, 0)
    left[0] = 99
    with pytest.raises(UnavailableError):
        registers.run(flaky, registers.file([registers.row()]), patience_seconds=0)
    close_library(flaky)


def test_a_full_disk_is_told_and_leaves_no_half_report(lib: Library, registers: Registers) -> None:
    path = registers.file([registers.row(name="", address="A" * 9_000)] * 1_000)
    resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, resource.RLIM_INFINITY))
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(UnavailableError) as caught:
            registers.run(lib, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, old)
    assert caught.value.code == "out_unwritable"
    assert list(registers.out.iterdir()) == []
    assert registers.run(lib, path).refused == 1_000


def test_a_register_without_rows_is_done_at_once(lib: Library, registers: Registers) -> None:
    assert counts(registers.run(lib, registers.file([]))) == (0, 0, 0, 0)
    assert registers.report("issued.csv") == []


def test_a_row_that_we_cannot_make_is_set_apart(settings: Settings, registers: Registers) -> None:
    rows = [registers.row() for _ in range(3)]
    left = [2]  # the block of three, then its first row

    def fail(name: str) -> None:
        if name == "sealed" and left[0]:
            left[0] -= 1
            raise OwnFaultError("does not verify")

    lib = opened(settings, now=utc_now, step=fail)
    summary = registers.run(lib, registers.file(rows))
    close_library(lib)
    assert counts(summary) == (3, 2, 0, 1)
    assert summary.refused_by_code == {"own_fault": 1}


def test_what_cannot_begin_says_why_and_leaves_nothing(lib: Library, registers: Registers) -> None:
    path = registers.file([registers.row()])
    for options, code in (
        ({"agency_code": ""}, "required"),
        ({"as_status": "closed"}, "bad_as_status"),
        ({"encoding": "klingon"}, "unknown_encoding"),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            registers.run(lib, path, **options)
        assert [fault.code for fault in caught.value.faults] == [code]
    with pytest.raises(NotFoundError):
        registers.run(lib, path, agency_code="NOBODY")
    with pytest.raises(NotFoundError):
        run_batch(lib, "no-such-type", path, registers.mapping, agency_code=CITY.code, out=registers.out)
    registers.mapping.write_text("type = 1", "utf-8")
    with pytest.raises(InvalidRequestError):
        registers.run(lib, path)
    assert not registers.out.exists()
