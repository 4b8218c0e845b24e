"""Lists of what a holder has. A code never stands in a URL: it is sent in a body, or exchanged for a handle."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.auth import Sharer
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.asking import asking_of
from api.schemas.bodies import SECURED, takes
from api.schemas.checks import HeldListOut, HolderHandleOut, HolderIn, HolderListIn
from api.schemas.problems import problems
from certlib.sharing.handles import holder_handle, named_holder, opened_handle
from certlib.sharing.holdings import holdings_json, list_licences
from certlib.verdict import moment

router = APIRouter(prefix="/v1/holders", tags=["share"])


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=HolderHandleOut,
    responses=problems(401, 403, 408, 413, 422, 429),
    openapi_extra=takes(HolderIn),
    summary="Exchange a holder's code for a handle",
)
def exchange(request: Request, caller: Sharer, body: Body) -> Response:
    """A handle for this holder and purpose, good for ten minutes and for your system only. Nothing is looked up."""
    lib, said = parts_of(request).lib, read_as(HolderIn, body)
    handle = holder_handle(lib, caller, asking_of(said), named_holder(lib, said.code, said.code_type))
    content = {"holder": handle.text, "expires_at": moment(handle.expires_at)}
    return JSONResponse(content, HTTPStatus.CREATED, PRIVATE)


@router.post(
    "/licences",
    response_model=HeldListOut,
    responses=problems(401, 403, 408, 413, 422, 429),
    openapi_extra=takes(HolderListIn),
    summary="Which licences a holder has",
)
def list_by_code(request: Request, caller: Sharer, body: Body) -> Response:
    """Type, number and status of what the holder has, of the types that you may list; the code in the body."""
    lib, said = parts_of(request).lib, read_as(HolderListIn, body)
    holder = named_holder(lib, said.code, said.code_type)
    found = list_licences(lib, caller, asking_of(said), holder=holder, type_code=said.type or "")
    return JSONResponse(holdings_json(found), headers=PRIVATE)


@router.get(
    "/{handle}/licences",
    response_model=HeldListOut,
    responses=problems(401, 403, 404, 422, 429),
    openapi_extra=SECURED,
    summary="Which licences a holder has, by a handle",
)
def list_by_handle(
    request: Request,
    caller: Sharer,
    handle: str,
    type_code: Annotated[
        str, Query(alias="type", pattern=r"^([a-z][a-z0-9-]{0,63})?$", description="Only this type.")
    ] = "",
) -> Response:
    """The same for the holder and the purpose that the handle stands for."""
    lib = parts_of(request).lib
    holder, asking = opened_handle(lib, caller, handle)
    found = list_licences(lib, caller, asking, holder=holder, type_code=type_code)
    return JSONResponse(holdings_json(found), headers=PRIVATE)
