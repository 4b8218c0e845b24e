"""The commands `certlib ticket`: parse, call one use case, print, exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from certlib import operating_tickets as operating
from certlib.manual import examples
from cli_options import HOME, Home, Json, tell

ticket_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Objections, reported errors, their deadlines, and complaints.",
)

Code = Annotated[str, typer.Argument(metavar="TICKET", help="Id, see: certlib ticket list.")]
Operator = Annotated[str, typer.Option(help="Who does this: a person, for the audit.")]
Agency = Annotated[str, typer.Option("--agency", metavar="CODE", help="Which agency; needed if there are several.")]
AnyAgency = Annotated[str, typer.Option("--agency", metavar="CODE", help="Of this agency only.")]
Text = Annotated[str, typer.Option(help="For the other side to read.")]
Data = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="JSON file with the members of a request that change.")
]
Kind = Literal["objection", "wrong", "missing", ""]
Outcome = Literal["justified", "not_justified", "take", "return", "explain", "decline"]


@ticket_app.command("list", epilog=examples("ticket list"))
def list_tickets(
    agency: Annotated[str, typer.Option("--agency", metavar="CODE", help="Those this agency must answer.")] = "",
    kind: Annotated[Kind, typer.Option(help="Only of this kind.")] = "",
    open_only: Annotated[bool, typer.Option("--open", help="Only what is not closed.")] = False,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only what is overdue now.")] = False,
    escalated: Annotated[bool, typer.Option("--escalated", help="Only what was overdue once.")] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """List tickets, newest first, at most 500, without what people wrote."""
    report = operating.list_tickets(
        home, agency_code=agency, kind=kind, open_only=open_only, overdue=overdue, escalated=escalated
    )
    tell(report, as_json)


@ticket_app.command("show", epilog=examples("ticket show"))
def show(
    code: Code,
    agency: Annotated[
        str, typer.Option("--agency", metavar="CODE", help="With what people wrote, for this side of it.")
    ] = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Show a ticket with its steps."""
    tell(operating.show_ticket(home, code, agency_code=agency), as_json)


@ticket_app.command("answer", epilog=examples("ticket answer"))
def answer(
    code: Code,
    outcome: Annotated[
        Outcome, typer.Option(help="Of an objection: justified, not_justified. Of a correction: the others.")
    ],
    operator: Operator,
    text: Text = "",
    agency: Agency = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Answer an objection, or take, return, explain or decline a correction."""
    report = operating.answer(home, code, operator=operator, outcome=outcome, text=text, agency_code=agency)
    tell(report, as_json)


@ticket_app.command("correct", epilog=examples("ticket correct"))
def correct(
    code: Code,
    operator: Operator,
    text: Text,
    data: Data = None,
    identifier: Annotated[str, typer.Option(help="Of a missing licence: the one that was issued since.")] = "",
    document: Annotated[str, typer.Option(help="Number of the legal document.")] = "",
    agency: Agency = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Correct the licence. The ticket is closed when the new version stands, and names it."""
    report = operating.correct(
        home,
        code,
        operator=operator,
        text=text,
        document=document,
        data=data,
        identifier=identifier,
        agency_code=agency,
    )
    tell(report, as_json)


@ticket_app.command("sweep", epilog=examples("ticket sweep"))
def sweep(home: Home = HOME, as_json: Json = False) -> None:
    """Put down what is overdue, and let tickets follow their changes. Run it every hour or so."""
    tell(operating.sweep(home), as_json)


@ticket_app.command("calendar", epilog=examples("ticket calendar"))
def calendar(agency: Agency = "", home: Home = HOME, as_json: Json = False) -> None:
    """Say when deadlines end that begin now, by calendar.toml in the home."""
    tell(operating.calendar(home, agency_code=agency), as_json)


@ticket_app.command("complaints", epilog=examples("ticket complaints"))
def complaints(agency: AnyAgency = "", home: Home = HOME, as_json: Json = False) -> None:
    """List bad ratings, and reports that paper was still demanded; newest first, at most 500 of each."""
    tell(operating.complaints(home, agency_code=agency), as_json)


def statistics(
    since: Annotated[str, typer.Option("--from", help="First day, like 2026-11-01; 30 days before the last.")] = "",
    until: Annotated[str, typer.Option("--to", help="Last day, included; today if not given.")] = "",
    agency: AnyAgency = "",
    type_code: Annotated[str, typer.Option("--type", metavar="TYPE", help="Of this licence type only.")] = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Show the figures of the service. Small counts are bounds, so that nobody is counted out."""
    tell(operating.statistics(home, since=since, until=until, agency_code=agency, type_code=type_code), as_json)
