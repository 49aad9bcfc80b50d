"""Events that come in side by side are written down together, and each caller is told about its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from adapters.database import Store, open_store
from adapters.database.intake import take
from aftersales.aliases import Alias, of_order, waiting_under
from aftersales.records import CaseRecord, EventStatus
from tests.adapters.test_store import at, event, ref
from tests.recorded import recorded


@pytest.fixture
async def store(address: str) -> AsyncIterator[Store]:
    async with open_store(address) as opened:
        yield opened


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many callers each transaction took."""
    sizes: list[int] = []

    def counted(connection: Any, do: Any, asked: Sequence[Any]) -> Any:
        sizes.append(len(asked))
        return take(connection, do, asked)

    monkeypatch.setattr("adapters.database.store.take", counted)
    return sizes


async def test_callers_side_by_side_share_a_transaction(store: Store, rounds: list[int]) -> None:
    taken = await asyncio.gather(*(store.take_events([event(str(number))], [], ()) for number in range(10)))
    assert [one.before for one in taken] == [[None]] * 10
    assert sum(rounds) == 10
    assert len(rounds) <= 2
    assert len(await store.events_of("A-1", ["customer.replied"])) == 10


async def test_the_same_event_from_two_callers_is_new_for_one(store: Store) -> None:
    taken = await asyncio.gather(*(store.take_events([event("1"), event(name)], [], ()) for name in ("2", "3", "1")))
    assert [one.before for one in taken] == [[None, None], ["received", None], ["received", "received"]]


async def test_of_two_that_teach_an_alias_one_gets_what_waited(store: Store) -> None:
    waiting = event("early", order=waiting_under("parcel-1"), status=EventStatus.NO_OPEN_CASE)
    await recorded(store, [waiting])
    alias = Alias(alias="parcel-1", shop="lamps", order_id="A-1", parcel_no="1", at=at(0))
    own = Alias(alias=of_order("A-2"), shop="lamps", order_id="A-2", at=at(0))
    first, second, third = await asyncio.gather(
        store.take_events([event("1")], [alias], ["parcel-1"]),
        store.take_events([event("2")], [alias, own], [of_order("A-2")]),
        store.take_events([event("3")], [], ()),
    )
    assert (first.awaited, second.awaited, third.awaited) == ([waiting], [], [])
    assert (first.aliases, second.aliases, third.aliases) == ({"parcel-1": [alias]}, {of_order("A-2"): [own]}, {})


async def test_one_that_cannot_be_written_down_fails_alone(store: Store) -> None:
    wrong = event("wrong").model_copy(update={"order_id": None})
    taken = await asyncio.gather(
        *(store.take_events([one], [], ()) for one in (event("1"), wrong, event("2"))), return_exceptions=True
    )
    assert isinstance(taken[1], Exception)
    assert await recorded(store, [event("1"), event("wrong"), event("2")]) == ["received", None, "received"]


async def test_questions_side_by_side_have_each_its_own_answer(store: Store) -> None:
    orders = [f"A-{number}" for number in range(40)]
    for order in orders[::2]:
        await store.open_case(CaseRecord(**ref(order).model_dump(), opening="{}"))
    waiting = [event(order, order=order, status=EventStatus.NO_OPEN_CASE) for order in orders[1::2]]
    await recorded(store, waiting)
    cases = await asyncio.gather(*(store.open_cases(order) for order in orders))
    assert [[case.order_id for case in found] for found in cases] == [
        [] if number % 2 else [order] for number, order in enumerate(orders)
    ]
    found = await asyncio.gather(*(store.waiting_events(order) for order in orders))
    assert [one for some in found for one in some] == waiting
