"""Licences, births and askings for tests of questions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from certlib.catalogue import LicenceType, parse_type
from certlib.grants import BASE_FIELDS
from certlib.identifiers import AgencyCode, LicenceIdentifier, PublicCode
from certlib.library import Library
from certlib.model import Holder, IssueRequest, Licence, Sha256, Status
from certlib.sharing.answers import Answer, Record, answer_of
from certlib.sharing.asking_questions import About, QuestionAnswer, ask
from certlib.sharing.parameters import asked
from tests.support.libraries import MARKET_BUREAU
from tests.support.sharing import asker, asking, granted

ROOT = Path(__file__).resolve().parents[2]
CHILD, MOTHER, FATHER = "990101201005173202", "990101198202091228", "990202198109180439"
STRANGER = "990202198911295727"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
QUESTIONS = ("is_valid_on", "holder_is", "holder_age_at_least", "scope_includes", "capital_at_least")
PEOPLE = (*BASE_FIELDS, *(f"question:{each}" for each in QUESTIONS), "question:legal_representative_is")


def shipped(code: str) -> LicenceType:
    """The first version of a shipped type."""
    return parse_type((ROOT / "templates" / code / "v1" / "type.toml").read_text("utf-8"), where=code, version=1)


def birth_request(number: str = "Z991000117", **changes: object) -> IssueRequest:
    """A lawful request for a certificate of birth."""
    parts: dict[str, object] = {
        "agency_code": MARKET_BUREAU.code,
        "type_code": "birth-certificate",
        "number": number,
        "holders": (Holder(name="顾样舒", code=CHILD, code_type="111"),),
        "issued_on": date(2010, 5, 22),
        "effective_on": date(2010, 5, 22),
        "expires_on": None,
        "fields": {
            "sex": "女",
            "born_on": "2010-05-17",
            "birth_place": "样本市江湾区",
            "mother_name": "陆样舟",
            "mother_code": MOTHER,
            "father_name": "顾样澜",
            "father_code": FATHER,
        },
        "operator": "tests",
    }
    return IssueRequest(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading


def without(request: IssueRequest, *names: str) -> IssueRequest:
    """The request with these fields left out."""
    return replace(request, fields={name: value for name, value in request.fields.items() if name not in names})


def plain_licence(request: IssueRequest | None = None, **changes: object) -> Licence:
    """A licence as the store gives it, never issued: for what is pure."""
    wanted = request or birth_request()
    parts: dict[str, object] = {
        "identifier": LicenceIdentifier("1.2.156.3005.2.x"),
        "public_code": PublicCode("0" * 26),
        "type_code": wanted.type_code,
        "type_version": 1,
        "type_digest": Sha256("0" * 64),
        "number": wanted.number,
        "agency_code": AgencyCode(wanted.agency_code),
        "agency_name": "样本市卫生健康局",
        "timezone": "Asia/Shanghai",
        "holders": wanted.holders,
        "issued_on": wanted.issued_on,
        "effective_on": wanted.effective_on,
        "expires_on": wanted.expires_on,
        "area_code": "",
        "fields": wanted.fields,
        "version": 1,
        "previous_identifier": "",
        "batch": "",
        "status": Status.ACTIVE,
        "status_index": 7,
        "status_list_uri": "",
        "issued_at": datetime(2026, 1, 5, 2, 0, tzinfo=UTC),
        "token_kid": "",
        "seal_kid": "",
        "pdf_sha256": Sha256("0" * 64),
        "token": "",
        "check_phrase": "",
        "pdf_name": "",
    }
    return Licence(**{**parts, **changes})  # type: ignore[arg-type]  # the parts are right by reading


def said(  # noqa: PLR0913  # one asking
    licence: Licence,
    name: str,
    given: Mapping[str, object],
    *,
    about: str = "",
    now: datetime = NOW,
    kind: LicenceType | None = None,
) -> Answer:
    """What one licence answers."""
    question = asked((kind or shipped(licence.type_code)).questions, name, given, now=now)
    return answer_of(question, Record(licence=licence, moves=()), about=about, now=now)


def grant_questions(lib: Library, type_code: str = "birth-certificate", **changes: object) -> None:
    """The city may ask all questions of a type."""
    fields: Sequence[str] = PEOPLE
    granted(lib, type_code=type_code, **{"fields": tuple(fields), **changes})


def put(  # noqa: PLR0913  # one asking
    lib: Library,
    question: str,
    given: Mapping[str, object],
    *,
    type_code: str = "birth-certificate",
    holder_code: str = "",
    number: str = "",
    identifier: str = "",
) -> QuestionAnswer:
    """The city's question, answered."""
    return ask(
        lib,
        asker(),
        asking(),
        type_code=type_code,
        question=question,
        given=given,
        about=About(holder_code=holder_code, number=number, identifier=identifier),
    )
