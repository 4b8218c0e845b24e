"""Acting for another holder: given and ended by holders, put down by agencies that have seen the legal basis."""

from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.auth_holder import HELD, Me
from api.deps import PRIVATE, Body, parts_of, read_as
from api.routes.sessions import LogInService
from api.schemas.bodies import takes
from api.schemas.my import AgencyDelegationIn, DelegationIn, DelegationOut, DelegationsOut, EndIn, PartyIn
from api.schemas.problems import problems
from certlib.errors import FieldFault, InvalidRequestError
from certlib.holding.delegating import (
    Act,
    DelegationKind,
    Party,
    Wanted,
    delegation_json,
    give,
    given_and_received,
    put_down,
    revoke,
    revoke_by_agency,
)

router = APIRouter(prefix="/v1", tags=["holder"])


@router.post(
    "/my/delegations",
    status_code=HTTPStatus.CREATED,
    response_model=DelegationOut,
    responses=problems(401, 403, 408, 413, 422, 429),
    openapi_extra={**takes(DelegationIn), **HELD},
    summary="Let somebody act for me",
)
def delegate(request: Request, me: Me, body: Body) -> Response:
    """Let an agent act for the holder, within a scope, until a day; ended at once when the holder says so."""
    lib = parts_of(request).lib
    made = give(lib, me, _wanted(read_as(DelegationIn, body), DelegationKind.AGENT))
    return JSONResponse(delegation_json(made, lib.now()), HTTPStatus.CREATED, PRIVATE)


@router.get(
    "/my/delegations",
    response_model=DelegationsOut,
    responses=problems(401, 403),
    openapi_extra=HELD,
    summary="Who acts for whom",
)
def read_delegations(request: Request, me: Me) -> Response:
    """Whom the holder lets act, and for whom the holder may act: its `id` goes into the header `Acting-For`."""
    lib = parts_of(request).lib
    given, received = given_and_received(lib, me)
    now = lib.now()
    content = {
        "given": [delegation_json(each, now) for each in given],
        "received": [delegation_json(each, now) for each in received],
    }
    return JSONResponse(content, headers=PRIVATE)


@router.delete(
    "/my/delegations/{delegation_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(401, 403, 404, 409),
    openapi_extra=HELD,
    summary="End a delegation",
)
def end_delegation(request: Request, me: Me, delegation_id: str) -> Response:
    """End one that the holder gave or received, at once. A ward cannot end the guardianship."""
    revoke(parts_of(request).lib, me, delegation_id)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=PRIVATE)


@router.post(
    "/holder-delegations",
    status_code=HTTPStatus.CREATED,
    response_model=DelegationOut,
    responses=problems(401, 403, 408, 413, 422, 429),
    openapi_extra=takes(AgencyDelegationIn),
    summary="Put down a guardian, an officer or an agent",
)
def delegate_by_agency(request: Request, caller: LogInService, body: Body) -> Response:
    """A delegation whose legal basis the calling agency has seen. A child or a company cannot give it."""
    lib = parts_of(request).lib
    said = read_as(AgencyDelegationIn, body)
    made = put_down(
        lib,
        _wanted(said, DelegationKind(said.kind)),
        principal=_party(said.principal),
        operator=said.operator,
        caller=caller,
    )
    return JSONResponse(delegation_json(made, lib.now()), HTTPStatus.CREATED, PRIVATE)


@router.post(
    "/holder-delegations/{delegation_id}/end",
    response_model=DelegationOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422),
    openapi_extra=takes(EndIn),
    summary="End a delegation that my agency put down",
)
def end_by_agency(request: Request, caller: LogInService, delegation_id: str, body: Body) -> Response:
    """End it at once. Another agency's is not known to the caller."""
    lib = parts_of(request).lib
    ended = revoke_by_agency(lib, delegation_id, operator=read_as(EndIn, body).operator, caller=caller)
    return JSONResponse(delegation_json(ended, lib.now()), HTTPStatus.OK, PRIVATE)


def _wanted(said: DelegationIn, kind: DelegationKind) -> Wanted:
    return Wanted(
        kind=kind,
        delegate=_party(said.delegate),
        acts=frozenset(map(Act, said.acts)),
        ends_at=_moment(said.ends_at),
        types=tuple(said.types),
        licences=tuple(said.licences),
        basis=said.basis,
    )


def _party(said: PartyIn) -> Party:
    return Party(code=said.code, code_type=said.code_type, name=said.name)


def _moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901  # naive: refused with the others
    if at.tzinfo is None:
        reason = "is no moment with its offset, like 2027-06-30T00:00:00+08:00"
        raise InvalidRequestError((FieldFault(field="ends_at", code="bad_date", reason=reason),))
    return at
