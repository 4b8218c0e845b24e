"""The paper of a receipt: one sealed page, drawn from what the signed receipt says, which is attached to it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from certlib.enrolling import BACKDATE, RECEIPT, ROOT, library_key
from certlib.errors import ConflictError, NotFoundError, OwnFaultError, SetupError, TypeFolderError, UnavailableError
from certlib.identifiers import AgencyCode
from certlib.library import SHIPPED_TYPES, recorded_key
from certlib.press import folder_digest
from certlib.sharing.finding import type_of
from certlib.sharing.receipt_words import sheet_of
from certlib.store import agencies
from signing import pades, qr
from signing.certificates import issue_certificate
from signing.cms import CmsSealer
from signing.errors import SigningError, TimestampError
from templates.compile import compile_form
from templates.errors import DoesNotFitError, MissingGlyphError, TemplateError
from templates.writer import FormContent, write_form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certlib.catalogue import LicenceType
    from certlib.library import Library
    from certlib.sharing.receipt_words import Sheet
    from certlib.sharing.use_receipts import Receipt
    from certlib.store.values import KeyRecord
    from templates.form import CompiledForm
    from templates.writer import UnsealedPdf

FORM: Final = SHIPPED_TYPES / "forms" / "receipt"
ATTACHED: Final = "receipt.json"
FORMAT: Final = "certlib-receipt-1"
SUBJECT_CODE: Final = "LIBRARY"
OPERATOR: Final = "receipts"
MAX_NAME_BYTES: Final = 64
"""RFC 5280, appendix A: ub-common-name; our X.509 library counts bytes."""
_TRIES: Final = 400
"""Each round mends one character or one value; all words together have hardly more odd characters than that."""
_ELSEWHERE: Final = "见附件 receipt.json · see the attached receipt.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptPaper:
    """A receipt as a sealed PDF."""

    pdf: bytes
    name: str
    """Safe file name, ends in `.pdf`."""


def receipt_paper(lib: Library, receipt: Receipt) -> ReceiptPaper:
    """The receipt as one sealed page (PDF/A-3b, PAdES), the signed receipt attached.

    Raises:
        SetupError: the receipt key cannot be certified here: the root is kept elsewhere.
        OwnFaultError: our own work did not pass our own check.
        UnavailableError: the time stamping authority does not answer.
    """
    key, sealer = receipt_sealer(lib)
    form = _form(lib, reserve_bytes=sealer.reserve_bytes)
    sheet = sheet_of(
        receipt,
        asked_by=f"{agencies.agency(lib.store, AgencyCode(receipt.agency_code)).name} ({receipt.agency_code})",
        types=_types(lib, receipt),
    )
    unsealed = _drawn(form, _content(lib, receipt, sheet))
    try:
        pdf = pades.sealed(unsealed.head, unsealed.tail, unsealed.gap_hex_length, unsealed.digest, sealer)
        pades.quick_check(pdf, spki_der=key.spki_der)
    except TimestampError as error:
        raise UnavailableError(f"the time stamping authority: {error}", code="tsa_unavailable") from error
    except SigningError as error:
        raise OwnFaultError(f"the receipt cannot be sealed: {error}") from error
    return ReceiptPaper(pdf=pdf, name=f"receipt-{receipt.id}.pdf")


def receipt_sealer(lib: Library) -> tuple[KeyRecord, CmsSealer]:
    """The receipt key with its certificate under the library's root, and what seals with it.

    The certificate is made once, at the first paper, and stands in the trust pack from then on.

    Raises:
        SetupError: there is no usable key, or the root that would certify it is kept elsewhere.
    """
    key = library_key(lib, RECEIPT)
    if key.certificate_der is None:
        key = _certified(lib, key)
    assert key.certificate_der is not None  # noqa: S101  # just made
    try:
        return key, CmsSealer(recorded_key(lib.signer, key), (key.certificate_der,), tsa=lib.tsa)
    except SigningError as error:
        raise SetupError(f"receipt key {key.kid}: {error}") from error


def _certified(lib: Library, key: KeyRecord) -> KeyRecord:
    root, now = library_key(lib, ROOT), lib.now()
    if not root.uri:
        raise SetupError(
            "the receipt key has no certificate yet, and the root is kept elsewhere",
            hint="Bring the root key back once and ask for a receipt on paper. The signed receipt needs none.",
        )
    try:
        certificate = issue_certificate(
            root_key=recorded_key(lib.signer, root),
            root_cert_der=lib.root_certificate_der,
            subject_name=lib.settings.library_name.encode()[:MAX_NAME_BYTES].decode(errors="ignore"),
            subject_code=SUBJECT_CODE,
            not_before_at=max(now - BACKDATE, root.not_before_at),
            not_after_at=min(key.not_after_at, root.not_after_at),
            spki_der=key.spki_der,
        )
    except SigningError as error:
        raise SetupError(f"the root cannot certify the receipt key: {error}") from error
    with suppress(ConflictError):  # at this moment another process did the same; its certificate is as good
        agencies.certify_key(lib.store, replace(key, certificate_der=certificate), operator=OPERATOR, now=now)
    return agencies.key(lib.store, key.kid)


def _form(lib: Library, *, reserve_bytes: int) -> CompiledForm:
    """The form of receipts, laid out once per process."""
    name = lib.settings.library_name
    with lib.press.lock:
        key = (str(folder_digest(FORM)), "", name, "", reserve_bytes)
        if (known := lib.press.forms.get(key)) is None:
            try:
                known = compile_form(
                    FORM, fonts=lib.press.fonts, agency_name=name, seal_picture=None, reserve_bytes=reserve_bytes
                )
            except TemplateError as error:
                raise TypeFolderError((f"forms/receipt: {error}",)) from error
            lib.press.forms[key] = known
    return known


def _types(lib: Library, receipt: Receipt) -> Mapping[str, LicenceType]:
    """The types that the receipt speaks of, for their words."""
    found: dict[str, LicenceType] = {}
    listed = receipt.result.get("types")
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict):
            code = str(each["type"])
            with suppress(NotFoundError):
                found[code] = type_of(lib, code)
    return found


def _content(lib: Library, receipt: Receipt, sheet: Sheet) -> FormContent:
    attached = {"format": FORMAT, "receipt_id": receipt.id, "jws": receipt.jws, "result": receipt.result}
    try:
        matrix = qr.qr_matrix(f"certlib-receipt:{receipt.id}:{sheet.digest}")
    except SigningError as error:
        raise OwnFaultError(f"the receipt's code cannot be drawn: {error}") from error
    return FormContent(
        values={"receipt_id": receipt.id, "agency_name": lib.settings.library_name, **sheet.values},
        qr=(matrix.size, matrix.modules),
        under_qr=(sheet.digest[:16],),
        title=f"回执 Receipt {receipt.id}",
        subject=receipt.id,
        author=lib.settings.library_name,
        identifier=receipt.id,
        sealed_at=receipt.at,
        attachment_name=ATTACHED,
        attachment_json=json.dumps(attached, ensure_ascii=False, separators=(",", ":")).encode(),
        reason="回执 Receipt",
    )


def _drawn(form: CompiledForm, content: FormContent) -> UnsealedPdf:
    """The page. A character that no font has is written by its number; what does not fit is left to the attachment.

    Raises:
        OwnFaultError: even so the page cannot be drawn.
    """
    values = dict(content.values)
    last: TemplateError | None = None
    for _ in range(_TRIES):
        try:
            return write_form(form, replace(content, values=values))
        except MissingGlyphError as error:
            last, char = error, error.char
            values = {
                name: value.replace(char, f"[U+{ord(char):04X}]") if isinstance(value, str) else value
                for name, value in values.items()
            }
        except DoesNotFitError as error:
            last, name = error, error.field
            if values.get(name) in ("", _ELSEWHERE, None):
                break
            values[name] = "" if name.endswith("_detail") else _ELSEWHERE
        except TemplateError as error:
            last = error
            break
    raise OwnFaultError(f"the receipt cannot be drawn: {last}") from last
