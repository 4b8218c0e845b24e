"""What a file says about itself: XMP, Info, the attached record, the signature dictionary."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from templates.errors import ValueFormatError
from templates.form import EMBEDDED_FILE
from templates.pdfobjects import stream, text_string

if TYPE_CHECKING:
    from templates.form import FormContent

PRODUCER = "certlib"
_MAX_NAME = 120
_NO_MARKS = str.maketrans("", "", "-:T")
# XML 1.0, 2.2: controls that cannot be written even as references; and the three that must be escaped.
_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 127, 65534, 65535)) | {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
}
# ISO 19005-3, 6.6: identification as PDF/A-3b, and the same words as Info.
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">
<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:format>application/pdf</dc:format>
<dc:identifier>{identifier}</dc:identifier>
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>{author}</rdf:li></rdf:Seq></dc:creator>
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{subject}</rdf:li></rdf:Alt></dc:description>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/">
<xmp:CreateDate>{moment}</xmp:CreateDate><xmp:ModifyDate>{moment}</xmp:ModifyDate>
<xmp:CreatorTool>{producer}</xmp:CreatorTool>
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/">
<pdf:Producer>{producer}</pdf:Producer>
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def _clean(text: str) -> str:
    """Return a text as XMP can hold it, so that Info and XMP agree."""
    if text.isprintable():
        return text
    return "".join(char for char in text if ord(char) not in _XML or char in "&<>").replace("\r", "\n")


def utc(content: FormContent) -> dt.datetime:
    """Return the sealing time in UTC.

    Raises:
        ValueFormatError: it has no time zone.
    """
    moment = content.sealed_at
    if moment.tzinfo is None:
        raise ValueFormatError("sealed_at", "must have a time zone")
    return moment.astimezone(dt.UTC)


def pdf_date(moment: dt.datetime) -> bytes:
    """Return a date string (ISO 32000-1, 7.9.4) of a UTC time."""
    digits = _iso(moment).translate(_NO_MARKS)
    return f"(D:{digits}Z)".encode("ascii")


def _iso(moment: dt.datetime) -> str:
    """Return a UTC time to the second, without its zone."""
    return moment.isoformat()[:19]


def metadata(content: FormContent, moment: dt.datetime) -> tuple[bytes, bytes]:
    """Return the XMP stream and the Info dictionary, which say the same."""
    title, author, subject = _clean(content.title), _clean(content.author), _clean(content.subject)
    packet = _XMP.format(
        identifier=_clean(content.identifier).translate(_XML),
        title=title.translate(_XML),
        author=author.translate(_XML),
        subject=subject.translate(_XML),
        moment=_iso(moment) + "Z",
        producer=PRODUCER,
    )
    date = pdf_date(moment)
    info = b"<</Title%s/Author%s/Subject%s/Creator(%s)/Producer(%s)/CreationDate%s/ModDate%s>>" % (
        text_string(title),
        text_string(author),
        text_string(subject),
        PRODUCER.encode("ascii"),
        PRODUCER.encode("ascii"),
        date,
        date,
    )
    return stream(b"/Type/Metadata/Subtype/XML", packet.encode("utf-8", "replace")), info


def attachment(content: FormContent, moment: dt.datetime) -> tuple[bytes, bytes]:
    """Return the embedded file and its specification (ISO 32000-1, 7.11.4; ISO 19005-3, 6.8).

    Raises:
        ValueFormatError: the name is no plain file name.
    """
    name = content.attachment_name
    if not 0 < len(name) <= _MAX_NAME or set(name) & set("/\\:") or not name.isprintable():
        raise ValueFormatError("attachment_name", "must be a plain file name")
    data = content.attachment_json
    file = stream(
        b"/Type/EmbeddedFile/Subtype/application#2Fjson/Params<</ModDate%s/Size %d>>" % (pdf_date(moment), len(data)),
        data,
    )
    words = text_string(name)
    ascii_name = words if name.isascii() else b"(record.json)"
    specification = b"<</Type/Filespec/F%s/UF%s/Desc(Record)/AFRelationship/Data/EF<</F %d 0 R/UF %d 0 R>>>>" % (
        ascii_name,
        words,
        EMBEDDED_FILE,
        EMBEDDED_FILE,
    )
    return file, specification


def signature_start(content: FormContent, moment: dt.datetime, catalog: int) -> bytes:
    """Return the signature dictionary up to its ByteRange (ISO 32000-1, 12.8.1; EN 319 142-1, 6.3).

    DocMDP level 1 allows no change (12.8.2.2); FieldMDP locks all fields (12.8.2.4).
    """
    return (
        b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M%s/Name%s/Reason%s"
        b"/Reference[<</Type/SigRef/TransformMethod/DocMDP/TransformParams<</Type/TransformParams/P 1/V/1.2>>>>"
        b"<</Type/SigRef/TransformMethod/FieldMDP/Data %d 0 R"
        b"/TransformParams<</Type/TransformParams/Action/All/V/1.2>>>>]"
        % (pdf_date(moment), text_string(_clean(content.author)), text_string(_clean(content.reason)), catalog)
    )
