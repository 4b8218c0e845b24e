"""Portrait photographs: read with care, cut, made smaller, stored again as a plain JPEG without metadata."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageOps, UnidentifiedImageError

from templates.errors import ValueFormatError
from templates.typesetting import POINTS_PER_MM

if TYPE_CHECKING:
    from templates.boxes import ImageBox

MAX_PHOTO_BYTES = 10 * 1024 * 1024
_MAX_PIXELS = 40_000_000
_MM_PER_INCH = 25.4
_QUALITY = 88


class Photo(NamedTuple):
    """A picture ready for the page."""

    jpeg: bytes
    width: int
    height: int
    place: tuple[float, float, float, float]
    """x, y, width, height in points, y upwards."""


def photo(data: bytes, box: ImageBox, page_height: float) -> Photo:
    """Return the picture for a box; `page_height` is in mm.

    Raises:
        ValueFormatError: too large, damaged, or neither PNG nor JPEG.
    """
    if len(data) > MAX_PHOTO_BYTES:
        raise ValueFormatError(box.field, f"the picture is larger than {MAX_PHOTO_BYTES} bytes")
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                raise ValueFormatError(box.field, f"the picture has more than {_MAX_PIXELS} pixels")
            opened.draft("RGB", (_pixels(box.rect.w, box) * 2, _pixels(box.rect.h, box) * 2))
            upright = ImageOps.exif_transpose(opened)
            image = _opaque(upright)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueFormatError(box.field, "is no PNG or JPEG that can be read") from error
    rect = box.rect
    x, y, w, h = rect.x, rect.y, rect.w, rect.h
    if box.fit == "cover":
        image = ImageOps.fit(image, _size(image, w / h, box), Image.Resampling.LANCZOS, centering=(0.5, 0.4))
    else:
        ratio = image.width / image.height
        w, h = (w, w / ratio) if ratio > w / h else (h * ratio, h)
        x, y = x + (rect.w - w) / 2, y + (rect.h - h) / 2
        image.thumbnail((_pixels(w, box), _pixels(h, box)), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY, optimize=True)
    k = POINTS_PER_MM
    return Photo(out.getvalue(), image.width, image.height, (x * k, (page_height - y - h) * k, w * k, h * k))


def _pixels(length: float, box: ImageBox) -> int:
    return max(1, round(length / _MM_PER_INCH * box.dpi))


def _size(image: Image.Image, ratio: float, box: ImageBox) -> tuple[int, int]:
    """Return the size to store: that of the part shown, at most `dpi`."""
    width = min(image.width, round(image.height * ratio), _pixels(box.rect.w, box))
    return max(1, width), max(1, round(width / ratio))


def _opaque(image: Image.Image) -> Image.Image:
    if "A" in image.getbands() or "transparency" in image.info:
        layers = image.convert("RGBA")
        paper = Image.new("RGBA", layers.size, "white")
        return Image.alpha_composite(paper, layers).convert("RGB")
    return image.convert("RGB")
