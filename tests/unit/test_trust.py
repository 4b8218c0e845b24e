"""The trust pack: what opens, and everything that must not."""

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from signing import jws
from signing.errors import Fault, KeyUnusableError, TrustError, VerificationError
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from signing.trust import (
    DELEGATION_TYPE,
    MAX_PACK_BYTES,
    PACK_TYPE,
    KeyPurpose,
    open_pack,
    sign_delegation,
    sign_pack,
)
from tests.support.pki import BEGIN, END, NOW, ThrowawayPki, throwaway_pki


@pytest.fixture(scope="module")
def pki() -> ThrowawayPki:
    return throwaway_pki()


@pytest.fixture(scope="module")
def good(pki: ThrowawayPki) -> bytes:
    return pki.pack_file()


def fault_of(data: bytes, *, now: datetime = NOW, at_least_version: int = 0, anchor: bytes | None = None) -> Fault:
    with pytest.raises(VerificationError) as caught:
        open_pack(
            data,
            anchor_spki_der=throwaway_pki().anchor_spki_der if anchor is None else anchor,
            now=now,
            at_least_version=at_least_version,
        )
    return caught.value.fault


def payload_of(data: bytes, member: str) -> dict[str, Any]:
    """What one of the two JWS in a file says."""
    decoded = json.loads(jws.bytes_of(json.loads(data)[member].split(".")[1]))
    assert isinstance(decoded, dict)
    return decoded


def spoilt(change: Callable[[dict[str, Any]], object]) -> bytes:
    """A pack whose payload was changed and really signed by the pack key."""
    pki = throwaway_pki()
    payload = payload_of(pki.pack_file(), "pack")
    change(payload)
    return file(jws.signed(payload, key=pki.pack_key, typ=PACK_TYPE))


def file(pack: str, delegation: str | None = None) -> bytes:
    return json.dumps({"delegation": delegation or throwaway_pki().delegation, "pack": pack}).encode()


def delegated(change: Callable[[dict[str, Any]], object], key: SigningKey | None = None) -> bytes:
    """A file whose delegation was changed and really signed by the root."""
    pki = throwaway_pki()
    payload = payload_of(pki.pack_file(), "delegation")
    change(payload)
    delegation = jws.signed(payload, key=key or pki.root_key, typ=DELEGATION_TYPE)
    return file(json.loads(pki.pack_file())["pack"], delegation)


# --- what opens ---


def test_a_pack_comes_back_as_it_was_signed(pki: ThrowawayPki) -> None:
    pack = pki.pack(version=3, body={"agencies": {"A": {"zh": "明州市"}}, "n": [1, None, True, "x"]})
    opened = open_pack(pki.pack_file(pack), anchor_spki_der=pki.anchor_spki_der, now=NOW, at_least_version=3)
    assert opened == pack
    assert opened.by_kid.keys() == {key.kid for key in pki.trusted_keys()}
    assert pickle.loads(pickle.dumps(opened)) == pack  # noqa: S301  # our own bytes


def test_keys_are_found_by_id_and_purpose(pki: ThrowawayPki) -> None:
    pack, agency = pki.pack(), pki.agencies[0]
    assert pack.token_key(agency.token_key.kid).owner == agency.code
    assert pack.key(agency.seal_key.kid, KeyPurpose.SEAL).certificate_der == agency.seal_cert_der
    assert pack.key(pki.agencies[2].seal_key.kid, KeyPurpose.SEAL).algorithm == "RS256"


@pytest.mark.parametrize("purpose", [KeyPurpose.TOKEN, KeyPurpose.STATUS, KeyPurpose.RECEIPT])
def test_a_seal_key_is_for_nothing_else(pki: ThrowawayPki, purpose: KeyPurpose) -> None:
    with pytest.raises(VerificationError) as caught:
        pki.pack().key(pki.agencies[0].seal_key.kid, purpose)
    assert caught.value.fault is Fault.WRONG_KEY


def test_an_unknown_key(pki: ThrowawayPki) -> None:
    with pytest.raises(VerificationError) as caught:
        pki.pack().token_key(bytes(8))
    assert caught.value.fault is Fault.UNKNOWN_KEY


def test_a_withdrawn_key(pki: ThrowawayPki) -> None:
    keys = tuple(replace(key, withdrawn_at=NOW) for key in pki.trusted_keys())
    with pytest.raises(VerificationError) as caught:
        pki.pack(keys=keys).token_key(pki.agencies[0].token_key.kid)
    assert caught.value.fault is Fault.KEY_WITHDRAWN


def test_a_withdrawal_is_carried(pki: ThrowawayPki) -> None:
    keys = tuple(replace(key, withdrawn_at=NOW) for key in pki.trusted_keys())
    opened = open_pack(pki.pack_file(pki.pack(keys=keys)), anchor_spki_der=pki.anchor_spki_der, now=NOW)
    assert {key.withdrawn_at for key in opened.keys} == {NOW}


def test_an_empty_pack_is_not_signed_and_trusts_nobody(pki: ThrowawayPki) -> None:
    empty = pki.pack(keys=())
    with pytest.raises(TrustError):
        pki.pack_file(empty)
    with pytest.raises(VerificationError) as caught:
        empty.token_key(pki.agencies[0].token_key.kid)
    assert caught.value.fault is Fault.EMPTY_TRUST


def test_a_stale_pack_opens_and_says_so(pki: ThrowawayPki, good: bytes) -> None:
    pack = open_pack(good, anchor_spki_der=pki.anchor_spki_der, now=NOW + timedelta(days=30))
    assert pack.is_stale(NOW + timedelta(days=30))
    assert not pack.is_stale(NOW)
    assert not pack.is_stale(pack.next_update_at)


def test_members_of_the_file_may_stand_in_any_order(pki: ThrowawayPki, good: bytes) -> None:
    turned = json.dumps(dict(reversed(json.loads(good).items())), indent=1).encode()
    assert open_pack(turned, anchor_spki_der=pki.anchor_spki_der, now=NOW) == pki.pack()


# --- packs that contradict themselves ---


@pytest.mark.parametrize(
    "change",
    [
        {"kid": bytes(8)},
        {"algorithm": "RS256"},
        {"algorithm": "none"},
        {"spki_der": b"noise"},
        {"purpose": KeyPurpose.SEAL},
        {"not_after_at": BEGIN},
        {"certificate_der": b"noise"},
    ],
    ids="-".join,
)
def test_an_entry_that_contradicts_itself(pki: ThrowawayPki, change: dict[str, Any]) -> None:
    token_entry = pki.trusted_keys()[1]
    with pytest.raises(TrustError):
        pki.pack(keys=(replace(token_entry, **change),))


def test_a_certificate_for_another_key(pki: ThrowawayPki) -> None:
    entry = replace(pki.trusted_keys()[0], certificate_der=pki.agencies[1].seal_cert_der)
    with pytest.raises(TrustError):
        pki.pack(keys=(entry,))


def test_an_rsa_key_is_only_for_seals(pki: ThrowawayPki) -> None:
    entry = replace(pki.trusted_keys()[4], purpose=KeyPurpose.TOKEN)
    with pytest.raises(TrustError):
        pki.pack(keys=(entry,))


def test_one_key_for_two_purposes(pki: ThrowawayPki) -> None:
    entry = pki.trusted_keys()[1]
    with pytest.raises(TrustError):
        pki.pack(keys=(entry, replace(entry, purpose=KeyPurpose.STATUS)))


# --- the file ---


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"delegation":"a.b.c"}',
        b'{"delegation":"a.b.c","pack":1}',
        b'{"delegation":"a.b.c","pack":"a.b.c","more":1}',
        b'{"delegation":"a.b.c","delegation":"a.b.c","pack":"a.b.c"}',
        b'{"delegation":"\\ud800","pack":"a.b.c"}',
        b'{"delegation":NaN,"pack":"a.b.c"}',
        b'{"delegation":1e999,"pack":"a.b.c"}',
        b'{"delegation":' + b"9" * 5_000 + b',"pack":"a.b.c"}',
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"delegation":' + b"[" * 40 + b"]" * 40 + b',"pack":"a.b.c"}',
    ],
    ids=range(15),
)
def test_a_file_of_another_shape(data: bytes) -> None:
    assert fault_of(data) is Fault.MALFORMED


def test_a_file_past_the_cap_is_not_read() -> None:
    assert fault_of(bytes(MAX_PACK_BYTES + 1)) is Fault.TOO_LARGE


# --- the delegation ---


def test_another_anchor(good: bytes) -> None:
    assert fault_of(good, anchor=generate_key(KeyAlgorithm.P256).spki_der) is Fault.UNTRUSTED_ISSUER


def test_a_delegation_forged_under_the_anchors_name(pki: ThrowawayPki, good: bytes) -> None:
    thief = generate_key(KeyAlgorithm.P256)
    header, payload, _ = sign_delegation(thief, pki.pack_key, BEGIN, END).split(".")
    genuine_header = pki.delegation.split(".")[0]
    forged = f"{genuine_header}.{payload}.{pki.delegation.split('.')[2]}"
    assert header != genuine_header
    assert fault_of(file(json.loads(good)["pack"], forged.replace(payload, payload[:-2] + "fQ"))) in {
        Fault.BAD_SIGNATURE,
        Fault.MALFORMED,
    }
    assert fault_of(file(json.loads(good)["pack"], sign_delegation(thief, pki.pack_key, BEGIN, END))) is (
        Fault.UNTRUSTED_ISSUER
    )


def test_a_delegation_to_a_thief_with_the_old_signature(pki: ThrowawayPki) -> None:
    thief = generate_key(KeyAlgorithm.P256)
    parts = pki.delegation.split(".")
    parts[1] = sign_delegation(pki.root_key, thief, BEGIN, END).split(".")[1]
    pack = json.loads(sign_pack(pki.pack(), pack_key=thief, delegation=""))["pack"]
    assert fault_of(file(pack, ".".join(parts))) is Fault.BAD_SIGNATURE


def test_a_delegation_not_begun_or_ended(good: bytes) -> None:
    assert fault_of(good, now=BEGIN - timedelta(seconds=1)) is Fault.NOT_YET_VALID
    assert fault_of(good, now=END) is Fault.STALE_TRUST


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(purpose="token"),
        lambda d: d.pop("purpose"),
        lambda d: d.update(more=1),
        lambda d: d.update(nbf="0"),
        lambda d: d.update(nbf=True),
        lambda d: d.update(exp=2**60),
        lambda d: d.update(jwk={}),
        lambda d: d["jwk"].update(kty="RSA"),
        lambda d: d["jwk"].update(crv="P-384"),
        lambda d: d["jwk"].update(d="secret"),
        lambda d: d["jwk"].update(x=d["jwk"]["y"]),
        lambda d: d["jwk"].update(x=d["jwk"]["x"][:-2]),
        lambda d: d["jwk"].update(x=d["jwk"]["x"] + "="),
    ],
    ids=range(13),
)
def test_a_delegation_of_another_shape(change: Callable[[dict[str, Any]], object]) -> None:
    assert fault_of(delegated(change)) is Fault.MALFORMED


def test_a_pack_is_no_delegation_and_a_delegation_no_pack(pki: ThrowawayPki, good: bytes) -> None:
    pack = json.loads(good)["pack"]
    root_signed_pack = jws.signed(payload_of(good, "pack"), key=pki.root_key, typ=PACK_TYPE)
    assert fault_of(file(pack, root_signed_pack)) is Fault.MALFORMED
    assert fault_of(file(pki.delegation)) is Fault.MALFORMED


def test_delegations_that_are_not_made(pki: ThrowawayPki) -> None:
    for pack_key, ends_at in ((pki.root_key, END), (pki.agencies[2].seal_key, END), (pki.pack_key, BEGIN)):
        with pytest.raises(TrustError):
            sign_delegation(pki.root_key, pack_key, BEGIN, ends_at)
    with pytest.raises(KeyUnusableError):
        sign_delegation(pki.agencies[2].seal_key, pki.pack_key, BEGIN, END)


# --- the pack ---


def test_a_pack_signed_by_another_key(pki: ThrowawayPki) -> None:
    for key in (generate_key(KeyAlgorithm.P256), pki.root_key, pki.agencies[0].token_key):
        data = sign_pack(pki.pack(), pack_key=key, delegation=pki.delegation)
        assert fault_of(data) is Fault.UNTRUSTED_ISSUER


def test_a_changed_pack(good: bytes) -> None:
    parts = json.loads(good)["pack"].split(".")
    payload = payload_of(good, "pack")
    payload["issuer"] = "Somebody else"
    parts[1] = jws.base64url(json.dumps(payload).encode())
    assert fault_of(file(".".join(parts))) is Fault.BAD_SIGNATURE


@pytest.mark.parametrize("alg", ["none", "HS256", "RS256", "ES384", "", None, ["ES256"]])
def test_another_alg(good: bytes, alg: object) -> None:
    parts = json.loads(good)["pack"].split(".")
    header = json.loads(jws.bytes_of(parts[0])) | {"alg": alg}
    parts[0] = jws.base64url(json.dumps(header).encode())
    assert fault_of(file(".".join(parts))) is Fault.WRONG_KEY


@pytest.mark.parametrize(
    "more", [{"jwk": {}}, {"crit": ["b64"], "b64": False}, {"x5c": []}, {"jku": "https://x.example"}]
)
def test_a_header_that_brings_its_own_key(good: bytes, more: dict[str, Any]) -> None:
    parts = json.loads(good)["pack"].split(".")
    header = json.loads(jws.bytes_of(parts[0])) | more
    parts[0] = jws.base64url(json.dumps(header).encode())
    assert fault_of(file(".".join(parts))) is Fault.MALFORMED


@pytest.mark.parametrize(
    "pack", ["", "a.b", "a.b.c.d", "..", "e30.e30.", "é.é.é", "e30=.e30.e30", "e31.e30.e30", "A.e30.e30"]
)
def test_no_compact_jws(pack: str) -> None:
    assert fault_of(file(pack)) is Fault.MALFORMED


def test_a_rolled_back_pack(pki: ThrowawayPki, good: bytes) -> None:
    assert fault_of(good, at_least_version=2) is Fault.ROLLED_BACK
    assert open_pack(good, anchor_spki_der=pki.anchor_spki_der, now=NOW, at_least_version=1).version == 1


def test_a_pack_from_the_future(pki: ThrowawayPki) -> None:
    late = pki.pack_file(pki.pack(issued_at=NOW + timedelta(seconds=301)))
    assert fault_of(late) is Fault.NOT_YET_VALID


def test_a_pack_backdated_to_before_its_delegation() -> None:
    before = int(BEGIN.timestamp()) - 1
    assert fault_of(spoilt(lambda p: p.update(iat=before))) is Fault.UNTRUSTED_ISSUER


@pytest.mark.parametrize("member", ["keys", "root_certificates"])
def test_no_keys_or_roots(member: str) -> None:
    assert fault_of(spoilt(lambda p: p.update({member: []}))) is Fault.EMPTY_TRUST


def test_two_entries_with_one_kid() -> None:
    assert fault_of(spoilt(lambda p: p["keys"].append(p["keys"][0]))) is Fault.MALFORMED


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.update(version=0),
        lambda p: p.update(version="1"),
        lambda p: p.update(version=1.0),
        lambda p: p.update(version=True),
        lambda p: p.update(iat=None),
        lambda p: p.update(next_update=-1),
        lambda p: p.update(issuer=None),
        lambda p: p.update(keys={}),
        lambda p: p.update(body=[]),
        lambda p: p.pop("body"),
        lambda p: p.update(more=1),
        lambda p: p.update(root_certificates=["AAAA"]),
        lambda p: p.update(keys=[None]),
        lambda p: p["keys"][0].pop("cert"),
        lambda p: p["keys"][0].update(more=1),
        lambda p: p["keys"][0].update(kid=p["keys"][0]["kid"].upper() + "AB"),
        lambda p: p["keys"][0].update(kid=p["keys"][1]["kid"]),
        lambda p: p["keys"][0].update(kid="zz"),
        lambda p: p["keys"][0].update(purpose="everything"),
        lambda p: p["keys"][0].update(purpose=["seal"]),
        lambda p: p["keys"][0].update(alg="RS256"),
        lambda p: p["keys"][0].update(spki="AAAA"),
        lambda p: p["keys"][0].update(cert=None),
        lambda p: p["keys"][0].update(nbf=p["keys"][0]["exp"]),
        lambda p: p["keys"][0].update(withdrawn="yesterday"),
        lambda p: p["keys"][0].update(owner=7),
    ],
    ids=range(26),
)
def test_a_pack_of_another_shape(change: Callable[[dict[str, Any]], object]) -> None:
    assert fault_of(spoilt(change)) is Fault.MALFORMED


def test_packs_that_are_not_signed(pki: ThrowawayPki) -> None:
    for body in ({"x": float("nan")}, {"x": {1, 2}}, {"x": "\ud800"}):
        with pytest.raises(TrustError):
            pki.pack_file(pki.pack(body=body))  # type: ignore[arg-type]  # no JSON on purpose
    with pytest.raises(KeyUnusableError):
        sign_pack(pki.pack(), pack_key=pki.agencies[2].seal_key, delegation=pki.delegation)


def test_a_pack_too_large_for_its_readers_is_not_signed(pki: ThrowawayPki) -> None:
    with pytest.raises(TrustError):
        pki.pack_file(pki.pack(body={"x": "x" * MAX_PACK_BYTES}))
