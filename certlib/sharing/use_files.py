"""One-time links to purpose-bound copies: made under a use code, fetched once, the digest put down, no byte kept.

A link needs no bearer, so that it can be handed to a browser: it is secret, short-lived, good once, and the grant's
networks hold for whoever fetches. The copy is made first and the link claimed after; a crash between leaves the link
good and nothing put down, and of many who fetch at once one gets the bytes.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from certlib.callers import AgencyCaller
from certlib.copying import BoundCopy, MadeFor, bound_copy
from certlib.errors import ConflictError, ForbiddenError, NotFoundError
from certlib.grants import Interface
from certlib.identifiers import AgencyCode
from certlib.model import OverallWord, Status, derived_word, end_of_day
from certlib.sharing.finding import word_of
from certlib.sharing.use_data import GIVEN, admit_part, bound_licences, part_looks, settle_use
from certlib.sharing.uses import own_use, require_readable
from certlib.store import agencies, clients, copies, lookups
from certlib.store import uses as rows

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.library import Library
    from certlib.model import Licence
    from certlib.sharing.admission import Admission
    from certlib.store.engine import Transaction

LINK_SECONDS: Final = 600
"""China profile, 7.4."""
OFFERED: Final = "offered"
"""A link was given; the ledger's word, beside `given` for the copy itself."""
COPIED_WORDS: Final = frozenset({OverallWord.VALID, OverallWord.NOT_YET_EFFECTIVE})
"""Of what ended or rests no copy is made: on paper nobody would see it."""
FIRST_DAY: Final = "effective_on"
_SECRET_BYTES: Final = 24
"""192 random bits."""
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileLink:
    """A one-time link to a copy of one licence."""

    identifier: str
    type_code: str
    word: str
    """What the record says of the licence now."""
    secret: str
    """Last part of the link; empty when no copy is made of a licence that stands so."""
    expires_at: datetime


def make_links(lib: Library, caller: AgencyCaller, code: str) -> tuple[FileLink, ...]:
    """A fresh one-time link for each licence of a use; each is counted and put down as a look.

    Raises:
        NotFoundError, ConflictError, ForbiddenError, LimitReachedError: as `use_data.read_data`.
    """
    use = own_use(lib, caller, code)
    require_readable(lib, caller, use, Interface.FILE)
    admissions = {part.type_code: admit_part(lib, caller, use, part, Interface.FILE) for part in use.parts}
    found, now = list(bound_licences(lib, use)), lib.now()
    expires_at = min(now + timedelta(seconds=LINK_SECONDS), use.expires_at)
    links = tuple(
        FileLink(
            identifier=licence.identifier,
            type_code=licence.type_code,
            word=word.value,
            secret=secrets.token_urlsafe(_SECRET_BYTES) if _is_copied(word, admissions[licence.type_code]) else "",
            expires_at=expires_at,
        )
        for licence, word in ((each, word_of(each, now)) for each in found)
    )

    def keep(conn: Transaction) -> None:
        by_secret = {each.secret: each.identifier for each in links if each.secret}
        copies.add_links(
            lib.store, conn, by_secret, use_id=use.id, client_id=caller.client_id, now=now, expires_at=expires_at
        )
        rows.note_words(conn, use.id, {each.identifier: each.word for each in links}, now=now)

    settled = [(each, part_looks(use, each, found, outcome=OFFERED)) for each in admissions.values()]
    settle_use(lib, use, settled, also=keep)
    return links


def fetch(lib: Library, secret: str, *, address: str) -> BoundCopy:
    """The copy behind a one-time link, fetched from `address`; the link is used up with it.

    Steps: 1 the link; 2 client, use and grant as they are now; 3 the licence still stands; 4 the copy is made; 5 link
    claimed, digest, look and audit written in one transaction, in which the licence cannot change; then the bytes may
    leave.

    Raises:
        NotFoundError: code `link_not_found`.
        GoneError: code `link_used`, `link_expired`.
        ForbiddenError: the use has ended, or the grant does not allow it any more, e.g. from this address; code
            `client_disabled`: whoever got the link is trusted no more.
        ConflictError: code `licence_not_in_force`: no copy is made of a licence that ended meanwhile.
    """
    # 1 the link
    if not _SECRET.fullmatch(secret):
        raise NotFoundError("no link is known under this address", code="link_not_found")
    link, now = copies.link(lib.store, secret), lib.now()
    if link.claimed_at is not None or now >= link.expires_at:
        raise copies.spent(used=link.claimed_at is not None)
    # 2 client, use and grant
    _require_enabled(lib, link.client_id)
    use = rows.use(lib.store, link.use_id, now=now)
    caller = AgencyCaller(
        agency_code=AgencyCode(use.agency_code), scopes=frozenset(), client_id=link.client_id, address=address
    )
    require_readable(lib, caller, use, Interface.FILE)
    licence = lookups.licence_by_identifier(lib.store, link.identifier)
    part = next(each for each in use.parts if each.type_code == licence.type_code)
    admission = admit_part(lib, caller, use, part, Interface.FILE)
    # 3 the licence
    _require_in_force(licence, now)
    # 4 the copy
    until = _until(lib, licence, now)
    made_for = MadeFor(
        agency_code=use.agency_code,
        agency_name=agencies.agency(lib.store, AgencyCode(use.agency_code)).name,
        purpose=use.asking.purpose,
        until=until,
        use_code=use.id,
    )
    copy = bound_copy(lib, licence, made_for, fields=frozenset(part.fields))
    lib.step("copied")

    # 5 claimed and put down
    def claim(conn: Transaction) -> None:
        copies.claim(lib.store, conn, secret, now=lib.now())
        status = Status(copies.locked_status(conn, licence.identifier))
        _require_in_force(replace(licence, status=status), now)
        copies.add_copy(conn, sha256=copy.sha256, use_id=use.id, identifier=licence.identifier, now=now, until_at=until)

    looks = part_looks(use, admission, [licence], outcome=GIVEN)
    settle_use(lib, use, [(admission, looks)], times=0, also=claim)  # the link was counted when it was given
    lib.step("claimed")
    return copy


def _require_enabled(lib: Library, client_id: str) -> None:
    """Pass unless the library has disabled the system that the link was given to."""
    try:
        disabled = bool(client_id) and clients.client(lib.store, client_id).disabled_at is not None
    except NotFoundError:
        disabled = False
    if disabled:
        raise ForbiddenError("the client that got this link is disabled", code="client_disabled")


def _is_copied(word: OverallWord, admission: Admission) -> bool:
    """Whether a copy can be made: before its first day only one that may say so."""
    return word is OverallWord.VALID or (word is OverallWord.NOT_YET_EFFECTIVE and FIRST_DAY in admission.fields)


def _require_in_force(licence: Licence, now: datetime) -> None:
    word = derived_word(licence.status, licence.effective_on, licence.expires_on, licence.timezone, now)
    if word not in COPIED_WORDS:
        raise ConflictError(f"the licence is {word}: no copy is made of it", code="licence_not_in_force")


def _until(lib: Library, licence: Licence, now: datetime) -> datetime:
    """Until when a copy that is made now serves: never longer than its licence."""
    until = (now + timedelta(days=lib.settings.copy_days)).replace(microsecond=0)
    if licence.expires_on is not None:
        until = min(until, end_of_day(licence.expires_on, licence.timezone))
    return until
