"""A chatty parcel: its case continues as new before the history grows long, and forgets nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle

from adapters.database import Store, open_store
from adapters.embedded import EmbeddedServer
from adapters.settings import Settings
from adapters.temporal import connect, type_name
from aftersales.events import Checkpoint, enveloped, parse_event
from aftersales.policy import load_policy
from aftersales.records import EventStatus
from starter import Starter
from tests.events import event, now, order
from worker import build_worker
from workflows import attributes
from workflows.shipment_watch import ShipmentWatch

CASE = "shipment-watch/A-1/P1"
LONGEST = 4_000
"""Events of a history that the rules allow (§4)."""
MOST = 4_000
"""Scans after which at least one run must have ended; how many one takes depends on how busy the machine is."""


@dataclass(frozen=True)
class Shop:
    """A worker at work, and what speaks to it."""

    client: Client
    store: Store
    starter: Starter

    @property
    def case(self) -> WorkflowHandle[ShipmentWatch, object]:
        return self.client.get_workflow_handle_for(ShipmentWatch.run, CASE)

    async def tell(self, kind: str, name: str, **data: Any) -> EventStatus:
        """Send an event through the starter; returns what became of it."""
        return (await self.starter.handle(event(kind, "A-1", name, **data))).status

    async def letters(self) -> list[str]:
        return [letter.letter for letter in await self.store.views.letters()]

    async def wait_for(self, *letters: str) -> None:
        for _ in range(400):
            if await self.letters() == list(letters):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"there are {await self.letters()} only")


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    settings = Settings(data=tmp_path)
    kinds = {name: type_name(kind) for name, kind in attributes.TYPES.items()}
    async with (
        EmbeddedServer(log_file=tmp_path / "server.log", search_attributes=kinds) as server,
        open_store(settings.store_url) as store,
    ):
        client = await connect(server.address)
        async with build_worker(client, store, settings, versioned=False):
            policy = load_policy(settings.policy, settings.law)
            yield Shop(client, store, Starter(client, store, policy, settings))


async def test_a_chatty_parcel_continues_as_new(shop: Shop) -> None:
    began = now() - timedelta(hours=23)
    parcel = {"parcel_no": "P1", "carrier": "USPS", "tracking_number": "9400"}
    await shop.starter.handle(event("order.shipped", "A-1", at=began, order=order("A-1"), parcel=parcel))
    first = (await shop.case.describe()).run_id
    assert await shop.tell("customer.message", "1", text="Where is my parcel?") == EventStatus.SIGNALLED
    await shop.wait_for("parcel-on-its-way")

    for number in range(MOST):
        at = began + timedelta(seconds=20 * number)
        raw = event("shipment.checkpoint", "A-1", str(number), at=at, parcel_no="P1", status="in_transit")
        scan = parse_event(raw)
        assert isinstance(scan, Checkpoint)
        await shop.case.signal("event", enveloped(scan))
        if number % 50 == 0 and (await shop.case.describe()).run_id != first:
            break

    # The same scan and the same question again change nothing, also in a new run; a new question is answered.
    assert await shop.tell("shipment.checkpoint", "0", parcel_no="P1", status="in_transit") == EventStatus.SIGNALLED
    assert await shop.tell("customer.message", "1", text="Where is my parcel?") == EventStatus.DUPLICATE
    assert await shop.tell("customer.message", "2", text="Where is my parcel now?") == EventStatus.SIGNALLED
    await shop.wait_for("parcel-on-its-way", "parcel-on-its-way")
    assert await shop.tell("shipment.checkpoint", "end", parcel_no="P1", status="delivered") == EventStatus.SIGNALLED
    assert await shop.tell("customer.message", "3", text="Thank you, it has arrived!") == EventStatus.SIGNALLED
    async with asyncio.timeout(30):
        await shop.case.result()

    last = await shop.case.describe()
    lengths = [(await shop.case.describe()).history_length]
    run = first
    while run != last.run_id:
        history = await shop.client.get_workflow_handle(CASE, run_id=run).fetch_history()
        lengths.append(len(history.events))
        run = history.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    assert len(lengths) > 1, "it never continued as new"
    assert max(lengths) < LONGEST

    [outcome] = await shop.store.views.outcomes()
    assert (outcome.result, outcome.letters_sent, outcome.opened_at) == ("delivered", 3, began)
    assert [command.type for command in await shop.store.views.commands()] == ["nudge_carrier", "nudge_carrier"]
