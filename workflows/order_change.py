"""order-change: the customer wants another address or other goods."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypeAlias, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import changing
    from aftersales.clocks import Waits
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
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome

from workflows import messages
from workflows.case import Case
from workflows.price_difference import difference, give_back_payments, settle
from workflows.under_way import intercept, redirect

Amended: TypeAlias = Literal["amended", "dispatched", "impossible", "cancelled"]
"""What became of the change in the warehouse."""

_DISPATCH = Waits("ours", "the order: promised_dispatch_by", "the shop: the order leaves late")
_CARRIER = Waits("carrier", "orders.carrier_change_window", "the customer: it is too late for the change")


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
    OPTIONS = {
        "accept": "the changed order is right for the customer",
        "insist": "the changed order is not right for the customer; you are asked next what to do about it",
        "amended": "the warehouse has changed the order: send it to the customer to confirm",
        "dispatched": "it has gone as it was: the carrier is asked to redirect or to stop the parcel",
        "impossible": "it stays as it was ordered: tell the customer that the change is not possible",
        "corrected": "you have put the order right by hand: tell the customer that it is changed",
        "keep": "the changed order stays as the warehouse has it now",
        "original": "the customer gets what was ordered at first, and pays no more for it",
        "changed": "the customer gets the changed order without paying the difference",
        "more": "the change costs the amount that you name more: the customer is asked to pay it",
        "less": "the change costs the amount that you name less: the customer gets it back",
        "even": "the change costs neither more nor less",
        "go_on": "go on although the warehouse does not hold the order, or let it go",
        "unpaid": "the payment cannot be asked for: you are asked next which order the customer gets",
        "leave": "the changed order stays; a person is told, who settles it with the customer",
        "too_late": "the carrier does not do it: tell the customer to exchange or return the goods",
        "refund": "it cannot be sent again: give the money for the order back",
    }
    WAITS = {
        "change-question": Waits(
            "customer", "orders.change_question_window", "the customer: the request lapses, and nothing is changed"
        ),
        "amending": Waits(
            "warehouse", "orders.amend_window", "the shop: the warehouse is asked, then an operator finds out"
        ),
        "change-confirm": Waits(
            "customer", "orders.change_confirm_window", "the customer: the changed order counts as confirmed"
        ),
        "change-payment": Waits(
            "customer", "orders.change_payment_window", "the customer: an operator decides, else there is no change"
        ),
        "redirecting": _CARRIER,
        "intercepting": _CARRIER,
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.begin(opened)
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
            return await redirect(self)
        return await intercept(self)

    def begin(self, opened: CaseOpened) -> None:
        """Nothing has left, and nothing was paid for the change."""
        self.asked = cast(ChangeRequested, opened.trigger)
        self.parcels: dict[str, OrderShipped] = {}
        self.held = self.stopped_on_its_way = False
        self.price = self.paid = Decimal(0)

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
            case Message() as words:
                await self.to_a_person(words, "the customer says in words what to change: enter it as a change")
                return "in_words"
            case _:
                return "unanswered"

    async def wished(self, by: datetime) -> Event | None:
        """A request that says what to change, by this moment; words are for a person, who enters them as one."""
        while isinstance(fact := await self.hear(ChangeRequested, Message, by=by), ChangeRequested):
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
        self.note_parcels()
        if self.arrived(OrderCancelled):
            return "cancelled"
        if missed and (answer := self.arrived(WarehouseAnswered)):
            return "amended" if answer.answer == "amended" else fallback
        return "dispatched" if self.left and decided == "impossible" else cast(Amended, decided)

    async def confirm(self) -> Outcome:
        """The new order for the customer to confirm, then the difference in price."""
        self.order = changing.changed(self.order, self.change)
        more, by = await difference(self), self.until(self.policy.orders.change_confirm_window)
        await self.send(
            "change-confirm",
            address=changing.address_of(self.change.address),
            items=[{"title": i.title, "quantity": i.quantity, "sku": i.sku} for i in self.order.items],
            charge=max(more, Decimal(0)),
            refund=max(-more, Decimal(0)),
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
        match await settle(self, more):
            case "original":
                return await self.restore("unpaid")
            case "cancelled":
                return await self.nothing_changed("cancelled")
            case "settled":
                return await self.changed(max(-more, Decimal(0)))

    async def objected(self, answer: Reply | ChangeRequested) -> str:
        """What an operator makes of a customer to whom the changed order is not right."""
        said = answer.text if isinstance(answer, Reply) else changing.in_words(answer.change)
        if isinstance(answer, ChangeRequested):
            self.heard(answer)
        question = f"The changed order is not right for the customer: “{said[:1000]}”. Corrected by hand, or what else?"
        back = () if self.left else ("original",)
        return await self.decision(question, "corrected", "keep", *back, fallback="keep" if self.left else "original")

    async def changed(self, refund: Decimal) -> Outcome:
        """The changed order stands; what was paid for it without need goes back."""
        if self.held:
            await self.command("release_order", instead="go_on", reason="payment")
        refund += await give_back_payments(self)
        address = changing.address_of(self.change.address)
        await self.send("change-done", how="amended", address=address, refund=refund)
        return await self.finish("changed")

    async def restore(self, why: str) -> Outcome:
        """Have the warehouse put the order back as it was; where it cannot, the changed one stands."""
        before = self.opened.order
        if not await self.command(
            "amend_order",
            instead="leave",
            address=changing.address_of(before.ship_to),
            lines=changing.lines_of(before),
        ):
            await self.tell(self.key("restore"), "the order could not be put back as it was")
            return await self.changed(Decimal(0))
        self.order = before
        if self.held:
            await self.command("release_order", instead="go_on", reason="payment")
        return await self.nothing_changed(why)

    async def nothing_changed(self, why: str, refund: Decimal = Decimal(0)) -> Outcome:
        """Close without the change; what was paid for it goes back. Words of the customer were answered already."""
        paid = await give_back_payments(self)
        if why != "in_words":
            await self.send("change-closed", why=why, refund=refund + paid)
        return await self.finish("lapsed")

    async def finish(self, result: str) -> Outcome:
        """Close; a request that came too late to be taken up goes to a person, with a word to the customer."""
        while late := self.arrived(ChangeRequested):
            await self.another(late)
        while self.arrived(WarehouseAnswered):
            continue
        return await self.close(result)

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
            self.clock("promised dispatch", None if self.left else self.order.promised_dispatch_by, _DISPATCH)
            fact = await self.next(
                *kinds, OrderCancelled, OrderShipped, Checkpoint, ChangeRequested, by=by, unclear="insist"
            )
            match fact:
                case OrderShipped(parcel=parcel):
                    self.parcels[parcel.parcel_no] = fact
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
        self.note_parcels()

    def note_parcels(self) -> None:
        """Take in the parcels that have left by now."""
        while shipped := self.arrived(OrderShipped):
            self.parcels[shipped.parcel.parcel_no] = shipped

    def take_over(self, newer: ChangeRequested) -> None:
        """The newest request is the one that counts."""
        self.heard(newer)
        if newer.happened_at >= self.asked.happened_at:
            self.asked = newer

    def heard(self, request: ChangeRequested) -> None:
        """A request is something that the customer says, and is owed an answer (rule 4)."""
        self.state.customer_wrote(min(request.happened_at, workflow.now()))

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
        return bool(self.order.dispatched_at or self.order.delivered_at or self.parcels)
