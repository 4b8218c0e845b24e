"""Reading layout.toml: what it says comes out, and what is wrong is named with its place."""

import pytest

from templates.boxes import ImageBox, QRBox, SealBox, TextBox, ValueBox, WatermarkBox
from templates.errors import LayoutError
from templates.layout import parse_layout
from tests.support.plain_form import HEAD, LAYOUT


def test_every_kind_of_box_is_read_in_order() -> None:
    layout = parse_layout(LAYOUT)
    kinds = [type(box) for box in layout.boxes]
    assert kinds == [
        TextBox, TextBox, ValueBox, ValueBox, ValueBox, ValueBox, ImageBox, QRBox, ValueBox, SealBox, WatermarkBox,
    ]  # fmt: skip
    assert (layout.page.width, layout.page.height, layout.page.trim) == (297, 210, 8)
    assert layout.language == "zh-CN"
    assert layout.continuation is not None
    assert layout.continuation.footer == "{page} / {pages}"


def test_the_fields_are_those_that_any_box_prints() -> None:
    fields = {"name", "english", "from", "to", "scope", "portrait", "agency", "watermark"}
    assert parse_layout(LAYOUT).fields == fields


def test_defaults_hold_where_a_box_is_silent() -> None:
    box = parse_layout(LAYOUT).boxes[8]
    assert isinstance(box, ValueBox)
    assert (box.style.fonts, box.style.size, box.style.min_size) == (("body", "rare"), 12, 12)
    assert (box.style.colour, box.style.line_height, box.style.valign) == ("#1a1a1a", 1.35, "top")


def test_the_seal_is_red_in_chinese_and_blue_elsewhere() -> None:
    styles = [
        box.style
        for language in ("zh-CN", "en")
        for box in parse_layout(LAYOUT.replace("zh-CN", language)).boxes
        if isinstance(box, SealBox)
    ]
    assert styles == ["red", "blue"]


@pytest.mark.parametrize(
    ("old", "new", "where", "why"),
    [
        ("format = 1", "format = 2", "layout.toml", "format"),
        ('size = "A4-landscape"', 'size = "A4"', "[page]", "A4-landscape"),
        ('size = "A4-landscape"', "width = 20\nheight = 210", "[page]", "width"),
        ("trim = 8", "trim = 8\nmargin = 3", "[page]", "unknown key margin"),
        ('colour = "#fffdf5"', 'colour = "cream"', "[page]", "colour"),
        ('svg = "background.svg"', 'svg = "../secret.svg"', "[page]", "plain file name"),
        ('family = "noto-sans-jp"', 'family = "noto-sans-jp"\nfile = "a.ttf"', "[fonts.rare]", "either family or file"),
        ('sha256 = "c2f3', 'sha256 = "zzzz', "[fonts.rare]", "hexadecimal"),
        ("weight = 700", "weight = 1000", "[fonts.bold]", "weight"),
        ("weight = 700", "weight = 450.5", "[fonts.bold]", "whole number"),
        ('kind = "image"', 'kind = "picture"', "box 7", "kind"),
        ('text = "名称"', 'text = " "', "box 2 (text)", "empty"),
        ('align = "spread"', 'align = "middle"', "box 2 (text)", "align"),
        ('font = ["bold", "rare"]', 'font = ["bold", "rarer"]', "box 3 (value)", "[fonts.rarer]"),
        ("min_size = 10", "min_size = 17", "box 3 (value)", "min_size"),
        ("wrap = false", 'wrap = "no"', "box 3 (value)", "true or false"),
        ("{from:date-zh}", "{from:date-cn}", "box 5 (value) pattern", "date-cn"),
        ("{from:date-zh}", "{from:date-zh", "box 5 (value) pattern", "lone"),
        ("{from:date-zh}至{to:date-zh-long-term}", "长期", "box 5 (value)", "names no value"),
        ("baseline = 83", "baseline = 85", "box 5 (value)", "outside the box"),
        ('label = "经营范围"', "", "box 6 (value)", "label"),
        ("w = 25", "w = 125", "box 7 (image)", "nearer than 8 mm"),
        ("x = 230", "x = 10", "box 8 (qr)", "nearer than 8 mm"),
        ("size = 30", "size = 5", "box 8 (qr)", "size"),
        ('alt = "发证机关印章"', "", "box 10 (seal)", "alt"),
        ('field = "watermark"', 'field = "watermark"\ntext = "x"', "box 11 (watermark)", "either text or field"),
        ('tag = "H1"', 'tag = "P"', "layout.toml", "H1"),
        ('kind = "seal"', 'kind = "seal"\nstyle = "green"', "box 10 (seal)", "style"),
        ("h = 120", "h = 160", "[continuation]", "nearer than 8 mm"),
        ("[continuation]", "[further]", "layout.toml", "unknown key further"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, where: str, why: str) -> None:
    assert LAYOUT.count(old) >= 1
    with pytest.raises(LayoutError) as caught:
        parse_layout(LAYOUT.replace(old, new, 1))
    assert where in caught.value.where
    assert why in caught.value.why


@pytest.mark.parametrize("kind", ["qr", "seal"])
def test_exactly_one_code_and_one_seal(kind: str) -> None:
    box = LAYOUT[LAYOUT.index(f'[[box]]\nkind = "{kind}"') :]
    box = box[: box.index("[[box]]", 5)]
    for text in (LAYOUT.replace(box, ""), LAYOUT.replace("[continuation]", box + "[continuation]")):
        with pytest.raises(LayoutError, match=f"exactly one box of kind {kind}"):
            parse_layout(text)


def test_a_chain_of_optional_fonts_only_is_refused() -> None:
    text = LAYOUT.replace('family = "noto-sans-jp"', 'family = "noto-sans-jp"\noptional = true')
    assert parse_layout(text).fonts["rare"].optional
    with pytest.raises(LayoutError, match="every font of the chain is optional"):
        parse_layout(text.replace('font = "latin"', 'font = "rare"'))


def test_what_is_no_toml_is_a_layout_error() -> None:
    for text in ("", "format = ", HEAD, "box = 3"):
        with pytest.raises(LayoutError):
            parse_layout(text)


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ("rosette", "x = 100\ny = 100\ninner = 10\nouter = 40"),
        ("border", "x = 12\ny = 12\nw = 200\nh = 150"),
        ("band", "x = 12\ny = 12\nw = 200\nh = 5"),
        ("field", "x = 12\ny = 12\nw = 200\nh = 150"),
    ],
)
def test_guilloches_have_the_numbers_of_their_shape(shape: str, sizes: str) -> None:
    table = f'[[guilloche]]\nshape = "{shape}"\n{sizes}\n'
    (pattern,) = parse_layout(LAYOUT + table).guilloches
    assert pattern.shape == shape
    with pytest.raises(LayoutError, match="unknown key bend"):
        parse_layout(LAYOUT + table + "bend = 3\n")
    with pytest.raises(LayoutError, match="x: is required"):
        parse_layout(LAYOUT + table.replace(sizes, sizes.partition("\n")[2]))


def test_a_text_that_continues_needs_a_page_to_continue_on() -> None:
    with pytest.raises(LayoutError, match=r"box 6 .*needs a \[continuation\] table"):
        parse_layout(LAYOUT[: LAYOUT.index("[continuation]")])
