"""What the commands of the life cycle do. As `operating`: each opens the library, calls one use case, and reports."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from certlib.errors import CertlibError, FieldFault, InvalidRequestError
from certlib.operating import Report, opened

if TYPE_CHECKING:
    from pathlib import Path

    from certlib.changing import ChangeOrder
    from certlib.lifecycle_bulk import Bulk
    from certlib.operations import Operation
    from certlib.store.changes import Act, Change


def ordered(  # noqa: PLR0913  # what the law wants to know
    operation: Operation, *, reason: str, document: str, effective: str, operator: str, renewed: dict[str, Any]
) -> ChangeOrder:
    """The order that a command line says.

    Raises:
        InvalidRequestError: the moment is none.
    """
    from certlib.changing import ChangeOrder

    return ChangeOrder(
        operation=operation,
        reason=reason,
        document_number=document,
        operator=operator,
        effective_at=_moment("effective", effective),
        renewed=renewed,
    )


def change(home: Path, key: str, order: ChangeOrder, *, data: Path | None) -> Report:
    """Order an operation on the licence under `key`; `data` holds what is other in its new version."""
    from dataclasses import replace

    from certlib import changing, reporting

    with opened(home) as lib:
        licence = reporting.find_licence(lib, key)
        if data is not None:
            order = replace(order, renewed={**reporting.read_request(data), **order.renewed})
        done = changing.order_change(lib, licence.agency_code, licence.identifier, order)
    return _change_report(done)


def decide(home: Path, change_id: str, *, operator: str, approve: bool, agency_code: str) -> Report:
    """Approve or decline a pending change."""
    from certlib import changing, reporting

    with opened(home) as lib:
        agency = reporting.only_agency(lib, agency_code)
        done = changing.decide_change(lib, agency, change_id, operator=operator, approve=approve)
    return _change_report(done)


def pending(home: Path, *, agency_code: str) -> Report:
    """What waits for a second person, or is not finished."""
    from certlib import changing, lifecycle_bulk, reporting

    with opened(home) as lib:
        agency = reporting.only_agency(lib, agency_code)
        changes = changing.open_changes(lib, agency)
        acts = lifecycle_bulk.open_acts(lib, agency)
        data = {
            "changes": [changing.change_json(each) for each in changes],
            "bulk": [lifecycle_bulk.act_json(lib, each) for each in acts],
        }
    lines = [_change_line(each) for each in changes] + [_act_line(each) for each in acts]
    return Report(data=data, text="\n".join(lines) or "Nothing is pending.")


def history(home: Path, key: str) -> Report:
    """All that was ordered on a licence."""
    from certlib import changing, reporting

    with opened(home) as lib:
        licence = reporting.find_licence(lib, key)
        changes = changing.changes_of(lib, licence.agency_code, licence.identifier)
    lines = [_change_line(each) for each in changes]
    return Report(
        data=[changing.change_json(each) for each in changes], text="\n".join(lines) or "Nothing was changed."
    )


def resume(home: Path) -> Report:
    """Go on with what was approved and not finished, then with whatever else was reserved and never issued."""
    from certlib import changing, issuing

    rows: list[dict[str, Any]] = []
    lines: list[str] = []
    good = True
    with opened(home) as lib:
        for each in changing.resume(lib):
            if isinstance(each, CertlibError):
                good = False
                rows.append({"error": {"code": each.code, "message": str(each)}})
                lines.append(f"refused: {each}")
            else:
                rows.append(changing.change_json(each))
                lines.append(_change_line(each))
        for outcome in issuing.sweep(lib):
            if outcome.licence is not None:
                rows.append({"issued": outcome.licence.identifier})
                lines.append(f"issued: {outcome.licence.identifier}")
            elif outcome.error is not None:
                good = False
                rows.append({"error": {"code": outcome.error.code, "message": str(outcome.error)}})
                lines.append(f"refused: {outcome.error}")
    return Report(data=rows, text="\n".join(lines) or "Nothing was left to do.", good=good)


def bulk_of(order: ChangeOrder, *, listed: Path | None, narrowed: dict[str, Any]) -> Bulk:
    """The bulk that a command line says.

    Raises:
        InvalidRequestError: the file is no list of licences, or a moment is none.
    """
    from certlib.lifecycle_bulk import Bulk, read_list
    from certlib.store.bulks import Filter

    if listed is not None:
        return Bulk(order=order, listed=read_list(listed.read_bytes()), wanted=_filter(narrowed))
    return Bulk(order=order, wanted=_filter(narrowed) or Filter())


def _filter(narrowed: dict[str, Any]) -> Any:  # noqa: ANN401  # Filter | None, loaded late
    from certlib.store.bulks import Filter

    given = {name: value for name, value in narrowed.items() if value}
    if not given:
        return None
    given |= {name: _moment(name, given[name]) for name in ("since", "until") if name in given}
    return Filter(**given)


def plan_bulk(home: Path, bulk: Bulk, *, agency_code: str, dry_run: bool) -> Report:
    """Count what a bulk is about, and unless `dry_run` put it down for approval."""
    from certlib import lifecycle_bulk, reporting

    with opened(home) as lib:
        agency = reporting.only_agency(lib, agency_code)
        preview = lifecycle_bulk.rehearse(lib, agency, bulk)
        data: dict[str, Any] = {
            "selected": preview.selected, "planned": preview.planned, "outcomes": dict(preview.outcomes),
            "two_persons": preview.two_persons,
        }  # fmt: skip
        lines = [f"{preview.selected} licences selected, {bulk.order.operation} is possible for {preview.planned}"]
        lines += [f"  {name:<28} {number}" for name, number in sorted(preview.outcomes.items())]
        if not dry_run:
            act = lifecycle_bulk.plan(lib, agency, bulk)
            data["bulk"] = lifecycle_bulk.act_json(lib, act)
            who = "Somebody else approves it" if act.two_persons else "Approve it"
            lines.append(f"{who}: certlib bulk approve {act.id} --count {act.total} --operator NAME")
    return Report(data=data, text="\n".join(lines))


def decide_bulk(  # noqa: PLR0913  # who decides what
    home: Path, act_id: str, *, operator: str, count: int, approve: bool, agency_code: str
) -> Report:
    """Approve an act and do it to its end, or decline it."""
    from certlib import lifecycle_bulk, reporting

    with opened(home) as lib:
        agency = reporting.only_agency(lib, agency_code)
        act = lifecycle_bulk.decide(lib, agency, act_id, operator=operator, total=count, approve=approve)
        if approve:
            act = lifecycle_bulk.run(lib, agency, act_id)
        data = lifecycle_bulk.act_json(lib, act)
    return _act_report(data)


def run_bulk(home: Path, act_id: str, *, agency_code: str) -> Report:
    """Go on with an approved act."""
    from certlib import lifecycle_bulk, reporting

    with opened(home) as lib:
        act = lifecycle_bulk.run(lib, reporting.only_agency(lib, agency_code), act_id)
        data = lifecycle_bulk.act_json(lib, act)
    return _act_report(data)


def show_bulk(home: Path, act_id: str, *, agency_code: str) -> Report:
    """How far an act has come."""
    from certlib import lifecycle_bulk, reporting

    with opened(home) as lib:
        act = lifecycle_bulk.act_of(lib, reporting.only_agency(lib, agency_code), act_id)
        data = lifecycle_bulk.act_json(lib, act)
    return _act_report(data)


def _change_report(done: Change) -> Report:
    from certlib import changing

    good = done.state.value in ("done", "pending", "declined", "approved")
    lines = [_change_line(done)]
    if done.state.value == "pending":
        lines.append(f"Somebody else approves it: certlib licence approve {done.id} --operator NAME")
    return Report(data=changing.change_json(done), text="\n".join(lines), good=good)


def _change_line(done: Change) -> str:
    end = ""
    if done.successor:
        end = f", now {done.successor}; other: {', '.join(done.changed)}"
    elif done.state.value == "done":
        end = f": {done.old} -> {done.new}" if done.old is not done.new else ": noted, the status stays"
    elif done.state.value == "pending" and done.expires_at is not None:
        end = f" until {done.expires_at:%Y-%m-%d %H:%M} UTC, ordered by {done.maker}"
    elif done.code:
        end = f": {done.code}"
    return f"{done.id}  {done.operation} {done.identifier}  {done.state}{end}"


def _act_line(act: Act) -> str:
    return f"{act.id}  bulk {act.operation} of {act.total} licences  {act.state}, ordered by {act.maker}"


def _act_report(data: dict[str, Any]) -> Report:
    lines = [f"{data['id']}  bulk {data['operation']} of {data['total']} licences  {data['state']}"]
    lines += [f"  {name:<28} {number}" for name, number in sorted(data["counts"].items())]
    return Report(data=data, text="\n".join(lines), good=not any(":" in name for name in data["counts"]))


def _moment(name: str, text: str) -> datetime | None:
    """A moment with its offset from UTC, or a day, which is its first moment in UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        reason = "is no moment like 2026-11-22T08:00:00+08:00"
        raise InvalidRequestError((FieldFault(field=name, code="bad_date", reason=reason),)) from error
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
