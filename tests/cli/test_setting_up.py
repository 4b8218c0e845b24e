"""Making a library, agencies, keys and types."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from signing.certificates import create_root, issue_certificate
from signing.keys import KeyAlgorithm, generate_key
from tests.cli.conftest import BUREAU, CITY, SAMPLE, Made
from tests.support.terminal import ROOT, Terminal

TYPE = ROOT / "templates" / "business-licence" / "v1"


def test_a_new_library_says_where_its_passphrase_is_and_what_is_next(bare: Terminal) -> None:
    ran = bare.run("init", "--home", "lib", code=0)
    assert ran.out.splitlines()[-1] == "Next: certlib agency add --code CODE --name NAME"
    assert "lib/passphrase" in ran.out
    assert (bare.cwd / "lib" / "passphrase").stat().st_mode & 0o777 == 0o600
    assert "There is no agency yet" in bare.run("agency", "list", "--home", "lib", code=0).out
    assert "there is no agency yet" in bare.run("issue", "business-licence", "--data", SAMPLE, "--home", "lib",
                                                code=1).err  # fmt: skip
    assert "no agency has a key yet" in bare.run("trust", "export", "--home", "lib", code=2).err
    again = bare.run("init", "--home", "lib", code=2)
    assert "there is a library at" in again.err


def test_agencies_are_taken_in_once_and_with_sense(own: Terminal) -> None:
    assert "capital letters" in own.run("agency", "add", "--code", "abc", "--name", "X", code=1).err
    assert "1 to 21" in own.run("agency", "add", "--code", "A" * 22, "--name", "X", code=1).err
    assert "name: must have 1 to 64" in own.run("agency", "add", "--code", "ABC", "--name", "", code=1).err
    assert "no IANA time zone" in own.run("agency", "add", "--code", "ABC", "--name", "X", "--timezone", "Mars/X",
                                          code=1).err  # fmt: skip
    wrong = own.run("agency", "add", "--code", "a!", "--name", "", "--timezone", "X/Y", code=1).err
    assert wrong.startswith("certlib: 3 things are wrong\n  code: ")
    assert "is in this library already" in own.run("agency", "add", "--code", CITY, "--name", "X", code=1).err
    added = own.run("agency", "add", "--code", "ABC", "--name", "Abc", "--seal-algorithm", "rsa-2048", "--json", code=0)
    assert [key["algorithm"] for key in added.json()["keys"]] == ["p256", "rsa-2048"]
    assert [row["code"] for row in own.run("agency", "list", "--json", code=0).json()] == [BUREAU, "ABC", CITY]


def test_an_agency_brings_its_own_seal_picture(own: Terminal) -> None:
    (own.cwd / "seal.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4" cy="4" r="4"/></svg>', "utf-8"
    )
    kept = own.run("agency", "seal-picture", CITY, "seal.svg", "--json", code=0).json()
    assert Path(kept["seal_picture"]).is_file()
    (own.cwd / "bad.svg").write_text("<svg><script/></svg>", "utf-8")
    assert "seal_picture" in own.run("agency", "seal-picture", CITY, "bad.svg", code=1).err


def test_a_key_is_rotated_and_the_old_one_ends(own: Terminal) -> None:
    answer = own.run("agency", "rotate-key", CITY, "--purpose", "seal", "--json", code=0).json()
    keys = own.run("agency", "list", "--json", code=0).json()[-1]["keys"]
    seals = [key for key in keys if key["purpose"] == "seal"]
    assert [key["kid"] for key in seals][-1] == answer["kid"]
    assert seals[0]["not_after"] < seals[1]["not_after"]
    assert "not in this library" in own.run("agency", "rotate-key", "NOBODY", code=1).err


def test_an_agency_brings_its_own_certificate(own: Terminal) -> None:
    ran = own.run("agency", "rotate-key", CITY, "--csr-out", "request.pem", "--seal-algorithm", "rsa-3072", code=0)
    assert ran.out.startswith("Request written to request.pem. Then: ")
    assert "File exists" in own.run("agency", "rotate-key", CITY, "--csr-out", "request.pem", code=2).err
    assert "waits for its certificate" in own.run("agency", "list", code=0).out
    assert "No such file" in own.run("agency", "rotate-key", CITY, "--csr-out", "none/request.pem", code=2).err
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
    end = begin + timedelta(days=30)
    root_key = generate_key(KeyAlgorithm.P256)
    root = create_root(root_key, common_name="City root", organisation="City", not_before_at=begin, not_after_at=end)
    request = (own.cwd / "request.pem").read_bytes()
    stranger = generate_key(KeyAlgorithm.P256).spki_der
    for name, csr, spki in (("theirs.der", request, None), ("other.der", None, stranger)):
        certificate = issue_certificate(
            root_key=root_key, root_cert_der=root, subject_name="City of Rainport", subject_code=CITY,
            not_before_at=begin, not_after_at=end, spki_der=spki, csr_der=csr,
        )  # fmt: skip
        (own.cwd / name).write_bytes(certificate)
    bring = ("agency", "rotate-key", CITY, "--certificate")
    assert "never asked to certify" in own.run(*bring, "other.der", code=1).err
    assert "cannot be read" in own.run(*bring, "request.pem", code=1).err
    assert own.run(*bring, "theirs.der", code=0).out.endswith("is used from now on\n")
    data = json.loads((ROOT / "templates" / "seattle-business-licence" / "v1" / "sample.json").read_text("utf-8"))
    data |= {"issued_on": "2026-01-05", "effective_on": "2026-01-05", "expires_on": "2099-12-31"}
    (own.cwd / "data.json").write_text(json.dumps(data), "utf-8")
    issue = ("issue", "seattle-business-licence", "--agency", CITY, "--data", "data.json", "--out", ".", "--json")
    issued = own.run(*issue, code=0).json()
    assert own.run("verify", issued["file"], code=0).out.splitlines()[0].endswith(": VALID")
    assert "two steps" in own.run(*bring, "theirs.der", "--csr-out", "x", code=2).err


def test_types_are_checked_shown_and_listed(own: Terminal, bare: Terminal, tmp_path: Path) -> None:
    good = bare.run("type", "check", TYPE, code=0)
    assert good.out.startswith("good. QR version ")
    assert bare.run("type", "check", TYPE, "--json", code=0).json()["dpi"] == 200
    shown = bare.run("type", "preview", TYPE, "--out", "preview", "--dpi", "50", code=0).out.split()
    assert [(bare.cwd / name).read_bytes()[1:4] for name in shown] == [b"PDF", b"PNG"]
    assert "named v1, v2" in bare.run("type", "check", ROOT / "docs", code=1).err
    broken = tmp_path / "our" / "v1"
    shutil.copytree(TYPE, broken)
    text = (broken / "type.toml").read_text("utf-8").replace("token_code = ", "token_cod = ")
    (broken / "type.toml").write_text(text, "utf-8")
    problems = bare.run("type", "check", broken, "--json", code=1).json()["error"]["problems"]
    assert any("token_cod" in each for each in problems)
    rows = own.run("type", "list", "--json", code=0).json()
    assert {row["code"]: row["frozen"] for row in rows}["business-licence"] is True
    assert "is not registered" in own.run("issue", "nope", "--agency", CITY, "--data", SAMPLE, code=1).err


def test_an_agency_adds_a_type_of_its_own(own: Terminal, tmp_path: Path) -> None:
    mine = tmp_path / "tea-house-licence" / "v1"
    shutil.copytree(TYPE, mine)
    text = (mine / "type.toml").read_text("utf-8")
    clash = text.replace('code = "business-licence"', 'code = "tea-house-licence"')
    (mine / "type.toml").write_text(clash, "utf-8")
    assert "belongs to business-licence" in own.run("type", "add", mine, code=1).err
    (mine / "type.toml").write_text(clash.replace("token_code = 1\n", "token_code = 77\n"), "utf-8")
    assert own.run("type", "add", mine, "--json", code=0).json()["version"] == 1
    issued = own.run("issue", "tea-house-licence", "--agency", BUREAU, "--data", SAMPLE, "--json", code=0).json()
    assert issued["type"] == "tea-house-licence"
    shutil.rmtree(mine)  # the library keeps its own copy
    assert own.run("verify", issued["public_code"], code=0)


def test_a_bearer_is_short_lived_and_of_one_agency(made: Made) -> None:
    text = made.terminal.run("agency", "token", CITY, code=0).out
    assert text.count(".") == 2
    answer = made.terminal.run("agency", "token", CITY, "--ttl-seconds", "60", "--json", code=0).json()
    assert answer["expires_in"] == 60


@pytest.mark.parametrize("place", ["trust/trust-pack.json", "trust/trust-anchor.json"])
def test_what_verifiers_get_is_public(made: Made, place: str) -> None:
    data = json.loads((made.folder / place).read_text("utf-8"))
    assert "PRIVATE" not in json.dumps(data)
    assert (made.folder / "trust" / "root.pem").read_bytes().startswith(b"-----BEGIN CERTIFICATE-----\n")
