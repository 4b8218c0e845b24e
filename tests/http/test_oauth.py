"""The token endpoint as a client meets it: RFC 6749, 7523, 8414, 9068; and what it refuses."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import KeySet

from api.routes import oauth
from certlib.clients import add_client, disable_client, rotate_client
from certlib.library import Library
from certlib.model import Licence
from certlib.store import audits
from certlib.upgrading import upgrade_library
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.oauth import System, new_key, public_jwk, system
from tests.support.sharing import granted

SECRET_CLIENT = {"name": "Old desk", "scopes": ("share",), "public_key": None, "operator": "tests"}


@pytest.fixture
def desk(sqlite_library: Library) -> System:
    return system(sqlite_library)


def posted(web: TestClient, form: dict[str, str], **more: Any) -> Any:  # noqa: ANN401  # a response
    return web.post("/oauth/token", data=form, **more)


def test_a_client_gets_an_access_token_and_uses_it(web: TestClient, desk: System, sqlite_library: Library) -> None:
    answer = posted(web, desk.form())
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "verify share")
    described = web.get("/.well-known/oauth-authorization-server").json()
    assert described["token_endpoint"].endswith("/oauth/token")
    keys = KeySet.import_key_set(web.get("/oauth/jwks").json())
    token = jwt.decode(body["access_token"], keys, algorithms=["ES256"])
    assert token.header["typ"] == "at+jwt"
    url = sqlite_library.settings.base_url
    assert described["issuer"] == url
    expected = {"iss": url, "aud": url, "sub": desk.client.id, "client_id": desk.client.id, "agency": CITY.code}
    assert {name: token.claims[name] for name in expected} == expected
    assert token.claims["exp"] - token.claims["iat"] == 600
    grant = granted(sqlite_library)
    mine = web.get("/v1/grants", headers={"Authorization": f"Bearer {body['access_token']}"})
    assert (mine.status_code, mine.headers["cache-control"]) == (200, "private, no-store")
    (row,) = mine.json()["grants"]
    assert (row["id"], row["used_today"], row["basis"]) == (grant.id, 0, "statutory")
    acts = [record.act for record in audits.read_chain(sqlite_library.store)]
    assert acts[-2:] == ["client.token_given", "grant.added"]
    check_invariants(sqlite_library.store)


def test_a_secret_in_the_form_or_in_the_header(web: TestClient, sqlite_library: Library) -> None:
    client, secret = add_client(sqlite_library, CITY.code, **SECRET_CLIENT)  # type: ignore[arg-type]  # its parts
    form = {"grant_type": "client_credentials"}
    post = posted(web, form | {"client_id": client.id, "client_secret": secret})
    assert (post.status_code, post.json()["scope"]) == (200, "share")
    basic = base64.b64encode(f"{quote_plus(client.id)}:{quote_plus(secret)}".encode()).decode()
    assert posted(web, form, headers={"Authorization": f"Basic {basic}"}).status_code == 200
    both = posted(web, form | {"client_secret": secret}, headers={"Authorization": f"Basic {basic}"})
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")
    for header in ("Basic !", "Basic", f"Basic {base64.b64encode(b'x').decode()}", "Bearer x", "Basic /////w=="):
        bad = posted(web, form, headers={"Authorization": header})
        assert (bad.status_code, bad.json()["error"]) == (401, "invalid_client"), header
        assert bad.headers["www-authenticate"].startswith("Basic")
    assert secret not in "".join(str(record.detail) for record in audits.read_chain(sqlite_library.store))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "-"}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "-"}, "invalid_request"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "invalid_request"),
        ({"client_assertion": "-"}, "invalid_request"),
        ({"client_secret": "x"}, "invalid_request"),
        ({"client_id": "0" * 26}, "invalid_request"),
        ({"scope": "manage"}, "invalid_scope"),
        ({"scope": "share manage"}, "invalid_scope"),
        ({"scope": "share  verify"}, "invalid_scope"),
        ({"scope": "\x00"}, "invalid_scope"),
    ],
)
def test_bad_requests_have_the_errors_of_the_rfc(
    web: TestClient, desk: System, changes: dict[str, str], error: str
) -> None:
    answer = posted(web, desk.form(**changes))
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["error_description"].isascii()


def test_bodies_that_are_no_form(web: TestClient, desk: System) -> None:
    good = urlencode(desk.form())
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    twice = web.post("/oauth/token", content=f"{good}&scope=share&scope=verify", headers=kind)
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    for content in (b"\xff", b"grant_type=%ff", b"&".join([b"a=b"] * 30), b'{"grant_type": "client_credentials"}', b""):
        answer = web.post("/oauth/token", content=content, headers=kind)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), content
    as_json = web.post("/oauth/token", json=desk.form())
    assert (as_json.status_code, as_json.json()["error"]) == (400, "invalid_request")
    assert web.post("/oauth/token", content=good).status_code == 400
    large = web.post("/oauth/token", content=good + "&x=" + "a" * 20_000, headers=kind)
    assert (large.status_code, large.json()["code"]) == (413, "too_large")
    assert web.post("/oauth/token", content=good, headers={"Content-Type": kind["Content-Type"] + "; charset=utf-8"})


def test_who_proves_nothing_is_told_nothing(web: TestClient, desk: System, sqlite_library: Library) -> None:
    client, secret = add_client(sqlite_library, CITY.code, **SECRET_CLIENT)  # type: ignore[arg-type]  # its parts
    form = {"grant_type": "client_credentials"}
    wrong = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    tried = [
        {"client_id": client.id, "client_secret": wrong},
        {"client_id": client.id, "client_secret": "certlib_00000000_" + "a" * 43},
        {"client_id": client.id, "client_secret": "x" * 5000},
        {"client_id": client.id},
        {"client_id": "0" * 26, "client_secret": secret},
        {"client_id": desk.client.id, "client_secret": secret},  # that client has a key
        {"client_id": "../x", "client_secret": secret},
        {"client_id": "a' OR '1'='1", "client_secret": secret},
        {"client_id": "\x00", "client_secret": "\x00"},
        {},
    ]
    answers = [posted(web, form | each) for each in tried]
    assert {(each.status_code, each.text) for each in answers} == {
        (401, '{"error":"invalid_client","error_description":"the client is not known, or did not prove itself"}')
    }


def test_a_disabled_client_is_out_at_once(web: TestClient, desk: System, sqlite_library: Library) -> None:
    bearer = {"Authorization": f"Bearer {posted(web, desk.form()).json()['access_token']}"}
    assert web.get("/v1/grants", headers=bearer).status_code == 200
    disable_client(sqlite_library, desk.client.id, reason="laptop stolen", operator="tests")
    after = web.get("/v1/grants", headers=bearer)
    assert (after.status_code, after.json()["code"]) == (401, "client_disabled")
    again = posted(web, desk.form())
    assert (again.status_code, again.json()["error_description"]) == (401, "the client is disabled")
    check_invariants(sqlite_library.store)


def test_networks_hold_for_tokens_and_for_calls(sqlite_library: Library, web: TestClient) -> None:
    inside = system(sqlite_library, networks=("127.0.0.0/8",))
    outside = system(sqlite_library, networks=("10.0.0.0/8",))
    bearer = {"Authorization": f"Bearer {posted(web, inside.form()).json()['access_token']}"}
    assert web.get("/v1/grants", headers=bearer).status_code == 200
    elsewhere = TestClient(web.app, client=("192.0.2.7", 50000))
    assert elsewhere.get("/v1/grants", headers=bearer).status_code == 401
    assert posted(web, outside.form()).json()["error_description"] == "the client may not call from this network"


def test_scopes_open_what_they_name(web: TestClient, sqlite_library: Library) -> None:
    narrow = system(sqlite_library, scopes=("verify", "share"))
    token = posted(web, narrow.form(scope="verify")).json()
    assert token["scope"] == "verify"
    refused = web.get("/v1/grants", headers={"Authorization": f"Bearer {token['access_token']}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


def test_who_may_only_ask_reads_no_licence_of_its_own_agency_whole(
    web: TestClient, sqlite_library: Library, licence: Licence
) -> None:
    asks = system(sqlite_library, agency_code=MARKET_BUREAU.code, scopes=("share", "verify", "audit"))
    keeps = system(sqlite_library, agency_code=MARKET_BUREAU.code, scopes=("manage",))
    paths = [f"/v1/licences/{licence.identifier}{each}" for each in ("", "/pdf", "/changes")]
    paths += ["/v1/changes/pending"]
    for desk, status in ((asks, 403), (keeps, 200)):
        headers = {"Authorization": f"Bearer {posted(web, desk.form()).json()['access_token']}"}
        assert [web.get(path, headers=headers).status_code for path in paths] == [status] * 4
        assert web.post("/v1/licences", json={}, headers=headers).status_code == 403


def test_grants_of_others_and_those_not_in_force_are_not_shown(
    web: TestClient, desk: System, sqlite_library: Library, bearer: Callable[..., dict[str, str]], clock: Clock
) -> None:
    granted(sqlite_library, agency_code=MARKET_BUREAU.code)
    granted(sqlite_library, valid_until=clock())
    headers = {"Authorization": f"Bearer {posted(web, desk.form()).json()['access_token']}"}
    assert web.get("/v1/grants", headers=headers).json() == {"grants": []}
    assert web.get("/v1/grants").status_code == 401
    assert len(web.get("/v1/grants", headers=bearer(scopes=("share",))).json()["grants"]) == 1


def test_keys_rotate_with_an_overlap(web: TestClient, desk: System, sqlite_library: Library, clock: Clock) -> None:
    other = System(lib=sqlite_library, client=desk.client, key=new_key())
    rotate_client(sqlite_library, desk.client.id, public_key=public_jwk(other.key), overlap_days=7, operator="tests")
    assert [posted(web, each.form()).status_code for each in (desk, other)] == [200, 200]
    clock.move(days=7)
    assert [posted(web, each.form()).status_code for each in (desk, other)] == [401, 200]
    third = System(lib=sqlite_library, client=desk.client, key=new_key())
    rotate_client(sqlite_library, desk.client.id, public_key=public_jwk(third.key), overlap_days=0, operator="tests")
    assert [posted(web, each.form()).status_code for each in (desk, other, third)] == [401, 401, 200]
    clock.move(days=365)
    assert posted(web, third.form()).status_code == 401


def test_secrets_rotate_with_an_overlap(web: TestClient, sqlite_library: Library, clock: Clock) -> None:
    client, first = add_client(sqlite_library, CITY.code, **SECRET_CLIENT)  # type: ignore[arg-type]  # its parts
    _, second = rotate_client(sqlite_library, client.id, public_key=None, overlap_days=1, operator="tests")

    def statuses() -> list[int]:
        form = {"grant_type": "client_credentials", "client_id": client.id}
        return [posted(web, form | {"client_secret": each}).status_code for each in (first, second)]

    assert statuses() == [200, 200]
    clock.move(days=1)
    assert statuses() == [401, 200]


def test_an_address_that_asks_again_and_again_is_stopped(web: TestClient, sqlite_library: Library) -> None:
    most = sqlite_library.settings.token_requests_per_minute
    form = {"grant_type": "client_credentials", "client_id": "0" * 26, "client_assertion_type": "x"}
    statuses = [posted(web, form).status_code for _ in range(most + 1)]
    assert statuses == [400] * most + [429]
    assert posted(web, form).json()["code"] == "too_many_requests"


def test_when_all_places_are_taken_the_next_one_comes_back_later(
    web: TestClient, desk: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And whoever waits for a place holds up nobody else."""
    parts = web.app.state.parts  # type: ignore[attr-defined]  # FastAPI's
    monkeypatch.setattr(oauth, "MAX_WAIT_SECONDS", 0.05)
    parts.proofs.total_tokens = 0
    answer = posted(web, desk.form())
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert "retry-after" in answer.headers
    assert web.get("/oauth/jwks").status_code == 200
    parts.proofs.total_tokens = 1
    assert [posted(web, desk.form()).status_code for _ in range(3)] == [200] * 3
    assert parts.proofs.borrowed_tokens == 0


def test_a_library_whose_key_for_tokens_has_ended_gets_another(
    web: TestClient, sqlite_library: Library, clock: Clock
) -> None:
    (old,) = web.get("/oauth/jwks").json()["keys"]
    clock.move(days=5 * 365 - 1)
    late = system(sqlite_library)
    assert posted(web, late.form()).status_code == 200
    clock.move(days=1)
    assert web.get("/oauth/jwks").json() == {"keys": []}
    assert posted(web, late.form()).status_code == 500
    made = upgrade_library(sqlite_library.settings, operator="zhang", now=clock)
    assert "api" in made.keys
    assert posted(web, late.form()).status_code == 200
    (new,) = web.get("/oauth/jwks").json()["keys"]
    assert new["kid"] != old["kid"]
