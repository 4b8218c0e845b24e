"""Databases for tests: SQLite as a temporary file, and PostgreSQL from a real server.

Fixtures (loaded by `tests/conftest.py`):

* `empty_database`: a URL and a home, nothing in them; once for each kind;
* `database`: the same, migrated;
* `store`: open on it, with the agency and the type of `tests.support.makers`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from certlib.store.cipher import DataKeys, new_data_keys
from certlib.store.engine import Store, close_store, migrate, open_store
from tests.support.makers import register
from tests.support.postgresql import PostgreSQLServer, running_postgresql

KINDS = ("sqlite", "postgresql")


@dataclass(frozen=True, kw_only=True, slots=True)
class Database:
    """Where a store can be opened. Can be sent to another process."""

    kind: str
    url: str
    home: Path
    data_keys: DataKeys

    def open(self, *, data_keys: DataKeys | None = None, pool_size: int = 10) -> Store:
        """A store on it; the caller closes it."""
        return open_store(
            self.url, home=self.home, data_keys=data_keys or self.data_keys, now=utc_now, pool_size=pool_size
        )


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


@pytest.fixture(scope="session")
def session_data_keys() -> DataKeys:
    """One set of data keys for the session, so that a migrated database can be copied."""
    return new_data_keys()


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQLServer]:
    """The server, started when the first test asks for it."""
    with running_postgresql() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory, session_data_keys: DataKeys) -> Path:
    """A migrated SQLite file to copy."""
    home = tmp_path_factory.mktemp("migrated")
    _migrate(Database(kind="sqlite", url=f"sqlite:///{home}/a.sqlite", home=home, data_keys=session_data_keys))
    return home / "a.sqlite"


@pytest.fixture(scope="session")
def migrated_postgresql(
    postgresql_server: PostgreSQLServer, tmp_path_factory: pytest.TempPathFactory, session_data_keys: DataKeys
) -> str:
    """Name of a migrated PostgreSQL database to copy."""
    name = postgresql_server.new_database()
    home = tmp_path_factory.mktemp("migrated")
    _migrate(Database(kind="postgresql", url=postgresql_server.url(name), home=home, data_keys=session_data_keys))
    return name


@pytest.fixture(params=KINDS)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path, session_data_keys: DataKeys) -> Iterator[Database]:
    """No tables yet."""
    kind = str(request.param)
    if kind == "sqlite":
        url = f"sqlite:///{tmp_path}/certlib.sqlite"
        yield Database(kind=kind, url=url, home=tmp_path, data_keys=session_data_keys)
        return
    server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
    name = server.new_database()
    yield Database(kind=kind, url=server.url(name), home=tmp_path, data_keys=session_data_keys)
    server.drop_database(name)


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest, tmp_path: Path, session_data_keys: DataKeys) -> Iterator[Database]:
    """Migrated, nothing in it."""
    kind = str(request.param)
    if kind == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), tmp_path / "certlib.sqlite")
        url = f"sqlite:///{tmp_path}/certlib.sqlite"
        yield Database(kind=kind, url=url, home=tmp_path, data_keys=session_data_keys)
        return
    server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
    name = server.new_database(template=request.getfixturevalue("migrated_postgresql"))
    yield Database(kind=kind, url=server.url(name), home=tmp_path, data_keys=session_data_keys)
    server.drop_database(name)


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """Open, with one agency and one licence type."""
    with opened(database) as store:
        register(store)
        yield store


@contextmanager
def opened(database: Database, *, data_keys: DataKeys | None = None) -> Iterator[Store]:
    """A store on `database`, closed at the end of the block."""
    store = database.open(data_keys=data_keys)
    try:
        yield store
    finally:
        close_store(store)


def _migrate(database: Database) -> None:
    with opened(database) as store:
        migrate(store)
