"""Counting what one client asks for."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from api import throttling
from api.throttling import Throttle, client_of


def request_from(host: str) -> Request:
    return Request({"type": "http", "client": (host, 1), "headers": []})


def refused(throttle: Throttle, host: str = "192.0.2.1") -> bool:
    try:
        throttle.take(request_from(host))
    except HTTPException as error:
        answer = error
    else:
        return False
    assert answer.status_code == 429
    assert answer.headers is not None
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    return True


def test_a_new_minute_begins_anew() -> None:
    moment = 120.0
    throttle = Throttle(2, now=lambda: moment)
    assert [refused(throttle) for _ in range(3)] == [False, False, True]
    assert not refused(throttle, "192.0.2.2")
    moment = 179.9
    assert refused(throttle)
    moment = 180.0
    assert not refused(throttle)


def test_zero_is_no_limit() -> None:
    throttle = Throttle(0)
    assert not any(refused(throttle) for _ in range(1000))


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttling, "MAX_CLIENTS", 10)
    throttle = Throttle(1, now=lambda: 0.0)
    for last in range(100):
        refused(throttle, f"192.0.2.{last}")
        assert len(throttle._counts) <= 10  # noqa: SLF001  # what is bounded


@pytest.mark.parametrize(
    ("host", "client"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::/64"), ("fe80::1%eth0", "fe80::/64"), ("x:y", "x:y")],
)
def test_a_client_is_an_address_or_an_ipv6_network(host: str, client: str) -> None:
    assert client_of(request_from(host)) == client
    assert client_of(Request({"type": "http", "client": None, "headers": []})) == ""


def test_a_client_that_is_known_by_name_is_counted_wherever_it_calls_from() -> None:
    throttle = Throttle(48, now=lambda: 0.0)

    def take(_number: int) -> bool:
        try:
            throttle.take_as("RAINPORT c1")
        except HTTPException:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(take, range(96))) == 48
    throttle.take_as("RAINPORT c2")
