"""Proving and exporting the audit chain (docs/status-list.md, 7). Memory stays flat at any length."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from certlib.audit import EMPTY_CHAIN, AuditChainState
from certlib.errors import FieldFault, InvalidRequestError
from certlib.store import audits, comparing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certlib.audit import AuditRecord
    from certlib.library import Library

_MARK: Final = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", re.ASCII)
_SEQ: Final = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditReport:
    """What was proved."""

    records: int
    """How many were read."""
    head: AuditChainState
    """The last of them. Who keeps it elsewhere can prove later that nothing before it was changed."""
    licences: int | None
    """How many were compared with the chain; None when only the chain was asked for."""


def verify_audit(lib: Library, *, since: AuditChainState = EMPTY_CHAIN, chain_only: bool = False) -> AuditReport:
    """Prove the chain from the mark `since` on, and that the licences on record are the ones it tells of.

    Steps:
    1. the record that the mark names is still there, unchanged;
    2. each later record follows the one before, and its hash fits; the last one is the one the head names;
    3. every issued licence has its record, the status and digests of it, and every issue its licence.

    Raises:
        OwnFaultError: code `audit_broken`, at the first break or difference.
        UnavailableError: the database does not answer.
    """
    # 1 mark, 2 chain
    head = audits.check_audit(lib.store, since=since)
    # 3 licences
    licences = None if chain_only else comparing.check_licences(lib.store)
    return AuditReport(records=head.seq - since.seq, head=head, licences=licences)


def audit_lines(lib: Library, *, since: int | datetime = 0) -> Iterator[str]:
    """The records after a sequence number, or from a moment on, as JSON without line ends, in order.

    `hash` is SHA-256 over what docs/status-list.md, 7 says, so that others can prove an export too.
    """
    start = since if isinstance(since, int) else 0
    for record in audits.read_chain(lib.store, since=start):
        if isinstance(since, int) or record.at >= since:
            yield _line(record)


def mark_of(text: str) -> AuditChainState:
    """The mark that `SEQ:HASH` names, as `verify_audit` reported it; empty text is the beginning.

    Raises:
        InvalidRequestError: another form.
    """
    if not text:
        return EMPTY_CHAIN
    match = _MARK.fullmatch(text)
    if match is None:
        raise _bad_since("must be SEQ:HASH, as certlib audit verify prints it")
    return AuditChainState(seq=int(match[1]), hash=match[2])


def start_of(text: str) -> int | datetime:
    """The sequence number or the moment (ISO 8601; UTC unless it says otherwise) that `text` names; empty is 0.

    Raises:
        InvalidRequestError: neither.
    """
    if not text or _SEQ.fullmatch(text):
        return int(text or 0)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _bad_since("must be a sequence number or a moment such as 2026-11-22T00:00:00Z") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _line(record: AuditRecord) -> str:
    return json.dumps(
        {
            "seq": record.seq,
            "at": record.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": record.actor,
            "act": record.act,
            "subject": record.subject,
            "detail": dict(record.detail),
            "previous_hash": record.previous_hash,
            "hash": record.hash,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def _bad_since(reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field="since", code="bad_form", reason=reason),))
