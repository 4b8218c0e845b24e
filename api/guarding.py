"""Pure ASGI middleware: security headers on every answer, and bodies counted and timed before anybody buffers them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import anyio
from starlette.requests import ClientDisconnect

from api.problems import problem

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""For our pages: nothing from elsewhere, nothing inline."""
API_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
"""For everything else: it is no page."""
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
    "Strict-Transport-Security": "max-age=31536000",
}
"""On every answer. Browsers take the last one from https only. RFC 6797, 8.1."""


_RAW: Final = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_RAW_AND_POLICY: Final = [*_RAW, (b"content-security-policy", API_POLICY.encode())]


class BodyTooLargeError(Exception):
    """More bytes came than the limit lets through."""


class BodyTooSlowError(Exception):
    """The body takes longer than anybody waits."""


class SecurityHeaders:
    """Adds `HEADERS` and, where the route set none, the strictest policy."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers when the answer starts.

        Async because: ASGI middleware has no other form.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            """Async because: ASGI's `send` has no other form."""
            if message["type"] == "http.response.start":
                headers = message["headers"]
                ours = _RAW if any(name == b"content-security-policy" for name, _ in headers) else _RAW_AND_POLICY
                message["headers"] = [*headers, *ours]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class BodyLimit:
    """Answers 413 as soon as a body is, or says it will be, too large, and 408 when it does not come to its end."""

    def __init__(self, app: ASGIApp, *, max_bytes: int, max_seconds: float = 120, max_idle_seconds: float = 20) -> None:
        """Wrap `app`; a body may take `max_seconds` in all, each piece of it `max_idle_seconds`."""
        self._app = app
        self._max_bytes = max_bytes
        self._max_seconds = max_seconds
        self._max_idle_seconds = max_idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in.

        Async because: ASGI middleware has no other form.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not announced.isdigit() or int(announced) > self._max_bytes:
            await self._too_large()(scope, receive, send)
            return
        if scope["method"] == "GET":  # nothing of ours reads a body then
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, self._counted(receive), send)
        except BodyTooLargeError:
            await self._too_large()(scope, receive, send)
        except BodyTooSlowError:
            await self._too_slow()(scope, receive, send)
        except ClientDisconnect:
            pass  # whoever sent half a body and left gets no answer, and no entry in the log

    def _counted(self, receive: Receive) -> Receive:
        received, whole = 0, False
        end = anyio.current_time() + self._max_seconds

        async def counted() -> Message:
            """Async because: ASGI's `receive` has no other form."""
            nonlocal received, whole
            if whole:  # what comes now is the end of the connection, and may take its time
                return await receive()
            try:
                with anyio.fail_after(min(self._max_idle_seconds, end - anyio.current_time())):
                    message = await receive()
            except TimeoutError as error:
                raise BodyTooSlowError from error
            whole = not message.get("more_body", False)
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise BodyTooLargeError
            return message

        return counted

    def _too_large(self) -> Response:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"At most {self._max_bytes} bytes.")

    def _too_slow(self) -> Response:
        detail = "The body did not come to its end in time; send it again."
        return problem(HTTPStatus.REQUEST_TIMEOUT, "too_slow", detail, headers={"Connection": "close"})
