"""The fixed objects around the content: catalogue, first page, structure tree, signature field, resources.

PDF/A-3b is ISO 19005-3; clauses of ISO 32000-1 stand at the objects.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from PIL import ImageCms

from templates import form as f
from templates.pdfobjects import deflated, names, text_string
from templates.seal_picture import Pixels
from templates.typesetting import POINTS_PER_MM, number

if TYPE_CHECKING:
    from templates.boxes import Page, Rect, SealBox
    from templates.drawing import Drawing, Gradient
    from templates.pdfobjects import FixedPart


@dataclass(kw_only=True, slots=True)
class _Element:
    body: bytes
    """Without Type, P and Pg; empty if each file writes the element itself."""
    number: int
    """Of such an element; else 0."""
    marked: int
    """Number of its marked content on the page, or -1."""
    seal: bool = False


@dataclass(slots=True)
class Elements:
    """The structure elements of the first page in reading order (ISO 32000-1, 14.7)."""

    page_height: float
    items: list[_Element] = field(default_factory=list)
    count: int = 0
    """Marked contents so far."""

    def _marked(self, tag: str, body: bytes, number: int = 0) -> str:
        self.items.append(_Element(body=body, number=number, marked=self.count))
        self.count += 1
        return f"/{tag}<</MCID {self.count - 1}>>BDC\n"

    def text(self, tag: str, language: str) -> str:
        """Add a text; return the operator that opens it."""
        if tag == "Artifact":
            return "/Artifact BMC\n"
        lang = b"/Lang" + text_string(language) if language else b""
        return self._marked(tag, b"/S/%s%s" % (tag.encode("ascii"), lang))

    def _figure(self, rect: Rect, alt: str) -> bytes:
        box = rectangle(rect, self.page_height)
        return b"/S/Figure/Alt%s/A<</O/Layout/BBox%s>>" % (text_string(alt), box)

    def figure(self, rect: Rect, alt: str) -> str:
        """Add a picture with its alternative text; return the operator that opens it."""
        return self._marked("Figure", self._figure(rect, alt))

    def photo(self, rect: Rect, alt: str, number: int) -> tuple[str, bytes, bytes]:
        """Add a picture whose element is written by each file; return opening, element with and without picture."""
        marked = self.count
        opening = self._marked("Figure", b"", number)
        return opening, self._figure(rect, alt) + b"/K %d" % marked, b"/S/NonStruct/K %d" % marked

    def seal(self, alt: str) -> None:
        """Add the signature field."""
        self.items.append(_Element(body=b"/S/Form/Alt" + text_string(alt), number=0, marked=-1, seal=True))


def rectangle(rect: Rect, page_height: float) -> bytes:
    """Return a rectangle object in points from the bottom left."""
    k = POINTS_PER_MM
    edges = (rect.x, page_height - rect.y - rect.h, rect.x + rect.w, page_height - rect.y)
    return f"[{' '.join(number(edge * k) for edge in edges)}]".encode("ascii")


def media_box(page: Page) -> bytes:
    """Return the page's size in points."""
    size = f"[0 0 {number(page.width * POINTS_PER_MM)} {number(page.height * POINTS_PER_MM)}]"
    return size.encode("ascii")


def _srgb_profile() -> bytes:
    """Return an sRGB profile; its date is fixed, so that equal forms are equal bytes."""
    data: bytes = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # ICC.1:2010, 7.2: bytes 24 to 35 are the date and time of creation.
    return data[:24] + bytes((0x07, 0xEA, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0)) + data[36:]


def _gradient(gradient: Gradient) -> bytes:
    """Return an axial shading (8.7.4.5.3) with stitched linear functions (7.10.4)."""
    stops = list(gradient.stops)
    if stops[0][0] > 0:
        stops.insert(0, (0.0, stops[0][1]))
    if stops[-1][0] < 1 or len(stops) == 1:
        stops.append((1.0, stops[-1][1]))
    pieces = [
        f"<</FunctionType 2/Domain[0 1]/N 1/C0[{_triple(before[1])}]/C1[{_triple(after[1])}]>>"
        for before, after in pairwise(stops)
    ]
    inner = " ".join(number(offset, 4) for offset, _ in stops[1:-1])
    function = (
        f"<</FunctionType 3/Domain[0 1]/Functions[{''.join(pieces)}]/Bounds[{inner}]"
        f"/Encode[{' '.join(['0 1'] * len(pieces))}]>>"
    )
    ends = " ".join(number(end, 4) for end in gradient.ends)
    return f"<</ShadingType 2/ColorSpace/DeviceRGB/Coords[{ends}]/Function{function}/Extend[true true]>>".encode(
        "ascii"
    )


def _triple(colour: tuple[float, float, float]) -> str:
    return " ".join(number(part, 4) for part in colour)


def resources(fixed: FixedPart, drawing: Drawing) -> bytes:
    """Write what a drawing names; return the entries of its resource dictionary."""
    states = {
        name: fixed.add(f"<</Type/ExtGState/ca {fill:g}/CA {stroke:g}/BM/{blend}>>".encode("ascii"))
        for (fill, stroke, blend), name in drawing.states.items()
    }
    shadings = {name: fixed.add(_gradient(gradient)) for gradient, name in drawing.gradients.items()}
    images = {name: _image(fixed, pixels) for name, pixels in drawing.images.items() if isinstance(pixels, Pixels)}
    groups = ((b"/ExtGState", states), (b"/Shading", shadings), (b"/XObject", images))
    return b"".join(key + names(entries) for key, entries in groups if entries)


def _image(fixed: FixedPart, pixels: Pixels) -> int:
    size = b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8" % (pixels.width, pixels.height)
    mask = fixed.add(deflated(size + b"/ColorSpace/DeviceGray", pixels.alpha))
    return fixed.add(deflated(size + b"/ColorSpace/DeviceRGB/SMask %d 0 R" % mask, pixels.rgb))


def seal_appearance(fixed: FixedPart, seal: Drawing) -> int:
    """Write the seal picture as a form of 100 x 100 units; return its number."""
    entries = resources(fixed, seal)
    return fixed.add(
        deflated(
            b"/Type/XObject/Subtype/Form/BBox[0 0 100 100]/Resources<<%s>>" % entries,
            seal.content().encode("ascii"),
        )
    )


def write_skeleton(  # noqa: PLR0913 -- one function writes what points at each other
    fixed: FixedPart,
    *,
    page: Page,
    language: str,
    elements: Elements,
    seal_box: SealBox,
    seal: int,
    static_content: int,
) -> dict[str, int]:
    """Write catalogue, page, field and structure; return the numbers by name."""
    catalog, first_page, widget = fixed.reserve(), fixed.reserve(), fixed.reserve()
    root, section, page_elements = fixed.reserve(), fixed.reserve(), fixed.reserve()
    widget_element = 0
    kids: list[int] = []
    by_mark: list[int] = []
    for element in elements.items:
        content = b"/K %d" % element.marked
        if element.seal:
            content = b"/K<</Type/OBJR/Obj %d 0 R/Pg %d 0 R>>" % (widget, first_page)
        body = b"<</Type/StructElem%s/P %d 0 R/Pg %d 0 R%s>>" % (element.body, section, first_page, content)
        kids.append(element.number or fixed.add(body))
        if element.seal:
            widget_element = kids[-1]
        else:
            by_mark.append(kids[-1])
    fixed.put(page_elements, b"[%s]" % _references(by_mark))
    fixed.put(
        section,
        b"<</Type/StructElem/S/Sect/P %d 0 R/K[%s]>>" % (f.DOCUMENT_ELEMENT, _references(kids)),
    )
    # 14.7.2; the next key stands far above those of further pages.
    fixed.put(
        root,
        b"<</Type/StructTreeRoot/K %d 0 R/ParentTree %d 0 R/ParentTreeNextKey 10000>>"
        % (f.DOCUMENT_ELEMENT, f.PARENT_TREE),
    )
    # 12.8.2.4, table 233: no field may be changed once this one is signed.
    lock = fixed.add(b"<</Type/SigFieldLock/Action/All>>")
    # 12.5.3: print and locked = 4 + 128.
    fixed.put(
        widget,
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(Seal)/TU%s/F 132/Rect%s/P %d 0 R/AP<</N %d 0 R>>"
        b"/V %d 0 R/StructParent 1/Lock %d 0 R>>"
        % (text_string(seal_box.alt), rectangle(seal_box.rect, page.height), first_page, seal, f.SIGNATURE, lock),
    )
    fixed.put(
        first_page,
        b"<</Type/Page/Parent %d 0 R/MediaBox%s/Resources %d 0 R/Contents[%d 0 R %d 0 R]"
        b"/Group<</S/Transparency/CS/DeviceRGB>>/StructParents 0/Tabs/S/Annots[%d 0 R]>>"
        % (f.PAGES, media_box(page), f.RESOURCES, static_content, f.CONTENT, widget),
    )
    profile = fixed.add(deflated(b"/N 3", _srgb_profile()))
    # ISO 19005-3, 6.2.3 (output intent), 6.8 (associated files).
    fixed.put(
        catalog,
        b"<</Type/Catalog/Pages %d 0 R/Lang%s/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R/Metadata %d 0 R"
        b"/OutputIntents[<</Type/OutputIntent/S/GTS_PDFA1/OutputConditionIdentifier(sRGB IEC61966-2.1)"
        b"/Info(sRGB IEC61966-2.1)/DestOutputProfile %d 0 R>>]/AcroForm<</Fields[%d 0 R]/SigFlags 3>>"
        b"/Perms<</DocMDP %d 0 R>>/AF[%d 0 R]/Names<</EmbeddedFiles<</Names[(record) %d 0 R]>>>>"
        b"/ViewerPreferences<</DisplayDocTitle true>>>>"
        % (
            f.PAGES,
            text_string(language),
            root,
            f.METADATA,
            profile,
            widget,
            f.SIGNATURE,
            f.FILE_SPECIFICATION,
            f.FILE_SPECIFICATION,
        ),
    )
    return {
        "catalog": catalog,
        "first_page": first_page,
        "section": section,
        "page_elements": page_elements,
        "widget_element": widget_element,
        "structure_root": root,
    }


def _references(numbers: list[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)
