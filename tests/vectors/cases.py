"""What the verdict vectors are: name, expected answer, and how the input is made in a library that has its keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import cbor2
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from certlib.enrolling import throwaway_kit
from certlib.identifiers import AgencyCode
from certlib.model import Agency, IssueRequest, Licence, Status
from certlib.store import agencies
from certlib.verdict import moment
from signing import cose, tokens
from signing.keys import KeyAlgorithm, generate_key
from tests.support.files import piece, scan_of, sealed_file, token_of, unsealed
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.tampering import appended, with_revision
from tests.support.tokens import PROTECTED_HEAD, deflated
from tests.support.vectors import WORLD_AT
from tests.support.verdicts import (
    blank_picture,
    claims_of,
    flipped,
    malleated,
    other_identifier,
    payload_of,
    picture,
    resigned,
    shop_request,
    token_key,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable

    from certlib.library import Library

STOLEN: Final = Agency(code=AgencyCode("STOLENKEYS"), name="Town of Lost Keys", timezone="Europe/Berlin")
"""An agency whose keys were withdrawn after they had been stolen."""
AT: Final = moment(WORLD_AT + timedelta(hours=1))
LATER: Final = "2030-05-01T00:00:00Z"


def shop(number: int, **changes: object) -> IssueRequest:
    request = shop_request(f"{number:016d}", **changes)
    assert isinstance(request, IssueRequest)
    return request


REQUESTS: Final[dict[str, tuple[IssueRequest, Status]]] = {
    "good": (shop(1), Status.ACTIVE),
    "company": (company_request(), Status.ACTIVE),
    "term": (
        shop(2, effective_on=date(2026, 12, 1), expires_on=date(2027, 11, 30)),
        Status.ACTIVE,
    ),
    "suspended": (shop(3), Status.SUSPENDED),
    "cancelled": (shop(4), Status.CANCELLED),
    "withdrawn": (shop(5), Status.WITHDRAWN),
    "revoked": (shop(6), Status.REVOKED),
    "old": (shop(7), Status.SUPERSEDED),
    "new": (shop(7, version=2), Status.ACTIVE),
    "stolen": (shop(8, agency_code=STOLEN.code), Status.ACTIVE),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    """The library with its keys, as only this file sees it."""

    lib: Library
    licences: dict[str, Licence]
    pdfs: dict[str, bytes]

    def token(self, name: str) -> str:
        return self.licences[name].token


VECTORS: Final[list[tuple[dict[str, str], Callable[[World], bytes | str]]]] = []
"""Headers with `name`, and who makes the body."""


def vector(name: str, expect: str, fault: str = "", /, **headers: str) -> Callable[[Any], Any]:
    """Take a maker of a body into the list."""

    def keep(make: Callable[[World], bytes | str]) -> Callable[[World], bytes | str]:
        defaults = {"kind": "token", "input": "text", "source": "live", "at": AT, "comment": make.__doc__ or ""}
        VECTORS.append(({"name": name, "expect": expect, "fault": fault, **defaults, **headers}, make))
        return make

    return keep


def text(name: str, expect: str, fault: str, comment: str, make: Callable[[World], str], **headers: str) -> None:
    """Take a text vector into the list."""
    vector(name, expect, fault, comment=comment, **headers)(make)


def file(name: str, expect: str, fault: str, comment: str, make: Callable[[World], bytes], **headers: str) -> None:
    """Take a file vector into the list."""
    vector(name, expect, fault, **({"kind": "pdf", "input": "file", "comment": comment} | headers))(make)


# --- tokens: good ones ---

text("token-good", "valid", "", "as it stands in the code", lambda w: w.token("good"))
text("token-company", "valid", "", "the other agency, scheme and language", lambda w: w.token("company"))
text("token-digits", "valid", "", "the digits alone", lambda w: tokens.digits_of(w.token("good")))
text(
    "token-typed-by-a-scanner", "valid", "", "garbled letters, and an older code in the keyboard's buffer",
    lambda w: f"{tokens.digits_of(w.token('old'))}\nHTTP>&&127.0.0.1>8080&Q§{tokens.digits_of(w.token('good'))}",
)  # fmt: skip
text(
    "token-foreign-prefix", "valid", "", "a phisher's URL around a good token: the token is judged, never the URL",
    lambda w: f"https://phish.example/verify?x=1#{tokens.digits_of(w.token('good'))}",
)  # fmt: skip
text(
    "token-second-signature", "valid", "", "s replaced by n - s: anybody can, and it says nothing else",
    lambda w: malleated(w.token("good")),
)  # fmt: skip

# --- tokens: status and dates ---

for _status in ("suspended", "cancelled", "withdrawn", "revoked"):
    text(
        f"token-{_status}", _status, _status, "good when it was issued",
        lambda w, name=_status: w.token(name),  # type: ignore[misc]  # bound now
    )  # fmt: skip
text("token-superseded", "superseded", "superseded", "a newer version stands", lambda w: w.token("old"))
text("token-superseding", "valid", "", "the newer version", lambda w: w.token("new"))
for _name, _at, _expect in (
    ("before-its-first-day", "2026-12-01T07:59:59Z", "not_yet_effective"),
    ("on-its-first-second", "2026-12-01T08:00:00Z", "valid"),
    ("on-its-last-second", "2027-12-01T07:59:59Z", "valid"),
    ("after-its-last-day", "2027-12-01T08:00:00Z", "expired"),
):
    text(
        f"token-{_name}", _expect, "" if _expect == "valid" else _expect,
        "2026-12-01 to 2027-11-30 in Los Angeles, both inclusive", lambda w: w.token("term"), at=_at,
    )  # fmt: skip

# --- tokens: wrong keys ---

text(
    "token-changed", "forged", "bad_signature", "one bit of the payload", lambda w: flipped(w.token("good"))
)  # fmt: skip
text(
    "token-of-another-agencys-key", "untrusted_issuer", "another_agency", "a good key, an identifier of other people",
    lambda w: resigned(w.lib, w.licences["good"], token_key(w.lib, MARKET_BUREAU.code)),
)  # fmt: skip
text(
    "token-of-a-strange-key", "untrusted_issuer", "unknown_key", "a key that nobody knows",
    lambda w: resigned(w.lib, w.licences["good"], generate_key(KeyAlgorithm.P256)),
)  # fmt: skip
text(
    "token-of-a-seal-key", "untrusted_issuer", "wrong_key", "key confusion: the agency's, but for seals",
    lambda w: resigned(
        w.lib, w.licences["good"],
        w.lib.signer.open(agencies.keys(w.lib.store, owner=CITY.code, purpose="seal")[0].uri),
    ),
)  # fmt: skip
text(
    "token-of-a-withdrawn-key", "untrusted_issuer", "key_withdrawn", "issued honestly; then the key was stolen",
    lambda w: w.token("stolen"),
)  # fmt: skip
text(
    "token-before-its-key", "untrusted_issuer", "expired_certificate", "backdated to before the key's time",
    lambda w: resigned(w.lib, w.licences["good"], issued_at=WORLD_AT - timedelta(days=30)),
)  # fmt: skip
text(
    "token-of-the-future", "unknown", "not_yet_valid", "signed tomorrow: a wrong clock, here or there",
    lambda w: resigned(w.lib, w.licences["good"], issued_at=WORLD_AT + timedelta(days=1)),
)  # fmt: skip

# --- tokens: right key, wrong content ---

text(
    "token-right-key-wrong-licence", "forged", "differs_from_record", "another holder under a recorded identifier",
    lambda w: resigned(
        w.lib, w.licences["good"], fields={**claims_of(w.lib, w.licences["good"]).fields, 3: "Mallory Sample"}
    ),
)  # fmt: skip
text(
    "token-not-on-record", "unknown", "not_on_record", "genuine, and no record: a restored database",
    lambda w: resigned(w.lib, w.licences["good"], identifier=other_identifier(w.licences["good"].identifier)),
)  # fmt: skip

# --- tokens: broken ---


def parts(w: World) -> cose.Sign1:
    return cose.read_sign1(tokens.cose_of(tokens.digits_of(w.token("good"))))


def whole(value: object) -> str:
    return tokens.token_digits(cbor2.dumps(value))


def array(w: World) -> list[Any]:
    own = parts(w)
    return [own.protected, {}, own.payload, own.signature]


def signed(w: World, payload: bytes, protected: bytes | None = None, unprotected: Any = None) -> str:  # noqa: ANN401
    key = token_key(w.lib, CITY.code)
    header = PROTECTED_HEAD + key.kid if protected is None else protected
    signature = key.sign_raw(cose.signed_sha256(header, payload))
    return whole(cbor2.CBORTag(18, [header, unprotected or {}, payload, signature]))


def alg_none(w: World) -> str:
    protected = cbor2.dumps({1: 0, 4: token_key(w.lib, CITY.code).kid})
    return whole(cbor2.CBORTag(18, [protected, {}, parts(w).payload, b""]))


def der_signature(w: World) -> str:
    own = array(w)
    own[3] = encode_dss_signature(int.from_bytes(own[3][:32]), int.from_bytes(own[3][32:]))
    return whole(cbor2.CBORTag(18, own))


def zero_signature(w: World) -> str:
    return whole(cbor2.CBORTag(18, [*array(w)[:3], bytes(64)]))


def claim_twice(w: World) -> str:
    own = cbor2.dumps(payload_of(w.token("good")))
    return signed(w, deflated(bytes([own[0] + 1]) + cbor2.dumps(2) + cbor2.dumps("x") + own[1:]))


def digits(w: World) -> str:
    return tokens.digits_of(w.token("good"))


for _name, _fault, _comment, _make in (
    ("unsigned", "malformed", "alg none and an empty signature", alg_none),
    ("no-tag", "malformed", "COSE_Sign1 without its tag", lambda w: whole(array(w))),
    ("wrong-tag", "malformed", "tag 98", lambda w: whole(cbor2.CBORTag(98, array(w)))),
    ("nested", "malformed", "tag 61 around tag 18", lambda w: whole(cbor2.CBORTag(61, cbor2.CBORTag(18, array(w))))),
    (
        "unprotected-alg", "malformed", "the algorithm where nobody signs it",
        lambda w: signed(w, parts(w).payload, unprotected={1: -7}),
    ),
    ("der-signature", "malformed", "the signature as DER", der_signature),
    ("bomb", "too_large", "10 MB deflated, really signed", lambda w: signed(w, deflated(bytes(10**7)))),
    (
        "cut-payload", "malformed", "the deflated payload ends early, really signed",
        lambda w: signed(w, parts(w).payload[:-2]),
    ),
    ("key-twice", "malformed", "claim 2 twice, really signed", claim_twice),
    ("cut-inside-a-group", "malformed", "the last digit is missing", lambda w: digits(w)[:-1]),
    ("cut-at-a-group", "malformed", "17 digits are missing", lambda w: digits(w)[: len(digits(w)) // 17 * 17 - 17]),
    ("digit-out-of-range", "malformed", "a group above 2^56", lambda w: "9" * 17 + digits(w)[17:]),
    ("too-long", "too_large", "3001 digits", lambda _: "1" * 3001),
):  # fmt: skip
    text(f"token-{_name}", "unknown", _fault, _comment, _make)
text("token-zero-signature", "forged", "bad_signature", "r and s are zero", zero_signature)

# --- codes and identifiers ---

text("code-good", "valid", "", "as printed", lambda w: w.licences["good"].public_code, kind="code")
text("code-revoked", "revoked", "revoked", "as printed", lambda w: w.licences["revoked"].public_code, kind="code")
text(
    "code-small-letters", "valid", "", "as people type it",
    lambda w: "-".join(w.licences["good"].public_code.lower()).replace("0", "o").replace("1", "l"), kind="code",
)  # fmt: skip
text("code-unknown", "unknown", "not_on_record", "nobody's", lambda _: "7ZZZZZZZZZZZZZZZZZZZZZZZZZ", kind="code")
text("identifier-good", "valid", "", "", lambda w: w.licences["company"].identifier, kind="identifier")
text(
    "identifier-never-given", "unknown", "not_on_record", "right in form",
    lambda w: other_identifier(w.licences["company"].identifier), kind="identifier",
)  # fmt: skip
text(
    "identifier-wrong-check", "unknown", "bad_check", "one character differs",
    lambda w: w.licences["company"].identifier[:-1] + ("0" if w.licences["company"].identifier[-1] != "0" else "1"),
    kind="identifier",
)  # fmt: skip
text("text-without-a-code", "unknown", "no_code", "", lambda _: "please verify my licence", kind="code")

# --- pictures ---

for _name, _expect, _fault, _comment, _picture in (
    ("good", "valid", "", "the face is compared by a person", lambda w: picture(w.token("good"))),
    ("jpeg", "valid", "", "", lambda w: picture(w.token("good"), kind="JPEG")),
    ("changed", "forged", "bad_signature", "", lambda w: picture(flipped(w.token("good")))),
    (
        "two-codes", "unknown", "two_codes", "two licences in one picture: never pick one",
        lambda w: picture(w.token("good"), w.token("revoked")),
    ),
    (
        "two-tokens-in-one-code", "unknown", "two_codes", "one QR code that says two tokens",
        lambda w: picture(f"{w.token('good')} {tokens.digits_of(w.token('revoked'))}"),
    ),
    ("no-code", "unknown", "no_code", "", lambda _: blank_picture()),
    ("foreign-code", "unknown", "no_code", "", lambda _: picture("https://example.org/menu")),
    ("cut", "unknown", "malformed", "half a PNG", lambda w: picture(w.token("good"))[:500]),
):  # fmt: skip
    file(f"picture-{_name}", _expect, _fault, _comment, _picture, kind="image")

# --- files ---


def gap(pdf: bytes) -> tuple[int, int]:
    start = pdf.index(b"<30", pdf.index(b"/ByteRange")) + 1
    return start, pdf.index(b">", start)


def padding_changed(w: World) -> bytes:
    pdf = w.pdfs["good"]
    _, end = gap(pdf)
    return pdf[: end - 1] + b"1" + pdf[end:]


def capitals(w: World) -> bytes:
    pdf = w.pdfs["good"]
    start, end = gap(pdf)
    return pdf[:start] + pdf[start:end].upper() + pdf[end:]


def moved_seal(w: World) -> bytes:
    pdf, other = w.pdfs["good"], w.pdfs["revoked"]
    (start, end), (begin, stop) = gap(pdf), gap(other)
    return pdf[:start] + other[begin:stop].ljust(end - start, b"0")[: end - start] + pdf[end:]


def page_changed(w: World) -> bytes:
    pdf = w.pdfs["good"]
    place = pdf.rindex(b"endstream", 0, pdf.index(b"/ByteRange")) - 20
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


def attachment_changed(w: World) -> bytes:
    pdf = w.pdfs["good"]
    place = pdf.index(b"stream", pdf.index(b"/EmbeddedFile")) + 40
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


def other_seal(w: World) -> bytes:
    own = piece(w.lib, shop(20))
    kit = piece(w.lib, company_request()).kit
    return sealed_file(w.lib, replace(own, kit=replace(own.kit, sealer=kit.sealer, seal_kid=kit.seal_kid)))


for _name, _expect, _fault, _comment, _file in (
    ("good", "valid", "", "the very bytes that were recorded", lambda w: w.pdfs["good"]),
    ("revoked", "revoked", "revoked", "the seal is good for ever, the licence is not", lambda w: w.pdfs["revoked"]),
    ("bytes-appended", "forged", "not_fully_covered", "a line end", lambda w: appended(b"\n")(w.pdfs["good"])),
    (
        "second-revision", "forged", "modified_after_sealing", "a lawful incremental update",
        lambda w: with_revision(1, b"<< /Type /Catalog >>")(w.pdfs["good"]),
    ),
    ("page-changed", "forged", "bad_signature", "one bit of a stream", page_changed),
    ("attachment-changed", "forged", "bad_signature", "one bit of record.json", attachment_changed),
    ("seal-moved", "forged", "bad_signature", "the seal of another file", moved_seal),
    ("padding-changed", "forged", "modified_after_sealing", "a digit that no seal covers", padding_changed),
    ("seal-in-capitals", "forged", "malformed", "digits that no seal covers", capitals),
    ("seal-removed", "forged", "unsigned", "saved again without it", lambda w: unsealed(w.pdfs["good"])),
    ("cut", "forged", "malformed", "the last 1000 bytes are missing", lambda w: w.pdfs["good"][:-1000]),
    (
        "not-on-record", "unknown", "not_on_record", "sealed with the agency's key, never recorded",
        lambda w: sealed_file(w.lib, piece(w.lib, shop(20))),
    ),
    (
        "other-bytes-on-record", "forged", "differs_from_record", "sealed again under a recorded identifier",
        lambda w: sealed_file(w.lib, piece(w.lib, shop(1), identifier=w.licences["good"].identifier)),
    ),
    (
        "code-of-another-licence", "forged", "does_not_match_document", "right key, another licence's code on the page",
        lambda w: sealed_file(w.lib, piece(w.lib, shop(20)), code_on_page=w.token("good")),
    ),
    (
        "token-of-another-licence", "forged", "does_not_match_document", "right key, another licence's token inside",
        lambda w: sealed_file(w.lib, piece(w.lib, shop(20)), token=token_of(w.lib, piece(w.lib, shop(21)))),
    ),
    ("seal-of-another-agency", "untrusted_issuer", "another_agency", "a good seal, of other people", other_seal),
    (
        "look-alike", "untrusted_issuer", "untrusted_issuer", "all names right, the root somebody's own",
        lambda w: sealed_file(w.lib, piece(w.lib, shop(20), kit=throwaway_kit(CITY, now=WORLD_AT))),
    ),
    ("of-a-withdrawn-key", "untrusted_issuer", "key_withdrawn", "sealed honestly before", lambda w: w.pdfs["stolen"]),
    (
        "scan", "unknown", "unsigned", "no seal; the code on it is genuine, the face is a person's business",
        lambda w: scan_of(picture(w.token("good"))),
    ),
    ("no-pdf", "unknown", "malformed", "", lambda _: b"%PDF-1.7\n" + b"garbage " * 100),
):  # fmt: skip
    file(f"file-{_name}", _expect, _fault, _comment, _file)
file(
    "file-after-its-certificate", "valid", "", "the certificate ended in 2027; what counts is the time of sealing",
    lambda w: w.pdfs["good"], at=LATER,
)  # fmt: skip

# --- without network ---

_OFFLINE: Final = {"source": "offline"}
for _name, _expect, _fault, _comment, _given, _more in (
    ("token-good", "valid_offline", "", "", lambda w: w.token("good"), {}),
    ("token-revoked", "revoked", "revoked", "by the snapshot", lambda w: w.token("revoked"), {}),
    (
        "token-stale", "unknown", "stale_trust", "the pack was due eight days ago", lambda w: w.token("good"),
        {"at": "2026-11-30T13:00:00Z"},
    ),
    (
        "token-stale-revoked", "revoked", "revoked", "what ended stays ended", lambda w: w.token("revoked"),
        {"at": "2026-11-30T13:00:00Z"},
    ),
    ("token-changed", "forged", "bad_signature", "", lambda w: flipped(w.token("good")), {}),
    (
        "token-strange-list", "unknown", "no_status_list", "a status list that the pack does not have",
        lambda w: resigned(w.lib, w.licences["good"], status_uri="https://elsewhere.example/s/0"), {},
    ),
    ("token-of-a-withdrawn-key", "untrusted_issuer", "key_withdrawn", "", lambda w: w.token("stolen"), {}),
    ("token-not-yet", "not_yet_effective", "not_yet_effective", "", lambda w: w.token("term"), {}),
    ("code", "unknown", "needs_network", "", lambda w: w.licences["good"].public_code, {"kind": "code"}),
    (
        "file-good", "valid_offline", "", "its parts agree, its record cannot be asked", lambda w: w.pdfs["good"],
        {"kind": "pdf", "input": "file"},
    ),
    (
        "file-code-of-another-licence", "forged", "does_not_match_document", "",
        lambda w: sealed_file(w.lib, piece(w.lib, shop(20)), code_on_page=w.token("good")),
        {"kind": "pdf", "input": "file"},
    ),
    ("picture-good", "valid_offline", "", "", lambda w: picture(w.token("good")), {"kind": "image", "input": "file"}),
):  # fmt: skip
    vector(f"offline-{_name}", _expect, _fault, **{**_OFFLINE, "comment": _comment, **_more})(_given)
