"""The one edge from errors to HTTP: problem+json (RFC 9457) with a wire-stable `code`."""

from __future__ import annotations

import json
import logging
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import compile_path

from certlib.errors import (
    CertlibError,
    ConflictError,
    ForbiddenError,
    GoneError,
    IllegalTransitionError,
    InvalidRequestError,
    LimitReachedError,
    NotFoundError,
    OwnFaultError,
    SetupError,
    TooLargeError,
    TypeFolderError,
    UnauthenticatedError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request

LOG: Final = logging.getLogger("certlib.api")
MEDIA_TYPE: Final = "application/problem+json"
"""RFC 9457, 3."""
RETRY_AFTER_SECONDS: Final = 2
LIMIT_RETRY_SECONDS: Final = 600
"""Limits are counted by the hour or the day."""

STATUS: Final[Mapping[type[CertlibError], HTTPStatus]] = {
    InvalidRequestError: HTTPStatus.UNPROCESSABLE_ENTITY,
    ConflictError: HTTPStatus.CONFLICT,
    IllegalTransitionError: HTTPStatus.CONFLICT,
    NotFoundError: HTTPStatus.NOT_FOUND,
    GoneError: HTTPStatus.GONE,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    LimitReachedError: HTTPStatus.TOO_MANY_REQUESTS,
    TypeFolderError: HTTPStatus.INTERNAL_SERVER_ERROR,
    SetupError: HTTPStatus.INTERNAL_SERVER_ERROR,
    OwnFaultError: HTTPStatus.INTERNAL_SERVER_ERROR,
    UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Leaves of the error tree -> status. A test holds the two together."""

_CODE_OF_STATUS: Final = {
    HTTPStatus.NOT_FOUND: "no_such_path",
    HTTPStatus.METHOD_NOT_ALLOWED: "method_not_allowed",
    HTTPStatus.BAD_REQUEST: "bad_form",
}


def problem(
    status: HTTPStatus, code: str, detail: str, *, headers: Mapping[str, str] | None = None, **members: object
) -> Response:
    """A problem document; `members` are its extensions, empty ones are left out."""
    content: dict[str, Any] = {
        "type": f"urn:certlib:problem:{code}",
        "title": status.phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        **{name: value for name, value in members.items() if value},
    }
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Response(body, status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def problem_of(error: CertlibError) -> Response:
    """The problem for an error of the library. Of our own faults only a reference leaves the house."""
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), HTTPStatus.INTERNAL_SERVER_ERROR)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return own_fault(error, code=error.code)
    headers: dict[str, str] = {}
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"  # RFC 6750, 3
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        LOG.warning("unavailable: %s", error)
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return problem(status, error.code, "A part that is needed does not answer now.", headers=headers)
    if status is HTTPStatus.TOO_MANY_REQUESTS:
        headers["Retry-After"] = str(LIMIT_RETRY_SECONDS)
    members: dict[str, object] = {"hint": error.hint}
    if isinstance(error, InvalidRequestError):
        faults = [{"field": each.field, "code": each.code, "reason": each.reason} for each in error.faults]
        members["faults"] = faults
    if isinstance(error, ConflictError):
        members |= {"differs": list(error.differs), "identifier": error.identifier}
    return problem(status, error.code, str(error), headers=headers, **members)


def own_fault(error: Exception, *, code: str = "own_fault") -> Response:
    """A 500 with a reference; the detail is in the log only."""
    reference = secrets.token_hex(6)
    LOG.error("own fault %s: %s", reference, type(error).__name__, exc_info=error)
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return problem(status, code, "Something went wrong on our side. Nothing was issued.", reference=reference)


def allowed_methods(app: FastAPI, path: str) -> list[str]:
    """All methods that the paths like `path` take, by the description: each route alone knows only its own."""
    templates = app.openapi()["paths"]
    return sorted(
        {method.upper() for each in templates if compile_path(each)[0].match(path) for method in templates[each]}
    )


def install(app: FastAPI) -> None:
    """Let every error of `app` leave as a problem."""

    def library_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, CertlibError)  # noqa: S101  # registered for this type only
        return problem_of(error)

    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101  # registered for this type only
        status = HTTPStatus(error.status_code)
        code = _CODE_OF_STATUS.get(status, status.phrase.lower().replace(" ", "_"))
        headers = dict(error.headers or {})
        if status is HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(allowed_methods(app, request.url.path)) or headers.get("Allow", "")
        return problem(status, code, str(error.detail), headers=headers)

    def shape_error(_request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101  # registered for this type only
        # Never the input itself: it may be personal.
        faults = [
            {"field": ".".join(map(str, each["loc"])), "code": each["type"], "reason": each["msg"]}
            for each in error.errors()
        ]
        return problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", "The request has a bad shape.", faults=faults
        )

    def any_error(_request: Request, error: Exception) -> Response:
        return own_fault(error)

    app.add_exception_handler(CertlibError, library_error)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(RequestValidationError, shape_error)
    app.add_exception_handler(Exception, any_error)
