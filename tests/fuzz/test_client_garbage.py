"""Whatever is handed to the token endpoint, or as a bearer, is refused as the RFC says: nothing else happens."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from api.app import create_app
from certlib.authorising import access_token
from certlib.callers import authenticate
from certlib.config import read_settings
from certlib.errors import UnauthenticatedError
from certlib.library import Library, close_library
from tests.support.clock import Clock
from tests.support.libraries import opened
from tests.support.oauth import System, system

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NAMES = ("grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type", "scope", "x")
VALUES = st.one_of(
    st.sampled_from(["client_credentials", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "share", ""]),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace").decode()),
    st.just("certlib_00000000_" + "a" * 43),
    st.just("0" * 26),
)


@pytest.fixture(scope="module")
def lib(ready_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    home = tmp_path_factory.mktemp("garbage") / "library"
    shutil.copytree(ready_home, home)
    (home / "certlib.toml").write_text("token_requests_per_minute = 0\n", "utf-8")
    lib = opened(read_settings(home), now=Clock.started())
    yield lib
    close_library(lib)


@pytest.fixture(scope="module")
def desk(lib: Library) -> System:
    return system(lib)


@pytest.fixture(scope="module")
def good(lib: Library, desk: System) -> str:
    return access_token(lib, desk.asked()).bearer


@pytest.fixture(scope="module")
def web(lib: Library) -> Iterator[TestClient]:
    with TestClient(create_app(lib), raise_server_exceptions=False) as client:
        yield client


@settings(deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.lists(st.text(max_size=12), max_size=5).map(".".join)))
def test_any_text_as_bearer_or_assertion(lib: Library, desk: System, text: str) -> None:
    with pytest.raises(UnauthenticatedError):
        authenticate(lib, text)
    with pytest.raises(UnauthenticatedError):
        access_token(lib, desk.asked(text or "x"))


@settings(deadline=None)
@given(place=st.integers(min_value=0), char=st.characters())
def test_a_bearer_with_one_character_other(lib: Library, good: str, place: int, char: str) -> None:
    """What is let in is what was given, letter by letter."""
    place %= len(good)
    changed = good[:place] + char + good[place + 1 :]
    if changed == good:
        assert authenticate(lib, changed, address="127.0.0.1").client_id
        return
    with pytest.raises(UnauthenticatedError):
        authenticate(lib, changed, address="127.0.0.1")


@settings(deadline=None)
@given(body=st.binary(max_size=300))
def test_any_bytes_as_a_form(web: TestClient, body: bytes) -> None:
    answer = web.post("/oauth/token", content=body, headers=FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@settings(deadline=None)
@given(fields=st.dictionaries(st.sampled_from(NAMES), VALUES), header=st.one_of(st.none(), st.text(max_size=40)))
def test_any_parameters(web: TestClient, fields: dict[str, str], header: str | None) -> None:
    headers = dict(FORM)
    if header is not None and header.isascii() and header.isprintable():
        headers["Authorization"] = f"Basic {header}"
    answer = web.post("/oauth/token", data=fields, headers=headers)
    assert answer.status_code in {400, 401}, answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"
