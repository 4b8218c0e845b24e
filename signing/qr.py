"""QR codes: text to modules, and pictures back to texts. The only door to ``zxingcpp``.

A token's text is drawn in two segments, the URL as bytes and the digits as a number; in one segment it would need a
symbol several sizes larger. :func:`qr_matrix` is the fast way for batches, :func:`qr_matrix_reference` the
``qrcode`` package with the segments said aloud; both give the same version, and the same text is read from both.
"""

import io
import math
import re
from dataclasses import dataclass
from typing import Final, Literal, cast

import qrcode
import zxingcpp
from PIL import Image
from qrcode.image.svg import SvgPathImage
from qrcode.util import QRData

from signing.errors import CodeError, Fault, VerificationError

Level = Literal["L", "M", "Q", "H"]

QUIET_MODULES: Final = 4  # ISO/IEC 18004, 6.3.8: four modules of nothing on each side
MAX_IMAGE_BYTES: Final = 20 * 1024 * 1024
MAX_PIXELS: Final = 50_000_000
"""Cap on a picture that is read; a phone's 48 megapixels pass."""
_MAX_CLEAR_PIXELS: Final = 16_000_000
"""The same for a picture with transparent parts, which takes five times the memory."""
_MAX_SCANS: Final = 100
"""A progressive JPEG has about ten. Each costs a pass over all pixels, and 20 MiB hold 200,000 of them."""
_MAX_ENLARGED_PIXELS: Final = 36_000_000
_ENLARGEMENT: Final = 3

# Any of the eight data masks of ISO/IEC 18004, 7.8 can be read. Choosing the best takes 0.9 of 1.0 ms. The digits of
# a token look like noise under every mask, and fixed masks read as well: of 250 simulated photographs each at 1.9, 2.1
# and 2.4 pixels a module, 63, 78 and 96 % were read with the chosen mask, 65, 77 and 97 % with this one.
_FIXED_MASK: Final = 3
_DARK: Final = bytes(1 if value == 0 else 0 for value in range(256))
# ISO/IEC 18004, table 2: mode indicators.
_NUMERIC_MODE: Final = 1
_BYTE_MODE: Final = 4
# ITU-T T.81, B.1.1: markers that a segment with its length follows, and the end; not stuffing and restarts.
_SEGMENT: Final = re.compile(rb"\xff([\xc0-\xcf\xd9-\xfe])")
_START_OF_SCAN: Final = b"\xda"
_END_OF_IMAGE: Final = b"\xd9"
# A run of digits shorter than this costs more as a segment of its own than it saves.
_TAIL: Final = re.compile(r"[0-9]{10,}\Z")
_LEVELS: Final = {
    "L": qrcode.ERROR_CORRECT_L,
    "M": qrcode.ERROR_CORRECT_M,
    "Q": qrcode.ERROR_CORRECT_Q,
    "H": qrcode.ERROR_CORRECT_H,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class QRMatrix:
    """The modules of a symbol, without its quiet zone."""

    version: int
    """1 to 40."""
    size: int
    """Modules on a side: 17 + 4 x version."""
    modules: bytes
    """Row by row from the top left, one byte each: 1 dark, 0 light."""

    def width_mm(self, module_mm: float) -> float:
        """Return the outer width with the quiet zone."""
        return (self.size + 2 * QUIET_MODULES) * module_mm


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundCode:
    """A code that was read in a picture."""

    text: str
    """What it says."""
    version: int
    """Its version, 1 to 40; 0 if the reader did not tell."""
    corners: tuple[tuple[int, int], ...]
    """Its four corners in pixels of the given picture, from the symbol's top left, clockwise; no quiet zone."""

    @property
    def module_pixels(self) -> float:
        """Mean width of a module in pixels."""
        sides = zip(self.corners, self.corners[1:] + self.corners[:1], strict=True)
        mean = sum(math.dist(one, other) for one, other in sides) / 4
        return mean / (17 + 4 * self.version)


def qr_matrix(text: str, *, level: Level = "M") -> QRMatrix:
    """Return the modules of the smallest symbol for an ASCII text, as fast as we can.

    Raises:
        CodeError: Empty, not printable ASCII, or too long for a symbol of this level.
    """
    _check(text)
    try:
        code = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode, ec_level=level, data_mask=_FIXED_MASK)
        picture = code.to_image(scale=1, add_quiet_zones=False)
        pixels = memoryview(picture).tobytes()  # type: ignore[arg-type]  # the stubs hide that it is a buffer
    except (ValueError, RuntimeError) as error:
        raise CodeError(f"no symbol of level {level} holds a text of {len(text)} characters") from error
    return _matrix(pixels.translate(_DARK))


def qr_matrix_reference(text: str, *, level: Level = "M") -> QRMatrix:
    """Return the modules as the ``qrcode`` package makes them, with explicit segments and the best mask.

    Raises:
        CodeError: As :func:`qr_matrix`.
    """
    return _matrix(bytes(bool(module) for row in _symbol(text, level).modules for module in row))


def qr_svg(text: str, *, level: Level = "M") -> bytes:
    """Return an SVG drawing with quiet zone, one unit a module in its view box.

    Raises:
        CodeError: As :func:`qr_matrix`.
    """
    picture = io.BytesIO()
    _symbol(text, level).make_image(image_factory=SvgPathImage).save(picture)
    return picture.getvalue()


def qr_png(text: str, *, level: Level = "M", module_pixels: int = 8) -> bytes:
    """Return a black and white PNG with quiet zone.

    Raises:
        CodeError: As :func:`qr_matrix`.
    """
    symbol = _symbol(text, level)
    symbol.box_size = module_pixels
    picture = io.BytesIO()
    symbol.make_image().save(picture)
    return picture.getvalue()


def qr_terminal(text: str, *, level: Level = "M", light_on_dark: bool = True) -> str:
    """Return lines of half blocks, two modules high each, for a terminal.

    Args:
        text: What the code says.
        level: Error correction.
        light_on_dark: The terminal's letters are lighter than its ground, as most are.

    Raises:
        CodeError: As :func:`qr_matrix`.
    """
    lines = io.StringIO()
    _symbol(text, level).print_ascii(out=lines, invert=light_on_dark)
    return lines.getvalue()


def read_codes(image: bytes) -> tuple[str, ...]:
    """Return the different texts of all QR codes in a PNG or JPEG, perhaps none.

    Raises:
        VerificationError: ``too_large``: over 20 MiB or 50 megapixels (16 with clear parts), or a JPEG of more than
            100 scans. ``malformed``: no whole PNG or JPEG.
    """
    gray = _gray(image)
    return _texts(_found(gray))


def read_page_codes(gray: bytes, width: int, height: int) -> tuple[str, ...]:
    """Return the different texts of all QR codes on a page drawn in grey, one byte a pixel, perhaps none.

    Raises:
        VerificationError: ``malformed``: the size does not fit the pixels. ``too_large``.
    """
    return _texts(find_codes(gray, width, height))


def find_codes(gray: bytes, width: int, height: int) -> tuple[FoundCode, ...]:
    """Return all QR codes on a page drawn in grey, with their places.

    Raises:
        VerificationError: As :func:`read_page_codes`.
    """
    if width * height > MAX_PIXELS:
        raise VerificationError(Fault.TOO_LARGE, "a picture of this size is not read")
    if width < 1 or height < 1 or len(gray) != width * height:
        raise VerificationError(Fault.MALFORMED, "the size of the picture does not fit its pixels")
    return _found(Image.frombytes("L", (width, height), gray))


def _check(text: str) -> None:
    if not text or not text.isascii() or not text.isprintable():
        raise CodeError("a QR code of ours holds printable ASCII, at least one character")


def _matrix(modules: bytes) -> QRMatrix:
    size = math.isqrt(len(modules))
    return QRMatrix(version=(size - 17) // 4, size=size, modules=modules)


def _symbol(text: str, level: Level) -> "qrcode.QRCode":  # type: ignore[type-arg]  # generic in the stubs only
    _check(text)
    tail = _TAIL.search(text)
    split = tail.start() if tail else len(text)
    symbol = qrcode.QRCode(error_correction=_LEVELS[level], border=QUIET_MODULES)
    if split:
        symbol.add_data(QRData(text[:split].encode(), mode=_BYTE_MODE))
    if split < len(text):
        symbol.add_data(QRData(text[split:].encode(), mode=_NUMERIC_MODE))
    try:
        symbol.make(fit=True)
    except ValueError as error:
        # Too long; or, in qrcode 8.2, a block of error correction with nothing but zeros ("glog(0)"), which takes
        # hundreds of zeros in a row and so never happens to a token.
        raise CodeError(f"no symbol of level {level} for a text of {len(text)} characters: {error}") from error
    return symbol


def _gray(image: bytes) -> Image.Image:
    """Return a picture in grey, its transparent parts white."""
    if len(image) > MAX_IMAGE_BYTES:
        raise VerificationError(Fault.TOO_LARGE, "a picture file of this size is not read")
    try:
        with Image.open(io.BytesIO(image), formats=("PNG", "JPEG")) as picture:
            pixels = picture.width * picture.height
            small = pixels <= (_MAX_CLEAR_PIXELS if _is_clear(picture) else MAX_PIXELS)
            gray = _flat(picture) if small and _scans(image) <= _MAX_SCANS else None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise VerificationError(Fault.TOO_LARGE, "a picture of this size is not read") from error
    except Exception as error:  # Pillow's decoders leak whatever a damaged file provokes
        raise VerificationError(Fault.MALFORMED, "not a whole PNG or JPEG picture") from error
    if gray is None:
        raise VerificationError(Fault.TOO_LARGE, "a picture of this size is not read")
    return gray


def _scans(image: bytes) -> int:
    """Return how often a JPEG goes over its pixels; 0 for a PNG. Counting ends one past the limit."""
    scans, at = 0, 2
    while image.startswith(b"\xff\xd8") and scans <= _MAX_SCANS and (match := _SEGMENT.search(image, at)):
        if match[1] == _END_OF_IMAGE:
            break
        scans += match[1] == _START_OF_SCAN
        at = match.end() + int.from_bytes(image[match.end() : match.end() + 2])
    return scans


def _is_clear(picture: Image.Image) -> bool:
    return picture.mode in {"RGBA", "LA", "PA"} or "transparency" in picture.info


def _flat(picture: Image.Image) -> Image.Image:
    if _is_clear(picture):
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture.convert("RGBA"))
        return paper.convert("L")
    if picture.mode.startswith("I"):
        return picture.point(lambda value: value / 256).convert("L")  # 16 bits a pixel
    picture.draft("L", None)  # a JPEG is decoded to grey at once: a third of the memory
    return picture.convert("L")


def _found(picture: Image.Image) -> tuple[FoundCode, ...]:
    """Read a grey picture; if nothing is found, again three times as large, which reads half the pixels a module."""
    found = _read(picture, 1)
    if found or picture.width * picture.height * _ENLARGEMENT**2 > _MAX_ENLARGED_PIXELS:
        return found
    size = (picture.width * _ENLARGEMENT, picture.height * _ENLARGEMENT)
    return _read(picture.resize(size, Image.Resampling.BICUBIC), _ENLARGEMENT)


def _read(picture: Image.Image, scale: int) -> tuple[FoundCode, ...]:
    pixels = memoryview(picture.tobytes()).cast("B", (picture.height, picture.width))
    return tuple(
        FoundCode(
            text=code.text,
            version=int(cast("dict[str, str]", code.extra).get("Version", 0)),
            corners=tuple(
                (corner.x // scale, corner.y // scale)
                for corner in (
                    code.position.top_left,
                    code.position.top_right,
                    code.position.bottom_right,
                    code.position.bottom_left,
                )
            ),
        )
        # Model 2 is what everybody prints. The wider "QRCode" also sees Micro QR codes in the lines of a background.
        for code in zxingcpp.read_barcodes(
            pixels,
            formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCodeModel2),
            text_mode=zxingcpp.TextMode.Plain,
        )
    )


def _texts(found: tuple[FoundCode, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code.text for code in found))
