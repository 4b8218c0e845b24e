"""What each face of a purpose-bound copy says: only what was granted, and for whom and what for. Pure.

Everything is taken from the licence's own faces and let through name by name: what is not named here, or was not
granted, is left out.
"""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from certlib.faces import (
    TOKEN_HOLDER_CODE,
    TOKEN_HOLDER_NAME,
    TOKEN_NUMBER,
    TOKEN_TYPE,
    form_values,
    record_json,
    token_fields,
    validity_text,
)
from certlib.model import IssueRequest, end_of_day

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from certlib.catalogue import LicenceType
    from certlib.faces import JsonValue
    from certlib.model import Agency, Licence

COPY_FORMAT: Final = "certlib-copy-1"
"""Another format than a licence's record: who does not know copies finds no licence in the file."""
OPEN_VALUES: Final = frozenset({"agency_name", "identifier", "public_code", "version"})
"""Values of a form that say what every copy says anyway; in the place of the public code stands the use code."""
BASE_VALUES: Final[Mapping[str, str]] = {
    "number": "number", "holder_name": "holder_name", "holder_code": "holder_code",
    "holder_code_masked": "holder_code", "issued_on": "issued_on", "effective_on": "effective_on",
    "expires_on": "expires_on", "area_code": "area_code",
}  # fmt: skip
"""Value of a form -> the name under which it is granted."""
OPEN_MEMBERS: Final = (
    "certificateIdentifier", "certificateName", "certificateTypeName", "certificateTypeCode", "certificateVersion",
    "certificateIssuingAuthorityName", "certificateIssuingAuthorityCode", "typeDigest", "token",
)  # fmt: skip
BASE_MEMBERS: Final[Mapping[str, str]] = {
    "certificateNumber": "number", "certificateIssuedDate": "issued_on", "certificateEffectiveDate": "effective_on",
    "certificateExpiringDate": "expires_on", "certificateAreaCode": "area_code",
}  # fmt: skip
"""Member of a record -> the name under which it is granted."""
HOLDER_MEMBERS: Final[Mapping[str, str]] = {
    "certificateHolderName": "holder_name", "certificateHolderCode": "holder_code",
    "certificateHolderTypeCode": "holder_code",
}  # fmt: skip
_WITHHELD_DAY: Final = "***"


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeFor:
    """For whom and what for a copy is made."""

    agency_code: str
    """1 to 64 characters."""
    agency_name: str
    purpose: str
    """1 to 200 characters, of any script, on one line."""
    until: datetime
    """Aware. A copy never lives longer than its licence."""
    use_code: str
    """ASCII letters, digits and `-`, 1 to 64; stands under the code where a licence has its look-up code."""


def request_of(licence: Licence, images: Mapping[str, bytes]) -> IssueRequest:
    """The request that the licence answers, as its faces want it."""
    return IssueRequest(
        agency_code=licence.agency_code,
        type_code=licence.type_code,
        number=licence.number,
        holders=licence.holders,
        issued_on=licence.issued_on,
        effective_on=licence.effective_on,
        expires_on=licence.expires_on,
        fields=licence.fields,
        images=images,
        area_code=licence.area_code,
        version=licence.version,
    )


def ends_at(licence: Licence, made_for: MadeFor) -> datetime:
    """The last second of a copy: `until`, or the licence's end where that comes first."""
    until = made_for.until.replace(microsecond=0)
    if licence.expires_on is None:
        return until
    return min(until, end_of_day(licence.expires_on, licence.timezone))


def end_text(at: datetime, timezone: str) -> str:
    """The end of a copy for people: the day, with the time only where it is not the day's end."""
    local = at.astimezone(ZoneInfo(timezone))
    last_minute = (local + timedelta(minutes=1)).date() != local.date()
    return f"{local:%Y-%m-%d}" if last_minute else f"{local:%Y-%m-%d %H:%M}"


def one_line(text: str) -> str:
    """`text` in NFC on one line, without what nobody sees: controls, marks of direction, unassigned characters."""
    words = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(char for char in words if not unicodedata.category(char).startswith("C"))


def shortened(text: str, most: int) -> str:
    """`text` on one line of at most `most` characters; a cut shows as `…`."""
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def copy_values(  # noqa: PLR0913  # keyword-only; each is a part of the face
    licence_type: LicenceType,
    request: IssueRequest,
    agency: Agency,
    *,
    licence: Licence,
    use_code: str,
    granted: frozenset[str],
) -> tuple[dict[str, str | date | bytes | None], frozenset[str]]:
    """Values for the form as `faces.form_values`, those not granted None; and the names of these."""
    own = {each.name for each in licence_type.fields}
    values = form_values(licence_type, request, agency, identifier=licence.identifier, public_code=licence.public_code)
    # A copy never shows the look-up code of its licence, which leads to the licence's own public answer.
    values["public_code"] = use_code
    shown = OPEN_VALUES | {name for name, grant in BASE_VALUES.items() if grant in granted} | (own & granted)
    dates = {"effective_on", "expires_on"} & granted
    if dates:
        values["validity"] = _validity(request, licence_type.language, dates)
        shown |= {"validity"}
    return {name: value if name in shown else None for name, value in values.items()}, frozenset(values.keys() - shown)


def _validity(request: IssueRequest, language: str, granted: set[str]) -> str:
    whole = validity_text(request.effective_on, request.expires_on, language)
    middle = " 至 " if language.startswith("zh") else " – "
    start, _, end = whole.partition(middle)
    start = start if "effective_on" in granted else _WITHHELD_DAY
    return f"{start}{middle}{end if 'expires_on' in granted else _WITHHELD_DAY}"


def copy_token_fields(
    licence_type: LicenceType, request: IssueRequest, granted: frozenset[str]
) -> dict[int, int | str]:
    """Claim -65537 of a copy's token: of the licence's own what was granted, and always the type."""
    names = {TOKEN_NUMBER: "number", TOKEN_HOLDER_NAME: "holder_name", TOKEN_HOLDER_CODE: "holder_code"}
    names |= {each.token_key: each.name for each in licence_type.fields if each.token_key is not None}
    fields = token_fields(licence_type, request)
    return {key: value for key, value in fields.items() if key == TOKEN_TYPE or names[key] in granted}


def copy_record_json(  # noqa: PLR0913  # keyword-only; each is a part of the record
    licence_type: LicenceType,
    request: IssueRequest,
    agency: Agency,
    *,
    licence: Licence,
    token: str,
    made_for: MadeFor,
    made_at: datetime,
    ends: datetime,
    granted: frozenset[str],
) -> bytes:
    """The record as attached to a copy: the granted members of the licence's, and those of a copy (GB/T 36903)."""
    whole: dict[str, JsonValue] = json.loads(
        record_json(
            licence_type, request, agency, identifier=licence.identifier, public_code=licence.public_code,
            type_digest=licence.type_digest, token=token,
        )
    )  # fmt: skip
    own = {f"KZ_{each.name.upper()}": each.name for each in licence_type.fields}
    names = {**BASE_MEMBERS, **own}
    record: dict[str, JsonValue] = {"format": COPY_FORMAT}
    record |= {name: value for name, value in whole.items() if name in OPEN_MEMBERS or names.get(name) in granted}
    listed = whole["certificateHolder"]
    holders = [
        {name: value for name, value in each.items() if HOLDER_MEMBERS.get(name) in granted}
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict)
    ]
    if any(holders):
        record["certificateHolder"] = list(holders)
    record |= {
        "certificateCopyCause": made_for.purpose,
        "certificateCopyCreator": made_for.agency_name,
        "certificateCopyCreatorCode": made_for.agency_code,
        "certificateCopyCreationTime": f"{made_at:%Y%m%dT%H%M%SZ}",
        "certificateCopyExpiringTime": f"{ends:%Y%m%dT%H%M%SZ}",
        "useCode": made_for.use_code,
    }
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
