"""The wire shapes of a request and of a licence: what JSON files and HTTP carry. Converted by hand."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from certlib.errors import FieldFault, InvalidRequestError
from certlib.identifiers import AgencyCode, printed_public_code
from certlib.model import Holder, IssueRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certlib.faces import JsonValue
    from certlib.model import Licence

REQUEST_MEMBERS: Final = frozenset(
    {
        *("type", "number", "holders", "issued_on", "effective_on", "expires_on", "fields", "images"),
        *("area_code", "operator", "request_id", "version", "previous_identifier"),
    }
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The members of a JSON object, for `json.loads(object_pairs_hook=...)`.

    Raises:
        ValueError: a member stands twice; two readers would take different ones.
    """
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def request_from_json(data: object, *, agency_code: AgencyCode, type_code: str, operator: str = "") -> IssueRequest:
    """The request that a JSON object says; `REQUEST_MEMBERS` are its members.

    Images are base64 under `images`. `effective_on` defaults to `issued_on`.

    Raises:
        InvalidRequestError: naming every member that is missing, unknown or of the wrong kind.
    """
    if not isinstance(data, dict):
        raise InvalidRequestError((FieldFault(field="(whole)", code="bad_form", reason="must be a JSON object"),))
    reader = _Reader(data)
    request = IssueRequest(
        agency_code=agency_code,
        type_code=type_code,
        number=reader.text("number"),
        holders=reader.holders(),
        issued_on=(issued_on := reader.day("issued_on") or date.min),
        effective_on=(reader.day("effective_on") if data.get("effective_on") else issued_on) or date.min,
        expires_on=reader.day("expires_on") if data.get("expires_on") is not None else None,
        fields=reader.fields(),
        images=reader.images(),
        area_code=reader.text("area_code", default=""),
        operator=reader.text("operator", default=operator),
        request_id=reader.text("request_id", default=""),
        version=reader.version(),
        previous_identifier=reader.text("previous_identifier", default=""),
    )
    if reader.faults:
        raise InvalidRequestError(tuple(reader.faults))
    return request


class _Reader:
    """Reads typed members and gathers every fault."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.faults = [
            FieldFault(field=str(name), code="unknown_field", reason="is not a member of a request")
            for name in data
            if name not in REQUEST_MEMBERS
        ]

    def fault(self, field: str, code: str, reason: str) -> None:
        self.faults.append(FieldFault(field=field, code=code, reason=reason))

    def text(self, name: str, *, default: str | None = None) -> str:
        value = self.data.get(name, default)
        if isinstance(value, str):
            return value
        if value is None:
            self.fault(name, "required", "is missing")
        else:
            self.fault(name, "bad_form", "must be a text in quotes; leading zeros are data")
        return ""

    def day(self, name: str) -> date | None:
        value = self.data.get(name)
        if value is None:
            self.fault(name, "required", "is missing")
            return None
        if isinstance(value, str) and _DAY.fullmatch(value):
            with contextlib.suppress(ValueError):
                return date.fromisoformat(value)
        self.fault(name, "bad_date", "is not a day of the calendar (YYYY-MM-DD)")
        return None

    def version(self) -> int:
        value = self.data.get("version", 1)
        if type(value) is int and 1 <= value <= 999:  # noqa: PLR2004  # three digits, GB/T 36904
            return value
        self.fault("version", "bad_number", "must be a whole number from 1 to 999")
        return 1

    def holders(self) -> tuple[Holder, ...]:
        value = self.data.get("holders")
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            self.fault("holders", "required", 'must be a list of {"name", "code", "code_type"}')
            return ()
        holders = []
        for index, each in enumerate(value, 1):
            parts = {key: each.get(key, "") for key in ("name", "code", "code_type")}
            if each.keys() - parts.keys() or not all(isinstance(part, str) for part in parts.values()):
                self.fault(f"holders[{index}]", "bad_form", 'must have the texts "name", "code" and "code_type" only')
            else:
                holders.append(Holder(name=parts["name"], code=parts["code"], code_type=parts["code_type"]))
        return tuple(holders)

    def fields(self) -> dict[str, str]:
        value = self.data.get("fields", {})
        if not isinstance(value, dict):
            self.fault("fields", "bad_form", "must be an object of texts")
            return {}
        for name, text in value.items():
            if not isinstance(text, str):
                self.fault(str(name), "bad_form", "must be a text in quotes")
        return {str(name): text for name, text in value.items() if isinstance(text, str)}

    def images(self) -> dict[str, bytes]:
        value = self.data.get("images", {})
        if not isinstance(value, dict):
            self.fault("images", "bad_form", "must be an object of base64 texts")
            return {}
        images = {}
        for name, text in value.items():
            try:
                images[str(name)] = text if isinstance(text, bytes) else base64.b64decode(text, validate=True)
            except (binascii.Error, TypeError, ValueError):
                self.fault(str(name), "bad_form", "is not base64")
        return images


def licence_json(licence: Licence) -> dict[str, JsonValue]:
    """The whole record of a licence, unmasked: for the agency that issued it and for its operators."""
    return {
        "identifier": licence.identifier,
        "public_code": printed_public_code(licence.public_code),
        "status": licence.status.value,
        "type": licence.type_code,
        "type_version": licence.type_version,
        "type_digest": licence.type_digest,
        "number": licence.number,
        "version": licence.version,
        "agency": {"code": licence.agency_code, "name": licence.agency_name, "timezone": licence.timezone},
        "holders": [{"name": each.name, "code": each.code, "code_type": each.code_type} for each in licence.holders],
        "issued_on": licence.issued_on.isoformat(),
        "effective_on": licence.effective_on.isoformat(),
        "expires_on": licence.expires_on.isoformat() if licence.expires_on else None,
        "area_code": licence.area_code,
        "fields": dict(licence.fields),
        "previous_identifier": licence.previous_identifier,
        "batch": licence.batch,
        "issued_at": licence.issued_at.isoformat(),
        "check_phrase": licence.check_phrase,
        "token": licence.token,
        "token_kid": licence.token_kid,
        "seal_kid": licence.seal_kid,
        "pdf": licence.pdf_name,
        "pdf_sha256": licence.pdf_sha256,
    }
