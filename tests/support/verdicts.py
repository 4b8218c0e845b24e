"""Makers for tests of verifying: licences in a library, tokens that only a thief or a fool would sign, pictures."""

import io
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import cbor2
from PIL import Image

from certlib.enrolling import issuing_kit
from certlib.identifiers import LicenceIdentifier, licence_identifier
from certlib.issuing import issue
from certlib.library import Library
from certlib.lifecycle import StatusRequest, change_status
from certlib.model import Holder, Licence, OverallWord, Status
from certlib.trusting import OfflineTrust, open_offline, publish
from certlib.verdict import Check, CheckName, Verdict
from certlib.verifying import verify
from signing import cose, qr, tokens
from signing.keys import SigningKey
from tests.support.libraries import CITY, company_request

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def issued(lib: Library, number: str = "91990200MA7EXAM18U", **changes: object) -> Licence:
    """A company's licence, issued for real."""
    return issue(lib, company_request(number, **changes)).licence


def shop_request(number: str = "0001234567890123", **changes: object) -> object:
    """A lawful request of the other agency, for a person, in another scheme and zone."""
    parts: dict[str, object] = {
        "agency_code": CITY.code,
        "type_code": "seattle-business-licence",
        "holders": (Holder(name="Ada Q Sample", code="", code_type=""),),
        "fields": {"trade_name": "SAMPLE TEA", "street_address": "1 Example Ave"},
    }
    return company_request(number, **{**parts, **changes})


def shop(lib: Library, number: str = "0001234567890123", **changes: object) -> Licence:
    return issue(lib, shop_request(number, **changes)).licence  # type: ignore[arg-type]  # a request it is


def changed(lib: Library, licence: Licence, to: Status) -> None:
    """Change the status as an operator would."""
    order = StatusRequest(to=to, reason="试验", document_number="样监〔2026〕1号", operator="tests")
    change_status(lib, licence.identifier, order)


def asked(lib: Library, given: bytes | str) -> Verdict:
    """The live verdict now."""
    return verify(given, lib, now=lib.now())


def offline(lib: Library) -> OfflineTrust:
    """What a verifier has that fetched the trust pack now."""
    return open_offline(publish(lib).data, anchor_spki_der=lib.anchor_spki_der, now=lib.now())


def of(verdict: Verdict, name: CheckName) -> Check:
    """The check of this name."""
    return next(each for each in verdict.checks if each.name is name)


def answer(verdict: Verdict) -> tuple[OverallWord, str]:
    return verdict.word, verdict.fault


def token_key(lib: Library, agency_code: str) -> SigningKey:
    """The private token key of an agency: what a thief would have."""
    return issuing_kit(lib, agency_code).token_key


def claims_of(lib: Library, licence: Licence) -> tokens.TokenClaims:
    """The claims in a licence's token."""
    kit = issuing_kit(lib, licence.agency_code)
    return tokens.verify_token(licence.token, kit.token_keys, now=lib.now()).claims


def resigned(lib: Library, licence: Licence, key: SigningKey | None = None, **changes: object) -> str:
    """The licence's token with other claims, signed by the agency's own key or another one."""
    claims = replace(claims_of(lib, licence), **changes)  # type: ignore[arg-type]  # claims by name
    signer = key or token_key(lib, licence.agency_code)
    return tokens.token_url("https://licences.example/q#", tokens.sign_token(claims, signer))


def other_identifier(identifier: str) -> LicenceIdentifier:
    """An identifier of the same agency and type that was never given."""
    root, type_code, agency, _, version, _ = identifier.rsplit(".", 5)
    scheme = "gbt36904" if root == "1.2.156.3005.2" else "plain"
    return licence_identifier(
        scheme=scheme, root=root, type_code=type_code, agency_code=agency,
        serial="20261122ZZZZZZZZZZZZ", version=int(version),
    )  # fmt: skip


def malleated(text: str) -> str:
    """The token with the second valid signature that anybody can make: s becomes n - s."""
    message = tokens.cose_of(tokens.digits_of(text))
    s = int.from_bytes(message[-32:])
    return tokens.token_digits(message[:-32] + (P256_ORDER - s).to_bytes(32))


def flipped(text: str) -> str:
    """The token with one bit of its payload changed."""
    message = bytearray(tokens.cose_of(tokens.digits_of(text)))
    message[60] ^= 1
    return tokens.token_digits(bytes(message))


def payload_of(text: str) -> Mapping[object, object]:
    """The CBOR map inside a token, unverified."""
    content = cbor2.loads(zlib.decompress(cose.read_sign1(tokens.cose_of(tokens.digits_of(text))).payload, -15))
    assert isinstance(content, dict)
    return content


def picture(*texts: str, kind: str = "PNG") -> bytes:
    """A picture that shows QR codes side by side."""
    codes = [Image.open(io.BytesIO(qr.qr_png(text, module_pixels=6))).convert("L") for text in texts]
    sheet = Image.new("L", (sum(each.width for each in codes) + 40, max(each.height for each in codes) + 40), 255)
    left = 20
    for each in codes:
        sheet.paste(each, (left, 20))
        left += each.width
    out = io.BytesIO()
    sheet.save(out, kind)
    return out.getvalue()


def blank_picture() -> bytes:
    out = io.BytesIO()
    Image.new("L", (300, 200), 255).save(out, "PNG")
    return out.getvalue()


def at(lib: Library, moment: datetime, given: bytes | str) -> Verdict:
    """The live verdict at another moment."""
    return verify(given, lib, now=moment)
