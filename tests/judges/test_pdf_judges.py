from pathlib import Path

import pikepdf
import pikepdf.pdfa
import pytest

from signing import pades
from signing.cms import CmsSealer
from signing.keys import KeyAlgorithm
from signing.timestamps import TimestampSource
from templates.fonts import FontBook
from tests.support import forms
from tests.support.judges import (
    Bench,
    judge_by_openssl,
    judge_by_pdfa,
    judge_by_pdfsig,
    judge_by_pyhanko,
    judge_by_qpdf,
    judge_seal,
    judges_bench,
)
from tests.support.pki import throwaway_pki
from tests.support.sealing import SEALED_AT, authority, look_alike, seat
from tests.support.tiny_pdf import tiny_pdf
from tests.support.tsa import tsa_server


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return judges_bench(tmp_path_factory.mktemp("bench"), throwaway_pki().root_cert_der)


@pytest.fixture(scope="module")
def fonts() -> FontBook:
    return FontBook()


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_all_judges_accept_a_seal_of_every_algorithm(tmp_path: Path, bench: Bench, algorithm: KeyAlgorithm) -> None:
    pdf = tmp_path / "sealed.pdf"
    pdf.write_bytes(seat(algorithm).pdf())
    judge_seal(pdf, bench)


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_all_judges_accept_a_seal_with_a_timestamp(tmp_path: Path, bench: Bench, algorithm: KeyAlgorithm) -> None:
    root_der = throwaway_pki().root_cert_der
    with tsa_server(authority().reply) as url:
        sealer = CmsSealer(
            seat(algorithm).key, (seat(algorithm).cert_der,), tsa=TimestampSource(url, roots_der=(root_der,))
        )
        sealed = tiny_pdf(sealed_at=SEALED_AT, reserve_bytes=sealer.reserve_bytes).seal(sealer)
    pdf = tmp_path / "sealed.pdf"
    pdf.write_bytes(sealed)
    judge_seal(pdf, bench)


def test_each_judge_can_say_no(tmp_path: Path, bench: Bench) -> None:
    damaged = tmp_path / "damaged.pdf"
    damaged.write_bytes(seat().pdf().replace(b"LICENCE 0001", b"LICENCE 0002"))
    for judge in (judge_by_pdfsig, judge_by_openssl, judge_by_pyhanko):
        with pytest.raises(AssertionError):
            judge(damaged, bench)
    strange = tmp_path / "strange.pdf"
    strange.write_bytes(look_alike().pdf())
    for judge in (judge_by_pdfsig, judge_by_openssl, judge_by_pyhanko):
        with pytest.raises(AssertionError):
            judge(strange, bench)
    longer = tmp_path / "longer.pdf"
    longer.write_bytes(seat().pdf() + b"\n% more\n")
    for judge in (judge_by_pdfsig, judge_by_pyhanko):
        with pytest.raises(AssertionError):
            judge(longer, bench)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(seat().pdf().replace(b"startxref\n", b"startxref\n9"))
    with pytest.raises(AssertionError):
        judge_by_qpdf(broken)


def test_the_judge_of_pdf_a_says_yes_no_and_not_judged(tmp_path: Path) -> None:
    good = tmp_path / "good.pdf"
    document = pikepdf.new()
    document.add_blank_page()
    pikepdf.pdfa.save(document, good, "3b")
    assert judge_by_pdfa(good) == []

    form = tmp_path / "form.pdf"
    with pikepdf.open(good) as document:
        document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array())
        document.save(form, **pikepdf.pdfa.resolve_save_kwargs("3b"))
    (unjudged,) = judge_by_pdfa(form)
    assert "/AcroForm" in unjudged

    for name, change in (("script", {"/AA": pikepdf.Dictionary()}), ("strange", {"/Strange": 1})):
        bad = tmp_path / f"{name}.pdf"
        with pikepdf.open(good) as document:
            for key, value in change.items():
                document.Root[key] = value
            document.save(bad, **pikepdf.pdfa.resolve_save_kwargs("3b"))
        with pytest.raises(AssertionError):
            judge_by_pdfa(bad)


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.P256, KeyAlgorithm.RSA2048])
@pytest.mark.parametrize("code", forms.SHIPPED)
def test_all_judges_accept_the_shipped_forms(
    tmp_path: Path, bench: Bench, fonts: FontBook, code: str, algorithm: KeyAlgorithm
) -> None:
    shipped = forms.shipped_form(code, fonts)
    unsealed = forms.filled(shipped, forms.sample_request(shipped), forms.dense_matrix())
    sealer = seat(algorithm).sealer()
    sealed = pades.sealed(unsealed.head, unsealed.tail, unsealed.gap_hex_length, unsealed.digest, sealer)
    pdf = tmp_path / "sealed.pdf"
    pdf.write_bytes(sealed)
    judge_seal(pdf, bench)
    unjudged = judge_by_pdfa(pdf)
    assert any("/AcroForm" in finding for finding in unjudged)
    seal = pades.verify_seal(sealed, roots_der=(bench.root_der,), now=forms.NOW)
    assert seal.sealed_at == forms.NOW
    assert dict(pades.attachments(sealed, seal=seal)) == {"record.json": b"{}"}
