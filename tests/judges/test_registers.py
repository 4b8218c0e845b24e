"""Every PDF of 200 rows of each real register, before every judge: structure, seal, PDF/A, text, code, record.

The rows are spread over the register, the longest ones among them; both registers are read in place.
"""

import csv
import io
import json
import re
import subprocess
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2
import pikepdf
import pytest

from certlib.batch import run_batch
from certlib.config import read_settings
from certlib.library import Library, close_library, utc_now
from certlib.model import Licence
from certlib.store.lookups import licence_by_identifier, pdf_of
from signing import cose, qr, tokens
from templates.raster import page_image
from tests.support.judges import Bench, judge_by_pdfa, judge_seal, judges_bench
from tests.support.libraries import CITY, MARKET_BUREAU, new_home, opened

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
ROWS = 200
CHUNKS = 8
SCAN_DPI = 200
FIRST_OWN_KEY = 10


@dataclass(frozen=True, kw_only=True)
class Register:
    type_code: str
    file: str
    mapping: str
    agency: str
    as_status: str
    number_column: str
    long_column: str
    """The one whose longest values must be in the sample."""
    printed: tuple[str, ...]
    """Columns whose values stand on the face as they are."""


NINGBO = Register(
    type_code="business-licence",
    file="ningbo-companies.csv",
    mapping="ningbo.map.toml",
    agency=MARKET_BUREAU.code,
    as_status="注销=cancelled,吊销=revoked",
    number_column="uni_social_crd_cd",
    long_column="opt_scop",
    printed=("uni_social_crd_cd", "comp_nm", "comp_type", "addr", "opt_scop", "reg_org"),
)
SEATTLE = Register(
    type_code="seattle-business-licence",
    file="seattle-business-licences.csv",
    mapping="seattle.map.toml",
    agency=CITY.code,
    as_status="",
    number_column="city_account_number",
    long_column="business_legal_name",
    printed=("city_account_number", "business_legal_name", "trade_name", "street_address", "naics_description"),
)


@dataclass(frozen=True, kw_only=True)
class IssuedRegister:
    library: Library
    bench: Bench
    folder: Path
    rows: dict[str, dict[str, str]]
    """By the number that the licence bears."""
    issued: list[dict[str, str]]
    """Rows of issued.csv."""


def sample(path: Path, register: Register) -> tuple[list[str], list[dict[str, str]]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        columns = list(reader.fieldnames or [])
    longest = sorted(rows, key=lambda row: -len(row[register.long_column]))[:20]
    rest = [row for row in rows if row not in longest]
    step = len(rest) / (ROWS - len(longest))
    return columns, longest + [rest[int(place * step)] for place in range(ROWS - len(longest))]


@pytest.fixture(scope="module", params=[NINGBO, SEATTLE], ids=lambda register: str(register.type_code))
def issued(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[IssuedRegister]:
    register: Register = request.param
    path = DATA / register.file
    if not path.is_file():
        pytest.skip(f"the real register {path} is not there")
    folder = tmp_path_factory.mktemp(register.type_code)
    columns, rows = sample(path, register)
    with (folder / "sample.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    new_home(folder / "library", now=utc_now())
    library = opened(read_settings(folder / "library"), now=utc_now)
    summary = run_batch(
        library,
        register.type_code,
        folder / "sample.csv",
        ROOT / "templates" / register.type_code / register.mapping,
        agency_code=register.agency,
        as_status=register.as_status,
        out=folder / "out",
    )
    assert (summary.issued, summary.refused) == (ROWS, 0), summary
    with (folder / "out" / "issued.csv").open(encoding="utf-8-sig", newline="") as file:
        made = list(csv.DictReader(file))
    (folder / "judges").mkdir()
    yield IssuedRegister(
        library=library,
        bench=judges_bench(folder / "judges", library.root_certificate_der),
        folder=folder,
        rows={row[register.number_column]: {name: row[name] for name in register.printed} for row in rows},
        issued=made,
    )
    close_library(library)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_every_judge_agrees(issued: IssuedRegister, chunk: int) -> None:
    for row in issued.issued[chunk::CHUNKS]:
        licence = licence_by_identifier(issued.library.store, row["identifier"])
        pdf = pdf_of(issued.library.store, licence)
        path = issued.folder / f"{licence.public_code}.pdf"
        path.write_bytes(pdf)
        judge_seal(path, issued.bench)
        judge_by_pdfa(path)
        record = attached_record(pdf)
        assert record["certificateIdentifier"] == licence.identifier
        assert record["certificateNumber"] == licence.number
        assert record["token"] == licence.token
        assert [each["certificateHolderName"] for each in record["certificateHolder"]] == [
            each.name for each in licence.holders
        ]
        assert_same_record(record, licence)
        assert_text(path, issued.rows[licence.number])
        width, height, grey = page_image(pdf, SCAN_DPI)
        assert qr.read_page_codes(grey, width, height) == (licence.token,)
        path.unlink()


def attached_record(pdf: bytes) -> Any:  # noqa: ANN401  # whatever the JSON says
    with pikepdf.open(io.BytesIO(pdf)) as document:
        (attachment,) = document.attachments.values()
        assert attachment.filename == "record.json"
        return json.loads(attachment.get_file().read_bytes())


def assert_same_record(record: dict[str, Any], licence: Licence) -> None:
    """The attached record and the token say, item by item, what is on record."""
    assert {name: value for name, value in record.items() if name.startswith("KZ_")} == {
        f"KZ_{name.upper()}": value for name, value in licence.fields.items()
    }
    days = (licence.issued_on, licence.effective_on, licence.expires_on)
    assert [record[f"certificate{name}Date"] for name in ("Issued", "Effective", "Expiring")] == [
        f"{day:%Y%m%d}" if day else "长期" for day in days
    ]
    assert record["certificateIssuingAuthorityCode"] == licence.agency_code
    assert record["certificateIssuingAuthorityName"] == licence.agency_name
    content = cose.read_sign1(tokens.cose_of(tokens.digits_of(licence.token))).payload
    claims = cbor2.loads(zlib.decompress(content, -15))
    fields = claims[-65537]
    assert (claims[2], fields[2]) == (licence.identifier, licence.number)
    assert fields[3] in {
        "、".join(each.name for each in licence.holders),
        ", ".join(each.name for each in licence.holders),
    }
    on_face = {*licence.fields.values()}
    assert {value for key, value in fields.items() if key >= FIRST_OWN_KEY} <= on_face
    assert claims[65535]["status_list"] == {"idx": licence.status_index, "uri": licence.status_list_uri}


def assert_text(path: Path, row: dict[str, str]) -> None:
    """Each printed column stands in the extracted text, character by character; only blanks and line ends may move."""
    command = ["pdftotext", "-raw", str(path), "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)  # noqa: S603  # a fixed program
    text = without_blanks(done.stdout.decode())
    for column, value in row.items():
        assert without_blanks(value) in text, f"{column}: {value!r}"


def without_blanks(text: str) -> str:
    return re.sub(r"\s", "", unicodedata.normalize("NFC", text))
