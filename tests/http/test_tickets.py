"""Objections and corrections over HTTP: the holder's side, the agencies' sides, and who is kept out."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pydantic import BaseModel

from api.schemas.tickets import TicketOut, WholeTicketOut
from certlib.library import Library
from certlib.model import Licence
from tests.support.changes import lay_down
from tests.support.clock import Clock
from tests.support.holders import MOTHER, STRANGER, agent_of_mother, headers_of, licence_of
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.tickets import look_at

Bearer = Callable[..., dict[str, str]]
MANAGE, SHARE, AUDIT = {"scopes": ("manage",)}, {"scopes": ("share",)}, {"scopes": ("audit",)}
ITEM = {"field": "practice_scope", "wrong": "struck out", "right": "中医内科；推拿康复"}
FIX = {"operator": "Wang", "text": "As applied for", "new": {"fields": {"practice_scope": ITEM["right"]}}}


@pytest.fixture
def mine(sqlite_library: Library) -> Licence:
    """The mother's licence."""
    return licence_of(sqlite_library)


def described(answer: Any, model: type[BaseModel]) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """The answer, which holds what its description says and nothing else."""
    model.model_validate(answer)
    assert set(answer) <= set(model.model_fields)
    needed = {name for name, field in model.model_fields.items() if field.is_required()}
    assert needed <= set(answer)
    return dict(answer)


def objected(web: TestClient, library: Library, licence: Licence) -> dict[str, Any]:
    said = {"look": look_at(library, licence), "reason": "I never applied there"}
    answer = web.post("/v1/my/objections", json=said, headers=headers_of(library))
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "private, no-store")
    return described(answer.json(), WholeTicketOut)


def reported(web: TestClient, library: Library, licence: Licence) -> dict[str, Any]:
    said = {"identifier": licence.identifier, "items": [ITEM], "remark": "Look at my application"}
    answer = web.post("/v1/my/corrections", json=said, headers=headers_of(library))
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "private, no-store")
    return described(answer.json(), WholeTicketOut)


def test_an_objection_is_answered(web: TestClient, bearer: Bearer, sqlite_library: Library, mine: Licence) -> None:
    made = objected(web, sqlite_library, mine)
    path = f"/v1/tickets/{made['id']}"
    assert (made["kind"], made["state"], made["agency"], made["overdue"]) == ("objection", "open", CITY.code, False)
    (listed,) = web.get("/v1/tickets?open=true", headers=bearer(CITY.code, **MANAGE)).json()["tickets"]
    described(listed, TicketOut)
    assert listed["text"] == "I never applied there"
    assert web.get("/v1/tickets", headers=bearer(**MANAGE)).json() == {"tickets": []}
    for headers in (bearer(**MANAGE), bearer(**SHARE)):
        assert web.get(path, headers=headers).json()["code"] == "ticket_not_found"
    assert web.get(path, headers=bearer(CITY.code, **SHARE)).status_code == 403
    unwritten = web.get(path, headers=bearer(**AUDIT)).json()
    assert "never applied" not in str(unwritten)
    assert "food permit" not in str(unwritten)
    described(unwritten, WholeTicketOut)
    for code, scopes in ((MARKET_BUREAU.code, ("manage", "audit")), (CITY.code, ("share", "audit"))):
        assert web.get(path, headers=bearer(code, scopes=scopes)).json() == unwritten
    assert web.get(path, headers=bearer(CITY.code, scopes=("manage", "audit"))).json()["text"]
    answer = {"operator": "Li Min", "outcome": "justified", "text": "Permit Act, section 3"}
    assert web.post(f"{path}/answer", json=answer, headers=bearer(CITY.code, **SHARE)).status_code == 403
    assert web.post(f"{path}/answer", json=answer, headers=bearer(**MANAGE)).status_code == 404
    done = web.post(f"{path}/answer", json=answer, headers=bearer(CITY.code, **MANAGE))
    assert (done.status_code, done.json()["outcome"]) == (200, "justified")
    again = web.post(f"{path}/answer", json=answer, headers=bearer(CITY.code, **MANAGE))
    assert (again.status_code, again.json()["code"]) == (409, "ticket_closed")
    (seen,) = web.get("/v1/my/objections", headers=headers_of(sqlite_library)).json()["tickets"]
    assert seen["outcome"] == "justified"
    whole = web.get(f"/v1/my/tickets/{made['id']}", headers=headers_of(sqlite_library)).json()
    assert whole["steps"][-1]["text"] == "Permit Act, section 3"
    assert whole["about"]["case_number"] == "2026-000117"
    twice = web.post(
        "/v1/my/objections", json={"look": whole["look"], "reason": "again"}, headers=headers_of(sqlite_library)
    )
    assert (twice.status_code, twice.json()["identifier"]) == (409, made["id"])
    check_invariants(sqlite_library.store)


def test_an_error_is_corrected(web: TestClient, bearer: Bearer, sqlite_library: Library, mine: Licence) -> None:
    made = reported(web, sqlite_library, mine)
    path, manage = f"/v1/tickets/{made['id']}", bearer(**MANAGE)
    back = {"action": "return", "operator": "Wang", "text": "Which one?"}
    assert web.post(f"{path}/steps", json={**back, "text": ""}, headers=manage).status_code == 422
    assert web.post(f"{path}/steps", json=back, headers=bearer(CITY.code, **MANAGE)).status_code == 404
    assert web.post(f"{path}/steps", json=back, headers=manage).json()["due_at"] is None
    assert web.post(f"{path}/correction", json=FIX, headers=manage).json()["code"] == "not_now"
    own = f"/v1/my/tickets/{made['id']}"
    assert web.post(
        f"{own}/supplement", json={"text": "x"}, headers=headers_of(sqlite_library, STRANGER)
    ).status_code == (404)
    more = web.post(f"{own}/supplement", json={"text": "The first"}, headers=headers_of(sqlite_library)).json()
    assert more["state"] == "in_progress"
    wrong = web.post(f"{path}/correction", json={**FIX, "new": {"fields": {"no": "x"}}}, headers=manage)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "invalid_request")
    done = web.post(f"{path}/correction", json=FIX, headers=manage)
    assert (done.status_code, done.json()["state"]) == (200, "corrected")
    described(done.json(), WholeTicketOut)
    new = web.get(f"/v1/licences/{done.json()['successor']}", headers=bearer()).json()
    assert new["fields"]["practice_scope"] == ITEM["right"]
    assert web.get(f"/v1/verify/{mine.public_code}").json()["word"] == "superseded"
    (seen,) = web.get("/v1/my/corrections", headers=headers_of(sqlite_library)).json()["tickets"]
    assert (seen["state"], seen["successor"]) == ("corrected", new["identifier"])
    check_invariants(sqlite_library.store)


def test_a_correction_that_waits_is_202(
    web: TestClient, bearer: Bearer, sqlite_library: Library, mine: Licence
) -> None:
    lay_down(sqlite_library, 'maker_checker = ["correct"]', type_code="practitioner-licence")
    made = reported(web, sqlite_library, mine)
    path, manage = f"/v1/tickets/{made['id']}", bearer(**MANAGE)
    waiting = web.post(f"{path}/correction", json=FIX, headers=manage)
    assert (waiting.status_code, waiting.json()["state"]) == (202, "correcting")
    change = f"/v1/changes/{waiting.json()['change']}/approval"
    assert web.post(change, json={"operator": "Zhao"}, headers=manage).status_code == 200
    assert web.get(path, headers=manage).json()["state"] == "corrected"


def test_a_clerk_reports_and_takes_back(
    web: TestClient, bearer: Bearer, sqlite_library: Library, mine: Licence
) -> None:
    share = bearer(CITY.code, **SHARE)
    said = {"kind": "wrong", "licence": mine.identifier, "items": [ITEM], "operator": "Li Min"}
    unmet = web.post("/v1/tickets", json=said, headers=share)
    unknown = web.post("/v1/tickets", json={**said, "licence": mine.identifier[:-2] + "00"}, headers=share)
    assert (unmet.status_code, unmet.json()) == (404, unknown.json())
    made = web.post("/v1/tickets", json={**said, "licence": mine.public_code}, headers=share)
    assert made.status_code == 201
    assert web.post("/v1/tickets", json=said, headers=bearer(**MANAGE)).status_code == 403
    (listed,) = web.get("/v1/tickets?role=raised", headers=share).json()["tickets"]
    assert listed["raised_by"] == CITY.code
    path = f"/v1/tickets/{made.json()['id']}/steps"
    take = {"action": "take", "operator": "Li Min"}
    assert web.post(path, json=take, headers=share).json()["code"] == "not_your_step"
    assert web.post(path, json={**take, "action": "withdraw"}, headers=share).json()["state"] == "withdrawn"
    missing = {"kind": "missing", "type": "practitioner-licence", "agency": MARKET_BUREAU.code, "operator": "Li Min",
               "holder_code": MOTHER[0], "remark": "Only paper"}  # fmt: skip
    first = web.post("/v1/tickets", json=missing, headers=share)
    assert first.status_code == 201
    second = web.post("/v1/tickets", json=missing, headers=share)
    assert (second.status_code, second.json()["identifier"]) == (409, first.json()["id"])
    assert len(web.get("/v1/my/corrections", headers=headers_of(sqlite_library)).json()["tickets"]) == 2


def test_what_is_overdue_is_listed_for_the_library(
    web: TestClient, bearer: Bearer, sqlite_library: Library, mine: Licence, clock: Clock
) -> None:
    made = objected(web, sqlite_library, mine)
    clock.move(days=30)
    assert web.get("/v1/tickets?role=library&escalated=true", headers=bearer(**MANAGE)).status_code == 403
    (seen,) = web.get("/v1/tickets?role=library&escalated=true", headers=bearer(**AUDIT)).json()["tickets"]
    assert (seen["id"], seen["overdue"], "text" in seen) == (made["id"], True, False)
    (late,) = web.get("/v1/tickets?overdue=true", headers=bearer(CITY.code, **MANAGE)).json()["tickets"]
    assert late["escalated_at"]
    assert web.get("/v1/tickets?overdue=true&kind=wrong", headers=bearer(CITY.code, **MANAGE)).json()["tickets"] == []


def test_a_delegate_acts_within_the_delegation(web: TestClient, sqlite_library: Library, mine: Licence) -> None:
    said = {"identifier": mine.identifier, "items": [ITEM]}
    narrow = agent_of_mother(sqlite_library, types=("business-licence",))
    headers = headers_of(sqlite_library, STRANGER, acting_for=narrow.id)
    assert web.post("/v1/my/corrections", json=said, headers=headers).status_code == 404
    wide = headers_of(sqlite_library, STRANGER, acting_for=agent_of_mother(sqlite_library).id)
    assert web.post("/v1/my/corrections", json=said, headers=wide).status_code == 201
    assert web.get("/v1/my/corrections", headers=headers).json() == {"tickets": []}


PATHS = (
    ("GET", "/v1/tickets"),
    ("GET", "/v1/tickets/{id}"),
    ("POST", "/v1/tickets"),
    ("POST", "/v1/tickets/{id}/answer"),
    ("POST", "/v1/tickets/{id}/steps"),
    ("POST", "/v1/tickets/{id}/correction"),
    ("GET", "/v1/my/objections"),
    ("POST", "/v1/my/objections"),
    ("GET", "/v1/my/corrections"),
    ("POST", "/v1/my/corrections"),
    ("GET", "/v1/my/tickets/{id}"),
    ("POST", "/v1/my/tickets/{id}/supplement"),
    ("POST", "/v1/my/tickets/{id}/withdrawal"),
)


def test_nobody_gets_in_with_the_others_bearer(web: TestClient, bearer: Bearer, sqlite_library: Library) -> None:
    agency = bearer(scopes=("issue", "manage", "share", "audit", "verify"))
    holder = headers_of(sqlite_library)
    for method, path in PATHS:
        for headers in ({}, agency if "/my/" in path else holder, {"Authorization": "Bearer x"}):
            answer = web.request(method, path.replace("{id}", "0" * 26), headers=headers, json={})
            assert answer.status_code == 401, (method, path)
        if "/my/" not in path:
            weak = web.request(method, path.replace("{id}", "0" * 26), headers=bearer(scopes=("verify",)), json={})
            assert weak.status_code == 403, (method, path)


@pytest.mark.parametrize("code", ["%00", "x" * 4096, "%ED%A0%80", "..%2f", "é", "1e9", "0" * 26])
def test_no_code_of_a_ticket_is_our_fault(web: TestClient, bearer: Bearer, sqlite_library: Library, code: str) -> None:
    every = bearer(scopes=("manage", "share"))
    holder = headers_of(sqlite_library)
    bodies = {"answer": {"operator": "x", "outcome": "justified", "text": "x"}, "correction": FIX,
              "steps": {"action": "take", "operator": "x"}, "supplement": {"text": "x"}, "withdrawal": {}}  # fmt: skip
    for method, path in PATHS:
        if "{id}" in path:
            body = bodies.get(path.rpartition("/")[2], {})
            headers = holder if "/my/" in path else every
            assert web.request(method, path.replace("{id}", code), headers=headers, json=body).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/my/objections", {"look": "1", "reason": "x"}),
        ("/v1/my/objections", {"look": 2**64, "reason": "x"}),
        ("/v1/my/objections", {"look": 1, "reason": "x", "more": 1}),
        ("/v1/my/objections", {"look": True, "reason": "x"}),
        ("/v1/my/corrections", {"identifier": "1", "items": []}),
        ("/v1/my/corrections", {"identifier": "1", "items": [{"field": "x"}]}),
        ("/v1/tickets", {"kind": "objection", "operator": "x"}),
        ("/v1/tickets", {"kind": "wrong", "licence": "\ud800", "operator": "\ud800", "items": [ITEM]}),
        ("/v1/tickets", {"kind": "missing", "type": "\x00", "agency": "\ud800", "operator": "x", "holder_code": "x",
                         "remark": "x"}),
        ("/v1/tickets/x/steps", {"action": "answer", "operator": "x"}),
    ],
)  # fmt: skip
def test_a_bad_body_is_422_and_names_the_member(
    web: TestClient, bearer: Bearer, sqlite_library: Library, path: str, body: dict[str, Any]
) -> None:
    headers = headers_of(sqlite_library) if "/my/" in path else bearer(scopes=("manage", "share"))
    answer = web.post(path, content=json.dumps(body), headers={**headers, "Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["faults"]


@pytest.mark.parametrize(
    "query",
    ["before=-1", f"before={2**63}", "before=x", "limit=501", "limit=0", "kind=x", "state=x", "role=x", "open=x"],
)
def test_bad_queries_are_422(web: TestClient, bearer: Bearer, query: str) -> None:
    assert web.get(f"/v1/tickets?{query}", headers=bearer(**MANAGE)).status_code == 422


def test_lists_go_on_where_they_ended(web: TestClient, bearer: Bearer, sqlite_library: Library, mine: Licence) -> None:
    made = [objected(web, sqlite_library, mine) for _number in range(3)]
    manage = bearer(CITY.code, **MANAGE)
    first = web.get("/v1/tickets?limit=2", headers=manage).json()["tickets"]
    rest = web.get(f"/v1/tickets?limit=2&before={first[-1]['position']}", headers=manage).json()["tickets"]
    assert [each["id"] for each in (*first, *rest)] == [each["id"] for each in made[::-1]]
