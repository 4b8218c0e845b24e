"""One-time codes: used once whoever races, guessed by nobody, good for what they say and no more."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import select

from certlib.errors import CertlibError, InvalidRequestError, LimitReachedError, NotFoundError
from certlib.holding.codes import code_to_show, consent_code, own_codes, see_shown, take_back
from certlib.holding.delegating import Act, revoke
from certlib.holding.sessions import HolderCaller, end_session, holder_mark
from certlib.library import Library
from certlib.store import audits, consents, looks
from certlib.store.consents import CODE_ALPHABET, new_code, normalise_code, printed_code, redeem_consent
from certlib.store.engine import reading, writing
from certlib.store.tables_holding import CODE_FAILURE, HOLDER_SESSION, ONE_TIME_CODE
from tests.support.clock import Clock
from tests.support.holders import MOTHER, SECRETS, STRANGER, agent_of_mother, licence_of, me_of
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.sharing import asker

TYPE = "practitioner-licence"


def redeemed(lib: Library, code: str, **changes: object) -> str:
    """The holder code that a consent code gives the city, or the code of the refusal."""
    parts: dict[str, object] = {
        "agency_code": CITY.code,
        "type_codes": (TYPE,),
        "fields": {TYPE: ("number",)},
        "now": lib.now(),
        "reference": "u" * 26,
    }
    try:
        with writing(lib.store) as conn:
            return redeem_consent(lib.store, conn, code, **{**parts, **changes})  # type: ignore[arg-type]  # right by reading
    except CertlibError as error:
        return error.code


def seen(lib: Library, code: str, address: str = "192.0.2.1", agency: str = "") -> str:
    """What comes of a code that is brought to a counter."""
    caller = asker(agency) if agency else None
    try:
        return str(see_shown(lib, code, caller=caller, address=address)[0]["identifier"])
    except CertlibError as error:
        return error.code


def consent(lib: Library, *fields: str) -> str:
    return consent_code(lib, me_of(lib), agency_code=CITY.code, types={TYPE: fields or ("number", "holder_name")}).code


def test_codes_are_typed_easily_and_mistyped_never() -> None:
    for _number in range(200):
        code = new_code()
        assert normalise_code(code) == code
        assert normalise_code(f" {printed_code(code).lower()} ") == code
        assert normalise_code(code.replace("0", "o").replace("1", "l")) == code
        for place in range(12):
            for other in CODE_ALPHABET:
                if other != code[place]:
                    with pytest.raises(InvalidRequestError):
                        normalise_code(code[:place] + other + code[place + 1 :])
    assert len({new_code() for _number in range(2000)}) == 2000


@pytest.mark.parametrize("text", ["", "x", "7KQ2", "U" * 12, "7KQ2-9XHM-4RT!", "\x00" * 12, "\ud800" * 12, "1" * 5000])
def test_what_is_no_code_is_told_at_once_and_not_counted(sqlite_library: Library, text: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        see_shown(sqlite_library, text, caller=None, address="192.0.2.1")
    assert caught.value.faults[0].field == "code"
    assert redeemed(sqlite_library, text) == "invalid_request"
    with reading(sqlite_library.store) as conn:
        assert conn.execute(select(CODE_FAILURE)).all() == []


def test_sixteen_who_race_for_a_consent_get_it_once(library: Library) -> None:
    code = consent(library)
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda _number: redeemed(library, code), range(16)))
    assert sorted(outcomes) == sorted([MOTHER[0]] + ["code_used"] * 15)
    check_invariants(library.store)


def test_sixteen_who_race_to_be_shown_see_it_once(library: Library) -> None:
    licence = licence_of(library)
    code = code_to_show(library, me_of(library), [licence.identifier]).code
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda number: seen(library, code, f"192.0.2.{number}"), range(16)))
    assert sorted(outcomes) == sorted([licence.identifier] + ["code_unknown"] * 15)
    (look,) = looks.looks_of_holder(library.store, MOTHER[0])
    assert (look.kind, look.outcome, look.operator, look.basis) == ("shown", "given", "anybody", "holder")
    refused = [each for each in audits.read_chain(library.store) if each.act == "code.refused"]
    assert len(refused) == 15
    check_invariants(library.store)


def test_a_transaction_that_fails_leaves_the_consent_as_good_as_before(library: Library) -> None:
    code = consent(library)
    with writing(library.store) as conn:
        redeem_consent(
            library.store, conn, code, agency_code=CITY.code, type_codes=[TYPE], fields={}, now=library.now()
        )
        conn.rollback()
    assert redeemed(library, code) == MOTHER[0]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, MOTHER[0]),
        ({"fields": {TYPE: ("holder_name", "number")}}, MOTHER[0]),
        ({"fields": {}}, MOTHER[0]),
        ({"fields": {TYPE: ("number", "holder_code")}}, "code_for_less"),
        ({"type_codes": (TYPE, "business-licence")}, "code_for_less"),
        ({"fields": {TYPE: (), "business-licence": ()}}, "code_for_less"),
        ({"type_codes": (), "fields": {}}, "code_for_less"),
        ({"agency_code": MARKET_BUREAU.code}, "code_for_other_agency"),
        ({"agency_code": ""}, "code_for_other_agency"),
    ],
)
def test_a_consent_is_good_for_what_it_says(sqlite_library: Library, changes: dict[str, object], outcome: str) -> None:
    code = consent(sqlite_library)
    assert redeemed(sqlite_library, code, **changes) == outcome
    if outcome != MOTHER[0]:
        assert redeemed(sqlite_library, code) == MOTHER[0], "a refusal must not use it up"


def test_another_agency_learns_nothing_of_a_consent_that_is_over(library: Library, clock: Clock) -> None:
    used, late = consent(library), consent(library)
    assert redeemed(library, used) == MOTHER[0]
    assert redeemed(library, used) == "code_used"
    clock.move(seconds=599)
    assert redeemed(library, late, agency_code=MARKET_BUREAU.code) == "code_for_other_agency"
    clock.move(seconds=1)
    assert redeemed(library, late) == "code_expired"
    for code in (used, late, new_code()):
        assert redeemed(library, code, agency_code=MARKET_BUREAU.code) == "code_unknown"
    assert redeemed(library, new_code()) == "code_unknown"


def test_codes_of_one_kind_are_not_codes_of_the_other(sqlite_library: Library) -> None:
    licence = licence_of(sqlite_library)
    show = code_to_show(sqlite_library, me_of(sqlite_library), [licence.identifier]).code
    agreed = consent(sqlite_library)
    assert redeemed(sqlite_library, show) == "code_unknown"
    assert seen(sqlite_library, agreed) == "code_unknown"
    assert seen(sqlite_library, show) == licence.identifier
    assert redeemed(sqlite_library, agreed) == MOTHER[0]


def test_a_code_to_show_lasts_a_minute_and_is_answered_the_same_afterwards(library: Library, clock: Clock) -> None:
    licence = licence_of(library)
    first, second, third = (code_to_show(library, me_of(library), [licence.identifier]).code for _ in range(3))
    clock.move(seconds=59)
    assert seen(library, first, agency=CITY.code) == licence.identifier
    take_back(library, me_of(library), str(own_codes(library, me_of(library))[0]["id"]))
    clock.move(seconds=1)
    answers = set()
    for number, code in enumerate((first, second, third, new_code())):
        with pytest.raises(NotFoundError) as caught:
            see_shown(library, code, caller=None, address=f"192.0.2.{number}")
        answers.add((caught.value.code, str(caught.value), caught.value.hint))
    assert len(answers) == 1
    (look,) = looks.looks_of_holder(library.store, MOTHER[0])
    assert (look.agency_code, look.client_id, look.identifier) == (CITY.code, "c1", licence.identifier)
    assert "category" in look.fields
    assert "photo" not in look.fields, "pictures stand in the file only"
    check_invariants(library.store)


def test_whoever_guesses_is_stopped_for_the_hour(library: Library, clock: Clock) -> None:
    licence = licence_of(library)
    code = code_to_show(library, me_of(library), [licence.identifier]).code
    for _number in range(20):
        assert seen(library, new_code()) == "code_unknown"
    assert seen(library, code) == "too_many_wrong_codes"
    assert seen(library, code, "192.0.2.2") == licence.identifier
    clock.move(hours=1)
    assert seen(library, new_code()) == "code_unknown"
    clock.move(days=2)
    assert seen(library, new_code()) == "code_unknown"
    with reading(library.store) as conn:
        assert len(conn.execute(select(CODE_FAILURE)).all()) == 1, "old counts must go"
    refused = [each for each in audits.read_chain(library.store) if each.act == "code.refused"]
    assert len(refused) == 22


def test_a_holder_has_so_many_open_codes_and_takes_them_back(library: Library) -> None:
    library = replace(library, settings=library.settings.model_copy(update={"open_codes_per_holder": 2}))
    first, _second = consent(library), consent(library)
    with pytest.raises(LimitReachedError) as caught:
        consent(library)
    assert caught.value.code == "too_many_codes"
    newest = own_codes(library, me_of(library))
    assert [each["state"] for each in newest] == ["open", "open"]
    for each in newest:
        take_back(library, me_of(library), str(each["id"]))
    assert redeemed(library, first) == "code_expired"
    with pytest.raises(NotFoundError):
        take_back(library, me_of(library, STRANGER), str(newest[0]["id"]))
    assert redeemed(library, consent(library)) == MOTHER[0]
    states = [(each["state"], each["used_by"], each["reference"]) for each in own_codes(library, me_of(library))]
    assert sorted(states) == [("ended", "", ""), ("ended", "", ""), ("used", CITY.code, "u" * 26)]
    check_invariants(library.store)


@pytest.mark.parametrize(
    ("agency", "types", "field", "code"),
    [
        ("", {TYPE: ["number"]}, "agency", "unknown_agency"),
        ("NOBODY", {TYPE: ["number"]}, "agency", "unknown_agency"),
        ("\x00", {TYPE: ["number"]}, "agency", "unknown_agency"),
        (CITY.code, {}, "types", "required"),
        (CITY.code, {"no-such": ["number"]}, "types", "unknown_type"),
        (CITY.code, {"\ud800": ["number"]}, "types", "unknown_type"),
        (CITY.code, {TYPE: []}, f"types.{TYPE}", "unknown_field"),
        (CITY.code, {TYPE: ["number", "iban"]}, f"types.{TYPE}", "unknown_field"),
    ],
)
def test_a_consent_names_what_there_is(
    sqlite_library: Library, agency: str, types: dict[str, list[str]], field: str, code: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        consent_code(sqlite_library, me_of(sqlite_library), agency_code=agency, types=types)
    assert [(each.field, each.code) for each in caught.value.faults] == [(field, code)]


def test_a_delegates_codes_end_with_the_delegation(library: Library) -> None:
    licence = licence_of(library)
    made = agent_of_mother(library)
    agent = me_of(library, STRANGER, acting_for=made.id)
    show = code_to_show(library, agent, [licence.identifier]).code
    agreed = consent_code(library, agent, agency_code=CITY.code, types={TYPE: ["number"]}).code
    later = consent_code(library, agent, agency_code=CITY.code, types={TYPE: ["number"]}).code
    own = code_to_show(library, me_of(library), [licence.identifier]).code
    assert redeemed(library, agreed) == MOTHER[0]
    assert sorted(str(each["state"]) for each in own_codes(library, agent)) == ["open", "open", "used"]
    assert len(own_codes(library, me_of(library))) == 4
    with pytest.raises(NotFoundError):
        take_back(library, agent, next(str(c["id"]) for c in own_codes(library, me_of(library)) if not c["delegation"]))
    revoke(library, me_of(library), made.id)
    assert redeemed(library, later) == "code_expired"
    assert seen(library, show) == "code_unknown"
    assert seen(library, own) == licence.identifier
    assert consents.delegations_behind(library.store, ["u" * 26, "", "x"]) == {"u" * 26: made.id}


def shown_by(lib: Library, who: HolderCaller, identifier: str) -> str:
    """The code of the refusal to make a code for somebody who was let in before, or empty."""
    try:
        code_to_show(lib, who, [identifier])
    except CertlibError as error:
        return error.code
    return ""


def test_what_is_revoked_meanwhile_is_not_done(library: Library) -> None:
    licence = licence_of(library)
    made = agent_of_mother(library, acts=frozenset({Act.SHOW}))
    agent, mother = me_of(library, STRANGER, acting_for=made.id), me_of(library)
    revoke(library, me_of(library), made.id)
    assert shown_by(library, agent, licence.identifier) == "delegation_over"
    end_session(library, mother)
    assert shown_by(library, mother, licence.identifier) == "session_over"
    assert own_codes(library, me_of(library)) == []


def test_nothing_personal_and_no_code_stands_anywhere_in_clear(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    licence = licence_of(library)
    show = code_to_show(library, me_of(library), [licence.identifier])
    agreed = consent(library)
    assert seen(library, show.code) == licence.identifier
    assert seen(library, show.code) == "code_unknown"
    assert redeemed(library, agreed) == MOTHER[0]
    kept = [str(each) for each in audits.read_chain(library.store)]
    with reading(library.store) as conn:
        for table in (HOLDER_SESSION, ONE_TIME_CODE, CODE_FAILURE):
            kept += [str(row) for row in conn.execute(select(table)).mappings()]
    text = "\n".join([*kept, caplog.text, repr(show), repr(me_of(library))])
    codes = [show.code, show.code.replace("-", ""), agreed, agreed.replace("-", "")]
    assert not [each for each in (*SECRETS, *codes, "identity card") if each in text]
    assert holder_mark(library, MOTHER[0]) in text
