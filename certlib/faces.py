"""What each face of a licence is made of: form values, token fields, the record as JSON, the public answer.

Pure. The same licence gives the same faces; nothing here is ever stored back into the record.
"""

from __future__ import annotations

import json
import re
import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Final

from certlib.catalogue import FieldKind
from certlib.identifiers import masked_code, masked_name, printed_public_code
from certlib.model import HolderKind

if TYPE_CHECKING:
    from certlib.catalogue import LicenceType, TypeField
    from certlib.identifiers import PublicCode
    from certlib.model import Agency, Holder, IssueRequest

JsonValue = str | int | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

TOKEN_TYPE: Final = 1
TOKEN_NUMBER: Final = 2
TOKEN_HOLDER_NAME: Final = 3
TOKEN_HOLDER_CODE: Final = 6
"""Claim keys below 10 are the licence's own (docs/formats.md, 1.4)."""
RECORD_NAME: Final = "record.json"
"""Name of the file attached to the sealed PDF."""
ORGANISATION_CODE_TYPES: Final = frozenset({"001", "099"})
"""GB/T 36903 appendix A; their codes are public in law, every other code belongs to a person."""
MAX_FILE_STEM_CHARACTERS: Final = 80


def holder_names(holders: tuple[Holder, ...], language: str) -> str:
    """The holders' names as one text, joined the way the language does it."""
    return ("、" if language.startswith("zh") else ", ").join(each.name for each in holders)


def face_code(holder: Holder) -> str:
    """The holder's code as the face shows it: organisations' codes in full, a person's masked."""
    return holder.code if holder.code_type in ORGANISATION_CODE_TYPES else masked_code(holder.code)


def validity_text(effective_on: date, expires_on: date | None, language: str) -> str:
    """The term of validity in words of the language."""
    if language.startswith("zh"):
        start = f"{effective_on.year}年{effective_on.month:02d}月{effective_on.day:02d}日"
        if expires_on is None:
            return f"{start} 至 长期"
        return f"{start} 至 {expires_on.year}年{expires_on.month:02d}月{expires_on.day:02d}日"
    start = _english_date(effective_on)
    return f"{start} – no expiry" if expires_on is None else f"{start} – {_english_date(expires_on)}"


def _english_date(day: date) -> str:
    return f"{day.day} {day:%B} {day.year}"


def form_values(
    licence_type: LicenceType, request: IssueRequest, agency: Agency, *, identifier: str, public_code: PublicCode
) -> dict[str, str | date | bytes | None]:
    """Values by the names a layout uses: the base values and the type's own fields; a missing one is None."""
    first = request.holders[0]
    values: dict[str, str | date | bytes | None] = {
        "number": request.number,
        "holder_name": holder_names(request.holders, licence_type.language),
        "holder_code": face_code(first) or None,
        "holder_code_masked": masked_code(first.code) if first.code else None,
        "issued_on": request.issued_on,
        "effective_on": request.effective_on,
        "expires_on": request.expires_on,
        "validity": validity_text(request.effective_on, request.expires_on, licence_type.language),
        "agency_name": agency.name,
        "area_code": request.area_code or agency.area_code or None,
        "identifier": identifier,
        "public_code": printed_public_code(public_code),
        "version": f"{request.version:03d}",
    }
    for each in licence_type.fields:
        if each.kind is FieldKind.IMAGE:
            values[each.name] = request.images.get(each.name)
        elif each.kind is FieldKind.DATE and each.name in request.fields:
            values[each.name] = date.fromisoformat(request.fields[each.name])
        else:
            values[each.name] = _face_value(each, request.fields.get(each.name))
    return values


def _face_value(field: TypeField, value: str | None) -> str | None:
    if not value:
        return None
    return masked_code(value) if field.sensitive else value


def token_fields(licence_type: LicenceType, request: IssueRequest) -> dict[int, int | str]:
    """Claim -65537 of the token: what is printed on the face and a clerk must compare (design, 6)."""
    fields: dict[int, int | str] = {
        TOKEN_TYPE: licence_type.token_code,
        TOKEN_NUMBER: request.number,
        TOKEN_HOLDER_NAME: holder_names(request.holders, licence_type.language),
    }
    code = request.holders[0].code
    if code and code != request.number:
        fields[TOKEN_HOLDER_CODE] = masked_code(code)
    for each in licence_type.fields:
        value = _face_value(each, request.fields.get(each.name))
        if each.token_key is not None and value is not None:
            fields[each.token_key] = value
    return fields


def record_json(  # noqa: PLR0913  # keyword-only; each is a part of the record
    licence_type: LicenceType,
    request: IssueRequest,
    agency: Agency,
    *,
    identifier: str,
    public_code: str,
    type_digest: str,
    token: str,
) -> bytes:
    """The record as attached to the PDF: UTF-8 JSON, GB/T 36903 names for base items, `KZ_` for the type's own.

    It shows what the face shows: a person's code and sensitive fields are masked, since the file is handed on.
    """
    record: dict[str, JsonValue] = {
        "format": "certlib-record-1",
        "certificateIdentifier": identifier,
        "certificateName": licence_type.name.zh,
        "certificateTypeName": licence_type.name.zh,
        "certificateTypeCode": licence_type.segment,
        "certificateNumber": request.number,
        "certificateVersion": f"{request.version:03d}",
        "certificateIssuingAuthorityName": agency.name,
        "certificateIssuingAuthorityCode": agency.code,
        "certificateIssuedDate": f"{request.issued_on:%Y%m%d}",
        "certificateHolder": [
            {
                "certificateHolderName": each.name,
                "certificateHolderCode": face_code(each),
                "certificateHolderTypeCode": each.code_type,
            }
            for each in request.holders
        ],
        "certificateEffectiveDate": f"{request.effective_on:%Y%m%d}",
        "certificateExpiringDate": f"{request.expires_on:%Y%m%d}" if request.expires_on else "长期",
        "certificateAreaCode": request.area_code or agency.area_code,
        "associatedCertificateIdentifier": request.previous_identifier or None,
        "publicCode": public_code,
        "typeDigest": type_digest,
        "token": token,
    }
    for each in licence_type.fields:
        if each.kind is not FieldKind.IMAGE:
            value = _face_value(each, request.fields.get(each.name))
            if value is not None:
                record[f"KZ_{each.name.upper()}"] = value
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def public_json(licence_type: LicenceType, request: IssueRequest, agency: Agency) -> bytes:
    """The part of a public answer that never changes, masked (design, 7): type, agency, number, holders, dates."""
    answer: dict[str, JsonValue] = {
        "type": {"code": licence_type.code, "zh": licence_type.name.zh, "en": licence_type.name.en},
        "agency": {"code": agency.code, "zh": agency.name, "en": agency.name_en or agency.name},
        "number": request.number if _number_is_public(licence_type) else masked_code(request.number),
        "holders": [public_holder(licence_type, each) for each in request.holders],
        "issued_on": request.issued_on.isoformat(),
        "effective_on": request.effective_on.isoformat(),
        "expires_on": request.expires_on.isoformat() if request.expires_on else None,
    }
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def public_holder(licence_type: LicenceType, holder: Holder) -> dict[str, JsonValue]:
    """A holder as a stranger may see it: a person's name keeps the surname, every code is masked."""
    organisation = licence_type.holder_kind is HolderKind.ORGANISATION or holder.code_type in ORGANISATION_CODE_TYPES
    return {
        "name": holder.name if organisation else masked_name(holder.name),
        "code": masked_code(holder.code) if holder.code else "",
        "code_type": holder.code_type,
    }


def _number_is_public(licence_type: LicenceType) -> bool:
    return licence_type.holder_kind is HolderKind.ORGANISATION


def pdf_name(licence_type: LicenceType, request: IssueRequest) -> str:
    """A safe and meaningful file name of type, number and holder: letters of any script, digits, `-`, `_`, and .pdf."""
    name = request.holders[0].name if licence_type.holder_kind is HolderKind.ORGANISATION else ""
    kind = licence_type.name.zh if licence_type.language.startswith("zh") else licence_type.name.en
    return safe_pdf_name(kind, request.number, name)


def safe_pdf_name(*words: str) -> str:
    """A file name of these words: letters of any script, digits, `-`, `_`, and .pdf."""
    parts = (unicodedata.normalize("NFKC", part) for part in words if part)
    stem = "_".join(re.sub(r"[^\w-]+", "-", part).strip("-_") for part in parts)
    return f"{stem[:MAX_FILE_STEM_CHARACTERS].rstrip('-_') or 'licence'}.pdf"
