"""Frozen values of the domain: licence, holder, agency, status, and the legal changes of status.

A value that exists has been checked: the constructors refuse what is not lawful.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NewType
from zoneinfo import ZoneInfo

from certlib.errors import IllegalTransitionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certlib.identifiers import AgencyCode, LicenceIdentifier, PublicCode

Sha256 = NewType("Sha256", str)
"""64 lower-case hex characters."""
FieldValue = str
"""A field's value as text: dates ISO 8601, numbers as written, an image as `sha256:<hex>` of the stored bytes."""


class Status(StrEnum):
    """What is stored. `not_yet_effective` and `expired` are derived at the moment of asking, never stored."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    """注销: closed in an orderly way."""
    WITHDRAWN = "withdrawn"
    """撤销: the grant was defective from the start."""
    REVOKED = "revoked"
    """吊销: a penalty for later misconduct."""
    SUPERSEDED = "superseded"
    """已换发: a newer version stands."""


class OverallWord(StrEnum):
    """The one word of a verdict (design, 7). Wire-stable."""

    VALID = "valid"
    VALID_OFFLINE = "valid_offline"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    NOT_YET_EFFECTIVE = "not_yet_effective"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    FORGED = "forged"
    UNTRUSTED_ISSUER = "untrusted_issuer"
    UNKNOWN = "unknown"
    BOUND_COPY = "bound_copy"
    """Genuine, and made for one asker and one purpose: nobody else may take it as a licence."""


class IdentifierScheme(StrEnum):
    """How identifiers of a type are built."""

    GBT36904 = "gbt36904"
    PLAIN = "plain"


class HolderKind(StrEnum):
    """Who may hold a licence of a type."""

    PERSON = "person"
    ORGANISATION = "organisation"
    ANY = "any"


LEGAL_TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    Status.ACTIVE: frozenset(set(Status) - {Status.ACTIVE}),
    Status.SUSPENDED: frozenset(set(Status) - {Status.SUSPENDED}),
    Status.CANCELLED: frozenset(),
    Status.WITHDRAWN: frozenset(),
    Status.REVOKED: frozenset(),
    Status.SUPERSEDED: frozenset(),
}
"""From -> to. Terminal states never come back; suspension ends by `restore` (to active) or in a terminal state."""


def require_transition(old: Status, new: Status) -> None:
    """Pass if the change from `old` to `new` is legal.

    Raises:
        IllegalTransitionError: it is not; a terminal state never comes back.
    """
    if new not in LEGAL_TRANSITIONS[old]:
        raise IllegalTransitionError(f"a licence that is {old} cannot become {new}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Whom a licence is about."""

    name: str
    """As printed, NFC, not masked."""
    code: str
    """USCC, citizen number or other; may be empty where the type asks for none. Personal data."""
    code_type: str
    """GB/T 36903 appendix A: `001` USCC, `111` citizen number, `099` and `999` others; empty when there is no code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Agency:
    """Who issues licences."""

    code: AgencyCode
    """Unique within the library."""
    name: str
    """As sealed into certificates and drawn into the seal picture."""
    name_en: str = ""
    """English name, may be empty."""
    timezone: str = "Asia/Shanghai"
    """IANA name; dates of its licences are judged in it, the end date inclusive."""
    area_code: str = ""
    """Six digits 行政区划, or empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IssueRequest:
    """What an agency asks to have issued. Checked against the type by `catalogue.check_request`."""

    agency_code: AgencyCode
    type_code: str
    """The type's folder name, e.g. `business-licence`."""
    number: str
    """As printed on the licence; with agency, type and version the natural key."""
    holders: tuple[Holder, ...]
    """1..n, order as printed."""
    issued_on: date
    effective_on: date
    expires_on: date | None
    """Inclusive; None is long-term 长期."""
    fields: Mapping[str, FieldValue]
    """The type's own fields by name; empty values are left out."""
    images: Mapping[str, bytes] = field(default_factory=dict)
    """PNG or JPEG bytes by field name, for fields of kind `image`."""
    area_code: str = ""
    request_id: str = ""
    """Idempotency key of the caller; empty when the natural key alone protects."""
    batch: str = ""
    operator: str = ""
    """Who asked, for the audit."""
    version: int = 1
    """Version under the natural key; 1 for a first issue."""
    previous_identifier: str = ""
    """The licence that this one supersedes, if any."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Licence:
    """One issued licence: everything it was made of is frozen with it, only `status` moves."""

    identifier: LicenceIdentifier
    public_code: PublicCode
    type_code: str
    type_version: int
    """Template version, 1 for `v1`."""
    type_digest: Sha256
    """Digest of the type's folder as used."""
    number: str
    agency_code: AgencyCode
    agency_name: str
    """As it was on the day of issue."""
    timezone: str
    """The agency's zone on the day of issue."""
    holders: tuple[Holder, ...]
    issued_on: date
    effective_on: date
    expires_on: date | None
    area_code: str
    fields: Mapping[str, FieldValue]
    version: int
    previous_identifier: str
    batch: str
    status: Status
    status_index: int
    """Random, never reused."""
    status_list_uri: str
    issued_at: datetime
    """Moment of issue, aware UTC; claim 6 of the token."""
    token_kid: str
    """Hex of the 8-byte key id that signed the token."""
    seal_kid: str
    """Hex of the 8-byte key id that sealed the PDF."""
    pdf_sha256: Sha256
    token: str
    """The whole text of the QR code."""
    check_phrase: str
    pdf_name: str
    """Safe and meaningful file name, ends in `.pdf`."""


def derived_word(
    status: Status, effective_on: date, expires_on: date | None, timezone: str, now: datetime
) -> OverallWord:
    """The word for a genuine licence at `now`: stored status first, then dates in the agency's zone.

    First hit wins: a terminal status, past end date, suspended, before the start date, valid (China profile 8.2).
    The end date is inclusive.
    """
    today = now.astimezone(ZoneInfo(timezone)).date()
    if status not in (Status.ACTIVE, Status.SUSPENDED):
        return OverallWord(status.value)
    if expires_on is not None and today > expires_on:
        return OverallWord.EXPIRED
    if status is Status.SUSPENDED:
        return OverallWord.SUSPENDED
    if today < effective_on:
        return OverallWord.NOT_YET_EFFECTIVE
    return OverallWord.VALID


def start_of_day(day: date, timezone: str) -> datetime:
    """The first moment of `day` in `timezone`, as UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def end_of_day(day: date, timezone: str) -> datetime:
    """The last second of `day` in `timezone`, as UTC; the end date is inclusive (China profile 8.2)."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=ZoneInfo(timezone)).astimezone(UTC)
