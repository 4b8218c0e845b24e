from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from certlib.errors import InvalidRequestError
from certlib.identifiers import AgencyCode
from certlib.intake import RequestMaker, Row, open_register, parse_map
from certlib.lawfulness import checked_request
from certlib.model import Agency
from tests.support.registers import SHOP_COLUMNS, SHOP_MAP, shop_map, shop_type

MAPPING, TYPE = shop_map(), shop_type()
AGENCY = Agency(code=AgencyCode("A1"), name="A")
HEADER = ",".join(SHOP_COLUMNS).encode() + b"\n"
PIECES = st.sampled_from(
    [b'"', b",", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xe5\xae\x81", b"1", b"2026-01-01", b'""']
)
BYTES = st.lists(PIECES, max_size=40).map(b"".join) | st.binary(max_size=200)


def read(content: bytes, suffix: str) -> list[Row]:
    """All rows, each taken as far as a lawful request; only InvalidRequestError may stop one."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"r{suffix}"
        path.write_bytes(content)
        with open_register(path, needed=SHOP_COLUMNS) as register:
            maker = RequestMaker(MAPPING, TYPE, register.columns, folder=path.parent, agency_code=AGENCY.code)
            found = []
            for row in register.rows:
                assert len(row.cells) == len(register.columns)
                assert not row.faults or not any(row.cells)
                found.append(row)
                try:
                    checked_request(TYPE, maker.candidate(row).request, AGENCY, today=date(2026, 1, 1))
                except InvalidRequestError:
                    continue
            return found


def require_file_faults(error: InvalidRequestError) -> None:
    """Only the file as a whole may stop the reading."""
    assert all(fault.field == "file" for fault in error.faults)


def require_faults(error: InvalidRequestError) -> None:
    """A refusal says what is wrong."""
    assert error.faults


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([".csv", ".jsonl", ".xlsx"]), BYTES, st.booleans())
def test_any_bytes_give_rows_or_a_refusal(suffix: str, content: bytes, header: bool) -> None:  # noqa: FBT001  # drawn
    try:
        read((HEADER if header else b"") + content, suffix)
    except InvalidRequestError as error:
        require_file_faults(error)


CELL = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
TABLE = st.lists(st.tuples(CELL, CELL, CELL, CELL, CELL), max_size=6)


@settings(max_examples=200, deadline=None)
@given(TABLE, st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_csv_writes_is_read_back_exactly(table: list[tuple[str, ...]], end: str, quoting: int) -> None:
    # Python's writer leaves a bare CR unquoted when lines end in LF; what it writes then means another table.
    assume(quoting == csv.QUOTE_ALL or end == "\r\n" or not any("\r" in cell for row in table for cell in row))
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, quoting=quoting).writerows(table)  # type: ignore[arg-type]  # an int constant
    rows = read(HEADER + text.getvalue().encode(), ".csv")
    assert [row.cells for row in rows] == [row for row in table if any(row)]
    lines = HEADER.decode() + text.getvalue()
    for row in rows:
        assert lines.count("\n") + 1 >= row.number


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_damaged_workbook_gives_rows_or_a_refusal(data: st.DataObject) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (SHOP_COLUMNS, ("1", "n", 45000.5, True, "=A1")):
        sheet.append(list(line))
    packed = io.BytesIO()
    book.save(packed)
    with zipfile.ZipFile(packed) as archive:
        parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    for _ in range(data.draw(st.integers(1, 5))):
        part = parts[data.draw(st.sampled_from(sorted(parts)))]
        if part:
            part[data.draw(st.integers(0, len(part) - 1))] = data.draw(st.integers(0, 255))
    again = io.BytesIO()
    with zipfile.ZipFile(again, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, bytes(content))
    try:
        read(again.getvalue(), ".xlsx")
    except InvalidRequestError as error:
        require_file_faults(error)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.sampled_from(SHOP_MAP.splitlines()).map(lambda line: SHOP_MAP.replace(line, "x = 1")))
def test_any_text_is_a_mapping_or_names_its_problems(text: str) -> None:
    try:
        parse_map(text, where="m", licence_type=TYPE)
    except InvalidRequestError as error:
        require_faults(error)


def test_entities_in_a_workbook_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>')
    with pytest.raises(InvalidRequestError), open_register(path) as register:
        list(register.rows)
