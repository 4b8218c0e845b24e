"""How often one client may ask: a count per minute and address, in the memory of this process."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

IPV6_CLIENT_BITS: Final = 64
"""One subscriber's network. RFC 6177, 2."""
RETRY_AFTER_SECONDS: Final = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Throttle:
    """A limit per client. Made once per application; several processes count apart."""

    name: str
    item: RateLimitItemPerMinute | None
    """None lets everything through."""
    limiter: FixedWindowRateLimiter

    def take(self, request: Request) -> None:
        """Count one request of the client.

        Raises:
            HTTPException: 429, the client has used up this minute.
        """
        if self.item is not None and not self.limiter.hit(self.item, self.name, client_of(request)):
            raise HTTPException(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many requests in a minute.",
                headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
            )


def throttle(name: str, per_minute: int) -> Throttle:
    """A throttle of `per_minute` requests; 0 means no limit."""
    item = RateLimitItemPerMinute(per_minute) if per_minute else None
    return Throttle(name=name, item=item, limiter=FixedWindowRateLimiter(MemoryStorage()))


def client_of(request: Request) -> str:
    """The client's address; of IPv6 its network, since a client has as many addresses as it likes."""
    host = request.client.host if request.client else ""
    if ":" not in host:
        return host
    try:
        return str(ipaddress.ip_network((host.partition("%")[0], IPV6_CLIENT_BITS), strict=False))
    except ValueError:
        return host
