"""Which encoding a text file is in, found before anything is read from it. Never guessed in silence.

The rule: a byte order mark decides, else what the caller said, else UTF-8. A file that does not fit is refused
with place and way out; single damaged lines in a file that fits otherwise are left to the rows.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.intake.rows import file_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

CHUNK_BYTES: Final = 1 << 16
LONG_LINE_BYTES: Final = 4 << 20
"""Longer lines do not count in finding the encoding."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"\x84\x31\x95\x33", "gb18030"),  # U+FEFF in GB 18030
)
_CHINESE: Final = frozenset({"gb2312", "gbk", "gb18030", "hz"})
_LINE_SAFE: Final = frozenset(
    {"utf-8", "ascii", "gb18030", "big5", "big5hkscs", "cp950", "shift_jis", "cp932", "euc_jp", "euc_kr", "cp949"}
)
"""Comma, quote, tab and line ends are never a part of a longer character in these."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextForm:
    """How a text file is to be read."""

    encoding: str
    """Python's name of it."""
    start: int
    """Bytes of the byte order mark."""
    lines: int
    """Lines in the file, a last one without line end counted."""


def line_safe(encoding: str) -> bool:
    """Whether bytes of the encoding may be cut at commas, quotes and line ends."""
    return encoding in _LINE_SAFE or encoding.startswith(("iso8859", "cp125", "koi8", "mac"))


def text_form(path: Path, encoding: str | None) -> TextForm:
    """How `path` is to be read; `encoding` is what the caller says, or None.

    The whole file is read once. UTF-16 and UTF-32 are taken only with their byte order mark or by name.

    Raises:
        InvalidRequestError: `empty_file`; `unknown_encoding`; `wrong_encoding`, naming row and byte.
    """
    said = _known(path, encoding) if encoding else None
    with path.open("rb") as file:
        head = file.read(4)
        if not head:
            raise file_error(path, "empty_file", "the file is empty; it needs a header line and rows")
        mark, marked = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", ""))
        if marked and said not in {None, marked, "utf-8"}:  # UTF-8 is what is said when nothing is
            reason = f"its byte order mark says {marked}, --encoding says {encoding}; leave --encoding out"
            raise file_error(path, "wrong_encoding", reason)
        form = TextForm(encoding=marked or said or "utf-8", start=len(mark), lines=0)
        if line_safe(form.encoding):
            return _line_form(path, file, form)
        file.seek(0)
        return _whole_form(path, file, form)


def utf8_chunks(file: BinaryIO, encoding: str) -> Iterator[bytes]:
    """The file's text as UTF-8, in pieces; for encodings that are not line-safe and were found whole."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    while chunk := file.read(CHUNK_BYTES):
        yield decoder.decode(chunk).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _known(path: Path, encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
        "".encode(name)
    except LookupError as error:
        reason = f"--encoding {encoding!r} is not known; say utf-8, gb18030, big5, utf-16 or cp1252"
        raise file_error(path, "unknown_encoding", reason) from error
    name = "gb18030" if name in _CHINESE else name  # the newest contains the older ones
    return "utf-8" if name in {"utf-8-sig", "ascii"} else name


def _line_form(path: Path, file: BinaryIO, form: TextForm) -> TextForm:
    """The form with lines counted, when at least half of the lines beyond ASCII can be decoded."""
    number = good = bad = utf8 = 0
    offset, first_bad, first_cause = form.start, (0, 0, 0), ""
    file.seek(form.start)
    cut = False
    while line := file.readline(LONG_LINE_BYTES):
        number += not cut
        beyond, cut = cut, len(line) == LONG_LINE_BYTES and not line.endswith(b"\n")
        if not line.isascii() and not beyond and not cut:  # a cut line may be cut inside a character
            cause = _undecodable(line, form.encoding)
            if cause is None:
                good += 1
            else:
                bad += 1
                if bad == 1:
                    first_bad = (number, offset + cause, line[cause])
                    first_cause = f"0x{line[cause]:02X}"
            utf8 += _undecodable(line, "utf-8") is None
        offset += len(line)
    if bad and bad >= good:
        row, byte, _ = first_bad
        reason = (
            f"row {row}, byte {byte}: {first_cause} is not {_shown(form.encoding)}. {_way_out(path, form.encoding)}"
        )
        raise file_error(path, "wrong_encoding", reason)
    if form.encoding != "utf-8" and utf8 and utf8 == good + bad:
        reason = f"all of it is good UTF-8, read as {form.encoding} its text would be garbled; leave --encoding out"
        raise file_error(path, "wrong_encoding", reason)
    return TextForm(encoding=form.encoding, start=form.start, lines=number)


def _undecodable(line: bytes, encoding: str) -> int | None:
    """Place of the first byte that the encoding does not have, or None."""
    try:
        line.decode(encoding)
    except UnicodeDecodeError as error:
        return error.start
    return None


def _whole_form(path: Path, file: BinaryIO, form: TextForm) -> TextForm:
    """The form of a file that is not cut at bytes; any fault refuses the file."""
    decoder = codecs.getincrementaldecoder(form.encoding)("strict")
    lines, offset, last = 1, 0, ""
    try:
        while chunk := file.read(CHUNK_BYTES):
            text = decoder.decode(chunk)
            lines += text.count("\n")
            last = text[-1:] or last
            offset += len(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        byte = max(0, offset + error.start - (len(error.object) - len(chunk)))
        reason = f"row {lines}, about byte {byte}: not {_shown(form.encoding)}. {_way_out(path, form.encoding)}"
        raise file_error(path, "wrong_encoding", reason) from error
    return TextForm(encoding=form.encoding, start=0, lines=lines - (last == "\n"))


def _way_out(path: Path, encoding: str) -> str:
    if encoding != "gb18030" and _decodes(path, "gb18030"):
        return "It may be GB18030: run again with --encoding gb18030, and look at a few names with --check first"
    return "Save it as UTF-8, or name its encoding with --encoding"


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _shown(encoding: str) -> str:
    return {"utf-8": "UTF-8", "gb18030": "GB18030", "utf-16": "UTF-16"}.get(encoding, encoding)
