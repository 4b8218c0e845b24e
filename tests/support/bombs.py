"""Small files that ask for much: PDFs and pictures that somebody sends to stop a server."""

import io
import zlib

from PIL import Image

PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>"
)


def endless_pdf() -> bytes:
    """A form that draws itself twice, and so on."""
    return _pdf(b"/I Do", b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /I 5 0 R >> >>")


def slow_pdf() -> bytes:
    """100 KB that take a minute to draw: a million curves."""
    return _pdf(b"0 0 m 100 900 500 -300 595 842 c S\n" * 1_000_000, b"/Type /XObject")


def wide_pdf() -> bytes:
    """300 KB that unpack to 300 MB."""
    return _pdf(b" " * 300_000_000, b"/Type /XObject")


def slow_jpeg(scans: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again; each costs a pass over all pixels."""
    out = io.BytesIO()
    Image.new("L", (2000, 2000), 128).save(out, "JPEG", progressive=True)
    data = out.getvalue()
    last = data[data.rfind(b"\xff\xda") : -2]
    return data[:-2] + last * scans + data[-2:]


def _pdf(content: bytes, form: bytes) -> bytes:
    packed = zlib.compress(content)
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        PAGE,
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%b\nendstream" % (len(packed), packed),
        b"<< %b /Length 11 >>\nstream\n/I Do /I Do\nendstream" % form,
    ]
    file, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(file))
    return file + b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(bodies) + 1, table) + end
