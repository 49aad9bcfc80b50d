"""The loop that takes messages from a queue: what it hands in, in which order, and which end it tells."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from adapters.queues import Consuming, Decode, QueueUnusable, consume, decode_events
from aftersales.ports import Unavailable
from aftersales.records import Unreadable
from tests.events import event
from tests.intakes import NotedIntake
from tests.queues import MemoryDelivery, MemoryQueue
from tests.waiting import until

FAST = Consuming(first_pause=0.01, longest_pause=0.04, attempts_at_most=3)


def named(name: str, order: str = "A-1") -> dict[str, Any]:
    return event("order.return_cancelled", order) | {"id": name}


def put(queue: MemoryQueue, *names: str, order: str = "A-1") -> None:
    for name in names:
        queue.put(f"m-{name}", json.dumps(named(name, order)).encode())


@asynccontextmanager
async def consuming(
    queue: MemoryQueue, intake: NotedIntake, how: Consuming = FAST, decode: Decode = decode_events, shop: str = ""
) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    task = asyncio.create_task(consume(queue, intake, stop=stop, decode=decode, shop=shop, consuming=how))
    yield stop
    stop.set()
    await asyncio.wait_for(task, 5)


async def test_a_batch_of_messages_is_handed_in_at_once_and_in_order() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    put(queue, "1", "2")
    queue.put("m-array", json.dumps([named("3"), named("4")]).encode())
    async with consuming(queue, intake, shop="lamps"):
        await until(lambda: len(queue.finished) == 3)
    assert [len(batch) for batch in intake.batches] == [4]
    assert intake.ids == ["1", "2", "3", "4"]
    assert (queue.finished, intake.shops) == (["m-1", "m-2", "m-array"], {"lamps"})


async def test_a_message_is_done_only_when_the_intake_has_it() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    intake.away = "Temporal is away"
    put(queue, "1")
    async with consuming(queue, intake):
        await until(lambda: intake.tries >= 2)
        assert queue.finished == []
        intake.away = ""
        await until(lambda: queue.finished == ["m-1"])


async def test_no_more_messages_are_taken_than_asked_for() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    put(queue, *map(str, range(7)))
    async with consuming(queue, intake, FAST.model_copy(update={"most": 3})):
        await until(lambda: len(queue.finished) == 7)
    assert [len(batch) for batch in intake.batches] == [3, 3, 1]


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"{", "it is not JSON: line 1, column 2: expecting property name"),
        (b"\xff{}", "it is not UTF-8 at byte 1"),
        (b'{"data": NaN}', "NaN is no number"),
        (b"[" * 60 + b"]" * 60, "nested more than 50 levels deep"),
        (b"[" * 100_000, "nested more than 50 levels deep"),
    ],
)
async def test_what_cannot_be_read_is_handed_in_as_unreadable_and_done(body: bytes, why: str) -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    put(queue, "before")
    queue.put("m-bad", body)
    async with consuming(queue, intake):
        await until(lambda: len(queue.finished) == 2)
    [unreadable] = [raw for raw in intake.events if isinstance(raw, Unreadable)]
    assert why in unreadable.reason
    assert unreadable.text == body.decode(errors="replace")
    assert intake.ids == ["before"]


async def test_while_the_intake_is_away_messages_stay_in_hand_and_two_lines_say_so() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    intake.away = "Temporal does not answer at 127.0.0.1:7233"
    put(queue, "1", "2")
    with capture_logs() as lines:
        async with consuming(queue, intake):
            await until(lambda: intake.tries >= 5)
            put(queue, "3")
            intake.away = ""
            await until(lambda: len(queue.finished) == 3)
    assert intake.ids == ["1", "2", "3"]
    assert [line["event"] for line in lines] == ["intake.away", "intake.back"]
    assert lines[0]["reason"] == "Temporal does not answer at 127.0.0.1:7233"


async def test_when_it_is_away_for_long_they_are_given_back_in_their_order_and_no_attempt_counts() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    intake.away = "the database does not answer"
    put(queue, "1", "2")
    with capture_logs() as lines:
        async with consuming(queue, intake, FAST.model_copy(update={"hold": 0})):
            await until(lambda: intake.tries >= 5)  # more often than attempts are allowed
            intake.broken, intake.away = {"1"}, ""
            await until(lambda: bool(lines) and lines[-1]["event"] == "queue.message_failed")
            intake.broken = set()
            await until(lambda: len(queue.finished) == 2)
    assert (intake.ids, queue.dead) == (["1", "2"], {})
    failed = [line for line in lines if line["event"] == "queue.message_failed"]
    assert failed[0]["attempt"] == 1


async def test_one_that_fails_is_tried_alone_and_buried_with_the_reason() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    intake.broken = {"bad"}
    put(queue, "1", order="A-1")
    put(queue, "bad", order="A-2")
    put(queue, "3", order="A-3")
    with capture_logs() as lines:
        async with consuming(queue, intake):
            await until(lambda: bool(queue.dead))
    assert (intake.ids, queue.finished) == (["1", "3"], ["m-1", "m-3"])
    assert queue.dead == {"m-bad": "failed 3 times, at last with RuntimeError: bad cannot be handled"}
    events = [(line["event"], line.get("attempt")) for line in lines if line["log_level"] != "debug"]
    assert events == [("queue.message_failed", 1), ("queue.message_failed", 2), ("queue.message_buried", 3)]


async def test_later_messages_of_an_order_wait_for_the_one_that_fails() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    intake.broken = {"first"}
    put(queue, "first", "second", order="A-1")
    put(queue, "other", order="A-2")
    async with consuming(queue, intake):
        await until(lambda: intake.ids == ["other"])
        intake.broken = set()
        await until(lambda: len(queue.finished) == 3)
    assert intake.ids == ["other", "first", "second"]


async def test_a_decoder_that_breaks_does_not_stop_the_others() -> None:
    def decode(delivery: MemoryDelivery) -> list[object]:
        if delivery.id == "m-odd":
            raise KeyError("nobody thought of this")
        return list(decode_events(delivery))

    queue, intake = MemoryQueue(), NotedIntake()
    put(queue, "odd", "1")
    async with consuming(queue, intake, decode=decode):  # type: ignore[arg-type]  # it reads the id only
        await until(lambda: bool(queue.dead))
    assert intake.ids == ["1"]
    assert "KeyError" in queue.dead["m-odd"]


async def test_a_message_without_events_is_done() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    queue.put("m-none", b"[]")
    async with consuming(queue, intake):
        await until(lambda: queue.finished == ["m-none"])
    assert intake.tries == 0


async def test_a_stop_lets_the_intake_finish_and_gives_back_what_waits() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    intake.away = "Temporal is away"
    put(queue, "1", "2")
    patient = Consuming(first_pause=60, longest_pause=60)
    async with consuming(queue, intake, patient):
        await until(lambda: intake.tries == 1)
    await until(lambda: queue.waiting.qsize() == 2)
    assert (queue.finished, intake.events) == ([], [])


async def test_a_stop_does_not_wait_for_an_empty_queue() -> None:
    queue, intake = MemoryQueue(), NotedIntake()
    async with consuming(queue, intake):
        await asyncio.sleep(0.02)
        began = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - began < 3


class Flaky(MemoryQueue):
    """A queue that is away for its first looks, and cannot be told the first end of a message."""

    looks = ends = 0
    unusable = False

    async def take(self, most: int, seconds: float) -> list[MemoryDelivery]:
        if self.unusable:
            raise QueueUnusable("make the stream first")
        self.looks += 1
        if self.looks <= 3:
            raise Unavailable("memory does not answer")
        return list(await super().take(most, seconds))


async def test_while_the_queue_is_away_the_loop_pauses_and_two_lines_say_so() -> None:
    queue, intake = Flaky(), NotedIntake()
    put(queue, "1")
    with capture_logs() as lines:
        async with consuming(queue, intake):
            await until(lambda: queue.finished == ["m-1"])
    assert [line["event"] for line in lines] == ["queue.away", "queue.back"]
    assert lines[0]["reason"] == "memory does not answer"


async def test_a_queue_that_cannot_be_used_ends_the_loop_with_what_to_do() -> None:
    queue = Flaky()
    queue.unusable = True
    with pytest.raises(QueueUnusable, match="make the stream first"):
        await consume(queue, NotedIntake(), stop=asyncio.Event())


async def test_what_cannot_be_buried_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async def bury(delivery: MemoryDelivery, reason: str) -> None:
        if delivery.attempt < 6:
            raise Unavailable("memory does not answer")
        delivery.queue.dead[delivery.id] = reason

    monkeypatch.setattr(MemoryDelivery, "bury", bury)
    queue, intake = MemoryQueue(), NotedIntake()
    intake.broken = {"bad"}
    put(queue, "bad")
    with capture_logs() as lines:
        async with consuming(queue, intake):
            await until(lambda: bool(queue.dead))
    assert [line["event"] for line in lines].count("queue.message_buried") == 1


async def test_an_end_that_cannot_be_told_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def done(delivery: MemoryDelivery) -> None:
        if delivery.id == "m-1":
            raise Unavailable("memory does not answer")
        delivery.queue.finished.append(delivery.id)

    monkeypatch.setattr(MemoryDelivery, "done", done)
    queue, intake = MemoryQueue(), NotedIntake()
    put(queue, "1", "2")
    async with consuming(queue, intake):
        await until(lambda: queue.finished == ["m-2"])
        put(queue, "3")
        await until(lambda: queue.finished == ["m-2", "m-3"])
    assert intake.ids == ["1", "2", "3"]


def test_pauses_grow_to_a_ceiling_and_are_never_alike() -> None:
    how = Consuming(first_pause=1, longest_pause=30)
    pauses = [[how.pause(attempt) for _ in range(50)] for attempt in (1, 2, 3, 10, 10_000)]
    assert all(most / 2 <= min(one) <= max(one) <= most for one, most in zip(pauses, (1, 2, 4, 30, 30), strict=True))
    assert all(len(set(one)) > 1 for one in pauses)
