"""What tests of the whole share: a server and a worker for all tests of a file."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.plant import Plant, plant


@pytest_asyncio.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    """Server and worker with the default policy."""
    async with plant(tmp_path_factory.mktemp("plant")) as made:
        await made.start_worker()
        yield made
