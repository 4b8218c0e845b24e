"""For load balancers: is it alive, can it work."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.deps import parts_of
from api.schemas.problems import problems
from api.schemas.verdicts import AliveOut
from certlib.retrieving import check_ready

router = APIRouter(tags=["health"])


@router.get("/healthz", response_model=AliveOut, summary="Alive")
def alive() -> Response:
    """200 as long as the process answers."""
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@router.get("/readyz", response_model=AliveOut, responses=problems(), summary="Ready to work")
def ready(request: Request) -> Response:
    """200 if the record can be read now."""
    check_ready(parts_of(request).lib)
    return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})
