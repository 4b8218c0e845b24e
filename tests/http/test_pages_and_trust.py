"""Pages, built files, the trust pack and anchor, health, the description of the interface."""

import base64
import hashlib
import re

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


def test_the_description_names_every_path_and_its_problems(quiet_web: TestClient) -> None:
    schema = quiet_web.get("/openapi.json").json()
    assert set(schema["paths"]) == {
        *("/v1/verify/{key}", "/v1/verify", "/v1/trust-pack", "/v1/trust-anchor", "/v1/licences"),
        *("/v1/licences/{identifier}", "/v1/licences/{identifier}/pdf", "/healthz", "/readyz", "/s/{number}"),
        *("/v1/licences/{identifier}/changes", "/v1/changes/pending", "/v1/changes/{change_id}/approval"),
        *("/v1/bulk", "/v1/bulk/{act_id}", "/v1/bulk/{act_id}/approval"),
    }
    issue = schema["paths"]["/v1/licences"]["post"]
    assert {"200", "201", "401", "403", "409", "413", "422", "500", "503"} <= set(issue["responses"])
    assert issue["security"] == [{"bearer": []}]
    assert schema["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("zh", "zh"), ("en-GB,zh;q=0.5", "en"), ("fr,zh;q=0.1", "zh"), ("en;q=0.2,zh-TW;q=0.9", "zh"), ("*", "en"),
        ("zh;q=x,en", "en"), (",,;;", "en"),
    ],
)  # fmt: skip
def test_language(header: str, language: str) -> None:
    assert language_of(header) == language
