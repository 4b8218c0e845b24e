"""The shapes of ratings, reports and statistics. `certlib` writes them; these models describe them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PaperReason = Literal[
    "not_found",
    "not_granted",
    "system_down",
    "content_wrong",
    "file_unreadable",
    "rule_demands_original",
    "archive_demands_paper",
    "not_known_how",
    "not_trusted",
    "holder_wished",
    "other",
]


class _Strict(BaseModel):
    """No other member is allowed."""

    model_config = ConfigDict(extra="forbid")


class RatingIn(_Strict):
    """The asking operator's rating of a use."""

    operator: str
    score: int = Field(ge=1, le=5, description="5 is best; 1 and 2 need a text.")
    text: str = Field(default="", description="Why; at most 1,000 characters.")


class MyRatingIn(_Strict):
    """The holder's rating of a use: of one row of the ledger, or of all under a use code."""

    look: int = Field(default=0, ge=0, lt=2**63, description="`id` of the row; not with `use_code`.")
    use_code: str = ""
    score: int = Field(ge=1, le=5)
    text: str = ""


class PaperIn(_Strict):
    """Paper was still demanded; an operator picks the reason."""

    operator: str
    type: str = Field(description="Code of the licence type.")
    matter_code: str
    reason: PaperReason
    text: str = Field(default="", description="Needed with `other`.")


class MyPaperIn(_Strict):
    """An agency still demanded paper of the holder."""

    agency: str = Field(description="Who demanded it.")
    type: str
    matter_code: str = ""
    reason: PaperReason
    text: str = ""


class RatingOut(BaseModel):
    """A rating."""

    position: int = Field(description="For `before`; 0 in the answer to the rating itself.")
    at: str
    by: Literal["operator", "holder"]
    agency: str = Field(description="Whose use it was.")
    type: str
    use_code: str
    score: int
    text: str
    operator: str


class RatingsOut(BaseModel):
    """Bad ratings, newest first, at most 500."""

    ratings: list[RatingOut]


class PaperOut(BaseModel):
    """A report that paper was still demanded."""

    position: int
    at: str
    by: Literal["operator", "holder"]
    agency: str
    type: str
    matter_code: str
    reason: PaperReason
    text: str
    operator: str


class PapersOut(BaseModel):
    """Reports, newest first, at most 500."""

    reports: list[PaperOut]


class CountOut(BaseModel):
    """A count as it is published: it lies between the two."""

    at_least: int
    at_most: int
    shown: str = Field(description="For people.", examples=["17", "<5", "12-15"])


class ShareOut(BaseModel):
    """Between which values a rate lies."""

    at_least: float
    at_most: float


class PartOut(CountOut):
    """One day, or one month as a whole."""

    model_config = ConfigDict(populate_by_name=True)

    since: str = Field(alias="from")
    to: str


class FigureOut(CountOut):
    """One figure of one agency and type in the range."""

    agency: str
    type: str
    figure: Literal[
        "issued",
        "ended",
        "restored",
        "found",
        "nothing_found",
        "refused",
        "tickets",
        "overdue",
        "paper",
        "rated",
    ]
    key: str = Field(description="The interface, cause, kind, reason or score that it is about.")
    parts: list[PartOut] = Field(description="Days where the range has at most 31; else months and days.")


class RatesOut(BaseModel):
    """Rates, worked out of what is published."""

    success_rate: ShareOut | None = Field(description="Uses that found a licence, of all.")
    use_rate: ShareOut | None = Field(description="Uses, of uses and reports that paper was demanded.")
    rating: ShareOut | None = Field(description="The average.")


class GroupOut(RatesOut):
    """One agency and type."""

    agency: str
    type: str
    active: CountOut = Field(description="Licences in force at the end of the range.")


class TotalOut(CountOut):
    """A sum over agencies and types."""

    figure: str
    key: str


class TotalsOut(RatesOut):
    """Sums over agencies and types."""

    counts: list[TotalOut]


class StatisticsOut(BaseModel):
    """Figures of the service, without small cells."""

    model_config = ConfigDict(populate_by_name=True)

    since: str = Field(alias="from")
    to: str
    small_cell: int = Field(description="Counts of one day below this are not shown.")
    complete: bool = Field(description="False: more audit records wait to be counted; ask again.")
    counted_to: str | None
    rows: list[FigureOut]
    groups: list[GroupOut]
    totals: TotalsOut
