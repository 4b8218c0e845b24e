"""The command line: parse, call one use case, print, exit code.

Exit codes: 0 done or valid, 1 refused or not valid, 2 wrong usage or set-up, 3 our fault.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from certlib import callers, cataloguing, demonstrating, enrolling, issuing, reporting, trusting, verifying
from certlib.batch import run_batch
from certlib.config import read_settings
from certlib.errors import (
    CertlibError,
    FieldFault,
    InvalidRequestError,
    OwnFaultError,
    SetupError,
    UnavailableError,
)
from certlib.identifiers import AgencyCode, parse_identifier
from certlib.library import Library, close_library, font_book, open_library, utc_now
from certlib.model import Agency
from certlib.verdict import verdict_json
from certlib.wire import request_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator

DONE, REFUSED, USAGE, OUR_FAULT = 0, 1, 2, 3

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="An open electronic licence library: issue a licence once, as a sealed PDF, a QR code and a machine answer. "
    "Start with `certlib init`, `certlib agency add`, then `certlib issue` or `certlib batch`.",
)
agency_app = typer.Typer(no_args_is_help=True, help="Agencies that issue, and their keys.")
type_app = typer.Typer(no_args_is_help=True, help="Licence types: the forms and their fields.")
identifier_app = typer.Typer(no_args_is_help=True, help="Licence identifiers.")
trust_app = typer.Typer(no_args_is_help=True, help="The trust pack that verifiers work from without a network.")
for name, group in (("agency", agency_app), ("type", type_app), ("identifier", identifier_app), ("trust", trust_app)):
    app.add_typer(group, name=name)

Home = Annotated[
    Path, typer.Option("--home", envvar="CERTLIB_HOME", help="Folder of the library.", show_default="./library")
]
HOME = Path("library")
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Operator = Annotated[str, typer.Option(help="Who does this, for the audit.")]
AgencyOption = Annotated[
    str, typer.Option("--agency", help="Code of the issuing agency; may be left out if it is the only one.")
]


@contextmanager
def opened(home: Path) -> Iterator[Library]:
    """The library at `home`, closed at the end."""
    lib = open_library(read_settings(home))
    try:
        yield lib
    finally:
        close_library(lib)


def say(text: str = "") -> None:
    """One line of result."""
    typer.echo(text)


def say_json(value: object) -> None:
    """A result for programs."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


@app.command()
def init(
    home: Home = HOME,
    organisation: Annotated[
        str, typer.Option(help="Who runs the library; stands in the root certificate.")
    ] = "certlib",
    operator: Operator = "cli",
) -> None:
    """Make a library: folder, database, keys, the types that come with it."""
    settings = read_settings(home)
    enrolling.create_library(settings, organisation=organisation, now=utc_now())
    with opened(home) as lib:
        folders = cataloguing.add_shipped_types(lib, operator=operator)
        say(f"A library stands at {settings.home}")
        say(f"  types      {', '.join(folder.licence_type.code for folder in folders)}")
        say(f"  passphrase {settings.passphrase_path}: copy it to a safe place; without it no key opens")
        say("Next: certlib agency add --code CODE --name NAME")


@agency_app.command("add")
def agency_add(
    code: Annotated[str, typer.Option(help="18-character USCC, or 1 to 21 of 0-9 and A-Z.")],
    name: Annotated[str, typer.Option(help="Name on seal and certificate.")],
    name_en: Annotated[str, typer.Option(help="English name.")] = "",
    timezone: Annotated[str, typer.Option(help="IANA zone in which its dates are judged.")] = "Asia/Shanghai",
    area_code: Annotated[str, typer.Option(help="Six digits, or empty.")] = "",
    seal_algorithm: Annotated[str, typer.Option(help="p256, rsa-2048 or rsa-3072 (for old PDF readers).")] = "p256",
    home: Home = HOME,
    operator: Operator = "cli",
) -> None:
    """Take in an agency: it gets a token key and a seal key with a certificate under the library's root."""
    agency = Agency(code=AgencyCode(code), name=name, name_en=name_en, timezone=timezone, area_code=area_code)
    with opened(home) as lib:
        enrolling.add_agency(lib, agency, seal_algorithm=enrolling.seal_algorithm(seal_algorithm), operator=operator)
        say(f"{code} {name} can issue now")


@agency_app.command("list")
def agency_list(home: Home = HOME, as_json: Json = False) -> None:
    """List the agencies with their keys."""
    with opened(home) as lib:
        rows = reporting.agencies_report(lib)
    if as_json:
        say_json(rows)
    for row in [] if as_json else rows:
        say(f"{row['code']}  {row['name']}")
        for key in row["keys"]:
            say("    {purpose:<12} {kid}  {algorithm:<8} until {not_after:.10}  {state}".format(**key))


@agency_app.command("rotate-key")
def agency_rotate_key(
    code: Annotated[str, typer.Argument(help="Code of the agency.")],
    purpose: Annotated[str, typer.Option(help="token or seal.")] = "token",
    seal_algorithm: Annotated[str, typer.Option(help="p256, rsa-2048 or rsa-3072, for a seal key.")] = "p256",
    csr_out: Annotated[
        Path | None, typer.Option(help="Write a signing request for the agency's own authority instead.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="Take the certificate that answers the request.")] = None,
    home: Home = HOME,
    operator: Operator = "cli",
) -> None:
    """Give an agency a new key. What the old one signed stays good; it ends after 30 days."""
    algorithm = enrolling.seal_algorithm(seal_algorithm)
    with opened(home) as lib:
        if csr_out is not None:
            csr_out.write_bytes(
                enrolling.request_certificate(lib, AgencyCode(code), algorithm=algorithm, operator=operator)
            )
            say(f"Request written to {csr_out}. Then: certlib agency rotate-key {code} --certificate ANSWER")
        elif certificate is not None:
            key = enrolling.import_certificate(lib, AgencyCode(code), certificate.read_bytes(), operator=operator)
            say(f"seal key {key.kid} seals from now on")
        else:
            key = enrolling.rotate_key(lib, AgencyCode(code), purpose, algorithm=algorithm, operator=operator)
            say(f"{purpose} key {key.kid} is used from now on")


@agency_app.command("token")
def agency_token(
    code: Annotated[str, typer.Argument(help="Code of the agency.")],
    ttl_seconds: Annotated[int, typer.Option(min=60, max=callers.MAX_TTL_SECONDS, help="How long it is good.")] = 900,
    home: Home = HOME,
) -> None:
    """Print a short bearer for the agency's system: Authorization: Bearer <this>."""
    with opened(home) as lib:
        say(callers.bearer_for(lib, AgencyCode(code), ttl_seconds=ttl_seconds))


@type_app.command("check")
def type_check(folder: Annotated[Path, typer.Argument(help="templates/<type>/v1")]) -> None:
    """Say everything that is wrong in a type's folder, or that it is good and how its QR code prints."""
    gate = cataloguing.check_type(folder, fonts=font_book()).gate
    say(f"good. QR version {gate.version}, modules {gate.module_mm:.3f} mm, {gate.side_mm:.1f} mm wide, "
        f"read at {gate.dpi} dpi")  # fmt: skip


@type_app.command("preview")
def type_preview(
    folder: Annotated[Path, typer.Argument(help="templates/<type>/v1")],
    out: Annotated[Path, typer.Option(help="Folder for preview.pdf and preview-1.png ...")] = Path(),
    dpi: Annotated[int, typer.Option(min=36, max=600)] = 110,
) -> None:
    """Render the sample of a type to PDF and PNG. It is sealed by a key that nobody trusts."""
    preview = cataloguing.preview_type(folder, fonts=font_book(), dpi=dpi)
    out.mkdir(parents=True, exist_ok=True)
    files = {"preview.pdf": preview.pdf}
    files |= {f"preview-{number}.png": png for number, png in enumerate(preview.pages_png, 1)}
    for file_name, content in files.items():
        (out / file_name).write_bytes(content)
        say(str(out / file_name))


@type_app.command("add")
def type_add(
    folder: Annotated[Path, typer.Argument(help="<type>/v1, v2 ...")], home: Home = HOME, operator: Operator = "cli"
) -> None:
    """Check a type's version and take it into the library. From its first licence on it never changes."""
    with opened(home) as lib:
        added = cataloguing.add_type(lib, folder, operator=operator)
        say(f"{added.licence_type.code} v{added.licence_type.version} can be issued now (digest {added.digest[:16]})")


@type_app.command("list")
def type_list(home: Home = HOME, as_json: Json = False) -> None:
    """List the types that can be issued."""
    with opened(home) as lib:
        rows = reporting.types_report(lib)
    if as_json:
        say_json(rows)
    for row in [] if as_json else rows:
        say(f"{row['code']:<28} v{row['version']}  {row['zh']} {row['en']}  {row['digest'][:16]}")


@app.command()
def issue(
    type_code: Annotated[str, typer.Argument(metavar="TYPE", help="Code of the type, see `certlib type list`.")],
    data: Annotated[Path, typer.Option(help="JSON file of the request; the type's sample.json shows the shape.")],
    agency: AgencyOption = "",
    out: Annotated[Path | None, typer.Option(help="Write the sealed PDF into this folder.")] = None,
    home: Home = HOME,
    as_json: Json = False,
    operator: Operator = "cli",
) -> None:
    """Issue one licence. The same request again gives the same licence; another one under its number is refused."""
    with opened(home) as lib:
        code = reporting.only_agency(lib, agency)
        request = request_from_json(read_request(data), agency_code=code, type_code=type_code, operator=operator)
        issued = issuing.issue(lib, request)
        path = reporting.save_pdf(lib, issued.licence, out) if out is not None else None
    if as_json:
        say_json(reporting.issued_report(issued, path))
        return
    say(f"{'issued' if issued.new else 'was issued before'}: {issued.licence.identifier}")
    say(f"  look-up code {reporting.printed_code(issued.licence)}   check phrase {issued.licence.check_phrase}")
    if path is not None:
        say(f"  {path}")


def read_request(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; pictures named as files beside it are read in."""
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidRequestError((FieldFault(field=str(path), code="unreadable", reason=str(error)),)) from error
    if isinstance(data, dict) and isinstance(data.get("images"), dict):
        beside = {name: path.parent / str(file) for name, file in data["images"].items()}
        data["images"] = {
            name: file.read_bytes() if len(str(file)) < 4096 and file.is_file() else data["images"][name]  # noqa: PLR2004  # a path, not base64
            for name, file in beside.items()
        }
    return data if isinstance(data, dict) else {"(whole)": data}


@app.command()
def batch(
    type_code: Annotated[str, typer.Argument(metavar="TYPE", help="Code of the type.")],
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or JSONL.")],
    mapping: Annotated[Path, typer.Option("--map", help="TOML file that says which column is what.")],
    agency: AgencyOption = "",
    check: Annotated[bool, typer.Option("--check", help="Check every row, issue nothing.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for PDFs, issued.csv and errors.csv.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    encoding: Annotated[str, typer.Option(help="Of a CSV without byte order mark.")] = "utf-8",
    as_status: Annotated[str, typer.Option(help="Issue closed rows too: '注销=cancelled,吊销=revoked'.")] = "",
    home: Home = HOME,
    as_json: Json = False,
    operator: Operator = "cli",
) -> None:
    """Issue a whole register. Bad rows go to errors.csv; run again to resume, nothing is issued twice."""
    with opened(home) as lib:
        code = reporting.only_agency(lib, agency)
        progress = reporting.progress(sys.stderr, as_json=as_json or not sys.stderr.isatty())
        summary = run_batch(
            lib, type_code, file, mapping, agency_code=code, check=check, out=out, workers=workers,
            encoding=encoding, as_status=as_status, operator=operator, progress=progress,
        )  # fmt: skip
    if as_json:
        say_json(reporting.batch_report(summary))
    else:
        say(reporting.batch_text(summary))
    raise typer.Exit(REFUSED if summary.refused else DONE)


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="Identifier, look-up code, or number.")],
    pdf: Annotated[Path | None, typer.Option(help="Write the sealed PDF into this folder.")] = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Show the record of a licence and what happened to it. For the agency's own operators: nothing is masked."""
    with opened(home) as lib:
        report = reporting.licence_report(lib, key)
        path = reporting.save_pdf_of(lib, key, pdf) if pdf is not None else None
    if as_json:
        say_json(report)
    else:
        say(reporting.licence_text(report))
    if path is not None:
        typer.echo(str(path), err=as_json)


@app.command()
def verify(
    inputs: Annotated[
        list[str], typer.Argument(metavar="FILE|TOKEN|CODE...", help="PDFs, photos, QR texts, codes; - reads lines.")
    ],
    trust_pack: Annotated[Path | None, typer.Option(help="Trust pack file, for work without the library.")] = None,
    anchor: Annotated[Path | None, typer.Option(help="Public key of the library's root (trust-anchor.json).")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Never ask the library, only the trust pack.")] = False,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Say of each input whether it is a good licence: one word, each check, and the evidence."""
    if offline != (trust_pack is not None):
        raise typer.BadParameter("--offline and --trust-pack go together")
    texts = [line.strip() for each in inputs for line in (sys.stdin if each == "-" else [each]) if line.strip()]
    with reporting.verify_source(home, trust_pack, anchor) as source:
        verdicts = [(text, verifying.verify(reporting.verify_input(text), source, now=utc_now())) for text in texts]
    if as_json:
        say_json([{"input": reporting.short(text), **verdict_json(verdict)} for text, verdict in verdicts])
    for text, verdict in [] if as_json else verdicts:
        say(reporting.verdict_text(reporting.short(text), verdict))
    raise typer.Exit(DONE if all(verdict.word in reporting.GOOD_WORDS for _, verdict in verdicts) else REFUSED)


@identifier_app.command("check")
def identifier_check(
    identifiers: Annotated[list[str], typer.Argument(help="Licence identifiers.")],
    strict: Annotated[bool, typer.Option("--strict", help="Warnings are faults.")] = False,
    root: Annotated[list[str] | None, typer.Option(help="Root OID of the scheme `plain`; may be repeated.")] = None,
    as_json: Json = False,
) -> None:
    """Check form and check character of identifiers (GB/T 36904-style)."""
    rows = [
        reporting.identifier_report(text, lambda each: parse_identifier(each, plain_roots=root or (), strict=strict))
        for text in identifiers
    ]
    if as_json:
        say_json(rows)
    for row in [] if as_json else rows:
        say(f"{row['identifier']}: {row['result']}{'; ' + row['detail'] if row['detail'] else ''}")
    raise typer.Exit(DONE if all(row["result"] == "valid" for row in rows) else REFUSED)


@trust_app.command("export")
def trust_export(
    out: Annotated[Path, typer.Option(help="Folder for trust-pack.json and trust-anchor.json.")] = Path(),
    home: Home = HOME,
) -> None:
    """Write the trust pack and the anchor: with both, `certlib verify --offline` works anywhere."""
    with opened(home) as lib:
        for path in reporting.export_trust(lib, out, trusting.publish(lib)):
            say(str(path))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 1,
    home: Home = HOME,
) -> None:
    """Serve the verify page and the HTTP interface."""
    import os  # noqa: PLC0415  # only here

    import uvicorn  # noqa: PLC0415  # the web server is not loaded for any other command

    with opened(home):
        pass  # a library that does not open says so here, not in each worker
    os.environ["CERTLIB_HOME"] = str(home.absolute())
    uvicorn.run("api.asgi:app", host=host, port=port, workers=workers, access_log=False, log_level="warning")


@app.command()
def demo(
    home: Home = Path(".demo"),
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8080,
    prepare_only: Annotated[bool, typer.Option("--prepare-only", help="Make the library, do not serve.")] = False,
) -> None:
    """Make a library with two agencies and their licences from the sample registers, and serve it."""
    for line in demonstrating.prepare(home, port=port):
        say(line)
    if not prepare_only:
        serve(port=port, home=home)


def main() -> None:
    """Run the command line; errors of the library become one line, a hint and an exit code."""
    try:
        app()
    except CertlibError as error:
        typer.echo(f"certlib: {error}", err=True)
        for fault in getattr(error, "faults", ())[1:] if isinstance(error, InvalidRequestError) else ():
            typer.echo(f"  {fault.field}: {fault.reason}", err=True)
        if error.hint:
            typer.echo(f"  {error.hint}", err=True)
        sys.exit(exit_code(error))


def exit_code(error: CertlibError) -> int:
    """The exit code of an error: whose turn it is."""
    if isinstance(error, OwnFaultError | UnavailableError):
        return OUR_FAULT
    return USAGE if isinstance(error, SetupError) else REFUSED


if __name__ == "__main__":
    main()
