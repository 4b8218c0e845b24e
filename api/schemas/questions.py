"""The shapes of questions and answers. `certlib.sharing.asking_questions` judges what they say."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from api.schemas.asking import AskingIn


class QuestionIn(AskingIn):
    """One question about one holder or licence. No other member is allowed."""

    type: str = Field(max_length=64, description="Code of the licence type.")
    question: str = Field(max_length=64, description="One that the type answers: GET /v1/types/{code}/questions.")
    parameters: dict[str, Any] = Field(
        default={},
        description="By name, as the question lists them: dates, texts and codes are texts, integers are numbers.",
        examples=[{"date": "2026-11-22"}, {"age": 18}, {"relation": "parent_of", "code": "990101202602140021"}],
    )
    holder_code: str = Field(default="", max_length=128, description="Whom it is about. This, or number or identifier.")
    number: str = Field(default="", max_length=128, description="Of the licence that it is about.")
    identifier: str = Field(default="", max_length=128, description="Of the licence that it is about.")


class QuestionOut(BaseModel):
    """The answer. Nothing in it comes from the record but the word."""

    type: str
    question: str
    answer: Literal["yes", "no", "not_recorded"] = Field(
        description="`not_recorded`: there is no licence, or no one licence, or it does not say."
    )
    as_of: str = Field(description="When the record was asked.")
    receipt_id: str
    receipt: str = Field(
        description="Compact JWS by the library's receipt key: all that was asked, with the answer, for the case file."
    )


class LabelOut(BaseModel):
    """A name in both languages."""

    zh: str
    en: str


class ParameterOut(BaseModel):
    """One parameter. All are needed."""

    name: str
    type: Literal["date", "integer", "text", "code", "choice"]
    description: str = Field(description="What it must be, in words.")
    choices: list[str | int] = Field(default=[], description="Only these are answered; empty: any.")
    minimum: int | None = Field(
        default=None, description="Least integer. Of a text: least letters and digits, Han characters counting two."
    )
    maximum: int | None = Field(default=None, description="Greatest integer. Of a text: most characters.")


class DeclaredOut(BaseModel):
    """One question that a type answers."""

    name: str
    label: LabelOut
    kind: Literal["valid_on", "age_at_least", "relation", "text_includes", "field_at_least", "field_is"]
    grant: str = Field(description="What the fields of a grant must hold to allow it.")
    parameters: list[ParameterOut]


class QuestionsOut(BaseModel):
    """What a type answers."""

    type: str
    questions: list[DeclaredOut]
