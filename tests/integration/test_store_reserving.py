"""Reservations: one natural key, one identifier, whoever asks and however often."""

import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from multiprocessing import get_context

import pytest
from sqlalchemy import event, select, update

from certlib.errors import ConflictError, NotFoundError, UnavailableError
from certlib.identifiers import AgencyCode
from certlib.model import IssueRequest, Sha256
from certlib.store import agencies, reserving
from certlib.store.engine import Store, reading, writing
from certlib.store.recording import record
from certlib.store.reserving import SHARD_CAPACITY, prepared, reserve, void
from certlib.store.tables import ALLOTMENT, LICENCE
from certlib.store.values import AlreadyIssued, Conflicting, Reserved
from tests.support.contenders import issue_range, reserve_in_this_process, reserve_in_threads
from tests.support.databases import Database
from tests.support.invariants import check_invariants
from tests.support.makers import (
    NOW,
    OTHER_AGENCY_CODE,
    TYPE_CODE,
    issue_one,
    make_agency,
    make_holder,
    make_intent,
    make_made,
    make_request,
    reserve_one,
)


def test_a_reservation_holds_everything_that_rendering_needs(store: Store) -> None:
    intent = make_intent(make_request("N1", request_id="r-1", batch="b"))
    (reserved,) = reserve(store, [intent], now=NOW + timedelta(milliseconds=700))
    assert isinstance(reserved, Reserved)
    assert reserved.intent is intent
    assert reserved.issued_at == NOW
    assert not reserved.resumed
    assert reserved.status_list_uri == "http://127.0.0.1:8080/s/0"
    assert reserved.identifier.startswith("1.2.156.3005.2.11100000000013338W011.11430000006122244L.20261122")
    check_invariants(store)


def test_the_same_request_again_resumes_or_gives_the_licence(store: Store) -> None:
    first = reserve_one(store)
    second = reserve_one(store, now=NOW + timedelta(hours=1))
    assert second == replace(first, resumed=True)
    (licence,) = record(store, [make_made(first)], now=NOW)
    (third,) = reserve(store, [make_intent()], now=NOW)
    assert third == AlreadyIssued(licence=licence)
    check_invariants(store)


def test_who_asks_and_in_which_batch_is_not_content(store: Store) -> None:
    first = reserve_one(store, make_request("N1", request_id="r-1", batch="one"))
    again = replace(make_request("N1", request_id="r-2", batch="two"), operator="somebody else")
    assert reserve_one(store, again).identifier == first.identifier
    check_invariants(store)


CHANGES = {
    "holders": {"holders": (make_holder(name="另一有限公司"),)},
    "issued_on": {"issued_on": date(2026, 11, 21)},
    "effective_on": {"effective_on": date(2026, 11, 23)},
    "expires_on": {"expires_on": None},
    "area_code": {"area_code": "430100"},
    "previous_identifier": {"previous_identifier": "1.2.3"},
    "fields.scope": {"fields": {"scope": "另", "capital": "1000000.00"}},
    "fields.capital": {"fields": {"scope": "软件开发；图书销售。"}},
    "images.photo": {"images": {"photo": b"other"}},
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("recorded", [False, True])
def test_other_content_under_the_same_number_names_what_differs(store: Store, name: str, recorded: bool) -> None:  # noqa: FBT001
    request = make_request("N1", images={"photo": b"photo"})
    standing = issue_one(store, request).identifier if recorded else reserve_one(store, request).identifier
    (outcome,) = reserve(store, [make_intent(replace(request, **CHANGES[name]))], now=NOW)  # type: ignore[arg-type]  # a table of fields
    assert outcome == Conflicting(identifier=standing, differs=(name,))
    check_invariants(store)


def test_a_request_id_stands_for_one_request(store: Store) -> None:
    first = reserve_one(store, make_request("N1", request_id="r-1"))
    (other,) = reserve(store, [make_intent(make_request("N2", request_id="r-1"))], now=NOW)
    assert other == Conflicting(identifier=first.identifier, differs=("number",))
    agencies.add_agency(store, make_agency(OTHER_AGENCY_CODE), operator="tests", now=NOW)
    theirs = make_request("N2", request_id="r-1", agency_code=OTHER_AGENCY_CODE)
    assert reserve_one(store, theirs).identifier != first.identifier
    check_invariants(store)


def test_a_list_is_judged_in_its_order(store: Store) -> None:
    requests = [
        make_request("A"),
        make_request("B", request_id="r"),
        make_request("A"),
        make_request("A", expires_on=None),
        make_request("C", request_id="r"),
        make_request("D"),
    ]
    first, second, again, other, same_id, last = reserve(store, [make_intent(each) for each in requests], now=NOW)
    assert isinstance(first, Reserved)
    assert isinstance(second, Reserved)
    assert isinstance(last, Reserved)
    assert again == replace(first, resumed=True)
    assert other == Conflicting(identifier=first.identifier, differs=("expires_on",))
    assert same_id == Conflicting(identifier=second.identifier, differs=("number",))
    assert reserve(store, [], now=NOW) == []
    check_invariants(store)


def test_versions_of_one_number_are_licences_of_their_own(store: Store) -> None:
    one, two = reserve_one(store, make_request("N1")), reserve_one(store, make_request("N1", version=2))
    assert one.identifier.split(".")[-2] == "001"
    assert two.identifier.split(".")[-2] == "002"
    check_invariants(store)


def test_a_voided_number_is_free_again_and_its_identifier_is_not(store: Store) -> None:
    request = make_request("N1", request_id="r-1")
    first = reserve_one(store, request)
    void(store, first.identifier, reason="missing_glyph", operator="sweep", now=NOW)
    check_invariants(store)
    second = reserve_one(store, replace(request, expires_on=None))
    assert not second.resumed
    assert {second.identifier, second.public_code}.isdisjoint({first.identifier, first.public_code})
    with pytest.raises(ConflictError) as voided:
        void(store, first.identifier, reason="again", operator="sweep", now=NOW)
    assert voided.value.code == "already_void"
    with pytest.raises(ConflictError) as late:
        record(store, [make_made(first)], now=NOW)
    assert late.value.code == "already_void"
    (licence,) = record(store, [make_made(second)], now=NOW)
    with pytest.raises(ConflictError) as issued:
        void(store, licence.identifier, reason="no", operator="sweep", now=NOW)
    assert issued.value.code == "already_recorded"
    with pytest.raises(NotFoundError):
        void(store, "1.2.3", reason="no", operator="sweep", now=NOW)
    check_invariants(store)


def test_what_a_crash_left_behind_comes_back_whole(store: Store) -> None:
    requests = [make_request(f"N{n}", images={"photo": bytes([n]) * 5000}, request_id=f"r{n}") for n in range(5)]
    reserved = [reserve_one(store, each, now=NOW + timedelta(minutes=n)) for n, each in enumerate(requests)]
    record(store, [make_made(reserved[1])], now=NOW)
    void(store, reserved[2].identifier, reason="x", operator="sweep", now=NOW)
    found = list(prepared(store, older_than=NOW + timedelta(minutes=4)))
    assert found == [replace(reserved[0], resumed=True), replace(reserved[3], resumed=True)]
    assert found[0].intent.request.images == {"photo": bytes(5000)}
    assert list(prepared(store, older_than=NOW)) == []
    record(store, [make_made(each) for each in found], now=NOW)
    check_invariants(store)


def test_a_sweep_pages_through_many_of_one_moment(store: Store) -> None:
    intents = [make_intent(make_request(f"N{number}")) for number in range(450)]
    reserved = reserve(store, intents, now=NOW)
    found = [each.identifier for each in prepared(store, older_than=NOW + timedelta(seconds=1))]
    assert found == [each.identifier for each in reserved if isinstance(each, Reserved)]
    check_invariants(store)


def test_unknown_agencies_and_types_are_refused(store: Store) -> None:
    def refused(request: IssueRequest, **more: object) -> str:
        with pytest.raises((NotFoundError, ConflictError)) as error:
            reserve(store, [make_intent(make_request("good")), make_intent(request, **more)], now=NOW)  # type: ignore[arg-type]  # a table of cases
        return error.value.code

    assert refused(make_request(agency_code=AgencyCode("NOBODY"))) == "agency_not_found"
    assert refused(replace(make_request(), type_code="no-such-type")) == "type_not_found"
    assert refused(make_request(), type_version=2) == "type_not_found"
    assert refused(make_request(), digest=Sha256("0" * 64)) == "type_changed"
    check_invariants(store)
    assert agencies.type_version(store, TYPE_CODE, 1).first_used_at is None
    reserve_one(store)
    assert agencies.type_version(store, TYPE_CODE, 1).first_used_at == NOW


def test_a_full_status_list_is_followed_by_the_next(store: Store) -> None:
    reserve_one(store, make_request("first"))
    with writing(store) as conn:
        conn.execute(update(ALLOTMENT).values(taken=SHARD_CAPACITY - 3))
    outcomes = reserve(store, [make_intent(make_request(f"N{n}")) for n in range(4)], now=NOW)
    assert {each.status_list_uri for each in outcomes if isinstance(each, Reserved)} == {"http://127.0.0.1:8080/s/1"}
    with reading(store) as conn:
        assert tuple(conn.execute(select(ALLOTMENT.c.shard, ALLOTMENT.c.taken)).one()) == (1, 4)
    check_invariants(store)


def test_a_taken_index_is_never_given_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reserving, "SHARD_BITS", 9)  # a small list, so that probes do meet what is taken
    for block in range(4):
        reserve(store, [make_intent(make_request(f"N{block}-{n}")) for n in range(64)], now=NOW)
    with reading(store) as conn:
        indices = list(conn.execute(select(LICENCE.c.status_index).order_by(LICENCE.c.id)).scalars())
    assert len(set(indices)) == 256
    assert max(indices) < 512
    assert indices[:64] != sorted(indices[:64])
    check_invariants(store)


def test_no_personal_value_lies_open_in_the_database(store: Store) -> None:
    issue_one(store, make_request("N1", images={"photo": b"face of a person"}))
    secrets = ["样本有限公司", "91110000600037341L", "软件开发"]
    with reading(store) as conn:
        for row in conn.execute(select(LICENCE)):
            for value in row:
                shown = value if isinstance(value, bytes) else str(value).encode()
                assert not any(secret.encode() in shown for secret in secrets)
    blobs = b"".join(path.read_bytes() for path in (store.home / "blobs").rglob("*.bundle"))
    assert b"face of a person" not in blobs


def test_eight_threads_asking_at_once_get_one_identifier(store: Store) -> None:
    for round_ in range(5):
        given = reserve_in_threads(store, f"N{round_}", threads=8)
        assert len(set(given)) == 1
    check_invariants(store)


def test_two_processes_asking_at_once_get_one_identifier(store: Store, database: Database) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for round_ in range(5):
            work = [pool.submit(reserve_in_this_process, database, f"N{round_}", 4) for _ in range(2)]
            given = [each for one in work for each in one.result(timeout=60)]
            assert len(given) == 8
            assert len(set(given)) == 1
    check_invariants(store)


def test_two_processes_issuing_the_same_register_issue_it_once(store: Store, database: Database) -> None:
    numbers = [f"N{number}" for number in range(64)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        forward = pool.submit(issue_range, database, numbers)
        backward = pool.submit(issue_range, database, numbers[::-1])
        assert forward.result(timeout=120) == backward.result(timeout=120)[::-1]
    state = check_invariants(store)
    assert state.seq == 2 + len(numbers)


def test_a_database_that_stays_locked_is_unavailable_not_broken(store: Store) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("locks of a SQLite file")
    store.engine.dispose()  # whoever connects from now on is impatient
    event.listen(store.engine, "connect", _impatient)
    with closing(sqlite3.connect(str(store.engine.url.database), isolation_level=None)) as other_process:
        other_process.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="locked"):
            reserve_one(store)
    reserve_one(store)
    check_invariants(store)


def _impatient(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA busy_timeout=20")
