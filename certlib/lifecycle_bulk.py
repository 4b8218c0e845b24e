"""One operation on many licences: counted first, approved once, done in blocks that a crash does not split.

preview = rehearse(lib, agency, bulk)            # how many, and what would become of them; nothing is written
act = plan(lib, agency, bulk)                    # the very licences are put down
act = decide(lib, agency, act.id, operator=..., total=act.total)
act = run(lib, agency, act.id)                   # again after a crash: what was done is not done twice
"""

from __future__ import annotations

import csv
import hashlib
import io
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import orjson

from certlib.changing import (
    LASTING,
    ChangeOrder,
    go_on,
    new_version,
    require_lawful,
    type_now,
)
from certlib.errors import CertlibError, ConflictError, FieldFault, IllegalTransitionError, InvalidRequestError
from certlib.identifiers import normalise_identifier
from certlib.lifecycle import require_ordered
from certlib.operations import NEW_VERSIONS, Ruling, ruling, standing_of
from certlib.store import bulks, lifecycles, lookups
from certlib.store.bulks import Filter, Selected
from certlib.store.changes import Act, ChangeState, new_id
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from certlib.library import Library
    from certlib.operations import LifecyclePolicy

__all__ = [
    "Bulk",
    "Filter",
    "Preview",
    "act_json",
    "act_of",
    "decide",
    "open_acts",
    "plan",
    "read_list",
    "rehearse",
    "run",
]

MAX_NEW_VERSIONS: Final = 10_000
"""Of one act; each is a whole request that waits sealed."""
MAX_LISTED: Final = 200_000
"""Rows of one file."""
MAX_FAULTS: Final = 50
"""Named at once."""
DATES: Final = ("issued_on", "effective_on", "expires_on")
HOLDER: Final = {"holder_name": "name", "holder_code": "code", "holder_code_type": "code_type"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bulk:
    """An operation on many licences as somebody orders it."""

    order: ChangeOrder
    """`renewed` holds for each of them; what a row says goes before."""
    wanted: Filter | None = None
    """Which licences; None with `listed`."""
    listed: Mapping[str, Mapping[str, Any]] | None = None
    """Identifier -> what is other in its new version, as `read_list` gives it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What would become of the licences that a bulk is about."""

    selected: int
    planned: int
    """Those that the act would be about: selected and not refused."""
    outcomes: Mapping[str, int]
    """`moved`, `noted`, `new_version`, or `refused:<code>` -> how many."""
    two_persons: bool


def read_list(data: bytes) -> dict[str, dict[str, Any]]:
    """The licences of a CSV in UTF-8: column `identifier`, and for new versions dates, holder or fields by name.

    Raises:
        InvalidRequestError: unreadable, no column `identifier`, a licence twice, too many rows.
    """
    try:
        rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        if "identifier" not in (rows.fieldnames or ()):
            raise _fault("identifier", "required", "is not a column of the file")
        listed: dict[str, dict[str, Any]] = {}
        for line, row in enumerate(rows, 2):
            if None in row or None in row.values():
                raise _fault(f"row {line}", "bad_form", "has not as many cells as the head")
            identifier = normalise_identifier(row.pop("identifier").strip())
            if identifier in listed:
                raise _fault(f"row {line}", "twice", "is a licence that stands in the file already")
            if len(listed) == MAX_LISTED:
                raise _fault("(whole)", "too_many", f"more than {MAX_LISTED} rows")
            listed[identifier] = _renewed(row)
    except (UnicodeDecodeError, csv.Error) as error:
        raise _fault("(whole)", "unreadable", "is not a CSV in UTF-8") from error
    return listed


def rehearse(lib: Library, agency_code: str, bulk: Bulk) -> Preview:
    """Count what `bulk` is about and what would become of it. Nothing is written.

    Raises:
        InvalidRequestError: the order says not all it must, or a listed licence is not the agency's.
    """
    _require_lawful(lib, bulk)
    outcomes: dict[str, int] = {}
    two_persons = False
    policies = _Policies(lib)
    for licence in _licences(lib, agency_code, bulk):
        outcome = _outcome(lib, bulk, licence, policies)
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
        if not outcome.startswith(Ruling.REFUSED):
            two_persons |= bulk.order.operation in policies.of(licence.type_code).maker_checker
    planned = sum(number for name, number in outcomes.items() if not name.startswith(Ruling.REFUSED))
    return Preview(selected=sum(outcomes.values()), planned=planned, outcomes=outcomes, two_persons=two_persons)


def plan(lib: Library, agency_code: str, bulk: Bulk) -> Act:
    """Put down the act with the licences it is about; those that would be refused are left out.

    Raises:
        InvalidRequestError: as `rehearse`; a new version would not be lawful; or no licence is left.
    """
    preview = rehearse(lib, agency_code, bulk)
    if not preview.planned:
        raise _fault("(whole)", "nothing_selected", "no licence is left that this could be done to")
    order, policies, now = bulk.order, _Policies(lib), lib.now()
    if order.operation in NEW_VERSIONS and preview.planned > MAX_NEW_VERSIONS:
        raise _fault("(whole)", "too_many", f"{preview.planned} licences, at most {MAX_NEW_VERSIONS} at once")
    chosen = (
        each
        for each in _licences(lib, agency_code, bulk)
        if not _outcome(lib, bulk, each, policies).startswith(Ruling.REFUSED)
    )
    items: Any = ((each, None) for each in chosen)
    if order.operation in NEW_VERSIONS:
        items = _with_contents(lib, bulk, list(chosen))
    act = Act(
        id=new_id(),
        agency_code=agency_code,
        operation=order.operation,
        state=ChangeState.PENDING,
        reason=order.reason,
        document_number=order.document_number,
        effective_at=order.effective_at or now,
        selection=_selection(bulk),
        total=0,
        two_persons=preview.two_persons,
        maker=order.operator,
        made_at=now,
        expires_at=now + timedelta(days=policies.pending_days()),
        checker="",
        decided_at=None,
        finished_at=None,
    )
    planned = bulks.plan(lib.store, act, items, now=now)
    lib.step("planned")
    return planned


def decide(  # noqa: PLR0913  # who decides what
    lib: Library, agency_code: str, act_id: str, *, operator: str, total: int = 0, approve: bool = True
) -> Act:
    """Approve an act for exactly `total` licences, or decline it. Nothing is done yet: `run` does it.

    Raises:
        NotFoundError: the agency has no such act.
        ForbiddenError: code `maker_is_checker`.
        ConflictError: code `other_count`, `change_expired`, `already_decided`.
    """
    require_ordered(reason="-", document_number="", operator=operator, adverse=False)
    act = bulks.find(lib.store, act_id, now=lib.now(), agency_code=agency_code)
    decided = bulks.decide(lib.store, act, checker=operator, approve=approve, total=total, now=lib.now())
    lib.step("decided")
    return decided


def run(lib: Library, agency_code: str, act_id: str) -> Act:
    """Do what is left of an approved act, to its end. A finished one is given as it stands.

    Raises:
        NotFoundError: the agency has no such act.
        ConflictError: code `not_approved`.
        UnavailableError, OwnFaultError, SetupError: what was done stays done; run again.
    """
    act = bulks.find(lib.store, act_id, now=lib.now(), agency_code=agency_code)
    if act.state is ChangeState.DONE:
        return act
    if act.state is not ChangeState.APPROVED:
        raise ConflictError(f"act {act_id} is {act.state}, not approved", code="not_approved")
    if act.operation in NEW_VERSIONS:
        _renew_all(lib, act)
    else:
        policies = _Policies(lib)
        while bulks.run_block(lib.store, act, policies.of, now=lib.now()):
            lib.step("block")
    done = bulks.finish(lib.store, act, now=lib.now())
    lib.step("finished")
    return done


def act_of(lib: Library, agency_code: str, act_id: str) -> Act:
    """One of the agency's acts.

    Raises:
        NotFoundError: none.
    """
    return bulks.find(lib.store, act_id, now=lib.now(), agency_code=agency_code)


def open_acts(lib: Library, agency_code: str) -> tuple[Act, ...]:
    """The agency's acts that wait for approval, expired ones among them, or are not finished."""
    return bulks.open_acts(lib.store, agency_code, now=lib.now())


def act_json(lib: Library, act: Act) -> dict[str, Any]:
    """An act as programs read it, with how far it has come."""
    return {
        "id": act.id,
        "operation": act.operation.value,
        "state": act.state.value,
        "total": act.total,
        "counts": bulks.counts(lib.store, act.id),
        "reason": act.reason,
        "document_number": act.document_number,
        "effective_at": moment(act.effective_at),
        "selection": orjson.loads(act.selection),
        "two_persons": act.two_persons,
        "maker": act.maker,
        "made_at": moment(act.made_at),
        "expires_at": moment(act.expires_at),
        "checker": act.checker,
        "decided_at": moment(act.decided_at) if act.decided_at else None,
        "finished_at": moment(act.finished_at) if act.finished_at else None,
    }


class _Policies:
    """What each type says, read once."""

    def __init__(self, lib: Library) -> None:
        self._lib = lib
        self._known: dict[str, LifecyclePolicy] = {}

    def of(self, type_code: str) -> LifecyclePolicy:
        if type_code not in self._known:
            self._known[type_code] = type_now(self._lib, type_code).lifecycle
        return self._known[type_code]

    def pending_days(self) -> int:
        """Of the strictest type that was looked at."""
        return min((each.pending_days for each in self._known.values()), default=1)


def _require_lawful(lib: Library, bulk: Bulk) -> None:
    if (bulk.wanted is None) == (bulk.listed is None):
        raise _fault("(whole)", "required", "name the licences by a filter or by a file, not by both")
    if bulk.wanted is not None and bulk.wanted == Filter():
        raise _fault("filter", "required", "is empty: that would be every licence of the agency")
    order, columns = bulk.order, {name for row in (bulk.listed or {}).values() for name in row}
    # What each row brings is judged with its licence.
    given = {**dict.fromkeys(columns, "-"), **order.renewed}
    require_lawful(replace(order, renewed=given), lib.now())


def _licences(lib: Library, agency_code: str, bulk: Bulk) -> Iterator[Selected]:
    if bulk.wanted is not None:
        yield from bulks.selected(lib.store, agency_code, bulk.wanted)
        return
    listed = list(bulk.listed or ())
    known = bulks.named(lib.store, agency_code, [each for each in listed if each.isascii() and each.isprintable()])
    faults = [
        FieldFault(field=f"row {row}", code="not_found", reason="is no licence of this agency")
        for row, identifier in enumerate(listed, 2)
        if identifier not in known
    ]
    if faults:
        raise InvalidRequestError(tuple(faults[:MAX_FAULTS]))
    yield from sorted(known.values(), key=lambda each: each.id)


def _outcome(lib: Library, bulk: Bulk, licence: Selected, policies: _Policies) -> str:
    standing = standing_of(licence.status, licence.expires_on, licence.timezone, lib.now())
    try:
        return ruling(bulk.order.operation, standing, policies.of(licence.type_code)).value
    except IllegalTransitionError as error:
        return f"{Ruling.REFUSED}:{error.code}"


def _with_contents(lib: Library, bulk: Bulk, chosen: list[Selected]) -> list[tuple[Selected, bytes | None]]:
    """Each licence with the request for its new version, drawn once for trial; every fault is named by identifier."""
    items: list[tuple[Selected, bytes | None]] = []
    faults: list[FieldFault] = []
    for each in chosen:
        row = (bulk.listed or {}).get(each.identifier, {})
        fields = {**bulk.order.renewed.get("fields", {}), **row.get("fields", {})}
        renewed = {**bulk.order.renewed, **row, **({"fields": fields} if fields else {})}
        licence = lookups.licence_by_identifier(lib.store, each.identifier)
        try:
            order = replace(bulk.order, renewed=renewed)
            require_lawful(order, lib.now())
            items.append((each, new_version(lib, licence, order, rehearsed=True)))
        except InvalidRequestError as error:
            faults += [replace(fault, field=f"{each.identifier}: {fault.field}") for fault in error.faults]
        except CertlibError as error:
            faults.append(FieldFault(field=each.identifier, code=error.code, reason=str(error)))
        if len(faults) >= MAX_FAULTS:
            break
    if faults:
        raise InvalidRequestError(tuple(faults[:MAX_FAULTS]))
    return items


def _renew_all(lib: Library, act: Act) -> None:
    while waiting := bulks.planned_ids(lib.store, act.id):
        for each in waiting:
            planned = lifecycles.change(lib.store, each, now=lib.now())
            try:
                go_on(lib, replace(planned, state=ChangeState.APPROVED))
            except LASTING:
                continue  # put down as refused, with its code
        lib.step("block")


def _renewed(row: Mapping[str, str]) -> dict[str, Any]:
    """What the cells of a row say is other; an empty cell says nothing."""
    filled = {name: text for name, text in row.items() if text.strip()}
    renewed: dict[str, Any] = {name: filled.pop(name) for name in (*DATES, "area_code") if name in filled}
    holder = {member: filled.pop(name) for name, member in HOLDER.items() if name in filled}
    if holder:
        renewed["holders"] = [holder]
    return {**renewed, "fields": filled} if filled else renewed


def _selection(bulk: Bulk) -> str:
    if bulk.wanted is not None:
        members = {name: getattr(bulk.wanted, name) for name in Filter.__slots__}
        return orjson.dumps({name: value for name, value in members.items() if value}).decode()
    digest = hashlib.sha256(orjson.dumps(dict(bulk.listed or {}), option=orjson.OPT_SORT_KEYS)).hexdigest()
    return orjson.dumps({"rows": len(bulk.listed or {}), "sha256": digest}).decode()


def _fault(name: str, code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field=name, code=code, reason=reason),))
