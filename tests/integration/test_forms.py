"""The shipped forms, filled with their samples and with every row of the real registers."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import pytest

from certlib.catalogue import FieldKind
from signing import qr
from signing.keys import KeyAlgorithm, generate_key
from templates.boxes import ImageBox, QRBox, SealBox, TextBox, ValueBox
from templates.fonts import FontBook
from templates.raster import page_png
from tests.support import forms

if TYPE_CHECKING:
    from certlib.model import IssueRequest
    from tests.support.forms import Glyph, ReadPage, ShippedForm

NINGBO = ("business-licence", "ningbo-companies.csv", "ningbo.map.toml", "注销=cancelled,吊销=revoked")
SEATTLE = ("seattle-business-licence", "seattle-business-licences.csv", "seattle.map.toml", "")
PAGES_MM = {
    "business-licence": (420, 297),
    "seattle-business-licence": (279.4, 215.9),
    "practitioner-licence": (210, 297),
    "birth-certificate": (210, 297),
}
MAX_CODE_MM = 33
MIN_MODULE_MM = 0.33
LONGEST = 12
MATRIX = forms.dense_matrix()


@pytest.fixture(scope="module")
def fonts() -> FontBook:
    return FontBook()


@pytest.fixture(scope="module")
def shipped(fonts: FontBook) -> dict[str, ShippedForm]:
    return {code: forms.shipped_form(code, fonts) for code in forms.SHIPPED}


@pytest.fixture(scope="module")
def registers(shipped: dict[str, ShippedForm]) -> dict[str, list[IssueRequest]]:
    if not forms.REGISTERS.is_dir():
        pytest.skip("the real registers are not beside the project (../shared/data)")
    return {
        code: forms.register_requests(shipped[code], register=register, mapping=mapping, as_status=as_status)
        for code, register, mapping, as_status in (NINGBO, SEATTLE)
    }


def pages(shipped: ShippedForm, request: IssueRequest) -> list[ReadPage]:
    return forms.read_pages(forms.filled(shipped, request, MATRIX).unsigned())


def squeezed(text: str) -> str:
    return "".join(text.split())


def bare(request: IssueRequest, shipped: ShippedForm) -> IssueRequest:
    """`request` with nothing but what is required."""
    required = {each.name for each in shipped.folder.licence_type.fields if each.required}
    return replace(request, fields={name: text for name, text in request.fields.items() if name in required})


def assert_tidy(shipped: ShippedForm, page: ReadPage) -> None:
    """Every character stands inside a box of the layout, and none stands on another."""
    rects = [box.rect for box in shipped.layout.boxes if isinstance(box, TextBox | ValueBox)]
    code = next(box for box in shipped.layout.boxes if isinstance(box, QRBox))
    centre, under = code.rect.x + code.rect.w / 2, code.rect.y + code.rect.h + code.quiet
    room = [(each.x, each.y, each.x + each.w, each.y + each.h) for each in rects]
    room.append((centre - code.under_width / 2, under, centre + code.under_width / 2, under + 10))
    slack = 0.6
    homes: dict[Glyph, set[int]] = {}
    for glyph in page.glyphs:
        homes[glyph] = {
            number
            for number, (left, top, right, bottom) in enumerate(room)
            if left - slack <= glyph.left
            and top - slack <= glyph.top
            and glyph.right <= right + slack
            and glyph.bottom <= bottom + slack
        }
        assert homes[glyph], f"{glyph} stands in no box"
    for one, other in combinations(sorted(page.glyphs, key=lambda each: each.left), 2):
        if other.left >= one.right or homes[one] & homes[other]:
            continue  # letters of one text may lean over each other
        assert overlap(one, other) == 0, f"{one} and {other} collide"


def overlap(one: Glyph, other: Glyph) -> float:
    """Share of the smaller one's ink box that the other covers."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((each.right - each.left) * (each.bottom - each.top) for each in (one, other))
    return width * height / smaller


@pytest.mark.parametrize("code", forms.SHIPPED)
def test_the_sample_prints_every_value(code: str, shipped: dict[str, ShippedForm]) -> None:
    form = shipped[code]
    request = forms.sample_request(form)
    (page,) = pages(form, request)
    assert (page.width, page.height) == pytest.approx(PAGES_MM[code], abs=0.02)
    for field in form.folder.licence_type.fields:
        if field.kind in {FieldKind.TEXT, FieldKind.INTEGER}:
            printed = squeezed(request.fields[field.name]) in page.text
            assert printed is not field.sensitive, field.name
    assert squeezed(request.holders[0].name) in page.text
    assert request.number in page.text
    assert forms.identifier_of(form, request) in page.text
    assert_tidy(form, page)


@pytest.mark.parametrize("code", forms.SHIPPED)
def test_every_field_of_a_type_stands_on_its_form(code: str, shipped: dict[str, ShippedForm]) -> None:
    form = shipped[code]
    assert {each.name for each in form.folder.licence_type.fields} <= form.layout.fields


@pytest.mark.parametrize("code", ["business-licence", "seattle-business-licence"])
def test_every_row_of_the_register_fits(
    code: str, shipped: dict[str, ShippedForm], registers: dict[str, list[IssueRequest]]
) -> None:
    for request in registers[code]:
        unsealed = forms.filled(shipped[code], request, MATRIX)
        assert b"/Count 1>>" in unsealed.head  # one page holds it


@pytest.mark.parametrize("code", ["business-licence", "seattle-business-licence"])
def test_the_longest_rows_stay_in_their_boxes_and_whole(
    code: str, shipped: dict[str, ShippedForm], registers: dict[str, list[IssueRequest]]
) -> None:
    longest = sorted(registers[code], key=forms.printed_words, reverse=True)[:LONGEST]
    by_field = [
        max(registers[code], key=lambda each: len(each.fields.get(name, "")))
        for name in (each.name for each in shipped[code].folder.licence_type.fields)
    ]
    by_name = max(registers[code], key=lambda each: len(each.holders[0].name))
    for request in [*longest, *by_field, by_name]:
        (page,) = pages(shipped[code], request)
        assert_tidy(shipped[code], page)
        assert squeezed(request.holders[0].name) in page.text
        for field in shipped[code].folder.licence_type.fields:
            if field.kind is FieldKind.TEXT and field.name in request.fields:
                assert squeezed(request.fields[field.name]) in page.text, field.name


def test_the_births_of_the_samples_stay_in_their_boxes(shipped: dict[str, ShippedForm]) -> None:
    form, samples = shipped["birth-certificate"], forms.ROOT / "samples"
    requests = forms.register_requests(
        form, register=str(samples / "births.csv"), mapping=str(samples / "births.map.toml")
    )
    assert len(requests) == 9
    for request in requests:
        (page,) = pages(form, request)
        assert_tidy(form, page)
        assert squeezed(request.fields["mother_name"]) in page.text
        assert request.fields["mother_code"] not in page.text
        assert not request.holders[0].code or request.holders[0].code not in page.text


def test_a_scope_longer_than_the_page_goes_on_overleaf_and_loses_nothing(shipped: dict[str, ShippedForm]) -> None:
    form = shipped["business-licence"]
    request = forms.sample_request(form)
    scope = "".join(
        f"第{number}项：样本货物的批发、零售与进出口（依法须经批准的项目除外）；" for number in range(1, 120)
    )
    long = forms.lawful(form, replace(request, fields={**request.fields, "business_scope": scope}))
    first, *further = pages(form, long)
    assert further
    assert_tidy(form, first)
    assert "（转续页）" in first.text
    start = first.text.index("第1项")
    printed = first.text[start : first.text.index("（转续页）")]
    assert len(printed) > 600
    rest = "".join(page.text for page in further)
    assert scope[len(printed) :][:200] in rest
    assert scope[-40:] in further[-1].text
    assert "营业执照（续页）" in further[0].text
    assert request.number in further[0].text


@pytest.mark.parametrize("code", forms.SHIPPED)
def test_what_is_missing_is_a_dash_in_its_place(code: str, shipped: dict[str, ShippedForm]) -> None:
    form = shipped[code]
    request = bare(forms.sample_request(form), form)
    (page,) = pages(form, request)
    assert_tidy(form, page)
    for box in form.layout.boxes:
        if not isinstance(box, ValueBox) or not box.empty:
            continue
        names = {part.field for part in box.parts} - {""}
        if names <= set(request.fields) or not names <= {each.name for each in form.folder.licence_type.fields}:
            continue
        if names & set(request.fields):
            continue
        inside = "".join(each.char for each in page.glyphs if in_box(each, box))
        assert inside == box.empty, names


def in_box(glyph: Glyph, box: ValueBox) -> bool:
    rect, slack = box.rect, 0.6
    return (
        rect.x - slack <= glyph.left <= rect.x + rect.w + slack
        and rect.y - slack <= glyph.top
        and glyph.bottom <= rect.y + rect.h + slack
    )


@pytest.mark.parametrize("code", ["business-licence", "seattle-business-licence"])
def test_the_densest_tokens_print_with_large_enough_modules(
    code: str, shipped: dict[str, ShippedForm], registers: dict[str, list[IssueRequest]]
) -> None:
    form, key = shipped[code], generate_key(KeyAlgorithm.P256)
    (box,) = (each for each in form.layout.boxes if isinstance(each, QRBox))
    texts = sorted((forms.signed_text(form, each, key) for each in registers[code]), key=len, reverse=True)[:20]
    for text in texts:
        matrix = qr.qr_matrix(text)
        assert matrix.width_mm(MIN_MODULE_MM) <= MAX_CODE_MM
        assert box.rect.w / matrix.size >= MIN_MODULE_MM


@pytest.mark.parametrize("code", forms.SHIPPED)
def test_the_code_of_the_sample_reads_back_from_a_scan(code: str, shipped: dict[str, ShippedForm]) -> None:
    form = shipped[code]
    text = forms.signed_text(form, forms.sample_request(form), generate_key(KeyAlgorithm.P256))
    matrix = qr.qr_matrix(text)
    (box,) = (each for each in form.layout.boxes if isinstance(each, QRBox))
    assert box.rect.w / matrix.size >= MIN_MODULE_MM
    unsealed = forms.filled(form, forms.sample_request(form), matrix)
    assert qr.read_codes(page_png(unsealed.unsigned(), 200)) == (text,)


@pytest.mark.parametrize("code", forms.SHIPPED)
def test_pictures_code_and_seal_keep_clear_of_the_words(code: str, shipped: dict[str, ShippedForm]) -> None:
    form = shipped[code]
    (page,) = pages(form, forms.sample_request(form))
    for box in form.layout.boxes:
        if isinstance(box, QRBox | ImageBox):
            clear = box.quiet if isinstance(box, QRBox) else 0
            rect = box.rect
            for glyph in page.glyphs:
                assert (
                    glyph.right < rect.x - clear
                    or glyph.left > rect.x + rect.w + clear
                    or glyph.bottom < rect.y - clear
                    or glyph.top > rect.y + rect.h + clear
                ), glyph
        elif isinstance(box, SealBox):
            beside = "".join(each.char for each in page.glyphs if near_seal(each, box))
            name = squeezed(form.agency.name)
            assert name[len(name) // 2 - 1 : len(name) // 2 + 2] in beside
            assert "20" in beside
            assert box.rect.x > page.width / 2
            assert box.rect.y > page.height / 2


def near_seal(glyph: Glyph, box: SealBox) -> bool:
    """Under the seal or just below it."""
    rect, reach = box.rect, 11
    return rect.x <= glyph.left <= rect.x + rect.w and rect.y <= glyph.top <= rect.y + rect.h + reach
