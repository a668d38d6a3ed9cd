"""What several files of tests share."""

import os

import postgres
import pytest

# No test draws on what is shipped, or on what the user of this machine has kept, unless it says so.
os.environ["HYPERPILOT_EXPERIENCE"] = "none"

# The window's own tests run in processes of their own, one for each binding of Qt: tests/test_window.py starts them.
collect_ignore = [] if os.environ.get("HYPERPILOT_WINDOW_TESTS") else ["window"]

_ON_RAY = {"test_ray", "test_ray_tune", "test_rllib"}


def pytest_collection_modifyitems(items):
    """Where several processes share the tests, those of a file stay together, and one cluster of Ray runs at a time."""
    for item in items:
        file = item.path.stem
        item.add_marker(pytest.mark.xdist_group("ray" if file in _ON_RAY else file))


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
