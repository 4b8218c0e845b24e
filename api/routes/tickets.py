"""Objections and corrections, from holders and to agencies."""

from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.auth import Caller, Sharer
from api.auth_holder import HELD, Reporter
from api.deps import PRIVATE, Body, parts_of, read_as
from api.routes.lifecycle import Manager
from api.schemas.bodies import SECURED, takes
from api.schemas.problems import problems
from api.schemas.tickets import (
    AnswerIn,
    CorrectionIn,
    ItemIn,
    Kind,
    MyWordsIn,
    ObjectionIn,
    OwnErrorIn,
    State,
    StepIn,
    TicketIn,
    TicketsOut,
    WholeTicketOut,
)
from certlib.callers import AgencyCaller
from certlib.errors import ForbiddenError, NotFoundError
from certlib.library import Library
from certlib.tickets import corrections, following, objections, reporting_errors
from certlib.tickets.corrections import Correction
from certlib.tickets.following import CORRECTIONS, Wanted
from certlib.tickets.reporting_errors import Clerk, ErrorReport, TicketItem
from certlib.tickets.rules import Action, Side, Ticket, TicketKind, TicketState

MANAGE, SHARE, AUDIT = "manage", "share", "audit"
Before = Annotated[int, Query(ge=0, lt=2**63, description="`position` of the last one seen; 0 begins at the newest.")]
Limit = Annotated[int, Query(ge=1, le=500)]
ROLE: Final = "`answer`: those your agency must answer (scope manage); `raised`: those its clerks opened (manage or \
share); `library`: all, without what people wrote (audit)."

router = APIRouter(prefix="/v1", tags=["tickets"])


@router.get(
    "/tickets",
    response_model=TicketsOut,
    responses=problems(401, 403, 422),
    openapi_extra=SECURED,
    summary="Objections and corrections",
)
def read_tickets(  # noqa: PLR0913, PLR0917  # one parameter a filter
    request: Request,
    caller: Caller,
    role: Annotated[Literal["answer", "raised", "library"], Query(description=ROLE)] = "answer",
    kind: Kind | None = None,
    state: State | None = None,
    open_only: Annotated[bool, Query(alias="open", description="Only what is not closed.")] = False,  # noqa: FBT002  # a query
    overdue: Annotated[bool, Query(description="Only what is overdue now.")] = False,  # noqa: FBT002  # a query
    escalated: Annotated[bool, Query(description="Only what was overdue once.")] = False,  # noqa: FBT002  # a query
    before: Before = 0,
    limit: Limit = 100,
) -> Response:
    """Newest first. What became overdue meanwhile is put down as such, once, by this call too."""
    lib = parts_of(request).lib
    needed = {"answer": {MANAGE}, "raised": {MANAGE, SHARE}, "library": {AUDIT}}[role]
    if not needed & caller.scopes:
        raise ForbiddenError(f"this bearer is not for tickets in the role {role}")
    wanted = Wanted(
        agency_code=caller.agency_code if role == "answer" else "",
        raiser_agency=caller.agency_code if role == "raised" else "",
        kind=None if kind is None else TicketKind(kind),
        state=None if state is None else TicketState(state),
        open_only=open_only,
        escalated=escalated,
        before=before,
    )
    wanted = following.overdue_only(lib, wanted) if overdue else wanted
    found = corrections.settled(lib, following.tickets_for(lib, wanted, limit=limit))
    written = role != "library"
    return _answer({"tickets": [following.ticket_json(lib, each, written=written) for each in found]})


@router.post(
    "/tickets",
    status_code=HTTPStatus.CREATED,
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422, 429),
    openapi_extra=takes(TicketIn),
    summary="Report a wrong or missing licence",
)
def report(request: Request, caller: Sharer, body: Body) -> Response:
    """A clerk's report, to the agency that issued the licence or should have. 409 names the ticket that is open."""
    lib, said = parts_of(request).lib, read_as(TicketIn, body)
    clerk = Clerk(
        agency_code=caller.agency_code,
        operator=said.operator,
        matter_code=said.matter_code,
        case_number=said.case_number,
    )
    found = ErrorReport(items=_items(said.items), remark=said.remark, contact=said.contact)
    if said.kind == "wrong":
        made = reporting_errors.report_wrong(lib, clerk, said.licence, found)
    else:
        made = reporting_errors.report_missing(
            lib, clerk, type_code=said.type, agency_code=said.agency, holder_code=said.holder_code, report=found
        )
    return _whole(lib, made, HTTPStatus.CREATED)


@router.get(
    "/tickets/{code}",
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404),
    openapi_extra=SECURED,
    summary="One ticket with its steps",
)
def read_ticket(request: Request, caller: Caller, code: str) -> Response:
    """For its two sides; with scope audit any, without what people wrote."""
    lib = parts_of(request).lib
    if not caller.scopes & {MANAGE, SHARE, AUDIT}:
        raise ForbiddenError("this bearer is not for tickets")
    try:
        found, side = following.ticket_for(lib, caller.agency_code, code)
        _require_side(caller, side)
    except (ForbiddenError, NotFoundError):
        if AUDIT not in caller.scopes:
            raise
        return _answer(following.whole_json(lib, following.ticket_unwritten(lib, code), written=False))
    return _whole(lib, corrections.settle(lib, found))


@router.post(
    "/tickets/{code}/answer",
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422),
    openapi_extra=takes(AnswerIn),
    summary="Answer an objection",
)
def answer(request: Request, caller: Manager, code: str, body: Body) -> Response:
    """The look was justified, or it was not; the holder reads the explanation."""
    lib, said = parts_of(request).lib, read_as(AnswerIn, body)
    done = objections.answer(
        lib,
        caller.agency_code,
        code,
        operator=said.operator,
        justified=said.outcome == objections.JUSTIFIED,
        text=said.text,
    )
    return _whole(lib, done)


@router.post(
    "/tickets/{code}/steps",
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422),
    openapi_extra=takes(StepIn),
    summary="Take, return, explain, decline; supplement, withdraw",
)
def step(request: Request, caller: Caller, code: str, body: Body) -> Response:
    """Move a correction on (scope manage), or one that your clerks opened (manage or share)."""
    lib = parts_of(request).lib
    if not caller.scopes & {MANAGE, SHARE}:
        raise ForbiddenError("this bearer is not for tickets")
    said = read_as(StepIn, body)
    _, side = following.ticket_for(lib, caller.agency_code, code)
    _require_side(caller, side)
    done = following.step_by_agency(
        lib, caller.agency_code, code, Action(said.action), operator=said.operator, text=said.text
    )
    return _whole(lib, done)


@router.post(
    "/tickets/{code}/correction",
    response_model=WholeTicketOut,
    responses={
        202: {"model": WholeTicketOut, "description": "The new version waits for its second person."},
        **problems(401, 403, 404, 408, 409, 413, 422),
    },
    openapi_extra=takes(CorrectionIn),
    summary="Correct the licence",
)
def correct(request: Request, caller: Manager, code: str, body: Body) -> Response:
    """Issue the corrected version; the ticket is closed when it stands, and names it."""
    lib, said = parts_of(request).lib, read_as(CorrectionIn, body)
    wanted = Correction(
        operator=said.operator,
        text=said.text,
        document_number=said.document_number,
        new=said.new,
        identifier=said.identifier,
    )
    done = corrections.correct(lib, caller.agency_code, code, wanted)
    return _whole(lib, done, HTTPStatus.ACCEPTED if done.state is TicketState.CORRECTING else HTTPStatus.OK)


@router.get(
    "/my/objections",
    response_model=TicketsOut,
    responses=problems(401, 403, 422),
    openapi_extra=HELD,
    summary="My objections",
)
def read_objections(request: Request, me: Reporter, before: Before = 0) -> Response:
    """The holder's objections with their answers, newest first, at most 500."""
    lib = parts_of(request).lib
    found = following.tickets_of(lib, me, kinds=(TicketKind.OBJECTION,), before=before)
    return _answer({"tickets": [following.ticket_json(lib, each) for each in found]})


@router.post(
    "/my/objections",
    status_code=HTTPStatus.CREATED,
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422, 429),
    openapi_extra={**takes(ObjectionIn), **HELD},
    summary="Object to a look",
)
def object_to(request: Request, me: Reporter, body: Body) -> Response:
    """A ticket to the agency that looked; it answers in working days, or the library's operator hears of it."""
    lib, said = parts_of(request).lib, read_as(ObjectionIn, body)
    return _whole(lib, objections.object_to(lib, me, look_id=said.look, reason=said.reason), HTTPStatus.CREATED)


@router.get(
    "/my/corrections",
    response_model=TicketsOut,
    responses=problems(401, 403, 422),
    openapi_extra=HELD,
    summary="Errors reported in my licences",
)
def read_corrections(request: Request, me: Reporter, before: Before = 0) -> Response:
    """Those that the holder reported, and those that clerks did; newest first, at most 500."""
    lib = parts_of(request).lib
    found = corrections.settled(lib, following.tickets_of(lib, me, kinds=CORRECTIONS, before=before))
    return _answer({"tickets": [following.ticket_json(lib, each) for each in found]})


@router.post(
    "/my/corrections",
    status_code=HTTPStatus.CREATED,
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422, 429),
    openapi_extra={**takes(OwnErrorIn), **HELD},
    summary="Report an error in a licence",
)
def report_own(request: Request, me: Reporter, body: Body) -> Response:
    """A ticket to the agency that issued it. 409 names the ticket that is open about the same field."""
    lib, said = parts_of(request).lib, read_as(OwnErrorIn, body)
    found = ErrorReport(items=_items(said.items), remark=said.remark, contact=said.contact)
    return _whole(lib, reporting_errors.report_own(lib, me, said.identifier, found), HTTPStatus.CREATED)


@router.get(
    "/my/tickets/{code}",
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404),
    openapi_extra=HELD,
    summary="One of my tickets with its steps",
)
def read_own_ticket(request: Request, me: Reporter, code: str) -> Response:
    """All of it: who did what, when, with which words."""
    lib = parts_of(request).lib
    return _whole(lib, corrections.settle(lib, following.ticket_of(lib, me, code)))


@router.post(
    "/my/tickets/{code}/supplement",
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422),
    openapi_extra={**takes(MyWordsIn), **HELD},
    summary="Give the information that was asked for",
)
def supplement(request: Request, me: Reporter, code: str, body: Body) -> Response:
    """The ticket goes back to the agency, with a new deadline."""
    lib, said = parts_of(request).lib, read_as(MyWordsIn, body)
    return _whole(lib, following.step_by_holder(lib, me, code, Action.SUPPLEMENT, text=said.text))


@router.post(
    "/my/tickets/{code}/withdrawal",
    response_model=WholeTicketOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422),
    openapi_extra={**takes(MyWordsIn), **HELD},
    summary="Take a ticket back",
)
def withdraw(request: Request, me: Reporter, code: str, body: Body) -> Response:
    """Nothing more is done about it."""
    lib, said = parts_of(request).lib, read_as(MyWordsIn, body)
    return _whole(lib, following.step_by_holder(lib, me, code, Action.WITHDRAW, text=said.text))


def _require_side(caller: AgencyCaller, side: Side) -> None:
    if not caller.scopes & ({MANAGE} if side is Side.AGENCY else {MANAGE, SHARE}):
        raise ForbiddenError("this bearer is not for this side of a ticket")


def _items(said: list[ItemIn]) -> tuple[TicketItem, ...]:
    return tuple(TicketItem(field=each.field, wrong=each.wrong, right=each.right) for each in said)


def _whole(lib: Library, known: Ticket, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return _answer(following.whole_json(lib, known), status)


def _answer(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:  # noqa: ANN401  # JSON
    return JSONResponse(content, status, PRIVATE)
