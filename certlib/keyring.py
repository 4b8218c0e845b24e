"""Opened private keys of this library, found by the URI their row names."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from certlib.errors import SetupError
from signing.errors import SigningError
from signing.keys import SigningKey, open_key

if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from pathlib import Path

SCHEME = "file:"
"""`file:keys/<name>.pem`, relative to the library's home."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyRing:
    """The folder of encrypted key files and what has been opened of it in this process."""

    home: Path
    passphrase: bytes
    opened: MutableMapping[str, SigningKey] = field(default_factory=dict)
    """By URI. Opening costs a key derivation and a probe, so a key stays open for the process's life."""

    def open(self, uri: str) -> SigningKey:
        """The key at `uri`, probed.

        Raises:
            SetupError: no such file, wrong passphrase, or the key fails its probe.
        """
        if (key := self.opened.get(uri)) is None:
            key = self.opened[uri] = self._read(uri)
        return key

    def _read(self, uri: str) -> SigningKey:
        path = self.home / uri.removeprefix(SCHEME)
        if not uri.startswith(SCHEME) or not path.resolve().is_relative_to(self.home.resolve()):
            raise SetupError(f"key {uri}: only file: URIs inside the library's home are understood")
        try:
            return open_key(path.read_bytes(), self.passphrase)
        except FileNotFoundError as error:
            raise SetupError(f"key {uri}: no such file", hint="Restore the keys folder from its backup.") from error
        except SigningError as error:
            raise SetupError(f"key {uri}: {error}", hint="Is the passphrase the one the key was made with?") from error

    def keep(self, key: SigningKey, name: str) -> str:
        """Write `key` encrypted to `keys/<name>.pem` (0600, flushed to disk, never over another) and give its URI.

        Raises:
            SetupError: a key of this name is there already.
        """
        uri = f"{SCHEME}keys/{name}.pem"
        path = self.home / "keys" / f"{name}.pem"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write_new_file(path, key.encrypted_pem(self.passphrase))
        except FileExistsError as error:
            raise SetupError(f"key {uri} is there already; keys are never overwritten") from error
        self.opened[uri] = key
        return uri


def write_new_file(path: Path, content: bytes) -> None:
    """Write a secret so that it survives a power cut: 0600, file and folder flushed to disk, never over another.

    Raises:
        FileExistsError: there is such a file.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
