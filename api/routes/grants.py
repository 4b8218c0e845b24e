"""What a requesting agency may ask."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.auth import Sharer
from api.deps import parts_of
from api.schemas.bodies import SECURED
from api.schemas.clients import GrantsOut
from api.schemas.problems import problems
from certlib.permitting import grant_json, grants_in_force

router = APIRouter(prefix="/v1", tags=["clients"])


@router.get(
    "/grants",
    response_model=GrantsOut,
    responses=problems(401, 403),
    openapi_extra=SECURED,
    summary="What the caller may ask",
)
def read_grants(request: Request, caller: Sharer) -> Response:
    """The caller's own grants that are in force now, with what was used of each today."""
    lib = parts_of(request).lib
    rows = [grant_json(lib, each) for each in grants_in_force(lib, caller.agency_code)]
    return JSONResponse({"grants": rows}, headers={"Cache-Control": "private, no-store"})
