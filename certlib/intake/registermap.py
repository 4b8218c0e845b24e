"""The mapping file: which column of a register becomes what of a licence. docs/batch.md is the reference.

`parse_map` reads and judges the whole file against the licence type and names every problem at once.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from certlib.catalogue import FieldKind
from certlib.errors import FieldFault, InvalidRequestError
from certlib.intake.dates import DateForm, date_form
from certlib.intake.sources import Source, SourceReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from certlib.catalogue import LicenceType
    from certlib.model import Sha256

DEFAULT_DATE_FORMATS: Final = ("YYYY-MM-DD",)
_TABLES: Final = frozenset(
    {"type", "notes", "source", "agency", "number", "holder", "dates", "area_code", "fields", "images", "state"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class HolderSource:
    """Where one holder's parts come from."""

    name: Source
    code: Source | None
    code_type: Source | None


@dataclass(frozen=True, kw_only=True, slots=True)
class StateRule:
    """Which rows are issued, by the state that the register gives them."""

    column: str
    issue: frozenset[str]
    """Values whose rows are issued."""
    refuse: Mapping[str, str]
    """Value -> reason, for rows that are refused. A value in neither is refused as unknown."""
    document_number: Source | None
    """Of the legal document, for rows that `--as-status` maps to another status."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RegisterMap:
    """A mapping that fits its licence type."""

    type_code: str
    sha256: Sha256
    """Of the mapping file's text."""
    sheet: str
    """Of an XLSX file; empty is the first."""
    delimiter: str
    """Of a CSV file."""
    agency: str
    """Code of the agency that issues; empty: the caller names it."""
    number: Source
    holders: tuple[HolderSource, ...]
    issued_on: Source
    effective_on: Source | None
    """None: the day of issue."""
    expires_on: Source | None
    """None: long-term."""
    long_term: frozenset[str]
    """Values of the end date that mean long-term."""
    date_formats: tuple[DateForm, ...]
    area_code: Source | None
    fields: Mapping[str, Source]
    images: Mapping[str, Source]
    """Each gives the name of a PNG or JPEG file beside the register."""
    state: StateRule | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the register must have, each once."""
        found: dict[str, None] = {}
        for source in self.sources.values():
            found.update(dict.fromkeys(source.columns))
        if self.state is not None:
            found[self.state.column] = None
        return tuple(found)

    @property
    def sources(self) -> Mapping[str, Source]:
        """Source by the name that faults use: `number`, `holder_name`, `issued_on`, a field's name."""
        several: list[tuple[str, Source | None]] = [("number", self.number)]
        for holder in self.holders:
            several += [("holder_name", holder.name), ("holder_code", holder.code), ("holder_code", holder.code_type)]
        several += [("issued_on", self.issued_on), ("effective_on", self.effective_on or self.issued_on)]
        several.append(("expires_on", self.expires_on))
        several += [("area_code", self.area_code), *self.fields.items(), *self.images.items()]
        if self.state is not None:
            several.append(("document_number", self.state.document_number))
        result: dict[str, Source] = {}
        for name, source in several:
            if source is not None:
                result[name] = result[name].beside(source) if name in result else source
        return result


def parse_map(text: str, *, where: str, licence_type: LicenceType) -> RegisterMap:
    """The mapping that `text` describes. `where` is the file's name for messages.

    Raises:
        InvalidRequestError: one fault per problem, all of them; a fault's field is the place in the file.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = FieldFault(field="map", code="not_toml", reason=f"not TOML: {error}")
        raise InvalidRequestError((fault,), message=f"{where}: not TOML: {error}") from error
    if data.get("type") != licence_type.code:
        reason = f'must be "{licence_type.code}", the licence type that is issued; is this its mapping?'
        fault = FieldFault(field="type", code="bad_map", reason=reason)
        raise InvalidRequestError((fault,), message=f"{where}: type: {reason}")
    reader = _MapReader()
    result = reader.register_map(data, text, licence_type)
    if reader.problems:
        faults = tuple(FieldFault(field=place, code="bad_map", reason=reason) for place, reason in reader.problems)
        lines = "; ".join(f"{place}: {reason}" for place, reason in reader.problems)
        raise InvalidRequestError(faults, message=f"{where}: {lines}")
    return result


class _MapReader(SourceReader):
    """Reads the tables of a mapping and gathers every problem."""

    def register_map(self, data: Mapping[str, Any], text: str, licence_type: LicenceType) -> RegisterMap:
        self.unknown("", data, _TABLES)
        source = self.table(data, "source", {"sheet", "delimiter"})
        dates = self.table(data, "dates", {"formats", "long_term", "issued_on", "effective_on", "expires_on"})
        formats = tuple(self._date_forms(dates))
        kinds = {each.name: each.kind for each in licence_type.fields}
        fields = self._named_sources(data, "fields", kinds, {*FieldKind} - {FieldKind.IMAGE})
        images = self._named_sources(data, "images", kinds, {FieldKind.IMAGE})
        for each in licence_type.fields:
            if each.required and each.name not in fields and each.name not in images:
                table = "images" if each.kind is FieldKind.IMAGE else "fields"
                self.problem(f"{table}.{each.name}", "is missing; the licence type requires it")
        return RegisterMap(
            type_code=licence_type.code,
            sha256=_sha256(text),
            sheet=self.string(source, "source.sheet", "sheet", ""),
            delimiter=self._delimiter(source),
            agency=self.string(data, "agency", "agency", ""),
            number=self.required(data, "number"),
            holders=self._holders(data, licence_type),
            issued_on=self.required(dates, "issued_on", under="dates"),
            effective_on=self.optional(dates, "effective_on", under="dates"),
            expires_on=self._expiry(dates, licence_type),
            long_term=frozenset(self.strings(dates, "dates.long_term", "long_term")),
            date_formats=formats,
            area_code=self.optional(data, "area_code"),
            fields=fields,
            images=images,
            state=self._state(data),
        )

    def _date_forms(self, dates: Mapping[str, Any]) -> Iterable[DateForm]:
        for text in self.strings(dates, "dates.formats", "formats") or DEFAULT_DATE_FORMATS:
            try:
                yield date_form(text)
            except ValueError as error:
                self.problem("dates.formats", f"{text!r}: {error}")

    def _delimiter(self, source: Mapping[str, Any]) -> str:
        value = self.string(source, "source.delimiter", "delimiter", ",")
        if value not in {",", ";", "\t"}:
            self.problem("source.delimiter", 'must be ",", ";" or "\\t"')
        return value

    def _named_sources(
        self, data: Mapping[str, Any], table: str, kinds: Mapping[str, FieldKind], allowed: set[FieldKind]
    ) -> dict[str, Source]:
        result = {}
        for name, each in self.table(data, table, None).items():
            place = f"{table}.{name}"
            kind = kinds.get(name)
            if kind is None:
                self.problem(place, f"is no field of the licence type{self._hint(name, kinds)}")
            elif kind not in allowed:
                self.problem(place, f"the field is of kind {kind}; pictures belong under [images], the rest not")
            result[name] = self.source(each, place)
        return result

    @staticmethod
    def _hint(name: str, kinds: Mapping[str, FieldKind]) -> str:
        near = get_close_matches(name, kinds, n=1)
        return f"; did you mean {near[0]}?" if near else ""

    def _holders(self, data: Mapping[str, Any], licence_type: LicenceType) -> tuple[HolderSource, ...]:
        value = data.get("holder")
        tables = value if isinstance(value, list) else [value]
        if value is None or not tables:
            self.problem("holder", "is missing")
            return ()
        if len(tables) > licence_type.max_holders:
            self.problem("holder", f"{len(tables)} holders, the licence type has at most {licence_type.max_holders}")
        result = []
        for number, each in enumerate(tables, 1):
            place = "holder" if len(tables) == 1 else f"holder[{number}]"
            if not isinstance(each, dict):
                self.problem(place, "must be a table with name, code and code_type")
                continue
            self.unknown(place, each, {"name", "code", "code_type"})
            code = self.optional(each, "code", under=place)
            code_type = self.optional(each, "code_type", under=place)
            if (code is None) != (code_type is None):
                self.problem(place, "code and code_type belong together")
            if code is None and licence_type.holder_code_required:
                self.problem(f"{place}.code", "is missing; the licence type requires it")
            name = self.required(each, "name", under=place)
            result.append(HolderSource(name=name, code=code, code_type=code_type))
        return tuple(result)

    def _expiry(self, dates: Mapping[str, Any], licence_type: LicenceType) -> Source | None:
        result = self.optional(dates, "expires_on", under="dates")
        if not licence_type.long_term_allowed:
            if result is None:
                self.problem("dates.expires_on", "is missing; the licence type has no long term")
            if dates.get("long_term"):
                self.problem("dates.long_term", "the licence type has no long term")
        return result

    def _state(self, data: Mapping[str, Any]) -> StateRule | None:
        if "state" not in data:
            return None
        table = self.table(data, "state", {"column", "issue", "refuse", "document_number"})
        column = self.string(table, "state.column", "column", "")
        if not column:
            self.problem("state.column", "is missing")
        issue = self.strings(table, "state.issue", "issue")
        if not issue:
            self.problem("state.issue", "must list the values whose rows are issued")
        refuse = self.texts(table, "state.refuse", "refuse")
        for value in sorted(set(issue) & refuse.keys()):
            self.problem("state", f"{value!r} is both issued and refused")
        return StateRule(
            column=column,
            issue=frozenset(issue),
            refuse=refuse,
            document_number=self.optional(table, "document_number", under="state"),
        )


def _sha256(text: str) -> Sha256:
    digest: Any = hashlib.sha256(re.sub(r"\r\n?", "\n", text).encode("utf-8")).hexdigest()
    return digest  # type: ignore[no-any-return]  # NewType over the hex text
