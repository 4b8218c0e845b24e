"""One library follows another over HTTP: nothing is lost when it is killed, nothing believed that is not its own."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from certlib import foreign
from certlib.clients import add_client
from certlib.collecting import feeding, following, reaching, searching
from certlib.collecting.reading import read_page
from certlib.errors import CertlibError, ForbiddenError, NotFoundError
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Holder, Status
from certlib.store import audits, collected, looks, lookups, statuses
from certlib.store.collected import Source
from certlib.verifying import verify
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from tests.support.clock import Clock
from tests.support.foreign import BRIDGE_BUREAU, HARBOUR, anchor_digest, foreign_request, private_pem, public_pem
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, company_request
from tests.support.serving import served
from tests.support.sharing import MATTER, asker, asking, granted

ROOT = Path(__file__).parents[2]
HOLDERS = (Holder(name="样桥样本机械有限公司", code="91990200MA7EXAM18U", code_type="001"),)


@dataclass(frozen=True)
class Other:
    """The other library as it is served."""

    lib: Library
    url: str
    key: SigningKey
    client_id: str


@pytest.fixture
def other(bridge: Library) -> Iterator[Other]:
    """The bridge library over HTTP; the harbour's system may read the feed of business licences, and check."""
    key = generate_key(KeyAlgorithm.P256)
    client, _ = add_client(
        bridge, HARBOUR.code, name="upper library", scopes=("share",), public_key=public_pem(key), operator="tests"
    )
    granted(bridge, agency_code=HARBOUR.code, daily_cap=100_000)
    with served(bridge, says_where=True) as url:
        yield Other(lib=bridge, url=url, key=key, client_id=client.id)


def number(index: int) -> str:
    """One of many numbers."""
    return f"91990300MA{index:08d}"


def issue_many(lib: Library, count: int, start: int = 0) -> list[str]:
    """Identifiers of so many licences."""
    requests = (foreign_request(number(each), holders=HOLDERS) for each in range(start, start + count))
    return [issue(lib, each).licence.identifier for each in requests]


def moved(lib: Library, identifier: str, to: Status) -> None:
    """A change of status."""
    at = lib.now()
    statuses.change_status(
        lib.store, identifier, to=to, reason="r", document_number="d", operator="o", effective_at=at, now=at
    )


def added(lib: Library, other: Other, **changes: Any) -> Source:  # noqa: ANN401  # of add_source
    """The other library, followed."""
    parts: dict[str, Any] = {
        "anchor": anchor_digest(other.lib),
        "client_id": other.client_id,
        "key": other.key,
        "matter_code": MATTER,
        "operator": "tests",
    }
    return following.add_source(lib, other.url, **(parts | changes))


def known(lib: Library, identifiers: list[str]) -> dict[str, str]:
    """What is known of them: identifier -> status."""
    found = [collected.found(lib.store, identifier=each) for each in identifiers]
    return {each.entry.identifier: each.entry.status.value for one in found for each in one}


def refusal(act: Any, *parts: Any, **named: Any) -> str:  # noqa: ANN401  # any use case
    """The code of a refusal."""
    with pytest.raises(CertlibError) as caught:
        act(*parts, **named)
    faults = getattr(caught.value, "faults", ())
    return faults[0].code if faults else caught.value.code


def test_a_catalogue_is_collected_kept_up_and_found(library: Library, other: Other) -> None:
    first, second = issue_many(other.lib, 2)
    source = added(library, other)
    done = following.follow(library, source)
    assert (done.licences, done.source.types) == (2, ("business-licence",))
    moved(other.lib, first, Status.SUSPENDED)
    moved(other.lib, second, Status.REVOKED)
    (third,) = issue_many(other.lib, 1, start=5)
    assert following.follow(library, following.source_of(library, other.url)).licences == 3
    assert known(library, [first, second, third]) == {first: "suspended", second: "revoked", third: "active"}
    assert following.follow(library, following.source_of(library, "Bridge library")).licences == 0
    own = issue(library, company_request()).licence
    for key in ({"identifier": third}, {"number": number(5)}, {"number": number(5), "type_code": "business-licence"}):
        (held,) = searching.find_all(library, **key)
        assert (held.entry.identifier, held.library, held.url, held.own) == (third, "Bridge library", other.url, False)
    assert [each.own for each in searching.find_all(library, identifier=own.identifier)] == [True]
    assert [each.own for each in searching.find_all(library, number=own.number)] == [True]
    acts = [each.act for each in audits.read_chain(library.store)]
    assert acts.count("catalogue.collected") == 2
    assert {"trust.imported", "source.added"} <= set(acts)
    check_invariants(library.store)


def test_a_newer_catalogue_speaks_against_an_older_snapshot(library: Library, other: Other, clock: Clock) -> None:
    (identifier,) = issue_many(other.lib, 1)
    following.follow(library, added(library, other))
    token = lookups.licence_by_identifier(other.lib.store, identifier).token

    def word() -> str:
        return verify(token, library, now=library.now()).word.value

    assert word() == "valid_offline"
    for status in (Status.SUSPENDED, Status.ACTIVE, Status.REVOKED):
        clock.move(seconds=2)
        moved(other.lib, identifier, status)
        following.follow(library, following.source_of(library, other.url))
        assert word() == ("valid_offline" if status is Status.ACTIVE else status.value)
    verdict = verify(token, library, now=library.now())
    assert verdict.status_source == "snapshot"
    assert next(each.evidence["source"] for each in verdict.checks if each.name == "status") == "catalogue"


def test_what_is_read_again_changes_nothing(library: Library, other: Other) -> None:
    identifiers = issue_many(other.lib, 3)
    moved(other.lib, identifiers[0], Status.SUSPENDED)
    source = added(library, other)
    following.follow(library, source)
    stands = following.source_of(library, other.url)
    back = replace(stands, cursor="")
    assert refusal(following.follow, library, back) == "collected_meanwhile"
    from certlib.store.engine import writing  # noqa: PLC0415
    from certlib.store.tables_collecting import COLLECTED_SOURCE  # noqa: PLC0415

    with writing(library.store) as conn:
        conn.execute(COLLECTED_SOURCE.update().values(cursor=""))
    assert following.follow(library, back).licences == 0
    assert known(library, identifiers)[identifiers[0]] == "suspended"


def test_a_run_that_dies_between_pages_is_gone_on_with(
    library: Library, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "PAGE", 2)
    identifiers = issue_many(other.lib, 7)
    source = added(library, other)

    class Killed(BaseException):
        """Stands for the end of the process."""

    def dies(_name: str) -> None:
        raise Killed

    pages = 0
    while True:
        try:
            following.follow(replace(library, step=dies), following.source_of(library, source.url))
        except Killed:
            pages += 1
        assert len(known(library, identifiers)) == min(7, 2 * pages)
        if 2 * pages >= 7:
            break
    assert pages == 4
    assert following.follow(library, following.source_of(library, source.url)).licences == 0
    collects = [each for each in audits.read_chain(library.store) if each.act == "catalogue.collected"]
    assert sum(int(each.detail["new"]) for each in collects) == 7
    check_invariants(library.store)


def test_the_command_is_killed_and_run_again(sqlite_library: Library, bridge: Library, tmp_path: Path) -> None:
    # The command's clock is the true one, so the other library's must be as well.
    from certlib.library import utc_now  # noqa: PLC0415

    live = replace(bridge, now=utc_now)
    key = generate_key(KeyAlgorithm.P256)
    client, _ = add_client(
        live, HARBOUR.code, name="upper", scopes=("share",), public_key=public_pem(key), operator="tests"
    )
    granted(live, agency_code=HARBOUR.code)
    identifiers = issue_many(live, 12)
    file = tmp_path / "key.pem"
    file.write_bytes(private_pem(key))
    home = ("--home", str(sqlite_library.settings.home))
    command = (sys.executable, str(ROOT / "cli.py"), "collect")
    with served(live, says_where=True) as url:
        options = (
            "--anchor",
            anchor_digest(live),
            "--client-id",
            client.id,
            "--key",
            str(file),
            "--matter-code",
            MATTER,
        )
        subprocess.run((*command, "add", url, *options, *home), check=True, capture_output=True)  # noqa: S603  # ours
        running = subprocess.Popen((*command, "run", *home), stdout=subprocess.DEVNULL)  # noqa: S603  # ours
        while not known(sqlite_library, identifiers) and running.poll() is None:
            pass
        os.kill(running.pid, signal.SIGKILL) if running.poll() is None else None
        running.wait()
        done = subprocess.run((*command, "run", url, *home), check=True, capture_output=True, text=True)  # noqa: S603  # ours
    assert "Bridge library" in done.stdout
    assert set(known(sqlite_library, identifiers)) == set(identifiers)
    check_invariants(sqlite_library.store)


def test_a_type_that_is_granted_later_is_read_from_its_beginning(sqlite_library: Library, other: Other) -> None:
    from tests.integration.test_feed import person_request  # noqa: PLC0415

    person = issue(other.lib, replace(person_request(), agency_code=BRIDGE_BUREAU.code)).licence
    issue_many(other.lib, 1)
    source = added(sqlite_library, other)
    following.follow(sqlite_library, source)
    assert known(sqlite_library, [person.identifier]) == {}
    granted(other.lib, agency_code=HARBOUR.code, type_code="practitioner-licence", fields=("number",))
    following.follow(sqlite_library, following.source_of(sqlite_library, other.url))
    assert known(sqlite_library, [person.identifier]) == {person.identifier: "active"}
    assert searching.find_all(sqlite_library, number=person.number) == ()
    masked = collected.found(sqlite_library.store, identifier=person.identifier)[0].entry.number
    assert searching.find_all(sqlite_library, number=masked) == ()


def test_a_library_that_was_put_back_is_begun_anew(sqlite_library: Library, other: Other) -> None:
    (identifier,) = issue_many(other.lib, 1)
    source = added(sqlite_library, other)
    following.follow(sqlite_library, source)
    ahead = feeding._cursor(other.lib, 10_000, "ab" * 32)  # noqa: SLF001  # as before the backup
    from certlib.store.engine import writing  # noqa: PLC0415
    from certlib.store.tables_collecting import COLLECTED_SOURCE  # noqa: PLC0415

    with writing(sqlite_library.store) as conn:
        conn.execute(COLLECTED_SOURCE.update().values(cursor=ahead))
    stands = following.source_of(sqlite_library, other.url)
    with pytest.raises(ForbiddenError, match="409 lost_cursor"):
        following.follow(sqlite_library, stands)
    assert following.follow(sqlite_library, stands, anew=True).licences == 1
    assert known(sqlite_library, [identifier]) == {identifier: "active"}
    collected.forget(sqlite_library.store, stands, operator="tests", now=sqlite_library.now(), follow=False)
    assert known(sqlite_library, [identifier]) == {}
    assert refusal(following.source_of, sqlite_library, other.url) == "not_found"
    check_invariants(sqlite_library.store)


def test_only_a_proved_client_of_a_trusted_library_is_added(sqlite_library: Library, other: Other) -> None:
    assert refusal(added, sqlite_library, other, anchor="ab" * 32) == "untrusted_issuer"
    assert refusal(added, sqlite_library, other, key=generate_key(KeyAlgorithm.P256)) == "refused_elsewhere"
    assert refusal(added, sqlite_library, other, client_id="0" * 26) == "refused_elsewhere"
    assert refusal(added, sqlite_library, other, client_id="\n") == "bad_code"
    assert collected.sources(sqlite_library.store) == ()
    added(sqlite_library, other)
    assert refusal(added, sqlite_library, other) == "source_exists"


@pytest.mark.parametrize(
    "url",
    [
        *("", "x", "ftp://127.0.0.1/", "file:///etc/passwd", "http://city.example", "http://169.254.169.254/"),
        *("https://u:p@city.example", "https://city.example/?a=b", "https://city.example#x", "https://", "http://[::1"),
        *("https://city.example:99999", "https://ci ty.example", "https://city.example/\n", "https://" + "a" * 3000),
    ],
)
def test_urls_that_are_no_librarys_are_refused(url: str) -> None:
    assert refusal(reaching.library_url, url) == "bad_url"


class _Odd(BaseHTTPRequestHandler):
    """A server that answers as it was told."""

    status, body = 200, b"{}"
    headers_out: ClassVar[tuple[tuple[str, str], ...]] = ()
    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:  # of the standard library
        self.seen.append(self.path)
        self.send_response(self.status)
        for name, value in self.headers_out:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_args: object) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[tuple[type[_Odd], str]]:
    """The server and its URL."""

    class Told(_Odd):
        seen: ClassVar[list[str]] = []

    server = HTTPServer(("127.0.0.1", 0), Told)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Told, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_no_redirect_is_followed_and_no_flood_is_read(odd: tuple[type[_Odd], str]) -> None:
    told, url = odd
    told.status, told.headers_out = 302, (("Location", f"{url}/elsewhere"),)
    assert refusal(reaching.ask, url, reaching.Sent(path="/v1/x", bearer="secret")) == "refused_elsewhere"
    assert told.seen == ["/v1/x"]
    told.status, told.body, told.headers_out = 200, b"x" * 5000, ()
    assert refusal(reaching.ask, url, reaching.Sent(path="/v1/x", most=4096)) == "library_unavailable"
    told.status, told.body = 500, b"{}"
    assert refusal(reaching.ask, url, reaching.Sent(path="/v1/x")) == "library_unavailable"
    told.status, told.body = 429, b"\xff"
    assert refusal(reaching.ask, url, reaching.Sent(path="/v1/x")) == "limit_elsewhere"
    for body in (b"[]", b"\xff", b"{", b'{"a":1,"a":2}', b"[" * 100_000):
        assert refusal(reaching.json_answer, body, url) == "library_unavailable"
    assert refusal(reaching.ask, "http://127.0.0.1:1", reaching.Sent(path="/")) == "library_unavailable"


def test_a_page_that_no_library_sends_is_refused_whole(sqlite_library: Library, bridge: Library) -> None:
    issue_many(bridge, 2)
    granted(bridge, agency_code=HARBOUR.code)
    page = feeding.changes_since(bridge, asker(HARBOUR.code), cursor="", matter_code=MATTER)
    good: dict[str, Any] = dict(feeding.page_json(bridge, page))
    agencies = frozenset({str(BRIDGE_BUREAU.code)})
    assert len(read_page(good, agencies=agencies).changes) == 2
    assert len(read_page({**good, "new": 1}, agencies=agencies).changes) == 2
    changes: list[dict[str, Any]] = good["changes"]
    bad: list[dict[str, Any]] = [
        {**changes[0], **each}
        for each in (
            *({"seq": "1"}, {"seq": 0}, {"seq": 2**70}, {"seq": True}, {"version": 2}, {"status": "good"}),
            *({"agency": CITY.code}, {"identifier": "x"}, {"identifier": changes[0]["identifier"][:-1] + "%"}),
            *({"type_segment": "X"}, {"type": "../x"}, {"number": "a\x1b[2J"}, {"number": "n" * 129}, {"number": 5}),
            *({"agency_name": "a\nb"}, {"issued_on": "2026"}, {"at": "now"}, {"operation": "drop"}, {"area_code": "x"}),
            *({"operation": "delete"}, {"status": "revoked"}, {"number_masked": 1}, {"previous_identifier": None}),
        )
    ]
    pages = [{**good, "changes": [each]} for each in bad]
    pages += [{**good, "changes": changes[::-1]}, {**good, "changes": changes * 300}, {**good, "cursor": ""}]
    pages += [{**good, "more": 1}, {**good, "types": ["A"]}, {**good, "changes": {}}, {"cursor": "x"}, {}]
    pages += [{**good, "changes": [None]}, {**good, "cursor": "é"}, {**good, "types": "a"}]
    for each in pages:
        assert refusal(read_page, each, agencies=agencies) == "bad_page", each
    assert refusal(read_page, good, agencies=frozenset()) == "bad_page"
    assert sqlite_library.now()


def test_a_check_is_handed_on_and_its_receipt_is_proved(library: Library, other: Other) -> None:
    (identifier,) = issue_many(other.lib, 1)
    following.follow(library, added(library, other))
    answer = searching.forward_check(library, None, asking(), identifier=identifier, given={"number": number(0)})
    assert answer["library"] == {"name": "Bridge library", "url": other.url, "own": False}
    found: Any = answer["answer"]
    assert (found["result"], found["word"], found["fields"]["number"]) == ("match", "valid", "match")
    (look,) = looks.looks_of_licence(other.lib.store, identifier)
    assert (look.kind, look.operator, look.purpose, look.agency_code) == (
        *("check", "Li Min", "Application for a food permit", HARBOUR.code),
    )
    wrong: Any = searching.forward_check(library, None, asking(), identifier=identifier, given={"number": number(1)})
    assert wrong["answer"]["result"] != "match"
    assert wrong["answer"]["word"] is None
    text = str([each.detail for each in audits.read_chain(library.store)])
    assert number(0) not in text.replace(identifier, "")
    check_invariants(library.store)


def test_a_system_has_a_check_handed_on_only_within_its_grants_here(sqlite_library: Library, other: Other) -> None:
    (identifier,) = issue_many(other.lib, 1)
    following.follow(sqlite_library, added(sqlite_library, other))
    given = {"number": number(0)}
    parts: dict[str, Any] = {"identifier": identifier, "given": given}
    assert refusal(searching.forward_check, sqlite_library, asker(), asking(), **parts) == "no_grant"
    granted(sqlite_library, fields=("number",))
    answer: Any = searching.forward_check(sqlite_library, asker(), asking(), **parts)
    assert answer["answer"]["result"] == "match"
    more = {**parts, "given": {**given, "address": "x"}}
    assert refusal(searching.forward_check, sqlite_library, asker(), asking(), **more) == "field_not_granted"
    own = issue(sqlite_library, company_request()).licence
    here = {**parts, "identifier": own.identifier}
    assert refusal(searching.forward_check, sqlite_library, asker(), asking(), **here) == "held_here"
    gone = {**parts, "identifier": identifier[:-1] + "?"}
    with pytest.raises(NotFoundError):
        searching.forward_check(sqlite_library, asker(), asking(), **gone)
    foreign.remove_pack(sqlite_library, anchor_digest(other.lib), operator="tests")
    assert refusal(searching.forward_check, sqlite_library, asker(), asking(), **parts) == "stale"
    assert refusal(following.follow, sqlite_library, following.source_of(sqlite_library, other.url)) == "not_trusted"


def test_a_system_finds_only_what_it_is_granted(library: Library, other: Other, clock: Clock) -> None:
    (identifier,) = issue_many(other.lib, 1)
    following.follow(library, added(library, other))
    ask = {"matter_code": MATTER, "identifier": identifier}
    assert refusal(searching.find_granted, library, asker(), **ask) == "no_grant"
    granted(library, type_code="practitioner-licence", fields=("number",))
    assert searching.find_granted(library, asker(), **ask) == ()
    granted(library, daily_cap=2)
    (held,) = searching.find_granted(library, asker(), **ask)
    assert held.url == other.url
    assert searching.find_granted(library, asker(), matter_code=MATTER, number=number(0)) == (held,)
    assert refusal(searching.find_granted, library, asker(), **ask) == "daily_cap_reached"
    clock.move(days=1)
    assert searching.find_granted(library, asker(), matter_code=MATTER, number="none") == ()
    assert refusal(searching.find_granted, library, asker(), matter_code=MATTER) == "required"
    check_invariants(library.store)
