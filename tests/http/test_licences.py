"""Issuing over HTTP, and an agency's own licences."""

import base64
import hashlib
import json
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from certlib.library import Library
from certlib.model import Licence
from tests.http.conftest import request_body
from tests.support.clock import Clock
from tests.support.libraries import CITY

Bearer = Callable[..., dict[str, str]]


def test_issue_once_and_again(web: TestClient, bearer: Bearer) -> None:
    first = web.post("/v1/licences", json=request_body(), headers=bearer())
    assert first.status_code == 201, first.text
    made = first.json()
    assert first.headers["location"] == f"/v1/licences/{made['identifier']}"
    assert first.headers["cache-control"] == "private, no-store"
    again = web.post("/v1/licences", json=request_body(), headers=bearer())
    assert (again.status_code, again.json()["identifier"]) == (200, made["identifier"])
    assert web.get(f"/v1/verify/{made['public_code']}").json()["word"] == "valid"


def test_the_idempotency_key_is_the_request_id(web: TestClient, bearer: Bearer) -> None:
    headers = {**bearer(), "Idempotency-Key": "order-1"}
    first = web.post("/v1/licences", json=request_body(), headers=headers)
    assert first.status_code == 201
    again = web.post("/v1/licences", json=request_body(), headers=headers)
    assert (again.status_code, again.json()["identifier"]) == (200, first.json()["identifier"])
    clash = web.post("/v1/licences", json=request_body(request_id="order-2"), headers=headers)
    assert (clash.status_code, clash.json()["code"]) == (422, "invalid_request")


def test_other_content_under_the_same_key_is_a_conflict(web: TestClient, bearer: Bearer) -> None:
    made = web.post("/v1/licences", json=request_body(), headers=bearer()).json()
    fields = request_body()["fields"] | {"address": "样本市江湾区别处1号"}
    response = web.post("/v1/licences", json=request_body(fields=fields), headers=bearer())
    problem = response.json()
    assert (response.status_code, problem["code"]) == (409, "conflict")
    assert problem["identifier"] == made["identifier"]
    assert any("address" in name for name in problem["differs"])
    assert "别处" not in response.text


def test_every_fault_is_named_and_no_value_repeated(web: TestClient, bearer: Bearer) -> None:
    holders = [{"name": "某公司", "code": "91990200MA7EXAM18X", "code_type": "001"}]
    body = request_body(holders=holders, issued_on="2026-02-30", surprise=1)
    response = web.post("/v1/licences", json=body, headers=bearer())
    problem = response.json()
    assert (response.status_code, problem["code"]) == (422, "invalid_request")
    assert {"surprise", "issued_on"} <= {each["field"] for each in problem["faults"]}
    response = web.post("/v1/licences", json=request_body(holders=holders), headers=bearer())
    assert response.status_code == 422
    assert "91990200MA7EXAM18X" not in response.text


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"type":"a","type":"b"}', b'{"number": NaN}', b"\xff"])
def test_bodies_that_are_no_request(web: TestClient, bearer: Bearer, body: bytes) -> None:
    response = web.post("/v1/licences", content=body, headers=bearer())
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": "\0"}, 404),
        ({"type": "\ud800"}, 404),
        ({"operator": "\ud800"}, 422),
        ({"request_id": "\0"}, 422),
        ({"\ud800": 1}, 422),
        ({"fields": {"\ud800": "x"}}, 422),
        ({"images": {"\0": "AAAA"}}, 422),
        ({"number": "\ud800"}, 422),
    ],
    ids=ascii,
)
def test_odd_texts_are_refused(web: TestClient, bearer: Bearer, change: dict[str, object], status: int) -> None:
    body = json.dumps(request_body(**change)).encode()
    response = web.post("/v1/licences", content=body, headers=bearer())
    assert response.status_code == status, response.text


def test_a_character_without_a_glyph_is_named_and_the_number_stays_free(web: TestClient, bearer: Bearer) -> None:
    def named(name: str) -> list[dict[str, str]]:
        return [{"name": name, "code": "91990200MA7EXAM18U", "code_type": "001"}]

    response = web.post("/v1/licences", json=request_body(holders=named("甬江😀公司")), headers=bearer())
    (fault,) = response.json()["faults"]
    assert (response.status_code, fault["field"], fault["code"]) == (422, "holder_name", "no_glyph")
    assert fault["reason"] == "no font of the form has '😀' (U+1F600)"
    response = web.post("/v1/licences", json=request_body(holders=named("甬江𠮷䶮公司")), headers=bearer())
    assert response.status_code == 201, response.text
    assert web.get(f"/v1/verify/{response.json()['public_code']}").json()["holders"][0]["name"] == "甬江𠮷䶮公司"


def test_an_unknown_type(web: TestClient, bearer: Bearer) -> None:
    response = web.post("/v1/licences", json=request_body(type="no-such-type"), headers=bearer())
    assert response.status_code == 404


def _changed(token: str, part: int, **members: object) -> str:
    parts = token.split(".")
    padded = parts[part] + "=" * (-len(parts[part]) % 4)
    content = json.loads(base64.urlsafe_b64decode(padded)) | members
    parts[part] = base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
    return ".".join(parts)


def test_bearers_that_are_not_good(web: TestClient, bearer: Bearer, clock: Clock) -> None:
    good = bearer()["Authorization"].removeprefix("Bearer ")
    header, claims, signature = good.split(".")
    bad = {
        "": "unauthenticated",
        f"Basic {good}": "unauthenticated",
        "Bearer": "unauthenticated",
        f"Bearer {good}x": "bad_bearer",
        f"Bearer {header}.{claims}.": "bad_bearer",
        f"Bearer {_changed(good, 0, alg='none')}": "bad_bearer",
        f"Bearer {_changed(good, 0, alg='HS256')}": "bad_bearer",
        f"Bearer {_changed(good, 1, sub=CITY.code)}": "bad_bearer",
        f"Bearer {_changed(good, 1, exp=99999999999)}": "bad_bearer",
        f"Bearer {header}.{claims}.{signature[::-1]}": "bad_bearer",
        "Bearer " + "a" * 20_000: "unauthenticated",
    }
    for value, code in bad.items():
        response = web.post("/v1/licences", json=request_body(), headers={"Authorization": value})
        assert (response.status_code, response.json()["code"]) == (401, code), value[:40]
        assert response.headers["www-authenticate"] == "Bearer"
    headers = bearer()
    clock.move(seconds=601)
    response = web.post("/v1/licences", json=request_body(), headers=headers)
    assert (response.status_code, response.json()["code"]) == (401, "expired_bearer")


def test_a_bearer_for_something_else_may_not_issue(web: TestClient, bearer: Bearer) -> None:
    response = web.post("/v1/licences", json=request_body(), headers=bearer(scopes=("read",)))
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_an_agency_reads_its_own_licence_and_file(web: TestClient, bearer: Bearer, licence: Licence) -> None:
    path = f"/v1/licences/{licence.identifier}"
    record = web.get(path, headers=bearer())
    assert record.status_code == 200
    assert record.json()["fields"]["legal_representative"] == "林样知"
    pdf = web.get(record.json()["pdf_url"], headers=bearer())
    assert pdf.headers["content-type"] == "application/pdf"
    assert hashlib.sha256(pdf.content).hexdigest() == licence.pdf_sha256
    assert "filename*=UTF-8''" in pdf.headers["content-disposition"]


def test_another_agencys_licence_is_not_known(web: TestClient, bearer: Bearer, licence: Licence) -> None:
    for path in (f"/v1/licences/{licence.identifier}", f"/v1/licences/{licence.identifier}/pdf"):
        assert web.get(path).status_code == 401
        response = web.get(path, headers=bearer(CITY.code))
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
        assert licence.number not in response.text


def test_nothing_is_logged_of_a_holder(
    web: TestClient, bearer: Bearer, caplog: pytest.LogCaptureFixture, sqlite_library: Library
) -> None:
    assert web.post("/v1/licences", json=request_body(), headers=bearer()).status_code == 201
    assert sqlite_library.settings.library_name
    for secret in ("林样知", "91990200MA7EXAM18U", bearer()["Authorization"][:40]):
        assert secret not in caplog.text
