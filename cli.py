"""The command line: parse, call one use case, print, exit code.

Exit codes: 0 done or valid, 1 refused or not valid, 2 wrong usage or set-up, 3 our fault. No traceback leaves it
unless CERTLIB_DEBUG is set. With `--json`, errors are JSON too: `{"error": {"code", "message", ...}}`.
"""

from __future__ import annotations

import os
import sys
import traceback
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer.exceptions import TyperException

import cli_audit
from certlib import operating, operating_clients
from certlib.complaints import error_json, error_lines, file_error, own_fault
from certlib.errors import CertlibError, SetupError
from certlib.identifiers import AgencyCode
from certlib.manual import examples
from certlib.model import Agency
from cli_clients import client_app, grant_app
from cli_collecting import collect_app
from cli_holding import holder_app
from cli_lifecycle import bulk_app, licence_app
from cli_options import (
    DONE,
    HOME,
    USAGE,
    Home,
    Json,
    Run,
    code_of,
    exit_code,
    in_file,
    out_folder,
    print_json,
    tell,
)
from cli_tickets import statistics, ticket_app

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="An open electronic licence library: issue a licence once, as a sealed PDF, a QR code and a machine answer. "
    "Start with: certlib init, then certlib agency add, then certlib issue or certlib batch. To try it: certlib demo.",
    epilog="Exit codes: 0 done or valid, 1 refused or not valid, 2 wrong usage or set-up, 3 our fault.",
)
agency_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Agencies that issue, and their keys.")
type_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Licence types: the forms and their fields.")
identifier_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Licence identifiers.")
trust_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What verifiers without a network work from.")
for group_name, group in (
    *(("agency", agency_app), ("type", type_app), ("identifier", identifier_app), ("trust", trust_app)),
    *(("audit", cli_audit.app), ("licence", licence_app), ("bulk", bulk_app), ("client", client_app)),
    *(("grant", grant_app), ("holder", holder_app), ("ticket", ticket_app), ("collect", collect_app)),
):
    app.add_typer(group, name=group_name)
app.command("statistics", epilog=examples("statistics"))(statistics)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"certlib {version('certlib')}")
        raise typer.Exit


Operator = Annotated[str, typer.Option(help="Who does this, for the audit.")]
AgencyOption = Annotated[str, typer.Option("--agency", metavar="CODE", help="Who issues; needed if there are several.")]
Algorithm = Literal["p256", "rsa-2048", "rsa-3072"]
SealAlgorithm = Annotated[Algorithm, typer.Option(help="Of the seal key; RSA for old PDF readers.")]
type_folder = partial(typer.Argument, metavar="FOLDER", exists=True, file_okay=False, resolve_path=True)
TypeFolder = Annotated[Path, type_folder(help="A version's folder: <type>/v1, v2 ...")]
TypeCode = Annotated[str, typer.Argument(metavar="TYPE", help="Code of the type, see: certlib type list.")]
AgencyArgument = Annotated[str, typer.Argument(metavar="AGENCY", help="Code of the agency.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]


@app.callback()
def root(
    show_version: Annotated[
        bool, typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Take the options before the command."""


@app.command(epilog=examples("init"))
def init(
    home: Home = HOME,
    organisation: Annotated[str, typer.Option(help="Who runs it; stands in the root certificate.")] = "certlib",
    operator: Operator = "cli",
    as_json: Json = False,
) -> None:
    """Make a library: folder, database, keys, licence types."""
    tell(operating.make_library(home, organisation=organisation, operator=operator), as_json)


@app.command(epilog=examples("upgrade"))
def upgrade(home: Home = HOME, operator: Operator = "cli", as_json: Json = False) -> None:
    """Bring an older library to this program: its tables and keys. Stop its servers and keep a backup before."""
    tell(operating_clients.upgrade(home, operator=operator), as_json)


@agency_app.command("add", epilog=examples("agency add"))
def agency_add(
    code: Annotated[str, typer.Option(help="18-character USCC, or 1 to 21 of 0-9 and A-Z.")],
    name: Annotated[str, typer.Option(help="Name on seal and certificate.")],
    name_en: Annotated[str, typer.Option(help="English name.")] = "",
    timezone: Annotated[str, typer.Option(help="IANA zone in which its dates are judged.")] = "Asia/Shanghai",
    area_code: Annotated[str, typer.Option(help="Six digits, or empty.")] = "",
    seal_algorithm: SealAlgorithm = "p256",
    asks_only: Annotated[bool, typer.Option("--asks-only", help="It issues nothing, so it gets no keys.")] = False,
    home: Home = HOME,
    operator: Operator = "cli",
    as_json: Json = False,
) -> None:
    """Take in an agency and give it keys. Its seal key gets a certificate under the library's root."""
    agency = Agency(code=AgencyCode(code), name=name, name_en=name_en, timezone=timezone, area_code=area_code)
    if asks_only:
        tell(operating_clients.add_asking_agency(home, agency, operator=operator), as_json)
    tell(operating.add_agency(home, agency, seal_algorithm=seal_algorithm, operator=operator), as_json)


@agency_app.command("list", epilog=examples("agency list"))
def agency_list(home: Home = HOME, as_json: Json = False) -> None:
    """List the agencies with their keys."""
    tell(operating.list_agencies(home), as_json)


@agency_app.command("rotate-key", epilog=examples("agency rotate-key"))
def agency_rotate_key(
    code: AgencyArgument,
    purpose: Annotated[Literal["token", "seal"], typer.Option(help="Which key.")] = "token",
    seal_algorithm: SealAlgorithm = "p256",
    csr_out: Annotated[
        Path | None, typer.Option(help="Write a signing request for the agency's own authority instead.")
    ] = None,
    certificate: Annotated[Path | None, in_file(help="The certificate that answers the request.")] = None,
    home: Home = HOME,
    operator: Operator = "cli",
    as_json: Json = False,
) -> None:
    """Give an agency a new key. What the old one signed stays good; it ends after 30 days."""
    if csr_out is not None and certificate is not None:
        raise typer.BadParameter("--csr-out and --certificate are two steps: first the request, then its answer")
    if csr_out is not None:
        report = operating.request_certificate(home, code, csr_out, seal_algorithm=seal_algorithm, operator=operator)
    elif certificate is not None:
        report = operating.import_certificate(home, code, certificate, operator=operator)
    else:
        report = operating.rotate_key(home, code, purpose, seal_algorithm=seal_algorithm, operator=operator)
    tell(report, as_json)


@agency_app.command("token", epilog=examples("agency token"))
def agency_token(
    code: AgencyArgument,
    ttl_seconds: Annotated[int, typer.Option(min=60, max=86400, help="How long it is good.")] = 900,
    scopes: Annotated[str, typer.Option(help="Some of: issue manage verify share audit holder.")] = "issue manage",
    home: Home = HOME,
    operator: Operator = "cli",
    as_json: Json = False,
) -> None:
    """Print a bearer for the agency's system. It goes into the header Authorization: Bearer <this>."""
    report = operating_clients.print_bearer(
        home, code, ttl_seconds=ttl_seconds, scopes=scopes.replace(",", " ").split(), operator=operator
    )
    tell(report, as_json)


@agency_app.command("seal-picture", epilog=examples("agency seal-picture"))
def agency_seal_picture(
    code: AgencyArgument,
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", exists=True, dir_okay=False, help="PNG or SVG.")],
    home: Home = HOME,
    operator: Operator = "cli",
    as_json: Json = False,
) -> None:
    """Take an agency's own seal picture. Licences bear it from now on; those that were issued keep what they have."""
    tell(operating.keep_seal_picture(home, code, picture, operator=operator), as_json)


@type_app.command("check", epilog=examples("type check"))
def type_check(folder: TypeFolder, as_json: Json = False) -> None:
    """Say what is wrong in a type's folder. If nothing is, say how its QR code prints."""
    tell(operating.check_type(folder), as_json)


@type_app.command("preview", epilog=examples("type preview"))
def type_preview(
    folder: TypeFolder,
    out: Annotated[Path, out_folder(help="Folder for preview.pdf and preview-1.png ...")] = Path(),
    dpi: Annotated[int, typer.Option(min=36, max=600, help="Of the pictures.")] = 110,
    as_json: Json = False,
) -> None:
    """Render the sample of a type to PDF and PNG. It is sealed by a key that nobody trusts."""
    tell(operating.preview_type(folder, out, dpi=dpi), as_json)


@type_app.command("add", epilog=examples("type add"))
def type_add(folder: TypeFolder, home: Home = HOME, operator: Operator = "cli", as_json: Json = False) -> None:
    """Check a type's version and take it in. From its first licence on it never changes."""
    tell(operating.add_type(home, folder, operator=operator), as_json)


@type_app.command("list", epilog=examples("type list"))
def type_list(home: Home = HOME, as_json: Json = False) -> None:
    """List the types that can be issued."""
    tell(operating.list_types(home), as_json)


@app.command(epilog=examples("issue"))
def issue(
    type_code: TypeCode,
    data: Annotated[Path, in_file(help="JSON file; a type's sample.json shows the shape.")],
    agency: AgencyOption = "",
    out: Annotated[Path | None, out_folder(help="Folder for the sealed PDF.")] = None,
    home: Home = HOME,
    as_json: Json = False,
    operator: Operator = "cli",
) -> None:
    """Issue one licence. The same request again gives the same licence; another one under its number is refused."""
    tell(operating.issue(home, type_code, data, agency_code=agency, out=out, operator=operator), as_json)


@app.command(epilog=examples("batch"))
def batch(
    type_code: TypeCode,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="The register: CSV, XLSX, JSONL.")
    ],
    mapping: Annotated[Path, in_file("--map", help="TOML file that says which column is what.")],
    agency: AgencyOption = "",
    check: Annotated[bool, typer.Option("--check", help="Check every row, issue nothing.")] = False,
    out: Annotated[Path | None, out_folder(help="For PDFs, issued.csv and errors.csv.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    encoding: Annotated[str, typer.Option(help="Of a CSV that has no byte order mark and is not UTF-8.")] = "",
    as_status: Annotated[str, typer.Option(help="Issue closed rows too: '注销=cancelled,吊销=revoked'.")] = "",
    home: Home = HOME,
    as_json: Json = False,
    operator: Operator = "cli",
) -> None:
    """Issue a whole register. Bad rows go to errors.csv; run again to resume, nothing is issued twice."""
    report = operating.issue_register(
        home, type_code, file, mapping, agency_code=agency, check=check, out=out, workers=workers,
        encoding=encoding, as_status=as_status, operator=operator, progress_json=as_json or not sys.stderr.isatty(),
    )  # fmt: skip
    tell(report, as_json)


@app.command(epilog=examples("show"))
def show(
    key: Annotated[str, typer.Argument(help="Identifier, look-up code, or number.")],
    pdf: Annotated[Path | None, out_folder(help="Write the sealed PDF into this folder.")] = None,
    qr: Annotated[str, typer.Option("--qr", metavar="-|FILE", help="Draw the QR code: here, or as PNG or SVG.")] = "",
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Show a licence's record and what happened to it. For the agency's own operators: nothing is masked."""
    tell(operating.show(home, key, out=pdf, qr=qr), as_json)


@app.command(epilog=examples("verify"))
def verify(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="FILE|TOKEN|CODE...", help="PDFs, photos, QR texts, codes; - reads them from stdin."),
    ],
    trust_pack: Annotated[Path | None, in_file(help="Trust pack, for work without the library.")] = None,
    anchor: Annotated[Path | None, in_file(help="The root's key; else trust-anchor.json beside the pack.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Ask only the trust pack, never the library.")] = False,
    status_list: Annotated[list[Path] | None, in_file(help="A fetched status list, newer than the pack.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Say of each input whether it is a good licence. One word, then each check with its evidence."""
    if offline != (trust_pack is not None) or (status_list and not offline):
        raise typer.BadParameter("--offline and --trust-pack go together, and --status-list with both")
    worst, rows = DONE, []
    for report in operating.verify(home, inputs, trust_pack=trust_pack, anchor=anchor, status_lists=status_list or ()):
        worst = max(worst, code_of(report))
        if as_json:
            rows.append(report.data)
        else:
            typer.echo(report.text)
    if as_json:
        print_json(rows)
    raise typer.Exit(worst)


@identifier_app.command("check", epilog=examples("identifier check"))
def identifier_check(
    identifiers: Annotated[list[str], typer.Argument(metavar="IDENTIFIER...", help="Licence identifiers.")],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are faults.")] = False,
    root: Annotated[
        list[str] | None, typer.Option("--root", help="Root OID of the scheme `plain`; may be repeated.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Check form and check character of identifiers. They look like those of GB/T 36904."""
    tell(operating.check_identifiers(identifiers, roots=root or [], strict=strict), as_json)


@trust_app.command("export", epilog=examples("trust export"))
def trust_export(
    out: Annotated[Path, out_folder(help="Folder for the two files and root.pem.")] = Path(),
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Write the trust pack and its anchor. With both, certlib verify --offline works anywhere."""
    tell(operating.export_trust(home, out), as_json)


@app.command(epilog=examples("serve"))
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Port = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    home: Home = HOME,
) -> None:
    """Serve the verify page and the HTTP interface."""
    os.environ["CERTLIB_HOME"] = operating.served_home(home)  # what does not open says so here, not in each worker
    operating.require_free(host, port)
    typer.echo(f"Served at http://{host}:{port}/ until Ctrl-C.")
    import uvicorn  # noqa: PLC0415  # the web server is for this command only

    uvicorn.run("api.asgi:app", host=host, port=port, workers=workers, access_log=False, log_level="warning")


@app.command(epilog=examples("demo"))
def demo(
    home: Home = Path(".demo"),
    port: Port = 8080,
    prepare_only: Annotated[bool, typer.Option("--prepare-only", help="Make the library, do not serve.")] = False,
) -> None:
    """Try it: a library with three agencies and licences, served. Run again, it stays as it is."""
    if not prepare_only:
        operating.require_free("127.0.0.1", port)
    for line in operating.demo(home, port=port):
        typer.echo(line)
    if not prepare_only:
        serve(port=port, home=home)


def main() -> None:
    """Run the command line. Whatever goes wrong becomes an exit code and a few lines, never a traceback."""
    run = Run()
    try:
        code = app(prog_name="certlib", standalone_mode=False, obj=run)
    except TyperException as error:
        code = told_usage(error)
    except CertlibError as error:
        code = told(error)
    except OSError as error:
        code = told(file_error(error))
    except Exception as error:  # noqa: BLE001  # the edge: what nobody foresaw gets a reference
        if os.environ.get("CERTLIB_DEBUG"):
            traceback.print_exc()
        code = told(own_fault(error, run.home))
    sys.exit(code if isinstance(code, int) else DONE)


def told(error: CertlibError) -> int:
    """Say what went wrong, as JSON on stdout if that was asked for; the exit code."""
    if "--json" in sys.argv:
        print_json(error_json(error))
    else:
        typer.echo("\n".join(error_lines(error)), err=True)
    return exit_code(error)


def told_usage(error: TyperException) -> int:
    """Say how the command is used; the exit code."""
    command = getattr(getattr(error, "ctx", None), "command_path", "certlib")
    message = error.format_message()
    if "\n" in message:  # a group without a command: its help is the answer
        typer.echo(message)
        return USAGE
    return told(SetupError(message, code="usage", hint=f"See: {command} --help"))


if __name__ == "__main__":
    main()
