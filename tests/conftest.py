"""Fixtures that tests of any folder may ask for."""

import os

from hypothesis import settings

settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("searching", deadline=None, print_blob=True)
# The same examples in each run, so that a red run means a change; `make test-slow` searches for new ones.
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

pytest_plugins = ["tests.support.databases", "tests.support.libraries", "tests.support.foreign"]
