"""What routes are given: the library, the caller, the body."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from certlib.errors import FieldFault, InvalidRequestError
from certlib.wire import unique_members

if TYPE_CHECKING:
    from anyio import CapacityLimiter

    from api.rendering import Pages
    from api.throttling import Throttle
    from certlib.library import Library
    from certlib.listing import Lists
    from certlib.retrieving import PublicReader

_M = TypeVar("_M", bound=BaseModel)


PRIVATE: Final = {"Cache-Control": "private, no-store"}
"""On every answer to a caller who is known: nobody in between keeps it. RFC 9111, 5.2.2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What the application holds for its life."""

    lib: Library
    reader: PublicReader
    lists: Lists
    """The status lists as this process has signed them."""
    pages: Pages
    lookups: Throttle
    """Of look-ups by code, and of the page's small questions."""
    uploads: Throttle
    """Of verifications, which cost more."""
    shares: Throttle
    """Of askings by agencies' systems, by client and not by address."""
    files: CapacityLimiter
    """How many files and pictures are judged at once: each may take a core and hundreds of megabytes for a while."""
    token_requests: Throttle
    """Of requests for access tokens."""
    proofs: CapacityLimiter
    """How many clients prove themselves at once: a secret's slow hash takes a core and 19 MiB for a while."""


def parts_of(request: Request) -> Parts:
    """The parts of the application that answers."""
    parts: Parts = request.app.state.parts
    return parts


async def body_of(request: Request) -> bytes:
    """The whole body; the middleware has bounded it.

    Async because: Starlette reads bodies no other way; it touches nothing that blocks.
    """
    return await request.body()


Body = Annotated[bytes, Depends(body_of)]


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object that a body is; no member twice.

    Raises:
        InvalidRequestError: it is none.
    """
    try:
        value = json.loads(body, object_pairs_hook=unique_members, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise _bad_body("is not JSON, or has a member twice") from error
    if not isinstance(value, dict):
        raise _bad_body("must be a JSON object")
    return value


def read_as(model: type[_M], body: bytes) -> _M:
    """The body as `model` says it; values never come back in a fault.

    Raises:
        InvalidRequestError: it is no JSON object, or not of this shape; with a fault for each member.
    """
    try:
        return model.model_validate(json_object(body), strict=True)
    except ValidationError as error:
        faults = tuple(
            FieldFault(field=".".join(map(str, each["loc"])), code=each["type"], reason=each["msg"])
            for each in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise InvalidRequestError(faults) from error


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _bad_body(reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field="(body)", code="bad_form", reason=reason),))
