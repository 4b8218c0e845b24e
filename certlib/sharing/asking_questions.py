"""Questions of other agencies: yes, no or not recorded, signed, and never a value.

1. Judge the question and its parameters by what the type declares; 2. judge the asking by grants; 3. stop guessing;
4. find, and answer; 5. sign; 6. count and put down; only then the answer leaves.
No licence, several that cannot be told apart, and a licence without the value all answer `not_recorded`, in one form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.catalogue import FOLDER
from certlib.errors import FieldFault, InvalidRequestError, NotFoundError
from certlib.grants import Interface
from certlib.lifecycle import AS_IN_REGISTER
from certlib.questions import QuestionKind, grant_name
from certlib.receipting import new_receipt_id, signed_answer
from certlib.sharing import finding, parameters
from certlib.sharing.admission import admit, guard_holder, settle
from certlib.sharing.answers import Answer, Move, Record, answer_of, combined
from certlib.store import lookups, statuses
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.grants import Asking
    from certlib.library import Library
    from certlib.model import Licence
    from certlib.questions import Question
    from certlib.sharing.admission import Admission
    from certlib.sharing.parameters import Asked
    from certlib.store.looks import Look

ACT: Final = "question"
MAX_KEY_CHARACTERS: Final = 128
NOBODY: Final = "-"
"""An identifier that no licence has: its history is read where nothing was found, so that the work is the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class About:
    """Whom or what a question is about. At least one is given; what is given must all fit."""

    holder_code: str = ""
    number: str = ""
    identifier: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionAnswer:
    """What the asker gets: nothing in it comes from the record but the answer."""

    type_code: str
    question: str
    answer: Answer
    as_of: datetime
    """The moment of the record that answered, aware UTC."""
    receipt_id: str
    receipt: str
    """Compact JWS: question, parameters and whom it was about, as they were asked, with the answer."""


def questions_of(lib: Library, type_code: str) -> tuple[Question, ...]:
    """What a type answers: the built-in question first, then its own.

    Raises:
        NotFoundError: code `type_not_found`.
    """
    return finding.type_of(lib, type_code).questions


def ask(  # noqa: PLR0913  # who asks what about whom
    lib: Library,
    caller: AgencyCaller,
    asking: Asking,
    *,
    type_code: str,
    question: str,
    given: Mapping[str, object],
    about: About,
) -> QuestionAnswer:
    """Answer one question, signed and put down in the ledger. The grant names it `question:<name>` among its fields.

    Raises:
        InvalidRequestError: type, question, a parameter or whom it is about is missing or not what it must be.
        ForbiddenError: its code is the `grants.Rule` that failed, the same whatever is on record.
        LimitReachedError: too often about one holder, or the day's cap is used up.
        NotFoundError: code `type_not_found`, to those whose grant names a type that is not registered.
        SetupError, OwnFaultError, UnavailableError: it cannot be signed or put down, so there is no answer.
    """
    asked = _judged(lib, caller, asking, type_code=type_code, question=question, given=given)
    _require_about(asked, about)
    admission = _admitted(lib, caller, asking, type_code=type_code, question=question)
    people = _people(asked, about, type_code)
    for each in people:
        guard_holder(lib, caller, asking, each, type_code=type_code)
    found = _found(lib, asked, about, type_code)
    records = [_record(lib, each) for each in found]
    answers = [answer_of(asked, each, about=about.holder_code, now=admission.at) for each in records]
    if not records:
        statuses.status_changes(lib.store, NOBODY)
    answer = combined(answers, asked.question.kind)
    receipt_id = new_receipt_id()
    receipt = signed_answer(
        lib,
        caller,
        asking,
        act=ACT,
        subject="",
        result=_result(type_code, asked, about, answer, admission.at),
        checked_at=admission.at,
        receipt_id=receipt_id,
    )
    settle(lib, admission, _looks(admission, answer, receipt_id, people, found), times=1)
    return QuestionAnswer(
        type_code=type_code,
        question=question,
        answer=answer,
        as_of=admission.at,
        receipt_id=receipt_id,
        receipt=receipt,
    )


def _judged(  # noqa: PLR0913  # as `ask`
    lib: Library,
    caller: AgencyCaller,
    asking: Asking,
    *,
    type_code: str,
    question: str,
    given: Mapping[str, object],
) -> Asked:
    """The question with its parameters. Of a type that nobody knows is said what is said of one that is not granted."""
    if not FOLDER.fullmatch(type_code):
        raise _fault("type", "bad_form", f"must be the code of a licence type, {FOLDER.pattern}")
    try:
        known = questions_of(lib, type_code)
    except NotFoundError:
        _admitted(lib, caller, asking, type_code=type_code, question=question)
        raise
    return parameters.asked(known, question, given, now=lib.now())


def _admitted(lib: Library, caller: AgencyCaller, asking: Asking, *, type_code: str, question: str) -> Admission:
    wanted = (grant_name(question),)
    return admit(lib, caller, asking, interface=Interface.QUESTION, type_code=type_code, fields=wanted)


def _require_about(asked: Asked, about: About) -> None:
    faults = []
    for name in ("holder_code", "number", "identifier"):
        value = getattr(about, name)
        if len(value) > MAX_KEY_CHARACTERS:
            faults.append(_one(name, "too_long", f"has more than {MAX_KEY_CHARACTERS} characters"))
        elif value and (not value.isprintable() or not value.strip()):
            faults.append(_one(name, "bad_character", "is blank, or holds a character that is not printed"))
    if _is_inverse(asked) and not about.holder_code:
        reason = f"is missing: who is said to be {asked.relation.name.replace('_', ' ')} the person in parameters.code"
        faults.append(_one("holder_code", "required", reason))
    elif not (about.holder_code or about.number or about.identifier):
        reason = "is missing: name whom it is about by holder_code, number or identifier"
        faults.append(_one("holder_code", "required", reason))
    if faults:
        raise InvalidRequestError(tuple(faults))


def _is_inverse(asked: Asked) -> bool:
    return asked.question.kind is QuestionKind.RELATION and asked.relation.inverse


def _people(asked: Asked, about: About, type_code: str) -> tuple[str, ...]:
    """Whose codes are asked about, the one whose licence answers first: guessing at any of them is stopped.

    Where only a number or identifier is named it stands for its holder, whether it exists or not.
    """
    named = finding.folded_code(about.number or about.identifier)
    key = finding.folded_code(about.holder_code) or f"{type_code}#{named}"
    if asked.question.kind is not QuestionKind.RELATION:
        return (key,)
    code = finding.folded_code(str(asked.parameters["code"]))
    return (code, key) if _is_inverse(asked) else (key, code)


def _found(lib: Library, asked: Asked, about: About, type_code: str) -> Sequence[Licence]:
    """The licences that answer; empty as well where one name fits licences of several holders."""
    if asked.question.kind is QuestionKind.VALID_ON:
        return _versions(lib, about, type_code)
    holder_code = str(asked.parameters["code"]) if _is_inverse(asked) else about.holder_code
    found = finding.find(
        lib, type_code=type_code, holder_code=holder_code, number=about.number, identifier=about.identifier
    )
    return found if holder_code or len(found) == 1 else ()


def _versions(lib: Library, about: About, type_code: str) -> Sequence[Licence]:
    """All versions, superseded ones too, that could have been valid on a day: of the holder, or under the number."""
    if about.identifier:
        return finding.find(
            lib,
            type_code=type_code,
            holder_code=about.holder_code,
            number=about.number,
            identifier=about.identifier,
        )
    if about.holder_code:
        ever = [
            each
            for code in finding.code_forms(about.holder_code)
            for each in lookups.licences_by_holder(lib.store, code)  # the oldest 500: the current ones may not be there
            if each.type_code == type_code
        ]
        current = finding.find(lib, type_code=type_code, holder_code=about.holder_code)
        held = {each.identifier: each for each in (*ever, *current) if finding.fits_keys(each, number=about.number)}
        return tuple(held.values())
    found = finding.find(lib, type_code=type_code, number=about.number)
    if len(found) != 1:
        return ()
    agency_code, number = found[0].agency_code, found[0].number
    return lookups.licences_by_number(lib.store, agency_code=agency_code, type_code=type_code, number=number)


def _record(lib: Library, licence: Licence) -> Record:
    changes = statuses.status_changes(lib.store, licence.identifier)
    moves = [
        Move(new=each.new, effective_at=each.effective_at, as_registered=each.reason.startswith(AS_IN_REGISTER))
        for each in changes
    ]
    return Record(licence=licence, moves=moves)


def _result(type_code: str, asked: Asked, about: About, answer: Answer, at: datetime) -> dict[str, JsonValue]:
    named = {"holder_code": about.holder_code, "number": about.number, "identifier": about.identifier}
    return {
        "type": type_code,
        "question": asked.question.name,
        "parameters": dict(asked.parameters),
        "about": {name: value for name, value in named.items() if value},
        "answer": answer.value,
        "as_of": moment(at),
    }


def _looks(
    admission: Admission, answer: Answer, receipt_id: str, people: Sequence[str], found: Sequence[Licence]
) -> list[Look]:
    """One row for each person who was asked about; only the first one's names the licence, which is that person's."""
    identifier = found[0].identifier if len(found) == 1 else ""
    return [
        admission.look(
            outcome=answer.value,
            identifier=identifier if place == 0 else "",
            holder_code=code,
            reference=receipt_id,
        )
        for place, code in enumerate(people)
    ]


def _one(field: str, code: str, reason: str) -> FieldFault:
    return FieldFault(field=field, code=code, reason=reason)


def _fault(field: str, code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((_one(field, code, reason),))
