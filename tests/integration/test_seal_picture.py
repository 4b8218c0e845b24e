import io

import pytest
from PIL import Image

from certlib.enrolling import keep_seal_picture
from certlib.errors import InvalidRequestError, NotFoundError
from certlib.identifiers import AgencyCode
from certlib.issuing import issue
from certlib.library import Library
from certlib.store.audits import records_about
from certlib.store.lookups import pdf_of
from templates.raster import page_png
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><rect width="10" height="10" fill="#00ff00"/></svg>'
NUMBERS = ("91990200MA7EXAM18U", "91990281MA5FFK9GXD")


def has_green(pdf: bytes) -> bool:
    with Image.open(io.BytesIO(page_png(pdf, 60))) as picture:
        colours = picture.convert("RGB").getcolors(maxcolors=2**24) or []
    return any(g > 180 > 2 * max(r, b) for _, (r, g, b) in colours)  # type: ignore[misc]  # RGB gives triples


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), (0, 255, 0)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("picture", [SVG, png()], ids=["svg", "png"])
def test_licences_bear_it_from_now_on(sqlite_library: Library, picture: bytes) -> None:
    before = issue(sqlite_library, company_request(NUMBERS[0])).licence
    keep_seal_picture(sqlite_library, MARKET_BUREAU.code, picture, operator="tests")
    after = issue(sqlite_library, company_request(NUMBERS[1])).licence
    assert [has_green(pdf_of(sqlite_library.store, each)) for each in (before, after)] == [False, True]
    assert "agency.seal_picture" in [each.act for each in records_about(sqlite_library.store, MARKET_BUREAU.code)]
    check_invariants(sqlite_library.store)


@pytest.mark.parametrize(
    "picture",
    [b"", b"GIF89a", SVG.replace(b"<rect", b"<script>alert(1)</script><rect"), png()[:100]],
    ids=["empty", "gif", "script", "cut"],
)
def test_what_is_no_safe_picture_is_refused(sqlite_library: Library, picture: bytes) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        keep_seal_picture(sqlite_library, MARKET_BUREAU.code, picture, operator="tests")
    assert [fault.code for fault in raised.value.faults] == ["bad_picture"]


def test_an_unknown_agency_has_none(sqlite_library: Library) -> None:
    with pytest.raises(NotFoundError):
        keep_seal_picture(sqlite_library, AgencyCode("NOBODY"), SVG, operator="tests")
