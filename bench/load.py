"""Load on a server of ours on this machine: `wrk` where it is installed, else a small loop in Python."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

CONNECTIONS = 32
_WRK_SCRIPT = """
local keys = {{}}
for line in io.lines("{keys}") do keys[#keys + 1] = line end
local pause = {pause}
function init(args) math.randomseed(20261122) end
function request() return wrk.format("GET", "{path}" .. keys[math.random(#keys)]) end
if pause > 0 then
  function delay() return math.floor(-math.log(1 - math.random()) * pause + 0.5) end
end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("BENCH %d %d %f %f %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""
_WRK_LINE = re.compile(r"^BENCH (\d+) (\d+) ([0-9.]+) ([0-9.]+) (\d+)$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """What one run of load found."""

    per_second: float
    p50_ms: float
    p99_ms: float
    errors: int
    """Answers other than 2xx and 3xx, and connections that broke."""


def generator() -> str:
    """What makes the load here."""
    return "wrk" if shutil.which("wrk") else "a Python loop (wrk is not installed: the rates are the loop's)"


def load(port: int, path: str, keys: Path, *, seconds: float, pause_ms: float = 0.0) -> Load:
    """GET `path` + a random line of `keys` over 32 connections for `seconds`.

    With `pause_ms` each connection waits so long on average, exponentially spread, between an answer and its next
    question: arrivals at a chosen rate, which no slow answer can hold up for the other connections.
    """
    if shutil.which("wrk"):
        return _wrk(port, path, keys, seconds, pause_ms)
    return asyncio.run(_python(port, path, keys.read_text("ascii").split(), seconds, pause_ms))


def _wrk(port: int, path: str, keys: Path, seconds: float, pause_ms: float) -> Load:
    script = keys.with_suffix(".lua")
    script.write_text(_WRK_SCRIPT.format(keys=keys, path=path, pause=pause_ms), "utf-8")
    return wrk_load(script, port, connections=CONNECTIONS, seconds=seconds)


def wrk_load(script: Path, port: int, *, connections: int, seconds: float) -> Load:
    """What `wrk` finds with a script whose `done` writes the line that is read here."""
    command = [
        *("wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script)),
        f"http://127.0.0.1:{port}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 60)  # noqa: S603
    if (found := _WRK_LINE.search(done.stdout)) is None:
        raise SystemExit(f"wrk said: {done.stdout}{done.stderr}")
    requests, micros, p50, p99, errors = (float(each) for each in found.groups())
    return Load(per_second=requests / micros * 1e6, p50_ms=p50 / 1000, p99_ms=p99 / 1000, errors=int(errors))


async def _python(port: int, path: str, keys: list[str], seconds: float, pause_ms: float) -> Load:
    """Async because: 32 connections in one process; it stands in for wrk."""
    times: list[float] = []
    errors = 0
    chosen = random.Random(20261122)  # noqa: S311  # nothing secret
    end = time.perf_counter() + seconds

    async def client() -> None:
        """Async because: as above."""
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (start := time.perf_counter()) < end:
            writer.write(f"GET {path}{chosen.choice(keys)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            times.append(time.perf_counter() - start)
            errors += head[9:10] not in b"23"
            if pause_ms:
                await asyncio.sleep(chosen.expovariate(1000 / pause_ms))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    taken = time.perf_counter() - started
    return load_of(times, taken, errors)


def load_of(times: list[float], taken: float, errors: int) -> Load:
    """The load of answers that took `times` seconds each, `taken` seconds in all."""
    times.sort()
    return Load(
        per_second=len(times) / taken,
        p50_ms=1000 * times[len(times) // 2],
        p99_ms=1000 * times[int(0.99 * len(times))],
        errors=errors,
    )
