"""Lists of a holder's licences: what they show, to whom, and what they leave behind."""

from datetime import date, timedelta

import pytest

from certlib.changing import order_change
from certlib.errors import CertlibError
from certlib.grants import Interface
from certlib.issuing import issue
from certlib.library import SHIPPED_TYPES, Library
from certlib.model import Holder, IssueRequest
from certlib.sharing import holdings as module
from certlib.sharing.handles import holder_handle, named_holder, opened_handle
from certlib.sharing.holdings import Holdings, holdings_json, list_licences
from certlib.store import audits, granting, looks
from tests.support.changes import order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request
from tests.support.sharing import MATTER, asker, asking, granted

TYPE = "business-licence"
NUMBER = "91990200MA7EXAM18U"
OTHER = "91990200MA7EXAM204"
HOLDER = (Holder(name="甬江样本茶叶贸易有限公司", code=NUMBER, code_type="001"),)


def listed(lib: Library, code: str = NUMBER, **parts: object) -> Holdings:
    """What the city is told of a holder."""
    caller, said = parts.pop("caller", asker()), parts.pop("asking", asking())
    holder = named_holder(lib, code, "001")
    return list_licences(lib, caller, said, holder=holder, **parts)  # type: ignore[arg-type]  # right by reading


def code_of(lib: Library, code: str = NUMBER, **parts: object) -> str:
    """The code of the refusal."""
    with pytest.raises(CertlibError) as caught:
        listed(lib, code, **parts)
    return caught.value.code


def test_a_list_says_type_number_agency_and_status(library: Library, clock: Clock) -> None:
    first = issue(library, company_request()).licence
    second = issue(library, company_request(OTHER, holders=HOLDER, expires_on=date(2026, 11, 30))).licence
    issue(library, company_request("91990200MA7EXAM305"))
    order_change(library, MARKET_BUREAU.code, first.identifier, order("suspend"))
    grant = granted(library, interfaces=frozenset({Interface.LIST}))
    clock.move(days=9)
    found = listed(library)
    told = holdings_json(found)
    bureau = {"code": MARKET_BUREAU.code, "zh": MARKET_BUREAU.name, "en": MARKET_BUREAU.name_en}
    kind = {"code": TYPE, "zh": "营业执照", "en": "Business licence"}
    assert told["licences"] == [
        {"identifier": first.identifier, "type": kind, "number": NUMBER, "agency": bureau, "word": "suspended"},
        {"identifier": second.identifier, "type": kind, "number": OTHER, "agency": bureau, "word": "expired"},
    ]
    assert HOLDER[0].name not in str(told)
    ledger = looks.looks_of_holder(library.store, NUMBER)
    assert [(each.kind, each.outcome, each.identifier, each.reference, each.grant_id) for each in ledger] == [
        ("list", "listed", second.identifier, found.reference, grant.id),
        ("list", "listed", first.identifier, found.reference, grant.id),
    ]
    assert granting.used(library.store, grant.id, library.now().date()) == 2
    check_invariants(library.store)


def test_only_versions_that_stand_are_listed(library: Library) -> None:
    old = issue(library, company_request()).licence
    granted(library)
    order_change(library, MARKET_BUREAU.code, old.identifier, order("correct"))
    (held,) = listed(library).held
    assert (held.licence.version, held.word) == (2, "valid")


def test_having_none_and_not_being_granted_look_the_same(library: Library) -> None:
    granted(library, type_code="practitioner-licence", fields=("number",))
    before = holdings_json(listed(library))
    issue(library, company_request())
    after = holdings_json(listed(library))
    assert before | {"reference": ""} == after | {"reference": ""}
    assert code_of(library, type_code=TYPE) == code_of(library, OTHER, type_code=TYPE) == "no_grant"
    rows = looks.looks_of_holder(library.store, NUMBER)
    assert [(each.outcome, each.identifier, each.type_code) for each in rows] == [
        ("nothing_found", "", "practitioner-licence")
    ] * 2
    check_invariants(library.store)


@pytest.mark.parametrize(
    ("grant", "code"),
    [
        ({}, ""),
        ({"interfaces": frozenset({Interface.CHECK, Interface.DATA})}, "interface_not_granted"),
        ({"matters": frozenset({"other"})}, "purpose_not_granted"),
        ({"networks": ("192.0.2.0/24",)}, "network_not_granted"),
        ({"agency_code": MARKET_BUREAU.code}, "no_grant"),
    ],
)
def test_without_a_grant_for_lists_there_is_none(sqlite_library: Library, grant: dict[str, object], code: str) -> None:
    issue(sqlite_library, company_request())
    granted(sqlite_library, **grant)
    if not code:
        assert len(listed(sqlite_library).held) == 1
        return
    assert code_of(sqlite_library) == code_of(sqlite_library, OTHER) == code
    refusals = [each for each in audits.read_chain(sqlite_library.store) if each.act == "share.refused"]
    assert [each.detail["code"] for each in refusals] == [code] * 2
    assert looks.looks_of_holder(sqlite_library.store, NUMBER) == ()


def test_numbers_of_persons_are_masked_unless_they_are_granted(sqlite_library: Library) -> None:
    code = "990101199003070023"
    issue(
        sqlite_library,
        IssueRequest(
            agency_code=MARKET_BUREAU.code,
            type_code="practitioner-licence",
            number="YB-2026-000318",
            holders=(Holder(name="沈样宁", code=code, code_type="111"),),
            issued_on=date(2026, 11, 20),
            effective_on=date(2026, 11, 20),
            expires_on=date(2031, 11, 19),
            fields={"category": "中医", "practice_scope": "中医内科"},
            images={"photo": (SHIPPED_TYPES / "practitioner-licence" / "v1" / "sample-photo.png").read_bytes()},
        ),
    )
    holder = named_holder(sqlite_library, code, "111")
    grant = granted(sqlite_library, type_code="practitioner-licence", fields=())
    (held,) = list_licences(sqlite_library, asker(), asking(), holder=holder).held
    assert (held.number, held.word) == ("Y************8", "valid")
    granting.end_grant(sqlite_library.store, grant.id, operator="tests", reason="x", now=sqlite_library.now())
    granted(sqlite_library, type_code="practitioner-licence", fields=("number",))
    (held,) = list_licences(sqlite_library, asker(), asking(), holder=holder).held
    assert held.number == "YB-2026-000318"
    issue(sqlite_library, company_request())
    granted(sqlite_library, fields=())
    (held,) = listed(sqlite_library).held
    assert held.number == NUMBER  # what organisations hold is public by its number


def test_too_long_a_list_is_no_answer_and_is_put_down(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LISTED", 1)
    issue(library, company_request())
    granted(library)
    assert len(listed(library).held) == 1
    issue(library, company_request(OTHER, holders=HOLDER))
    assert code_of(library) == "invalid_request"
    newest = looks.looks_of_holder(library.store, NUMBER)[0]
    assert (newest.outcome, newest.identifier) == ("too_many", "")


def test_a_list_counts_its_licences_and_nothing_of_a_list_that_is_refused(library: Library) -> None:
    issue(library, company_request())
    issue(library, company_request(OTHER, holders=HOLDER))
    rich = granted(library, type_code="practitioner-licence", fields=("number",))
    poor = granted(library, daily_cap=3)
    listed(library)
    assert code_of(library) == "daily_cap_reached"
    day = library.now().date()
    assert [granting.used(library.store, each.id, day) for each in (rich, poor)] == [1, 2]
    assert len(looks.looks_of_holder(library.store, NUMBER)) == 2
    check_invariants(library.store)


def test_asking_again_and_again_ends(sqlite_library: Library) -> None:
    granted(sqlite_library)
    issue(sqlite_library, company_request())
    issue(sqlite_library, company_request(OTHER, holders=HOLDER))
    for _number in range(60):
        listed(sqlite_library)
    assert code_of(sqlite_library) == "holder_limit_reached"
    for _number in range(60):
        listed(sqlite_library, "91990200MA7EXAM305")
    assert code_of(sqlite_library, "91990200MA7EXAM305") == "holder_limit_reached"


def test_a_code_of_another_kind_is_another_holder(sqlite_library: Library) -> None:
    issue(sqlite_library, company_request())
    granted(sqlite_library)
    holder = named_holder(sqlite_library, NUMBER, "099")
    assert list_licences(sqlite_library, asker(), asking(), holder=holder).held == ()


def test_a_handle_stands_for_holder_and_purpose_for_ten_minutes(sqlite_library: Library, clock: Clock) -> None:
    holder = named_holder(sqlite_library, " 91990200ＭＡ7EXAM18U", "001")
    handle = holder_handle(sqlite_library, asker(), asking(), holder)
    assert NUMBER not in handle.text
    assert handle.text.replace("-", "").replace("_", "").replace(".", "").isalnum()
    clock.move(seconds=599)
    assert opened_handle(sqlite_library, asker(), handle.text) == (holder, asking())
    other = holder_handle(sqlite_library, asker(), asking(purpose="另一个事由"), holder)
    assert len(other.text) == len(handle.text)
    assert other.text != handle.text
    strangers = [asker(client_id="c2"), asker(client_id=""), asker(MARKET_BUREAU.code)]
    for caller in strangers:
        assert unknown(sqlite_library, handle.text, caller=caller)
    clock.move(seconds=1)
    assert unknown(sqlite_library, handle.text)
    assert handle.expires_at == clock()
    assert handle.expires_at - clock() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    ["", "k1", "k1.", "k1.AAAA", "k9.AAAA", "K1.AAAA", "k1.%00", "k1.A" * 2000, "k1.A", "../x", "k1.\ud800", NUMBER],
)
def test_what_is_no_handle_is_not_known(sqlite_library: Library, text: str) -> None:
    assert unknown(sqlite_library, text)


def test_a_handle_that_was_changed_is_not_known(sqlite_library: Library) -> None:
    holder = named_holder(sqlite_library, NUMBER, "001")
    text = holder_handle(sqlite_library, asker(), asking(), holder).text
    for place in range(3, len(text), 37):
        other = "A" if text[place] != "A" else "B"
        assert unknown(sqlite_library, text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize(
    ("code", "code_type", "field"),
    [
        ("91990200MA7EXAM18V", "001", "code"),
        ("", "001", "code"),
        ("110101199003071090", "111", "code"),
        (NUMBER, "777", "code_type"),
        ("a\x00b", "999", "code"),
        ("x" * 65, "999", "code"),
    ],
)
def test_a_code_that_nobody_can_have_is_refused_by_its_form(
    sqlite_library: Library, code: str, code_type: str, field: str
) -> None:
    with pytest.raises(CertlibError) as caught:
        named_holder(sqlite_library, code, code_type)
    assert [fault.field for fault in caught.value.faults] == [field]  # type: ignore[attr-defined]  # of this class
    assert not code or code not in str(caught.value)


def unknown(lib: Library, text: str, **parts: object) -> bool:
    """Whether nobody knows this handle, for one and the same answer."""
    caller = parts.get("caller", asker())
    with pytest.raises(CertlibError) as caught:
        opened_handle(lib, caller, text)  # type: ignore[arg-type]  # right by reading
    return caught.value.code == "handle_not_found" and MATTER not in str(caught.value)
