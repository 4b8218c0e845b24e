"""Changes by agencies' systems: ordered, decided, counted; and who may not."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from certlib.library import Library
from certlib.model import Licence
from tests.http.conftest import request_body
from tests.support.changes import HOLDER, lay_down
from tests.support.libraries import CITY

Bearer = Callable[..., dict[str, str]]
REVOKE = {"operation": "revoke", "reason": "处罚", "operator": "zhang", "document_number": "〔2026〕12号"}
SCOPES = ("issue", "manage")


@pytest.fixture
def path(licence: Licence) -> str:
    return f"/v1/licences/{licence.identifier}/changes"


def test_a_status_moves(web: TestClient, bearer: Bearer, licence: Licence, path: str) -> None:
    headers = {**bearer(scopes=SCOPES), "Idempotency-Key": "r1"}
    suspend = {**REVOKE, "operation": "suspend", "effective_at": "2026-11-01T08:00:00+08:00"}
    done = web.post(path, json=suspend, headers=headers)
    assert (done.status_code, done.headers["cache-control"]) == (201, "private, no-store")
    change = done.json()
    assert (change["state"], change["old"], change["new"]) == ("done", "active", "suspended")
    assert change["effective_at"] == "2026-11-01T00:00:00Z"
    assert web.post(path, json=suspend, headers=headers).json() == change
    assert web.post(path, json={**suspend, "reason": "x"}, headers=headers).json()["code"] == "other_change"
    assert web.get(f"/v1/verify/{licence.public_code}").json()["word"] == "suspended"
    restore = {"operation": "restore", "reason": "已整改", "operator": "zhang"}
    assert web.post(path, json=restore, headers=bearer(scopes=SCOPES)).status_code == 201
    assert web.post(path, json=REVOKE, headers=bearer(scopes=SCOPES)).status_code == 201
    assert web.get(f"/v1/verify/{licence.public_code}").json()["word"] == "revoked"
    refused = web.post(path, json=restore, headers=bearer(scopes=SCOPES))
    assert (refused.status_code, refused.json()["code"]) == (409, "illegal_transition")
    history = web.get(path, headers=bearer()).json()
    assert {each["operation"] for each in history} == {"suspend", "restore", "revoke"}


def test_a_new_version(web: TestClient, bearer: Bearer, licence: Licence, path: str) -> None:
    said = {"operation": "transfer", "reason": "转让", "operator": "zhang", "new": {"holders": HOLDER}}
    change = web.post(path, json=said, headers=bearer(scopes=SCOPES)).json()
    assert change["state"] == "done"
    assert "holders" in change["changed"]
    assert HOLDER[0]["name"] not in str(change)
    new = web.get(f"/v1/licences/{change['successor']}", headers=bearer()).json()
    assert (new["version"], new["previous_identifier"]) == (2, licence.identifier)
    old = web.post("/v1/verify", json={"text": licence.token}).json()
    assert old["word"] == "superseded"
    (newer,) = [each for each in old["checks"] if each["name"] == "superseded_by"]
    assert newer["evidence"]["identifier"] == change["successor"]
    assert "holders" in newer["evidence"]["changed"]


def test_two_persons(web: TestClient, bearer: Bearer, sqlite_library: Library, path: str) -> None:
    lay_down(sqlite_library, 'maker_checker = ["revoke"]')
    headers = bearer(scopes=SCOPES)
    waiting = web.post(path, json=REVOKE, headers=headers)
    assert waiting.status_code == 202
    pending = web.get("/v1/changes/pending", headers=headers).json()
    assert pending == {"changes": [waiting.json()], "bulk": []}
    approval = f"/v1/changes/{waiting.json()['id']}/approval"
    alone = web.post(approval, json={"operator": "ZHANG"}, headers=headers)
    assert (alone.status_code, alone.json()["code"]) == (403, "maker_is_checker")
    assert web.post(approval, json={"operator": "li"}, headers=bearer(CITY.code, scopes=SCOPES)).status_code == 404
    done = web.post(approval, json={"operator": "li"}, headers=headers).json()
    assert (done["state"], done["checker"]) == ("done", "li")
    assert web.get("/v1/changes/pending", headers=headers).json() == {"changes": [], "bulk": []}
    declined = web.post(approval, json={"operator": "li", "approve": False}, headers=headers)
    assert (declined.status_code, declined.json()["code"]) == (409, "already_decided")


def test_bulk(web: TestClient, bearer: Bearer, licence: Licence) -> None:
    headers = bearer(scopes=SCOPES)
    said: dict[str, Any] = {**REVOKE, "filter": {"type": "business-licence", "key": licence.token_kid}}
    counted = web.post("/v1/bulk", json={**said, "dry_run": True}, headers=headers)
    assert (counted.status_code, counted.json()) == (
        200,
        {"selected": 1, "planned": 1, "outcomes": {"moved": 1}, "two_persons": False},
    )
    act = web.post("/v1/bulk", json=said, headers=headers)
    assert (act.status_code, act.json()["total"]) == (201, 1)
    approval = f"/v1/bulk/{act.json()['id']}/approval"
    wrong = web.post(approval, json={"operator": "li", "total": 2}, headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "other_count")
    done = web.post(approval, json={"operator": "li", "total": 1}, headers=headers).json()
    assert (done["state"], done["counts"]) == ("done", {"done": 1})
    assert web.get(f"/v1/bulk/{done['id']}", headers=headers).json() == done
    assert web.get(f"/v1/bulk/{done['id']}", headers=bearer(CITY.code)).status_code == 404
    listed = {**REVOKE, "operation": "cancel", "csv": f"identifier\n{licence.identifier}\n"}
    assert web.post("/v1/bulk", json=listed, headers=headers).json()["total"] == 1
    nobody = {**REVOKE, "csv": "identifier\n1.2.3\n"}
    assert web.post("/v1/bulk", json=nobody, headers=headers).json()["faults"][0]["code"] == "not_found"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"operation": "burn"}, "operation"),
        ({"operator": 1}, "operator"),
        ({"document_number": ""}, "document_number"),
        ({"effective_at": "2026-11-22"}, "effective_at"),
        ({"effective_at": "2026-11-22T08:00:00"}, "effective_at"),
        ({"effective_at": "2999-11-22T08:00:00Z"}, "effective_at"),
        ({"new": {"fields": {}}}, "fields"),
        ({"more": 1}, "more"),
    ],
)
def test_faults_name_the_member(web: TestClient, bearer: Bearer, path: str, said: dict[str, Any], field: str) -> None:
    refused = web.post(path, json={**REVOKE, **said}, headers=bearer(scopes=SCOPES))
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["faults"]] == [field]


def test_who_may_not(web: TestClient, bearer: Bearer, path: str) -> None:
    assert web.post(path, json=REVOKE).status_code == 401
    assert web.post(path, json=REVOKE, headers=bearer()).json()["code"] == "forbidden"
    assert web.post(path, json=REVOKE, headers=bearer(CITY.code, scopes=SCOPES)).status_code == 404
    assert web.get(path, headers=bearer(CITY.code)).status_code == 404
    for where in ("/v1/changes/no%00such/approval", "/v1/bulk/nosuch/approval"):
        assert web.post(where, json={"operator": "li"}, headers=bearer(scopes=SCOPES)).status_code == 404
    strange = web.post("/v1/licences/%00%F0%9F%98%80/changes", json=REVOKE, headers=bearer(scopes=SCOPES))
    assert strange.status_code == 404


def test_the_description_is_whole(quiet_web: TestClient) -> None:
    paths = quiet_web.get("/openapi.json").json()["paths"]
    ours = {"/v1/licences/{identifier}/changes", "/v1/changes/pending", "/v1/bulk", "/v1/bulk/{act_id}/approval"}
    assert ours <= paths.keys()
    for path in ours & {path for path, methods in paths.items() if "post" in methods}:
        body = paths[path]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["additionalProperties"] is False
        assert "$ref" not in str(body)


def test_what_was_issued_can_be_changed(web: TestClient, bearer: Bearer) -> None:
    headers = bearer(scopes=SCOPES)
    made = web.post("/v1/licences", json=request_body(), headers=headers).json()
    cancel = {"operation": "cancel", "reason": "歇业", "operator": "zhang"}
    assert web.post(f"/v1/licences/{made['identifier']}/changes", json=cancel, headers=headers).status_code == 201
