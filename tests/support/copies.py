"""Purpose-bound copies as tests make them: honest ones, and sealed ones that no honest library makes."""

import io
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pikepdf

from certlib import copying
from certlib.copying import BoundCopy, MadeFor, bound_copy
from certlib.enrolling import issuing_kit
from certlib.grants import BASE_FIELDS
from certlib.library import Library
from certlib.making import SignedToken, qr_matrix, sealed_pdf
from certlib.model import Licence
from signing import tokens
from templates.writer import write_form
from tests.support.libraries import CITY

USE_CODE = "7K2M9Q4R1T8W3X5Z6A0B1C2D3E"
PURPOSE = "子女入学 school entry"


def made_for(lib: Library, *, until: datetime | None = None, **changes: str) -> MadeFor:
    """For the City of Rainport, for thirty days."""
    parts = {"agency_code": CITY.code, "agency_name": CITY.name, "purpose": PURPOSE, "use_code": USE_CODE} | changes
    return MadeFor(until=until or lib.now() + timedelta(days=30), **parts)


def every_field(lib: Library, licence: Licence) -> frozenset[str]:
    """All names that may be granted for the licence's type."""
    folder = lib.press.folder(licence.type_code, licence.type_version)
    return frozenset((*BASE_FIELDS, *(each.name for each in folder.licence_type.fields)))


def copy_of(
    lib: Library,
    licence: Licence,
    fields: Iterable[str] | None = None,
    *,
    until: datetime | None = None,
    **changes: str,
) -> BoundCopy:
    """A copy with these fields, by default with all of them."""
    granted = every_field(lib, licence) if fields is None else frozenset(fields)
    return bound_copy(lib, licence, made_for(lib, until=until, **changes), fields=granted)


def record_in(pdf: bytes) -> dict[str, object]:
    """The record attached to a file, as another library reads it."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        content: dict[str, object] = json.loads(document.attachments["record"].get_file().read_bytes())
    return content


def token_in(pdf: bytes) -> str:
    """The token in the record attached to a copy."""
    return str(record_in(pdf)["token"])


def resigned_copy(lib: Library, licence: Licence, pdf: bytes, **changes: object) -> str:
    """A copy's token with other claims, signed by the agency's own key: what a thief of the key would make."""
    claims = replace(tokens.claims_unverified(token_in(pdf)), **changes)  # type: ignore[arg-type]  # claims by name
    key = issuing_kit(lib, licence.agency_code).token_key
    return tokens.token_url("https://licences.example/q#", tokens.sign_token(claims, key))


def sealed_copy(lib: Library, licence: Licence, *, code_on_page: str = "", token_inside: str = "") -> bytes:
    """A really sealed copy whose code on the page, or whose attached token, is another than its own."""
    making = copying._making(lib, licence, made_for(lib), every_field(lib, licence))  # noqa: SLF001  # a forger's way in
    form = lib.press.form(making.folder, making.kit.agency, reserve_bytes=making.kit.sealer.reserve_bytes)
    token, _, _ = copying._token(making, form)  # noqa: SLF001  # as above
    inside = SignedToken(claims=token.claims, text=token_inside or token.text, check_phrase=token.check_phrase)
    matrix = qr_matrix(code_on_page or token.text)
    unsealed = write_form(form, copying._content(making, form, inside, matrix))  # noqa: SLF001  # as above
    return sealed_pdf(unsealed, making.kit, identifier=licence.identifier)
