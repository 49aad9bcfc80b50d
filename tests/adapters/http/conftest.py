"""The app on a real server on a free port of this machine, one for each file of tests."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import aiohttp
import pytest

from adapters.http.app import build_app
from adapters.http.serving import serve
from tests.adapters.http.doubles import Answer, Intake, Memory, door

ATTACHMENT = "q3Zt0Vf2K9s1XcYbT7nLwA"


@dataclass
class Served:
    """A served app, what stands behind it, and a client."""

    url: str
    intake: Intake
    seen: Memory
    client: aiohttp.ClientSession
    files: Path

    async def post(self, path: str, body: object, headers: dict[str, str]) -> Answer:
        data = io.BytesIO(body) if isinstance(body, bytes) else body
        async with self.client.post(self.url + path, data=data, headers=headers) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, await answer.read()

    async def get(self, path: str) -> Answer:
        async with self.client.get(self.url + path) as answer:
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, await answer.read()


@pytest.fixture(scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    files = tmp_path_factory.mktemp("attachments")
    (files / "photo.html").write_bytes(b"<script>alert(1)</script>")
    (files / "secret.txt").write_bytes(b"not to be served")

    def attachments(token: str, name: str) -> tuple[Path, str] | None:
        return (files / name, "text/html") if token == ATTACHMENT else None

    intake, seen, stop = Intake(), Memory(), asyncio.Event()
    parts = replace(door(intake, body_seconds=1.0, mail_limit=2 * 1024 * 1024), seen=seen, attachments=attachments)
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    server = asyncio.create_task(serve(build_app(parts), "127.0.0.1", 0, stop=stop, listening=address.set_result))
    async with aiohttp.ClientSession(trust_env=False) as client:
        yield Served(await address, intake, seen, client, files)
    stop.set()
    await server


@pytest.fixture
def served(running: Served) -> Served:
    """The served app, with an intake and a memory that know nothing yet."""
    running.intake.__init__()  # type: ignore[misc]
    running.seen.__init__()  # type: ignore[misc]
    return running
