"""Lists that a verifier without the library has fetched: the newer knowledge wins, and never the older."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from certlib.enrolling import STATUS, library_key
from certlib.errors import SetupError
from certlib.fetched_lists import with_list
from certlib.issuing import issue
from certlib.library import Library
from certlib.listing import FRESH_SECONDS, LIFE, current_list, open_lists
from certlib.model import Licence, OverallWord, Status
from certlib.snapshots import LIST_ENTRIES
from certlib.trusting import OfflineTrust, open_offline, publish
from certlib.verdict import Verdict
from certlib.verifying import verify
from signing.errors import Fault, VerificationError
from signing.statuslist import StatusListClaims, packed, sign_jwt
from tests.integration.test_listing import change
from tests.support.clock import Clock
from tests.support.libraries import company_request


@pytest.fixture
def licence(sqlite_library: Library) -> Licence:
    return issue(sqlite_library, company_request()).licence


def trust_of(lib: Library) -> OfflineTrust:
    return open_offline(publish(lib).data, anchor_spki_der=lib.anchor_spki_der, now=lib.now())


def fetched(lib: Library, *, cwt: bool = False) -> bytes:
    made = current_list(open_lists(lib), 0)
    return made.cwt if cwt else made.jwt


def signed(lib: Library, claims: StatusListClaims) -> bytes:
    return sign_jwt(claims, lib.signer.open(library_key(lib, STATUS).uri)).encode()


def a_list(
    licence: Licence, at: datetime, *, value: int = 0, bits: int = 2, size: int = LIST_ENTRIES
) -> StatusListClaims:
    statuses = packed([(licence.status_index % size, value)], bits=bits, size=size)
    return StatusListClaims(
        uri=licence.status_list_uri, issued_at=at, expires_at=at + LIFE, ttl_seconds=60, statuses=statuses
    )


def verdict(licence: Licence, trust: OfflineTrust, now: datetime) -> Verdict:
    return verify(licence.token, trust, now=now)


@pytest.mark.parametrize("form", ["jwt", "cwt"])
def test_a_newer_list_wins(sqlite_library: Library, licence: Licence, clock: Clock, form: str) -> None:
    trust = trust_of(sqlite_library)
    assert verdict(licence, trust, clock()).word is OverallWord.VALID_OFFLINE
    for to, word, fault in (
        (Status.SUSPENDED, OverallWord.SUSPENDED, "suspended"),
        (Status.ACTIVE, OverallWord.VALID_OFFLINE, ""),
        (Status.REVOKED, OverallWord.UNKNOWN, "ended"),
    ):
        clock.move(seconds=FRESH_SECONDS)
        change(sqlite_library, licence, to)
        trust = with_list(trust, fetched(sqlite_library, cwt=form == "cwt"), now=clock())
        said = verdict(licence, trust, clock())
        assert (said.word, said.fault) == (word, fault)
        assert said.status_as_of == clock(), "the age is that of the list"


def test_how_a_licence_ended_the_snapshot_knows(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    change(sqlite_library, licence, Status.REVOKED)
    trust = trust_of(sqlite_library)
    clock.move(hours=2)
    assert verdict(licence, with_list(trust, fetched(sqlite_library), now=clock()), clock()).word is OverallWord.REVOKED
    clock.move(minutes=1)
    lifted = with_list(trust, signed(sqlite_library, a_list(licence, clock())), now=clock())
    assert verdict(licence, lifted, clock()).word is OverallWord.REVOKED, "what has ended never comes back"


def test_an_older_list_never_wins(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    old = fetched(sqlite_library)
    clock.move(minutes=5)
    change(sqlite_library, licence, Status.SUSPENDED)
    trust = trust_of(sqlite_library)
    assert with_list(trust, old, now=clock()) == trust
    assert verdict(licence, with_list(trust, old, now=clock()), clock()).word is OverallWord.SUSPENDED


def test_a_list_older_than_one_seen_is_refused(
    sqlite_library: Library, licence: Licence, clock: Clock, tmp_path: Path
) -> None:
    trust, old, seen = trust_of(sqlite_library), fetched(sqlite_library), tmp_path / "seen"
    clock.move(minutes=5)
    change(sqlite_library, licence, Status.SUSPENDED)
    new = fetched(sqlite_library, cwt=True)
    with_list(trust, old, now=clock(), seen=seen)
    with_list(trust, new, now=clock(), seen=seen)
    with_list(trust, new, now=clock(), seen=seen)
    with pytest.raises(VerificationError) as error:
        with_list(trust, old, now=clock(), seen=seen)
    assert error.value.fault is Fault.ROLLED_BACK
    (memory,) = seen.iterdir()
    memory.write_text("x")
    with pytest.raises(SetupError):
        with_list(trust, new, now=clock(), seen=seen)


def test_lists_that_prove_nothing(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    trust = trust_of(sqlite_library)
    good = a_list(licence, clock())
    token_key = sqlite_library.signer.open(f"file:keys/token-{verdict_kid(licence)}.pem")
    cases = {
        Fault.WRONG_KEY: sign_jwt(good, token_key).encode(),
        Fault.STALE_STATUS: signed(sqlite_library, replace(good, issued_at=clock() - LIFE, expires_at=clock())),
        Fault.NOT_YET_VALID: signed(sqlite_library, a_list(licence, clock() + timedelta(minutes=6))),
        Fault.NO_SUCH_ENTRY: signed(sqlite_library, a_list(licence, clock(), size=2**10)),
        Fault.UNSIGNED: b'{"status_list":{}}',
        Fault.MALFORMED: b"\x00",
    }
    if clock() - LIFE < library_key(sqlite_library, STATUS).not_before_at:
        del cases[Fault.STALE_STATUS]  # the key is younger than that
        with pytest.raises(VerificationError) as stale:
            with_list(trust, fetched(sqlite_library), now=clock() + LIFE)
        assert stale.value.fault is Fault.STALE_STATUS
    for fault, data in cases.items():
        with pytest.raises(VerificationError) as error:
            with_list(trust, data, now=clock())
        assert error.value.fault is fault


def test_values_of_no_meaning_are_never_valid(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    trust = trust_of(sqlite_library)
    clock.move(minutes=1)
    for bits, value, word in (
        (2, 3, OverallWord.UNKNOWN), (4, 7, OverallWord.UNKNOWN), (8, 200, OverallWord.UNKNOWN),
        (4, 14, OverallWord.REVOKED), (4, 12, OverallWord.CANCELLED),
    ):  # fmt: skip
        data = signed(sqlite_library, a_list(licence, clock(), value=value, bits=bits))
        assert verdict(licence, with_list(trust, data, now=clock()), clock()).word is word


def verdict_kid(licence: Licence) -> str:
    return licence.token_kid
