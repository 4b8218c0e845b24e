"""How the command line behaves whatever it is asked: help, exit codes, JSON errors, our own faults."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from certlib import enrolling
from certlib.manual import EXAMPLES
from tests.cli.conftest import Made
from tests.support.command_pages import PAGE, introduction, page
from tests.support.terminal import Terminal

COMMANDS = sorted(EXAMPLES)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_teaches(bare: Terminal, command: str) -> None:
    shown = bare.run(*command.split(), "--help", code=0).out
    assert shown.startswith(f"Usage: certlib {command} ")
    for example in EXAMPLES[command]:
        assert f"\n    {example}\n" in shown
    options = re.findall(r"^  (--[a-z-]+)(.*(?:\n {10,}.*)*)", shown, re.MULTILINE)
    assert [name for name, text in options if not re.search(r"\s{2,}\S.*\w", text)] == []


def test_the_page_about_commands_says_what_help_says() -> None:
    assert PAGE.read_text("utf-8") == page(introduction()), "write it again: make docs"


def test_every_command_is_in_the_manual(bare: Terminal) -> None:
    shown = bare.run("--help", code=0).out.partition("Commands:")[2]
    names = re.findall(r"^  ([a-z-]+)  ", shown, re.MULTILINE)
    known = {command.split()[0] for command in COMMANDS}
    assert set(names) == known


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ([], "Usage: certlib"),
        (["agency"], "Usage: certlib agency"),
        (["frob"], "No such command 'frob'"),
        (["issue"], "Missing argument 'TYPE'"),
        (["issue", "business-licence"], "Missing option '--data'"),
        (["issue", "business-licence", "--data", "none.json"], "does not exist"),
        (["issue", "business-licence", "--data", "."], "is a directory"),
        (["batch", "business-licence", "a.csv", "--map", "b.toml"], "does not exist"),
        (["agency", "token", "X", "--ttl-seconds", "9" * 400], "--ttl-seconds"),
        (["agency", "token", "X", "--ttl-seconds", "1e3"], "--ttl-seconds"),
        (["agency", "rotate-key", "X", "--purpose", "root"], "'token', 'seal'"),
        (["serve", "--port", "70000"], "--port"),
        (["verify", "x", "--offline"], "--offline and --trust-pack go together"),
        (["type", "check", "nowhere"], "does not exist"),
        (["verify"], "Missing argument"),
        (["agency", "list"], "there is no library at"),
        (["verify", "x"], "there is no library at"),
        (["serve"], "there is no library at"),
    ],
    ids=lambda value: "-".join(value)[:40] if isinstance(value, list) else "",
)  # fmt: skip
def test_wrong_usage_ends_with_2_and_says_why(bare: Terminal, arguments: list[str], text: str) -> None:
    ran = bare.run(*arguments, code=2)
    assert text in ran.out + ran.err
    assert len(ran.err.splitlines()) <= 3


def test_a_process_ends_with_the_same_codes(made: Made, bare: Terminal) -> None:
    assert bare.real("--version", code=0).out.startswith("certlib 0.")
    assert bare.real("identifier", "check", "1.2.3", code=1).err == ""
    assert "No such command" in bare.real("frob", code=2).err
    assert made.terminal.real("show", "nothing", code=1).out == ""
    assert made.terminal.real("verify", made.pdf, code=0).out.startswith(f"{made.pdf}: VALID\n")


def test_errors_are_json_too(made: Made, bare: Terminal) -> None:
    error = bare.run("verify", "x", "--json", code=2).json()["error"]
    assert error["code"] == "setup"
    assert error["hint"].startswith("Name it with --home")
    assert bare.run("issue", "--json", code=2).json()["error"]["code"] == "usage"
    assert made.terminal.run("show", "nothing", "--json", code=1).json()["error"]["code"] == "not_found"
    assert (
        made.terminal.run("agency", "token", "NOBODY", "--json", code=1).json()["error"]["code"] == "agency_not_found"
    )


def test_a_fault_of_ours_has_a_reference_and_its_detail_in_the_home(
    own: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError("quotes 张三")

    monkeypatch.setattr(enrolling, "add_agency", broken)
    arguments = ("agency", "add", "--code", "X", "--name", "X")
    ran = own.run(*arguments, code=3)
    (reference,) = re.findall(r"reference ([0-9a-f]{12})", ran.err)
    assert "张三" not in ran.out + ran.err
    assert own.home is not None
    log = own.home / "faults.log"
    assert reference in log.read_text("utf-8")
    assert "ZeroDivisionError" in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0
    assert own.run(*arguments, "--json", code=3).json()["error"]["code"] == "own_fault"


def test_settings_that_cannot_be_read_are_named(own: Terminal) -> None:
    assert own.home is not None
    (own.home / "certlib.toml").write_text('verify_urll = "x"\n', "utf-8")
    assert "unknown setting: verify_urll" in own.run("agency", "list", code=2).err
    (own.home / "certlib.toml").write_text("[", "utf-8")
    assert "cannot be read" in own.run("agency", "list", code=2).err
    (own.home / "certlib.toml").unlink()
    (own.home / "passphrase").write_text("another\n", "utf-8")
    assert "passphrase" in own.run("agency", "list", code=2).err


def test_a_home_that_was_damaged_says_what_to_restore(made: Made, own: Terminal) -> None:
    home = own.home
    assert home is not None
    shutil.rmtree(home / "blobs")
    lost = own.run("show", made.issued["number"], "--pdf", "out", code=3).err
    assert lost.endswith("Restore the blobs folder from its backup.\n")
    (home / "keys").rename(home / "elsewhere")
    assert "Restore the keys folder" in own.run("agency", "token", "RAINPORT", code=2).err
    (home / "elsewhere").rename(home / "keys")
    (home / "passphrase").chmod(0o644)
    assert "can be read by others" in own.run("agency", "list", code=2).err
    (home / "passphrase").chmod(0o600)
    (home / "certlib.sqlite").write_bytes(bytes(range(256)) * 64)
    assert "file is not a database" in own.run("agency", "list", code=2).err
    for path in home.glob("certlib.sqlite*"):
        path.unlink()
    assert "the database is empty" in own.run("agency", "list", code=2).err
    (home / "data-keys.json").write_text("{}", "utf-8")
    assert "Restore it from its backup" in own.run("agency", "list", code=2).err


@pytest.mark.parametrize("name", ["我的 证照库 100%", "a#b?c", "it's"])
def test_a_home_may_have_any_name(bare: Terminal, name: str) -> None:
    bare.run("init", "--home", name, code=0)
    assert "There is no agency yet" in bare.run("agency", "list", "--home", name, code=0).out


def test_a_full_disk_is_told_plainly(made: Made) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-c", "from cli import main; main()", "agency", "list"]
        done = subprocess.run(  # noqa: S603  # our own command
            command, env=made.terminal.variables(), stdout=full, stderr=subprocess.PIPE, check=False, text=True
        )
    assert done.returncode == 3
    assert done.stderr.startswith("certlib: No space left on device\n")


def test_a_home_that_cannot_be_made_is_named(bare: Terminal) -> None:
    (bare.cwd / "file").write_text("", "utf-8")
    assert "cannot be written" in bare.run("init", "--home", "file/inside", code=2).err
    assert "is a file" in bare.run("init", "--home", "file", code=2).err
    assert list(bare.cwd.iterdir()) == [bare.cwd / "file"]


def test_no_command_shows_where_python_keeps_its_files(made: Made) -> None:
    """Paths are of the user, not of our code."""
    ran = made.terminal.run("issue", "business-licence", "--data", made.pdf, "--agency", "RAINPORT", code=1)
    assert str(Path(enrolling.__file__).parent) not in ran.err
    assert "cannot be read as JSON" in ran.err
