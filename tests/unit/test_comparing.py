"""What a person meant against what is recorded."""

import unicodedata
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.catalogue import LicenceType, parse_type
from certlib.errors import InvalidRequestError
from certlib.identifiers import AgencyCode, LicenceIdentifier, PublicCode
from certlib.lawfulness import text_fault
from certlib.library import SHIPPED_TYPES
from certlib.model import Holder, Licence, Sha256, Status
from certlib.sharing.comparing import Compared, Outcome, compare, given_values, judged
from certlib.sharing.finding import folded, folded_code, number_forms, recorded_values
from tests.support.clock import Clock

COMPANY = parse_type(
    (SHIPPED_TYPES / "business-licence" / "v1" / "type.toml").read_text("utf-8"), where="type.toml", version=1
)
NUMBER = "91990200MA7EXAM18U"
IDENTIFIER = "2.999.1.BL.RAINPORT.20261120AAAAAAAAAAAA.001.K"


def licence(**changes: object) -> Licence:
    """A recorded licence, made without a library."""
    parts: dict[str, object] = {
        "identifier": LicenceIdentifier(IDENTIFIER),
        "public_code": PublicCode("0" * 26),
        "type_code": "business-licence",
        "type_version": 1,
        "type_digest": Sha256("0" * 64),
        "number": NUMBER,
        "agency_code": AgencyCode("RAINPORT"),
        "agency_name": "City of Rainport",
        "timezone": "America/Los_Angeles",
        "holders": (Holder(name="阿依努尔·买买提", code="11010119900307109X", code_type="111"),),
        "issued_on": date(2026, 11, 20),
        "effective_on": date(2026, 11, 18),
        "expires_on": date(2031, 1, 7),
        "area_code": "",
        "fields": {
            "registered_capital": "1680000.00",
            "address": "听潮路 168号(3幢)",
            "portrait": "sha256:" + "0" * 64,
        },
        "version": 1,
        "previous_identifier": "",
        "batch": "",
        "status": Status.ACTIVE,
        "status_index": 1,
        "status_list_uri": "http://127.0.0.1/s/0",
        "issued_at": Clock.started()(),
        "token_kid": "",
        "seal_kid": "",
        "pdf_sha256": Sha256("0" * 64),
        "token": "",
        "check_phrase": "",
        "pdf_name": "x.pdf",
    }
    return Licence(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading


def compared(values: dict[str, str], standing: Licence | None = None, kind: LicenceType = COMPANY) -> str:
    """The one value besides the number that was compared."""
    values_given = given_values(kind, {"number": NUMBER, **values})
    result = compare(values_given, standing or licence(), "zh-Hans")
    return result[next(reversed(values))].value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identifier", IDENTIFIER.lower()),
        ("identifier", "２.999.1.BL.RAINPORT.20261120AAAAAAAAAAAA.001.Ｋ"),
        ("number", " 91990200ma7exam18u "),
        ("number", "９１９９０２００ＭＡ７ＥＸＡＭ１８Ｕ"),
        ("number", "91990200 MA7E XAM18U"),
        ("holder_code", "11010119900307109x"),
        ("holder_code", "110101 19900307 109X"),
        ("holder_name", "阿依努尔•买买提"),
        ("holder_name", "　阿依努尔・买买提　"),
        ("issued_on", "2026-11-20"),
        ("issued_on", "20261120"),
        ("issued_on", "2026年11月20日"),
        ("issued_on", "２０２６/１１/２０"),
        ("effective_on", "2026.11.18"),
        ("expires_on", "2031-1-7"),
        ("agency", "rainport"),
        ("registered_capital", "1680000"),
        ("registered_capital", "1680000.0"),
        ("registered_capital", "０１６８００００"),
        ("address", "听潮路168号（3幢）"),
    ],
)
def test_what_was_meant_matches(name: str, value: str) -> None:
    assert compared({name: value}) == "match"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("identifier", IDENTIFIER[:-1] + "L"),
        ("number", NUMBER[:-1] + "V"),
        ("number", "(" + NUMBER + ")"),
        ("holder_code", "110101199003071090"),
        ("holder_name", "阿依努尔买买提"),
        ("holder_name", "阿依努尔"),
        ("issued_on", "2026-11-21"),
        ("expires_on", "长期"),
        ("expires_on", "long-term"),
        ("registered_capital", "1680000.01"),
        ("registered_capital", "-1680000"),
        ("address", "听潮路169号（3幢）"),
    ],
)
def test_what_is_other_differs(name: str, value: str) -> None:
    assert compared({name: value}) == "differs"


def test_what_is_not_on_record_is_not_said_to_differ() -> None:
    assert compared({"area_code": "330200"}) == "not_recorded"
    assert compared({"company_type": "有限责任公司"}) == "not_recorded"
    nameless = licence(holders=(Holder(name="甲", code="", code_type=""),))
    assert compared({"holder_code": "110101199003071090"}, nameless) == "not_recorded"


def test_that_a_licence_is_for_ever_is_on_record() -> None:
    endless = licence(expires_on=None)
    assert compared({"expires_on": "2031-01-07"}, endless) == "differs"
    assert compared({"expires_on": "长期"}, endless) == "match"
    assert compared({"expires_on": "Long-term"}, endless) == "match"


def test_name_and_code_must_be_of_the_same_holder() -> None:
    two = licence(
        holders=(
            Holder(name="王小明", code="11010119900307109X", code_type="111"),
            Holder(name="李敏", code="110101198807150043", code_type="111"),
        )
    )
    assert compared({"holder_code": "110101198807150043", "holder_name": "李 敏"}, two) == "match"
    assert compared({"holder_code": "110101198807150043", "holder_name": "王小明"}, two) == "differs"
    assert compared({"holder_name": "李敏"}, two) == "match"
    assert compared({"holder_name": "王小明、李敏"}, two) == "match"
    assert compared({"holder_code": "11010119900307109X、110101198807150043"}, two) == "match"


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("holder_name", "", "required"),
        ("holder_name", " \u3000 ", "required"),
        ("holder_name", "王\x00", "bad_character"),
        ("holder_name", "王\ud800", "bad_character"),
        ("holder_name", "王\u202e明", "bad_character"),
        ("holder_name", "a" + "\u0301" * 6, "bad_character"),
        ("issued_on", "2026-02-30", "bad_date"),
        ("issued_on", "20-11-2026", "bad_date"),
        ("issued_on", "2026-1-", "bad_date"),
        ("expires_on", "never", "bad_date"),
        ("issued_on", "长期", "bad_date"),
        ("registered_capital", "1e6", "bad_number"),
        ("registered_capital", "1,680,000", "bad_number"),
        ("registered_capital", "NaN", "bad_number"),
        ("address", "x" * 20_001, "too_long"),
        ("number", "9" * 201, "too_long"),
        ("nmae", "xyzzy", "unknown_field"),
    ],
)
def test_what_nobody_could_mean_is_refused_by_name_and_never_repeated(name: str, value: str, code: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        given_values(COMPANY, {"number": NUMBER, name: value})
    assert [(fault.field, fault.code) for fault in caught.value.faults] == [(name, code)]
    assert not value.strip() or value not in str(caught.value)


def test_there_must_be_something_to_look_up_by() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        given_values(COMPANY, {"holder_name": "王小明", "issued_on": "soon"})
    assert [fault.code for fault in caught.value.faults] == ["bad_date", "required"]


def test_one_that_fits_all_is_meant_else_the_only_one_with_the_keys() -> None:
    first, second = licence(), licence(number="甬B（2026）7", identifier=IDENTIFIER[:-1] + "M")
    third = replace(second, number="甬B（2026）8", issued_on=date(2026, 1, 1))
    code = "11010119900307109X"

    def outcome(values: dict[str, str], *candidates: Licence) -> tuple[Outcome, Licence | None, list[Compared]]:
        result = judged(given_values(COMPANY, values), candidates, "zh")
        return result.outcome, result.licence, list(result.fields.values())

    match, differs = Compared.MATCH, Compared.DIFFERS
    assert outcome({"holder_code": code}) == (Outcome.NOTHING_FOUND, None, [])
    assert outcome({"holder_code": code}, first) == (Outcome.MATCH, first, [match])
    assert outcome({"holder_code": code}, first, second) == (Outcome.AMBIGUOUS, None, [])
    assert outcome({"holder_code": code, "issued_on": "2026-01-01"}, second, third) == (
        Outcome.MATCH,
        third,
        [match, match],
    )
    wrong = {"holder_code": code, "number": "甬B(2026)8", "issued_on": "2025-01-01"}
    assert outcome(wrong, first, second, third) == (Outcome.DIFFERS, third, [match, match, differs])
    assert outcome({"holder_code": code, "number": "甬B9"}, second, third) == (Outcome.AMBIGUOUS, None, [])
    assert outcome({"holder_code": code, "number": "甬B9"}, second) == (Outcome.DIFFERS, second, [match, differs])


def test_forms_under_which_a_number_may_be_recorded() -> None:
    assert "甬B（2026）8" in number_forms("甬b(2026)8")
    assert "甬B(2026)8" in number_forms("　甬Ｂ（2026）8 ")
    assert "AB12" in number_forms("ab 12")
    assert all(folded_code(form) == "甬B(2026)8" for form in number_forms("甬b (2026) 8"))
    assert folded("ﾃ e\u0301 １　２") == "ﾃ é 1 2"


def test_recorded_values_never_hold_a_picture() -> None:
    names = ("number", "holder_name", "portrait", "registered_capital", "area_code", "nothing", "expires_on")
    assert recorded_values(licence(expires_on=None), names, "zh") == {
        "number": NUMBER,
        "holder_name": "阿依努尔·买买提",
        "registered_capital": "1680000.00",
    }


LAWFUL = st.text(min_size=1, max_size=40).filter(lambda text: text_fault("x", text) is None and folded(text) != "")
WIDE = str.maketrans({code - 0xFEE0: code for code in range(0xFF01, 0xFF5F)} | {" ": "\u3000"})


@given(name=LAWFUL, address=LAWFUL, capital=st.decimals(-(10**15), 10**15, places=2), day=st.dates(date(1583, 1, 1)))
def test_what_is_recorded_always_matches_itself_however_it_is_typed(
    name: str, address: str, capital: Decimal, day: date
) -> None:
    name, address = unicodedata.normalize("NFC", name), unicodedata.normalize("NFC", address)
    standing = licence(
        holders=(Holder(name=name, code="", code_type=""),),
        fields={"registered_capital": f"{capital:f}", "address": address},
        issued_on=day,
    )
    values = {
        "holder_name": name,
        "address": address,
        "registered_capital": f"{capital:f}",
        "issued_on": day.isoformat(),
        "number": NUMBER,
    }
    for typed in (str, lambda text: f" {text}\u3000", lambda text: text.translate(WIDE)):
        typed_values = given_values(COMPANY, {key: typed(value) for key, value in values.items()})
        assert set(compare(typed_values, standing, "zh").values()) == {Compared.MATCH}


@given(text=LAWFUL, other=LAWFUL)
def test_texts_with_other_letters_differ(text: str, other: str) -> None:
    def letters(value: str) -> list[str]:
        return [each for each in folded(value) if each.isalnum()]

    found = compared({"address": other}, licence(fields={"address": unicodedata.normalize("NFC", text)}))
    assert found == "differs" or letters(text) == letters(other)
