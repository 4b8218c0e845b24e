"""Values on the page: set, shrunk, continued, refused; never cut, never a blank box."""

from __future__ import annotations

import csv
import datetime as dt
import io
import pickle
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pikepdf
import pytest
from PIL import Image

from templates.compile import compile_form
from templates.errors import (
    DoesNotFitError,
    LayoutError,
    MissingGlyphError,
    TemplateError,
    ValueFormatError,
)
from templates.fonts import FontBook
from templates.raster import RasterError, page_count, page_image, page_png, page_text
from templates.writer import write_form
from tests.support import plain_form as plain
from tests.support.reading import opened, poppler_text, squeezed

if TYPE_CHECKING:
    from templates.form import CompiledForm

REGISTER = Path(__file__).resolve().parents[3] / "shared/data/ningbo-companies.csv"


@pytest.fixture(scope="module")
def fonts() -> FontBook:
    return FontBook()


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory, fonts: FontBook) -> CompiledForm:
    return plain.plain_form(tmp_path_factory.mktemp("form"), fonts)


def written(form: CompiledForm, **values: str | dt.date | bytes | None) -> bytes:
    return write_form(form, plain.plain_content(values)).unsigned()


def sizes(pdf: bytes, page: int = 0) -> list[float]:
    """Font sizes in the order in which text is set."""
    document = opened(pdf)
    content = pikepdf.parse_content_stream(document.pages[page])
    return [float(each.operands[0]) for each in content if str(each.operator) == "Tm"]


def test_every_real_row_is_printed_whole(form: CompiledForm) -> None:
    if not REGISTER.is_file():
        pytest.skip("the real registers are not beside the project (../shared/data)")
    with REGISTER.open(encoding="utf-8-sig", newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: len(row["opt_scop"]))
    for row in (*rows[:: len(rows) // 20], *rows[-5:]):
        pdf = written(form, name=row["comp_nm"], scope=row["opt_scop"], agency=row["reg_org"])
        text = poppler_text(pdf)
        assert squeezed(row["comp_nm"]) in text
        assert squeezed(row["reg_org"]) in text
        whole = squeezed(row["opt_scop"])
        at = text.find(whole[:20])
        if page_count(pdf) == 1:
            assert whole in text
        else:
            first, _, rest = text[at:].partition("（转续页）")
            assert whole.startswith(first)
            assert whole.removeprefix(first) in rest


def test_every_real_row_gives_the_same_text_in_pdfium(form: CompiledForm) -> None:
    if not REGISTER.is_file():
        pytest.skip("the real registers are not beside the project (../shared/data)")
    with REGISTER.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::13]:
        assert squeezed(row["comp_nm"]) in squeezed(page_text(written(form, name=row["comp_nm"])))


@pytest.mark.parametrize(
    ("name", "size"),
    [("甲" * 20, 16), ("甲" * 25, 13.5), ("甲" * 34, 10)],
)
def test_a_longer_name_is_set_smaller_down_to_the_least_size(form: CompiledForm, name: str, size: float) -> None:
    assert sizes(written(form, name=name))[2] == size


def test_a_name_that_does_not_fit_at_the_least_size_is_refused(form: CompiledForm) -> None:
    with pytest.raises(DoesNotFitError, match=r"name: 35 characters do not fit the box of 120\.0 x 7\.0 mm") as caught:
        written(form, name="甲" * 35)
    assert caught.value.field == "name"
    with pytest.raises(DoesNotFitError):
        written(form, name="甲\n乙")


def test_words_are_made_smaller_before_they_are_broken(form: CompiledForm) -> None:
    assert sizes(written(form, english="Incomprehensibilities " * 4))[3] == 12
    assert 8 <= sizes(written(form, english="X" * 44))[3] < 12
    with pytest.raises(DoesNotFitError):
        written(form, english="word " * 400)


def test_line_breaks_of_a_value_stay(form: CompiledForm) -> None:
    text = page_text(written(form, scope="第一行\r\n第二行\r第三行\n\n第五行"))
    assert [line for line in text.split() if line.startswith("第")] == ["第一行", "第二行", "第三行", "第五行"]


def test_a_very_long_text_takes_as_many_pages_as_it_needs(form: CompiledForm) -> None:
    scope = "".join(f"{number}号项目，" for number in range(1500))
    pdf = written(form, scope=scope)
    text = poppler_text(pdf)
    count = page_count(pdf)
    assert count > 4
    positions = [text.find(f"{number}号项目") for number in range(10, 1500, 10)]
    assert positions == sorted(positions)
    assert -1 not in positions
    assert text.count("甬江样本茶叶贸易有限公司") == count
    with pytest.raises(DoesNotFitError, match="50 further pages"):
        written(form, scope=scope * 20)


@pytest.mark.parametrize(
    ("field", "value", "char"),
    [
        ("name", "某\U000e0100", "\U000e0100"),
        ("english", "汉", "汉"),
        ("scope", "a\tb", "\t"),
        ("scope", "a\x00b", "\x00"),
        ("agency", "\u0627\u0644", "\u0627"),
        ("watermark", "𠮷", "𠮷"),
        ("name", "\ud800", "\ud800"),
    ],
)
def test_a_character_that_no_font_has_stops_the_record(form: CompiledForm, field: str, value: str, char: str) -> None:
    with pytest.raises(MissingGlyphError) as caught:
        written(form, **{field: value})
    assert (caught.value.field, caught.value.char) == (field, char)
    assert f"U+{ord(char):04X}" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"from": "gestern"}, "from"),
        ({"name": b"x"}, "name"),
        ({"portrait": b"no picture"}, "portrait"),
        ({"portrait": "text"}, "portrait"),
        ({"portrait": plain.portrait()[:500]}, "portrait"),
        ({"portrait": b"\xff\xd8" + bytes(10 * 1024 * 1024)}, "portrait"),
        ({"watermark": b"x"}, "watermark"),
    ],
)
def test_a_value_of_the_wrong_kind_names_its_field(
    form: CompiledForm, values: dict[str, str | dt.date | bytes | None], field: str
) -> None:
    with pytest.raises(ValueFormatError) as caught:
        written(form, **values)
    assert caught.value.field == field


def test_a_value_that_the_form_prints_must_be_given(form: CompiledForm) -> None:
    content = plain.plain_content()
    values = {name: value for name, value in content.values.items() if name != "agency"}
    with pytest.raises(ValueFormatError) as caught:
        write_form(form, replace(content, values=values))
    assert caught.value.field == "agency"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sealed_at": dt.datetime(2026, 11, 22)}, "sealed_at"),  # noqa: DTZ001 -- what is refused
        ({"attachment_name": "../record.json"}, "attachment_name"),
        ({"attachment_name": ""}, "attachment_name"),
        ({"qr": (20, bytes(400))}, "qr"),
        ({"qr": (21, bytes(400))}, "qr"),
        ({"under_qr": ("a",) * 5}, "under_qr"),
        ({"under_qr": ("A" * 90,)}, "under_qr"),
    ],
)
def test_content_that_is_not_well_formed_is_refused(form: CompiledForm, change: dict[str, object], field: str) -> None:
    with pytest.raises(TemplateError) as caught:
        write_form(form, replace(plain.plain_content(), **change))  # type: ignore[arg-type]  # that is the test
    assert caught.value.field == field


def test_a_photograph_is_stored_again_upright_and_bare(form: CompiledForm) -> None:
    pdf = written(form, portrait=plain.portrait(width=4000, height=3000))
    document = opened(pdf)
    picture = document.pages[0].obj.Resources.XObject.Im0
    data = picture.read_raw_bytes()
    image = Image.open(io.BytesIO(data))
    assert (image.format, image.mode) == ("JPEG", "RGB")
    assert not image.getexif()
    assert b"SECRET PLACE" not in data
    assert image.size == (int(picture.Width), int(picture.Height)) == (295, 413)
    assert len(data) < 60_000


@pytest.mark.parametrize("form_of", ["PNG", "JPEG"])
def test_pictures_of_any_colour_become_rgb(form: CompiledForm, form_of: str) -> None:
    for mode in ("1", "L", "P", "RGBA", "LA", "CMYK"):
        if (mode in ("P", "RGBA", "LA") and form_of == "JPEG") or (mode == "CMYK" and form_of == "PNG"):
            continue
        out = io.BytesIO()
        Image.new(mode, (30, 50)).save(out, form_of)
        document = opened(written(form, portrait=out.getvalue()))
        stored = document.pages[0].obj.Resources.XObject.Im0
        assert str(stored.ColorSpace) == "/DeviceRGB"
        assert (int(stored.Width), int(stored.Height)) == (30, 42)


def test_a_watermark_is_drawn_only_when_given(form: CompiledForm) -> None:
    assert "SAMPLE" not in page_text(written(form))
    assert "SAMPLE" in squeezed(page_text(written(form, watermark="样本SAMPLE")))


def test_a_required_photograph_must_be_there(fonts: FontBook, tmp_path: Path) -> None:
    form = plain.plain_form(tmp_path, fonts, plain.LAYOUT.replace("required = false", "required = true"))
    with pytest.raises(ValueFormatError, match="portrait: a picture is required"):
        written(form)


def test_a_form_may_be_shared_between_threads(form: CompiledForm) -> None:
    contents = [plain.plain_content({"name": chr(0x4E00 + 7 * number) * 5}) for number in range(40)]
    alone = [write_form(form, content).unsigned() for content in contents]
    results: dict[int, list[bytes]] = {}

    def work(number: int) -> None:
        results[number] = [write_form(form, content).unsigned() for content in contents]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(result == alone for result in results.values())
    assert len(results) == 4


def test_errors_survive_the_way_between_processes(form: CompiledForm) -> None:
    for value in ("甲" * 35, "\t"):
        with pytest.raises(TemplateError) as caught:
            written(form, name=value)
        again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 -- our own bytes
        assert (type(again), str(again), again.field) == (type(caught.value), str(caught.value), "name")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('text = "营业执照"', 'text = "𠮷业执照"', "U+20BB7"),
        ('text = "名称"', 'text = "名称名称名称名称名称名称"', "do not fit"),
        ('svg = "background.svg"', 'svg = "missing.svg"', "cannot be read"),
        ("y = 50\nw = 230", "y = 30\nw = 230", "26 mm above"),
        ('mark = "（转续页）"', 'mark = "⟶"', "U+27F6"),
    ],
)
def test_a_form_that_cannot_be_compiled_says_why(
    fonts: FontBook, tmp_path: Path, old: str, new: str, words: str
) -> None:
    assert old in plain.LAYOUT
    with pytest.raises(LayoutError) as caught:
        plain.plain_form(tmp_path, fonts, plain.LAYOUT.replace(old, new))
    assert words in str(caught.value)


def test_an_agency_whose_name_cannot_be_written_or_is_too_long_is_named(fonts: FontBook, tmp_path: Path) -> None:
    layout = plain.LAYOUT.replace('text = "营业执照"', 'text = "{agency}"')
    folder = plain.plain_folder(tmp_path, layout)
    for name, error in (("𠮷局", MissingGlyphError), ("长" * 40, DoesNotFitError)):
        with pytest.raises(error) as caught:
            compile_form(folder, fonts=fonts, agency_name=name, seal_picture=None, reserve_bytes=1500)
        assert caught.value.field == "agency"


def test_an_optional_font_that_is_missing_is_left_out(fonts: FontBook, tmp_path: Path) -> None:
    layout = plain.LAYOUT.replace('family = "noto-sans-jp"', 'family = "lxgw-wenkai"\noptional = true')
    layout = layout.replace(plain.JP, "0" * 64)
    form = plain.plain_form(tmp_path, fonts, layout)
    assert written(form)
    with pytest.raises(MissingGlyphError):
        written(form, name="𠮷")


def test_guilloches_are_part_of_the_frozen_form(fonts: FontBook, tmp_path: Path) -> None:
    tables = """
[[guilloche]]
shape = "rosette"
x = 148
y = 105
inner = 20
outer = 60
twist = 3
opacity = 0.4
[[guilloche]]
shape = "border"
x = 10
y = 10
w = 277
h = 190
[[guilloche]]
shape = "band"
x = 20
y = 40
w = 200
h = 4
[[guilloche]]
shape = "field"
x = 20
y = 20
w = 250
h = 170
"""
    plain_form = plain.plain_form(tmp_path, fonts)
    fine = plain.plain_form(tmp_path, fonts, plain.LAYOUT + tables)
    assert len(plain_form.prefix) < len(fine.prefix) < len(plain_form.prefix) + 20_000
    with pytest.raises(LayoutError, match="points"):
        plain.plain_form(tmp_path, fonts, plain.LAYOUT + tables.replace("twist = 3", "twist = 3\nstrands = 200"))


def test_pages_become_pictures_and_damaged_files_an_error(form: CompiledForm) -> None:
    pdf = written(form)
    width, height, grey = page_image(pdf, 72)
    assert (width, height, len(grey)) == (842, 596, 842 * 596)
    assert Image.open(io.BytesIO(page_png(pdf, 36))).size == (421, 298)
    for bad, page in ((b"", 0), (pdf[:4000], 0), (pdf, 1), (pdf, -1)):
        with pytest.raises(RasterError):
            page_image(bad, 72, page)
    with pytest.raises(RasterError, match="pixels"):
        page_image(pdf, 5000)
