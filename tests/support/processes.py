"""Commands that serve, as processes of their own on a port of the loopback."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.terminal import NEVER, Terminal

WAIT_SECONDS = 60


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def process(terminal: Terminal, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-u", "-c", "from cli import main; main()", *map(str, arguments)]
    running = subprocess.Popen(  # noqa: S603  # our own command
        command, cwd=terminal.cwd, env=terminal.variables(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


def answered(url: str, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # loopback
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # loopback
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            assert time.monotonic() < deadline, f"{url} does not answer"
            time.sleep(0.1)


def ended(running: "subprocess.Popen[str]", number: int) -> tuple[int, str]:
    running.send_signal(number)
    out, _ = running.communicate(timeout=WAIT_SECONDS)
    assert not any(each in out for each in NEVER), out
    return running.returncode, out
