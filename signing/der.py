"""DER, the small part of ASN.1 that seals need: write an element, read elements strictly.

Strict means X.690 section 10: definite lengths in their shortest form. What :func:`elements` accepts is therefore
written back by :func:`tlv` to the same bytes.
"""

from typing import NamedTuple

from signing.errors import Fault, VerificationError

INTEGER = 0x02
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31

_LONG_FORM = 0x80
_HIGH_TAG_NUMBER = 0x1F
_MAX_LENGTH_OCTETS = 4


class Element(NamedTuple):
    """One DER element."""

    tag: int
    """The identifier octet; tags with numbers above 30 are refused."""
    content: bytes
    """What follows the length."""
    der: bytes
    """Identifier, length and content."""


def tlv(tag: int, *contents: bytes) -> bytes:
    """Return one element: identifier, shortest length, then the contents one after another."""
    return b"".join((header(tag, sum(map(len, contents))), *contents))


def header(tag: int, length: int) -> bytes:
    """Return identifier and shortest length octets of an element of ``length`` content bytes (X.690, 10.1)."""
    if length < _LONG_FORM:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG_FORM | len(octets))) + octets


def elements(data: bytes) -> list[Element]:
    """Return the elements that ``data`` consists of, in order; empty data gives an empty list.

    Raises:
        VerificationError: ``malformed``: not DER, or bytes are left over.
    """
    found: list[Element] = []
    at = 0
    end = len(data)
    while at < end:
        start = at
        if end - at < 2:  # noqa: PLR2004  # an identifier and a length
            raise VerificationError(Fault.MALFORMED, "DER ends inside a header")
        tag, length = data[at], data[at + 1]
        at += 2
        if tag & _HIGH_TAG_NUMBER == _HIGH_TAG_NUMBER:
            raise VerificationError(Fault.MALFORMED, "DER tag number above 30")
        if length & _LONG_FORM:
            octets = length & ~_LONG_FORM
            if not 0 < octets <= _MAX_LENGTH_OCTETS or end - at < octets:
                raise VerificationError(Fault.MALFORMED, "DER length is indefinite or too long")
            length = int.from_bytes(data[at : at + octets], "big")
            at += octets
            if length < _LONG_FORM or length.bit_length() <= 8 * (octets - 1):
                raise VerificationError(Fault.MALFORMED, "DER length is not in its shortest form")
        if length > end - at:
            raise VerificationError(Fault.MALFORMED, "DER element runs past the end")
        content = data[at : at + length]
        at += length
        found.append(Element(tag, content, data[start:at]))
    return found


def first_element_size(data: bytes) -> int:
    """Return how many bytes the first element of ``data`` takes, header included.

    Raises:
        VerificationError: ``malformed``: there is no whole element.
    """
    octets = data[1] & ~_LONG_FORM if len(data) > 1 and data[1] & _LONG_FORM else 0
    head = 2 + octets
    if len(data) < head or octets > _MAX_LENGTH_OCTETS:
        raise VerificationError(Fault.MALFORMED, "DER header is incomplete")
    size = head + (int.from_bytes(data[2:head], "big") if octets else data[1])
    if size > len(data):
        raise VerificationError(Fault.MALFORMED, "DER element runs past the end")
    return size


def only(data: bytes, *tags: int) -> list[Element]:
    """Return the elements of ``data``, which must have exactly these tags in this order.

    Raises:
        VerificationError: ``malformed``: other elements, or not DER.
    """
    found = elements(data)
    if [element.tag for element in found] != list(tags):
        raise VerificationError(Fault.MALFORMED, "DER structure is not the expected one")
    return found
