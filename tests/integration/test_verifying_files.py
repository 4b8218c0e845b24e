"""PDFs: on record, not on record, changed, copied together, sealed by the wrong hands; live and offline."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certlib.enrolling import issuing_kit, rotate_key, throwaway_kit
from certlib.library import Library
from certlib.model import Licence, OverallWord, Status
from certlib.store import agencies
from certlib.verdict import CheckName, InputKind, Outcome, verdict_json
from certlib.verifying import verify
from signing.keys import KeyAlgorithm
from tests.support.clock import Clock
from tests.support.files import encrypted, piece, recorded, scan_of, sealed_file, token_of, unsealed
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.tampering import Tamper, appended, with_revision
from tests.support.verdicts import answer, asked, changed, flipped, issued, of, offline, picture, shop

WORD = OverallWord
ROOT = Path(__file__).resolve().parents[2]
SHARED_FILES = sorted((ROOT.parent / "shared" / "vectors" / "pdf").glob("*.pdf"))


def withdraw(lib: Library, kid: str) -> None:
    agencies.withdraw_key(lib.store, kid, withdrawn_at=lib.now(), reason="stolen", operator="tests", now=lib.now())


def test_a_recorded_file_is_valid_live(library: Library) -> None:
    licence = issued(library)
    verdict = asked(library, recorded(library, licence))
    assert answer(verdict) == (WORD.VALID, "")
    assert verdict.kind is InputKind.PDF
    assert of(verdict, CheckName.INTEGRITY_AND_SEAL).evidence["signer"] == MARKET_BUREAU.name
    assert of(verdict, CheckName.SAME_AS_RECORD).code == "same"
    assert of(verdict, CheckName.SAME_DOCUMENT).code == "same_bytes"
    assert verdict.shown["public_code"] == licence.public_code
    assert verdict.shown["check_phrase"] == licence.check_phrase


@pytest.mark.parametrize("status", [Status.SUSPENDED, Status.REVOKED])
def test_a_recorded_file_follows_its_status(sqlite_library: Library, status: Status) -> None:
    licence = issued(sqlite_library)
    pdf = recorded(sqlite_library, licence)
    changed(sqlite_library, licence, status)
    verdict = asked(sqlite_library, pdf)
    assert answer(verdict) == (WORD(status.value), status.value)
    assert of(verdict, CheckName.INTEGRITY_AND_SEAL).outcome is Outcome.PASSED


def test_an_old_file_names_the_newer_licence(sqlite_library: Library) -> None:
    old = issued(sqlite_library)
    new = issued(sqlite_library, version=2, previous_identifier=old.identifier)
    verdict = asked(sqlite_library, recorded(sqlite_library, old))
    assert answer(verdict) == (WORD.SUPERSEDED, "superseded")
    assert of(verdict, CheckName.SUPERSEDED_BY).evidence == {"identifier": new.identifier}


def test_a_file_outlives_the_certificate_that_sealed_it(sqlite_library: Library, clock: Clock) -> None:
    licence = issued(sqlite_library)
    pdf = recorded(sqlite_library, licence)
    clock.move(days=3 * 365)
    assert answer(asked(sqlite_library, pdf)) == (WORD.VALID, "")


def changed_page(pdf: bytes) -> bytes:
    """One bit of the first stream that only this licence has."""
    place = pdf.rindex(b"endstream", 0, pdf.index(b"/ByteRange")) - 20
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (appended(b"\n"), "not_fully_covered"),
        (appended(b"%comment\n"), "not_fully_covered"),
        (appended(bytes(2000)), "not_fully_covered"),
        (with_revision(1, b"<< /Type /Catalog >>"), "not_fully_covered"),
        (changed_page, "bad_signature"),
    ],
)
def test_a_changed_file_is_forged(sqlite_library: Library, tamper: Tamper, fault: str) -> None:
    verdict = asked(sqlite_library, tamper(recorded(sqlite_library, issued(sqlite_library))))
    assert verdict.word is WORD.FORGED
    assert verdict.fault in {fault, "modified_after_sealing", "malformed"}


def test_no_bit_of_the_file_can_change_unseen(sqlite_library: Library) -> None:
    """Every region, the gap too: what the seal cannot see, the digest on record does."""
    pdf = recorded(sqlite_library, issued(sqlite_library))
    places = [*range(0, len(pdf), len(pdf) // 60), pdf.index(b"/Contents") + 12, len(pdf) - 2]
    for place in places:
        broken = pdf[:place] + bytes([pdf[place] ^ 4]) + pdf[place + 1 :]
        assert asked(sqlite_library, broken).word in {WORD.FORGED, WORD.UNTRUSTED_ISSUER, WORD.UNKNOWN}, place


def test_a_cut_file_is_never_good(sqlite_library: Library) -> None:
    pdf = recorded(sqlite_library, issued(sqlite_library))
    for length in (10, 1000, len(pdf) // 2, len(pdf) - 10, len(pdf) - 1):
        assert asked(sqlite_library, pdf[:length]).word in {WORD.FORGED, WORD.UNKNOWN}, length


def test_a_seal_moved_to_another_file_is_forged(sqlite_library: Library) -> None:
    one, two = recorded(sqlite_library, issued(sqlite_library)), recorded(sqlite_library, shop(sqlite_library))
    verdict = asked(sqlite_library, with_seal_of(one, two))
    assert answer(verdict) == (WORD.FORGED, "bad_signature")


def with_seal_of(pdf: bytes, other: bytes) -> bytes:
    """`pdf` with the seal's digits of `other`."""
    (start, end), (begin, stop) = gap(pdf), gap(other)
    return pdf[:start] + other[begin:stop].ljust(end - start, b"0")[: end - start] + pdf[end:]


def gap(pdf: bytes) -> tuple[int, int]:
    start = pdf.index(b"<30", pdf.index(b"/ByteRange")) + 1
    return start, pdf.index(b">", start)


def test_a_changed_padding_digit_is_forged(sqlite_library: Library) -> None:
    pdf = recorded(sqlite_library, issued(sqlite_library))
    _, end = gap(pdf)
    assert asked(sqlite_library, pdf[: end - 1] + b"1" + pdf[end:]).word is WORD.FORGED


def test_seal_digits_in_capitals_are_forged_by_the_record(sqlite_library: Library) -> None:
    """The seal itself holds; only the record knows that these are other bytes."""
    pdf = recorded(sqlite_library, issued(sqlite_library))
    start, end = gap(pdf)
    capitals = pdf[:start] + pdf[start:end].upper() + pdf[end:]
    assert capitals != pdf
    verdict = asked(sqlite_library, capitals)
    assert verdict.word is WORD.FORGED
    assert verdict.fault in {"differs_from_record", "malformed"}


def test_sealed_but_never_recorded_is_unknown(sqlite_library: Library) -> None:
    """The agency's own keys, and no record: a restored database, or keys in the wrong hands."""
    verdict = asked(sqlite_library, sealed_file(sqlite_library, piece(sqlite_library, company_request())))
    assert answer(verdict) == (WORD.UNKNOWN, "not_on_record")
    assert of(verdict, CheckName.SAME_DOCUMENT).code == "one_licence"
    assert of(verdict, CheckName.ISSUER_TRUSTED).outcome is Outcome.PASSED


def test_other_bytes_under_a_recorded_identifier_are_forged(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    again = piece(sqlite_library, company_request(), identifier=licence.identifier)
    verdict = asked(sqlite_library, sealed_file(sqlite_library, again))
    assert answer(verdict) == (WORD.FORGED, "differs_from_record")


def test_the_code_of_another_licence_on_the_page_is_forged(sqlite_library: Library) -> None:
    other = issued(sqlite_library)
    own = piece(sqlite_library, company_request())
    pdf = sealed_file(sqlite_library, own, code_on_page=other.token)
    for verdict in (
        asked(sqlite_library, pdf),
        verify(pdf, offline(sqlite_library), now=sqlite_library.now()),
    ):
        assert answer(verdict) == (WORD.FORGED, "does_not_match_document")
        assert of(verdict, CheckName.SAME_DOCUMENT).evidence["part"] == "code on the page"


def test_the_token_of_another_licence_inside_is_forged(sqlite_library: Library) -> None:
    own = piece(sqlite_library, company_request())
    other = token_of(sqlite_library, piece(sqlite_library, company_request()))
    verdict = asked(sqlite_library, sealed_file(sqlite_library, own, token=other))
    assert answer(verdict) == (WORD.FORGED, "does_not_match_document")
    assert of(verdict, CheckName.SAME_DOCUMENT).evidence["part"] == "attached token"


def test_a_forged_token_inside_is_forged(sqlite_library: Library) -> None:
    own = piece(sqlite_library, company_request())
    token = token_of(sqlite_library, own)
    broken = replace(token, text="http://127.0.0.1:8080/q#" + flipped(token.text))
    verdict = asked(sqlite_library, sealed_file(sqlite_library, own, token=broken))
    assert answer(verdict) == (WORD.FORGED, "does_not_match_document")


def test_another_agencys_seal_is_not_trusted(sqlite_library: Library) -> None:
    own = piece(sqlite_library, company_request())
    kit = issuing_kit(sqlite_library, CITY.code)
    mixed = replace(own, kit=replace(own.kit, sealer=kit.sealer, seal_kid=kit.seal_kid))
    verdict = asked(sqlite_library, sealed_file(sqlite_library, mixed))
    assert answer(verdict) == (WORD.UNTRUSTED_ISSUER, "another_agency")


def test_a_look_alike_certificate_is_not_trusted(sqlite_library: Library) -> None:
    """All names right, the root somebody's own."""
    kit = throwaway_kit(MARKET_BUREAU, now=sqlite_library.now())
    look_alike = piece(sqlite_library, company_request(), kit=kit)
    verdict = asked(sqlite_library, sealed_file(sqlite_library, look_alike))
    assert verdict.word is WORD.UNTRUSTED_ISSUER
    assert verdict.fault in {"untrusted_issuer", "unknown_key"}


def test_a_withdrawn_seal_key_takes_its_files_along(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    pdf = recorded(sqlite_library, licence)
    withdraw(sqlite_library, licence.seal_kid)
    assert answer(asked(sqlite_library, pdf)) == (WORD.UNTRUSTED_ISSUER, "key_withdrawn")
    verdict = verify(pdf, offline(sqlite_library), now=sqlite_library.now())
    assert answer(verdict) == (WORD.UNTRUSTED_ISSUER, "key_withdrawn")


def test_a_withdrawn_token_key_spoils_the_paper_not_the_recorded_file(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    pdf = recorded(sqlite_library, licence)
    withdraw(sqlite_library, licence.token_kid)
    assert answer(asked(sqlite_library, pdf)) == (WORD.VALID, "")
    assert answer(asked(sqlite_library, picture(licence.token))) == (WORD.UNTRUSTED_ISSUER, "key_withdrawn")


def test_a_replaced_seal_key_leaves_its_files_good(sqlite_library: Library, clock: Clock) -> None:
    pdf = recorded(sqlite_library, issued(sqlite_library))
    clock.move(seconds=10)
    rotate_key(sqlite_library, MARKET_BUREAU.code, "seal", algorithm=KeyAlgorithm.P256, operator="tests")
    clock.move(days=100)
    assert answer(asked(sqlite_library, pdf)) == (WORD.VALID, "")


def test_an_rsa_seal_is_as_good(sqlite_library: Library, clock: Clock) -> None:
    clock.move(seconds=1)
    rotate_key(sqlite_library, MARKET_BUREAU.code, "seal", algorithm=KeyAlgorithm.RSA2048, operator="tests")
    pdf = recorded(sqlite_library, issued(sqlite_library))
    assert answer(asked(sqlite_library, pdf)) == (WORD.VALID, "")
    assert verify(pdf, offline(sqlite_library), now=clock()).word is WORD.VALID_OFFLINE


def test_a_licence_without_its_seal_is_forged(sqlite_library: Library) -> None:
    verdict = asked(sqlite_library, unsealed(recorded(sqlite_library, issued(sqlite_library))))
    assert answer(verdict) == (WORD.FORGED, "unsigned")


def test_a_scan_as_pdf_is_unknown_and_says_that_its_code_is_genuine(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    verdict = asked(sqlite_library, scan_of(picture(licence.token)))
    assert answer(verdict) == (WORD.UNKNOWN, "unsigned")
    assert of(verdict, CheckName.INTEGRITY_AND_SEAL).evidence["code_on_page"] == "genuine"
    assert verdict.shown["number"] == licence.number
    strange = asked(sqlite_library, scan_of(picture(flipped(licence.token))))
    assert answer(strange) == (WORD.UNKNOWN, "unsigned")
    assert "code_on_page" not in of(strange, CheckName.INTEGRITY_AND_SEAL).evidence
    assert strange.shown == {}


def test_an_encrypted_file_is_never_good(sqlite_library: Library) -> None:
    pdf = recorded(sqlite_library, issued(sqlite_library))
    assert asked(sqlite_library, encrypted(pdf)).word in {WORD.UNKNOWN, WORD.FORGED}
    assert answer(asked(sqlite_library, encrypted(scan_of(picture("x"))))) in {
        (WORD.UNKNOWN, "encrypted"),
        (WORD.UNKNOWN, "unsigned"),
    }


def test_a_file_is_valid_offline(sqlite_library: Library, clock: Clock) -> None:
    licence = issued(sqlite_library)
    pdf = recorded(sqlite_library, licence)
    trust = offline(sqlite_library)
    clock.move(hours=2)
    verdict = verify(pdf, trust, now=clock())
    assert answer(verdict) == (WORD.VALID_OFFLINE, "")
    assert of(verdict, CheckName.SAME_DOCUMENT).code == "one_licence"
    assert of(verdict, CheckName.SAME_AS_RECORD).code == "needs_network"
    assert verdict.snapshot_age_seconds == 7200
    changed(sqlite_library, licence, Status.WITHDRAWN)
    assert answer(verify(pdf, offline(sqlite_library), now=clock())) == (WORD.WITHDRAWN, "withdrawn")
    clock.move(days=8)
    assert answer(verify(pdf, trust, now=clock())) == (WORD.UNKNOWN, "stale_trust")


def test_a_file_sealed_in_the_future_tells_nothing(sqlite_library: Library, clock: Clock) -> None:
    clock.move(hours=1)
    pdf = recorded(sqlite_library, issued(sqlite_library))
    verdict = verify(pdf, sqlite_library, now=clock() - timedelta(hours=1))
    assert answer(verdict) == (WORD.UNKNOWN, "not_yet_valid")


@pytest.mark.skipif(not SHARED_FILES, reason="no ../shared/vectors/pdf here")
@pytest.mark.parametrize("name", [path.name for path in SHARED_FILES])
def test_foreign_and_damaged_files_are_never_good(sqlite_library: Library, name: str) -> None:
    path = ROOT.parent / "shared" / "vectors" / "pdf" / name
    verdict = asked(sqlite_library, path.read_bytes())
    assert verdict.word in {WORD.FORGED, WORD.UNTRUSTED_ISSUER, WORD.UNKNOWN}
    assert verdict_json(verdict)["fault"]


def test_the_persons_code_is_never_shown(sqlite_library: Library) -> None:
    licence: Licence = issued(sqlite_library)
    wire = verdict_json(asked(sqlite_library, recorded(sqlite_library, licence)))
    for check in wire["checks"]:  # type: ignore[union-attr]  # a list of objects
        assert licence.holders[0].name not in str(check)
