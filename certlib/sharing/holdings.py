"""Which licences a holder has: type, number and status, of those types for which the asker has a grant.

A type without a grant is not asked about at all: having none and not being granted look the same, and take the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError, LimitReachedError
from certlib.grants import REASONS, Interface, Rule, fitting, require_asking
from certlib.identifiers import masked_code
from certlib.model import HolderKind
from certlib.receipting import new_receipt_id
from certlib.sharing.admission import HINT, Admission, admit, drawn, guard_holder, refuse
from certlib.sharing.finding import code_forms, folded_code, type_of, word_of
from certlib.store import agencies, granting, looks, seeking
from certlib.store.engine import writing
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.grants import Asking, Grant
    from certlib.library import Library
    from certlib.model import Licence, OverallWord
    from certlib.sharing.handles import NamedHolder
    from certlib.store.looks import Look

LISTED: Final = seeking.LISTED
NUMBER: Final = "number"


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """One licence of the list."""

    licence: Licence
    number: str
    """As the asker may see it."""
    type_zh: str
    type_en: str
    agency_en: str
    word: OverallWord


@dataclass(frozen=True, kw_only=True, slots=True)
class Holdings:
    """What a holder has, as far as the asker's grants go."""

    held: tuple[Held, ...]
    """Oldest first, current versions only; may be empty."""
    at: datetime
    reference: str
    """Under which the looks stand in the ledger."""


def list_licences(
    lib: Library, caller: AgencyCaller, asking: Asking, *, holder: NamedHolder, type_code: str = ""
) -> Holdings:
    """The licences of a holder, of one type or of all that are granted; the looks are put down.

    Raises:
        InvalidRequestError: purpose is missing; code `too_many`: more than 500, which is no answer.
        ForbiddenError: code is the `grants.Rule` that failed, for the type or for all of them.
        LimitReachedError: codes `daily_cap_reached`, `holder_limit_reached`.
    """
    admissions = _admissions(lib, caller, asking, type_code)
    guard_holder(lib, caller, asking, folded_code(holder.code), type_code=type_code)
    types = [each.type_code for each in admissions]
    found = seeking.by_holders(lib.store, types, code_forms(holder.code), most=LISTED + 1)
    found = tuple(each for each in found if _holds(each, holder))
    reference = new_receipt_id()
    holdings = Holdings(held=_shown(lib, admissions, found[:LISTED]), at=admissions[0].at, reference=reference)
    too_many = len(found) > LISTED
    _settle(lib, admissions, () if too_many else found, holder, reference, "too_many" if too_many else "nothing_found")
    if too_many:
        reason = f"is held more than {LISTED} times; ask for one type, or check single licences"
        raise InvalidRequestError((FieldFault(field="type", code="too_many", reason=reason),))
    return holdings


def holdings_json(holdings: Holdings) -> dict[str, JsonValue]:
    """The list as JSON."""
    return {
        "licences": [
            {
                "identifier": each.licence.identifier,
                "type": {"code": each.licence.type_code, "zh": each.type_zh, "en": each.type_en},
                "number": each.number,
                "agency": {
                    "code": each.licence.agency_code,
                    "zh": each.licence.agency_name,
                    "en": each.agency_en,
                },
                "word": each.word.value,
            }
            for each in holdings.held
        ],
        "status_as_of": moment(holdings.at),
        "reference": holdings.reference,
    }


def _admissions(lib: Library, caller: AgencyCaller, asking: Asking, type_code: str) -> tuple[Admission, ...]:
    """One for each type that may be listed, by code; never empty. With `number` where the grant has it."""
    require_asking(asking)
    grants: dict[str, list[Grant]] = defaultdict(list)
    for each in granting.grants(lib.store, agency_code=caller.agency_code, type_code=type_code):
        grants[each.type_code].append(each)

    def may(some: Sequence[Grant], *fields: str) -> tuple[Grant, ...] | Rule:
        return fitting(
            some,
            interface=Interface.LIST,
            matter_code=asking.matter_code,
            fields=fields,
            address=caller.address,
            now=lib.now(),
        )

    wanted = [code for code in sorted(grants) if not isinstance(may(grants[code]), Rule)]
    if not wanted and not type_code:
        rule = may([each for some in grants.values() for each in some])
        code = rule if isinstance(rule, Rule) else Rule.NO_GRANT
        refuse(lib, caller, asking, interface=Interface.LIST, type_code="", code=code.value)
        raise ForbiddenError(REASONS[code], code=code.value, hint=HINT)
    return tuple(
        admit(
            lib,
            caller,
            asking,
            interface=Interface.LIST,
            type_code=code,
            fields=() if isinstance(may(grants[code], NUMBER), Rule) else (NUMBER,),
        )
        for code in wanted or [type_code]
    )


def _holds(licence: Licence, holder: NamedHolder) -> bool:
    return any(
        folded_code(each.code) == folded_code(holder.code) and each.code_type == holder.code_type
        for each in licence.holders
    )


def _shown(lib: Library, admissions: Sequence[Admission], found: Sequence[Licence]) -> tuple[Held, ...]:
    """The list, with numbers as the grants let them be seen: else masked, as for strangers."""
    open_numbers = {each.type_code for each in admissions if NUMBER in each.fields}
    types = {code: type_of(lib, code) for code in {each.type_code for each in found}}
    names = {each.code: each.name_en or each.name for each in agencies.all_agencies(lib.store)}
    at = admissions[0].at
    return tuple(
        Held(
            licence=each,
            number=each.number
            if each.type_code in open_numbers or types[each.type_code].holder_kind is HolderKind.ORGANISATION
            else masked_code(each.number),
            type_zh=types[each.type_code].name.zh,
            type_en=types[each.type_code].name.en,
            agency_en=names.get(each.agency_code, each.agency_name),
            word=word_of(each, at),
        )
        for each in found
    )


def _settle(  # noqa: PLR0913, PLR0917  # what is put down
    lib: Library,
    admissions: Sequence[Admission],
    found: Sequence[Licence],
    holder: NamedHolder,
    reference: str,
    without: str,
) -> None:
    """Count and put down in one transaction: each licence, or one look at the holder when none is listed.

    A type counts once even when nothing of it is listed. The holder is named in one look only, so that a long list
    is one asking about the holder.
    """
    by_type = {each.type_code: each for each in admissions}
    listed = Counter(each.type_code for each in found)
    first = admissions[0]
    try:
        with writing(lib.store) as conn:
            counted = {code: drawn(conn, by_type[code], max(1, listed[code])) for code in sorted(by_type)}
            rows = [
                _put_down(by_type[each.type_code], counted, "listed", reference, each.identifier) for each in found
            ] or [_put_down(first, counted, without, reference)]
            rows[0] = replace(rows[0], holder_code=folded_code(holder.code))
            looks.put(lib.store, conn, rows)
    except (LimitReachedError, ForbiddenError) as error:  # what was counted before it is rolled back
        refuse(lib, first.caller, first.asking, interface=Interface.LIST, type_code="", code=error.code)
        raise


def _put_down(
    admission: Admission, counted: Mapping[str, Grant], outcome: str, reference: str, identifier: str = ""
) -> Look:
    grant = counted[admission.type_code]
    look = admission.look(outcome=outcome, reference=reference, identifier=identifier)
    return replace(look, grant_id=grant.id, basis=grant.basis.value)
