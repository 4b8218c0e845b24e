"""What the commands of tickets and figures do. As `operating`: each opens the library, calls one use case, reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from certlib.operating import Report, opened

if TYPE_CHECKING:
    from pathlib import Path


_NEXT_DAYS: Final = 5


def list_tickets(  # noqa: PLR0913  # what a list is narrowed by
    home: Path, *, agency_code: str, kind: str, open_only: bool, overdue: bool, escalated: bool
) -> Report:
    """Tickets of an agency, or of the whole library; what became overdue meanwhile is put down first."""
    from certlib.store.ticketing import TicketKind
    from certlib.tickets import corrections, following

    with opened(home) as lib:
        wanted = following.Wanted(
            agency_code=agency_code,
            kind=TicketKind(kind) if kind else None,
            open_only=open_only,
            escalated=escalated,
        )
        wanted = following.overdue_only(lib, wanted) if overdue else wanted
        found = corrections.settled(lib, following.tickets_for(lib, wanted))
        rows = [following.ticket_json(lib, each, written=False) for each in found]
    lines = [_line(each) for each in rows]
    return Report(data=rows, text="\n".join(lines) or "There is no such ticket.")


def show_ticket(home: Path, code: str, *, agency_code: str) -> Report:
    """One ticket with its steps; with what people wrote, for the agency named, which must be one of its sides."""
    from certlib.tickets import corrections, following

    with opened(home) as lib:
        if agency_code:
            known, _ = following.ticket_for(lib, agency_code, code)
        else:
            known = following.ticket_unwritten(lib, code)
        shown = following.whole_json(lib, corrections.settle(lib, known), written=bool(agency_code))
    return Report(data=shown, text="\n".join(_whole_lines(shown)))


def answer(  # noqa: PLR0913  # who says what to which
    home: Path, code: str, *, operator: str, outcome: str, text: str, agency_code: str
) -> Report:
    """Answer an objection, or move a correction on."""
    from certlib import reporting
    from certlib.store.ticketing import Action
    from certlib.tickets import following, objections

    with opened(home) as lib:
        agency = reporting.only_agency(lib, agency_code)
        if outcome in (objections.JUSTIFIED, objections.NOT_JUSTIFIED):
            justified = outcome == objections.JUSTIFIED
            done = objections.answer(lib, agency, code, operator=operator, justified=justified, text=text)
        else:
            done = following.step_by_agency(lib, agency, code, Action(outcome), operator=operator, text=text)
        return _done(following.ticket_json(lib, done))


def correct(  # noqa: PLR0913  # who corrects what
    home: Path,
    code: str,
    *,
    operator: str,
    text: str,
    document: str,
    data: Path | None,
    identifier: str,
    agency_code: str,
) -> Report:
    """Correct the licence that a ticket is about; `data` holds what is other in its new version."""
    from certlib import reporting
    from certlib.tickets import corrections, following

    with opened(home) as lib:
        said = corrections.Correction(
            operator=operator,
            text=text,
            document_number=document,
            new={} if data is None else reporting.read_request(data),
            identifier=identifier,
        )
        done = corrections.correct(lib, reporting.only_agency(lib, agency_code), code, said)
        return _done(following.ticket_json(lib, done))


def sweep(home: Path) -> Report:
    """Put down what is overdue, let tickets follow their changes, and count for the figures."""
    from certlib.tickets import corrections, counting, following

    with opened(home) as lib:
        overdue = following.sweep(lib)
        moved = corrections.settle_all(lib)
        counting.catch_up(lib)
    lines = [f"overdue   {code}" for code in overdue] + [f"followed  {code}" for code in moved]
    return Report(
        data={"overdue": list(overdue), "followed": list(moved)}, text="\n".join(lines) or "Nothing was left to do."
    )


def calendar(home: Path, *, agency_code: str) -> Report:
    """Deadlines that begin now, by the calendar of an agency."""
    from certlib import reporting
    from certlib.tickets import following
    from certlib.verdict import moment

    with opened(home) as lib:
        agency = reporting.only_agency(lib, agency_code)
        days = {
            "objection": lib.settings.objection_days,
            "correction": lib.settings.correction_days,
            **{str(number): number for number in range(1, _NEXT_DAYS + 1)},
        }
        ends = {name: moment(following.due_at(lib, agency, number)) for name, number in days.items()}
    lines = [f"{name:<11} {days[name]:>3} working days, ends {end}" for name, end in ends.items()]
    return Report(data={"agency": agency, "ends": ends}, text="\n".join(lines))


def complaints(home: Path, *, agency_code: str) -> Report:
    """Bad ratings, and reports that paper was still demanded."""
    from certlib.tickets import rating

    with opened(home) as lib:
        bad = [rating.rating_json(each) for each in rating.bad_ratings(lib, agency_code=agency_code)]
        paper = [rating.paper_json(each) for each in rating.paper_reports(lib, agency_code=agency_code)]
    lines = [f"{each['at']}  {each['agency']}  rated {each['score']} by {each['by']}: {each['text']}" for each in bad]
    lines += [
        f"{each['at']}  {each['agency']}  paper for {each['type']}: {each['reason']} {each['text']}".rstrip()
        for each in paper
    ]
    return Report(data={"ratings": bad, "paper": paper}, text="\n".join(lines) or "Nobody complained.")


def statistics(home: Path, *, since: str, until: str, agency_code: str, type_code: str) -> Report:
    """The figures of the service."""
    from certlib import figures
    from certlib.tickets import counting

    with opened(home) as lib:
        question = figures.question_of(lib, since=since, until=until, agency_code=agency_code, type_code=type_code)
        counting.catch_up(lib)
        found = figures.statistics(lib, question)
    return Report(data=found, text="\n".join(_statistics_lines(found)))


def _done(shown: dict[str, Any]) -> Report:
    lines = [_line(shown)]
    if shown["state"] == "correcting":
        lines.append(f"Somebody else approves it: certlib licence approve {shown['change']} --operator NAME")
    return Report(data=shown, text="\n".join(lines))


def _line(shown: dict[str, Any]) -> str:
    due = f", due {shown['due_at']}" if shown["due_at"] and not shown["closed_at"] else ""
    late = ", OVERDUE" if shown["overdue"] else ""
    end = f", now {shown['successor']}" if shown["successor"] else ""
    what = " ".join(shown["fields"]) or shown["type"]
    state = shown["outcome"] or shown["state"]
    return f"{shown['id']}  {shown['kind']} {what}  to {shown['agency']}  {state}{due}{late}{end}"


def _whole_lines(shown: dict[str, Any]) -> list[str]:
    lines = [_line(shown)]
    lines += [f"  text      {shown['text']}"] if shown.get("text") else []
    for each in shown.get("items", ()):
        lines.append(f"  {each['field']}: {each['wrong']} -> {each['right'] or '(not said)'}")
    lines += [f"  contact   {shown['contact']}"] if shown.get("contact") else []
    for each in shown["steps"]:
        who = f"{each['by']} {each['operator']}"
        lines.append(f"  {each['at']}  {each['action']:<10} {each['state']:<11} {who}  {each['text']}".rstrip())
    return lines


def _statistics_lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{found['from']} to {found['to']}, counted to {found['counted_to'] or 'nothing yet'}"]
    for each in found["groups"]:
        lines.append(f"{each['agency']}  {each['type']}: {each['active']['shown']} in force{_rates_text(each)}")
        lines += [
            f"  {row['figure']:<14} {row['key']:<22} {row['shown']}"
            for row in found["rows"]
            if (row["agency"], row["type"]) == (each["agency"], each["type"])
        ]
    lines.append(f"All{_rates_text(found['totals'])}")
    lines += [f"  {each['figure']:<14} {each['key']:<22} {each['shown']}" for each in found["totals"]["counts"]]
    return lines


def _rates_text(rates: dict[str, Any]) -> str:
    names = {"success_rate": "success", "use_rate": "use", "rating": "rating"}
    shown = [
        f"{text} {rates[name]['at_least']:.2f}-{rates[name]['at_most']:.2f}"
        for name, text in names.items()
        if rates[name] is not None
    ]
    return f" ({', '.join(shown)})" if shown else ""
