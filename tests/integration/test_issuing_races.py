"""The same request from many sides at once: one licence, and everybody gets it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from certlib.issuing import issue, issue_block, sweep
from certlib.library import Library
from tests.support.invariants import check_invariants
from tests.support.libraries import company_request


def test_the_same_request_in_eight_threads_is_one_licence(library: Library) -> None:
    def ask(_: int) -> tuple[str, bool]:
        issued = issue(library, company_request())
        return issued.licence.identifier, issued.new

    with ThreadPoolExecutor(8) as pool:
        answers = Counter(pool.map(ask, range(8)))
    assert len({identifier for identifier, _ in answers}) == 1
    assert sum(times for (_, new), times in answers.items() if new) == 1
    check_invariants(library.store)


def test_two_blocks_that_overlap_and_a_sweep_issue_each_number_once(library: Library) -> None:
    holders = company_request().holders
    requests = [company_request(f"91990200MA7EXAM{number:02}U", holders=holders) for number in range(8)]

    def swept() -> list[str]:
        found = list(sweep(library, older_than=timedelta(seconds=-5)))
        return [outcome.licence.identifier for outcome in found if outcome.licence is not None]

    with ThreadPoolExecutor(3) as pool:
        one = pool.submit(issue_block, library, requests[:6])
        two = pool.submit(issue_block, library, requests[:1:-1])
        three = pool.submit(swept)
        outcomes = [*one.result(), *two.result()]
        three.result()
    assert all(outcome.error is None for outcome in outcomes), outcomes
    assert len({outcome.licence.identifier for outcome in outcomes if outcome.licence}) == len(requests)
    check_invariants(library.store)
