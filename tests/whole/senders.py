"""The systems of the shops, which send an event until they are told that it was taken."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import aiohttp
import nats
import nats.errors
from nats.aio.client import Client
from nats.js.errors import Error as JetStreamError
from pydantic import SecretStr

from adapters.http.client import open_door
from adapters.http.signing import sign
from aftersales.ports import Unavailable
from tests.events import now
from tests.mail_server import HOST
from tests.whole.installation import SHOPS, STREAM, SUBJECT, Installation

Event = dict[str, Any]
GIVES_UP = 180.0
"""Seconds after which a sender counts as having lost its event."""
_BATCH_EVERY, _BATCH_MOST = 0.2, 50
_AWAY = (503, 429)


class Senders:
    """All ways into an installation. `sent` are the identities of all events, each once however often it was sent."""

    def __init__(self, installation: Installation, session: aiohttp.ClientSession, broker: Client) -> None:
        self._installation, self._session, self._broker = installation, session, broker
        self._turns = itertools.count()
        self._batches: dict[str, list[tuple[Event, asyncio.Future[None]]]] = {shop: [] for shop in SHOPS}
        self.sent: set[tuple[str, str]] = set()
        self.mails = 0
        self.away = 0
        """How often a sender was told to come again, or was not answered at all."""

    async def send(self, event: Event, *, shop: str, way: int) -> None:
        """Send an event by one of four ways: alone, in a batch, by the queue, or both alone and by the queue."""
        self.sent.add((event["source"], event["id"]))
        match way % 4:
            case 0:
                await self.alone(event, shop=shop)
            case 1:
                await self.by_queue(event)
            case 2:
                await self.in_batch(event, shop=shop)
            case _:
                await asyncio.gather(self.by_queue(event), self.alone(event, shop=shop))

    async def alone(self, event: Event, *, shop: str) -> None:
        """One event in one signed request; it has the same webhook-id in each attempt."""
        body, secret = json.dumps(event).encode(), self._installation.keys.events[shop]

        def headers(at: datetime) -> Mapping[str, str]:
            known = sign(secret, f"msg_{event['id'].replace('.', '-')}", at, body)
            return {**known, "content-type": "application/cloudevents+json"}

        await self._post("events", body, headers)

    async def in_batch(self, event: Event, *, shop: str) -> None:
        """Together with what else the shop has to send."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._batches[shop].append((event, done))
        await done

    async def by_queue(self, event: Event) -> None:
        """Into the queue, which keeps it; said again where it did not answer."""
        body, headers = json.dumps(event).encode(), {"Nats-Msg-Id": f"{event['source']}/{event['id']}"}
        async with asyncio.timeout(GIVES_UP):
            while True:
                try:
                    stream = self._broker.jetstream(timeout=2)
                    await stream.publish(SUBJECT, body, headers=headers, stream=STREAM)
                    return
                except (nats.errors.Error, JetStreamError, OSError, TimeoutError):
                    self.away += 1
                    await asyncio.sleep(0.3)

    async def mail(self, sender: str, text: str, *, shop: str, identity: str, answers: str = "") -> None:
        """A customer's mail, handed on by the shop's mail provider."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, "service@shops.example", "Question"
        mail["Date"], mail["Message-ID"] = now(), f"<{identity}@mail.example>"
        if answers:
            mail["In-Reply-To"] = answers
        mail.set_content(text)
        self.mails += 1
        token = self._installation.keys.mail[shop]
        headers = {"authorization": f"Bearer {token}", "content-type": "message/rfc822"}
        await self._post(f"mail/{shop}", mail.as_bytes(), lambda at: headers)

    async def flush(self) -> None:
        """Send what waits to go out in batches, for ever."""
        while True:
            for shop, waiting in self._batches.items():
                part, waiting[:] = waiting[:_BATCH_MOST], waiting[_BATCH_MOST:]
                if part:
                    await self._batch(shop, part)
            await asyncio.sleep(_BATCH_EVERY)

    async def _batch(self, shop: str, part: list[tuple[Event, asyncio.Future[None]]]) -> None:
        secret = SecretStr(self._installation.keys.events[shop])
        async with asyncio.timeout(GIVES_UP):
            while True:
                try:
                    async with open_door(f"{self._door()}/events", secret) as door:
                        await door.handle_all([event for event, _ in part])
                    break
                except Unavailable:
                    self.away += 1
                    await asyncio.sleep(1)
        for _, done in part:
            done.set_result(None)

    async def _post(self, path: str, body: bytes, headers: Callable[[datetime], Mapping[str, str]]) -> None:
        async with asyncio.timeout(GIVES_UP):
            while True:
                try:
                    url = f"{self._door()}/{path}"
                    async with self._session.post(url, data=body, headers=headers(now())) as answer:
                        said = await answer.text()
                        if answer.status in (200, 202):
                            return
                        assert answer.status in _AWAY, f"{path} was answered {answer.status}: {said}"
                        pause = float(answer.headers["Retry-After"])
                except (aiohttp.ClientError, TimeoutError):
                    pause = 0.3  # not there at all
                self.away += 1
                await asyncio.sleep(pause)

    def _door(self) -> str:
        doors = self._installation.doors
        return f"http://{HOST}:{doors[next(self._turns) % len(doors)]}"


@asynccontextmanager
async def senders(installation: Installation) -> AsyncIterator[Senders]:
    """The senders of an installation; their connections are closed at the end."""

    async def quietly(error: Exception) -> None:
        """It is away; what is published is said again."""

    broker = await nats.connect(
        installation.nats.url, max_reconnect_attempts=-1, reconnect_time_wait=0.2, error_cb=quietly
    )
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=15)) as session:
        made = Senders(installation, session, broker)
        flushing = asyncio.create_task(made.flush())
        try:
            yield made
        finally:
            flushing.cancel()
            await asyncio.gather(flushing, return_exceptions=True)
            await broker.close()
