"""Changes of an agency's own licences: single and bulk, ordered and decided."""

from dataclasses import replace
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Request
from starlette.responses import JSONResponse, Response

from api.auth import MANAGE, Keeper, caller_of
from api.deps import Body, parts_of, read_as
from api.schemas.bodies import SECURED, takes
from api.schemas.lifecycle import (
    BulkDecisionIn,
    BulkIn,
    BulkOut,
    ChangeIn,
    ChangeOut,
    DecisionIn,
    FilterIn,
    PendingOut,
    PreviewOut,
)
from api.schemas.problems import problems
from certlib import changing, lifecycle_bulk
from certlib.callers import AgencyCaller
from certlib.changing import ChangeOrder, change_json
from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError
from certlib.lifecycle_bulk import Bulk, Filter, act_json
from certlib.operations import Operation

MAX_KEY_CHARACTERS: Final = 128

router = APIRouter(prefix="/v1", tags=["life cycle"])


def manager_of(request: Request) -> AgencyCaller:
    """The caller, who may change licences.

    Raises:
        UnauthenticatedError: not known.
        ForbiddenError: known, but its credential is not for this.
    """
    caller = caller_of(request)
    if MANAGE not in caller.scopes:
        raise ForbiddenError("this bearer is not for managing licences")
    return caller


Manager = Annotated[AgencyCaller, Depends(manager_of)]


@router.post(
    "/licences/{identifier}/changes",
    status_code=HTTPStatus.CREATED,
    response_model=ChangeOut,
    responses={
        202: {"model": ChangeOut, "description": "It waits for a second person."},
        **problems(401, 403, 404, 409, 413, 422),
    },
    openapi_extra=takes(ChangeIn),
    summary="Suspend, restore, revoke, withdraw, cancel, renew, correct or transfer",
)
def change_licence(
    request: Request,
    caller: Manager,
    identifier: str,
    body: Body,
    idempotency_key: Annotated[str, Header(description="The same key gives the same change.")] = "",
) -> Response:
    """Order an operation on one of the caller's licences: done with 201, or waiting for its second person with 202."""
    if len(idempotency_key) > MAX_KEY_CHARACTERS or not idempotency_key.isprintable():
        raise _fault("Idempotency-Key", "too_long", f"has at most {MAX_KEY_CHARACTERS} characters")
    order = replace(_order(read_as(ChangeIn, body)), request_id=idempotency_key)
    done = changing.order_change(parts_of(request).lib, caller.agency_code, identifier, order)
    status = HTTPStatus.ACCEPTED if done.state.value == "pending" else HTTPStatus.CREATED
    return _answer(change_json(done), status)


@router.get(
    "/licences/{identifier}/changes",
    response_model=list[ChangeOut],
    responses=problems(401, 403, 404),
    openapi_extra=SECURED,
    summary="What was ordered on a licence",
)
def read_changes(request: Request, caller: Keeper, identifier: str) -> Response:
    """All changes of one of the caller's licences, oldest first."""
    changes = changing.changes_of(parts_of(request).lib, caller.agency_code, identifier)
    return _answer([change_json(each) for each in changes])


@router.get(
    "/changes/pending",
    response_model=PendingOut,
    responses=problems(401, 403),
    openapi_extra=SECURED,
    summary="What waits for a second person, or is not finished",
)
def read_pending(request: Request, caller: Keeper) -> Response:
    """The caller's open changes and bulk acts, at most 500 of each; expired ones say so."""
    lib = parts_of(request).lib
    changes = [change_json(each) for each in changing.open_changes(lib, caller.agency_code)]
    acts = [act_json(lib, each) for each in lifecycle_bulk.open_acts(lib, caller.agency_code)]
    return _answer({"changes": changes, "bulk": acts})


@router.post(
    "/changes/{change_id}/approval",
    response_model=ChangeOut,
    responses=problems(401, 403, 404, 409, 413, 422),
    openapi_extra=takes(DecisionIn),
    summary="Approve or decline a pending change",
)
def decide_change(request: Request, caller: Manager, change_id: str, body: Body) -> Response:
    """The second person's word. Approved, it is done; who ordered it cannot approve it."""
    said = read_as(DecisionIn, body)
    done = changing.decide_change(
        parts_of(request).lib, caller.agency_code, change_id, operator=said.operator, approve=said.approve
    )
    return _answer(change_json(done))


@router.post(
    "/bulk",
    status_code=HTTPStatus.CREATED,
    response_model=BulkOut,
    responses={200: {"model": PreviewOut, "description": "`dry_run`."}, **problems(401, 403, 413, 422)},
    openapi_extra=takes(BulkIn),
    summary="Plan an operation on many licences",
)
def plan_bulk(request: Request, caller: Manager, body: Body) -> Response:
    """Put down which licences it is for, or only count them. Nothing is done before the approval."""
    lib, said = parts_of(request).lib, read_as(BulkIn, body)
    bulk = Bulk(
        order=_order(said),
        wanted=None if said.filter is None else _filter(said.filter),
        listed=None if said.csv is None else lifecycle_bulk.read_list(said.csv.encode("utf-8", "replace")),
    )
    if said.dry_run:
        preview = lifecycle_bulk.rehearse(lib, caller.agency_code, bulk)
        return _answer(
            {
                "selected": preview.selected,
                "planned": preview.planned,
                "outcomes": dict(preview.outcomes),
                "two_persons": preview.two_persons,
            }
        )
    return _answer(act_json(lib, lifecycle_bulk.plan(lib, caller.agency_code, bulk)), HTTPStatus.CREATED)


@router.get(
    "/bulk/{act_id}",
    response_model=BulkOut,
    responses=problems(401, 403, 404),
    openapi_extra=SECURED,
    summary="How far a bulk act has come",
)
def read_bulk(request: Request, caller: Keeper, act_id: str) -> Response:
    """One of the caller's acts, with counts."""
    lib = parts_of(request).lib
    return _answer(act_json(lib, lifecycle_bulk.act_of(lib, caller.agency_code, act_id)))


@router.post(
    "/bulk/{act_id}/approval",
    response_model=BulkOut,
    responses=problems(401, 403, 404, 409, 413, 422),
    openapi_extra=takes(BulkDecisionIn),
    summary="Approve a bulk act for exactly so many licences, or decline it",
)
def decide_bulk(request: Request, caller: Manager, act_id: str, body: Body) -> Response:
    """Approved, it is done to its end before the answer; sent again after a broken connection, it goes on."""
    lib, said = parts_of(request).lib, read_as(BulkDecisionIn, body)
    act = lifecycle_bulk.decide(
        lib, caller.agency_code, act_id, operator=said.operator, total=said.total, approve=said.approve
    )
    if said.approve:
        act = lifecycle_bulk.run(lib, caller.agency_code, act.id)
    return _answer(act_json(lib, act))


def _answer(content: object, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return JSONResponse(content, status, {"Cache-Control": "private, no-store"})


def _order(said: ChangeIn) -> ChangeOrder:
    return ChangeOrder(
        operation=Operation(said.operation),
        reason=said.reason,
        operator=said.operator,
        document_number=said.document_number,
        effective_at=_moment("effective_at", said.effective_at),
        renewed=said.new,
    )


def _filter(said: FilterIn) -> Filter:
    return Filter(
        key=said.key,
        operator=said.operator,
        type_code=said.type,
        type_version=said.type_version,
        batch=said.batch,
        since=_moment("filter.since", said.since),
        until=_moment("filter.until", said.until),
    )


def _moment(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min  # noqa: DTZ901  # naive: refused with the others
    if at.tzinfo is None:
        raise _fault(name, "bad_date", "is no moment with its offset, like 2026-11-22T08:00:00+08:00")
    return at


def _fault(name: str, code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field=name, code=code, reason=reason),))
