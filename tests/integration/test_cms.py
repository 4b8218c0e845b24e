import hashlib
from collections.abc import Callable

import pytest
from asn1crypto import cms as asn1_cms
from asn1crypto import core

from signing.cms import CmsSealer, SealCms, check_signature, read_cms
from signing.errors import CertificateError, Fault, SealError, TimestampError, VerificationError
from signing.keys import KeyAlgorithm, generate_key
from signing.timestamps import TimestampSource
from tests.support.pki import BEGIN, throwaway_pki
from tests.support.sealing import AGENCY_NAME, authority, look_alike, seat
from tests.support.tsa import tsa_server

DIGEST = hashlib.sha256(b"a document").digest()
ALGORITHMS = list(KeyAlgorithm)


def made(algorithm: KeyAlgorithm = KeyAlgorithm.P256) -> bytes:
    return seat(algorithm).sealer().cms(DIGEST)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_is_written_is_read_and_verifies(algorithm: KeyAlgorithm) -> None:
    read = read_cms(made(algorithm))
    check_signature(read, document_sha256=DIGEST, spki_der=seat(algorithm).key.spki_der)
    assert read.signer_der == seat(algorithm).cert_der
    assert read.message_digest == DIGEST
    assert read.timestamp_token_der is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_library_writes_the_same_bytes_again(algorithm: KeyAlgorithm) -> None:
    root_der = throwaway_pki().root_cert_der
    der = CmsSealer(seat(algorithm).key, (seat(algorithm).cert_der, root_der)).cms(DIGEST)
    content = asn1_cms.ContentInfo.load(der, strict=True)
    assert content.copy().dump(force=True) == der
    signed = content["content"]
    assert len(signed["certificates"]) == 2
    signer = signed["signer_infos"][0]
    assert signer["sid"].chosen["issuer"].native["common_name"] == "Throwaway Root 仅供测试"
    assert [a["type"].native for a in signer["signed_attrs"]] == [
        "content_type",
        "message_digest",
        "signing_certificate_v2",
    ]
    names = {choice.chosen.subject.native["common_name"] for choice in signed["certificates"]}
    assert AGENCY_NAME in names


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_reserve_holds_every_seal_and_is_not_wasteful(algorithm: KeyAlgorithm) -> None:
    sealer = seat(algorithm).sealer()
    sizes = {len(sealer.cms(hashlib.sha256(bytes([n])).digest())) for n in range(64)}
    assert max(sizes) <= sealer.reserve_bytes <= max(sizes) + 24
    if algorithm is KeyAlgorithm.P256:
        assert len(sizes) > 1, "several signature lengths must have been met"


def test_a_chain_that_does_not_fit_is_refused() -> None:
    good = seat()
    for chain in ((), (look_alike().cert_der,), (good.cert_der[:-1],), (b"",), (good.cert_der,) * 9):
        with pytest.raises(CertificateError):
            CmsSealer(good.key, chain)


def test_a_digest_of_another_length_is_refused() -> None:
    with pytest.raises(SealError):
        seat().sealer().cms(DIGEST[:31])


def test_another_document_key_or_algorithm_does_not_verify() -> None:
    read, rsa = read_cms(made()), read_cms(made(KeyAlgorithm.RSA2048))
    spki_der = seat().key.spki_der
    cases: list[tuple[SealCms, bytes, bytes]] = [
        (read, hashlib.sha256(b"another").digest(), spki_der),
        (read, b"", spki_der),
        (read, DIGEST, generate_key(KeyAlgorithm.P256).spki_der),
        (read, DIGEST, rsa.spki_der),
        (rsa, DIGEST, spki_der),
        (rsa, DIGEST, seat(KeyAlgorithm.RSA3072).key.spki_der),
    ]
    for cms, digest, key in cases:
        with pytest.raises(VerificationError) as caught:
            check_signature(cms, document_sha256=digest, spki_der=key)
        assert caught.value.fault is Fault.BAD_SIGNATURE


def changed(change: Callable[[asn1_cms.SignedData], None]) -> bytes:
    content = asn1_cms.ContentInfo.load(made())
    change(content["content"])
    return bytes(content.dump(force=True))


def two_signers(signed: asn1_cms.SignedData) -> None:
    signed["signer_infos"].append(signed["signer_infos"][0])


def no_signer(signed: asn1_cms.SignedData) -> None:
    signed["signer_infos"] = []


def no_certificates(signed: asn1_cms.SignedData) -> None:
    signed["certificates"] = None


def other_certificate(signed: asn1_cms.SignedData) -> None:
    signed["certificates"] = [asn1_cms.CertificateChoices.load(look_alike().cert_der)]


def own_content(signed: asn1_cms.SignedData) -> None:
    signed["encap_content_info"]["content"] = b"another document"


def sha1(signed: asn1_cms.SignedData) -> None:
    signed["digest_algorithms"][0]["algorithm"] = "sha1"


def signer_sha512(signed: asn1_cms.SignedData) -> None:
    signed["signer_infos"][0]["digest_algorithm"]["algorithm"] = "sha512"


def signing_time(signed: asn1_cms.SignedData) -> None:
    attributes = signed["signer_infos"][0]["signed_attrs"]
    moment = asn1_cms.Time(name="utc_time", value=BEGIN)
    attributes.append(asn1_cms.CMSAttribute({"type": "signing_time", "values": [moment]}))


def no_attributes(signed: asn1_cms.SignedData) -> None:
    signed["signer_infos"][0]["signed_attrs"] = None


def other_serial(signed: asn1_cms.SignedData) -> None:
    signed["signer_infos"][0]["sid"].chosen["serial_number"] = 7


def unknown_unsigned_attribute(signed: asn1_cms.SignedData) -> None:
    hidden = asn1_cms.CMSAttribute({"type": "1.2.3.4", "values": [core.Any(core.OctetString(b"hidden"))]})
    signed["signer_infos"][0]["unsigned_attrs"] = [hidden]


@pytest.mark.parametrize(
    "change",
    [
        two_signers,
        no_signer,
        no_certificates,
        other_certificate,
        own_content,
        sha1,
        signer_sha512,
        signing_time,
        no_attributes,
        other_serial,
        unknown_unsigned_attribute,
    ],
)
def test_a_cms_of_another_form_is_malformed(change: Callable[[asn1_cms.SignedData], None]) -> None:
    with pytest.raises(VerificationError) as caught:
        read_cms(changed(change))
    assert caught.value.fault is Fault.MALFORMED


def test_der_that_is_not_der_is_malformed() -> None:
    der = made()
    indefinite = b"\x30\x80" + der[4:] + b"\0\0"
    long_length = b"\x30\x83\0" + der[2:]
    for bad in (b"", b"\x30", der[:-1], der + b"\0", indefinite, long_length, b"\x1f" + der[1:], b"\x30\x85\1\1\1\1\1"):
        with pytest.raises(VerificationError) as caught:
            read_cms(bad)
        assert caught.value.fault is Fault.MALFORMED


def test_a_token_longer_than_its_room_is_refused() -> None:
    with tsa_server(authority().reply) as url:
        tsa = TimestampSource(url, roots_der=(throwaway_pki().root_cert_der,), max_token_bytes=100)
        sealer = CmsSealer(seat().key, (seat().cert_der,), tsa=tsa)
        with pytest.raises(TimestampError, match="reserved"):
            sealer.cms(DIGEST)


def test_the_reserve_counts_the_timestamp() -> None:
    with tsa_server(authority().reply) as url:
        tsa = TimestampSource(url, roots_der=(throwaway_pki().root_cert_der,), max_token_bytes=2000)
        sealer = CmsSealer(seat().key, (seat().cert_der,), tsa=tsa)
        assert sealer.has_timestamps
        assert not seat().sealer().has_timestamps
        der = sealer.cms(DIGEST)
    assert seat().sealer().reserve_bytes + 2000 < sealer.reserve_bytes
    assert len(der) <= sealer.reserve_bytes
    signer = asn1_cms.ContentInfo.load(der, strict=True)["content"]["signer_infos"][0]
    (attribute,) = signer["unsigned_attrs"]
    assert attribute["type"].native == "signature_time_stamp_token"
    assert attribute["values"][0].dump() == read_cms(der).timestamp_token_der
