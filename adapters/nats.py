"""Events from NATS JetStream: a durable pull consumer, acknowledged one by one.

The connection is made when messages are wanted and made anew when it broke; who takes pauses in between
(`adapters.queues.consume`). An acknowledgement goes out on whatever connection there is: it names its message itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self, TypeVar

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext

from adapters.held import Held
from adapters.nats_settings import NatsSettings
from adapters.nats_setup import prepare
from adapters.queues import QueueUnusable
from aftersales.ports import Unavailable

ANSWER_WITHIN = 5.0
"""Seconds that the server has for an answer."""
CONNECT_WITHIN = 10.0
"""Seconds for one round over all servers."""
CLOSE_WITHIN = 1.0
"""Seconds after which a connection counts as closed."""
PING_EVERY = 20
"""Seconds between looks at a silent connection; two without an answer end it."""
LONGEST_REASON = 500
"""Characters of the reason that a dead letter carries."""

Result = TypeVar("Result")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Link:
    client: Client
    jetstream: JetStreamContext
    messages: JetStreamContext.PullSubscription


class NatsQueue:
    """The messages of a subject, as `aftersales.ports.Queue`; an async context manager."""

    def __init__(self, settings: NatsSettings) -> None:
        """Nothing is connected yet.

        Raises:
            QueueUnusable: a `.creds` file is named, and the package that reads it is missing.
        """
        if settings.credentials and not importlib.util.find_spec("nkeys"):
            raise QueueUnusable("nats: a .creds file is read by the package nkeys, which is missing; install it")
        self._settings = settings
        self._link: _Link | None = None
        self._prepared = False
        self._linking = asyncio.Lock()
        self._open = AsyncExitStack()
        self._held = Held[str](self._extend, every=settings.ack_wait / 3)

    @property
    def name(self) -> str:
        """`nats` and the subject."""
        return f"nats {self._settings.subject}"

    async def __aenter__(self) -> Self:
        await self._open.enter_async_context(self._held)
        self._open.push_async_callback(self._unlink)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._open.aclose()

    async def reach(self) -> None:
        """Connect, and make stream and consumer where they are missing.

        Raises:
            Unavailable: the server does not answer.
            QueueUnusable: stream or consumer are there and cannot be used.
        """
        await self._linked()

    async def take(self, most: int, seconds: float) -> Sequence[NatsDelivery]:
        """See `aftersales.ports.Queue`.

        Raises:
            Unavailable: the server does not answer.
            QueueUnusable: stream or consumer are there and cannot be used.
        """
        try:
            taken = await self._ask(lambda link: link.messages.fetch(most, timeout=seconds))
        except TimeoutError:
            return []
        for message in taken:
            self._held.take(message.reply)
        return [NatsDelivery(self, message) for message in taken]

    async def tell(self, message: Msg, end: bytes) -> None:
        """Tell the end of a message in hand, in the words of JetStream.

        Raises:
            Unavailable: the server does not answer.
        """
        self._held.leave(message.reply)
        await self._ask(lambda link: link.client.publish(message.reply, end))

    async def keep_dead(self, message: Msg, reason: str) -> None:
        """Put a message under the subject of dead letters, and make sure that it is stored there.

        Raises:
            Unavailable: the server does not answer, or does not take it.
        """
        delivery = NatsDelivery(self, message)
        own = {name: value for name, value in (message.headers or {}).items() if not name.startswith("Nats-")}
        headers = {
            **own,
            "Nats-Msg-Id": f"dead/{delivery.id}",
            "Aftersales-Reason": " ".join(reason.split())[:LONGEST_REASON],
            "Aftersales-Attempt": str(delivery.attempt),
            "Aftersales-Subject": message.subject,
            "Aftersales-Message": delivery.id,
        }
        dead = self._settings.dead
        try:
            await self._ask(lambda link: link.jetstream.publish(dead, message.data, ANSWER_WITHIN, headers=headers))
        except TimeoutError as error:
            raise self._away(error) from None

    async def _ask(self, ask: Callable[[_Link], Awaitable[Result]]) -> Result:
        """Ask the server, on a connection that is new where the last one broke.

        Raises:
            Unavailable: it does not answer.
            TimeoutError: it answers, but what was asked for did not come in time.
        """
        link = await self._linked()
        try:
            return await ask(link)
        except TimeoutError:
            if link.client.is_connected:
                raise
            raise self._away(None) from None
        except (nats.errors.Error, OSError) as error:
            await self._unlink()
            raise self._away(error) from None

    async def _linked(self) -> _Link:
        async with self._linking:
            if self._link and self._link.client.is_connected:
                return self._link
            await self._unlink()
            client = Client()
            try:
                async with asyncio.timeout(CONNECT_WITHIN):
                    # It does not come back by itself: then messages would be asked for that nobody waits for any more.
                    await client.connect(
                        **self._settings.access(),
                        name="aftersales",
                        allow_reconnect=False,
                        max_reconnect_attempts=1,
                        reconnect_time_wait=0,
                        ping_interval=PING_EVERY,
                        error_cb=_note,
                    )
                    self._link = await self._subscribed(client)
            except (nats.errors.Error, OSError) as error:
                await _close(client)
                raise self._away(error) from None
            except BaseException:
                await _close(client)
                raise
            return self._link

    async def _subscribed(self, client: Client) -> _Link:
        jetstream = client.jetstream(timeout=ANSWER_WITHIN)
        consumer = await prepare(jetstream, self._settings, again=self._prepared)
        self._prepared = True
        self._held.every = (consumer.ack_wait or self._settings.ack_wait) / 3
        messages = await jetstream.pull_subscribe_bind(self._settings.durable, self._settings.stream)
        return _Link(client, jetstream, messages)

    async def _unlink(self) -> None:
        link, self._link = self._link, None
        if link:
            await _close(link.client)

    async def _extend(self, replies: Sequence[str]) -> None:
        for reply in replies:
            await self._ask(partial(_extend, reply=reply))

    def _away(self, error: Exception | None) -> Unavailable:
        why = str(error) or type(error).__name__ if error else "the connection broke"
        servers = ", ".join(server.rpartition("@")[2] for server in self._settings.servers)  # without passwords
        return Unavailable(f"{self.name}: no answer from {servers} ({why}); start it, or check servers and access")


@dataclass(frozen=True)
class NatsDelivery:
    """One message in hand, as `aftersales.ports.Delivery`."""

    _queue: NatsQueue
    _message: Msg

    @property
    def id(self) -> str:
        """The id that its sender gave it, else its place in the stream."""
        given = (self._message.headers or {}).get("Nats-Msg-Id", "")
        return given or f"{self._message.metadata.stream}/{self._message.metadata.sequence.stream}"

    @property
    def body(self) -> bytes:
        """What was sent."""
        return self._message.data

    @property
    def attempt(self) -> int:
        """1 on the first delivery."""
        return self._message.metadata.num_delivered

    async def done(self) -> None:
        """See `aftersales.ports.Delivery`."""
        await self._queue.tell(self._message, Msg.Ack.Ack)

    async def again(self, seconds: float) -> None:
        """See `aftersales.ports.Delivery`."""
        delay = b' {"delay": %d}' % int(seconds * 1e9) if seconds > 0 else b""
        await self._queue.tell(self._message, Msg.Ack.Nak + delay)

    async def bury(self, reason: str) -> None:
        """Publish it under the subject of dead letters, and only then end it: a crash in between leaves a repeat."""
        await self._queue.keep_dead(self._message, reason)
        await self._queue.tell(self._message, Msg.Ack.Term)


async def _extend(link: _Link, reply: str) -> None:
    await link.client.publish(reply, Msg.Ack.Progress)


async def _note(error: Exception) -> None:
    _log.debug("nats.error", error=type(error).__name__)


async def _close(client: Client) -> None:
    # A connection whose TLS failed is never told closed.
    with contextlib.suppress(nats.errors.Error, OSError):
        async with asyncio.timeout(CLOSE_WITHIN):
            await client.close()
