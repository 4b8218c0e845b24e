"""The smallest PDF with a place for a seal: one page, one attachment, one signature field, fixed cross-references.

It stands in for the real writer where a test is about seals only, and it can be made wrong on purpose: every option of
:func:`tiny_pdf` gives a file that a real key can seal and that must still be refused.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from signing.cms import CmsSealer
from signing.pades import sealed

_BYTE_RANGE_CHARACTERS = 42


@dataclass(frozen=True, kw_only=True)
class TinyPdf:
    head: bytes
    tail: bytes
    gap_hex_length: int
    digest: bytes

    def seal(self, sealer: CmsSealer) -> bytes:
        return sealed(self.head, self.tail, self.gap_hex_length, self.digest, sealer)


@dataclass(frozen=True, kw_only=True)
class Oddities:
    """What is wrong with the file. The default is a good one."""

    field_name: str = "Seal"
    sub_filter: str = "ETSI.CAdES.detached"
    permission: int | None = 1
    certified: bool = True
    second_field: bool = False
    claimed_time: str | None = None
    trailer: str = ""
    extra_objects: tuple[bytes, ...] = field(default_factory=tuple)
    catalog: str = ""
    header: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    shrink: int = 0
    """How many bytes before the gap the byte range ends too early."""
    doubled_attachment: bool = False
    attached_object: int = 6


def pdf_date(moment: datetime) -> str:
    zone = moment.strftime("%z")
    return moment.strftime("D:%Y%m%d%H%M%S") + ("Z" if zone == "+0000" else f"{zone[:3]}'{zone[3:]}'")


def tiny_pdf(  # noqa: PLR0913  # keyword-only
    *,
    sealed_at: datetime,
    reserve_bytes: int,
    text: str = "LICENCE 0001",
    attached: bytes = b'{"number":"0001"}',
    attachment_name: str = "record.json",
    odd: Oddities | None = None,
) -> TinyPdf:
    odd = odd or Oddities()
    perms = "/Perms << /DocMDP 8 0 R >>" if odd.certified else ""
    fields = "[5 0 R 9 0 R]" if odd.second_field else "[5 0 R]"
    names = f"({attachment_name}) 7 0 R" + (f" ({attachment_name}2) 7 0 R" if odd.doubled_attachment else "")
    content = f"BT /F1 24 Tf 72 700 Td ({text}) Tj ET".encode("latin-1")
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields {fields} /SigFlags 3 >> {perms} {odd.catalog}"
        f" /Names << /EmbeddedFiles << /Names [{names}] >> >> /AF [7 0 R] >>".encode(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Annots [5 0 R] /Resources << /Font"
            b" << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
        ),
        _stream(b"", content),
        f"<< /Type /Annot /Subtype /Widget /FT /Sig /T ({odd.field_name})".encode()
        + b" /V 8 0 R /F 132 /Rect [0 0 0 0] /P 3 0 R >>",
        _stream(b"/Type /EmbeddedFile /Subtype /application#2Fjson", attached),
        f"<< /Type /Filespec /F ({attachment_name}) /UF ({attachment_name}) /AFRelationship /Data"
        f" /EF << /F {odd.attached_object} 0 R >> >>".encode(),
    ]
    extra = b"<< /FT /Sig /T (Other) >>" if odd.second_field else b"null"
    return _assembled(objects, extra, odd, sealed_at, reserve_bytes)


def _assembled(objects: list[bytes], ninth: bytes, odd: Oddities, sealed_at: datetime, reserve_bytes: int) -> TinyPdf:
    out = bytearray(odd.header)
    offsets: dict[int, int] = {}
    numbered = {**dict(enumerate(objects, 1)), 9: ninth}
    numbered.update(enumerate(odd.extra_objects, 10))
    for number, body in numbered.items():
        offsets[number] = len(out)
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    offsets[8] = len(out)
    reference = (
        "/Reference [<< /Type /SigRef /TransformMethod /DocMDP /TransformParams"
        f" << /Type /TransformParams /V /1.2 /P {odd.permission} >> >>]"
        if odd.permission
        else ""
    )
    claimed = odd.claimed_time if odd.claimed_time is not None else f"/M ({pdf_date(sealed_at)})"
    out += b"8 0 obj\n<< /Type /Sig /Filter /Adobe.PPKLite"
    out += f" /SubFilter /{odd.sub_filter} {claimed} {reference} /ByteRange ".encode()
    gap_hex_length = 2 * reserve_bytes
    start = len(out) + _BYTE_RANGE_CHARACTERS + len(b" /Contents ")
    end = start + gap_hex_length + 2

    tail = bytearray(b"> >>\nendobj\n")
    table_at = end - 1 + len(tail)
    count = max(offsets) + 1
    tail += b"xref\n0 %d\n0000000000 65535 f \n" % count
    tail += b"".join(b"%010d 00000 n \n" % offsets[number] for number in range(1, count))
    tail += b"trailer\n<< /Size %d /Root 1 0 R /ID [<00> <00>] %s >>\n" % (count, odd.trailer.encode())
    tail += b"startxref\n%d\n%%%%EOF\n" % table_at
    byte_range = b"[0 %d %d %d]" % (start - odd.shrink, end, len(tail) - 1)
    out += byte_range.ljust(_BYTE_RANGE_CHARACTERS) + b" /Contents <"
    head = bytes(out)
    signed = head[: start - odd.shrink] + bytes(tail[1:])
    return TinyPdf(head=head, tail=bytes(tail), gap_hex_length=gap_hex_length, digest=hashlib.sha256(signed).digest())


def _stream(entries: bytes, data: bytes) -> bytes:
    return b"<< %s /Length %d >>\nstream\n%s\nendstream" % (entries, len(data), data)
