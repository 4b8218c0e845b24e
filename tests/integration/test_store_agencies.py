"""Agencies, keys, types, batches and trust packs: small tables, each change with its audit record."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from certlib.errors import ConflictError, NotFoundError
from certlib.identifiers import AgencyCode
from certlib.model import Sha256
from certlib.store import agencies, batches, packs
from certlib.store.audits import records_about
from certlib.store.engine import Store
from certlib.store.values import Batch, BatchCounts, KeyRecord
from tests.support.invariants import check_invariants
from tests.support.makers import (
    AGENCY_CODE,
    NOW,
    OTHER_AGENCY_CODE,
    TYPE_CODE,
    TYPE_DIGEST,
    make_agency,
    reserve_one,
)

YEAR = timedelta(days=365)


def make_key(kid: str = "00" * 8, *, purpose: str = "seal", owner: AgencyCode | None = AGENCY_CODE) -> KeyRecord:
    return KeyRecord(
        kid=kid,
        purpose=purpose,
        algorithm="p256",
        owner=owner,
        uri=f"file:keys/{kid}.pem",
        spki_der=b"spki " + kid.encode(),
        certificate_der=b"certificate",
        delegation="",
        not_before_at=NOW,
        not_after_at=NOW + YEAR,
        withdrawn_at=None,
        created_at=NOW,
    )


def acts(store: Store, subject: str) -> list[str]:
    check_invariants(store)
    return [record.act for record in records_about(store, subject)]


def test_an_agency_is_taken_in_once(store: Store) -> None:
    assert agencies.agency(store, AGENCY_CODE) == make_agency()
    with pytest.raises(ConflictError) as twice:
        agencies.add_agency(store, make_agency(name="another name"), operator="o", now=NOW)
    assert twice.value.code == "agency_exists"
    other = make_agency(OTHER_AGENCY_CODE)
    agencies.add_agency(store, other, operator="o", now=NOW)
    assert agencies.all_agencies(store) == (other, make_agency())
    with pytest.raises(NotFoundError) as unknown:
        agencies.agency(store, "NOBODY")
    assert unknown.value.code == "agency_not_found"
    assert acts(store, OTHER_AGENCY_CODE) == ["agency.added"]


def test_keys_are_listed_by_owner_and_purpose(store: Store) -> None:
    root, seal = make_key("aa" * 8, purpose="root", owner=None), make_key("bb" * 8)
    token = replace(make_key("cc" * 8, purpose="token"), created_at=NOW - YEAR, certificate_der=None)
    for each in (root, seal, token):
        agencies.add_key(store, each, operator="o")
    assert agencies.keys(store) == (token, root, seal)
    assert agencies.keys(store, owner=AGENCY_CODE) == (token, seal)
    assert agencies.keys(store, purpose="root") == (root,)
    assert agencies.keys(store, owner=AGENCY_CODE, purpose="root") == ()
    assert agencies.key(store, seal.kid) == seal
    with pytest.raises(ConflictError):
        agencies.add_key(store, seal, operator="o")
    with pytest.raises(NotFoundError):
        agencies.add_key(store, make_key("dd" * 8, owner=AgencyCode("NOBODY")), operator="o")
    with pytest.raises(NotFoundError):
        agencies.key(store, "ee" * 8)
    assert acts(store, seal.kid) == ["key.added"]


def test_a_key_is_shortened_never_lengthened(store: Store) -> None:
    key = make_key()
    agencies.add_key(store, key, operator="o")
    agencies.shorten_key(store, key.kid, not_after_at=NOW + 2 * YEAR, operator="o", now=NOW)
    assert agencies.key(store, key.kid) == key
    agencies.shorten_key(store, key.kid, not_after_at=NOW + YEAR / 2, operator="o", now=NOW)
    assert agencies.key(store, key.kid) == replace(key, not_after_at=NOW + YEAR / 2)
    assert acts(store, key.kid) == ["key.added", "key.shortened"]


def test_a_key_is_withdrawn_and_only_ever_earlier(store: Store) -> None:
    key = make_key()
    agencies.add_key(store, key, operator="o")
    when = NOW + timedelta(days=9)
    agencies.withdraw_key(store, key.kid, withdrawn_at=when, reason="stolen", operator="o", now=NOW)
    assert agencies.key(store, key.kid).withdrawn_at == when
    with pytest.raises(ConflictError):
        agencies.withdraw_key(store, key.kid, withdrawn_at=when + YEAR, reason="x", operator="o", now=NOW)
    agencies.withdraw_key(store, key.kid, withdrawn_at=NOW, reason="stolen before", operator="o", now=NOW)
    assert agencies.key(store, key.kid).withdrawn_at == NOW
    assert acts(store, key.kid) == ["key.added", "key.withdrawn", "key.withdrawn"]


def test_a_waiting_key_is_certified_once(store: Store) -> None:
    waiting = replace(make_key(purpose="seal_request"), certificate_der=None)
    agencies.add_key(store, waiting, operator="o")
    certified = replace(waiting, purpose="seal", certificate_der=b"certificate")
    with pytest.raises(ConflictError):
        agencies.certify_key(store, replace(certified, spki_der=b"other"), operator="o", now=NOW)
    agencies.certify_key(store, certified, operator="o", now=NOW)
    assert agencies.key(store, waiting.kid) == certified
    with pytest.raises(ConflictError):
        agencies.certify_key(store, certified, operator="o", now=NOW)
    with pytest.raises(NotFoundError):
        agencies.certify_key(store, make_key("ff" * 8), operator="o", now=NOW)
    assert acts(store, waiting.kid) == ["key.added", "key.certified"]


def register_type(store: Store, digest: str, version: int = 1) -> None:
    agencies.register_type(
        store, code=TYPE_CODE, version=version, digest=Sha256(digest), type_toml="x", operator="o", now=NOW
    )


def test_a_type_version_is_frozen_once_it_was_used(store: Store) -> None:
    register_type(store, TYPE_DIGEST)
    assert acts(store, TYPE_CODE) == ["type.registered"]
    register_type(store, "1" * 64)
    register_type(store, TYPE_DIGEST)
    assert acts(store, TYPE_CODE) == ["type.registered"] * 3
    reserve_one(store)
    register_type(store, TYPE_DIGEST)
    with pytest.raises(ConflictError) as frozen:
        register_type(store, "1" * 64)
    assert frozen.value.code == "type_frozen"
    register_type(store, "2" * 64, version=2)
    assert agencies.current_type(store, TYPE_CODE).version == 2
    assert agencies.type_version(store, TYPE_CODE, 1).digest == TYPE_DIGEST
    assert [each.version for each in agencies.all_types(store)] == [1, 2]
    with pytest.raises(NotFoundError):
        agencies.current_type(store, "no-such-type")
    with pytest.raises(NotFoundError):
        agencies.type_version(store, TYPE_CODE, 3)


def open_batch(store: Store, file: str = "a", agency_code: str = AGENCY_CODE) -> Batch:
    return batches.open_batch(
        store,
        file_sha256=Sha256(file * 64),
        map_sha256=Sha256("b" * 64),
        type_code=TYPE_CODE,
        agency_code=agency_code,
        operator="o",
        now=NOW,
    )


def test_the_same_file_is_the_same_batch(store: Store) -> None:
    first = open_batch(store)
    assert open_batch(store) == first
    other = open_batch(store, "c")
    assert batches.all_batches(store) == tuple(sorted((first, other), key=lambda each: each.id))
    with ThreadPoolExecutor(8) as pool:
        assert len({each.id for each in pool.map(lambda _: open_batch(store, "d"), range(8))}) == 1
    with pytest.raises(NotFoundError):
        open_batch(store, "e", "NOBODY")
    assert acts(store, first.id) == ["batch.opened"]


def test_a_batch_says_how_far_it_came(store: Store) -> None:
    batch = open_batch(store)
    later = NOW + timedelta(minutes=1)
    counts = BatchCounts(read=10, issued=7, already=2, refused=1)
    batches.record_progress(store, batch.id, counts, now=later)
    assert batches.batch(store, batch.id) == replace(batch, counts=counts, updated_at=later)
    batches.record_progress(store, batch.id, counts, now=later, finished=True)
    assert batches.batch(store, batch.id).finished_at == later
    assert acts(store, batch.id) == ["batch.opened", "batch.finished"]
    with pytest.raises(NotFoundError):
        batches.record_progress(store, "x", counts, now=later)


def test_pack_versions_only_grow(store: Store) -> None:
    assert packs.newest_pack(store) is None
    assert packs.next_pack_version(store) == 1
    for version in range(1, 13):
        packs.keep_pack(store, version=version, data=b"pack", operator="o", now=NOW)
    assert packs.next_pack_version(store) == 13
    newest = packs.newest_pack(store)
    assert newest is not None
    assert (newest.version, newest.data, newest.issued_at) == (12, b"pack", NOW)
    with pytest.raises(ConflictError) as twice:
        packs.keep_pack(store, version=12, data=b"other", operator="o", now=NOW)
    assert twice.value.code == "pack_exists"
    assert packs.status_list_uris(store) == ("http://127.0.0.1:8080/s/0",)
    check_invariants(store)
