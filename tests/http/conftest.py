"""The application over a real library, asked in process."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.app import create_app
from certlib.callers import bearer_for
from certlib.config import read_settings
from certlib.issuing import issue
from certlib.library import Library, close_library
from certlib.model import Licence
from tests.support.clock import Clock
from tests.support.libraries import CITY, MARKET_BUREAU, company_request, opened


@pytest.fixture
def web(sqlite_library: Library) -> Iterator[TestClient]:
    """A client from 127.0.0.1 that gets our own faults as answers, not as exceptions."""
    app = create_app(sqlite_library)
    with TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 50000)) as client:
        yield client


@pytest.fixture(scope="module")
def quiet_web(ready_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A client over a library without licences, for tests that change nothing."""
    home = tmp_path_factory.mktemp("quiet") / "library"
    shutil.copytree(ready_home, home)
    lib = opened(read_settings(home), now=Clock.started())
    with TestClient(create_app(lib), raise_server_exceptions=False) as client:
        yield client
    close_library(lib)


@pytest.fixture
def licence(sqlite_library: Library) -> Licence:
    """One issued licence of the market bureau."""
    return issue(sqlite_library, company_request()).licence


@pytest.fixture
def bearer(sqlite_library: Library) -> Callable[..., dict[str, str]]:
    """Headers of an agency's system."""

    def make(code: str = MARKET_BUREAU.code, **parts: Any) -> dict[str, str]:  # noqa: ANN401  # of bearer_for
        agency = {MARKET_BUREAU.code: MARKET_BUREAU, CITY.code: CITY}[code]  # type: ignore[index]  # codes are text
        token = bearer_for(sqlite_library, agency.code, **({"ttl_seconds": 600} | parts))
        return {"Authorization": f"Bearer {token}"}

    return make


def request_body(**changes: object) -> dict[str, Any]:
    """A lawful request as JSON."""
    request = company_request()
    return {
        "type": request.type_code,
        "number": request.number,
        "holders": [{"name": each.name, "code": each.code, "code_type": each.code_type} for each in request.holders],
        "issued_on": request.issued_on.isoformat(),
        "effective_on": request.effective_on.isoformat(),
        "expires_on": None,
        "fields": dict(request.fields),
        **changes,
    }
