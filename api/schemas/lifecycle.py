"""The shapes of changes. `certlib.changing` reads and writes them; these models describe them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Operation = Literal["suspend", "restore", "revoke", "withdraw", "cancel", "renew", "correct", "transfer"]


class ChangeIn(BaseModel):
    """An operation on one licence. No other member is allowed."""

    model_config = ConfigDict(extra="forbid")

    operation: Operation
    reason: str = Field(description="For the holder to read.")
    operator: str = Field(description="The person who orders it.")
    document_number: str = Field(default="", description="Of the legal document; for suspend, revoke, withdraw.")
    effective_at: str | None = Field(default=None, description="RFC 3339, never in the future; null is now.")
    new: dict[str, Any] = Field(
        default={}, description="For renew, correct, transfer: the members of the issue request that change."
    )


class DecisionIn(BaseModel):
    """The second person's word."""

    model_config = ConfigDict(extra="forbid")

    operator: str
    approve: bool = True


class ChangeOut(BaseModel):
    """A change, from its order to its end."""

    id: str
    identifier: str
    operation: Operation
    state: Literal["planned", "pending", "approved", "done", "declined", "expired", "refused"]
    old: str
    new: str
    reason: str
    document_number: str
    effective_at: str
    maker: str
    made_at: str
    expires_at: str | None
    checker: str
    decided_at: str | None
    done_at: str | None
    code: str = Field(description="Why it was refused.")
    successor: str = Field(description="Identifier of the new version.")
    changed: list[str] = Field(description="Names of what is other in it, never values.")
    bulk: str = Field(description="The bulk act that it belongs to, or empty.")


class FilterIn(BaseModel):
    """Which licences; what is given must all hold, and something must be given."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(default="", description="Hex id of the key that signed or sealed.")
    operator: str = Field(default="", description="Who issued.")
    type: str = ""
    type_version: int = Field(default=0, ge=0, lt=2**31)
    batch: str = ""
    since: str | None = Field(default=None, description="Issued at this moment or later, RFC 3339.")
    until: str | None = Field(default=None, description="Issued before this moment.")


class BulkIn(ChangeIn):
    """An operation on many licences, by filter or by list."""

    filter: FilterIn | None = None
    csv: str | None = Field(default=None, description="CSV text; its column `identifier` names the licences.")
    dry_run: bool = Field(default=False, description="Count only.")


class BulkDecisionIn(DecisionIn):
    """The approval of an act for exactly so many licences."""

    total: int = Field(default=0, ge=0, lt=2**31)


class PreviewOut(BaseModel):
    """What would become of the licences that a bulk is about."""

    selected: int
    planned: int
    outcomes: dict[str, int]
    two_persons: bool


class BulkOut(BaseModel):
    """An act, and how far it has come."""

    id: str
    operation: Operation
    state: Literal["pending", "approved", "done", "declined", "expired"]
    total: int
    counts: dict[str, int]
    reason: str
    document_number: str
    effective_at: str
    selection: dict[str, Any]
    two_persons: bool
    maker: str
    made_at: str
    expires_at: str
    checker: str
    decided_at: str | None
    finished_at: str | None


class PendingOut(BaseModel):
    """What waits for a second person, or is not finished."""

    changes: list[ChangeOut]
    bulk: list[BulkOut]
