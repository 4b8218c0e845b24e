"""Systems of agencies as OAuth 2 clients: taken in, given other keys and secrets, disabled.

A client proves itself by a key of its own (`private_key_jwt`) or by a secret, of which only a slow hash is kept.
"""

from __future__ import annotations

import base64
import hmac
import os
import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from certlib.callers import SCOPES
from certlib.enrolling import BACKDATE, check_agency
from certlib.errors import FieldFault, InvalidRequestError
from certlib.grants import MAX_OPERATOR_CHARACTERS, networks_of
from certlib.identifiers import AgencyCode
from certlib.lawfulness import bounded_text_faults
from certlib.store import agencies, clients
from certlib.store.clients import Client, ClientKey, ClientSecret
from signing.errors import SigningError
from signing.jwk import new_private_key, read_public_key
from signing.keys import kid_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from certlib.library import Library
    from certlib.model import Agency

PRIVATE_KEY_JWT: Final = "private_key_jwt"
SECRET: Final = "client_secret"  # noqa: S105  # the name of a way, no secret
PROOF_DAYS: Final = 365
"""A key or a secret serves one year (facts: reliability, 5, NIST)."""
OVERLAP_DAYS: Final = 7
MAX_OVERLAP_DAYS: Final = 90
MAX_NAME_CHARACTERS: Final = 100
MAX_REASON_CHARACTERS: Final = 500
SECRET_FORM: Final = re.compile(r"certlib_([0-9a-f]{8})_[A-Za-z0-9_-]{43}", re.ASCII)
"""The id of the secret, so that exactly one hash is ever computed, and 256 random bits."""
KID_FORM: Final = re.compile(r"[!-~]{1,64}", re.ASCII)

# OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, 2 passes, 1 lane, the least it allows. A secret of 256
# bits is not to be guessed; the hash is for a stolen database, and its cost is what a token request costs us.
_MEMORY_KIB, _PASSES, _LANES = 19_456, 2, 1
_MAX_MEMORY_KIB, _MAX_PASSES = 262_144, 10
_SALT_BYTES, _HASH_BYTES = 16, 32


def add_asking_agency(lib: Library, agency: Agency, *, operator: str) -> None:
    """Take in an agency that only asks: it issues nothing, so it gets no keys.

    Raises:
        InvalidRequestError: code, name or zone is not usable.
        ConflictError: an agency of this code is there.
    """
    check_agency(agency)
    agencies.add_agency(lib.store, agency, operator=operator, now=lib.now())


def add_client(  # noqa: PLR0913  # what a client is
    lib: Library,
    agency_code: str,
    *,
    name: str,
    scopes: Sequence[str],
    networks: Sequence[str] = (),
    public_key: bytes | None,
    operator: str,
) -> tuple[Client, str]:
    """Take in a system of an agency. Without a `public_key` (PEM or JWK) it gets a secret, which is given back: once.

    Raises:
        InvalidRequestError: naming what is wrong.
        NotFoundError: no such agency.
    """
    faults = [*bounded_text_faults("name", name, MAX_NAME_CHARACTERS), *operator_faults(operator)]
    unknown = [each for each in scopes if each not in SCOPES]
    if unknown or not scopes:
        faults.append(FieldFault(field="scope", code="bad_scope", reason=f"must be some of {' '.join(SCOPES)}"))
    if faults:
        raise InvalidRequestError(tuple(faults))
    agency = agencies.agency(lib.store, agency_code)
    now = lib.now()
    client = Client(
        id=secrets.token_hex(clients.ID_CHARACTERS // 2),
        agency_code=agency.code,
        name=name,
        scopes=tuple(each for each in SCOPES if each in scopes),
        method=SECRET if public_key is None else PRIVATE_KEY_JWT,
        networks=networks_of(networks, field="network"),
        created_by=operator,
        created_at=now,
    )
    proof, secret = _proof(public_key, now)
    clients.add_client(lib.store, client, proof)
    return client, secret


def rotate_client(
    lib: Library, client_id: str, *, public_key: bytes | None, overlap_days: int, operator: str
) -> tuple[Client, str]:
    """Give a client another key or secret. The one before ends after `overlap_days`; 0 withdraws it now.

    Raises:
        InvalidRequestError: the key is not usable, or is given to a client that has a secret, or the other way round.
        NotFoundError: no such client.
        ConflictError: it is disabled, or has this key already.
    """
    faults = [*operator_faults(operator)]
    if not 0 <= overlap_days <= MAX_OVERLAP_DAYS:
        reason = f"must be from 0 to {MAX_OVERLAP_DAYS}"
        faults.append(FieldFault(field="overlap_days", code="bad_number", reason=reason))
    client = client_of(lib, client_id)
    if (public_key is None) != (client.method == SECRET):
        reason = "is missing: this client has keys" if public_key is None else "is not for a client that has a secret"
        faults.append(FieldFault(field="key", code="wrong_method", reason=reason))
    if faults:
        raise InvalidRequestError(tuple(faults))
    now = lib.now()
    proof, secret = _proof(public_key, now)
    end = now + timedelta(days=overlap_days)
    clients.rotate(lib.store, client.id, proof, old_end_at=end, operator=operator, now=now)
    return client, secret


def disable_client(lib: Library, client_id: str, *, reason: str, operator: str) -> Client:
    """Disable a client: its keys, secrets and access tokens are refused from now on.

    Raises:
        InvalidRequestError: no reason, or no operator.
        NotFoundError: no such client.
        ConflictError: it is disabled already.
    """
    faults = [*bounded_text_faults("reason", reason, MAX_REASON_CHARACTERS), *operator_faults(operator)]
    if faults:
        raise InvalidRequestError(tuple(faults))
    client = client_of(lib, client_id)
    clients.disable(lib.store, client.id, reason=reason, operator=operator, now=lib.now())
    return client_of(lib, client.id)


def client_of(lib: Library, client_id: str) -> Client:
    """One client.

    Raises:
        NotFoundError: none of this id.
    """
    known = client_id.isascii() and client_id.isalnum() and len(client_id) == clients.ID_CHARACTERS
    return clients.client(lib.store, client_id if known else "-")


def list_clients(lib: Library, agency_code: str = "") -> tuple[Client, ...]:
    """All clients, or those of one agency.

    Raises:
        NotFoundError: no such agency.
    """
    if agency_code:
        agencies.agency(lib.store, agency_code)
    return clients.clients(lib.store, agency_code=AgencyCode(agency_code))


def new_key_pair() -> tuple[bytes, bytes]:
    """A key for a client that cannot make one: PKCS #8 without a passphrase, and the public half; both PEM."""
    return new_private_key()


def usable(proof: ClientKey | ClientSecret, now: datetime) -> bool:
    """Whether a key or secret is good at `now`."""
    return proof.withdrawn_at is None and proof.not_before_at <= now < proof.not_after_at


def client_json(lib: Library, client: Client) -> dict[str, Any]:
    """A client for programs, with its keys and secrets by their ids."""
    proofs = [
        *({"kid": each.kid, **_term(each, lib.now())} for each in clients.keys(lib.store, client.id)),
        *({"secret": each.id, **_term(each, lib.now())} for each in clients.secrets(lib.store, client.id)),
    ]
    return {
        "client_id": client.id,
        "agency": client.agency_code,
        "name": client.name,
        "scopes": list(client.scopes),
        "method": client.method,
        "networks": list(client.networks),
        "created_by": client.created_by,
        "created_at": client.created_at.isoformat(),
        "disabled_by": client.disabled_by,
        "disabled_at": client.disabled_at.isoformat() if client.disabled_at else None,
        "proofs": proofs,
    }


def _term(proof: ClientKey | ClientSecret, now: datetime) -> dict[str, Any]:
    return {
        "not_before": proof.not_before_at.isoformat(),
        "not_after": proof.not_after_at.isoformat(),
        "withdrawn_at": proof.withdrawn_at.isoformat() if proof.withdrawn_at else None,
        "usable": usable(proof, now),
    }


def hashed_secret(secret: str) -> str:
    """A slow hash of a secret under a new salt, with its costs."""
    salt = os.urandom(_SALT_BYTES)
    hashed = _argon2id(secret, salt, _MEMORY_KIB, _PASSES, _LANES)
    return f"argon2id${_MEMORY_KIB},{_PASSES},{_LANES}${_b64(salt)}${_b64(hashed)}"


def same_secret(secret: str, hashed: str) -> bool:
    """Whether `hashed` is of this secret; compared in constant time.

    Raises:
        ValueError: `hashed` is not what `hashed_secret` writes.
    """
    _, costs, salt, expected = hashed.split("$")
    memory, passes, lanes = map(int, costs.split(","))
    if memory > _MAX_MEMORY_KIB or passes > _MAX_PASSES:
        raise ValueError("costs out of bounds")
    found = _argon2id(secret, base64.b64decode(salt), memory, passes, lanes)
    return hmac.compare_digest(found, base64.b64decode(expected))


def operator_faults(operator: str) -> list[FieldFault]:
    """What is wrong with the name of the person who does something."""
    return bounded_text_faults("operator", operator, MAX_OPERATOR_CHARACTERS)


def _proof(public_key: bytes | None, now: datetime) -> tuple[ClientKey | ClientSecret, str]:
    """The first row of a client's proof, and the secret in clear or empty."""
    begin, end = now - BACKDATE, now + timedelta(days=PROOF_DAYS)
    if public_key is None:
        secret_id = secrets.token_hex(4)
        secret = f"certlib_{secret_id}_{secrets.token_urlsafe(32)}"
        kept = ClientSecret(id=secret_id, hashed=hashed_secret(secret), not_before_at=begin, not_after_at=end)
        return kept, secret
    try:
        spki_der, kid = read_public_key(public_key)
    except SigningError as error:
        raise InvalidRequestError((FieldFault(field="key", code="bad_key", reason=str(error)),)) from error
    if kid and not KID_FORM.fullmatch(kid):
        raise InvalidRequestError(
            (FieldFault(field="key", code="bad_key", reason="its kid must be 1 to 64 printable ASCII characters"),)
        )
    return ClientKey(kid=kid or kid_of(spki_der).hex(), spki_der=spki_der, not_before_at=begin, not_after_at=end), ""


def _argon2id(secret: str, salt: bytes, memory_kib: int, passes: int, lanes: int) -> bytes:
    kdf = Argon2id(salt=salt, length=_HASH_BYTES, iterations=passes, lanes=lanes, memory_cost=memory_kib)
    return kdf.derive(secret.encode())


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
