"""An RFC 3161 server on loopback: real tokens over real HTTP, and answers spoilt on purpose."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from signing.timestamps import QUERY_TYPE, REPLY_TYPE


@dataclass(frozen=True, kw_only=True)
class Reply:
    body: bytes
    status: int = 200
    content_type: str = REPLY_TYPE
    before: Callable[[], None] = lambda: None
    """Called before the answer goes out: to be slow."""


@contextmanager
def tsa_server(answer: Callable[[bytes], bytes | Reply]) -> Iterator[str]:
    """The address of a server that answers each query with ``answer(query)``."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == QUERY_TYPE
            given = answer(query)
            reply = given if isinstance(given, Reply) else Reply(body=given)
            reply.before()
            try:
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the client has given up, which is what a test of slowness wants

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/tsa"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
