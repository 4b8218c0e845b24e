"""Work for other processes and threads that contend for one database. At module level, so that it can be sent."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from multiprocessing.connection import Connection
from typing import NamedTuple

from certlib.errors import ConflictError
from certlib.store import recording, reserving
from certlib.store.engine import Store
from certlib.store.values import AlreadyIssued, Conflicting, Intent, Reserved
from tests.support.databases import Database, opened
from tests.support.makers import NOW, make_intent, make_made, make_request


class Given(NamedTuple):
    """What one contender was given."""

    identifier: str
    public_code: str
    status_index: int


def reserve_in_threads(store: Store, number: str, *, threads: int) -> list[Given]:
    """What `threads` threads get that all ask for the same number at once."""

    def ask(_: int) -> Given:
        (outcome,) = reserving.reserve(store, [make_intent(make_request(number))], now=NOW)
        assert isinstance(outcome, Reserved)
        return Given(outcome.identifier, outcome.public_code, outcome.status_index)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(ask, range(threads)))


def reserve_in_this_process(database: Database, number: str, threads: int) -> list[Given]:
    """The same in a process of its own."""
    with opened(database) as store:
        return reserve_in_threads(store, number, threads=threads)


def issue_range(database: Database, numbers: list[str]) -> list[str]:
    """Issue the numbers in blocks of 8, as a batch worker would; the identifiers that stand in the end."""
    identifiers: list[str] = []
    with opened(database) as store:
        for start in range(0, len(numbers), 8):
            block = [make_intent(make_request(number)) for number in numbers[start : start + 8]]
            identifiers += _issue_block(store, block)
    return identifiers


def _issue_block(store: Store, block: list[Intent]) -> list[str]:
    while True:
        outcomes = reserving.reserve(store, block, now=NOW)
        made = [make_made(each) for each in outcomes if isinstance(each, Reserved)]
        try:
            recording.record(store, made, now=NOW)
        except ConflictError as error:  # another worker finished one of them first: ask again
            assert error.code == "already_recorded"  # noqa: PT017  # any other code fails the test
            continue
        return [_identifier(each) for each in outcomes]


def _identifier(outcome: Reserved | AlreadyIssued | Conflicting) -> str:
    return outcome.licence.identifier if isinstance(outcome, AlreadyIssued) else outcome.identifier


def issue_until_killed(database: Database, told: Connection) -> None:
    """Issue blocks of 4 for ever and tell each identifier once its licence is recorded."""
    with opened(database) as store:
        for start in count(step=4):
            numbers = range(start, start + 4)
            for identifier in _issue_block(store, [make_intent(make_request(f"N{number}")) for number in numbers]):
                told.send(identifier)
