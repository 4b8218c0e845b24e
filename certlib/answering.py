"""The public answer for a code or identifier: the hot path of GET /v1/verify/<key>.

It does not verify anything that somebody holds; it says what the record says now, masked. One point read, no personal
data touched, no library needed beyond the reader.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.errors import InvalidRequestError, NotFoundError
from certlib.identifiers import MAX_IDENTIFIER_CHARS, normalise_identifier, normalise_public_code
from certlib.model import Status, derived_word
from certlib.verdict import moment

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.store.lookups import PublicReader

MAX_AGE_SECONDS: Final = 5
"""How long a cache may keep an answer: a revocation is seen by everybody after that."""
MAX_KEY_CHARACTERS: Final = MAX_IDENTIFIER_CHARS + 32
"""An identifier as people type it, with blanks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PublicAnswer:
    """A ready answer."""

    body: bytes
    """UTF-8 JSON (docs/verifying.md, 5); members always in the same order and all there."""
    max_age_seconds: int


def public_answer(reader: PublicReader, key: str, *, now: datetime) -> PublicAnswer:
    """What anybody may know of the licence with this public code or identifier, as people type it.

    Blocks for one point read. A key that is malformed is answered like one that is unknown.

    Raises:
        NotFoundError: nothing is known under the key.
        UnavailableError: the database does not answer.
    """
    row = None if (normal := lookup_key(key)) is None else reader.read(normal)
    if row is None:
        raise NotFoundError("nothing is known under this key")
    word = derived_word(row.status, row.effective_on, row.expires_on, row.timezone, now)
    newer = reader.successor(row.identifier) if row.status is Status.SUPERSEDED else ""
    start = json.dumps(
        {
            "word": word,
            "identifier": row.identifier,
            "status": row.status,
            "status_as_of": moment(now),
            "status_source": "live",
            "superseded_by": newer,
        },
        separators=(",", ":"),
    ).encode()
    # The masked part was written as JSON when the licence was issued: two objects become one.
    return PublicAnswer(body=start[:-1] + b"," + row.public_json.lstrip()[1:], max_age_seconds=MAX_AGE_SECONDS)


def lookup_key(text: str) -> str | None:
    """The key under which the store knows what a person typed; None when it can be neither code nor identifier."""
    if len(text) > MAX_KEY_CHARACTERS:
        return None
    if "." in text:
        return normalise_identifier(text)
    try:
        return normalise_public_code(text)
    except InvalidRequestError:
        return None
