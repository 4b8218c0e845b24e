"""Lists of what a holder has, over HTTP: by a code in the body, or by a handle in the URL."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from certlib.library import Library
from certlib.model import Licence
from certlib.store import granting
from tests.support.clock import Clock
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.sharing import MATTER, granted

Bearer = Callable[..., dict[str, str]]
NUMBER = "91990200MA7EXAM18U"
BODY = {
    "matter_code": MATTER,
    "case_number": "2026-000117",
    "purpose": "食品经营许可",
    "operator": "李敏",
    "code": NUMBER,
    "code_type": "001",
}


@pytest.fixture
def headers(sqlite_library: Library, bearer: Bearer) -> dict[str, str]:
    """Of the city's system, with a grant."""
    granted(sqlite_library)
    return bearer(CITY.code, scopes=("share",))


def test_a_handle_is_exchanged_and_lists_the_same(
    web: TestClient, headers: dict[str, str], licence: Licence, clock: Clock, bearer: Bearer
) -> None:
    made = web.post("/v1/holders", json=BODY, headers=headers)
    assert (made.status_code, made.headers["cache-control"]) == (201, "private, no-store")
    path = f"/v1/holders/{made.json()['holder']}/licences"
    assert NUMBER not in path
    by_handle = web.get(path, headers=headers)
    by_code = web.post("/v1/holders/licences", json=BODY, headers=headers)
    assert (by_handle.status_code, by_code.status_code) == (200, 200)
    assert by_handle.headers["cache-control"] == "private, no-store"
    (held,) = by_handle.json()["licences"]
    assert (held["identifier"], held["number"], held["word"]) == (licence.identifier, NUMBER, "valid")
    assert by_handle.json() | {"reference": ""} == by_code.json() | {"reference": ""}
    assert web.get(path, params={"type": "business-licence"}, headers=headers).json()["licences"] == [held]
    assert web.get(path, params={"type": "practitioner-licence"}, headers=headers).json()["code"] == "no_grant"
    granted(web.app.state.parts.lib, agency_code=MARKET_BUREAU.code)  # type: ignore[attr-defined]  # the application
    other = web.get(path, headers=bearer(scopes=("share",)))
    assert (other.status_code, other.json()["code"]) == (404, "handle_not_found")
    clock.move(minutes=10)
    over = web.get(path, headers=bearer(CITY.code, scopes=("share",)))
    assert (over.status_code, over.content) == (404, other.content)


def test_none_and_not_granted_are_the_same_bytes(
    web: TestClient, headers: dict[str, str], bearer: Bearer, sqlite_library: Library, licence: Licence
) -> None:
    (grant,) = granting.grants(sqlite_library.store, agency_code=CITY.code)
    granting.end_grant(sqlite_library.store, grant.id, operator="x", reason="x", now=sqlite_library.now())
    granted(sqlite_library, type_code="practitioner-licence", fields=("number",))

    def told(code: str) -> tuple[int, bytes]:
        answer = web.post("/v1/holders/licences", json={**BODY, "code": code}, headers=headers)
        return answer.status_code, answer.content.replace(answer.json()["reference"].encode(), b"")

    assert licence.number == NUMBER
    assert told(NUMBER) == told("91990200MA7EXAM204")
    for kind, code in (("business-licence", "grant_not_in_force"), ("no-such-type", "no_grant")):
        refusals = [
            web.post("/v1/holders/licences", json={**BODY, "code": each, "type": kind}, headers=headers)
            for each in (NUMBER, "91990200MA7EXAM204")
        ]
        assert [(each.status_code, each.json()["code"]) for each in refusals] == [(403, code)] * 2
        assert refusals[0].content == refusals[1].content
    nobody = web.post("/v1/holders/licences", json=BODY, headers=bearer(scopes=("share",)))
    assert (nobody.status_code, nobody.json()["code"]) == (403, "no_grant")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "91990200MA7EXAM18V"}, "code"),
        ({"code": ""}, "code"),
        ({"code": "x" * 65}, "code"),
        ({"code": 7}, "code"),
        ({"code_type": "1"}, "code_type"),
        ({"code_type": "777"}, "code_type"),
        ({"purpose": ""}, "purpose"),
        ({"more": 1}, "more"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/holders", "/v1/holders/licences"])
def test_what_is_wrong_is_named(
    web: TestClient, headers: dict[str, str], path: str, changes: dict[str, Any], field: str
) -> None:
    answer = web.post(path, json={**BODY, **changes}, headers=headers)
    assert (answer.status_code, [each["field"] for each in answer.json()["faults"]]) == (422, [field])


@pytest.mark.parametrize("handle", ["x", "%00", "k1.%ed%a0%80", "..%2f", "k1." + "A" * 5000, NUMBER, "licences"])
def test_garbage_for_a_handle_is_not_known(web: TestClient, headers: dict[str, str], handle: str) -> None:
    answer = web.get(f"/v1/holders/{handle}/licences", headers=headers)
    assert answer.status_code == 404
    for kind in ("A", "a" * 100, "\x00", "a\n"):
        assert web.get("/v1/holders/x/licences", params={"type": kind}, headers=headers).status_code == 422


def test_who_may_not_list(web: TestClient, bearer: Bearer) -> None:
    for headers, status in (({}, 401), (bearer(CITY.code, scopes=("issue",)), 403)):
        assert web.post("/v1/holders", json=BODY, headers=headers).status_code == status
        assert web.post("/v1/holders/licences", json=BODY, headers=headers).status_code == status
        assert web.get("/v1/holders/x/licences", headers=headers).status_code == status
