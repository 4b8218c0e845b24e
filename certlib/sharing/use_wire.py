"""Uses as JSON values: what an agency's system and a holder read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certlib.faces import JsonValue
    from certlib.sharing.use_data import UseData
    from certlib.sharing.use_files import FileLink
    from certlib.store.uses import Use


def use_json(use: Use) -> dict[str, JsonValue]:
    """A use as the agency that asked sees it. Nothing in it depends on what is on record."""
    asking = use.asking
    return {
        "code": use.id,
        "state": use.state.value,
        "basis": use.basis.value,
        "interfaces": [each.value for each in use.interfaces],
        "types": [{"type": part.type_code, "fields": list(part.fields), "clause": part.clause} for part in use.parts],
        "matter_code": asking.matter_code,
        "case_number": asking.case_number,
        "purpose": asking.purpose,
        "operator": asking.operator,
        "made_at": moment(use.made_at),
        "expires_at": moment(use.expires_at),
        "decided_at": moment(use.decided_at) if use.decided_at else None,
        "decided_by": use.decided_by,
    }


def data_json(read: UseData) -> dict[str, JsonValue]:
    """One reading."""
    return {
        "code": read.use.id,
        "read_at": moment(read.read_at),
        "licences": [
            {
                "identifier": each.identifier,
                "type": each.type_code,
                "word": each.word,
                "fields": dict(each.fields),
            }
            for each in read.licences
        ],
        "receipt_id": read.receipt_id,
        "receipt": read.receipt,
    }


def links_json(links: Sequence[FileLink], *, base_url: str) -> dict[str, JsonValue]:
    """The links of one asking; none where no copy is made."""
    return {
        "links": [
            {
                "identifier": each.identifier,
                "type": each.type_code,
                "word": each.word,
                "url": f"{base_url}/v1/files/{each.secret}" if each.secret else None,
                "expires_at": moment(each.expires_at) if each.secret else None,
            }
            for each in links
        ]
    }
