"""Public vectors: COSE_Sign1 messages, raw P-256 signatures, JWS. Read in place, never copied."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from certlib.authorising import read_assertion, signed_by
from certlib.store.clients import ClientKey
from signing import cbor, cose, jws
from signing.errors import Fault, VerificationError
from signing.jwk import read_public_key
from signing.keys import verify_raw
from signing.tokens import token_digits, verify_token
from tests.support.pki import NOW, throwaway_pki

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "vectors"
needs_vectors = pytest.mark.skipif(
    not VECTORS.is_dir(), reason=f"the public vectors are not here: {VECTORS} is missing"
)
COSE_FILES = sorted((VECTORS / "cose-sign1").glob("*.json"))
CURVES: dict[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
ALGORITHMS: dict[cbor.Value, hashes.HashAlgorithm] = {-7: hashes.SHA256(), -35: hashes.SHA384(), -36: hashes.SHA512()}
# ES512 goes with any curve in the vectors; our tokens know ES256 with P-256 only.
UNTAGGED = "sign-pass-03"


def loaded(name: str) -> dict[str, Any]:
    file = VECTORS / name
    if not file.is_file():
        pytest.skip(f"the public vectors are not here: {file} is missing")
    decoded = json.loads(file.read_text("utf-8"))
    assert isinstance(decoded, dict)
    return decoded


def verify_cose(vector: dict[str, Any]) -> None:
    """Verify a message with our reader, our signed bytes, and the curve that the vector asks for."""
    message = cose.read_sign1(bytes.fromhex(vector["output"]["cbor"]))
    signer = vector["input"]["sign0"]
    protected = cbor.value_of(message.protected, max_depth=2) if message.protected else {}
    assert isinstance(protected, dict)
    algorithm = ALGORITHMS.get(protected.get(1, message.unprotected.get(1, 0)))
    if algorithm is None:
        raise VerificationError(Fault.WRONG_KEY, "another algorithm")
    x, y = (int.from_bytes(jws.bytes_of(signer["key"][name]), "big") for name in "xy")
    key = ec.EllipticCurvePublicNumbers(x, y, CURVES[signer["key"]["crv"]]).public_key()
    external = bytes.fromhex(signer.get("external", ""))
    signed = cose.signed_bytes(message.protected, message.payload, external=external)
    half = len(message.signature) // 2
    r, s = int.from_bytes(message.signature[:half], "big"), int.from_bytes(message.signature[half:], "big")
    try:
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(algorithm))
    except InvalidSignature as error:
        raise VerificationError(Fault.BAD_SIGNATURE, "does not fit") from error
    if isinstance(algorithm, hashes.SHA256):
        spki_der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        verify_raw(spki_der, sha256=hashlib.sha256(signed).digest(), signature=message.signature)


@needs_vectors
def test_the_cose_vectors_are_all_here() -> None:
    assert len(COSE_FILES) == 13


@pytest.mark.parametrize("file", COSE_FILES, ids=lambda file: file.stem)
def test_cose_sign1(file: Path) -> None:
    vector = json.loads(file.read_text("utf-8"))
    if vector.get("fail") or file.stem == UNTAGGED:  # untagged input is refused by our own choice
        with pytest.raises(VerificationError):
            verify_cose(vector)
    else:
        verify_cose(vector)


@pytest.mark.parametrize("file", COSE_FILES, ids=lambda file: file.stem)
def test_no_foreign_message_is_a_token(file: Path) -> None:
    message = bytes.fromhex(json.loads(file.read_text("utf-8"))["output"]["cbor"])
    with pytest.raises(VerificationError) as caught:
        verify_token(token_digits(message), throwaway_pki().pack(), now=NOW)
    assert caught.value.fault is Fault.MALFORMED


def test_wycheproof_p256_raw_signatures() -> None:
    vectors = loaded("wycheproof-ecdsa-p256-p1363.json")
    judged = 0
    for group in vectors["testGroups"]:
        spki_der = bytes.fromhex(group["publicKeyDer"])
        for case in group["tests"]:
            signature = bytes.fromhex(case["sig"])
            sha256 = hashlib.sha256(bytes.fromhex(case["msg"])).digest()
            try:
                verify_raw(spki_der, sha256=sha256, signature=signature)
                verdict = "valid"
            except VerificationError as error:
                verdict = {Fault.BAD_SIGNATURE: "invalid"}.get(error.fault, "another fault")
            assert verdict == case["result"], case
            judged += 1
    assert judged == vectors["numberOfTests"] == 262


def test_wycheproof_json_web_signatures() -> None:
    """Our reader takes ES256 with exactly alg, kid and typ, so it refuses every vector, good ones for their header."""
    vectors = loaded("wycheproof-json-web-signature.json")
    spki_der = throwaway_pki().anchor_spki_der
    judged = 0
    for group in vectors["testGroups"]:
        for case in group["tests"]:
            text = case["jws"] if isinstance(case["jws"], str) else json.dumps(case["jws"])
            with pytest.raises(VerificationError):
                jws.verified(text, spki_der=group_key(group) or spki_der, typ="")
            judged += 1
    assert judged == vectors["numberOfTests"]


def group_key(group: dict[str, Any]) -> bytes | None:
    """The group's P-256 key, if it has one."""
    jwk = group.get("public", {})
    if jwk.get("crv") != "P-256":
        return None
    x, y = (int.from_bytes(jws.bytes_of(jwk[name]), "big") for name in "xy")
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_wycheproof_es256_below_the_header() -> None:
    """The ES256 cases again, with the header's own rules set aside: encoding, signature range and length."""
    vectors = loaded("wycheproof-json-web-signature.json")
    judged = 0
    for group in vectors["testGroups"]:
        spki_der = group_key(group)
        # Rules on "use" and "key_ops" are a JWK's; we hold keys with a purpose instead.
        cases = [case for case in group["tests"] if not case["comment"].startswith("rejectWrong")]
        for case in cases if spki_der else []:
            assert spki_der is not None
            try:
                check_es256(case["jws"], spki_der)
                verdict = "valid"
            except VerificationError:
                verdict = "invalid"
            assert verdict == case["result"], case
            judged += 1
    assert judged >= 35


def test_wycheproof_es256_as_assertions_of_clients() -> None:
    """Every vector through the readers of clients' keys and assertions: ES256 is judged as the vectors say, all else
    is refused. A key that is not for verifying signatures is not taken in."""
    vectors = loaded("wycheproof-json-web-signature.json")
    judged = agreed = 0
    for group in vectors["testGroups"]:
        es256 = group.get("public", {}).get("crv") == "P-256"
        for case in group["tests"]:
            text = case["jws"] if isinstance(case["jws"], str) else json.dumps(case["jws"])
            verdict = as_assertion(text, group.get("public", group.get("private", {})))
            assert verdict == (case["result"] if es256 else "invalid"), case
            judged += 1
            agreed += es256
    assert (judged, agreed) == (vectors["numberOfTests"], 41)


def as_assertion(text: str, jwk: dict[str, Any]) -> str:
    begin, end = NOW - timedelta(days=1), NOW + timedelta(days=1)
    try:
        spki_der, kid = read_public_key(json.dumps(jwk).encode())
        key = ClientKey(kid=kid, spki_der=spki_der, not_before_at=begin, not_after_at=end)
        return "valid" if signed_by(read_assertion(text), [key]) else "invalid"
    except VerificationError:
        return "invalid"


def check_es256(text: str, spki_der: bytes) -> None:
    parts = text.split(".")
    if len(parts) != 3:
        raise VerificationError(Fault.MALFORMED, "not three parts")
    header = jws.json_object(jws.bytes_of(parts[0]))
    if header.keys() != {"alg", "kid"} or header["alg"] != "ES256":
        raise VerificationError(Fault.WRONG_KEY, "not this header")
    signature = jws.bytes_of(parts[2])
    verify_raw(spki_der, sha256=hashlib.sha256(".".join(parts[:2]).encode()).digest(), signature=signature)
