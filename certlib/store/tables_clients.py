"""The tables of OAuth clients. As `tables`.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Index, Text
from sqlmodel import Field

from certlib.store.tables import METADATA, Row, UTCDateTime


class OAuthClientRow(Row, table=True):
    """One system of an agency."""

    __tablename__ = "oauth_client"
    id: str = Field(primary_key=True, max_length=26)
    agency_code: str = Field(foreign_key="agency.code", max_length=21, index=True)
    name: str = Field(sa_type=Text)
    scopes: str = Field(sa_type=Text)
    method: str = Field(max_length=16)
    networks: str = Field(sa_type=Text)
    created_by: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)
    disabled_by: str = Field(sa_type=Text)
    disabled_at: datetime | None = Field(sa_type=UTCDateTime)
    minute: datetime | None = Field(sa_type=UTCDateTime)
    given_in_minute: int
    refusal_noted_at: datetime | None = Field(sa_type=UTCDateTime)


class ClientKeyRow(Row, table=True):
    """A public key that a client signs its assertions with."""

    __tablename__ = "client_key"
    client_id: str = Field(foreign_key="oauth_client.id", primary_key=True, max_length=26)
    kid: str = Field(primary_key=True, max_length=64)
    spki_der: bytes
    not_before_at: datetime = Field(sa_type=UTCDateTime)
    not_after_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_at: datetime | None = Field(sa_type=UTCDateTime)


class ClientSecretRow(Row, table=True):
    """A slow hash of a secret that a client shows; the secret itself is nowhere."""

    __tablename__ = "client_secret"
    client_id: str = Field(foreign_key="oauth_client.id", primary_key=True, max_length=26)
    id: str = Field(primary_key=True, max_length=8)
    hashed: str = Field(sa_type=Text)
    not_before_at: datetime = Field(sa_type=UTCDateTime)
    not_after_at: datetime = Field(sa_type=UTCDateTime)
    withdrawn_at: datetime | None = Field(sa_type=UTCDateTime)


class UsedAssertionRow(Row, table=True):
    """The id of an assertion that was taken: it is never taken again."""

    __tablename__ = "used_assertion"
    __table_args__ = (Index("ix_used_assertion_end", *("client_id", "expires_at")),)
    client_id: str = Field(foreign_key="oauth_client.id", primary_key=True, max_length=26)
    digest: bytes = Field(primary_key=True)
    expires_at: datetime = Field(sa_type=UTCDateTime)


def _table(name: str) -> Any:  # noqa: ANN401  # a Table; its columns are known at run time only
    return METADATA.tables[name]


OAUTH_CLIENT: Final = _table("oauth_client")
CLIENT_KEY: Final = _table("client_key")
CLIENT_SECRET: Final = _table("client_secret")
USED_ASSERTION: Final = _table("used_assertion")
