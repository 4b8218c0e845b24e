"""Uses by agencies' systems: asked, read, copied, receipted; and what garbage gets."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from certlib.grants import Basis
from certlib.library import Library
from certlib.model import Licence
from certlib.sharing.uses import decide
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.sharing import MATTER, granted
from tests.support.uses import FIELDS, HOLDER, STRANGER, TYPE, consent_code

Bearer = Callable[..., dict[str, str]]
BODY: dict[str, Any] = {
    "matter_code": MATTER,
    "case_number": "2026-000117",
    "purpose": "Application for a food permit",
    "operator": "Li Min",
    "types": [TYPE],
    "interfaces": ["data", "file"],
    "holder_code": HOLDER,
    "fields": {TYPE: list(FIELDS)},
}
SCOPES = ("share", "verify")
GARBAGE = ("x", "%00", "%F0%9F%98%80", "%ED%A0%80", "9" * 40, "a" * 4096, "..%2f..%2fetc", "0" * 26, "1' OR '1'='1")


@pytest.fixture
def city(bearer: Bearer) -> dict[str, str]:
    return bearer(CITY.code, scopes=SCOPES)


def private(answer: Any) -> bool:  # noqa: ANN401  # a response
    return bool(answer.headers["cache-control"] == "private, no-store")


def test_the_whole_way_by_law(
    web: TestClient, city: dict[str, str], licence: Licence, sqlite_library: Library, bearer: Bearer
) -> None:
    granted(sqlite_library)
    asked = web.post("/v1/uses", json=BODY, headers={**city, "Idempotency-Key": "r1"})
    assert (asked.status_code, private(asked)) == (201, True)
    use = asked.json()
    assert (use["state"], use["basis"], use["decided_by"]) == ("granted", "statutory", "law")
    assert use["types"] == [{"type": TYPE, "fields": list(FIELDS), "clause": "Licensing Act, section 12 (3)"}]
    assert HOLDER not in asked.text
    path = asked.headers["location"]
    assert path == f"/v1/uses/{use['code']}"
    again = web.post("/v1/uses", json=BODY, headers={**city, "Idempotency-Key": "r1"})
    assert (again.status_code, again.json()) == (200, use)
    other = web.post("/v1/uses", json={**BODY, "purpose": "x"}, headers={**city, "Idempotency-Key": "r1"})
    assert (other.status_code, other.json()["code"]) == (409, "other_use")
    assert web.get(path, headers=city).json() == use
    assert web.get("/v1/uses", headers=city).json() == {"uses": [use]}
    read = web.get(f"{path}/data", headers=city)
    assert private(read)
    (one,) = read.json()["licences"]
    assert (one["identifier"], one["word"], set(one["fields"])) == (licence.identifier, "valid", set(FIELDS))
    links = web.post(f"{path}/file", headers=city)
    assert (links.status_code, private(links)) == (201, True)
    (link,) = links.json()["links"]
    assert link["url"].startswith("http://127.0.0.1:8080/v1/files/")
    where = link["url"].removeprefix("http://127.0.0.1:8080")
    copy = web.get(where)
    assert (copy.status_code, copy.headers["content-type"], private(copy)) == (200, "application/pdf", True)
    assert copy.content.startswith(b"%PDF-")
    spent = web.get(where)
    assert (spent.status_code, spent.json()["code"]) == (410, "link_used")
    theirs = bearer(MARKET_BUREAU.code, scopes=SCOPES)
    for tail in ("", "/data", "/receipt", "/receipt.pdf"):
        refused, unknown = (web.get(f"/v1/uses/{code}{tail}", headers=theirs) for code in (use["code"], "0" * 26))
        assert refused.status_code == unknown.status_code == 404
        assert refused.json() == unknown.json()
    assert web.post(f"{path}/file", headers=theirs).status_code == 404
    assert web.get("/v1/uses", headers=theirs).json() == {"uses": []}


def test_receipts(web: TestClient, city: dict[str, str], licence: Licence, sqlite_library: Library) -> None:
    granted(sqlite_library)
    path = web.post("/v1/uses", json=BODY, headers=city).headers["location"]
    web.get(f"{path}/data", headers=city)
    receipt = web.get(f"{path}/receipt", headers=city)
    assert private(receipt)
    assert receipt.json()["result"]["licences"][0]["identifier"] == licence.identifier
    jose = web.get(f"{path}/receipt", headers={**city, "Accept": "text/html, application/jose;q=0.9"})
    assert (jose.headers["content-type"], jose.text.count(".")) == ("application/jose", 2)
    for paper in (
        web.get(f"{path}/receipt.pdf", headers=city),
        web.get(f"{path}/receipt", headers={**city, "Accept": "application/pdf"}),
    ):
        assert (paper.status_code, paper.headers["content-type"], private(paper)) == (200, "application/pdf", True)
        assert paper.content.startswith(b"%PDF-")
    for text in (receipt.json()["receipt"], jose.text):
        checked = web.post("/v1/receipts/verification", json={"receipt": text})
        assert (checked.status_code, checked.json()["genuine"]) == (200, True)
    false = web.post("/v1/receipts/verification", json={"receipt": jose.text[:-8] + "AAAAAAAA"})
    assert (false.status_code, false.json()) == (200, {"genuine": False, "fault": "bad_signature", "says": None})


def test_a_receipt_of_a_verification(web: TestClient, city: dict[str, str], licence: Licence, bearer: Bearer) -> None:
    said = {"text": licence.token, "operator": "Li Min"}
    taken = web.post("/v1/receipts", json=said, headers=city)
    assert (taken.status_code, private(taken)) == (201, True)
    assert (taken.json()["verdict"]["word"], taken.json()["subject"]) == ("valid", licence.identifier)
    assert web.post("/v1/receipts/verification", json={"receipt": taken.json()["receipt"]}).json()["genuine"]
    paper = web.post("/v1/receipts", json=said, headers={**city, "Accept": "application/pdf"})
    assert (paper.status_code, paper.content[:5]) == (201, b"%PDF-")
    assert web.post("/v1/receipts", json=said).status_code == 401
    assert web.post("/v1/receipts", json=said, headers=bearer(CITY.code)).status_code == 403
    data = web.get(f"/v1/licences/{licence.identifier}/pdf", headers=bearer()).content
    of_file = web.post("/v1/receipts", json={"file": base64.b64encode(data).decode(), "operator": "Li"}, headers=city)
    assert (of_file.status_code, of_file.json()["verdict"]["word"]) == (201, "valid")
    assert of_file.json()["result"]["input_sha256"] == licence.pdf_sha256
    for given in ({"file": "*"}, {"file": "é"}, {"file": ""}, {"file": "AAAA", "text": "x"}):
        assert web.post("/v1/receipts", json={"operator": "Li", **given}, headers=city).status_code == 422
    for changes, field in (({"text": ""}, "text"), ({"operator": ""}, "operator"), ({"more": 1}, "more")):
        refused = web.post("/v1/receipts", json={**said, **changes}, headers=city)
        assert (refused.status_code, refused.json()["faults"][0]["field"]) == (422, field)


def test_consent(web: TestClient, city: dict[str, str], licence: Licence, sqlite_library: Library) -> None:
    granted(sqlite_library, basis=Basis.CONSENT, clause="")
    answers = [web.post("/v1/uses", json={**BODY, "holder_code": each}, headers=city) for each in (HOLDER, STRANGER)]
    varying = {"code", "made_at", "expires_at"}
    said = [{name: value for name, value in each.json().items() if name not in varying} for each in answers]
    assert [each.status_code for each in answers] == [202, 202]
    assert said[0] == said[1]
    assert said[0]["state"] == "pending"
    assert len(answers[0].content) == len(answers[1].content)
    paths = [each.headers["location"] for each in answers]
    for path in paths:
        for refused in (web.get(f"{path}/data", headers=city), web.post(f"{path}/file", headers=city)):
            assert (refused.status_code, refused.json()["code"]) == (409, "use_pending")
    decide(sqlite_library, HOLDER, answers[0].json()["code"], approve=True, by="holder")
    decide(sqlite_library, STRANGER, answers[1].json()["code"], approve=False, by="holder")
    assert web.get(f"{paths[0]}/data", headers=city).json()["licences"][0]["identifier"] == licence.identifier
    declined = web.get(f"{paths[1]}/data", headers=city)
    assert (declined.status_code, declined.json()["code"]) == (403, "use_declined")
    code = consent_code(sqlite_library)
    with_code = {**BODY, "holder_code": "", "consent_code": code}
    assert web.post("/v1/uses", json=with_code, headers=city).status_code == 201
    used = web.post("/v1/uses", json=with_code, headers=city)
    assert (used.status_code, used.json()["code"]) == (403, "code_used")
    nobody = web.post("/v1/uses", json={**BODY, "holder_code": ""}, headers=city)
    assert (nobody.status_code, nobody.json()["faults"][0]["field"]) == (422, "holder_code")


def test_limits_are_429(web: TestClient, city: dict[str, str], licence: Licence, sqlite_library: Library) -> None:
    granted(sqlite_library, daily_cap=1)
    path = web.post("/v1/uses", json=BODY, headers=city).headers["location"]
    assert web.get(f"{path}/data", headers=city).json()["licences"][0]["identifier"] == licence.identifier
    capped = web.get(f"{path}/data", headers=city)
    assert (capped.status_code, capped.json()["code"]) == (429, "daily_cap_reached")
    assert int(capped.headers["retry-after"]) > 0
    assert web.post(f"{path}/file", headers=city).status_code == 429


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": ""}, "purpose"),
        ({"operator": None}, "operator"),
        ({"matter_code": "x" * 65}, "matter_code"),
        ({"types": [], "fields": {}}, "types"),
        ({"types": "business-licence"}, "types"),
        ({"types": ["\x00"], "fields": {}}, "types.0"),
        ({"interfaces": ["list"]}, "interfaces.0"),
        ({"interfaces": []}, "interfaces"),
        ({"fields": {TYPE: "number"}}, f"fields.{TYPE}"),
        ({"fields": {"x": []}}, "fields"),
        ({"holder_code": 1}, "holder_code"),
        ({"holder_code": "\x00"}, "holder_code"),
        ({"consent_code": "no code"}, "consent_code"),
        ({"consent_code": "000000000001"}, "consent_code"),
        ({"more": 1}, "more"),
    ],
)
def test_faults_name_the_member(
    web: TestClient, city: dict[str, str], sqlite_library: Library, changes: dict[str, Any], field: str
) -> None:
    granted(sqlite_library)
    refused = web.post("/v1/uses", json={**BODY, **changes}, headers=city)
    assert refused.status_code == 422
    assert [each["field"] for each in refused.json()["faults"]] == [field]


def test_garbage_is_refused_in_order(web: TestClient, city: dict[str, str], sqlite_library: Library) -> None:
    granted(sqlite_library)
    for body in (b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b'{"types":"\\ud800"}', b"[" * 100_000):
        for where in ("/v1/uses", "/v1/receipts", "/v1/receipts/verification"):
            assert web.post(where, content=body, headers=city).status_code == 422
    for code in GARBAGE:
        for tail in ("", "/data", "/receipt", "/receipt.pdf"):
            assert web.get(f"/v1/uses/{code}{tail}", headers=city).status_code == 404
        assert web.post(f"/v1/uses/{code}/file", headers=city).status_code == 404
        assert web.get(f"/v1/files/{code}").status_code == 404
    surrogate = json.dumps({**BODY, "case_number": "\ud800", "holder_code": "\udfff"})
    assert web.post("/v1/uses", content=surrogate, headers=city).status_code == 422
    long_key = {**city, "Idempotency-Key": "x" * 129}
    assert web.post("/v1/uses", json=BODY, headers=long_key).json()["faults"][0]["field"] == "Idempotency-Key"


def test_who_may_not(web: TestClient, bearer: Bearer) -> None:
    assert web.post("/v1/uses", json=BODY).status_code == 401
    assert web.post("/v1/uses", json=BODY, headers=bearer(CITY.code)).json()["code"] == "forbidden"
    refused = web.post("/v1/uses", json=BODY, headers=bearer(CITY.code, scopes=SCOPES))
    assert (refused.status_code, refused.json()["code"]) == (403, "no_grant")
    for where in ("/v1/uses", "/v1/uses/x", "/v1/uses/x/data", "/v1/uses/x/receipt", "/v1/uses/x/receipt.pdf"):
        assert web.get(where).status_code == 401
        assert web.get(where, headers=bearer(CITY.code)).status_code == 403


def test_the_description_is_whole(quiet_web: TestClient) -> None:
    paths = quiet_web.get("/openapi.json").json()["paths"]
    ours = {"", "/{code}", "/{code}/data", "/{code}/file", "/{code}/receipt", "/{code}/receipt.pdf"}
    assert {f"/v1/uses{each}" for each in ours} <= paths.keys()
    assert (
        paths["/v1/uses"]["post"]["requestBody"]["content"]["application/json"]["schema"]["additionalProperties"]
        is False
    )
    assert {"200", "201", "202", "409", "429"} <= paths["/v1/uses"]["post"]["responses"].keys()
    assert {"404", "409", "410"} <= paths["/v1/files/{secret}"]["get"]["responses"].keys()
    assert "application/jose" in paths["/v1/uses/{code}/receipt"]["get"]["responses"]["200"]["content"]
    assert "security" not in paths["/v1/files/{secret}"]["get"]
