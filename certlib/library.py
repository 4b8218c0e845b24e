"""The bundle of open parts that use cases work with, and the only place that builds one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certlib.config import passphrase
from certlib.errors import SetupError
from certlib.keyring import KeyRing
from certlib.press import Press
from certlib.store import agencies
from certlib.store.cipher import open_data_keys
from certlib.store.engine import close_store, open_store, require_current, require_lasting
from signing.certificates import read_certificate
from signing.errors import SigningError
from signing.timestamps import TimestampSource
from templates.fonts import FontBook

if TYPE_CHECKING:
    from collections.abc import Callable

    from certlib.config import Settings
    from certlib.store import Store
    from certlib.store.values import KeyRecord
    from signing.keys import SigningKey

SHIPPED_TYPES: Final = Path(__file__).resolve().parent.parent / "templates"


@dataclass(frozen=True, kw_only=True, slots=True)
class Library:
    """Open dependencies, nothing else. Use cases are functions that take it first."""

    settings: Settings
    store: Store
    signer: KeyRing
    tsa: TimestampSource | None
    """None seals at PAdES B-B, a source at B-T."""
    tsa_roots_der: tuple[bytes, ...]
    """What timestamps are verified by; stays when the authority is no longer asked."""
    anchor_spki_der: bytes
    """Public key of the library's root: what every verifier pins."""
    root_certificate_der: bytes
    press: Press
    now: Callable[[], datetime]
    """Aware UTC; the only clock."""
    step: Callable[[str], None]
    """Called between the steps of an issuance with the name of the step just done; for timings and crash drills."""


def utc_now() -> datetime:
    """The present moment, aware UTC."""
    return datetime.now(UTC)


def no_step(_name: str) -> None:
    """Watch nothing."""


def open_library(
    settings: Settings, *, now: Callable[[], datetime] = utc_now, step: Callable[[str], None] = no_step
) -> Library:
    """An open library at `settings.home`. The caller closes it with `close_library`.

    Raises:
        SetupError: not initialised, keys that do not open or do not match their certificates, no root.
    """
    if not settings.data_keys_path.is_file():
        hint = "Make one with: certlib init. Or name it with --home."
        raise SetupError(f"there is no library at {settings.home}", hint=hint)
    secret = passphrase(settings)
    store = open_store(
        settings.database_url,
        home=settings.home,
        data_keys=open_data_keys(settings.data_keys_path.read_bytes(), secret),
        now=now,
        status_list_url=settings.status_list_url,
        pool_size=settings.database_pool_size,
    )
    try:
        return _opened(settings, store, KeyRing(home=settings.home, passphrase=secret), now, step)
    except BaseException:
        close_store(store)
        raise


def _opened(
    settings: Settings, store: Store, signer: KeyRing, now: Callable[[], datetime], step: Callable[[str], None]
) -> Library:
    """Check the combination of parts, not only each part."""
    require_current(store)
    require_lasting(store, "status_list_url", settings.status_list_url)
    roots = [key for key in agencies.keys(store, purpose="root") if key.withdrawn_at is None]
    if len(roots) != 1 or roots[0].certificate_der is None:
        raise SetupError("the library has no root key", hint="Make the library with: certlib init")
    for key in agencies.keys(store):
        # Agencies' keys are opened when they are needed: each costs a key derivation, and there may be hundreds.
        # A key without a URI is not kept here, e.g. the root in a safe.
        if key.owner is None and key.uri and key.withdrawn_at is None:
            recorded_key(signer, key)
    return Library(
        settings=settings,
        store=store,
        signer=signer,
        tsa=timestamp_source(settings, now),
        tsa_roots_der=timestamp_roots(settings),
        anchor_spki_der=roots[0].spki_der,
        root_certificate_der=roots[0].certificate_der,
        press=Press(
            fonts=FontBook(),
            roots=(settings.home / "types", SHIPPED_TYPES),
            seals=settings.home / "agencies",
        ),
        now=now,
        step=step,
    )


def recorded_key(signer: KeyRing, key: KeyRecord) -> SigningKey:
    """The opened key that `key` is the record of.

    Raises:
        SetupError: its file is missing, does not open, or is another key.
    """
    opened = signer.open(key.uri)
    if opened.kid.hex() != key.kid:
        raise SetupError(f"key {key.uri} is not the key {key.kid} on record", hint="Restore the keys folder.")
    return opened


def timestamp_source(settings: Settings, now: Callable[[], datetime]) -> TimestampSource | None:
    """The time stamping authority that the settings name, or None.

    Raises:
        SetupError: its URL cannot be used.
    """
    if not settings.tsa_url:
        return None
    if settings.tsa_roots_file is None:
        raise SetupError("tsa_url is set, tsa_roots_file is not", hint="Name the authority's root certificates (PEM).")
    roots = timestamp_roots(settings)
    try:
        timeout = settings.tsa_timeout_seconds
        return TimestampSource(settings.tsa_url, roots_der=roots, timeout_seconds=timeout, now=now)
    except SigningError as error:
        raise SetupError(f"tsa_url or tsa_roots_file: {error}") from error


def timestamp_roots(settings: Settings) -> tuple[bytes, ...]:
    """The root certificates (DER) in `tsa_roots_file`, or none when it is not set.

    Raises:
        SetupError: the file cannot be read, or holds something else.
    """
    if settings.tsa_roots_file is None:
        return ()
    try:
        pem = (settings.home / settings.tsa_roots_file).read_bytes()
        return tuple(read_certificate(b"-----BEGIN" + part).der for part in pem.split(b"-----BEGIN")[1:])
    except OSError as error:
        raise SetupError(f"tsa_roots_file: {error.strerror}") from error
    except SigningError as error:
        raise SetupError(f"tsa_roots_file: {error}") from error


def font_book() -> FontBook:
    """The fonts of this machine, for work without a library."""
    return FontBook()


def close_library(lib: Library) -> None:
    """Give back connections. The library is not used after this."""
    close_store(lib.store)
