"""Each bench runs from end to end on a tiny count; what it measures then says nothing."""

import shutil
from pathlib import Path

import pytest

from bench import asking, issue, lookups, memory, qr, verify
from bench.library import issued, new_library
from bench.load import load
from bench.peer import FONTS, UsualStack
from bench.records import filled
from bench.register import write_register
from certlib.config import Settings, read_settings
from certlib.library import close_library, open_library
from signing.keys import KeyAlgorithm


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_library(tmp_path_factory.mktemp("bench") / "library").home


@pytest.fixture
def settings(template: Path, tmp_path: Path) -> Settings:
    shutil.copytree(template, tmp_path / "library")
    return read_settings(tmp_path / "library")


def test_issue(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_register(tmp_path / "register-3.csv", 3)
    assert issue.Durable(settings.home, tmp_path, 3, 1).run() == 3
    pipeline = issue.Pipeline(settings, tmp_path)
    assert pipeline.run(2) == 2
    assert issue.Floor(KeyAlgorithm.P256, tmp_path, pipeline.sizes[0]).run(2) == 2
    if any(Path(font).is_file() for font in FONTS):
        assert UsualStack(KeyAlgorithm.P256, [pipeline.register.request(0)]).run() == 1
    rows = issue.Stages(settings.home).rows(1)
    assert [row[0] for row in rows] == [*issue.STAGES.values(), "together"]


def test_verify(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("TOKENS", "SLOW_TOKENS", "PDFS"):
        monkeypatch.setattr(verify, name, 4)
    lib = open_library(settings)
    licences = issued(lib, verify.SAMPLE)
    verify.token_table(lib, licences, rounds=1)
    verify.pdf_table(lib, licences, rounds=1)
    close_library(lib)
    assert capsys.readouterr().out.count("### ") == 2


def test_lookups(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    libraries = {}
    for count in (50, 500):
        shutil.copytree(template, tmp_path / str(count))
        libraries[count] = read_settings(tmp_path / str(count))
        filled(libraries[count], count)
    lookups.growth_table(libraries, rounds=1, lookups=20)
    keys = tmp_path / "keys.txt"
    with monkeypatch.context() as without_wrk:
        without_wrk.setenv("PATH", str(tmp_path))
        lookups.http_tables(libraries[50], keys, records=50, seconds=0.2, rounds=1)
    out = capsys.readouterr().out
    assert out.count("### ") == 3
    assert "| 500 records |" in out
    assert "wrk is not installed" in out


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_load_by_wrk(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("one\ntwo\n", "ascii")
    with lookups.server(settings) as (port, _pid):
        found = load(port, lookups.CONSTANT, keys, seconds=1, pause_ms=1.0)
        unknown = load(port, lookups.LOOKUP, keys, seconds=1)
    assert found.per_second > 0
    assert found.p50_ms <= found.p99_ms
    assert found.errors == 0
    assert unknown.errors > 0


def test_memory(template: Path, tmp_path: Path) -> None:
    for check in (True, False):
        row = memory.measured(tmp_path, template, 3, check=check, workers=1)
        assert float(row[3]) > 20


def test_qr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = qr.twelve_field_record()
    qr.size_table(record, {})
    readers = qr.Readers(tmp_path)
    qr.scan_table(record, readers, 1)
    qr.dirt_table(record, readers, 1)
    out = capsys.readouterr().out
    assert out.count("### ") == 3
    assert "| 14-M | 26.7 |" in out


def test_share(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asking.tables(tmp_path / "asked", records=20, seconds=0.3, rounds=1, rows=10)
    printed = capsys.readouterr().out
    assert "| check of 4 values | 16 |" in printed
    assert "| POST /v1/checks |" in printed
    assert "| 10 |" in printed
