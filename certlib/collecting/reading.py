"""A page of another library's feed, read strictly: what is not as a feed must be is refused whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from certlib.collecting.feeding import MAX_CHANGES
from certlib.errors import FieldFault, InvalidRequestError
from certlib.identifiers import parse_identifier
from certlib.model import LEGAL_TRANSITIONS, Status
from certlib.store.feeds import CatalogueChange, CatalogueEntry

if TYPE_CHECKING:
    from collections.abc import Collection

MAX_CURSOR_CHARACTERS: Final = 512
MAX_TYPES: Final = 1000
MAX_TEXT: Final = 200
MAX_SEQ: Final = 2**62
SEGMENTS: Final = 5
_TYPE_CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_CURSOR: Final = re.compile(r"[!-~]+")
_AREA: Final = re.compile(r"[0-9]{0,12}", re.ASCII)
_PAGE: Final = {"changes", "types", "cursor", "more"}


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPage:
    """A page as it was understood."""

    changes: tuple[CatalogueChange, ...]
    types: tuple[str, ...]
    cursor: str
    more: bool


class _BadPageError(Exception):
    """Names the place."""


def read_page(said: dict[str, Any], *, agencies: Collection[str]) -> ReadPage:
    """The page that a library sent. Members that are not known are passed over, so that feeds may grow.

    Raises:
        InvalidRequestError: it is none, or speaks of agencies that are not the library's own.
    """
    try:
        return _page(said, agencies)
    except (_BadPageError, KeyError, ValueError, TypeError, OverflowError, InvalidRequestError) as error:
        where = str(error) if isinstance(error, _BadPageError) else "a member is missing or of another kind"
        reason = f"sends a page that no library sends: {where}"
        raise InvalidRequestError((FieldFault(field="source", code="bad_page", reason=reason),)) from error


def _page(said: dict[str, Any], agencies: Collection[str]) -> ReadPage:
    items, types, cursor, more = (said[name] for name in ("changes", "types", "cursor", "more"))
    if not isinstance(items, list) or not isinstance(types, list) or type(more) is not bool:
        raise _BadPageError("its form")
    if len(items) > MAX_CHANGES or len(types) > MAX_TYPES or not all(_is_type(each) for each in types):
        raise _BadPageError("its size, or a type's code")
    if not isinstance(cursor, str) or not 0 < len(cursor) <= MAX_CURSOR_CHARACTERS or not _CURSOR.fullmatch(cursor):
        raise _BadPageError("its cursor")
    changes = tuple(_change(each, agencies) for each in items)
    if any(one.seq >= other.seq for one, other in pairwise(changes)):
        raise _BadPageError("the order of its changes")
    return ReadPage(changes=changes, types=tuple(types), cursor=cursor, more=more)


def _change(item: dict[str, Any], agencies: Collection[str]) -> CatalogueChange:
    identifier, agency, segment = (_text(item[name], 128) for name in ("identifier", "agency", "type_segment"))
    parsed = parse_identifier(identifier, plain_roots=(identifier.rsplit(".", SEGMENTS)[0],))
    if agency not in agencies or (parsed.agency_code, parsed.type_code) != (agency, segment):
        raise _BadPageError("a licence of an agency that is not this library's own")
    status, seq, version = Status(item["status"]), item["seq"], item["version"]
    if type(seq) is not int or not 0 < seq <= MAX_SEQ or type(version) is not int or version != int(parsed.version):
        raise _BadPageError("a number or version")
    if not _is_type(item["type"]) or not _AREA.fullmatch(item["area_code"]) or type(item["number_masked"]) is not bool:
        raise _BadPageError("a type, an area or a mark")
    if item["operation"] not in ("insert", "update", "delete"):
        raise _BadPageError("an operation")
    if (item["operation"] == "delete") is bool(LEGAL_TRANSITIONS[status]):
        raise _BadPageError("an operation that does not fit the status")
    return CatalogueChange(
        seq=seq,
        at=datetime.strptime(item["at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC),
        operation=item["operation"],
        entry=CatalogueEntry(
            identifier=identifier,
            type_code=item["type"],
            type_segment=segment,
            type_name=_text(item["type_name"], MAX_TEXT),
            type_name_en=_text(item["type_name_en"], MAX_TEXT),
            number=_text(item["number"], 128),
            number_masked=item["number_masked"],
            version=version,
            agency_code=agency,
            agency_name=_text(item["agency_name"], MAX_TEXT),
            area_code=item["area_code"],
            issued_on=date.fromisoformat(item["issued_on"]),
            effective_on=date.fromisoformat(item["effective_on"]),
            expires_on=None if item["expires_on"] is None else date.fromisoformat(item["expires_on"]),
            status=status,
            previous_identifier=_text(item["previous_identifier"], 128),
        ),
    )


def _is_type(value: object) -> bool:
    return isinstance(value, str) and _TYPE_CODE.fullmatch(value) is not None


def _text(value: object, most: int) -> str:
    """A text for a terminal and a database: bounded, and all of it prints."""
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise _BadPageError("a text")
    return value
