"""Encryption at rest, and the keyed hashes by which encrypted values are found.

The data keys lie outside the database, in a file that a passphrase opens. Each row names the key that sealed it, so
a new key can be added at any time; a new passphrase re-wraps the file and touches no row.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from certlib.errors import OwnFaultError, SetupError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_FORMAT: Final = "certlib-data-keys-1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""96 bits, random for each message. NIST SP 800-38D, 8.2.2."""
_SCRYPT: Final = {"n": 2**15, "r": 8, "p": 1}
"""RFC 7914, 2: cost, block size, parallelism; 32 MiB of memory."""
_MAX_SCRYPT_N: Final = 2**20
_FINGERPRINT_BYTES: Final = 16


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class DataKeys:
    """The secrets for data at rest. Never printed."""

    current: str
    """Id of the key that seals new rows."""
    sealing: Mapping[str, bytes]
    """AES-256 keys by id; old ones stay, to open old rows."""
    index: bytes
    """HMAC key of all look-up hashes; it never changes, or nothing would be found."""


def new_data_keys() -> DataKeys:
    """Fresh random keys."""
    return DataKeys(current="k1", sealing={"k1": os.urandom(KEY_BYTES)}, index=os.urandom(KEY_BYTES))


def rotated_data_keys(keys: DataKeys) -> DataKeys:
    """The same keys and a new one, which seals from now on."""
    new = f"k{len(keys.sealing) + 1}"
    return replace(keys, current=new, sealing={**keys.sealing, new: os.urandom(KEY_BYTES)})


def sealed_data_keys(keys: DataKeys, passphrase: bytes, *, cost: Mapping[str, int] = _SCRYPT) -> bytes:
    """The key file: the keys as JSON under AES-256-GCM with a key that scrypt makes of the passphrase at this cost."""
    salt, nonce = os.urandom(16), os.urandom(NONCE_BYTES)
    inner = {
        "current": keys.current,
        "sealing": {name: _b64(key) for name, key in keys.sealing.items()},
        "index": _b64(keys.index),
    }
    wrapping = AESGCM(_scrypt(passphrase, salt, cost))
    sealed = wrapping.encrypt(nonce, json.dumps(inner).encode(), FILE_FORMAT.encode())
    sealed_text = {"salt": _b64(salt), "nonce": _b64(nonce), "sealed": _b64(sealed)}
    outer = {"format": FILE_FORMAT, "scrypt": dict(cost), **sealed_text}
    return json.dumps(outer, indent=1).encode() + b"\n"


def open_data_keys(data: bytes, passphrase: bytes) -> DataKeys:
    """The keys in a key file.

    Raises:
        SetupError: not a key file, or not its passphrase.
    """
    try:
        outer = json.loads(data)
        if outer["format"] != FILE_FORMAT:
            raise SetupError(f"the data key file is of an unknown format, expected {FILE_FORMAT}")
        wrapping = AESGCM(_scrypt(passphrase, _unb64(outer["salt"]), outer["scrypt"]))
        inner = json.loads(wrapping.decrypt(_unb64(outer["nonce"]), _unb64(outer["sealed"]), FILE_FORMAT.encode()))
        sealing = {str(name): _unb64(key) for name, key in inner["sealing"].items()}
        keys = DataKeys(current=str(inner["current"]), sealing=sealing, index=_unb64(inner["index"]))
        keys.sealing[keys.current]
    except InvalidTag as error:
        raise SetupError(
            "the data key file does not open", hint="Is the passphrase the one the library was made with?"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise SetupError("the data key file is damaged", hint="Restore it from its backup.") from error
    return keys


@dataclass(frozen=True, slots=True, repr=False)
class Cipher:
    """Seals and opens values under the data keys. Safe to share between threads."""

    keys: DataKeys
    _opened: Mapping[str, AESGCM] = field(init=False)

    def __post_init__(self) -> None:
        """Prepare every key once."""
        opened = {name: AESGCM(key) for name, key in self.keys.sealing.items()}
        object.__setattr__(self, "_opened", MappingProxyType(opened))

    @property
    def key_id(self) -> str:
        """The key that `seal` uses now."""
        return self.keys.current

    def seal(self, plain: bytes, bound_to: str) -> bytes:
        """Nonce, ciphertext and tag under the current key; opens only with the same `bound_to`."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._opened[self.keys.current].encrypt(nonce, plain, bound_to.encode())

    def open(self, sealed: bytes, bound_to: str, key_id: str) -> bytes:
        """What was sealed under the key `key_id`.

        Raises:
            SetupError: the key file has no such key.
            OwnFaultError: code `unreadable_record`: changed, or moved from another licence.
        """
        if (key := self._opened.get(key_id)) is None:
            raise SetupError(f"data key {key_id} is missing", hint="Restore the data key file from its backup.")
        try:
            return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
        except (InvalidTag, ValueError) as error:
            raise OwnFaultError(f"a stored value of {bound_to} was changed", code="unreadable_record") from error

    def digest(self, purpose: str, value: bytes) -> bytes:
        """HMAC-SHA-256 over `value`, different for each purpose: 32 bytes."""
        return hmac.digest(self.keys.index, purpose.encode() + b"\x00" + value, "sha256")

    def fingerprints(self) -> dict[str, str]:
        """What the database keeps to recognise the keys: name -> hex, from which no key can be computed."""
        named = {f"data_key.{name}": key for name, key in self.keys.sealing.items()} | {"index_key": self.keys.index}
        return {
            name: hmac.digest(key, b"certlib fingerprint", "sha256")[:_FINGERPRINT_BYTES].hex()
            for name, key in named.items()
        }


def _scrypt(passphrase: bytes, salt: bytes, cost: Mapping[str, Any]) -> bytes:
    if not 0 < int(cost["n"]) <= _MAX_SCRYPT_N:
        raise ValueError("scrypt cost out of bounds")
    return Scrypt(salt=salt, length=KEY_BYTES, n=cost["n"], r=cost["r"], p=cost["p"]).derive(passphrase)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _unb64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
