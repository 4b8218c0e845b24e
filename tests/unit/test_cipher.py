"""Data keys and what they seal."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.errors import OwnFaultError, SetupError
from certlib.store.cipher import Cipher, DataKeys, new_data_keys, open_data_keys, rotated_data_keys, sealed_data_keys

KEYS = new_data_keys()
FILE = sealed_data_keys(KEYS, b"passphrase")


def test_a_key_file_opens_with_its_passphrase_only() -> None:
    assert open_data_keys(FILE, b"passphrase") == KEYS
    with pytest.raises(SetupError, match="does not open"):
        open_data_keys(FILE, b"Passphrase")


def test_a_key_file_holds_no_key_openly() -> None:
    assert KEYS.index.hex().encode() not in FILE
    assert KEYS.index not in FILE
    assert repr(KEYS.index) not in repr(KEYS)
    assert repr(KEYS.index) not in repr(Cipher(KEYS))


@settings(max_examples=30, deadline=None)
@given(
    st.binary(max_size=200) | st.recursive(st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_any_file_is_opened_or_refused(data: bytes) -> None:
    with pytest.raises(SetupError):
        open_data_keys(data, b"passphrase")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "certlib-data-keys-9"},
        {"salt": "AAAA"},
        {"salt": 7},
        {"sealed": "AAAA"},
        {"sealed": None},
        {"scrypt": {"n": 2**40, "r": 8, "p": 1}},
        {"scrypt": {"n": 3, "r": 8, "p": 1}},
        {"scrypt": {}},
        {"scrypt": {"n": "many", "r": 8, "p": 1}},
        {"nonce": "*"},
        {"nonce": ""},
    ],
    ids=str,
)
def test_a_damaged_key_file_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(SetupError):
        open_data_keys(json.dumps({**json.loads(FILE), **change}).encode(), b"passphrase")


def test_a_value_opens_only_where_it_belongs() -> None:
    cipher = Cipher(KEYS)
    sealed = cipher.seal(b"value", "content:1.2.3")
    assert cipher.open(sealed, "content:1.2.3", "k1") == b"value"
    assert cipher.seal(b"value", "content:1.2.3") != sealed
    for damaged in (sealed[:-1], sealed + b"\0", b"", bytes([sealed[0] ^ 1]) + sealed[1:]):
        with pytest.raises(OwnFaultError):
            cipher.open(damaged, "content:1.2.3", "k1")
    with pytest.raises(OwnFaultError):
        cipher.open(sealed, "content:1.2.4", "k1")
    with pytest.raises(SetupError, match="k2 is missing"):
        cipher.open(sealed, "content:1.2.3", "k2")


def test_rotation_keeps_old_keys_and_the_index() -> None:
    rotated = rotated_data_keys(KEYS)
    sealed = Cipher(KEYS).seal(b"old", "x")
    assert Cipher(rotated).key_id == "k2"
    assert Cipher(rotated).open(sealed, "x", "k1") == b"old"
    assert Cipher(rotated).digest("holder", b"v") == Cipher(KEYS).digest("holder", b"v")
    assert open_data_keys(sealed_data_keys(rotated, b"new"), b"new") == rotated
    assert rotated_data_keys(rotated).current == "k3"


def test_digests_differ_by_purpose_and_key() -> None:
    cipher = Cipher(KEYS)
    assert cipher.digest("holder", b"v") != cipher.digest("content", b"v")
    assert cipher.digest("holder", b"v") != Cipher(new_data_keys()).digest("holder", b"v")


def test_fingerprints_tell_keys_apart() -> None:
    other = Cipher(new_data_keys()).fingerprints()
    ours = Cipher(KEYS).fingerprints()
    assert ours.keys() == other.keys() == {"data_key.k1", "index_key"}
    assert not set(ours.values()) & set(other.values())


def test_keys_without_the_current_one_are_refused() -> None:
    lame = replace(KEYS, current="k9")
    assert isinstance(lame, DataKeys)
    with pytest.raises(SetupError, match="damaged"):
        open_data_keys(sealed_data_keys(lame, b"p"), b"p")
