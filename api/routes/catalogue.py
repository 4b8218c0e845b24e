"""The catalogue: its feed for libraries that collect, and what is found in ours and the collected ones."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.auth import Sharer
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.asking import asking_of
from api.schemas.bodies import SECURED, takes
from api.schemas.catalogue import FeedOut, ForwardedOut, ForwardIn, FoundListOut
from api.schemas.problems import problems
from certlib.collecting.feeding import MAX_CHANGES, changes_since, page_json
from certlib.collecting.searching import find_granted, forward_check, held_json
from certlib.errors import FieldFault, InvalidRequestError

DIGITS: Final = 4

router = APIRouter(prefix="/v1", tags=["catalogue"])

Matter = Annotated[str, Query(description="Code of the matter that the grant is for.")]


@router.get(
    "/catalogue/changes",
    response_model=FeedOut,
    responses=problems(401, 403, 409, 422, 429),
    openapi_extra=SECURED,
    summary="What came, changed and went since a cursor",
)
def read_changes(
    request: Request,
    caller: Sharer,
    matter_code: Matter = "",
    since: Annotated[str, Query(description="The cursor of the page before; empty begins anew.")] = "",
    limit: Annotated[str, Query(description=f"Changes at most, 1 to {MAX_CHANGES}.")] = str(MAX_CHANGES),
) -> Response:
    """The next changes of the types that are granted for the feed, in the order of their commits.

    A page may be empty and have more: go on with its cursor. Nothing is skipped or repeated, whoever issues meanwhile.
    """
    lib = parts_of(request).lib
    page = changes_since(lib, caller, cursor=since, matter_code=matter_code, limit=_number(limit))
    return JSONResponse(page_json(lib, page), headers=PRIVATE)


@router.get(
    "/catalogue/licences",
    response_model=FoundListOut,
    responses=problems(401, 403, 422, 429),
    openapi_extra=SECURED,
    summary="Which library holds a licence",
)
def find_licences(  # noqa: PLR0913, PLR0917  # what a search may name
    request: Request,
    caller: Sharer,
    matter_code: Matter = "",
    identifier: Annotated[str, Query(description="Identifier of the licence, or")] = "",
    number: Annotated[str, Query(description="its number, where numbers are public.")] = "",
    type: Annotated[str, Query(description="Only this type.")] = "",  # noqa: A002  # its name on the wire
) -> Response:
    """What this library and the catalogues that it collects say, of the types that are granted for the feed.

    Nothing found and nothing granted are answered alike. To compare what another library holds: POST
    /v1/catalogue/checks, or ask there.
    """
    found = find_granted(
        parts_of(request).lib,
        caller,
        matter_code=matter_code,
        identifier=identifier,
        number=number,
        type_code=type,
    )
    return JSONResponse({"licences": [held_json(each) for each in found]}, headers=PRIVATE)


@router.post(
    "/catalogue/checks",
    response_model=ForwardedOut,
    responses=problems(401, 403, 404, 408, 413, 422, 429),
    openapi_extra=takes(ForwardIn),
    summary="Let the library that holds a licence compare",
)
def forward(request: Request, caller: Sharer, body: Body) -> Response:
    """The answer of the other library, with its receipt, which was checked. Its grants and ours must allow it."""
    said = read_as(ForwardIn, body)
    answer = forward_check(parts_of(request).lib, caller, asking_of(said), identifier=said.identifier, given=said.given)
    return JSONResponse(answer, headers=PRIVATE)


def _number(text: str) -> int:
    """Raises `InvalidRequestError` for what is no short whole number."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise InvalidRequestError((FieldFault(field="limit", code="bad_number", reason="must be a whole number"),))
    return int(text)
