"""Makers of sealed files that no honest library makes: right keys, wrong content."""

import io
from dataclasses import replace

import pikepdf
from PIL import Image

from certlib.enrolling import IssuingKit, issuing_kit
from certlib.identifiers import LicenceIdentifier
from certlib.issuing import identifier_root
from certlib.lawfulness import checked_request
from certlib.library import Library
from certlib.making import Piece, SignedToken, page, qr_matrix, sealed_bytes, signed_token, unreserved
from certlib.model import IssueRequest, Licence
from certlib.store import agencies, lookups
from certlib.store.values import Intent, Reserved


def recorded(lib: Library, licence: Licence) -> bytes:
    """The licence's sealed PDF."""
    return lookups.pdf_of(lib.store, licence)


def piece(lib: Library, request: IssueRequest, *, kit: IssuingKit | None = None, identifier: str = "") -> Piece:
    """What a licence for `request` would be made of; nothing is reserved. `identifier` may be another's."""
    own = issuing_kit(lib, request.agency_code)
    version = agencies.current_type(lib.store, request.type_code).version
    folder = lib.press.folder(request.type_code, version)
    intent = Intent(
        request=checked_request(folder.licence_type, request, own.agency, today=lib.now().date()),
        type_version=version,
        type_digest=folder.digest,
        identifier_scheme=folder.licence_type.scheme,
        identifier_root=identifier_root(lib, folder.licence_type.scheme),
        type_segment=folder.licence_type.segment,
        agency_segment=own.agency.code,
    )
    reserved: Reserved = unreserved(intent, now=lib.now())
    if identifier:
        reserved = replace(reserved, identifier=LicenceIdentifier(identifier))
    reserved = replace(reserved, status_list_uri=f"{lib.settings.status_list_url}0")
    return Piece(reserved=reserved, folder=folder, kit=kit or own)


def token_of(lib: Library, made_of: Piece) -> SignedToken:
    return signed_token(made_of, verify_url=lib.settings.verify_url)


def sealed_file(lib: Library, made_of: Piece, *, token: SignedToken | None = None, code_on_page: str = "") -> bytes:
    """A really sealed PDF; the attached token and the code on the page may be others than its own."""
    inside = token or token_of(lib, made_of)
    form = lib.press.form(made_of.folder, made_of.kit.agency, reserve_bytes=made_of.kit.sealer.reserve_bytes)
    return sealed_bytes(page(made_of, inside, qr_matrix(code_on_page or inside.text), form))


def scan_of(image: bytes) -> bytes:
    """A PDF as an office scanner makes it: one picture, nothing else."""
    out = io.BytesIO()
    Image.open(io.BytesIO(image)).convert("RGB").save(out, "PDF", resolution=200)
    return out.getvalue()


def unsealed(pdf: bytes) -> bytes:
    """The file saved again without its signature, as a thief would before changing it."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        del document.Root.AcroForm
        del document.Root.Perms
        del document.Root.StructTreeRoot
        for each in document.pages:
            if "/Annots" in each:
                del each["/Annots"]
        document.save(out)
    return out.getvalue()


def encrypted(pdf: bytes) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    return out.getvalue()
