"""Makers of lawful values: requests, intents, made licences. What a test does not care about has a default."""

import hashlib
import os
from collections.abc import Mapping
from datetime import UTC, date, datetime

from certlib.identifiers import GBT36904_ROOT, AgencyCode
from certlib.model import Agency, Holder, IdentifierScheme, IssueRequest, Licence, Sha256
from certlib.store import agencies, recording, reserving
from certlib.store.engine import Store
from certlib.store.values import Intent, MadeLicence, Reserved

AGENCY_CODE = AgencyCode("11430000006122244L")
OTHER_AGENCY_CODE = AgencyCode("11100000000013338W")
TYPE_CODE = "business-licence"
TYPE_SEGMENT = "11100000000013338W011"
TYPE_DIGEST = Sha256(hashlib.sha256(b"folder").hexdigest())
HOLDER_CODE = "91110000600037341L"
"""The example of stdnum.cn.uscc; nobody's."""
NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def make_agency(code: AgencyCode = AGENCY_CODE, name: str = "样本市市场监督管理局") -> Agency:
    return Agency(code=code, name=name, name_en="Sample City Bureau", timezone="Asia/Shanghai", area_code="430000")


def register(store: Store, *, code: AgencyCode = AGENCY_CODE) -> None:
    """Take an agency and the type into `store`."""
    agencies.add_agency(store, make_agency(code), operator="tests", now=NOW)
    agencies.register_type(
        store, code=TYPE_CODE, version=1, digest=TYPE_DIGEST, type_toml="code = 1", operator="tests", now=NOW
    )


def make_holder(name: str = "样本有限公司", code: str = HOLDER_CODE, code_type: str = "001") -> Holder:
    return Holder(name=name, code=code, code_type=code_type)


def make_request(  # noqa: PLR0913  # each part of a request may matter to a test
    number: str = "N1",
    *,
    agency_code: AgencyCode = AGENCY_CODE,
    holders: tuple[Holder, ...] | None = None,
    issued_on: date = date(2026, 11, 22),
    effective_on: date = date(2026, 11, 22),
    expires_on: date | None = date(2031, 11, 21),
    fields: Mapping[str, str] | None = None,
    images: Mapping[str, bytes] | None = None,
    request_id: str = "",
    batch: str = "",
    version: int = 1,
    previous_identifier: str = "",
) -> IssueRequest:
    return IssueRequest(
        agency_code=agency_code,
        type_code=TYPE_CODE,
        number=number,
        holders=holders if holders is not None else (make_holder(),),
        issued_on=issued_on,
        effective_on=effective_on,
        expires_on=expires_on,
        fields=fields if fields is not None else {"scope": "软件开发；图书销售。", "capital": "1000000.00"},
        images=images if images is not None else {},
        area_code="430000",
        request_id=request_id,
        batch=batch,
        operator="clerk-7",
        version=version,
        previous_identifier=previous_identifier,
    )


def make_intent(request: IssueRequest | None = None, *, type_version: int = 1, digest: Sha256 = TYPE_DIGEST) -> Intent:
    request = request or make_request()
    return Intent(
        request=request,
        type_version=type_version,
        type_digest=digest,
        identifier_scheme=IdentifierScheme.GBT36904,
        identifier_root=GBT36904_ROOT,
        type_segment=TYPE_SEGMENT,
        agency_segment=request.agency_code,
    )


def make_made(reserved: Reserved, *, pdf: bytes | None = None) -> MadeLicence:
    """As if rendered and sealed: the store does not look into the bytes, which are random unless given."""
    pdf = pdf if pdf is not None else b"%PDF-1.7 " + os.urandom(2000)
    return MadeLicence(
        reserved=reserved,
        pdf=pdf,
        pdf_sha256=Sha256(hashlib.sha256(pdf).hexdigest()),
        token=f"http://127.0.0.1:8080/q#{int.from_bytes(os.urandom(200))}",
        token_kid="00112233aabbccdd",  # noqa: S106  # a key id
        seal_kid="ffeeddcc33221100",
        check_phrase="lusab-babad",
        pdf_name=f"{reserved.intent.request.number}.pdf",
        agency_name="样本市市场监督管理局",
        timezone="Asia/Shanghai",
        public_json=b'{"type":"business-licence"}',
    )


def reserve_one(store: Store, request: IssueRequest | None = None, *, now: datetime = NOW) -> Reserved:
    """A reservation that is expected to succeed."""
    (outcome,) = reserving.reserve(store, [make_intent(request)], now=now)
    assert isinstance(outcome, Reserved), outcome
    return outcome


def issue_one(store: Store, request: IssueRequest | None = None, *, now: datetime = NOW) -> Licence:
    """A recorded licence."""
    (licence,) = recording.record(store, [make_made(reserve_one(store, request, now=now))], now=now)
    return licence
