"""Licences sealed with a timestamp (PAdES B-T), from the setting to the verdict; and an authority that is no use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from certlib.checking import pem
from certlib.config import Settings, read_settings
from certlib.errors import UnavailableError
from certlib.issuing import issue
from certlib.library import Library, close_library
from certlib.model import OverallWord
from certlib.verdict import CheckName
from certlib.verifying import verify
from tests.support.clock import Clock
from tests.support.files import recorded
from tests.support.invariants import check_invariants
from tests.support.libraries import company_request, opened
from tests.support.pki import throwaway_pki
from tests.support.sealing import authority
from tests.support.tsa import tsa_server
from tests.support.verdicts import answer, asked, of, offline


@contextmanager
def stamping(lib: Library, now: Callable[[], datetime], *, url: str = "") -> Iterator[Library]:
    """The library again, its seals stamped by an authority with this clock, or by whoever is at `url`."""
    (lib.settings.home / "tsa.pem").write_bytes(pem(throwaway_pki().root_cert_der))
    with tsa_server(authority(now=now).reply) as served:
        told = f'tsa_url = "{url or served}"\ntsa_roots_file = "tsa.pem"\n'
        with (lib.settings.home / "certlib.toml").open("a", encoding="utf-8") as file:
            file.write(told)
        settings: Settings = read_settings(lib.settings.home)
        stamped = opened(settings, now=lib.now)
        try:
            yield stamped
        finally:
            close_library(stamped)
            text = (lib.settings.home / "certlib.toml").read_text("utf-8")
            (lib.settings.home / "certlib.toml").write_text(text.replace(told, ""), "utf-8")


def test_a_stamped_licence_is_valid_live_and_offline(library: Library, clock: Clock) -> None:
    with stamping(library, clock) as lib:
        licence = issue(lib, company_request()).licence
        pdf = recorded(lib, licence)
        verdict = asked(lib, pdf)
        assert answer(verdict) == (OverallWord.VALID, "")
        assert of(verdict, CheckName.INTEGRITY_AND_SEAL).evidence["time_source"] == "timestamp"
        trust = offline(lib)
        without_network = verify(pdf, trust, now=clock())
        assert answer(without_network) == (OverallWord.VALID_OFFLINE, "")
        assert of(without_network, CheckName.INTEGRITY_AND_SEAL).evidence["time_source"] == "timestamp"
        check_invariants(lib.store)


@pytest.mark.parametrize("wrong", [timedelta(hours=7), timedelta(hours=-7), timedelta(seconds=90)])
def test_an_authority_of_another_time_stamps_nothing(sqlite_library: Library, clock: Clock, wrong: timedelta) -> None:
    with (
        stamping(sqlite_library, lambda: clock() + wrong) as lib,
        pytest.raises(UnavailableError, match="clock") as caught,
    ):
        issue(lib, company_request())
    assert caught.value.code == "tsa_unavailable"


def test_what_was_begun_without_the_authority_is_finished_with_it(library: Library, clock: Clock) -> None:
    with stamping(library, clock, url="http://127.0.0.1:9/tsr") as lib, pytest.raises(UnavailableError):
        issue(lib, company_request())
    check_invariants(library.store)
    with stamping(library, clock) as lib:
        issued = issue(lib, company_request())
        assert issued.new
        assert asked(lib, recorded(lib, issued.licence)).word is OverallWord.VALID
        again = issue(lib, company_request())
        assert (again.new, again.licence.identifier) == (False, issued.licence.identifier)
        check_invariants(lib.store)
