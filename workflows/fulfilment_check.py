"""fulfilment-check: a paid order is looked at before the warehouse gets it, and watched until it leaves."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Literal, TypeAlias, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import Waits
    from aftersales.dispatching import Sending, promised_by
    from aftersales.events import (
        DispatchOverdue,
        Event,
        ExpediteRequested,
        Message,
        OrderCancelled,
        OrderShipped,
        OrderUpdated,
    )
    from aftersales.opening import CaseOpened, Reply
    from aftersales.order import Address
    from aftersales.outcome import Outcome
    from aftersales.serving import Problem, area_of, problem_of, says_more

from workflows.case import Case
from workflows.unsent import left_all_the_same, pay_back, stop

Answer: TypeAlias = Literal["corrected", "asked_anew", "refused", "cancelled", "shipped"]
"""What became of an order that was held."""
Left: TypeAlias = Literal["shipped", "overdue", "expedited", "asked_anew", "cancelled"]
"""What became of an order that was released; `asked_anew` where it was changed into one that cannot be sent."""

_CORRECTION = Waits(
    "customer", "orders.address_window", "the customer: an operator decides, else the order is cancelled"
)


@workflow.defn(name="fulfilment-check")
class FulfilmentCheck(Case):
    """A paid order is checked before the warehouse gets it (`spec/processes.md` §9, `003 §7`).

    With its contact data complete and its area served it is released at once, with a note where another warehouse
    serves a remote area. Otherwise it is held and the customer is asked: to complete the address, or where we do not
    deliver to name another one or take the money back. A corrected order is checked again and released; words of the
    customer are read by an operator, as is silence at the end of the window; when none decides, the order is cancelled
    and refunded. Released, it is watched until it has left. One that has not left by the promised time goes to
    expedite before the customer asks, and the case closes, as it does when the customer asks first.

    Case id `fulfilment-check/<order>`.
    """

    process = "fulfilment-check"
    LETTERS = {
        "address-question": frozenset({"missing", "reply_by"}),
        "address-question-reminder": frozenset({"missing", "reply_by"}),
        "area-not-served": frozenset({"place", "reply_by"}),
        "area-not-served-reminder": frozenset({"place", "reply_by"}),
        "order-goes-on": frozenset({"dispatch_by"}),
        "unsent-order-refunded": frozenset({"refund"}),
    }
    HEARS = (Message, OrderUpdated, OrderCancelled, OrderShipped, ExpediteRequested)
    OPTIONS = {
        "other_address": "the customer names another address, or is asked for it",
        "cancel": "cancel the order and give the customer all the money for what has not left back",
        "corrected": "the address is good as it stands, with what the customer wrote: the order goes to the warehouse",
        "wait": "go on waiting for the corrected order; the message goes on the list that a person reads",
        "ask_again": "send the question to the customer once more, with a new window",
        "ask_anyway": "ask the customer although the warehouse does not hold the order",
        "refund_anyway": "give the money back although the warehouse has not stopped the order",
    }
    WAITS = {
        "address-question": _CORRECTION,
        "area-not-served": _CORRECTION,
        "released": Waits("warehouse", "orders.dispatch_within", "the shop: the order is late, and goes to expedite"),
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.begin(opened)
        while not self.order.dispatched_at:
            match self.news(self.problem) or (await self.put_right(self.problem) if self.problem else None):
                case "refused" | "cancelled":
                    return await self.cancel()
                case "shipped":
                    break
                case "corrected" | "asked_anew":
                    continue
                case None:
                    await self.release()
            match await self.leaves():
                case "cancelled":
                    return await self.cancel()
                case "asked_anew":
                    continue
                case "overdue" | "expedited" as why if why == "overdue" or self.sending.parcels:
                    await self.hand_over("expedite", self.overdue)
                case _:
                    pass
            break
        return await self.close("corrected_released" if self.corrected else "released", cause="service")

    def begin(self, opened: CaseOpened) -> None:
        """Nothing has left yet, and the time for the dispatch runs from the payment."""
        self.sending = Sending()
        self.since = opened.trigger.happened_at
        self.held = self.corrected = False
        self.asked_about, self.said = self.order.ship_to, ""
        self.taken_as_it_is: Address | None = None

    async def put_right(self, problem: Problem) -> Answer:
        """Hold the order and ask the customer; what came of it, as an operator decides where nothing came."""
        self.asked_about = self.order.ship_to
        if not self.held:
            held = await self.command(
                "hold_order", instead="ask_anyway", reason=problem.kind, fields=list(problem.fields)
            )
            self.held = bool(held)
            if answer := self.news(problem):
                return self.noted(answer)
        answer = await self.ask_for(problem, self.until(self.policy.orders.address_window))
        while answer is None:
            question = f"The order is held ({self.described(problem)}) and the customer has not put it right. What now?"
            chosen = await self.decision(question, "corrected", "ask_again", "cancel", fallback="cancel")
            answer = self.news(problem)
            if not self.state.decisions[-1].by and self.state.awaits((Message,)):
                answer = answer or await self.answer(problem, workflow.now())
            answer = answer or self.carried_out(chosen)
        return self.noted(answer)

    def noted(self, answer: Answer) -> Answer:
        """From a correction on the time for the dispatch runs anew."""
        if answer == "corrected":
            self.since, self.corrected = workflow.now(), True
        return answer

    async def ask_for(self, problem: Problem, by: datetime) -> Answer | None:
        """Ask for what is missing, or where else the goods may go; None where nothing came of it by then."""
        wait = partial(self.answer, problem)
        if problem.kind == "incomplete":
            return await self.ask("address-question", wait, by=by, missing=list(problem.fields), reply_by=by)
        return await self.ask("area-not-served", wait, by=by, place=self.place, reply_by=by)

    async def answer(self, problem: Problem, by: datetime) -> Answer | None:
        """What the customer or the shop makes of a held order by this moment."""
        while fact := await self.next(OrderUpdated, OrderCancelled, OrderShipped, Reply, ExpediteRequested, by=by):
            match fact:
                case Reply(intent="cancel"):
                    return "refused"
                case Reply(intent="other_address", text=text) if not says_more(text):
                    await self.send("address-question", missing=[], reply_by=by)
                case Reply() as message:
                    if answer := await self.read(problem, message):
                        return answer
                case _:
                    if answer := self.learn(problem, fact):
                        return answer
        return self.news(problem)

    async def read(self, problem: Problem, message: Reply) -> Answer | None:
        """What an operator makes of words; when none decides, the corrected order is awaited on."""
        held = f"The order is held ({self.described(problem)})."
        question = f"{held} The customer wrote: “{message.text[:1000]}”. Is it put right?"
        chosen = await self.decision(question, "corrected", "wait", "ask_again", "cancel", fallback="wait")
        if answer := self.news(problem):
            return answer
        if chosen == "wait":
            await self.to_a_person(message, "the customer wrote about an order that is held")
            return None
        if chosen == "corrected":
            self.said = message.text
        return self.carried_out(chosen)

    def news(self, problem: Problem | None) -> Answer | None:
        """What has come while a person decided, or at the last moment: facts beat what was decided without them."""
        for kind in (OrderShipped, OrderCancelled, OrderUpdated):
            while fact := self.arrived(kind):
                if answer := self.learn(problem, fact):
                    return answer
        return None

    def learn(self, problem: Problem | None, fact: Event) -> Answer | None:
        """What a fact means for an order that is held for this problem, or for none; None where it changes nothing."""
        match fact:
            case OrderCancelled(refunded=refunded):
                self.sending.refunded = refunded
                return "cancelled"
            case OrderShipped() as parcel:
                self.sending.parcels.append(parcel)
                return None if self.sending.left(self.order) else "shipped"
            case OrderUpdated() if self.order.dispatched_at:
                return "shipped"
            case OrderUpdated() if self.problem != problem or self.order.ship_to != self.asked_about:
                return "asked_anew" if self.problem else "corrected"
            case _:
                return None

    def carried_out(self, chosen: str) -> Answer:
        """An operator's choice: the address counts as it is with what was said, or the order is cancelled."""
        if chosen == "corrected":
            self.taken_as_it_is = self.order.ship_to
            return "corrected"
        return "asked_anew" if chosen == "ask_again" else "refused"

    async def release(self) -> None:
        """Give the order to the warehouse, with a note where it goes by another one; a corrected one is confirmed."""
        via = area_of(self.order.ship_to, self.policy.orders.remote)
        await self.command(
            "release_order",
            dispatch_by=self.due,
            ship_to=self.order.ship_to.model_dump(),
            via=self.policy.orders.remote[via] if via else "",
            note=self.said if self.taken_as_it_is else "",
        )
        if self.corrected:
            await self.send("order-goes-on", dispatch_by=self.due)

    async def leaves(self) -> Left:
        """What becomes of an order that was released, until all of it has left."""
        self.enter("released")
        self.held, self.asked_about = False, self.order.ship_to
        kinds = OrderShipped, OrderUpdated, OrderCancelled, ExpediteRequested, Reply
        while fact := await self.next(*kinds, by=self.due):
            if isinstance(fact, ExpediteRequested):
                return "expedited"
            if isinstance(fact, Reply):
                await self.to_a_person(fact, "the customer wrote about an order that is to be dispatched")
            elif (answer := self.learn(None, fact)) and answer != "corrected":
                return cast(Left, answer)
            self.enter("released")
        answer = self.news(None)
        return cast(Left, answer) if answer and answer != "corrected" else "overdue"

    async def cancel(self) -> Outcome:
        """Stop the order and give back what was paid for what has not left, unless the shop has done so itself."""
        await stop(self, self.sending, instead="refund_anyway")
        if not self.sending.left(self.order):
            await left_all_the_same(self)
            return await self.close("released", cause="service")
        refund = await pay_back(self, self.sending)
        await self.send("unsent-order-refunded", refund=refund)
        return await self.close("cancelled_refunded", cause="service")

    def described(self, problem: Problem) -> str:
        """The problem for an operator."""
        return f"{self.place} is not served" if problem.kind == "not_served" else f"look at {', '.join(problem.fields)}"

    @property
    def problem(self) -> Problem | None:
        """What keeps the order from being sent; nothing where an operator takes the address as it is."""
        if self.order.ship_to == self.taken_as_it_is:
            return None
        return problem_of(self.order, self.policy.orders.unserved, self.policy.orders.postcodes)

    @property
    def place(self) -> str:
        """Where the order should go, in short."""
        to = self.order.ship_to
        return ", ".join(part for part in (to.city, to.region, to.postcode, to.country) if part)

    @property
    def due(self) -> datetime:
        """When the order has to be dispatched."""
        hours = self.policy.operators.hours
        return promised_by(self.order, self.policy.orders.dispatch_within, hours, self.since)

    @property
    def overdue(self) -> DispatchOverdue:
        """What expedite is told."""
        known = self.opened.trigger.model_dump(include={"id", "source", "order_id", "time"})
        return DispatchOverdue(**known, order=self.order, promised_by=self.due, lines=self.sending.left(self.order))
