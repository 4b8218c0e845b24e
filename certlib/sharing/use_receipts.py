"""Receipts for the case file: of a use, and of a verification. Signed by the library's receipt key, and not kept.

A receipt says what was asked and answered, never a value. Whoever holds the trust pack can check it, offline.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.enrolling import RECEIPT
from certlib.errors import FieldFault, InvalidRequestError
from certlib.grants import MAX_CODE_CHARACTERS, MAX_OPERATOR_CHARACTERS, MAX_PURPOSE_CHARACTERS, Asking
from certlib.receipting import new_receipt_id, signed_answer
from certlib.sharing.finding import type_of
from certlib.sharing.uses import own_use
from certlib.store import agencies, audits, copies, looks, lookups
from certlib.store import uses as rows
from certlib.store.audits import Entry
from certlib.trusting import trusted_key
from certlib.verdict import moment
from certlib.verifying import verify
from signing.errors import VerificationError
from signing.receipts import verify_receipt

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.library import Library
    from certlib.store.looks import Look
    from certlib.store.uses import Use
    from certlib.verdict import Verdict

USE: Final = "use"
VERIFY: Final = "verify"
MAX_LOOKS: Final = 200
"""Looks that one receipt lists, the latest ones; it says how many there were."""
MAX_TEXT_CHARACTERS: Final = 20_000
"""A token has at most 16,384 (docs/formats.md, 1.1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """A receipt that was just signed."""

    id: str
    """26 hex characters."""
    act: str
    """`use` or `verify`."""
    subject: str
    """The use code; of a verification the licence's identifier, or empty."""
    asking: Asking
    agency_code: str
    at: datetime
    result: dict[str, JsonValue]
    """What it says, besides who asked and when."""
    jws: str
    """Compact JWS (docs/status-list.md, 6)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptCheck:
    """Whether a receipt is ours, and what it says if it is."""

    genuine: bool
    fault: str
    """Why not (`signing.errors.Fault`); empty when it is."""
    says: dict[str, JsonValue] | None


def use_receipt(lib: Library, caller: AgencyCaller, code: str) -> Receipt:
    """A receipt of what was asked and given under one of the caller's uses, as of now. No look: it tells nothing new.

    Raises:
        NotFoundError: code `use_not_found`.
        SetupError: the library has no usable receipt key.
    """
    use = own_use(lib, caller, code)
    return _signed(lib, caller, use.asking, act=USE, subject=use.id, result=_of_use(lib, use), at=lib.now())


def verification_receipt(
    lib: Library, caller: AgencyCaller, given: str | bytes, asking: Asking
) -> tuple[Receipt, Verdict]:
    """A receipt of a verification that is made now, and its verdict. The receipt names the input by its digest.

    `given` is a text, or the bytes of a PDF or picture.

    Raises:
        InvalidRequestError: the operator is missing, or something is too long.
        SetupError: the library has no usable receipt key.
    """
    _require_words(given, asking)
    now = lib.now()
    verdict = verify(given, lib, now=now, asker=caller.agency_code)
    data = given.encode("utf-8", "surrogatepass") if isinstance(given, str) else given
    result: dict[str, JsonValue] = {
        "word": verdict.word.value,
        "kind": verdict.kind.value,
        "fault": verdict.fault,
        "checks": [
            {"name": each.name.value, "outcome": each.outcome.value, "code": each.code} for each in verdict.checks
        ],
        "status_as_of": moment(verdict.status_as_of) if verdict.status_as_of else None,
        "status_source": verdict.status_source.value,
        "input_sha256": hashlib.sha256(data).hexdigest(),
        **_said(asking),
    }
    subject = str(verdict.shown.get("identifier") or "")
    return _signed(lib, caller, asking, act=VERIFY, subject=subject, result=result, at=now), verdict


def check_receipt(lib: Library, jws: str) -> ReceiptCheck:
    """Whether `jws` is a receipt of this library, by its keys as they are now; never an error for what is not."""
    known = [trusted_key(key) for key in agencies.keys(lib.store, purpose=RECEIPT) if key.owner is None]
    try:
        receipt = verify_receipt(jws.strip(), {key.kid: key for key in known}, now=lib.now()).receipt
    except VerificationError as error:
        return ReceiptCheck(genuine=False, fault=error.fault.value, says=None)
    says: dict[str, JsonValue] = {
        "id": receipt.receipt_id,
        "issuer": receipt.issuer,
        "act": receipt.act,
        "subject": receipt.subject,
        "asked_by": receipt.asked_by,
        "operator": receipt.operator,
        "purpose": receipt.purpose,
        "checked_at": moment(receipt.checked_at),
        "issued_at": moment(receipt.issued_at),
        "result": dict(receipt.result),  # type: ignore[arg-type]  # two packages, two names for what JSON can hold
    }
    return ReceiptCheck(genuine=True, fault="", says=says)


def receipt_json(receipt: Receipt) -> dict[str, JsonValue]:
    """A receipt as JSON: what it says, and the signed form of it."""
    return {
        "receipt_id": receipt.id,
        "act": receipt.act,
        "subject": receipt.subject,
        "asked_by": receipt.agency_code,
        "operator": receipt.asking.operator,
        "issued_at": moment(receipt.at),
        "result": receipt.result,
        "receipt": receipt.jws,
    }


def _signed(  # noqa: PLR0913  # what a receipt says
    lib: Library,
    caller: AgencyCaller,
    asking: Asking,
    *,
    act: str,
    subject: str,
    result: dict[str, JsonValue],
    at: datetime,
) -> Receipt:
    """The receipt, once the audit chain knows that it was given."""
    receipt_id = new_receipt_id()
    jws = signed_answer(
        lib, caller, asking, act=act, subject=subject, result=result, checked_at=at, receipt_id=receipt_id
    )
    detail: dict[str, str | int] = {
        "agency": caller.agency_code,
        "client": caller.client_id,
        "act": act,
        "about": subject,
        "jws_sha256": hashlib.sha256(jws.encode()).hexdigest(),
    }
    audits.note(lib.store, Entry(actor=asking.operator, act="receipt.given", subject=receipt_id, detail=detail), at=at)
    return Receipt(
        id=receipt_id,
        act=act,
        subject=subject,
        asking=asking,
        agency_code=caller.agency_code,
        at=at,
        result=result,
        jws=jws,
    )


def _of_use(lib: Library, use: Use) -> dict[str, JsonValue]:
    """What a receipt says of a use: of licences only what was read, so that a look stands for all it tells."""
    seen = looks.looks_of_reference(lib.store, use.id)
    said = rows.words_of(lib.store, use.id)
    fields = {part.type_code: part.fields for part in use.parts}
    licences: list[JsonValue] = []
    for identifier, (word, at) in said.items():
        licence = lookups.licence_by_identifier(lib.store, identifier)
        licences.append(
            {
                "identifier": identifier,
                "type": licence.type_code,
                "number": licence.number if "number" in fields[licence.type_code] else None,
                "word": word,
                "word_at": moment(at),
            }
        )
    types: list[JsonValue] = []
    for part in use.parts:
        name = type_of(lib, part.type_code).name
        types.append(
            {"type": part.type_code, "zh": name.zh, "en": name.en, "fields": [*part.fields], "clause": part.clause}
        )
    return {
        "use_code": use.id,
        "state": use.state.value,
        "basis": use.basis.value,
        "interfaces": [each.value for each in use.interfaces],
        "types": types,
        **_said(use.asking),
        "asked_at": moment(use.made_at),
        "decided_at": moment(use.decided_at) if use.decided_at else None,
        "decided_by": use.decided_by,
        "expires_at": moment(use.expires_at),
        "licences": licences,
        "looks_total": rows.count_looks(lib.store, use.id),
        "looks": _looks(seen),
        "copies": [
            {
                "identifier": each.identifier,
                "sha256": each.sha256,
                "made_at": moment(each.made_at),
                "until": moment(each.until_at),
            }
            for each in copies.copies_of(lib.store, use.id)
        ],
    }


def _looks(seen: Sequence[Look]) -> list[JsonValue]:
    """The looks under a use, oldest first."""
    return [
        {"at": moment(each.at), "kind": each.kind, "outcome": each.outcome, "identifier": each.identifier or None}
        for each in reversed(seen[:MAX_LOOKS])
    ]


def _said(asking: Asking) -> dict[str, JsonValue]:
    return {"matter_code": asking.matter_code, "case_number": asking.case_number, "purpose": asking.purpose}


def _require_words(given: str | bytes, asking: Asking) -> None:
    faults: list[FieldFault] = []
    if isinstance(given, str) and (not given.strip() or len(given) > MAX_TEXT_CHARACTERS):
        reason = f"must have 1 to {MAX_TEXT_CHARACTERS} characters"
        faults.append(FieldFault(field="text", code="required", reason=reason))
    limits = {
        "operator": MAX_OPERATOR_CHARACTERS,
        "matter_code": MAX_CODE_CHARACTERS,
        "case_number": MAX_CODE_CHARACTERS,
        "purpose": MAX_PURPOSE_CHARACTERS,
    }
    for name, most in limits.items():
        value = getattr(asking, name)
        if name == "operator" and not value.strip():
            faults.append(FieldFault(field=name, code="required", reason="is missing: a receipt names who asked"))
        elif len(value) > most or not value.isprintable():
            reason = f"must have at most {most} characters, all of them printed"
            faults.append(FieldFault(field=name, code="bad_form", reason=reason))
    if faults:
        raise InvalidRequestError(tuple(faults))
