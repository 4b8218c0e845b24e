"""What a receipt says, in words on paper: Chinese first, English after it. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from certlib.catalogue import LicenceType
    from certlib.sharing.use_receipts import Receipt

ENTRIES: Final = 6
"""What the form has room for."""
MAX_FIELDS: Final = 10
"""Names of fields of one type that are printed; the attachment has them all."""
WORDS: Final = {
    "valid": "有效 Valid",
    "valid_offline": "离线有效 Valid offline",
    "not_yet_effective": "尚未生效 Not yet effective",
    "suspended": "暂停 Suspended",
    "expired": "过期 Expired",
    "superseded": "已换发 Superseded",
    "revoked": "吊销 Revoked",
    "withdrawn": "撤销 Withdrawn",
    "cancelled": "注销 Cancelled",
    "forged": "伪造 Forged",
    "untrusted_issuer": "签发者不可信 Untrusted issuer",
    "unknown": "无法判断 Cannot tell",
}
STATES: Final = {
    "pending": "等待本人同意 Waiting for the holder",
    "declined": "本人未同意 The holder declined",
    "withdrawn": "本人撤回同意 The holder took the consent back",
    "expired": "已过期 Its time is over",
    "granted": "已授权 尚未读取 Granted, not read yet",
}
BASE_LABELS: Final = {
    "number": "证照编号 number",
    "holder_name": "持证主体 holder_name",
    "holder_code": "持证主体代码 holder_code",
    "issued_on": "颁发日期 issued_on",
    "effective_on": "生效日期 effective_on",
    "expires_on": "截止日期 expires_on",
    "area_code": "行政区划 area_code",
    "agency": "颁发机构 agency",
}
CHECKS: Final = {
    "integrity_and_seal": "完整性与签名 Integrity and seal",
    "issuer_trusted": "签发者可信 Issuer trusted",
    "same_document": "同一证照 One document",
    "same_as_record": "与记录一致 Same as the record",
    "status": "状态 Status",
    "dates": "有效期 Dates",
    "superseded_by": "换发 Superseded by",
    "made_for": "加注对象 Made for",
}
OUTCOMES: Final = {
    "failed": "未通过 Failed",
    "unknown": "无法判断 Cannot tell",
    "warning": "注意 Note",
    "passed": "通过 Passed",
}
"""In the order of the page; what does not apply is left out."""
KINDS: Final = {
    "token": "二维码 token of a QR code",
    "code": "查验码 look-up code",
    "identifier": "电子证照标识 identifier",
    "pdf": "文件 PDF",
    "image": "图片 picture",
}
_NOTHING: Final = ("", "", "")
INTERFACES: Final = {"data": "数据 data", "file": "加注件 copies"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """What the form of a receipt is filled with."""

    values: Mapping[str, str]
    digest: str
    """SHA-256 of the JWS, hex."""


def sheet_of(receipt: Receipt, *, asked_by: str, types: Mapping[str, LicenceType]) -> Sheet:
    """The words of a receipt, taken from what is signed."""
    result: Mapping[str, Any] = receipt.result
    own = _of_use(result, types) if receipt.act == "use" else _of_verification(result, receipt.subject)
    matter = " · ".join(part for part in (receipt.asking.matter_code, receipt.asking.case_number) if part)
    values = {
        "issued": spoken(moment(receipt.at)),
        "asked_by": asked_by,
        "operator": receipt.asking.operator,
        "matter": matter,
        "purpose": receipt.asking.purpose,
        **own,
    }
    return Sheet(values=values, digest=hashlib.sha256(receipt.jws.encode()).hexdigest())


def spoken(at: str | None) -> str:
    """A moment of the wire as people read it, still in UTC."""
    return "" if at is None else at.replace("T", " ").removesuffix("Z")


def _of_use(result: Mapping[str, Any], types: Mapping[str, LicenceType]) -> dict[str, str]:
    read = result["licences"]
    nothing = any(each["outcome"] == "nothing_found" for each in result["looks"])
    if read:
        word = f"已提供 {len(read)} 项 · {len(read)} licence{'s' if len(read) > 1 else ''} given"
    elif nothing:
        word = "未找到 Nothing found"
    else:
        word = STATES[result["state"]]
    decided = spoken(result["decided_at"])
    times = f"申请 asked {spoken(result['asked_at'])}"
    if decided:
        times += f" · 授权 decided {decided}"
    times += f" · 至 until {spoken(result['expires_at'])}"
    return {
        "kind_zh": "电子证照使用 · Use of licences",
        "basis": _basis(result),
        "scope": _scope(result, types),
        "times": times,
        "subject": f"用证码 use code {result['use_code']}",
        "word": word,
        **_entries([_licence_entry(each, result, types) for each in read]),
    }


def _basis(result: Mapping[str, Any]) -> str:
    if result["basis"] == "statutory":
        clauses = dict.fromkeys(each["clause"] for each in result["types"] if each["clause"])
        return f"依法 By law: {'; '.join(clauses)}"
    if result["decided_at"] is None:
        return "须经本人同意 Needs the consent of the holder"
    how = "凭本人一次性授权码 by a one-time code of the holder"
    if result["decided_by"] != "code":
        how = "由本人在线答复 answered by the holder"
    return f"本人同意 Consent of the holder: {how}"


def _scope(result: Mapping[str, Any], types: Mapping[str, LicenceType]) -> str:
    ways = " · ".join(INTERFACES[each] for each in result["interfaces"])
    lines = []
    for part in result["types"]:
        names = [_label(name, types.get(part["type"])) for name in part["fields"][:MAX_FIELDS]]
        more = len(part["fields"]) - MAX_FIELDS
        if more > 0:
            names.append(f"另 {more} 项 and {more} more")
        lines.append(f"{part['zh']} {part['en']}: {'、'.join(names) or '—'}")
    return f"{ways}\n" + "\n".join(lines)


def _label(name: str, licence_type: LicenceType | None) -> str:
    if name in BASE_LABELS:
        return BASE_LABELS[name]
    fields = () if licence_type is None else licence_type.fields
    return next((f"{each.label.zh} {name}" for each in fields if each.name == name), name)


def _licence_entry(
    each: Mapping[str, Any], result: Mapping[str, Any], types: Mapping[str, LicenceType]
) -> tuple[str, str, str]:
    """Title, result and detail of one licence."""
    licence_type = types.get(each["type"])
    name = each["type"] if licence_type is None else f"{licence_type.name.zh} {licence_type.name.en}"
    title = f"{name} · {each['number']}" if each["number"] else name
    mine = [look for look in result["looks"] if look["identifier"] == each["identifier"]]
    done = []
    for kind, outcome, words in (
        ("data", "given", "读取数据 data read"),
        ("file", "offered", "发出链接 link given"),
        ("file", "given", "取走加注件 copy taken"),
    ):
        times = [look["at"] for look in mine if (look["kind"], look["outcome"]) == (kind, outcome)]
        if times:
            count = f" ×{len(times)}" if len(times) > 1 else ""
            done.append(f"{words}{count} {spoken(times[-1])}")
    detail = f"{each['identifier']} · {' · '.join(done)}"
    digests = [copy["sha256"] for copy in result["copies"] if copy["identifier"] == each["identifier"]]
    if digests:
        more = f" (+{len(digests) - 1})" if len(digests) > 1 else ""
        detail += f" · SHA-256 {digests[-1]}{more}"
    return title, WORDS[each["word"]], detail


def _of_verification(result: Mapping[str, Any], subject: str) -> dict[str, str]:
    entries = [
        (CHECKS.get(each["name"], each["name"]), words, each["code"])
        for outcome, words in OUTCOMES.items()
        for each in result["checks"]
        if each["outcome"] == outcome
    ]
    status = f"状态截至 status as of {spoken(result['status_as_of'])}" if result["status_as_of"] else "—"
    return {
        "kind_zh": "电子证照查验 · Verification",
        "basis": "由持证人出示 Shown by whoever holds it",
        "scope": f"{KINDS.get(result['kind'], result['kind'])}\nSHA-256 {result['input_sha256']}",
        "times": status,
        "subject": subject,
        "word": WORDS[result["word"]],
        **_entries(entries),
    }


def _entries(entries: Sequence[tuple[str, str, str]]) -> dict[str, str]:
    values = {"more": ""}
    for number in range(1, ENTRIES + 1):
        title, outcome, detail = entries[number - 1] if number <= len(entries) else _NOTHING
        if number == len(entries) + 1:
            title = "（以下空白 Nothing below）"
        values |= {f"item{number}": title, f"item{number}_result": outcome, f"item{number}_detail": detail}
    more = len(entries) - ENTRIES
    if more > 0:
        values["more"] = f"另有 {more} 项，见附件 receipt.json · {more} more in the attached receipt.json"
    return values
