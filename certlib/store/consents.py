"""One-time codes in the database: made by a holder, used once whoever races, found by their keyed hash only."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from stdnum import luhn

from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError, LimitReachedError, NotFoundError
from certlib.store import audits, delegations
from certlib.store.converting import holder_index
from certlib.store.engine import reading, writing
from certlib.store.sessions import ID_FORM
from certlib.store.tables_holding import CODE_FAILURE, ONE_TIME_CODE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

CODE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford base32: no I, L, O, U."""
CODE_CHARACTERS: Final = 12
"""Eleven random ones, 55 bits, and a check character."""
MAX_TYPED_CHARACTERS: Final = 64
LISTED: Final = 100
FAILURES_KEPT: Final = timedelta(days=1)
_LOOK_ALIKES: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
_BETWEEN: Final = str.maketrans(dict.fromkeys("-‐‑–— \t\r\n\u00a0\u3000"))
_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
"""As an input method types letters and digits."""


class CodeKind(StrEnum):
    """What a one-time code is for. Wire-stable."""

    SHOW = "show"
    """Whoever is told it sees the face of the licences chosen."""
    CONSENT = "consent"
    """One agency may use what it names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownLicence:
    """A licence that a code shows."""

    identifier: str
    type_code: str
    fields: tuple[str, ...]
    """Names of what its face shows."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OneTimeCode:
    """A code as it is kept: what it is for, never the code itself."""

    id: str
    """26 hex characters; no secret."""
    kind: CodeKind
    session_id: str
    delegation_id: str
    """The delegation under which it was made, or empty: the holder made it."""
    agency_code: str
    """Who may use it; empty for one to show."""
    types: Mapping[str, tuple[str, ...]]
    """Consent: field names by type code."""
    licences: tuple[ShownLicence, ...]
    """To show."""
    created_at: datetime
    expires_at: datetime
    """Exclusive."""
    ended_at: datetime | None
    """When the holder took it back."""
    used_at: datetime | None
    used_by: str
    """Agency code; empty for somebody without a log-in."""
    reference: str
    """The use code that it was used for, or empty."""
    holder_code: str = field(repr=False)
    code_type: str = ""


def new_code() -> str:
    """A fresh code: eleven random characters and their check character."""
    body = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_CHARACTERS - 1))
    return body + str(luhn.calc_check_digit(body, alphabet=CODE_ALPHABET))


def printed_code(code: str) -> str:
    """The code in groups of four, as people read it out."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def normalise_code(text: str) -> str:
    """The code that a person meant: any case, I and L for 1, O for 0, hyphens and blanks dropped.

    Raises:
        InvalidRequestError: fault on `code`: `bad_code` for another form, `bad_check_digit` for one mistyped.
    """
    code = text[: MAX_TYPED_CHARACTERS + 1].translate(_FULL_WIDTH).translate(_BETWEEN).upper().translate(_LOOK_ALIKES)
    if len(text) > MAX_TYPED_CHARACTERS or len(code) != CODE_CHARACTERS or set(code) - set(CODE_ALPHABET):
        reason = f"has not {CODE_CHARACTERS} characters, or others than digits and letters"
        raise InvalidRequestError((FieldFault(field="code", code="bad_code", reason=reason),))
    if luhn.checksum(code, alphabet=CODE_ALPHABET):
        raise InvalidRequestError((FieldFault(field="code", code="bad_check_digit", reason="is mistyped"),))
    return code


def put_code(  # noqa: PLR0913  # a code, and the marks around it
    store: Store, conn: Connection, code: str, made: OneTimeCode, *, most_open: int, now: datetime
) -> None:
    """Keep a code that was just made, inside the caller's transaction.

    Raises:
        LimitReachedError: code `too_many_codes`: the holder has so many open ones.
    """
    index = holder_index(store.cipher, made.holder_code)
    still = (
        ONE_TIME_CODE.c.holder_index == index,
        ONE_TIME_CODE.c.used_at.is_(None),
        ONE_TIME_CODE.c.ended_at.is_(None),
        ONE_TIME_CODE.c.expires_at > now,
    )
    if conn.execute(select(func.count()).select_from(ONE_TIME_CODE).where(*still)).scalar_one() >= most_open:
        raise LimitReachedError(
            f"there are {most_open} codes not used yet", code="too_many_codes", hint="Take one back, or wait."
        )
    shown = [[each.identifier, each.type_code, *each.fields] for each in made.licences]
    scope = {"types": {name: list(fields) for name, fields in made.types.items()}, "licences": shown}
    row = {
        "id": made.id,
        "kind": made.kind.value,
        "code_hash": _hash(store, code),
        "holder_index": index,
        "session_id": made.session_id,
        "delegation_id": made.delegation_id,
        "agency_code": made.agency_code,
        "scope": json.dumps(scope),
        "created_at": made.created_at,
        "expires_at": made.expires_at,
        "ended_at": None,
        "used_at": None,
        "used_by": "",
        "reference": "",
        "key_id": store.cipher.key_id,
        "sealed": store.cipher.seal(json.dumps([made.holder_code, made.code_type]).encode(), f"code:{made.id}"),
    }
    conn.execute(insert(ONE_TIME_CODE).values(row))


def redeem_consent(  # noqa: PLR0913  # what a consent is for
    store: Store,
    conn: Connection,
    code: str,
    *,
    agency_code: str,
    type_codes: Sequence[str],
    fields: Mapping[str, Sequence[str]],
    now: datetime,
    reference: str = "",
) -> str:
    """Use a consent code inside the caller's transaction; gives the code of the holder who consented.

    `fields` are those asked for, by type; `reference` is the use code that it is used for. Rolled back, the code is
    as good as before. Of callers at once one gets it. Before: `require_attempts`; after a refusal: `note_failure`.

    Raises:
        InvalidRequestError: no code of ours, or mistyped: nobody guesses this way.
        ForbiddenError: `code_unknown` (also one that was made out to another agency and is used or over),
            `code_for_other_agency`, `code_used`, `code_expired` (also taken back, or the delegate's time is over),
            `code_for_less`: the holder agreed to fewer types or fields.
    """
    row = _row(store, conn, code, CodeKind.CONSENT)
    if row is None:
        raise _refused("code_unknown")
    over = row["used_at"] is not None or row["ended_at"] is not None or now >= row["expires_at"]
    if row["agency_code"] != agency_code:
        raise _refused("code_unknown" if over else "code_for_other_agency")
    if row["used_at"] is not None:
        raise _refused("code_used")
    if over or not delegations.stands(conn, row["delegation_id"], now=now):
        raise _refused("code_expired")
    agreed = json.loads(row["scope"])["types"]
    asked = {*type_codes, *fields}
    if not asked or any(name not in agreed or set(fields.get(name, ())) - set(agreed[name]) for name in asked):
        raise _refused("code_for_less")
    if not _take(conn, row, agency_code=agency_code, reference=reference, now=now):
        raise _refused("code_used")
    return _holder(store, row)[0]


def redeem_shown(store: Store, conn: Connection, code: str, *, agency_code: str, now: datetime) -> OneTimeCode:
    """Use a code to show inside the caller's transaction. Of callers at once one gets it.

    Raises:
        InvalidRequestError: as `redeem_consent`.
        NotFoundError: code `code_unknown`, the same for one that is used, over, taken back or was never given.
    """
    row = _row(store, conn, code, CodeKind.SHOW)
    if (
        row is None
        or row["used_at"] is not None
        or row["ended_at"] is not None
        or now >= row["expires_at"]
        or not delegations.stands(conn, row["delegation_id"], now=now)
        or not _take(conn, row, agency_code=agency_code, reference="", now=now)
    ):
        hint = "Ask the holder for a new one: each is good once, for a minute."
        raise NotFoundError("this code is not known, or not any more", code="code_unknown", hint=hint)
    return _code(store, row)


def end_code(store: Store, conn: Connection, code_id: str, holder_code: str, *, now: datetime) -> None:
    """Take back a code of this holder inside the caller's transaction; one that is used or over stays so.

    Raises:
        NotFoundError: the holder has none of this id.
    """
    mine = (ONE_TIME_CODE.c.id == code_id, ONE_TIME_CODE.c.holder_index == holder_index(store.cipher, holder_code))
    if not ID_FORM.fullmatch(code_id) or conn.execute(select(ONE_TIME_CODE.c.id).where(*mine)).one_or_none() is None:
        raise NotFoundError("no code is known under this id", code="code_not_found")
    still = (*mine, ONE_TIME_CODE.c.used_at.is_(None), ONE_TIME_CODE.c.ended_at.is_(None))
    conn.execute(update(ONE_TIME_CODE).where(*still).values(ended_at=now))


def codes_of(store: Store, holder_code: str, code_type: str) -> tuple[OneTimeCode, ...]:
    """The holder's newest codes, at most `LISTED`, newest first."""
    index = holder_index(store.cipher, holder_code)
    query = select(ONE_TIME_CODE).where(ONE_TIME_CODE.c.holder_index == index)
    with reading(store) as conn:
        rows = conn.execute(query.order_by(ONE_TIME_CODE.c.created_at.desc(), ONE_TIME_CODE.c.id).limit(LISTED))
        codes = [_code(store, row) for row in rows.mappings()]
    return tuple(each for each in codes if each.code_type == code_type)


def delegations_behind(store: Store, references: Sequence[str]) -> dict[str, str]:
    """Reference -> id of the delegation under which the code was made, where the holder did not make it.

    A reference is a use code, or the id of a code to show.
    """
    wanted = sorted({each for each in references if each})
    query = select(ONE_TIME_CODE.c.id, ONE_TIME_CODE.c.reference, ONE_TIME_CODE.c.delegation_id).where(
        or_(ONE_TIME_CODE.c.reference.in_(wanted), ONE_TIME_CODE.c.id.in_(wanted)),
        ONE_TIME_CODE.c.delegation_id != "",
    )
    if not wanted:
        return {}
    with reading(store) as conn:
        return {row.reference or row.id: row.delegation_id for row in conn.execute(query)}


def require_attempts(store: Store, source: str, *, most: int, now: datetime) -> None:
    """Pass unless `most` wrong codes came from `source` (an address, an agency) in this hour; 0 is no limit.

    Raises:
        LimitReachedError: code `too_many_wrong_codes`, whatever code was brought.
    """
    query = select(CODE_FAILURE.c.failures).where(
        CODE_FAILURE.c.source == _source(store, source), CODE_FAILURE.c.hour == _hour(now)
    )
    with reading(store) as conn:
        failures = conn.execute(query).scalar_one_or_none() or 0
    if most and failures >= most:
        raise LimitReachedError("too many wrong codes in this hour", code="too_many_wrong_codes")


def note_failure(store: Store, source: str, entry: audits.Entry, *, now: datetime) -> None:
    """Count a wrong code that came from `source`, and audit it; in a transaction of its own."""
    key = {"source": _source(store, source), "hour": _hour(now)}
    with writing(store) as conn:
        dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
        conn.execute(dialect.insert(CODE_FAILURE).values(**key, failures=0).on_conflict_do_nothing())
        same = (CODE_FAILURE.c.source == key["source"], CODE_FAILURE.c.hour == key["hour"])
        conn.execute(update(CODE_FAILURE).where(*same).values(failures=CODE_FAILURE.c.failures + 1))
        conn.execute(delete(CODE_FAILURE).where(CODE_FAILURE.c.hour < now - FAILURES_KEPT))
        audits.append(conn, [entry], at=now)


_REASONS: Final = {
    "code_unknown": "this code is not known",
    "code_for_other_agency": "this code was made out to another agency",
    "code_used": "this code was used before: each is good once",
    "code_expired": "this code is not good any more",
    "code_for_less": "the holder agreed to fewer types or fields than are asked for",
}


def _refused(code: str) -> ForbiddenError:
    return ForbiddenError(_REASONS[code], code=code, hint="Ask the holder for a new code.")


def _hash(store: Store, code: str) -> bytes:
    return store.cipher.digest("one-time-code", code.encode())


def _source(store: Store, source: str) -> bytes:
    return store.cipher.digest("code-source", source.encode("utf-8", "surrogatepass"))


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)


def _row(store: Store, conn: Connection, code: str, kind: CodeKind) -> RowMapping | None:
    query = select(ONE_TIME_CODE).where(
        ONE_TIME_CODE.c.code_hash == _hash(store, normalise_code(code)), ONE_TIME_CODE.c.kind == kind.value
    )
    return conn.execute(query).mappings().one_or_none()


def _take(conn: Connection, row: RowMapping, *, agency_code: str, reference: str, now: datetime) -> bool:
    """Whether this transaction is the one that uses the code."""
    still = (ONE_TIME_CODE.c.used_at.is_(None), ONE_TIME_CODE.c.ended_at.is_(None), ONE_TIME_CODE.c.expires_at > now)
    taken = conn.execute(
        update(ONE_TIME_CODE)
        .where(ONE_TIME_CODE.c.id == row["id"], *still)
        .values(used_at=now, used_by=agency_code, reference=reference)
    )
    return bool(taken.rowcount == 1)


def _holder(store: Store, row: RowMapping) -> tuple[str, str]:
    code, code_type = json.loads(store.cipher.open(row["sealed"], f"code:{row['id']}", row["key_id"]))
    return code, code_type


def _code(store: Store, row: RowMapping) -> OneTimeCode:
    scope = json.loads(row["scope"])
    code, code_type = _holder(store, row)
    same: dict[str, Any] = {
        name: row[name]
        for name in (
            *("id", "session_id", "delegation_id", "agency_code", "created_at", "expires_at", "ended_at"),
            *("used_at", "used_by", "reference"),
        )
    }
    return OneTimeCode(
        **same,
        kind=CodeKind(row["kind"]),
        types={name: tuple(fields) for name, fields in scope["types"].items()},
        licences=tuple(
            ShownLicence(identifier=identifier, type_code=type_code, fields=tuple(fields))
            for identifier, type_code, *fields in scope["licences"]
        ),
        holder_code=code,
        code_type=code_type,
    )
