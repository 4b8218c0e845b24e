"""A safe subset of SVG as PDF operators; what is outside is refused by name. See docs/templates.md, section 6."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias
from xml.etree import ElementTree as ET

from templates import drawing as d
from templates.errors import LayoutError
from templates.svgpath import numbers, path_moves
from templates.typesetting import colour_operator, number

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_SVG_BYTES = 2_000_000
_MAX_ELEMENTS = 20_000
_MAX_DEPTH = 40
_NAMESPACE = "{http://www.w3.org/2000/svg}"
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
_COLOURS = {
    "black": "#000000",
    "silver": "#c0c0c0",
    "gray": "#808080",
    "white": "#ffffff",
    "maroon": "#800000",
    "red": "#ff0000",
    "purple": "#800080",
    "fuchsia": "#ff00ff",
    "green": "#008000",
    "lime": "#00ff00",
    "olive": "#808000",
    "yellow": "#ffff00",
    "navy": "#000080",
    "blue": "#0000ff",
    "teal": "#008080",
    "aqua": "#00ffff",
}
_PAINTS = (
    "fill fill-rule fill-opacity stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit "
    "stroke-dasharray stroke-dashoffset opacity color"
)
_PRESENTATION = frozenset(_PAINTS.split())
_COMMON = frozenset(("id", "transform", "style")) | _PRESENTATION
_GRADIENT = frozenset(["id", "x1", "y1", "x2", "y2", "gradientUnits", "gradientTransform"])
_GEOMETRY: Mapping[str, frozenset[str]] = {
    "svg": frozenset(["viewBox", "width", "height", "version", "x", "y", "preserveAspectRatio"]),
    "g": frozenset(),
    "defs": frozenset(),
    "use": frozenset(("href", _XLINK_HREF, "x", "y")),
    "path": frozenset(("d",)),
    "rect": frozenset(["x", "y", "width", "height", "rx", "ry"]),
    "line": frozenset(["x1", "y1", "x2", "y2"]),
    "circle": frozenset(["cx", "cy", "r"]),
    "ellipse": frozenset(["cx", "cy", "rx", "ry"]),
    "polyline": frozenset(("points",)),
    "polygon": frozenset(("points",)),
}
_SKIPPED = frozenset(("title", "desc", "defs", "linearGradient"))
_CAPS = {"butt": 0, "round": 1, "square": 2}
_JOINS = {"miter": 0, "round": 1, "bevel": 2}
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:px)?")
_RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
_TRANSFORM = re.compile(r"\s*([a-zA-Z]+)\s*\(([^()]*)\)\s*,?")
_BYTE = 255
Attributes: TypeAlias = "dict[str, str]"


@dataclass(frozen=True, slots=True)
class _Style:
    """Inherited properties; opacity is the product of all so far."""

    values: dict[str, str] = field(default_factory=dict)
    opacity: float = 1.0


class _Reader:
    """Walks one document."""

    def __init__(self, where: str, root: ET.Element, drawing: d.Drawing) -> None:
        self.where = where
        self.drawing = drawing
        self.by_id: dict[str, ET.Element] = {}
        self.left = _MAX_ELEMENTS
        for element in root.iter():
            if not isinstance(element.tag, str):
                continue
            name = element.get("id")
            if name:
                self.by_id.setdefault(name, element)

    def fail(self, element: ET.Element, why: str) -> LayoutError:
        name = element.get("id")
        label = f"<{_tag(element)}{f' id={name}' if name else ''}>"
        return LayoutError(f"{self.where} {label}", why)

    def number(self, element: ET.Element, text: str, name: str) -> float:
        text = text.strip()
        if not _NUMBER.fullmatch(text):
            raise self.fail(element, f"{name}={text[:40]!r} is no plain number")
        value = float(text.removesuffix("px"))
        if not math.isfinite(value) or abs(value) > 1e6:  # noqa: PLR2004 -- far beyond any page
            raise self.fail(element, f"{name} is out of range")
        return value

    def get(self, element: ET.Element, name: str, default: float = 0.0) -> float:
        text = element.get(name)
        return default if text is None else self.number(element, text, name)

    def check(self, element: ET.Element, tag: str) -> None:
        if not element.tag.startswith(_NAMESPACE) or tag not in _GEOMETRY:
            raise self.fail(element, "is not in the subset of SVG for forms")
        allowed = _COMMON | _GEOMETRY[tag]
        for name in element.attrib:
            if name not in allowed:
                raise self.fail(element, f"attribute {name} is not in the subset of SVG for forms")

    def draw(self, element: ET.Element, style: _Style, depth: int) -> None:
        tag = _tag(element)
        if element.tag in {_NAMESPACE + name for name in _SKIPPED}:
            return
        self.left -= 1
        if self.left < 0 or depth > _MAX_DEPTH:
            raise LayoutError(self.where, "has too many elements or is nested too deep")
        self.check(element, tag)
        style = self.inherited(element, style)
        matrix = self.transform(element, element.get("transform", ""))
        if tag == "use":
            matrix = d.multiplied((1, 0, 0, 1, self.get(element, "x"), self.get(element, "y")), matrix)
        if tag in ("svg", "g", "use"):
            self.group(element, tag, style, matrix, depth)
            return
        moves = self.geometry(element, tag)
        if moves:
            self.paint(element, style, matrix, moves)

    def group(self, element: ET.Element, tag: str, style: _Style, matrix: d.Matrix, depth: int) -> None:
        if tag == "svg" and depth:
            raise self.fail(element, "is not allowed inside another")
        children: list[ET.Element] = list(element)
        if tag == "use":
            href = element.get("href", element.get(_XLINK_HREF, ""))
            if not href.startswith("#") or href[1:] not in self.by_id:
                raise self.fail(element, f"href={href[:60]!r} must name an element of the same file")
            children = [self.by_id[href[1:]]]
        if matrix != d.IDENTITY:
            self.drawing.add("q", d.cm(matrix))
        for child in children:
            if not isinstance(child.tag, str):
                continue
            self.draw(child, style, depth + 1)
        if matrix != d.IDENTITY:
            self.drawing.add("Q")

    def inherited(self, element: ET.Element, style: _Style) -> _Style:
        own = {name: value.strip() for name, value in element.attrib.items() if name in _PRESENTATION}
        for declaration in element.get("style", "").split(";"):
            name, colon, value = declaration.partition(":")
            if not declaration.strip():
                continue
            if not colon or name.strip() not in _PRESENTATION:
                raise self.fail(element, f"style {declaration.strip()[:40]!r} is not in the subset of SVG for forms")
            own[name.strip()] = value.strip()
        opacity = self.share(element, own.pop("opacity", "1"), "opacity")
        values = style.values | {name: value for name, value in own.items() if value != "inherit"}
        return replace(style, values=values, opacity=style.opacity * opacity)

    def share(self, element: ET.Element, text: str, name: str) -> float:
        return min(1.0, max(0.0, self.number(element, text, name)))

    def transform(self, element: ET.Element, text: str) -> d.Matrix:
        matrix = d.IDENTITY
        position = 0
        while position < len(text.rstrip()):
            match = _TRANSFORM.match(text, position)
            if not match:
                raise self.fail(element, f"transform={text[:40]!r} cannot be read")
            position = match.end()
            try:
                step = _matrix(match[1], numbers(match[2]))
            except (ValueError, TypeError) as error:
                raise self.fail(element, f"transform={match[0][:40]!r} cannot be read") from error
            matrix = d.multiplied(step, matrix)
        return matrix

    def geometry(self, element: ET.Element, tag: str) -> list[d.Move]:
        get = self.get
        match tag:
            case "path":
                try:
                    return path_moves(element.get("d", ""))
                except ValueError as error:
                    raise self.fail(element, f"d: {error}") from error
            case "rect":
                w, h = get(element, "width"), get(element, "height")
                rx = get(element, "rx", get(element, "ry"))
                ry = get(element, "ry", rx)
                return d.rectangle(get(element, "x"), get(element, "y"), w, h, (rx, ry)) if w > 0 < h else []
            case "line":
                ends = [(get(element, "x1"), get(element, "y1")), (get(element, "x2"), get(element, "y2"))]
                return d.polyline(ends)
            case "circle" | "ellipse":
                rx = get(element, "r") if tag == "circle" else get(element, "rx")
                ry = rx if tag == "circle" else get(element, "ry")
                return d.ellipse(get(element, "cx"), get(element, "cy"), rx, ry) if rx > 0 < ry else []
            case _:
                try:
                    flat = numbers(element.get("points", ""))
                except ValueError as error:
                    raise self.fail(element, f"points: {error}") from error
                points = list(zip(flat[0::2], flat[1::2], strict=False))
                return d.polyline(points, closed=tag == "polygon") if points else []

    def colour(self, element: ET.Element, style: _Style, name: str, default: str) -> str:
        """Return #rrggbb, or "" for none."""
        text = style.values.get(name, default)
        if text == "currentColor":
            text = style.values.get("color", "#000000")
        if text in ("none", "transparent"):
            return ""
        if re.fullmatch(r"#[0-9a-fA-F]{3}", text):
            return "#" + "".join(digit * 2 for digit in text[1:])
        if re.fullmatch(r"#[0-9a-fA-F]{6}", text):
            return text.lower()
        match = _RGB.fullmatch(text)
        if match and all(int(part) <= _BYTE for part in match.groups()):
            return "#" + "".join(f"{int(part):02x}" for part in match.groups())
        if text.lower() in _COLOURS:
            return _COLOURS[text.lower()]
        raise self.fail(element, f"{name}={text[:40]!r} is no colour of the subset")

    def paint(self, element: ET.Element, style: _Style, matrix: d.Matrix, moves: list[d.Move]) -> None:
        values = style.values
        fill_text = values.get("fill", "#000000")
        gradient = re.fullmatch(r"url\(\s*[\"']?#([^)\"']+)[\"']?\s*\)", fill_text)
        fill = "" if gradient else self.colour(element, style, "fill", "#000000")
        stroke = self.colour(element, style, "stroke", "none")
        fill_opacity = style.opacity * self.share(element, values.get("fill-opacity", "1"), "fill-opacity")
        stroke_opacity = style.opacity * self.share(element, values.get("stroke-opacity", "1"), "stroke-opacity")
        if not (gradient or fill or stroke):
            return
        rule = values.get("fill-rule", "nonzero")
        if rule not in ("nonzero", "evenodd"):
            raise self.fail(element, f"fill-rule={rule[:40]!r}")
        star = "*" if rule == "evenodd" else ""
        drawing, shape = self.drawing, d.path(moves)
        drawing.add("q")
        if matrix != d.IDENTITY:
            drawing.add(d.cm(matrix))
        if fill_opacity < 1 or stroke_opacity < 1:
            drawing.add(drawing.state(fill_opacity, stroke_opacity))
        if gradient:
            drawing.add("q", shape, f"W{star} n", *self.gradient(element, gradient[1], d.bounds(moves)), "Q")
        if fill:
            drawing.add(colour_operator(fill))
        if stroke:
            drawing.add(colour_operator(stroke, stroke=True), *self.pen(element, values))
        if fill or stroke:
            drawing.add(
                shape, {(True, True): f"B{star}", (True, False): f"f{star}"}.get((bool(fill), bool(stroke)), "S")
            )
        drawing.add("Q")

    def pen(self, element: ET.Element, values: Mapping[str, str]) -> Iterator[str]:
        yield number(self.number(element, values.get("stroke-width", "1"), "stroke-width")) + " w"
        for name, choices, operator in (("stroke-linecap", _CAPS, "J"), ("stroke-linejoin", _JOINS, "j")):
            word = values.get(name)
            if word is not None:
                if word not in choices:
                    raise self.fail(element, f"{name}={word[:40]!r}")
                yield f"{choices[word]} {operator}"
        if "stroke-miterlimit" in values:
            yield number(self.number(element, values["stroke-miterlimit"], "stroke-miterlimit")) + " M"
        dashes = values.get("stroke-dasharray", "none")
        if dashes != "none":
            try:
                parts = numbers(dashes)
            except ValueError as error:
                raise self.fail(element, "stroke-dasharray cannot be read") from error
            if any(part < 0 for part in parts) or not any(parts):
                raise self.fail(element, "stroke-dasharray needs positive numbers")
            offset = self.number(element, values.get("stroke-dashoffset", "0"), "stroke-dashoffset")
            yield f"[{' '.join(map(number, parts))}] {number(offset)} d"

    def gradient(self, element: ET.Element, name: str, box: tuple[float, float, float, float]) -> Iterator[str]:
        found = self.by_id.get(name)
        if found is None or found.tag != _NAMESPACE + "linearGradient":
            raise self.fail(element, f"fill: no linearGradient {name!r} in this file")
        if set(found.attrib) - _GRADIENT:
            raise self.fail(found, f"attribute {min(set(found.attrib) - _GRADIENT)} is not in the subset")
        matrix = self.transform(found, found.get("gradientTransform", ""))
        if found.get("gradientUnits", "objectBoundingBox") == "objectBoundingBox":
            left, low, right, high = box
            if right == left or high == low:
                return
            matrix = d.multiplied(matrix, (right - left, 0, 0, high - low, left, low))
        ends = (
            self.portion(found, "x1", "0"),
            self.portion(found, "y1", "0"),
            self.portion(found, "x2", "1"),
            self.portion(found, "y2", "0"),
        )
        yield d.cm(matrix)
        yield self.drawing.shading(d.Gradient(ends=ends, stops=self.stops(found)))

    def portion(self, element: ET.Element, name: str, default: str) -> float:
        text = element.get(name, default).strip()
        if text.endswith("%"):
            return self.number(element, text[:-1], name) / 100
        return self.number(element, text, name)

    def stops(self, found: ET.Element) -> tuple[tuple[float, tuple[float, float, float]], ...]:
        stops: list[tuple[float, tuple[float, float, float]]] = []
        for stop in found:
            if stop.tag != _NAMESPACE + "stop" or set(stop.attrib) - {"offset", "stop-color"}:
                raise self.fail(stop, "only <stop offset stop-color> stands in a linearGradient")
            offset = min(1.0, max(0.0, self.portion(stop, "offset", "0")))
            style = _Style({"stop-color": stop.get("stop-color", "#000000")})
            colour = self.colour(stop, style, "stop-color", "#000000") or "#000000"
            red, green, blue = (round(int(colour[at : at + 2], 16) / _BYTE, 4) for at in (1, 3, 5))
            stops.append((max([offset, *(before for before, _ in stops)]), (red, green, blue)))
        if not stops:
            raise self.fail(found, "has no stops")
        return tuple(stops)


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _matrix(name: str, values: list[float]) -> d.Matrix:
    match name, values:
        case "matrix", [a, b, c, e, f, g]:
            return (a, b, c, e, f, g)
        case "translate", [x, *rest] if len(rest) <= 1:
            return (1, 0, 0, 1, x, rest[0] if rest else 0.0)
        case "scale", [x, *rest] if len(rest) <= 1:
            return (x, 0, 0, rest[0] if rest else x, 0, 0)
        case "rotate", [turn, *centre] if len(centre) in (0, 2):
            cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
            x, y = centre or (0.0, 0.0)
            return (cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y)
        case "skewX", [turn]:
            return (1, 0, math.tan(math.radians(turn)), 1, 0, 0)
        case "skewY", [turn]:
            return (1, math.tan(math.radians(turn)), 0, 1, 0, 0)
        case _:
            raise ValueError(name)


def draw_svg(where: str, data: bytes, drawing: d.Drawing, target: tuple[float, float, float, float]) -> None:
    """Append an SVG to a drawing, stretched to `target`: x, y, width, height in points, y upwards.

    Raises:
        LayoutError: no SVG, or something outside the subset, with the element's name.
    """
    if len(data) > MAX_SVG_BYTES:
        raise LayoutError(where, f"is larger than {MAX_SVG_BYTES} bytes")
    if b"<!" in data.replace(b"<!--", b"") or b"<?xml-stylesheet" in data:
        raise LayoutError(where, "doctypes, entities, CDATA and style sheets are not in the subset of SVG for forms")
    try:
        root = ET.fromstring(data)  # noqa: S314 -- no doctype, so no entities
    except (ET.ParseError, ValueError) as error:
        raise LayoutError(where, f"is no well-formed XML: {error}") from error
    if root.tag != _NAMESPACE + "svg":
        raise LayoutError(where, 'must be an <svg xmlns="http://www.w3.org/2000/svg">')
    reader = _Reader(where, root, drawing)
    try:
        left, top, width, height = numbers(root.get("viewBox", ""))
    except ValueError as error:
        raise LayoutError(where, "<svg> needs a viewBox of four numbers") from error
    if width <= 0 or height <= 0:
        raise LayoutError(where, "<svg> viewBox is empty")
    x, y, w, h = target
    sx, sy = w / width, h / height
    drawing.add("q", d.cm((sx, 0, 0, -sy, x - left * sx, y + h + top * sy)))
    reader.draw(root, _Style(), 0)
    drawing.add("Q")
