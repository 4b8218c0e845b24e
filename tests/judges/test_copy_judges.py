"""Purpose-bound copies before the judges of sealed PDFs: as good as the licences they are made from."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certlib.issuing import issue
from certlib.library import Library
from signing import pades
from templates.fonts import FontBook
from tests.support import forms
from tests.support.copies import copy_of
from tests.support.judges import judge_by_pdfa, judge_seal, judges_bench
from tests.support.libraries import CITY, MARKET_BUREAU, company_request


@pytest.mark.parametrize("code", forms.SHIPPED)
def test_all_judges_accept_a_copy_of_each_shipped_form(sqlite_library: Library, tmp_path: Path, code: str) -> None:
    lib = sqlite_library
    request = forms.sample_request(forms.shipped_form(code, FontBook()))
    agency = CITY if code.startswith("seattle") else MARKET_BUREAU
    begin = min(request.effective_on, lib.now().date() - timedelta(days=2))
    licence = issue(lib, replace(request, agency_code=agency.code, effective_on=begin, operator="tests")).licence
    bench = judges_bench(tmp_path / "bench", lib.root_certificate_der)
    for number, fields in enumerate((None, {"number"}, {"holder_name", "photo"})):
        pdf = tmp_path / f"copy-{number}.pdf"
        pdf.write_bytes(copy_of(lib, licence, fields, purpose="子女入学 𠮷 " + "学" * 150).pdf)
        judge_seal(pdf, bench)
        assert judge_by_pdfa(pdf), "nothing but forms, seals and attachments is left unjudged"
        pades.verify_seal(pdf.read_bytes(), roots_der=(lib.root_certificate_der,), now=lib.now())


def test_all_judges_accept_further_pages(sqlite_library: Library, tmp_path: Path) -> None:
    fields = {**company_request().fields, "business_scope": "一般项目：茶具销售；会议及展览服务。" * 150}
    licence = issue(sqlite_library, company_request(fields=fields)).licence
    bench = judges_bench(tmp_path / "bench", sqlite_library.root_certificate_der)
    pdf = tmp_path / "copy.pdf"
    pdf.write_bytes(copy_of(sqlite_library, licence).pdf)
    judge_seal(pdf, bench)
    judge_by_pdfa(pdf)
