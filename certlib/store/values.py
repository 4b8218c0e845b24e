"""What goes into the store and comes out of it, where the domain has no word of its own for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime

    from certlib.identifiers import AgencyCode, LicenceIdentifier, PublicCode
    from certlib.model import IdentifierScheme, IssueRequest, Licence, Sha256, Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """All that is to be issued, checked and lawful: what a reservation keeps."""

    request: IssueRequest
    """Normalised; the same content must always give the same value."""
    type_version: int
    type_digest: Sha256
    """Must be the digest that is registered for this version."""
    identifier_scheme: IdentifierScheme
    identifier_root: str
    type_segment: str
    """The type code inside the identifier."""
    agency_segment: str
    """The agency code inside the identifier."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reserved:
    """A reservation: everything that rendering, sealing and signing need, now and after a crash."""

    intent: Intent
    identifier: LicenceIdentifier
    public_code: PublicCode
    status_list_uri: str
    status_index: int
    """Index inside the list at `status_list_uri`; random, 20 bits, never given twice."""
    issued_at: datetime
    """Fixed at reservation, aware UTC, whole seconds: a resume makes the same token claims."""
    resumed: bool
    """True when the reservation stood already: after a crash, or twice in one list (dedupe by identifier)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AlreadyIssued:
    """The same request was issued before."""

    licence: Licence


@dataclass(frozen=True, kw_only=True, slots=True)
class Conflicting:
    """Something else stands under the natural key or the request id."""

    identifier: LicenceIdentifier
    """What stands there, reserved or issued."""
    differs: tuple[str, ...]
    """Names of what differs, never values: `holders`, `issued_on`, `number`, `fields.scope`, `images.portrait` ..."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeLicence:
    """A reservation that has been rendered, sealed and verified, to be recorded."""

    reserved: Reserved
    pdf: bytes
    """Sealed; never changes again."""
    pdf_sha256: Sha256
    token: str
    """The whole text of the QR code."""
    token_kid: str
    """Hex of the 8-byte key id."""
    seal_kid: str
    """Hex of the 8-byte key id."""
    check_phrase: str
    pdf_name: str
    agency_name: str
    """As it is on the day of issue."""
    timezone: str
    """The agency's zone, IANA."""
    public_json: bytes
    """The part of the public answer that never changes, masked, as JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicRow:
    """What the public look-up needs, and nothing personal."""

    identifier: LicenceIdentifier
    public_code: PublicCode
    status: Status
    effective_on: date
    expires_on: date | None
    timezone: str
    public_json: bytes
    """As recorded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusChange:
    """One change of a licence's status, as decided."""

    identifier: LicenceIdentifier
    old: Status
    new: Status
    reason: str
    document_number: str
    """Of the legal document; may be empty where the law asks for none."""
    operator: str
    effective_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRecord:
    """A key of the library or of an agency. The private part is named by a URI and never stored here."""

    kid: str
    """Hex of the 8-byte key id (first bytes of SHA-256 over the SPKI)."""
    purpose: str
    """`token`, `seal`, `status`, `receipt`, `pack`, `root`."""
    algorithm: str
    """`p256`, `rsa-2048`, `rsa-3072`."""
    owner: AgencyCode | None
    """None for the library's own keys."""
    uri: str
    """Where the private key is, e.g. `file:keys/<kid>.pem`; empty when it is not ours."""
    spki_der: bytes
    certificate_der: bytes | None
    delegation: str
    """Compact JWS that lets a pack key sign packs; else empty."""
    not_before_at: datetime
    not_after_at: datetime
    withdrawn_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisteredType:
    """A version of a licence type that may be used."""

    code: str
    version: int
    digest: Sha256
    """Of the whole folder."""
    type_toml: str
    registered_at: datetime
    first_used_at: datetime | None
    """None as long as nothing was reserved with it; from then on the version is frozen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchCounts:
    """How far a batch has come."""

    read: int = 0
    issued: int = 0
    already: int = 0
    """Rows that had been issued before with the same content."""
    refused: int = 0
    """Rows in errors.csv."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """One register file that is being issued, or was."""

    id: str
    """26 characters, the same for the same file, mapping, type and agency."""
    agency_code: AgencyCode
    type_code: str
    file_sha256: Sha256
    map_sha256: Sha256
    operator: str
    counts: BatchCounts
    opened_at: datetime
    updated_at: datetime
    finished_at: datetime | None
