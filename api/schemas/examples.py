"""One whole example for each request body, and for the parameters that matter: the description shows them.

`tests/http/test_examples.py` sends every one of them. Persons, companies and numbers are samples of no real region.
"""

from typing import Any, Final

from pydantic import BaseModel

from api.schemas import (
    catalogue,
    checks,
    figures,
    gbt36906,
    licences,
    lifecycle,
    my,
    questions,
    receipts,
    tickets,
    uses,
    verdicts,
)

IDENTIFIER: Final = "1.2.156.3005.2.11990000MB90000070001.11990200MB90000230.20261120SGHGEA45JDVB.001.P"
ELSEWHERE: Final = "1.2.156.3005.2.11990000MB90000070001.11990300MB9000054B.20260901K3VQW0ZD71TR.001.B"
"""A licence that another library holds."""
PUBLIC_CODE: Final = "63FDN-R4B90-5K75G-H0M65-0XTKDE"
USE_CODE: Final = "5f0c2e9a7b41d86330e1fa94c7"
TICKET: Final = "c1d80f64a29e3b75508e7741af"
ORDER: Final = "8b3e60d1f7a24c95e02bd4786a"
DELEGATION: Final = "2a97c4be05f83d6111ce90f7d4"
COMPANY: Final = "91990200MA7EXAM18U"
COMPANY_NAME: Final = "甬江样本茶叶贸易有限公司"
PERSON: Final = "990101199003070023"
AGENT: Final = "990303198908218538"
CHILD: Final = "990101202602140024"
LOOK: Final = 4711
END: Final = "2027-06-30T00:00:00+08:00"
SHOWN: Final = "7KQ2-9XHM-4RTV"
RECEIPT: Final = "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiI1ZjBjMmU5YSJ9.c2FtcGxlLXNpZ25hdHVyZQ"
CLIENT_ID: Final = "b7d3f09c5e"
CLIENT_SECRET: Final = "kept-in-your-vault"  # noqa: S105  # a stand-in
AGENCY: Final = "RAINPORT"
"""Who asks."""
ISSUER: Final = "11990200MB90000230"
MATTER: Final = "330200-0107"
_PURPOSE: Final = "Application for a food permit"
_CASE: Final = "2026-000117"
_CLERK: Final = "Li Min"
_MAKER, _CHECKER = "Wang Lei", "Zhao Jing"
_ASKING: Final = {"matter_code": MATTER, "case_number": _CASE, "purpose": _PURPOSE, "operator": _CLERK}
_USE_FOR: Final = {"UseFor": gbt36906.USE_FOR}
_NATIONAL_TYPE: Final = {"CertificateType": "11990000MB90000070001"}
_BY_ID: Final = {"CertificateID": IDENTIFIER, "CertificateHolderCode": COMPANY, **_USE_FOR}
_BY_HOLDER: Final = {**_NATIONAL_TYPE, "CertificateNumber": COMPANY, "CertificateHolderCode": COMPANY, **_USE_FOR}
_ADVERSE: Final = {"operation": "revoke", "operator": _MAKER, "document_number": "样市监〔2026〕12号"}
_ITEM: Final = {"field": "practice_scope", "wrong": "针灸 was struck out", "right": "中医内科；推拿康复"}

BODIES: Final[dict[type[BaseModel], dict[str, Any]]] = {
    verdicts.VerifyIn: {"text": PUBLIC_CODE},
    licences.IssueIn: {
        "type": "business-licence",
        "number": COMPANY,
        "holders": [{"name": COMPANY_NAME, "code": COMPANY, "code_type": "001"}],
        "issued_on": "2026-11-20",
        "effective_on": "2026-11-18",
        "expires_on": None,
        "fields": {
            "company_type": "有限责任公司（自然人投资或控股）",
            "legal_representative": "林样知",
            "registered_capital": "1680000.00",
            "established_on": "2026-11-18",
            "registration_authority": "样本市江湾区市场监督管理局",
            "address": "样本市江湾区望湖街道听潮路168号3幢2单元201室",
            "business_scope": "一般项目：茶具销售；会议及展览服务。",
        },
        "operator": _MAKER,
        "request_id": "order-4711",
    },
    lifecycle.ChangeIn: {
        **_ADVERSE,
        "operation": "suspend",
        "reason": "检查不合格，停业整顿",
        "effective_at": None,
    },
    lifecycle.DecisionIn: {"operator": _CHECKER, "approve": True},
    lifecycle.BulkIn: {
        **_ADVERSE,
        "reason": "The signing key was withdrawn",
        "filter": {"type": "business-licence", "since": "2026-11-01T00:00:00+08:00"},
        "dry_run": False,
    },
    lifecycle.BulkDecisionIn: {"operator": _CHECKER, "total": 1, "approve": True},
    checks.ComparisonIn: {
        "type": "business-licence",
        "given": {"number": COMPANY, "holder_name": COMPANY_NAME, "registered_capital": "1680000"},
        **_ASKING,
    },
    checks.BulkComparisonIn: {
        "type": "business-licence",
        "csv": f"row-id,number,holder_name\n1,{COMPANY},{COMPANY_NAME}\n",
        **_ASKING,
    },
    checks.HolderIn: {"code": COMPANY, "code_type": "001", **_ASKING},
    checks.HolderListIn: {"code": COMPANY, "code_type": "001", "type": "business-licence", **_ASKING},
    questions.QuestionIn: {
        "type": "business-licence",
        "question": "is_valid_on",
        "parameters": {"date": "2026-11-22"},
        "holder_code": COMPANY,
        **_ASKING,
    },
    uses.UseIn: {
        "types": ["business-licence"],
        "interfaces": ["data", "file"],
        "holder_code": COMPANY,
        "fields": {"business-licence": ["number", "holder_name", "address"]},
        **_ASKING,
    },
    receipts.VerificationIn: {"text": PUBLIC_CODE, **_ASKING},
    receipts.ReceiptIn: {"receipt": RECEIPT},
    my.SessionIn: {"code": PERSON, "code_type": "111", "how": "identity card seen", "operator": "Counter 3"},
    my.HolderDecisionIn: {"approve": True},
    my.CodeIn: {
        "kind": "consent",
        "agency": AGENCY,
        "types": {"practitioner-licence": ["number", "holder_name"]},
    },
    my.ShownIn: {"code": SHOWN},
    my.DelegationIn: {
        "delegate": {"code": AGENT, "code_type": "111", "name": "周样明"},
        "acts": ["see", "show"],
        "types": ["practitioner-licence"],
        "ends_at": END,
        "basis": "Power of attorney of 20 November 2026",
    },
    my.AgencyDelegationIn: {
        "kind": "guardian",
        "principal": {"code": CHILD, "code_type": "111", "name": "沈样晴"},
        "delegate": {"code": PERSON, "code_type": "111", "name": "沈样宁"},
        "acts": ["see", "show", "consent", "report"],
        "ends_at": END,
        "basis": "Birth certificate Z990000318 seen",
        "operator": "Counter 3",
    },
    my.EndIn: {"operator": "Counter 3"},
    tickets.ObjectionIn: {"look": LOOK, "reason": "I did not apply there."},
    tickets.OwnErrorIn: {
        "identifier": IDENTIFIER,
        "items": [_ITEM],
        "remark": "Please look at my application of 3 November.",
        "contact": "138 0000 0000",
    },
    tickets.MyWordsIn: {"text": "The copy of my application is at the counter in Jiangwan."},
    tickets.TicketIn: {
        "kind": "wrong",
        "licence": PUBLIC_CODE,
        "items": [_ITEM],
        "remark": "The applicant showed the decision on paper.",
        "contact": "permit-desk@rainport.example",
        "operator": _CLERK,
        "matter_code": MATTER,
        "case_number": _CASE,
    },
    tickets.AnswerIn: {"operator": _CLERK, "outcome": "justified", "text": "Licensing Act, section 12 (3)."},
    tickets.StepIn: {"action": "take", "operator": _MAKER},
    tickets.CorrectionIn: {
        "operator": _MAKER,
        "text": "As applied for.",
        "new": {"fields": {"practice_scope": _ITEM["right"]}},
    },
    figures.RatingIn: {"operator": _CLERK, "score": 2, "text": "The copy came after a minute only."},
    figures.MyRatingIn: {"use_code": USE_CODE, "score": 5},
    figures.PaperIn: {
        "operator": _CLERK,
        "type": "business-licence",
        "matter_code": MATTER,
        "reason": "archive_demands_paper",
    },
    figures.MyPaperIn: {
        "agency": AGENCY,
        "type": "practitioner-licence",
        "matter_code": MATTER,
        "reason": "not_trusted",
    },
    catalogue.ForwardIn: {"identifier": ELSEWHERE, "given": {"number": "91990300MA00000015"}, **_ASKING},
    gbt36906.NationalIn: {},
    gbt36906.QueryIn: {
        "CertificateHolderCode": COMPANY,
        "CertificateHolderCodeType": "001",
        **_NATIONAL_TYPE,
        **_USE_FOR,
    },
    gbt36906.ByIDIn: {**_BY_ID},
    gbt36906.ByHolderIn: {**_BY_HOLDER},
    gbt36906.FileByIDIn: {**_BY_ID, "FileFormat": "pdf"},
    gbt36906.FileByHolderIn: {**_BY_HOLDER, "FileFormat": "pdf"},
    gbt36906.VerifyCertificateIn: {
        **_NATIONAL_TYPE,
        "CertificateData": {
            "certificateType": _NATIONAL_TYPE["CertificateType"],
            "certificateNumber": COMPANY,
            "certificateHolder": COMPANY_NAME,
        },
        **_USE_FOR,
    },
}
"""By the shape of the body. What `STAND_INS` holds stands for what is real."""
TOKEN_FORM: Final = {
    "grant_type": "client_credentials",
    "scope": "share verify",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
}
STAND_INS: Final = frozenset(
    {IDENTIFIER, ELSEWHERE, PUBLIC_CODE, USE_CODE, TICKET, ORDER, DELEGATION, LOOK, END, SHOWN, RECEIPT}
    | {CLIENT_ID, CLIENT_SECRET}
)
"""What only a library can give, or the calendar: whoever tries an example puts the real one in its place."""
PARAMETERS: Final[dict[tuple[str, str], str | int]] = {
    ("/v1/verify/", "key"): PUBLIC_CODE,
    ("/s/", "number"): "0",
    ("/v1/licences/", "identifier"): IDENTIFIER,
    ("/v1/my/licences/", "identifier"): IDENTIFIER,
    ("/v1/", "idempotency-key"): "order-4711",
    ("/v1/changes/", "change_id"): ORDER,
    ("/v1/bulk/", "act_id"): ORDER,
    ("/v1/types/", "code"): "business-licence",
    ("/v1/uses/", "code"): USE_CODE,
    ("/v1/files/", "secret"): "Zc8kU2mB0xQh1oVtP7yR4sWnE6aJdLgF",
    ("/v1/holders/", "handle"): "d2hvLWFza3MtYW5kLWZvci13aGF0",
    ("/v1/holders/", "type"): "business-licence",
    ("/v1/my/requests/", "use_code"): USE_CODE,
    ("/v1/my/codes/", "code_id"): "e49a1c07",
    ("/v1/my/delegations/", "delegation_id"): DELEGATION,
    ("/v1/holder-delegations/", "delegation_id"): DELEGATION,
    ("/v1/tickets/", "code"): TICKET,
    ("/v1/my/tickets/", "code"): TICKET,
    ("/v1/statistics", "from"): "2026-11-01",
    ("/v1/statistics", "to"): "2026-11-22",
    ("/v1/statistics", "type"): "business-licence",
    ("/v1/statistics", "agency"): ISSUER,
    ("/v1/catalogue/", "matter_code"): MATTER,
    ("/v1/catalogue/licences", "identifier"): IDENTIFIER,
    ("/v1/catalogue/licences", "type"): "business-licence",
}
"""By the beginning of the path and the parameter's name."""


def parameter_example(path: str, name: str) -> str | int | None:
    """The example of a parameter of this path, or None."""
    known = [(start, value) for (start, each), value in PARAMETERS.items() if each == name and path.startswith(start)]
    return max(known, key=lambda each: len(each[0]))[1] if known else None
