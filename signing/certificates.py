"""X.509 certificates: the library's root, the agencies' certificates, requests, and a check up to a root.

Made for one purpose: keys that seal documents, under a root of the library itself or certificates of an
agency's own authority. Revocation is not looked up here; withdrawn keys stand in the trust pack.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from signing.errors import CertificateError, Fault, VerificationError
from signing.keys import SigningKey, algorithm_of, kid_of, public_key

_MAX_DER_BYTES: Final = 16_384
_MAX_CHAIN: Final = 5
# The library below counts a name's bytes and warns; what counts are characters, and `_named` does that.
warnings.filterwarnings("ignore", message="Attribute's length must be", category=UserWarning)
MAX_NAME_CHARACTERS: Final = 64
"""RFC 5280, appendix A.1: ub-common-name, ub-organization-name, ub-serial-number."""
# Extensions whose meaning `check_chain` honours; RFC 5280, 4.2 wants any other critical one refused.
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
    }
)
# What cryptography raises for certificates it cannot read; a filter may turn its warnings into exceptions as well.
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
    Warning,
)
_PEM_BEGIN: Final = b"-----BEGIN"
_Kind = TypeVar("_Kind", bound=x509.ExtensionType)


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateInfo:
    """What a certificate says. Reading one does not mean trusting it."""

    subject: str
    """The subject's common name, else its organisation, else the whole name as RFC 4514 text."""
    subject_code: str | None
    """The subject's serialNumber attribute: for our own certificates the agency code."""
    issuer: str
    """The issuer's name, chosen like ``subject``."""
    serial: int
    """The certificate's serial number."""
    spki_der: bytes
    """The certified public key."""
    kid: bytes
    """The key's id: first 8 bytes of SHA-256 over ``spki_der``."""
    not_before_at: datetime
    """First moment of validity."""
    not_after_at: datetime
    """Last moment of validity."""
    der: bytes
    """The certificate itself."""


def create_root(
    key: SigningKey,
    *,
    common_name: str,
    organisation: str,
    not_before_at: datetime,
    not_after_at: datetime,
) -> bytes:
    """Return a self-signed root certificate (DER) that may certify keys, but no further authorities.

    Raises:
        CertificateError: A name that X.509 cannot hold, or a period that is none.
    """
    try:
        name = x509.Name(
            [
                _named(NameOID.ORGANIZATION_NAME, organisation),
                _named(NameOID.COMMON_NAME, common_name),
            ]
        )
        builder = _builder(name, name, key.spki_der, not_before_at, not_after_at)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(authority=True), critical=True)
        return builder.sign(key.private_key, hashes.SHA256()).public_bytes(Encoding.DER)
    except (ValueError, TypeError) as error:
        raise CertificateError(f"cannot make the root certificate: {error}") from error


def issue_certificate(  # noqa: PLR0913  # keyword-only; each is a part of the certificate
    *,
    root_key: SigningKey,
    root_cert_der: bytes,
    subject_name: str,
    subject_code: str,
    not_before_at: datetime,
    not_after_at: datetime,
    spki_der: bytes | None = None,
    csr_der: bytes | None = None,
    timestamping: bool = False,
) -> bytes:
    """Return a certificate (DER) for an agency's key, with key usage digitalSignature and nonRepudiation.

    Args:
        root_key: The root's private key.
        root_cert_der: Its certificate.
        subject_name: The agency's name, at most 64 characters; any script.
        subject_code: The agency's code, at most 64 characters.
        not_before_at: First moment of validity.
        not_after_at: Last moment of validity; not after the root's.
        spki_der: The key to certify, or
        csr_der: a request (PKCS #10) that holds it. Its names are ignored: ours are what the library knows.
        timestamping: Make it a certificate of a time stamping authority instead (RFC 3161, 2.3).

    Raises:
        CertificateError: Neither or both of key and request, a root that does not fit its key, a period outside
            the root's, or a name that X.509 cannot hold.
        VerificationError: ``malformed``, ``wrong_key``, ``bad_signature``: the key or the request is not good.
    """
    root = read_certificate(root_cert_der)
    if root.spki_der != root_key.spki_der:
        raise CertificateError("the root certificate belongs to another key")
    if (spki_der is None) == (csr_der is None):
        raise CertificateError("give either a public key or a request")
    if not_before_at < root.not_before_at or not_after_at > root.not_after_at:
        raise CertificateError("the certificate would be valid when its root is not")
    subject_spki_der = spki_der if spki_der is not None else requested_key(csr_der or b"")
    algorithm_of(subject_spki_der)
    try:
        subject = x509.Name(
            [
                _named(NameOID.ORGANIZATION_NAME, subject_name),
                _named(NameOID.COMMON_NAME, subject_name),
                _named(NameOID.SERIAL_NUMBER, subject_code),
            ]
        )
        issuer = _load(root_cert_der)
        builder = _builder(subject, issuer.subject, subject_spki_der, not_before_at, not_after_at)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(authority=False), critical=True)
        root_id = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id), critical=False
        )
        if timestamping:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(root_key.private_key, hashes.SHA256()).public_bytes(Encoding.DER)
    except (ValueError, TypeError, x509.ExtensionNotFound) as error:
        raise CertificateError(f"cannot make the certificate: {error}") from error


def create_csr(key: SigningKey, *, subject_name: str, subject_code: str) -> bytes:
    """Return a request (PKCS #10, PEM) for an outside authority to certify the key.

    Raises:
        CertificateError: A name that X.509 cannot hold.
    """
    try:
        subject = x509.Name(
            [
                _named(NameOID.ORGANIZATION_NAME, subject_name),
                _named(NameOID.COMMON_NAME, subject_name),
                _named(NameOID.SERIAL_NUMBER, subject_code),
            ]
        )
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        return builder.sign(key.private_key, hashes.SHA256()).public_bytes(Encoding.PEM)
    except (ValueError, TypeError) as error:
        raise CertificateError(f"cannot make the request: {error}") from error


def requested_key(csr: bytes) -> bytes:
    """Return the public key (SPKI DER) of a request in DER or PEM, once it has proved to hold the private key.

    Raises:
        VerificationError: ``malformed``: not a request. ``bad_signature``: not signed by its own key.
            ``wrong_key``: a kind of key that is not used here.
    """
    if len(csr) > _MAX_DER_BYTES:
        raise VerificationError(Fault.TOO_LARGE, "a certificate request of this size is not read")
    try:
        load = x509.load_pem_x509_csr if csr.lstrip().startswith(_PEM_BEGIN) else x509.load_der_x509_csr
        request = load(csr)
        spki_der = request.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        fits = request.is_signature_valid
    except _UNREADABLE as error:
        raise VerificationError(Fault.MALFORMED, "not a certificate request") from error
    if not fits:
        raise VerificationError(Fault.BAD_SIGNATURE, "the request is not signed by its own key")
    algorithm_of(spki_der)
    return spki_der


def read_certificate(data: bytes) -> CertificateInfo:
    """Return what one certificate in DER or PEM says.

    Raises:
        VerificationError: ``malformed``: not one certificate. ``too_large``. ``wrong_key``: a kind of key that is
            not used here.
    """
    certificate = _load(data)
    try:
        spki_der = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        codes = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
        info = CertificateInfo(
            subject=_display_name(certificate.subject),
            subject_code=str(codes[0].value) if codes else None,
            issuer=_display_name(certificate.issuer),
            serial=certificate.serial_number,
            spki_der=spki_der,
            kid=kid_of(spki_der),
            not_before_at=certificate.not_valid_before_utc,
            not_after_at=certificate.not_valid_after_utc,
            der=certificate.public_bytes(Encoding.DER),
        )
    except _UNREADABLE as error:
        raise VerificationError(Fault.MALFORMED, "not a readable certificate") from error
    public_key(spki_der)
    return info


def check_chain(
    cert_der: bytes,
    roots_der: Sequence[bytes],
    at: datetime,
    *,
    intermediates_der: Sequence[bytes] = (),
) -> CertificateInfo:
    """Check that a signer's certificate leads to one of the roots at a moment, and return what it says.

    Steps: 1 the certificate may sign documents; 2 each certificate on the way was valid at ``at``, understands
    all its critical extensions, and is signed by the next, which is an authority; 3 the last is one of the
    roots. The caller checks withdrawal (trust pack).

    Raises:
        VerificationError: ``empty_trust``: no roots. ``untrusted_issuer``: no way to a root, or a certificate
            that may not do what it does. ``expired_certificate``: not valid at ``at``. ``malformed``.
    """
    if not roots_der:
        raise VerificationError(Fault.EMPTY_TRUST, "no root certificate to trust")
    if at.tzinfo is None:
        raise VerificationError(Fault.MALFORMED, "the moment of a check needs a time zone")
    info = read_certificate(cert_der)
    certificate = _load(cert_der)
    try:
        _check_usage(certificate, authority=False)
        _check_way(certificate, [_load(der) for der in roots_der], [_load(der) for der in intermediates_der], at)
    except _UNREADABLE as error:
        raise VerificationError(Fault.MALFORMED, "an unreadable certificate in the chain") from error
    return info


def _check_way(
    certificate: x509.Certificate,
    roots: Sequence[x509.Certificate],
    intermediates: Sequence[x509.Certificate],
    at: datetime,
) -> None:
    """Walk from a certificate to a root, one issuer after another."""
    current = certificate
    for depth in range(_MAX_CHAIN):
        _check_valid_at(current, at)
        if current in roots:
            return
        issuer = next((other for other in (*roots, *intermediates) if _issued(other, current)), None)
        if issuer is None or issuer == current:
            break
        _check_usage(issuer, authority=True)
        allowed = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
        if allowed is not None and allowed < depth:
            raise VerificationError(Fault.UNTRUSTED_ISSUER, "more authorities in the chain than one of them allows")
        current = issuer
    raise VerificationError(Fault.UNTRUSTED_ISSUER, "the certificate does not lead to a trusted root")


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Tell whether one certificate carries the name and the signature of the other."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *_UNREADABLE):
        return False
    return True


def _check_valid_at(certificate: x509.Certificate, at: datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise VerificationError(Fault.EXPIRED_CERTIFICATE, "a certificate was not valid at that time")


def _check_usage(certificate: x509.Certificate, *, authority: bool) -> None:
    """Refuse an unknown critical extension, and a certificate that may not act in this place."""
    for extension in certificate.extensions:
        if extension.critical and extension.oid not in _UNDERSTOOD:
            raise VerificationError(Fault.UNTRUSTED_ISSUER, "a critical extension that is not understood")
    usage = _extension(certificate, x509.KeyUsage)
    if authority:
        constraints = _extension(certificate, x509.BasicConstraints)
        if constraints is None or not constraints.ca or (usage is not None and not usage.key_cert_sign):
            raise VerificationError(Fault.UNTRUSTED_ISSUER, "an issuer that is no certificate authority")
    elif usage is None or not (usage.digital_signature or usage.content_commitment):
        raise VerificationError(Fault.UNTRUSTED_ISSUER, "the certificate is not for signatures")


def _extension(certificate: x509.Certificate, kind: type[_Kind]) -> _Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    spki_der: bytes,
    not_before_at: datetime,
    not_after_at: datetime,
) -> x509.CertificateBuilder:
    """Return what every certificate has: names, period, key, serial number, key identifier."""
    key = public_key(spki_der)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_whole_second(not_before_at))
        .not_valid_after(_whole_second(not_after_at))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    """RFC 5280, 4.2.1.3: an authority signs certificates and lists; an agency signs and stands by it."""
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _whole_second(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a period needs a time zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _display_name(name: x509.Name) -> str:
    for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        attributes = name.get_attributes_for_oid(oid)
        if attributes:
            return str(attributes[0].value)
    return name.rfc4514_string()


def _load(data: bytes) -> x509.Certificate:
    if len(data) > _MAX_DER_BYTES:
        raise VerificationError(Fault.TOO_LARGE, "a certificate of this size is not read")
    try:
        if not data.lstrip().startswith(_PEM_BEGIN):
            return x509.load_der_x509_certificate(data)
        (certificate,) = x509.load_pem_x509_certificates(data)
    except _UNREADABLE as error:
        raise VerificationError(Fault.MALFORMED, "not one certificate") from error
    return certificate


def _named(kind: x509.ObjectIdentifier, value: str) -> x509.NameAttribute[str]:
    """Part of a name. The library that makes it counts bytes, which would refuse a Chinese name of 22 characters.

    Raises:
        ValueError: Not 1 to 64 characters.
    """
    if not 0 < len(value) <= MAX_NAME_CHARACTERS:
        raise ValueError(f"a name has 1 to {MAX_NAME_CHARACTERS} characters")
    return x509.NameAttribute(kind, value, _validate=False)
