import hashlib
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from asn1crypto import cms, tsp

from signing.der import SEQUENCE, elements, only, tlv
from signing.errors import Fault, TimestampError, VerificationError
from signing.keys import KeyAlgorithm, generate_key
from signing.timestamps import LocalTimestampAuthority, TimestampSource, verify_timestamp
from tests.support.pki import END, NOW, throwaway_pki
from tests.support.sealing import authority, look_alike, seat
from tests.support.tsa import Reply, tsa_server

DIGEST = hashlib.sha256(b"a signature").digest()


def roots() -> tuple[bytes, ...]:
    return (throwaway_pki().root_cert_der,)


def asked(answer: Callable[[bytes], bytes | Reply], *, timeout_seconds: float = 5.0) -> bytes:
    with tsa_server(answer) as url:
        return TimestampSource(url, roots_der=roots(), timeout_seconds=timeout_seconds).token(DIGEST)


def token_fault(token: bytes, *, digest: bytes = DIGEST, roots_der: tuple[bytes, ...] | None = None) -> Fault:
    with pytest.raises(VerificationError) as caught:
        verify_timestamp(token, message_sha256=digest, roots_der=roots() if roots_der is None else roots_der)
    return caught.value.fault


@pytest.mark.parametrize("algorithm", list(KeyAlgorithm))
def test_a_token_over_http_says_time_and_authority(algorithm: KeyAlgorithm) -> None:
    token = asked(authority(algorithm=algorithm).reply)
    stamp = verify_timestamp(token, message_sha256=DIGEST, roots_der=roots())
    assert stamp.at == NOW
    assert stamp.authority == "试验时间戳"
    assert verify_timestamp(token, message_sha256=DIGEST, roots_der=(look_alike().root_der, *roots())) == stamp


def test_each_token_has_its_own_serial() -> None:
    tsa = authority()
    serials = [verify_timestamp(asked(tsa.reply), message_sha256=DIGEST, roots_der=roots()).serial for _ in range(3)]
    assert all(one != other for one, other in pairwise(serials))


def test_the_token_must_be_over_the_digest_and_lead_to_a_root() -> None:
    token = asked(authority().reply)
    assert token_fault(token, digest=hashlib.sha256(b"another").digest()) is Fault.BAD_SIGNATURE
    assert token_fault(token, roots_der=(look_alike().root_der,)) is Fault.UNTRUSTED_ISSUER
    assert token_fault(token, roots_der=()) is Fault.EMPTY_TRUST


def test_the_certificate_must_be_for_time_stamping() -> None:
    with pytest.raises(TimestampError):
        asked(authority(timestamping=False).reply)


def test_the_certificate_must_be_valid_at_the_tokens_time() -> None:
    late = authority(now=lambda: END + timedelta(days=1))
    with pytest.raises(TimestampError, match="valid"):
        asked(late.reply)


def test_an_authority_needs_the_key_of_its_certificate() -> None:
    with pytest.raises(TimestampError):
        LocalTimestampAuthority(generate_key(KeyAlgorithm.P256), seat().cert_der, now=lambda: NOW)


def replayed(tsa: LocalTimestampAuthority) -> Callable[[bytes], bytes]:
    """Answers every query with the token of another one over the same digest: only the nonce differs."""
    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": DIGEST}
    old = tsa.reply(
        tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "nonce": 1, "cert_req": True}).dump()
    )
    return lambda _query: old


def over_another(tsa: LocalTimestampAuthority) -> Callable[[bytes], bytes]:
    def answer(query: bytes) -> bytes:
        request = tsp.TimeStampReq.load(query)
        request["message_imprint"]["hashed_message"] = bytes(32)
        return tsa.reply(request.dump(force=True))

    return answer


def spoilt_signature(tsa: LocalTimestampAuthority) -> Callable[[bytes], bytes]:
    def answer(query: bytes) -> bytes:
        reply = tsp.TimeStampResp.load(tsa.reply(query))
        signer = reply["time_stamp_token"]["content"]["signer_infos"][0]
        signature = bytearray(signer["signature"].native)
        signature[-1] ^= 1
        signer["signature"] = bytes(signature)
        return bytes(reply.dump(force=True))

    return answer


def other_time(tsa: LocalTimestampAuthority) -> Callable[[bytes], bytes]:
    def answer(query: bytes) -> bytes:
        reply = tsp.TimeStampResp.load(tsa.reply(query))
        content = reply["time_stamp_token"]["content"]["encap_content_info"]
        info = tsp.TSTInfo.load(bytes(content["content"]))
        info["gen_time"] = datetime(2020, 1, 1, tzinfo=UTC)
        content["content"] = cms.ParsableOctetString(info.dump(force=True))
        return bytes(reply.dump(force=True))

    return answer


@pytest.mark.parametrize("spoil", [replayed, over_another, spoilt_signature, other_time])
def test_a_lying_authority_is_not_believed(
    spoil: Callable[[LocalTimestampAuthority], Callable[[bytes], bytes]],
) -> None:
    with pytest.raises(TimestampError):
        asked(spoil(authority()))


def answer_without_token(status: str) -> bytes:
    return tlv(SEQUENCE, tsp.PKIStatusInfo({"status": status}).dump())


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b""),
        Reply(body=b"\x30\x00"),
        Reply(body=b"hello"),
        Reply(body=b"\x30" * 70_000),
        Reply(body=b"<html>", content_type="text/html"),
        Reply(body=b"gone", status=503),
        Reply(body=answer_without_token("waiting")),
        Reply(body=answer_without_token("granted")),
    ],
)
def test_a_useless_answer_is_a_timestamp_error(reply: Reply) -> None:
    with pytest.raises(TimestampError):
        asked(lambda _query: reply)


def refusal(query: bytes) -> set[str]:
    (status,) = elements(only(authority().reply(query), SEQUENCE)[0].content)
    info = tsp.PKIStatusInfo.load(status.der, strict=True)
    assert info["status"].native == "rejection"
    return set(info["fail_info"].native)


def test_an_authority_refuses_what_it_cannot_stamp() -> None:
    for query in (b"", b"\x30\x00", b"rubbish"):
        assert refusal(query) == {"bad_data_format"}
    for name, size, why in (("sha1", 20, "bad_alg"), ("sha256", 31, "bad_data_format")):
        imprint = {"hash_algorithm": {"algorithm": name}, "hashed_message": bytes(size)}
        assert refusal(tsp.TimeStampReq({"version": "v1", "message_imprint": imprint}).dump()) == {why}


def test_a_slow_authority_is_given_up() -> None:
    begun = time.monotonic()
    with pytest.raises(TimestampError, match="reached"):
        asked(lambda _query: Reply(body=b"", before=lambda: time.sleep(1.5)), timeout_seconds=0.2)
    assert time.monotonic() - begun < 5


def test_an_authority_that_is_not_there_is_a_timestamp_error() -> None:
    with tsa_server(authority().reply) as url:
        pass
    with pytest.raises(TimestampError):
        TimestampSource(url, roots_der=roots(), timeout_seconds=1).token(DIGEST)


def test_a_source_needs_http_and_a_root() -> None:
    for url in ("file:///etc/passwd", "ftp://localhost/", "tsa.example"):
        with pytest.raises(TimestampError):
            TimestampSource(url, roots_der=roots())
    with pytest.raises(TimestampError):
        TimestampSource("http://localhost/", roots_der=())
