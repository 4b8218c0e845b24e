"""The QR token: COSE_Sign1 over a deflated CWT, written as digits behind a URL (``docs/formats.md``, section 1).

:func:`sign_token` makes the bytes, :func:`token_url` the text for the QR code, :func:`verify_token` reads a text back
and trusts nothing in it before the signature fits. A token is no identity: anybody can make a second valid
signature from a first one, so deny lists and look-ups use the identifier and the status index.
"""

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import cbor2

from signing import cbor, cose
from signing.claims import Audience, TokenClaims, claims_of, content_of
from signing.errors import Fault, TokenError, VerificationError
from signing.keys import RAW_SIGNATURE_BYTES, SigningKey, verify_raw
from signing.trust import (
    CLOCK_SKEW_SECONDS,
    KeyPurpose,
    TrustedKey,
    TrustPack,
    key_for,
)

__all__ = [
    "MAX_DIGITS", "MAX_PAYLOAD_BYTES", "MAX_TEXT_CHARACTERS", "MIN_RUN_DIGITS", "Audience", "TokenClaims",
    "VerifiedToken", "check_phrase", "claims_unverified", "cose_of", "digits_of", "sign_token", "token_digits",
    "token_url", "verify_token",
]  # fmt: skip

MAX_TEXT_CHARACTERS: Final = 16_384
MAX_DIGITS: Final = 3_000
"""Ample: a QR code of level M and the largest version holds 5,596 digits."""
MIN_RUN_DIGITS: Final = 100
"""The shortest run of digits that is looked at in a garbled text; every token has more than 200."""
MAX_PAYLOAD_BYTES: Final = 4_096
"""Cap on the inflated payload."""
_MAX_DEPTH: Final = 4

# {1: -7, 4: kid}: ES256 and the key id (RFC 9052, 3.1; RFC 9053, 2.1).
_PROTECTED_HEAD: Final = bytes.fromhex("a201260448")
_PROTECTED_BYTES: Final = 13
_MAX_COSE_PAYLOAD: Final = 65_535

# Seven bytes make seventeen digits; for a shorter last group: digits by bytes, and back.
_GROUP_BYTES, _GROUP_DIGITS = 7, 17
_DIGITS: Final = (0, 3, 5, 8, 10, 13, 15)
_BYTES: Final = {digits: count for count, digits in enumerate(_DIGITS)}
_RUN: Final = re.compile(f"[0-9]{{{MIN_RUN_DIGITS},}}")
_BLANKS: Final = " \t\r\n"

# draft-rayner-proquint: sixteen consonants, four vowels.
_CONSONANTS, _VOWELS = "bdfghjklmnprstvz", "aiou"


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedToken:
    """A token whose signature, key and form have been checked; only :func:`verify_token` makes one."""

    claims: TokenClaims
    """What it says. Dates and status are for the caller to judge."""
    key: TrustedKey
    """The key that signed it; ``key.owner`` is the issuing agency's code."""
    kid: bytes
    """Its id."""
    cose: bytes
    """The token's bytes. No identity: see the module."""
    check_phrase: str
    """Two words that a clerk can compare with those printed under the QR code."""


def sign_token(claims: TokenClaims, key: SigningKey) -> bytes:
    """Return the COSE_Sign1 bytes of a token.

    Raises:
        TokenError: A claim out of its bounds.
        KeyUnusableError: The key is not P-256.
    """
    content = content_of(claims)
    try:
        claims_of(content)
        plain = cbor2.dumps(content)
    except (VerificationError, ValueError) as error:  # ValueError: a lone surrogate has no UTF-8
        raise TokenError(f"the token cannot be made: {error}") from error
    if len(plain) > MAX_PAYLOAD_BYTES:
        raise TokenError("the token would be larger than a verifier reads")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    payload = deflate.compress(plain) + deflate.flush()
    protected = _PROTECTED_HEAD + key.kid
    token = cose.sign1(protected, payload, key.sign_raw(cose.signed_sha256(protected, payload)))
    if _digits_needed(len(token)) > MAX_DIGITS:
        raise TokenError("the token would be longer than a verifier reads")
    return token


def verify_token(text: str, keys: TrustPack | Mapping[bytes, TrustedKey], *, now: datetime) -> VerifiedToken:
    """Return the verified token in a text: a URL with its fragment, bare digits, or what a scanner typed.

    Steps: 1 text and length caps; 2 digits; 3 COSE shape; 4 the key named, for tokens and not withdrawn; 5 signature;
    6 inflate; 7 CBOR; 8 claims, issued in the key's period and not in the future.
    **The caller checks** the licence's dates, its status, and the age of the trust pack.

    Raises:
        VerificationError: ``too_large``, ``no_code``, ``malformed``, ``empty_trust``, ``unknown_key``, ``wrong_key``,
            ``key_withdrawn``, ``bad_signature``, ``expired_certificate`` (signed outside the key's period),
            ``not_yet_valid`` (signed in the future).
    """
    # 1 text, 2 digits
    message = cose_of(digits_of(text))
    # 3 shape
    protected, payload, signature = _parts_of(message)
    # 4 key
    kid = protected[len(_PROTECTED_HEAD) :]
    key = key_for(keys.by_kid if isinstance(keys, TrustPack) else keys, kid, KeyPurpose.TOKEN)
    # 5 signature
    sha256 = cose.signed_sha256(protected, payload)
    verify_raw(key.spki_der, sha256=sha256, signature=signature)
    # 6 inflate, 7 CBOR, 8 claims
    claims = claims_of(cbor.value_of(_inflated(payload), max_depth=_MAX_DEPTH))
    if not key.not_before_at <= claims.issued_at < key.not_after_at:
        raise VerificationError(Fault.EXPIRED_CERTIFICATE, "signed outside the key's period")
    if (claims.issued_at - now).total_seconds() > CLOCK_SKEW_SECONDS:
        raise VerificationError(Fault.NOT_YET_VALID, "signed in the future")
    return VerifiedToken(claims=claims, key=key, kid=kid, cose=message, check_phrase=_phrase(sha256))


def claims_unverified(text: str) -> TokenClaims:
    """Return the claims of a token that the caller has from its own record; no signature is looked at.

    Raises:
        VerificationError: ``malformed``, ``too_large``, ``no_code``: it is no token.
    """
    _, payload, _ = _parts_of(cose_of(digits_of(text)))
    return claims_of(cbor.value_of(_inflated(payload), max_depth=_MAX_DEPTH))


def check_phrase(token: bytes) -> str:
    """Return two words from SHA-256 over the signed bytes, such as ``lusab-babad``.

    A second signature over the same claims gives the same phrase.

    Raises:
        VerificationError: ``malformed``: not a token.
    """
    protected, payload, _ = _parts_of(token)
    return _phrase(cose.signed_sha256(protected, payload))


def token_url(prefix: str, token: bytes) -> str:
    """Return the text of the QR code: a prefix such as ``https://licences.example/q#`` and the digits.

    Raises:
        TokenError: The prefix is not ASCII, or does not end with its only ``#``.
    """
    if not prefix.isascii() or not prefix.endswith("#") or prefix.count("#") != 1:
        raise TokenError("the prefix of a token URL is ASCII and ends with its only #")
    return prefix + token_digits(token)


def token_digits(token: bytes) -> str:
    """Return bytes as digits: each seven, as a little-endian number, make seventeen."""
    whole = len(token) - len(token) % _GROUP_BYTES
    groups = [f"{int.from_bytes(token[at : at + _GROUP_BYTES], 'little'):017d}" for at in range(0, whole, _GROUP_BYTES)]
    if whole < len(token):
        rest = token[whole:]
        groups.append(str(int.from_bytes(rest, "little")).zfill(_DIGITS[len(rest)]))
    return "".join(groups)


def cose_of(digits: str) -> bytes:
    """Return the bytes that digits stand for; the inverse of :func:`token_digits`.

    Raises:
        VerificationError: ``malformed``: another character than 0 to 9, a length that no bytes have, or a group
            out of range. ``too_large``: more than 3,000 digits.
    """
    if len(digits) > MAX_DIGITS:
        raise VerificationError(Fault.TOO_LARGE, f"more than {MAX_DIGITS} digits")
    # Checked before int(), which also takes 1_0, +01, blanks and full-width digits.
    if not (digits.isascii() and digits.isdigit()):
        raise VerificationError(Fault.MALFORMED, "a token is made of digits only")
    rest_digits = len(digits) % _GROUP_DIGITS
    if rest_digits not in _BYTES:
        raise VerificationError(Fault.MALFORMED, "digits are missing or too many")
    whole = len(digits) - rest_digits
    try:
        groups = [
            int(digits[at : at + _GROUP_DIGITS]).to_bytes(_GROUP_BYTES, "little")
            for at in range(0, whole, _GROUP_DIGITS)
        ]
        if rest_digits:
            groups.append(int(digits[whole:]).to_bytes(_BYTES[rest_digits], "little"))
    except OverflowError as error:
        raise VerificationError(Fault.MALFORMED, "a group of digits is out of range") from error
    return b"".join(groups)


def digits_of(text: str) -> str:
    """Return the digits of the token in a text, whatever stands before them.

    Bare digits, else the whole fragment of a URL, else the last run of at least 100 digits: a keyboard-wedge
    scanner garbles the letters of the URL and may have left an older code in the buffer. Only ASCII digits count.
    The URL is neither judged nor opened.

    Raises:
        VerificationError: ``too_large``: over 16,384 characters. ``no_code``: no such digits.
    """
    if len(text) > MAX_TEXT_CHARACTERS:
        raise VerificationError(Fault.TOO_LARGE, f"a text of more than {MAX_TEXT_CHARACTERS} characters")
    text = text.strip(_BLANKS)
    for candidate in (text, text.partition("#")[2]):
        if candidate.isascii() and candidate.isdigit():
            return candidate
    runs = _RUN.findall(text)
    if not runs:
        raise VerificationError(Fault.NO_CODE, "no token in the text")
    return str(runs[-1])


def _parts_of(message: bytes) -> tuple[bytes, bytes, bytes]:
    """Return protected header, payload and signature of a message of exactly a token's shape."""
    parts = cose.read_sign1(message)
    if len(parts.protected) != _PROTECTED_BYTES or not parts.protected.startswith(_PROTECTED_HEAD):
        raise VerificationError(Fault.MALFORMED, "the protected header is not ES256 and a key id of 8 bytes")
    if parts.unprotected:
        raise VerificationError(Fault.MALFORMED, "the unprotected header is not empty")
    if len(parts.signature) != RAW_SIGNATURE_BYTES:
        raise VerificationError(Fault.MALFORMED, "the signature has not 64 bytes")
    if not 0 < len(parts.payload) <= _MAX_COSE_PAYLOAD:
        raise VerificationError(Fault.MALFORMED, "the payload is empty or too long")
    return parts.protected, parts.payload, parts.signature


def _inflated(payload: bytes) -> bytes:
    """Return the payload behind raw DEFLATE, read to its very end and never past the cap."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        plain = inflate.decompress(payload, MAX_PAYLOAD_BYTES + 1)
    except zlib.error as error:
        raise VerificationError(Fault.MALFORMED, "the payload is not raw DEFLATE") from error
    if len(plain) > MAX_PAYLOAD_BYTES:
        raise VerificationError(Fault.TOO_LARGE, f"the payload inflates to more than {MAX_PAYLOAD_BYTES} bytes")
    # Three signs, because a stream cut short leaves no input over, and a trailing byte shows only as unused.
    if not inflate.eof or inflate.unconsumed_tail or inflate.unused_data:
        raise VerificationError(Fault.MALFORMED, "the payload is cut short, or something follows it")
    return plain


def _digits_needed(count: int) -> int:
    return count // _GROUP_BYTES * _GROUP_DIGITS + _DIGITS[count % _GROUP_BYTES]


def _phrase(sha256: bytes) -> str:
    words = (int.from_bytes(sha256[:2], "big"), int.from_bytes(sha256[2:4], "big"))
    return "-".join(
        _CONSONANTS[word >> 12]
        + _VOWELS[word >> 10 & 3]
        + _CONSONANTS[word >> 6 & 15]
        + _VOWELS[word >> 4 & 3]
        + _CONSONANTS[word & 15]
        for word in words
    )
