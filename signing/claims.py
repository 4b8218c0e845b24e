"""What a QR token says: its claims as values, and as the map on the wire (``docs/formats.md``, 1.4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from signing.errors import Fault, TokenError, VerificationError
from signing.trust import MAX_SECONDS

MAX_TEXT: Final = 200
"""Longest identifier and status URI, in characters."""
MAX_FIELD_TEXT: Final = 1_500
MAX_FIELDS: Final = 64
MAX_FIELD_KEY: Final = 65_535
MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that JavaScript holds exactly."""
MIN_SECONDS: Final = -62_135_596_800
"""Start of the year 1; the dates of a licence may lie before 1970."""

MAX_REFERENCE: Final = 64
"""Longest name of an asker and longest reference of a copy, in characters."""

# RFC 8392, 3.1: sub, aud, exp, nbf, iat. draft-ietf-oauth-status-list, 14: status. The last two are private use.
_SUB, _AUD, _EXP, _NBF, _IAT, _STATUS, _LICENCE, _COPY = 2, 3, 4, 5, 6, 65_535, -65_537, -65_538
_CLAIMS: Final = frozenset({_SUB, _AUD, _EXP, _NBF, _IAT, _STATUS, _LICENCE, _COPY})
_REFERENCE, _PURPOSE = 1, 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Audience:
    """For whom a copy's token was made; a licence's own token is for everybody and has none."""

    code: str
    """Of the asker, 1 to 64 characters."""
    reference: str
    """Of the use, 1 to 64 characters."""
    purpose: str
    """What for, at most 200 characters; may be empty or shortened where the code would be too dense."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenClaims:
    """What a token says. Times are kept in UTC without their fractions of a second, as on the wire."""

    identifier: str
    """The licence identifier, 1 to 200 characters."""
    issued_at: datetime
    """When the token was signed."""
    not_before_at: datetime | None
    """Start of the effective day in the agency's zone, or none."""
    expires_at: datetime | None
    """End of the licence, or none: long-term."""
    status_index: int
    """Place in the status list."""
    status_uri: str
    """Name of the status list; it is never opened unasked."""
    fields: Mapping[int, int | str]
    """Licence fields by number, 1 to 65535, at most 64; ascending."""
    audience: Audience | None = None
    """Whom a copy was made for; then ``expires_at`` is the copy's end and not None."""

    def __post_init__(self) -> None:
        """Bring times and fields into their one form.

        Raises:
            TokenError: A time without a zone.
        """
        for name in ("issued_at", "not_before_at", "expires_at"):
            moment = getattr(self, name)
            if moment is not None:
                if moment.tzinfo is None:
                    raise TokenError(f"{name} needs a time zone")
                object.__setattr__(self, name, moment.astimezone(UTC).replace(microsecond=0))
        object.__setattr__(self, "fields", dict(sorted(self.fields.items())))


def content_of(claims: TokenClaims) -> dict[int, object]:
    """Return the map of the wire, in the order of the wire; what is out of its bounds is for :func:`claims_of`."""
    content: dict[int, object] = {_SUB: claims.identifier}
    if claims.audience is not None:
        content[_AUD] = claims.audience.code
    if claims.expires_at is not None:
        content[_EXP] = int(claims.expires_at.timestamp())
    if claims.not_before_at is not None:
        content[_NBF] = int(claims.not_before_at.timestamp())
    content[_IAT] = int(claims.issued_at.timestamp())
    content[_STATUS] = {"status_list": {"idx": claims.status_index, "uri": claims.status_uri}}
    content[_LICENCE] = dict(claims.fields)
    if claims.audience is not None:
        content[_COPY] = {_REFERENCE: claims.audience.reference, _PURPOSE: claims.audience.purpose}
    return content


def claims_of(content: object) -> TokenClaims:
    """Return the claims in a decoded payload, each of its type and in its bounds, and no other.

    Raises:
        VerificationError: ``malformed``.
    """
    if not isinstance(content, dict) or not content.keys() <= _CLAIMS:
        raise _malformed("the payload is not a map of known claims")
    status = content.get(_STATUS)
    place = status.get("status_list") if isinstance(status, dict) and len(status) == 1 else None
    if not isinstance(place, dict) or place.keys() != {"idx", "uri"}:
        raise _malformed("no place in a status list")
    fields = content.get(_LICENCE)
    if not isinstance(fields, dict) or len(fields) > MAX_FIELDS:
        raise _malformed("no licence fields, or too many")
    for number, value in fields.items():
        _integer(number, 1, MAX_FIELD_KEY)
        if isinstance(value, str):
            _text(value, 0, MAX_FIELD_TEXT)
        else:
            _integer(value, -MAX_INTEGER, MAX_INTEGER)
    # A register knows licences from before 1970: the licence's own dates may be negative (RFC 8949, 3.4.2).
    expires_at = _moment(content[_EXP], MIN_SECONDS) if _EXP in content else None
    not_before_at = _moment(content[_NBF], MIN_SECONDS) if _NBF in content else None
    if expires_at is not None and not_before_at is not None and not_before_at >= expires_at:
        raise _malformed("it would end before it begins")
    audience = _audience_of(content)
    if audience is not None and expires_at is None:
        raise _malformed("a copy without an end")
    return TokenClaims(
        identifier=_text(content.get(_SUB), 1, MAX_TEXT),
        issued_at=_moment(content.get(_IAT), 0),
        not_before_at=not_before_at,
        expires_at=expires_at,
        status_index=_integer(place["idx"], 0, MAX_INTEGER),
        status_uri=_text(place["uri"], 1, MAX_TEXT),
        fields=fields,
        audience=audience,
    )


def _audience_of(content: Mapping[int, object]) -> Audience | None:
    """Return for whom a copy was made, None for a licence's own token; the two claims come together or not at all."""
    if (_AUD in content) != (_COPY in content):
        raise _malformed("half of what makes a copy")
    if _AUD not in content:
        return None
    made = content[_COPY]
    if not isinstance(made, dict) or made.keys() != {_REFERENCE, _PURPOSE}:
        raise _malformed("it does not say what the copy was made for")
    return Audience(
        code=_text(content[_AUD], 1, MAX_REFERENCE),
        reference=_text(made[_REFERENCE], 1, MAX_REFERENCE),
        purpose=_text(made[_PURPOSE], 0, MAX_TEXT),
    )


def _text(value: object, least: int, most: int) -> str:
    if not isinstance(value, str) or not least <= len(value) <= most:
        raise _malformed("a text is missing or too long")
    return value


def _integer(value: object, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise _malformed("a number is missing or out of range")
    return value


def _moment(value: object, least: int) -> datetime:
    return datetime.fromtimestamp(_integer(value, least, MAX_SECONDS), tz=UTC)


def _malformed(why: str) -> VerificationError:
    return VerificationError(Fault.MALFORMED, f"claims: {why}")
