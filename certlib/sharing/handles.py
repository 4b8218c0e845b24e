"""Handles of holders: what stands for a holder's code in URLs (China profile, 7.7: the encrypted holder code).

A handle is the code with the whole asking, sealed under the data keys, bound to the system that got it, and good for
some minutes. Nothing is kept for it, and nothing is looked up to make one: it says nothing about what is on record.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from certlib.errors import CertlibError, InvalidRequestError, NotFoundError
from certlib.grants import Asking, require_asking
from certlib.identifiers import holder_code_fault, normalise_holder_code
from certlib.sharing.finding import folded

if TYPE_CHECKING:
    from certlib.callers import AgencyCaller
    from certlib.library import Library

HANDLE_SECONDS: Final = 600
MAX_HANDLE_CHARACTERS: Final = 4096
_STEP_BYTES: Final = 256
"""Handles come in few lengths, so that theirs says nothing of the code and the purpose."""
_FORM: Final = re.compile(r"(k[0-9]{1,6})\.([A-Za-z0-9_-]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class HolderHandle:
    """A handle, and how long it is good."""

    text: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedHolder:
    """A holder as an asker names one, checked in form."""

    code: str
    code_type: str


def named_holder(lib: Library, code: str, code_type: str) -> NamedHolder:
    """The holder of this code, as it is recorded: full-width forms narrow, a final `x` of a citizen number `X`.

    Raises:
        InvalidRequestError: faults on `code` and `code_type`; the form alone is judged, not whether anybody has it.
    """
    narrow = normalise_holder_code(folded(code), code_type)
    fault = holder_code_fault(narrow, code_type, today=lib.now().date())
    if fault is not None:
        renamed = type(fault)(field=fault.field.removeprefix("holder_"), code=fault.code, reason=fault.reason)
        raise InvalidRequestError((renamed,))
    return NamedHolder(code=narrow, code_type=code_type)


def holder_handle(lib: Library, caller: AgencyCaller, asking: Asking, holder: NamedHolder) -> HolderHandle:
    """A handle for a holder, for this caller and this asking.

    Raises:
        InvalidRequestError: matter, case, purpose or operator is missing.
    """
    require_asking(asking)
    expires_at = (lib.now() + timedelta(seconds=HANDLE_SECONDS)).replace(microsecond=0)
    said = [holder.code, holder.code_type, asking.matter_code, asking.case_number, asking.purpose, asking.operator]
    plain = json.dumps([int(expires_at.timestamp()), *said], ensure_ascii=False).encode()
    plain += b" " * (-len(plain) % _STEP_BYTES)
    cipher = lib.store.cipher
    sealed = base64.urlsafe_b64encode(cipher.seal(plain, _binding(caller))).rstrip(b"=").decode()
    return HolderHandle(text=f"{cipher.key_id}.{sealed}", expires_at=expires_at)


def opened_handle(lib: Library, caller: AgencyCaller, text: str) -> tuple[NamedHolder, Asking]:
    """The holder and the asking that a handle stands for.

    Raises:
        NotFoundError: code `handle_not_found`: none of ours, another system's, or over. Nobody is told which.
    """
    try:
        form = _FORM.fullmatch(text) if len(text) <= MAX_HANDLE_CHARACTERS else None
        if form is None:
            raise _unknown()
        sealed = base64.urlsafe_b64decode(form[2] + "=" * (-len(form[2]) % 4))
        expires, code, code_type, *said = json.loads(lib.store.cipher.open(sealed, _binding(caller), form[1]))
    except (binascii.Error, ValueError, CertlibError) as error:
        raise _unknown() from error
    if lib.now() >= datetime.fromtimestamp(expires, UTC):
        raise _unknown()
    matter_code, case_number, purpose, operator = said
    asking = Asking(matter_code=matter_code, case_number=case_number, purpose=purpose, operator=operator)
    return NamedHolder(code=code, code_type=code_type), asking


def _binding(caller: AgencyCaller) -> str:
    return f"holder-handle:{caller.agency_code}:{caller.client_id}"


def _unknown() -> NotFoundError:
    return NotFoundError(
        "this handle is not known, or it is over", code="handle_not_found", hint="Get a new one: POST /v1/holders"
    )
