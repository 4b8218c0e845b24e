"""Signed answers and receipts: what was asked, by whom, when, with which result, for the case file."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from certlib.enrolling import RECEIPT, library_key
from certlib.errors import OwnFaultError
from certlib.library import recorded_key
from signing.errors import SigningError
from signing.receipts import Receipt, sign_receipt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.grants import Asking
    from certlib.library import Library


def new_receipt_id() -> str:
    """26 random hex characters, as use codes and references are."""
    return secrets.token_hex(13)


def signed_answer(  # noqa: PLR0913  # what a receipt says
    lib: Library,
    caller: AgencyCaller,
    asking: Asking,
    *,
    act: str,
    subject: str,
    result: Mapping[str, JsonValue],
    checked_at: datetime,
    receipt_id: str = "",
) -> str:
    """A compact JWS (ES256, docs/status-list.md, 6) by the library's receipt key, which the trust pack names.

    Raises:
        SetupError: the library has no usable receipt key.
        OwnFaultError: it cannot be written.
    """
    receipt = Receipt(
        receipt_id=receipt_id or new_receipt_id(),
        issuer=lib.settings.library_name,
        act=act,
        subject=subject,
        asked_by=caller.agency_code,
        operator=asking.operator,
        purpose=f"{asking.matter_code} {asking.case_number} {asking.purpose}",
        checked_at=checked_at,
        issued_at=max(lib.now(), checked_at),
        result=dict(result),  # type: ignore[arg-type]  # two packages, two names for what JSON can hold
    )
    try:
        return sign_receipt(receipt, recorded_key(lib.signer, library_key(lib, RECEIPT)))
    except SigningError as error:
        raise OwnFaultError(f"the receipt cannot be made: {error}") from error
