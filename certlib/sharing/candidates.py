"""Licences that given values may be about: for one asking, or for thousands in a few statements."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from certlib.identifiers import normalise_identifier
from certlib.sharing.finding import code_forms, number_forms
from certlib.store import seeking

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from certlib.library import Library
    from certlib.model import Licence
    from certlib.sharing.comparing import Given


def candidates(lib: Library, type_code: str, given: Sequence[Given]) -> list[tuple[Licence, ...]]:
    """For each of `given` the licences of the type that its first key which finds any finds, oldest first.

    The keys are, in this order, identifier, number and holder's code; what is given beside them is not looked at.
    """
    store = lib.store
    found: list[tuple[Licence, ...]] = [()] * len(given)

    def seek(
        key: str,
        forms: Callable[[str], Collection[str]],
        find: Callable[[Collection[str]], tuple[Licence, ...]],
        keys_of: Callable[[Licence], Iterable[str]],
    ) -> None:
        open_ones = {
            place: forms(text) for place, each in enumerate(given) if not found[place] and (text := each.key(key))
        }
        if not open_ones:
            return
        by_key: dict[str, list[Licence]] = defaultdict(list)
        for licence in find({form for some in open_ones.values() for form in some}):
            for each in set(keys_of(licence)):
                by_key[each].append(licence)
        for place, some in open_ones.items():
            hits = {licence.identifier: licence for form in sorted(some) for licence in by_key.get(form, ())}
            found[place] = tuple(hits.values())

    seek(
        "identifier",
        lambda text: (normalise_identifier(text),),
        lambda keys: seeking.by_identifiers(store, type_code, keys),
        lambda licence: (licence.identifier,),
    )
    seek(
        "number",
        number_forms,
        lambda keys: seeking.by_numbers(store, type_code, keys),
        lambda licence: (licence.number,),
    )
    seek(
        "holder_code",
        lambda text: {form.upper() for form in code_forms(text)},
        lambda keys: seeking.by_holders(store, [type_code], keys),
        lambda licence: (each.code.upper() for each in licence.holders if each.code),
    )
    return found
