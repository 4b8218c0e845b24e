"""A finished file as pictures and text, by pdfium: for previews, the print gate and the verifier. Its only door."""

from __future__ import annotations

import io
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import pypdfium2 as pdfium

from templates.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

MAX_PIXELS: Final = 80_000_000
"""A3 at 400 dpi has 31 million."""
_POINTS_PER_INCH: Final = 72
# pdfium is not safe to call from two threads at once, not even on two documents.
_PDFIUM: Final = threading.Lock()


class RasterError(TemplateError):
    """The file cannot be drawn: damaged, encrypted, or a page far too large."""


@contextmanager
def _document(pdf: bytes) -> Iterator[pdfium.PdfDocument]:
    with _PDFIUM:
        try:
            document = pdfium.PdfDocument(pdf)
        except pdfium.PdfiumError as error:
            raise RasterError(f"the file cannot be drawn: {error}") from error
        try:
            # Without a form environment pdfium leaves out the signature field, and so the seal.
            document.init_forms()
            yield document
        except pdfium.PdfiumError as error:
            raise RasterError(f"the file cannot be drawn: {error}") from error
        finally:
            document.close()


@contextmanager
def _page(pdf: bytes, page: int) -> Iterator[pdfium.PdfPage]:
    with _document(pdf) as document:
        if not 0 <= page < len(document):
            raise RasterError(f"there is no page {page + 1}")
        opened = document[page]
        try:
            yield opened
        finally:
            opened.close()


def page_count(pdf: bytes) -> int:
    """Return the number of pages.

    Raises:
        RasterError: the file cannot be read.
    """
    with _document(pdf) as document:
        return len(document)


def _picture(pdf: bytes, dpi: float, page: int, *, grey: bool) -> Image.Image:
    with _page(pdf, page) as opened:
        width, height = opened.get_size()
        scale = dpi / _POINTS_PER_INCH
        if not 0 < width * scale * height * scale <= MAX_PIXELS:
            raise RasterError(f"page {page + 1} has no pixels, or more than {MAX_PIXELS:,}, at {dpi:g} dpi")
        bitmap = opened.render(scale=scale, grayscale=grey, may_draw_forms=True)
        # The bitmap's memory is pdfium's: copy before it goes.
        picture: Image.Image = bitmap.to_pil().convert("L" if grey else "RGB").copy()
        bitmap.close()
        return picture


def page_image(pdf: bytes, dpi: float, page: int = 0) -> tuple[int, int, bytes]:
    """Return width and height in pixels, and the grey values of the page row by row, one byte a pixel.

    Raises:
        RasterError: the page cannot be drawn.
    """
    picture = _picture(pdf, dpi, page, grey=True)
    return picture.width, picture.height, picture.tobytes()


def page_png(pdf: bytes, dpi: float, page: int = 0) -> bytes:
    """Return the page as a PNG in colour.

    Raises:
        RasterError: the page cannot be drawn.
    """
    out = io.BytesIO()
    _picture(pdf, dpi, page, grey=False).save(out, "PNG")
    return out.getvalue()


def page_text(pdf: bytes, page: int = 0) -> str:
    """Return the text of the page as pdfium extracts it.

    Raises:
        RasterError: the page cannot be read.
    """
    with _page(pdf, page) as opened:
        words = opened.get_textpage()
        try:
            return str(words.get_text_range())
        finally:
            words.close()
