"""Every way in which a token must not be trusted, each with its fault."""

import hashlib
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from signing import cose
from signing.errors import Fault, TrustError, VerificationError
from signing.keys import KeyAlgorithm, generate_key
from signing.tokens import sign_token, token_digits, verify_token
from signing.trust import TrustedKey, TrustPack
from tests.support.pki import BEGIN, END, NOW, throwaway_pki
from tests.support.tokens import (
    PREFIX,
    PROTECTED_HEAD,
    claims,
    deflated,
    payload_map,
    signed_map,
    signed_payload,
    signed_plain,
    valid_token,
)

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def fault_of(text: str, keys: TrustPack | dict[bytes, TrustedKey] | None = None) -> Fault:
    with pytest.raises(VerificationError) as caught:
        verify_token(text, throwaway_pki().pack() if keys is None else keys, now=NOW)
    return caught.value.fault


def parts() -> cose.Sign1:
    return cose.read_sign1(sign_token(claims(), throwaway_pki().agencies[0].token_key))


def whole(value: object) -> str:
    return token_digits(cbor2.dumps(value))


# --- 1 and 2: text and digits ---


def test_a_text_past_the_cap_is_not_searched() -> None:
    assert fault_of("x" * 16_385) is Fault.TOO_LARGE


def test_more_than_3000_digits_are_not_converted() -> None:
    assert fault_of(PREFIX + "0" * 3_001) is Fault.TOO_LARGE


def test_digits_cut_inside_a_group() -> None:
    assert fault_of(valid_token()[:-1]) is Fault.MALFORMED


def test_digits_cut_exactly_at_a_group() -> None:
    digits = valid_token().removeprefix(PREFIX)
    assert fault_of(digits[: len(digits) // 17 * 17 - 17]) is Fault.MALFORMED


def test_one_digit_too_many() -> None:
    assert fault_of(valid_token() + "0") is Fault.MALFORMED


def test_a_group_of_digits_out_of_range() -> None:
    digits = valid_token().removeprefix(PREFIX)
    assert fault_of("9" * 17 + digits[17:]) is Fault.MALFORMED


def test_full_width_digits_are_no_digits() -> None:
    wide = valid_token().removeprefix(PREFIX).translate({48 + n: 0xFF10 + n for n in range(10)})
    assert fault_of(wide) is Fault.NO_CODE


# --- 3: COSE shape ---


def test_no_tag() -> None:
    assert fault_of(whole(list(parts()))) is Fault.MALFORMED


def test_another_tag() -> None:
    assert fault_of(whole(cbor2.CBORTag(98, list(parts())))) is Fault.MALFORMED


def test_tag_18_twice() -> None:
    assert fault_of(whole(cbor2.CBORTag(18, cbor2.CBORTag(18, list(parts()))))) is Fault.MALFORMED


def test_cwt_tag_61_around() -> None:
    assert fault_of(whole(cbor2.CBORTag(61, cbor2.CBORTag(18, list(parts()))))) is Fault.MALFORMED


def test_cwt_tag_61_inside() -> None:
    assert fault_of(whole(cbor2.CBORTag(18, cbor2.CBORTag(61, list(parts()))))) is Fault.MALFORMED


@pytest.mark.parametrize("count", [3, 5])
def test_three_or_five_parts(count: int) -> None:
    assert fault_of(whole(cbor2.CBORTag(18, [*parts(), b""][:count]))) is Fault.MALFORMED


@pytest.mark.parametrize("place", range(4))
def test_a_part_of_the_wrong_type(place: int) -> None:
    wrong: list[object] = list(parts())
    wrong[place] = "text"
    assert fault_of(whole(cbor2.CBORTag(18, wrong))) is Fault.MALFORMED


def test_alg_only_in_the_unprotected_header() -> None:
    signer = throwaway_pki().agencies[0].token_key
    protected = cbor2.dumps({4: signer.kid})
    payload = parts().payload
    signature = signer.sign_raw(cose.signed_sha256(protected, payload))
    assert fault_of(whole(cbor2.CBORTag(18, [protected, {1: -7}, payload, signature]))) is Fault.MALFORMED


@pytest.mark.parametrize("header", [{1: -7}, {4: b"12345678"}, {"x": 1}])
def test_any_unprotected_entry(header: dict[Any, Any]) -> None:
    good = parts()
    assert fault_of(whole(cbor2.CBORTag(18, [good.protected, header, good.payload, good.signature]))) is Fault.MALFORMED


@pytest.mark.parametrize(
    "header",
    [
        {4: b"KID"},
        {1: None, 4: b"KID"},
        {1: "none", 4: b"KID"},
        {1: 0, 4: b"KID"},
        {1: -8, 4: b"KID"},
        {1: -35, 4: b"KID"},
        {1: 5, 4: b"KID"},
        {1: -257, 4: b"KID"},
        {1: "ES256", 4: b"KID"},
        {1: -7},
        {1: -7, 2: [1], 4: b"KID"},
        {1: -7, 3: 0, 4: b"KID"},
        {},
    ],
    ids=str,
)
def test_any_other_protected_header(header: dict[int, Any]) -> None:
    kid = throwaway_pki().agencies[0].token_key.kid
    protected = cbor2.dumps({number: kid if value == b"KID" else value for number, value in header.items()})
    assert fault_of(signed_payload(parts().payload, protected=protected)) is Fault.MALFORMED


@pytest.mark.parametrize("length", [0, 7, 9, 32])
def test_a_kid_of_another_length(length: int) -> None:
    protected = cbor2.dumps({1: -7, 4: bytes(length)})
    assert fault_of(signed_payload(parts().payload, protected=protected)) is Fault.MALFORMED


def test_an_empty_protected_header() -> None:
    assert fault_of(signed_payload(parts().payload, protected=b"")) is Fault.MALFORMED


def test_der_instead_of_raw_signature() -> None:
    good = parts()
    r, s = int.from_bytes(good.signature[:32], "big"), int.from_bytes(good.signature[32:], "big")
    bad = cose.sign1(good.protected, good.payload, encode_dss_signature(r, s))
    assert fault_of(token_digits(bad)) is Fault.MALFORMED


@pytest.mark.parametrize("length", [0, 63, 65, 128])
def test_a_signature_of_another_length(length: int) -> None:
    good = parts()
    signature = (good.signature * 2)[:length]
    assert fault_of(token_digits(cose.sign1(good.protected, good.payload, signature))) is Fault.MALFORMED


def test_bytes_after_the_message() -> None:
    token = sign_token(claims(), throwaway_pki().agencies[0].token_key)
    assert fault_of(token_digits(token + b"\x00")) is Fault.MALFORMED


def test_an_indefinite_array_around() -> None:
    good = parts()
    message = b"\xd2\x9f" + b"".join(cbor2.dumps(part) for part in good) + b"\xff"
    assert fault_of(token_digits(message)) is Fault.MALFORMED


def test_an_indefinite_payload() -> None:
    good = parts()
    message = (
        b"\xd2\x84\x4d"
        + good.protected
        + b"\xa0\x5f"
        + cose.byte_string(good.payload)
        + b"\xff\x58\x40"
        + good.signature
    )
    assert fault_of(token_digits(message)) is Fault.MALFORMED


def test_a_length_that_is_not_the_shortest() -> None:
    good = parts()
    message = (
        b"\xd2\x84\x58\x0d" + good.protected + b"\xa0" + cose.byte_string(good.payload) + b"\x58\x40" + good.signature
    )
    assert fault_of(token_digits(message)) is Fault.MALFORMED


def test_an_empty_payload() -> None:
    assert fault_of(signed_payload(b"")) is Fault.MALFORMED


def test_a_detached_payload() -> None:
    good = parts()
    assert fault_of(whole(cbor2.CBORTag(18, [good.protected, {}, None, good.signature]))) is Fault.MALFORMED


# --- 4: which key ---


def test_unknown_kid() -> None:
    assert fault_of(signed_payload(parts().payload, generate_key(KeyAlgorithm.P256))) is Fault.UNKNOWN_KEY


def test_kid_of_another_agency_is_never_helped_by_trying_all_keys() -> None:
    first, second = throwaway_pki().agencies[:2]
    payload, header = parts().payload, PROTECTED_HEAD + second.token_key.kid
    assert fault_of(signed_payload(payload, first.token_key, header)) is Fault.BAD_SIGNATURE


def test_a_seal_key_never_verifies_a_token() -> None:
    agency = throwaway_pki().agencies[0]
    assert fault_of(signed_payload(parts().payload, agency.seal_key)) is Fault.WRONG_KEY


def test_an_rsa_seal_key_never_verifies_a_token() -> None:
    header = PROTECTED_HEAD + throwaway_pki().agencies[2].seal_key.kid
    signer = throwaway_pki().agencies[0].token_key
    assert fault_of(signed_payload(parts().payload, signer, header)) is Fault.WRONG_KEY


@pytest.mark.parametrize("purpose", ["status", "receipt"])
def test_a_status_or_receipt_key_never_verifies_a_token(purpose: str) -> None:
    pki = throwaway_pki()
    keys = {key.kid: replace(key, purpose=type(key.purpose)(purpose)) for key in pki.trusted_keys()}
    assert fault_of(valid_token(), keys) is Fault.WRONG_KEY


def test_a_key_entry_with_another_algorithm() -> None:
    keys = {key.kid: replace(key, algorithm="RS256") for key in throwaway_pki().trusted_keys()}
    assert fault_of(valid_token(), keys) is Fault.WRONG_KEY


def test_two_entries_with_one_kid_are_refused_at_load() -> None:
    pki = throwaway_pki()
    with pytest.raises(TrustError):
        pki.pack(keys=(*pki.trusted_keys(), pki.trusted_keys()[1]))


def test_a_withdrawn_key_ends_all_its_tokens() -> None:
    keys = tuple(replace(key, withdrawn_at=NOW + timedelta(days=1)) for key in throwaway_pki().trusted_keys())
    assert fault_of(valid_token(), throwaway_pki().pack(keys=keys)) is Fault.KEY_WITHDRAWN


def test_an_empty_trust_pack_trusts_nobody() -> None:
    assert fault_of(valid_token(), throwaway_pki().pack(keys=())) is Fault.EMPTY_TRUST
    assert fault_of(valid_token(), {}) is Fault.EMPTY_TRUST


# --- 5: signature ---


@pytest.mark.parametrize("place", ["payload", "signature"])
def test_one_changed_bit(place: str) -> None:
    good = parts()
    changed = {"payload": good.payload, "signature": good.signature}
    changed[place] = bytes([changed[place][0] ^ 1]) + changed[place][1:]
    message = cose.sign1(good.protected, changed["payload"], changed["signature"])
    assert fault_of(token_digits(message)) is Fault.BAD_SIGNATURE


@pytest.mark.parametrize(
    "change",
    [
        lambda _r, s: (0, s),
        lambda r, _s: (r, 0),
        lambda _r, _s: (0, 0),
        lambda _r, s: (ORDER, s),
        lambda r, _s: (r, ORDER),
        lambda _r, s: (2**256 - 1, s),
        lambda r, _s: (r, 2**256 - 1),
        lambda r, s: (s, r),
    ],
)
def test_r_or_s_zero_or_out_of_range(change: Callable[[int, int], tuple[int, int]]) -> None:
    good = parts()
    r, s = change(int.from_bytes(good.signature[:32], "big"), int.from_bytes(good.signature[32:], "big"))
    message = cose.sign1(good.protected, good.payload, r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    assert fault_of(token_digits(message)) is Fault.BAD_SIGNATURE


def test_a_signature_over_the_bare_payload() -> None:
    signer = throwaway_pki().agencies[0].token_key
    payload = parts().payload
    header = PROTECTED_HEAD + signer.kid
    message = cose.sign1(header, payload, signer.sign_raw(hashlib.sha256(payload).digest()))
    assert fault_of(token_digits(message)) is Fault.BAD_SIGNATURE


def test_a_signature_is_checked_before_anything_is_inflated() -> None:
    good = parts()
    bomb = deflated(b"a" * 10_000_000)[:700]
    assert fault_of(token_digits(cose.sign1(good.protected, bomb, good.signature))) is Fault.BAD_SIGNATURE


# --- 6: inflate ---


def test_a_deflate_bomb_stops_at_the_cap() -> None:
    assert fault_of(signed_plain(b"a" * 1_000_000)) is Fault.TOO_LARGE


def test_exactly_the_cap_is_inflated_and_one_byte_more_is_not() -> None:
    assert fault_of(signed_plain(b"a" * 4_096)) is Fault.MALFORMED
    assert fault_of(signed_plain(b"a" * 4_097)) is Fault.TOO_LARGE


@pytest.mark.parametrize("missing", [1, 2, 20])
def test_a_cut_stream(missing: int) -> None:
    assert fault_of(signed_payload(parts().payload[:-missing])) is Fault.MALFORMED


@pytest.mark.parametrize("tail", [b"\x00", b"\x03\x00", b"tail"])
def test_bytes_after_the_stream(tail: bytes) -> None:
    assert fault_of(signed_payload(parts().payload + tail)) is Fault.MALFORMED


def test_a_zlib_header_is_not_raw_deflate() -> None:
    assert fault_of(signed_payload(zlib.compress(cbor2.dumps(payload_map())))) is Fault.MALFORMED


def test_a_payload_that_is_not_deflated() -> None:
    assert fault_of(signed_payload(cbor2.dumps(payload_map()))) is Fault.MALFORMED


def test_a_payload_deflated_with_a_dictionary() -> None:
    plain = cbor2.dumps(payload_map())
    assert fault_of(signed_payload(deflated(plain, dictionary=plain))) is Fault.MALFORMED


# --- 7: CBOR ---


def test_bytes_after_the_claims() -> None:
    assert fault_of(signed_plain(cbor2.dumps(payload_map()) + b"\x00")) is Fault.MALFORMED


def test_a_claim_twice() -> None:
    plain = cbor2.dumps(payload_map())
    assert plain[0] == 0xA6
    twice = b"\xa7\x02\x61x" + plain[1:]
    assert fault_of(signed_plain(twice)) is Fault.MALFORMED


def test_a_licence_field_twice() -> None:
    good = payload_map()
    fields = cbor2.dumps(good[-65537])
    twice = bytes([fields[0] + 1]) + b"\x01\x07" + fields[1:]
    assert fault_of(signed_plain(cbor2.dumps(good).replace(fields, twice))) is Fault.MALFORMED


def test_claims_out_of_order() -> None:
    assert fault_of(signed_map(dict(reversed(payload_map().items())))) is Fault.MALFORMED


def test_an_indefinite_map() -> None:
    plain = cbor2.dumps(payload_map())
    assert fault_of(signed_plain(b"\xbf" + plain[1:] + b"\xff")) is Fault.MALFORMED


def test_an_indefinite_text() -> None:
    plain = cbor2.dumps(payload_map())
    assert plain[1:3] == b"\x02\x78"
    assert fault_of(signed_plain(plain[:2] + b"\x7f" + plain[2:75] + b"\xff" + plain[75:])) is Fault.MALFORMED


def test_a_number_not_in_its_shortest_form() -> None:
    plain = cbor2.dumps(payload_map())
    assert fault_of(signed_plain(plain[:1] + b"\x18\x02" + plain[2:])) is Fault.MALFORMED


@pytest.mark.parametrize("depth", [5, 100, 2_000])
def test_deep_nesting(depth: int) -> None:
    assert fault_of(signed_plain(b"\xa1\x01" * depth + b"\x01")) is Fault.MALFORMED
    assert fault_of(signed_plain(b"\x81" * depth + b"\x01")) is Fault.MALFORMED


@pytest.mark.parametrize(
    "value",
    [cbor2.CBORTag(1, 1_790_000_000), cbor2.CBORTag(2, b"\x01"), 1.5, True, None, b"\x01", [1], float("nan")],
    ids=str,
)
def test_tags_floats_and_simple_values_are_no_times(value: object) -> None:
    assert fault_of(signed_map(payload_map() | {6: value})) is Fault.MALFORMED


def test_text_that_is_not_utf8() -> None:
    plain = cbor2.dumps(payload_map())
    assert fault_of(signed_plain(plain.replace("王".encode(), b"\xff\xfe\xfd"))) is Fault.MALFORMED


@pytest.mark.parametrize("value", [1, "text", b"bytes", [], {}], ids=str)
def test_a_payload_without_claims(value: object) -> None:
    assert fault_of(signed_map(value)) is Fault.MALFORMED


# --- 8: claims and times ---


@pytest.mark.parametrize("number", [2, 6, 65535, -65537])
def test_a_missing_claim(number: int) -> None:
    content = payload_map()
    del content[number]
    assert fault_of(signed_map(content)) is Fault.MALFORMED


@pytest.mark.parametrize("number", [1, 3, 7, 8, "x"])
def test_an_unknown_claim(number: int | str) -> None:
    content = payload_map() | {number: "x"}
    ordered = {name: content[name] for name in sorted(content, key=cbor2.dumps)}
    assert fault_of(signed_map(ordered)) is Fault.MALFORMED


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (2, ""),
        (2, 7),
        (2, "x" * 201),
        (4, -1),
        (4, "2027-01-01"),
        (4, 253_402_300_800),
        (5, 2**64 - 1),
        (6, -(2**64)),
        (65535, {}),
        (65535, "x"),
        (65535, {"status_list": {}}),
        (65535, {"status_list": "x"}),
        (65535, {"status_list": {"idx": 1}}),
        (65535, {"status_list": {"idx": -1, "uri": "u"}}),
        (65535, {"status_list": {"idx": "1", "uri": "u"}}),
        (65535, {"status_list": {"idx": 1, "uri": ""}}),
        (65535, {"status_list": {"idx": 1, "uri": "u", "x": 1}}),
        (65535, {"status_list": {"idx": 1, "uri": "u"}, "status_lisu": 1}),
        (-65537, [1]),
        (-65537, {"1": "x"}),
        (-65537, {-1: "x"}),
        (-65537, {0: "x"}),
        (-65537, {1: b"x"}),
        (-65537, {1: {}}),
        (-65537, {1: 2**53}),
    ],
    ids=str,
)
def test_a_claim_of_the_wrong_type_or_size(number: int, value: object) -> None:
    assert fault_of(signed_map(payload_map() | {number: value})) is Fault.MALFORMED


def test_a_licence_that_ends_before_it_begins() -> None:
    content = payload_map()
    content[4] = content[5]
    assert fault_of(signed_map(content)) is Fault.MALFORMED


def test_a_token_signed_before_the_keys_period() -> None:
    early = claims(issued_at=BEGIN - timedelta(seconds=1))
    text = token_digits(sign_token(early, throwaway_pki().agencies[0].token_key))
    assert fault_of(text) is Fault.EXPIRED_CERTIFICATE


def test_a_key_retired_before_issue() -> None:
    retired = tuple(replace(key, not_after_at=NOW - timedelta(days=1)) for key in throwaway_pki().trusted_keys())
    assert fault_of(valid_token(), throwaway_pki().pack(keys=retired)) is Fault.EXPIRED_CERTIFICATE


def test_a_key_retired_after_issue_still_verifies() -> None:
    pki = throwaway_pki()
    retired = tuple(replace(key, not_after_at=NOW - timedelta(minutes=4)) for key in pki.trusted_keys())
    later = NOW + timedelta(days=30)
    assert verify_token(valid_token(), pki.pack(keys=retired), now=later).claims == claims()


def test_the_end_of_the_keys_period_is_exclusive() -> None:
    text = token_digits(sign_token(claims(issued_at=END), throwaway_pki().agencies[0].token_key))
    with pytest.raises(VerificationError) as caught:
        verify_token(text, throwaway_pki().pack(), now=END)
    assert caught.value.fault is Fault.EXPIRED_CERTIFICATE


def test_a_token_issued_in_the_future() -> None:
    key = throwaway_pki().agencies[0].token_key
    late = token_digits(sign_token(claims(issued_at=NOW + timedelta(seconds=301)), key))
    assert fault_of(late) is Fault.NOT_YET_VALID
    skewed = claims(issued_at=NOW + timedelta(seconds=300))
    assert verify_token(token_digits(sign_token(skewed, key)), throwaway_pki().pack(), now=NOW).claims == skewed


# --- what is judged elsewhere or not at all ---


def test_a_foreign_url_prefix_changes_nothing() -> None:
    digits = valid_token().removeprefix(PREFIX)
    foreign = f"https://phishing.example/steal?x#{digits}"
    assert verify_token(foreign, throwaway_pki().pack(), now=NOW).claims == claims()


def test_a_buffer_with_two_tokens_gives_the_last() -> None:
    other = sign_token(claims(identifier="older"), throwaway_pki().agencies[0].token_key)
    buffer = PREFIX + token_digits(other) + valid_token()
    assert verify_token(buffer, throwaway_pki().pack(), now=NOW).claims == claims()
