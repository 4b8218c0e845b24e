"""The names of the national interface and ours: pure translation (China profile, 3, 5 and 6)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from certlib.grants import MAX_CODE_CHARACTERS, MAX_OPERATOR_CHARACTERS, MAX_PURPOSE_CHARACTERS, Asking
from certlib.model import HolderKind, IdentifierScheme
from certlib.store import agencies
from certlib.wire import unique_members

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from certlib.catalogue import LicenceType
    from certlib.faces import JsonValue
    from certlib.library import Library
    from certlib.sharing.use_data import ReadLicence

RESULT_TEXTS: Final = {
    0: "正确且有效",
    1: "正确，未激活",
    2: "正确，暂时失效",
    3: "正确，已失效",
    4: "查验数据不足，匹配到多个证照",
    5: "未找到证照",
    6: "查验数据为空",
    7: "部分数据错误或不完整",
}
"""China profile, 6.2."""
USE_FOR: Final = (
    *("certificateSystemName", "certificateCallCategory", "certificateMatterName", "certificateEventCode"),
    "certificateCopyCause",
)
"""Members of UseFor; all must be there."""
FOR_A_MATTER, FOR_ANOTHER_END = "0", "1"
BASE: Final = {
    "certificateID": "identifier",
    "certificateNumber": "number",
    "certificateHolder": "holder_name",
    "certificateHolderCode": "holder_code",
    "issueDeptCode": "agency",
    "issueDate": "issued_on",
    "certificateValidateStart": "effective_on",
    "certificateValidateEnd": "expires_on",
    "certificateAreaCode": "area_code",
}
"""National name -> name of the value here."""
NOT_VALUES: Final = frozenset({"certificateType", "certificateName", "certificateHolderType", "issueDept"})
ALIASES: Final = {
    "certificateIdentifier": "certificateID",
    "certificateSign": "certificateID",
    "certificateTypeCode": "certificateType",
    "certificateHolderName": "certificateHolder",
    "certificateHolderTypeCode": "certificateHolderType",
    "certificateIssuingAuthorityName": "issueDept",
    "certificateIssuingAuthorityCode": "issueDeptCode",
    "certificateIssuedDate": "issueDate",
    "certificateEffectiveDate": "certificateValidateStart",
    "certificateExpiringDate": "certificateValidateEnd",
}
"""Spellings of GB/T 36903 and of the field (China profile, 3) -> the interface's own."""
OWN_PREFIX: Final = "KZ_"
"""Marks a type's own items (China profile, 3)."""
NO_AGENCY: Final = "-"
"""Stands for an agency that nobody is: it differs from every one."""
LONG_TERM: Final = "长期"
_CATEGORIES: Final = {HolderKind.PERSON: "1", HolderKind.ORGANISATION: "2", HolderKind.ANY: "3"}
_DEFINER: Final = 18
"""The first characters of a type code are its defining body (China profile, 5: inferred)."""


def members_of(value: str | Mapping[str, object]) -> dict[str, str]:
    """The members of an object that may come as JSON in a text; numbers become texts.

    Raises:
        ValueError: it is none, or has members that are neither text nor number.
    """
    try:
        read = json.loads(value, object_pairs_hook=unique_members) if isinstance(value, str) else dict(value)
    except RecursionError as error:
        raise ValueError("is nested too deep") from error
    if not isinstance(read, dict):
        raise ValueError("is no object")  # noqa: TRY004  # of JSON, not of Python
    members: dict[str, str] = {}
    for name, each in read.items():
        if each is None:
            continue
        if isinstance(each, bool) or not isinstance(each, str | int):
            raise ValueError("holds a member that is no text")  # noqa: TRY004  # as above
        members[str(name)] = str(each).strip()
    return members


def asking_of(use_for: str | Mapping[str, object]) -> Asking:
    """What UseFor says of matter, case, purpose and operator. Case and person may come as `businessCode`, `username`.

    Raises:
        ValueError: names what is missing.
    """
    if not use_for:
        raise ValueError("UseFor")
    try:
        members = members_of(use_for)
    except ValueError as error:
        raise ValueError("UseFor") from error
    missing = [name for name in USE_FOR if not members.get(name)]
    if missing:
        raise ValueError(", ".join(f"UseFor.{name}" for name in missing))
    if members["certificateCallCategory"] not in (FOR_A_MATTER, FOR_ANOTHER_END):
        raise ValueError("UseFor.certificateCallCategory")
    matter, cause = members["certificateMatterName"], members["certificateCopyCause"]
    whole = f"{matter}：{cause}"
    return Asking(
        matter_code=members["certificateEventCode"],
        case_number=members.get("businessCode") or matter[:MAX_CODE_CHARACTERS],
        purpose=whole if len(whole) <= MAX_PURPOSE_CHARACTERS else cause,
        operator=members.get("username") or members["certificateSystemName"][:MAX_OPERATOR_CHARACTERS],
    )


def items_of(certificate_data: str | Mapping[str, object]) -> dict[str, str]:
    """The values that a caller brought, under one spelling; empty ones are not given.

    Raises:
        ValueError: it cannot be read, or one value comes twice under two spellings and differs.
    """
    if not certificate_data:
        return {}
    items: dict[str, str] = {}
    for name, value in members_of(certificate_data).items():
        if value and items.setdefault(ALIASES.get(name, name), value) != value:
            raise ValueError("says one thing twice, and differently")
    return items


def given_values(lib: Library, items: Mapping[str, str]) -> dict[str, str]:
    """The same by our names. An agency's name counts as its code; one that no agency has differs."""
    given: dict[str, str] = {}
    for name, value in items.items():
        if name in BASE:
            given[BASE[name]] = value
        elif name not in NOT_VALUES:
            given[name.removeprefix(OWN_PREFIX).lower() if name.startswith(OWN_PREFIX) else name] = value
    if department := items.get("issueDept"):
        codes = [each.code for each in agencies.all_agencies(lib.store) if each.name == department]
        fits = [code for code in codes if given.get("agency", code) == code]
        given["agency"] = fits[0] if fits else NO_AGENCY
    return given


def certificate_data(
    lib: Library, licence_type: LicenceType, licence: ReadLicence, *, granted: Collection[str]
) -> dict[str, JsonValue]:
    """CertificateData: what was read of a licence, by national names; nothing that is not granted."""
    read = dict(licence.fields)
    data: dict[str, JsonValue] = {
        "certificateID": licence.identifier,
        "certificateType": licence_type.segment,
        "certificateName": licence_type.name.zh,
    }
    for name, ours in BASE.items():
        if ours in read:
            value = read.pop(ours)
            data[name] = value.replace("-", "") if ours in ("issued_on", "effective_on", "expires_on") else value
    if "expires_on" in granted and "certificateValidateEnd" not in data:
        data["certificateValidateEnd"] = LONG_TERM
    if "issueDeptCode" in data:
        data["issueDept"] = agencies.agency(lib.store, str(data["issueDeptCode"])).name
    return {**data, **{f"{OWN_PREFIX}{name.upper()}": value for name, value in sorted(read.items())}}


def catalogue_record(licence_type: LicenceType) -> dict[str, JsonValue]:
    """One record of the catalogue of types (China profile, 5)."""
    terms = [f"{licence_type.max_years}年"] if licence_type.max_years else []
    terms += [LONG_TERM] if licence_type.long_term_allowed else []
    national = licence_type.scheme is IdentifierScheme.GBT36904
    return {
        "CertificateTypeName": licence_type.name.zh,
        "CertificateTypeCode": licence_type.segment,
        "CertificateDefineAuthorityCode": licence_type.segment[:_DEFINER] if national else "",
        "CertificateHolderCategory": _CATEGORIES[licence_type.holder_kind],
        "ValidityRange": "^".join(terms),
        "TypeCodeInLibrary": licence_type.code,
    }
