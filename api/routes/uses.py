"""Data and files of licences, each for one purpose, under a use code."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Request
from starlette.responses import JSONResponse, Response

from api.attaching import attachment
from api.auth import Sharer
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.asking import asking_of
from api.schemas.bodies import PDF, SECURED, takes
from api.schemas.problems import problems
from api.schemas.uses import FileLinksOut, UseDataOut, UseIn, UseOut, UsesOut
from certlib.grants import Interface
from certlib.sharing.use_data import read_data
from certlib.sharing.use_files import fetch, make_links
from certlib.sharing.use_wire import data_json, links_json, use_json
from certlib.sharing.uses import UseRequest, UseState, ask, own_use, own_uses

router = APIRouter(prefix="/v1", tags=["share"])


@router.post(
    "/uses",
    status_code=HTTPStatus.CREATED,
    response_model=UseOut,
    responses={
        200: {"model": UseOut, "description": "The same request again: the same use, as it stands now."},
        202: {"model": UseOut, "description": "It waits for the holder; the same for holders that nobody knows."},
        **problems(401, 403, 408, 409, 413, 422, 429),
    },
    openapi_extra=takes(UseIn),
    summary="Ask for data or copies of a holder's licences",
)
def ask_for_use(
    request: Request,
    caller: Sharer,
    body: Body,
    idempotency_key: Annotated[str, Header(description="The same key gives the same use.")] = "",
) -> Response:
    """A use code: granted at once by law or with the holder's code, else waiting for the holder's answer."""
    said = read_as(UseIn, body)
    wanted = UseRequest(
        asking=asking_of(said),
        interfaces=tuple(dict.fromkeys(map(Interface, said.interfaces))),
        types=tuple(said.types),
        holder_code=said.holder_code,
        identifier=said.identifier,
        fields={name: tuple(names) for name, names in said.fields.items()},
        consent_code=said.consent_code,
        request_id=idempotency_key,
    )
    use, new = ask(parts_of(request).lib, caller, wanted)
    status = HTTPStatus.ACCEPTED if use.state is UseState.PENDING else HTTPStatus.CREATED
    headers = {**PRIVATE, "Location": f"/v1/uses/{use.id}"}
    return JSONResponse(use_json(use), status if new else HTTPStatus.OK, headers)


@router.get(
    "/uses",
    response_model=UsesOut,
    responses=problems(401, 403),
    openapi_extra=SECURED,
    summary="What waits, or may still be read",
)
def read_uses(request: Request, caller: Sharer) -> Response:
    """The uses of the caller's agency that are not over, newest first, at most 500."""
    return JSONResponse({"uses": [use_json(each) for each in own_uses(parts_of(request).lib, caller)]}, headers=PRIVATE)


@router.get(
    "/uses/{code}",
    response_model=UseOut,
    responses=problems(401, 403, 404),
    openapi_extra=SECURED,
    summary="Where a use stands",
)
def read_use(request: Request, caller: Sharer, code: str) -> Response:
    """One of the caller's uses; another agency's is not known to it."""
    return JSONResponse(use_json(own_use(parts_of(request).lib, caller, code)), headers=PRIVATE)


@router.get(
    "/uses/{code}/data",
    response_model=UseDataOut,
    responses=problems(401, 403, 404, 409, 429),
    openapi_extra=SECURED,
    summary="Read the granted fields",
)
def read_use_data(request: Request, caller: Sharer, code: str) -> Response:
    """The granted fields and current status of each licence found. Each reading is counted, and shown to the holder."""
    return JSONResponse(data_json(read_data(parts_of(request).lib, caller, code)), headers=PRIVATE)


@router.post(
    "/uses/{code}/file",
    status_code=HTTPStatus.CREATED,
    response_model=FileLinksOut,
    responses=problems(401, 403, 404, 409, 429),
    openapi_extra=SECURED,
    summary="Get one-time links to purpose-bound copies",
)
def make_use_links(request: Request, caller: Sharer, code: str) -> Response:
    """A fresh link for each licence found, good once and for 600 s."""
    lib = parts_of(request).lib
    links = make_links(lib, caller, code)
    return JSONResponse(links_json(links, base_url=lib.settings.base_url), HTTPStatus.CREATED, PRIVATE)


@router.get(
    "/files/{secret}",
    response_class=Response,
    responses={
        200: {"content": PDF, "description": "The copy, sealed; nothing of it is kept."},
        **problems(403, 404, 409, 410, 422, 429),
    },
    summary="Fetch a purpose-bound copy, once",
)
def fetch_copy(request: Request, secret: str) -> Response:
    """The copy behind a one-time link. No bearer: the link is the key; the grant's networks hold for who fetches it."""
    parts = parts_of(request)
    parts.lookups.take(request)
    copy = fetch(parts.lib, secret, address=request.client.host if request.client else "")
    headers = {
        **PRIVATE,
        "Content-Disposition": attachment(copy.name),
    }
    return Response(copy.pdf, media_type="application/pdf", headers=headers)
