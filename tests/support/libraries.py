"""Whole libraries for tests: a real home, a real database, real keys, two agencies.

Fixtures (loaded by `tests/conftest.py`):

* `library`: open, with the agencies and types below; once on SQLite and once on PostgreSQL;
* `sqlite_library`: the same on SQLite only, for tests that are not about the store.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from certlib.cataloguing import add_shipped_types
from certlib.config import Settings, read_settings
from certlib.enrolling import add_agency, create_library
from certlib.identifiers import AgencyCode
from certlib.library import Library, close_library, no_step, open_library
from certlib.model import Agency, Holder, IssueRequest
from signing.keys import KeyAlgorithm, SigningKey
from templates.fonts import FontBook
from tests.support.clock import Clock
from tests.support.databases import KINDS
from tests.support.hurrying import hurry
from tests.support.postgresql import PostgreSQLServer

if TYPE_CHECKING:
    from templates.form import CompiledForm

MARKET_BUREAU = Agency(
    code=AgencyCode("11990200MB90000230"), name="样本市市场监督管理局", name_en="Sample City Market Bureau"
)
CITY = Agency(
    code=AgencyCode("RAINPORT"), name="City of Rainport", name_en="City of Rainport", timezone="America/Los_Angeles"
)


def new_home(home: Path, *, database_url: str = "", now: datetime) -> Settings:
    """Make a library at `home` with both agencies and the shipped types; not left open."""
    home.mkdir(parents=True, exist_ok=True)
    if database_url:
        (home / "certlib.toml").write_text(f'database_url = "{database_url}"\n', "utf-8")
    settings = read_settings(home)
    create_library(settings, organisation="Tests", now=now)
    lib = open_library(settings, now=lambda: now)
    try:
        add_shipped_types(lib, operator="tests")
        for agency in (MARKET_BUREAU, CITY):
            add_agency(lib, agency, seal_algorithm=KeyAlgorithm.P256, operator="tests")
    finally:
        close_library(lib)
    hurry(home)
    return settings


_FORMS: "dict[tuple[str, str, str, str, int], CompiledForm]" = {}
"""Compiled forms of this test process: laying one out takes a second, and its key holds all that it depends on."""
_FONTS = FontBook()
_KEYS: dict[str, SigningKey] = {}
"""Opened keys by URI, which names the key's id: opening one takes a key derivation."""


def opened(settings: Settings, *, now: Callable[[], datetime], step: Callable[[str], None] = no_step) -> Library:
    """The library of `settings`; the caller closes it."""
    lib = open_library(settings, now=now, step=step)
    _KEYS.update(lib.signer.opened)
    signer = replace(lib.signer, opened=_KEYS)
    return replace(lib, press=replace(lib.press, forms=_FORMS, fonts=_FONTS), signer=signer)


def company_request(number: str = "91990200MA7EXAM18U", **changes: object) -> IssueRequest:
    """A lawful request for a business licence."""
    parts: dict[str, object] = {
        "agency_code": MARKET_BUREAU.code,
        "type_code": "business-licence",
        "number": number,
        "holders": (Holder(name="甬江样本茶叶贸易有限公司", code=number, code_type="001"),),
        "issued_on": date(2026, 11, 20),
        "effective_on": date(2026, 11, 18),
        "expires_on": None,
        "fields": {
            "company_type": "有限责任公司（自然人投资或控股）",
            "legal_representative": "林样知",
            "registered_capital": "1680000.00",
            "established_on": "2026-11-18",
            "registration_authority": "样本市江湾区市场监督管理局",
            "address": "样本市江湾区望湖街道听潮路168号3幢2单元201室",
            "business_scope": "一般项目：茶具销售；会议及展览服务。",
        },
        "operator": "tests",
    }
    return IssueRequest(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading


@pytest.fixture
def clock() -> Clock:
    """The clock of the library under test."""
    return Clock.started()


@pytest.fixture(scope="session")
def ready_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new library on SQLite that nobody opens: tests copy it, since making one takes seconds."""
    home = tmp_path_factory.mktemp("ready") / "library"
    new_home(home, now=Clock.started()())
    return home


@pytest.fixture(scope="session")
def ready_postgresql(postgresql_server: PostgreSQLServer, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The same on PostgreSQL: its home, and the name of its database, to be copied both."""
    home, name = tmp_path_factory.mktemp("ready") / "library", postgresql_server.new_database()
    new_home(home, database_url=postgresql_server.url(name), now=Clock.started()())
    return home, name


@pytest.fixture(params=KINDS)
def library(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Library]:
    """An open library on each kind of database, as new."""
    home = tmp_path / "library"
    if request.param == "sqlite":
        shutil.copytree(request.getfixturevalue("ready_home"), home)
        lib = opened(read_settings(home), now=clock)
        yield lib
        close_library(lib)
        return
    server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
    ready, template = request.getfixturevalue("ready_postgresql")
    shutil.copytree(ready, home)
    name = server.new_database(template=template)
    (home / "certlib.toml").write_text(f'database_url = "{server.url(name)}"\n', "utf-8")
    lib = opened(read_settings(home), now=clock)
    yield lib
    close_library(lib)
    server.drop_database(name)


@pytest.fixture
def sqlite_library(ready_home: Path, tmp_path: Path, clock: Clock) -> Iterator[Library]:
    """An open library on SQLite, as new."""
    home = tmp_path / "library"
    shutil.copytree(ready_home, home)
    lib = opened(read_settings(home), now=clock)
    yield lib
    close_library(lib)


@pytest.fixture
def fresh_library(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Library]:
    """Makes open libraries on a kind of database, as many as a state machine wants; who asks for one closes it."""
    made: list[Path] = []

    def make(kind: str) -> Library:
        home = tmp_path / str(len(made))
        made.append(home)
        if kind == "sqlite":
            shutil.copytree(request.getfixturevalue("ready_home"), home)
        else:
            server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
            ready, template = request.getfixturevalue("ready_postgresql")
            shutil.copytree(ready, home)
            url = server.url(server.new_database(template=template))
            (home / "certlib.toml").write_text(f'database_url = "{url}"\n', "utf-8")
        return opened(read_settings(home), now=Clock.started())

    return make
