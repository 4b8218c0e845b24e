"""Askers at once, and against those who change what they ask about; on both databases, by real threads."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from certlib.answering import public_answer
from certlib.callers import bearer_for
from certlib.changing import order_change
from certlib.errors import LimitReachedError
from certlib.issuing import issue
from certlib.library import Library
from certlib.retrieving import open_reader
from certlib.sharing.bulk_checks import bulk_check
from certlib.sharing.checks import check
from certlib.sharing.handles import named_holder
from certlib.sharing.holdings import list_licences
from certlib.store import audits, granting, looks
from certlib.verifying import verify
from tests.support.changes import order
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.sharing import MATTER, asker, asking, granted

TYPE = "business-licence"
NUMBER = "91990200MA7EXAM18U"
ROUNDS = 3


def by_check(lib: Library) -> str:
    """The word by a check."""
    return check(lib, asker(), asking(), type_code=TYPE, given={"number": NUMBER}).word


def by_bulk(lib: Library) -> str:
    """The word by a file of one row."""
    answer = bulk_check(lib, asker(), asking(), type_code=TYPE, csv=f"number\n{NUMBER}\n", jsonl=None)
    return "valid" if '"valid"' in answer.result else "other"


def by_list(lib: Library) -> str:
    """The word in a list."""
    (held,) = list_licences(lib, asker(), asking(), holder=named_holder(lib, NUMBER, "001")).held
    return held.word.value


@pytest.mark.parametrize("ask", [by_check, by_bulk, by_list])
@pytest.mark.parametrize("operation", ["revoke", "suspend"])
def test_what_began_after_the_change_answered_never_says_valid(
    library: Library, ask: Callable[[Library], str], operation: str
) -> None:
    licence = issue(library, company_request()).licence
    granted(library, daily_cap=100_000)
    quiet = library.settings.model_copy(update={"looks_per_holder_per_hour": 0})
    lib = Library(**{name: getattr(library, name) for name in Library.__slots__} | {"settings": quiet})
    gate, changed = Barrier(5), Event()

    def change() -> None:
        gate.wait()
        order_change(lib, MARKET_BUREAU.code, licence.identifier, order(operation))
        changed.set()

    def asks(_number: int) -> list[tuple[bool, str]]:
        gate.wait()
        told: list[tuple[bool, str]] = []
        while not changed.is_set() or len(told) < ROUNDS or not told[-ROUNDS][0]:
            began_after = changed.is_set()
            told.append((began_after, ask(lib)))
        return told

    with ThreadPoolExecutor(5) as pool:
        done = pool.submit(change)
        told = [each for some in pool.map(asks, range(4)) for each in some]
        done.result()
    assert [word for began_after, word in told if began_after and word == "valid"] == []
    assert sum(began_after for began_after, _ in told) >= 4 * ROUNDS
    assert all(word in {"valid", "other", "revoked", "suspended"} for _, word in told)
    check_invariants(library.store)


def test_verify_and_check_agree_after_a_revoke(library: Library) -> None:
    licence = issue(library, company_request()).licence
    granted(library)
    reader = open_reader(library)
    order_change(library, MARKET_BUREAU.code, licence.identifier, order("revoke"))
    answer = public_answer(reader, licence.public_code, now=library.now())
    reader.close()
    assert b'"word":"revoked"' in answer.body
    assert verify(licence.token, library, now=library.now()).word == by_check(library) == by_list(library) == "revoked"


def test_sixteen_ask_in_every_way_and_never_get_more_than_the_cap(library: Library) -> None:
    issue(library, company_request())
    first, second = granted(library, daily_cap=9), granted(library, daily_cap=7)
    ways = (by_check, by_bulk, by_list)

    def ask(number: int) -> str:
        try:
            return ways[number % 3](library)
        except LimitReachedError as error:
            return error.code

    with ThreadPoolExecutor(16) as pool:
        told = list(pool.map(ask, range(36)))
    assert (told.count("valid"), told.count("daily_cap_reached")) == (16, 20)
    day = library.now().date()
    assert [granting.used(library.store, each.id, day) for each in (first, second)] == [9, 7]
    rows = looks.looks_of_holder(library.store, NUMBER)
    assert len(rows) == 16
    assert sorted(each.grant_id for each in rows) == sorted([first.id] * 9 + [second.id] * 7)
    refusals = [each for each in audits.read_chain(library.store) if each.act == "share.refused"]
    assert len(refusals) == 20
    check_invariants(library.store)


def test_files_checks_and_changes_of_the_same_licences_do_not_block_each_other(library: Library) -> None:
    numbers = ["91990200MA7EXAM18U", "91990200MA7EXAM204"]
    licences = [issue(library, company_request(number)).licence for number in numbers]
    granted(library, daily_cap=100_000)

    def work(place: int) -> int:
        if place % 4 == 0:
            licence = licences[place % 8 // 4]
            operation = "suspend" if place < 8 else "restore"
            return len(order_change(library, MARKET_BUREAU.code, licence.identifier, order(operation)).id)
        text = "number\n" + "".join(f"{number}\n" for number in (numbers if place % 2 else numbers[::-1]))
        return bulk_check(library, asker(), asking(), type_code=TYPE, csv=text, jsonl=None).counts["match"]

    with ThreadPoolExecutor(8) as pool:
        told = [each for begin in (0, 8) for each in pool.map(work, range(begin, begin + 8))]
    assert told.count(2) == 12
    check_invariants(library.store)


def test_sixteen_systems_over_http_never_get_more_than_the_cap(library: Library) -> None:
    issue(library, company_request())
    grant = granted(library, daily_cap=20)
    bearer = bearer_for(library, CITY.code, ttl_seconds=600, scopes=("share",))
    said = {"matter_code": MATTER, "case_number": "1", "purpose": "x", "operator": "Li", "type": TYPE}

    with TestClient(create_app(library)) as web, ThreadPoolExecutor(16) as pool:

        def ask(number: int) -> tuple[int, str]:
            given = {"number": NUMBER, "legal_representative": f"林{number}"}
            headers = {"Authorization": f"Bearer {bearer}"}
            answer = web.post("/v1/checks", json={**said, "given": given}, headers=headers)
            return answer.status_code, answer.json().get("code", answer.json().get("result"))

        told = sorted(pool.map(ask, range(48)))
    assert told == [(200, "differs")] * 20 + [(429, "daily_cap_reached")] * 28
    assert granting.used(library.store, grant.id, library.now().date()) == 20
    assert len(looks.looks_of_holder(library.store, NUMBER)) == 20
    check_invariants(library.store)
