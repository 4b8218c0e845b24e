"""The shapes of tickets. `certlib.tickets.following` writes them; these models describe them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["objection", "wrong", "missing"]
State = Literal[
    "open",
    "answered",
    "received",
    "in_progress",
    "returned",
    "correcting",
    "corrected",
    "explained",
    "declined",
    "withdrawn",
]


Action = Literal[
    "open",
    "answer",
    "take",
    "return",
    "supplement",
    "correct",
    "explain",
    "decline",
    "withdraw",
    "finish",
    "revert",
    "escalate",
]


class _Strict(BaseModel):
    """No other member is allowed."""

    model_config = ConfigDict(extra="forbid")


class ItemIn(_Strict):
    """One field of a licence that is wrong."""

    field: str = Field(description="`holder_name`, `expires_on`, or a field of the type.", examples=["address"])
    wrong: str = Field(description="What is wrong with it.")
    right: str = Field(default="", description="What should stand there.")


class ObjectionIn(_Strict):
    """An objection to one row of the holder's ledger."""

    look: int = Field(ge=1, lt=2**63, description="`id` of the row.")
    reason: str = Field(description="For the agency to read, at most 1,000 characters.")


class OwnErrorIn(_Strict):
    """An error in one of the holder's licences."""

    identifier: str
    items: list[ItemIn] = Field(description="1 to 20, each field once.")
    remark: str = ""
    contact: str = Field(default="", description="Where the agency may ask back, at most 100 characters.")


class MyWordsIn(_Strict):
    """What the holder adds."""

    text: str = ""


class TicketIn(_Strict):
    """A licence that a clerk met as wrong, or that should be here and is missing."""

    kind: Literal["wrong", "missing"]
    licence: str = Field(
        default="",
        description="With `wrong`: the look-up code, or the identifier of a licence that you have looked at.",
    )
    items: list[ItemIn] = Field(default=[], description="With `wrong`: 1 to 20, each field once.")
    type: str = Field(default="", description="With `missing`: code of the type.")
    agency: str = Field(default="", description="With `missing`: the agency that should have issued it.")
    holder_code: str = Field(default="", description="With `missing`: whose licence. Kept sealed.")
    remark: str = Field(default="", description="Needed with `missing`.")
    contact: str = ""
    operator: str
    matter_code: str = ""
    case_number: str = ""


class AnswerIn(_Strict):
    """The agency's answer to an objection."""

    operator: str
    outcome: Literal["justified", "not_justified"] = Field(description="Whether the look was justified.")
    text: str = Field(description="For the holder to read.")


class StepIn(_Strict):
    """A step that needs words at most."""

    action: Literal["take", "return", "explain", "decline", "supplement", "withdraw"] = Field(
        description="`supplement` and `withdraw` are for who opened the ticket, the others for who must answer it."
    )
    operator: str
    text: str = Field(default="", description="For the other side to read; not needed to take or withdraw.")


class CorrectionIn(_Strict):
    """How the agency puts it right."""

    operator: str
    text: str = Field(description="The reason of the change; for the holder to read.")
    document_number: str = ""
    new: dict[str, Any] = Field(default={}, description="What is other in the new version, as for `correct`.")
    identifier: str = Field(default="", description="For a missing licence: the one that was issued since.")


class ItemOut(BaseModel):
    """One field that is said to be wrong."""

    field: str
    wrong: str
    right: str


class TicketOut(BaseModel):
    """A ticket. What people wrote is there for its two sides only, not for the library's operator."""

    id: str
    position: int = Field(description="For `before`.")
    kind: Kind
    state: State
    agency: str = Field(description="Who must answer.")
    raised_by: str = Field(description="`holder`, or the code of the clerk's agency.")
    type: str
    identifier: str
    look: int | None
    fields: list[str]
    opened_at: str
    due_at: str | None = Field(description="Overdue from this moment on; null while it waits for who opened it.")
    overdue: bool
    escalated_at: str | None
    closed_at: str | None
    outcome: Literal["", "justified", "not_justified"]
    change: str = Field(description="The change of the licence that it became.")
    successor: str = Field(description="The licence that came of it.")
    raiser: str | None = None
    text: str | None = None
    items: list[ItemOut] | None = None
    contact: str | None = None
    holder_code: str | None = None
    case: str | None = None


class TicketStepOut(BaseModel):
    """One step of a ticket."""

    at: str
    action: Action
    state: State
    by: str = Field(description="Code of an agency, `holder` or `library`.")
    operator: str
    text: str


class TicketLookOut(BaseModel):
    """The look that an objection is about."""

    look: int
    at: str
    kind: str
    agency: str
    operator: str
    matter_code: str
    case_number: str
    purpose: str
    type: str
    fields: list[str]
    basis: str
    outcome: str


class WholeTicketOut(TicketOut):
    """A ticket with its steps."""

    steps: list[TicketStepOut]
    about: TicketLookOut | None


class TicketsOut(BaseModel):
    """Tickets, newest first, at most 500."""

    tickets: list[TicketOut]
