"""Another library's trust pack vouches for its agencies while it is imported, and for nobody else."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certlib import foreign
from certlib.answering import public_answer
from certlib.clients import add_asking_agency
from certlib.enrolling import add_agency
from certlib.errors import CertlibError, NotFoundError
from certlib.issuing import issue
from certlib.library import Library, close_library
from certlib.model import Licence, Status
from certlib.store import audits, lookups, statuses
from certlib.trusting import publish
from certlib.verdict import CheckName, Verdict
from certlib.verifying import verify
from signing.keys import KeyAlgorithm
from tests.support.clock import Clock
from tests.support.foreign import BRIDGE_BUREAU, HARBOUR, anchor_digest, foreign_request, new_foreign_home, open_foreign
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request


def check_of(verdict: Verdict, name: CheckName) -> dict[str, str]:
    """The evidence of one check."""
    return next(dict(each.evidence) for each in verdict.checks if each.name is name)


def words(lib: Library, licence: Licence, pdf: bytes) -> set[str]:
    """What the library says of the licence's token and file."""
    return {verify(each, lib, now=lib.now()).word.value for each in (licence.token, pdf)}


def refusal(lib: Library, data: bytes, anchor: bytes | str) -> str:
    """The code of the refusal of an import."""
    with pytest.raises(CertlibError) as caught:
        foreign.import_pack(lib, data, anchor=anchor, operator="tests")
    faults = getattr(caught.value, "faults", ())
    return faults[0].code if faults else caught.value.code


def test_tokens_and_files_of_an_imported_library_verify(library: Library, bridge: Library, clock: Clock) -> None:
    licence = issue(bridge, foreign_request()).licence
    pdf = lookups.pdf_of(bridge.store, licence)
    assert words(library, licence, pdf) == {"untrusted_issuer"}
    pack, changed = foreign.import_pack(library, publish(bridge).data, anchor=anchor_digest(bridge), operator="anna")
    assert (pack.name, changed) == ("Bridge library", True)
    clock.move(seconds=600)
    for each in (licence.token, pdf):
        verdict = verify(each, library, now=library.now())
        assert (verdict.word, verdict.snapshot_age_seconds) == ("valid_offline", 600)
        assert check_of(verdict, CheckName.ISSUER_TRUSTED)["library"] == "Bridge library"
    own = issue(library, company_request()).licence
    assert words(library, own, lookups.pdf_of(library.store, own)) == {"valid"}
    records = [each for each in audits.read_chain(library.store) if each.act == "trust.imported"]
    assert [(each.actor, each.subject) for each in records] == [("anna", anchor_digest(bridge))]
    check_invariants(library.store)


def test_a_newer_pack_takes_the_place_and_an_older_one_never_comes_back(library: Library, bridge: Library) -> None:
    licence = issue(bridge, foreign_request()).licence
    first = publish(bridge).data
    foreign.import_pack(library, first, anchor=bridge.anchor_spki_der, operator="tests")
    assert not foreign.import_pack(library, first, anchor=bridge.anchor_spki_der, operator="tests")[1]
    at = bridge.now()
    statuses.change_status(
        bridge.store, licence.identifier, to=Status.REVOKED, reason="r", document_number="d", operator="o",
        effective_at=at, now=at,
    )  # fmt: skip
    second = publish(bridge).data
    foreign.import_pack(library, second, anchor=bridge.anchor_spki_der, operator="tests")
    assert verify(licence.token, library, now=library.now()).word == "revoked"
    assert refusal(library, first, bridge.anchor_spki_der) == "rolled_back"
    foreign.remove_pack(library, anchor_digest(bridge), operator="tests")
    assert verify(licence.token, library, now=library.now()).word == "untrusted_issuer"
    assert refusal(library, first, bridge.anchor_spki_der) == "rolled_back"
    with pytest.raises(NotFoundError):
        foreign.remove_pack(library, anchor_digest(bridge), operator="tests")
    assert foreign.import_pack(library, second, anchor=bridge.anchor_spki_der, operator="tests")[1]
    check_invariants(library.store)


def test_a_pack_that_is_not_what_its_library_signed_is_refused(sqlite_library: Library, bridge: Library) -> None:
    data = publish(bridge).data
    file = json.loads(data)
    head, payload, signature = file["pack"].split(".")
    content = json.loads(base64.urlsafe_b64decode(payload + "=="))
    content["issuer"] = "Somebody"
    changed = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    tampered = json.dumps({**file, "pack": f"{head}.{changed}.{signature}"}).encode()
    digest = anchor_digest(bridge)
    assert refusal(sqlite_library, tampered, digest) == "bad_signature"
    assert refusal(sqlite_library, data, digest[::-1]) == "untrusted_issuer"
    assert refusal(sqlite_library, data, sqlite_library.anchor_spki_der) in {"bad_signature", "untrusted_issuer"}
    for rubbish in (b"", b"{}", b'{"pack":"a"}', b'{"pack":"a.b.c","delegation":"x"}', b"\xff" * 40, data[:-30]):
        assert refusal(sqlite_library, rubbish, digest) == "malformed"
    assert foreign.imported(sqlite_library) == ()


def test_our_own_pack_and_one_with_our_agency_are_refused(library: Library, bridge: Library, clock: Clock) -> None:
    clock.move(seconds=60)  # the library may have been made a little after the clock was started
    assert refusal(library, publish(library).data, library.anchor_spki_der) == "name_taken"
    add_agency(library, replace(BRIDGE_BUREAU), seal_algorithm=KeyAlgorithm.P256, operator="tests")
    assert refusal(library, publish(bridge).data, bridge.anchor_spki_der) == "name_taken"


def test_who_only_asks_here_may_issue_there_and_the_other_way_round(library: Library, bridge: Library) -> None:
    add_asking_agency(library, BRIDGE_BUREAU, operator="tests")
    add_asking_agency(bridge, MARKET_BUREAU, operator="tests")
    licence, own = issue(bridge, foreign_request()).licence, issue(library, company_request()).licence
    foreign.import_pack(library, publish(bridge).data, anchor=bridge.anchor_spki_der, operator="tests")
    assert verify(licence.token, library, now=library.now()).word == "valid_offline"
    assert verify(own.token, library, now=library.now()).word == "valid"
    assert foreign.agencies_of(library, anchor_digest(bridge)) == {BRIDGE_BUREAU.code, HARBOUR.code}


def test_two_packs_with_one_agency_are_refused_also_in_a_race(
    library: Library, bridge: Library, tmp_path: Path, clock: Clock
) -> None:
    new_foreign_home(tmp_path / "double", now=clock(), name="Double")
    double = open_foreign(tmp_path / "double", now=clock)
    both = [(lib.anchor_spki_der, publish(lib).data) for lib in (bridge, double)]
    close_library(double)

    def take(which: int) -> str:
        try:
            foreign.import_pack(library, both[which][1], anchor=both[which][0], operator="tests")
        except CertlibError as error:
            return error.code
        return "taken in"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(take, (0, 1))) == ["name_taken", "taken in"]
    assert len(foreign.imported(library)) == 1
    check_invariants(library.store)


def test_a_foreign_key_never_speaks_for_an_agency_that_became_ours(sqlite_library: Library, bridge: Library) -> None:
    licence = issue(bridge, foreign_request()).licence
    foreign.import_pack(sqlite_library, publish(bridge).data, anchor=bridge.anchor_spki_der, operator="tests")
    assert verify(licence.token, sqlite_library, now=sqlite_library.now()).word == "valid_offline"
    add_agency(sqlite_library, BRIDGE_BUREAU, seal_algorithm=KeyAlgorithm.P256, operator="tests")
    assert verify(licence.token, sqlite_library, now=sqlite_library.now()).word == "untrusted_issuer"


def test_a_stale_pack_is_no_ground_and_one_whose_delegation_ended_neither(
    sqlite_library: Library, bridge: Library, clock: Clock
) -> None:
    licence = issue(bridge, foreign_request()).licence
    foreign.import_pack(sqlite_library, publish(bridge).data, anchor=bridge.anchor_spki_der, operator="tests")
    clock.move(days=8)
    verdict = verify(licence.token, sqlite_library, now=clock())
    assert (verdict.word, verdict.fault) == ("unknown", "stale_trust")
    clock.at = datetime(2060, 1, 1, tzinfo=UTC)
    assert verify(licence.token, sqlite_library, now=clock()).word == "untrusted_issuer"
    assert foreign.imported(sqlite_library)[0][1] is None


def test_what_is_public_here_stays_ours(sqlite_library: Library, bridge: Library) -> None:
    from certlib.retrieving import open_reader  # noqa: PLC0415

    licence = issue(bridge, foreign_request()).licence
    foreign.import_pack(sqlite_library, publish(bridge).data, anchor=bridge.anchor_spki_der, operator="tests")
    reader = open_reader(sqlite_library)
    with pytest.raises(NotFoundError):
        public_answer(reader, licence.public_code, now=sqlite_library.now())
    reader.close()
