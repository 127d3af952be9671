"""A real CalDAV server for the whole run."""

from collections.abc import Iterator

import pytest

from tests.calendars.conftest import DavServer, radicale


@pytest.fixture(scope="session")
def dav_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server
