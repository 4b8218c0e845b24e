"""The demo: two agencies, their registers issued from the samples, some licences closed, and what to try."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Final

from certlib.batch import run_batch
from certlib.cataloguing import add_shipped_types
from certlib.checking import export_trust
from certlib.config import Settings, read_settings
from certlib.enrolling import BACKDATE, add_agency, create_library
from certlib.identifiers import AgencyCode
from certlib.library import Library, close_library, open_library, utc_now
from certlib.model import Agency, Status
from certlib.reporting import find_licence, printed_code, save_pdf
from certlib.trusting import published
from signing.certificates import create_root, issue_certificate
from signing.keys import KeyAlgorithm, generate_key
from signing.timestamps import QUERY_TYPE, REPLY_TYPE, LocalTimestampAuthority

if TYPE_CHECKING:
    from collections.abc import Iterator

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
)
"""Type, register in samples/, mapping, agency, and what closed rows become."""


def prepare(home: Path, *, port: int) -> Iterator[str]:
    """Make the demo library at `home` unless it is there, and say in a few lines what to open and try.

    The practitioners' PDFs bear timestamps of an authority that lives on loopback only while they are made.
    """
    settings = _settings(home, port)
    if not settings.data_keys_path.exists():
        yield f"Making a library with two agencies in {settings.home} ..."
        create_library(settings, organisation="certlib demo", now=utc_now())
        with _opened(settings) as lib:
            add_shipped_types(lib, operator="demo")
            for agency in (MARKET_BUREAU, CITY):
                add_agency(lib, agency, seal_algorithm=KeyAlgorithm.P256, operator="demo")
    yield from _issue_samples(settings)
    with _opened(settings) as lib:
        export_trust(lib, settings.home / "trust", published(lib))
        yield from _what_to_try(lib, port)


def _settings(home: Path, port: int) -> Settings:
    home = home.absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = home / "certlib.toml"
    if not file.exists():
        base = f"http://127.0.0.1:{port}"
        lines = [
            'library_name = "certlib demo"',
            f'verify_url = "{base}/q#"',
            f'status_list_url = "{base}/s/"',
            'tsa_roots_file = "tsa-root.pem"',
        ]
        file.write_text("\n".join(lines) + "\n", "utf-8")
        (home / "tsa-root.pem").touch()
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
        if (settings.home / "out" / type_code / "issued.csv").exists():
            yield f"{register:<20} was issued before"
            continue
        stamped = type_code == "practitioner-licence"
        with (
            _authority(settings.home / "tsa-root.pem") if stamped else nullcontext("") as url,
            _opened(settings.model_copy(update={"tsa_url": url or None})) as lib,
        ):
            summary = run_batch(
                lib,
                type_code,
                PROJECT / "samples" / register,
                PROJECT / mapping,
                agency_code=agency.code,
                as_status=as_status,
                operator="demo",
                out=settings.home / "out" / type_code,
            )
        yield (
            f"{register:<20} {summary.read:>4} rows: {summary.issued:>4} issued, {summary.already:>4} before, "
            f"{summary.refused:>3} refused  ({summary.per_second:,.0f}/s)"
        )


def _what_to_try(lib: Library, port: int) -> Iterator[str]:
    out = lib.settings.home / "out"
    yield ""
    yield f"PDFs, issued.csv and errors.csv: {out}"
    for word, licence in _examples(lib):
        path = save_pdf(lib, licence, out)
        yield f"  {word:<10} {path.name}   code {printed_code(licence)}"
    yield ""
    yield f"Open http://127.0.0.1:{port}/ and type a code, or drop one of these PDFs on the page."
    yield "Change a byte of a PDF and drop it again. Or in another terminal:"
    yield f"  .venv/bin/certlib verify {out}/*.pdf --home {lib.settings.home}"
    yield "and with no library, only its trust pack:"
    trust = lib.settings.home / "trust"
    yield f"  .venv/bin/certlib verify {out}/*.pdf --offline --trust-pack {trust}/trust-pack.json"


def _examples(lib: Library) -> Iterator[tuple[str, Licence]]:
    """One licence of each kind worth a look, by the reports of the batches."""
    wanted = {"valid": Status.ACTIVE, "cancelled": Status.CANCELLED, "revoked": Status.REVOKED}
    import csv  # noqa: PLC0415  # only here

    for type_code, *_ in REGISTERS:
        with (lib.settings.home / "out" / type_code / "issued.csv").open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                licence = find_licence(lib, row["identifier"])
                for word, status in list(wanted.items()):
                    if licence.status is status:
                        del wanted[word]
                        yield word, licence
        wanted.setdefault("valid", Status.ACTIVE)


@contextmanager
def _authority(root_pem: Path) -> Iterator[str]:
    """A time stamping authority on loopback; gives its address and leaves its root certificate in `root_pem`."""
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
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415

    with root_pem.open("ab") as file:  # the roots of an interrupted run stay: its licences bear their timestamps
        file.write(load_der_x509_certificate(root).public_bytes(Encoding.PEM))
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
        yield f"http://127.0.0.1:{server.server_address[1]}/tsa"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
