"""`certlib collect`."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import cli
from certlib.checking import export_trust
from certlib.issuing import issue
from certlib.library import Library
from certlib.trusting import publish
from signing.keys import KeyAlgorithm, generate_key
from tests.support.foreign import anchor_digest, foreign_request, private_pem
from tests.support.libraries import company_request

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(sqlite_library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`certlib ARGUMENTS` on the library, in this process: exit code, out, err."""
    monkeypatch.setenv("CERTLIB_HOME", str(sqlite_library.settings.home))

    def ran(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["certlib", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        return (int(end.value.code or 0), *capsys.readouterr())

    return ran


def test_a_foreign_trust_pack_is_imported_used_and_removed(run: Run, bridge: Library, tmp_path: Path) -> None:
    licence = issue(bridge, foreign_request()).licence
    pack, anchor, _ = export_trust(bridge, tmp_path / "trust", publish(bridge))
    assert run("verify", licence.token)[0] == 1
    code, text, _ = run("collect", "trust", "import", pack, "--anchor", anchor, "--operator", "anna")
    assert (code, text.startswith("Bridge library, version 1, is trusted for: 119903")) == (0, True)
    assert "stood here already" in run("collect", "trust", "import", pack, "--anchor", anchor_digest(bridge))[1]
    verdict = json.loads(run("verify", licence.token, "--json")[1])
    assert "valid_offline" in str(verdict)
    assert "Bridge library" in str(verdict)
    (row,) = json.loads(run("collect", "trust", "list", "--json")[1])
    assert (row["name"], row["imported_by"], row["state"]) == ("Bridge library", "anna", "good")
    code, _, fault = run("collect", "trust", "remove", "Nobody")
    assert (code, "no imported library" in fault) == (1, True)
    assert run("collect", "trust", "remove", anchor_digest(bridge)[:12])[0] == 0
    assert run("verify", licence.token)[0] == 1
    assert run("collect", "trust", "list")[1] == "No trust pack of another library was imported.\n"


def test_a_pack_that_is_not_of_its_anchor_is_refused(run: Run, bridge: Library, tmp_path: Path) -> None:
    pack, _, _ = export_trust(bridge, tmp_path / "trust", publish(bridge))
    code, _, fault = run("collect", "trust", "import", pack, "--anchor", "ab" * 32)
    assert (code, "not of the library whose anchor" in fault) == (1, True)
    pack.write_bytes(pack.read_bytes()[:-40])
    code, told, fault = run("collect", "trust", "import", pack, "--anchor", anchor_digest(bridge), "--json")
    assert (code, "malformed" in told + fault) == (1, True)
    code, _, fault = run("collect", "trust", "import", pack, "--anchor", tmp_path / "none.json")
    assert (code, "neither a trust-anchor.json nor a SHA-256" in fault) == (2, True)


def test_wrong_ways_to_follow_are_told(run: Run, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text("no key", "utf-8")
    options = ("--anchor", "ab" * 32, "--client-id", "0" * 26, "--matter-code", "m")
    code, _, fault = run("collect", "add", "https://city.example", "--key", key, *options)
    assert (code, "openssl genpkey" in fault) == (2, True)
    key.write_bytes(private_pem(generate_key(KeyAlgorithm.P256)))
    code, _, fault = run("collect", "add", "http://city.example", "--key", key, *options)
    assert (code, "must be https" in fault) == (1, True)
    code, _, fault = run("collect", "add", "http://127.0.0.1:1", "--key", key, *options)
    assert (code, "does not answer" in fault) == (3, True)
    assert run("collect", "list")[1] == "No library is followed.\n"
    assert run("collect", "run")[0] == 0
    code, _, fault = run("collect", "run", "https://city.example")
    assert (code, "means no library that is followed" in fault) == (1, True)
    assert run("collect", "remove", "")[0] == 1


def test_our_own_licence_is_found_here(run: Run, sqlite_library: Library) -> None:
    licence = issue(sqlite_library, company_request()).licence
    code, text, _ = run("collect", "find", "--number", licence.number)
    assert (code, text.endswith("held by this library\n")) == (0, True)
    assert run("collect", "find", "--identifier", "1.2.3")[:2] == (1, "No catalogue has it.\n")
    assert run("collect", "find")[0] == 1
    who = ("--matter-code", "m", "--case-number", "c", "--purpose", "p", "--operator", "o")
    code, _, fault = run("collect", "check", licence.identifier, "--given", f"number={licence.number}", *who)
    assert (code, "this library holds it" in fault) == (1, True)
    code, _, fault = run("collect", "check", licence.identifier, "--given", "number", *who)
    assert (code, "NAME=VALUE" in fault) == (1, True)
