"""A chatty parcel: its case continues as new before the history grows long, and forgets nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from adapters.settings import Settings
from aftersales.events import Checkpoint, OrderShipped, enveloped, parse_event
from aftersales.lanes import ParcelWindows
from aftersales.opening import CaseOpened
from aftersales.parcels import Tracking
from aftersales.policy import load_policy
from aftersales.records import EventStatus
from aftersales.state import CaseState
from tests.events import event, now, order
from workflows import case as toolkit
from workflows.shipment_watch import ShipmentWatch
from workflows.start import start_options

CASE = "shipment-watch/A-1/P1"
LONGEST = 4_000
"""Events of a history that the rules allow (§4)."""
CLAIM_WINDOWS = {name for name, field in ParcelWindows.model_fields.items() if not field.is_required()}
"""Windows that a policy of build 0.1.0 does not have."""
MOST = 4_000
"""Scans after which at least one run must have ended; how many one takes depends on how busy the machine is."""


async def test_a_chatty_parcel_continues_as_new(shop: Any) -> None:
    case = shop.client.get_workflow_handle_for(ShipmentWatch.run, CASE)
    began = now() - timedelta(hours=23)
    parcel = {"parcel_no": "P1", "carrier": "USPS", "tracking_number": "9400"}
    await shop.starter.handle(event("order.shipped", "A-1", at=began, order=order("A-1"), parcel=parcel))
    first = (await case.describe()).run_id
    assert await shop.tell("customer.message", "1", text="Where is my parcel?") == EventStatus.SIGNALLED
    await shop.wait_for("parcel-on-its-way")

    for number in range(MOST):
        at = began + timedelta(seconds=20 * number)
        raw = event("shipment.checkpoint", "A-1", str(number), at=at, parcel_no="P1", status="in_transit")
        scan = parse_event(raw)
        assert isinstance(scan, Checkpoint)
        await case.signal("event", enveloped(scan))
        if number % 50 == 0 and (await case.describe()).run_id != first:
            break

    # The same scan and the same question again change nothing, also in a new run; a new question is answered.
    assert await shop.tell("shipment.checkpoint", "0", parcel_no="P1", status="in_transit") == EventStatus.SIGNALLED
    assert await shop.tell("customer.message", "1", text="Where is my parcel?") == EventStatus.DUPLICATE
    assert await shop.tell("customer.message", "2", text="Where is my parcel now?") == EventStatus.SIGNALLED
    await shop.wait_for("parcel-on-its-way", "parcel-on-its-way")
    assert await shop.tell("shipment.checkpoint", "end", parcel_no="P1", status="delivered") == EventStatus.SIGNALLED
    assert await shop.tell("customer.message", "3", text="Thank you, it has arrived!") == EventStatus.SIGNALLED
    async with asyncio.timeout(30):
        await case.result()

    last = await case.describe()
    lengths = [(await case.describe()).history_length]
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


async def test_a_parcel_that_is_offered_may_go_on_talking(shop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scans end a run too, and the answer to the offer is still understood; the letter is not sent again."""
    monkeypatch.setattr(toolkit, "_LONG_HISTORY", 60)
    settings, at = Settings(), now()
    parcel = {"parcel_no": "P1", "carrier": "USPS", "tracking_number": "9400"}
    shipped = parse_event(event("order.shipped", "A-1", at=at, order=order("A-1"), parcel=parcel))
    assert isinstance(shipped, OrderShipped)
    assert shipped.order
    tracking = Tracking(
        handed_over_at=at,
        since=at,
        state="moving",
        remedy="refunded",
        watched_until=at + timedelta(days=30),
        offered_until=at + timedelta(days=30),
    )
    opened = CaseOpened(
        order=shipped.order,
        policy=load_policy(settings.policy, settings.law).for_market("US"),
        opened_at=at,
        trigger=shipped,
        state=CaseState(stage="parcel-found", choices=("keep", "send_back"), parcel=tracking),
    )
    options = start_options("shipment-watch", opened)
    case = await shop.client.start_workflow(ShipmentWatch.run, opened, task_queue=settings.task_queue, **options)
    for number in range(40):
        raw = event("shipment.checkpoint", "A-1", str(number), at=now(), parcel_no="P1", status="in_transit")
        await case.signal("event", enveloped(parse_event(raw)))
        if (await shop.client.get_workflow_handle(CASE).describe()).run_id != case.first_execution_run_id:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("it never continued as new")

    reply = parse_event(event("customer.replied", "A-1", "yes", case_id=CASE, choice="keep"))
    await shop.client.get_workflow_handle(CASE).signal("event", enveloped(reply))
    async with asyncio.timeout(30):
        outcome = await shop.client.get_workflow_handle_for(ShipmentWatch.run, CASE).result()
    assert outcome.result == "kept_both"
    assert await shop.letters() == ["parcel-kept"]


async def test_a_case_of_the_first_build_claims_in_the_new_way_what_is_lost_only_now(shop: Any) -> None:
    """It has no windows of a claim; one that has filed its claim itself goes on so, as its frozen histories do."""
    settings, at = Settings(), now()
    parcel = {"parcel_no": "P1", "carrier": "USPS", "tracking_number": "9400"}
    shipped = parse_event(event("order.shipped", "A-1", at=at, order=order("A-1"), parcel=parcel))
    assert isinstance(shipped, OrderShipped)
    assert shipped.order
    policy = load_policy(settings.policy, settings.law).for_market("US")
    opened = CaseOpened(order=shipped.order, policy=policy, opened_at=at, trigger=shipped)
    of_old = opened.model_dump(mode="json")
    of_old["policy"]["parcels"] = {
        name: window for name, window in of_old["policy"]["parcels"].items() if name not in CLAIM_WINDOWS
    }
    options = start_options("shipment-watch", opened)
    case = await shop.client.start_workflow("shipment-watch", of_old, task_queue=settings.task_queue, **options)
    lost = parse_event(event("carrier.replied", "A-1", parcel_no="P1", answer="damaged"))
    await case.signal("event", enveloped(lost))
    await shop.wait_for("parcel-lost-choice")
    reply = parse_event(event("customer.replied", "A-1", "reship", case_id=CASE, choice="reship"))
    await case.signal("event", enveloped(reply))
    await shop.reaches("carrier-claim/A-1/P1", "claim")
    await shop.reaches(CASE, "remedied")
    assert [command.type for command in await shop.store.views.commands()] == ["reship", "file_carrier_claim"]
