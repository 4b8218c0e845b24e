"""Log-in and log-out of holders."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.auth import caller_of
from api.auth_holder import HELD, Me
from api.deps import Body, parts_of, read_as
from api.schemas.bodies import takes
from api.schemas.my import SessionIn, SessionOut
from api.schemas.problems import problems
from certlib.callers import AgencyCaller
from certlib.errors import ForbiddenError
from certlib.holding.sessions import end_session, open_session
from certlib.verdict import moment

HOLDER_SCOPE: Final = "holder"

router = APIRouter(prefix="/v1", tags=["holder"])


def log_in_service_of(request: Request) -> AgencyCaller:
    """The caller, whose word on who somebody is the library takes.

    Raises:
        UnauthenticatedError: not known.
        ForbiddenError: known, but its credential is not for this.
    """
    caller = caller_of(request)
    if HOLDER_SCOPE not in caller.scopes:
        raise ForbiddenError("this bearer is not for logging holders in")
    return caller


LogInService = Annotated[AgencyCaller, Depends(log_in_service_of)]


@router.post(
    "/holder-sessions",
    status_code=HTTPStatus.CREATED,
    response_model=SessionOut,
    responses=problems(401, 403, 408, 413, 422),
    openapi_extra=takes(SessionIn),
    summary="Log a holder in",
)
def log_in(request: Request, caller: LogInService, body: Body) -> Response:
    """Open a session of a holder whom the caller, a log-in service, has identified."""
    said = read_as(SessionIn, body)
    opened = open_session(
        parts_of(request).lib,
        code=said.code,
        code_type=said.code_type,
        how=said.how,
        operator=said.operator,
        ttl_seconds=said.ttl_seconds,
        caller=caller,
    )
    content = {"session": opened.id, "bearer": opened.bearer, "expires_at": moment(opened.expires_at)}
    return JSONResponse(content, HTTPStatus.CREATED, {"Cache-Control": "private, no-store"})


@router.delete(
    "/my/session",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(401, 403),
    openapi_extra=HELD,
    summary="Log out",
)
def log_out(request: Request, me: Me) -> Response:
    """End the session: its bearer is worth nothing from now on."""
    end_session(parts_of(request).lib, me)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Cache-Control": "private, no-store"})
