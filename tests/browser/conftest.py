"""A server on loopback with a database of its own, and one Chromium for all tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from structlog.testing import capture_logs

from tests.databases import new_sqlite_database
from tests.features.client import World, a_world
from tests.web.browsing import a_chromium, a_server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with a_chromium() as browser:
        yield browser


@dataclass
class Site:
    world: World
    address: str


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """With the small plan, whose first step takes every kind of answer."""
    database = new_sqlite_database(tmp_path)
    world = a_world(database, data_dir=tmp_path / "data")
    # Unconfigured, structlog paints tracebacks for a terminal, which takes seconds.
    with capture_logs(), a_server(world.app) as address:
        yield Site(world, address)
    database.dispose()
