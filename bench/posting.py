"""Load of POST requests on a server of ours on this machine, by `wrk` or a small loop in Python, as `bench.load`."""

from __future__ import annotations

import asyncio
import random
import re
import shutil
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.load import Load, load_of, wrk_load

if TYPE_CHECKING:
    from pathlib import Path

_WRK_SCRIPT = """
local bodies = {{}}
for line in io.lines("{bodies}") do bodies[#bodies + 1] = line end
local headers = {{ ["Content-Type"] = "application/json", ["Authorization"] = "Bearer {bearer}" }}
function init(args) math.randomseed(20261122) end
function request() return wrk.format("POST", "{path}", headers, bodies[math.random(#bodies)]) end
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("BENCH %d %d %f %f %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Posts:
    """What is sent, and where to."""

    port: int
    path: str
    bodies: Path
    """One JSON body a line, drawn at random."""
    bearer: str
    connections: int


def post_load(posts: Posts, *, seconds: float) -> Load:
    """POST for `seconds`, each connection its next body as soon as it has its answer."""
    if shutil.which("wrk"):
        return _wrk(posts, seconds)
    return asyncio.run(_python(posts, seconds))


def _wrk(posts: Posts, seconds: float) -> Load:
    script = posts.bodies.with_suffix(".lua")
    script.write_text(_WRK_SCRIPT.format(bodies=posts.bodies, path=posts.path, bearer=posts.bearer), "utf-8")
    return wrk_load(script, posts.port, connections=posts.connections, seconds=seconds)


async def _python(posts: Posts, seconds: float) -> Load:
    """Async because: many connections in one process; it stands in for wrk."""
    bodies = posts.bodies.read_bytes().split(b"\n")
    times: list[float] = []
    errors = 0
    chosen = random.Random(20261122)  # noqa: S311  # nothing secret
    end = time.perf_counter() + seconds
    head = (
        f"POST {posts.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {posts.bearer}\r\n"
    )

    async def client() -> None:
        """Async because: as above."""
        nonlocal errors
        reader, writer = await asyncio.open_connection("127.0.0.1", posts.port)
        while (start := time.perf_counter()) < end:
            body = chosen.choice(bodies)
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", answer, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            times.append(time.perf_counter() - start)
            errors += answer[9:10] not in b"23"
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(posts.connections)))
    taken = time.perf_counter() - started
    return load_of(times, taken, errors)
