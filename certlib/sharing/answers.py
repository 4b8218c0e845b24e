"""The answer to a question out of one record, and out of several. Pure.

Whatever cannot be told from what is recorded is `not_recorded`; nothing is guessed and no value leaves.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from certlib.identifiers import CITIZEN_TYPE
from certlib.model import LEGAL_TRANSITIONS, OverallWord, Status, derived_word, end_of_day
from certlib.questions import HOLDER_CODE, QuestionKind
from certlib.sharing.finding import folded_code
from certlib.sharing.parameters import is_wide

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from certlib.model import Licence
    from certlib.sharing.parameters import Asked

_BLANKS: Final = re.compile(r"\s+")


class Answer(StrEnum):
    """All that an asker learns. Wire-stable."""

    YES = "yes"
    NO = "no"
    NOT_RECORDED = "not_recorded"


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """One change of a licence's status."""

    new: Status
    effective_at: datetime
    as_registered: bool = False
    """It only says how a register's row stood when it was issued here; since when is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """One licence with the history of its status."""

    licence: Licence
    moves: Sequence[Move]
    """As they were recorded, oldest first."""


def answer_of(asked: Asked, record: Record, *, about: str, now: datetime) -> Answer:
    """The answer of one record. `about` is the holder code that was named, or empty.

    But for `valid_on`, only a licence that is valid at `now` answers.
    """
    if asked.question.kind is QuestionKind.VALID_ON:
        return valid_on(record, asked.day, now=now)
    licence = record.licence
    word = derived_word(licence.status, licence.effective_on, licence.expires_on, licence.timezone, now)
    if word is not OverallWord.VALID:
        return Answer.NOT_RECORDED
    if asked.question.kind is QuestionKind.AGE_AT_LEAST:
        return _age(asked, licence, about, now)
    if asked.question.kind is QuestionKind.RELATION:
        return _relation(asked, licence, about)
    return _of_field(asked, licence)


def combined(answers: Iterable[Answer], kind: QuestionKind) -> Answer:
    """One answer out of those of several licences of one holder.

    `valid_on` asks whether any was valid; what they say differently of anything else is not recorded.
    """
    found = set(answers)
    if kind is QuestionKind.VALID_ON:
        order = (Answer.YES, Answer.NOT_RECORDED, Answer.NO)
        return next((each for each in order if each in found), Answer.NOT_RECORDED)
    told = found - {Answer.NOT_RECORDED}
    return told.pop() if len(told) == 1 else Answer.NOT_RECORDED


def valid_on(record: Record, day: date, *, now: datetime) -> Answer:
    """Whether the licence was valid on `day`, in its agency's zone, by its dates and the history of its status.

    1. outside of its days: no; 2. withdrawn (撤销), which is defective from the start: no; 3. today: as it stands;
    4. closed as a register's row was, or on the day on which this library issued it: what was before is not recorded;
    5. as it stood at the end of the day.
    """
    licence = record.licence
    zone = ZoneInfo(licence.timezone)
    if day < licence.effective_on or (licence.expires_on is not None and day > licence.expires_on):
        return Answer.NO
    if licence.status is Status.WITHDRAWN:
        return Answer.NO
    if day >= now.astimezone(zone).date():
        return _yes(licence.status is Status.ACTIVE)
    if any(_unknown_before(each, licence, day) for each in record.moves):
        return Answer.NOT_RECORDED
    return _yes(status_at(record.moves, end_of_day(day, licence.timezone)) is Status.ACTIVE)


def status_at(moves: Sequence[Move], at: datetime) -> Status:
    """How a licence with this history stood at a moment; what ends it is never undone."""
    status = Status.ACTIVE
    for each in sorted(moves, key=lambda move: move.effective_at):
        if each.effective_at > at or not LEGAL_TRANSITIONS[status]:
            break
        status = each.new
    return status


def _unknown_before(move: Move, licence: Licence, day: date) -> bool:
    """Whether this end of the licence leaves open how it stood on an earlier `day`."""
    zone = ZoneInfo(licence.timezone)
    held_on, issued_on = move.effective_at.astimezone(zone).date(), licence.issued_at.astimezone(zone).date()
    ends = not LEGAL_TRANSITIONS[move.new] and move.new is not Status.SUPERSEDED
    if move.as_registered:
        return day < held_on
    return ends and held_on <= issued_on and day < issued_on


def age_reached(born_on: date, years: int, today: date) -> bool:
    """Whether somebody born on `born_on` is `years` old on `today`, from the birthday on.

    Born on 29 February: in a year without it, from 1 March (Civil Code of China, articles 201 and 202).
    """
    if born_on.year + years > date.max.year:
        return False
    try:
        birthday = born_on.replace(year=born_on.year + years)
    except ValueError:
        birthday = date(born_on.year + years, 3, 1)
    return today >= birthday


def normalised(text: str) -> str:
    """A text as texts are compared: NFKC, case folded, blanks made one, none beside Han characters or at the ends."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    spaced = _BLANKS.sub(" ", folded).strip()
    said = [
        each
        for place, each in enumerate(spaced)
        if each != " " or not (is_wide(spaced[place - 1]) or is_wide(spaced[place + 1]))
    ]
    return unicodedata.normalize("NFKC", "".join(said))


def includes(value: str, text: str) -> bool:
    """Whether `text` stands in `value`, normalised; Latin words and numbers whole: no guess grows by letters."""
    whole, part = normalised(value), normalised(text)
    begin = whole.find(part)
    while part and begin >= 0:
        if _bounded(whole, begin) and _bounded(whole, begin + len(part)):
            return True
        begin = whole.find(part, begin + 1)
    return False


def _bounded(text: str, place: int) -> bool:
    """Whether no word goes on over `place`."""
    return not 0 < place < len(text) or not (_in_word(text[place - 1]) and _in_word(text[place]))


def _in_word(letter: str) -> bool:
    return (letter.isalnum() or unicodedata.combining(letter) > 0) and not is_wide(letter)


def _yes(held: bool) -> Answer:  # noqa: FBT001  # what it turns into words
    return Answer.YES if held else Answer.NO


def _age(asked: Asked, licence: Licence, about: str, now: datetime) -> Answer:
    field = asked.question.field
    text = _birth_text(licence, about) if field == HOLDER_CODE else licence.fields.get(field, "")
    try:
        born_on = date.fromisoformat(text)
    except ValueError:
        return Answer.NOT_RECORDED
    today = now.astimezone(ZoneInfo(licence.timezone)).date()
    return _yes(age_reached(born_on, int(asked.parameters["age"]), today))


def _birth_text(licence: Licence, about: str) -> str:
    """The birth date in the citizen number of the holder asked about, ISO 8601, or of the only one; else empty.

    GB 11643-1999: characters 7 to 14.
    """
    holders = licence.holders
    if about:
        holders = tuple(each for each in holders if folded_code(each.code) == folded_code(about))
    if len(holders) != 1 or holders[0].code_type != CITIZEN_TYPE:
        return ""
    code = holders[0].code
    return f"{code[6:10]}-{code[10:12]}-{code[12:14]}"


def _relation(asked: Asked, licence: Licence, about: str) -> Answer:
    """No is said only when all persons of the relation are recorded: who is not recorded may be the one."""
    relation = asked.relation
    wanted = folded_code(about if relation.inverse else str(asked.parameters["code"]))
    recorded = [folded_code(licence.fields.get(name, "")) for name in relation.fields]
    if wanted and wanted in recorded:
        return Answer.YES
    return _yes(held=False) if wanted and all(recorded) else Answer.NOT_RECORDED


def _of_field(asked: Asked, licence: Licence) -> Answer:
    value = licence.fields.get(asked.question.field, "")
    if not value.strip():
        return Answer.NOT_RECORDED
    if asked.question.kind is QuestionKind.TEXT_INCLUDES:
        return _yes(includes(value, str(asked.parameters["text"])))
    if asked.question.kind is QuestionKind.FIELD_IS:
        return _yes(normalised(value) == normalised(str(asked.parameters["text"])))
    try:
        return _yes(Decimal(value) >= int(asked.parameters["amount"]))
    except InvalidOperation:  # in a version of the type in which the field was of another kind
        return Answer.NOT_RECORDED
