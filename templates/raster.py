"""A finished file as pictures and text, by pdfium: for previews, the print gate and the verifier. Its only door."""

from __future__ import annotations

import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pypdfium2 as pdfium

from templates.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PIXELS: Final = 80_000_000
"""A3 at 400 dpi has 31 million."""
_POINTS_PER_INCH: Final = 72


class RasterError(TemplateError):
    """The file cannot be drawn: damaged, encrypted, or a page far too large."""


@contextmanager
def _document(pdf: bytes) -> Iterator[pdfium.PdfDocument]:
    try:
        document = pdfium.PdfDocument(pdf)
    except pdfium.PdfiumError as error:
        raise RasterError(f"the file cannot be drawn: {error}") from error
    try:
        yield document
    finally:
        document.close()


def page_count(pdf: bytes) -> int:
    """Number of pages.

    Raises:
        RasterError: the file cannot be read.
    """
    with _document(pdf) as document:
        return len(document)


def _bitmap(document: pdfium.PdfDocument, dpi: float, page: int, *, grey: bool) -> pdfium.PdfBitmap:
    try:
        opened = document[page]
        width, height = opened.get_size()
        scale = dpi / _POINTS_PER_INCH
        if width * scale * height * scale > MAX_PIXELS:
            raise RasterError(f"page {page + 1} has more than {MAX_PIXELS:,} pixels at {dpi} dpi")
        return opened.render(scale=scale, grayscale=grey, may_draw_forms=True)
    except (pdfium.PdfiumError, IndexError) as error:
        raise RasterError(f"page {page + 1} cannot be drawn: {error}") from error


def page_image(pdf: bytes, dpi: float, page: int = 0) -> tuple[int, int, bytes]:
    """Width and height in pixels, and the grey values of the page row by row, one byte a pixel.

    Raises:
        RasterError: the page cannot be drawn.
    """
    with _document(pdf) as document:
        picture = _bitmap(document, dpi, page, grey=True).to_pil().convert("L")
        return picture.width, picture.height, picture.tobytes()


def page_png(pdf: bytes, dpi: float, page: int = 0) -> bytes:
    """The page as a PNG in colour.

    Raises:
        RasterError: the page cannot be drawn.
    """
    with _document(pdf) as document:
        out = io.BytesIO()
        _bitmap(document, dpi, page, grey=False).to_pil().convert("RGB").save(out, "PNG")
        return out.getvalue()


def page_text(pdf: bytes, page: int = 0) -> str:
    """The text of the page as pdfium extracts it.

    Raises:
        RasterError: the page cannot be read.
    """
    with _document(pdf) as document:
        try:
            return str(document[page].get_textpage().get_text_range())
        except (pdfium.PdfiumError, IndexError) as error:
            raise RasterError(f"page {page + 1} cannot be read: {error}") from error
