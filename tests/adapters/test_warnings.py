"""The ledger of crossed limits: each crossing once, whatever the order and however often limits are compared."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.database import Store, open_store
from aftersales.figures import Warned
from tests.known_figures import warned

DAYS = [datetime(2026, 11, 1, 6, tzinfo=UTC) + timedelta(days=number) for number in range(60)]
SHOES, SOFAS = warned("shoes"), warned("large furniture", kind="non_quality")
SHORT = warned("return-terms.short", kind="claims")


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    async with open_store(address) as store:
        yield store


async def settle(store: Store, day: int, *seen: Warned, shop: str = "") -> None:
    await store.warnings.settle(shop, DAYS[day], seen)


async def running(store: Store, shop: str | None = None) -> list[tuple[str, datetime]]:
    return [(each.seen.subject, each.seen.since) for each in await store.warnings.open(shop)]


async def test_a_limit_is_crossed_once_until_it_is_kept_again(store: Store) -> None:
    await settle(store, 0, SHOES)
    await settle(store, 1, SHOES, SOFAS)
    assert await running(store) == [("shoes", DAYS[0]), ("large furniture", DAYS[1])]
    await settle(store, 2, SOFAS)
    assert await running(store) == [("large furniture", DAYS[1])]
    await settle(store, 3, SHOES)
    assert await running(store) == [("shoes", DAYS[3])]


async def test_a_repeat_and_a_run_for_an_earlier_time_change_nothing(store: Store) -> None:
    await settle(store, 2, SHOES)
    for late in (2, 1, 0):
        await settle(store, late, SOFAS)
        await settle(store, late)
    assert await running(store) == [("shoes", DAYS[2])]
    # Also where the later one has found nothing.
    await settle(store, 4)
    await settle(store, 3, SHOES)
    assert await running(store) == []


async def test_of_runs_at_once_in_any_order_the_last_day_is_what_holds(store: Store) -> None:
    seen: list[tuple[Warned, ...]] = [(SHOES,), (), (SHOES, SOFAS), (SOFAS,)]
    for number, order in enumerate(itertools.permutations(range(4))):
        shop = f"shop {number}"
        await asyncio.gather(*(settle(store, day, *seen[day], shop=shop) for day in order))
        assert [subject for subject, _ in await running(store, shop)] == ["large furniture"]


async def test_shops_are_apart_and_all_together_is_one_of_them(store: Store) -> None:
    await settle(store, 0, SHOES)
    await settle(store, 0, warned("shoes", shop="lumen"), shop="lumen")
    await settle(store, 1, shop="lumen")
    assert await running(store) == [("shoes", DAYS[0])]
    assert await running(store, "lumen") == []


async def test_staff_is_told_of_what_is_still_crossed_and_not_twice(store: Store) -> None:
    await settle(store, 0, SHOES, SOFAS)
    shoes, sofas = sorted(await store.warnings.untold(), key=lambda each: each.seen.subject, reverse=True)
    await store.warnings.told(shoes, DAYS[0])
    await store.warnings.told(shoes, DAYS[1])
    assert [each.seen.subject for each in await store.warnings.untold()] == ["large furniture"]
    assert [each.told_at for each in await store.warnings.open() if each.key == shoes.key] == [DAYS[0]]
    await settle(store, 1, SHOES)
    assert await store.warnings.untold() == []
    await settle(store, 2, SHOES, SOFAS)
    again = await store.warnings.untold()
    assert [each.key == sofas.key for each in again] == [False]


async def test_a_variant_stays_stopped_until_a_person_starts_it_again(store: Store) -> None:
    await settle(store, 0, SHORT)
    await settle(store, 1)
    assert await store.warnings.stopped("lumen") == {"return-terms.short"}
    assert await store.warnings.start_again("return-terms.long", DAYS[2]) == []
    assert len(await store.warnings.start_again("return-terms.short", DAYS[2])) == 1
    assert await store.warnings.stopped("lumen") == frozenset()
    # The figures see what was written since only, so it is stopped again for that.
    await settle(store, 3)
    assert await store.warnings.stopped("lumen") == frozenset()
    await settle(store, 4, SHORT)
    assert await store.warnings.stopped("lumen") == {"return-terms.short"}


async def test_a_variant_that_one_shop_stopped_goes_on_in_others(store: Store) -> None:
    await settle(store, 0, warned(SHORT.subject, shop="lumen", kind="claims"), shop="lumen")
    assert await store.warnings.stopped("lumen") == {SHORT.subject}
    assert await store.warnings.stopped("other") == frozenset()
    assert await store.warnings.start_again(SHORT.subject, DAYS[1], "other") == []
    assert len(await store.warnings.start_again(SHORT.subject, DAYS[1], "lumen")) == 1
