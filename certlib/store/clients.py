"""OAuth clients in the database: their keys, hashes of their secrets, and the assertions they have used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError, LimitReachedError, NotFoundError, UnauthenticatedError
from certlib.identifiers import AgencyCode
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.tables_clients import CLIENT_KEY, CLIENT_SECRET, OAUTH_CLIENT, USED_ASSERTION

if TYPE_CHECKING:
    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

ID_CHARACTERS: Final = 26
TOKENS_PER_MINUTE: Final = 60
"""Access tokens that one client is given in a minute, by all processes together: it needs one in ten."""
REFUSAL_NOTED_EVERY: Final = timedelta(minutes=10)
"""Refused requests in the name of one client are audited once in this time: anybody can send such requests."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Client:
    """One system of an agency."""

    id: str
    """26 hex characters."""
    agency_code: AgencyCode
    name: str
    scopes: tuple[str, ...]
    """Of `issue manage verify share audit`."""
    method: str
    """`private_key_jwt` or `client_secret`."""
    networks: tuple[str, ...]
    """CIDR; empty is any network."""
    created_by: str
    created_at: datetime
    disabled_by: str = ""
    disabled_at: datetime | None = None
    refusal_noted_at: datetime | None = None
    """When a refused request in its name was last audited."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientKey:
    """A public key of a client."""

    kid: str
    spki_der: bytes
    not_before_at: datetime
    not_after_at: datetime
    """Exclusive."""
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClientSecret:
    """What is kept of a secret of a client."""

    id: str
    """8 hex characters, which the secret begins with."""
    hashed: str
    """`argon2id$memory,passes,lanes$salt$hash`, base64."""
    not_before_at: datetime
    not_after_at: datetime
    """Exclusive."""
    withdrawn_at: datetime | None = None


Proof = ClientKey | ClientSecret
"""What a client proves itself by."""


def add_client(store: Store, client: Client, proof: Proof) -> None:
    """Take in a client with its first key or secret.

    Raises:
        NotFoundError: code `agency_not_found`.
    """
    row = {
        "id": client.id,
        "agency_code": client.agency_code,
        "name": client.name,
        "scopes": " ".join(client.scopes),
        "method": client.method,
        "networks": " ".join(client.networks),
        "created_by": client.created_by,
        "created_at": client.created_at,
        "disabled_by": "",
        "disabled_at": None,
        "minute": None,
        "given_in_minute": 0,
        "refusal_noted_at": None,
    }
    detail: dict[str, str | int] = {
        "agency": client.agency_code,
        "name": client.name,
        "scopes": " ".join(client.scopes),
        "method": client.method,
        "networks": " ".join(client.networks),
    }
    try:
        with writing(store) as conn:
            conn.execute(insert(OAUTH_CLIENT).values(row))
            entry = audits.Entry(actor=client.created_by, act="client.added", subject=client.id, detail=detail)
            audits.append(conn, [entry, _add_proof(conn, client.id, proof, client.created_by)], at=client.created_at)
    except IntegrityError as error:
        raise NotFoundError(f"agency {client.agency_code} is not in this library", code="agency_not_found") from error


def rotate(  # noqa: PLR0913  # what an auditor asks about it
    store: Store, client_id: str, proof: Proof, *, old_end_at: datetime, operator: str, now: datetime
) -> None:
    """Give a client another key or secret; those before end at `old_end_at`, and are withdrawn if that is now.

    Raises:
        NotFoundError: code `client_not_found`.
        ConflictError: code `client_disabled`, or `client_key_exists`: it has a key of this id already.
    """
    table = CLIENT_KEY if isinstance(proof, ClientKey) else CLIENT_SECRET
    values: dict[str, Any] = {"not_after_at": old_end_at}
    if old_end_at <= now:
        values["withdrawn_at"] = now
    try:
        with writing(store) as conn:
            if _locked(conn, client_id).disabled_at is not None:
                raise ConflictError("the client is disabled", code="client_disabled")
            conn.execute(
                update(table).where(table.c.client_id == client_id, table.c.not_after_at > old_end_at).values(values)
            )
            added = _add_proof(conn, client_id, proof, operator, old_end_at=old_end_at)
            audits.append(conn, [added], at=now)
    except IntegrityError as error:
        raise ConflictError("the client has a key of this id already", code="client_key_exists") from error


def disable(store: Store, client_id: str, *, reason: str, operator: str, now: datetime) -> None:
    """Disable a client: nothing that it was given opens anything from now on.

    Raises:
        NotFoundError: code `client_not_found`.
        ConflictError: code `client_disabled`: it is already.
    """
    with writing(store) as conn:
        client = _locked(conn, client_id)
        if client.disabled_at is not None:
            raise ConflictError("the client is disabled already", code="client_disabled")
        this = OAUTH_CLIENT.c.id == client_id
        conn.execute(update(OAUTH_CLIENT).where(this).values(disabled_at=now, disabled_by=operator))
        conn.execute(delete(USED_ASSERTION).where(USED_ASSERTION.c.client_id == client_id))
        detail: dict[str, str | int] = {"agency": client.agency_code, "reason": reason}
        entry = audits.Entry(actor=operator, act="client.disabled", subject=client_id, detail=detail)
        audits.append(conn, [entry], at=now)


def client(store: Store, client_id: str) -> Client:
    """One client.

    Raises:
        NotFoundError: code `client_not_found`.
    """
    with reading(store) as conn:
        row = conn.execute(select(OAUTH_CLIENT).where(OAUTH_CLIENT.c.id == client_id)).mappings().one_or_none()
    if row is None:
        raise _unknown()
    return _client(row)


def clients(store: Store, *, agency_code: str = "") -> tuple[Client, ...]:
    """All clients, disabled ones too, oldest first; of one agency, if given."""
    query = select(OAUTH_CLIENT).order_by(OAUTH_CLIENT.c.created_at, OAUTH_CLIENT.c.id)
    if agency_code:
        query = query.where(OAUTH_CLIENT.c.agency_code == agency_code)
    with reading(store) as conn:
        return tuple(_client(row) for row in conn.execute(query).mappings())


def keys(store: Store, client_id: str) -> tuple[ClientKey, ...]:
    """The keys of a client, ended and withdrawn ones too, oldest first."""
    query = select(CLIENT_KEY).where(CLIENT_KEY.c.client_id == client_id)
    with reading(store) as conn:
        rows = conn.execute(query.order_by(CLIENT_KEY.c.not_before_at, CLIENT_KEY.c.kid)).mappings().all()
    return tuple(
        ClientKey(
            kid=row["kid"],
            spki_der=bytes(row["spki_der"]),
            not_before_at=row["not_before_at"],
            not_after_at=row["not_after_at"],
            withdrawn_at=row["withdrawn_at"],
        )
        for row in rows
    )


def secrets(store: Store, client_id: str) -> tuple[ClientSecret, ...]:
    """What is kept of the secrets of a client, ended and withdrawn ones too, oldest first."""
    query = select(CLIENT_SECRET).where(CLIENT_SECRET.c.client_id == client_id)
    with reading(store) as conn:
        rows = conn.execute(query.order_by(CLIENT_SECRET.c.not_before_at, CLIENT_SECRET.c.id)).mappings().all()
    return tuple(ClientSecret(**{name: row[name] for name in ClientSecret.__slots__}) for row in rows)


def give(  # noqa: PLR0913  # what one access token is given for
    store: Store,
    client: Client,
    *,
    assertion: tuple[bytes, datetime] | None,
    token_id: str,
    scope: str,
    now: datetime,
) -> None:
    """Put down that an access token is given. `assertion`: digest of its id and the time until which to remember it.

    Raises:
        UnauthenticatedError: code `assertion_used`, or `client_disabled` meanwhile.
        LimitReachedError: the client has been given too many in this minute.
    """
    minute = now.replace(second=0, microsecond=0)
    try:
        with writing(store) as conn:
            this = OAUTH_CLIENT.c.id == client.id
            row = conn.execute(select(OAUTH_CLIENT).where(this).with_for_update()).mappings().one()
            if row["disabled_at"] is not None:
                raise UnauthenticatedError("the client is disabled", code="client_disabled")
            given = row["given_in_minute"] if row["minute"] == minute else 0
            if given >= TOKENS_PER_MINUTE:
                raise LimitReachedError("too many access tokens in a minute", hint="Use each one until it ends.")
            conn.execute(update(OAUTH_CLIENT).where(this).values(minute=minute, given_in_minute=given + 1))
            if assertion is not None:
                _use(conn, client.id, *assertion, now=now)
            detail: dict[str, str | int] = {"agency": client.agency_code, "scope": scope, "jti": token_id}
            entry = audits.Entry(actor=client.id, act="client.token_given", subject=client.id, detail=detail)
            audits.append(conn, [entry], at=now)
    except IntegrityError as error:
        raise _used_before() from error


def use_up(store: Store, client: Client, assertion: tuple[bytes, datetime], *, now: datetime) -> None:
    """Put down that an assertion was shown, though nothing was given for it.

    Raises:
        UnauthenticatedError: code `assertion_used`.
    """
    try:
        with writing(store) as conn:
            _locked(conn, client.id)
            _use(conn, client.id, *assertion, now=now)
    except IntegrityError as error:
        raise _used_before() from error


def _used_before() -> UnauthenticatedError:
    return UnauthenticatedError("the assertion was used before", code="assertion_used")


def _use(conn: Connection, client_id: str, digest: bytes, expires_at: datetime, *, now: datetime) -> None:
    """Remember an assertion, and forget those that have ended; only one transaction at a time does it for a client."""
    table = USED_ASSERTION
    conn.execute(delete(table).where(table.c.client_id == client_id, table.c.expires_at <= now))
    conn.execute(insert(table).values(client_id=client_id, digest=digest, expires_at=expires_at))


def note_refusal(store: Store, client: Client, *, code: str, now: datetime) -> None:
    """Audit that a request in the name of `client` was refused, at most once in `REFUSAL_NOTED_EVERY`."""
    if client.refusal_noted_at is not None and client.refusal_noted_at > now - REFUSAL_NOTED_EVERY:
        return
    column = OAUTH_CLIENT.c.refusal_noted_at
    with writing(store) as conn:
        noted = conn.execute(
            update(OAUTH_CLIENT)
            .where(OAUTH_CLIENT.c.id == client.id, column.is_(None) | (column <= now - REFUSAL_NOTED_EVERY))
            .values(refusal_noted_at=now)
        )
        if noted.rowcount:
            detail: dict[str, str | int] = {"agency": client.agency_code, "code": code}
            entry = audits.Entry(actor=client.id, act="client.refused", subject=client.id, detail=detail)
            audits.append(conn, [entry], at=now)


def _add_proof(
    conn: Connection, client_id: str, proof: Proof, operator: str, *, old_end_at: datetime | None = None
) -> audits.Entry:
    detail: dict[str, str | int] = {"until": proof.not_after_at.isoformat()}
    if old_end_at is not None:
        detail["old_until"] = old_end_at.isoformat()
    values = {name: getattr(proof, name) for name in type(proof).__slots__}
    if isinstance(proof, ClientKey):
        conn.execute(insert(CLIENT_KEY).values(client_id=client_id, **values))
        act, detail = "client.key_added", {"kid": proof.kid, **detail}
    else:
        conn.execute(insert(CLIENT_SECRET).values(client_id=client_id, **values))
        act, detail = "client.secret_added", {"secret": proof.id, **detail}
    return audits.Entry(actor=operator, act=act, subject=client_id, detail=detail)


def _locked(conn: Connection, client_id: str) -> Client:
    query = select(OAUTH_CLIENT).where(OAUTH_CLIENT.c.id == client_id).with_for_update()
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise _unknown()
    return _client(row)


def _unknown() -> NotFoundError:
    return NotFoundError("no client is known under this id", code="client_not_found", hint="See: certlib client list")


def _client(row: RowMapping) -> Client:
    return Client(
        id=row["id"],
        agency_code=AgencyCode(row["agency_code"]),
        name=row["name"],
        scopes=tuple(row["scopes"].split()),
        method=row["method"],
        networks=tuple(row["networks"].split()),
        created_by=row["created_by"],
        created_at=row["created_at"],
        disabled_by=row["disabled_by"],
        disabled_at=row["disabled_at"],
        refusal_noted_at=row["refusal_noted_at"],
    )
