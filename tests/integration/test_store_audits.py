"""The audit chain in the database: any tampering is found, wherever it is."""

from collections.abc import Callable

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from certlib.errors import OwnFaultError
from certlib.store import audits
from certlib.store.audits import chain_head, check_audit, read_chain, records_about
from certlib.store.engine import Store, writing
from certlib.store.tables import AUDIT, AUDIT_HEAD
from tests.support.invariants import check_invariants
from tests.support.makers import NOW, issue_one, make_request


def filled(store: Store) -> None:
    for number in range(8):
        issue_one(store, make_request(f"N{number}"))
    check_invariants(store)


def removed(conn: Connection) -> None:
    conn.execute(delete(AUDIT).where(AUDIT.c.seq == 5))


def removed_and_renumbered(conn: Connection) -> None:
    conn.execute(delete(AUDIT).where(AUDIT.c.seq == 5))
    for seq in range(6, 11):
        conn.execute(update(AUDIT).where(AUDIT.c.seq == seq).values(seq=seq - 1))


def cut_at_the_end(conn: Connection) -> None:
    conn.execute(delete(AUDIT).where(AUDIT.c.seq > 8))


def emptied(conn: Connection) -> None:
    conn.execute(delete(AUDIT))


def appended(conn: Connection) -> None:
    row = dict(conn.execute(select(AUDIT).where(AUDIT.c.seq == 10)).mappings().one())
    conn.execute(insert(AUDIT).values({**row, "seq": 11, "previous_hash": row["hash"]}))


def exchanged(conn: Connection) -> None:
    conn.execute(update(AUDIT).where(AUDIT.c.seq == 4).values(seq=400))
    conn.execute(update(AUDIT).where(AUDIT.c.seq == 5).values(seq=4))
    conn.execute(update(AUDIT).where(AUDIT.c.seq == 400).values(seq=5))


def headless(conn: Connection) -> None:
    conn.execute(delete(AUDIT_HEAD))


def rolled_back_head(conn: Connection) -> None:
    row = conn.execute(select(AUDIT.c.seq, AUDIT.c.hash).where(AUDIT.c.seq == 6)).one()
    conn.execute(update(AUDIT_HEAD).values(seq=row.seq, hash=row.hash))


@pytest.mark.parametrize(
    "tamper",
    [
        removed,
        removed_and_renumbered,
        cut_at_the_end,
        emptied,
        appended,
        exchanged,
        headless,
        rolled_back_head,
    ],
)
def test_records_removed_added_or_moved_are_found(store: Store, tamper: Callable[[Connection], None]) -> None:
    filled(store)
    with writing(store) as conn:
        tamper(conn)
    with pytest.raises(OwnFaultError) as broken:
        check_audit(store)
    assert broken.value.code == "audit_broken"


@pytest.mark.parametrize("column", ["at", "actor", "act", "subject", "detail", "previous_hash", "hash"])
@pytest.mark.parametrize("seq", [1, 5, 10])
def test_a_changed_column_is_found(store: Store, column: str, seq: int) -> None:
    filled(store)
    with writing(store) as conn:
        row = conn.execute(select(AUDIT).where(AUDIT.c.seq == seq)).mappings().one()
        values = {
            "at": row["at"].replace(microsecond=1),
            "detail": '{"other": 1}',
            "hash": "0" * 63 + "1",
            "previous_hash": "0" * 63 + "1",
        }
        conn.execute(update(AUDIT).where(AUDIT.c.seq == seq).values({column: values.get(column, "other")}))
    with pytest.raises(OwnFaultError) as broken:
        check_audit(store)
    assert broken.value.code == "audit_broken"


def test_a_chain_is_read_in_order_from_anywhere(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(store)
    monkeypatch.setattr(audits, "_ROWS_AT_ONCE", 3)
    assert [each.seq for each in read_chain(store)] == list(range(1, 11))
    assert [each.seq for each in read_chain(store, since=6)] == [7, 8, 9, 10]
    assert list(read_chain(store, since=10)) == []
    assert check_audit(store) == chain_head(store)


def test_nothing_to_tell_writes_nothing(store: Store) -> None:
    before = check_audit(store)
    with writing(store) as conn:
        audits.append(conn, [], at=NOW)
    assert check_audit(store) == before


def test_the_records_of_one_subject_are_found(store: Store) -> None:
    licence = issue_one(store)
    (record,) = records_about(store, licence.identifier)
    assert (record.act, record.actor, record.at) == ("licence.issued", "clerk-7", NOW)
    assert record.detail["number"] == "N1"
    assert record.detail["pdf_sha256"] == licence.pdf_sha256
    assert records_about(store, "nobody") == ()
