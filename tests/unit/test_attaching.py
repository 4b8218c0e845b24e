"""File names that every reader of headers understands."""

import pytest

from api.attaching import attachment


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("营业执照_91990200MA7EXAM18U.pdf", "91990200MA7EXAM18U.pdf"),
        ("营业执照.pdf", "licence.pdf"),
        ('a"b\r\nc.pdf', "abc.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
    ],
)
def test_the_plain_name_is_plain(name: str, plain: str) -> None:
    header = attachment(name)
    assert header.startswith(f'attachment; filename="{plain}"; ')
    assert header.isascii()
    assert header.isprintable()
