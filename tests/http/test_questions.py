"""Questions over HTTP: declared, asked, refused by name; one form for every answer."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from certlib.issuing import issue
from certlib.library import Library
from certlib.trusting import live_pack
from signing.receipts import verify_receipt
from tests.support.libraries import CITY
from tests.support.questions import CHILD, MOTHER, STRANGER, birth_request, grant_questions
from tests.support.sharing import MATTER, granted

Bearer = Callable[..., dict[str, str]]


def body(**changes: object) -> dict[str, Any]:
    return {
        "type": "birth-certificate",
        "question": "holder_is",
        "parameters": {"relation": "mother_of", "code": CHILD},
        "holder_code": MOTHER,
        "matter_code": MATTER,
        "case_number": "2026-000117",
        "purpose": "Entry in the household register",
        "operator": "Li Min",
        **changes,
    }


@pytest.fixture
def city(bearer: Bearer, sqlite_library: Library) -> dict[str, str]:
    issue(sqlite_library, birth_request())
    return bearer(CITY.code, scopes=("share",))


def test_a_question_is_answered_and_signed(web: TestClient, sqlite_library: Library, city: dict[str, str]) -> None:
    grant_questions(sqlite_library)
    done = web.post("/v1/questions", json=body(), headers=city)
    assert done.status_code == 200
    assert done.headers["Cache-Control"] == "private, no-store"
    answer = done.json()
    assert answer.keys() == {"type", "question", "answer", "as_of", "receipt_id", "receipt"}
    assert (answer["type"], answer["question"], answer["answer"]) == ("birth-certificate", "holder_is", "yes")
    now = sqlite_library.now()
    receipt = verify_receipt(answer["receipt"], live_pack(sqlite_library, now=now), now=now).receipt
    assert receipt.receipt_id == answer["receipt_id"]
    assert receipt.asked_by == CITY.code
    assert receipt.result["answer"] == "yes"
    checked = web.post("/v1/receipts/verification", json={"receipt": answer["receipt"]}).json()
    assert (checked["genuine"], checked["says"]["act"]) == (True, "question")
    assert web.post("/v1/questions", json=body(holder_code=STRANGER), headers=city).json()["answer"] == "no"
    unknown = body(parameters={"relation": "mother_of", "code": STRANGER})
    assert web.post("/v1/questions", json=unknown, headers=city).json()["answer"] == "not_recorded"


def test_yes_no_and_not_recorded_have_one_form(web: TestClient, sqlite_library: Library, city: dict[str, str]) -> None:
    grant_questions(sqlite_library)
    asked = [body(), body(holder_code=STRANGER), body(parameters={"relation": "mother_of", "code": STRANGER})]
    answers = [web.post("/v1/questions", json=each, headers=city) for each in asked]
    assert [each.json()["answer"] for each in answers] == ["yes", "no", "not_recorded"]
    assert len({tuple(each.json()) for each in answers}) == 1
    assert len({tuple(sorted(each.headers)) for each in answers}) == 1


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"parameters": {"relation": "sister_of", "code": CHILD}}, "parameters.relation", "bad_choice"),
        ({"parameters": {"relation": "mother_of"}}, "parameters.code", "required"),
        ({"parameters": {"relation": "mother_of", "code": 7}}, "parameters.code", "wrong_type"),
        ({"parameters": ["mother_of"]}, "parameters", "dict_type"),
        ({"question": "who_is_the_father"}, "question", "unknown_question"),
        ({"question": "is_valid_on", "parameters": {"date": "yesterday"}}, "parameters.date", "bad_date"),
        ({"question": "is_valid_on", "parameters": {"date": "9999-12-31"}}, "parameters.date", "future_date"),
        ({"question": "holder_age_at_least", "parameters": {"age": "18"}}, "parameters.age", "wrong_type"),
        ({"holder_code": ""}, "holder_code", "required"),
        ({"type": "../etc"}, "type", "bad_form"),
        ({"type": "a" * 65}, "type", "string_too_long"),
        ({"operator": " "}, "operator", "required"),
        ({"purpose": ""}, "purpose", "required"),
        ({"father": "x"}, "father", "extra_forbidden"),
    ],
)
def test_what_is_wrong_is_named_and_not_repeated(  # noqa: PLR0913, PLR0917  # fixtures and a row
    web: TestClient,
    sqlite_library: Library,
    city: dict[str, str],
    changes: dict[str, object],
    field: str,
    code: str,
) -> None:
    grant_questions(sqlite_library)
    refused = web.post("/v1/questions", json=body(**changes), headers=city)
    assert refused.status_code == 422
    assert [(each["field"], each["code"]) for each in refused.json()["faults"]] == [(field, code)]
    assert not any(value in refused.text for value in (CHILD, MOTHER, "yesterday", "../etc"))


def test_who_may_not_ask_learns_nothing(
    web: TestClient, sqlite_library: Library, city: dict[str, str], bearer: Bearer
) -> None:
    refused = [
        web.post("/v1/questions", json=body(parameters={"relation": "mother_of", "code": code}), headers=city)
        for code in (CHILD, STRANGER)
    ]
    assert [each.status_code for each in refused] == [403, 403]
    assert len({each.text for each in refused}) == 1
    assert refused[0].json()["code"] == "no_grant"
    assert web.post("/v1/questions", json=body(type="no-such-type"), headers=city).json()["code"] == "no_grant"
    granted(sqlite_library, type_code="birth-certificate", fields=("mother_code", "question:is_valid_on"))
    assert web.post("/v1/questions", json=body(), headers=city).json()["code"] == "field_not_granted"
    assert web.post("/v1/questions", json=body()).status_code == 401
    issuing = bearer(CITY.code, scopes=("issue",))
    assert web.post("/v1/questions", json=body(), headers=issuing).status_code == 403
    assert web.get("/v1/types/birth-certificate/questions", headers=issuing).status_code == 403


def test_a_programmer_sees_which_questions_a_type_answers(web: TestClient, city: dict[str, str]) -> None:
    listed = web.get("/v1/types/birth-certificate/questions", headers=city)
    assert listed.status_code == 200
    assert listed.headers["Cache-Control"] == "private, no-store"
    found = {each["name"]: each for each in listed.json()["questions"]}
    assert list(found) == ["is_valid_on", "holder_is", "holder_age_at_least"]
    assert found["holder_is"] == {
        "name": "holder_is",
        "label": {"zh": "亲子关系", "en": "Is parent or child of"},
        "kind": "relation",
        "grant": "question:holder_is",
        "parameters": [
            {
                "name": "relation",
                "type": "choice",
                "description": "one of child_of, parent_of, mother_of, father_of",
                "choices": ["child_of", "parent_of", "mother_of", "father_of"],
                "minimum": None,
                "maximum": None,
            },
            {
                "name": "code",
                "type": "code",
                "description": "a person's or organisation's code as text, at most 64 characters",
                "choices": [],
                "minimum": 1,
                "maximum": 64,
            },
        ],
    }
    company = web.get("/v1/types/business-licence/questions", headers=city).json()["questions"]
    (capital,) = (each for each in company if each["name"] == "capital_at_least")
    assert capital["parameters"][0]["choices"][:2] == [30000, 100000]
    for code in ("no-such-type", "%00", "a" * 4096, "%ED%A0%80"):
        assert web.get(f"/v1/types/{code}/questions", headers=city).status_code == 404
    assert web.get("/v1/types/birth-certificate/questions").status_code == 401
