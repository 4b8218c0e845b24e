"""The commands of the life cycle, `certlib licence` and `certlib bulk`: parse, call one use case, print, exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from certlib import operating_changes as operating
from certlib.manual import examples
from certlib.operations import Operation
from cli_options import HOME, Home, Json, tell

licence_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What happens to a licence after its issue."
)
bulk_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The same for many licences at once.")


Operator = Annotated[str, typer.Option(help="Who does this: a person, for the audit.")]
Agency = Annotated[str, typer.Option("--agency", metavar="CODE", help="Whose licences; needed if there are several.")]
Key = Annotated[str, typer.Argument(metavar="LICENCE", help="Identifier, look-up code, or number.")]
Reason = Annotated[str, typer.Option(help="Why; the holder may read it.")]
Document = Annotated[str, typer.Option(help="Number of the legal document.")]
Effective = Annotated[str, typer.Option(help="Since when, e.g. 2026-11-22T08:00:00+08:00; now if not given.")]
Data = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="JSON file with the members of a request that change.")
]
ExpiresOn = Annotated[str, typer.Option(help="Last day of the new term, or 'none' for no end.")]
ChangeId = Annotated[str, typer.Argument(metavar="CHANGE", help="Id, see: certlib licence pending.")]
ActId = Annotated[str, typer.Argument(metavar="ACT", help="Id, see: certlib licence pending.")]
Decline = Annotated[bool, typer.Option("--decline", help="Decline it instead.")]


def _moves(operation: Operation, text: str) -> None:
    """Add the command of an operation that moves the status."""

    def command(
        key: Key,
        operator: Operator,
        reason: Reason,
        document: Document = "",
        effective: Effective = "",
        home: Home = HOME,
        as_json: Json = False,
    ) -> None:
        order = operating.ordered(
            operation, reason=reason, document=document, effective=effective, operator=operator, renewed={}
        )
        tell(operating.change(home, key, order, data=None), as_json)

    command.__doc__ = text
    licence_app.command(operation.value, epilog=examples(f"licence {operation}"))(command)


def _renews(operation: Operation, text: str) -> None:
    """Add the command of an operation that issues a new version."""

    def command(
        key: Key,
        operator: Operator,
        reason: Reason,
        data: Data = None,
        expires_on: ExpiresOn = "",
        document: Document = "",
        effective: Effective = "",
        home: Home = HOME,
        as_json: Json = False,
    ) -> None:
        order = operating.ordered(
            operation, reason=reason, document=document, effective=effective, operator=operator,
            renewed=_term(expires_on),
        )  # fmt: skip
        tell(operating.change(home, key, order, data=data), as_json)

    command.__doc__ = text
    licence_app.command(operation.value, epilog=examples(f"licence {operation}"))(command)


def _term(expires_on: str) -> dict[str, Any]:
    if not expires_on:
        return {}
    return {"expires_on": None if expires_on == "none" else expires_on}


_moves(Operation.SUSPEND, "Suspend a licence (暂扣). On a suspended one it notes an extension.")
_moves(Operation.RESTORE, "Give a suspended licence back (发还).")
_moves(Operation.REVOKE, "Revoke a licence (吊销): a penalty. It never comes back.")
_moves(Operation.WITHDRAW, "Withdraw a licence (撤销): it was granted wrongly. It never comes back.")
_moves(Operation.CANCEL, "Cancel a licence (注销): the orderly closing. It never comes back.")
_renews(Operation.RENEW, "Renew a licence for a new term (延续). The old version is superseded.")
_renews(Operation.CORRECT, "Put right what stands wrongly in a licence (纠错). The old version is superseded.")
_renews(Operation.TRANSFER, "Make a licence over to another holder (变更). The old version is superseded.")


@licence_app.command("pending", epilog=examples("licence pending"))
def pending(agency: Agency = "", home: Home = HOME, as_json: Json = False) -> None:
    """List what waits for a second person, and what was not finished."""
    tell(operating.pending(home, agency_code=agency), as_json)


@licence_app.command("approve", epilog=examples("licence approve"))
def approve(
    change: ChangeId,
    operator: Operator,
    decline: Decline = False,
    agency: Agency = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Approve a pending change, and do it. Who ordered it cannot approve it."""
    tell(operating.decide(home, change, operator=operator, approve=not decline, agency_code=agency), as_json)


@licence_app.command("history", epilog=examples("licence history"))
def history(key: Key, home: Home = HOME, as_json: Json = False) -> None:
    """List all that was ordered on a licence."""
    tell(operating.history(home, key), as_json)


@licence_app.command("resume", epilog=examples("licence resume"))
def resume(home: Home = HOME, as_json: Json = False) -> None:
    """Go on with what a crash left unfinished: licences reserved and never issued, and new versions."""
    tell(operating.resume(home), as_json)


@bulk_app.command("plan", epilog=examples("bulk plan"))
def plan(
    operation: Annotated[Operation, typer.Argument(help="What to do.")],
    operator: Operator,
    reason: Reason,
    file: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="CSV, column identifier.")] = None,
    key: Annotated[str, typer.Option(help="All signed or sealed with this key.")] = "",
    issued_by: Annotated[str, typer.Option(help="All issued by this operator.")] = "",
    type_code: Annotated[str, typer.Option("--type", help="All of this type.")] = "",
    type_version: Annotated[int, typer.Option(min=0, help="And this template version.")] = 0,
    batch: Annotated[str, typer.Option(help="All of this batch.")] = "",
    since: Annotated[str, typer.Option(help="Issued at this moment or later.")] = "",
    until: Annotated[str, typer.Option(help="Issued before this moment.")] = "",
    expires_on: ExpiresOn = "",
    document: Document = "",
    effective: Effective = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count only, put nothing down.")] = False,
    agency: Agency = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Say which licences an operation is for and how many they are. It is done when it is approved."""
    order = operating.ordered(
        operation, reason=reason, document=document, effective=effective, operator=operator, renewed=_term(expires_on)
    )
    narrowed = {
        "key": key, "operator": issued_by, "type_code": type_code, "type_version": type_version, "batch": batch,
        "since": since, "until": until,
    }  # fmt: skip
    bulk = operating.bulk_of(order, listed=file, narrowed=narrowed)
    tell(operating.plan_bulk(home, bulk, agency_code=agency, dry_run=dry_run), as_json)


@bulk_app.command("approve", epilog=examples("bulk approve"))
def bulk_approve(
    act: ActId,
    operator: Operator,
    count: Annotated[int, typer.Option(min=0, help="For how many licences, as planned.")] = 0,
    decline: Decline = False,
    agency: Agency = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Approve an act for exactly so many licences, and do it."""
    report = operating.decide_bulk(
        home, act, operator=operator, count=count, approve=not decline, agency_code=agency
    )  # fmt: skip
    tell(report, as_json)


@bulk_app.command("run", epilog=examples("bulk run"))
def bulk_run(act: ActId, agency: Agency = "", home: Home = HOME, as_json: Json = False) -> None:
    """Go on with an approved act after a crash. Nothing is done twice."""
    tell(operating.run_bulk(home, act, agency_code=agency), as_json)


@bulk_app.command("show", epilog=examples("bulk show"))
def bulk_show(act: ActId, agency: Agency = "", home: Home = HOME, as_json: Json = False) -> None:
    """Say how far an act has come."""
    tell(operating.show_bulk(home, act, agency_code=agency), as_json)
