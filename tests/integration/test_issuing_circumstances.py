"""What goes with a request beside its type's fields: odd texts are refused by name, and one replaces only one's own."""

import pytest

from certlib.answering import lookup_key, public_answer
from certlib.errors import IllegalTransitionError, InvalidRequestError, NotFoundError
from certlib.issuing import issue, sweep
from certlib.library import Library
from certlib.model import OverallWord, Status
from certlib.store import agencies, lookups
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import company_request
from tests.support.verdicts import asked, changed, issued, shop

ODD_TEXTS = ["\0", "\ud800", "x" * 10_000, "\u202e", "a\nb"]
ODD_KEYS = [*ODD_TEXTS, "1.2.3.4.5.6\0", "1.2.\ud800.4.5.6", "'; DROP TABLE licence; --"]


@pytest.mark.parametrize("name", ["area_code", "operator", "request_id", "previous_identifier"])
@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_odd_texts_are_refused_by_name(sqlite_library: Library, name: str, text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        issue(sqlite_library, company_request(**{name: text}))
    assert [fault.field for fault in caught.value.faults] == [name]


def test_honest_texts_are_kept(library: Library) -> None:
    request = company_request(area_code="990200", operator="李 · O'Neil\u3000(2)", request_id="order/4711 é")
    first = issue(library, request)
    assert (first.licence.area_code, issue(library, request).new) == ("990200", False)


def test_nobody_replaces_another_agencys_licence(sqlite_library: Library) -> None:
    theirs = shop(sqlite_library)
    with pytest.raises(InvalidRequestError) as caught:
        issued(sqlite_library, previous_identifier=theirs.identifier)
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [("previous_identifier", "another_agency")]
    assert asked(sqlite_library, theirs.public_code).word is OverallWord.VALID


@pytest.mark.parametrize("end", [Status.CANCELLED, Status.REVOKED])
def test_what_has_ended_is_not_replaced_and_nothing_is_left_behind(library: Library, clock: Clock, end: Status) -> None:
    old = issued(library)
    changed(library, old, end)
    again = company_request(version=2, previous_identifier=old.identifier)
    for _ in range(2):
        with pytest.raises(IllegalTransitionError):
            issue(library, again)
    clock.move(hours=1)
    assert list(sweep(library)) == []
    check_invariants(library.store)
    assert asked(library, old.public_code).word == OverallWord(end.value)
    assert issued(library, version=2).status is Status.ACTIVE


def test_the_same_replacement_again_is_the_same_licence(library: Library) -> None:
    old = issued(library)
    request = company_request(version=2, previous_identifier=old.identifier)
    first, again = issue(library, request), issue(library, request)
    assert (first.new, again.new, again.licence.identifier) == (True, False, first.licence.identifier)
    check_invariants(library.store)


@pytest.mark.parametrize("text", ODD_KEYS, ids=range(len(ODD_KEYS)))
def test_odd_keys_are_unknown_on_each_database(library: Library, text: str) -> None:
    for find in (agencies.current_type, agencies.agency, lookups.licence_by_identifier, lookups.licence_by_pdf_sha256):
        with pytest.raises(NotFoundError):
            find(library.store, text)
    reader = lookups.open_public_reader(library.store)
    try:
        with pytest.raises(NotFoundError):
            public_answer(reader, text, now=library.now())
        key = lookup_key(text)
        assert key is None or reader.read(key) is None
    finally:
        reader.close()
    assert asked(library, text).word is OverallWord.UNKNOWN
