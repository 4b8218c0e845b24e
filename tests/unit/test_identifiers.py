"""Licence identifiers, public codes, holder codes: the public vectors, and every way to be wrong."""

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.errors import InvalidRequestError
from certlib.identifiers import (
    GBT36904_ROOT,
    check_agency_code,
    holder_code_fault,
    is_uscc,
    licence_identifier,
    masked_code,
    masked_name,
    normalise_holder_code,
    normalise_identifier,
    normalise_public_code,
    parse_identifier,
    printed_public_code,
    public_code,
    serial,
)

FIRST = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
SECOND = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S"
DIVISION = "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"
PLAIN_ROOT = "2.999.1"
TODAY = date(2026, 11, 22)


def fault_of(text: str, **more: object) -> str:
    with pytest.raises(InvalidRequestError) as refused:
        parse_identifier(text, **more)  # type: ignore[arg-type]  # a table of cases
    (fault,) = refused.value.faults
    assert fault.field == "identifier"
    return fault.code


def plain(type_code: str = "BL", agency: str = "SEATTLE", serial_part: str = "20261122ABC", version: int = 1) -> str:
    return licence_identifier(
        scheme="plain",
        root=PLAIN_ROOT,
        type_code=type_code,
        agency_code=agency,
        serial=serial_part,
        version=version,
    )


# China profile, 2.2


def test_the_first_public_vector() -> None:
    parsed = parse_identifier(FIRST, strict=True)
    assert (parsed.root, parsed.type_code, parsed.agency_code) == (
        GBT36904_ROOT,
        "11100000000013338W011",
        "11430000006122244L",
    )
    assert (parsed.serial, parsed.version, parsed.check, parsed.warnings) == ("20230000403", "001", "U", ())
    assert parsed.text == FIRST


def test_the_second_version_of_it() -> None:
    assert parse_identifier(SECOND, strict=True).version == "002"


def test_a_division_code_as_agency_is_a_warning_or_a_fault_in_strict_mode() -> None:
    assert parse_identifier(DIVISION).warnings == ("agency_not_uscc",)
    assert fault_of(DIVISION, strict=True) == "agency_not_uscc"


def test_the_vectors_that_are_invalid() -> None:
    wrong_check = "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"
    assert fault_of(wrong_check) == "bad_check"
    assert parse_identifier(wrong_check[:-1] + "D").check == "D"
    assert fault_of("1.2.156.3005.2.062301.1101101101102.0624_001.001.U") == "illegal_character"


WRONG = {
    FIRST.lower(): "lower_case",
    FIRST[:-1] + "V": "bad_check",
    FIRST + " ": "illegal_character",
    FIRST + "\n": "illegal_character",
    " " + FIRST: "unknown_root",
    FIRST.replace("U", "Ｕ"): "illegal_character",
    FIRST.replace("001", "٠٠١"): "illegal_character",
    FIRST.replace(".001.", ".1.001."): "unknown_root",
    FIRST.replace(".001.", ".01."): "bad_version",
    FIRST.replace(".001.", ".0001."): "bad_version",
    FIRST.replace(".001.", ".00A."): "bad_version",
    FIRST.replace("W011", "W01"): "bad_type",
    FIRST.replace("W011.1", "W0111."): "bad_type",
    FIRST.replace("20230000403", ""): "illegal_character",
    FIRST.replace("1.2.156.3005.2.", ""): "bad_shape",
    FIRST.replace("1.2.156.3005.2", "1.2.156.3005.3"): "unknown_root",
    FIRST[:-1]: "illegal_character",
    FIRST[:-2]: "unknown_root",
    FIRST + "U": "bad_check",
    "": "bad_shape",
    ".": "bad_shape",
    "." * 9: "unknown_root",
    "1" * 129: "too_long",
    plain(): "unknown_root",
}


@pytest.mark.parametrize("text", WRONG, ids=ascii)
def test_each_wrong_form_has_its_code(text: str) -> None:
    assert fault_of(text) == WRONG[text]


def test_moved_segment_borders_are_found_by_the_segments_not_the_check() -> None:
    """The dots are not protected by the check character (China profile, 2.3)."""
    moved = FIRST.replace("006122244L.20230000403", "006122244L2.0230000403")
    assert parse_identifier(moved).warnings == ("agency_not_uscc",)
    assert fault_of(moved, strict=True) == "agency_not_uscc"


@pytest.mark.parametrize(("length", "warned"), [(6, True), (7, False), (32, False), (33, True)])
def test_unusual_serial_lengths_are_warned_about(length: int, warned: bool) -> None:  # noqa: FBT001
    made = licence_identifier(
        scheme="gbt36904",
        root=GBT36904_ROOT,
        type_code="11100000000013338W011",
        agency_code="11430000006122244L",
        serial="7" * length,
        version=1,
    )
    assert parse_identifier(made).warnings == (("unusual_serial_length",) if warned else ())


def test_every_single_wrong_character_is_found() -> None:
    body = FIRST.removeprefix(GBT36904_ROOT + ".")
    for place, character in enumerate(body):
        if character == ".":
            continue
        for other in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            if other != character:
                wrong = f"{GBT36904_ROOT}.{body[:place]}{other}{body[place + 1 :]}"
                assert fault_of(wrong) in {"bad_check", "bad_version"}


CAPITALS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@given(
    type_code=st.text(CAPITALS, min_size=21, max_size=21),
    agency=st.text(CAPITALS, min_size=1, max_size=18),
    serial_part=st.text(CAPITALS, min_size=1, max_size=32),
    version=st.integers(1, 999),
)
def test_what_is_made_is_parsed(type_code: str, agency: str, serial_part: str, version: int) -> None:
    made = licence_identifier(
        scheme="gbt36904",
        root=GBT36904_ROOT,
        type_code=type_code,
        agency_code=agency,
        serial=serial_part,
        version=version,
    )
    parsed = parse_identifier(made)
    assert (parsed.type_code, parsed.agency_code, parsed.serial, int(parsed.version)) == (
        type_code,
        agency,
        serial_part,
        version,
    )


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    for candidate in (text, f"{GBT36904_ROOT}.{text}"):
        try:
            parsed = parse_identifier(candidate, plain_roots=[PLAIN_ROOT])
        except InvalidRequestError:
            continue
        assert parsed.text == candidate


def test_plain_identifiers_stand_under_their_own_root_only() -> None:
    made = plain()
    assert made.startswith("2.999.1.BL.SEATTLE.20261122ABC.001.")
    assert parse_identifier(made, plain_roots=[PLAIN_ROOT], strict=True).warnings == ()
    assert fault_of(made, plain_roots=["2.999.2"]) == "unknown_root"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"root": PLAIN_ROOT}, "unknown_root"),
        ({"scheme": "plain"}, "unknown_root"),
        ({"scheme": "plain", "root": "nonsense"}, "unknown_root"),
        ({"scheme": "plain", "root": "2.999.01"}, "unknown_root"),
        ({"type_code": "SHORT"}, "bad_type"),
        ({"type_code": "x" * 21}, "illegal_character"),
        ({"serial": ""}, "illegal_character"),
        ({"version": 0}, "bad_version"),
        ({"version": 1000}, "bad_version"),
        ({"serial": "7" * 80}, "too_long"),
        ({"scheme": "plain", "root": PLAIN_ROOT, "type_code": "T" * 22}, "bad_type"),
        ({"scheme": "plain", "root": PLAIN_ROOT, "type_code": "T", "agency_code": "A" * 22}, "bad_agency"),
        ({"scheme": "plain", "root": PLAIN_ROOT, "type_code": "T", "serial": "A" * 33}, "bad_serial"),
    ],
)
def test_an_identifier_of_wrong_parts_is_not_made(change: dict[str, object], code: str) -> None:
    parts = {
        "scheme": "gbt36904",
        "root": GBT36904_ROOT,
        "type_code": "11100000000013338W011",
        "agency_code": "11430000006122244L",
        "serial": "20230000403",
        "version": 1,
    }
    with pytest.raises(InvalidRequestError) as refused:
        licence_identifier(**{**parts, **change})  # type: ignore[arg-type]  # a table of cases
    assert refused.value.faults[0].code == code


def test_normalising_is_a_step_of_its_own() -> None:
    wide = FIRST.lower().translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    assert normalise_identifier(f"\u3000 {wide} \n") == FIRST
    assert normalise_identifier(FIRST.replace(".", "。")) == FIRST
    assert normalise_identifier("ß ﬁ ı") == "ßﬁı"


def test_serials_are_a_day_and_sixty_random_bits() -> None:
    assert serial(date(2026, 1, 2), bytes(8)) == "20260102000000000000"
    assert serial(date(2026, 1, 2), b"\xff" * 8) == "20260102ZZZZZZZZZZZZ"
    assert serial(date(2026, 1, 2), b"\xff" * 7 + b"\xf0") == serial(date(2026, 1, 2), b"\xff" * 8)
    with pytest.raises(ValueError, match="8 random bytes"):
        serial(date(2026, 1, 2), b"")


@given(st.binary(min_size=16, max_size=16))
def test_public_codes_survive_printing_and_typing(random: bytes) -> None:
    code = public_code(random)
    assert re.fullmatch("[0-7][0-9A-HJKMNP-TV-Z]{25}", code)
    printed = printed_public_code(code)
    assert [len(part) for part in printed.split("-")] == [5, 5, 5, 5, 6]
    typed = printed.lower().replace("0", "o").replace("1", "l").replace("-", " – ")
    assert normalise_public_code(typed) == code
    assert normalise_public_code(printed.replace("1", "I").replace("0", "O")) == code


def test_a_public_code_is_the_number_in_base_32() -> None:
    assert public_code(bytes(16)) == "0" * 26
    assert public_code(b"\xff" * 16) == "7" + "Z" * 25
    with pytest.raises(ValueError, match="16 random bytes"):
        public_code(b"")


@pytest.mark.parametrize(
    "text", ["", "0" * 25, "0" * 27, "8" + "0" * 25, "U" + "0" * 25, "*" * 26, "0" * 26 + " " * 200]
)
def test_other_texts_are_no_public_codes(text: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        normalise_public_code(text)
    assert refused.value.faults[0].code == "bad_public_code"


@given(st.text())
def test_any_text_is_a_public_code_or_refused(text: str) -> None:
    try:
        code = normalise_public_code(text)
    except InvalidRequestError:
        return
    assert normalise_public_code(code) == code


# China profile, 11


@pytest.mark.parametrize(
    "code",
    ["91110000600037341L", "11100000000013338W", "11430000006122244L", "11100000MB03271699", "11100000000019713D"],
)
def test_credit_codes(code: str) -> None:
    assert is_uscc(code)
    assert holder_code_fault(code, "001", today=TODAY) is None
    assert check_agency_code(code, "gbt36904") == code


def uscc(body: str) -> str:
    """The body with its check character, by the definition of GB 32100-2015."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(char) * 3**place for place, char in enumerate(body))
    return body + alphabet[(31 - total % 31) % 31]


def test_a_credit_code_may_begin_with_letters() -> None:
    assert is_uscc(uscc("Y1110000600037341"))
    assert is_uscc(uscc("A1110000600037341"))


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("91110000600037341M", "bad_check_digit"),
        ("91110000600037314L", "bad_check_digit"),
        ("91110000600037341l", "bad_code"),
        ("9111 0000 6000 3734 1L", "bad_code"),
        ("91110000-600037341L", "bad_code"),
        ("9111000060003734", "bad_code"),
        ("9111000060003734IL", "bad_code"),
        ("9111000O600037341L", "bad_code"),
        ("９1110000600037341L", "bad_code"),
        ("91110000600037341L\n", "bad_code"),
        ("", "required"),
    ],
)
def test_wrong_credit_codes(code: str, fault: str) -> None:
    found = holder_code_fault(code, "001", today=TODAY)
    assert found is not None
    assert (found.field, found.code) == ("holder_code", fault)
    assert not code or code not in found.reason


@pytest.mark.parametrize("code", ["11010519491231002X", "440524188001010014"])
def test_the_examples_of_the_standard_are_citizen_numbers(code: str) -> None:
    """GB 11643-1999; the second one's region is in no bundled table."""
    assert holder_code_fault(code, "111", today=TODAY) is None


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        ("110105194912310021", "bad_check_digit"),
        ("11010519491231002x", "bad_code"),
        ("1101051949123100", "bad_code"),
        ("1101051949123100２X", "bad_code"),
        ("110105194902300028", "bad_birth_date"),
        ("110105000000000022", "bad_birth_date"),
        ("110105209901010022", "bad_birth_date"),
    ],
)
def test_wrong_citizen_numbers(code: str, fault: str) -> None:
    from stdnum.iso7064 import mod_11_2  # noqa: PLC0415  # only to give wrong dates a right check

    if fault == "bad_birth_date":
        code = code[:-1] + mod_11_2.calc_check_digit(code[:-1])
    found = holder_code_fault(code, "111", today=TODAY)
    assert found is not None
    assert found.code == fault
    assert code not in found.reason


def test_a_small_x_is_mended_by_name_only() -> None:
    assert normalise_holder_code("11010519491231002x", "111") == "11010519491231002X"
    assert normalise_holder_code("x1x", "999") == "x1x"


@pytest.mark.parametrize(
    ("code", "code_type", "fault"),
    [
        ("", "", None),
        ("E12345678", "414", None),
        ("军字第12345号", "114", None),
        ("000000042", "099", None),
        ("12", "414", "bad_code"),
        ("e12345678", "414", "bad_code"),
        ("a\u0000b", "999", "bad_code"),
        (" 1", "999", "bad_code"),
        ("1" * 65, "999", "too_long"),
        ("", "999", "required"),
        ("1", "", "code_type_required"),
        ("1", "002", "unknown_code_type"),
    ],
)
def test_other_kinds_of_codes(code: str, code_type: str, fault: str | None) -> None:
    found = holder_code_fault(code, code_type, today=TODAY)
    assert (found.code if found else None) == fault


@pytest.mark.parametrize(
    ("code", "scheme"), [("340100", "gbt36904"), ("seattle", "plain"), ("", "plain"), ("A" * 22, "plain")]
)
def test_wrong_agency_codes(code: str, scheme: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        check_agency_code(code, scheme)
    assert refused.value.faults[0].field == "agency_code"


def test_plain_agency_codes() -> None:
    assert check_agency_code("SEATTLE", "plain") == "SEATTLE"


@pytest.mark.parametrize(
    ("code", "shown"),
    [("11010519491231002X", "1" + "*" * 16 + "X"), ("ABC", "A*C"), ("AB", "**"), ("A", "*"), ("", "")],
)
def test_masked_codes(code: str, shown: str) -> None:
    assert masked_code(code) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张三", "张*"),
        ("王小明", "王**"),
        ("欧阳修", "欧阳*"),
        ("欧阳", "欧*"),
        ("𠮷田一", "𠮷**"),
        ("阿卜杜拉·买买提", "阿***·***"),
        ("John Q. Public", "**** *. Public"),
        ("Public, John", "Public, ****"),
        ("Madonna", "M******"),
        ("张", "*"),
        ("", ""),
    ],
)
def test_masked_names(name: str, shown: str) -> None:
    assert masked_name(name) == shown
