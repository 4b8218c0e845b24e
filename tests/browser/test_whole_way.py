"""From issue to screen: real library, real server, real browser."""

from collections.abc import Callable, Iterator
from datetime import date
from io import BytesIO

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from certlib.identifiers import printed_public_code
from certlib.issuing import issue
from certlib.library import Library
from certlib.lifecycle import StatusRequest, change_status
from certlib.model import Licence, Status
from certlib.retrieving import sealed_pdf
from signing.qr import qr_png
from tests.browser.conftest import shot
from tests.browser.test_verify_page import word_of
from tests.support.libraries import company_request
from tests.support.serving import served

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def licence(sqlite_library: Library) -> Licence:
    return issue(sqlite_library, company_request()).licence


@pytest.fixture
def url(sqlite_library: Library) -> Iterator[str]:
    with served(sqlite_library) as url:
        yield url


@pytest.fixture
def page(context: Callable[..., BrowserContext]) -> Page:
    return context(locale="zh-CN", screen="phone", real_clock=True).new_page()


def fragment(licence: Licence) -> str:
    return licence.token.partition("#")[2]


def test_the_code_on_paper(page: Page, url: str, sqlite_library: Library, licence: Licence) -> None:
    page.goto(f"{url}/q#{fragment(licence)}")
    assert word_of(page) == "valid"
    expect(page.locator(".phrase-words")).to_have_text(licence.check_phrase)
    expect(page.locator(".facts")).to_contain_text("甬江样本茶叶贸易有限公司")
    page.locator("summary").click()
    expect(page.locator(".check.failed, .check.unknown")).to_have_count(0)
    shot(page, "real-valid-phone-zh")
    order = StatusRequest(to=Status.CANCELLED, reason="closed", document_number="", operator="tests")
    change_status(sqlite_library, licence.identifier, order)
    page.reload()
    assert word_of(page) == "cancelled"


def test_an_expired_licence(page: Page, url: str, sqlite_library: Library) -> None:
    request = company_request(issued_on=date(2020, 1, 2), effective_on=date(2020, 1, 2), expires_on=date(2020, 12, 31))
    page.goto(f"{url}/q#{fragment(issue(sqlite_library, request).licence)}")
    assert word_of(page) == "expired"
    expect(page.locator(".facts")).to_contain_text("2020年12月31日")


def test_the_file_the_photo_and_the_code(page: Page, url: str, sqlite_library: Library, licence: Licence) -> None:
    pdf = sealed_pdf(sqlite_library, licence)
    page.goto(f"{url}/q")
    page.set_input_files("#file", {"name": licence.pdf_name, "mimeType": "application/pdf", "buffer": pdf})
    assert word_of(page) == "valid"
    expect(page.locator(".facts")).to_contain_text("甬江样本茶叶贸易有限公司")
    shot(page, "real-file-phone-zh")
    broken = BytesIO(pdf + b"\n% more").getvalue()
    page.set_input_files("#file", {"name": "x.pdf", "mimeType": "application/pdf", "buffer": broken})
    expect(page.locator("article.verdict")).to_have_attribute("data-word", "forged")
    page.set_input_files("#file", {"name": "x.png", "mimeType": "image/png", "buffer": qr_png(licence.token)})
    expect(page.locator("article.verdict")).to_have_attribute("data-word", "valid")
    page.locator("#typed").fill(printed_public_code(licence.public_code).lower())
    page.locator("#typed").press("Enter")
    expect(page.locator("article.verdict")).to_have_attribute("data-word", "valid")
    expect(page.locator(".next")).to_contain_text("逐项核对")
    shot(page, "real-code-phone-zh")


def test_the_front_page(page: Page, url: str) -> None:
    page.goto(url)
    shot(page, "front-phone-zh")
    page.set_viewport_size({"width": 1280, "height": 900})
    shot(page, "front-desktop-zh")
    page.get_by_role("link", name="核验证照").click()
    expect(page.locator("#typed")).to_be_visible()
