"""One answer to "is this good?" for whatever somebody brings: a token, a file, a photo, a code (docs/verifying.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from certlib import foreign
from certlib.copyjudging import judge_audience, judge_copy
from certlib.errors import InvalidRequestError, NotFoundError
from certlib.findings import Findings, judge_record
from certlib.grounds import (
    RUN,
    SEGMENTS,
    SIGNATURE_BYTES,
    Lookup,
    ground_of,
    judge_issuer,
    judge_licence,
    judge_offline,
    only_token,
    shown_token,
    signed_part,
    successor,
)
from certlib.identifiers import normalise_identifier, normalise_public_code, parse_identifier
from certlib.judging import judge_file
from certlib.library import Library
from certlib.shown import shown_public
from certlib.store import lookups
from certlib.verdict import CheckName, InputKind, Outcome
from signing import qr, tokens
from signing.errors import Fault, VerificationError

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.grounds import Ground
    from certlib.trusting import OfflineTrust
    from certlib.verdict import Verdict

MAX_OFFLINE_BYTES: Final = 20 * 2**20
"""Largest input without a library, whose settings say it otherwise."""
IMAGE_STARTS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
PDF_START: Final = b"%PDF-"
PDF_START_WITHIN: Final = 1024
"""Readers look for the header in the first kibibyte. ISO 32000-1, annex H, note 13."""
_FULL_WIDTH_DIGITS: Final = {0xFF10 + digit: str(digit) for digit in range(10)}


def verify(given: bytes | str, source: Library | OfflineTrust, *, now: datetime, asker: str = "") -> Verdict:
    """The verdict on `given`: a token in any of its written forms, a PDF, a PNG or JPEG, a public code, an identifier.

    `asker` is the code of the agency that asks, proved by its bearer: a purpose-bound copy that was made for it counts
    as its licence does; for everybody else the best word of a copy is `bound_copy`.

    Fails closed: what cannot be read, found or judged is never `valid`. Steps:
    1. size and kind of the input;
    2. the ground: keys, names and statuses, live or of the trust pack;
    3. integrity and issuer: the token's signature, or the file's seal;
    4. of a file: its parts speak of one licence (`judging`);
    5. same as the record; without network there is none to compare with;
    6. status, then dates in the agency's zone, the end date inclusive;
    7. the word is computed from the checks (`verdict.overall_word`);
    8. what a key signed that is not ours but in an imported trust pack is judged by that pack, and by nothing of ours.

    Raises:
        UnavailableError, OwnFaultError: the record cannot be read now. That is no verdict on the input.
    """
    # 1 size and kind, 2 the ground
    ground = ground_of(source)
    most = source.settings.max_upload_bytes if isinstance(source, Library) else MAX_OFFLINE_BYTES
    content = given if isinstance(given, bytes) else given.encode("utf-8", "replace")
    if len(content) > most:
        return _unread(InputKind.CODE, now, Fault.TOO_LARGE, f"more than {most} bytes")
    if isinstance(given, bytes) and given.startswith(IMAGE_STARTS):
        findings = Findings(kind=InputKind.IMAGE, now=now, asker=asker)
        _image(findings, ground, given)
    elif isinstance(given, bytes) and PDF_START in given[:PDF_START_WITHIN]:
        findings = Findings(kind=InputKind.PDF, now=now, asker=asker)
        judge_file(findings, ground, given)
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return _unread(InputKind.CODE, now, Fault.MALFORMED, "neither text, nor PDF, PNG or JPEG")
        findings = _text(ground, text, now, asker)
    # 7 the word is a property of the verdict; 8 another library's key is judged by its trust pack alone, and its codes
    # of agencies are not ours: a copy of its making is never one for our asker
    missed = ground.keys.missed if ground.lib is not None and isinstance(ground.keys, Lookup) else ()
    if ground.lib is not None and (trust := foreign.trust_for(ground.lib, missed, now=now)) is not None:
        return foreign.of_library(ground.lib, verify(given, trust, now=now), trust)
    return findings.verdict()


def _unread(kind: InputKind, now: datetime, fault: str, detail: str) -> Verdict:
    findings = Findings(kind=kind, now=now)
    findings.note(CheckName.INTEGRITY_AND_SEAL, Outcome.UNKNOWN, fault, detail=detail)
    return findings.verdict()


def _text(ground: Ground, text: str, now: datetime, asker: str) -> Findings:
    """A token, a code or an identifier, by its form alone, in this order."""
    # What an input method makes of a scanner's digits.
    typed = text if text.isascii() else text.translate(_FULL_WIDTH_DIGITS)
    if RUN.search(typed):
        findings = Findings(kind=InputKind.TOKEN, now=now, asker=asker)
        _token(findings, ground, typed)
        return findings
    try:
        code = normalise_public_code(text)
    except InvalidRequestError:
        pass
    else:
        findings = Findings(kind=InputKind.CODE, now=now)
        _key(findings, ground, code)
        return findings
    identifier = normalise_identifier(text)
    if identifier.count(".") < SEGMENTS or "/" in identifier:
        findings = Findings(kind=InputKind.CODE, now=now)
        _token(findings, ground, typed)  # too short for one: it says why
        return findings
    findings = Findings(kind=InputKind.IDENTIFIER, now=now)
    try:
        parse_identifier(identifier, plain_roots=(identifier.rsplit(".", SEGMENTS)[0],))
    except InvalidRequestError as error:
        findings.note(CheckName.SAME_AS_RECORD, Outcome.UNKNOWN, error.faults[0].code, detail=error.faults[0].reason)
        return findings
    _key(findings, ground, identifier)
    return findings


def _key(findings: Findings, ground: Ground, key: str) -> None:
    """A public code or identifier typed by hand: nothing to prove, so the record speaks and a person compares."""
    # 3 nothing was brought that could be genuine or not
    for name in (CheckName.INTEGRITY_AND_SEAL, CheckName.ISSUER_TRUSTED):
        findings.note(name, Outcome.NOT_APPLICABLE, "typed_by_hand")
    # 5 record
    if ground.lib is None:
        findings.note(CheckName.SAME_AS_RECORD, Outcome.UNKNOWN, "needs_network")
        return
    try:
        row = lookups.public_row(ground.lib.store, key)
    except NotFoundError:
        findings.note(CheckName.SAME_AS_RECORD, Outcome.UNKNOWN, "not_on_record")
        return
    findings.note(CheckName.SAME_AS_RECORD, Outcome.WARNING, "compare_the_face", identifier=row.identifier)
    findings.shown = shown_public(row, with_code=findings.kind is InputKind.CODE)
    # 6 status and dates
    judge_record(
        findings,
        status=row.status,
        effective_on=row.effective_on,
        expires_on=row.expires_on,
        timezone=row.timezone,
        successor=successor(ground.lib, row.identifier),
    )


def _image(findings: Findings, ground: Ground, image: bytes) -> None:
    """A photo or scan: the one token on it, and a person who compares the face."""
    try:
        text = only_token(qr.read_codes(image))
    except VerificationError as error:
        findings.fault(error)
        return
    _token(findings, ground, text)
    findings.note(CheckName.SAME_DOCUMENT, Outcome.WARNING, "compare_the_face")


def _token(findings: Findings, ground: Ground, text: str) -> None:
    """A token in any of its written forms."""
    # 3 integrity and issuer
    try:
        token = tokens.verify_token(text, ground.keys, now=findings.now)
    except VerificationError as error:
        findings.fault(error)
        return
    findings.note(CheckName.INTEGRITY_AND_SEAL, Outcome.PASSED, "signature_fits", check_phrase=token.check_phrase)
    findings.shown = shown_token(ground, token)
    if not judge_issuer(findings, ground, token.key, token.claims.identifier, at=token.claims.issued_at):
        return
    judge_audience(findings, ground, token.claims)
    # 5 record, 6 status and dates
    if ground.lib is None:
        judge_offline(findings, ground, token)
        return
    try:
        licence = lookups.licence_by_identifier(ground.lib.store, token.claims.identifier)
    except NotFoundError:
        findings.note(CheckName.SAME_AS_RECORD, Outcome.UNKNOWN, "not_on_record", identifier=token.claims.identifier)
        return
    if token.claims.audience is not None:
        judge_copy(findings, ground.lib, licence, token)
        return
    if licence.agency_code != token.key.owner or signed_part(licence.token) != token.cose[:-SIGNATURE_BYTES]:
        findings.note(CheckName.SAME_AS_RECORD, Outcome.FAILED, "differs_from_record", identifier=licence.identifier)
        return
    findings.note(CheckName.SAME_AS_RECORD, Outcome.PASSED, "same", identifier=licence.identifier)
    judge_licence(findings, ground.lib, licence)
