"""Purpose-bound copies under verification: for whom one was made, and whether it says what its licence says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from certlib.copyfaces import BASE_MEMBERS, shortened
from certlib.faces import face_code
from certlib.grounds import judge_licence
from certlib.identifiers import masked_code
from certlib.model import OverallWord
from certlib.verdict import CheckName, Outcome, moment
from signing import tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certlib.findings import Findings
    from certlib.grounds import Ground
    from certlib.library import Library
    from certlib.model import Licence
    from signing.tokens import TokenClaims, VerifiedToken

_TYPE_FIELD: Final = "KZ_"


def judge_audience(findings: Findings, ground: Ground, claims: TokenClaims) -> None:
    """For whom a copy was made, if the token is one: it is good for nobody else."""
    audience, ends_at = claims.audience, claims.expires_at
    if audience is None or ends_at is None:
        return
    entry = ground.names.agencies.get(audience.code)
    evidence = {
        "for_agency": audience.code,
        "for_name": entry.name.zh if entry else "",
        "purpose": audience.purpose,
        "until": moment(ends_at),
        "use_code": audience.reference,
    }
    if findings.asker and findings.asker == audience.code:
        findings.note(CheckName.MADE_FOR, Outcome.PASSED, "made_for_asker", **evidence)
    else:
        findings.note(CheckName.MADE_FOR, Outcome.FAILED, "made_for_another", **evidence)


def judge_copy(
    findings: Findings,
    lib: Library,
    licence: Licence,
    token: VerifiedToken,
    attached: Mapping[str, object] | None = None,
) -> None:
    """Steps 5 and 6 for a copy: all it says is what its licence says, then status and dates, and its own end."""
    if not _fits(licence, token) or (attached is not None and not _record_fits(licence, attached)):
        findings.note(CheckName.SAME_AS_RECORD, Outcome.FAILED, "differs_from_record", identifier=licence.identifier)
        return
    findings.note(CheckName.SAME_AS_RECORD, Outcome.PASSED, "copy_of_record", identifier=licence.identifier)
    judge_licence(findings, lib, licence)
    ends_at = token.claims.expires_at
    if ends_at is not None and findings.now > ends_at:
        findings.note(CheckName.DATES, Outcome.FAILED, OverallWord.EXPIRED.value, until=moment(ends_at))


def says_the_same(copy: Mapping[str, object] | None, claims: TokenClaims) -> bool:
    """Whether attached record and token agree on being a copy, and then for whom, what for and until when."""
    audience, ends_at = claims.audience, claims.expires_at
    if copy is None or audience is None or ends_at is None:
        return copy is None and audience is None
    purpose = copy.get("certificateCopyCause")
    said = (copy.get("certificateCopyCreatorCode"), copy.get("useCode"), copy.get("certificateCopyExpiringTime"))
    return (
        said == (audience.code, audience.reference, f"{ends_at:%Y%m%dT%H%M%SZ}")
        and isinstance(purpose, str)
        and (not audience.purpose or shortened(purpose, len(audience.purpose)) == audience.purpose)
    )


def _fits(licence: Licence, token: VerifiedToken) -> bool:
    """Whether all that the token says of the licence stands in the licence's own token, which the record has."""
    own, said = tokens.claims_unverified(licence.token), token.claims
    return (
        licence.agency_code == token.key.owner
        and (said.identifier, said.status_uri, said.status_index) == (own.identifier, own.status_uri, own.status_index)
        and said.not_before_at in {None, own.not_before_at}
        and (own.expires_at is None or (said.expires_at is not None and said.expires_at <= own.expires_at))
        and said.fields.items() <= own.fields.items()
    )


def _record_fits(licence: Licence, attached: Mapping[str, object]) -> bool:
    """Whether every value in a copy's attached record is the licence's, masked or not."""
    expires_on = f"{licence.expires_on:%Y%m%d}" if licence.expires_on else "长期"
    base = {
        "number": licence.number,
        "issued_on": f"{licence.issued_on:%Y%m%d}",
        "effective_on": f"{licence.effective_on:%Y%m%d}",
        "expires_on": expires_on,
    }
    fields = {f"{_TYPE_FIELD}{name.upper()}": value for name, value in licence.fields.items()}
    for name, value in attached.items():
        wanted = base.get(BASE_MEMBERS.get(name, ""))
        if wanted is not None and value != wanted:
            return False
        if name.startswith(_TYPE_FIELD) and (
            name not in fields or value not in {fields[name], masked_code(fields[name])}
        ):
            return False
    holders = attached.get("certificateHolder", [])
    return isinstance(holders, list) and (not holders or _holders_fit(licence, holders))


def _holders_fit(licence: Licence, holders: list[object]) -> bool:
    if len(holders) != len(licence.holders):
        return False
    for said, holder in zip(holders, licence.holders, strict=True):
        own = {
            "certificateHolderName": holder.name,
            "certificateHolderCode": face_code(holder),
            "certificateHolderTypeCode": holder.code_type,
        }
        if not isinstance(said, dict) or not said.items() <= own.items():
            return False
    return True
