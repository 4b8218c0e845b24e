"""Patterns of fine interlaced lines, as on banknotes. Drawn once, into the frozen part of a form.

Each pattern is one short curve drawn again and again under the same small turn or shift. The operators
repeat word for word, so that hundreds of lines take a few hundred bytes once compressed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from templates import drawing as d
from templates.errors import LayoutError
from templates.typesetting import POINTS_PER_MM, colour_operator, number

if TYPE_CHECKING:
    from collections.abc import Callable

    from templates.boxes import Guilloche

_MAX_POINTS = 60_000
_POINTS_PER_SWING = 8
# A sharper crest than a plain sine, for the look of engraving.
_CREST = 0.22


class _Plotter:
    """Adds operators and counts points."""

    def __init__(self, pattern: Guilloche, drawing: d.Drawing) -> None:
        self.pattern = pattern
        self.drawing = drawing
        self.left = _MAX_POINTS

    def repeated(self, curves: list[list[tuple[float, float]]], step: d.Matrix, count: int) -> None:
        """Draw curves `count` times, each time moved on by `step`."""
        self.left -= count * sum(map(len, curves))
        if self.left < 0:
            raise LayoutError(
                self.pattern.where, f"takes more than {_MAX_POINTS} points; use fewer strands or longer waves"
            )
        once = " ".join(d.path(d.smooth(points), 2) + " S" for points in curves)
        # Nine digits, so that hundreds of turns add up to no visible error.
        move = " ".join(number(value, 9) for value in step) + " cm"
        self.drawing.add("q", *[f"{once}\n{move}"] * count, "Q")

    def placed(self, matrix: d.Matrix, draw: Callable[[], None]) -> None:
        """Draw something under a transformation."""
        self.drawing.add("q", d.cm(matrix))
        draw()
        self.drawing.add("Q")


def draw_guilloche(pattern: Guilloche, drawing: d.Drawing, page_height: float) -> None:
    """Append a pattern; `page_height` is in mm.

    Raises:
        LayoutError: it would take too many points.
    """
    drawing.add("q", d.cm((POINTS_PER_MM, 0, 0, -POINTS_PER_MM, 0, page_height * POINTS_PER_MM)))
    if pattern.opacity < 1:
        drawing.add(drawing.state(1.0, pattern.opacity))
    drawing.add(colour_operator(pattern.colour, stroke=True), f"{number(pattern.width / POINTS_PER_MM, 4)} w 1 j")
    plotter = _Plotter(pattern, drawing)
    {"rosette": _rosette, "border": _border, "band": _band, "field": _field}[pattern.shape](plotter, pattern.sizes)
    drawing.add("Q")


def _turn(angle: float) -> d.Matrix:
    return (math.cos(angle), math.sin(angle), -math.sin(angle), math.cos(angle), 0.0, 0.0)


def _swing(phase: float) -> float:
    return (1 - _CREST) * math.sin(phase) + _CREST * math.sin(3 * phase)


def _rosette(plotter: _Plotter, sizes: dict[str, float]) -> None:
    """Draw one petal, turned petals x strands times through the whole circle."""
    petals, twist = int(sizes["petals"]), int(sizes["twist"])
    middle, reach = (sizes["inner"] + sizes["outer"]) / 2, (sizes["outer"] - sizes["inner"]) / 2
    share = 0.25 if twist > 1 else 0.0
    count = max(_POINTS_PER_SWING * max(1, twist), math.ceil(64 / petals))
    petal = []
    for step in range(count + 1):
        turn = 2 * math.pi * step / count
        radius = middle + reach * ((1 - share) * math.sin(turn) + share * math.sin(twist * turn))
        petal.append((radius * math.cos(turn / petals), radius * math.sin(turn / petals)))
    times = petals * int(sizes["strands"])

    def draw() -> None:
        plotter.repeated([petal], _turn(2 * math.pi / times), times)

    plotter.placed((1, 0, 0, 1, sizes["x"], sizes["y"]), draw)


def _tile(height: float, wave: float, strands: int) -> list[list[tuple[float, float]]]:
    """Return one wave of all strands, from x = 0 to `wave`, around y = 0."""
    return [
        [
            (
                wave * step / _POINTS_PER_SWING,
                height / 2 * _swing(2 * math.pi * (step / _POINTS_PER_SWING + strand / strands)),
            )
            for step in range(_POINTS_PER_SWING + 1)
        ]
        for strand in range(strands)
    ]


def _row(plotter: _Plotter, length: float, height: float, sizes: dict[str, float]) -> None:
    """Draw waves from x = 0 to `length`, as many as fit best, stretched to fit exactly."""
    times = max(1, round(length / sizes["wave"]))
    wave = length / times
    plotter.repeated(_tile(height, wave, int(sizes["strands"])), (1, 0, 0, 1, wave, 0), times)


def _band(plotter: _Plotter, sizes: dict[str, float]) -> None:
    plotter.placed(
        (1, 0, 0, 1, sizes["x"], sizes["y"] + sizes["h"] / 2),
        lambda: _row(plotter, sizes["w"], sizes["h"], sizes),
    )


def _border(plotter: _Plotter, sizes: dict[str, float]) -> None:
    """Draw four bands, and a small rosette in each corner."""
    thick = sizes["thickness"]
    x, y, w, h = sizes["x"], sizes["y"], sizes["w"], sizes["h"]
    if w <= 2 * thick or h <= 2 * thick:
        raise LayoutError(plotter.pattern.where, "is too small for its thickness")
    half = thick / 2
    across, down = w - 2 * thick, h - 2 * thick
    for top in (y + half, y + h - half):
        plotter.placed((1, 0, 0, 1, x + thick, top), lambda: _row(plotter, across, thick, sizes))
    for left in (x + half, x + w - half):
        plotter.placed((0, 1, -1, 0, left, y + thick), lambda: _row(plotter, down, thick, sizes))
    for left in (x + half, x + w - half):
        for top in (y + half, y + h - half):
            corner = {"x": left, "y": top, "inner": half * 0.2, "outer": half * 0.98, "petals": 6, "twist": 0}
            _rosette(plotter, corner | {"strands": max(2, sizes["strands"] - 2)})


def _field(plotter: _Plotter, sizes: dict[str, float]) -> None:
    """Draw one long line again and again, each time a little lower and further left, cut to the area."""
    x, y, w, h = sizes["x"], sizes["y"], sizes["w"], sizes["h"]
    wave, reach = sizes["wave"], min(sizes["swing"], h / 2)
    rows = max(2, round((h + 2 * reach) / sizes["gap"]))
    drift = 1.5 * wave / rows
    length = w + 1.5 * wave
    count = max(12, math.ceil(length / wave * _POINTS_PER_SWING))
    line = []
    for step in range(count + 1):
        along = length * step / count
        phase = 2 * math.pi * along / wave
        line.append((along, reach * (0.65 * math.sin(phase) + 0.35 * math.sin(0.38 * phase + 1))))
    clip = d.path(d.rectangle(x, y, w, h), 2) + " W n"
    plotter.drawing.add("q", clip)
    plotter.placed(
        (1, 0, 0, 1, x, y - reach),
        lambda: plotter.repeated([line], (1, 0, 0, 1, -drift, (h + 2 * reach) / rows), rows),
    )
    plotter.drawing.add("Q")
