"""Patterns of fine interlaced lines, as on banknotes. Drawn once, into the frozen part of a form."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from templates import drawing as d
from templates.errors import LayoutError
from templates.typesetting import POINTS_PER_MM, colour_operator, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from templates.boxes import Guilloche

_MAX_POINTS = 60_000
_POINTS_PER_SWING = 8


def draw_guilloche(pattern: Guilloche, drawing: d.Drawing, page_height: float) -> None:
    """Append a pattern; `page_height` is in mm.

    Raises:
        LayoutError: it would take too many points.
    """
    sizes = pattern.sizes
    lines = {"rosette": _rosette, "border": _border, "band": _band, "field": _field}[pattern.shape](sizes)
    drawing.add("q", d.cm((POINTS_PER_MM, 0, 0, -POINTS_PER_MM, 0, page_height * POINTS_PER_MM)))
    if pattern.opacity < 1:
        drawing.add(drawing.state(1.0, pattern.opacity))
    drawing.add(colour_operator(pattern.colour, stroke=True), f"{number(pattern.width / POINTS_PER_MM, 4)} w 1 j")
    left = _MAX_POINTS
    for points, closed in lines:
        left -= len(points)
        if left < 0:
            raise LayoutError(pattern.where, f"takes more than {_MAX_POINTS} points; use fewer strands or longer waves")
        drawing.add(d.path(d.smooth(points, closed=closed), 2), "S")
    drawing.add("Q")


def _rosette(sizes: dict[str, float]) -> Iterator[tuple[list[tuple[float, float]], bool]]:
    petals, strands = int(sizes["petals"]), int(sizes["strands"])
    middle, swing = (sizes["inner"] + sizes["outer"]) / 2, (sizes["outer"] - sizes["inner"]) / 2
    twist = int(sizes["twist"])
    share = 0.25 if twist else 0.0
    count = max(96, petals * _POINTS_PER_SWING * max(1, twist))
    for strand in range(strands):
        turn = 2 * math.pi * strand / strands
        points = []
        for step in range(count):
            angle = 2 * math.pi * step / count
            wave = (1 - share) * math.sin(petals * angle + turn)
            wave += share * math.sin(petals * twist * angle - turn)
            radius = middle + swing * wave
            points.append((sizes["x"] + radius * math.cos(angle), sizes["y"] + radius * math.sin(angle)))
        yield points, True


def _strand(length: float, swing: float, wave: float, turn: float) -> list[tuple[float, float]]:
    """Return (along, across) of a wave that swings around 0 over a length."""
    swings = max(1, round(length / wave))
    count = swings * _POINTS_PER_SWING
    result = []
    for step in range(count + 1):
        phase = 2 * math.pi * swings * step / count
        across = swing * (0.78 * math.sin(phase + turn) + 0.22 * math.sin(3 * phase - turn))
        result.append((length * step / count, across))
    return result


def _border(sizes: dict[str, float]) -> Iterator[tuple[list[tuple[float, float]], bool]]:
    """Yield closed strands: four sides, and the corners rounded by the thickness."""
    thick, strands = sizes["thickness"], int(sizes["strands"])
    swing = thick / 2
    x, y, w, h = sizes["x"] + swing, sizes["y"] + swing, sizes["w"] - thick, sizes["h"] - thick
    if w <= 2 * thick or h <= 2 * thick:
        return
    radius = thick
    # The centre line as (length, point on it, outward direction) pieces: side, corner, side, corner, …
    sides = (w - 2 * radius, h - 2 * radius)
    quarter = math.pi / 2 * radius
    total = 2 * (sides[0] + sides[1]) + 4 * quarter
    swings = 4 * max(1, round(total / sizes["wave"] / 4))
    count = swings * _POINTS_PER_SWING
    for strand in range(strands):
        turn = 2 * math.pi * strand / strands
        points = []
        for step in range(count):
            phase = 2 * math.pi * swings * step / count
            across = swing * (0.78 * math.sin(phase + turn) + 0.22 * math.sin(3 * phase - turn))
            px, py, nx, ny = _on_rounded((x, y, w, h), radius, total * step / count)
            points.append((px + nx * across, py + ny * across))
        yield points, True


def _on_rounded(
    box: tuple[float, float, float, float], radius: float, along: float
) -> tuple[float, float, float, float]:
    """Return a point of a rounded rectangle and the direction outwards there."""
    x, y, w, h = box
    quarter = math.pi / 2 * radius
    corners = (
        (w - 2 * radius, (x + radius, y), (1, 0), (x + w - radius, y + radius)),
        (h - 2 * radius, (x + w, y + radius), (0, 1), (x + w - radius, y + h - radius)),
        (w - 2 * radius, (x + w - radius, y + h), (-1, 0), (x + radius, y + h - radius)),
        (h - 2 * radius, (x, y + h - radius), (0, -1), (x + radius, y + radius)),
    )
    for side, start, (dx, dy), centre in corners:
        if along <= side:
            return start[0] + dx * along, start[1] + dy * along, dy, -dx
        along -= side
        if along <= quarter:
            angle = math.atan2(-dx, dy) + along / radius
            nx, ny = math.cos(angle), math.sin(angle)
            return centre[0] + radius * nx, centre[1] + radius * ny, nx, ny
        along -= quarter
    return x + radius, y, 0.0, -1.0


def _band(sizes: dict[str, float]) -> Iterator[tuple[list[tuple[float, float]], bool]]:
    strands = int(sizes["strands"])
    middle = sizes["y"] + sizes["h"] / 2
    for strand in range(strands):
        wave = _strand(sizes["w"], sizes["h"] / 2, sizes["wave"], 2 * math.pi * strand / strands)
        yield [(sizes["x"] + along, middle + across) for along, across in wave], False


def _field(sizes: dict[str, float]) -> Iterator[tuple[list[tuple[float, float]], bool]]:
    """Yield lines from left to right whose waves drift from line to line."""
    low, high = sizes["y"], sizes["y"] + sizes["h"]
    swing = min(sizes["swing"], sizes["h"] / 2)
    rows = max(2, int((sizes["h"] - 2 * swing) / sizes["gap"]))
    swings = max(1.0, sizes["w"] / sizes["wave"])
    count = max(12, int(swings * _POINTS_PER_SWING))
    for row in range(rows):
        share = row / (rows - 1)
        base = low + swing + share * (high - low - 2 * swing)
        points = []
        for step in range(count + 1):
            phase = 2 * math.pi * swings * step / count
            across = 0.7 * math.sin(phase + 2.2 * math.pi * share) + 0.3 * math.sin(2.3 * phase - 3 * math.pi * share)
            points.append((sizes["x"] + sizes["w"] * step / count, base + swing * across))
        yield points, False
