"""One-time codes: made by holders, shown at counters."""

from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.auth import caller_of
from api.auth_holder import HELD, holder_calling
from api.auth_holder import ActingFor as ActingForHeader
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.bodies import takes
from api.schemas.my import CodeIn, CodeOut, MadeCodeOut, ShownIn, ShownOut
from api.schemas.problems import problems
from api.throttling import client_of
from certlib.errors import FieldFault, InvalidRequestError
from certlib.holding.codes import code_to_show, consent_code, own_codes, see_shown, take_back
from certlib.holding.delegating import Act
from certlib.holding.sessions import require_act
from certlib.verdict import moment

router = APIRouter(prefix="/v1", tags=["holder"])


@router.post(
    "/my/codes",
    status_code=HTTPStatus.CREATED,
    response_model=MadeCodeOut,
    responses=problems(401, 403, 404, 408, 413, 422, 429),
    openapi_extra={**takes(CodeIn), **HELD},
    summary="A one-time code",
)
def make_code(request: Request, body: Body, acting_for: ActingForHeader = "") -> Response:
    """A code to show licences for a minute, or to let one agency use what it names. Good once; shown this once."""
    me = holder_calling(request, acting_for)
    said = read_as(CodeIn, body)
    lib = parts_of(request).lib
    if said.kind == "show":
        require_act(me, Act.SHOW)
        _require_empty(said, ("agency", "types"))
        made = code_to_show(lib, me, said.licences)
    else:
        require_act(me, Act.CONSENT)
        _require_empty(said, ("licences",))
        made = consent_code(lib, me, agency_code=said.agency, types=said.types)
    content = {"id": made.id, "kind": made.kind.value, "code": made.code, "expires_at": moment(made.expires_at)}
    return JSONResponse(content, HTTPStatus.CREATED, PRIVATE)


@router.get(
    "/my/codes",
    response_model=list[CodeOut],
    responses=problems(401, 403),
    openapi_extra=HELD,
    summary="What became of my codes",
)
def read_codes(request: Request, acting_for: ActingForHeader = "") -> Response:
    """The newest hundred codes, never the codes themselves; a delegate sees those made under the delegation."""
    return JSONResponse(own_codes(parts_of(request).lib, holder_calling(request, acting_for)), headers=PRIVATE)


@router.delete(
    "/my/codes/{code_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=problems(401, 403, 404),
    openapi_extra=HELD,
    summary="Take a code back",
)
def end_code(request: Request, code_id: str, acting_for: ActingForHeader = "") -> Response:
    """End a code that is not used yet."""
    take_back(parts_of(request).lib, holder_calling(request, acting_for), code_id)
    return Response(status_code=HTTPStatus.NO_CONTENT, headers=PRIVATE)


@router.post(
    "/shown",
    response_model=ShownOut,
    responses=problems(401, 404, 408, 413, 422, 429),
    openapi_extra={**takes(ShownIn), "security": [{}, {"bearer": []}]},
    summary="See what a holder shows",
)
def read_shown(request: Request, body: Body) -> Response:
    """The faces of the licences that a holder shows with a one-time code; used up with this look.

    With an agency's bearer the holder's ledger names the agency, without one it says that somebody looked.
    """
    said = read_as(ShownIn, body)
    caller = caller_of(request) if "Authorization" in request.headers else None
    faces = see_shown(parts_of(request).lib, said.code, caller=caller, address=client_of(request))
    return JSONResponse({"licences": list(faces)}, headers=PRIVATE)


def _require_empty(said: CodeIn, names: tuple[str, ...]) -> None:
    faults = tuple(
        FieldFault(field=name, code="not_here", reason=f"is not for a code to {said.kind}")
        for name in names
        if getattr(said, name)
    )
    if faults:
        raise InvalidRequestError(faults)
