"""Look-ups: one read of one index, and nothing found that was not issued."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from certlib.config import read_settings
from certlib.errors import NotFoundError, UnavailableError
from certlib.identifiers import PublicCode
from certlib.model import Status
from certlib.store.cipher import DataKeys
from certlib.store.engine import Store, migrate, reading, writing
from certlib.store.lookups import (
    PublicReader,
    licence_by_code,
    licence_by_identifier,
    licence_by_pdf_sha256,
    licences_by_holder,
    licences_by_number,
    open_public_reader,
    public_row,
)
from certlib.store.recording import record
from certlib.store.reserving import reserve, void
from certlib.store.statuses import change_status, status_snapshot
from certlib.store.values import Reserved
from tests.support.databases import Database, opened
from tests.support.invariants import check_invariants
from tests.support.makers import (
    AGENCY_CODE,
    NOW,
    TYPE_CODE,
    issue_one,
    make_holder,
    make_intent,
    make_made,
    make_request,
    register,
    reserve_one,
)


@pytest.fixture
def reader(store: Store) -> Iterator[PublicReader]:
    opened = open_public_reader(store)
    yield opened
    opened.close()


def revoke(store: Store, identifier: str) -> None:
    change_status(
        store,
        identifier,
        to=Status.REVOKED,
        reason="penalty",
        document_number="2026-1",
        operator="o",
        effective_at=NOW,
        now=NOW,
    )


def test_an_issued_licence_is_found_by_each_key(store: Store, reader: PublicReader) -> None:
    licence = issue_one(store)
    issue_one(store, make_request("another"))
    assert licence_by_code(store, licence.public_code) == licence
    assert licence_by_identifier(store, licence.identifier) == licence
    assert licence_by_pdf_sha256(store, licence.pdf_sha256) == licence
    assert licences_by_number(store, agency_code=AGENCY_CODE, type_code=TYPE_CODE, number="N1") == (licence,)
    assert reader.successor(licence.identifier) == ""
    row = public_row(store, licence.public_code)
    assert row == public_row(store, licence.identifier)
    assert row == reader.read(licence.public_code) == reader.read(licence.identifier)
    assert (row.status, row.effective_on, row.expires_on) == (Status.ACTIVE, licence.effective_on, licence.expires_on)
    assert (row.timezone, row.public_json) == ("Asia/Shanghai", b'{"type":"business-licence"}')


def test_a_long_term_licence_has_no_end(store: Store, reader: PublicReader) -> None:
    licence = issue_one(store, make_request(expires_on=None))
    row = reader.read(licence.public_code)
    assert row is not None
    assert row.expires_on is None


def test_nothing_is_found_before_it_is_issued_or_when_it_was_voided(store: Store, reader: PublicReader) -> None:
    waiting, given_up = reserve_one(store, make_request("N1")), reserve_one(store, make_request("N2"))
    void(store, given_up.identifier, reason="x", operator="o", now=NOW)
    for reserved in (waiting, given_up):
        with pytest.raises(NotFoundError):
            licence_by_code(store, reserved.public_code)
        with pytest.raises(NotFoundError):
            licence_by_identifier(store, reserved.identifier)
        for key in (reserved.public_code, reserved.identifier):
            with pytest.raises(NotFoundError):
                public_row(store, key)
            assert reader.read(key) is None
        number = reserved.intent.request.number
        assert licences_by_number(store, agency_code=AGENCY_CODE, type_code=TYPE_CODE, number=number) == ()
    assert licences_by_holder(store, make_holder().code) == ()
    with pytest.raises(NotFoundError):
        licence_by_pdf_sha256(store, "0" * 64)


@pytest.mark.parametrize(
    "key", ["", ".", "' OR 1=1 --", "0" * 26, "1.2.3", "执照", "x" * 10_000, "\x00", "\ud800"], ids=ascii
)
def test_any_text_is_a_key_that_finds_nothing(store: Store, reader: PublicReader, key: str) -> None:
    issue_one(store)
    assert reader.read(key) is None
    with pytest.raises(NotFoundError):
        licence_by_code(store, PublicCode(key))


def test_versions_come_oldest_first(store: Store, reader: PublicReader) -> None:
    old = issue_one(store, make_request("N1"))
    new = issue_one(store, make_request("N1", version=2, previous_identifier=old.identifier))
    found = licences_by_number(store, agency_code=AGENCY_CODE, type_code=TYPE_CODE, number="N1")
    assert [each.identifier for each in found] == [old.identifier, new.identifier]
    assert reader.successor(old.identifier) == new.identifier


def test_a_holder_is_found_by_code_whatever_its_place_and_case(store: Store) -> None:
    second = make_holder(name="李四", code="11010519491231002X", code_type="111")
    licence = issue_one(store, make_request("N1", holders=(make_holder(), second)))
    issue_one(store, make_request("N2", holders=(make_holder(name="无码", code="", code_type=""),)))
    assert licences_by_holder(store, "11010519491231002x") == (licence,)
    assert licences_by_holder(store, "") == ()
    assert licences_by_holder(store, "11010519491231003X") == ()
    for strange in ("\x00", "\ud800"):
        assert licences_by_holder(store, strange) == ()
        assert licences_by_number(store, agency_code=AGENCY_CODE, type_code=TYPE_CODE, number=strange) == ()


def test_a_read_begun_after_a_revocation_never_shows_active(store: Store, reader: PublicReader) -> None:
    for number in range(20):
        licence = issue_one(store, make_request(f"N{number}"))
        before = reader.read(licence.public_code)
        assert before is not None
        assert before.status is Status.ACTIVE
        revoke(store, licence.identifier)
        after = reader.read(licence.public_code)
        assert after is not None
        assert after.status is Status.REVOKED
    check_invariants(store)


def test_a_dropped_connection_is_opened_again(store: Store, reader: PublicReader) -> None:
    if store.engine.dialect.name == "sqlite":
        pytest.skip("a file drops nobody")
    licence = issue_one(store)
    with writing(store) as conn:
        conn.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                 " AND datname = current_database()")
        )  # fmt: skip
    row = reader.read(licence.public_code)
    assert row is not None
    assert row.identifier == licence.identifier


def test_a_reader_that_was_closed_is_unavailable(store: Store) -> None:
    reader = open_public_reader(store)
    reader.close()
    if store.engine.dialect.name == "sqlite":
        with pytest.raises(UnavailableError):
            reader.read("x")
    else:
        assert reader.read("x") is None
        reader.close()


def test_the_reader_cannot_write(reader: PublicReader) -> None:
    with pytest.raises(Exception, match=r"readonly|read-only"):
        reader._connection.execute("UPDATE licence SET status = 'active'")  # noqa: SLF001  # the point of the test


def test_every_look_up_uses_an_index(store: Store) -> None:
    intents = [make_intent(make_request(f"N{number}")) for number in range(300)]
    reserved = [each for each in reserve(store, intents, now=NOW) if isinstance(each, Reserved)]
    record(store, [make_made(each, pdf=each.identifier.encode()) for each in reserved], now=NOW)
    sqlite = store.engine.dialect.name == "sqlite"
    wanted = {
        "public_code = 'x'": "uq_licence_public_code",
        "identifier = 'x'": "uq_licence_identifier",
        "pdf_sha256 = 'x'": "ix_licence_pdf_sha256",
        "agency_code = 'x' AND type_code = 'x' AND number IN ('x', 'y') AND version = 1 AND state <> 'void'": (
            "uq_licence_natural_key"
        ),
        "agency_code = 'x' AND request_id IN ('x') AND request_id <> '' AND state <> 'void'": "uq_licence_request_id",
        "status_shard = 0 AND status_index IN (1, 2)": "uq_licence_status_shard_status_index",
        "status = 'revoked' AND status <> 'active' AND (status_shard, status_index) > (0, 5)": "ix_licence_not_active",
        "state = 'prepared' AND issued_at < '2020-01-01'": "ix_licence_prepared",
        "previous_identifier = 'x' AND previous_identifier <> ''": "ix_licence_previous",
    }
    with reading(store) as conn:
        conn.execute(text("ANALYZE"))
        if not sqlite:
            conn.execute(text("SET enable_seqscan = off"))
        for condition, index in wanted.items():
            prefix = "EXPLAIN QUERY PLAN" if sqlite else "EXPLAIN"
            plan = str(conn.execute(text(f"{prefix} SELECT * FROM licence WHERE {condition}")).all())  # noqa: S608
            if sqlite:
                # An automatic index of a UNIQUE constraint bears no name of ours.
                assert "SEARCH" in plan, (condition, plan)
                assert index.startswith("uq_") or index in plan, (condition, plan)
            else:
                assert index in plan, (condition, plan)


def test_the_snapshot_names_all_that_is_not_active(store: Store) -> None:
    licences = [issue_one(store, make_request(f"N{number}")) for number in range(30)]
    reserve_one(store, make_request("waiting"))
    for licence in licences[::3]:
        revoke(store, licence.identifier)
    snapshot = list(status_snapshot(store))
    assert snapshot == sorted((0, each.status_index, Status.REVOKED) for each in licences[::3])


def test_a_folder_may_have_any_name(tmp_path: Path, session_data_keys: DataKeys) -> None:
    home = tmp_path / "证照 a#b%20c&d?e"
    home.mkdir()
    url = read_settings(home).database_url
    database = Database(kind="sqlite", url=url, home=home, data_keys=session_data_keys)
    with opened(database) as store:
        migrate(store)
        register(store)
        licence = issue_one(store)
        reader = open_public_reader(store)
        assert reader.read(licence.public_code) == public_row(store, licence.public_code)
        reader.close()
        check_invariants(store)
    assert (home / "certlib.sqlite").is_file()
