"""expedite: an order is awaited that has not left yet."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import Waits, by_law
    from aftersales.consignment import tracked
    from aftersales.dispatching import Delay, Sending, gift_cost, law_limit, promised_by
    from aftersales.events import (
        CustomerMessage,
        DispatchOverdue,
        Event,
        ExpediteRequested,
        Message,
        OrderCancelled,
        OrderPaid,
        OrderShipped,
        OrderUpdated,
        WarehouseAnswered,
    )
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome

from workflows.case import Case
from workflows.out_of_stock import Way, carry_out, choose, replace
from workflows.unsent import left_all_the_same, pay_back, stop

_CHOICE = Waits(
    "customer", "orders.stock_choice_window", "the customer: waits where a date is known, else the order is cancelled"
)


@workflow.defn(name="expedite")
class Expedite(Case):
    """A customer waits for an order to leave, or we see first that it is late (`spec/processes.md` §6, `003 §2`).

    Before the promised date the customer is told that date, and the warehouse that somebody waits. Once it has passed,
    the customer gets our apology and a small gift with the parcel, the warehouse is asked why, and asked again every
    day until the order leaves; after some times without a date an operator decides. Goods that are not there are for
    the customer to choose: wait, take something else, or have the money back. Who does not choose waits where the
    warehouse has named a date, and gets the money where it has not. Where the law says so (16 CFR 435.2(b)), the
    customer is offered the delay or the money at the law's date: silence is consent only to a first delay with a date,
    as long as the law lets it be; without consent the order is cancelled and refunded.

    Case id `expedite/<order>`.
    """

    process = "expedite"
    LETTERS = {
        "dispatch-calm": frozenset({"promised_by"}),
        "dispatch-late-sorry": frozenset({"promised_by", "gift"}),
        "dispatch-update": frozenset({"until", "waits"}),
        "out-of-stock-choice": frozenset({"out_of_stock", "until", "default_choice", "reply_by"}),
        "replacement-question": frozenset({"reply_by"}),
        "replacement-agreed": frozenset({"refund"}),
        "delay-option": frozenset({"until", "silence", "reply_by"}),
        "dispatch-done": frozenset({"carrier", "tracking_number", "tracking_url"}),
        "cancel-too-late": frozenset(),
        "late-order-refunded": frozenset({"refund"}),
    }
    FACTS = (OrderShipped, WarehouseAnswered, OrderCancelled, OrderUpdated, ExpediteRequested, DispatchOverdue)
    HEARS = (Message, OrderPaid, *FACTS)
    OPTIONS = {
        "wait": "the customer waits; the order stays open, and the warehouse is asked for it again",
        "replace": "the customer takes another product, and is asked which where that is not said yet",
        "cancel": "stop what has not left and give the customer the money for it back",
        "other": "it is none of these: go on waiting, and put the message on the list that a person reads",
        "keep_asking": "ask the warehouse again every day; the customer hears nothing new",
        "offer_choice": "let the customer choose: wait, another product, or the money back",
        "dispatched": "it has left: tell the customer so and close the case",
        "amended": "have the warehouse send what the customer wants instead; an amount that you name is given back",
        "ask_again": "ask the customer once more which product it should be",
        "no_gift": "apologise without a gift",
        "goes_out": "it can no longer be stopped: tell the customer, and watch until it has left",
        "refund_anyway": "the shop has cancelled it: give the money back although the warehouse has not stopped it",
    }
    WAITS = {
        "awaiting_dispatch": Waits(
            "warehouse", "orders.dispatch_within", "the shop: the order is late, and an apology is owed"
        ),
        "late": Waits("warehouse", "orders.follow_up", "the customer: waits on, while the warehouse is asked again"),
        # The customer may be told something else while the choice is awaited.
        **dict.fromkeys(("out-of-stock-choice", "delay-option", "dispatch-calm", "dispatch-update"), _CHOICE),
        "replacement-question": Waits(
            "customer", "orders.stock_choice_window", "the customer: the order is cancelled, and the money goes back"
        ),
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.begin(opened)
        way = await self.news() or await self.calm()
        while True:
            match way:
                case "watch":
                    way = await self.watch()
                case "choose":
                    way = await choose(self)
                case "replace":
                    way = await replace(self)
                case "cancel":
                    way = await self.cancel()
                case "called_off":
                    way = await self.called_off()
                case "refund":
                    await self.refund()
                    return await self.finish("cancelled_refunded")
                case "dispatched":
                    await self.send("dispatch-done", **self.parcel)
                    return await self.finish("replaced" if self.replaced else "dispatched")

    def begin(self, opened: CaseOpened) -> None:
        """What is known at the beginning."""
        asked, policy = opened.trigger, opened.policy
        overdue = asked if isinstance(asked, DispatchOverdue) else None
        paid = self.arrived(OrderPaid)
        since = paid.happened_at if paid else None
        promise = promised_by(opened.order, policy.orders.dispatch_within, policy.operators.hours, since)
        law = policy.pack(opened.order.market)
        self.delay = Delay(
            promised_by=overdue.promised_by if overdue else promise,
            limit=law_limit(law, opened.order),
            consent=(law and law.delay_consent) or timedelta(),
        )
        self.show_law()
        self.sending = Sending(missing=overdue.lines if overdue else ())
        self.told: dict[str, datetime] = {}
        self.heard: set[tuple[str, datetime | None]] = set()
        self.replaced = self.gift_given = self.unstoppable = self.no_stock = False
        self.wish = ""

    async def calm(self) -> Way:
        """The promised date for a customer who asks before it has passed, and a mark on the order."""
        if self.delay.promised_by > workflow.now() and not self.order.dispatched_at:
            await self.command("ask_warehouse", question="expedite", dispatch_by=self.delay.promised_by)
            await self.reassure()
        return "watch"

    async def watch(self) -> Way:
        """Wait for the order to leave: fact by fact, and what the clock brings."""
        while not self.order.dispatched_at:
            self.enter("late" if self.delay.ask_at else "awaiting_dispatch")
            self.show_law()
            match await self.next(*self.FACTS, Reply, by=self.delay.step.at):
                case None:
                    way = await self.news() or await self.step()
                case Reply() as message:
                    way = await self.answer(message)
                case fact:
                    way = await self.learn(fact)
            if way:
                return way
        return "dispatched"

    async def step(self) -> Way | None:
        """What the clock has brought."""
        match self.delay.step.name:
            case "late":
                await self.apologise()
            case "delay_notice":
                await self.offer_delay()
            case "deemed_cancelled":
                return "cancel"
            case "gone":
                return "dispatched"
            case "follow_up" if self.delay.asked >= self.policy.orders.follow_ups:
                return await self.ask_operator()
            case "follow_up":
                await self.follow_up()
        return None

    async def apologise(self) -> None:
        """The promise has not been kept: a gift for the parcel, our apology, and the question why."""
        gift = self.policy.orders.late_gift
        cost = gift_cost(self.order, gift.costs, gift.at_most) if gift.sku else None
        if cost and not self.replaced:
            self.gift_given = bool(
                await self.command("add_gift", pays="gift", amount=cost, sku=gift.sku, instead="no_gift")
            )
        await self.send("dispatch-late-sorry", promised_by=self.delay.promised_by, gift=self.gift_given)
        await self.follow_up()

    async def follow_up(self) -> None:
        """Ask the warehouse why the order has not left."""
        lines: JsonValue = [line.model_dump() for line in self.sending.left(self.order)]
        await self.command("ask_warehouse", question="why_late", promised_by=self.delay.promised_by, lines=lines)
        self.delay.asked += 1
        self.delay.ask_at = max(self.tomorrow, self.coming or self.tomorrow)

    async def ask_operator(self) -> Way | None:
        """How to go on where the warehouse brings neither the order on its way nor a date."""
        question = (
            f"The order was to leave by {self.delay.promised_by:%Y-%m-%d %H:%M %Z}. The warehouse was asked "
            f"{self.delay.asked} times and has named no date. What now?"
        )
        chosen = await self.decision(
            question, "keep_asking", "offer_choice", "dispatched", "cancel", fallback="offer_choice"
        )
        self.delay.asked, self.delay.ask_at = 0, self.tomorrow
        ways: dict[str, Way] = {"offer_choice": "choose", "dispatched": "dispatched", "cancel": "cancel"}
        return await self.news() or ways.get(chosen)

    async def learn(self, fact: Event) -> Way | None:
        """What a fact means for the order; None where it goes on as before."""
        match fact:
            case OrderShipped() as parcel:
                self.sending.parcels.append(parcel)
                return None if self.sending.left(self.order) else "dispatched"
            case OrderCancelled(refunded=refunded):
                self.sending.refunded = refunded
                return "called_off"
            case WarehouseAnswered() as answer:
                return await self.hear(answer)
            case OrderUpdated() if self.order.dispatched_at:
                return "dispatched"
            case OrderUpdated() if self.delay.moved(self.order.promised_dispatch_by, workflow.now()):
                await self.tell_date()
            case ExpediteRequested() as asked:
                await self.answer_again(asked)
            case DispatchOverdue(lines=lines) if not self.sending.parcels:
                self.sending.missing = lines
            case _:
                pass
        return None

    async def news(self) -> Way | None:
        """What has come while a person decided, or at the last moment: facts beat what was decided without them."""
        for kind in (OrderShipped, OrderCancelled):
            while fact := self.arrived(kind):
                if way := await self.learn(fact):
                    return way
        return None

    async def hear(self, answer: WarehouseAnswered) -> Way | None:
        """What the warehouse says: it has left, goods are not there, or a part is missing until a date or none."""
        date = answer.until if answer.until and answer.until > workflow.now() else None
        known = (answer.answer, date) in self.heard
        self.heard.add((answer.answer, date))
        match answer.answer:
            case "dispatched":
                self.delay.gone, self.delay.ask_at = True, self.tomorrow
                return "watch"
            case "out_of_stock" if not known:
                self.delay.expect(date)
                self.no_stock = True
                return "choose"
            case "missing_part" if not known:
                self.delay.expect(date)
                await self.tell_date()
            case _:
                self.note(f"the warehouse says {answer.answer}, which is nothing new")
        return None

    async def tell_date(self) -> None:
        """Tell the customer what is new: as the law wants it where the date lies behind the law's, else in short."""
        if self.delay.needs_notice:
            await self.offer_delay()
        elif self.delay.ask_at or (self.delay.expected and self.delay.expected > self.delay.promised_by):
            await self.update()

    async def offer_delay(self) -> None:
        """The delay or the money, as the law wants it offered, with what silence means."""
        self.delay.expected = self.coming
        earliest = self.until(self.policy.orders.stock_choice_window)
        silence = self.delay.notify(earliest)
        self.show_law()
        by = self.delay.cancel_at or earliest
        await self.send("delay-option", until=self.delay.offered, silence=silence, reply_by=by)

    def show_law(self) -> None:
        """Show the law's dates: by when a delay must be offered, then by when the customer must have agreed to it."""
        law, delay = self.policy.pack(self.order.market), self.delay
        if law and delay.limit:
            offered = by_law(law, "the shop: the customer must be offered the delay or the money")
            self.clock("delay notice", None if delay.noticed else delay.limit, offered)
            agreed = by_law(law, "the shop: without the customer's consent the order is cancelled, and the money owed")
            self.clock("consent to the delay", delay.cancel_at, agreed)

    async def answer(self, message: Reply) -> Way | None:
        """What a customer says while the order is awaited: a choice that was offered, else something for a person."""
        intent = message.intent
        if intent == "unclear" and self.delay.unanswered and not message.angry:
            question = f"The customer wrote about the delay: “{message.text[:1000]}”. What is meant?"
            intent = await self.decision(question, "wait", "cancel", "other", fallback="other")
            if way := await self.news():
                return way
        if intent in ("wait", "replace", "cancel"):
            return await carry_out(self, intent, message.text)
        await self.to_a_person(message, "the customer wrote while the order is awaited")
        return None

    async def answer_again(self, asked: ExpediteRequested) -> None:
        """What a customer is told who asks once more; where that was said a moment ago, a person reads it."""
        self.state.customer_wrote(min(asked.happened_at, workflow.now()))
        said_at = self.told.get("dispatch-update" if self.delay.ask_at else "dispatch-calm")
        if not self.state.owes_an_answer:
            self.note("the answer was sent after the customer had asked")
        elif said_at and workflow.now() - said_at < self.policy.letters.acknowledge_every:
            known = asked.model_dump(include={"id", "source", "order_id", "time", "text"})
            await self.to_a_person(CustomerMessage(**known), "the customer asks again, and there is nothing new to say")
        elif self.delay.ask_at:
            await self.update()
        else:
            await self.reassure()

    async def reassure(self) -> None:
        """The date by which the order is to leave."""
        self.told["dispatch-calm"] = workflow.now()
        await self.send("dispatch-calm", promised_by=self.delay.promised_by)

    async def update(self, *, waits: bool = False) -> None:
        """What is known of an order that is late; `waits` thanks a customer who has chosen to."""
        self.told["dispatch-update"] = workflow.now()
        await self.send("dispatch-update", until=self.coming, waits=waits)

    async def cancel(self) -> Way:
        """Stop the order; where it cannot be stopped it goes out, and the customer is told so."""
        stopped = await stop(self, self.sending, instead="" if self.unstoppable else "goes_out")
        if not self.sending.left(self.order):
            return "dispatched"
        if stopped:
            return "refund"
        self.unstoppable = True
        self.delay.goes_out(self.tomorrow)
        await self.send("cancel-too-late")
        return "watch"

    async def called_off(self) -> Way:
        """The shop has cancelled the order: the warehouse stops it, and the money goes back where that is not done."""
        await stop(self, self.sending, instead="refund_anyway")
        if self.sending.left(self.order):
            return "refund"
        await left_all_the_same(self)
        return "dispatched"

    async def refund(self) -> None:
        """Give back what was paid for what has not left; a gift that stays here has cost nothing."""
        stays = self.gift_given and not self.sending.parcels
        amount = await pay_back(self, self.sending, replaces="add_gift" if stays else None)
        if stays:
            self.state.amounts.pop("gift", None)
        await self.send("late-order-refunded", refund=amount)

    async def finish(self, result: str) -> Outcome:
        """Close; an order that was late, or whose goods were not there, is our fault."""
        late = self.delay.ask_at is not None or self.no_stock or self.replaced
        return await self.close(result, cause="logistics" if late else "customer", at_fault=late)

    @property
    def coming(self) -> datetime | None:
        """The date that the warehouse named, where it lies ahead."""
        return self.delay.coming(workflow.now())

    @property
    def tomorrow(self) -> datetime:
        """When the warehouse is asked next."""
        return self.until(self.policy.orders.follow_up)

    @property
    def parcel(self) -> dict[str, JsonValue]:
        """The parcel in which the order, or the last of it, has left, as far as it is known."""
        if self.sending.parcels:
            return tracked(self.sending.parcels[-1])
        return {"carrier": "", "tracking_number": "", "tracking_url": ""}
