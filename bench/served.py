"""The application with two more routes that answer a constant. Run by `bench.lookups`, never by anybody else.

CERTLIB_HOME=... uvicorn --factory bench.served:app
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response

from api.app import create_app
from certlib.answering import MAX_AGE_SECONDS
from certlib.config import read_settings
from certlib.library import open_library

if TYPE_CHECKING:
    from fastapi import FastAPI

CONSTANT_BYTES = 700
"""About as long as a public answer."""


def app() -> FastAPI:
    """The application over the library at CERTLIB_HOME."""
    lib = open_library(read_settings(Path(os.environ["CERTLIB_HOME"])))
    served = create_app(lib, close_with_app=True)
    body = b'{"constant":"' + b"x" * (CONSTANT_BYTES - 15) + b'"}'

    @served.get("/constant/{key}")
    async def constant(key: str) -> Response:
        """Async because: it is the floor of an async route: the same server, middleware, headers and size; no work."""
        del key
        headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
        return Response(body, media_type="application/json", headers=headers)

    return served
