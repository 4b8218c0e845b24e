"""Bearers of holders: short ES256 JWTs by the library's API key that name a session and nothing personal.

They are of another kind (`typ`) and for another audience than those of agencies' systems (`certlib.callers`), so that
neither is ever taken for the other. Strict on the way in, as those are.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

import jwt

from certlib.callers import CLOCK_LEEWAY_SECONDS, MAX_BEARER_CHARACTERS, api_keys
from certlib.errors import SetupError, UnauthenticatedError
from signing.errors import VerificationError
from signing.jws import check_signature, read_compact, require_es256

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.library import Library

TYPE: Final = "holder+jwt"
AUDIENCE_PATH: Final = "/v1/my"
COUNTER_HINT: Final = "Log in, or ask for one at the counter: certlib holder token"
_CLAIMS: Final = {"iss", "aud", "sub", "iat", "exp", "jti"}
_HEADER: Final = {"alg", "kid", "typ"}


def audience(lib: Library) -> str:
    """For whom holders' bearers are made."""
    return lib.settings.base_url + AUDIENCE_PATH


def bearer_of(lib: Library, session_id: str, *, created_at: datetime, expires_at: datetime) -> str:
    """The bearer of a session.

    Raises:
        SetupError: the library has no API key that signs now.
    """
    usable = api_keys(lib)
    if not usable:
        raise SetupError("the library has no usable api key", hint="Make one with: certlib upgrade")
    key = max(usable, key=lambda each: each.created_at)
    claims: dict[str, Any] = {
        "iss": lib.settings.base_url,
        "aud": audience(lib),
        "sub": session_id,
        "iat": int(created_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "jti": secrets.token_hex(16),
    }
    headers = {"kid": key.kid, "typ": TYPE}
    return jwt.encode(claims, lib.signer.open(key.uri).private_key, algorithm="ES256", headers=headers)


def session_in(lib: Library, bearer: str) -> str:
    """The id of the session that `bearer` proves.

    Steps: 1 length, form, header, and signature by one of our API keys; 2 its claims, issuer and audience; 3 times,
    whole numbers.

    Raises:
        UnauthenticatedError: with one text for every cause; the code tells `expired_bearer`, which only one of ours
            can meet, from `bad_bearer`.
    """
    # 1 form and signature
    if len(bearer) > MAX_BEARER_CHARACTERS:
        raise refused()
    try:
        compact = read_compact(bearer)
        require_es256(compact)
        if compact.header.keys() != _HEADER or compact.header["typ"] != TYPE:
            raise refused()
        # Compared, never looked up: nothing in the input reaches a file or the database before it is proved.
        key = next((each for each in api_keys(lib) if each.kid == compact.header["kid"]), None)
        if key is None:
            raise refused()
        check_signature(compact, key.spki_der)
        claims = compact.claims()
    except VerificationError as error:
        raise refused() from error
    # 2 issuer and audience
    subject, begin, end = (claims.get(name) for name in ("sub", "iat", "exp"))
    if claims.keys() != _CLAIMS or claims["iss"] != lib.settings.base_url or claims["aud"] != audience(lib):
        raise refused()
    # 3 times
    now = lib.now().timestamp()
    if type(begin) is not int or type(end) is not int or begin > now + CLOCK_LEEWAY_SECONDS:
        raise refused()
    if now >= end:
        raise UnauthenticatedError("the bearer has expired", code="expired_bearer", hint=COUNTER_HINT)
    if not isinstance(subject, str):
        raise refused()
    return subject


def refused() -> UnauthenticatedError:
    """The one refusal of a bearer."""
    return UnauthenticatedError("the bearer is not accepted", code="bad_bearer", hint=COUNTER_HINT)
