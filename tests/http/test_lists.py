"""GET /s/{number}: both forms, conditional requests, unknown lists."""

import base64

import pytest
from fastapi.testclient import TestClient

from api.routes.lists import CWT, JWT, known, wants_cwt
from certlib.library import Library
from certlib.lifecycle import StatusRequest, change_status
from certlib.listing import TTL_SECONDS
from certlib.model import Licence, Status
from signing.statuslist import INVALID, verify_list
from signing.trust import TrustPack, open_pack
from tests.support.clock import Clock


def pack_of(web: TestClient, clock: Clock) -> TrustPack:
    spki = base64.urlsafe_b64decode(web.get("/v1/trust-anchor").json()["spki"] + "==")
    return open_pack(web.get("/v1/trust-pack").content, anchor_spki_der=spki, now=clock())


def test_both_forms_follow_a_change(web: TestClient, sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    pack, path = pack_of(web, clock), "/s/" + licence.status_list_uri.rpartition("/")[2]
    first = web.get(path)
    assert (first.status_code, first.headers["content-type"]) == (200, JWT)
    assert first.headers["cache-control"] == f"public, max-age={TTL_SECONDS}"
    assert first.headers["vary"] == "Accept"
    request = StatusRequest(to=Status.REVOKED, reason="x", document_number="1", operator="t")
    change_status(sqlite_library, licence.identifier, request)
    clock.move(seconds=4)
    for accept, kind in (("", JWT), (JWT, JWT), (CWT, CWT), ("*/*", JWT)):
        response = web.get(path, headers={"Accept": accept})
        assert (response.status_code, response.headers["content-type"]) == (200, kind)
        read = verify_list(response.content, pack, uri=licence.status_list_uri, now=clock()).claims
        assert read.statuses.value(licence.status_index) == INVALID
        assert response.headers["etag"] != first.headers["etag"]
        again = web.get(path, headers={"Accept": accept, "If-None-Match": response.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == response.headers["etag"]
    old = web.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert old.status_code == 200


@pytest.mark.parametrize(
    "path", ["/s/1", "/s/00", "/s/-1", "/s/x", "/s/1e3", "/s/9999999", "/s/٣", "/s/%30%30", "/s/0.0"]
)
def test_unknown_lists(quiet_web: TestClient, path: str) -> None:
    response = quiet_web.get(path)
    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert response.headers["content-type"] == "application/problem+json"


def test_a_list_without_licences_is_given_too(quiet_web: TestClient) -> None:
    assert quiet_web.get("/s/0").status_code == 200


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False), ("*/*", False), (JWT, False), (CWT, True), (f"{JWT}, {CWT}", False), (f"{JWT};q=0.5, {CWT}", True),
        (f"{CWT};q=0.5, */*;q=0.1", True), (f"{CWT};q=0", False), (f"{CWT};q=x", False), ("text/html", False),
        (f"{CWT.upper()}", True), (f"application/*;q=0.9, {CWT};q=0.2", False), (",;,", False),
    ],
)  # fmt: skip
def test_which_form(accept: str, expected: object) -> None:
    assert wants_cwt(accept) is expected


def test_tags_are_compared_weakly() -> None:
    for header in ('W/"a"', '"a"', '"b", W/"a"', "*"):
        assert known(header, 'W/"a"')
    for header in ("", '"b"', "a"):
        assert not known(header, 'W/"a"')
