"""The trust pack: one signed file that says which keys stand for what, for verifiers with and without network.

A verifier starts from the **anchor**, the public key of the library's root. The root delegates to a pack-signing
key, which signs packs with growing versions (``docs/formats.md``, section 2). What the pack says about agencies and
licence types is its ``body``, which this module carries and does not look into.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar

from signing import jws
from signing.certificates import read_certificate
from signing.errors import Fault, TrustError, VerificationError
from signing.jws import JsonValue
from signing.keys import KeyAlgorithm, SigningKey, algorithm_of, kid_of

DELEGATION_TYPE: Final = "certlib-delegation+jwt"
PACK_TYPE: Final = "certlib-trust-pack+jwt"
MAX_PACK_BYTES: Final = 32 * 1024 * 1024
CLOCK_SKEW_SECONDS: Final = 300
"""How far ahead another machine's clock may be."""
MAX_SECONDS: Final = 253_402_300_799
"""The last second of the year 9999, the latest time that any format here can hold."""
# SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point's coordinates (RFC 5480, 2.1).
_P256_SPKI_HEAD: Final = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
_COORDINATE_BYTES: Final = 32
_KEY_MEMBERS: Final = {"kid", "purpose", "alg", "spki", "owner", "nbf", "exp", "withdrawn", "cert"}
_PACK_MEMBERS: Final = {"version", "iat", "next_update", "issuer", "root_certificates", "keys", "body"}
_T = TypeVar("_T")


class KeyPurpose(StrEnum):
    """What a key may stand for; a key has one purpose only. Wire-stable."""

    TOKEN = "token"  # noqa: S105  # a word on the wire, no secret
    SEAL = "seal"
    STATUS = "status"
    RECEIPT = "receipt"


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustedKey:
    """One entry of the pack: a key, whose it is, what it is for, and when."""

    kid: bytes
    """First 8 bytes of SHA-256 over ``spki_der``."""
    purpose: KeyPurpose
    """The only thing it may verify."""
    algorithm: str
    """``ES256`` (P-256), or for seals also ``RS256`` (RSA)."""
    spki_der: bytes
    """The public key."""
    owner: str
    """Code of the agency that holds the private key."""
    not_before_at: datetime
    """Start of the time in which it signs."""
    not_after_at: datetime
    """End of it, exclusive. A key that was replaced gets an earlier end; what it signed before stays good."""
    withdrawn_at: datetime | None = None
    """Set when the key can no longer be trusted: then it verifies nothing at all, since a thief can backdate."""
    certificate_der: bytes | None = None
    """Its certificate, always there for a seal key."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustPack:
    """What a verifier goes by. Looking a key up is a dictionary access; public keys are parsed once.

    Raises:
        TrustError: Two entries with one key id, an id that is not its key's, or a key that fits neither its
            algorithm, its purpose nor its certificate.
    """

    version: int
    """Grows with every pack, from 1."""
    issued_at: datetime
    """When it was signed."""
    next_update_at: datetime
    """When a newer one is due."""
    issuer: str
    """Name of the library."""
    roots_der: tuple[bytes, ...]
    """Root certificates that seal certificates lead to."""
    keys: tuple[TrustedKey, ...]
    """All keys, in any order."""
    body: Mapping[str, JsonValue]
    """What the library says about agencies, types and statuses."""
    by_kid: Mapping[bytes, TrustedKey] = field(init=False, repr=False, compare=False)
    """The same keys by their id."""

    def __post_init__(self) -> None:
        """Check every key and build the look-up."""
        by_kid: dict[bytes, TrustedKey] = {}
        for key in self.keys:
            _check_key(key)
            if by_kid.setdefault(key.kid, key) is not key:
                raise TrustError(f"two entries for the key {key.kid.hex()}")
        object.__setattr__(self, "by_kid", by_kid)

    def is_stale(self, now: datetime) -> bool:
        """Tell whether a newer pack is due. A verdict from a stale pack is never an unqualified "valid"."""
        return now > self.next_update_at

    def token_key(self, kid: bytes) -> TrustedKey:
        """Return the key that verifies tokens of this id; see :func:`key_for`."""
        return key_for(self.by_kid, kid, KeyPurpose.TOKEN)

    def key(self, kid: bytes, purpose: KeyPurpose) -> TrustedKey:
        """Return the key of this id and purpose; see :func:`key_for`."""
        return key_for(self.by_kid, kid, purpose)


def key_for(keys: Mapping[bytes, TrustedKey], kid: bytes, purpose: KeyPurpose) -> TrustedKey:
    """Return the one key that may verify something of this purpose.

    The caller checks its period: only the thing that was signed says when.

    Raises:
        VerificationError: ``empty_trust``: there are no keys at all. ``unknown_key``. ``wrong_key``: the key is for
            another purpose or algorithm. ``key_withdrawn``.
    """
    if not keys:
        raise VerificationError(Fault.EMPTY_TRUST, "no key to trust")
    key = keys.get(kid)
    if key is None:
        raise VerificationError(Fault.UNKNOWN_KEY, f"no trusted key {kid.hex()}")
    if key.purpose is not purpose:
        raise VerificationError(Fault.WRONG_KEY, f"the key is for {key.purpose}, not for {purpose}")
    if key.algorithm != "ES256" and purpose is not KeyPurpose.SEAL:
        raise VerificationError(Fault.WRONG_KEY, f"a {purpose} key is P-256")
    if key.withdrawn_at is not None:
        raise VerificationError(Fault.KEY_WITHDRAWN, "the key was withdrawn, and with it all that it signed")
    return key


def sign_delegation(root_key: SigningKey, pack_key: SigningKey, not_before_at: datetime, not_after_at: datetime) -> str:
    """Return the root's statement (compact JWS) that ``pack_key`` signs trust packs in a period.

    Raises:
        KeyUnusableError: One of the keys is not P-256.
        TrustError: The period is none, or the root would delegate to itself.
    """
    if pack_key.algorithm is not KeyAlgorithm.P256:
        raise TrustError("a pack-signing key is P-256")
    if pack_key.kid == root_key.kid:
        raise TrustError("the root does not sign packs itself")
    if not_before_at >= not_after_at:
        raise TrustError("the delegation ends before it begins")
    point = pack_key.spki_der[len(_P256_SPKI_HEAD) :]
    payload: dict[str, JsonValue] = {
        "purpose": "trust-pack",
        "jwk": {
            "kty": "EC",
            "crv": "P-256",
            "x": jws.base64url(point[:_COORDINATE_BYTES]),
            "y": jws.base64url(point[_COORDINATE_BYTES:]),
        },
        "nbf": int(not_before_at.timestamp()),
        "exp": int(not_after_at.timestamp()),
    }
    return jws.signed(payload, key=root_key, typ=DELEGATION_TYPE)


def sign_pack(pack: TrustPack, *, pack_key: SigningKey, delegation: str) -> bytes:
    """Return the file of a trust pack; times lose their fractions of a second.

    Raises:
        KeyUnusableError: The key is not P-256.
        TrustError: The pack is empty or too large, its body is no JSON, or it could not be opened again.
    """
    if not pack.keys or not pack.roots_der:
        raise TrustError("a pack without keys or roots would trust nobody")
    payload: dict[str, JsonValue] = {
        "version": pack.version,
        "iat": int(pack.issued_at.timestamp()),
        "next_update": int(pack.next_update_at.timestamp()),
        "issuer": pack.issuer,
        "root_certificates": [jws.base64url(der) for der in pack.roots_der],
        "keys": [_key_wire(key) for key in pack.keys],
        "body": pack.body,
    }
    try:
        signed = jws.signed(payload, key=pack_key, typ=PACK_TYPE)
        # Our own check: a body that is no strict JSON would only fail at the verifiers.
        jws.verified(signed, spki_der=pack_key.spki_der, typ=PACK_TYPE)
    except (ValueError, TypeError, RecursionError, VerificationError) as error:
        raise TrustError(f"the pack cannot be written: {error}") from error
    data = f'{{"delegation":"{delegation}","pack":"{signed}"}}\n'.encode()
    if len(data) > MAX_PACK_BYTES:
        raise TrustError("the pack is larger than a verifier reads")
    return data


def open_pack(data: bytes, *, anchor_spki_der: bytes, now: datetime, at_least_version: int = 0) -> TrustPack:
    """Return the trust pack in a file, once everything in it has been checked.

    Steps: 1 size and JSON; 2 the anchor's delegation, and its period; 3 the delegated key's signature over the
    pack; 4 members and times; 5 not older than one already seen; 6 not empty; 7 each key.

    A stale pack opens: **the caller asks** :meth:`TrustPack.is_stale` and keeps the highest version seen.

    Raises:
        VerificationError: ``too_large``, ``malformed``, ``untrusted_issuer``, ``bad_signature``, ``wrong_key``,
            ``not_yet_valid``, ``stale_trust`` (the delegation has ended), ``rolled_back``, ``empty_trust``.
    """
    # 1 size and JSON
    if len(data) > MAX_PACK_BYTES:
        raise VerificationError(Fault.TOO_LARGE, "a trust pack of this size is not read")
    file = jws.json_object(data)
    if file.keys() != {"delegation", "pack"}:
        raise VerificationError(Fault.MALFORMED, "trust pack: other members than delegation and pack")
    # 2 delegation
    pack_spki_der, begins_at, ends_at = _delegation(_typed(file["delegation"], str), anchor_spki_der, now)
    # 3 signature
    payload = jws.verified(_typed(file["pack"], str), spki_der=pack_spki_der, typ=PACK_TYPE)
    # 4 members and times
    if payload.keys() != _PACK_MEMBERS:
        raise VerificationError(Fault.MALFORMED, "trust pack: missing or unknown members")
    version = _integer(payload["version"], least=1)
    issued_at, next_update_at = _moment(payload["iat"]), _moment(payload["next_update"])
    issuer, body = _typed(payload["issuer"], str), _typed(payload["body"], dict)
    roots, entries = _typed(payload["root_certificates"], list), _typed(payload["keys"], list)
    if not begins_at <= issued_at < ends_at:
        raise VerificationError(Fault.UNTRUSTED_ISSUER, "trust pack: signed outside its delegation's period")
    if (issued_at - now).total_seconds() > CLOCK_SKEW_SECONDS:
        raise VerificationError(Fault.NOT_YET_VALID, "trust pack: signed in the future")
    # 5 anti-rollback
    if version < at_least_version:
        raise VerificationError(Fault.ROLLED_BACK, f"trust pack: version {version}, but {at_least_version} was seen")
    # 6 empty
    if not roots or not entries:
        raise VerificationError(Fault.EMPTY_TRUST, "trust pack: no keys or no roots")
    # 7 keys
    try:
        return TrustPack(
            version=version,
            issued_at=issued_at,
            next_update_at=next_update_at,
            issuer=issuer,
            roots_der=tuple(_root(entry) for entry in roots),
            keys=tuple(_trusted_key(entry) for entry in entries),
            body=body,
        )
    except TrustError as error:
        raise VerificationError(Fault.MALFORMED, f"trust pack: {error}") from error


def _check_key(key: TrustedKey) -> None:
    """Raise ``TrustError`` for an entry that contradicts itself."""
    name = key.kid.hex()
    try:
        is_p256 = algorithm_of(key.spki_der) is KeyAlgorithm.P256
        certified = None if key.certificate_der is None else read_certificate(key.certificate_der)
    except VerificationError as error:
        raise TrustError(f"key {name}: {error.detail}") from error
    if key.kid != kid_of(key.spki_der):
        raise TrustError(f"key {name}: the id is not that of the key")
    if key.algorithm != ("ES256" if is_p256 else "RS256"):
        raise TrustError(f"key {name}: the algorithm does not fit the key")
    if key.purpose is not KeyPurpose.SEAL and not is_p256:
        raise TrustError(f"key {name}: only seals may be RSA")
    if key.purpose is KeyPurpose.SEAL and certified is None:
        raise TrustError(f"key {name}: a seal key comes with its certificate")
    if certified is not None and certified.spki_der != key.spki_der:
        raise TrustError(f"key {name}: the certificate is for another key")
    if key.not_before_at >= key.not_after_at:
        raise TrustError(f"key {name}: its period ends before it begins")


def _key_wire(key: TrustedKey) -> dict[str, JsonValue]:
    return {
        "kid": key.kid.hex(),
        "purpose": key.purpose.value,
        "alg": key.algorithm,
        "spki": jws.base64url(key.spki_der),
        "owner": key.owner,
        "nbf": int(key.not_before_at.timestamp()),
        "exp": int(key.not_after_at.timestamp()),
        "withdrawn": None if key.withdrawn_at is None else int(key.withdrawn_at.timestamp()),
        "cert": None if key.certificate_der is None else jws.base64url(key.certificate_der),
    }


def _trusted_key(entry: JsonValue) -> TrustedKey:
    members: dict[str, JsonValue] = _typed(entry, dict)
    if members.keys() != _KEY_MEMBERS:
        raise VerificationError(Fault.MALFORMED, "trust pack: a key with missing or unknown members")
    kid = _typed(members["kid"], str)
    try:
        purpose = KeyPurpose(_typed(members["purpose"], str))
        kid_bytes = bytes.fromhex(kid)
    except ValueError as error:
        raise VerificationError(Fault.MALFORMED, "trust pack: an unknown purpose or no key id") from error
    if kid_bytes.hex() != kid:
        raise VerificationError(Fault.MALFORMED, "trust pack: a key id in another form than lower-case hex")
    return TrustedKey(
        kid=kid_bytes,
        purpose=purpose,
        algorithm=_typed(members["alg"], str),
        spki_der=_der(members["spki"]),
        owner=_typed(members["owner"], str),
        not_before_at=_moment(members["nbf"]),
        not_after_at=_moment(members["exp"]),
        withdrawn_at=_optional(members["withdrawn"], _moment),
        certificate_der=_optional(members["cert"], _der),
    )


def _delegation(text: str, anchor_spki_der: bytes, now: datetime) -> tuple[bytes, datetime, datetime]:
    """Return the key (SPKI DER) that the anchor lets sign packs now, and from when until when."""
    payload = jws.verified(text, spki_der=anchor_spki_der, typ=DELEGATION_TYPE)
    if payload.keys() != {"purpose", "jwk", "nbf", "exp"} or payload["purpose"] != "trust-pack":
        raise VerificationError(Fault.MALFORMED, "trust pack: not a delegation for trust packs")
    jwk: dict[str, JsonValue] = _typed(payload["jwk"], dict)
    if jwk.keys() != {"kty", "crv", "x", "y"} or (jwk["kty"], jwk["crv"]) != ("EC", "P-256"):
        raise VerificationError(Fault.MALFORMED, "trust pack: the delegation names no P-256 key")
    x, y = _der(jwk["x"]), _der(jwk["y"])
    if (len(x), len(y)) != (_COORDINATE_BYTES, _COORDINATE_BYTES):
        raise VerificationError(Fault.MALFORMED, "trust pack: a coordinate has not 32 bytes")
    spki_der = _P256_SPKI_HEAD + x + y
    algorithm_of(spki_der)
    begins_at, ends_at = _moment(payload["nbf"]), _moment(payload["exp"])
    if now < begins_at:
        raise VerificationError(Fault.NOT_YET_VALID, "trust pack: its delegation has not begun")
    if now >= ends_at:
        raise VerificationError(Fault.STALE_TRUST, "trust pack: its delegation has ended")
    return spki_der, begins_at, ends_at


def _root(entry: JsonValue) -> bytes:
    der = _der(entry)
    read_certificate(der)
    return der


def _der(value: JsonValue) -> bytes:
    return jws.bytes_of(_typed(value, str))


def _moment(value: JsonValue) -> datetime:
    return datetime.fromtimestamp(_integer(value, least=0), tz=UTC)


def _integer(value: JsonValue, *, least: int) -> int:
    if type(value) is not int or not least <= value <= MAX_SECONDS:
        raise VerificationError(Fault.MALFORMED, "trust pack: a number is missing or out of range")
    return value


def _optional(value: JsonValue, read: Callable[[JsonValue], _T]) -> _T | None:
    return None if value is None else read(value)


def _typed(value: JsonValue, kind: type[_T]) -> _T:
    if not isinstance(value, kind):
        raise VerificationError(Fault.MALFORMED, f"trust pack: a {kind.__name__} is expected")
    return value
