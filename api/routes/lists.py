"""The status lists, for verifiers of any make (draft-ietf-oauth-status-list, 8)."""

import re
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.deps import parts_of
from api.schemas.bodies import BINARY
from api.schemas.problems import problems
from certlib.errors import NotFoundError
from certlib.listing import TTL_SECONDS, current_list

JWT: Final = "application/statuslist+jwt"
CWT: Final = "application/statuslist+cwt"
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,5}", re.ASCII)
_CONTENT: Final[dict[str, Any]] = {
    "description": "The list; `Accept` chooses the form.",
    "content": dict.fromkeys((JWT, CWT), BINARY),
}
_MAX_PARTS: Final = 20

router = APIRouter(tags=["trust"])


@router.get(
    "/s/{number}", response_class=Response, responses={200: _CONTENT, **problems(304, 404)}, summary="A status list"
)
def status_list(number: str, request: Request) -> Response:
    """Whether each licence of this list is valid, invalid or suspended, signed (docs/status-list.md).

    Its URI stands in the tokens. Verifiers keep the newest one they have seen and refuse an older one.
    """
    if not _NUMBER.fullmatch(number):
        raise NotFoundError("there is no status list of this number")
    made = current_list(parts_of(request).lists, int(number))
    as_cwt = wants_cwt(request.headers.get("Accept", ""))
    tag = f'W/"{made.tag}-{"cwt" if as_cwt else "jwt"}"'
    headers = {
        "Cache-Control": f"public, max-age={TTL_SECONDS}",
        "ETag": tag,
        "Vary": "Accept",
        "Access-Control-Allow-Origin": "*",  # public, and read by verify pages of other hosts
    }
    if known(request.headers.get("If-None-Match", ""), tag):
        return Response(status_code=304, headers=headers)
    return Response(made.cwt if as_cwt else made.jwt, media_type=CWT if as_cwt else JWT, headers=headers)


def wants_cwt(accept: str) -> bool:
    """Whether `Accept` prefers the CWT. RFC 9110, 12.5.1; who accepts neither gets the JWT."""
    weights = {JWT: -1.0, CWT: -1.0}
    others = -1.0
    for part in accept.split(",")[:_MAX_PARTS]:
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        if name in weights:
            weights[name] = weight
        elif name in {"*/*", "application/*"}:
            others = max(others, weight)
    jwt, cwt = (others if weights[each] < 0 else weights[each] for each in (JWT, CWT))
    return cwt > max(jwt, 0.0)


def known(if_none_match: str, tag: str) -> bool:
    """Whether the caller has this very list. RFC 9110, 13.1.2: compared weakly."""
    have = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return tag.removeprefix("W/") in have or "*" in have
