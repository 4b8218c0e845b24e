"""Licences found by what people type, and what is told of them under the names of grants."""

from datetime import timedelta
from typing import Any

import pytest

from certlib.changing import order_change
from certlib.errors import NotFoundError
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Holder
from certlib.sharing.finding import find, type_of, values_of, word_of
from certlib.store import looks, pacing, seeking
from certlib.store.engine import writing
from tests.support.changes import order
from tests.support.clock import Clock
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.sharing import asker, asking, granted

TYPE = "business-licence"
NUMBER, OTHER = "91990200MA7EXAM18U", "91990200MA7EXAM204"
GARBAGE = ("\0", "\ud800", "x" * 5000, "'", "%", "1\n", "\u202e", " ")


def test_what_people_type_finds(library: Library) -> None:
    licence = issue(library, company_request()).licence
    issue(library, company_request(OTHER))
    for keys in (
        {"number": "９1990200ma7exam18u "},
        {"holder_code": " 91990200 MA7EXAM18u"},
        {"identifier": licence.identifier.lower()},
        {"identifier": licence.identifier, "number": NUMBER, "holder_code": NUMBER},
    ):
        assert find(library, type_code=TYPE, **keys) == (licence,)
    assert find(library, type_code=TYPE, number=NUMBER, holder_code=OTHER) == ()
    assert find(library, type_code=TYPE, identifier=licence.identifier, number=OTHER) == ()
    assert find(library, type_code="practitioner-licence", number=NUMBER) == ()
    assert find(library, type_code=TYPE) == ()
    assert word_of(licence, library.now()) == "valid"


def test_garbage_finds_nothing(library: Library) -> None:
    issue(library, company_request())
    for text in GARBAGE:
        for name in ("number", "holder_code", "identifier"):
            assert find(library, type_code=TYPE, **{name: text}) == ()
            assert find(library, type_code=text, **{name: NUMBER}) == ()
    assert seeking.by_numbers(library.store, TYPE, GARBAGE, agency_code="\0") == ()
    assert seeking.by_holders(library.store, GARBAGE, [NUMBER]) == ()
    assert seeking.by_numbers(library.store, TYPE, []) == seeking.by_holders(library.store, [], []) == ()


def test_only_current_versions_are_found_without_an_identifier(library: Library) -> None:
    old = issue(library, company_request()).licence
    new = order_change(library, MARKET_BUREAU.code, old.identifier, order("correct")).successor
    for name in ("number", "holder_code"):
        assert [each.identifier for each in find(library, type_code=TYPE, **{name: NUMBER})] == [new]
    assert [each.identifier for each in find(library, type_code=TYPE, identifier=old.identifier)] == [old.identifier]


def test_at_most_so_many_of_a_holder(library: Library) -> None:
    holder = (Holder(name="甬江样本茶叶贸易有限公司", code=NUMBER, code_type="001"),)
    first = issue(library, company_request()).licence
    second = issue(library, company_request(OTHER, holders=holder)).licence
    assert seeking.by_holders(library.store, [TYPE], [NUMBER]) == (first, second)
    assert seeking.by_holders(library.store, [TYPE], [NUMBER], most=1) == (first,)
    assert seeking.by_numbers(library.store, TYPE, [NUMBER, OTHER], agency_code=MARKET_BUREAU.code) == (first, second)
    assert seeking.by_numbers(library.store, TYPE, [NUMBER], agency_code=CITY.code) == ()


def test_recorded_values_by_the_names_of_grants(sqlite_library: Library) -> None:
    licence = issue(sqlite_library, company_request()).licence
    names = ("number", "holder_name", "holder_code", "issued_on", "expires_on", "agency", "area_code", "address", "zz")
    assert values_of(sqlite_library, licence, names) == {
        "number": NUMBER,
        "holder_name": "甬江样本茶叶贸易有限公司",
        "holder_code": NUMBER,
        "issued_on": "2026-11-20",
        "agency": MARKET_BUREAU.code,
        "address": "样本市江湾区望湖街道听潮路168号3幢2单元201室",
    }
    with pytest.raises(NotFoundError):
        type_of(sqlite_library, "\0")


def test_askings_are_counted_by_holder_and_by_licence_within_the_hour(library: Library, clock: Clock) -> None:
    licence = issue(library, company_request()).licence
    grant = granted(library)

    def put(agency: str, identifier: str = "", holder_code: str = "") -> None:
        look = looks.Look(
            at=library.now(),
            kind="check",
            agency_code=agency,
            client_id="",
            operator=asking().operator,
            matter_code="m",
            case_number="c",
            purpose="p",
            type_code=TYPE,
            fields=(),
            basis="statutory",
            grant_id=grant.id,
            outcome="match",
            identifier=identifier,
            holder_code=holder_code,
        )
        with writing(library.store) as conn:
            looks.put(library.store, conn, [look])

    put(CITY.code, holder_code=NUMBER)
    clock.move(minutes=59)
    put(CITY.code, holder_code=NUMBER.lower(), identifier=licence.identifier)
    put(MARKET_BUREAU.code, holder_code=NUMBER, identifier=licence.identifier)
    put(CITY.code, identifier=licence.identifier)
    clock.move(minutes=1)
    hour: Any = {"agency_code": asker().agency_code, "since": library.now() - timedelta(minutes=59, seconds=59)}
    assert pacing.asked_of_holders(library.store, [NUMBER, OTHER], **hour) == {NUMBER: 1}
    assert pacing.asked_of_licences(library.store, [licence.identifier, "x"], **hour) == {licence.identifier: 2}
    assert (
        pacing.asked_of_holders(library.store, [], **hour) == pacing.asked_of_licences(library.store, [], **hour) == {}
    )
