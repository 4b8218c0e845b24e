"""The commands `certlib collect`: parse, call one use case, print, exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from certlib import operating_collecting as operating
from certlib.grants import Asking
from certlib.manual import examples
from cli_options import DONE, HOME, Home, Json, code_of, in_file, print_json, tell

collect_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Catalogues of other libraries, collected and kept up."
)
trust_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Trust packs of other libraries.")
collect_app.add_typer(trust_app, name="trust")

Operator = Annotated[str, typer.Option(help="Who does this, for the audit.")]
Anchor = Annotated[
    str, typer.Option(metavar="FILE|SHA256", help="The other root's key: its trust-anchor.json, or its SHA-256.")
]
KeyFile = Annotated[Path, in_file(help="The client's private key, PEM; it is kept encrypted.")]
PackFile = Annotated[Path, typer.Argument(metavar="PACK", exists=True, dir_okay=False, help="Its trust-pack.json.")]
Source = Annotated[str, typer.Argument(metavar="SOURCE", help="URL, name or id of a followed library.")]


@collect_app.command("add", epilog=examples("collect add"))
def add(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where the other library's API is.")],
    anchor: Anchor,
    client_id: Annotated[str, typer.Option(help="Our client there.")],
    key: KeyFile,
    matter_code: Annotated[str, typer.Option(help="The matter that our grant there is for.")],
    operator: Operator = "cli",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Begin to follow another library: import its trust pack and try our client there."""
    report = operating.add(
        home, url, anchor=anchor, client_id=client_id, key=key, matter_code=matter_code, operator=operator
    )
    tell(report, as_json)


@collect_app.command("run", epilog=examples("collect run"))
def run(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="URL, name or id; all if not given.")] = "",
    anew: Annotated[bool, typer.Option("--anew", help="Drop what is known of it first, and read all again.")] = False,
    operator: Operator = "collect",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Read what changed in the catalogues that are followed. A run that was stopped is gone on with."""
    code, reports = DONE, []
    for report in operating.run(home, source, anew=anew, operator=operator):
        reports.append(report.data)
        code = code or code_of(report)
        if not as_json:
            typer.echo(report.text, err=report.error is not None)
    if as_json:
        print_json(reports)
    raise typer.Exit(code)


@collect_app.command("list", epilog=examples("collect list"))
def listed(home: Home = HOME, as_json: Json = False) -> None:
    """List the libraries that are followed."""
    tell(operating.listed(home), as_json)


@collect_app.command("remove", epilog=examples("collect remove"))
def remove(source: Source, operator: Operator = "cli", home: Home = HOME, as_json: Json = False) -> None:
    """Follow a library no longer, and drop what was collected of it."""
    tell(operating.leave(home, source, operator=operator), as_json)


@collect_app.command("find", epilog=examples("collect find"))
def find(
    identifier: Annotated[str, typer.Option(help="Identifier of a licence.")] = "",
    number: Annotated[str, typer.Option(help="Its number, where numbers are public.")] = "",
    type_code: Annotated[str, typer.Option("--type", help="Only this type.")] = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Say which library holds a licence: this one, or one that is followed."""
    tell(operating.find(home, identifier=identifier, number=number, type_code=type_code), as_json)


@collect_app.command("check", epilog=examples("collect check"))
def check(
    identifier: Annotated[str, typer.Argument(metavar="IDENTIFIER", help="Of the licence.")],
    given: Annotated[list[str], typer.Option(metavar="NAME=VALUE", help="What somebody says it holds.")],
    matter_code: Annotated[str, typer.Option(help="Code of the matter.")],
    case_number: Annotated[str, typer.Option(help="Number of the case.")],
    purpose: Annotated[str, typer.Option(help="In words, for the holder to read.")],
    operator: Annotated[str, typer.Option(help="The person who asks.")],
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Ask the library that holds a licence to compare. Its grants decide; it sees who asks and why."""
    asking = Asking(matter_code=matter_code, case_number=case_number, purpose=purpose, operator=operator)
    tell(operating.check(home, identifier, asking, given=given), as_json)


@trust_app.command("import", epilog=examples("collect trust import"))
def trust_import(
    pack: PackFile,
    anchor: Anchor,
    operator: Operator = "cli",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Trust another library for its own agencies. What they issued verifies here, by its trust pack alone."""
    tell(operating.import_trust(home, pack, anchor=anchor, operator=operator), as_json)


@trust_app.command("list", epilog=examples("collect trust list"))
def trust_list(home: Home = HOME, as_json: Json = False) -> None:
    """List the trust packs of other libraries."""
    tell(operating.list_trust(home), as_json)


@trust_app.command("remove", epilog=examples("collect trust remove"))
def trust_remove(
    library: Annotated[str, typer.Argument(metavar="LIBRARY", help="Its name, or the SHA-256 of its anchor.")],
    operator: Operator = "cli",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Trust another library no longer."""
    tell(operating.remove_trust(home, library, operator=operator), as_json)
