"""A platform's message bridge on this machine that answers what it is told to."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes ....").decode()


class Service:
    """What it answers, and what it was given."""

    def __init__(self) -> None:
        self.status, self.body, self.headers, self.delay = 200, '{"reference": "M-77"}', dict[str, str](), 0.0
        self.given: list[tuple[dict[str, str], bytes]] = []
        self.url = ""

    @property
    def letters(self) -> list[dict[str, Any]]:
        """What it was given, proved to come from us."""
        return [Webhook(SECRET).verify(body, headers) for headers, body in self.given]

    async def _take(self, request: web.Request) -> web.Response:
        self.given.append((dict(request.headers), await request.read()))
        await asyncio.sleep(self.delay)
        return web.Response(status=self.status, text=self.body, headers=self.headers)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Service]:
        """It listens, and no proxy stands before it."""
        app = web.Application()
        app.router.add_post("/messages", self._take)
        runner = web.AppRunner(app, access_log=None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("NO_PROXY", "127.0.0.1")
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/messages"
            yield self
            await runner.cleanup()
