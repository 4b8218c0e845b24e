"""What every use of the library names: matter, case, purpose and operator."""

from pydantic import BaseModel, ConfigDict, Field

from certlib.grants import MAX_CODE_CHARACTERS, MAX_OPERATOR_CHARACTERS, MAX_PURPOSE_CHARACTERS, Asking


class AskingIn(BaseModel):
    """Why, and by whom, the library is used. No other member is allowed."""

    model_config = ConfigDict(extra="forbid")

    matter_code: str = Field(
        max_length=MAX_CODE_CHARACTERS, description="The matter (事项编码) that is dealt with; the grant names it."
    )
    case_number: str = Field(max_length=MAX_CODE_CHARACTERS, description="The case (办件号) in your system.")
    purpose: str = Field(max_length=MAX_PURPOSE_CHARACTERS, description="In words, for the holder to read.")
    operator: str = Field(max_length=MAX_OPERATOR_CHARACTERS, description="The person who asks.")


def asking_of(said: AskingIn) -> Asking:
    """The asking that a body names."""
    return Asking(
        matter_code=said.matter_code,
        case_number=said.case_number,
        purpose=said.purpose,
        operator=said.operator,
    )
