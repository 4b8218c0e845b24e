"""Settings: file, environment, and no key that nobody knows."""

from pathlib import Path

import pytest

from certlib.config import Settings, passphrase, read_settings
from certlib.errors import SetupError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("CERTLIB_HOME", "CERTLIB_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def written(home: Path, text: str) -> Settings:
    (home / "certlib.toml").write_text(text, "utf-8")
    return read_settings(home)


def test_without_a_file_the_defaults_hold(home: Path) -> None:
    settings = read_settings(home)
    assert settings.home == home
    assert settings.database_url == f"sqlite:///{home}/certlib.sqlite"
    assert settings.verify_url.endswith("#")
    assert settings.tsa_url is None
    assert settings.passphrase_path == home / "passphrase"
    assert settings.data_keys_path == home / "data-keys.json"


def test_the_environment_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'block_size = 10\npack_days = 3\ndatabase_url = "postgresql:///a"\n'
    assert written(home, text).block_size == 10
    monkeypatch.setenv("CERTLIB_BLOCK_SIZE", "20")
    monkeypatch.setenv("CERTLIB_DATABASE_URL", "postgresql:///b")
    settings = read_settings(home)
    assert (settings.block_size, settings.pack_days, settings.database_url) == (20, 3, "postgresql:///b")


def test_the_home_is_what_the_caller_says(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTLIB_HOME", "/somewhere/else")
    assert read_settings(home).home == home
    monkeypatch.chdir(home)
    assert read_settings(Path("relative")).home == home / "relative"


def test_an_unknown_setting_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SetupError, match=r"unknown setting: home in .*certlib.toml, verfy_url in"):
        written(home, 'verfy_url = "x"\nhome = "y"\n')
    (home / "certlib.toml").unlink()
    monkeypatch.setenv("CERTLIB_BLOK_SIZE", "7")
    with pytest.raises(SetupError, match="CERTLIB_BLOK_SIZE"):
        read_settings(home)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("block_size = 0", "block_size"),
        ("block_size = 5000", "block_size"),
        ('block_size = "many"', "block_size"),
        ('verify_url = "https://example.org/q"', "verify_url"),
        ('verify_url = "https://example.org/#q#"', "verify_url"),
        ('verify_url = "ftp://example.org/q#"', "verify_url"),
        ('verify_url = "https://example.org/执照#"', "verify_url"),
        ('status_list_url = "s/"', "status_list_url"),
        ('tsa_url = "file:///etc/passwd"', "tsa_url"),
        ("tsa_timeout_seconds = 0", "tsa_timeout_seconds"),
        ('identifier_root_plain = "1.2.156.3005.2"', "identifier_root_plain"),
        ('identifier_root_plain = "1.02"', "identifier_root_plain"),
        ("pack_days = 1000", "pack_days"),
        ("max_upload_bytes = 1", "max_upload_bytes"),
        ('library_name = ""', "library_name"),
    ],
)
def test_settings_are_bounded_and_the_wrong_one_is_named(home: Path, text: str, named: str) -> None:
    with pytest.raises(SetupError, match=named):
        written(home, text)


def test_a_wrong_value_is_not_repeated(home: Path) -> None:
    with pytest.raises(SetupError) as refused:
        written(home, 'tsa_url = "secret-in-a-url"')
    assert "secret" not in str(refused.value)


def test_a_file_that_is_not_toml_is_a_clear_error(home: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        written(home, "not toml at all")
    (home / "certlib.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SetupError, match="cannot be read"):
        read_settings(home)


def test_settings_are_frozen(home: Path) -> None:
    with pytest.raises(Exception, match="frozen"):
        read_settings(home).block_size = 3  # type: ignore[misc]  # the point of the test


def test_the_passphrase_is_private_and_not_empty(home: Path) -> None:
    settings = read_settings(home)
    with pytest.raises(SetupError, match="cannot be read"):
        passphrase(settings)
    settings.passphrase_path.write_bytes(b"two words \r\n")
    settings.passphrase_path.chmod(0o644)
    with pytest.raises(SetupError, match="read by others"):
        passphrase(settings)
    settings.passphrase_path.chmod(0o600)
    assert passphrase(settings) == b"two words "
    settings.passphrase_path.write_bytes(b"\n")
    with pytest.raises(SetupError, match="is empty"):
        passphrase(settings)


def test_a_passphrase_file_may_lie_elsewhere(home: Path) -> None:
    assert written(home, 'passphrase_file = "/run/secrets/p"').passphrase_path == Path("/run/secrets/p")
    assert written(home, 'passphrase_file = "sub/p"').passphrase_path == home / "sub/p"
