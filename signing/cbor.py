"""Strict CBOR: only the deterministic encoding is read, so one value has one form (RFC 8949, 4.2.1).

``cbor2`` writes. It does not read here, because its reader is made to accept: it ignores trailing bytes, decodes
dates and big numbers behind tags, and takes ``true`` and 1 for the same map key. What :func:`value_of` accepts,
``cbor2.dumps`` writes back to the same bytes.
"""

from typing import Final, TypeAlias

from signing.errors import Fault, VerificationError

Value: TypeAlias = "int | bytes | str | list[Value] | dict[int | str, Value]"

# RFC 8949, 3.1: major types. 6 (tags) and 7 (floats, simple values) are refused.
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _ARRAY, _MAP = range(6)
MAP: Final = _MAP
# RFC 8949, 3: below 24 the value itself, 24 to 27 the number of bytes that follow, 28 to 31 not for us.
_ONE_BYTE: Final = 24
_HEAD_BYTES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_LEAST: Final = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}


def value_of(data: bytes, *, max_depth: int, any_order: bool = False) -> Value:
    """Return the one value that ``data`` consists of.

    Arrays become lists, maps dicts with integer or text keys. ``max_depth`` counts arrays and maps around each other.
    ``any_order`` takes the keys of maps in any order, for formats that fix none; a key twice is refused all the same.

    Raises:
        VerificationError: ``malformed``: not the deterministic encoding of integers, byte strings, text, arrays and
            maps; a key twice; too deep; or bytes are left over.
    """
    try:
        value, end = _read(data, 0, max_depth, any_order=any_order)
    except IndexError as error:
        raise _malformed("ends too early") from error
    except UnicodeDecodeError as error:
        raise _malformed("text is not UTF-8") from error
    if end != len(data):
        raise _malformed("bytes are left over")
    return value


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return major type, argument and the offset behind the head."""
    initial = data[at]
    at += 1
    major, argument = initial >> 5, initial & 0x1F
    if major > _MAP:
        raise _malformed("tags, floats and simple values are not used")
    if argument < _ONE_BYTE:
        return major, argument, at
    if argument not in _HEAD_BYTES:
        raise _malformed("indefinite or reserved length")
    least = _LEAST[argument]
    end = at + _HEAD_BYTES[argument]
    if end > len(data):
        raise IndexError
    argument = int.from_bytes(data[at:end], "big")
    if argument < least:
        raise _malformed("a number is not in its shortest form")
    return major, argument, end


def _read(data: bytes, at: int, depth: int, *, any_order: bool) -> tuple[Value, int]:
    """Return the value at an offset and the offset behind it; ``IndexError`` at the end of the data."""
    major, argument, at = _head(data, at)
    if major == _UNSIGNED:
        return argument, at
    if major == _NEGATIVE:
        return -1 - argument, at
    if major <= _TEXT:
        end = at + argument
        if end > len(data):
            raise IndexError
        return (data[at:end].decode() if major == _TEXT else data[at:end]), end
    if depth == 0:
        raise _malformed("nested too deep")
    if major == _MAP:
        return _read_map(data, at, argument, depth - 1, any_order=any_order)
    items: list[Value] = []
    for _ in range(argument):
        item, at = _read(data, at, depth - 1, any_order=any_order)
        items.append(item)
    return items, at


def _read_map(data: bytes, at: int, pairs: int, depth: int, *, any_order: bool) -> tuple[Value, int]:
    members: dict[int | str, Value] = {}
    before = b""
    for _ in range(pairs):
        key_at = at
        key, at = _read(data, at, 0, any_order=any_order)
        key_bytes = data[key_at:at]
        if key_bytes <= before and not any_order:
            raise _malformed("map keys are not in order, or one is there twice")
        before = key_bytes
        if not isinstance(key, int | str):
            raise _malformed("a map key is neither a number nor text")
        if key in members:
            raise _malformed("a map key is there twice")
        members[key], at = _read(data, at, depth, any_order=any_order)
    return members, at


def _malformed(why: str) -> VerificationError:
    return VerificationError(Fault.MALFORMED, f"CBOR: {why}")
