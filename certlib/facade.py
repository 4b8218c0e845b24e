"""The use cases in the shape of the national sharing interface (GB/T 36906-style): names and response codes only.

Every rule is that of `sharing`: grants, consent, caps, ledger. Nothing is decided here but how it is said. What is
inferred and what is confirmed of names and codes stands in docs/national-interface.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from certlib import facade_names as names
from certlib.errors import (
    CertlibError,
    FieldFault,
    ForbiddenError,
    InvalidRequestError,
    LimitReachedError,
    NotFoundError,
    OwnFaultError,
    SetupError,
    UnauthenticatedError,
    UnavailableError,
)
from certlib.grants import Interface
from certlib.identifiers import HOLDER_CODE_TYPES, is_uscc, normalise_identifier
from certlib.model import OverallWord
from certlib.sharing.admission import admit
from certlib.sharing.checks import check
from certlib.sharing.comparing import MAX_KEY_CHARACTERS, Outcome
from certlib.sharing.finding import find, type_of
from certlib.sharing.handles import named_holder
from certlib.sharing.holdings import list_licences
from certlib.sharing.use_data import read_data
from certlib.sharing.use_files import make_links
from certlib.sharing.uses import UseRequest, UseState, ask
from certlib.store import agencies
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from certlib.callers import AgencyCaller
    from certlib.catalogue import LicenceType
    from certlib.faces import JsonValue
    from certlib.grants import Asking
    from certlib.library import Library

SEGMENTS: Final = 6
"""Of an identifier: root, type, agency, serial, version, check."""
NOBODY: Final = "-"
"""In the place of an identifier when a number was found nowhere: the asking is judged, counted and put down all the
same, and reads nothing."""
_CITIZEN: Final = re.compile(r"[0-9]{17}[0-9Xx]")
PASSED_ON: Final = (LimitReachedError, UnauthenticatedError, UnavailableError, OwnFaultError, SetupError)
"""What stays an HTTP status: it says nothing about licences."""


class Code(IntEnum):
    """National response codes (China profile, 6.1)."""

    DONE = 0
    NOT_PROVIDED = 2
    NOT_FOUND = 10
    NOT_ALLOWED = 11
    MISSING = 12
    NO_SUCH_TYPE = 13
    BAD_CODE_TYPE = 14
    ENDED = 21
    EXPIRED = 22
    RESTRICTED = 23
    UNREADABLE = 24
    OTHER = 99


TEXTS: Final = {
    Code.DONE: "成功",
    Code.NOT_PROVIDED: "证照源未提供此接口",
    Code.NOT_FOUND: "未找到匹配的证照",
    Code.NOT_ALLOWED: "身份验证不通过",
    Code.MISSING: "必填参数为空",
    Code.NO_SUCH_TYPE: "证照类型不存在或未发布",
    Code.BAD_CODE_TYPE: "错误的持证主体代码类型",
    Code.ENDED: "已废止或注销",
    Code.EXPIRED: "已过期",
    Code.RESTRICTED: "受限使用",
    Code.UNREADABLE: "查验数据无法解析",
    Code.OTHER: "其他异常",
}
STATES: Final = {
    OverallWord.VALID: Code.DONE,
    OverallWord.NOT_YET_EFFECTIVE: Code.RESTRICTED,
    OverallWord.SUSPENDED: Code.RESTRICTED,
    OverallWord.EXPIRED: Code.EXPIRED,
}
"""State for readers (China profile, 8.2); every other word has ended."""
VERIFIED: Final = {OverallWord.VALID: 0, OverallWord.NOT_YET_EFFECTIVE: 1, OverallWord.SUSPENDED: 2}
"""Result of a comparison in which all is right (China profile, 6.2); every other word is 3."""
ENDED_RESULT: Final = 3
RESULTS: Final = {Outcome.AMBIGUOUS: 4, Outcome.NOTHING_FOUND: 5, Outcome.DIFFERS: 7}
EMPTY_RESULT: Final = 6


@dataclass(frozen=True, kw_only=True, slots=True)
class NationalRequest:
    """What a caller sends; empty is not given."""

    certificate_id: str = ""
    certificate_type: str = ""
    certificate_number: str = ""
    holder_code: str = ""
    holder_code_type: str = ""
    use_for: str | Mapping[str, object] = ""
    """JSON as a text, or the object itself."""
    certificate_data: str | Mapping[str, object] = ""
    """The same."""
    consent_code: str = ""
    """The holder's one-time code, where the grant asks for consent."""
    file_format: str = ""
    """Of a copy; there is PDF only."""
    request_id: str = ""
    """The same one goes on with the same use, as while the holder decides."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NationalAnswer:
    """What the caller is told."""

    code: Code
    detail: str = ""
    """More for people; never a value, nor anything of what is on record beyond the code."""
    data: JsonValue = field(default=None)


class _SaidError(Exception):
    """Ends a call with its code."""

    def __init__(self, code: Code, detail: str = "", *, data: JsonValue = None) -> None:
        super().__init__(detail)
        self.code = code
        self.data = data


def answer_json(answer: NationalAnswer) -> dict[str, JsonValue]:
    """The answer for the wire."""
    detail = answer.detail.encode("utf-8", "replace").decode()  # it may name a member that the caller wrote oddly
    message = TEXTS[answer.code] + (f": {detail}" if detail else "")
    return {"head": {"status": int(answer.code), "message": message}, "data": answer.data}


def answered(act: Callable[[], NationalAnswer]) -> NationalAnswer:
    """What `act` answers, or the code of why it does not.

    Raises:
        CertlibError: one of `PASSED_ON`.
    """
    try:
        return act()
    except _SaidError as error:
        return NationalAnswer(code=error.code, detail=str(error), data=error.data)
    except PASSED_ON:
        raise
    except CertlibError as error:
        told = str(error) if isinstance(error, InvalidRequestError) else error.code
        return NationalAnswer(code=_national(error), detail="" if isinstance(error, NotFoundError) else told)


def _national(error: CertlibError) -> Code:
    if isinstance(error, ForbiddenError) or error.code == "use_pending":
        return Code.NOT_ALLOWED
    if isinstance(error, NotFoundError):
        return Code.NO_SUCH_TYPE if error.code == "type_not_found" else Code.NOT_FOUND
    return _code_of(error.faults) if isinstance(error, InvalidRequestError) else Code.OTHER


def _code_of(faults: tuple[FieldFault, ...]) -> Code:
    if any(each.field == "code_type" for each in faults):
        return Code.BAD_CODE_TYPE
    return Code.MISSING if any(each.code == "required" for each in faults) else Code.OTHER


def certificate_types(lib: Library) -> NationalAnswer:
    """GetCertificateType: one catalogue record for each licence type of this library. Types are public."""
    codes = dict.fromkeys(each.code for each in agencies.all_types(lib.store))
    return NationalAnswer(code=Code.DONE, data=[names.catalogue_record(type_of(lib, each)) for each in codes])


def query(lib: Library, caller: AgencyCaller, said: NationalRequest) -> NationalAnswer:
    """Query: which licences a holder has, of the types that may be listed."""
    asking = _asking(said)
    _require(CertificateHolderCode=said.holder_code)
    wanted = _type(lib, said.certificate_type).code if said.certificate_type else ""
    holder = named_holder(lib, said.holder_code, _code_type(said))
    found = list_licences(lib, caller, asking, holder=holder, type_code=wanted)
    if not found.held:
        raise _SaidError(Code.NOT_FOUND)
    areas = {each.code: each.area_code for each in agencies.all_agencies(lib.store)}
    hits: list[JsonValue] = [
        {
            "certificateID": each.licence.identifier,
            "certificateType": type_of(lib, each.licence.type_code).segment,
            "certificateTypeName": each.type_zh,
            "certificateNumber": each.number,
            "certificateAreaCode": each.licence.area_code or areas.get(each.licence.agency_code, ""),
            "certificateState": int(state_code(each.word)),
        }
        for each in found.held
    ]
    return NationalAnswer(code=Code.DONE, data=hits)


def data_by_id(lib: Library, caller: AgencyCaller, said: NationalRequest) -> NationalAnswer:
    """GetCertificateDataByCertificateID: the granted values of one licence."""
    return _data(lib, caller, _use_by_id(lib, said, Interface.DATA))


def data_by_holder(lib: Library, caller: AgencyCaller, said: NationalRequest) -> NationalAnswer:
    """GetCertificateDataByHolder: the same for type, number and holder."""
    return _data(lib, caller, _use_by_holder(lib, caller, said, Interface.DATA))


def file_by_id(lib: Library, caller: AgencyCaller, said: NationalRequest) -> NationalAnswer:
    """GetCertificateFileByCertificateID: a one-time link to a purpose-bound copy (加注件)."""
    _require_pdf(said)
    return _file(lib, caller, _use_by_id(lib, said, Interface.FILE))


def file_by_holder(lib: Library, caller: AgencyCaller, said: NationalRequest) -> NationalAnswer:
    """GetCertificateFileByHolder: the same for type, number and holder."""
    _require_pdf(said)
    return _file(lib, caller, _use_by_holder(lib, caller, said, Interface.FILE))


def verify_certificate(lib: Library, caller: AgencyCaller, said: NationalRequest) -> NationalAnswer:
    """VerifyCertificate (查验): a result and never a value. The status is told only to whom everything is right."""
    asking = _asking(said)
    try:
        items = names.items_of(said.certificate_data)
    except ValueError as error:
        raise _SaidError(Code.UNREADABLE) from error
    if not items:
        return _verified(EMPTY_RESULT)
    identifier, kind = items.get("certificateID", ""), items.get("certificateType", said.certificate_type)
    _require(certificateType=kind or identifier)
    licence_type = _type(lib, kind) if kind else _type_in(lib, identifier)
    _require(certificateNumber=items.get("certificateNumber", ""))
    code_type = items.get("certificateHolderType", "")
    if code_type and code_type not in (licence_type.holder_code_types or HOLDER_CODE_TYPES):
        raise _SaidError(Code.BAD_CODE_TYPE)
    given = names.given_values(lib, items)
    try:
        answer = check(lib, caller, asking, type_code=licence_type.code, given=given)
    except InvalidRequestError as error:
        raise _SaidError(Code.UNREADABLE, str(error)) from error
    result = RESULTS.get(answer.outcome, -1)
    if answer.outcome is Outcome.MATCH:
        result = VERIFIED.get(OverallWord(answer.word), ENDED_RESULT)
        if items.get("certificateName", licence_type.name.zh) != licence_type.name.zh:
            result = RESULTS[Outcome.DIFFERS]
    return _verified(result, receiptID=answer.receipt_id, receipt=answer.receipt)


def _verified(result: int, **more: str) -> NationalAnswer:
    return NationalAnswer(code=Code.DONE, data={"result": result, "resultText": names.RESULT_TEXTS[result], **more})


def state_code(word: OverallWord) -> Code:
    """How a licence stands, for readers."""
    return STATES.get(word, Code.ENDED)


def _use_by_id(lib: Library, said: NationalRequest, interface: Interface) -> UseRequest:
    asking = _asking(said)
    _require(CertificateID=said.certificate_id)
    identifier = normalise_identifier(said.certificate_id)
    return UseRequest(
        asking=asking,
        interfaces=(interface,),
        types=(_type_in(lib, identifier).code,),
        holder_code=said.holder_code,
        identifier=identifier,
        consent_code=said.consent_code,
        request_id=said.request_id,
    )


def _use_by_holder(lib: Library, caller: AgencyCaller, said: NationalRequest, interface: Interface) -> UseRequest:
    """The same for the one licence of this number that the holder has. Grants are judged before it is looked up."""
    asking = _asking(said)
    _require(
        CertificateType=said.certificate_type,
        CertificateNumber=said.certificate_number,
        CertificateHolderCode=said.holder_code,
    )
    code = _type(lib, said.certificate_type).code
    admit(lib, caller, asking, interface=interface, type_code=code)
    found = find(lib, type_code=code, holder_code=said.holder_code, number=said.certificate_number)
    identifier = found[0].identifier if len(found) == 1 else NOBODY
    return UseRequest(
        asking=asking,
        interfaces=(interface,),
        types=(code,),
        holder_code=said.holder_code,
        identifier=identifier,
        named=f"number {said.certificate_number.strip()}",
        consent_code=said.consent_code,
        request_id=said.request_id,
    )


def _granted(lib: Library, caller: AgencyCaller, request: UseRequest) -> str:
    """The use code, once law or holder allow it."""
    use, _ = ask(lib, caller, request)
    if use.state is UseState.PENDING:
        raise _SaidError(Code.NOT_ALLOWED, "use_pending", data={"useCode": use.id})
    return use.id


def _data(lib: Library, caller: AgencyCaller, request: UseRequest) -> NationalAnswer:
    read = read_data(lib, caller, _granted(lib, caller, request))
    if not read.licences:
        raise _SaidError(Code.NOT_FOUND)
    (licence,) = read.licences
    licence_type = type_of(lib, licence.type_code)
    data = names.certificate_data(lib, licence_type, licence, granted=read.use.parts[0].fields)
    code = state_code(OverallWord(licence.word))
    proof: dict[str, JsonValue] = {"useCode": read.use.id, "receiptID": read.receipt_id, "receipt": read.receipt}
    return NationalAnswer(code=code, data={**data, "certificateState": int(code), **proof})


def _require_pdf(said: NationalRequest) -> None:
    if said.file_format.strip().lower() not in ("", "pdf"):
        raise _SaidError(Code.NOT_PROVIDED, "pdf")


def _file(lib: Library, caller: AgencyCaller, request: UseRequest) -> NationalAnswer:
    code = _granted(lib, caller, request)
    links = make_links(lib, caller, code)
    if not links:
        raise _SaidError(Code.NOT_FOUND)
    (link,) = links
    state = state_code(OverallWord(link.word))
    data: dict[str, JsonValue] = {"certificateID": link.identifier, "useCode": code, "certificateState": int(state)}
    if link.secret:
        data |= {
            "fileUrl": f"{lib.settings.base_url}/v1/files/{link.secret}",
            "fileFormat": "pdf",
            "fileUrlExpires": moment(link.expires_at),
        }
    return NationalAnswer(code=state, data=data)


def _asking(said: NationalRequest) -> Asking:
    """What UseFor names; without all that must be in it, no answer."""
    try:
        return names.asking_of(said.use_for)
    except ValueError as error:
        raise _SaidError(Code.MISSING, str(error)) from error


def _require(**given: str) -> None:
    missing = [name for name, value in given.items() if not value.strip()]
    if missing:
        raise _SaidError(Code.MISSING, ", ".join(missing))
    odd = [name for name, value in given.items() if len(value) > MAX_KEY_CHARACTERS or not value.isprintable()]
    if odd:
        raise _SaidError(Code.OTHER, ", ".join(odd))


def _type(lib: Library, text: str) -> LicenceType:
    """The type that is meant by its 21 characters, or by its code in this library."""
    for code in dict.fromkeys(each.code for each in agencies.all_types(lib.store)):
        licence_type = type_of(lib, code)
        if text.strip() in (code, licence_type.segment):
            return licence_type
    raise _SaidError(Code.NO_SUCH_TYPE)


def _type_in(lib: Library, identifier: str) -> LicenceType:
    """The type that an identifier names. An identifier of no type of ours is that of no licence of ours."""
    parts = identifier.rsplit(".", SEGMENTS - 1)
    if len(parts) != SEGMENTS:
        raise _SaidError(Code.NOT_FOUND)
    return _type(lib, parts[1])


def _code_type(said: NationalRequest) -> str:
    """The kind of the holder's code: as said, else by its form."""
    code = said.holder_code.strip().upper()
    if said.holder_code_type:
        if said.holder_code_type not in HOLDER_CODE_TYPES:
            raise _SaidError(Code.BAD_CODE_TYPE)
        return said.holder_code_type
    if is_uscc(code):
        return "001"
    if _CITIZEN.fullmatch(code):
        return "111"
    raise _SaidError(Code.BAD_CODE_TYPE, "CertificateHolderCodeType")
