"""Bearer credentials of agencies' systems: short ES256 JWTs, signed by the library's own API key.

Strict on the way in: length first, then no JSON member twice, one algorithm, one audience, whole-number times.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt

from certlib.errors import NotFoundError, UnauthenticatedError
from certlib.identifiers import AgencyCode
from certlib.store import agencies
from certlib.wire import unique_members
from signing.keys import public_key

if TYPE_CHECKING:
    from certlib.library import Library
    from certlib.store.values import KeyRecord

AUDIENCE: Final = "certlib"
MAX_BEARER_CHARACTERS: Final = 8192
MAX_TTL_SECONDS: Final = 24 * 3600
CLOCK_LEEWAY_SECONDS: Final = 60
_FORM: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_HEADER: Final = {"alg", "kid", "typ"}


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyCaller:
    """Who is calling, proved."""

    agency_code: AgencyCode
    scopes: frozenset[str]
    """Of `issue manage verify share audit`."""
    client_id: str = ""
    """The OAuth client that the credential was given to; empty for one that `certlib agency token` printed."""
    address: str = ""
    """Where the call comes from, as the server saw it; empty for a call that came by no network."""


def bearer_for(lib: Library, agency_code: AgencyCode, *, ttl_seconds: int, scopes: tuple[str, ...] = ("issue",)) -> str:
    """A bearer credential for the agency's system, good for `ttl_seconds` (at most a day).

    Raises:
        NotFoundError: no such agency.
    """
    agencies.agency(lib.store, agency_code)
    key = _api_key(lib)
    now = lib.now()
    claims: dict[str, Any] = {
        "iss": lib.settings.library_name,
        "aud": AUDIENCE,
        "sub": agency_code,
        "scope": " ".join(scopes),
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(seconds=min(ttl_seconds, MAX_TTL_SECONDS))).timestamp()),
        "jti": secrets.token_hex(16),
    }
    return jwt.encode(claims, lib.signer.open(key.uri).private_key, algorithm="ES256", headers={"kid": key.kid})


def authenticate(lib: Library, bearer: str, *, address: str = "") -> AgencyCaller:
    """The caller that `bearer` proves, calling from `address`.

    Raises:
        UnauthenticatedError: with one text for every cause; the code tells `expired_bearer` from `bad_bearer`.
    """
    claims = _verified_claims(lib, bearer)
    now = lib.now().timestamp()
    begin, end = claims.get("iat"), claims.get("exp")
    if type(begin) is not int or type(end) is not int or begin > now + CLOCK_LEEWAY_SECONDS:
        raise _refused()
    if now >= end:
        raise UnauthenticatedError("the bearer has expired", code="expired_bearer", hint="Ask for a new one.")
    subject, scope = claims.get("sub"), claims.get("scope")
    if claims.get("aud") != AUDIENCE or not isinstance(subject, str) or not isinstance(scope, str):
        raise _refused()
    try:
        agencies.agency(lib.store, AgencyCode(subject))
    except NotFoundError as error:
        raise _refused() from error
    return AgencyCaller(agency_code=AgencyCode(subject), scopes=frozenset(scope.split()), address=address)


def _verified_claims(lib: Library, bearer: str) -> dict[str, Any]:
    if len(bearer) > MAX_BEARER_CHARACTERS or not _FORM.fullmatch(bearer):
        raise _refused()
    header = _json(bearer.split(".", maxsplit=1)[0])
    if header.keys() - _HEADER or header.get("alg") != "ES256" or not isinstance(header.get("kid"), str):
        raise _refused()
    key = next((each for each in _api_keys(lib) if each.kid == header["kid"]), None)
    if key is None:
        raise _refused()
    try:
        jwt.decode(
            bearer,
            public_key(key.spki_der),
            algorithms=["ES256"],
            options={"verify_exp": False, "verify_aud": False, "verify_iat": False, "verify_nbf": False},
        )
    except jwt.PyJWTError as error:
        raise _refused() from error
    return _json(bearer.split(".")[1])


def _json(part: str) -> dict[str, Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), object_pairs_hook=unique_members)
    except (ValueError, binascii.Error, RecursionError) as error:
        raise _refused() from error
    if not isinstance(value, dict):
        raise _refused()
    return value


def _api_keys(lib: Library) -> list[KeyRecord]:
    now = lib.now()
    return [
        key
        for key in agencies.keys(lib.store, purpose="api")
        if key.withdrawn_at is None and key.not_before_at <= now < key.not_after_at
    ]


def _api_key(lib: Library) -> KeyRecord:
    return max(_api_keys(lib), key=lambda key: key.created_at)


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError(
        "the bearer is not accepted", code="bad_bearer", hint="Ask for one: certlib agency token"
    )
