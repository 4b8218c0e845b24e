"""The tables of sharing: grants, what was counted against them, and the ledger of looks. As `tables`.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Text, text
from sqlmodel import Field

from certlib.store.tables import BIG, METADATA, Row, UTCDateTime


class SharingGrantRow(Row, table=True):
    """One grant; only its end is ever written into it."""

    __tablename__ = "sharing_grant"
    __table_args__ = (Index("ix_sharing_grant_agency_type", "agency_code", "type_code"),)
    id: str = Field(primary_key=True, max_length=26)
    agency_code: str = Field(foreign_key="agency.code", max_length=21)
    type_code: str = Field(max_length=64)
    fields: str = Field(sa_type=Text)
    interfaces: str = Field(sa_type=Text)
    matters: str = Field(sa_type=Text)
    basis: str = Field(max_length=10)
    clause: str = Field(sa_type=Text)
    daily_cap: int = Field(sa_type=BigInteger)
    networks: str = Field(sa_type=Text)
    valid_from: datetime = Field(sa_type=UTCDateTime)
    valid_until: datetime | None = Field(sa_type=UTCDateTime)
    granted_by: str = Field(sa_type=Text)
    granted_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(sa_type=UTCDateTime)
    ended_by: str = Field(sa_type=Text)
    end_reason: str = Field(sa_type=Text)


class GrantDayRow(Row, table=True):
    """How much of a grant's daily cap one day has used."""

    __tablename__ = "grant_day"
    grant_id: str = Field(foreign_key="sharing_grant.id", primary_key=True, max_length=26)
    day: date = Field(primary_key=True)
    used: int = Field(sa_type=BigInteger)


class LookRow(Row, table=True):
    """One look at a licence, or one asking that found none: the holder's ledger. Values never stand here."""

    __tablename__ = "look"
    __table_args__ = (
        Index("ix_look_holder", *("holder_index", "id")),
        Index("ix_look_licence", *("licence_id", "id")),
        Index("ix_look_agency", *("agency_code", "at")),
        Index("ix_look_holder_agency", *("holder_index", "agency_code", "at")),
        Index("ix_look_licence_agency", *("licence_id", "agency_code", "at")),
        Index(
            "ix_look_reference",
            "reference",
            sqlite_where=text("reference <> ''"),
            postgresql_where=text("reference <> ''"),
        ),
    )
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_type=UTCDateTime)
    kind: str = Field(max_length=16)
    agency_code: str = Field(max_length=21)
    client_id: str = Field(max_length=64)
    operator: str = Field(sa_type=Text)
    matter_code: str = Field(max_length=64)
    case_number: str = Field(max_length=64)
    type_code: str = Field(max_length=64)
    fields: str = Field(sa_type=Text)
    basis: str = Field(max_length=10)
    grant_id: str = Field(max_length=26)
    outcome: str = Field(max_length=32)
    reference: str = Field(max_length=26)
    licence_id: int | None = Field(sa_column=Column(BIG, ForeignKey("licence.id")))
    holder_index: bytes | None = Field(sa_column=Column(LargeBinary))
    key_id: str = Field(max_length=16)
    sealed: bytes


def _table(name: str) -> Any:  # noqa: ANN401  # a Table; its columns are known at run time only
    return METADATA.tables[name]


SHARING_GRANT: Final = _table("sharing_grant")
GRANT_DAY: Final = _table("grant_day")
LOOK: Final = _table("look")
