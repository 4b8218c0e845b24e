"""docs/errors.md lists every code that the source can send, with its status, and none that is gone."""

import re
from typing import get_args

import pytest

from api.schemas.clients import OAuthErrorOut
from certlib.errors import RESERVED_CODES
from tests.support.codes import COMPUTED, ROOT, Found, Reader

PROBLEM = re.compile(r"^\| `([a-z0-9_]+)` \| ([0-9]{3}(?:, [0-9]{3})*) \| ([^|]+) \| ([^|]+) \|$")
OAUTH = re.compile(r"^\| `([a-z_]+)` \| (400|401) \| [^|]+ \|$")
FAULT = re.compile(r"^\| `([a-z0-9_]+)` \| [^|]+ \|$")
TEXT = (ROOT / "docs/errors.md").read_text("utf-8")
FORM = re.compile(r"[a-z][a-z0-9_]{1,63}")


@pytest.fixture(scope="module")
def found() -> Found:
    return Reader().read()


def rows(form: re.Pattern[str], text: str = TEXT) -> list[re.Match[str]]:
    return [row for line in text.splitlines() if (row := form.fullmatch(line))]


def section(number: int) -> str:
    return TEXT.partition(f"## {number}. ")[2].partition("\n## ")[0]


def test_every_problem_is_listed_with_its_statuses(found: Found) -> None:
    listed = {row[1]: set(row[2].split(", ")) for row in rows(PROBLEM)}
    assert len(listed) == len(rows(PROBLEM)), "a code stands twice"
    assert {code: sorted(each) for code, each in listed.items()} == {
        code: sorted(each) for code, each in found.problems.items()
    }


def test_every_fault_of_a_field_is_listed(found: Found) -> None:
    listed = [row[1] for row in rows(FAULT, section(9))]
    assert sorted(listed) == sorted(found.faults)


def test_the_token_endpoints_errors_are_listed() -> None:
    listed = {row[1] for row in rows(OAUTH, section(10))}
    assert listed == set(get_args(OAuthErrorOut.model_fields["error"].annotation))


def test_what_is_computed_is_known(found: Found) -> None:
    assert found.computed == COMPUTED.keys()


def test_tables_are_sorted_and_codes_have_their_form(found: Found) -> None:
    for table in TEXT.split("\n\n"):
        codes = [row[1] for form in (PROBLEM, OAUTH, FAULT) for row in rows(form, table)]
        assert codes == sorted(codes)
    assert all(FORM.fullmatch(code) for code in (*found.problems, *found.faults))


def test_a_retired_code_is_listed_and_not_used_again(found: Found) -> None:
    assert not RESERVED_CODES & (found.problems.keys() | found.faults)
    assert set(re.findall(r"`([a-z0-9_]+)`", section(12))) == RESERVED_CODES


def test_the_reader_sees_codes_that_are_handed_on(found: Found) -> None:
    """Of each way to write a code one that is known to be written so."""
    assert found.problems["bad_secret"] == {"401"}, "through a function"
    assert found.problems["already_void"] == {"409"}, "one of two"
    assert found.problems["refused_elsewhere"] == {"403"}, "a class below another"
    assert found.problems["no_grant"] == {"403"}, "a rule"
    assert found.problems["too_slow"] == {"408"}, "of the edge itself"
    assert {"bad_check", "agency_not_uscc", "no_glyph"} <= found.faults
