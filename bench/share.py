"""Sharing: what it costs to answer others and to keep them up to date. `python -m bench.share`.

Checks and uses in a library of a hundred thousand licences, the status list of a large one, the proof of its audit.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import random
import sqlite3
import tempfile
import zlib
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from bench import asking
from bench.library import new_library
from bench.records import filled
from bench.table import RATE_HEADER, Subject, clock, interleaved, print_machine, print_table, progress, rate_rows
from certlib import audit
from certlib.library import Library, close_library, open_library
from certlib.listing import current_list, open_lists
from certlib.store import audits
from certlib.store.engine import writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certlib.config import Settings

NOT_ACTIVE = (0.001, 0.01, 0.05)
"""Shares of licences that are not active."""
BAR_SHARE, BAR_BYTES = 0.01, 40 * 1024
"""At this share all lists of a million licences together may have so many bytes."""
BAR_RECORDS = 1_000_000
AT_ONCE = 1_000
"""Audit records that are appended in one transaction."""


def scattered(path: Path, share: float) -> None:
    """Let `share` of the records, drawn by lot, be not active: a quarter suspended, the others ended."""
    lots = random.Random(7)  # noqa: S311  # no secrets
    with contextlib.closing(sqlite3.connect(path)) as conn, conn:
        conn.execute("UPDATE licence SET status = 'active' WHERE status <> 'active'")
        first, last = conn.execute("SELECT min(id), max(id) FROM licence").fetchone()
        drawn = sorted(lots.sample(range(first, last + 1), round(share * (last + 1 - first))))
        statuses = [lots.choice(("suspended", "cancelled", "withdrawn", "revoked")) for _ in drawn]
        conn.executemany("UPDATE licence SET status = ? WHERE id = ?", zip(statuses, drawn, strict=True))
        conn.execute("UPDATE allotment SET shard = (SELECT max(status_shard) FROM licence)")


def list_rows(settings: Settings, records: int, shares: Sequence[float]) -> list[list[str]]:
    """One row a share: seconds and bytes of all lists, from the record to signed JWT and CWT."""
    path, rows = filled(settings, records), []
    for share in shares:
        progress(f"{share:.1%} not active")
        scattered(path, share)
        lib = open_library(settings)
        try:
            rows.append(_list_row(lib, share, records))
        finally:
            close_library(lib)
    progress("")
    return rows


def _list_row(lib: Library, share: float, records: int) -> list[str]:
    with contextlib.closing(sqlite3.connect(lib.settings.home / "certlib.sqlite")) as conn:
        numbers = [row[0] for row in conn.execute("SELECT DISTINCT status_shard FROM licence ORDER BY 1")]
    lists = open_lists(lib)
    begin = clock()
    made = [current_list(lists, number) for number in numbers]
    end = clock()
    floor = clock()
    for each in made:
        values = _values(each.jwt)
        zlib.compress(values, 9)
    floor_end = clock()
    jwt, cwt = sum(len(each.jwt) for each in made), sum(len(each.cwt) for each in made)
    if share == BAR_SHARE and records == BAR_RECORDS and jwt > BAR_BYTES:
        raise SystemExit(f"the lists have {jwt} bytes, the bar is {BAR_BYTES}")
    return [
        f"{records:,}",
        f"{share:.1%}",
        str(len(made)),
        f"{1000 * (end.wall - begin.wall):,.0f}",
        f"{1000 * (end.ours - begin.ours):,.0f}",
        f"{1000 * (floor_end.ours - floor.ours):,.0f}",
        f"{jwt:,}",
        f"{cwt:,}",
    ]


def _values(jwt: bytes) -> bytes:
    """The list inside, taken out by hand."""
    body = jwt.split(b".")[1]
    packed = json.loads(base64.urlsafe_b64decode(body + b"=="))["status_list"]["lst"]
    return zlib.decompress(base64.urlsafe_b64decode(packed + "=="))


def audited(lib: Library, count: int) -> None:
    """Append `count` audit records like those of issues."""
    lots, now = random.Random(7), lib.now()  # noqa: S311  # no secrets
    for begin in range(0, count, AT_ONCE):
        progress(f"audit record {begin:,} of {count:,}")
        entries = [
            audits.Entry(
                actor="bench",
                act="licence.issued",
                subject=f"1.2.156.3005.2.11100000000013338W011.11990200MB90000230.20261122{number:012d}.001.0",
                detail={
                    "agency": "11990200MB90000230",
                    "type": "business-licence",
                    "type_version": 1,
                    "number": f"91990200MA{number:08d}",
                    "version": 1,
                    "pdf_sha256": f"{lots.getrandbits(256):064x}",
                    "token_kid": "0123456789abcdef",
                    "seal_kid": "fedcba9876543210",
                },
            )
            for number in range(begin, min(begin + AT_ONCE, count))
        ]
        with writing(lib.store) as conn:
            audits.append(conn, entries, at=now)


def audit_subjects(lib: Library) -> list[Subject]:
    """The proof of the whole chain, and SHA-256 alone over the bytes that it covers."""
    covered = [
        json.dumps(
            [
                audit.FORMAT,
                each.seq,
                each.at.astimezone(UTC).isoformat(timespec="microseconds"),
                each.actor,
                each.act,
                each.subject,
                dict(each.detail),
                each.previous_hash,
            ],
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        ).encode()
        for each in audits.read_chain(lib.store)
    ]

    def hashed() -> int:
        for each in covered:
            hashlib.sha256(each).hexdigest()
        return len(covered)

    return [
        Subject(name="audit verify: read, parse, write, hash, compare", run=lambda: audits.check_audit(lib.store).seq),
        Subject(name="SHA-256 of the same bytes", run=hashed),
    ]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=BAR_RECORDS, help="licences in the status lists")
    parser.add_argument("--audit", type=int, default=100_000, help="audit records")
    parser.add_argument("--licences", type=int, default=100_000, help="licences that are asked about")
    parser.add_argument("--rows", type=int, default=10_000, help="rows of the file of checks")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run of callers")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scratch", type=Path, help="folder with room for the records; default a temporary one")
    options = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(prefix="certlib-bench-", dir=options.scratch) as name:
        scratch = Path(name)
        asking.tables(
            scratch / "asked",
            records=options.licences,
            seconds=options.seconds,
            rounds=options.rounds,
            rows=options.rows,
        )
        rows = list_rows(new_library(scratch / "lists"), options.records, NOT_ACTIVE)
        header = (
            "licences",
            "not active",
            "lists",
            "ms",
            "CPU ms",
            "CPU ms of zlib -9 alone",
            "JWT bytes",
            "CWT bytes",
        )
        print_table("Status lists, from the record to both signed forms", header, rows)
        lib = open_library(new_library(scratch / "audit"))
        try:
            audited(lib, options.audit)
            measured = interleaved(audit_subjects(lib), rounds=options.rounds)
        finally:
            close_library(lib)
    rows = rate_rows(measured, against=measured[1].name)
    print_table("Audit records proved", (*RATE_HEADER, "of the floor"), rows)


if __name__ == "__main__":
    main()
