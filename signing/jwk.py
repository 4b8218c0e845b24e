"""Public P-256 keys as others hand them over: JSON Web Keys (RFC 7517) and PEM."""

import binascii
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from signing.errors import Fault, VerificationError
from signing.jws import JsonValue, base64url, bytes_of, json_object
from signing.keys import KeyAlgorithm, algorithm_of

MAX_KEY_BYTES: Final = 8192
_COORDINATE_BYTES: Final = 32
_POINT_BYTES: Final = 2 * _COORDINATE_BYTES


def public_jwk(spki_der: bytes, *, kid: str) -> dict[str, JsonValue]:
    """Return a P-256 key as a JWK for ES256 signatures."""
    point = spki_der[-_POINT_BYTES:]
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": base64url(point[:_COORDINATE_BYTES]),
        "y": base64url(point[_COORDINATE_BYTES:]),
        "kid": kid,
        "use": "sig",
        "alg": "ES256",
    }


def read_public_key(data: bytes) -> tuple[bytes, str]:
    """Return the public P-256 key in a PEM or in a JWK, as ``spki_der``, and the id that the JWK gives it or "".

    Raises:
        VerificationError: ``malformed``: neither of them, or a private key, which nobody shall hand over.
            ``wrong_key``: another kind of key, or one that is not for ES256 signatures.
    """
    if len(data) > MAX_KEY_BYTES:
        raise VerificationError(Fault.MALFORMED, f"a public key has at most {MAX_KEY_BYTES} bytes")
    if b"PRIVATE KEY" in data:
        raise VerificationError(Fault.MALFORMED, "this is a private key; keep it, and hand over its public half")
    if data.lstrip().startswith(b"{"):
        return _of_jwk(json_object(data))
    try:
        key = load_pem_public_key(data)
        spki_der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError, UnsupportedAlgorithm, binascii.Error) as error:
        raise VerificationError(Fault.MALFORMED, "neither a public key in PEM nor a JWK") from error
    return _p256(spki_der), ""


def _of_jwk(jwk: dict[str, JsonValue]) -> tuple[bytes, str]:
    if "d" in jwk or "k" in jwk:
        raise VerificationError(Fault.MALFORMED, "this is a private key; keep it, and hand over its public half")
    kind = jwk.get("kty"), jwk.get("crv"), jwk.get("alg", "ES256"), jwk.get("use", "sig")
    if kind != ("EC", "P-256", "ES256", "sig"):
        raise VerificationError(Fault.WRONG_KEY, "only P-256 keys for ES256 signatures are used")
    if jwk.get("key_ops", ["verify"]) != ["verify"]:
        raise VerificationError(Fault.WRONG_KEY, "the key is not for verifying signatures (key_ops)")
    x, y, kid = jwk.get("x"), jwk.get("y"), jwk.get("kid", "")
    if not (isinstance(x, str) and isinstance(y, str) and isinstance(kid, str)):
        raise VerificationError(Fault.MALFORMED, "JWK: x, y or kid is missing or no text")
    point = (bytes_of(x), bytes_of(y))
    if any(len(each) != _COORDINATE_BYTES for each in point):
        raise VerificationError(Fault.MALFORMED, "JWK: x and y have 32 bytes each")
    try:
        numbers = ec.EllipticCurvePublicNumbers(
            int.from_bytes(point[0], "big"), int.from_bytes(point[1], "big"), ec.SECP256R1()
        )
        spki_der = numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except ValueError as error:
        raise VerificationError(Fault.MALFORMED, "JWK: the point is not on the curve") from error
    return _p256(spki_der), kid


def _p256(spki_der: bytes) -> bytes:
    if algorithm_of(spki_der) is not KeyAlgorithm.P256:
        raise VerificationError(Fault.WRONG_KEY, "only P-256 keys are used")
    return spki_der


def new_private_key() -> tuple[bytes, bytes]:
    """Return a new P-256 key for somebody else's system, both halves PEM: PKCS #8 without a passphrase, and public."""
    key = ec.generate_private_key(ec.SECP256R1())
    private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private_pem, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
