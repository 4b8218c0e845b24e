"""Bulk acts: planned with their licences, decided once, done in blocks.

The licences of an act are rows of `licence_change` that are `planned`; each ends as `done` or `refused` in the
transaction that changes the licence, so that a run can be stopped anywhere and gone on with.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, func, insert, or_, select, update

from certlib.errors import ConflictError, IllegalTransitionError, NotFoundError
from certlib.identifiers import LicenceIdentifier
from certlib.model import Status
from certlib.store import audits
from certlib.store.changes import Act, ChangeState, act_value, binding
from certlib.store.engine import reading, writing
from certlib.store.lifecycles import LISTED, carry_out, entry_of, judged, require_other_person
from certlib.store.tables import LICENCE
from certlib.store.tables_lifecycle import BULK_ACT, LICENCE_CHANGE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from certlib.operations import LifecyclePolicy
    from certlib.store.engine import Store

ROWS_AT_ONCE: Final = 500
"""Read, planned or done in one go."""
_PLANNED: Final = ChangeState.PLANNED.value
_ID_CHARACTERS: Final = 26


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which issued licences of an agency; empty members do not narrow it."""

    key: str = ""
    """Hex id of the key that signed the token or sealed the file."""
    operator: str = ""
    """Who issued it."""
    type_code: str = ""
    type_version: int = 0
    batch: str = ""
    since: datetime | None = None
    """Issued at this moment or later."""
    until: datetime | None = None
    """Issued before this moment."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Selected:
    """A licence that an act may be about."""

    id: int
    identifier: LicenceIdentifier
    type_code: str
    status: Status
    expires_on: date | None
    timezone: str


def selected(store: Store, agency_code: str, wanted: Filter) -> Iterator[Selected]:
    """The agency's issued licences that the filter lets through, in the order of their making; memory stays flat."""
    conditions: list[Any] = [LICENCE.c.agency_code == agency_code, LICENCE.c.state == "issued"]
    if wanted.key:
        conditions.append(or_(LICENCE.c.token_kid == wanted.key, LICENCE.c.seal_kid == wanted.key))
    same = {name: getattr(wanted, name) for name in ("operator", "type_code", "type_version", "batch")}
    conditions += [LICENCE.c[name] == value for name, value in same.items() if value]
    if wanted.since is not None:
        conditions.append(LICENCE.c.issued_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(LICENCE.c.issued_at < wanted.until)
    last = 0
    while True:
        query = select(*_COLUMNS).where(*conditions, LICENCE.c.id > last).order_by(LICENCE.c.id).limit(ROWS_AT_ONCE)
        with reading(store) as conn:
            found = [_selected(row) for row in conn.execute(query).mappings()]
        yield from found
        if len(found) < ROWS_AT_ONCE:
            return
        last = found[-1].id


def named(store: Store, agency_code: str, identifiers: Sequence[str]) -> dict[str, Selected]:
    """The agency's issued licences among `identifiers`."""
    found: dict[str, Selected] = {}
    for start in range(0, len(identifiers), ROWS_AT_ONCE):
        query = select(*_COLUMNS).where(
            LICENCE.c.identifier.in_(identifiers[start : start + ROWS_AT_ONCE]),
            LICENCE.c.agency_code == agency_code,
            LICENCE.c.state == "issued",
        )
        with reading(store) as conn:
            found |= {row["identifier"]: _selected(row) for row in conn.execute(query).mappings()}
    return found


def plan(store: Store, act: Act, items: Iterable[tuple[Selected, bytes | None]], *, now: datetime) -> Act:
    """Put down an act with all its licences, in one transaction. `items` bring the new version's request, if any."""
    with writing(store) as conn:
        row = {**asdict(act), "operation": str(act.operation), "state": str(act.state), "total": 0}
        conn.execute(insert(BULK_ACT).values(row))
        total, block = 0, []
        for each, content in items:
            block.append(_item(store, act, each, content, now))
            total += 1
            if len(block) == ROWS_AT_ONCE:
                conn.execute(insert(LICENCE_CHANGE), block)
                block = []
        if block:
            conn.execute(insert(LICENCE_CHANGE), block)
        conn.execute(update(BULK_ACT).where(BULK_ACT.c.id == act.id).values(total=total))
        detail: dict[str, str | int] = {"operation": str(act.operation), "total": total, "selection": act.selection}
        detail |= {"document_number": act.document_number}
        detail["reason_digest"] = store.cipher.digest("reason", act.reason.encode()).hex()
        audits.append(conn, [audits.Entry(actor=act.maker, act="bulk.planned", subject=act.id, detail=detail)], at=now)
    return find(store, act.id, now=now)


def find(store: Store, act_id: str, *, now: datetime, agency_code: str | None = None) -> Act:
    """One act.

    Raises:
        NotFoundError: none, or of another agency.
    """
    with reading(store) as conn:
        fit = act_id.isascii() and act_id.isalnum()
        row = conn.execute(select(BULK_ACT).where(BULK_ACT.c.id == act_id)).mappings().one_or_none() if fit else None
    if row is None or (agency_code is not None and row["agency_code"] != agency_code):
        raise NotFoundError("no bulk act is known under this id")
    return act_value(row, now=now)


def open_acts(store: Store, agency_code: str, *, now: datetime) -> tuple[Act, ...]:
    """Acts that wait for approval, expired ones among them, or are not finished; oldest first."""
    query = select(BULK_ACT).where(BULK_ACT.c.agency_code == agency_code, BULK_ACT.c.state.in_(("pending", "approved")))
    with reading(store) as conn:
        rows = conn.execute(query.order_by(BULK_ACT.c.made_at).limit(LISTED)).mappings()
        return tuple(act_value(row, now=now) for row in rows)


def counts(store: Store, act_id: str) -> dict[str, int]:
    """How many licences of an act are planned, done, or refused with which code (`refused:<code>`)."""
    query = (
        select(LICENCE_CHANGE.c.state, LICENCE_CHANGE.c.code, func.count())
        .where(LICENCE_CHANGE.c.act_id == act_id)
        .group_by(LICENCE_CHANGE.c.state, LICENCE_CHANGE.c.code)
    )
    with reading(store) as conn:
        return {f"{state}:{code}" if code else state: number for state, code, number in conn.execute(query)}


def decide(  # noqa: PLR0913  # who decides what
    store: Store, act: Act, *, checker: str, approve: bool, total: int, now: datetime
) -> Act:
    """Approve or decline a pending act. Approved again, it is given as it stands.

    Raises:
        ForbiddenError: code `maker_is_checker`, where its type asks for two persons.
        ConflictError: code `other_count`: `total` is not what was planned; `change_expired`; `already_decided`.
    """
    with writing(store) as conn:
        query = select(BULK_ACT).where(BULK_ACT.c.id == act.id).with_for_update()
        known = act_value(conn.execute(query).mappings().one(), now=now)
        if approve and known.state in (ChangeState.APPROVED, ChangeState.DONE):
            return known
        if known.state is ChangeState.EXPIRED:
            raise ConflictError(f"act {act.id} has expired", code="change_expired")
        if known.state is not ChangeState.PENDING:
            raise ConflictError(f"act {act.id} is {known.state}", code="already_decided")
        if approve and known.two_persons:
            require_other_person(known.maker, checker)
        if approve and total != known.total:
            raise ConflictError(f"it was planned for {known.total} licences, not {total}", code="other_count")
        state = ChangeState.APPROVED if approve else ChangeState.DECLINED
        values = {"state": str(state), "checker": checker, "decided_at": now}
        conn.execute(update(BULK_ACT).where(BULK_ACT.c.id == act.id).values(values))
        if not approve:
            of_act = (LICENCE_CHANGE.c.act_id == act.id) & (LICENCE_CHANGE.c.state == _PLANNED)
            conn.execute(update(LICENCE_CHANGE).where(of_act).values(state=str(state)))
        detail: dict[str, str | int] = {"operation": str(known.operation), "total": known.total, "maker": known.maker}
        entry = audits.Entry(actor=checker, act=f"bulk.{state}", subject=act.id, detail=detail)
        audits.append(conn, [entry], at=now)
    return find(store, act.id, now=now)


def run_block(store: Store, act: Act, policy_of: Callable[[str], LifecyclePolicy], *, now: datetime) -> int:
    """Do the next licences of an approved act that moves statuses: all of the block, or none. 0 when none is left."""
    mine = (LICENCE_CHANGE.c.act_id == act.id) & (LICENCE_CHANGE.c.state == _PLANNED)
    with writing(store) as conn:
        query = select(LICENCE_CHANGE).where(mine).order_by(LICENCE_CHANGE.c.licence_id).limit(ROWS_AT_ONCE)
        changes = conn.execute(query.with_for_update()).mappings().all()
        if not changes:
            return 0
        ids = [row["licence_id"] for row in changes]
        chosen = select(*_COLUMNS).where(LICENCE.c.id.in_(ids)).order_by(LICENCE.c.id).with_for_update()
        licences = {row["id"]: row for row in conn.execute(chosen).mappings()}
        entries, ends = [], []
        for planned in changes:
            licence = licences[planned["licence_id"]]
            row: dict[str, Any] = {**planned, "checker": act.checker, "decided_at": act.decided_at}
            try:
                found = judged(licence, act.operation, policy_of(licence["type_code"]), now)
            except IllegalTransitionError as error:
                row |= {"state": ChangeState.REFUSED.value, "code": error.code, "done_at": now}
                entries.append(entry_of(store, row, licence["identifier"], "refused", actor=act.checker))
            else:
                entries.append(carry_out(store, conn, licence, row, found, now=now, actor=act.checker))
            ends.append({"change_id": row["id"], **{name: row[name] for name in _ENDS}})
        statement = update(LICENCE_CHANGE).where(LICENCE_CHANGE.c.id == bindparam("change_id"))
        conn.execute(statement.values({name: bindparam(name) for name in _ENDS}), ends)
        audits.append(conn, entries, at=now)
    return len(changes)


def planned_ids(store: Store, act_id: str) -> tuple[str, ...]:
    """Ids of the next licences' changes that are not done."""
    mine = (LICENCE_CHANGE.c.act_id == act_id) & (LICENCE_CHANGE.c.state == _PLANNED)
    query = select(LICENCE_CHANGE.c.id).where(mine).order_by(LICENCE_CHANGE.c.licence_id).limit(ROWS_AT_ONCE)
    with reading(store) as conn:
        return tuple(conn.execute(query).scalars())


def finish(store: Store, act: Act, *, now: datetime) -> Act:
    """Put down that nothing of an approved act is left. Again changes nothing."""
    with writing(store) as conn:
        query = select(BULK_ACT.c.state).where(BULK_ACT.c.id == act.id).with_for_update()
        if conn.execute(query).scalar_one() == ChangeState.APPROVED.value:
            values = {"state": ChangeState.DONE.value, "finished_at": now}
            conn.execute(update(BULK_ACT).where(BULK_ACT.c.id == act.id).values(values))
            detail: Mapping[str, str | int] = {"operation": str(act.operation), **counts(store, act.id)}
            entry = audits.Entry(actor=act.checker, act="bulk.finished", subject=act.id, detail=detail)
            audits.append(conn, [entry], at=now)
    return find(store, act.id, now=now)


def _item(store: Store, act: Act, licence: Selected, content: bytes | None, now: datetime) -> dict[str, Any]:
    item_id = hashlib.sha256(f"{act.id}\0{licence.id}".encode()).hexdigest()[:_ID_CHARACTERS]
    return {
        "id": item_id,
        "agency_code": act.agency_code,
        "licence_id": licence.id,
        "operation": str(act.operation),
        "state": _PLANNED,
        "old": str(licence.status),
        "new": str(licence.status),
        "reason": act.reason,
        "document_number": act.document_number,
        "effective_at": act.effective_at,
        "maker": act.maker,
        "made_at": now,
        "expires_at": None,
        "checker": "",
        "decided_at": None,
        "done_at": None,
        "code": "",
        "successor": "",
        "changed": "",
        "act_id": act.id,
        "key_id": store.cipher.key_id,
        "order_digest": b"",
        "sealed": None if content is None else store.cipher.seal(content, binding(item_id)),
    }


_COLUMNS: Final = tuple(
    LICENCE.c[name]
    for name in ("id", "identifier", "agency_code", "type_code", "status", "expires_on", "timezone", "number")
)
_ENDS: Final = ("state", "old", "new", "code", "checker", "decided_at", "done_at")


def _selected(row: Any) -> Selected:  # noqa: ANN401  # a row
    return Selected(
        id=row["id"],
        identifier=LicenceIdentifier(row["identifier"]),
        type_code=row["type_code"],
        status=Status(row["status"]),
        expires_on=row["expires_on"],
        timezone=row["timezone"],
    )
