"""Status snapshots: the statuses of up to 2^20 licences as one compressed array of four-bit values.

Pure: bytes in, bytes or statuses out. The form stands in docs/formats.md, 3.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from certlib.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from certlib.faces import JsonValue

LIST_ENTRIES: Final = 2**20
"""Indices of one list; every array has its full size, so an index beyond it is a fault."""
BITS: Final = 4
LIST_BYTES: Final = LIST_ENTRIES * BITS // 8
STATUS_VALUES: Final[Mapping[Status, int]] = {
    Status.ACTIVE: 0,
    Status.SUSPENDED: 2,
    Status.CANCELLED: 12,
    Status.WITHDRAWN: 13,
    Status.REVOKED: 14,
    Status.SUPERSEDED: 15,
}
"""draft-ietf-oauth-status-list, 7.1: 0 VALID, 2 SUSPENDED, 12 to 15 are the application's own."""
STATUSES: Final[Mapping[int, Status]] = {value: status for status, value in STATUS_VALUES.items()}
ENDED: Final = 1
"""In a snapshot made from a status list of two bits: the licence has ended, and the list does not say how.
draft-ietf-oauth-status-list, 7.1: INVALID. Never in a trust pack."""
STRANGE: Final = 3
"""The same of a value that this program knows no meaning of."""
MAX_SECONDS: Final = 253_402_300_799
"""The last second of the year 9999."""


class SnapshotError(ValueError):
    """A snapshot that is not one. It never leaves the library as such."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusSnapshot:
    """One status list as it stood at one moment."""

    as_of: datetime
    """When it was taken, aware UTC, whole seconds."""
    values: bytes
    """`LIST_BYTES` bytes, two entries each; index 0 is the lower half of byte 0."""

    def status(self, index: int) -> Status | None:
        """The status at `index`, or None when the index lies outside or the value has no meaning here."""
        if not 0 <= index < LIST_ENTRIES:
            return None
        return STATUSES.get(self.values[index >> 1] >> BITS * (index & 1) & 0xF)

    def has_ended(self, index: int) -> bool:
        """Whether the entry says that the licence has ended, but not how; `status` is None then."""
        return 0 <= index < LIST_ENTRIES and self.values[index >> 1] >> BITS * (index & 1) & 0xF == ENDED


def status_snapshot(entries: Iterable[tuple[int, Status]], *, as_of: datetime) -> StatusSnapshot:
    """The snapshot in which all are active but `entries`, pairs of index and status.

    Raises:
        ValueError: an index outside the list.
    """
    values = bytearray(LIST_BYTES)
    for index, status in entries:
        if not 0 <= index < LIST_ENTRIES:
            raise ValueError(f"no such index in a status list: {index}")
        shift = BITS * (index & 1)
        values[index >> 1] = values[index >> 1] & ~(0xF << shift) | STATUS_VALUES[status] << shift
    return StatusSnapshot(as_of=as_of.astimezone(UTC).replace(microsecond=0), values=bytes(values))


def snapshot_json(snapshot: StatusSnapshot) -> dict[str, JsonValue]:
    """The snapshot as a member of `status_lists` in the trust pack's body."""
    packed = base64.urlsafe_b64encode(zlib.compress(snapshot.values, 9)).rstrip(b"=").decode()
    return {"bits": BITS, "as_of": int(snapshot.as_of.timestamp()), "lst": packed}


def read_snapshot(value: object) -> StatusSnapshot:
    """The snapshot that a member of `status_lists` holds; exactly the form that `snapshot_json` writes.

    Raises:
        SnapshotError: another form, or not exactly one full list behind the compression.
    """
    if not isinstance(value, dict) or value.keys() != {"bits", "as_of", "lst"} or value["bits"] != BITS:
        raise SnapshotError("a status list with other members than bits, as_of and lst, or not of four bits")
    as_of, text = value["as_of"], value["lst"]
    if type(as_of) is not int or not 0 <= as_of <= MAX_SECONDS or not isinstance(text, str):
        raise SnapshotError("a status list without its time or values")
    inflate = zlib.decompressobj()
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        values = inflate.decompress(packed, LIST_BYTES + 1)
    except (zlib.error, binascii.Error, ValueError) as error:
        raise SnapshotError("a status list that cannot be unpacked") from error
    if len(values) != LIST_BYTES or not inflate.eof or inflate.unused_data:
        raise SnapshotError(f"a status list of another size than {LIST_BYTES} bytes")
    return StatusSnapshot(as_of=datetime.fromtimestamp(as_of, tz=UTC), values=values)


def read_snapshots(value: object) -> dict[str, StatusSnapshot]:
    """The member `status_lists` of the trust pack's body: snapshots by URI.

    Raises:
        SnapshotError: it is missing, or one of the lists has another form.
    """
    if not isinstance(value, dict):
        raise SnapshotError("no status lists")
    return {uri: read_snapshot(each) for uri, each in value.items()}
