"""Token Status Lists (draft-ietf-oauth-status-list), as JWT and as CWT: one small number for each licence, signed.

:func:`packed` makes a list, :func:`sign_jwt` and :func:`sign_cwt` the two signed forms, :func:`verify_list` reads
either and trusts nothing in it before the signature fits. A reader takes only what ``docs/status-list.md`` describes.
"""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import cbor2

from signing import cbor, cose, jws
from signing.errors import Fault, StatusListError, VerificationError
from signing.jws import JsonValue
from signing.keys import RAW_SIGNATURE_BYTES, SigningKey, verify_raw
from signing.trust import CLOCK_SKEW_SECONDS, MAX_SECONDS, KeyPurpose, TrustedKey, TrustPack, key_for

JWT_TYPE: Final = "statuslist+jwt"  # draft-ietf-oauth-status-list, 5.1
CWT_TYPE: Final = "application/statuslist+cwt"  # draft-ietf-oauth-status-list, 5.2
VALID, INVALID, SUSPENDED = 0, 1, 2  # draft-ietf-oauth-status-list, 7.1
BITS: Final = (1, 2, 4, 8)  # draft-ietf-oauth-status-list, 4.1
MAX_FILE_BYTES: Final = 2 * 2**20
"""No signed list may be larger; ample for what inflates to the cap below without any compression."""
MAX_LIST_BYTES: Final = 2**20
"""Cap on the inflated list: 2^20 entries of eight bits."""
MAX_TTL_SECONDS: Final = 366 * 24 * 3600
MAX_URI: Final = 200
"""Longest URI, in characters; as in a token."""

# RFC 8392, 3.1: sub, exp, iat. draft-ietf-oauth-status-list, 14: ttl, status_list.
_SUB, _EXP, _IAT, _TTL, _STATUS_LIST = 2, 4, 6, 65_534, 65_533
_CWT_NAMES: Final = {_SUB: "sub", _EXP: "exp", _IAT: "iat", _TTL: "ttl", _STATUS_LIST: "status_list"}
_NEEDED: Final = frozenset({"sub", "exp", "iat", "status_list"})
_KNOWN: Final = _NEEDED | {"ttl"}
# RFC 9052, 3.1: alg, kid. RFC 9596, 2: typ. RFC 9053, 2.1: ES256.
_ALG, _KID, _TYP, _ES256 = 1, 4, 16, -7
_KID_BYTES: Final = 8
_CWT_DEPTH: Final = 3
_CWT_START: Final = 0xD2
_JWS_PARTS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusList:
    """Entries of 1, 2, 4 or 8 bits, index 0 in the lowest bits of the first byte."""

    bits: int
    """Of one entry."""
    values: bytes
    """The packed entries; never empty."""

    def __post_init__(self) -> None:
        """Refuse another width and an empty list.

        Raises:
            StatusListError: One of the two, or more entries than a reader takes.
        """
        if self.bits not in BITS or not 0 < len(self.values) <= MAX_LIST_BYTES:
            raise StatusListError("a status list has entries of 1, 2, 4 or 8 bits, and at most a mebibyte of them")

    @property
    def size(self) -> int:
        """How many entries there are."""
        return len(self.values) * 8 // self.bits

    def value(self, index: int) -> int:
        """Return the entry at an index.

        Raises:
            VerificationError: ``no_such_entry``.
        """
        if not 0 <= index < self.size:
            raise VerificationError(Fault.NO_SUCH_ENTRY, "the status list has no such index")
        per_byte = 8 // self.bits
        return self.values[index // per_byte] >> self.bits * (index % per_byte) & (1 << self.bits) - 1

    def not_zero(self) -> Iterator[tuple[int, int]]:
        """Give index and value of every entry that is not 0, in order."""
        per_byte, mask = 8 // self.bits, (1 << self.bits) - 1
        for at, byte in enumerate(self.values):
            if byte:
                for place in range(per_byte):
                    if value := byte >> self.bits * place & mask:
                        yield at * per_byte + place, value


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusListClaims:
    """What a signed list says. Times are kept in UTC without their fractions of a second, as on the wire."""

    uri: str
    """Its name, as it stands in tokens."""
    issued_at: datetime
    """Grows with every change; an older list than one already seen is refused."""
    expires_at: datetime
    """From when on it proves nothing."""
    ttl_seconds: int | None
    """How long a copy may be used before it is fetched again, or not said."""
    statuses: StatusList
    """The entries."""

    def __post_init__(self) -> None:
        """Bring times into their one form.

        Raises:
            StatusListError: A time without a zone, or a value out of its bounds.
        """
        for name in ("issued_at", "expires_at"):
            moment = getattr(self, name)
            if moment.tzinfo is None:
                raise StatusListError(f"{name} needs a time zone")
            object.__setattr__(self, name, moment.astimezone(UTC).replace(microsecond=0))
        if not 0 < len(self.uri) <= MAX_URI or self.issued_at >= self.expires_at:
            raise StatusListError("a status list has a URI, and ends after it begins")
        if self.ttl_seconds is not None and not 0 < self.ttl_seconds <= MAX_TTL_SECONDS:
            raise StatusListError("the time to live is out of range")


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedStatusList:
    """A list whose signature, key, period and form have been checked; only :func:`verify_list` makes one."""

    claims: StatusListClaims
    """What it says."""
    key: TrustedKey
    """The key that signed it."""


def packed(entries: Iterable[tuple[int, int]], *, bits: int, size: int) -> StatusList:
    """Return the list in which all are 0 but ``entries``, pairs of index and value; a later pair wins.

    ``size`` is the number of entries, a multiple of those in a byte.

    Raises:
        StatusListError: An index, value, width or size out of range.
    """
    if bits not in BITS or size % (8 // bits):
        raise StatusListError("a status list has entries of 1, 2, 4 or 8 bits and fills its last byte")
    values = bytearray(size * bits // 8)
    per_byte, mask = 8 // bits, (1 << bits) - 1
    for index, value in entries:
        if not 0 <= index < size or not 0 <= value <= mask:
            raise StatusListError("an index or a value is out of range")
        shift = bits * (index % per_byte)
        at = index // per_byte
        values[at] = values[at] & ~(mask << shift) | value << shift
    return StatusList(bits=bits, values=bytes(values))


def list_json(statuses: StatusList) -> dict[str, JsonValue]:
    """Return the member ``status_list`` of a JWT (draft-ietf-oauth-status-list, 4.2)."""
    return {"bits": statuses.bits, "lst": jws.base64url(zlib.compress(statuses.values, 9))}


def list_cbor(statuses: StatusList) -> bytes:
    """Return the CBOR of claim 65533 of a CWT (draft-ietf-oauth-status-list, 4.3)."""
    return cbor2.dumps({"bits": statuses.bits, "lst": zlib.compress(statuses.values, 9)})


def read_list_json(value: object) -> StatusList:
    """Return the list that a member ``status_list`` holds.

    Raises:
        VerificationError: ``malformed``, ``too_large``.
    """
    if not isinstance(value, dict) or value.keys() != {"bits", "lst"} or not isinstance(value["lst"], str):
        raise _malformed("not an object of bits and lst")
    return _list(value["bits"], jws.bytes_of(value["lst"]))


def read_list_cbor(data: bytes) -> StatusList:
    """Return the list in the CBOR of claim 65533.

    Raises:
        VerificationError: ``malformed``, ``too_large``.
    """
    return _list_of_map(cbor.value_of(data, max_depth=1, any_order=True))


def sign_jwt(claims: StatusListClaims, key: SigningKey) -> str:
    """Return the list as a JWT, media type ``application/statuslist+jwt``.

    Raises:
        KeyUnusableError: The key is not P-256.
    """
    payload: dict[str, JsonValue] = {
        "sub": claims.uri,
        "iat": int(claims.issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
        **({} if claims.ttl_seconds is None else {"ttl": claims.ttl_seconds}),
        "status_list": list_json(claims.statuses),
    }
    return jws.signed(payload, key=key, typ=JWT_TYPE)


def sign_cwt(claims: StatusListClaims, key: SigningKey) -> bytes:
    """Return the list as a CWT, a tagged COSE_Sign1 of media type ``application/statuslist+cwt``.

    Raises:
        KeyUnusableError: The key is not P-256.
    """
    content: dict[int, object] = {
        _SUB: claims.uri,
        _EXP: int(claims.expires_at.timestamp()),
        _IAT: int(claims.issued_at.timestamp()),
        _STATUS_LIST: {"bits": claims.statuses.bits, "lst": zlib.compress(claims.statuses.values, 9)},
    }
    if claims.ttl_seconds is not None:
        content[_TTL] = claims.ttl_seconds
    protected, payload = cbor2.dumps({_ALG: _ES256, _KID: key.kid, _TYP: CWT_TYPE}), cbor2.dumps(content)
    return cose.sign1(protected, payload, key.sign_raw(cose.signed_sha256(protected, payload)))


def verify_list(
    data: bytes,
    keys: TrustPack | Mapping[bytes, TrustedKey],
    *,
    uri: str | None,
    now: datetime,
    not_older_than: datetime | None = None,
) -> VerifiedStatusList:
    """Return the list in ``data``, JWT or CWT by its first byte, once everything in it has been checked.

    ``uri`` is the list that was asked for; None takes any, and the caller asks :attr:`StatusListClaims.uri`.
    ``not_older_than`` is ``issued_at`` of a list of this URI already seen.

    Steps: 1 size and form; 2 header, and the key that it names: for status lists, not withdrawn; 3 signature;
    4 claims; 5 the list, inflated with a cap; 6 the URI; 7 signed in the key's period, not in the future, not past
    its end; 8 not older than one seen.

    Raises:
        VerificationError: ``too_large``, ``unsigned``, ``malformed``, ``empty_trust``, ``unknown_key``,
            ``wrong_key``, ``key_withdrawn``, ``bad_signature``, ``another_list``, ``expired_certificate``,
            ``not_yet_valid``, ``stale_status``, ``rolled_back``.
    """
    # 1 size and form
    if len(data) > MAX_FILE_BYTES:
        raise VerificationError(Fault.TOO_LARGE, "a status list of this size is not read")
    by_kid = keys.by_kid if isinstance(keys, TrustPack) else keys
    # 2 key, 3 signature, 4 claims, 5 list
    key, claims = _cwt(data, by_kid) if data[:1] == bytes((_CWT_START,)) else _jwt(data, by_kid)
    # 6 URI
    if uri is not None and claims.uri != uri:
        raise VerificationError(Fault.ANOTHER_LIST, "the list has another name than the one asked for")
    # 7 times
    if not key.not_before_at <= claims.issued_at < key.not_after_at:
        raise VerificationError(Fault.EXPIRED_CERTIFICATE, "signed outside the key's period")
    if (claims.issued_at - now).total_seconds() > CLOCK_SKEW_SECONDS:
        raise VerificationError(Fault.NOT_YET_VALID, "signed in the future")
    if now >= claims.expires_at:
        raise VerificationError(Fault.STALE_STATUS, "the list is past its date")
    # 8 anti-rollback
    if not_older_than is not None and claims.issued_at < not_older_than.replace(microsecond=0):
        raise VerificationError(Fault.ROLLED_BACK, "a newer list was seen before")
    return VerifiedStatusList(claims=claims, key=key)


def _jwt(data: bytes, keys: Mapping[bytes, TrustedKey]) -> tuple[TrustedKey, StatusListClaims]:
    if data[:1] == b"{" or (data[:1] and data[0] >> 5 == cbor.MAP):
        raise VerificationError(Fault.UNSIGNED, "a bare status list, without a signature")
    try:
        text = data.decode("ascii").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise _malformed("neither a JWT nor a CWT") from error
    parts = text.split(".")
    if len(parts) != _JWS_PARTS:
        raise _malformed("neither a JWT nor a CWT")
    header = jws.json_object(jws.bytes_of(parts[0]))
    if not parts[2] or header.get("alg") == "none":
        raise VerificationError(Fault.UNSIGNED, "the list has no signature")
    kid = header.get("kid")
    if not isinstance(kid, str) or len(kid) != 2 * _KID_BYTES or not kid.isascii() or not kid.isalnum():
        raise _malformed("the header names no key")
    try:
        key = key_for(keys, bytes.fromhex(kid), KeyPurpose.STATUS)
    except ValueError as error:
        raise _malformed("the header names no key") from error
    payload = jws.verified(text, spki_der=key.spki_der, typ=JWT_TYPE)
    return key, _claims(payload, read_list_json(payload.get("status_list")))


def _cwt(data: bytes, keys: Mapping[bytes, TrustedKey]) -> tuple[TrustedKey, StatusListClaims]:
    parts = cose.read_sign1(data)
    header = cbor.value_of(parts.protected, max_depth=1) if parts.protected else {}
    if not parts.signature:
        raise VerificationError(Fault.UNSIGNED, "the list has no signature")
    if not isinstance(header, dict) or header.keys() != {_ALG, _KID, _TYP} or parts.unprotected:
        raise _malformed("the protected header is not alg, kid and typ, or something stands unprotected")
    kid = header[_KID]
    if not isinstance(kid, bytes) or len(kid) != _KID_BYTES or header[_TYP] != CWT_TYPE:
        raise _malformed("the header names no key, or another type")
    if header[_ALG] != _ES256 or type(header[_ALG]) is not int:
        raise VerificationError(Fault.WRONG_KEY, "only ES256 is read")
    if len(parts.signature) != RAW_SIGNATURE_BYTES:
        raise _malformed("an ES256 signature has 64 bytes")
    key = key_for(keys, kid, KeyPurpose.STATUS)
    verify_raw(key.spki_der, sha256=cose.signed_sha256(parts.protected, parts.payload), signature=parts.signature)
    content = cbor.value_of(parts.payload, max_depth=_CWT_DEPTH, any_order=True)
    if not isinstance(content, dict) or not content.keys() <= _CWT_NAMES.keys():
        raise _malformed("the payload is not a map of known claims")
    members: dict[str, object] = {_CWT_NAMES[int(number)]: value for number, value in content.items()}
    return key, _claims(members, _list_of_map(members.get("status_list")))


def _claims(members: Mapping[str, object], statuses: StatusList) -> StatusListClaims:
    if not _NEEDED <= members.keys() <= _KNOWN:
        raise _malformed("missing or unknown claims")
    uri = members["sub"]
    if not isinstance(uri, str):
        raise _malformed("the list has no name")
    issued_at, expires_at = (datetime.fromtimestamp(_integer(members[name]), tz=UTC) for name in ("iat", "exp"))
    try:
        return StatusListClaims(
            uri=uri,
            issued_at=issued_at,
            expires_at=expires_at,
            ttl_seconds=_integer(members["ttl"]) if "ttl" in members else None,
            statuses=statuses,
        )
    except StatusListError as error:
        raise _malformed(str(error)) from error


def _list_of_map(value: object) -> StatusList:
    if not isinstance(value, dict) or value.keys() != {"bits", "lst"} or not isinstance(value["lst"], bytes):
        raise _malformed("not a map of bits and lst")
    return _list(value["bits"], value["lst"])


def _list(bits: object, compressed: bytes) -> StatusList:
    """Inflate, to the very end of the stream and never past the cap."""
    if type(bits) is not int or bits not in BITS:
        raise _malformed("entries have 1, 2, 4 or 8 bits")
    inflate = zlib.decompressobj()
    try:
        values = inflate.decompress(compressed, MAX_LIST_BYTES + 1)
    except zlib.error as error:
        raise _malformed("the list is not compressed as RFC 1950 says") from error
    if len(values) > MAX_LIST_BYTES:
        raise VerificationError(Fault.TOO_LARGE, f"the list inflates to more than {MAX_LIST_BYTES} bytes")
    if not values or not inflate.eof or inflate.unconsumed_tail or inflate.unused_data:
        raise _malformed("the list is empty or cut short, or something follows it")
    return StatusList(bits=bits, values=values)


def _integer(value: object) -> int:
    if type(value) is not int or not 0 <= value <= MAX_SECONDS:
        raise _malformed("a number is missing or out of range")
    return value


def _malformed(why: str) -> VerificationError:
    return VerificationError(Fault.MALFORMED, f"status list: {why}")
