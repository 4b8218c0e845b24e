"""Migrations, opening, and the data keys that belong to a database."""

import os
from dataclasses import replace

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import text

from certlib.errors import SetupError
from certlib.store.cipher import new_data_keys, rotated_data_keys
from certlib.store.engine import (
    HEAD_REVISION,
    Store,
    database_url,
    migrate,
    reading,
    require_current,
    schema_revision,
    writing,
)
from certlib.store.lookups import licence_by_identifier
from certlib.store.migrations import configuration
from tests.support.databases import Database, opened
from tests.support.invariants import check_invariants
from tests.support.makers import issue_one, make_request, register


def test_migrations_and_tables_say_the_same(empty_database: Database) -> None:
    with opened(empty_database) as store:
        assert schema_revision(store) is None
        migrate(store)
        assert schema_revision(store) == HEAD_REVISION
        with writing(store) as conn:
            command.check(configuration(conn))


def test_the_head_is_the_newest_migration(store: Store) -> None:
    with reading(store) as conn:
        assert ScriptDirectory.from_config(configuration(conn)).get_heads() == [HEAD_REVISION]


def test_migrating_again_changes_nothing(store: Store) -> None:
    licence = issue_one(store)
    migrate(store)
    require_current(store)
    assert licence_by_identifier(store, licence.identifier) == licence
    check_invariants(store)


def test_an_empty_or_newer_database_is_refused(empty_database: Database) -> None:
    with opened(empty_database) as store:
        with pytest.raises(SetupError, match="is empty"):
            require_current(store)
        migrate(store)
        with writing(store) as conn:
            conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(SetupError, match="revision 9999"):
            require_current(store)


def test_other_data_keys_are_refused(store: Store, database: Database) -> None:
    issue_one(store)
    with pytest.raises(SetupError, match="not those of this database"):
        database.open(data_keys=new_data_keys())
    same_index = replace(new_data_keys(), index=database.data_keys.index)
    with pytest.raises(SetupError, match=r"data_key\.k1 differs"):
        database.open(data_keys=same_index)
    other_index = replace(database.data_keys, index=os.urandom(32))
    with pytest.raises(SetupError, match="index_key differs"):
        database.open(data_keys=other_index)


def test_a_new_data_key_seals_new_rows_and_old_ones_still_open(store: Store, database: Database) -> None:
    old = issue_one(store, make_request("old"))
    rotated = rotated_data_keys(database.data_keys)
    with opened(database, data_keys=rotated) as other:
        migrate(other)
        new = issue_one(other, make_request("new"))
        assert licence_by_identifier(other, old.identifier) == old
        assert licence_by_identifier(other, new.identifier) == new
    with pytest.raises(SetupError, match=r"data_key\.k2 is missing"):
        database.open()


def test_sqlite_is_opened_to_survive_a_power_cut(store: Store) -> None:
    if store.engine.dialect.name != "sqlite":
        pytest.skip("settings of SQLite")
    with reading(store) as conn:
        found = {
            name: conn.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30000}


@pytest.mark.parametrize("url", ["", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "not a url"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(SetupError):
        database_url(url)


def test_a_database_that_is_not_there_is_a_clear_error(tmp_path: os.PathLike[str], database: Database) -> None:
    gone = replace(database, url=f"sqlite:///{tmp_path}/no/such/folder/a.sqlite")
    with pytest.raises(SetupError, match="cannot be opened"):
        gone.open()
    with pytest.raises(SetupError, match="cannot be opened"):
        replace(database, url=f"postgresql:///x?host={tmp_path}").open()


def test_registering_needs_a_migrated_database(database: Database) -> None:
    with opened(database) as store:
        register(store)
        check_invariants(store)
