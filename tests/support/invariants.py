"""What must hold of a whole library at any moment. Tests call `check_invariants` after each step."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select

from certlib.audit import AuditChainState
from certlib.identifiers import GBT36904_ROOT, parse_identifier
from certlib.store.audits import check_audit, read_chain
from certlib.store.blobs import FOLDER
from certlib.store.engine import Store, reading
from certlib.store.tables import ALLOTMENT, BUNDLE, LICENCE


def check_invariants(store: Store) -> AuditChainState:
    """Fail if anything about the whole is wrong; returns where the audit chain stands.

    1. the audit chain holds up to its head; 2. identifiers, public codes and places in status lists are given once,
    to whatever became of the reservation; 3. one natural key and one request id stand for one licence at a time;
    4. numbering never runs backwards; 5. an issued licence has its PDF on disk, and exactly one record of its issue;
    6. each licence's status is where its audit records say; 7. identifiers are well formed and fit their columns.
    """
    state = check_audit(store)
    with reading(store) as conn:
        rows = conn.execute(select(LICENCE).order_by(LICENCE.c.id)).mappings().all()
        bundles = {row.id: row for row in conn.execute(select(BUNDLE))}
        allotment = conn.execute(select(ALLOTMENT)).mappings().one()
    _once("identifier", (row["identifier"] for row in rows))
    _once("public code", (row["public_code"] for row in rows))
    _once("status place", ((row["status_shard"], row["status_index"]) for row in rows))
    live = [row for row in rows if row["state"] != "void"]
    _once("natural key", ((r["agency_code"], r["type_code"], r["number"], r["version"]) for r in live))
    _once("request id", ((r["agency_code"], r["request_id"]) for r in live if r["request_id"]))
    assert all(0 <= row["status_index"] < 2**20 for row in rows)
    assert allotment["next_licence_id"] > max((row["id"] for row in rows), default=0)
    assert allotment["taken"] == sum(row["status_shard"] == allotment["shard"] for row in rows)
    for row in rows:
        _well_formed(row)
    issued = {row["identifier"]: row for row in rows if row["state"] == "issued"}
    for row in issued.values():
        bundle = bundles[row["pdf_bundle"]]
        assert (store.home / FOLDER / bundle.name).stat().st_size >= row["pdf_offset"] + row["pdf_length"]
    _audited(store, issued)
    return state


def _once(what: str, values: Iterable[object]) -> None:
    twice = [value for value, times in Counter(values).items() if times > 1]
    assert not twice, f"{what} given twice: {twice}"


def _well_formed(row: Mapping[Any, Any]) -> None:
    roots = () if row["identifier_root"] == GBT36904_ROOT else (row["identifier_root"],)
    parsed = parse_identifier(row["identifier"], plain_roots=roots)
    columns = (row["type_segment"], row["agency_segment"], row["serial"], row["version"])
    assert (parsed.type_code, parsed.agency_code, parsed.serial, int(parsed.version)) == columns
    assert row["state"] in ("prepared", "issued", "void")
    assert (row["status"] is not None) == (row["state"] == "issued")


def _audited(store: Store, issued: Mapping[str, Mapping[Any, Any]]) -> None:
    statuses: dict[str, str] = {}
    for record in read_chain(store):
        if record.act == "licence.issued":
            assert record.subject not in statuses, f"{record.subject} was issued twice"
            statuses[record.subject] = "active"
        elif record.act == "licence.status_changed":
            assert statuses[record.subject] == record.detail["from"]
            statuses[record.subject] = str(record.detail["to"])
    assert statuses == {identifier: row["status"] for identifier, row in issued.items()}
