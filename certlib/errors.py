"""The one tree of errors of the library. One class per reaction of the caller, not per cause.

Every error carries a `code`: lower snake case, wire-stable, append-only. A retired code stays in `RESERVED_CODES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RESERVED_CODES: Final[frozenset[str]] = frozenset()
"""Codes that were used once and are never used again."""


class CertlibError(Exception):
    """Whatever the library refuses or fails at.

    `str(error)` is one line for people; `hint` says the way out; neither holds holder data, tokens or keys.
    """

    code: str = "certlib_error"

    def __init__(self, message: str, *, code: str | None = None, hint: str = "") -> None:
        """Remember the message; `code` narrows the class's own code."""
        super().__init__(message)
        if code is not None:
            self.code = code
        self.hint = hint


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldFault:
    """One thing that is wrong with one field of an input."""

    field: str
    """Name of the field as the caller wrote it (a type's field name, or an input column)."""
    code: str
    """Lower snake case, wire-stable: `required`, `too_long`, `bad_check_digit`, `bad_date` ..."""
    reason: str
    """One sentence for people. Never the value itself where the field is sensitive."""


class InvalidRequestError(CertlibError):
    """The input is not lawful. The caller mends the named fields and asks again."""

    code = "invalid_request"

    def __init__(self, faults: tuple[FieldFault, ...], *, message: str = "") -> None:
        """Take one or more faults; their order is the order of the fields."""
        super().__init__(message or "; ".join(f"{fault.field}: {fault.reason}" for fault in faults))
        self.faults = faults


class ConflictError(CertlibError):
    """Something else already stands under this key. The caller looks at what differs.

    `differs` names the fields that differ (never their values); `identifier` is the licence that stands, if any, or
    the ticket.
    """

    code = "conflict"

    def __init__(
        self,
        message: str,
        *,
        differs: tuple[str, ...] = (),
        identifier: str = "",
        code: str | None = None,
        hint: str = "Compare the fields named, or ask for a new version.",
    ) -> None:
        """Name what differs and what stands."""
        super().__init__(message, code=code, hint=hint)
        self.differs = differs
        self.identifier = identifier


class IllegalTransitionError(CertlibError):
    """This change of status is not allowed from where the licence stands."""

    code = "illegal_transition"


class NotFoundError(CertlibError):
    """Nothing is known under this key."""

    code = "not_found"


class ForbiddenError(CertlibError):
    """The caller is known and may not do this."""

    code = "forbidden"


class UnauthenticatedError(CertlibError):
    """The caller is not known."""

    code = "unauthenticated"


class TooLargeError(CertlibError):
    """The input is larger than the stated limit."""

    code = "too_large"


class LimitReachedError(CertlibError):
    """The caller has used up what it may ask in this time. It comes back later."""

    code = "limit_reached"


class GoneError(CertlibError):
    """It was there once and serves no more. The caller asks for a new one."""

    code = "gone"


class TypeFolderError(CertlibError):
    """A licence type's folder is wrong or was changed after use. Its author mends the places named."""

    code = "bad_type"

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Take one line per problem, each naming file and place."""
        super().__init__("; ".join(problems))
        self.problems = problems


class SetupError(CertlibError):
    """The library cannot be opened as it is set up. The operator mends it."""

    code = "setup"


class OwnFaultError(CertlibError):
    """We made something wrong and stopped before it left the house."""

    code = "own_fault"


class UnavailableError(CertlibError):
    """A part that is needed does not answer now; the same request may be sent again later."""

    code = "unavailable"
