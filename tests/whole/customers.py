"""Customers and what they do: each order is a story with its own end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tests.events import event, now, order, return_requested, returned
from tests.whole.books import Witness
from tests.whole.installation import SHOPS
from tests.whole.senders import Event, Senders

POLICY = """
version: whole
returns: {{self_authorised: [webshop]}}
parcels: {{dispute_window: {after_delivery}}}
"""
"""`after_delivery` is how long a parcel is watched that has arrived."""
PATIENCE = 240.0
"""Seconds that a customer waits for a letter, the warehouse for a command."""


@dataclass(frozen=True)
class Story:
    """What happens to one order."""

    order: str
    shop: str
    number: int
    people: Senders
    witness: Witness

    @property
    def address(self) -> str:
        """The customer's, who orders once."""
        return f"{self.order.lower()}@customers.example"

    @property
    def snapshot(self) -> dict[str, Any]:
        """What is this order's own."""
        return {"shop": self.shop, "customer": {"name": "Ada Reyes", "email": self.address, "language": "en"}}

    async def tell(self, *events: Event) -> None:
        """One after the other."""
        for number, one in enumerate(events):
            await self.people.send(one, shop=self.shop, way=self.number + number)

    async def write(self, text: str, answers: str = "") -> None:
        """A mail of the customer."""
        identity = f"{self.order}-{'answer' if answers else 'question'}"
        await self.people.mail(self.address, text, shop=self.shop, identity=identity, answers=answers)

    async def letter(self, number: int) -> str:
        """The Message-ID of a letter to the customer."""
        return await self.witness.letter(self.address, number, PATIENCE)


async def returns(story: Story) -> None:
    """The goods come back to the warehouse under the number that it gave, and are refunded."""
    await story.tell(return_requested(story.order, **story.snapshot))
    rma = await story.witness.command(story.order, "create_rma", PATIENCE)
    await story.tell(returned(story.order, rma.reference))


async def keeps(story: Story) -> None:
    """A return is asked for, and taken back once the instructions are there."""
    await story.tell(return_requested(story.order, **story.snapshot))
    await story.letter(1)
    await story.tell(event("order.return_cancelled", story.order))


async def dawdles(story: Story) -> None:
    """A return is asked for, and nothing more is heard: its case waits."""
    await story.tell(return_requested(story.order, **story.snapshot))


async def complains(story: Story) -> None:
    """A complaint, an offer, and the customer accepts it by mail."""
    told: dict[str, Any] = {"order": order(story.order, **story.snapshot)}
    await story.tell(event("order.complaint", story.order, cause="product", text="The shade is scratched.", **told))
    await story.write("I accept the compensation.", answers=await story.letter(1))


async def waits(story: Story) -> None:
    """A parcel, of which the carrier knows the tracking number only; its customer asks where it is."""
    at, number = now(), f"9400{story.order.replace('-', '')}"
    on_its_way = _scan(story, number, "in_transit", 1)
    known = order(story.order, **story.snapshot, dispatched_at=(at - timedelta(hours=1)).isoformat())
    del known["delivered_at"]
    parcel = {"parcel_no": "P1", "carrier": "USPS", "tracking_number": number, "origin": "US", "destination": "US"}
    shipped = event("order.shipped", story.order, order=known, parcel=parcel, at=at - timedelta(hours=1))
    early = story.number // len(STORIES) % 2
    await story.tell(*((on_its_way, shipped) if early else (shipped, on_its_way)))
    await story.write("Where is my parcel?")
    await story.letter(1)
    await story.tell(_scan(story, number, "delivered", 2))


def _scan(story: Story, number: str, status: str, which: int) -> Event:
    scan = event("shipment.checkpoint", story.order, str(which))
    del scan["subject"]
    return {**scan, "orderalias": f"tracking/{number}", "data": {"status": status, "at": scan["time"]}}


async def cancels(story: Story) -> None:
    """An order is paid, released to the warehouse, cancelled there and refunded."""
    known = order(story.order, **story.snapshot, placed_at=now().isoformat())
    del known["delivered_at"]
    await story.tell(event("order.paid", story.order, order=known))
    await story.witness.command(story.order, "release_order", PATIENCE)
    await story.tell(event("order.cancelled", story.order, reason="changed my mind"))


STORIES: Mapping[Callable[[Story], Awaitable[None]], Sequence[str]] = {
    returns: ("return-request handed_over", "return-parcel refunded"),
    complains: ("compensation compensated",),
    waits: ("shipment-watch delivered",),
    cancels: ("fulfilment-check cancelled_refunded",),
    keeps: ("return-request handed_over", "return-parcel not_shipped"),
    dawdles: ("return-request handed_over",),
}
"""Each with how its cases end."""
BESIDE: Mapping[Callable[[Story], Awaitable[None]], str] = {waits: "inquiry handed_over"}
"""What may end besides: a question that comes when its order is known and the case of the parcel not open yet."""
STAYS_OPEN = "return-parcel"
"""The case of who dawdles."""


Stories = Mapping[str, tuple[Story, Callable[[Story], Awaitable[None]]]]
"""By order: whose it is, and what happens."""


def stories(count: int, people: Senders, witness: Witness) -> Stories:
    """So many orders, by their ids, in two shops."""
    made = dict[str, tuple[Story, Callable[[Story], Awaitable[None]]]]()
    for number in range(count):
        does = list(STORIES)[number % len(STORIES)]
        shop = SHOPS[number // len(STORIES) % len(SHOPS)]
        name = f"{does.__name__.upper()}-{number:04}"
        made[name] = Story(name, shop, number // 2, people, witness), does
    return made


async def live(told: Stories, over: float) -> None:
    """Let all stories happen, their beginnings spread over so many seconds."""

    async def later(number: int, story: Story, does: Callable[[Story], Awaitable[None]]) -> None:
        await asyncio.sleep(over * number / len(told))
        await does(story)

    async with asyncio.TaskGroup() as group:
        for number, (story, does) in enumerate(told.values()):
            group.create_task(later(number, story, does))
