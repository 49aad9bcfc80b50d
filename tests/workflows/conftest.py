"""One server with virtual time for all tests of processes."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from adapters.settings import Settings
from cli.rehearsal import Theatre


@pytest.fixture(scope="session")
async def theatre() -> AsyncIterator[Theatre]:
    """Where scenarios are played."""
    async with Theatre.open(Settings()) as theatre:
        yield theatre
