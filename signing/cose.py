"""COSE_Sign1 messages (RFC 9052): read strictly, and the bytes that are signed. Knows no claims and no keys."""

import hashlib
from typing import Final, NamedTuple

from signing import cbor
from signing.errors import Fault, VerificationError

_TAG: Final = 0xD2  # RFC 9052, 2: CBOR tag 18
_MAX_DEPTH: Final = 4
_PARTS: Final = 4
_BYTES_MAJOR: Final = 0x40
_CONTEXT: Final = b"\x84\x6aSignature1"  # RFC 9052, 4.4: array of four, text of ten


class Sign1(NamedTuple):
    """One COSE_Sign1 message, read but not verified."""

    protected: bytes
    """The protected header as it stands in the message: an encoded map, or empty."""
    unprotected: dict[int | str, cbor.Value]
    """The header that no signature covers."""
    payload: bytes
    """What is signed."""
    signature: bytes
    """The signature, not yet checked."""


def read_sign1(message: bytes) -> Sign1:
    """Return the parts of a tagged COSE_Sign1 message with its payload inside.

    Raises:
        VerificationError: ``malformed``: no tag or another one, not four parts of the right types, not in
            deterministic CBOR, a protected header that is not an encoded map, or bytes are left over.
    """
    if message[:1] != bytes((_TAG,)):
        raise VerificationError(Fault.MALFORMED, "COSE: the message does not start with tag 18")
    parts = cbor.value_of(message[1:], max_depth=_MAX_DEPTH)
    if not isinstance(parts, list) or len(parts) != _PARTS:
        raise VerificationError(Fault.MALFORMED, "COSE: not an array of four")
    protected, unprotected, payload, signature = parts
    if (
        not isinstance(protected, bytes)
        or not isinstance(unprotected, dict)
        or not isinstance(payload, bytes)
        or not isinstance(signature, bytes)
    ):
        raise VerificationError(Fault.MALFORMED, "COSE: a part has the wrong type")
    if protected and not isinstance(cbor.value_of(protected, max_depth=_MAX_DEPTH), dict):
        raise VerificationError(Fault.MALFORMED, "COSE: the protected header is not a map")
    return Sign1(protected, unprotected, payload, signature)


def sign1(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """Return a tagged COSE_Sign1 message with an empty unprotected header."""
    return b"\xd2\x84" + byte_string(protected) + b"\xa0" + byte_string(payload) + byte_string(signature)


def signed_bytes(protected: bytes, payload: bytes, *, external: bytes = b"") -> bytes:
    """Return the Sig_structure, the bytes under the signature (RFC 9052, 4.4).

    A protected header that is an empty map counts as the empty string there.
    """
    body = b"" if protected == b"\xa0" else protected
    return _CONTEXT + byte_string(body) + byte_string(external) + byte_string(payload)


def signed_sha256(protected: bytes, payload: bytes) -> bytes:
    """Return SHA-256 over the Sig_structure."""
    return hashlib.sha256(signed_bytes(protected, payload)).digest()


def byte_string(content: bytes) -> bytes:
    """Return a CBOR byte string with the shortest head."""
    length = len(content)
    if length < 24:  # noqa: PLR2004  # RFC 8949, 3: lengths below 24 stand in the first byte
        return bytes((_BYTES_MAJOR | length,)) + content
    width = 1 if length < 1 << 8 else 2 if length < 1 << 16 else 4
    initial = {1: 0x58, 2: 0x59, 4: 0x5A}[width]
    return bytes((initial,)) + length.to_bytes(width, "big") + content
