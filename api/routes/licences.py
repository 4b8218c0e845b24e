"""Issuing by agencies' systems, and their own licences."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from starlette.responses import JSONResponse, Response

from api.attaching import attachment
from api.auth import Issuer, Keeper
from api.deps import Body, json_object, parts_of
from api.schemas.bodies import PDF, SECURED, takes
from api.schemas.licences import IssueIn, LicenceOut
from api.schemas.problems import problems
from certlib.errors import FieldFault, InvalidRequestError
from certlib.issuing import issue
from certlib.model import Licence
from certlib.retrieving import own_licence, sealed_pdf
from certlib.wire import licence_json, request_from_json

MAX_KEY_CHARACTERS: Final = 128

router = APIRouter(prefix="/v1/licences", tags=["licences"])


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=LicenceOut,
    responses={
        200: {"model": LicenceOut, "description": "The same request again: the same licence."},
        **problems(401, 403, 404, 408, 409, 413, 422),
    },
    openapi_extra=takes(IssueIn),
    summary="Issue a licence",
)
def issue_licence(
    request: Request,
    caller: Issuer,
    body: Body,
    idempotency_key: Annotated[str, Header(description="The same key gives the same licence.")] = "",
) -> Response:
    """Issue one licence of the calling agency. The same request again gives the same licence, with status 200."""
    members = json_object(body)
    wanted = request_from_json(members, agency_code=caller.agency_code, type_code=_text(members, "type"))
    wanted = replace(
        wanted,
        request_id=_request_id(wanted.request_id, idempotency_key),
        operator=wanted.operator or f"api:{caller.agency_code}",
    )
    issued = issue(parts_of(request).lib, wanted)
    status = HTTPStatus.CREATED if issued.new else HTTPStatus.OK
    return _licence(issued.licence, status, {"Location": _path(issued.licence)})


@router.get(
    "/{identifier}",
    response_model=LicenceOut,
    responses=problems(401, 403, 404),
    openapi_extra=SECURED,
    summary="One licence",
)
def read_licence(request: Request, caller: Keeper, identifier: str) -> Response:
    """The whole record of one of the caller's own licences."""
    return _licence(own_licence(parts_of(request).lib, caller, identifier), HTTPStatus.OK, {})


@router.get(
    "/{identifier}/pdf",
    response_class=Response,
    responses={200: {"content": PDF}, **problems(401, 403, 404)},
    openapi_extra=SECURED,
    summary="The sealed PDF",
)
def read_pdf(request: Request, caller: Keeper, identifier: str) -> Response:
    """The sealed PDF of one of the caller's own licences, byte for byte as issued."""
    lib = parts_of(request).lib
    licence = own_licence(lib, caller, identifier)
    headers = {
        "Content-Disposition": attachment(licence.pdf_name),
        "Cache-Control": "private, no-store",
    }
    return Response(sealed_pdf(lib, licence), media_type="application/pdf", headers=headers)


def _licence(licence: Licence, status: HTTPStatus, headers: dict[str, str]) -> Response:
    content = {**licence_json(licence), "pdf_url": f"{_path(licence)}/pdf"}
    return JSONResponse(content, status, {"Cache-Control": "private, no-store", **headers})


def _path(licence: Licence) -> str:
    return f"/v1/licences/{licence.identifier}"


def _text(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidRequestError((FieldFault(field=name, code="required", reason="must be a text"),))
    return value


def _request_id(own: str, key: str) -> str:
    if own and key and own != key:
        fault = FieldFault(field="request_id", code="differs", reason="is not the Idempotency-Key")
        raise InvalidRequestError((fault,))
    if len(key) > MAX_KEY_CHARACTERS or not key.isprintable():
        fault = FieldFault(
            field="Idempotency-Key", code="too_long", reason=f"has at most {MAX_KEY_CHARACTERS} characters"
        )
        raise InvalidRequestError((fault,))
    return own or key
