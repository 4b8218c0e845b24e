"""Recording: what was acknowledged stands, whole, and other bytes under it are refused."""

import hashlib
import sqlite3
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import event, select, text, update

from certlib.errors import ConflictError, IllegalTransitionError, NotFoundError, OwnFaultError, UnavailableError
from certlib.identifiers import LicenceIdentifier
from certlib.model import Sha256, Status
from certlib.store import audits, recording
from certlib.store.audits import read_chain, records_about
from certlib.store.blobs import FOLDER, bundle_names, remove_orphans
from certlib.store.engine import Store, reading, writing
from certlib.store.lookups import image_of, licence_by_identifier, pdf_of, successor_of
from certlib.store.recording import record
from certlib.store.reserving import prepared, reserve
from certlib.store.statuses import change_status, status_changes
from certlib.store.tables import BUNDLE, LICENCE
from certlib.store.values import Reserved
from tests.support.contenders import issue_until_killed
from tests.support.databases import Database
from tests.support.invariants import check_invariants
from tests.support.makers import NOW, issue_one, make_intent, make_made, make_request, reserve_one

LATER = NOW + timedelta(days=1)


def test_a_recorded_licence_is_what_was_made(store: Store) -> None:
    reserved = reserve_one(store, make_request("N1", images={"photo": b"photo"}, batch="b-1"))
    made = make_made(reserved)
    (licence,) = record(store, [made], now=LATER)
    request = reserved.intent.request
    assert licence == licence_by_identifier(store, reserved.identifier)
    assert licence.status is Status.ACTIVE
    assert (licence.holders, licence.issued_on, licence.expires_on) == (
        request.holders,
        request.issued_on,
        request.expires_on,
    )
    assert licence.fields == {**request.fields, "photo": "sha256:" + hashlib.sha256(b"photo").hexdigest()}
    assert (licence.token, licence.check_phrase, licence.pdf_name) == (made.token, made.check_phrase, made.pdf_name)
    assert licence.issued_at == NOW
    assert pdf_of(store, licence) == made.pdf
    assert image_of(store, licence, "photo") == b"photo"
    with pytest.raises(NotFoundError):
        image_of(store, licence, "portrait")
    check_invariants(store)


def test_the_same_bytes_again_change_nothing(store: Store) -> None:
    made = make_made(reserve_one(store))
    first = record(store, [made], now=NOW)
    before = check_invariants(store)
    assert record(store, [made], now=LATER) == first
    assert record(store, [made, made], now=LATER) == first * 2
    assert check_invariants(store) == before
    assert len(list(bundle_names(store.home))) == 1


def test_other_bytes_under_an_identifier_are_refused(store: Store) -> None:
    reserved = reserve_one(store)
    made, other = make_made(reserved), make_made(reserved)
    with pytest.raises(ConflictError):
        record(store, [made, other], now=NOW)
    (licence,) = record(store, [made], now=NOW)
    before = check_invariants(store)
    innocent = make_made(reserve_one(store, make_request("N2")))
    with pytest.raises(ConflictError) as refused:
        record(store, [innocent, other], now=LATER)
    assert (refused.value.code, refused.value.identifier) == ("already_recorded", licence.identifier)
    assert pdf_of(store, licence) == made.pdf
    assert check_invariants(store) == before
    assert [each.identifier for each in prepared(store, older_than=LATER)] == [innocent.reserved.identifier]


def test_what_was_never_reserved_and_wrong_digests_are_refused(store: Store) -> None:
    made = make_made(reserve_one(store))
    with pytest.raises(OwnFaultError) as wrong:
        record(store, [replace(made, pdf_sha256=Sha256("0" * 64))], now=NOW)
    assert wrong.value.code == "wrong_digest"
    stranger = replace(made, reserved=replace(made.reserved, identifier=LicenceIdentifier("1.2.3")))
    with pytest.raises(NotFoundError):
        record(store, [made, stranger], now=NOW)
    assert record(store, [], now=NOW) == []
    assert check_invariants(store).seq == 2


def test_a_block_is_recorded_whole_in_the_order_given(store: Store) -> None:
    outcomes = reserve(store, [make_intent(make_request(f"N{n}")) for n in range(64)], now=NOW)
    made = [make_made(each) for each in outcomes if isinstance(each, Reserved)][::-1]
    licences = record(store, made, now=NOW)
    assert [each.identifier for each in licences] == [each.reserved.identifier for each in made]
    assert all(pdf_of(store, licence) == each.pdf for licence, each in zip(licences, made, strict=True))
    assert [each.act for each in read_chain(store)][2:] == ["licence.issued"] * 64
    check_invariants(store)


class PowerCutError(Exception):
    """The process ends here."""


def test_a_crash_between_bundle_and_transaction_leaves_a_harmless_orphan(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserved = reserve_one(store)

    def crash(*_: object, **__: object) -> int:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(recording, "add_bundle", crash)
        with pytest.raises(PowerCutError):
            record(store, [make_made(reserved)], now=NOW)
    (orphan,) = bundle_names(store.home)
    check_invariants(store)
    (resumed,) = prepared(store, older_than=LATER)
    assert resumed.identifier == reserved.identifier
    (licence,) = record(store, [make_made(resumed)], now=NOW)
    assert remove_orphans(store, older_than=NOW - timedelta(days=400)) == ()
    assert remove_orphans(store, older_than=NOW + timedelta(days=36500)) == (orphan,)
    assert remove_orphans(store, older_than=NOW + timedelta(days=36500)) == ()
    assert pdf_of(store, licence)
    check_invariants(store)


def test_a_crash_before_the_commit_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    old = issue_one(store, make_request("old"))
    made = make_made(reserve_one(store, make_request("N1", previous_identifier=old.identifier)))
    before = check_invariants(store)

    def crash(*_: object, **__: object) -> None:
        raise PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(audits, "append", crash)
        with pytest.raises(PowerCutError):
            record(store, [made], now=NOW)
    assert check_invariants(store) == before
    assert licence_by_identifier(store, old.identifier).status is Status.ACTIVE
    record(store, [made], now=NOW)
    check_invariants(store)


def test_a_trigger_that_breaks_storage_leaves_nothing(store: Store) -> None:
    made = make_made(reserve_one(store))
    before = check_invariants(store)
    sqlite = store.engine.dialect.name == "sqlite"
    with writing(store) as conn:
        for statement in _BREAK_SQLITE if sqlite else _BREAK_POSTGRESQL:
            conn.execute(text(statement))
    with pytest.raises(Exception, match="broken storage"):
        record(store, [made], now=NOW)
    assert check_invariants(store) == before
    with writing(store) as conn:
        conn.execute(text("DROP TRIGGER broken" if sqlite else "DROP TRIGGER broken ON audit"))
    record(store, [made], now=NOW)
    check_invariants(store)


_BREAK_SQLITE = ("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'broken storage'); END",)
_BREAK_POSTGRESQL = (
    "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken storage'; END $$",
    "CREATE TRIGGER broken BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION fail()",
)


def test_what_a_killed_process_acknowledged_is_there(store: Store, database: Database) -> None:
    context = get_context("spawn")
    for _ in range(2):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=issue_until_killed, args=(database, theirs), daemon=True)
        process.start()
        theirs.close()
        acknowledged = [ours.recv() for _ in range(30)]
        process.kill()
        process.join(timeout=30)
        with suppress(EOFError):
            while True:
                acknowledged.append(ours.recv())
        ours.close()
        for identifier in acknowledged:
            assert pdf_of(store, licence_by_identifier(store, identifier))
        check_invariants(store)
    left = list(prepared(store, older_than=LATER))
    record(store, [make_made(each) for each in left], now=LATER)
    check_invariants(store)


def test_a_full_disk_stops_writing_not_reading(store: Store) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("a size limit of SQLite stands in for the disk")
    licence = issue_one(store, make_request("before"))
    event.listen(store.engine, "connect", _full)
    store.engine.dispose()
    with pytest.raises(UnavailableError, match="full"):
        _issue_on(store)
    assert pdf_of(store, licence_by_identifier(store, licence.identifier))
    check_invariants(store)
    event.remove(store.engine, "connect", _full)
    store.engine.dispose()
    issue_one(store, make_request("after"))
    check_invariants(store)


def _issue_on(store: Store) -> None:
    for number in range(1000):
        issue_one(store, make_request(f"N{number}"))


def _full(connection: sqlite3.Connection, _record: object) -> None:
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages + 4}")


def test_a_blobs_folder_that_cannot_be_written_is_unavailable(store: Store) -> None:
    made = make_made(reserve_one(store))
    (store.home / FOLDER).write_text("a file where the folder should be")
    with pytest.raises(UnavailableError):
        record(store, [made], now=NOW)
    (store.home / FOLDER).unlink()
    record(store, [made], now=NOW)
    check_invariants(store)


def test_changed_or_exchanged_bytes_are_found(store: Store) -> None:
    one, two = issue_one(store, make_request("N1")), issue_one(store, make_request("N2"))
    with reading(store) as conn:
        name = conn.execute(select(BUNDLE.c.name).order_by(BUNDLE.c.id)).scalars().first()
    path = Path(store.home / FOLDER / str(name))
    sound = path.read_bytes()
    path.write_bytes(sound[:50] + bytes([sound[50] ^ 1]) + sound[51:])
    with pytest.raises(OwnFaultError) as changed:
        pdf_of(store, one)
    assert changed.value.code == "unreadable_record"
    path.write_bytes(sound[:-1])
    with pytest.raises(OwnFaultError):
        pdf_of(store, one)
    path.unlink()
    with pytest.raises(OwnFaultError) as missing:
        pdf_of(store, one)
    assert missing.value.code == "blob_missing"
    path.write_bytes(sound)
    with writing(store) as conn:
        of_two = conn.execute(select(LICENCE.c.sealed).where(LICENCE.c.identifier == two.identifier)).scalar_one()
        conn.execute(update(LICENCE).where(LICENCE.c.identifier == one.identifier).values(sealed=of_two))
    with pytest.raises(OwnFaultError) as exchanged:
        licence_by_identifier(store, one.identifier)
    assert exchanged.value.code == "unreadable_record"
    assert licence_by_identifier(store, two.identifier) == two


def test_a_new_version_supersedes_the_one_it_names(store: Store) -> None:
    old = issue_one(store, make_request("N1"))
    assert successor_of(store, old.identifier) is None
    new = issue_one(store, make_request("N1", version=2, previous_identifier=old.identifier), now=LATER)
    assert licence_by_identifier(store, old.identifier).status is Status.SUPERSEDED
    assert successor_of(store, old.identifier) == new
    (change,) = status_changes(store, old.identifier)
    assert (change.old, change.new, change.recorded_at) == (Status.ACTIVE, Status.SUPERSEDED, LATER)
    assert records_about(store, old.identifier)[-1].detail == {
        "from": "active",
        "to": "superseded",
        "by": new.identifier,
    }
    check_invariants(store)


def test_a_revoked_licence_cannot_be_superseded(store: Store) -> None:
    old = issue_one(store, make_request("N1"))
    new = make_made(reserve_one(store, make_request("N1", version=2, previous_identifier=old.identifier)))
    change_status(
        store,
        old.identifier,
        to=Status.REVOKED,
        reason="x",
        document_number="d",
        operator="o",
        effective_at=NOW,
        now=NOW,
    )
    with pytest.raises(IllegalTransitionError):
        record(store, [new], now=NOW)
    check_invariants(store)


def test_a_previous_licence_of_another_library_is_left_alone(store: Store) -> None:
    foreign = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
    licence = issue_one(store, make_request("N1", previous_identifier=foreign))
    assert licence.previous_identifier == foreign
    check_invariants(store)
