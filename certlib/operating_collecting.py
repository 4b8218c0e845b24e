"""What the commands `certlib collect` do. As `operating`: each opens the library, calls one use case, and reports."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from certlib.complaints import error_json, error_lines
from certlib.errors import CertlibError, FieldFault, InvalidRequestError, SetupError
from certlib.operating import Report, opened
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from certlib.collecting.searching import Held
    from certlib.grants import Asking
    from certlib.library import Library
    from certlib.store.collected import Source
    from certlib.store.foreign import ForeignPack
    from certlib.trusting import OfflineTrust
    from signing.keys import SigningKey


def anchor_of(text: str) -> bytes | str:
    """The anchor that a command line names: a trust-anchor.json, or the SHA-256 of the root's public key.

    Raises:
        SetupError: neither.
    """
    from pathlib import Path

    from certlib.checking import read_anchor

    if re.fullmatch(r"[0-9a-fA-F]{64}", text):
        return text.lower()
    try:
        return read_anchor(Path(text).read_bytes())
    except (OSError, ValueError) as error:
        raise SetupError(
            "the anchor is neither a trust-anchor.json nor a SHA-256 of 64 hex digits",
            hint="Ask the other library by telephone; it shows: certlib trust export",
        ) from error


def key_of(path: Path) -> SigningKey:
    """The client's private key in a PEM file.

    Raises:
        SetupError: none that can be used.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from signing.errors import SigningError
    from signing.keys import SigningKey

    try:
        return SigningKey(load_pem_private_key(path.read_bytes(), None))
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, SigningError) as error:
        raise SetupError(
            f"{path} holds no private key that can be used",
            hint="openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem",
        ) from error


def add(  # noqa: PLR0913  # what has to be known of a library
    home: Path, url: str, *, anchor: str, client_id: str, key: Path, matter_code: str, operator: str
) -> Report:
    """Begin to follow a library."""
    from certlib.collecting import following

    trusted, opened_key = anchor_of(anchor), key_of(key)
    with opened(home) as lib:
        source = following.add_source(
            lib,
            url,
            anchor=trusted,
            client_id=client_id,
            key=opened_key,
            matter_code=matter_code,
            operator=operator,
        )
        data = _source_json(lib, source)
    return Report(data=data, text=f"{source.name} at {source.url} is followed now: certlib collect run")


def run(home: Path, name: str, *, anew: bool, operator: str) -> Iterator[Report]:
    """Read the feeds of one library, or of all; one that fails does not stop the next."""
    from certlib.collecting import following
    from certlib.store import collected

    with opened(home) as lib:
        found = [following.source_of(lib, name)] if name else list(collected.sources(lib.store))
        if not found:
            yield Report(data={}, text="No library is followed: certlib collect add")
        for each in found:
            try:
                done = following.follow(lib, each, anew=anew, operator=operator)
            except CertlibError as error:
                lines = "\n  ".join(error_lines(error))
                yield Report(
                    data={"source": each.url, **error_json(error)},
                    text=f"{each.name}: {lines}",
                    error=error,
                    good=False,
                )
                continue
            data = {**_source_json(lib, done.source), "pages": done.pages, "changed": done.licences}
            yield Report(data=data, text=f"{each.name}: {done.licences} licences new or changed, {done.pages} pages")


def listed(home: Path) -> Report:
    """The libraries that are followed."""
    from certlib.store import collected

    with opened(home) as lib:
        rows = [_source_json(lib, each) for each in collected.sources(lib.store)]
    lines = [f"{row['id']}  {row['name']}  {row['url']}  {row['licences']} licences" for row in rows]
    return Report(data=rows, text="\n".join(lines) or "No library is followed.")


def leave(home: Path, name: str, *, operator: str) -> Report:
    """Follow a library no longer."""
    from certlib.collecting import following
    from certlib.store import collected

    with opened(home) as lib:
        source = following.source_of(lib, name)
        collected.forget(lib.store, source, operator=operator, now=lib.now(), follow=False)
    text = f"{source.name} is followed no longer. Its trust pack stays: certlib collect trust remove"
    return Report(data={"source": source.url}, text=text)


def find(home: Path, *, identifier: str, number: str, type_code: str) -> Report:
    """Which library holds a licence."""
    from certlib.collecting import searching

    with opened(home) as lib:
        found = searching.find_all(lib, identifier=identifier, number=number, type_code=type_code)
    text = "\n".join(_held_line(each) for each in found) or "No catalogue has it."
    return Report(data=[searching.held_json(each) for each in found], text=text, good=bool(found))


def check(home: Path, identifier: str, asking: Asking, *, given: Sequence[str]) -> Report:
    """Hand a check on to the library that holds the licence."""
    from certlib.collecting import searching

    with opened(home) as lib:
        data: Any = searching.forward_check(lib, None, asking, identifier=identifier, given=_pairs(given))
    answer = data["answer"]
    lines = [f"{answer['result']}, says {data['library']['name']} at {data['library']['url']}"]
    lines += [f"  {name}: {word}" for name, word in answer["fields"].items()]
    lines += [f"  status: {answer['word']}"] if answer["word"] else []
    return Report(data=data, text="\n".join(lines), good=answer["result"] == "match")


def import_trust(home: Path, path: Path, *, anchor: str, operator: str) -> Report:
    """Import the trust pack of another library."""
    from certlib import foreign

    trusted = anchor_of(anchor)
    with opened(home) as lib:
        pack, changed = foreign.import_pack(lib, path.read_bytes(), anchor=trusted, operator=operator)
        agencies = sorted(foreign.agencies_of(lib, pack.anchor_sha256))
    what = "is trusted for" if changed else "stood here already, for"
    text = f"{pack.name}, version {pack.version}, {what}: {', '.join(agencies)}"
    return Report(data={"changed": changed, "agencies": agencies, **_pack_json(pack)}, text=text)


def list_trust(home: Path) -> Report:
    """The trust packs of other libraries."""
    from certlib import foreign

    with opened(home) as lib:
        known = foreign.imported(lib)
        now = lib.now()
    rows = [{**_pack_json(pack), "state": _state(trust, now)} for pack, trust in known]
    lines = [f"{row['anchor_sha256'][:16]}  {row['name']}  version {row['version']}  {row['state']}" for row in rows]
    return Report(data=rows, text="\n".join(lines) or "No trust pack of another library was imported.")


def remove_trust(home: Path, name: str, *, operator: str) -> Report:
    """Trust another library no longer."""
    from certlib import foreign

    with opened(home) as lib:
        pack = foreign.library_at(lib, name)
        foreign.remove_pack(lib, pack.anchor_sha256, operator=operator)
    return Report(data=_pack_json(pack), text=f"{pack.name} is trusted no longer")


def _state(trust: OfflineTrust | None, now: Any) -> str:  # noqa: ANN401  # a moment
    if trust is None:
        return "of no use: import a newer one"
    return "stale: import a newer one" if trust.pack.is_stale(now) else "good"


def _pack_json(pack: ForeignPack) -> dict[str, Any]:
    return {
        "name": pack.name,
        "anchor_sha256": pack.anchor_sha256,
        "version": pack.version,
        "imported_at": moment(pack.imported_at),
        "imported_by": pack.imported_by,
    }


def _source_json(lib: Library, source: Source) -> dict[str, Any]:
    from certlib.store import collected

    return {
        "id": source.id,
        "name": source.name,
        "url": source.url,
        "client": source.client_id,
        "types": list(source.types),
        "licences": collected.held(lib.store, source.id),
        "collected_at": moment(source.collected_at) if source.collected_at else None,
    }


def _held_line(held: Held) -> str:
    entry = held.entry
    where = "this library" if held.own else f"{held.library} at {held.url}"
    return f"{entry.identifier}  {entry.type_name}  {entry.number}  {entry.status}  held by {where}"


def _pairs(given: Sequence[str]) -> Mapping[str, str]:
    pairs = dict(each.partition("=")[::2] for each in given)
    if len(pairs) != len(given) or not all(pairs) or not all(pairs.values()):
        reason = "must be NAME=VALUE, each name once"
        raise InvalidRequestError((FieldFault(field="--given", code="bad_form", reason=reason),))
    return pairs
