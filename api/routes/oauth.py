"""Access tokens for the systems of agencies: OAuth 2 with client_credentials (RFC 6749, 4.4; RFC 7523; RFC 8414)."""

import base64
import binascii
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import parse_qsl, unquote_plus

import anyio
from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from api.deps import Body, parts_of
from api.schemas.clients import TOKEN_FORM, JwksOut, MetadataOut, OAuthErrorOut, TokenOut
from api.schemas.problems import problems
from certlib.authorising import JWKS_PATH, TOKEN_PATH, TokenRequest, access_token, server_metadata
from certlib.callers import api_jwks
from certlib.errors import ForbiddenError, InvalidRequestError, TooLargeError, UnauthenticatedError, UnavailableError

FORM: Final = "application/x-www-form-urlencoded"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
MAX_FORM_BYTES: Final = 16 * 1024
"""An assertion has at most 8,192 characters."""
MAX_FORM_FIELDS: Final = 20
MAX_WAIT_SECONDS: Final = 5.0
MAX_AGE_SECONDS: Final = 300
"""Keys of access tokens and this server's description: a new key is known to everybody after so long."""
_NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_PUBLIC: Final = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
_ERROR: Final[dict[str, Any]] = {"model": OAuthErrorOut, "description": "RFC 6749, 5.2."}

router = APIRouter(tags=["clients"])


class _BadRequestError(Exception):
    """What RFC 6749, 5.2 answers with 400."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error


async def counted(request: Request) -> None:
    """Count the request of an address before anything of it is read.

    Async because: the count lives on the event loop (api/throttling.py); it touches nothing that blocks.
    """
    parts_of(request).token_requests.take(request)


async def place_of(request: Request) -> AsyncIterator[None]:
    """A place among the few requests whose secret is hashed at once: each takes a core and 19 MiB for a while.

    Async because: whoever waits for a place holds no worker thread, so that other routes go on.
    """
    places, borrower = parts_of(request).proofs, object()
    try:
        with anyio.fail_after(MAX_WAIT_SECONDS):
            await places.acquire_on_behalf_of(borrower)
    except TimeoutError as error:
        raise UnavailableError("too many clients prove themselves at once") from error
    try:
        yield
    finally:
        places.release_on_behalf_of(borrower)


@router.post(
    TOKEN_PATH,
    dependencies=[Depends(counted)],
    response_model=TokenOut,
    responses={400: _ERROR, 401: _ERROR, **problems(408, 413, 429)},
    openapi_extra=TOKEN_FORM,
    summary="An access token for a client",
)
def give_token(request: Request, body: Body, _place: Annotated[None, Depends(place_of, scope="function")]) -> Response:
    """Client_credentials only. The client proves itself by an assertion (`private_key_jwt`), or by its secret."""
    try:
        given = access_token(parts_of(request).lib, _asked(request, body))
    except _BadRequestError as error:
        return _error(HTTPStatus.BAD_REQUEST, error.error, str(error))
    except InvalidRequestError as error:
        return _error(HTTPStatus.BAD_REQUEST, "invalid_request", str(error))
    except ForbiddenError as error:
        return _error(HTTPStatus.BAD_REQUEST, "invalid_scope", str(error))
    except UnauthenticatedError as error:
        return _error(HTTPStatus.UNAUTHORIZED, "invalid_client", str(error))
    content = {
        "access_token": given.bearer,
        "token_type": "Bearer",
        "expires_in": given.expires_in,
        "scope": given.scope,
    }
    return JSONResponse(content, headers=_NO_STORE)


@router.get(JWKS_PATH, response_model=JwksOut, responses=problems(), summary="The keys of access tokens")
def read_jwks(request: Request) -> Response:
    """The public keys that access tokens are signed with now. No other signature of this library is theirs."""
    return JSONResponse(api_jwks(parts_of(request).lib), headers=_PUBLIC)


@router.get("/.well-known/oauth-authorization-server", response_model=MetadataOut, summary="What clients have to know")
def read_metadata(request: Request) -> Response:
    """Where this server gives access tokens, and how clients prove themselves (RFC 8414)."""
    return JSONResponse(server_metadata(parts_of(request).lib), headers=_PUBLIC)


def _asked(request: Request, body: bytes) -> TokenRequest:
    """What the form and the header ask for.

    Raises:
        TooLargeError: the body is larger than any lawful form.
        _BadRequestError: it is no form, repeats a parameter, or proves the client in no way or in two.
    """
    form = _form(request, body)
    if "grant_type" not in form:
        raise _BadRequestError("invalid_request", "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise _BadRequestError("unsupported_grant_type", "only client_credentials is understood")
    basic = _basic(request)
    if [basic is not None, "client_secret" in form, "client_assertion" in form].count(True) > 1:
        raise _BadRequestError("invalid_request", "the client proves itself in one way only")
    if ("client_assertion" in form) != ("client_assertion_type" in form):
        raise _BadRequestError("invalid_request", "client_assertion and client_assertion_type go together")
    if form.get("client_assertion_type", ASSERTION_TYPE) != ASSERTION_TYPE:
        raise _BadRequestError("invalid_request", f"client_assertion_type must be {ASSERTION_TYPE}")
    client_id, secret = basic or (form.get("client_id", ""), form.get("client_secret", ""))
    if basic is not None and form.get("client_id", client_id) != client_id:
        raise _BadRequestError("invalid_request", "client_id is not the one in the header")
    return TokenRequest(
        client_id=client_id,
        secret=secret,
        assertion=form.get("client_assertion", ""),
        scope=form.get("scope", ""),
        address=request.client.host if request.client else "",
    )


def _form(request: Request, body: bytes) -> dict[str, str]:
    """The parameters; one without a value counts as left out (RFC 6749, 3.2)."""
    if len(body) > MAX_FORM_BYTES:
        raise TooLargeError(f"a request for an access token has at most {MAX_FORM_BYTES} bytes")
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != FORM:
        raise _BadRequestError("invalid_request", f"the body must be {FORM}")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FORM_FIELDS)
    except ValueError as error:
        raise _BadRequestError("invalid_request", "the body is no form") from error
    form = dict(pairs)
    if len(form) != len(pairs):
        raise _BadRequestError("invalid_request", "a parameter stands twice")
    return {name: value for name, value in form.items() if value}


def _basic(request: Request) -> tuple[str, str] | None:
    """Id and secret in the header (RFC 6749, 2.3.1), or None if there is no header.

    Another scheme, or one that cannot be read, gives a client that nobody knows.
    """
    header = request.headers.get("Authorization")
    if header is None:
        return None
    scheme, _, value = header.partition(" ")
    try:
        text = base64.b64decode(value.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
        client_id, _, secret = text.partition(":")
        return unquote_plus(client_id, errors="strict"), unquote_plus(secret, errors="strict")
    except (ValueError, binascii.Error):
        return "", ""


def _error(status: HTTPStatus, error: str, description: str) -> Response:
    headers = dict(_NO_STORE)
    if status is HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Basic realm="certlib"'
    return JSONResponse({"error": error, "error_description": description}, status, headers)
