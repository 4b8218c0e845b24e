"""Tokens before an independent COSE library (``@auth0/cose`` on Node): it accepts ours, we accept its, both refuse."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from signing.errors import VerificationError
from signing.keys import kid_of
from signing.tokens import TokenClaims, cose_of, sign_token, token_digits, verify_token
from signing.trust import KeyPurpose, TrustedKey
from tests.support.pki import BEGIN, END, NOW, throwaway_pki
from tests.support.tokens import claims, payload_map, reference_claims

ROOT = Path(__file__).resolve().parents[2]
JUDGE = ROOT / "tests" / "judges" / "cose_judge.mjs"


def judged(*requests: dict[str, Any]) -> list[dict[str, Any]]:
    """Let the judge answer requests; a judge that is not there is a failure, not a reason to skip."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("Node 20 or newer is needed to judge tokens (Debian: nodejs)")
    if not (ROOT / "node_modules" / "@auth0" / "cose").is_dir():
        pytest.fail("the judge's packages are missing: run `npm ci`")
    lines = "".join(json.dumps(request) + "\n" for request in requests)
    done = subprocess.run(  # noqa: S603  # our own script
        [node, str(JUDGE)], input=lines, capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def pairs(content: dict[Any, Any]) -> list[list[Any]]:
    return [[key, pairs(value) if isinstance(value, dict) else value] for key, value in content.items()]


VARIANTS = [
    claims(),
    reference_claims(),
    claims(expires_at=None, not_before_at=None),
    claims(fields={}),
    claims(fields={1: -5, 2: "", 300: "𠮷野家 🍜", 65_535: 2**32 - 1}),
]


def test_the_judge_accepts_ours_and_reads_the_same_claims() -> None:
    key = throwaway_pki().agencies[0].token_key
    tokens = [cose_of(token_digits(sign_token(variant, key))) for variant in VARIANTS]
    answers = judged(*({"op": "verify", "cose": token.hex(), "spki": key.spki_der.hex()} for token in tokens))
    for variant, answer in zip(VARIANTS, answers, strict=True):
        assert answer["ok"], answer
        assert answer["protected"] == [[1, -7], [4, {"hex": key.kid.hex()}]]
        assert answer["claims"] == pairs(payload_map(variant))


def test_the_judge_refuses_what_we_refuse() -> None:
    key, other = (agency.token_key for agency in throwaway_pki().agencies[:2])
    token = sign_token(claims(), key)
    changed = [bytes([*token[:at], token[at] ^ 1, *token[at + 1 :]]) for at in (8, 30, len(token) - 70, len(token) - 1)]
    requests = [{"op": "verify", "cose": one.hex(), "spki": key.spki_der.hex()} for one in changed]
    requests.append({"op": "verify", "cose": token.hex(), "spki": other.spki_der.hex()})
    assert [answer["ok"] for answer in judged(*requests)] == [False] * len(requests)
    for one in changed:
        with pytest.raises(VerificationError):
            verify_token(token_digits(one), throwaway_pki().pack(), now=NOW)


def test_we_accept_the_judges_and_read_the_same_claims() -> None:
    answers = judged(*({"op": "sign", "claims": pairs(payload_map(variant))} for variant in VARIANTS))
    for variant, answer in zip(VARIANTS, answers, strict=True):
        assert read(answer) == variant


def test_we_refuse_the_judges_token_with_another_key() -> None:
    first, second = judged(*[{"op": "sign", "claims": pairs(payload_map())}] * 2)
    with pytest.raises(VerificationError):
        read({"cose": first["cose"], "spki": second["spki"]})


def read(answer: dict[str, Any]) -> TokenClaims:
    spki_der = bytes.fromhex(answer["spki"])
    key = TrustedKey(
        kid=kid_of(spki_der),
        purpose=KeyPurpose.TOKEN,
        algorithm="ES256",
        spki_der=spki_der,
        owner="JUDGE",
        not_before_at=BEGIN,
        not_after_at=END,
    )
    text = token_digits(bytes.fromhex(answer["cose"]))
    return verify_token(text, {key.kid: key}, now=NOW).claims
