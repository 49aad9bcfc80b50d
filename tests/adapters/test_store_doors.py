"""What doors keep, on both databases: other names of orders, answers to requests, letters that came back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.database import Store, open_store
from aftersales.aliases import Alias, of_order, waiting_under
from aftersales.records import AnsweredRequest, EventStatus
from tests.adapters.test_store import NOON, at, event, letter, ref


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    async with open_store(address) as opened:
        yield opened


def alias(name: str = "tracking/1Z", order: str = "A-1", *, shop: str = "lamps", hour: float = 0) -> Alias:
    return Alias(alias=name, shop=shop, order_id=order, parcel_no="P-1", at=at(hour))


async def test_of_two_orders_of_a_shop_the_newer_has_an_alias_whichever_comes_first(store: Store) -> None:
    await store.take_events([event("1")], [alias(hour=2), alias(order="A-2", hour=3)], [])
    await store.take_events([event("2")], [alias(order="A-0", hour=1)], [])
    assert await store.aliases(["tracking/1Z", "tracking/other"]) == {"tracking/1Z": [alias(order="A-2", hour=3)]}


async def test_two_shops_may_use_the_same_alias(store: Store) -> None:
    theirs = alias(order="B-1", shop="sofas", hour=1)
    taken = await store.take_events([event("1")], [alias(), theirs], ["tracking/1Z"])
    assert taken.aliases == {"tracking/1Z": [theirs, alias()]}


async def test_an_order_id_stays_with_its_first_shop(store: Store) -> None:
    mine, theirs = alias(of_order("A-1")), alias(of_order("A-1"), shop="sofas", hour=9)
    await store.take_events([event("1")], [mine], [])
    taken = await store.take_events([event("2")], [theirs], [of_order("A-1")])
    assert taken.aliases == {of_order("A-1"): [mine]}


async def test_what_waits_for_an_alias_is_told_to_who_teaches_it_until_it_is_settled(store: Store) -> None:
    waiting = event("1", order=waiting_under("tracking/1Z"), status=EventStatus.NO_OPEN_CASE)
    assert await store.take_events([waiting], [], []) == ([None], {}, [])
    assert (await store.take_events([event("2")], [alias()], [])).awaited == [waiting]
    # Who was told may have died.
    assert (await store.take_events([event("2")], [alias()], [])).awaited == [waiting]
    settled = waiting.model_copy(update={"status": EventStatus.SIGNALLED, "order_id": "A-1", "raw": "{}"})
    await store.settle_events([settled])
    assert await store.views.event("1") == [settled]
    assert (await store.take_events([event("3")], [alias()], [])).awaited == []


async def test_of_processes_that_teach_and_ask_at_once_one_sees_the_other(address: str) -> None:
    """Whoever asks in vain is seen by whoever teaches, although neither sees what the other has not committed."""

    async def teach(store: Store, number: int) -> set[str]:
        taught = await store.take_events([event(f"t{number}")], [alias(f"tracking/{number}")], [])
        return {one.id for one in taught.awaited}

    async def ask(store: Store, number: int) -> set[str]:
        name = f"tracking/{number}"
        waiting = event(f"w{number}", order=waiting_under(name), status=EventStatus.NO_OPEN_CASE)
        return {waiting.id} if name in (await store.take_events([waiting], [], [name])).aliases else set()

    async with open_store(address) as one, open_store(address) as other:
        for number in range(150):
            seen = await asyncio.gather(teach(one, number), ask(other, number))
            assert {f"w{number}"} in seen


async def test_the_first_answer_to_a_request_stays_until_it_is_forgotten(store: Store) -> None:
    first = AnsweredRequest(
        sender="shop lamps", id="msg_1", digest="d", status=200, media_type="application/json", answer="{}", at=NOON
    )
    assert await store.answered("shop lamps", "msg_1") is None
    await store.keep_answer(first)
    await store.keep_answer(first.model_copy(update={"status": 400}))
    assert await store.answered("shop lamps", "msg_1") == first
    assert await store.answered("shop sofas", "msg_1") is None
    await store.forget_answers(NOON)
    assert await store.answered("shop lamps", "msg_1") == first
    await store.forget_answers(NOON + timedelta(seconds=1))
    assert await store.answered("shop lamps", "msg_1") is None


async def test_a_letter_that_came_back_says_so(store: Store) -> None:
    sent = letter(ref())
    await store.claim_letter(sent)
    assert await store.letter_bounced("<nobody@example.org>", "5.1.1 gone") is None
    assert await store.letter_bounced(sent.message_id, "5.1.1 gone") == sent
    await store.letter_bounced(sent.message_id, "5.7.1 not now")
    assert await store.letter_with(sent.message_id) == sent.model_copy(update={"bounced": "5.1.1 gone"})
