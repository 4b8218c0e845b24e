"""What a verification goes by, and the checks that tokens and files share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from certlib.directory import Directory
from certlib.errors import InvalidRequestError
from certlib.findings import judge_record, judge_snapshot
from certlib.identifiers import parse_identifier
from certlib.library import Library
from certlib.operations import changed_names
from certlib.shown import shown_claims
from certlib.store import lookups
from certlib.trusting import live_agency, live_key, live_types
from certlib.verdict import CheckName, Outcome, moment
from signing import tokens
from signing.errors import Fault, VerificationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from certlib.faces import JsonValue
    from certlib.findings import Findings
    from certlib.model import Licence
    from certlib.trusting import OfflineTrust
    from signing.tokens import VerifiedToken
    from signing.trust import TrustedKey

SIGNATURE_BYTES: Final = 64
"""The end of a token, which anybody can change into a second valid one; what stands before is what was signed."""
SEGMENTS: Final = 5
"""Of an identifier after its root."""
RUN: Final = re.compile(f"[0-9]{{{tokens.MIN_RUN_DIGITS},}}")
"""Digits that may be a token."""
_K = TypeVar("_K")
_V = TypeVar("_V")


class Lookup(Mapping[_K, _V]):
    """A mapping that reads each value from the record when it is asked for; it cannot be listed."""

    def __init__(self, read: Callable[[_K], _V | None]) -> None:
        """`read` gives None for a key that is not there."""
        self._read = read
        self.missed: set[_K] = set()

    def __getitem__(self, key: _K) -> _V:
        """Read one value."""
        value = self._read(key)
        if value is None:
            self.missed.add(key)
            raise KeyError(key)
        return value

    def __iter__(self) -> Iterator[_K]:
        """Refuse: a library may have thousands of agencies and keys."""
        raise TypeError("a look-up cannot be listed")

    def __len__(self) -> int:
        """Say that it is not empty; what it lacks is found out key by key."""
        return 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Ground:
    """What a verification goes by: the record as it stands, or the trust pack."""

    keys: Mapping[bytes, TrustedKey]
    """By key id."""
    roots_der: tuple[bytes, ...]
    """What certificates must lead to."""
    tsa_roots_der: tuple[bytes, ...]
    """What timestamps are verified by."""
    names: Directory
    lib: Library | None
    """None without network."""
    trust: OfflineTrust | None
    """None with a library."""


def ground_of(source: Library | OfflineTrust) -> Ground:
    """Step 2: what a verification by `source` goes by."""
    if isinstance(source, Library):
        return Ground(
            keys=Lookup(lambda kid: live_key(source, kid)),
            roots_der=(source.root_certificate_der,),
            tsa_roots_der=source.tsa_roots_der,
            names=Directory(agencies=Lookup(lambda code: live_agency(source, code)), types=live_types(source)),
            lib=source,
            trust=None,
        )
    return Ground(
        keys=source.pack.by_kid,
        roots_der=source.pack.roots_der,
        tsa_roots_der=source.tsa_roots_der,
        names=source.names,
        lib=None,
        trust=source,
    )


def agency_in(identifier: str) -> str:
    """The agency segment of a licence identifier, or empty when the identifier is none.

    The root is not judged: who may issue under it, the trusted key says.
    """
    root = identifier.rsplit(".", SEGMENTS)[0]
    try:
        return parse_identifier(identifier, plain_roots=(root,)).agency_code
    except InvalidRequestError:
        return ""


def only_token(codes: Iterable[str]) -> str:
    """The digits of the one token that stands in these codes; other codes may stand beside it.

    Raises:
        VerificationError: `no_code`, `two_codes`: we never pick one.
    """
    found = {run for code in codes for run in RUN.findall(code)}
    if not found:
        raise VerificationError(Fault.NO_CODE, "no code of a licence could be read")
    if len(found) > 1:
        raise VerificationError(Fault.TWO_CODES, f"{len(found)} different codes of licences in one picture")
    return str(found.pop())


def judge_issuer(findings: Findings, ground: Ground, key: TrustedKey, identifier: str, *, at: datetime) -> bool:
    """Whether the key is of the agency that the identifier names; `signing` has judged period and purpose."""
    evidence = {"kid": key.kid.hex(), "agency": key.owner, "signed_at": moment(at)}
    if agency_in(identifier) != key.owner:
        findings.note(CheckName.ISSUER_TRUSTED, Outcome.FAILED, "another_agency", identifier=identifier, **evidence)
        return False
    if key.owner not in ground.names.agencies:
        findings.note(CheckName.ISSUER_TRUSTED, Outcome.FAILED, Fault.UNTRUSTED_ISSUER, **evidence)
        return False
    findings.note(CheckName.ISSUER_TRUSTED, Outcome.PASSED, "trusted", **evidence)
    return True


def judge_licence(findings: Findings, lib: Library, licence: Licence) -> None:
    """Step 6 with the record's own values."""
    newer = lookups.successor_of(lib.store, licence.identifier)
    judge_record(
        findings,
        status=licence.status,
        effective_on=licence.effective_on,
        expires_on=licence.expires_on,
        timezone=licence.timezone,
        successor="" if newer is None else newer.identifier,
        changed=() if newer is None else changed_names(licence, newer),
    )


def judge_offline(findings: Findings, ground: Ground, token: VerifiedToken) -> None:
    """Steps 5 and 6 without network."""
    findings.note(CheckName.SAME_AS_RECORD, Outcome.NOT_APPLICABLE, "needs_network")
    if ground.trust is not None:
        zone = ground.names.zone(token.key.owner)
        judge_snapshot(findings, token.claims, ground.trust.pack, ground.trust.snapshots, zone)


def shown_token(ground: Ground, token: VerifiedToken) -> Mapping[str, JsonValue]:
    """What a verified token says of its licence."""
    claims = token.claims
    return shown_claims(
        ground.names,
        identifier=claims.identifier,
        agency_code=token.key.owner,
        issued_at=claims.issued_at,
        not_before_at=claims.not_before_at,
        expires_at=claims.expires_at,
        fields=claims.fields,
        check_phrase=token.check_phrase,
        audience=claims.audience,
    )


def signed_part(text: str) -> bytes:
    """The bytes of a recorded token without its signature."""
    return tokens.cose_of(tokens.digits_of(text))[:-SIGNATURE_BYTES]


def successor(lib: Library, identifier: str) -> str:
    """Identifier of the licence that stands in the place of `identifier`, or empty."""
    newer = lookups.successor_of(lib.store, identifier)
    return "" if newer is None else newer.identifier
