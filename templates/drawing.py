"""Vector drawing as PDF operators: paths, curves, arcs, transparency and gradients.

A `Drawing` is a finished list of operators with the resources it names. Operators work in whatever
units the caller has set by a transformation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from templates.typesetting import number

if TYPE_CHECKING:
    from collections.abc import Iterable

Matrix: TypeAlias = tuple[float, float, float, float, float, float]
Move: TypeAlias = tuple[str, tuple[float, ...]]
"""("M", (x, y)), ("L", (x, y)), ("C", (x1, y1, x2, y2, x, y)) or ("Z", ())."""
IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
# Control points of a quarter circle as one cubic: 4/3 * tan(pi/8).
KAPPA = 0.5522847498307936
_OPERATORS = {"M": "m", "L": "l", "C": "c", "Z": "h"}


def multiplied(first: Matrix, then: Matrix) -> Matrix:
    """Return the transformation that does `first`, then `then`."""
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gradient:
    """A linear gradient in the units of its own matrix."""

    ends: tuple[float, float, float, float]
    """x1, y1, x2, y2."""
    stops: tuple[tuple[float, tuple[float, float, float]], ...]
    """(offset 0..1, red, green and blue 0..1), at least two, offsets ascending."""


@dataclass(kw_only=True, slots=True)
class Drawing:
    """Operators and the resources they name."""

    operators: list[str] = field(default_factory=list)
    states: dict[tuple[float, float, str], str] = field(default_factory=dict)
    """(fill opacity, stroke opacity, blend mode) -> name of the graphics state."""
    gradients: dict[Gradient, str] = field(default_factory=dict)
    images: dict[str, object] = field(default_factory=dict)
    """Name -> whatever the writer of the objects understands."""

    def add(self, *operators: str) -> None:
        """Append operators."""
        self.operators.extend(operators)

    def state(self, fill: float, stroke: float, blend: str = "Normal") -> str:
        """Return the operator that sets opacities and blend mode."""
        key = (round(fill, 4), round(stroke, 4), blend)
        name = self.states.setdefault(key, f"A{len(self.states)}")
        return f"/{name} gs"

    def shading(self, gradient: Gradient) -> str:
        """Return the operator that fills the clipped area with a gradient."""
        name = self.gradients.setdefault(gradient, f"H{len(self.gradients)}")
        return f"/{name} sh"

    def content(self) -> str:
        """Return all operators, one a line."""
        return "\n".join(self.operators)


def cm(matrix: Matrix) -> str:
    """Return the operator that concatenates a transformation."""
    return " ".join(number(value, 6) for value in matrix) + " cm"


def path(moves: Iterable[Move], digits: int = 3) -> str:
    """Return path operators."""
    return " ".join(
        " ".join([*(number(value, digits) for value in values), _OPERATORS[letter]]) for letter, values in moves
    )


def bounds(moves: Iterable[Move]) -> tuple[float, float, float, float]:
    """Return left, low, right, high of all points and control points; zeros for an empty path."""
    xs: list[float] = []
    ys: list[float] = []
    for _, values in moves:
        xs.extend(values[0::2])
        ys.extend(values[1::2])
    return (min(xs), min(ys), max(xs), max(ys)) if xs else (0.0, 0.0, 0.0, 0.0)


def polyline(points: list[tuple[float, float]], *, closed: bool = False) -> list[Move]:
    """Return a path of straight lines."""
    moves: list[Move] = [("M" if index == 0 else "L", point) for index, point in enumerate(points)]
    return [*moves, ("Z", ())] if closed else moves


def smooth(points: list[tuple[float, float]], *, closed: bool = False) -> list[Move]:
    """Return a smooth curve through the points (Catmull-Rom as cubics)."""
    count = len(points)
    moves: list[Move] = [("M", points[0])]
    for index in range(count if closed else count - 1):
        if closed:
            before, here, there, after = (points[(index + step) % count] for step in (-1, 0, 1, 2))
        else:
            before, after = points[max(index - 1, 0)], points[min(index + 2, count - 1)]
            here, there = points[index], points[index + 1]
        moves.append(
            (
                "C",
                (
                    here[0] + (there[0] - before[0]) / 6,
                    here[1] + (there[1] - before[1]) / 6,
                    there[0] - (after[0] - here[0]) / 6,
                    there[1] - (after[1] - here[1]) / 6,
                    there[0],
                    there[1],
                ),
            )
        )
    return [*moves, ("Z", ())] if closed else moves


def ellipse(x: float, y: float, rx: float, ry: float) -> list[Move]:
    """Return a full ellipse around a centre."""
    a, b = rx * KAPPA, ry * KAPPA
    return [
        ("M", (x + rx, y)),
        ("C", (x + rx, y + b, x + a, y + ry, x, y + ry)),
        ("C", (x - a, y + ry, x - rx, y + b, x - rx, y)),
        ("C", (x - rx, y - b, x - a, y - ry, x, y - ry)),
        ("C", (x + a, y - ry, x + rx, y - b, x + rx, y)),
        ("Z", ()),
    ]


def rectangle(x: float, y: float, w: float, h: float, radii: tuple[float, float] = (0.0, 0.0)) -> list[Move]:
    """Return a rectangle, its corners rounded by ellipse quarters."""
    rx, ry = min(radii[0], w / 2), min(radii[1], h / 2)
    if rx <= 0 or ry <= 0:
        return polyline([(x, y), (x + w, y), (x + w, y + h), (x, y + h)], closed=True)
    a, b = rx * (1 - KAPPA), ry * (1 - KAPPA)
    right, high = x + w, y + h
    return [
        ("M", (x + rx, y)),
        ("L", (right - rx, y)),
        ("C", (right - a, y, right, y + b, right, y + ry)),
        ("L", (right, high - ry)),
        ("C", (right, high - b, right - a, high, right - rx, high)),
        ("L", (x + rx, high)),
        ("C", (x + a, high, x, high - b, x, high - ry)),
        ("L", (x, y + ry)),
        ("C", (x, y + b, x + a, y, x + rx, y)),
        ("Z", ()),
    ]


def _angle(ux: float, uy: float, vx: float, vy: float) -> float:
    return math.atan2(ux * vy - uy * vx, ux * vx + uy * vy)


def arc(
    start: tuple[float, float],
    radii: tuple[float, float, float],
    flags: tuple[bool, bool],
    end: tuple[float, float],
) -> list[Move]:
    """Return an elliptical arc as cubics; radii are (rx, ry, turn in degrees), flags (large, sweep).

    SVG 2, appendix B.2.4 and B.2.5: from end points to a centre, too small radii scaled up.
    """
    (x1, y1), (x2, y2) = start, end
    rx, ry, turn = abs(radii[0]), abs(radii[1]), math.radians(radii[2])
    if (x1, y1) == (x2, y2):
        return []
    if rx == 0 or ry == 0:
        return [("L", end)]
    cos, sin = math.cos(turn), math.sin(turn)
    dx, dy = (x1 - x2) / 2, (y1 - y2) / 2
    px, py = cos * dx + sin * dy, cos * dy - sin * dx
    scale = math.sqrt(max(1.0, (px / rx) ** 2 + (py / ry) ** 2))
    rx, ry = rx * scale, ry * scale
    below = (rx * py) ** 2 + (ry * px) ** 2
    if below == 0:
        # The ends are nearer to each other than numbers can tell.
        return [("L", end)]
    root = math.sqrt(max(0.0, ((rx * ry) ** 2 - below) / below))
    if flags[0] == flags[1]:
        root = -root
    qx, qy = root * rx * py / ry, -root * ry * px / rx
    cx, cy = cos * qx - sin * qy + (x1 + x2) / 2, sin * qx + cos * qy + (y1 + y2) / 2
    first = _angle(1, 0, (px - qx) / rx, (py - qy) / ry)
    sweep = _angle((px - qx) / rx, (py - qy) / ry, (-px - qx) / rx, (-py - qy) / ry)
    if not flags[1] and sweep > 0:
        sweep -= 2 * math.pi
    elif flags[1] and sweep < 0:
        sweep += 2 * math.pi
    pieces = max(1, math.ceil(abs(sweep) / (math.pi / 2) - 1e-9))
    step = sweep / pieces
    reach = 4 / 3 * math.tan(step / 4)

    def point(u: float, v: float) -> tuple[float, float]:
        return cx + cos * rx * u - sin * ry * v, cy + sin * rx * u + cos * ry * v

    moves: list[Move] = []
    for index in range(pieces):
        a, b = first + index * step, first + (index + 1) * step
        ca, sa, cb, sb = math.cos(a), math.sin(a), math.cos(b), math.sin(b)
        last = end if index == pieces - 1 else point(cb, sb)
        moves.append(("C", (*point(ca - reach * sa, sa + reach * ca), *point(cb + reach * sb, sb - reach * cb), *last)))
    return moves
