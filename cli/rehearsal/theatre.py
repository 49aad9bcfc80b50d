"""The server for rehearsals: in memory, with virtual time, a namespace for every scenario."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from pydantic import SecretStr
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode, ServiceClient
from temporalio.worker import Worker

from adapters.database import Store, open_store
from adapters.embedded import EmbeddedServer
from adapters.sandbox import sandbox
from adapters.settings import Settings
from adapters.shops import load_books
from adapters.temporal import plugin
from aftersales.policies import Policies
from aftersales.policy import Policy, load_policy
from aftersales.scenario import Scenario
from cli.rehearsal.counterpart import Rehearsed
from cli.rehearsal.player import Performance, Player
from cli.rehearsal.virtual import VirtualTime
from starter import Starter
from worker import build_worker
from workflows import attributes

AT_ONCE = 6
"""Scenarios played side by side: while one waits for the server, another has work for the processor."""
A_SERVER = 60
"""Scenarios played on one server: it keeps some 9 MiB of each, and takes ever longer for the next."""
STUCK_AFTER = 30
"""Seconds after which a case that does not yield is taken for stuck."""
EMPTY = "empty.db"
_DAY = Duration(seconds=86_400)


def policy_for(scenario: Scenario, settings: Settings) -> Policy:
    """The policy of new cases with the scenario's own values on top, checked against its market's law.

    Raises `BadFile` with the file and line of what is wrong.
    """
    if not scenario.story.policy:
        return load_policy(settings.policy, settings.law)
    markets = [scenario.market] if scenario.market else None
    return load_policy(settings.policy, settings.law, scenario.document.part(("policy",)), markets)


class _Server:
    """A server, and how many scenarios it has played and is playing."""

    def __init__(self, embedded: EmbeddedServer, service: ServiceClient) -> None:
        self._embedded, self.service = embedded, service
        self.played = self.playing = 0

    @classmethod
    async def open(cls, log_file: Path) -> _Server:
        embedded = EmbeddedServer(log_file=log_file, search_attributes={}, virtual_time=True)
        await embedded.__aenter__()
        return cls(embedded, (await Client.connect(embedded.address)).service_client)

    @property
    def is_used_up(self) -> bool:
        return self.played >= A_SERVER

    async def close(self) -> None:
        await self._embedded.__aexit__(None, None, None)


class Theatre:
    """Plays scenarios, several at a time, each in a namespace and with an empty database of its own."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self._folder, self._settings = folder, settings
        self._servers = list[_Server]()
        self._opening = asyncio.Lock()
        self._books = load_books(settings.templates, settings.shops)
        self._runner = sandbox()
        self._numbers = count(1)
        self._places = asyncio.Semaphore(AT_ONCE)
        self._stores = AsyncExitStack()
        self._free = list[tuple[Path, Store]]()

    @cached_property
    def _policy(self) -> Policy:
        """The policy of stories that change nothing in it; to read it takes as long as to play a short story."""
        return load_policy(self._settings.policy, self._settings.law)

    @classmethod
    @asynccontextmanager
    async def open(cls, settings: Settings) -> AsyncIterator[Theatre]:
        """A theatre that lasts as long as the context; nothing of it stays. Raises `ServerError`."""
        with tempfile.TemporaryDirectory(prefix="aftersales-rehearsal-") as name:
            folder = Path(name)
            # Made once and copied: to migrate costs more than to play a short story.
            async with open_store(f"sqlite:///{folder / EMPTY}"):
                pass
            with _bytecode(folder):
                theatre = cls(folder, settings)
                try:
                    yield theatre
                finally:
                    await theatre._stores.aclose()
                    for server in theatre._servers:
                        await server.close()

    async def play(
        self, scenario: Scenario, policy: Policy | None = None, histories: list[WorkflowHistory] | None = None
    ) -> Performance:
        """Play one scenario, under its own policy or another one; `histories` takes those of its cases.

        Raises:
            BadFile: its policy cannot be used.
        """
        if policy is None:
            policy = policy_for(scenario, self._settings) if scenario.story.policy else self._policy
        async with self._places, self._server() as service:
            name = f"rehearsal-{next(self._numbers)}"
            client = await self._namespace(service, name)
            settings = self._settings.model_copy(update={"data": self._folder / name, "database_url": SecretStr("")})
            time, counterpart = VirtualTime(client), Rehearsed(scenario.counterparts)
            async with AsyncExitStack() as stack:
                store = await stack.enter_async_context(self._store())
                policies = Policies(policy)
                worker = build_worker(
                    time.client,
                    store,
                    settings,
                    books=self._books,
                    policies=policies,
                    counterpart=counterpart,
                    versioned=False,
                )
                _be_patient(worker)
                await stack.enter_async_context(worker)
                starter = Starter(time.client, store, policies, settings, clock=time.now)
                player = Player(scenario, time=time, starter=starter, store=store, counterpart=counterpart)
                try:
                    performance = await player.play()
                    if histories is not None:
                        handles = [client.get_workflow_handle(case.id) for case in time.cases.values()]
                        histories += [await handle.fetch_history() for handle in handles]
                    return performance
                finally:
                    # The worker would wait for what they still do.
                    for case in time.open_cases:
                        await _end(client, case.id)

    @asynccontextmanager
    async def _store(self) -> AsyncIterator[Store]:
        """An empty database for one scenario. It is used again: to learn the statements anew costs a tenth of all."""
        if not self._free:
            path = self._folder / f"{next(self._numbers)}.db"
            shutil.copy(self._folder / EMPTY, path)
            self._free.append((path, await self._stores.enter_async_context(open_store(f"sqlite:///{path}"))))
        path, store = self._free.pop()
        with closing(sqlite3.connect(self._folder / EMPTY)) as empty, closing(sqlite3.connect(path)) as used:
            empty.backup(used)
        yield store
        self._free.append((path, store))

    @asynccontextmanager
    async def _server(self) -> AsyncIterator[ServiceClient]:
        """A server for one scenario; a new one after every so many."""
        async with self._opening:
            if not self._servers or self._servers[-1].is_used_up:
                self._servers.append(await _Server.open(self._folder / f"temporal-{next(self._numbers)}.log"))
            server = self._servers[-1]
            server.played, server.playing = server.played + 1, server.playing + 1
        try:
            yield server.service
        finally:
            server.playing -= 1
            if server.is_used_up and not server.playing:
                self._servers.remove(server)
                await server.close()

    async def _namespace(self, service: ServiceClient, name: str) -> Client:
        client = Client(service, namespace=name, plugins=[plugin(self._runner)])
        await service.workflow_service.register_namespace(
            RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=_DAY), retry=True
        )
        await service.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=name, search_attributes=attributes.TYPES), retry=True
        )
        return client


def _be_patient(worker: Worker) -> None:
    """Let a case think for long before the SDK takes it for stuck, as it does after 2 s.

    On a busy machine a case may wait for the processor that long. Its task would be done again, and meanwhile virtual
    time would go on to what it waits for: the story would come out otherwise. The SDK has no option for it.
    """
    assert worker._workflow_worker
    assert worker._workflow_worker._deadlock_timeout_seconds == 2
    worker._workflow_worker._deadlock_timeout_seconds = STUCK_AFTER


@contextmanager
def _bytecode(folder: Path) -> Iterator[None]:
    """Where Python is told to leave no bytecode, keep it here: the sandbox would compile a process for every case."""
    if not sys.dont_write_bytecode:
        yield
        return
    before = sys.pycache_prefix
    sys.pycache_prefix, sys.dont_write_bytecode = str(folder / "bytecode"), False
    try:
        yield
    finally:
        sys.pycache_prefix, sys.dont_write_bytecode = before, True


async def _end(client: Client, case: str) -> None:
    try:
        await client.get_workflow_handle(case).terminate("the rehearsal is over")
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:  # it has ended by itself
            raise
