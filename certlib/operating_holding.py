"""What the commands `certlib holder` do. As `operating`: each opens the library, calls one use case, and reports."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from certlib.errors import FieldFault, InvalidRequestError
from certlib.operating import Report, opened

if TYPE_CHECKING:
    from pathlib import Path

FROM_INPUT = "-"
"""Instead of a holder's code: the next line of standard input, which no list of processes shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Person:
    """A holder as a command line names one."""

    code: str = field(repr=False)
    code_type: str
    name: str = ""


def log_in(home: Path, who: Person, *, how: str, operator: str, ttl_seconds: int) -> Report:
    """Log a holder in whom the operator has identified, and print the bearer."""
    from certlib.holding.sessions import open_session
    from certlib.verdict import moment

    with opened(home) as lib:
        session = open_session(
            lib, code=_code(who), code_type=who.code_type, how=how, operator=operator, ttl_seconds=ttl_seconds
        )
    data = {"session": session.id, "bearer": session.bearer, "expires_at": moment(session.expires_at)}
    return Report(data=data, text=session.bearer)


def show_ledger(  # noqa: PLR0913  # who, how, which page
    home: Path, who: Person, *, how: str, operator: str, before: int, limit: int
) -> Report:
    """Who looked at the licences of a holder who stands at the counter. The session lasts as long as the command."""
    from certlib.holding.ledger import ledger
    from certlib.holding.sessions import end_session, holder_of, open_session

    with opened(home) as lib:
        session = open_session(lib, code=_code(who), code_type=who.code_type, how=how, operator=operator)
        me = holder_of(lib, session.bearer)
        page = ledger(lib, me, before=before, limit=limit)
        end_session(lib, me)
    lines = [_look_line(each) for each in page.looks]
    if page.next:
        lines.append(f"More: --before {page.next}")
    return Report(data={"looks": list(page.looks), "next": page.next}, text="\n".join(lines) or "Nobody has looked.")


def delegate(  # noqa: PLR0913  # what a delegation says
    home: Path,
    principal: Person,
    to: Person,
    *,
    kind: str,
    acts: str,
    types: tuple[str, ...],
    licences: tuple[str, ...],
    until: str,
    basis: str,
    operator: str,
) -> Report:
    """Put down who may act for a holder, on the legal basis that the operator has seen."""
    from certlib.holding.delegating import Act, DelegationKind, Party, Wanted, delegation_json, put_down

    named = [each for each in acts.replace(",", " ").split() if each]
    unknown = [each for each in named if each not in set(Act)]
    if unknown:
        reason = f"must be some of {' '.join(Act)}"
        raise InvalidRequestError((FieldFault(field="acts", code="bad_value", reason=reason),))
    wanted = Wanted(
        kind=DelegationKind(kind),
        delegate=Party(code=_code(to), code_type=to.code_type, name=to.name),
        acts=frozenset(map(Act, named)),
        ends_at=_until(until),
        types=types,
        licences=licences,
        basis=basis,
    )
    with opened(home) as lib:
        party = Party(code=_code(principal), code_type=principal.code_type, name=principal.name)
        made = put_down(lib, wanted, principal=party, operator=operator)
        data = delegation_json(made, lib.now())
    return Report(data=data, text=_delegation_line(data))


def end_delegation(home: Path, delegation_id: str, *, operator: str) -> Report:
    """End a delegation at once."""
    from certlib.holding.delegating import delegation_json, revoke_by_agency

    with opened(home) as lib:
        ended = revoke_by_agency(lib, delegation_id, operator=operator)
        data = delegation_json(ended, lib.now())
    return Report(data=data, text=_delegation_line(data))


def _code(who: Person) -> str:
    return sys.stdin.readline().strip() if who.code == FROM_INPUT else who.code


def _until(text: str) -> datetime:
    """The moment at which a delegation ends: as given, or the end of the day in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        reason = "is no day like 2027-06-30, and no moment like 2027-06-30T00:00:00+08:00"
        raise InvalidRequestError((FieldFault(field="until", code="bad_date", reason=reason),)) from error
    if at.tzinfo is not None:
        return at
    last_day = "T" not in text and " " not in text
    try:
        return at.replace(tzinfo=UTC) + timedelta(days=1 if last_day else 0)
    except OverflowError:
        return at.replace(tzinfo=UTC)


def _look_line(look: dict[str, Any]) -> str:
    who = look["agency"]["name"] if look["agency"] else look["by"]
    what = look["licence"] or f"no {look['type']['code'] or 'licence'} found"
    why = " ".join(each for each in (look["purpose"], look["matter_code"], look["case_number"]) if each)
    basis = f"{look['basis']} {look['clause']}".strip()
    fields = ", ".join(look["fields"])
    line = f"{look['at']}  {look['kind']:<8}  {who}  {what}  {look['outcome']}  [{basis}]  {fields}"
    return f"{line}  for: {why}" if why else line


def _delegation_line(made: dict[str, Any]) -> str:
    def party(each: dict[str, Any]) -> str:
        return f"{each['name']} {each['code']}".strip()

    scope = " ".join([*made["types"], *made["licences"]]) or "all licences"
    return (
        f"{made['id']}  {made['kind']}  {party(made['delegate'])} for {party(made['principal'])}  "
        f"{' '.join(made['acts'])}  {scope}  until {made['ends_at']}  {made['state']}"
    )
