"""Each vector through library, HTTP and CLI: three entries, one answer, the expected one."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import cli
from api.app import create_app
from certlib import checking
from certlib.library import Library, close_library
from certlib.trusting import open_offline
from certlib.verdict import verdict_json
from certlib.verifying import verify
from tests.support.clock import Clock
from tests.support.vectors import ANCHOR, FOLDER, PACK, WORLD_AT, Vector, all_vectors, made_world, opened_world
from tests.vectors.build import headers_by_name

VECTORS = {vector.name: vector for vector in all_vectors()}
ENTRIES = [
    (entry, name)
    for name, vector in VECTORS.items()
    for entry in ("library", "http", "cli")
    # A server has its library and never answers from a trust pack; these run through library and command only.
    if not (entry == "http" and vector.source == "offline")
]
NEEDED = {
    "token-of-another-agencys-key", "token-right-key-wrong-licence", "token-revoked", "file-after-its-certificate",
    "file-bytes-appended", "file-second-revision", "token-unsigned", "picture-two-tokens-in-one-code",
}  # fmt: skip
"""Those that the conventions name."""


@pytest.fixture(scope="module")
def clock() -> Clock:
    """The moment at which a vector is asked; each entry sets it."""
    return Clock(at=WORLD_AT)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Library]:
    """The library that the vectors speak of, open."""
    home = tmp_path_factory.mktemp("world") / "library"
    made_world(home)
    lib = opened_world(home, clock)
    yield lib
    close_library(lib)


@pytest.fixture(scope="module")
def web(world: Library) -> Iterator[TestClient]:
    with TestClient(create_app(world)) as client:
        yield client


def by_library(vector: Vector, world: Library) -> dict[str, Any]:
    source = (
        world
        if vector.source == "live"
        else open_offline(PACK.read_bytes(), anchor_spki_der=anchor(), now=vector.moment)
    )
    return verdict_json(verify(vector.given, source, now=vector.moment))


def anchor() -> bytes:
    return checking.read_anchor(ANCHOR.read_bytes())


def by_http(vector: Vector, web: TestClient) -> dict[str, Any]:
    if vector.input == "text":
        response = web.post("/v1/verify", json={"text": vector.given})
    else:
        response = web.post("/v1/verify", files={"file": ("upload", vector.body)})
    assert response.status_code == 200, response.text
    content = response.json()
    assert isinstance(content, dict)
    return content


def by_cli(vector: Vector, home: Path, folder: Path) -> dict[str, Any]:
    given = str(vector.given)
    if vector.input == "file":
        given = str(folder / "input.bin")
        Path(given).write_bytes(vector.body)
    where = ["--home", str(home)] if vector.source == "live" else ["--offline", "--trust-pack", str(PACK)]
    result = CliRunner().invoke(cli.app, ["verify", "--json", *where, "--", given])
    good = vector.expect in ("valid", "valid_offline")
    assert result.exit_code == (0 if good else 1), result.output
    (content,) = json.loads(result.stdout)
    assert isinstance(content, dict)
    assert content.pop("input")
    return content


@pytest.mark.parametrize(("entry", "name"), ENTRIES, ids=[f"{name}-{entry}" for entry, name in ENTRIES])
def test_every_entry_gives_the_expected_answer(  # noqa: PLR0913, PLR0917  # fixtures
    entry: str,
    name: str,
    world: Library,
    web: TestClient,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vector = VECTORS[name]
    clock.at = vector.moment
    expected = by_library(vector, world)
    if entry == "library":
        answer = expected
    elif entry == "http":
        answer = by_http(vector, web)
    else:
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
        monkeypatch.setattr(checking, "utc_now", clock)  # the command has no clock of its own to set
        answer = by_cli(vector, world.settings.home, tmp_path)
    said = {"word": answer["word"], "fault": answer["fault"], "kind": answer["kind"]}
    assert said == {"word": vector.expect, "fault": vector.fault, "kind": vector.kind}, answer["checks"]
    assert answer == expected


def test_the_files_are_those_that_build_makes() -> None:
    """What is deterministic must not differ: names, headers and words."""
    assert {name: vector.headers() for name, vector in VECTORS.items()} == headers_by_name()


def test_what_must_be_there_is_there() -> None:
    assert VECTORS.keys() >= NEEDED


def test_no_private_key_is_kept() -> None:
    for path in FOLDER.iterdir():
        if path.is_file() and path.suffix != ".py":
            content = path.read_bytes()
            assert b"PRIVATE KEY" not in content, path.name
    keys = json.loads((FOLDER / "world.json").read_text("utf-8"))["keys"]
    assert all("uri" not in key for key in keys)


@pytest.mark.parametrize(
    "head", ["expect: valid\nhope: dies last", "expect: valid\nexpect: valid", "expect valid", "expect: valid"]
)
def test_a_vector_with_other_headers_fails_the_run(tmp_path: Path, head: str) -> None:
    from tests.support.vectors import read_vector  # noqa: PLC0415  # beside its only use

    path = tmp_path / "bad.vector"
    path.write_text(f"{head}\n\nbody")
    with pytest.raises((AssertionError, TypeError)):
        read_vector(path)


def test_times_in_vectors_are_exact() -> None:
    for vector in VECTORS.values():
        assert datetime.fromisoformat(vector.at).tzinfo is not None
