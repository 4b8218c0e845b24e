"""Clients for tests: what a system of an agency does, with another JOSE library than ours (joserfc)."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.jwk import ECKey

from certlib.authorising import MAX_ASSERTION_SECONDS, TokenRequest
from certlib.clients import add_client
from tests.support.libraries import CITY

if TYPE_CHECKING:
    from certlib.library import Library
    from certlib.store.clients import Client

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class System:
    """A system of the city with a key of its own."""

    lib: Library
    client: Client
    key: ECKey

    @property
    def kid(self) -> str:
        return str(self.key.as_dict(private=False)["kid"])

    def claims(self, **changes: object) -> dict[str, Any]:
        """Lawful claims of an assertion; a change to None leaves one out."""
        now = int(self.lib.now().timestamp())
        parts: dict[str, object] = {
            "iss": self.client.id,
            "sub": self.client.id,
            "aud": f"{self.lib.settings.base_url}/oauth/token",
            "iat": now,
            "exp": now + MAX_ASSERTION_SECONDS,
            "jti": secrets.token_hex(8),
        }
        return {name: value for name, value in (parts | changes).items() if value is not None}

    def header(self, **changes: object) -> dict[str, Any]:
        parts: dict[str, object] = {"alg": "ES256", "kid": self.kid, "typ": "JWT"}
        return {name: value for name, value in (parts | changes).items() if value is not None}

    def assertion(self, **claims: object) -> str:
        """A lawful assertion, or one with other claims."""
        return jwt.encode(self.header(), self.claims(**claims), self.key)

    def asked(self, assertion: str | None = None, **changes: str) -> TokenRequest:
        return TokenRequest(
            assertion=self.assertion() if assertion is None else assertion, **({"address": "127.0.0.1"} | changes)
        )

    def form(self, assertion: str | None = None, **changes: str) -> dict[str, str]:
        """The form of a lawful request."""
        parts = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion or self.assertion(),
        }
        return {name: value for name, value in (parts | changes).items() if value != "-"}


def new_key(kid: str = "") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid or secrets.token_hex(4), "use": "sig", "alg": "ES256"})


def public_jwk(key: ECKey) -> bytes:
    return json.dumps(key.as_dict(private=False)).encode()


def system(lib: Library, *, key: ECKey | None = None, **changes: Any) -> System:  # noqa: ANN401  # of add_client
    """A client with a key, taken in."""
    key = key or new_key()
    parts: dict[str, Any] = {"name": "Permit desk", "scopes": ("share", "verify"), "operator": "tests"}
    client, secret = add_client(lib, **({"agency_code": CITY.code} | parts | changes), public_key=public_jwk(key))
    assert secret == ""
    return System(lib=lib, client=client, key=key)


def b64(data: bytes | str | dict[str, Any]) -> str:
    """Base64url of bytes, of a text, or of an object as JSON."""
    text = json.dumps(data) if isinstance(data, dict) else data
    raw = text.encode() if isinstance(text, str) else text
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
