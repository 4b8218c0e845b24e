"""Steps 3 and 4 of the issuance cycle: from reservations to sealed, self-verified PDFs.

Works stage by stage over a block (tokens, then QR matrices, then pages, then seals), which keeps each stage's code and
tables in the processor's cache.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certlib.errors import CertlibError, FieldFault, InvalidRequestError, OwnFaultError, UnavailableError
from certlib.faces import RECORD_NAME, form_values, pdf_name, public_json, record_json, token_fields
from certlib.identifiers import licence_identifier, printed_public_code, public_code, serial
from certlib.model import Sha256, end_of_day, start_of_day
from certlib.store.values import MadeLicence, Reserved
from signing import pades, qr, tokens
from signing.errors import SigningError, TimestampError
from templates.errors import TemplateError
from templates.writer import FormContent, write_form

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from certlib.enrolling import IssuingKit
    from certlib.library import Library
    from certlib.press import TypeFolder
    from certlib.store.values import Intent
    from signing.qr import QRMatrix
    from templates.form import CompiledForm
    from templates.writer import UnsealedPdf


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """One reservation with what it is made from."""

    reserved: Reserved
    folder: TypeFolder
    kit: IssuingKit

    @property
    def signed_at(self) -> datetime:
        """The claimed time of token and seal: of the reservation, unless the keys are younger (after a crash)."""
        return max(self.reserved.issued_at, self.kit.usable_from_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedToken:
    """A token and what stands under its QR code."""

    claims: tokens.TokenClaims
    text: str
    """The whole text of the QR code."""
    check_phrase: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A drawn page, not sealed yet."""

    piece: Piece
    token: SignedToken
    unsealed: UnsealedPdf


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """A sealed PDF, not yet checked."""

    piece: Piece
    token: SignedToken
    pdf: bytes


def made_licences(lib: Library, pieces: Sequence[Piece]) -> list[MadeLicence | CertlibError]:
    """For each piece, in order: the sealed and self-verified licence, or why its form cannot carry its values.

    Raises:
        OwnFaultError: our own check refused our own work.
        UnavailableError: the time stamping authority does not answer.
    """
    results = [page if isinstance(page, CertlibError) else _sealed(page) for page in pages(lib, pieces)]
    lib.step("sealed")
    for result in results:
        if isinstance(result, Sealed):
            _self_verify(result)
    return [_made(result) if isinstance(result, Sealed) else result for result in results]


def pages(lib: Library, pieces: Sequence[Piece]) -> list[Page | CertlibError]:
    """For each piece, in order: its page with token and code, unsealed, or why its form cannot carry its values.

    Raises:
        OwnFaultError: a token or a code cannot be made of lawful values.
    """
    signed = [signed_token(piece, verify_url=lib.settings.verify_url) for piece in pieces]
    lib.step("signed")
    matrices = [qr_matrix(each.text) for each in signed]
    lib.step("drawn")
    drawn: list[Page | CertlibError] = []
    for piece, token, matrix in zip(pieces, signed, matrices, strict=True):
        form = lib.press.form(piece.folder, piece.kit.agency, reserve_bytes=piece.kit.sealer.reserve_bytes)
        try:
            drawn.append(page(piece, token, matrix, form))
        except TemplateError as error:
            drawn.append(refusal(error))
    lib.step("rendered")
    return drawn


def page(piece: Piece, token: SignedToken, matrix: QRMatrix, form: CompiledForm) -> Page:
    """The page of `piece` on `form`.

    Raises:
        TemplateError: the form cannot carry the values.
    """
    content = form_content(piece, token=token.text, check_phrase=token.check_phrase, matrix=matrix)
    return Page(piece=piece, token=token, unsealed=write_form(form, content))


def qr_matrix(text: str) -> QRMatrix:
    """The QR code of `text` at level M (facts: qr-token, 4).

    Raises:
        OwnFaultError: the text does not fit a QR code.
    """
    try:
        return qr.qr_matrix(text)
    except SigningError as error:
        raise OwnFaultError(f"the token does not fit a QR code: {error}") from error


def unreserved(intent: Intent, *, now: datetime) -> Reserved:
    """A reservation that nobody keeps: for rehearsals and previews, with identifiers as long as real ones."""
    today = now.date()
    return Reserved(
        intent=intent,
        identifier=licence_identifier(
            scheme=intent.identifier_scheme,
            root=intent.identifier_root,
            type_code=intent.type_segment,
            agency_code=intent.agency_segment,
            serial=serial(today, secrets.token_bytes(8)),
            version=intent.request.version,
        ),
        public_code=public_code(secrets.token_bytes(16)),
        status_list_uri="https://example.invalid/s/0",
        status_index=secrets.randbelow(2**20),
        issued_at=now.replace(microsecond=0),
        resumed=False,
    )


def signed_token(piece: Piece, *, verify_url: str) -> SignedToken:
    """The token of `piece`.

    Raises:
        OwnFaultError: its claims cannot be written, although the request was lawful.
    """
    reserved, request = piece.reserved, piece.reserved.intent.request
    zone = piece.kit.agency.timezone
    claims = tokens.TokenClaims(
        identifier=reserved.identifier,
        issued_at=piece.signed_at,
        not_before_at=start_of_day(request.effective_on, zone),
        expires_at=end_of_day(request.expires_on, zone) if request.expires_on else None,
        status_index=reserved.status_index,
        status_uri=reserved.status_list_uri,
        fields=token_fields(piece.folder.licence_type, request),
    )
    return signed_claims(claims, piece.kit, verify_url=verify_url)


def signed_claims(claims: tokens.TokenClaims, kit: IssuingKit, *, verify_url: str) -> SignedToken:
    """The token that says `claims`.

    Raises:
        OwnFaultError: they cannot be written, although the request was lawful.
    """
    try:
        cose = tokens.sign_token(claims, kit.token_key)
    except SigningError as error:
        raise OwnFaultError(f"{claims.identifier}: the token cannot be made: {error}") from error
    return SignedToken(
        claims=claims,
        text=tokens.token_url(verify_url, cose),
        check_phrase=tokens.check_phrase(cose),
    )


def form_content(piece: Piece, *, token: str, check_phrase: str, matrix: QRMatrix) -> FormContent:
    """What the form of `piece` is filled with."""
    reserved, request, agency = piece.reserved, piece.reserved.intent.request, piece.kit.agency
    licence_type = piece.folder.licence_type
    name = licence_type.name.zh if licence_type.language.startswith("zh") else licence_type.name.en
    code = printed_public_code(reserved.public_code)
    return FormContent(
        values=form_values(
            licence_type, request, agency, identifier=reserved.identifier, public_code=reserved.public_code
        ),
        qr=(matrix.size, matrix.modules),
        under_qr=(code, check_phrase),
        title=f"{name} {request.number}",
        subject=reserved.identifier,
        author=agency.name,
        identifier=reserved.identifier,
        sealed_at=piece.signed_at,
        attachment_name=RECORD_NAME,
        attachment_json=record_json(
            licence_type,
            request,
            agency,
            identifier=reserved.identifier,
            public_code=reserved.public_code,
            type_digest=reserved.intent.type_digest,
            token=token,
        ),
        reason=name,
    )


def refusal(error: TemplateError) -> InvalidRequestError:
    """A form's refusal as a fault of the request's field."""
    field = getattr(error, "field", "") or "form"
    reason = str(error).removeprefix(f"{field}: ")
    return InvalidRequestError((FieldFault(field=field, code=_template_code(error), reason=reason),))


def _template_code(error: TemplateError) -> str:
    return {"MissingGlyphError": "no_glyph", "DoesNotFitError": "does_not_fit"}.get(type(error).__name__, "bad_value")


def _sealed(drawn: Page) -> Sealed:
    pdf = sealed_pdf(drawn.unsealed, drawn.piece.kit, identifier=drawn.piece.reserved.identifier)
    return Sealed(piece=drawn.piece, token=drawn.token, pdf=pdf)


def sealed_pdf(unsealed: UnsealedPdf, kit: IssuingKit, *, identifier: str) -> bytes:
    """The file with the agency's seal in its gap; `identifier` is for the message.

    Raises:
        OwnFaultError: the seal cannot be made.
        UnavailableError: the time stamping authority does not answer.
    """
    try:
        return pades.sealed(unsealed.head, unsealed.tail, unsealed.gap_hex_length, unsealed.digest, kit.sealer)
    except TimestampError as error:
        raise UnavailableError(f"the time stamping authority: {error}", code="tsa_unavailable") from error
    except SigningError as error:
        raise OwnFaultError(f"{identifier}: the seal cannot be made: {error}") from error


def sealed_bytes(drawn: Page) -> bytes:
    """The sealed PDF of a page, for previews; a licence goes through `made_licences`."""
    return _sealed(drawn).pdf


def _self_verify(sealed: Sealed) -> None:
    check_own_work(sealed.pdf, sealed.token, sealed.piece.kit, at=sealed.piece.signed_at)


def check_own_work(pdf: bytes, token: SignedToken, kit: IssuingKit, *, at: datetime) -> None:
    """Read our own seal and token as a stranger would; a mismatch is our fault and stops here.

    Raises:
        OwnFaultError: the seal or the token does not verify, or does not say what was meant.
    """
    identifier = token.claims.identifier
    try:
        pades.quick_check(pdf, spki_der=kit.seal_spki_der)
        seen = tokens.verify_token(token.text, kit.token_keys, now=at)
    except SigningError as error:
        raise OwnFaultError(f"{identifier}: our own work does not verify: {error}") from error
    if seen.claims != token.claims or seen.check_phrase != token.check_phrase:
        raise OwnFaultError(f"{identifier}: the token does not say what was meant")


def _made(sealed: Sealed) -> MadeLicence:
    piece, token = sealed.piece, sealed.token
    request, licence_type, kit = piece.reserved.intent.request, piece.folder.licence_type, piece.kit
    return MadeLicence(
        reserved=piece.reserved,
        pdf=sealed.pdf,
        pdf_sha256=Sha256(hashlib.sha256(sealed.pdf).hexdigest()),
        token=token.text,
        token_kid=kit.token_key.kid.hex(),
        seal_kid=kit.seal_kid,
        check_phrase=token.check_phrase,
        pdf_name=pdf_name(licence_type, request),
        agency_name=kit.agency.name,
        timezone=kit.agency.timezone,
        public_json=public_json(licence_type, request, kit.agency),
    )
