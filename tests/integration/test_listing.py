"""The published status lists: what they say, how soon, and that no process ever goes back."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import delete

from certlib.enrolling import RECEIPT, STATUS, ensure_library_keys, library_key
from certlib.errors import NotFoundError, SetupError
from certlib.issuing import issue
from certlib.library import Library
from certlib.listing import FRESH_SECONDS, LIFE, RENEW_AFTER, PublishedList, current_list, open_lists
from certlib.model import Licence, Status
from certlib.store import agencies, listings
from certlib.store.engine import writing
from certlib.store.statuses import change_status
from certlib.store.tables import SIGNING_KEY
from certlib.trusting import open_offline, publish
from signing.errors import Fault, VerificationError
from signing.statuslist import INVALID, SUSPENDED, VALID, StatusListClaims, verify_list
from tests.support.clock import Clock
from tests.support.libraries import company_request

SECOND_NUMBER = "91990200MA7EXAM26N"


def change(lib: Library, licence: Licence, to: Status) -> None:
    change_status(
        lib.store, licence.identifier, to=to, reason="x", document_number="1", operator="t", effective_at=lib.now(),
        now=lib.now(),
    )  # fmt: skip


def read(lib: Library, made: PublishedList) -> StatusListClaims:
    """What a verifier with the trust pack reads; both forms must say the same."""
    pack = open_offline(publish(lib).data, anchor_spki_der=lib.anchor_spki_der, now=lib.now()).pack
    jwt, cwt = (verify_list(data, pack, uri=made.uri, now=lib.now()).claims for data in (made.jwt, made.cwt))
    assert jwt == cwt
    assert (jwt.issued_at, jwt.expires_at) == (made.issued_at, made.expires_at)
    return jwt


def test_every_change_is_in_the_list_in_time(library: Library, clock: Clock) -> None:
    licence = issue(library, company_request()).licence
    lists = open_lists(library)
    times = []
    for to, value in (
        (None, VALID), (Status.SUSPENDED, SUSPENDED), (Status.ACTIVE, VALID), (Status.REVOKED, INVALID),
    ):  # fmt: skip
        if to is not None:
            change(library, licence, to)
        clock.move(seconds=FRESH_SECONDS)
        made = current_list(lists, 0)
        assert made.uri == licence.status_list_uri
        said = read(library, made)
        assert said.statuses.value(licence.status_index) == value
        assert dict(said.statuses.not_zero()) == ({licence.status_index: value} if value else {})
        assert said.expires_at - said.issued_at == LIFE
        times.append(said.issued_at)
    assert times == sorted(set(times)), "each content has a later time than the one before"


def test_nothing_new_is_signed_while_nothing_changes(library: Library, clock: Clock) -> None:
    lists, other_process = open_lists(library), open_lists(library)
    issue(library, company_request())
    first = current_list(lists, 0)
    assert current_list(lists, 0) is first
    clock.move(seconds=3 * FRESH_SECONDS)
    assert current_list(lists, 0) is first
    issue(library, company_request(SECOND_NUMBER))
    clock.move(seconds=FRESH_SECONDS)
    assert current_list(lists, 0) is first, "an issue changes no list"
    theirs = current_list(other_process, 0)
    assert (theirs.tag, theirs.issued_at) == (first.tag, first.issued_at)
    clock.move(seconds=RENEW_AFTER.total_seconds())
    renewed = current_list(lists, 0)
    assert renewed.issued_at > first.issued_at
    assert current_list(other_process, 0).tag == renewed.tag
    assert read(library, renewed).statuses == read(library, first).statuses


def test_no_process_publishes_what_is_older(library: Library) -> None:
    store, now, hour = library.store, library.now(), timedelta(hours=1)

    def published(counter: int, digest: str) -> listings.Publication | None:
        return listings.published(store, 0, state_counter=counter, digest=digest, now=now, renew_after=hour)

    first = published(5, "a")
    assert first is not None
    assert published(9, "a") == first
    second = published(9, "b")
    assert second is not None
    assert second.issued_at > first.issued_at
    assert published(8, "a") is None, "read before the change, so it must be read again"
    third = published(10, "a")
    assert third is not None
    assert third.issued_at > second.issued_at


def test_numbers_of_lists_that_are_not_there(library: Library) -> None:
    lists = open_lists(library)
    for number in (-1, 1, 999_999):
        with pytest.raises(NotFoundError):
            current_list(lists, number)


def test_an_older_library_gets_its_keys(library: Library, clock: Clock) -> None:
    with writing(library.store) as conn:
        conn.execute(delete(SIGNING_KEY).where(SIGNING_KEY.c.purpose.in_((STATUS, RECEIPT))))
    with pytest.raises(SetupError, match="status key"):
        current_list(open_lists(library), 0)
    made = ensure_library_keys(library, operator="tests")
    assert [key.purpose for key in made] == [STATUS, RECEIPT]
    assert ensure_library_keys(library, operator="tests") == ()
    assert library_key(library, RECEIPT).kid == made[1].kid
    lists = open_lists(library)
    first = current_list(lists, 0)
    agencies.withdraw_key(
        library.store, made[0].kid, withdrawn_at=clock(), reason="stolen", operator="tests", now=clock()
    )
    clock.move(seconds=FRESH_SECONDS)
    with pytest.raises(SetupError):
        current_list(lists, 0)
    ensure_library_keys(library, operator="tests")
    second = current_list(lists, 0)
    assert read(library, second).issued_at > first.issued_at
    with pytest.raises(VerificationError) as error:
        read(library, first)
    assert error.value.fault is Fault.KEY_WITHDRAWN


def test_many_askers_while_statuses_change(library: Library, clock: Clock) -> None:
    licences = [issue(library, company_request(number)).licence for number in ("91990200MA7EXAM18U", SECOND_NUMBER)]
    processes = [open_lists(library), open_lists(library)]

    def ask(turn: int) -> PublishedList:
        return current_list(processes[turn % 2], 0)

    with ThreadPoolExecutor(8) as pool:
        before = clock()
        for licence in licences:
            change(library, licence, Status.REVOKED)
            clock.move(seconds=FRESH_SECONDS)
            answers = list(pool.map(ask, range(16)))
            assert len({each.tag for each in answers}) == 1
            assert answers[0].issued_at >= before
    assert dict(read(library, answers[0]).statuses.not_zero()) == {each.status_index: INVALID for each in licences}
