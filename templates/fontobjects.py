"""Fonts as PDF objects: Type 0 with TrueType outlines, Identity-H, ToUnicode and a complete CIDSet.

Character code = CID = glyph number: 1 … n in the order of the characters (ISO 32000-1, 9.7).
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from isal import isal_zlib

from templates.pdfobjects import deflated, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from templates.fonts import Face

OBJECTS_PER_FONT = 6
_FULL_WIDTH = 1000
_RANGE = 255
_ISAL_LEVEL = 1
_TO_UNICODE = (
    b"/CIDInit/ProcSet findresource begin 12 dict begin begincmap\n"
    b"/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
    b"/CMapName/Adobe-Identity-UCS def/CMapType 2 def\n"
    b"1 begincodespacerange<0000><ffff>endcodespacerange\n"
    b"%d beginbfrange\n%s\nendbfrange\n"
    b"endcmap CMapName currentdict/CMap defineresource pop end end"
)


def _subset_tag(chars: str) -> str:
    """Return six letters made from the characters (ISO 32000-1, 9.6.4)."""
    value = zlib.crc32(chars.encode("utf-8"))
    letters = ""
    for _ in range(6):
        value, letter = divmod(value, 26)
        letters += chr(65 + letter)
    return letters


def _to_unicode(chars: str) -> bytes:
    """Return the CMap from codes 1 … n to the characters; surrogate pairs beyond U+FFFF."""
    ranges: list[str] = []
    start = 1
    while start <= len(chars):
        # A range never crosses a multiple of 256 (ISO 32000-1, 9.10.3).
        end = min(len(chars), start | _RANGE)
        part = chars[start - 1 : end]
        encoded = part.encode("utf-16-be")
        if len(encoded) == 2 * len(part):
            targets = encoded.hex("|", 2).replace("|", "><")
        else:
            targets = "><".join(char.encode("utf-16-be").hex() for char in part)
        ranges.append(f"<{start:04x}><{end:04x}>[<{targets}>]")
        start = end + 1
    return _TO_UNICODE % (len(ranges), "\n".join(ranges).encode("ascii"))


def _widths(glyphs: Sequence[int], face: Face) -> str:
    """Return the W entry: only what is not a full em wide, in runs."""
    out = ""
    last = -1
    for code, glyph in enumerate(glyphs, start=1):
        advance = face.advance(glyph)
        if advance == _FULL_WIDTH:
            continue
        out += f" {advance}" if last == code - 1 else f"{']' if out else ''}{code}[{advance}"
        last = code
    return f"/W[{out}]]" if out else ""


def font_objects(face: Face, name: str, chars: str, first: int, *, frozen: bool) -> list[bytes]:
    """Return the bodies of the objects `first`, `first` + 1, …; the first is the font that resources name.

    Args:
        face: Where the glyphs come from; it has all the characters.
        name: PostScript name, without the subset's tag.
        chars: The characters in the order of their codes, from 1.
        first: Number of the first object.
        frozen: Compress as well as possible, for the fixed part; else as fast as possible.
    """
    glyphs = [face.glyph(char) for char in chars]
    data, count = face.glyphs.font(glyphs)
    packed = zlib.compress(data, 9) if frozen else isal_zlib.compress(data, _ISAL_LEVEL)
    full = f"{_subset_tag(chars)}+{name}"
    box = " ".join(map(str, face.bbox))
    # All CIDs 0 … count - 1 are there: ISO 19005-3, 6.2.11.4.2.
    cid_set = b"\xff" * (count // 8) + (bytes([0xFF00 >> count % 8 & 0xFF]) if count % 8 else b"")
    return [
        f"<</Type/Font/Subtype/Type0/BaseFont/{full}/Encoding/Identity-H"
        f"/DescendantFonts[{first + 1} 0 R]/ToUnicode {first + 4} 0 R>>".encode("ascii"),
        f"<</Type/Font/Subtype/CIDFontType2/BaseFont/{full}"
        f"/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>/FontDescriptor {first + 2} 0 R"
        f"/DW 1000{_widths(glyphs, face)}/CIDToGIDMap/Identity>>".encode("ascii"),
        f"<</Type/FontDescriptor/FontName/{full}/Flags 4/FontBBox[{box}]/ItalicAngle 0/Ascent {face.ascent}"
        f"/Descent {face.descent}/CapHeight 700/StemV 80/FontFile2 {first + 3} 0 R"
        f"/CIDSet {first + 5} 0 R>>".encode("ascii"),
        stream(b"/Filter/FlateDecode/Length1 %d" % len(data), packed),
        (deflated if frozen else stream)(b"", _to_unicode(chars)),
        stream(b"", cid_set),
    ]
