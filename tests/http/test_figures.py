"""Ratings, paper reports and statistics over HTTP."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.schemas.figures import FigureOut, GroupOut, PaperReason, PartOut, StatisticsOut, TotalsOut
from certlib.library import Library
from certlib.receipting import new_receipt_id
from certlib.tickets import rating
from tests.support.clock import Clock
from tests.support.holders import headers_of, licence_of
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.tickets import look_at

Bearer = Callable[..., dict[str, str]]
TYPE = "practitioner-licence"
MANAGE, SHARE, AUDIT = {"scopes": ("manage",)}, {"scopes": ("share",)}, {"scopes": ("audit",)}


def test_a_use_is_rated(web: TestClient, bearer: Bearer, sqlite_library: Library) -> None:
    use = new_receipt_id()
    look_at(sqlite_library, licence_of(sqlite_library), reference=use)
    path, share = f"/v1/uses/{use}/rating", bearer(CITY.code, **SHARE)
    bad = web.post(path, json={"operator": "Li", "score": 2}, headers=share)
    assert (bad.status_code, bad.json()["faults"][0]["field"]) == (422, "text")
    given = web.post(path, json={"operator": "Li", "score": 2, "text": "Slow"}, headers=share)
    assert (given.status_code, given.headers["cache-control"]) == (201, "private, no-store")
    again = web.post(path, json={"operator": "Li", "score": 5}, headers=share)
    assert (again.status_code, again.json()["code"]) == (409, "already_rated")
    assert web.post(path, json={"operator": "Li", "score": 5}, headers=bearer(**SHARE)).status_code == 404
    mine = web.post("/v1/my/ratings", json={"use_code": use, "score": 4}, headers=headers_of(sqlite_library))
    assert mine.status_code == 201
    for headers in (bearer(CITY.code, **SHARE), bearer(**AUDIT)):
        (seen,) = web.get("/v1/ratings", headers=headers).json()["ratings"]
        assert (seen["text"], seen["score"]) == ("Slow", 2)
    assert web.get("/v1/ratings", headers=bearer(**MANAGE)).json() == {"ratings": []}
    assert web.get("/v1/ratings", headers=bearer(scopes=("verify",))).status_code == 403


def test_paper_is_reported(web: TestClient, bearer: Bearer, sqlite_library: Library) -> None:
    said = {"operator": "Li", "type": TYPE, "matter_code": "m", "reason": "archive_demands_paper"}
    assert web.post("/v1/paper-reports", json=said, headers=bearer(CITY.code, **SHARE)).status_code == 201
    strange = web.post("/v1/paper-reports", json={**said, "reason": "x"}, headers=bearer(CITY.code, **SHARE))
    assert strange.status_code == 422
    mine = {"agency": CITY.code, "type": TYPE, "reason": "not_trusted"}
    assert web.post("/v1/my/paper-reports", json=mine, headers=headers_of(sqlite_library)).status_code == 201
    assert len(web.get("/v1/paper-reports", headers=bearer(CITY.code, **MANAGE)).json()["reports"]) == 2
    assert web.get("/v1/paper-reports", headers=bearer(**MANAGE)).json() == {"reports": []}
    assert len(web.get("/v1/paper-reports", headers=bearer(**AUDIT)).json()["reports"]) == 2
    assert set(PaperReason.__args__) == {*rating.PaperReason}  # type: ignore[attr-defined]  # of a Literal


def described(found: dict[str, Any]) -> dict[str, Any]:
    """The answer, which is as its description says."""
    StatisticsOut.model_validate(found)

    def names(model: Any) -> set[str]:  # noqa: ANN401  # a model
        return {field.alias or name for name, field in model.model_fields.items()}

    assert set(found) == names(StatisticsOut)
    assert all(set(each) == names(FigureOut) for each in found["rows"])
    assert all(set(part) == names(PartOut) for each in found["rows"] for part in each["parts"])
    assert all(set(each) == names(GroupOut) for each in found["groups"])
    assert set(found["totals"]) == names(TotalsOut)
    return found


def test_statistics(web: TestClient, bearer: Bearer, sqlite_library: Library, clock: Clock) -> None:
    licence = licence_of(sqlite_library)
    for _number in range(7):
        look_at(sqlite_library, licence)
    clock.move(days=2)
    day = clock().date()
    path = f"/v1/statistics?from={day - timedelta(days=5)}&to={day}"
    whole = described(web.get(path, headers=bearer(**AUDIT)).json())
    uses = [(each["agency"], each["figure"], each["key"], each["shown"]) for each in whole["rows"]]
    assert uses == [(MARKET_BUREAU.code, "issued", "", "<5"), (CITY.code, "found", "check", "7")]
    assert {each["agency"]: each["active"]["shown"] for each in whole["groups"]} == {
        MARKET_BUREAU.code: "<5",
        CITY.code: "0",
    }
    own = described(web.get(path, headers=bearer(CITY.code, **SHARE)).json())
    assert [each["agency"] for each in own["rows"]] == [CITY.code]
    one = web.get(f"{path}&agency={MARKET_BUREAU.code}&type={TYPE}", headers=bearer(**AUDIT)).json()
    assert [each["figure"] for each in described(one)["rows"]] == ["issued"]
    refused = web.get(f"{path}&agency={MARKET_BUREAU.code}", headers=bearer(CITY.code, **MANAGE))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert web.get(path, headers=bearer(scopes=("issue",))).status_code == 403
    assert web.get(path).status_code == 401


@pytest.mark.parametrize(
    "query", ["from=x", "to=2026-02-30", "from=2026-02-01&to=2026-01-01", "from=2025-01-01&to=2026-12-31",
              "agency=NOBODY", "type=%00", "from=%ED%A0%80"],
)  # fmt: skip
def test_bad_questions_are_422(web: TestClient, bearer: Bearer, query: str) -> None:
    answer = web.get(f"/v1/statistics?{query}", headers=bearer(**AUDIT))
    assert answer.status_code == 422
    assert answer.json()["faults"]
