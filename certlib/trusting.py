"""The trust pack: what the library tells verifiers, published by it and opened by them without network.

docs/formats.md, 2 and 3, is the form. `published` signs, `open_offline` reads and remembers the highest version seen.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import re
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from certlib.catalogue import parse_type
from certlib.directory import Directory, DirectoryError, directory, directory_json, read_directory
from certlib.errors import ConflictError, NotFoundError, OwnFaultError, SetupError, UnavailableError
from certlib.snapshots import SnapshotError, StatusSnapshot, read_snapshots, snapshot_json, status_snapshot
from certlib.store import agencies, packs, statuses
from signing.errors import Fault, SigningError, VerificationError
from signing.keys import KeyAlgorithm
from signing.trust import KeyPurpose, TrustedKey, TrustPack, open_pack, sign_pack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from certlib.catalogue import LicenceType
    from certlib.directory import AgencyEntry, TypeEntry
    from certlib.faces import JsonValue
    from certlib.library import Library
    from certlib.model import Status
    from certlib.store.values import KeyRecord
    from signing.keys import SigningKey

PUBLISHED_PURPOSES: Final = frozenset(KeyPurpose)
"""Keys of other purposes (root, pack, api, requests) stand for nothing that a verifier meets."""
MAX_AGE_SECONDS: Final = 300
"""A stored pack younger than this is given out again instead of a new one."""
ATTEMPTS: Final = 5
OPERATOR: Final = "library"
"""Who signs a pack that nobody asked for by name, as the audit has it."""
MAX_VERSION_FILE_BYTES: Final = 32
_VERSION: Final = re.compile(rb"[1-9][0-9]{0,18}\n?")


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedPack:
    """A signed trust pack as it is handed out."""

    version: int
    data: bytes
    issued_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class OfflineTrust:
    """An opened trust pack: all that a verifier without network knows. Made by `open_offline`."""

    pack: TrustPack
    names: Directory
    snapshots: Mapping[str, StatusSnapshot]
    """By the URI of the status list."""
    tsa_roots_der: tuple[bytes, ...]
    """What timestamps are verified by."""


def trusted_key(key: KeyRecord) -> TrustedKey:
    """The record of a key as a verifier holds it."""
    return TrustedKey(
        kid=bytes.fromhex(key.kid),
        purpose=KeyPurpose(key.purpose),
        algorithm="ES256" if key.algorithm == KeyAlgorithm.P256 else "RS256",
        spki_der=key.spki_der,
        owner=key.owner or "",
        not_before_at=key.not_before_at,
        not_after_at=key.not_after_at,
        withdrawn_at=key.withdrawn_at,
        certificate_der=key.certificate_der,
    )


def live_types(lib: Library) -> Mapping[int, TypeEntry]:
    """All licence types as the record has them now, by their code in the token."""
    return directory((), _types(lib)).types


def live_agency(lib: Library, code: str) -> AgencyEntry | None:
    """The agency of this code as the record has it now."""
    try:
        return directory((agencies.agency(lib.store, code),), ()).agencies[code]
    except NotFoundError:
        return None


def live_key(lib: Library, kid: bytes) -> TrustedKey | None:
    """The key of this id as the record has it now, unless it stands for nothing that a verifier meets."""
    try:
        key = agencies.key(lib.store, kid.hex())
    except NotFoundError:
        return None
    return trusted_key(key) if key.purpose in PUBLISHED_PURPOSES else None


def _types(lib: Library) -> Iterator[LicenceType]:
    return (
        parse_type(each.type_toml, where=f"{each.code}/v{each.version}", version=each.version)
        for each in agencies.all_types(lib.store)
    )


def live_pack(lib: Library, *, now: datetime) -> TrustPack:
    """Keys and roots as the record has them now, as a pack that is never signed nor handed out; its body is empty."""
    return TrustPack(
        version=1,
        issued_at=now,
        next_update_at=now + timedelta(days=lib.settings.pack_days),
        issuer=lib.settings.library_name,
        roots_der=(lib.root_certificate_der,),
        keys=tuple(trusted_key(key) for key in agencies.keys(lib.store) if key.purpose in PUBLISHED_PURPOSES),
        body={},
    )


def pack_body(lib: Library, *, now: datetime) -> dict[str, JsonValue]:
    """The body of a trust pack as of now: `agencies`, `types`, `status_lists`, `tsa_roots` (docs/formats.md, 3)."""
    uris = packs.status_list_uris(lib.store)
    lists: list[list[tuple[int, Status]]] = [[] for _ in uris]
    for shard, index, status in statuses.status_snapshot(lib.store):
        if shard < len(lists):  # a list that was begun a moment ago comes with the next pack
            lists[shard].append((index, status))
    packed: dict[str, JsonValue] = {
        uri: snapshot_json(status_snapshot(entries, as_of=now)) for uri, entries in zip(uris, lists, strict=True)
    }
    tsa_roots: list[JsonValue] = [base64.urlsafe_b64encode(der).rstrip(b"=").decode() for der in lib.tsa_roots_der]
    return {
        **directory_json(directory(agencies.all_agencies(lib.store), _types(lib))),
        "status_lists": packed,
        "tsa_roots": tsa_roots,
    }


def published(lib: Library, *, max_age_seconds: int = MAX_AGE_SECONDS) -> PublishedPack:
    """The newest trust pack: the stored one while it is young and its key still good, else a new one.

    Raises:
        SetupError: the library has no usable pack key.
        OwnFaultError: the pack cannot be written.
    """
    now = lib.now()
    stored = packs.newest_pack(lib.store)
    if stored is not None and timedelta(0) <= now - stored.issued_at < timedelta(seconds=max_age_seconds):
        with contextlib.suppress(VerificationError):
            open_pack(stored.data, anchor_spki_der=lib.anchor_spki_der, now=now)
            return PublishedPack(version=stored.version, data=stored.data, issued_at=stored.issued_at)
    return publish(lib)


def publish(lib: Library, *, operator: str = OPERATOR) -> PublishedPack:
    """A new trust pack with the next version, signed, checked as a verifier would, and stored.

    Raises:
        SetupError: the library has no usable pack key, or no agency has a key yet.
        OwnFaultError: the pack cannot be written, or does not open again.
        UnavailableError: others published at the same time, again and again.
    """
    now = lib.now().replace(microsecond=0)
    record, key = _pack_key(lib, now)
    body: Any = pack_body(lib, now=now)  # two packages, two names for what JSON can hold
    draft = replace(live_pack(lib, now=now), body=body)
    if not any(key.owner for key in draft.keys):
        raise SetupError("no agency has a key yet, so there is nothing to trust", hint="certlib agency add")
    for _attempt in range(ATTEMPTS):
        version = packs.next_pack_version(lib.store)
        data = _signed(replace(draft, version=version), lib, key, record.delegation)
        try:
            packs.keep_pack(lib.store, version=version, data=data, operator=operator, now=now)
        except ConflictError:
            continue
        return PublishedPack(version=version, data=data, issued_at=now)
    raise UnavailableError("other processes publish trust packs without end; try later")


def _signed(pack: TrustPack, lib: Library, key: SigningKey, delegation: str) -> bytes:
    try:
        data = sign_pack(pack, pack_key=key, delegation=delegation)
        open_pack(data, anchor_spki_der=lib.anchor_spki_der, now=pack.issued_at, at_least_version=pack.version)
    except SigningError as error:
        raise OwnFaultError(f"the trust pack cannot be made: {error}") from error
    return data


def _pack_key(lib: Library, now: datetime) -> tuple[KeyRecord, SigningKey]:
    usable = [
        key
        for key in agencies.keys(lib.store, purpose="pack")
        if key.withdrawn_at is None and key.delegation and key.not_before_at <= now < key.not_after_at
    ]
    if not usable:
        raise SetupError("the library has no usable key for trust packs", hint="Restore the keys folder.")
    newest = max(usable, key=lambda key: key.created_at)
    return newest, lib.signer.open(newest.uri)


def open_offline(
    data: bytes, *, anchor_spki_der: bytes, now: datetime, at_least_version: int = 0, seen: Path | None = None
) -> OfflineTrust:
    """The trust pack in `data`, for verifying without network. It may be stale: verdicts from it say so.

    Steps:
    1. the highest version seen under this anchor, from the folder `seen` if one is given;
    2. the pack's signatures, form and version;
    3. its body;
    4. the version is remembered in `seen`.

    Raises:
        VerificationError: as `signing.trust.open_pack`; `rolled_back` also against what `seen` remembers.
        SetupError: `seen` cannot be read or written.
    """
    # 1 the highest version seen
    path = None if seen is None else seen / f"{hashlib.sha256(anchor_spki_der).hexdigest()}.version"
    floor = max(at_least_version, 0 if path is None else number_seen(path))
    # 2 signatures, form and version
    pack = open_pack(data, anchor_spki_der=anchor_spki_der, now=now, at_least_version=floor)
    # 3 body
    try:
        names = read_directory(pack.body)
        snapshots = read_snapshots(pack.body.get("status_lists"))
        tsa_roots = _read_roots(pack.body.get("tsa_roots", []))
    except (DirectoryError, SnapshotError, binascii.Error, TypeError, ValueError) as error:
        raise VerificationError(Fault.MALFORMED, f"trust pack: {error}") from error
    # 4 remember
    if path is not None and pack.version > number_seen(path):
        remember_number(path, pack.version)
    return OfflineTrust(pack=pack, names=names, snapshots=snapshots, tsa_roots_der=tsa_roots)


def _read_roots(value: object) -> tuple[bytes, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError("tsa_roots must be a list of texts")
    return tuple(base64.urlsafe_b64decode(each + "=" * (-len(each) % 4)) for each in value)


def number_seen(path: Path) -> int:
    """The highest number remembered in the file `path`; 0 when there is none.

    Raises:
        SetupError: it cannot be read, or is damaged.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_VERSION_FILE_BYTES)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}", hint="It guards against old packs.") from error
    if not _VERSION.fullmatch(content):
        raise SetupError(f"{path} is damaged", hint="Fetch a fresh trust pack, then remove the file.")
    return int(content)


def remember_number(path: Path, number: int) -> None:
    """Write a number in one step: a crash leaves the old number or the new one, never half of it.

    Raises:
        SetupError: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "w") as file:
            file.write(f"{number}\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)  # noqa: PTH105  # one step on the same file system
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from error


def anchor_json(lib: Library) -> dict[str, JsonValue]:
    """The anchor that verifiers pin, for GET /v1/trust-anchor: `spki` (base64url) and its `sha256` (hex)."""
    spki = base64.urlsafe_b64encode(lib.anchor_spki_der).rstrip(b"=").decode()
    return {"spki": spki, "sha256": hashlib.sha256(lib.anchor_spki_der).hexdigest()}
