"""What agencies ask a holder to agree to, and the holder's word on it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from certlib.errors import NotFoundError
from certlib.holding.own import require_sole
from certlib.holding.sessions import require_standing
from certlib.sharing import uses
from certlib.store import agencies
from certlib.verdict import moment

if TYPE_CHECKING:
    from certlib.faces import JsonValue
    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library
    from certlib.sharing.uses import Use


def requests(lib: Library, me: HolderCaller) -> list[dict[str, JsonValue]]:
    """What the holder is or was asked to agree to, newest first, at most 500; a delegate sees what the scope covers.

    Raises:
        ForbiddenError: code `code_ambiguous`: agencies name another holder by the same characters.
    """
    require_sole(lib, me)
    names = _names(lib)
    return [_request_json(each, names) for each in uses.requests_of(lib, me.holder_code) if _covered(me, each)]


def decide(lib: Library, me: HolderCaller, use_code: str, *, approve: bool) -> dict[str, JsonValue]:
    """The holder's word: yes or no to a request that waits; no also takes back a yes.

    Raises:
        ForbiddenError: code `code_ambiguous`, `delegation_over`.
        NotFoundError: code `request_not_found`: none of the holder's, or outside the delegate's scope.
        ConflictError: code `request_expired`, `already_decided`.
    """
    require_sole(lib, me)
    known = next((each for each in uses.requests_of(lib, me.holder_code) if each.id == use_code), None)
    if known is None or not _covered(me, known):
        raise NotFoundError("no request is known under this code", code="request_not_found")
    by = me.actor if me.delegation is None else f"delegate {me.delegation_id}"
    first = partial(require_standing, me=me, now=lib.now())
    done = uses.decide(lib, me.holder_code, known.id, approve=approve, by=by, first=first)
    return _request_json(done, _names(lib))


def _covered(me: HolderCaller, use: Use) -> bool:
    """Whether a delegate may answer for all that it is about."""
    return all(me.covers(type_code=part.type_code, identifier=use.identifier) for part in use.parts)


def _names(lib: Library) -> dict[str, str]:
    return {each.code: each.name for each in agencies.all_agencies(lib.store)}


def _request_json(use: Use, names: dict[str, str]) -> dict[str, JsonValue]:
    return {
        "use_code": use.id,
        "state": use.state.value,
        "agency": {"code": use.agency_code, "name": names.get(use.agency_code, "")},
        "matter_code": use.asking.matter_code,
        "case_number": use.asking.case_number,
        "purpose": use.asking.purpose,
        "interfaces": [each.value for each in use.interfaces],
        "types": {part.type_code: list(part.fields) for part in use.parts},
        "licence": use.identifier,
        "made_at": moment(use.made_at),
        "expires_at": moment(use.expires_at),
        "decided_at": moment(use.decided_at) if use.decided_at else None,
        "decided_by": use.decided_by,
    }
