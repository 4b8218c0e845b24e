"""Checks over HTTP: as an agency's system, a tired clerk and an attacker send them."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from certlib.library import Library
from certlib.model import Licence
from certlib.store import granting
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.sharing import MATTER, granted

Bearer = Callable[..., dict[str, str]]
NUMBER = "91990200MA7EXAM18U"
ASKING = {"matter_code": MATTER, "case_number": "2026-000117", "purpose": "食品经营许可", "operator": "李敏"}


def body(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """A lawful check."""
    return {**ASKING, "type": "business-licence", "given": {"number": NUMBER}, **changes}


@pytest.fixture
def headers(sqlite_library: Library, bearer: Bearer) -> dict[str, str]:
    """Of the city's system, with a grant."""
    granted(sqlite_library)
    return bearer(CITY.code, scopes=("share",))


def test_a_check(web: TestClient, headers: dict[str, str], licence: Licence) -> None:
    given_values = {"number": NUMBER, "holder_name": "别的公司", "area_code": "330200"}
    answer = web.post("/v1/checks", json=body(given=given_values), headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    told = answer.json()
    assert told["result"] == "differs"
    assert told["fields"] == {"number": "match", "holder_name": "differs", "area_code": "not_recorded"}
    assert (told["word"], told["status_as_of"]) == (None, None)
    assert told["receipt"].count(".") == 2
    right = web.post("/v1/checks", json=body(given={"identifier": licence.identifier}), headers=headers).json()
    assert (right["result"], right["word"]) == ("match", "valid")
    assert right.keys() == told.keys()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"given": {}}, "given"),
        ({"given": {"number": ""}}, "number"),
        ({"given": {"number": 7}}, "given.number"),
        ({"given": {"number": None}}, "given.number"),
        ({"given": {"Number": "7"}}, "given.Number.[key]"),
        ({"given": {"holder_name": "王"}}, "number"),
        ({"given": [NUMBER]}, "given"),
        ({"type": "../x"}, "type"),
        ({"type": "business-licence\n"}, "type"),
        ({"purpose": " "}, "purpose"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"matter_code": "\n"}, "matter_code"),
        ({"operator": None}, "operator"),
        ({"status": "valid"}, "status"),
    ],
)
def test_what_is_wrong_is_named(web: TestClient, headers: dict[str, str], changes: dict[str, Any], field: str) -> None:
    answer = web.post("/v1/checks", json=body(**changes), headers=headers)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["faults"]] == [field]
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["matter_code", "case_number", "purpose", "operator", "type", "given"])
def test_nothing_may_be_missing(web: TestClient, headers: dict[str, str], name: str) -> None:
    said = body()
    del said[name]
    answer = web.post("/v1/checks", json=said, headers=headers)
    assert (answer.status_code, answer.json()["faults"][0]["field"]) == (422, name)


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/bulk"])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b'{"type": "a", "type": "b"}', b"[" * 100_000, b"1e400"])
def test_garbage_is_refused(web: TestClient, headers: dict[str, str], path: str, data: bytes) -> None:
    assert web.post(path, content=data, headers=headers).status_code == 422


def test_who_may_not_ask(web: TestClient, bearer: Bearer, headers: dict[str, str], licence: Licence) -> None:
    assert web.post("/v1/checks", json=body()).status_code == 401
    assert web.post("/v1/checks", json=body(), headers=bearer(CITY.code, scopes=("issue",))).status_code == 403
    stranger = web.post("/v1/checks", json=body(), headers=bearer(MARKET_BUREAU.code, scopes=("share",)))
    assert (stranger.status_code, stranger.json()["code"]) == (403, "no_grant")
    for changes, code in (
        ({"matter_code": "other"}, "purpose_not_granted"),
        ({"given": {"number": NUMBER, "established_on": "2026-11-18"}}, "field_not_granted"),
        ({"type": "birth-certificate"}, "no_grant"),
    ):
        refusal = web.post("/v1/checks", json=body(**changes), headers=headers)
        assert (refusal.status_code, refusal.json()["code"]) == (403, code)
        assert licence.number not in refusal.text


def test_what_is_not_granted_answers_the_same_bytes_whatever_is_on_record(
    web: TestClient, headers: dict[str, str], bearer: Bearer, sqlite_library: Library
) -> None:
    unknown = {"number": "91990200MA7EXAM204"}
    asks: list[dict[str, Any]] = [
        {"given": {**unknown, "established_on": "2026-11-18"}},
        {"type": "practitioner-licence", "given": unknown},
        {"matter_code": "x", "given": unknown},
    ]
    before = [web.post("/v1/checks", json=body(**each), headers=headers) for each in asks]
    issued = {
        "type": "business-licence",
        "number": unknown["number"],
        "holders": [{"name": "样本市远航贸易有限公司", "code": unknown["number"], "code_type": "001"}],
        "issued_on": "2026-11-20",
        "fields": {
            "company_type": "有限责任公司",
            "legal_representative": "林样知",
            "registered_capital": "1.00",
            "established_on": "2026-11-18",
            "registration_authority": "样本市",
            "address": "样本市",
            "business_scope": "茶具销售",
        },
    }
    assert web.post("/v1/licences", json=issued, headers=bearer()).status_code == 201
    after = [web.post("/v1/checks", json=body(**each), headers=headers) for each in asks]
    assert [(each.status_code, each.content) for each in before] == [(each.status_code, each.content) for each in after]
    assert web.post("/v1/checks", json=body(given=unknown), headers=headers).json()["result"] == "match"
    check_invariants(sqlite_library.store)


def test_a_file_of_checks(web: TestClient, headers: dict[str, str], licence: Licence) -> None:
    said = {**ASKING, "type": licence.type_code}
    text = f"number,holder_name\n{NUMBER},=cmd\nx,\n"
    answer = web.post("/v1/checks/bulk", json={**said, "csv": text}, headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    told = answer.json()
    assert (told["rows"], told["format"], told["counts"]["differs"]) == (2, "csv", 1)
    assert told["result_sha256"] == hashlib.sha256(told["result"].encode()).hexdigest()
    lines = web.post("/v1/checks/bulk", json={**said, "jsonl": json.dumps({"number": NUMBER})}, headers=headers).json()
    assert json.loads(lines["result"])["result"] == "match"
    for changes in ({}, {"csv": "a", "jsonl": "{}"}, {"csv": 1}, {"csv": None}, {"csv": "number\n\ud800"}):
        raw = json.dumps({**said, **changes})
        assert web.post("/v1/checks/bulk", content=raw, headers=headers).status_code == 422
    large = json.dumps({**said, "csv": "number\n" + "1" * (21 * 2**20)})
    assert web.post("/v1/checks/bulk", content=large, headers=headers).status_code == 413


def test_the_cap_and_the_minute_answer_429(
    web: TestClient, headers: dict[str, str], bearer: Bearer, sqlite_library: Library, licence: Licence
) -> None:
    (grant,) = granting.grants(sqlite_library.store, agency_code=CITY.code)
    granting.end_grant(sqlite_library.store, grant.id, operator="x", reason="x", now=sqlite_library.now())
    granted(sqlite_library, daily_cap=1)
    assert web.post("/v1/checks", json=body(), headers=headers).status_code == 200
    full = web.post("/v1/checks", json=body(), headers=headers)
    assert (full.status_code, full.json()["code"]) == (429, "daily_cap_reached")
    assert int(full.headers["retry-after"]) > 0
    shares = web.app.state.parts.shares  # type: ignore[attr-defined]  # the application under test
    for _number in range(sqlite_library.settings.shares_per_minute):
        shares.take_as(f"{MARKET_BUREAU.code} ")
    refusal = web.post("/v1/checks", json=body(), headers=bearer(scopes=("share",)))
    assert (refusal.status_code, refusal.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(refusal.headers["retry-after"]) <= 60
    assert web.post("/v1/checks", json=body(), headers=headers).json()["code"] == "daily_cap_reached"
    large = {**ASKING, "type": licence.type_code, "jsonl": '{"number": "1"}\n' * 10_000}
    left = sqlite_library.settings.shares_per_minute - 3
    told = [web.post("/v1/checks/bulk", json=large, headers=headers).json()["code"] for _ in range(left // 100 + 1)]
    assert told[0] == "daily_cap_reached"
    assert told[-1] == "too_many_requests"
    assert licence.number == NUMBER


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.dictionaries(
        st.sampled_from(["number", "identifier", "holder_code", "holder_name", "issued_on", "registered_capital", "x"])
        | st.text(max_size=8),
        st.text(max_size=40) | st.integers() | st.none() | st.floats() | st.lists(st.text(max_size=2), max_size=2),
        max_size=5,
    ),
    csv=st.text(max_size=60),
)
def test_whatever_is_given_there_is_an_answer_or_a_refusal_by_name(
    web: TestClient, bearer: Bearer, sqlite_library: Library, values: dict[str, Any], csv: str
) -> None:
    if not granting.grants(sqlite_library.store):
        granted(sqlite_library, daily_cap=10**6)
    headers = bearer(CITY.code, scopes=("share",))
    for path, said in (
        ("/v1/checks", {"given": values}),
        ("/v1/checks/bulk", {"csv": "number,holder_name\n" + csv}),
        ("/v1/checks/bulk", {"csv": csv}),
        ("/v1/checks/bulk", {"jsonl": csv}),
        ("/v1/checks/bulk", {"jsonl": json.dumps(values)}),
    ):
        answer = web.post(path, content=json.dumps({**ASKING, "type": "business-licence", **said}), headers=headers)
        assert answer.status_code in {200, 403, 422, 429}
        if answer.status_code == 422:
            assert answer.json()["faults"]
