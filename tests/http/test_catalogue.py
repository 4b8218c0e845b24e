"""The catalogue feed over HTTP."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient

from api.schemas.catalogue import FeedOut
from certlib.library import Library
from certlib.model import Licence
from tests.support.libraries import CITY
from tests.support.sharing import MATTER, granted

FEED = "/v1/catalogue/changes"
Bearer = Callable[..., dict[str, str]]


def test_a_reader_follows_the_cursor(
    web: TestClient, licence: Licence, sqlite_library: Library, bearer: Bearer
) -> None:
    granted(sqlite_library)
    headers = bearer(CITY.code, scopes=("share",))
    first = web.get(FEED, params={"matter_code": MATTER}, headers=headers)
    assert first.status_code == 200
    assert first.headers["Cache-Control"] == "private, no-store"
    page = FeedOut.model_validate(first.json(), strict=True)
    assert [each.identifier for each in page.changes] == [licence.identifier]
    second = web.get(FEED, params={"matter_code": MATTER, "since": page.cursor}, headers=headers).json()
    assert second["changes"] == []


def test_only_systems_that_may_share_read_it(web: TestClient, licence: Licence, bearer: Bearer) -> None:
    assert licence
    assert web.get(FEED).status_code == 401
    assert web.get(FEED, headers=bearer(CITY.code, scopes=("issue",))).status_code == 403
    refused = web.get(FEED, params={"matter_code": MATTER}, headers=bearer(CITY.code, scopes=("share",)))
    assert (refused.status_code, refused.json()["code"]) == (403, "no_grant")


@pytest.mark.parametrize("limit", ["0", "501", "-1", "1e3", "٣", "9" * 5000, "", "\x00"])
def test_odd_limits_are_refused(web: TestClient, sqlite_library: Library, bearer: Bearer, limit: str) -> None:
    granted(sqlite_library)
    answer = web.get(FEED, params={"matter_code": MATTER, "limit": limit}, headers=bearer(CITY.code, scopes=("share",)))
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["field"] == "limit"


@pytest.mark.parametrize("since", ["x", "A" * 4096, "\x00", "A" * 44, "%ff"])
def test_odd_cursors_are_refused(web: TestClient, sqlite_library: Library, bearer: Bearer, since: str) -> None:
    granted(sqlite_library)
    answer = web.get(FEED, params={"matter_code": MATTER, "since": since}, headers=bearer(CITY.code, scopes=("share",)))
    assert answer.status_code == 422
    assert answer.json()["faults"][0]["field"] == "since"
