"""The commands `certlib audit`: parse, call one use case, print, exit code."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003  # Typer reads annotations at run time
from typing import Annotated

import typer

from certlib import operating
from certlib.manual import examples
from cli_options import HOME, Home, Json, tell

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The audit chain: prove it, export it.")


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
