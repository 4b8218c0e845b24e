"""The command line as a user meets it: in this process (quick), or as a real process (exit codes, signals)."""

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cli

ROOT = Path(__file__).resolve().parents[2]
NEVER = ("Traceback", "  File ")
"""What no user is ever shown."""


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:  # noqa: ANN401  # whatever JSON holds
        return json.loads(self.out)


@dataclass(frozen=True)
class Terminal:
    """A terminal in a folder, with or without a library named by the environment."""

    cwd: Path
    home: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *arguments: object, stdin: bytes = b"", code: int | None = None) -> Ran:
        """Run `certlib ARGUMENTS` in this process; with `code`, require that it ends so."""
        out, err = io.StringIO(), io.StringIO()
        before = Path.cwd(), os.environ.copy(), sys.argv, sys.stdin
        os.environ.update(self._variables())
        if self.home is None:
            os.environ.pop("CERTLIB_HOME", None)
        os.chdir(self.cwd)
        sys.argv, sys.stdin = ["certlib", *map(str, arguments)], io.TextIOWrapper(io.BytesIO(stdin))
        try:
            with redirect_stdout(out), redirect_stderr(err):
                cli.main()
        except SystemExit as end:
            ran = Ran(code=int(end.code or 0), out=out.getvalue(), err=err.getvalue())
        finally:
            os.chdir(before[0])
            os.environ.clear()
            os.environ.update(before[1])
            sys.argv, sys.stdin = before[2], before[3]
        return checked(ran, code)

    def real(self, *arguments: object, stdin: bytes = b"", code: int | None = None) -> Ran:
        """The same as a process of its own."""
        done = subprocess.run(  # noqa: S603  # our own command
            [sys.executable, "-c", "from cli import main; main()", *map(str, arguments)],
            cwd=self.cwd,
            env=self.variables(),
            input=stdin,
            capture_output=True,
            check=False,
            timeout=300,
        )
        return checked(Ran(code=done.returncode, out=done.stdout.decode(), err=done.stderr.decode()), code)

    def variables(self) -> dict[str, str]:
        """The environment of a real process; nothing of certlib's but what this terminal says."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("CERTLIB_")}
        return {**inherited, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "", **self._variables()}

    def _variables(self) -> dict[str, str]:
        return {"COLUMNS": "80", **self.environment, **({} if self.home is None else {"CERTLIB_HOME": str(self.home)})}


def checked(ran: Ran, code: int | None) -> Ran:
    """`ran`, if it shows nothing that no user may see and ended as it must."""
    for each in NEVER:
        assert each not in ran.out + ran.err, ran
    assert code is None or ran.code == code, ran
    return ran
