"""The shapes of verdicts and public answers (docs/verifying.md, 4 and 5)."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from certlib.model import OverallWord, Status
from certlib.verdict import CheckName, InputKind, Outcome, StatusSource


class VerifyIn(BaseModel):
    """What was scanned or typed."""

    text: str = Field(description="A token (its URL or digits), a look-up code or a licence identifier.")


class Names(BaseModel):
    """A thing with its code and its names."""

    code: str
    zh: str
    en: str


class HolderOut(BaseModel):
    """A holder as a stranger may see it: codes are masked, of persons the name too."""

    name: str
    code: str
    code_type: str = ""


class CheckOut(BaseModel):
    """One check of a verdict."""

    name: CheckName
    outcome: Outcome
    code: str = Field(description="Why this outcome; wire-stable.")
    evidence: dict[str, str]


class VerdictOut(BaseModel):
    """The full answer to "is this good?"."""

    word: OverallWord
    kind: InputKind
    fault: str = Field(description="Code of the check that decided the word; empty for `valid`.")
    checks: list[CheckOut]
    shown: dict[str, Any] = Field(description="What the input says of itself, to be compared with the face.")
    status_as_of: str | None
    status_source: StatusSource
    snapshot_age_seconds: int | None
    asked_at: str


class PublicAnswerOut(BaseModel):
    """What anybody may know of a licence."""

    word: OverallWord
    identifier: str
    status: Status
    status_as_of: str
    status_source: StatusSource
    superseded_by: str = Field(description="Identifier of the licence in its place, or empty.")
    type: Names
    agency: Names
    number: str
    holders: list[HolderOut]
    issued_on: str
    effective_on: str
    expires_on: str | None = Field(description="The last day, or null: no end date.")


class AnchorOut(BaseModel):
    """What a verifier pins."""

    spki: str = Field(description="SubjectPublicKeyInfo of the library's root key, base64url.")
    sha256: str = Field(description="Hex, to be compared with one published elsewhere.")


class PackOut(BaseModel):
    """A trust pack: two compact JWS (docs/formats.md, 2)."""

    delegation: str = Field(description="Signed by the anchor: which key signs packs.")
    pack: str = Field(description="Signed by that key: keys, agencies, types, and how licences stand.")


class AliveOut(BaseModel):
    """It works."""

    status: Literal["ok"]
