"""Writes one licence: the frozen part of its form and, in the same revision, all that is the licence's own.

Nothing is patched afterwards: sizes are known before the file is hashed, and the gap for the signature is the
only thing left open.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isal import isal_zlib

from templates import copymark
from templates import form as f
from templates.errors import ValueFormatError
from templates.filling import Filling
from templates.fontobjects import font_objects
from templates.form import CompiledForm, FormContent, UnsealedPdf
from templates.metadata import attachment, metadata, signature_start, utc
from templates.pdfobjects import stream
from templates.photos import photo

if TYPE_CHECKING:
    from templates.photos import Photo

__all__ = ["CompiledForm", "FormContent", "UnsealedPdf", "write_form"]

_ISAL_LEVEL = 1
# Four numbers of up to ten digits, the blanks between them and the brackets.
_RANGE_WIDTH = 45
# Keys of the parent tree: the first page, the signature field, then the further pages.
_FIRST_FURTHER_KEY = 2
_MARK = f"/Artifact BMC\n/{copymark.NAME} Do\nEMC\n"


def write_form(form: CompiledForm, content: FormContent) -> UnsealedPdf:
    """Return the file of one licence around the gap for its seal.

    Equal forms and contents give equal bytes.

    Raises:
        MissingGlyphError: no font of a box has a character.
        DoesNotFitError: a value is too long for its box.
        ValueFormatError: a value is missing or of the wrong kind, or the content is not well formed.
    """
    moment = utc(content)
    filling = Filling(form, content)
    photos = _photos(form, content)
    own: dict[int, bytes] = {}
    extra = _Extra(form.objects.last)
    mark = _MARK if content.mark else ""
    own[f.CONTENT] = _packed(filling.first_page(photos) + mark)
    own[f.METADATA], own[f.INFO] = metadata(content, moment)
    own[f.EMBEDDED_FILE], own[f.FILE_SPECIFICATION] = attachment(content, moment)
    fonts = b""
    for font, chars in filling.second.items():
        number = extra.next
        extra.add(*font_objects(font.face, font.postscript_name + "Own", chars, number, frozen=False))
        fonts += b"/%s %d 0 R" % (font.second_name.encode("ascii"), number)
    pictures = _images(form, photos, own)
    if content.mark:
        width, height = form.page_width, form.page_height
        extra.add(*copymark.mark_objects(content.mark, width=width, height=height, first=extra.next))
        pictures += b"/%s %d 0 R" % (copymark.NAME.encode("ascii"), extra.next - 1)
    _pages(form, filling, own, extra, mark)
    pictures = b"/XObject<<%s>>" % pictures if pictures else b""
    own[f.RESOURCES] = b"<<%s/Font<<%s%s>>%s>>" % (form.objects.resources, form.objects.fonts, fonts, pictures)
    return _joined(form, own, extra.bodies, signature_start(content, moment, form.objects.catalog))


class _Extra:
    """Objects with numbers above those of the frozen part."""

    def __init__(self, last: int) -> None:
        self.next = last + 1
        self.bodies: list[bytes] = []

    def add(self, *bodies: bytes) -> int:
        """Append objects; return the number of the first."""
        first = self.next
        self.bodies.extend(bodies)
        self.next += len(bodies)
        return first


def _packed(content: str) -> bytes:
    return stream(b"/Filter/FlateDecode", isal_zlib.compress(content.encode("ascii"), _ISAL_LEVEL))


def _photos(form: CompiledForm, content: FormContent) -> dict[str, Photo]:
    """Return the pictures by resource name.

    Raises:
        ValueFormatError: a required one is missing, or one cannot be read.
    """
    photos: dict[str, Photo] = {}
    for slot in form.slots:
        if not isinstance(slot, f.ImageSlot):
            continue
        data = content.values.get(slot.box.field)
        if data is None or data == b"":
            if slot.box.required and content.mark is None:
                raise ValueFormatError(slot.box.field, "a picture is required")
            continue
        if not isinstance(data, bytes):
            raise ValueFormatError(slot.box.field, "a picture is expected")
        photos[slot.name] = photo(data, slot.box, form.page_height)
    return photos


def _images(form: CompiledForm, photos: dict[str, Photo], own: dict[int, bytes]) -> bytes:
    """Write pictures and their structure elements; return their entries for the resource dictionary."""
    entries = b""
    for slot in form.slots:
        if not isinstance(slot, f.ImageSlot):
            continue
        picture = photos.get(slot.name)
        own[slot.object_number] = b"null"
        if picture:
            own[slot.object_number] = stream(
                b"/Type/XObject/Subtype/Image/Width %d/Height %d/ColorSpace/DeviceRGB/BitsPerComponent 8"
                b"/Filter/DCTDecode" % (picture.width, picture.height),
                picture.jpeg,
            )
            entries += b"/%s %d 0 R" % (slot.name.encode("ascii"), slot.object_number)
        own[slot.object_number + 1] = b"<</Type/StructElem%s/P %d 0 R/Pg %d 0 R>>" % (
            slot.figure if picture else slot.nothing,
            form.objects.section,
            form.objects.first_page,
        )
    return entries


def _pages(form: CompiledForm, filling: Filling, own: dict[int, bytes], extra: _Extra, mark: str) -> None:
    """Write page tree, further pages, and the roots of the structure (ISO 32000-1, 7.7.3 and 14.7).

    `mark` ends the operators of each further page.
    """
    fixed = form.objects
    pages = [fixed.first_page]
    sections = [fixed.section]
    parents = b"0 %d 0 R 1 %d 0 R" % (fixed.page_elements, fixed.widget_element)
    slot = form.continuation
    for key, page in enumerate(filling.pages if slot else [], start=_FIRST_FURTHER_KEY):
        if slot is None:
            break
        content, tags = filling.further_page(page)
        stream_number = extra.add(_packed(content + mark))
        page_number = extra.next
        section = page_number + 1
        elements = [section + 1 + mark for mark in range(len(tags) + 1)]
        references = b" ".join(b"%d 0 R" % number for number in elements)
        extra.add(
            b"<</Type/Page/Parent %d 0 R/MediaBox%s/Resources %d 0 R/Contents[%d 0 R %d 0 R]"
            b"/Group<</S/Transparency/CS/DeviceRGB>>/StructParents %d/Tabs/S>>"
            % (f.PAGES, slot.media_box, f.RESOURCES, slot.static_content, stream_number, key),
            b"<</Type/StructElem/S/Sect/P %d 0 R/K[%s]>>" % (f.DOCUMENT_ELEMENT, references),
            *(
                b"<</Type/StructElem/S/%s/P %d 0 R/Pg %d 0 R/K %d>>" % (tag.encode("ascii"), section, page_number, mark)
                for mark, tag in enumerate(["H1", *tags])
            ),
        )
        pages.append(page_number)
        sections.append(section)
        parents += b" %d[%s]" % (key, references)
    own[f.PAGES] = b"<</Type/Pages/Kids[%s]/Count %d>>" % (_references(pages), len(pages))
    own[f.DOCUMENT_ELEMENT] = b"<</Type/StructElem/S/Document/P %d 0 R/K[%s]>>" % (
        fixed.structure_root,
        _references(sections),
    )
    own[f.PARENT_TREE] = b"<</Nums[%s]>>" % parents


def _references(numbers: list[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


def _joined(form: CompiledForm, own: dict[int, bytes], extra: list[bytes], signature: bytes) -> UnsealedPdf:
    """Return the file: frozen part, objects, signature, cross-reference table, trailer."""
    prefix = form.prefix
    position = len(prefix)
    offsets: dict[int, int] = {}
    parts: list[bytes] = []
    first_extra = form.objects.last + 1
    for number, body in (*own.items(), *enumerate(extra, start=first_extra)):
        whole = b"%d 0 obj\n%s\nendobj\n" % (number, body)
        offsets[number] = position
        parts.append(whole)
        position += len(whole)
    offsets[f.SIGNATURE] = position
    parts.append(b"%d 0 obj\n%s/ByteRange" % (f.SIGNATURE, signature))
    range_at = position + len(parts[-1])
    gap_at = range_at + _RANGE_WIDTH + len(b"/Contents")
    after = gap_at + form.gap_hex_length + 2
    closing = b">>\nendobj\n"
    table_at = after + len(closing)
    entries = b"%010d 00000 n \n"
    low = b"".join([entries % offsets[number] for number in range(1, form.objects.first)])
    high = b"".join([entries % offsets[number] for number in range(first_extra, first_extra + len(extra))])
    size = first_extra + len(extra)
    body = b"".join(parts)
    state = form.state.copy()
    state.update(body)
    # The identifier of the file (14.4) follows from all that it says.
    identity = state.digest()[:16].hex().encode("ascii")
    end = b"%sxref\n0 %d\n0000000000 65535 f \n%s%s%strailer\n<</Size %d/Root %d 0 R/Info %d 0 R/ID[<%s><%s>]>>\n" % (
        closing, size, low, form.prefix_xref, high, size, form.objects.catalog, f.INFO, identity, identity,
    )  # fmt: skip
    end += b"startxref\n%d\n%%%%EOF\n" % table_at
    covered = (b"[0 %d %d %d" % (gap_at, after, len(end))).ljust(_RANGE_WIDTH - 1) + b"]/Contents"
    state.update(covered)
    state.update(end)
    return UnsealedPdf(
        head=b"".join((prefix, body, covered, b"<")),
        tail=b">" + end,
        gap_hex_length=form.gap_hex_length,
        digest=state.digest(),
    )
