"""Dates as registers write them: `YYYY-MM-DD`, `YYYY/M/D`, `YYYY年M月D日`, `MM/DD/YYYY`, `YYYYMMDD` ..."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_PARTS: Final = {
    "YYYY": "(?P<year>[0-9]{4})",
    "MM": "(?P<month>[0-9]{2})",
    "DD": "(?P<day>[0-9]{2})",
    "M": "(?P<month>[0-9]{1,2})",
    "D": "(?P<day>[0-9]{1,2})",
}
_TOKEN: Final = re.compile("YYYY|MM|DD|M|D")


@dataclass(frozen=True, kw_only=True, slots=True)
class DateForm:
    """One way to write a date."""

    text: str
    """As the mapping says it."""
    form: re.Pattern[str]


def date_form(text: str) -> DateForm:
    """The form that `text` describes: YYYY, MM or M, DD or D, each once, anything else as it stands.

    Raises:
        ValueError: a part is missing or doubled, or letters stand there that are none.
    """
    pattern, place, seen = "", 0, []
    for hit in _TOKEN.finditer(text):
        pattern += re.escape(text[place : hit.start()]) + _PARTS[hit.group()]
        seen.append(hit.group()[0])
        place = hit.end()
    pattern += re.escape(text[place:])
    if sorted(seen) != ["D", "M", "Y"]:
        raise ValueError("must hold YYYY, MM or M, and DD or D, each once")
    if re.search("[A-Za-z%]", _TOKEN.sub("", text)):
        raise ValueError("holds letters that are not YYYY, MM, M, DD or D")
    return DateForm(text=text, form=re.compile(pattern))


def read_date(text: str, forms: Iterable[DateForm]) -> date:
    """The day that `text` names in the first form that fits.

    Raises:
        ValueError: no form fits, or it is no day of the calendar; the message says which.
    """
    forms = tuple(forms)
    for each in forms:
        hit = each.form.fullmatch(text)
        if hit:
            try:
                return date(int(hit["year"]), int(hit["month"]), int(hit["day"]))
            except ValueError as error:
                raise ValueError("is not a day of the calendar") from error
    raise ValueError("does not have the form " + " or ".join(each.text for each in forms))
