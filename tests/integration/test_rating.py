"""Ratings of uses, and reports that paper was still demanded: once each, with a reason, sealed, audited by codes."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from certlib.errors import CertlibError, InvalidRequestError
from certlib.holding.sessions import end_session
from certlib.library import Library
from certlib.receipting import new_receipt_id
from certlib.store import audits
from certlib.store.engine import reading
from certlib.store.tables_tickets import PAPER_REPORT, RATING
from certlib.tickets.rating import (
    PaperReason,
    bad_ratings,
    paper_reports,
    rate_own,
    rate_use,
    report_paper,
    report_paper_own,
)
from tests.support.holders import STRANGER, agent_of_mother, licence_of, me_of
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.tickets import look_at

TYPE = "practitioner-licence"


def code_of(call: Any) -> str:  # noqa: ANN401  # a function
    try:
        call()
    except InvalidRequestError as error:
        return " ".join(each.field for each in error.faults)
    except CertlibError as error:
        return error.code
    return ""


def test_who_asked_and_the_holder_rate_a_use_once_each(library: Library) -> None:
    use = new_receipt_id()
    licence = licence_of(library)
    first, second = (look_at(library, licence, reference=use) for _number in range(2))
    single = look_at(library, licence)
    rate_use(library, CITY.code, use, score=5, text="", operator="Li Min")
    assert code_of(lambda: rate_use(library, CITY.code, use, score=1, text="x", operator="Z")) == "already_rated"
    assert code_of(lambda: rate_use(library, MARKET_BUREAU.code, use, score=1, text="x", operator="Z")) == (
        "use_not_found"
    )
    me = me_of(library)
    given = rate_own(library, me, reference=use, score=1, text="They asked twice")
    assert (given.agency_code, given.type_code) == (CITY.code, TYPE)
    for look in (first, second):  # rows under one use code are one use
        assert code_of(lambda look=look: rate_own(library, me, look_id=look, score=5, text="")) == "already_rated"
    rate_own(library, me, look_id=single, score=2, text="Slow")
    stranger = me_of(library, STRANGER)
    assert code_of(lambda: rate_own(library, stranger, reference=use, score=5, text="")) == "use_not_found"
    assert code_of(lambda: rate_own(library, stranger, look_id=single, score=5, text="")) == "look_not_found"
    assert [(each.score, each.by, each.text) for each in bad_ratings(library)] == [
        (2, "holder", "Slow"),
        (1, "holder", "They asked twice"),
    ]
    assert bad_ratings(library, agency_code=MARKET_BUREAU.code) == ()
    check_invariants(library.store)


def test_ratings_at_once_are_one(library: Library) -> None:
    use = new_receipt_id()
    look_at(library, licence_of(library), reference=use)

    def once(number: int) -> str:
        return code_of(lambda: rate_use(library, CITY.code, use, score=1 + number % 5, text="x", operator="Li"))

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(once, range(8)))
    assert sorted(codes) == ["", *["already_rated"] * 7]
    assert sum(each.act == "rating.given" for each in audits.read_chain(library.store)) == 1


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"score": 0}, "score"),
        ({"score": 6}, "score"),
        ({"score": 2**70}, "score"),
        ({"score": 1, "text": " "}, "text"),
        ({"score": 2, "text": ""}, "text"),
        ({"score": 5, "text": "x" * 1001}, "text"),
        ({"score": 5, "text": "\ud800"}, "text"),
    ],
)
def test_a_bad_rating_says_why(sqlite_library: Library, said: dict[str, Any], fields: str) -> None:
    look = look_at(sqlite_library, licence_of(sqlite_library))
    whole = {"look_id": look, "text": "", **said}
    assert code_of(lambda: rate_own(sqlite_library, me_of(sqlite_library), **whole)) == fields


def test_exactly_one_use_is_named(sqlite_library: Library) -> None:
    me = me_of(sqlite_library)
    assert code_of(lambda: rate_own(sqlite_library, me, score=5, text="")) == "look"
    assert code_of(lambda: rate_own(sqlite_library, me, look_id=1, reference="x", score=5, text="")) == "look"
    for reference in ("\x00", "é", "x" * 4096, "\ud800", "0" * 26):
        assert code_of(lambda r=reference: rate_own(sqlite_library, me, reference=r, score=5, text="")) == (
            "use_not_found"
        )
        assert code_of(lambda r=reference: rate_use(sqlite_library, CITY.code, r, score=5, text="", operator="L")) == (
            "use_not_found"
        )
    for number in (-1, 2**70):
        assert code_of(lambda n=number: rate_own(sqlite_library, me, look_id=n, score=5, text="")) == "look_not_found"


def test_paper_is_reported_with_a_reason_of_the_list(library: Library) -> None:
    said = {"type_code": TYPE, "matter_code": "330200-0107", "text": "", "operator": "Li Min"}
    for reason in PaperReason:
        code = code_of(lambda reason=reason: report_paper(library, CITY.code, reason=reason, **said))
        assert code == ("text" if reason is PaperReason.OTHER else "")
    assert code_of(lambda: report_paper(library, CITY.code, reason="because", **said)) == "reason"
    assert code_of(lambda: report_paper(library, CITY.code, reason="other", **{**said, "text": "Boss"})) == ""
    for kind in ("no", "\x00", "\ud800"):
        bad = {**said, "type_code": kind}
        assert code_of(lambda bad=bad: report_paper(library, CITY.code, reason="not_found", **bad)) == "type"
    mine = {"agency_code": CITY.code, "type_code": TYPE, "matter_code": "", "reason": "not_trusted", "text": "No!"}
    made = report_paper_own(library, me_of(library), **mine)
    assert code_of(lambda: report_paper_own(library, me_of(library), **{**mine, "agency_code": "\x00"})) == "agency"
    newest = paper_reports(library)[0]
    assert (newest.by, newest.agency_code, newest.text) == ("holder", made.agency_code, "No!")
    assert len(paper_reports(library, agency_code=CITY.code)) == len(PaperReason) + 1
    assert paper_reports(library, agency_code=MARKET_BUREAU.code) == ()
    reasons = [each.detail["reason"] for each in audits.read_chain(library.store) if each.act == "paper.demanded"]
    assert sorted({*reasons}) == sorted(PaperReason)
    check_invariants(library.store)


def test_what_was_written_lies_sealed(library: Library) -> None:
    use = new_receipt_id()
    look_at(library, licence_of(library), reference=use)
    rate_use(library, CITY.code, use, score=1, text="Mrs Shen shouted", operator="Li Min")
    report_paper(library, CITY.code, type_code=TYPE, matter_code="m", reason="other", text="Mrs Shen insisted",
                 operator="Li Min")  # fmt: skip
    with reading(library.store) as conn:
        rows = [str(dict(row)) for t in (RATING, PAPER_REPORT) for row in conn.execute(select(t)).mappings()]
    chain = json.dumps([[each.subject, dict(each.detail)] for each in audits.read_chain(library.store)])
    assert "Shen" not in "".join(rows) + chain
    assert bad_ratings(library)[0].text == "Mrs Shen shouted"


def test_a_delegate_and_an_ended_session(sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    look = look_at(sqlite_library, licence)
    narrow = agent_of_mother(sqlite_library, types=("business-licence",))
    outside = me_of(sqlite_library, STRANGER, acting_for=narrow.id)
    assert code_of(lambda: rate_own(sqlite_library, outside, look_id=look, score=5, text="")) == "look_not_found"
    paper = {"agency_code": CITY.code, "type_code": TYPE, "matter_code": "", "reason": "not_trusted", "text": ""}
    assert code_of(lambda: report_paper_own(sqlite_library, outside, **paper)) == "type"
    me = me_of(sqlite_library)
    end_session(sqlite_library, me)
    assert code_of(lambda: rate_own(sqlite_library, me, look_id=look, score=5, text="")) == "session_over"
    assert code_of(lambda: report_paper_own(sqlite_library, me, **paper)) == "session_over"
    assert not bad_ratings(sqlite_library)
    assert not paper_reports(sqlite_library)
