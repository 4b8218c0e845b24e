"""The tables of collected catalogues: the libraries that are followed, what they said, and their trust packs.

As `tables`. No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Index, LargeBinary, Text
from sqlmodel import Field

from certlib.store.tables import METADATA, Row, UTCDateTime


class ForeignPackRow(Row, table=True):
    """The newest trust pack of another library. A removed one keeps its version, so that no older one comes back."""

    __tablename__ = "foreign_pack"
    anchor_sha256: str = Field(primary_key=True, max_length=64)
    anchor_spki: bytes
    name: str = Field(sa_type=Text)
    version: int = Field(sa_type=BigInteger)
    data: bytes | None = Field(sa_type=LargeBinary)
    imported_at: datetime = Field(sa_type=UTCDateTime)
    imported_by: str = Field(sa_type=Text)
    removed_at: datetime | None = Field(sa_type=UTCDateTime)


class ForeignNameRow(Row, table=True):
    """A key id or agency code that a foreign pack speaks for; each has one pack only."""

    __tablename__ = "foreign_name"
    kind: str = Field(primary_key=True, max_length=6)
    name: str = Field(primary_key=True, max_length=64)
    anchor_sha256: str = Field(foreign_key="foreign_pack.anchor_sha256", max_length=64, index=True)


class CollectedSourceRow(Row, table=True):
    """A library whose catalogue is followed, and how far."""

    __tablename__ = "collected_source"
    id: str = Field(primary_key=True, max_length=26)
    url: str = Field(unique=True, max_length=2048)
    anchor_sha256: str = Field(foreign_key="foreign_pack.anchor_sha256", max_length=64)
    client_id: str = Field(max_length=64)
    key_uri: str = Field(sa_type=Text)
    matter_code: str = Field(max_length=64)
    cursor: str = Field(sa_type=Text)
    types: str = Field(sa_type=Text)
    added_at: datetime = Field(sa_type=UTCDateTime)
    added_by: str = Field(sa_type=Text)
    collected_at: datetime | None = Field(sa_type=UTCDateTime)


class CollectedLicenceRow(Row, table=True):
    """A licence that another library holds, as its feed last said. No value of its fields."""

    __tablename__ = "collected_licence"
    __table_args__ = (
        Index("ix_collected_licence_identifier", "identifier"),
        Index("ix_collected_licence_number", *("type_segment", "number")),
    )
    source_id: str = Field(foreign_key="collected_source.id", primary_key=True, max_length=26)
    identifier: str = Field(primary_key=True, max_length=128)
    type_segment: str = Field(max_length=21)
    type_code: str = Field(max_length=64)
    type_name: str = Field(sa_type=Text)
    type_name_en: str = Field(sa_type=Text)
    number: str = Field(max_length=128)
    number_masked: bool
    version: int
    agency_code: str = Field(max_length=21)
    agency_name: str = Field(sa_type=Text)
    area_code: str = Field(max_length=12)
    issued_on: date
    effective_on: date
    expires_on: date | None
    status: str = Field(max_length=10)
    previous_identifier: str = Field(max_length=128)
    seq: int = Field(sa_type=BigInteger)
    changed_at: datetime = Field(sa_type=UTCDateTime)


def _table(name: str) -> Any:  # noqa: ANN401  # a Table; its columns are known at run time only
    return METADATA.tables[name]


FOREIGN_PACK: Final = _table("foreign_pack")
FOREIGN_NAME: Final = _table("foreign_name")
COLLECTED_SOURCE: Final = _table("collected_source")
COLLECTED_LICENCE: Final = _table("collected_licence")
