"""The layout of the house: who may import what, and what no file may be or hold. Beside the import contracts."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.problems import STATUS
from certlib.errors import CertlibError

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "certlib", "signing", "templates")
COMMANDS = tuple(sorted(ROOT.glob("cli*.py")))
SHIPPED = sorted({*COMMANDS, *(path for top in PACKAGES for path in (ROOT / top).rglob("*.py"))})
WRITTEN = sorted({*SHIPPED, *(path for top in ("tests", "bench", "samples") for path in (ROOT / top).rglob("*.py"))})
WEB = sorted(path for path in (ROOT / "api" / "web").rglob("*.ts") if "dist" not in path.parts)
MOST_LINES, MOST_LINES_OF_CASES = 400, 600
REASON = re.compile(r"\s+(?:#|--) \w")
NO_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers", "service", "services"}
NO_WORDS = re.compile(r"\b(?:[A-Za-z_]*_)?(?:licenses?|Licenses?|credentials?|Credentials?)(?:_[A-Za-z_]*)?\b")
"""A document is a licence. The American word stands in texts of American forms, never in a name of ours."""


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(tree: ast.AST) -> set[str]:
    nodes = list(ast.walk(tree))
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    names |= {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: path.name)
def test_cli_imports_only_the_library(path: Path) -> None:
    commands = {each.stem for each in COMMANDS}
    assert imported(parsed(path)) <= {*sys.stdlib_module_names, "certlib", "typer", "uvicorn", *commands}


def test_every_async_def_gives_its_measured_reason() -> None:
    for path in SHIPPED:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.AsyncFunctionDef):
                assert path.is_relative_to(ROOT / "api"), path
                assert "Async because:" in (ast.get_docstring(node) or ""), f"{short(path)}: {node.name}"


def test_every_module_imports_with_an_empty_environment(tmp_path: Path) -> None:
    """And does nothing by that: no file, no setting, no engine."""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in SHIPPED]
    modules = [name.removesuffix(".__init__") for name in modules if ".versions." not in name and "env" not in name]
    program = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    ran = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", program, *modules],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stderr, ran.stdout) == (0, "", "")
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # names only


@pytest.mark.parametrize(
    ("paths", "most"),
    [(SHIPPED, MOST_LINES), (WEB, MOST_LINES), (WRITTEN, MOST_LINES_OF_CASES)],
    ids=["shipped", "web", "tables of cases"],
)
def test_no_file_is_longer_than_a_reader_can_hold(paths: list[Path], most: int) -> None:
    long = {short(path): count for path in paths if (count := len(path.read_text("utf-8").splitlines())) > most}
    assert long == {}


def test_no_module_is_a_drawer_for_everything() -> None:
    assert [short(path) for path in WRITTEN if path.stem in NO_NAMES or path.parent.name in NO_NAMES] == []


def test_names_use_the_words_of_the_house() -> None:
    wrong = []
    for path in SHIPPED:
        for node in ast.walk(parsed(path)):
            names = [getattr(node, key, None) for key in ("name", "id", "attr", "arg")]
            wrong += [f"{short(path)}: {name}" for name in names if isinstance(name, str) and NO_WORDS.fullmatch(name)]
    assert sorted(set(wrong)) == []


def test_every_error_has_its_http_status() -> None:
    def leaves(kind: type[CertlibError]) -> set[type[CertlibError]]:
        inside = [each for each in kind.__subclasses__() if each.__module__.startswith("certlib.")]
        return {leaf for each in inside for leaf in leaves(each)} if inside else {kind}

    for name in {path.stem for path in (ROOT / "certlib").glob("*.py")} - {"__init__"}:
        __import__(f"certlib.{name}")
    known = set(STATUS)
    missing = {leaf for leaf in leaves(CertlibError) if not any(kind in known for kind in leaf.__mro__)}
    assert missing == set()
    assert {kind for kind in CertlibError.__subclasses__() if kind.__module__ == "certlib.errors"} == known


def test_codes_of_errors_are_stable_names_and_no_two_are_the_same() -> None:
    kinds = [each for each in CertlibError.__subclasses__() if each.__module__ == "certlib.errors"]
    codes = [kind.code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert [code for code in codes if not re.fullmatch(r"[a-z][a-z_]*", code)] == []


def test_a_todo_names_its_issue() -> None:
    word = "TO" + "DO"
    bare = re.compile(word + r"(?!\(#\d+\))")
    found = [
        f"{short(path)}:{number}"
        for path in [*WRITTEN, *WEB]
        if path != Path(__file__)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if word in line and bare.search(line)
    ]
    assert found == []


def test_exceptions_to_a_rule_are_named_and_reasoned() -> None:
    ruled = re.compile(
        r"#\s*(?:noqa|type:\s*ignore)(?P<code>:\s*[A-Z]+[0-9]+(?:,\s*[A-Z]+[0-9]+)*|\[[a-z-]+(?:,\s*[a-z-]+)*\])?"
    )
    found = []
    for path in SHIPPED:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            match = ruled.search(line)
            if match is not None and (match["code"] is None or not REASON.match(line[match.end() :])):
                found.append(f"{short(path)}:{number}")
    assert found == []
