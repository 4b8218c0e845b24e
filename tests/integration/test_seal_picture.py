"""Seal pictures: drawn by us, or the agency's own, checked."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from templates.errors import LayoutError, MissingGlyphError
from templates.fonts import FontBook
from templates.raster import page_png
from templates.seal_picture import Pixels, drawn_seal, own_seal
from templates.writer import write_form
from tests.integration.test_fonts import BODY, LATIN
from tests.support.plain_form import plain_content, plain_form

if TYPE_CHECKING:
    from pathlib import Path

    from templates.fonts import Face

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">%s</svg>'
CIRCLE = SVG % b'<circle cx="5" cy="5" r="4" fill="#00ff00"/>'


@pytest.fixture(scope="module")
def fonts() -> FontBook:
    return FontBook()


@pytest.fixture(scope="module")
def faces(fonts: FontBook, tmp_path_factory: pytest.TempPathFactory) -> tuple[Face, Face]:
    folder = tmp_path_factory.mktemp("form")
    return fonts.face(BODY, folder), fonts.face(LATIN, folder)


def png(*, mode: str = "RGBA", size: tuple[int, int] = (40, 20)) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, "red").save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("name", ["局", "样本市市场监督管理局", "样本市" * 12, "甲 乙 ＡＢ"])
def test_a_red_seal_holds_one_outline_for_each_character(faces: tuple[Face, Face], name: str) -> None:
    plain = drawn_seal("", "red", faces).content().count("\nf\n")
    assert drawn_seal(name, "red", faces).content().count("\nf\n") == plain + len("".join(name.split()))


@pytest.mark.parametrize("name", ["City of Seattle", "Département d'État", "X" * 120])
def test_a_blue_seal_takes_latin_names_of_any_length(faces: tuple[Face, Face], name: str) -> None:
    assert drawn_seal(name, "blue", faces).content() == drawn_seal(name, "blue", faces).content()


def test_a_name_that_no_font_can_write_is_refused(faces: tuple[Face, Face]) -> None:
    with pytest.raises(MissingGlyphError, match="U\\+20BB7"):
        drawn_seal("𠮷局", "red", faces)


def test_an_own_png_keeps_its_transparency_and_shape() -> None:
    drawing = own_seal(png())
    pixels = drawing.images["I0"]
    assert isinstance(pixels, Pixels)
    assert (pixels.width, pixels.height, len(pixels.rgb), len(pixels.alpha)) == (40, 20, 2400, 800)
    assert "100 0 0 50 0 25 cm" in drawing.content()
    big = own_seal(png(mode="L", size=(3000, 1500))).images["I0"]
    assert isinstance(big, Pixels)
    assert (big.width, big.height) == (1000, 500)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "PNG or an SVG"),
        (b"GIF89a", "PNG or an SVG"),
        (png()[:60], "no PNG that can be read"),
        (b"\x89PNG\r\n\x1a\n" + bytes(2_000_000), "larger than"),
        (png(mode="1", size=(5000, 5000)), "pixels"),
        (SVG % b"<script/>", "<script>"),
        (SVG % b'<image href="https://evil.example/"/>', "<image>"),
        (SVG % b'<use href="https://evil.example/#a"/>', "same file"),
    ],
)
def test_a_dangerous_or_damaged_picture_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(LayoutError, match=words):
        own_seal(data)


@pytest.mark.parametrize("picture", [None, png(size=(50, 50)), CIRCLE], ids=["drawn", "png", "svg"])
def test_the_seal_stands_on_the_page(fonts: FontBook, tmp_path: Path, picture: bytes | None) -> None:
    form = plain_form(tmp_path, fonts, seal_picture=picture)
    page = Image.open(io.BytesIO(page_png(write_form(form, plain_content()).unsigned(), 50)))
    # The middle of the seal: 220 mm from the left, 142 mm from the top.
    red, green, blue = page.getpixel((round(220 / 25.4 * 50), round(142 / 25.4 * 50)))[:3]  # type: ignore[index]  # RGB
    assert (green > red + 60) if picture == CIRCLE else (red > green + 60)
    assert blue < max(red, green)
