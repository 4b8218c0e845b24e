"""Checks on a real library: what they tell, what they never tell, and what they leave behind."""

import base64
import json
from collections.abc import Mapping
from datetime import date

import pytest

from certlib.changing import order_change
from certlib.errors import CertlibError, InvalidRequestError, LimitReachedError
from certlib.grants import Interface
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Holder
from certlib.sharing.checks import CheckAnswer, check, check_json
from certlib.store import audits, looks
from certlib.trusting import live_pack
from certlib.verdict import moment
from signing.receipts import verify_receipt
from tests.support.changes import order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request
from tests.support.sharing import asker, asking, granted

TYPE = "business-licence"
NUMBER = "91990200MA7EXAM18U"


def ask(lib: Library, given: Mapping[str, str], **parts: object) -> CheckAnswer:
    """One check by the city."""
    caller, said = parts.pop("caller", asker()), parts.pop("asking", asking())
    return check(lib, caller, said, **{"type_code": TYPE, "given": given, **parts})  # type: ignore[arg-type]  # by reading


def refused(lib: Library, given: Mapping[str, str], **parts: object) -> CertlibError:
    """The error of a check that must not be answered."""
    with pytest.raises(CertlibError) as caught:
        ask(lib, given, **parts)
    return caught.value


def test_a_check_tells_the_status_to_whom_all_matches(library: Library, clock: Clock) -> None:
    licence = issue(library, company_request()).licence
    grant = granted(library, interfaces=frozenset({Interface.CHECK}))
    given = {"number": NUMBER, "holder_name": "甬江样本茶叶贸易有限公司", "registered_capital": "1680000"}
    answer = ask(library, given)
    assert check_json(answer) == {
        "result": "match",
        "fields": dict.fromkeys(given, "match"),
        "word": "valid",
        "status_as_of": moment(clock()),
        "checked_at": moment(clock()),
        "receipt_id": answer.receipt_id,
        "receipt": answer.receipt,
    }
    (look,) = looks.looks_of_licence(library.store, licence.identifier)
    assert (look.kind, look.outcome, look.reference, look.grant_id) == ("check", "match", answer.receipt_id, grant.id)
    assert look.fields == tuple(given)
    verified = verify_receipt(answer.receipt, live_pack(library, now=clock()), now=clock())
    assert verified.receipt.receipt_id == answer.receipt_id
    assert (verified.receipt.act, verified.receipt.subject, verified.receipt.asked_by) == ("check", TYPE, "RAINPORT")
    assert verified.receipt.result == {
        "result": "match",
        "fields": dict.fromkeys(given, "match"),
        "word": "valid",
        "status_as_of": moment(clock()),
        "given": given,
    }
    check_invariants(library.store)


def test_whoever_errs_in_one_value_is_not_told_the_status(library: Library) -> None:
    licence = issue(library, company_request()).licence
    order_change(library, MARKET_BUREAU.code, licence.identifier, order("revoke"))
    granted(library)
    wrong = ask(library, {"number": NUMBER, "legal_representative": "林样"})
    assert (wrong.outcome, wrong.word) == ("differs", "")
    assert wrong.fields == {"number": "match", "legal_representative": "differs"}
    unknown = ask(library, {"number": NUMBER, "area_code": "330200"})
    assert (unknown.outcome, unknown.word) == ("differs", "")
    assert unknown.fields["area_code"] == "not_recorded"
    right = ask(library, {"number": NUMBER, "legal_representative": "林样知"})
    assert (right.outcome, right.word) == ("match", "revoked")


def test_nothing_found_leaves_a_look_for_the_holder(library: Library) -> None:
    granted(library)
    answer = ask(library, {"holder_code": NUMBER.lower(), "number": NUMBER})
    assert (answer.outcome, answer.fields, answer.word) == ("nothing_found", {}, "")
    (look,) = looks.looks_of_holder(library.store, NUMBER)
    assert (look.outcome, look.identifier, look.reference) == ("nothing_found", "", answer.receipt_id)
    by_number = ask(library, {"number": "91990200MA7EXAM204"})
    (look,) = looks.looks_of_reference(library.store, by_number.receipt_id)
    assert (look.outcome, look.identifier) == ("nothing_found", "")
    check_invariants(library.store)


def test_a_licence_of_another_type_is_nothing_found(library: Library) -> None:
    licence = issue(library, company_request()).licence
    granted(library)
    granted(library, type_code="practitioner-licence", fields=("number", "holder_code"))
    for given in ({"identifier": licence.identifier}, {"number": NUMBER}, {"holder_code": NUMBER}):
        answer = ask(library, given, type_code="practitioner-licence")
        assert answer.outcome == "nothing_found"
        assert ask(library, given).outcome == "match"


def test_several_that_fit_are_too_many_until_more_is_given(library: Library) -> None:
    holder = (Holder(name="甬江样本茶叶贸易有限公司", code=NUMBER, code_type="001"),)
    issue(library, company_request())
    issue(library, company_request("91990200MA7EXAM204", holders=holder, issued_on=date(2026, 11, 21)))
    granted(library)
    assert ask(library, {"holder_code": NUMBER}).outcome == "ambiguous"
    answer = ask(library, {"holder_code": NUMBER, "issued_on": "2026-11-21"})
    assert (answer.outcome, answer.word) == ("match", "valid")
    assert ask(library, {"holder_code": NUMBER, "issued_on": "2026-11-19"}).outcome == "ambiguous"
    assert ask(library, {"holder_code": NUMBER, "number": "91990200MA7EXAM204", "issued_on": "2026-11-20"}).fields == {
        "holder_code": "match",
        "number": "match",
        "issued_on": "differs",
    }


def test_only_the_version_that_stands_is_found_except_by_identifier(library: Library) -> None:
    old = issue(library, company_request()).licence
    granted(library)
    order_change(library, MARKET_BUREAU.code, old.identifier, order("correct"))
    answer = ask(library, {"number": NUMBER, "address": "样本市江湾区望湖街道听潮路168号"})
    assert (answer.outcome, answer.word) == ("match", "valid")
    assert ask(library, {"identifier": old.identifier, "number": NUMBER}).word == "superseded"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"holder_name": "甬江样本茶叶贸易有限公司"}, "invalid_request"),
        ({"number": NUMBER, "establishd_on": "2026-11-18"}, "invalid_request"),
        ({"number": NUMBER, "established_on": "2026-11-18"}, "field_not_granted"),
        ({"number": "\x00"}, "invalid_request"),
        ({"identifier": "\ud800"}, "invalid_request"),
        ({"holder_code": "x" * 5000}, "invalid_request"),
    ],
)
def test_what_cannot_be_checked_names_the_way_out(library: Library, given: dict[str, str], code: str) -> None:
    granted(library)
    error = refused(library, given)
    assert error.code == code
    assert error.hint or isinstance(error, InvalidRequestError)


def test_a_type_that_nobody_has_is_refused_as_one_that_is_not_granted(library: Library) -> None:
    assert refused(library, {"number": NUMBER}, type_code="no-such-type").code == "no_grant"
    assert refused(library, {"number": NUMBER}).code == "no_grant"
    granted(library, type_code="no-such-type")
    assert refused(library, {"number": NUMBER}, type_code="no-such-type").code == "type_not_found"


def test_a_refusal_is_the_same_whatever_is_on_record(library: Library) -> None:
    granted(library, fields=("number",))
    before = [
        refused(library, {"number": NUMBER, "holder_name": "x"}),
        refused(library, {"number": NUMBER}, type_code="t"),
    ]
    issue(library, company_request())
    after = [
        refused(library, {"number": NUMBER, "holder_name": "x"}),
        refused(library, {"number": NUMBER}, type_code="t"),
    ]
    assert [(str(each), each.code, each.hint) for each in before] == [
        (str(each), each.code, each.hint) for each in after
    ]


def test_guessing_ends_by_holder_and_by_licence(library: Library, clock: Clock) -> None:
    issue(library, company_request())
    granted(library)
    for number in range(60):
        ask(library, {"number": NUMBER, "legal_representative": f"林{number}"})
    error = refused(library, {"number": NUMBER, "legal_representative": "林样知"})
    assert (type(error), error.code) == (LimitReachedError, "holder_limit_reached")
    ask(library, {"holder_code": "91990200MA7EXAM204"})
    for number in range(59):
        # However the code is written, it is the same holder.
        ask(library, {"holder_code": " " * (number + 1) + "91990200 MA7EXAM204".replace(" ", " " * number).lower()})
    assert refused(library, {"holder_code": "91990200MA7EXAM204"}).code == "holder_limit_reached"
    clock.move(hours=1, seconds=1)
    assert ask(library, {"number": NUMBER, "legal_representative": "林样知"}).outcome == "match"


def test_no_recorded_value_leaves_that_was_not_given(library: Library) -> None:
    licence = issue(library, company_request()).licence
    granted(library)
    recorded = {*licence.fields.values(), licence.number, licence.identifier, licence.holders[0].name, licence.token}
    recorded |= {licence.public_code, licence.pdf_sha256, licence.check_phrase, "2026-11-20", "2026-11-18"}
    for given in ({"number": NUMBER}, {"number": NUMBER, "address": "x"}, {"identifier": licence.identifier}):
        answer = ask(library, given)
        told = json.dumps(check_json(answer), ensure_ascii=False) + payload_of(answer.receipt)
        assert [value for value in recorded - set(given.values()) if value in told] == []
    entries = str([each for each in audits.read_chain(library.store) if each.act.startswith(("look.", "share."))])
    assert [value for value in recorded - {licence.identifier} if value in entries] == []


def payload_of(receipt: str) -> str:
    """What a receipt says, as text."""
    part = receipt.split(".")[1]
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
