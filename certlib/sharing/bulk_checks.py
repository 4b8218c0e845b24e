"""A file of checks: each row is judged as a check of its own, bad ones get a verdict too, the whole is signed."""

from __future__ import annotations

import csv as csv_module
import hashlib
import io
import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, InvalidRequestError, LimitReachedError
from certlib.grants import Interface
from certlib.intake.csvwriting import neutralised
from certlib.receipting import new_receipt_id, signed_answer
from certlib.sharing.admission import HINT, HOUR, admit, refuse, settle
from certlib.sharing.bulk_reading import ROW_ID, AskedRow, AskedRows, csv_asked, jsonl_asked
from certlib.sharing.candidates import candidates
from certlib.sharing.checks import known_type, told_word
from certlib.sharing.comparing import Compared, Given, Outcome, given_values, judged, known_names
from certlib.sharing.finding import type_of
from certlib.store import granting, pacing
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.catalogue import LicenceType
    from certlib.faces import JsonValue
    from certlib.grants import Asking
    from certlib.library import Library
    from certlib.sharing.admission import Admission
    from certlib.store.looks import Look

ACT: Final = "check_bulk"
"""Of the receipt, and kind of the look that stands for the whole file."""
NOT_CHECKED: Final = "not_checked"
"""Result of a row that cannot be read, or is not lawful; nothing was looked up for it."""
LIMITED: Final = "holder_limit_reached"
"""Result of a row about a holder or licence that was asked about too often within an hour."""
RESULTS: Final = (*(each.value for each in Outcome), NOT_CHECKED, LIMITED)


@dataclass(kw_only=True, slots=True)
class Verdict:
    """What came of one row, filled in step by step."""

    row: AskedRow
    given: Given | None = None
    result: str = NOT_CHECKED
    fields: Mapping[str, Compared] = field(default_factory=dict)
    word: str = ""
    identifier: str = ""
    """Of the licence that is meant, for the ledger; never written out."""
    faults: tuple[FieldFault, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BulkAnswer:
    """The verdicts on a file."""

    bulk_id: str
    rows: int
    counts: Mapping[str, int]
    """Result -> rows; every one of `RESULTS`."""
    form: str
    """`csv` or `jsonl`."""
    result: str
    """One line a row, in the order of the rows. CSV as the library writes it: BOM, CRLF, no cell that runs."""
    result_sha256: str
    """Of its UTF-8, hex."""
    checked_at: datetime
    receipt: str
    """A compact JWS over both digests and the counts."""


def bulk_check(  # noqa: PLR0913  # as a check, and the two forms of a file
    lib: Library, caller: AgencyCaller, asking: Asking, *, type_code: str, csv: str | None, jsonl: str | None
) -> BulkAnswer:
    """Compare each row with the record, put all looks down, and answer.

    Steps: 1 read the rows; 2 the grants, for all names in the file; 3 the form of each row; 4 how often each holder
    was asked about, this file included; 5 look up; 6 compare; 7 write and sign; 8 count and put down.

    Raises:
        InvalidRequestError: not exactly one file, or one that cannot be read; a column that nobody knows.
        ForbiddenError: code is the `grants.Rule` that failed.
        NotFoundError: code `type_not_found`.
        LimitReachedError: code `daily_cap_reached`: there is not enough left for all rows, so none is told.
    """
    # 1
    asked = _read(csv, jsonl)
    # 2
    licence_type = known_type(lib, type_code)
    known = known_names(licence_type)
    fields = tuple(name for name in asked.names if name in known and name != "identifier")
    admission = admit(lib, caller, asking, interface=Interface.CHECK, type_code=type_code, fields=fields)
    # 3
    licence_type = licence_type or type_of(lib, type_code)
    if csv is not None and (strange := [name for name in asked.names if name not in known]):
        reason = "has columns that are no values of this type: " + ", ".join(name[:64] for name in strange[:10])
        raise _fault("csv", "unknown_field", f"{reason}. Known are {', '.join(sorted(known))}, {ROW_ID}")
    verdicts = [_formed(licence_type, row) for row in asked.rows]
    # 4, 5, 6
    _pace_holders(lib, admission, verdicts)
    _require_room(lib, admission, sum(each.given is not None and each.result != LIMITED for each in verdicts))
    _judge(lib, admission, verdicts, licence_type.language)
    # 7
    as_of = moment(admission.at)
    text = _written_jsonl(verdicts, as_of) if csv is None else _written_csv(verdicts, asked.names, as_of)
    answer = _signed(
        lib, admission, verdicts, asked=csv or jsonl or "", form="jsonl" if csv is None else "csv", text=text
    )
    # 8
    answered = answer.rows - answer.counts[NOT_CHECKED] - answer.counts[LIMITED]
    settle(lib, admission, _looks(admission, verdicts, answer.bulk_id), times=answered)
    return answer


def _signed(  # noqa: PLR0913  # keyword-only; the parts of the answer
    lib: Library, admission: Admission, verdicts: Sequence[Verdict], *, asked: str, form: str, text: str
) -> BulkAnswer:
    tally = Counter(each.result for each in verdicts)
    counts = {name: tally[name] for name in RESULTS}
    digest = hashlib.sha256(text.encode()).hexdigest()
    bulk_id = new_receipt_id()
    receipt = signed_answer(
        lib,
        admission.caller,
        admission.asking,
        act=ACT,
        subject=admission.type_code,
        result={
            "rows": len(verdicts),
            "counts": dict(counts),
            "format": form,
            "asked_sha256": hashlib.sha256(asked.encode()).hexdigest(),
            "result_sha256": digest,
        },
        checked_at=admission.at,
        receipt_id=bulk_id,
    )
    return BulkAnswer(
        bulk_id=bulk_id,
        rows=len(verdicts),
        counts=counts,
        form=form,
        result=text,
        result_sha256=digest,
        checked_at=admission.at,
        receipt=receipt,
    )


def bulk_json(answer: BulkAnswer) -> dict[str, JsonValue]:
    """The answer as JSON."""
    return {
        "bulk_id": answer.bulk_id,
        "rows": answer.rows,
        "counts": dict(answer.counts),
        "format": answer.form,
        "result": answer.result,
        "result_sha256": answer.result_sha256,
        "checked_at": moment(answer.checked_at),
        "receipt": answer.receipt,
    }


def _read(csv: str | None, jsonl: str | None) -> AskedRows:
    if (csv is None) == (jsonl is None):
        raise _fault("csv", "required", "give either csv or jsonl")
    name, text = ("jsonl", jsonl or "") if csv is None else ("csv", csv)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _fault(name, "bad_character", "holds half a character") from error
    return jsonl_asked(text) if csv is None else csv_asked(text)


def _require_room(lib: Library, admission: Admission, rows: int) -> None:
    """Pass if a grant has so much left today: nothing is looked up for a file that could not be answered.

    What counts is the count when the looks are put down; this only spares the work.
    """
    day = admission.at.astimezone(UTC).date()
    if all(granting.used(lib.store, each.id, day) + rows > each.daily_cap for each in admission.grants):
        caller, asking, type_code = admission.caller, admission.asking, admission.type_code
        refuse(lib, caller, asking, interface=Interface.CHECK, type_code=type_code, code="daily_cap_reached")
        reason = f"what is granted for one day has no room for {rows} rows"
        raise LimitReachedError(reason, code="daily_cap_reached", hint=HINT)


def _formed(licence_type: LicenceType, row: AskedRow) -> Verdict:
    if row.faults:
        return Verdict(row=row, faults=row.faults)
    try:
        return Verdict(row=row, given=given_values(licence_type, row.values))
    except InvalidRequestError as error:
        return Verdict(row=row, faults=error.faults)


def _pace_holders(lib: Library, admission: Admission, verdicts: Sequence[Verdict]) -> None:
    """Take out the rows about a holder of whom too much was asked: in the ledger, and in this file before them."""
    most = lib.settings.looks_per_holder_per_hour
    if not most:
        return
    named = {each.given.holder_code for each in verdicts if each.given} - {""}
    asked = Counter(
        pacing.asked_of_holders(lib.store, named, agency_code=admission.caller.agency_code, since=admission.at - HOUR)
    )
    for each in verdicts:
        if each.given and (code := each.given.holder_code):
            if asked[code] >= most:
                each.result = LIMITED
            asked[code] += 1


def _judge(lib: Library, admission: Admission, verdicts: Sequence[Verdict], language: str) -> None:
    """Fill in the verdicts on all rows that are still open."""
    open_ones = [(each, each.given) for each in verdicts if each.given is not None and each.result != LIMITED]
    found = candidates(lib, admission.type_code, [given for _, given in open_ones])
    results = [(each, judged(given, some, language)) for (each, given), some in zip(open_ones, found, strict=True)]
    most = lib.settings.looks_per_holder_per_hour
    asked: defaultdict[str, int] = defaultdict(int)
    if most:
        asked |= pacing.asked_of_licences(
            lib.store,
            {result.licence.identifier for _, result in results if result.licence},
            agency_code=admission.caller.agency_code,
            since=admission.at - HOUR,
        )
    for each, result in results:
        if result.licence is not None:
            each.identifier = result.licence.identifier
            asked[each.identifier] += 1
            if most and asked[each.identifier] > most:
                each.result = LIMITED
                continue
        each.result = result.outcome.value
        each.fields = result.fields
        each.word = told_word(result, admission.at)


def _looks(admission: Admission, verdicts: Sequence[Verdict], bulk_id: str) -> list[Look]:
    """One for each row that was lawful, and one for the whole file."""
    looks = [
        admission.look(
            outcome=each.result,
            identifier=each.identifier,
            holder_code=each.given.holder_code,
            reference=bulk_id,
            fields=each.given.fields,
        )
        for each in verdicts
        if each.given is not None
    ]
    return [*looks, replace(admission.look(outcome="answered", reference=bulk_id), kind=ACT)]


def _written_csv(verdicts: Sequence[Verdict], names: Sequence[str], as_of: str) -> str:
    file = io.StringIO(newline="")
    writer = csv_module.writer(file, quoting=csv_module.QUOTE_ALL)
    # A type's field may be called as one of our own columns, hence the prefix.
    columns = ["row", ROW_ID, "result", *(f"check.{name}" for name in names), "word", "status_as_of"]
    writer.writerow([*columns, "fault_fields", "fault_codes", "fault_reasons"])
    for each in verdicts:
        cells = [str(each.row.number), each.row.mark, each.result]
        cells += [each.fields[name].value if name in each.fields else "" for name in names]
        cells += [each.word, as_of if each.word else ""]
        cells += ["; ".join(getattr(one, part) for one in each.faults) for part in ("field", "code", "reason")]
        writer.writerow([neutralised(cell) for cell in cells])
    return "\ufeff" + file.getvalue()


def _written_jsonl(verdicts: Sequence[Verdict], as_of: str) -> str:
    lines = []
    for each in verdicts:
        line: dict[str, JsonValue] = {
            "row": each.row.number,
            ROW_ID: each.row.mark,
            "result": each.result,
            "fields": {name: compared.value for name, compared in each.fields.items()},
            "word": each.word or None,
            "status_as_of": as_of if each.word else None,
            "faults": [{"field": one.field, "code": one.code, "reason": one.reason} for one in each.faults],
        }
        lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")))
    return "\n".join(lines) + "\n"


def _fault(name: str, code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field=name, code=code, reason=reason),))
