"""Cuts a small TrueType font out of a large one, glyph by glyph, fast enough to do it for each licence.

Six tables are enough for a font inside a PDF: glyf, head, hhea, hmtx, loca, maxp (ISO 32000-1, 9.9, table 126).
Hinting instructions are left out; composite glyphs take their components with them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_UINT32 = 0xFFFFFFFF
# OpenType 1.9.1, head: checkSumAdjustment = 0xB1B0AFBA - sum of the whole font.
_CHECKSUM_BASE = 0xB1B0AFBA
_SHORT_LOCA_LIMIT = 131_072
# OpenType 1.9.1, glyf, component flags.
_ARGS_ARE_WORDS = 0x0001
_HAVE_SCALE = 0x0008
_MORE_COMPONENTS = 0x0020
_HAVE_XY_SCALE = 0x0040
_HAVE_TWO_BY_TWO = 0x0080
_HAVE_INSTRUCTIONS = 0x0100
_TAGS = (b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp")
_HEADER = struct.pack(">IHHHH", 0x00010000, len(_TAGS), 64, 2, 32)
_FIRST_OFFSET = len(_HEADER) + 16 * len(_TAGS)


def _checksum(data: bytes) -> int:
    """Return the table checksum of data whose length is a multiple of 4."""
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(words) & _UINT32


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Slice:
    """One glyph, ready to be joined: outline without instructions, padded to 4 bytes."""

    data: bytes
    checksum: int
    components: tuple[tuple[int, int], ...]
    """(offset of the glyph number in data, glyph number) of each component."""
    metrics: bytes
    """Advance width and left side bearing as in hmtx."""


class GlyphSource:
    """The glyphs of one static TrueType font; slices are made on first use and kept."""

    def __init__(self, tables: Mapping[str, bytes]) -> None:
        """Take the six tables of the font by tag: glyf, head, hhea, hmtx, loca, maxp."""
        head, hhea, hmtx = tables["head"], tables["hhea"], tables["hmtx"]
        loca, maxp = tables["loca"], tables["maxp"]
        self._glyf = tables["glyf"]
        self._hmtx = hmtx
        self._full_metrics: int = struct.unpack_from(">H", hhea, 34)[0]
        self._count: int = struct.unpack_from(">H", maxp, 4)[0]
        long_loca = struct.unpack_from(">h", head, 50)[0] == 1
        number = self._count + 1
        self._loca: tuple[int, ...] = (
            struct.unpack_from(f">{number}I", loca)
            if long_loca
            else tuple(2 * offset for offset in struct.unpack_from(f">{number}H", loca))
        )
        self._head = head[:8] + bytes(4) + head[12:50]
        self._hhea = hhea[:34]
        # Version and glyph count are written per font; the interpreter's limits are cleared (maxZones to 1).
        self._maxp_limits = maxp[6:14] + struct.pack(">7H", 1, 0, 0, 0, 0, 0, 0) + maxp[28:32]
        self._slices: dict[int, _Slice] = {}

    def _slice(self, glyph: int) -> _Slice:
        known = self._slices.get(glyph)
        if known is None:
            known = self._slices[glyph] = self._cut(glyph)
        return known

    def _metrics(self, glyph: int) -> bytes:
        if glyph < self._full_metrics:
            return self._hmtx[4 * glyph : 4 * glyph + 4]
        last = 4 * (self._full_metrics - 1)
        bearing = 4 * self._full_metrics + 2 * (glyph - self._full_metrics)
        return self._hmtx[last : last + 2] + self._hmtx[bearing : bearing + 2]

    def _cut(self, glyph: int) -> _Slice:
        raw = self._glyf[self._loca[glyph] : self._loca[glyph + 1]]
        components: list[tuple[int, int]] = []
        data = b""
        if raw:
            contours = struct.unpack_from(">h", raw)[0]
            if contours >= 0:
                ends = 10 + 2 * contours
                skip = struct.unpack_from(">H", raw, ends)[0]
                data = raw[:ends] + b"\0\0" + raw[ends + 2 + skip :]
            else:
                data = self._cut_composite(raw, components)
            data = _padded(data)
        return _Slice(
            data=data,
            checksum=_checksum(data),
            components=tuple(components),
            metrics=self._metrics(glyph),
        )

    @staticmethod
    def _cut_composite(raw: bytes, components: list[tuple[int, int]]) -> bytes:
        data = bytearray(raw)
        position = 10
        more = True
        while more:
            flags, glyph = struct.unpack_from(">HH", data, position)
            components.append((position + 2, glyph))
            struct.pack_into(">H", data, position, flags & ~_HAVE_INSTRUCTIONS)
            position += 8 if flags & _ARGS_ARE_WORDS else 6
            if flags & _HAVE_SCALE:
                position += 2
            elif flags & _HAVE_XY_SCALE:
                position += 4
            elif flags & _HAVE_TWO_BY_TWO:
                position += 8
            more = bool(flags & _MORE_COMPONENTS)
        return bytes(data[:position])

    def font(self, glyphs: Iterable[int]) -> tuple[bytes, int]:
        """Return a font file and its number of glyphs: glyph 0 is .notdef, glyph n the n-th given.

        A glyph given twice stands in the font twice. Components follow after the glyphs given.
        """
        order = [0, *glyphs]
        slices = [self._slice(glyph) for glyph in order]
        sums = sum(piece.checksum for piece in slices)
        if any(piece.components for piece in slices):
            outlines, sums = self._with_components(order, slices)
        else:
            outlines = [piece.data for piece in slices]
        count = len(outlines)
        offsets = [0]
        total = 0
        for outline in outlines:
            total += len(outline)
            offsets.append(total)
        short = total < _SHORT_LOCA_LIMIT
        loca = (
            struct.pack(f">{count + 1}H", *[offset >> 1 for offset in offsets])
            if short
            else struct.pack(f">{count + 1}I", *offsets)
        )
        metrics = b"".join([piece.metrics for piece in slices])
        tables = (
            b"".join(outlines),
            self._head + (b"\0\0\0\0" if short else b"\0\1\0\0"),
            self._hhea + struct.pack(">H", count),
            metrics,
            loca,
            struct.pack(">IH", 0x00010000, count) + self._maxp_limits,
        )
        return _assembled(tables, sums & _UINT32), count

    def _with_components(self, order: list[int], slices: list[_Slice]) -> tuple[list[bytes], int]:
        """Append the components to `order` and `slices`; return all outlines with new numbers, and their sum."""
        numbers: dict[int, int] = {}
        for number, glyph in enumerate(order):
            numbers.setdefault(glyph, number)
        outlines: list[bytes] = []
        sums = index = 0
        while index < len(slices):
            piece = slices[index]
            index += 1
            if not piece.components:
                outlines.append(piece.data)
                sums += piece.checksum
                continue
            data = bytearray(piece.data)
            for offset, glyph in piece.components:
                if glyph not in numbers:
                    numbers[glyph] = len(order)
                    order.append(glyph)
                    slices.append(self._slice(glyph))
                struct.pack_into(">H", data, offset, numbers[glyph])
            outlines.append(bytes(data))
            sums += _checksum(outlines[-1])
        return outlines, sums


def _assembled(tables: tuple[bytes, ...], glyf_checksum: int) -> bytes:
    """Return the font file of the six tables in the order of _TAGS."""
    padded = [_padded(table) for table in tables]
    checksums = [glyf_checksum, *[_checksum(table) for table in padded[1:]]]
    offset = _FIRST_OFFSET
    entries: list[bytes] = []
    for tag, table, whole, checksum in zip(_TAGS, tables, padded, checksums, strict=True):
        entries.append(struct.pack(">4sIII", tag, checksum, offset, len(table)))
        offset += len(whole)
    header = _HEADER + b"".join(entries)
    adjustment = (_CHECKSUM_BASE - _checksum(header) - sum(checksums)) & _UINT32
    head = padded[1]
    padded[1] = head[:8] + struct.pack(">I", adjustment) + head[12:]
    return header + b"".join(padded)
