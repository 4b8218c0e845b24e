"""Requests for benches: the real registers where they are there, else the invented ones, with fresh numbers."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from certlib.errors import InvalidRequestError
from certlib.identifiers import AgencyCode, is_uscc
from certlib.intake import RequestMaker, open_register, parse_map
from certlib.model import Agency

if TYPE_CHECKING:
    from collections.abc import Iterable

    from certlib.catalogue import LicenceType
    from certlib.model import IssueRequest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
AGENCY = Agency(code=AgencyCode("11990200MB90000230"), name="样本市市场监督管理局", name_en="Sample City Market Bureau")
CITY = Agency(code=AgencyCode("RAINPORT"), name="City of Rainport", timezone="America/Los_Angeles")
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015, 4.6


def register_path() -> Path:
    """The Ningbo register, or the invented one with the same columns."""
    real = SHARED / "ningbo-companies.csv"
    if real.is_file():
        return real
    print(f"{real.name} is not there; the bench runs on the invented register of samples/")
    return ROOT / "samples" / "companies.csv"


class BusinessRegister:
    """Different lawful requests without end: the register's active rows over and over, each under its own number."""

    def __init__(self, licence_type: LicenceType) -> None:
        self.rows = _lawful_rows(licence_type)

    def request(self, index: int) -> IssueRequest:
        """The request number `index`."""
        request, number = self.rows[index % len(self.rows)], uscc(index)
        return replace(request, number=number, holders=(replace(request.holders[0], code=number),), operator="bench")


def _lawful_rows(licence_type: LicenceType) -> list[IssueRequest]:
    path = register_path()
    mapping = parse_map(
        (ROOT / "templates" / "business-licence" / "ningbo.map.toml").read_text("utf-8"),
        where="ningbo.map.toml",
        licence_type=licence_type,
    )
    with open_register(path, needed=mapping.columns) as register:
        maker = RequestMaker(mapping, licence_type, register.columns, folder=path.parent, agency_code=AGENCY.code)
        requests = []
        for row in register.rows:
            try:
                requests.append(maker.candidate(row).request)
            except InvalidRequestError:
                continue  # closed companies; the bench issues the active ones
    return requests


def uscc(index: int) -> str:
    """The `index`-th invented code with a right check character: MOD 31, weights 3^i (GB 32100-2015, appendix A)."""
    body = f"91990200{index:09d}"
    total = sum(USCC_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    code = body + USCC_ALPHABET[-total % 31]
    if not is_uscc(code):
        raise AssertionError(code)
    return code


def write_register(path: Path, count: int) -> None:
    """A CSV of `count` rows with the Ningbo columns: real content under invented codes, written as a stream."""
    with register_path().open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if row["reg_state"] == "存续"]
        columns = list(reader.fieldnames or [])
    _write(path, columns, ({**rows[index % len(rows)], "uni_social_crd_cd": uscc(index)} for index in range(count)))


def write_small_register(path: Path, count: int) -> None:
    """A CSV of `count` rows with the Seattle columns, whose licences are the smallest that we ship."""
    source = SHARED / "seattle-business-licences.csv"
    with (source if source.is_file() else ROOT / "samples" / "businesses.csv").open(
        encoding="utf-8-sig", newline=""
    ) as file:
        reader = csv.DictReader(file)
        rows = [row for row in reader if row["business_legal_name"] and row["license_start_date"]]
        columns = list(reader.fieldnames or [])
    _write(
        path, columns, ({**rows[index % len(rows)], "city_account_number": f"{index:016d}"} for index in range(count))
    )


def _write(path: Path, columns: list[str], rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
