"""Verifying: tokens and PDFs a second, look-ups over HTTP and in large libraries. `python -m bench.verify`.

Ten million records take about 20 GB of disk and a quarter of an hour to make:

    .venv/bin/python -m bench.verify --records 100000 10000000
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import jwt
from asn1crypto import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from bench.library import issued, new_library
from bench.lookups import growth_table, http_tables, library_of
from bench.table import RATE_HEADER, Subject, interleaved, print_machine, print_table, progress, rate_rows
from certlib.library import close_library, open_library
from certlib.model import OverallWord, Status
from certlib.snapshots import LIST_ENTRIES, snapshot_json, status_snapshot
from certlib.store.lookups import pdf_of
from certlib.trusting import live_pack, open_offline, publish
from certlib.verifying import verify
from signing.pades import quick_check, verify_seal
from signing.tokens import verify_token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from certlib.config import Settings
    from certlib.library import Library
    from certlib.model import Licence

SAMPLE = 64
"""Different licences, all of one agency."""
TOKENS, SLOW_TOKENS, PDFS = 2_000, 1_000, 60


def repeated(work: Callable[[int], object], count: int) -> Callable[[], int]:
    """A run that does `work` with the numbers 0 to 63 over and over, `count` times in all."""

    def run() -> int:
        for number in range(count):
            work(number % SAMPLE)
        return count

    return run


class BareSignature:
    """One ES256 verification by `cryptography` over as many bytes as a token has: less is not a check."""

    def __init__(self, size: int) -> None:
        self.content = bytes(size)
        key = ec.generate_private_key(ec.SECP256R1())
        self.signature = key.sign(self.content, ec.ECDSA(hashes.SHA256()))
        self.key = key.public_key()

    def check(self, _number: int) -> None:
        """Check it."""
        self.key.verify(self.signature, self.content, ec.ECDSA(hashes.SHA256()))


class Jwt:
    """The same facts as a JWT, as PyJWT verifies it."""

    def __init__(self, claims: Sequence[dict[str, object]]) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self.texts = [jwt.encode(each, key, algorithm="ES256") for each in claims]
        self.key = key.public_key()

    def check(self, number: int) -> None:
        """Check one."""
        jwt.decode(self.texts[number], self.key, algorithms=["ES256"])


def must(word: OverallWord, expected: OverallWord) -> None:
    """A bench that measures refusals measures nothing."""
    if word is not expected:
        raise SystemExit(f"the verdict is {word}, not {expected}")


def token_table(lib: Library, licences: Sequence[Licence], *, rounds: int) -> None:
    """Tokens, all of the library's own making."""
    now = lib.now()
    pack = live_pack(lib, now=now)
    trust = open_offline(publish(lib).data, anchor_spki_der=lib.anchor_spki_der, now=now)
    texts = [each.token for each in licences]
    seen = [verify_token(text, pack, now=now) for text in texts]
    plain: list[dict[str, object]] = [
        {
            "sub": each.claims.identifier,
            "iat": int(each.claims.issued_at.timestamp()),
            "idx": each.claims.status_index,
            "uri": each.claims.status_uri,
            **{str(key): value for key, value in each.claims.fields.items()},
        }
        for each in seen
    ]
    must(verify(texts[0], trust, now=now).word, OverallWord.VALID_OFFLINE)
    must(verify(texts[0], lib, now=now).word, OverallWord.VALID)
    bare, peer = BareSignature(len(seen[0].cose)), Jwt(plain)
    floor = "floor: one bare ES256 verification"
    subjects = [
        Subject(name=floor, run=repeated(bare.check, TOKENS)),
        Subject(name="PyJWT, same facts as a JWT", run=repeated(peer.check, TOKENS)),
        Subject(
            name="verify_token: text to checked claims",
            run=repeated(lambda number: verify_token(texts[number], pack, now=now), TOKENS),
        ),
        Subject(
            name="verify, offline: whole verdict from the trust pack",
            run=repeated(lambda number: verify(texts[number], trust, now=now), SLOW_TOKENS),
        ),
        Subject(
            name="verify, live: whole verdict against the record",
            run=repeated(lambda number: verify(texts[number], lib, now=now), SLOW_TOKENS // 4),
        ),
    ]
    size = sum(map(len, texts)) // len(texts)
    print_table(
        f"Tokens, one process; {size} characters on average",
        (*RATE_HEADER, "of the floor"),
        rate_rows(interleaved(subjects, rounds=rounds), against=floor),
    )


def pdf_table(lib: Library, licences: Sequence[Licence], *, rounds: int) -> None:
    """Sealed PDFs, all of the library's own making."""
    now = lib.now()
    pdfs = [pdf_of(lib.store, each) for each in licences]
    roots = (lib.root_certificate_der,)
    pack = live_pack(lib, now=now)
    trust = open_offline(publish(lib).data, anchor_spki_der=lib.anchor_spki_der, now=now)
    spki = next(key.spki_der for key in pack.keys if key.purpose == "seal" and key.owner == licences[0].agency_code)
    must(verify(pdfs[0], lib, now=now).word, OverallWord.VALID)
    must(verify(pdfs[0], trust, now=now).word, OverallWord.VALID_OFFLINE)
    root = x509.Certificate.load(lib.root_certificate_der)

    def as_documented(number: int) -> None:
        reader = PdfFileReader(io.BytesIO(pdfs[number]))
        context = ValidationContext(trust_roots=[root])
        if not validate_pdf_signature(reader.embedded_signatures[0], context).bottom_line:
            raise SystemExit("pyHanko refuses our seal")

    bare = BareSignature(32)

    def least(number: int) -> None:
        hashlib.sha256(pdfs[number]).digest()
        bare.check(number)

    peer = "pyHanko as documented: the seal alone"
    subjects = [
        Subject(name=peer, run=repeated(as_documented, PDFS)),
        Subject(
            name="verify_seal: the seal, strictly",
            run=repeated(lambda number: verify_seal(pdfs[number], roots_der=roots, now=now), PDFS),
        ),
        Subject(name="verify, offline: whole verdict", run=repeated(lambda n: verify(pdfs[n], trust, now=now), PDFS)),
        Subject(name="verify, live: whole verdict", run=repeated(lambda n: verify(pdfs[n], lib, now=now), PDFS)),
        Subject(
            name="quick_check: our own work after sealing",
            run=repeated(lambda number: quick_check(pdfs[number], spki_der=spki), TOKENS),
        ),
        Subject(name="floor: SHA-256 + one ES256 verification", run=repeated(least, TOKENS)),
    ]
    size = sum(map(len, pdfs)) // len(pdfs)
    print_table(
        f"Sealed PDFs, one process; {size:,} bytes on average",
        (*RATE_HEADER, "against the peer"),
        rate_rows(interleaved(subjects, rounds=rounds), against=peer),
    )


def snapshot_table(lib: Library) -> None:
    """How large the statuses of a full list are in the trust pack."""
    rows = []
    adverse = [status for status in Status if status is not Status.ACTIVE]
    for share in (0.001, 0.01, 0.05):
        chosen = random.Random(20261122)  # noqa: S311  # nothing secret
        places = chosen.sample(range(LIST_ENTRIES), round(share * 1_000_000))
        snapshot = status_snapshot(((place, chosen.choice(adverse)) for place in places), as_of=lib.now())
        text = str(snapshot_json(snapshot)["lst"])
        rows.append([f"{share:.1%}", f"{len(text) * 3 / 4 / 1000:.1f}", f"{len(text) / 1000:.1f}"])
    print_table(
        "Statuses of a list of 2^20 licences, 4 bits each, five kinds of not active",
        ("of a million not active", "KB compressed", "KB as base64url in the trust pack"),
        rows,
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of load a round")
    parser.add_argument("--records", type=int, nargs="+", default=[100_000, 1_000_000], help="sizes of libraries")
    parser.add_argument("--only", choices=("tokens", "pdfs", "snapshot", "http", "growth"), nargs="+")
    parser.add_argument("--scratch", type=Path, help="folder with room for the records; default a temporary one")
    options = parser.parse_args()
    only = options.only or ("tokens", "pdfs", "snapshot", "http", "growth")
    print_machine()
    with tempfile.TemporaryDirectory(prefix="certlib-bench-", dir=options.scratch) as name:
        scratch = Path(name)
        if {"tokens", "pdfs", "snapshot"} & set(only):
            small_tables(scratch / "small", only, options.rounds)
        if {"http", "growth"} & set(only):
            libraries: dict[int, Settings] = {}
            for count in options.records if "growth" in only else options.records[:1]:
                libraries[count] = library_of(scratch / f"library-{count}", count)
            if "http" in only:
                count = options.records[0]
                http_tables(
                    libraries[count], scratch / "keys.txt",
                    records=count, seconds=options.seconds, rounds=options.rounds,
                )  # fmt: skip
            if "growth" in only:
                growth_table(libraries, rounds=options.rounds)


def small_tables(home: Path, only: Sequence[str], rounds: int) -> None:
    """The tables that need a few licences only."""
    progress("issuing a block")
    lib = open_library(new_library(home))
    try:
        licences = issued(lib, SAMPLE)
        if "tokens" in only:
            token_table(lib, licences, rounds=rounds)
        if "pdfs" in only:
            pdf_table(lib, licences, rounds=rounds)
        if "snapshot" in only:
            snapshot_table(lib)
    finally:
        close_library(lib)


if __name__ == "__main__":
    main()
