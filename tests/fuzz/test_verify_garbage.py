"""Whatever comes in, a verdict goes out: never another exception, never a good word for what nobody issued."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from certlib import checking
from certlib.library import Library, close_library
from certlib.model import OverallWord
from certlib.trusting import OfflineTrust, open_offline
from certlib.verdict import CheckName, Outcome, verdict_json
from certlib.verifying import verify
from signing import tokens
from tests.support.clock import Clock
from tests.support.vectors import ANCHOR, PACK, WORLD_AT, all_vectors, made_world, opened_world

BAD = frozenset({OverallWord.FORGED, OverallWord.UNTRUSTED_ISSUER, OverallWord.UNKNOWN})
VECTORS = {vector.name: vector for vector in all_vectors()}
GOOD_TOKEN = VECTORS["token-good"].body.decode()
GOOD_DIGITS = tokens.digits_of(GOOD_TOKEN)
GOOD_COSE = tokens.cose_of(GOOD_DIGITS)
GOOD_FILE = VECTORS["file-good"].body
GOOD_PICTURE = VECTORS["picture-good"].body
QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    home = tmp_path_factory.mktemp("fuzz") / "library"
    made_world(home)
    lib = opened_world(home, Clock(at=WORLD_AT))
    yield lib
    close_library(lib)


@pytest.fixture(scope="module")
def pack() -> OfflineTrust:
    anchor = checking.read_anchor(ANCHOR.read_bytes())
    return open_offline(PACK.read_bytes(), anchor_spki_der=anchor, now=WORLD_AT)


def judged(given_bytes: bytes | str, world: Library, pack: OfflineTrust) -> set[OverallWord]:
    """Words from both sources; every verdict is whole and can be written as JSON."""
    words = set()
    for source in (world, pack):
        verdict = verify(given_bytes, source, now=WORLD_AT)
        assert [each.name for each in verdict.checks] == list(CheckName)
        assert (verdict.fault == "") == (verdict.word in (OverallWord.VALID, OverallWord.VALID_OFFLINE))
        assert verdict_json(verdict)["word"] == verdict.word
        words.add(verdict.word)
    return words


@QUICK
@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbf")
@example(b"%PDF-")
@example(b"\xff\xd8\xff")
def test_any_bytes(world: Library, pack: OfflineTrust, data: bytes) -> None:
    assert judged(data, world, pack) <= BAD


@QUICK
@given(st.sampled_from([b"%PDF-1.7\n", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0"]), st.binary(max_size=300))
def test_any_bytes_behind_a_files_first_ones(world: Library, pack: OfflineTrust, start: bytes, rest: bytes) -> None:
    assert judged(start + rest, world, pack) <= BAD


@QUICK
@given(st.text(max_size=200))
@example("1" * 16_385)
@example("\x00")
@example("." * 200)
@example("#")
@example("1.2.156.3005.2....")
def test_any_text(world: Library, pack: OfflineTrust, text: str) -> None:
    assert judged(text, world, pack) <= BAD


@QUICK
@given(st.text(alphabet="0123456789", max_size=900))
def test_any_digits(world: Library, pack: OfflineTrust, digits: str) -> None:
    assert judged(digits, world, pack) <= BAD


@QUICK
@given(st.integers(0, len(GOOD_COSE) - 1), st.integers(1, 255))
def test_a_token_with_one_byte_changed(world: Library, pack: OfflineTrust, place: int, change: int) -> None:
    broken = bytearray(GOOD_COSE)
    broken[place] ^= change
    assert judged(tokens.token_digits(bytes(broken)), world, pack) <= BAD


@QUICK
@given(st.integers(0, len(GOOD_DIGITS)), st.text(alphabet="0123456789#:/ ", max_size=20))
def test_a_token_with_something_in_between(world: Library, pack: OfflineTrust, place: int, more: str) -> None:
    text = GOOD_DIGITS[:place] + more + GOOD_DIGITS[place:]
    words = judged(text, world, pack)
    # A blank or a prefix before the whole token changes nothing; all else does.
    whole = text.rpartition("#")[2].strip() == GOOD_DIGITS or GOOD_DIGITS in text
    assert words <= BAD or whole


@settings(QUICK, max_examples=40)
@given(st.integers(0, len(GOOD_FILE) - 1), st.integers(1, 255))
def test_a_file_with_one_byte_changed(world: Library, place: int, change: int) -> None:
    broken = GOOD_FILE[:place] + bytes([GOOD_FILE[place] ^ change]) + GOOD_FILE[place + 1 :]
    assert verify(broken, world, now=WORLD_AT).word in BAD


@settings(QUICK, max_examples=25)
@given(st.integers(0, len(GOOD_FILE) - 1), st.integers(0, 2000))
def test_a_file_with_a_piece_missing(world: Library, place: int, length: int) -> None:
    broken = GOOD_FILE[:place] + GOOD_FILE[place + length :]
    assert broken == GOOD_FILE or verify(broken, world, now=WORLD_AT).word in BAD


@settings(QUICK, max_examples=40)
@given(st.integers(8, len(GOOD_PICTURE) - 1), st.integers(1, 255))
def test_a_picture_with_one_byte_changed(world: Library, place: int, change: int) -> None:
    """Either it cannot be read, or its code says the same token: a picture proves nothing by itself."""
    broken = GOOD_PICTURE[:place] + bytes([GOOD_PICTURE[place] ^ change]) + GOOD_PICTURE[place + 1 :]
    verdict = verify(broken, world, now=WORLD_AT)
    if verdict.word not in BAD:
        same = next(each for each in verdict.checks if each.name is CheckName.SAME_AS_RECORD)
        assert same.outcome is Outcome.PASSED
