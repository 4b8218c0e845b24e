"""Fonts as they lie on the machine: found, checked, cut, sliced."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fontTools.ttLib import TTFont

from templates.boxes import FontRole
from templates.errors import FontMissingError
from templates.fonts import Face, FontBook
from tests.support.plain_form import JP, SC, SERIF, WENKAI

if TYPE_CHECKING:
    from pathlib import Path

BODY = FontRole(name="body", family="noto-sans-sc", file="", weight=400, optical=0, sha256=SC, optional=False)
KAI = replace(BODY, family="lxgw-wenkai", sha256=WENKAI)
LATIN = replace(BODY, family="source-serif-4", sha256=SERIF, optical=20.0)


@pytest.fixture(scope="module")
def fonts() -> FontBook:
    return FontBook()


def test_a_variable_font_is_cut_to_its_weight_once(fonts: FontBook, tmp_path: Path) -> None:
    regular = fonts.face(BODY, tmp_path)
    bold = fonts.face(replace(BODY, weight=700), tmp_path)
    assert regular is fonts.face(replace(BODY, name="other"), tmp_path)
    assert regular.outline(regular.glyph("营")) != bold.outline(bold.glyph("营"))
    assert regular.advance(regular.glyph("营")) == 1000
    assert regular.glyph("𠮷") == 0
    japanese = fonts.face(replace(BODY, family="noto-sans-jp", sha256=JP), tmp_path)
    assert japanese.glyph("𠮷") > 0


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (replace(BODY, family="comic-sans"), ["unknown family", "noto-sans-sc"]),
        (replace(BODY, sha256="0" * 64), ["another file", SC, "pip install justmytype-intl-cjk"]),
        (replace(BODY, weight=950), ["has no wght 950"]),
        (replace(BODY, optical=12.0), ["has no opsz 12"]),
        (replace(KAI, weight=500), ["has weights 300, 400, 700"]),
        (replace(BODY, family="", file="house.ttf"), ["house.ttf is not on this machine", "folder of the form"]),
    ],
)
def test_a_font_that_is_not_there_is_named_with_the_way_to_get_it(
    fonts: FontBook, tmp_path: Path, role: FontRole, words: list[str]
) -> None:
    with pytest.raises(FontMissingError) as caught:
        fonts.face(role, tmp_path)
    for word in words:
        assert word in str(caught.value)


def test_a_family_of_the_system_is_looked_for_in_the_folders_given(tmp_path: Path) -> None:
    with pytest.raises(FontMissingError, match="apt install fonts-lxgw-wenkai"):
        FontBook(font_folders=(tmp_path,)).face(KAI, tmp_path)


def test_what_is_no_truetype_font_is_refused() -> None:
    for content in (b"", b"OTTO" + bytes(200), b"\0\1\0\0" + bytes(8)):
        with pytest.raises(FontMissingError, match="no TrueType font"):
            Face("junk", content)


def checked(data: bytes) -> TTFont:
    """Open a small font strictly: checksums, every glyph, every component."""
    font = TTFont(io.BytesIO(data), checkChecksums=2)
    for name in font.getGlyphOrder():
        font["glyf"][name].expand(font["glyf"])
        for component in font["glyf"][name].getComponentNames(font["glyf"]):
            assert component in font.getGlyphOrder()
    return font


@pytest.mark.parametrize("role", [BODY, LATIN], ids=["one outline a glyph", "composite glyphs"])
def test_a_slice_of_a_font_holds_just_the_glyphs_asked_for(fonts: FontBook, tmp_path: Path, role: FontRole) -> None:
    face = fonts.face(role, tmp_path)
    chars = "ABCÅÉñüß" if role is LATIN else "甬江样本茶叶贸易有限公司"
    data, count = face.glyphs.font([face.glyph(char) for char in chars])
    font = checked(data)
    assert count == font["maxp"].numGlyphs >= len(chars) + 1
    assert (count > len(chars) + 1) == (role is LATIN)
    order = font.getGlyphOrder()
    for number, char in enumerate(chars, start=1):
        width, _ = font["hmtx"][order[number]]
        assert round(width * 1000 / face.units_per_em) == face.advance(face.glyph(char))
    assert data == face.glyphs.font([face.glyph(char) for char in chars])[0]


def test_slices_of_no_and_of_many_glyphs(fonts: FontBook, tmp_path: Path) -> None:
    face = fonts.face(BODY, tmp_path)
    assert checked(face.glyphs.font([])[0])["maxp"].numGlyphs == 1
    many = [face.glyph(chr(code)) for code in range(0x4E00, 0x4E00 + 1500)]
    font = checked(face.glyphs.font(many)[0])
    assert font["head"].indexToLocFormat == 1
    twice = face.glyphs.font([face.glyph("营")] * 2)[0]
    assert checked(twice)["maxp"].numGlyphs == 3
