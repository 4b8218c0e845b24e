"""Making a library, taking in agencies, and their keys: made, certified, rotated, withdrawn."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from certlib.config import passphrase
from certlib.errors import FieldFault, InvalidRequestError, SetupError
from certlib.identifiers import AgencyCode
from certlib.keyring import KeyRing, write_new_file
from certlib.lawfulness import text_fault
from certlib.library import recorded_key
from certlib.press import SEAL_PICTURES
from certlib.store import agencies, audits
from certlib.store.cipher import new_data_keys, sealed_data_keys
from certlib.store.engine import close_store, migrate, open_store, require_lasting
from certlib.store.values import KeyRecord
from certlib.trusting import trusted_key
from signing.certificates import create_csr, create_root, issue_certificate, read_certificate
from signing.cms import CmsSealer
from signing.errors import SigningError
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from signing.trust import KeyPurpose, TrustedKey, sign_delegation
from templates.errors import TemplateError
from templates.seal_picture import own_seal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from certlib.config import Settings
    from certlib.library import Library
    from certlib.model import Agency

ROOT_DAYS: Final = 20 * 365
LIBRARY_KEY_DAYS: Final = 5 * 365
AGENCY_KEY_DAYS: Final = 365
"""A signing key serves one year (facts: reliability, 5, NIST)."""
OVERLAP_DAYS: Final = 30
"""A replaced key may still finish what was begun with it."""
BACKDATE: Final = timedelta(minutes=5)
"""Certificates begin a little earlier, so that a clock slightly behind does not refuse them."""
TOKEN, SEAL, PACK, ROOT, API, STATUS, RECEIPT = "token", "seal", "pack", "root", "api", "status", "receipt"
OWN_PURPOSES: Final = (STATUS, RECEIPT)
"""Keys of the library itself that the trust pack names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class IssuingKit:
    """What an agency issues with now: opened keys, ready sealer."""

    agency: Agency
    token_key: SigningKey
    token_keys: Mapping[bytes, TrustedKey]
    """The one current token key, as a verifier would hold it: for the self-check."""
    sealer: CmsSealer
    seal_kid: str
    """Hex of the 8-byte key id."""
    seal_spki_der: bytes
    usable_from_at: datetime
    """From when both keys may sign."""


def create_library(settings: Settings, *, organisation: str, now: datetime) -> None:
    """Make an empty library at `settings.home`: folder, passphrase, data keys, tables, root, and its own keys.

    The passphrase file is made (0600) when there is none. What exists already is never overwritten.

    Raises:
        SetupError: there is a library already, or the folder cannot be written.
    """
    home = settings.home
    if settings.data_keys_path.exists():
        raise SetupError(f"there is a library at {home} already", hint="Name another folder with --home.")
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_passphrase(settings)
    except OSError as error:
        raise SetupError(f"{home} cannot be written: {error.strerror}") from error
    keys = new_data_keys()
    store = open_store(
        settings.database_url, home=home, data_keys=keys, now=lambda: now, status_list_url=settings.status_list_url
    )
    try:
        migrate(store)
        require_lasting(store, "status_list_url", settings.status_list_url)
        ring = KeyRing(home=home, passphrase=passphrase(settings))
        write_new_file(settings.data_keys_path, sealed_data_keys(keys, ring.passphrase))
        end = now + timedelta(days=ROOT_DAYS)
        root = generate_key(KeyAlgorithm.P256)
        certificate = create_root(
            root,
            common_name=f"{settings.library_name[:59]} root",
            organisation=organisation,
            not_before_at=now - BACKDATE,
            not_after_at=end,
        )
        agencies.add_key(store, _record(ring, root, ROOT, None, now, end, certificate_der=certificate), operator="init")
        key_end = now + timedelta(days=LIBRARY_KEY_DAYS)
        pack = generate_key(KeyAlgorithm.P256)
        delegation = sign_delegation(root, pack, now - BACKDATE, key_end)
        agencies.add_key(store, _record(ring, pack, PACK, None, now, key_end, delegation=delegation), operator="init")
        for purpose in (API, *OWN_PURPOSES):
            key = generate_key(KeyAlgorithm.P256)
            agencies.add_key(store, _record(ring, key, purpose, None, now, key_end), operator="init")
    except SigningError as error:
        raise SetupError(f"the library's keys cannot be made: {error}") from error
    finally:
        close_store(store)


def ensure_library_keys(lib: Library, *, operator: str) -> tuple[KeyRecord, ...]:
    """Make the library's own keys that are missing or have ended, as in a library that is older than they are.

    Returns the new ones; verifiers know them from the next trust pack on. Nothing happens when none is missing.
    """
    now, made = lib.now(), []
    for purpose in (API, *OWN_PURPOSES):
        if not any(_usable(key, now) for key in agencies.keys(lib.store, purpose=purpose) if key.owner is None):
            end = now + timedelta(days=LIBRARY_KEY_DAYS)
            record = _record(lib.signer, generate_key(KeyAlgorithm.P256), purpose, None, now, end)
            agencies.add_key(lib.store, record, operator=operator)
            made.append(record)
    return tuple(made)


def _write_passphrase(settings: Settings) -> None:
    if not settings.passphrase_path.exists():
        write_new_file(settings.passphrase_path, secrets.token_urlsafe(32).encode() + b"\n")


def _record(  # noqa: PLR0913, PLR0917  # the parts of one row
    ring: KeyRing,
    key: SigningKey,
    purpose: str,
    owner: AgencyCode | None,
    begin: datetime,
    end: datetime,
    *,
    certificate_der: bytes | None = None,
    delegation: str = "",
) -> KeyRecord:
    kid = key.kid.hex()
    return KeyRecord(
        kid=kid,
        purpose=purpose,
        algorithm=key.algorithm.value,
        owner=owner,
        uri=ring.keep(key, f"{purpose}-{kid}"),
        spki_der=key.spki_der,
        certificate_der=certificate_der,
        delegation=delegation,
        not_before_at=begin - BACKDATE,
        not_after_at=end,
        withdrawn_at=None,
        created_at=begin,
    )


def add_agency(lib: Library, agency: Agency, *, seal_algorithm: KeyAlgorithm, operator: str) -> None:
    """Take in an agency and give it a token key and a seal key with a certificate under the library's root.

    Raises:
        InvalidRequestError: code, name or zone is not usable.
        ConflictError: an agency of this code is there.
    """
    check_agency(agency)
    agencies.add_agency(lib.store, agency, operator=operator, now=lib.now())
    rotate_key(lib, agency.code, TOKEN, algorithm=KeyAlgorithm.P256, operator=operator)
    rotate_key(lib, agency.code, SEAL, algorithm=seal_algorithm, operator=operator)


def check_agency(agency: Agency) -> None:
    """Pass if code, name and zone of an agency are usable."""
    faults: list[FieldFault] = []
    if not agency.code or len(agency.code) > 21 or not agency.code.isascii() or not agency.code.isalnum():  # noqa: PLR2004  # GB/T 36904-style segment
        faults.append(FieldFault(field="code", code="bad_form", reason="must be 1 to 21 of 0-9 and A-Z"))
    elif agency.code != agency.code.upper():
        faults.append(FieldFault(field="code", code="bad_form", reason="must be in capital letters"))
    for name, value, most in (("name", agency.name, 64), ("name_en", agency.name_en, 120)):
        if len(value) > most or (name == "name" and not value.strip()):
            faults.append(FieldFault(field=name, code="too_long", reason=f"must have 1 to {most} characters"))
        elif (fault := text_fault(name, value)) is not None:
            faults.append(fault)
    try:
        ZoneInfo(agency.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(FieldFault(field="timezone", code="bad_zone", reason=f"{agency.timezone!r} is no IANA time zone"))
    if faults:
        raise InvalidRequestError(tuple(faults))


def rotate_key(
    lib: Library, agency_code: AgencyCode, purpose: str, *, algorithm: KeyAlgorithm, operator: str
) -> KeyRecord:
    """Give an agency a new key for `purpose` (`token` or `seal`); the one before ends after the overlap.

    What the old key signed stays good. Returns the new key's record.

    Raises:
        NotFoundError: no such agency.
        SetupError: the root cannot certify now.
    """
    if purpose not in (TOKEN, SEAL):
        raise InvalidRequestError((FieldFault(field="purpose", code="bad_purpose", reason="must be token or seal"),))
    now = lib.now()
    agency = agencies.agency(lib.store, agency_code)
    key = generate_key(algorithm if purpose == SEAL else KeyAlgorithm.P256)
    end = now + timedelta(days=AGENCY_KEY_DAYS)
    certificate = _certified(lib, agency, key.spki_der, now, end) if purpose == SEAL else None
    record = _record(lib.signer, key, purpose, agency.code, now, end, certificate_der=certificate)
    old = [each for each in agencies.keys(lib.store, owner=agency_code, purpose=purpose) if _usable(each, now)]
    agencies.add_key(lib.store, record, operator=operator)
    for each in old:
        overlap = min(each.not_after_at, now + timedelta(days=OVERLAP_DAYS))
        agencies.shorten_key(lib.store, each.kid, not_after_at=overlap, operator=operator, now=now)
    return record


def _certified(lib: Library, agency: Agency, spki_der: bytes, begin: datetime, end: datetime) -> bytes:
    root = library_key(lib, ROOT)
    try:
        return issue_certificate(
            root_key=lib.signer.open(root.uri),
            root_cert_der=lib.root_certificate_der,
            subject_name=agency.name,
            subject_code=agency.code,
            not_before_at=begin - BACKDATE,
            not_after_at=end,
            spki_der=spki_der,
        )
    except SigningError as error:
        raise SetupError(f"the root cannot certify {agency.code}: {error}") from error


def library_key(lib: Library, purpose: str) -> KeyRecord:
    """The record of the library's own key for `purpose`: the newest usable one; `recorded_key` opens it.

    Raises:
        SetupError: there is none.
    """
    now = lib.now()
    usable = [key for key in agencies.keys(lib.store, purpose=purpose) if key.owner is None and _usable(key, now)]
    if not usable:
        hint = "Start once with: certlib serve" if purpose in OWN_PURPOSES else "Restore the keys folder."
        raise SetupError(f"the library has no usable {purpose} key", hint=hint)
    return max(usable, key=lambda key: key.created_at)


def keep_seal_picture(lib: Library, agency_code: AgencyCode, picture: bytes, *, operator: str) -> Path:
    """Take an agency's own seal picture, PNG or SVG: its licences bear it from now on. Gives where it lies.

    What was issued before keeps the picture it has.

    Raises:
        NotFoundError: no such agency.
        InvalidRequestError: not a picture that can be drawn, or one with scripts or references.
    """
    agency = agencies.agency(lib.store, agency_code)
    try:
        own_seal(picture)
    except TemplateError as error:
        fault = FieldFault(field="seal_picture", code="bad_picture", reason=str(error))
        raise InvalidRequestError((fault,)) from error
    folder = lib.press.seals / agency.code
    folder.mkdir(parents=True, exist_ok=True)
    wanted, other = SEAL_PICTURES if not picture.startswith(b"\x89PNG") else SEAL_PICTURES[::-1]
    digest = hashlib.sha256(picture).hexdigest()
    entry = audits.Entry(actor=operator, act="agency.seal_picture", subject=agency.code, detail={"sha256": digest})
    audits.note(lib.store, entry, at=lib.now())
    fresh = folder / f".{wanted}"
    fresh.write_bytes(picture)
    fresh.replace(folder / wanted)
    (folder / other).unlink(missing_ok=True)
    return folder / wanted


def seal_algorithm(text: str) -> KeyAlgorithm:
    """The algorithm of a seal key by its name.

    Raises:
        InvalidRequestError: not one of them.
    """
    try:
        return KeyAlgorithm(text)
    except ValueError:
        names = ", ".join(KeyAlgorithm)
        fault = FieldFault(field="seal_algorithm", code="bad_algorithm", reason=f"must be one of {names}")
        raise InvalidRequestError((fault,)) from None


def request_certificate(lib: Library, agency_code: AgencyCode, *, algorithm: KeyAlgorithm, operator: str) -> bytes:
    """A signing request (PKCS #10 PEM) for a new seal key, to be certified by the agency's own authority.

    The key waits: it seals nothing until `import_certificate` brings its certificate.
    """
    now = lib.now()
    agency = agencies.agency(lib.store, agency_code)
    key = generate_key(algorithm)
    waiting = _record(lib.signer, key, "seal_request", agency.code, now, now + timedelta(days=AGENCY_KEY_DAYS))
    agencies.add_key(lib.store, waiting, operator=operator)
    try:
        return create_csr(key, subject_name=agency.name, subject_code=agency.code)
    except SigningError as error:
        raise SetupError(f"the request cannot be made: {error}") from error


def import_certificate(lib: Library, agency_code: AgencyCode, certificate: bytes, *, operator: str) -> KeyRecord:
    """Take the certificate (PEM or DER) that answers a request: its key seals from now on.

    Raises:
        InvalidRequestError: not a certificate, of a key that never asked, or not valid now.
    """
    now = lib.now()
    try:
        info = read_certificate(certificate)
    except SigningError as error:
        raise _bad_certificate(f"cannot be read: {error}") from error
    waiting = agencies.keys(lib.store, owner=agency_code, purpose="seal_request")
    matches = [key for key in waiting if key.kid == info.kid.hex()]
    if not matches:
        raise _bad_certificate("belongs to a key that this agency never asked to certify")
    if not info.not_before_at <= now < info.not_after_at:
        raise _bad_certificate("is not valid now")
    record = replace(
        matches[0], purpose=SEAL, certificate_der=info.der, not_before_at=info.not_before_at,
        not_after_at=info.not_after_at, created_at=now,
    )  # fmt: skip
    agencies.certify_key(lib.store, record, operator=operator, now=now)
    return record


def _bad_certificate(reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field="certificate", code="bad_certificate", reason=reason),))


def _usable(key: KeyRecord, now: datetime) -> bool:
    return key.withdrawn_at is None and key.not_before_at <= now < key.not_after_at


def issuing_kit(lib: Library, agency_code: str) -> IssuingKit:
    """The keys that the agency issues with now: of each purpose the newest usable one.

    Raises:
        NotFoundError: no such agency.
        SetupError: a key is missing or expired; it says which and what to do.
    """
    now = lib.now()
    agency = agencies.agency(lib.store, AgencyCode(agency_code))
    newest: dict[str, KeyRecord] = {}
    for key in sorted(agencies.keys(lib.store, owner=agency.code), key=lambda each: each.created_at):
        if _usable(key, now):
            newest[key.purpose] = key
    for purpose in (TOKEN, SEAL):
        if purpose not in newest:
            raise SetupError(
                f"agency {agency_code} has no usable {purpose} key",
                hint=f"Make one with: certlib agency rotate-key {agency_code} --purpose {purpose}",
            )
    token, seal = newest[TOKEN], newest[SEAL]
    if seal.certificate_der is None:
        raise SetupError(f"seal key {seal.kid} has no certificate")
    try:
        sealer = CmsSealer(recorded_key(lib.signer, seal), (seal.certificate_der,), tsa=lib.tsa)
    except SigningError as error:
        raise SetupError(f"seal key {seal.kid}: {error}") from error
    return IssuingKit(
        agency=agency,
        token_key=recorded_key(lib.signer, token),
        token_keys={bytes.fromhex(token.kid): trusted_key(token)},
        sealer=sealer,
        seal_kid=seal.kid,
        seal_spki_der=seal.spki_der,
        usable_from_at=max(token.not_before_at, seal.not_before_at),
    )


def throwaway_kit(agency: Agency, *, now: datetime) -> IssuingKit:
    """Keys that exist for one preview; no trust pack will ever name them, so nothing made with them is valid."""
    key = generate_key(KeyAlgorithm.P256)
    begin, end = now - BACKDATE, now + timedelta(days=1)
    certificate = create_root(key, common_name="Preview", organisation="Preview", not_before_at=begin, not_after_at=end)
    trusted = TrustedKey(
        kid=key.kid, purpose=KeyPurpose.TOKEN, algorithm="ES256", spki_der=key.spki_der, owner=agency.code,
        not_before_at=begin, not_after_at=end,
    )  # fmt: skip
    return IssuingKit(
        agency=agency,
        token_key=key,
        token_keys={key.kid: trusted},
        sealer=CmsSealer(key, (certificate,), tsa=None),
        seal_kid=key.kid.hex(),
        seal_spki_der=key.spki_der,
        usable_from_at=begin,
    )
