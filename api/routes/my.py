"""What a holder sees: own licences and their files, the ledger, and what agencies ask to be agreed to."""

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.attaching import attachment
from api.auth_holder import HELD, Consenter, Seer
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.bodies import PDF, takes
from api.schemas.my import HolderDecisionIn, LedgerOut, OwnLicenceOut, OwnLicencesOut, RequestOut
from api.schemas.problems import problems
from certlib.holding import requests as asked
from certlib.holding.ledger import ledger
from certlib.holding.own import own_licence, own_licences, own_pdf

MAX_ROW: Final = 2**63 - 1

router = APIRouter(prefix="/v1/my", tags=["holder"])

Limit = Annotated[int, Query(ge=1, le=500, description="Rows on a page.")]


@router.get(
    "/licences",
    response_model=OwnLicencesOut,
    responses=problems(401, 403, 404, 422),
    openapi_extra=HELD,
    summary="My licences",
)
def read_own_licences(
    request: Request,
    me: Seer,
    before: Annotated[str, Query(description="`next` of the page before.")] = "",
    limit: Limit = 100,
) -> Response:
    """The holder's licences, newest first, as their faces show them."""
    page = own_licences(parts_of(request).lib, me, before=before, limit=limit)
    return JSONResponse({"licences": list(page.licences), "next": page.next}, headers=PRIVATE)


@router.get(
    "/licences/{identifier}",
    response_model=OwnLicenceOut,
    responses=problems(401, 403, 404),
    openapi_extra=HELD,
    summary="One of my licences, whole",
)
def read_own_licence(request: Request, me: Seer, identifier: str) -> Response:
    """One licence with nothing of the holder's own masked. The look stands in the ledger."""
    content = own_licence(parts_of(request).lib, me, identifier)
    content["pdf_url"] = f"/v1/my/licences/{content['identifier']}/pdf"
    return JSONResponse(content, headers=PRIVATE)


@router.get(
    "/licences/{identifier}/pdf",
    response_class=Response,
    responses={200: {"content": PDF}, **problems(401, 403, 404)},
    openapi_extra=HELD,
    summary="My licence as its sealed PDF",
)
def read_own_pdf(request: Request, me: Seer, identifier: str) -> Response:
    """The sealed PDF, byte for byte as issued. The look stands in the ledger."""
    pdf, name = own_pdf(parts_of(request).lib, me, identifier)
    headers = {**PRIVATE, "Content-Disposition": attachment(name)}
    return Response(pdf, media_type="application/pdf", headers=headers)


@router.get(
    "/ledger",
    response_model=LedgerOut,
    responses=problems(401, 403, 422),
    openapi_extra=HELD,
    summary="Who looked at my licences",
)
def read_ledger(
    request: Request,
    me: Seer,
    before: Annotated[int, Query(ge=0, le=MAX_ROW, description="`next` of the page before.")] = 0,
    limit: Limit = 100,
) -> Response:
    """Every look at the holder's licences and every asking that found none, newest first; never a value."""
    page = ledger(parts_of(request).lib, me, before=before, limit=limit)
    return JSONResponse({"looks": list(page.looks), "next": page.next}, headers=PRIVATE)


@router.get(
    "/requests",
    response_model=list[RequestOut],
    responses=problems(401, 403),
    openapi_extra=HELD,
    summary="What agencies ask me to agree to",
)
def read_requests(request: Request, me: Consenter) -> Response:
    """Requests that wait for the holder's word, and those answered; newest first, at most 500."""
    return JSONResponse(asked.requests(parts_of(request).lib, me), headers=PRIVATE)


@router.post(
    "/requests/{use_code}/decision",
    response_model=RequestOut,
    responses=problems(401, 403, 404, 408, 409, 413, 422),
    openapi_extra={**takes(HolderDecisionIn), **HELD},
    summary="Agree, decline, or take back",
)
def decide_request(request: Request, me: Consenter, use_code: str, body: Body) -> Response:
    """The holder's word on a request. A no also takes back a yes."""
    said = read_as(HolderDecisionIn, body)
    done = asked.decide(parts_of(request).lib, me, use_code, approve=said.approve)
    return JSONResponse(done, HTTPStatus.OK, PRIVATE)
