"""The header that says under which name a file is kept."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Final
from urllib.parse import quote

OTHER: Final = "licence"
"""What stands for a name that has no ASCII in it."""


def attachment(name: str) -> str:
    """`Content-Disposition` for a file of this name. RFC 6266, 4.1 and 4.3: the whole name, and one for old readers."""
    path = PurePosixPath(name)
    plain = "".join(each for each in path.stem if each.isascii() and (each.isalnum() or each in "-_")).strip("-_")
    return f"attachment; filename=\"{plain or OTHER}{path.suffix}\"; filename*=UTF-8''{quote(name)}"
