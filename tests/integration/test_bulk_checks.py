"""Files of checks: every row gets its verdict, nothing is lost, nothing leaks, the whole is signed."""

import csv
import hashlib
import io
import json

import pytest

from certlib.changing import order_change
from certlib.errors import CertlibError, InvalidRequestError
from certlib.grants import Interface
from certlib.issuing import issue
from certlib.library import Library
from certlib.sharing.bulk_checks import BulkAnswer, bulk_check, bulk_json
from certlib.store import audits, granting, looks
from certlib.trusting import live_pack
from signing.receipts import verify_receipt
from tests.support.changes import order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request
from tests.support.sharing import asker, asking, granted

TYPE = "business-licence"
FIRST, SECOND, NOBODY = "91990200MA7EXAM18U", "91990200MA7EXAM204", "91990200MA7EXAM305"
NAME = "甬江样本茶叶贸易有限公司"


def bulk(lib: Library, *, text: str | None = None, jsonl: str | None = None, **parts: str) -> BulkAnswer:
    """One file of the city."""
    return bulk_check(lib, asker(), asking(), **{"type_code": TYPE, "csv": text, "jsonl": jsonl, **parts})  # type: ignore[arg-type]


def refused(lib: Library, **parts: str) -> CertlibError:
    """The error of a file that gets no answer."""
    with pytest.raises(CertlibError) as caught:
        bulk(lib, **parts)
    return caught.value


def rows_of(answer: BulkAnswer) -> list[dict[str, str]]:
    """The verdicts of a CSV."""
    assert answer.result.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.result[1:], newline=""), strict=True))


def test_every_row_gets_its_verdict(library: Library, clock: Clock) -> None:
    first = issue(library, company_request()).licence
    second = issue(library, company_request(SECOND)).licence
    order_change(library, MARKET_BUREAU.code, second.identifier, order("revoke"))
    grant = granted(library, interfaces=frozenset({Interface.CHECK}))
    text = (
        "row-id,number,holder_code,holder_name,issued_on,identifier\r\n"
        f"a,{FIRST},,{NAME},2026-11-20,\r\n"
        f"b,{SECOND.lower()},,,,\r\n"
        f"c,,{FIRST},别人,,\r\n"
        f"d,{NOBODY},,,,\r\n"
        "e,,,只有名字,,\r\n"
        f"f,{FIRST},,,20 November,\r\n"
        "g,too,few\r\n"
        f",,,,,{first.identifier}\r\n"
        f'"=1+1",{NOBODY},{SECOND},,,\r\n'
    )
    answer = bulk(library, text=text)
    found = rows_of(answer)
    assert [(row["row"], row["row-id"], row["result"], row["word"]) for row in found] == [
        ("2", "a", "match", "valid"),
        ("3", "b", "match", "revoked"),
        ("4", "c", "differs", ""),
        ("5", "d", "nothing_found", ""),
        ("6", "e", "not_checked", ""),
        ("7", "f", "not_checked", ""),
        ("8", "", "not_checked", ""),
        ("9", "", "match", "valid"),
        ("10", "'=1+1", "differs", ""),
    ]
    assert found[2]["check.holder_code"] + found[2]["check.holder_name"] == "matchdiffers"
    assert [row["fault_fields"] for row in found[4:7]] == ["number", "issued_on", "(row)"]
    assert found[5]["fault_codes"] == "bad_date"
    assert "3 cells" in found[6]["fault_reasons"]
    assert answer.counts == {
        "nothing_found": 1,
        "ambiguous": 0,
        "differs": 2,
        "match": 3,
        "not_checked": 3,
        "holder_limit_reached": 0,
    }
    rows = looks.looks_of_reference(library.store, answer.bulk_id)
    assert [(each.kind, each.outcome, each.identifier) for each in reversed(rows)] == [
        ("check", "match", first.identifier),
        ("check", "match", second.identifier),
        ("check", "differs", first.identifier),
        ("check", "nothing_found", ""),
        ("check", "match", first.identifier),
        ("check", "differs", second.identifier),
        ("check_bulk", "answered", ""),
    ]
    assert granting.used(library.store, grant.id, library.now().date()) == 6
    verified = verify_receipt(answer.receipt, live_pack(library, now=clock()), now=clock()).receipt
    assert (verified.act, verified.receipt_id) == ("check_bulk", answer.bulk_id)
    assert verified.result == {
        "rows": 9,
        "counts": dict(answer.counts),
        "format": "csv",
        "asked_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "result_sha256": hashlib.sha256(answer.result.encode()).hexdigest(),
    }
    told = json.dumps(bulk_json(answer), ensure_ascii=False)
    for value in ("林样知", "1680000", "有限责任公司", NAME, FIRST, SECOND, first.identifier):
        assert value not in told  # verdicts only: not even what was given comes back
    check_invariants(library.store)


def test_json_lines_may_give_other_values_on_each_line(library: Library) -> None:
    issue(library, company_request())
    granted(library)
    lines = [
        {"number": FIRST, "registered_capital": 1680000},
        {"holder_code": FIRST, "row-id": "r2", "holder_name": None},
        {"number": FIRST, "registered_capital": [1]},
        {"number": FIRST, "nmae": "x"},
    ]
    text = "\n".join(json.dumps(line) for line in lines) + '\n\n{"number": "a", "number": "b"}\n[1]\n{"number": "x"\n\n'
    text += '{"\\ud800": "x"}\n{"number": "\\ud800"}\n{"number": "' + "[" * 3000 + "\n"
    answer = bulk(library, jsonl=text)
    found = [json.loads(line) for line in answer.result.splitlines()]
    assert [(row["row"], row["row-id"], row["result"], row["word"]) for row in found] == [
        (1, "", "match", "valid"),
        (2, "r2", "match", "valid"),
        (3, "", "not_checked", None),
        (4, "", "not_checked", None),
        (6, "", "not_checked", None),
        (7, "", "not_checked", None),
        (8, "", "not_checked", None),
        (10, "", "not_checked", None),
        (11, "", "not_checked", None),
        (12, "", "not_checked", None),
    ]
    assert found[0]["fields"] == {"number": "match", "registered_capital": "match"}
    assert [[(one["field"], one["code"]) for one in row["faults"]] for row in found[2:5]] == [
        [("registered_capital", "not_text")],
        [("nmae", "unknown_field")],
        [("(row)", "not_json")],
    ]


@pytest.mark.parametrize("head", ["\ufeffnumber;holder_name\n", "number\tholder_name\r\n", '"number","holder_name"\n'])
def test_a_spreadsheet_may_write_it(sqlite_library: Library, head: str) -> None:
    issue(sqlite_library, company_request())
    granted(sqlite_library)
    between = next(each for each in ";\t," if each in head)
    (row,) = rows_of(bulk(sqlite_library, text=f"{head}{FIRST}{between}{NAME}"))
    assert row["result"] == "match"


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({}, "csv"),
        ({"text": "number\n1", "jsonl": "{}"}, "csv"),
        ({"text": ""}, "csv"),
        ({"text": "\n\n"}, "csv"),
        ({"text": "number\n"}, "csv"),
        ({"text": "number,number\n1,2"}, "csv"),
        ({"text": "number,\n1,2"}, "csv"),
        ({"text": "number,Number\n1,2"}, "csv"),
        ({"text": "number,holder\n1,2"}, "csv"),
        ({"text": "number\n" + "1\n" * 10_001}, "csv"),
        ({"jsonl": ""}, "jsonl"),
        ({"jsonl": "{}\n" * 10_001}, "jsonl"),
        ({"text": "\x00"}, "csv"),
        ({"text": "number\n\ud800"}, "csv"),
        ({"jsonl": '{"number": "\ud800"}'}, "jsonl"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(sqlite_library: Library, parts: dict[str, str], field: str) -> None:
    grant = granted(sqlite_library)
    error = refused(sqlite_library, **parts)
    assert isinstance(error, InvalidRequestError)
    assert [fault.field for fault in error.faults] == [field]
    assert granting.used(sqlite_library.store, grant.id, sqlite_library.now().date()) == 0


def test_every_column_must_be_granted(sqlite_library: Library) -> None:
    granted(sqlite_library, fields=("number",))
    assert refused(sqlite_library, text=f"number,holder_name\n{FIRST},x").code == "field_not_granted"
    assert refused(sqlite_library, jsonl='{"number": "1"}\n{"holder_code": "1"}').code == "field_not_granted"
    assert bulk(sqlite_library, text=f"number\n{FIRST}").rows == 1
    assert refused(sqlite_library, text=f"number\n{FIRST}", type_code="practitioner-licence").code == "no_grant"


def test_the_cap_counts_rows_and_a_file_beyond_it_is_not_told(library: Library) -> None:
    issue(library, company_request())
    grant = granted(library, daily_cap=5)
    assert bulk(library, text=f"number\n{FIRST}\n{NOBODY}\nx\n").counts["match"] == 1
    assert refused(library, text=f"number\n{FIRST}\n{NOBODY}\nx\n").code == "daily_cap_reached"
    assert granting.used(library.store, grant.id, library.now().date()) == 3
    acts = [each.act for each in audits.read_chain(library.store) if each.act.startswith(("look.", "share."))]
    assert acts == ["look.check"] * 3 + ["look.check_bulk", "share.refused"]


def test_one_holder_cannot_be_guessed_inside_a_file(library: Library) -> None:
    issue(library, company_request())
    granted(library)
    guesses = "".join(f"{FIRST},林{number}\n" for number in range(70))
    answer = bulk(library, text="holder_code,legal_representative\n" + guesses)
    assert (answer.counts["differs"], answer.counts["holder_limit_reached"]) == (60, 10)
    assert {row["check.holder_code"] for row in rows_of(answer)[60:]} == {""}
    other = "".join(f"{FIRST},林{number}\n" for number in range(3)) + f"{SECOND},\n"
    answer = bulk(library, text="number,legal_representative\n" + other)
    assert [row["result"] for row in rows_of(answer)] == ["holder_limit_reached"] * 3 + ["nothing_found"]


def test_a_file_of_many_rows_is_answered_in_one_go(library: Library) -> None:
    issue(library, company_request())
    grant = granted(library, daily_cap=20_000)
    text = f"number,holder_name\n{FIRST},{NAME}\n" + "".join(f"9199{number:014d},甲\n" for number in range(2999))
    answer = bulk(library, text=text)
    assert (answer.counts["match"], answer.counts["nothing_found"]) == (1, 2999)
    assert granting.used(library.store, grant.id, library.now().date()) == 3000
    assert sum(each.act == "look.check" for each in audits.read_chain(library.store)) == 3000
    check_invariants(library.store)
