"""Every known way to make a sealed PDF say something else: each has one expected fault, and none is ever valid."""

import hashlib
import io
from contextlib import suppress
from pathlib import Path

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

from signing.cms import CmsSealer
from signing.errors import Fault, VerificationError
from signing.keys import KeyAlgorithm, generate_key
from signing.pades import MAX_PDF_BYTES, attachments, quick_check, sealing_certificate_kid, verify_seal
from tests.support.pki import NOW, throwaway_pki
from tests.support.sealing import SEALED_AT, Seat, asn1_certificate, asn1_key, certified, fault_of, look_alike, seat
from tests.support.tampering import (
    Tamper,
    appended,
    last_padding_digit,
    moved_from,
    prepended,
    replaced,
    upper_case,
    with_contents,
    with_revision,
    wrapped,
)
from tests.support.tiny_pdf import Oddities, tiny_pdf

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT.parent / "shared" / "vectors" / "pdf"
ALGORITHMS = [KeyAlgorithm.P256, KeyAlgorithm.RSA2048]
OTHER_PAGE = b"<< /Length 39 >>\nstream\nBT /F1 24 Tf 72 700 Td (FORGED 666) Tj ET\nendstream"
SCRIPT = (
    b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] /SigFlags 3 >> /Perms << /DocMDP 8 0 R >>"
    b" /OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >> >>"
)

ATTACKS: dict[str, tuple[Tamper, Fault]] = {
    # after the end
    "newline appended": (appended(b"\n"), Fault.NOT_FULLY_COVERED),
    "comment appended": (appended(b"% a comment\n"), Fault.NOT_FULLY_COVERED),
    "zeros appended": (appended(bytes(2000)), Fault.NOT_FULLY_COVERED),
    "second end appended": (appended(b"%%EOF\n"), Fault.NOT_FULLY_COVERED),
    "archive appended": (appended(b"PK\x05\x06" + bytes(18)), Fault.NOT_FULLY_COVERED),
    "update of the title": (
        with_revision(9, b"<< /Title (Forged) >>", trailer=b"/Info 9 0 R"),
        Fault.MODIFIED_AFTER_SEALING,
    ),
    "update of the page": (with_revision(4, OTHER_PAGE), Fault.MODIFIED_AFTER_SEALING),
    "update of the attachment": (
        with_revision(6, b"<< /Type /EmbeddedFile /Length 2 >>\nstream\n{}\nendstream"),
        Fault.MODIFIED_AFTER_SEALING,
    ),
    "update with a script": (with_revision(1, SCRIPT), Fault.MODIFIED_AFTER_SEALING),
    "update of the signature": (with_revision(8, b"null"), Fault.MODIFIED_AFTER_SEALING),
    # before the beginning
    "line prepended": (prepended(b"\n"), Fault.MALFORMED),
    "page of HTML prepended": (prepended(b"<html></html>\n"), Fault.MALFORMED),
    # under the signature
    "page content": (replaced(b"LICENCE 0001", b"LICENCE 0002"), Fault.BAD_SIGNATURE),
    "attachment": (replaced(b'{"number":"0001"}', b'{"number":"0002"}'), Fault.BAD_SIGNATURE),
    "name of the attachment": (replaced(b"(record.json)", b"(recorx.json)"), Fault.BAD_SIGNATURE),
    "header": (replaced(b"%PDF-1.7", b"%PDF-1.6"), Fault.BAD_SIGNATURE),
    "other header": (replaced(b"%PDF-1.7", b"%PDF-2.0"), Fault.MALFORMED),
    "claimed time": (replaced(b"/M (D:2026", b"/M (D:2025"), Fault.BAD_SIGNATURE),
    "claimed time out of the calendar": (replaced(b"/M (D:202606", b"/M (D:202613"), Fault.MALFORMED),
    "field name": (replaced(b"/T (Seal)", b"/T (Real)"), Fault.BAD_SIGNATURE),
    "permission": (replaced(b"/P 1 >>", b"/P 3 >>"), Fault.BAD_SIGNATURE),
    "sub-filter": (replaced(b"/ETSI.CAdES.detached", b"/adbe.pkcs7.detached"), Fault.BAD_SIGNATURE),
    "cross-reference entry": (replaced(b" 00000 n \ntrailer", b" 00001 n \ntrailer"), Fault.BAD_SIGNATURE),
    "trailer": (replaced(b"/ID [<00>", b"/ID [<01>"), Fault.BAD_SIGNATURE),
    "encryption in the trailer": (replaced(b"/ID [<00> <00>]", b"/Encrypt 9 0 R "), Fault.ENCRYPTED),
    "earlier revision in the trailer": (replaced(b"/ID [<00> <00>]", b"/Prev 100      "), Fault.MODIFIED_AFTER_SEALING),
    "hybrid reference in the trailer": (replaced(b"/ID [<00> <00>]", b"/XRefStm 100   "), Fault.MODIFIED_AFTER_SEALING),
    "offset of the table": (replaced(b"startxref\n", b"startxref\t"), Fault.BAD_SIGNATURE),
    "end marker": (replaced(b"%%EOF", b"%%EOX"), Fault.MALFORMED),
    # byte range
    "range begins later": (replaced(b"/ByteRange [0 ", b"/ByteRange [1 "), Fault.NOT_FULLY_COVERED),
    "range without its name": (replaced(b"/ByteRange", b"/BiteRange"), Fault.UNSIGNED),
    "range negative": (replaced(b"/ByteRange [0 ", b"/ByteRange [-0"), Fault.UNSIGNED),
    # the gap
    "padding digit": (last_padding_digit, Fault.MODIFIED_AFTER_SEALING),
    "upper case digits": (upper_case, Fault.MALFORMED),
    "empty contents": (with_contents(b""), Fault.MALFORMED),
    "null contents": (with_contents(b"3000"), Fault.MALFORMED),
    "no hexadecimal digits": (with_contents(b"xyz"), Fault.NOT_FULLY_COVERED),
    "contents closed early": (with_contents(b"3000> /X <"), Fault.NOT_FULLY_COVERED),
    "blank in the digits": (with_contents(b"30 0"), Fault.MALFORMED),
    "signature wrapping": (wrapped, Fault.MODIFIED_AFTER_SEALING),
}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ATTACKS)
def test_tampering_has_its_fault(name: str, algorithm: KeyAlgorithm) -> None:
    tamper, fault = ATTACKS[name]
    assert fault_of(tamper(seat(algorithm).pdf())) is fault


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("name", ATTACKS)
def test_the_short_check_finds_the_same_fault(name: str, algorithm: KeyAlgorithm) -> None:
    tamper, fault = ATTACKS[name]
    with pytest.raises(VerificationError) as caught:
        quick_check(tamper(seat(algorithm).pdf()), spki_der=seat(algorithm).key.spki_der)
    assert caught.value.fault is fault


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_seal_moved_to_another_file_does_not_fit(algorithm: KeyAlgorithm) -> None:
    one, other = seat(algorithm).pdf(text="LICENCE 0001"), seat(algorithm).pdf(text="LICENCE 0002")
    assert fault_of(moved_from(one)(other)) is Fault.BAD_SIGNATURE
    assert fault_of(moved_from(look_alike().pdf())(one)) in {Fault.BAD_SIGNATURE, Fault.UNTRUSTED_ISSUER}


def test_a_look_alike_with_the_same_names_is_untrusted() -> None:
    assert fault_of(look_alike().pdf()) is Fault.UNTRUSTED_ISSUER


def test_a_look_alike_that_embeds_the_real_root_and_certificate_is_untrusted() -> None:
    false = look_alike()
    sealer = CmsSealer(false.key, (false.cert_der, seat().cert_der, throwaway_pki().root_cert_der))
    pdf = tiny_pdf(sealed_at=SEALED_AT, reserve_bytes=sealer.reserve_bytes).seal(sealer)
    assert fault_of(pdf) is Fault.UNTRUSTED_ISSUER


def test_an_agency_cannot_certify_others() -> None:
    agency, key = seat(), generate_key(KeyAlgorithm.P256)
    issuer = x509.load_der_x509_certificate(agency.cert_der)
    made = (
        x509.CertificateBuilder()
        .subject_name(issuer.subject)
        .issuer_name(issuer.subject)
        .public_key(key.private_key.public_key())
        .serial_number(7)
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .add_extension(issuer.extensions.get_extension_for_class(x509.KeyUsage).value, critical=True)
        .sign(agency.key.private_key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    assert fault_of(Seat(key=key, cert_der=made, root_der=agency.root_der).pdf()) is Fault.UNTRUSTED_ISSUER


def test_a_certificate_for_time_stamping_or_of_the_root_does_not_seal() -> None:
    pki = throwaway_pki()
    root = Seat(key=pki.root_key, cert_der=pki.root_cert_der, root_der=pki.root_cert_der)
    assert fault_of(root.pdf()) is Fault.UNTRUSTED_ISSUER
    key = generate_key(KeyAlgorithm.P256)
    assert fault_of(certified(key, timestamping=True).pdf()) is Fault.UNTRUSTED_ISSUER


# Sealed by a good key, and still not a file that we would make


@pytest.mark.parametrize(
    ("odd", "fault"),
    [
        (Oddities(field_name="Other"), Fault.MALFORMED),
        (Oddities(field_name="Seal.Seal"), Fault.MALFORMED),
        (Oddities(sub_filter="adbe.pkcs7.detached"), Fault.MALFORMED),
        (Oddities(sub_filter="adbe.x509.rsa_sha1"), Fault.MALFORMED),
        (Oddities(permission=2), Fault.MALFORMED),
        (Oddities(permission=3), Fault.MALFORMED),
        (Oddities(permission=None), Fault.MALFORMED),
        (Oddities(permission=9), Fault.MALFORMED),
        (Oddities(certified=False), Fault.MALFORMED),
        (Oddities(second_field=True), Fault.MALFORMED),
        (Oddities(claimed_time=""), Fault.MALFORMED),
        (Oddities(claimed_time="/M (yesterday)"), Fault.MALFORMED),
        (Oddities(claimed_time="/Reason (/M (D:20260601043000Z))"), Fault.MALFORMED),
        (Oddities(trailer="/Prev 17"), Fault.MODIFIED_AFTER_SEALING),
        (Oddities(trailer="/XRefStm 17"), Fault.MODIFIED_AFTER_SEALING),
        (Oddities(trailer="/Encrypt 9 0 R"), Fault.ENCRYPTED),
        (Oddities(shrink=10), Fault.NOT_FULLY_COVERED),
        (Oddities(header=b"%PDF-9.9\n"), Fault.MALFORMED),
        (Oddities(catalog="/Nested " + "[" * 5000 + "]" * 5000), Fault.MALFORMED),
        (Oddities(catalog="/Broken <<"), Fault.MALFORMED),
        (Oddities(catalog="/AcroForm 9 0 R"), Fault.MALFORMED),
    ],
)
def test_a_good_key_does_not_make_a_bad_file_good(odd: Oddities, fault: Fault) -> None:
    assert fault_of(seat().pdf(odd=odd)) is fault


def test_a_text_that_looks_like_a_byte_range_does_no_harm() -> None:
    for text in ("/ByteRange [0 10 20 30]", "/ByteRange[0 0 0 0] startxref 9 %%EOF", "/Encrypt 9 0 R /Prev 8"):
        assert verify_seal(seat().pdf(text=text), roots_der=(seat().root_der,), now=NOW).sealed_at == SEALED_AT


# Not sealed at all


def unsealed() -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_file_without_a_seal_is_unsigned() -> None:
    assert fault_of(unsealed()) is Fault.UNSIGNED


def test_an_encrypted_file_is_named_so() -> None:
    for source in (unsealed(), seat().pdf()):
        out = io.BytesIO()
        with pikepdf.open(io.BytesIO(source)) as document:
            document.save(out, encryption=pikepdf.Encryption(owner="owner", user=""))
        assert fault_of(out.getvalue()) is Fault.ENCRYPTED


def test_a_file_written_anew_by_a_pdf_program_is_never_valid() -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(seat().pdf())) as document:
        document.save(out)
    assert fault_of(out.getvalue()) in {Fault.NOT_FULLY_COVERED, Fault.BAD_SIGNATURE, Fault.MALFORMED}


def test_a_second_signature_is_a_modification() -> None:
    """Made by pyHanko with a certified key, as a lawful second revision."""
    second = certified(generate_key(KeyAlgorithm.P256))
    signer = signers.SimpleSigner(
        signing_cert=asn1_certificate(second.cert_der),
        signing_key=asn1_key(second.key),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]  # no annotations there
    )
    # Of a certified file pyHanko refuses to make a second revision, so this one is not certified.
    source = seat().pdf(odd=Oddities(permission=None, certified=False))
    out = signers.sign_pdf(
        IncrementalPdfFileWriter(io.BytesIO(source)),
        signers.PdfSignatureMetadata(field_name="Second", subfilter=SigSeedSubFilter.PADES),
        signer=signer,
    )
    assert fault_of(out.getvalue()) is Fault.MODIFIED_AFTER_SEALING


@pytest.mark.parametrize(
    "data", [b"", b"%PDF-1.7", b"GIF89a", b"\0" * 1000, b"%PDF-1.7\n%%EOF\n", b"%PDF-1.7\n/ByteRange ["]
)
def test_what_is_no_pdf_has_a_fault(data: bytes) -> None:
    assert fault_of(data) in {Fault.MALFORMED, Fault.UNSIGNED}


def test_a_file_cut_off_anywhere_is_never_valid() -> None:
    pdf = seat().pdf()
    for length in range(0, len(pdf), 7):
        assert fault_of(pdf[:length]) in {Fault.MALFORMED, Fault.UNSIGNED, Fault.NOT_FULLY_COVERED}


def test_a_file_over_the_limit_is_not_read() -> None:
    assert fault_of(bytes(MAX_PDF_BYTES + 1)) is Fault.TOO_LARGE


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_byte_may_change(algorithm: KeyAlgorithm) -> None:
    """Every byte of a small file, one bit each, padding and digits of the seal too; by the short check."""
    pdf, spki_der = seat(algorithm).pdf(), seat(algorithm).key.spki_der
    for at in range(len(pdf)):
        spoilt = bytearray(pdf)
        spoilt[at] ^= 1
        with pytest.raises(VerificationError):
            quick_check(bytes(spoilt), spki_der=spki_der)


def test_nothing_is_read_from_a_file_that_was_not_verified() -> None:
    seal = verify_seal(seat().pdf(), roots_der=(seat().root_der,), now=NOW)
    for tamper, _ in ATTACKS.values():
        with pytest.raises(VerificationError):
            attachments(tamper(seat().pdf()), seal=seal)


# Files from elsewhere


def vectors() -> list[Path]:
    return sorted(VECTORS.glob("*.pdf"))


def test_the_shared_vectors_are_there() -> None:
    if not VECTORS.is_dir():
        pytest.skip("the shared vectors are not beside the project (../shared/vectors/pdf)")
    assert len(vectors()) >= 20


@pytest.mark.parametrize("path", vectors(), ids=lambda path: path.stem)
def test_a_damaged_file_from_elsewhere_has_a_fault(path: Path) -> None:
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    assert isinstance(fault_of(data), Fault), digest
    with suppress(VerificationError):
        assert len(sealing_certificate_kid(data)) == 8
