"""The whole machinery as processes of its own, for tests that kill them: server, worker, and the verbs of `./dev`.

Everything that is started here ends with the test, also when pytest itself is killed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from temporalio.client import Client

from adapters.database import Store, open_store
from adapters.embedded import EmbeddedServer
from adapters.settings import ROOT, Settings
from adapters.temporal import connect, type_name
from workflows import attributes

CODE = ("activities", "adapters", "aftersales", "cli", "policies", "templates", "workflows", "starter.py", "worker.py")

# What runs through this dies with the process that started it (Linux only; elsewhere a killed pytest leaves it).
_BOUND = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)
if os.getppid() == int(sys.argv[1]):
    os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Plant:
    """A server with a file, a worker, and a data folder, all of which can be killed and started again."""

    folder: Path
    policy: Path
    server: EmbeddedServer
    environment: dict[str, str] = field(default_factory=dict)
    worker: Process | None = None
    workers: int = 0

    @property
    def settings(self) -> Settings:
        """The settings that its processes run with."""
        return Settings(data=self.folder / "data", policy=self.policy)

    @property
    def code(self) -> Path:
        """The code as it was when the test began: an edit meanwhile would be another build, with cases of its own."""
        return self.folder / "code"

    def store(self) -> AbstractAsyncContextManager[Store]:
        """The database that its processes write, opened once more."""
        return open_store(self.settings.store)

    async def client(self) -> Client:
        """A client of its server."""
        return await connect(self.server.address)

    async def spawn(self, *arguments: str, **options: Any) -> Process:
        """A Python process of the code."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _BOUND, str(os.getpid()), sys.executable, "-P", *arguments),
            env=os.environ | self.environment,
            cwd=self.folder,
            **options,
        )

    async def start_worker(self, module: str = "worker") -> Process:
        """Start a worker; returns when it polls."""
        self.workers += 1
        log = self.folder / f"worker-{self.workers}.log"
        with log.open("wb") as stream:
            self.worker = await self.spawn("-m", module, stdout=stream, stderr=STDOUT)
        for _ in range(600):
            if b"worker runs" in log.read_bytes():
                return self.worker
            if self.worker.returncode is not None:
                break
            await asyncio.sleep(0.05)
        raise AssertionError(f"the worker does not run: {log.read_text()[-2000:]}")

    async def kill_worker(self) -> None:
        """End the worker as a power cut would."""
        if self.worker is not None:
            await kill(self.worker)

    async def restart_server(self) -> None:
        """Kill the server and start it again with the same file on the same ports."""
        os.kill(self.server.pid, signal.SIGKILL)
        await self.server.wait()
        self.server = embedded(self.folder, *(int(url.rpartition(":")[2]) for url in self.urls))
        await self.server.__aenter__()

    @property
    def urls(self) -> tuple[str, str]:
        """Where the server and its Web UI are."""
        return self.server.address, self.server.ui_url

    async def send(self, file: Path, *options: str) -> tuple[int, str]:
        """`./dev send FILE`: its exit code, and what it said."""
        return await self.verb("send", str(file), *options)

    async def verb(self, *arguments: str) -> tuple[int, str]:
        """A verb of `./dev`: its exit code, and what it said."""
        process = await self.spawn("-m", "cli", *arguments, stdout=PIPE, stderr=STDOUT)
        try:
            said, _ = await process.communicate()
        finally:
            await kill(process)
        return process.returncode or 0, said.decode()


@asynccontextmanager
async def plant(folder: Path, policy: str = "extends: default.yaml\nversion: test\n") -> AsyncIterator[Plant]:
    """A plant with a policy of its own, given as YAML. Its worker is not started yet."""
    for name in CODE:
        source, target = ROOT / name, folder / "code" / name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    file = folder / "code" / "policies" / "test.yaml"
    file.write_text(policy, encoding="utf-8")
    made = Plant(folder, file, await embedded(folder).__aenter__())
    made.environment = {
        "PYTHONPATH": os.pathsep.join(map(str, (made.code, ROOT))),
        "TEMPORAL_ADDRESS": made.server.address,
        "AFTERSALES_DATA": str(made.settings.data),
        "AFTERSALES_POLICY": str(file),
        "AFTERSALES_LOG_FORMAT": "json",
    }
    try:
        yield made
    finally:
        await made.kill_worker()
        await made.server.__aexit__(None, None, None)


def embedded(folder: Path, port: int | None = None, ui_port: int | None = None) -> EmbeddedServer:
    """A server with a file in this folder."""
    return EmbeddedServer(
        log_file=folder / "server.log",
        db_file=folder / "temporal.db",
        search_attributes={name: type_name(kind) for name, kind in attributes.TYPES.items()},
        port=port,
        ui_port=ui_port,
    )


async def kill(process: Process) -> None:
    """End a process at once, unless it has ended."""
    if process.returncode is None:
        process.kill()
    await process.wait()
