"""Any input gives the verified thing or a ``VerificationError``, never another exception."""

import io
import json

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from signing import cbor, cose, jws
from signing.certificates import check_chain, read_certificate, requested_key
from signing.errors import KeyUnusableError, SigningError, VerificationError
from signing.keys import open_key, public_key, verify_digest, verify_raw
from signing.qr import qr_png, read_codes, read_page_codes
from signing.tokens import TokenClaims, VerifiedToken, cose_of, digits_of, sign_token, token_digits, verify_token
from signing.trust import TrustPack, open_pack
from tests.support.pki import NOW, throwaway_pki
from tests.support.tokens import (
    PREFIX,
    PROTECTED_HEAD,
    claims,
    payload_map,
    signed_map,
    signed_payload,
    signed_plain,
    valid_token,
)

SOME = settings(max_examples=150, deadline=None)
TOKEN = cose_of(digits_of(valid_token()))
PACK_FILE = throwaway_pki().pack_file()

cbor_values = st.recursive(
    st.integers(-(2**64), 2**64 - 1)
    | st.binary(max_size=20)
    | st.text(max_size=20)
    | st.booleans()
    | st.none()
    | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.integers(-70_000, 70_000) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def told(error: VerificationError, *reasons: str) -> None:
    """A refusal names its fault and says why."""
    assert error.fault
    assert any(reason in error.detail for reason in reasons or error.detail[:1])


def verified_or_refused(text: str) -> VerifiedToken | None:
    try:
        return verify_token(text, throwaway_pki().pack(), now=NOW)
    except VerificationError as error:
        told(error)
        return None


@SOME
@given(st.text())
@example("")
@example("\ud800")
@example("#")
@example(PREFIX)
@example("0" * 3_000)
@example("1" * 16_384)
@example("٣" * 200)
def test_any_text(text: str) -> None:
    assert verified_or_refused(text) is None


@SOME
@given(st.text("0123456789", min_size=100, max_size=900))
def test_any_digits(digits: str) -> None:
    assert verified_or_refused(PREFIX + digits) is None


@SOME
@given(st.binary(max_size=600))
def test_any_bytes_as_digits(data: bytes) -> None:
    assert verified_or_refused(token_digits(data) if data else "") is None


@SOME
@given(st.integers(0, len(TOKEN) - 1), st.integers(1, 255))
def test_any_changed_byte_of_a_good_token(place: int, flip: int) -> None:
    changed = bytes([*TOKEN[:place], TOKEN[place] ^ flip, *TOKEN[place + 1 :]])
    assert verified_or_refused(token_digits(changed)) is None


@SOME
@given(st.integers(0, len(TOKEN)), st.integers(0, len(TOKEN)), st.binary(max_size=12))
def test_any_piece_cut_out_or_put_in(begin: int, end: int, piece: bytes) -> None:
    changed = TOKEN[:begin] + piece + TOKEN[end:]
    found = verified_or_refused(token_digits(changed))
    assert (found is not None) == (changed == TOKEN)


@SOME
@given(st.binary(max_size=400))
def test_any_payload_really_signed(payload: bytes) -> None:
    verified_or_refused(signed_payload(payload))


@SOME
@given(st.binary(max_size=400))
def test_any_plain_payload_really_signed(plain: bytes) -> None:
    verified_or_refused(signed_plain(plain))


@SOME
@given(cbor_values)
def test_any_value_as_claims_really_signed(value: object) -> None:
    verified_or_refused(signed_map(value))


@SOME
@given(st.sampled_from([2, 4, 5, 6, 65535, -65537]), cbor_values)
def test_any_value_in_the_place_of_a_claim(number: int, value: object) -> None:
    found = verified_or_refused(signed_map(payload_map() | {number: value}))
    if found is not None:
        # What was accepted is written back to the same map.
        assert payload_map(found.claims) == payload_map() | {number: value}


@SOME
@given(st.binary(max_size=40), st.binary(max_size=40))
def test_any_header_really_signed(protected: bytes, payload: bytes) -> None:
    verified_or_refused(signed_payload(payload, protected=protected))


@SOME
@given(cbor_values, cbor_values, cbor_values, cbor_values)
def test_any_four_parts(protected: object, unprotected: object, payload: object, signature: object) -> None:
    message = cbor2.dumps(cbor2.CBORTag(18, [protected, unprotected, payload, signature]))
    verified_or_refused(token_digits(message))


@SOME
@given(st.binary(max_size=200))
def test_what_our_cbor_reader_takes_cbor2_writes_back(data: bytes) -> None:
    try:
        value = cbor.value_of(data, max_depth=6)
    except VerificationError:
        return
    assert cbor2.dumps(value) == data


@SOME
@given(cbor_values)
def test_our_cbor_reader_takes_what_cbor2_writes_of_our_kinds(value: object) -> None:
    data = cbor2.dumps(value)
    try:
        assert cbor.value_of(data, max_depth=20) == value
    except VerificationError as error:
        told(error, "not used", "not in order")


@SOME
@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=70))
def test_what_we_write_as_cose_is_read_back(header: bytes, payload: bytes, signature: bytes) -> None:
    protected = cbor2.dumps({4: header})
    read = cose.read_sign1(cose.sign1(protected, payload, signature))
    assert read == cose.Sign1(protected, {}, payload, signature)


@SOME
@given(
    st.builds(
        dict,
        identifier=st.text(max_size=30),
        status_index=st.integers(-5, 2**60),
        status_uri=st.text(max_size=30),
        fields=st.dictionaries(st.integers(-2, 70_000), st.integers() | st.text(max_size=30), max_size=6),
    )
)
def test_any_claims_are_signed_and_read_back_or_refused(parts: dict[str, object]) -> None:
    wanted: TokenClaims = claims(**parts)
    try:
        token = sign_token(wanted, throwaway_pki().agencies[0].token_key)
    except SigningError:
        return
    found = verified_or_refused(token_digits(token))
    assert found is not None
    assert found.claims == wanted


@SOME
@given(st.binary(max_size=300))
@example(PACK_FILE[:-5])
@example(b"[" * 200_000)
@example(b'{"a":' * 5_000)
def test_any_bytes_as_a_trust_pack(data: bytes) -> None:
    with pytest.raises(VerificationError):
        open_pack(data, anchor_spki_der=throwaway_pki().anchor_spki_der, now=NOW)


@SOME
@given(st.integers(0, len(PACK_FILE) - 2), st.integers(1, 255))
def test_any_changed_byte_of_a_good_pack(place: int, flip: int) -> None:
    changed = bytes([*PACK_FILE[:place], PACK_FILE[place] ^ flip, *PACK_FILE[place + 1 :]])
    try:
        opened: TrustPack = open_pack(changed, anchor_spki_der=throwaway_pki().anchor_spki_der, now=NOW)
    except VerificationError:
        return
    assert opened == throwaway_pki().pack()  # only white space may change and leave the pack as it was


@SOME
@given(json_values, st.sampled_from(["version", "iat", "next_update", "issuer", "root_certificates", "keys", "body"]))
def test_any_value_in_a_pack_really_signed(value: jws.JsonValue, member: str) -> None:
    pki = throwaway_pki()
    payload = jws.json_object(jws.bytes_of(json.loads(PACK_FILE)["pack"].split(".")[1])) | {member: value}
    pack = jws.signed(payload, key=pki.pack_key, typ="certlib-trust-pack+jwt")
    data = json.dumps({"delegation": pki.delegation, "pack": pack}).encode()
    try:
        open_pack(data, anchor_spki_der=pki.anchor_spki_der, now=NOW)
    except VerificationError as error:
        told(error)


@SOME
@given(st.sampled_from(["kid", "purpose", "alg", "spki", "owner", "nbf", "exp", "withdrawn", "cert"]), json_values)
def test_any_value_in_a_key_entry_really_signed(member: str, value: jws.JsonValue) -> None:
    pki = throwaway_pki()
    payload = json.loads(jws.bytes_of(json.loads(PACK_FILE)["pack"].split(".")[1]))
    payload["keys"][0][member] = value
    pack = jws.signed(payload, key=pki.pack_key, typ="certlib-trust-pack+jwt")
    data = json.dumps({"delegation": pki.delegation, "pack": pack}).encode()
    try:
        open_pack(data, anchor_spki_der=pki.anchor_spki_der, now=NOW)
    except VerificationError as error:
        told(error)


@SOME
@given(st.text(max_size=80))
@example("a.b.c")
@example("e30.e30.e30")
def test_any_text_as_jws(text: str) -> None:
    with pytest.raises(VerificationError):
        jws.verified(text, spki_der=throwaway_pki().anchor_spki_der, typ="x")


@SOME
@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_as_certificate_request_or_key(data: bytes, cut: int) -> None:
    pki = throwaway_pki()
    certificate = pki.agencies[0].seal_cert_der
    for garbage in (data, certificate[:cut] + data, b"-----BEGIN " + data):
        for read in (read_certificate, requested_key, public_key):
            with pytest.raises(VerificationError):
                read(garbage)
        with pytest.raises(VerificationError):
            check_chain(garbage, [pki.root_cert_der], NOW)
        with pytest.raises(KeyUnusableError):
            open_key(garbage, b"secret")


@SOME
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_any_changed_byte_of_a_certificate(place: int, flip: int) -> None:
    pki = throwaway_pki()
    der = bytearray(pki.agencies[0].seal_cert_der)
    der[place % len(der)] ^= flip
    with pytest.raises(VerificationError):
        check_chain(bytes(der), [pki.root_cert_der], NOW)


@SOME
@given(st.binary(max_size=100), st.binary(min_size=32, max_size=32))
def test_any_bytes_as_signature(signature: bytes, sha256: bytes) -> None:
    spki_der = throwaway_pki().anchor_spki_der
    for check in (verify_raw, verify_digest):
        with pytest.raises(VerificationError):
            check(spki_der, sha256=sha256, signature=signature)


@SOME
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\x00\x10JFIF"]))
def test_any_bytes_as_a_picture(data: bytes, start: bytes) -> None:
    with pytest.raises(VerificationError):
        read_codes(start + data)


SMALL_PNG = qr_png("https://licences.example/", module_pixels=2)
_jpeg = io.BytesIO()
Image.open(io.BytesIO(SMALL_PNG)).convert("L").save(_jpeg, "JPEG")
SMALL_JPEG = _jpeg.getvalue()


@SOME
@given(st.sampled_from([SMALL_PNG, SMALL_JPEG]), st.integers(0, 10_000), st.integers(1, 255), st.integers(0, 3_000))
def test_any_damage_to_a_picture(picture: bytes, place: int, flip: int, cut: int) -> None:
    damaged = bytearray(picture)
    damaged[place % len(damaged)] ^= flip
    for data in (bytes(damaged), picture[:cut]):
        try:
            assert isinstance(read_codes(data), tuple)
        except VerificationError as error:
            told(error)


@SOME
@given(st.integers(1, 40), st.integers(1, 40), st.randoms(use_true_random=False))
def test_any_pixels(width: int, height: int, source: object) -> None:
    gray = bytes(source.choices(range(256), k=width * height))  # type: ignore[attr-defined]  # a Random
    assert isinstance(read_page_codes(gray, width, height), tuple)


def test_the_header_of_a_token_is_what_the_tests_think() -> None:
    assert TOKEN[3:8] == PROTECTED_HEAD
