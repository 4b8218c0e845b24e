"""Purpose-bound copies (加注件): a licence's form drawn again for one asker, one purpose and a time, with its own seal.

A copy is a file of its own: only the granted fields stand on its face, in its code and in its attached record, words
over every page say for whom, what for and until when, and its token is of a kind that no verifier takes for the
licence's. Nothing of it is kept here, and the licence's row is not touched.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC
from typing import TYPE_CHECKING, Final

from certlib.copyfaces import (
    MadeFor,
    copy_record_json,
    copy_token_fields,
    copy_values,
    end_text,
    ends_at,
    one_line,
    request_of,
    shortened,
)
from certlib.enrolling import issuing_kit
from certlib.errors import FieldFault, InvalidRequestError, NotFoundError, OwnFaultError, TypeFolderError
from certlib.faces import RECORD_NAME, safe_pdf_name
from certlib.issuing import usable_folder
from certlib.making import SignedToken, check_own_work, qr_matrix, sealed_pdf, signed_claims
from certlib.model import start_of_day
from certlib.store import lookups
from signing import qr, tokens
from templates import raster
from templates.copymark import CopyMark, can_print, mark_faces
from templates.errors import TemplateError
from templates.form import QRSlot
from templates.writer import FormContent, write_form

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.enrolling import IssuingKit
    from certlib.library import Library
    from certlib.model import IssueRequest, Licence
    from certlib.press import TypeFolder
    from signing.qr import QRMatrix
    from templates.form import CompiledForm

__all__ = ["BoundCopy", "MadeFor", "bound_copy"]

MAX_PURPOSE: Final = 200
"""China profile, 7: UseFor has up to 200 characters."""
MAX_NAME: Final = 64
USE_CODE: Final = re.compile(r"[0-9A-Za-z-]{1,64}")
AGENCY_CODE: Final = re.compile(r"[0-9A-Z]{1,64}")
ACROSS_PURPOSE, STRIP_PURPOSE = 40, 90
"""Most characters of the purpose across the page and at its edges; the attached record has it whole."""
ACROSS_NAME: Final = 30
TOKEN_PURPOSES: Final = (60, 30, 12, 0)
"""Most characters of the purpose in the code: the first that leaves its modules large enough."""
MIN_MODULE_POINTS: Final = 0.30 / 25.4 * 72
"""As the print gate asks (facts: qr-token, 5)."""
READ_DPI: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class BoundCopy:
    """A sealed and self-verified copy."""

    pdf: bytes
    sha256: str
    """Hex."""
    name: str
    """Safe file name that says it is a copy; holds granted values only."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Making:
    """What one copy is made from."""

    lib: Library
    licence: Licence
    made_for: MadeFor
    granted: frozenset[str]
    folder: TypeFolder
    kit: IssuingKit
    request: IssueRequest
    made_at: datetime
    ends_at: datetime

    @property
    def kind(self) -> str:
        """What the licence is called."""
        name = self.folder.licence_type.name
        return name.zh if self.folder.licence_type.language.startswith("zh") else name.en

    @property
    def number(self) -> str:
        """The licence's number where it was granted, else empty."""
        return self.licence.number if "number" in self.granted else ""


def bound_copy(lib: Library, licence: Licence, made_for: MadeFor, *, fields: frozenset[str]) -> BoundCopy:
    """A copy of `licence` for `made_for`, with the granted `fields` (names as in grants) and nothing else of it.

    The copy ends with `until`, or with the licence where that comes first. Whether the licence is in force is for
    whoever verifies the copy: its status is looked up like the licence's own.

    Raises:
        InvalidRequestError: `until` has passed or lies before the licence begins; purpose, agency or use code cannot
            be used; or the licence is not in force yet and its first day was not granted.
        TypeFolderError: the form of the licence is gone or changed.
        SetupError: the issuing agency has no usable key.
        OwnFaultError: our own work did not pass our own check.
        UnavailableError: the time stamping authority or the store does not answer.
    """
    making = _making(lib, licence, made_for, fields)
    form = lib.press.form(making.folder, making.kit.agency, reserve_bytes=making.kit.sealer.reserve_bytes)
    token, matrix, dense = _token(making, form)
    try:
        unsealed = write_form(form, _content(making, form, token, matrix))
    except TemplateError as error:
        raise OwnFaultError(f"{licence.identifier}: the copy cannot be drawn: {error}") from error
    pdf = sealed_pdf(unsealed, making.kit, identifier=licence.identifier)
    check_own_work(pdf, token, making.kit, at=making.made_at)
    if dense:
        _require_readable(pdf, token.text, licence.identifier)
    word = "加注件" if making.folder.licence_type.language.startswith("zh") else "copy"
    name = safe_pdf_name(making.kind, word, making.number, made_for.use_code)
    return BoundCopy(pdf=pdf, sha256=hashlib.sha256(pdf).hexdigest(), name=name)


def _making(lib: Library, licence: Licence, made_for: MadeFor, granted: frozenset[str]) -> _Making:
    now = lib.now().astimezone(UTC).replace(microsecond=0)
    _check(licence, made_for, granted, now)
    try:
        folder = usable_folder(lib, licence.type_code, licence.type_version)
    except NotFoundError as error:
        where = f"{licence.type_code}/v{licence.type_version}"
        raise TypeFolderError((f"{where}: its folder is gone, no copy can be drawn; put it back",)) from error
    kit = issuing_kit(lib, licence.agency_code)
    names = {each.name for each in folder.licence_type.fields if each.kind.value == "image"} & granted
    images = {name: lookups.image_of(lib.store, licence, name) for name in names if name in licence.fields}
    return _Making(
        lib=lib,
        licence=licence,
        made_for=replace(
            made_for,
            purpose=one_line(made_for.purpose) or made_for.use_code,
            agency_name=one_line(made_for.agency_name) or made_for.agency_code,
        ),
        granted=granted,
        folder=folder,
        kit=kit,
        request=request_of(licence, images),
        made_at=max(now, kit.usable_from_at),
        ends_at=ends_at(licence, made_for).astimezone(UTC),
    )


def _check(licence: Licence, made_for: MadeFor, granted: frozenset[str], now: datetime) -> None:
    """Pass if a copy for `made_for` can be made now.

    Raises:
        InvalidRequestError: with a fault for each member. No fault says what the licence says.
    """
    faults = [
        FieldFault(field=name, code="too_long", reason=f"must have 1 to {most} characters")
        for name, value, most in (
            ("purpose", made_for.purpose, MAX_PURPOSE),
            ("agency_name", made_for.agency_name, MAX_NAME),
        )
        if not value.strip() or len(value) > most
    ]
    for name, value, form in (
        ("agency_code", made_for.agency_code, AGENCY_CODE),
        ("use_code", made_for.use_code, USE_CODE),
    ):
        if form.fullmatch(value) is None:
            faults.append(FieldFault(field=name, code="bad_form", reason="cannot be printed in a code"))
    begins = start_of_day(licence.effective_on, licence.timezone)
    if made_for.until <= now:
        faults.append(FieldFault(field="until", code="past", reason="has passed; name a later moment"))
    elif begins > now and "effective_on" not in granted:
        # Without its first day a copy would look as if it were in force.
        reason = "the licence is not in force yet: ask for effective_on too, or later"
        faults.append(FieldFault(field="fields", code="not_in_force", reason=reason))
    elif begins >= made_for.until:
        faults.append(FieldFault(field="until", code="before_effective", reason="lies before the licence begins"))
    if faults:
        raise InvalidRequestError(tuple(faults))


def _token(making: _Making, form: CompiledForm) -> tuple[SignedToken, QRMatrix, bool]:
    """The copy's token with its code, and whether the code is denser than the print gate asks even so."""
    licence, made_for = making.licence, making.made_for
    begins = start_of_day(licence.effective_on, licence.timezone)
    fields = copy_token_fields(making.folder.licence_type, making.request, making.granted)
    side = next(slot.side for slot in form.slots if isinstance(slot, QRSlot))
    for most in TOKEN_PURPOSES:
        claims = tokens.TokenClaims(
            identifier=licence.identifier,
            issued_at=making.made_at,
            not_before_at=begins if "effective_on" in making.granted else None,
            expires_at=making.ends_at,
            status_index=licence.status_index,
            status_uri=licence.status_list_uri,
            fields=fields,
            audience=tokens.Audience(
                code=made_for.agency_code,
                reference=made_for.use_code,
                purpose=shortened(made_for.purpose, most) if most else "",
            ),
        )
        token = signed_claims(claims, making.kit, verify_url=making.lib.settings.verify_url)
        matrix = qr_matrix(token.text)
        if side / matrix.size >= MIN_MODULE_POINTS:
            return token, matrix, False
    return token, matrix, True


def _content(making: _Making, form: CompiledForm, token: SignedToken, matrix: QRMatrix) -> FormContent:
    licence, made_for, agency = making.licence, making.made_for, making.kit.agency
    licence_type = making.folder.licence_type
    values, withheld = copy_values(
        licence_type, making.request, agency,
        licence=licence, use_code=made_for.use_code, granted=making.granted,
    )  # fmt: skip
    until = end_text(making.ends_at, licence.timezone)
    title = " ".join(part for part in (making.kind, making.number) if part)
    return FormContent(
        values=values,
        qr=(matrix.size, matrix.modules),
        under_qr=(made_for.use_code, token.check_phrase),
        title=f"{title} · 加注件 COPY · {made_for.agency_name} · {until}",
        subject=licence.identifier,
        author=agency.name,
        identifier=licence.identifier,
        sealed_at=making.made_at,
        attachment_name=RECORD_NAME,
        attachment_json=copy_record_json(
            licence_type, making.request, agency, licence=licence, token=token.text, made_for=made_for,
            made_at=making.made_at, ends=making.ends_at, granted=making.granted,
        ),
        reason=f"{making.kind} · 加注件 COPY",
        mark=_mark(making, form, until),
        withheld=withheld,
    )  # fmt: skip


def _mark(making: _Making, form: CompiledForm, until: str) -> CopyMark:
    """The words over the pages. What no font has is said by a code; a line that no font has is left out."""
    made_for = making.made_for
    faces = mark_faces(making.lib.press.fonts, making.folder.path, form)

    def said(text: str, most: int, code: str) -> str:
        short = shortened(text, most)
        return short if can_print(short, faces) else code

    name = said(made_for.agency_name, ACROSS_NAME, made_for.agency_code)
    whole_name = said(made_for.agency_name, MAX_NAME, made_for.agency_code)
    purpose = said(made_for.purpose, ACROSS_PURPOSE, made_for.use_code)
    long_purpose = said(made_for.purpose, STRIP_PURPOSE, made_for.use_code)
    across = (f"仅供 {name} 用于 {purpose} 至 {until}", f"for {name}, {purpose}, until {until}")
    head = f"加注件 · 非原件 · 仅供 {whole_name} 用于 {long_purpose} 至 {until} · 他人使用无效"
    foot = f"COPY, not the licence: for {whole_name}, {long_purpose}, until {until}; of no use to others"
    return CopyMark(
        across=tuple(line for line in across if can_print(line, faces)),
        head=head if can_print(head, faces) else foot,
        foot=foot,
        faces=faces,
    )


def _require_readable(pdf: bytes, text: str, identifier: str) -> None:
    """Pass if the code on the first page reads as it prints.

    Raises:
        OwnFaultError: it does not; the form's box is too small for any copy.
    """
    try:
        width, height, grey = raster.page_image(pdf, READ_DPI)
    except TemplateError as error:
        raise OwnFaultError(f"{identifier}: the copy cannot be looked at: {error}") from error
    if qr.read_page_codes(grey, width, height) != (text,):
        raise OwnFaultError(f"{identifier}: the code of the copy is too small to be read")
