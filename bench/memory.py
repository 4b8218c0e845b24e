"""Peak memory of `certlib batch` by the number of rows. `python -m bench.memory`.

The full measurement, which takes the better part of an hour and 30 GB of disk:

    .venv/bin/python -m bench.memory --issue 10000 200000 --check 10000 200000
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.library import new_library
from bench.register import AGENCY, CITY, ROOT, write_register, write_small_register
from bench.table import print_machine, print_table, progress

SMALL_MAP = ROOT / "templates" / "seattle-business-licence" / "seattle.map.toml"
MAP = ROOT / "templates" / "business-licence" / "ningbo.map.toml"
SAMPLE_SECONDS = 0.2
MAX_SECONDS = 7200
BYTES_PER_SMALL_LICENCE = 150_000
"""Ample: a sealed PDF of the smallest shipped form, encrypted, and its rows."""
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB", re.MULTILINE)


def peak_kib(command: list[str], *, cwd: Path) -> tuple[int, int, float]:
    """Run a command: peak resident KiB of its process, of the largest process under it (0 if none), and seconds.

    Its answer stands in `answer.json` below `cwd`, what it told meanwhile in `log.txt`.

    The kernel keeps the peak of each process itself (proc(5), VmHWM); it is read until the process has gone.
    """
    started = time.monotonic()
    with (cwd / "log.txt").open("wb") as log, (cwd / "answer.json").open("wb") as answer:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=cwd, stdout=answer, stderr=log, env=environment)  # noqa: S603  # our own
    peaks: dict[int, int] = {}
    while process.poll() is None:
        if time.monotonic() - started > MAX_SECONDS:
            process.kill()
            raise SystemExit(f"not done after {MAX_SECONDS} s: {command}")
        for pid in (process.pid, *_below(process.pid)):
            peaks[pid] = max(peaks.get(pid, 0), _peak_of(pid))
        time.sleep(SAMPLE_SECONDS)
    if process.returncode != 0:
        raise SystemExit((cwd / "log.txt").read_text("utf-8")[-2000:])
    own = peaks.pop(process.pid, 0)
    return own, max(peaks.values(), default=0), time.monotonic() - started


def _peak_of(pid: int) -> int:
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text("utf-8"))
    except OSError:
        return 0
    return int(found[1]) if found else 0


def _below(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(each) for each in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_below(child)]
    return found


def measured(scratch: Path, template: Path, count: int, *, check: bool, workers: int) -> list[str]:
    """One row of the table: a register of `count` rows, judged and drawn, or issued for good."""
    what = f"{count:,}", "judged and drawn (--check)" if check else "issued, small form", str(workers)
    if not check and shutil.disk_usage(scratch).free < 2 * count * BYTES_PER_SMALL_LICENCE:
        return [*what, "not run: too little disk", "", ""]
    progress(f"{count} rows, check={check}, {workers} processes")
    run = scratch / f"run-{count}-{check}-{workers}"
    run.mkdir()
    home, register = run / "library", run / "register.csv"
    shutil.copytree(template, home)
    (write_register if check else write_small_register)(register, count)
    if check:
        licence_type, mapping, agency = "business-licence", MAP, AGENCY
    else:
        licence_type, mapping, agency = "seattle-business-licence", SMALL_MAP, CITY
    command = [
        *(sys.executable, "-c", "import cli; cli.main()", "batch", licence_type, str(register), "--map", str(mapping)),
        *("--agency", agency.code, "--home", str(home), "--workers", str(workers), "--json"),
        *(["--check"] if check else []),
    ]
    own, worker, seconds = peak_kib(command, cwd=run)
    answer = json.loads((run / "answer.json").read_text("utf-8"))
    if answer["lawful" if check else "issued"] != count:
        raise SystemExit(f"the batch did not take all rows: {answer}")
    shutil.rmtree(run)
    rest = f"{worker / 1024:.1f}" if worker else "-"
    return [*what, f"{own / 1024:.1f}", rest, f"{seconds:,.0f}"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--issue", type=int, nargs="*", default=[2_000, 10_000], help="rows that are issued")
    parser.add_argument("--check", type=int, nargs="*", default=[10_000, 40_000], help="rows judged and drawn")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--scratch", type=Path, help="folder with room for the blobs; default a temporary one")
    options = parser.parse_args()
    print_machine()
    with tempfile.TemporaryDirectory(prefix="certlib-bench-", dir=options.scratch) as name:
        scratch = Path(name)
        settings = new_library(scratch / "library")
        runs = [(count, False) for count in options.issue] + [(count, True) for count in options.check]
        rows = [measured(scratch, settings.home, count, check=check, workers=options.workers) for count, check in runs]
    progress("")
    header = ("rows", "what", "processes", "peak MiB", "peak MiB of a worker", "seconds")
    print_table("Memory of a batch", header, rows)


if __name__ == "__main__":
    main()
