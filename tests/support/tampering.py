"""What people do to sealed files: bytes in, bytes out. None of these needs a key."""

import re
from collections.abc import Callable

Tamper = Callable[[bytes], bytes]

_START = re.compile(rb"startxref\n(\d+)\n")


def replaced(old: bytes, new: bytes) -> Tamper:
    """Exchange bytes of equal length, in one place only."""

    def tamper(pdf: bytes) -> bytes:
        assert pdf.count(old) >= 1
        assert len(old) == len(new)
        return pdf.replace(old, new, 1)

    return tamper


def appended(data: bytes) -> Tamper:
    return lambda pdf: pdf + data


def prepended(data: bytes) -> Tamper:
    return lambda pdf: data + pdf


def with_revision(number: int, body: bytes, *, trailer: bytes = b"") -> Tamper:
    """Append a lawful incremental update that writes one object anew (ISO 32000-1, 7.5.6)."""

    def tamper(pdf: bytes) -> bytes:
        previous = _START.findall(pdf)[-1]
        at = len(pdf)
        update = b"%d 0 obj\n%s\nendobj\n" % (number, body)
        table = b"xref\n%d 1\n%010d 00000 n \n" % (number, at)
        end = b"trailer\n<< /Size 10 /Root 1 0 R /Prev %s %s >>\nstartxref\n%d\n%%%%EOF\n"
        return pdf + update + table + end % (previous, trailer, at + len(update))

    return tamper


def gap_of(pdf: bytes) -> tuple[int, int]:
    """Start and end of the digits in the first gap of a tiny PDF."""
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    return start, pdf.index(b">", start)


def with_contents(digits: bytes) -> Tamper:
    """Put other digits in the gap, padded with zeros."""

    def tamper(pdf: bytes) -> bytes:
        start, end = gap_of(pdf)
        return pdf[:start] + digits.ljust(end - start, b"0")[: end - start] + pdf[end:]

    return tamper


def last_padding_digit(pdf: bytes) -> bytes:
    _, end = gap_of(pdf)
    return pdf[: end - 1] + b"1" + pdf[end:]


def upper_case(pdf: bytes) -> bytes:
    start, end = gap_of(pdf)
    return pdf[:start] + pdf[start:end].upper() + pdf[end:]


def moved_from(other: bytes) -> Tamper:
    """Put the seal of another file into this one."""
    start, end = gap_of(other)
    return with_contents(other[start:end])


def wrapped(pdf: bytes) -> bytes:
    """Signature wrapping: the signed end moves behind a new signature dictionary that points past foreign objects."""
    start, end = gap_of(pdf)
    head, digits, tail = pdf[: start - 1], pdf[start:end], pdf[end + 1 :]
    foreign = b" >>\nendobj\n4 0 obj\n<< /Length 3 >>\nstream\nq Q\nendstream\nendobj\n8 0 obj\n<< /Type /Sig "
    byte_range = b"/ByteRange [0 %d %d %d] >>\nendobj\n"
    middle = b"<" + digits + b">" + foreign
    new_end = len(head) + len(middle) + 60
    return head + (middle + byte_range % (len(head), new_end, len(tail))).ljust(new_end - len(head)) + tail
