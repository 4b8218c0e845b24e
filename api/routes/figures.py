"""Ratings, reports and statistics."""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.auth import Caller, Sharer
from api.auth_holder import HELD, Reporter
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.bodies import SECURED, takes
from api.schemas.figures import (
    MyPaperIn,
    MyRatingIn,
    PaperIn,
    PaperOut,
    PapersOut,
    RatingIn,
    RatingOut,
    RatingsOut,
    StatisticsOut,
)
from api.schemas.problems import problems
from certlib import figures
from certlib.callers import AgencyCaller
from certlib.errors import ForbiddenError
from certlib.tickets import rating

Before = Annotated[int, Query(ge=0, lt=2**63, description="`position` of the last one seen; 0 begins at the newest.")]

router = APIRouter(prefix="/v1", tags=["figures"])


@router.post(
    "/uses/{code}/rating",
    status_code=HTTPStatus.CREATED,
    response_model=RatingOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422, 429),
    openapi_extra=takes(RatingIn),
    summary="Rate a use",
)
def rate_use(request: Request, caller: Sharer, code: str, body: Body) -> Response:
    """Once for each use code, bulk id or receipt id of the caller's agency."""
    said = read_as(RatingIn, body)
    given = rating.rate_use(
        parts_of(request).lib,
        caller.agency_code,
        code,
        score=said.score,
        text=said.text,
        operator=said.operator,
    )
    return _answer(rating.rating_json(given), HTTPStatus.CREATED)


@router.post(
    "/my/ratings",
    status_code=HTTPStatus.CREATED,
    response_model=RatingOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422),
    openapi_extra={**takes(MyRatingIn), **HELD},
    summary="Rate a use of my licences",
)
def rate_own(request: Request, me: Reporter, body: Body) -> Response:
    """Once for each use; rows of the ledger under one use code are one use."""
    said = read_as(MyRatingIn, body)
    given = rating.rate_own(
        parts_of(request).lib, me, look_id=said.look, reference=said.use_code, score=said.score, text=said.text
    )
    return _answer(rating.rating_json(given), HTTPStatus.CREATED)


@router.get(
    "/ratings",
    response_model=RatingsOut,
    responses=problems(401, 403, 422),
    openapi_extra=SECURED,
    summary="Bad ratings",
)
def read_ratings(request: Request, caller: Caller, before: Before = 0) -> Response:
    """Scores of 1 and 2, with their reasons: of the whole library (scope audit), or of the caller's own uses."""
    found = rating.bad_ratings(parts_of(request).lib, agency_code=_own_or_all(caller), before=before)
    return _answer({"ratings": [rating.rating_json(each) for each in found]})


@router.post(
    "/paper-reports",
    status_code=HTTPStatus.CREATED,
    response_model=PaperOut,
    responses=problems(401, 403, 408, 413, 422, 429),
    openapi_extra=takes(PaperIn),
    summary="Say that paper was still demanded",
)
def report_paper(request: Request, caller: Sharer, body: Body) -> Response:
    """An operator demanded paper although the licence is electronic, and says why."""
    said = read_as(PaperIn, body)
    made = rating.report_paper(
        parts_of(request).lib,
        caller.agency_code,
        type_code=said.type,
        matter_code=said.matter_code,
        reason=said.reason,
        text=said.text,
        operator=said.operator,
    )
    return _answer(rating.paper_json(made), HTTPStatus.CREATED)


@router.post(
    "/my/paper-reports",
    status_code=HTTPStatus.CREATED,
    response_model=PaperOut,
    responses=problems(401, 403, 408, 413, 422),
    openapi_extra={**takes(MyPaperIn), **HELD},
    summary="Say that an agency still demanded paper of me",
)
def report_paper_own(request: Request, me: Reporter, body: Body) -> Response:
    """The holder's word; the agency and the library's operator read it."""
    said = read_as(MyPaperIn, body)
    made = rating.report_paper_own(
        parts_of(request).lib,
        me,
        agency_code=said.agency,
        type_code=said.type,
        matter_code=said.matter_code,
        reason=said.reason,
        text=said.text,
    )
    return _answer(rating.paper_json(made), HTTPStatus.CREATED)


@router.get(
    "/paper-reports",
    response_model=PapersOut,
    responses=problems(401, 403, 422),
    openapi_extra=SECURED,
    summary="Reports that paper was demanded",
)
def read_paper_reports(request: Request, caller: Caller, before: Before = 0) -> Response:
    """Of the whole library (scope audit), or about the caller's own agency."""
    found = rating.paper_reports(parts_of(request).lib, agency_code=_own_or_all(caller), before=before)
    return _answer({"reports": [rating.paper_json(each) for each in found]})


@router.get(
    "/statistics",
    response_model=StatisticsOut,
    responses=problems(401, 403, 422),
    openapi_extra=SECURED,
    summary="Figures of the service",
)
def read_statistics(  # noqa: PLR0913, PLR0917  # one parameter a filter
    request: Request,
    caller: Caller,
    since: Annotated[str, Query(alias="from", description="First day, like 2026-11-01; 30 days before `to`.")] = "",
    to: Annotated[str, Query(description="Last day, included; today. At most 366 days.")] = "",
    type_code: Annotated[str, Query(alias="type", description="Code of a licence type.")] = "",
    agency: Annotated[str, Query(description="Code of an agency; others than your own need scope audit.")] = "",
) -> Response:
    """Counts by agency, type and day, and sums of them. Nothing about single persons follows from any of them."""
    lib = parts_of(request).lib
    question = figures.question_of(
        lib, since=since, until=to, agency_code=figures.scope_of(caller, agency), type_code=type_code
    )
    return _answer(figures.statistics(lib, question))


def _own_or_all(caller: AgencyCaller) -> str:
    if "audit" in caller.scopes:
        return ""
    if not caller.scopes & {"manage", "share"}:
        raise ForbiddenError("this bearer is not for figures")
    return caller.agency_code


def _answer(content: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:  # noqa: ANN401  # JSON
    return JSONResponse(content, status, PRIVATE)
