"""`verify` on everything people bring, with the library and without; and `identifier check`."""

import json
from pathlib import Path

import pytest

from templates import raster
from tests.cli.conftest import Made
from tests.support.terminal import Terminal


@pytest.fixture(scope="module")
def brought(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what people bring: good, damaged, forged, something else."""
    folder = tmp_path_factory.mktemp("brought")
    pdf = made.pdf.read_bytes()
    place = pdf.index(b"stream") + 200
    files = {
        "good.pdf": pdf,
        "photo.png": raster.page_png(pdf, 200),
        "byte.pdf": pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :],
        "appended.pdf": pdf + b"\n%more",
        "cut.pdf": pdf[: len(pdf) // 2],
        "empty.pdf": b"",
        "noise.png": bytes(range(256)) * 8,
        "other.pdf": b"%PDF-1.4\n%%EOF",
        "token.txt": made.issued["token"].encode(),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def words(terminal: Terminal, *inputs: object, code: int) -> dict[str, str]:
    answers = terminal.run("verify", *inputs, "--json", code=code).json()
    return {str(each["input"]).rpartition("/")[2]: each.get("word") or each["error"]["code"] for each in answers}


def test_good_things_are_valid_however_they_are_brought(made: Made, brought: Path) -> None:
    identifier, code, token = (made.issued[key] for key in ("identifier", "public_code", "token"))
    inputs = [brought / "good.pdf", brought / "photo.png", brought / "token.txt", code, code.lower(), identifier, token]
    answers = made.terminal.run("verify", *inputs, "--json", code=0).json()
    assert [each["word"] for each in answers] == ["valid"] * len(inputs)
    assert [each["kind"] for each in answers] == ["pdf", "image", "token", "code", "code", "identifier", "token"]
    assert {each["shown"]["identifier"] for each in answers} == {identifier}
    text = made.terminal.run("verify", brought / "good.pdf", code=0).out
    assert text.splitlines()[0].endswith(": VALID")
    assert f"check phrase {made.issued['check_phrase']}" in text
    assert "not_applicable" not in text


def test_each_bad_thing_has_its_own_answer_and_none_stops_the_next(made: Made, brought: Path) -> None:
    names = ["byte.pdf", "appended.pdf", "cut.pdf", "empty.pdf", "noise.png", "other.pdf", "good.pdf"]
    assert words(made.terminal, *(brought / name for name in names), "hello", "9" * 700, code=1) == {
        "byte.pdf": "forged",
        "appended.pdf": "forged",
        "cut.pdf": "unknown",
        "empty.pdf": "unknown",
        "noise.png": "unknown",
        "other.pdf": "unknown",
        "good.pdf": "valid",
        "hello": "unknown",
        "9" * 59 + "…": "unknown",
    }
    text = made.terminal.run("verify", brought / "byte.pdf", code=1).out
    assert ": FORGED (bad_signature)" in text
    assert text.splitlines()[-1] == "  Do not accept it. Keep it, and tell the agency that it names."


def test_what_is_no_file_is_not_judged(made: Made, brought: Path) -> None:
    inputs = ["none.pdf", "none/at/all", brought, "/dev/null", " ", brought / "good.pdf"]
    answers = made.terminal.run("verify", *inputs, "--json", code=2).json()
    assert [each.get("error", {}).get("code") for each in answers] == ["no_file"] * 5 + [None]
    assert answers[-1]["word"] == "valid"
    text = made.terminal.run("verify", "none.pdf", brought, code=2).out
    assert "none.pdf: NOT CHECKED\n  none.pdf: there is no such file\n" in text
    assert f"Name the files in it: {brought}/*.pdf" in text


def test_many_are_given_on_stdin(made: Made, brought: Path) -> None:
    lines = f"{made.issued['public_code']}\n\n  {made.issued['token']}  \nhello\n".encode()
    answers = made.terminal.run("verify", "-", "--json", stdin=lines, code=1).json()
    assert [each["word"] for each in answers] == ["valid", "valid", "unknown"]
    for name, word in (("good.pdf", "valid"), ("photo.png", "valid"), ("byte.pdf", "forged")):
        (answer,) = made.terminal.run(
            "verify", "-", "--json", stdin=(brought / name).read_bytes(), code=word != "valid"
        ).json()
        assert (answer["input"], answer["word"]) == ("-", word)
    assert "nothing was given" in made.terminal.run("verify", "-", code=2).err
    assert (
        "nothing was given"
        in made.terminal.real("verify", "-", "--json", stdin=b"\n", code=2).json()["error"]["message"]
    )


def test_a_whole_folder_at_once(made: Made, brought: Path) -> None:
    copies = [brought / "good.pdf"] * 25
    answers = made.terminal.run("verify", *copies, "--json", code=0).json()
    assert len(answers) == 25


def test_without_the_library_by_the_trust_pack_alone(made: Made, brought: Path, bare: Terminal) -> None:
    offline = ("--offline", "--trust-pack", made.pack)
    inputs = [brought / "good.pdf", brought / "photo.png", made.issued["token"]]
    answers = bare.run("verify", *inputs, *offline, "--json", code=0).json()
    assert [each["word"] for each in answers] == ["valid_offline"] * 3
    assert all(each["status_source"] == "snapshot" for each in answers)
    text = bare.run("verify", inputs[0], *offline, code=0).out
    assert ": VALID OFFLINE\n" in text
    assert "minutes old\n  Ask again with the library when there is a network" in text
    assert words(bare, brought / "byte.pdf", made.issued["public_code"], *offline, code=1) == {
        "byte.pdf": "forged",
        made.issued["public_code"]: "unknown",
    }
    assert list(bare.cwd.iterdir()) == []
    assert bare.real("verify", inputs[0], *offline, code=0).out.splitlines()[:-2] == text.splitlines()[:-2]


def test_the_library_is_never_asked_offline(made: Made, brought: Path) -> None:
    nowhere = Terminal(cwd=made.folder, home=made.folder / "nowhere")
    assert words(nowhere, brought / "good.pdf", "--offline", "--trust-pack", made.pack, code=0)


def test_a_pack_that_is_not_to_be_trusted_is_refused(made: Made, brought: Path, bare: Terminal) -> None:
    pack, anchor = bare.cwd / "pack.json", bare.cwd / "trust-anchor.json"
    arguments = ("verify", brought / "good.pdf", "--offline", "--trust-pack", "pack.json")
    data = json.loads(made.pack.read_text("utf-8"))
    pack.write_bytes(made.pack.read_bytes())
    assert "The trust pack and the anchor belong together" in bare.run(*arguments, code=2).err
    anchor.write_text('{"spki": 1}', "utf-8")
    assert "trust anchor cannot be read" in bare.run(*arguments, code=2).err
    other = json.loads((made.pack.parent / "trust-anchor.json").read_text("utf-8"))
    anchor.write_text(json.dumps({"spki": other["spki"][:-8] + "AAAAAAAA"}), "utf-8")
    assert "not to be trusted" in bare.run(*arguments, code=1).err
    anchor.write_text(json.dumps(other), "utf-8")
    spoilt: object
    for spoilt in ({**data, "pack": data["pack"][:-4] + "AAAA"}, {"pack": data["pack"]}, []):
        pack.write_text(json.dumps(spoilt), "utf-8")
        assert bare.run(*arguments, "--json", code=1).json()["error"]["code"] == "invalid_request"
    pack.write_bytes(brought.joinpath("noise.png").read_bytes())
    assert "not to be trusted" in bare.run(*arguments, code=1).err


def test_an_older_pack_than_one_seen_is_refused(made: Made, brought: Path, own: Terminal, bare: Terminal) -> None:
    newer = own.run("trust", "export", "--out", "newer", "--json", code=0).json()
    assert newer["version"] > 1
    arguments = ("verify", brought / "good.pdf", "--offline", "--trust-pack")
    assert words(bare, *arguments[1:], own.cwd / "newer" / "trust-pack.json", code=0)
    assert "rolled" in bare.run(*arguments, made.pack, code=1).err


def test_identifiers_are_checked_by_form_and_check_character(made: Made, bare: Terminal) -> None:
    good = made.issued["identifier"]
    bad = good[:-1] + ("A" if good[-1] != "A" else "B")
    ran = bare.run("identifier", "check", good, bad, good.lower(), "", code=1)
    assert ran.out.splitlines()[0] == f"{good}: valid"
    assert all(": invalid; " in line for line in ran.out.splitlines()[1:])
    assert bare.run("identifier", "check", good, "--json", code=0).json()[0]["result"] == "valid"
    plain = "2.999.1.BUSLIC.RAINPORT.20261120HB6SCQCH0RTW.001.1"
    assert bare.run("identifier", "check", plain, code=1)
    assert bare.run("identifier", "check", plain, "--root", "2.999.1", code=0)
