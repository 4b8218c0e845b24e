"""The catalogue feed for libraries that collect."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.auth import Sharer
from api.deps import parts_of
from api.schemas.bodies import SECURED
from api.schemas.catalogue import FeedOut
from api.schemas.problems import problems
from certlib.collecting.feeding import MAX_CHANGES, changes_since, page_json
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
    return JSONResponse(page_json(lib, page), headers={"Cache-Control": "private, no-store"})


def _number(text: str) -> int:
    """Raises `InvalidRequestError` for what is no short whole number."""
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise InvalidRequestError((FieldFault(field="limit", code="bad_number", reason="must be a whole number"),))
    return int(text)
