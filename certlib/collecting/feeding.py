"""The catalogue feed: what came, changed and went since a cursor, for libraries that collect.

Each page is counted and put down before it leaves, once for each type in it; it never holds a value of a field.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from certlib.errors import ConflictError, FieldFault, ForbiddenError, InvalidRequestError, LimitReachedError
from certlib.grants import REASONS, Asking, Interface, Rule, fitting, require_asking
from certlib.receipting import new_receipt_id
from certlib.sharing.admission import HINT, Admission, admit, drawn, refuse
from certlib.store import feeds, granting, looks
from certlib.store.engine import writing
from certlib.verdict import moment

if TYPE_CHECKING:
    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.library import Library
    from certlib.store.engine import Transaction
    from certlib.store.feeds import CatalogueChange, CatalogueEntry, ChangePage
    from certlib.store.looks import Look

MAX_CHANGES: Final = 500
"""No list beyond 500 (China profile, 7.6)."""
SCANNED: Final = 5000
"""Audit records that one page looks at: an empty page with `more` is an answer."""
CASE: Final = "catalogue-feed"
PURPOSE: Final = "The catalogue is collected."
_CURSOR: Final = struct.Struct(">B8sQ8s8s")
_FORM: Final = 1
_PART: Final = 8
_CURSOR_TEXT: Final = re.compile(r"[A-Za-z0-9_-]{44}")
"""33 bytes in base64url."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedPage:
    """One page of the feed."""

    types: tuple[str, ...]
    """Codes of the types that the page is about. A reader that is granted another one later begins anew."""
    changes: tuple[CatalogueChange, ...]
    cursor: str
    """Where the next page goes on; the same for nobody else's library."""
    more: bool
    """False when this was all that was committed so far."""


def asking_of(caller: AgencyCaller, matter_code: str) -> Asking:
    """What a system that collects names: it asks for itself, and for no case."""
    return Asking(
        matter_code=matter_code, case_number=CASE, purpose=PURPOSE, operator=caller.client_id or caller.agency_code
    )


def admitted(lib: Library, caller: AgencyCaller, asking: Asking) -> dict[str, Admission]:
    """The types whose catalogue the caller may read now, each with its admission; what is not granted is left out.

    Raises:
        InvalidRequestError: the matter is missing.
        ForbiddenError: there is no such type; audited. Its code is the `grants.Rule` that came nearest.
    """
    require_asking(asking)
    now = lib.now()
    known = granting.grants(lib.store, agency_code=caller.agency_code)
    failed, order, found = Rule.NO_GRANT, list(Rule), {}
    for type_code in sorted({grant.type_code for grant in known}):
        mine = [grant for grant in known if grant.type_code == type_code]
        fit = fitting(
            mine, interface=Interface.FEED, matter_code=asking.matter_code, fields=(), address=caller.address, now=now
        )
        if isinstance(fit, Rule):
            failed = fit if order.index(fit) > order.index(failed) else failed
        else:
            found[type_code] = admit(lib, caller, asking, interface=Interface.FEED, type_code=type_code)
    if not found:
        refuse(lib, caller, asking, interface=Interface.FEED, type_code="", code=failed.value)
        raise ForbiddenError(REASONS[failed], code=failed.value, hint=HINT)
    return found


def changes_since(
    lib: Library, caller: AgencyCaller, *, cursor: str, matter_code: str, limit: int = MAX_CHANGES
) -> FeedPage:
    """The next changes after `cursor` (empty is the beginning), at most `limit`, in the order of their commits.

    Raises:
        InvalidRequestError: the cursor is none, the limit out of bounds, or the matter missing.
        ConflictError: code `foreign_cursor`: of another library; `lost_cursor`: this library was put back to before it.
        ForbiddenError, LimitReachedError: as `admission`.
    """
    if not 1 <= limit <= MAX_CHANGES:
        reason = f"must lie between 1 and {MAX_CHANGES}"
        raise InvalidRequestError((FieldFault(field="limit", code="out_of_range", reason=reason),))
    after = _read_cursor(lib, cursor)
    granted = admitted(lib, caller, asking_of(caller, matter_code))
    page = feeds.change_page(lib.store, after=after, type_codes=tuple(granted), limit=limit, scan=SCANNED)
    _settle(lib, granted, page)
    cursor = _cursor(lib, page.seq, page.hash)
    return FeedPage(types=tuple(granted), changes=page.changes, cursor=cursor, more=page.more)


def _settle(lib: Library, granted: dict[str, Admission], page: ChangePage) -> None:
    """Count the page against each type's grants and put it down, in one transaction. Raises as `drawn`."""
    times = {code: sum(each.entry.type_code == code for each in page.changes) for code in granted}
    reference = new_receipt_id()
    used = [code for code in granted if times[code]] or [next(iter(granted))]
    try:
        with writing(lib.store) as conn:
            rows = [_counted(conn, granted[code], times[code], reference) for code in used]
            looks.put(lib.store, conn, rows)
    except (LimitReachedError, ForbiddenError) as error:
        first = granted[used[0]]
        refuse(lib, first.caller, first.asking, interface=Interface.FEED, type_code=first.type_code, code=error.code)
        raise


def _counted(conn: Transaction, admission: Admission, times: int, reference: str) -> Look:
    """The ledger's row for one type of a page, counted. Raises as `admission.drawn`."""
    grant = drawn(conn, admission, times)
    row = admission.look(outcome="given" if times else "nothing_new", reference=reference)
    return replace(row, grant_id=grant.id, basis=grant.basis.value)


def _library_mark(lib: Library) -> bytes:
    return hashlib.sha256(lib.anchor_spki_der).digest()[:_PART]


def _cursor(lib: Library, seq: int, digest: str) -> str:
    body = _CURSOR.pack(_FORM, _library_mark(lib), seq, bytes.fromhex(digest)[:_PART], b"")
    tag = lib.store.cipher.digest("feed cursor", body)[:_PART]
    return base64.urlsafe_b64encode(body[:-_PART] + tag).decode()


def _read_cursor(lib: Library, text: str) -> int:
    """The number of the last record that the reader has seen. Raises as `changes_since`."""
    if not text:
        return 0
    if not _CURSOR_TEXT.fullmatch(text):
        raise _no_cursor()
    data = base64.urlsafe_b64decode(text)
    form, library, seq, digest, tag = _CURSOR.unpack(data)
    if form != _FORM:
        raise _no_cursor()
    if library != _library_mark(lib):
        raise ConflictError("the cursor is of another library", code="foreign_cursor")
    body = data[:-_PART] + b"\x00" * _PART
    if not hmac.compare_digest(tag, lib.store.cipher.digest("feed cursor", body)[:_PART]):
        raise _no_cursor()
    if bytes.fromhex(feeds.hash_at(lib.store, seq))[:_PART] != digest:
        raise ConflictError(
            "this library stands before the cursor, as after a backup was put back: begin anew without one",
            code="lost_cursor",
        )
    return int(seq)


def _no_cursor() -> InvalidRequestError:
    reason = "is none that this library gave; leave it out to begin anew"
    return InvalidRequestError((FieldFault(field="since", code="bad_cursor", reason=reason),))


def entry_json(entry: CatalogueEntry) -> dict[str, JsonValue]:
    """A catalogue's entry for the wire."""
    return {
        "identifier": entry.identifier,
        "type": entry.type_code,
        "type_segment": entry.type_segment,
        "type_name": entry.type_name,
        "type_name_en": entry.type_name_en,
        "number": entry.number,
        "number_masked": entry.number_masked,
        "version": entry.version,
        "agency": entry.agency_code,
        "agency_name": entry.agency_name,
        "area_code": entry.area_code,
        "issued_on": entry.issued_on.isoformat(),
        "effective_on": entry.effective_on.isoformat(),
        "expires_on": entry.expires_on.isoformat() if entry.expires_on else None,
        "status": entry.status.value,
        "previous_identifier": entry.previous_identifier,
    }


def page_json(lib: Library, page: FeedPage) -> dict[str, JsonValue]:
    """A page for the wire. `cd_operation` is the national letter for the operation, as this library is set up."""
    letters = dict(zip(("insert", "update", "delete"), lib.settings.catalogue_letters.split(","), strict=True))
    return {
        "changes": [
            {
                "seq": each.seq,
                "at": moment(each.at),
                "operation": each.operation,
                "cd_operation": letters[each.operation],
                **entry_json(each.entry),
            }
            for each in page.changes
        ],
        "types": list(page.types),
        "cursor": page.cursor,
        "more": page.more,
    }
