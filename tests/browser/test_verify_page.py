"""The verify page: right verdict, in words, for each licence, on phone and desktop, in Chinese and English."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import IDENTIFIER, Visit, answer_of, shot
from tests.support.page_server import ScriptedRegister
from tests.web import make_vectors

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TOKENS = make_vectors.verdict_tokens()
FORGED = dict(make_vectors.text_and_cose_texts())["flipped payload byte"]
UNKNOWN_KEY = dict(make_vectors.text_and_cose_texts())["unknown kid"]

CASES = {
    # name: token, word of the register or None for 404, expected word, zh, en
    "valid": (TOKENS["valid"], "valid", "valid", "有效", "Valid"),
    "expired": (TOKENS["expired"], "expired", "expired", "已过期", "Expired"),
    "cancelled": (TOKENS["cancelled"], "cancelled", "cancelled", "已注销", "Cancelled"),
    "suspended": (TOKENS["suspended"], "suspended", "suspended", "已中止", "Suspended"),
    "superseded": (TOKENS["superseded"], "superseded", "superseded", "已换发", "Replaced"),
    "forged": ("#" + FORGED, None, "forged", "不是真证", "Not genuine"),
    "untrusted": ("#" + UNKNOWN_KEY, None, "untrusted_issuer", "来源不可信", "Issuer not trusted"),
    "unknown": (TOKENS["no_list"], None, "unknown", "无法判断", "Cannot tell"),
    "copy": (TOKENS["copy"], "valid", "bound_copy", "他人加注件", "Not your copy"),
}


def word_of(page: Page) -> str:
    """The word, once nothing is being asked any more."""
    expect(page.locator("article.verdict")).to_be_visible()
    expect(page.locator(".asking")).to_have_count(0)
    return page.locator("article.verdict").get_attribute("data-word") or ""


SCREENS = [("phone", "zh-CN"), ("phone", "en-GB"), ("desktop", "zh-CN"), ("desktop", "en-GB")]
IN_FULL = ["valid", "expired", "cancelled", "forged", "unknown", "copy"]
RUNS = [(name, *each) for name in IN_FULL for each in SCREENS]
RUNS += [(name, "phone", "zh-CN") for name in CASES if name not in IN_FULL]


@pytest.mark.parametrize(("name", "screen", "locale"), RUNS)
def test_each_licence_has_its_word(
    visit: Visit, register: ScriptedRegister, name: str, screen: str, locale: str
) -> None:
    token, live, expected, zh, en = CASES[name]
    if live is not None:
        changes = {"superseded_by": "1.2.3.4.5.6"} if live == "superseded" else {}
        register.answers[IDENTIFIER] = answer_of(word=live, **changes)
    page = visit(token, screen=screen, locale=locale)
    assert word_of(page) == expected
    expect(page.locator("#verdict-word")).to_have_text(zh if locale == "zh-CN" else en)
    expect(page).to_have_title(re.compile(zh if locale == "zh-CN" else en))
    expect(page.locator("#announcement")).to_contain_text(zh if locale == "zh-CN" else en)
    assert page.locator("html").get_attribute("lang") == ("zh-CN" if locale == "zh-CN" else "en")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "nothing sticks out sideways"
    shot(page, f"{name}-{screen}-{locale[:2]}")
    assert not any("#" in path or token[-40:] in path for path in register.asked), "the token stays in the browser"


@pytest.mark.parametrize("scripts", [False, True])
def test_without_its_script_the_page_says_so(
    context: Callable[..., BrowserContext],
    register: ScriptedRegister,
    scripts: bool,  # noqa: FBT001  # a case of the test
) -> None:
    tab = context(java_script_enabled=scripts, real_clock=True)
    tab.route("**/*.js", lambda route: route.abort())
    page = tab.new_page()
    page.goto(f"{register.url}/q")
    expect(page.locator(".noscript").last).to_be_visible(timeout=8000)


@pytest.mark.parametrize("screen", ["phone", "desktop"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_without_a_code_it_says_what_to_do(visit: Visit, locale: str, screen: str) -> None:
    page = visit(screen=screen, locale=locale)
    expect(page.locator("#steps li")).to_have_count(3)
    shot(page, f"start-{screen}-{locale[:2]}")


def test_the_phrase_and_the_fields_are_shown_to_be_compared(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit(TOKENS["valid"])
    assert word_of(page) == "valid"
    phrase = make_vectors.judged(TOKENS["valid"], make_vectors.pack())["phrase"]
    expect(page.locator(".phrase-words")).to_have_text(phrase)
    expect(page.locator(".facts")).to_contain_text("JY13302000012345")
    page.locator("summary").click()
    expect(page.locator(".check.passed")).to_have_count(5)


def test_a_copy_says_for_whom_it_is_and_what_to_do_instead(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit(TOKENS["copy"])
    assert word_of(page) == "bound_copy"
    expect(page.locator("article.verdict")).to_have_class(re.compile("tone-caution"))
    expect(page.locator(".next")).to_contain_text("not for you")
    expect(page.locator(".next")).to_contain_text("ask the library")
    expect(page.locator(".facts")).to_contain_text("子女入学")
    expect(page.locator(".facts")).to_contain_text("7K2M9Q4R1T8W3X5Z")


def test_a_copy_of_a_revoked_licence_says_revoked(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of(word="revoked", status="revoked")
    assert word_of(visit(TOKENS["copy"])) == "revoked"


def test_the_language_switch_is_remembered(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit(TOKENS["valid"])
    assert word_of(page) == "valid"
    page.locator("#language-zh").click()
    expect(page.locator("#verdict-word")).to_have_text("有效")
    page.reload()
    expect(page.locator("#verdict-word")).to_have_text("有效")


def test_the_registers_later_word_wins(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of(word="revoked", status="revoked")
    register.delay_seconds = 2
    page = visit(TOKENS["valid"])
    expect(page.locator("article.verdict")).to_have_attribute("data-word", "valid_offline")
    expect(page.locator(".asking")).to_be_visible()
    shot(page, "asking-desktop-en")
    assert word_of(page) == "revoked"


def test_a_licence_that_is_not_on_record_is_never_valid(visit: Visit) -> None:
    page = visit(TOKENS["valid"])
    assert word_of(page) == "unknown"
    expect(page.locator("article")).to_have_attribute("data-fault", "not_on_record")


def test_another_code_in_the_same_tab_is_checked_anew(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit(TOKENS["valid"])
    assert word_of(page) == "valid"
    page.evaluate(f"location.hash = '{FORGED}'")
    expect(page.locator("article.verdict")).to_have_attribute("data-word", "forged")


@pytest.mark.parametrize("screen", ["phone", "desktop"])
def test_dark(visit: Visit, register: ScriptedRegister, screen: str) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit(TOKENS["valid"], color_scheme="dark", locale="zh-CN", screen=screen)
    assert word_of(page) == "valid"
    shot(page, f"valid-dark-{screen}-zh")


def test_printed(visit: Visit, register: ScriptedRegister) -> None:
    register.answers[IDENTIFIER] = answer_of()
    page = visit(TOKENS["valid"], locale="zh-CN")
    assert word_of(page) == "valid"
    page.emulate_media(media="print")
    expect(page.locator(".entry-side")).to_be_hidden()
    shot(page, "valid-print-zh")
