"""The picture of an agency's seal: drawn by us as vectors, or the agency's own PNG or SVG, checked.

A picture is a `Drawing` in a square of 100 x 100 units, y upwards.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from PIL import Image, UnidentifiedImageError

from templates import drawing as d
from templates.errors import LayoutError, MissingGlyphError
from templates.svg import draw_svg
from templates.typesetting import colour_operator, number

if TYPE_CHECKING:
    from templates.fonts import Face

MAX_PICTURE_BYTES = 2_000_000
_MAX_PIXELS = 16_000_000
_MAX_SIDE = 1000
_PNG = b"\x89PNG\r\n\x1a\n"
_RED = "#d7141a"
_BLUE = "#1d3f8a"
_MIDDLE = 50.0
Glyph: TypeAlias = tuple["Face", int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pixels:
    """A picture of the agency's own, as samples."""

    width: int
    height: int
    rgb: bytes
    alpha: bytes


def drawn_seal(agency_name: str, style: str, faces: tuple[Face, ...]) -> d.Drawing:
    """Return a round seal with the name on an arc: "red" with a star, "blue" with Latin letters and a rosette.

    Raises:
        MissingGlyphError: no face has a character of the name.
    """
    drawing = d.Drawing()
    drawing.add("q", drawing.state(0.88, 0.88, "Multiply"))
    if style == "red":
        _red(drawing, agency_name, faces)
    else:
        _blue(drawing, agency_name, faces)
    drawing.add("Q")
    return drawing


def own_seal(data: bytes) -> d.Drawing:
    """Return an agency's own picture, PNG or SVG; white becomes transparent as the ink is multiplied.

    Raises:
        LayoutError: too large, damaged, neither PNG nor SVG, or SVG outside the subset (script, reference, …).
    """
    where = "seal picture"
    if len(data) > MAX_PICTURE_BYTES:
        raise LayoutError(where, f"is larger than {MAX_PICTURE_BYTES} bytes")
    drawing = d.Drawing()
    drawing.add("q", drawing.state(0.92, 0.92, "Multiply"))
    if data.startswith(_PNG):
        pixels = _pixels(where, data)
        side = max(pixels.width, pixels.height)
        w, h = 100 * pixels.width / side, 100 * pixels.height / side
        drawing.images["I0"] = pixels
        drawing.add(d.cm((w, 0, 0, h, (100 - w) / 2, (100 - h) / 2)), "/I0 Do")
    elif b"<svg" in data[:2000]:
        draw_svg(where, data, drawing, (0, 0, 100, 100))
    else:
        raise LayoutError(where, "must be a PNG or an SVG")
    drawing.add("Q")
    return drawing


def _pixels(where: str, data: bytes) -> Pixels:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as picture:
            if picture.width * picture.height > _MAX_PIXELS:
                raise LayoutError(where, f"has more than {_MAX_PIXELS} pixels")
            image = picture.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise LayoutError(where, "is no PNG that can be read") from error
    image.thumbnail((_MAX_SIDE, _MAX_SIDE), Image.Resampling.LANCZOS)
    alpha = image.getchannel("A")
    return Pixels(width=image.width, height=image.height, rgb=image.convert("RGB").tobytes(), alpha=alpha.tobytes())


def _glyphs(name: str, faces: tuple[Face, ...]) -> list[Glyph]:
    found: list[Glyph] = []
    for char in name:
        face = next((face for face in faces if face.glyph(char)), None)
        if face is None:
            raise MissingGlyphError("agency", char)
        found.append((face, face.glyph(char)))
    return found


def _placed(glyph: Glyph, matrix: d.Matrix) -> str:
    """Return the outline of a glyph, in em, through a transformation."""
    a, b, c, e, f, g = matrix
    moves: list[d.Move] = []
    here = (0.0, 0.0)
    for letter, values in glyph[0].outline(glyph[1]):
        points = [(a * x + c * y + f, b * x + e * y + g) for x, y in zip(values[0::2], values[1::2], strict=True)]
        if letter == "Q":
            (qx, qy), (x, y) = points
            points = [
                (here[0] + 2 / 3 * (qx - here[0]), here[1] + 2 / 3 * (qy - here[1])),
                (x + 2 / 3 * (qx - x), y + 2 / 3 * (qy - y)),
                (x, y),
            ]
        if points:
            here = points[-1]
        moves.append(("C" if letter == "Q" else letter, tuple(value for point in points for value in point)))
    return d.path(moves, 2)


def _on_arc(angle: float, radius: float, scale: tuple[float, float], shift: tuple[float, float]) -> d.Matrix:
    """Return the matrix that stands a glyph on a circle; `angle` from the top, clockwise, in radians."""
    cos, sin = math.cos(-angle), math.sin(-angle)
    x, y = _MIDDLE + radius * math.sin(angle), _MIDDLE + radius * math.cos(angle)
    place: d.Matrix = (scale[0], 0, 0, scale[1], shift[0] * scale[0], shift[1] * scale[1])
    return d.multiplied(place, (cos, sin, -sin, cos, x, y))


def _star(radius: float, y: float = _MIDDLE) -> str:
    points = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * 0.381966  # ratio of a regular pentagram
        angle = math.pi * corner / 5
        points.append((_MIDDLE + reach * math.sin(angle), y + reach * math.cos(angle)))
    return d.path(d.polyline(points, closed=True), 2)


def _ring(radius: float, width: float) -> tuple[str, str, str]:
    return f"{number(width)} w", d.path(d.ellipse(_MIDDLE, _MIDDLE, radius, radius), 2), "S"


def _red(drawing: d.Drawing, name: str, faces: tuple[Face, ...]) -> None:
    """Draw ring, star and name: Chinese characters stand upright on the arc, narrowed when there are many."""
    drawing.add(colour_operator(_RED), colour_operator(_RED, stroke=True))
    drawing.add(*_ring(47.8, 3.0))
    drawing.add(_star(15.5), "f")
    glyphs = _glyphs("".join(name.split()), faces)
    count = len(glyphs)
    height = 13.0 if count <= 18 else 11.0  # noqa: PLR2004 -- from here on the arc is crowded
    middle = 44.0 - height / 2
    pitch = min(math.radians(21), math.radians(272) / max(1, count - 1))
    width = min(height * 0.95, pitch * middle * 0.96)
    for index, glyph in enumerate(glyphs):
        angle = (index - (count - 1) / 2) * pitch
        advance = glyph[0].advance(glyph[1]) / 1000
        matrix = _on_arc(angle, middle, (width, height), (-advance / 2, -0.38))
        drawing.add(_placed(glyph, matrix), "f")


def _blue(drawing: d.Drawing, name: str, faces: tuple[Face, ...]) -> None:
    """Draw a scalloped double ring, a rosette with a star, the name above and OFFICIAL SEAL below."""
    drawing.add(colour_operator(_BLUE), colour_operator(_BLUE, stroke=True))
    edge = [
        (
            _MIDDLE + (48.6 + 0.55 * math.cos(60 * turn)) * math.sin(turn),
            _MIDDLE + (48.6 + 0.55 * math.cos(60 * turn)) * math.cos(turn),
        )
        for turn in (2 * math.pi * step / 360 for step in range(360))
    ]
    drawing.add("1.1 w", d.path(d.smooth(edge, closed=True), 2), "S")
    drawing.add(*_ring(45.6, 0.5), *_ring(31.2, 0.5), *_ring(29.8, 1.0))
    for strand in range(3):
        points = []
        for step in range(96):
            turn = 2 * math.pi * step / 96
            radius = 22.5 + 4.5 * math.sin(12 * turn + 2 * math.pi * strand / 3)
            points.append((_MIDDLE + radius * math.sin(turn), _MIDDLE + radius * math.cos(turn)))
        drawing.add("0.35 w", d.path(d.smooth(points, closed=True), 2), "S")
    drawing.add(_star(13.5), "f")
    _latin_arc(drawing, _glyphs(name.upper(), faces), size=9.6, most=math.radians(236))
    _latin_arc(drawing, _glyphs("OFFICIAL SEAL", faces), size=6.2, most=math.radians(88), below=True)
    for side in (-1, 1):
        angle = side * math.radians(132)
        x, y = _MIDDLE + 38.4 * math.sin(angle), _MIDDLE + 38.4 * math.cos(angle)
        drawing.add(d.path(d.ellipse(x, y, 1.1, 1.1), 2), "f")


def _latin_arc(drawing: d.Drawing, glyphs: list[Glyph], *, size: float, most: float, below: bool = False) -> None:
    """Set letters along the arc between the rings; too long a name is set smaller, then narrower."""
    cap = 0.68
    advances = [face.advance(glyph) / 1000 + 0.06 for face, glyph in glyphs]
    middle = 38.4
    total = sum(advances)
    size = max(min(size, most * middle / total), 6.0)
    squeeze = min(1.0, most * middle / (total * size))
    along = -total / 2
    radius = middle + (cap * size / 2 if below else -cap * size / 2)
    for (face, glyph), advance in zip(glyphs, advances, strict=True):
        centre = (along + advance / 2) * size * squeeze / middle
        along += advance
        if below:
            # Letters below read from left to right, their feet outwards.
            matrix = _on_arc(math.pi - centre, radius, (-size * squeeze, -size), (-(advance - 0.06) / 2, 0.0))
        else:
            matrix = _on_arc(centre, radius, (size * squeeze, size), (-(advance - 0.06) / 2, 0.0))
        drawing.add(_placed((face, glyph), matrix), "f")
