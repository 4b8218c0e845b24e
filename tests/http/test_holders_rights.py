"""What a holder sees and does over HTTP, and what nobody else does in the holder's name."""

from collections.abc import Callable
from typing import Any

import jwt
import pytest
from fastapi.testclient import TestClient

from certlib.changing import order_change
from certlib.clients import add_client, disable_client
from certlib.grants import Interface
from certlib.library import Library
from certlib.operations import Operation
from certlib.sharing.admission import admit, settle
from certlib.store import audits
from certlib.store.converting import holder_index
from tests.support.changes import order
from tests.support.clock import Clock
from tests.support.holders import (
    CHILD,
    COMPANY,
    MOTHER,
    SECRETS,
    STRANGER,
    birth_of,
    company_of,
    headers_of,
    licence_of,
    logged_in,
)
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.sharing import asker, asking, granted

Bearer = Callable[..., dict[str, str]]


def opened(web: TestClient, headers: dict[str, str], **changes: Any) -> Any:  # noqa: ANN401  # JSON
    body = {"code": MOTHER[0], "code_type": "111", "how": "face matched", "operator": "login-1", **changes}
    return web.post("/v1/holder-sessions", json=body, headers=headers)


def test_a_log_in_service_opens_a_session_and_its_holder_ends_it(
    web: TestClient, sqlite_library: Library, bearer: Bearer
) -> None:
    service = bearer(scopes=("holder",))
    answer = opened(web, service)
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "private, no-store"
    mine = {"Authorization": f"Bearer {answer.json()['bearer']}"}
    assert web.get("/v1/my/licences", headers=mine).json() == {"licences": [], "next": ""}
    claims = jwt.decode(answer.json()["bearer"], options={"verify_signature": False})
    assert claims["sub"] == answer.json()["session"]
    assert set(claims) == {"iss", "aud", "sub", "iat", "exp", "jti"}
    ended = web.delete("/v1/my/session", headers=mine)
    assert (ended.status_code, ended.content) == (204, b"")
    again = web.get("/v1/my/licences", headers=mine)
    assert (again.status_code, again.json()["code"]) == (401, "session_over")
    acts = [each.act for each in audits.read_chain(sqlite_library.store)][-2:]
    assert acts == ["holder.session_opened", "holder.session_ended"]


def test_the_sessions_of_a_log_in_service_end_with_it(web: TestClient, sqlite_library: Library) -> None:
    client, secret = add_client(
        sqlite_library, CITY.code, name="Log-in", scopes=("holder",), public_key=None, operator="tests"
    )
    form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": secret}
    token = web.post("/oauth/token", data=form).json()
    assert token["scope"] == "holder"
    answer = opened(web, {"Authorization": f"Bearer {token['access_token']}"})
    mine = {"Authorization": f"Bearer {answer.json()['bearer']}"}
    assert web.get("/v1/my/licences", headers=mine).status_code == 200
    disable_client(sqlite_library, client.id, reason="leaked", operator="tests")
    assert web.get("/v1/my/licences", headers=mine).json()["code"] == "session_over"
    assert web.get("/v1/my/licences", headers=headers_of(sqlite_library)).status_code == 200


@pytest.mark.parametrize("scopes", [("issue", "manage", "verify", "share", "audit"), ()])
def test_only_the_scope_holder_logs_holders_in(web: TestClient, bearer: Bearer, scopes: tuple[str, ...]) -> None:
    answer = opened(web, bearer(scopes=scopes))
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert web.post("/v1/holder-sessions", json={}).status_code == 401


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"code": COMPANY[0], "code_type": "001"}, "code_type", "not_a_person"),
        ({"code": "990101199003070024"}, "code", "bad_check_digit"),
        ({"code": ""}, "code", "required"),
        ({"code_type": ""}, "code_type", "code_type_required"),
        ({"code_type": "777"}, "code_type", "unknown_code_type"),
        ({"code": "", "code_type": ""}, "code", "required"),
        ({"how": " "}, "how", "required"),
        ({"operator": "a\nb"}, "operator", "bad_character"),
        ({"ttl_seconds": -1}, "ttl_seconds", "greater_than_equal"),
        ({"more": 1}, "more", "extra_forbidden"),
    ],
)
def test_a_wrong_log_in_names_its_field_and_no_value(
    web: TestClient, bearer: Bearer, changes: dict[str, Any], field: str, code: str
) -> None:
    answer = opened(web, bearer(scopes=("holder",)), **changes)
    assert answer.status_code == 422
    assert [(each["field"], each["code"]) for each in answer.json()["faults"]] == [(field, code)]
    assert MOTHER[0] not in answer.text
    assert COMPANY[0] not in answer.text


def test_a_session_is_over_in_time_and_may_be_shorter(
    web: TestClient, sqlite_library: Library, bearer: Bearer, clock: Clock
) -> None:
    short = {"Authorization": f"Bearer {opened(web, bearer(scopes=('holder',)), ttl_seconds=60).json()['bearer']}"}
    long = headers_of(sqlite_library)
    clock.move(seconds=60)
    assert web.get("/v1/my/licences", headers=short).json()["code"] == "expired_bearer"
    assert web.get("/v1/my/licences", headers=long).status_code == 200
    clock.move(seconds=1740)
    assert web.get("/v1/my/licences", headers=long).json()["code"] == "expired_bearer"


MY_PATHS = (
    *(("GET", f"/v1/my/{each}") for each in ("licences", "licences/x", "licences/x/pdf", "ledger", "requests")),
    *(("GET", f"/v1/my/{each}") for each in ("codes", "delegations")),
    *(("POST", f"/v1/my/{each}") for each in ("codes", "delegations", "requests/x/decision")),
    *(("DELETE", f"/v1/my/{each}") for each in ("session", "codes/x", "delegations/x")),
)


@pytest.mark.parametrize(("method", "path"), MY_PATHS)
def test_an_agencys_bearer_is_no_holders(web: TestClient, bearer: Bearer, method: str, path: str) -> None:
    everything = bearer(scopes=("issue", "manage", "verify", "share", "audit", "holder"))
    for headers in ({}, everything, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}):
        answer = web.request(method, path, headers=headers, json={} if method == "POST" else None)
        assert answer.status_code == 401, headers
        assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", "/v1/checks"), ("POST", "/v1/questions"), ("POST", "/v1/uses"), ("POST", "/v1/licences")),
        *(("POST", "/v1/holder-sessions"), ("POST", "/v1/holder-delegations"), ("GET", "/v1/grants")),
        ("POST", "/v1/shown"),
    ],
)
def test_a_holders_bearer_is_no_agencys(web: TestClient, sqlite_library: Library, method: str, path: str) -> None:
    body = {"code": "7KQ2-9XHM-4RTV"} if path == "/v1/shown" else {}
    answer = web.request(method, path, headers=headers_of(sqlite_library), json=body if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_bearer")


def forged(lib: Library, bearer: str, **changes: Any) -> str:  # noqa: ANN401  # claims
    """The holder's bearer with other claims or header, signed by the library's own API key all the same."""
    from certlib.callers import api_keys  # noqa: PLC0415  # of this attack only

    key = api_keys(lib)[-1]
    claims = {**jwt.decode(bearer, options={"verify_signature": False}), **changes.pop("claims", {})}
    headers = {"kid": key.kid, "typ": "holder+jwt", **changes}
    return jwt.encode(claims, lib.signer.open(key.uri).private_key, algorithm="ES256", headers=headers)


@pytest.mark.parametrize(
    "changes",
    [
        {"typ": "at+jwt"},
        {"typ": "JWT"},
        {"kid": "../../etc/passwd"},
        {"kid": "0000000000000000"},
        {"jku": "https://evil.example/keys"},
        {"crit": ["exp"]},
        {"claims": {"aud": "certlib"}},
        {"claims": {"aud": ["http://127.0.0.1:8080/v1/my"]}},
        {"claims": {"iss": "https://evil.example"}},
        {"claims": {"exp": "9999999999"}},
        {"claims": {"exp": True}},
        {"claims": {"iat": 9999999999}},
        {"claims": {"sub": "0" * 26}},
        {"claims": {"sub": "' OR 1=1 --"}},
        {"claims": {"sub": 7}},
        {"claims": {"sub": None}},
        {"claims": {"acting_for": "x"}},
    ],
)
def test_a_bearer_of_another_make_is_refused(web: TestClient, sqlite_library: Library, changes: dict[str, Any]) -> None:
    text = forged(sqlite_library, logged_in(sqlite_library), **changes)
    answer = web.get("/v1/my/licences", headers={"Authorization": f"Bearer {text}"})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_bearer")


def test_other_algorithms_and_broken_forms_are_refused(web: TestClient, sqlite_library: Library) -> None:
    good = logged_in(sqlite_library)
    head, body, signature = good.split(".")
    claims = jwt.decode(good, options={"verify_signature": False})
    header = jwt.get_unverified_header(good)
    texts = [
        jwt.encode(claims, "", algorithm="none", headers=header | {"alg": "none"}),
        jwt.encode(claims, "k" * 32, algorithm="HS256", headers=header | {"alg": "HS256"}),
        *(f"{head}.{body}", f"{head}.{body}.", f"{head}.{body}.{signature}.{signature}", good[:-4], good + "A" * 9000),
        f"{head}.{body[:-2]}.{signature}",
    ]
    for text in texts:
        answer = web.get("/v1/my/licences", headers={"Authorization": f"Bearer {text}"})
        assert (answer.status_code, answer.json()["code"]) in ((401, "bad_bearer"), (401, "unauthenticated")), text[:60]


def test_my_licences_are_listed_as_their_faces_and_read_whole(web: TestClient, sqlite_library: Library) -> None:
    first, second = licence_of(sqlite_library), licence_of(sqlite_library, number="YB-2026-000319")
    mine = headers_of(sqlite_library)
    listed = web.get("/v1/my/licences", headers=mine)
    assert MOTHER[0] not in listed.text
    faces = listed.json()["licences"]
    assert [each["identifier"] for each in faces] == [second.identifier, first.identifier]
    assert faces[0]["holders"] == [{"name": "沈样宁", "code": "9****************3", "code_type": "111"}]
    assert faces[0]["status"] == "valid"
    assert {each["name"]: each["value"] for each in faces[0]["fields"]}["category"] == "中医"
    page = web.get("/v1/my/licences", headers=mine, params={"limit": 1}).json()
    assert page["next"] == second.identifier
    rest = web.get("/v1/my/licences", headers=mine, params={"limit": 1, "before": page["next"]}).json()
    assert [each["identifier"] for each in rest["licences"]] == [first.identifier]
    assert rest["next"] == ""
    whole = web.get(f"/v1/my/licences/{first.identifier}", headers=mine)
    assert whole.headers["Cache-Control"] == "private, no-store"
    assert whole.json()["holders"][0]["code"] == MOTHER[0]
    assert whole.json()["token"] == first.token
    pdf = web.get(whole.json()["pdf_url"], headers=mine)
    assert pdf.content.startswith(b"%PDF")
    assert (pdf.headers["Content-Type"], pdf.headers["Cache-Control"]) == ("application/pdf", "private, no-store")


def test_sensitive_fields_are_masked_in_lists_and_whole_for_the_guardian(
    web: TestClient, sqlite_library: Library, bearer: Bearer
) -> None:
    birth = birth_of(sqlite_library)
    body = {
        "kind": "guardian",
        "principal": {"code": CHILD[0], "code_type": "111"},
        "acts": ["see", "report"],
        "delegate": {"code": MOTHER[0], "code_type": "111", "name": "沈样宁"},
        "operator": "Counter 3",
        "basis": "Birth certificate seen",
        "ends_at": sqlite_library.now().replace(year=2028).isoformat(),
    }
    made = web.post("/v1/holder-delegations", json=body, headers=bearer(scopes=("holder",)))
    assert made.status_code == 201, made.text
    assert made.json()["principal"] == {"name": "", "code": "9****************4", "code_type": "111"}
    acting = headers_of(sqlite_library, acting_for=made.json()["id"])
    face = web.get("/v1/my/licences", headers=acting).json()["licences"][0]
    assert {each["name"]: each["value"] for each in face["fields"]}["mother_code"] == "9****************3"
    whole = web.get(f"/v1/my/licences/{birth.identifier}", headers=acting).json()
    assert {each["name"]: each["value"] for each in whole["fields"]}["mother_code"] == MOTHER[0]
    received = web.get("/v1/my/delegations", headers=headers_of(sqlite_library)).json()["received"]
    assert [each["id"] for each in received] == [made.json()["id"]]
    looks = web.get("/v1/my/ledger", headers=acting).json()["looks"]
    assert [(each["by"], each["outcome"], each["delegation"]) for each in looks] == [
        ("delegate", "given", made.json()["id"]),
        ("delegate", "listed", made.json()["id"]),
    ]
    for method, path in (("GET", "delegations"), ("POST", "delegations"), ("DELETE", "session")):
        answer = web.request(method, f"/v1/my/{path}", headers=acting, json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "not_for_delegates")
    for wanted in ({"kind": "show", "licences": [birth.identifier]}, {"kind": "consent"}):
        answer = web.post("/v1/my/codes", json=wanted, headers=acting)
        assert (answer.status_code, answer.json()["code"]) == (403, "delegation_act")
    assert web.get("/v1/my/requests", headers=acting).json()["code"] == "delegation_act"
    refused = web.delete(f"/v1/my/delegations/{made.json()['id']}", headers=headers_of(sqlite_library, CHILD))
    assert (refused.status_code, refused.json()["code"]) == (403, "set_by_agency")
    end = f"/v1/holder-delegations/{made.json()['id']}/end"
    other = web.post(end, json={"operator": "N"}, headers=bearer(CITY.code, scopes=("holder",)))
    assert (other.status_code, other.json()["code"]) == (404, "delegation_not_found")
    ended = web.post(end, json={"operator": "Counter 4"}, headers=bearer(scopes=("holder",)))
    assert (ended.status_code, ended.json()["state"]) == (200, "ended")
    again = web.post(end, json={"operator": "Counter 4"}, headers=bearer(scopes=("holder",)))
    assert (again.status_code, again.json()["code"]) == (409, "delegation_ended")
    answer = web.get("/v1/my/licences", headers=acting)
    assert (answer.status_code, answer.json()["code"]) == (403, "delegation_over")


def test_anothers_licence_is_answered_as_one_that_nobody_has(web: TestClient, sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    company = company_of(sqlite_library)
    stranger = headers_of(sqlite_library, STRANGER)
    unknown = licence.identifier[:-5] + "009.0"
    for template in ("/v1/my/licences/{}", "/v1/my/licences/{}/pdf"):
        answers = {
            web.get(template.format(each), headers=stranger).text
            for each in (licence.identifier, company.identifier, unknown, "x", "%00", "x" * 4096, "../x", "%ED%A0%80")
        }
        assert len(answers) <= 2, answers
        assert "licence is known" in web.get(template.format(licence.identifier), headers=stranger).text
    assert web.get("/v1/my/ledger", headers=stranger).json() == {"looks": [], "next": 0}
    assert web.get("/v1/my/licences", headers=stranger).json()["licences"] == []
    paged = web.get("/v1/my/licences", headers=stranger, params={"before": licence.identifier})
    assert paged.status_code == 404
    shown = web.post("/v1/my/codes", json={"kind": "show", "licences": [licence.identifier]}, headers=stranger)
    assert shown.status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("ledger?before=-1", 422),
        ("ledger?before=99999999999999999999999", 422),
        ("ledger?before=9223372036854775807", 200),
        ("ledger?before=x", 422),
        ("ledger?limit=0", 422),
        ("ledger?limit=501", 422),
        ("licences?limit=501", 422),
        ("licences?before=%00", 404),
        ("licences?before=" + "x" * 4096, 404),
        ("licences?before=%ED%A0%80", 404),
    ],
)
def test_odd_pages_are_refused(web: TestClient, sqlite_library: Library, path: str, status: int) -> None:
    assert web.get(f"/v1/my/{path}", headers=headers_of(sqlite_library)).status_code == status


@pytest.mark.parametrize("acting_for", ["x", "0" * 26, "\x00", "x" * 4000, "é"])
def test_a_delegation_that_was_not_given_is_refused(web: TestClient, sqlite_library: Library, acting_for: str) -> None:
    headers = {**headers_of(sqlite_library), "Acting-For": acting_for.encode("latin-1")}
    answer = web.get("/v1/my/licences", headers=headers)  # type: ignore[arg-type]  # raw bytes are what is tried
    assert (answer.status_code, answer.json()["code"]) == (403, "delegation_unknown")


def test_the_same_characters_of_another_document_are_another_holder(web: TestClient, sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    thief = headers_of(sqlite_library, (MOTHER[0], "999"))
    assert web.get("/v1/my/licences", headers=thief).json()["licences"] == []
    assert web.get(f"/v1/my/licences/{licence.identifier}", headers=thief).status_code == 404
    mine = headers_of(sqlite_library)
    web.get(f"/v1/my/licences/{licence.identifier}", headers=mine)
    assert len(web.get("/v1/my/ledger", headers=mine).json()["looks"]) == 1
    assert web.get("/v1/my/ledger", headers=thief).json()["looks"] == []
    web.post("/v1/my/codes", json={"kind": "show", "licences": [licence.identifier]}, headers=mine)
    assert len(web.get("/v1/my/codes", headers=mine).json()) == 1
    assert web.get("/v1/my/codes", headers=thief).json() == []
    agreed = {"kind": "consent", "agency": CITY.code, "types": {licence.type_code: ["number"]}}
    for answer in (web.post("/v1/my/codes", json=agreed, headers=thief), web.get("/v1/my/requests", headers=thief)):
        assert (answer.status_code, answer.json()["code"]) == (403, "code_ambiguous")
    assert web.post("/v1/my/codes", json=agreed, headers=mine).status_code == 201
    assert web.get("/v1/my/requests", headers=mine).json() == []


def test_a_licence_that_was_corrected_says_so_at_once(web: TestClient, sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    renewed = {"fields": {"category": "中西医结合"}}
    done = order_change(
        sqlite_library, MARKET_BUREAU.code, licence.identifier, order(Operation.CORRECT, renewed=renewed)
    )
    faces = web.get("/v1/my/licences", headers=headers_of(sqlite_library)).json()["licences"]
    assert [(each["identifier"], each["status"], each["superseded_by"]) for each in faces] == [
        (done.successor, "valid", ""),
        (licence.identifier, "superseded", done.successor),
    ]


def test_the_ledger_names_who_why_and_on_which_basis_and_no_value(web: TestClient, sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    grant = granted(sqlite_library, type_code="practitioner-licence", fields=("number", "holder_code"))
    for outcome, identifier in (("match", licence.identifier), ("nothing_found", "")):
        admission = admit(
            sqlite_library, asker(), asking(), interface=Interface.CHECK, type_code="practitioner-licence",
            fields=("holder_code",),
        )  # fmt: skip
        settle(
            sqlite_library, admission, [admission.look(outcome=outcome, identifier=identifier, holder_code=MOTHER[0])]
        )
    answer = web.get("/v1/my/ledger", headers=headers_of(sqlite_library))
    newest, oldest = answer.json()["looks"]
    assert oldest == {
        "id": oldest["id"],
        "at": oldest["at"],
        "kind": "check",
        "by": "agency",
        "agency": {"code": "RAINPORT", "name": "City of Rainport"},
        "licence": licence.identifier,
        "type": {"code": "practitioner-licence", "zh": "执业许可证", "en": "Practitioner's licence"},
        "purpose": "Application for a food permit",
        "matter_code": "330200-0107",
        "case_number": "2026-000117",
        "basis": "statutory",
        "clause": grant.clause,
        "fields": ["holder_code"],
        "outcome": "match",
        "reference": "",
        "delegation": "",
    }
    assert (newest["licence"], newest["outcome"]) == ("", "nothing_found")
    assert not any(each in answer.text for each in SECRETS)
    page = web.get("/v1/my/ledger", headers=headers_of(sqlite_library), params={"limit": 1}).json()
    assert (page["looks"], page["next"]) == ([newest], newest["id"])
    assert holder_index(sqlite_library.store.cipher, MOTHER[0]).hex() not in answer.text
