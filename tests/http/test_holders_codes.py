"""Codes and consent over HTTP: from the holder's word to what the agency reads and the holder's ledger says."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from certlib.grants import Basis
from certlib.library import Library
from certlib.store import audits
from tests.support.clock import Clock
from tests.support.holders import MOTHER, SECRETS, STRANGER, agent_of_mother, headers_of, licence_of
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.sharing import MATTER, granted

Bearer = Callable[..., dict[str, str]]
TYPE = "practitioner-licence"
CONSENT = {"kind": "consent", "agency": CITY.code, "types": {TYPE: ["number", "category"]}}
USE = {
    "matter_code": MATTER,
    "case_number": "2026-000117",
    "purpose": "A post as a physician",
    "operator": "Li Min",
    "types": [TYPE],
    "fields": {TYPE: ["number", "category"]},
}


def made(web: TestClient, headers: dict[str, str], body: dict[str, Any]) -> Any:  # noqa: ANN401  # JSON
    answer = web.post("/v1/my/codes", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "private, no-store"
    return answer.json()


def test_a_holder_shows_a_licence_at_a_counter(web: TestClient, sqlite_library: Library, bearer: Bearer) -> None:
    licence = licence_of(sqlite_library)
    mine = headers_of(sqlite_library)
    codes = [made(web, mine, {"kind": "show", "licences": [licence.identifier]})["code"] for _ in range(2)]
    seen = web.post("/v1/shown", json={"code": f" {codes[0].lower()} "})
    assert seen.status_code == 200
    assert seen.headers["Cache-Control"] == "private, no-store"
    (face,) = seen.json()["licences"]
    assert (face["number"], face["status"], face["holders"][0]["code"]) == (
        licence.number,
        "valid",
        "9****************3",
    )
    assert not {"token", "public_code"} & set(face)
    assert MOTHER[0] not in seen.text
    assert web.post("/v1/shown", json={"code": codes[1]}, headers=bearer(CITY.code, scopes=())).status_code == 200
    again = web.post("/v1/shown", json={"code": codes[0]})
    assert (again.status_code, again.json()["code"]) == (404, "code_unknown")
    mistyped = web.post("/v1/shown", json={"code": codes[0][:-1] + ("7" if codes[0][-1] != "7" else "8")})
    assert (mistyped.status_code, mistyped.json()["faults"][0]["code"]) == (422, "bad_check_digit")
    looks = web.get("/v1/my/ledger", headers=mine).json()["looks"]
    assert [(each["kind"], each["by"], each["agency"]) for each in looks] == [
        ("shown", "agency", {"code": CITY.code, "name": CITY.name}),
        ("shown", "anybody", None),
    ]
    listed = web.get("/v1/my/codes", headers=mine)
    assert [each["state"] for each in listed.json()] == ["used", "used"]
    assert not [each for each in codes if each in listed.text]
    assert {each["reference"] for each in looks} == {each["id"] for each in listed.json()}


def test_consent_by_code_is_read_and_stands_in_the_ledger(
    web: TestClient, sqlite_library: Library, bearer: Bearer
) -> None:
    licence_of(sqlite_library)
    granted(
        sqlite_library, type_code=TYPE, fields=("number", "category", "holder_name"), basis=Basis.CONSENT, clause=""
    )
    delegation = agent_of_mother(sqlite_library, types=(TYPE,))
    agent = headers_of(sqlite_library, STRANGER, acting_for=delegation.id)
    code = made(web, agent, CONSENT)["code"]
    city = bearer(CITY.code, scopes=("share",))
    more = {**USE, "fields": {TYPE: ["number", "holder_name"]}, "consent_code": code}
    assert web.post("/v1/uses", json=more, headers=city).json()["code"] == "code_for_less"
    use = web.post("/v1/uses", json={**USE, "consent_code": code}, headers=city)
    assert use.status_code == 201, use.text
    assert web.post("/v1/uses", json={**USE, "consent_code": code}, headers=city).json()["code"] == "code_used"
    read = web.get(f"/v1/uses/{use.json()['code']}/data", headers=city).json()
    assert read["licences"][0]["fields"] == {"number": "YB-2026-000318", "category": "中医"}
    (look,) = web.get("/v1/my/ledger", headers=headers_of(sqlite_library)).json()["looks"]
    assert (look["kind"], look["by"], look["basis"], look["fields"]) == (
        "data",
        "agency",
        "consent",
        ["number", "category"],
    )
    assert (look["reference"], look["delegation"]) == (use.json()["code"], delegation.id)
    assert (look["purpose"], look["matter_code"]) == ("A post as a physician", MATTER)
    kept = str(list(audits.read_chain(sqlite_library.store)))
    assert not [each for each in (*SECRETS, "physician", code, code.replace("-", "")) if each in kept]


def test_a_request_waits_for_the_holder_who_agrees_and_takes_it_back(
    web: TestClient, sqlite_library: Library, bearer: Bearer
) -> None:
    licence_of(sqlite_library)
    granted(sqlite_library, type_code=TYPE, fields=("number", "category"), basis=Basis.CONSENT, clause="")
    city = bearer(CITY.code, scopes=("share",))
    use = web.post("/v1/uses", json={**USE, "holder_code": MOTHER[0]}, headers=city)
    assert use.status_code == 202
    mine = headers_of(sqlite_library)
    (asked,) = web.get("/v1/my/requests", headers=mine).json()
    assert (asked["state"], asked["agency"]["name"], asked["types"]) == ("pending", CITY.name, USE["fields"])
    decision = f"/v1/my/requests/{asked['use_code']}/decision"
    outside = agent_of_mother(sqlite_library, types=("birth-certificate",))
    for headers in (headers_of(sqlite_library, STRANGER), headers_of(sqlite_library, STRANGER, acting_for=outside.id)):
        assert web.get("/v1/my/requests", headers=headers).json() == []
        answer = web.post(decision, json={"approve": True}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "request_not_found")
    assert web.get(f"/v1/uses/{asked['use_code']}/data", headers=city).status_code == 409
    inside = agent_of_mother(sqlite_library, types=(TYPE,))
    agent = headers_of(sqlite_library, STRANGER, acting_for=inside.id)
    agreed = web.post(decision, json={"approve": True}, headers=agent).json()
    assert (agreed["state"], agreed["decided_by"]) == ("granted", f"delegate {inside.id}")
    assert len(web.get(f"/v1/uses/{asked['use_code']}/data", headers=city).json()["licences"]) == 1
    back = web.post(decision, json={"approve": False}, headers=mine).json()
    assert (back["state"], back["decided_by"]) == ("withdrawn", "holder")
    refused = web.get(f"/v1/uses/{asked['use_code']}/data", headers=city)
    assert (refused.status_code, refused.json()["code"]) == (403, "consent_withdrawn")
    for body in ({}, {"approve": 1}, {"approve": "yes"}, {"approve": True, "more": 1}):
        assert web.post(decision, json=body, headers=mine).status_code == 422
    for odd in ("x", "%00", "0" * 26, "x" * 4096):
        answer = web.post(f"/v1/my/requests/{odd}/decision", json={"approve": True}, headers=mine)
        assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "own"}, "kind"),
        ({"kind": "show"}, "licences"),
        ({"kind": "show", "licences": ["a"] * 21}, "licences"),
        ({"kind": "show", "licences": ["a", "a"]}, "licences"),
        ({"kind": "show", "licences": ["a"], "agency": "RAINPORT"}, "agency"),
        ({"kind": "show", "licences": [7]}, "licences.0"),
        ({**CONSENT, "licences": ["a"]}, "licences"),
        ({**CONSENT, "agency": "NOBODY"}, "agency"),
        ({**CONSENT, "types": {TYPE: ["iban"]}}, f"types.{TYPE}"),
        ({**CONSENT, "uses": 2}, "uses"),
    ],
)
def test_a_code_asked_for_wrongly_names_the_field(
    web: TestClient, sqlite_library: Library, body: dict[str, Any], field: str
) -> None:
    answer = web.post("/v1/my/codes", json=body, headers=headers_of(sqlite_library))
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["faults"]] == [field]


def test_guessing_is_counted_by_network_and_by_agency(
    web: TestClient, sqlite_library: Library, bearer: Bearer, clock: Clock
) -> None:
    licence = licence_of(sqlite_library)
    mine = headers_of(sqlite_library)
    used = made(web, mine, {"kind": "show", "licences": [licence.identifier]})["code"]
    web.post("/v1/shown", json={"code": used})
    for _number in range(20):
        assert web.post("/v1/shown", json={"code": used}).status_code == 404
    stopped = web.post("/v1/shown", json={"code": used})
    assert (stopped.status_code, stopped.json()["code"]) == (429, "too_many_wrong_codes")
    assert int(stopped.headers["Retry-After"]) > 0
    bureau = bearer(MARKET_BUREAU.code, scopes=())
    assert web.post("/v1/shown", json={"code": used}, headers=bureau).status_code == 404
    clock.move(hours=1)
    assert web.post("/v1/shown", json={"code": used}).status_code == 404


def test_a_holder_takes_a_code_back(web: TestClient, sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    mine = headers_of(sqlite_library)
    code = made(web, mine, {"kind": "show", "licences": [licence.identifier]})
    other = web.delete(f"/v1/my/codes/{code['id']}", headers=headers_of(sqlite_library, STRANGER))
    assert (other.status_code, other.json()["code"]) == (404, "code_not_found")
    for _time in range(2):
        assert web.delete(f"/v1/my/codes/{code['id']}", headers=mine).status_code == 204
    assert web.post("/v1/shown", json={"code": code["code"]}).status_code == 404
    for odd in ("x", "%00", "0" * 26, "x" * 4096, "%ED%A0%80"):
        assert web.delete(f"/v1/my/codes/{odd}", headers=mine).status_code == 404
