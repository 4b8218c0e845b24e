"""The file that the writer makes: structure, metadata, tags, signature field; judged by other programs."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pikepdf
import pytest

from signing import pades
from signing.qr import read_codes
from templates.compile import compile_form
from templates.fonts import FontBook
from templates.raster import page_count, page_png
from templates.writer import write_form
from tests.support import plain_form as plain
from tests.support.judges import judge_by_pdfa, judge_by_qpdf
from tests.support.reading import elements, marked_contents, opened, poppler_text, squeezed
from tests.support.sealing import seat

if TYPE_CHECKING:
    from pathlib import Path

    from templates.form import CompiledForm, FormContent

LONG = "技术服务、技术开发、技术咨询；" * 100


@pytest.fixture(scope="module")
def form(tmp_path_factory: pytest.TempPathFactory) -> CompiledForm:
    return plain.plain_form(tmp_path_factory.mktemp("form"), FontBook())


CONTENTS = {
    "plain": plain.plain_content(),
    "all": plain.plain_content({"portrait": plain.portrait(), "watermark": "样本 SAMPLE"}),
    "rare": plain.plain_content({"name": "𠮷田鑫森（样本）有限公司", "english": "Zażółć & <Söhne>"}),
    "long": plain.plain_content({"scope": LONG}),
    "empty": plain.plain_content({"name": None, "english": None, "from": None, "scope": ""}),
}


@pytest.fixture(params=list(CONTENTS))
def content(request: pytest.FixtureRequest) -> FormContent:
    return CONTENTS[str(request.param)]


@pytest.fixture
def pdf(form: CompiledForm, content: FormContent) -> bytes:
    return write_form(form, content).unsigned()


def test_qpdf_accepts_it(pdf: bytes, tmp_path: Path) -> None:
    path = tmp_path / "licence.pdf"
    path.write_bytes(pdf)
    judge_by_qpdf(path)


def test_it_is_pdfa_3b_as_far_as_the_judge_can_tell(pdf: bytes, tmp_path: Path) -> None:
    path = tmp_path / "licence.pdf"
    path.write_bytes(pdf)
    judge_by_pdfa(path)


def test_equal_contents_give_equal_bytes(form: CompiledForm, content: FormContent, tmp_path: Path) -> None:
    again = plain.plain_form(tmp_path, FontBook())
    assert again.digest == form.digest
    assert write_form(again, content).unsigned() == write_form(form, content).unsigned()


def test_all_values_can_be_extracted(form: CompiledForm, content: FormContent) -> None:
    text = poppler_text(write_form(form, content).unsigned())
    for field in ("name", "english", "agency", "scope"):
        value = squeezed(str(content.values[field] or ""))
        if len(value) > 500:
            value = value[:300]
        assert value in text


def test_the_digest_covers_all_but_the_gap(form: CompiledForm, content: FormContent) -> None:
    unsealed = write_form(form, content)
    assert unsealed.head.endswith(b"/Contents<")
    assert unsealed.tail.startswith(b">>>\nendobj\nxref\n")
    assert unsealed.gap_hex_length == 2 * plain.RESERVE_BYTES
    assert unsealed.digest == hashlib.sha256(unsealed.head[:-1] + unsealed.tail[1:]).digest()
    match = re.search(rb"/ByteRange\[0 (\d+) (\d+) (\d+) *\]", unsealed.head)
    assert match
    start, end, rest = map(int, match.groups())
    whole = unsealed.unsigned()
    assert (start, end, end + rest) == (len(unsealed.head) - 1, len(whole) - len(unsealed.tail) + 1, len(whole))
    assert whole.count(b"%%EOF") == whole.count(b"startxref") == 1
    assert b"/Prev" not in whole


def test_info_and_xmp_say_the_same(pdf: bytes, content: FormContent) -> None:
    document = opened(pdf)
    info = document.trailer.Info
    assert str(info.Title) == content.title
    assert str(info.CreationDate) == str(info.ModDate) == "D:20261122093000Z"
    with document.open_metadata() as xmp:
        assert xmp.pdfa_status == "3B"
        assert xmp["dc:title"] == content.title
        assert xmp["dc:creator"] == [content.author] == [str(info.Author)]
        assert xmp["dc:description"] == content.subject == str(info.Subject)
        assert xmp["dc:identifier"] == content.identifier
        assert xmp["pdf:Producer"] == str(info.Producer) == xmp["xmp:CreatorTool"] == str(info.Creator)
        assert xmp["xmp:CreateDate"] == xmp["xmp:ModifyDate"] == "2026-11-22T09:30:00Z"
    first, second = document.trailer.ID
    assert bytes(first) == bytes(second)
    assert len(bytes(first)) == 16


def test_the_record_is_attached_as_data(pdf: bytes, content: FormContent) -> None:
    document = opened(pdf)
    (name,) = document.attachments
    assert document.attachments[name].get_file().read_bytes() == content.attachment_json
    (specification,) = document.Root.AF
    assert specification.AFRelationship == pikepdf.Name.Data
    assert str(specification.UF) == str(specification.F) == "record.json"
    assert specification.EF.F.Subtype == pikepdf.Name("/application/json")
    assert int(specification.EF.F.Params.Size) == len(content.attachment_json)


def test_the_seal_field_locks_the_file(pdf: bytes, content: FormContent) -> None:
    document = opened(pdf)
    (field,) = document.Root.AcroForm.Fields
    assert (str(field.T), str(field.FT), int(field.F), int(document.Root.AcroForm.SigFlags)) == ("Seal", "/Sig", 132, 3)
    assert field.AP.N.Subtype == pikepdf.Name.Form
    assert field.Lock.Action == pikepdf.Name.All
    seal = field.V
    assert seal.SubFilter == pikepdf.Name("/ETSI.CAdES.detached")
    assert document.Root.Perms.DocMDP.objgen == seal.objgen
    doc_mdp, field_mdp = seal.Reference
    assert (str(doc_mdp.TransformMethod), int(doc_mdp.TransformParams.P)) == ("/DocMDP", 1)
    assert field_mdp.TransformMethod == pikepdf.Name.FieldMDP
    assert field_mdp.Data.objgen == document.Root.objgen
    assert str(seal.M) == "D:20261122093000Z"
    assert str(seal.Reason) == content.reason
    assert str(seal.Name) == content.author


def test_every_marked_content_is_in_the_structure_tree(pdf: bytes) -> None:
    document = opened(pdf)
    marks = [mark for element in elements(document) for mark in element.marks]
    assert len(marks) == len(set(marks))
    assert set(marks) == marked_contents(document)
    nums = document.Root.StructTreeRoot.ParentTree.Nums
    parents = {int(nums[index]): nums[index + 1] for index in range(0, len(nums), 2)}
    for page in document.pages:
        for number, element in enumerate(parents[int(page.obj.StructParents)]):
            assert int(element.K) == number
            assert element.Pg.objgen == page.obj.objgen
    (widget,) = document.pages[0].obj.Annots
    assert parents[int(widget.StructParent)].K.Obj.objgen == widget.objgen


def test_a_screen_reader_gets_titles_values_and_alternative_texts_in_order(form: CompiledForm) -> None:
    document = opened(write_form(form, CONTENTS["all"]).unsigned())
    assert str(document.Root.Lang) == "zh-CN"
    assert bool(document.Root.MarkInfo.Marked)
    assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
    leaves = elements(document)
    assert [leaf.tag for leaf in leaves] == ["H1", "Caption", *["P"] * 4, "Figure", "Figure", "P", "P", "Form"]
    assert [leaf.alt for leaf in leaves if leaf.alt] == ["持证人照片", "验证二维码", "发证机关印章"]


def test_without_a_photograph_there_is_no_figure_for_it(form: CompiledForm) -> None:
    leaves = elements(opened(write_form(form, CONTENTS["plain"]).unsigned()))
    assert [leaf.alt for leaf in leaves if leaf.tag == "Figure"] == ["验证二维码"]


def test_fonts_are_embedded_whole_and_mapped_to_unicode(pdf: bytes) -> None:
    document = opened(pdf)
    fonts = document.pages[0].obj.Resources.Font
    assert len(fonts) >= 3
    for font in fonts.values():
        (descendant,) = font.DescendantFonts
        descriptor = descendant.FontDescriptor
        assert font.BaseFont == descendant.BaseFont == descriptor.FontName
        assert re.fullmatch(r"/[A-Z]{6}\+CL\w+", str(font.BaseFont))
        glyphs = descriptor.FontFile2.read_bytes()
        assert len(glyphs) == int(descriptor.FontFile2.Length1)
        count = int.from_bytes(glyphs[glyphs.index(b"maxp") + 8 :][:4], "big")
        count = int.from_bytes(glyphs[count + 4 : count + 6], "big")
        bits = "".join(f"{byte:08b}" for byte in descriptor.CIDSet.read_bytes())
        assert bits == ("1" * count).ljust(len(bits), "0")
        assert b"<0000>]" not in font.ToUnicode.read_bytes()


def test_a_record_of_usual_words_brings_no_font_of_its_own(form: CompiledForm) -> None:
    usual = plain.plain_content({"name": "中国贸易有限公司", "scope": "一般项目：销售。", "agency": "市监督管理局"})
    plenty = write_form(form, usual).unsigned()
    assert b"Own/Encoding" not in plenty
    assert b"Own/Encoding" in write_form(form, CONTENTS["rare"]).unsigned()


def test_the_code_on_the_page_reads_back(form: CompiledForm) -> None:
    pdf = write_form(form, plain.plain_content(seed=7)).unsigned()
    assert read_codes(page_png(pdf, 200)) == (plain.token_text(7),)


def test_a_sealed_file_is_accepted_by_the_verifier(form: CompiledForm, tmp_path: Path) -> None:
    owner = seat()
    sealer = owner.sealer()
    roomy = compile_form(
        plain.plain_folder(tmp_path),
        fonts=FontBook(),
        agency_name=plain.AGENCY,
        seal_picture=None,
        reserve_bytes=sealer.reserve_bytes,
    )
    assert roomy.digest == form.digest
    unsealed = write_form(roomy, CONTENTS["all"])
    pdf = pades.sealed(unsealed.head, unsealed.tail, unsealed.gap_hex_length, unsealed.digest, sealer)
    assert pades.quick_check(pdf, spki_der=owner.key.spki_der).document_sha256 == unsealed.digest
    verified = pades.verify_seal(pdf, roots_der=(owner.root_der,), now=plain.SEALED_AT)
    assert verified.document_sha256 == unsealed.digest
    assert verified.sealed_at == plain.SEALED_AT


def test_a_title_with_odd_characters_stays_well_formed(form: CompiledForm) -> None:
    odd = replace(plain.plain_content(), title="a\x00b\x0b(c)\\ <d> & é \ufffe𠮷", reason="r\n(x)", author="甲 & <乙>")
    document = opened(write_form(form, odd).unsigned())
    with document.open_metadata() as xmp:
        assert xmp["dc:title"] == str(document.trailer.Info.Title) == "ab(c)\\ <d> & é 𠮷"
        assert xmp["dc:creator"] == ["甲 & <乙>"]


def test_a_long_text_goes_on_upon_further_pages(form: CompiledForm) -> None:
    pdf = write_form(form, CONTENTS["long"]).unsigned()
    assert page_count(pdf) == 2
    leaves = elements(opened(pdf))
    assert [leaf.tag for leaf in leaves if leaf.marks and leaf.marks[0][0] == 1] == ["H1", "P", "H2", "P"]
    text = poppler_text(pdf)
    assert "（转续页）" in text
    assert "营业执照（续页）" in text
    assert "2/2" in text
    assert text.count("技术") == LONG.count("技术")
