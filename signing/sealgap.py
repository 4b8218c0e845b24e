"""Where a seal sits in a PDF: found by bytes alone, before any PDF parser sees the file.

A sealed file of ours is one revision: header, objects, signature dictionary, one classical cross-reference table, one
trailer, end. All of it is under the signature except the gap, which holds the CMS in lower-case hexadecimal digits
and then zeros. Whatever deviates is refused here in well under a millisecond, so hostile streams are never unpacked.
"""

import binascii
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from signing.der import first_element_size
from signing.errors import Fault, VerificationError

MAX_PDF_BYTES = 32 * 1024 * 1024
_MAX_GAP_BYTES = 64 * 1024
_MAX_TRAILER_BYTES = 16 * 1024
_NEAR_END_BYTES = 1024
_MAX_CANDIDATES = 64

# ISO 32000-1, 12.8.1, table 252: pairs of offset and length; ours are one line, padded with blanks
_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")
_GAP = re.compile(rb"<[0-9A-Fa-f\s]*>")
_CLAIMED_TIME = re.compile(rb"/M\s*\(D:(\d{14})(?:Z|([+-])(\d\d)'(\d\d)'?)\)")
_END = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF[\r\n]*\Z")
_ENCRYPT = re.compile(rb"/Encrypt\s*(?:\d+\s+\d+\s+R|<<)")


@dataclass(frozen=True, kw_only=True, slots=True)
class SealGap:
    """A seal as it was found. Nothing in it has been verified."""

    start: int
    """Offset of the ``<`` that opens the gap."""
    end: int
    """Offset behind the ``>`` that closes it."""
    cms_der: bytes
    """The CMS, without padding."""
    claimed_at: datetime
    """The signer's own word for the time (``/M``), aware UTC."""
    document_sha256: bytes
    """SHA-256 over everything before and behind the gap."""


def seal_gap(pdf: bytes) -> SealGap:
    """Return the only seal of a PDF, whose ByteRange covers all but the gap.

    Steps: 1. size and header; 2. one ByteRange around one gap; 3. it reaches the end of the file; 4. the end is that
    of one revision, not encrypted; 5. the gap holds one DER element, then zeros; 6. the claimed time.

    Raises:
        VerificationError: ``too_large``, ``malformed``, ``unsigned``, ``encrypted``, ``not_fully_covered`` or
            ``modified_after_sealing``.
    """
    # 1. size and header (ISO 32000-1, 7.5.2)
    if len(pdf) > MAX_PDF_BYTES:
        raise VerificationError(Fault.TOO_LARGE, f"a PDF may have {MAX_PDF_BYTES} bytes")
    if not pdf.startswith(b"%PDF-1."):
        raise VerificationError(Fault.MALFORMED, "not a PDF")
    # 2. one ByteRange around one gap
    start, end, covered_end = _byte_range(pdf)
    # 3. to the end of the file
    if covered_end > len(pdf):
        raise VerificationError(Fault.MALFORMED, "the file has been cut off")
    if covered_end < len(pdf):
        if b"startxref" in pdf[covered_end:]:
            raise VerificationError(Fault.MODIFIED_AFTER_SEALING, "a second revision follows the sealed one")
        raise VerificationError(Fault.NOT_FULLY_COVERED, "bytes follow that the seal does not cover")
    # 4. one revision
    _check_end(pdf)
    # 5. the gap
    cms_der = _gap_content(pdf[start + 1 : end - 1])
    # 6. claimed time
    digest = hashlib.sha256(memoryview(pdf)[:start])
    digest.update(memoryview(pdf)[end:])
    return SealGap(
        start=start,
        end=end,
        cms_der=cms_der,
        claimed_at=_claimed_time(pdf, start, end),
        document_sha256=digest.digest(),
    )


def _byte_range(pdf: bytes) -> tuple[int, int, int]:
    """Return start and end of the gap and the end of what is covered."""
    found: set[tuple[int, int, int]] = set()
    seen = 0
    for match in _BYTE_RANGE.finditer(pdf):
        seen += 1
        if seen > _MAX_CANDIDATES:
            raise VerificationError(Fault.MALFORMED, "too many byte ranges")
        first, start, end, rest = map(int, match.groups())
        in_file = first == 0 and match.end() <= start < end - 1 < len(pdf) and end - start <= 2 * _MAX_GAP_BYTES
        # A text that looks like a byte range has no gap where it points; ours has.
        if in_file and _GAP.fullmatch(pdf, start, end):
            found.add((start, end, end + rest))
    if len(found) > 1:
        raise VerificationError(Fault.MODIFIED_AFTER_SEALING, "more than one signature")
    if found:
        return found.pop()
    if _ENCRYPT.search(pdf):
        raise VerificationError(Fault.ENCRYPTED, "the file is encrypted")
    if seen:
        raise VerificationError(Fault.NOT_FULLY_COVERED, "the byte range does not surround the signature")
    if b"%%EOF" not in pdf[-_NEAR_END_BYTES:]:
        raise VerificationError(Fault.MALFORMED, "the file has been cut off")
    raise VerificationError(Fault.UNSIGNED, "the file carries no seal")


def _check_end(pdf: bytes) -> None:
    match = _END.search(pdf, max(0, len(pdf) - _NEAR_END_BYTES))
    if match is None:
        raise VerificationError(Fault.MALFORMED, "the file does not end as a PDF ends")
    table_at = int(match[1])
    # ISO 32000-1, 7.5.4 and 7.5.5: a classical table; cross-reference streams and hybrids are not ours
    if pdf[table_at : table_at + 4] != b"xref":
        raise VerificationError(Fault.MALFORMED, "no classical cross-reference table")
    trailer_at = pdf.rfind(b"trailer", max(table_at, len(pdf) - _MAX_TRAILER_BYTES))
    if trailer_at < 0:
        raise VerificationError(Fault.MALFORMED, "no trailer")
    trailer = pdf[trailer_at : match.start()]
    if b"/Encrypt" in trailer:
        raise VerificationError(Fault.ENCRYPTED, "the file is encrypted")
    if b"/Prev" in trailer or b"/XRefStm" in trailer:
        raise VerificationError(Fault.MODIFIED_AFTER_SEALING, "the file has more than one revision")


def _gap_content(digits: bytes) -> bytes:
    try:
        content = binascii.unhexlify(digits)
    except binascii.Error as error:
        raise VerificationError(Fault.MALFORMED, "the gap is not in hexadecimal digits") from error
    if binascii.hexlify(content) != digits:
        raise VerificationError(Fault.MALFORMED, "the gap is not in lower-case digits")
    size = first_element_size(content)
    if content.count(0, size) != len(content) - size:
        # Padding is not under the signature, so nothing may hide in it.
        raise VerificationError(Fault.MODIFIED_AFTER_SEALING, "the gap holds more than the seal")
    return content[:size]


def _claimed_time(pdf: bytes, start: int, end: int) -> datetime:
    object_at = max(0, pdf.rfind(b" obj", 0, start))
    object_end = pdf.find(b"endobj", end)
    match = _CLAIMED_TIME.search(pdf, object_at, start) or _CLAIMED_TIME.search(pdf, end, max(end, object_end))
    if match is None:
        raise VerificationError(Fault.MALFORMED, "the seal claims no time")
    digits, sign, hours, minutes = match.groups()
    try:
        local = datetime.strptime(digits.decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return local + offset if sign == b"-" else local - offset
    except (ValueError, OverflowError) as error:
        raise VerificationError(Fault.MALFORMED, "the seal claims an impossible time") from error
