"""The open store: engine, settings of the connections, and the two ways to use one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from certlib.errors import OwnFaultError, SetupError, UnavailableError
from certlib.store.cipher import Cipher
from certlib.store.migrations import upgrade
from certlib.store.tables import LIBRARY

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import URL

    from certlib.store.cipher import DataKeys

Transaction = Connection
"""An open transaction, for those who only hand it on."""
HEAD_REVISION: Final = "0008"
"""The newest migration; a test compares it with the migrations' folder."""
BUSY_TIMEOUT_MS: Final = 30_000
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # what was acknowledged survives a power cut (facts: engines, 6)
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)
_READING: Final = "certlib_reading"


@dataclass(frozen=True, kw_only=True, slots=True)
class Store:
    """The open database, the folder of blobs and the data keys. Safe to share between threads, not processes."""

    engine: Engine
    reader: Engine
    """The same pool without transactions: each statement sees what was committed before it."""
    home: Path
    """Blobs lie in `blobs` below it."""
    cipher: Cipher
    now: Callable[[], datetime]
    status_list_url: str
    """Prefix of the status lists' URIs."""
    gate: Lock | None
    """On SQLite one thread of this process writes at a time: the others wait here in turn. SQLite's own way is to sleep
    and try again, longer each time, which lets some wait for seconds while others pass."""


def database_url(text_url: str) -> URL:
    """The URL with the driver that we use filled in.

    Raises:
        SetupError: neither SQLite nor PostgreSQL, or no URL.
    """
    try:
        url = make_url(text_url)
    except ArgumentError as error:
        raise SetupError("database_url is not a URL", hint="sqlite:///path or postgresql://host/name") from error
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite+pysqlite")
    if url.get_backend_name() in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    raise SetupError(
        "database_url must name a SQLite file or a PostgreSQL database", hint="sqlite:///path or postgresql://host/name"
    )


def open_store(  # noqa: PLR0913  # one argument per part of the store
    database: str,
    *,
    home: Path,
    data_keys: DataKeys,
    now: Callable[[], datetime],
    status_list_url: str = "http://127.0.0.1:8080/s/",
    pool_size: int = 40,
) -> Store:
    """The store at `database`. It may be empty or old: `migrate` or `require_current` come next.

    Raises:
        SetupError: wrong URL, the database cannot be reached, or `data_keys` are not the ones it was made with.
    """
    url = database_url(database)
    engine = _sqlite(url, pool_size) if url.get_backend_name() == "sqlite" else _postgresql(url, pool_size)
    reader = (
        engine.execution_options(**{_READING: True})
        if url.get_backend_name() == "sqlite"
        else engine.execution_options(isolation_level="AUTOCOMMIT")
    )
    store = Store(
        engine=engine,
        reader=reader,
        home=home,
        cipher=Cipher(data_keys),
        now=now,
        status_list_url=status_list_url,
        gate=Lock() if url.get_backend_name() == "sqlite" else None,
    )
    try:
        with reader.connect() as conn:
            if inspect(conn).has_table(LIBRARY.name):
                require_known_keys(conn, store.cipher)
    except (DatabaseError, InterfaceError) as error:
        engine.dispose()
        raise SetupError(f"the database cannot be opened: {_cause(error)}") from error
    except SetupError:
        engine.dispose()
        raise
    return store


def close_store(store: Store) -> None:
    """Give back all connections."""
    store.engine.dispose()


def migrate(store: Store) -> None:
    """Bring the database to the tables this program was written for, and let it remember its data keys.

    Safe to run again, and in two processes at once.

    Raises:
        SetupError: the database was made with other data keys.
        UnavailableError: it does not take the change now.
    """
    with writing(store) as conn:
        upgrade(conn)
        require_known_keys(conn, store.cipher)
        known = set(conn.execute(select(LIBRARY.c.key)).scalars())
        new = [{"key": key, "value": value} for key, value in store.cipher.fingerprints().items() if key not in known]
        if new:
            conn.execute(insert(LIBRARY), new)


def require_current(store: Store) -> None:
    """Pass if the database has the tables this program was written for.

    Raises:
        SetupError: it is empty, older or newer.
    """
    found = schema_revision(store)
    if found != HEAD_REVISION:
        what = "is empty" if found is None else f"is at revision {found}, this program needs {HEAD_REVISION}"
        hint = "Restore it from its backup, or make a library in an empty folder: certlib init"
        if found is not None:
            older, newer = (
                "Stop its servers, keep a backup, then: certlib upgrade",
                "A newer program wrote it; use that.",
            )
            hint = older if found < HEAD_REVISION else newer
        raise SetupError(f"the database {what}", hint=hint)


def schema_revision(store: Store) -> str | None:
    """The migration that the database stands at; None for an empty one."""
    with reading(store) as conn:
        if not inspect(conn).has_table("alembic_version"):
            return None
        return conn.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def require_known_keys(conn: Connection, cipher: Cipher) -> None:
    """Pass if the database was made with these data keys.

    Raises:
        SetupError: another index key, a key of the same name but another value, or a key that rows use is missing.
    """
    known = {row.key: row.value for row in conn.execute(select(LIBRARY.c.key, LIBRARY.c.value))}
    ours = cipher.fingerprints()
    for name, fingerprint in known.items():
        if name not in ours and name.startswith("data_key."):
            raise SetupError(
                f"{name} is missing from the data keys", hint="Restore the data key file that belongs to this database."
            )
        if name in ours and ours[name] != fingerprint:
            raise SetupError(
                f"the data keys are not those of this database ({name} differs)",
                hint="Restore the data key file that belongs to this database.",
            )


def require_lasting(store: Store, name: str, value: str) -> None:
    """Pass if `value` is what the setting `name` has always been; the first call remembers it.

    Raises:
        SetupError: it was another value when the library was made.
    """
    key = f"setting.{name}"
    with reading(store) as conn:
        known = conn.execute(select(LIBRARY.c.value).where(LIBRARY.c.key == key)).scalar_one_or_none()
    if known is None:
        with writing(store) as conn:
            conn.execute(insert(LIBRARY), [{"key": key, "value": value}])
    elif known != value:
        raise SetupError(
            f"{name} was {known} when the library was made and cannot change: it stands in every token",
            hint=f'Put it back: {name} = "{known}"',
        )


@contextmanager
def writing(store: Store) -> Iterator[Connection]:
    """One transaction; it takes the write lock at once on SQLite and is rolled back by any error.

    Raises:
        UnavailableError: the database does not answer, is locked for too long, or its disk is full.
        IntegrityError: SQLAlchemy's own; the functions of the store translate it.
        OwnFaultError: code `database_error`: it refused a statement.
    """
    if store.gate is not None and not store.gate.acquire(timeout=BUSY_TIMEOUT_MS / 1000):
        raise UnavailableError("the database does not take the change now: others write without end")
    try:
        with store.engine.begin() as conn:
            yield conn
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise UnavailableError(f"the database does not take the change now: {_cause(error)}") from error
    except IntegrityError:
        raise  # the caller knows what it means that something stands there already
    except DBAPIError as error:
        raise OwnFaultError(f"the database refused a statement: {_cause(error)}", code="database_error") from error
    finally:
        if store.gate is not None:
            store.gate.release()


@contextmanager
def reading(store: Store) -> Iterator[Connection]:
    """A connection without a transaction, for reads that need no common moment.

    Raises:
        UnavailableError: the database does not answer.
        OwnFaultError: code `database_error`: it refused a statement.
    """
    try:
        with store.reader.connect() as conn:
            yield conn
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        raise UnavailableError(f"the database does not answer now: {_cause(error)}") from error
    except DBAPIError as error:
        raise OwnFaultError(f"the database refused a statement: {_cause(error)}", code="database_error") from error


def is_sqlite(store: Store) -> bool:
    """Whether the database is a SQLite file."""
    return store.engine.dialect.name == "sqlite"


def _sqlite(url: URL, pool_size: int) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=10,
        hide_parameters=True,  # no bound value in a message or log
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_MS / 1000},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver opens no transactions of its own
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begun(conn: Connection) -> None:
        if not conn.get_execution_options().get(_READING):
            conn.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _postgresql(url: URL, pool_size: int) -> Engine:
    return create_engine(url, pool_size=pool_size, max_overflow=10, hide_parameters=True, pool_pre_ping=True)


def _cause(error: Any) -> str:  # noqa: ANN401  # the drivers' errors share no base
    """First line of the driver's message; it never holds bound values."""
    return str(getattr(error, "orig", error)).partition("\n")[0]
