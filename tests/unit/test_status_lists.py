"""Token Status Lists: the draft's vectors, both signed forms, and every way in which one must be refused."""

import base64
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signing import cose, jws
from signing.errors import Fault, StatusListError, VerificationError
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from signing.statuslist import (
    BITS,
    CWT_TYPE,
    JWT_TYPE,
    MAX_FILE_BYTES,
    StatusList,
    StatusListClaims,
    VerifiedStatusList,
    list_cbor,
    list_json,
    packed,
    read_list_cbor,
    read_list_json,
    sign_cwt,
    sign_jwt,
    verify_list,
)
from signing.trust import KeyPurpose, TrustedKey

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
URI = "https://licences.example/s/0"
VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors" / "token-status-list.json"
FORMS = ("jwt", "cwt")


def vectors() -> list[dict[str, Any]]:
    return json.loads(VECTORS.read_text("utf-8"))["vectors"] if VECTORS.is_file() else []


@cache
def key(name: str = "status") -> SigningKey:  # noqa: ARG001  # a key for each name
    return generate_key(KeyAlgorithm.P256)


def trusted(signer: SigningKey, **changes: Any) -> dict[bytes, TrustedKey]:  # noqa: ANN401  # of TrustedKey
    entry = TrustedKey(
        kid=signer.kid,
        purpose=KeyPurpose.STATUS,
        algorithm="ES256",
        spki_der=signer.spki_der,
        owner="",
        not_before_at=NOW - timedelta(days=1),
        not_after_at=NOW + timedelta(days=1),
    )
    return {signer.kid: replace(entry, **changes)}


def claims(**changes: Any) -> StatusListClaims:  # noqa: ANN401  # of StatusListClaims
    made = StatusListClaims(
        uri=URI,
        issued_at=NOW - timedelta(hours=1),
        expires_at=NOW + timedelta(hours=1),
        ttl_seconds=60,
        statuses=packed([(1, 1), (7, 2)], bits=2, size=64),
    )
    return replace(made, **changes)


def signed(form: str, said: StatusListClaims | None = None, signer: SigningKey | None = None) -> bytes:
    said, signer = said or claims(), signer or key()
    return sign_jwt(said, signer).encode() if form == "jwt" else sign_cwt(said, signer)


def verified(data: bytes, keys: dict[bytes, TrustedKey] | None = None, **parts: Any) -> VerifiedStatusList:  # noqa: ANN401
    known: dict[str, Any] = {"uri": URI, "now": NOW, **parts}
    return verify_list(data, trusted(key()) if keys is None else keys, **known)


def refused(data: bytes, fault: Fault, keys: dict[bytes, TrustedKey] | None = None, **parts: Any) -> None:  # noqa: ANN401
    with pytest.raises(VerificationError) as error:
        verified(data, keys, **parts)
    assert error.value.fault is fault


@pytest.mark.skipif(not VECTORS.is_file(), reason=f"{VECTORS} is missing: the draft's vectors are not copied here")
def test_the_drafts_vectors() -> None:
    seen = 0
    for vector in vectors():
        bits = vector["bits"]
        read = [read_list_json({"bits": bits, "lst": vector["lst_json"]})]
        if "cbor_hex" in vector:
            read.append(read_list_cbor(bytes.fromhex(vector["cbor_hex"])))
        for each in read:
            if "bytes_hex" in vector:
                assert each == StatusList(bits=bits, values=bytes.fromhex(vector["bytes_hex"]))
                continue
            expected = {int(index): value for index, value in vector["not_zero"].items()}
            assert (each.bits, each.size) == (bits, vector["size"])
            assert dict(each.not_zero()) == expected
            assert all(each.value(index) == value for index, value in expected.items())
            assert each == packed(expected.items(), bits=bits, size=vector["size"]), "encoded to the same bytes"
            seen += len(expected)
            assert read_list_json(list_json(each)) == read_list_cbor(list_cbor(each)) == each
    assert seen == 2 * (11 + 11 + 15 + 255)


@given(st.sampled_from(BITS), st.data())
@settings(max_examples=40, deadline=None)
def test_round_trip(bits: int, data: st.DataObject) -> None:
    size = 8 // bits * data.draw(st.integers(1, 40))
    entry = st.tuples(st.integers(0, size - 1), st.integers(1, (1 << bits) - 1))
    entries = dict(data.draw(st.lists(entry, max_size=size)))
    made = packed(entries.items(), bits=bits, size=size)
    assert dict(made.not_zero()) == entries
    assert [made.value(index) for index in range(size)] == [entries.get(index, 0) for index in range(size)]
    assert read_list_cbor(list_cbor(made)) == read_list_json(list_json(made)) == made


def test_an_index_beyond_the_list_is_no_status() -> None:
    statuses = packed([], bits=2, size=8)
    for index in (-1, 8, 2**40):
        with pytest.raises(VerificationError) as error:
            statuses.value(index)
        assert error.value.fault is Fault.NO_SUCH_ENTRY


@pytest.mark.parametrize("form", FORMS)
def test_what_is_signed_is_read(form: str) -> None:
    for said in (claims(), claims(ttl_seconds=None), claims(statuses=packed([(0, 15)], bits=4, size=2**20))):
        read = verified(signed(form, said))
        assert read.claims == said
        assert read.key.kid == key().kid
    assert verified(signed(form), uri=None).claims.uri == URI
    assert verified(signed(form), not_older_than=claims().issued_at).claims == claims()


@pytest.mark.parametrize("form", FORMS)
def test_times_keys_and_names_that_do_not_hold(form: str) -> None:
    good, hour = signed(form), timedelta(hours=1)
    refused(good, Fault.STALE_STATUS, now=NOW + hour)
    refused(signed(form, claims(issued_at=NOW + timedelta(seconds=301))), Fault.NOT_YET_VALID)
    refused(good, Fault.ROLLED_BACK, not_older_than=NOW - hour + timedelta(seconds=1))
    refused(good, Fault.ANOTHER_LIST, uri=URI + "1")
    refused(good, Fault.EMPTY_TRUST, {})
    refused(good, Fault.UNKNOWN_KEY, trusted(key("other")))
    refused(good, Fault.EXPIRED_CERTIFICATE, trusted(key(), not_before_at=NOW))
    refused(good, Fault.EXPIRED_CERTIFICATE, trusted(key(), not_after_at=NOW - hour))
    refused(good, Fault.KEY_WITHDRAWN, trusted(key(), withdrawn_at=NOW))
    for purpose in KeyPurpose:
        if purpose is not KeyPurpose.STATUS:
            refused(good, Fault.WRONG_KEY, trusted(key(), purpose=purpose))
    # Another key under the id of the trusted one.
    other = key("other")
    refused(
        good, Fault.BAD_SIGNATURE if form == "cwt" else Fault.UNTRUSTED_ISSUER, {key().kid: trusted(other)[other.kid]}
    )


@pytest.mark.parametrize("form", FORMS)
def test_no_changed_byte_passes(form: str) -> None:
    good = signed(form)
    for at in range(len(good)):
        for flip in (1, 0x20):
            changed = bytes([*good[:at], good[at] ^ flip, *good[at + 1 :]])
            with pytest.raises(VerificationError):
                verified(changed)
    for data in (good[:-1], good + b"A", b"", good[: len(good) // 2]):
        with pytest.raises(VerificationError):
            verified(data)


def test_a_list_without_a_signature() -> None:
    payload = json.loads(jws.bytes_of(signed("jwt").decode().split(".")[1]))
    body = base64.urlsafe_b64encode(json.dumps(payload).encode()).rstrip(b"=").decode()
    for header in ({"alg": "none", "typ": JWT_TYPE}, {"alg": "ES256", "kid": key().kid.hex(), "typ": JWT_TYPE}):
        head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
        refused(f"{head}.{body}.".encode(), Fault.UNSIGNED)
    refused(json.dumps(payload).encode(), Fault.UNSIGNED)
    refused(cbor2.dumps({2: URI}), Fault.UNSIGNED)
    parts = cose.read_sign1(signed("cwt"))
    refused(cose.sign1(parts.protected, parts.payload, b""), Fault.UNSIGNED)


def jwt_of(payload: dict[str, Any], **header: str) -> bytes:
    text = jws.signed(payload, key=key(), typ=header.get("typ", JWT_TYPE))
    return text.encode()


def cwt_of(payload: object, protected: dict[int, Any] | None = None) -> bytes:
    head = cbor2.dumps({1: -7, 4: key().kid, 16: CWT_TYPE} if protected is None else protected)
    body = cbor2.dumps(payload)
    return cose.sign1(head, body, key().sign_raw(cose.signed_sha256(head, body)))


def test_claims_of_another_form() -> None:
    payload = json.loads(jws.bytes_of(signed("jwt").decode().split(".")[1]))
    for name in payload.keys() - {"ttl"}:
        refused(jwt_of({k: v for k, v in payload.items() if k != name}), Fault.MALFORMED)
    wrong: list[dict[str, Any]] = [
        {"sub": 7}, {"sub": ""}, {"sub": "x" * 201}, {"iat": -1}, {"iat": 1.5}, {"iat": True}, {"exp": payload["iat"]},
        {"ttl": 0}, {"ttl": "60"}, {"more": 1}, {"status_list": []}, {"status_list": {"bits": 2}},
        {"status_list": {**payload["status_list"], "bits": 3}},
        {"status_list": {**payload["status_list"], "bits": True}},
        {"status_list": {**payload["status_list"], "more": 1}}, {"status_list": {"bits": 2, "lst": "AA=="}},
    ]  # fmt: skip
    for each in wrong:
        refused(jwt_of({**payload, **each}), Fault.MALFORMED)
    refused(jwt_of(payload, typ="JWT"), Fault.MALFORMED)


def test_cwts_of_another_form() -> None:
    lst = {"bits": 2, "lst": zlib.compress(bytes(16))}
    iat, exp = int(NOW.timestamp()) - 60, int(NOW.timestamp()) + 60
    good: dict[int, Any] = {2: URI, 4: exp, 6: iat, 65533: lst}
    assert verified(cwt_of(good)).claims.ttl_seconds is None
    wrong: list[Any] = [
        [], {**good, 7: 1}, {**good, 65533: lst["lst"]}, {**good, 6: "x"}, {2: URI, 6: iat, 65533: lst},
    ]  # fmt: skip
    for payload in wrong:
        refused(cwt_of(payload), Fault.MALFORMED)
    for head in ({}, {1: -7, 4: key().kid}, {1: -7, 4: b"x", 16: CWT_TYPE}, {1: -7, 4: key().kid, 16: "x"}):
        refused(cwt_of(good, head), Fault.MALFORMED)
    refused(cwt_of(good, {1: -8, 4: key().kid, 16: CWT_TYPE}), Fault.WRONG_KEY)
    refused(cwt_of(good)[1:], Fault.MALFORMED)


def test_lists_that_are_too_large_or_not_whole() -> None:
    payload = json.loads(jws.bytes_of(signed("jwt").decode().split(".")[1]))

    def with_list(compressed: bytes) -> bytes:
        return jwt_of({**payload, "status_list": {"bits": 1, "lst": jws.base64url(compressed)}})

    refused(b"A" * (MAX_FILE_BYTES + 1), Fault.TOO_LARGE)
    refused(with_list(zlib.compress(bytes(2**20 + 1))), Fault.TOO_LARGE)
    refused(with_list(zlib.compress(bytes(50_000_000), 9)), Fault.TOO_LARGE)
    whole = zlib.compress(bytes(1000))
    for compressed in (b"", whole[:-1], whole[:-5], whole + b"\0", zlib.compress(b""), whole[2:-4]):
        refused(with_list(compressed), Fault.MALFORMED)


def test_lists_that_cannot_be_made() -> None:
    for entries, bits, size in (
        ([(8, 1)], 1, 8),
        ([(-1, 1)], 1, 8),
        ([(0, 4)], 2, 8),
        ([], 3, 8),
        ([], 2, 7),
        ([], 1, 0),
    ):
        with pytest.raises(StatusListError):
            packed(entries, bits=bits, size=size)
    with pytest.raises(StatusListError):
        StatusList(bits=1, values=b"")
    wrong: list[dict[str, Any]] = [
        {"uri": ""}, {"expires_at": claims().issued_at}, {"ttl_seconds": 0}, {"issued_at": datetime(2026, 1, 1)},  # noqa: DTZ001
    ]  # fmt: skip
    for changes in wrong:
        with pytest.raises(StatusListError):
            claims(**changes)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_a_fault(data: bytes) -> None:
    for start in (b"", b"\xd2\x84"):
        with pytest.raises(VerificationError):
            verified(start + data)
