"""The shapes of uses. `certlib.sharing.use_wire` writes them; these models describe them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from api.schemas.asking import AskingIn
from certlib.sharing.uses import MAX_CODE_CHARACTERS, MAX_TYPES, TYPE_FORM

Word = Literal["valid", "not_yet_effective", "suspended", "expired", "superseded", "revoked", "withdrawn", "cancelled"]


class UseIn(AskingIn):
    """What is asked for, and of whom. No other member is allowed."""

    types: list[Annotated[str, Field(pattern=f"^{TYPE_FORM}$")]] = Field(
        min_length=1,
        max_length=MAX_TYPES,
        description="Codes of licence types, each once.",
        examples=[["business-licence"]],
    )
    interfaces: list[Literal["data", "file"]] = Field(
        default=["data"], min_length=1, max_length=2, description="`data` reads fields, `file` gets copies."
    )
    holder_code: str = Field(
        default="",
        max_length=MAX_CODE_CHARACTERS,
        description="Whose licences. Not needed with a consent code, nor by law with an identifier.",
    )
    identifier: str = Field(
        default="", max_length=MAX_CODE_CHARACTERS, description="One licence, of the one type named."
    )
    fields: dict[str, list[str]] = Field(
        default={}, description="Field names by type; a type left out is all that its grant holds."
    )
    consent_code: str = Field(
        default="", max_length=MAX_CODE_CHARACTERS, description="The holder's one-time code, made out to your agency."
    )


class UsePartOut(BaseModel):
    """What a use is about, of one type."""

    type: str
    fields: list[str] = Field(description="Nothing beyond these is ever given.")
    clause: str = Field(description="The law, where the law allows it without consent.")


class UseOut(BaseModel):
    """A use. Nothing in it depends on what is on record."""

    code: str = Field(description="The use code: 26 hex characters.", min_length=26, max_length=26)
    state: Literal["pending", "granted", "declined", "withdrawn", "expired"]
    basis: Literal["statutory", "consent"]
    interfaces: list[Literal["data", "file"]]
    types: list[UsePartOut]
    matter_code: str
    case_number: str
    purpose: str
    operator: str
    made_at: str
    expires_at: str = Field(description="Of the request while it waits, then of the use.")
    decided_at: str | None
    decided_by: str = Field(description="`law`, `code`, or who answered for the holder.")


class UsesOut(BaseModel):
    """What waits, or may still be read, newest first; at most 500."""

    uses: list[UseOut]


class ReadLicenceOut(BaseModel):
    """What was read of one licence."""

    identifier: str
    type: str
    word: Word = Field(description="What the record says of it at the moment of reading.")
    fields: dict[str, str] = Field(description="Granted and recorded ones; dates as ISO 8601.")


class UseDataOut(BaseModel):
    """One reading."""

    code: str
    read_at: str
    licences: list[ReadLicenceOut] = Field(description="Oldest first; empty when nothing was found.")
    receipt_id: str
    receipt: str = Field(description="Compact JWS over names, words and digests of the values; never a value.")


class FileLinkOut(BaseModel):
    """A one-time link to a copy of one licence."""

    identifier: str
    type: str
    word: Word
    url: str | None = Field(description="Good once, for 600 s; null where no copy is made of a licence that stands so.")
    expires_at: str | None


class FileLinksOut(BaseModel):
    """A link for each licence found."""

    links: list[FileLinkOut]
