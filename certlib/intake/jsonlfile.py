"""JSON Lines: one flat object per line; numbers keep their digits, nothing is nested, no key stands twice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from certlib.intake.encodings import text_form
from certlib.intake.rows import MAX_CELL_BYTES, Row, fault, file_error, unread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certlib.errors import FieldFault

MAX_LINE_BYTES: Final = 4 * MAX_CELL_BYTES


class _BadLineError(Exception):
    """Why a line is not a row."""

    def __init__(self, each: FieldFault) -> None:
        super().__init__(each.reason)
        self.fault = each


def jsonl_rows(path: Path, *, needed: tuple[str, ...]) -> tuple[int, Iterator[Row]]:
    """The number of lines, and the rows of a JSONL file with its columns as the first row.

    The columns are the keys of the first object, then those of `needed` that it lacks. A row must have every
    one of `needed` (null is an empty cell).

    Raises:
        InvalidRequestError: `empty_file`, `wrong_encoding`, or `bad_header` when line 1 is no object.
    """
    form = text_form(path, "utf-8")
    return form.lines, _rows(path, form.start, needed)


def _rows(path: Path, start: int, needed: tuple[str, ...]) -> Iterator[Row]:
    columns: tuple[str, ...] | None = None
    for number, line in _lines(path, start):
        try:
            record = _record(line)
        except _BadLineError as error:
            if columns is None:
                raise file_error(path, "bad_header", f"row {number} {error.fault.reason}") from error
            yield unread(number, line[:1200].decode("utf-8", "backslashreplace"), len(columns), error.fault)
            continue
        if columns is None:
            columns = (*record, *(name for name in needed if name not in record))
            yield Row(number=number, cells=columns)
        missing = [name for name in needed if name not in record]
        if missing:
            reason = "has not the keys " + ", ".join(missing) + "; write null where there is no value"
            yield unread(number, line.decode("utf-8"), len(columns), fault("ragged_row", reason))
        else:
            yield Row(number=number, cells=tuple(record.get(name, "") for name in columns))
    if columns is None:
        raise file_error(path, "empty_file", "the file holds blank lines only; it needs an object per line")


def _lines(path: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """Line number and bytes of every line that is not blank; of a line beyond the limit only its beginning."""
    number = 0
    with path.open("rb") as file:
        file.seek(start)
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            piece = line
            while piece and not piece.endswith(b"\n"):
                piece = file.readline(MAX_LINE_BYTES)
            if line.strip():
                yield number, line


def _record(line: bytes) -> dict[str, str]:
    if len(line) > MAX_LINE_BYTES:
        raise _BadLineError(fault("cell_too_large", f"is longer than {MAX_LINE_BYTES:,} bytes"))
    try:
        data = json.loads(
            line.decode("utf-8"), object_pairs_hook=_once, parse_int=str, parse_float=str, parse_constant=_constant
        )
    except UnicodeDecodeError as error:
        reason = f"holds 0x{line[error.start]:02X}, which is not UTF-8; JSON Lines are always UTF-8"
        raise _BadLineError(fault("wrong_encoding", reason)) from error
    except json.JSONDecodeError as error:
        raise _BadLineError(fault("not_json", f"is not JSON: {error.msg} at character {error.colno}")) from error
    except RecursionError as error:
        raise _BadLineError(fault("not_flat", "is nested too deeply; values must be plain")) from error
    if not isinstance(data, dict):
        raise _BadLineError(fault("not_json", "is not a JSON object"))
    return {key: _text(key, value) for key, value in data.items()}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        doubled = sorted({key for key in keys if keys.count(key) > 1})
        raise _BadLineError(fault("doubled_key", "has a key twice: " + ", ".join(doubled)))
    return result


def _constant(name: str) -> str:
    raise _BadLineError(fault("not_json", f"holds {name} without quotes, which is not JSON"))


def _text(key: str, value: object) -> str:
    if isinstance(value, str):
        if len(value) > MAX_CELL_BYTES:
            reason = f"holds {len(value):,} characters, at most {MAX_CELL_BYTES:,} are read"
            raise _BadLineError(fault("cell_too_large", reason, field=key))
        if "\0" in value:
            raise _BadLineError(fault("nul", "holds a NUL character", field=key))
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    raise _BadLineError(fault("not_flat", "is a list or an object; values must be plain", field=key))
