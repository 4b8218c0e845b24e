"""The CMS inside a seal: written from a byte template, read strictly.

Written form: PAdES B-B (contentType, messageDigest, signingCertificateV2; the claimed time stands in the PDF's
``/M``), or B-T when a time stamping authority is given. With fixed certificates only the digest, the signature and
the timestamp token differ between two seals, so everything else is laid out once and joined around them.

Read form: exactly what is written here, in DER. Another signer's CMS may be good and is still refused as
``malformed``: a seal of ours never looks like that.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import NamedTuple

from signing.der import INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, SET, elements, header, only, tlv
from signing.errors import CertificateError, Fault, SealError, TimestampError, VerificationError
from signing.keys import KeyAlgorithm, SigningKey, algorithm_of, verify_digest
from signing.timestamps import TimestampSource

_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")  # RFC 5652, 5.1: 1.2.840.113549.1.7.2
_DATA = bytes.fromhex("06092a864886f70d010701")  # RFC 5652, 4: 1.2.840.113549.1.7.1
_CONTENT_TYPE = bytes.fromhex("06092a864886f70d010903")  # RFC 5652, 11.1
_MESSAGE_DIGEST = bytes.fromhex("06092a864886f70d010904")  # RFC 5652, 11.2
_SIGNING_CERTIFICATE_V2 = bytes.fromhex("060b2a864886f70d010910022f")  # RFC 5035, 3
_TIMESTAMP_TOKEN = bytes.fromhex("060b2a864886f70d010910020e")  # RFC 3161, appendix A
_SHA256 = bytes.fromhex("300b0609608648016503040201")  # RFC 5754, 2.2: parameters absent
_SIGNATURE_ALGORITHMS = {
    KeyAlgorithm.P256: bytes.fromhex("300a06082a8648ce3d040302"),  # RFC 5754, 3.3: ecdsa-with-SHA256
    KeyAlgorithm.RSA2048: bytes.fromhex("300d06092a864886f70d01010b0500"),  # RFC 5754, 3.2: with NULL
    KeyAlgorithm.RSA3072: bytes.fromhex("300d06092a864886f70d01010b0500"),
}
_LARGEST_SIGNATURE_BYTES = {KeyAlgorithm.P256: 72, KeyAlgorithm.RSA2048: 256, KeyAlgorithm.RSA3072: 384}
_VERSION_1 = bytes.fromhex("020101")  # RFC 5652, 5.1 and 5.3: certificates of version 3, issuerAndSerialNumber
_CERTIFICATES_TAG = _SIGNED_ATTRIBUTES_TAG = _EXPLICIT_0 = 0xA0
_UNSIGNED_ATTRIBUTES_TAG = 0xA1
_DIGEST_BYTES = 32
_SLACK_BYTES = 16
_MAX_TEMPLATES = 256
_MAX_CERTIFICATES = 8


class _Template(NamedTuple):
    before_digest: bytes
    before_signature: bytes
    before_token: bytes


class CmsSealer:
    """Makes the CMS of one seal after the other with one key. Keep it for the life of the process.

    Args:
        key: The opened sealing key.
        chain_der: Certificates to embed, the key's own first; the root may be left out.
        tsa: Where timestamps come from; None makes B-B, a source makes B-T.

    Raises:
        CertificateError: The chain is empty or too long, unreadable, or its first certificate is of another key.
    """

    def __init__(self, key: SigningKey, chain_der: tuple[bytes, ...], *, tsa: TimestampSource | None = None) -> None:
        """Lay out everything that does not change from seal to seal."""
        if not 0 < len(chain_der) <= _MAX_CERTIFICATES:
            raise CertificateError(f"a seal takes 1 to {_MAX_CERTIFICATES} certificates, not {len(chain_der)}")
        try:
            parts = [certificate_parts(der) for der in chain_der]
        except VerificationError as error:
            raise CertificateError(f"a certificate of the chain cannot be read: {error.detail}") from error
        if parts[0].spki_der != key.spki_der:
            raise CertificateError("the first certificate of the chain is not of the sealing key")
        self._key = key
        self._tsa = tsa
        self.chain_der = chain_der
        attributes = _attributes(bytes(_DIGEST_BYTES), hashlib.sha256(chain_der[0]).digest())
        # The digest is the one run of zeros: split there and the two ends hold for every document.
        self._attributes_head, self._attributes_tail = _around_digest(attributes)
        self._signed_head = header(SET, len(attributes)) + self._attributes_head
        # RFC 5652, 10.2.3 and X.690, 11.6: a SET OF, so sorted by encoding
        self._certificates = tlv(_CERTIFICATES_TAG, *sorted(set(chain_der)))
        self._signer_head = _VERSION_1 + tlv(SEQUENCE, parts[0].issuer_der, parts[0].serial_der) + _SHA256
        self._signature_algorithm = _SIGNATURE_ALGORITHMS[key.algorithm]
        self._templates: dict[tuple[int, int], _Template] = {}
        largest = self._template(_LARGEST_SIGNATURE_BYTES[key.algorithm], tsa.max_token_bytes if tsa else 0)
        self.reserve_bytes: int = (
            sum(map(len, largest))
            + _DIGEST_BYTES
            + _LARGEST_SIGNATURE_BYTES[key.algorithm]
            + (tsa.max_token_bytes if tsa else 0)
            + _SLACK_BYTES
        )
        """Bytes to reserve for any CMS of this sealer; a PDF reserves twice as many hexadecimal digits."""

    @property
    def spki_der(self) -> bytes:
        """SubjectPublicKeyInfo of the sealing key."""
        return self._key.spki_der

    @property
    def has_timestamps(self) -> bool:
        """Whether every seal carries a timestamp (PAdES B-T)."""
        return self._tsa is not None

    def cms(self, document_sha256: bytes) -> bytes:
        """Return the DER of the CMS that signs this digest.

        Args:
            document_sha256: 32 bytes, over everything that the ByteRange covers.

        Raises:
            SealError: The digest has another length.
            TimestampError: The time stamping authority failed, or its token is longer than it was set to be.
        """
        if len(document_sha256) != _DIGEST_BYTES:
            raise SealError("a document digest is 32 bytes")
        signed = b"".join((self._signed_head, document_sha256, self._attributes_tail))
        signature = self._key.sign_digest(hashlib.sha256(signed).digest())
        token = b""
        if self._tsa is not None:
            # RFC 3161, appendix A: the imprint is over the signature value
            token = self._tsa.token(hashlib.sha256(signature).digest())
            if len(token) > self._tsa.max_token_bytes:
                raise TimestampError(
                    f"the timestamp takes {len(token)} bytes, but only {self._tsa.max_token_bytes} are reserved"
                )
        sizes = len(signature), len(token)
        template = self._templates.get(sizes) or self._template(*sizes)
        return b"".join(
            (
                template.before_digest,
                document_sha256,
                template.before_signature,
                signature,
                template.before_token,
                token,
            )
        )

    def _template(self, signature_bytes: int, token_bytes: int) -> _Template:
        before_token = _timestamp_attribute_head(token_bytes) if token_bytes else b""
        between = self._attributes_tail + self._signature_algorithm + header(OCTET_STRING, signature_bytes)
        attributes_bytes = len(self._attributes_head) + _DIGEST_BYTES + len(self._attributes_tail)
        head = header(_SIGNED_ATTRIBUTES_TAG, attributes_bytes) + self._attributes_head
        behind = _DIGEST_BYTES + len(between) + signature_bytes + len(before_token) + token_bytes
        # From the inside out: each layer puts its header and what stands before the holes in front.
        head = self._signer_head + head
        for tag, before in (
            (SEQUENCE, b""),  # SignerInfo
            (SET, _VERSION_1 + tlv(SET, _SHA256) + tlv(SEQUENCE, _DATA) + self._certificates),  # signerInfos
            (SEQUENCE, b""),  # SignedData
            (_EXPLICIT_0, _SIGNED_DATA),
            (SEQUENCE, b""),  # ContentInfo
        ):
            head = before + header(tag, len(head) + behind) + head
        template = _Template(head, between, before_token)
        if len(self._templates) >= _MAX_TEMPLATES:
            self._templates.clear()
        self._templates[signature_bytes, token_bytes] = template
        return template


@dataclass(frozen=True, kw_only=True, slots=True)
class SealCms:
    """A CMS of the written form, taken apart. Nothing in it has been verified."""

    certificates_der: tuple[bytes, ...]
    """All embedded certificates, as they stand."""
    signer_der: bytes
    """The certificate that the signed attributes name by its digest."""
    spki_der: bytes
    """SubjectPublicKeyInfo of that certificate."""
    signed_attributes_der: bytes
    """The bytes under the signature: the attributes as a SET."""
    message_digest: bytes
    """32 bytes: SHA-256 of the document, as the signer saw it."""
    signature_algorithm_der: bytes
    """AlgorithmIdentifier."""
    signature: bytes
    """ECDSA in DER, or RSA PKCS#1 v1.5."""
    timestamp_token_der: bytes | None
    """RFC 3161 token over the signature (PAdES B-T); None for B-B."""


class CertificateParts(NamedTuple):
    """What a seal needs of a certificate, as its own bytes: names are never encoded again."""

    serial_der: bytes
    issuer_der: bytes
    spki_der: bytes


def certificate_parts(cert_der: bytes) -> CertificateParts:
    """Return serial, issuer and key of an X.509 certificate of version 3 (RFC 5280, 4.1), uninterpreted.

    Raises:
        VerificationError: ``malformed``.
    """
    (certificate,) = only(cert_der, SEQUENCE)
    fields = elements(only(certificate.content, SEQUENCE, SEQUENCE, 0x03)[0].content)
    if [field.tag for field in fields[:7]] != [_EXPLICIT_0, INTEGER, *[SEQUENCE] * 5]:
        raise VerificationError(Fault.MALFORMED, "not an X.509 certificate of version 3")
    return CertificateParts(fields[1].der, fields[3].der, fields[6].der)


def read_cms(der: bytes) -> SealCms:
    """Return the parts of a seal's CMS. The caller still verifies: see :func:`check_signature`.

    Raises:
        VerificationError: ``malformed``: not DER, or not the form that :class:`CmsSealer` writes.
    """
    oid, content = only(only(der, SEQUENCE)[0].content, OBJECT_IDENTIFIER, _EXPLICIT_0)
    version, digests, encapsulated, certificates, signers = only(
        only(content.content, SEQUENCE)[0].content, INTEGER, SET, SEQUENCE, _CERTIFICATES_TAG, SET
    )
    _require(oid.der == _SIGNED_DATA and version.der == _VERSION_1, "not signed data of version 1")
    _require(digests.content == _SHA256, "another digest than SHA-256")
    _require(encapsulated.content == _DATA, "the seal carries content of its own")
    embedded = tuple(element.der for element in elements(certificates.content))
    _require(0 < len(embedded) <= _MAX_CERTIFICATES, "no certificates or too many")
    _require(list(embedded) == sorted(set(embedded)), "certificates are not in order")

    parts = elements(only(signers.content, SEQUENCE)[0].content)
    tags = [part.tag for part in parts]
    b_b = [INTEGER, SEQUENCE, SEQUENCE, _SIGNED_ATTRIBUTES_TAG, SEQUENCE, OCTET_STRING]
    _require(tags in (b_b, [*b_b, _UNSIGNED_ATTRIBUTES_TAG]), "not one signer of the expected form")
    _require(parts[0].der == _VERSION_1 and parts[2].der == _SHA256, "signer of another version or digest")
    message_digest, cert_sha256 = _signed_values(parts[3].content)
    signer = next((cert for cert in embedded if hashlib.sha256(cert).digest() == cert_sha256), None)
    if signer is None:
        raise VerificationError(Fault.MALFORMED, "the signer's certificate is not embedded")
    named = certificate_parts(signer)
    _require(parts[1].content == named.issuer_der + named.serial_der, "signer named in two ways that differ")
    return SealCms(
        certificates_der=embedded,
        signer_der=signer,
        spki_der=named.spki_der,
        signed_attributes_der=header(SET, len(parts[3].content)) + parts[3].content,
        message_digest=message_digest,
        signature_algorithm_der=parts[4].der,
        signature=parts[5].content,
        timestamp_token_der=_timestamp_token(parts[6].content) if len(parts) > len(b_b) else None,
    )


def check_signature(cms: SealCms, *, document_sha256: bytes, spki_der: bytes) -> None:
    """Return if the CMS signs this digest with this key.

    The caller still owes the trust in the key. Steps: 1. the digest is the document's; 2. the algorithm is the key's;
    3. the signature over the attributes verifies.

    Raises:
        VerificationError: ``bad_signature``; ``malformed`` or ``wrong_key`` for a key that we do not use.
    """
    # 1. digest
    if not hmac.compare_digest(cms.message_digest, document_sha256):
        raise VerificationError(Fault.BAD_SIGNATURE, "the document is not the one that was sealed")
    # 2. algorithm
    if cms.signature_algorithm_der != _SIGNATURE_ALGORITHMS[algorithm_of(spki_der)]:
        raise VerificationError(Fault.BAD_SIGNATURE, "the signature is of another algorithm than the key")
    # 3. signature
    digest = hashlib.sha256(cms.signed_attributes_der).digest()
    verify_digest(spki_der, sha256=digest, signature=cms.signature)


def _attributes(document_sha256: bytes, cert_sha256: bytes) -> bytes:
    # RFC 5035, 4: hashAlgorithm is SHA-256 by default, so DER leaves it out; issuerSerial is optional
    essential = tlv(SEQUENCE, tlv(SEQUENCE, tlv(SEQUENCE, tlv(OCTET_STRING, cert_sha256))))
    return b"".join(
        sorted(
            (
                tlv(SEQUENCE, _CONTENT_TYPE, tlv(SET, _DATA)),
                tlv(SEQUENCE, _MESSAGE_DIGEST, tlv(SET, tlv(OCTET_STRING, document_sha256))),
                tlv(SEQUENCE, _SIGNING_CERTIFICATE_V2, tlv(SET, essential)),
            )
        )
    )


def _around_digest(attributes: bytes) -> tuple[bytes, bytes]:
    marker = _MESSAGE_DIGEST + header(SET, _DIGEST_BYTES + 2) + header(OCTET_STRING, _DIGEST_BYTES)
    at = attributes.index(marker) + len(marker)
    return attributes[:at], attributes[at + _DIGEST_BYTES :]


def _timestamp_attribute_head(token_bytes: int) -> bytes:
    head = header(SET, token_bytes)
    head = _TIMESTAMP_TOKEN + head
    head = header(SEQUENCE, len(head) + token_bytes) + head
    return header(_UNSIGNED_ATTRIBUTES_TAG, len(head) + token_bytes) + head


def _signed_values(attributes: bytes) -> tuple[bytes, bytes]:
    digest, cert_sha256 = bytes(_DIGEST_BYTES), bytes(_DIGEST_BYTES)
    for attribute in elements(attributes):
        oid, values = only(attribute.content, OBJECT_IDENTIFIER, SET)
        if oid.der == _MESSAGE_DIGEST:
            digest = only(values.content, OCTET_STRING)[0].content
        elif oid.der == _SIGNING_CERTIFICATE_V2:
            inner = values.content
            for _ in range(3):
                (element,) = only(inner, SEQUENCE)
                inner = element.content
            cert_sha256 = only(inner, OCTET_STRING)[0].content
    # Whatever else stood there, in another order or form: writing the two values again shows it.
    _require(attributes == _attributes(digest, cert_sha256), "signed attributes of another form")
    return digest, cert_sha256


def _timestamp_token(unsigned_attributes: bytes) -> bytes:
    oid, values = only(only(unsigned_attributes, SEQUENCE)[0].content, OBJECT_IDENTIFIER, SET)
    _require(oid.der == _TIMESTAMP_TOKEN, "an unsigned attribute that is no timestamp")
    return only(values.content, SEQUENCE)[0].der


def _require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not holds:
        raise VerificationError(Fault.MALFORMED, f"seal: {otherwise}")
