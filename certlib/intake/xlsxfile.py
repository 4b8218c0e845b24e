"""XLSX, streamed: cells as the text a person sees, and a refusal where the file does not say what that is."""

from __future__ import annotations

import re
import zipfile
import zlib
from bisect import bisect_right
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from openpyxl import load_workbook
from openpyxl.utils.cell import range_boundaries

from certlib.intake.rows import MAX_CELL_BYTES, MAX_COLUMNS, Row, fault, file_error, unread

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from certlib.errors import FieldFault

MAX_PART_BYTES: Final = 4 << 30
"""Unpacked size of the sheet: far above any register, below a bomb."""
MAX_STRINGS_BYTES: Final = 256 << 20
"""Unpacked size of the shared texts and styles, which openpyxl keeps in memory."""
DAMAGE: Final = (
    *(ArithmeticError, AttributeError, EOFError, LookupError, NotImplementedError, OSError, RuntimeError, SyntaxError),
    *(TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)
"""What openpyxl lets out on damaged files; a parse error of XML is a SyntaxError."""
MAX_MERGED: Final = 10_000
_ZEROS: Final = re.compile(r"0{2,}")
_EXACT_DIGITS: Final = 15
"""Excel keeps 15 digits of a number and writes zeros for the rest."""
_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})"')
_MERGED_BYTES: Final = 200


def xlsx_rows(path: Path, *, sheet: str) -> tuple[int, Iterator[Row]]:
    """The number of lines (0 when the file does not say), and the rows of a sheet, the header first.

    `sheet` is its name; empty means the first one.

    Raises:
        InvalidRequestError: `not_xlsx`, `no_sheet`, `too_large`, `empty_file`, `bad_header`.
    """
    _check_parts(path)
    with _worksheet(path, sheet) as (worksheet, _):
        lines = worksheet.max_row or 0
    return lines, _rows(path, sheet)


@contextmanager
def _worksheet(path: Path, sheet: str) -> Iterator[tuple[Any, str]]:
    """The sheet and the name of its part inside the file."""
    with path.open("rb") as file:  # opened here, since openpyxl leaves a damaged file open
        try:
            book = load_workbook(file, read_only=True, data_only=False, keep_links=False)
        except DAMAGE as error:
            raise file_error(path, "not_xlsx", f"it is not a readable XLSX file ({type(error).__name__})") from error
        try:
            if sheet and sheet not in book.sheetnames:
                names = ", ".join(book.sheetnames)
                raise file_error(path, "no_sheet", f"it has no sheet {sheet!r}; its sheets are {names}")
            worksheet: Any = book[sheet or book.sheetnames[0]]
            if not hasattr(worksheet, "_worksheet_path"):
                raise file_error(path, "no_sheet", "its first sheet is a chart; name the sheet with [source] sheet")
            yield worksheet, str(worksheet._worksheet_path)  # noqa: SLF001  # openpyxl offers no public way
        finally:
            book.close()


def _check_parts(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                sheet = part.filename.startswith("xl/worksheets/")
                if part.file_size > (MAX_PART_BYTES if sheet else MAX_STRINGS_BYTES):
                    reason = f"its part {part.filename} unpacks to {part.file_size:,} bytes; save it as CSV"
                    raise file_error(path, "too_large", reason)
                if part.filename.endswith((".xml", ".rels")):
                    with archive.open(part) as file:
                        if b"<!" in re.sub(rb"<!--.*?-->", b"", file.read(2048), flags=re.DOTALL):
                            raise file_error(path, "not_xlsx", f"its part {part.filename} declares a document type")
    except DAMAGE as error:
        what = "it is protected by a password or damaged" if _is_ole(path) else "it is not a readable XLSX file"
        raise file_error(path, "not_xlsx", f"{what}; save it again as .xlsx or as CSV UTF-8") from error


def _is_ole(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(8) == bytes.fromhex("d0cf11e0a1b11ae1")  # [MS-CFB] 2.2, header signature


def _rows(path: Path, sheet: str) -> Iterator[Row]:
    with _worksheet(path, sheet) as (worksheet, part):
        merged = _Merged(path, part)
        rows = _cells(path, worksheet)
        number, cells = next(rows, (0, ()))
        if not number:
            raise file_error(path, "empty_file", "the sheet is empty; it needs a header row and rows")
        names, faults = _texts(cells, ())
        if faults or merged.of_row(number):
            reason = faults[0].reason if faults else "has merged cells; unmerge them"
            raise file_error(path, "bad_header", f"row {number}: the header {reason}")
        while names and not names[-1]:
            names.pop()
        columns = tuple(names)
        yield Row(number=number, cells=columns)
        for number, cells in rows:
            yield _row(number, cells, columns, merged)


def _cells(path: Path, worksheet: Any) -> Iterator[tuple[int, Sequence[Any]]]:  # noqa: ANN401  # openpyxl's reader
    """Row number and cells of every row that is not blank."""
    try:
        for number, cells in enumerate(worksheet.iter_rows(), 1):
            if any(cell.value not in {None, ""} for cell in cells):
                yield number, cells
    except DAMAGE as error:
        reason = f"the sheet is damaged and cannot be read to its end ({type(error).__name__})"
        raise file_error(path, "not_xlsx", reason) from error


def _row(number: int, cells: Sequence[Any], columns: tuple[str, ...], merged: _Merged) -> Row:
    texts, faults = _texts(cells, columns)
    if place := merged.of_row(number):
        reason = f"lies in the merged cells {place}; unmerge them and fill each row"
        faults.append(fault("merged_cells", reason))
    beyond = [place for place, text in enumerate(texts[len(columns) :], len(columns) + 1) if text]
    if beyond:
        faults.append(fault("ragged_row", f"has a value in column {beyond[0]}, the header has {len(columns)} columns"))
    if faults:
        return unread(number, ", ".join(text for text in texts if text), len(columns), *faults)
    texts += [""] * (len(columns) - len(texts))
    return Row(number=number, cells=tuple(texts[: len(columns)]))


def _texts(cells: Sequence[Any], columns: tuple[str, ...]) -> tuple[list[str], list[FieldFault]]:
    texts, faults = [], []
    for place, cell in enumerate(cells[: MAX_COLUMNS + 1]):
        text, wrong = _text(cell)
        if wrong:
            code, reason = wrong
            name = columns[place] if place < len(columns) else f"column {place + 1}"
            faults.append(fault(code, reason, field=name))
        texts.append(text)
    return texts, faults


def _text(cell: Any) -> tuple[str, tuple[str, str] | None]:  # noqa: ANN401, PLR0911  # openpyxl's cells; one return per kind
    """The cell as a person sees it, and code and reason when that cannot be told."""
    value, kind = cell.value, cell.data_type
    if value is None:
        return "", None
    if kind == "f":
        return "", ("formula", "is a formula; copy the column and paste it as values")
    if kind == "e":
        return "", ("error_value", f"is the spreadsheet's error value {value}")
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), None
    if isinstance(value, (int, float)):
        return _number(value, str(cell.number_format or ""))
    if isinstance(value, datetime):
        return (value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")), None
    if isinstance(value, (date, time)):
        return value.isoformat(), None
    text = str(value)
    if "\0" in text:
        return "", ("nul", "holds a NUL character")
    if len(text) > MAX_CELL_BYTES:
        return "", ("cell_too_large", f"holds {len(text):,} characters")
    return text, None


def _number(value: float, form: str) -> tuple[str, tuple[str, str] | None]:
    """A whole number without `.0`, with the leading zeros that a format of zeros shows."""
    if isinstance(value, float) and not value.is_integer():
        return repr(value), None
    text = str(int(value))
    if len(text.lstrip("-")) > _EXACT_DIGITS:
        reason = f"is a number of {len(text)} digits, of which Excel keeps {_EXACT_DIGITS}; format the column as text"
        return "", ("rounded_number", reason)
    return (text.zfill(len(form)) if _ZEROS.fullmatch(form) else text), None


class _Merged:
    """The merged cells of a sheet; openpyxl does not tell them while streaming."""

    def __init__(self, path: Path, part: str) -> None:
        found: list[tuple[int, int, str]] = []
        with zipfile.ZipFile(path) as archive, archive.open(part.lstrip("/")) as file:
            tail = b""
            while chunk := file.read(1 << 20):
                text = tail + chunk
                end = 0
                for hit in _MERGED.finditer(text):
                    name = hit.group(1).decode()
                    _, top, _, bottom = range_boundaries(name)
                    found.append((int(top or 0), int(bottom or 0), name))
                    end = hit.end()
                if len(found) > MAX_MERGED:
                    raise file_error(path, "merged_cells", f"it has more than {MAX_MERGED} merged cells; unmerge them")
                tail = text[max(end, len(text) - _MERGED_BYTES) :]
        self.found = sorted(found)
        self.tops = [top for top, _, _ in self.found]
        self.reach = max((bottom - top for top, bottom, _ in self.found), default=0)

    def of_row(self, number: int) -> str:
        """The first merged range that touches the row, or empty."""
        for top, bottom, name in reversed(self.found[: bisect_right(self.tops, number)]):
            if bottom >= number:
                return name
            if number - top > self.reach:
                break
        return ""
