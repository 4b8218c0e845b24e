"""The token endpoint of OAuth 2: a client proves itself and is given an access token (RFC 6749, 4.4; RFC 7523)."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from certlib.callers import (
    CLOCK_LEEWAY_SECONDS,
    MAX_BEARER_CHARACTERS,
    MAX_CLAIMS_DEPTH,
    SCOPES,
    bearer_for,
)
from certlib.clients import PRIVATE_KEY_JWT, SECRET, SECRET_FORM, hashed_secret, same_secret, usable
from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError, NotFoundError, UnauthenticatedError
from certlib.grants import in_networks
from certlib.identifiers import AgencyCode
from certlib.store import agencies, audits, clients
from signing.errors import Fault, VerificationError
from signing.jws import Compact, JsonValue, check_signature, read_compact, require_es256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certlib.library import Library
    from certlib.store.clients import Client, ClientKey

TOKEN_PATH: Final = "/oauth/token"  # noqa: S105  # a path
JWKS_PATH: Final = "/oauth/jwks"
MAX_ASSERTION_SECONDS: Final = 300
MAX_ASSERTION_ID_CHARACTERS: Final = 256
MAX_CANDIDATES: Final = 4
"""Keys that are tried for an assertion that names none: a client has one, or two while it changes them."""
ASSERTION_TYPES: Final = frozenset({"JWT", "client-authentication+jwt"})
"""What `typ` of an assertion may say, if it is there: so that no JWT for another purpose is taken for one."""
NOBODYS_KEY: Final = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
"""The generator of P-256 as a public key (FIPS 186-5): what it seems to have signed is refused all the same."""
CLIENT_ID: Final = re.compile(r"[0-9a-f]{26}", re.ASCII)
_HEADER: Final = {"alg", "kid", "typ"}
_REMEMBERED: Final = timedelta(seconds=CLOCK_LEEWAY_SECONDS)
"""How much longer than its `exp` an assertion is remembered, in case another process's clock is behind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRequest:
    """What a client sends for an access token by client_credentials: one proof of the two."""

    client_id: str = ""
    """May be empty with an assertion, which names the client."""
    secret: str = ""
    assertion: str = ""
    """RFC 7523, 2.2: a JWT signed by the client."""
    scope: str = ""
    """Words between single spaces; empty asks for all that the client has."""
    address: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessToken:
    """What it is given."""

    bearer: str
    expires_in: int
    """Seconds."""
    scope: str


def access_token(lib: Library, asked: TokenRequest) -> AccessToken:
    """An access token for the client that proves itself. It is audited before it leaves.

    Raises:
        UnauthenticatedError: code `invalid_client`. Who has proved nothing is told nothing more.
        ForbiddenError: code `invalid_scope`: the client does not have all that it asks for.
        LimitReachedError: it was given too many in this minute.
        UnavailableError: it cannot be put down, so there is none.
    """
    client = _named_client(lib, asked)
    try:
        used = _proved(lib, client, asked)
        if client is None:
            raise _unproved("unknown_client")
        scope = _allowed(lib, client, asked, used)
        return _given(lib, client, scope, used)
    except (UnauthenticatedError, ForbiddenError) as error:
        if client is not None:
            clients.note_refusal(lib.store, client, code=error.code, now=lib.now())
        if isinstance(error, ForbiddenError):
            raise
        raise UnauthenticatedError(str(error), code="invalid_client", hint=error.hint) from error


def printed_bearer(lib: Library, agency_code: str, *, ttl_seconds: int, scopes: Sequence[str], operator: str) -> str:
    """An access token for an agency without a client, for a person to hand over. It is audited.

    Raises:
        InvalidRequestError: a scope that nobody knows.
        NotFoundError: no such agency.
    """
    if not scopes or any(each not in SCOPES for each in scopes):
        reason = f"must be some of {' '.join(SCOPES)}"
        raise InvalidRequestError((FieldFault(field="scope", code="bad_scope", reason=reason),))
    code = agencies.agency(lib.store, agency_code).code
    token_id = secrets.token_hex(16)
    bearer = bearer_for(lib, code, ttl_seconds=ttl_seconds, scopes=tuple(scopes), token_id=token_id)
    detail: dict[str, str | int] = {"scope": " ".join(scopes), "jti": token_id, "seconds": ttl_seconds}
    entry = audits.Entry(actor=operator, act="agency.token_given", subject=code, detail=detail)
    audits.note(lib.store, entry, at=lib.now())
    return bearer


def server_metadata(lib: Library) -> dict[str, object]:
    """What a client has to know about this server (RFC 8414, 2)."""
    url = lib.settings.base_url
    return {
        "issuer": url,
        "token_endpoint": url + TOKEN_PATH,
        "jwks_uri": url + JWKS_PATH,
        "scopes_supported": list(SCOPES),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256"],
    }


def _named_client(lib: Library, asked: TokenRequest) -> Client | None:
    """The client that the request names, or None. Only what has the form of an id is looked up."""
    client_id = asked.client_id
    if asked.assertion:
        client_id = _named_in(asked.assertion)
        if asked.client_id and asked.client_id != client_id:
            raise InvalidRequestError(
                (FieldFault(field="client_id", code="differs", reason="is not the one that the assertion names"),)
            )
    if not CLIENT_ID.fullmatch(client_id):
        return None
    try:
        return clients.client(lib.store, client_id)
    except NotFoundError:
        return None


def _named_in(assertion: str) -> str:
    """The client that an assertion names, which proves nothing yet; empty if it is no assertion."""
    try:
        claims = read_assertion(assertion).claims(max_depth=MAX_CLAIMS_DEPTH)
    except VerificationError:
        return ""
    issuer, subject = claims.get("iss"), claims.get("sub")
    return subject if isinstance(subject, str) and subject == issuer else ""


def _proved(lib: Library, client: Client | None, asked: TokenRequest) -> tuple[bytes, datetime] | None:
    """Pass if the request proves `client`; gives the id of the assertion as `clients.give` takes it.

    For a client that is unknown, or proves itself in the other way, the same work is done, so that the time tells
    nothing. It then refuses.
    """
    if not asked.assertion:
        _check_secret(lib, client, asked.secret)
        return None
    return _check_assertion(lib, client, asked.assertion)


def _check_secret(lib: Library, client: Client | None, secret: str) -> None:
    match = SECRET_FORM.fullmatch(secret)
    known = clients.secrets(lib.store, client.id if client is not None and client.method == SECRET else "-")
    kept = next((each for each in known if match and each.id == match[1] and usable(each, lib.now())), None)
    if kept is None:
        hashed_secret(secret[:MAX_ASSERTION_ID_CHARACTERS])
        raise _unproved("bad_secret")
    if not same_secret(secret, kept.hashed):
        raise _unproved("bad_secret")


def _check_assertion(lib: Library, client: Client | None, assertion: str) -> tuple[bytes, datetime]:
    """Steps: 1 form and header; 2 a key of this client, good now; 3 signature; 4 audience and times; 5 its id."""
    # 1 form and header
    try:
        compact = read_assertion(assertion)
        claims = compact.claims(max_depth=MAX_CLAIMS_DEPTH)
    except VerificationError as error:
        raise _unproved("bad_assertion") from error
    # 2 and 3 a key of this client
    known = clients.keys(lib.store, client.id if client is not None and client.method == PRIVATE_KEY_JWT else "-")
    if not signed_by(compact, [each for each in known if usable(each, lib.now())]):
        raise _unproved("bad_assertion")
    # 4 audience and times
    url = lib.settings.base_url
    audience = claims.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if audience not in (url, url + TOKEN_PATH):
        raise _told("wrong_audience", f"the assertion's aud must be {url + TOKEN_PATH}")
    end = _require_times(claims, lib.now())
    # 5 its id
    token_id = claims.get("jti")
    if not isinstance(token_id, str) or not 0 < len(token_id) <= MAX_ASSERTION_ID_CHARACTERS:
        raise _told("bad_assertion_id", f"the assertion's jti must be a text of 1 to {MAX_ASSERTION_ID_CHARACTERS}")
    return hashlib.sha256(token_id.encode()).digest(), end + _REMEMBERED


def read_assertion(assertion: str) -> Compact:
    """An assertion whose header is one of ours to read: ES256, perhaps a key id, perhaps a type, nothing else.

    Raises:
        VerificationError: it is not.
    """
    if len(assertion) > MAX_BEARER_CHARACTERS:
        raise VerificationError(Fault.MALFORMED, "too long")
    compact = read_compact(assertion)
    require_es256(compact)
    header = compact.header
    kid, kind = header.get("kid", ""), header.get("typ", "JWT")
    if header.keys() - _HEADER or not isinstance(kid, str) or not isinstance(kind, str) or kind not in ASSERTION_TYPES:
        raise VerificationError(Fault.MALFORMED, "the header has other members, or of another kind")
    return compact


def signed_by(compact: Compact, keys: Sequence[ClientKey]) -> bool:
    """Whether one of `keys`, oldest first, has signed an assertion: the one that it names, or any if it names none.

    A key id is compared with those of `keys`, and looked up nowhere. Something is checked even without a key, so that
    it takes as long.
    """
    kid = compact.header.get("kid")
    named = [each.spki_der for each in keys if kid in (None, each.kid)][-MAX_CANDIDATES:]
    fits = any(_is_signature(compact, each) for each in named or [NOBODYS_KEY])
    return fits and bool(named)


def _is_signature(compact: Compact, spki_der: bytes) -> bool:
    try:
        check_signature(compact, spki_der)
    except VerificationError:
        return False
    return True


def _require_times(claims: dict[str, JsonValue], now: datetime) -> datetime:
    """The end of an assertion that is good now: whole seconds, `exp` at most five minutes ahead."""
    seconds = now.timestamp()
    end, *begins = claims.get("exp"), claims.get("iat", 0), claims.get("nbf", 0)
    if type(end) is not int or any(type(each) is not int for each in begins):
        raise _told("bad_times", "the assertion's exp, iat and nbf must be whole numbers, and exp be there")
    if seconds >= end:
        raise _told("assertion_expired", "the assertion has expired")
    if end > seconds + MAX_ASSERTION_SECONDS + CLOCK_LEEWAY_SECONDS:
        raise _told("assertion_too_long", f"the assertion's exp is more than {MAX_ASSERTION_SECONDS} seconds ahead")
    if any(each > seconds + CLOCK_LEEWAY_SECONDS for each in begins if type(each) is int):
        raise _told("assertion_not_yet", "the assertion's iat or nbf lies ahead")
    return datetime.fromtimestamp(end, UTC)


def _allowed(lib: Library, client: Client, asked: TokenRequest, used: tuple[bytes, datetime] | None) -> tuple[str, ...]:
    """The scope that a proved client is given; what is refused here has used up its assertion all the same."""
    try:
        _require_usable(client, asked.address)
        return _scope(client, asked.scope)
    except (UnauthenticatedError, ForbiddenError):
        if used is not None and client.disabled_at is None:
            clients.use_up(lib.store, client, used, now=lib.now())
        raise


def _require_usable(client: Client, address: str) -> None:
    if client.disabled_at is not None:
        raise _told("client_disabled", "the client is disabled")
    if client.networks and not in_networks(address, client.networks):
        raise _told("client_network", "the client may not call from this network")


def _scope(client: Client, asked: str) -> tuple[str, ...]:
    wanted = asked.split(" ") if asked else list(client.scopes)
    if set(wanted) - set(client.scopes):
        message = f"the client has these scopes: {' '.join(client.scopes)}"
        raise ForbiddenError(message, code="invalid_scope")
    return tuple(each for each in client.scopes if each in wanted)


def _given(lib: Library, client: Client, scope: tuple[str, ...], used: tuple[bytes, datetime] | None) -> AccessToken:
    now, token_id, ttl = lib.now(), secrets.token_hex(16), lib.settings.access_token_seconds
    bearer = bearer_for(
        lib, AgencyCode(client.agency_code), ttl_seconds=ttl, scopes=scope, client_id=client.id, token_id=token_id
    )
    words = " ".join(scope)
    clients.give(lib.store, client, assertion=used, token_id=token_id, scope=words, now=now)
    return AccessToken(bearer=bearer, expires_in=ttl, scope=words)


def _unproved(code: str) -> UnauthenticatedError:
    return UnauthenticatedError("the client is not known, or did not prove itself", code=code)


def _told(code: str, message: str) -> UnauthenticatedError:
    """For a client that has proved itself: what is wrong with its request."""
    return UnauthenticatedError(message, code=code)
