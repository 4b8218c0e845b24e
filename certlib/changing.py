"""Operations on issued licences: suspend, restore, revoke, withdraw, cancel, renew, correct, transfer.

1. Judge the order (pure): reason, document, operator, and whether the licence stands where this may be done.
2. Take it (one transaction). What moves the status or is only noted is done with that; where the type asks for a second
   person it waits; what makes a new version goes on.
3. Issue the new version through the issuance cycle. Recording it ends the old one in the same transaction.
4. Put down the end. A crash between 2 and 4 is gone on with by the same order under its request id, by the approval
   again, or by `resume`.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import orjson

from certlib.catalogue import FieldKind, parse_type
from certlib.errors import (
    CertlibError,
    ConflictError,
    FieldFault,
    IllegalTransitionError,
    InvalidRequestError,
    NotFoundError,
    TypeFolderError,
)
from certlib.identifiers import normalise_identifier
from certlib.issuing import issue, rehearse_block
from certlib.lifecycle import require_ordered
from certlib.operations import ADVERSE, NEW_VERSIONS, Operation, Ruling, changed_names, ruling, standing_of
from certlib.store import agencies, lifecycles, lookups
from certlib.store.changes import Change, ChangeState, Order, new_id
from certlib.verdict import moment
from certlib.wire import request_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from certlib.catalogue import LicenceType
    from certlib.library import Library
    from certlib.model import Licence

REPLACEABLE: Final = frozenset({"holders", "issued_on", "effective_on", "expires_on", "fields", "images", "area_code"})
"""Members of a request that a new version may bring; the number stays."""
LASTING: Final = (InvalidRequestError, ConflictError, IllegalTransitionError, NotFoundError, TypeFolderError)
"""What another try would meet again."""
REQUEST_PREFIX: Final = "change:"
"""Before a change's id: the request id of the licence that it issues."""
_ID_CHARACTERS: Final = 26


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangeOrder:
    """An operation as somebody orders it."""

    operation: Operation
    reason: str
    """For the holder to read; never empty."""
    operator: str
    document_number: str = ""
    """Of the legal document; empty only where the operation is not adverse."""
    effective_at: datetime | None = None
    """When it began to hold in law, aware; None is now. Never in the future: it is ordered when it holds."""
    renewed: Mapping[str, Any] = field(default_factory=dict)
    """For a new version: what is other in it, members of `REPLACEABLE` as in a request; `fields` one by one."""
    request_id: str = ""
    """The same one gives the same change."""


def order_change(lib: Library, agency_code: str, identifier: str, order: ChangeOrder) -> Change:
    """Do `order` on the agency's licence, or let it wait for its second person. What was answered is durable.

    Raises:
        InvalidRequestError: what the law wants to know is missing, or the new version would not be lawful.
        NotFoundError: the agency has no such licence.
        IllegalTransitionError: not possible from where the licence stands.
        ConflictError: the same operation is open on it, or another order stands under the request id.
        SetupError, OwnFaultError, UnavailableError: as `issuing.issue`; the change stays open and can be gone on with.
    """
    placed = _placed(lib, agency_code, identifier, order)
    lib.step("ordered")
    return go_on(lib, placed)


def _placed(lib: Library, agency_code: str, identifier: str, order: ChangeOrder) -> Change:
    now = lib.now()
    require_lawful(order, now)
    licence = own_licence(lib, agency_code, identifier)
    known_id = "" if not order.request_id else change_id(agency_code, order.request_id)
    given = _given(licence, order)
    policy = type_now(lib, licence.type_code).lifecycle
    content = None
    if order.operation in NEW_VERSIONS and not _stands(lib, known_id):
        standing = standing_of(licence.status, licence.expires_on, licence.timezone, now)
        found = ruling(order.operation, standing, policy)
        content = new_version(lib, licence, order, rehearsed=found is Ruling.NEW_VERSION)
    placed = Order(
        id=known_id or new_id(),
        agency_code=agency_code,
        identifier=licence.identifier,
        operation=order.operation,
        reason=order.reason,
        document_number=order.document_number,
        effective_at=order.effective_at or now,
        operator=order.operator,
        policy=policy,
        given=given,
        content=content,
    )
    expires_at = now + timedelta(days=policy.pending_days) if order.operation in policy.maker_checker else None
    return lifecycles.place(lib.store, placed, now=now, expires_at=expires_at)


def decide_change(lib: Library, agency_code: str, change_id: str, *, operator: str, approve: bool = True) -> Change:
    """Approve a pending change and do it, or decline it. Approved again, it is gone on with where a crash left it.

    Raises:
        NotFoundError: the agency has no such change.
        ForbiddenError: code `maker_is_checker`: the operator asked for it.
        ConflictError: code `change_expired` or `already_decided`.
        IllegalTransitionError: the licence does not stand as it did.
        SetupError, OwnFaultError, UnavailableError: as `issuing.issue`; the change stays approved.
    """
    require_ordered(reason="-", document_number="", operator=operator, adverse=False)
    known = lifecycles.change(lib.store, change_id, now=lib.now(), agency_code=agency_code)
    policy = type_now(lib, own_licence(lib, agency_code, known.identifier).type_code).lifecycle
    decided = lifecycles.decide(
        lib.store, change_id, agency_code=agency_code, checker=operator, approve=approve, policy=policy, now=lib.now()
    )
    lib.step("decided")
    return go_on(lib, decided)


def go_on(lib: Library, change: Change) -> Change:
    """Issue the new version of a change that is approved; any other is given as it stands.

    Raises:
        CertlibError: as `order_change`. What lasts ends the change as `refused`; else it stays approved.
    """
    if change.state is not ChangeState.APPROVED or change.content is None:
        return change
    request_id = REQUEST_PREFIX + change.id
    old = lookups.licence_by_identifier(lib.store, change.identifier)
    issued = lifecycles.issued_for(lib.store, change.agency_code, request_id)
    if issued:
        new = lookups.licence_by_identifier(lib.store, issued)
    else:
        try:
            standing = standing_of(old.status, old.expires_on, old.timezone, lib.now())
            ruling(change.operation, standing, type_now(lib, old.type_code).lifecycle)
            members = {**orjson.loads(change.content), "request_id": request_id}
            request = request_from_json(members, agency_code=old.agency_code, type_code=old.type_code)
            new = issue(lib, request, decided=True).licence
        except LASTING as error:
            lifecycles.refuse(lib.store, change.id, code=error.code, now=lib.now())
            raise
    lib.step("issued")
    done = lifecycles.finish(
        lib.store, change.id, successor=new.identifier, changed=changed_names(old, new), now=lib.now()
    )
    lib.step("finished")
    return done


def resume(lib: Library) -> Iterator[Change | CertlibError]:
    """Go on with every change that was approved and not finished."""
    for each in lifecycles.unfinished(lib.store):
        try:
            yield go_on(lib, lifecycles.change(lib.store, each, now=lib.now()))
        except LASTING as error:
            yield error


def open_changes(lib: Library, agency_code: str) -> tuple[Change, ...]:
    """The agency's changes that wait for a second person, expired ones among them, or are not finished."""
    return lifecycles.open_changes(lib.store, agency_code, now=lib.now())


def changes_of(lib: Library, agency_code: str, identifier: str) -> tuple[Change, ...]:
    """All that was ordered on one of the agency's licences, oldest first.

    Raises:
        NotFoundError: the agency has no such licence.
    """
    licence = own_licence(lib, agency_code, identifier)
    return lifecycles.changes_of(lib.store, licence.identifier, now=lib.now())


def own_licence(lib: Library, agency_code: str, identifier: str) -> Licence:
    """The agency's licence.

    Raises:
        NotFoundError: none, or another's.
    """
    licence = lookups.licence_by_identifier(lib.store, normalise_identifier(identifier))
    if licence.agency_code != agency_code:
        raise NotFoundError("no licence is known under this key")
    return licence


def type_now(lib: Library, code: str) -> LicenceType:
    """The newest version of a type: its rules for changes hold for licences of older versions too."""
    registered = agencies.current_type(lib.store, code)
    return parse_type(registered.type_toml, where=f"{code}/v{registered.version}", version=registered.version)


def change_id(agency_code: str, request_id: str) -> str:
    """The id of the change that an agency asked for under a request id."""
    return hashlib.sha256(f"{agency_code}\0{request_id}".encode("utf-8", "surrogatepass")).hexdigest()[:_ID_CHARACTERS]


def require_lawful(order: ChangeOrder, now: datetime) -> None:
    """Pass if the order says all it must, whatever the licence.

    Raises:
        InvalidRequestError: it does not.
    """
    require_ordered(
        reason=order.reason,
        document_number=order.document_number,
        operator=order.operator,
        adverse=order.operation in ADVERSE,
    )
    faults = []
    if order.effective_at is not None and order.effective_at > now:
        reason = "is in the future; order it on the day"
        faults.append(FieldFault(field="effective_at", code="in_future", reason=reason))
    known = REPLACEABLE if order.operation in NEW_VERSIONS else frozenset()
    strange = f"is nothing that {order.operation} changes"
    faults += [
        FieldFault(field=name, code="unknown_field", reason=strange) for name in sorted(order.renewed.keys() - known)
    ]
    if order.operation is Operation.RENEW and "holders" in order.renewed:
        faults.append(FieldFault(field="holders", code="not_here", reason="is another holder: transfer it"))
    if order.operation is Operation.RENEW and "expires_on" not in order.renewed:
        faults.append(FieldFault(field="expires_on", code="required", reason="is missing; null is no end date"))
    if order.operation is Operation.TRANSFER and not order.renewed.get("holders"):
        faults.append(FieldFault(field="holders", code="required", reason="is missing"))
    if faults:
        raise InvalidRequestError(tuple(faults))


def new_version(lib: Library, licence: Licence, order: ChangeOrder, *, rehearsed: bool) -> bytes:
    """The whole request for the version after `licence`, as JSON; drawn once for trial when `rehearsed`.

    Raises:
        InvalidRequestError: it would not be lawful, or nothing would change.
    """
    kinds = {each.name: each.kind for each in parse_kinds(lib, licence)}
    texts = {name: value for name, value in licence.fields.items() if kinds.get(name) is not FieldKind.IMAGE}
    images: dict[str, Any] = {
        name: base64.b64encode(lookups.image_of(lib.store, licence, name)).decode()
        for name in licence.fields.keys() - texts.keys()
    }
    today = lib.now().astimezone(ZoneInfo(licence.timezone)).date()
    anew = order.operation is not Operation.CORRECT
    standing: dict[str, Any] = {
        "holders": [{"name": each.name, "code": each.code, "code_type": each.code_type} for each in licence.holders],
        "issued_on": (today if anew else licence.issued_on).isoformat(),
        "effective_on": (today if anew else licence.effective_on).isoformat(),
        "expires_on": None if licence.expires_on is None else licence.expires_on.isoformat(),
        "area_code": licence.area_code,
    }
    wanted = {**standing, **order.renewed}
    wanted["fields"] = _merged(texts, order.renewed.get("fields", {}), "fields")
    wanted["images"] = _merged(images, order.renewed.get("images", {}), "images")
    if not anew and wanted == {**standing, "fields": texts, "images": images}:
        raise InvalidRequestError((FieldFault(field="(whole)", code="nothing_changes", reason="nothing is other"),))
    wanted |= {
        "number": licence.number,
        "version": licence.version + 1,
        "previous_identifier": licence.identifier,
        "operator": order.operator,
    }
    request = request_from_json(wanted, agency_code=licence.agency_code, type_code=licence.type_code)
    if rehearsed:
        (error,) = rehearse_block(lib, [request], decided=True)
        if error is not None:
            raise error
    wanted["images"] = {name: base64.b64encode(data).decode() for name, data in request.images.items()}
    return orjson.dumps(wanted)


def parse_kinds(lib: Library, licence: Licence) -> tuple[Any, ...]:
    """The fields of the type's version that `licence` was issued with."""
    registered = agencies.type_version(lib.store, licence.type_code, licence.type_version)
    return parse_type(registered.type_toml, where=licence.type_code, version=registered.version).fields


def change_json(change: Change) -> dict[str, Any]:
    """A change as programs read it; what the new version says is not in it."""
    return {
        "id": change.id,
        "identifier": change.identifier,
        "operation": change.operation.value,
        "state": change.state.value,
        "old": change.old.value,
        "new": change.new.value,
        "reason": change.reason,
        "document_number": change.document_number,
        "effective_at": moment(change.effective_at),
        "maker": change.maker,
        "made_at": moment(change.made_at),
        "expires_at": moment(change.expires_at) if change.expires_at else None,
        "checker": change.checker,
        "decided_at": moment(change.decided_at) if change.decided_at else None,
        "done_at": moment(change.done_at) if change.done_at else None,
        "code": change.code,
        "successor": change.successor,
        "changed": list(change.changed),
        "bulk": change.act_id,
    }


def _merged(standing: dict[str, Any], wanted: object, name: str) -> dict[str, Any]:
    """The parts one by one: what is wanted goes before what stands; null or an empty text takes it away."""
    if not isinstance(wanted, dict):
        raise InvalidRequestError((FieldFault(field=name, code="bad_form", reason="must be an object"),))
    return {key: value for key, value in {**standing, **wanted}.items() if value not in (None, "", b"")}


def _given(licence: Licence, order: ChangeOrder) -> bytes:
    """All that was asked, in one form."""
    renewed = {
        name: {key: _plain(part) for key, part in value.items()} if isinstance(value, dict) else value
        for name, value in order.renewed.items()
    }
    asked = [
        licence.identifier,
        order.operation.value,
        order.reason,
        order.document_number,
        order.operator,
        order.effective_at,
        renewed,
    ]
    return orjson.dumps(asked, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)


def _plain(value: object) -> object:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _stands(lib: Library, change_id: str) -> bool:
    """Whether the same request was taken before: then it is not judged anew."""
    try:
        lifecycles.change(lib.store, change_id, now=lib.now())
    except NotFoundError:
        return False
    return True
