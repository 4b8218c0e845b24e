"""`demo` and `serve` as processes: what they print, what they serve, how they end."""

import json
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import CITY, Made
from tests.support.processes import answered, ended, free_port, process
from tests.support.terminal import Terminal


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_and_ends_cleanly(made: Made, number: int) -> None:
    port = free_port()
    with process(made.terminal, "serve", "--port", port) as running:
        status, body = answered(f"http://127.0.0.1:{port}/v1/verify/{made.issued['public_code']}")
        assert (status, json.loads(body)["word"]) == (200, "valid")
        assert answered(f"http://127.0.0.1:{port}/healthz")[0] == 200
        busy = made.terminal.run("serve", "--port", port, code=2).err
        assert f"127.0.0.1:{port} cannot be served" in busy
        code, out = ended(running, number)
    assert code in {0, 130, -number}
    assert out == f"Served at http://127.0.0.1:{port}/ until Ctrl-C.\n"


def test_a_bearer_opens_what_is_the_agencys_own(made: Made) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1/licences/{made.issued['identifier']}"
    bearers = {code: made.terminal.run("agency", "token", code, code=0).out.strip() for code in (made.issued_by, CITY)}
    with process(made.terminal, "serve", "--port", port) as running:
        assert answered(url)[0] == 401
        assert answered(url, Authorization="Bearer x.y.z")[0] == 401
        assert answered(url, Authorization=f"Bearer {bearers[CITY]}")[0] == 404
        status, body = answered(url, Authorization=f"Bearer {bearers[made.issued_by]}")
        assert (status, json.loads(body)["identifier"]) == (200, made.issued["identifier"])
        ended(running, signal.SIGTERM)


def test_the_demo_tells_what_to_try_and_stays_as_it_is(tmp_path: Path) -> None:
    terminal = Terminal(cwd=tmp_path)
    first = terminal.real("demo", "--prepare-only", "--port", "8123", code=0).out.splitlines()
    assert len(first) < 33
    assert max(map(len, first)) < 100
    text = "\n".join(first)
    for said in ("address differs", "? yes (signed)", "agreed with the one-time code", "data (consent), given"):
        assert said in text, said
    assert {each.name for each in (tmp_path / ".demo" / "case").iterdir()} == {
        *("copy.pdf", "receipt.jws", "receipt.pdf", "school-board.key.pem"),
    }
    again = terminal.real("demo", "--prepare-only", "--port", "8123", code=0).out.splitlines()
    assert [line for line in again if ".pdf  " in line] == [line for line in first if ".pdf  " in line]
    assert [line.split(",")[1] for line in again if " rows, " in line] == [
        line.split(",")[1] + " before" for line in first if " rows, " in line
    ]
    demo = Terminal(cwd=tmp_path, home=tmp_path / ".demo")
    files = sorted((tmp_path / ".demo" / "try").glob("*.pdf"))
    answers = demo.run("verify", *files, "--json", code=1).json()
    assert {Path(each["input"]).stem: each["word"] for each in answers} == {
        each: each for each in ("cancelled", "expired", "forged", "revoked", "valid")
    }
    for line in (each.strip() for each in first if each.startswith("  .venv/bin/certlib verify")):
        pattern = line.split()[2]
        arguments = [str(path) for path in sorted(tmp_path.glob(pattern))] + line.split()[3:]
        assert terminal.run("verify", *arguments, code=1).out.count("VALID") == 1


def test_the_demo_is_stopped_and_goes_on(tmp_path: Path) -> None:
    terminal = Terminal(cwd=tmp_path)
    port = free_port()
    with process(terminal, "demo", "--port", port) as running:
        assert running.stdout is not None
        for line in running.stdout:
            if "companies.csv" in line:
                break
        code, _ = ended(running, signal.SIGINT)
    assert code == 130
    with process(terminal, "demo", "--port", port) as running:
        assert answered(f"http://127.0.0.1:{port}/q")[0] == 200
        code, out = ended(running, signal.SIGINT)
    assert code in {0, 130}
    assert f"Served at http://127.0.0.1:{port}/ until Ctrl-C." in out


def test_the_demo_leaves_other_folders_alone(bare: Terminal) -> None:
    (bare.cwd / "mine").mkdir()
    (bare.cwd / "mine" / "file").write_text("x", "utf-8")
    assert "is not empty and no demo" in bare.run("demo", "--home", "mine", "--prepare-only", code=2).err
    assert [path.name for path in (bare.cwd / "mine").iterdir()] == ["file"]
