"""Signed receipts: what is said is read, and nothing else passes."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jws as other_jws
from joserfc.jwk import ECKey

from signing import jws
from signing.errors import Fault, KeyUnusableError, ReceiptError, VerificationError
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from signing.receipts import MAX_RECEIPT_CHARACTERS, RECEIPT_TYPE, Receipt, sign_receipt, verify_receipt
from signing.trust import KeyPurpose, TrustedKey

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY, OTHER = generate_key(KeyAlgorithm.P256), generate_key(KeyAlgorithm.P256)


def receipt(**changes: Any) -> Receipt:  # noqa: ANN401  # of Receipt
    made = Receipt(
        receipt_id="7KX2",
        issuer="Sample Licence Library",
        act="check",
        subject="1.2.156.3005.2.x",
        asked_by="RAINPORT",
        operator="clerk-7",
        purpose="000123 / case 2026-88",
        checked_at=NOW - timedelta(seconds=5),
        issued_at=NOW,
        result={"number": "match", "status": "active", "nested": {"名": [1, None, True]}},
    )
    return replace(made, **changes)


def keys(signer: SigningKey = KEY, **changes: Any) -> dict[bytes, TrustedKey]:  # noqa: ANN401  # of TrustedKey
    entry = TrustedKey(
        kid=signer.kid,
        purpose=KeyPurpose.RECEIPT,
        algorithm="ES256",
        spki_der=signer.spki_der,
        owner="",
        not_before_at=NOW - timedelta(days=1),
        not_after_at=NOW + timedelta(days=1),
    )
    return {signer.kid: replace(entry, **changes)}


def refused(text: str, fault: Fault, by: dict[bytes, TrustedKey] | None = None, now: datetime = NOW) -> None:
    with pytest.raises(VerificationError) as error:
        verify_receipt(text, keys() if by is None else by, now=now)
    assert error.value.fault is fault


def test_what_is_signed_is_read() -> None:
    for said in (receipt(), receipt(subject="", operator="", purpose=""), receipt(result={})):
        read = verify_receipt(sign_receipt(said, KEY), keys(), now=NOW)
        assert read.receipt == said
        assert read.key.kid == KEY.kid


def test_it_stays_good_for_the_case_file() -> None:
    text = sign_receipt(receipt(), KEY)
    ended = keys(not_after_at=NOW + timedelta(seconds=1))
    assert verify_receipt(text, ended, now=NOW + timedelta(days=3650)).receipt == receipt()


def test_another_library_reads_it() -> None:
    other = ECKey.import_key(
        base64.b64encode(KEY.spki_der).join([b"-----BEGIN PUBLIC KEY-----\n", b"\n-----END PUBLIC KEY-----\n"])
    )
    read = other_jws.deserialize_compact(sign_receipt(receipt(), KEY), other, algorithms=["ES256"])
    assert read.headers()["typ"] == RECEIPT_TYPE
    assert json.loads(read.payload or b"")["result"] == receipt().result


def test_keys_that_do_not_stand_for_receipts() -> None:
    text = sign_receipt(receipt(), KEY)
    refused(text, Fault.EMPTY_TRUST, {})
    refused(text, Fault.UNKNOWN_KEY, keys(OTHER))
    refused(text, Fault.KEY_WITHDRAWN, keys(withdrawn_at=NOW))
    refused(text, Fault.EXPIRED_CERTIFICATE, keys(not_before_at=NOW + timedelta(seconds=1)))
    refused(text, Fault.EXPIRED_CERTIFICATE, keys(not_after_at=NOW))
    refused(text, Fault.NOT_YET_VALID, now=NOW - timedelta(seconds=301))
    for purpose in KeyPurpose:
        if purpose is not KeyPurpose.RECEIPT:
            refused(text, Fault.WRONG_KEY, keys(purpose=purpose))
    refused(text, Fault.UNTRUSTED_ISSUER, {KEY.kid: keys(OTHER)[OTHER.kid]})


def test_no_changed_character_passes() -> None:
    text = sign_receipt(receipt(), KEY)
    for at, character in enumerate(text):
        for other in {"A", "B", "."} - {character}:
            with pytest.raises(VerificationError):
                verify_receipt(text[:at] + other + text[at + 1 :], keys(), now=NOW)


def test_other_forms_are_refused() -> None:
    payload = json.loads(jws.bytes_of(sign_receipt(receipt(), KEY).split(".")[1]))
    head, body, _ = sign_receipt(receipt(), KEY).split(".")
    none = jws.base64url(b'{"alg":"none","typ":"' + RECEIPT_TYPE.encode() + b'"}')
    refused(f"{none}.{body}.", Fault.UNSIGNED)
    refused(f"{head}.{body}.", Fault.UNSIGNED)
    refused("A" * (MAX_RECEIPT_CHARACTERS + 1), Fault.TOO_LARGE)
    refused("", Fault.MALFORMED)
    refused("é.é.é", Fault.MALFORMED)
    refused(jws.signed(payload, key=KEY, typ="JWT"), Fault.MALFORMED)
    for name in payload:
        less = {key: value for key, value in payload.items() if key != name}
        refused(jws.signed(less, key=KEY, typ=RECEIPT_TYPE), Fault.MALFORMED)
    wrong: list[dict[str, Any]] = [
        {"iat": -1}, {"iat": True}, {"checked_at": payload["iat"] + 1}, {"result": []}, {"jti": ""}, {"operator": 1},
        {"x": 1},
    ]  # fmt: skip
    for each in wrong:
        refused(jws.signed({**payload, **each}, key=KEY, typ=RECEIPT_TYPE), Fault.MALFORMED)


def test_receipts_that_cannot_be_made() -> None:
    wrong: list[dict[str, Any]] = [
        {"receipt_id": ""}, {"asked_by": ""}, {"checked_at": NOW + timedelta(seconds=2)}, {"purpose": "x" * 501},
        {"issued_at": datetime(2026, 1, 1)},  # noqa: DTZ001
    ]  # fmt: skip
    for changes in wrong:
        with pytest.raises(ReceiptError):
            receipt(**changes)
    for result in ({"x": float("nan")}, {"x": "\ud800"}, {"x": "y" * MAX_RECEIPT_CHARACTERS}):
        with pytest.raises(ReceiptError):
            sign_receipt(receipt(result=result), KEY)
    with pytest.raises(KeyUnusableError):
        sign_receipt(receipt(), generate_key(KeyAlgorithm.RSA2048))
