"""The real application on a free port of the loopback."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn

from api.app import create_app
from certlib.library import Library

START_SECONDS = 20


def named(lib: Library, url: str) -> Library:
    """The same library, set up to be reached at `url`."""
    return replace(lib, settings=lib.settings.model_copy(update={"api_url": url}))


@contextmanager
def served(lib: Library, *, says_where: bool = False) -> Iterator[str]:
    """The application over `lib`; gives its URL without a slash at the end. It knows it itself if `says_where`."""
    listener = socket.create_server(("127.0.0.1", 0))
    lib = named(lib, f"http://127.0.0.1:{listener.getsockname()[1]}") if says_where else lib
    server = uvicorn.Server(uvicorn.Config(create_app(lib), log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("the application did not start")
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
