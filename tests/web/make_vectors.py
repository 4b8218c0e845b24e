"""Vectors for the page's own verifier, made and judged by `signing` with throwaway keys: JSON to standard output.

The page must give the same fault, or the same check phrase, for each. Run it as `python -m tests.web.make_vectors`.
"""

import json
import sys
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import cbor2

from certlib.model import Status
from certlib.snapshots import snapshot_json, status_snapshot
from signing import cose, jws
from signing.errors import VerificationError
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from signing.tokens import Audience, sign_token, token_digits, token_url, verify_token
from signing.trust import TrustPack, open_pack, sign_delegation, sign_pack
from tests.support import tokens
from tests.support.pki import BEGIN, END, NOW, throwaway_pki

PREFIX = "https://licences.example/q#"
URI = "https://licences.example/s/1"
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Order of P-256. SEC 2, 2.4.2."""
INDICES = {Status.SUSPENDED: 10, Status.CANCELLED: 11, Status.WITHDRAWN: 12, Status.REVOKED: 13, Status.SUPERSEDED: 14}

pki = throwaway_pki()
first, second = pki.agencies[:2]
key = first.token_key


def body(**changes: Any) -> dict[str, Any]:  # noqa: ANN401  # any part may be replaced
    """The body of a pack with both agencies, one type and one status list."""
    snapshot = status_snapshot(((index, status) for status, index in INDICES.items()), as_of=NOW - timedelta(hours=3))
    return {
        "agencies": {
            each.code: {"zh": each.name, "en": f"Agency {each.code}", "timezone": "Asia/Shanghai"}
            for each in (first, second)
        },
        "types": {
            "7": {
                "code": "food-licence",
                "zh": "食品经营许可证",
                "en": "Food licence",
                "number": {"zh": "许可证编号", "en": "Licence number"},
                "fields": {"10": {"name": "business", "zh": "经营者名称", "en": "Business", "kind": "text"}},
            }
        },
        "status_lists": {URI: snapshot_json(snapshot)},
        **changes,
    }


def pack(**changes: Any) -> TrustPack:  # noqa: ANN401  # any part may be replaced
    """A pack with all keys of the agencies."""
    keys = tuple(key for agency in pki.agencies for key in agency.trusted_keys())
    parts: dict[str, Any] = {
        "version": 5,
        "issued_at": NOW - timedelta(hours=3),
        "next_update_at": NOW + timedelta(days=7),
        "issuer": "Throwaway library",
        "roots_der": (pki.root_cert_der,),
        "keys": keys,
        "body": body(),
    }
    return TrustPack(**(parts | changes))


def good(**changes: Any) -> str:  # noqa: ANN401  # any part may be replaced
    """The URL of a token by the first agency."""
    return token_url(PREFIX, sign_token(tokens.claims(**changes), key))


def good_copy(**changes: Any) -> str:  # noqa: ANN401  # any part may be replaced
    """The URL of a copy's token by the first agency, for the second."""
    audience = Audience(code=second.code, reference="7K2M9Q4R1T8W3X5Z", purpose="子女入学")
    return token_url(PREFIX, sign_token(tokens.copy_claims(**{"audience": audience, **changes}), key))


def resigned(protected: bytes, payload: bytes, signer: SigningKey) -> bytes:
    """A COSE_Sign1 with any protected header, really signed."""
    return cose.sign1(protected, payload, signer.sign_raw(cose.signed_sha256(protected, payload)))


def with_claims(**changes: object) -> str:
    """A really signed token whose claims map was changed; `None` takes a claim out."""
    content = tokens.payload_map()
    for name, value in changes.items():
        claim = {
            "sub": 2,
            "exp": 4,
            "nbf": 5,
            "iat": 6,
            "status": 65535,
            "fields": -65537,
            "other": 7,
            "aud": 3,
            "copy": -65538,
        }[name]
        content.pop(claim, None)
        if value is not None:
            content[claim] = value
    ordered = sorted(content.items(), key=lambda item: cbor2.dumps(item[0]))
    return tokens.signed_map(dict(ordered))


def good_texts() -> Iterator[tuple[str, str]]:
    """Name and text of tokens that are good, however they come."""
    url = good()
    digits = url.partition("#")[2]
    parts = cose.read_sign1(sign_token(tokens.claims(), key))
    yield "good url", url
    yield "good digits", digits
    yield "good, blanks around", f" \r\n{url}\t"
    yield "good, foreign prefix", f"http://evil.example/x#{digits}"
    yield "good, wedge garble", f"HTTPSÖ--LICENCES.EXAMPLE-Q\N{SECTION SIGN}{digits}\r"
    yield "good, older code before it", f"{'1' * 240} https://x/q# {digits}"
    yield "good, long-term", good(expires_at=None, not_before_at=None)
    yield "good, reference record", token_url(PREFIX, sign_token(tokens.reference_claims(), key))
    r, s = parts.signature[:32], int.from_bytes(parts.signature[32:])
    other = cose.sign1(parts.protected, parts.payload, r + (ORDER - s).to_bytes(32))
    yield "good, the other signature", token_digits(other)
    yield "longest identifier", with_claims(sub="𠮷" * 200)
    yield "good, a copy", token_url(PREFIX, sign_token(tokens.copy_claims(), key))
    yield "issued in the key's first second", good(issued_at=BEGIN, not_before_at=None)
    yield "issued by a fast clock", good(issued_at=NOW + timedelta(seconds=300))


def text_and_cose_texts() -> Iterator[tuple[str, str]]:
    """Name and text of what is refused for its digits, its COSE form or its key."""
    digits = good().partition("#")[2]
    token = sign_token(tokens.claims(), key)
    parts = cose.read_sign1(token)
    protected = tokens.PROTECTED_HEAD + key.kid
    r = parts.signature[:32]
    yield "empty", ""
    yield "letters", "hello"
    yield "few digits in letters", "code 123456"
    yield "full-width digits", "".join(chr(ord(each) + 0xFEE0) for each in digits)
    yield "too long", "1" * 20000
    yield "too many digits", "0" * 3400
    yield "cut inside a group", digits[:-1]
    yield "cut at a group border", digits[: len(digits) // 17 * 17 - 17]
    yield "one digit more", digits + "0"
    yield "group out of range", "9" * 17 + digits[17:]
    yield "flipped payload byte", token_digits(token[:40] + bytes([token[40] ^ 1]) + token[41:])
    yield "flipped signature byte", token_digits(token[:-1] + bytes([token[-1] ^ 1]))
    yield "r is zero", token_digits(cose.sign1(parts.protected, parts.payload, bytes(32) + parts.signature[32:]))
    yield "s is the order", token_digits(cose.sign1(parts.protected, parts.payload, r + ORDER.to_bytes(32)))
    yield "trailing byte", token_digits(token + b"\0")
    yield "no tag", token_digits(token[1:])
    yield "double tag", token_digits(b"\xd2" + token)
    yield "nested CWT tag", token_digits(b"\xd8\x3d" + token)
    yield "unprotected entry", token_digits(token.replace(protected + b"\xa0", protected + b"\xa1\x01\x26", 1))
    yield "alg none", token_digits(resigned(b"\xa2\x01\x00\x04\x48" + key.kid, parts.payload, key))
    yield "alg missing", token_digits(resigned(b"\xa1\x04\x48" + key.kid, parts.payload, key))
    yield "signature short", token_digits(token[:-65] + b"\x3f" + token[-64:-1])
    yield "unknown kid", token_digits(sign_token(tokens.claims(), generate_key(KeyAlgorithm.P256)))
    yield (
        "kid of another agency",
        token_digits(resigned(tokens.PROTECTED_HEAD + second.token_key.kid, parts.payload, key)),
    )
    seal_keys = [agency.seal_key for agency in pki.agencies if agency.seal_key.algorithm is KeyAlgorithm.P256]
    yield "key confusion: a seal key", token_digits(sign_token(tokens.claims(), seal_keys[0]))


def payload_texts() -> Iterator[tuple[str, str]]:
    """Name and text of what is refused for its payload, though it is really signed."""
    plain = cbor2.dumps(tokens.payload_map())
    yield "inflate bomb", tokens.signed_payload(tokens.deflated(b"a" * 1_000_000))
    yield "deflate cut", tokens.signed_payload(tokens.deflated(plain)[:-2])
    yield "deflate trailing byte", tokens.signed_payload(tokens.deflated(plain) + b"\0")
    yield "deflate with dictionary", tokens.signed_payload(tokens.deflated(plain, dictionary=plain))
    yield "zlib instead of raw", tokens.signed_payload(zlib.compress(plain))
    yield "cbor trailing byte", tokens.signed_plain(plain + b"\0")
    yield "cbor duplicate key", tokens.signed_plain(bytes([plain[0] + 1]) + plain[1:2] + cbor2.dumps("x") + plain[1:])
    yield "cbor indefinite map", tokens.signed_plain(b"\xbf" + plain[1:] + b"\xff")
    yield "cbor keys out of order", tokens.signed_plain(cbor2.dumps(dict(reversed(tokens.payload_map().items()))))
    yield "cbor array", tokens.signed_map([1, 2])
    yield "cbor deep", tokens.signed_plain(b"\xa1\x01" * 50 + b"\x01")
    yield "cbor bytes", with_claims(sub=b"x")
    yield "cbor float", with_claims(exp=1.5)
    yield "cbor tagged", with_claims(sub=cbor2.CBORTag(0, "2026-01-01T00:00:00Z"))
    yield "cbor long head", tokens.signed_plain(plain[:1] + b"\x18\x02" + plain[2:])
    yield "no identifier", with_claims(sub=None)
    yield "empty identifier", with_claims(sub="")
    yield "long identifier", with_claims(sub="證" * 201)
    yield "no issue time", with_claims(iat=None)
    yield "no status", with_claims(status=None)
    yield "status with more", with_claims(status={"status_list": {"idx": 1, "uri": URI, "x": 1}})
    yield "status index negative", with_claims(status={"status_list": {"idx": -1, "uri": URI}})
    yield "status index text", with_claims(status={"status_list": {"idx": "1", "uri": URI}})
    yield "field key zero", with_claims(fields={0: "x"})
    yield "field value map", with_claims(fields={10: {1: 2}})
    yield "field text too long", with_claims(fields={10: "x" * 1501})
    yield "unknown claim", with_claims(other="x")
    made = {1: "7K2M", 2: "school"}
    yield "copy for nobody", with_claims(copy=made)
    yield "copy for nothing", with_claims(aud="CITY")
    yield "copy without an end", with_claims(aud="CITY", copy=made, exp=None)
    yield "copy for an empty code", with_claims(aud="", copy=made)
    yield "copy for a number", with_claims(aud=7, copy=made)
    yield "copy for a long code", with_claims(aud="證" * 65, copy=made)
    yield "copy of no reference", with_claims(aud="CITY", copy={2: "school"})
    yield "copy of an empty reference", with_claims(aud="CITY", copy={1: "", 2: "school"})
    yield "copy with more", with_claims(aud="CITY", copy={**made, 3: "x"})
    yield "copy for a long purpose", with_claims(aud="CITY", copy={1: "7K2M", 2: "x" * 201})
    yield "copy that is a text", with_claims(aud="CITY", copy="x")
    yield "begins after its end", with_claims(nbf=2_000_000_000, exp=1_900_000_000)
    yield "year 10000", with_claims(exp=253_402_300_800)
    yield "integer beyond 2^53", with_claims(exp=2**53)
    yield "issued before the key", good(issued_at=BEGIN - timedelta(seconds=1), not_before_at=None)
    yield "issued in the future", good(issued_at=NOW + timedelta(seconds=301))


def token_texts() -> Iterator[tuple[str, str]]:
    """Name and text of each token case."""
    yield from good_texts()
    yield from text_and_cose_texts()
    yield from payload_texts()


def judged(text: str, trust: TrustPack) -> dict[str, str]:
    """What `signing` says of a token."""
    try:
        return {"fault": "", "phrase": verify_token(text, trust, now=NOW).check_phrase}
    except VerificationError as error:
        return {"fault": error.fault.value, "phrase": ""}


def pack_files() -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each trust pack case."""
    data = sign_pack(pack(), pack_key=pki.pack_key, delegation=pki.delegation)
    text = data.decode()
    members = json.loads(text)
    yield "good", data
    yield (
        "stale",
        sign_pack(
            pack(next_update_at=NOW - timedelta(days=1), issued_at=NOW - timedelta(days=9)),
            pack_key=pki.pack_key,
            delegation=pki.delegation,
        ),
    )
    yield "older", sign_pack(pack(version=3), pack_key=pki.pack_key, delegation=pki.delegation)
    yield (
        "from the future",
        sign_pack(pack(issued_at=NOW + timedelta(days=1)), pack_key=pki.pack_key, delegation=pki.delegation),
    )
    yield "not JSON", b"<html>"
    yield "member twice", text.replace("{", '{"pack":"x",', 1).encode()
    yield "one more member", json.dumps(members | {"x": 1}).encode()
    yield "pack changed", json.dumps(members | {"pack": _flipped(members["pack"])}).encode()
    yield "signed by another", sign_pack(pack(), pack_key=key, delegation=pki.delegation)
    yield (
        "delegation by another",
        sign_pack(pack(), pack_key=pki.pack_key, delegation=sign_delegation(key, pki.pack_key, BEGIN, END)),
    )
    ended = sign_delegation(pki.root_key, pki.pack_key, BEGIN, NOW - timedelta(days=1))
    yield (
        "delegation ended",
        sign_pack(pack(issued_at=NOW - timedelta(days=2)), pack_key=pki.pack_key, delegation=ended),
    )
    payload = jws.verified(members["pack"], spki_der=pki.pack_key.spki_der, typ="certlib-trust-pack+jwt")
    broken: dict[str, dict[str, Any]] = {
        "no keys": {"keys": []},
        "no roots": {"root_certificates": []},
        "a key twice": {"keys": [*_list(payload["keys"]), _list(payload["keys"])[0]]},
        "version zero": {"version": 0},
        "version text": {"version": "5"},
        "no body": {"body": None},
        "unknown member": {"more": 1},
    }
    for name, changes in broken.items():
        signed = jws.signed(payload | changes, key=pki.pack_key, typ="certlib-trust-pack+jwt")
        yield name, json.dumps({"delegation": pki.delegation, "pack": signed}).encode()
    wrong = jws.signed(payload, key=pki.pack_key, typ="JWT")
    yield "another type of JWS", json.dumps({"delegation": pki.delegation, "pack": wrong}).encode()


def _list(value: object) -> list[Any]:
    assert isinstance(value, list)
    return value


def _flipped(text: str) -> str:
    return text[:-10] + ("A" if text[-10] != "A" else "B") + text[-9:]


def opened(data: bytes) -> str:
    """The fault of opening a pack where version 4 was seen before, or empty."""
    try:
        open_pack(data, anchor_spki_der=pki.root_key.spki_der, now=NOW, at_least_version=4)
    except VerificationError as error:
        return error.fault.value
    return ""


def verdict_tokens() -> dict[str, str]:
    """Tokens whose verdicts the page's own tests name."""
    return {
        "valid": good(),
        "another_agency": token_url(PREFIX, sign_token(tokens.claims(), second.token_key)),
        "expired": good(
            not_before_at=NOW - timedelta(days=9), expires_at=NOW - timedelta(days=1), issued_at=NOW - timedelta(days=9)
        ),
        "not_yet_effective": good(not_before_at=NOW + timedelta(days=1)),
        "no_list": good(status_uri="https://licences.example/s/9"),
        "no_entry": good(status_index=2**20),
        "copy": good_copy(),
        "copy_past": good_copy(
            issued_at=NOW - timedelta(days=9),
            not_before_at=NOW - timedelta(days=9),
            expires_at=NOW - timedelta(days=1),
        ),
        "copy_revoked": good_copy(status_index=INDICES[Status.REVOKED]),
        "copy_no_list": good_copy(status_uri="https://licences.example/s/9"),
        "copy_no_number": good_copy(fields={1: 7}, not_before_at=None),
        **{status.value: good(status_index=index) for status, index in INDICES.items()},
    }


def main() -> None:
    """Write all vectors."""
    trust = pack()
    withdrawn = replace(first.trusted_keys()[1], withdrawn_at=NOW)
    json.dump(
        {
            "now": int(NOW.timestamp()),
            "anchor": jws.base64url(pki.root_key.spki_der),
            "pack": sign_pack(trust, pack_key=pki.pack_key, delegation=pki.delegation).decode(),
            "withdrawn_pack": sign_pack(
                pack(keys=(withdrawn,)), pack_key=pki.pack_key, delegation=pki.delegation
            ).decode(),
            "no_agency_pack": sign_pack(
                pack(body=body(agencies={})), pack_key=pki.pack_key, delegation=pki.delegation
            ).decode(),
            "tokens": [{"name": name, "text": text, **judged(text, trust)} for name, text in token_texts()],
            "packs": [{"name": name, "text": data.decode(), "fault": opened(data)} for name, data in pack_files()],
            "verdicts": verdict_tokens(),
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
