"""Tokens of purpose-bound copies: two claims that come together, and that no reader passes over."""

from datetime import timedelta
from typing import Any

import cbor2
import pytest

from signing.errors import Fault, TokenError, VerificationError
from signing.tokens import Audience, claims_unverified, sign_token, token_digits, token_url, verify_token
from tests.support.pki import NOW, throwaway_pki
from tests.support.tokens import claims, copy_claims, payload_map, signed_map, valid_token

MADE: dict[Any, Any] = {1: "7K2M", 2: "school"}
KEY = throwaway_pki().agencies[0].token_key


def with_claims(**changes: object) -> str:
    names = {"aud": 3, "exp": 4, "copy": -65538}
    content = payload_map() | {names[name]: value for name, value in changes.items() if value is not None}
    for name in (name for name, value in changes.items() if value is None):
        content.pop(names[name], None)
    return signed_map({name: content[name] for name in sorted(content, key=cbor2.dumps)})


def test_a_copys_claims_come_back_as_they_went_in() -> None:
    text = token_url("https://licences.example/q#", sign_token(copy_claims(), KEY))
    seen = verify_token(text, throwaway_pki().pack(), now=NOW)
    assert seen.claims == copy_claims()
    assert seen.claims.audience == Audience(
        code="CITYHALL", reference="7K2M9Q4R1T8W3X5Z", purpose="子女入学 school entry"
    )
    assert claims_unverified(text) == copy_claims()


def test_a_licences_own_token_is_for_everybody() -> None:
    assert verify_token(valid_token(), throwaway_pki().pack(), now=NOW).claims.audience is None


def test_the_wire_is_that_of_the_documents() -> None:
    assert verify_token(with_claims(aud="CITY", copy=MADE), throwaway_pki().pack(), now=NOW).claims == claims(
        audience=Audience(code="CITY", reference="7K2M", purpose="school")
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"copy": MADE},
        {"aud": "CITY"},
        {"aud": "CITY", "copy": MADE, "exp": None},
        {"aud": "", "copy": MADE},
        {"aud": 7, "copy": MADE},
        {"aud": ["CITY"], "copy": MADE},
        {"aud": "證" * 65, "copy": MADE},
        {"aud": "CITY", "copy": "x"},
        {"aud": "CITY", "copy": {}},
        {"aud": "CITY", "copy": {1: "7K2M"}},
        {"aud": "CITY", "copy": {1: "", 2: "school"}},
        {"aud": "CITY", "copy": {1: "x" * 65, 2: "school"}},
        {"aud": "CITY", "copy": {1: "7K2M", 2: "x" * 201}},
        {"aud": "CITY", "copy": {1: "7K2M", 2: 5}},
        {"aud": "CITY", "copy": {1: "7K2M", 2: "school", 3: "x"}},
    ],
    ids=str,
)
def test_a_copy_that_says_too_little_or_too_much_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(VerificationError) as refused:
        verify_token(with_claims(**changes), throwaway_pki().pack(), now=NOW)
    assert refused.value.fault is Fault.MALFORMED


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": None},
        {"audience": Audience(code="", reference="7K2M", purpose="x")},
        {"audience": Audience(code="CITY", reference="", purpose="x")},
        {"audience": Audience(code="CITY", reference="7K2M", purpose="x" * 201)},
        {"audience": Audience(code="CITY", reference="7K2M", purpose="\ud800")},
        {"expires_at": NOW - timedelta(days=1)},
    ],
    ids=str,
)
def test_no_such_copy_is_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        sign_token(copy_claims(**changes), KEY)


@pytest.mark.parametrize("text", ["", "x", "0" * 17, token_digits(b"\xd2\x84")])
def test_what_is_no_token_has_no_claims(text: str) -> None:
    with pytest.raises(VerificationError):
        claims_unverified(text)
