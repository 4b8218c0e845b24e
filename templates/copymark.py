"""Words over every page of a copy: for whom, what for, until when. They need nothing of the form but its page.

The mark is one form XObject with fonts of its own, so that it is drawn alike on the first and on further pages of any
form, also of one that was frozen before copies were thought of, and whatever fonts that form has.
"""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from templates.boxes import FontRole
from templates.errors import FontMissingError
from templates.fontobjects import font_objects
from templates.pdfobjects import deflated
from templates.typesetting import POINTS_PER_MM, colour_operator
from templates.wrapping import broken, measured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from templates.fonts import Face, FontBook
    from templates.form import CompiledForm
    from templates.wrapping import Line, Measured

NAME: Final = "CopyMark"
"""Resource name; no name of a form's own has this shape."""
_SHA256: Final = {
    "noto-sans-sc": "a3041811a78c361b1de50f953c805e0244951c21c5bd412f7232ef0d899af0da",
    "noto-sans-jp": "c2f3b4d463500a2ddcd3849cded1fceeb9fd6d1c32e6cbecd568453ba50fc68f",
}
"""The fonts of the shipped forms: the second knows characters of rare names that the first lacks."""
_COLOUR: Final = "#8f1d1d"
_ANGLE: Final = math.radians(30)
_OPACITY: Final = 0.17
_BACKING: Final = 0.88
_LEADING: Final = 1.35
_SIZES: Final = (9.0, 15.0)
_EM_PER_PAGE: Final = 64
"""The page's width in ems of the words across it."""
_BLOCK_SHARE: Final = 0.62
"""Of the page's width: the longest line across it."""
_APART: Final = (3.0, 5.5)
"""Between two blocks in ems, along and across the words."""
_STRIP_SIZES: Final = (7.5, 7.0, 6.5, 6.0, 5.5, 5.0)
_STRIP_LINES: Final = 2
_EDGE_MM: Final = 3.5
"""From the edge of the paper to the strips: what most printers leave blank."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CopyMark:
    """What is written over the pages. Every character must be one that `can_print` has passed."""

    across: tuple[str, ...]
    """Lines of the slanted words that cover the page; long ones are broken."""
    head: str
    """A line at the upper edge, small and in full."""
    foot: str
    """The same at the lower edge."""
    faces: tuple[Face, ...]
    """In the order in which they are asked for a character."""


def mark_faces(fonts: FontBook, folder: Path, form: CompiledForm) -> tuple[Face, ...]:
    """Return the faces for a mark on `form`: ours where this machine has them, then the form's own."""
    faces = []
    for family, sha256 in _SHA256.items():
        role = FontRole(name="copy", family=family, file="", weight=400, optical=0.0, sha256=sha256, optional=True)
        try:
            faces.append(fonts.face(role, folder))
        except FontMissingError:
            continue
    return (*faces, *(font.face for font in form.fonts if font.face not in faces))


def can_print(text: str, faces: Sequence[Face]) -> bool:
    """Return whether one of the faces has each character; controls and invisible ones are never printed."""
    return all(
        not unicodedata.category(char).startswith("C") and any(face.glyph(char) for face in faces) for char in text
    )


def mark_objects(mark: CopyMark, *, width: float, height: float, first: int) -> list[bytes]:
    """Return the bodies of the objects `first`, `first` + 1, …; the last of them is the mark.

    Args:
        mark: What it says.
        width: Of the page, mm.
        height: Of the page, mm.
        first: Number of the first object.
    """
    words = _Words(mark.faces)
    across = _across(mark.across, words, width * POINTS_PER_MM, height * POINTS_PER_MM)
    strips = _strip(mark.head, words, width, height, top=True) + _strip(mark.foot, words, width, height, top=False)
    bodies: list[bytes] = []
    fonts = b""
    for index, face in enumerate(mark.faces):
        chars = "".join(words.chars[index])
        if chars:
            fonts += b"/M%d %d 0 R" % (index, first + len(bodies))
            bodies += font_objects(face, f"CLCopy{index}", chars, first + len(bodies), frozen=False)
    states = f"/A<</ca {_OPACITY}/CA {_OPACITY}>>/B<</ca {_BACKING}/CA {_BACKING}>>".encode("ascii")
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 %.2f %.2f]/Resources<</Font<<%s>>/ExtGState<<%s>>>>" % (
        width * POINTS_PER_MM, height * POINTS_PER_MM, fonts, states,
    )  # fmt: skip
    bodies.append(deflated(head, (across + strips).encode("ascii")))
    return bodies


class _Words(dict[str, int]):
    """Advances by character; it remembers which character of which face was used, in the order of their codes."""

    def __init__(self, faces: Sequence[Face]) -> None:
        super().__init__()
        self.faces = faces
        self.chars: list[list[str]] = [[] for _ in faces]
        self.codes: dict[str, tuple[int, int]] = {}

    def __missing__(self, char: str) -> int:
        index = next(index for index, face in enumerate(self.faces) if face.glyph(char))
        face = self.faces[index]
        self.chars[index].append(char)
        self.codes[char] = (index, len(self.chars[index]))
        self[char] = advance = face.advance(face.glyph(char))
        return advance

    def operators(self, text: str, size: float) -> str:
        """Return the operators that show a measured text, fonts chosen run by run."""
        out, font = "", -1
        for char in text:
            index, code = self.codes[char]
            if index != font:
                out += f"{'>Tj' if out else ''}/M{index} {size:g} Tf<"
                font = index
            out += f"{code:04x}"
        return f"{out}>Tj\n" if out else ""


def _wrapped(text: str, words: _Words, size: float, room: float) -> tuple[Measured, list[Line]]:
    whole = measured(text, words)
    return whole, broken(whole, room / size * 1000) or []


def _across(lines: Sequence[str], words: _Words, width: float, height: float) -> str:
    """Return the slanted words, tile by tile."""
    size = min(max(width / _EM_PER_PAGE, _SIZES[0]), _SIZES[1])
    block: list[tuple[str, float]] = []
    for line in lines:
        whole, parts = _wrapped(line, words, size, width * _BLOCK_SHARE)
        block += [
            (whole.text[part.start : part.end], whole.width(part.start, part.end) / 1000 * size) for part in parts
        ]
    longest = max((length for _, length in block), default=0.0)
    step = (longest + _APART[0] * size, len(block) * size * _LEADING + _APART[1] * size)
    cos, sin = math.cos(_ANGLE), math.sin(_ANGLE)
    out = f"q /A gs {colour_operator(_COLOUR)} BT\n"
    for x, y in _centres(width, height, *step):
        for number, (text, length) in enumerate(block):
            along, down = -length / 2, (number - (len(block) - 1) / 2) * size * _LEADING + size * 0.36
            left, base = x + along * cos + down * sin, y + along * sin - down * cos
            out += f"{cos:.4f} {sin:.4f} {-sin:.4f} {cos:.4f} {left:.2f} {base:.2f} Tm {words.operators(text, size)}"
    return out + "ET Q\n"


def _centres(width: float, height: float, along: float, across: float) -> Iterator[tuple[float, float]]:
    """Yield the centres of tiles on a grid that is turned with the words, so that no part of the page is free."""
    cos, sin = math.cos(_ANGLE), math.sin(_ANGLE)
    reach = math.hypot(width, height) / 2
    rows, columns = int(reach / across) + 1, int(reach / along) + 1
    for row in range(-rows, rows + 1):
        for column in range(-columns, columns + 1):
            u, v = (column + (0.5 if row % 2 else 0.0)) * along, row * across
            x, y = width / 2 + u * cos - v * sin, height / 2 + u * sin + v * cos
            if -along / 3 < x < width + along / 3 and -across / 3 < y < height + across / 3:
                yield x, y


def _strip(text: str, words: _Words, width: float, height: float, *, top: bool) -> str:
    """Return a line of small words on a pale strip at an edge of the page."""
    k = POINTS_PER_MM
    room = (width - 4 * _EDGE_MM) * k
    for size in _STRIP_SIZES:
        whole, lines = _wrapped(text, words, size, room)
        if len(lines) == 1:
            break
    lines = lines[:_STRIP_LINES]
    tall = len(lines) * size * _LEADING
    bottom = (height - _EDGE_MM) * k - tall if top else _EDGE_MM * k
    longest = max(whole.width(line.start, line.end) for line in lines) / 1000 * size + size
    left = (width * k - longest) / 2
    out = f"q /B gs 1 1 1 rg {left:.2f} {bottom:.2f} {longest:.2f} {tall:.2f} re f {colour_operator(_COLOUR)} BT\n"
    for number, line in enumerate(lines):
        length = whole.width(line.start, line.end) / 1000 * size
        base = bottom + tall - (number + 1) * size * _LEADING + size * 0.34
        out += f"1 0 0 1 {(width * k - length) / 2:.2f} {base:.2f} Tm "
        out += words.operators(whole.text[line.start : line.end], size)
    return out + "ET Q\n"
