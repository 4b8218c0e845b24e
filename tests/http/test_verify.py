"""Look-ups and verdicts over HTTP."""

import json
from dataclasses import replace
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from certlib.identifiers import printed_public_code
from certlib.issuing import issue
from certlib.library import Library
from certlib.lifecycle import StatusRequest, change_status
from certlib.model import Licence, Status
from certlib.retrieving import sealed_pdf
from signing.qr import qr_png
from tests.support.clock import Clock
from tests.support.libraries import company_request


def test_a_look_up_as_people_type_it(web: TestClient, licence: Licence) -> None:
    code = printed_public_code(licence.public_code)
    for key in (
        licence.public_code,
        code,
        code.lower().replace("0", "o"),
        licence.identifier,
        licence.identifier.lower(),
    ):
        response = web.get(f"/v1/verify/{key}")
        assert response.status_code == 200, key
        content = response.json()
        assert (content["word"], content["identifier"]) == ("valid", licence.identifier)
        assert response.headers["cache-control"] == "public, max-age=5"


def test_a_public_answer_masks_codes_and_repeats_no_field(web: TestClient, licence: Licence) -> None:
    text = web.get(f"/v1/verify/{licence.identifier}").text
    assert json.loads(text)["holders"][0]["code"].count("*") > 10
    for secret in ("legal_representative", "林样知", licence.token[-40:], licence.pdf_sha256):
        assert secret not in text


@pytest.mark.parametrize(
    "key", ["0SGS3Y2RS8QZCA2AB2TGN2EVX7", "x", "1.2.3", "1.2.156.3005.2.A.B.C.001.0", "%00", "中文", "a" * 5000]
)
def test_unknown_and_malformed_keys_are_answered_alike(quiet_web: TestClient, key: str) -> None:
    response = quiet_web.get(f"/v1/verify/{key}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_change_of_status_is_seen_at_once(web: TestClient, sqlite_library: Library, licence: Licence) -> None:
    path = f"/v1/verify/{licence.public_code}"
    assert web.get(path).json()["word"] == "valid"
    order = StatusRequest(to=Status.REVOKED, reason="penalty", document_number="No. 7", operator="tests")
    change_status(sqlite_library, licence.identifier, order)
    assert web.get(path).json()["word"] == "revoked"
    assert web.post("/v1/verify", json={"text": licence.token}).json()["word"] == "revoked"


def test_dates_are_judged_at_the_moment_of_asking(web: TestClient, licence: Licence, clock: Clock) -> None:
    clock.move(days=-3000)
    assert web.get(f"/v1/verify/{licence.public_code}").json()["word"] == "not_yet_effective"


def test_the_hot_path_never_leaves_its_thread(sqlite_library: Library, licence: Licence) -> None:
    app = create_app(sqlite_library)

    async def ask() -> tuple[int, dict[str, Any]]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 0  # a hidden hop would hang
        transport = httpx2.ASGITransport(app=app)
        with anyio.fail_after(1):
            async with httpx2.AsyncClient(transport=transport, base_url="http://t") as client:
                response = await client.get(f"/v1/verify/{licence.public_code}")
        return response.status_code, response.json()

    status, content = anyio.run(ask)
    assert (status, content["word"]) == (200, "valid")


def kinds(lib: Library, licence: Licence) -> dict[str, dict[str, Any]]:
    """The licence in each form that can be brought."""
    return {
        "token": {"json": {"text": licence.token}},
        "code": {"json": {"text": licence.public_code}},
        "identifier": {"json": {"text": licence.identifier}},
        "pdf": {"files": {"file": ("licence.pdf", sealed_pdf(lib, licence), "application/pdf")}},
        "image": {"files": {"file": ("photo.png", qr_png(licence.token), "image/png")}},
    }


@pytest.mark.parametrize("kind", ["token", "code", "identifier", "pdf", "image"])
def test_the_verdict_on_each_kind_of_input(
    web: TestClient, sqlite_library: Library, licence: Licence, kind: str
) -> None:
    response = web.post("/v1/verify", **kinds(sqlite_library, licence)[kind])
    assert response.status_code == 200, response.text
    verdict = response.json()
    assert (verdict["word"], verdict["kind"], verdict["fault"]) == ("valid", kind, "")
    assert verdict["shown"]["identifier"] == licence.identifier
    assert response.headers["cache-control"] == "no-store"


def test_what_was_understood_is_answered_200(web: TestClient, licence: Licence) -> None:
    end = licence.token[-1]
    forged = licence.token[:-1] + ("1" if end != "1" else "2")
    expected = {forged: {"forged", "unknown"}, "hello": {"unknown"}, "0" * 5000: {"unknown"}}
    for text, words in expected.items():
        response = web.post("/v1/verify", json={"text": text})
        assert response.status_code == 200
        assert response.json()["word"] in words
    response = web.post("/v1/verify", files={"file": ("x.pdf", b"%PDF-1.7 damaged", "application/pdf")})
    assert (response.status_code, response.json()["word"]) == (200, "unknown")


@pytest.mark.parametrize(
    ("parts", "status", "code"),
    [
        ({"json": {}}, 422, "invalid_request"),
        ({"json": {"text": 5}}, 422, "invalid_request"),
        ({"json": {"text": " "}}, 422, "invalid_request"),
        ({"json": {"text": "x", "more": 1}}, 422, "invalid_request"),
        ({"json": ["x"]}, 422, "invalid_request"),
        (
            {"content": b'{"text":"a","text":"b"}', "headers": {"Content-Type": "application/json"}},
            422,
            "invalid_request",
        ),
        ({"content": b"[" * 60000, "headers": {"Content-Type": "application/json"}}, 422, "invalid_request"),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported_media_type"),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, 422, "invalid_request"),
        ({"data": {"file": "no file"}, "headers": {}}, 415, "unsupported_media_type"),
        ({"files": {"other": ("a.pdf", b"%PDF-", "application/pdf")}}, 422, "invalid_request"),
        ({"files": [("file", ("a", b"1")), ("file", ("b", b"2"))]}, 422, "invalid_request"),
        ({"json": {"text": "1" * 70_000}}, 413, "too_large"),
    ],
)
def test_bad_shapes(quiet_web: TestClient, parts: dict[str, Any], status: int, code: str) -> None:
    response = quiet_web.post("/v1/verify", **parts)
    assert (response.status_code, response.json()["code"]) == (status, code), response.text


def small(lib: Library, **changes: int) -> Library:
    """The library with other limits."""
    return replace(lib, settings=lib.settings.model_copy(update=changes))


def test_a_body_that_says_it_is_too_large_is_not_read(sqlite_library: Library) -> None:
    with TestClient(create_app(small(sqlite_library, max_upload_bytes=10_000))) as client:
        for headers in ({}, {"Content-Length": "-1"}, {"Content-Length": "x"}):
            response = client.post("/v1/verify", content=b"x" * 100_000, headers=headers)
            assert (response.status_code, response.json()["code"]) == (413, "too_large")


def test_a_body_that_turns_out_too_large_is_not_read_to_its_end(sqlite_library: Library) -> None:
    app = create_app(small(sqlite_library, max_upload_bytes=10_000))
    taken = 0
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 10_000
        start = (
            b"--b\r\nContent-Disposition: form-data; name=file; filename=a.pdf\r\n\r\n%PDF-" if taken == 10_000 else b""
        )
        return {"type": "http.request", "body": start + bytes(10_000), "more_body": True}

    async def send(message: Any) -> None:  # noqa: ANN401  # an ASGI message
        sent.append(message)

    headers = [(b"content-type", b"multipart/form-data; boundary=b"), (b"transfer-encoding", b"chunked")]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/v1/verify",
        "headers": headers,
        "query_string": b"",
    }
    anyio.run(
        app, {**scope, "client": ("127.0.0.1", 1), "raw_path": b"/v1/verify", "http_version": "1.1"}, receive, send
    )
    assert sent[0]["status"] == 413
    assert b"too_large" in sent[1]["body"]
    assert taken < 200_000


def test_one_client_cannot_ask_without_end(sqlite_library: Library, licence: Licence) -> None:
    app = create_app(small(sqlite_library, lookups_per_minute=3, uploads_per_minute=2))
    with TestClient(app, client=("192.0.2.1", 1)) as client, TestClient(app, client=("192.0.2.2", 1)) as other:
        path = f"/v1/verify/{licence.public_code}"
        assert [client.get(path).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused = client.get(path)
        assert refused.json()["code"] == "too_many_requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert other.get(path).status_code == 200
        assert [client.post("/v1/verify", json={"text": "x"}).status_code for _ in range(3)] == [200, 200, 429]
    app = create_app(small(sqlite_library, lookups_per_minute=3))
    with TestClient(app, client=("2001:db8::1", 1)) as first, TestClient(app, client=("2001:db8::2", 1)) as second:
        assert [each.get(path).status_code for each in (first, second, first, second)] == [200, 200, 200, 429]


def test_no_limit_when_none_is_set(sqlite_library: Library, licence: Licence) -> None:
    with TestClient(create_app(small(sqlite_library, lookups_per_minute=0))) as client:
        answers = {client.get(f"/v1/verify/{licence.public_code}").status_code for _ in range(50)}
    assert answers == {200}


def test_a_look_up_on_each_database(library: Library) -> None:
    licence = issue(library, company_request()).licence
    with TestClient(create_app(library)) as client:
        assert client.get(f"/v1/verify/{licence.public_code}").json()["word"] == "valid"
        assert client.get("/readyz").status_code == 200
        assert client.post("/v1/verify", json={"text": licence.token}).json()["word"] == "valid"
