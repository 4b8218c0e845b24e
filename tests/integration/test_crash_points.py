"""The issuance cycle, stopped after each step, politely and with kill -9: nothing is lost, nothing is repeated."""

import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from certlib.enrolling import rotate_key
from certlib.issuing import issue, issue_block, sweep
from certlib.library import Library, close_library, open_library
from certlib.model import OverallWord
from certlib.operating_changes import resume
from certlib.store.engine import reading, writing
from certlib.store.lookups import pdf_of
from certlib.store.tables import LICENCE
from certlib.verifying import verify
from signing.keys import KeyAlgorithm
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request, opened

STEPS = ("prepared", "reserved", "signed", "drawn", "rendered", "sealed", "verified", "recorded")
ROOT = Path(__file__).resolve().parents[2]


class CrashError(Exception):
    """The power is gone."""


class CrashAfter:
    """Raises after the named step."""

    def __init__(self, step: str) -> None:
        self.step = step

    def __call__(self, name: str) -> None:
        if name == self.step:
            raise CrashError(name)


def crashed(library: Library, clock: Clock, step: str) -> None:
    lib = opened(library.settings, now=clock, step=CrashAfter(step))
    try:
        with pytest.raises(CrashError):
            issue(lib, company_request())
    finally:
        close_library(lib)


def identifiers(library: Library) -> list[str]:
    with reading(library.store) as conn:
        return [row.identifier for row in conn.execute(select(LICENCE.c.identifier).order_by(LICENCE.c.id))]


@pytest.mark.parametrize("step", STEPS)
def test_the_same_request_goes_on_after_a_crash(library: Library, clock: Clock, step: str) -> None:
    crashed(library, clock, step)
    check_invariants(library.store)
    before = identifiers(library)
    assert len(before) == (0 if step == "prepared" else 1)
    issued = issue(library, company_request())
    assert issued.new == (step != "recorded")
    assert identifiers(library) == (before or [issued.licence.identifier])
    assert issue(library, company_request()).licence == issued.licence
    check_invariants(library.store)


@pytest.mark.parametrize("step", STEPS)
def test_the_sweep_finishes_what_a_crash_left(library: Library, clock: Clock, step: str) -> None:
    crashed(library, clock, step)
    before = identifiers(library)
    assert list(sweep(library)) == []  # too young: another process may be at work
    clock.move(hours=1)
    swept = list(sweep(library, older_than=timedelta(minutes=10)))
    assert [outcome.licence.identifier for outcome in swept if outcome.licence] == (
        [] if step in ("prepared", "recorded") else before
    )
    check_invariants(library.store)
    assert list(sweep(library)) == []


def test_keys_rotated_since_the_crash_still_finish_it(library: Library, clock: Clock) -> None:
    crashed(library, clock, "sealed")
    clock.move(hours=2)
    for purpose in ("token", "seal"):
        rotate_key(library, MARKET_BUREAU.code, purpose, algorithm=KeyAlgorithm.P256, operator="tests")
    issued = issue(library, company_request())
    assert issued.new
    assert identifiers(library) == [issued.licence.identifier]
    for given in (issued.licence.token, pdf_of(library.store, issued.licence)):
        assert verify(given, library, now=clock()).word is OverallWord.VALID


def test_the_command_issues_what_a_crash_left(library: Library, clock: Clock) -> None:
    crashed(library, clock, "sealed")
    before = identifiers(library)
    assert resume(library.settings.home).data == []  # too young
    with writing(library.store) as conn:
        conn.execute(update(LICENCE).values(issued_at=clock() - timedelta(hours=1)))
    report = resume(library.settings.home)
    assert (report.data, report.good) == ([{"issued": before[0]}], True)
    assert not issue(library, company_request()).new
    check_invariants(library.store)


@pytest.mark.parametrize("step", ["reserved", "sealed", "recorded"])
def test_a_block_goes_on_after_a_crash(library: Library, clock: Clock, step: str) -> None:
    requests = [company_request(number) for number in ("91990200MA7EXAM18U", "91990200MA7EXAM26P")]
    requests = [requests[0], company_request(fields={**requests[0].fields, "address": ""}), *requests[:1]]
    lib = opened(library.settings, now=clock, step=CrashAfter(step))
    with pytest.raises(CrashError):
        issue_block(lib, requests)
    close_library(lib)
    first, refused, again = issue_block(library, requests)
    assert first.licence is not None
    assert refused.error is not None
    assert refused.error.code == "invalid_request"
    assert again.licence == first.licence
    assert not again.new
    check_invariants(library.store)


KILLER = """
import os, signal, sys
from pathlib import Path
from certlib.config import read_settings
from certlib.enrolling import rotate_key
from certlib.issuing import issue
from certlib.library import open_library
from tests.support.libraries import company_request
def kill(name):
    if name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
issue(open_library(read_settings(Path(sys.argv[1])), step=kill), company_request())
"""


@pytest.mark.parametrize("step", ["reserved", "sealed", "verified", "recorded"])
def test_kill_9(library: Library, step: str) -> None:
    command = [sys.executable, "-c", KILLER, str(library.settings.home), step]
    environment = {**os.environ, "PYTHONPATH": "."}
    died = subprocess.run(command, cwd=ROOT, capture_output=True, env=environment, check=False)  # noqa: S603  # our own script
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    check_invariants(library.store)
    before = identifiers(library)
    fresh = open_library(library.settings)
    try:
        issued = issue(fresh, company_request())
    finally:
        close_library(fresh)
    assert [issued.licence.identifier] == before
    assert issued.new == (step != "recorded")
    check_invariants(library.store)
