import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.der import Element, elements, first_element_size, header, only, tlv
from signing.errors import Fault, VerificationError

TAGS = st.integers(min_value=0, max_value=255).filter(lambda tag: tag & 0x1F != 0x1F)


@given(st.lists(st.tuples(TAGS, st.binary(max_size=400)), max_size=6))
def test_what_is_written_is_read(parts: list[tuple[int, bytes]]) -> None:
    der = b"".join(tlv(tag, content) for tag, content in parts)
    assert [(element.tag, element.content) for element in elements(der)] == parts
    assert b"".join(element.der for element in elements(der)) == der


@given(st.binary(max_size=300))
def test_what_is_read_is_written_back_to_the_same_bytes(data: bytes) -> None:
    try:
        found = elements(data)
    except VerificationError:
        return
    assert b"".join(tlv(element.tag, element.content) for element in found) == data


@pytest.mark.parametrize("length", [0, 1, 127, 128, 255, 256, 65_535, 65_536, 16_777_216])
def test_lengths_are_shortest(length: int) -> None:
    made = header(0x04, length)
    assert len(made) == 2 if length < 128 else len(made) == 2 + (length.bit_length() + 7) // 8


@pytest.mark.parametrize(
    "bad",
    ["04", "0480", "0480000000", "048101ff", "0481", "04820080" + "00" * 128, "0485" + "01" * 5, "0402ff", "1f01ff"],
)
def test_other_forms_are_malformed(bad: str) -> None:
    with pytest.raises(VerificationError) as caught:
        elements(bytes.fromhex(bad))
    assert caught.value.fault is Fault.MALFORMED


def test_the_first_element_is_measured_with_its_header() -> None:
    assert first_element_size(tlv(0x30, bytes(200)) + bytes(50)) == 203
    assert first_element_size(bytes(2)) == 2
    for bad in (b"", b"\x30", b"\x30\x05\0", b"\x30\x82\xff"):
        with pytest.raises(VerificationError):
            first_element_size(bad)


def test_only_wants_the_very_tags() -> None:
    der = tlv(0x02, b"\1") + tlv(0x04, b"\2")
    assert only(der, 0x02, 0x04) == [Element(0x02, b"\1", b"\x02\1\1"), Element(0x04, b"\2", b"\x04\1\2")]
    for tags in ((0x02,), (0x04, 0x02), (0x02, 0x04, 0x04), ()):
        with pytest.raises(VerificationError):
            only(der, *tags)
