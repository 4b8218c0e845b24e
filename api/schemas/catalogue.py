"""The shapes of the catalogue feed and of what is found in catalogues."""

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.asking import AskingIn
from api.schemas.checks import ComparisonOut, FieldName, GivenText


class EntryOut(BaseModel):
    """What a catalogue says of one licence. No value of its fields."""

    identifier: str
    type: str = Field(description="Code of the type in the library that holds the licence.")
    type_segment: str = Field(description="Code of the type inside identifiers.")
    type_name: str
    type_name_en: str
    number: str
    number_masked: bool = Field(description="Whether the number is masked, because it may point to a person.")
    version: int
    agency: str
    agency_name: str
    area_code: str
    issued_on: str
    effective_on: str
    expires_on: str | None
    status: str = Field(description="As stored; `expired` and `not_yet_effective` follow from the dates.")
    previous_identifier: str


class CatalogueChangeOut(EntryOut):
    """One change of the catalogue."""

    seq: int = Field(description="Grows, with gaps.")
    at: str
    operation: Literal["insert", "update", "delete"] = Field(description="`delete` comes with the terminal status.")
    cd_operation: str = Field(description="The same as the letter of national catalogue records.")


class FeedOut(BaseModel):
    """One page of the feed."""

    changes: list[CatalogueChangeOut]
    types: list[str] = Field(description="Types that are granted now. When one is new, begin anew without a cursor.")
    cursor: str = Field(description="For `since` of the next page.")
    more: bool = Field(description="Whether to go on at once; a page may be empty and have more.")


class LibraryOut(BaseModel):
    """A library to ask."""

    name: str
    url: str
    own: bool = Field(description="Whether it is this one.")


class FoundOut(EntryOut):
    """A licence that a catalogue has, and the library that holds it."""

    library: LibraryOut


class FoundListOut(BaseModel):
    """What was found; empty also for what is not granted."""

    licences: list[FoundOut]


class ForwardIn(AskingIn):
    """Values that somebody says a licence of another library has."""

    identifier: str = Field(max_length=128)
    given: dict[FieldName, GivenText] = Field(min_length=1, max_length=100, description="As for POST /v1/checks.")


class ForwardedOut(BaseModel):
    """Another library's answer."""

    library: LibraryOut
    answer: ComparisonOut = Field(description="As that library gave it; its receipt was checked.")
