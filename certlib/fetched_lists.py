"""Status lists that a verifier without the library has fetched itself: newer than the snapshots in its trust pack."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from certlib.snapshots import BITS, ENDED, LIST_BYTES, LIST_ENTRIES, STATUSES, STRANGE, StatusSnapshot
from certlib.trusting import number_seen, remember_number
from certlib.verdict import TERMINAL
from signing.errors import Fault, VerificationError
from signing.statuslist import INVALID, verify_list

if TYPE_CHECKING:
    from pathlib import Path

    from certlib.trusting import OfflineTrust
    from signing.statuslist import StatusList

_ENDING: Final = frozenset(value for value, status in STATUSES.items() if status.value in TERMINAL)
_HALF: Final = (1 << BITS) - 1


def with_list(trust: OfflineTrust, data: bytes, *, now: datetime, seen: Path | None = None) -> OfflineTrust:
    """The same trust, with the statuses of a fetched list (JWT or CWT) where they are newer than its snapshot.

    Steps:
    1. the list's signature, key, form and times;
    2. its size: that of a whole list;
    3. not older than one of the same name that the folder `seen` remembers;
    4. newer than the snapshot: it takes its place, but what had ended before stays ended; else the snapshot stays;
    5. its time is remembered in `seen`.

    Raises:
        VerificationError: as `signing.statuslist.verify_list`; `no_such_entry` for a list that is too short.
        SetupError: `seen` cannot be read or written.
    """
    # 1 signature, key, form, times
    claims = verify_list(data, trust.pack, uri=None, now=now).claims
    # 2 size
    if claims.statuses.size != LIST_ENTRIES:
        raise VerificationError(Fault.NO_SUCH_ENTRY, f"a whole status list has {LIST_ENTRIES} entries")
    # 3 anti-rollback
    path = None if seen is None else seen / f"{_name(trust, claims.uri)}.status"
    floor = 0 if path is None else number_seen(path)
    if claims.issued_at < datetime.fromtimestamp(floor, tz=UTC):
        raise VerificationError(Fault.ROLLED_BACK, "a newer list of this name was seen before")
    # 4 the newer one
    snapshot = trust.snapshots.get(claims.uri)
    if snapshot is None or claims.issued_at > snapshot.as_of:
        fresh = StatusSnapshot(as_of=claims.issued_at, values=_values(claims.statuses, snapshot))
        trust = replace(trust, snapshots={**trust.snapshots, claims.uri: fresh})
    # 5 remember
    seconds = int(claims.issued_at.timestamp())
    if path is not None and seconds > floor:
        remember_number(path, seconds)
    return trust


def _name(trust: OfflineTrust, uri: str) -> str:
    """Of the file that remembers: by library and list."""
    return hashlib.sha256(trust.pack.roots_der[0] + uri.encode()).hexdigest()


def _values(statuses: StatusList, before: StatusSnapshot | None) -> bytes:
    """The list in the form of a snapshot. How a licence has ended, only the snapshot may know."""
    values = bytearray(LIST_BYTES)
    for index, value in statuses.not_zero():
        known = ENDED if value == INVALID else value if value in STATUSES else STRANGE
        values[index >> 1] |= known << BITS * (index & 1)
    for at, byte in enumerate(b"" if before is None else before.values):
        if byte:
            for half in (0, 1):
                old = byte >> BITS * half & _HALF
                if old in _ENDING:  # a terminal state never comes back
                    values[at] = values[at] & ~(_HALF << BITS * half) | old << BITS * half
    return bytes(values)
