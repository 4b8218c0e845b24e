"""Certificates: names, usages, requests, and the way to a root with all that may be wrong on it."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from signing.certificates import (
    check_chain,
    create_csr,
    create_root,
    issue_certificate,
    read_certificate,
    requested_key,
)
from signing.errors import CertificateError, Fault, VerificationError
from signing.keys import KeyAlgorithm, SigningKey, generate_key
from tests.support.pki import BEGIN, END, NOW, ThrowawayPki, throwaway_pki

NAME, CODE = "明州市市场监督管理局", "11330200MB1A2B3C4D"


@pytest.fixture(scope="module")
def pki() -> ThrowawayPki:
    return throwaway_pki()


def certify(pki: ThrowawayPki, key: SigningKey, **changes: object) -> bytes:
    arguments: dict[str, object] = {
        "root_key": pki.root_key,
        "root_cert_der": pki.root_cert_der,
        "subject_name": NAME,
        "subject_code": CODE,
        "spki_der": key.spki_der,
        "not_before_at": BEGIN,
        "not_after_at": END,
    }
    return issue_certificate(**(arguments | changes))  # type: ignore[arg-type]  # each test spoils one of them


def foreign(
    key: SigningKey,
    issuer: SigningKey,
    *,
    names: tuple[str, str],
    extensions: tuple[tuple[x509.ExtensionType, bool], ...] = (),
    period: tuple[datetime, datetime] = (BEGIN, END),
) -> bytes:
    """A certificate as another authority, or a forger, would make it."""
    subject, issuer_name = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in names)
    public = load_der_public_key(key.spki_der)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer_name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(period[0])
        .not_valid_after(period[1])
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer.private_key, hashes.SHA256()).public_bytes(Encoding.DER)


def usage(*, sign: bool = False, certify: bool = False) -> tuple[x509.ExtensionType, bool]:
    return (
        x509.KeyUsage(
            digital_signature=sign,
            content_commitment=sign,
            key_cert_sign=certify,
            crl_sign=certify,
            key_encipherment=not sign and not certify,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        ),
        True,
    )


def authority(path_length: int | None = None) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    return ((x509.BasicConstraints(ca=True, path_length=path_length), True), usage(certify=True))


def fault_of(cert_der: bytes, roots: list[bytes], at: datetime = NOW, chain: tuple[bytes, ...] = ()) -> Fault:
    with pytest.raises(VerificationError) as caught:
        check_chain(cert_der, roots, at, intermediates_der=chain)
    return caught.value.fault


def test_what_a_certificate_says(pki: ThrowawayPki) -> None:
    key = generate_key(KeyAlgorithm.P256)
    info = check_chain(certify(pki, key), [pki.root_cert_der], NOW)
    assert (info.subject, info.subject_code, info.issuer) == (NAME, CODE, "Throwaway Root 仅供测试")
    assert (info.spki_der, info.kid) == (key.spki_der, key.kid)
    assert (info.not_before_at, info.not_after_at) == (BEGIN, END)


def test_names_are_counted_in_characters(pki: ThrowawayPki) -> None:
    name = "样本市" * 21 + "局"
    der = certify(pki, generate_key(KeyAlgorithm.P256), subject_name=name)
    assert check_chain(der, (pki.root_cert_der,), NOW).subject == name
    with pytest.raises(CertificateError, match="1 to 64 characters"):
        certify(pki, generate_key(KeyAlgorithm.P256), subject_name=name + "x")


def test_usages_are_those_of_a_seal(pki: ThrowawayPki) -> None:
    certificate = x509.load_der_x509_certificate(certify(pki, generate_key(KeyAlgorithm.RSA2048)))
    assert certificate.version is x509.Version.v3
    use = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert use.critical
    assert use.value.digital_signature
    assert use.value.content_commitment
    assert not use.value.key_cert_sign
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_timestamping_certificate_has_its_only_purpose(pki: ThrowawayPki) -> None:
    der = certify(pki, generate_key(KeyAlgorithm.P256), timestamping=True)
    extension = x509.load_der_x509_certificate(der).extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert extension.critical
    assert list(extension.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


def test_pem_reads_like_der(pki: ThrowawayPki) -> None:
    pem = x509.load_der_x509_certificate(pki.root_cert_der).public_bytes(Encoding.PEM)
    assert read_certificate(pem) == read_certificate(pki.root_cert_der)
    with pytest.raises(VerificationError):
        read_certificate(pem + pem)


def test_a_request_brings_its_key_and_not_its_name(pki: ThrowawayPki) -> None:
    key = generate_key(KeyAlgorithm.P256)
    csr = create_csr(key, subject_name="Somebody else", subject_code="X")
    assert requested_key(csr) == key.spki_der
    info = read_certificate(certify(pki, key, spki_der=None, csr_der=csr))
    assert (info.subject, info.spki_der) == (NAME, key.spki_der)


def test_a_request_not_signed_by_its_own_key_is_refused() -> None:
    key = generate_key(KeyAlgorithm.P256)
    der = x509.load_pem_x509_csr(create_csr(key, subject_name=NAME, subject_code=CODE)).public_bytes(Encoding.DER)
    with pytest.raises(VerificationError) as caught:
        requested_key(der[:-1] + bytes([der[-1] ^ 1]))
    assert caught.value.fault is Fault.BAD_SIGNATURE


@pytest.mark.parametrize("data", [b"", b"-----BEGIN CERTIFICATE REQUEST-----", b"\x30\x03\x02\x01\x01", b"\xff" * 90])
def test_noise_is_neither_certificate_nor_request(data: bytes) -> None:
    for read in (read_certificate, requested_key):
        with pytest.raises(VerificationError) as caught:
            read(data)
        assert caught.value.fault is Fault.MALFORMED


def test_large_input_is_not_read() -> None:
    for read in (read_certificate, requested_key):
        with pytest.raises(VerificationError) as caught:
            read(bytes(16_385))
        assert caught.value.fault is Fault.TOO_LARGE


@pytest.mark.parametrize(
    "changes",
    [
        {"spki_der": None},
        {"csr_der": b"both"},
        {"root_key": generate_key(KeyAlgorithm.P256)},
        {"subject_name": ""},
        {"subject_name": "名" * 65},
        {"not_before_at": BEGIN - timedelta(days=3)},
        {"not_after_at": END + timedelta(days=36_500)},
        {"not_before_at": END, "not_after_at": BEGIN},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_certificates_that_are_not_made(pki: ThrowawayPki, changes: dict[str, object]) -> None:
    with pytest.raises(CertificateError):
        certify(pki, generate_key(KeyAlgorithm.P256), **changes)


def test_a_root_without_name_or_period_is_not_made(pki: ThrowawayPki) -> None:
    for name, not_after_at in (("", END), ("Root", BEGIN - timedelta(days=1))):
        with pytest.raises(CertificateError):
            create_root(
                pki.root_key, common_name=name, organisation="O", not_before_at=BEGIN, not_after_at=not_after_at
            )


def test_the_root_leads_to_itself_only_as_an_issuer(pki: ThrowawayPki) -> None:
    assert fault_of(pki.root_cert_der, [pki.root_cert_der]) is Fault.UNTRUSTED_ISSUER


def test_no_roots_is_no_trust(pki: ThrowawayPki) -> None:
    assert fault_of(pki.agencies[0].seal_cert_der, []) is Fault.EMPTY_TRUST


def test_before_and_after_its_period(pki: ThrowawayPki) -> None:
    der, roots = pki.agencies[0].seal_cert_der, [pki.root_cert_der]
    assert fault_of(der, roots, BEGIN - timedelta(seconds=1)) is Fault.EXPIRED_CERTIFICATE
    assert fault_of(der, roots, END + timedelta(seconds=1)) is Fault.EXPIRED_CERTIFICATE
    assert check_chain(der, roots, END).subject_code == pki.agencies[0].code


def test_a_moment_without_zone_is_refused(pki: ThrowawayPki) -> None:
    assert fault_of(pki.agencies[0].seal_cert_der, [pki.root_cert_der], NOW.replace(tzinfo=None)) is Fault.MALFORMED


def test_a_self_made_look_alike(pki: ThrowawayPki) -> None:
    thief = generate_key(KeyAlgorithm.P256)
    root_name = "Throwaway Root 仅供测试"
    look_alike = foreign(thief, thief, names=(NAME, root_name), extensions=(usage(sign=True),))
    assert fault_of(look_alike, [pki.root_cert_der]) is Fault.UNTRUSTED_ISSUER
    self_signed = foreign(thief, thief, names=(NAME, NAME), extensions=(usage(sign=True),))
    assert fault_of(self_signed, [pki.root_cert_der]) is Fault.UNTRUSTED_ISSUER


def test_a_root_of_the_same_name_with_another_key(pki: ThrowawayPki) -> None:
    other = ThrowawayPki.new()
    assert fault_of(other.agencies[0].seal_cert_der, [pki.root_cert_der]) is Fault.UNTRUSTED_ISSUER


def test_an_agency_does_not_certify_others(pki: ThrowawayPki) -> None:
    agency, thief = pki.agencies[0], generate_key(KeyAlgorithm.P256)
    # The issuer's name must fit for the chain to be tried at all, so it is taken from the agency's certificate.
    parent = x509.load_der_x509_certificate(agency.seal_cert_der)
    child = (
        x509.CertificateBuilder()
        .subject_name(parent.subject)
        .issuer_name(parent.subject)
        .public_key(load_der_public_key(thief.spki_der))  # type: ignore[arg-type]  # it is an EC key
        .serial_number(1)
        .not_valid_before(BEGIN)
        .not_valid_after(END)
        .add_extension(usage(sign=True)[0], critical=True)
        .sign(agency.seal_key.private_key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )
    assert fault_of(child, [pki.root_cert_der], chain=(agency.seal_cert_der,)) is Fault.UNTRUSTED_ISSUER


def chain(path_length: int | None, depth: int) -> tuple[bytes, list[bytes], tuple[bytes, ...]]:
    """A foreign root with a path length, so many authorities below it, and a signer."""
    keys = [generate_key(KeyAlgorithm.P256) for _ in range(depth + 2)]
    names = [f"CA {n}" for n in range(depth + 1)] + ["Signer"]
    root = foreign(keys[0], keys[0], names=(names[0], names[0]), extensions=authority(path_length))
    middle = tuple(
        foreign(keys[n], keys[n - 1], names=(names[n], names[n - 1]), extensions=authority())
        for n in range(1, depth + 1)
    )
    signer = foreign(keys[-1], keys[-2], names=(names[-1], names[-2]), extensions=(usage(sign=True),))
    return signer, [root], middle


@pytest.mark.parametrize(("path_length", "depth"), [(None, 0), (None, 1), (0, 0), (1, 1), (2, 2)])
def test_an_agencys_own_authority(path_length: int | None, depth: int) -> None:
    signer, roots, middle = chain(path_length, depth)
    assert check_chain(signer, roots, NOW, intermediates_der=middle).subject == "Signer"


@pytest.mark.parametrize(("path_length", "depth"), [(0, 1), (1, 2), (None, 6)])
def test_too_many_authorities(path_length: int | None, depth: int) -> None:
    signer, roots, middle = chain(path_length, depth)
    assert fault_of(signer, roots, chain=middle) is Fault.UNTRUSTED_ISSUER


def test_an_intermediate_is_needed_and_is_no_root() -> None:
    signer, roots, middle = chain(None, 1)
    assert fault_of(signer, roots) is Fault.UNTRUSTED_ISSUER
    assert fault_of(signer, [chain(None, 0)[1][0]], chain=middle) is Fault.UNTRUSTED_ISSUER


@pytest.mark.parametrize("extensions", [(), (usage(),), (usage(certify=True),)], ids=["none", "encipher", "certify"])
def test_a_certificate_that_may_not_sign(extensions: tuple[tuple[x509.ExtensionType, bool], ...]) -> None:
    root, key = generate_key(KeyAlgorithm.P256), generate_key(KeyAlgorithm.P256)
    root_der = foreign(root, root, names=("R", "R"), extensions=authority())
    der = foreign(key, root, names=("S", "R"), extensions=extensions)
    assert fault_of(der, [root_der]) is Fault.UNTRUSTED_ISSUER


def test_a_critical_extension_that_is_not_understood() -> None:
    root, key = generate_key(KeyAlgorithm.P256), generate_key(KeyAlgorithm.P256)
    root_der = foreign(root, root, names=("R", "R"), extensions=authority())
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    harmless = foreign(key, root, names=("S", "R"), extensions=(usage(sign=True), (unknown, False)))
    assert check_chain(harmless, [root_der], NOW).subject == "S"
    critical = foreign(key, root, names=("S", "R"), extensions=(usage(sign=True), (unknown, True)))
    assert fault_of(critical, [root_der]) is Fault.UNTRUSTED_ISSUER


def test_a_root_that_has_expired(pki: ThrowawayPki) -> None:
    root, key = generate_key(KeyAlgorithm.P256), generate_key(KeyAlgorithm.P256)
    period = (BEGIN, NOW - timedelta(days=1))
    root_der = foreign(root, root, names=("R", "R"), extensions=authority(), period=period)
    der = foreign(key, root, names=("S", "R"), extensions=(usage(sign=True),))
    assert fault_of(der, [root_der]) is Fault.EXPIRED_CERTIFICATE
    assert fault_of(der, [root_der, pki.root_cert_der]) is Fault.EXPIRED_CERTIFICATE
