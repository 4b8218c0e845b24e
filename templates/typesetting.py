"""Chains of fonts, and lines of text as PDF operators.

Fonts are selected at size 1 and the size stands in the text matrix, so that a switch between the fonts of
a chain needs no size. Each font of a form has a base part, frozen with the form, and a second part with
the characters of one record that the base part lacks.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from templates.errors import DoesNotFitError, MissingGlyphError
from templates.wrapping import Line, Measured, broken, measured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from templates.boxes import Rect, TextStyle
    from templates.fonts import Face

POINTS_PER_MM = 72 / 25.4
_STEP = 0.5
# Share of the em square above the baseline: the usual place of the baseline in CJK fonts.
ASCENT = 0.88
_SLACK = 0.01
_FIRST_CJK = 0x2E80
_BLANK = 0x20


@dataclass(eq=False, slots=True)
class FormFont:
    """One font role of a compiled form."""

    role: str
    base_name: str
    """Resource name of the base part."""
    second_name: str
    """Resource name of the second part."""
    face: Face
    base_chars: set[str] = field(default_factory=set)
    base_codes: dict[str, int] = field(default_factory=dict)

    @property
    def postscript_name(self) -> str:
        """The name inside files; never one that a font's licence reserves."""
        return "CL" + "".join(char for char in self.role.title() if char.isascii() and char.isalnum())

    def freeze(self) -> None:
        """Number the characters of the base part: 1, 2, … in code point order."""
        self.base_codes = {char: number for number, char in enumerate(sorted(self.base_chars), start=1)}


class Chain:
    """Fonts in the order in which they are asked for a character."""

    def __init__(self, fonts: tuple[FormFont, ...]) -> None:
        """Make a chain of at least one font."""
        self.fonts = fonts
        self.primary = fonts[0]
        self.advances = _Advances(fonts)
        self.base_table: dict[int, str] = {}
        self.base_set: frozenset[str] = frozenset()

    def font_of(self, char: str) -> FormFont:
        """Return the font that prints a character.

        Raises:
            KeyError: none has it.
        """
        self.advances[char]
        return self.advances.fonts_by_char[char]

    def measure(self, text: str, where: str, spacing: float = 0.0) -> Measured:
        """Return a text with its widths.

        Raises:
            MissingGlyphError: naming `where`.
        """
        try:
            return measured(text, self.advances, round(spacing * 1000))
        except KeyError as error:
            raise MissingGlyphError(where, str(error.args[0])) from None

    def require(self, chars: Iterable[str]) -> None:
        """Put characters into the base parts; those that no font has are passed over."""
        for char in chars:
            try:
                self.font_of(char).base_chars.add(char)
            except KeyError:
                continue

    def freeze(self) -> None:
        """Build the table of base codes. Call after the fonts are frozen."""
        table: dict[int, str] = {}
        for font in reversed(self.fonts):
            for char, code in font.base_codes.items():
                if self.font_of(char) is font:
                    table[ord(char)] = self.code(font.base_name, code)
        self.base_table = table
        self.base_set = frozenset(map(chr, table)) | {"\n"}

    def code(self, name: str, code: int) -> str:
        """Return what stands for a character inside a hexadecimal string, font switches included."""
        if name == self.primary.base_name:
            return f"{code:04x}"
        return f">Tj/{name} 1 Tf<{code:04x}>Tj/{self.primary.base_name} 1 Tf<"

    def table(self, codes: Mapping[FormFont, Mapping[str, int]], missing: Iterable[str]) -> dict[int, str]:
        """Return the table for a record: the base one, and the second parts' codes of the `missing`."""
        table = self.base_table.copy()
        fonts = self.advances.fonts_by_char
        back = f">Tj/{self.primary.base_name} 1 Tf<"
        for char in missing:
            font = fonts[char]
            table[ord(char)] = f">Tj/{font.second_name} 1 Tf<{codes[font][char]:04x}{back}"
        return table


class _Advances(dict[str, int]):
    """Widths by character, found on first use. A character no font has is a KeyError."""

    def __init__(self, fonts: tuple[FormFont, ...]) -> None:
        super().__init__()
        self._fonts = fonts
        self.fonts_by_char: dict[str, FormFont] = {}
        self["\n"] = 0

    def __missing__(self, char: str) -> int:
        # Some fonts have glyphs for controls; none may be printed.
        if unicodedata.category(char) == "Cc":
            raise KeyError(char)
        for font in self._fonts:
            glyph = font.face.glyph(char)
            if glyph:
                self.fonts_by_char[char] = font
                self[char] = advance = font.face.advance(glyph)
                return advance
        raise KeyError(char)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A box in points from the bottom left corner, with all that does not depend on the text."""

    where: str
    """The value's name, for errors."""
    left: float
    top: float
    width: float
    height: float
    style: TextStyle
    baseline: float
    """Of the first line, if the style says so."""
    start: str
    """Colour and font operators."""
    spacing: int
    """Letter spacing in thousandths of an em."""
    openings: dict[tuple[float, int], str] = field(default_factory=dict, init=False, compare=False)
    """By size and number of lines: the operators up to the first line, kept."""

    def opening(self, size: float, count: int) -> str:
        """Return the operators up to the first of `count` lines."""
        key = (size, count)
        known = self.openings.get(key)
        if known is None:
            base = _first_baseline(self, size, count)
            known = f"BT\n{self.start}{size:g} 0 0 {size:g} {self.left:.2f} {base:.2f} Tm\n"
            self.openings[key] = known
        return known


def colour_operator(colour: str, *, stroke: bool = False) -> str:
    """Return the operator that sets a #rrggbb colour."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    return " ".join(number(part, 4) for part in parts) + (" RG" if stroke else " rg")


def number(value: float, digits: int = 3) -> str:
    """Return a number as PDF writes it, without exponent and needless zeros."""
    text = f"{value:.{digits}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def frame(where: str, rect: Rect, style: TextStyle, chain: Chain, page_height: float) -> Frame:
    """Return a box as a frame; `page_height` is in mm."""
    return Frame(
        where=where,
        left=rect.x * POINTS_PER_MM,
        top=(page_height - rect.y) * POINTS_PER_MM,
        width=rect.w * POINTS_PER_MM,
        height=rect.h * POINTS_PER_MM,
        style=style,
        baseline=(page_height - style.baseline) * POINTS_PER_MM,
        start=f"{colour_operator(style.colour)}/{chain.primary.base_name} 1 Tf\n",
        spacing=round(style.spacing * 1000),
    )


def line_room(box: Frame, size: float) -> int:
    """Return how many lines of a size the box holds; 0 if not even one.

    With a given baseline only that must lie in the box: descenders may reach over the edge.
    """
    if box.style.valign == "baseline":
        spare = box.baseline - (box.top - box.height) + _SLACK
    else:
        spare = box.height + _SLACK - size
    return 0 if spare < 0 else int(spare / (size * box.style.line_height)) + 1


class Setting(NamedTuple):
    """A text with the size and the lines it is set in."""

    text: Measured
    size: float
    lines: list[Line]


def fitted(text: Measured, box: Frame) -> Setting | None:
    """Return a text at the largest size at which it fits its box; None if it does not fit."""
    style = box.style
    size = style.size
    total = text.widths[-1]
    if total * size <= box.width * 1000 and "\n" not in text.text and line_room(box, size):
        return Setting(text, size, [Line(0, len(text.text), True)])  # noqa: FBT003 -- a record's third column
    while True:
        width = (box.width + _SLACK) / size * 1000 + box.spacing
        room = line_room(box, size)
        smallest = size <= style.min_size
        if total <= width * room or not style.wrap:
            if style.wrap:
                lines = broken(text, width, limit=room + 1, force=smallest)
            else:
                whole = Line(0, len(text.text), True)  # noqa: FBT003 -- a record's third column
                lines = [whole] if total <= width and "\n" not in text.text else None
            if lines is not None and len(lines) <= room and _all_within(text, lines, width):
                return Setting(text, size, lines)
        if smallest:
            return None
        size = max(size - _STEP, style.min_size)


def _all_within(text: Measured, lines: list[Line], width: float) -> bool:
    """Return whether no line had to take a character wider than the box."""
    widths = text.widths
    return all(widths[line.end] - widths[line.start] <= width for line in lines)


def must_fit(text: Measured, box: Frame) -> Setting:
    """Return a text at the largest size at which it fits its box.

    Raises:
        DoesNotFitError: not even at the smallest size.
    """
    result = fitted(text, box)
    if result is None:
        raise DoesNotFitError(
            box.where,
            f"{len(text.text)} characters do not fit the box of {box.width / POINTS_PER_MM:.1f} x "
            f"{box.height / POINTS_PER_MM:.1f} mm, not even at {box.style.min_size:g} pt",
        )
    return result


def _first_baseline(box: Frame, size: float, count: int) -> float:
    block = ((count - 1) * box.style.line_height + 1) * size
    match box.style.valign:
        case "baseline":
            return box.baseline
        case "middle":
            return box.top - (box.height - block) / 2 - ASCENT * size
        case "bottom":
            return box.top - box.height + block - ASCENT * size
        case _:
            return box.top - ASCENT * size


def operators(setting: Setting, box: Frame, table: Mapping[int, str]) -> str:
    """Return the text object (BT … ET) that prints a text."""
    text, size, lines = setting
    style = box.style
    words = text.text
    out = box.opening(size, len(lines))
    if style.align == "left":
        codes = [words[line.start : line.end].translate(table) for line in lines]
        track = f"{box.spacing / 1000:g} Tc" if box.spacing else ""
        reset = " 0 Tc" if box.spacing else ""
        leading = f"{style.line_height:g} TL" if len(lines) > 1 else ""
        return f"{out}{track}{leading}<" + ">Tj T*\n<".join(codes) + f">Tj{reset}\nET\n"
    width = box.width / size * 1000 + box.spacing
    pen = 0.0
    for index, line in enumerate(lines):
        content = words[line.start : line.end]
        slack = width - text.width(line.start, line.end)
        shift, extra, gap = _placed(content, slack, line, style.align)
        track = f"{(extra + box.spacing) / 1000:.4f} Tc"
        if gap:
            codes_of_line = f">Tj {(gap + box.spacing) / 1000:.4f} Tc<{table[_BLANK]}>Tj {track}<".join(
                [word.translate(table) for word in content.split(" ")]
            )
        else:
            codes_of_line = content.translate(table)
        down = -style.line_height if index else 0
        if down or shift != pen:
            out += f"{(shift - pen) / 1000:.4f} {down:g} Td "
            pen = shift
        out += f"{track}<{codes_of_line}>Tj\n"
    return out + "0 Tc ET\n"


def _placed(content: str, slack: float, line: Line, align: str) -> tuple[float, float, float]:
    """Return (shift, extra per character, extra per blank) of one line, in thousandths of an em."""
    if align == "center":
        return slack / 2, 0.0, 0.0
    if align == "right":
        return slack, 0.0, 0.0
    count = len(content)
    if align == "spread":
        return (0.0, slack / (count - 1), 0.0) if count > 1 else (slack / 2, 0.0, 0.0)
    if line.last or count < 2 or slack <= 0:  # noqa: PLR2004 -- one character cannot be stretched
        return 0.0, 0.0, 0.0
    if any(ord(char) >= _FIRST_CJK for char in content):
        return 0.0, slack / (count - 1), 0.0
    blanks = content.count(" ")
    return (0.0, 0.0, slack / blanks) if blanks else (0.0, 0.0, 0.0)


def collapsed(content: str, others_by_primary: Mapping[str, list[str]]) -> str:
    """Return operators without needless switches; the names are those of each primary font's companions."""
    for primary, others in others_by_primary.items():
        if len(others) == 1:
            # To the primary font, print nothing, and back to the only other one.
            content = content.replace(f">Tj/{primary} 1 Tf<>Tj/{others[0]} 1 Tf<", "")
        else:
            content = content.replace(f"/{primary} 1 Tf<>Tj/", "/")
    return content.replace("<>Tj", "")
