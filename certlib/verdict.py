"""The verdict: what was checked, with which outcome and evidence, and the one word that follows from it.

Pure values. The word is computed in `overall_word` and nowhere else; docs/verifying.md holds the table for readers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Never

from certlib.model import LEGAL_TRANSITIONS, OverallWord, Status

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from certlib.faces import JsonValue


class Outcome(StrEnum):
    """How one check ended. Wire-stable."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    """It could not be done, and its code says why. Never counts as passed."""
    NOT_APPLICABLE = "not_applicable"
    """This kind of input, or an earlier failure, leaves nothing to check."""
    WARNING = "warning"
    """It passed, and a person has to look at something."""


class CheckName(StrEnum):
    """What is checked. Wire-stable."""

    INTEGRITY_AND_SEAL = "integrity_and_seal"
    """The signature of the token or the seal of the file fits every byte of it."""
    ISSUER_TRUSTED = "issuer_trusted"
    """The key was its agency's, for this purpose, at the time of signing, and is not withdrawn."""
    SAME_DOCUMENT = "same_document"
    """All parts of a file (attached record, its token, the code on the page) speak of one licence."""
    SAME_AS_RECORD = "same_as_record"
    """The token or file is the one that was issued."""
    STATUS = "status"
    """The stored status, live or from a snapshot."""
    DATES = "dates"
    """Today lies between effective date and end date, both inclusive, in the agency's zone."""
    SUPERSEDED_BY = "superseded_by"
    """Whether a newer licence stands in its place."""
    MADE_FOR = "made_for"
    """Of a purpose-bound copy: whether it was made for whoever asks now."""


class InputKind(StrEnum):
    """What was brought to be verified. Wire-stable."""

    TOKEN = "token"  # noqa: S105  # the QR string's kind, no password
    PDF = "pdf"
    IMAGE = "image"
    CODE = "code"
    IDENTIFIER = "identifier"


class StatusSource(StrEnum):
    """Where the status was read. Wire-stable."""

    LIVE = "live"
    SNAPSHOT = "snapshot"
    NONE = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check of a verdict."""

    name: CheckName
    outcome: Outcome
    code: str
    """Why this outcome: lower snake case, wire-stable (docs/verifying.md)."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """What a person may look up: key id, times, identifiers. Never holder data."""


STATUS_WORDS: Final[Mapping[str, OverallWord]] = {
    each.value: OverallWord(each.value) for each in Status if each is not Status.ACTIVE
}
"""Code of a failed status check -> word."""
TERMINAL: Final = frozenset(status.value for status, following in LEGAL_TRANSITIONS.items() if not following)
DATE_WORDS: Final[Mapping[str, OverallWord]] = {
    each.value: each for each in (OverallWord.EXPIRED, OverallWord.NOT_YET_EFFECTIVE)
}
"""Code of a failed dates check -> word."""
FORGED_BY: Final = (CheckName.INTEGRITY_AND_SEAL, CheckName.SAME_DOCUMENT, CheckName.SAME_AS_RECORD)
"""A failure of one of these means that the thing is not what the agency made."""
GOOD: Final = frozenset({Outcome.PASSED, Outcome.WARNING})


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """The full answer to "is this good?". It has no truth value: ask for its word."""

    kind: InputKind
    checks: tuple[Check, ...]
    """In the order they were made; never empty in a verdict that `verify` gives."""
    asked_at: datetime
    shown: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the input says about itself, for comparison with the face; the members of docs/verifying.md, 4."""
    status_as_of: datetime | None = None
    """When the status was read, or the snapshot made; None when none was found."""
    status_source: StatusSource = StatusSource.NONE

    @property
    def word(self) -> OverallWord:
        """The one word, computed from the checks."""
        return overall_word(self.checks)

    @property
    def fault(self) -> str:
        """Code of the check that decided the word; empty for `valid` and `valid_offline`."""
        check = deciding_check(self.checks)
        return "" if check is None else check.code

    @property
    def snapshot_age_seconds(self) -> int | None:
        """Age of the status snapshot when it was asked, or None when the status is live or not known."""
        if self.status_source is not StatusSource.SNAPSHOT or self.status_as_of is None:
            return None
        return max(0, int((self.asked_at - self.status_as_of).total_seconds()))

    def __bool__(self) -> Never:
        """Refuse: a revoked licence is genuine, an unknown one may be; no truth value tells them apart."""
        raise TypeError("a Verdict has no truth value; look at its word")


def deciding_check(checks: Sequence[Check]) -> Check | None:
    """The check that decides the word, or None when nothing speaks against the licence or nothing was checked.

    First hit wins:
    1. the input is not what the agency made (forged),
    2. its key is not trusted,
    3. a terminal status, which never comes back, so that even an old snapshot proves it,
    4. something that must be known is not,
    5. past the end date, 6. suspended, 7. before the effective date (China profile 8.2),
    8. a copy that was made for somebody else.
    """
    failed = [each for each in checks if each.outcome is Outcome.FAILED]
    order = (
        *([each for each in failed if each.name in FORGED_BY]),  # 1
        *([each for each in failed if each.name is CheckName.ISSUER_TRUSTED]),  # 2
        *([each for each in failed if each.name is CheckName.STATUS and each.code in TERMINAL]),  # 3
        *([each for each in checks if each.outcome is Outcome.UNKNOWN]),  # 4
        *([each for each in failed if each.name is CheckName.DATES and each.code == OverallWord.EXPIRED]),  # 5
        *([each for each in failed if each.name is CheckName.STATUS]),  # 6
        *([each for each in failed if each.name is not CheckName.MADE_FOR]),  # 7
        *failed,  # 8
    )
    return order[0] if order else None


def overall_word(checks: Sequence[Check]) -> OverallWord:
    """The word that follows from the checks. Fails closed: what is not plainly good is not `valid`."""
    check = deciding_check(checks)
    if check is not None and (check.name is not CheckName.MADE_FOR or check.outcome is not Outcome.FAILED):
        return _word_against(check)
    status = next((each for each in checks if each.name is CheckName.STATUS), None)
    dates = next((each for each in checks if each.name is CheckName.DATES), None)
    if status is None or dates is None or status.outcome not in GOOD or dates.outcome not in GOOD:
        return OverallWord.UNKNOWN
    # Nobody vouches for a status alone: the thing itself must be genuine, or stand on the record.
    if not any(each.outcome in GOOD and each.name in FORGED_BY for each in checks):
        return OverallWord.UNKNOWN
    if check is not None:
        return OverallWord.BOUND_COPY
    words = {StatusSource.LIVE.value: OverallWord.VALID, StatusSource.SNAPSHOT.value: OverallWord.VALID_OFFLINE}
    return words.get(status.code, OverallWord.UNKNOWN)


def _word_against(check: Check) -> OverallWord:
    if check.outcome is Outcome.UNKNOWN:
        return OverallWord.UNKNOWN
    if check.name in FORGED_BY:
        return OverallWord.FORGED
    if check.name is CheckName.ISSUER_TRUSTED:
        return OverallWord.UNTRUSTED_ISSUER
    return {**STATUS_WORDS, **DATE_WORDS}.get(check.code, OverallWord.UNKNOWN)


def verdict_json(verdict: Verdict) -> dict[str, JsonValue]:
    """The wire form of a verdict: plain JSON values, times as `2026-11-22T17:45:00Z` (docs/verifying.md, 4)."""
    return {
        "word": verdict.word.value,
        "kind": verdict.kind.value,
        "fault": verdict.fault,
        "checks": [
            {
                "name": each.name.value,
                "outcome": each.outcome.value,
                "code": each.code,
                "evidence": dict(each.evidence),
            }
            for each in verdict.checks
        ],
        "shown": dict(verdict.shown),
        "status_as_of": moment(verdict.status_as_of) if verdict.status_as_of else None,
        "status_source": verdict.status_source.value,
        "snapshot_age_seconds": verdict.snapshot_age_seconds,
        "asked_at": moment(verdict.asked_at),
    }


def moment(at: datetime) -> str:
    """A moment as ISO 8601 in UTC with whole seconds and `Z`."""
    return at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
