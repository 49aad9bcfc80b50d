"""What the demo runs on: a fresh folder, an embedded server in memory, a database, and a worker of its own."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client

from adapters.database import Store, open_store
from adapters.embedded import EmbeddedServer, stop
from adapters.settings import ROOT, Settings
from adapters.temporal import plugin, type_name
from cli import children
from cli.adopt import serving_build
from cli.connection import Running, Server
from cli.running import Stop
from worker import build_id
from workflows import attributes

READY_WITHIN = 45.0
"""Seconds that the worker has until it serves."""
MARK = "demo.lock"
"""The file that shows that a folder is a demo's, and that one is running in it."""


@dataclass(frozen=True)
class Machine:
    """A running server with its database and its worker."""

    server: Server
    store: Store
    process: EmbeddedServer
    worker: Process
    worker_log: Path

    async def broken(self) -> Stop:
        """Wait until server or worker end by themselves; returns what to tell of it."""
        worker, server = asyncio.create_task(self.worker.wait()), asyncio.create_task(self.process.wait())
        try:
            await asyncio.wait([worker, server], return_when=asyncio.FIRST_COMPLETED)
            if worker.done():
                return _ended(worker.result(), self.worker_log)
            return Stop(f"the Temporal server {children.how(server.result())}")
        finally:
            worker.cancel()
            server.cancel()


def demo_settings(data: Path) -> Settings:
    """The embedded defaults with the demo's policy, whatever the environment says."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    return Settings(**{**defaults, "data": data.absolute(), "policy": ROOT / "policies" / "demo.yaml"})


@contextmanager
def fresh_folder(folder: Path) -> Iterator[None]:
    """Hold the folder, emptied of what an earlier demo left in it.

    Raises:
        Stop: it holds something else, another demo runs in it, or it cannot be written.
    """
    mark = folder / MARK
    try:
        if folder.exists() and not mark.exists() and any(folder.iterdir()):
            raise Stop(f"{folder} holds files that no demo made; choose another folder with --data")
        folder.mkdir(parents=True, exist_ok=True)
        lock = mark.open("ab")
    except OSError as error:
        raise Stop(f"cannot write {folder}: {error.strerror}; choose another folder with --data") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Stop(
                f"another demo is running in {folder}; wait for its end, or choose another folder with --data"
            ) from None
        for path in folder.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != mark:
                path.unlink()
        yield


@asynccontextmanager
async def machine(settings: Settings) -> AsyncIterator[Machine]:
    """Everything running, and stopped again in the right order: the worker first, which may have effects to finish.

    Raises:
        Stop: the worker does not come up.
        ServerError: the server does not.
    """
    logs = settings.data / "logs"
    kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
    async with (
        EmbeddedServer(log_file=logs / "temporal.log", search_attributes=kinds) as server,
        open_store(settings.store) as store,
    ):
        client = await Client.connect(server.address, plugins=[plugin()])
        worker = await children.start(_environment(settings, server.address), logs / "worker.log", *children.WORKER)
        try:
            await _serving(client, worker, logs / "worker.log")
            _write_down(settings, server, worker)
            yield Machine(Server(client, server.ui_url), store, server, worker, logs / "worker.log")
        finally:
            Running.file(settings).unlink(missing_ok=True)
            await stop(worker)


async def _serving(client: Client, worker: Process, log: Path) -> None:
    try:
        async with asyncio.timeout(READY_WITHIN):
            while await serving_build(client) != build_id():
                if worker.returncode is not None:
                    raise _ended(worker.returncode, log)
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise Stop(f"the worker does not serve after {READY_WITHIN:.0f} s; see {log}") from None


def _environment(settings: Settings, address: str) -> dict[str, str]:
    """No letter of a demo leaves this machine, whatever is set for the shop."""
    inherited = children.environment(address, settings.data)
    kept = {name: value for name, value in inherited.items() if not name.startswith("AFTERSALES_")}
    return kept | {
        "AFTERSALES_SETTINGS": "",
        "AFTERSALES_DATA": str(settings.data),
        "AFTERSALES_POLICY": str(settings.policy),
    }


def _write_down(settings: Settings, server: EmbeddedServer, worker: Process) -> None:
    """So that `./dev decide` and the other verbs find this server by the data folder."""
    running = Running(
        address=server.address, ui_url=server.ui_url, pid=os.getpid(), server_pid=server.pid, worker_pid=worker.pid
    )
    Running.file(settings).write_text(running.model_dump_json())


def _ended(code: int, log: Path) -> Stop:
    return Stop(f"the worker {children.how(code)}: {children.last_line(log, 0) or f'see {log}'}")
