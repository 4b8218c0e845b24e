"""Drawn portraits for the invented practitioners: nobody's face."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageDraw, ImageFilter

if TYPE_CHECKING:
    from random import Random

WIDTH, HEIGHT = 295, 413
"""Pixels of the usual one-inch portrait, 25 x 35 mm at 300 dpi."""
_SCALE: Final = 4
_SKIN: Final = ("#f3d3b8", "#ecc4a3", "#e2b48e", "#f0cbb0", "#d9a983")
_HAIR: Final = ("#1d1a1a", "#2a211d", "#3a2a22", "#241f24")
_GREY: Final = ("#6f6b69", "#8d8985")
_COATS: Final = ("#f7f8f8", "#eef3f5", "#f4f1ea")
_SHIRTS: Final = ("#4d6f8f", "#7a4b4b", "#4f6b57", "#59537a", "#8a6d3f", "#2f4858")
_WALLS: Final = ("#b9d3e6", "#c8dbe8", "#cfe0ea")


def portrait_png(rng: Random, *, woman: bool, age: int) -> bytes:
    """A head-and-shoulders portrait before a light wall, as a PNG."""
    image = Image.new("RGB", (WIDTH * _SCALE, HEIGHT * _SCALE), rng.choice(_WALLS))
    draw = ImageDraw.Draw(image)
    skin = rng.choice(_SKIN)
    hair = rng.choice(_GREY if age > 55 else _HAIR)
    middle = WIDTH * _SCALE // 2
    wide = rng.randrange(60, 68) * _SCALE
    top, chin = 92 * _SCALE, 262 * _SCALE
    if woman:
        _long_hair(draw, rng, middle, wide, top, hair)
    _shoulders(draw, rng, middle, skin)
    draw.ellipse(
        (middle - wide - 9 * _SCALE, 168 * _SCALE, middle - wide + 12 * _SCALE, 208 * _SCALE), fill=_darker(skin, 0.94)
    )
    draw.ellipse(
        (middle + wide - 12 * _SCALE, 168 * _SCALE, middle + wide + 9 * _SCALE, 208 * _SCALE), fill=_darker(skin, 0.94)
    )
    draw.ellipse((middle - wide, top, middle + wide, chin), fill=skin)
    _fringe(draw, rng, middle, wide, top, hair, woman=woman)
    _face(draw, rng, middle, wide, skin, hair)
    soft = image.filter(ImageFilter.GaussianBlur(1.2 * _SCALE / 4)).resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    out = BytesIO()
    soft.save(out, "PNG", optimize=True)
    return out.getvalue()


def _darker(colour: str, by: float) -> str:
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{int(part * by):02x}" for part in parts)


def _long_hair(draw: ImageDraw.ImageDraw, rng: Random, middle: int, wide: int, top: int, hair: str) -> None:
    if rng.random() < 0.5:
        side, end = wide + 18 * _SCALE, rng.randrange(300, 345) * _SCALE
        draw.rounded_rectangle((middle - side, top + 34 * _SCALE, middle + side, end), 46 * _SCALE, fill=hair)
    else:
        size = 30 * _SCALE
        draw.ellipse((middle - size, top - 46 * _SCALE, middle + size, top + 14 * _SCALE), fill=hair)


def _shoulders(draw: ImageDraw.ImageDraw, rng: Random, middle: int, skin: str) -> None:
    coat, shirt = rng.choice(_COATS), rng.choice(_SHIRTS)
    bottom = HEIGHT * _SCALE
    draw.rounded_rectangle(
        (middle - 122 * _SCALE, 306 * _SCALE, middle + 122 * _SCALE, bottom + 200), 62 * _SCALE, fill=coat
    )
    draw.rectangle((middle - 27 * _SCALE, 240 * _SCALE, middle + 27 * _SCALE, 318 * _SCALE), fill=_darker(skin, 0.9))
    draw.polygon(
        [(middle - 46 * _SCALE, 305 * _SCALE), (middle + 46 * _SCALE, 305 * _SCALE), (middle, bottom)], fill=shirt
    )
    draw.polygon(
        [(middle - 29 * _SCALE, 304 * _SCALE), (middle + 29 * _SCALE, 304 * _SCALE), (middle, 346 * _SCALE)],
        fill=_darker(skin, 0.93),
    )
    for side in (-1, 1):
        lapel = [(46, 302), (30, 300), (3, 400), (10, 425), (62, 372), (50, 352), (64, 340)]
        draw.polygon([(middle + side * x * _SCALE, y * _SCALE) for x, y in lapel], fill=_darker(coat, 0.95))


def _fringe(
    draw: ImageDraw.ImageDraw, rng: Random, middle: int, wide: int, top: int, hair: str, *, woman: bool
) -> None:
    out = 8 * _SCALE
    box = (middle - wide - out, top - 22 * _SCALE, middle + wide + out, top + 150 * _SCALE)
    parting = rng.randrange(-30, 31) * _SCALE
    line = (62 if woman else 46) * _SCALE
    draw.pieslice(box, 180, 360, fill=hair)
    rim = (middle - wide - out, top + 50 * _SCALE, middle - wide + 7 * _SCALE, top + (112 if woman else 92) * _SCALE)
    draw.rounded_rectangle(rim, 7 * _SCALE, fill=hair)
    draw.rounded_rectangle((2 * middle - rim[2], rim[1], 2 * middle - rim[0], rim[3]), 7 * _SCALE, fill=hair)
    skin = draw._image.getpixel((middle, top + 120 * _SCALE))  # noqa: SLF001  # the colour of this face
    forehead = [
        (middle - wide + 7 * _SCALE, top + 74 * _SCALE),
        (middle + parting, top + line - 24 * _SCALE),
        (middle + wide - 7 * _SCALE, top + 74 * _SCALE),
        (middle + wide - 7 * _SCALE, top + 90 * _SCALE),
        (middle - wide + 7 * _SCALE, top + 90 * _SCALE),
    ]
    draw.polygon(forehead, fill=skin)


def _face(draw: ImageDraw.ImageDraw, rng: Random, middle: int, wide: int, skin: str, hair: str) -> None:
    eyes, apart = 186 * _SCALE, rng.randrange(27, 31) * _SCALE
    for side in (-1, 1):
        at = middle + side * apart
        draw.ellipse((at - 10 * _SCALE, eyes - 5 * _SCALE, at + 10 * _SCALE, eyes + 6 * _SCALE), fill="#fbfaf8")
        draw.ellipse((at - 5 * _SCALE, eyes - 5 * _SCALE, at + 5 * _SCALE, eyes + 5 * _SCALE), fill="#33261f")
        draw.arc(
            (at - 13 * _SCALE, eyes - 8 * _SCALE, at + 13 * _SCALE, eyes + 14 * _SCALE), 200, 340, "#3b2d27", 2 * _SCALE
        )
        draw.arc(
            (at - 16 * _SCALE, eyes - 22 * _SCALE, at + 16 * _SCALE, eyes + 6 * _SCALE), 210, 330, hair, 3 * _SCALE
        )
        draw.ellipse((at - 15 * _SCALE, 214 * _SCALE, at + 15 * _SCALE, 230 * _SCALE), fill=_darker(skin, 0.975))
    draw.arc(
        (middle - 9 * _SCALE, 196 * _SCALE, middle + 9 * _SCALE, 218 * _SCALE), 30, 150, _darker(skin, 0.78), 2 * _SCALE
    )
    mouth = (middle - 19 * _SCALE, 216 * _SCALE, middle + 19 * _SCALE, 240 * _SCALE)
    draw.chord(mouth, 25, 155, fill="#b5655c")
    if rng.random() < 0.4:
        for side in (-1, 1):
            at = middle + side * apart
            frame = (at - 20 * _SCALE, eyes - 15 * _SCALE, at + 20 * _SCALE, eyes + 17 * _SCALE)
            draw.rounded_rectangle(frame, 11 * _SCALE, outline="#3a3f44", width=2 * _SCALE)
        draw.line((middle - apart + 20 * _SCALE, eyes, middle + apart - 20 * _SCALE, eyes), "#3a3f44", 2 * _SCALE)
        for side in (-1, 1):
            draw.line(
                (middle + side * (apart + 20 * _SCALE), eyes, middle + side * wide, eyes - 4 * _SCALE),
                "#3a3f44",
                2 * _SCALE,
            )
