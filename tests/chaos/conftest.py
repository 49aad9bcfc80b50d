"""A server for all tests that fail single steps in one process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Client

from adapters.embedded import EmbeddedServer
from adapters.temporal import connect, type_name
from workflows import attributes


@pytest_asyncio.fixture(scope="session")
async def client(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """A client of a server in memory."""
    folder: Path = tmp_path_factory.mktemp("server")
    kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
    async with EmbeddedServer(log_file=folder / "server.log", search_attributes=kinds) as server:
        yield await connect(server.address)
