"""Further pages, for texts that are too long for their box even at its smallest size."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from templates.errors import DoesNotFitError
from templates.typesetting import Setting, line_room, must_fit, operators
from templates.wrapping import Line, broken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from templates.form import ContinuationSlot, ValueSlot
    from templates.typesetting import Chain, Frame
    from templates.wrapping import Measured

_MAX_PAGES = 50
# After a heading and between two texts, in lines.
_HEADING_LINES = 1.7
_GAP_LINES = 0.8


class Overflow(NamedTuple):
    """The rest of a value."""

    field: str
    label: str
    text: Measured
    first: int
    """Character where the rest begins."""


class Piece(NamedTuple):
    """Lines at a place on a further page."""

    tag: str
    setting: Setting
    frame: Frame
    chain: Chain


@dataclass(frozen=True, slots=True)
class FurtherPage:
    """One further page."""

    pieces: list[Piece]


def split(slot: ValueSlot, text: Measured, further: ContinuationSlot) -> tuple[Setting, Piece, Overflow]:
    """Return what the box holds at its smallest size, the mark behind it, and the rest.

    Raises:
        DoesNotFitError: the box does not even hold the mark and one character.
    """
    box, size = slot.frame, slot.frame.style.min_size
    room = line_room(box, size)
    width = box.width / size * 1000 + box.spacing
    mark = further.chain.measure(further.mark, "mark")
    lines = broken(text, width, limit=max(0, room - 1)) or []
    first = _next(text, lines)
    short = broken(text, width - mark.widths[-1], first=first, limit=1) if room else None
    if not short or text.width(short[0].start, short[0].end) > width - mark.widths[-1]:
        raise DoesNotFitError(box.where, "its box has no room for the text and the mark of continuation")
    last = short[0]
    lines.append(Line(last.start, last.end, True))  # noqa: FBT003 -- a record's third column
    style = replace(box.style, align="left" if box.style.align == "justify" else box.style.align)
    setting = Setting(text, size, lines)
    # The mark stands behind the last line, wherever that ends.
    pen = box.left + (text.width(last.start, last.end) + 200) / 1000 * size
    down = (len(lines) - 1) * size * style.line_height
    mark_frame = replace(
        further.body,
        left=pen,
        top=box.top - down,
        width=box.left + box.width - pen + size,
        height=size * 2,
        baseline=box.baseline - down,
        style=replace(box.style, align="left", size=size, min_size=size, wrap=False),
    )
    if box.style.valign in ("middle", "bottom"):
        block = ((len(lines) - 1) * style.line_height + 1) * size
        drop = (box.height - block) / (2 if box.style.valign == "middle" else 1)
        mark_frame = replace(mark_frame, top=mark_frame.top - drop, style=replace(mark_frame.style, valign="top"))
    line = Line(0, len(further.mark), True)  # noqa: FBT003 -- a record's third column
    piece = Piece("Artifact", Setting(mark, size, [line]), mark_frame, further.chain)
    return setting, piece, Overflow(box.where, slot.label, text, _next(text, lines))


def _next(text: Measured, lines: list[Line]) -> int:
    """Return the character where the line after these begins."""
    if not lines:
        return 0
    position = lines[-1].end
    while position < len(text.text) and text.text[position] == " ":
        position += 1
    return position + (text.text[position : position + 1] == "\n")


def further_pages(slot: ContinuationSlot, rests: list[Overflow], header: str) -> list[FurtherPage]:
    """Return the further pages of all rests, one after another.

    Raises:
        DoesNotFitError: more than 50 pages, or a header that is too wide.
    """
    pages: list[FurtherPage] = []
    body, size = slot.body, slot.body.style.size
    leading = size * body.style.line_height
    bottom = body.top - body.height
    pen = bottom
    for rest in rests:
        label = slot.heading_chain.measure(rest.label, "label")
        need = _HEADING_LINES * leading + size
        first = rest.first
        begun = False
        while first <= len(rest.text.text) - 1 or not begun:
            if pen - (leading if begun else need) < bottom:
                pages.append(FurtherPage([]))
                pen = body.top
                if len(pages) > _MAX_PAGES:
                    raise DoesNotFitError(rest.label, f"takes more than {_MAX_PAGES} further pages")
            if not begun:
                place = replace(slot.heading, top=pen, height=need, width=body.width)
                pages[-1].pieces.append(Piece("H2", must_fit(label, place), place, slot.heading_chain))
                pen -= _HEADING_LINES * leading
                begun = True
            place = replace(body, top=pen, height=pen - bottom)
            width = body.width / size * 1000 + body.spacing
            lines = broken(rest.text, width, first=first, limit=max(1, line_room(place, size))) or []
            pages[-1].pieces.append(Piece("P", Setting(rest.text, size, lines), place, slot.chain))
            pen -= len(lines) * leading
            first = _next(rest.text, lines)
        pen -= _GAP_LINES * leading
    for number, page in enumerate(pages, start=2):
        footer = slot.footer_text.replace("{page}", str(number)).replace("{pages}", str(len(pages) + 1))
        for tag, words, place in (("P", header, slot.header), ("Artifact", footer, slot.footer)):
            if words:
                setting = must_fit(slot.chain.measure(words, place.where), place)
                page.pieces.insert(0 if tag == "P" else len(page.pieces), Piece(tag, setting, place, slot.chain))
    return pages


def page_content(page: FurtherPage, tables: Mapping[Chain, Mapping[int, str]]) -> tuple[str, list[str]]:
    """Return the operators of a further page, and the tags of its marked contents from number 1 on."""
    out = ""
    tags: list[str] = []
    for piece in page.pieces:
        if piece.tag == "Artifact":
            out += "/Artifact BMC\n"
        else:
            tags.append(piece.tag)
            out += f"/{piece.tag}<</MCID {len(tags)}>>BDC\n"
        out += operators(piece.setting, piece.frame, tables[piece.chain]) + "EMC\n"
    return out, tags
