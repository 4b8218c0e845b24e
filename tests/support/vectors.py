"""Verdict vectors: files with header lines, a blank line and the body, and the library that they speak of.

The library holds public parts only (keys without their private halves, tokens, one sealed file): it is built anew
from `tests/vectors/world.json` for each run, with the same identifiers, codes and status indices.
"""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import pytest

from certlib.catalogue import parse_type
from certlib.config import passphrase, read_settings
from certlib.identifiers import GBT36904_ROOT, AgencyCode
from certlib.lawfulness import checked_request
from certlib.library import open_library
from certlib.model import Agency, IdentifierScheme, Sha256, Status
from certlib.store import agencies, cipher, numbering, recording, reserving, statuses
from certlib.store.engine import close_store, migrate, open_store
from certlib.store.values import Intent, KeyRecord, MadeLicence, Reserved
from certlib.wire import request_from_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from certlib.library import Library
    from certlib.store.engine import Store

FOLDER: Final = Path(__file__).resolve().parents[1] / "vectors"
WORLD: Final = FOLDER / "world.json"
PACK: Final = FOLDER / "trust-pack.json"
ANCHOR: Final = FOLDER / "trust-anchor.json"
SUFFIX: Final = ".vector"
WORLD_AT: Final = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
"""The moment at which the vectors' library was filled."""
SETTINGS: Final = 'library_name = "Vectors"\nuploads_per_minute = 0\n'


@dataclass(frozen=True, kw_only=True, slots=True)
class Vector:
    """One input and what must be said of it. Every field but `name` and `body` is a header line."""

    name: str
    body: bytes
    expect: str
    """The verdict's word."""
    fault: str = ""
    kind: str
    input: str
    """`text`: typed or scanned; `file`: bytes of a file."""
    source: str = "live"
    """`live`: the library; `offline`: trust-pack.json."""
    at: str
    """When it is asked, `2026-11-22T12:00:00Z`."""
    comment: str = ""

    @property
    def given(self) -> bytes | str:
        """What is handed in."""
        return self.body if self.input == "file" else self.body.decode()

    @property
    def moment(self) -> datetime:
        return datetime.fromisoformat(self.at)

    def headers(self) -> dict[str, str]:
        """The header lines, in their order."""
        return {name: value for name in HEADERS if (value := getattr(self, name))}


HEADERS: Final = tuple(each.name for each in fields(Vector) if each.name not in {"name", "body"})


def written(vector: Vector) -> bytes:
    """The vector as a file."""
    lines = "".join(f"{name}: {value}\n" for name, value in vector.headers().items())
    return lines.encode() + b"\n" + vector.body


def read_vector(path: Path) -> Vector:
    """The vector in a file; an unknown, missing or doubled header fails the run."""
    head, blank, body = path.read_bytes().partition(b"\n\n")
    assert blank, f"{path.name}: no blank line after the headers"
    headers: dict[str, str] = {}
    for line in head.decode().splitlines():
        name, colon, value = line.partition(": ")
        assert colon, f"{path.name}: not a header line: {line}"
        assert name in HEADERS, f"{path.name}: unknown header {name}"
        assert name not in headers, f"{path.name}: {name} stands twice"
        headers[name] = value
    return Vector(name=path.name.removesuffix(SUFFIX), body=body, **headers)


def all_vectors() -> list[Vector]:
    """Every vector, by name."""
    return [read_vector(path) for path in sorted(FOLDER.glob(f"*{SUFFIX}"))]


class Choices:
    """In place of `secrets` where identifiers are chosen: the same for the same name, so that vectors stay true."""

    def __init__(self, name: str) -> None:
        self.name = name

    def token_bytes(self, count: int) -> bytes:
        return hashlib.sha256(f"{self.name}: {count} bytes".encode()).digest()[:count]

    def randbits(self, count: int) -> int:
        return int.from_bytes(self.token_bytes(8)) % (1 << count)


@contextmanager
def chosen(name: str) -> Iterator[None]:
    """Identifiers, codes and indices of one reservation follow from `name`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reserving, "secrets", Choices(name))
        # The vectors are older than the rule that a later version stays under its serial.
        patch.setattr(numbering, "serial_of_previous", lambda *_: "")
        yield


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def key_json(key: KeyRecord) -> dict[str, Any]:
    """A key without its private half."""
    return {
        "kid": key.kid, "purpose": key.purpose, "algorithm": key.algorithm, "owner": key.owner,
        "spki": b64(key.spki_der), "certificate": b64(key.certificate_der) if key.certificate_der else None,
        "delegation": key.delegation, "not_before_at": key.not_before_at.isoformat(),
        "not_after_at": key.not_after_at.isoformat(), "created_at": key.created_at.isoformat(),
        "withdrawn_at": key.withdrawn_at.isoformat() if key.withdrawn_at else None,
    }  # fmt: skip


def key_of(data: dict[str, Any]) -> KeyRecord:
    withdrawn = data["withdrawn_at"]
    return KeyRecord(
        kid=data["kid"],
        purpose=data["purpose"],
        algorithm=data["algorithm"],
        owner=data["owner"],
        uri="",
        spki_der=base64.b64decode(data["spki"]),
        certificate_der=base64.b64decode(data["certificate"]) if data["certificate"] else None,
        delegation=data["delegation"],
        not_before_at=datetime.fromisoformat(data["not_before_at"]),
        not_after_at=datetime.fromisoformat(data["not_after_at"]),
        withdrawn_at=datetime.fromisoformat(withdrawn) if withdrawn else None,
        created_at=datetime.fromisoformat(data["created_at"]),
    )


def made_world(home: Path) -> None:
    """Build the vectors' library at `home` from public parts."""
    world = json.loads(WORLD.read_text("utf-8"))
    home.mkdir(parents=True)
    (home / "certlib.toml").write_text(SETTINGS, "utf-8")
    (home / "passphrase").write_text("of the vectors' library, which holds no secret\n", "utf-8")
    (home / "passphrase").chmod(0o600)
    settings = read_settings(home)
    keys = cipher.new_data_keys()
    settings.data_keys_path.write_bytes(cipher.sealed_data_keys(keys, passphrase(settings)))
    store = open_store(
        settings.database_url, home=home, data_keys=keys, now=lambda: WORLD_AT, status_list_url=settings.status_list_url
    )
    try:
        migrate(store)
        _fill(store, world)
    finally:
        close_store(store)


def _fill(store: Store, world: dict[str, Any]) -> None:
    for each in world["agencies"]:
        agencies.add_agency(store, Agency(**each), operator="vectors", now=WORLD_AT)
    for each in world["keys"]:
        agencies.add_key(store, key_of(each), operator="vectors")
    for each in world["types"]:
        agencies.register_type(store, **each, operator="vectors", now=WORLD_AT)
    for each in world["licences"]:
        _record(store, each, world)


def _record(store: Store, data: dict[str, Any], world: dict[str, Any]) -> None:
    kind = next(each for each in world["types"] if each["code"] == data["request"]["type"])
    licence_type = parse_type(kind["type_toml"], where="vectors", version=kind["version"])
    agency = agencies.agency(store, data["agency"])
    wire = dict(data["request"])
    request = request_from_json(
        {name: value for name, value in wire.items() if name != "type"},
        agency_code=AgencyCode(data["agency"]),
        type_code=wire["type"],
        operator="vectors",
    )
    today = WORLD_AT.astimezone(ZoneInfo(agency.timezone)).date()
    plain = licence_type.scheme is IdentifierScheme.PLAIN
    intent = Intent(
        request=checked_request(licence_type, request, agency, today=today),
        type_version=kind["version"],
        type_digest=Sha256(kind["digest"]),
        identifier_scheme=licence_type.scheme,
        identifier_root="2.999.1" if plain else GBT36904_ROOT,
        type_segment=licence_type.segment,
        agency_segment=agency.code,
    )
    with chosen(data["name"]):
        (reserved,) = reserving.reserve(store, [intent], now=WORLD_AT)
    assert isinstance(reserved, Reserved)
    assert reserved.identifier == data["identifier"], "identifiers are made in another way: make the vectors again"
    assert (reserved.public_code, reserved.status_index) == (data["public_code"], data["status_index"])
    pdf = read_vector(FOLDER / data["file"]).body if data["file"] else b"%PDF-1.7 not kept: " + data["name"].encode()
    made = MadeLicence(
        reserved=reserved,
        pdf=pdf,
        pdf_sha256=Sha256(hashlib.sha256(pdf).hexdigest()),
        token=data["token"],
        token_kid=data["token_kid"],
        seal_kid=data["seal_kid"],
        check_phrase=data["check_phrase"],
        pdf_name=data["pdf_name"],
        agency_name=agency.name,
        timezone=agency.timezone,
        public_json=data["public_json"].encode(),
    )
    recording.record(store, [made], now=WORLD_AT)
    if data["status"] not in {"active", "superseded"}:  # the newer licence supersedes by being recorded
        statuses.change_status(
            store,
            data["identifier"],
            to=Status(data["status"]),
            reason="vectors",
            document_number="1",
            operator="vectors",
            effective_at=WORLD_AT,
            now=WORLD_AT,
        )


def opened_world(home: Path, now: Callable[[], datetime]) -> Library:
    """The vectors' library; the caller closes it."""
    return open_library(read_settings(home), now=now)
