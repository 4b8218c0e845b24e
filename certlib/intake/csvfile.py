"""Strict, streaming CSV (RFC 4180): exact columns, no NUL, every broken row reported with its line, none lost.

The parser works on bytes and keeps at most one row: of a cell beyond the limit only the length is kept, and a row
with a broken quote ends where a lenient reader would end it, so that text inside a cell never becomes a row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from certlib.intake.encodings import CHUNK_BYTES, line_safe, text_form, utf8_chunks
from certlib.intake.rows import (
    MAX_CELL_BYTES,
    MAX_COLUMNS,
    MAX_RAW_CHARS,
    Row,
    fault,
    file_error,
    unread,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from certlib.errors import FieldFault
    from certlib.intake.encodings import TextForm

DELIMITERS: Final = (",", ";", "\t")
_RAW_BYTES: Final = 4 * MAX_RAW_CHARS
_START, _BARE, _QUOTED, _CLOSED = range(4)


def csv_rows(path: Path, *, encoding: str | None, delimiter: str) -> tuple[int, Iterator[Row]]:
    """The number of lines, and the rows of a CSV file with its header as the first row.

    Raises:
        InvalidRequestError: the file as a whole cannot be read; codes of `text_form`, `bad_header`, `line_ends`.
    """
    form = text_form(path, encoding)
    return form.lines, _rows(path, form, delimiter)


def _rows(path: Path, form: TextForm, delimiter: str) -> Iterator[Row]:
    """The header as a row, then the rows."""
    encoding = form.encoding if line_safe(form.encoding) else "utf-8"
    records = _records(path, form, delimiter)
    first = next(records, None)
    if first is None:
        raise file_error(path, "empty_file", "the file holds blank lines only; it needs a header line and rows")
    columns, faults = first.texts(encoding)
    if faults:
        raise file_error(path, "bad_header", f"row {first.line}: the header {faults[0].reason}")
    if any("\r" in cell for cell in columns):
        raise file_error(path, "line_ends", "its lines end in CR alone; save it with LF or CRLF")
    yield Row(number=first.line, cells=tuple(columns))
    for record in records:
        cells, faults = record.texts(encoding)
        if faults:
            faults = [_named(each, columns) for each in faults]
        elif len(cells) != len(columns):
            faults = [_ragged(record, columns)]
        if faults:
            yield unread(record.line, record.shown(encoding), len(columns), *faults)
        else:
            yield Row(number=record.line, cells=tuple(cells))


def _named(each: FieldFault, columns: list[str]) -> FieldFault:
    """The fault with the name of its column in the place of the column's number."""
    place = each.field
    known = place.isdigit() and int(place) < len(columns)
    return fault(each.code, each.reason, field=columns[int(place)]) if known else fault(each.code, each.reason)


def _ragged(record: _Record, columns: list[str]) -> FieldFault:
    what = "an unquoted comma or a lost quote" if record.count > len(columns) else "a lost column or line break"
    reason = f"has {record.count} cells, the header has {len(columns)}; look for {what}"
    return fault("ragged_row", reason)


def _records(path: Path, form: TextForm, delimiter: str) -> Iterator[_Record]:
    """Records that are not blank."""
    with path.open("rb") as file:
        if line_safe(form.encoding):
            file.seek(form.start)
            pieces: Iterable[bytes] = iter(lambda: file.readline(CHUNK_BYTES), b"")
        else:
            pieces = _pieces(utf8_chunks(file, form.encoding))
        for record in _parsed(pieces, delimiter.encode(), form.start):
            if record.faults or any(record.cells):
                yield record


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks cut behind every line end."""
    for chunk in chunks:
        yield from chunk.splitlines(keepends=True) if b"\r" not in chunk else re.findall(rb"[^\n]*\n|[^\n]+", chunk)


class _Record:
    """One record while it is read: its cells, and what is wrong with it."""

    __slots__ = ("cells", "count", "faults", "line", "offset", "raw")

    def __init__(self, line: int, offset: int) -> None:
        self.line, self.offset = line, offset
        self.cells: list[bytes] = []
        self.count = 0
        self.raw = b""
        self.faults: list[FieldFault] = []

    def take(self, cell: bytes, size: int) -> None:
        """One more cell; `size` is its true length, of which `cell` may be only the beginning."""
        self.count += 1
        if self.count <= MAX_COLUMNS + 1:
            self.cells.append(cell)
            if size > MAX_CELL_BYTES:
                reason = f"holds {size:,} bytes, at most {MAX_CELL_BYTES:,} are read"
                self.faults.append(fault("cell_too_large", reason, field=str(self.count - 1)))

    def texts(self, encoding: str) -> tuple[list[str], list[FieldFault]]:
        """The cells as text, and the faults; a fault's field is the column's number as text."""
        faults = list(self.faults)
        texts = []
        for place, cell in enumerate(self.cells):
            try:
                text = cell.decode(encoding)
            except UnicodeDecodeError as error:
                if len(cell) < MAX_CELL_BYTES:
                    faults.append(self._undecodable(cell[error.start], place, encoding))
                text = ""
            if "\0" in text:
                faults.append(fault("nul", "holds a NUL character; the file may be damaged", field=str(place)))
            texts.append(text)
        return texts, faults

    def _undecodable(self, byte: int, place: int, encoding: str) -> FieldFault:
        where = ""
        try:
            self.raw.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(self.raw) - 4:  # not the place where raw was cut
                where = f" at byte {self.offset + error.start} of the file"
        reason = f"holds 0x{byte:02X}{where}, which is not {encoding}; mend the row, or name the file's --encoding"
        return fault("wrong_encoding", reason, field=str(place))

    def shown(self, encoding: str) -> str:
        """The beginning of the record as people can read it."""
        return self.raw.decode(encoding, "backslashreplace").rstrip("\r\n").replace("\0", "\\x00")


def _parsed(pieces: Iterable[bytes], delimiter: bytes, offset: int) -> Iterator[_Record]:
    """Records out of pieces of the file; a piece ends behind a line end, or earlier where a line is long."""
    parser = _Parser(delimiter)
    line, line_open = 1, False
    for piece in pieces:
        if parser.record is None:
            parser.begin(line, offset)
        record = parser.feed(piece)
        line_open = not piece.endswith(b"\n")
        line += not line_open
        offset += len(piece)
        if record is not None:
            yield record
    if (record := parser.end()) is not None:
        yield record


class _Parser:
    """State between pieces. A record ends with the piece that ends its line outside quotes."""

    def __init__(self, delimiter: bytes) -> None:
        self.delimiter = delimiter
        self.bare_end = re.compile(b"[" + re.escape(delimiter) + b"\n]")
        self.record: _Record | None = None
        self.state = _START
        self.parts: list[bytes] = []
        self.size = 0

    def begin(self, line: int, offset: int) -> None:
        self.record = _Record(line, offset)
        self.state, self.parts, self.size = _START, [], 0

    def feed(self, piece: bytes) -> _Record | None:
        """The record, when the piece ends it."""
        record = self.record
        if record is None:
            raise ValueError("begin first")
        if len(record.raw) < _RAW_BYTES:
            record.raw += piece[: _RAW_BYTES - len(record.raw)]
        if self.state == _START and record.count == 0 and piece.endswith(b"\n") and b'"' not in piece:
            for cell in piece.rstrip(b"\n").removesuffix(b"\r").split(self.delimiter):
                record.take(cell, len(cell))
            self.record = None
            return record
        return self._scan(piece, record)

    def end(self) -> _Record | None:
        """The last record, when the file does not end with a line end."""
        record, self.record = self.record, None
        if record is None:
            return None
        if self.state == _QUOTED:
            reason = f"opens a quote in row {record.line} that is never closed; nothing behind it was read"
            record.faults.append(fault("open_quote", reason))
        self._close_cell(record)
        return record

    def _scan(self, piece: bytes, record: _Record) -> _Record | None:
        place, length = 0, len(piece)
        while place < length:
            if self.state == _START:
                self.state = _QUOTED if piece[place] == ord('"') else _BARE
                place += self.state == _QUOTED
            elif self.state == _QUOTED:
                place = self._quoted(piece, place)
            elif self.state == _CLOSED and piece[place] == ord('"'):
                self._add(b'"')
                self.state = _QUOTED
                place += 1
            else:
                place = self._bare(piece, place, record)
                if self.record is None:
                    return record
        return None

    def _quoted(self, piece: bytes, place: int) -> int:
        end = piece.find(b'"', place)
        self._add(piece[place : end if end >= 0 else None])
        if end < 0:
            return len(piece)
        self.state = _CLOSED
        return end + 1

    def _bare(self, piece: bytes, place: int, record: _Record) -> int:
        """Up to the end of an unquoted cell, or what stands between a closing quote and the next delimiter."""
        hit = self.bare_end.search(piece, place)
        end = hit.start() if hit else len(piece)
        text = piece[place:end]
        line_ends = text == b"\r" and (hit is None or hit.group() == b"\n")
        if self.state == _CLOSED and text and not line_ends:
            reason = "has text behind a closing quote; a quote inside a cell must be doubled"
            record.faults.append(fault("bad_quote", reason, field=str(record.count)))
        if self.state == _BARE or (text and not line_ends):
            self._add(text)
            self.state = _BARE
        if hit is None:
            return end
        if hit.group() == b"\n" and self.state == _BARE and self.parts and self.parts[-1].endswith(b"\r"):
            self.parts[-1] = self.parts[-1][:-1]
            self.size -= 1
        self._close_cell(record)
        if hit.group() == b"\n":
            self.record = None
        return end + 1

    def _add(self, text: bytes) -> None:
        if self.size <= MAX_CELL_BYTES:
            self.parts.append(text[: MAX_CELL_BYTES + 1])
        self.size += len(text)

    def _close_cell(self, record: _Record) -> None:
        record.take(b"".join(self.parts), self.size)
        self.state, self.parts, self.size = _START, [], 0
