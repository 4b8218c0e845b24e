"""A second library, of another town, for tests of what crosses between two.

Fixtures (loaded by `tests/conftest.py`): `bridge`: that library, open, on SQLite.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from certlib.cataloguing import add_shipped_types
from certlib.config import read_settings
from certlib.enrolling import add_agency, create_library
from certlib.identifiers import AgencyCode
from certlib.library import Library, close_library
from certlib.model import Agency, Holder, IssueRequest
from signing.keys import KeyAlgorithm, SigningKey
from tests.support.clock import Clock
from tests.support.hurrying import hurry
from tests.support.libraries import company_request, opened

BRIDGE_BUREAU = Agency(
    code=AgencyCode("11990300MB9000054B"), name="样桥市市场监督管理局", name_en="Bridge City Market Bureau"
)
"""The check character is right, the region does not exist."""
HARBOUR = Agency(code=AgencyCode("HARBOUR"), name="Harbour Town", name_en="Harbour Town")


def new_foreign_home(home: Path, *, now: datetime, name: str = "Bridge library", api_url: str = "") -> None:
    """Make a library at `home` with two agencies of its own; not left open."""
    home.mkdir(parents=True)
    lines = [f'library_name = "{name}"', 'status_list_url = "https://bridge.example/s/"']
    lines += [f'api_url = "{api_url}"'] if api_url else []
    (home / "certlib.toml").write_text("\n".join(lines) + "\n", "utf-8")
    create_library(read_settings(home), organisation=name, now=now)
    lib = opened(read_settings(home), now=lambda: now)
    try:
        add_shipped_types(lib, operator="tests")
        for agency in (BRIDGE_BUREAU, HARBOUR):
            add_agency(lib, agency, seal_algorithm=KeyAlgorithm.P256, operator="tests")
    finally:
        close_library(lib)
    hurry(home)


def open_foreign(home: Path, *, now: Callable[[], datetime]) -> Library:
    """The library at `home`; the caller closes it."""
    return opened(read_settings(home), now=now)


def foreign_request(number: str = "91990300MA00000015", **changes: object) -> IssueRequest:
    """A lawful request of the other town's bureau."""
    parts: dict[str, object] = {
        "agency_code": BRIDGE_BUREAU.code,
        "holders": (Holder(name="样桥样本机械有限公司", code="91990200MA7EXAM18U", code_type="001"),),
    }
    return company_request(number, **{**parts, **changes})


def anchor_digest(lib: Library) -> str:
    """What people compare over the telephone."""
    return hashlib.sha256(lib.anchor_spki_der).hexdigest()


def public_pem(key: SigningKey) -> bytes:
    """What the other library is given."""
    public = key.private_key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def private_pem(key: SigningKey) -> bytes:
    """A client's key as a file that its owner keeps."""
    return key.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="session")
def bridge_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another library that nobody opens: tests copy it."""
    home = tmp_path_factory.mktemp("bridge") / "library"
    new_foreign_home(home, now=Clock.started()())
    return home


@pytest.fixture
def bridge(bridge_home: Path, tmp_path: Path, clock: Clock) -> Iterator[Library]:
    """Another library, as new."""
    home = tmp_path / "bridge"
    shutil.copytree(bridge_home, home)
    lib = open_foreign(home, now=clock)
    yield lib
    close_library(lib)
