"""Requests for uses, and holders who agree, for tests of sharing."""

from datetime import timedelta

from certlib.grants import Interface
from certlib.library import Library
from certlib.receipting import new_receipt_id
from certlib.sharing.uses import UseRequest
from certlib.store import consents, sessions
from certlib.store.consents import CodeKind, OneTimeCode
from certlib.store.engine import writing
from certlib.store.sessions import Session
from tests.support.libraries import CITY
from tests.support.sharing import COMPANY_FIELDS, asking

HOLDER = "91990200MA7EXAM18U"
STRANGER = "91990200MA10000078"
TYPE = "business-licence"
FIELDS = ("number", "holder_name", "address")


def use_request(**changes: object) -> UseRequest:
    """A lawful request for data and copies of a company's business licences, three fields of each."""
    parts: dict[str, object] = {
        "asking": asking(),
        "interfaces": (Interface.DATA, Interface.FILE),
        "types": (TYPE,),
        "holder_code": HOLDER,
        "fields": {TYPE: FIELDS},
    }
    return UseRequest(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading


def consent_code(lib: Library, **changes: object) -> str:
    """A holder's one-time code for the city, good for an hour."""
    code, now = consents.new_code(), lib.now()
    session = Session(
        id=new_receipt_id(),
        holder_code=HOLDER,
        code_type="001",
        how="at the counter",
        agency_code="",
        client_id="",
        operator="tests",
        created_at=now,
        expires_at=now + timedelta(hours=1),
    )
    parts: dict[str, object] = {
        "id": new_receipt_id(),
        "kind": CodeKind.CONSENT,
        "session_id": session.id,
        "delegation_id": "",
        "agency_code": CITY.code,
        "types": {TYPE: COMPANY_FIELDS},
        "licences": (),
        "created_at": now,
        "expires_at": now + timedelta(hours=1),
        "ended_at": None,
        "used_at": None,
        "used_by": "",
        "reference": "",
        "holder_code": HOLDER,
        "code_type": "001",
    }
    made = OneTimeCode(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading
    with writing(lib.store) as conn:
        sessions.put(lib.store, conn, session)
        consents.put_code(lib.store, conn, code, made, most_open=1000, now=now)
    return code
