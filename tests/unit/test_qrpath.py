"""The QR code's path covers exactly the dark modules."""

import random
import re

import pytest

from templates.qrpath import qr_path


def painted(size: int, path: str) -> bytes:
    field = bytearray(size * size)
    for x, y, w, h in re.findall(r"(\d+) (\d+) (\d+) (\d+) re", path):
        assert h == "1"
        for column in range(int(x), int(x) + int(w)):
            row = size - 1 - int(y)
            assert not field[row * size + column], "painted twice"
            field[row * size + column] = 1
    return bytes(field)


@pytest.mark.parametrize("size", [21, 25, 53, 73, 177])
def test_exactly_the_dark_modules_are_painted(size: int) -> None:
    numbers = random.Random(size)  # noqa: S311 -- a pattern
    for modules in (
        bytes(size * size),
        b"\x01" * (size * size),
        bytes(numbers.randrange(2) for _ in range(size * size)),
    ):
        assert painted(size, qr_path(size, modules)) == modules


@pytest.mark.parametrize("modules", [b"", bytes(21 * 21 - 1), bytes(21 * 21 - 1) + b"\x02"])
def test_what_is_no_square_of_modules_is_refused(modules: bytes) -> None:
    with pytest.raises(ValueError, match="modul"):
        qr_path(21, modules)
