"""Line breaking: nothing lost, punctuation in its place, words whole."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from templates.wrapping import NO_END, NO_START, broken, measured


class Square(dict[str, int]):
    """Every CJK character one em, every other half."""

    def __missing__(self, char: str) -> int:
        return 0 if char == "\n" else 1000 if ord(char) >= 0x2E80 else 500


SQUARE: Mapping[str, int] = Square()


def lines(text: str, ems: float, *, force: bool = True) -> list[str] | None:
    found = broken(measured(text, SQUARE), ems * 1000, force=force)
    return None if found is None else [text[line.start : line.end] for line in found]


@pytest.mark.parametrize(
    ("text", "ems", "expected"),
    [
        ("一二三四五", 2, ["一二", "三四", "五"]),
        ("一二，三四", 2, ["一", "二，", "三四"]),
        ("一二三（四五）六", 4, ["一二三", "（四五）", "六"]),
        ("一二三”。四", 4, ["一二", "三”。四"]),
        ("the quick fox", 4, ["the", "quick", "fox"]),
        ("the quick fox", 4.5, ["the quick", "fox"]),
        ("甲公司ABC部门", 4, ["甲公司", "ABC部门"]),
        ("well-known", 3, ["well-", "known"]),
        ("91330-203", 3, ["91330-", "203"]),
        ("一\n二三\n\n四", 2, ["一", "二三", "", "四"]),
        ("一二\n三", 2, ["一二", "三"]),
        ("一二 三", 2, ["一二", "三"]),
        ("", 2, [""]),
    ],
)
def test_breaks(text: str, ems: float, expected: list[str]) -> None:
    assert lines(text, ems) == expected


def test_a_word_wider_than_the_line_is_broken_only_by_force() -> None:
    assert lines("incomprehensible", 3, force=False) is None
    assert lines("incomprehensible", 3) == ["incomp", "rehens", "ible"]
    assert lines("一二", 0.5) == ["一", "二"]


def test_letter_spacing_counts() -> None:
    assert measured("一二", SQUARE, 200).widths == [0, 1200, 2400]


TEXTS = st.text(st.sampled_from("一二三（）。，“”AB9 -/\n、；"), max_size=80)


@given(TEXTS, st.floats(1.0, 12.0))
def test_nothing_but_blanks_and_line_ends_is_lost(text: str, ems: float) -> None:
    found = lines(text, ems)
    assert found is not None
    assert "".join(found).replace(" ", "") == text.replace("\n", "").replace(" ", "")


@given(TEXTS, st.floats(4.0, 12.0))
def test_lines_keep_to_their_width_and_the_rules(text: str, ems: float) -> None:
    words = measured(text, SQUARE)
    found = broken(words, ems * 1000, force=False)
    for line in found or []:
        assert words.width(line.start, line.end) <= ems * 1000
        first, before = text[line.start : line.start + 1], text[line.start - 1 : line.start]
        if line.start and before not in ("\n", " ") and first and first != " ":
            assert first not in NO_START
            assert before not in NO_END
