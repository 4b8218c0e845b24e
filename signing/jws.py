"""Compact JWS with ES256 and nothing else (RFC 7515), and the strict JSON that it carries.

The reader is told which key and which type to expect; nothing in the input chooses either.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from signing.errors import Fault, VerificationError
from signing.keys import RAW_SIGNATURE_BYTES, SigningKey, kid_of, verify_raw

JsonValue: TypeAlias = (
    "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | Mapping[str, JsonValue] | None"
)
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*", re.ASCII)
_MAX_DEPTH: Final = 32
_PARTS: Final = 3


def signed(payload: Mapping[str, JsonValue], *, key: SigningKey, typ: str) -> str:
    """Return a compact JWS over a JSON object.

    Raises:
        KeyUnusableError: The key is not P-256.
    """
    header = {"alg": "ES256", "kid": key.kid.hex(), "typ": typ}
    covered = f"{base64url(_json(header))}.{base64url(_json(payload))}"
    signature = key.sign_raw(hashlib.sha256(covered.encode()).digest())
    return f"{covered}.{base64url(signature)}"


def verified(text: str, *, spki_der: bytes, typ: str) -> dict[str, JsonValue]:
    """Return the payload of a compact JWS that one key has signed.

    Steps: 1 three parts, the header an object with exactly alg, kid and typ; 2 alg is ES256, the type and the key
    id are the expected ones; 3 signature; 4 only then is the payload read.

    Raises:
        VerificationError: ``malformed``: not such a JWS, or another type. ``wrong_key``: another alg.
            ``untrusted_issuer``: the id of another key. ``bad_signature``.
    """
    # 1 parts and header
    compact = read_compact(text)
    header = compact.header
    if header.keys() != {"alg", "kid", "typ"}:
        raise VerificationError(Fault.MALFORMED, "JWS: the header has other members than alg, kid and typ")
    # 2 what was expected
    require_es256(compact)
    if header["typ"] != typ:
        raise VerificationError(Fault.MALFORMED, f"JWS: the type is not {typ}")
    if header["kid"] != kid_of(spki_der).hex():
        raise VerificationError(Fault.UNTRUSTED_ISSUER, "JWS: made with another key than the expected one")
    # 3 signature
    check_signature(compact, spki_der)
    # 4 payload
    return compact.claims()


@dataclass(frozen=True, kw_only=True, slots=True)
class Compact:
    """A compact JWS in its three parts. Nobody has checked anything: neither its header nor its signature."""

    header: dict[str, JsonValue]
    """A JSON object, read strictly."""
    covered: str
    """What the signature is over: the first two parts."""
    signature: str
    """The third part, as it came."""

    def claims(self, *, max_depth: int = _MAX_DEPTH) -> dict[str, JsonValue]:
        """Return the payload, a JSON object, read strictly.

        Raises:
            VerificationError: ``malformed``.
        """
        return json_object(bytes_of(self.covered.partition(".")[2]), max_depth=max_depth)


def read_compact(text: str) -> Compact:
    """Return the parts of a compact JWS. The caller bounds its length first, and checks the header and the signature.

    Raises:
        VerificationError: ``malformed``: not three parts, or the header is no JSON object.
    """
    parts = text.split(".", maxsplit=_PARTS)
    if len(parts) != _PARTS:
        raise VerificationError(Fault.MALFORMED, "JWS: not three parts")
    header = json_object(bytes_of(parts[0]))
    return Compact(header=header, covered=f"{parts[0]}.{parts[1]}", signature=parts[2])


def require_es256(compact: Compact) -> None:
    """Pass if the header names ES256, in exactly this form.

    Raises:
        VerificationError: ``wrong_key``.
    """
    if compact.header.get("alg") != "ES256":
        raise VerificationError(Fault.WRONG_KEY, "JWS: only ES256 is read")


def check_signature(compact: Compact, spki_der: bytes) -> None:
    """Check the ES256 signature of a compact JWS.

    Raises:
        VerificationError: ``malformed``: not 64 bytes in base64url. ``bad_signature``, ``wrong_key``: as
            :func:`signing.keys.verify_raw`.
    """
    signature = bytes_of(compact.signature)
    if len(signature) != RAW_SIGNATURE_BYTES:
        raise VerificationError(Fault.MALFORMED, "JWS: an ES256 signature has 64 bytes")
    verify_raw(spki_der, sha256=hashlib.sha256(compact.covered.encode()).digest(), signature=signature)


def base64url(content: bytes) -> str:
    """Return base64url without padding (RFC 4648, 5)."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    """Return what base64url without padding stands for; each content has exactly one accepted text.

    Raises:
        VerificationError: ``malformed``.
    """
    try:
        if _BASE64URL.fullmatch(text) is None:
            raise VerificationError(Fault.MALFORMED, "not base64url without padding")
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise VerificationError(Fault.MALFORMED, "base64url of an impossible length") from error
    if base64url(content) != text:
        raise VerificationError(Fault.MALFORMED, "base64url with stray bits at its end")
    return content


def json_object(data: bytes, *, max_depth: int = _MAX_DEPTH) -> dict[str, JsonValue]:
    """Return a JSON object, read strictly: UTF-8, no member twice, no NaN, no lone surrogates, bounded depth.

    Raises:
        VerificationError: ``malformed``.
    """
    try:
        value = json.loads(data.decode(), object_pairs_hook=_members, parse_constant=_no_constant)
        _check_text_and_depth(value, max_depth)
    except (ValueError, RecursionError) as error:
        # ValueError also covers bad UTF-8, lone surrogates and numbers with thousands of digits.
        raise VerificationError(Fault.MALFORMED, "not strict JSON") from error
    if not isinstance(value, dict):
        raise VerificationError(Fault.MALFORMED, "JSON: not an object")
    return value


def _members(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _no_constant(name: str) -> JsonValue:
    raise ValueError(name)


def _check_text_and_depth(value: object, max_depth: int) -> None:
    """Raise ``ValueError`` for text with lone surrogates, an infinite number, or too many levels."""
    level = [value]
    for _ in range(max_depth):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict):
                below += item.keys()
                below += item.values()
            elif isinstance(item, list):
                below += item
            elif isinstance(item, str):
                item.encode()
            elif item in (float("inf"), float("-inf")):
                raise ValueError("a number out of range")
        if not below:
            return
        level = below
    raise ValueError("too many levels")


def _json(value: Mapping[str, JsonValue]) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
