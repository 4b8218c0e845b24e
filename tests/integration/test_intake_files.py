from __future__ import annotations

import codecs
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from openpyxl import Workbook

from certlib.errors import InvalidRequestError
from certlib.intake import CsvWriter, Row, open_register
from certlib.intake.rows import MAX_CELL_BYTES
from tests.support.registers import SHOP_COLUMNS, shop_file

if TYPE_CHECKING:
    from pathlib import Path


def rows(path: Path, **options: str) -> list[Row]:
    with open_register(path, needed=SHOP_COLUMNS, **options) as register:
        return list(register.rows)


def first_cells(path: Path, **options: str) -> list[str]:
    return [row.cells[0] for row in rows(path, **options) if not row.faults]


def codes(path: Path, **options: str) -> dict[int, str]:
    return {row.number: row.faults[0].code for row in rows(path, **options) if row.faults}


def refusal(path: Path, **options: str) -> tuple[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        rows(path, **options)
    (fault,) = caught.value.faults
    assert fault.field == "file"
    return fault.code, fault.reason


GOOD = "{},n,2026-01-01,,x\n"


def test_cells_are_exact_and_lines_are_those_of_the_file(tmp_path: Path) -> None:
    body = '1,"two\nlines, ""quoted""",2026-01-01,,=x\r\n\n' + GOOD.format(2) + ',,,,\n 3 ,"",a"b,,'
    read = rows(shop_file(tmp_path, body))
    assert [row.number for row in read] == [2, 5, 7]
    assert read[0].cells == ("1", 'two\nlines, "quoted"', "2026-01-01", "", "=x")
    assert read[2].cells == (" 3 ", "", 'a"b', "", "")
    assert not any(row.faults for row in read)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", None), ("utf-8-sig", None), ("gb18030", "gb18030"), ("gbk", "gbk"), ("gb2312", "gb2312"),
     ("utf-16", None), ("utf-16-le", "utf-16-le"), ("big5", "big5"), ("utf-32", None)],
)  # fmt: skip
def test_encodings_give_the_same_rows(tmp_path: Path, encoding: str, said: str | None) -> None:
    name = "\u5bcc\u58eb\u5c71" if encoding == "big5" else "宁波鸿安"
    text = ",".join(SHOP_COLUMNS) + f'\n1,{name},2026-01-01,,"a\nb"\n2,x,2026-01-01,,y'
    path = tmp_path / "r.csv"
    path.write_bytes(text.encode(encoding))
    read = rows(path, **({"encoding": said} if said else {}))
    assert [(row.number, row.cells[1]) for row in read] == [(2, name), (4, "x")]


def test_a_byte_order_mark_of_gb18030_is_understood(tmp_path: Path) -> None:
    path = shop_file(tmp_path, "")
    path.write_bytes(("\ufeff" + path.read_text() + GOOD.format("甲")).encode("gb18030"))
    assert first_cells(path) == ["甲"]


def test_the_wrong_encoding_is_named_with_row_byte_and_way_out(tmp_path: Path) -> None:
    path = shop_file(tmp_path, ("1,宁波,2026-01-01,,x\n" * 5).encode("gb18030"))
    code, reason = refusal(path)
    assert code == "wrong_encoding"
    assert f"row 2, byte {path.read_bytes().index(0xC4)}:" in reason
    assert "--encoding gb18030" in reason
    assert len(rows(path, encoding="gb18030")) == 5
    mark = tmp_path / "mark.csv"
    mark.write_bytes(codecs.BOM_UTF8 + path.read_bytes())
    assert refusal(mark, encoding="gb18030")[0] == "wrong_encoding"
    good = shop_file(tmp_path, "1,宁波,2026-01-01,,x\n", name="good.csv")
    code, reason = refusal(good, encoding="gb18030")
    assert code == "wrong_encoding"
    assert "garbled" in reason
    assert refusal(good, encoding="klingon")[0] == "unknown_encoding"


def test_one_damaged_row_does_not_stop_the_others(tmp_path: Path) -> None:
    body = "1,宁波,2026-01-01,,x\n".encode() + b"2,\xb2\xa8,2026-01-01,,x\n" + "3,宁波,2026-01-01,,x\n".encode()
    path = shop_file(tmp_path, body)
    assert first_cells(path) == ["1", "3"]
    bad = rows(path)[1]
    (fault,) = bad.faults
    assert (bad.number, fault.field, fault.code) == (3, "name", "wrong_encoding")
    assert f"byte {path.read_bytes().index(0xB2)} of the file" in fault.reason
    assert bad.cells == ("",) * 5
    assert "\\xb2\\xa8" in bad.raw


def test_ragged_rows_are_reported_with_their_line(tmp_path: Path) -> None:
    body = GOOD.format(1) + "2,n,2026-01-01,x\n" + "3,n,2026-01-01,,x,y\n" + GOOD.format(4)
    path = shop_file(tmp_path, body)
    assert codes(path) == {3: "ragged_row", 4: "ragged_row"}
    assert first_cells(path) == ["1", "4"]


def test_a_huge_cell_is_reported_and_not_kept(tmp_path: Path) -> None:
    huge = "A" * (10 << 20)
    quoted = '"' + 'B,\n""' * (2 << 20) + '"'
    body = GOOD.format(1) + f"2,{huge},2026-01-01,,x\n3,{quoted},2026-01-01,,x\n" + GOOD.format(4)
    path = shop_file(tmp_path, body)
    read = rows(path)
    assert [row.faults[0].code for row in read if row.faults] == ["cell_too_large"] * 2
    assert "10,485,760 bytes" in read[1].faults[0].reason
    assert read[1].faults[0].field == "name"
    assert all(len(row.raw) <= 4001 for row in read)
    assert first_cells(path) == ["1", "4"]
    assert len(huge) > MAX_CELL_BYTES


def test_a_huge_cell_beyond_ascii_does_not_put_the_encoding_in_doubt(tmp_path: Path) -> None:
    path = shop_file(tmp_path, f"1,{'x' + '宁' * (4 << 20)},2026-01-01,,x\n2,波,2026-01-01,,x\n")
    assert codes(path) == {2: "cell_too_large"}
    assert first_cells(path) == ["2"]


def test_a_million_commas_are_one_ragged_row(tmp_path: Path) -> None:
    path = shop_file(tmp_path, "," * 1_000_000 + "x\n" + GOOD.format(2))
    assert first_cells(path) == ["2"]


def test_nul_and_control_characters(tmp_path: Path) -> None:
    path = shop_file(tmp_path, "1,a\0b,2026-01-01,,x\n2,a\tb,2026-01-01,,x\n")
    assert codes(path) == {2: "nul"}
    assert rows(path)[1].cells[1] == "a\tb"


def test_text_inside_a_broken_cell_never_becomes_a_row(tmp_path: Path) -> None:
    body = '1,"abc" oops,"\n9,forged,2026-01-01,,x\n",y,z\n' + GOOD.format(2)
    path = shop_file(tmp_path, body)
    assert first_cells(path) == ["2"]
    assert codes(path) == {2: "bad_quote"}


def test_a_quote_that_is_never_closed_is_told(tmp_path: Path) -> None:
    path = shop_file(tmp_path, GOOD.format(1) + '2,"never closed,2026-01-01,,x\n' + GOOD.format(3))
    assert first_cells(path) == ["1"]
    assert codes(path) == {3: "open_quote"}


@pytest.mark.parametrize("body", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_says_so(tmp_path: Path, body: bytes) -> None:
    for name in ("e.csv", "e.jsonl"):
        path = tmp_path / name
        path.write_bytes(body)
        assert refusal(path)[0] == "empty_file"


def test_a_header_without_rows_is_no_error(tmp_path: Path) -> None:
    assert rows(shop_file(tmp_path, "")) == []


def test_one_error_names_every_problem_of_the_header(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("no,no,,nmae,from,to\n1,2,3,4,5,6\n")
    code, reason = refusal(path)
    assert code == "bad_header"
    for part in ("stands twice: no", "missing columns: name, addr", "(column 3)", "nmae"):
        assert part in reason


def test_delimiters_and_old_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text(";".join(SHOP_COLUMNS) + "\n1;a,b;2026-01-01;;x\n")
    assert rows(path, delimiter=";")[0].cells[1] == "a,b"
    assert refusal(path)[0] == "bad_header"
    path.write_bytes(b"no,name,from,to,addr\r1,a,2026-01-01,,x\r")
    assert refusal(path)[0] == "line_ends"


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    for name, content in (
        ("a.csv", b"PK\x03\x04xxxx"),
        ("a.pdf", b"%PDF"),
        ("a.xlsx", b"not a zip"),
        ("b.xlsx", b"PK"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        assert refusal(path)[0] in {"unknown_kind", "not_xlsx"}
    assert refusal(tmp_path / "missing.csv")[0] == "no_file"


def test_what_we_write_can_be_fed_back(tmp_path: Path) -> None:
    path = tmp_path / "errors.csv"
    cells = ("-5", "=cmd", "2026-01-01", "'=x", "a\nb")
    with CsvWriter(path, (*SHOP_COLUMNS, "row", "field", "reason")) as writer:
        writer.write((*cells, "17", "name", "is bad"))
    raw = path.read_bytes()
    assert raw.startswith(codecs.BOM_UTF8)
    assert b'"\'=cmd"' in raw
    assert path.stat().st_mode & 0o077 == 0
    with open_register(path, needed=SHOP_COLUMNS) as register:
        assert register.fed_back
        assert register.columns == SHOP_COLUMNS
        assert [row.cells for row in register.rows] == [cells]


def test_jsonl_keeps_digits_and_refuses_what_is_not_flat(tmp_path: Path) -> None:
    base = {"no": "1", "name": "n", "from": "2026-01-01", "to": None, "addr": "x"}
    lines = [
        json.dumps(base | {"addr": 1}).replace("1}", "12345678901234567890.10}"),
        json.dumps(base | {"addr": ["x"]}),
        json.dumps(base)[:-1],
        json.dumps(base)[:-1] + ', "no": "2"}',
        json.dumps({"no": "1"}),
        "",
        json.dumps(base | {"addr": "a\0"}),
        json.dumps(base | {"addr": float("nan")}),
        "[" * 100_000,
        json.dumps(base | {"addr": "x" * (5 << 20)}),
        json.dumps(base | {"no": "last", "more": True}),
    ]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(lines))
    read = rows(path)
    assert read[0].cells[4] == "12345678901234567890.10"
    assert read[-1].cells[0] == "last"
    assert {row.number: row.faults[0].code for row in read if row.faults} == {
        2: "not_flat", 3: "not_json", 4: "doubled_key", 5: "ragged_row", 7: "nul", 8: "not_json", 9: "not_flat",
        10: "cell_too_large",
    }  # fmt: skip


def workbook(path: Path, *lines: tuple[object, ...], formats: dict[str, str] | None = None, merge: str = "") -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(SHOP_COLUMNS))
    for line in lines:
        sheet.append(list(line))
    for place, form in (formats or {}).items():
        sheet[place].number_format = form
    if merge:
        sheet.merge_cells(merge)
    book.save(path)
    return path


def test_xlsx_cells_are_what_a_person_sees(tmp_path: Path) -> None:
    day = datetime(2026, 1, 31, tzinfo=UTC).replace(tzinfo=None)
    path = workbook(
        tmp_path / "r.xlsx",
        (7, "NaN", day, date(2099, 12, 31), 5263157.9),
        (),
        ("0007", "  A  B ", "2026-01-31", None, 10000000.0),
        formats={"A2": "0000000"},
    )
    read = rows(path)
    assert [row.number for row in read] == [2, 4]
    assert read[0].cells == ("0000007", "NaN", "2026-01-31", "2099-12-31", "5263157.9")
    assert read[1].cells == ("0007", "  A  B ", "2026-01-31", "", "10000000")


def test_xlsx_refuses_what_it_cannot_tell(tmp_path: Path) -> None:
    good = ("1", "n", "2026-01-01", None, "x")
    path = workbook(
        tmp_path / "r.xlsx",
        ("1", "=A1&A2", "2026-01-01", None, "x"),
        (1234567890123456789, "n", "2026-01-01", None, "x"),
        ("1", "#N/A", "2026-01-01", None, "x"),
        good,
        (*good, "more"),
        good,
        good,
        merge="B7:B8",
    )
    assert codes(path) == {
        2: "formula", 3: "rounded_number", 4: "error_value", 6: "ragged_row", 7: "merged_cells", 8: "merged_cells",
    }  # fmt: skip
    assert first_cells(path) == ["1"]


def test_xlsx_text_that_looks_like_a_formula_is_data(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(SHOP_COLUMNS))
    sheet.append(["1", "x", "2026-01-01", None, "y"])
    sheet["B2"].value = "=cmd"
    sheet["B2"].data_type = "s"
    book.save(path)
    assert rows(path)[0].cells[1] == "=cmd"


def test_xlsx_sheets_are_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "r.xlsx", ("1", "n", "2026-01-01", None, "x"))
    code, reason = refusal(path, sheet="Companies")
    assert code == "no_sheet"
    assert "Sheet" in reason
    assert len(rows(path, sheet="Sheet")) == 1
