"""What a form consists of, as frozen values: page, fonts, boxes. Read from layout.toml by templates.layout.

Lengths are millimetres from the top left corner of the page; font sizes and stroke widths are points.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from templates.formats import Part


@dataclass(frozen=True, kw_only=True, slots=True)
class Rect:
    """A rectangle on the page, mm from the top left corner."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The paper."""

    width: float
    height: float
    trim: float
    """No box comes nearer to the edge, mm."""
    colour: str
    """#rrggbb, or "" for bare paper."""
    svg: str
    """File name in the folder, or ""."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FontRole:
    """A font under the form's own name for it."""

    name: str
    family: str
    """A family of templates.fonts, or "" if `file` is given."""
    file: str
    """File name in the folder, or ""."""
    weight: int
    optical: float
    """Optical size in points; 0 for the font's default."""
    sha256: str
    """Hex digest of the font file as it is found, before cutting."""
    optional: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TextStyle:
    """How words are set."""

    fonts: tuple[str, ...]
    """Chain of roles; the first that has a character prints it."""
    size: float
    min_size: float
    colour: str
    align: str
    valign: str
    baseline: float
    """Of the first line, mm from the top; only with valign = "baseline"."""
    spacing: float
    """Letter spacing in em."""
    line_height: float
    tag: str
    language: str
    """BCP 47, or "" for the document's."""
    wrap: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TextBox:
    """Words set by the form."""

    where: str
    rect: Rect
    text: str
    style: TextStyle


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueBox:
    """A value, or several in a pattern."""

    where: str
    rect: Rect
    parts: tuple[Part, ...]
    empty: str
    label: str
    """Heading of the continued text."""
    continues: bool
    style: TextStyle

    @property
    def field(self) -> str:
        """The first value named, for errors."""
        return next((part.field for part in self.parts if part.field), "")


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageBox:
    """A photograph."""

    where: str
    rect: Rect
    field: str
    fit: str
    dpi: float
    alt: str
    required: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class QRBox:
    """The QR code and the lines under it."""

    where: str
    rect: Rect
    quiet: float
    backing: str
    """#rrggbb, or "" for none."""
    colour: str
    alt: str
    under_labels: tuple[str, ...]
    under_style: TextStyle
    under_width: float
    under_gap: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SealBox:
    """The place of the signature widget with the seal picture."""

    where: str
    rect: Rect
    alt: str
    style: str
    """red or blue."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WatermarkBox:
    """Large pale words across the page."""

    where: str
    x: float
    y: float
    text: str
    field: str
    """Name of the value that is the text, or ""."""
    angle: float
    opacity: float
    repeat: bool
    style: TextStyle


Box: TypeAlias = TextBox | ValueBox | ImageBox | QRBox | SealBox | WatermarkBox


@dataclass(frozen=True, kw_only=True, slots=True)
class Guilloche:
    """One pattern of fine lines; `sizes` holds the numbers of its shape by name."""

    where: str
    shape: str
    sizes: dict[str, float]
    colour: str
    width: float
    opacity: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Continuation:
    """The further pages."""

    rect: Rect
    title: str
    header: tuple[Part, ...]
    footer: str
    mark: str
    svg: str
    style: TextStyle
    title_style: TextStyle


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A whole form."""

    language: str
    common: str
    """Further characters that values often hold."""
    page: Page
    fonts: dict[str, FontRole]
    boxes: tuple[Box, ...]
    """In reading order."""
    guilloches: tuple[Guilloche, ...]
    continuation: Continuation | None

    @property
    def fields(self) -> frozenset[str]:
        """The names of all values that the form prints."""
        names = {part.field for box in self.boxes if isinstance(box, ValueBox) for part in box.parts}
        names |= {box.field for box in self.boxes if isinstance(box, ImageBox | WatermarkBox)}
        if self.continuation:
            names |= {part.field for part in self.continuation.header}
        return frozenset(names - {""})
