"""The shapes of what holders see and do."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ActName = Literal["see", "show", "consent", "report"]
KindName = Literal["guardian", "agent", "officer"]
Moment = Field(examples=["2027-06-30T00:00:00+08:00"], description="RFC 3339 with its offset; exclusive.")


class SessionIn(BaseModel):
    """Whom a log-in service has identified, and how."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=64, description="The holder's code; never an organisation's.")
    code_type: str = Field(max_length=3, description="GB/T 36903, appendix A: 111 citizen number ...")
    how: str = Field(max_length=200, description="How the holder was identified.")
    operator: str = Field(max_length=100, description="The person, or the system, that did it.")
    ttl_seconds: int = Field(default=0, ge=0, le=86400, description="Shorter than the library's own; 0 is that one.")


class SessionOut(BaseModel):
    """A holder is logged in."""

    session: str
    bearer: str = Field(description="For `Authorization: Bearer` under /v1/my; shown once.")
    expires_at: str


class LabelOut(BaseModel):
    """A name in two languages."""

    zh: str
    en: str


class TypeOut(LabelOut):
    """A licence type."""

    code: str


class AgencyOut(BaseModel):
    """An agency."""

    code: str
    name: str


class HolderOut(BaseModel):
    """A holder as the face shows it: a person's code is masked, but for the holder's own when read whole."""

    name: str
    code: str
    code_type: str


class FieldOut(BaseModel):
    """A field of the type's own."""

    name: str
    label: LabelOut
    kind: str
    value: str = Field(description="Sensitive ones are masked, but when read whole.")


class FaceOut(BaseModel):
    """A licence as its face shows it, with its word now."""

    identifier: str
    type: TypeOut
    number: str
    version: int
    agency: AgencyOut
    holders: list[HolderOut]
    issued_on: str
    effective_on: str
    expires_on: str | None
    status: str = Field(description="valid, suspended, expired, not_yet_effective, superseded, revoked ...")
    superseded_by: str
    fields: list[FieldOut]


class OwnLicenceOut(FaceOut):
    """One of the holder's licences, whole."""

    public_code: str = Field(description="The look-up code, as printed.")
    check_phrase: str
    token: str = Field(description="Text of the QR code.")
    pdf_sha256: str
    pdf_url: str


class OwnLicencesOut(BaseModel):
    """The holder's licences, newest first."""

    licences: list[FaceOut]
    next: str = Field(description="What to ask for as `before`; empty on the last page.")


class LookOut(BaseModel):
    """One look; never a value."""

    id: int
    at: str
    kind: str = Field(description="check, question, list, data, file, feed, shown, own")
    by: str = Field(description="agency, holder, delegate, or anybody to whom a code was shown")
    agency: AgencyOut | None
    licence: str = Field(description="Identifier; empty when the asking found none.")
    type: TypeOut
    purpose: str
    matter_code: str
    case_number: str
    basis: str = Field(description="statutory, consent, or holder")
    clause: str = Field(description="The law that the grant names.")
    fields: list[str]
    outcome: str
    reference: str = Field(description="Use code, bulk id, or id of the code that was shown.")
    delegation: str = Field(description="The delegation under which a delegate looked, agreed or showed it.")


class LedgerOut(BaseModel):
    """Looks, newest first."""

    looks: list[LookOut]
    next: int = Field(description="What to ask for as `before`; 0 on the last page.")


class CodeIn(BaseModel):
    """A one-time code: to show licences, or to let one agency use what it names."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["show", "consent"]
    licences: list[str] = Field(default=[], max_length=20, description="To show: identifiers.")
    agency: str = Field(default="", max_length=21, description="Consent: who may use it.")
    types: dict[str, list[str]] = Field(
        default={}, max_length=20, description="Consent: names of fields, as grants name them, by type."
    )


class MadeCodeOut(BaseModel):
    """A code, shown this once."""

    id: str
    kind: Literal["show", "consent"]
    code: str = Field(examples=["7KQ2-9XHM-4RTV"])
    expires_at: str


class CodeOut(BaseModel):
    """What became of a code; never the code itself."""

    id: str
    kind: Literal["show", "consent"]
    state: Literal["open", "used", "ended", "expired"]
    agency: str
    types: dict[str, list[str]]
    licences: list[str]
    created_at: str
    expires_at: str
    used_at: str | None
    used_by: str
    reference: str = Field(description="The use code that it was used for.")
    delegation: str


class ShownIn(BaseModel):
    """A code that a holder shows."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=64, description="As typed or scanned.")


class ShownOut(BaseModel):
    """The faces of the licences that the holder shows."""

    licences: list[FaceOut]


class RequestOut(BaseModel):
    """What an agency asks the holder to agree to."""

    use_code: str
    state: str = Field(description="pending, granted, declined, withdrawn, expired")
    agency: AgencyOut
    matter_code: str
    case_number: str
    purpose: str
    interfaces: list[str]
    types: dict[str, list[str]] = Field(description="Names of fields by type.")
    licence: str = Field(description="The one licence that it is about, or empty.")
    made_at: str
    expires_at: str
    decided_at: str | None
    decided_by: str


class HolderDecisionIn(BaseModel):
    """The holder's word."""

    model_config = ConfigDict(extra="forbid")

    approve: bool = Field(description="false also takes back a yes.")


class PartyIn(BaseModel):
    """A holder, or who acts for one."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(max_length=64)
    code_type: str = Field(max_length=3, description="GB/T 36903, appendix A: 111 citizen number, 001 USCC ...")
    name: str = Field(default="", max_length=100, description="For the other one to read.")


class DelegationIn(BaseModel):
    """A delegation that a holder gives an agent."""

    model_config = ConfigDict(extra="forbid")

    delegate: PartyIn = Field(description="A person, who logs in.")
    acts: list[ActName]
    types: list[str] = Field(default=[], max_length=100, description="With `licences` the scope; both empty: all.")
    licences: list[str] = Field(default=[], max_length=100)
    ends_at: str = Moment
    basis: str = Field(default="", max_length=200, description="Legal basis in words.")


class AgencyDelegationIn(DelegationIn):
    """A delegation whose legal basis an agency has seen: of a guardian, an officer, an agent."""

    kind: KindName
    principal: PartyIn = Field(description="Whose licences.")
    operator: str = Field(max_length=100, description="The person who puts it down.")


class EndIn(BaseModel):
    """Who ends it."""

    model_config = ConfigDict(extra="forbid")

    operator: str = Field(max_length=100)


class PartyOut(BaseModel):
    """A party of a delegation; the code is masked."""

    name: str
    code: str
    code_type: str


class DelegationOut(BaseModel):
    """One who may act for another."""

    id: str
    kind: KindName
    state: Literal["in_force", "ended", "over"]
    principal: PartyOut
    delegate: PartyOut
    acts: list[ActName]
    types: list[str]
    licences: list[str]
    basis: str
    agency: str = Field(description="The agency that put it down; empty: the holder gave it, or the library's counter.")
    made_at: str
    ends_at: str
    ended_at: str | None
    ended_by: str


class DelegationsOut(BaseModel):
    """Whom the holder lets act, and for whom the holder may act."""

    given: list[DelegationOut]
    received: list[DelegationOut]
