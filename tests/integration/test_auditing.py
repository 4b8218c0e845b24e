"""Proving and exporting the audit chain: whoever edits the database behind the library's back is found."""

import hashlib
import json
import tracemalloc
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from certlib.audit import EMPTY_CHAIN, AuditChainState
from certlib.auditing import audit_lines, mark_of, start_of, verify_audit
from certlib.errors import InvalidRequestError, OwnFaultError
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Status
from certlib.store import audits
from certlib.store.audits import Entry, check_audit
from certlib.store.comparing import check_licences
from certlib.store.engine import Store, writing
from certlib.store.statuses import change_status
from certlib.store.tables import AUDIT, LICENCE, STATUS_CHANGE
from tests.support.libraries import company_request
from tests.support.makers import NOW, issue_one, make_request

FIRST, LAST = "N0", "N4"


def filled(store: Store) -> None:
    """Five licences; the third was suspended and revoked."""
    licences = [issue_one(store, make_request(f"N{number}")) for number in range(5)]
    for to in (Status.SUSPENDED, Status.REVOKED):
        change_status(
            store, licences[2].identifier, to=to, reason="x", document_number="1", operator="t", effective_at=NOW,
            now=NOW,
        )  # fmt: skip


def set_column(of: str, **values: object) -> Callable[[Connection], None]:
    def tamper(conn: Connection) -> None:
        conn.execute(update(LICENCE).where(LICENCE.c.number == of).values(**values))

    return tamper


def removed(conn: Connection) -> None:
    row = conn.execute(select(LICENCE.c.id).where(LICENCE.c.number == "N3")).scalar_one()
    for table in ("licence_holder", "licence_image"):
        conn.exec_driver_sql(f"DELETE FROM {table} WHERE licence_id = {row}")  # noqa: S608  # a number of ours
    conn.execute(delete(LICENCE).where(LICENCE.c.id == row))


def added(conn: Connection) -> None:
    row = dict(conn.execute(select(LICENCE).where(LICENCE.c.number == FIRST)).mappings().one())
    row |= {
        "id": 10**6,
        "number": "N9",
        "identifier": "1.2.3",
        "public_code": "0" * 26,
        "status_index": 1,
        "request_id": "",
    }
    conn.execute(insert(LICENCE).values(row))


@pytest.mark.parametrize(
    ("tamper", "what"),
    [
        (set_column("N2", status="active"), "another status"),
        (set_column("N2", status="suspended"), "another status"),
        (set_column(LAST, status="cancelled"), "another status"),
        (set_column(FIRST, pdf_sha256="0" * 64), "another pdf_sha256"),
        (set_column(FIRST, number="N99"), "another number"),
        (set_column(LAST, token_kid="0" * 16), "another token_kid"),
        (set_column(LAST, state="prepared", status=None), "no longer on record"),
        (removed, "no longer on record"),
        (added, "never issued"),
    ],
)
def test_licences_changed_behind_the_librarys_back(
    store: Store, tamper: Callable[[Connection], None], what: str
) -> None:
    filled(store)
    assert check_licences(store) == 5
    with writing(store) as conn:
        tamper(conn)
    check_audit(store)
    with pytest.raises(OwnFaultError, match=what) as broken:
        check_licences(store)
    assert broken.value.code == "audit_broken"


def test_every_row_after_a_mark_is_proved_and_the_mark_itself(store: Store) -> None:
    filled(store)
    head = check_audit(store)
    records = list(audits.read_chain(store))
    for record in records:
        assert check_audit(store, since=AuditChainState(seq=record.seq, hash=record.hash)) == head
    middle = AuditChainState(seq=records[4].seq, hash=records[4].hash)
    with writing(store) as conn:
        conn.execute(update(AUDIT).where(AUDIT.c.seq == 2).values(actor="other"))
    assert check_audit(store, since=middle) == head, "what lies before the mark was proved before"
    for seq in (middle.seq, middle.seq + 1, head.seq):
        with writing(store) as conn:
            conn.execute(update(AUDIT).where(AUDIT.c.seq == seq).values(act="licence.other"))
        with pytest.raises(OwnFaultError) as broken:
            check_audit(store, since=middle)
        assert broken.value.code == "audit_broken"
        with writing(store) as conn:
            conn.execute(update(AUDIT).where(AUDIT.c.seq == seq).values(act=records[seq - 1].act))
    for mark in (AuditChainState(seq=middle.seq, hash="0" * 64), AuditChainState(seq=head.seq + 1, hash=head.hash)):
        with pytest.raises(OwnFaultError, match="another than before"):
            check_audit(store, since=mark)


def test_a_chain_that_was_made_anew_is_found_by_a_mark(store: Store) -> None:
    """Who can write the database can write a whole new chain; who kept a head elsewhere sees it."""
    filled(store)
    head = check_audit(store)
    entries = [
        Entry(actor=each.actor, act=each.act, subject=each.subject, detail=each.detail)
        for each in audits.read_chain(store)
        if each.act != "licence.status_changed"
    ]
    with writing(store) as conn:
        conn.execute(delete(AUDIT))
        conn.execute(delete(STATUS_CHANGE))
        conn.exec_driver_sql(f"UPDATE audit_head SET seq = 0, hash = '{EMPTY_CHAIN.hash}'")  # noqa: S608  # noughts
        conn.exec_driver_sql("UPDATE licence SET status = 'active'")
        audits.append(conn, entries, at=NOW)
    check_audit(store)
    check_licences(store)
    with pytest.raises(OwnFaultError) as broken:
        check_audit(store, since=head)
    assert broken.value.code == "audit_broken"


def test_a_whole_library(library: Library) -> None:
    issue(library, company_request())
    report = verify_audit(library)
    assert (report.records, report.licences) == (report.head.seq, 1)
    issue(library, company_request("91990200MA7EXAM26N"))
    later = verify_audit(library, since=report.head, chain_only=True)
    assert later.licences is None
    assert later.records == later.head.seq - report.head.seq > 0
    assert mark_of(f"{later.head.seq}:{later.head.hash}") == later.head


def test_an_export_can_be_proved_by_others(library: Library) -> None:
    issue(library, company_request())
    before = "0" * 64
    lines = [json.loads(line) for line in audit_lines(library)]
    for number, each in enumerate(lines, 1):
        covered = [
            "certlib-audit-1",
            *(each[name] for name in ("seq", "at", "actor", "act", "subject", "detail")),
            before,
        ]
        text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert each["seq"] == number
        assert each["previous_hash"] == before
        before = hashlib.sha256(text.encode()).hexdigest()
        assert each["hash"] == before
    assert verify_audit(library).head.hash == before
    assert [json.loads(line) for line in audit_lines(library, since=3)] == lines[3:]
    assert len(list(audit_lines(library, since=library.now() - timedelta(days=1)))) == len(lines)
    assert list(audit_lines(library, since=library.now() + timedelta(days=1))) == []
    text = json.dumps(lines, ensure_ascii=False)
    for personal in ("林样知", "甬江样本茶叶", "听潮路"):
        assert personal not in text


def test_where_an_export_starts() -> None:
    assert (start_of(""), start_of("17")) == (0, 17)
    assert start_of("2026-11-22") == start_of("2026-11-22T00:00:00Z") == start_of("2026-11-22T08:00:00+08:00")
    for text in ("x", "-1", "2026-13-01", "1:2"):
        with pytest.raises(InvalidRequestError):
            start_of(text)
    for text in ("5", "5:", "0:" + "0" * 64, "5:" + "g" * 64, "05:" + "0" * 64):
        with pytest.raises(InvalidRequestError):
            mark_of(text)
    assert mark_of("") == EMPTY_CHAIN


def test_memory_stays_flat(store: Store) -> None:
    def peak(records: int) -> int:
        with writing(store) as conn:
            entry = Entry(actor="a", act="test.noted", subject="s", detail={"n": 1})
            audits.append(conn, [entry] * records, at=NOW)
        tracemalloc.start()
        check_audit(store)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(10)
    assert peak(9000) < 1.3 * peak(3000)
