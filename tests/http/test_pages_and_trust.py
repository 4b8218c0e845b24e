"""Pages, built files, the trust pack and anchor, health, the description of the interface."""

import base64
import hashlib
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.guarding import HEADERS
from api.rendering import DIST, language_of, load_pages, rendered
from certlib.errors import UnavailableError
from certlib.model import Licence
from signing.trust import open_pack
from tests.support.clock import Clock

built = pytest.mark.skipif(
    not (DIST / "assets.json").is_file(), reason="the page was not built: npm ci && npm run build"
)


@built
@pytest.mark.parametrize("path", ["/", "/q"])
@pytest.mark.parametrize(("header", "lang"), [("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"), ("en-US", "en"), ("", "en")])
def test_pages(quiet_web: TestClient, path: str, header: str, lang: str) -> None:
    response = quiet_web.get(path, headers={"Accept-Language": header})
    assert response.status_code == 200
    assert f'<html lang="{lang}">' in response.text
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in re.findall(r"<script[^>]*>", response.text):
        assert "src=" in tag or 'type="application/json"' in tag, "no inline script"
    assert " style=" not in response.text
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", response.text), "nothing from elsewhere"


@built
def test_files_of_the_page(quiet_web: TestClient) -> None:
    html = quiet_web.get("/q").text
    names = re.findall(r"(?:src|href)=\"(/static/[^\"]+)\"", html)
    assert len(names) == 4
    for name in names:
        response = quiet_web.get(name)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["content-encoding"] == "gzip"
        plain = quiet_web.get(name, headers={"Accept-Encoding": "identity"})
        assert plain.content == response.content
    worker = quiet_web.get("/sw.js")
    assert worker.headers["cache-control"] == "no-cache"
    assert all(name in worker.text for name in names if not name.endswith(".webmanifest"))


def test_a_page_that_was_not_built_says_so() -> None:
    pages = load_pages(dist=DIST / "nowhere")
    with pytest.raises(UnavailableError, match="not built"):
        rendered(pages, "front.html", language="en", library="x")


def test_security_headers_are_on_every_answer(quiet_web: TestClient) -> None:
    for path in ("/healthz", "/nowhere", "/v1/verify/x", "/v1/trust-anchor"):
        response = quiet_web.get(path)
        for name, value in HEADERS.items():
            assert response.headers[name] == value
        assert "default-src 'none'" in response.headers["content-security-policy"]


def test_the_trust_pack_opens_with_the_anchor(web: TestClient, licence: Licence, clock: Clock) -> None:
    anchor = web.get("/v1/trust-anchor").json()
    spki = base64.urlsafe_b64decode(anchor["spki"] + "=" * (-len(anchor["spki"]) % 4))
    assert hashlib.sha256(spki).hexdigest() == anchor["sha256"]
    response = web.get("/v1/trust-pack")
    pack = open_pack(response.content, anchor_spki_der=spki, now=clock())
    assert licence.status_list_uri in pack.body["status_lists"]  # type: ignore[operator]  # an object
    assert response.headers["cache-control"].startswith("public, max-age=")
    same = web.get("/v1/trust-pack", headers={"If-None-Match": response.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


@built
def test_the_page_pins_the_same_anchor(quiet_web: TestClient) -> None:
    assert quiet_web.get("/v1/trust-anchor").json()["spki"] in quiet_web.get("/q").text


def test_health(quiet_web: TestClient) -> None:
    assert quiet_web.get("/healthz").json() == quiet_web.get("/readyz").json() == {"status": "ok"}


def needed_problems(path: str, operation: dict[str, Any]) -> set[str]:
    """The problems that an operation has because of what it takes."""
    needed = {"500", "503"}
    if {} not in operation.get("security", [{}]):
        needed |= {"401", "403"}
    if "requestBody" in operation:
        needed |= {"408", "413", "400" if path == "/oauth/token" else "422"}
    if operation.get("parameters"):
        needed.add("422" if path != "/v1/verify/{key}" else "404")  # whatever is no key there is an unknown one
    return needed | ({"404"} if "{" in path else set())


def test_the_description_names_every_path_and_its_problems(quiet_web: TestClient) -> None:
    # That it lists every path, and who may call it, is compared with docs/http.md in test_paths.py.
    schema = quiet_web.get("/openapi.json").json()
    lacking, strange = [], []
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            lacking += [
                f"{method} {path}: {each}" for each in sorted(needed_problems(path, operation) - answers.keys())
            ]
            strange += [
                f"{method} {path}: {status}"
                for status, answer in answers.items()
                if status >= "400" and list(answer["content"]) != ["application/problem+json"]
            ]
    assert lacking == []
    assert strange == ["post /oauth/token: 400", "post /oauth/token: 401"], "RFC 6749, 5.2"
    issue = schema["paths"]["/v1/licences"]["post"]
    assert {"200", "201", "401", "403", "409", "413", "422", "500", "503"} <= set(issue["responses"])
    assert issue["security"] == [{"bearer": []}]
    assert {each["scheme"] for each in schema["components"]["securitySchemes"].values()} == {"bearer"}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh", "zh"), ("en-GB,zh;q=0.5", "en"), ("fr,zh;q=0.1", "zh"), ("en;q=0.2,zh-TW;q=0.9", "zh"), ("*", "en"),
        ("zh;q=x,en", "en"), (",,;;", "en"),
    ],
)  # fmt: skip
def test_language(header: str, language: str) -> None:
    assert language_of(header) == language
