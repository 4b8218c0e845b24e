"""The tables of tickets, ratings, reports and figures. As `tables`.

No `from __future__ import annotations` here: SQLModel reads the annotations at run time.
"""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Text, text
from sqlmodel import Field

from certlib.store.tables import BIG, METADATA, Row, UTCDateTime

WATCHED: Final = "escalated_at IS NULL AND closed_at IS NULL AND due_at IS NOT NULL"
"""Word for word in the partial index and in the query that uses it."""


class TicketRow(Row, table=True):
    """One objection or correction. What people wrote lies sealed."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index("ix_ticket_agency", *("agency_code", "id")),
        Index("ix_ticket_raiser", *("raiser_agency", "id")),
        Index("ix_ticket_holder", *("holder_index", "id")),
        Index("ix_ticket_licence", *("licence_id", "id")),
        Index("ix_ticket_watched", "due_at", sqlite_where=text(WATCHED), postgresql_where=text(WATCHED)),
    )
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    code: str = Field(max_length=26, unique=True)
    kind: str = Field(max_length=9)
    state: str = Field(max_length=11)
    agency_code: str = Field(foreign_key="agency.code", max_length=21)
    raiser_agency: str = Field(max_length=21)
    raiser: str = Field(sa_type=Text)
    holder_index: bytes | None = Field(sa_column=Column(LargeBinary))
    licence_id: int | None = Field(sa_column=Column(BIG, ForeignKey("licence.id")))
    look_id: int | None = Field(sa_column=Column(BIG, ForeignKey("look.id")))
    type_code: str = Field(max_length=64)
    fields: str = Field(sa_type=Text)
    opened_at: datetime = Field(sa_type=UTCDateTime)
    due_at: datetime | None = Field(sa_type=UTCDateTime)
    escalated_at: datetime | None = Field(sa_type=UTCDateTime)
    closed_at: datetime | None = Field(sa_type=UTCDateTime)
    outcome: str = Field(max_length=13)
    change_id: str = Field(max_length=26)
    successor: str = Field(max_length=128)
    attempts: int
    key_id: str = Field(max_length=16)
    sealed: bytes


class TicketClaimRow(Row, table=True):
    """What a ticket is about, as a keyed hash: nobody else opens one about the same as long as this row stands."""

    __tablename__ = "ticket_claim"
    claim: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    ticket_id: int = Field(sa_column=Column(BIG, ForeignKey("ticket.id"), nullable=False, index=True))


class TicketStepRow(Row, table=True):
    """One step of a ticket: who did what, when, with which words."""

    __tablename__ = "ticket_step"
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    ticket_id: int = Field(sa_column=Column(BIG, ForeignKey("ticket.id"), nullable=False, index=True))
    at: datetime = Field(sa_type=UTCDateTime)
    action: str = Field(max_length=10)
    state: str = Field(max_length=11)
    by: str = Field(max_length=21)
    operator: str = Field(sa_type=Text)
    key_id: str = Field(max_length=16)
    sealed: bytes


class RatingRow(Row, table=True):
    """One rating of a use; each asker and each holder rates a use once."""

    __tablename__ = "rating"
    __table_args__ = (Index("ix_rating_score", *("score", "id")),)
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    subject: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    at: datetime = Field(sa_type=UTCDateTime)
    by: str = Field(max_length=8)
    agency_code: str = Field(max_length=21)
    type_code: str = Field(max_length=64)
    reference: str = Field(max_length=26)
    score: int
    key_id: str = Field(max_length=16)
    sealed: bytes


class PaperReportRow(Row, table=True):
    """One report that paper was still demanded."""

    __tablename__ = "paper_report"
    __table_args__ = (Index("ix_paper_report_agency", *("agency_code", "id")),)
    id: int | None = Field(default=None, sa_column=Column(BIG, primary_key=True, autoincrement=True))
    at: datetime = Field(sa_type=UTCDateTime)
    by: str = Field(max_length=8)
    agency_code: str = Field(max_length=21)
    type_code: str = Field(max_length=64)
    matter_code: str = Field(max_length=64)
    reason: str = Field(max_length=24)
    key_id: str = Field(max_length=16)
    sealed: bytes


class FigureDayRow(Row, table=True):
    """How often something happened on one day of an agency's own calendar, as the audit chain tells it."""

    __tablename__ = "figure_day"
    figure: str = Field(primary_key=True, max_length=16)
    day: date = Field(primary_key=True)
    agency_code: str = Field(primary_key=True, max_length=21)
    type_code: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=32)
    count: int = Field(sa_type=BigInteger)


class FigureCursorRow(Row, table=True):
    """One row: up to which audit record the figures have counted, and which month is closed. Who counts locks it."""

    __tablename__ = "figure_cursor"
    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    seq: int = Field(sa_type=BigInteger)
    at: datetime | None = Field(sa_type=UTCDateTime)
    closed_on: date | None


def _table(name: str) -> Any:  # noqa: ANN401  # a Table; its columns are known at run time only
    return METADATA.tables[name]


TICKET: Final = _table("ticket")
TICKET_CLAIM: Final = _table("ticket_claim")
TICKET_STEP: Final = _table("ticket_step")
RATING: Final = _table("rating")
PAPER_REPORT: Final = _table("paper_report")
FIGURE_DAY: Final = _table("figure_day")
FIGURE_CURSOR: Final = _table("figure_cursor")
