"""The tables. Rows are rows: they check nothing, stay private to `store`, and become domain values at its edge.

Queries go through the Core tables at the end of the file. No `from __future__ import annotations` here: SQLModel
reads the annotations at run time.
"""

from datetime import UTC, date, datetime
from typing import Any, ClassVar, Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

_NAMES: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
METADATA: Final = MetaData(naming_convention=_NAMES)
BIG: Final = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits on both; on SQLite only the word INTEGER makes the key the row's own address."""


class UTCDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out; SQLite itself knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # its form
        """Refuse naive values, store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # its form
        """Say that it is UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Row(SQLModel):
    """Base of all rows: one metadata of our own, not the one that every SQLModel program shares."""

    metadata: ClassVar[MetaData] = METADATA


class LibraryRow(Row, table=True):
    """What the database knows about itself: fingerprints of the data keys."""

    __tablename__ = "library"
    key: str = Field(primary_key=True, max_length=64)
    value: str = Field(sa_type=Text)


class AgencyRow(Row, table=True):
    """An agency."""

    __tablename__ = "agency"
    code: str = Field(primary_key=True, max_length=21)
    name: str = Field(sa_type=Text)
    name_en: str = Field(sa_type=Text)
    timezone: str = Field(max_length=64)
    area_code: str = Field(max_length=12)
    created_at: datetime = Field(sa_type=UTCDateTime)


class SigningKeyRow(Row, table=True):
    """A key: its public half, its certificate and where the private half is."""

    __tablename__ = "signing_key"
    kid: str = Field(primary_key=True, max_length=16)
    purpose: str = Field(max_length=16)
    algorithm: str = Field(max_length=16)
    owner: str | None = Field(foreign_key="agency.code", max_length=21, index=True)
    uri: str = Field(sa_type=Text)
    spki_der: bytes
    certificate_der: bytes | None
    delegation: str = Field(sa_type=Text)
    not_before_at: datetime = Field(sa_type=UTCDateTime)
    not_after_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_at: datetime | None = Field(sa_type=UTCDateTime)
    created_at: datetime = Field(sa_type=UTCDateTime)


class LicenceTypeRow(Row, table=True):
    """A registered version of a licence type."""

    __tablename__ = "licence_type"
    code: str = Field(primary_key=True, max_length=64)
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    digest: str = Field(max_length=64)
    type_toml: str = Field(sa_type=Text)
    registered_at: datetime = Field(sa_type=UTCDateTime)
    first_used_at: datetime | None = Field(sa_type=UTCDateTime)


class BundleRow(Row, table=True):
    """A file that holds the sealed bytes of one block. A file without a row is an orphan and harmless."""

    __tablename__ = "bundle"
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    name: str = Field(unique=True, max_length=80)
    size_bytes: int = Field(sa_type=BigInteger)
    created_at: datetime = Field(sa_type=UTCDateTime)


class LicenceRow(Row, table=True):
    """One licence from its reservation on. Long columns stand last, so that a public look-up reads no page of them.

    `state` is `prepared`, `issued` or `void`; a void row keeps identifier, code and index taken for ever and frees the
    natural key.
    """

    __tablename__ = "licence"
    __table_args__ = (
        Index(
            "uq_licence_natural_key",
            *("agency_code", "type_code", "number", "version"),
            unique=True,
            sqlite_where=text("state <> 'void'"),
            postgresql_where=text("state <> 'void'"),
        ),
        Index(
            "uq_licence_request_id",
            *("agency_code", "request_id"),
            unique=True,
            sqlite_where=text("request_id <> '' AND state <> 'void'"),
            postgresql_where=text("request_id <> '' AND state <> 'void'"),
        ),
        UniqueConstraint("identifier"),
        UniqueConstraint("public_code"),
        UniqueConstraint("status_shard", "status_index"),
        Index("ix_licence_pdf_sha256", "pdf_sha256"),
        Index(
            "ix_licence_prepared",
            "issued_at",
            sqlite_where=text("state = 'prepared'"),
            postgresql_where=text("state = 'prepared'"),
        ),
        Index(
            "ix_licence_not_active",
            *("status", "status_shard", "status_index"),
            sqlite_where=text("status <> 'active'"),
            postgresql_where=text("status <> 'active'"),
        ),
        Index(
            "ix_licence_previous",
            "previous_identifier",
            sqlite_where=text("previous_identifier <> ''"),
            postgresql_where=text("previous_identifier <> ''"),
        ),
    )
    id: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    identifier: str = Field(max_length=128)
    public_code: str = Field(max_length=26)
    state: str = Field(max_length=8)
    status: str | None = Field(max_length=10)
    issued_on: date
    effective_on: date
    expires_on: date | None
    timezone: str = Field(max_length=64)
    public_json: bytes | None
    agency_code: str = Field(foreign_key="agency.code", max_length=21)
    type_code: str = Field(max_length=64)
    number: str = Field(max_length=128)
    version: int
    identifier_scheme: str = Field(max_length=16)
    identifier_root: str = Field(max_length=64)
    type_segment: str = Field(max_length=21)
    agency_segment: str = Field(max_length=21)
    serial: str = Field(max_length=32)
    status_shard: int
    status_index: int
    status_list_uri: str = Field(sa_type=Text)
    type_version: int
    type_digest: str = Field(max_length=64)
    area_code: str = Field(max_length=12)
    request_id: str = Field(sa_type=Text)
    batch: str = Field(sa_type=Text)
    operator: str = Field(sa_type=Text)
    previous_identifier: str = Field(max_length=128)
    issued_at: datetime = Field(sa_type=UTCDateTime)
    recorded_at: datetime | None = Field(sa_type=UTCDateTime)
    agency_name: str = Field(sa_type=Text)
    pdf_sha256: str | None = Field(max_length=64)
    pdf_bundle: int | None = Field(sa_column=Column(BIG, ForeignKey("bundle.id")))
    pdf_offset: int | None = Field(sa_type=BigInteger)
    pdf_length: int | None
    pdf_key_id: str | None = Field(max_length=16)
    pdf_name: str = Field(sa_type=Text)
    token_kid: str = Field(max_length=16)
    seal_kid: str = Field(max_length=16)
    check_phrase: str = Field(max_length=32)
    key_id: str = Field(max_length=16)
    content_digest: bytes
    sealed_token: bytes | None
    sealed: bytes


class LicenceHolderRow(Row, table=True):
    """Where a holder's code is found: a keyed hash, never the code."""

    __tablename__ = "licence_holder"
    licence_id: int = Field(sa_column=Column(BIG, ForeignKey("licence.id"), primary_key=True, autoincrement=False))
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    code_index: bytes = Field(sa_column=Column(LargeBinary, nullable=False, index=True))


class LicenceImageRow(Row, table=True):
    """Where an image of a licence lies."""

    __tablename__ = "licence_image"
    licence_id: int = Field(sa_column=Column(BIG, ForeignKey("licence.id"), primary_key=True, autoincrement=False))
    field: str = Field(primary_key=True, max_length=64)
    sha256: str = Field(max_length=64)
    bundle: int = Field(sa_column=Column(BIG, ForeignKey("bundle.id"), nullable=False))
    offset_bytes: int = Field(sa_type=BigInteger)
    length: int
    key_id: str = Field(max_length=16)


class StatusChangeRow(Row, table=True):
    """One change of status, with what the law wants to know about it."""

    __tablename__ = "status_change"
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    licence_id: int = Field(sa_column=Column(BIG, ForeignKey("licence.id"), nullable=False, index=True))
    old: str = Field(max_length=10)
    new: str = Field(max_length=10)
    reason: str = Field(sa_type=Text)
    document_number: str = Field(sa_type=Text)
    operator: str = Field(sa_type=Text)
    effective_at: datetime = Field(sa_type=UTCDateTime)
    recorded_at: datetime = Field(sa_type=UTCDateTime)


class AllotmentRow(Row, table=True):
    """One row: what is given next. Whoever reserves holds its lock."""

    __tablename__ = "allotment"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    next_licence_id: int = Field(sa_type=BigInteger)
    shard: int
    taken: int


class AuditRow(Row, table=True):
    """One audit record, as `certlib.audit` made it."""

    __tablename__ = "audit"
    seq: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_type=UTCDateTime)
    actor: str = Field(sa_type=Text)
    act: str = Field(max_length=40)
    subject: str = Field(sa_type=Text, index=True)
    detail: str = Field(sa_type=Text)
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditHeadRow(Row, table=True):
    """One row: where the audit chain ends. Whoever writes audit holds its lock."""

    __tablename__ = "audit_head"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger)
    hash: str = Field(max_length=64)


class BatchRow(Row, table=True):
    """One register file that is being issued, or was."""

    __tablename__ = "batch"
    id: str = Field(primary_key=True, max_length=26)
    agency_code: str = Field(foreign_key="agency.code", max_length=21)
    type_code: str = Field(max_length=64)
    file_sha256: str = Field(max_length=64)
    map_sha256: str = Field(max_length=64)
    operator: str = Field(sa_type=Text)
    read: int
    issued: int
    already: int
    refused: int
    opened_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
    finished_at: datetime | None = Field(sa_type=UTCDateTime)


class TrustPackRow(Row, table=True):
    """A trust pack as it was signed; versions only grow."""

    __tablename__ = "trust_pack"
    version: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    data: bytes
    issued_at: datetime = Field(sa_type=UTCDateTime)


def _table(name: str) -> Any:  # noqa: ANN401  # a Table; its columns are known at run time only
    return METADATA.tables[name]


LIBRARY: Final = _table("library")
AGENCY: Final = _table("agency")
SIGNING_KEY: Final = _table("signing_key")
LICENCE_TYPE: Final = _table("licence_type")
BUNDLE: Final = _table("bundle")
LICENCE: Final = _table("licence")
LICENCE_HOLDER: Final = _table("licence_holder")
LICENCE_IMAGE: Final = _table("licence_image")
STATUS_CHANGE: Final = _table("status_change")
ALLOTMENT: Final = _table("allotment")
AUDIT: Final = _table("audit")
AUDIT_HEAD: Final = _table("audit_head")
BATCH: Final = _table("batch")
TRUST_PACK: Final = _table("trust_pack")
