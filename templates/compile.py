"""Lays out what is the same on each licence of a form, once, and freezes it as bytes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from templates import drawing as d
from templates import form as f
from templates.boxes import ImageBox, QRBox, Rect, SealBox, TextBox, ValueBox, WatermarkBox
from templates.errors import DoesNotFitError, FontMissingError, LayoutError, MissingGlyphError, TemplateError
from templates.fontobjects import font_objects
from templates.guilloche import draw_guilloche
from templates.layout import read_layout
from templates.pdfobjects import FixedPart, deflated
from templates.seal_picture import drawn_seal, own_seal
from templates.skeleton import Elements, media_box, resources, seal_appearance, write_skeleton
from templates.svg import MAX_SVG_BYTES, draw_svg
from templates.typesetting import (
    POINTS_PER_MM,
    Chain,
    FormFont,
    colour_operator,
    frame,
    must_fit,
    number,
    operators,
)
from templates.vocabulary import ASCII, common_characters
from templates.watermark import watermark_operators

if TYPE_CHECKING:
    from pathlib import Path

    from templates.boxes import Box, Continuation, Layout, TextStyle
    from templates.fonts import FontBook
    from templates.typesetting import Frame, Setting

_UNDER_SHRINK = 0.7
_UNDER_LINES = 4
_LONG_TEXT_LINES = 4  # a taller box holds sentences, not names
_MAX_RESERVE_BYTES = 64 * 1024
_TITLE_ROOM = 26.0  # mm above the text of a further page: title, then the header line
_FOOTER_ROOM = 7.0
_HEADER_POINTS = 10.0


def compile_form(  # noqa: PLR0913 -- the six things that a frozen part depends on
    folder: Path,
    *,
    fonts: FontBook,
    agency_name: str,
    seal_picture: bytes | None,
    reserve_bytes: int,
    language: str = "",
) -> f.CompiledForm:
    """Return the form in a type folder, for one agency.

    Args:
        folder: With layout.toml and the files it names.
        fonts: Where fonts are found.
        agency_name: For {agency} and the seal picture.
        seal_picture: The agency's own, PNG or SVG; None to have one drawn.
        reserve_bytes: The largest CMS that will have to fit.
        language: BCP 47; empty for the layout's.

    Raises:
        LayoutError: a file of the folder, or the agency's picture, is wrong.
        FontMissingError: a font is not there, or is another file.
        MissingGlyphError: no font has a character of the agency's name.
        DoesNotFitError: the agency's name is too long for its box.
    """
    if not 0 < reserve_bytes <= _MAX_RESERVE_BYTES:
        raise TemplateError(f"reserve_bytes must lie between 1 and {_MAX_RESERVE_BYTES}")
    layout = read_layout(folder)
    if language:
        layout = replace(layout, language=language)
    return _Compiler(folder, layout, fonts, agency_name).compiled(seal_picture, reserve_bytes)


class _Compiler:
    """Walks a layout twice: first to learn which characters the fixed fonts need, then to draw."""

    def __init__(self, folder: Path, layout: Layout, fonts: FontBook, agency_name: str) -> None:
        self.folder = folder
        self.layout = layout
        self.agency_name = agency_name
        self.height = layout.page.height
        self.drawing = d.Drawing()
        self.fonts: dict[str, FormFont] = {}
        self.chains: dict[tuple[str, ...], Chain] = {}
        self.elements = Elements(layout.page.height)
        self.image_count = 0
        for index, (name, role) in enumerate(layout.fonts.items()):
            try:
                face = fonts.face(role, folder)
            except FontMissingError:
                if not role.optional:
                    raise
                continue
            self.fonts[name] = FormFont(name, f"F{index}", f"G{index}", face)

    def compiled(self, seal_picture: bytes | None, reserve_bytes: int) -> f.CompiledForm:
        self.gather()
        for font in self.fonts.values():
            font.freeze()
        for chain in self.chains.values():
            chain.freeze()
        layout = self.layout
        seal_box = next(box for box in layout.boxes if isinstance(box, SealBox))
        seal = own_seal(seal_picture) if seal_picture is not None else self.own_drawing(seal_box)
        fixed = FixedPart(f.SIGNATURE + 2 * sum(isinstance(box, ImageBox) for box in layout.boxes))
        base_fonts = self.base_fonts(fixed)
        self.background(self.drawing, layout.page.svg)
        self.artifacts()
        slots = tuple(slot for slot in map(self.slot, layout.boxes) if slot is not None)
        continuation = self.continuation(fixed, layout.continuation) if layout.continuation else None
        static_content = fixed.add(deflated(b"", self.drawing.content().encode("ascii")))
        entries = resources(fixed, self.drawing)
        numbers = write_skeleton(
            fixed,
            page=layout.page,
            language=layout.language,
            elements=self.elements,
            seal_box=seal_box,
            seal=seal_appearance(fixed, seal),
            static_content=static_content,
        )
        first, last = fixed.reserved + 1, fixed.last
        prefix, xref = fixed.frozen()
        return f.CompiledForm(
            prefix=prefix,
            prefix_xref=xref,
            digest=hashlib.sha256(prefix).hexdigest(),
            state=hashlib.sha256(prefix),
            objects=f.FixedObjects(first=first, last=last, resources=entries, fonts=base_fonts, **numbers),
            fonts=tuple(self.fonts.values()),
            chains=tuple(self.chains.values()),
            slots=slots,
            continuation=continuation,
            page_width=layout.page.width,
            page_height=self.height,
            gap_hex_length=2 * reserve_bytes,
        )

    # First walk -------------------------------------------------------------------------------------

    def chain(self, roles: tuple[str, ...]) -> Chain:
        present = tuple(role for role in roles if role in self.fonts)
        if present not in self.chains:
            self.chains[present] = Chain(tuple(self.fonts[role] for role in present))
            self.chains[present].require(" ")
        return self.chains[present]

    def gather(self) -> None:
        """Put every character that the form itself prints, or often will, into the base fonts."""
        layout = self.layout
        for box in layout.boxes:
            match box:
                case TextBox():
                    self.static(box.where, box.text, box.style)
                case ValueBox():
                    lines = box.rect.h * POINTS_PER_MM / box.style.size
                    self.common(box.style, long=lines > _LONG_TEXT_LINES)
                    words = "".join(part.literal for part in box.parts)
                    self.static(box.where, words + box.empty, box.style)
                case WatermarkBox():
                    self.static(box.where, box.text, box.style)
                case QRBox():
                    self.static(box.where, "".join(box.under_labels) + ASCII, box.under_style)
                case _:
                    pass
        further = layout.continuation
        if further:
            labels = "".join(box.label for box in layout.boxes if isinstance(box, ValueBox))
            words = "".join(part.literal for part in further.header) + further.footer + further.mark
            self.static("layout.toml [continuation]", words + ASCII, further.style)
            self.static("layout.toml [continuation]", further.title + labels, further.title_style)
            self.common(further.style, long=True)

    def common(self, style: TextStyle, *, long: bool) -> None:
        """Require the characters that values often have."""
        layout = self.layout
        self.chain(style.fonts).require(common_characters(layout.language, long=long) + (layout.common if long else ""))

    def static(self, where: str, text: str, style: TextStyle) -> None:
        """Require the characters of words that the form prints itself."""
        chain = self.chain(style.fonts)
        for char in self.named(text).replace("\n", ""):
            try:
                chain.font_of(char).base_chars.add(char)
            except KeyError:
                if char in self.agency_name and "{agency}" in text:
                    raise MissingGlyphError("agency", char) from None
                raise LayoutError(where, f"no font of the chain has {char!r} (U+{ord(char):04X})") from None

    def named(self, text: str) -> str:
        return text.replace("{agency}", self.agency_name)

    def own_drawing(self, box: SealBox) -> d.Drawing:
        """Draw the seal with the role "seal" if the form has one, else with the title's fonts."""
        title = next(item for item in self.layout.boxes if isinstance(item, TextBox) and item.style.tag == "H1")
        first = ["seal"] if "seal" in self.fonts else [role for role in title.style.fonts if role in self.fonts]
        roles = [*first, *(role for role in self.fonts if role not in first)]
        return drawn_seal(self.agency_name, box.style, tuple(self.fonts[role].face for role in roles))

    # Second walk ------------------------------------------------------------------------------------

    def base_fonts(self, fixed: FixedPart) -> bytes:
        """Write the base fonts; return their entries of the resource dictionary."""
        entries = b""
        for font in self.fonts.values():
            if font.base_codes:
                first = fixed.last + 1
                chars = "".join(font.base_codes)
                for body in font_objects(font.face, font.postscript_name, chars, first, frozen=True):
                    fixed.add(body)
                entries += b"/%s %d 0 R" % (font.base_name.encode("ascii"), first)
        return entries

    def background(self, drawing: d.Drawing, svg: str) -> None:
        """Draw paper, fine lines and the form's own picture."""
        page = self.layout.page
        width, height = page.width * POINTS_PER_MM, page.height * POINTS_PER_MM
        drawing.add("/Artifact BMC")
        if page.colour:
            drawing.add(colour_operator(page.colour), f"0 0 {number(width)} {number(height)} re f")
        for pattern in self.layout.guilloches:
            draw_guilloche(pattern, drawing, page.height)
        if svg:
            draw_svg(svg, self.file(svg), drawing, (0, 0, width, height))
        drawing.add("EMC")

    def file(self, name: str) -> bytes:
        path = self.folder / name
        try:
            if path.is_symlink() or path.stat().st_size > MAX_SVG_BYTES:
                raise LayoutError(name, f"must be a plain file of at most {MAX_SVG_BYTES} bytes")
            return path.read_bytes()
        except OSError as error:
            raise LayoutError(name, f"cannot be read: {error.strerror}") from error

    def artifacts(self) -> None:
        """Draw fixed watermarks and the field under the QR code."""
        for box in self.layout.boxes:
            if isinstance(box, WatermarkBox) and box.text:
                chain = self.chain(box.style.fonts)
                words = chain.measure(self.named(box.text), "agency")
                state = self.drawing.state(box.opacity, box.opacity)
                self.drawing.add(watermark_operators(box, chain, self.layout.page, state, (words, chain.base_table)))
            elif isinstance(box, QRBox) and box.backing:
                k, rect, quiet = POINTS_PER_MM, box.rect, box.quiet
                corner = f"{number((rect.x - quiet) * k)} {number((self.height - rect.y - rect.h - quiet) * k)}"
                side = number((rect.w + 2 * quiet) * k)
                field = f"{colour_operator(box.backing)} {corner} {side} {side} re f"
                self.drawing.add("/Artifact BMC", field, "EMC")

    def slot(self, box: Box) -> f.Slot | None:
        """Draw a fixed box now, or return what is needed to fill it later; note its structure element."""
        match box:
            case TextBox():
                self.text(box)
                return None
            case ValueBox():
                return self.value(box)
            case ImageBox():
                return self.image(box)
            case QRBox():
                return self.qr(box)
            case SealBox():
                self.elements.seal(box.alt)
                return None
            case WatermarkBox():
                return self.watermark(box) if box.field else None

    def text(self, box: TextBox) -> None:
        chain = self.chain(box.style.fonts)
        setting, place = self.fixed_setting(box, chain)
        self.drawing.add(
            self.elements.text(box.style.tag, box.style.language) + operators(setting, place, chain.base_table) + "EMC"
        )

    def fixed_setting(self, box: TextBox, chain: Chain) -> tuple[Setting, Frame]:
        place = frame(box.where, box.rect, box.style, chain, self.height)
        words = chain.measure(self.named(box.text), box.where, box.style.spacing)
        try:
            return must_fit(words, place), place
        except DoesNotFitError as error:
            if "{agency}" in box.text:
                raise DoesNotFitError("agency", error.detail) from None
            raise LayoutError(box.where, error.detail) from None

    def value(self, box: ValueBox) -> f.ValueSlot:
        chain = self.chain(box.style.fonts)
        only = box.parts[0] if len(box.parts) == 1 else None
        return f.ValueSlot(
            frame=frame(box.field, box.rect, box.style, chain, self.height),
            chain=chain,
            parts=box.parts,
            plain_field=only.field if only and only.format == "plain" and not only.literal else "",
            empty=box.empty,
            label=box.label,
            continues=box.continues,
            open=self.elements.text(box.style.tag, box.style.language),
        )

    def image(self, box: ImageBox) -> f.ImageSlot:
        first = f.FIRST_IMAGE + 2 * self.image_count
        name = f"Im{self.image_count}"
        self.image_count += 1
        opening, figure, nothing = self.elements.photo(box.rect, box.alt, first + 1)
        return f.ImageSlot(box=box, name=name, object_number=first, open=opening, figure=figure, nothing=nothing)

    def qr(self, box: QRBox) -> f.QRSlot:
        opening = self.elements.figure(box.rect, box.alt)
        corner = (
            f"{number(box.rect.x * POINTS_PER_MM)} {number((self.height - box.rect.y - box.rect.h) * POINTS_PER_MM)}"
        )
        chain = self.chain(box.under_style.fonts)
        style = replace(
            box.under_style,
            align="center",
            valign="top",
            wrap=False,
            min_size=min(box.under_style.min_size, box.under_style.size * _UNDER_SHRINK),
        )
        step = style.size * style.line_height / POINTS_PER_MM
        left = box.rect.x + box.rect.w / 2 - box.under_width / 2
        top = box.rect.y + box.rect.h + box.quiet + box.under_gap
        lines = tuple(
            frame(
                "under_qr",
                Rect(x=left, y=top + index * step, w=box.under_width, h=style.size / POINTS_PER_MM),
                style,
                chain,
                self.height,
            )
            for index in range(_UNDER_LINES)
        )
        return f.QRSlot(
            start=f"{opening}q {colour_operator(box.colour)}\n",
            corner=corner,
            side=box.rect.w * POINTS_PER_MM,
            labels=box.under_labels,
            under=lines,
            chain=chain,
            under_open=self.elements.text(style.tag, style.language),
        )

    def watermark(self, box: WatermarkBox) -> f.WatermarkSlot:
        chain = self.chain(box.style.fonts)
        state = self.drawing.state(box.opacity, box.opacity)
        return f.WatermarkSlot(
            field=box.field, draw=partial(watermark_operators, box, chain, self.layout.page, state), chain=chain
        )

    def continuation(self, fixed: FixedPart, further: Continuation) -> f.ContinuationSlot:
        """Draw what further pages share; their states and gradients go to the first page's resources."""
        page, body = self.layout.page, further.rect
        if body.y - _TITLE_ROOM < page.trim or body.y + body.h + _FOOTER_ROOM > page.height - page.trim:
            raise LayoutError(
                "layout.toml [continuation]",
                f"leave {_TITLE_ROOM:g} mm above the text for title and header, and {_FOOTER_ROOM:g} mm below it",
            )
        drawing = d.Drawing(states=self.drawing.states, gradients=self.drawing.gradients)
        self.background(drawing, further.svg)
        title_style = replace(further.title_style, align="center", valign="middle", min_size=8.0, tag="H1")
        title = TextBox(
            where="layout.toml [continuation] title",
            rect=Rect(x=body.x, y=body.y - _TITLE_ROOM, w=body.w, h=_TITLE_ROOM - 11),
            text=further.title,
            style=title_style,
        )
        title_chain = self.chain(title_style.fonts)
        setting, place = self.fixed_setting(title, title_chain)
        drawing.add("/H1<</MCID 0>>BDC\n" + operators(setting, place, title_chain.base_table) + "EMC")
        chain = self.chain(further.style.fonts)
        small = replace(
            further.style, size=_HEADER_POINTS, min_size=5.0, align="center", valign="middle", wrap=False, spacing=0.0
        )
        body_style = replace(further.style, valign="top", min_size=further.style.size)
        heading = replace(title_style, size=further.style.size * 1.15, align="left", valign="top", wrap=False)
        return f.ContinuationSlot(
            static_content=fixed.add(deflated(b"", drawing.content().encode("ascii"))),
            header=frame("header", Rect(x=body.x, y=body.y - 10, w=body.w, h=6), small, chain, self.height),
            header_parts=further.header,
            footer=frame("footer", Rect(x=body.x, y=body.y + body.h + 1, w=body.w, h=5), small, chain, self.height),
            footer_text=further.footer,
            body=frame("continuation", body, body_style, chain, self.height),
            heading=frame("heading", body, heading, title_chain, self.height),
            mark=further.mark,
            chain=chain,
            heading_chain=title_chain,
            media_box=media_box(page),
        )
