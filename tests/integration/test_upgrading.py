"""A library of an older program is brought to this one, and what it issued stays as good as it was."""

from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import Connection, text, update

from certlib import demonstrating, enrolling
from certlib.authorising import access_token
from certlib.callers import authenticate
from certlib.config import Settings, read_settings
from certlib.enrolling import OWN_PURPOSES
from certlib.errors import SetupError, TypeFolderError
from certlib.issuing import issue
from certlib.library import SHIPPED_TYPES, Library, close_library, open_library
from certlib.model import Status
from certlib.press import folder_digest
from certlib.store import agencies, audits, engine, migrations
from certlib.store.engine import HEAD_REVISION, reading, schema_revision, writing
from certlib.store.tables import LICENCE_TYPE
from certlib.upgrading import Upgraded, upgrade_library
from certlib.verifying import verify
from tests.support.clock import Clock
from tests.support.databases import KINDS
from tests.support.invariants import check_invariants
from tests.support.libraries import company_request, new_home, opened
from tests.support.oauth import system
from tests.support.sharing import granted

OLD = "0002"


@pytest.fixture(params=KINDS)
def old_settings(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """A library with one licence, made when migrations ended at 0002 and libraries had no keys for lists."""

    def only_so_far(conn: Connection) -> None:
        command.upgrade(migrations.configuration(conn), OLD)

    url = ""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql_server")
        url = server.url(server.new_database())
    with monkeypatch.context() as past:
        past.setattr(engine, "upgrade", only_so_far)
        past.setattr(engine, "HEAD_REVISION", OLD)
        past.setattr(enrolling, "OWN_PURPOSES", ())
        settings = new_home(tmp_path / "old", database_url=url, now=clock())
        lib = opened(settings, now=clock)
        issue(lib, company_request())
        close_library(lib)
    return settings


def test_an_older_library_is_upgraded_and_works(old_settings: Settings, clock: Clock) -> None:
    with pytest.raises(SetupError, match=f"is at revision {OLD}, this program needs {HEAD_REVISION}") as caught:
        open_library(old_settings, now=clock)
    assert caught.value.hint.endswith("certlib upgrade")
    done = upgrade_library(old_settings, operator="zhang", now=clock)
    assert done == Upgraded(before=OLD, after=HEAD_REVISION, keys=OWN_PURPOSES)
    lib = opened(old_settings, now=clock)
    try:
        licence = issue(lib, company_request()).licence
        assert licence.status is Status.ACTIVE
        assert verify(licence.token, lib, now=clock()).word == "valid"
        assert len(agencies.keys(lib.store, purpose="status")) == 1
        granted(lib)
        desk = system(lib)
        assert authenticate(lib, access_token(lib, desk.asked()).bearer).client_id == desk.client.id
        upgraded = [each for each in audits.read_chain(lib.store) if each.act == "library.upgraded"]
        assert [(each.actor, each.detail) for each in upgraded] == [("zhang", {"from": OLD, "to": HEAD_REVISION})]
        with writing(lib.store) as conn:
            command.check(migrations.configuration(conn))
        check_invariants(lib.store)
    finally:
        close_library(lib)
    again = upgrade_library(old_settings, operator="zhang", now=clock)
    assert again == Upgraded(before=HEAD_REVISION, after=HEAD_REVISION, keys=())


def test_what_breaks_in_the_middle_leaves_the_old_tables(
    old_settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(conn: Connection) -> None:
        command.upgrade(migrations.configuration(conn), "0003")
        raise KeyboardInterrupt

    with monkeypatch.context() as bad:
        bad.setattr(engine, "upgrade", breaks)
        with pytest.raises(KeyboardInterrupt):
            upgrade_library(old_settings, operator="zhang", now=clock)
    assert upgrade_library(old_settings, operator="zhang", now=clock).before == OLD


def as_registered_before(lib: Library, type_toml: str) -> None:
    """Let the library have registered the business licence with this type.toml."""
    digest = folder_digest(SHIPPED_TYPES / "business-licence" / "v1", type_toml=type_toml)
    this = LICENCE_TYPE.c.code == "business-licence"
    with writing(lib.store) as conn:
        conn.execute(update(LICENCE_TYPE).where(this).values(type_toml=type_toml, digest=digest))
    lib.press.folders.clear()


def test_a_type_in_use_takes_new_questions_and_nothing_else(sqlite_library: Library, clock: Clock) -> None:
    lib = sqlite_library
    issue(lib, company_request())
    now = agencies.type_version(lib.store, "business-licence", 1)
    before = now.type_toml[: now.type_toml.index("[[questions]]")]
    as_registered_before(lib, before)
    with pytest.raises(TypeFolderError, match="changed after it was registered"):
        issue(lib, company_request("91990200MA7EXAM26N"))
    assert upgrade_library(lib.settings, operator="zhang", now=clock).types == ("business-licence",)
    assert agencies.type_version(lib.store, "business-licence", 1).digest == now.digest
    assert issue(lib, company_request("91990200MA7EXAM26N")).new
    for line, other in (("max_length = 6000", "max_length = 5999"), ('zh = "营业执照"', 'zh = "执照"')):
        assert line in before
        as_registered_before(lib, before.replace(line, other))
        done = upgrade_library(lib.settings, operator="zhang", now=clock)
        assert done.types == ()
        assert [each.startswith("business-licence v1: licences were made with") for each in done.left] == [True]
    check_invariants(lib.store)


def test_a_newer_or_empty_database_is_left_alone(sqlite_library: Library, clock: Clock) -> None:
    with writing(sqlite_library.store) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SetupError, match="revision 9999") as caught:
        upgrade_library(sqlite_library.settings, operator="zhang", now=clock)
    assert "newer one" in caught.value.hint
    with pytest.raises(SetupError) as opening:
        open_library(sqlite_library.settings, now=clock)
    assert "newer program" in opening.value.hint
    with writing(sqlite_library.store) as conn:
        conn.execute(text("DELETE FROM alembic_version"))
    with pytest.raises(SetupError, match="is empty"):
        upgrade_library(sqlite_library.settings, operator="zhang", now=clock)
    with reading(sqlite_library.store):
        assert schema_revision(sqlite_library.store) is None


def test_where_no_library_is_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="there is no library"):
        upgrade_library(read_settings(tmp_path / "none"), operator="zhang")
    assert list(tmp_path.iterdir()) == []


def test_the_demo_of_an_older_program_goes_on(old_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first line says so; the rest is the demo's own test."""
    monkeypatch.setattr(demonstrating, "_settings", lambda _home, _port: old_settings)
    first = next(demonstrating.prepare(old_settings.home, port=8080))
    assert "made by an older program" in first
    close_library(open_library(old_settings))
