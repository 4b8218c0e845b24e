"""A holder's own licences: listed as their faces show them, read whole, and their sealed files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.catalogue import FieldKind, parse_type
from certlib.errors import ForbiddenError, NotFoundError
from certlib.faces import face_code
from certlib.grants import BASE_FIELDS
from certlib.holding.sessions import require_standing
from certlib.identifiers import masked_code, normalise_identifier, printed_public_code
from certlib.model import OverallWord, derived_word
from certlib.store import agencies, looks, lookups, owning
from certlib.store.engine import writing
from certlib.store.looks import Look

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certlib.catalogue import LicenceType
    from certlib.faces import JsonValue
    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library
    from certlib.model import Holder, Licence

MAX_TYPED: Final = 256
"""Characters of an identifier as somebody types it; what is longer is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A holder's licences, newest first."""

    licences: tuple[dict[str, JsonValue], ...]
    next: str
    """What to ask for as `before`, or empty: this is the last page."""


class Types:
    """Types by code and version, each read once; for one answer."""

    def __init__(self, lib: Library) -> None:
        """Read nothing yet."""
        self._lib = lib
        self._known: dict[tuple[str, int], LicenceType] = {}

    def of(self, licence: Licence) -> LicenceType:
        """The version that the licence was issued with."""
        key = (licence.type_code, licence.type_version)
        if key not in self._known:
            text = agencies.type_version(self._lib.store, *key).type_toml
            self._known[key] = parse_type(text, where=f"{key[0]}/v{key[1]}", version=key[1])
        return self._known[key]


def own_licences(lib: Library, me: HolderCaller, *, before: str = "", limit: int = 100) -> Page:
    """The holder's licences as their faces show them. Delegates see those in their scope, and are put down for it.

    Raises:
        NotFoundError: `before` is none of the holder's.
    """
    if before:
        before = _owned(lib, me, before).identifier
    found, following = owning.owned(lib.store, me.holder_code, me.code_type, before=before, limit=limit)
    mine = [each for each in found if me.covers(type_code=each.type_code, identifier=each.identifier)]
    types = Types(lib)
    faces = tuple(face_json(lib, each, types) for each in mine)
    if me.delegation is not None:
        rows = [_look(lib, me, each, face_fields(types.of(each)), "listed") for each in mine]
        _put(lib, me, rows or [_look(lib, me, None, (), "listed")])
    return Page(licences=faces, next=following)


def own_licence(lib: Library, me: HolderCaller, identifier: str) -> dict[str, JsonValue]:
    """One of the holder's licences, whole; put down in the ledger as the holder's own look.

    Raises:
        NotFoundError: none, another's, or outside the delegate's scope: one answer.
    """
    licence = _owned(lib, me, identifier)
    types = Types(lib)
    answer = face_json(lib, licence, types, whole_for=me)
    _put(lib, me, [_look(lib, me, licence, face_fields(types.of(licence)), "given")])
    return answer


def own_pdf(lib: Library, me: HolderCaller, identifier: str) -> tuple[bytes, str]:
    """The sealed PDF of one of the holder's licences, byte for byte as issued, and its file name; put down as a look.

    Raises:
        NotFoundError: as `own_licence`.
        OwnFaultError: it is lost or damaged.
    """
    licence = _owned(lib, me, identifier)
    pdf = lookups.pdf_of(lib.store, licence)
    _put(lib, me, [_look(lib, me, licence, face_fields(Types(lib).of(licence), pictures=True), "file_given")])
    return pdf, licence.pdf_name


def face_json(
    lib: Library, licence: Licence, types: Types, *, whole_for: HolderCaller | None = None
) -> dict[str, JsonValue]:
    """A licence as its face shows it, with its word now: persons' codes and sensitive fields are masked.

    `whole_for` a holder: that one's own code and all fields in full, and what the QR code says.
    """
    licence_type = types.of(licence)
    word = derived_word(licence.status, licence.effective_on, licence.expires_on, licence.timezone, lib.now())
    successor = lookups.successor_of(lib.store, licence.identifier) if word is OverallWord.SUPERSEDED else None
    face: dict[str, JsonValue] = {
        "identifier": licence.identifier,
        "type": {"code": licence_type.code, "zh": licence_type.name.zh, "en": licence_type.name.en},
        "number": licence.number,
        "version": licence.version,
        "agency": {"code": licence.agency_code, "name": licence.agency_name},
        "holders": [_holder(each, whole_for) for each in licence.holders],
        "issued_on": licence.issued_on.isoformat(),
        "effective_on": licence.effective_on.isoformat(),
        "expires_on": licence.expires_on.isoformat() if licence.expires_on else None,
        "status": word.value,
        "superseded_by": successor.identifier if successor else "",
        "fields": [
            {
                "name": each.name,
                "label": {"zh": each.label.zh, "en": each.label.en},
                "kind": each.kind.value,
                "value": masked_code(value) if each.sensitive and whole_for is None else value,
            }
            for each in licence_type.fields
            if each.kind is not FieldKind.IMAGE and (value := licence.fields.get(each.name, ""))
        ],
    }
    if whole_for is not None:
        face["public_code"] = printed_public_code(licence.public_code)
        face["check_phrase"] = licence.check_phrase
        face["token"] = licence.token
        face["pdf_sha256"] = licence.pdf_sha256
    return face


def face_fields(licence_type: LicenceType, *, pictures: bool = False) -> tuple[str, ...]:
    """Names of what a face shows, as ledgers name them; pictures stand in the file only."""
    own = (each.name for each in licence_type.fields if pictures or each.kind is not FieldKind.IMAGE)
    return (*BASE_FIELDS, *own)


def owned_licences(lib: Library, me: HolderCaller, identifiers: tuple[str, ...]) -> tuple[Licence, ...]:
    """The holder's licences of these identifiers, in this order.

    Raises:
        NotFoundError: as `own_licence`, for any of them.
    """
    wanted = [normalise_identifier(each[:MAX_TYPED]) for each in identifiers]
    found = owning.licences_named(lib.store, [each for each in wanted if each.isascii() and each.isprintable()])
    return tuple(_mine(me, found, each) for each in wanted)


def require_sole(lib: Library, me: HolderCaller) -> None:
    """Pass unless the same characters, of another kind of document, are another holder's code in this library.

    Agencies ask by the code alone, so a word given for one would be taken for the other.

    Raises:
        ForbiddenError: code `code_ambiguous`.
    """
    if owning.has_namesake(lib.store, me.holder_code, me.code_type):
        raise ForbiddenError(
            "another kind of document has the same number here", code="code_ambiguous", hint="Ask at the counter."
        )


def _owned(lib: Library, me: HolderCaller, identifier: str) -> Licence:
    return owned_licences(lib, me, (identifier,))[0]


def _mine(me: HolderCaller, found: Mapping[str, Licence], identifier: str) -> Licence:
    licence = found.get(identifier)
    if (
        licence is None
        or not owning.held_by(licence, me.holder_code, me.code_type)
        or not me.covers(type_code=licence.type_code, identifier=licence.identifier)
    ):
        raise NotFoundError("no licence is known under this key")
    return licence


def _holder(holder: Holder, whole_for: HolderCaller | None) -> dict[str, JsonValue]:
    own = (
        whole_for is not None
        and holder.code.upper() == whole_for.holder_code.upper()
        and holder.code_type == whole_for.code_type
    )
    return {
        "name": holder.name,
        "code": holder.code if own else face_code(holder),
        "code_type": holder.code_type,
    }


def _look(lib: Library, me: HolderCaller, licence: Licence | None, fields: tuple[str, ...], outcome: str) -> Look:
    return Look(
        at=lib.now(),
        kind="own",
        agency_code="",
        client_id="",
        operator=me.actor,
        matter_code="",
        case_number="",
        purpose="",
        type_code=licence.type_code if licence else "",
        fields=fields,
        basis="holder",
        grant_id="",
        outcome=outcome,
        reference=me.delegation_id,
        identifier=licence.identifier if licence else "",
        holder_code=me.holder_code,
    )


def _put(lib: Library, me: HolderCaller, rows: list[Look]) -> None:
    """Put looks down before the answer leaves; a delegation that ended meanwhile gives none."""
    with writing(lib.store) as conn:
        require_standing(conn, me, now=lib.now())
        looks.put(lib.store, conn, rows)
