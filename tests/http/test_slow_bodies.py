"""Bodies that never come to their end: an answer in time, and nothing in the log when nobody waits for one."""

import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

from api.app import create_app
from api.guarding import BodyLimit
from certlib.library import Library

Receive = Callable[[], Awaitable[dict[str, Any]]]


def scope() -> dict[str, Any]:
    return {
        "type": "http", "method": "POST", "path": "/v1/verify", "raw_path": b"/v1/verify", "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"1000")],
        "client": ("127.0.0.1", 1), "http_version": "1.1",
    }  # fmt: skip


def answers(lib: Library, receive: Receive, **limits: float) -> list[dict[str, Any]]:
    """What is sent for a body that comes by `receive`."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:  # noqa: ANN401  # an ASGI message
        sent.append(message)

    app = BodyLimit(create_app(lib), max_bytes=10_000, **limits)

    async def run() -> None:
        with anyio.fail_after(10):
            await app(scope(), receive, send)

    anyio.run(run)
    return sent


def test_a_body_that_stops_is_answered_in_time(sqlite_library: Library) -> None:
    async def receive() -> dict[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError

    start, body = answers(sqlite_library, receive, max_idle_seconds=0.1)
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert b"too_slow" in body["body"]


def test_a_body_that_trickles_is_answered_in_time(sqlite_library: Library) -> None:
    async def receive() -> dict[str, Any]:
        await anyio.sleep(0.05)
        return {"type": "http.request", "body": b" ", "more_body": True}

    start, _ = answers(sqlite_library, receive, max_seconds=0.3)
    assert start["status"] == 408


def test_who_leaves_in_the_middle_gets_no_answer_and_no_log(
    sqlite_library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    messages: Iterator[dict[str, Any]] = iter(
        [{"type": "http.request", "body": b'{"text"', "more_body": True}, {"type": "http.disconnect"}]
    )

    async def receive() -> dict[str, Any]:
        return next(messages)

    with caplog.at_level(logging.WARNING):
        assert answers(sqlite_library, receive) == []
    assert caplog.records == []


def test_a_whole_body_may_be_worked_on_for_long(sqlite_library: Library) -> None:
    messages = iter([{"type": "http.request", "body": b'{"text": "x"}', "more_body": False}])

    async def receive() -> dict[str, Any]:
        if (message := next(messages, None)) is not None:
            return message
        await anyio.sleep(0.2)
        return {"type": "http.disconnect"}

    start, _ = answers(sqlite_library, receive, max_idle_seconds=0.1, max_seconds=0.1)
    assert start["status"] == 200
