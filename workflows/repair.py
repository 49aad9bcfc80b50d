"""repair: the customer has a line of an order repaired."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import keeping, repairing
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
from workflows.values import link

Arrived = Literal["here", "not_shipped", "cancelled", "lost"]
"""What becomes of the item on its way to the repair centre."""
End = Literal["repaired", "not_repairable", "exchange", "refund", "send_back", "declined", "unpaid"]
"""How the work of the repair centre ends."""


@workflow.defn(name="repair")
class Repair(Case):
    """A customer has an item repaired (`spec/processes.md` §12, `003 §8`).

    The customer gets an RMA number and instructions, in warranty with a label, and has the ship-back window. The repair
    centre's steps are shown; while it is silent we ask it, then an operator decides. What is repaired goes back with
    its tracking number. What the warranty does not cover, by its date or by the centre's word, is explained and quoted:
    who accepts and pays inside the payment window has it repaired, else the item goes back as it is. What cannot be
    repaired, or was lost on its way, is replaced or refunded in warranty, as the customer chooses; who does not choose
    gets a new one. Out of warranty an operator decides that.

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
        Message,
        RepairRequested,
        RepairProgressed,
        ReturnReceived,
        Checkpoint,
        CarrierReplied,
        WarehouseAnswered,
        PaymentReceived,
        OrderCancelled,
    )

    rma = ""
    covered = False
    """Whether the warranty pays, as far as anybody knows."""
    came_first: RepairProgressed | None = None
    """A step that was the first we heard of the item's arrival."""
    paid, paid_by_shop, agreed = Decimal(0), Decimal(0), Decimal(0)
    """What the customer paid for the repair, what we took over, and the quote that was accepted."""
    tracking = ""
    none_left = False
    """Whether the warehouse has no new one."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.shown: set[Step] = set()
        self.covered = repairing.in_warranty(self.item, self.asked.happened_at)
        if not self.covered:
            await self.explain("ended" if self.item.warranty_until else "none")
        match await self.arrival():
            case "not_shipped" | "cancelled" as why:
                await self.send("repair-closed", item=self.item.title, reason=why)
                return await self.finish("not_shipped")
            case "lost":
                return await self.replace("lost")
            case "here":
                await self.begin()
        match await self.work():
            case "repaired":
                await self.send("repair-done", item=self.item.title, tracking_number=self.tracking)
                return await self.finish("repaired")
            case "declined" | "unpaid" | "send_back" as reason:
                return await self.send_back(reason)
            case how:
                return await self.replace(how)

    async def explain(self, why: Literal["ended", "none", "centre"]) -> None:
        """Say that the warranty does not cover the repair, and why."""
        until = self.item.warranty_until.isoformat() if self.item.warranty_until else ""
        await self.send("repair-not-covered", item=self.item.title, why=why, warranty_until=until)

    async def arrival(self) -> Arrived:
        """What becomes of the item; one that is here already needs no instructions."""
        self.rma = await self.command("create_rma", lines=self.lines, to="repair_centre")
        if self.arrived(ReturnReceived):
            return "here"
        label = await self.command("issue_return_label", rma=self.rma) if self.covered else ""
        by = self.until(self.policy.returns.ship_back_window)
        arrived: Arrived | None = await self.ask(
            "repair-instructions",
            self.returned,
            by=by,
            item=self.item.title,
            rma=self.rma,
            freight="shop" if self.covered else "customer",
            label_url=link(label),
            return_address=self.policy.returns.return_address,
            ship_by=by,
        )
        return arrived or "not_shipped"

    async def returned(self, by: datetime) -> Arrived | None:
        """What becomes of the item by this moment: its scans stop, it is traced, and without an answer it is lost."""
        moving, traced, delivered = False, False, False
        while True:
            match await self.next(ReturnReceived, RepairProgressed, Checkpoint, CarrierReplied, OrderCancelled, by=by):
                case ReturnReceived():
                    return "here"
                case RepairProgressed() as progress if self.is_ours(progress):
                    self.came_first = progress
                    return "here"
                case CarrierReplied(answer="lost"):
                    await self.command("file_carrier_claim", rma=self.rma)
                    return "lost"
                case Checkpoint(proves_dispatch=True) as scan:
                    moving, traced, delivered = True, False, delivered or scan.status == "delivered"
                    by = self.until(self.policy.parcels.lost_after)
                case OrderCancelled() if not moving:
                    return "cancelled"
                case OrderCancelled() as cancelled:
                    await self.to_a_person(cancelled, "the order was cancelled while the item was on its way to repair")
                case None if traced or not moving:
                    return "here" if delivered else "lost" if traced else None
                case None:
                    await self.command("ask_warehouse" if delivered else "carrier_trace", rma=self.rma)
                    traced, by = True, self.until(self.policy.parcels.carrier_answer_window)
                case _:
                    continue

    async def begin(self) -> None:
        """The item is here: have it repaired, or quoted where the warranty does not pay."""
        reports = [self.asked]
        while again := self.arrived(RepairRequested):
            reports.append(again)
        fault = " ".join(dict.fromkeys(filter(None, (report.fault for report in reports))))
        photos: list[JsonValue] = [photo for report in reports for photo in report.photos]
        scope = "repair" if self.covered else "quote"
        await self.command("repair", rma=self.rma, lines=self.lines, scope=scope, fault=fault, photos=photos)
        await self.show("received")

    async def work(self) -> End:
        """The repair centre's steps, until one ends the repair; a silent centre is asked, then an operator decides."""
        chased = False
        if self.came_first and (end := await self.step(self.came_first)):
            return end
        while True:
            products = self.policy.products
            window = products.repair_answer_window if chased else products.repair_silence
            match await self.next(RepairProgressed, WarehouseAnswered, OrderCancelled, within=window):
                case RepairProgressed() as progress if self.is_ours(progress):
                    chased = False
                    if end := await self.step(progress):
                        return end
                case WarehouseAnswered(answer="out_of_stock"):
                    self.none_left = True
                case WarehouseAnswered() as answer:
                    chased = False
                    if answer.answer == "missing_part":
                        await self.show("waiting_for_parts")
                case OrderCancelled() as cancelled:
                    await self.to_a_person(cancelled, "the order was cancelled while its item is being repaired")
                case None if chased:
                    if end := await self.after_silence():
                        return end
                    chased = False
                case None:
                    await self.command("ask_warehouse", rma=self.rma, question="repair")
                    chased = True
                case _:
                    continue

    def is_ours(self, progress: RepairProgressed) -> bool:
        """Whether a step is about this item; another repair of the order has another RMA number."""
        return progress.rma in ("", "*", self.rma)

    async def step(self, progress: RepairProgressed) -> End | None:
        """What one step of the repair centre means; an unknown one is only noted."""
        step = repairing.step_of(progress.step)
        self.note(f"the repair centre: {progress.step}" + (f", {progress.quote}" if progress.quote else ""))
        if progress.tracking_number and step in ("repaired", "shipped"):
            self.tracking = progress.tracking_number
            self.note(f"repaired, on its way to the customer with tracking number {self.tracking}")
        match step:
            case "not_repairable":
                return "not_repairable"
            case "shipped":
                return "repaired"
            case "repaired" if self.tracking:
                return "repaired"
            case "not_covered":
                await self.not_covered()
            case _:
                pass
        if progress.quote and progress.quote > self.agreed and step != "repaired":
            await self.not_covered()
            return await self.offer(progress.quote)
        if step and step not in ("quote", "not_covered"):
            await self.show(step)
        return None

    async def not_covered(self) -> None:
        """The centre says that the warranty does not pay; the customer is told once."""
        if self.covered:
            self.covered = False
            await self.explain("centre")

    async def show(self, step: Step) -> None:
        """Tell the customer how far the repair is, each step once."""
        if step not in self.shown:
            self.shown.add(step)
            await self.send("repair-progress", item=self.item.title, step=step)

    async def after_silence(self) -> End | None:
        """What an operator says where the centre stays silent; None waits on."""
        question = f"The repair centre is silent about {self.item.title} ({self.rma}), though asked. What now?"
        unrepaired = "exchange" if self.covered else "send_back"
        fallback = "repaired" if "repaired" in self.shown else unrepaired
        choice = await self.decision(question, "wait", "repaired", "exchange", "refund", "send_back", fallback=fallback)
        return None if choice == "wait" else cast(End, choice)

    async def offer(self, quote: Decimal) -> End | None:
        """A quote for the repair; who accepts it and pays has the item repaired, and we wait on."""
        by = self.until(self.policy.products.quote_window)
        due = quote - self.agreed
        match await self.ask("repair-quote", self.answer, by=by, item=self.item.title, quote=due, reply_by=by):
            case "accept":
                if unpaid := await self.payment(quote):
                    return unpaid
            case "shop_pays":
                self.paid_by_shop += due
            case None:
                return "unpaid"
            case _:
                return "declined"
        self.agreed = quote
        await self.command("repair", rma=self.rma, lines=self.lines, scope="repair", quote=quote)
        return None

    async def payment(self, quote: Decimal) -> End | None:
        """The customer pays what is open of the quote; None once it is paid, and what was too much goes back."""
        due = quote - self.paid_by_shop
        if self.paid < due:
            got = await payments.collect(
                self, "repair-payment", "repair-payment-reminder", due, paid=self.paid, item=self.item.title
            )
            self.paid = got.amount
            if self.paid < due:
                return "declined" if got.stopped else "unpaid"
        if self.paid > due:
            await payments.give_back(self, self.paid - due)
            self.paid = due
        return None

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
                case Reply(intent="unclear", text=text):
                    question = (
                        f"The customer wrote about the quote for {self.item.title}: “{text[:1000]}”. What is meant?"
                    )
                    return await self.decision(question, "accept", "decline", "shop_pays", fallback="accept")
                case Reply(intent=intent):
                    return intent
                case _:
                    return "decline"

    async def send_back(self, why: str) -> Outcome:
        """The item goes back to the customer as it is, and with it what was paid."""
        tracking = await self.command("send_back", rma=self.rma, lines=self.lines)
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
            case "cancelled":
                await self.repay()
                await self.send("repair-closed", item=self.item.title, reason="cancelled")
                return await self.finish("refunded")
            case "close":
                await self.send("repair-closed", item=self.item.title, reason="lost")
                return await self.finish("not_shipped")
            case _:
                return await self.send_back("not_repairable")

    async def solution(self, why: str) -> str:
        """In warranty the customer chooses, and who does not gets a new one; else an operator decides."""
        if not self.covered:
            keep = "close" if why == "lost" else "send_back"
            question = f"{self.item.title} is out of warranty and {why.replace('_', ' ')}. What does the customer get?"
            return await self.decision(question, keep, "exchange", "refund", fallback=keep)
        if self.out_of_stock():
            return "refund"
        by = self.until(self.policy.products.solution_window)
        await self.send("repair-solution", item=self.item.title, reason=why, choose_by=by)
        match await self.next(Reply, OrderCancelled, by=by, unclear="reship"):
            case OrderCancelled(refunded=True):
                return "cancelled"
            case OrderCancelled() | Reply(intent="refund"):
                return "refund"
            case _:
                return "exchange"

    async def exchange(self) -> Outcome:
        """Send a new item, or the money where it is out of stock."""
        value = keeping.line_value(self.opened.order, self.item)
        if self.out_of_stock() or not await self.command(
            "reship", pays="reship", amount=value, instead="refund", lines=self.lines
        ):
            return await self.refund()
        await self.send("repair-replaced", item=self.item.title, refund=await self.repay())
        return await self.finish("exchanged")

    def out_of_stock(self) -> bool:
        """Whether the warehouse has told us that it has no new one."""
        while answer := self.arrived(WarehouseAnswered):
            self.none_left |= answer.answer == "out_of_stock"
        return self.none_left

    async def refund(self) -> Outcome:
        """Pay back what the customer paid for the item, and for its repair."""
        amount = keeping.line_refund(self.opened.order, self.item)
        await self.command("refund", pays="refund", amount=amount, lines=self.lines)
        await self.send("repair-refunded", item=self.item.title, refund=amount + await self.repay())
        return await self.finish("refunded")

    async def finish(self, result: str) -> Outcome:
        """Close; what the warranty pays for is a fault of the product."""
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
