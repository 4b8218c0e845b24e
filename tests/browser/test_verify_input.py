"""What people and devices do on the verify page: type, scan, drop, lose the network, use the keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import IDENTIFIER, SHOTS, Visit, answer_of, shot
from tests.browser.test_verify_page import FORGED, TOKENS, word_of
from tests.support.page_server import ScriptedRegister
from tests.support.pki import throwaway_pki
from tests.web import make_vectors

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CODE = "7K2MD4XQ9P0000000000000000"
AXE = SHOTS.parents[1] / "node_modules" / "axe-core" / "axe.min.js"


def typed(page: Page, text: str) -> None:
    """Type into the field and press Enter, as a scanner does."""
    page.locator("#typed").fill(text)
    page.locator("#typed").press("Enter")


def test_a_look_up_code_as_people_type_it(visit: Visit, register: ScriptedRegister) -> None:
    register.answers["7K2MD-4XQ9P-00000-00000-000000"] = answer_of()
    page = visit(locale="zh-CN", screen="phone")
    typed(page, "７k2md－4xq9p-00000-00000-000000 ")
    assert word_of(page) == "valid"
    expect(page.locator(".next")).to_contain_text("逐项核对")
    expect(page.locator("#verdict-word")).to_be_focused()
    shot(page, "lookup-phone-zh")


@pytest.mark.parametrize(("status", "fault"), [(404, "not_found"), (429, "busy"), (503, "server"), (422, "bad_input")])
def test_each_cause_has_its_own_text(visit: Visit, register: ScriptedRegister, status: int, fault: str) -> None:
    register.status = status
    page = visit()
    typed(page, CODE)
    assert word_of(page) == "unknown"
    expect(page.locator("article")).to_have_attribute("data-fault", fault)
    expect(page.locator(".verdict-meaning")).not_to_have_text("")


def test_a_handheld_scanner_types_wherever_the_focus_is(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit(TOKENS["valid"])
    assert word_of(page) == "valid"
    page.locator("body").click(position={"x": 5, "y": 5})
    page.keyboard.type("https://licences.example/q#" + FORGED)
    page.keyboard.press("Enter")
    expect(page.locator("article.verdict")).to_have_attribute("data-word", "forged")
    expect(page.locator("#typed")).to_have_value("")


def test_full_width_digits_of_an_input_method(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit()
    typed(page, "".join(chr(ord(each) + 0xFEE0) for each in TOKENS["valid"].partition("#")[2]))
    assert word_of(page) == "valid"


def test_a_file_is_sent_and_its_verdict_shown(visit: Visit, register: ScriptedRegister) -> None:
    register.upload = verdict_on_a_file()
    page = visit(locale="zh-CN")
    page.set_input_files("#file", {"name": "证照.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"})
    assert word_of(page) == "forged"
    expect(page.locator(".verdict-meaning")).to_contain_text("又被改动过")
    shot(page, "file-desktop-zh")


def test_a_dropped_file_of_another_kind_or_size_is_not_sent(visit: Visit, register: ScriptedRegister) -> None:
    page = visit()
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          transfer.items.add(new File(["x"], "letter.docx", { type: "application/msword" }));
          const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
          document.body.dispatchEvent(new DragEvent("drop", how));
        }"""
    )
    expect(page.locator("article")).to_have_attribute("data-fault", "bad_file")
    page.set_input_files("#file", {"name": "a.png", "mimeType": "image/png", "buffer": bytes(200_000)})
    expect(page.locator("article")).to_have_attribute("data-fault", "too_large")
    assert "/v1/verify" not in register.asked


def test_a_newer_licence_is_one_touch_away(visit: Visit, register: ScriptedRegister) -> None:
    newer = "1.2.156.3005.2.11100000MB03270001013.11330200MB1A2B3C4D.2026000002.002.K"
    register.answers[IDENTIFIER] = answer_of(word="superseded", superseded_by=newer)
    register.answers[newer] = answer_of(identifier=newer)
    page = visit(TOKENS["superseded"])
    assert word_of(page) == "superseded"
    page.get_by_role("button", name=newer).click()
    expect(page.locator("article.verdict")).to_have_attribute("data-word", "valid")


@pytest.mark.parametrize("screen", ["phone", "desktop"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_without_a_network_it_still_judges_and_shows_the_age(
    context: Callable[..., BrowserContext], register: ScriptedRegister, locale: str, screen: str
) -> None:
    tab = context(locale=locale, screen=screen)
    page = tab.new_page()
    page.goto(f"{register.url}/q")
    expect(page.locator("#trust-age")).not_to_have_text("")
    page.evaluate("() => navigator.serviceWorker.ready.then(() => undefined)")
    tab.set_offline(offline=True)
    second = tab.new_page()
    second.goto(f"{register.url}/q#{TOKENS['valid'].partition('#')[2]}")
    assert word_of(second) == "valid_offline"
    expect(second.locator(".verdict-status")).to_contain_text("3小时前" if locale == "zh-CN" else "3 hours ago")
    expect(second.locator("#offline-badge")).to_be_visible()
    shot(second, f"offline-{screen}-{locale[:2]}")
    second.evaluate(f"location.hash = '{TOKENS['revoked'].partition('#')[2]}'")
    expect(second.locator("article.verdict")).to_have_attribute("data-word", "revoked")
    typed(second, CODE)
    expect(second.locator("article.verdict")).to_have_attribute("data-fault", "offline")


def test_an_older_trust_pack_is_refused(context: Callable[..., BrowserContext], register: ScriptedRegister) -> None:
    tab = context()
    page = tab.new_page()
    register.answers[IDENTIFIER] = answer_of()
    page.goto(f"{register.url}/q#{TOKENS['valid'].partition('#')[2]}")
    assert word_of(page) == "valid"
    register.pack = throwaway_pki().pack_file(make_vectors.pack(version=4))
    page.evaluate("() => indexedDB.deleteDatabase('certlib')")
    page.reload()
    expect(page.locator("article.verdict")).to_have_attribute("data-fault", "rolled_back")
    assert word_of(page) == "unknown"


def test_without_any_trust_pack_it_cannot_tell(visit: Visit, register: ScriptedRegister) -> None:
    register.pack = None
    page = visit(TOKENS["valid"])
    assert word_of(page) == "unknown"
    expect(page.locator("article.verdict")).to_have_attribute("data-fault", "no_trust")
    assert not any(path.startswith("/v1/verify/") for path in register.asked)


def test_by_keyboard_alone(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit()
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    assert reached == ["skip", "language-zh", "language-en", "typed", "check", "file"]
    assert page.evaluate("getComputedStyle(document.querySelector('#file-button')).outlineStyle") == "solid"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["start", "valid", "expired", "forged", "copy", "lookup"])
def test_accessible(visit: Visit, register: ScriptedRegister, name: str, scheme: str) -> None:
    """WCAG 2.2 AA, as far as a program can judge it."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: npm ci")
    register.answers[IDENTIFIER] = answer_of(word="expired" if name == "expired" else "valid")
    token = {"start": "", "lookup": "", "forged": "#" + FORGED}.get(name) or TOKENS.get(name, "")
    page = visit(token, color_scheme=scheme, locale="zh-CN", reduced_motion="reduce")
    if name == "lookup":
        typed(page, IDENTIFIER)
    if name != "start":
        word_of(page)
        if page.locator("summary").count():
            page.locator("summary").click()
    page.evaluate(AXE.read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found: dict[str, Any] = page.evaluate("tags => axe.run({ runOnly: tags })", tags)
    faults = [f"{each['id']}: {[node['target'] for node in each['nodes']]}" for each in found["violations"]]
    assert not faults, faults


def verdict_on_a_file() -> dict[str, Any]:
    """The server's verdict on a PDF that was changed after its seal."""
    return {
        "word": "forged",
        "kind": "pdf",
        "fault": "modified_after_sealing",
        "checks": [
            {"name": "integrity_and_seal", "outcome": "failed", "code": "modified_after_sealing", "evidence": {}},
            {"name": "dates", "outcome": "not_applicable", "code": "not_reached", "evidence": {}},
        ],
        "shown": {},
        "status_as_of": None,
        "status_source": "",
        "snapshot_age_seconds": None,
        "asked_at": "2026-11-22T12:00:00Z",
    }
