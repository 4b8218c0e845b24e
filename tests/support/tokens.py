"""Makers of tokens, good ones and such as only a forger or a broken program would make."""

import zlib
from datetime import timedelta
from typing import Any

import cbor2

from signing import cose
from signing.keys import SigningKey
from signing.tokens import Audience, TokenClaims, sign_token, token_digits, token_url
from tests.support.pki import NOW, throwaway_pki

PREFIX = "https://licences.example/q#"
PROTECTED_HEAD = bytes.fromhex("a201260448")


def claims(**changes: Any) -> TokenClaims:  # noqa: ANN401  # any claim may be replaced by anything
    """Return small claims of an invented licence."""
    parts: dict[str, Any] = {
        "identifier": "1.2.156.3005.2.11100000MB03270001013.11330200MB1A2B3C4D.2026000001.001.K",
        "issued_at": NOW - timedelta(minutes=5),
        "not_before_at": NOW - timedelta(hours=20),
        "expires_at": NOW + timedelta(days=1_826),
        "status_index": 48_213,
        "status_uri": "https://licences.example/s/1",
        "fields": {1: 7, 2: "JY13302000012345", 3: "王芳"},
    }
    return TokenClaims(**(parts | changes))


def copy_claims(**changes: Any) -> TokenClaims:  # noqa: ANN401  # any claim may be replaced by anything
    """Return claims of a purpose-bound copy that leaves the holder's name out."""
    parts: dict[str, Any] = {
        "expires_at": NOW + timedelta(days=30),
        "fields": {1: 7, 2: "JY13302000012345"},
        "audience": Audience(code="CITYHALL", reference="7K2M9Q4R1T8W3X5Z", purpose="子女入学 school entry"),
    }
    return claims(**(parts | changes))


def reference_claims() -> TokenClaims:
    """Return the twelve-field record by which the size of a code is judged; all invented."""
    return claims(
        identifier="1.2.156.3005.2.11100000MB03270001013.11330200MB1A2B3C4D.202600048213.K",
        status_uri="https://licences.example/s/01",
        fields={
            1: 7,
            2: "JY33020010048213",
            3: "王芳",
            6: "330203********1234",
            10: "明州市海曙区老街坊小吃餐饮服务店",
            11: "92330203MA********",
        },
    )


def valid_token() -> str:
    """Return the text of a good token of the first agency."""
    return token_url(PREFIX, sign_token(claims(), throwaway_pki().agencies[0].token_key))


def payload_map(source: TokenClaims | None = None) -> dict[Any, Any]:
    """Return the claims map of a good token, to be changed and signed again."""
    token = sign_token(source or claims(), throwaway_pki().agencies[0].token_key)
    decoded = cbor2.loads(zlib.decompress(cose.read_sign1(token).payload, -15))
    assert isinstance(decoded, dict)
    return decoded


def deflated(plain: bytes, *, dictionary: bytes = b"") -> bytes:
    """Return raw DEFLATE."""
    packer = (
        zlib.compressobj(9, zlib.DEFLATED, -15, zdict=dictionary)
        if dictionary
        else zlib.compressobj(9, zlib.DEFLATED, -15)
    )
    return packer.compress(plain) + packer.flush()


def signed_payload(payload: bytes, key: SigningKey | None = None, protected: bytes | None = None) -> str:
    """Return the digits of a token with any payload and header, really signed by a trusted key."""
    signer = key or throwaway_pki().agencies[0].token_key
    header = PROTECTED_HEAD + signer.kid if protected is None else protected
    return token_digits(cose.sign1(header, payload, signer.sign_raw(cose.signed_sha256(header, payload))))


def signed_plain(plain: bytes) -> str:
    """Return the digits of a token whose inflated payload is any bytes, really signed."""
    return signed_payload(deflated(plain))


def signed_map(content: object) -> str:
    """Return the digits of a token over any CBOR value, really signed."""
    return signed_plain(cbor2.dumps(content))
