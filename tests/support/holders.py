"""Holders for tests: a mother, her child, a stranger and a company; their licences, and how they log in."""

from datetime import date, timedelta
from pathlib import Path

from certlib.holding.delegating import Act, Delegation, DelegationKind, Party, Wanted, give, put_down
from certlib.holding.sessions import HolderCaller, holder_of, open_session
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Holder, IssueRequest, Licence
from tests.support.libraries import MARKET_BUREAU, company_request

MOTHER = ("990101199003070023", "111")
STRANGER = ("990303198908218538", "111")
CHILD = ("990101202602140024", "111")
COMPANY = ("91990200MA7EXAM18U", "001")
PHOTO = Path(__file__).resolve().parents[2] / "templates/practitioner-licence/v1/sample-photo.png"
SECRETS = (MOTHER[0], STRANGER[0], CHILD[0], "沈样宁", "沈样晴", "林样知")
"""Personal values that no audit record, log line or bearer may hold."""


def licence_of(lib: Library, who: tuple[str, str] = MOTHER, number: str = "YB-2026-000318") -> Licence:
    """A practitioner's licence of this person, issued."""
    request = IssueRequest(
        agency_code=MARKET_BUREAU.code,
        type_code="practitioner-licence",
        number=number,
        holders=(Holder(name="沈样宁", code=who[0], code_type=who[1]),),
        issued_on=date(2026, 11, 20),
        effective_on=date(2026, 11, 20),
        expires_on=date(2031, 11, 19),
        fields={"category": "中医", "practice_scope": "中医内科；针灸推拿康复"},
        images={"photo": PHOTO.read_bytes()},
        operator="tests",
    )
    return issue(lib, request).licence


def birth_of(lib: Library) -> Licence:
    """The child's birth certificate, issued; the mother's code is a sensitive field of it."""
    request = IssueRequest(
        agency_code=MARKET_BUREAU.code,
        type_code="birth-certificate",
        number="Z990000318",
        holders=(Holder(name="沈样晴", code=CHILD[0], code_type=CHILD[1]),),
        issued_on=date(2026, 2, 16),
        effective_on=date(2026, 2, 16),
        expires_on=None,
        fields={
            "sex": "女",
            "born_on": "2026-02-14",
            "born_at": "06:48",
            "gestation": "39+2",
            "birth_weight": "3280",
            "birth_length": "50",
            "birth_place": "样本市江湾区",
            "institution": "样本市妇幼保健院",
            "mother_name": "沈样宁",
            "mother_code": MOTHER[0],
        },
        operator="tests",
    )
    return issue(lib, request).licence


def company_of(lib: Library) -> Licence:
    """The company's business licence, issued."""
    return issue(lib, company_request(COMPANY[0])).licence


def logged_in(lib: Library, who: tuple[str, str] = MOTHER) -> str:
    """A bearer of this person."""
    return open_session(lib, code=who[0], code_type=who[1], how="identity card seen", operator="Counter 3").bearer


def me_of(lib: Library, who: tuple[str, str] = MOTHER, *, acting_for: str = "") -> HolderCaller:
    """This person, logged in."""
    return holder_of(lib, logged_in(lib, who), acting_for=acting_for, address="127.0.0.1")


def headers_of(lib: Library, who: tuple[str, str] = MOTHER, *, acting_for: str = "") -> dict[str, str]:
    """Headers of this person."""
    extra = {"Acting-For": acting_for} if acting_for else {}
    return {"Authorization": f"Bearer {logged_in(lib, who)}", **extra}


def guardian_of_child(lib: Library, **changes: object) -> Delegation:
    """The mother, put down as her child's guardian at the counter, for a year."""
    return put_down(
        lib,
        _wanted(lib, DelegationKind.GUARDIAN, MOTHER, **{"basis": "Birth certificate seen", **changes}),
        principal=Party(code=CHILD[0], code_type=CHILD[1]),
        operator="Counter 3",
    )


def officer_of_company(lib: Library, **changes: object) -> Delegation:
    """The mother, put down as an officer of the company."""
    return put_down(
        lib,
        _wanted(lib, DelegationKind.OFFICER, MOTHER, **{"basis": "Register entry 12", **changes}),
        principal=Party(code=COMPANY[0], code_type=COMPANY[1]),
        operator="Counter 3",
    )


def agent_of_mother(lib: Library, **changes: object) -> Delegation:
    """The stranger, made an agent by the mother."""
    return give(lib, me_of(lib), _wanted(lib, DelegationKind.AGENT, STRANGER, **changes))


def _wanted(lib: Library, standard: DelegationKind, to: tuple[str, str], **changes: object) -> Wanted:
    parts: dict[str, object] = {
        "kind": standard,
        "delegate": Party(code=to[0], code_type=to[1]),
        "acts": frozenset(Act),
        "ends_at": lib.now() + timedelta(days=365),
    }
    return Wanted(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading
