"""order-change: the customer wants another address or other goods."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import changing, deadlines
    from aftersales.consignment import consignment
    from aftersales.events import (
        CarrierIntercepted,
        CarrierRedirected,
        ChangeRequested,
        Checkpoint,
        Event,
        Message,
        OrderCancelled,
        OrderShipped,
        PaymentReceived,
        WarehouseAnswered,
    )
    from aftersales.events import OrderChange as Change
    from aftersales.money import rounded
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome
    from aftersales.payments import meant_for

from workflows import messages
from workflows.case import Case
from workflows.payments import give_back
from workflows.values import link

Amended = Literal["amended", "dispatched", "impossible", "cancelled"]
"""What became of the change in the warehouse."""
Stopped = Literal["ok", "refused", "silent", "delivered", "cancelled"]
"""What the carrier made of a parcel that we wanted stopped or redirected."""
Settled = Literal["settled", "unpaid", "cancelled"]
"""What became of the difference in price."""


@dataclass
class Known:
    """What the case has learnt: parcels that left, payments that came and the price they are for."""

    parcels: dict[str, OrderShipped] = field(default_factory=dict)
    paid: Decimal = Decimal(0)
    price: Decimal = Decimal(0)
    held: bool = False


@workflow.defn(name="order-change")
class OrderChange(Case):
    """A customer wants the order changed (`spec/processes.md` §8, `003 §6`).

    Before dispatch the warehouse amends the order, and the customer gets the new one to confirm; silence confirms it,
    an objection is settled by an operator. After dispatch only the address can change: the carrier is asked to
    redirect the parcel. Other goods need the parcel stopped: once the carrier has intercepted it, the changed order is
    shipped again and the difference in price is settled, paid by the customer inside a window or given back; who does
    not pay gets the original order. A parcel that cannot be stopped or redirected, or has been delivered, is too late:
    the customer is told to use an exchange or a return. Where the order leaves while the warehouse amends it, it is
    treated as dispatched. The newest request counts as long as nothing is commanded, later ones go to a person.

    Case id `order-change/<order>`.
    """

    process = "order-change"
    LETTERS = {
        "change-question": frozenset({"answer_by"}),
        "change-question-reminder": frozenset({"answer_by"}),
        "change-confirm": frozenset({"address", "items", "charge", "refund", "reply_by"}),
        "change-payment": frozenset({"charge", "payment_url", "pay_by"}),
        "change-payment-reminder": frozenset({"charge", "payment_url", "pay_by"}),
        "change-done": frozenset({"how", "address", "refund"}),
        "change-address-only": frozenset({"address"}),
        "change-too-late": frozenset({"why", "lines_asked"}),
        "change-closed": frozenset({"why", "refund"}),
    }
    HEARS = (
        Message,
        ChangeRequested,
        OrderCancelled,
        OrderShipped,
        Checkpoint,
        WarehouseAnswered,
        CarrierIntercepted,
        CarrierRedirected,
        PaymentReceived,
    )

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.asked, self.known = cast(ChangeRequested, opened.trigger), Known()
        if why := await self.unclear():
            return await self.nothing_changed(why)
        match "dispatched" if self.left else await self.amended():
            case "amended":
                return await self.confirm()
            case "impossible" | "cancelled" as why:
                return await self.nothing_changed(why)
            case "dispatched":
                pass
        if self.order.delivered_at:
            return await self.too_late("delivered")
        if self.change.address:
            return await self.redirect()
        return await self.intercept()

    async def unclear(self) -> str:
        """Why nothing can be changed yet: the request does not say what to change, and the customer does not either."""
        await self.newest()
        if not self.vague:
            return ""
        by = self.until(self.policy.orders.change_question_window)
        match await self.ask("change-question", self.wished, by=by, answer_by=by):
            case OrderCancelled():
                return "cancelled"
            case ChangeRequested():
                return ""
            case _:
                return "unanswered"

    async def wished(self, by: datetime) -> Event | None:
        """A request that says what to change, by this moment."""
        while isinstance(fact := await self.hear(ChangeRequested, by=by), ChangeRequested):
            self.take_over(fact)
            if not self.vague:
                return fact
        return fact

    async def amended(self) -> Amended:
        """Have the warehouse change the order; where it does not answer, it is asked, then an operator."""
        self.enter("amending")
        wanted = changing.changed(self.opened.order, self.change)
        if not await self.command(
            "amend_order",
            instead="dispatched",
            address=changing.address_of(wanted.ship_to),
            lines=changing.lines_of(wanted),
        ):
            return "dispatched"
        window = self.policy.orders.amend_window
        answer = await self.hear(WarehouseAnswered, OrderShipped, by=self.until(window))
        if answer is None and not self.left:
            await self.command("ask_warehouse", question="amended")
            answer = await self.hear(WarehouseAnswered, OrderShipped, by=self.until(window))
        match answer:
            case OrderCancelled():
                return "cancelled"
            case WarehouseAnswered(answer="amended"):
                return "amended"
            case WarehouseAnswered(answer="out_of_stock" | "missing_part" as reason):
                return await self.found_out(f"The warehouse cannot change the order: {reason}", fallback="impossible")
            case None if self.left:
                return "dispatched"
            case None:
                return await self.found_out("The warehouse does not say whether it changed", fallback="dispatched")
            case _:
                return "dispatched"

    async def found_out(self, what: str, *, fallback: Amended) -> Amended:
        """What an operator learns from the warehouse; an answer that comes meanwhile counts where nobody decides."""
        question = f"{what}. What became of the order: changed, gone as it was, or neither?"
        decided = await self.decision(question, "amended", "dispatched", "impossible", fallback=fallback)
        missed = not self.state.decisions[-1].by
        if self.arrived(OrderCancelled):
            return "cancelled"
        if missed and (answer := self.arrived(WarehouseAnswered)):
            return "amended" if answer.answer == "amended" else fallback
        return cast(Amended, decided)

    async def confirm(self) -> Outcome:
        """The new order for the customer to confirm, then the difference in price."""
        self.order = changing.changed(self.order, self.change)
        difference, by = await self.difference(), self.until(self.policy.orders.change_confirm_window)
        await self.send(
            "change-confirm",
            address=changing.address_of(self.change.address),
            items=[{"title": i.title, "quantity": i.quantity, "sku": i.sku} for i in self.order.items],
            charge=max(difference, Decimal(0)),
            refund=max(-difference, Decimal(0)),
            reply_by=by,
        )
        answer = await self.hear(Reply, ChangeRequested, by=by)
        if isinstance(answer, OrderCancelled):
            return await self.nothing_changed("cancelled")
        if isinstance(answer, ChangeRequested) or (isinstance(answer, Reply) and answer.intent != "accept"):
            match await self.objected(answer):
                case "original":
                    return await self.restore("restored")
                case "corrected":
                    return await self.changed(Decimal(0))
                case _:
                    self.note("the changed order stays as it is")
        match await self.settled(difference):
            case "unpaid" if not self.left and await self.unpaid() == "original":
                return await self.restore("unpaid")
            case "cancelled":
                return await self.nothing_changed("cancelled")
            case "settled" | "unpaid":
                pass
        return await self.changed(max(-difference, Decimal(0)))

    async def objected(self, answer: Reply | ChangeRequested) -> str:
        """What an operator makes of a customer to whom the changed order is not right."""
        said = answer.text if isinstance(answer, Reply) else _in_words(answer.change)
        if isinstance(answer, ChangeRequested):
            self.heard(answer)
        question = f"The changed order is not right for the customer: “{said[:1000]}”. Corrected by hand, or what else?"
        back = () if self.left else ("original",)
        return await self.decision(question, "corrected", "keep", *back, fallback="keep" if self.left else "original")

    async def settled(self, difference: Decimal) -> Settled:
        """Settle the difference in price: give it back, or have it paid; an order that is here waits for that."""
        if difference < 0:
            await self.command("refund", pays="refund", amount=-difference, purpose=self.ref.case_id)
        if difference <= 0:
            return "settled"
        if not self.left:
            self.known.held = bool(await self.command("hold_order", instead="go_on", reason="payment"))
        purpose, self.known.price = self.ref.case_id, difference
        asked = await self.command("request_payment", amount=difference, purpose=purpose, instead="unpaid")
        if not asked:
            return "unpaid"
        by = self.until(self.policy.orders.change_payment_window)
        url = link(asked)
        paid = await self.ask("change-payment", self.payment, by=by, charge=difference, payment_url=url, pay_by=by)
        if isinstance(paid, OrderCancelled):
            return "cancelled"
        return "settled" if paid else "unpaid"

    async def payment(self, by: datetime) -> Event | None:
        """The payment that makes up the difference, by this moment; it may come in parts."""
        while isinstance(fact := await self.hear(PaymentReceived, by=by), PaymentReceived):
            if await self.takes(fact):
                return fact
        return fact

    async def takes(self, payment: PaymentReceived) -> bool:
        """Count a payment for this change; whether the difference is paid with it, which may then be spent (rule 8)."""
        whose = meant_for(payment.purpose, self.ref.case_id)
        if whose == "this" or (whose == "unknown" and payment.amount == self.known.price):
            self.known.paid += payment.amount
        elif whose == "unknown":
            await self.to_a_person(payment, f"a payment of {payment.amount} for “{payment.purpose[:200]}”")
        if self.known.paid < self.known.price:
            return False
        self.order = self.order.model_copy(update={"total": self.opened.order.total + self.known.price})
        self.known.paid -= self.known.price
        return True

    async def unpaid(self) -> str:
        """What an operator says to a difference that was not paid; the original order when none decides."""
        question = f"The customer has not paid {self.known.price} {self.order.currency} for the changed order."
        decided = await self.decision(question, "original", "changed", fallback="original")
        while payment := self.arrived(PaymentReceived):
            if await self.takes(payment):
                return "changed"
        return decided

    async def changed(self, refund: Decimal) -> Outcome:
        """The changed order stands."""
        await self.release()
        address = changing.address_of(self.change.address)
        await self.send("change-done", how="amended", address=address, refund=refund)
        return await self.finish("changed")

    async def restore(self, why: str) -> Outcome:
        """Have the warehouse put the order back as it was."""
        self.order = self.opened.order
        if not await self.command(
            "amend_order",
            instead="leave",
            address=changing.address_of(self.order.ship_to),
            lines=changing.lines_of(self.order),
        ):
            await self.tell(self.key("restore"), "the order could not be put back as it was")
        await self.release()
        return await self.nothing_changed(why)

    async def release(self) -> None:
        """Let an order go on that waited for its payment."""
        if self.known.held:
            await self.command("release_order", instead="go_on", reason="payment")

    async def redirect(self) -> Outcome:
        """The new address for the parcel; goods that were asked for too have to wait for an exchange or a return."""
        address = changing.address_of(self.change.address)
        match await self.stopped("redirect", CarrierRedirected):
            case "cancelled":
                return await self.nothing_changed("cancelled")
            case "ok" if self.change.lines:
                await self.send("change-address-only", address=address)
                return await self.finish("redirected")
            case "ok":
                await self.send("change-done", how="redirected", address=address, refund=Decimal(0))
                return await self.finish("redirected")
            case why:
                return await self.too_late(why)

    async def intercept(self) -> Outcome:
        """Other goods: the parcel is stopped and the changed order sent; the original one where it is not paid for."""
        match await self.stopped("intercept", CarrierIntercepted):
            case "cancelled":
                return await self.nothing_changed("cancelled")
            case "refused" | "silent" | "delivered" as why:
                return await self.too_late(why)
            case "ok":
                pass
        difference = await self.difference()
        match await self.settled(difference):
            case "cancelled":
                return await self.nothing_changed("cancelled")
            case "unpaid" if await self.unpaid() == "original":
                return await self.reship_original()
            case "settled" | "unpaid":
                pass
        self.order = changing.changed(self.order, self.change)
        if not await self.reship():
            return await self.money_back()
        refund = max(-difference, Decimal(0))
        await self.send("change-done", how="reshipped", address=None, refund=refund)
        return await self.finish("intercepted_reshipped")

    async def stopped(
        self, name: Literal["redirect", "intercept"], kind: type[CarrierIntercepted] | type[CarrierRedirected]
    ) -> Stopped:
        """Have the carrier redirect or stop the parcels; it is nudged at half of its window."""
        self.enter(f"{name}ing")
        parcels: list[JsonValue] = [consignment(shipped) for shipped in self.known.parcels.values()]
        address = changing.address_of(self.change.address)
        if not await self.command(name, instead="too_late", parcels=parcels, address=address):
            return "refused"
        by = self.until(self.policy.orders.carrier_change_window)
        half, asked = deadlines.half(workflow.now(), by), set(self.known.parcels)
        while True:
            match await self.hear(kind, by=min(half, by)):
                case OrderCancelled():
                    return "cancelled"
                case Checkpoint():
                    return "delivered"
                case None if half < by:
                    await self.command("nudge_carrier", parcels=parcels, question=name)
                    half = by
                case None:
                    return "silent"
                case CarrierIntercepted() | CarrierRedirected() as answer if asked and answer.parcel_no not in asked:
                    self.note(f"parcel {answer.parcel_no} is none that we wait for")
                case CarrierIntercepted(ok=False) | CarrierRedirected(ok=False):
                    if len(asked) < len(self.known.parcels):
                        await self.tell(self.key("parcels"), f"the carrier took {name} for a part of the parcels only")
                    return "refused"
                case CarrierIntercepted() | CarrierRedirected() as answer:
                    asked.discard(answer.parcel_no)
                    if not asked:
                        return "ok"
                case _:
                    continue

    async def reship(self) -> str:
        """Ship the order as it stands now; its reference, or nothing where that is not possible."""
        value = rounded(changing.goods_of(self.order), self.order.currency)
        return await self.command(
            "reship",
            pays="reship",
            amount=value,
            instead="refund",
            address=changing.address_of(self.order.ship_to),
            lines=changing.lines_of(self.order),
        )

    async def reship_original(self) -> Outcome:
        """Ship again what was bought."""
        if not await self.reship():
            return await self.money_back()
        return await self.nothing_changed("unpaid_reshipped")

    async def money_back(self) -> Outcome:
        """A stopped order that cannot be shipped again: its money goes back."""
        rest = self.opened.order.total - self.state.amounts.get("refund", Decimal(0))
        await self.command("refund", pays="refund", amount=rest)
        return await self.nothing_changed("refunded", rest)

    async def nothing_changed(self, why: str, refund: Decimal = Decimal(0)) -> Outcome:
        """Close without the change; what was paid for it goes back."""
        paid = await self.give_back_payments()
        await self.send("change-closed", why=why, refund=refund + paid)
        return await self.finish("lapsed")

    async def finish(self, result: str) -> Outcome:
        """Close; a request that came too late to be taken up goes to a person, with a word to the customer."""
        await self.give_back_payments()
        while late := self.arrived(ChangeRequested):
            await self.another(late)
        while self.arrived(WarehouseAnswered):
            continue
        return await self.close(result)

    async def give_back_payments(self) -> Decimal:
        """Give back what the customer paid without need; how much that is."""
        paid, self.known.paid = self.known.paid, Decimal(0)
        if paid:
            await give_back(self, paid)
        return paid

    async def another(self, request: ChangeRequested) -> None:
        """A further request, while one is under way, is for a person."""
        self.heard(request)
        await self.to_a_person(request, "the customer asked for another change while one is under way")
        await messages.acknowledge(self)

    async def too_late(self, why: str) -> Outcome:
        """Tell what is still possible once the parcel has come."""
        await self.send("change-too-late", why=why, lines_asked=bool(self.change.lines))
        return await self.finish("too_late")

    async def hear(self, *kinds: type[Event], by: datetime) -> Event | None:
        """The next of these facts, a cancellation or a delivery; parcels are noted on the way.

        A further request of the customer, where none is awaited, goes to a person.
        """
        while True:
            fact = await self.next(
                *kinds, OrderCancelled, OrderShipped, Checkpoint, ChangeRequested, by=by, unclear="insist"
            )
            match fact:
                case OrderShipped(parcel=parcel):
                    self.known.parcels[parcel.parcel_no] = fact
                    if OrderShipped in kinds:
                        return fact
                case ChangeRequested() if ChangeRequested not in kinds:
                    await self.another(fact)
                case Checkpoint(status="delivered") if CarrierIntercepted in kinds or CarrierRedirected in kinds:
                    return fact
                case Checkpoint():
                    continue
                case _:
                    return fact

    async def newest(self) -> None:
        """Take over requests and parcels that are here already, before anything is commanded."""
        while newer := self.arrived(ChangeRequested):
            self.take_over(newer)
        while shipped := self.arrived(OrderShipped):
            self.known.parcels[shipped.parcel.parcel_no] = shipped

    def take_over(self, newer: ChangeRequested) -> None:
        """The newest request is the one that counts."""
        self.heard(newer)
        if newer.happened_at >= self.asked.happened_at:
            self.asked = newer

    def heard(self, request: ChangeRequested) -> None:
        """A request is something that the customer says, and is owed an answer (rule 4)."""
        self.state.customer_wrote(min(request.happened_at, workflow.now()))

    async def difference(self) -> Decimal:
        """What the changed order costs more or less; an operator says it where a new product came without a price."""
        known = changing.difference(self.opened.order, self.change)
        if known is not None:
            return rounded(known, self.order.currency)
        question = f"The customer wants {_in_words(self.change)}. What does it cost more (less)?"
        more = await self.decision(question, "more", "less", "even", fallback="even", most=self.order.total)
        named = self.state.decisions[-1].amount or Decimal(0)
        return {"more": named, "less": -named}.get(more, Decimal(0))

    @property
    def change(self) -> Change:
        """What the customer wants."""
        return self.asked.change

    @property
    def vague(self) -> bool:
        """Whether the request does not say what to change, or leaves nothing of the order."""
        return changing.is_empty(self.change) or changing.takes_all_out(self.opened.order, self.change)

    @property
    def left(self) -> bool:
        """Whether the order has been dispatched."""
        return bool(self.order.dispatched_at or self.order.delivered_at or self.known.parcels)


def _in_words(change: Change) -> str:
    """A change for the question of an operator."""
    goods = [f"{line.quantity} × {line.wanted_sku or 'line ' + line.line_id}" for line in change.lines]
    to = [f"to {change.address.line1}, {change.address.city}"] if change.address else []
    return ", ".join([*goods, *to]) or "something that is not said"
