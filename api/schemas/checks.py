"""The shapes of checks, of lists of a holder's licences, and of the handles of holders."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from api.schemas.asking import AskingIn
from certlib.model import OverallWord
from certlib.sharing.comparing import Compared, Outcome

TypeCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
GivenText = Annotated[str, StringConstraints(max_length=20_000)]


class ComparisonIn(AskingIn):
    """Values that somebody says a licence has. One of identifier, number and holder_code must be among them."""

    type: TypeCode = Field(description="Licence type.", examples=["business-licence"])
    given: dict[FieldName, GivenText] = Field(
        min_length=1,
        max_length=100,
        description="`identifier`, and what the grant names: `number`, `holder_code`, `holder_name`, `issued_on`, "
        "`effective_on`, `expires_on` (`long-term` for none), `area_code`, `agency`, the type's own fields.",
        examples=[{"number": "91990200MA7EXAM18U", "registered_capital": "1680000"}],
    )


class ComparisonOut(BaseModel):
    """What came of it; no recorded value is in it."""

    result: Outcome = Field(
        description="`match`: all that was given is recorded of one licence. `differs`: of one licence, not all. "
        "`ambiguous`: several licences, give more. `nothing_found`."
    )
    fields: dict[str, Compared] = Field(description="For each given value; empty when no one licence is meant.")
    word: OverallWord | None = Field(description="The status, told only with `match`.")
    status_as_of: str | None
    checked_at: str
    receipt_id: str
    receipt: str = Field(description="The same, signed: a compact JWS for the case file.")


class BulkComparisonIn(AskingIn):
    """Many such values, one licence a row: either `csv` or `jsonl`."""

    type: TypeCode = Field(description="Licence type.")
    csv: str | None = Field(
        default=None,
        description="CSV text whose header names the values as `given` of a single check does; an empty cell is not "
        "given. A column `row-id` is your own mark for the row and comes back.",
    )
    jsonl: str | None = Field(default=None, description="The same as one JSON object a line.")


class BulkComparisonOut(BaseModel):
    """The verdicts on all rows, and the receipt over them."""

    bulk_id: str = Field(description="Reference in the ledger; the `jti` of the receipt.")
    rows: int
    counts: dict[str, int] = Field(description="Result -> rows.")
    format: Literal["csv", "jsonl"]
    result: str = Field(description="One line a row, in the order of the rows. Keep its UTF-8 bytes as they are.")
    result_sha256: str = Field(description="Of those bytes, hex; the receipt signs it.")
    checked_at: str
    receipt: str = Field(description="A compact JWS over digest and counts.")


class HolderIn(AskingIn):
    """Whose licences are asked for."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=64)] = Field(description="The holder's code.")
    code_type: Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")] = Field(
        description="GB/T 36903, appendix A: `001` USCC, `111` citizen number ..."
    )


class HolderListIn(HolderIn):
    """The same, with what the list is narrowed to."""

    type: TypeCode | None = Field(default=None, description="Only this type.")


class HolderHandleOut(BaseModel):
    """A handle that stands for the holder in URLs."""

    holder: str = Field(description="Opaque, for your system and this purpose only.")
    expires_at: str


class TypeOut(BaseModel):
    """A type with its names."""

    code: str
    zh: str
    en: str


class HeldOut(BaseModel):
    """A licence that the holder has."""

    identifier: str
    type: TypeOut
    number: str = Field(description="Masked unless the grant names `number`, or the type is of organisations.")
    agency: TypeOut
    word: OverallWord


class HeldListOut(BaseModel):
    """What exists, of the types that are granted; oldest first, at most 500."""

    licences: list[HeldOut]
    status_as_of: str
    reference: str = Field(description="Under which the looks stand in the ledger.")
