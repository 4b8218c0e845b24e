"""Seals on PDFs: fill the gap, check one's own work quickly, judge a stranger's file in full.

Making needs two parts of a file around a gap and a :class:`~signing.cms.CmsSealer`. Judging goes from cheap to dear:
bytes first (``sealgap``), then CMS, signature and chain with our own code, and last pyHanko, an implementation by
others, which therefore only ever parses files whose every byte a certified key has signed.
"""

import binascii
import hashlib
import io
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils.decode_limits import DecodeLimits, DocumentDecodeBudget, StreamDecodeLimits
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm, enumerate_sig_fields
from pyhanko.sign.validation import async_validate_pdf_signature, read_certification_data
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from signing.certificates import CertificateInfo, check_chain
from signing.cms import CmsSealer, SealCms, check_signature, read_cms
from signing.errors import Fault, SealError, VerificationError
from signing.keys import kid_of
from signing.sealgap import MAX_PDF_BYTES, SealGap, seal_gap
from signing.timestamps import Timestamp, verify_timestamp

__all__ = [
    "FIELD_NAME",
    "MAX_PDF_BYTES",
    "SUB_FILTER",
    "SealFacts",
    "VerifiedSeal",
    "attachments",
    "quick_check",
    "sealed",
    "sealing_certificate_kid",
    "verify_seal",
]

FIELD_NAME: Final = "Seal"
"""Name of the one signature field."""
SUB_FILTER: Final = "ETSI.CAdES.detached"  # ETSI EN 319 142-1, 6.3
CLOCK_TOLERANCE: Final = timedelta(seconds=60)
"""How far a seal may lie in the future before it is refused."""

_Result = TypeVar("_Result")
_MIB = 1024 * 1024
_MAX_ATTACHMENTS = 16
_MAX_ATTACHMENT_BYTES = 8 * _MIB
_LIMITS = DecodeLimits(
    per_stream=StreamDecodeLimits(max_ratio=1100, ratio_floor=_MIB, max_output_size=_MAX_ATTACHMENT_BYTES),
    document_budget=DocumentDecodeBudget(base_allowance=4 * _MAX_ATTACHMENT_BYTES, max_ratio=1),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SealFacts:
    """What the short check of one's own work established."""

    document_sha256: bytes
    """32 bytes: the digest under the seal, over everything but the gap."""
    claimed_at: datetime
    """The time the seal claims (``/M``), aware UTC."""
    signer_cert_der: bytes
    """The certificate inside the seal."""
    has_timestamp: bool
    """Whether a timestamp is attached (PAdES B-T); it was not looked into."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedSeal:
    """A seal that held. The caller still owes the trust pack's word on the key: withdrawn, purpose, agency."""

    signer_cert_der: bytes
    """The sealing certificate."""
    signer_name: str
    """Its subject's common name."""
    signer_code: str | None
    """Its subject's serialNumber: the agency code in certificates of our own root."""
    kid: bytes
    """Id of the sealing key: first 8 bytes of SHA-256 over its SubjectPublicKeyInfo."""
    sealed_at: datetime
    """The timestamp's time if there is one, else what the signer claims; aware UTC."""
    claimed_at: datetime
    """What the signer claims (``/M``), aware UTC."""
    timestamp: Timestamp | None
    """The authority's word for the time; None for a seal without timestamp."""
    coverage: str
    """Always ``entire_file``."""
    document_sha256: bytes
    """The digest under the seal, over everything but the gap."""
    file_sha256: bytes
    """SHA-256 of the whole file, gap included: the one that a record keeps."""


def sealed(head: bytes, tail: bytes, gap_hex_length: int, digest: bytes, sealer: CmsSealer) -> bytes:
    """Return the sealed file.

    Args:
        head: Everything up to and with the ``<`` that opens the gap.
        tail: Everything from the ``>`` that closes it.
        gap_hex_length: Room between them, in hexadecimal digits; even.
        digest: SHA-256 over the bytes that the ByteRange names: ``head`` without its ``<`` and ``tail`` without its
        ``>``.
        sealer: Key and certificates.

    Raises:
        SealError: The CMS does not fit, or the parts are not those around a gap.
        TimestampError: The time stamping authority failed.
    """
    if not (head.endswith(b"<") and tail.startswith(b">")) or gap_hex_length % 2:
        raise SealError("not the two parts around a gap")
    digits = binascii.hexlify(sealer.cms(digest))
    if len(digits) > gap_hex_length:
        raise SealError(f"the seal takes {len(digits)} digits, but the gap has only {gap_hex_length}")
    return b"".join((head, digits.ljust(gap_hex_length, b"0"), tail))


def quick_check(pdf: bytes, *, spki_der: bytes) -> SealFacts:
    """Return the facts of a seal that this key made over this file: the check after each sealing.

    It reads the finished bytes as a stranger would, but asks for no certificate chain and no time. Steps: 1. gap and
    coverage; 2. CMS; 3. the embedded certificate is of the key; 4. digest and signature.

    Raises:
        VerificationError: As :func:`verify_seal`; ``wrong_key`` if the embedded certificate is of another key.
    """
    # 1. gap and coverage
    gap = seal_gap(pdf)
    # 2. CMS
    cms = read_cms(gap.cms_der)
    # 3. key
    if cms.spki_der != spki_der:
        raise VerificationError(Fault.WRONG_KEY, "the seal is of another key")
    # 4. digest and signature
    check_signature(cms, document_sha256=gap.document_sha256, spki_der=spki_der)
    return SealFacts(
        document_sha256=gap.document_sha256,
        claimed_at=gap.claimed_at,
        signer_cert_der=cms.signer_der,
        has_timestamp=cms.timestamp_token_der is not None,
    )


def sealing_certificate_kid(pdf: bytes) -> bytes:
    """Return the id of the key in the seal's certificate, to look it up; **nothing has been verified**.

    Raises:
        VerificationError: There is no seal that can be read; faults as :func:`verify_seal`.
    """
    return kid_of(read_cms(seal_gap(pdf).cms_der).spki_der)


def verify_seal(
    pdf: bytes, *, roots_der: tuple[bytes, ...], now: datetime, tsa_roots_der: tuple[bytes, ...] = ()
) -> VerifiedSeal:
    """Return the seal of a file, once everything about it holds.

    **The caller still owes** the trust pack's word on the key and the comparison with the record. Steps: 1. there is
    a root; 2. gap and coverage, by bytes; 3. CMS, digest and signature; 4. timestamp; 5. the time is not in the
    future; 6. chain to a root, valid at the time of sealing, for a certificate that may seal; 7. pyHanko agrees: one
    signature field of our name and sub-filter, whole file covered, nothing modified, no changes allowed, valid and
    trusted.

    Args:
        pdf: The file, at most ``MAX_PDF_BYTES``.
        roots_der: Certificates that the sealing certificate must lead to.
        now: The present, aware UTC.
        tsa_roots_der: Roots for time stamping authorities; without any, ``roots_der`` count for them too.

    Raises:
        VerificationError: ``empty_trust``, ``too_large``, ``malformed``, ``unsigned``, ``encrypted``,
            ``not_fully_covered``, ``modified_after_sealing``, ``bad_signature``, ``wrong_key``, ``untrusted_issuer``,
            ``expired_certificate`` or ``not_yet_valid``. Nothing else leaves.
    """
    # 1. roots
    if not roots_der:
        raise VerificationError(Fault.EMPTY_TRUST, "no root certificate to trust")
    # 2. gap and coverage
    gap = seal_gap(pdf)
    # 3. CMS, digest and signature
    cms = read_cms(gap.cms_der)
    check_signature(cms, document_sha256=gap.document_sha256, spki_der=cms.spki_der)
    # 4. timestamp
    timestamp = None
    if cms.timestamp_token_der is not None:
        timestamp = verify_timestamp(
            cms.timestamp_token_der,
            message_sha256=hashlib.sha256(cms.signature).digest(),
            roots_der=tsa_roots_der or roots_der,
        )
    # 5. time
    sealed_at = timestamp.at if timestamp else gap.claimed_at
    if sealed_at > now + CLOCK_TOLERANCE or gap.claimed_at > now + CLOCK_TOLERANCE:
        raise VerificationError(Fault.NOT_YET_VALID, "the seal lies in the future")
    # 6. chain
    signer = _signer(cms, roots_der, sealed_at)
    # 7. another implementation
    with _translated("the file cannot be read as a sealed PDF"):
        _judge(pdf, gap, roots_der, tsa_roots_der or roots_der, sealed_at)
    return VerifiedSeal(
        signer_cert_der=cms.signer_der,
        signer_name=signer.subject,
        signer_code=signer.subject_code,
        kid=signer.kid,
        sealed_at=sealed_at,
        claimed_at=gap.claimed_at,
        timestamp=timestamp,
        coverage="entire_file",
        document_sha256=gap.document_sha256,
        file_sha256=hashlib.sha256(pdf).digest(),
    )


def attachments(pdf: bytes, *, seal: VerifiedSeal) -> Mapping[str, bytes]:
    """Return the files attached to a sealed PDF by name, unpacked; may be empty.

    Args:
        pdf: The file.
        seal: What :func:`verify_seal` returned for the very same bytes; nothing is unpacked before.

    Raises:
        VerificationError: ``bad_signature``: the seal is of another file. ``too_large``: more than 16 files or 8 MiB.
            ``malformed``: the list of attachments cannot be read.
    """
    if hashlib.sha256(pdf).digest() != seal.file_sha256:
        raise VerificationError(Fault.BAD_SIGNATURE, "the seal is of another file")
    with _translated("the attachments cannot be read"):
        return MappingProxyType(_attachments(pdf))


def _signer(cms: SealCms, roots_der: tuple[bytes, ...], sealed_at: datetime) -> CertificateInfo:
    others = tuple(der for der in cms.certificates_der if der != cms.signer_der)
    signer = check_chain(cms.signer_der, roots_der, sealed_at, intermediates_der=others)
    certificate = x509.load_der_x509_certificate(cms.signer_der)
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return signer
    if ExtendedKeyUsageOID.TIME_STAMPING in usage:
        raise VerificationError(Fault.UNTRUSTED_ISSUER, "a certificate for time stamping does not seal")
    return signer


@contextmanager
def _translated(otherwise: str) -> Iterator[None]:
    """Let only VerificationError out of a block that calls pyHanko."""
    try:
        yield
    except VerificationError:
        raise
    except Exception as error:
        # pyHanko leaks ValueError, IndexError, KeyError, decimal.InvalidOperation and more on damaged files, so no
        # list of classes would be complete; whatever it cannot read is not a file that we made.
        raise VerificationError(Fault.MALFORMED, otherwise) from error


def _judge(
    pdf: bytes, gap: SealGap, roots_der: tuple[bytes, ...], tsa_roots_der: tuple[bytes, ...], sealed_at: datetime
) -> None:
    reader = PdfFileReader(io.BytesIO(pdf), strict=True, decode_limits=_LIMITS)
    _require(not reader.encrypted, Fault.ENCRYPTED, "the file is encrypted")
    _require(reader.total_revisions == 1, Fault.MODIFIED_AFTER_SEALING, "more than one revision")
    fields = list(enumerate_sig_fields(reader))
    _require(bool(fields), Fault.UNSIGNED, "no signature field")
    embedded = reader.embedded_signatures
    _require(len(fields) == len(embedded) == 1, Fault.MALFORMED, "not exactly one signature")
    signature = embedded[0]
    _require(signature.field_name == FIELD_NAME, Fault.MALFORMED, "signature field of another name")
    _require(signature.sig_object.get("/SubFilter") == f"/{SUB_FILTER}", Fault.MALFORMED, "another kind of signature")
    surrounds = list(signature.byte_range) == [0, gap.start, gap.end, len(pdf) - gap.end]
    _require(surrounds, Fault.NOT_FULLY_COVERED, "two byte ranges that differ")
    _require(signature.self_reported_timestamp == gap.claimed_at, Fault.MALFORMED, "two claimed times that differ")
    certification = read_certification_data(reader)
    locked = (
        certification is not None
        and certification.permission == signature.docmdp_level == MDPPerm.NO_CHANGES
        and certification.author_sig.container_ref == signature.sig_object.container_ref
    )
    _require(locked, Fault.MALFORMED, "the seal allows changes")

    context, tsa_context = (
        ValidationContext(
            # Parsed anew each time: asn1crypto parses lazily, so a shared object is not safe between threads.
            trust_roots=[asn1_x509.Certificate.load(der, strict=True) for der in roots],
            moment=sealed_at,
            allow_fetching=False,
            revocation_mode="soft-fail",
        )
        for roots in (roots_der, tsa_roots_der)
    )
    status = _finished(
        async_validate_pdf_signature(signature, signer_validation_context=context, ts_validation_context=tsa_context)
    )
    whole = status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    _require(whole, Fault.NOT_FULLY_COVERED, "the seal does not cover the whole file")
    untouched = status.modification_level == ModificationLevel.NONE and status.docmdp_ok is True
    _require(untouched, Fault.MODIFIED_AFTER_SEALING, "the file was modified after sealing")
    _require(status.intact and status.valid, Fault.BAD_SIGNATURE, "the signature does not fit")
    _require(status.trusted, Fault.UNTRUSTED_ISSUER, "the certificate does not lead to our root")
    _require(status.bottom_line, Fault.BAD_SIGNATURE, "the timestamp does not hold")


def _finished(coroutine: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine that never waits, without an event loop: nothing is fetched here, so nothing is awaited."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: _Result = done.value
        return result
    coroutine.close()
    raise SealError("pyHanko waits for something although fetching is off")


def _attachments(pdf: bytes) -> dict[str, bytes]:
    reader = PdfFileReader(io.BytesIO(pdf), strict=True, decode_limits=_LIMITS)
    names: Any = reader.root.get("/Names", {}).get("/EmbeddedFiles", {}).get("/Names", ())
    # ISO 32000-1, 7.9.6: key, value, key, value; our writer makes one leaf and no tree
    _require(len(names) % 2 == 0, Fault.MALFORMED, "the list of attachments is uneven")
    _require(len(names) // 2 <= _MAX_ATTACHMENTS, Fault.TOO_LARGE, "too many attachments")
    found: dict[str, bytes] = {}
    total = 0
    for index in range(1, len(names), 2):
        entry = names[index]
        name = str(entry["/UF"] if "/UF" in entry else entry["/F"])
        _require(name not in found, Fault.MALFORMED, "two attachments of one name")
        found[name] = bytes(entry["/EF"]["/F"].data)
        total += len(found[name])
        _require(total <= _MAX_ATTACHMENT_BYTES, Fault.TOO_LARGE, "the attachments are too large")
    return found


def _require(holds: bool, fault: Fault, otherwise: str) -> None:  # noqa: FBT001  # reads as a sentence
    if not holds:
        raise VerificationError(fault, otherwise)
