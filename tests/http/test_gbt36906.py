"""The national-interface facade: response codes and results of comparing as tables; nothing without a grant."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.schemas.gbt36906 import USE_FOR, NationalOut
from certlib.grants import Basis, Interface
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Licence, Status
from certlib.store import audits, looks, statuses
from signing.pades import verify_seal
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.sharing import MATTER, granted

TYPE = "11990000MB90000070001"
NUMBER = "91990200MA7EXAM18U"
OTHER = "91990200MA1000007E"
"""A code that is lawful, and that nobody here has."""
NAME = "甬江样本茶叶贸易有限公司"
ASKED = {"UseFor": USE_FOR | {"certificateEventCode": MATTER}}
BY_HOLDER = {"CertificateType": TYPE, "CertificateNumber": NUMBER, "CertificateHolderCode": NUMBER, **ASKED}
CALLS = (
    "Query",
    "GetCertificateDataByCertificateID",
    "GetCertificateDataByHolder",
    "GetCertificateFileByCertificateID",
    "GetCertificateFileByHolder",
    "VerifyCertificate",
)
Call = Callable[..., dict[str, Any]]


@pytest.fixture
def call(web: TestClient, bearer: Callable[..., dict[str, str]]) -> Call:
    """The head's status and the data of a call by the city."""

    def make(name: str, body: object, *, agency: str = CITY.code) -> dict[str, Any]:
        answer = web.post(f"/gbt36906/{name}", json=body, headers=bearer(agency, scopes=("share",)))
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "private, no-store"
        NationalOut.model_validate(answer.json(), strict=True)
        return {"code": answer.json()["head"]["status"], **answer.json()}

    return make


def moved(lib: Library, licence: Licence, to: Status) -> None:
    """Change the status."""
    at = lib.now()
    statuses.change_status(
        lib.store, licence.identifier, to=to, reason="r", document_number="d", operator="o", effective_at=at, now=at
    )


def whole(licence: Licence) -> dict[str, dict[str, Any]]:
    """A lawful body for each call."""
    by_id = {"CertificateID": str(licence.identifier), **ASKED}
    items = {"certificateType": TYPE, "certificateNumber": NUMBER, "certificateHolder": NAME}
    return {
        "Query": {"CertificateHolderCode": NUMBER, **ASKED},
        "GetCertificateDataByCertificateID": dict(by_id),
        "GetCertificateDataByHolder": dict(BY_HOLDER),
        "GetCertificateFileByCertificateID": dict(by_id),
        "GetCertificateFileByHolder": dict(BY_HOLDER),
        "VerifyCertificate": {"CertificateData": items, **ASKED},
    }


def test_types_are_the_catalogue(call: Call) -> None:
    answer = call("GetCertificateType", {})
    record = next(each for each in answer["data"] if each["CertificateTypeCode"] == TYPE)
    assert answer["code"] == 0
    assert record == {
        "CertificateTypeName": "营业执照",
        "CertificateTypeCode": TYPE,
        "CertificateDefineAuthorityCode": TYPE[:18],
        "CertificateHolderCategory": "2",
        "ValidityRange": record["ValidityRange"],
        "TypeCodeInLibrary": "business-licence",
    }
    assert "长期" in record["ValidityRange"]


def test_what_is_granted_is_given_by_national_names(call: Call, sqlite_library: Library, licence: Licence) -> None:
    granted(sqlite_library)
    bodies = whole(licence)
    (hit,) = call("Query", bodies["Query"])["data"]
    assert hit == {
        "certificateID": licence.identifier,
        "certificateType": TYPE,
        "certificateTypeName": "营业执照",
        "certificateNumber": NUMBER,
        "certificateAreaCode": licence.area_code,
        "certificateState": 0,
    }
    for name in ("GetCertificateDataByCertificateID", "GetCertificateDataByHolder"):
        answer = call(name, bodies[name])
        data = answer["data"]
        assert (answer["code"], data["certificateState"]) == (0, 0)
        wanted = {
            "certificateID": licence.identifier,
            "certificateName": "营业执照",
            "certificateHolder": NAME,
            "certificateHolderCode": NUMBER,
            "issueDept": MARKET_BUREAU.name,
            "issueDeptCode": MARKET_BUREAU.code,
            "issueDate": "20261120",
            "certificateValidateEnd": "长期",
            "KZ_LEGAL_REPRESENTATIVE": "林样知",
        }
        assert {key: data[key] for key in wanted} == wanted
        assert "KZ_ESTABLISHED_ON" not in data
    assert {
        (look.kind, look.purpose, look.operator) for look in looks.looks_of_holder(sqlite_library.store, NUMBER)
    } == {(kind, "Food permit：Application for a food permit", "Li Min") for kind in ("list", "data")}
    check_invariants(sqlite_library.store)


def test_a_file_is_a_one_time_link_to_a_copy(
    call: Call, web: TestClient, sqlite_library: Library, licence: Licence
) -> None:
    granted(sqlite_library)
    for name in ("GetCertificateFileByCertificateID", "GetCertificateFileByHolder"):
        answer = call(name, whole(licence)[name])
        assert (answer["code"], answer["data"]["fileFormat"]) == (0, "pdf")
        path = answer["data"]["fileUrl"].removeprefix(sqlite_library.settings.base_url)
        pdf = web.get(path)
        assert verify_seal(
            pdf.content, roots_der=(sqlite_library.root_certificate_der,), now=sqlite_library.now(), tsa_roots_der=()
        )
        assert web.get(path).status_code == 410
        assert call(name, {**whole(licence)[name], "FileFormat": "ofd"})["code"] == 2


@pytest.mark.parametrize("name", CALLS)
def test_without_a_grant_nothing_is_said(call: Call, sqlite_library: Library, licence: Licence, name: str) -> None:
    body = whole(licence)[name]
    none = call(name, body)
    assert (none["code"], none["data"]) == (11, None)
    nobody = {**body, "CertificateHolderCode": OTHER, "CertificateNumber": OTHER}
    if "CertificateID" in body:
        parts = licence.identifier.split(".")
        nobody["CertificateID"] = ".".join([*parts[:-3], "20260101ABCDEF", *parts[-2:]])
    if "CertificateData" in body:
        nobody["CertificateData"] = {**body["CertificateData"], "certificateNumber": OTHER}
    assert call(name, nobody)["head"] == none["head"]
    granted(sqlite_library, networks=("10.0.0.0/8",))
    assert call(name, body)["head"] == {"status": 11, "message": "身份验证不通过: network_not_granted"}
    granted(sqlite_library, interfaces=frozenset({Interface.QUESTION}))
    assert call(name, body)["code"] == 11
    text = str([each.detail for each in audits.read_chain(sqlite_library.store) if each.act == "share.refused"])
    assert NAME not in text
    assert looks.looks_of_licence(sqlite_library.store, licence.identifier) == ()


NO_PURPOSES: tuple[object, ...] = (
    *("", "{}", "not JSON", "[]", "{" * 5000, {}, {"certificateSystemName": "x"}),
    *({**USE_FOR, "certificateEventCode": ""}, {**USE_FOR, "certificateCallCategory": "2"}),
    *({**USE_FOR, "certificateCopyCause": {"a": 1}}, {**USE_FOR, "certificateMatterName": " "}),
)


@pytest.mark.parametrize("name", CALLS)
def test_without_its_purpose_no_call_is_answered(
    call: Call, sqlite_library: Library, licence: Licence, name: str
) -> None:
    granted(sqlite_library)
    body = whole(licence)[name]
    for use_for in NO_PURPOSES:
        answer = call(name, {**body, "UseFor": use_for})
        assert (answer["code"], answer["data"]) == (12, None), use_for
    del body["UseFor"]
    assert call(name, body)["code"] == 12
    assert call(name, {**body, "UseFor": json.dumps(ASKED["UseFor"])})["code"] == 0


NEEDED = {
    "Query": ("CertificateHolderCode",),
    "GetCertificateDataByCertificateID": ("CertificateID",),
    "GetCertificateFileByCertificateID": ("CertificateID",),
    "GetCertificateDataByHolder": ("CertificateType", "CertificateNumber", "CertificateHolderCode"),
    "GetCertificateFileByHolder": ("CertificateType", "CertificateNumber", "CertificateHolderCode"),
}


def test_what_must_be_given_is_named(call: Call, sqlite_library: Library, licence: Licence) -> None:
    granted(sqlite_library)
    for name, missing in ((name, each) for name, members in NEEDED.items() for each in members):
        body = whole(licence)[name]
        for empty in ({**body, missing: ""}, {key: value for key, value in body.items() if key != missing}):
            assert call(name, empty)["head"] == {"status": 12, "message": f"必填参数为空: {missing}"}


NOT_THERE: tuple[tuple[str, dict[str, str], int], ...] = (
    ("Query", {"CertificateType": "0" * 21}, 13),
    ("Query", {"CertificateHolderCode": OTHER}, 10),
    ("Query", {"CertificateHolderCode": "E1234567"}, 14),
    ("Query", {"CertificateHolderCode": "E1234567", "CertificateHolderCodeType": "414"}, 10),
    ("Query", {"CertificateHolderCodeType": "000"}, 14),
    ("Query", {"CertificateHolderCodeType": "111"}, 99),
    ("Query", {"CertificateHolderCode": "\x00"}, 99),
    ("GetCertificateDataByCertificateID", {"CertificateID": "x"}, 10),
    ("GetCertificateDataByCertificateID", {"CertificateID": "1.2.3.0.0.0.0.0"}, 13),
    ("GetCertificateDataByCertificateID", {"CertificateID": f"1.2.156.3005.2.{TYPE}.A.B.001.X"}, 10),
    ("GetCertificateDataByHolder", {"CertificateType": "fishing"}, 13),
    ("GetCertificateDataByHolder", {"CertificateNumber": OTHER}, 10),
    ("GetCertificateDataByHolder", {"CertificateHolderCode": OTHER}, 10),
    ("GetCertificateDataByHolder", {"CertificateNumber": "a\x00"}, 99),
    ("GetCertificateFileByHolder", {"CertificateNumber": OTHER}, 10),
    ("GetCertificateFileByCertificateID", {"CertificateID": f"1.2.156.3005.2.{TYPE}.A.B.001.X"}, 10),
)


def test_what_is_not_there_has_its_code(call: Call, sqlite_library: Library, licence: Licence) -> None:
    granted(sqlite_library)
    for name, changes, code in NOT_THERE:
        answer = call(name, {**whole(licence)[name], **changes})
        assert (answer["code"], answer["data"]) == (code, None), (name, changes)


def test_the_state_of_a_licence_has_its_code(call: Call, sqlite_library: Library, clock: Clock) -> None:
    granted(sqlite_library)
    states = []
    ended = issue(sqlite_library, company_request(expires_on=date(2026, 12, 31))).licence
    bodies = whole(ended)

    def both() -> tuple[int, int, int]:
        verified = call("VerifyCertificate", bodies["VerifyCertificate"])["data"]["result"]
        codes = [call(each, bodies[each]) for each in CALLS[1:5]]
        assert len({each["code"] for each in codes}) == 1
        links = [each["data"].get("fileUrl") for each in codes[2:]]
        assert all(links) is (codes[0]["code"] == 0)
        (hit,) = call("Query", bodies["Query"])["data"]
        return codes[0]["code"], verified, hit["certificateState"]

    states.append(both())
    moved(sqlite_library, ended, Status.SUSPENDED)
    states.append(both())
    moved(sqlite_library, ended, Status.ACTIVE)
    clock.move(days=60)
    states.append(both())
    moved(sqlite_library, ended, Status.REVOKED)
    states.append(both())
    assert states == [(0, 0, 0), (23, 2, 23), (22, 3, 22), (21, 3, 21)]


def test_a_licence_of_tomorrow_is_restricted(call: Call, sqlite_library: Library) -> None:
    granted(sqlite_library)
    licence = issue(sqlite_library, company_request(effective_on=date(2030, 1, 1))).licence
    bodies = whole(licence)
    assert call("GetCertificateDataByHolder", bodies["GetCertificateDataByHolder"])["code"] == 23
    assert call("VerifyCertificate", bodies["VerifyCertificate"])["data"]["result"] == 1


COMPARED: tuple[tuple[object, int, int | None], ...] = (
    ({}, 0, 6),
    ("", 0, 6),
    ("{}", 0, 6),
    ("no JSON", 24, None),
    ("[]", 24, None),
    ({"certificateNumber": {"a": 1}}, 24, None),
    ({"certificateType": TYPE}, 12, None),
    ({"certificateNumber": NUMBER}, 12, None),
    ({"certificateType": "0" * 21, "certificateNumber": NUMBER}, 13, None),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "certificateHolderType": "111"}, 14, None),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "KZ_NO_SUCH": "x"}, 24, None),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "KZ_ESTABLISHED_ON": "20261118"}, 11, None),
    ({"certificateType": TYPE, "certificateNumber": OTHER}, 0, 5),
    ({"certificateType": TYPE, "certificateNumber": NUMBER}, 0, 0),
    ({"certificateType": "business-licence", "certificateNumber": NUMBER}, 0, 0),
    ({"certificateTypeCode": TYPE, "certificateNumber": NUMBER, "certificateHolderType": "001"}, 0, 0),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "certificateHolder": NAME}, 0, 0),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "certificateHolder": "别的公司"}, 0, 7),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "issueDate": "20261120"}, 0, 0),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "issueDate": "2026-11-21"}, 0, 7),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "certificateValidateEnd": "长期"}, 0, 0),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "issueDept": MARKET_BUREAU.name}, 0, 0),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "issueDept": "别的局"}, 0, 7),
    (
        {
            "certificateType": TYPE,
            "certificateNumber": NUMBER,
            "issueDept": MARKET_BUREAU.name,
            "issueDeptCode": "X",
        },
        *(0, 7),
    ),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "certificateName": "营业执照"}, 0, 0),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "certificateName": "结婚证"}, 0, 7),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "KZ_REGISTERED_CAPITAL": "1680000"}, 0, 0),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "KZ_REGISTERED_CAPITAL": 168}, 0, 7),
    ({"certificateType": TYPE, "certificateNumber": NUMBER, "certificateTypeCode": "other"}, 24, None),
)


@pytest.mark.parametrize("part", range(2))
def test_results_of_a_comparison(call: Call, sqlite_library: Library, licence: Licence, part: int) -> None:
    granted(sqlite_library)
    assert licence
    for items, code, result in COMPARED[part::2]:
        answer = call("VerifyCertificate", {"CertificateData": items, **ASKED})
        assert (answer["code"], (answer["data"] or {}).get("result")) == (code, result), items
        as_text = items if isinstance(items, str) else json.dumps(items)
        assert call("VerifyCertificate", {"CertificateData": as_text, **ASKED})["code"] == code
        told = json.dumps(answer["head"]) + str((answer["data"] or {}).get("resultText"))
        assert not any(value in told for value in ("林样知", "1680000", NAME))


def test_with_consent_the_holder_decides(call: Call, sqlite_library: Library, licence: Licence) -> None:
    granted(sqlite_library, basis=Basis.CONSENT, clause="")
    body = {**whole(licence)["GetCertificateDataByHolder"], "RequestID": "case-7"}
    waiting = call("GetCertificateDataByHolder", body)
    assert (waiting["code"], list(waiting["data"])) == (11, ["useCode"])
    nobody = {**body, "CertificateHolderCode": OTHER, "RequestID": "case-8"}
    assert call("GetCertificateDataByHolder", nobody)["head"] == waiting["head"]
    from certlib.sharing.uses import decide  # noqa: PLC0415

    decide(sqlite_library, NUMBER, waiting["data"]["useCode"], approve=True, by="the holder")
    assert call("GetCertificateDataByHolder", body)["data"]["certificateNumber"] == NUMBER
    by_id = call("GetCertificateDataByCertificateID", whole(licence)["GetCertificateDataByCertificateID"])
    assert (by_id["code"], by_id["data"]) == (12, None)
    wrong = {**whole(licence)["GetCertificateDataByCertificateID"], "ConsentCode": "AAAA-AAAA"}
    assert call("GetCertificateDataByCertificateID", wrong)["code"] in (11, 99)


def test_who_is_not_known_or_asks_too_much_meets_http(
    web: TestClient, sqlite_library: Library, licence: Licence, bearer: Callable[..., dict[str, str]]
) -> None:
    granted(sqlite_library, daily_cap=1)
    body = whole(licence)["GetCertificateDataByHolder"]
    path = "/gbt36906/GetCertificateDataByHolder"
    assert web.post(path, json=body).status_code == 401
    assert web.post(path, json=body, headers=bearer(CITY.code, scopes=("issue",))).status_code == 403
    headers = bearer(CITY.code, scopes=("share",))
    assert web.post(path, json=body, headers=headers).status_code == 200
    assert web.post(path, json=body, headers=headers).json()["code"] == "daily_cap_reached"
    for odd in (b"", b"[]", b"{", b'{"CertificateType": 5}', b'{"UseFor": []}', b'{"UseFor": "a", "UseFor": "b"}'):
        assert web.post(path, content=odd, headers=headers).status_code == 422
    half = (
        b'{"CertificateData": {"certificateType": "%s", "certificateNumber": "1", "KZ_\\ud800": "x"}, "UseFor": %s}'
        % (*(TYPE.encode(), json.dumps(ASKED["UseFor"]).encode()),)
    )
    answer = web.post("/gbt36906/VerifyCertificate", content=half, headers=headers)
    assert (answer.status_code, answer.json()["head"]["status"]) == (200, 24)
    half = b'{"CertificateID": "\\ud800", "UseFor": %s}' % json.dumps(ASKED["UseFor"]).encode()
    answer = web.post("/gbt36906/GetCertificateDataByCertificateID", content=half, headers=headers)
    assert answer.status_code == 422
