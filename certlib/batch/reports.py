"""What a batch leaves behind: issued.csv, errors.csv and batch.json."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certlib.errors import UnavailableError
from certlib.intake import FAULT_COLUMNS, WHOLE_ROW, CsvWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from certlib.batch.work import Result
    from certlib.errors import FieldFault
    from certlib.intake import Row

ISSUED_COLUMNS: Final = ("identifier", "code", "file", "number", "row")
EARLIER: Final = "earlier"


class Reports:
    """The reports of one run. They take their names when the run ends, also when it was interrupted."""

    def __init__(self, folder: Path, *, prefix: str, columns: Sequence[str], check: bool) -> None:
        """Start new reports in `folder`; `columns` are the register's, `prefix` stands before each name.

        A check reports into `check-errors.csv` and touches nothing that a run left, so the errors.csv that is being
        mended can be checked in its place.

        Raises:
            UnavailableError: the folder cannot be written.
        """
        self.folder, self.prefix = folder, prefix
        self.columns = tuple(columns)
        errors = f"{prefix}check-errors.csv" if check else f"{prefix}errors.csv"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.errors = CsvWriter(folder / errors, (*columns, *FAULT_COLUMNS))
            self.issued = None if check else CsvWriter(folder / f"{prefix}issued.csv", ISSUED_COLUMNS)
        except OSError as error:
            raise UnavailableError(f"{folder} cannot be written: {error.strerror}", code="out_unwritable") from error

    def issue(self, row: Row, number: str, result: Result) -> None:
        """One line of issued.csv."""
        if self.issued is not None and result.identifier is not None:
            cells = (result.identifier, result.public_code or "", result.file, number, str(row.number))
            self.issued.write(cells)

    def refuse(self, row: Row, faults: Sequence[FieldFault]) -> None:
        """One line of errors.csv: the row as it came, and all its faults.

        A row that could not be read stands as far as it can be shown in the first column, the others are empty; so
        it can be mended there, and is refused again when it is fed back as it is.
        """
        own = (row.raw, *row.cells[1:]) if row.faults else row.cells
        fields = "; ".join(dict.fromkeys(fault.field or WHOLE_ROW for fault in faults))
        reasons = "; ".join(
            dict.fromkeys(f"{fault.field}: {fault.reason}" if len(faults) > 1 else fault.reason for fault in faults)
        )
        self.errors.write((*own, str(row.number), fields, reasons))

    def finish(self, summary: Mapping[str, Any], *, batch: str) -> None:
        """Give the reports their names. Those of another register in the same folder move to `earlier/<batch>/`."""
        if self.issued is None:
            self.errors.close()
            return
        self._make_way(batch)
        self.errors.close()
        self.issued.close()
        self._sweep()
        part = self.folder / f"{self.prefix}batch.json.part"
        part.write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", "utf-8")
        part.replace(self.folder / f"{self.prefix}batch.json")
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def abandon(self) -> None:
        """Leave no half report behind."""
        self.errors.abandon()
        if self.issued is not None:
            self.issued.abandon()

    def _sweep(self) -> None:
        """Remove half PDFs of processes that were killed."""
        for pattern in (".*.part", "*/.*.part"):
            for path in self.folder.glob(pattern):
                pid = path.name.split(".")[1]
                if pid.isdigit() and not Path(f"/proc/{pid}").exists():
                    path.unlink(missing_ok=True)

    def _make_way(self, batch: str) -> None:
        """An issued.csv that another run wrote is not lost when errors.csv is fed back into the same folder."""
        try:
            old = str(json.loads((self.folder / f"{self.prefix}batch.json").read_text("utf-8"))["batch"])
        except (OSError, ValueError, KeyError, TypeError):
            return
        if old == batch or not old.isalnum():
            return
        shelf = self.folder / EARLIER / old
        shelf.mkdir(parents=True, exist_ok=True)
        for name in ("issued.csv", "errors.csv", "batch.json"):
            path = self.folder / f"{self.prefix}{name}"
            if path.exists():
                path.replace(shelf / path.name)
