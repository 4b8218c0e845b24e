"""Files that ask for much: each gets an answer soon, and the process that answers stays small and alive."""

import io
import resource
import time
from collections.abc import Callable

import pytest
from PIL import Image

from certlib.library import Library
from certlib.model import OverallWord
from signing.errors import Fault, VerificationError
from signing.qr import read_codes
from templates import confined, raster
from templates.raster import RasterError
from tests.support import bombs
from tests.support.files import recorded
from tests.support.verdicts import answer, asked, issued, picture

SOON_SECONDS = confined.MAX_WALL_SECONDS + 5


@pytest.mark.parametrize("bomb", [bombs.endless_pdf, bombs.slow_pdf, bombs.wide_pdf], ids=lambda bomb: bomb.__name__)
def test_a_file_that_asks_for_much_is_unknown_soon(sqlite_library: Library, bomb: Callable[[], bytes]) -> None:
    pdf = bomb()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    assert answer(asked(sqlite_library, pdf)) == (OverallWord.UNKNOWN, "unsigned")
    assert time.monotonic() - started < SOON_SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024


def test_a_page_is_drawn_alike_in_the_child(sqlite_library: Library) -> None:
    pdf = recorded(sqlite_library, issued(sqlite_library))
    assert confined.page_image(pdf, 72) == raster.page_image(pdf, 72)


@pytest.mark.parametrize(("pdf", "page"), [(b"", 0), (b"%PDF-1.7", 0), (bombs.endless_pdf(), 7)])
def test_what_cannot_be_drawn_in_the_child(pdf: bytes, page: int) -> None:
    with pytest.raises(RasterError):
        confined.page_image(pdf, 72, page)


def test_a_picture_of_endless_scans_is_not_read() -> None:
    started = time.monotonic()
    with pytest.raises(VerificationError) as caught:
        read_codes(bombs.slow_jpeg(100_000))
    assert caught.value.fault is Fault.TOO_LARGE
    assert time.monotonic() - started < 2


def test_an_honest_progressive_picture_is_read_whatever_follows_it() -> None:
    text = "https://licences.example/q#" + "123456789" * 20
    out = io.BytesIO()
    Image.open(io.BytesIO(picture(text))).save(out, "JPEG", progressive=True)
    film = b"\xff\xda\x00\x02" * 5000  # phones put a film behind a picture
    assert read_codes(out.getvalue() + film) == (text,)


def test_a_large_picture_with_clear_parts_is_not_unpacked() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (5000, 4000)).save(out, "PNG")
    with pytest.raises(VerificationError) as caught:
        read_codes(out.getvalue())
    assert caught.value.fault is Fault.TOO_LARGE
