"""Checks: given values compared with the record, one licence or a file of them."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.auth import Sharer, take_share
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.asking import asking_of
from api.schemas.bodies import takes
from api.schemas.checks import BulkComparisonIn, BulkComparisonOut, ComparisonIn, ComparisonOut
from api.schemas.problems import problems
from certlib.sharing.bulk_checks import bulk_check, bulk_json
from certlib.sharing.checks import check, check_json

router = APIRouter(prefix="/v1", tags=["share"])
ROWS_OF_AN_ASKING: Final = 100
"""Rows of a file that cost what one asking by itself does."""


@router.post(
    "/checks",
    response_model=ComparisonOut,
    responses=problems(401, 403, 404, 408, 413, 422, 429),
    openapi_extra=takes(ComparisonIn),
    summary="Compare given values with the record",
)
def compare(request: Request, caller: Sharer, body: Body) -> Response:
    """Match or differs for each given value, never the true one; the status when all matches."""
    said = read_as(ComparisonIn, body)
    answer = check(parts_of(request).lib, caller, asking_of(said), type_code=said.type, given=said.given)
    return JSONResponse(check_json(answer), headers=PRIVATE)


@router.post(
    "/checks/bulk",
    response_model=BulkComparisonOut,
    responses=problems(401, 403, 404, 408, 413, 422, 429),
    openapi_extra=takes(BulkComparisonIn),
    summary="Compare up to 10,000 rows with the record",
)
def compare_rows(request: Request, caller: Sharer, body: Body) -> Response:
    """A verdict for each row of a CSV or JSONL, bad rows too, and a receipt over the whole result."""
    said = read_as(BulkComparisonIn, body)
    take_share(request, caller, times=(said.csv or said.jsonl or "").count("\n") // ROWS_OF_AN_ASKING)
    answer = bulk_check(
        parts_of(request).lib, caller, asking_of(said), type_code=said.type, csv=said.csv, jsonl=said.jsonl
    )
    return JSONResponse(bulk_json(answer), headers=PRIVATE)
