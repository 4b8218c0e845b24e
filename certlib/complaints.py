"""What went wrong, as operators and programs read it; and the log of our own faults."""

from __future__ import annotations

import errno
import os
import secrets
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from certlib.errors import (
    CertlibError,
    ConflictError,
    InvalidRequestError,
    OwnFaultError,
    SetupError,
    TypeFolderError,
    UnavailableError,
)

if TYPE_CHECKING:
    from pathlib import Path

FAULT_LOG: Final = "faults.log"
"""In the library's home; readable by its owner only, since a message may quote what it stumbled over."""
_OUR_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.EROFS})
"""Nobody used the command wrongly: the machine has to be looked after."""


def error_lines(error: CertlibError) -> list[str]:
    """The error for people: one line, then each single fault, then the way out."""
    faults: list[str] = []
    hint = error.hint
    if isinstance(error, InvalidRequestError):
        faults = [f"{fault.field}: {fault.reason}" for fault in error.faults]
    elif isinstance(error, TypeFolderError):
        faults = list(error.problems)
    elif isinstance(error, ConflictError):
        hint = hint if error.differs else ""
    if len(faults) > 1:
        lines = [f"certlib: {len(faults)} things are wrong", *(f"  {each}" for each in faults)]
    else:
        lines = [f"certlib: {error}"]
    return [*lines, f"  {hint}"] if hint else lines


def error_json(error: CertlibError) -> dict[str, Any]:
    """The error for programs: `{"error": {"code", "message", ...}}` with what the kind of error knows more."""
    members: dict[str, Any] = {"code": error.code, "message": str(error)}
    if isinstance(error, InvalidRequestError):
        members["faults"] = [
            {"field": fault.field, "code": fault.code, "reason": fault.reason} for fault in error.faults
        ]
    elif isinstance(error, TypeFolderError):
        members["problems"] = list(error.problems)
    elif isinstance(error, ConflictError):
        members |= {"differs": list(error.differs), "identifier": error.identifier}
    if error.hint:
        members["hint"] = error.hint
    return {"error": members}


def file_error(error: OSError) -> CertlibError:
    """What the system refused of a file or an address, as an error of ours."""
    what = error.strerror or str(error)
    message = f"{error.filename}: {what}" if error.filename else what
    if error.errno in _OUR_DISK:
        return UnavailableError(message, hint="Mend the machine and run the same command again.")
    return SetupError(message, code="file")


def own_fault(error: BaseException, home: Path | None) -> OwnFaultError:
    """An error with a reference for one that nobody foresaw; its detail goes to the log in `home`, if there is one."""
    reference = secrets.token_hex(6)
    hint = "Set CERTLIB_DEBUG=1 to see the detail."
    if home is not None and home.is_dir():
        path = home / FAULT_LOG
        entry = f"{datetime.now(UTC).isoformat()} {reference}\n{''.join(traceback.format_exception(error))}\n"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as log:
                log.write(entry)
            hint = f"The detail is in {path}."
        except OSError:
            pass  # the reference and CERTLIB_DEBUG remain
    return OwnFaultError(f"something went wrong on our side, reference {reference}", hint=hint)
