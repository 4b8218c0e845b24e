"""The holder's ledger: who looked at which licence, when, why, on which basis; never a value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from certlib.catalogue import parse_type
from certlib.errors import NotFoundError
from certlib.holding.sessions import require_standing
from certlib.store import agencies, consents, granting, looks, owning, tickets
from certlib.store.engine import writing
from certlib.verdict import moment

if TYPE_CHECKING:
    from certlib.faces import JsonValue
    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library
    from certlib.model import Licence
    from certlib.store.looks import Look


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerPage:
    """Looks, newest first."""

    looks: tuple[dict[str, JsonValue], ...]
    next: int
    """What to ask for as `before`; 0: this is the last page."""


def ledger(lib: Library, me: HolderCaller, *, before: int = 0, limit: int = 100) -> LedgerPage:
    """Every look at the holder's licences, and every asking about the holder that found none.

    A delegate sees what lies in the scope; a page may then be shorter than `limit`, and even empty before the last.

    Raises:
        ForbiddenError: code `delegation_over`: it ended meanwhile.
    """
    most = min(limit, looks.LISTED)
    found = looks.looks_of_holder(lib.store, me.holder_code, before=before, limit=most)
    named = owning.licences_named(lib.store, {each.identifier for each in found if each.identifier})
    mine = [look for each in found if (look := _mine(me, each, named)) is not None]
    if any(not each.identifier for each in mine) and owning.has_namesake(lib.store, me.holder_code, me.code_type):
        # Whom an agency meant when it found nothing, nobody can tell: the words may be about the other one.
        mine = [each if each.identifier else replace(each, purpose="") for each in mine]
    rows = _rows(lib, mine)
    if me.delegation is not None:
        with writing(lib.store) as conn:
            require_standing(conn, me, now=lib.now())
    return LedgerPage(looks=tuple(rows), next=found[-1].id if len(found) == most else 0)


def own_look(lib: Library, me: HolderCaller, look_id: int) -> Look:
    """One row of the ledger, as it stands there for this holder.

    Raises:
        NotFoundError: code `look_not_found`: the ledger of this holder has no such row.
    """
    row = tickets.look_of_holder(lib.store, me.holder_code, look_id)
    found = looks.look(lib.store, row["id"])
    mine = _mine(me, found, owning.licences_named(lib.store, {found.identifier} - {""}))
    if mine is None:
        raise NotFoundError("no look is known under this number", code="look_not_found")
    return mine


def _mine(me: HolderCaller, look: Look, named: dict[str, Licence]) -> Look | None:
    """A look found by the code's hash as this holder may read it; None for a namesake's, or outside the scope.

    Asked about one holder, an agency may look at another's licence: whether a mother is in a child's birth certificate.
    The mother reads that she was asked about, not under which identifier her child stands.
    """
    if not me.covers(type_code=look.type_code, identifier=look.identifier):
        return None
    licence = named.get(look.identifier)
    if licence is None or owning.held_by(licence, me.holder_code, me.code_type):
        return look
    same = any(each.code.upper() == me.holder_code.upper() for each in licence.holders)
    return None if same else replace(look, identifier="")


def _rows(lib: Library, found: list[Look]) -> list[dict[str, JsonValue]]:
    names: dict[str, str] = {each.code: each.name for each in agencies.all_agencies(lib.store)}
    types = {code: _type(lib, code) for code in {each.type_code for each in found}}
    clauses = {grant_id: _clause(lib, grant_id) for grant_id in {each.grant_id for each in found}}
    behind = consents.delegations_behind(lib.store, [each.reference for each in found if each.kind != "own"])
    return [
        {
            "id": each.id,
            "at": moment(each.at),
            "kind": each.kind,
            "by": _by(each),
            "agency": {"code": each.agency_code, "name": names.get(each.agency_code, "")} if each.agency_code else None,
            "licence": each.identifier,
            "type": types[each.type_code],
            "purpose": each.purpose,
            "matter_code": each.matter_code,
            "case_number": each.case_number,
            "basis": each.basis,
            "clause": clauses[each.grant_id],
            "fields": list(each.fields),
            "outcome": each.outcome,
            "reference": "" if each.kind == "own" else each.reference,
            "delegation": each.reference if each.kind == "own" else behind.get(each.reference, ""),
        }
        for each in found
    ]


def _by(look: Look) -> str:
    """Who looked: an agency, the holder, a delegate, or anybody who was shown a code."""
    if look.agency_code:
        return "agency"
    return look.operator if look.kind == "own" else "anybody"


def _type(lib: Library, code: str) -> dict[str, JsonValue]:
    try:
        known = agencies.current_type(lib.store, code)
    except NotFoundError:  # an asking may name a type that nobody knows
        return {"code": code, "zh": "", "en": ""}
    name = parse_type(known.type_toml, where=f"{code}/v{known.version}", version=known.version).name
    return {"code": code, "zh": name.zh, "en": name.en}


def _clause(lib: Library, grant_id: str) -> str:
    """The law that a grant names, or empty."""
    try:
        return granting.grant(lib.store, grant_id).clause if grant_id else ""
    except NotFoundError:
        return ""
