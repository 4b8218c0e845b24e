"""Words over every page: any form, any size of page, any length, and fonts that lack half of what is asked."""

import io
import math
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest

from templates.boxes import FontRole
from templates.copymark import CopyMark, can_print, mark_faces, mark_objects
from templates.fonts import Face, FontBook
from templates.form import CompiledForm
from templates.writer import write_form
from tests.support.plain_form import plain_content, plain_form

SERIF = "97b2d4da6e3cb494b5a1e66ae176914d852ccabef49e0c02c0df25f3e39aca0b"


@pytest.fixture(scope="module")
def fonts() -> FontBook:
    return FontBook()


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory, fonts: FontBook) -> CompiledForm:
    return plain_form(tmp_path_factory.mktemp("plain"), fonts=fonts)


@pytest.fixture(scope="module")
def latin(fonts: FontBook, tmp_path_factory: pytest.TempPathFactory) -> Face:
    """A face without a single Chinese character."""
    role = FontRole(name="x", family="source-serif-4", file="", weight=400, optical=0.0, sha256=SERIF, optional=False)
    return fonts.face(role, tmp_path_factory.mktemp("none"))


def marked(form: CompiledForm, mark: CopyMark, **values: str) -> bytes:
    return write_form(form, replace(plain_content(values), mark=mark)).unsigned()


def words(pdf: bytes) -> list[str]:
    with pdfium.PdfDocument(pdf) as document:
        return ["".join(page.get_textpage().get_text_bounded().split()) for page in document]


def test_each_page_has_them(form: CompiledForm, fonts: FontBook, tmp_path: Path) -> None:
    faces = mark_faces(fonts, tmp_path, form)
    mark = CopyMark(across=("仅供甲", "for A"), head="上", foot="FOOT", faces=faces)
    pages = words(marked(form, mark, scope="一般项目：茶具销售；会议及展览服务。" * 300))
    assert len(pages) > 1
    for text in pages:
        assert text.count("仅供甲") > 8
        assert text.count("forA") > 8
        assert "FOOT" in text


def test_equal_marks_give_equal_bytes_and_no_mark_gives_the_old_ones(
    form: CompiledForm, fonts: FontBook, tmp_path: Path
) -> None:
    mark = CopyMark(across=("one",), head="two", foot="three", faces=mark_faces(fonts, tmp_path, form))
    assert marked(form, mark) == marked(form, mark)
    plain = write_form(form, plain_content()).unsigned()
    assert b"CopyMark" not in plain
    assert len(plain) < len(marked(form, mark))


def test_the_frozen_part_is_that_of_licences(form: CompiledForm, fonts: FontBook, tmp_path: Path) -> None:
    mark = CopyMark(across=("one",), head="two", foot="three", faces=mark_faces(fonts, tmp_path, form))
    assert marked(form, mark).startswith(form.prefix)


def test_what_no_face_has_cannot_be_printed(form: CompiledForm, fonts: FontBook, latin: Face, tmp_path: Path) -> None:
    assert can_print("Rainport, é – 7", (latin,))
    for text in ("仅供", "a\nb", "a\x00b", "a\u202eb", "\ud800", "a\u200bb", "\ue000"):
        assert not can_print(text, (latin,)), ascii(text)
    assert can_print("仅供", (latin, *mark_faces(fonts, tmp_path, form)))
    assert can_print("", ())
    assert not can_print("a", ())


def test_a_machine_without_our_fonts_uses_the_forms_own(form: CompiledForm, tmp_path: Path) -> None:
    class Bare(FontBook):
        def _find(self, role: FontRole, folder: Path) -> tuple[Path | None, str]:
            return None, f"{role.name} {folder}"

    faces = mark_faces(Bare(), tmp_path, form)
    assert faces == tuple(dict.fromkeys(font.face for font in form.fonts))
    mark = CopyMark(across=("for A",), head="head", foot="foot", faces=faces)
    assert "forA" in words(marked(form, mark))[0]


@pytest.mark.parametrize(("width", "height"), [(210.0, 297.0), (420.0, 297.0), (85.6, 54.0), (40.0, 400.0)])
@pytest.mark.parametrize("length", [1, 60, 600])
def test_no_length_and_no_page_breaks_it(width: float, height: float, length: int, latin: Face) -> None:
    mark = CopyMark(across=("W" * length, "w " * length), head="H" * length, foot="f " * length, faces=(latin,))
    bodies = mark_objects(mark, width=width, height=height, first=7)
    assert len(bodies) == 7
    with pikepdf.new() as document:
        stream = bodies[-1].partition(b"stream\n")[2].rpartition(b"\nendstream")[0]
        content = pikepdf.Stream(document, stream, Filter=pikepdf.Name.FlateDecode).read_bytes()
    assert content.count(b"BT") == content.count(b"ET") == 3
    assert content.count(b"q ") == content.count(b"Q\n") == 3
    numbers = [float(word) for word in content.split() if word.replace(b".", b"").replace(b"-", b"").isdigit()]
    assert all(math.isfinite(number) for number in numbers)


def test_the_mark_is_no_part_of_what_is_read_aloud(form: CompiledForm, fonts: FontBook, tmp_path: Path) -> None:
    mark = CopyMark(across=("one",), head="two", foot="three", faces=mark_faces(fonts, tmp_path, form))
    with pikepdf.open(io.BytesIO(marked(form, mark))) as document:
        content = document.pages[0].Contents[1].read_bytes()
    assert content.endswith(b"/Artifact BMC\n/CopyMark Do\nEMC\n")


def test_a_value_that_is_withheld_is_not_said_to_be_none(form: CompiledForm) -> None:
    (bare,) = words(write_form(form, plain_content({"to": None})).unsigned())
    content = replace(plain_content({"name": None, "to": None}), withheld=frozenset({"name", "to"}))
    (text,) = words(write_form(form, content).unsigned())
    assert "长期" in bare
    assert "***" in text
    assert "长期" not in text
