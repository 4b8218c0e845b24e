"""What a verdict shows of a licence, so that a person can compare it with the face (docs/verifying.md, 4).

Pure. Holder codes are masked in every case. Whoever brings the token or the file has the names before them already
and sees them; whoever types a code sees the public answer, in which persons' names are masked.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from certlib.faces import TOKEN_HOLDER_CODE, TOKEN_HOLDER_NAME, TOKEN_NUMBER, TOKEN_TYPE
from certlib.identifiers import masked_code
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from certlib.directory import Directory, TypeEntry
    from certlib.faces import JsonValue
    from certlib.store.values import PublicRow
    from signing.tokens import Audience

FIRST_TYPE_KEY = 10
"""Claim keys below are the licence's own (docs/formats.md, 1.4)."""


def shown_claims(  # noqa: PLR0913  # the claims of a token, one by one
    names: Directory,
    *,
    identifier: str,
    agency_code: str,
    issued_at: datetime,
    not_before_at: datetime | None,
    expires_at: datetime | None,
    fields: Mapping[int, int | str],
    check_phrase: str,
    audience: Audience | None = None,
) -> dict[str, JsonValue]:
    """What a verified token says of its licence, with the names that the directory has for its codes."""
    entry = names.types.get(code) if isinstance(code := fields.get(TOKEN_TYPE), int) else None
    zone = names.zone(agency_code)
    holder: dict[str, JsonValue] = {
        "name": str(fields.get(TOKEN_HOLDER_NAME, "")),
        "code": remasked(str(fields.get(TOKEN_HOLDER_CODE, ""))),
    }
    shown: dict[str, JsonValue] = {
        "identifier": identifier,
        "type": _type(entry),
        "number": str(fields.get(TOKEN_NUMBER, "")),
        "number_label": {"zh": entry.number.zh, "en": entry.number.en} if entry else {"zh": "", "en": ""},
        "agency": _agency(names, agency_code),
        "holders": [holder],
        "signed_at": moment(issued_at),
        "effective_on": not_before_at.astimezone(zone).date().isoformat() if not_before_at else None,
        "expires_on": expires_at.astimezone(zone).date().isoformat() if expires_at else None,
        "fields": [_field(entry, key, str(value)) for key, value in fields.items() if key >= FIRST_TYPE_KEY],
        "check_phrase": check_phrase,
    }
    if audience is not None and expires_at is not None:
        # What the copy does not say is not known; its end is not the licence's.
        shown["holders"] = [holder] if any(holder.values()) else []
        shown["expires_on"] = ""
        shown["made_for"] = {
            "agency": _agency(names, audience.code),
            "purpose": audience.purpose,
            "until": moment(expires_at),
            "use_code": audience.reference,
        }
    return shown


def shown_public(row: PublicRow, *, with_code: bool) -> dict[str, JsonValue]:
    """What anybody may see of a licence. The public code stands in it only for those who had it already."""
    static: dict[str, JsonValue] = json.loads(row.public_json)
    return {"identifier": row.identifier, **({"public_code": row.public_code} if with_code else {}), **static}


def remasked(code: str) -> str:
    """A code that should be masked already; if it holds no `*`, it is masked now."""
    return code if "*" in code else masked_code(code)


def _type(entry: TypeEntry | None) -> dict[str, JsonValue]:
    if entry is None:
        return {"code": "", "zh": "", "en": ""}
    return {"code": entry.code, "zh": entry.name.zh, "en": entry.name.en}


def _agency(names: Directory, code: str) -> dict[str, JsonValue]:
    entry = names.agencies.get(code)
    return {"code": code, "zh": entry.name.zh if entry else "", "en": entry.name.en if entry else ""}


def _field(entry: TypeEntry | None, key: int, value: str) -> dict[str, JsonValue]:
    known = entry.fields.get(key) if entry else None
    name, zh, en = (known.name, known.label.zh, known.label.en) if known else (str(key), str(key), str(key))
    kind = known.kind if known else "text"
    return {"name": name, "label": {"zh": zh, "en": en}, "kind": kind, "value": value}
