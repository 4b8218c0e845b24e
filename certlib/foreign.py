"""Other libraries whose trust packs were imported: their tokens and files are judged by their pack alone.

Keys never mix: a foreign pack vouches for its own agencies only, ours for ours only, and two that claim the same key
or agency are refused at the door.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from certlib.directory import Directory
from certlib.errors import FieldFault, InvalidRequestError
from certlib.model import Status
from certlib.store import agencies, collected, foreign
from certlib.trusting import open_offline
from certlib.verdict import TERMINAL, Check, CheckName, Outcome, moment
from signing import jws
from signing.certificates import read_certificate
from signing.errors import VerificationError
from signing.trust import MAX_PACK_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from certlib.library import Library
    from certlib.store.foreign import ForeignPack
    from certlib.trusting import OfflineTrust
    from certlib.verdict import Verdict

SHA256_CHARACTERS: Final = 64
REOPENED_SECONDS: Final = 300
"""So often a pack in use is opened anew, since its delegation may have ended."""
MAX_NAME_CHARACTERS: Final = 64
MAX_VERSION: Final = 2**62
_AGENCY: Final = re.compile(r"[0-9A-Z]{1,21}")


def import_pack(lib: Library, data: bytes, *, anchor: bytes | str, operator: str) -> tuple[ForeignPack, bool]:
    """Take in another library's trust pack, or a newer one; with False when this very pack stands already.

    `anchor` is its root's public key (SPKI, DER) or the SHA-256 of it (hex), from a source that is trusted.

    Raises:
        InvalidRequestError: the pack is not to be trusted; the fault's code says why.
        ConflictError: as `store.foreign.keep`.
    """
    now = lib.now()
    spki = anchor if isinstance(anchor, bytes) else _anchor_in(data, anchor)
    trust = _opened(data, spki, now)
    pack = foreign.ForeignPack(
        anchor_sha256=hashlib.sha256(spki).hexdigest(),
        anchor_spki=spki,
        name=_printable(trust.pack.issuer),
        version=trust.pack.version,
        data=data,
        imported_at=now,
        imported_by=operator,
    )
    if pack.version > MAX_VERSION or not all(_AGENCY.fullmatch(code) for code in _issuers(trust)):
        raise _not_trusted("malformed", "has a version or an agency's code that no library has")
    kids = {key.kid.hex() for key in trust.pack.keys}
    return pack, foreign.keep(lib.store, pack, kids=kids, agency_codes=_issuers(trust))


def imported(lib: Library) -> tuple[tuple[ForeignPack, OfflineTrust | None], ...]:
    """The packs in use, by name; None for one that does not open any longer."""
    return tuple((each, _trust(lib, each.anchor_sha256, each.version, lib.now())) for each in foreign.packs(lib.store))


def library_at(lib: Library, name: str) -> ForeignPack:
    """The pack of the library that `name` means: its name, or the SHA-256 of its anchor or the beginning of it.

    Raises:
        InvalidRequestError: none, or several.
    """
    found = [
        each for each in foreign.packs(lib.store) if name and (each.name == name or each.anchor_sha256.startswith(name))
    ]
    if len(found) != 1:
        reason = "means several libraries: name the anchor's SHA-256" if found else "means no imported library"
        raise InvalidRequestError((FieldFault(field="library", code="not_found", reason=reason),))
    return found[0]


def remove_pack(lib: Library, anchor_sha256: str, *, operator: str) -> None:
    """Trust a foreign library no longer.

    Raises:
        NotFoundError: it was not imported.
    """
    foreign.remove(lib.store, anchor_sha256, operator=operator, now=lib.now())


def agencies_of(lib: Library, anchor_sha256: str) -> frozenset[str]:
    """Codes of the agencies that an imported library speaks for; none when its pack is of no use now."""
    trust = trust_at(lib, anchor_sha256)
    return frozenset() if trust is None else frozenset(trust.names.agencies)


def trust_at(lib: Library, anchor_sha256: str) -> OfflineTrust | None:
    """The trust of an imported library; None when its pack is of no use now."""
    pack = foreign.pack(lib.store, anchor_sha256)
    return None if pack is None else _trust(lib, anchor_sha256, pack.version, lib.now())


def trust_for(lib: Library, kids: Iterable[bytes], *, now: datetime) -> OfflineTrust | None:
    """The foreign trust that knows the keys which our own does not; None when no single one does."""
    found = {known for kid in kids if (known := foreign.version_for_key(lib.store, kid.hex())) is not None}
    if len(found) != 1:
        return None
    ((anchor_sha256, version),) = found
    return _trust(lib, anchor_sha256, version, now)


def _trust(lib: Library, anchor_sha256: str, version: int, now: datetime) -> OfflineTrust | None:
    """An imported pack opened, with the agencies that issue there and not here by now."""
    period = int(now.timestamp()) // REOPENED_SECONDS
    try:
        trust = _read(_Kept(lib.settings.database_url, anchor_sha256, version, period, lib))
    except (VerificationError, LookupError):
        return None  # its delegation has ended, or it was removed this moment: it vouches for nobody
    theirs = {
        code: trust.names.agencies[code]
        for code in _issuers(trust) & trust.names.agencies.keys()
        if not agencies.keys(lib.store, owner=code)
    }
    return replace(trust, names=Directory(agencies=theirs, types=trust.names.types))


@dataclass(frozen=True, slots=True)
class _Kept:
    """Which pack to read. Of one anchor and version there is only one in a database."""

    database: str
    anchor_sha256: str
    version: int
    period: int
    lib: Library = field(compare=False)


@lru_cache(maxsize=8)
def _read(kept: _Kept) -> OfflineTrust:
    """Raises `LookupError` when it is gone, `VerificationError` when it does not open any longer."""
    pack = foreign.pack(kept.lib.store, kept.anchor_sha256)
    if pack is None or pack.version != kept.version:
        raise LookupError
    return open_offline(pack.data, anchor_spki_der=pack.anchor_spki, now=kept.lib.now())


def of_library(lib: Library, verdict: Verdict, trust: OfflineTrust) -> Verdict:
    """The same verdict; its check of the issuer names the library that vouches for it.

    Where the catalogue that we collect of that library is newer than its snapshot and says worse, the worse holds.
    """
    worse = _collected_status(lib, verdict, trust)
    checks = []
    for each in verdict.checks:
        if each.name is CheckName.ISSUER_TRUSTED:
            checks.append(replace(each, evidence={**each.evidence, "library": trust.pack.issuer}))
        elif each.name is CheckName.STATUS and each.outcome is Outcome.PASSED and worse is not None:
            checks.append(worse)
        else:
            checks.append(each)
    return replace(verdict, checks=tuple(checks))


def _collected_status(lib: Library, verdict: Verdict, trust: OfflineTrust) -> Check | None:
    """A check of the status that failed by the collected catalogue; None when that says nothing against it."""
    known = collected.found(lib.store, identifier=str(verdict.shown.get("identifier", "")))
    kids = {key.kid for key in trust.pack.keys}
    for each in known:
        status, seen = each.entry.status, each.source.collected_at
        source = trust_at(lib, each.source.anchor_sha256)
        if source is None or seen is None or {key.kid for key in source.pack.keys} != kids or status is Status.ACTIVE:
            continue
        if status.value in TERMINAL or verdict.status_as_of is None or seen > verdict.status_as_of:
            evidence = {"status": status.value, "source": "catalogue", "as_of": moment(seen)}
            return Check(name=CheckName.STATUS, outcome=Outcome.FAILED, code=status.value, evidence=evidence)
    return None


def _issuers(trust: OfflineTrust) -> frozenset[str]:
    """Agencies that the pack has keys for. Those that only ask there may well issue elsewhere."""
    return frozenset(key.owner for key in trust.pack.keys if key.owner)


def _opened(data: bytes, spki: bytes, now: datetime) -> OfflineTrust:
    try:
        return open_offline(data, anchor_spki_der=spki, now=now)
    except VerificationError as error:
        raise _not_trusted(error.fault.value, f"is not to be trusted: {error}") from error


def _anchor_in(data: bytes, sha256: str) -> bytes:
    """The public key of the root in the unchecked pack whose digest is the trusted one. The pack is checked by it."""
    if len(data) > MAX_PACK_BYTES:
        raise _not_trusted("too_large", "is larger than a trust pack may be")
    try:
        payload = jws.json_object(jws.bytes_of(str(jws.json_object(data).get("pack")).split(".")[1]))
        roots = payload.get("root_certificates")
        for each in roots if isinstance(roots, list) else ():
            spki = read_certificate(jws.bytes_of(str(each))).spki_der
            if hashlib.sha256(spki).hexdigest() == sha256.strip().lower():
                return spki
    except (VerificationError, IndexError) as error:
        raise _not_trusted("malformed", "is no trust pack") from error
    raise _not_trusted("untrusted_issuer", "is not of the library whose anchor has this SHA-256")


def _not_trusted(code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field="trust_pack", code=code, reason=reason),))


def _printable(name: str) -> str:
    """The library's name for a terminal and the audit."""
    return "".join(each for each in name if each.isprintable())[:MAX_NAME_CHARACTERS] or "?"
