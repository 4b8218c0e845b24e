"""Tokens as they should be: digits, phrases, round trips, sizes."""

import pickle
from datetime import UTC, datetime, timedelta, timezone

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing import cose
from signing.errors import Fault, TokenError, VerificationError
from signing.keys import KeyAlgorithm, generate_key
from signing.tokens import (
    TokenClaims,
    check_phrase,
    cose_of,
    digits_of,
    sign_token,
    token_digits,
    token_url,
    verify_token,
)
from tests.support.pki import NOW, throwaway_pki
from tests.support.tokens import PREFIX, claims, reference_claims, valid_token

DIGIT_VECTORS = [
    ("00", "000"),
    ("ff", "255"),
    ("0102", "00513"),
    ("01020304050607", "01976943448883713"),
    ("ff" * 7, "72057594037927935"),
    ("ff" * 8, "72057594037927935255"),
    ("00010203040506070809", "0169436464873497600591879"),
]


@pytest.mark.parametrize(("data", "digits"), DIGIT_VECTORS)
def test_digit_vectors_in_both_directions(data: str, digits: str) -> None:
    assert token_digits(bytes.fromhex(data)) == digits
    assert cose_of(digits).hex() == data


@pytest.mark.parametrize("digits", ["256", "99999", "72057594037927936", "0" * 18, "", "1", "0" * 16])
def test_digits_that_stand_for_nothing(digits: str) -> None:
    with pytest.raises(VerificationError) as caught:
        cose_of(digits)
    assert caught.value.fault is Fault.MALFORMED


@pytest.mark.parametrize("digits", ["1_0", "+01", " 12", "-01", "01 ", "０１２", "٠١٢", "1e2", "²²²"])
def test_only_ascii_digits_count(digits: str) -> None:
    with pytest.raises(VerificationError) as caught:
        cose_of(digits)
    assert caught.value.fault is Fault.MALFORMED


@given(st.binary(min_size=1, max_size=900))
def test_digits_round_trip(data: bytes) -> None:
    assert cose_of(token_digits(data)) == data


@given(st.integers(0, 60).flatmap(lambda n: st.text("0123456789", min_size=n, max_size=n)))
def test_digits_that_parse_are_written_back_the_same(digits: str) -> None:
    try:
        data = cose_of(digits)
    except VerificationError:
        return
    assert token_digits(data) == digits


def test_a_token_comes_back_as_it_was_signed() -> None:
    pki = throwaway_pki()
    agency = pki.agencies[0]
    token = sign_token(reference_claims(), agency.token_key)
    verified = verify_token(token_url(PREFIX, token), pki.pack(), now=NOW)
    assert verified.claims == reference_claims()
    assert verified.key.owner == agency.code
    assert verified.kid == agency.token_key.kid
    assert verified.cose == token
    assert verified.check_phrase == check_phrase(token)


def test_a_plain_mapping_of_keys_serves_as_well() -> None:
    pki = throwaway_pki()
    assert verify_token(valid_token(), pki.pack().by_kid, now=NOW).claims == claims()


def test_a_long_term_licence_has_neither_expiry_nor_start() -> None:
    pki = throwaway_pki()
    plain = claims(expires_at=None, not_before_at=None)
    url = token_url(PREFIX, sign_token(plain, pki.agencies[0].token_key))
    assert verify_token(url, pki.pack(), now=NOW).claims == plain


def test_expiry_of_the_licence_is_left_to_the_caller() -> None:
    pki = throwaway_pki()
    expired = claims(not_before_at=NOW - timedelta(days=9), expires_at=NOW - timedelta(days=1))
    url = token_url(PREFIX, sign_token(expired, pki.agencies[0].token_key))
    assert verify_token(url, pki.pack(), now=NOW).claims.expires_at == NOW - timedelta(days=1)


@pytest.mark.parametrize("year", [1, 1900, 1969])
def test_a_licence_may_have_begun_and_ended_before_1970(year: int) -> None:
    pki = throwaway_pki()
    old = claims(not_before_at=datetime(year, 1, 1, tzinfo=UTC), expires_at=datetime(year, 12, 31, tzinfo=UTC))
    url = token_url(PREFIX, sign_token(old, pki.agencies[0].token_key))
    assert verify_token(url, pki.pack(), now=NOW).claims == old


def test_times_lose_fractions_and_zones() -> None:
    china = timezone(timedelta(hours=8))
    kept = claims(issued_at=datetime(2026, 11, 22, 8, 30, 15, 999_999, tzinfo=china))
    assert kept.issued_at == datetime(2026, 11, 22, 0, 30, 15, tzinfo=UTC)
    assert kept.issued_at.tzinfo is UTC


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(TokenError):
        claims(issued_at=datetime(2026, 11, 22))  # noqa: DTZ001  # the very thing that is refused


def test_the_payload_is_deterministic_cbor_and_signed_bytes_too() -> None:
    pki = throwaway_pki()
    first, second = (cose.read_sign1(sign_token(claims(), pki.agencies[0].token_key)) for _ in range(2))
    assert first.payload == second.payload
    assert first.signature != second.signature


def test_the_frame_around_the_payload_costs_85_bytes() -> None:
    token = sign_token(claims(), throwaway_pki().agencies[0].token_key)
    payload = cose.read_sign1(token).payload
    assert len(payload) < 256
    assert len(token) - len(payload) == 85


def test_the_reference_record_stays_small() -> None:
    token = sign_token(reference_claims(), throwaway_pki().agencies[0].token_key)
    assert len(token) <= 335
    assert len(token_url(PREFIX, token)) <= 840


def test_check_phrase_is_a_proquint_of_the_signed_bytes() -> None:
    # 127.0.0.1 is the example of the proquint proposal: lusab-babad.
    from signing.tokens import _phrase  # noqa: PLC0415  # the published vector is for the inner function

    assert _phrase(bytes([127, 0, 0, 1]) + bytes(28)) == "lusab-babad"
    assert _phrase(bytes([63, 84, 220, 193]) + bytes(28)) == "gutih-tugad"


def test_a_second_signature_has_the_same_phrase_and_verifies() -> None:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    pki = throwaway_pki()
    token = sign_token(claims(), pki.agencies[0].token_key)
    s = int.from_bytes(token[-32:], "big")
    twin = token[:-32] + (order - s).to_bytes(32, "big")
    assert twin != token
    assert check_phrase(twin) == check_phrase(token)
    assert verify_token(token_digits(twin), pki.pack(), now=NOW).claims == claims()


@pytest.mark.parametrize(
    "text",
    [
        "{digits}",
        "  {digits}\r\n",
        "https://other.example/x?y=1#{digits}",
        "HTTPS>&&LICENCES.EXAMPLE&Q#{digits}",
        "https://licences.example/q" + "3" * 120 + "x{digits}",
        "{digits_before}https://licences.example/q#{digits}\n",
        "httpsÖ--licences.example-q§{digits}",
        "https://licences.example/q/7H2KQ9M4ZX3P#{digits}",
    ],
)
def test_where_the_digits_stand_does_not_matter(text: str) -> None:
    digits = token_digits(sign_token(claims(), throwaway_pki().agencies[0].token_key))
    before = token_digits(sign_token(claims(identifier="older"), throwaway_pki().agencies[0].token_key))
    assert digits_of(text.format(digits=digits, digits_before=before)) == digits


@pytest.mark.parametrize("text", ["", "   ", "https://licences.example/q", "x" + "1" * 99, "１" * 300, "\ud800"])
def test_a_text_without_a_token(text: str) -> None:
    with pytest.raises(VerificationError) as caught:
        digits_of(text)
    assert caught.value.fault is Fault.NO_CODE


@pytest.mark.parametrize(
    "prefix", ["https://licences.example/q", "https://licences.example/#q#", "https://证照.example/q#", ""]
)
def test_a_prefix_that_would_not_work(prefix: str) -> None:
    with pytest.raises(TokenError):
        token_url(prefix, b"\x00")


@pytest.mark.parametrize(
    "wrong",
    [
        claims(identifier=""),
        claims(identifier="x" * 201),
        claims(identifier="\ud800"),
        claims(status_index=-1),
        claims(status_index=2**53),
        claims(status_uri=""),
        claims(fields={0: "x"}),
        claims(fields={65_536: "x"}),
        claims(fields={1: 2**53}),
        claims(fields={1: True}),
        claims(fields={1: "x" * 1_501}),
        claims(fields=dict.fromkeys(range(1, 66), 1)),
        claims(not_before_at=NOW, expires_at=NOW),
        claims(issued_at=datetime(1969, 1, 1, tzinfo=UTC)),
        claims(fields={n: chr(0x4E00 + n) * 1_400 for n in range(1, 4)}),
    ],
)
def test_claims_that_no_verifier_would_read_are_not_signed(wrong: TokenClaims) -> None:
    with pytest.raises(TokenError):
        sign_token(wrong, throwaway_pki().agencies[0].token_key)


def test_a_token_too_long_for_a_verifier_is_not_signed() -> None:
    # Barely repeating text: deflate cannot save it.
    text = "".join(chr(0x4E00 + (n * 7919) % 20_000) for n in range(1_300))
    with pytest.raises(TokenError):
        sign_token(claims(fields={1: text}), throwaway_pki().agencies[0].token_key)


def test_fields_are_kept_in_order_of_their_numbers() -> None:
    token = sign_token(claims(fields={300: "c", 2: "a", 25: "b"}), throwaway_pki().agencies[0].token_key)
    verified = verify_token(token_digits(token), throwaway_pki().pack(), now=NOW)
    assert list(verified.claims.fields) == [2, 25, 300]


def test_a_verified_token_can_go_to_another_process() -> None:
    verified = verify_token(valid_token(), throwaway_pki().pack(), now=NOW)
    assert pickle.loads(pickle.dumps(verified)) == verified  # noqa: S301  # our own bytes


def test_cbor2_reads_what_we_write() -> None:
    tag = cbor2.loads(sign_token(claims(), throwaway_pki().agencies[0].token_key))
    assert tag.tag == 18
    assert len(tag.value) == 4


def test_an_rsa_key_signs_no_tokens() -> None:
    from signing.errors import KeyUnusableError  # noqa: PLC0415  # used once

    with pytest.raises(KeyUnusableError):
        sign_token(claims(), generate_key(KeyAlgorithm.RSA2048))
