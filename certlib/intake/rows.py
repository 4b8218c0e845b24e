"""What a register gives: rows of text cells with their place in the file, and what is wrong with a row as such."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_CELL_BYTES: Final = 1 << 20
"""A cell beyond is reported and not kept. The longest field of any type has 20,000 characters."""
MAX_COLUMNS: Final = 1000
MAX_RAW_CHARS: Final = 4000
"""How much of an unreadable row stands in errors.csv."""
MAX_SHOWN_CHARS: Final = 300
"""How much of a header stands in a message."""
WHOLE_ROW: Final = "(row)"
"""Field name of a fault that no single column has."""
FAULT_COLUMNS: Final = ("row", "field", "reason")
"""What errors.csv adds to the input's own columns. A register that ends in these is one of ours, fed back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One row of a register."""

    number: int
    """Line of the file on which the row begins, as an editor or a spreadsheet counts it; the header is on line 1."""
    cells: tuple[str, ...]
    """One text per column of the register, in its order; all empty when `faults` is not."""
    faults: tuple[FieldFault, ...] = ()
    """What kept the row from being read: ragged, undecodable, too large. Empty for a row that was read."""
    raw: str = ""
    """The beginning of a row that was not read, for people."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Register:
    """An opened register. Valid inside the `with` block of `open_register` only."""

    columns: tuple[str, ...]
    """Column names in the order of the file, without those that errors.csv added."""
    rows: Iterator[Row]
    """Streams once, in the order of the file; blank rows are left out."""
    lines: int
    """Number of the last line, or an estimate of it; 0 when unknown. For progress only."""
    fed_back: bool = False
    """Whether this is an errors.csv of ours."""


def fault(code: str, reason: str, *, field: str = WHOLE_ROW) -> FieldFault:
    """A fault of a row as such."""
    return FieldFault(field=field, code=code, reason=reason)


def file_error(path: Path, code: str, reason: str) -> InvalidRequestError:
    """The error for a register that cannot be read at all; `reason` names the place and the way out."""
    return InvalidRequestError((FieldFault(field="file", code=code, reason=reason),), message=f"{path.name}: {reason}")


def unread(number: int, raw: str, columns: int, *faults: FieldFault) -> Row:
    """A row that could not be read."""
    shown = raw if len(raw) <= MAX_RAW_CHARS else raw[:MAX_RAW_CHARS] + "…"
    return Row(number=number, cells=("",) * columns, faults=faults, raw=shown)


def checked_columns(path: Path, names: list[str], needed: tuple[str, ...]) -> tuple[str, ...]:
    """The header's names when each stands once and `needed` are among them.

    Raises:
        InvalidRequestError: code `bad_header`, one message naming every problem.
    """
    problems = []
    if any(not name for name in names):
        problems.append("a column without a name (column " + ", ".join(_places(names, "")) + ")")
    if doubled := sorted({name for name in names if name and names.count(name) > 1}):
        problems.append("a name that stands twice: " + ", ".join(doubled))
    if missing := [name for name in needed if name not in names]:
        problems.append("missing columns: " + ", ".join(missing))
    if len(names) > MAX_COLUMNS:
        problems.append(f"more than {MAX_COLUMNS} columns")
    if problems:
        shown = ", ".join(names)
        shown = shown if len(shown) <= MAX_SHOWN_CHARS else shown[:MAX_SHOWN_CHARS] + "…"
        raise file_error(path, "bad_header", f"the header has {'; '.join(problems)}. It reads: {shown}")
    return tuple(names)


@contextmanager
def closing_rows(rows: Iterator[Row]) -> Iterator[Iterator[Row]]:
    """The rows, with whatever their generator holds open closed at the end."""
    try:
        yield rows
    finally:
        close = getattr(rows, "close", None)
        if close is not None:
            close()


def _places(names: list[str], wanted: str) -> list[str]:
    return [str(place) for place, name in enumerate(names, 1) if name == wanted]
