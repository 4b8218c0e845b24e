"""One operation on many licences: counted, approved once, killed anywhere, gone on with."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from certlib.changing import changes_of
from certlib.errors import ConflictError, ForbiddenError, InvalidRequestError, NotFoundError
from certlib.issuing import issue
from certlib.library import Library
from certlib.lifecycle_bulk import Bulk, Filter, act_json, decide, open_acts, plan, read_list, rehearse, run
from certlib.model import Licence, Status
from certlib.store.audits import read_chain
from certlib.store.changes import ChangeState
from certlib.store.lookups import licence_by_identifier
from certlib.store.statuses import status_changes
from tests.support.changes import lay_down, order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, company_request

AGENCY = MARKET_BUREAU.code
ROOT = Path(__file__).resolve().parents[2]
NUMBERS = ("91990200MA7EXAM18U", "91990200MA7EXAM26N", "91990200MA7EXAM34H")


@pytest.fixture
def licences(library: Library) -> list[Licence]:
    return [
        issue(library, company_request(number, operator=f"o{place}", batch="b1" if place else "")).licence
        for place, number in enumerate(NUMBERS)
    ]


def statuses(library: Library, licences: list[Licence]) -> list[Status]:
    return [licence_by_identifier(library.store, each.identifier).status for each in licences]


def listed(licences: list[Licence], column: str = "", cell: str = "") -> dict[str, dict[str, object]]:
    lines = ["identifier" + (f",{column}" if column else "")]
    lines += [each.identifier + (f",{cell}" if column else "") for each in licences]
    return read_list("\n".join(lines).encode())


def test_a_filter_counts_first_and_is_approved_once(library: Library, licences: list[Licence], clock: Clock) -> None:
    for wanted, number in (
        (Filter(batch="b1"), 2),
        (Filter(operator="o0"), 1),
        (Filter(key=licences[0].token_kid), 3),
        (Filter(key=licences[0].seal_kid), 3),
        (Filter(type_code="business-licence", type_version=1, since=clock(), batch="b1"), 2),
        (Filter(type_code="business-licence", type_version=2), 0),
        (Filter(until=clock()), 0),
    ):
        bulk = Bulk(order=order("revoke"), wanted=wanted)
        before = check_invariants(library.store)
        preview = rehearse(library, AGENCY, bulk)
        assert (preview.selected, preview.planned) == (number, number)
        assert check_invariants(library.store) == before
    assert rehearse(library, CITY.code, Bulk(order=order("revoke"), wanted=Filter(batch="b1"))).selected == 0
    act = plan(library, AGENCY, Bulk(order=order("revoke"), wanted=Filter(batch="b1")))
    assert statuses(library, licences) == [Status.ACTIVE] * 3
    assert open_acts(library, AGENCY) == (act,)
    with pytest.raises(ConflictError, match="not approved"):
        run(library, AGENCY, act.id)
    with pytest.raises(ConflictError) as other:
        decide(library, AGENCY, act.id, operator="li", total=3)
    assert other.value.code == "other_count"
    with pytest.raises(NotFoundError):
        decide(library, CITY.code, act.id, operator="li", total=2)
    decide(library, AGENCY, act.id, operator="li", total=2)
    done = run(library, AGENCY, act.id)
    assert done.state is ChangeState.DONE
    assert run(library, AGENCY, act.id) == done
    assert act_json(library, done)["counts"] == {"done": 2}
    assert statuses(library, licences) == [Status.ACTIVE, Status.REVOKED, Status.REVOKED]
    records = [each for each in read_chain(library.store) if each.detail.get("bulk") == act.id]
    assert Counter(each.subject for each in records) == {licences[1].identifier: 1, licences[2].identifier: 1}
    acts = [each.act for each in read_chain(library.store) if each.subject == act.id]
    assert acts == ["bulk.planned", "bulk.approved", "bulk.finished"]
    check_invariants(library.store)


def test_a_list_with_what_cannot_be_done_says_so(library: Library, licences: list[Licence]) -> None:
    first = plan(library, AGENCY, Bulk(order=order("revoke"), listed=listed(licences[:1])))
    decide(library, AGENCY, first.id, operator="li", total=1)
    run(library, AGENCY, first.id)
    bulk = Bulk(order=order("suspend"), listed=listed(licences))
    preview = rehearse(library, AGENCY, bulk)
    assert (preview.selected, preview.planned) == (3, 2)
    assert preview.outcomes == {"moved": 2, "refused:illegal_transition": 1}
    act = plan(library, AGENCY, bulk)
    decide(library, AGENCY, act.id, operator="li", total=2)
    meanwhile = plan(library, AGENCY, Bulk(order=order("revoke"), listed=listed(licences[1:2])))
    decide(library, AGENCY, meanwhile.id, operator="li", total=1)
    run(library, AGENCY, meanwhile.id)
    done = run(library, AGENCY, act.id)
    assert act_json(library, done)["counts"] == {"done": 1, "refused:illegal_transition": 1}
    assert statuses(library, licences) == [Status.REVOKED, Status.REVOKED, Status.SUSPENDED]
    check_invariants(library.store)


def test_two_persons_where_a_type_asks_for_them(library: Library, licences: list[Licence], clock: Clock) -> None:
    lay_down(library, 'maker_checker = ["cancel"]\npending_days = 1')
    act = plan(library, AGENCY, Bulk(order=order("cancel"), listed=listed(licences)))
    assert act.two_persons
    with pytest.raises(ForbiddenError):
        decide(library, AGENCY, act.id, operator="ZHANG", total=3)
    clock.move(days=1)
    with pytest.raises(ConflictError) as late:
        decide(library, AGENCY, act.id, operator="li", total=3)
    assert late.value.code == "change_expired"
    act = plan(library, AGENCY, Bulk(order=order("cancel"), listed=listed(licences)))
    declined = decide(library, AGENCY, act.id, operator="li", approve=False)
    assert declined.state is ChangeState.DECLINED
    assert statuses(library, licences) == [Status.ACTIVE] * 3
    assert act_json(library, declined)["counts"] == {"declined": 3}
    check_invariants(library.store)


def test_new_versions_in_bulk(library: Library, licences: list[Licence]) -> None:
    bulk = Bulk(order=order("renew", renewed={}), listed=listed(licences, "expires_on", "2030-01-01"))
    act = plan(library, AGENCY, bulk)
    decide(library, AGENCY, act.id, operator="li", total=3)
    done = run(library, AGENCY, act.id)
    assert act_json(library, done)["counts"] == {"done": 3}
    assert statuses(library, licences) == [Status.SUPERSEDED] * 3
    for each in licences:
        (change,) = changes_of(library, AGENCY, each.identifier)
        new = licence_by_identifier(library.store, change.successor)
        assert (new.version, str(new.expires_on), change.act_id) == (2, "2030-01-01", act.id)
    check_invariants(library.store)


@pytest.mark.parametrize(
    ("bulk", "code"),
    [
        (Bulk(order=order("revoke")), "required"),
        (Bulk(order=order("revoke"), wanted=Filter()), "required"),
        (Bulk(order=order("revoke"), wanted=Filter(batch="x"), listed={}), "required"),
        (Bulk(order=order("revoke"), wanted=Filter(batch="none")), "nothing_selected"),
        (Bulk(order=order("revoke", document_number=""), wanted=Filter(batch="x")), "required"),
        (Bulk(order=order("revoke"), listed={"1.2.3": {}, "\x00": {}}), "not_found"),
        (Bulk(order=order("revoke"), listed={"1.2.3": {"expires_on": "2030-01-01"}}), "unknown_field"),
        (Bulk(order=order("renew", renewed={}), listed={"1.2.3": {}}), "required"),
    ],
)
def test_what_is_wrong_with_a_bulk_is_named(sqlite_library: Library, bulk: Bulk, code: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        plan(sqlite_library, AGENCY, bulk)
    assert {each.code for each in refused.value.faults} == {code}


@pytest.mark.parametrize(
    "data", [b"", b"number\n1", b"identifier\n\xff", b"identifier,a\n1", b"identifier\nX\nX", b'identifier\n"x']
)
def test_a_bad_list_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        read_list(data)


def test_a_bad_row_names_its_licence(sqlite_library: Library) -> None:
    licence = issue(sqlite_library, company_request()).licence
    bulk = Bulk(order=order("renew", renewed={}), listed=listed([licence], "expires_on", "soon"))
    with pytest.raises(InvalidRequestError) as refused:
        plan(sqlite_library, AGENCY, bulk)
    assert [(e.field, e.code) for e in refused.value.faults] == [(f"{licence.identifier}: expires_on", "bad_date")]


KILLER = """
import os, signal, sys
from pathlib import Path
from certlib.config import read_settings
from certlib.library import open_library
from certlib.lifecycle_bulk import decide, run
from certlib.store import bulks
home, act, step, times = sys.argv[1:]
left = int(times)
def kill(name):
    global left
    left -= name == step
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
bulks.ROWS_AT_ONCE = 1
lib = open_library(read_settings(Path(home)), step=kill)
decide(lib, "%s", act, operator="li", total=3)
run(lib, "%s", act)
"""  # one licence a block, so that there is much between


@pytest.mark.parametrize(
    ("operation", "step", "times"),
    [
        ("revoke", "decided", 1),
        ("revoke", "block", 1),
        ("revoke", "block", 2),
        ("revoke", "block", 3),
        ("revoke", "finished", 1),
        ("renew", "reserved", 2),
        ("renew", "recorded", 2),
        ("renew", "issued", 2),
    ],
)
def test_kill_9(library: Library, licences: list[Licence], operation: str, step: str, times: int) -> None:
    act = plan(library, AGENCY, Bulk(order=order(operation), wanted=Filter(type_code="business-licence")))
    command = [
        *(sys.executable, "-c", KILLER % (AGENCY, AGENCY)),
        *(str(library.settings.home), act.id, step, str(times)),
    ]
    environment = {**os.environ, "PYTHONPATH": "."}
    died = subprocess.run(command, cwd=ROOT, capture_output=True, env=environment, check=False)  # noqa: S603  # our own script
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    check_invariants(library.store)
    end = Status.REVOKED if operation == "revoke" else Status.SUPERSEDED
    assert set(statuses(library, licences)) <= {Status.ACTIVE, end}
    decide(library, AGENCY, act.id, operator="li", total=3)
    done = run(library, AGENCY, act.id)
    assert act_json(library, done)["counts"] == {"done": 3}
    assert statuses(library, licences) == [end] * 3
    for each in licences:
        assert len(status_changes(library.store, each.identifier)) == 1
    acts = [each.act for each in read_chain(library.store) if each.subject == act.id]
    assert acts == ["bulk.planned", "bulk.approved", "bulk.finished"]
    check_invariants(library.store)
