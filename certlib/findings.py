"""Single checks of a verification, gathered into a verdict. What each fault means for which check stands here.

Nothing here reads a file or a store: the values that are judged are handed in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from certlib.model import OverallWord, Status, derived_word
from certlib.verdict import Check, CheckName, InputKind, Outcome, StatusSource, Verdict, moment
from signing.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping
    from datetime import date

    from certlib.faces import JsonValue
    from certlib.snapshots import StatusSnapshot
    from signing.errors import VerificationError
    from signing.tokens import TokenClaims
    from signing.trust import TrustPack

CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""How far the clock of a verifier without network may be off at the ends of a period."""
FORGED_FAULTS: Final = frozenset({Fault.BAD_SIGNATURE, Fault.NOT_FULLY_COVERED, Fault.MODIFIED_AFTER_SEALING})
"""The thing reads well, and its signature or seal does not fit it."""
ISSUER_FAULTS: Final = frozenset(
    {Fault.UNTRUSTED_ISSUER, Fault.EXPIRED_CERTIFICATE, Fault.KEY_WITHDRAWN, Fault.UNKNOWN_KEY, Fault.WRONG_KEY}
)
"""Somebody signed, and not a key that stands for the agency."""
TRUST_FAULTS: Final = frozenset({Fault.EMPTY_TRUST, Fault.STALE_TRUST, Fault.ROLLED_BACK, Fault.NOT_YET_VALID})
"""What we go by, or our clock, does not allow to judge the issuer. All others: the input cannot be read."""


@dataclass(kw_only=True, slots=True)
class Findings:
    """The checks made so far. Every verdict lists all checks; those never made are `not_applicable`."""

    kind: InputKind
    now: datetime
    asker: str = ""
    """Code of the agency that asks, where its bearer has proved it; empty for everybody else."""
    checks: MutableMapping[CheckName, Check] = field(default_factory=dict)
    shown: Mapping[str, JsonValue] = field(default_factory=dict)
    status_as_of: datetime | None = None
    status_source: StatusSource = StatusSource.NONE

    def note(self, name: CheckName, outcome: Outcome, code: str, **evidence: str) -> None:
        """Write down one check; a failure that stands is never overwritten."""
        standing = self.checks.get(name)
        if standing is None or standing.outcome is not Outcome.FAILED:
            kept = {key: str(value) for key, value in evidence.items() if value}
            self.checks[name] = Check(name=name, outcome=outcome, code=str(code), evidence=kept)

    def fault(self, error: VerificationError, **evidence: str) -> None:
        """Write down why `signing` refused the input, under the check that it concerns."""
        evidence = {"detail": error.detail, **evidence}
        if error.fault in FORGED_FAULTS:
            self.note(CheckName.INTEGRITY_AND_SEAL, Outcome.FAILED, error.fault, **evidence)
        elif error.fault in ISSUER_FAULTS:
            self.note(CheckName.INTEGRITY_AND_SEAL, Outcome.UNKNOWN, "not_judged")
            self.note(CheckName.ISSUER_TRUSTED, Outcome.FAILED, error.fault, **evidence)
        elif error.fault in TRUST_FAULTS:
            self.note(CheckName.ISSUER_TRUSTED, Outcome.UNKNOWN, error.fault, **evidence)
        else:
            self.note(CheckName.INTEGRITY_AND_SEAL, Outcome.UNKNOWN, error.fault, **evidence)

    def verdict(self) -> Verdict:
        """The verdict: all checks in the order of `CheckName`."""
        missing = (Check(name=name, outcome=Outcome.NOT_APPLICABLE, code="not_reached") for name in CheckName)
        return Verdict(
            kind=self.kind,
            checks=tuple(self.checks.get(each.name, each) for each in missing),
            asked_at=self.now,
            shown=dict(self.shown),
            status_as_of=self.status_as_of,
            status_source=self.status_source,
        )


def judge_record(  # noqa: PLR0913  # the facts of one record
    findings: Findings,
    *,
    status: Status,
    effective_on: date,
    expires_on: date | None,
    timezone: str,
    successor: str,
    changed: tuple[str, ...] = (),
) -> None:
    """Status and dates as the record has them at this moment.

    `successor` is an identifier or empty; `changed` names what is other in it.
    """
    now = findings.now
    findings.status_source, findings.status_as_of = StatusSource.LIVE, now
    good = status is Status.ACTIVE
    findings.note(
        CheckName.STATUS,
        Outcome.PASSED if good else Outcome.FAILED,
        StatusSource.LIVE if good else status.value,
        status=status.value,
        as_of=moment(now),
        source=StatusSource.LIVE,
    )
    # Dates alone: the status has its own check.
    word = derived_word(Status.ACTIVE, effective_on, expires_on, timezone, now)
    _note_dates(
        findings,
        word,
        effective_on=effective_on.isoformat(),
        expires_on=expires_on.isoformat() if expires_on else "long-term",
        today=now.astimezone(ZoneInfo(timezone)).date().isoformat(),
        timezone=timezone,
    )
    if successor:
        evidence = {"changed": ", ".join(changed)} if changed else {}
        findings.note(CheckName.SUPERSEDED_BY, Outcome.WARNING, "newer_licence", identifier=successor, **evidence)
    else:
        findings.note(CheckName.SUPERSEDED_BY, Outcome.PASSED, "none_known")


def judge_snapshot(
    findings: Findings, claims: TokenClaims, pack: TrustPack, snapshots: Mapping[str, StatusSnapshot], zone: ZoneInfo
) -> None:
    """Status and dates without network: the token's own dates, and the pack's snapshot.

    A stale pack is no ground to trust the issuer any longer; a terminal status in it stands all the same.
    """
    now = findings.now
    snapshot = snapshots.get(claims.status_uri)
    status = None if snapshot is None else snapshot.status(claims.status_index)
    if snapshot is not None:
        findings.status_source, findings.status_as_of = StatusSource.SNAPSHOT, snapshot.as_of
    evidence = {
        "source": StatusSource.SNAPSHOT,
        "as_of": moment(snapshot.as_of) if snapshot else "",
        "next_update": moment(pack.next_update_at),
        "pack_version": str(pack.version),
    }
    if pack.is_stale(now):
        findings.note(
            CheckName.ISSUER_TRUSTED, Outcome.UNKNOWN, Fault.STALE_TRUST, next_update=moment(pack.next_update_at)
        )
    if snapshot is None:
        findings.note(CheckName.STATUS, Outcome.UNKNOWN, "no_status_list", **evidence)
    elif snapshot.as_of > now + CLOCK_TOLERANCE:
        findings.note(CheckName.STATUS, Outcome.UNKNOWN, Fault.NOT_YET_VALID, **evidence)
    elif snapshot.has_ended(claims.status_index):
        findings.note(CheckName.STATUS, Outcome.FAILED, "ended", **evidence)
    elif status is None:
        findings.note(CheckName.STATUS, Outcome.UNKNOWN, "no_such_entry", **evidence)
    elif status is Status.ACTIVE:
        findings.note(CheckName.STATUS, Outcome.PASSED, StatusSource.SNAPSHOT, status=status, **evidence)
    else:
        findings.note(CheckName.STATUS, Outcome.FAILED, status, status=status, **evidence)
    _judge_dates(findings, claims, zone)
    if status is Status.SUPERSEDED:
        findings.note(CheckName.SUPERSEDED_BY, Outcome.NOT_APPLICABLE, "needs_network")


def _judge_dates(findings: Findings, claims: TokenClaims, zone: ZoneInfo) -> None:
    """The dates that the token itself says, by the verifier's own clock."""
    now = findings.now
    word = OverallWord.VALID
    if claims.not_before_at is not None and now + CLOCK_TOLERANCE < claims.not_before_at:
        word = OverallWord.NOT_YET_EFFECTIVE
    # The end date is inclusive, and claim 4 is its last second.
    if claims.expires_at is not None and now - CLOCK_TOLERANCE > claims.expires_at:
        word = OverallWord.EXPIRED
    _note_dates(
        findings,
        word,
        effective_on=_day(claims.not_before_at, zone),
        expires_on=_day(claims.expires_at, zone) or "long-term",
        today=_day(now, zone),
        timezone=str(zone),
    )


def _note_dates(findings: Findings, word: OverallWord, **evidence: str) -> None:
    if word is OverallWord.VALID:
        findings.note(CheckName.DATES, Outcome.PASSED, "in_force", **evidence)
    else:
        findings.note(CheckName.DATES, Outcome.FAILED, word.value, **evidence)


def _day(at: datetime | None, zone: ZoneInfo) -> str:
    return "" if at is None else at.astimezone(zone).date().isoformat()
