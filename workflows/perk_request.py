"""perk-request: a customer asks for a gift or for free shipping."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import Waits
    from aftersales.commands import CommandType
    from aftersales.dispatching import still_to_send
    from aftersales.events import CustomerMessage, Message, OrderCancelled, OrderShipped, PerkRequested
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome
    from aftersales.perks import Offer, WhyNot

from workflows import commands
from workflows.case import Case


@workflow.defn(name="perk-request")
class PerkRequest(Case):
    """A customer asks for a small favour (`spec/processes.md` §15, `003 §14`).

    Where the rules allow it, it is given at once: a gift goes into the parcel with a mark in the order's note, or the
    freight that was paid is given back, each once an order. An order at a special price gets a polite no, and so does
    one that has had it before, has left or is too small for a gift, one whose freight is above the limit, and one for
    which there is nothing to give. Who asks again within the perk window, in whatever words, is decided by a
    supervisor, who may have a gift sent after an order that has left; where there is nothing to give a person answers.
    When no supervisor decides, the no stands, because a favour needs an approval. Who asks for the other perk instead
    gets it where the rules allow that one. Who stays silent, or leaves it at that, has been declined. A case gives one
    perk; who asks for more is answered by a person.

    Case id `perk-request/<order>`.
    """

    process = "perk-request"
    LETTERS = {
        "perk-granted": frozenset({"perk", "left", "refund"}),
        "perk-declined": frozenset({"perk", "why", "reply_by"}),
        "perk-closed": frozenset({"perk", "why"}),
    }
    WAITS = {"perk-declined": Waits("customer", "perks.perk_window", "the customer: it stays at the no")}
    HEARS = (Message, PerkRequested, OrderShipped, OrderCancelled)
    OPTIONS = {
        "accept": "the customer leaves it at the no; the case is closed",
        "insist": "the customer asks again; a supervisor decides",
        "approve": "the customer gets it all the same",
        "decline": "the customer is told that it stays at the no",
        "other": "the customer asks for something else: put the message on the list that a person reads",
    }

    refused: WhyNot | None = None
    """Why what the rules allow was not given: `given_before`, or `not_possible` where who was to do it refused."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.asked, self.parcels = cast(PerkRequested, opened.trigger), list[OrderShipped]()
        if self.arrived(OrderCancelled):
            return await self.decline("cancelled")
        if not self.why_not and await self.given():
            return await self.grant()
        by = self.until(self.policy.perks.perk_window)
        await self.send("perk-declined", perk=self.asked.perk, why=self.why_not, reply_by=by)
        match await self.next(Reply, PerkRequested, OrderCancelled, by=by):
            case Reply(intent="accept"):
                return await self.decline("accepted")
            case OrderCancelled():
                return await self.decline("cancelled")
            case Reply() | PerkRequested() as again:
                return await self.again(again)
            case _:
                return await self.finish("declined")

    async def again(self, again: Reply | PerkRequested) -> Outcome:
        """A customer who asks again: the rules once more, as it may be for another perk, else a supervisor."""
        if isinstance(again, PerkRequested):
            self.asked, self.refused = again, self.refused if again.perk == self.asked.perk else None
        if not self.offer.cost:
            await self.to_a_person(_as_message(again), f"asks again for {self.wish}, of which there is none to give")
            return await self.finish("declined")
        overruled = bool(self.why_not)
        match await self.overruled(again.text) if overruled else "approve":
            case "other":
                await self.to_a_person(_as_message(again), "the customer wrote of something else after our no")
                return await self.finish("declined")
            case "decline":
                return await self.decline("supervisor")
            case _:
                pass
        if self.arrived(OrderCancelled):
            return await self.decline("cancelled")
        if await self.given(overruled=overruled):
            return await self.grant()
        return await self.decline("not_possible")

    async def overruled(self, said: str) -> str:
        """What a supervisor says to a customer who asks again; when none decides, no."""
        offer = self.offer
        question = (
            f"The customer was told no and asks again for {self.wish}, which costs {offer.cost} {self.order.currency} "
            f"(why not: {self.why_not}): “{said[:1000]}”."
        )
        costs = {"approve": offer.cost}
        options = ("approve", "decline", "other")
        return await self.decision(question, *options, fallback="decline", role="supervisor", costs=costs)

    async def given(self, *, overruled: bool = False) -> bool:
        """Have it given; False where that was refused and no way was found, or the order has had it before."""
        cost = self.offer.cost
        if not overruled and await self.given_before():
            self.refused = "given_before"
            return False
        if self.asked.perk == "gift":
            note = "gift, to be sent after the order" if self.left else "gift"
            sku = self.policy.perks.gift_sku
            done = await self.command("add_gift", pays="gift", amount=cost, instead="decline", sku=sku, note=note)
        else:
            # The freight out is a part of the order's total, so it cannot be given back twice (rule 8).
            done = await self.command("waive_freight", pays="refund", amount=cost, instead="decline")
        self.refused = None if done else "not_possible"
        return bool(done)

    async def given_before(self) -> bool:
        """Whether the order has had this perk by an earlier case."""
        if not workflow.patched("a-perk-once-an-order"):
            return False
        command: CommandType = "add_gift" if self.asked.perk == "gift" else "waive_freight"
        return await commands.given_before(self, command)

    async def grant(self) -> Outcome:
        """Say what the customer gets."""
        refund = self.order.freight_paid if self.asked.perk == "free_shipping" else Decimal(0)
        await self.send("perk-granted", perk=self.asked.perk, left=self.left, refund=refund)
        return await self.finish("granted")

    async def decline(self, why: str) -> Outcome:
        """Say why it stays at the no."""
        await self.send("perk-closed", perk=self.asked.perk, why=why)
        return await self.finish("declined")

    async def finish(self, result: str) -> Outcome:
        """Close; what else the customer asked for meanwhile is read by a person."""
        while more := self.arrived(PerkRequested):
            await self.to_a_person(_as_message(more), f"the customer asks for more: {more.perk}")
        return await self.close(result)

    @property
    def offer(self) -> Offer:
        """What the rules say to the customer's wish."""
        limit = self.policy.operators.limit_in(self.order.currency)
        return self.policy.perks.offer(self.order, self.asked.perk, left=self.left, limit=limit)

    @property
    def why_not(self) -> str:
        """Why the customer does not get it; empty where the rules allow it and nobody refused to do it."""
        return self.refused or self.offer.why_not or ""

    @property
    def left(self) -> bool:
        """Whether all of the order has left."""
        while parcel := self.arrived(OrderShipped):
            self.parcels.append(parcel)
        return bool(self.order.dispatched_at) or not still_to_send(self.order, self.parcels)

    @property
    def wish(self) -> str:
        """What the customer asks for, as a person reads it."""
        return "a gift" if self.asked.perk == "gift" else "free shipping"


def _as_message(asked: Reply | PerkRequested) -> CustomerMessage | Reply:
    """What the customer asked for in the form of a message, which a person reads and the customer is told so."""
    if isinstance(asked, Reply):
        return asked
    return CustomerMessage(**asked.model_dump(include={"id", "source", "order_id", "time", "text"}))
