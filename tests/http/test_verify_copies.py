"""Purpose-bound copies at `POST /v1/verify`: who asks decides, and only a bearer says who asks."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from certlib.library import Library
from certlib.model import Licence, Status
from tests.support.clock import Clock
from tests.support.copies import copy_of, token_in
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.verdicts import changed

Bearer = Callable[..., dict[str, str]]


def judged(web: TestClient, given: bytes | str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    sent: dict[str, Any] = (
        {"json": {"text": given}} if isinstance(given, str) else {"files": {"file": ("upload", given)}}
    )
    response = web.post("/v1/verify", headers=headers or {}, **sent)
    assert response.status_code == 200, response.text
    assert response.headers["Cache-Control"] == "no-store"
    content: dict[str, Any] = response.json()
    return content


@pytest.fixture
def givens(sqlite_library: Library, licence: Licence) -> tuple[bytes, str]:
    """A copy for the City, and its code."""
    pdf = copy_of(sqlite_library, licence).pdf
    return pdf, token_in(pdf)


def test_only_its_asker_may_take_it_as_the_licence(web: TestClient, givens: tuple[bytes, str], bearer: Bearer) -> None:
    for given in givens:
        answer = judged(web, given)
        assert (answer["word"], answer["fault"]) == ("bound_copy", "made_for_another")
        assert answer["shown"]["made_for"]["agency"]["code"] == CITY.code
        other = judged(web, given, bearer(MARKET_BUREAU.code, scopes=("verify",)))
        assert other["word"] == "bound_copy"
        own = judged(web, given, bearer(CITY.code, scopes=("verify",)))
        assert (own["word"], own["fault"]) == ("valid", "")
        assert next(each for each in own["checks"] if each["name"] == "made_for")["code"] == "made_for_asker"


def test_a_bearer_that_is_not_good_is_never_passed_over(
    web: TestClient, givens: tuple[bytes, str], bearer: Bearer
) -> None:
    good = bearer(CITY.code, scopes=("verify",))["Authorization"]
    for header in ("", "Bearer", "Bearer x", "Basic YTpi", good[:-2], good + "x", f"{good}, {good}"):
        response = web.post("/v1/verify", json={"text": givens[1]}, headers={"Authorization": header})
        assert response.status_code == 401, header
    for scopes in (("issue",), ("share",), ("issue", "share", "audit")):
        response = web.post("/v1/verify", json={"text": givens[1]}, headers=bearer(CITY.code, scopes=scopes))
        assert response.status_code == 403


def test_the_asker_sees_what_became_of_the_licence(
    web: TestClient, sqlite_library: Library, licence: Licence, givens: tuple[bytes, str], bearer: Bearer
) -> None:
    changed(sqlite_library, licence, Status.REVOKED)
    for given in givens:
        assert judged(web, given)["word"] == "revoked"
        assert judged(web, given, bearer(CITY.code, scopes=("verify",)))["word"] == "revoked"


def test_past_its_end_it_is_nobodys(web: TestClient, givens: tuple[bytes, str], bearer: Bearer, clock: Clock) -> None:
    clock.at += timedelta(days=31)
    for given in givens:
        assert judged(web, given)["word"] == "expired"
        assert judged(web, given, bearer(CITY.code, scopes=("verify",)))["word"] == "expired"


def test_the_public_answer_knows_no_copies(web: TestClient, givens: tuple[bytes, str], licence: Licence) -> None:
    assert web.get(f"/v1/verify/{licence.identifier}").json()["word"] == "valid"
    assert givens


def test_a_licence_is_the_same_for_every_asker(web: TestClient, licence: Licence, bearer: Bearer) -> None:
    anybody = judged(web, licence.token)
    for code in (CITY.code, MARKET_BUREAU.code):
        assert judged(web, licence.token, bearer(code, scopes=("verify",))) == anybody
