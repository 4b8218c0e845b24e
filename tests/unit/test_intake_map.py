from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from certlib.errors import InvalidRequestError
from certlib.identifiers import AgencyCode
from certlib.intake import Candidate, RegisterMap, RequestMaker, Row, parse_as_status, parse_map
from certlib.intake.dates import date_form, read_date
from certlib.model import Status
from tests.support.registers import SHOP_COLUMNS, SHOP_MAP, shop_map, shop_type


def candidate(
    mapping: RegisterMap, *cells: str, columns: tuple[str, ...] = SHOP_COLUMNS, as_status: str = ""
) -> Candidate:
    statuses = parse_as_status(as_status) if as_status else {}
    maker = RequestMaker(
        mapping, shop_type(), columns, folder=Path("nowhere"), agency_code=AgencyCode("A1"), as_status=statuses
    )
    return maker.candidate(Row(number=2, cells=cells))


def faults(mapping: RegisterMap, *cells: str, columns: tuple[str, ...] = SHOP_COLUMNS) -> list[tuple[str, str]]:
    with pytest.raises(InvalidRequestError) as caught:
        candidate(mapping, *cells, columns=columns)
    return [(fault.field, fault.code) for fault in caught.value.faults]


def problems(text: str) -> dict[str, str]:
    with pytest.raises(InvalidRequestError) as caught:
        parse_map(text, where="x.map.toml", licence_type=shop_type())
    return {fault.field: fault.reason for fault in caught.value.faults}


def test_a_row_becomes_a_request_with_nothing_changed() -> None:
    request = candidate(shop_map(), "0007", "  NaN  CO", "2026-01-31", "", "=cmd|' /C calc'!A0").request
    assert request.number == "0007"
    assert request.holders[0].name == "  NaN  CO"
    assert request.fields == {"address": "=cmd|' /C calc'!A0"}
    assert request.issued_on == request.effective_on == date(2026, 1, 31)
    assert request.expires_on is None


@pytest.mark.parametrize("name", ["NaN", "NULL", "NA", "N/A", "None", "nan", "null", "TRUE", "0"])
def test_names_that_look_like_nothing_are_names(name: str) -> None:
    assert candidate(shop_map(), "1", name, "2026-01-31", "", "x").request.holders[0].name == name


def test_values_that_mean_empty_are_named_by_the_mapping_only() -> None:
    text = SHOP_MAP.replace('address = { column = "addr" }', 'address = { column = "addr", empty = ["N/A", "-"] }')
    assert candidate(shop_map(text=text), "1", "n", "2026-01-31", "", "N/A").request.fields == {}


def test_every_fault_of_a_row_is_named_by_its_column() -> None:
    assert faults(shop_map(), "1", "n", "2026-02-30", "soon", "x") == [("from", "bad_date"), ("to", "bad_date")]
    assert faults(shop_map(), "1", "n", "", "", "x") == [("from", "required")]


def test_a_template_leaves_out_what_is_empty() -> None:
    text = SHOP_MAP.replace('{ column = "addr" }', '{ template = "{addr}, {city}, {state} {zip}", drop_empty = true }')
    columns = (*SHOP_COLUMNS, "city", "state", "zip")
    base = ("1", "n", "2026-01-31", "")

    def address(*parts: str) -> str:
        return candidate(shop_map(text=text), *base, *parts, columns=columns).request.fields.get("address", "")

    assert address("1 MAIN ST", "SEATTLE", "WA", "98101") == "1 MAIN ST, SEATTLE, WA 98101"
    assert address("HERENGRACHT 597", "AMSTERDAM", "", "1017C") == "HERENGRACHT 597, AMSTERDAM 1017C"
    assert address("", "SEATTLE", "WA", "") == "SEATTLE, WA"
    assert address("", "", "", "") == ""


def test_a_value_map_turns_and_refuses() -> None:
    text = SHOP_MAP.replace('{ column = "addr" }', '{ column = "addr", values = { "1" = "One" }, other = "refuse" }')
    assert candidate(shop_map(text=text), "1", "n", "2026-01-31", "", "1").request.fields == {"address": "One"}
    assert faults(shop_map(text=text), "1", "n", "2026-01-31", "", "2") == [("addr", "unmapped_value")]


def test_states_are_issued_refused_or_mapped() -> None:
    rule = """
[state]
column = "state"
issue = ["open"]
document_number = { template = "register:{state}" }
[state.refuse]
closed = "the shop is closed"
"""
    columns, cells = (*SHOP_COLUMNS, "state"), ("1", "n", "2026-01-31", "", "x")
    mapping = shop_map(rule)
    assert candidate(mapping, *cells, "open", columns=columns).as_status is None
    assert faults(mapping, *cells, "closed", columns=columns) == [("state", "state_refused")]
    assert faults(mapping, *cells, "burnt", columns=columns) == [("state", "state_refused")]
    mapped = candidate(mapping, *cells, "closed", columns=columns, as_status="closed=cancelled")
    assert (mapped.as_status, mapped.state) == (Status.CANCELLED, "closed")
    assert mapped.document_number == "register:closed"


@pytest.mark.parametrize("text", ["", "x", "=cancelled", "x=active", "x=superseded", "x=cancelled,x=revoked", "x=Y"])
def test_as_status_is_strict(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        parse_as_status(text)


def test_a_mapping_names_all_its_problems_at_once() -> None:
    found = problems(
        """
type = "shop-licence"
colour = "red"
[source]
delimiter = "::"
[number]
column = 7
[holder]
name = { column = "name", trimm = true }
code = { column = "code" }
[[holders]]
[dates]
formats = ["YYYY-MM", "%Y-%m-%d"]
expires_on = { column = "to", const = "2026-01-01" }
[fields]
adress = { column = "addr" }
photo = { column = "p" }
[state]
issue = []
"""
    )
    assert set(found) == {
        "colour", "source.delimiter", "number.column", "holder.name.trimm", "holder", "holders",
        "dates.formats", "dates.expires_on", "dates.issued_on", "fields.adress", "fields.photo", "fields.address",
        "state.column", "state.issue",
    }  # fmt: skip


def test_a_mapping_of_another_type_is_told_once() -> None:
    assert set(problems('type = "other"\n[fields]\nx = 1')) == {"type"}


def test_a_misspelt_field_gets_a_hint() -> None:
    found = problems(SHOP_MAP.replace("address =", "adress ="))
    assert found["fields.adress"] == "is no field of the licence type; did you mean address?"


def test_a_mapping_that_is_no_toml_says_so() -> None:
    assert "map" in problems("type = ")


@pytest.mark.parametrize(
    ("form", "text", "day"),
    [
        ("YYYY-MM-DD", "2024-02-29", date(2024, 2, 29)),
        ("YYYYMMDD", "19991231", date(1999, 12, 31)),
        ("YYYY/M/D", "2024/2/9", date(2024, 2, 9)),
        ("YYYY年M月D日", "2024年12月1日", date(2024, 12, 1)),
        ("MM/DD/YYYY", "02/01/2024", date(2024, 2, 1)),
        ("DD.MM.YYYY", "02.01.2024", date(2024, 1, 2)),
    ],
)
def test_dates_are_read_as_the_mapping_says(form: str, text: str, day: date) -> None:
    assert read_date(text, [date_form(form)]) == day


@pytest.mark.parametrize(
    "text", ["2023-02-29", "2024-13-01", "2024-2-9", " 2024-02-09", "２０２４-02-09", "0000-01-01", ""]
)
def test_no_other_text_is_a_date(text: str) -> None:
    with pytest.raises(ValueError, match=r"calendar|form"):
        read_date(text, [date_form("YYYY-MM-DD")])


@pytest.mark.parametrize("form", ["", "YYYY-MM", "YYYY-MM-DD-DD", "YYYY-MM-DDTHH"])
def test_a_bad_form_of_dates_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"each once|letters"):
        date_form(form)
