"""Files: the seal, its issuer, whether all parts speak of one licence, and whether it is the one on record."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.copyfaces import COPY_FORMAT
from certlib.copyjudging import judge_audience, judge_copy, says_the_same
from certlib.errors import NotFoundError
from certlib.faces import RECORD_NAME, TOKEN_NUMBER
from certlib.findings import ISSUER_FAULTS, TRUST_FAULTS
from certlib.grounds import (
    SIGNATURE_BYTES,
    judge_issuer,
    judge_licence,
    judge_offline,
    only_token,
    shown_token,
    signed_part,
)
from certlib.store import lookups
from certlib.verdict import CheckName, Outcome, moment
from signing import jws, pades, qr, tokens
from signing.errors import Fault, VerificationError
from signing.trust import KeyPurpose, key_for
from templates import confined, raster
from templates.errors import TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from certlib.findings import Findings
    from certlib.grounds import Ground
    from certlib.model import Licence
    from signing.pades import VerifiedSeal
    from signing.tokens import VerifiedToken
    from signing.trust import TrustedKey

PAGE_DPI: Final = 200
"""Reads every code that our print gate lets pass (facts: qr-token, 5)."""
RECORD_FORMAT: Final = "certlib-record-1"
SEAL_MARK: Final = b"/ETSI.CAdES.detached"
"""A file with this in it claims a seal of our kind; damaged, it is no honest reading error but a seal that fails."""
RECORD_MARK: Final = f"({RECORD_NAME})".encode()
"""A file with this in it was made from one of ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _AttachedRecord:
    """What the record inside the file says; sealed, hence the agency's word."""

    identifier: str
    number: str
    token: str
    copy: Mapping[str, object] | None
    """All of it, if the file is a purpose-bound copy; a copy may lack the number."""


def judge_file(findings: Findings, ground: Ground, pdf: bytes) -> None:
    """Steps 3 to 6 of `verifying.verify` for a PDF."""
    # 3 integrity and issuer
    try:
        key = _sealing_key(ground, pdf)
        seal = pades.verify_seal(
            pdf, roots_der=_roots(ground, key), now=findings.now, tsa_roots_der=ground.tsa_roots_der
        )
    except VerificationError as error:
        _broken_seal(findings, ground, pdf, error)
        return
    findings.note(
        CheckName.INTEGRITY_AND_SEAL,
        Outcome.PASSED,
        "seal_fits",
        sealed_at=moment(seal.sealed_at),
        time_source="timestamp" if seal.timestamp else "signer",
        signer=seal.signer_name,
    )
    if key is None:
        findings.note(CheckName.ISSUER_TRUSTED, Outcome.FAILED, Fault.UNKNOWN_KEY, kid=seal.kid.hex())
        return
    if not key.not_before_at <= seal.sealed_at < key.not_after_at:
        findings.note(CheckName.ISSUER_TRUSTED, Outcome.FAILED, Fault.EXPIRED_CERTIFICATE, kid=seal.kid.hex())
        return
    # 4 the record inside
    record = _attached_record(findings, pdf, seal)
    if record is None or not judge_issuer(findings, ground, key, record.identifier, at=seal.sealed_at):
        return
    # 5 same as the record
    licence = None
    if ground.lib is not None:
        with suppress(NotFoundError):
            licence = lookups.licence_by_pdf_sha256(ground.lib.store, hashlib.sha256(pdf).hexdigest())
    if ground.lib is not None and licence is not None:
        _recorded_file(findings, ground, record, licence)
        # 6 status and dates
        judge_licence(findings, ground.lib, licence)
    else:
        _other_file(findings, ground, pdf, key, record)


def _sealing_key(ground: Ground, pdf: bytes) -> TrustedKey | None:
    """The trusted key that the seal's certificate names, or None when nobody knows it.

    Raises:
        VerificationError: there is no seal to be read, or its key is for another purpose or withdrawn.
    """
    kid = pades.sealing_certificate_kid(pdf)
    try:
        return key_for(ground.keys, kid, KeyPurpose.SEAL)
    except VerificationError as error:
        if error.fault is Fault.UNKNOWN_KEY:
            return None
        raise


def _roots(ground: Ground, key: TrustedKey | None) -> tuple[bytes, ...]:
    """The roots, and the key's own certificate: an agency may bring one of another authority, and the pack vouches."""
    certified = () if key is None or key.certificate_der is None else (key.certificate_der,)
    return (*ground.roots_der, *certified)


def _broken_seal(findings: Findings, ground: Ground, pdf: bytes, error: VerificationError) -> None:
    """The seal is missing, does not fit, or is nobody's we trust (docs/verifying.md, 3)."""
    claims_seal = error.fault is Fault.MALFORMED and SEAL_MARK in pdf
    was_ours = error.fault is Fault.UNSIGNED and RECORD_MARK in pdf
    if claims_seal or was_ours:
        findings.note(CheckName.INTEGRITY_AND_SEAL, Outcome.FAILED, error.fault, detail=error.detail)
    elif error.fault is Fault.UNSIGNED:
        findings.note(CheckName.INTEGRITY_AND_SEAL, Outcome.UNKNOWN, error.fault, detail=error.detail)
        _code_on_scan(findings, ground, pdf)
    else:
        findings.fault(error)


def _code_on_scan(findings: Findings, ground: Ground, pdf: bytes) -> None:
    """A file without a seal may be a scan of paper: say whether the code on it is genuine, but judge no further."""
    with suppress(VerificationError):
        token = tokens.verify_token(only_token(_stranger_codes(pdf)), ground.keys, now=findings.now)
        findings.note(
            CheckName.INTEGRITY_AND_SEAL,
            Outcome.UNKNOWN,
            Fault.UNSIGNED,
            detail="the file has no seal; the code on its first page is genuine: verify the code and compare the face",
            code_on_page="genuine",
        )
        findings.shown = shown_token(ground, token)


def _attached_record(findings: Findings, pdf: bytes, seal: VerifiedSeal) -> _AttachedRecord | None:
    """The record in the sealed file; None, with a note, when the agency sealed something else."""
    try:
        content = pades.attachments(pdf, seal=seal).get(RECORD_NAME)
        record = None if content is None else jws.json_object(content)
    except VerificationError as error:
        findings.note(CheckName.SAME_DOCUMENT, Outcome.UNKNOWN, "no_record", detail=error.detail)
        return None
    form = None if record is None else record.get("format")
    if record is not None and form in {RECORD_FORMAT, COPY_FORMAT}:
        number = record.get("certificateNumber", "" if form == COPY_FORMAT else None)
        match record.get("certificateIdentifier"), number, record.get("token"):
            case (str(identifier), str(number), str(token)):
                copy = record if form == COPY_FORMAT else None
                return _AttachedRecord(identifier=identifier, number=number, token=token, copy=copy)
    findings.note(CheckName.SAME_DOCUMENT, Outcome.UNKNOWN, "no_record", detail="sealed, but not a licence of ours")
    return None


def _recorded_file(findings: Findings, ground: Ground, record: _AttachedRecord, licence: Licence) -> None:
    """The very bytes that were recorded: page and attachment cannot be others'."""
    same = (record.identifier, record.number, record.token) == (licence.identifier, licence.number, licence.token)
    findings.note(CheckName.SAME_AS_RECORD, Outcome.PASSED, "same", identifier=licence.identifier)
    findings.note(
        CheckName.SAME_DOCUMENT,
        Outcome.PASSED if same else Outcome.FAILED,
        "same_bytes" if same else "does_not_match_document",
    )
    # A token key that was withdrawn spoils the code on paper, not this sealed file.
    with suppress(VerificationError):
        token = tokens.verify_token(licence.token, ground.keys, now=findings.now)
        findings.shown = {**shown_token(ground, token), "public_code": licence.public_code}


def _other_file(findings: Findings, ground: Ground, pdf: bytes, key: TrustedKey, record: _AttachedRecord) -> None:
    """A sealed file that is not on record, or there is no record to ask: its own parts must agree."""
    # 4 the parts of the file
    try:
        token = tokens.verify_token(record.token, ground.keys, now=findings.now)
    except VerificationError as error:
        _bad_attached_token(findings, error)
        return
    findings.shown = shown_token(ground, token)
    if not _one_licence(findings, pdf, key, record, token):
        return
    judge_audience(findings, ground, token.claims)
    # 5 record
    if ground.lib is None:
        # 6 status and dates
        judge_offline(findings, ground, token)
        return
    try:
        licence = lookups.licence_by_identifier(ground.lib.store, record.identifier)
    except NotFoundError:
        findings.note(CheckName.SAME_AS_RECORD, Outcome.UNKNOWN, "not_on_record", identifier=record.identifier)
        return
    if record.copy is not None:
        # Copies are not kept: what one says must be what the record says, and the agency sealed it.
        judge_copy(findings, ground.lib, licence, token, record.copy)
        return
    # Sealed bytes never change, so other bytes under this identifier were not recorded: the record decides.
    findings.note(CheckName.SAME_AS_RECORD, Outcome.FAILED, "differs_from_record", identifier=licence.identifier)


def _bad_attached_token(findings: Findings, error: VerificationError) -> None:
    if error.fault in ISSUER_FAULTS:
        findings.note(CheckName.ISSUER_TRUSTED, Outcome.FAILED, error.fault, detail=error.detail)
    elif error.fault in TRUST_FAULTS:
        findings.note(CheckName.ISSUER_TRUSTED, Outcome.UNKNOWN, error.fault, detail=error.detail)
    else:
        findings.note(CheckName.SAME_DOCUMENT, Outcome.FAILED, "does_not_match_document", detail=error.detail)


def _one_licence(
    findings: Findings, pdf: bytes, key: TrustedKey, record: _AttachedRecord, token: VerifiedToken
) -> bool:
    """Whether attached record, its token, the seal's owner and the code on the first page speak of one licence."""
    claims = token.claims
    inside = (claims.identifier, str(claims.fields.get(TOKEN_NUMBER, "")), token.key.owner)
    if inside != (record.identifier, record.number, key.owner) or not says_the_same(record.copy, claims):
        findings.note(CheckName.SAME_DOCUMENT, Outcome.FAILED, "does_not_match_document", part="attached token")
        return False
    try:
        on_page = signed_part(only_token(_page_codes(pdf)))
    except VerificationError as error:
        if error.fault is Fault.NO_CODE:
            findings.note(CheckName.SAME_DOCUMENT, Outcome.WARNING, "no_code_on_page", detail=error.detail)
            return True
        findings.note(CheckName.SAME_DOCUMENT, Outcome.FAILED, "does_not_match_document", part="code on the page")
        return False
    if on_page != token.cose[:-SIGNATURE_BYTES]:
        findings.note(CheckName.SAME_DOCUMENT, Outcome.FAILED, "does_not_match_document", part="code on the page")
        return False
    findings.note(CheckName.SAME_DOCUMENT, Outcome.PASSED, "one_licence", identifier=record.identifier)
    return True


def _page_codes(pdf: bytes) -> tuple[str, ...]:
    """The codes on the first page of a file that an agency sealed.

    Raises:
        VerificationError: `no_code` also when the page cannot be drawn.
    """
    return _codes(pdf, raster.page_image)


def _stranger_codes(pdf: bytes) -> tuple[str, ...]:
    """The same of a file that anybody made: it may ask for minutes and gigabytes to be drawn, and gets seconds."""
    return _codes(pdf, confined.page_image)


def _codes(pdf: bytes, page_image: Callable[[bytes, float], tuple[int, int, bytes]]) -> tuple[str, ...]:
    try:
        width, height, grey = page_image(pdf, PAGE_DPI)
    except TemplateError as error:
        raise VerificationError(Fault.NO_CODE, "the first page cannot be drawn") from error
    return qr.read_page_codes(grey, width, height)
