"""Identifiers, public codes and holder codes: made, parsed, checked and masked.

Pure functions over text. Nothing here normalises in silence: what a person typed is mended by the
`normalise_*` functions, which the caller names, and everything else takes the exact form or refuses it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, NewType

from stdnum.iso7064 import mod_11_2, mod_37_36

from certlib.errors import FieldFault, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Collection

LicenceIdentifier = NewType("LicenceIdentifier", str)
"""Structured, for machines: root.type.agency.serial.version.check."""
PublicCode = NewType("PublicCode", str)
"""128 random bits as 26 characters of Crockford base32, for links and look-ups."""
AgencyCode = NewType("AgencyCode", str)
"""18-character USCC (scheme gbt36904) or `[0-9A-Z]{1,21}` (scheme plain)."""

GBT36904_ROOT: Final = "1.2.156.3005.2"
"""Root OID of licence identifiers. GB/T 36904-2018 (China profile, 2)."""
MAX_IDENTIFIER_CHARS: Final = 128
"""certificateIdentifier is s128 in the field set of GB/T 36903 (China profile, 3)."""
MAX_VERSION: Final = 999
"""Three digits. GB/T 36904-2018 (China profile, 2)."""
MIN_GBT_SERIAL_CHARS: Final = 7
MAX_SERIAL_CHARS: Final = 32
"""Lengths seen in public implementations lie within; outside is a warning (China profile, 2.3)."""

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford base32: no I, L, O, U."""
_PUBLIC_CODE_CHARS: Final = 26
_PUBLIC_CODE_GROUPS: Final = (5, 5, 5, 5, 6)
_PUBLIC_CODE_BYTES: Final = 16
_SERIAL_RANDOM_BYTES: Final = 8
_SERIAL_RANDOM_CHARS: Final = 12
_SEGMENTS: Final = 5

_CAPITALS: Final = re.compile(r"[0-9A-Z]+")
_PLAIN_CODE: Final = re.compile(r"[0-9A-Z]{1,21}")
_GBT_TYPE: Final = re.compile(r"[0-9A-Z]{21}")
_VERSION: Final = re.compile(r"[0-9]{3}")
_CHECK: Final = re.compile(r"[0-9A-Z]")
_ROOT: Final = re.compile(r"[0-2](?:\.(?:0|[1-9][0-9]*))+")

_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: no I, O, S, V, Z."""
_USCC_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))
"""GB 32100-2015: 3^i modulo 31."""
_USCC: Final = re.compile(rf"[{_USCC_ALPHABET}]{{2}}[0-9]{{6}}[{_USCC_ALPHABET}]{{10}}")
_CITIZEN: Final = re.compile(r"[0-9]{17}[0-9X]")
_TRAVEL_DOCUMENT: Final = re.compile(r"[0-9A-Z]{5,20}")
_MAX_HOLDER_CODE_CHARS: Final = 64

USCC_TYPE: Final = "001"
CITIZEN_TYPE: Final = "111"
HOLDER_CODE_TYPES: Final[frozenset[str]] = frozenset(
    {"001", "099", "111", "411", "412", "413", "414", "511", "516", "999"} | {"114", "115", "118", "119", "120", "122"}
)
"""GB/T 36903-2018, appendix A (China profile, 4)."""
ORGANISATION_CODE_TYPES: Final[frozenset[str]] = frozenset({"001", "099"})
"""Those of organisations; all others are of persons."""
_TRAVEL_DOCUMENT_TYPES: Final = frozenset({"411", "412", "413", "414", "511", "516"})

_FULL_WIDTH: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x3002: "."}
"""Full-width forms, the ideographic blank and the ideographic full stop, as an input method types them."""
_DASHES: Final = dict.fromkeys(map(ord, "-‐‑‒–—−_ \t\r\n\u00a0"))
_LOOK_ALIKES: Final = str.maketrans({"I": "1", "L": "1", "O": "0"})
_ASCII_UPPER: Final = {ord(small): small.upper() for small in "abcdefghijklmnopqrstuvwxyz"}
_COMPOUND_SURNAMES: Final = re.compile(
    "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|司徒|夏侯|皇甫|尉迟|公孙|慕容|令狐|长孙|宇文|东方|独孤|南宫|端木|申屠"
    "|呼延|钟离|澹台|公冶|宗政|濮阳|淳于|单于|太叔|轩辕|闻人|赫连|拓跋|百里|东郭|西门|万俟"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedIdentifier:
    """A licence identifier whose form and check character are right."""

    text: str
    """The whole identifier, exactly as given."""
    root: str
    """OID in dotted decimal."""
    type_code: str
    agency_code: str
    serial: str
    version: str
    """Three digits, `001` for a first issue."""
    check: str
    """One character `0-9A-Z`."""
    warnings: tuple[str, ...]
    """Codes of what is unusual but not wrong: `agency_not_uscc`, `unusual_serial_length`; may be empty."""


def parse_identifier(text: str, *, plain_roots: Collection[str] = (), strict: bool = False) -> ParsedIdentifier:
    """The segments of a licence identifier, each one tested (China profile, 2.1 to 2.3).

    The dots are not protected by the check character, hence the test of each segment. `plain_roots` are the
    roots under which identifiers of the scheme `plain` stand. With `strict`, warnings are refused as well.

    Raises:
        InvalidRequestError: one fault on field `identifier` with code `too_long`, `lower_case`, `bad_shape`,
            `unknown_root`, `illegal_character`, `bad_type`, `bad_agency`, `bad_serial`, `bad_version`,
            `bad_check`; strict mode also `agency_not_uscc` and `unusual_serial_length`.
    """
    if len(text) > MAX_IDENTIFIER_CHARS:
        raise _refused("too_long", f"it has more than {MAX_IDENTIFIER_CHARS} characters")
    if text.translate(_ASCII_UPPER) != text:
        raise _refused("lower_case", "letters must be capitals")
    parts = text.split(".")
    if len(parts) <= _SEGMENTS:
        raise _refused("bad_shape", "it must read root.type.agency.serial.version.check")
    root = ".".join(parts[:-_SEGMENTS])
    type_code, agency_code, serial_part, version, check = parts[-_SEGMENTS:]
    if root != GBT36904_ROOT and root not in plain_roots:
        raise _refused("unknown_root", "it does not stand under a root that this library knows")
    scheme = "gbt36904" if root == GBT36904_ROOT else "plain"
    for segment in (type_code, agency_code, serial_part, version, check):
        if not _CAPITALS.fullmatch(segment):
            raise _refused("illegal_character", "its segments may hold digits and capital letters only")
    _require_segments(scheme, type_code, agency_code, serial_part)
    if not _VERSION.fullmatch(version):
        raise _refused("bad_version", "the version must have three digits")
    if not _CHECK.fullmatch(check) or check != _check_character(type_code + agency_code + serial_part + version):
        raise _refused("bad_check", "the check character does not fit the rest")
    warnings = _warnings(agency_code, serial_part) if scheme == "gbt36904" else ()
    if strict and warnings:
        raise _refused(warnings[0], _WARNING_REASONS[warnings[0]])
    return ParsedIdentifier(
        text=text,
        root=root,
        type_code=type_code,
        agency_code=agency_code,
        serial=serial_part,
        version=version,
        check=check,
        warnings=warnings,
    )


def normalise_identifier(text: str) -> str:
    """What a person meant by `text`: capitals, full-width forms made narrow, blanks dropped. Not checked."""
    return "".join(text.translate(_FULL_WIDTH).split()).translate(_ASCII_UPPER)


def licence_identifier(  # noqa: PLR0913  # one argument per segment
    *, scheme: str, root: str, type_code: str, agency_code: str, serial: str, version: int
) -> LicenceIdentifier:
    """The identifier made of these segments, with its check character.

    `scheme` is `gbt36904` (its root is fixed) or `plain`. `type_code` is the segment, not the folder's name.

    Raises:
        InvalidRequestError: a segment has not the form that `parse_identifier` asks for (same codes).
    """
    if (scheme == "gbt36904") != (root == GBT36904_ROOT) or not _ROOT.fullmatch(root):
        raise _refused("unknown_root", "root and scheme do not belong together")
    if not 1 <= version <= MAX_VERSION:
        raise _refused("bad_version", f"the version must lie between 1 and {MAX_VERSION}")
    for segment in (type_code, agency_code, serial):
        if not _CAPITALS.fullmatch(segment):
            raise _refused("illegal_character", "its segments may hold digits and capital letters only")
    _require_segments(scheme, type_code, agency_code, serial)
    body = f"{type_code}{agency_code}{serial}{version:03d}"
    text = f"{root}.{type_code}.{agency_code}.{serial}.{version:03d}.{_check_character(body)}"
    if len(text) > MAX_IDENTIFIER_CHARS:
        raise _refused("too_long", f"it has more than {MAX_IDENTIFIER_CHARS} characters")
    return LicenceIdentifier(text)


def serial(day: date, random: bytes) -> str:
    """YYYYMMDD and 12 characters of Crockford base32 (60 bits): 20 characters.

    `random` is 8 bytes from a cryptographic source; its lowest four bits are not used.
    """
    if len(random) != _SERIAL_RANDOM_BYTES:
        raise ValueError(f"a serial takes {_SERIAL_RANDOM_BYTES} random bytes")
    bits = int.from_bytes(random) >> 4
    return f"{day:%Y%m%d}{_base32(bits, _SERIAL_RANDOM_CHARS)}"


def public_code(random: bytes) -> PublicCode:
    """26 characters of Crockford base32, capitals; `random` is 16 bytes from a cryptographic source."""
    if len(random) != _PUBLIC_CODE_BYTES:
        raise ValueError(f"a public code takes {_PUBLIC_CODE_BYTES} random bytes")
    return PublicCode(_base32(int.from_bytes(random), _PUBLIC_CODE_CHARS))


def normalise_public_code(text: str) -> PublicCode:
    """The public code that a person meant: any case, I and L for 1, O for 0, hyphens and blanks dropped.

    Raises:
        InvalidRequestError: it is none; fault on field `code` with code `bad_public_code`.
    """
    narrow = text[: 4 * _PUBLIC_CODE_CHARS + 1].translate(_FULL_WIDTH).translate(_DASHES)
    code = narrow.translate(_ASCII_UPPER).translate(_LOOK_ALIKES)
    # 26 characters hold 130 bits, so the first one carries only three.
    if (
        len(text) > 4 * _PUBLIC_CODE_CHARS
        or len(code) != _PUBLIC_CODE_CHARS
        or code[0] > "7"
        or any(character not in _CROCKFORD for character in code)
    ):
        fault = FieldFault(field="code", code="bad_public_code", reason="it is not a look-up code of 26 characters")
        raise InvalidRequestError((fault,))
    return PublicCode(code)


def printed_public_code(code: PublicCode) -> str:
    """The code in groups of 5-5-5-5-6, as it stands under the QR code."""
    groups, start = [], 0
    for length in _PUBLIC_CODE_GROUPS:
        groups.append(code[start : start + length])
        start += length
    return "-".join(groups)


def is_uscc(code: str) -> bool:
    """Whether `code` is a 统一社会信用代码 with a right check character; exact form, nothing is stripped.

    GB 32100-2015. The first two characters may be letters (department `Y`), which `stdnum.cn.uscc` refuses.
    """
    if not _USCC.fullmatch(code):
        return False
    total = sum(_USCC_ALPHABET.index(char) * weight for char, weight in zip(code[:17], _USCC_WEIGHTS, strict=True))
    return code[17] == _USCC_ALPHABET[-total % 31]


def normalise_holder_code(code: str, code_type: str) -> str:
    """The code with a final `x` of a citizen number made `X`, the one mending of China profile 11.2."""
    return code[:-1] + "X" if code_type == CITIZEN_TYPE and code.endswith("x") else code


def holder_code_fault(code: str, code_type: str, *, today: date) -> FieldFault | None:
    """What is wrong with a holder's code, or None.

    Fields are `holder_code` and `holder_code_type`. Both empty is right: whether a code is required is the
    type's business. The reason never holds the code. `today` bounds the birth date inside a citizen number.
    """
    if not code_type:
        return _code_fault("code_type_required", "the kind of code is not given", "_type") if code else None
    if code_type not in HOLDER_CODE_TYPES:
        return _code_fault("unknown_code_type", "this kind of code is not in GB/T 36903, appendix A", "_type")
    if not code:
        return _code_fault("required", "the code is missing")
    if code_type == USCC_TYPE:
        return _uscc_fault(code)
    return _citizen_fault(code, today) if code_type == CITIZEN_TYPE else _other_code_fault(code, code_type)


def check_agency_code(code: str, scheme: str) -> AgencyCode:
    """The code as an agency code of the scheme `gbt36904` (a USCC) or `plain`.

    Raises:
        InvalidRequestError: fault on field `agency_code`, code `bad_agency`.
    """
    right = is_uscc(code) if scheme == "gbt36904" else bool(_PLAIN_CODE.fullmatch(code))
    if not right:
        wanted = "a USCC of 18 characters" if scheme == "gbt36904" else "1 to 21 digits and capital letters"
        raise InvalidRequestError((FieldFault(field="agency_code", code="bad_agency", reason=f"it must be {wanted}"),))
    return AgencyCode(code)


def masked_code(code: str) -> str:
    """First and last character, `*` between, same length; two characters or fewer are hidden whole.

    China profile 12: six and four would give the whole number to whoever knows the birth date.
    """
    if len(code) <= 2:  # noqa: PLR2004  # first and last are all there is
        return "*" * len(code)
    return code[0] + "*" * (len(code) - 2) + code[-1]


def masked_name(name: str) -> str:
    """A person's name with the surname kept and the rest as `*`.

    Names of organisations are public: do not mask them. Han names keep one character (two for a compound
    surname); others keep their last word, or what stands before a comma; a single word keeps its first letter.
    """
    name = name.strip()
    if not name:
        return ""
    if _is_han(name[0]):
        compound = _COMPOUND_SURNAMES.match(name)
        kept = compound.end() if compound and len(name) > compound.end() else 1
        return "*" if len(name) == 1 else name[:kept] + _stars(name[kept:])
    surname, comma, rest = name.partition(",")
    if comma:
        return surname + comma + _stars(rest)
    given, blank, surname = name.rpartition(" ")
    return _stars(given) + blank + surname if blank else name[0] + _stars(name[1:])


_WARNING_REASONS: Final = {
    "agency_not_uscc": "the agency segment is not a USCC",
    "unusual_serial_length": f"the serial has not {MIN_GBT_SERIAL_CHARS} to {MAX_SERIAL_CHARS} characters",
}


def _refused(code: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError((FieldFault(field="identifier", code=code, reason=reason),))


def _code_fault(code: str, reason: str, suffix: str = "") -> FieldFault:
    return FieldFault(field=f"holder_code{suffix}", code=code, reason=reason)


def _check_character(body: str) -> str:
    """ISO/IEC 7064 MOD 37,36 over type, agency, serial and version (China profile, 2.1)."""
    return str(mod_37_36.calc_check_digit(body))


def _require_segments(scheme: str, type_code: str, agency_code: str, serial_part: str) -> None:
    if scheme == "gbt36904":
        if not _GBT_TYPE.fullmatch(type_code):
            raise _refused("bad_type", "the type segment must have 21 characters")
        return
    if not _PLAIN_CODE.fullmatch(type_code):
        raise _refused("bad_type", "the type segment must have 1 to 21 characters")
    if not _PLAIN_CODE.fullmatch(agency_code):
        raise _refused("bad_agency", "the agency segment must have 1 to 21 characters")
    if len(serial_part) > MAX_SERIAL_CHARS:
        raise _refused("bad_serial", f"the serial must have 1 to {MAX_SERIAL_CHARS} characters")


def _warnings(agency_code: str, serial_part: str) -> tuple[str, ...]:
    found = []
    if not is_uscc(agency_code):
        found.append("agency_not_uscc")
    if not MIN_GBT_SERIAL_CHARS <= len(serial_part) <= MAX_SERIAL_CHARS:
        found.append("unusual_serial_length")
    return tuple(found)


def _base32(bits: int, characters: int) -> str:
    return "".join(_CROCKFORD[(bits >> 5 * place) & 31] for place in range(characters - 1, -1, -1))


def _uscc_fault(code: str) -> FieldFault | None:
    if not _USCC.fullmatch(code):
        return _code_fault("bad_code", "a USCC has 18 digits and capital letters without I, O, S, V, Z")
    if not is_uscc(code):
        return _code_fault("bad_check_digit", "the check character of the USCC does not fit the rest")
    return None


def _citizen_fault(code: str, today: date) -> FieldFault | None:
    """GB 11643-1999; the region is not looked up: bundled tables miss valid ones (China profile, 11.2)."""
    if not _CITIZEN.fullmatch(code):
        return _code_fault("bad_code", "a citizen number has 17 digits and a digit or capital X")
    if mod_11_2.checksum(code) != 1:
        return _code_fault("bad_check_digit", "the check character of the citizen number does not fit the rest")
    try:
        born_on = date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        return _code_fault("bad_birth_date", "the citizen number holds no real birth date")
    if born_on > today:
        return _code_fault("bad_birth_date", "the citizen number holds a birth date in the future")
    return None


def _other_code_fault(code: str, code_type: str) -> FieldFault | None:
    """Length and alphabet at most (China profile, 4); a military code may hold Han characters."""
    if code_type in _TRAVEL_DOCUMENT_TYPES and not _TRAVEL_DOCUMENT.fullmatch(code):
        return _code_fault("bad_code", "it must have 5 to 20 digits and capital letters")
    if len(code) > _MAX_HOLDER_CODE_CHARS:
        return _code_fault("too_long", f"it has more than {_MAX_HOLDER_CODE_CHARS} characters")
    if not code.isprintable() or code != code.strip():
        return _code_fault("bad_code", "it holds a control character, or a blank at an end")
    return None


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff" or character == "〇"


def _stars(text: str) -> str:
    return "".join(character if character in " ·.-" else "*" for character in text)
