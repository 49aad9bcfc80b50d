"""A real NATS server with JetStream on this machine, which can be killed and started again on the same store."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from adapters.preflight import pick_ports

HOST = "127.0.0.1"


class NatsServer:
    """`options` are further arguments of nats-server, `access` what a client of the tests needs to get in."""

    def __init__(self, store: Path, *options: str, **access: Any) -> None:
        self._store, self._options, self._access = store, options, access
        self.port = pick_ports(HOST, {"-p": None})["-p"]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://{HOST}:{self.port}"

    async def start(self) -> None:
        binary = shutil.which("nats-server", path=str(Path(sys.executable).parent)) or "nats-server"
        told = ["-a", HOST, "-p", str(self.port), "-js", "-sd", str(self._store), *self._options]
        with (self._store / "server.log").open("ab") as log:
            # Not asyncio's: it is killed where nobody can wait for it.
            self._process = subprocess.Popen([binary, *told], stdout=log, stderr=log)  # noqa: ASYNC220
        for _ in range(200):
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, self.port)
                writer.close()
                return
            await asyncio.sleep(0.02)
        raise RuntimeError(f"nats-server does not start:\n{(self._store / 'server.log').read_text()}")

    def kill(self) -> None:
        """kill -9."""
        if self._process:
            self._process.kill()
            self._process.wait()

    async def client(self) -> Client:
        """A client that gets in."""
        return await nats.connect(self.url, **self._access)
