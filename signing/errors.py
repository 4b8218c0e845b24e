"""What can go wrong in ``signing``: one tree, one class per reaction of the caller.

Nothing but :class:`SigningError` leaves this package. A verify function returns the verified thing or raises
:class:`VerificationError`, whose :class:`Fault` is for machines and whose detail is for people.
"""

from enum import StrEnum


class Fault(StrEnum):
    """Why an input must not be trusted. Wire-stable and append-only: a value is never renamed or reused."""

    MALFORMED = "malformed"
    """It cannot be read as what it claims to be; also every breach of the exact format."""
    BAD_SIGNATURE = "bad_signature"
    """It reads well, but the signature or a digest under it does not fit."""
    NOT_FULLY_COVERED = "not_fully_covered"
    """The seal leaves a part of the file uncovered."""
    UNTRUSTED_ISSUER = "untrusted_issuer"
    """The signature fits, but nothing leads from its certificate or key to our root."""
    EXPIRED_CERTIFICATE = "expired_certificate"
    """The certificate or key was not valid at the time of signing."""
    KEY_WITHDRAWN = "key_withdrawn"
    """The trust pack withdraws the key, and with it everything that it signed."""
    UNKNOWN_KEY = "unknown_key"
    """The trust pack has no key of this id."""
    WRONG_KEY = "wrong_key"
    """The trust pack has the key, but for another purpose or algorithm."""
    TOO_LARGE = "too_large"
    """A size limit was passed; the input was not read to its end."""
    MODIFIED_AFTER_SEALING = "modified_after_sealing"
    """Something was added to the file after its seal."""
    UNSIGNED = "unsigned"
    """There is no signature at all."""
    TWO_CODES = "two_codes"
    """One image or page shows two different codes; we never pick one."""
    NO_CODE = "no_code"
    """No code was found in the image or text."""
    STALE_TRUST = "stale_trust"
    """The trust pack, or a delegation in it, is past its date."""
    EMPTY_TRUST = "empty_trust"
    """The trust pack or the list of roots is empty; nothing can be trusted by it."""
    ROLLED_BACK = "rolled_back"
    """The trust pack is older than one already seen."""
    ENCRYPTED = "encrypted"
    """The file is encrypted, so it cannot be judged."""
    WRONG_AUDIENCE = "wrong_audience"
    """It was made for somebody else."""
    NOT_YET_VALID = "not_yet_valid"
    """It says it was signed in the future, or its first day has not come."""
    STALE_STATUS = "stale_status"
    """The status list is past its date."""
    ANOTHER_LIST = "another_list"
    """A good status list, but not the one that was asked for."""
    NO_SUCH_ENTRY = "no_such_entry"
    """The status list has no entry at this index."""


class SigningError(Exception):
    """Base of everything that leaves ``signing``."""


class KeyUnusableError(SigningError):
    """A private key that cannot be used: wrong passphrase, wrong kind, or it failed its probe."""


class CertificateError(SigningError):
    """A certificate or signing request that cannot be made from, or does not fit, what was given."""


class TimestampError(SigningError):
    """The time stamping authority did not answer, or not with a token we can use."""


class TrustError(SigningError):
    """A trust pack cannot be made from what was given."""


class TokenError(SigningError):
    """A token cannot be made from the given claims."""


class CodeError(SigningError):
    """A text cannot be drawn as a QR code."""


class StatusListError(SigningError):
    """A status list cannot be made from what was given."""


class ReceiptError(SigningError):
    """A receipt cannot be made from what was given."""


class SealError(SigningError):
    """A document cannot be sealed: the gap is too small, or our own check of the seal failed."""


class VerificationError(SigningError):
    """The input must not be trusted.

    Args:
        fault: The reason, for machines.
        detail: One sentence for people. It never holds holder data, tokens or keys.
    """

    def __init__(self, fault: Fault, detail: str) -> None:
        """Keep both parts; ``str()`` gives ``fault: detail``."""
        super().__init__(f"{fault}: {detail}")
        self.fault = fault
        self.detail = detail

    def __reduce__(self) -> tuple[type["VerificationError"], tuple[Fault, str]]:
        """Survive the way between processes, which rebuilds an exception from its arguments."""
        return type(self), (self.fault, self.detail)
