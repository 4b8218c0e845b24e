"""What operators are shown: agencies, types and licences as plain values and as text; and the requests they write."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certlib.errors import FieldFault, InvalidRequestError, NotFoundError, SetupError
from certlib.identifiers import AgencyCode, normalise_public_code, printed_public_code
from certlib.store import agencies, audits, lookups, statuses
from certlib.wire import licence_json, unique_members
from signing import qr

if TYPE_CHECKING:
    from certlib.issuing import Issued
    from certlib.library import Library
    from certlib.model import Licence
    from certlib.store.values import KeyRecord

MAX_REQUEST_BYTES: Final = 20 * 2**20
MAX_PICTURE_BYTES: Final = 20 * 2**20
"""Read at most; what a type allows is judged with the request."""
_FILE_NAME: Final = re.compile(r"[^\0]{1,1000}\.(?:png|jpe?g)", re.IGNORECASE)
"""Base64 has no full stop."""


def only_agency(lib: Library, code: str) -> AgencyCode:
    """The agency named, or the only one there is.

    Raises:
        NotFoundError: no such agency, or none at all.
        SetupError: there are several and none was named.
    """
    if code:
        return agencies.agency(lib.store, code).code
    known = agencies.all_agencies(lib.store)
    if not known:
        raise NotFoundError("there is no agency yet", hint="Add one: certlib agency add --code CODE --name NAME")
    if len(known) > 1:
        raise SetupError("there are several agencies", hint="Name one: --agency " + "|".join(a.code for a in known))
    return known[0].code


def sole_agency(lib: Library) -> str:
    """The code of the only agency, or nothing when there are none or several."""
    known = agencies.all_agencies(lib.store)
    return known[0].code if len(known) == 1 else ""


def agencies_report(lib: Library) -> list[dict[str, Any]]:
    """Agencies with their keys, oldest key first."""
    return [
        {
            "code": each.code,
            "name": each.name,
            "name_en": each.name_en,
            "timezone": each.timezone,
            "keys": [_key_report(lib, key) for key in agencies.keys(lib.store, owner=each.code)],
        }
        for each in agencies.all_agencies(lib.store)
    ]


def _key_report(lib: Library, key: KeyRecord) -> dict[str, str]:
    now = lib.now()
    state = "usable"
    if key.withdrawn_at is not None:
        state = "withdrawn"
    elif key.purpose == "seal_request":
        state = "waits for its certificate"
    elif now >= key.not_after_at:
        state = "ended"
    return {
        "purpose": key.purpose,
        "kid": key.kid,
        "algorithm": key.algorithm,
        "not_before": key.not_before_at.isoformat(),
        "not_after": key.not_after_at.isoformat(),
        "state": state,
    }


def agencies_text(rows: list[dict[str, Any]]) -> str:
    """Agencies with their keys, for people."""
    lines = []
    for row in rows:
        lines.append(f"{row['code']}  {row['name']}  {row['name_en']}".rstrip())
        lines += [
            "    {purpose:<12} {kid}  {algorithm:<8} until {not_after:.10}  {state}".format(**key)
            for key in row["keys"]
        ]
    return "\n".join(lines) or "There is no agency yet. Add one: certlib agency add --code CODE --name NAME"


def types_report(lib: Library) -> list[dict[str, Any]]:
    """Registered type versions."""
    rows = []
    for each in agencies.all_types(lib.store):
        name = lib.press.folder(each.code, each.version).licence_type.name
        rows.append(
            {
                "code": each.code, "version": each.version, "zh": name.zh, "en": name.en, "digest": each.digest,
                "frozen": each.first_used_at is not None,
            }
        )  # fmt: skip
    return rows


def find_licence(lib: Library, key: str) -> Licence:
    """The licence under an identifier, look-up code, or number.

    Raises:
        NotFoundError: none, or a number that several licences bear.
    """
    if "." in key:
        return lookups.licence_by_identifier(lib.store, key)
    try:
        return lookups.licence_by_code(lib.store, normalise_public_code(key))
    except (InvalidRequestError, NotFoundError):
        pass
    found = [
        licence
        for agency in agencies.all_agencies(lib.store)
        for each in agencies.all_types(lib.store)
        for licence in lookups.licences_by_number(lib.store, agency_code=agency.code, type_code=each.code, number=key)
    ]
    unique = {licence.identifier: licence for licence in found}
    if len(unique) == 1:
        return next(iter(unique.values()))
    if unique:
        raise NotFoundError("several licences bear this number: " + ", ".join(unique), hint="Name one identifier.")
    raise NotFoundError("no licence under this identifier, code or number")


def licence_report(lib: Library, key: str) -> dict[str, Any]:
    """The whole record of a licence, its changes of status and its audit records."""
    licence = find_licence(lib, key)
    return {
        **licence_json(licence),
        "status_changes": [
            {
                "old": each.old.value, "new": each.new.value, "reason": each.reason, "operator": each.operator,
                "document_number": each.document_number, "effective_at": each.effective_at.isoformat(),
            }
            for each in statuses.status_changes(lib.store, licence.identifier)
        ],
        "audit": [
            {"seq": each.seq, "at": each.at.isoformat(), "actor": each.actor, "act": each.act}
            for each in audits.records_about(lib.store, licence.identifier)
        ],
    }  # fmt: skip


def licence_text(report: dict[str, Any]) -> str:
    """The record for people."""
    until = report["expires_on"] or "no end"
    lines = [
        f"{report['identifier']}   {report['status']}",
        f"  type        {report['type']} v{report['type_version']}",
        f"  number      {report['number']}",
        f"  holder      {'; '.join(each['name'] for each in report['holders'])}",
        f"  issued      {report['issued_on']}, in force {report['effective_on']} to {until}",
        f"  look-up     {report['public_code']}   check phrase {report['check_phrase']}",
        f"  file        {report['pdf']}  sha256 {report['pdf_sha256']}",
    ]
    lines += [f"  {name:<11} {value}" for name, value in report["fields"].items()]
    lines += [
        f"  {each['effective_at'][:19]}  {each['old']} -> {each['new']} by {each['operator']}: {each['reason']}"
        for each in report["status_changes"]
    ]
    lines += [f"  saved as    {report['file']}"] if "file" in report else []
    return "\n".join(lines)


def save_pdf(lib: Library, licence: Licence, folder: Path) -> Path:
    """Write the sealed PDF into `folder` under its own name, and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / licence.pdf_name
    path.write_bytes(pdf_bytes(lib, licence))
    return path


def pdf_bytes(lib: Library, licence: Licence) -> bytes:
    """The sealed PDF."""
    return lookups.pdf_of(lib.store, licence)


def save_pdf_of(lib: Library, key: str, folder: Path) -> Path:
    """As `save_pdf`, for the licence under `key`."""
    return save_pdf(lib, find_licence(lib, key), folder)


def printed_code(licence: Licence) -> str:
    """The look-up code in groups."""
    return printed_public_code(licence.public_code)


def issued_report(issued: Issued, path: Path | None) -> dict[str, Any]:
    """The answer to one request."""
    report: dict[str, Any] = {"new": issued.new, **licence_json(issued.licence)}
    if path is not None:
        report["file"] = str(path)
    return report


def issued_text(issued: Issued, path: Path | None) -> str:
    """The answer to one request, for people."""
    licence = issued.licence
    lines = [
        f"{'issued' if issued.new else 'was issued before'}: {licence.identifier}",
        f"  look-up code {printed_code(licence)}   check phrase {licence.check_phrase}",
    ]
    return "\n".join([*lines, f"  {path}"] if path is not None else lines)


def drawn_code(token: str, where: str) -> str:
    """The QR code of a token: as lines for a terminal if `where` is `-`, else written as the PNG or SVG it names.

    Raises:
        InvalidRequestError: neither, or the file cannot be written.
    """
    if where == "-":
        return qr.qr_terminal(token)
    path = Path(where)
    draw = {".png": qr.qr_png, ".svg": qr.qr_svg}.get(path.suffix.lower())
    if draw is None:
        fault = FieldFault(field="qr", code="bad_form", reason="must be - or a file that ends in .png or .svg")
        raise InvalidRequestError((fault,))
    try:
        path.write_bytes(draw(token))
    except OSError as error:
        reason = f"{where} cannot be written: {error.strerror}"
        raise InvalidRequestError((FieldFault(field="qr", code="unwritable", reason=reason),)) from error
    return where


def read_request(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; pictures named as files beside it are read in.

    Raises:
        InvalidRequestError: it cannot be read, or is no object.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MAX_REQUEST_BYTES + 1).decode("utf-8-sig")
        data = json.loads(text, object_pairs_hook=unique_members)
    except (OSError, ValueError, RecursionError) as error:
        reason = f"cannot be read as JSON: {getattr(error, 'strerror', None) or error}"
        raise InvalidRequestError((FieldFault(field=str(path), code="unreadable", reason=reason),)) from error
    if not isinstance(data, dict):
        raise InvalidRequestError((FieldFault(field=str(path), code="bad_form", reason="must be a JSON object"),))
    images = data.get("images")
    if isinstance(images, dict):
        data["images"] = {name: _picture(path.parent, name, value) for name, value in images.items()}
    return data


def _picture(folder: Path, name: str, value: object) -> object:
    """The bytes of the picture that `value` names beside the request; base64 is left as it is."""
    if not isinstance(value, str) or not _FILE_NAME.fullmatch(value):
        return value
    try:
        with (folder / value).open("rb") as file:
            return file.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        reason = f"the picture {value} cannot be read: {error.strerror}"
        raise InvalidRequestError((FieldFault(field=name, code="no_file", reason=reason),)) from error
