"""The commands `certlib holder`: parse, call one use case, print, exit code."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from certlib import operating_holding as operating
from certlib.manual import examples
from certlib.operating_holding import Person
from cli_options import HOME, Home, Json, tell

holder_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What a holder may see and do.")

Code = Annotated[str, typer.Option(help="The holder's code; - reads it from standard input.")]
CodeType = Annotated[str, typer.Option(metavar="TYPE", help="Kind of code, GB/T 36903: 111 citizen number ...")]
How = Annotated[str, typer.Option(help="How the holder was identified.")]
Operator = Annotated[str, typer.Option(help="Who does this: a person, for the audit.")]


class Kind(StrEnum):
    """Why one acts for another."""

    GUARDIAN = "guardian"
    AGENT = "agent"
    OFFICER = "officer"


@holder_app.command("token", epilog=examples("holder token"))
def token(
    code: Code,
    code_type: CodeType,
    how: How,
    operator: Operator,
    ttl_seconds: Annotated[int, typer.Option(min=0, help="Shorter than the setting; 0 is the setting.")] = 0,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Log a holder in whom you have identified, and print the bearer for /v1/my."""
    who = Person(code=code, code_type=code_type)
    tell(operating.log_in(home, who, how=how, operator=operator, ttl_seconds=ttl_seconds), as_json)


@holder_app.command("ledger", epilog=examples("holder ledger"))
def ledger(
    code: Code,
    code_type: CodeType,
    how: How,
    operator: Operator,
    before: Annotated[int, typer.Option(min=0, max=2**63 - 1, help="Older than this row.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=500, help="Rows at most.")] = 100,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Print who looked at the licences of a holder who stands before you."""
    who = Person(code=code, code_type=code_type)
    tell(operating.show_ledger(home, who, how=how, operator=operator, before=before, limit=limit), as_json)


@holder_app.command("delegate", epilog=examples("holder delegate"))
def delegate(
    kind: Annotated[Kind, typer.Argument(help="Of a child or ward; chosen by the holder; of a company.")],
    code: Annotated[str, typer.Option(help="Code of the holder; - reads it from standard input, after the other.")],
    code_type: CodeType,
    to_code: Annotated[str, typer.Option(help="Code of the person who will act; - reads it from standard input.")],
    to_code_type: Annotated[str, typer.Option(metavar="TYPE", help="Kind of that code.")],
    basis: Annotated[str, typer.Option(help="Legal basis that you have seen.")],
    until: Annotated[str, typer.Option(help="Last day in UTC, or a moment like 2027-06-30T00:00:00+08:00.")],
    operator: Operator,
    acts: Annotated[str, typer.Option(help="Some of see, show, consent, report.")] = "see,show,consent,report",
    types: Annotated[list[str] | None, typer.Option("--type", help="Only licences of this type; repeat it.")] = None,
    licences: Annotated[list[str] | None, typer.Option("--licence", help="Only this licence; repeat it.")] = None,
    name: Annotated[str, typer.Option(help="Name of the holder; else that on the newest licence.")] = "",
    to_name: Annotated[str, typer.Option(help="Name of the person who will act.")] = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Put down who may act for a holder: a guardian, an agent, an officer of a company."""
    report = operating.delegate(
        home,
        Person(code=code, code_type=code_type, name=name),
        Person(code=to_code, code_type=to_code_type, name=to_name),
        kind=kind.value,
        acts=acts,
        types=tuple(types or ()),
        licences=tuple(licences or ()),
        until=until,
        basis=basis,
        operator=operator,
    )
    tell(report, as_json)


@holder_app.command("end-delegation", epilog=examples("holder end-delegation"))
def end_delegation(
    delegation: Annotated[str, typer.Argument(metavar="DELEGATION", help="Id, as printed by: holder delegate.")],
    operator: Operator,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """End a delegation at once."""
    tell(operating.end_delegation(home, delegation, operator=operator), as_json)
