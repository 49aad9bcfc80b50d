"""What the tests of counterparts share: a server that answers as told, and the example as a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import unused_port
from pydantic import SecretStr

from adapters.counterparts.settings import CounterpartSettings, GuardSettings
from adapters.settings import ROOT

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cyBvZiBjb21tYW5kcw=="

Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """A counterpart that answers as `answering` says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[dict[str, str], bytes]] = []
        self.answering: Answering = self.accept
        self.url = ""

    async def accept(self, _: web.Request) -> web.StreamResponse:
        return web.json_response({"accepted": True, "reference": "R-1"})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append((dict(request.headers), await request.read()))
        return await self.answering(request)

    def says(self, status: int, text: str = "", **headers: str) -> None:
        async def answering(_: web.Request) -> web.StreamResponse:
            return web.Response(status=status, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()})

        self.answering = answering

    def settings(self, *, timeout: float = 2, guard: GuardSettings | None = None) -> CounterpartSettings:
        return CounterpartSettings(
            url=self.url, secret=SecretStr(SECRET), timeout_seconds=timeout, guard=guard or GuardSettings()
        )


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    app = web.Application()
    app.router.add_post("/commands", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/commands"
        yield server
    finally:
        await runner.cleanup()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as started:
        yield started


VERB = "import typer; from cli.counterpart import counterpart; typer.run(counterpart)"


class Process:
    """The example counterpart in a process of its own, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.port, self.book = unused_port(), folder / "commands.db"
        self.url = f"http://127.0.0.1:{self.port}/"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, **options: str) -> None:
        """Run the example as it is, or with options as `./dev counterpart` runs it."""
        given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        verb = ["-c", VERB, f"--port={self.port}", f"--secret={SECRET}", f"--book={self.book}", *given]
        plain = [str(ROOT / "examples" / "counterpart.py"), str(self.port), SECRET, str(self.book)]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *(verb if options else plain),
            cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with asyncio.timeout(20):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    writer.close()
                    return
                await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """End it at once, as a power cut does."""
        if self._process and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    def done(self) -> list[str]:
        """The keys of what it has done, in the order in which it did it."""
        with contextlib.closing(sqlite3.connect(self.book)) as book:
            return [key for (key,) in book.execute("SELECT key FROM commands ORDER BY number")]

    async def has_done(self, least: int) -> None:
        """Wait until it has done so many commands."""
        for _ in range(1000):
            if len(self.done()) >= least:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"it did {len(self.done())} commands within 20 s, not {least}")


@pytest.fixture
async def process(tmp_path: Path) -> AsyncIterator[Process]:
    example = Process(tmp_path)
    yield example
    await example.kill()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened
