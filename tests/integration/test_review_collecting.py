"""What a reviewer found in checks that are handed on; it stays found."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from certlib.collecting import following, reaching, searching
from certlib.collecting.reaching import Sent
from certlib.errors import UnavailableError
from certlib.library import Library
from tests.integration.test_collecting import Other, added, issue_many, number, other
from tests.support.sharing import asking

__all__ = ["other"]


@pytest.mark.parametrize(
    "change", [{"word": "revoked"}, {"word": None}, {"fields": {"number": "differs"}}, {"status_as_of": "2020-01-01"}]
)
def test_an_answer_says_what_its_receipt_says(
    sqlite_library: Library, other: Other, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """Whoever sits between the library and its own receipt key changes nothing unseen."""
    first, second = issue_many(other.lib, 2)
    following.follow(sqlite_library, added(sqlite_library, other))
    answered: list[bytes] = []

    def meddling(alter: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[str, Sent], bytes]:
        def ask(url: str, sent: Sent) -> bytes:
            answered.append(reaching.ask(url, sent))
            return json.dumps(alter(json.loads(answered[-1]))).encode()

        return ask

    parts: dict[str, Any] = {"identifier": first, "given": {"number": number(0)}}
    monkeypatch.setattr(searching, "ask", meddling(lambda said: said))
    assert searching.forward_check(sqlite_library, None, asking(), **parts)["answer"]
    monkeypatch.setattr(searching, "ask", meddling(lambda said: {**said, **change}))
    with pytest.raises(UnavailableError):
        searching.forward_check(sqlite_library, None, asking(), **parts)
    # The answer about another licence, receipt and all.
    earlier = answered[0]
    monkeypatch.setattr(searching, "ask", lambda _url, _sent: earlier)
    with pytest.raises(UnavailableError):
        searching.forward_check(sqlite_library, None, asking(), identifier=second, given={"number": number(0)})
