"""The tables of what holders have: sessions, one-time codes, delegations. As `tables`.

Holders' codes lie sealed, and are found by their keyed hash. No `from __future__ import annotations` here: SQLModel
reads the annotations at run time.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Index, Text
from sqlmodel import Field

from certlib.store.tables import METADATA, Row, UTCDateTime


class HolderSessionRow(Row, table=True):
    """One log-in of a holder."""

    __tablename__ = "holder_session"
    id: str = Field(primary_key=True, max_length=26)
    code_index: bytes = Field(index=True)
    code_type: str = Field(max_length=3)
    agency_code: str = Field(max_length=21)
    client_id: str = Field(max_length=64)
    operator: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(sa_type=UTCDateTime)
    key_id: str = Field(max_length=16)
    sealed: bytes


class OneTimeCodeRow(Row, table=True):
    """One code that a holder gave out; only its use and its end are ever written into it."""

    __tablename__ = "one_time_code"
    __table_args__ = (Index("ix_one_time_code_holder", *("holder_index", "created_at")),)
    id: str = Field(primary_key=True, max_length=26)
    kind: str = Field(max_length=8)
    code_hash: bytes = Field(unique=True)
    holder_index: bytes
    session_id: str = Field(foreign_key="holder_session.id", max_length=26)
    delegation_id: str = Field(max_length=26)
    agency_code: str = Field(max_length=21)
    scope: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(sa_type=UTCDateTime)
    used_at: datetime | None = Field(sa_type=UTCDateTime)
    used_by: str = Field(max_length=21)
    reference: str = Field(max_length=26, index=True)
    key_id: str = Field(max_length=16)
    sealed: bytes


class CodeFailureRow(Row, table=True):
    """How many wrong codes came from one source in one hour."""

    __tablename__ = "code_failure"
    source: bytes = Field(primary_key=True)
    hour: datetime = Field(primary_key=True, sa_type=UTCDateTime)
    failures: int


class DelegationRow(Row, table=True):
    """One holder who may act for another; only its end is ever written into it."""

    __tablename__ = "delegation"
    id: str = Field(primary_key=True, max_length=26)
    kind: str = Field(max_length=8)
    principal_index: bytes = Field(index=True)
    delegate_index: bytes = Field(index=True)
    acts: str = Field(sa_type=Text)
    types: str = Field(sa_type=Text)
    licences: str = Field(sa_type=Text)
    agency_code: str = Field(max_length=21)
    made_by: str = Field(sa_type=Text)
    made_at: datetime = Field(sa_type=UTCDateTime)
    ends_at: datetime = Field(sa_type=UTCDateTime)
    ended_at: datetime | None = Field(sa_type=UTCDateTime)
    ended_by: str = Field(sa_type=Text)
    key_id: str = Field(max_length=16)
    sealed: bytes


def _table(name: str) -> Any:  # noqa: ANN401  # a Table; its columns are known at run time only
    return METADATA.tables[name]


HOLDER_SESSION: Final = _table("holder_session")
ONE_TIME_CODE: Final = _table("one_time_code")
CODE_FAILURE: Final = _table("code_failure")
DELEGATION: Final = _table("delegation")
