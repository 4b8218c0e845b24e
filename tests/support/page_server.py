"""The verify page over a scripted register: real page, real trust packs and tokens, answers as a test sets them.

It lets a test play what a real server does not do on demand: answer late, be unreachable, hand out an old pack.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from api.guarding import HEADERS, PAGE_POLICY
from api.rendering import load_pages, rendered
from signing import jws


@dataclass(kw_only=True)
class ScriptedRegister:
    """What the server says; a test changes it at will."""

    anchor_spki_der: bytes
    pack: bytes | None
    """Trust pack file; None answers 503."""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Public answers by identifier or code; others are 404."""
    upload: dict[str, Any] | None = None
    """Verdict on any file; None answers 503."""
    status: int = 200
    """Of look-ups; another one is answered as a problem."""
    delay_seconds: float = 0.0
    """Before a look-up is answered."""
    asked: list[str] = field(default_factory=list)
    """Every path that was asked for: fragments must never be among them."""
    url: str = ""


def _handler(register: ScriptedRegister) -> type[BaseHTTPRequestHandler]:  # noqa: C901  # one small method per question
    pages = load_pages()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            register.asked.append(self.path)
            path = self.path.partition("?")[0]
            if path == "/q":
                config = {"anchor": jws.base64url(register.anchor_spki_der), "max_upload_bytes": 100_000}
                self.answer(200, rendered(pages, "q.html", language="en", config=config).encode(), "text/html")
            elif path in pages.files:
                self.answer(200, pages.files[path].body, pages.files[path].media_type)
            elif path == "/v1/trust-pack" and register.pack is not None:
                self.answer(200, register.pack, "application/json")
            elif path.startswith("/v1/verify/"):
                self.look_up(unquote(path.removeprefix("/v1/verify/")))
            else:
                self.problem(503 if path == "/v1/trust-pack" else 404)

        def do_POST(self) -> None:
            register.asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            if register.upload is None:
                self.problem(503)
            else:
                self.answer(200, json.dumps(register.upload).encode(), "application/json")

        def look_up(self, key: str) -> None:
            time.sleep(register.delay_seconds)
            if register.status != 200:
                self.problem(register.status)
            elif key in register.answers:
                self.answer(200, json.dumps(register.answers[key]).encode(), "application/json")
            else:
                self.problem(404)

        def problem(self, status: int) -> None:
            self.answer(status, b'{"code":"scripted"}', "application/problem+json")

        def answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            headers = {**HEADERS, "Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}
            for name, value in (headers | {"Content-Type": kind, "Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
            """Say nothing."""

    return Handler


@contextmanager
def serving(register: ScriptedRegister) -> Iterator[ScriptedRegister]:
    """The register on a free port of the loopback; `register.url` says where."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(register)) as server:
        server.daemon_threads = True
        register.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield register
        finally:
            server.shutdown()
            thread.join()
