"""What an operator's command does: open the library at a home, call one use case, and say what came of it.

Nothing here knows a terminal. Each function loads the parts it needs, so that a short command answers at once.
"""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from certlib.complaints import error_json, error_lines
from certlib.errors import CertlibError, InvalidRequestError, SetupError
from certlib.identifiers import AgencyCode, parse_identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from certlib.library import Library
    from certlib.model import Agency


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """What a command has to say."""

    data: object
    """For programs: what JSON can hold."""
    text: str
    """For people: one or more lines."""
    good: bool = True
    """False when something was refused, or is not valid."""
    interrupted: bool = False
    """True when it was stopped before the end."""
    error: CertlibError | None = None
    """Why there is no answer, where one failure does not stop the rest."""


@contextmanager
def opened(home: Path) -> Iterator[Library]:
    """The library at `home`, closed at the end.

    Raises:
        SetupError: there is none, or it does not open.
    """
    from certlib.config import read_settings
    from certlib.library import close_library, open_library

    lib = open_library(read_settings(home))
    try:
        yield lib
    finally:
        close_library(lib)


def make_library(home: Path, *, organisation: str, operator: str) -> Report:
    """Make a library with the types that come with it."""
    from certlib import cataloguing, enrolling
    from certlib.config import read_settings
    from certlib.library import utc_now

    settings = read_settings(home)
    enrolling.create_library(settings, organisation=organisation, now=utc_now())
    with opened(home) as lib:
        types = [each.licence_type.code for each in cataloguing.add_shipped_types(lib, operator=operator)]
    lines = (
        f"A library stands at {settings.home}",
        f"  types       {', '.join(types)}",
        f"  passphrase  {settings.passphrase_path}: keep a copy elsewhere; without it no key opens",
        "Next: certlib agency add --code CODE --name NAME",
    )
    data = {"home": str(settings.home), "types": types, "passphrase_file": str(settings.passphrase_path)}
    return Report(data=data, text="\n".join(lines))


def add_agency(home: Path, agency: Agency, *, seal_algorithm: str, operator: str) -> Report:
    """Take in an agency with its keys."""
    from certlib import enrolling, reporting

    with opened(home) as lib:
        enrolling.add_agency(lib, agency, seal_algorithm=enrolling.seal_algorithm(seal_algorithm), operator=operator)
        (row,) = (each for each in reporting.agencies_report(lib) if each["code"] == agency.code)
    text = f"{agency.code} {agency.name} can issue now: certlib issue TYPE --data FILE --agency {agency.code}"
    return Report(data=row, text=text)


def list_agencies(home: Path) -> Report:
    """The agencies with their keys."""
    from certlib import reporting

    with opened(home) as lib:
        rows = reporting.agencies_report(lib)
    return Report(data=rows, text=reporting.agencies_text(rows))


def rotate_key(home: Path, agency_code: str, purpose: str, *, seal_algorithm: str, operator: str) -> Report:
    """Give an agency a new key."""
    from certlib import enrolling

    algorithm = enrolling.seal_algorithm(seal_algorithm)
    with opened(home) as lib:
        key = enrolling.rotate_key(lib, AgencyCode(agency_code), purpose, algorithm=algorithm, operator=operator)
    data = {"agency": agency_code, "purpose": purpose, "kid": key.kid, "not_after": key.not_after_at.isoformat()}
    return Report(data=data, text=f"{purpose} key {key.kid} is used from now on")


def request_certificate(home: Path, agency_code: str, path: Path, *, seal_algorithm: str, operator: str) -> Report:
    """Write a signing request for a new seal key to `path`."""
    from certlib import enrolling

    algorithm = enrolling.seal_algorithm(seal_algorithm)
    with opened(home) as lib, path.open("xb") as file:  # before the key: a request nobody can write leaves none behind
        file.write(enrolling.request_certificate(lib, AgencyCode(agency_code), algorithm=algorithm, operator=operator))
    text = f"Request written to {path}. Then: certlib agency rotate-key {agency_code} --certificate ANSWER"
    return Report(data={"agency": agency_code, "request": str(path)}, text=text)


def import_certificate(home: Path, agency_code: str, path: Path, *, operator: str) -> Report:
    """Take the certificate that answers a request."""
    from certlib import enrolling

    with opened(home) as lib:
        key = enrolling.import_certificate(lib, AgencyCode(agency_code), path.read_bytes(), operator=operator)
    data = {"agency": agency_code, "purpose": "seal", "kid": key.kid, "not_after": key.not_after_at.isoformat()}
    return Report(data=data, text=f"seal key {key.kid} is used from now on")


def keep_seal_picture(home: Path, code: str, picture: Path, *, operator: str) -> Report:
    """Take an agency's own seal picture."""
    from certlib import enrolling

    with opened(home) as lib:
        path = enrolling.keep_seal_picture(lib, AgencyCode(code), picture.read_bytes(), operator=operator)
    return Report(data={"agency": code, "seal_picture": str(path)}, text=f"{code} seals with {path} from now on")


def check_type(folder: Path) -> Report:
    """Everything that is wrong in a type's folder, or how its code prints."""
    from certlib import cataloguing
    from certlib.library import font_book

    gate = cataloguing.check_type(folder, fonts=font_book()).gate
    text = (
        f"good. QR version {gate.version}, modules {gate.module_mm:.3f} mm, {gate.side_mm:.1f} mm wide, "
        f"read at {gate.dpi} dpi"
    )
    return Report(data=asdict(gate), text=text)


def preview_type(folder: Path, out: Path, *, dpi: int) -> Report:
    """The sample of a type as files in `out`."""
    from certlib import cataloguing
    from certlib.library import font_book

    preview = cataloguing.preview_type(folder, fonts=font_book(), dpi=dpi)
    out.mkdir(parents=True, exist_ok=True)
    files = {out / "preview.pdf": preview.pdf}
    files |= {out / f"preview-{number}.png": png for number, png in enumerate(preview.pages_png, 1)}
    for path, content in files.items():
        path.write_bytes(content)
    names = [str(path) for path in files]
    return Report(data={"files": names}, text="\n".join(names))


def add_type(home: Path, folder: Path, *, operator: str) -> Report:
    """Take a type's version into the library."""
    from certlib import cataloguing

    with opened(home) as lib:
        added = cataloguing.add_type(lib, folder, operator=operator)
    code, version = added.licence_type.code, added.licence_type.version
    data = {"code": code, "version": version, "digest": added.digest}
    return Report(data=data, text=f"{code} v{version} can be issued now (digest {added.digest[:16]})")


def list_types(home: Path) -> Report:
    """The types that can be issued."""
    from certlib import reporting

    with opened(home) as lib:
        rows = reporting.types_report(lib)
    lines = [f"{row['code']:<28} v{row['version']}  {row['zh']} {row['en']}  {row['digest'][:16]}" for row in rows]
    return Report(data=rows, text="\n".join(lines))


def issue(  # noqa: PLR0913  # the options of the command
    home: Path, type_code: str, data: Path, *, agency_code: str, out: Path | None, operator: str
) -> Report:
    """Issue one licence from a JSON file."""
    from certlib import issuing, reporting
    from certlib.wire import request_from_json

    with opened(home) as lib:
        code = reporting.only_agency(lib, agency_code)
        content = reporting.read_request(data)
        request = request_from_json(content, agency_code=code, type_code=type_code, operator=operator)
        require_writable(out)
        issued = issuing.issue(lib, request)
        path = reporting.save_pdf(lib, issued.licence, out) if out is not None else None
    return Report(data=reporting.issued_report(issued, path), text=reporting.issued_text(issued, path))


def issue_register(  # noqa: PLR0913  # the options of a batch
    home: Path,
    type_code: str,
    file: Path,
    mapping: Path,
    *,
    agency_code: str,
    check: bool,
    out: Path | None,
    workers: int,
    encoding: str,
    as_status: str,
    operator: str,
    progress_json: bool,
) -> Report:
    """Issue a register, or check it."""
    from certlib import progress, reporting
    from certlib.batch import run_batch

    with opened(home) as lib:
        require_writable(out)
        summary = run_batch(
            lib, type_code, file, mapping, agency_code=agency_code or reporting.sole_agency(lib), check=check, out=out,
            workers=workers, encoding=encoding or None, as_status=as_status, operator=operator,
            progress=progress.progress(as_json=progress_json),
        )  # fmt: skip
    return Report(
        data=progress.batch_report(summary),
        text=progress.batch_text(summary),
        good=not summary.refused,
        interrupted=summary.interrupted,
    )


def show(home: Path, key: str, *, out: Path | None, qr: str) -> Report:
    """The whole record of a licence, its PDF as a file in `out`, and its QR code (`-`: as text)."""
    from certlib import reporting

    with opened(home) as lib:
        report = reporting.licence_report(lib, key)
        if out is not None:
            report["file"] = str(reporting.save_pdf_of(lib, key, out))
    code = f"\n{reporting.drawn_code(report['token'], qr)}" if qr else ""
    return Report(data=report, text=reporting.licence_text(report) + code)


def export_trust(home: Path, out: Path) -> Report:
    """A fresh trust pack with its anchor as files in `out`."""
    from certlib import checking, trusting

    with opened(home) as lib:
        require_writable(out)
        pack = trusting.publish(lib)
        names = [str(path) for path in checking.export_trust(lib, out, pack)]
    return Report(data={"version": pack.version, "files": names}, text="\n".join(names))


def verify(
    home: Path,
    inputs: Sequence[str],
    *,
    trust_pack: Path | None,
    anchor: Path | None,
    status_lists: Sequence[Path] = (),
) -> Iterator[Report]:
    """A report for each input, in their order, as they are judged."""
    from certlib import checking
    from certlib.verdict import verdict_json

    judged = False
    with checking.verify_source(home, trust_pack, anchor, status_lists) as source:
        for name, answer in checking.verify_each(checking.inputs_of(inputs), source):
            judged = True
            if isinstance(answer, CertlibError):
                text = "\n".join(
                    [
                        f"{name}: NOT CHECKED",
                        *(f"  {line.strip().removeprefix('certlib: ')}" for line in error_lines(answer)),
                    ]
                )
                yield Report(data={"input": name, **error_json(answer)}, text=text, good=False, error=answer)
            else:
                data = {"input": name, **verdict_json(answer)}
                good = answer.word in checking.GOOD_WORDS
                yield Report(data=data, text=checking.verdict_text(name, answer), good=good)
    if not judged:
        raise SetupError("nothing was given to be verified", code="usage")  # no checks are no success


def check_identifiers(identifiers: Sequence[str], *, roots: Sequence[str], strict: bool) -> Report:
    """Whether each identifier is well formed, with what is wrong or worth a look."""
    rows = []
    for text in identifiers:
        try:
            detail = "; ".join(parse_identifier(text, plain_roots=roots, strict=strict).warnings)
            rows.append({"identifier": text, "result": "valid", "detail": detail})
        except InvalidRequestError as error:
            detail = "; ".join(each.reason for each in error.faults)
            rows.append({"identifier": text, "result": "invalid", "detail": detail})
    lines = [f"{row['identifier']}: {row['result']}{'; ' + row['detail'] if row['detail'] else ''}" for row in rows]
    return Report(data=rows, text="\n".join(lines), good=all(row["result"] == "valid" for row in rows))


def verify_audit(home: Path, *, since: str, chain_only: bool) -> Report:
    """Prove the audit chain, and that the licences on record are the ones it tells of."""
    from certlib import auditing

    mark = auditing.mark_of(since)
    with opened(home) as lib:
        proved = auditing.verify_audit(lib, since=mark, chain_only=chain_only)
    head = f"{proved.head.seq}:{proved.head.hash}" if proved.head.seq else ""
    licences = "" if proved.licences is None else f", {proved.licences:,} licences are as it says"
    text = f"the audit chain holds: {proved.records:,} records{licences}\n  head {head}\n"
    text += f"  Keep the head elsewhere. Next time: certlib audit verify --since {head}"
    return Report(data={"records": proved.records, "licences": proved.licences, "head": head}, text=text)


def audit_lines(home: Path, *, since: str) -> Iterator[str]:
    """The audit records as JSON lines."""
    from certlib import auditing

    start = auditing.start_of(since)
    with opened(home) as lib:
        yield from auditing.audit_lines(lib, since=start)


def export_audit(home: Path, path: Path, *, since: str) -> Report:
    """The audit records as JSON lines in a new file."""
    records = 0
    with path.open("x", encoding="utf-8") as file:
        for line in audit_lines(home, since=since):
            file.write(f"{line}\n")
            records += 1
    return Report(data={"records": records, "file": str(path)}, text=f"{records:,} records in {path}")


def served_home(home: Path) -> str:
    """The whole path of a library that can be served. One that is older than its keys for lists gets them.

    Raises:
        SetupError: there is none, or it does not open.
    """
    from certlib import enrolling

    with opened(home) as lib:
        enrolling.ensure_library_keys(lib, operator="serve")
        return str(lib.settings.home)


def demo(home: Path, *, port: int) -> Iterator[str]:
    """Make the demo library unless it is there; the lines to show while it is made."""
    from certlib import demonstrating

    yield from demonstrating.prepare(home, port=port)


def require_writable(folder: Path | None) -> None:
    """Make `folder`, before anything is issued that could not be written there.

    Raises:
        SetupError: it cannot be written.
    """
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{folder} cannot be made: {error.strerror}", code="file") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SetupError(f"{folder} cannot be written", code="file")


def require_free(host: str, port: int) -> None:
    """Refuse an address that cannot be served, before anything else is done.

    Raises:
        SetupError: somebody has the port, or the address is not of this machine.
    """
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        hint = "Choose another with --port."
        raise SetupError(
            f"{host}:{port} cannot be served: {error.strerror or error}", code="port", hint=hint
        ) from error
