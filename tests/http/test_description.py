"""The OpenAPI description is the whole truth: schemathesis asks each operation with what it allows and what it forbids.

`positive_data_acceptance` is left out: the law knows more rules than a JSON schema, and says so with 422 and the field.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from certlib.callers import bearer_for
from certlib.config import read_settings
from certlib.holding.sessions import open_session
from certlib.issuing import issue
from certlib.library import close_library, utc_now
from tests.support.libraries import MARKET_BUREAU, company_request, opened
from tests.support.serving import served
from tests.support.sharing import granted

pytestmark = pytest.mark.xdist_group("description")

EXAMPLES = 200 if os.environ.get("HYPOTHESIS_PROFILE") == "searching" else 8
NO_LIMITS = (
    "lookups_per_minute",
    "uploads_per_minute",
    "shares_per_minute",
    "looks_per_holder_per_hour",
    "wrong_codes_per_hour",
)
SCOPES = ("issue", "manage", "verify", "share", "audit", "holder")


@dataclass(frozen=True)
class Served:
    """A library on loopback, and who may ask it."""

    url: str
    agency: str
    """Bearer of an agency's system with every scope."""
    holder: str
    """Bearer of a person who holds nothing: a holder of licences would be asked for them."""


@pytest.fixture(scope="module")
def served_library(ready_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("description") / "library"
    shutil.copytree(ready_home, home)
    (home / "certlib.toml").write_text("".join(f"{name} = 0\n" for name in NO_LIMITS), "utf-8")
    lib = opened(read_settings(home), now=utc_now)
    issue(lib, company_request())
    granted(lib, agency_code=MARKET_BUREAU.code, daily_cap=1_000_000)
    agency = bearer_for(lib, MARKET_BUREAU.code, ttl_seconds=7200, scopes=SCOPES)
    session = open_session(lib, code="990101198202091228", code_type="111", how="tests", operator="tests")
    holder = session.bearer
    with served(lib) as url:
        yield Served(url=url, agency=agency, holder=holder)
    close_library(lib)


def asked(served_library: Served, bearer: str, folder: Path, *more: str) -> None:
    """Fail with schemathesis' own report if it finds anything."""
    program = Path(sys.executable).with_name("schemathesis")
    ran = subprocess.run(  # noqa: S603  # our own environment's program
        [
            *(program, "--no-color", "run", f"{served_library.url}/openapi.json"),
            *("--header", f"Authorization: Bearer {bearer}", "--max-examples", str(EXAMPLES), "--seed", "7"),
            *("--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--suppress-health-check", "all"),
            *("--exclude-checks", "positive_data_acceptance", "--generation-database", "none", "--no-shrink"),
            *more,
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode == 0, (ran.stdout + ran.stderr)[-20_000:]


def test_agencies_systems_meet_nothing_that_the_description_does_not_say(
    served_library: Served, tmp_path: Path
) -> None:
    asked(served_library, served_library.agency, tmp_path, "--exclude-path-regex", "^/v1/my/")


def test_holders_meet_nothing_that_the_description_does_not_say(served_library: Served, tmp_path: Path) -> None:
    # Log-out is left out: all that comes after it would meet 401.
    asked(
        served_library,
        served_library.holder,
        tmp_path,
        *("--include-path-regex", "^/v1/my/", "--exclude-path-regex", "^/v1/my/session"),
    )
