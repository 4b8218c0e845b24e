"""The shapes of receipts. `certlib.sharing.use_receipts` writes them; these models describe them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.verdicts import VerdictOut
from certlib.grants import MAX_CODE_CHARACTERS, MAX_OPERATOR_CHARACTERS, MAX_PURPOSE_CHARACTERS
from certlib.sharing.use_receipts import MAX_TEXT_CHARACTERS


class ReceiptOut(BaseModel):
    """A receipt: what it says, and the signed form of it."""

    receipt_id: str
    act: Literal["use", "verify"]
    subject: str = Field(description="The use code; of a verification the licence's identifier, or empty.")
    asked_by: str = Field(description="Code of your agency.")
    operator: str
    issued_at: str
    result: dict[str, Any] = Field(description="What was asked and answered, never a value (docs/sharing.md).")
    receipt: str = Field(description="Compact JWS (ES256) by the library's receipt key, which the trust pack names.")


class VerificationReceiptOut(ReceiptOut):
    """A receipt of a verification, and the verdict that it is about."""

    verdict: VerdictOut


class VerificationIn(BaseModel):
    """What to verify, and what the receipt is for. No other member is allowed."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(
        default="",
        max_length=MAX_TEXT_CHARACTERS,
        description="A token in any of its written forms, a look-up code, or an identifier.",
    )
    file: str = Field(default="", description="Instead of a text: a PDF, PNG or JPEG as base64 (RFC 4648, 4).")
    operator: str = Field(min_length=1, max_length=MAX_OPERATOR_CHARACTERS, description="The person who verifies.")
    matter_code: str = Field(default="", max_length=MAX_CODE_CHARACTERS)
    case_number: str = Field(default="", max_length=MAX_CODE_CHARACTERS)
    purpose: str = Field(default="", max_length=MAX_PURPOSE_CHARACTERS)


class ReceiptIn(BaseModel):
    """A receipt to check. No other member is allowed."""

    model_config = ConfigDict(extra="forbid")

    receipt: str = Field(description="Compact JWS.")


class ReceiptSaysOut(BaseModel):
    """What a genuine receipt says."""

    id: str
    issuer: str
    act: str
    subject: str
    asked_by: str
    operator: str
    purpose: str
    checked_at: str
    issued_at: str
    result: dict[str, Any]


class ReceiptCheckOut(BaseModel):
    """Whether a receipt is this library's."""

    genuine: bool
    fault: str = Field(description="Why not: `malformed`, `unknown_key`, `bad_signature` ...; empty when it is.")
    says: ReceiptSaysOut | None
