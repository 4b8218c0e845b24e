"""A row and a mapping -> the request to issue. Pure but for pictures, which stand in files beside the register."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from certlib.catalogue import FieldKind
from certlib.errors import FieldFault, InvalidRequestError
from certlib.intake.dates import read_date
from certlib.intake.rows import WHOLE_ROW
from certlib.intake.sources import UnmappedValueError
from certlib.model import Holder, IssueRequest, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from certlib.catalogue import LicenceType
    from certlib.identifiers import AgencyCode
    from certlib.intake.registermap import RegisterMap
    from certlib.intake.rows import Row
    from certlib.intake.sources import Source

MAX_IMAGE_BYTES: Final = 5 << 20
AS_STATUSES: Final = frozenset({Status.CANCELLED, Status.REVOKED, Status.WITHDRAWN, Status.SUSPENDED})
"""What a row may be issued as besides active."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What a row asks for. Not yet judged against the licence type."""

    row: int
    request: IssueRequest
    as_status: Status | None
    """The status that the licence takes on after its issue, or None."""
    state: str
    """The register's word for it, for the reason of the change; empty when `as_status` is None."""
    document_number: str
    """Of the legal document behind `as_status`; may be empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A row read with its mapping."""

    candidate: Candidate | None
    """None when the row asks for nothing that could be judged further."""
    faults: tuple[FieldFault, ...]
    """When not empty, the candidate holds stand-ins in the faulty places: judge the rest of it, never issue it."""


def parse_as_status(text: str) -> dict[str, Status]:
    """`注销=cancelled,吊销=revoked` as a mapping from the register's word to the status.

    Raises:
        InvalidRequestError: fault on field `as_status`, code `bad_as_status`.
    """
    result: dict[str, Status] = {}
    for part in text.split(","):
        value, _, word = part.rpartition("=")
        value, word = value.strip(), word.strip()
        if not value or word not in AS_STATUSES or value in result:
            words = ", ".join(sorted(AS_STATUSES))
            reason = f"{part.strip()!r} does not read VALUE=STATUS, each value once, with a status of {words}"
            raise InvalidRequestError((FieldFault(field="as_status", code="bad_as_status", reason=reason),))
        result[value] = Status(word)
    return result


class RequestMaker:
    """Makes requests of the rows of one register."""

    def __init__(  # noqa: PLR0913  # what a row is judged by
        self,
        mapping: RegisterMap,
        licence_type: LicenceType,
        columns: tuple[str, ...],
        *,
        folder: Path,
        agency_code: AgencyCode,
        as_status: Mapping[str, Status] | None = None,
    ) -> None:
        """`columns` are the register's, `folder` holds its pictures, `agency_code` issues."""
        self.mapping = mapping
        self.folder = folder
        self.agency_code = agency_code
        self.as_status = as_status or {}
        self.places = {name: place for place, name in enumerate(columns)}
        self.sources = mapping.sources
        self.date_fields = frozenset(each.name for each in licence_type.fields if each.kind is FieldKind.DATE)

    def draft(self, row: Row) -> Draft:
        """What the row asks for as far as it can be told, and what is wrong with it. Fields are column names."""
        if row.faults:
            return Draft(candidate=None, faults=row.faults)
        work = _RowWork(self, row)
        try:
            status, state = work.state()
        except InvalidRequestError as error:
            return Draft(candidate=None, faults=error.faults)
        request = work.request()
        document = ""
        if status is not None and self.mapping.state is not None:
            document = work.text("document_number", self.mapping.state.document_number)
        candidate = Candidate(row=row.number, request=request, as_status=status, state=state, document_number=document)
        return Draft(candidate=candidate, faults=tuple(dict.fromkeys(work.faults)))

    def candidate(self, row: Row) -> Candidate:
        """What the row asks for.

        Raises:
            InvalidRequestError: the row cannot be read, its state is refused, or a value is not what the
                mapping expects. Fields are column names.
        """
        draft = self.draft(row)
        if draft.candidate is None or draft.faults:
            raise InvalidRequestError(draft.faults)
        return draft.candidate

    def in_columns(self, fault: FieldFault) -> FieldFault:
        """The fault with the register's column names in the place of the licence's field."""
        return FieldFault(field=self.column_of(fault.field), code=fault.code, reason=fault.reason)

    def column_of(self, name: str) -> str:
        """The columns that a field of the licence comes from, or the field's own name for a constant."""
        plain = name.removesuffix("_type") if name == "holder_code_type" else name
        source = self.sources.get("holder_name" if plain == "holders" else plain)
        return ", ".join(source.columns) if source is not None and source.columns else name


class _RowWork:
    """The making of one request, gathering faults."""

    def __init__(self, maker: RequestMaker, row: Row) -> None:
        self.maker = maker
        self.row = row
        self.faults: list[FieldFault] = []

    def cell(self, column: str) -> str:
        return self.row.cells[self.maker.places[column]]

    def state(self) -> tuple[Status | None, str]:
        rule = self.maker.mapping.state
        if rule is None:
            return None, ""
        value = self.cell(rule.column)
        if value in rule.issue:
            return None, ""
        if value in self.maker.as_status:
            return self.maker.as_status[value], value
        reason = rule.refuse.get(value, "is a state that the mapping does not know; name it under [state]")
        raise InvalidRequestError((FieldFault(field=rule.column, code="state_refused", reason=f"{value!r}: {reason}"),))

    def text(self, name: str, source: Source | None, *, default: str = "") -> str:
        if source is None:
            return default
        try:
            return source.value(self.cell)
        except UnmappedValueError:
            reason = "holds a value that the mapping does not list under values"
            self._fault(name, "unmapped_value", reason)
            return default

    def request(self) -> IssueRequest:
        maker, mapping = self.maker, self.maker.mapping
        number = self.text("number", mapping.number)
        holders = self._holders()
        issued_on = self._date("issued_on", mapping.issued_on)
        effective_on = self._date("effective_on", mapping.effective_on) if mapping.effective_on else issued_on
        expires_on = self._expiry()
        fields = {name: self._field(name, source) for name, source in mapping.fields.items()}
        return IssueRequest(
            agency_code=maker.agency_code,
            type_code=mapping.type_code,
            number=number,
            holders=holders,
            issued_on=issued_on,
            effective_on=effective_on,
            expires_on=expires_on,
            fields={name: value for name, value in fields.items() if value},
            images=self._images(),
            area_code=self.text("area_code", mapping.area_code),
        )

    def _holders(self) -> tuple[Holder, ...]:
        result = []
        for index, source in enumerate(self.maker.mapping.holders):
            name = self.text("holder_name", source.name)
            code = self.text("holder_code", source.code)
            if not name and not code and index:
                continue
            code_type = self.text("holder_code", source.code_type) if code else ""
            result.append(Holder(name=name, code=code, code_type=code_type))
        return tuple(result)

    def _date(self, name: str, source: Source) -> date:
        text = self.text(name, source)
        try:
            return read_date(text, self.maker.mapping.date_formats)
        except ValueError as error:
            code = "bad_date" if text else "required"
            self._fault(name, code, str(error) if text else "is missing")
            return date.min

    def _expiry(self) -> date | None:
        source = self.maker.mapping.expires_on
        if source is None or self.text("expires_on", source) in self.maker.mapping.long_term:
            return None
        return self._date("expires_on", source)

    def _field(self, name: str, source: Source) -> str:
        text = self.text(name, source)
        if name not in self.maker.date_fields or not text:
            return text
        try:
            return read_date(text, self.maker.mapping.date_formats).isoformat()
        except ValueError as error:
            self._fault(name, "bad_date", str(error))
            return ""

    def _images(self) -> dict[str, bytes]:
        result = {}
        for name, source in self.maker.mapping.images.items():
            file = self.text(name, source)
            if file:
                result[name] = self._image(name, file)
        return result

    def _image(self, name: str, file: str) -> bytes:
        """The bytes of a file beside the register; never one outside its folder."""
        folder = self.maker.folder.resolve()
        try:
            path = (folder / file).resolve()
            if not path.is_relative_to(folder) or not path.is_file():
                self._fault(name, "no_file", "names no file beside the register")
                return b""
            if path.stat().st_size > MAX_IMAGE_BYTES:
                self._fault(name, "too_large", f"names a file of more than {MAX_IMAGE_BYTES:,} bytes")
                return b""
            return path.read_bytes()
        except (OSError, ValueError):
            self._fault(name, "no_file", "names a file that cannot be read")
            return b""

    def _fault(self, name: str, code: str, reason: str) -> None:
        self.faults.append(FieldFault(field=self.maker.column_of(name) or WHOLE_ROW, code=code, reason=reason))
