"""The tables of the life cycle: changes of licences, and the bulk acts that some of them belong to.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ForeignKey, Index, Text, text
from sqlmodel import Field

from certlib.store.tables import BIG, METADATA, Row, UTCDateTime


class LicenceChangeRow(Row, table=True):
    """One operation on one licence, from its order to its end."""

    __tablename__ = "licence_change"
    __table_args__ = (
        Index(
            "ix_licence_change_open",
            *("agency_code", "made_at"),
            sqlite_where=text("state IN ('pending', 'approved')"),
            postgresql_where=text("state IN ('pending', 'approved')"),
        ),
        Index(
            "ix_licence_change_act",
            *("act_id", "state", "licence_id"),
            sqlite_where=text("act_id <> ''"),
            postgresql_where=text("act_id <> ''"),
        ),
    )
    id: str = Field(primary_key=True, max_length=26)
    agency_code: str = Field(foreign_key="agency.code", max_length=21)
    licence_id: int = Field(sa_column=Column(BIG, ForeignKey("licence.id"), nullable=False, index=True))
    operation: str = Field(max_length=10)
    state: str = Field(max_length=8)
    old: str = Field(max_length=10)
    new: str = Field(max_length=10)
    reason: str = Field(sa_type=Text)
    document_number: str = Field(sa_type=Text)
    effective_at: datetime = Field(sa_type=UTCDateTime)
    maker: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime | None = Field(sa_type=UTCDateTime)
    checker: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=UTCDateTime)
    done_at: datetime | None = Field(sa_type=UTCDateTime)
    code: str = Field(max_length=64)
    successor: str = Field(max_length=128)
    changed: str = Field(sa_type=Text)
    act_id: str = Field(max_length=26)
    key_id: str = Field(max_length=16)
    order_digest: bytes
    sealed: bytes | None


class BulkActRow(Row, table=True):
    """One operation on many licences."""

    __tablename__ = "bulk_act"
    id: str = Field(primary_key=True, max_length=26)
    agency_code: str = Field(foreign_key="agency.code", max_length=21, index=True)
    operation: str = Field(max_length=10)
    state: str = Field(max_length=8)
    reason: str = Field(sa_type=Text)
    document_number: str = Field(sa_type=Text)
    effective_at: datetime = Field(sa_type=UTCDateTime)
    selection: str = Field(sa_type=Text)
    total: int
    two_persons: bool
    maker: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    checker: str = Field(sa_type=Text)
    decided_at: datetime | None = Field(sa_type=UTCDateTime)
    finished_at: datetime | None = Field(sa_type=UTCDateTime)


def _table(name: str) -> Any:  # noqa: ANN401  # a Table; its columns are known at run time only
    return METADATA.tables[name]


LICENCE_CHANGE: Final = _table("licence_change")
BULK_ACT: Final = _table("bulk_act")
