"""The usual stack: reportlab draws, qrcode draws the code, pyHanko signs, each used as its documentation shows."""

from __future__ import annotations

import io
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import qrcode
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from signing.certificates import create_root
from signing.keys import KeyAlgorithm, generate_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from certlib.model import IssueRequest

FONTS = (
    "/usr/share/fonts/truetype/lxgw-wenkai/LXGWWenKai-Regular.ttf",
    "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf",
)
TOKEN_CHARACTERS = 800
LINE_CHARACTERS = 50


class UsualStack:
    """Draws and signs the same requests, one after the other, with the signer object kept."""

    def __init__(self, algorithm: KeyAlgorithm, requests: Sequence[IssueRequest]) -> None:
        self.requests = requests
        font = next((path for path in FONTS if Path(path).is_file()), None)
        if font is None:
            raise SystemExit("the peer needs Debian's fonts-lxgw-wenkai")
        pdfmetrics.registerFont(TTFont("Kai", font))
        self.signer = _signer(algorithm)

    def run(self) -> int:
        """Draw and sign each request."""
        for request in self.requests:
            self._signed(self._drawn(request))
        return len(self.requests)

    def _drawn(self, request: IssueRequest) -> bytes:
        out = io.BytesIO()
        canvas = Canvas(out, pagesize=landscape(A4))
        canvas.setTitle(request.number)
        canvas.setFont("Kai", 40)
        canvas.drawCentredString(148 * mm, 180 * mm, "营业执照")
        canvas.setFont("Kai", 11)
        values = [request.number, request.holders[0].name, *request.fields.values()]
        lines = [
            value[start : start + LINE_CHARACTERS]
            for value in values
            for start in range(0, len(value), LINE_CHARACTERS)
        ]
        for number, line in enumerate(lines):
            canvas.drawString(25 * mm, (165 - 6 * number) * mm, line)
        code = qrcode.make(f"https://licences.example/q#{'0123456789' * (TOKEN_CHARACTERS // 10)}")
        canvas.drawImage(ImageReader(code.get_image()), 245 * mm, 20 * mm, 30 * mm, 30 * mm)
        canvas.save()
        return out.getvalue()

    def _signed(self, pdf: bytes) -> bytes:
        writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
        meta = signers.PdfSignatureMetadata(field_name="Seal", subfilter=SigSeedSubFilter.PADES)
        out = io.BytesIO()
        signers.sign_pdf(writer, meta, signer=self.signer, output=out)
        return out.getvalue()


def _signer(algorithm: KeyAlgorithm) -> signers.SimpleSigner:
    key, now = generate_key(algorithm), datetime.now(UTC)
    certificate = create_root(
        key, common_name="Peer", organisation="Peer", not_before_at=now - timedelta(days=1),
        not_after_at=now + timedelta(days=1),
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        key_file, certificate_file = Path(folder, "key.pem"), Path(folder, "certificate.der")
        key_file.write_bytes(key.encrypted_pem(b"peer"))
        certificate_file.write_bytes(certificate)
        load = signers.SimpleSigner.load
        signer: signers.SimpleSigner | None = load(str(key_file), str(certificate_file), key_passphrase=b"peer")  # type: ignore[no-untyped-call]  # pyHanko has no types here
    if signer is None:
        raise SystemExit("pyHanko did not load the key")
    return signer
