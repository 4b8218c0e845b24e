"""Simulated scans and photographs of a printed QR code, with Pillow: rotation, tilt, blur, noise, light, JPEG, dirt."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from signing.qr import QUIET_MODULES

if TYPE_CHECKING:
    import random

    from signing.qr import QRMatrix

MM_PER_INCH = 25.4
PRINT_PIXELS = 8
"""Pixels a module of the print that is photographed."""
OVERSAMPLING = 3
FINDER_MODULES = 8
"""ISO/IEC 18004, 6.3.3: a finder pattern with its separator."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Condition:
    """How a picture is taken."""

    name: str
    turn_degrees: float
    """Turned by up to so much either way."""
    tilt: float
    """The far edge is up to so much shorter than the near one."""
    blur_pixels: tuple[float, float]
    """Radius of the blur, from and to, in pixels of the picture."""
    noise: float
    """Standard deviation, of 255."""
    light: float
    """Brightness falls by up to so much across the picture."""
    jpeg: int | None
    """Quality, or None for a lossless picture."""


FLATBED = Condition(
    name="flatbed", turn_degrees=3, tilt=0.0, blur_pixels=(0.2, 0.4), noise=3, light=0.03, jpeg=None
)  # fmt: skip
PHONE = Condition(
    name="phone", turn_degrees=180, tilt=0.12, blur_pixels=(0.4, 0.8), noise=7, light=0.35, jpeg=80
)  # fmt: skip
POOR = Condition(
    name="poor", turn_degrees=180, tilt=0.25, blur_pixels=(0.9, 1.3), noise=10, light=0.5, jpeg=60
)  # fmt: skip


def printed(matrix: QRMatrix) -> Image.Image:
    """The symbol on white paper, with its quiet zone and as much again."""
    side = matrix.size + 4 * QUIET_MODULES
    paper = Image.new("L", (side, side), 255)
    modules = Image.frombytes("L", (matrix.size, matrix.size), bytes(0 if each else 255 for each in matrix.modules))
    paper.paste(modules, (2 * QUIET_MODULES, 2 * QUIET_MODULES))
    return paper.resize((side * PRINT_PIXELS, side * PRINT_PIXELS), Image.Resampling.NEAREST)


def dirty(paper: Image.Image, matrix: QRMatrix, share: float, chance: random.Random) -> Image.Image:
    """Stains over `share` of the symbol's area outside its finder patterns; half of them dark, half light."""
    stained = paper.copy()
    draw, cover = ImageDraw.Draw(stained), Image.new("L", paper.size)
    marks = ImageDraw.Draw(cover)
    first = 2 * QUIET_MODULES * PRINT_PIXELS
    side = matrix.size * PRINT_PIXELS
    wanted, finder = share * (side * side), FINDER_MODULES * PRINT_PIXELS
    while cover.histogram()[-1] < wanted:
        radius = chance.uniform(0.8, 2.5) * PRINT_PIXELS
        x, y = (chance.uniform(radius, side - radius) for _ in range(2))
        keep = finder + radius
        if (x < keep and (y < keep or y > side - keep)) or (x > side - keep and y < keep):
            continue
        box = (first + x - radius, first + y - radius, first + x + radius, first + y + radius)
        draw.ellipse(box, fill=chance.choice((25, 245)))
        marks.ellipse(box, fill=255)
    return stained


def taken(paper: Image.Image, condition: Condition, *, module_pixels: float, chance: random.Random) -> Image.Image:
    """A grey picture of the print with so many pixels a module."""
    scale = PRINT_PIXELS / module_pixels / OVERSAMPLING
    side = math.ceil(math.hypot(*paper.size) / scale * (1 + condition.tilt))
    turn = math.radians(chance.uniform(-condition.turn_degrees, condition.turn_degrees))
    tilt, way = chance.uniform(0, condition.tilt), chance.uniform(0, 2 * math.pi)
    picture = paper.transform(
        (side, side), Image.Transform.PERSPECTIVE, _seen(paper.width / 2, side / 2, scale, turn, tilt, way),
        Image.Resampling.BILINEAR, fillcolor=255,
    )  # fmt: skip
    picture = picture.resize((side // OVERSAMPLING, side // OVERSAMPLING), Image.Resampling.BOX)
    picture = picture.point(lambda value: 30 + value * 190 // 255)  # ink is not black, paper not white
    picture = ImageChops.multiply(picture, _light(picture.size, chance.uniform(0, condition.light), chance))
    picture = picture.filter(ImageFilter.GaussianBlur(chance.uniform(*condition.blur_pixels)))
    noise = Image.effect_noise(picture.size, condition.noise)
    picture = ImageChops.add(picture, noise, 1, -128)
    if condition.jpeg is None:
        return picture
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=condition.jpeg)
    return Image.open(io.BytesIO(file.getvalue())).convert("L")


def _seen(  # noqa: PLR0913, PLR0917  # the pose of a camera
    centre: float, middle: float, scale: float, turn: float, tilt: float, way: float
) -> tuple[float, ...]:
    """Pillow's eight coefficients, from a picture's point to the paper's: turned, scaled, and further off one way."""
    cos, sin = scale * math.cos(turn), scale * math.sin(turn)
    g, h = tilt * math.cos(way) / (2 * middle), tilt * math.sin(way) / (2 * middle)
    at_origin = 1 - g * middle - h * middle
    rows = ((cos, -sin), (sin, cos))
    coefficients: list[float] = []
    for one, other in rows:
        constant = -(one + other) * middle + centre * at_origin
        coefficients += [one + centre * g, other + centre * h, constant]
    return tuple(each / at_origin for each in (*coefficients, g, h))


def _light(size: tuple[int, int], fall: float, chance: random.Random) -> Image.Image:
    ramp = Image.linear_gradient("L").point(lambda value: 255 - fall * value)
    return ramp.rotate(chance.choice((0, 90, 180, 270))).resize(size, Image.Resampling.BILINEAR)
