"""Rows of values that somebody wants compared, out of CSV or JSON Lines; a row that cannot be read is never lost."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NoReturn, cast

from certlib.errors import FieldFault, InvalidRequestError
from certlib.intake.csvfile import DELIMITERS, csv_rows
from certlib.intake.csvwriting import restored
from certlib.intake.rows import fault
from certlib.wire import unique_members

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MAX_ROWS: Final = 10_000
ROW_ID: Final = "row-id"
"""Column of the asker's own mark for a row; no field can have this name."""
MAX_MARK_CHARACTERS: Final = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedRow:
    """One row as it was given."""

    number: int
    """Line on which it begins, counted from 1; the header of a CSV stands on a line too."""
    mark: str = ""
    """What stands under `row-id`, or empty."""
    values: Mapping[str, str] = field(default_factory=dict)
    """By name; what is empty is left out."""
    faults: tuple[FieldFault, ...] = ()
    """What kept the row from being read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AskedRows:
    """A whole file of them."""

    names: tuple[str, ...]
    """Of the values, in the order in which they appear; without `row-id`."""
    rows: tuple[AskedRow, ...]


def csv_asked(text: str) -> AskedRows:
    """The rows of a CSV with a header of names. Comma, semicolon or tab between the cells, as in the header.

    Raises:
        InvalidRequestError: on `csv`: it has no header or no rows, a name twice, or more than 10,000 rows.
    """
    head = text.lstrip("\ufeff\r\n").partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    try:
        _lines, rows = csv_rows(cast("Path", _Held(text.encode())), encoding="utf-8", delimiter=delimiter)
        columns = [cell.strip() for cell in next(rows).cells]
        if len(set(columns)) != len(columns) or not all(columns):
            raise _fault("csv", "bad_header", "its header has a column without a name, or a name twice")
        read: list[AskedRow] = []
        for row in rows:
            _require_room("csv", len(read))
            cells = dict(zip(columns, map(restored, row.cells), strict=True))
            asked = AskedRow(number=row.number, faults=row.faults) if row.faults else _asked(row.number, cells)
            read.append(asked)
    except InvalidRequestError as error:
        raise InvalidRequestError(tuple(replace(each, field="csv") for each in error.faults)) from error
    if not read:
        raise _fault("csv", "required", "has no rows below its header")
    return AskedRows(names=tuple(name for name in columns if name != ROW_ID), rows=tuple(read))


def jsonl_asked(text: str) -> AskedRows:
    """The rows of JSON Lines: an object of texts and numbers on each line.

    Raises:
        InvalidRequestError: on `jsonl`: it has no rows, or more than 10,000.
    """
    read: list[AskedRow] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if line.strip():
            _require_room("jsonl", len(read))
            read.append(_object(number, line))
    if not read:
        raise _fault("jsonl", "required", "has no rows")
    names = dict.fromkeys(name for row in read for name in row.values)
    return AskedRows(names=tuple(names), rows=tuple(read))


class _Held:
    """Bytes in memory for the reader of registers, which opens its file and names it in errors, nothing else."""

    name = "csv"

    def __init__(self, data: bytes) -> None:
        self._data = data

    def open(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._data)


def _object(number: int, line: str) -> AskedRow:
    try:
        members = json.loads(
            line, object_pairs_hook=unique_members, parse_int=str, parse_float=str, parse_constant=_no_constant
        )
    except (ValueError, RecursionError):
        return AskedRow(number=number, faults=(fault("not_json", "is not JSON, or has a key twice"),))
    if not isinstance(members, dict):
        return AskedRow(number=number, faults=(fault("not_json", "is not a JSON object"),))
    if not all(map(str.isprintable, members)):
        return AskedRow(number=number, faults=(fault("bad_character", "has a key that cannot be printed"),))
    faults = tuple(
        fault("not_text", "must be a text or a number", field=name[:MAX_MARK_CHARACTERS])
        for name, value in members.items()
        if value is not None and not isinstance(value, str)
    )
    if faults:
        return AskedRow(number=number, faults=faults)
    return _asked(number, {name: value or "" for name, value in members.items()})


def _asked(number: int, cells: dict[str, str]) -> AskedRow:
    mark = cells.pop(ROW_ID, "")
    values = {name: value for name, value in cells.items() if value.strip()}
    if len(mark) > MAX_MARK_CHARACTERS or not mark.isprintable():
        reason = f"has more than {MAX_MARK_CHARACTERS} characters, or one that is not printed"
        return AskedRow(number=number, values=values, faults=(fault("bad_mark", reason, field=ROW_ID),))
    return AskedRow(number=number, mark=mark, values=values)


def _require_room(name: str, read: int) -> None:
    if read == MAX_ROWS:
        raise _fault(name, "too_many", f"has more than {MAX_ROWS:,} rows; send it in parts")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _fault(name: str, code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field=name, code=code, reason=reason),))
