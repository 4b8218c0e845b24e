"""`issue`, `batch` and `show`, with what users give them."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from signing.qr import read_codes
from tests.cli.conftest import BUREAU, SAMPLE, Made
from tests.support.terminal import ROOT, Terminal

MAP = ROOT / "templates" / "business-licence" / "ningbo.map.toml"
BAD = ROOT / "samples" / "bad-rows.csv"
ISSUE = ("issue", "business-licence", "--agency", BUREAU, "--data")
BATCH = ("batch", "business-licence")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_same_request_again_gives_the_same_licence(made: Made, own: Terminal, request_file: Path) -> None:
    first = own.run(*ISSUE, request_file, "--out", "out", code=0)
    assert first.out.startswith("issued: 1.2.156.3005.2.")
    assert Path(own.cwd, first.out.splitlines()[-1].strip()).read_bytes().startswith(b"%PDF-")
    again = own.run(*ISSUE, request_file, code=0)
    assert again.out.splitlines()[:2] == ["was issued before" + first.out.splitlines()[0].removeprefix("issued"),
                                          first.out.splitlines()[1]]  # fmt: skip
    data = json.loads(SAMPLE.read_text("utf-8"))
    data["fields"]["address"] = "别处"
    request_file.write_text(json.dumps(data), "utf-8")
    refused = own.run(*ISSUE, request_file, "--json", code=1).json()["error"]
    assert (refused["code"], refused["differs"]) == ("conflict", ["fields.address"])
    assert refused["identifier"] == made.issued["identifier"]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "unreadable"),
        (b"\xff\xfe\x00", "unreadable"),
        (b"[" * 100_000, "unreadable"),
        (b"[1]", "bad_form"),
        (b"null", "bad_form"),
        (b'{"number": ' + b"9" * 10_000 + b"}", "unreadable"),
        (b'{"numbre": "1"}', "unknown_field"),
    ],
    ids=["empty", "no text", "deep", "list", "null", "huge number", "misspelt"],
)
def test_a_request_that_is_none_is_refused(made: Made, tmp_path: Path, content: bytes, fault: str) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(content)
    error = made.terminal.run(*ISSUE, path, "--json", code=1).json()["error"]
    assert error["code"] == "invalid_request"
    assert error["faults"][0]["code"] == fault


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"number": 91990200}, "number"),
        ({"number": "9" * 5000}, "number"),
        ({"issued_on": "2026-02-30"}, "issued_on"),
        ({"expires_on": "2001-01-01"}, "expires_on"),
        ({"holders": []}, "holder_name"),
        ({"holders": [{"name": "甲", "code": "91990200MA7EXAM180", "code_type": "001"}]}, "holder_code"),
        ({"fields": {}}, "company_type"),
    ],
)
def test_every_fault_of_a_request_is_named(made: Made, tmp_path: Path, change: dict[str, Any], field: str) -> None:
    path = tmp_path / "bad.json"
    path.write_text(json.dumps({**json.loads(SAMPLE.read_text("utf-8")), **change}), "utf-8")
    faults = made.terminal.run(*ISSUE, path, "--json", code=1).json()["error"]["faults"]
    assert field in [each["field"] for each in faults]
    assert field in made.terminal.run(*ISSUE, path, code=1).err


def test_pictures_stand_beside_the_request(own: Terminal, tmp_path: Path) -> None:
    folder = ROOT / "templates" / "practitioner-licence" / "v1"
    issue = ("issue", "practitioner-licence", "--agency", BUREAU, "--data")
    assert own.run(*issue, folder / "sample.json", code=0).out.startswith("issued: ")
    (tmp_path / "moved.json").write_text((folder / "sample.json").read_text("utf-8"), "utf-8")
    error = own.run(*issue, tmp_path / "moved.json", "--json", code=1).json()["error"]
    assert (error["faults"][0]["field"], error["faults"][0]["code"]) == ("photo", "no_file")


def test_nothing_is_issued_when_its_file_could_not_be_kept(own: Terminal, request_file: Path) -> None:
    (own.cwd / "file").write_text("", "utf-8")
    assert "cannot be made" in own.run(*ISSUE, request_file, "--out", "file/out", code=2).err
    number = json.loads(request_file.read_text("utf-8"))["number"]
    assert own.run("show", number, code=1).err.startswith("certlib: no licence under this")


def test_an_agency_has_to_be_named_when_there_are_several(made: Made) -> None:
    ran = made.terminal.run("issue", "business-licence", "--data", SAMPLE, code=2)
    assert "Name one: --agency 11990200MB90000230|RAINPORT" in ran.err
    assert "not in this library" in made.terminal.run("issue", "business-licence", "--data", SAMPLE, "--agency", "X",
                                                      code=1).err  # fmt: skip


def test_show_finds_a_licence_by_each_of_its_names(made: Made, tmp_path: Path) -> None:
    issued = made.issued
    for key in ("identifier", "public_code", "number"):
        report = made.terminal.run("show", issued[key], "--json", code=0).json()
        assert report["identifier"] == issued["identifier"]
        assert [each["act"] for each in report["audit"]]
    text = made.terminal.run("show", issued["public_code"].lower().replace("-", ""), "--pdf", tmp_path, code=0).out
    assert text.startswith(f"{issued['identifier']}   active\n")
    (saved,) = tmp_path.glob("*.pdf")
    assert f"saved as    {saved}" in text
    assert saved.read_bytes() == made.pdf.read_bytes()
    for name in ("code.png", "code.svg"):
        made.terminal.run("show", issued["number"], "--qr", tmp_path / name, code=0)
        assert (tmp_path / name).stat().st_size > 500
    assert read_codes((tmp_path / "code.png").read_bytes()) == (report["token"],)
    assert "█" in made.terminal.run("show", issued["number"], "--qr", "-", code=0).out
    assert "must be - or a file" in made.terminal.run("show", issued["number"], "--qr", "code.gif", code=1).err
    for key in ("nothing", "1.2.3", "", "'; drop table licence", "9" * 5000):
        assert made.terminal.run("show", key, code=1).out == ""


def test_a_register_with_bad_rows_is_mended_and_fed_back(own: Terminal) -> None:
    checked = own.run(*BATCH, BAD, "--map", MAP, "--agency", BUREAU, "--check", "--json", code=1).json()
    assert (checked["read"], checked["lawful"], checked["issued"]) == (15, 1, 0)
    first = own.run(*BATCH, BAD, "--map", MAP, "--agency", BUREAU, "--out", "out", code=1)
    assert first.out.splitlines()[1:3] == ["  1 issued", "  14 refused"]
    progress = [json.loads(line) for line in first.err.splitlines()]
    assert progress[-1]["rows"] == 15
    out = own.cwd / "out"
    rows = rows_of(out / "errors.csv")
    assert [int(row["row"]) for row in rows] == list(range(3, 17))
    assert all(row["field"] and row["reason"] for row in rows)
    rows[0]["comp_nm"] = "样本市补正有限公司"
    with (out / "errors.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    back = (*BATCH, out / "errors.csv", "--map", MAP, "--agency", BUREAU, "--out", "out", "--json")
    again = own.run(*back, code=1).json()
    # The second copy of row 2 is now the first of its file, and the same licence as before.
    assert (again["read"], again["issued"], again["already"], again["refused"]) == (14, 1, 1, 12)
    assert len(list(out.glob("*.pdf"))) == 2


def test_a_register_issued_again_is_the_same(own: Terminal) -> None:
    lines = (ROOT / "samples" / "companies.csv").read_text("utf-8-sig").splitlines(keepends=True)
    (own.cwd / "few.csv").write_text("".join(lines[:6]), "utf-8")
    run = (
        *BATCH,
        "few.csv",
        "--map",
        MAP,
        "--agency",
        BUREAU,
        "--out",
        "out",
        "--as-status",
        "注销=cancelled,吊销=revoked",
    )
    first = own.run(*run, "--json", code=0).json()
    before = {path.name: path.read_bytes() for path in (own.cwd / "out").glob("*.pdf")}
    assert first["issued"] == len(before) == 5
    assert own.run(*run, "--workers", "2", "--json", code=0).json()["already"] == 5
    assert {path.name: path.read_bytes() for path in (own.cwd / "out").glob("*.pdf")} == before


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("empty.csv", b"", "the file is empty"),
        ("picture.png", b"\x89PNG\r\n", "its name must end in"),
        ("gbk.csv", "uni_social_crd_cd,comp_nm\n1,样本市有限公司\n".encode("gb18030") * 3, "gb18030"),
        ("other.csv", b"a,b\n1,2\n", "column"),
        ("not.xlsx", b"PK\x03\x04nothing", "not.xlsx"),
    ],
)
def test_a_register_that_cannot_be_used_is_refused_whole(
    made: Made, tmp_path: Path, name: str, content: bytes, text: str
) -> None:
    (tmp_path / name).write_bytes(content)
    terminal = Terminal(cwd=tmp_path, home=made.terminal.home)
    ran = terminal.run(*BATCH, name, "--map", MAP, "--agency", BUREAU, "--check", code=1)
    assert text in ran.err
    assert "issued" not in ran.out


def test_a_mapping_for_something_else_is_refused(made: Made, tmp_path: Path) -> None:
    terminal = Terminal(cwd=tmp_path, home=made.terminal.home)
    other = ROOT / "templates" / "seattle-business-licence" / "seattle.map.toml"
    assert "is this its mapping?" in terminal.run(*BATCH, BAD, "--map", other, "--agency", BUREAU, code=1).err
    assert "not TOML" in terminal.run(*BATCH, BAD, "--map", BAD, "--agency", BUREAU, code=1).err
    assert "name it with --agency" in terminal.run(*BATCH, BAD, "--map", MAP, code=1).err
    assert list(tmp_path.iterdir()) == []
