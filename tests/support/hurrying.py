"""Homes whose key files open at once: a passphrase that everybody knows needs no costly derivation.

Opening a library costs seven derivations, half a second; a run of all tests opens thousands.
"""

from pathlib import Path

from certlib.store.cipher import open_data_keys, sealed_data_keys
from signing.keys import open_key


def hurry(home: Path) -> None:
    """Write the key files of the library in `home` again, under the same passphrase, at the least cost."""
    passphrase = (home / "passphrase").read_bytes().rstrip(b"\r\n")
    data_keys = home / "data-keys.json"
    keys = open_data_keys(data_keys.read_bytes(), passphrase)
    data_keys.write_bytes(sealed_data_keys(keys, passphrase, cost={"n": 2, "r": 1, "p": 1}))
    for path in (home / "keys").glob("*.pem"):
        path.write_bytes(open_key(path.read_bytes(), passphrase).encrypted_pem(passphrase, cost=256))
