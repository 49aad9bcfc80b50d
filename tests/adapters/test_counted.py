"""What is counted for the figures: once, the same in whatever order it comes, and found again by a migration."""

from __future__ import annotations

import asyncio
import random
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import Table, select

from adapters.database import DatabaseSettings, Store, open_store
from adapters.database.engines import connect
from adapters.database.revisions import change_revision
from adapters.database.schema import REVISION, case_goods, case_letters, outcomes, shipped_goods
from aftersales.correspondence import Written
from aftersales.outcome import Goods, Outcome
from aftersales.records import EventRecord, EventStatus
from aftersales.taking import take
from tests.adapters.test_store import NOON, at, letter, outcome, ref, running
from tests.events import event, order
from tests.recorded import recorded

Rows = list[dict[str, Any]]


def item(id: str, quantity: int = 2, unit_cost: str = "48.00") -> dict[str, Any]:
    known = {"sku": f"S-{id}", "title": "Lamp", "category": "lighting", "unit_price": "120.00"}
    return known | {"line_id": id, "quantity": quantity, "unit_cost": unit_cost}


def shipped(
    name: str, *, hour: float, parcel: str = "P1", items: tuple[dict[str, Any], ...] = (), lane: str = "", **data: Any
) -> EventRecord:
    """A parcel that left, as the starter settles it; `items` are those of the order."""
    known = {"parcel_no": parcel, "carrier": "DHL", "origin": "DE", "destination": "FR", "lane": lane}
    snapshot = order("A-1", items=list(items or (item("1"), item("2", 1, "0.0001"))))
    raw = event("order.shipped", "A-1", name, at=at(hour), **({"order": snapshot, "parcel": known} | data))
    record = take(raw, {}, NOON).record
    return record.model_copy(update={"status": EventStatus.SIGNALLED})


async def rows(address: str, table: Table) -> Rows:
    key = [*table.primary_key.columns]
    async with connect(DatabaseSettings.of(address)) as database:
        found = await database.read(lambda sql: sql.execute(select(table).order_by(*key)).mappings().all())
    return [dict(row) for row in found]


async def settled(address: str, *records: EventRecord) -> Rows:
    """The goods that are counted when these events are taken and settled, one behind the other."""
    async with open_store(address) as store:
        for record in records:
            await recorded(store, [record])
            await store.settle_events([record])
    return await rows(address, shipped_goods)


async def test_a_parcel_is_counted_line_by_line_with_what_it_cost(address: str) -> None:
    lamps, screws = await settled(address, shipped("a", hour=1))
    assert lamps == {
        "shop": "amazon-us",
        "order_id": "A-1",
        "parcel_no": "P1",
        "line_id": "1",
        "told_by": "shop/amazon-us A-1:order.shipped:a",
        "category": "lighting",
        "sku": "S-1",
        "carrier": "DHL",
        "lane": "DHL:DE>FR",
        "quantity": 2,
        "currency": "USD",
        "cost": 960_000,
        "shipped_at": at(1),
    }
    assert (screws["line_id"], screws["cost"]) == ("2", 1)


STORY = (
    shipped("late", hour=5, items=(item("1"), item("2", 1), item("3", 7))),
    shipped("early", hour=2, lines=[{"line_id": "1", "quantity": 1}]),
    shipped("tied", hour=2, lane="dhl-eu"),
    shipped("early", hour=2, lines=[{"line_id": "1", "quantity": 1}]),
    shipped("other", hour=3, parcel="P2", lines=[{"line_id": "2"}]),
)
"""Several events about the same parcel and a repeat; `early` and `tied` happened at the same moment."""


async def test_of_several_events_the_first_to_happen_counts_in_whatever_order_they_come(address: str) -> None:
    story = [*STORY]
    for seed in range(3):
        random.Random(seed).shuffle(story)
        found = await settled(address, *story)
        told = [(row["parcel_no"], row["line_id"], row["told_by"].split(":")[-1], row["quantity"]) for row in found]
        assert told == [
            ("P1", "1", "early", 1),
            ("P1", "2", "tied", 1),
            ("P1", "3", "late", 7),
            ("P2", "2", "other", 1),
        ]
        async with connect(DatabaseSettings.of(address)) as database:
            await database.write(lambda sql: sql.execute(shipped_goods.delete()))


async def test_they_may_come_together_and_to_several_processes(address: str) -> None:
    async with open_store(address) as one, open_store(address) as two:
        await recorded(one, STORY)
        turns = [random.Random(seed).sample(STORY, len(STORY)) for seed in range(6)]
        await asyncio.gather(*((one, two)[n % 2].settle_events(turn) for n, turn in enumerate(turns)))
    assert [row["told_by"].split(":")[-1] for row in await rows(address, shipped_goods)] == [
        *("early", "tied", "late", "other")
    ]


async def test_what_was_refused_or_names_no_order_is_not_counted(address: str) -> None:
    refused = shipped("a", hour=1).model_copy(update={"status": EventStatus.REFUSED})
    assert await settled(address, refused, shipped("b", hour=1, order=None)) == []


async def test_what_costs_too_much_or_cannot_be_read_any_more_is_settled_and_the_log_says_so(address: str) -> None:
    dear = shipped("dear", hour=1, items=(item("1", 100_000, "999999999999"),))
    odd = shipped("odd", hour=1, parcel="P2").model_copy(update={"raw": '{"type": "order.shipped"}'})
    with structlog.testing.capture_logs() as logs:
        (gold,) = await settled(address, dear, odd)
    assert gold["cost"] == 9_999_999_999_990_000
    assert [each["event"] for each in logs if each["log_level"] == "warning"] == ["goods.capped", "goods.not_counted"]
    async with open_store(address) as store:
        assert {one.status for one in await store.views.events()} == {EventStatus.SIGNALLED}


def closing(number: int, result: str = "abandoned", **changes: Any) -> Outcome:
    """A case about two lines, one of which came back, with a letter that was answered late and a reminder."""
    case = ref(f"A-{number}")
    goods = [
        {"line_id": "1", "sku": "S-1", "category": "lighting", "quantity": 2, "value": "20", "cost": "8", "back": 1},
        {"line_id": "2", "sku": "S-2", "category": "café", "quantity": 1, "value": "10", "cost": "3"},
    ]
    letters = [
        Written(letter="offer", language="en", sent_at=at(1), awaited=True, answered_at=at(2), variant="short"),
        Written(letter="return-terms", language="zh", sent_at=at(3), awaited=True),
        Written(letter="return-terms-reminder", language="zh", sent_at=at(4.5), awaited=True),
        Written(letter="return-closed", language="zh", sent_at=at(6)),
    ]
    known = {
        "amounts": {"refund": Decimal("30"), "freight": Decimal("0.0001"), "fee": Decimal("5")},
        "goods": tuple(map(Goods.model_validate, goods)),
        "letters": tuple(letters),
        "messages": 3,
        "replies": (3600.5, 60.25),
        "replied_in_time": 2,
    }
    return outcome(case, result).model_copy(update=known | changes)


async def close(store: Store, *closed: Outcome) -> None:
    for each in closed:
        await store.open_case(running(ref(each.order_id)))
        await store.close_case(each)


async def test_a_case_that_closes_is_counted_with_its_outcome(address: str) -> None:
    async with open_store(address) as store:
        await close(store, closing(1))
    (kept,) = await rows(address, outcomes)
    assert (kept["messages"], kept["replies"], kept["replied_in_time"], kept["reply_seconds"]) == (3, 2, 2, 3660.75)
    lamps, coffee = await rows(address, case_goods)
    assert [(row["line_id"], row["category"], row["loss"]) for row in (lamps, coffee)] == [
        ("1", "lighting", 20 * 10_000 + 1 - 4 * 10_000),
        ("2", "café", 10 * 10_000),
    ]
    assert (lamps["shop"], lamps["result"], lamps["cause"], lamps["quantity"]) == (
        "amazon-de",
        "abandoned",
        "product",
        2,
    )
    assert lamps["closed_at"] == at(48)
    offer, terms, reminder, last = await rows(address, case_letters)
    assert (offer["variant"], offer["answered"], offer["answer_seconds"], offer["sent_at"]) == (
        "short",
        True,
        3600,
        at(1),
    )
    assert [row["abandoned"] for row in (offer, terms, reminder, last)] == [False, True, True, False]
    assert [row["awaited"] for row in (offer, terms, reminder, last)] == [True, True, True, False]


async def test_a_case_is_counted_once_as_its_first_outcome_says(address: str) -> None:
    first = closing(1)
    more = (*first.goods, first.goods[0].model_copy(update={"line_id": "3"}))
    later = first.model_copy(
        update={"closed_at": at(49), "goods": more, "letters": (*first.letters, first.letters[-1]), "amounts": {}}
    )
    async with open_store(address) as store:
        await close(store, first)
        before = [await rows(address, table) for table in (outcomes, case_goods, case_letters)]
        await close(store, first, later)
    assert [await rows(address, table) for table in (outcomes, case_goods, case_letters)] == before


async def test_cases_that_close_at_the_same_time_are_all_counted(address: str) -> None:
    async with open_store(address) as one, open_store(address) as two:
        await asyncio.gather(*(close((one, two)[n % 2], closing(n // 2)) for n in range(24)))
    assert len(await rows(address, case_goods)) == 2 * 12
    assert len(await rows(address, case_letters)) == 4 * 12


async def test_a_migration_counts_what_is_there_already_as_it_would_have_been_written(address: str) -> None:
    counted = (outcomes, case_goods, case_letters, shipped_goods)
    silent: dict[str, Any] = {"goods": (), "letters": (), "messages": 0, "replies": (), "replied_in_time": 0}
    closed = [closing(number, ("abandoned", "kept", "refused")[number % 3]) for number in range(9)]
    closed += [
        closing(20, **silent),
        closing(21, amounts={"recovered": Decimal("7.7777")}),
        closing(22, goods=tuple(each.model_copy(update={"value": Decimal(0)}) for each in closing(22).goods)),
        closing(23, letters=(closing(23).letters[1].model_copy(update={"called_off": True}),)),
    ]
    refused = shipped("refused", hour=0).model_copy(update={"status": EventStatus.REFUSED})
    waiting = shipped("waits", hour=0).model_copy(update={"order_id": "? tracking/1"})
    odd = shipped(" odd\u0000 ", hour=1, parcel=" P 3 ", items=(item(" 1 ", 3, "0.3333"),), lines=[{"line_id": "1"}])
    dear = shipped("dear", hour=1, parcel="P4", items=(item("1", 100_000, "999999999999.9999"),))
    async with open_store(address) as store:
        await close(store, *closed)
        await recorded(store, [refused, waiting])
    await settled(address, *STORY, odd, dear, shipped("b", hour=1, parcel="P9", order=None))
    before = [await rows(address, table) for table in counted]
    assert [len(each) for each in before] == [13, 25, 9 * 4 + 2 * 4 + 1, 6]
    async with connect(DatabaseSettings.of(address)) as database:
        await change_revision(database, "0003")
        await change_revision(database, REVISION)
    assert [await rows(address, table) for table in counted] == before


async def test_a_letter_is_written_down_with_its_variant(address: str) -> None:
    short = letter(ref()).model_copy(update={"variant": "short"})
    async with open_store(address) as store:
        await store.claim_letter(short)
        assert await store.letter(short.key) == short
