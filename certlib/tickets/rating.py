"""Ratings of uses (好差评), and reports that paper was still demanded although the licence is electronic.

Who asked and the holder rate a use once each. A bad rating needs its reason and is listed for the library's operator.
"""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from certlib.errors import FieldFault, NotFoundError
from certlib.holding.ledger import own_look
from certlib.holding.sessions import require_standing
from certlib.store import agencies, ratings
from certlib.store.converting import holder_index
from certlib.store.ratings import PaperReport, Rating
from certlib.tickets.wording import operator_faults, require, text_faults, word_faults
from certlib.verdict import moment

if TYPE_CHECKING:
    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library

BEST: Final = 5
BAD: Final = 2
"""At most this is bad: it needs a reason, and the library's operator sees it."""
OPERATOR, HOLDER = "operator", "holder"


class PaperReason(StrEnum):
    """Why paper was still demanded. A closed list; wire-stable."""

    NOT_FOUND = "not_found"
    """The licence was not found in the library."""
    NOT_GRANTED = "not_granted"
    """The agency may not ask for it here."""
    SYSTEM_DOWN = "system_down"
    CONTENT_WRONG = "content_wrong"
    """What the library says is wrong or not complete."""
    FILE_UNREADABLE = "file_unreadable"
    RULE_DEMANDS_ORIGINAL = "rule_demands_original"
    ARCHIVE_DEMANDS_PAPER = "archive_demands_paper"
    NOT_KNOWN_HOW = "not_known_how"
    """Nobody at the counter knew how to ask the library."""
    NOT_TRUSTED = "not_trusted"
    HOLDER_WISHED = "holder_wished"
    OTHER = "other"
    """Needs a text."""


def rate_use(  # noqa: PLR0913  # who rates what, and how
    lib: Library, agency_code: str, reference: str, *, score: int, text: str, operator: str
) -> Rating:
    """The asking agency's rating of one of its uses: `reference` is the use code, bulk id or receipt id.

    Raises:
        InvalidRequestError: score or operator is wrong, or a bad rating has no reason.
        NotFoundError: code `use_not_found`: the agency has no use of this code.
        ConflictError: code `already_rated`.
    """
    require([*_score_faults(score, text), *operator_faults(operator)])
    look = ratings.first_look(lib.store, reference)
    if look is None or look["agency_code"] != agency_code:
        raise _use_not_found()
    given = Rating(
        at=lib.now(),
        by=OPERATOR,
        agency_code=agency_code,
        type_code=look["type_code"],
        reference=reference,
        score=score,
        text=text,
        operator=operator,
    )
    ratings.put_rating(lib.store, given, f"ref:{reference}:{OPERATOR}")
    return given


def rate_own(  # noqa: PLR0913  # who rates what, and how
    lib: Library, me: HolderCaller, *, look_id: int = 0, reference: str = "", score: int, text: str
) -> Rating:
    """The holder's rating of a use of an own licence, named by a row of the ledger or by its use code.

    Rows under one use code are one use.

    Raises:
        InvalidRequestError: the score is wrong, a bad rating has no reason, or not exactly one use is named.
        NotFoundError: the holder's ledger has no such use.
        ConflictError: code `already_rated`.
    """
    faults = _score_faults(score, text)
    if bool(look_id) == bool(reference):
        faults.append(FieldFault(field="look", code="one_of", reason="give either `look` or `use_code`"))
    require(faults)
    if look_id:
        look = own_look(lib, me, look_id)
        agency_code, type_code, reference = look.agency_code, look.type_code, look.reference
    else:
        found = ratings.first_look(lib.store, reference, holder_code=me.holder_code)
        if found is None or not me.covers(type_code=found["type_code"]):
            raise _use_not_found()
        agency_code, type_code = found["agency_code"], found["type_code"]
    mark = holder_index(lib.store.cipher, me.holder_code).hex()
    now = lib.now()
    given = Rating(
        at=now,
        by=HOLDER,
        agency_code=agency_code,
        type_code=type_code,
        reference=reference,
        score=score,
        text=text,
    )
    subject = f"ref:{reference}:{mark}" if reference else f"look:{look_id}:{mark}"
    ratings.put_rating(lib.store, given, subject, first=partial(require_standing, me=me, now=now))
    return given


def bad_ratings(lib: Library, *, agency_code: str = "", before: int = 0) -> tuple[Rating, ...]:
    """What was rated badly, newest first, at most 500: for the library's operator, or one agency's own uses."""
    return ratings.bad_ratings(lib.store, most=BAD, agency_code=agency_code, before=before)


def report_paper(  # noqa: PLR0913  # what an operator says
    lib: Library, agency_code: str, *, type_code: str, matter_code: str, reason: str, text: str, operator: str
) -> PaperReport:
    """An operator's word that paper was still demanded at the own agency, and why.

    Raises:
        InvalidRequestError: the reason is not of the list, `other` has no text, or the type is not known.
    """
    require(
        [
            *operator_faults(operator),
            *word_faults("matter_code", matter_code),
            *_paper_faults(lib, type_code, reason, text),
        ]
    )
    made = PaperReport(
        at=lib.now(),
        by=OPERATOR,
        agency_code=agency_code,
        type_code=type_code,
        matter_code=matter_code,
        reason=reason,
        text=text,
        operator=operator,
    )
    ratings.put_paper_report(lib.store, made)
    return made


def report_paper_own(  # noqa: PLR0913  # what a holder says
    lib: Library, me: HolderCaller, *, agency_code: str, type_code: str, matter_code: str, reason: str, text: str
) -> PaperReport:
    """A holder's word that an agency still demanded paper.

    Raises:
        InvalidRequestError: as `report_paper`, or the agency is not known.
        ForbiddenError: the session or delegation is over, or does not cover the type.
    """
    faults = word_faults("matter_code", matter_code, needed=False)
    faults += _paper_faults(lib, type_code, reason, text)
    if not _is_agency(lib, agency_code):
        faults.append(FieldFault(field="agency", code="unknown", reason="is no agency of this library"))
    if not me.covers(type_code=type_code):
        faults.append(FieldFault(field="type", code="not_covered", reason="lies outside your delegation"))
    require(faults)
    now = lib.now()
    made = PaperReport(
        at=now,
        by=HOLDER,
        agency_code=agency_code,
        type_code=type_code,
        matter_code=matter_code,
        reason=reason,
        text=text,
    )
    ratings.put_paper_report(lib.store, made, first=partial(require_standing, me=me, now=now))
    return made


def paper_reports(lib: Library, *, agency_code: str = "", before: int = 0) -> tuple[PaperReport, ...]:
    """Reports, newest first, at most 500."""
    return ratings.paper_reports(lib.store, agency_code=agency_code, before=before)


def rating_json(given: Rating) -> dict[str, Any]:
    """A rating as programs read it."""
    return {
        "position": given.id,
        "at": moment(given.at),
        "by": given.by,
        "agency": given.agency_code,
        "type": given.type_code,
        "use_code": given.reference,
        "score": given.score,
        "text": given.text,
        "operator": given.operator,
    }


def paper_json(made: PaperReport) -> dict[str, Any]:
    """A report as programs read it."""
    return {
        "position": made.id,
        "at": moment(made.at),
        "by": made.by,
        "agency": made.agency_code,
        "type": made.type_code,
        "matter_code": made.matter_code,
        "reason": made.reason,
        "text": made.text,
        "operator": made.operator,
    }


def _score_faults(score: int, text: str) -> list[FieldFault]:
    faults = text_faults("text", text, needed=False)
    if not 1 <= score <= BEST:
        return [FieldFault(field="score", code="out_of_range", reason=f"must lie between 1 and {BEST}"), *faults]
    if score <= BAD and not text.strip():
        faults.append(FieldFault(field="text", code="required", reason="is missing: a bad rating says why"))
    return faults


def _paper_faults(lib: Library, type_code: str, reason: str, text: str) -> list[FieldFault]:
    faults = []
    try:
        agencies.current_type(lib.store, type_code)
    except NotFoundError:
        faults.append(FieldFault(field="type", code="unknown", reason="is no type of this library"))
    if reason not in {*PaperReason}:
        known = ", ".join(PaperReason)
        faults.append(FieldFault(field="reason", code="unknown", reason=f"must be one of: {known}"))
    return [*faults, *text_faults("text", text, needed=reason == PaperReason.OTHER)]


def _is_agency(lib: Library, agency_code: str) -> bool:
    try:
        agencies.agency(lib.store, agency_code)
    except NotFoundError:
        return False
    return True


def _use_not_found() -> NotFoundError:
    return NotFoundError("no use is known under this code", code="use_not_found")
