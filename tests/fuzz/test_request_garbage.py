"""Whatever somebody sends to be issued is a lawful request or a refusal by field; what was sent is not repeated."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from certlib.catalogue import LicenceType, parse_type
from certlib.errors import FieldFault, InvalidRequestError
from certlib.lawfulness import checked_request
from certlib.wire import REQUEST_MEMBERS, request_from_json
from tests.support.forms import ROOT
from tests.support.libraries import MARKET_BUREAU

TODAY = date(2026, 11, 22)
TYPES = [
    parse_type((ROOT / "templates" / code / "v1" / "type.toml").read_text("utf-8"), where=code, version=1)
    for code in ("business-licence", "practitioner-licence", "seattle-business-licence", "birth-certificate")
]
ANY_TEXT = st.text(st.characters(), max_size=30)
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.sampled_from(["2026-02-28", "长期", "-1"])
)
ANY_JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3), max_leaves=8
)
HOLDERS = st.lists(st.fixed_dictionaries({"name": ANY_TEXT, "code": ANY_TEXT, "code_type": ANY_TEXT}), max_size=3)
NEARLY = st.fixed_dictionaries(
    {"number": ANY_TEXT, "holders": HOLDERS, "issued_on": st.just("2026-11-20")},
    optional={
        "effective_on": ANY_JSON, "expires_on": ANY_JSON, "fields": st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3),
        "images": st.dictionaries(ANY_TEXT, ANY_JSON, max_size=2), "area_code": ANY_TEXT, "operator": ANY_TEXT,
        "request_id": ANY_TEXT, "version": ANY_JSON, "previous_identifier": ANY_TEXT,
    },
)  # fmt: skip
QUICK = settings(deadline=None)


def faults_of(data: object, licence_type: LicenceType) -> tuple[FieldFault, ...]:
    """Why it is refused; empty for a lawful request. Nothing else comes out."""
    try:
        request = request_from_json(data, agency_code=MARKET_BUREAU.code, type_code=licence_type.code)
        checked_request(licence_type, request, MARKET_BUREAU, today=TODAY)
    except InvalidRequestError as error:
        return error.faults or (FieldFault(field="", code="", reason=""),)
    return ()


def judged(data: object) -> None:
    for licence_type in TYPES:
        for fault in faults_of(data, licence_type):
            assert fault.code
            assert fault.reason


@QUICK
@given(ANY_JSON)
def test_any_json(data: object) -> None:
    judged(data)


@QUICK
@given(st.dictionaries(st.sampled_from(sorted(REQUEST_MEMBERS)), ANY_JSON))
def test_the_right_members_with_any_values(data: dict[str, object]) -> None:
    judged(data)


@QUICK
@given(NEARLY)
def test_nearly_lawful_requests(data: dict[str, object]) -> None:
    judged(data)


@QUICK
@given(st.from_regex(r"[0-9]{17}[0-9X]", fullmatch=True))
def test_a_citizen_number_is_never_repeated(code: str) -> None:
    data = {
        "number": "YB-2026-000318",
        "holders": [{"name": "沈样宁", "code": code, "code_type": "111"}],
        "issued_on": "2026-11-20",
    }
    reasons = " ".join(fault.reason for fault in faults_of(data, TYPES[1]))
    assert reasons  # the picture is missing, at least
    assert code not in reasons
    assert "沈样宁" not in reasons
