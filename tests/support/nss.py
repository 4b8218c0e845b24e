"""An NSS database that trusts one root, for poppler's pdfsig."""

import subprocess
from pathlib import Path


def nss_database(folder: Path, root_der: bytes) -> Path:
    """Make the database in ``folder`` and return it, to be given to ``pdfsig -nssdir``."""
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "root.der"
    root.write_bytes(root_der)
    _certutil("-N", "-d", f"sql:{folder}", "--empty-password")
    _certutil("-A", "-d", f"sql:{folder}", "-n", "root", "-t", "CT,C,C", "-i", str(root))
    return folder


def _certutil(*arguments: str) -> None:
    subprocess.run(["certutil", *arguments], check=True, capture_output=True, timeout=60)  # noqa: S603, S607  # fixed
