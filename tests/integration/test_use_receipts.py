"""Receipts say what was asked and given and no value; strangers verify them; their paper stands before judges."""

import json
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from certlib.enrolling import RECEIPT
from certlib.errors import CertlibError, InvalidRequestError, NotFoundError, SetupError
from certlib.grants import Basis
from certlib.issuing import issue
from certlib.library import Library
from certlib.model import Licence
from certlib.sharing.receipt_pages import receipt_paper
from certlib.sharing.use_data import read_data, values_digest
from certlib.sharing.use_files import fetch, make_links
from certlib.sharing.use_receipts import check_receipt, receipt_json, use_receipt, verification_receipt
from certlib.sharing.uses import ask, decide
from certlib.store import agencies, audits
from certlib.trusting import live_pack
from certlib.verifying import verify
from signing.pades import attachments, verify_seal
from signing.receipts import verify_receipt
from templates.raster import page_text
from tests.support.clock import Clock
from tests.support.invariants import check_invariants
from tests.support.judges import judge_by_pdfa, judge_seal, judges_bench
from tests.support.libraries import MARKET_BUREAU, company_request
from tests.support.sharing import COMPANY_FIELDS, asker, asking, granted
from tests.support.uses import FIELDS, HOLDER, STRANGER, TYPE, use_request

VALUES = ("甬江样本茶叶贸易有限公司", "望湖街道", "林样知")


@pytest.fixture
def licence(sqlite_library: Library) -> Licence:
    return issue(sqlite_library, company_request()).licence


def by_a_stranger(lib: Library, text: str) -> dict[str, object]:
    """The payload, as another JOSE library reads it by the key that the trust pack names."""
    header = json.loads(jws.extract_compact(text.encode()).headers()["kid"].join(('"', '"')))
    key = next(each for each in live_pack(lib, now=lib.now()).keys if each.kid.hex() == header)
    verified = jws.deserialize_compact(text, ECKey.import_key(key.spki_der), algorithms=["ES256"])
    payload = json.loads(verified.payload)
    assert isinstance(payload, dict)
    return payload


def test_a_receipt_of_a_use(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    granted(sqlite_library)
    use, _ = ask(sqlite_library, asker(), use_request())
    early = use_receipt(sqlite_library, asker(), use.id)
    assert (early.result["state"], early.result["licences"], early.result["looks"]) == ("granted", [], [])
    read = read_data(sqlite_library, asker(), use.id)
    clock.move(minutes=1)
    (link,) = make_links(sqlite_library, asker(), use.id)
    copy = fetch(sqlite_library, link.secret, address="127.0.0.1")
    receipt = use_receipt(sqlite_library, asker(), use.id)
    said = by_a_stranger(sqlite_library, receipt.jws)
    assert (said["jti"], said["act"], said["subject"]) == (receipt.id, "use", use.id)
    assert (said["asked_by"], said["operator"]) == ("RAINPORT", "Li Min")
    assert said["purpose"] == "330200-0107 2026-000117 Application for a food permit"
    result = said["result"]
    assert result == receipt.result == receipt_json(receipt)["result"]
    assert isinstance(result, dict)
    (part,) = result["types"]
    assert (part["type"], part["fields"], part["clause"]) == (TYPE, list(FIELDS), "Licensing Act, section 12 (3)")
    (one,) = result["licences"]
    assert (one["identifier"], one["number"], one["word"]) == (licence.identifier, HOLDER, "valid")
    assert [each["kind"] + " " + each["outcome"] for each in result["looks"]] == [
        "data given", "file offered", "file given",
    ]  # fmt: skip
    assert [each["sha256"] for each in result["copies"]] == [copy.sha256]
    assert not any(value in json.dumps(said, ensure_ascii=False) for value in VALUES)
    of_data = by_a_stranger(sqlite_library, read.receipt)
    (seen,) = of_data["result"]["licences"]  # type: ignore[index]  # a JSON object
    assert seen["values_sha256"] == values_digest(read.licences[0].fields)
    assert of_data["jti"] == read.receipt_id
    assert [each.subject for each in audits.read_chain(sqlite_library.store) if each.act == "receipt.given"] == [
        early.id, receipt.id,
    ]  # fmt: skip
    check_invariants(sqlite_library.store)


def test_a_receipt_tells_nothing_that_no_look_stands_for(sqlite_library: Library, licence: Licence) -> None:
    granted(sqlite_library, basis=Basis.CONSENT, clause="")
    receipts = []
    for holder in (HOLDER, STRANGER):
        use, _ = ask(sqlite_library, asker(), use_request(holder_code=holder))
        receipts.append(dict(use_receipt(sqlite_library, asker(), use.id).result))
        decide(sqlite_library, holder, use.id, approve=True, by="holder")
        receipts.append(dict(use_receipt(sqlite_library, asker(), use.id).result))
    for each in receipts:
        each.pop("use_code")
        assert licence.identifier not in str(each)
    assert receipts[:2] == receipts[2:]
    with pytest.raises(NotFoundError):
        use_receipt(sqlite_library, asker(MARKET_BUREAU.code), use.id)


def test_a_number_that_was_not_granted_is_not_in_it(sqlite_library: Library, licence: Licence) -> None:
    granted(sqlite_library, fields=("address",))
    use, _ = ask(sqlite_library, asker(), use_request(fields={}))
    read_data(sqlite_library, asker(), use.id)
    receipt = use_receipt(sqlite_library, asker(), use.id)
    assert HOLDER not in str(receipt.result).replace(licence.identifier, "")
    assert HOLDER not in page_text(receipt_paper(sqlite_library, receipt).pdf)


def test_a_receipt_of_a_verification(sqlite_library: Library, licence: Licence) -> None:
    for text, word in ((licence.token, "valid"), (licence.public_code, "valid"), ("nonsense", "unknown")):
        receipt, verdict = verification_receipt(sqlite_library, asker(), text, asking())
        assert verdict.word == word
        said = by_a_stranger(sqlite_library, receipt.jws)
        result = said["result"]
        assert isinstance(result, dict)
        assert (result["word"], said["act"]) == (word, "verify")
        assert said["subject"] == (licence.identifier if word == "valid" else "")
        assert not any(value in json.dumps(said, ensure_ascii=False) for value in VALUES)
        assert receipt_paper(sqlite_library, receipt).pdf.startswith(b"%PDF-")
    bare = asking(matter_code="", case_number="", purpose="")
    assert verification_receipt(sqlite_library, asker(), licence.token, bare)[0].jws
    for asked, text, field in (
        (asking(operator=" "), "x", "operator"),
        (asking(purpose="x" * 201), "x", "purpose"),
        (asking(case_number="\x00"), "x", "case_number"),
        (asking(), " ", "text"),
        (asking(), "x" * 20_001, "text"),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            verification_receipt(sqlite_library, asker(), text, asked)
        assert [each.field for each in caught.value.faults] == [field]


def test_a_receipt_is_checked(sqlite_library: Library, licence: Licence, clock: Clock) -> None:
    receipt, _ = verification_receipt(sqlite_library, asker(), licence.token, asking())
    found = check_receipt(sqlite_library, f" {receipt.jws}\n")
    assert (found.genuine, found.fault) == (True, "")
    assert found.says is not None
    assert found.says["id"] == receipt.id
    pack = live_pack(sqlite_library, now=clock())
    assert verify_receipt(receipt.jws, pack, now=clock()).receipt.receipt_id == receipt.id
    head, body, tail = receipt.jws.split(".")
    for text, fault in (
        ("", "malformed"),
        ("x.y.z", "malformed"),
        (f"{head}.{body}.", "unsigned"),
        (f"{head}.{body[:-4]}AAAA.{tail}", "bad_signature"),
        ("\ud800", "malformed"),
        ("x" * 300_000, "too_large"),
    ):
        refused = check_receipt(sqlite_library, text)
        assert (refused.genuine, refused.fault, refused.says) == (False, fault, None)
    (key,) = agencies.keys(sqlite_library.store, purpose=RECEIPT)
    agencies.withdraw_key(
        sqlite_library.store, key.kid, withdrawn_at=clock(), reason="lost", operator="tests", now=clock()
    )
    assert check_receipt(sqlite_library, receipt.jws).fault == "key_withdrawn"


def test_the_paper_stands_before_all_judges(sqlite_library: Library, licence: Licence, tmp_path: Path) -> None:
    granted(sqlite_library)
    use, _ = ask(sqlite_library, asker(), use_request())
    read_data(sqlite_library, asker(), use.id)
    receipt = use_receipt(sqlite_library, asker(), use.id)
    paper = receipt_paper(sqlite_library, receipt)
    pdf = tmp_path / paper.name
    pdf.write_bytes(paper.pdf)
    root = sqlite_library.root_certificate_der
    (tmp_path / "bench").mkdir()
    judge_seal(pdf, judges_bench(tmp_path / "bench", root))
    judge_by_pdfa(pdf)
    seal = verify_seal(paper.pdf, roots_der=(root,), now=sqlite_library.now())
    attached = json.loads(attachments(paper.pdf, seal=seal)["receipt.json"])
    assert (attached["jws"], attached["receipt_id"]) == (receipt.jws, receipt.id)
    assert check_receipt(sqlite_library, attached["jws"]).genuine
    words = page_text(paper.pdf)
    for expected in (
        receipt.id,
        use.id,
        licence.identifier,
        "Li Min",
        "Licensing Act",
        "有效 Valid",
        "City of Rainport",
    ):
        assert expected in words
    with pikepdf.open(pdf) as document:
        assert len(document.pages) == 1
    assert not any(value in words for value in VALUES)
    # Nobody takes a receipt for a licence.
    assert verify(paper.pdf, sqlite_library, now=sqlite_library.now()).word == "untrusted_issuer"


def test_the_receipt_key_is_certified_once(sqlite_library: Library, licence: Licence) -> None:
    receipt, _ = verification_receipt(sqlite_library, asker(), licence.token, asking())
    receipt_paper(sqlite_library, receipt)
    (first,) = agencies.keys(sqlite_library.store, purpose=RECEIPT)
    receipt_paper(sqlite_library, receipt)
    (second,) = agencies.keys(sqlite_library.store, purpose=RECEIPT)
    assert first == second
    assert first.certificate_der is not None
    assert [each.act for each in audits.records_about(sqlite_library.store, first.kid)] == [
        "key.added", "key.certified",
    ]  # fmt: skip
    assert check_receipt(sqlite_library, receipt.jws).genuine


def test_any_words_find_their_place_on_paper(sqlite_library: Library) -> None:
    receipt, _ = verification_receipt(sqlite_library, asker(), "nonsense", asking())
    hardest = (
        asking(purpose="为办理食品经营许可核对营业执照" * 14 + "附加说明书", operator="W" * 100, matter_code="W" * 64),
        asking(purpose="permit 🐉 𠮷 ﷽ ۞", operator="Žofia Ñandú"),
        asking(purpose="".join(chr(0x1F300 + n) for n in range(200)), case_number="W" * 64),
        asking(purpose="W" * 200, operator="龘" * 100, case_number="𝔚" * 64),
    )
    for said in hardest:
        assert len(said.purpose) <= 220
        words = page_text(receipt_paper(sqlite_library, replace(receipt, asking=said)).pdf)
        assert receipt.id in words
    assert "[U+1F409]" in page_text(receipt_paper(sqlite_library, replace(receipt, asking=hardest[1])).pdf)


def test_many_licences_and_many_fields(sqlite_library: Library, licence: Licence) -> None:
    granted(sqlite_library, fields=(*COMPANY_FIELDS, "established_on", "registration_authority"))
    use, _ = ask(sqlite_library, asker(), use_request(fields={}))
    read_data(sqlite_library, asker(), use.id)
    receipt = use_receipt(sqlite_library, asker(), use.id)
    licences = receipt.result["licences"]
    assert isinstance(licences, list)
    more = replace(receipt, result={**receipt.result, "licences": licences * 9, "state": "granted"})
    words = page_text(receipt_paper(sqlite_library, more).pdf)
    assert "3 more in the attached" in words
    assert licence.identifier in words


@pytest.mark.parametrize("state", ["pending", "declined", "withdrawn", "expired"])
def test_what_was_not_given_is_said(sqlite_library: Library, clock: Clock, state: str) -> None:
    granted(sqlite_library, basis=Basis.CONSENT, clause="")
    use, _ = ask(sqlite_library, asker(), use_request())
    if state in ("withdrawn", "declined"):
        if state == "withdrawn":
            decide(sqlite_library, HOLDER, use.id, approve=True, by="holder")
        decide(sqlite_library, HOLDER, use.id, approve=False, by="holder")
    if state == "expired":
        clock.move(days=4)
    receipt = use_receipt(sqlite_library, asker(), use.id)
    assert receipt.result["state"] == state
    words = {
        "pending": "Waiting",
        "declined": "declined",
        "withdrawn": "took the consent back",
        "expired": "time is over",
    }
    assert words[state] in page_text(receipt_paper(sqlite_library, receipt).pdf)


def test_without_the_root_there_is_no_paper_but_a_receipt(sqlite_library: Library, licence: Licence) -> None:
    (root,) = agencies.keys(sqlite_library.store, purpose="root")
    (sqlite_library.settings.home / root.uri.removeprefix("file:")).rename(sqlite_library.settings.home / "safe.pem")
    signer = replace(
        sqlite_library.signer, opened={k: v for k, v in sqlite_library.signer.opened.items() if k != root.uri}
    )
    lib = replace(sqlite_library, signer=signer)
    receipt, _ = verification_receipt(lib, asker(), licence.token, asking())
    assert check_receipt(lib, receipt.jws).genuine
    with pytest.raises(CertlibError) as caught:
        receipt_paper(lib, receipt)
    assert isinstance(caught.value, SetupError)


@pytest.mark.parametrize("name", ["电子证照库" * 12, "W" * 64, "Бібліотека ліцензій міста Київ"])
def test_any_library_has_its_name_on_paper(sqlite_library: Library, licence: Licence, name: str) -> None:
    lib = replace(sqlite_library, settings=sqlite_library.settings.model_copy(update={"library_name": name}))
    receipt, _ = verification_receipt(lib, asker(), licence.token, asking())
    assert name[:8] in page_text(receipt_paper(lib, receipt).pdf).replace("\n", "")
