"""Operations on single licences: done at once, with a second person, and gone on with after a crash."""

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from certlib.cataloguing import add_type
from certlib.changing import changes_of, decide_change, open_changes, order_change, resume
from certlib.errors import (
    CertlibError,
    ConflictError,
    ForbiddenError,
    IllegalTransitionError,
    InvalidRequestError,
    NotFoundError,
)
from certlib.issuing import issue, sweep
from certlib.library import SHIPPED_TYPES, Library, close_library
from certlib.model import Licence, OverallWord, Status
from certlib.operations import Operation
from certlib.store.audits import records_about
from certlib.store.changes import ChangeState
from certlib.store.lookups import licence_by_identifier, pdf_of
from certlib.store.statuses import change_status, status_changes
from certlib.verdict import CheckName
from certlib.verifying import verify
from tests.support.changes import CrashAt, CrashError, lay_down, order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, company_request, opened

AGENCY = MARKET_BUREAU.code


@pytest.fixture
def licence(library: Library) -> Licence:
    return issue(library, company_request()).licence


def status(library: Library, identifier: str) -> Status:
    return licence_by_identifier(library.store, identifier).status


def test_the_life_of_a_licence(library: Library, licence: Licence, clock: Clock) -> None:
    suspended = order_change(library, AGENCY, licence.identifier, order("suspend"))
    assert (suspended.state, suspended.old, suspended.new) == (ChangeState.DONE, Status.ACTIVE, Status.SUSPENDED)
    assert verify(licence.token, library, now=library.now()).word is OverallWord.SUSPENDED
    clock.move(seconds=1)
    extended = order_change(library, AGENCY, licence.identifier, order("suspend", reason="延长"))
    assert (extended.old, extended.new) == (Status.SUSPENDED, Status.SUSPENDED)
    clock.move(seconds=1)
    order_change(library, AGENCY, licence.identifier, order("restore"))
    assert verify(licence.token, library, now=library.now()).word is OverallWord.VALID
    clock.move(seconds=1)
    order_change(library, AGENCY, licence.identifier, order("revoke"))
    assert verify(licence.token, library, now=library.now()).word is OverallWord.REVOKED
    clock.move(seconds=1)
    closed = order_change(library, AGENCY, licence.identifier, order("cancel"))
    assert (closed.old, closed.new) == (Status.REVOKED, Status.REVOKED)  # noted; the cause stays visible
    assert [each.operation for each in changes_of(library, AGENCY, licence.identifier)] == [
        *("suspend", "suspend", "restore", "revoke", "cancel")
    ]
    assert [each.new for each in status_changes(library.store, licence.identifier)] == [
        *(Status.SUSPENDED, Status.ACTIVE, Status.REVOKED)
    ]
    acts = [each.act for each in records_about(library.store, licence.identifier)]
    assert acts == ["licence.issued", "licence.status_changed", "licence.change_noted", "licence.status_changed",
                    "licence.status_changed", "licence.change_noted"]  # fmt: skip
    check_invariants(library.store)


@pytest.mark.parametrize("operation", [Operation.RENEW, Operation.CORRECT, Operation.TRANSFER])
def test_a_new_version_supersedes_and_says_what_changed(library: Library, operation: Operation) -> None:
    old = issue(library, company_request(expires_on=date(2027, 1, 1))).licence
    done = order_change(library, AGENCY, old.identifier, order(operation))
    assert (done.state, done.new) == (ChangeState.DONE, Status.SUPERSEDED)
    new = licence_by_identifier(library.store, done.successor)
    assert (new.version, new.previous_identifier, new.status) == (2, old.identifier, Status.ACTIVE)
    assert new.identifier.split(".")[-3] == old.identifier.split(".")[-3]  # one serial
    assert new.identifier.split(".")[-2] == "002"
    today = {"issued_on", "effective_on"}
    expected = {"renew": {"expires_on"} | today, "correct": {"fields.address"}, "transfer": {"holders"} | today}
    assert set(done.changed) == expected[operation]
    for given in (old.token, pdf_of(library.store, old)):
        verdict = verify(given, library, now=library.now())
        assert verdict.word is OverallWord.SUPERSEDED
        (newer,) = [each for each in verdict.checks if each.name is CheckName.SUPERSEDED_BY]
        assert newer.evidence == {"identifier": new.identifier, "changed": ", ".join(done.changed)}
    for given in (new.token, pdf_of(library.store, new)):
        assert verify(given, library, now=library.now()).word is OverallWord.VALID
    with pytest.raises(IllegalTransitionError):
        order_change(library, AGENCY, old.identifier, order("suspend"))
    again = order_change(library, AGENCY, new.identifier, order(operation, renewed={
        **order(operation).renewed, "expires_on": "2028-01-01"}))  # fmt: skip
    assert licence_by_identifier(library.store, again.successor).version == 3
    check_invariants(library.store)


def test_a_correction_of_a_suspended_licence_stays_suspended(library: Library, licence: Licence) -> None:
    order_change(library, AGENCY, licence.identifier, order("suspend"))
    done = order_change(library, AGENCY, licence.identifier, order("correct"))
    new = licence_by_identifier(library.store, done.successor)
    assert new.status is Status.SUSPENDED
    assert verify(new.token, library, now=library.now()).word is OverallWord.SUSPENDED
    assert verify(licence.token, library, now=library.now()).word is OverallWord.SUPERSEDED
    check_invariants(library.store)
    order_change(library, AGENCY, new.identifier, order("restore"))
    assert verify(new.token, library, now=library.now()).word is OverallWord.VALID


def test_a_correction_of_what_has_ended_is_noted(library: Library, licence: Licence) -> None:
    order_change(library, AGENCY, licence.identifier, order("withdraw"))
    done = order_change(library, AGENCY, licence.identifier, order("correct"))
    assert (done.state, done.new, done.successor) == (ChangeState.DONE, Status.WITHDRAWN, "")
    check_invariants(library.store)


def test_an_expired_licence_is_renewed_where_its_type_allows_it(library: Library, clock: Clock) -> None:
    old = issue(library, company_request(expires_on=date(2026, 12, 1))).licence
    clock.move(days=20)
    renew = order("renew", renewed={"expires_on": "2030-01-01"})
    with pytest.raises(IllegalTransitionError) as refused:
        order_change(library, AGENCY, old.identifier, renew)
    assert refused.value.code == "not_allowed_by_type"
    lay_down(library, 'allow = ["renew:past_end"]')
    done = order_change(library, AGENCY, old.identifier, renew)
    assert verify(licence_by_identifier(library.store, done.successor).token, library, now=clock()).word == "valid"


@pytest.mark.parametrize(
    ("operation", "parts", "faults"),
    [
        ("revoke", {"document_number": ""}, [("document_number", "required")]),
        ("cancel", {"reason": " ", "operator": ""}, [("reason", "required"), ("operator", "required")]),
        ("cancel", {"renewed": {"fields": {}}}, [("fields", "unknown_field")]),
        ("renew", {"renewed": {}}, [("expires_on", "required")]),
        ("renew", {"renewed": {"expires_on": None, "holders": []}}, [("holders", "not_here")]),
        ("transfer", {"renewed": {}}, [("holders", "required")]),
        ("correct", {"renewed": {"number": "X"}}, [("number", "unknown_field")]),
        ("correct", {"renewed": {}}, [("(whole)", "nothing_changes")]),
        ("correct", {"renewed": {"fields": {"no_such": "x"}}}, [("no_such", "unknown_field")]),
        ("correct", {"renewed": {"fields": 1}}, [("fields", "bad_form")]),
        ("correct", {"renewed": {"expires_on": "soon"}}, [("expires_on", "bad_date")]),
    ],
)
def test_what_is_missing_is_named(
    sqlite_library: Library, operation: str, parts: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    licence = issue(sqlite_library, company_request()).licence
    before = check_invariants(sqlite_library.store)
    with pytest.raises(InvalidRequestError) as refused:
        order_change(sqlite_library, AGENCY, licence.identifier, order(operation, **parts))
    assert [(each.field, each.code) for each in refused.value.faults] == faults
    assert check_invariants(sqlite_library.store) == before


def test_a_change_is_never_ordered_ahead(sqlite_library: Library, clock: Clock) -> None:
    licence = issue(sqlite_library, company_request()).licence
    late = order("revoke", effective_at=clock() + timedelta(days=1))
    with pytest.raises(InvalidRequestError, match="future"):
        order_change(sqlite_library, AGENCY, licence.identifier, late)
    done = order_change(
        sqlite_library, AGENCY, licence.identifier, replace(late, effective_at=clock() - timedelta(days=1))
    )
    assert done.effective_at == clock() - timedelta(days=1)


def test_another_agencys_licence_is_not_known(sqlite_library: Library) -> None:
    licence = issue(sqlite_library, company_request()).licence
    with pytest.raises(NotFoundError):
        order_change(sqlite_library, CITY.code, licence.identifier, order("revoke"))
    with pytest.raises(InvalidRequestError, match="another agency"):
        issue(sqlite_library, company_request(agency_code=CITY.code, type_code="seattle-business-licence",
                                              version=2, previous_identifier=licence.identifier))  # fmt: skip


def test_the_same_request_again_is_the_same_change(library: Library, licence: Licence) -> None:
    first = order_change(library, AGENCY, licence.identifier, order("correct", request_id="r1"))
    assert order_change(library, AGENCY, licence.identifier, order("correct", request_id="r1")) == first
    with pytest.raises(ConflictError) as other:
        order_change(library, AGENCY, licence.identifier, order("correct", request_id="r1", reason="其他"))
    assert other.value.code == "other_change"


def test_two_persons(library: Library, licence: Licence) -> None:
    lay_down(library, 'maker_checker = ["revoke", "correct"]\npending_days = 2')
    waiting = order_change(library, AGENCY, licence.identifier, order("revoke", operator="Zhang"))
    assert waiting.state is ChangeState.PENDING
    assert status(library, licence.identifier) is Status.ACTIVE
    assert open_changes(library, AGENCY) == (waiting,)
    with pytest.raises(ConflictError) as twice:
        order_change(library, AGENCY, licence.identifier, order("revoke"))
    assert twice.value.code == "change_in_progress"
    for same in ("Zhang", " zhang ", "ZHANG", "Ｚhang"):
        with pytest.raises(ForbiddenError) as alone:
            decide_change(library, AGENCY, waiting.id, operator=same)
        assert alone.value.code == "maker_is_checker"
    with pytest.raises(NotFoundError):
        decide_change(library, CITY.code, waiting.id, operator="li")
    done = decide_change(library, AGENCY, waiting.id, operator="li")
    assert (done.state, done.maker, done.checker, done.new) == (ChangeState.DONE, "Zhang", "li", Status.REVOKED)
    assert decide_change(library, AGENCY, waiting.id, operator="li") == done
    with pytest.raises(ConflictError):
        decide_change(library, AGENCY, waiting.id, operator="li", approve=False)
    assert open_changes(library, AGENCY) == ()
    (moved,) = [
        r for r in records_about(library.store, licence.identifier) if r.act == "licence.status_changed"
    ]  # fmt: skip
    assert (moved.actor, moved.detail["maker"]) == ("li", "Zhang")
    check_invariants(library.store)


def test_a_pending_change_expires_or_is_declined(library: Library, licence: Licence, clock: Clock) -> None:
    lay_down(library, 'maker_checker = ["revoke", "correct"]\npending_days = 2')
    late = order_change(library, AGENCY, licence.identifier, order("revoke"))
    clock.move(days=2)
    (seen,) = open_changes(library, AGENCY)
    assert seen.state is ChangeState.EXPIRED
    with pytest.raises(ConflictError) as expired:
        decide_change(library, AGENCY, late.id, operator="li")
    assert expired.value.code == "change_expired"
    fresh = order_change(library, AGENCY, licence.identifier, order("revoke"))
    declined = decide_change(library, AGENCY, fresh.id, operator="zhang", approve=False)
    assert declined.state is ChangeState.DECLINED
    assert status(library, licence.identifier) is Status.ACTIVE
    corrected = order_change(library, AGENCY, licence.identifier, order("correct"))
    order_change(library, AGENCY, licence.identifier, order("withdraw"))
    noted = decide_change(library, AGENCY, corrected.id, operator="li")
    assert (noted.state, noted.new, noted.successor) == (ChangeState.DONE, Status.WITHDRAWN, "")
    check_invariants(library.store)


def test_a_new_version_by_two_persons(library: Library, licence: Licence) -> None:
    lay_down(library, 'maker_checker = ["correct"]')
    waiting = order_change(library, AGENCY, licence.identifier, order("correct"))
    assert status(library, licence.identifier) is Status.ACTIVE
    done = decide_change(library, AGENCY, waiting.id, operator="li")
    assert status(library, done.successor) is Status.ACTIVE
    assert status(library, licence.identifier) is Status.SUPERSEDED
    check_invariants(library.store)


def test_a_plain_issue_does_not_get_round_the_second_person(sqlite_library: Library, tmp_path: Path) -> None:
    licence = issue(sqlite_library, company_request()).licence
    folder = tmp_path / "business-licence" / "v2"
    shutil.copytree(SHIPPED_TYPES / "business-licence" / "v1", folder)
    with (folder / "type.toml").open("a", encoding="utf-8") as file:
        file.write('\n[lifecycle]\nmaker_checker = ["renew"]\n')
    add_type(sqlite_library, folder, operator="tests")
    with pytest.raises(InvalidRequestError) as refused:
        issue(sqlite_library, company_request(version=2, previous_identifier=licence.identifier))
    assert [each.code for each in refused.value.faults] == ["needs_second_person"]
    waiting = order_change(sqlite_library, AGENCY, licence.identifier, order("renew"))
    done = decide_change(sqlite_library, AGENCY, waiting.id, operator="li")
    assert licence_by_identifier(sqlite_library.store, done.successor).type_version == 2


STEPS = ("ordered", "reserved", "sealed", "recorded", "issued")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("suspended", [False, True])
def test_a_crash_is_gone_on_with(library: Library, clock: Clock, step: str, suspended: bool) -> None:  # noqa: FBT001  # a case
    licence = issue(library, company_request()).licence
    if suspended:
        order_change(library, AGENCY, licence.identifier, order("suspend"))
    lib = opened(library.settings, now=clock, step=CrashAt(step))
    with pytest.raises(CrashError):
        order_change(lib, AGENCY, licence.identifier, order("correct"))
    close_library(lib)
    check_invariants(library.store)
    expected = Status.SUSPENDED if suspended else Status.ACTIVE
    if step in ("recorded", "issued"):
        assert status(library, licence.identifier) is Status.SUPERSEDED
    else:
        assert status(library, licence.identifier) is expected
    with pytest.raises(CertlibError):  # it is open, or the licence has its successor already
        order_change(
            library, AGENCY, licence.identifier, order("renew" if step in ("recorded", "issued") else "correct")
        )
    (done,) = resume(library)
    assert not isinstance(done, CertlibError)
    assert done.state is ChangeState.DONE
    assert status(library, done.successor) is expected
    assert list(resume(library)) == []
    clock.move(hours=1)
    assert list(sweep(library)) == []
    check_invariants(library.store)


@pytest.mark.parametrize("step", STEPS)
def test_the_same_request_goes_on_after_a_crash(sqlite_library: Library, clock: Clock, step: str) -> None:
    licence = issue(sqlite_library, company_request()).licence
    lib = opened(sqlite_library.settings, now=clock, step=CrashAt(step))
    with pytest.raises(CrashError):
        order_change(lib, AGENCY, licence.identifier, order("correct", request_id="r1"))
    close_library(lib)
    done = order_change(sqlite_library, AGENCY, licence.identifier, order("correct", request_id="r1"))
    assert done.state is ChangeState.DONE
    assert len(changes_of(sqlite_library, AGENCY, licence.identifier)) == 1
    check_invariants(sqlite_library.store)


def test_the_approval_again_goes_on_after_a_crash(library: Library, clock: Clock, licence: Licence) -> None:
    lay_down(library, 'maker_checker = ["correct"]')
    waiting = order_change(library, AGENCY, licence.identifier, order("correct"))
    lib = opened(library.settings, now=clock, step=CrashAt("decided"))
    with pytest.raises(CrashError):
        decide_change(lib, AGENCY, waiting.id, operator="li")
    close_library(lib)
    (unfinished,) = open_changes(library, AGENCY)
    assert unfinished.state is ChangeState.APPROVED
    done = decide_change(library, AGENCY, waiting.id, operator="li")
    assert done.state is ChangeState.DONE
    check_invariants(library.store)


def test_what_ended_meanwhile_is_not_brought_back(library: Library, clock: Clock, licence: Licence) -> None:
    """Revoked between the reservation of its new version and the recording."""

    def revoke(name: str) -> None:
        if name == "sealed" and status(library, licence.identifier) is Status.ACTIVE:
            change_status(
                library.store, licence.identifier, to=Status.REVOKED, reason="x", document_number="1", operator="o",
                effective_at=clock(), now=clock(),
            )  # fmt: skip

    lib = opened(library.settings, now=clock, step=revoke)
    with pytest.raises(IllegalTransitionError):
        order_change(lib, AGENCY, licence.identifier, order("correct"))
    close_library(lib)
    (refused,) = changes_of(library, AGENCY, licence.identifier)
    assert (refused.state, refused.code) == (ChangeState.REFUSED, "illegal_transition")
    assert status(library, licence.identifier) is Status.REVOKED
    clock.move(hours=1)
    assert list(sweep(library)) == []
    check_invariants(library.store)
