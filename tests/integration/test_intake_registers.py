"""The real registers and the invented ones, row by row through intake and the rules of their types."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from certlib.catalogue import parse_type
from certlib.errors import InvalidRequestError
from certlib.identifiers import AgencyCode
from certlib.intake import RequestMaker, open_register, parse_as_status, parse_map
from certlib.lawfulness import checked_request
from certlib.model import Agency, IssueRequest

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
BUREAU = Agency(code=AgencyCode("11990200MB90000230"), name="样本市市场监督管理局")
CITY = Agency(code=AgencyCode("RAINPORT"), name="City of Rainport", timezone="America/Los_Angeles")
TODAY = date(2026, 11, 22)
COMPANY_MAP = ROOT / "templates/business-licence/ningbo.map.toml"
BUSINESS_MAP = ROOT / "templates/seattle-business-licence/seattle.map.toml"


def judged(path: Path, mapping: Path, agency: Agency, as_status: str = "") -> tuple[list[IssueRequest], Counter[str]]:
    """The lawful requests of a register, and how many rows have a fault of each code."""
    if not path.exists():
        pytest.skip(f"the real register {path} is not on this machine")
    folder = mapping.parent
    named = {"practitioners.map.toml": "practitioner-licence", "births.map.toml": "birth-certificate"}
    code = named.get(mapping.name, folder.name)
    text = (ROOT / "templates" / code / "v1/type.toml").read_text("utf-8")
    licence_type = parse_type(text, where="type.toml", version=1)
    rules = parse_map(mapping.read_text("utf-8"), where=mapping.name, licence_type=licence_type)
    good: list[IssueRequest] = []
    faults: Counter[str] = Counter()
    with open_register(path, needed=rules.columns) as register:
        maker = RequestMaker(
            rules,
            licence_type,
            register.columns,
            folder=path.parent,
            agency_code=agency.code,
            as_status=parse_as_status(as_status) if as_status else {},
        )
        for row in register.rows:
            try:
                request = maker.candidate(row).request
                good.append(checked_request(licence_type, request, agency, today=TODAY))
            except InvalidRequestError as error:
                faults.update({fault.code for fault in error.faults})
    return good, faults


def test_every_row_of_the_seattle_register_is_lawful() -> None:
    good, faults = judged(DATA / "seattle-business-licences.csv", BUSINESS_MAP, CITY)
    assert (len(good), faults) == (5000, {})
    assert all(len(request.number) == 16 for request in good)
    assert sum(request.number.startswith("000") for request in good) > 4000
    assert any(request.fields["trade_name"] == "NONE" for request in good)
    assert sum("  " in request.fields["trade_name"] for request in good) == 42
    assert all(request.expires_on is None for request in good)


def test_rows_of_the_ningbo_register_are_lawful_but_for_their_state() -> None:
    good, faults = judged(DATA / "ningbo-companies.csv", COMPANY_MAP, BUREAU)
    assert (len(good), faults) == (173, {"state_refused": 87})
    good, faults = judged(DATA / "ningbo-companies.csv", COMPANY_MAP, BUREAU, "注销=cancelled,吊销=revoked")
    assert (len(good), faults) == (260, {})
    assert max(len(request.fields.get("business_scope", "")) for request in good) > 800
    assert all(request.expires_on is None and request.number == request.holders[0].code for request in good)
    assert sum("registered_capital" not in request.fields for request in good) == 30


@pytest.mark.parametrize(
    ("name", "mapping", "agency", "lawful", "refused"),
    [
        ("companies.csv", COMPANY_MAP, BUREAU, 168, {"state_refused": 72}),
        ("businesses.csv", BUSINESS_MAP, CITY, 300, {}),
        ("practitioners.csv", ROOT / "samples/practitioners.map.toml", BUREAU, 20, {}),
        ("births.csv", ROOT / "samples/births.map.toml", BUREAU, 9, {}),
        (
            "bad-rows.csv",
            COMPANY_MAP,
            BUREAU,
            3,
            {
                "required": 1, "bad_check_digit": 1, "bad_date": 1, "bad_order": 1, "too_long": 1, "bad_character": 2,
                "state_refused": 2, "bad_number": 1, "ragged_row": 2,
            },
        ),
    ],
)  # fmt: skip
def test_the_samples_hold_what_they_promise(
    name: str, mapping: Path, agency: Agency, lawful: int, refused: dict[str, int]
) -> None:
    good, faults = judged(ROOT / "samples" / name, mapping, agency)
    assert (len(good), faults) == (lawful, refused)


def test_the_parents_of_the_births_stand_among_the_practitioners() -> None:
    births, _ = judged(ROOT / "samples/births.csv", ROOT / "samples/births.map.toml", BUREAU)
    adults, _ = judged(ROOT / "samples/practitioners.csv", ROOT / "samples/practitioners.map.toml", BUREAU)
    codes = {each.holders[0].code: each.holders[0].name for each in adults}
    for each in births:
        for parent in ("mother", "father"):
            if (code := each.fields.get(f"{parent}_code")) and not code.startswith("DK"):
                assert codes[code] == each.fields[f"{parent}_name"]
    assert sum(not each.holders[0].code for each in births) == 2
    assert sum("father_code" not in each.fields for each in births) == 1


def test_no_row_of_the_samples_is_one_of_the_real_registers() -> None:
    real = DATA / "ningbo-companies.csv"
    if not real.exists():
        pytest.skip(f"the real register {real} is not on this machine")
    with open_register(real) as register:
        names = {cell for row in register.rows for cell in row.cells[:2]}
    with open_register(ROOT / "samples/companies.csv") as register:
        assert not names & {cell for row in register.rows for cell in row.cells[:2]}


def test_the_script_makes_the_samples_again(tmp_path: Path) -> None:
    for name in ("make_samples.py", "portraits.py", "words.py"):
        shutil.copy(ROOT / "samples" / name, tmp_path / name)
    subprocess.run([sys.executable, tmp_path / "make_samples.py"], check=True)  # noqa: S603  # our own script
    for name in ("companies.csv", "bad-rows.csv", "businesses.csv", "practitioners.csv", "births.csv"):
        assert (tmp_path / name).read_bytes() == (ROOT / "samples" / name).read_bytes()
    assert len(list((tmp_path / "portraits").iterdir())) == 20
