"""A counterpart that is away or hangs: its own commands wait, all others go on."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest
from aiohttp import ClientSession, web
from structlog.testing import capture_logs

from adapters.counterparts.guard import Guarded
from adapters.counterparts.opening import open_counterparts
from adapters.counterparts.settings import CounterpartsSettings, GuardSettings, ShopCounterparts
from aftersales.commands import Command, CommandAccepted, CommandRefused, NotNow
from tests.adapters.counterparts.conftest import Server, serving
from tests.commands import command

ASK = command("ask_warehouse")


class Moody:
    """A counterpart that fails while told to."""

    def __init__(self) -> None:
        self.fault: Exception | None = NotNow("down")
        self.tries = 0
        self.slow = asyncio.Event()
        self.slow.set()

    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        self.tries += 1
        await self.slow.wait()
        if self.fault:
            raise self.fault
        return CommandAccepted(reference="W-1")


class Seconds:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def guarded(inner: Moody, clock: Seconds, **settings: float) -> Guarded:
    return Guarded("warehouse", inner, GuardSettings.model_validate({"failures": 3, **settings}), clock=clock)


async def waits(guard: Guarded) -> timedelta | None:
    with pytest.raises(NotNow) as later:
        await guard.execute(ASK, shop="us")
    return later.value.retry_after


async def seconds(guard: Guarded) -> float:
    wait = await waits(guard)
    assert wait is not None
    return wait.total_seconds()


async def test_after_failures_in_a_row_it_is_left_alone_and_asked_once_after_a_pause_that_doubles() -> None:
    inner, clock = Moody(), Seconds()
    guard = guarded(inner, clock, pause_seconds=5, longest_pause_seconds=12)
    with capture_logs() as lines:
        assert [await waits(guard) for _ in range(2)] == [None] * 2
        assert 5 <= await seconds(guard) <= 10
        for pause, longer in ((5, 10), (10, 12), (12, 12), (12, 12)):
            tries = inner.tries
            assert pause <= await seconds(guard) <= 2 * pause
            clock.now += pause - 2
            assert 2 <= await seconds(guard) <= 2 + pause
            assert inner.tries == tries, "no connection while it is left alone"
            clock.now += 2
            assert longer <= await seconds(guard) <= 2 * longer, "the one that tries comes back with the others"
            assert inner.tries == tries + 1
        inner.fault = None
        clock.now += 12
        assert (await guard.execute(ASK, shop="us")).reference == "W-1"
        assert (await guard.execute(ASK, shop="us")).reference == "W-1"
    assert [one["event"] for one in lines] == ["counterpart.away", "counterpart.back"]


async def test_one_command_at_a_time_tries_whether_it_is_back() -> None:
    inner, clock = Moody(), Seconds()
    guard = guarded(inner, clock)
    for _ in range(3):
        await waits(guard)
    clock.now += 5
    inner.slow.clear()
    probe = asyncio.ensure_future(guard.execute(ASK, shop="us"))
    await asyncio.sleep(0)
    assert 1 <= await seconds(guard) <= 6
    assert inner.tries == 4
    # A probe that is cut off with its worker does not block those after it.
    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe
    inner.fault = None
    inner.slow.set()
    assert (await guard.execute(ASK, shop="us")).reference == "W-1"


async def test_a_refusal_and_a_wish_to_come_later_are_answers() -> None:
    inner, clock = Moody(), Seconds()
    guard = guarded(inner, clock)
    inner.fault = NotNow("busy", timedelta(seconds=9))
    assert [await waits(guard) for _ in range(9)] == [timedelta(seconds=9)] * 9
    for _ in range(4):
        inner.fault = NotNow("down")
        assert [await waits(guard) for _ in range(2)] == [None, None]
        inner.fault = CommandRefused("no")
        with pytest.raises(CommandRefused):
            await guard.execute(ASK, shop="us")


async def test_over_its_places_a_command_comes_again_soon() -> None:
    inner, clock = Moody(), Seconds()
    inner.fault = None
    inner.slow.clear()
    guard = guarded(inner, clock, at_once=2)
    busy = [asyncio.ensure_future(guard.execute(ASK, shop="us")) for _ in range(2)]
    await asyncio.sleep(0)
    later = await waits(guard)
    assert later is not None
    assert timedelta(seconds=1) <= later <= timedelta(seconds=3)
    assert inner.tries == 2
    inner.slow.set()
    await asyncio.gather(*busy)
    assert (await guard.execute(ASK, shop="us")).reference == "W-1"


async def test_a_hanging_counterpart_leaves_the_worker_to_the_others(server: Server) -> None:
    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(6)
        return web.Response()

    places = asyncio.Semaphore(50)
    """As a worker has for the effects of all cases."""

    async with serving() as healthy:
        server.answering = hang
        settings = CounterpartsSettings(
            everywhere=ShopCounterparts(
                counterparts={"warehouse": server.settings(timeout=3), "payment": healthy.settings()}
            )
        )
        async with open_counterparts(settings) as counterparts:

            async def give(one: Command) -> float | None:
                async with places:
                    try:
                        await counterparts.execute(one, shop="us")
                    except NotNow:
                        return None
                    return time.monotonic()

            began = time.monotonic()
            stuck = [asyncio.ensure_future(give(command("repair", number))) for number in range(60)]
            paid = await asyncio.gather(*(give(command("refund", number)) for number in range(20)))
            took = max(at for at in paid if at is not None) - began
            assert None not in paid
            assert took < 2.7, f"20 refunds beside 60 hanging commands took {took:.2f} s"
            assert await asyncio.gather(*stuck) == [None] * 60
            assert time.monotonic() - began < 6
    assert len(server.asked) == 8, "no more than its places"


async def test_the_one_of_a_shop_is_away_for_this_shop_only(server: Server, session: ClientSession) -> None:
    async with serving() as healthy:
        server.says(500)
        guard = GuardSettings(failures=1, pause_seconds=60)
        settings = CounterpartsSettings(
            everywhere=ShopCounterparts(counterparts={"warehouse": healthy.settings()}),
            shops={"us": ShopCounterparts(counterparts={"warehouse": server.settings(guard=guard)})},
        )
        async with open_counterparts(settings) as counterparts:
            for _ in range(3):
                with pytest.raises(NotNow):
                    await counterparts.execute(ASK, shop="us")
            assert (await counterparts.execute(ASK, shop="eu")).reference == "R-1"
        assert (len(server.asked), len(healthy.asked)) == (1, 1)
