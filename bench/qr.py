"""QR codes: their size, how well they read when scanned or photographed, how fast they are made. `python -m bench.qr`.

Scans are simulated: trust the order of the cells more than their values (facts: qr-token, 5).
"""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import qrcode
import segno

from bench.library import VERIFY_URL
from bench.scans import FLATBED, MM_PER_INCH, PHONE, POOR, dirty, printed, taken
from bench.table import RATE_HEADER, Subject, interleaved, print_machine, print_table, progress, rate_rows
from certlib.cataloguing import preview_type
from certlib.library import SHIPPED_TYPES
from signing.keys import KeyAlgorithm, generate_key
from signing.qr import qr_matrix, qr_matrix_reference, read_page_codes
from signing.tokens import TokenClaims, sign_token, token_url
from templates import raster
from templates.fonts import FontBook

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image

    from bench.scans import Condition
    from signing.qr import Level

MODULE_MM = 0.33
RESOLUTIONS = (150, 200, 300)
DIRT = (0.03, 0.06, 0.09, 0.12)
SEED = 20261122


def twelve_field_record() -> str:
    """The QR text of the 12-field record (facts: qr-token, 1), all invented."""
    begin = datetime(2026, 1, 5, tzinfo=UTC)
    claims = TokenClaims(
        identifier="1.2.156.3005.2.11100000MB03270001013.11330200MB1A2B3C4D.202600048213.K",
        issued_at=begin,
        not_before_at=begin - timedelta(hours=8),
        expires_at=begin + timedelta(days=1826, hours=16, seconds=-1),
        status_index=48_213,
        status_uri="https://licences.example/s/01",
        fields={
            1: 7,
            2: "JY33020010048213",
            3: "王芳",
            6: "330203********1234",
            10: "明州市海曙区老街坊小吃餐饮服务店",
            11: "92330203MA********",
        },
    )
    return token_url(VERIFY_URL, sign_token(claims, generate_key(KeyAlgorithm.P256)))


def samples() -> dict[str, tuple[bytes, float]]:
    """For each shipped type: its sample as a PDF, and the module of its code as it prints, in mm."""
    fonts = FontBook()
    found = {}
    for folder in sorted(each.parent for each in SHIPPED_TYPES.glob("*/v*/type.toml")):
        preview = preview_type(folder, fonts=fonts)
        found[folder.parent.name] = (preview.pdf, preview.gate.module_mm)
    return found


def size_table(record: str, forms: dict[str, tuple[bytes, float]]) -> None:
    """Characters, versions, millimetres; and whether the printed page reads."""
    rows = [["12-field test record", *_sizes(record), "-", *("-" for _ in RESOLUTIONS)]]
    for name, (pdf, module_mm) in forms.items():
        texts = {dpi: _page_codes(pdf, dpi) for dpi in RESOLUTIONS}
        (text,) = texts[max(RESOLUTIONS)]
        reads = ["yes" if texts[dpi] == (text,) else "no" for dpi in RESOLUTIONS]
        rows.append([f"{name}, its sample", *_sizes(text), f"{module_mm:.3f}", *reads])
    header = (
        *("what", "characters", "version at M", f"mm at {MODULE_MM}", "version at Q", f"mm at {MODULE_MM}"),
        *("module on the form, mm", *(f"page read at {dpi} dpi" for dpi in RESOLUTIONS)),
    )
    print_table("Size of the codes", header, rows)


def _page_codes(pdf: bytes, dpi: int) -> tuple[str, ...]:
    width, height, grey = raster.page_image(pdf, dpi)
    return read_page_codes(grey, width, height)


def _sizes(text: str) -> list[str]:
    cells = [str(len(text))]
    levels: tuple[Level, ...] = ("M", "Q")
    for level in levels:
        matrix = qr_matrix(text, level=level)
        cells += [f"{matrix.version}-{level}", f"{matrix.width_mm(MODULE_MM):.1f}"]
    return cells


class Readers:
    """Counts how many of a row of pictures each reader reads right."""

    def __init__(self, scratch: Path) -> None:
        self.scratch = scratch
        self.zbar = shutil.which("zbarimg")

    def names(self) -> list[str]:
        """The readers that are here."""
        return ["ours", "zbar"] if self.zbar else ["ours"]

    def rates(self, pictures: list[Image.Image], text: str) -> str:
        """Percentages of right readings, one a reader."""
        ours = sum(read_page_codes(each.tobytes(), each.width, each.height) == (text,) for each in pictures)
        counts = [ours]
        if self.zbar:
            counts.append(self._zbar(pictures, text))
        return " / ".join(f"{100 * each / len(pictures):.0f}" for each in counts)

    def _zbar(self, pictures: list[Image.Image], text: str) -> int:
        files = []
        for number, picture in enumerate(pictures):
            files.append(str(self.scratch / f"{number}.png"))
            picture.save(files[-1], compress_level=1)
        command = [str(self.zbar), "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", *files]
        read = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)  # noqa: S603
        return read.stdout.splitlines().count(text)


def scan_table(record: str, readers: Readers, trials: int) -> None:
    """Decode rates by resolution and condition."""
    rows = []
    levels: tuple[Level, ...] = ("M", "Q")
    for level in levels:
        matrix = qr_matrix(record, level=level)
        paper = printed(matrix)
        for condition in (FLATBED, PHONE, POOR):
            cells = []
            for dpi in RESOLUTIONS:
                progress(f"{level} {condition.name} {dpi} dpi")
                pictures = _pictures([paper] * trials, condition, dpi)
                cells.append(readers.rates(pictures, record))
            rows.append([f"{matrix.version}-{level}", condition.name, *cells])
    header = ("code", "taken by", *(f"{dpi} dpi ({MODULE_MM / MM_PER_INCH * dpi:.1f} px)" for dpi in RESOLUTIONS))
    names = " / ".join(readers.names())
    title = f"Read of {trials} simulated pictures, in percent ({names}); modules of {MODULE_MM} mm"
    print_table(title, header, rows)


def dirt_table(record: str, readers: Readers, trials: int) -> None:
    """Decode rates by dirt, at 300 dpi."""
    rows = []
    levels: tuple[Level, ...] = ("M", "Q")
    for level in levels:
        matrix = qr_matrix(record, level=level)
        paper = printed(matrix)
        cells = []
        for share in DIRT:
            progress(f"{level} {share:.0%} dirt")
            chance = random.Random(SEED)  # noqa: S311  # nothing secret
            papers = [dirty(paper, matrix, share, chance) for _ in range(trials)]
            cells.append(readers.rates(_pictures(papers, PHONE, max(RESOLUTIONS)), record))
        rows.append([f"{matrix.version}-{level}", *cells])
    header = ("code", *(f"{share:.0%} of the area stained" for share in DIRT))
    title = f"Read with dirt outside the finders, phone, {max(RESOLUTIONS)} dpi, in percent"
    print_table(f"{title} ({' / '.join(readers.names())})", header, rows)


def _pictures(papers: list[Image.Image], condition: Condition, dpi: int) -> list[Image.Image]:
    chance = random.Random(SEED + dpi)  # noqa: S311  # nothing secret
    module_pixels = MODULE_MM / MM_PER_INCH * dpi
    return [taken(each, condition, module_pixels=module_pixels, chance=chance) for each in papers]


def encoder_table(record: str, rounds: int) -> None:
    """Matrices a second."""

    def documented() -> None:
        code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M)
        code.add_data(record)
        code.make(fit=True)

    def segno_documented() -> None:
        segno.make_qr(record, error="m", boost_error=False)

    works: dict[str, tuple[Callable[[], object], int, int]] = {
        "ours: zxing-cpp, fixed mask": (lambda: qr_matrix(record), 500, qr_matrix(record).version),
        "qrcode, explicit segments (our reference)": (
            lambda: qr_matrix_reference(record), 10, qr_matrix_reference(record).version,
        ),
        "qrcode as documented": (documented, 10, _documented_version(record)),
        "segno as documented": (segno_documented, 10, int(segno.make_qr(record, error="m", boost_error=False).version)),
    }  # fmt: skip

    def repeated(name: str) -> int:
        work, count, _version = works[name]
        for _ in range(count):
            work()
        return count

    subjects = [Subject(name=name, run=lambda name=name: repeated(name)) for name in works]  # type: ignore[misc]  # mypy infers no lambda with a default
    rows = rate_rows(interleaved(subjects, rounds=rounds), against="qrcode as documented")
    for row in rows:
        row.append(f"{works[row[0]][2]}-M")
    title = f"Matrices a second, the {len(record)} characters of the test record"
    print_table(title, (*RATE_HEADER, "against qrcode", "version"), rows)


def _documented_version(text: str) -> int:
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(text)
    code.make(fit=True)
    return int(code.version)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=40, help="pictures a cell")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print_machine()
    record = twelve_field_record()
    size_table(record, samples())
    with tempfile.TemporaryDirectory(prefix="certlib-bench-") as name:
        readers = Readers(Path(name))
        scan_table(record, readers, options.trials)
        dirt_table(record, readers, options.trials)
    encoder_table(record, options.rounds)


if __name__ == "__main__":
    main()
