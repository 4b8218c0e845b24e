"""The second half of the demo: a school board asks the library instead of the citizen, and the citizen sees it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Final

from certlib.callers import AgencyCaller
from certlib.clients import add_asking_agency, add_client, list_clients, new_key_pair
from certlib.errors import ConflictError
from certlib.grants import Asking, Basis, Interface
from certlib.holding.codes import consent_code
from certlib.holding.ledger import ledger
from certlib.holding.sessions import holder_of, open_session
from certlib.identifiers import AgencyCode
from certlib.keyring import write_new_file
from certlib.model import Agency
from certlib.permitting import GrantOrder, add_grant, list_grants
from certlib.sharing import asking_questions, checks, use_data, use_files, use_receipts, uses
from certlib.sharing.receipt_pages import receipt_paper

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certlib.library import Library
    from certlib.store.clients import Client

SAMPLES: Final = Path(__file__).resolve().parent.parent / "samples"
SCHOOL_BOARD: Final = Agency(
    code=AgencyCode("11990200MB9000031T"),
    name="样本市教育局",
    name_en="Sample City Board of Education",
    area_code="990200",
)
KEY_FILE: Final = "school-board.key.pem"
ENROLMENT, CANTEEN, HIRING = "990200-0301", "990200-0412", "990200-0520"
SUPPLIER_FIELDS: Final = ("number", "holder_name", "holder_code", "legal_representative", "address")
DOCTOR_FIELDS: Final = ("number", "holder_name", "expires_on", "category", "practice_scope")
GRANTS: Final = (
    GrantOrder(
        agency_code=SCHOOL_BOARD.code,
        type_code="business-licence",
        fields=SUPPLIER_FIELDS,
        interfaces=(Interface.CHECK,),
        matters=(CANTEEN,),
        basis=Basis.STATUTORY,
        clause="Sample Food Safety Rules, article 12",
        daily_cap=500,
    ),
    GrantOrder(
        agency_code=SCHOOL_BOARD.code,
        type_code="birth-certificate",
        fields=("question:holder_is",),
        interfaces=(Interface.QUESTION,),
        matters=(ENROLMENT,),
        basis=Basis.STATUTORY,
        clause="Sample Schooling Act, article 8 (2)",
        daily_cap=500,
    ),
    GrantOrder(
        agency_code=SCHOOL_BOARD.code,
        type_code="practitioner-licence",
        fields=DOCTOR_FIELDS,
        interfaces=(Interface.DATA, Interface.FILE),
        matters=(HIRING,),
        basis=Basis.CONSENT,
        clause="",
        daily_cap=100,
    ),
)


def share(lib: Library, folder: Path) -> Iterator[str]:
    """Let the school board compare, ask, and use with consent; its files go to `folder`. Gives lines for a reader."""
    folder.mkdir(mode=0o700, exist_ok=True)
    client = _client(lib, folder)
    caller = AgencyCaller(
        agency_code=SCHOOL_BOARD.code, scopes=frozenset({"share"}), client_id=client.id, address="127.0.0.1"
    )
    yield f"{SCHOOL_BOARD.name} (client {client.id}) asks the library instead of the citizen:"
    yield from _compare(lib, caller)
    yield from _question(lib, caller)
    doctor = _rows("practitioners.csv")[1]
    yield from _use(lib, caller, doctor, folder)
    yield f"{doctor['name']} sees in the ledger who looked:"
    yield from _seen(lib, doctor)


def _client(lib: Library, folder: Path) -> Client:
    """The board's client, its grants and its key, made once."""
    try:
        add_asking_agency(lib, SCHOOL_BOARD, operator="demo")
    except ConflictError:
        return list_clients(lib, SCHOOL_BOARD.code)[0]
    granted = {each.type_code for each in list_grants(lib, agency_code=SCHOOL_BOARD.code)}
    for order in GRANTS:
        if order.type_code not in granted:
            add_grant(lib, order, operator="demo")
    private, public = new_key_pair()
    (folder / KEY_FILE).unlink(missing_ok=True)
    write_new_file(folder / KEY_FILE, private)
    client, _none = add_client(
        lib, SCHOOL_BOARD.code, name="School administration", scopes=("share", "verify"), public_key=public,
        operator="demo",
    )  # fmt: skip
    return client


def _asking(matter: str, case: str, purpose: str) -> Asking:
    return Asking(matter_code=matter, case_number=case, purpose=purpose, operator="Zhou Min")


def _compare(lib: Library, caller: AgencyCaller) -> Iterator[str]:
    """A supplier says where it has its seat; it moved."""
    row = next(row for row in _rows("companies.csv") if row["reg_state"] == "存续" and row["uni_social_crd_cd"])
    code = row["uni_social_crd_cd"]
    answer = checks.check(
        lib,
        caller,
        _asking(CANTEEN, "2026-0412-07", "供餐企业资格核对"),
        type_code="business-licence",
        given={"holder_code": code, "holder_name": row["comp_nm"], "address": "样本市江湾区旧址路1号"},
    )
    said = ", ".join(f"{name} {found}" for name, found in answer.fields.items())
    yield f"  compare   {code}: {said}"
    yield "            what is true instead, the library does not tell"


def _question(lib: Library, caller: AgencyCaller) -> Iterator[str]:
    """The question that nobody should be asked to prove."""
    row = _rows("births.csv")[0]
    answer = asking_questions.ask(
        lib,
        caller,
        _asking(ENROLMENT, "2026-0301-118", "义务教育入学"),
        type_code="birth-certificate",
        question="holder_is",
        given={"relation": "mother_of", "code": row["child_id"]},
        about=asking_questions.About(holder_code=row["mother_id"]),
    )
    yield f"  question  is {row['mother_name']} the mother of {row['child_name']}? {answer.answer.value} (signed)"


def _use(lib: Library, caller: AgencyCaller, doctor: dict[str, str], folder: Path) -> Iterator[str]:
    """The doctor agrees by a one-time code; the board reads, takes a copy and a receipt."""
    session = open_session(lib, code=doctor["id_no"], code_type="111", how="demo", operator="demo")
    me = holder_of(lib, session.bearer)
    consent = consent_code(lib, me, agency_code=SCHOOL_BOARD.code, types={"practitioner-licence": DOCTOR_FIELDS})
    wanted = uses.UseRequest(
        asking=_asking(HIRING, "2026-0520-03", "招聘校医"),
        interfaces=(Interface.DATA, Interface.FILE),
        types=("practitioner-licence",),
        holder_code=doctor["id_no"],
        consent_code=consent.code,
    )
    use, _new = uses.ask(lib, caller, wanted)
    data = use_data.read_data(lib, caller, use.id)
    (link,) = use_files.make_links(lib, caller, use.id)
    copy = use_files.fetch(lib, link.secret, address="127.0.0.1")
    (folder / "copy.pdf").write_bytes(copy.pdf)
    receipt = use_receipts.use_receipt(lib, caller, use.id)
    (folder / "receipt.pdf").write_bytes(receipt_paper(lib, receipt).pdf)
    (folder / "receipt.jws").write_text(receipt.jws + "\n", "ascii")
    yield f"  use       {doctor['name']} agreed with the one-time code {consent.code}"
    yield f"            read: {', '.join(data.licences[0].fields)}"
    yield f"            copy for this purpose only, and receipt: {folder}"


def _seen(lib: Library, doctor: dict[str, str]) -> Iterator[str]:
    session = open_session(lib, code=doctor["id_no"], code_type="111", how="demo", operator="demo")
    for each in ledger(lib, holder_of(lib, session.bearer), limit=5).looks:
        agency = each["agency"]
        name = agency["name"] if isinstance(agency, dict) else each["by"]
        yield f"  {each['at']}  {name}  {each['purpose']}  {each['kind']} ({each['basis']}), {each['outcome']}"


def _rows(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
