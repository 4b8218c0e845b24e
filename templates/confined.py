"""Draws a stranger's page in a child process with little memory and little time.

A PDF of 100 KB can ask for minutes and gigabytes to be drawn, and pdfium is one program for all threads. Files under a
seal that holds are drawn by ``raster`` itself; whatever else somebody sends is drawn here.
"""

from __future__ import annotations

import resource
import struct
import subprocess
import sys
from typing import Final

from templates import raster
from templates.raster import RasterError

MAX_CPU_SECONDS: Final = 5
MAX_WALL_SECONDS: Final = 15
"""A busy machine gives the child less than a core."""
MAX_MEMORY_BYTES: Final = 768 * 2**20
"""Address space: an A3 page at 200 dpi takes a fifth of it."""
_SIZE: Final = struct.Struct(">II")


def page_image(pdf: bytes, dpi: float, page: int = 0) -> tuple[int, int, bytes]:
    """Return what ``raster.page_image`` returns.

    Raises:
        RasterError: the page cannot be drawn, or not with so little time and memory.
    """
    command = [sys.executable, "-I", "-m", __name__, str(dpi), str(page)]
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter and module
            command, input=pdf, capture_output=True, check=False, timeout=MAX_WALL_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise RasterError(f"page {page + 1} takes too long to be drawn") from error
    if done.returncode != 0 or len(done.stdout) < _SIZE.size:
        raise RasterError(f"page {page + 1} cannot be drawn with little time and memory")
    width, height = _SIZE.unpack_from(done.stdout)
    return width, height, done.stdout[_SIZE.size :]


def _draw(dpi: float, page: int) -> int:
    """Draw the file on stdin to stdout; the exit code."""
    resource.setrlimit(resource.RLIMIT_CPU, (MAX_CPU_SECONDS, MAX_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        width, height, grey = raster.page_image(sys.stdin.buffer.read(), dpi, page)
    except (RasterError, MemoryError):
        return 1
    sys.stdout.buffer.write(_SIZE.pack(width, height) + grey)
    return 0


if __name__ == "__main__":
    sys.exit(_draw(float(sys.argv[1]), int(sys.argv[2])))
