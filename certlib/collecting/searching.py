"""Finding a licence among our own and the collected ones, and handing a check on to the library that holds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from certlib import foreign
from certlib.collecting.feeding import admitted, asking_of, entry_json
from certlib.collecting.following import bearer_at
from certlib.collecting.reaching import RefusedElsewhereError, Sent, ask, json_answer
from certlib.errors import FieldFault, InvalidRequestError, NotFoundError, UnavailableError
from certlib.grants import Interface, require_asking
from certlib.identifiers import normalise_identifier
from certlib.model import OverallWord
from certlib.receipting import new_receipt_id
from certlib.sharing import finding
from certlib.sharing.admission import admit, settle
from certlib.sharing.checks import ACT as CHECKED
from certlib.store import agencies, audits, collected, feeds
from signing.errors import VerificationError
from signing.receipts import verify_receipt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.grants import Asking
    from certlib.library import Library
    from certlib.store.collected import Collected
    from certlib.store.feeds import CatalogueEntry

MAX_KEY_CHARACTERS: Final = 128
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_RESULTS: Final = frozenset({"match", "differs", "not_recorded", "ambiguous", "nothing_found"})
SIGNED: Final = ("result", "fields", "word", "status_as_of")
"""Members of a check's answer that its receipt says too."""
_CODE: Final = re.compile(r"[a-z_]{1,32}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A licence and the library that holds it."""

    entry: CatalogueEntry
    library: str
    """Its name."""
    url: str
    """Where to ask."""
    own: bool


def held_json(held: Held) -> dict[str, JsonValue]:
    """The same for the wire."""
    return {**entry_json(held.entry), "library": {"name": held.library, "url": held.url, "own": held.own}}


def find_all(lib: Library, *, identifier: str = "", number: str = "", type_code: str = "") -> tuple[Held, ...]:
    """What this library and the collected catalogues say, for its operator. A number only where it is public.

    Raises:
        InvalidRequestError: neither identifier nor number, or one that none could be.
    """
    identifier, number = _keys(identifier, number)
    types = [each.code for each in agencies.all_types(lib.store)]
    own = _own(lib, identifier, number, [each for each in dict.fromkeys(types) if type_code in ("", each)])
    known = collected.found(lib.store, identifier=identifier, number=number)
    return own + tuple(_collected(each) for each in known if type_code in ("", each.entry.type_code))


def find_granted(  # noqa: PLR0913  # what a search may name
    lib: Library,
    caller: AgencyCaller,
    *,
    matter_code: str,
    identifier: str = "",
    number: str = "",
    type_code: str = "",
) -> tuple[Held, ...]:
    """The same for an agency's system, of the types that it is granted for the feed. Nothing else leaves a trace.

    Raises:
        InvalidRequestError: as `find_all`.
        ForbiddenError, LimitReachedError: as `admission`.
    """
    identifier, number = _keys(identifier, number)
    granted = admitted(lib, caller, asking_of(caller, matter_code))
    segments = {finding.type_of(lib, code).segment: code for code in granted if type_code in ("", code)}
    found = _own(lib, identifier, number, list(segments.values()))
    known = collected.found(lib.store, identifier=identifier, number=number, type_segments=tuple(segments))
    found += tuple(_collected(each) for each in known)
    first = segments[found[0].entry.type_segment] if found else next(iter(granted))
    look = granted[first].look(outcome="found" if found else "nothing_found", reference=new_receipt_id())
    settle(lib, granted[first], [look])
    return found


def _keys(identifier: str, number: str) -> tuple[str, str]:
    faults = [
        FieldFault(field=name, code="bad_key", reason=f"must have at most {MAX_KEY_CHARACTERS} characters that print")
        for name, value in (("identifier", identifier), ("number", number))
        if len(value) > MAX_KEY_CHARACTERS or (value and not value.isprintable())
    ]
    if not (identifier or number):
        faults.append(FieldFault(field="identifier", code="required", reason="give an identifier or a number"))
    if faults:
        raise InvalidRequestError(tuple(faults))
    return normalise_identifier(identifier) if identifier else "", number.strip()


def _own(lib: Library, identifier: str, number: str, type_codes: list[str]) -> tuple[Held, ...]:
    """Our own; a number that is not public finds nothing."""
    entries: tuple[CatalogueEntry, ...] = ()
    if identifier:
        entries = feeds.own_entries(lib.store, identifier=identifier, type_codes=type_codes)
    else:
        licences = [each for code in type_codes for each in finding.find(lib, type_code=code, number=number)]
        entries = tuple(
            entry
            for each in licences
            for entry in feeds.own_entries(lib.store, identifier=each.identifier, type_codes=type_codes)
            if not entry.number_masked
        )
    name, url = lib.settings.library_name, lib.settings.base_url
    fits = (each for each in entries if not number or (each.number == number and not each.number_masked))
    return tuple(Held(entry=each, library=name, url=url, own=True) for each in fits)


def _collected(known: Collected) -> Held:
    return Held(entry=known.entry, library=known.source.name, url=known.source.url, own=False)


def forward_check(
    lib: Library, caller: AgencyCaller | None, asking: Asking, *, identifier: str, given: Mapping[str, str]
) -> dict[str, JsonValue]:
    """Ask the library that holds the licence to compare, as our client there; its answer, and who it is.

    Its grants for us decide, and it sees our operator, matter, case and purpose. The answer counts only with a receipt
    that its trust pack vouches for. `caller` is the system that asks, by its grants here; None for this library's
    operator.

    Raises:
        InvalidRequestError: purpose or values are missing.
        NotFoundError: no library is known to hold it; code `held_here`: this one does.
        ForbiddenError, LimitReachedError: our grants refuse, or its do (`refused_elsewhere`).
        UnavailableError: it does not answer, or not as a library does.
    """
    require_asking(asking)
    identifier, _ = _keys(identifier, "")
    if not given or any(not _FIELD.fullmatch(name) for name in given):
        raise InvalidRequestError((FieldFault(field="given", code="required", reason="name the values to compare"),))
    known = collected.found(lib.store, identifier=identifier)
    admission = None
    if caller is not None:
        code = _local_type(lib, identifier)
        names = tuple(name for name in given if name != "identifier")
        admission = admit(lib, caller, asking, interface=Interface.CHECK, type_code=code, fields=names)
    if not known:
        if admission is not None:
            settle(lib, admission, [admission.look(outcome="nothing_found", reference=new_receipt_id())])
        own = feeds.own_entries(
            lib.store, identifier=identifier, type_codes=[each.code for each in agencies.all_types(lib.store)]
        )
        if own:
            raise NotFoundError("this library holds it: POST /v1/checks", code="held_here")
        raise NotFoundError("no library is known to hold this licence")
    held = known[0]
    answer = _asked(lib, held, asking, {**given, "identifier": identifier})
    reference = str(answer["receipt_id"])
    if admission is not None:
        settle(lib, admission, [admission.look(outcome=str(answer["result"]), reference=reference)])
    else:
        detail: dict[str, str | int] = {
            "library": held.source.url,
            "matter": asking.matter_code,
            "case": asking.case_number,
            "fields": " ".join(given),
            "result": str(answer["result"]),
            "reference": reference,
        }
        entry = audits.Entry(actor=asking.operator, act="check.forwarded", subject=identifier, detail=detail)
        audits.note(lib.store, entry, at=lib.now())
    return {"library": {"name": held.source.name, "url": held.source.url, "own": False}, "answer": answer}


def _local_type(lib: Library, identifier: str) -> str:
    """Code of our type that has the segment of the identifier; what we have no type for, nobody is granted."""
    segments = identifier.rsplit(".", 5)
    wanted = segments[1] if len(segments) == 6 else ""  # noqa: PLR2004  # root and five segments
    types = {each.code for each in agencies.all_types(lib.store)}
    return next((code for code in sorted(types) if finding.type_of(lib, code).segment == wanted), "")


def _asked(lib: Library, held: Collected, asking: Asking, given: Mapping[str, str]) -> dict[str, JsonValue]:
    """The library's answer, once its receipt has been checked. Raises as `forward_check`."""
    body = {
        "type": held.entry.type_code,
        "given": dict(given),
        "matter_code": asking.matter_code,
        "case_number": asking.case_number,
        "purpose": asking.purpose,
        "operator": asking.operator,
    }
    source = held.source
    said = json_answer(ask(source.url, Sent(path="/v1/checks", body=body, bearer=bearer_at(lib, source))), source.url)
    trust = foreign.trust_at(lib, source.anchor_sha256)
    receipt = said.get("receipt")
    if trust is None:
        raise UnavailableError(f"the trust pack of {source.name} is of no use now: certlib collect run", code="stale")
    try:
        proved = verify_receipt(receipt if isinstance(receipt, str) else "", trust.pack, now=lib.now()).receipt
    except VerificationError as error:
        raise _odd(source.url) from error
    answer = _answer(said, source.url)
    signed: dict[str, Any] = dict(proved.result)
    about = given_there.get("identifier") if isinstance(given_there := signed.get("given"), dict) else None
    if (proved.act, proved.receipt_id, about) != (CHECKED, answer["receipt_id"], given["identifier"]) or any(
        signed.get(name) != answer[name] for name in SIGNED
    ):
        raise _odd(source.url)
    return {**answer, "receipt": str(receipt)}


def _answer(said: dict[str, Any], url: str) -> dict[str, JsonValue]:
    """The members that a check's answer has, and no others."""
    fields, word, result = said.get("fields"), said.get("word"), said.get("result")
    texts = {name: said.get(name) for name in ("checked_at", "receipt_id")}
    good = (
        isinstance(fields, dict)
        and all(_FIELD.fullmatch(name) and isinstance(each, str) and each in _RESULTS for name, each in fields.items())
        and isinstance(result, str)
        and result in _RESULTS
        and (word is None or word in set(OverallWord))
        and all(isinstance(each, str) and len(each) <= 64 and each.isprintable() for each in texts.values())  # noqa: PLR2004  # times and ids
        and (said.get("status_as_of") is None or isinstance(said["status_as_of"], str))
    )
    if not good:
        raise _odd(url)
    members = ("result", "fields", "word", "status_as_of", "checked_at", "receipt_id")
    return {name: said[name] for name in members}


def _odd(url: str) -> UnavailableError:
    return UnavailableError(f"the library at {url} answers with nothing that it vouches for", code="bad_answer")


__all__ = ["Held", "RefusedElsewhereError", "find_all", "find_granted", "forward_check", "held_json"]
