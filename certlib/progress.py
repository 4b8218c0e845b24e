"""How a batch goes and what it did, for people and for programs."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from certlib.batch import BatchSummary


def batch_report(summary: BatchSummary) -> dict[str, Any]:
    """What a run of a batch did."""
    return {**asdict(summary), "per_second": round(summary.per_second, 1)}


def batch_text(summary: BatchSummary) -> str:
    """What a run of a batch did, for people, with what to do next."""
    rate = f"{summary.seconds:,.1f} s, {summary.per_second:,.0f} rows/s"
    if summary.check:
        lines = [f"checked {summary.read:,} rows ({rate})", f"  {summary.lawful:,} can be issued"]
        lines += [f"  {summary.already:,} had been issued before"] if summary.already else []
        lines += [f"  {summary.refused:,} cannot"]
    else:
        lines = [f"read {summary.read:,} rows ({rate})", f"  {summary.issued:,} issued"]
        lines += [f"  {summary.already:,} had been issued before"] if summary.already else []
        lines += [f"  {summary.changed:,} of them given the register's status"] if summary.changed else []
        lines += [f"  {summary.refused:,} refused"]
    lines += [f"    {count:>7,}  {code}" for code, count in Counter(summary.refused_by_code).most_common()]
    if summary.refused:
        lines.append(f"Mend the rows in {summary.errors_csv} and run the same command on that file.")
    if summary.issued_csv:
        lines.append(f"Identifiers, codes and files: {summary.issued_csv}")
    if summary.interrupted:
        lines.append("Stopped before the end. Run the same command again: nothing is issued twice.")
    return "\n".join(lines)


@dataclass(kw_only=True, slots=True)
class Progress:
    """Progress of a batch: a line that moves on a terminal, JSON lines otherwise; at most twice a second."""

    stream: TextIO
    as_json: bool
    started: float = field(default_factory=time.monotonic)
    last: float = 0.0

    def __call__(self, done: int, refused: int, part: float) -> None:
        """Show that `done` rows are through, `refused` of them refused; `part` is the share of the input read, 0..1."""
        now = time.monotonic()
        if now - self.last < 0.5 and part < 1:  # noqa: PLR2004  # seconds
            return
        self.last = now
        seconds = max(now - self.started, 1e-6)
        rate, left = done / seconds, seconds * (1 - part) / part if part > 0 else 0.0
        if self.as_json:
            line = {"rows": done, "refused": refused, "part": round(part, 4), "per_second": round(rate, 1)}
            self.stream.write(json.dumps({**line, "seconds_left": round(left, 1)}) + "\n")
        else:
            text = f"{done:,} rows  {refused:,} refused  {part:4.0%}  {rate:,.0f}/s  {left:,.0f} s left"
            self.stream.write(f"\r{text:<70}" + ("\n" if part >= 1 else ""))
        self.stream.flush()


def progress(*, as_json: bool) -> Progress:
    """A fresh progress line on stderr."""
    return Progress(stream=sys.stderr, as_json=as_json)
