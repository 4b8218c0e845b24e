"""Verifying at a terminal: where the inputs come from, with the library or without, and verdicts as text."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from certlib.complaints import file_error
from certlib.config import read_settings
from certlib.errors import CertlibError, FieldFault, InvalidRequestError, SetupError
from certlib.fetched_lists import with_list
from certlib.library import Library, close_library, open_library, utc_now
from certlib.model import OverallWord
from certlib.trusting import OfflineTrust, open_offline
from certlib.verdict import Outcome, moment
from certlib.verifying import MAX_OFFLINE_BYTES, verify
from signing.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from certlib.trusting import PublishedPack
    from certlib.verdict import Verdict

GOOD_WORDS: Final = frozenset({OverallWord.VALID, OverallWord.VALID_OFFLINE})
SHORT_CHARACTERS: Final = 60
MAX_PATH_CHARACTERS: Final = 4096
ADVICE: Final = {
    OverallWord.VALID_OFFLINE: "Ask again with the library when there is a network: the status may have changed.",
    OverallWord.FORGED: "Do not accept it. Keep it, and tell the agency that it names.",
    OverallWord.UNTRUSTED_ISSUER: "Do not accept it: nobody this library trusts made it.",
    OverallWord.UNKNOWN: "Do not accept it yet: this could not be judged. Scan again, or ask the issuing agency.",
    OverallWord.SUPERSEDED: "Ask for the newer licence.",
    OverallWord.BOUND_COPY: "Genuine, but made for one asker and one purpose: no licence for anybody else. "
    "Ask the library for your own copy, check or answer.",
}
"""What to do next, where the word alone does not say it."""
_MAX_LINE_BYTES: Final = 64 * 1024
_FILE_STARTS: Final = (b"%PDF-", b"\x89PNG", b"\xff\xd8\xff")
_FILE_SUFFIXES: Final = frozenset({".pdf", ".png", ".jpg", ".jpeg"})


@contextmanager
def verify_source(
    home: Path, pack: Path | None, anchor: Path | None, status_lists: Sequence[Path] = ()
) -> Iterator[Library | OfflineTrust]:
    """The open library at `home`, or the trust pack alone, with status lists that were fetched since.

    Raises:
        SetupError: no library there, or the pack's files cannot be read.
        InvalidRequestError: the pack or a list is not to be trusted; the code says why.
    """
    if pack is None:
        settings = read_settings(home)
        if not settings.data_keys_path.is_file():
            raise SetupError(
                f"there is no library at {settings.home}",
                hint="Name it with --home, or verify without one: --offline --trust-pack FILE",
            )
        lib = open_library(settings)
        try:
            yield lib
        finally:
            close_library(lib)
        return
    anchor = anchor or pack.with_name("trust-anchor.json")
    try:
        data, pinned = pack.read_bytes(), read_anchor(anchor.read_bytes())
        fetched = [(path, path.read_bytes()) for path in status_lists]
    except OSError as error:
        hint = "The trust pack and the anchor belong together: certlib trust export"
        raise SetupError(f"{error.filename}: {error.strerror}", hint=hint) from error
    seen = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "certlib"
    read = pack
    try:
        trust = open_offline(data, anchor_spki_der=pinned, now=utc_now(), seen=seen)
        for read, content in fetched:  # noqa: B007  # the message names the one that is refused
            trust = with_list(trust, content, now=utc_now(), seen=seen)
    except VerificationError as error:
        fault = FieldFault(field=str(read), code=error.fault.value, reason=f"is not to be trusted: {error}")
        raise InvalidRequestError((fault,)) from error
    yield trust


def read_anchor(data: bytes) -> bytes:
    """The public key (SPKI, DER) in a trust-anchor.json.

    Raises:
        SetupError: it is none.
    """
    try:
        text = str(json.loads(data)["spki"])
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, KeyError, TypeError) as error:
        raise SetupError("the trust anchor cannot be read", hint="Make it with: certlib trust export") from error


def export_trust(lib: Library, folder: Path, pack: PublishedPack) -> list[Path]:
    """Write trust-pack.json, trust-anchor.json and root.pem into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    spki = lib.anchor_spki_der
    anchor = {
        "spki": base64.urlsafe_b64encode(spki).rstrip(b"=").decode(),
        "sha256": hashlib.sha256(spki).hexdigest(),
    }
    files = {
        "trust-pack.json": pack.data,
        "trust-anchor.json": json.dumps(anchor).encode(),
        "root.pem": pem(lib.root_certificate_der),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in files]


def pem(certificate_der: bytes) -> bytes:
    """A certificate as PEM, for tools that ask for it so."""
    return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(certificate_der) + b"-----END CERTIFICATE-----\n"


def inputs_of(arguments: Iterable[str]) -> Iterator[str | bytes]:
    """What the arguments bring, in their order: each itself; `-` stands for the lines, or the one file, on stdin."""
    for argument in arguments:
        if argument != "-":
            yield argument
            continue
        stream = sys.stdin.buffer
        first = stream.readline(_MAX_LINE_BYTES)
        if first.startswith(_FILE_STARTS):
            yield first + stream.read()
            continue
        while first:
            if line := first.decode("utf-8", "replace").strip():
                yield line
            first = stream.readline(_MAX_LINE_BYTES)


def verify_each(
    inputs: Iterable[str | bytes], source: Library | OfflineTrust
) -> Iterator[tuple[str, Verdict | CertlibError]]:
    """Each input's name with its verdict, or with why there is none. One never stops the next.

    The name of a file is its whole path, a text is cut for the screen.
    """
    for given in inputs:
        name = "-" if isinstance(given, bytes) else given if len(given) <= MAX_PATH_CHARACTERS else short(given)
        try:
            content = _content(given, source) if isinstance(given, str) else given
            name = short(name) if isinstance(content, str) else name
            yield name, verify(content, source, now=utc_now())
        except OSError as error:
            yield name, file_error(error)
        except CertlibError as error:
            yield name, error


def _content(text: str, source: Library | OfflineTrust) -> bytes | str:
    """The bytes of the file that `text` names, else `text` itself. No more is read than may be judged."""
    if not text.strip():
        raise SetupError("an empty text says nothing", code="no_file")
    path = Path(text)
    try:
        kind = path.stat().st_mode
    except (OSError, ValueError):  # no file, no name of a file, or far too long for one
        if path.suffix.lower() in _FILE_SUFFIXES or (os.sep in text and "://" not in text):
            raise SetupError(f"{short(text)}: there is no such file", code="no_file") from None
        return text
    if stat.S_ISDIR(kind):
        hint = f"Name the files in it: {text.rstrip(os.sep)}{os.sep}*.pdf"
        raise SetupError(f"{text} is a folder", code="no_file", hint=hint)
    if not stat.S_ISREG(kind):
        raise SetupError(f"{text} is no regular file", code="no_file")
    most = source.settings.max_upload_bytes if isinstance(source, Library) else MAX_OFFLINE_BYTES
    with path.open("rb") as file:
        return file.read(most + 1)


def short(text: str) -> str:
    """A long token cut for the screen; it is never logged whole."""
    return text if len(text) <= SHORT_CHARACTERS else f"{text[: SHORT_CHARACTERS - 1]}…"


def verdict_text(name: str, verdict: Verdict) -> str:
    """A verdict for people: the word, what it speaks of, each check that was made, and what to do next."""
    word = verdict.word.value
    cause = f" ({verdict.fault})" if verdict.fault not in {"", word} else ""
    lines = [f"{name}: {word.upper().replace('_', ' ')}{cause}", *_shown_lines(verdict.shown)]
    for check in verdict.checks:
        if check.outcome is Outcome.NOT_APPLICABLE:
            continue
        evidence = ", ".join(f"{key} {value}" for key, value in check.evidence.items())
        lines.append(
            f"  {check.outcome.value:<8} {check.name.value:<20} {check.code}{f': {evidence}' if evidence else ''}"
        )
    if verdict.snapshot_age_seconds is not None and verdict.status_as_of is not None:
        age = verdict.snapshot_age_seconds // 60
        lines.append(f"  status as of {moment(verdict.status_as_of)}, {age:,} minutes old")
    if advice := ADVICE.get(verdict.word):
        lines.append(f"  {advice}")
    return "\n".join(lines)


def _shown_lines(shown: Mapping[str, Any]) -> list[str]:
    """What stands on the face, to be compared with it."""
    kind, agency = shown.get("type"), shown.get("agency")
    if not isinstance(kind, dict) or not isinstance(agency, dict):
        return []
    title = f"{kind.get('zh') or ''} {kind.get('en') or ''}".strip()
    lines = [f"  {title} No. {shown.get('number') or '***'}, {agency.get('zh') or agency.get('en')}"]
    holders = [f"{each.get('name')} {each.get('code') or ''}".rstrip() for each in shown.get("holders") or ()]
    if holders:
        lines.append(f"  {'; '.join(holders)}")
    made_for = shown.get("made_for")
    if isinstance(made_for, dict) and isinstance(asker := made_for.get("agency"), dict):
        name = asker.get("zh") or asker.get("en") or asker.get("code")
        lines.append(f"  copy for {name}, {made_for.get('purpose') or '-'}, until {made_for.get('until')}")
    if shown.get("check_phrase"):
        lines.append(f"  check phrase {shown['check_phrase']}")
    return lines
