"""Looks, reports and tickets for tests."""

from certlib.grants import Interface
from certlib.library import Library
from certlib.model import Licence
from certlib.sharing.admission import admit, settle
from certlib.store import looks
from certlib.store.ticketing import Ticket, TicketItem
from certlib.tickets.objections import object_to
from certlib.tickets.reporting_errors import Clerk, ErrorReport, report_own
from tests.support.holders import MOTHER, me_of
from tests.support.libraries import CITY
from tests.support.sharing import asker, asking, granted

TYPE = "practitioner-licence"
CLERK = Clerk(agency_code=CITY.code, operator="Li Min", matter_code="330200-0107", case_number="2026-000117")
SCOPE = TicketItem(field="practice_scope", wrong="针灸 was struck out", right="中医内科；推拿康复")
REPORT = ErrorReport(items=(SCOPE,), remark="Please look at my application", contact="138 0000 0000")
WORDS = ("struck out", "推拿", "my application", "138 0000")
"""What REPORT says, none of which may lie open anywhere."""


def look_at(lib: Library, licence: Licence, *, reference: str = "", found: bool = True, holder: str = MOTHER[0]) -> int:
    """Let the city look at a licence under a grant; the id of the ledger's row."""
    if not looks.looks_of_licence(lib.store, licence.identifier):
        granted(lib, type_code=licence.type_code, fields=("number", "holder_name"))
    admission = admit(
        lib, asker(), asking(), interface=Interface.CHECK, type_code=licence.type_code, fields=("number",)
    )
    row = admission.look(
        outcome="match" if found else "nothing_found",
        identifier=licence.identifier if found else "",
        holder_code=holder,
        reference=reference,
    )
    settle(lib, admission, [row])
    return looks.looks_of_holder(lib.store, holder, limit=1)[0].id


def objection(lib: Library, licence: Licence) -> Ticket:
    """An objection of the mother to a look of the city."""
    return object_to(lib, me_of(lib), look_id=look_at(lib, licence), reason="I never applied there")


def reported(lib: Library, licence: Licence) -> Ticket:
    """The mother's report that the scope of her licence is wrong."""
    return report_own(lib, me_of(lib), licence.identifier, REPORT)
