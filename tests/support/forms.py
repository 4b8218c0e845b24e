"""The shipped forms, filled: samples and rows of the real registers become pages, and pages are read back."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pypdfium2 as pdfium

from certlib.faces import form_values, token_fields
from certlib.identifiers import (
    GBT36904_ROOT,
    AgencyCode,
    licence_identifier,
    printed_public_code,
    public_code,
    serial,
)
from certlib.intake import RequestMaker, open_register, parse_as_status, parse_map
from certlib.lawfulness import checked_request
from certlib.model import Agency, Holder, IdentifierScheme, IssueRequest
from certlib.press import TypeFolder, read_type_folder
from signing import qr, tokens
from templates.compile import compile_form
from templates.layout import read_layout
from templates.writer import FormContent, write_form

if TYPE_CHECKING:
    from signing.keys import SigningKey
    from signing.qr import QRMatrix
    from templates.boxes import Layout
    from templates.fonts import FontBook
    from templates.form import CompiledForm, UnsealedPdf

ROOT = Path(__file__).resolve().parents[2]
REGISTERS = ROOT.parent / "shared" / "data"
SHIPPED = ("business-licence", "seattle-business-licence", "practitioner-licence", "birth-certificate")
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
RESERVE_BYTES = 4096
POINTS_PER_MM = 72 / 25.4
CHINESE_AGENCY = Agency(
    code=AgencyCode("11990000MB9999906X"), name="宁波市市场监督管理局", name_en="", area_code="330200"
)
AMERICAN_AGENCY = Agency(
    code=AgencyCode("SEATTLEFAS"), name="City of Seattle, Finance Department", timezone="America/Los_Angeles"
)
VERIFY_URL = "https://licence.example.gov/q#"
STATUS_URI = "https://licence.example.gov/status/0"


@dataclass(frozen=True, kw_only=True, slots=True)
class ShippedForm:
    """A shipped type, compiled for an invented agency."""

    folder: TypeFolder
    agency: Agency
    layout: Layout
    form: CompiledForm


def shipped_form(code: str, fonts: FontBook) -> ShippedForm:
    """The first version of a shipped type."""
    folder = read_type_folder(ROOT / "templates" / code / "v1")
    language = folder.licence_type.language
    agency = CHINESE_AGENCY if language.startswith("zh") else AMERICAN_AGENCY
    form = compile_form(
        folder.path,
        fonts=fonts,
        agency_name=agency.name,
        seal_picture=None,
        reserve_bytes=RESERVE_BYTES,
        language=language,
    )
    return ShippedForm(folder=folder, agency=agency, layout=read_layout(folder.path), form=form)


def sample_request(shipped: ShippedForm) -> IssueRequest:
    """What the folder's sample.json asks for, lawful."""
    path = shipped.folder.path
    sample = json.loads((path / "sample.json").read_text("utf-8"))
    expires_on = sample["expires_on"]
    return lawful(
        shipped,
        IssueRequest(
            agency_code=shipped.agency.code,
            type_code=shipped.folder.licence_type.code,
            number=sample["number"],
            holders=tuple(Holder(**each) for each in sample["holders"]),
            issued_on=date.fromisoformat(sample["issued_on"]),
            effective_on=date.fromisoformat(sample["effective_on"]),
            expires_on=date.fromisoformat(expires_on) if expires_on else None,
            fields=sample["fields"],
            images={name: (path / file).read_bytes() for name, file in sample["images"].items()},
        ),
    )


def register_requests(shipped: ShippedForm, *, register: str, mapping: str, as_status: str = "") -> list[IssueRequest]:
    """Every row of a real register through the shipped mapping file, lawful; order of the file."""
    licence_type = shipped.folder.licence_type
    text = (shipped.folder.path.parent / mapping).read_text("utf-8")
    rows = parse_map(text, where=mapping, licence_type=licence_type)
    with open_register(REGISTERS / register, needed=rows.columns) as opened:
        maker = RequestMaker(
            rows,
            licence_type,
            opened.columns,
            folder=REGISTERS,
            agency_code=shipped.agency.code,
            as_status=parse_as_status(as_status) if as_status else None,
        )
        return [lawful(shipped, maker.candidate(row).request) for row in opened.rows]


def lawful(shipped: ShippedForm, request: IssueRequest) -> IssueRequest:
    """`request` as the issuing use case would take it."""
    return checked_request(shipped.folder.licence_type, request, shipped.agency, today=TODAY)


def printed_words(request: IssueRequest) -> int:
    """How much a request prints: for finding the longest."""
    return sum(map(len, request.fields.values())) + sum(len(each.name) for each in request.holders)


def identifier_of(shipped: ShippedForm, request: IssueRequest) -> str:
    """An identifier that depends on the number only."""
    licence_type = shipped.folder.licence_type
    return licence_identifier(
        scheme=licence_type.scheme.value,
        root=GBT36904_ROOT if licence_type.scheme is IdentifierScheme.GBT36904 else "1.3.6.1.4.1.99999",
        type_code=licence_type.segment,
        agency_code=shipped.agency.code,
        serial=serial(TODAY, hashlib.sha256(request.number.encode()).digest()[:8]),
        version=1,
    )


def signed_text(shipped: ShippedForm, request: IssueRequest, key: SigningKey) -> str:
    """The QR code's text with a token that is signed for real."""
    index = int.from_bytes(hashlib.sha256(request.number.encode()).digest()[:4]) % 2**20
    claims = tokens.TokenClaims(
        identifier=identifier_of(shipped, request),
        issued_at=NOW,
        not_before_at=NOW,  # the day does not matter here
        expires_at=None,
        status_index=index,
        status_uri=STATUS_URI,
        fields=token_fields(shipped.folder.licence_type, request),
    )
    return tokens.token_url(VERIFY_URL, tokens.sign_token(claims, key))


def dense_matrix() -> QRMatrix:
    """A code as dense as the densest that the shipped types are designed for."""
    return qr.qr_matrix(VERIFY_URL + "7" * 1000)


def filled(shipped: ShippedForm, request: IssueRequest, matrix: QRMatrix) -> UnsealedPdf:
    """The page, before sealing."""
    identifier = identifier_of(shipped, request)
    code = public_code(hashlib.sha256(request.number.encode()).digest()[:16])
    return write_form(
        shipped.form,
        FormContent(
            values=form_values(
                shipped.folder.licence_type, request, shipped.agency, identifier=identifier, public_code=code
            ),
            qr=(matrix.size, matrix.modules),
            under_qr=(printed_public_code(code), "lusab-babad"),
            title=f"{shipped.folder.licence_type.name.en} {request.number}",
            subject=identifier,
            author=shipped.agency.name,
            identifier=identifier,
            sealed_at=NOW,
            attachment_name="record.json",
            attachment_json=b"{}",
            reason="test",
        ),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Glyph:
    """One printed character and its ink, in mm from the top left corner of the page."""

    char: str
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadPage:
    """One page as it is read back."""

    width: float
    """mm."""
    height: float
    text: str
    """Without blanks and line ends."""
    glyphs: tuple[Glyph, ...]
    """Blanks left out."""


def read_pages(pdf: bytes) -> list[ReadPage]:
    """The pages of a file, by pdfium."""
    document = pdfium.PdfDocument(pdf)
    try:
        return [_read_page(document[number]) for number in range(len(document))]
    finally:
        document.close()


def _read_page(page: pdfium.PdfPage) -> ReadPage:
    height = page.get_height()
    words = page.get_textpage()
    glyphs = []
    for index in range(words.count_chars()):
        char = words.get_text_range(index, 1)
        if not char.strip() or char == "\x00":
            continue
        left, bottom, right, top = (edge / POINTS_PER_MM for edge in words.get_charbox(index))
        if right > left and top > bottom:
            high = height / POINTS_PER_MM
            glyphs.append(Glyph(char=char, left=left, top=high - top, right=right, bottom=high - bottom))
    text = "".join(words.get_text_range().split())
    return ReadPage(
        width=page.get_width() / POINTS_PER_MM,
        height=height / POINTS_PER_MM,
        text=text,
        glyphs=tuple(glyphs),
    )
