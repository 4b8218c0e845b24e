"""The facade in the shape of the national sharing interface (GB/T 36906-style).

What was understood is answered 200 with a national code; who is not known, limits and faults stay HTTP statuses.
"""

from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from api.auth import Sharer
from api.deps import PRIVATE, Body, parts_of, read_as
from api.schemas.bodies import takes
from api.schemas.gbt36906 import (
    ByHolderIn,
    ByIDIn,
    FileByHolderIn,
    FileByIDIn,
    NationalIn,
    NationalOut,
    QueryIn,
    VerifyCertificateIn,
)
from api.schemas.problems import problems
from certlib import facade
from certlib.facade import NationalAnswer, NationalRequest, answer_json, answered

ANSWERS: Final[dict[int | str, dict[str, Any]]] = problems(401, 403, 408, 413, 422, 429)

router = APIRouter(prefix="/gbt36906", tags=["gbt36906"])


def _said(model: type[NationalIn], body: bytes) -> NationalRequest:
    return NationalRequest(**read_as(model, body).model_dump())


def _answer(answer: NationalAnswer) -> Response:
    return JSONResponse(answer_json(answer), headers=PRIVATE)


@router.post(
    "/GetCertificateType",
    response_model=NationalOut,
    responses=ANSWERS,
    openapi_extra=takes(NationalIn),
    summary="类型清单: the licence types of this library",
)
def certificate_type(request: Request, _caller: Sharer, body: Body) -> Response:
    """One catalogue record for each type."""
    _said(NationalIn, body)
    return _answer(answered(lambda: facade.certificate_types(parts_of(request).lib)))


@router.post(
    "/Query",
    response_model=NationalOut,
    responses=ANSWERS,
    openapi_extra=takes(QueryIn),
    summary="证照检索: which licences a holder has",
)
def query(request: Request, caller: Sharer, body: Body) -> Response:
    """As POST /v1/holders/licences."""
    said = _said(QueryIn, body)
    return _answer(answered(lambda: facade.query(parts_of(request).lib, caller, said)))


@router.post(
    "/GetCertificateDataByCertificateID",
    response_model=NationalOut,
    responses=ANSWERS,
    openapi_extra=takes(ByIDIn),
    summary="The granted values of one licence",
)
def data_by_id(request: Request, caller: Sharer, body: Body) -> Response:
    """As POST /v1/uses and its data, in one call."""
    said = _said(ByIDIn, body)
    return _answer(answered(lambda: facade.data_by_id(parts_of(request).lib, caller, said)))


@router.post(
    "/GetCertificateDataByHolder",
    response_model=NationalOut,
    responses=ANSWERS,
    openapi_extra=takes(ByHolderIn),
    summary="The same by type, number and holder",
)
def data_by_holder(request: Request, caller: Sharer, body: Body) -> Response:
    """As POST /v1/uses and its data, in one call."""
    said = _said(ByHolderIn, body)
    return _answer(answered(lambda: facade.data_by_holder(parts_of(request).lib, caller, said)))


@router.post(
    "/GetCertificateFileByCertificateID",
    response_model=NationalOut,
    responses=ANSWERS,
    openapi_extra=takes(FileByIDIn),
    summary="A one-time link to a purpose-bound copy of one licence",
)
def file_by_id(request: Request, caller: Sharer, body: Body) -> Response:
    """As POST /v1/uses and its file, in one call."""
    said = _said(FileByIDIn, body)
    return _answer(answered(lambda: facade.file_by_id(parts_of(request).lib, caller, said)))


@router.post(
    "/GetCertificateFileByHolder",
    response_model=NationalOut,
    responses=ANSWERS,
    openapi_extra=takes(FileByHolderIn),
    summary="The same by type, number and holder",
)
def file_by_holder(request: Request, caller: Sharer, body: Body) -> Response:
    """As POST /v1/uses and its file, in one call."""
    said = _said(FileByHolderIn, body)
    return _answer(answered(lambda: facade.file_by_holder(parts_of(request).lib, caller, said)))


@router.post(
    "/VerifyCertificate",
    response_model=NationalOut,
    responses=ANSWERS,
    openapi_extra=takes(VerifyCertificateIn),
    summary="查验: compare given values; a result, never a value",
)
def verify_certificate(request: Request, caller: Sharer, body: Body) -> Response:
    """As POST /v1/checks."""
    said = _said(VerifyCertificateIn, body)
    return _answer(answered(lambda: facade.verify_certificate(parts_of(request).lib, caller, said)))
