"""Which numbers a register has shown already, on disk: memory does not grow with the rows."""

from __future__ import annotations

import os
import tempfile
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Self, cast

if TYPE_CHECKING:
    from types import TracebackType

_KEY_BYTES: Final = 16
_SLOT_BYTES: Final = 24
_EMPTY: Final = bytes(_SLOT_BYTES)
_COPY_SLOTS: Final = 4096
_FULL: Final = 0.6


class KeyFile:
    """An open-addressing hash table in an unnamed temporary file: key -> row of its first appearance.

    Keys are kept as 128-bit digests; that two of a billion differing keys collide has a chance below 2^-68.
    """

    def __init__(self, folder: Path, *, expected: int) -> None:
        """Make an empty one in `folder` for about `expected` keys; it grows when there are more."""
        self.folder = folder
        self.slots = 1 << max(10, (2 * expected).bit_length())
        self.used = 0
        self.file = self._fresh(self.slots)

    def first_row(self, key: str, row: int) -> int:
        """The row on which `key` was first seen: `row` itself when it is new. Rows count from 1."""
        if self.used > self.slots * _FULL:
            self._grow()
        slot = blake2b(key.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()
        known = self._put(self.file.fileno(), self.slots, slot + row.to_bytes(_SLOT_BYTES - _KEY_BYTES))
        self.used += known == 0
        return known or row

    def close(self) -> None:
        """Give the disk space back."""
        self.file.close()

    def __enter__(self) -> Self:
        """The table; closed when the block is left."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _fresh(self, slots: int) -> BinaryIO:
        handle, name = tempfile.mkstemp(prefix=".batch-", dir=self.folder)
        Path(name).unlink()  # nobody else needs it, and a killed run leaves nothing behind
        os.truncate(handle, slots * _SLOT_BYTES)
        return cast("BinaryIO", os.fdopen(handle, "r+b", buffering=0))

    @staticmethod
    def _put(handle: int, slots: int, slot: bytes) -> int:
        """The row that stands under the slot's key, or 0 when the slot was put in."""
        place = int.from_bytes(slot[:8]) & (slots - 1)
        while True:
            found = os.pread(handle, _SLOT_BYTES, place * _SLOT_BYTES)
            if found == _EMPTY:
                os.pwrite(handle, slot, place * _SLOT_BYTES)
                return 0
            if found[:_KEY_BYTES] == slot[:_KEY_BYTES]:
                return int.from_bytes(found[_KEY_BYTES:])
            place = (place + 1) & (slots - 1)

    def _grow(self) -> None:
        bigger = self._fresh(2 * self.slots)
        for start in range(0, self.slots * _SLOT_BYTES, _COPY_SLOTS * _SLOT_BYTES):
            piece = os.pread(self.file.fileno(), _COPY_SLOTS * _SLOT_BYTES, start)
            for at in range(0, len(piece), _SLOT_BYTES):
                slot = piece[at : at + _SLOT_BYTES]
                if slot != _EMPTY:
                    self._put(bigger.fileno(), 2 * self.slots, slot)
        self.file.close()
        self.file, self.slots = bigger, 2 * self.slots
