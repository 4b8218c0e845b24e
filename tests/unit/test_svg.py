"""The subset of SVG: what is drawn, and what is refused by name."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.drawing import Drawing, arc
from templates.errors import LayoutError
from templates.svg import draw_svg
from templates.svgpath import path_moves

SVG = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 100 50">{}</svg>'


def drawn(content: str, target: tuple[float, float, float, float] = (0, 0, 100, 50)) -> Drawing:
    drawing = Drawing()
    draw_svg("background.svg", SVG.format(content).encode(), drawing, target)
    return drawing


def test_the_page_is_turned_upright_and_stretched() -> None:
    assert drawn("", (10, 20, 200, 25)).operators == ["q", "2 0 0 -0.5 10 45 cm", "Q"]


def test_shapes_become_paths() -> None:
    content = drawn('<rect x="1" y="2" width="3" height="4" fill="#f00" stroke="black" stroke-width=".5"/>').content()
    assert "1 0 0 rg" in content
    assert "0 0 0 RG" in content
    assert "0.5 w" in content
    assert "1 2 m 4 2 l 4 6 l 1 6 l h\nB" in content


def test_styles_are_inherited_and_opacity_multiplies() -> None:
    drawing = drawn('<g fill="none" stroke="#00f" style="opacity:.5"><g opacity="0.5"><path d="M0 0L1 1"/></g></g>')
    assert list(drawing.states) == [(0.25, 0.25, "Normal")]
    assert "0 0 1 RG" in drawing.content()
    assert drawing.operators.count("q") == drawing.operators.count("Q")


def test_a_gradient_fills_the_clipped_shape() -> None:
    drawing = drawn(
        '<defs><linearGradient id="g" x2="50%"><stop offset="0" stop-color="red"/><stop offset="1" '
        'stop-color="#00f"/></linearGradient></defs><circle cx="5" cy="5" r="2" fill="url(#g)"/>'
    )
    ((gradient, name),) = drawing.gradients.items()
    assert gradient.ends == (0, 0, 0.5, 0)
    assert gradient.stops == ((0.0, (1, 0, 0)), (1.0, (0, 0, 1)))
    assert f"/{name} sh" in drawing.content()
    assert "4 0 0 4 3 3 cm" in drawing.content()


def test_use_draws_an_element_of_the_same_file_again() -> None:
    content = drawn(
        '<path id="p" d="M0 0h1"/><use href="#p" x="7"/><use xlink:href="#p" transform="scale(2)"/>'
    ).content()
    assert content.count("0 0 m 1 0 l") == 3
    assert "1 0 0 1 7 0 cm" in content


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ('<image href="http://evil.example/x.png"/>', "<image>"),
        ('<text x="1">hello</text>', "<text>"),
        ("<style>path{}</style>", "<style>"),
        ('<path d="M0 0" onclick="x()"/>', "onclick"),
        ('<path d="M0 0" class="x"/>', "class"),
        ('<path d="M0 0" filter="url(#f)"/>', "filter"),
        ('<path id="here" d="M0 0" style="mask:none"/>', "<path id=here>"),
        ('<use href="other.svg#x"/>', "same file"),
        ('<use href="#nobody"/>', "same file"),
        ('<g id="loop"><use href="#loop"/></g>', "nested too deep"),
        ('<foreignObject width="1" height="1"/>', "<foreignObject>"),
        ('<x xmlns="http://example.org/other"/>', "<x>"),
        ('<rect width="50%" height="1"/>', "width"),
        ('<path d="M0 0" fill="url(#none)"/>', "linearGradient"),
        ('<path d="M0 0" fill="papayawhip"/>', "papayawhip"),
        ('<path d="L0 0"/>', "begin with M"),
        ('<path d="M0"/>', "a number is expected"),
        ('<path d="M0 0" transform="matrix(1 2 3)"/>', "transform"),
        ('<path d="M0 0" transform="scale(1) nonsense"/>', "transform"),
        ('<path d="M0 0" stroke="red" stroke-dasharray="1 -1"/>', "stroke-dasharray"),
        ("<svg/>", "inside another"),
        ("<!DOCTYPE x>", "doctypes"),
        ("<![CDATA[x]]>", "CDATA"),
    ],
)
def test_what_is_outside_the_subset_is_refused_by_name(content: str, named: str) -> None:
    with pytest.raises(LayoutError) as caught:
        drawn(content)
    assert named in str(caught.value)
    assert caught.value.where.startswith("background.svg")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg",
        b"<svg/>",
        b'<?xml-stylesheet href="x.css"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>',
        b'<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 0 1"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 nan 1"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b" " * 2_000_001,
        b"\xff\xfe<svg",
    ],
)
def test_what_is_no_svg_of_ours_is_a_layout_error(data: bytes) -> None:
    with pytest.raises(LayoutError):
        draw_svg("x.svg", data, Drawing(), (0, 0, 1, 1))


def test_path_commands_are_resolved() -> None:
    moves = path_moves("m1,2 3-4.5.5.5 H9v1 q1 1 2 0t2 0 s1 1 2 2 z")
    assert [letter for letter, _ in moves] == ["M", "L", "L", "L", "L", "C", "C", "C", "Z"]
    assert [values for _, values in moves[:5]] == [(1, 2), (4, -2.5), (4.5, -2), (9, -2), (9, -1)]
    ends = [values[-2:] for _, values in moves[5:8]]
    assert ends == [(11, -1), (13, -1), (15, 1)]


def test_arc_flags_may_stand_without_blanks() -> None:
    assert path_moves("M0 0a1 1 0 01.5.5") == path_moves("M0 0 a 1 1 0 0 1 0.5 0.5")


@given(
    st.tuples(st.floats(0.5, 30), st.floats(0.5, 30), st.floats(-180, 180)),
    st.tuples(st.booleans(), st.booleans()),
    st.tuples(st.floats(-20, 20), st.floats(-20, 20)),
)
def test_arcs_end_where_they_should_and_stay_near(
    radii: tuple[float, float, float], flags: tuple[bool, bool], end: tuple[float, float]
) -> None:
    moves = arc((0.0, 0.0), radii, flags, end)
    if end == (0.0, 0.0):
        assert moves == []
        return
    assert moves[-1][1][-2:] == end
    # Radii too small for the distance are scaled up.
    wide, narrow = max(radii[:2]), min(radii[:2])
    reach = 4 * (wide * (1 + math.hypot(*end) / narrow) + math.hypot(*end))
    assert all(abs(value) <= reach for _, values in moves for value in values)


@given(st.text(st.sampled_from("MmLlHhVvCcSsQqTtAaZz 0123456789.-+e,"), max_size=60))
def test_any_path_data_is_drawn_or_refused(data: str) -> None:
    try:
        content = drawn(f'<path d="{data}"/>').content()
    except LayoutError:
        return
    assert re.fullmatch(r"[-0-9. a-zA-Z\n*]*", content)


@given(st.binary(max_size=200))
def test_any_bytes_are_drawn_or_refused(data: bytes) -> None:
    with pytest.raises(LayoutError):
        draw_svg("x.svg", data, Drawing(), (0, 0, 1, 1))
