"""What tests of processes share: a server with virtual time for scenarios, and a shop in real time for the rest."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from temporalio.client import Client, WorkflowHandle, WorkflowHistory
from temporalio.service import RPCError
from temporalio.worker import Worker

from adapters.database import Store, open_store
from adapters.embedded import EmbeddedServer
from adapters.settings import Settings
from adapters.temporal import connect, type_name
from aftersales.letters import Books
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.records import EventStatus
from aftersales.scenario import load_scenario
from cli.rehearsal import Performance, Theatre
from starter import Starter
from tests.books import book
from tests.events import event
from worker import build_worker
from workflows import attributes


@dataclass(frozen=True)
class Shop:
    """A worker at work, and what speaks to it."""

    client: Client
    store: Store
    starter: Starter

    async def tell(self, kind: str, /, name: str = "", **data: Any) -> EventStatus:
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


@dataclass(frozen=True)
class Played:
    """A story as it was played, with the values that its letters were sent with.

    They stand beside `performance.result.letters`; None for a letter of a run that another run of its case followed.
    """

    performance: Performance
    values: tuple[Mapping[str, Any] | None, ...]
    waited: frozenset[tuple[str, str]] = frozenset()
    """The processes and the stages at which their cases have waited, in the last run of each."""

    @classmethod
    def of(cls, performance: Performance, histories: list[WorkflowHistory]) -> Played:
        """The letters' values and the stages are taken from the histories of the cases."""
        asked = defaultdict[tuple[str, str], list[Mapping[str, Any]]](list)
        for history in histories:
            for happened in history.events:
                scheduled = happened.activity_task_scheduled_event_attributes
                if scheduled.activity_type.name == "send_letter":
                    request = json.loads(scheduled.input.payloads[0].data)
                    asked[history.workflow_id, request["letter"]].append(request["values"])
        # The last ones are those of the run that the history is of.
        found = [
            of_case.pop() if (of_case := asked[letter.case, letter.name]) else None
            for letter in reversed(performance.result.letters)
        ]
        waited = frozenset(stage for history in histories for stage in _waited(history))
        return cls(performance, tuple(reversed(found)), waited)


def _waited(history: WorkflowHistory) -> Iterator[tuple[str, str]]:
    """The process and the stage of each wait of a case: a timer was started, and its summary begins with the stage."""
    process = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
    for happened in history.events:
        if happened.HasField("timer_started_event_attributes"):
            stage, _, _ = json.loads(happened.user_metadata.summary.data).partition(": until ")
            yield process, stage


@asynccontextmanager
async def without_worker(settings: Settings) -> AsyncIterator[Shop]:
    """A shop in real time that takes events, and does nothing about them until a worker runs."""
    folder = settings.data
    kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
    async with (
        EmbeddedServer(log_file=folder / "server.log", search_attributes=kinds) as server,
        open_store(settings.store) as store,
    ):
        client = await connect(server.address)
        policy = load_policy(settings.policy, settings.law)
        yield Shop(client, store, Starter(client, store, Policies(policy), settings))


def working(shop: Shop, settings: Settings, **parts: Any) -> Worker:
    """A worker for a shop; `parts` replace the default ones."""
    return build_worker(shop.client, shop.store, settings, books=Books(book()), versioned=False, **parts)


@asynccontextmanager
async def opened(folder: Path, **parts: Any) -> AsyncIterator[Shop]:
    """A shop with its data in a folder, and a worker; `parts` of it replace the default ones."""
    settings = Settings(data=folder)
    async with without_worker(settings) as shop, working(shop, settings, **parts):
        yield shop


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with opened(tmp_path) as shop:
        yield shop


@pytest.fixture(scope="session")
async def theatre() -> AsyncIterator[Theatre]:
    """Where scenarios are played."""
    async with Theatre.open(Settings()) as theatre:
        yield theatre


@pytest.fixture(scope="session")
async def plays(
    theatre: Theatre, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[Path | int, asyncio.Task[Played]]]:
    """The stories of this run, under way, each once whichever tests look at it.

    A story is what a test that uses them has as its parameter: a scenario's file, or the seed of a sequence.
    """
    from tests.workflows.test_sequences import written

    folder = tmp_path_factory.mktemp("sequences")

    async def play(story: Path | int) -> Played:
        histories: list[WorkflowHistory] = []
        scenario = load_scenario(story) if isinstance(story, Path) else written(story, folder)
        return Played.of(await theatre.play(scenario, histories=histories), histories)

    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    stories = [cast(Path | int, item.callspec.params["story"]) for item in items if "plays" in item.fixturenames]
    tasks = {story: asyncio.create_task(play(story)) for story in dict.fromkeys(stories)}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)
