"""The shapes of issuing. `certlib.wire` reads and writes them; these models describe them."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class HolderIn(BaseModel):
    """Whom the licence is about."""

    name: str
    code: str = ""
    code_type: str = Field(default="", description="GB/T 36903, appendix A: 001 USCC, 111 citizen number ...")


class IssueIn(BaseModel):
    """What to issue. No other member is allowed."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(examples=["business-licence"])
    number: str = Field(description="As printed; with agency, type and version the natural key.")
    holders: list[HolderIn]
    issued_on: str = Field(examples=["2026-11-22"])
    effective_on: str | None = Field(default=None, description="Defaults to `issued_on`.")
    expires_on: str | None = Field(default=None, description="Last day; null: no end date.")
    fields: dict[str, str] = Field(default={}, description="The type's own fields, all as text.")
    images: dict[str, str] = Field(default={}, description="PNG or JPEG as base64, by field.")
    area_code: str = ""
    operator: str = ""
    request_id: str = Field(default="", description="As the header `Idempotency-Key`.")
    version: int = 1
    previous_identifier: str = ""


class LicenceOut(BaseModel):
    """The whole record, unmasked: for the agency that issued it."""

    model_config = ConfigDict(extra="allow")

    identifier: str
    public_code: str
    status: str
    type: str
    number: str
    token: str = Field(description="Text of the QR code.")
    pdf_sha256: str
    pdf_url: str
    holders: list[dict[str, Any]]
