"""How often one client may ask: a count per address or system in each minute, in the memory of this process.

Ours, not a library's: the one we tried starts a thread every ten milliseconds under load, a third of the hot path.
"""

from __future__ import annotations

import ipaddress
import math
import time
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

IPV6_CLIENT_BITS: Final = 64
"""One subscriber's network. RFC 6177, 2."""
WINDOW_SECONDS: Final = 60
MAX_CLIENTS: Final = 100_000
"""Clients remembered in a window, some 10 MB; past it the window begins anew, so memory stays bounded."""


class Throttle:
    """At most `per_minute` requests of a client in each minute; 0 lets everything through.

    Called on the event loop and on worker threads. Several processes count apart.
    """

    def __init__(self, per_minute: int, *, now: Callable[[], float] = time.monotonic) -> None:
        """`now` gives seconds that never go back."""
        self._most = per_minute
        self._now = now
        self._window = 0
        self._counts: dict[str, int] = {}
        self._lock = Lock()

    def take(self, request: Request) -> None:
        """Count one request of the client's address.

        Raises:
            HTTPException: 429, the client has used up this minute.
        """
        self.take_as(client_of(request))

    def take_as(self, client: str, *, times: int = 1) -> None:
        """Count a request of a client that is known by name, wherever it calls from; `times` for one that costs more.

        Raises:
            HTTPException: 429, the client has used up this minute.
        """
        if not self._most:
            return
        now = self._now()
        window = int(now // WINDOW_SECONDS)
        with self._lock:
            if window != self._window or len(self._counts) >= MAX_CLIENTS:
                self._window = window
                self._counts.clear()
            count = self._counts[client] = self._counts.get(client, 0) + times
        if count > self._most:
            wait = math.ceil(WINDOW_SECONDS - now % WINDOW_SECONDS)
            raise HTTPException(
                HTTPStatus.TOO_MANY_REQUESTS, "Too many requests in a minute.", headers={"Retry-After": str(wait)}
            )


def client_of(request: Request) -> str:
    """The client's address; of IPv6 its network, since a client has as many addresses as it likes."""
    host = request.client.host if request.client else ""
    if ":" not in host:
        return host
    try:
        return str(ipaddress.ip_network((host.partition("%")[0], IPV6_CLIENT_BITS), strict=False))
    except ValueError:
        return host
