"""Key files before OpenSSL."""

import subprocess
from pathlib import Path

import pytest

from signing.keys import KeyAlgorithm, generate_key

SECRET = b"correct horse"


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm), ids=str)
def test_openssl_opens_our_key_files(algorithm: KeyAlgorithm, tmp_path: Path) -> None:
    key = generate_key(algorithm)
    file = tmp_path / "key.pem"
    file.write_bytes(key.encrypted_pem(SECRET))
    command = ["openssl", "pkey", "-in", str(file), "-passin", f"pass:{SECRET.decode()}", "-pubout", "-outform", "DER"]
    done = subprocess.run(command, capture_output=True, check=True)  # noqa: S603  # fixed command, our own file
    assert done.stdout == key.spki_der
