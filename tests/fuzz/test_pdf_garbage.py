"""Any bytes give a seal or a VerificationError, never another exception; and changed bytes never give a seal."""

import string
from functools import cache

import pytest
from asn1crypto import tsp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signing.cms import read_cms
from signing.errors import VerificationError
from signing.keys import KeyAlgorithm
from signing.pades import attachments, quick_check, sealing_certificate_kid, verify_seal
from signing.sealgap import seal_gap
from signing.timestamps import verify_timestamp
from tests.support.pki import NOW, throwaway_pki
from tests.support.sealing import authority, seat
from tests.support.tampering import with_contents
from tests.support.tiny_pdf import Oddities

EXAMPLES = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
FEWER = settings(EXAMPLES, max_examples=100)
ROOTS = (throwaway_pki().root_cert_der,)
PDF_WORDS = [
    *(
        b"<<",
        b">>",
        b"[",
        b"]",
        b"/",
        b"(",
        b")",
        b"<",
        b">",
        b"%",
        b"\n",
        b" ",
        b"obj",
        b"endobj",
        b"stream",
        b"endstream",
    ),
    *(
        b"xref",
        b"trailer",
        b"startxref",
        b"%%EOF",
        b"/ByteRange [0 10 20 30]",
        b"/Contents <00>",
        b"/Encrypt 1 0 R",
        b"R",
    ),
    *(
        b"/Prev 9",
        b"/XRefStm 9",
        b"8 0 R",
        b"-1",
        b"99999999999",
        b"null",
        b"true",
        b"1e9",
        b"/Type /Sig",
        b"/M (D:2026)",
    ),
]


@cache
def good(algorithm: KeyAlgorithm) -> bytes:
    return seat(algorithm).pdf()


def judged(pdf: bytes) -> None:
    """Every door for PDFs, each of which may refuse."""
    for judge in (
        lambda: verify_seal(pdf, roots_der=ROOTS, now=NOW),
        lambda: quick_check(pdf, spki_der=seat().key.spki_der),
        lambda: sealing_certificate_kid(pdf),
    ):
        try:
            judge()
        except VerificationError:
            continue


@EXAMPLES
@given(st.binary(max_size=2000))
def test_any_bytes(data: bytes) -> None:
    judged(data)
    judged(b"%PDF-1.7\n" + data)


@EXAMPLES
@given(st.lists(st.sampled_from(PDF_WORDS), max_size=60))
def test_words_of_a_pdf_in_any_order(words: list[bytes]) -> None:
    judged(b"%PDF-1.7\n" + b" ".join(words) + b"\nstartxref\n9\n%%EOF\n")


@EXAMPLES
@given(
    st.sampled_from([KeyAlgorithm.P256, KeyAlgorithm.RSA2048]),
    st.integers(min_value=0),
    st.integers(min_value=0, max_value=200),
    st.one_of(st.binary(max_size=200), st.sampled_from(PDF_WORDS)),
)
def test_a_changed_file_is_never_valid(algorithm: KeyAlgorithm, at: int, cut: int, put: bytes) -> None:
    pdf = good(algorithm)
    start = at % (len(pdf) + 1)
    changed = pdf[:start] + put + pdf[start + cut :]
    if changed == pdf:
        return
    with pytest.raises(VerificationError):
        verify_seal(changed, roots_der=ROOTS, now=NOW)


@EXAMPLES
@given(st.binary(max_size=600))
def test_any_bytes_as_a_seal(data: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_seal(with_contents(data.hex().encode())(good(KeyAlgorithm.P256)), roots_der=ROOTS, now=NOW)


@EXAMPLES
@given(st.integers(min_value=0), st.integers(min_value=0, max_value=8), st.binary(max_size=8))
def test_a_changed_cms_is_read_or_malformed(at: int, cut: int, put: bytes) -> None:
    der = seal_gap(good(KeyAlgorithm.P256)).cms_der
    start = at % len(der)
    try:
        read_cms(der[:start] + put + der[start + cut :])
    except VerificationError:
        return


@FEWER
@given(st.text(alphabet=string.printable, max_size=200), st.text(alphabet=string.printable, max_size=60))
def test_a_file_of_any_form_sealed_by_a_good_key(catalog: str, trailer: str) -> None:
    """Only these reach pyHanko with something strange in them."""
    pdf = seat().pdf(odd=Oddities(catalog=catalog, trailer=trailer))
    try:
        seal = verify_seal(pdf, roots_der=ROOTS, now=NOW)
        attachments(pdf, seal=seal)
    except VerificationError:
        return


@FEWER
@given(
    st.lists(st.sampled_from(PDF_WORDS), max_size=8),
    st.lists(st.lists(st.sampled_from(PDF_WORDS), max_size=8), max_size=3),
    st.integers(min_value=-1, max_value=14),
)
def test_a_file_of_any_objects_sealed_by_a_good_key(
    catalog: list[bytes], objects: list[list[bytes]], attached: int
) -> None:
    odd = Oddities(
        catalog=b" ".join(catalog).decode("ascii"),
        extra_objects=tuple(b" ".join(words) for words in objects),
        attached_object=attached,
    )
    pdf = seat().pdf(odd=odd)
    try:
        seal = verify_seal(pdf, roots_der=ROOTS, now=NOW)
        attachments(pdf, seal=seal)
    except VerificationError:
        return


@EXAMPLES
@given(st.integers(min_value=0), st.integers(min_value=0, max_value=40), st.binary(max_size=40))
def test_a_changed_timestamp_is_never_valid_or_says_the_same(at: int, cut: int, put: bytes) -> None:
    token, digest = stamp()
    start = at % len(token)
    changed = token[:start] + put + token[start + cut :]
    try:
        seen = verify_timestamp(changed, message_sha256=digest, roots_der=ROOTS)
    except VerificationError:
        return
    # Parts of a CMS that no signature covers may change; what the token says may not.
    assert seen == verify_timestamp(token, message_sha256=digest, roots_der=ROOTS)


@EXAMPLES
@given(st.binary(max_size=500))
def test_any_bytes_as_a_timestamp_or_a_query(data: bytes) -> None:
    with pytest.raises(VerificationError):
        verify_timestamp(data, message_sha256=bytes(32), roots_der=ROOTS)
    assert authority(algorithm=KeyAlgorithm.P256).reply(data)


@cache
def stamp() -> tuple[bytes, bytes]:
    digest = bytes(range(32))
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest}
    query = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "cert_req": True}).dump()
    reply = tsp.TimeStampResp.load(authority(algorithm=KeyAlgorithm.P256).reply(query))
    return reply["time_stamp_token"].dump(), digest
