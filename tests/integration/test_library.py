import os
from pathlib import Path

import pytest

from certlib.config import read_settings
from certlib.errors import SetupError
from certlib.library import Library, close_library, open_library


def test_the_url_that_stands_in_tokens_cannot_change(sqlite_library: Library) -> None:
    home = sqlite_library.settings.home
    (home / "certlib.toml").write_text('status_list_url = "https://elsewhere.example/s/"\n', "utf-8")
    with pytest.raises(SetupError, match="status_list_url was"):
        open_library(read_settings(home))


def test_a_folder_without_a_library_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="there is no library") as raised:
        open_library(read_settings(tmp_path))
    assert "certlib init" in raised.value.hint


def test_the_wrong_passphrase_is_told(sqlite_library: Library) -> None:
    path = sqlite_library.settings.passphrase_path
    path.write_text("another\n", "utf-8")
    with pytest.raises(SetupError):
        open_library(sqlite_library.settings)


def test_a_missing_key_file_is_told(sqlite_library: Library) -> None:
    key = next((sqlite_library.settings.home / "keys").glob("pack-*.pem"))
    os.remove(key)  # noqa: PTH107  # as an operator would
    with pytest.raises(SetupError, match="no such file"):
        open_library(sqlite_library.settings)


def test_a_swapped_key_file_is_told(sqlite_library: Library) -> None:
    keys = sqlite_library.settings.home / "keys"
    pack, api = next(keys.glob("pack-*.pem")), next(keys.glob("api-*.pem"))
    pack.write_bytes(api.read_bytes())
    with pytest.raises(SetupError, match="is not the key"):
        open_library(sqlite_library.settings)


def test_opening_again_works(sqlite_library: Library) -> None:
    lib = open_library(sqlite_library.settings)
    assert lib.anchor_spki_der == sqlite_library.anchor_spki_der
    close_library(lib)
