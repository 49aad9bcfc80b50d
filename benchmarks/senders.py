"""Who sends events while `benchmarks/ingress.py` measures: a process of its own, told what to do line by line.

A line in is a `Task` as JSON, the line out what was measured. Events and their signatures are made before the clock
runs, and so are the arguments of the bare starts.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
import uvloop
from aiohttp import ClientSession, TCPConnector
from nats.aio.client import Client as Nats
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, RetentionPolicy

from adapters.http.client import BATCH
from adapters.http.signing import sign
from adapters.nats_settings import NatsSettings
from adapters.secrets import own_secret
from adapters.settings import Settings
from adapters.shops import load_policies
from adapters.temporal import connect
from aftersales.events import ReturnRequested, parse_event
from aftersales.opening import CaseOpened
from aftersales.routing import Start, start_for
from tests.events import return_requested
from workflows.start import start_options

ABREAST = 40
"""Single events, and bare starts, that are under way at the same time."""
A_BATCH, BATCHES_ABREAST = 50, 2
"""Events in a batch, and batches that are under way at the same time."""
SECONDS = 60.0
"""How long one task may take."""
EVENT = "application/cloudevents+json"

Send = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Task:
    """What to send: `count` events by a `door` (`bare`, `http`, `batches`, `nats`), each of a new order.

    `name` is part of the orders' ids, different for each task. `pace` is how many are sent a second, whatever becomes
    of those before; 0 sends as fast as they are taken.
    """

    door: str
    name: str
    count: int
    pace: float = 0


@dataclass(frozen=True)
class Measured:
    """Seconds until all were acknowledged, and milliseconds until each acknowledgement."""

    seconds: float
    latencies: list[float]


@dataclass(frozen=True)
class Places:
    """Where everything is: addresses, and the data folder of the installation."""

    temporal: str
    door: str
    nats: str
    data: str


class Sender:
    """All ways in."""

    def __init__(self, places: Places, session: ClientSession, broker: Nats) -> None:
        self._settings = Settings(data=Path(places.data))
        self._policies = load_policies(self._settings.policy, self._settings.law, {})
        self._secret = own_secret(self._settings.data).get_secret_value()
        self._places, self._session, self._broker = places, session, broker
        self._jetstream = broker.jetstream()

    async def run(self, task: Task) -> Measured:
        """Do a task.

        Raises:
            RuntimeError: an event was not taken.
            TimeoutError: it takes too long.
        """
        orders = [f"{task.name}-{number}" for number in range(task.count)]
        async with asyncio.timeout(SECONDS):
            match task.door:
                case "bare":
                    return await sent(await self._starts(orders), ABREAST, task.pace)
                case "http":
                    return await sent([self._post([order]) for order in orders], ABREAST, task.pace)
                case "batches":
                    batches = [orders[start : start + A_BATCH] for start in range(0, len(orders), A_BATCH)]
                    return await sent([self._post(batch) for batch in batches], BATCHES_ABREAST, task.pace / A_BATCH)
                case "nats":
                    return await self._through_nats(orders, task.pace)
                case other:
                    raise ValueError(f"no door is called {other}")

    async def _starts(self, orders: Sequence[str]) -> list[Send]:
        """Starts of what the events would start, by the client alone."""
        client = await connect(self._places.temporal)

        def start(order_id: str) -> Send:
            event = parse_event(return_requested(order_id))
            assert isinstance(event, ReturnRequested)
            assert event.order
            begins = start_for(event, event.order, self._policies.of(event.order.shop))
            assert isinstance(begins, Start)
            opened = CaseOpened(
                order=event.order,
                policy=self._policies.snapshot(event.order.shop, event.order.market),
                opened_at=event.happened_at,
                trigger=event,
            )
            options: Any = start_options(begins.process, opened)
            queue = self._settings.task_queue
            return lambda: client.start_workflow(begins.process, opened, task_queue=queue, **options)

        return [start(order) for order in orders]

    def _post(self, orders: Sequence[str]) -> Send:
        """A signed request with an event for each order."""
        events = [return_requested(order) for order in orders]
        body = json.dumps(events[0] if len(events) == 1 else events).encode()
        headers = sign(self._secret, f"msg_{orders[0]}", datetime.now(UTC), body)
        headers["content-type"] = EVENT if len(events) == 1 else BATCH

        async def post() -> None:
            async with self._session.post(f"{self._places.door}/events", data=body, headers=headers) as answer:
                text = await answer.text()
            if answer.status != 200 or text.count('"started"') != len(orders):
                raise RuntimeError(f"the door answered {answer.status}: {text[:500]}")

        return post

    async def _through_nats(self, orders: Sequence[str], pace: float) -> Measured:
        """Through the subject, published all at once or at a pace, until the last is acknowledged to the server."""
        known = NatsSettings()
        published: dict[int, float] = {}

        def publish(order_id: str) -> Send:
            body = json.dumps(return_requested(order_id)).encode()

            async def one() -> None:
                began = time.perf_counter()
                published[(await self._jetstream.publish(known.subject, body)).seq] = began

            return one

        publishes = [publish(order) for order in orders]
        async with self._acknowledged(known) as ended:
            began = time.perf_counter()
            await sent(publishes, len(publishes), pace)
            ends = dict([await ended.get() for _ in publishes])
        return Measured(max(ends.values()) - began, [(ends[seq] - at) * 1000 for seq, at in published.items()])

    @asynccontextmanager
    async def _acknowledged(self, known: NatsSettings) -> AsyncIterator[asyncio.Queue[tuple[int, float]]]:
        """What is acknowledged, by its number in the stream, and when the server's word of it came here."""
        ended: asyncio.Queue[tuple[int, float]] = asyncio.Queue()

        async def note(message: Msg) -> None:
            ended.put_nowait((json.loads(message.data)["stream_seq"], time.perf_counter()))

        listening = await self._broker.subscribe(
            f"$JS.EVENT.METRIC.CONSUMER.ACK.{known.stream}.{known.durable}", cb=note
        )
        await self._broker.flush()
        try:
            yield ended
        finally:
            await listening.unsubscribe()


async def prepare(jetstream: JetStreamContext) -> None:
    """Make stream and consumer as `serve` would, and have the server tell of every acknowledgement."""
    known = NatsSettings()
    await jetstream.add_stream(
        name=known.stream, subjects=[known.subject, known.dead], retention=RetentionPolicy.WORK_QUEUE
    )
    consumer = ConsumerConfig(
        durable_name=known.durable,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=known.ack_wait,
        max_deliver=-1,
        max_ack_pending=known.max_ack_pending,
        filter_subject=known.subject,
        sample_freq="100",
    )
    await jetstream.add_consumer(known.stream, consumer)


async def sent(sends: Sequence[Send], abreast: int, pace: float = 0) -> Measured:
    """Send so many abreast; with a `pace`, each at its moment, and its latency counts from that moment."""
    latencies: list[float] = []
    began = time.perf_counter()

    async def one(send: Send, due: float) -> None:
        await send()
        latencies.append((time.perf_counter() - due) * 1000)

    async def in_turn(waiting: Iterator[Send]) -> None:
        for send in waiting:
            await one(send, time.perf_counter())

    async def at_its_moment(number: int, send: Send) -> None:
        due = began + number / pace
        await asyncio.sleep(due - time.perf_counter())
        await one(send, due)

    async with asyncio.TaskGroup() as group:
        if pace:
            for number, send in enumerate(sends):
                group.create_task(at_its_moment(number, send))
        else:
            waiting = iter(sends)
            for _ in range(min(abreast, len(sends))):
                group.create_task(in_turn(waiting))
    return Measured(time.perf_counter() - began, latencies)


async def main(places: Places) -> None:
    """Do the tasks of stdin until it ends."""
    broker = await nats.connect(places.nats)
    try:
        async with ClientSession(connector=TCPConnector(limit=ABREAST * 5)) as session:
            sender = Sender(places, session, broker)
            while line := await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(asdict(await sender.run(Task(**json.loads(line))))), flush=True)
    finally:
        await broker.close()


if __name__ == "__main__":
    uvloop.run(main(Places(**json.loads(sys.argv[1]))))
