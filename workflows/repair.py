"""repair: the customer has a line of an order repaired."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import keeping, repairing
    from aftersales.clocks import Waits
    from aftersales.events import (
        CarrierReplied,
        Checkpoint,
        Message,
        OrderCancelled,
        PaymentReceived,
        RepairProgressed,
        RepairRequested,
        ReturnReceived,
        WarehouseAnswered,
    )
    from aftersales.opening import CaseOpened, Reply
    from aftersales.order import Item
    from aftersales.outcome import Outcome
    from aftersales.repairing import Step

from workflows import payments
from workflows.case import Case
from workflows.goods import Fate, WayBack, none_left

End = Literal["repaired", "not_repairable", "exchange", "refund", "send_back", "declined", "unpaid", "cancelled"]
"""How the work of the repair centre ends."""

_CENTRE = Waits(
    "warehouse", "products.repair_silence", "the customer: waits on, while the centre is asked, then an operator"
)


@workflow.defn(name="repair")
class Repair(Case):
    """A customer has an item repaired (`spec/processes.md` §12, `003 §8`).

    The customer gets an RMA number and instructions, in warranty with a label, and has the ship-back window. The repair
    centre's steps are shown; while it is silent we ask it, then an operator decides. What is repaired goes back with
    its tracking number. What the warranty does not cover, by its date or by the centre's word, is explained and quoted:
    who accepts and pays inside the payment window has it repaired, else the item goes back as it is. What cannot be
    repaired, or was lost on its way, is replaced or refunded in warranty, as the customer chooses; who does not choose
    gets a new one. Out of warranty an operator decides that. An item that was lost and that we make good is claimed
    from its carrier. Money that the shop paid back itself, because the order was cancelled, is not paid again.

    Case id `repair/<order>/<line id>`.
    """

    process = "repair"
    LETTERS = {
        "repair-not-covered": frozenset({"item", "why", "warranty_until"}),
        "repair-instructions": frozenset({"item", "rma", "freight", "label_url", "return_address", "ship_by"}),
        "repair-instructions-reminder": frozenset({"item", "rma", "ship_by"}),
        "repair-progress": frozenset({"item", "step"}),
        "repair-quote": frozenset({"item", "quote", "reply_by"}),
        "repair-quote-reminder": frozenset({"item", "quote", "reply_by"}),
        "repair-payment": frozenset({"item", "amount", "payment_url", "pay_by"}),
        "repair-payment-reminder": frozenset({"item", "amount", "payment_url", "pay_by"}),
        "repair-done": frozenset({"item", "tracking_number"}),
        "repair-sent-back": frozenset({"item", "reason", "tracking_number", "refund"}),
        "repair-solution": frozenset({"item", "reason", "choose_by"}),
        "repair-replaced": frozenset({"item", "refund"}),
        "repair-refunded": frozenset({"item", "refund"}),
        "repair-closed": frozenset({"item", "reason"}),
    }
    HEARS = (
        *(Message, RepairRequested, RepairProgressed, PaymentReceived, OrderCancelled),
        *(ReturnReceived, Checkpoint, CarrierReplied, WarehouseAnswered),
    )
    OPTIONS = {
        "wait": "ask the repair centre once more and go on waiting for it",
        "repaired": "the item is repaired and on its way: tell the customer so; no tracking number is known",
        "exchange": "send the customer a new item; where there is none, pay back its price",
        "refund": "pay back what the customer paid for the item, and for its repair",
        "send_back": "send the item back to the customer as it is, with what was paid for the repair",
        "close": "the customer gets nothing for the lost item; our letter says to ask the carrier who took it",
        "accept": "the customer wants the repair at this price: wait for the payment, asking for it first if need be",
        "decline": "the customer does not want to pay for the repair: the item goes back as it is",
        "shop_pays": "we pay the quote: the repair goes on, and the customer pays nothing of it",
        "reship": "the customer wants a new item: send one; where there is none, pay back its price",
    }
    WAITS = {
        "repair-instructions": Waits(
            "customer",
            "returns.ship_back_window",
            "the customer: there is no repair, unless the item is on its way",
        ),
        "repair-not-covered": _CENTRE,
        "repair-progress": _CENTRE,
        "repair-quote": Waits(
            "customer", "products.quote_window", "the customer: unless it is accepted, the item goes back as it is"
        ),
        "repair-payment": Waits(
            "customer", "products.payment_window", "the customer: unless it is paid, the item goes back as it is"
        ),
        "repair-solution": Waits(
            "customer", "products.solution_window", "the customer: a new item is sent, or the money where there is none"
        ),
    }

    covered = False
    """Whether the warranty pays, as far as anybody knows."""
    paid, paid_by_shop, agreed = Decimal(0), Decimal(0), Decimal(0)
    """What the customer paid for the repair, what we took over, and the quote that was accepted."""
    tracking = ""
    none_left = False
    """Whether the warehouse has no new one."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.shown: set[Step] = set()
        self.way = WayBack(self)
        self.covered = repairing.in_warranty(self.item, self.asked.happened_at)
        if not self.covered:
            await self.explain("ended" if self.item.warranty_until else "none")
        match await self.arrival():
            case "not_shipped" | "cancelled" as why:
                await self.send("repair-closed", item=self.item.title, reason=why)
                return await self.finish("not_shipped")
            case "lost":
                return await self.replace("lost")
            case first:
                await self.begin()
        match await self.work(first):
            case "repaired":
                await self.send("repair-done", item=self.item.title, tracking_number=self.tracking)
                return await self.finish("repaired")
            case "declined" | "unpaid" | "cancelled" | "send_back" as reason:
                return await self.send_back(reason)
            case how:
                return await self.replace(how)

    async def explain(self, why: Literal["ended", "none", "centre"]) -> None:
        """Say that the warranty does not cover the repair, and why."""
        until = self.item.warranty_until.isoformat() if self.item.warranty_until else ""
        await self.send("repair-not-covered", item=self.item.title, why=why, warranty_until=until)

    async def arrival(self) -> Fate | RepairProgressed | Literal["not_shipped"]:
        """What becomes of the item; one that is here already needs no instructions."""
        rma = await self.command("create_rma", lines=self.lines, to="repair_centre")
        here = self.way.here()
        said = await self.way.instructions(rma, keeping.whole_line(self.item), prepaid=self.covered and not here)
        if here:
            return "here"
        said |= {"item": self.item.title, "freight": "shop" if self.covered else "customer"}
        by = cast(datetime, said["ship_by"])
        fate: Fate | RepairProgressed | None = await self.ask("repair-instructions", self.returned, by=by, **said)
        return fate or "not_shipped"

    async def returned(self, by: datetime) -> Fate | RepairProgressed | None:
        """What becomes of the item by this moment; a step of the repair centre may be the first that we hear of it."""
        while True:
            match await self.way.next(RepairProgressed, by=by):
                case RepairProgressed() as progress if not self.is_ours(progress):
                    continue
                case fate:
                    return cast(Fate | RepairProgressed | None, fate)

    async def begin(self) -> None:
        """The item is here: have it repaired, or quoted where the warranty does not pay."""
        reports = [self.asked]
        while again := self.arrived(RepairRequested):
            reports.append(again)
        fault = " ".join(dict.fromkeys(filter(None, (report.fault for report in reports))))
        photos: list[JsonValue] = [photo for report in reports for photo in report.photos]
        scope = "repair" if self.covered else "quote"
        await self.command("repair", rma=self.way.rma, lines=self.lines, scope=scope, fault=fault, photos=photos)
        await self.show("received")
        if self.way.cancelled:
            await self.cancel(self.way.cancelled)

    async def work(self, first: object) -> End:
        """The repair centre's steps, until one ends the repair; a silent centre is asked, then an operator decides."""
        chased, products = False, self.policy.products
        if isinstance(first, RepairProgressed) and (end := await self.step(first)):
            return end
        while True:
            window = products.repair_answer_window if chased else products.repair_silence
            if self.WAITS.get(self.state.stage) is not _CENTRE:
                self.clock("repair centre", self.until(window), _CENTRE)
            fact = await self.next(RepairProgressed, WarehouseAnswered, OrderCancelled, within=window)
            self.clock("repair centre", None, _CENTRE)
            match fact:
                case RepairProgressed() as progress if self.is_ours(progress):
                    chased = False
                    if end := await self.step(progress):
                        return end
                case WarehouseAnswered(answer="out_of_stock"):
                    self.none_left = True
                case WarehouseAnswered(answer=answer):
                    chased = False
                    if answer == "missing_part":
                        await self.show("waiting_for_parts")
                case OrderCancelled() as cancelled:
                    await self.cancel(cancelled)
                case None if chased:
                    if end := await self.after_silence():
                        return end
                    chased = False
                case None:
                    await self.command("ask_warehouse", rma=self.way.rma, question="repair")
                    chased = True
                case _:
                    continue

    def is_ours(self, progress: RepairProgressed) -> bool:
        """Whether a step is about this item; another repair of the order has another RMA number."""
        return progress.rma in ("", self.way.rma)

    async def step(self, progress: RepairProgressed) -> End | None:
        """What one step of the repair centre means; an unknown one is only noted."""
        step = repairing.step_of(progress.step)
        self.note(f"the repair centre: {progress.step}" + (f", {progress.quote}" if progress.quote else ""))
        if progress.tracking_number and step in ("repaired", "shipped"):
            self.tracking = progress.tracking_number
            self.note(f"repaired, on its way to the customer with tracking number {self.tracking}")
        if step == "not_repairable":
            return "not_repairable"
        if step == "shipped" or (step == "repaired" and self.tracking):
            return "repaired"
        quote = progress.quote if progress.quote and progress.quote > self.agreed and step != "repaired" else None
        if self.covered and (quote or step == "not_covered"):
            self.covered = False
            await self.explain("centre")
        if quote:
            return await self.offer(quote)
        if step and step not in ("quote", "not_covered"):
            await self.show(step)
        return None

    async def show(self, step: Step) -> None:
        """Tell the customer how far the repair is, each step once."""
        if step not in self.shown:
            self.shown.add(step)
            await self.send("repair-progress", item=self.item.title, step=step)

    async def after_silence(self) -> End | None:
        """What an operator says where the centre stays silent; None waits on."""
        question = f"The repair centre is silent about {self.item.title} ({self.way.rma}), though asked. What now?"
        unrepaired = "exchange" if self.covered else "send_back"
        fallback = "repaired" if "repaired" in self.shown else unrepaired
        choice = await self.decision(question, "wait", "repaired", "exchange", "refund", "send_back", fallback=fallback)
        return None if choice == "wait" else cast(End, choice)

    async def offer(self, quote: Decimal) -> End | None:
        """A quote for the repair; who accepts it and pays has the item repaired, and we wait on."""
        by, due = self.until(self.policy.products.quote_window), quote - self.agreed
        end: End | None = None
        match await self.ask("repair-quote", self.answer, by=by, item=self.item.title, quote=due, reply_by=by):
            case "accept":
                end = await self.payment(quote - self.paid_by_shop)
            case "shop_pays":
                self.paid_by_shop += due
            case None:
                end = "unpaid"
            case said:
                end = "cancelled" if said == "cancelled" else "declined"
        if not end:
            self.agreed = quote
            await self.command("repair", rma=self.way.rma, lines=self.lines, scope="repair", quote=quote)
        return end

    async def payment(self, due: Decimal) -> End | None:
        """The customer pays what is open of a quote; None once it is paid."""
        letters, said = ("repair-payment", "repair-payment-reminder"), {"item": self.item.title}
        got = await payments.collect(self, letters, said, due, paid=self.paid)
        self.paid = got.amount
        if self.paid >= due:
            return None
        refused: End = "cancelled" if isinstance(got.stopped, OrderCancelled) else "declined"
        return refused if got.stopped else "unpaid"

    async def answer(self, by: datetime) -> str | None:
        """What the customer says to the quote; who pays at once accepts it, and what nobody can read is asked."""
        while True:
            match await self.next(Reply, PaymentReceived, OrderCancelled, by=by):
                case None:
                    return None
                case PaymentReceived() as payment:
                    if counts := await payments.counted(self, payment):
                        self.paid += counts
                        return "accept"
                case Reply(intent="unclear", text=said):
                    question = (
                        f"The customer wrote about the quote for {self.item.title}: “{said[:1000]}”. What is meant?"
                    )
                    return await self.decision(question, "accept", "decline", "shop_pays", fallback="accept")
                case Reply(intent=intent):
                    return intent
                case _:
                    return "cancelled"

    async def send_back(self, why: str) -> Outcome:
        """The item goes back to the customer as it is, and with it what was paid."""
        tracking = await self.command("send_back", rma=self.way.rma, lines=self.lines)
        refund = await self.repay()
        await self.send("repair-sent-back", item=self.item.title, reason=why, tracking_number=tracking, refund=refund)
        return await self.finish("sent_back")

    async def repay(self) -> Decimal:
        """Give back what the customer paid for a repair that is not made; returns how much it was."""
        if self.paid:
            await payments.give_back(self, self.paid)
        return self.paid

    async def replace(self, why: Literal["lost", "not_repairable", "exchange", "refund"]) -> Outcome:
        """A new item or the money for one that cannot be repaired or was lost."""
        match await self.solution(why) if why in ("lost", "not_repairable") else why:
            case "exchange":
                return await self.exchange()
            case "refund":
                return await self.refund()
            case "close":
                await self.send("repair-closed", item=self.item.title, reason="lost")
                return await self.finish("not_shipped")
            case _:
                return await self.send_back("not_repairable")

    async def solution(self, why: str) -> str:
        """In warranty the customer chooses, and who does not gets a new one; else an operator decides."""
        if not self.covered:
            keep = "close" if self.way.loss else "send_back"
            question = f"{self.item.title} is out of warranty and {why.replace('_', ' ')}. What does the customer get?"
            return await self.decision(question, keep, "exchange", "refund", fallback=keep)
        if self.way.cancellation() or self.out_of_stock():
            return "refund"
        by = self.until(self.policy.products.solution_window)
        await self.send("repair-solution", item=self.item.title, reason=why, choose_by=by)
        match await self.next(Reply, OrderCancelled, by=by, unclear="reship"):
            case OrderCancelled() as cancelled:
                self.way.cancelled = cancelled
                return "refund"
            case Reply(intent="refund"):
                return "refund"
            case _:
                return "exchange"

    async def cancel(self, cancelled: OrderCancelled) -> None:
        """The order is cancelled while we have the item: the repair goes on, and a person is told."""
        self.way.cancelled = cancelled
        await self.to_a_person(cancelled, "the order was cancelled while its item is being repaired")

    def out_of_stock(self) -> bool:
        """Whether the warehouse has told us that it has no new one."""
        self.none_left |= none_left(self) is not None
        return self.none_left

    async def exchange(self) -> Outcome:
        """Send a new item, or the money where it is out of stock or nobody wants it any more."""
        value = keeping.line_value(self.opened.order, self.item)
        money = self.way.cancellation() or self.out_of_stock()
        if money or not await self.command("reship", pays="reship", amount=value, instead="refund", lines=self.lines):
            return await self.refund()
        await self.send("repair-replaced", item=self.item.title, refund=await self.repay())
        return await self.finish("exchanged")

    async def refund(self) -> Outcome:
        """Pay back what the customer paid for the item, unless the shop has done so itself, and for its repair."""
        if (cancelled := self.way.cancellation()) and cancelled.refunded:
            await self.repay()
            await self.send("repair-closed", item=self.item.title, reason="cancelled")
            return await self.finish("refunded")
        amount = keeping.line_refund(self.opened.order, self.item)
        await self.command("refund", pays="refund", amount=amount, lines=self.lines)
        await self.send("repair-refunded", item=self.item.title, refund=amount + await self.repay())
        return await self.finish("refunded")

    async def finish(self, result: str) -> Outcome:
        """Close; what the warranty pays for is a fault of the product, and what we make good is claimed."""
        if result != "not_shipped":
            await self.way.claim()
        at_fault = self.covered and result != "not_shipped"
        return await self.close(result, cause="product" if self.covered else "customer", at_fault=at_fault)

    @property
    def asked(self) -> RepairRequested:
        """The customer's request."""
        return cast(RepairRequested, self.opened.trigger)

    @property
    def item(self) -> Item:
        """The line to be repaired."""
        return self.opened.order.lines([self.asked.line_id])[0]

    @property
    def lines(self) -> JsonValue:
        """The line for a counterpart."""
        return [line.model_dump() for line in keeping.whole_line(self.item)]
