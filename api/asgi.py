"""What a server runs: `uvicorn api.asgi:app`, with `CERTLIB_HOME` naming the library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from api.app import create_app
from certlib.config import read_settings
from certlib.errors import SetupError
from certlib.library import open_library

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class LibraryApp:
    """Opens the library when the server starts, not when this module is imported."""

    def __init__(self) -> None:
        """Nothing is open yet."""
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; the first call, the server's start, opens the library.

        Async because: ASGI has no other form.
        """
        if self._app is None:
            self._app = _opened()
        await self._app(scope, receive, send)


def _opened() -> ASGIApp:
    home = os.environ.get("CERTLIB_HOME", "")
    if not home:
        raise SetupError("CERTLIB_HOME is not set", hint="Serve with: certlib serve --home FOLDER")
    return create_app(open_library(read_settings(Path(home))), close_with_app=True)


app = LibraryApp()
