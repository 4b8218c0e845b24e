"""CSV that we write: cells that a spreadsheet would run as a formula are made harmless, and can be made whole again.

A cell that looks like a formula gets an apostrophe in front; so does a cell that already stands so, hence
`restored(neutralised(text)) == text` for every text.
"""

from __future__ import annotations

import csv
import os
import unicodedata
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

FORMULA_STARTS: Final = frozenset("=+-@|%\t\r\n\u2212")
"""ASVS 5.0, 1.2.10, and the pipe and percent sign of DDE calls; full-width and small forms by NFKC."""
_MARK: Final = "'"


def looks_like_formula(text: str) -> bool:
    """Whether a spreadsheet may run the cell: its first character, or one behind blanks alone, starts a formula."""
    for char in text:
        if _starts(char):
            return True
        if not char.isspace() and unicodedata.category(char) not in {"Cf", "Cc"}:
            return False
    return False


def neutralised(text: str) -> str:
    """The text as a cell that no spreadsheet runs."""
    return _MARK + text if looks_like_formula(text.lstrip(_MARK)) else text


def restored(cell: str) -> str:
    """The text of which `neutralised` made the cell."""
    return cell[1:] if cell.startswith(_MARK) and looks_like_formula(cell.lstrip(_MARK)) else cell


def _starts(char: str) -> bool:
    return not FORMULA_STARTS.isdisjoint((char, *unicodedata.normalize("NFKC", char)))


class CsvWriter:
    """Writes a CSV file that stands under its name only when it is whole: UTF-8 with BOM, CRLF, all cells quoted."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        """Start `path` anew; until `close` it stands as `<name>.part`, readable by its owner only."""
        self.path = path
        self.part = path.with_name(path.name + ".part")
        handle = os.open(self.part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._file = os.fdopen(handle, "w", encoding="utf-8-sig", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._file, quoting=csv.QUOTE_ALL)
        self.rows = 0
        self._writer.writerow([neutralised(name) for name in columns])

    def write(self, cells: Sequence[str]) -> None:
        """One row, each cell neutralised."""
        self._writer.writerow([neutralised(cell) for cell in cells])
        self.rows += 1

    def flush(self) -> None:
        """Hand what was written to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Make the file whole and give it its name."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self.part.replace(self.path)

    def abandon(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):  # what a full disk did not take
            self._file.close()
        self.part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """The writer; `close` is called unless an error leaves the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, or abandon when an error leaves the block."""
        if kind is None:
            self.close()
        else:
            self.abandon()
