"""Settings of a library, read once from `certlib.toml` in its home and from `CERTLIB_*` in the environment.

The environment wins over the file. A key that nobody knows is an error that names it: a setting misspelt is
a setting not made.
"""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from certlib.errors import SetupError
from certlib.identifiers import GBT36904_ROOT

SETTINGS_FILE: Final = "certlib.toml"
ENV_PREFIX: Final = "CERTLIB_"
HOME_VARIABLE: Final = "CERTLIB_HOME"
_OTHER_VARIABLES: Final = frozenset({HOME_VARIABLE, "CERTLIB_DEBUG"})
"""Variables with our prefix that are no settings: where the home is, whether faults show their detail."""
_ROOT: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")
_WEB: Final = re.compile(r"https?://[!-~]+")


class Settings(BaseSettings):
    """All settings of one library. Bounded, with units in the names, frozen."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENV_PREFIX, hide_input_in_errors=True, validate_default=True
    )

    home: Path
    """Folder of the library: database, blobs, keys, settings. Not a setting of the file."""
    library_name: str = Field(default="certlib", min_length=1, max_length=64)
    """Who signs the trust pack, as readers see it."""
    database_url: str = ""
    """`sqlite:///...` or `postgresql://...`; not given means `certlib.sqlite` in the home."""
    database_pool_size: int = Field(default=40, ge=1, le=400)
    """Connections held; at least as many as threads that serve requests."""
    verify_url: str = "http://127.0.0.1:8080/q#"
    """What stands before the digits in the QR code; must end in `#`, so that no token reaches a server."""
    status_list_url: str = "http://127.0.0.1:8080/s/"
    """Prefix of the status lists' URIs; the list's number follows it."""
    identifier_root_plain: str = "2.999.1"
    """Root OID of identifiers of the scheme `plain`. The default lies in the example arc. ITU-T X.660, A.2."""
    tsa_url: str | None = None
    """RFC 3161 time stamping authority; None seals at PAdES B-B."""
    tsa_roots_file: Path | None = None
    """PEM roots of time stamping authorities, the present and former ones: timestamps are verified by them as long as
    there are licences that bear one. Needed with `tsa_url`. Relative paths start in the home."""
    tsa_timeout_seconds: float = Field(default=10.0, gt=0, le=120)
    pack_days: int = Field(default=7, ge=1, le=90)
    """Days from a trust pack's issue to its announced next update."""
    passphrase_file: Path | None = None
    """Opens the key files and the data keys; None means `passphrase` in the home. Relative paths start there."""
    block_size: int = Field(default=64, ge=1, le=1000)
    """Licences reserved, and recorded, in one transaction by a batch."""
    max_upload_bytes: int = Field(default=20 * 1024 * 1024, ge=1024, le=1024**3)
    """Largest file that HTTP and `verify` take."""
    lookups_per_minute: int = Field(default=600, ge=0)
    """Public look-ups that one client address may make through one process; 0 is no limit."""
    uploads_per_minute: int = Field(default=60, ge=0)
    """Verifications by HTTP of one client address through one process; 0 is no limit."""
    shares_per_minute: int = Field(default=1200, ge=0)
    """Askings about licences that one agency's system may make through one process; each 100 rows of a file are one
    more. 0 is no limit."""
    looks_per_holder_per_hour: int = Field(default=60, ge=0)
    """How often one agency may ask about one holder in an hour, in all processes together; 0 is no limit."""
    consent_hours: int = Field(default=72, ge=1, le=24 * 90)
    """How long a holder may take to answer a request."""
    use_hours: int = Field(default=24, ge=1, le=24 * 90)
    """How long a granted use may be read under its code."""
    copy_days: int = Field(default=30, ge=1, le=3650)
    """Until when a purpose-bound copy says that it serves, counted from its making."""
    catalogue_letters: str = Field(default="I,U,D", pattern=r"^[0-9A-Z]{1,2}(,[0-9A-Z]{1,2}){2}$")
    """`cd_operation` in the catalogue feed for insert, update and delete. Only D is confirmed (China profile, 7.8)."""
    holder_session_seconds: int = Field(default=1800, ge=60, le=24 * 3600)
    """How long a holder stays logged in, at most."""
    show_code_seconds: int = Field(default=60, ge=10, le=600)
    """How long a code to show licences is good."""
    consent_code_seconds: int = Field(default=600, ge=60, le=24 * 3600)
    """How long a consent code is good."""
    open_codes_per_holder: int = Field(default=20, ge=1, le=1000)
    """One-time codes of one holder that are neither used nor over."""
    wrong_codes_per_hour: int = Field(default=20, ge=0)
    """Wrong one-time codes that one address or one agency may bring in an hour, in all processes; 0 is no limit."""
    delegation_max_days: int = Field(default=731, ge=1, le=3660)
    """Longest time for which one holder may act for another: two years."""
    objection_days: int = Field(default=5, ge=1, le=250)
    """Working days in which an agency answers a holder's objection. No law's number: set what your rules say."""
    correction_days: int = Field(default=5, ge=1, le=250)
    """Working days in which an agency deals with an error reported in a licence. No law's number either."""
    small_cell: int = Field(default=5, ge=4, le=1000)
    """Counts of one day below this are not shown in statistics, nor to be worked out from them."""
    access_token_seconds: int = Field(default=600, ge=60, le=3600)
    """How long an access token of a client is good."""
    token_requests_per_minute: int = Field(default=60, ge=0)
    """Requests for access tokens by one address through one process; 0 is no limit."""
    api_url: str = ""
    """Where agencies' systems reach the API, without a slash at the end: the issuer and audience of access tokens.
    Not given: scheme and host of `verify_url`."""

    @property
    def data_keys_path(self) -> Path:
        """Where the keys for personal data are: `data-keys.json` in the home."""
        return self.home / "data-keys.json"

    @property
    def passphrase_path(self) -> Path:
        """Where the passphrase is."""
        return self.home / (self.passphrase_file or "passphrase")

    @property
    def base_url(self) -> str:
        """`api_url`, or scheme and host of `verify_url`."""
        return self.api_url.rstrip("/") or "/".join(self.verify_url.split("/")[:3])

    @model_validator(mode="before")
    @classmethod
    def _database_in_home(cls, data: dict[str, object]) -> dict[str, object]:
        if data.get("home") and not data.get("database_url"):
            return {**data, "database_url": f"sqlite:///{quote(str(data['home']))}/certlib.sqlite"}
        return data

    @field_validator("verify_url")
    @classmethod
    def _fragment_last(cls, value: str) -> str:
        if not _WEB.fullmatch(value) or value.count("#") != 1 or not value.endswith("#"):
            raise ValueError("must be an http or https URL that ends in its only #")
        return value

    @field_validator("status_list_url", "tsa_url", "api_url")
    @classmethod
    def _is_web(cls, value: str | None) -> str | None:
        if value and not _WEB.fullmatch(value):
            raise ValueError("must be an http or https URL")
        return value

    @field_validator("identifier_root_plain")
    @classmethod
    def _is_root(cls, value: str) -> str:
        if not _ROOT.fullmatch(value):
            raise ValueError("must be an OID in dotted decimal")
        if value == GBT36904_ROOT:
            raise ValueError("is the root of GB/T 36904; the scheme plain needs one of your own")
        return value

    @model_validator(mode="after")
    def _home_absolute(self) -> Self:
        if not self.home.is_absolute():
            raise ValueError("home must be an absolute path")
        return self


def read_settings(home: Path) -> Settings:
    """The settings of the library in `home`; the file may be missing.

    Raises:
        SetupError: the file cannot be read, or a setting is unknown or out of bounds. It names each one.
    """
    home = home.absolute()
    path = home / SETTINGS_FILE
    try:
        data = tomllib.loads(path.read_text("utf-8")) if path.is_file() else {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"{path} cannot be read: {error}", hint="Mend the file or remove it.") from error
    known = Settings.model_fields.keys() - {"home"}
    unknown = [f"{key} in {path}" for key in sorted(data.keys() - known)]
    unknown += [name for name in sorted(os.environ) if _is_unknown_variable(name, known)]
    if unknown:
        raise SetupError(f"unknown setting: {', '.join(unknown)}", hint=f"Known settings: {', '.join(sorted(known))}.")
    from_environment = {
        name.upper().removeprefix(ENV_PREFIX).lower() for name in os.environ if name.upper().startswith(ENV_PREFIX)
    }
    try:
        # What is passed wins over the environment, hence only what the environment does not say; `home` always.
        return Settings(**{key: data[key] for key in data.keys() - from_environment}, home=home)
    except ValidationError as error:
        places = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False))
        raise SetupError(f"settings of {home}: {'; '.join(places)}", hint=f"Look into {path}.") from error


def _is_unknown_variable(name: str, known: set[str]) -> bool:
    upper = name.upper()
    return (
        upper.startswith(ENV_PREFIX)
        and not upper.startswith("CERTLIB_TEST_")
        and upper not in _OTHER_VARIABLES
        and upper.removeprefix(ENV_PREFIX).lower() not in known
    )


def passphrase(settings: Settings) -> bytes:
    """The passphrase, without the line end that editors add.

    Raises:
        SetupError: there is none, it is empty, or others may read it.
    """
    path = settings.passphrase_path
    try:
        text = path.read_bytes().rstrip(b"\r\n")
        shared = path.stat().st_mode & 0o077
    except OSError as error:
        raise SetupError(
            f"the passphrase file {path} cannot be read", hint="Restore it, or name it in the settings."
        ) from error
    if not text:
        raise SetupError(f"the passphrase file {path} is empty")
    if shared:
        raise SetupError(f"the passphrase file {path} can be read by others", hint=f"chmod 600 {path}")
    return text
