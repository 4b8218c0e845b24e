"""Whether a request is lawful for a licence type: the whole judgement before anything is reserved. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Final

from certlib.catalogue import FieldKind
from certlib.errors import FieldFault, InvalidRequestError
from certlib.identifiers import check_agency_code, holder_code_fault, parse_identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certlib.catalogue import LicenceType, TypeField
    from certlib.model import Agency, Holder, IssueRequest

MAX_COMBINING_MARKS: Final = 4
"""On one letter; more is an attack on the layout, no name needs it (facts: reliability, 3)."""
KIND_FORMS: Final = (
    (FieldKind.MONEY, re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,2})?"), "bad_number", "is not an amount like 500000.00"),
    (FieldKind.INTEGER, re.compile(r"-?[0-9]{1,18}"), "bad_number", "is not a whole number"),
)
AREA_CODE: Final = re.compile(r"[0-9]{6}")
"""行政区划代码, GB/T 2260."""
MAX_NAME_CHARACTERS: Final = 200
IDENTIFIER_SEGMENTS: Final = 5
"""Of an identifier after its root."""
FIRST_DAY: Final = date(1583, 1, 1)
LAST_DAY: Final = date(9998, 12, 31)
"""The Gregorian calendar, and far enough from its computable end that every time zone has both days whole."""
JOINERS: Final = frozenset("\u200c\u200d")
"""ZWNJ and ZWJ are letters' servants in several scripts; every other Cf character is refused."""


def text_fault(name: str, value: str, *, multiline: bool = False) -> FieldFault | None:
    """What keeps `value` from being printable data, or None: control, format or private characters, stacked marks."""
    marks = 0
    for char in value:
        category = unicodedata.category(char)
        if char == "\n" and multiline:
            continue
        if category in {"Cc", "Cs", "Co", "Cn"} or (category == "Cf" and char not in JOINERS):
            kind = "control" if category in {"Cc", "Cf"} else "unassigned or private"
            return FieldFault(
                field=name,
                code="bad_character",
                reason=f"has a {kind} character U+{ord(char):04X}; remove it",
            )
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MAX_COMBINING_MARKS:
            return FieldFault(
                field=name,
                code="bad_character",
                reason=f"stacks more than {MAX_COMBINING_MARKS} marks on a letter",
            )
    return None


def bounded_text_faults(name: str, value: str, most: int) -> list[FieldFault]:
    """What keeps `value` from being a printable text of 1 to `most` characters, as a list of one fault or none."""
    if not value.strip() or len(value) > most:
        return [FieldFault(field=name, code="bad_length", reason=f"must have 1 to {most} characters")]
    fault = text_fault(name, value)
    return [fault] if fault is not None else []


def checked_request(licence_type: LicenceType, request: IssueRequest, agency: Agency, *, today: date) -> IssueRequest:
    """`request` in NFC, empty values dropped, when all of it is lawful for `licence_type`.

    Double spaces and odd characters stay as they are; nothing is trimmed. `today` is in the agency's zone.

    Raises:
        InvalidRequestError: naming every fault, in the order of the form.
    """
    faults: list[FieldFault] = []
    try:
        check_agency_code(agency.code, licence_type.scheme.value)
    except InvalidRequestError as error:
        faults += error.faults
    number = _nfc(request.number)
    faults += _base_text_faults("number", number, licence_type.number_max_length, licence_type.number_pattern)
    holders = tuple(replace(each, name=_nfc(each.name), code=_nfc(each.code)) for each in request.holders)
    faults += _holder_faults(licence_type, holders, today)
    faults += _date_faults(licence_type, request)
    faults += _circumstance_faults(request, agency)
    fields = {name: text for name, value in request.fields.items() if (text := _nfc(value))}
    images = {name: data for name, data in request.images.items() if data}
    faults += _field_faults(licence_type, fields, images)
    if faults:
        raise InvalidRequestError(tuple(faults))
    order = {each.name: index for index, each in enumerate(licence_type.fields)}
    return replace(
        request,
        number=number,
        holders=holders,
        fields=dict(sorted(fields.items(), key=lambda item: order[item[0]])),
        images=images,
    )


def _nfc(value: str) -> str:
    return unicodedata.normalize("NFC", value)


def _base_text_faults(name: str, value: str, max_length: int, pattern: str) -> list[FieldFault]:
    if not value.strip():
        return [FieldFault(field=name, code="required", reason="is missing")]
    if len(value) > max_length:
        return [FieldFault(field=name, code="too_long", reason=f"has {len(value)} characters, at most {max_length}")]
    if (fault := text_fault(name, value)) is not None:
        return [fault]
    if pattern and not re.fullmatch(pattern, value):
        return [FieldFault(field=name, code="bad_form", reason=f"does not have the form {pattern}")]
    return []


def _holder_faults(licence_type: LicenceType, holders: tuple[Holder, ...], today: date) -> list[FieldFault]:
    if not holders:
        return [FieldFault(field="holder_name", code="required", reason="is missing")]
    if len(holders) > licence_type.max_holders:
        return [
            FieldFault(
                field="holders",
                code="too_many",
                reason=f"{len(holders)} holders, at most {licence_type.max_holders}",
            )
        ]
    faults: list[FieldFault] = []
    for holder in holders:
        faults += _base_text_faults("holder_name", holder.name, 200, "")
        if not holder.code:
            if licence_type.holder_code_required:
                faults.append(FieldFault(field="holder_code", code="required", reason="is missing"))
        elif holder.code_type not in licence_type.holder_code_types:
            allowed = ", ".join(licence_type.holder_code_types) or "none"
            faults.append(
                FieldFault(
                    field="holder_code",
                    code="bad_code_type",
                    reason=f"code type {holder.code_type or '(none)'} is not allowed here; allowed: {allowed}",
                )
            )
        elif (fault := holder_code_fault(holder.code, holder.code_type, today=today)) is not None:
            faults.append(fault)
    return faults


def _date_faults(licence_type: LicenceType, request: IssueRequest) -> list[FieldFault]:
    faults: list[FieldFault] = []
    end = request.expires_on
    for name in ("issued_on", "effective_on", "expires_on"):
        day: date | None = getattr(request, name)
        if day is not None and not FIRST_DAY <= day <= LAST_DAY:
            faults.append(FieldFault(field=name, code="bad_date", reason=f"is not between {FIRST_DAY} and {LAST_DAY}"))
    if faults:
        return faults
    if end is None:
        if not licence_type.long_term_allowed:
            faults.append(
                FieldFault(field="expires_on", code="required", reason="is missing; this type has no long term")
            )
        return faults
    if end < request.effective_on:
        faults.append(
            FieldFault(
                field="expires_on",
                code="bad_order",
                reason=f"{end} is before the start {request.effective_on}",
            )
        )
    elif end < request.issued_on:
        faults.append(
            FieldFault(field="expires_on", code="bad_order", reason=f"{end} is before the issue {request.issued_on}")
        )
    elif licence_type.max_years is not None and end > _years_later(request.effective_on, licence_type.max_years):
        faults.append(
            FieldFault(
                field="expires_on",
                code="too_late",
                reason=f"more than {licence_type.max_years} years of validity",
            )
        )
    return faults


def _circumstance_faults(request: IssueRequest, agency: Agency) -> list[FieldFault]:
    """What goes with a licence without standing in the type: area, who asked, its key, and what it replaces."""
    faults: list[FieldFault] = []
    if request.area_code and not AREA_CODE.fullmatch(request.area_code):
        faults.append(FieldFault(field="area_code", code="bad_form", reason="does not have six digits"))
    for name, value in (("operator", request.operator), ("request_id", request.request_id)):
        if len(value) > MAX_NAME_CHARACTERS:
            reason = f"has {len(value)} characters, at most {MAX_NAME_CHARACTERS}"
            faults.append(FieldFault(field=name, code="too_long", reason=reason))
        elif (fault := text_fault(name, value)) is not None:
            faults.append(fault)
    if request.previous_identifier:
        faults += _previous_faults(request.previous_identifier, agency)
    return faults


def _previous_faults(identifier: str, agency: Agency) -> list[FieldFault]:
    """A licence replaces one of the same agency only: what another one issued is not its to end."""
    name = "previous_identifier"
    try:
        parsed = parse_identifier(identifier, plain_roots=(identifier.rsplit(".", IDENTIFIER_SEGMENTS)[0],))
    except InvalidRequestError as error:
        return [FieldFault(field=name, code=fault.code, reason=fault.reason) for fault in error.faults]
    if parsed.agency_code != agency.code:
        return [FieldFault(field=name, code="another_agency", reason="is a licence of another agency")]
    return []


def _years_later(day: date, years: int) -> date:
    year = day.year + years
    if year > date.max.year:
        return date.max
    return day.replace(year=year, day=28) if (day.month, day.day) == (2, 29) else day.replace(year=year)


def _field_faults(
    licence_type: LicenceType, fields: Mapping[str, str], images: Mapping[str, bytes]
) -> list[FieldFault]:
    names = {each.name for each in licence_type.fields}
    faults = [
        FieldFault(field=name, code="unknown_field", reason="is not a field of this type")
        for name in (*fields, *images)
        if name not in names
    ]
    for each in licence_type.fields:
        if each.kind is FieldKind.IMAGE:
            if each.required and each.name not in images:
                faults.append(FieldFault(field=each.name, code="required", reason="is missing"))
            if each.name in fields:
                faults.append(FieldFault(field=each.name, code="bad_form", reason="is a picture, not a text"))
            continue
        if each.name in images:
            faults.append(FieldFault(field=each.name, code="bad_form", reason="is a text, not a picture"))
        value = fields.get(each.name, "")
        if not value.strip():
            if each.required:
                faults.append(FieldFault(field=each.name, code="required", reason="is missing"))
            continue
        if (fault := _value_fault(each, value)) is not None:
            faults.append(fault)
    return faults


def _value_fault(field: TypeField, value: str) -> FieldFault | None:
    if len(value) > field.max_length:
        reason = f"has {len(value)} characters, at most {field.max_length}"
        return FieldFault(field=field.name, code="too_long", reason=reason)
    if (fault := text_fault(field.name, value, multiline=field.multiline)) is not None:
        return fault
    for kind, form, code, reason in KIND_FORMS:
        if field.kind is kind and not form.fullmatch(value):
            return FieldFault(field=field.name, code=code, reason=reason)
    if field.kind is FieldKind.DATE and not _is_date(value):
        return FieldFault(field=field.name, code="bad_date", reason="is not a day of the calendar (YYYY-MM-DD)")
    if field.pattern and not re.fullmatch(field.pattern, value):
        return FieldFault(field=field.name, code="bad_form", reason=f"does not have the form {field.pattern}")
    return None


def _is_date(value: str) -> bool:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        return False
    try:
        date.fromisoformat(value)
    except ValueError:
        return False
    return True
