"""Uses: the law answers at once, a holder when asked; a code serves once; nothing tells who exists."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from certlib.changing import order_change
from certlib.errors import CertlibError, ConflictError, ForbiddenError, InvalidRequestError, LimitReachedError
from certlib.grants import Basis, Interface
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Licence
from certlib.sharing.use_data import read_data
from certlib.sharing.uses import UseRequest, UseState, ask, decide, own_use, own_uses, requests_of
from certlib.store import audits, granting, looks
from tests.support.changes import order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request
from tests.support.sharing import COMPANY_FIELDS, asker, asking, granted
from tests.support.uses import FIELDS, HOLDER, STRANGER, TYPE, consent_code, use_request


@pytest.fixture
def licence(library: Library) -> Licence:
    return issue(library, company_request()).licence


def refusal(lib: Library, request: UseRequest, **caller: str) -> str:
    """The code of the refusal of a request, or empty."""
    try:
        ask(lib, asker(**caller), request)
    except CertlibError as error:
        return error.code
    return ""


def reading(lib: Library, code: str, **caller: str) -> str:
    """The code of the refusal of a reading, or the words read."""
    try:
        read = read_data(lib, asker(**caller), code)
    except CertlibError as error:
        return error.code
    return " ".join(each.word for each in read.licences)


def acts(lib: Library) -> list[str]:
    return [each.act for each in audits.read_chain(lib.store) if each.act.startswith(("use.", "look.", "share."))]


def test_the_law_answers_at_once(library: Library, licence: Licence) -> None:
    grant = granted(library)
    use, new = ask(library, asker(), use_request())
    assert (new, use.state, use.basis, use.decided_by) == (True, UseState.GRANTED, Basis.STATUTORY, "law")
    assert (len(use.id), use.expires_at - use.made_at) == (26, timedelta(hours=24))
    assert looks.looks_of_holder(library.store, HOLDER) == ()
    read = read_data(library, asker(), use.id)
    (one,) = read.licences
    assert (one.identifier, one.word) == (licence.identifier, "valid")
    assert one.fields == {
        "number": HOLDER,
        "holder_name": "甬江样本茶叶贸易有限公司",
        "address": "样本市江湾区望湖街道听潮路168号3幢2单元201室",
    }
    (look,) = looks.looks_of_holder(library.store, HOLDER)
    assert (look.kind, look.outcome, look.reference, look.fields) == ("data", "given", use.id, FIELDS)
    assert (look.basis, look.grant_id, look.identifier) == ("statutory", grant.id, licence.identifier)
    assert granting.used(library.store, grant.id, library.now().date()) == 1
    assert acts(library) == ["use.granted", "look.data"]
    assert requests_of(library, HOLDER) == ()
    assert [each.id for each in own_uses(library, asker())] == [use.id]
    assert "甬江" not in str(list(audits.read_chain(library.store)))
    check_invariants(library.store)


def test_without_fields_all_that_is_granted_is_given(library: Library, licence: Licence) -> None:
    granted(library, fields=("number", "address", "holder_code"))
    use, _ = ask(library, asker(), use_request(fields={}, interfaces=(Interface.DATA,)))
    (one,) = read_data(library, asker(), use.id).licences
    assert set(one.fields) == {"number", "address", "holder_code"}
    assert one.identifier == licence.identifier


@pytest.mark.parametrize("holder", [HOLDER, STRANGER])
def test_a_request_waits_alike_for_who_exists_and_who_does_not(
    library: Library, licence: Licence, holder: str, clock: Clock
) -> None:
    granted(library, basis=Basis.CONSENT, clause="")
    use, _ = ask(library, asker(), use_request(holder_code=holder))
    assert (use.state, use.decided_by, use.expires_at - use.made_at) == (UseState.PENDING, "", timedelta(hours=72))
    assert reading(library, use.id) == "use_pending"
    assert looks.looks_of_holder(library.store, holder) == ()
    (seen,) = requests_of(library, holder.lower())
    assert seen == use
    clock.move(hours=1)
    done = decide(library, holder, use.id, approve=True, by="holder")
    assert (done.state, done.expires_at) == (UseState.GRANTED, clock() + timedelta(hours=24))
    assert decide(library, holder, use.id, approve=True, by="holder") == done
    assert reading(library, use.id) == ("valid" if holder == HOLDER else "")
    (look,) = looks.looks_of_holder(library.store, holder)
    assert (look.basis, look.outcome) == ("consent", "given" if holder == HOLDER else "nothing_found")
    assert look.identifier == (licence.identifier if holder == HOLDER else "")
    assert acts(library) == ["use.requested", "use.consent", "look.data"]
    check_invariants(library.store)


def test_who_declines_who_waits_too_long_who_takes_it_back(library: Library, licence: Licence, clock: Clock) -> None:
    granted(library, basis=Basis.CONSENT, clause="")
    declined, late, back = (ask(library, asker(), use_request(request_id=each))[0] for each in "abc")
    assert decide(library, HOLDER, declined.id, approve=False, by="holder").state is UseState.DECLINED
    assert decide(library, HOLDER, declined.id, approve=False, by="holder").state is UseState.DECLINED
    with pytest.raises(ConflictError) as caught:
        decide(library, HOLDER, declined.id, approve=True, by="holder")
    assert caught.value.code == "already_decided"
    assert reading(library, declined.id) == "use_declined"
    decide(library, HOLDER, back.id, approve=True, by="holder")
    assert reading(library, back.id) == "valid"
    assert decide(library, HOLDER, back.id, approve=False, by="holder").state is UseState.WITHDRAWN
    assert reading(library, back.id) == "consent_withdrawn"
    with pytest.raises(ConflictError):
        decide(library, HOLDER, back.id, approve=True, by="holder")
    clock.move(hours=72)
    with pytest.raises(ConflictError) as caught:
        decide(library, HOLDER, late.id, approve=True, by="holder")
    assert caught.value.code == "request_expired"
    assert reading(library, late.id) == "use_expired"
    assert own_uses(library, asker()) == ()
    states = {each.id: each.state for each in requests_of(library, HOLDER)}
    assert states == {
        declined.id: UseState.DECLINED, late.id: UseState.EXPIRED, back.id: UseState.WITHDRAWN,
    }  # fmt: skip
    assert {"use.declined", "use.withdrawn", "use.consent"} <= set(acts(library))
    assert [each.identifier for each in looks.looks_of_holder(library.store, HOLDER)] == [licence.identifier]


def test_nobody_answers_for_another(library: Library) -> None:
    granted(library, basis=Basis.CONSENT, clause="")
    use, _ = ask(library, asker(), use_request())
    for holder, code in ((STRANGER, use.id), (HOLDER, "0" * 26), (HOLDER, "x\x00"), ("", use.id)):
        for approve in (True, False):
            with pytest.raises(CertlibError) as caught:
                decide(library, holder, code, approve=approve, by="holder")
            assert caught.value.code == "request_not_found"
    statutory = granted(library)
    lawful, _ = ask(library, asker(), use_request())
    assert lawful.basis is Basis.STATUTORY
    with pytest.raises(CertlibError) as caught:
        decide(library, HOLDER, lawful.id, approve=False, by="holder")
    assert caught.value.code == "request_not_found"
    assert statutory.clause == lawful.parts[0].clause


def test_a_code_of_the_holder_serves_once(library: Library, licence: Licence) -> None:
    granted(library, basis=Basis.CONSENT, clause="")
    code = consent_code(library)
    request = use_request(holder_code="", consent_code=code.lower(), request_id="r1")
    use, new = ask(library, asker(), request)
    assert (new, use.state, use.basis, use.decided_by) == (True, UseState.GRANTED, Basis.CONSENT, "code")
    assert ask(library, asker(), request) == (use, False)
    assert refusal(library, use_request(consent_code=code)) == "code_used"
    assert reading(library, use.id) == "valid"
    assert [each.id for each in requests_of(library, HOLDER)] == [use.id]
    assert licence.identifier == looks.looks_of_holder(library.store, HOLDER)[0].identifier
    assert acts(library) == ["use.granted", "share.refused", "look.data"]
    check_invariants(library.store)


def test_a_code_that_does_not_serve_is_refused_and_counted(library: Library, clock: Clock) -> None:
    granted(library, basis=Basis.CONSENT, clause="")
    granted(library, agency_code=MARKET_BUREAU.code, basis=Basis.CONSENT, clause="")
    less, other = consent_code(library, types={TYPE: ("number",)}), consent_code(library, holder_code=STRANGER)
    foreign = consent_code(library, agency_code=MARKET_BUREAU.code)
    assert refusal(library, use_request(consent_code=less)) == "code_for_less"
    assert refusal(library, use_request(consent_code=other)) == "code_unknown"
    assert refusal(library, use_request(consent_code=foreign)) == "code_for_other_agency"
    assert refusal(library, use_request(consent_code=consent_code(library)[:-1] + "*")) == "invalid_request"
    # A refusal uses nothing up.
    assert refusal(library, use_request(consent_code=less, fields={TYPE: ("number",)})) == ""
    assert refusal(library, use_request(consent_code=other, holder_code=STRANGER)) == ""
    old = consent_code(library)
    clock.move(hours=1)
    assert refusal(library, use_request(consent_code=old)) == "code_expired"
    for _ in range(library.settings.wrong_codes_per_hour):
        refusal(library, use_request(consent_code=foreign))
    assert refusal(library, use_request(consent_code=consent_code(library))) == "too_many_wrong_codes"


def test_sixteen_callers_with_one_code_get_one_use(library: Library, licence: Licence) -> None:
    granted(library, basis=Basis.CONSENT, clause="")
    code = consent_code(library)
    with ThreadPoolExecutor(16) as pool:
        ends = list(pool.map(lambda _n: refusal(library, use_request(consent_code=code)), range(16)))
    assert sorted(ends) == ["", *["code_used"] * 15]
    (use,) = own_uses(library, asker())
    assert reading(library, use.id) == "valid"
    assert licence.number == HOLDER
    check_invariants(library.store)


def test_sixteen_callers_with_one_request_id_get_one_use(library: Library) -> None:
    granted(library)
    with ThreadPoolExecutor(16) as pool:
        ends = list(pool.map(lambda _n: ask(library, asker(), use_request(request_id="r1")), range(16)))
    assert len({use.id for use, _new in ends}) == 1
    assert sum(new for _use, new in ends) == 1
    other = use_request(request_id="r1", asking=asking(purpose="Something else"))
    assert refusal(library, other) == "other_use"
    assert refusal(library, other, code=MARKET_BUREAU.code) == "no_grant"


def test_each_reading_is_judged_anew(library: Library, licence: Licence, clock: Clock) -> None:
    grant = granted(library, networks=("127.0.0.0/8",), daily_cap=2)
    use, _ = ask(library, asker(), use_request())
    assert reading(library, use.id, address="192.0.2.1") == "network_not_granted"
    assert reading(library, use.id) == "valid"
    order_change(library, MARKET_BUREAU.code, licence.identifier, order("suspend"))
    assert reading(library, use.id) == "suspended"
    assert reading(library, use.id) == "daily_cap_reached"
    clock.move(hours=23)
    order_change(library, MARKET_BUREAU.code, licence.identifier, order("revoke"))
    assert reading(library, use.id) == "revoked"
    granting.end_grant(library.store, grant.id, operator="tests", reason="over", now=library.now())
    assert reading(library, use.id) == "grant_not_in_force"
    narrow = granted(library, fields=("number",))
    assert reading(library, use.id) == "field_not_granted"
    granting.end_grant(library.store, narrow.id, operator="tests", reason="over", now=library.now())
    granted(library, basis=Basis.CONSENT, clause="")
    assert reading(library, use.id) == "consent_needed"
    clock.move(hours=1)
    assert reading(library, use.id) == "use_expired"
    assert len(looks.looks_of_reference(library.store, use.id)) == 3
    check_invariants(library.store)


def test_another_agency_knows_no_use(library: Library) -> None:
    granted(library)
    use, _ = ask(library, asker(), use_request())
    ends = []
    for code in (use.id, "0" * 26):
        before = audits.chain_head(library.store).seq
        with pytest.raises(CertlibError) as caught:
            own_use(library, asker(MARKET_BUREAU.code), code)
        ends.append((caught.value.code, str(caught.value), audits.chain_head(library.store).seq - before))
    assert ends[0] == ends[1] == ("use_not_found", "no use is known under this code", 1)
    for code in ("", "x", use.id.upper(), "é" * 26, "0" * 4096, "\x00" * 26):
        with pytest.raises(CertlibError) as caught:
            own_use(library, asker(), code)
        assert caught.value.code == "use_not_found"


def test_a_use_of_one_licence_by_its_identifier(library: Library, licence: Licence) -> None:
    granted(library)
    by_identifier = use_request(holder_code="", identifier=licence.identifier)
    assert reading(library, ask(library, asker(), by_identifier)[0].id) == "valid"
    strange = use_request(holder_code=STRANGER, identifier=licence.identifier)
    assert reading(library, ask(library, asker(), strange)[0].id) == ""
    nothing = use_request(holder_code="", identifier="1.2.3")
    assert reading(library, ask(library, asker(), nothing)[0].id) == ""
    consent = granted(library, agency_code=MARKET_BUREAU.code, basis=Basis.CONSENT, clause="")
    with pytest.raises(InvalidRequestError) as caught:
        ask(library, asker(consent.agency_code), by_identifier)
    assert [each.field for each in caught.value.faults] == ["holder_code"]


def test_nobody_is_pestered(library: Library) -> None:
    granted(library, basis=Basis.CONSENT, clause="")
    for _ in range(5):
        ask(library, asker(), use_request())
    with pytest.raises(LimitReachedError) as caught:
        ask(library, asker(), use_request())
    assert caught.value.code == "too_many_waiting"
    ask(library, asker(), use_request(holder_code=STRANGER))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"interfaces": ()}, "interfaces"),
        ({"interfaces": (Interface.FEED,)}, "interfaces"),
        ({"types": (), "fields": {}}, "types"),
        ({"types": (TYPE, TYPE)}, "types"),
        ({"types": ("../x",), "fields": {}}, "types"),
        ({"types": tuple(f"t{n}" for n in range(21)), "fields": {}}, "types"),
        ({"fields": {"other": ("number",)}}, "fields"),
        ({"fields": {TYPE: ("number", "number")}}, "fields"),
        ({"holder_code": ""}, "holder_code"),
        ({"holder_code": "\ud800"}, "holder_code"),
        ({"holder_code": "9" * 129}, "holder_code"),
        ({"identifier": "\x00"}, "identifier"),
        ({"types": (TYPE, "other"), "identifier": "1.2.3"}, "types"),
        ({"request_id": "x" * 129}, "Idempotency-Key"),
        ({"asking": asking(purpose=" ")}, "purpose"),
    ],
)
def test_a_bad_request_names_its_member(sqlite_library: Library, changes: dict[str, object], field: str) -> None:
    granted(sqlite_library)
    with pytest.raises(InvalidRequestError) as caught:
        ask(sqlite_library, asker(), use_request(**changes))
    assert [each.field for each in caught.value.faults] == [field]


def test_refusals_follow_the_grants_alone(sqlite_library: Library, clock: Clock) -> None:
    assert refusal(sqlite_library, use_request()) == "no_grant"
    granted(sqlite_library, interfaces=frozenset({Interface.DATA}), fields=COMPANY_FIELDS[:3])
    assert refusal(sqlite_library, use_request(fields={TYPE: ("number",)})) == "interface_not_granted"
    data = use_request(interfaces=(Interface.DATA,))
    assert refusal(sqlite_library, data) == "field_not_granted"
    few = use_request(interfaces=(Interface.DATA,), fields={TYPE: ("number",)})
    assert refusal(sqlite_library, few) == ""
    assert refusal(sqlite_library, use_request(types=(TYPE, "no-such"), fields={})) in (
        "interface_not_granted",
        "no_grant",
    )
    use, _ = ask(sqlite_library, asker(), few)
    clock.move(minutes=1)
    assert reading(sqlite_library, use.id) == ""


def test_a_consent_taken_back_while_it_is_read(library: Library, licence: Licence) -> None:
    """The reading has begun; before it is put down the holder says no: nothing leaves."""
    granted(library, basis=Basis.CONSENT, clause="")
    use, _ = ask(library, asker(), use_request())
    decide(library, HOLDER, use.id, approve=True, by="holder")

    def taken_back(step: str) -> None:
        if step == "read":
            decide(library, HOLDER, use.id, approve=False, by="holder")

    with pytest.raises(ForbiddenError) as caught:
        read_data(replace(library, step=taken_back), asker(), use.id)
    assert caught.value.code == "consent_withdrawn"
    assert looks.looks_of_licence(library.store, licence.identifier) == ()


def test_a_holder_who_says_yes_and_no_at_once(library: Library, licence: Licence) -> None:
    """Whatever word comes last stands; a no is never overtaken by a yes, and nothing is bound twice."""
    granted(library, basis=Basis.CONSENT, clause="")
    use, _ = ask(library, asker(), use_request())

    def answer(number: int) -> str:
        try:
            return decide(library, HOLDER, use.id, approve=bool(number % 2), by="holder").state
        except CertlibError as error:
            return error.code

    with ThreadPoolExecutor(16) as pool:
        ends = set(pool.map(answer, range(16)))
    assert ends <= {"granted", "declined", "withdrawn", "already_decided"}
    (one,) = requests_of(library, HOLDER)
    assert one.state in (UseState.DECLINED, UseState.WITHDRAWN)
    assert reading(library, use.id) in ("use_declined", "consent_withdrawn")
    assert acts(library).count("use.consent") <= 1
    assert acts(library).count("use.declined") + acts(library).count("use.withdrawn") == 1
    assert looks.looks_of_licence(library.store, licence.identifier) == ()
    check_invariants(library.store)
