"""``pytest tests/mail --snapshot-update`` writes the mails of ``snapshots/`` anew; look at what has changed then."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--snapshot-update", action="store_true", help="Write the snapshots of all mails anew.")


@pytest.fixture(scope="session")
def updates_snapshots(request: pytest.FixtureRequest) -> bool:
    """Say whether snapshots are written; started from elsewhere, pytest does not know the option."""
    return bool(request.config.getoption("--snapshot-update", default=False))
