"""The application: routes, problems and middleware around one open library."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.routing import Route

from api import problems
from api.deps import Parts
from api.describing import describe
from api.guarding import BodyLimit, SecurityHeaders
from api.rendering import load_pages
from api.routes import (
    catalogue,
    checks,
    codes,
    delegations,
    figures,
    gbt36906,
    grants,
    health,
    holders,
    licences,
    lifecycle,
    lists,
    my,
    oauth,
    pages,
    questions,
    receipts,
    sessions,
    tickets,
    trust,
    uses,
    verify,
)
from api.throttling import Throttle
from certlib.library import close_library
from certlib.listing import open_lists
from certlib.retrieving import open_reader

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from certlib.library import Library

FORM_OVERHEAD_BYTES: Final = 64 * 1024
"""A form's lines around a file of the largest size."""
ROUTES: Final = (
    *(verify, pages, trust, lists, licences, lifecycle, health, oauth, grants, checks, questions, uses, receipts),
    *(holders, sessions, my, codes, delegations, tickets, figures, catalogue, gbt36906),
)
FILES_AT_ONCE: Final = 4
"""Uploads that are judged at the same time in one process; the others wait, and texts do not wait for them."""
PROOFS_AT_ONCE: Final = 4
"""Clients that prove themselves at the same time in one process: at most 76 MiB for hashes of secrets."""


def create_app(lib: Library, *, close_with_app: bool = False) -> FastAPI:
    """The application over `lib`, which stays the caller's unless `close_with_app`.

    Raises:
        UnavailableError: the database does not answer.
    """
    reader = open_reader(lib)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        """Async because: ASGI's lifespan has no other form."""
        yield
        reader.close()
        if close_with_app:
            close_library(lib)

    app = FastAPI(
        title="certlib",
        version="1",
        summary="An electronic licence library: verify, look up, issue.",
        docs_url=None,
        redoc_url=None,
        lifespan=life,
    )
    app.state.parts = Parts(
        lib=lib,
        reader=reader,
        lists=open_lists(lib),
        pages=load_pages(),
        lookups=Throttle(lib.settings.lookups_per_minute),
        uploads=Throttle(lib.settings.uploads_per_minute),
        shares=Throttle(lib.settings.shares_per_minute),
        files=CapacityLimiter(FILES_AT_ONCE),
        token_requests=Throttle(lib.settings.token_requests_per_minute),
        proofs=CapacityLimiter(PROOFS_AT_ONCE),
    )
    problems.install(app)
    # The hot path stands first and is a plain route; FastAPI's own of the same path only describes it.
    app.router.routes.insert(0, Route("/v1/verify/{key}", verify.look_up, methods=["GET"]))
    for each in ROUTES:
        app.include_router(each.router)
    app.add_middleware(BodyLimit, max_bytes=lib.settings.max_upload_bytes + FORM_OVERHEAD_BYTES)
    app.add_middleware(SecurityHeaders)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]  # FastAPI's documented way to extend it
    return app
