"""The word of a verdict follows from its checks, and from nothing else."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from certlib.model import OverallWord, Status
from certlib.verdict import (
    Check,
    CheckName,
    InputKind,
    Outcome,
    StatusSource,
    Verdict,
    deciding_check,
    overall_word,
    verdict_json,
)

NOW = datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC)
PASSED, FAILED, UNKNOWN, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.WARNING


def check(name: CheckName, outcome: Outcome, code: str) -> Check:
    return Check(name=name, outcome=outcome, code=code)


GENUINE = check(CheckName.INTEGRITY_AND_SEAL, PASSED, "signature_fits")
TRUSTED = check(CheckName.ISSUER_TRUSTED, PASSED, "trusted")
RECORDED = check(CheckName.SAME_AS_RECORD, PASSED, "same")
LIVE = check(CheckName.STATUS, PASSED, "live")
IN_FORCE = check(CheckName.DATES, PASSED, "in_force")
GOOD = (GENUINE, TRUSTED, RECORDED, LIVE, IN_FORCE)

FORGED = check(CheckName.INTEGRITY_AND_SEAL, FAILED, "bad_signature")
OTHER_PAGE = check(CheckName.SAME_DOCUMENT, FAILED, "does_not_match_document")
OTHER_BYTES = check(CheckName.SAME_AS_RECORD, FAILED, "differs_from_record")
WITHDRAWN_KEY = check(CheckName.ISSUER_TRUSTED, FAILED, "key_withdrawn")
NOT_ON_RECORD = check(CheckName.SAME_AS_RECORD, UNKNOWN, "not_on_record")
STALE = check(CheckName.ISSUER_TRUSTED, UNKNOWN, "stale_trust")
REVOKED = check(CheckName.STATUS, FAILED, "revoked")
SUSPENDED = check(CheckName.STATUS, FAILED, "suspended")
EXPIRED = check(CheckName.DATES, FAILED, "expired")
EARLY = check(CheckName.DATES, FAILED, "not_yet_effective")
COPY = check(CheckName.MADE_FOR, FAILED, "made_for_another")


def with_checks(*changed: Check) -> tuple[Check, ...]:
    """The good checks with these in the place of those of the same name."""
    by_name = {each.name: each for each in GOOD} | {each.name: each for each in changed}
    return tuple(by_name.values())


@pytest.mark.parametrize(
    ("changed", "word", "fault"),
    [
        ((), OverallWord.VALID, ""),
        ((check(CheckName.STATUS, PASSED, "snapshot"),), OverallWord.VALID_OFFLINE, ""),
        ((FORGED,), OverallWord.FORGED, "bad_signature"),
        ((OTHER_PAGE,), OverallWord.FORGED, "does_not_match_document"),
        ((OTHER_BYTES,), OverallWord.FORGED, "differs_from_record"),
        ((FORGED, WITHDRAWN_KEY), OverallWord.FORGED, "bad_signature"),
        ((WITHDRAWN_KEY,), OverallWord.UNTRUSTED_ISSUER, "key_withdrawn"),
        ((WITHDRAWN_KEY, REVOKED), OverallWord.UNTRUSTED_ISSUER, "key_withdrawn"),
        ((NOT_ON_RECORD,), OverallWord.UNKNOWN, "not_on_record"),
        ((NOT_ON_RECORD, EXPIRED), OverallWord.UNKNOWN, "not_on_record"),
        ((NOT_ON_RECORD, SUSPENDED), OverallWord.UNKNOWN, "not_on_record"),
        ((STALE,), OverallWord.UNKNOWN, "stale_trust"),
        ((STALE, REVOKED), OverallWord.REVOKED, "revoked"),
        ((REVOKED, EXPIRED), OverallWord.REVOKED, "revoked"),
        ((EXPIRED,), OverallWord.EXPIRED, "expired"),
        ((SUSPENDED, EXPIRED), OverallWord.EXPIRED, "expired"),
        ((SUSPENDED, EARLY), OverallWord.SUSPENDED, "suspended"),
        ((EARLY,), OverallWord.NOT_YET_EFFECTIVE, "not_yet_effective"),
        ((check(CheckName.STATUS, UNKNOWN, "no_status_list"),), OverallWord.UNKNOWN, "no_status_list"),
        ((check(CheckName.STATUS, FAILED, "a word of tomorrow"),), OverallWord.UNKNOWN, "a word of tomorrow"),
        ((check(CheckName.SUPERSEDED_BY, WARNING, "newer_licence"),), OverallWord.VALID, ""),
        ((COPY,), OverallWord.BOUND_COPY, "made_for_another"),
        ((COPY, check(CheckName.STATUS, PASSED, "snapshot")), OverallWord.BOUND_COPY, "made_for_another"),
        ((check(CheckName.MADE_FOR, PASSED, "made_for_asker"),), OverallWord.VALID, ""),
        ((check(CheckName.MADE_FOR, UNKNOWN, "a word of tomorrow"),), OverallWord.UNKNOWN, "a word of tomorrow"),
        ((COPY, EARLY), OverallWord.NOT_YET_EFFECTIVE, "not_yet_effective"),
        ((COPY, EXPIRED), OverallWord.EXPIRED, "expired"),
        ((COPY, SUSPENDED), OverallWord.SUSPENDED, "suspended"),
        ((COPY, REVOKED), OverallWord.REVOKED, "revoked"),
        ((COPY, FORGED), OverallWord.FORGED, "bad_signature"),
        ((COPY, WITHDRAWN_KEY), OverallWord.UNTRUSTED_ISSUER, "key_withdrawn"),
        ((COPY, STALE), OverallWord.UNKNOWN, "stale_trust"),
        ((COPY, NOT_ON_RECORD), OverallWord.UNKNOWN, "not_on_record"),
    ],
)
def test_first_hit_wins(changed: tuple[Check, ...], word: OverallWord, fault: str) -> None:
    verdict = Verdict(kind=InputKind.TOKEN, checks=with_checks(*changed), asked_at=NOW)
    assert (verdict.word, verdict.fault) == (word, fault)


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.ACTIVE])
def test_each_stored_status_gives_its_own_word(status: Status) -> None:
    assert overall_word(with_checks(check(CheckName.STATUS, FAILED, status))) == status.value


def test_no_checks_at_all_are_not_good() -> None:
    assert overall_word(()) is OverallWord.UNKNOWN


@pytest.mark.parametrize("left_out", [CheckName.STATUS, CheckName.DATES])
def test_without_status_or_dates_nothing_is_valid(left_out: CheckName) -> None:
    assert overall_word([each for each in GOOD if each.name is not left_out]) is OverallWord.UNKNOWN


def test_a_good_status_of_nothing_genuine_is_not_valid() -> None:
    assert overall_word([TRUSTED, LIVE, IN_FORCE]) is OverallWord.UNKNOWN


def test_a_status_from_nowhere_is_not_valid() -> None:
    for code in ("", "passed", "active"):
        assert overall_word(with_checks(check(CheckName.STATUS, PASSED, code))) is OverallWord.UNKNOWN


def test_valid_takes_that_nothing_speaks_against_it() -> None:
    """All combinations of outcomes: whenever a check failed or is unknown, the word is not a good one."""
    names = (CheckName.INTEGRITY_AND_SEAL, CheckName.ISSUER_TRUSTED, CheckName.STATUS, CheckName.DATES)
    codes = {
        PASSED: "live",
        FAILED: "expired",
        UNKNOWN: "no_code",
        WARNING: "live",
        Outcome.NOT_APPLICABLE: "not_reached",
    }
    for outcomes in product(Outcome, repeat=len(names)):
        checks = [check(name, outcome, codes[outcome]) for name, outcome in zip(names, outcomes, strict=True)]
        word = overall_word(checks)
        if {FAILED, UNKNOWN} & set(outcomes):
            assert word not in (OverallWord.VALID, OverallWord.VALID_OFFLINE), outcomes
            assert deciding_check(checks) is not None
        elif word is OverallWord.VALID:
            assert set(outcomes[2:]) <= {PASSED, WARNING}


def test_a_verdict_has_no_truth_value() -> None:
    verdict = Verdict(kind=InputKind.TOKEN, checks=GOOD, asked_at=NOW)
    with pytest.raises(TypeError):
        bool(verdict)
    with pytest.raises(TypeError):
        assert not verdict


def test_the_wire_form_says_all() -> None:
    verdict = Verdict(
        kind=InputKind.IMAGE,
        checks=with_checks(check(CheckName.STATUS, PASSED, "snapshot")),
        asked_at=NOW,
        shown={"identifier": "x"},
        status_as_of=NOW - timedelta(seconds=90.5),
        status_source=StatusSource.SNAPSHOT,
    )
    wire = verdict_json(verdict)
    assert wire["checks"] == [
        {"name": each.name.value, "outcome": "passed", "code": each.code, "evidence": {}} for each in verdict.checks
    ]
    del wire["checks"]
    assert wire == {
        "word": "valid_offline",
        "kind": "image",
        "fault": "",
        "shown": {"identifier": "x"},
        "status_as_of": "2026-11-22T11:58:59Z",
        "status_source": "snapshot",
        "snapshot_age_seconds": 90,
        "asked_at": "2026-11-22T12:00:30Z",
    }
    for value in (wire["word"], wire["kind"], wire["status_source"]):
        assert type(value) is str


def test_a_live_verdict_has_no_snapshot_age() -> None:
    verdict = Verdict(kind=InputKind.CODE, checks=GOOD, asked_at=NOW, status_as_of=NOW, status_source=StatusSource.LIVE)
    assert verdict.snapshot_age_seconds is None
