"""The commands `certlib audit`: parse, call one use case, print, exit code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from certlib import operating
from certlib.manual import examples

if TYPE_CHECKING:
    from certlib.operating import Report

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The audit chain: prove it, export it.")


def _remember_home(context: typer.Context, home: Path) -> Path:
    if context.obj is not None:
        context.obj.home = home
    return home


Home = Annotated[
    Path,
    typer.Option(
        "--home", file_okay=False, envvar="CERTLIB_HOME", callback=_remember_home, help="Folder of the library."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs, errors too.")]
HOME = Path("library")


def tell(report: Report, as_json: bool) -> NoReturn:
    """Print a report and end well: what is broken leaves as an error."""
    typer.echo(json.dumps(report.data, ensure_ascii=False, indent=2) if as_json else report.text)
    raise typer.Exit


@app.command("verify", epilog=examples("audit verify"))
def audit_verify(
    since: Annotated[str, typer.Option(metavar="SEQ:HASH", help="Only what follows a head proved before.")] = "",
    chain_only: Annotated[bool, typer.Option("--chain-only", help="Do not compare the licences with it.")] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Prove that no audit record and no licence was changed, removed or added behind the library's back."""
    tell(operating.verify_audit(home, since=since, chain_only=chain_only), as_json)


@app.command("export", epilog=examples("audit export"))
def audit_export(
    since: Annotated[str, typer.Option(metavar="SEQ|TIME", help="Only records after this one, or from then on.")] = "",
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="A new file, instead of the screen.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Write the records as JSON lines. They hold no personal values."""
    if out is not None:
        tell(operating.export_audit(home, out, since=since), as_json)
    for line in operating.audit_lines(home, since=since):
        typer.echo(line)
