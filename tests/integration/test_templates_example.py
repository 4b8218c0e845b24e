"""The example that stands at the top of the package."""

import doctest

import templates


def test_the_example_of_the_package_runs() -> None:
    result = doctest.testmod(templates)
    assert result.failed == 0
    assert result.attempted >= 8
