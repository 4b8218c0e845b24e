"""Checks: somebody says what a licence holds, the record says whether that is so. No true value leaves.

The status is told only to whom all that was given matches (China profile, 6.2).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.errors import LimitReachedError, NotFoundError
from certlib.grants import Interface
from certlib.receipting import new_receipt_id, signed_answer
from certlib.sharing.admission import HOUR, admit, guard_holder, refuse, settle
from certlib.sharing.candidates import candidates
from certlib.sharing.comparing import Given, Judged, Outcome, given_values, judged, known_names
from certlib.sharing.finding import type_of, word_of
from certlib.store import pacing
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.catalogue import LicenceType
    from certlib.faces import JsonValue
    from certlib.grants import Asking
    from certlib.library import Library
    from certlib.model import Licence

ACT: Final = "check"
MAX_CHARACTERS_IN_RECEIPT: Final = 200
"""Of a given value; of a longer one the receipt keeps the SHA-256."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckAnswer:
    """What a check tells."""

    receipt_id: str
    outcome: Outcome
    fields: Mapping[str, str]
    """Given name -> `match`, `differs`, `not_recorded`; empty when no one licence is meant."""
    word: str
    """`valid`, `expired`, `suspended`, `revoked` ... when all matches, else empty."""
    checked_at: datetime
    receipt: str
    """The same, signed: a compact JWS for the case file."""


def check(
    lib: Library, caller: AgencyCaller, asking: Asking, *, type_code: str, given: Mapping[str, str]
) -> CheckAnswer:
    """Compare the given values with the record, put the look down, and answer.

    Steps: 1 the grants; 2 the form of what was given; 3 how often the holder was asked about; 4 look up and compare;
    5 sign; 6 count and put down.

    Raises:
        InvalidRequestError: purpose, or something to look up by, is missing; or a value that none could have.
        ForbiddenError: code is the `grants.Rule` that failed.
        NotFoundError: code `type_not_found`.
        LimitReachedError: codes `daily_cap_reached`, `holder_limit_reached`.
    """
    # 1
    licence_type = known_type(lib, type_code)
    known = known_names(licence_type)
    fields = tuple(name for name in given if name in known and name != "identifier")
    admission = admit(lib, caller, asking, interface=Interface.CHECK, type_code=type_code, fields=fields)
    # 2
    licence_type = licence_type or type_of(lib, type_code)
    values = given_values(licence_type, given)
    # 3
    guard_holder(lib, caller, asking, values.holder_code, type_code=type_code)
    # 4
    found = judged(values, candidates(lib, type_code, [values])[0], licence_type.language)
    if found.licence is not None:
        guard_licence(lib, caller, asking, found.licence, type_code=type_code)
    # 5
    receipt_id = new_receipt_id()
    word = told_word(found, admission.at)
    answer = CheckAnswer(
        receipt_id=receipt_id,
        outcome=found.outcome,
        fields={name: each.value for name, each in found.fields.items()},
        word=word,
        checked_at=admission.at,
        receipt=signed_answer(
            lib,
            caller,
            asking,
            act=ACT,
            subject=type_code,
            result=_result(found, word, values, admission.at),
            checked_at=admission.at,
            receipt_id=receipt_id,
        ),
    )
    # 6
    look = admission.look(
        outcome=found.outcome.value,
        identifier=found.licence.identifier if found.licence else "",
        holder_code=values.holder_code,
        reference=receipt_id,
    )
    settle(lib, admission, [look])
    return answer


def known_type(lib: Library, type_code: str) -> LicenceType | None:
    """The type, or None when the library has none such: whoever has no grant for it is told that first."""
    try:
        return type_of(lib, type_code)
    except NotFoundError:
        return None


def guard_licence(lib: Library, caller: AgencyCaller, asking: Asking, licence: Licence, *, type_code: str) -> None:
    """Pass unless the agency has looked at this licence too often in the last hour: that is guessing.

    It goes with `guard_holder`, which sees only askings that name the holder.

    Raises:
        LimitReachedError: code `holder_limit_reached`.
    """
    most = lib.settings.looks_per_holder_per_hour
    if not most:
        return
    asked = pacing.asked_of_licences(
        lib.store, [licence.identifier], agency_code=caller.agency_code, since=lib.now() - HOUR
    )
    if asked.get(licence.identifier, 0) >= most:
        refuse(lib, caller, asking, interface=None, type_code=type_code, code="holder_limit_reached")
        raise LimitReachedError("too many askings about one holder in an hour", code="holder_limit_reached")


def told_word(found: Judged, now: datetime) -> str:
    """The word of the licence for whoever knows all of what was asked already; else nothing."""
    if found.outcome is not Outcome.MATCH or found.licence is None:
        return ""
    return word_of(found.licence, now).value


def check_json(answer: CheckAnswer) -> dict[str, JsonValue]:
    """The answer as JSON; its members are always all there."""
    return {
        "result": answer.outcome.value,
        "fields": dict(answer.fields),
        "word": answer.word or None,
        "status_as_of": moment(answer.checked_at) if answer.word else None,
        "checked_at": moment(answer.checked_at),
        "receipt_id": answer.receipt_id,
        "receipt": answer.receipt,
    }


def _result(found: Judged, word: str, given: Given, at: datetime) -> dict[str, JsonValue]:
    """What the receipt says of the check: what was given, and what came of it."""
    return {
        "result": found.outcome.value,
        "fields": {name: each.value for name, each in found.fields.items()},
        "word": word or None,
        "status_as_of": moment(at) if word else None,
        "given": {name: _kept(value) for name, value in given.values.items()},
    }


def _kept(value: str) -> str:
    if len(value) <= MAX_CHARACTERS_IN_RECEIPT:
        return value
    return "sha256:" + hashlib.sha256(value.encode()).hexdigest()
