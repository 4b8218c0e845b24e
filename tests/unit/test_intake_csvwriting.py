from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.intake import looks_like_formula, neutralised, restored


@pytest.mark.parametrize(
    "start",
    ["=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠", "﹦", "﹢", "﹣", "﹫", "\u2212"],
)
def test_each_start_of_a_formula_is_neutralised(start: str) -> None:
    for text in (start, f"{start}cmd", f" {start}cmd", f"\u3000{start}cmd", f"\u00a0 {start}1", f"\ufeff{start}x"):
        assert looks_like_formula(text), repr(text)
        assert neutralised(text) == "'" + text
        assert restored(neutralised(text)) == text


@pytest.mark.parametrize("text", ["", "A=B", "NaN", "NULL", "007", "  A  B", "宁波（=）有限公司", "'TIS A SHOP", "1-2"])
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert neutralised(text) == text
    assert restored(text) == text


@given(st.text(alphabet=st.sampled_from("'=+-@ \t\r\n＝aA1,\"\u3000"), max_size=8) | st.text(max_size=20))
def test_every_text_comes_back_and_none_is_left_dangerous(text: str) -> None:
    written = neutralised(text)
    assert restored(written) == text
    assert not looks_like_formula(written)
