import asyncio
import hashlib
import io
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from signing.cms import CmsSealer, read_cms
from signing.errors import Fault, SealError, VerificationError
from signing.keys import KeyAlgorithm, generate_key, kid_of
from signing.pades import (
    CLOCK_TOLERANCE,
    attachments,
    quick_check,
    sealed,
    sealing_certificate_kid,
    verify_seal,
)
from signing.sealgap import seal_gap
from signing.timestamps import LocalTimestampAuthority, TimestampSource
from tests.support.pki import BEGIN, END, NOW, throwaway_pki
from tests.support.sealing import (
    AGENCY_CODE,
    AGENCY_NAME,
    SEALED_AT,
    authority,
    certified,
    fault_of,
    look_alike,
    seat,
)
from tests.support.tiny_pdf import Oddities, tiny_pdf
from tests.support.tsa import tsa_server

ALGORITHMS = list(KeyAlgorithm)


def roots() -> tuple[bytes, ...]:
    return (throwaway_pki().root_cert_der,)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_sealed_file_verifies(algorithm: KeyAlgorithm) -> None:
    pdf = seat(algorithm).pdf()
    seal = verify_seal(pdf, roots_der=roots(), now=NOW)
    assert seal.signer_name == AGENCY_NAME
    assert seal.signer_code == AGENCY_CODE
    assert seal.signer_cert_der == seat(algorithm).cert_der
    assert seal.kid == kid_of(seat(algorithm).key.spki_der) == sealing_certificate_kid(pdf)
    assert seal.sealed_at == seal.claimed_at == SEALED_AT
    assert seal.timestamp is None
    assert seal.file_sha256 == hashlib.sha256(pdf).digest()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_short_check_agrees(algorithm: KeyAlgorithm) -> None:
    pdf = seat(algorithm).pdf()
    facts = quick_check(pdf, spki_der=seat(algorithm).key.spki_der)
    assert facts.claimed_at == SEALED_AT
    assert facts.signer_cert_der == seat(algorithm).cert_der
    assert facts.document_sha256 == verify_seal(pdf, roots_der=roots(), now=NOW).document_sha256
    assert not facts.has_timestamp


def test_the_short_check_wants_its_own_key_and_content() -> None:
    pdf, spki_der = seat().pdf(), seat().key.spki_der
    with pytest.raises(VerificationError) as caught:
        quick_check(look_alike().pdf(), spki_der=spki_der)
    assert caught.value.fault is Fault.WRONG_KEY
    with pytest.raises(VerificationError) as caught:
        quick_check(pdf.replace(b"LICENCE 0001", b"LICENCE 0002"), spki_der=spki_der)
    assert caught.value.fault is Fault.BAD_SIGNATURE


def test_claimed_times_are_read_in_their_own_zone() -> None:
    zoned = Oddities(claimed_time="/M (D:20260601123000+08'00')")
    assert verify_seal(seat().pdf(odd=zoned), roots_der=roots(), now=NOW).sealed_at == SEALED_AT
    zoned = Oddities(claimed_time="/M (D:20260531233000-05'00)")
    assert verify_seal(seat().pdf(odd=zoned), roots_der=roots(), now=NOW).sealed_at == SEALED_AT


def test_a_seal_that_does_not_fit_its_gap_is_an_error() -> None:
    sealer = seat().sealer()
    short = tiny_pdf(sealed_at=SEALED_AT, reserve_bytes=sealer.reserve_bytes - 40)
    with pytest.raises(SealError, match="digits"):
        short.seal(sealer)


def test_parts_that_are_not_around_a_gap_are_an_error() -> None:
    sealer = seat().sealer()
    pdf = tiny_pdf(sealed_at=SEALED_AT, reserve_bytes=sealer.reserve_bytes)
    for head, tail, length in (
        (pdf.head[:-1], pdf.tail, pdf.gap_hex_length),
        (pdf.head, pdf.tail[1:], pdf.gap_hex_length),
        (pdf.head, pdf.tail, pdf.gap_hex_length - 1),
    ):
        with pytest.raises(SealError):
            sealed(head, tail, length, pdf.digest, sealer)


def test_the_certificate_is_judged_at_the_time_of_sealing() -> None:
    expired = certified(generate_key(KeyAlgorithm.P256), not_after_at=SEALED_AT + timedelta(days=30))
    assert verify_seal(expired.pdf(), roots_der=roots(), now=NOW).sealed_at == SEALED_AT
    late = expired.pdf(sealed_at=SEALED_AT + timedelta(days=31))
    assert fault_of(late) is Fault.EXPIRED_CERTIFICATE
    early = certified(generate_key(KeyAlgorithm.P256), not_before_at=SEALED_AT + timedelta(seconds=1))
    assert fault_of(early.pdf()) is Fault.EXPIRED_CERTIFICATE


def test_a_seal_from_the_future_is_refused_beyond_the_clocks_tolerance() -> None:
    assert verify_seal(seat().pdf(sealed_at=NOW + CLOCK_TOLERANCE), roots_der=roots(), now=NOW).sealed_at > NOW
    assert fault_of(seat().pdf(sealed_at=NOW + CLOCK_TOLERANCE + timedelta(seconds=1))) is Fault.NOT_YET_VALID


def test_no_root_is_a_fault_and_a_strange_root_is_another() -> None:
    assert fault_of(seat().pdf(), roots_der=()) is Fault.EMPTY_TRUST
    assert fault_of(seat().pdf(), roots_der=(look_alike().root_der,)) is Fault.UNTRUSTED_ISSUER
    assert fault_of(seat().pdf(), roots_der=(b"rubbish",)) is Fault.MALFORMED
    assert verify_seal(seat().pdf(), roots_der=(look_alike().root_der, *roots()), now=NOW).signer_name == AGENCY_NAME


def test_judging_works_inside_an_event_loop() -> None:
    async def judged() -> str:
        return verify_seal(seat().pdf(), roots_der=roots(), now=NOW).signer_name

    assert asyncio.run(judged()) == AGENCY_NAME


# Attachments


def test_attachments_come_out_of_a_verified_file() -> None:
    sealer = seat().sealer()
    data = '{"number":"0001","名称":"试验"}'.encode()
    pdf = tiny_pdf(sealed_at=SEALED_AT, reserve_bytes=sealer.reserve_bytes, attached=data).seal(sealer)
    seal = verify_seal(pdf, roots_der=roots(), now=NOW)
    assert dict(attachments(pdf, seal=seal)) == {"record.json": data}


def test_attachments_of_another_file_stay_inside() -> None:
    seal = verify_seal(seat().pdf(), roots_der=roots(), now=NOW)
    with pytest.raises(VerificationError) as caught:
        attachments(seat().pdf(text="LICENCE 0002"), seal=seal)
    assert caught.value.fault is Fault.BAD_SIGNATURE


def test_two_attachments_of_one_name_are_malformed() -> None:
    pdf = seat().pdf(odd=Oddities(doubled_attachment=True))
    with pytest.raises(VerificationError) as caught:
        attachments(pdf, seal=verify_seal(pdf, roots_der=roots(), now=NOW))
    assert caught.value.fault is Fault.MALFORMED


def bomb(unpacked_mib: int) -> bytes:
    packer = zlib.compressobj(9)
    out = io.BytesIO()
    for _ in range(unpacked_mib):
        out.write(packer.compress(bytes(1024 * 1024)))
    out.write(packer.flush())
    return b"<< /Type /EmbeddedFile /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (
        len(out.getvalue()),
        out.getvalue(),
    )


def test_a_bomb_is_not_unpacked_even_from_a_trusted_sealer() -> None:
    pdf = seat().pdf(odd=Oddities(extra_objects=(bomb(300),), attached_object=10))
    seal = verify_seal(pdf, roots_der=roots(), now=NOW)
    tracemalloc.start()
    begun = time.process_time()
    try:
        with pytest.raises(VerificationError):
            attachments(pdf, seal=seal)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * 1024 * 1024
    assert time.process_time() - begun < 1


# Timestamps (PAdES B-T)


def stamped(tsa: LocalTimestampAuthority, *, algorithm: KeyAlgorithm = KeyAlgorithm.P256) -> bytes:
    with tsa_server(tsa.reply) as url:
        sealer = CmsSealer(
            seat(algorithm).key, (seat(algorithm).cert_der,), tsa=TimestampSource(url, roots_der=roots())
        )
        return tiny_pdf(sealed_at=SEALED_AT, reserve_bytes=sealer.reserve_bytes).seal(sealer)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_timestamp_gives_the_time_of_sealing(algorithm: KeyAlgorithm) -> None:
    at = SEALED_AT + timedelta(seconds=3)
    pdf = stamped(authority(now=lambda: at), algorithm=algorithm)
    seal = verify_seal(pdf, roots_der=roots(), now=NOW)
    assert seal.sealed_at == at
    assert seal.claimed_at == SEALED_AT
    assert seal.timestamp is not None
    assert seal.timestamp.authority == "试验时间戳"
    assert quick_check(pdf, spki_der=seat(algorithm).key.spki_der).has_timestamp


def test_a_timestamp_must_lead_to_a_root_for_timestamps() -> None:
    pdf = stamped(authority())
    with pytest.raises(VerificationError) as caught:
        verify_seal(pdf, roots_der=roots(), tsa_roots_der=(look_alike().root_der,), now=NOW)
    assert caught.value.fault is Fault.UNTRUSTED_ISSUER


def test_a_timestamp_of_another_seal_does_not_hold() -> None:
    tsa = authority()
    one, token = with_token(tsa)
    other = next(other for _, other in (with_token(tsa) for _ in range(100)) if len(other) == len(token))
    assert fault_of(one.replace(token.hex().encode(), other.hex().encode())) is Fault.BAD_SIGNATURE


def with_token(tsa: LocalTimestampAuthority) -> tuple[bytes, bytes]:
    pdf = stamped(tsa)
    return pdf, read_cms(seal_gap(pdf).cms_der).timestamp_token_der or b""


def test_the_certificate_is_judged_at_the_timestamp_not_at_the_claim() -> None:
    short = certified(generate_key(KeyAlgorithm.P256), not_after_at=SEALED_AT + timedelta(days=1))
    with tsa_server(authority(now=lambda: SEALED_AT + timedelta(days=2)).reply) as url:
        sealer = CmsSealer(short.key, (short.cert_der,), tsa=TimestampSource(url, roots_der=roots()))
        pdf = tiny_pdf(sealed_at=SEALED_AT, reserve_bytes=sealer.reserve_bytes).seal(sealer)
    assert fault_of(pdf) is Fault.EXPIRED_CERTIFICATE


@pytest.mark.parametrize("at", [BEGIN, END - timedelta(seconds=1)])
def test_the_first_and_the_last_moment_count(at: datetime) -> None:
    assert verify_seal(seat().pdf(sealed_at=at), roots_der=roots(), now=END).sealed_at == at


def test_many_threads_judge_at_once() -> None:
    pdfs = [seat(algorithm).pdf() for algorithm in ALGORITHMS] + [stamped(authority())]
    with ThreadPoolExecutor(max_workers=8) as pool:
        seals = list(pool.map(lambda pdf: verify_seal(pdf, roots_der=roots(), now=NOW), pdfs * 25))
    assert {seal.signer_name for seal in seals} == {AGENCY_NAME}
