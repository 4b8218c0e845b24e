"""The examples in the package's own words run as they stand."""

import doctest
import importlib
import pkgutil

import pytest

import signing

MODULES = ["signing", *(f"signing.{module.name}" for module in pkgutil.iter_modules(signing.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_package_shows_a_whole_example() -> None:
    assert doctest.testmod(signing).attempted >= 15
