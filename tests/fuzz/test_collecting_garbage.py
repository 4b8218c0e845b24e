"""Whatever another library sends, or says it is: understood, or refused as such; never a fault of ours."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certlib.collecting.reaching import json_answer, library_url
from certlib.collecting.reading import ReadPage, read_page
from certlib.errors import InvalidRequestError, UnavailableError

AGENCY = "11990300MB9000054B"
GOOD = {
    "seq": 7,
    "at": "2026-11-22T12:00:00Z",
    "operation": "insert",
    "cd_operation": "I",
    "identifier": f"1.2.156.3005.2.11990000MB90000070001.{AGENCY}.20261120KJ0S7A4TK90J.001.",
    "type": "business-licence",
    "type_segment": "11990000MB90000070001",
    "type_name": "营业执照",
    "type_name_en": "Business licence",
    "number": "91990300MA00000015",
    "number_masked": False,
    "version": 1,
    "agency": AGENCY,
    "agency_name": "样桥市市场监督管理局",
    "area_code": "990300",
    "issued_on": "2026-11-20",
    "effective_on": "2026-11-20",
    "expires_on": None,
    "status": "active",
    "previous_identifier": "",
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def checked(change: dict[str, Any]) -> dict[str, Any]:
    """The change with the check character of its identifier."""
    from stdnum.iso7064 import mod_37_36  # noqa: PLC0415

    body = "".join(GOOD["identifier"].split(".")[5:9])  # type: ignore[attr-defined]  # a text
    return {**change, "identifier": f"{GOOD['identifier']}{mod_37_36.calc_check_digit(body)}"}


def page_of(*changes: object, **members: object) -> dict[str, Any]:
    """A page."""
    return {"changes": list(changes), "types": ["business-licence"], "cursor": "abc", "more": False, **members}


def read(said: dict[str, Any]) -> ReadPage | None:
    """The page, or None where it was refused as one must be."""
    try:
        return read_page(said, agencies={AGENCY})
    except InvalidRequestError as error:
        assert [each.code for each in error.faults] == ["bad_page"]  # noqa: PT017  # either way is good
        return None


def test_the_page_that_others_are_made_of_is_good() -> None:
    assert read(page_of(checked(GOOD))) is not None


@given(st.dictionaries(st.sampled_from(["changes", "types", "cursor", "more"]), JSON))
def test_pages_of_any_json(said: dict[str, Any]) -> None:
    read(said)
    read({**page_of(), **said})


@given(st.sampled_from(sorted(GOOD)), JSON)
def test_changes_with_one_member_of_any_json(name: str, value: Any) -> None:  # noqa: ANN401  # JSON
    found = read(page_of({**checked(GOOD), name: value}))
    if found is not None:
        (change,) = found.changes
        assert change.entry.agency_code == AGENCY
        assert all(each.isprintable() for each in (change.entry.number, change.entry.type_name, found.cursor))


@given(st.sampled_from(sorted(GOOD)))
def test_changes_without_one_member(name: str) -> None:
    found = read(page_of({key: value for key, value in checked(GOOD).items() if key != name}))
    assert (found is None) is (name != "cd_operation")


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_answers_of_any_bytes(data: bytes) -> None:
    try:
        assert isinstance(json_answer(data, "https://x"), dict)
    except UnavailableError as error:
        assert error.code == "library_unavailable"  # noqa: PT017  # either way is good


@given(st.text(max_size=60) | st.text(alphabet="htps:/.@[]?#%0123456789ab ", max_size=40))
def test_urls_of_any_text(text: str) -> None:
    try:
        url = library_url(text)
    except InvalidRequestError:
        return
    assert url.startswith(("https://", "http://"))
    assert url.isascii()


@pytest.mark.parametrize(
    "url", ["https://city.example", "https://city.example/licences/", "http://[::1]:80", "http://localhost:1"]
)
def test_urls_of_libraries(url: str) -> None:
    assert library_url(url) == url.rstrip("/")
