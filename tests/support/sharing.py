"""Grants, callers and askings for tests of sharing."""

from datetime import UTC, datetime

from certlib.callers import AgencyCaller
from certlib.grants import BASE_FIELDS, Asking, Basis, Grant, Interface
from certlib.identifiers import AgencyCode
from certlib.library import Library
from certlib.receipting import new_receipt_id
from certlib.store import granting
from tests.support.libraries import CITY

MATTER = "330200-0107"
COMPANY_FIELDS = (
    *BASE_FIELDS,
    "company_type",
    "legal_representative",
    "registered_capital",
    "address",
    "business_scope",
)


def granted(lib: Library, **changes: object) -> Grant:
    """A grant of the city for business licences, all interfaces, statutory, kept in the library."""
    parts: dict[str, object] = {
        "id": new_receipt_id(),
        "agency_code": CITY.code,
        "type_code": "business-licence",
        "fields": COMPANY_FIELDS,
        "interfaces": frozenset(Interface),
        "matters": frozenset({MATTER}),
        "basis": Basis.STATUTORY,
        "clause": "Licensing Act, section 12 (3)",
        "daily_cap": 1000,
        "networks": (),
        "valid_from": datetime(2026, 1, 1, tzinfo=UTC),
        "valid_until": None,
        "granted_by": "tests",
        "granted_at": lib.now(),
    }
    grant = Grant(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading
    granting.add_grant(lib.store, grant)
    return grant


def asker(code: str = CITY.code, **changes: object) -> AgencyCaller:
    """A system of the city that may ask."""
    parts: dict[str, object] = {
        "agency_code": AgencyCode(code),
        "scopes": frozenset({"share", "verify"}),
        "client_id": "c1",
        "address": "127.0.0.1",
    }
    return AgencyCaller(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading


def asking(**changes: str) -> Asking:
    """A lawful asking."""
    parts = {
        "matter_code": MATTER,
        "case_number": "2026-000117",
        "purpose": "Application for a food permit",
        "operator": "Li Min",
    }
    return Asking(**{**parts, **changes})
