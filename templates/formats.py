"""Turns values into the words that a form prints: dates, amounts, groups of digits."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeAlias

from templates.errors import LayoutError, ValueFormatError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Value: TypeAlias = "str | dt.date | bytes | None"
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_LONG_TERM = {"date-zh-long-term": "长期", "date-en-long-term": "No expiry", "date-en-us-long-term": "No expiry"}
_ZH_DIGITS = "〇一二三四五六七八九"
_UPPER_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UPPER_UNITS = ("", "拾", "佰", "仟")
_UPPER_SECTIONS = ("", "万", "亿", "万亿")
_MAX_UPPER = 10**16
_TEN = 10
_SECTION = 10_000


def _date(value: Value) -> dt.date:
    if isinstance(value, dt.datetime):
        raise TypeError("a date, not a moment, is expected")
    if isinstance(value, dt.date):
        return value
    if not isinstance(value, str):
        raise TypeError("a date is expected")
    return dt.date.fromisoformat(value)


def _decimal(value: Value) -> Decimal:
    if not isinstance(value, str):
        raise TypeError("a decimal number as text is expected")
    number = Decimal(value.replace(",", ""))
    if not number.is_finite():
        raise ValueError("not a finite number")
    return number


def _plain(value: Value) -> str:
    if isinstance(value, dt.date):
        return value.isoformat()
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _zh_below_hundred(number: int) -> str:
    tens, ones = divmod(number, _TEN)
    if tens == 0:
        return _ZH_DIGITS[ones]
    return ("" if tens == 1 else _ZH_DIGITS[tens]) + "十" + (_ZH_DIGITS[ones] if ones else "")


def _date_zh_formal(value: Value) -> str:
    date = _date(value)
    year = "".join(_ZH_DIGITS[int(digit)] for digit in str(date.year))
    return f"{year}年{_zh_below_hundred(date.month)}月{_zh_below_hundred(date.day)}日"


def _date_zh(value: Value) -> str:
    date = _date(value)
    return f"{date.year}年{date.month}月{date.day}日"


def _date_zh_spaced(value: Value) -> str:
    date = _date(value)
    return f"{date.year} 年 {date.month} 月 {date.day} 日"


def _date_en(value: Value) -> str:
    date = _date(value)
    return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"


def _date_en_us(value: Value) -> str:
    date = _date(value)
    return f"{_MONTHS[date.month - 1]} {date.day}, {date.year}"


def _grouped(number: Decimal) -> str:
    whole = number == number.to_integral_value()
    return f"{number.quantize(Decimal(1)):,}" if whole else f"{number:,f}"


def _money(number: Decimal) -> Decimal:
    cents = number.quantize(Decimal("0.01"))
    if cents != number:
        raise ValueError("finer than 0.01")
    return cents


def _money_cny(value: Value) -> str:
    number = _money(_decimal(value))
    return f"{_grouped(number)}元"


def _money_cny_wan(value: Value) -> str:
    wan = _money(_decimal(value)) / _SECTION
    if wan == 0 or wan != wan.quantize(Decimal("0.01")):
        return _money_cny(value)
    return f"{wan.normalize():f}万元"


def _money_usd(value: Value) -> str:
    number = _money(_decimal(value))
    return f"{'-' if number < 0 else ''}${abs(number):,.2f}"


def _upper_section(number: int) -> str:
    text, gap = "", False
    for unit in (3, 2, 1, 0):
        digit = number // 10**unit % _TEN
        if digit == 0:
            gap = gap or bool(text)
            continue
        text += ("零" if gap else "") + _UPPER_DIGITS[digit] + _UPPER_UNITS[unit]
        gap = False
    return text


def _upper_whole(number: int) -> str:
    text, gap = "", False
    for index in range(len(_UPPER_SECTIONS) - 1, -1, -1):
        section = number // _SECTION**index % _SECTION
        if section == 0:
            gap = gap or bool(text)
            continue
        needs_zero = text and (gap or section < _SECTION // _TEN)
        unit = "万" if index == 3 and number // _SECTION**2 % _SECTION else _UPPER_SECTIONS[index]  # noqa: PLR2004 -- the section of 10^12
        text += ("零" if needs_zero else "") + _upper_section(section) + unit
        gap = False
    return text


def _money_cny_upper(value: Value) -> str:
    number = _money(_decimal(value))
    if not 0 <= number < _MAX_UPPER:
        raise ValueError("an amount from 0 to below 10^16 is expected")
    yuan, cents = divmod(int(number * 100), 100)
    jiao, fen = divmod(cents, _TEN)
    text = _upper_whole(yuan) + "元" if yuan else ""
    if not cents:
        return (text or "零元") + "整"
    if jiao:
        text += _UPPER_DIGITS[jiao] + "角"
    elif text:
        text += "零"
    return text + (_UPPER_DIGITS[fen] + "分" if fen else "整")


def _grouped_4(value: Value) -> str:
    text = _plain(value)
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


FORMATS: Mapping[str, Callable[[Value], str]] = {
    "plain": _plain,
    "upper": lambda value: _plain(value).upper(),
    "date-iso": lambda value: _date(value).isoformat(),
    "date-zh": _date_zh,
    "date-zh-spaced": _date_zh_spaced,
    "date-zh-formal": _date_zh_formal,
    "date-zh-long-term": _date_zh,
    "date-en": _date_en,
    "date-en-us": _date_en_us,
    "date-en-long-term": _date_en,
    "date-en-us-long-term": _date_en_us,
    "year": lambda value: str(_date(value).year),
    "month": lambda value: str(_date(value).month),
    "day": lambda value: str(_date(value).day),
    "number": lambda value: _grouped(_decimal(value)),
    "money-cny": _money_cny,
    "money-cny-wan": _money_cny_wan,
    "money-cny-upper": _money_cny_upper,
    "money-usd": _money_usd,
    "grouped-4": _grouped_4,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One piece of a pattern."""

    literal: str
    """Words before the value."""
    field: str
    """Name of the value after them; empty at the end of a pattern."""
    format: str
    """A key of FORMATS."""


def _parts(pattern: str) -> Iterator[Part]:
    literal = ""
    position = 0
    for match in re.finditer(r"\{\{|\}\}|\{([^{}:]+)(?::([^{}]+))?\}|[{}]", pattern):
        literal += pattern[position : match.start()]
        position = match.end()
        if match[0] in ("{{", "}}"):
            literal += match[0][0]
        elif match[1] is None:
            raise ValueError(f"a lone {match[0]!r}; write {match[0] * 2}")
        else:
            name = match[2] or "plain"
            if name not in FORMATS:
                raise ValueError(f"unknown format {name!r}; there are {', '.join(FORMATS)}")
            yield Part(literal=literal, field=match[1], format=name)
            literal = ""
    literal += pattern[position:]
    if literal:
        yield Part(literal=literal, field="", format="plain")


def parse_pattern(where: str, pattern: str) -> tuple[Part, ...]:
    """Return the parts of a pattern such as "{from:date-zh} 至 {to:date-zh-long-term}".

    Raises:
        LayoutError: a lone brace or an unknown format.
    """
    try:
        return tuple(_parts(pattern))
    except ValueError as error:
        raise LayoutError(where, str(error)) from error


def formatted(name: str, field: str, value: Value) -> str:
    """Return a value in one format; a missing one gives "" or the long-term word.

    Raises:
        ValueFormatError: the format cannot read the value.
    """
    if value is None or value == "":
        return _LONG_TERM.get(name, "")
    try:
        return FORMATS[name](value)
    except (TypeError, ValueError, InvalidOperation, OverflowError) as error:
        # The value itself stays out of the message: it may be personal.
        raise ValueFormatError(field, f"cannot be printed as {name}") from error


def filled(parts: tuple[Part, ...], values: Mapping[str, Value], *, empty: str = "") -> str:
    """Return a pattern with its values; `empty` if it names values and all of them are missing.

    Raises:
        ValueFormatError: a value is not in `values` at all, or its format cannot read it.
    """
    words: list[str] = []
    seen = given = 0
    for part in parts:
        words.append(part.literal)
        if part.field:
            seen += 1
            try:
                value = values[part.field]
            except KeyError:
                raise ValueFormatError(part.field, "the form prints it, but it was not given") from None
            given += value is not None and value != ""
            words.append(formatted(part.format, part.field, value))
    text = "".join(words)
    if seen and not given:
        # A lone long-term date is its own word for "missing".
        return empty or (text if len(parts) == 1 else "")
    return text
