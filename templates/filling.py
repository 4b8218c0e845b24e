"""Sets the values of one licence in the boxes of its form, and finds which characters its own fonts need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from templates import form as f
from templates.continuation import further_pages, page_content, split
from templates.errors import DoesNotFitError, ValueFormatError
from templates.formats import filled, formatted
from templates.qrpath import qr_path
from templates.typesetting import Setting, collapsed, fitted, must_fit, number, operators

if TYPE_CHECKING:
    from collections.abc import Mapping

    from templates.continuation import FurtherPage, Overflow, Piece
    from templates.formats import Part
    from templates.photos import Photo
    from templates.typesetting import Chain, FormFont

_WITHHELD = "***"
# ISO/IEC 18004: versions 1 to 40 have 21 to 177 modules on a side.
_QR_SIDES = range(21, 178)


class Filling:
    """The words of one licence, set; then its codes, fonts and operators."""

    __slots__ = ("chars", "content", "form", "pages", "pieces", "second", "settings", "tables", "under")

    def __init__(self, form: f.CompiledForm, content: f.FormContent) -> None:
        """Set all values.

        Raises:
            TemplateError: a value is missing, unreadable, too long, or has a character that no font has.
        """
        self.form = form
        self.content = content
        self.chars: dict[Chain, set[str]] = {chain: set() for chain in form.chains}
        self.settings: dict[int, Setting] = {}
        self.pieces: dict[int, Piece] = {}
        self.under: list[Setting] = []
        rests: list[Overflow] = []
        for index, slot in enumerate(form.slots):
            if isinstance(slot, f.ValueSlot):
                self._set_value(index, slot, rests)
            elif isinstance(slot, f.QRSlot):
                self._set_under(slot)
            elif isinstance(slot, f.WatermarkSlot):
                self._set_watermark(index, slot)
        self.pages = self._further(rests) if rests else []
        self.second, self.tables = self._codes()

    # Words ------------------------------------------------------------------------------------------

    def _shown(self, parts: tuple[Part, ...], empty: str = "") -> str:
        """Return a pattern with its values; where one is withheld stands a mark in its place."""
        withheld, values = self.content.withheld, self.content.values
        if not withheld or not any(part.field in withheld for part in parts):
            return filled(parts, values, empty=empty)
        if all(part.field in withheld for part in parts if part.field):
            return _WITHHELD
        return "".join(
            part.literal
            + (_WITHHELD if part.field in withheld else formatted(part.format, part.field, values.get(part.field)))
            for part in parts
        )

    def _words(self, slot: f.ValueSlot) -> str:
        field = slot.plain_field
        text = self.content.values.get(field) if field else None
        if not (isinstance(text, str) and text):
            text = self._shown(slot.parts, slot.empty)
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def _set_value(self, index: int, slot: f.ValueSlot, rests: list[Overflow]) -> None:
        text = self._words(slot)
        if not text:
            return
        box, chain = slot.frame, slot.chain
        words = chain.measure(text, box.where, box.style.spacing)
        self.chars[chain].update(text)
        setting = fitted(words, box)
        if setting is None and text == _WITHHELD and self.content.withheld:
            return  # the box is made for a single character: it stays empty
        if setting is None:
            further = self.form.continuation
            if not slot.continues or further is None:
                setting = must_fit(words, box)
            else:
                setting, self.pieces[index], rest = split(slot, words, further)
                rests.append(rest)
        self.settings[index] = setting

    def _set_under(self, slot: f.QRSlot) -> None:
        lines = self.content.under_qr
        if len(lines) > len(slot.under):
            raise DoesNotFitError("under_qr", f"at most {len(slot.under)} lines")
        labels = slot.labels + ("",) * len(lines)
        for label, line, box in zip(labels, lines, slot.under, strict=False):
            words = slot.chain.measure(label + line, "under_qr", box.style.spacing)
            self.chars[slot.chain].update(words.text)
            self.under.append(must_fit(words, box))
        # The lines belong together: all as small as the longest needs.
        least = min((setting.size for setting in self.under), default=0.0)
        self.under = [setting._replace(size=least) for setting in self.under]

    def _set_watermark(self, index: int, slot: f.WatermarkSlot) -> None:
        text = self.content.values.get(slot.field)
        if text is None or text == "":
            return
        if not isinstance(text, str):
            raise ValueFormatError(slot.field, "a text is expected")
        self.settings[index] = Setting(slot.chain.measure(text, slot.field), 0.0, [])
        self.chars[slot.chain].update(text)

    def _further(self, rests: list[Overflow]) -> list[FurtherPage]:
        slot = self.form.continuation
        if slot is None:
            return []
        header = self._shown(slot.header_parts) if slot.header_parts else ""
        again = [
            rest._replace(text=slot.chain.measure(rest.text.text, rest.field, slot.body.style.spacing))
            for rest in rests
        ]
        pages = further_pages(slot, again, header)
        pieces = [piece for page in pages for piece in page.pieces]
        for piece in (*pieces, *self.pieces.values()):
            self.chars[piece.chain].update(piece.setting.text.text)
        return pages

    # Codes ------------------------------------------------------------------------------------------

    def _codes(self) -> tuple[dict[FormFont, str], dict[Chain, dict[int, str]]]:
        """Return the characters of each second font, in the order of their codes, and each chain's table."""
        missing = {chain: chars - chain.base_set for chain, chars in self.chars.items() if chars}
        wanted: dict[FormFont, set[str]] = {}
        for chain, chars in missing.items():
            fonts = chain.advances.fonts_by_char
            for char in chars:
                wanted.setdefault(fonts[char], set()).add(char)
        second = {font: "".join(sorted(wanted[font])) for font in self.form.fonts if font in wanted}
        codes = {font: {char: code for code, char in enumerate(chars, start=1)} for font, chars in second.items()}
        tables = {chain: chain.table(codes, chars) for chain, chars in missing.items()}
        return second, tables

    def companions(self) -> dict[str, list[str]]:
        """Return, for each primary font, the names of the fonts to which its chains may switch."""
        found: dict[str, list[str]] = {}
        for chain in self.tables:
            names = found.setdefault(chain.primary.base_name, [])
            for font in chain.fonts:
                if font in self.second and font.second_name not in names:
                    names.append(font.second_name)
                if font is not chain.primary and font.base_codes and font.base_name not in names:
                    names.append(font.base_name)
        return found

    # Operators --------------------------------------------------------------------------------------

    def first_page(self, photos: Mapping[str, Photo]) -> str:
        """Return the operators of the first page; `photos` by resource name."""
        out: list[str] = []
        for index, slot in enumerate(self.form.slots):
            setting = self.settings.get(index)
            if isinstance(slot, f.ValueSlot):
                if setting is None:
                    out.append(slot.open + "EMC\n")
                    continue
                out.append(slot.open + operators(setting, slot.frame, self.tables[slot.chain]) + "EMC\n")
                mark = self.pieces.get(index)
                if mark:
                    words = operators(mark.setting, mark.frame, self.tables[mark.chain])
                    out.append(f"/Artifact BMC\n{words}EMC\n")
            elif isinstance(slot, f.QRSlot):
                out.append(self._qr(slot))
            elif isinstance(slot, f.ImageSlot):
                picture = photos.get(slot.name)
                if picture:
                    x, y, w, h = picture.place
                    out.append(f"{slot.open}q {w:.3f} 0 0 {h:.3f} {x:.3f} {y:.3f} cm/{slot.name} Do Q\nEMC\n")
                else:
                    out.append(slot.open + "EMC\n")
            elif setting is not None:
                out.append(slot.draw((setting.text, self.tables[slot.chain])))
        return collapsed("".join(out), self.companions())

    def _qr(self, slot: f.QRSlot) -> str:
        size, modules = self.content.qr
        if size not in _QR_SIDES:
            raise ValueFormatError("qr", f"{size} modules on a side are no QR code")
        try:
            path = qr_path(size, modules)
        except ValueError as error:
            raise ValueFormatError("qr", str(error)) from error
        scale = number(slot.side / size, 5)
        lines = "".join(
            operators(setting, box, self.tables[slot.chain])
            for setting, box in zip(self.under, slot.under, strict=False)
        )
        return f"{slot.start}{scale} 0 0 {scale} {slot.corner} cm\n{path}f Q\nEMC\n{slot.under_open}{lines}EMC\n"

    def further_page(self, page: FurtherPage) -> tuple[str, list[str]]:
        """Return the operators of a further page, and the tags of its marked contents from number 1 on."""
        content, tags = page_content(page, self.tables)
        return collapsed(content, self.companions()), tags
