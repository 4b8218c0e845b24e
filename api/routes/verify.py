"""Verification for everybody: look-ups by code, and verdicts on what somebody holds."""

from http import HTTPStatus
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.responses import JSONResponse, Response

from api.auth import caller_of
from api.deps import Parts, json_object, parts_of
from api.schemas.bodies import json_body
from api.schemas.problems import problems
from api.schemas.verdicts import PublicAnswerOut, VerdictOut, VerifyIn
from certlib.answering import public_answer
from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError, TooLargeError
from certlib.verdict import verdict_json
from certlib.verifying import verify

MAX_JSON_BYTES: Final = 64 * 1024
"""A token has at most 16,384 characters (docs/formats.md, 1.1)."""
MAX_FORM_PARTS: Final = 4
VERIFY: Final = "verify"

router = APIRouter(prefix="/v1", tags=["verify"])

_KEY: Final = {
    "name": "key",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "A look-up code or licence identifier, as people type it.",
}
_BODY: Final[dict[str, Any]] = {
    "security": [{}, {"bearer": []}],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": json_body(VerifyIn),
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary", "description": "PDF, PNG or JPEG."}},
                }
            },
        },
    },
}


@router.get(
    "/verify/{key}",  # noqa: FAST003  # the plain route of the same path (app.py) answers, and hands the key over
    response_model=PublicAnswerOut,
    responses=problems(404, 429),
    openapi_extra={"parameters": [_KEY]},
    summary="What the record says now",
)
async def look_up(request: Request) -> Response:
    """The masked public answer for a look-up code or licence identifier, as people type it.

    Async because: this is the one hot path, one point read on a connection of its own. One client in process, SQLite,
    2026-11-22: 42 us a look-up, 122 us as `def` on a worker thread, 26 us for a constant (docs/adr/0004).
    """
    parts = parts_of(request)
    parts.lookups.take(request)
    answer = public_answer(parts.reader, request.path_params["key"], now=parts.lib.now())
    headers = {"Cache-Control": f"public, max-age={answer.max_age_seconds}"}
    return Response(answer.body, media_type="application/json", headers=headers)


@router.post(
    "/verify",
    response_model=VerdictOut,
    responses=problems(401, 403, 408, 413, 415, 422, 429),
    openapi_extra=_BODY,
    summary="The verdict on a token, a file or a photo",
)
async def judge(request: Request) -> Response:
    """The verdict. What was understood is answered 200, `revoked` and `forged` too. Nothing is kept.

    Nobody needs a bearer. With one of scope `verify`, a purpose-bound copy that was made for its agency is judged as
    the licence; for everybody else the best word of a copy is `bound_copy`.

    Async because: Starlette reads bodies and forms no other way; the judging itself runs on a worker thread.
    """
    parts = parts_of(request)
    parts.uploads.take(request)
    given = await _given(request)
    limiter = parts.files if isinstance(given, bytes) else None
    return await to_thread.run_sync(_verdict, parts, given, request, limiter=limiter)


def _verdict(parts: Parts, given: bytes | str, request: Request) -> Response:
    verdict = verify(given, parts.lib, now=parts.lib.now(), asker=_asker(request))
    return JSONResponse(verdict_json(verdict), headers={"Cache-Control": "no-store"})


def _asker(request: Request) -> str:
    """The code of the agency whose bearer came along, or empty: most people bring none.

    Raises:
        UnauthenticatedError: a bearer that is not good; it is never passed over.
        ForbiddenError: a good one that is not for verifying.
    """
    if "Authorization" not in request.headers:
        return ""
    caller = caller_of(request)
    if VERIFY not in caller.scopes:
        raise ForbiddenError("this bearer is not for verifying")
    return caller.agency_code


async def _given(request: Request) -> bytes | str:
    """What was brought: text of a JSON body, or bytes of the one file of a form.

    Async because: Starlette reads bodies and forms no other way.
    """
    kind = request.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        body = await request.body()
        if len(body) > MAX_JSON_BYTES:
            raise TooLargeError(f"a text of at most {MAX_JSON_BYTES} bytes can be verified")
        return _text(body)
    if kind != "multipart/form-data":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send application/json, or a form with a file.")
    try:
        async with request.form(max_files=1, max_fields=MAX_FORM_PARTS) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise _bad("file", "required", "one file is needed")
            return await file.read()
    except (MultiPartException, HTTPException) as error:  # Starlette raises the second inside an application
        raise _bad("(body)", "bad_form", "is no form with one file") from error


def _text(body: bytes) -> str:
    members = json_object(body)
    text = members.get("text")
    if not isinstance(text, str) or not text.strip():
        raise _bad("text", "required", "must be a text")
    if len(members) > 1:
        raise _bad("(body)", "unknown_field", "has a member besides text")
    return text


def _bad(field: str, code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field=field, code=code, reason=reason),))
