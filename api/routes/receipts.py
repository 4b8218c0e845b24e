"""Signed receipts for the case file: of a use, of a verification, and the check of one."""

import base64
from http import HTTPStatus
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.attaching import attachment
from api.auth import Sharer, caller_of
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.bodies import BINARY, SECURED, takes
from api.schemas.problems import problems
from api.schemas.receipts import ReceiptCheckOut, ReceiptIn, ReceiptOut, VerificationIn, VerificationReceiptOut
from certlib.callers import AgencyCaller
from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError
from certlib.grants import Asking
from certlib.library import Library
from certlib.sharing.receipt_pages import receipt_paper
from certlib.sharing.use_receipts import Receipt, check_receipt, receipt_json, use_receipt, verification_receipt
from certlib.verdict import verdict_json

VERIFY: Final = "verify"
JOSE, PDF, JSON = "application/jose", "application/pdf", "application/json"
"""RFC 7515, 9.2.1, for the first."""
_FORMS: Final[dict[str, Any]] = {JOSE: {"schema": {"type": "string"}}, PDF: BINARY}
"""What else a receipt is given as, when `Accept` asks for it."""

router = APIRouter(prefix="/v1", tags=["receipts"])


def verifier_of(request: Request) -> AgencyCaller:
    """The caller, who may take receipts of verifications.

    Raises:
        UnauthenticatedError: not known.
        ForbiddenError: known, but its credential is not for this.
    """
    caller = caller_of(request)
    if VERIFY not in caller.scopes:
        raise ForbiddenError("this bearer is not for receipts of verifications")
    return caller


Verifier = Annotated[AgencyCaller, Depends(verifier_of)]


@router.get(
    "/uses/{code}/receipt",
    response_model=ReceiptOut,
    responses={200: {"content": _FORMS}, **problems(401, 403, 404)},
    openapi_extra=SECURED,
    summary="A receipt of a use: JSON, JWS or PDF",
)
def read_receipt(request: Request, caller: Sharer, code: str) -> Response:
    """What was asked and given under a use, signed. `Accept: application/jose` or `application/pdf` gives that form."""
    lib = parts_of(request).lib
    receipt = use_receipt(lib, caller, code)
    return _as_accepted(request, lib, receipt, receipt_json(receipt), HTTPStatus.OK)


@router.get(
    "/uses/{code}/receipt.pdf",
    response_class=Response,
    responses={200: {"content": {PDF: BINARY}, "description": "One sealed page."}, **problems(401, 403, 404)},
    openapi_extra=SECURED,
    summary="A receipt of a use on paper",
)
def read_receipt_paper(request: Request, caller: Sharer, code: str) -> Response:
    """The receipt as one sealed page (PDF/A-3b) with the signed receipt attached."""
    lib = parts_of(request).lib
    return _paper(lib, use_receipt(lib, caller, code), HTTPStatus.OK)


@router.post(
    "/receipts",
    status_code=HTTPStatus.CREATED,
    response_model=VerificationReceiptOut,
    responses={201: {"content": _FORMS}, **problems(401, 403, 408, 413, 422, 429)},
    openapi_extra=takes(VerificationIn),
    summary="Verify, and take a receipt of it: JSON, JWS or PDF",
)
async def take_receipt(request: Request, caller: Verifier, body: Body) -> Response:
    """The verdict on a token, code, identifier or file, computed now, and a signed receipt of it for the case file.

    Async because: files wait for their turn to be judged (`Parts.files`) on the event loop, not on a worker thread.
    """
    parts = parts_of(request)
    parts.uploads.take(request)
    said, given = await to_thread.run_sync(_given, body)
    limiter = parts.files if isinstance(given, bytes) else None
    return await to_thread.run_sync(_taken, request, parts.lib, caller, said, given, limiter=limiter)


def _given(body: bytes) -> tuple[VerificationIn, str | bytes]:
    """What the body says, and the text or file that is to be verified.

    Raises:
        InvalidRequestError: nothing, both, or no base64.
    """
    said = read_as(VerificationIn, body)
    if bool(said.text.strip()) == bool(said.file):
        raise _fault("text", "required", "give either a text or a file")
    if not said.file:
        return said, said.text
    try:
        return said, base64.b64decode(said.file, validate=True)
    except ValueError as error:
        raise _fault("file", "bad_form", "is not base64") from error


def _fault(name: str, code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field=name, code=code, reason=reason),))


def _taken(request: Request, lib: Library, caller: AgencyCaller, said: VerificationIn, given: str | bytes) -> Response:
    asking = Asking(
        matter_code=said.matter_code, case_number=said.case_number, purpose=said.purpose, operator=said.operator
    )
    receipt, verdict = verification_receipt(lib, caller, given, asking)
    content = {**receipt_json(receipt), "verdict": verdict_json(verdict)}
    return _as_accepted(request, lib, receipt, content, HTTPStatus.CREATED)


@router.post(
    "/receipts/verification",
    response_model=ReceiptCheckOut,
    responses=problems(408, 413, 422, 429),
    openapi_extra={"requestBody": takes(ReceiptIn)["requestBody"]},
    summary="Whether a receipt is this library's",
)
def verify_receipt(request: Request, body: Body) -> Response:
    """What was understood is answered 200, false receipts too. With the trust pack anybody can do the same offline."""
    parts = parts_of(request)
    parts.lookups.take(request)
    found = check_receipt(parts.lib, read_as(ReceiptIn, body).receipt)
    return JSONResponse({"genuine": found.genuine, "fault": found.fault, "says": found.says}, headers=PRIVATE)


def _as_accepted(
    request: Request, lib: Library, receipt: Receipt, content: dict[str, Any], status: HTTPStatus
) -> Response:
    """The receipt in the form that `Accept` names first; JSON for whatever else it says."""
    wanted = (each.partition(";")[0].strip().lower() for each in request.headers.get("Accept", "").split(","))
    form = next((each for each in wanted if each in (JOSE, PDF, JSON)), JSON)
    if form == PDF:
        return _paper(lib, receipt, status)
    if form == JOSE:
        return Response(receipt.jws, status, PRIVATE, JOSE)
    return JSONResponse(content, status, PRIVATE)


def _paper(lib: Library, receipt: Receipt, status: HTTPStatus) -> Response:
    paper = receipt_paper(lib, receipt)
    headers = {**PRIVATE, "Content-Disposition": attachment(paper.name)}
    return Response(paper.pdf, status, headers, PDF)
