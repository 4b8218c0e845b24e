"""Values as words: dates, amounts, patterns."""

import datetime as dt

import pytest

from templates.errors import LayoutError, ValueFormatError
from templates.formats import filled, formatted, parse_pattern

DAY = dt.date(2026, 11, 22)


@pytest.mark.parametrize(
    ("form", "value", "words"),
    [
        ("plain", "甲 乙", "甲 乙"),
        ("plain", DAY, "2026-11-22"),
        ("upper", "Straße", "STRASSE"),
        ("date-iso", DAY, "2026-11-22"),
        ("date-iso", "2026-11-22", "2026-11-22"),
        ("date-zh", dt.date(2026, 1, 2), "2026年1月2日"),
        ("date-zh-spaced", DAY, "2026 年 11 月 22 日"),
        ("date-zh-formal", DAY, "二〇二六年十一月二十二日"),
        ("date-zh-formal", dt.date(1999, 10, 30), "一九九九年十月三十日"),
        ("date-zh-long-term", DAY, "2026年11月22日"),
        ("date-zh-long-term", None, "长期"),
        ("date-en", DAY, "22 November 2026"),
        ("date-en-us", DAY, "November 22, 2026"),
        ("date-en-us-long-term", None, "No expiry"),
        ("year", DAY, "2026"),
        ("month", DAY, "11"),
        ("day", DAY, "22"),
        ("number", "1000000.0", "1,000,000"),
        ("number", "0.50", "0.50"),
        ("money-cny", "1000000.0", "1,000,000元"),
        ("money-cny", "12.5", "12.50元"),
        ("money-cny-wan", "1680000.00", "168万元"),
        ("money-cny-wan", "1234.56", "1,234.56元"),
        ("money-cny-wan", "12300", "1.23万元"),
        ("money-cny-wan", "0", "0元"),
        ("money-usd", "-1234.5", "-$1,234.50"),
        ("grouped-4", "91330203MA2GU1A13X", "9133 0203 MA2G U1A1 3X"),
        ("date-zh", None, ""),
        ("plain", "", ""),
    ],
)
def test_formats(form: str, value: str | dt.date | None, words: str) -> None:
    assert formatted(form, "field", value) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("1.20", "壹元贰角整"),
        ("305.07", "叁佰零伍元零柒分"),
        ("20", "贰拾元整"),
        ("10010", "壹万零壹拾元整"),
        ("1000000.0", "壹佰万元整"),
        ("100010001", "壹亿零壹万零壹元整"),
        ("1000010000", "壹拾亿零壹万元整"),
        ("1234567890123.45", "壹万贰仟叁佰肆拾伍亿陆仟柒佰捌拾玖万零壹佰贰拾叁元肆角伍分"),
        ("1000000000000", "壹万亿元整"),
    ],
)
def test_amounts_in_capital_characters(amount: str, words: str) -> None:
    assert formatted("money-cny-upper", "capital", amount) == words


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("date-zh", "2026-02-30"),
        ("date-zh", "20 Nov"),
        ("date-zh", dt.datetime(2026, 11, 22, tzinfo=dt.UTC)),
        ("number", "abc"),
        ("number", "NaN"),
        ("money-cny", "1.234"),
        ("money-cny", DAY),
        ("money-cny-upper", "-1"),
        ("money-cny-upper", "1e16"),
        ("plain", b"bytes"),
    ],
)
def test_what_a_format_cannot_read_names_the_field_and_not_the_value(form: str, value: str | dt.date | bytes) -> None:
    with pytest.raises(ValueFormatError) as caught:
        formatted(form, "secret_field", value)
    assert caught.value.field == "secret_field"
    assert str(value) not in str(caught.value)


def test_patterns_fill_in_and_keep_braces() -> None:
    parts = parse_pattern("x", "{{{a}}} · {b:date-en} {c}")
    assert filled(parts, {"a": "A", "b": DAY, "c": None}) == "{A} · 22 November 2026 "


def test_a_pattern_without_any_value_prints_its_empty_word() -> None:
    parts = parse_pattern("x", "{from:date-zh}至{to:date-zh-long-term}")
    assert filled(parts, {"from": None, "to": None}, empty="无") == "无"
    assert filled(parts, {"from": None, "to": ""}) == ""
    assert filled(parts, {"from": DAY, "to": None}) == "2026年11月22日至长期"
    assert filled(parse_pattern("x", "{to:date-zh-long-term}"), {"to": None}) == "长期"


def test_a_value_that_was_not_given_at_all_is_an_error() -> None:
    with pytest.raises(ValueFormatError) as caught:
        filled(parse_pattern("x", "{a} {b}"), {"a": "1"})
    assert caught.value.field == "b"


@pytest.mark.parametrize("pattern", ["{", "a}", "{a:b:c}", "{}", "{a:}", "{a:nonsense}"])
def test_bad_patterns_are_layout_errors(pattern: str) -> None:
    with pytest.raises(LayoutError):
        parse_pattern("box 3", pattern)
