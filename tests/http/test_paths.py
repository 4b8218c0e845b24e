"""docs/http.md lists every path with who may call it; the description and the answers say the same."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.schemas.examples import parameter_example
from certlib.callers import SCOPES
from certlib.library import Library
from tests.support.holders import headers_of
from tests.support.libraries import CITY

DOCS = Path(__file__).resolve().parents[2] / "docs"
ROW = re.compile(r"\| `([A-Z]+) (/[^`]*)` \| ([^|]+) \| [^|]+ \| (below|\[([a-z-]+\.md)\]\(\5\)(?:, [0-9]+)?) \|")
EVERYBODY, HOLDER = "everybody", "*holder*"
NEEDED: dict[str, dict[str, list[str]]] = {EVERYBODY: {}, HOLDER: {"holder": []}}
"""What the description says of who calls; of all others `bearer`."""
Bearer = Callable[..., dict[str, str]]


@dataclass(frozen=True)
class Listed:
    """A row of the page."""

    method: str
    path: str
    who: str
    page: str

    @property
    def scopes(self) -> set[str]:
        """Any of these is enough."""
        return set() if self.who in {EVERYBODY, HOLDER} else set(self.who.split(", "))


LISTED = [
    Listed(method=row[1], path=row[2], who=row[3], page=row[5] or "http.md")
    for line in (DOCS / "http.md").read_text("utf-8").splitlines()
    if (row := ROW.fullmatch(line))
]


def test_the_page_lists_what_the_description_lists(quiet_web: TestClient) -> None:
    paths = quiet_web.get("/openapi.json").json()["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert len({(each.method, each.path) for each in LISTED}) == len(LISTED)
    assert {(each.method, each.path) for each in LISTED} == described


def test_the_pages_are_there_and_scopes_are_scopes() -> None:
    for each in LISTED:
        assert (DOCS / each.page).is_file(), each
        assert each.scopes <= set(SCOPES), each


def test_the_description_says_who_may_call(quiet_web: TestClient) -> None:
    paths = quiet_web.get("/openapi.json").json()["paths"]
    for each in LISTED:
        said = paths[each.path][each.method.lower()].get("security", [{}])
        assert NEEDED.get(each.who, {"bearer": []}) in said, each


def refused(web: TestClient, listed: Listed, headers: dict[str, str]) -> tuple[int, str]:
    """Status and code of an answer to a call with nothing right but the bearer."""
    names = re.findall(r"\{(\w+)\}", listed.path)
    path = listed.path.format(**{each: parameter_example(listed.path, each) for each in names})
    answer = web.request(listed.method, path, headers=headers, json={} if listed.method == "POST" else None)
    kind = answer.headers.get("content-type", "")
    return answer.status_code, answer.json().get("code", "") if kind == "application/problem+json" else ""


def test_a_bearer_is_needed_where_the_page_says_so(web: TestClient) -> None:
    for each in LISTED:
        status, _ = refused(web, each, {})
        assert (status == 401) == (each.who != EVERYBODY), each


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_what_the_page_says_and_nothing_else(web: TestClient, bearer: Bearer, scope: str) -> None:
    headers = bearer(CITY.code, scopes=(scope,))
    if scope == "manage":  # a role that it is for
        assert web.get("/v1/tickets?role=library", headers=headers).json()["code"] == "forbidden"
    for each in LISTED:
        if not each.scopes:
            continue
        _, code = refused(web, each, headers)
        role = each.path == "/v1/tickets" and each.method == "GET" and scope in {"share", "audit"}
        assert (code == "forbidden") == (scope not in each.scopes or role), (each, code)


def test_holders_and_systems_do_not_stand_in_for_each_other(
    web: TestClient, bearer: Bearer, sqlite_library: Library
) -> None:
    system, holder = bearer(CITY.code, scopes=SCOPES), headers_of(sqlite_library)
    for each in LISTED:
        if each.who != EVERYBODY:
            status, _ = refused(web, each, system if each.who == HOLDER else holder)
            assert status == 401, each
