"""Status lists before independent readers: `@sd-jwt/jwt-status-list` and `@auth0/cose` on Node, `joserfc` in Python."""

import base64
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws as other_jws
from joserfc.jwk import ECKey

from signing.keys import KeyAlgorithm, generate_key
from signing.statuslist import CWT_TYPE, JWT_TYPE, StatusListClaims, packed, read_list_json, sign_cwt, sign_jwt

ROOT = Path(__file__).resolve().parents[2]
JUDGE = ROOT / "tests" / "judges" / "list_judge.mjs"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY, OTHER = generate_key(KeyAlgorithm.P256), generate_key(KeyAlgorithm.P256)
ENTRIES = {0: 1, 5: 2, 4095: 1, 65_535: 2}


def judged(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Let the judge answer requests; a judge that is not there is a failure, not a reason to skip."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node 20 or newer is needed to judge status lists (Debian: nodejs)")
    if not (ROOT / "node_modules" / "@sd-jwt" / "jwt-status-list").is_dir():
        pytest.fail("the judge's packages are missing: run `npm ci`")
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(  # noqa: S603  # our own script
        [node, str(JUDGE)], input=lines, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def claims(bits: int = 2) -> StatusListClaims:
    return StatusListClaims(
        uri="https://licences.example/s/0",
        issued_at=NOW,
        expires_at=NOW + timedelta(days=1),
        ttl_seconds=60,
        statuses=packed(ENTRIES.items(), bits=bits, size=2**16),
    )


def test_others_read_our_lists() -> None:
    spki = KEY.spki_der.hex()
    for bits in (2, 4, 8):
        jwt, cwt = judged(
            {"op": "jwt", "text": sign_jwt(claims(bits), KEY), "spki": spki},
            {"op": "cwt", "hex": sign_cwt(claims(bits), KEY).hex(), "spki": spki},
        )
        for answer in (jwt, cwt):
            assert answer["ok"], answer
            assert answer["size"] == 2**16
            assert dict(answer["entries"]) == ENTRIES
        iat, exp = int(NOW.timestamp()), int(NOW.timestamp()) + 86_400
        assert jwt["header"] == {"alg": "ES256", "kid": KEY.kid.hex(), "typ": JWT_TYPE}
        said = {name: jwt["claims"][name] for name in ("sub", "iat", "exp", "ttl")}
        assert said == {"sub": claims().uri, "iat": iat, "exp": exp, "ttl": 60}
        assert cwt["header"] == [[1, -7], [4, {"hex": KEY.kid.hex()}], [16, CWT_TYPE]]
        assert [pair for pair in cwt["claims"] if pair[0] != 65533] == [
            [2, claims().uri],
            [4, exp],
            [6, iat],
            [65534, 60],
        ]


def test_others_refuse_a_changed_list_and_another_key() -> None:
    jwt, cwt = sign_jwt(claims(), KEY), sign_cwt(claims(), KEY)
    changed = bytes([*cwt[:60], cwt[60] ^ 1, *cwt[61:]])
    head, body, signature = jwt.split(".")
    spki, other = KEY.spki_der.hex(), OTHER.spki_der.hex()
    answers = judged(
        {"op": "jwt", "text": jwt, "spki": other},
        {"op": "jwt", "text": f"{head}.{body[:-4]}AAAA.{signature}", "spki": spki},
        {"op": "cwt", "hex": cwt.hex(), "spki": other},
        {"op": "cwt", "hex": changed.hex(), "spki": spki},
    )
    assert [answer["ok"] for answer in answers] == [False] * 4


def test_we_read_the_lists_of_others() -> None:
    lists = [(bits, [(7 * index) % (1 << bits) for index in range(800)]) for bits in (1, 2, 4, 8)]
    answers = judged(*({"op": "make", "entries": entries, "bits": bits} for bits, entries in lists))
    for (bits, entries), answer in zip(lists, answers, strict=True):
        read = read_list_json({"bits": bits, "lst": answer["lst"]})
        assert [read.value(index) for index in range(read.size)] == entries


def test_joserfc_verifies_the_signature() -> None:
    pem = b"-----BEGIN PUBLIC KEY-----\n" + base64.encodebytes(KEY.spki_der) + b"-----END PUBLIC KEY-----\n"
    read = other_jws.deserialize_compact(sign_jwt(claims(), KEY), ECKey.import_key(pem), algorithms=["ES256"])
    assert read.headers() == {"alg": "ES256", "kid": KEY.kid.hex(), "typ": JWT_TYPE}
    assert json.loads(read.payload or b"")["sub"] == claims().uri
