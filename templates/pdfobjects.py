"""Serialises PDF objects (ISO 32000-1, 7.3) and builds the fixed part of a file."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# ISO 32000-1, 7.5.2: a comment of bytes from 128 up marks the file as binary. ISO 19005-3, 6.1.2.
HEADER = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
_ESCAPES = str.maketrans({"\\": "\\\\", "(": "\\(", ")": "\\)"})


def text_string(text: str) -> bytes:
    """Return a text string object: literal for printable ASCII, else UTF-16BE in hexadecimal."""
    if text.isascii() and text.isprintable():
        return f"({text.translate(_ESCAPES)})".encode("ascii")
    return f"<feff{text.encode('utf-16-be', 'replace').hex()}>".encode("ascii")


def stream(dictionary: bytes, data: bytes) -> bytes:
    """Return a stream object; `dictionary` is its entries without Length."""
    return b"<<%s/Length %d>>\nstream\n%s\nendstream" % (dictionary, len(data), data)


def deflated(dictionary: bytes, data: bytes) -> bytes:
    """Return a stream object compressed as well as zlib can; for what is frozen."""
    return stream(dictionary + b"/Filter/FlateDecode", zlib.compress(data, 9))


def names(entries: Mapping[str, int]) -> bytes:
    """Return a dictionary of references by name."""
    return b"<<%s>>" % b"".join(b"/%s %d 0 R" % (name.encode("ascii"), number) for name, number in entries.items())


class FixedPart:
    """Collects the objects that are the same in each file; numbers 1 … `reserved` are left for the others."""

    def __init__(self, reserved: int) -> None:
        """Number the first object `reserved` + 1."""
        self.reserved = reserved
        self._bodies: list[bytes | None] = []

    def reserve(self) -> int:
        """Return the number of an object that will be `put` later."""
        self._bodies.append(None)
        return self.reserved + len(self._bodies)

    def put(self, number: int, body: bytes) -> None:
        """Give a reserved object its body."""
        self._bodies[number - self.reserved - 1] = body

    def add(self, body: bytes) -> int:
        """Append an object and return its number."""
        number = self.reserve()
        self.put(number, body)
        return number

    @property
    def last(self) -> int:
        """The highest number given so far."""
        return self.reserved + len(self._bodies)

    def frozen(self) -> tuple[bytes, bytes]:
        """Return (the file so far, its entries of the cross-reference table)."""
        parts = [HEADER]
        entries: list[bytes] = []
        position = len(HEADER)
        for number, body in enumerate(self._bodies, start=self.reserved + 1):
            if body is None:
                raise AssertionError(f"object {number} was reserved but never written")
            whole = b"%d 0 obj\n%s\nendobj\n" % (number, body)
            entries.append(b"%010d 00000 n \n" % position)
            parts.append(whole)
            position += len(whole)
        return b"".join(parts), b"".join(entries)
