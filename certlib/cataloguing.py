"""Licence types: checked, previewed, gated for print, taken in and listed."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certlib.catalogue import parse_type
from certlib.enrolling import throwaway_kit
from certlib.errors import ConflictError, InvalidRequestError, TypeFolderError
from certlib.identifiers import GBT36904_ROOT, AgencyCode
from certlib.lawfulness import checked_request
from certlib.library import SHIPPED_TYPES
from certlib.making import Piece, page, qr_matrix, refusal, sealed_bytes, signed_token, unreserved
from certlib.model import Agency, IdentifierScheme, IssueRequest
from certlib.press import compiled, folder_digest, read_type_folder
from certlib.store import agencies, lookups
from certlib.store.values import Intent
from certlib.wire import request_from_json
from signing import qr
from templates import raster
from templates.boxes import QRBox
from templates.errors import TemplateError
from templates.layout import read_layout

if TYPE_CHECKING:
    from certlib.library import Library
    from certlib.model import Licence
    from certlib.press import TypeFolder
    from certlib.store.values import RegisteredType
    from signing.qr import QRMatrix
    from templates.fonts import FontBook

SAMPLE: Final = "sample.json"
SAMPLE_URL: Final = "https://licences.example/q#"
SAMPLE_ROOT: Final = "2.999.1"
"""ITU-T X.660: the example arc."""
GATE_DPI: Final = 200
"""What a simple office scanner gives; the code must be readable from it."""
MIN_MODULE_MM: Final = 0.30
"""Below, phones begin to fail at 200 dpi (facts: qr-token, 5); 0.33 is what the shipped forms keep."""
MIN_MARGIN_MODULES: Final = 4
"""ISO/IEC 18004, 6.3.8: the quiet zone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PrintGate:
    """What was measured of a QR code as it prints."""

    module_mm: float
    side_mm: float
    """With the quiet zone of four modules."""
    version: int
    dpi: int
    """The resolution at which it was decoded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """A sample as it would look. It carries no seal, and its code is signed by nobody."""

    folder: TypeFolder
    pdf: bytes
    pages_png: tuple[bytes, ...]
    gate: PrintGate


def check_type(path: Path, *, fonts: FontBook) -> Preview:
    """Everything that can be judged of a type folder: type.toml, layout.toml, that both fit, the sample, and its print.

    Raises:
        TypeFolderError: with one line for each problem found, as far as the folder can be read.
    """
    folder = read_type_folder(path)
    problems = _cross_check(folder)
    if problems:
        raise TypeFolderError(tuple(problems))
    return preview_type(path, fonts=fonts)


def _cross_check(folder: TypeFolder) -> list[str]:
    where = f"{folder.path.parent.name}/{folder.path.name}/layout.toml"
    try:
        layout = read_layout(folder.path)
    except TemplateError as error:
        return [f"{where}: {error}"]
    offered = BASE_VALUES | {each.name for each in folder.licence_type.fields}
    problems = [
        f"{where}: uses {name}, which is neither a base value nor a field of type.toml"
        for name in sorted(layout.fields - offered)
    ]
    problems += [
        f"{where}: the required field {each.name} stands nowhere on the form"
        for each in folder.licence_type.fields
        if each.required and each.name not in layout.fields
    ]
    for name in ("number", "holder_name"):
        if name not in layout.fields:
            problems.append(f"{where}: {name} stands nowhere on the form")
    return problems


BASE_VALUES: Final = frozenset(
    {
        *("number", "holder_name", "holder_code", "holder_code_masked", "issued_on", "effective_on", "expires_on"),
        *("validity", "agency_name", "area_code", "identifier", "public_code", "version"),
    }
)
"""What every licence offers to a layout (docs/types.md)."""


def preview_type(path: Path, *, fonts: FontBook, dpi: int = 110) -> Preview:
    """The sample of the type in `path` as PDF and PNG pages.

    Raises:
        TypeFolderError: the folder, its sample, or the print of the sample is not good.
    """
    folder = read_type_folder(path)
    request, agency = _sample(folder)
    where = f"{path.parent.name}/{path.name}"
    try:
        pdf, text, matrix = _sample_page(folder, fonts, request, agency)
        gate = print_gate(folder, pdf, text=text, matrix=matrix)
    except TemplateError as error:
        raise TypeFolderError((f"{where}/{SAMPLE}: {refusal(error)}",)) from error
    except PrintGateError as error:
        raise TypeFolderError((f"{where}/layout.toml: {error}",)) from error
    images = tuple(raster.page_png(pdf, dpi, page=number) for number in range(raster.page_count(pdf)))
    return Preview(folder=folder, pdf=pdf, pages_png=images, gate=gate)


def print_gate(folder: TypeFolder, pdf: bytes, *, text: str, matrix: QRMatrix) -> PrintGate:
    """What was measured of the code on page 1 of `pdf` as it prints, when it is large enough, framed and readable.

    Raises:
        PrintGateError: too small, too near the edge, without its white frame, or not readable; with the millimetres.
    """
    layout = read_layout(folder.path)
    box = next(each for each in layout.boxes if isinstance(each, QRBox))
    module = box.rect.w / matrix.size
    side = module * (matrix.size + 2 * MIN_MARGIN_MODULES)
    if module < MIN_MODULE_MM:
        needed = MIN_MODULE_MM * matrix.size
        raise PrintGateError(
            f"the code's modules are {module:.3f} mm, at least {MIN_MODULE_MM:.2f} are needed: "
            f"make the box {needed:.1f} mm wide, or put fewer fields on the token"
        )
    frame = MIN_MARGIN_MODULES * module
    near = min(
        box.rect.x,
        box.rect.y,
        layout.page.width - box.rect.x - box.rect.w,
        layout.page.height - box.rect.y - box.rect.h,
    )
    if near < frame:
        raise PrintGateError(f"the code is {near:.1f} mm from the edge of the page, at least {frame:.1f} are needed")
    width, height, gray = raster.page_image(pdf, GATE_DPI)
    seen = qr.read_page_codes(gray, width, height)
    if seen != (text,):
        what = "shows no readable code" if not seen else "shows another code"
        raise PrintGateError(f"the page printed at {GATE_DPI} dpi {what} (modules of {module:.3f} mm)")
    return PrintGate(module_mm=module, side_mm=side, version=matrix.version, dpi=GATE_DPI)


class PrintGateError(TypeFolderError):
    """A code would not be readable as it prints."""

    def __init__(self, problem: str) -> None:
        """Say what was measured."""
        super().__init__((problem,))


def gate_licence(lib: Library, licence: Licence) -> PrintGate:
    """The print gate on an issued licence: a sample of each batch passes here.

    Raises:
        PrintGateError: it would not be readable as it prints.
    """
    folder = lib.press.folder(licence.type_code, licence.type_version)
    matrix = qr_matrix(licence.token)
    return print_gate(folder, lookups.pdf_of(lib.store, licence), text=licence.token, matrix=matrix)


def add_type(lib: Library, path: Path, *, operator: str) -> TypeFolder:
    """Check the type in `path`, copy it into the library's home and register its digest; usable at once.

    A version from which nothing was issued yet may still be mended and added again; one that is in use only as far as
    its questions go, which stand on no licence.

    Raises:
        TypeFolderError: it does not pass `check_type`.
        ConflictError: code `type_frozen`: licences were issued from other content; a change is a new version.
            Or its token code belongs to another type.
    """
    folder = check_type(path, fonts=lib.press.fonts).folder
    code, version = folder.licence_type.code, folder.licence_type.version
    _require_free_codes(lib, folder)
    agencies.register_type(
        lib.store, code=code, version=version, digest=folder.digest, type_toml=folder.type_toml,
        operator=operator, now=lib.now(), amends=_amended(lib, folder),
    )  # fmt: skip
    if not path.resolve().is_relative_to(SHIPPED_TYPES):
        _copy_whole(path, lib.settings.home / "types" / code / path.name)
    lib.press.folders.pop((code, version), None)
    return folder


def _amended(lib: Library, folder: TypeFolder) -> str:
    """The digest on record if `folder` differs from it in its questions only; else empty."""
    new = folder.licence_type
    known = [each for each in agencies.all_types(lib.store) if (each.code, each.version) == (new.code, new.version)]
    if not known or folder_digest(folder.path, type_toml=known[0].type_toml) != known[0].digest:
        return ""
    old = parse_type(known[0].type_toml, where=new.code, version=new.version)
    return known[0].digest if replace(old, questions=new.questions) == new else ""


def _require_free_codes(lib: Library, folder: TypeFolder) -> None:
    """A token's type code leads to one type only, also after years."""
    mine = folder.licence_type
    for other in agencies.all_types(lib.store):
        if other.code == mine.code:
            continue
        theirs = parse_type(other.type_toml, where=other.code, version=other.version)
        if theirs.token_code == mine.token_code:
            raise ConflictError(
                f"token_code {mine.token_code} belongs to {other.code}; choose another", differs=("token_code",)
            )


def _copy_whole(source: Path, target: Path) -> None:
    """Copy a folder so that it is there whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
        shutil.copytree(source, Path(temporary) / "v")
        if target.exists():
            shutil.rmtree(target)
        (Path(temporary) / "v").replace(target)


def add_shipped_types(lib: Library, *, operator: str) -> list[TypeFolder]:
    """Register the types that come with the library, in the order of their names."""
    return [add_type(lib, each, operator=operator) for each in shipped_folders()]


def shipped_folders() -> list[Path]:
    """The folders of the types that come with the library, in the order of their names."""
    return sorted(each.parent for each in SHIPPED_TYPES.glob("*/v*/type.toml"))


def types(lib: Library) -> list[RegisteredType]:
    """All registered versions, by code and version."""
    return sorted(agencies.all_types(lib.store), key=lambda each: (each.code, each.version))


def _sample(folder: TypeFolder) -> tuple[IssueRequest, Agency]:
    """The sample's request, judged like any other, and the agency that would issue it."""
    path = folder.path / SAMPLE
    where = f"{folder.path.parent.name}/{folder.path.name}/{SAMPLE}"
    try:
        data: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise TypeFolderError((f"{where}: cannot be read as JSON: {error}",)) from error
    if not isinstance(data, dict):
        raise TypeFolderError((f"{where}: must be a JSON object",))
    agency = _sample_agency(folder, data.pop("agency", None))
    pictures = data.pop("images", {})
    try:
        data["images"] = {name: (folder.path / Path(str(file)).name).read_bytes() for name, file in pictures.items()}
        request = request_from_json(data, agency_code=agency.code, type_code=folder.licence_type.code)
        return checked_request(folder.licence_type, request, agency, today=datetime.now(UTC).date()), agency
    except (OSError, AttributeError) as error:
        raise TypeFolderError((f"{where}: images: {error}",)) from error
    except InvalidRequestError as error:
        raise TypeFolderError(tuple(f"{where}: {fault.field}: {fault.reason}" for fault in error.faults)) from error


def _sample_agency(folder: TypeFolder, data: object) -> Agency:
    members = data if isinstance(data, dict) else {}
    chinese = folder.licence_type.language.startswith("zh")
    return Agency(
        code=AgencyCode(str(members.get("code", "11990200MB90000230"))),
        name=str(members.get("name", "样本市市场监督管理局" if chinese else "City of Sample")),
        name_en=str(members.get("name_en", "City of Sample")),
        timezone=str(members.get("timezone", "Asia/Shanghai")),
    )


def _sample_page(
    folder: TypeFolder, fonts: FontBook, request: IssueRequest, agency: Agency
) -> tuple[bytes, str, QRMatrix]:
    """The sample as a licence would be, its token as large as a real one, both signed with a key thrown away."""
    now = datetime.now(UTC)
    licence_type = folder.licence_type
    intent = Intent(
        request=request,
        type_version=licence_type.version,
        type_digest=folder.digest,
        identifier_scheme=licence_type.scheme,
        identifier_root=GBT36904_ROOT if licence_type.scheme is IdentifierScheme.GBT36904 else SAMPLE_ROOT,
        type_segment=licence_type.segment,
        agency_segment=agency.code,
    )
    kit = throwaway_kit(agency, now=now)
    piece = Piece(reserved=unreserved(intent, now=now), folder=folder, kit=kit)
    token = signed_token(piece, verify_url=SAMPLE_URL)
    matrix = qr_matrix(token.text)
    form = compiled(
        folder,
        fonts=fonts,
        agency_name=agency.name,
        reserve_bytes=kit.sealer.reserve_bytes,
        seal_picture=None,
    )
    return sealed_bytes(page(piece, token, matrix, form)), token.text, matrix
