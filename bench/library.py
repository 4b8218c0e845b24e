"""A library of the bench's own: two agencies, the shipped types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.register import AGENCY, CITY, BusinessRegister
from certlib.cataloguing import add_shipped_types
from certlib.config import SETTINGS_FILE, Settings, read_settings
from certlib.enrolling import add_agency, create_library
from certlib.issuing import issue_block
from certlib.library import Library, close_library, open_library, utc_now
from signing.keys import KeyAlgorithm

if TYPE_CHECKING:
    from pathlib import Path

    from certlib.model import Licence

VERIFY_URL = "https://licences.example/q#"
"""As long as the prefix of the test record (facts: qr-token, 1)."""
PLENTY = 10**9


def new_library(home: Path, algorithm: KeyAlgorithm = KeyAlgorithm.P256) -> Settings:
    """A library at `home` whose agencies seal with `algorithm`; it counts askings, but refuses none."""
    home.mkdir(parents=True, mode=0o700)
    limits = ("lookups_per_minute", "shares_per_minute", "looks_per_holder_per_hour")
    lines = [f'verify_url = "{VERIFY_URL}"', *(f"{name} = {PLENTY}" for name in limits)]
    (home / SETTINGS_FILE).write_text("\n".join(lines) + "\n", "utf-8")
    settings = read_settings(home)
    create_library(settings, organisation="Bench", now=utc_now())
    lib = open_library(settings)
    try:
        add_shipped_types(lib, operator="bench")
        for agency in (AGENCY, CITY):
            add_agency(lib, agency, seal_algorithm=algorithm, operator="bench")
    finally:
        close_library(lib)
    return settings


def issued(lib: Library, count: int) -> list[Licence]:
    """`count` business licences of the register, issued as one block."""
    register = BusinessRegister(lib.press.folder("business-licence", 1).licence_type)
    licences = []
    for outcome in issue_block(lib, [register.request(index) for index in range(count)]):
        if outcome.licence is None:
            raise SystemExit(f"a row of the register was refused: {outcome.error}")
        licences.append(outcome.licence)
    return licences
