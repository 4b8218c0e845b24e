"""Every way we know to pass for a client or a caller without being one (facts: reliability, 3). None of them works."""

import hashlib
import hmac
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from certlib import callers
from certlib.authorising import access_token
from certlib.callers import authenticate, bearer_for
from certlib.clients import add_client, disable_client
from certlib.config import read_settings
from certlib.enrolling import API, RECEIPT, library_key
from certlib.errors import CertlibError, UnauthenticatedError
from certlib.library import Library, close_library, recorded_key
from certlib.receipting import signed_answer
from certlib.store import audits
from signing import jws
from signing.keys import KeyAlgorithm, SigningKey, generate_key, kid_of
from tests.support.clock import Clock
from tests.support.libraries import CITY, MARKET_BUREAU, new_home, opened
from tests.support.oauth import System, b64, system, unb64
from tests.support.sharing import asker, asking


@dataclass(frozen=True)
class Door:
    """One of the two places that take a JWT: the token endpoint (assertions) and the API (access tokens)."""

    name: str
    enter: Callable[[str], object]
    good: Callable[[], str]
    """A new JWT that is let in."""
    key: SigningKey
    """That signs them."""

    @property
    def public_pem(self) -> bytes:
        key = load_der_public_key(self.key.spki_der)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def signed(self, header: dict[str, Any] | str, claims: dict[str, Any] | str) -> str:
        """Really signed by the right key, whatever stands in it."""
        covered = f"{b64(header)}.{b64(claims)}"
        return f"{covered}.{b64(self.key.sign_raw(hashlib.sha256(covered.encode()).digest()))}"

    def parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        head, claims, _ = self.good().split(".")
        return json.loads(unb64(head)), json.loads(unb64(claims))

    def refused(self, text: str) -> str:
        """The code of the refusal; fails if it is let in, or if anything but a refusal comes."""
        with pytest.raises(UnauthenticatedError) as caught:
            self.enter(text)
        assert len(text) < 40 or text[:40] not in str(caught.value)
        return caught.value.code


@pytest.fixture(scope="module")
def time() -> Clock:
    return Clock.started()


@pytest.fixture(scope="module")
def steady(ready_home: Path, tmp_path_factory: pytest.TempPathFactory, time: Clock) -> Iterator[Library]:
    """One library for all tests here: each takes in clients of its own."""
    home = tmp_path_factory.mktemp("steady") / "library"
    shutil.copytree(ready_home, home)
    lib = opened(read_settings(home), now=time)
    yield lib
    close_library(lib)


@pytest.fixture(params=["assertion", "bearer"])
def door(request: pytest.FixtureRequest, steady: Library) -> Door:
    lib = steady
    desk = system(lib)
    if request.param == "assertion":
        key = SigningKey(desk.key.private_key)
        return Door("assertion", lambda text: access_token(lib, desk.asked(text)), desk.assertion, key)
    record = library_key(lib, API)
    return Door(
        "bearer",
        lambda text: authenticate(lib, text, address="127.0.0.1"),
        lambda: access_token(lib, desk.asked()).bearer,
        recorded_key(lib.signer, record),
    )


CODES = {"assertion": "invalid_client", "bearer": "bad_bearer"}


def test_the_good_one_is_let_in_or_this_file_proves_nothing(door: Door) -> None:
    door.enter(door.good())
    door.enter(door.signed(*door.parts()))


HEADERS: dict[str, dict[str, Any]] = {
    "alg none": {"alg": "none"},
    "alg None": {"alg": "None"},
    "alg NoNe": {"alg": "NoNe"},
    "alg empty": {"alg": ""},
    "alg in small letters": {"alg": "es256"},
    "alg ES384": {"alg": "ES384"},
    "alg RS256": {"alg": "RS256"},
    "alg list": {"alg": ["ES256"]},
    "alg null": {"alg": None},
    "kid of nobody": {"kid": "0" * 16},
    "kid with a path": {"kid": "../../../../etc/passwd"},
    "kid of a file": {"kid": "/dev/null"},
    "kid of a key file": {"kid": "file:keys/api.pem"},
    "kid with SQL": {"kid": "x' UNION SELECT spki_der FROM signing_key --"},
    "kid list": {"kid": ["a"]},
    "kid object": {"kid": {"a": 1}},
    "kid number": {"kid": 1},
    "kid true": {"kid": True},
    "kid with NUL": {"kid": "\x00"},
    "kid with a surrogate": {"kid": "\ud800"},
    "jwk": {"jwk": {"kty": "EC", "crv": "P-256", "x": "a", "y": "b"}},
    "jku": {"jku": "https://attacker.example/keys"},
    "x5u": {"x5u": "https://attacker.example/cert"},
    "x5c": {"x5c": ["MIIB"]},
    "crit": {"crit": ["exp"]},
    "crit unknown": {"crit": ["b64"], "b64": False},
    "b64": {"b64": False},
    "zip": {"zip": "DEF"},
    "typ of a receipt": {"typ": "certlib-receipt+jwt"},
    "typ of a list": {"typ": "statuslist+jwt"},
    "typ number": {"typ": 1},
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_choose_what_they_may_not(door: Door, name: str) -> None:
    header, claims = door.parts()
    assert door.refused(door.signed({**header, **HEADERS[name]}, claims)) == CODES[door.name]


def test_the_key_in_the_header_is_not_asked(door: Door) -> None:
    """Signed by a key of the attacker that the header brings along."""
    mine = generate_key(KeyAlgorithm.P256)
    header, claims = door.parts()
    point = mine.spki_der[-64:]
    jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[:32]), "y": b64(point[32:])}
    forger = Door(door.name, door.enter, door.good, mine)
    for changed in ({**header, "jwk": jwk}, header, {"alg": "ES256", "typ": header["typ"]}):
        assert door.refused(forger.signed(changed, claims)) == CODES[door.name]
    assert door.refused(forger.signed({**header, "kid": kid_of(mine.spki_der).hex()}, claims)) == CODES[door.name]


@pytest.mark.parametrize("alg", ["HS256", "ES256", "none"])
def test_a_mac_with_the_public_key_is_no_signature(door: Door, alg: str) -> None:
    header, claims = door.parts()
    covered = f"{b64({**header, 'alg': alg})}.{b64(claims)}"
    for secret in (door.public_pem, door.public_pem.strip(), door.key.spki_der, b""):
        mac = hmac.digest(secret, covered.encode(), "sha256")
        for signature in (mac, mac + mac, b""):
            assert door.refused(f"{covered}.{b64(signature)}") == CODES[door.name]


def test_signatures_of_other_forms(door: Door) -> None:
    head, claims, signature = door.good().split(".")
    raw = unb64(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    der = encode_dss_signature(r, s)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    others = [der, raw + b"\x00", raw[:-1], raw[:32] * 2, b"\x00" * 64, b"\xff" * 64, b"", raw[32:] + raw[:32]]
    others += [(r + order).to_bytes(33, "big") + raw[32:], raw[:32] + order.to_bytes(32, "big")]
    for each in others:
        assert door.refused(f"{head}.{claims}.{b64(each)}") == CODES[door.name], each.hex()
    other_key = ec.generate_private_key(ec.SECP384R1())
    wide = other_key.sign(f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA384()))
    assert door.refused(f"{head}.{claims}.{b64(wide)}") == CODES[door.name]


def test_changed_payloads_and_broken_texts(door: Door) -> None:
    head, claims, signature = door.good().split(".")
    changed = json.loads(unb64(claims))
    changed["scope"] = "issue manage verify share audit"
    whole = f"{head}.{claims}.{signature}"
    texts = [
        f"{head}.{b64(changed)}.{signature}",
        "", ".", "..", "...", head, f"{head}.{claims}", f"{whole}.", f"{whole}.{signature}", f"{whole}.x.y",
        f"{head}..{signature}", f".{claims}.{signature}", f"{head}.{claims}.", f"{head}.{signature}.{claims}",
        f"{whole}=", f"{head}=.{claims}.{signature}", f"{head}.{claims}==.{signature}", f"{head}.{claims} .{signature}",
        f" {whole}", f"{whole}\n", whole.replace(".", "。"), f"{head}.{claims}.{signature[:-1]}",
        f"{head}.{claims}.{signature}A", f"{head}.{claims}.{signature.replace('-', '+').replace('_', '/')}+",
        f"{head}A.{claims}.{signature}", whole + "\x00", "\ud800" + whole,
        json.dumps({"protected": head, "payload": claims, "signature": signature}),
    ]  # fmt: skip
    assert [text for text in texts if door.refused(text) != CODES[door.name]] == []


def test_stray_bits_in_base64_do_not_make_a_second_text(door: Door) -> None:
    """The last character of 64 bytes holds four bits that say nothing; only zeros are taken."""
    head, claims, signature = door.good().split(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = letters.index(signature[-1])
    assert place % 16 == 0
    assert door.refused(f"{head}.{claims}.{signature[:-1]}{letters[place + 1]}") == CODES[door.name]


@pytest.mark.parametrize(
    "claims",
    [
        '{"exp": 9e9999}', '{"exp": 1e400}', '{"exp": NaN}', '{"exp": Infinity}', '{"exp": -Infinity}', "[]", "null",
        '"text"', "1", "", "{", '{"a": 1,}', "{'a': 1}", '{"a": 1} x', '{"a": "\\ud800"}', '\ufeff{"a": 1}',
        '{"exp": 1' + "0" * 5000 + "}",
        '{"a":' * 9 + "1" + "}" * 9, '{"a":' + "[" * 2000 + "]" * 2000 + "}",
    ],
    ids=lambda text: text[:24],
)  # fmt: skip
def test_payloads_that_are_no_claims_though_well_signed(door: Door, claims: str) -> None:
    header, good = door.parts()
    if claims.startswith('{"') and claims.endswith("}"):  # the rest of it is right
        claims = json.dumps(good)[:-1] + ", " + claims[1:]
    assert door.refused(door.signed(header, claims)) == CODES[door.name]


def test_members_twice(door: Door) -> None:
    header, claims = door.parts()
    whole_head, whole_claims = json.dumps(header), json.dumps(claims)
    for name in claims:
        twice = whole_claims[:-1] + f", {json.dumps(name)}: {json.dumps(claims[name])}}}"
        assert door.refused(door.signed(header, twice)) == CODES[door.name], name
    for name in header:
        twice = whole_head[:-1] + f", {json.dumps(name)}: {json.dumps(header[name])}}}"
        assert door.refused(door.signed(twice, claims)) == CODES[door.name], name


NO_TIMES: list[object] = ["soon", "", "1", None, True, 1.5, 2e9, [], {}, -1, 0]


@pytest.mark.parametrize("value", NO_TIMES, ids=repr)
def test_times_that_are_no_times(door: Door, value: object) -> None:
    header, claims = door.parts()
    expected = {CODES[door.name], "expired_bearer"}
    assert door.refused(door.signed(header, {**claims, "exp": value})) in expected
    if value not in (0, -1, None) or value is True:
        assert door.refused(door.signed(header, {**claims, "iat": value})) == CODES[door.name]
        assert door.refused(door.signed(header, {**claims, "nbf": value})) == CODES[door.name]


def test_times_ahead_and_behind(door: Door, time: Clock) -> None:
    header, claims = door.parts()
    now = int(time().timestamp())
    missing = {name: value for name, value in claims.items() if name != "exp"}
    assert door.refused(door.signed(header, missing)) == CODES[door.name]
    for name in ("iat", "nbf"):
        assert door.refused(door.signed(header, {**claims, name: now + 61})) == CODES[door.name]
        assert door.refused(door.signed(header, {**claims, name: 10**30})) == CODES[door.name]
    assert door.refused(door.signed(header, {**claims, "exp": now})) in {CODES[door.name], "expired_bearer"}
    good = door.good()
    time.move(days=1)
    assert door.refused(good) in {CODES[door.name], "expired_bearer"}


@pytest.mark.parametrize("audience", ["https://elsewhere.example", "", None, 1, [], ["https://elsewhere.example"], {}])
def test_audiences_that_are_not_us(door: Door, audience: object) -> None:
    header, claims = door.parts()
    assert door.refused(door.signed(header, {**claims, "aud": audience})) == CODES[door.name]
    both = [claims["aud"], "https://elsewhere.example"]
    assert door.refused(door.signed(header, {**claims, "aud": both})) == CODES[door.name]
    assert door.refused(door.signed(header, {**claims, "aud": claims["aud"] + "/"})) == CODES[door.name]


def test_over_eight_kilobytes_nothing_is_decoded(door: Door) -> None:
    header, claims = door.parts()
    room = callers.MAX_BEARER_CHARACTERS - len(door.signed(header, {**claims, "x": ""})) - 8
    door.enter(door.signed(header, {**claims, "x": "a" * (room * 3 // 4)}))
    _, claims = door.parts()
    assert door.refused(door.signed(header, {**claims, "x": "a" * 8192})) == CODES[door.name]
    assert door.refused(door.good() + "A" * 10_000_000) == CODES[door.name]
    assert door.refused("." * 10_000_000) == CODES[door.name]


def test_what_was_made_for_another_purpose(door: Door, steady: Library) -> None:
    """Signed by keys of this library, every one of them, and none is an assertion or a bearer."""
    lib = steady
    receipt = signed_answer(lib, asker(), asking(), act="check", subject="x", result={}, checked_at=lib.now())
    _, claims = door.parts()
    key = recorded_key(lib.signer, library_key(lib, RECEIPT))
    texts = [receipt, jws.signed(claims, key=key, typ="at+jwt"), jws.signed(claims, key=door.key, typ="jwt")]
    texts += [
        jws.signed(claims, key=door.key, typ=each) for each in ("holder+jwt", "certlib-session+jwt", "AT+JWT", "")
    ]
    assert [text for text in texts if door.refused(text) != CODES[door.name]] == []


def test_assertions_are_no_bearers_and_the_other_way_round(steady: Library) -> None:
    desk = system(steady)
    with pytest.raises(UnauthenticatedError):
        authenticate(steady, desk.assertion(aud=steady.settings.base_url))
    bearer = access_token(steady, desk.asked()).bearer
    with pytest.raises(UnauthenticatedError):
        access_token(steady, desk.asked(bearer))


def test_another_clients_key(steady: Library) -> None:
    desk, other = system(steady), system(steady, agency_code=MARKET_BUREAU.code)
    mixed = System(lib=steady, client=desk.client, key=other.key)
    for header in (mixed.header(), mixed.header(kid=None), mixed.header(kid=desk.kid)):
        covered = f"{b64(header)}.{b64(mixed.claims())}"
        signature = SigningKey(other.key.private_key).sign_raw(hashlib.sha256(covered.encode()).digest())
        with pytest.raises(UnauthenticatedError) as caught:
            access_token(steady, mixed.asked(f"{covered}.{b64(signature)}"))
        assert caught.value.code == "invalid_client"
    for changes in ({"sub": other.client.id}, {"iss": other.client.id}, {"sub": None}, {"iss": 1}, {"sub": ["x"]}):
        with pytest.raises(UnauthenticatedError):
            access_token(steady, desk.asked(desk.assertion(**changes)))


@pytest.mark.parametrize("token_id", [None, "", 1, ["x"], "x" * 257, True])
def test_assertions_need_an_id(steady: Library, token_id: object) -> None:
    desk = system(steady)
    claims = desk.claims(jti=token_id) if token_id is not None else desk.claims(jti=None)
    door = Door(
        "assertion",
        lambda text: access_token(steady, desk.asked(text)),
        desk.assertion,
        SigningKey(desk.key.private_key),
    )
    assert door.refused(door.signed(desk.header(), claims)) == "invalid_client"


def test_an_assertion_lives_five_minutes_at_most(steady: Library) -> None:
    desk = system(steady)
    now = int(steady.now().timestamp())
    access_token(steady, desk.asked(desk.assertion(exp=now + 300)))
    with pytest.raises(UnauthenticatedError, match="more than 300 seconds ahead"):
        access_token(steady, desk.asked(desk.assertion(exp=now + 361)))
    with pytest.raises(UnauthenticatedError, match="has expired"):
        access_token(steady, desk.asked(desk.assertion(exp=now - 1)))


def test_an_assertion_may_leave_out_what_it_may(steady: Library) -> None:
    desk = system(steady)
    door = Door(
        "assertion",
        lambda text: access_token(steady, desk.asked(text)),
        desk.assertion,
        SigningKey(desk.key.private_key),
    )
    url = steady.settings.base_url
    for header in ({"alg": "ES256"}, desk.header(kid=None), desk.header(typ="client-authentication+jwt")):
        door.enter(door.signed(header, desk.claims(iat=None)))
    for audience in (url, f"{url}/oauth/token", [url]):
        door.enter(door.signed(desk.header(), desk.claims(aud=audience)))


def test_the_bearer_of_another_library(steady: Library, tmp_path: Path, time: Clock) -> None:
    """With the same name, the same URL and the same agencies."""
    new_home(tmp_path / "other", now=time())
    other = opened(read_settings(tmp_path / "other"), now=time)
    try:
        foreign = bearer_for(other, CITY.code, ttl_seconds=600, scopes=("share",))
        assert authenticate(other, foreign).agency_code == CITY.code
        with pytest.raises(UnauthenticatedError):
            authenticate(steady, foreign)
    finally:
        close_library(other)


def test_a_bearer_for_another_url_of_ours(steady: Library, time: Clock) -> None:
    bearer = bearer_for(steady, CITY.code, ttl_seconds=600)
    home = steady.settings.home
    (home / "certlib.toml").write_text('api_url = "https://elsewhere.example"\n', "utf-8")
    moved = opened(read_settings(home), now=time)
    try:
        with pytest.raises(UnauthenticatedError):
            authenticate(moved, bearer)
    finally:
        close_library(moved)


def test_a_bearer_cannot_name_another_agency_or_no_client(steady: Library) -> None:
    lib = steady
    desk = system(lib)
    key = recorded_key(lib.signer, library_key(lib, API))
    now = int(lib.now().timestamp())
    url = lib.settings.base_url
    good: dict[str, Any] = {
        "iss": url,
        "aud": url,
        "agency": CITY.code,
        "client_id": desk.client.id,
        "scope": "share",
        "iat": now,
    }
    good |= {"exp": now + 60, "sub": desk.client.id, "jti": "x"}
    assert authenticate(lib, jws.signed(good, key=key, typ="at+jwt")).client_id == desk.client.id
    wrong: list[dict[str, Any]] = [
        {"agency": MARKET_BUREAU.code}, {"client_id": "0" * 26}, {"client_id": 1}, {"agency": "NOBODY"},
        {"client_id": "", "agency": "NOBODY"}, {"scope": None}, {"scope": ["share"]}, {"iss": "x"},
        {"client_id": "\x00"}, {"agency": None},
    ]  # fmt: skip
    for each in wrong:
        with pytest.raises(UnauthenticatedError):
            authenticate(lib, jws.signed(good | each, key=key, typ="at+jwt"))
    wide = jws.signed(good | {"scope": "issue manage share audit"}, key=key, typ="at+jwt")
    assert authenticate(lib, wide).scopes == {"share"}


def test_a_public_key_that_nobody_should_hand_over(steady: Library) -> None:
    def code(public_key: bytes) -> str:
        with pytest.raises(CertlibError) as caught:
            add_client(steady, CITY.code, name="x", scopes=("share",), public_key=public_key, operator="tests")
        assert b"PRIVATE" not in str(caught.value).encode()
        return caught.value.code

    desk = system(steady)
    public = desk.key.as_dict(private=False)
    bad: list[dict[str, Any]] = [
        desk.key.as_dict(private=True), public | {"crv": "P-384"}, public | {"kty": "RSA"}, public | {"use": "enc"},
        public | {"alg": "ES384"}, public | {"key_ops": ["sign"]}, public | {"key_ops": ["encrypt"]},
        public | {"x": "AA"}, public | {"x": public["y"]}, public | {"kid": "a b"}, public | {"kid": "x" * 65},
        public | {"kid": 1},
        public | {"x": None}, {"kty": "oct", "k": "AAAA"}, {},
    ]  # fmt: skip
    for each in bad:
        assert code(json.dumps(each).encode()) == "invalid_request", each
    pems = [
        desk.key.as_pem(private=True),
        b"",
        b"\xff" * 100,
        b"x" * 9000,
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ]
    large = ec.generate_private_key(ec.SECP384R1()).public_key()
    pems.append(large.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for pem in pems:
        assert code(pem) == "invalid_request", pem[:40]


def test_what_is_refused_leaves_a_trace_without_a_secret(steady: Library, time: Clock) -> None:
    desk = system(steady)
    for _ in range(50):
        with pytest.raises(UnauthenticatedError):
            access_token(steady, desk.asked("a.b.c"))
        with pytest.raises(UnauthenticatedError):
            access_token(steady, desk.asked(desk.assertion(aud="x")))
    noted = [
        each for each in audits.read_chain(steady.store) if each.subject == desk.client.id and "refused" in each.act
    ]
    assert [each.detail["code"] for each in noted] == ["wrong_audience"]  # one in ten minutes, however many came
    time.move(minutes=11)
    disable_client(steady, desk.client.id, reason="lost", operator="tests")
    with pytest.raises(UnauthenticatedError):
        access_token(steady, desk.asked())
    noted = [
        each for each in audits.read_chain(steady.store) if each.subject == desk.client.id and "refused" in each.act
    ]
    assert [each.detail["code"] for each in noted] == ["wrong_audience", "client_disabled"]
