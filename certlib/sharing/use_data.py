"""Reading under a use code: the granted fields of the licences found, judged, counted and put down at each reading."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from certlib.errors import ForbiddenError, LimitReachedError
from certlib.grants import Basis, Interface
from certlib.receipting import new_receipt_id, signed_answer
from certlib.sharing.admission import HINT, admit, drawn, refuse
from certlib.sharing.finding import values_of, word_of
from certlib.sharing.uses import own_use, require_readable
from certlib.store import looks, lookups
from certlib.store import uses as rows
from certlib.store.engine import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.library import Library
    from certlib.model import Licence
    from certlib.sharing.admission import Admission
    from certlib.store.engine import Transaction
    from certlib.store.looks import Look
    from certlib.store.uses import Part, Use

GIVEN: Final = "given"
NOTHING_FOUND: Final = "nothing_found"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadLicence:
    """What was read of one licence."""

    identifier: str
    type_code: str
    word: str
    """What the record says of it at the moment of reading."""
    fields: Mapping[str, str]
    """Granted and recorded ones."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UseData:
    """One reading."""

    use: Use
    read_at: datetime
    licences: tuple[ReadLicence, ...]
    """Oldest first; may be empty."""
    receipt_id: str
    receipt: str
    """Compact JWS that says what was read: names, words and digests, never a value."""


def read_data(lib: Library, caller: AgencyCaller, code: str) -> UseData:
    """The granted fields and the current word of each licence of a use. Each reading is judged anew and put down.

    Raises:
        NotFoundError: code `use_not_found`.
        ConflictError: code `use_pending`.
        ForbiddenError: the use has ended, or a grant behind it does not allow it any more.
        LimitReachedError: the day's cap is used up.
        UnavailableError: it cannot be put down, so there is no answer.
    """
    use = own_use(lib, caller, code)
    require_readable(lib, caller, use, Interface.DATA)
    admissions = {part.type_code: admit_part(lib, caller, use, part, Interface.DATA) for part in use.parts}
    found = list(bound_licences(lib, use))
    now = lib.now()
    read = tuple(
        ReadLicence(
            identifier=licence.identifier,
            type_code=licence.type_code,
            word=word_of(licence, now).value,
            fields=values_of(lib, licence, admissions[licence.type_code].fields),
        )
        for licence in found
    )
    receipt_id = new_receipt_id()
    receipt = signed_answer(
        lib, caller, use.asking, act="data", subject=use.id, result=_said(use, read), checked_at=now,
        receipt_id=receipt_id,
    )  # fmt: skip
    lib.step("read")
    settle_use(
        lib,
        use,
        [(admissions[part.type_code], part_looks(use, admissions[part.type_code], found)) for part in use.parts],
        also=lambda conn: rows.note_words(conn, use.id, {each.identifier: each.word for each in read}, now=now),
    )
    return UseData(use=use, read_at=now, licences=read, receipt_id=receipt_id, receipt=receipt)


def admit_part(lib: Library, caller: AgencyCaller, use: Use, part: Part, interface: Interface) -> Admission:
    """What a use asks of one type, judged by the grants as they are now. The law's use draws on the law's grants only.

    Raises:
        ForbiddenError: the `grants.Rule` that failed, or `no_grant` when only consent would allow it now.
    """
    admission = admit(lib, caller, use.asking, interface=interface, type_code=part.type_code, fields=part.fields)
    if use.basis is Basis.CONSENT:
        return admission
    by_law = tuple(grant for grant in admission.grants if grant.basis is Basis.STATUTORY)
    if not by_law:
        refuse(lib, caller, use.asking, interface=interface, type_code=part.type_code, code="consent_needed")
        raise ForbiddenError("the grant needs the holder's consent now", code="consent_needed", hint=HINT)
    return replace(admission, grants=by_law)


def bound_licences(lib: Library, use: Use) -> Iterator[Licence]:
    """The licences that a use is bound to, as the record has them now, oldest first."""
    for identifier in rows.licences_of(lib.store, use.id):
        yield lookups.licence_by_identifier(lib.store, identifier)


def part_looks(use: Use, admission: Admission, found: Sequence[Licence], *, outcome: str = GIVEN) -> list[Look]:
    """The ledger's rows for one type of a use; one that says so when nothing was found."""
    mine = [licence for licence in found if licence.type_code == admission.type_code]
    made = [
        admission.look(outcome=outcome, identifier=licence.identifier, holder_code=use.holder_code, reference=use.id)
        for licence in mine
    ]
    if not made:
        made = [admission.look(outcome=NOTHING_FOUND, holder_code=use.holder_code, reference=use.id)]
    return [replace(look, basis=use.basis.value) for look in made]


def settle_use(
    lib: Library,
    use: Use,
    settled: Sequence[tuple[Admission, Sequence[Look]]],
    *,
    times: int | None = None,
    also: Callable[[Transaction], None] | None = None,
) -> None:
    """Count and put down what was read under a use, of all its types in one transaction, if the use still stands.

    As `admission.settle`; `times` counts for each type, one for each look unless said. `also` does more in the same
    transaction, before the looks.

    Raises:
        ForbiddenError: the consent was taken back meanwhile, or the use has expired.
        LimitReachedError: code `daily_cap_reached`; nothing is put down but the refusal.
    """
    try:
        with writing(lib.store) as conn:
            rows.require_granted(conn, use, now=lib.now())
            if also is not None:
                also(conn)
            counted: list[Look] = []
            for admission, found in sorted(settled, key=lambda pair: pair[0].type_code):
                grant = drawn(conn, admission, len(found) if times is None else times)
                counted += [replace(look, grant_id=grant.id) for look in found]
            looks.put(lib.store, conn, counted)
    except (LimitReachedError, ForbiddenError) as error:
        first = settled[0][0]
        refuse(lib, first.caller, use.asking, interface=first.interface, type_code=first.type_code, code=error.code)
        raise


def values_digest(fields: Mapping[str, str]) -> str:
    """SHA-256 of the values as read: JSON with sorted names, no blanks, UTF-8. Proves them without telling them."""
    text = json.dumps(dict(fields), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _said(use: Use, read: Sequence[ReadLicence]) -> dict[str, JsonValue]:
    """What the receipt says of a reading."""
    return {
        "use_code": use.id,
        "basis": use.basis.value,
        "licences": [
            {
                "identifier": each.identifier,
                "type": each.type_code,
                "word": each.word,
                "fields": [*sorted(each.fields)],
                "values_sha256": values_digest(each.fields),
            }
            for each in read
        ],
    }
