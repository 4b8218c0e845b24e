"""What the benches compute without a library."""

import random

import pytest

from bench.qr import MODULE_MM, twelve_field_record
from bench.records import code_of
from bench.register import uscc
from bench.scans import FLATBED, PHONE, dirty, printed, taken
from bench.table import Clock, Subject, figure, interleaved, print_table, rate_rows, strangers
from certlib.identifiers import is_uscc, normalise_public_code
from signing.qr import qr_matrix, read_page_codes


def chance() -> random.Random:
    return random.Random(1)  # noqa: S311  # nothing secret


def test_invented_codes_are_good_and_different() -> None:
    assert all(is_uscc(uscc(index)) for index in range(50))
    codes = {code_of(number) for number in range(1, 2001)}
    assert len(codes) == 2000
    assert all(normalise_public_code(code) == code for code in codes)


def test_rounds_take_turns_and_the_median_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    order: list[str] = []
    subjects = [Subject(name=name, run=lambda name=name: len(order.append(name) or "12")) for name in "ab"]  # type: ignore[misc,func-returns-value]  # a lambda that notes its call
    measured = interleaved(subjects, rounds=2)
    assert order == ["a", "b", "a", "b"]
    assert all(each.lowest <= each.per_second <= each.highest for each in measured)
    print_table("T", ("what",), [row[:1] for row in rate_rows(measured, against="a")])
    assert capsys.readouterr().out == "\n### T\n\n| what |\n|---|\n| a |\n| b |\n"


def test_strangers_are_what_the_machine_did_besides_us() -> None:
    start, end = Clock(wall=0.0, ours=1.0, machine=5.0), Clock(wall=1e9, ours=2.0, machine=6.0)
    assert strangers(start, end) == 0.0
    assert strangers(start, Clock(wall=1e-9, ours=2.0, machine=9.0)) == 1.0


def test_figures_have_the_digits_they_deserve() -> None:
    assert [figure(value) for value in (3.84, 99.95, 1234.5)] == ["3.8", "100.0", "1,234"]


def test_the_test_record_fits_30_mm_and_reads_from_a_clean_scan() -> None:
    text = twelve_field_record()
    matrix = qr_matrix(text)
    assert matrix.version == 14
    assert matrix.width_mm(MODULE_MM) <= 30
    picture = taken(printed(matrix), FLATBED, module_pixels=MODULE_MM / 25.4 * 300, chance=chance())
    assert read_page_codes(picture.tobytes(), picture.width, picture.height) == (text,)


def test_too_much_dirt_makes_a_code_unreadable() -> None:
    matrix = qr_matrix("https://licences.example/q#" + "0123456789" * 60)
    paper = dirty(printed(matrix), matrix, 0.4, chance())
    picture = taken(paper, PHONE, module_pixels=4.0, chance=chance())
    assert read_page_codes(picture.tobytes(), picture.width, picture.height) == ()
