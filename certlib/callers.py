"""Bearers of agencies' systems: access tokens (RFC 9068), short ES256 JWTs by the library's own API key.

An OAuth client is given one by `authorising`; `certlib agency token` prints one for an agency itself. Strict on the
way in: length first, then no JSON member twice, one algorithm, one type, one audience, whole-number times.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import jwt

from certlib.errors import NotFoundError, SetupError, UnauthenticatedError
from certlib.grants import in_networks
from certlib.identifiers import AgencyCode
from certlib.store import agencies, clients
from signing.errors import VerificationError
from signing.jwk import public_jwk
from signing.jws import JsonValue, check_signature, read_compact, require_es256

if TYPE_CHECKING:
    from certlib.library import Library
    from certlib.store.clients import Client
    from certlib.store.values import KeyRecord

SCOPES: Final = ("issue", "manage", "verify", "share", "audit", "holder")
"""`holder` is for log-in services: it opens sessions of holders and puts delegations down."""
TYPE: Final = "at+jwt"
"""RFC 9068, 2.1: so that no other JWT of ours is ever taken for a bearer."""
MAX_BEARER_CHARACTERS: Final = 8192
MAX_CLAIMS_DEPTH: Final = 8
MAX_TTL_SECONDS: Final = 24 * 3600
CLOCK_LEEWAY_SECONDS: Final = 60
_HEADER: Final = {"alg", "kid", "typ"}


@dataclass(frozen=True, kw_only=True, slots=True)
class AgencyCaller:
    """Who is calling, proved."""

    agency_code: AgencyCode
    scopes: frozenset[str]
    """Of `SCOPES`."""
    client_id: str = ""
    """The OAuth client that the bearer was given to; empty for one that `certlib agency token` printed."""
    address: str = ""
    """Where the call comes from, as the server saw it; empty for a call that came by no network."""


def bearer_for(  # noqa: PLR0913  # the claims of one
    lib: Library,
    agency_code: AgencyCode,
    *,
    ttl_seconds: int,
    scopes: tuple[str, ...] = ("issue",),
    client_id: str = "",
    token_id: str = "",
) -> str:
    """An access token for a system of the agency, good for `ttl_seconds` (at most a day).

    Raises:
        NotFoundError: no such agency.
        SetupError: the library has no API key that signs now.
    """
    agencies.agency(lib.store, agency_code)
    key = _api_key(lib)
    now = lib.now()
    claims: dict[str, Any] = {
        "iss": lib.settings.base_url,
        "aud": lib.settings.base_url,
        "sub": client_id or agency_code,
        "agency": agency_code,
        "scope": " ".join(scopes),
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(seconds=min(ttl_seconds, MAX_TTL_SECONDS))).timestamp()),
        "jti": token_id or secrets.token_hex(16),
    }
    if client_id:
        claims["client_id"] = client_id
    headers = {"kid": key.kid, "typ": TYPE}
    return jwt.encode(claims, lib.signer.open(key.uri).private_key, algorithm="ES256", headers=headers)


def authenticate(lib: Library, bearer: str, *, address: str = "") -> AgencyCaller:
    """The caller that `bearer` proves, calling from `address`.

    Steps: 1 length, form, header, and signature by one of our API keys; 2 issuer, audience and times; 3 the agency,
    and the client: it is known, not disabled, and calls from its networks.

    Raises:
        UnauthenticatedError: with one text for nearly every cause; the code tells `expired_bearer` and
            `client_disabled`, which only a bearer of ours can meet, from `bad_bearer`.
    """
    # 1 form and signature
    claims = _signed_claims(lib, bearer)
    # 2 issuer, audience, times
    url = lib.settings.base_url
    if claims.get("iss") != url or claims.get("aud") != url:
        raise _refused()
    _require_now(claims, lib.now())
    # 3 agency and client
    code, scope, client_id = claims.get("agency"), claims.get("scope"), claims.get("client_id", "")
    if not (isinstance(code, str) and isinstance(scope, str) and isinstance(client_id, str)):
        raise _refused()
    if client_id:
        client = _client(lib, client_id, code, address)
        scopes = frozenset(scope.split()) & frozenset(client.scopes)
    else:
        scopes = frozenset(scope.split())
        _require_agency(lib, code)
    return AgencyCaller(agency_code=AgencyCode(code), scopes=scopes, client_id=client_id, address=address)


def api_keys(lib: Library) -> list[KeyRecord]:
    """The library's keys for access tokens that are good now, oldest first."""
    now = lib.now()
    return [
        key
        for key in agencies.keys(lib.store, purpose="api")
        if key.withdrawn_at is None and key.not_before_at <= now < key.not_after_at
    ]


def api_jwks(lib: Library) -> dict[str, JsonValue]:
    """Their public halves as a JWK set (RFC 7517, 5), for whoever checks an access token of ours."""
    return {"keys": [public_jwk(key.spki_der, kid=key.kid) for key in api_keys(lib)]}


def _signed_claims(lib: Library, bearer: str) -> dict[str, JsonValue]:
    if len(bearer) > MAX_BEARER_CHARACTERS:
        raise _refused()
    try:
        compact = read_compact(bearer)
        require_es256(compact)
        header = compact.header
        if header.keys() != _HEADER or header["typ"] != TYPE:
            raise _refused()
        # Compared, never looked up: nothing in the input reaches a file or the database before it is proved.
        key = next((each for each in api_keys(lib) if each.kid == header["kid"]), None)
        if key is None:
            raise _refused()
        check_signature(compact, key.spki_der)
        return compact.claims(max_depth=MAX_CLAIMS_DEPTH)
    except VerificationError as error:
        raise _refused() from error


def _require_now(claims: dict[str, JsonValue], now: datetime) -> None:
    """Pass if now lies between `iat` (and `nbf`, if there) and `exp`, whole numbers all of them."""
    seconds = now.timestamp()
    begin, end, not_before = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if type(begin) is not int or type(end) is not int or type(not_before) is not int:
        raise _refused()
    if max(begin, not_before) > seconds + CLOCK_LEEWAY_SECONDS:
        raise _refused()
    if seconds >= end:
        raise UnauthenticatedError("the bearer has expired", code="expired_bearer", hint="Ask for a new one.")


def _client(lib: Library, client_id: str, agency_code: str, address: str) -> Client:
    try:
        client = clients.client(lib.store, client_id)
    except NotFoundError as error:
        raise _refused() from error
    if client.disabled_at is not None:
        raise UnauthenticatedError(
            "the client is disabled", code="client_disabled", hint="The library disabled it; ask who runs the library."
        )
    if client.agency_code != agency_code or (client.networks and not in_networks(address, client.networks)):
        raise _refused()
    return client


def _require_agency(lib: Library, code: str) -> None:
    try:
        agencies.agency(lib.store, code)
    except NotFoundError as error:
        raise _refused() from error


def _api_key(lib: Library) -> KeyRecord:
    usable = api_keys(lib)
    if not usable:
        raise SetupError("the library has no usable api key", hint="Make one with: certlib upgrade")
    return max(usable, key=lambda key: key.created_at)


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError(
        "the bearer is not accepted", code="bad_bearer", hint="Ask for one: POST /oauth/token, or certlib agency token"
    )
