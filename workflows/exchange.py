"""exchange: the customer wants the same goods once more, or others instead."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import Waits
    from aftersales.events import (
        CarrierReplied,
        Checkpoint,
        ExchangeRequested,
        Message,
        OrderCancelled,
        PaymentReceived,
        ReturnReceived,
        WarehouseAnswered,
    )
    from aftersales.exchanging import Refusal, Wish
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome
    from aftersales.units import format_duration

from workflows import payments
from workflows.case import Case
from workflows.goods import Fate, WayBack, none_left

Instead = tuple[Literal["refund", "send_back"], str]
"""What is done instead of an exchange, and why, as the letter about it says it."""

_OBJECTION = Waits("customer", "products.refusal_window", "the customer: an objection is heard no more")
_GOODS = Waits(
    "customer", "returns.ship_back_window", "the customer: there is no exchange, unless the goods are on their way"
)


@workflow.defn(name="exchange")
class Exchange(Case):
    """A customer wants goods exchanged (`spec/processes.md` §11, `003 §9`).

    Goods can be exchanged inside the exchange window, unopened and with their labels on; those that are our fault
    always. Who may not is told why, and what was sent in all the same goes back as it came; an objection is for an
    operator. Who may gets an RMA number and instructions, with a label where it is our fault, and has the ship-back
    window. What comes back other than described, without fault of ours, is for an operator. The same product then
    leaves on receipt; for another one the customer pays the difference inside the payment window, or gets the goods
    back, or is paid the difference. Where the wanted goods are out of stock, an operator says whether the customer
    waits; when none does, the money goes back. Goods lost on their way back count as received, and are claimed from
    their carrier. Until the new goods leave, the customer's newest wish counts.

    Case id `exchange/<order>`, with `/<line ids>` for some lines only.
    """

    process = "exchange"
    LETTERS = {
        "exchange-not-eligible": frozenset({"item", "reasons", "window"}),
        "exchange-refusal-stands": frozenset({"item"}),
        "exchange-instructions": frozenset(
            {"item", "wanted", "rma", "freight", "label_url", "return_address", "ship_by"}
        ),
        "exchange-instructions-reminder": frozenset({"item", "rma", "ship_by"}),
        "exchange-shipping": frozenset({"item", "rma", "freight", "label_url"}),
        "exchange-wish-noted": frozenset({"item", "wanted", "rma"}),
        "exchange-delayed": frozenset({"item", "wanted", "waits_until"}),
        "pay-difference": frozenset({"item", "wanted", "amount", "payment_url", "pay_by"}),
        "pay-difference-reminder": frozenset({"item", "wanted", "amount", "payment_url", "pay_by"}),
        "exchange-sent": frozenset({"item", "wanted", "refund", "freight"}),
        "exchange-refunded": frozenset({"item", "reason", "refund"}),
        "exchange-closed": frozenset({"item", "reason", "findings", "photos", "tracking_number", "refund"}),
    }
    HEARS = (
        *(Message, ExchangeRequested, PaymentReceived, OrderCancelled),
        *(ReturnReceived, Checkpoint, CarrierReplied, WarehouseAnswered),
    )
    OPTIONS = {
        "our_fault": "something is wrong with the goods: they are exchanged in any state, and we pay the way back",
        "exchange": "make an exception: the goods are exchanged, and the customer pays the way back",
        "refuse": "no exchange: the customer is told that it stands; goods that come all the same go back",
        "no_fault": "nothing is wrong with the goods: the customer is told to send them at the customer's own cost",
        "no_reason": "the message gives no reason: it goes to a colleague to answer, and who pays stays open",
        "go_on": "take the goods as they are and go on with the exchange",
        "send_back": "send the goods back to the customer as they are; there is no exchange",
        "refund": "pay back what the customer paid for the goods; there is no exchange",
        "wait": "ask the customer to wait for the goods; who would rather have the money gets it",
        "same": "the price is the same: send the wanted goods, nobody pays anything",
        "more": "the wanted goods cost more by the amount: the customer is asked to pay it first",
        "less": "the wanted goods cost less by the amount: pay it back to the customer",
        "accept": "the customer agrees to pay the difference, or to wait for the goods: go on waiting",
        "decline": "the customer does not: unpaid goods go back to the customer, for goods out of stock the money does",
    }
    WAITS = {
        "exchange-not-eligible": _OBJECTION,
        "exchange-refusal-stands": _OBJECTION,
        "exchange-instructions": _GOODS,
        "exchange-shipping": _GOODS,
        "exchange-wish-noted": _GOODS,
        "exchange-delayed": Waits(
            "warehouse", "products.restock_window", "the shop: the goods are owed, or the money where there are none"
        ),
        "pay-difference": Waits(
            "customer", "products.payment_window", "the customer: there is no exchange, and the goods go back"
        ),
    }

    extra, returned_difference, repaid_freight = Decimal(0), Decimal(0), Decimal(0)
    """What the customer paid on top, and what we paid: the difference to cheaper goods, and an advanced freight."""
    settled: OrderCancelled | None = None
    """The cancellation of the order for which it is decided what becomes of the goods."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.wish, self.way = Wish(opened.order, cast(ExchangeRequested, opened.trigger)), WayBack(self)
        if self.refusals and not await self.granted_after_all():
            return await self.finish("not_eligible")
        way = await self.goods()
        if way in ("not_shipped", "cancelled"):
            await self.say_closed(way)
            return await self.finish("not_shipped")
        match await self.obstacle():
            case None:
                return await self.ship()
            case "send_back", why:
                await self.send_back(why)
                return await self.finish("not_eligible" if why == "differs" else "unpaid")
            case _, why:
                return await self.refund(why)

    async def granted_after_all(self) -> bool:
        """Say why the goods cannot be exchanged; whether a new request or an operator changes that.

        Goods that are here, or on their way, go back as they came.
        """
        by = self.until(self.policy.products.refusal_window)
        await self.refuse()
        while True:
            match await self.next(ReturnReceived, Checkpoint, ExchangeRequested, Reply, OrderCancelled, by=by):
                case ReturnReceived():
                    await self.send_back("as_it_came")
                    return False
                case Checkpoint() as scan:
                    self.way.hear(scan)
                    by = max(by, self.way.until(by))
                case ExchangeRequested() as again:
                    self.wish_again(again)
                    if not self.refusals:
                        return True
                    await self.refuse()
                case Reply(intent="accept"):
                    await self.say_closed("kept")
                    return False
                case Reply() as objection:
                    if await self.allowed(objection.text):
                        return True
                    await self.send("exchange-refusal-stands", item=self.wish.item)
                case _:
                    return False

    async def refuse(self) -> None:
        """The letter with the concrete reasons."""
        window, reasons = format_duration(self.policy.products.exchange_window), cast(list[JsonValue], self.refusals)
        await self.send("exchange-not-eligible", item=self.wish.item, reasons=reasons, window=window)

    async def allowed(self, objection: str) -> bool:
        """What an operator says to an objection; when none decides, the refusal stands: an exception is a favour."""
        question = (
            f"{self.wish.item} cannot be exchanged ({', '.join(self.refusals).replace('_', ' ')}). The customer says: "
            f"“{objection[:1000]}”. Is it our fault after all, an exception, or does it stand?"
        )
        choice = await self.decision(question, "our_fault", "exchange", "refuse", fallback="refuse")
        self.wish = self.wish._replace(found="our_fault" if choice == "our_fault" else "no_fault")
        return choice != "refuse"

    def wish_again(self, again: ExchangeRequested) -> bool:
        """Take a new request; whether it is for something else, and then the warehouse's word was about other goods."""
        before, self.wish = self.wish.wanted, self.wish.renewed(again)
        if self.wish.wanted == before:
            return False
        none_left(self)
        return True

    async def goods(self) -> Fate | Literal["not_shipped"]:
        """What becomes of the goods; those that are here already need no instructions."""
        if self.way.here():
            return "here"
        rma = await self.command("create_rma", lines=self.lines)
        said = await self.way.instructions(rma, self.wish.lines, prepaid=self.wish.our_fault)
        said |= {**self.wish.named, "freight": self.wish.freight}
        by = cast(datetime, said["ship_by"])
        fate: Fate | None = await self.ask("exchange-instructions", self.returned, by=by, **said)
        return fate or "not_shipped"

    async def returned(self, by: datetime) -> Fate | None:
        """What becomes of the goods by this moment; a customer who gave no reason was asked for it."""
        while True:
            before = self.wish.freight
            match await self.way.next(ExchangeRequested, *([Message] * (before == "open")), by=by):
                case ExchangeRequested() as again:
                    self.wish_again(again)
                    await self.send("exchange-wish-noted", **self.wish.named, rma=self.way.rma)
                case Message() as message:
                    await self.reason_given(message)
                case fate:
                    return cast(Fate | None, fate)
            if self.wish.freight != before and not self.way.left:
                label = await self.way.label() if self.wish.our_fault else ""
                said = {"item": self.wish.item, "freight": self.wish.freight}
                await self.send("exchange-shipping", **said, rma=self.way.rma, label_url=label)

    async def reason_given(self, message: Message) -> None:
        """A customer who gave no reason writes: whose the way back is, when nobody decides ours."""
        item = self.wish.item
        question = f"Asked why {item} is exchanged, the customer wrote: “{message.text[:1000]}”. Is it our fault?"
        choice = await self.decision(question, "our_fault", "no_fault", "no_reason", fallback="our_fault")
        if choice == "no_reason":
            await self.to_a_person(message, "the customer wrote about an exchange and gave no reason for it")
        else:
            self.wish = self.wish._replace(found="our_fault" if choice == "our_fault" else "no_fault")

    async def obstacle(self) -> Instead | None:
        """What is in the way of the exchange: the goods that came, the wanted ones, their price, or a cancellation."""
        for looks in (self.inspection, self.stock, self.price):
            if found := await self.cancellation() or await looks():
                break
        return await self.cancellation() or found

    async def cancellation(self) -> Instead | None:
        """What an operator says where the order was cancelled while we have the goods: the money or the goods back.

        Where the shop has paid the money back itself, the goods stay with us.
        """
        cancelled = self.way.cancellation()
        if not cancelled or cancelled is self.settled:
            return None
        self.settled = cancelled
        if cancelled.refunded or self.way.loss:
            return "refund", "cancelled"
        question = (
            f"The order was cancelled while we have {self.wish.item} for an exchange. Refund it, or send it back?"
        )
        choice = await self.decision(question, "refund", "send_back", fallback="refund")
        return ("refund" if choice == "refund" else "send_back"), "cancelled"

    async def inspection(self) -> Instead | None:
        """Whether goods as they were found are in the way; what is our fault may be in any state."""
        received = self.way.received
        if self.wish.our_fault:
            self.repaid_freight = await self.way.repay_freight()
            return None
        if not received or not (findings := self.wish.findings(received)):
            return None
        question = (
            f"The warehouse found: {', '.join(findings)}. Photos: {', '.join(received.photos) or 'none'}. "
            f"Go on with the exchange of {self.wish.item}, or send it back?"
        )
        choice = await self.decision(question, "go_on", "send_back", fallback="go_on")
        return ("send_back", "differs") if choice == "send_back" else None

    async def stock(self) -> Instead | None:
        """Whether the wanted goods cannot be had; an operator may let the customer wait for them."""
        none = none_left(self)
        if none is None:
            return None
        until = f", until {none.until:%Y-%m-%d}" if none.until else ""
        question = (
            f"{self.wish.wanted or self.wish.item} is out of stock{until}. Money back, or does the customer wait?"
        )
        if await self.decision(question, "refund", "wait", fallback="refund") == "refund":
            return "refund", "out_of_stock"
        until_at = (none_left(self) or none).until
        soon = until_at if until_at and until_at > workflow.now() else None
        by = soon or self.until(self.policy.products.restock_window)
        await self.send("exchange-delayed", **self.wish.named, waits_until=by)
        while stop := await payments.patience(self, WarehouseAnswered, ExchangeRequested, by=by):
            if not isinstance(stop, ExchangeRequested):
                self.way.cancelled = stop if isinstance(stop, OrderCancelled) else self.way.cancelled
                return "refund", "out_of_stock"
            if self.wish_again(stop):
                break
        return None

    async def price(self) -> Instead | None:
        """Settle what the wanted goods cost more or less than those that came back; a new wish has a new price."""
        difference = await self.difference()
        due = max(difference, Decimal(0))
        if self.state.awaits((OrderCancelled,)):
            return None
        if due or self.extra:
            letters, stops = ("pay-difference", "pay-difference-reminder"), (WarehouseAnswered, ExchangeRequested)
            got = await payments.collect(self, letters, self.wish.named, due, *stops, paid=self.extra)
            self.extra = got.amount
            if isinstance(got.stopped, ExchangeRequested):
                self.wish_again(got.stopped)
                return await self.price()
            if isinstance(got.stopped, WarehouseAnswered):
                return "refund", "out_of_stock"
            if isinstance(got.stopped, OrderCancelled):
                self.way.cancelled = got.stopped
            if got.amount < due:
                return ("refund", "lost") if self.way.loss else ("send_back", "unpaid")
        if difference < 0:
            self.returned_difference = -difference
            await self.command("refund", pays="refund", amount=-difference, purpose="price_difference")
        return None

    async def difference(self) -> Decimal:
        """What the wanted goods cost more; where nobody named their price, an operator says it."""
        known = self.wish.difference
        if known is not None:
            return known
        question = (
            f"What does {self.wish.wanted} cost beside {self.wish.value} {self.order.currency} for {self.wish.item}? "
            "Name the difference as the amount; without one, you are asked again."
        )
        while True:
            choice = await self.decision(question, "same", "more", "less", fallback="same", most=self.wish.value)
            named = self.state.decisions[-1].amount or Decimal(0)
            if named or choice == "same":
                return {"more": named, "less": -named}.get(choice, Decimal(0))

    async def ship(self) -> Outcome:
        """Send the wanted goods, or the money where they cannot be sent."""
        worth, sku = self.wish.value - self.returned_difference, self.wish.asked.wanted_sku
        if not await self.command("reship", pays="reship", amount=worth, instead="refund", lines=self.lines, sku=sku):
            return await self.refund("out_of_stock")
        refund, freight = self.returned_difference, self.repaid_freight
        await self.send("exchange-sent", **self.wish.named, refund=refund, freight=freight)
        return await self.finish("exchanged")

    async def refund(self, reason: str) -> Outcome:
        """Pay back what the customer paid for the goods, and on top of it; not what the shop has paid back itself."""
        if self.extra:
            await payments.give_back(self, self.extra)
        if (cancelled := self.way.cancellation()) and cancelled.refunded:
            await self.say_closed("cancelled")
            return await self.finish("refunded")
        amount = self.wish.paid - self.returned_difference
        await self.command("refund", pays="refund", amount=amount, lines=self.lines)
        given = self.wish.paid + self.extra + self.repaid_freight
        await self.send("exchange-refunded", item=self.wish.item, reason=reason, refund=given)
        return await self.finish("refunded")

    async def send_back(self, reason: str) -> None:
        """The goods go back to the customer, and with them what was paid on top."""
        tracking = await self.command("send_back", rma=self.way.rma, lines=self.lines)
        if self.extra:
            await payments.give_back(self, self.extra)
        await self.say_closed(reason, tracking)

    async def say_closed(self, reason: str, tracking: str = "") -> None:
        """The letter with which an exchange that does not take place ends; findings come with their photos."""
        shown = self.way.received if reason == "differs" else None
        seen: dict[str, list[JsonValue]] = {
            "findings": list(self.wish.findings(shown)) if shown else [],
            "photos": list(shown.photos) if shown else [],
        }
        said = {"item": self.wish.item, "reason": reason, "tracking_number": tracking}
        await self.send("exchange-closed", **said, **seen, refund=self.extra)

    async def finish(self, result: str) -> Outcome:
        """Close with the cause that the customer's reason names; goods that a carrier lost are claimed."""
        await self.way.claim()
        return await self.close(result, cause=self.wish.cause, at_fault=self.wish.our_fault)

    @property
    def refusals(self) -> list[Refusal]:
        """What speaks against the exchange."""
        return self.wish.refusals(self.policy.products.exchange_window)

    @property
    def lines(self) -> JsonValue:
        """The goods for a counterpart."""
        return [line.model_dump() for line in self.wish.lines]
