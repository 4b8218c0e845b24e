"""What operators are shown: agencies, types, licences, batches and verdicts as plain values and as text."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from certlib.config import read_settings
from certlib.errors import FieldFault, InvalidRequestError, NotFoundError, SetupError
from certlib.identifiers import AgencyCode, normalise_public_code, printed_public_code
from certlib.library import close_library, open_library, utc_now
from certlib.model import OverallWord
from certlib.store import agencies, audits, lookups, statuses
from certlib.trusting import open_offline
from certlib.wire import licence_json
from signing.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from certlib.batch import BatchSummary
    from certlib.issuing import Issued
    from certlib.library import Library
    from certlib.model import Licence
    from certlib.store.values import KeyRecord
    from certlib.trusting import OfflineTrust, PublishedPack
    from certlib.verdict import Verdict

GOOD_WORDS: Final = frozenset({OverallWord.VALID, OverallWord.VALID_OFFLINE})
SHORT_CHARACTERS: Final = 60


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
    return "\n".join(lines)


def save_pdf(lib: Library, licence: Licence, folder: Path) -> Path:
    """Write the sealed PDF into `folder` under its own name, and give its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / licence.pdf_name
    path.write_bytes(lookups.pdf_of(lib.store, licence))
    return path


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


def identifier_report(text: str, parse: Callable[[str], Any]) -> dict[str, str]:
    """Whether an identifier is well formed, with what is wrong or worth a look."""
    try:
        parsed = parse(text)
    except InvalidRequestError as error:
        return {"identifier": text, "result": "invalid", "detail": "; ".join(each.reason for each in error.faults)}
    return {"identifier": text, "result": "valid", "detail": "; ".join(parsed.warnings)}


@contextmanager
def verify_source(home: Path, pack: Path | None, anchor: Path | None) -> Iterator[Library | OfflineTrust]:
    """The open library at `home`, or the trust pack alone.

    Raises:
        SetupError: no library there, or the pack's files cannot be read.
        InvalidRequestError: the pack is not to be trusted; the code says why.
    """
    if pack is None:
        lib = open_library(read_settings(home))
        try:
            yield lib
        finally:
            close_library(lib)
        return
    anchor = anchor or pack.with_name("trust-anchor.json")
    try:
        data, pinned = pack.read_bytes(), read_anchor(anchor.read_bytes())
    except OSError as error:
        raise SetupError(f"{error.filename}: {error.strerror}", hint="Make both: certlib trust export") from error
    seen = Path.home() / ".local" / "state" / "certlib"
    try:
        trust = open_offline(data, anchor_spki_der=pinned, now=utc_now(), seen=seen)
    except VerificationError as error:
        fault = FieldFault(field=str(pack), code=error.fault.value, reason=f"is not to be trusted: {error}")
        raise InvalidRequestError((fault,)) from error
    yield trust


def read_anchor(data: bytes) -> bytes:
    """The public key (SPKI, DER) in a trust-anchor.json.

    Raises:
        SetupError: it is none.
    """
    try:
        text = str(json.loads(data)["spki"])
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, KeyError, TypeError) as error:
        raise SetupError("the trust anchor cannot be read", hint="Make it with: certlib trust export") from error


def export_trust(lib: Library, folder: Path, pack: PublishedPack) -> list[Path]:
    """Write trust-pack.json, trust-anchor.json and root.pem into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    spki = lib.anchor_spki_der
    anchor = {
        "spki": base64.urlsafe_b64encode(spki).rstrip(b"=").decode(),
        "sha256": hashlib.sha256(spki).hexdigest(),
    }
    body = base64.encodebytes(lib.root_certificate_der).decode()
    files = {
        "trust-pack.json": pack.data,
        "trust-anchor.json": json.dumps(anchor).encode(),
        "root.pem": f"-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n".encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def verify_input(text: str) -> bytes | str:
    """The bytes of the file that `text` names, else `text` itself."""
    if len(text) < 4096 and "\n" not in text and Path(text).is_file():  # noqa: PLR2004  # no path is longer
        return Path(text).read_bytes()
    return text


def short(text: str) -> str:
    """A long token cut for the screen; it is never logged whole."""
    return text if len(text) <= SHORT_CHARACTERS else f"{text[: SHORT_CHARACTERS - 1]}…"


def verdict_text(name: str, verdict: Verdict) -> str:
    """A verdict for people: the word, what it speaks of, each check with its evidence."""
    shown = verdict.shown
    lines = [f"{name}: {verdict.word.value.upper()}{f' ({verdict.fault})' if verdict.fault else ''}"]
    kind, agency = shown.get("type"), shown.get("agency")
    if isinstance(kind, dict) and isinstance(agency, dict):
        lines.append(f"  {kind.get('zh')} {kind.get('en')} No. {shown.get('number')}, {agency.get('zh')}")
    for check in verdict.checks:
        evidence = ", ".join(f"{key} {value}" for key, value in check.evidence.items())
        lines.append(
            f"  {check.outcome.value:<14} {check.name.value:<20} {check.code}{f': {evidence}' if evidence else ''}"
        )
    if verdict.snapshot_age_seconds is not None:
        lines.append(f"  status as of {verdict.status_as_of}, {verdict.snapshot_age_seconds // 60} minutes old")
    return "\n".join(lines)


def batch_report(summary: BatchSummary) -> dict[str, Any]:
    """What a run of a batch did."""
    return {**asdict(summary), "per_second": round(summary.per_second, 1)}


def batch_text(summary: BatchSummary) -> str:
    """What a run of a batch did, for people, with what to do next."""
    rate = f"{summary.seconds:,.1f} s, {summary.per_second:,.0f} rows/s"
    if summary.check:
        lines = [
            f"checked {summary.read:,} rows ({rate}): {summary.lawful:,} can be issued, {summary.refused:,} cannot"
        ]
    else:
        lines = [f"read {summary.read:,} rows ({rate})", f"  {summary.issued:,} issued"]
        lines += [f"  {summary.already:,} had been issued before"] if summary.already else []
        lines += [f"  {summary.changed:,} of them given the register's status"] if summary.changed else []
        lines += [f"  {summary.refused:,} refused"]
    lines += [f"    {count:>7,}  {code}" for code, count in Counter(summary.refused_by_code).most_common()]
    if summary.refused:
        lines.append(f"Mend the rows in {summary.errors_csv} and run the same command on that file.")
    if summary.issued_csv:
        lines.append(f"Identifiers, codes and files: {summary.issued_csv}")
    if summary.interrupted:
        lines.append("Stopped before the end. Run the same command again: nothing is issued twice.")
    return "\n".join(lines)


@dataclass(kw_only=True, slots=True)
class Progress:
    """Progress of a batch: a line that moves on a terminal, JSON lines otherwise; at most twice a second."""

    stream: TextIO
    as_json: bool
    started: float = 0.0
    last: float = 0.0

    def __call__(self, done: int, refused: int, part: float) -> None:
        """Show that `done` rows are through, `refused` of them refused; `part` is the share of the input read, 0..1."""
        now = time.monotonic()
        self.started = self.started or now
        if now - self.last < 0.5 and part < 1:  # noqa: PLR2004  # seconds
            return
        self.last = now
        seconds = max(now - self.started, 1e-6)
        rate, left = done / seconds, seconds * (1 - part) / part if part > 0 else 0.0
        if self.as_json:
            line = {"rows": done, "refused": refused, "part": round(part, 4), "per_second": round(rate, 1)}
            self.stream.write(json.dumps({**line, "seconds_left": round(left, 1)}) + "\n")
        else:
            text = f"\r{done:,} rows  {refused:,} refused  {part:4.0%}  {rate:,.0f}/s  {left:,.0f} s left "
            self.stream.write(text + ("\n" if part >= 1 else ""))
        self.stream.flush()


def progress(stream: TextIO = sys.stderr, *, as_json: bool) -> Progress:
    """A fresh progress line."""
    return Progress(stream=stream, as_json=as_json)
