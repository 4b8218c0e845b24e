"""Tokens, codes and pictures against a live library: right word, right reason, nothing personal to strangers."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from certlib.enrolling import rotate_key, throwaway_kit
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Licence, OverallWord, Status
from certlib.store import agencies
from certlib.verdict import CheckName, InputKind, Outcome, StatusSource, moment, verdict_json
from signing import tokens
from signing.keys import KeyAlgorithm, generate_key
from tests.support.clock import Clock
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.verdicts import (
    answer,
    asked,
    at,
    blank_picture,
    changed,
    claims_of,
    flipped,
    issued,
    malleated,
    of,
    other_identifier,
    picture,
    resigned,
    shop,
    token_key,
)

WORD = OverallWord


def test_a_good_token_is_valid_live(library: Library) -> None:
    licence = issued(library)
    verdict = asked(library, licence.token)
    assert answer(verdict) == (WORD.VALID, "")
    assert verdict.kind is InputKind.TOKEN
    assert verdict.status_source is StatusSource.LIVE
    assert [each.name for each in verdict.checks] == list(CheckName)
    assert of(verdict, CheckName.INTEGRITY_AND_SEAL).evidence == {"check_phrase": licence.check_phrase}
    assert of(verdict, CheckName.ISSUER_TRUSTED).evidence["agency"] == MARKET_BUREAU.code
    assert of(verdict, CheckName.SAME_AS_RECORD).outcome is Outcome.PASSED


def test_the_token_shows_its_own_words_with_the_librarys_labels(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    shown = verdict_json(asked(sqlite_library, licence.token))["shown"]
    assert shown == {
        "identifier": licence.identifier,
        "type": {"code": "business-licence", "zh": "营业执照", "en": "Business licence"},
        "number": licence.number,
        "number_label": {"zh": "统一社会信用代码", "en": "Unified social credit code"},
        "agency": {"code": MARKET_BUREAU.code, "zh": MARKET_BUREAU.name, "en": MARKET_BUREAU.name_en},
        "holders": [{"name": "甬江样本茶叶贸易有限公司", "code": ""}],
        "signed_at": moment(sqlite_library.now()),
        "effective_on": "2026-11-18",
        "expires_on": None,
        "fields": [
            {
                "name": "legal_representative",
                "label": {"zh": "法定代表人", "en": "Legal representative"},
                "kind": "text",
                "value": "林样知",
            },
            {
                "name": "registered_capital",
                "label": {"zh": "注册资本", "en": "Registered capital"},
                "kind": "money",
                "value": "1680000.00",
            },
        ],
        "check_phrase": licence.check_phrase,
    }


def test_each_written_form_of_a_token_is_the_same_token(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    digits = tokens.digits_of(licence.token)
    older = tokens.digits_of(resigned(sqlite_library, licence, fields={1: 1, 2: "x", 3: "y"}))
    for text in (
        digits,
        f"  {licence.token}\r\n",
        f"https://evil.example/phish#{digits}",
        f"HTTPSÖ--127.0.0.1Ä8080-Q{digits}",  # a keyboard layout garbles the prefix
        f"{older}\n{digits}",  # the scanner's buffer holds an older code
        digits.translate({ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)}),
    ):
        assert answer(asked(sqlite_library, text)) == (WORD.VALID, ""), text[:40]
        assert answer(asked(sqlite_library, text.encode())) == (WORD.VALID, ""), text[:40]


@pytest.mark.parametrize(
    "status", [Status.SUSPENDED, Status.CANCELLED, Status.WITHDRAWN, Status.REVOKED, Status.SUPERSEDED]
)
def test_a_status_change_is_seen_at_once(sqlite_library: Library, status: Status) -> None:
    licence = issued(sqlite_library)
    changed(sqlite_library, licence, status)
    for given in (licence.token, licence.public_code, licence.identifier):
        verdict = asked(sqlite_library, given)
        assert answer(verdict) == (WORD(status.value), status.value)
    assert of(asked(sqlite_library, licence.token), CheckName.INTEGRITY_AND_SEAL).outcome is Outcome.PASSED


def test_a_restored_licence_is_valid_again(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    changed(sqlite_library, licence, Status.SUSPENDED)
    changed(sqlite_library, licence, Status.ACTIVE)
    assert answer(asked(sqlite_library, licence.token)) == (WORD.VALID, "")


def test_an_older_version_names_the_newer_one(library: Library) -> None:
    old = issued(library)
    new = issue(library, company_request(version=2, previous_identifier=old.identifier)).licence
    verdict = asked(library, old.token)
    assert answer(verdict) == (WORD.SUPERSEDED, "superseded")
    newer = of(verdict, CheckName.SUPERSEDED_BY)
    assert (newer.outcome, newer.code, newer.evidence) == (
        Outcome.WARNING,
        "newer_licence",
        {"identifier": new.identifier},
    )
    assert answer(asked(library, new.token)) == (WORD.VALID, "")


@pytest.mark.parametrize(
    ("days", "time", "word"),
    [
        (29, "23:59:59", WORD.NOT_YET_EFFECTIVE),
        (30, "00:00:00", WORD.VALID),
        (90, "23:59:59", WORD.VALID),
        (91, "00:00:00", WORD.EXPIRED),
    ],
)
def test_dates_count_in_the_agencys_zone_and_the_end_date_is_inside(
    sqlite_library: Library, days: int, time: str, word: WORD
) -> None:
    today = sqlite_library.now().date()
    term: dict[str, Any] = {"effective_on": today + timedelta(days=30), "expires_on": today + timedelta(days=90)}
    for licence, zone in (
        (issued(sqlite_library, **term), "Asia/Shanghai"),
        (shop(sqlite_library, **term), "America/Los_Angeles"),
    ):
        local = datetime.fromisoformat(f"{today + timedelta(days=days)}T{time}").replace(tzinfo=ZoneInfo(zone))
        for given in (licence.token, licence.public_code):
            verdict = at(sqlite_library, local.astimezone(UTC), given)
            assert verdict.word is word, (zone, given)
            assert of(verdict, CheckName.DATES).evidence["timezone"] == zone


def test_genuine_but_not_on_record_is_not_valid(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    text = resigned(sqlite_library, licence, identifier=other_identifier(licence.identifier))
    verdict = asked(sqlite_library, text)
    assert answer(verdict) == (WORD.UNKNOWN, "not_on_record")
    assert of(verdict, CheckName.INTEGRITY_AND_SEAL).outcome is Outcome.PASSED


def test_right_key_wrong_licence_is_forged(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    fields = {**claims_of(sqlite_library, licence).fields, 3: "假冒有限公司"}
    verdict = asked(sqlite_library, resigned(sqlite_library, licence, fields=fields))
    assert answer(verdict) == (WORD.FORGED, "differs_from_record")


def test_a_second_valid_signature_is_the_same_token(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    assert malleated(licence.token) != tokens.digits_of(licence.token)
    assert answer(asked(sqlite_library, malleated(licence.token))) == (WORD.VALID, "")


def test_another_agencys_key_is_not_trusted(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    verdict = asked(sqlite_library, resigned(sqlite_library, licence, token_key(sqlite_library, CITY.code)))
    assert answer(verdict) == (WORD.UNTRUSTED_ISSUER, "another_agency")


def test_a_changed_token_is_forged_and_shows_nothing(sqlite_library: Library) -> None:
    verdict = asked(sqlite_library, flipped(issued(sqlite_library).token))
    assert answer(verdict) == (WORD.FORGED, "bad_signature")
    assert verdict.shown == {}


def test_an_unknown_key_is_not_trusted(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    verdict = asked(sqlite_library, resigned(sqlite_library, licence, generate_key(KeyAlgorithm.P256)))
    assert answer(verdict) == (WORD.UNTRUSTED_ISSUER, "unknown_key")
    assert verdict.shown == {}


def test_a_seal_key_signs_no_tokens(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    (seal,) = agencies.keys(sqlite_library.store, owner=MARKET_BUREAU.code, purpose="seal")
    text = resigned(sqlite_library, licence, sqlite_library.signer.open(seal.uri))
    assert answer(asked(sqlite_library, text)) == (WORD.UNTRUSTED_ISSUER, "wrong_key")


def test_a_withdrawn_key_takes_all_its_tokens_along(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    now = sqlite_library.now()
    agencies.withdraw_key(
        sqlite_library.store, licence.token_kid, withdrawn_at=now, reason="stolen", operator="tests", now=now
    )
    assert answer(asked(sqlite_library, licence.token)) == (WORD.UNTRUSTED_ISSUER, "key_withdrawn")


def test_a_replaced_key_leaves_its_tokens_good(sqlite_library: Library, clock: Clock) -> None:
    licence = issued(sqlite_library)
    clock.move(seconds=10)
    rotate_key(sqlite_library, MARKET_BUREAU.code, "token", algorithm=KeyAlgorithm.P256, operator="tests")
    clock.move(days=200)
    assert answer(asked(sqlite_library, licence.token)) == (WORD.VALID, "")


def test_a_throwaway_key_is_nobodys(sqlite_library: Library) -> None:
    """Previews are signed for real by a key that no library knows."""
    licence = issued(sqlite_library)
    kit = throwaway_kit(MARKET_BUREAU, now=sqlite_library.now())
    text = resigned(sqlite_library, licence, kit.token_key)
    assert answer(asked(sqlite_library, text)) == (WORD.UNTRUSTED_ISSUER, "unknown_key")


def test_a_token_of_the_future_tells_nothing(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    text = resigned(sqlite_library, licence, issued_at=sqlite_library.now() + timedelta(hours=1))
    assert answer(asked(sqlite_library, text)) == (WORD.UNKNOWN, "not_yet_valid")


def test_a_token_signed_outside_its_keys_time_is_not_trusted(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    text = resigned(sqlite_library, licence, issued_at=sqlite_library.now() - timedelta(days=30))
    assert answer(asked(sqlite_library, text)) == (WORD.UNTRUSTED_ISSUER, "expired_certificate")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("", "no_code"),
        ("   ", "no_code"),
        ("hello", "no_code"),
        (b"\xff\xfe\x00", "malformed"),
        ("1" * 300, "malformed"),
        ("1" * 3001, "too_large"),
        ("https://x/q#" + "1" * 40, "malformed"),
        ("x" * 20_000, "too_large"),
        ("../../etc/passwd", "no_code"),
        ("a.b.c.d.e.f", "bad_version"),
        ("'; DROP TABLE licence; --", "no_code"),
        (b"%PDF-1.7", "malformed"),
        (b"\x89PNG\r\n\x1a\n", "malformed"),
        ("\ud800", "no_code"),
    ],
)
def test_what_cannot_be_read_is_unknown(sqlite_library: Library, given: bytes | str, fault: str) -> None:
    verdict = asked(sqlite_library, given)
    assert verdict.word is WORD.UNKNOWN
    assert verdict.fault == fault


def test_a_cut_token_is_unknown_not_forged(sqlite_library: Library) -> None:
    digits = tokens.digits_of(issued(sqlite_library).token)
    for cut in (1, 17, 34, 100):
        assert answer(asked(sqlite_library, digits[:-cut]))[0] is WORD.UNKNOWN


def test_more_than_the_settings_allow_is_not_read(sqlite_library: Library) -> None:
    verdict = asked(sqlite_library, b"%PDF-1.7" + bytes(sqlite_library.settings.max_upload_bytes))
    assert answer(verdict) == (WORD.UNKNOWN, "too_large")


def test_a_typed_code_shows_the_public_record_and_asks_for_the_face(library: Library) -> None:
    licence = issued(library)
    for text in (licence.public_code, licence.public_code.lower(), "-".join(licence.public_code)):
        verdict = asked(library, text)
        assert answer(verdict) == (WORD.VALID, "")
        assert verdict.kind is InputKind.CODE
        assert of(verdict, CheckName.SAME_AS_RECORD).code == "compare_the_face"
        assert verdict.shown["public_code"] == licence.public_code
    by_identifier = asked(library, licence.identifier.lower())
    assert by_identifier.kind is InputKind.IDENTIFIER
    assert answer(by_identifier) == (WORD.VALID, "")
    assert "public_code" not in by_identifier.shown


def test_an_unknown_code_or_identifier_is_unknown(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    assert answer(asked(sqlite_library, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ")) == (WORD.UNKNOWN, "not_on_record")
    assert answer(asked(sqlite_library, other_identifier(licence.identifier))) == (WORD.UNKNOWN, "not_on_record")
    wrong = licence.identifier[:-1] + ("A" if licence.identifier[-1] != "A" else "B")
    assert answer(asked(sqlite_library, wrong)) == (WORD.UNKNOWN, "bad_check")


def test_strangers_see_masked_names_and_holders_of_the_token_their_own(sqlite_library: Library) -> None:
    licence = shop(sqlite_library)
    by_code = asked(sqlite_library, licence.public_code)
    assert by_code.shown["holders"] == [{"name": "*** * Sample", "code": "", "code_type": ""}]
    assert "Ada" not in str(verdict_json(by_code))
    by_token = asked(sqlite_library, licence.token)
    assert by_token.shown["holders"] == [{"name": "Ada Q Sample", "code": ""}]


def test_holder_codes_are_masked_for_everybody(sqlite_library: Library) -> None:
    code = "91990200MA7EXAM26P"
    licence = issued(sqlite_library)
    text = resigned(
        sqlite_library, licence, identifier=other_identifier(licence.identifier), fields={1: 1, 2: "n", 3: "x", 6: code}
    )
    for given in (licence.token, licence.public_code, text):
        wire = str(verdict_json(asked(sqlite_library, given))["shown"])
        assert code not in wire


def test_a_picture_is_judged_by_its_code_and_the_face_is_the_clerks(sqlite_library: Library) -> None:
    licence = issued(sqlite_library)
    for kind in ("PNG", "JPEG"):
        verdict = asked(sqlite_library, picture(licence.token, kind=kind))
        assert answer(verdict) == (WORD.VALID, "")
        assert verdict.kind is InputKind.IMAGE
        face = of(verdict, CheckName.SAME_DOCUMENT)
        assert (face.outcome, face.code) == (Outcome.WARNING, "compare_the_face")


def test_two_different_codes_are_reported_never_picked(sqlite_library: Library) -> None:
    one, two = issued(sqlite_library), shop(sqlite_library)
    assert answer(asked(sqlite_library, picture(one.token, two.token))) == (WORD.UNKNOWN, "two_codes")
    assert answer(asked(sqlite_library, picture(one.token, one.token))) == (WORD.VALID, "")
    assert answer(asked(sqlite_library, picture(one.token, "https://example.org/menu"))) == (WORD.VALID, "")


def test_a_picture_without_a_code_is_unknown(sqlite_library: Library) -> None:
    for image in (blank_picture(), picture("https://example.org/menu")):
        verdict = asked(sqlite_library, image)
        assert answer(verdict) == (WORD.UNKNOWN, "no_code")
        assert verdict.kind is InputKind.IMAGE


def test_a_picture_of_a_changed_token_is_forged(sqlite_library: Library) -> None:
    licence: Licence = issued(sqlite_library)
    assert answer(asked(sqlite_library, picture(flipped(licence.token)))) == (WORD.FORGED, "bad_signature")
