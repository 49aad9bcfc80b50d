"""What tests of processes share: a server with virtual time for scenarios, and a shop in real time for the rest."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from adapters.database import Store, open_store
from adapters.embedded import EmbeddedServer
from adapters.settings import Settings
from adapters.temporal import connect, type_name
from aftersales.policy import load_policy
from aftersales.records import EventStatus
from cli.rehearsal import Theatre
from starter import Starter
from tests.events import event
from worker import build_worker
from workflows import attributes


@dataclass(frozen=True)
class Shop:
    """A worker at work, and what speaks to it."""

    client: Client
    store: Store
    starter: Starter

    async def tell(self, kind: str, name: str = "", **data: Any) -> EventStatus:
        """Send an event of order A-1 through the starter; returns what became of it."""
        return (await self.starter.handle(event(kind, "A-1", name, **data))).status

    async def letters(self) -> list[str]:
        """The letters sent so far."""
        return [letter.letter for letter in await self.store.views.letters()]

    async def wait_for(self, *letters: str) -> None:
        """Wait until just these letters are out."""
        for _ in range(400):
            if await self.letters() == list(letters):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"there are {await self.letters()} only")

    async def reaches(self, case: str, stage: str) -> WorkflowHandle[Any, Any]:
        """Wait until a case is there and shows that it waits at this stage; returns its handle."""
        handle = self.client.get_workflow_handle(case)
        for _ in range(400):
            with contextlib.suppress(RPCError):
                if (await handle.describe()).search_attributes.get("Stage") == [stage]:
                    return handle
            await asyncio.sleep(0.05)
        raise AssertionError(f"{case} does not reach {stage}")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    settings = Settings(data=tmp_path)
    kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
    async with (
        EmbeddedServer(log_file=tmp_path / "server.log", search_attributes=kinds) as server,
        open_store(settings.store_url) as store,
    ):
        client = await connect(server.address)
        async with build_worker(client, store, settings, versioned=False):
            policy = load_policy(settings.policy, settings.law)
            yield Shop(client, store, Starter(client, store, policy, settings))


@pytest.fixture(scope="session")
async def theatre() -> AsyncIterator[Theatre]:
    """Where scenarios are played."""
    async with Theatre.open(Settings()) as theatre:
        yield theatre
