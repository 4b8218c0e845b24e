"""The shapes of the national-interface facade: names are those of the China profile, 5 and 6.

What is missing is answered with a response code, so that no member is required here; a member of another kind of JSON
was not understood. Further members are passed over.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_CHARACTERS = 512
USE_FOR = {
    "certificateSystemName": "food permits",
    "certificateCallCategory": "0",
    "certificateMatterName": "Food permit",
    "certificateEventCode": "330200-0107",
    "certificateCopyCause": "Application for a food permit",
    "businessCode": "2026-000117",
    "username": "Li Min",
}


class NationalIn(BaseModel):
    """What all calls may bring."""

    model_config = ConfigDict(extra="ignore", json_schema_extra={"additionalProperties": True})


class UseForIn(NationalIn):
    """Why, and by whom."""

    use_for: str | dict[str, Any] = Field(
        default="",
        alias="UseFor",
        description="An object, or the same as JSON in a text: certificateSystemName, certificateCallCategory (0 for a "
        "matter, 1 otherwise), certificateMatterName, certificateEventCode, certificateCopyCause, all needed; "
        "businessCode (the case) and username (the person) if known.",
        examples=[USE_FOR],
    )


class QueryIn(UseForIn):
    """Whose licences are looked for."""

    holder_code: str = Field(default="", alias="CertificateHolderCode", max_length=MAX_CHARACTERS)
    holder_code_type: str = Field(
        default="",
        alias="CertificateHolderCodeType",
        max_length=MAX_CHARACTERS,
        description="GB/T 36903, appendix A; needed where the form of the code does not tell: 001 and 111 do.",
    )
    certificate_type: str = Field(
        default="", alias="CertificateType", max_length=MAX_CHARACTERS, description="Only this type: 21 characters."
    )


class ReadIn(UseForIn):
    """What reading may need."""

    consent_code: str = Field(
        default="", alias="ConsentCode", max_length=MAX_CHARACTERS, description="The holder's one-time code."
    )
    request_id: str = Field(
        default="", alias="RequestID", max_length=MAX_CHARACTERS, description="The same one goes on with the same use."
    )


class ByIDIn(ReadIn):
    """One licence by its identifier."""

    certificate_id: str = Field(default="", alias="CertificateID", max_length=MAX_CHARACTERS)
    holder_code: str = Field(default="", alias="CertificateHolderCode", max_length=MAX_CHARACTERS)


class ByHolderIn(ReadIn):
    """One licence by type, number and holder."""

    certificate_type: str = Field(default="", alias="CertificateType", max_length=MAX_CHARACTERS)
    certificate_number: str = Field(default="", alias="CertificateNumber", max_length=MAX_CHARACTERS)
    holder_code: str = Field(default="", alias="CertificateHolderCode", max_length=MAX_CHARACTERS)


class FileByIDIn(ByIDIn):
    """The same, for a copy."""

    file_format: str = Field(default="", alias="FileFormat", max_length=MAX_CHARACTERS, description="`pdf`.")


class FileByHolderIn(ByHolderIn):
    """The same, for a copy."""

    file_format: str = Field(default="", alias="FileFormat", max_length=MAX_CHARACTERS, description="`pdf`.")


class VerifyCertificateIn(UseForIn):
    """Values to compare."""

    certificate_type: str = Field(default="", alias="CertificateType", max_length=MAX_CHARACTERS)
    certificate_data: str | dict[str, Any] = Field(
        default="",
        alias="CertificateData",
        description="An object, or the same as JSON in a text: certificateType, certificateNumber, certificateHolder, "
        "certificateHolderCode, issueDeptCode, issueDate ..., the type's own items as `KZ_` and the name.",
        examples=[
            {
                "certificateType": "11990000MB90000070001",
                "certificateNumber": "91990200MA7EXAM18U",
                "certificateHolder": "甬江样本茶叶贸易有限公司",
            }
        ],
    )


class HeadOut(BaseModel):
    """How it ended."""

    status: Literal[0, 2, 10, 11, 12, 13, 14, 21, 22, 23, 24, 99] = Field(description="National response code.")
    message: str


class NationalOut(BaseModel):
    """Every answer."""

    head: HeadOut
    data: Any = Field(description="See docs/national-interface.md; null where there is none.")
