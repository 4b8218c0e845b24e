"""Reads a form's `layout.toml`. The reference for writers of forms is docs/templates.md."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from templates.boxes import (
    Box,
    Continuation,
    FontRole,
    Guilloche,
    ImageBox,
    Layout,
    Page,
    QRBox,
    Rect,
    SealBox,
    TextBox,
    TextStyle,
    ValueBox,
    WatermarkBox,
)
from templates.errors import LayoutError
from templates.formats import parse_pattern
from templates.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

# ISO 216 and ANSI/ASME Y14.1, portrait, mm.
_SIZES = {"A3": (297.0, 420.0), "A4": (210.0, 297.0), "A5": (148.0, 210.0), "Letter": (215.9, 279.4)}
_ALIGNS = ("left", "center", "right", "justify", "spread")
_VALIGNS = ("top", "middle", "bottom", "baseline")
_TAGS = ("H1", "H2", "P", "Caption", "Artifact")
_MAX_BYTES = 262_144
_MAX_BOXES = 400


_SHAPES: dict[str, dict[str, float | None]] = {
    "rosette": {"x": None, "y": None, "inner": None, "outer": None, "petals": 24, "strands": 8, "twist": 0},
    "border": {"x": None, "y": None, "w": None, "h": None, "thickness": 8, "wave": 10, "strands": 5},
    "band": {"x": None, "y": None, "w": None, "h": None, "wave": 8, "strands": 5},
    "field": {"x": None, "y": None, "w": None, "h": None, "gap": 1.6, "wave": 60, "swing": 6},
}
_LEAST = {"petals": 1, "strands": 1, "wave": 1, "gap": 0.2, "w": 1, "h": 1, "thickness": 0.5, "outer": 1}


class _Reader:
    """Reads boxes against the page, the roles and the defaults already known."""

    def __init__(self, page: Page, roles: dict[str, FontRole], defaults: Table) -> None:
        self.page = page
        self.roles = roles
        self.fonts = self._chain(defaults, "font", ())
        self.size = defaults.number("size", 12, low=2, high=400)
        self.colour = defaults.colour("colour", "#000000")
        self.line_height = defaults.number("line_height", 1.35, low=0.8, high=4)
        defaults.done()

    def _chain(self, table: Table, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        chain = table.texts(key, default)
        for role in chain:
            if role not in self.roles:
                raise table.fail(key, f"no [fonts.{role}]")
        if chain and all(self.roles[role].optional for role in chain):
            raise table.fail(key, "every font of the chain is optional; end it with one that is not")
        return chain

    def style(self, table: Table, prefix: str = "", *, size: float | None = None) -> TextStyle:
        fonts = self._chain(table, prefix + "font", self.fonts)
        if not fonts:
            raise table.fail(prefix + "font", "is required (or give one under [defaults])")
        points = table.number(prefix + "size", size or self.size, low=2, high=400)
        return TextStyle(
            fonts=fonts,
            size=points,
            min_size=table.number(prefix + "min_size", points, low=2, high=points),
            colour=table.colour(prefix + "colour", self.colour),
            align=table.choice(prefix + "align", _ALIGNS, "left"),
            valign=(valign := table.choice(prefix + "valign", _VALIGNS, "top")),
            baseline=table.number(prefix + "baseline") if valign == "baseline" else 0.0,
            spacing=table.number(prefix + "spacing", 0, low=-0.5, high=10),
            line_height=table.number(prefix + "line_height", self.line_height, low=0.8, high=4),
            tag=table.choice(prefix + "tag", _TAGS, "P"),
            language=table.text(prefix + "language", ""),
            wrap=table.flag(prefix + "wrap", default=True),
        )

    def rect(self, table: Table, *, margin: float = 0.0, square: bool = False) -> Rect:
        x, y = table.number("x"), table.number("y")
        w = table.number("size" if square else "w", low=0.1)
        h = w if square else table.number("h", low=0.1)
        self.inside(table, x - margin, y - margin, w + 2 * margin, h + 2 * margin)
        return Rect(x=x, y=y, w=w, h=h)

    def inside(self, table: Table, x: float, y: float, w: float, h: float) -> None:
        trim, slack = self.page.trim, 0.001
        if (
            x < trim - slack
            or y < trim - slack
            or x + w > self.page.width - trim + slack
            or y + h > self.page.height - trim + slack
        ):
            raise LayoutError(
                table.where,
                f"reaches from ({x:g}, {y:g}) to ({x + w:g}, {y + h:g}) mm, nearer than {trim:g} mm to the edge of "
                f"the {self.page.width:g} x {self.page.height:g} mm page",
            )


def _check_baseline(table: Table, rect: Rect, style: TextStyle) -> None:
    if style.valign == "baseline" and not rect.y <= style.baseline <= rect.y + rect.h:
        raise table.fail(
            "baseline", f"{style.baseline:g} lies outside the box, which reaches from {rect.y:g} to {rect.y + rect.h:g}"
        )


def _text_box(table: Table, reader: _Reader) -> TextBox:
    box = TextBox(where=table.where, rect=reader.rect(table), text=table.text("text"), style=reader.style(table))
    if not box.text.strip():
        raise table.fail("text", "is empty")
    _check_baseline(table, box.rect, box.style)
    return box


def _value_box(table: Table, reader: _Reader) -> ValueBox:
    if table.has("pattern"):
        parts = parse_pattern(f"{table.where} pattern", table.text("pattern"))
    else:
        name, form = table.text("field"), table.text("format", "plain")
        if not name or set(name) & set("{}:"):
            raise table.fail("field", f"{name!r} is no name of a value")
        parts = parse_pattern(f"{table.where} format", f"{{{name}:{form}}}")
    if not any(part.field for part in parts):
        raise table.fail("pattern", "names no value; use kind = text")
    continues = table.choice("overflow", ("refuse", "continue"), "refuse") == "continue"
    box = ValueBox(
        where=table.where,
        rect=reader.rect(table),
        parts=parts,
        empty=table.text("empty", ""),
        label=table.text("label", None if continues else ""),
        continues=continues,
        style=reader.style(table),
    )
    _check_baseline(table, box.rect, box.style)
    return box


def _image_box(table: Table, reader: _Reader) -> ImageBox:
    return ImageBox(
        where=table.where,
        rect=reader.rect(table),
        field=table.text("field"),
        fit=table.choice("fit", ("cover", "contain"), "cover"),
        dpi=table.number("dpi", 300, low=72, high=600),
        alt=table.text("alt"),
        required=table.flag("required", default=True),
    )


def _qr_box(table: Table, reader: _Reader) -> QRBox:
    size = table.number("size", low=8, high=120)
    quiet = table.number("quiet", size / 12, low=0.5, high=30)
    rect = Rect(x=table.number("x"), y=table.number("y"), w=size, h=size)
    reader.inside(table, rect.x - quiet, rect.y - quiet, size + 2 * quiet, size + 2 * quiet)
    bare = table.take("backing", "#ffffff")
    backing = "" if bare == "none" else Table(table.where, {"backing": bare}).colour("backing", "#ffffff")
    return QRBox(
        where=table.where,
        rect=rect,
        quiet=quiet,
        backing=backing,
        colour=table.colour("colour", "#000000"),
        alt=table.text("alt"),
        under_labels=table.texts("under_labels"),
        under_style=reader.style(table, "under_", size=7.5),
        under_width=table.number("under_width", size + 2 * quiet),
        under_gap=table.number("under_gap", 1.0, high=30),
    )


def _seal_box(table: Table, reader: _Reader, language: str) -> SealBox:
    default = "red" if language.startswith("zh") else "blue"
    return SealBox(
        where=table.where,
        rect=reader.rect(table, square=True),
        alt=table.text("alt"),
        style=table.choice("style", ("red", "blue"), default),
    )


def _watermark_box(table: Table, reader: _Reader) -> WatermarkBox:
    if table.has("text") == table.has("field"):
        raise LayoutError(table.where, "give either text or field")
    return WatermarkBox(
        where=table.where,
        x=table.number("x", reader.page.width / 2),
        y=table.number("y", reader.page.height / 2),
        text=table.text("text", ""),
        field=table.text("field", ""),
        angle=table.number("angle", 30, low=-180, high=180),
        opacity=table.number("opacity", 0.08, low=0, high=1),
        repeat=table.flag("repeat", default=False),
        style=reader.style(table, size=60),
    )


def _box(number: int, raw: object, reader: _Reader, language: str) -> Box:
    table = Table(f"layout.toml box {number}", raw)
    kind = table.choice("kind", ("text", "value", "image", "qr", "seal", "watermark"))
    table.where += f" ({kind})"
    box: Box
    match kind:
        case "text":
            box = _text_box(table, reader)
        case "value":
            box = _value_box(table, reader)
        case "image":
            box = _image_box(table, reader)
        case "qr":
            box = _qr_box(table, reader)
        case "seal":
            box = _seal_box(table, reader, language)
        case _:
            box = _watermark_box(table, reader)
    table.done()
    return box


def _page(raw: object) -> Page:
    table = Table("layout.toml [page]", raw)
    if table.has("size"):
        sizes = {f"{name}-portrait": size for name, size in _SIZES.items()}
        sizes |= {f"{name}-landscape": (size[1], size[0]) for name, size in _SIZES.items()}
        width, height = sizes[table.choice("size", tuple(sizes))]
    else:
        width, height = table.number("width", low=40), table.number("height", low=40)
    page = Page(
        width=width,
        height=height,
        trim=table.number("trim", 5, high=min(width, height) / 3),
        colour=table.colour("colour", "#ffffff") if table.has("colour") else "",
        svg=_file_name(table, "svg", ""),
    )
    table.done()
    return page


def _file_name(table: Table, key: str, default: str | None) -> str:
    name = table.text(key, default)
    if name and (name.startswith(".") or not all(c.isalnum() or c in "._-" for c in name)):
        raise table.fail(key, f"must be a plain file name in the folder, not {name!r}")
    return name


def _font_role(name: str, raw: object) -> FontRole:
    table = Table(f"layout.toml [fonts.{name}]", raw)
    if table.has("family") == table.has("file"):
        raise LayoutError(table.where, "give either family or file")
    role = FontRole(
        name=name,
        family=table.text("family", ""),
        file=_file_name(table, "file", ""),
        weight=table.whole("weight", 400, low=100, high=900),
        optical=table.number("optical", 0, high=144),
        sha256=table.text("sha256").lower(),
        optional=table.flag("optional", default=False),
    )
    if len(role.sha256) != 64 or set(role.sha256) - set("0123456789abcdef"):  # noqa: PLR2004 -- SHA-256 in hex
        raise table.fail("sha256", "must be 64 hexadecimal digits")
    table.done()
    return role


def _guilloche(number: int, raw: object) -> Guilloche:
    table = Table(f"layout.toml guilloche {number}", raw)
    shape = table.choice("shape", tuple(_SHAPES))
    sizes = {key: table.number(key, default, low=_LEAST.get(key, 0)) for key, default in _SHAPES[shape].items()}
    result = Guilloche(
        where=table.where,
        shape=shape,
        sizes=sizes,
        colour=table.colour("colour", "#c9a96a"),
        width=table.number("width", 0.2, low=0.05, high=5),
        opacity=table.number("opacity", 1, high=1),
    )
    table.done()
    return result


def _continuation(raw: object, reader: _Reader) -> Continuation:
    table = Table("layout.toml [continuation]", raw)
    page, inset = reader.page, reader.page.trim + 20
    rect = Rect(
        x=table.number("x", inset),
        y=table.number("y", inset + 20),
        w=table.number("w", page.width - 2 * inset, low=20),
        h=table.number("h", page.height - 2 * inset - 20, low=20),
    )
    reader.inside(table, rect.x, rect.y, rect.w, rect.h)
    result = Continuation(
        rect=rect,
        title=table.text("title"),
        header=parse_pattern(table.where, table.text("header", "")),
        footer=table.text("footer", "{page} / {pages}"),
        mark=table.text("mark", "→"),
        svg=_file_name(table, "svg", ""),
        title_style=reader.style(table, "title_", size=20),
        style=reader.style(table),
    )
    table.done()
    return result


def _tables(root: Table, key: str) -> list[object]:
    value = root.take(key, [])
    if not isinstance(value, list) or len(value) > _MAX_BOXES:
        raise root.fail(key, f"must be a list of at most {_MAX_BOXES} tables [[{key}]]")
    return value


def parse_layout(text: str) -> Layout:
    """Return the form that a layout.toml describes.

    Raises:
        LayoutError: with the place and the reason.
    """
    try:
        root = Table("layout.toml", tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise LayoutError("layout.toml", f"is no valid TOML: {error}") from error
    root.whole("format", 0, low=1, high=1)
    language = root.text("language")
    common = root.text("common", "")
    page = _page(root.take("page"))
    raw_fonts = root.take("fonts")
    if not isinstance(raw_fonts, dict) or not raw_fonts:
        raise root.fail("fonts", "at least one [fonts.<role>] is required")
    roles = {name: _font_role(name, raw) for name, raw in raw_fonts.items()}
    reader = _Reader(page, roles, Table("layout.toml [defaults]", root.take("defaults", {})))
    boxes = tuple(_box(number, raw, reader, language) for number, raw in enumerate(_tables(root, "box"), start=1))
    guilloches = tuple(_guilloche(n, raw) for n, raw in enumerate(_tables(root, "guilloche"), start=1))
    continuation = _continuation(root.take("continuation"), reader) if root.has("continuation") else None
    root.done()
    _check_whole(boxes, continuation)
    return Layout(
        language=language,
        common=common,
        page=page,
        fonts=roles,
        boxes=boxes,
        guilloches=guilloches,
        continuation=continuation,
    )


def _check_whole(boxes: tuple[Box, ...], continuation: Continuation | None) -> None:
    for kind, name in ((QRBox, "qr"), (SealBox, "seal")):
        if sum(isinstance(box, kind) for box in boxes) != 1:
            raise LayoutError("layout.toml", f"exactly one box of kind {name} is required")
    for box in boxes:
        if isinstance(box, ValueBox) and box.continues and continuation is None:
            raise LayoutError(box.where, 'overflow = "continue" needs a [continuation] table')
    if sum(isinstance(box, TextBox) and box.style.tag == "H1" for box in boxes) != 1:
        raise LayoutError("layout.toml", 'exactly one text box with tag = "H1" is required')


def read_layout(folder: Path) -> Layout:
    """Return the form in a type folder.

    Raises:
        LayoutError: layout.toml is missing, too large, not UTF-8 or wrong.
    """
    path = folder / "layout.toml"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LayoutError("layout.toml", f"cannot be read: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise LayoutError("layout.toml", f"is larger than {_MAX_BYTES} bytes")
    try:
        return parse_layout(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise LayoutError("layout.toml", "is not UTF-8") from error
