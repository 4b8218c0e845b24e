"""Between rows and domain values, by hand. Sealed columns are opened here and nowhere else."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

import orjson

from certlib.identifiers import AgencyCode, LicenceIdentifier, PublicCode
from certlib.model import Holder, IdentifierScheme, IssueRequest, Licence, Sha256, Status
from certlib.store.values import Intent, MadeLicence, Reserved

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import RowMapping

    from certlib.store.cipher import Cipher

IMAGE_PREFIX: Final = "sha256:"
"""What a licence's field of kind image holds before the digest."""


def content(request: IssueRequest) -> dict[str, Any]:
    """What makes a request this request: all of it but who asked, in which batch and under which request id."""
    return {
        "agency_code": request.agency_code,
        "type_code": request.type_code,
        "number": request.number,
        "version": request.version,
        "holders": [[each.name, each.code, each.code_type] for each in request.holders],
        "issued_on": request.issued_on.isoformat(),
        "effective_on": request.effective_on.isoformat(),
        "expires_on": None if request.expires_on is None else request.expires_on.isoformat(),
        "area_code": request.area_code,
        "previous_identifier": request.previous_identifier,
        "fields": dict(request.fields),
        "images": {name: hashlib.sha256(data).hexdigest() for name, data in request.images.items()},
    }


def content_digest(cipher: Cipher, request_content: Mapping[str, Any]) -> bytes:
    """Keyed digest of the content: equal if and only if the content is."""
    return cipher.digest("content", orjson.dumps(request_content, option=orjson.OPT_SORT_KEYS))


def sealed_content(cipher: Cipher, request_content: Mapping[str, Any], identifier: str) -> bytes:
    """The personal part of the content (holders, fields, images' digests), encrypted and bound to the identifier."""
    personal = {key: request_content[key] for key in ("holders", "fields", "images")}
    return cipher.seal(orjson.dumps(personal), _binding("content", identifier))


def opened_content(cipher: Cipher, row: RowMapping) -> dict[str, Any]:
    """The whole content of a row, in the form that `content` gives."""
    personal = orjson.loads(cipher.open(row["sealed"], _binding("content", row["identifier"]), row["key_id"]))
    return {
        "agency_code": row["agency_code"],
        "type_code": row["type_code"],
        "number": row["number"],
        "version": row["version"],
        "issued_on": row["issued_on"].isoformat(),
        "effective_on": row["effective_on"].isoformat(),
        "expires_on": None if row["expires_on"] is None else row["expires_on"].isoformat(),
        "area_code": row["area_code"],
        "previous_identifier": row["previous_identifier"],
        **personal,
    }


def differing(standing: Mapping[str, Any], wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """Names of the parts that differ, in a steady order; `fields.x` and `images.x` for the parts inside."""
    names = []
    for key in wanted:
        if key in ("fields", "images"):
            inner = sorted({*standing[key], *wanted[key]})
            names += [f"{key}.{each}" for each in inner if standing[key].get(each) != wanted[key].get(each)]
        elif standing[key] != wanted[key]:
            names.append(key)
    return tuple(names)


def sealed_token(cipher: Cipher, token: str, identifier: str) -> bytes:
    """The token encrypted: it holds what is printed on the face."""
    return cipher.seal(token.encode(), _binding("token", identifier))


def pdf_binding(identifier: str) -> str:
    """What a sealed PDF is bound to."""
    return _binding("pdf", identifier)


def image_binding(identifier: str, field: str) -> str:
    """What a sealed image is bound to."""
    return _binding(f"image:{field}", identifier)


def holder_index(cipher: Cipher, code: str) -> bytes:
    """Under which keyed hash a holder's code is found; case does not matter."""
    return cipher.digest("holder", code.upper().encode("utf-8", "surrogatepass"))


def reserved_value(cipher: Cipher, row: RowMapping, images: Mapping[str, bytes]) -> Reserved:
    """The reservation in `row`, with the images as they were given."""
    personal = opened_content(cipher, row)
    request = IssueRequest(
        agency_code=AgencyCode(row["agency_code"]),
        type_code=row["type_code"],
        number=row["number"],
        holders=_holders(personal),
        issued_on=row["issued_on"],
        effective_on=row["effective_on"],
        expires_on=row["expires_on"],
        fields=personal["fields"],
        images=images,
        area_code=row["area_code"],
        request_id=row["request_id"],
        batch=row["batch"],
        operator=row["operator"],
        version=row["version"],
        previous_identifier=row["previous_identifier"],
    )
    intent = Intent(
        request=request,
        type_version=row["type_version"],
        type_digest=Sha256(row["type_digest"]),
        identifier_scheme=IdentifierScheme(row["identifier_scheme"]),
        identifier_root=row["identifier_root"],
        type_segment=row["type_segment"],
        agency_segment=row["agency_segment"],
    )
    return Reserved(
        intent=intent,
        identifier=LicenceIdentifier(row["identifier"]),
        public_code=PublicCode(row["public_code"]),
        status_list_uri=row["status_list_uri"],
        status_index=row["status_index"],
        issued_at=row["issued_at"],
        resumed=True,
    )


def licence_value(cipher: Cipher, row: RowMapping) -> Licence:
    """The issued licence in `row`."""
    personal = opened_content(cipher, row)
    token = cipher.open(row["sealed_token"], _binding("token", row["identifier"]), row["pdf_key_id"])
    images = {name: IMAGE_PREFIX + digest for name, digest in personal["images"].items()}
    return Licence(
        identifier=LicenceIdentifier(row["identifier"]),
        public_code=PublicCode(row["public_code"]),
        type_code=row["type_code"],
        type_version=row["type_version"],
        type_digest=Sha256(row["type_digest"]),
        number=row["number"],
        agency_code=AgencyCode(row["agency_code"]),
        agency_name=row["agency_name"],
        timezone=row["timezone"],
        holders=_holders(personal),
        issued_on=row["issued_on"],
        effective_on=row["effective_on"],
        expires_on=row["expires_on"],
        area_code=row["area_code"],
        fields={**personal["fields"], **images},
        version=row["version"],
        previous_identifier=row["previous_identifier"],
        batch=row["batch"],
        status=Status(row["status"]),
        status_index=row["status_index"],
        status_list_uri=row["status_list_uri"],
        issued_at=row["issued_at"],
        token_kid=row["token_kid"],
        seal_kid=row["seal_kid"],
        pdf_sha256=Sha256(row["pdf_sha256"]),
        token=token.decode(),
        check_phrase=row["check_phrase"],
        pdf_name=row["pdf_name"],
    )


def made_value(made: MadeLicence) -> Licence:
    """The licence that `made` becomes at the moment it is recorded."""
    reserved, intent = made.reserved, made.reserved.intent
    request = intent.request
    images = {name: IMAGE_PREFIX + hashlib.sha256(data).hexdigest() for name, data in request.images.items()}
    return Licence(
        identifier=reserved.identifier,
        public_code=reserved.public_code,
        type_code=request.type_code,
        type_version=intent.type_version,
        type_digest=intent.type_digest,
        number=request.number,
        agency_code=request.agency_code,
        agency_name=made.agency_name,
        timezone=made.timezone,
        holders=request.holders,
        issued_on=request.issued_on,
        effective_on=request.effective_on,
        expires_on=request.expires_on,
        area_code=request.area_code,
        fields={**request.fields, **images},
        version=request.version,
        previous_identifier=request.previous_identifier,
        batch=request.batch,
        status=Status.ACTIVE,
        status_index=reserved.status_index,
        status_list_uri=reserved.status_list_uri,
        issued_at=reserved.issued_at,
        token_kid=made.token_kid,
        seal_kid=made.seal_kid,
        pdf_sha256=made.pdf_sha256,
        token=made.token,
        check_phrase=made.check_phrase,
        pdf_name=made.pdf_name,
    )


def _holders(personal: Mapping[str, Any]) -> tuple[Holder, ...]:
    return tuple(Holder(name=name, code=code, code_type=kind) for name, code, kind in personal["holders"])


def _binding(what: str, identifier: str) -> str:
    return f"{what}:{identifier}"
