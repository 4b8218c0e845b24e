"""The tables of uses: what was asked for and decided, the licences found, one-time links, and copies made. As `tables`.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ForeignKey, Index, LargeBinary, Text, text
from sqlmodel import Field

from certlib.store.tables import BIG, METADATA, Row, UTCDateTime


class SharingUseRow(Row, table=True):
    """One use, from its request to its end. Whom it is about and the purpose in words lie sealed."""

    __tablename__ = "sharing_use"
    __table_args__ = (
        Index("ix_sharing_use_agency", *("agency_code", "expires_at")),
        Index("ix_sharing_use_holder", *("holder_index", "made_at")),
        Index(
            "uq_sharing_use_request_id",
            *("agency_code", "request_id"),
            unique=True,
            sqlite_where=text("request_id <> ''"),
            postgresql_where=text("request_id <> ''"),
        ),
    )
    id: str = Field(primary_key=True, max_length=26)
    agency_code: str = Field(foreign_key="agency.code", max_length=21)
    client_id: str = Field(max_length=64)
    operator: str = Field(sa_type=Text)
    matter_code: str = Field(max_length=64)
    case_number: str = Field(max_length=64)
    parts: str = Field(sa_type=Text)
    interfaces: str = Field(max_length=32)
    basis: str = Field(max_length=10)
    state: str = Field(max_length=10)
    request_id: str = Field(max_length=128)
    request_digest: bytes
    made_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    decided_at: datetime | None = Field(sa_type=UTCDateTime)
    decided_by: str = Field(sa_type=Text)
    holder_index: bytes | None = Field(sa_column=Column(LargeBinary))
    key_id: str = Field(max_length=16)
    sealed: bytes


class UseLicenceRow(Row, table=True):
    """One licence that a granted use is bound to, and what was said of it when it was last read."""

    __tablename__ = "use_licence"
    use_id: str = Field(foreign_key="sharing_use.id", primary_key=True, max_length=26)
    licence_id: int = Field(sa_column=Column(BIG, ForeignKey("licence.id"), primary_key=True, autoincrement=False))
    word: str = Field(max_length=20)
    read_at: datetime | None = Field(sa_type=UTCDateTime)


class UseLinkRow(Row, table=True):
    """A one-time link to a copy of one licence: a keyed hash of it, never the link."""

    __tablename__ = "use_link"
    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    use_id: str = Field(foreign_key="sharing_use.id", max_length=26, index=True)
    licence_id: int = Field(sa_column=Column(BIG, ForeignKey("licence.id"), nullable=False))
    client_id: str = Field(max_length=64)
    made_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    claimed_at: datetime | None = Field(sa_type=UTCDateTime)


class MadeCopyRow(Row, table=True):
    """A purpose-bound copy that left the house. Its bytes are not kept."""

    __tablename__ = "made_copy"
    sha256: str = Field(primary_key=True, max_length=64)
    use_id: str = Field(foreign_key="sharing_use.id", max_length=26, index=True)
    licence_id: int = Field(sa_column=Column(BIG, ForeignKey("licence.id"), nullable=False))
    made_at: datetime = Field(sa_type=UTCDateTime)
    until_at: datetime = Field(sa_type=UTCDateTime)


def _table(name: str) -> Any:  # noqa: ANN401  # a Table; its columns are known at run time only
    return METADATA.tables[name]


SHARING_USE: Final = _table("sharing_use")
USE_LICENCE: Final = _table("use_licence")
USE_LINK: Final = _table("use_link")
MADE_COPY: Final = _table("made_copy")
