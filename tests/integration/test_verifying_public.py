"""The public answer: what anybody may know by a code or identifier, in one point read."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from certlib.answering import PublicAnswer, lookup_key, public_answer
from certlib.errors import NotFoundError
from certlib.identifiers import printed_public_code
from certlib.library import Library
from certlib.model import Status
from certlib.store.lookups import PublicReader, open_public_reader
from certlib.verdict import moment
from tests.support.clock import Clock
from tests.support.libraries import MARKET_BUREAU
from tests.support.verdicts import asked, changed, issued, other_identifier, shop

MEMBERS = [
    *("word", "identifier", "status", "status_as_of", "status_source", "superseded_by"),
    *("type", "agency", "number", "holders", "issued_on", "effective_on", "expires_on"),
]


@pytest.fixture
def reader(library: Library) -> Iterator[PublicReader]:
    opened = open_public_reader(library.store)
    yield opened
    opened.close()


@pytest.fixture
def sqlite_reader(sqlite_library: Library) -> Iterator[PublicReader]:
    opened = open_public_reader(sqlite_library.store)
    yield opened
    opened.close()


def content(answer: PublicAnswer) -> dict[str, Any]:
    read = json.loads(answer.body)
    assert isinstance(read, dict)
    assert list(read) == MEMBERS
    return read


def test_code_and_identifier_give_the_same_answer(library: Library, reader: PublicReader) -> None:
    old = issued(library)
    keys = (
        old.public_code, printed_public_code(old.public_code), f" {old.public_code.lower()} ",
        old.identifier, old.identifier.lower(),
    )  # fmt: skip
    answers = [public_answer(reader, key, now=library.now()) for key in keys]
    assert len({answer.body for answer in answers}) == 1
    assert answers[0].max_age_seconds == 5
    assert content(answers[0]) == {
        "word": "valid",
        "identifier": old.identifier,
        "status": "active",
        "status_as_of": moment(library.now()),
        "status_source": "live",
        "superseded_by": "",
        "type": {"code": "business-licence", "zh": "营业执照", "en": "Business licence"},
        "agency": {"code": MARKET_BUREAU.code, "zh": MARKET_BUREAU.name, "en": MARKET_BUREAU.name_en},
        "number": old.number,
        "holders": [
            {"name": "甬江样本茶叶贸易有限公司", "code": "9****************U", "code_type": "001"},
        ],
        "issued_on": "2026-11-20",
        "effective_on": "2026-11-18",
        "expires_on": None,
    }
    new = issued(library, version=2, previous_identifier=old.identifier)
    ended = content(public_answer(reader, old.public_code, now=library.now()))
    assert (ended["word"], ended["superseded_by"]) == ("superseded", new.identifier)


@pytest.mark.parametrize("status", list(Status))
def test_the_word_is_the_one_of_a_verdict(sqlite_library: Library, sqlite_reader: PublicReader, status: Status) -> None:
    licence = shop(sqlite_library)
    if status is not Status.ACTIVE:
        changed(sqlite_library, licence, status)
    word = content(public_answer(sqlite_reader, licence.identifier, now=sqlite_library.now()))["word"]
    assert word == asked(sqlite_library, licence.identifier).word == asked(sqlite_library, licence.token).word


def test_dates_change_the_word_with_the_clock(
    sqlite_library: Library, sqlite_reader: PublicReader, clock: Clock
) -> None:
    today = clock().date()
    licence = shop(sqlite_library, effective_on=today + timedelta(days=10), expires_on=today + timedelta(days=20))
    words = []
    for days in (0, 15, 30):
        at = clock() + timedelta(days=days)
        words.append(content(public_answer(sqlite_reader, licence.public_code, now=at))["word"])
    assert words == ["not_yet_effective", "valid", "expired"]


def test_persons_are_masked(sqlite_library: Library, sqlite_reader: PublicReader) -> None:
    answer = public_answer(sqlite_reader, shop(sqlite_library).public_code, now=sqlite_library.now())
    assert b"Ada" not in answer.body
    assert content(answer)["holders"][0]["name"] == "*** * Sample"


def test_unknown_and_malformed_keys_are_alike(sqlite_library: Library, sqlite_reader: PublicReader) -> None:
    licence = shop(sqlite_library)
    said = set()
    for key in (
        "7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        other_identifier(licence.identifier),
        "",
        "x",
        "a.b",
        "1" * 10_000,
        "\x00.",
    ):
        with pytest.raises(NotFoundError) as caught:
            public_answer(sqlite_reader, key, now=sqlite_library.now())
        said.add((str(caught.value), caught.value.code))
    assert len(said) == 1


def test_a_key_too_long_is_not_even_normalised() -> None:
    assert lookup_key("1." * 1000) is None
    assert lookup_key("0" * 26) == "0" * 26
