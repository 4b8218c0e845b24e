"""Pure ASGI middleware: security headers on every answer, and bodies counted before anybody buffers them."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Final

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
    """Answers 413 as soon as a body is, or says it will be, larger than `max_bytes`."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        """Wrap `app`."""
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count what comes in.

        Async because: ASGI middleware has no other form.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        if not announced.isdigit() or int(announced) > self._max_bytes:
            await self._refusal()(scope, receive, send)
            return
        if scope["method"] == "GET":  # nothing of ours reads a body then
            await self._app(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            """Async because: ASGI's `receive` has no other form."""
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise BodyTooLargeError
            return message

        try:
            await self._app(scope, counted, send)
        except BodyTooLargeError:
            await self._refusal()(scope, receive, send)

    def _refusal(self) -> Response:
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", f"At most {self._max_bytes} bytes.")
