"""Goods on their way back to us, awaited, searched when their scans stop, and claimed; goods out of stock (`§11`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.claims import last_date, return_lost
    from aftersales.clocks import LAST_CLAIM, NEXT_SCAN, SEARCH, Waits
    from aftersales.events import (
        CarrierReplied,
        Checkpoint,
        Event,
        Line,
        OrderCancelled,
        ParcelLost,
        ReturnReceived,
        WarehouseAnswered,
    )
    from aftersales.money import goods_value

from workflows.values import Value, link

if TYPE_CHECKING:
    from workflows.case import Case

Fate = Literal["here", "lost", "cancelled"]
"""What becomes of goods on their way to us: they may be lost, or the order cancelled before they left."""


class WayBack:
    """What is known of a parcel with goods that come back; the case that awaits it keeps one."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._lines: Sequence[Line] = ()
        self._label = ""
        self._signs: list[Event] = []
        self._silent_at: datetime | None = None
        self._searched = False
        self.rma = ""
        self.received: ReturnReceived | None = None
        """The goods as the warehouse found them; None where they are lost, or delivered and not booked."""
        self.cancelled: OrderCancelled | None = None
        """That the order was cancelled when the goods had left, as far as it was read; see `cancellation`."""
        self.loss: ParcelLost | None = None
        """What their carrier owes for, once they are lost."""

    async def instructions(self, rma: str, lines: Sequence[Line], *, prepaid: bool) -> dict[str, Value]:
        """What the instructions say about sending these lines under this number, with a label where we pay for it."""
        self.rma, self._lines = rma, lines
        label = await self.label() if prepaid else ""
        returns = self._case.policy.returns
        ship_by = self._case.until(returns.ship_back_window)
        return {"rma": rma, "label_url": label, "return_address": returns.return_address, "ship_by": ship_by}

    async def label(self) -> str:
        """The link to a prepaid label, empty where it comes in another way."""
        self._label = await self._case.command("issue_return_label", rma=self.rma)
        return link(self._label)

    @property
    def left(self) -> bool:
        """Whether the goods are on their way, or here."""
        return bool(self._signs) or self._case.state.awaits((ReturnReceived,))

    def here(self) -> bool:
        """Whether the warehouse has the goods already."""
        self.received = self._case.arrived(ReturnReceived)
        return self.received is not None

    def until(self, by: datetime) -> datetime:
        """Until when they are awaited: this moment where they have not left, else until their next sign is due."""
        return self._silent_at or by

    def hear(self, sign: Checkpoint | CarrierReplied) -> None:
        """Take a sign of the parcel; a label that the carrier only knows of is none."""
        if not isinstance(sign, Checkpoint) or sign.proves_dispatch:
            self._signs.append(sign)
            self._searched = False
            self._expect(NEXT_SCAN, self._case.policy.parcels.lost_after)

    async def next(self, *kinds: type[Event], by: datetime) -> Event | Fate | None:
        """The next fact of these kinds, or what becomes of the goods; None where they have not left by this moment.

        Once their signs stop, the carrier is asked, or the warehouse where they were delivered; without an answer they
        are lost, or here.
        """
        case, search = self._case, self._case.policy.parcels.carrier_answer_window
        goods = (ReturnReceived, Checkpoint, CarrierReplied, OrderCancelled)
        while True:
            match await case.next(*kinds, *goods, by=self.until(by)):
                case ReturnReceived() as received:
                    self.received = received
                    return self._come()
                case OrderCancelled() if not self.left:
                    return "cancelled"
                case OrderCancelled() as cancelled:
                    self.cancelled = cancelled
                case CarrierReplied(answer="lost") as word:
                    self._signs.append(word)
                    return self._lose()
                case Checkpoint() | CarrierReplied() as sign:
                    self.hear(sign)
                case None if self._searched:
                    return self._come() if self._delivered else self._lose(traced_for=search)
                case None if self._signs:
                    await case.command("ask_warehouse" if self._delivered else "carrier_trace", rma=self.rma)
                    self._searched = True
                    self._expect(SEARCH, search)
                case fact:
                    return fact

    def cancellation(self) -> OrderCancelled | None:
        """That the order was cancelled, also just now; the last word says whether the shop has paid it back itself."""
        while late := self._case.arrived(OrderCancelled):
            self.cancelled = late
        return self.cancelled

    async def repay_freight(self) -> Decimal:
        """Pay the customer what a way back that is ours to pay has cost; returns how much it was."""
        freight = self.received and self.received.freight_receipt
        if not freight:
            return Decimal(0)
        await self._case.command("pay_compensation", pays="freight", amount=freight, purpose="return_freight")
        return freight

    async def claim(self) -> None:
        """Have lost goods claimed from their carrier, whose dates are another clock (`§5`)."""
        if self.loss:
            await self._case.open_case("carrier-claim", self.loss)

    def _expect(self, waits: Waits, window: timedelta) -> None:
        """Await the next sign of the goods within this window."""
        self._silent_at = self._case.until(window)
        self._case.clock("next scan", self._silent_at, waits)

    def _come(self) -> Fate:
        self._case.clock("next scan", None, NEXT_SCAN)
        return "here"

    def _lose(self, traced_for: timedelta | None = None) -> Fate:
        self.loss = return_lost(
            self._case.opened.trigger,
            self._case.opened.order,
            self._signs,
            rma=self.rma,
            label=self._label,
            lines=tuple(self._lines),
            value=goods_value(self._case.opened.order, self._lines),
            now=workflow.now(),
            traced_for=traced_for,
        )
        self._case.clock("next scan", None, NEXT_SCAN)
        self._case.clock("last date for a claim", last_claim(self._case, self.loss), LAST_CLAIM)
        return "lost"

    @property
    def _delivered(self) -> bool:
        return any(isinstance(sign, Checkpoint) and sign.status == "delivered" for sign in self._signs)


def last_claim(case: Case, lost: ParcelLost) -> datetime:
    """When the carrier of lost goods takes no claim any more (`§5`)."""
    parcel = lost.parcel
    return last_date(lost, case.policy.parcels.for_lane(parcel.carrier, parcel.origin, parcel.destination))


def none_left(case: Case) -> WarehouseAnswered | None:
    """The warehouse's last word that it does not have the goods that we are to send; None where it has not said so."""
    none = None
    while answer := case.arrived(WarehouseAnswered):
        none = answer if answer.answer == "out_of_stock" else none
    return none
