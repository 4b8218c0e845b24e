"""Programs by others that judge a sealed PDF. Each function returns if its judge accepts the file and else raises
AssertionError with the judge's own words. A judge that is not installed skips the test by name.
"""

import io
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pikepdf.pdfa
import pytest
from asn1crypto import x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.fields import MDPPerm
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from tests.support.nss import nss_database

_PACKAGES = {"qpdf": "qpdf", "pdfsig": "poppler-utils", "certutil": "libnss3-tools", "openssl": "openssl"}

PDFA_NOT_CHECKED = re.compile(
    r"pikepdf:embedded-file at |/(AcroForm|Perms|AF): |/CIDSet on a CIDFontType2 subset is not checked"
)
"""What pikepdf.pdfa says about constructs of a sealed file that it knows not to judge."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """The judges' table: the root they trust, prepared once for any number of files."""

    folder: Path
    nss: Path
    root_pem: Path
    root_der: bytes


def judges_bench(folder: Path, root_der: bytes) -> Bench:
    """Prepare ``folder`` (a fresh one) for judging files under this root."""
    for tool, package in _PACKAGES.items():
        if shutil.which(tool) is None:
            missing = f"{tool} is not installed (Debian package {package})"
            if os.environ.get("CERTLIB_TEST_EVERY_JUDGE"):  # where all must judge, as in CI, none may be missed
                pytest.fail(missing)
            pytest.skip(missing)
    root_pem = folder / "root.pem"
    nss = nss_database(folder / "nss", root_der)
    _run("openssl", "x509", "-inform", "DER", "-in", str(nss / "root.der"), "-out", str(root_pem))
    return Bench(folder=folder, nss=nss, root_pem=root_pem, root_der=root_der)


def judge_seal(pdf: Path, bench: Bench) -> None:
    """All judges of structure and seal: qpdf, pdfsig, OpenSSL, pyHanko."""
    judge_by_qpdf(pdf)
    judge_by_pdfsig(pdf, bench)
    judge_by_openssl(pdf, bench)
    judge_by_pyhanko(pdf, bench)


def judge_by_qpdf(pdf: Path) -> None:
    # 3 would mean "repaired", so only 0 will do
    _run("qpdf", "--check", str(pdf))


def judge_by_pdfsig(pdf: Path, bench: Bench) -> None:
    # Not with -no-ocsp: poppler 22.12 then calls every certificate unknown. Ours name no responder, so none is asked.
    said = _run("pdfsig", "-nssdir", str(bench.nss), str(pdf))
    assert said.count("Signature #") == 1, said
    for line in ("Signature is Valid.", "Certificate is Trusted.", "Total document signed"):
        assert line in said, said


def judge_by_openssl(pdf: Path, bench: Bench) -> None:
    """Take the CMS out by the byte range and verify it over the rest of the file."""
    content, cms_der = taken_apart(pdf.read_bytes())
    content_file, cms_file = bench.folder / f"{pdf.stem}.content", bench.folder / f"{pdf.stem}.p7s"
    content_file.write_bytes(content)
    cms_file.write_bytes(cms_der)
    try:
        _run(
            *("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(cms_file)),
            *("-content", str(content_file), "-CAfile", str(bench.root_pem), "-purpose", "any", "-out", "/dev/null"),
        )
    finally:
        content_file.unlink()
        cms_file.unlink()


def judge_by_pyhanko(pdf: Path, bench: Bench) -> None:
    """Whole file, nothing modified, no changes allowed; everything at the present moment."""
    with pdf.open("rb") as file:
        signatures = PdfFileReader(file).embedded_signatures
        assert len(signatures) == 1, f"{len(signatures)} signatures"
        context = ValidationContext(trust_roots=[x509.Certificate.load(bench.root_der)], allow_fetching=False)
        status = validate_pdf_signature(signatures[0], context)
        assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE, status.summary()
        assert status.modification_level == ModificationLevel.NONE, status.summary()
        assert signatures[0].docmdp_level == MDPPerm.NO_CHANGES, status.summary()
        assert status.bottom_line, status.summary()


def judge_by_pdfa(pdf: Path, flavour: str = "3b") -> Sequence[str]:
    """PDF/A as far as pikepdf can judge: no violation, and nothing left unjudged but forms, seals and attachments.

    Returns the constructs that it left unjudged.
    """
    report = pikepdf.pdfa.validate_written(pdf, flavour)
    assert not report.violations, report.summary()
    unjudged = [str(finding) for finding in report.unsupported]
    strange = [finding for finding in unjudged if not PDFA_NOT_CHECKED.search(finding)]
    assert not strange, "\n".join(strange)
    return unjudged


def taken_apart(pdf: bytes) -> tuple[bytes, bytes]:
    """What the last byte range covers, and the CMS in the gap between, by pikepdf's reading of the dictionary."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        (form_field,) = document.Root.AcroForm.Fields
        offset, length, offset_2, length_2 = (int(number) for number in form_field.V.ByteRange)
        contents = bytes(form_field.V.Contents)
    return pdf[offset : offset + length] + pdf[offset_2 : offset_2 + length_2], contents


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603  # fixed programs
    assert done.returncode == 0, f"{' '.join(command[:2])} exit {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout
