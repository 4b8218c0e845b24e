"""What verifiers pin and what they work from without a network."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.deps import parts_of
from api.rendering import etag
from api.schemas.problems import problems
from api.schemas.verdicts import AnchorOut, PackOut
from certlib.trusting import MAX_AGE_SECONDS, anchor_json, published

router = APIRouter(prefix="/v1", tags=["trust"])


@router.get(
    "/trust-pack", response_model=PackOut, responses=problems(304), summary="The trust pack (docs/formats.md, 2)"
)
def trust_pack(request: Request) -> Response:
    """The newest signed trust pack. Verifiers keep it and refuse an older version than they have seen."""
    data = published(parts_of(request).lib).data
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}", "ETag": etag(data)}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type="application/json", headers=headers)


@router.get("/trust-anchor", response_model=AnchorOut, summary="The key that everything leads to")
def trust_anchor(request: Request) -> Response:
    """The anchor. Compare it with one that came by another way before trusting it."""
    return JSONResponse(anchor_json(parts_of(request).lib), headers={"Cache-Control": "public, max-age=3600"})
