"""Events from queues: one loop for every queue, which takes messages, hands in what they say, and tells their end.

A message is done with when the intake has its events, never before. Who dies in between gets it again, and the intake
knows a repeat. While the intake is away messages stay in hand, so that their order lasts and no attempt is counted;
after `hold` seconds they are given back.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import traceback
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, Field

from aftersales.ports import Delivery, Intake, Queue, Unavailable
from aftersales.records import Unreadable
from aftersales.strict_json import events_in, read_json

Decode = Callable[[Delivery], Sequence[object]]
"""The raw events of a message; a ValueError says why it has none, and then it is kept as unreadable."""

WAIT = 20.0
"""Seconds that one look into an empty queue lasts."""
LAST_LOOK = 0.2
"""Seconds that it still has when the loop is to stop: what is on its way comes in, and nobody waits for it long."""
REMEMBERED = 10_000
"""Messages that were given back through no fault of theirs, of which the loop knows how often."""
_BEHIND = 0.25
"""Seconds that the loop pauses longer than its messages: what was given back comes before what is new."""

_log = structlog.get_logger(__name__)


class QueueUnusable(ValueError):
    """The queue is not as it has to be; the text says what is wrong and what to change."""


class Consuming(BaseModel):
    """How messages are taken from a queue."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True, frozen=True)

    most: int = Field(default=100, ge=1, le=1000)
    """Messages that are taken at once."""
    attempts_at_most: int = Field(default=10, ge=1)
    """Attempts at a message that fails before it is buried."""
    first_pause: float = Field(default=1.0, gt=0)
    """Seconds before the second attempt; each further pause is twice as long."""
    longest_pause: float = Field(default=60.0, gt=0)
    """Seconds that no pause exceeds."""
    hold: float = Field(default=300.0, ge=0)
    """Seconds that messages stay in hand while the intake is away; 0 gives them back at once."""

    def pause(self, attempt: int) -> float:
        """Seconds of the pause behind the attempt with this number, from 1, with jitter."""
        longest = min(self.longest_pause, self.first_pause * 2.0 ** min(attempt - 1, 30))
        return longest * random.uniform(0.5, 1)


def decode_events(delivery: Delivery) -> Sequence[object]:
    """The CloudEvents of a message: one, or an array of them.

    Raises:
        ValueError: it is no JSON.
    """
    return events_in(read_json(delivery.body))


async def consume(
    queue: Queue,
    intake: Intake,
    *,
    stop: asyncio.Event,
    decode: Decode = decode_events,
    shop: str = "",
    consuming: Consuming | None = None,
) -> None:
    """Take messages and hand in their events until `stop` is set; then what was taken is finished or given back.

    `shop` is for whom the sender speaks, empty for all. One loop has at most `consuming.most` messages in hand.

    Raises:
        QueueUnusable: the queue is not as it has to be.
    """
    await _Consumer(queue, intake, decode, shop, consuming or Consuming(), stop).run()


@dataclass(frozen=True)
class _Message:
    """A message with what it says, or why that could not be found out."""

    delivery: Delivery
    events: Sequence[object] = ()
    fault: Exception | None = None

    @property
    def orders(self) -> set[str]:
        """The orders that it is about, as far as one sees from outside."""
        named = [(event.get("subject"), event.get("orderalias")) for event in self.events if isinstance(event, Mapping)]
        return {name for names in named for name in names if isinstance(name, str)}


class _Outage:
    """A time in which something is away: one line when it begins and one when it is over."""

    def __init__(self, what: str, queue: str, consuming: Consuming) -> None:
        self._what, self._queue, self._consuming = what, queue, consuming
        self._began, self._tries = 0.0, 0

    def goes_on(self, reason: str) -> float:
        """It is away; how many seconds to pause."""
        if not self._tries:
            self._began = time.monotonic()
            _log.warning(f"{self._what}.away", queue=self._queue, reason=reason)
        self._tries += 1
        return self._consuming.pause(self._tries)

    def is_over(self) -> None:
        if self._tries:
            _log.info(f"{self._what}.back", queue=self._queue, away_seconds=round(time.monotonic() - self._began, 1))
        self._tries = 0


class _Consumer:
    def __init__(
        self, queue: Queue, intake: Intake, decode: Decode, shop: str, consuming: Consuming, stop: asyncio.Event
    ) -> None:
        self._queue, self._intake, self._decode = queue, intake, decode
        self._shop, self._consuming, self._stop = shop, consuming, stop
        self._intake_away = _Outage("intake", queue.name, consuming)
        self._queue_away = _Outage("queue", queue.name, consuming)
        self._spared: OrderedDict[str, int] = OrderedDict()

    async def run(self) -> None:
        while not self._stop.is_set():
            taken = [self._read(delivery) for delivery in await self._take()]
            if self._stop.is_set():
                await self._give_back(taken, 0)
            elif taken:
                await self._handle(taken)

    async def _take(self) -> Sequence[Delivery]:
        """What the queue has; nothing where it is away, after a pause, or where the loop is to stop."""
        taking = asyncio.ensure_future(self._queue.take(self._consuming.most, WAIT))
        stopping = asyncio.create_task(self._stop.wait())
        try:
            await asyncio.wait((taking, stopping), return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                await asyncio.wait((taking,), timeout=LAST_LOOK)
        finally:
            taking.cancel()
            stopping.cancel()
            taken, _ = await asyncio.gather(taking, stopping, return_exceptions=True)
        if isinstance(taken, asyncio.CancelledError):
            return ()
        if isinstance(taken, Unavailable):
            await self._wait(self._queue_away.goes_on(str(taken)))
            return ()
        if isinstance(taken, BaseException):
            raise taken
        self._queue_away.is_over()
        return taken

    def _read(self, delivery: Delivery) -> _Message:
        try:
            return _Message(delivery, self._decode(delivery))
        except ValueError as error:
            text = delivery.body.decode(errors="replace")
            return _Message(delivery, [Unreadable(text, str(error))])
        except Exception as error:
            return _Message(delivery, fault=error)

    async def _handle(self, messages: Sequence[_Message]) -> None:
        """All at once, as that is cheaper; where that fails, one by one, so that one does not hold the others up."""
        try:
            if not any(message.fault for message in messages):
                await self._handed_in(messages)
                return
        except Exception:
            _log.debug("queue.batch_failed", queue=self._queue.name, messages=len(messages))
        waiting: dict[str, float] = {}
        for index, message in enumerate(messages):
            behind = [waiting[order] for order in message.orders if order in waiting]
            if behind:
                # It must not overtake the earlier one of its order.
                await self._give_back([message], max(behind))
                continue
            try:
                if message.fault:
                    raise message.fault
                if not await self._handed_in([message]):
                    await self._give_back(messages[index + 1 :], 0)
                    return
            except Exception as error:
                again = await self._failed(message, error)
                waiting |= {order: again for order in message.orders if again}

    async def _handed_in(self, messages: Sequence[_Message]) -> bool:
        """Whether the intake has taken them; False where they were given back, as it is away for too long."""
        events = [event for message in messages for event in message.events]
        held_until = time.monotonic() + self._consuming.hold
        while events:
            try:
                await self._intake.handle_all(events, shop=self._shop)
                break
            except Unavailable as away:
                pause = self._intake_away.goes_on(str(away))
            if time.monotonic() + pause > held_until:
                await self._give_back(messages, pause)
                await self._wait(pause + _BEHIND)
                return False
            await self._wait(pause)
            if self._stop.is_set():
                await self._give_back(messages, 0)
                return False
        if events:
            self._intake_away.is_over()
        await self._end(message.delivery.done() for message in messages)
        for message in messages:
            self._spared.pop(message.delivery.id, None)
        return True

    async def _failed(self, message: _Message, error: Exception) -> float:
        """Try a message that fails again later, or bury it; the seconds until it comes again, 0 where it does not."""
        delivery = message.delivery
        tries = max(delivery.attempt - self._spared.get(delivery.id, 0), 1)
        about = {"queue": self._queue.name, "message": delivery.id, "attempt": tries}
        about |= {"error": type(error).__name__, "where": _where(error)}
        if tries < self._consuming.attempts_at_most:
            _log.warning("queue.message_failed", **about)
            pause = self._consuming.pause(tries)
            await self._end([delivery.again(pause)])
            return pause
        reason = f"failed {tries} times, at last with {type(error).__name__}: {error}"
        if not await self._end([delivery.bury(reason)]):
            await self._end([delivery.again(self._consuming.longest_pause)])
            return self._consuming.longest_pause
        _log.error("queue.message_buried", **about)
        self._spared.pop(delivery.id, None)
        return 0.0

    async def _give_back(self, messages: Sequence[_Message], seconds: float) -> None:
        """Messages that are to come again through no fault of theirs."""
        for message in messages:
            self._spared[message.delivery.id] = self._spared.get(message.delivery.id, 0) + 1
            self._spared.move_to_end(message.delivery.id)
        while len(self._spared) > REMEMBERED:
            self._spared.popitem(last=False)
        await self._end(message.delivery.again(seconds) for message in messages)

    async def _end(self, endings: Iterable[Awaitable[None]]) -> bool:
        """Tell the ends of messages; whether all could be told. Those of the others come again by themselves."""
        errors = [error for error in await asyncio.gather(*endings, return_exceptions=True) if error]
        for error in errors:
            if isinstance(error, Unavailable):
                self._queue_away.goes_on(str(error))
            else:
                _log.error("queue.end_not_told", queue=self._queue.name, error=type(error).__name__, reason=str(error))
        return not errors

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)


def _where(error: Exception) -> str:
    """File and line; what an error says, and the values around it, may be a customer's words."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
