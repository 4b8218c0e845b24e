"""A compiled form: the frozen part of its files, and what is needed to add the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from hashlib import _Hash

    from templates.boxes import ImageBox
    from templates.copymark import CopyMark
    from templates.formats import Part
    from templates.typesetting import Chain, FormFont, Frame
    from templates.wrapping import Measured

# Numbers of the objects that each file writes for itself; the frozen part points at them.
PAGES = 1
RESOURCES = 2
CONTENT = 3
METADATA = 4
INFO = 5
EMBEDDED_FILE = 6
FILE_SPECIFICATION = 7
DOCUMENT_ELEMENT = 8
PARENT_TREE = 9
SIGNATURE = 10
# Each image box follows with two: the picture and its structure element.
FIRST_IMAGE = 11


@dataclass(frozen=True, kw_only=True, slots=True)
class FormContent:
    """What one licence puts into its form."""

    values: Mapping[str, str | dt.date | bytes | None]
    """By name; the form says which it prints. Pictures as PNG or JPEG bytes."""
    qr: tuple[int, bytes]
    """(modules on a side, modules row by row, 1 = dark)."""
    under_qr: tuple[str, ...]
    """Lines under the QR code: look-up code, check phrase."""
    title: str
    subject: str
    author: str
    """The agency."""
    identifier: str
    sealed_at: dt.datetime
    """Aware; the signer's claimed time, and the file's date."""
    attachment_name: str
    attachment_json: bytes
    reason: str
    """Why it is signed, shown by PDF readers."""
    mark: CopyMark | None = None
    """Drawn over every page of a copy. A copy may lack what its licence must have, pictures too."""
    withheld: frozenset[str] = frozenset()
    """Names of values that are there and not shown: the face says `***`, never "none" or "long-term"."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UnsealedPdf:
    """A file around the gap for its signature: head + hexadecimal CMS + tail."""

    head: bytes
    """Up to and with the "<" that opens the gap."""
    tail: bytes
    """From the ">" that closes it."""
    gap_hex_length: int
    """Room between them, in hexadecimal digits."""
    digest: bytes
    """SHA-256 over what the ByteRange names: the file without the gap, "<" and ">" (ISO 32000-1, 12.8.1)."""

    def unsigned(self) -> bytes:
        """Return a file whose gap is filled with zeros: for previews. Equal contents give equal bytes."""
        return b"".join((self.head, b"0" * self.gap_hex_length, self.tail))


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueSlot:
    """A value box, ready to be filled."""

    frame: Frame
    chain: Chain
    parts: tuple[Part, ...]
    plain_field: str
    """The value's name where it is printed as it is, alone; else ""."""
    empty: str
    label: str
    continues: bool
    open: str
    """The operator that opens its marked content."""


@dataclass(frozen=True, kw_only=True, slots=True)
class WatermarkSlot:
    """A watermark that is drawn when its value is given."""

    field: str
    draw: Callable[[tuple[Measured, Mapping[int, str]]], str]
    """Operators for a text and its chain's table."""
    chain: Chain


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSlot:
    """An image box and the numbers of its objects."""

    box: ImageBox
    name: str
    """Resource name."""
    object_number: int
    """Of the picture; its structure element has the next number."""
    open: str
    figure: bytes
    """Structure element when there is a picture."""
    nothing: bytes
    """Structure element when there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class QRSlot:
    """The QR box."""

    start: str
    """Operators up to the colour."""
    corner: str
    """x and y of the bottom left corner, points."""
    side: float
    """Points."""
    labels: tuple[str, ...]
    under: tuple[Frame, ...]
    """One frame for each line."""
    chain: Chain
    under_open: str


Slot: TypeAlias = ValueSlot | WatermarkSlot | ImageSlot | QRSlot


@dataclass(frozen=True, kw_only=True, slots=True)
class ContinuationSlot:
    """What further pages share."""

    static_content: int
    """Object number of background and title."""
    header: Frame
    header_parts: tuple[Part, ...]
    footer: Frame
    footer_text: str
    body: Frame
    heading: Frame
    mark: str
    chain: Chain
    heading_chain: Chain
    media_box: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class FixedObjects:
    """Object numbers and pieces that each file refers to."""

    first: int
    """The lowest number in the frozen part."""
    last: int
    """The highest number in the frozen part; fonts and further pages of a file follow."""
    catalog: int
    first_page: int
    section: int
    """Structure element that holds the first page's."""
    page_elements: int
    """The array of the first page's structure elements."""
    widget_element: int
    structure_root: int
    resources: bytes
    """Entries of the resource dictionary without Font and XObject."""
    fonts: bytes
    """Entries of the base fonts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledForm:
    """A form for one agency. Safe to share between threads and to inherit by fork."""

    prefix: bytes
    """The frozen part: the first bytes of each file."""
    prefix_xref: bytes
    """Its entries of the cross-reference table."""
    digest: str
    """SHA-256 of the prefix in hex: the same form for the same agency gives the same."""
    state: _Hash
    """SHA-256 after the prefix; copied for each file, never updated."""
    objects: FixedObjects
    fonts: tuple[FormFont, ...]
    chains: tuple[Chain, ...]
    slots: tuple[Slot, ...]
    """In the order of the layout."""
    continuation: ContinuationSlot | None
    page_width: float
    """mm"""
    page_height: float
    """mm"""
    gap_hex_length: int
