"""Who calls: `Authorization: Bearer` with an access token that /oauth/token gives or `certlib agency token` prints."""

from typing import Annotated

from fastapi import Depends, Request

from api.deps import parts_of
from certlib.callers import AgencyCaller, authenticate
from certlib.errors import ForbiddenError, UnauthenticatedError

MAX_HEADER_CHARACTERS = 8 * 1024
"""Before anything is decoded."""
ISSUE, MANAGE = "issue", "manage"
SHARE = "share"


def caller_of(request: Request) -> AgencyCaller:
    """The agency whose credential stands in the request.

    Raises:
        UnauthenticatedError: none, or not a good one.
    """
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer or len(bearer) > MAX_HEADER_CHARACTERS:
        raise UnauthenticatedError("a bearer is needed", hint="Ask for one: POST /oauth/token, or certlib agency token")
    return authenticate(parts_of(request).lib, bearer, address=request.client.host if request.client else "")


def issuer_of(request: Request) -> AgencyCaller:
    """The caller, who may issue.

    Raises:
        UnauthenticatedError: not known.
        ForbiddenError: known, but its credential is not for issuing.
    """
    caller = caller_of(request)
    if ISSUE not in caller.scopes:
        raise ForbiddenError("this bearer is not for issuing")
    return caller


def keeper_of(request: Request) -> AgencyCaller:
    """The caller, who may read its agency's own licences whole: who issues or manages them.

    Raises:
        UnauthenticatedError: not known.
        ForbiddenError: known, but its credential is for something else.
    """
    caller = caller_of(request)
    if not caller.scopes & {ISSUE, MANAGE}:
        raise ForbiddenError("this bearer is not for the agency's own licences")
    return caller


def sharer_of(request: Request) -> AgencyCaller:
    """The caller, who may ask about licences of others as far as its grants go.

    Raises:
        UnauthenticatedError: not known.
        ForbiddenError: known, but its credential is not for sharing.
        HTTPException: 429, this system has used up its minute.
    """
    caller = caller_of(request)
    if SHARE not in caller.scopes:
        raise ForbiddenError("this bearer is not for sharing")
    take_share(request, caller)
    return caller


def take_share(request: Request, caller: AgencyCaller, *, times: int = 1) -> None:
    """Count an asking of the caller's system; `times` for one that costs more.

    Raises:
        HTTPException: 429, this system has used up its minute.
    """
    parts_of(request).shares.take_as(f"{caller.agency_code} {caller.client_id}", times=times)


Caller = Annotated[AgencyCaller, Depends(caller_of)]
Issuer = Annotated[AgencyCaller, Depends(issuer_of)]
Keeper = Annotated[AgencyCaller, Depends(keeper_of)]
Sharer = Annotated[AgencyCaller, Depends(sharer_of)]
