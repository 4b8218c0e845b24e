"""The demo: three agencies, their registers issued from the samples, some licences closed, and what to try."""

from __future__ import annotations

import csv
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from certlib.batch import run_batch
from certlib.cataloguing import add_shipped_types
from certlib.checking import export_trust, pem
from certlib.config import SETTINGS_FILE, Settings, read_settings
from certlib.demonstrating_sharing import share
from certlib.enrolling import BACKDATE, add_agency, create_library
from certlib.errors import ConflictError, SetupError, TypeFolderError
from certlib.identifiers import AgencyCode
from certlib.library import Library, close_library, open_library, utc_now
from certlib.model import Agency, Status
from certlib.reporting import agencies_report, find_licence, pdf_bytes, printed_code
from certlib.trusting import published
from certlib.upgrading import upgrade_library
from signing.certificates import create_root, issue_certificate
from signing.keys import KeyAlgorithm, generate_key
from signing.timestamps import QUERY_TYPE, REPLY_TYPE, LocalTimestampAuthority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from certlib.model import Licence

PROJECT: Final = Path(__file__).resolve().parent.parent
MARKET_BUREAU: Final = Agency(
    code=AgencyCode("11990200MB90000230"),
    name="样本市市场监督管理局",
    name_en="Sample City Administration for Market Regulation",
    area_code="990200",
)
CITY: Final = Agency(
    code=AgencyCode("RAINPORT"), name="City of Rainport", name_en="City of Rainport", timezone="America/Los_Angeles"
)
HEALTH: Final = Agency(
    code=AgencyCode("11990200MB90000155"),
    name="样本市卫生健康委员会",
    name_en="Sample City Health Commission",
    area_code="990200",
)
REGISTERS: Final = (
    (
        "business-licence",
        "companies.csv",
        "templates/business-licence/ningbo.map.toml",
        MARKET_BUREAU,
        "注销=cancelled,吊销=revoked",
    ),
    ("seattle-business-licence", "businesses.csv", "templates/seattle-business-licence/seattle.map.toml", CITY, ""),
    ("practitioner-licence", "practitioners.csv", "samples/practitioners.map.toml", MARKET_BUREAU, ""),
    ("birth-certificate", "births.csv", "samples/births.map.toml", HEALTH, ""),
)
"""Type, register in samples/, mapping, agency, and what closed rows become."""


TSA_ROOTS: Final = "tsa-roots.pem"
TRY: Final = "try"
"""Folder with one file of each kind worth a look."""
CASE: Final = "case"
"""Folder with what an asking agency keeps: its client's key, a copy, a receipt."""


def prepare(home: Path, *, port: int) -> Iterator[str]:
    """Make the demo library at `home` unless it is there, and say in a few lines what to open and try.

    The practitioners' PDFs bear timestamps of an authority that lives on loopback only while they are made.

    Raises:
        SetupError: the folder holds something else, or a demo of an older version.
        KeyboardInterrupt: the user stopped it; the next run goes on.
    """
    settings = _settings(home, port)
    if not settings.data_keys_path.exists():
        yield f"Making a library with three agencies in {home} (some 20 seconds) ..."
        create_library(settings, organisation="certlib demo", now=utc_now())
    elif (done := upgrade_library(settings, operator="demo")).before != done.after:
        yield f"The demo in {home} was made by an older program; its tables are those of this one now."
    try:
        with _opened(settings) as lib:
            add_shipped_types(lib, operator="demo")
            known = {each["code"] for each in agencies_report(lib)}
            for agency in (MARKET_BUREAU, CITY, HEALTH):
                if agency.code not in known:
                    add_agency(lib, agency, seal_algorithm=KeyAlgorithm.P256, operator="demo")
        yield from _issue_samples(settings)
    except (TypeFolderError, ConflictError) as error:
        hint = f"Remove it and run the same command again: rm -r {home}"
        raise SetupError(f"the demo in {home} was made with other forms", hint=hint) from error
    with _opened(settings) as lib:
        export_trust(lib, settings.home / "trust", published(lib))
        yield from _what_to_try(lib, home, port)
        yield ""
        yield from share(lib, home / CASE)


def _settings(home: Path, port: int) -> Settings:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = home / SETTINGS_FILE
    if not file.exists():
        if any(home.iterdir()):
            raise SetupError(f"{home} is not empty and no demo", hint="Name a new folder with --home.")
        (home / TSA_ROOTS).touch()
        base = f"http://127.0.0.1:{port}"
        lines = [
            'library_name = "certlib demo"',
            f'verify_url = "{base}/q#"',
            f'status_list_url = "{base}/s/"',
            f'tsa_roots_file = "{TSA_ROOTS}"',
        ]
        file.write_text("\n".join(lines) + "\n", "utf-8")
    return read_settings(home)


@contextmanager
def _opened(settings: Settings) -> Iterator[Library]:
    lib = open_library(settings)
    try:
        yield lib
    finally:
        close_library(lib)


def _issue_samples(settings: Settings) -> Iterator[str]:
    for type_code, register, mapping, agency, as_status in REGISTERS:
        out = settings.home / "out" / type_code
        stamped = type_code == "practitioner-licence" and not (out / "batch.json").exists()
        with _authority(settings) if stamped else nullcontext(settings) as used, _opened(used) as lib:
            summary = run_batch(
                lib,
                type_code,
                PROJECT / "samples" / register,
                PROJECT / mapping,
                agency_code=agency.code,
                as_status=as_status,
                operator="demo",
                out=out,
            )
        if summary.interrupted:
            raise KeyboardInterrupt
        what = f"{summary.issued} issued" if summary.issued else f"{summary.already} issued before"
        yield f"  {register:<18} {summary.read} rows, {what}, {summary.refused} refused, {summary.seconds:.1f} s"


def _what_to_try(lib: Library, home: Path, port: int) -> Iterator[str]:
    folder = home / TRY
    folder.mkdir(exist_ok=True)
    yield f"All PDFs, issued.csv and errors.csv are in {home}/out. One of each kind is in {folder}:"
    for word, licence in _examples(lib):
        content = pdf_bytes(lib, licence)
        (folder / f"{word}.pdf").write_bytes(content)
        yield f"  {word + '.pdf':<14} code {printed_code(licence)}"
        if word == "valid":
            (folder / "forged.pdf").write_bytes(_forged(content))
            yield f"  {'forged.pdf':<14} the same, one byte changed"
    yield ""
    yield f"Open http://127.0.0.1:{port}/q and type a code, or drop one of these files. In another terminal:"
    yield f"  .venv/bin/certlib verify {folder}/*.pdf --home {home}"
    yield "and without the library, by its signed trust pack alone:"
    yield f"  .venv/bin/certlib verify {folder}/*.pdf --offline --trust-pack {home}/trust/trust-pack.json"


def _forged(pdf: bytes) -> bytes:
    """The file with one byte changed, well inside what the seal covers."""
    place = pdf.index(b"stream") + 200
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]


def _examples(lib: Library) -> Iterator[tuple[str, Licence]]:
    """One licence of each kind worth a look, by the reports of the batches."""
    wanted = ["valid", "expired", "cancelled", "revoked"]
    for type_code, *_ in REGISTERS:
        path = lib.settings.home / "out" / type_code / "issued.csv"
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                licence = find_licence(lib, row["identifier"])
                kind = _kind(licence, lib.now())
                if kind in wanted:
                    wanted.remove(kind)
                    yield kind, licence
                if not wanted:
                    return


def _kind(licence: Licence, now: datetime) -> str:
    if licence.status is not Status.ACTIVE:
        return licence.status.value
    today = now.astimezone(ZoneInfo(licence.timezone)).date()
    if licence.expires_on is not None and licence.expires_on < today:
        return "expired"
    return "valid" if licence.effective_on <= today else "not_yet_effective"


@contextmanager
def _authority(settings: Settings) -> Iterator[Settings]:
    """Settings with a time stamping authority on loopback. Its root certificate joins those the library trusts."""
    begin = utc_now().replace(microsecond=0) - BACKDATE
    end = begin + timedelta(days=3650)
    root_key, key = generate_key(KeyAlgorithm.P256), generate_key(KeyAlgorithm.P256)
    root = create_root(
        root_key, common_name="Demo TSA root", organisation="certlib demo", not_before_at=begin, not_after_at=end
    )
    certificate = issue_certificate(
        root_key=root_key,
        root_cert_der=root,
        subject_name="Demo TSA",
        subject_code="TSA",
        not_before_at=begin,
        not_after_at=end,
        spki_der=key.spki_der,
        timestamping=True,
    )
    with (settings.home / TSA_ROOTS).open("ab") as file:  # those of earlier runs stay: licences bear their timestamps
        file.write(pem(root))
    authority = LocalTimestampAuthority(key, certificate, now=utc_now)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer one query."""
            length = int(self.headers.get("Content-Length", 0))
            known = self.headers.get("Content-Type") == QUERY_TYPE and length <= 65536  # noqa: PLR2004  # bytes
            reply = authority.reply(self.rfile.read(length)) if known else b""
            self.send_response(200 if known else 400)
            self.send_header("Content-Type", REPLY_TYPE)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield settings.model_copy(update={"tsa_url": f"http://127.0.0.1:{server.server_address[1]}/tsa"})
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
