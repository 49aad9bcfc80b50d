"""Finding the server, and opening client, database and starter together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from adapters.database import Store, open_store
from adapters.settings import Settings
from adapters.shops import load_policies
from adapters.temporal import connect
from aftersales.model import Model
from starter import Starter

PROBE = 1.0
"""Seconds in which a server named by a state file must take a connection to count as there."""


class Running(Model):
    """What `./dev up` writes down in the data folder while it runs."""

    address: str
    ui_url: str
    pid: int
    server_pid: int
    worker_pid: int | None = None
    door_pid: int | None = None

    @staticmethod
    def file(settings: Settings) -> Path:
        """Where it is written."""
        return settings.data / "up.json"

    @classmethod
    def read(cls, settings: Settings) -> Running | None:
        """What stands there; None where nothing does, or nothing readable."""
        try:
            return cls.model_validate(json.loads(cls.file(settings).read_bytes()))
        except (OSError, ValueError):
            return None


class Serving(Model):
    """What `./dev serve` writes down in the data folder while its door is open."""

    url: str
    pid: int

    @staticmethod
    def file(settings: Settings) -> Path:
        """Where it is written."""
        return settings.data / "serve.json"

    @classmethod
    def read(cls, settings: Settings) -> Serving | None:
        """What stands there; None where nothing does, or nothing readable."""
        try:
            return cls.model_validate(json.loads(cls.file(settings).read_bytes()))
        except (OSError, ValueError):
            return None


@dataclass(frozen=True)
class Server:
    """A Temporal server: its client, and where its Web UI is, when that is known."""

    client: Client
    ui_url: str

    def link(self, case: str, run_id: str = "") -> str:
        """The page of a case in the Web UI, of its newest run or of the one named; empty where nobody knows where."""
        run = f"/{run_id}/user-metadata" if run_id else ""
        path = f"/namespaces/{self.client.namespace}/workflows/{quote(case, safe='')}{run}"
        return self.ui_url.rstrip("/") + path if self.ui_url else ""


@dataclass(frozen=True)
class Desk:
    """What an operator's verb works with."""

    server: Server
    store: Store

    @property
    def client(self) -> Client:
        """The Temporal client."""
        return self.server.client


def running_here(settings: Settings) -> Running | None:
    """The `up` of this data folder, unless the environment names another server."""
    named = ClientConfig.load_client_connect_config().get("target_host")
    running = Running.read(settings)
    return running if running and named in {None, running.address} else None


async def find_server(settings: Settings) -> Server:
    """The server that the environment names, else the one that `up` runs on this data folder, else localhost:7233.

    Raises:
        NotReachable: none answers.
    """
    running = running_here(settings)
    if running and await _answers(running.address):
        return Server(await connect(running.address), settings.web_ui or running.ui_url)
    return Server(await connect(), settings.web_ui)


@asynccontextmanager
async def open_desk(settings: Settings) -> AsyncIterator[Desk]:
    """Server and database. Raises `NotReachable` and `DatabaseUnusable`."""
    server = await find_server(settings)
    async with open_store(settings.store) as store:
        yield Desk(server, store)


@asynccontextmanager
async def open_starter(settings: Settings) -> AsyncIterator[tuple[Desk, Starter]]:
    """A desk and a starter with the policy for new cases. Raises `NotReachable`, `DatabaseUnusable` and `BadFile`."""
    policies = load_policies(settings.policy, settings.law, settings.shops)
    async with open_desk(settings) as desk:
        yield desk, Starter(desk.client, desk.store, policies, settings)


async def _answers(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, int(port)), PROBE)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
