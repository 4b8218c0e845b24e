"""The shape of every error."""

from typing import Any, Final

from pydantic import BaseModel, Field


class FaultOut(BaseModel):
    """One thing that is wrong with one field."""

    field: str
    code: str = Field(description="Wire-stable: `required`, `too_long`, `bad_check_digit` ...")
    reason: str = Field(description="For people.")


class Problem(BaseModel):
    """RFC 9457. Programs match `code`, never prose."""

    type: str = Field(examples=["urn:certlib:problem:not_found"])
    title: str
    status: int
    code: str = Field(description="Wire-stable and append-only.")
    detail: str
    hint: str = ""
    faults: list[FaultOut] = Field(default=[], description="With `invalid_request`: every fault.")
    differs: list[str] = Field(default=[], description="With `conflict`: fields that differ, never their values.")
    identifier: str = Field(default="", description="With status 409: the licence or ticket that stands.")
    reference: str = Field(default="", description="With status 500: names the entry in our log.")


_TEXTS: Final = {
    304: "Not changed.",
    401: "No bearer, or not a good one.",
    403: "The bearer is not for this.",
    404: "Nothing is known under this key.",
    408: "The body did not come to its end in time.",
    409: "Another request stands under the same key; `differs` names the fields.",
    410: "It served once, or its time is over.",
    413: "Larger than the limit.",
    415: "Neither JSON nor a form with a file.",
    422: "The request is not lawful; `faults` names every field.",
    429: "Too many requests in a minute; `Retry-After` says when to come back.",
    500: "Our fault; nothing was done. `reference` names the log entry.",
    503: "A part that is needed does not answer; send the same request again later.",
}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The part `responses` of a route that may answer with these problems; 500 and 503 are always among them."""
    schema = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {each: {"description": _TEXTS[each], "content": schema} for each in (*statuses, 500, 503)}
