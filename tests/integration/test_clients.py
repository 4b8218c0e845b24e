"""Clients in the database: races, replays, rotation, disabling, limits, and what the audit chain keeps of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from certlib import authorising, clients
from certlib.authorising import access_token, printed_bearer
from certlib.callers import authenticate
from certlib.clients import (
    add_asking_agency,
    add_client,
    client_json,
    disable_client,
    hashed_secret,
    list_clients,
    rotate_client,
    same_secret,
)
from certlib.enrolling import issuing_kit
from certlib.errors import CertlibError, InvalidRequestError, LimitReachedError, SetupError, UnauthenticatedError
from certlib.identifiers import AgencyCode
from certlib.library import Library, close_library
from certlib.model import Agency
from certlib.store import agencies, audits
from certlib.store.clients import TOKENS_PER_MINUTE
from certlib.store.engine import reading
from certlib.store.tables_clients import USED_ASSERTION
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, opened
from tests.support.oauth import new_key, public_jwk, system


def acts(lib: Library) -> list[str]:
    return [record.act for record in audits.read_chain(lib.store) if record.act.startswith("client.")]


def code_of(lib: Library, asked: authorising.TokenRequest) -> str:
    """The code of the refusal, or empty."""
    try:
        access_token(lib, asked)
    except CertlibError as error:
        return error.code
    return ""


def remembered(lib: Library) -> int:
    with reading(lib.store) as conn:
        return int(conn.execute(select(func.count()).select_from(USED_ASSERTION)).scalar_one())


def test_an_assertion_is_taken_once_whoever_races(library: Library, clock: Clock) -> None:
    """By sixteen threads of two processes that know nothing of each other but the database."""
    desk = system(library)
    other = opened(library.settings, now=clock)
    try:
        asked = desk.asked()
        with ThreadPoolExecutor(16) as pool:
            codes = list(pool.map(lambda number: code_of((library, other)[number % 2], asked), range(32)))
        assert sorted(codes) == ["", *["invalid_client"] * 31]
        same_id = desk.assertion(jti="one")
        assert [code_of(library, desk.asked(each)) for each in (same_id, desk.assertion(jti="one"))] == [
            "",
            "invalid_client",
        ]
        assert code_of(other, desk.asked(same_id)) == "invalid_client"
    finally:
        close_library(other)
    twin = system(library)
    assert code_of(library, twin.asked(twin.assertion(jti="one"))) == ""  # another client's ids are its own
    assert acts(library).count("client.token_given") == 3
    check_invariants(library.store)


def test_an_assertion_that_was_shown_in_vain_is_used_up_too(library: Library) -> None:
    desk, inside = system(library), system(library, networks=("10.0.0.0/8",))
    shown = desk.assertion()
    assert code_of(library, desk.asked(shown, scope="manage")) == "invalid_scope"
    assert code_of(library, desk.asked(shown, scope="manage")) == "invalid_client"
    assert code_of(library, desk.asked(shown)) == "invalid_client"
    stolen = inside.assertion()
    assert code_of(library, inside.asked(stolen, address="192.0.2.1")) == "invalid_client"
    assert code_of(library, inside.asked(stolen, address="10.0.0.1")) == "invalid_client"
    assert code_of(library, inside.asked(address="10.0.0.1")) == ""
    assert remembered(library) == 3
    check_invariants(library.store)


def test_used_assertions_are_forgotten_when_they_have_ended(library: Library, clock: Clock) -> None:
    desk = system(library)
    first = desk.assertion()
    for _ in range(5):
        access_token(library, desk.asked())
    access_token(library, desk.asked(first))
    assert remembered(library) == 6
    clock.move(seconds=301)  # `first` has ended, and is still remembered for a clock that is behind
    assert code_of(library, desk.asked(first)) == "invalid_client"
    access_token(library, desk.asked())
    assert remembered(library) == 7
    clock.move(seconds=61)
    access_token(library, desk.asked())
    assert remembered(library) == 2
    disable_client(library, desk.client.id, reason="lost", operator="tests")
    assert remembered(library) == 0


def test_a_client_is_given_so_many_tokens_in_a_minute(library: Library, clock: Clock) -> None:
    desk, other = system(library), system(library)
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda asked: code_of(library, asked), [desk.asked() for _ in range(70)]))
    assert (codes.count(""), codes.count("limit_reached")) == (TOKENS_PER_MINUTE, 10)
    access_token(library, other.asked())
    with pytest.raises(LimitReachedError):
        access_token(library, desk.asked())
    clock.move(minutes=1)
    access_token(library, desk.asked())
    assert acts(library).count("client.token_given") == TOKENS_PER_MINUTE + 2
    check_invariants(library.store)


def test_disabling_wins_over_what_is_on_its_way(library: Library) -> None:
    desk = system(library)
    bearer = access_token(library, desk.asked()).bearer
    askings = [desk.asked() for _ in range(24)]

    def one(number: int) -> str:
        if number == 12:
            disable_client(library, desk.client.id, reason="stolen", operator="tests")
            return "disabled"
        return code_of(library, askings[number])

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(one, range(24)))
    assert set(codes) <= {"", "disabled", "invalid_client"}
    assert code_of(library, desk.asked()) == "invalid_client"
    with pytest.raises(UnauthenticatedError) as caught:
        authenticate(library, bearer)
    assert caught.value.code == "client_disabled"
    assert acts(library).index("client.disabled") > 0
    told = acts(library)
    assert "client.token_given" not in told[told.index("client.disabled") :]
    check_invariants(library.store)


def test_every_act_is_audited_and_holds_no_secret(library: Library) -> None:
    client, secret = add_client(
        library, CITY.code, name="Old desk", scopes=("share", "verify"), networks=("10.0.0.0/8",), public_key=None,
        operator="zhang",
    )  # fmt: skip
    _, second = rotate_client(library, client.id, public_key=None, overlap_days=3, operator="li")
    disable_client(library, client.id, reason="replaced", operator="li")
    assert acts(library) == ["client.added", "client.secret_added", "client.secret_added", "client.disabled"]
    records = [record for record in audits.read_chain(library.store) if record.act.startswith("client.")]
    assert [record.actor for record in records] == ["zhang", "zhang", "li", "li"]
    assert (records[0].detail["scopes"], records[0].detail["networks"]) == ("verify share", "10.0.0.0/8")
    kept = str(records) + str(client_json(library, client))
    for text in (secret, second, secret[17:], second[17:]):
        assert text not in kept
    for again in (
        lambda: disable_client(library, client.id, reason="again", operator="li"),
        lambda: rotate_client(library, client.id, public_key=None, overlap_days=3, operator="li"),
    ):
        with pytest.raises(CertlibError) as caught:
            again()
        assert caught.value.code == "client_disabled"
    check_invariants(library.store)


def test_what_cannot_be_taken_in(library: Library) -> None:
    def faults(**changes: object) -> list[str]:
        parts: dict[str, object] = {"name": "x", "scopes": ("share",), "public_key": None, "operator": "tests"}
        with pytest.raises(InvalidRequestError) as caught:
            add_client(library, CITY.code, **(parts | changes))  # type: ignore[arg-type]  # wrong on purpose
        return [fault.field for fault in caught.value.faults]

    assert faults(name="", scopes=(), operator=" ") == ["name", "operator", "scope"]
    assert faults(name="a\x00b") == ["name"]
    assert faults(name="x" * 101) == ["name"]
    assert faults(scopes=("share", "root")) == ["scope"]
    for network in ("10.0.0.1/8", "elsewhere", "10.0.0.0/33", "", "::/200", "\ud800"):
        assert faults(networks=(network,)) == ["network"], network
    assert acts(library) == []
    for code, expected in (("NOBODY", "agency_not_found"), ("\x00", "agency_not_found"), ("", "agency_not_found")):
        with pytest.raises(CertlibError) as caught:
            add_client(library, code, name="x", scopes=("share",), public_key=None, operator="tests")
        assert caught.value.code == expected


def test_what_cannot_be_rotated(library: Library) -> None:
    desk = system(library)
    other = new_key()
    for client_id in ("", "0" * 26, "\x00", "x" * 5000, "../../x"):
        with pytest.raises(CertlibError) as caught:
            rotate_client(library, client_id, public_key=public_jwk(other), overlap_days=7, operator="tests")
        assert caught.value.code == "client_not_found"
    with pytest.raises(CertlibError) as caught:
        rotate_client(library, desk.client.id, public_key=public_jwk(desk.key), overlap_days=0, operator="tests")
    assert caught.value.code == "client_key_exists"
    assert code_of(library, desk.asked()) == ""  # what failed has withdrawn nothing
    for key, days, field in ((None, 7, "key"), (public_jwk(other), 91, "overlap_days"), (b"x", 7, "key")):
        with pytest.raises(InvalidRequestError) as wrong:
            rotate_client(library, desk.client.id, public_key=key, overlap_days=days, operator="tests")
        assert [fault.field for fault in wrong.value.faults] == [field]
    check_invariants(library.store)


def test_clients_are_listed_by_agency(library: Library, clock: Clock) -> None:
    first = system(library, name="one").client
    clock.move(seconds=1)
    second = system(library, name="two", agency_code=MARKET_BUREAU.code).client
    assert [each.id for each in list_clients(library)] == [first.id, second.id]
    assert [each.id for each in list_clients(library, MARKET_BUREAU.code)] == [second.id]
    with pytest.raises(CertlibError):
        list_clients(library, "NOBODY")


def test_an_agency_that_only_asks_has_no_keys(library: Library) -> None:
    harbour = Agency(code=AgencyCode("HARBOUR"), name="Harbour Office", name_en="", timezone="UTC")
    add_asking_agency(library, harbour, operator="tests")
    assert agencies.keys(library.store, owner="HARBOUR") == ()
    with pytest.raises(SetupError, match="no usable token key"):
        issuing_kit(library, "HARBOUR")
    desk = system(library, agency_code="HARBOUR")
    assert authenticate(library, access_token(library, desk.asked()).bearer).agency_code == "HARBOUR"
    for wrong in ("harbour", "", "A B"):
        with pytest.raises(InvalidRequestError):
            add_asking_agency(library, Agency(code=AgencyCode(wrong), name="x", name_en="x"), operator="tests")
    with pytest.raises(CertlibError) as caught:
        add_asking_agency(library, harbour, operator="tests")
    assert caught.value.code == "agency_exists"


def test_printed_bearers_are_audited(library: Library) -> None:
    bearer = printed_bearer(library, CITY.code, ttl_seconds=60, scopes=("share",), operator="zhang")
    caller = authenticate(library, bearer)
    assert (caller.agency_code, caller.client_id, caller.scopes) == (CITY.code, "", frozenset({"share"}))
    *_, last = audits.read_chain(library.store)
    assert (last.act, last.actor, last.detail["scope"]) == ("agency.token_given", "zhang", "share")
    assert bearer.split(".")[2] not in str(last)
    with pytest.raises(InvalidRequestError):
        printed_bearer(library, CITY.code, ttl_seconds=60, scopes=("root",), operator="zhang")


def test_a_secret_is_kept_as_a_slow_hash_under_its_own_salt() -> None:
    secret = "certlib_00000000_" + "a" * 43
    one, two = hashed_secret(secret), hashed_secret(secret)
    assert one != two
    assert one.startswith("argon2id$19456,2,1$")
    assert same_secret(secret, one)
    assert same_secret(secret, two)
    assert not same_secret(secret + "a", one)
    for damaged in ("", "x", "argon2id$1,2$a$b", one.replace("19456", "99999999")):
        with pytest.raises(ValueError, match=r".*"):
            same_secret(secret, damaged)


def test_a_wrong_secret_costs_one_hash_as_an_unknown_client_does(
    sqlite_library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted, not timed: whatever is wrong, exactly one slow hash is computed."""
    client, first = add_client(
        sqlite_library, CITY.code, name="x", scopes=("share",), public_key=None, operator="tests"
    )
    rotate_client(sqlite_library, client.id, public_key=None, overlap_days=7, operator="tests")
    desk = system(sqlite_library)
    hashes: list[str] = []
    real = clients._argon2id  # noqa: SLF001  # counted where it happens

    def counted(secret: str, *rest: int) -> bytes:
        hashes.append(secret)
        return real(secret, *rest)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(clients, "_argon2id", counted)
    tried = [
        (client.id, first),
        (client.id, first[:-1] + ("a" if first[-1] != "a" else "b")),
        (client.id, "certlib_00000000_" + "a" * 43),
        (client.id, "short"),
        (client.id, ""),
        ("0" * 26, first),
        ("nobody", first),
        (desk.client.id, first),
    ]
    codes = []
    for client_id, secret in tried:
        asked = authorising.TokenRequest(client_id=client_id, secret=secret)
        codes.append(code_of(sqlite_library, asked))
        assert len(hashes) == len(codes)
    assert codes == ["", *["invalid_client"] * 7]
    assert code_of(sqlite_library, desk.asked("a.b.c")) == "invalid_client"
    assert len(hashes) == len(codes)
