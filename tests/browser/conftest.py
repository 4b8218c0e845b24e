"""Headless Chromium on the verify page."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from api.rendering import DIST
from tests.support.page_server import ScriptedRegister, serving
from tests.support.pki import NOW, throwaway_pki
from tests.web import make_vectors

BROWSERS = ("chromium", "chromium-browser", "google-chrome")  # of Debian, of Ubuntu (a snap), of Google
CHROMIUM = next((path for name in BROWSERS if (path := shutil.which(name))), "")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SCREENS = {"phone": {"width": 390, "height": 844}, "desktop": {"width": 1280, "height": 900}}
SHOTS = Path(__file__).resolve().parents[2] / "build" / "screenshots"

Visit = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        if os.environ.get("CERTLIB_TEST_EVERY_JUDGE"):
            pytest.fail("no Chromium is installed: apt install chromium")
        pytest.skip("no Chromium is installed: apt install chromium")
    if not (DIST / "assets.json").is_file():
        pytest.fail("the page was not built: npm ci && npm run build")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def register() -> Iterator[ScriptedRegister]:
    pki = throwaway_pki()
    pack = pki.pack_file(make_vectors.pack())
    with serving(ScriptedRegister(anchor_spki_der=pki.anchor_spki_der, pack=pack)) as register:
        yield register


@pytest.fixture
def context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Makes contexts: screen `phone` or `desktop`, language `zh-CN` or `en-GB`, other settings of Playwright."""
    made: list[BrowserContext] = []
    noise: list[str] = []

    def make(
        *,
        screen: str = "desktop",
        locale: str = "en-GB",
        real_clock: bool = False,
        **settings: Any,  # noqa: ANN401  # Playwright's
    ) -> BrowserContext:
        scale = 2 if screen == "phone" else 1
        context = browser.new_context(
            viewport=SCREENS[screen],  # type: ignore[arg-type]  # a ViewportSize by its members
            locale=locale,
            device_scale_factor=scale,
            timezone_id="Europe/London",
            **settings,
        )
        if not real_clock:
            context.clock.set_fixed_time(NOW)
        context.on("console", lambda message: noise.append(message.text) if message.type == "error" else None)
        context.on("weberror", lambda error: noise.append(str(error.error)))
        made.append(context)
        return context

    yield make
    for each in made:
        each.close()
    # A refused or missing answer is written to the console by the browser itself.
    unexpected = [line for line in noise if "Failed to load resource" not in line]
    assert not unexpected, unexpected


@pytest.fixture
def visit(context: Callable[..., BrowserContext], register: ScriptedRegister) -> Visit:
    """Opens `/q` with the fragment of a token's URL, in a fresh context."""

    def open_page(token: str = "", **settings: Any) -> Page:  # noqa: ANN401  # Playwright's
        page = context(**settings).new_page()
        page.goto(f"{register.url}/q#{token.partition('#')[2]}")
        return page

    return open_page


def answer_of(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # any member
    """A register's answer about the tokens of `make_vectors.verdict_tokens`, which share one identifier."""
    return {
        "word": "valid",
        "identifier": IDENTIFIER,
        "status": "active",
        "status_as_of": "2026-11-22T12:00:00Z",
        "status_source": "live",
        "superseded_by": "",
        "type": {"code": "food-licence", "zh": "食品经营许可证", "en": "Food licence"},
        "agency": {"code": "11330200MB1A2B3C4D", "zh": "明州市市场监督管理局", "en": "Mingzhou Market Bureau"},
        "number": "J**************5",
        "holders": [{"name": "王*", "code": "", "code_type": ""}],
        **changes,
    }


IDENTIFIER = "1.2.156.3005.2.11100000MB03270001013.11330200MB1A2B3C4D.2026000001.001.K"


def shot(page: Page, name: str) -> None:
    """Keep a picture for people to look at."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=True, animations="disabled")
