"""One-time links: one fetch gets the bytes, whoever races; a crash before it is put down leaves the link good."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from certlib.changing import order_change
from certlib.errors import CertlibError
from certlib.grants import Basis, Interface
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Licence
from certlib.sharing.use_data import read_data
from certlib.sharing.use_files import fetch, make_links
from certlib.sharing.uses import ask, decide
from certlib.store import audits, copies, granting, looks
from certlib.store.engine import reading
from certlib.store.tables_uses import USE_LINK
from tests.support.changes import CrashAt, CrashError, order
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import MARKET_BUREAU, company_request
from tests.support.sharing import asker, granted
from tests.support.uses import HOLDER, STRANGER, TYPE, use_request

HERE = "127.0.0.1"


@pytest.fixture
def licence(library: Library) -> Licence:
    return issue(library, company_request()).licence


def link_of(lib: Library) -> tuple[str, str]:
    """A use with one licence, and the secret of a link to a copy of it."""
    use, _ = ask(lib, asker(), use_request())
    if use.basis is Basis.CONSENT:
        decide(lib, HOLDER, use.id, approve=True, by="holder")
    (link,) = make_links(lib, asker(), use.id)
    return use.id, link.secret


def fetched(lib: Library, secret: str, address: str = HERE) -> str:
    """The code of the refusal of a fetch, or the digest of what came."""
    try:
        return fetch(lib, secret, address=address).sha256
    except CertlibError as error:
        return error.code


def test_a_link_gives_a_copy_once(library: Library, licence: Licence, clock: Clock) -> None:
    grant = granted(library, interfaces=frozenset({Interface.FILE}))
    use, _ = ask(library, asker(), use_request(interfaces=(Interface.FILE,)))
    (link,) = make_links(library, asker(), use.id)
    assert (link.identifier, link.word, len(link.secret)) == (licence.identifier, "valid", 32)
    assert link.expires_at == clock() + timedelta(seconds=600)
    clock.move(seconds=599)
    copy = fetch(library, link.secret, address=HERE)
    assert copy.pdf.startswith(b"%PDF-")
    assert copy.sha256 == hashlib.sha256(copy.pdf).hexdigest() != licence.pdf_sha256
    assert fetched(library, link.secret) == "link_used"
    made = copies.copy_by_sha256(library.store, copy.sha256)
    assert made is not None
    assert (made.use_id, made.identifier, made.agency_code) == (use.id, licence.identifier, grant.agency_code)
    assert made.until_at - made.made_at == timedelta(days=30)
    assert copies.copies_of(library.store, use.id) == (made,)
    given, offered = looks.looks_of_holder(library.store, HOLDER)
    assert (offered.kind, offered.outcome, given.kind, given.outcome) == ("file", "offered", "file", "given")
    assert {given.reference, offered.reference} == {use.id}
    assert granting.used(library.store, grant.id, clock().date()) == 1
    with reading(library.store) as conn:
        (row,) = conn.execute(select(USE_LINK)).mappings()
    assert link.secret.encode() not in b"".join(value for value in row.values() if isinstance(value, bytes))
    assert link.secret not in str(list(audits.read_chain(library.store)))
    check_invariants(library.store)


def test_a_link_that_expired(library: Library, licence: Licence, clock: Clock) -> None:
    granted(library)
    _, secret = link_of(library)
    clock.move(seconds=600)
    assert fetched(library, secret) == "link_expired"
    assert [each.outcome for each in looks.looks_of_licence(library.store, licence.identifier)] == ["offered"]
    for strange in ("", "x", "x" * 32, "é" * 32, "\x00" * 32, "a" * 4096, "\ud800" * 32):
        assert fetched(library, strange) == "link_not_found"


def test_sixteen_fetches_get_one_copy(library: Library, licence: Licence) -> None:
    granted(library)
    use_code, secret = link_of(library)
    with ThreadPoolExecutor(16) as pool:
        ends = list(pool.map(lambda _n: fetched(library, secret), range(16)))
    (digest,) = [end for end in ends if len(end) == 64]
    assert sorted(ends, key=len) == [*["link_used"] * 15, digest]
    (made,) = copies.copies_of(library.store, use_code)
    assert made.sha256 == digest
    outcomes = [each.outcome for each in looks.looks_of_licence(library.store, licence.identifier)]
    assert outcomes == ["given", "offered"]
    check_invariants(library.store)


def test_a_crash_before_it_is_put_down_leaves_the_link_good(library: Library, licence: Licence) -> None:
    granted(library)
    use_code, secret = link_of(library)
    before = audits.chain_head(library.store)
    with pytest.raises(CrashError):
        fetch(replace(library, step=CrashAt("copied")), secret, address=HERE)
    assert audits.chain_head(library.store) == before
    assert copies.copies_of(library.store, use_code) == ()
    with pytest.raises(CrashError):  # put down, but the bytes are lost on the way: the link is used all the same
        fetch(replace(library, step=CrashAt("claimed")), secret, address=HERE)
    assert len(copies.copies_of(library.store, use_code)) == 1
    assert fetched(library, secret) == "link_used"
    assert [each.outcome for each in looks.looks_of_licence(library.store, licence.identifier)] == ["given", "offered"]


def test_a_fetch_is_judged_anew(library: Library, licence: Licence, clock: Clock) -> None:
    granted(library, basis=Basis.CONSENT, clause="", networks=("127.0.0.0/8",))
    use_code, secret = link_of(library)
    assert fetched(library, secret, "192.0.2.1") == "network_not_granted"
    assert fetched(library, secret, "") == "network_not_granted"
    order_change(library, MARKET_BUREAU.code, licence.identifier, order("suspend"))
    assert fetched(library, secret) == "licence_not_in_force"
    (link,) = make_links(library, asker(), use_code)
    assert (link.word, link.secret) == ("suspended", "")
    order_change(library, MARKET_BUREAU.code, licence.identifier, order("restore"))
    assert len(fetched(library, secret)) == 64
    (link,) = make_links(library, asker(), use_code)
    decide(library, HOLDER, use_code, approve=False, by="holder")
    assert fetched(library, link.secret) == "consent_withdrawn"
    clock.move(minutes=1)
    with pytest.raises(CertlibError) as caught:
        make_links(library, asker(), use_code)
    assert caught.value.code == "consent_withdrawn"
    check_invariants(library.store)


def test_no_copy_leaves_after_a_revoke_answered(library: Library, licence: Licence) -> None:
    """The copy is made; the licence is revoked before the link is claimed."""
    granted(library)
    use_code, secret = link_of(library)

    def revoked(step: str) -> None:
        if step == "copied":
            order_change(library, MARKET_BUREAU.code, licence.identifier, order("revoke"))

    assert fetched(replace(library, step=revoked), secret) == "licence_not_in_force"
    assert copies.copies_of(library.store, use_code) == ()
    (read,) = read_data(library, asker(), use_code).licences
    assert read.word == "revoked"


def test_readers_and_a_revoke_at_once(library: Library, licence: Licence) -> None:
    granted(library)
    use, _ = ask(library, asker(), use_request())
    answered: list[bool] = []

    def read(_number: int) -> tuple[bool, str]:
        after = bool(answered)
        (one,) = read_data(library, asker(), use.id).licences
        return after, one.word

    with ThreadPoolExecutor(8) as pool:
        early = [pool.submit(read, number) for number in range(8)]
        order_change(library, MARKET_BUREAU.code, licence.identifier, order("revoke"))
        answered.append(True)
        late = [pool.submit(read, number) for number in range(8)]
        seen = [each.result() for each in (*early, *late)]
    assert {word for after, word in seen if after} == {"revoked"}
    assert {word for _after, word in seen} <= {"valid", "revoked"}


def test_links_where_nothing_was_found(library: Library) -> None:
    granted(library)
    use, _ = ask(library, asker(), use_request(holder_code=STRANGER))
    assert make_links(library, asker(), use.id) == ()
    (look,) = looks.looks_of_holder(library.store, STRANGER)
    assert (look.kind, look.outcome, look.identifier) == ("file", "nothing_found", "")


def test_a_purpose_that_cannot_be_printed_is_refused_when_asked(sqlite_library: Library) -> None:
    granted(sqlite_library)
    said = replace(use_request().asking, purpose="permit e" + "\u0301" * 6)
    with pytest.raises(CertlibError) as caught:
        ask(sqlite_library, asker(), use_request(asking=said))
    assert caught.value.code == "invalid_request"


def test_a_copy_never_lives_longer_than_its_licence(sqlite_library: Library, clock: Clock) -> None:
    end = (clock() + timedelta(days=3)).date()
    issue(sqlite_library, company_request(expires_on=end))
    granted(sqlite_library)
    use_code, secret = link_of(sqlite_library)
    assert len(fetched(sqlite_library, secret)) == 64
    (made,) = copies.copies_of(sqlite_library.store, use_code)
    assert made.until_at < clock() + timedelta(days=5)
    clock.move(days=5)
    use_code = ask(sqlite_library, asker(), use_request())[0].id
    (link,) = make_links(sqlite_library, asker(), use_code)
    assert (link.word, link.secret) == ("expired", "")


def test_a_licence_before_its_first_day_is_copied_if_the_copy_may_say_so(sqlite_library: Library, clock: Clock) -> None:
    begin = (clock() + timedelta(days=5)).date()
    issue(sqlite_library, company_request(effective_on=begin))
    granted(sqlite_library)
    _, secret = link_of(sqlite_library)
    assert secret == ""
    use, _ = ask(sqlite_library, asker(), use_request(fields={TYPE: ("number", "effective_on")}))
    (link,) = make_links(sqlite_library, asker(), use.id)
    assert (link.word, len(fetched(sqlite_library, link.secret))) == ("not_yet_effective", 64)


def test_sixteen_readers_never_get_more_than_the_cap(library: Library, licence: Licence) -> None:
    grant = granted(library, daily_cap=5)
    use, _ = ask(library, asker(), use_request())

    def read(number: int) -> str:
        try:
            if number % 2:
                return str(len(make_links(library, asker(), use.id)))
            return str(len(read_data(library, asker(), use.id).licences))
        except CertlibError as error:
            return error.code

    with ThreadPoolExecutor(16) as pool:
        ends = list(pool.map(read, range(16)))
    assert sorted(ends) == [*["1"] * 5, *["daily_cap_reached"] * 11]
    assert granting.used(library.store, grant.id, library.now().date()) == 5
    assert len(looks.looks_of_licence(library.store, licence.identifier)) == 5
    check_invariants(library.store)
