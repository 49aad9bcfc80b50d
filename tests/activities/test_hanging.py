"""A counterpart that hangs, on a real server and with a worker's 50 places for effects: the others go on."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from activities.commands import CommandRequest, Commands
from adapters.counterparts.opening import open_counterparts
from adapters.counterparts.settings import CounterpartsSettings, GuardSettings, ShopCounterparts
from adapters.database import open_store
from adapters.embedded import EmbeddedServer
from adapters.temporal import connect
from aftersales.commands import CommandType
from aftersales.records import CaseRef
from tests.adapters.counterparts.conftest import serving
from tests.commands import NOON, command

with workflow.unsafe.imports_passed_through():
    from workflows import effects


@workflow.defn(sandboxed=False)
class GivesOne:
    """A case that gives one command, as all cases do."""

    @workflow.run
    async def run(self, request: CommandRequest) -> str:
        """Its reference."""
        return await effects.give_command("command:1", request)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async with EmbeddedServer(log_file=tmp_path / "server.log", search_attributes={}) as server:
        yield await connect(server.address)


def request(type: CommandType, number: int) -> CommandRequest:
    asked = command(type, number, order=f"A-{number}")
    case = CaseRef(
        case_id=asked.case_id,
        trigger="shop evt-1",
        process="return-parcel",
        order_id=asked.order_id,
        shop="us",
        opened_at=NOON,
    )
    return CommandRequest(case=case, command=asked)


async def test_60_commands_to_one_that_hangs_do_not_hold_up_those_of_another(client: Client, tmp_path: Path) -> None:
    hanging = asyncio.Event()
    done = Counter[str]()

    async def hang(asked: web.Request) -> web.StreamResponse:
        await hanging.wait()
        done[asked.headers["Idempotency-Key"]] += 1
        return web.json_response({"accepted": True, "reference": "W-1"})

    async with serving() as warehouse, serving() as bank, open_store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        warehouse.answering = hang
        guard = GuardSettings(pause_seconds=1, longest_pause_seconds=1)
        everywhere = ShopCounterparts(
            counterparts={"warehouse": warehouse.settings(timeout=9, guard=guard), "payment": bank.settings()}
        )
        async with (
            open_counterparts(CounterpartsSettings(everywhere=everywhere)) as counterparts,
            Worker(
                client,
                task_queue="hanging",
                workflows=[GivesOne],
                activities=[Commands(counterparts, store).give],
                max_concurrent_activities=50,
            ),
        ):

            def give(type: CommandType, number: int) -> asyncio.Task[str]:
                given = client.execute_workflow(
                    GivesOne.run, request(type, number), id=f"{type}-{number}", task_queue="hanging"
                )
                return asyncio.create_task(given)

            stuck = [give("repair", number) for number in range(60)]
            for _ in range(500):
                if len(warehouse.asked) >= guard.at_once:
                    break
                await asyncio.sleep(0.02)
            # By now all 60 have asked for one of its places.
            await asyncio.sleep(0.5)
            began = time.monotonic()
            assert await asyncio.gather(*(give("refund", number) for number in range(20))) == ["R-1"] * 20
            took = time.monotonic() - began
            # Each place that hangs is free again after 9 s.
            assert took < 8, f"20 refunds took {took:.2f} s beside a warehouse that hangs"
            assert not any(one.done() for one in stuck)
            assert len(warehouse.asked) == guard.at_once
            hanging.set()
            assert await asyncio.gather(*stuck) == ["W-1"] * 60
    assert sorted(done.values()) == [1] * 60
