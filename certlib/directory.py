"""The names behind codes: agencies and licence types as a verifier shows them, with and without network.

Pure. The same values serve the live library and the trust pack's body (docs/formats.md, 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from certlib.catalogue import Label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from certlib.catalogue import LicenceType
    from certlib.faces import JsonValue
    from certlib.model import Agency

FALLBACK_ZONE: Final = "Asia/Shanghai"
"""For an agency that the directory does not have; such a licence is never valid anyway."""


class DirectoryError(ValueError):
    """A body that is no directory. It never leaves the library as such."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyEntry:
    """An agency as a verifier shows it."""

    name: Label
    timezone: str
    """IANA; its licences' dates are judged in it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldEntry:
    """A field that tokens of a type may carry."""

    name: str
    label: Label
    kind: str
    """`text`, `date`, `money`, `integer`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TypeEntry:
    """A licence type as a verifier shows it."""

    code: str
    name: Label
    number: Label
    """What the type calls its number."""
    fields: Mapping[int, FieldEntry]
    """By token key; of all versions, the newest wins."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """Agencies by code, types by their code in the token."""

    agencies: Mapping[str, AgencyEntry] = field(default_factory=dict)
    types: Mapping[int, TypeEntry] = field(default_factory=dict)

    def zone(self, agency_code: str) -> ZoneInfo:
        """The zone in which the agency's dates are judged."""
        entry = self.agencies.get(agency_code)
        return ZoneInfo(entry.timezone if entry else FALLBACK_ZONE)


def directory(agencies: Iterable[Agency], types: Iterable[LicenceType]) -> Directory:
    """The directory of these agencies and types; of two versions of a type the higher one wins, field by field."""
    entries: dict[int, TypeEntry] = {}
    for each in sorted(types, key=lambda licence_type: licence_type.version):
        older = entries.get(each.token_code)
        fields = dict(older.fields) if older else {}
        for one in each.fields:
            if one.token_key is not None:
                fields[one.token_key] = FieldEntry(name=one.name, label=one.label, kind=one.kind.value)
        entries[each.token_code] = TypeEntry(
            code=each.code, name=each.name, number=each.number_label, fields=MappingProxyType(fields)
        )
    return Directory(
        agencies={
            each.code: AgencyEntry(name=Label(zh=each.name, en=each.name_en or each.name), timezone=each.timezone)
            for each in agencies
        },
        types=entries,
    )


def directory_json(content: Directory) -> dict[str, JsonValue]:
    """The members `agencies` and `types` of the trust pack's body."""
    return {
        "agencies": {
            code: {"zh": each.name.zh, "en": each.name.en, "timezone": each.timezone}
            for code, each in sorted(content.agencies.items())
        },
        "types": {
            str(code): {
                "code": each.code,
                "zh": each.name.zh,
                "en": each.name.en,
                "number": {"zh": each.number.zh, "en": each.number.en},
                "fields": {
                    str(key): {"name": one.name, "zh": one.label.zh, "en": one.label.en, "kind": one.kind}
                    for key, one in sorted(each.fields.items())
                },
            }
            for code, each in sorted(content.types.items())
        },
    }


def read_directory(body: Mapping[str, object]) -> Directory:
    """The directory in a trust pack's body; members that are not known are passed over, so that bodies may grow.

    Raises:
        DirectoryError: a member is missing or of another kind, or a zone is not known here.
    """
    agencies: dict[str, AgencyEntry] = {}
    for code, value in _map(body.get("agencies")).items():
        entry = _map(value)
        zone = _text(entry.get("timezone"))
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise DirectoryError(f"agency {code}: a time zone that is not known here") from error
        agencies[code] = AgencyEntry(name=_label(entry), timezone=zone)
    types: dict[int, TypeEntry] = {}
    for key, value in _map(body.get("types")).items():
        entry = _map(value)
        fields = {
            _number(token_key): FieldEntry(
                name=_text(_map(one).get("name")), label=_label(_map(one)), kind=_text(_map(one).get("kind"))
            )
            for token_key, one in _map(entry.get("fields")).items()
        }
        types[_number(key)] = TypeEntry(
            code=_text(entry.get("code")),
            name=_label(entry),
            number=_label(_map(entry.get("number"))),
            fields=MappingProxyType(fields),
        )
    return Directory(agencies=agencies, types=types)


def _map(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise DirectoryError("an object is expected")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise DirectoryError("a text is expected")
    return value


def _label(value: Mapping[str, object]) -> Label:
    return Label(zh=_text(value.get("zh")), en=_text(value.get("en")))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10):  # noqa: PLR2004  # 2^31 has ten digits
        raise DirectoryError("a whole number is expected")
    return int(text)
