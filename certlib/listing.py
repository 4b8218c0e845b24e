"""The status lists that this library publishes: the newest content, signed, as JWT and as CWT.

A change of status is in the list within `FRESH_SECONDS`; in between each process answers from memory. The form stands
in docs/status-list.md.
"""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from certlib.enrolling import STATUS, library_key
from certlib.errors import NotFoundError, OwnFaultError, UnavailableError
from certlib.library import recorded_key
from certlib.model import Status
from certlib.snapshots import LIST_ENTRIES
from certlib.store import listings
from certlib.trusting import trusted_key
from signing import statuslist
from signing.errors import SigningError
from signing.statuslist import INVALID, SUSPENDED, StatusListClaims

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

    from certlib.library import Library
    from certlib.store.values import KeyRecord

BITS: Final = 2
VALUES: Final[Mapping[Status, int]] = {
    status: SUSPENDED if status is Status.SUSPENDED else INVALID for status in Status if status is not Status.ACTIVE
}
"""Suspended may come back; every other status that is not active has ended the licence."""
FRESH_SECONDS: Final = 2
"""For so long a list is given out again without a look at the record."""
TTL_SECONDS: Final = 60
"""For so long a verifier may use its copy."""
RENEW_AFTER: Final = timedelta(hours=1)
"""An unchanged list is signed anew, so that its age says little more than the verifier's own."""
LIFE: Final = timedelta(hours=24)
"""After that a copy proves nothing."""
ATTEMPTS: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedList:
    """A signed status list as it is handed out."""

    uri: str
    issued_at: datetime
    expires_at: datetime
    jwt: bytes
    cwt: bytes
    tag: str
    """Of the content, the same in every process: signatures differ, what they cover does not."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    made: PublishedList
    counter: int
    kid: str
    looked_at: datetime
    """When the record was last asked whether this is still so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lists:
    """The lists that this process has signed. Made by `open_lists`, one for a process."""

    lib: Library
    kept: MutableMapping[int, _Kept] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


def open_lists(lib: Library) -> Lists:
    """No list is signed yet."""
    return Lists(lib=lib)


def current_list(lists: Lists, number: int) -> PublishedList:
    """The status list `number`, at most `FRESH_SECONDS` behind the record.

    Raises:
        NotFoundError: no index of such a list was ever given.
        SetupError: the library has no usable status key.
        UnavailableError: the database does not answer.
    """
    now = lists.lib.now()
    kept = lists.kept.get(number)
    if kept is None:
        _uri(lists.lib, number)  # who asks for lists that are not there holds nobody up
    if kept is None or not _fresh(kept, now):
        with lists.lock:
            kept = lists.kept.get(number)
            if kept is None or not _fresh(kept, now):
                kept = lists.kept[number] = _looked(lists.lib, number, kept)
    return kept.made


def _fresh(kept: _Kept, now: datetime) -> bool:
    return timedelta(0) <= now - kept.looked_at < timedelta(seconds=FRESH_SECONDS)


def _looked(lib: Library, number: int, kept: _Kept | None) -> _Kept:
    """What is to be given out from now on: the kept list if nothing has changed, else a new one."""
    now = lib.now()
    record = library_key(lib, STATUS)
    if (
        kept is not None
        and kept.kid == record.kid
        and now - kept.made.issued_at < RENEW_AFTER
        and kept.counter == listings.change_counter(lib.store)
    ):
        return replace(kept, looked_at=now)
    uri = _uri(lib, number)
    for _attempt in range(ATTEMPTS):
        state = listings.shard_state(lib.store, number)
        statuses = statuslist.packed(
            ((index, VALUES[status]) for index, status in state.entries), bits=BITS, size=LIST_ENTRIES
        )
        digest = hashlib.sha256(bytes.fromhex(record.kid) + statuses.values).hexdigest()
        publication = listings.published(
            lib.store, number, state_counter=state.counter, digest=digest, now=now, renew_after=RENEW_AFTER
        )
        if publication is None:
            continue
        tag = f"{digest[:24]}-{int(publication.issued_at.timestamp()):x}"
        if kept is not None and kept.made.tag == tag:
            return replace(kept, counter=state.counter, looked_at=now)
        claims = StatusListClaims(
            uri=uri,
            issued_at=publication.issued_at,
            expires_at=publication.issued_at + LIFE,
            ttl_seconds=TTL_SECONDS,
            statuses=statuses,
        )
        made = _signed(lib, claims, record, tag)
        return _Kept(made=made, counter=state.counter, kid=record.kid, looked_at=now)
    raise UnavailableError("other processes publish this status list without end; try later")


def _uri(lib: Library, number: int) -> str:
    uri = listings.list_uri(lib.store, number)
    if uri is None:
        raise NotFoundError("there is no status list of this number")
    return uri


def _signed(lib: Library, claims: StatusListClaims, record: KeyRecord, tag: str) -> PublishedList:
    """Both forms, read back as a verifier would before anybody gets them."""
    key, trusted = recorded_key(lib.signer, record), trusted_key(record)
    try:
        jwt, cwt = statuslist.sign_jwt(claims, key).encode(), statuslist.sign_cwt(claims, key)
        for data in (jwt, cwt):
            read = statuslist.verify_list(data, {trusted.kid: trusted}, uri=claims.uri, now=claims.issued_at)
            if read.claims != claims:
                raise OwnFaultError("the status list does not say what it should")
    except SigningError as error:
        raise OwnFaultError(f"the status list cannot be made: {error}") from error
    return PublishedList(
        uri=claims.uri, issued_at=claims.issued_at, expires_at=claims.expires_at, jwt=jwt, cwt=cwt, tag=tag
    )
