"""late-dispatch: an order cannot leave, because its region is blocked."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import blocked
    from aftersales.clocks import Waits
    from aftersales.events import DispatchBlocked, Event, Message, OrderCancelled, OrderShipped, PlatformDecided
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome

from workflows.case import Case
from workflows.unsent import left_all_the_same

End = Literal[
    "exempted", "penalised", "other_carrier", "compensation", "refund", "called_off", "shipped", "turned", "ready"
]
"""How a part of the way ends. `turned`: other carriers are blocked now; `ready`: the exemption can be filed."""

_PLATFORM = Waits(
    "platform", "orders.platform_window", "the shop: an operator finds out; unknown, it counts as penalised"
)
_FILING = Waits("platform", "dispatch.blocked: platform_deadline", "the shop: no exemption is granted any more")


@workflow.defn(name="late-dispatch")
class LateDispatch(Case):
    """A region cannot be served, and an order for it is late (`spec/processes.md` §7, `004 §2.1`).

    Where all usual carriers are blocked, the platform is asked for an exemption, with the proof and before its
    deadline: granted, the late order is no fault of ours, else it is penalised. An operator is asked for missing proof;
    shortly before the deadline the exemption is filed without it. Where only some are blocked, there is no exemption:
    the customer chooses another carrier, compensation for waiting, or the money back; silence means the other carrier,
    at no cost. In both cases the region goes on the no-sale list until the block ends. The event may come again with
    another deadline, more proof or other carriers, and turns one case into the other while nothing is settled.

    Case id `late-dispatch/<order>`.
    """

    process = "late-dispatch"
    LETTERS = {
        "dispatch-blocked": frozenset({"region", "carriers", "proof"}),
        "other-carrier-offer": frozenset({"region", "carriers", "proof", "carrier", "compensation", "reply_by"}),
        "other-carrier-agreed": frozenset({"carrier"}),
        "dispatch-compensation": frozenset({"compensation"}),
        "dispatch-cancelled": frozenset({"refund"}),
        "dispatch-resumed": frozenset(),
    }
    HEARS = (Message, DispatchBlocked, PlatformDecided, OrderShipped, OrderCancelled)
    OPTIONS = {
        "other_carrier": "the warehouse sends the order by the other carrier, at no cost to the customer",
        "compensation": "pay the customer the compensation; the order waits until the region is served again",
        "refund": "give the customer the whole amount of the order back; one that can be stopped is cancelled",
        "exempted": "the platform has granted the exemption: the case closes without a penalty",
        "penalised": "there is no exemption: the case closes as a late dispatch that counts against us",
        "wait": "wait for the proof until the date above; the exemption is then filed with what is there",
        "file": "file the exemption now, without proof",
        "approve": "offer the customer this amount",
        "limit": "offer the customer only what needs no approval",
        "settled": "the money is back already: only tell the customer that the order is cancelled",
        "refund_anyway": "give the money back although the warehouse has not stopped the order",
        "leave": "the region goes on being sold to; the case goes on without this",
    }
    WAITS = {
        "dispatch-blocked": Waits("ours", "orders.exemption_lead", "the shop: the exemption is filed without proof"),
        "exemption": _PLATFORM,
        "dispatch-resumed": _PLATFORM,
        "other-carrier-offer": Waits(
            "customer", "returns.reply_window", "the customer: the order goes by the other carrier"
        ),
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.block = cast(DispatchBlocked, opened.trigger)
        self.our_date, self.refunded = self.until(self.policy.orders.exemption_window), False
        self.filed = False
        while True:
            self.catch_up()
            self.show_date()
            match await (self.exemption() if blocked.all_blocked(self.block) else self.offer()):
                case "exempted":
                    return await self.close("exempted", cause="logistics")
                case "penalised":
                    return await self.close("penalised", cause="logistics", at_fault=True)
                case "other_carrier":
                    return await self.other_carrier()
                case "compensation":
                    return await self.compensate()
                case "refund":
                    return await self.cancel()
                case "called_off":
                    return await self.called_off()
                case "shipped":
                    return await self.resumed()
                case "turned" | "ready":
                    continue

    async def exemption(self) -> End:
        """No usual carrier serves the region: file the exemption in time, and await the platform's decision."""
        if (end := await self.proof()) != "ready":
            return end
        await self.tell_of_the_block()
        filed_under = await self.file()
        self.filed = True
        self.show_date()
        await self.restrict()
        if not filed_under:
            return "penalised"
        self.enter("exemption")
        filed, by = self.block.proof, self.until(self.policy.orders.platform_window)
        while fact := await self.hear(PlatformDecided, by=by):
            match fact:
                case OrderCancelled():
                    return "called_off"
                case PlatformDecided(granted=granted):
                    return "exempted" if granted else "penalised"
                case DispatchBlocked() if self.block.proof != filed:
                    await self.file()
                    filed = self.block.proof
                case OrderShipped() if self.state.done.get("letter:dispatch-resumed") is None:
                    await self.send("dispatch-resumed")
                case _:
                    continue
        question = "The platform has not said whether the exemption is granted. What does it say there?"
        decided = await self.decision(question, "exempted", "penalised", fallback="penalised")
        if not self.state.decisions[-1].by and (late := self.decided()):
            return "exempted" if late.granted else "penalised"
        return cast(End, decided)

    async def proof(self) -> End:
        """Wait for missing proof, at most until the exemption must be filed; an operator is asked for it."""
        if self.block.proof or workflow.now() >= self.file_by:
            return "ready"
        await self.restrict()
        await self.tell_of_the_block()
        question = (
            f"There is no proof yet that {self.block.region} is blocked. Send dispatch.blocked again with it until "
            f"{self.file_by:%Y-%m-%d %H:%M %Z}; or file the exemption without it now?"
        )
        by = min(self.file_by, self.until(self.policy.operators.operator_window))
        decided = await self.decision(question, "wait", "file", fallback="wait", by=by)
        self.catch_up()
        while not self.block.proof and decided == "wait" and blocked.all_blocked(self.block):
            match await self.hear(PlatformDecided, by=self.file_by):
                case None:
                    break
                case OrderCancelled():
                    return "called_off"
                case OrderShipped():
                    return "shipped"
                case PlatformDecided(granted=granted):
                    return "exempted" if granted else "penalised"
                case _:
                    continue
        return "ready" if blocked.all_blocked(self.block) else "turned"

    async def file(self) -> str:
        """File the exemption with all proof; its reference, or nothing where it is refused for good."""
        return await self.command(
            "file_exemption",
            instead="penalised",
            region=self.block.region,
            carriers=list(self.block.carriers_blocked),
            proof=list(self.block.proof),
        )

    async def offer(self) -> End:
        """Some carriers still serve the region: the customer chooses; who stays silent gets the other carrier."""
        await self.agree_on_compensation()
        by = self.until(self.policy.returns.reply_window)
        await self.send(
            "other-carrier-offer",
            **self.evidence,
            carrier=self.carrier,
            compensation=self.compensation,
            reply_by=by,
        )
        await self.restrict()
        while fact := await self.hear(Reply, by=by):
            match fact:
                case OrderCancelled():
                    return "called_off"
                case OrderShipped():
                    return "shipped"
                case Reply(intent=intent):
                    return self.overtaken() or cast(End, intent)
                case _:
                    if blocked.all_blocked(self.block):
                        return "turned"
        return "other_carrier"

    async def agree_on_compensation(self) -> None:
        """What the customer is offered for waiting; above the limit a supervisor approves it, else the limit counts."""
        amount = blocked.compensation(self.opened.order, self.policy.orders.dispatch_compensation)
        limit = self.policy.operators.limit_in(self.order.currency)
        if amount > limit:
            question = f"Offer {amount} {self.order.currency} to a customer who waits for a blocked order?"
            costs = {"approve": amount, "limit": limit}
            if await self.decision(question, "approve", "limit", fallback="limit", costs=costs) == "limit":
                amount = limit
        self.compensation = amount

    def overtaken(self) -> End | None:
        """What has become of the order while a person decided: facts beat what was decided without them."""
        if cancelled := self.arrived(OrderCancelled):
            self.refunded = cancelled.refunded
            return "called_off"
        return "shipped" if self.arrived(OrderShipped) else None

    async def other_carrier(self) -> Outcome:
        """Have the warehouse send the order by another carrier; where that is not possible, the compensation."""
        carrier = self.carrier
        if not await self.command("amend_order", instead="compensation", carrier=carrier, reason="dispatch_blocked"):
            match self.overtaken():
                case "called_off":
                    return await self.called_off()
                case "shipped":
                    return await self.resumed()
                case _:
                    return await self.compensate()
        await self.send("other-carrier-agreed", carrier=carrier)
        return await self.close("other_carrier", cause="logistics", at_fault=True)

    async def resumed(self) -> Outcome:
        """It has left after all."""
        await self.send("dispatch-resumed")
        return await self.close("other_carrier", cause="logistics", at_fault=True)

    async def compensate(self) -> Outcome:
        """Pay for the waiting; the order leaves as soon as it can."""
        if self.compensation:
            await self.command("pay_compensation", pays="compensation", amount=self.compensation)
        await self.send("dispatch-compensation", compensation=self.compensation)
        return await self.close("compensated", cause="logistics", at_fault=True)

    async def cancel(self) -> Outcome:
        """The customer would rather have the money; one that has left cannot be stopped, and a person sees to it."""
        stopped = await self.command("cancel_order", instead="refund_anyway", reason="dispatch_blocked")
        if not stopped and self.arrived(OrderShipped):
            await left_all_the_same(self)
            return await self.resumed()
        return await self.refund()

    async def called_off(self) -> Outcome:
        """The order was cancelled elsewhere: the money is back, or an operator knows it; when none does, we pay."""
        question = "The order was cancelled while it was blocked. Refund it, or is the money back already?"
        if not self.refunded and await self.decision(question, "refund", "settled", fallback="refund") == "refund":
            return await self.refund()
        await self.send("dispatch-cancelled", refund=Decimal(0))
        return await self.close("cancelled_refunded", cause="logistics", at_fault=True)

    async def refund(self) -> Outcome:
        """Pay back all that the customer paid."""
        amount = self.opened.order.total
        await self.command("refund", pays="refund", amount=amount)
        await self.send("dispatch-cancelled", refund=amount)
        return await self.close("cancelled_refunded", cause="logistics", at_fault=True)

    async def restrict(self) -> None:
        """Put the region on the no-sale list, once."""
        if self.state.done.get("restrict_region") is None:
            await self.command("restrict_region", instead="leave", region=self.block.region, until="block_ends")

    async def tell_of_the_block(self) -> None:
        """Tell the customer once that the order cannot leave yet."""
        if self.state.done.get("letter:dispatch-blocked") is None:
            await self.send("dispatch-blocked", **self.evidence)

    async def hear(self, *kinds: type[Event], by: datetime) -> Event | None:
        """The next of these facts, or what changes the block or the order; the block is known with it."""
        while True:
            fact = await self.next(
                *kinds, DispatchBlocked, OrderShipped, OrderCancelled, by=by, unclear="other_carrier"
            )
            match fact:
                case PlatformDecided(subject="review_appeal"):
                    continue
                case DispatchBlocked():
                    self.learn(fact)
                    return fact
                case OrderCancelled(refunded=refunded):
                    self.refunded = refunded
                    return fact
                case _:
                    return fact

    def catch_up(self) -> None:
        """Take in what is known of the block by now."""
        while again := self.arrived(DispatchBlocked):
            self.learn(again)

    def learn(self, again: DispatchBlocked) -> None:
        """The event came again: another date, more proof, other carriers."""
        self.block = blocked.latest(self.block, again)
        self.show_date()

    def show_date(self) -> None:
        """Show the platform's date while an exemption is still to be filed."""
        runs = blocked.all_blocked(self.block) and not self.filed
        self.clock("filing", self.block.platform_deadline if runs else None, _FILING)

    def decided(self) -> PlatformDecided | None:
        """The platform's decision about the exemption, where it is here."""
        while decided := self.arrived(PlatformDecided):
            if decided.subject == "exemption":
                return decided
        return None

    @property
    def evidence(self) -> dict[str, JsonValue]:
        """The facts of the block, for a letter."""
        carriers: list[JsonValue] = [*self.block.carriers_blocked]
        return {"region": self.block.region, "carriers": carriers, "proof": [*self.block.proof]}

    @property
    def carrier(self) -> str:
        """The carrier that is offered instead; empty where none is known by name."""
        return next(iter(blocked.free_carriers(self.block)), "")

    @property
    def file_by(self) -> datetime:
        """When the exemption is filed at the latest."""
        return blocked.file_by(self.block, self.policy.orders.exemption_lead, self.our_date)
