"""exchange: the customer wants the same goods once more, or others instead."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import exchanging
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
    from aftersales.exchanging import Refusal
    from aftersales.money import goods_value, paid_for
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome
    from aftersales.units import format_duration

from workflows import payments
from workflows.case import Case
from workflows.values import Value, link

Back = ReturnReceived | Literal["lost", "not_shipped", "cancelled"]
"""What becomes of the goods on their way to us."""
Price = Literal["settled", "unpaid", "out_of_stock", "cancelled"]
"""How a price difference ends."""


@workflow.defn(name="exchange")
class Exchange(Case):
    """A customer wants goods exchanged (`spec/processes.md` §11, `003 §9`).

    Goods can be exchanged inside the exchange window, unopened and with their labels on; those that are our fault
    always. Who may not is told why, and what was sent in all the same goes back as it came; an objection is for an
    operator. Who may gets an RMA number and instructions, with a label where it is our fault, and has the ship-back
    window. What comes back other than described, without fault of ours, is for an operator. The same product then
    leaves on receipt; for another one the customer pays the difference inside the payment window, or gets the goods
    back, or is paid the difference. Where the wanted goods are out of stock, an operator says whether the customer
    waits; when none does, the money goes back. Goods lost on their way back count as received.

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
        Message,
        ExchangeRequested,
        ReturnReceived,
        Checkpoint,
        CarrierReplied,
        WarehouseAnswered,
        PaymentReceived,
        OrderCancelled,
    )

    fault_found = False
    """Whether an operator found that it is our fault."""
    reason_known = False
    rma = ""
    cancelled: OrderCancelled | None = None
    """That the order was cancelled while we had the goods, or they were on their way to us."""
    extra, returned_difference, repaid_freight = Decimal(0), Decimal(0), Decimal(0)
    """What the customer paid on top, and what we paid: the difference to cheaper goods, and an advanced freight."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.asked = cast(ExchangeRequested, opened.trigger)
        if self.refusals and not await self.granted_after_all():
            return await self.finish("not_eligible")
        goods = await self.goods()
        if goods in ("not_shipped", "cancelled"):
            await self.say_closed(str(goods))
            return await self.finish("not_shipped")
        if isinstance(goods, ReturnReceived) and not await self.passes(goods):
            await self.send_back("differs", goods)
            return await self.finish("not_eligible")
        if await self.out_of_stock():
            return await self.refund("out_of_stock")
        match await self.price():
            case "settled":
                return await self.ship()
            case "unpaid" if goods != "lost":
                await self.send_back("unpaid")
                return await self.finish("unpaid")
            case why:
                return await self.refund("lost" if why == "unpaid" else why)

    async def granted_after_all(self) -> bool:
        """Say why the goods cannot be exchanged; whether a new request or an operator changes that.

        Goods that are here, or come, go back as they came.
        """
        by = self.until(self.policy.products.refusal_window)
        await self.refuse()
        while True:
            match await self.next(ReturnReceived, ExchangeRequested, Reply, OrderCancelled, by=by):
                case ReturnReceived() as received:
                    await self.send_back("as_it_came", received)
                    return False
                case ExchangeRequested() as again:
                    self.asked = again
                    if not self.refusals:
                        return True
                    await self.refuse()
                case Reply(intent="accept"):
                    await self.say_closed("kept")
                    return False
                case Reply() as objection:
                    if await self.allowed(objection.text):
                        return True
                    await self.send("exchange-refusal-stands", item=self.item)
                case _:
                    return False

    async def refuse(self) -> None:
        """The letter with the concrete reasons."""
        window = format_duration(self.policy.products.exchange_window)
        reasons: list[JsonValue] = [*self.refusals]
        await self.send("exchange-not-eligible", item=self.item, reasons=reasons, window=window)

    async def allowed(self, objection: str) -> bool:
        """What an operator says to an objection; when none decides, the refusal stands: an exception is a favour."""
        choice = await self.decision(
            f"{self.item} cannot be exchanged ({', '.join(self.refusals)}). The customer says: “{objection[:1000]}”. "
            "Is it our fault after all, an exception, or does it stand?",
            "our_fault",
            "exchange",
            "refuse",
            fallback="refuse",
        )
        self.fault_found, self.reason_known = choice == "our_fault", True
        return choice != "refuse"

    async def goods(self) -> Back:
        """What becomes of the goods; those that are here already need no instructions."""
        if early := self.arrived(ReturnReceived):
            return early
        self.rma = await self.command("create_rma", lines=self.lines)
        by = self.until(self.policy.returns.ship_back_window)
        back: Back | None = await self.ask(
            "exchange-instructions",
            self.returned,
            by=by,
            item=self.item,
            wanted=self.wanted,
            rma=self.rma,
            freight=self.freight,
            label_url=await self.label(),
            return_address=self.policy.returns.return_address,
            ship_by=by,
        )
        return back or "not_shipped"

    async def label(self) -> str:
        """The link to a prepaid label where the way back is ours to pay."""
        return link(await self.command("issue_return_label", rma=self.rma)) if self.our_fault else ""

    async def returned(self, by: datetime) -> Back | None:
        """What becomes of the goods by this moment; those that are on their way have until their scans stop."""
        moving = False
        while True:
            said = (Message,) if self.freight == "open" else ()
            match await self.next(
                ReturnReceived, Checkpoint, CarrierReplied, ExchangeRequested, OrderCancelled, *said, by=by
            ):
                case ReturnReceived() as received:
                    return received
                case CarrierReplied(answer="lost"):
                    await self.command("file_carrier_claim", rma=self.rma)
                    return "lost"
                case Checkpoint(proves_dispatch=True):
                    moving, by = True, self.until(self.policy.parcels.lost_after)
                case OrderCancelled() if not moving:
                    return "cancelled"
                case OrderCancelled() as cancelled:
                    self.cancelled = cancelled
                case ExchangeRequested() as again:
                    await self.wish_again(again)
                case Message() as message:
                    await self.reason_given(message)
                case None if moving:
                    await self.command("carrier_trace", rma=self.rma)
                    return "lost"
                case None:
                    return None
                case _:
                    continue

    async def reason_given(self, message: Message) -> None:
        """A customer who gave no reason writes: whose the way back is, when nobody decides ours."""
        choice = await self.decision(
            f"Asked why {self.item} is exchanged, the customer wrote: “{message.text[:1000]}”. Is it our fault?",
            "our_fault",
            "no_fault",
            "no_reason",
            fallback="our_fault",
        )
        if choice == "no_reason":
            await self.to_a_person(message, "the customer wrote about an exchange and gave no reason for it")
            return
        self.fault_found, self.reason_known = choice == "our_fault", True
        label = await self.label()
        await self.send("exchange-shipping", item=self.item, rma=self.rma, freight=self.freight, label_url=label)

    async def wish_again(self, again: ExchangeRequested) -> None:
        """The customer asks anew, for something else or with a reason: the newest wish counts."""
        before = self.freight
        self.asked = again if again.reason else again.model_copy(update={"reason": self.asked.reason})
        await self.send("exchange-wish-noted", item=self.item, wanted=self.wanted, rma=self.rma)
        if self.freight != before:
            label = await self.label()
            await self.send("exchange-shipping", item=self.item, rma=self.rma, freight=self.freight, label_url=label)

    async def passes(self, received: ReturnReceived) -> bool:
        """Whether the exchange goes on with goods as they were found; what is our fault may be in any state."""
        if self.our_fault:
            if received.freight_receipt:
                self.repaid_freight = received.freight_receipt
                await self.command(
                    "pay_compensation", pays="freight", amount=self.repaid_freight, purpose="return_freight"
                )
            return True
        if not received.findings:
            return True
        question = (
            f"The warehouse found: {', '.join(received.findings)}. Photos: {', '.join(received.photos) or 'none'}. "
            f"Go on with the exchange of {self.item}, or send it back?"
        )
        return await self.decision(question, "go_on", "send_back", fallback="go_on") == "go_on"

    async def out_of_stock(self) -> bool:
        """Whether the wanted goods cannot be had; an operator may let the customer wait for them."""
        none = self.none_left()
        if none is None:
            return False
        until = f", until {none.until:%Y-%m-%d}" if none.until else ""
        question = f"{self.wanted or self.item} is out of stock{until}. Money back, or does the customer wait?"
        if await self.decision(question, "refund", "wait", fallback="refund") == "refund":
            return True
        soon = none.until if none.until and none.until > workflow.now() else None
        by = soon or self.until(self.policy.products.restock_window)
        await self.send("exchange-delayed", item=self.item, wanted=self.wanted, waits_until=by)
        return not await self.waits(by)

    def none_left(self) -> WarehouseAnswered | None:
        """The warehouse's word that it does not have the wanted goods."""
        while answer := self.arrived(WarehouseAnswered):
            if answer.answer == "out_of_stock":
                return answer
        return None

    async def waits(self, by: datetime) -> bool:
        """Whether the customer waits until this moment; then it is tried again to send the goods."""
        while True:
            match await self.next(WarehouseAnswered, OrderCancelled, Reply, by=by, unclear="accept"):
                case None:
                    return True
                case WarehouseAnswered(answer="out_of_stock") | OrderCancelled() | Reply(intent="decline"):
                    return False
                case Reply(angry=True) as angry:
                    await self.to_a_person(angry, "an angry customer, who waits for goods out of stock")
                case _:
                    continue

    async def price(self) -> Price:
        """Settle what the wanted goods cost more or less than those that came back."""
        if cancelled := self.cancelled or self.arrived(OrderCancelled):
            return await self.after_cancellation(cancelled)
        difference = await self.difference()
        if difference < 0:
            self.returned_difference = -difference
            await self.command("refund", pays="refund", amount=-difference, purpose="price_difference")
        return "settled" if difference <= 0 else await self.payment(difference)

    async def difference(self) -> Decimal:
        """What the wanted goods cost more; where nobody named their price, an operator says it."""
        known = exchanging.price_difference(self.opened.order, self.asked)
        if known is not None:
            return known
        question = (
            f"What does {self.asked.wanted_sku} cost beside {self.value} {self.order.currency} for {self.item}? Name "
            "the difference as the amount."
        )
        most = self.value
        choice = await self.decision(question, "same", "more", "less", fallback="same", most=most)
        named = self.state.decisions[-1].amount or Decimal(0)
        return {"more": named, "less": -named}.get(choice, Decimal(0))

    async def payment(self, difference: Decimal) -> Price:
        """The customer pays the difference; what came of it in part, or too much, goes back."""
        got = await payments.collect(
            self,
            "pay-difference",
            "pay-difference-reminder",
            difference,
            WarehouseAnswered,
            paid=Decimal(0),
            item=self.item,
            wanted=self.wanted,
        )
        if got.amount >= difference:
            self.extra = difference
            if got.amount > difference:
                await payments.give_back(self, got.amount - difference)
            return "settled"
        self.extra = got.amount
        match got.stopped:
            case WarehouseAnswered():
                return "out_of_stock"
            case OrderCancelled() as cancelled:
                return await self.after_cancellation(cancelled)
            case _:
                return "unpaid"

    async def after_cancellation(self, cancelled: OrderCancelled) -> Price:
        """The order was cancelled while we have the goods: an operator says whether they or the money go back.

        Where the shop has paid the money back itself, the goods stay with us.
        """
        self.cancelled = cancelled
        if cancelled.refunded:
            return "cancelled"
        question = f"The order was cancelled while we have {self.item} for an exchange. Refund it, or send it back?"
        choice = await self.decision(question, "refund", "send_back", fallback="refund")
        return "cancelled" if choice == "refund" else "unpaid"

    async def ship(self) -> Outcome:
        """Send the wanted goods, or the money where they cannot be sent."""
        worth = self.value - self.returned_difference
        sku = self.asked.wanted_sku
        if not await self.command("reship", pays="reship", amount=worth, instead="refund", lines=self.lines, sku=sku):
            return await self.refund("out_of_stock")
        refund, freight = self.returned_difference, self.repaid_freight
        await self.send("exchange-sent", item=self.item, wanted=self.wanted, refund=refund, freight=freight)
        return await self.finish("exchanged")

    async def refund(self, reason: str) -> Outcome:
        """Pay back what the customer paid for the goods, and on top of it."""
        amount = paid_for(self.opened.order, exchanging.exchanged_lines(self.opened.order, self.asked))
        amount -= self.returned_difference
        if self.extra:
            await payments.give_back(self, self.extra)
        if self.cancelled and self.cancelled.refunded:
            await self.say_closed("cancelled")
            return await self.finish("refunded")
        await self.command("refund", pays="refund", amount=amount, lines=self.lines)
        await self.send("exchange-refunded", item=self.item, reason=reason, refund=amount + self.extra)
        return await self.finish("refunded")

    async def send_back(self, reason: str, received: ReturnReceived | None = None) -> None:
        """The goods go back to the customer, and with them what was paid on top."""
        tracking = await self.command("send_back", rma=self.rma, lines=self.lines)
        if self.extra:
            await payments.give_back(self, self.extra)
        await self.say_closed(reason, received, tracking)

    async def say_closed(self, reason: str, received: ReturnReceived | None = None, tracking: str = "") -> None:
        """The letter with which an exchange that does not take place ends."""
        shown = received if reason == "differs" else None
        said: dict[str, Value] = {
            "findings": list(shown.findings) if shown else [],
            "photos": list(shown.photos) if shown else [],
        }
        await self.send(
            "exchange-closed", item=self.item, reason=reason, tracking_number=tracking, refund=self.extra, **said
        )

    async def finish(self, result: str) -> Outcome:
        """Close with the cause that the customer's reason names."""
        cause = exchanging.cause(self.asked.reason, our_fault=self.our_fault)
        return await self.close(result, cause=cause, at_fault=self.our_fault)

    @property
    def refusals(self) -> list[Refusal]:
        """What speaks against the exchange."""
        return exchanging.refusals(self.opened.order, self.asked, self.policy.products.exchange_window)

    @property
    def our_fault(self) -> bool:
        """Whether what is wrong with the goods is our fault."""
        return self.fault_found or self.asked.reason in exchanging.OUR_FAULT

    @property
    def freight(self) -> Literal["shop", "customer", "open"]:
        """Who pays the way back; open as long as nobody knows why the goods come back (rule 1)."""
        if self.our_fault:
            return "shop"
        return "customer" if self.asked.reason or self.reason_known else "open"

    @property
    def item(self) -> str:
        """The goods that come back, in words."""
        named = [line.line_id for line in self.asked.lines]
        return ", ".join(item.title for item in self.opened.order.lines(named))

    @property
    def wanted(self) -> str:
        """The other product that the customer wants, empty where it is the same."""
        return "" if exchanging.same_product(self.opened.order, self.asked) else self.asked.wanted_sku.strip()

    @property
    def value(self) -> Decimal:
        """What the customer paid for the goods, without freight."""
        return goods_value(self.opened.order, exchanging.exchanged_lines(self.opened.order, self.asked))

    @property
    def lines(self) -> JsonValue:
        """The goods for a counterpart."""
        lines = exchanging.exchanged_lines(self.opened.order, self.asked)
        return [line.model_dump() for line in lines]
