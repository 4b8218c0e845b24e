"""Ratings of uses, and reports that paper was still demanded. What people wrote lies sealed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, or_, select
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError
from certlib.store import audits
from certlib.store.converting import holder_index
from certlib.store.engine import reading, writing
from certlib.store.looks import LISTED
from certlib.store.tables import LICENCE_HOLDER
from certlib.store.tables_sharing import LOOK
from certlib.store.tables_tickets import PAPER_REPORT, RATING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

_REFERENCE_CHARACTERS: Final = 26


@dataclass(frozen=True, kw_only=True, slots=True)
class Rating:
    """One rating of a use."""

    at: datetime
    by: str
    """`operator` of the asking agency, or `holder`."""
    agency_code: str
    """Whose use it was."""
    type_code: str
    reference: str
    """Use code, bulk or receipt id; empty for a single look."""
    score: int
    """1 to 5, 5 is best."""
    text: str
    """Sealed at rest."""
    operator: str = ""
    """Sealed at rest too: it may be a person's view of a colleague."""
    id: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperReport:
    """One report that paper was still demanded although the licence is electronic."""

    at: datetime
    by: str
    agency_code: str
    """Who demanded it."""
    type_code: str
    matter_code: str
    reason: str
    text: str
    """Sealed at rest."""
    operator: str = ""
    id: int = 0


def put_rating(
    store: Store, rating: Rating, subject: str, *, first: Callable[[Connection], None] | None = None
) -> None:
    """Keep a rating of `subject`, which says what is rated by whom.

    Raises:
        ConflictError: code `already_rated`.
    """
    row = {
        "subject": store.cipher.digest("rating", subject.encode("utf-8", "surrogatepass")),
        "at": rating.at,
        "by": rating.by,
        "agency_code": rating.agency_code,
        "type_code": rating.type_code,
        "reference": rating.reference,
        "score": rating.score,
        **_sealed(store, rating.operator, rating.text, f"rating:{rating.agency_code}"),
    }
    detail: dict[str, str | int] = {
        "agency": rating.agency_code,
        "type": rating.type_code,
        "score": rating.score,
        "by": rating.by,
    }
    entry = audits.Entry(actor=rating.by, act="rating.given", subject=rating.reference or "look", detail=detail)
    try:
        with writing(store) as conn:
            if first is not None:
                first(conn)
            conn.execute(insert(RATING).values(row))
            audits.append(conn, [entry], at=rating.at)
    except IntegrityError as error:
        hint = "A rating stands as it was given."
        raise ConflictError("this use was rated before", code="already_rated", hint=hint) from error


def bad_ratings(
    store: Store, *, most: int, agency_code: str = "", before: int = 0, limit: int = LISTED
) -> tuple[Rating, ...]:
    """Ratings with a score of at most `most`, newest first."""
    query = select(RATING).where(RATING.c.score <= most)
    if agency_code:
        query = query.where(RATING.c.agency_code == agency_code)
    if before:
        query = query.where(RATING.c.id < before)
    with reading(store) as conn:
        rows = conn.execute(query.order_by(RATING.c.id.desc()).limit(min(limit, LISTED))).mappings().all()
    return tuple(_rating(store, row) for row in rows)


def put_paper_report(store: Store, report: PaperReport, *, first: Callable[[Connection], None] | None = None) -> None:
    """Keep a report."""
    row = {
        "at": report.at,
        "by": report.by,
        "agency_code": report.agency_code,
        "type_code": report.type_code,
        "matter_code": report.matter_code,
        "reason": report.reason,
        **_sealed(store, report.operator, report.text, f"paper:{report.agency_code}"),
    }
    detail: dict[str, str | int] = {
        "agency": report.agency_code,
        "type": report.type_code,
        "matter": report.matter_code,
        "reason": report.reason,
        "by": report.by,
    }
    actor = report.operator or report.by
    entry = audits.Entry(actor=actor, act="paper.demanded", subject=report.agency_code, detail=detail)
    with writing(store) as conn:
        if first is not None:
            first(conn)
        conn.execute(insert(PAPER_REPORT).values(row))
        audits.append(conn, [entry], at=report.at)


def paper_reports(
    store: Store, *, agency_code: str = "", before: int = 0, limit: int = LISTED
) -> tuple[PaperReport, ...]:
    """Reports about an agency, or all, newest first."""
    query = select(PAPER_REPORT)
    if agency_code:
        query = query.where(PAPER_REPORT.c.agency_code == agency_code)
    if before:
        query = query.where(PAPER_REPORT.c.id < before)
    with reading(store) as conn:
        rows = conn.execute(query.order_by(PAPER_REPORT.c.id.desc()).limit(min(limit, LISTED))).mappings().all()
    return tuple(_report(store, row) for row in rows)


def first_look(store: Store, reference: str, *, holder_code: str = "") -> Mapping[Any, Any] | None:
    """Agency and type of the first look under a use code, bulk or receipt id; with `holder_code` one about them."""
    if not (0 < len(reference) <= _REFERENCE_CHARACTERS and reference.isascii() and reference.isprintable()):
        return None
    query = select(LOOK.c.agency_code, LOOK.c.type_code).where(LOOK.c.reference == reference, LOOK.c.reference != "")
    if holder_code:
        index = holder_index(store.cipher, holder_code)
        held = select(LICENCE_HOLDER.c.licence_id).where(LICENCE_HOLDER.c.code_index == index)
        query = query.where(or_(LOOK.c.holder_index == index, LOOK.c.licence_id.in_(held)))
    with reading(store) as conn:
        return conn.execute(query.order_by(LOOK.c.id).limit(1)).mappings().one_or_none()


def _sealed(store: Store, operator: str, text: str, bound_to: str) -> dict[str, Any]:
    sealed = store.cipher.seal(f"{operator}\0{text}".encode(), bound_to)
    return {"key_id": store.cipher.key_id, "sealed": sealed}


def _opened(store: Store, row: RowMapping, bound_to: str) -> tuple[str, str]:
    operator, _, text = store.cipher.open(row["sealed"], bound_to, row["key_id"]).decode().partition("\0")
    return operator, text


def _rating(store: Store, row: RowMapping) -> Rating:
    operator, text = _opened(store, row, f"rating:{row['agency_code']}")
    kept = {name: row[name] for name in ("id", "at", "by", "agency_code", "type_code", "reference", "score")}
    return Rating(**kept, operator=operator, text=text)


def _report(store: Store, row: RowMapping) -> PaperReport:
    operator, text = _opened(store, row, f"paper:{row['agency_code']}")
    kept = {name: row[name] for name in ("id", "at", "by", "agency_code", "type_code", "matter_code", "reason")}
    return PaperReport(**kept, operator=operator, text=text)
