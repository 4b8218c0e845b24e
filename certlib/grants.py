"""Grants: what a requesting agency may ask about licences of one type, for which purposes, on which legal basis.

Pure. `fitting` judges an asking by the grants of the asker alone, never by what is on record: a refusal tells which
rule failed and nothing about any holder.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

MAX_CODE_CHARACTERS: Final = 64
MAX_PURPOSE_CHARACTERS: Final = 200
"""China profile, 6: UseFor."""
MAX_OPERATOR_CHARACTERS: Final = 100
BASE_FIELDS: Final = (
    "number", "holder_name", "holder_code", "issued_on", "effective_on", "expires_on", "area_code", "agency",
)  # fmt: skip
"""Values that every licence has, by the names under which they are granted; the type's own fields come after them."""


class Interface(StrEnum):
    """A way of asking, from least to most disclosure. Wire-stable."""

    CHECK = "check"
    """Compare given values; never the true ones."""
    QUESTION = "question"
    """Yes, no, or not recorded."""
    LIST = "list"
    """Which licences of a type a holder has, and their status."""
    DATA = "data"
    """The granted fields."""
    FILE = "file"
    """A purpose-bound copy with the granted fields."""
    FEED = "feed"
    """The catalogue feed: that licences exist, no field values."""


class Basis(StrEnum):
    """Why an asker may know. Wire-stable."""

    STATUTORY = "statutory"
    """The law says so; the grant names the clause."""
    CONSENT = "consent"
    """The holder agrees, each time, to data and files."""


ASKED_CONSENT: Final = frozenset({Interface.DATA, Interface.FILE})
"""Ways of asking for which a holder is asked; by consent alone nothing else is ever granted."""


class Rule(StrEnum):
    """The rule that an asking failed: the code of the refusal. Wire-stable; in the order of judging."""

    NO_GRANT = "no_grant"
    INTERFACE = "interface_not_granted"
    NOT_IN_FORCE = "grant_not_in_force"
    PURPOSE = "purpose_not_granted"
    NETWORK = "network_not_granted"
    FIELD = "field_not_granted"


REASONS: Final = {
    Rule.NO_GRANT: "your agency has no grant for this type",
    Rule.INTERFACE: "your agency's grant is not for this way of asking",
    Rule.NOT_IN_FORCE: "your agency's grant is not in force now",
    Rule.PURPOSE: "your agency's grant is not for this matter",
    Rule.NETWORK: "your agency's grant is not for calls from this network",
    Rule.FIELD: "your agency's grant does not hold all these fields",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """One grant. It never changes: another one takes its place, so that each look shows what was granted then."""

    id: str
    """26 hex characters."""
    agency_code: str
    """Who may ask."""
    type_code: str
    fields: tuple[str, ...]
    """Names out of `BASE_FIELDS` and the type's own fields; the status is never withheld."""
    interfaces: frozenset[Interface]
    matters: frozenset[str]
    """Codes of the matters (事项编码) that may be named as purpose."""
    basis: Basis
    clause: str
    """The law, article and paragraph; empty only for consent."""
    daily_cap: int
    """Licences or rows asked about in one day of the library's clock (UTC)."""
    networks: tuple[str, ...]
    """CIDR; empty is any network."""
    valid_from: datetime
    valid_until: datetime | None
    """Aware UTC, exclusive; None is until it is ended."""
    granted_by: str
    granted_at: datetime
    ended_at: datetime | None = None
    ended_by: str = ""
    end_reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asking:
    """What every use of the library names (China profile, 7.7). Made by callers, checked by `require_asking`."""

    matter_code: str
    """事项编码."""
    case_number: str
    """办件号."""
    purpose: str
    """In words, for the holder to read; at most 200 characters. May hold personal data: never in an audit record."""
    operator: str
    """The person who asks."""


def require_asking(asking: Asking) -> None:
    """Pass if the asking names all that it must.

    Raises:
        InvalidRequestError: with a fault for each member that is empty, too long or not printable.
    """
    limits = {
        "matter_code": MAX_CODE_CHARACTERS,
        "case_number": MAX_CODE_CHARACTERS,
        "purpose": MAX_PURPOSE_CHARACTERS,
        "operator": MAX_OPERATOR_CHARACTERS,
    }
    faults: list[FieldFault] = []
    for name, most in limits.items():
        value = getattr(asking, name)
        if not value.strip():
            faults.append(FieldFault(field=name, code="required", reason="is missing: no use without its purpose"))
        elif len(value) > most:
            faults.append(FieldFault(field=name, code="too_long", reason=f"has more than {most} characters"))
        elif not value.isprintable():
            faults.append(FieldFault(field=name, code="bad_character", reason="holds a character that is not printed"))
    if faults:
        raise InvalidRequestError(tuple(faults))


def fitting(  # noqa: PLR0913  # each is one rule's part
    grants: Iterable[Grant],
    *,
    interface: Interface,
    matter_code: str,
    fields: Sequence[str],
    address: str,
    now: datetime,
) -> tuple[Grant, ...] | Rule:
    """The grants that allow all of this, those on a statutory basis first; or the rule that came nearest to allow it.

    `grants` are those of one agency for one type. One grant must allow the whole asking.
    """
    found: list[Grant] = []
    failed = Rule.NO_GRANT
    order = list(Rule)
    for grant in grants:
        rule = _failed(grant, interface, matter_code, fields, address, now)
        if rule is None:
            found.append(grant)
        elif order.index(rule) > order.index(failed):
            failed = rule
    if not found:
        return failed
    return tuple(sorted(found, key=lambda each: (each.basis is not Basis.STATUTORY, each.granted_at, each.id)))


def _failed(  # noqa: PLR0913, PLR0917  # as `fitting`
    grant: Grant, interface: Interface, matter_code: str, fields: Sequence[str], address: str, now: datetime
) -> Rule | None:
    """The first rule of `grant` that does not allow it."""
    ended = grant.ended_at is not None and now >= grant.ended_at
    nobody_asks = grant.basis is Basis.CONSENT and interface not in ASKED_CONSENT
    if interface not in grant.interfaces or nobody_asks:
        return Rule.INTERFACE
    if ended or now < grant.valid_from or (grant.valid_until is not None and now >= grant.valid_until):
        return Rule.NOT_IN_FORCE
    if matter_code not in grant.matters:
        return Rule.PURPOSE
    if grant.networks and not in_networks(address, grant.networks):
        return Rule.NETWORK
    return Rule.FIELD if set(fields) - set(grant.fields) else None


def networks_of(texts: Iterable[str], *, field: str) -> tuple[str, ...]:
    """The networks (CIDR) that `texts` write, each in its one form.

    Raises:
        InvalidRequestError: naming `field`: one of them is none, or names a host inside a network.
    """
    found: list[str] = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_network(text)))
        except ValueError as error:
            reason = f"{text[:60]!r} is no network like 10.20.0.0/16 or 2001:db8::/32"
            raise InvalidRequestError((FieldFault(field=field, code="bad_network", reason=reason),)) from error
    return tuple(dict.fromkeys(found))


def in_networks(address: str, networks: Iterable[str]) -> bool:
    """Whether `address` lies in one of `networks` (CIDR). What is no address lies in none.

    An IPv4 address inside IPv6 (RFC 4291, 2.5.5.2) is taken as the IPv4 address that it is.
    """
    try:
        asked = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(asked, ipaddress.IPv6Address) and asked.ipv4_mapped is not None:
        asked = asked.ipv4_mapped
    return any(asked in ipaddress.ip_network(each) for each in networks)
