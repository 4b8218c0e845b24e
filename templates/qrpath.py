"""A QR matrix as one filled path. One fill leaves no hairlines between modules."""

from __future__ import annotations

import struct
from functools import lru_cache
from operator import getitem
from typing import NamedTuple

_CHUNK = 8
_ROW = "Y"


class _Tables(NamedTuple):
    """What a matrix of one size needs."""

    splitter: struct.Struct
    """Cuts the modules into pieces of 8, row by row."""
    operators: list[dict[bytes, str]]
    """For each piece its table: pattern of modules -> rectangles in row Y."""
    rows: list[str]
    """The height of each row, from the top."""


def _rectangles(x: int, modules: bytes) -> str:
    """Return one rectangle for each run of dark modules that starts at column `x`."""
    out = ""
    start = 0
    while start < len(modules):
        end = start + 1
        if modules[start]:
            while end < len(modules) and modules[end]:
                end += 1
            out += f"{x + start} {_ROW} {end - start} 1 re\n"
        start = end
    return out


@lru_cache(maxsize=8)
def _tables(size: int) -> _Tables:
    columns: list[dict[bytes, str]] = []
    row = ""
    for x in range(0, size, _CHUNK):
        count = min(_CHUNK, size - x)
        patterns = [bytes(value >> place & 1 for place in range(count)) for value in range(2**count)]
        columns.append({pattern: _rectangles(x, pattern) for pattern in patterns})
        row += f"{count}s"
    return _Tables(struct.Struct(row * size), columns * size, [str(size - 1 - y) for y in range(size)])


def qr_path(size: int, modules: bytes) -> str:
    """Return the path of the dark modules, one module to the unit, without the painting operator.

    Args:
        size: Modules on a side.
        modules: Row by row from the top, one byte each, 1 = dark, 0 = light.

    Raises:
        ValueError: the modules do not make a square of that size.
    """
    tables = _tables(size)
    if len(modules) != tables.splitter.size:
        raise ValueError(f"{len(modules)} modules do not make a square of {size}")
    try:
        pieces = map(getitem, tables.operators, tables.splitter.unpack(modules))
        rows = zip(*[pieces] * (-(-size // _CHUNK)), strict=True)
        return "".join(["".join(row).replace(_ROW, height) for row, height in zip(rows, tables.rows, strict=True)])
    except KeyError as error:
        raise ValueError("a module is neither 0 nor 1") from error
