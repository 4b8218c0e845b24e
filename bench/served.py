"""The application with more routes, which answer a constant. Run by `bench.lookups` and `bench.asking`, by nobody else.

CERTLIB_HOME=... uvicorn --factory bench.served:app
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from api.app import create_app
from api.deps import Body, json_object
from certlib.answering import MAX_AGE_SECONDS
from certlib.config import read_settings
from certlib.library import open_library

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

CONSTANT_BYTES = 700
"""About as long as a public answer."""


def app() -> FastAPI:
    """The application over the library at CERTLIB_HOME."""
    lib = open_library(read_settings(Path(os.environ["CERTLIB_HOME"])))
    served = create_app(lib, close_with_app=True)
    body = b'{"constant":"' + b"x" * (CONSTANT_BYTES - 15) + b'"}'

    def answer() -> Response:
        headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
        return Response(body, media_type="application/json", headers=headers)

    async def plain(_request: Request) -> Response:
        """Async because: it is the floor of a plain route, with the same server, middleware, headers and size."""
        return answer()

    @served.get("/fastapi/{key}")
    async def constant(key: str) -> Response:
        """Async because: it is the floor of FastAPI's own kind of route."""
        del key
        return answer()

    @served.post("/constant")
    def posted(body: Body) -> Response:
        """A def route that reads the body and asks nobody: the floor of a check."""
        json_object(body)
        return answer()

    # Right behind the look-up's own route, which is a plain one too and stands first.
    served.router.routes.insert(1, Route("/constant/{key}", plain, methods=["GET"]))
    return served
