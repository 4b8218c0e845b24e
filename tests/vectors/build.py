"""Makes the verdict vectors again: `python -m tests.vectors.build`.

Identifiers, codes, headers and names follow from `cases`; keys, signatures and seals are new each time, so that the
bodies and `world.json` differ after each run, and nothing else may. No private key is kept.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certlib.cataloguing import add_shipped_types
from certlib.config import read_settings
from certlib.enrolling import add_agency, create_library
from certlib.issuing import issue
from certlib.library import Library, close_library, open_library
from certlib.model import Status
from certlib.store import agencies, lookups
from certlib.trusting import anchor_json, publish
from signing.keys import KeyAlgorithm
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.vectors import (
    ANCHOR,
    FOLDER,
    PACK,
    SETTINGS,
    SUFFIX,
    WORLD,
    WORLD_AT,
    Vector,
    chosen,
    key_json,
    written,
)  # fmt: skip
from tests.support.verdicts import changed
from tests.vectors.cases import REQUESTS, STOLEN, World
from tests.vectors.copy_cases import VECTORS

if TYPE_CHECKING:
    from certlib.model import Licence

KEPT_FILES: Final = {"good": f"file-good{SUFFIX}", "revoked": f"file-revoked{SUFFIX}"}
"""Licences whose sealed bytes are vectors; of the others only a stand-in is recorded."""


def filled(lib: Library) -> World:
    """Issue, change and withdraw what the vectors speak of."""
    licences: dict[str, Licence] = {}
    for name, (request, _) in REQUESTS.items():
        previous = licences["old"].identifier if name == "new" else ""
        with chosen(name):
            licences[name] = issue(lib, replace(request, previous_identifier=previous)).licence
    pdfs = {name: lookups.pdf_of(lib.store, licence) for name, licence in licences.items()}
    for name, (_, status) in REQUESTS.items():
        if status not in (Status.ACTIVE, Status.SUPERSEDED):
            changed(lib, licences[name], status)
    for key in agencies.keys(lib.store, owner=STOLEN.code):
        agencies.withdraw_key(
            lib.store, key.kid, withdrawn_at=WORLD_AT, reason="stolen", operator="vectors", now=WORLD_AT
        )
    return World(lib=lib, licences=licences, pdfs=pdfs)


def world_json(world: World) -> dict[str, Any]:
    """What `tests.support.vectors` builds the library from."""
    store = world.lib.store
    types = [
        {"code": each.code, "version": each.version, "digest": each.digest, "type_toml": each.type_toml}
        for each in agencies.all_types(store)
    ]
    return {
        "agencies": [
            {"code": each.code, "name": each.name, "name_en": each.name_en, "timezone": each.timezone}
            for each in agencies.all_agencies(store)
        ],
        "keys": [key_json(each) for each in agencies.keys(store)],
        "types": [each for each in types if each["code"] in {request.type_code for request, _ in REQUESTS.values()}],
        "licences": [_licence_json(world, name) for name in REQUESTS],
    }


def _licence_json(world: World, name: str) -> dict[str, Any]:
    licence, (request, status) = world.licences[name], REQUESTS[name]
    return {
        "name": name, "agency": licence.agency_code, "identifier": licence.identifier,
        "public_code": licence.public_code, "status_index": licence.status_index, "status": status.value,
        "token": licence.token, "token_kid": licence.token_kid, "seal_kid": licence.seal_kid,
        "check_phrase": licence.check_phrase, "pdf_name": licence.pdf_name, "file": KEPT_FILES.get(name, ""),
        "public_json": lookups.public_row(world.lib.store, licence.identifier).public_json.decode(),
        "request": {
            "type": request.type_code, "number": request.number, "fields": dict(request.fields),
            "holders": [{"name": one.name, "code": one.code, "code_type": one.code_type} for one in request.holders],
            "issued_on": request.issued_on.isoformat(), "effective_on": request.effective_on.isoformat(),
            "expires_on": request.expires_on.isoformat() if request.expires_on else None,
            "version": request.version, "previous_identifier": licence.previous_identifier,
        },
    }  # fmt: skip


def headers_by_name() -> dict[str, dict[str, str]]:
    """The header lines that each vector must have."""
    return {given["name"]: Vector(body=b"", **given).headers() for given, _ in VECTORS}


def main() -> None:
    """Write all vectors, the world and the trust pack; remove what is no vector any more."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "library"
        home.mkdir()
        (home / "certlib.toml").write_text(SETTINGS, "utf-8")
        settings = read_settings(home)
        create_library(settings, organisation="Vectors", now=WORLD_AT)
        lib = open_library(settings, now=lambda: WORLD_AT)
        try:
            add_shipped_types(lib, operator="vectors")
            for agency in (MARKET_BUREAU, CITY, STOLEN):
                add_agency(lib, agency, seal_algorithm=KeyAlgorithm.P256, operator="vectors")
            _write(filled(lib))
        finally:
            close_library(lib)


def _write(world: World) -> None:
    for old in FOLDER.glob(f"*{SUFFIX}"):
        old.unlink()
    for given, make in VECTORS:
        body = make(world)
        content = body if isinstance(body, bytes) else body.encode()
        made = Vector(body=content, **given)
        (FOLDER / f"{made.name}{SUFFIX}").write_bytes(written(made))
    WORLD.write_text(json.dumps(world_json(world), ensure_ascii=False, indent=1) + "\n", "utf-8")
    PACK.write_bytes(publish(world.lib).data)
    ANCHOR.write_text(json.dumps(anchor_json(world.lib)) + "\n", "utf-8")
    sys.stdout.write(f"{len(VECTORS)} vectors in {FOLDER}\n")


if __name__ == "__main__":
    main()
