"""The catalogue feed: in commit order, nothing skipped or repeated, nothing that was not granted."""

import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest

from certlib.collecting import feeding
from certlib.collecting.feeding import FeedPage, changes_since, page_json
from certlib.errors import CertlibError, ForbiddenError
from certlib.grants import Interface
from certlib.identifiers import masked_code
from certlib.issuing import issue
from certlib.library import SHIPPED_TYPES, Library
from certlib.model import Holder, IssueRequest, Status
from certlib.store import audits, looks, statuses
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.sharing import MATTER, asker, granted

HOLDERS = company_request().holders


def person_request() -> IssueRequest:
    """A lawful request for a practitioner's licence."""
    photo = (SHIPPED_TYPES / "practitioner-licence" / "v1" / "sample-photo.png").read_bytes()
    return IssueRequest(
        agency_code=MARKET_BUREAU.code,
        type_code="practitioner-licence",
        number="YB-2026-000318",
        holders=(Holder(name="沈样宁", code="990101199003070023", code_type="111"),),
        issued_on=date(2026, 11, 20),
        effective_on=date(2026, 11, 20),
        expires_on=date(2031, 11, 19),
        fields={
            "sex": "女",
            "category": "中医",
            "practice_scope": "中医内科",
            "institution": "样本市江湾区听潮社区卫生服务中心",
        },
        images={"photo": photo},
        operator="tests",
    )


def ends(lib: Library, identifier: str, to: Status) -> None:
    """Move a licence."""
    at = lib.now()
    statuses.change_status(
        lib.store, identifier, to=to, reason="r", document_number="d", operator="o", effective_at=at, now=at
    )


def page(lib: Library, cursor: str = "", *, limit: int = 500, matter: str = MATTER, **who: object) -> FeedPage:
    """One page, as the city asks for it."""
    return changes_since(lib, asker(**who), cursor=cursor, matter_code=matter, limit=limit)  # type: ignore[arg-type]


def refusal(lib: Library, cursor: str = "", **parts: object) -> str:
    """The code of a refusal."""
    with pytest.raises(CertlibError) as caught:
        page(lib, cursor, **parts)  # type: ignore[arg-type]
    return caught.value.code


def test_what_came_changed_and_went_in_its_order(library: Library) -> None:
    granted(library)
    first = issue(library, company_request()).licence
    second = issue(library, company_request("91990200MA10000078", holders=HOLDERS)).licence
    ends(library, first.identifier, Status.SUSPENDED)
    ends(library, first.identifier, Status.REVOKED)
    whole = page(library)
    assert [(each.operation, each.entry.identifier, each.entry.status) for each in whole.changes] == [
        ("insert", first.identifier, "active"),
        ("insert", second.identifier, "active"),
        ("update", first.identifier, "suspended"),
        ("delete", first.identifier, "revoked"),
    ]
    assert not whole.more
    assert page(library, whole.cursor).changes == ()
    by_one, cursor = whole.changes[:0], ""
    while len(by_one) < 4:
        one = page(library, cursor, limit=1)
        by_one += one.changes
        cursor = one.cursor
    assert tuple(by_one) == whole.changes
    entry = json.loads(json.dumps(page_json(library, whole)))["changes"][0]
    assert (entry["number"], entry["number_masked"], entry["cd_operation"]) == (first.number, False, "I")
    assert (entry["agency"], entry["agency_name"]) == (MARKET_BUREAU.code, MARKET_BUREAU.name)
    text = str(page_json(library, whole))
    assert first.holders[0].name not in text
    assert not any(str(first.fields[name]) in text for name in ("legal_representative", "address", "business_scope"))
    check_invariants(library.store)


def test_a_page_is_one_row_of_the_ledger_and_counts_its_licences(library: Library) -> None:
    granted(library, daily_cap=3)
    for number in ("91990200MA7EXAM18U", "91990200MA10000078"):
        issue(library, company_request(number, holders=HOLDERS))
    cursor = page(library).cursor
    page(library, cursor)
    rows = [record for record in audits.read_chain(library.store) if record.act == "look.feed"]
    assert [record.detail["outcome"] for record in rows] == ["given", "nothing_new"]
    assert refusal(library) == "daily_cap_reached"
    assert len(page(library, limit=1).changes) == 1
    assert looks.looks_of_reference(library.store, rows[0].subject)[0].kind == "feed"
    check_invariants(library.store)


def test_what_is_not_granted_leaves_no_trace(library: Library, clock: Clock) -> None:
    issue(library, company_request())
    assert refusal(library) == "no_grant"
    granted(library, type_code="practitioner-licence", fields=("number",))
    assert page(library).changes == ()
    assert page(library).types == ("practitioner-licence",)
    granted(library, interfaces=frozenset(Interface) - {Interface.FEED})
    assert page(library).changes == ()
    granted(library, networks=("10.0.0.0/8",))
    assert page(library).changes == ()
    assert len(page(library, address="10.1.2.3").changes) == 1
    with pytest.raises(ForbiddenError):
        changes_since(library, asker(MARKET_BUREAU.code), cursor="", matter_code=MATTER)
    assert refusal(library, matter="other") == "purpose_not_granted"
    assert refusal(library, matter="") == "invalid_request"
    clock.move(days=1)
    assert CITY.code in str([each.detail for each in audits.read_chain(library.store) if each.act == "share.refused"])


def test_a_personal_number_is_masked(sqlite_library: Library) -> None:
    granted(sqlite_library, type_code="practitioner-licence", fields=("number",))
    licence = issue(sqlite_library, person_request()).licence
    (change,) = page(sqlite_library).changes
    assert (change.entry.number, change.entry.number_masked) == (masked_code(licence.number), True)


@pytest.mark.parametrize("cursor", ["x", "A" * 44, "\x00", "é" * 44, "A" * 4096, "-" * 44, "\ud800"])
def test_a_cursor_that_is_none_is_refused(sqlite_library: Library, cursor: str) -> None:
    granted(sqlite_library)
    issue(sqlite_library, company_request())
    good = page(sqlite_library).cursor
    assert refusal(sqlite_library, cursor) in {"invalid_request", "foreign_cursor"}
    for place in (0, 5, 20, 30, 43):
        changed = good[:place] + ("B" if good[place] != "B" else "C") + good[place + 1 :]
        assert refusal(sqlite_library, changed) in {"invalid_request", "foreign_cursor"}


def test_a_cursor_of_another_library_or_another_past_is_told(library: Library) -> None:
    granted(library)
    issue(library, company_request())
    cursor = page(library).cursor
    other = replace(library, anchor_spki_der=library.anchor_spki_der[::-1])
    assert refusal(other, cursor) == "foreign_cursor"
    ahead = feeding._cursor(library, 10_000, "ab" * 32)  # noqa: SLF001  # as one from before a backup was put back
    assert refusal(library, ahead) == "lost_cursor"


def test_nothing_is_skipped_or_repeated_while_others_issue(library: Library) -> None:
    granted(library, daily_cap=10_000)
    wanted = 24

    def act(number: int) -> None:
        licence = issue(library, company_request(f"91990200MA{number:08d}", holders=HOLDERS)).licence
        if number % 3 == 0:
            ends(library, licence.identifier, Status.SUSPENDED)
            ends(library, licence.identifier, Status.CANCELLED)

    def follow(seed: int) -> list[int]:
        dice, cursor = random.Random(seed), ""  # noqa: S311  # not a secret
        seen: list[int] = []
        while len(seen) < wanted + 2 * (wanted // 3):
            got = page(library, cursor, limit=dice.randint(1, 7))
            seen += [each.seq for each in got.changes]
            cursor = got.cursor
        return seen

    with ThreadPoolExecutor(8) as pool:
        followers = [pool.submit(follow, seed) for seed in range(2)]
        list(pool.map(act, range(wanted)))
        chains = [each.result(timeout=120) for each in followers]
    expected = [
        each.seq
        for each in audits.read_chain(library.store)
        if each.act in ("licence.issued", "licence.status_changed")
    ]
    assert chains == [expected, expected]
    check_invariants(library.store)


def test_a_page_reads_no_more_than_its_share(sqlite_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    granted(sqlite_library)
    licence = issue(sqlite_library, company_request()).licence
    monkeypatch.setattr(feeding, "SCANNED", 3)
    cursor, pages, found = "", 0, []
    while True:
        got = page(sqlite_library, cursor)
        found += [each.entry.identifier for each in got.changes]
        cursor, pages = got.cursor, pages + 1
        if not got.more:
            break
    assert found == [licence.identifier]
    assert pages > 3
