"""Opening a register: the one entry for CSV, XLSX and JSONL, and for an errors.csv that comes back."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from certlib.intake.csvfile import DELIMITERS, csv_rows
from certlib.intake.csvwriting import restored
from certlib.intake.jsonlfile import jsonl_rows
from certlib.intake.rows import FAULT_COLUMNS, Register, checked_columns, closing_rows, file_error
from certlib.intake.xlsxfile import xlsx_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certlib.intake.rows import Row

_KINDS: Final = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv",
    ".xlsx": "xlsx", ".xlsm": "xlsx",
    ".jsonl": "jsonl", ".ndjson": "jsonl",
}  # fmt: skip
_ZIP: Final = b"PK\x03\x04"
_OLE: Final = bytes.fromhex("d0cf11e0a1b11ae1")


@contextmanager
def open_register(
    path: Path,
    *,
    needed: tuple[str, ...] = (),
    encoding: str | None = None,
    delimiter: str = ",",
    sheet: str = "",
) -> Iterator[Register]:
    """The register in `path`, streamed; `needed` are the columns that must be there.

    The kind is told by the ending (.csv .tsv .txt .xlsx .jsonl .ndjson). `encoding` is for text files without
    byte order mark and defaults to UTF-8. Of an errors.csv of ours the three columns it added are left out
    and its neutralised cells are restored.

    Raises:
        InvalidRequestError: the register as a whole cannot be read; one fault on field `file`, whose reason
            names the place and the way out: `no_file`, `unknown_kind`, `empty_file`, `bad_header`,
            `wrong_encoding`, `unknown_encoding`, `line_ends`, `not_xlsx`, `no_sheet`, `too_large`.
    """
    kind = _kind(path)
    if kind == "xlsx":
        lines, rows = xlsx_rows(path, sheet=sheet)
    elif kind == "jsonl":
        lines, rows = jsonl_rows(path, needed=needed)
    else:
        if delimiter not in DELIMITERS:
            raise file_error(path, "bad_delimiter", "the delimiter must be a comma, a semicolon or a tab")
        lines, rows = csv_rows(path, encoding=encoding, delimiter="\t" if path.suffix == ".tsv" else delimiter)
    with closing_rows(rows):
        names = list(next(rows).cells)
        extra = len(FAULT_COLUMNS)
        fed_back = tuple(names[-extra:]) == FAULT_COLUMNS and len(names) > extra
        if fed_back:
            names = [restored(name) for name in names[:-extra]]
            rows = _fed_back(rows, len(names))
        columns = checked_columns(path, names, needed)
        yield Register(columns=columns, rows=rows, lines=lines, fed_back=fed_back)


def _kind(path: Path) -> str:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise file_error(path, "unknown_kind", "its name must end in .csv, .tsv, .txt, .xlsx, .jsonl or .ndjson")
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise file_error(path, "no_file", f"it cannot be opened: {error.strerror}") from error
    if not head:
        raise file_error(path, "empty_file", "the file is empty; it needs a header line and rows")
    if kind != "xlsx" and (head.startswith(_ZIP) or head == _OLE):
        raise file_error(path, "unknown_kind", "it is a spreadsheet or an archive by its content; name it .xlsx")
    return kind


def _fed_back(rows: Iterator[Row], width: int) -> Iterator[Row]:
    with closing_rows(rows):
        for row in rows:
            yield replace(row, cells=tuple(restored(cell) for cell in row.cells[:width]))
