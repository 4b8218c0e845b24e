"""Receipts: a signed statement of what was checked, when, by whom and with what result (``docs/status-list.md``, 6).

A compact JWS (ES256) by a key of the purpose ``receipt``. The result is a JSON object that this module carries and
does not look into.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from signing import jws
from signing.errors import Fault, ReceiptError, VerificationError
from signing.jws import JsonValue
from signing.keys import SigningKey
from signing.trust import CLOCK_SKEW_SECONDS, MAX_SECONDS, KeyPurpose, TrustedKey, TrustPack, key_for

RECEIPT_TYPE: Final = "certlib-receipt+jwt"
MAX_RECEIPT_CHARACTERS: Final = 256 * 1024
MAX_TEXT: Final = 500
"""Longest text of a member, in characters."""
_TEXTS: Final = ("jti", "iss", "act", "subject", "asked_by", "operator", "purpose")
_MEMBERS: Final = frozenset({*_TEXTS, "iat", "checked_at", "result"})
_KID_CHARACTERS: Final = 16
_JWS_PARTS: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What a receipt says. Times are kept in UTC without their fractions of a second, as on the wire."""

    receipt_id: str
    """Unique, such as a use code; never empty."""
    issuer: str
    """Name of the library; never empty."""
    act: str
    """What was done: ``verify``, ``check``, ``question``, ``data``, ``file``; never empty."""
    subject: str
    """What it was done to: an identifier, a digest, or empty where a receipt must not say."""
    asked_by: str
    """Code of the agency that asked; never empty."""
    operator: str
    """Who asked there, or empty."""
    purpose: str
    """Matter and case, as they were given, or empty."""
    checked_at: datetime
    """When it was checked."""
    issued_at: datetime
    """When the receipt was signed; not before it was checked."""
    result: Mapping[str, JsonValue]
    """The answer."""

    def __post_init__(self) -> None:
        """Bring times into their one form.

        Raises:
            ReceiptError: A time without a zone, a missing or too long text, or signed before it was checked.
        """
        for name in ("checked_at", "issued_at"):
            moment = getattr(self, name)
            if moment.tzinfo is None:
                raise ReceiptError(f"{name} needs a time zone")
            object.__setattr__(self, name, moment.astimezone(UTC).replace(microsecond=0))
        texts = (self.receipt_id, self.issuer, self.act, self.subject, self.asked_by, self.operator, self.purpose)
        if any(len(text) > MAX_TEXT for text in texts):
            raise ReceiptError(f"a text has more than {MAX_TEXT} characters")
        if not all((self.receipt_id, self.issuer, self.act, self.asked_by)):
            raise ReceiptError("a receipt has an id and names issuer, act and who asked")
        if self.checked_at > self.issued_at:
            raise ReceiptError("a receipt is signed after the check")


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedReceipt:
    """A receipt whose signature, key and form have been checked; only :func:`verify_receipt` makes one."""

    receipt: Receipt
    """What it says."""
    key: TrustedKey
    """The key that signed it."""


def sign_receipt(receipt: Receipt, key: SigningKey) -> str:
    """Return the receipt as a compact JWS.

    Raises:
        KeyUnusableError: The key is not P-256.
        ReceiptError: The result is no JSON, or the receipt is larger than a reader takes.
    """
    payload: dict[str, JsonValue] = {
        "jti": receipt.receipt_id,
        "iss": receipt.issuer,
        "act": receipt.act,
        "subject": receipt.subject,
        "asked_by": receipt.asked_by,
        "operator": receipt.operator,
        "purpose": receipt.purpose,
        "checked_at": int(receipt.checked_at.timestamp()),
        "iat": int(receipt.issued_at.timestamp()),
        "result": receipt.result,
    }
    try:
        text = jws.signed(payload, key=key, typ=RECEIPT_TYPE)
        # Our own check: what is no strict JSON would only fail where the receipt is needed.
        jws.verified(text, spki_der=key.spki_der, typ=RECEIPT_TYPE)
    except (ValueError, TypeError, RecursionError, VerificationError) as error:
        raise ReceiptError(f"the receipt cannot be written: {error}") from error
    if len(text) > MAX_RECEIPT_CHARACTERS:
        raise ReceiptError("the receipt is larger than a reader takes")
    return text


def verify_receipt(text: str, keys: TrustPack | Mapping[bytes, TrustedKey], *, now: datetime) -> VerifiedReceipt:
    """Return the receipt in a compact JWS, once everything in it has been checked.

    Steps: 1 size and form; 2 the key that the header names: for receipts, not withdrawn; 3 signature; 4 members;
    5 signed in the key's period and not in the future.

    Raises:
        VerificationError: ``too_large``, ``malformed``, ``unsigned``, ``empty_trust``, ``unknown_key``,
            ``wrong_key``, ``key_withdrawn``, ``bad_signature``, ``expired_certificate``, ``not_yet_valid``.
    """
    # 1 size and form
    if len(text) > MAX_RECEIPT_CHARACTERS:
        raise VerificationError(Fault.TOO_LARGE, "a receipt of this size is not read")
    parts = text.split(".")
    if len(parts) != _JWS_PARTS:
        raise _malformed("not three parts")
    header = jws.json_object(jws.bytes_of(parts[0]))
    if not parts[2] or header.get("alg") == "none":
        raise VerificationError(Fault.UNSIGNED, "the receipt has no signature")
    # 2 key
    kid = header.get("kid")
    if not isinstance(kid, str) or len(kid) != _KID_CHARACTERS or not kid.isalnum():
        raise _malformed("the header names no key")
    try:
        key = key_for(keys.by_kid if isinstance(keys, TrustPack) else keys, bytes.fromhex(kid), KeyPurpose.RECEIPT)
    except ValueError as error:
        raise _malformed("the header names no key") from error
    # 3 signature
    payload = jws.verified(text, spki_der=key.spki_der, typ=RECEIPT_TYPE)
    # 4 members
    receipt = _receipt(payload)
    # 5 times
    if not key.not_before_at <= receipt.issued_at < key.not_after_at:
        raise VerificationError(Fault.EXPIRED_CERTIFICATE, "signed outside the key's period")
    if (receipt.issued_at - now).total_seconds() > CLOCK_SKEW_SECONDS:
        raise VerificationError(Fault.NOT_YET_VALID, "signed in the future")
    return VerifiedReceipt(receipt=receipt, key=key)


def _receipt(payload: Mapping[str, JsonValue]) -> Receipt:
    if payload.keys() != _MEMBERS:
        raise _malformed("missing or unknown members")
    texts = {name: payload[name] for name in _TEXTS}
    result = payload["result"]
    if not all(isinstance(each, str) for each in texts.values()) or not isinstance(result, dict):
        raise _malformed("a member of another type")
    try:
        return Receipt(
            receipt_id=str(texts["jti"]),
            issuer=str(texts["iss"]),
            act=str(texts["act"]),
            subject=str(texts["subject"]),
            asked_by=str(texts["asked_by"]),
            operator=str(texts["operator"]),
            purpose=str(texts["purpose"]),
            checked_at=_moment(payload["checked_at"]),
            issued_at=_moment(payload["iat"]),
            result=result,
        )
    except ReceiptError as error:
        raise _malformed(str(error)) from error


def _moment(value: JsonValue) -> datetime:
    if type(value) is not int or not 0 <= value <= MAX_SECONDS:
        raise _malformed("a time is missing or out of range")
    return datetime.fromtimestamp(value, tz=UTC)


def _malformed(why: str) -> VerificationError:
    return VerificationError(Fault.MALFORMED, f"receipt: {why}")
