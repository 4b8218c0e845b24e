"""Over HTTP: finding what another library holds, a check handed on, and verifying by its trust pack."""

from collections.abc import Callable, Iterator

import pytest
from fastapi.testclient import TestClient

from api.schemas.catalogue import ForwardedOut, FoundListOut
from certlib import foreign
from certlib.clients import add_client
from certlib.collecting import following
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Licence
from certlib.store import looks, lookups
from certlib.trusting import publish
from signing.keys import KeyAlgorithm, generate_key
from tests.support.foreign import HARBOUR, anchor_digest, foreign_request, public_pem
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU
from tests.support.serving import served
from tests.support.sharing import MATTER, granted

FIND, CHECK = "/v1/catalogue/licences", "/v1/catalogue/checks"
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def elsewhere(bridge: Library, sqlite_library: Library) -> Iterator[Licence]:
    """A licence that the bridge library holds, whose catalogue ours has collected; the bridge library still answers."""
    licence = issue(bridge, foreign_request()).licence
    key = generate_key(KeyAlgorithm.P256)
    client, _ = add_client(
        bridge, HARBOUR.code, name="upper", scopes=("share",), public_key=public_pem(key), operator="tests"
    )
    granted(bridge, agency_code=HARBOUR.code)
    with served(bridge, says_where=True) as url:
        source = following.add_source(
            sqlite_library, url, anchor=anchor_digest(bridge), client_id=client.id, key=key, matter_code=MATTER,
            operator="tests",
        )  # fmt: skip
        following.follow(sqlite_library, source)
        yield licence


def body(licence: Licence, **changes: object) -> dict[str, object]:
    """A lawful check."""
    asked = {"matter_code": MATTER, "case_number": "7", "purpose": "Food permit", "operator": "Li Min"}
    return {"identifier": licence.identifier, "given": {"number": licence.number}, **asked, **changes}


def test_what_another_library_holds_is_found_and_compared(
    web: TestClient, sqlite_library: Library, bearer: Bearer, elsewhere: Licence
) -> None:
    headers = bearer(CITY.code, scopes=("share",))
    asked = {"matter_code": MATTER, "identifier": elsewhere.identifier}
    assert web.get(FIND, params=asked).status_code == 401
    assert web.get(FIND, params=asked, headers=headers).json()["code"] == "no_grant"
    assert web.post(CHECK, json=body(elsewhere), headers=headers).json()["code"] == "no_grant"
    granted(sqlite_library)
    found = web.get(FIND, params=asked, headers=headers)
    (one,) = FoundListOut.model_validate(found.json(), strict=True).licences
    assert (one.identifier, one.library.name, one.library.own) == (elsewhere.identifier, "Bridge library", False)
    assert elsewhere.holders[0].name not in found.text
    compared = web.post(CHECK, json=body(elsewhere), headers=headers)
    answer = ForwardedOut.model_validate(compared.json())
    assert (answer.answer.result, answer.answer.word, answer.library.url) == ("match", "valid", one.library.url)
    wrong = web.post(CHECK, json=body(elsewhere, given={"number": "91990300MA99999999"}), headers=headers).json()
    assert (wrong["answer"]["result"] == "match", wrong["answer"]["word"]) == (False, None)
    (look, *_) = looks.looks_of_reference(sqlite_library.store, answer.answer.receipt_id)
    assert (look.kind, look.agency_code, look.outcome) == ("check", CITY.code, "match")
    check_invariants(sqlite_library.store)


@pytest.mark.parametrize("identifier", ["", "x", "\x00", "é" * 50, "A" * 4096, "1.2.3.4.5.6", "%00"])
def test_odd_keys_find_nothing(web: TestClient, sqlite_library: Library, bearer: Bearer, identifier: str) -> None:
    granted(sqlite_library)
    headers = bearer(CITY.code, scopes=("share",))
    for asked in ({"identifier": identifier}, {"number": identifier}):
        found = web.get(FIND, params={"matter_code": MATTER, **asked}, headers=headers)
        assert found.status_code in (200, 422), found.text
        assert found.json().get("licences", []) == []


def test_a_check_for_what_nobody_holds_is_404(
    web: TestClient, sqlite_library: Library, bearer: Bearer, licence: Licence
) -> None:
    granted(sqlite_library)
    headers = bearer(CITY.code, scopes=("share",))
    assert web.post(CHECK, json=body(licence), headers=headers).json()["code"] == "held_here"
    parts = licence.identifier.split(".")
    nobody = ".".join([*parts[:-3], "20260101ABCDEF", *parts[-2:]])
    assert web.post(CHECK, json=body(licence, identifier=nobody), headers=headers).json()["code"] == "not_found"


def test_the_other_librarys_grants_decide_too(
    web: TestClient, sqlite_library: Library, bearer: Bearer, elsewhere: Licence
) -> None:
    granted(sqlite_library)
    headers = bearer(CITY.code, scopes=("share",))
    refused = web.post(CHECK, json=body(elsewhere, given={"established_on": "2026-11-18"}), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "field_not_granted")
    granted(sqlite_library, fields=("number", "established_on"))
    refused = web.post(CHECK, json=body(elsewhere, given={"established_on": "2026-11-18"}), headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "refused_elsewhere")


def test_tokens_and_files_of_an_imported_library_verify(
    web: TestClient, sqlite_library: Library, bridge: Library
) -> None:
    licence = issue(bridge, foreign_request()).licence
    foreign.import_pack(sqlite_library, publish(bridge).data, anchor=bridge.anchor_spki_der, operator="tests")
    token = web.post("/v1/verify", json={"text": licence.token}).json()
    pdf = lookups.pdf_of(bridge.store, licence)
    file = web.post("/v1/verify", files={"file": ("a.pdf", pdf, "application/pdf")}).json()
    for verdict in (token, file):
        assert (verdict["word"], verdict["status_source"], verdict["snapshot_age_seconds"]) == (
            *("valid_offline", "snapshot", 0),
        )
        issuer = next(each for each in verdict["checks"] if each["name"] == "issuer_trusted")
        assert issuer["evidence"]["library"] == "Bridge library"
    foreign.remove_pack(sqlite_library, anchor_digest(bridge), operator="tests")
    assert web.post("/v1/verify", json={"text": licence.token}).json()["word"] == "untrusted_issuer"
    assert MARKET_BUREAU.code not in str(token)
