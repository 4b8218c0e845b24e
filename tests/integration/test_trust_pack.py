"""The trust pack: published with growing versions, opened without network, never rolled back."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from certlib.enrolling import rotate_key
from certlib.errors import SetupError
from certlib.library import Library
from certlib.model import OverallWord, Status
from certlib.store import agencies, packs
from certlib.trusting import anchor_json, open_offline, publish, published
from certlib.verdict import CheckName, Outcome, StatusSource
from certlib.verifying import verify
from signing.errors import Fault, VerificationError
from signing.keys import KeyAlgorithm, generate_key
from signing.trust import sign_pack
from tests.support.clock import Clock
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.verdicts import (
    answer,
    changed,
    flipped,
    issued,
    of,
    offline,
    other_identifier,
    picture,
    resigned,
    shop,
    token_key,
)

WORD = OverallWord


def payload(data: bytes) -> dict[str, Any]:
    """The pack's payload, unverified."""
    part = json.loads(data)["pack"].split(".")[1]
    content = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert isinstance(content, dict)
    return content


def test_versions_grow_and_a_young_pack_is_given_again(library: Library, clock: Clock) -> None:
    first = publish(library)
    assert first.version == 1
    assert published(library) == first
    clock.move(minutes=10)
    second = published(library)
    assert second.version == 2
    assert publish(library, operator="operator").version == 3


def test_old_packs_do_not_pile_up(sqlite_library: Library) -> None:
    for _ in range(packs.KEPT + 3):
        newest = publish(sqlite_library)
    kept = packs.newest_pack(sqlite_library.store)
    assert kept is not None
    assert kept.version == newest.version == packs.KEPT + 3


def test_the_pack_says_what_a_verifier_needs_and_nothing_more(sqlite_library: Library) -> None:
    shop(sqlite_library)
    licence = issued(sqlite_library)
    content = payload(publish(sqlite_library).data)
    owners = {(key["purpose"], key["owner"]) for key in content["keys"]}
    of_agencies = {(purpose, agency.code) for purpose in ("token", "seal") for agency in (MARKET_BUREAU, CITY)}
    assert owners == {*of_agencies, ("status", ""), ("receipt", "")}, "the library's own keys have no agency"
    body = content["body"]
    assert body["agencies"][CITY.code] == {"zh": CITY.name, "en": CITY.name_en, "timezone": CITY.timezone}
    assert body["types"]["2"]["code"] == "seattle-business-licence"
    assert body["types"]["1"]["fields"]["10"]["name"] == "legal_representative"
    assert list(body["status_lists"]) == [licence.status_list_uri]
    # Nobody is named in it.
    text = json.dumps(content, ensure_ascii=False)
    for personal in ("Ada Q Sample", "甬江样本茶叶贸易有限公司", "林样知", licence.identifier, licence.public_code):
        assert personal not in text


def test_a_token_is_valid_offline_and_says_how_old_the_knowledge_is(library: Library, clock: Clock) -> None:
    licence = issued(library)
    trust = offline(library)
    clock.move(hours=5)
    for given in (licence.token, picture(licence.token)):
        verdict = verify(given, trust, now=clock())
        assert answer(verdict) == (WORD.VALID_OFFLINE, "")
        assert verdict.status_source is StatusSource.SNAPSHOT
        assert verdict.snapshot_age_seconds == 5 * 3600
        assert of(verdict, CheckName.SAME_AS_RECORD).outcome is Outcome.NOT_APPLICABLE
        assert verdict.shown["number"] == licence.number


@pytest.mark.parametrize("status", [each for each in Status if each is not Status.ACTIVE])
def test_the_snapshot_carries_each_status(sqlite_library: Library, status: Status) -> None:
    one, two = issued(sqlite_library), shop(sqlite_library)
    before = offline(sqlite_library)
    changed(sqlite_library, one, status)
    after = offline(sqlite_library)
    now = sqlite_library.now()
    assert verify(one.token, before, now=now).word is WORD.VALID_OFFLINE
    assert answer(verify(one.token, after, now=now)) == (WORD(status.value), status.value)
    assert verify(two.token, after, now=now).word is WORD.VALID_OFFLINE


def test_a_stale_pack_is_never_valid_but_proves_the_end(sqlite_library: Library, clock: Clock) -> None:
    good, ended, expiring = (
        issued(sqlite_library),
        shop(sqlite_library),
        shop(sqlite_library, "0000000000000002", expires_on=clock().date() + timedelta(days=1)),
    )
    changed(sqlite_library, ended, Status.REVOKED)
    trust = offline(sqlite_library)
    clock.move(days=sqlite_library.settings.pack_days, seconds=1)
    assert answer(verify(good.token, trust, now=clock())) == (WORD.UNKNOWN, "stale_trust")
    assert answer(verify(expiring.token, trust, now=clock())) == (WORD.UNKNOWN, "stale_trust")
    assert answer(verify(ended.token, trust, now=clock())) == (WORD.REVOKED, "revoked")
    assert answer(verify(flipped(good.token), trust, now=clock())) == (WORD.FORGED, "bad_signature")


def test_dates_offline_grant_a_minute_to_the_clock(sqlite_library: Library, clock: Clock) -> None:
    last_day = clock().date() + timedelta(days=2)
    licence = shop(sqlite_library, expires_on=last_day)
    trust = offline(sqlite_library)
    last = datetime.combine(last_day, time(23, 59, 59), tzinfo=trust.names.zone(CITY.code)).astimezone(UTC)
    assert verify(licence.token, trust, now=last).word is WORD.VALID_OFFLINE
    assert verify(licence.token, trust, now=last + timedelta(seconds=60)).word is WORD.VALID_OFFLINE
    assert answer(verify(licence.token, trust, now=last + timedelta(seconds=61))) == (WORD.EXPIRED, "expired")


def test_thieves_fail_offline_too(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    trust = offline(sqlite_library)
    now = sqlite_library.now()
    stranger = resigned(sqlite_library, licence, generate_key(KeyAlgorithm.P256))
    assert answer(verify(stranger, trust, now=now)) == (WORD.UNTRUSTED_ISSUER, "unknown_key")
    other = resigned(sqlite_library, licence, token_key(sqlite_library, CITY.code))
    assert answer(verify(other, trust, now=now)) == (WORD.UNTRUSTED_ISSUER, "another_agency")
    elsewhere = resigned(sqlite_library, licence, status_uri="https://elsewhere.example/s/0")
    assert answer(verify(elsewhere, trust, now=now)) == (WORD.UNKNOWN, "no_status_list")
    beyond = resigned(sqlite_library, licence, status_index=2**20)
    assert answer(verify(beyond, trust, now=now)) == (WORD.UNKNOWN, "no_such_entry")


def test_a_code_typed_by_hand_needs_the_network(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    trust = offline(sqlite_library)
    for given in (licence.public_code, licence.identifier, other_identifier(licence.identifier)):
        assert answer(verify(given, trust, now=sqlite_library.now())) == (WORD.UNKNOWN, "needs_network")


def test_a_withdrawn_key_reaches_verifiers_with_the_next_pack(sqlite_library: Library, clock: Clock) -> None:
    licence = issued(sqlite_library)
    before = offline(sqlite_library)
    agencies.withdraw_key(
        sqlite_library.store, licence.token_kid, withdrawn_at=clock(), reason="lost", operator="tests", now=clock()
    )
    after = offline(sqlite_library)
    assert verify(licence.token, before, now=clock()).word is WORD.VALID_OFFLINE
    assert answer(verify(licence.token, after, now=clock())) == (WORD.UNTRUSTED_ISSUER, "key_withdrawn")


def test_a_rotated_key_stays_in_the_pack(sqlite_library: Library, clock: Clock) -> None:
    licence = issued(sqlite_library)
    clock.move(seconds=5)
    rotate_key(sqlite_library, MARKET_BUREAU.code, "token", algorithm=KeyAlgorithm.P256, operator="tests")
    assert verify(licence.token, offline(sqlite_library), now=clock()).word is WORD.VALID_OFFLINE


def fault_at_opening(data: bytes, **changes: Any) -> Fault:  # noqa: ANN401  # any argument of open_offline
    with pytest.raises(VerificationError) as caught:
        open_offline(data, **changes)
    return caught.value.fault


def test_an_older_pack_than_seen_is_refused(sqlite_library: Library, tmp_path: Path) -> None:
    old, new = publish(sqlite_library).data, publish(sqlite_library).data
    how: dict[str, Any] = {
        "anchor_spki_der": sqlite_library.anchor_spki_der,
        "now": sqlite_library.now(),
        "seen": tmp_path / "seen",
    }
    assert open_offline(old, **how).pack.version == 1
    assert open_offline(new, **how).pack.version == 2
    assert fault_at_opening(old, **how) is Fault.ROLLED_BACK
    assert open_offline(new, **how).pack.version == 2
    assert fault_at_opening(old, **(how | {"seen": None}), at_least_version=2) is Fault.ROLLED_BACK
    assert [path.name[-8:] for path in (tmp_path / "seen").iterdir()] == [".version"]


def test_a_damaged_memory_is_an_error_not_a_new_beginning(sqlite_library: Library, tmp_path: Path) -> None:
    data = publish(sqlite_library).data
    how: dict[str, Any] = {
        "anchor_spki_der": sqlite_library.anchor_spki_der,
        "now": sqlite_library.now(),
        "seen": tmp_path / "seen",
    }
    open_offline(data, **how)
    (memory,) = (tmp_path / "seen").iterdir()
    for content in (b"", b"0", b"-1", b"two", b"1" * 40):
        memory.write_bytes(content)
        with pytest.raises(SetupError):
            open_offline(data, **how)


def test_another_anchor_or_a_changed_pack_opens_nothing(sqlite_library: Library) -> None:
    data = publish(sqlite_library).data
    now = sqlite_library.now()
    other = generate_key(KeyAlgorithm.P256).spki_der
    assert fault_at_opening(data, anchor_spki_der=other, now=now) is Fault.UNTRUSTED_ISSUER
    middle = data.index(b'"pack"') + 400
    forged = data[:middle] + (b"A" if data[middle : middle + 1] != b"A" else b"B") + data[middle + 1 :]
    assert fault_at_opening(forged, anchor_spki_der=sqlite_library.anchor_spki_der, now=now) is Fault.BAD_SIGNATURE
    for garbage in (b"", b"{}", b"\xff", b"[" * 100_000):
        anchor = sqlite_library.anchor_spki_der
        assert fault_at_opening(garbage, anchor_spki_der=anchor, now=now) is Fault.MALFORMED


@pytest.mark.parametrize(
    "body", [{}, {"agencies": {}, "types": {}}, {"agencies": {}, "types": {}, "status_lists": {"u": 1}}]
)
def test_a_signed_pack_with_another_body_is_malformed(sqlite_library: Library, body: dict[str, Any]) -> None:
    trust = offline(sqlite_library)
    (record,) = agencies.keys(sqlite_library.store, purpose="pack")
    pack = replace(trust.pack, body=body)
    data = sign_pack(pack, pack_key=sqlite_library.signer.open(record.uri), delegation=record.delegation)
    now = sqlite_library.now()
    assert fault_at_opening(data, anchor_spki_der=sqlite_library.anchor_spki_der, now=now) is Fault.MALFORMED


def test_the_anchor_is_told_with_its_digest(sqlite_library: Library) -> None:
    anchor = anchor_json(sqlite_library)
    assert base64.urlsafe_b64decode(f"{anchor['spki']}==") == sqlite_library.anchor_spki_der
    assert len(str(anchor["sha256"])) == 64
