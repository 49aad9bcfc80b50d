"""expedite: an order is awaited that has not left yet."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.dispatching import Delay, gift_cost, law_limit, promised_by, still_to_send
    from aftersales.events import (
        CustomerMessage,
        DispatchOverdue,
        Event,
        ExpediteRequested,
        Line,
        Message,
        OrderCancelled,
        OrderShipped,
        OrderUpdated,
        WarehouseAnswered,
    )
    from aftersales.money import paid_for
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome
    from aftersales.serving import says_more

from workflows.case import Case
from workflows.values import Value

End: TypeAlias = Literal["dispatched", "choose", "replace", "cancel", "cancelled"]
"""What becomes of the order; `choose` where the customer has to say, `cancelled` where the shop did it."""
_WAITED_FOR = (OrderShipped, WarehouseAnswered, OrderCancelled, OrderUpdated, ExpediteRequested, DispatchOverdue)


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
    HEARS = (Message, *_WAITED_FOR)

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.begin(opened)
        await self.calm()
        while True:
            end: End | None = await self.watch()
            if end == "choose":
                end = await self.choice()
            if end == "replace":
                end = await self.replace()
            match end:
                case "dispatched":
                    await self.send("dispatch-done", **self.parcel)
                    return await self.finish("replaced" if self.replaced else "dispatched")
                case "cancelled":
                    await self.settle()
                    return await self.finish("cancelled_refunded")
                case "cancel" if await self.cancel():
                    return await self.finish("cancelled_refunded")
                case _:
                    continue

    def begin(self, opened: CaseOpened) -> None:
        """What is known at the beginning."""
        asked, policy = opened.trigger, opened.policy
        overdue = asked if isinstance(asked, DispatchOverdue) else None
        promise = promised_by(opened.order, policy.orders.dispatch_within, policy.operators.hours)
        law = policy.pack(opened.order.market)
        self.delay = Delay(
            promised_by=overdue.promised_by if overdue else promise,
            limit=law_limit(law, opened.order),
            consent=(law and law.delay_consent) or timedelta(),
        )
        self.missing = overdue.lines if overdue else ()
        self.parcels: list[OrderShipped] = []
        self.told: dict[str, datetime] = {}
        self.heard: set[tuple[str, datetime | None]] = set()
        self.replaced = self.gift_given = self.unstoppable = self.refunded = self.no_stock = False
        self.wish = ""

    async def calm(self) -> None:
        """The promised date for a customer who asks before it has passed, and a mark on the order."""
        if self.delay.promised_by > workflow.now() and not self.order.dispatched_at:
            await self.command("ask_warehouse", question="expedite", dispatch_by=self.delay.promised_by)
            await self.say("dispatch-calm", promised_by=self.delay.promised_by)

    async def watch(self) -> End:
        """What becomes of the order: fact by fact, and what the clock brings."""
        while not self.order.dispatched_at:
            self.enter("late" if self.delay.ask_at else "awaiting_dispatch")
            match await self.next(*_WAITED_FOR, Reply, by=self.delay.step.at):
                case None:
                    end = await self.step()
                case Reply() as message:
                    end = await self.answer(message)
                case fact:
                    end = await self.learn(fact)
            if end:
                return end
        return "dispatched"

    async def step(self) -> End | None:
        """What the clock has brought; facts that are here beat it."""
        for kind in (OrderShipped, OrderCancelled):
            if fact := self.arrived(kind):
                return await self.learn(fact)
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
        await self.say("dispatch-late-sorry", promised_by=self.delay.promised_by, gift=self.gift_given)
        await self.follow_up()

    async def follow_up(self) -> None:
        """Ask the warehouse why the order has not left."""
        lines: JsonValue = [line.model_dump() for line in self.left]
        await self.command("ask_warehouse", question="why_late", promised_by=self.delay.promised_by, lines=lines)
        self.delay.asked += 1
        again = self.until(self.policy.orders.follow_up)
        self.delay.ask_at = max(again, self.coming_date or again)

    async def ask_operator(self) -> End | None:
        """How to go on where the warehouse brings neither the order on its way nor a date."""
        question = (
            f"The order was to leave by {self.delay.promised_by:%Y-%m-%d %H:%M %Z}. The warehouse was asked "
            f"{self.delay.asked} times and has named no date. What now?"
        )
        chosen = await self.decision(
            question, "keep_asking", "offer_choice", "dispatched", "cancel", fallback="offer_choice"
        )
        self.delay.asked, self.delay.ask_at = 0, self.until(self.policy.orders.follow_up)
        if self.overtaken:
            return None
        ends: dict[str, End] = {"offer_choice": "choose", "dispatched": "dispatched", "cancel": "cancel"}
        return ends.get(chosen)

    async def learn(self, fact: Event) -> End | None:
        """What a fact means for the order."""
        match fact:
            case OrderShipped() as parcel:
                self.parcels.append(parcel)
                return None if self.left else "dispatched"
            case OrderCancelled(refunded=refunded):
                self.refunded = refunded
                return "cancelled"
            case WarehouseAnswered() as answer:
                return await self.hear(answer)
            case OrderUpdated():
                await self.reschedule()
            case ExpediteRequested() as asked:
                await self.answer_again(asked)
            case _:
                pass
        return None

    async def hear(self, answer: WarehouseAnswered) -> End | None:
        """What the warehouse says: it has left, goods are not there, or a part is missing until a date or none."""
        date = answer.until if answer.until and answer.until > workflow.now() else None
        known = (answer.answer, date)
        match answer.answer:
            case "dispatched":
                self.delay.gone, self.delay.ask_at = True, self.until(self.policy.orders.follow_up)
            case "out_of_stock" | "missing_part" if known in self.heard:
                self.note("the warehouse says what it said before")
            case "out_of_stock":
                self.heard.add(known)
                self.expect(date)
                self.no_stock = True
                return "choose"
            case "missing_part":
                self.heard.add(known)
                self.expect(date)
                await self.tell_date()
            case _:
                self.note(f"{answer.answer} is no answer to why the order has not left")
        return None

    def expect(self, date: datetime | None) -> None:
        """Take the date that the warehouse names; until then it need not be asked."""
        self.delay.expected = date
        if date:
            self.delay.asked = 0
            self.delay.ask_at = max(self.delay.ask_at, date) if self.delay.ask_at else None

    async def reschedule(self) -> None:
        """Another promised date: a later one does not undo the promise, the customer is told of it."""
        promise = self.order.promised_dispatch_by
        if promise is None or promise in (self.delay.promised_by, self.delay.expected):
            return
        if promise < self.delay.promised_by and not self.delay.ask_at:
            self.delay.promised_by = promise
        elif promise > workflow.now():
            self.expect(promise)
            await self.tell_date()

    async def tell_date(self) -> None:
        """Tell the customer what is new: as the law wants it where the date lies behind the law's, else in short."""
        delay, date = self.delay, self.delay.expected
        last_day = delay.cancel_at if delay.noticed else delay.limit
        if date and last_day and date > last_day:
            await self.offer_delay()
        elif delay.ask_at or (date and date > delay.promised_by):
            await self.say("dispatch-update", until=date, waits=False)

    async def offer_delay(self) -> None:
        """The delay or the money, as the law wants it offered, with what silence means."""
        if self.delay.expected and self.delay.expected <= workflow.now():
            self.delay.expected = None
        earliest = self.until(self.policy.orders.stock_choice_window)
        silence = self.delay.notify(earliest)
        by = self.delay.cancel_at or earliest
        await self.say("delay-option", until=self.delay.offered, silence=silence, reply_by=by)

    async def answer(self, message: Reply) -> End | None:
        """What a customer says while the order is awaited: a choice that was offered, else something for a person."""
        intent = message.intent
        if intent == "unclear" and self.delay.unanswered and not message.angry:
            question = f"The customer wrote about the delay: “{message.text[:1000]}”. What is meant?"
            intent = await self.decision(question, "wait", "cancel", "other", fallback="other")
        if intent in ("wait", "replace", "cancel"):
            return await self.carry_out(intent, message.text)
        await self.to_a_person(message, "the customer wrote while the order is awaited")
        return None

    async def answer_again(self, asked: ExpediteRequested) -> None:
        """What a customer is told who asks once more; where that was said a moment ago, a person reads it."""
        now, every = workflow.now(), self.policy.letters.acknowledge_every
        self.state.customer_wrote(min(asked.happened_at, now))
        letter = "dispatch-update" if self.delay.ask_at else "dispatch-calm"
        said_at = self.told.get(letter)
        if not self.state.owes_an_answer:
            self.note("the answer was sent after the customer had asked")
        elif said_at and now - said_at < every:
            known = asked.model_dump(include={"id", "source", "order_id", "time", "text"})
            await self.to_a_person(CustomerMessage(**known), "the customer asks again, and there is nothing new to say")
        elif letter == "dispatch-calm":
            await self.say("dispatch-calm", promised_by=self.delay.promised_by)
        else:
            await self.say("dispatch-update", until=self.coming_date, waits=False)

    async def choice(self) -> End | None:
        """Wait, take something else, or the money back; silence waits for a date, and without one takes the money."""
        by, date = self.until(self.policy.orders.stock_choice_window), self.coming_date
        default = "wait" if self.delay.waits_silently(date) else "cancel"
        self.delay.offered = date
        await self.say(
            "out-of-stock-choice", out_of_stock=self.no_stock, until=date, default_choice=default, reply_by=by
        )
        while fact := await self.next(*_WAITED_FOR, Reply, by=by):
            match fact:
                case Reply(intent="wait" | "replace" | "cancel" as chosen, text=text):
                    return await self.carry_out(chosen, text)
                case Reply(angry=angry, text=text) as message:
                    meant = default if angry else await self.meant(message, default)
                    return None if self.overtaken else await self.carry_out(meant, text)
                case WarehouseAnswered(answer="missing_part" | "out_of_stock"):
                    self.note("the customer has been asked already")
                case OrderUpdated():
                    if self.order.dispatched_at:
                        return "dispatched"
                case _:
                    if (end := await self.learn(fact)) or self.delay.gone:
                        return end
        return None if self.overtaken else await self.carry_out(default)

    async def meant(self, message: Reply, default: str) -> str:
        """What an operator takes an unclear answer for; when none decides, it counts as silence."""
        question = f"The customer wrote about the goods that are not there: “{message.text[:1000]}”. What is meant?"
        return await self.decision(question, "wait", "replace", "cancel", fallback=default)

    async def carry_out(self, chosen: str, said: str | None = None) -> End | None:
        """What was chosen; with `said` by the customer, who is then told, else by silence."""
        if chosen != "wait":
            self.wish = said or ""
            return "replace" if chosen == "replace" else "cancel"
        self.delay.agree()
        if self.delay.offered and not self.delay.ask_at:
            self.delay.promised_by = max(self.delay.promised_by, self.delay.offered)
        if said is not None:
            await self.say("dispatch-update", until=self.coming_date, waits=True)
        return None

    async def replace(self) -> End | None:
        """Find out what the customer takes instead, and have an operator see to it."""
        asked = False
        while True:
            if not says_more(self.wish):
                asked = True
                if (end := await self.named()) != "replace":
                    return end
            question = (
                f"The customer takes something else for what is out of stock: “{self.wish[:1000]}”. Can it be had "
                "for what was paid? Where it is cheaper, name what goes back."
            )
            again = "cancel" if asked else "ask_again"
            most = self.open_amount
            chosen = await self.decision(question, "amended", "ask_again", "cancel", fallback=again, most=most)
            if self.overtaken or chosen == "cancel":
                return None if self.overtaken else "cancel"
            if chosen == "amended":
                return await self.amend(self.state.decisions[-1].amount or Decimal(0))
            self.wish = ""

    async def named(self) -> End | None:
        """Ask what the customer takes instead; `replace` once it is named, silence takes the money."""
        by = self.until(self.policy.orders.stock_choice_window)
        await self.say("replacement-question", reply_by=by)
        while fact := await self.next(OrderShipped, OrderCancelled, Reply, by=by):
            match fact:
                case Reply(intent="wait" | "cancel" as chosen, text=text):
                    return await self.carry_out(chosen, text)
                case Reply(text=text) if says_more(text):
                    self.wish = text
                    return "replace"
                case Reply() as message:
                    await self.to_a_person(message, "the customer did not say what to send instead")
                case _:
                    if end := await self.learn(fact):
                        return end
        return None if self.overtaken else "cancel"

    async def amend(self, difference: Decimal) -> End | None:
        """Have the warehouse send the other goods, and give back what they cost less."""
        note = self.state.decisions[-1].reason
        if not await self.command("amend_order", instead="cancel", replacement=self.wish[:1000], note=note):
            return "cancel"
        if difference:
            await self.command("refund", pays="refund", amount=difference, purpose="replacement")
        self.replaced, self.no_stock, self.delay.expected, self.delay.asked = True, False, None, 0
        self.heard.clear()
        if self.delay.ask_at:
            self.delay.ask_at = self.until(self.policy.orders.follow_up)
        await self.say("replacement-agreed", refund=difference)
        return None

    async def cancel(self) -> bool:
        """Stop the order and pay back; where it cannot be stopped it is on its way, and the customer is told so."""
        if not await self.command("cancel_order", instead="" if self.unstoppable else "goes_out"):
            self.unstoppable = self.delay.noticed = True
            self.delay.cancel_at, self.delay.unanswered = None, False
            self.delay.ask_at = self.until(self.policy.orders.follow_up)
            await self.say("cancel-too-late")
            return False
        await self.refund()
        return True

    async def settle(self) -> None:
        """The shop has cancelled the order: the warehouse stops it, and the money goes back if it has not yet."""
        await self.command("cancel_order", instead="refund_anyway")
        await self.refund()

    async def refund(self) -> None:
        """Give back what was paid for what has not left; a gift that stays here has cost nothing."""
        amount = Decimal(0) if self.refunded else self.open_amount
        stays = self.gift_given and not self.parcels
        if amount:
            await self.command("refund", pays="refund", amount=amount, replaces="add_gift" if stays else None)
        if stays:
            self.state.amounts.pop("gift", None)
        await self.say("late-order-refunded", refund=amount)

    async def finish(self, result: str) -> Outcome:
        """Close; an order that was late, or whose goods were not there, is our fault."""
        late = self.delay.ask_at is not None or self.no_stock or self.replaced
        return await self.close(result, cause="logistics" if late else "customer", at_fault=late)

    async def say(self, letter: str, **values: Value) -> None:
        """Send a letter, and remember when this was last said."""
        self.told[letter] = workflow.now()
        await self.send(letter, **values)

    @property
    def left(self) -> tuple[Line, ...]:
        """What is still to be sent."""
        return still_to_send(self.order, self.parcels, self.missing)

    @property
    def open_amount(self) -> Decimal:
        """What was paid for what has not left, less what went back already."""
        return max(paid_for(self.order, self.left) - self.state.amounts.get("refund", Decimal(0)), Decimal(0))

    @property
    def coming_date(self) -> datetime | None:
        """The date that the warehouse named, where it lies ahead."""
        date = self.delay.expected
        return date if date and date > workflow.now() else None

    @property
    def overtaken(self) -> bool:
        """Whether the order has left or was cancelled while somebody decided about it."""
        return self.state.awaits((OrderShipped, OrderCancelled))

    @property
    def parcel(self) -> dict[str, Value]:
        """The parcel in which the order, or the last of it, has left, as far as it is known."""
        last = self.parcels[-1].parcel if self.parcels else None
        return {
            "carrier": last.carrier if last else "",
            "tracking_number": last.tracking_number if last else "",
            "tracking_url": last.tracking_url if last else "",
        }
