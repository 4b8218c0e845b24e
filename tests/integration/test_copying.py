"""Purpose-bound copies: what stands in them, what does not, and what a verifier says."""

import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import cbor2
import pikepdf
import pypdfium2 as pdfium
import pytest

from certlib import foreign
from certlib.copying import bound_copy
from certlib.errors import InvalidRequestError, SetupError, TypeFolderError
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Holder, Licence
from certlib.store import agencies, lookups
from certlib.trusting import publish
from certlib.verdict import CheckName
from certlib.verifying import verify
from signing import qr, tokens
from templates import raster
from templates.fonts import FontBook
from tests.support import forms
from tests.support.clock import Clock
from tests.support.copies import USE_CODE, copy_of, every_field, made_for, record_in, token_in
from tests.support.foreign import foreign_request
from tests.support.invariants import check_invariants
from tests.support.libraries import CITY, MARKET_BUREAU, company_request
from tests.support.verdicts import answer, of, offline, payload_of

LONG_SCOPE = "一般项目：茶具销售；会议及展览服务；日用百货销售。" * 120
RARE = "𠮷"


def shipped_licence(lib: Library, code: str) -> Licence:
    """The sample of a shipped type, issued."""
    request = forms.sample_request(forms.shipped_form(code, FontBook()))
    agency = CITY if code.startswith("seattle") else MARKET_BUREAU
    begin = min(request.effective_on, lib.now().date() - timedelta(days=2))
    return issue(lib, replace(request, agency_code=agency.code, effective_on=begin, operator="tests")).licence


def page_texts(pdf: bytes) -> list[str]:
    """The words of each page without blanks, as another program reads them."""
    with pdfium.PdfDocument(pdf) as document:
        return ["".join(page.get_textpage().get_text_bounded().split()) for page in document]


def everything(pdf: bytes) -> str:
    """All that a curious person could find: words, unpacked streams, strings of the file, the token's claims."""
    found = page_texts(pdf)
    with pikepdf.open(io.BytesIO(pdf)) as document:
        for each in document.objects:
            if isinstance(each, pikepdf.Stream):
                data = each.read_raw_bytes() if each.get("/Filter") == "/DCTDecode" else each.read_bytes()
                found += [data.decode("utf-8", "replace"), data.decode("utf-16-be", "replace")]
            found.append(str(each) if isinstance(each, pikepdf.String) else repr(each))
    found.append(str(payload_of(token_in(pdf))))
    return "".join("".join(found).split())


def has(text: str, value: str) -> bool:
    return "".join(value.split()) in text


def pictures(pdf: bytes) -> int:
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return sum(
            isinstance(each, pikepdf.Stream) and each.get("/Filter") == "/DCTDecode" for each in document.objects
        )


@pytest.fixture
def licence(sqlite_library: Library) -> Licence:
    return issue(sqlite_library, company_request()).licence


@pytest.mark.parametrize("code", forms.SHIPPED)
def test_each_shipped_type_as_a_copy(sqlite_library: Library, code: str) -> None:
    lib, licence = sqlite_library, shipped_licence(sqlite_library, code)
    copy = copy_of(lib, licence)
    for text in page_texts(copy.pdf):
        assert has(text, f"for {CITY.name}, 子女入学 school entry, until 2026-12-")
        assert has(text, f"仅供 {CITY.name} 用于 子女入学 school entry 至 2026-12-")
        assert "COPY,notthelicence" in text
        assert text.count("用于子女入学schoolentry至") > 8, "across the page, not once"
    assert answer(verify(copy.pdf, lib, now=lib.now())) == ("bound_copy", "made_for_another")
    assert answer(verify(copy.pdf, lib, now=lib.now(), asker=CITY.code)) == ("valid", "")
    assert answer(verify(copy.pdf, offline(lib), now=lib.now())) == ("bound_copy", "made_for_another")


@pytest.mark.parametrize("code", forms.SHIPPED)
def test_the_code_of_a_copy_is_read_from_its_page(sqlite_library: Library, code: str) -> None:
    lib, licence = sqlite_library, shipped_licence(sqlite_library, code)
    copy = copy_of(lib, licence, purpose="子女入学报名资格核验及居住情况比对" * 11)
    width, height, grey = raster.page_image(copy.pdf, 200)
    assert qr.read_page_codes(grey, width, height) == (token_in(copy.pdf),)
    photo = raster.page_png(copy.pdf, 200, page=0)
    assert answer(verify(photo, lib, now=lib.now())) == ("bound_copy", "made_for_another")
    assert answer(verify(token_in(copy.pdf), lib, now=lib.now())) == ("bound_copy", "made_for_another")


@pytest.mark.parametrize("code", forms.SHIPPED)
@pytest.mark.parametrize("granted", [frozenset(), frozenset({"number"}), frozenset({"holder_name", "effective_on"})])
def test_what_was_not_granted_is_nowhere(sqlite_library: Library, code: str, granted: frozenset[str]) -> None:
    lib, licence = sqlite_library, shipped_licence(sqlite_library, code)
    copy = copy_of(lib, licence, granted)
    whole, face = everything(copy.pdf), "".join(page_texts(copy.pdf))
    values = {
        "number": licence.number,
        "holder_name": licence.holders[0].name,
        "holder_code": licence.holders[0].code,
        **licence.fields,
    }
    for name, value in values.items():
        if value in licence.identifier:
            continue  # such as a postal code in the agency's code
        if name in granted or any(value in values.get(each, "") for each in granted):
            assert name not in granted or has(face, value), name
        elif len(value) > 3:
            assert not has(whole, value), name
    for day, name in ((licence.issued_on, "issued_on"), (licence.effective_on, "effective_on")):
        shown = {f"{day:%Y%m%d}", f"{day.year}年{day.month:02d}月{day.day:02d}日", f"{day:%B}{day.day},{day.year}"}
        same = licence.issued_on == licence.effective_on and granted & {"issued_on", "effective_on"}
        if name not in granted and not same:
            # The serial of an identifier begins with the day of issue, and every copy names its identifier.
            text = whole.replace(licence.identifier, "").replace(copy.name, "")
            assert not any(each in text for each in shown), name
    assert not has(whole, licence.public_code)
    assert pictures(copy.pdf) == 0
    assert "***" in face, "it says that something is left out, not that there is nothing"
    assert answer(verify(copy.pdf, lib, now=lib.now())) == ("bound_copy", "made_for_another")


def test_a_name_that_is_left_out_leaves_no_letter_behind(sqlite_library: Library) -> None:
    request = company_request(holders=(Holder(name=f"甬江{RARE}茶庄", code="91990200MA7EXAM18U", code_type="001"),))
    copy = copy_of(sqlite_library, issue(sqlite_library, request).licence, {"number"})
    assert "d842dfb7" not in everything(copy.pdf), "nor in a font made for this file"


def test_an_end_that_is_left_out_is_not_said_to_be_none(sqlite_library: Library) -> None:
    licence = shipped_licence(sqlite_library, "seattle-business-licence")
    (face,) = page_texts(copy_of(sqlite_library, licence, {"number"}).pdf)
    assert not re.search("noexpir|long.?term|doesnotexpire", face, re.IGNORECASE)
    company = issue(sqlite_library, company_request()).licence
    (face,) = page_texts(copy_of(sqlite_library, company, {"effective_on"}).pdf)
    assert "2026年11月18日至***" in face
    assert "长期" not in face
    (face,) = page_texts(copy_of(sqlite_library, company, {"expires_on"}).pdf)
    assert "***至长期" in face


def test_a_picture_is_drawn_only_where_it_was_granted(sqlite_library: Library) -> None:
    licence = shipped_licence(sqlite_library, "practitioner-licence")
    assert pictures(copy_of(sqlite_library, licence, {"number", "photo"}).pdf) == 1
    assert pictures(copy_of(sqlite_library, licence, {"number"}).pdf) == 0


def test_sensitive_values_stay_masked(sqlite_library: Library) -> None:
    licence = shipped_licence(sqlite_library, "birth-certificate")
    copy = copy_of(sqlite_library, licence)
    assert not has(everything(copy.pdf), licence.fields["mother_code"])
    assert not has(everything(copy.pdf), licence.holders[0].code)
    assert "*" in str(record_in(copy.pdf)["KZ_MOTHER_CODE"])


def test_further_pages_say_it_too(sqlite_library: Library) -> None:
    request = company_request(fields={**company_request().fields, "business_scope": LONG_SCOPE})
    licence = issue(sqlite_library, request).licence
    pages = page_texts(copy_of(sqlite_library, licence).pdf)
    assert len(pages) > 1
    assert all(
        "仅供CityofRainport用于子女入学" in each and "foCityofRainport".replace("fo", "for") in each for each in pages
    )
    assert len(page_texts(copy_of(sqlite_library, licence, {"number", "holder_name"}).pdf)) == 1


@pytest.mark.parametrize(
    ("purpose", "printed"),
    [
        ("学" * 200, "学" * 39 + "…"),
        ("school " * 28, "schoolschool"),
        ("W" * 200, "W" * 39 + "…"),
        (f"核验{RARE}氏族谱", f"核验{RARE}氏族谱"),
        ("核验 🦄 登记", USE_CODE),
        ("ຫຼວງພະບາງ", USE_CODE),
        ("one\nline\tonly", "onelineonly"),
        ("right\u202eto left", "righttoleft"),
        ("\u202e\u200f", USE_CODE),
        ("\x1b[31mred", "[31mred"),
        ("Q\u0301" * 90, ""),
        ("()\\<>{}%&", "()\\<>{}%&"),
    ],
)
def test_any_purpose_can_be_printed(sqlite_library: Library, licence: Licence, purpose: str, printed: str) -> None:
    copy = copy_of(sqlite_library, licence, {"number"}, purpose=purpose)
    (face,) = page_texts(copy.pdf)
    assert f"用于{printed}" in face
    assert "\x1b" not in token_in(copy.pdf)
    verdict = verify(copy.pdf, sqlite_library, now=sqlite_library.now())
    assert answer(verdict) == ("bound_copy", "made_for_another")
    assert not any(
        unicodedata.category(char) in {"Cc", "Cf"} for char in of(verdict, CheckName.MADE_FOR).evidence["purpose"]
    )


def test_an_asker_whose_name_no_font_has_is_named_by_its_code(sqlite_library: Library, licence: Licence) -> None:
    (face,) = page_texts(copy_of(sqlite_library, licence, {"number"}, agency_name="ຫຼວງພະບາງ").pdf)
    assert f"仅供{CITY.code}用于" in face


def test_the_record_of_a_copy(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    until = clock() + timedelta(days=3)
    copy = copy_of(sqlite_library, licence, {"number", "holder_name", "legal_representative"}, until=until)
    record = record_in(copy.pdf)
    assert record.pop("token")
    assert record == {
        "format": "certlib-copy-1",
        "certificateIdentifier": licence.identifier,
        "certificateName": "营业执照",
        "certificateTypeName": "营业执照",
        "certificateTypeCode": "11990000MB90000070001",
        "certificateNumber": licence.number,
        "certificateVersion": "001",
        "certificateIssuingAuthorityName": MARKET_BUREAU.name,
        "certificateIssuingAuthorityCode": MARKET_BUREAU.code,
        "certificateHolder": [{"certificateHolderName": licence.holders[0].name}],
        "typeDigest": licence.type_digest,
        "KZ_LEGAL_REPRESENTATIVE": "林样知",
        "certificateCopyCause": "子女入学 school entry",
        "certificateCopyCreator": CITY.name,
        "certificateCopyCreatorCode": CITY.code,
        "certificateCopyCreationTime": f"{clock():%Y%m%dT%H%M%SZ}",
        "certificateCopyExpiringTime": f"{until:%Y%m%dT%H%M%SZ}",
        "useCode": USE_CODE,
    }


def test_its_title_name_and_look_up_line_say_copy(sqlite_library: Library, licence: Licence) -> None:
    copy = copy_of(sqlite_library, licence, {"holder_name"})
    assert copy.name == f"营业执照_加注件_{USE_CODE}.pdf"
    english = copy_of(sqlite_library, shipped_licence(sqlite_library, "seattle-business-licence"))
    assert "_copy_" in english.name
    with pikepdf.open(io.BytesIO(copy.pdf)) as document:
        assert "加注件 COPY" in str(document.docinfo["/Title"])
        assert licence.number not in str(document.docinfo["/Title"])
        assert "加注件 COPY" in document.open_metadata()["dc:title"]
    (face,) = page_texts(copy.pdf)
    assert USE_CODE in face


def test_the_claims_of_its_token(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    claims = tokens.claims_unverified(token_in(copy_of(sqlite_library, licence, {"number", "registered_capital"}).pdf))
    assert claims.identifier == licence.identifier
    assert (claims.status_uri, claims.status_index) == (licence.status_list_uri, licence.status_index)
    assert claims.fields == {1: 1, 2: licence.number, 11: "1680000.00"}
    assert claims.not_before_at is None
    assert claims.expires_at == (clock() + timedelta(days=30)).replace(microsecond=0)
    assert claims.audience == tokens.Audience(code=CITY.code, reference=USE_CODE, purpose="子女入学 school entry")


def test_a_copy_never_outlives_its_licence(sqlite_library: Library, clock: Clock) -> None:
    last = clock().date() + timedelta(days=5)
    licence = issue(sqlite_library, company_request(expires_on=last)).licence
    copy = copy_of(sqlite_library, licence)
    claims = tokens.claims_unverified(token_in(copy.pdf))
    assert claims.expires_at == tokens.claims_unverified(licence.token).expires_at
    (face,) = page_texts(copy.pdf)
    assert has(face, f"至 {last}")


def test_its_own_end_is_to_the_second(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    until = clock().replace(microsecond=0) + timedelta(hours=2)
    copy = copy_of(sqlite_library, licence, until=until)
    for asker in ("", CITY.code):
        good = "valid" if asker else "bound_copy"
        for given in (copy.pdf, token_in(copy.pdf)):
            assert verify(given, sqlite_library, now=until, asker=asker).word == good
            late = verify(given, sqlite_library, now=until + timedelta(seconds=1), asker=asker)
            assert answer(late) == ("expired", "expired")
    trust = offline(sqlite_library)
    assert verify(copy.pdf, trust, now=until + timedelta(seconds=60)).word == "bound_copy"
    assert verify(copy.pdf, trust, now=until + timedelta(seconds=61)).word == "expired"


@pytest.mark.parametrize("asker", ["", MARKET_BUREAU.code, "CITY", CITY.code.lower(), f"{CITY.code} ", USE_CODE])
def test_nobody_else_gets_a_better_word(sqlite_library: Library, licence: Licence, asker: str) -> None:
    copy = copy_of(sqlite_library, licence)
    for given in (copy.pdf, token_in(copy.pdf), raster.page_png(copy.pdf, 200, page=0)):
        verdict = verify(given, sqlite_library, now=sqlite_library.now(), asker=asker)
        assert answer(verdict) == ("bound_copy", "made_for_another")


def test_without_network_nobody_can_prove_who_asks(sqlite_library: Library, licence: Licence) -> None:
    copy = copy_of(sqlite_library, licence)
    verdict = verify(copy.pdf, offline(sqlite_library), now=sqlite_library.now())
    assert of(verdict, CheckName.MADE_FOR).evidence == {
        "for_agency": CITY.code,
        "for_name": CITY.name,
        "purpose": "子女入学 school entry",
        "until": of(verdict, CheckName.MADE_FOR).evidence["until"],
        "use_code": USE_CODE,
    }
    assert verdict.shown["made_for"] == {
        "agency": {"code": CITY.code, "zh": CITY.name, "en": CITY.name_en},
        "purpose": "子女入学 school entry",
        "until": of(verdict, CheckName.MADE_FOR).evidence["until"],
        "use_code": USE_CODE,
    }


def test_nothing_of_the_licence_is_touched(library: Library) -> None:
    licence = issue(library, company_request()).licence
    pdf = lookups.pdf_of(library.store, licence)
    copy = copy_of(library, licence)
    assert lookups.licence_by_identifier(library.store, licence.identifier) == licence
    assert lookups.pdf_of(library.store, licence) == pdf
    assert verify(pdf, library, now=library.now()).word == "valid"
    assert copy.pdf != pdf
    assert verify(copy.pdf, library, now=library.now()).word == "bound_copy"
    check_invariants(library.store)


def test_a_withdrawn_key_spoils_its_copies_too(sqlite_library: Library, licence: Licence) -> None:
    lib, copy = sqlite_library, copy_of(sqlite_library, licence)
    for key in agencies.keys(lib.store, owner=MARKET_BUREAU.code):
        agencies.withdraw_key(
            lib.store, key.kid, withdrawn_at=lib.now(), reason="stolen", operator="tests", now=lib.now()
        )
    for given in (copy.pdf, token_in(copy.pdf)):
        verdict = verify(given, lib, now=lib.now(), asker=CITY.code)
        assert answer(verdict) == ("untrusted_issuer", "key_withdrawn")
    with pytest.raises(SetupError):
        copy_of(lib, licence)


def test_without_the_types_folder_there_is_no_copy(sqlite_library: Library, licence: Licence) -> None:
    bare = replace(sqlite_library, press=replace(sqlite_library.press, roots=(), folders={}, forms={}))
    with pytest.raises(TypeFolderError, match="its folder is gone, no copy can be drawn; put it back"):
        copy_of(bare, licence, {"number"})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"purpose": ""}, "purpose"),
        ({"purpose": " \n"}, "purpose"),
        ({"purpose": "x" * 201}, "purpose"),
        ({"agency_code": ""}, "agency_code"),
        ({"agency_code": "city"}, "agency_code"),
        ({"agency_code": "X" * 65}, "agency_code"),
        ({"agency_name": ""}, "agency_name"),
        ({"use_code": ""}, "use_code"),
        ({"use_code": "a b"}, "use_code"),
        ({"use_code": "码"}, "use_code"),
        ({"use_code": "x" * 65}, "use_code"),
    ],
)
def test_for_nobody_and_nothing_there_is_no_copy(
    sqlite_library: Library, licence: Licence, changes: dict[str, str], field: str
) -> None:
    asker = replace(made_for(sqlite_library), **changes)  # type: ignore[arg-type]  # texts by name
    with pytest.raises(InvalidRequestError) as refused:
        bound_copy(sqlite_library, licence, asker, fields=frozenset({"number"}))
    assert [fault.field for fault in refused.value.faults] == [field]


def test_a_copy_that_would_have_ended_is_refused(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    for until in (clock(), clock() - timedelta(days=1)):
        with pytest.raises(InvalidRequestError) as refused:
            copy_of(sqlite_library, licence, until=until)
        assert [(fault.field, fault.code) for fault in refused.value.faults] == [("until", "past")]


def test_a_licence_that_is_not_in_force_yet_does_not_look_as_if_it_were(sqlite_library: Library, clock: Clock) -> None:
    first = clock().date() + timedelta(days=40)
    lib, licence = sqlite_library, issue(sqlite_library, company_request(effective_on=first)).licence
    until = clock() + timedelta(days=90)
    copy = copy_of(lib, licence, {"number", "effective_on"}, until=until)
    for source in (lib, offline(lib)):
        assert verify(copy.pdf, source, now=lib.now(), asker=CITY.code).word == "not_yet_effective"
    with pytest.raises(InvalidRequestError) as refused:
        copy_of(lib, licence, {"number"}, until=until)
    assert refused.value.faults[0].code == "not_in_force"
    assert str(first) not in str(refused.value)
    with pytest.raises(InvalidRequestError) as refused:
        copy_of(lib, licence, until=clock() + timedelta(days=3))
    assert refused.value.faults[0].code == "before_effective"


def test_a_dense_code_says_less_of_the_purpose(sqlite_library: Library) -> None:
    licence = shipped_licence(sqlite_library, "seattle-business-licence")
    purpose = "".join(chr(0x4E00 + 7 * number) for number in range(200))
    said = tokens.claims_unverified(token_in(copy_of(sqlite_library, licence, purpose=purpose).pdf)).audience
    assert said is not None
    assert len(said.purpose) <= 60
    assert purpose.startswith(said.purpose.removesuffix("…"))


@pytest.mark.parametrize(
    "claim",
    [
        lambda claims: {"identifier": claims.identifier[:-1] + "X"},
        lambda claims: {"fields": {**claims.fields, 2: "91990200MA7EXAM18X"}},
        lambda claims: {"fields": {**claims.fields, 99: "x"}},
        lambda claims: {"status_index": claims.status_index ^ 1},
        lambda claims: {"status_uri": f"{claims.status_uri}0"},
        lambda claims: {"not_before_at": claims.issued_at - timedelta(days=3650)},
    ],
)
def test_a_stolen_key_makes_no_copy_of_what_is_not_recorded(
    sqlite_library: Library, licence: Licence, claim: Callable[[tokens.TokenClaims], dict[str, Any]]
) -> None:
    from tests.support.copies import resigned_copy  # noqa: PLC0415  # beside its only use

    pdf = copy_of(sqlite_library, licence).pdf
    token = resigned_copy(sqlite_library, licence, pdf, **claim(tokens.claims_unverified(token_in(pdf))))
    assert verify(token, sqlite_library, now=sqlite_library.now(), asker=CITY.code).word in {
        "forged",
        "untrusted_issuer",
    }


def test_one_bit_of_a_copy_changes_everything(sqlite_library: Library, licence: Licence) -> None:
    pdf = copy_of(sqlite_library, licence).pdf
    places = [match.start() + 30 for match in re.finditer(rb"stream\n", pdf)]
    for place in places[:: max(1, len(places) // 12)]:
        bad = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
        assert verify(bad, sqlite_library, now=sqlite_library.now(), asker=CITY.code).word == "forged", place


def test_two_copies_for_one_use_are_of_one_size_and_of_other_seals(sqlite_library: Library, licence: Licence) -> None:
    granted = every_field(sqlite_library, licence)
    first, second = (bound_copy(sqlite_library, licence, made_for(sqlite_library), fields=granted) for _ in range(2))
    assert first.sha256 != second.sha256
    assert abs(len(first.pdf) - len(second.pdf)) < 2000


def test_the_wire_form_is_deterministic_cbor(sqlite_library: Library, licence: Licence) -> None:
    content = payload_of(token_in(copy_of(sqlite_library, licence).pdf))
    assert list(content) == [2, 3, 4, 5, 6, 65535, -65537, -65538]
    assert cbor2.dumps(content, canonical=True) == cbor2.dumps(content)
    assert date.fromisoformat("2026-11-18") == licence.effective_on


def test_a_copy_by_another_library_is_nobodys_here(sqlite_library: Library, bridge: Library) -> None:
    foreign.import_pack(sqlite_library, publish(bridge).data, anchor=bridge.anchor_spki_der, operator="tests")
    licence = issue(bridge, foreign_request()).licence
    # Its code for an agency may be one of ours by chance.
    copy = copy_of(bridge, licence, {"number"}, agency_code=CITY.code)
    for given in (copy.pdf, token_in(copy.pdf)):
        for asker in ("", CITY.code):
            verdict = verify(given, sqlite_library, now=sqlite_library.now(), asker=asker)
            assert answer(verdict) == ("bound_copy", "made_for_another")
