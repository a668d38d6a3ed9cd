"""What several files of tests share."""

import os

import postgres
import pytest

# No test draws on what is shipped, or on what the user of this machine has kept, unless it says so.
os.environ["HYPERPILOT_EXPERIENCE"] = "none"

# The window's own tests run in processes of their own, one for each binding of Qt: tests/test_window.py starts them.
collect_ignore = [] if os.environ.get("HYPERPILOT_WINDOW_TESTS") else ["window"]


@pytest.fixture(scope="session")
def postgres_url():
    """A server: that of HYPERPILOT_TEST_POSTGRES, or else one that is started for the tests."""
    if given := os.environ.get("HYPERPILOT_TEST_POSTGRES"):
        yield given
        return
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL server is installed: apt-get install postgresql")
    with postgres.server() as url:
        yield url
