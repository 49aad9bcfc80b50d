"""Events from senders that do not know our order ids, or speak for one shop only; mail that no customer wrote."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.database import open_store
from adapters.embedded import EmbeddedServer
from adapters.settings import Settings
from adapters.temporal import connect, type_name
from aftersales.policies import Policies
from aftersales.policy import load_policy
from aftersales.ports import Unavailable
from aftersales.records import EventRecord, EventStatus
from starter import Starter
from tests.events import event, now, order, return_requested
from tests.workflows.conftest import Shop
from workflows import attributes

TRACKING = "1Z 999 aa1"
WATCH = "shipment-watch/A-1/P-1"


def shipped(order_id: str = "A-1", **changes: Any) -> dict[str, Any]:
    parcel = {"parcel_no": "P-1", "carrier": "UPS", "tracking_number": TRACKING, **changes.pop("parcel", {})}
    return event("order.shipped", order_id, order=order(order_id, **changes), parcel=parcel)


def unnamed(kind: str, alias: str, name: str = "", **data: Any) -> dict[str, Any]:
    """An event whose sender knows its order by another name only."""
    raw = event(kind, alias, name)
    del raw["subject"]
    return {**raw, "orderalias": alias, "data": data}


def scan(number: str = TRACKING, status: str = "in_transit", **data: Any) -> dict[str, Any]:
    return unnamed("shipment.checkpoint", f"tracking/{number}", status, status=status, at=now().isoformat(), **data)


async def told(shop: Shop, identity: dict[str, Any]) -> EventRecord:
    [found] = [e for e in await shop.store.views.events() if (e.source, e.id) == (identity["source"], identity["id"])]
    return found


async def test_a_scan_finds_its_parcel_by_the_tracking_number_however_it_is_written(shop: Shop) -> None:
    await shop.starter.handle(shipped())
    reached = await shop.starter.handle(scan("1z999AA1"))
    assert (reached.status, reached.order_id, reached.cases) == (EventStatus.SIGNALLED, "A-1", (WATCH,))


async def test_a_scan_that_comes_before_its_parcel_waits_for_it(shop: Shop) -> None:
    early = scan()
    kept = await shop.starter.handle(early)
    assert kept.status == EventStatus.NO_OPEN_CASE
    assert "no order is known as tracking/1Z999AA1 yet" in kept.detail
    assert (await shop.starter.handle(early)).status == EventStatus.NO_OPEN_CASE
    await shop.starter.handle(shipped())
    settled = await told(shop, early)
    assert (settled.status, settled.order_id, settled.cases) == (EventStatus.SIGNALLED, "A-1", (WATCH,))
    assert (await shop.starter.handle(early)).status == EventStatus.DUPLICATE


async def test_a_scan_and_its_parcel_may_come_in_one_batch_the_wrong_way_round(shop: Shop) -> None:
    results = await shop.starter.handle_all([scan(), shipped()])
    assert [result.status for result in results] == [EventStatus.SIGNALLED, EventStatus.STARTED]


async def test_what_is_wrong_with_an_event_is_told_before_its_order_is_known(shop: Shop) -> None:
    refused = await shop.starter.handle(scan(status="on its way"))
    assert refused.status == EventStatus.REFUSED
    assert refused.detail.startswith("data.status:")


async def test_an_event_with_both_names_teaches_the_other_one(shop: Shop) -> None:
    alias = "shopify/amazon-us/820982911946154508"
    cancelled = unnamed("order.return_cancelled", alias)
    assert (await shop.starter.handle(cancelled)).status == EventStatus.NO_OPEN_CASE
    await shop.starter.handle({**return_requested("A-1"), "orderalias": alias})
    assert (await told(shop, cancelled)).cases == ("return-request/A-1",)


async def test_a_customer_is_known_by_the_address_of_the_newest_order(shop: Shop) -> None:
    old, new = now() - timedelta(days=30), now() - timedelta(days=3)
    for order_id, placed in (("A-2", new), ("A-1", old)):
        snapshot = order(order_id, placed_at=placed.isoformat())
        await shop.starter.handle(event("order.updated", order_id, order=snapshot))
    asked = await shop.starter.handle(unnamed("customer.message", "mail/Ada@Example.com", text="Where is it?"))
    assert (asked.status, asked.cases) == (EventStatus.STARTED, ("inquiry/A-2",))


async def test_who_speaks_for_one_shop_cannot_touch_the_orders_of_another(shop: Shop) -> None:
    async def sent(raw: dict[str, Any], sender: str) -> EventRecord:
        [record] = await shop.starter.handle_all([raw], shop=sender)
        return record

    foreign = await sent(shipped(), "shop-b")
    assert (foreign.status, foreign.cases) == (EventStatus.REFUSED, ())
    assert "the order is of amazon-us, and the sender speaks for shop-b only" in foreign.detail
    assert (await sent(shipped(), "amazon-us")).status == EventStatus.STARTED
    cancelled = event("order.cancelled", "A-1", "b")
    assert (await sent(cancelled, "shop-b")).status == EventStatus.REFUSED
    assert (await sent({**cancelled, "sentby": "amazon-us"}, "shop-b")).status == EventStatus.REFUSED
    # Its scans of the same number wait for a parcel of its own.
    assert (await sent(scan(), "shop-b")).status == EventStatus.NO_OPEN_CASE
    assert (await sent(shipped("B-1", shop="shop-b"), "shop-b")).status == EventStatus.STARTED
    assert (await told(shop, scan())).cases == ("shipment-watch/B-1/P-1",)
    assert (await sent(scan(status="delivered"), "amazon-us")).cases == (WATCH,)


async def test_an_event_that_waits_reaches_no_case_of_another_shop(shop: Shop) -> None:
    planted = event("order.cancelled", "A-1", "b")
    [kept] = await shop.starter.handle_all([planted], shop="shop-b")
    assert kept.status == EventStatus.NO_OPEN_CASE
    await shop.starter.handle({**return_requested("A-1"), "time": (now() - timedelta(hours=1)).isoformat()})
    await shop.reaches("return-escalation/A-1", "return-terms")
    assert (await told(shop, planted)).status == EventStatus.NO_OPEN_CASE


async def test_an_order_id_belongs_to_the_first_shop_that_has_it(shop: Shop) -> None:
    await shop.starter.handle(shipped())
    refused = await shop.starter.handle(event("order.updated", "A-1", order=order("A-1", shop="shop-b")))
    assert refused.status == EventStatus.REFUSED
    assert "A-1 is an order of amazon-us already" in refused.detail
    assert "prefix" in refused.detail


async def test_a_letter_that_came_back_is_for_a_person_and_no_reply(shop: Shop) -> None:
    await shop.starter.handle(return_requested("A-1"))
    await shop.reaches("return-escalation/A-1", "return-terms")
    [letter] = await shop.store.views.letters()
    bounced = event(
        "letter.bounced", "A-1", message_id=letter.message_id, recipient="ada@example.com", status="5.1.1", text="gone"
    )
    record = await shop.starter.handle(bounced)
    assert (record.status, record.cases) == (EventStatus.FOR_A_PERSON, (letter.case.case_id,))
    assert "the letter return-terms to ada@example.com came back: 5.1.1 gone" in record.detail
    [letter] = await shop.store.views.letters()
    assert letter.bounced == "5.1.1 gone"
    assert await shop.letters() == ["return-terms"]


async def test_a_mail_that_names_an_order_counts_only_from_its_customer(shop: Shop) -> None:
    async def mail(name: str, writer: str, **data: Any) -> EventRecord:
        return await shop.starter.handle({**event("customer.message", "A-1", name, **data), "mailfrom": writer})

    assert (await mail("early", "ada@example.com", text="Hello?")).status == EventStatus.FOR_A_PERSON
    await shop.starter.handle(return_requested("A-1"))
    await shop.reaches("return-escalation/A-1", "return-terms")
    [letter] = await shop.store.views.letters()

    forged = await mail("forged", "mallory@example.com", text="1", case_id="return-escalation/A-1")
    assert (forged.status, forged.cases) == (EventStatus.FOR_A_PERSON, ())
    assert "mallory@example.com names the order A-1, whose customer is ada@example.com" in forged.detail
    guessed = await mail("guessed", "mallory@example.com", text="1", in_reply_to="<not.ours@mail.example>")
    assert guessed.status == EventStatus.FOR_A_PERSON
    other = await mail("other address", "ada@work.example", text="Hm.", in_reply_to=letter.message_id)
    assert other.cases == ("return-escalation/A-1",)
    own = await mail("own address", "Ada@Example.com", text="Hm again.")
    assert own.cases == ("return-escalation/A-1",)


async def test_mail_that_nobody_wrote_is_set_aside(shop: Shop) -> None:
    await shop.starter.handle(return_requested("A-1"))
    ignored = event("mail.ignored", "A-1", kind="auto_reply", text="I am on holiday")
    assert (await shop.starter.handle(ignored)).status == EventStatus.SET_ASIDE
    assert (await shop.starter.handle(ignored)).status == EventStatus.DUPLICATE


async def test_while_temporal_is_away_nothing_is_acknowledged_and_the_same_event_works_later(tmp_path: Path) -> None:
    settings, kinds = Settings(data=tmp_path), {name: type_name(kind) for name, kind in attributes.TYPES.items()}
    server = EmbeddedServer(log_file=tmp_path / "log", db_file=tmp_path / "temporal.db", search_attributes=kinds)
    policy = load_policy(settings.policy, settings.law)
    async with open_store(settings.store) as store:
        async with server:
            client = await connect(server.address, patience=timedelta(milliseconds=200))
            starter = Starter(client, store, Policies(policy), settings)
            early = await starter.handle(scan())
            os.kill(server.pid, signal.SIGKILL)
            await server.wait()
            with pytest.raises(Unavailable, match="the Temporal server does not answer"):
                await starter.handle(shipped())
            statuses = {one.type: one.status for one in await store.views.events()}
            assert statuses == {"order.shipped": EventStatus.RECEIVED, early.type: EventStatus.NO_OPEN_CASE}
        async with server:
            starter = Starter(await connect(server.address), store, Policies(policy), settings)
            assert (await starter.handle(shipped())).status == EventStatus.STARTED
            # Its number was taught by the first try, which could not go on to what waited for it.
            [waited] = await store.views.event(f"{early.source} {early.id}")
            assert (waited.status, waited.cases) == (EventStatus.SIGNALLED, (WATCH,))
