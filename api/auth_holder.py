"""Which holder calls: `Authorization: Bearer` with a holder's bearer, and `Acting-For` when a delegate calls.

Take `Me` where only the holder may call, and `Seer`, `Shower`, `Consenter` or `Reporter` where a delegate may too whose
delegation is for that act. Whether it covers the licence, or the type, is asked of `HolderCaller.covers`.
"""

from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request

from api.auth import MAX_HEADER_CHARACTERS
from api.deps import parts_of
from certlib.errors import UnauthenticatedError
from certlib.holding.bearers import COUNTER_HINT
from certlib.holding.delegating import Act
from certlib.holding.sessions import HolderCaller, holder_of, require_act, require_own

HELD: Final[dict[str, Any]] = {"security": [{"holder": []}]}
"""Needs a holder's bearer."""
ActingFor = Annotated[
    str, Header(description="Id of the delegation under which a delegate calls; not there: the holder does.")
]


def holder_calling(request: Request, acting_for: str = "") -> HolderCaller:
    """The holder whose bearer stands in the request, or the one for whom that one acts.

    Raises:
        UnauthenticatedError: none, or not a good one.
        ForbiddenError: no such delegation, or it is over.
    """
    scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer or len(bearer) > MAX_HEADER_CHARACTERS:
        raise UnauthenticatedError("a holder's bearer is needed", hint=COUNTER_HINT)
    address = request.client.host if request.client else ""
    return holder_of(parts_of(request).lib, bearer, acting_for=acting_for, address=address)


def holder_self(request: Request, acting_for: ActingFor = "") -> HolderCaller:
    """The holder in person.

    Raises:
        UnauthenticatedError: not known.
        ForbiddenError: a delegate.
    """
    me = holder_calling(request, acting_for)
    require_own(me)
    return me


def holder_for(act: Act) -> Callable[..., HolderCaller]:
    """The dependency that gives the holder, or a delegate who may do `act`."""

    def holder_or_delegate(request: Request, acting_for: ActingFor = "") -> HolderCaller:
        me = holder_calling(request, acting_for)
        require_act(me, act)
        return me

    return holder_or_delegate


Me = Annotated[HolderCaller, Depends(holder_self)]
Seer = Annotated[HolderCaller, Depends(holder_for(Act.SEE))]
Shower = Annotated[HolderCaller, Depends(holder_for(Act.SHOW))]
Consenter = Annotated[HolderCaller, Depends(holder_for(Act.CONSENT))]
Reporter = Annotated[HolderCaller, Depends(holder_for(Act.REPORT))]
