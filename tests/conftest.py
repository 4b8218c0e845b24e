"""Fixtures that tests of any folder may ask for."""

pytest_plugins = ["tests.support.databases", "tests.support.libraries"]
