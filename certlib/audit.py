"""Hash-chained audit records: who did what to which thing, in an order nobody can change unseen.

Each record's hash covers the hash before it, so changing, removing, inserting or reordering records breaks the
chain from there on; a chain cut at its end shows against the head that is kept apart. Pure: the store writes.

Personal values never enter a record: subjects are identifiers and codes, details are names, numbers and digests.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from certlib.errors import OwnFaultError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FORMAT: Final = "certlib-audit-1"
"""First element of what is hashed; another form of record gets another word."""
GENESIS_HASH: Final = "0" * 64
"""What the first record names as the hash before it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRecord:
    """One thing that was done."""

    seq: int
    """1, 2, 3 ... without gaps."""
    at: datetime
    """Aware UTC."""
    actor: str
    """The operator, agency or job that did it."""
    act: str
    """`licence.issued`, `licence.status`, `agency.added` ...: noun, dot, past tense; wire-stable."""
    subject: str
    """Identifier, code or key id of what it was done to."""
    detail: Mapping[str, str | int]
    """Names, numbers and digests; never a personal value."""
    previous_hash: str
    hash: str
    """64 hex characters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditChainState:
    """Where a chain stands after a record."""

    seq: int = 0
    hash: str = GENESIS_HASH


EMPTY_CHAIN: Final = AuditChainState()
"""Before the first record."""


def audit_hash(  # noqa: PLR0913  # one argument per covered part
    *,
    seq: int,
    at: datetime,
    actor: str,
    act: str,
    subject: str,
    detail: Mapping[str, str | int],
    previous_hash: str,
) -> str:
    """SHA-256, hex, over the canonical JSON of all parts and the hash before."""
    covered = [
        FORMAT,
        seq,
        at.astimezone(UTC).isoformat(timespec="microseconds"),
        actor,
        act,
        subject,
        dict(detail),
        previous_hash,
    ]
    text = json.dumps(covered, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def next_record(  # noqa: PLR0913  # one argument per part
    state: AuditChainState,
    *,
    at: datetime,
    actor: str,
    act: str,
    subject: str,
    detail: Mapping[str, str | int],
) -> AuditRecord:
    """The record that follows `state`."""
    seq = state.seq + 1
    digest = audit_hash(seq=seq, at=at, actor=actor, act=act, subject=subject, detail=detail, previous_hash=state.hash)
    return AuditRecord(
        seq=seq,
        at=at,
        actor=actor,
        act=act,
        subject=subject,
        detail=detail,
        previous_hash=state.hash,
        hash=digest,
    )


def check_chain(
    records: Iterable[AuditRecord],
    *,
    after: AuditChainState = EMPTY_CHAIN,
    head: AuditChainState | None = None,
) -> AuditChainState:
    """Where the chain stands after `records`, which follow `after` in order; memory stays flat.

    1. each sequence number follows the one before; 2. each record names the hash before it; 3. each record's own
    hash fits its content; 4. with `head`, the last record is the one that `head` names.

    Raises:
        OwnFaultError: code `audit_broken`, at the first break; the message names the sequence number.
    """
    state = after
    for record in records:
        if record.seq != state.seq + 1:
            raise _broken(f"record {state.seq + 1} is missing, {record.seq} stands in its place")
        if record.previous_hash != state.hash:
            raise _broken(f"record {record.seq} does not follow the record before it")
        digest = audit_hash(
            seq=record.seq,
            at=record.at,
            actor=record.actor,
            act=record.act,
            subject=record.subject,
            detail=record.detail,
            previous_hash=record.previous_hash,
        )
        if digest != record.hash:
            raise _broken(f"record {record.seq} was changed")
        state = AuditChainState(seq=record.seq, hash=record.hash)
    if head is not None and head != state:
        raise _broken(f"the chain ends at record {state.seq}, its head names record {head.seq}")
    return state


def _broken(what: str) -> OwnFaultError:
    return OwnFaultError(
        f"the audit chain is broken: {what}", code="audit_broken", hint="Compare with a backup before going on."
    )
