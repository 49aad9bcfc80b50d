"""large-order: a customer would like a larger number of units."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import bulk
    from aftersales.clocks import Waits
    from aftersales.events import BulkRequested, Message, OrderCancelled
    from aftersales.money import rounded
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome

from workflows import commands, messages
from workflows.case import Case
from workflows.values import Value

End = Literal["ready", "again", "accept", "more", "decline", "cancelled", "silent", "too_few"]
"""What becomes of a part of the way. `ready`: place and packaging are known; `again`: the request has changed."""
SUMMARY = {"units", "place", "packaging", "goods_price", "bulk_discount", "bulk_total"}
"""What is put in writing."""


@workflow.defn(name="large-order")
class LargeOrder(Case):
    """A customer asks for a larger number of units (`spec/processes.md` §16, `003 §4`).

    Fewer units than a large order has are at the ordinary price, and we say so. Else the delivery place and the
    packaging come first; where the request does not say them, the customer is asked. Then we offer the discount of
    every large order, with everything in writing, and the customer confirms in writing. Who wants more, in the request
    or in an answer, is decided by a supervisor; when none decides, the ordinary offer stands. Who stays silent has let
    it lapse, each time with a reminder at half of the window. A new request replaces the one before. The order's own
    units get their discount once; a person reads who asks again.

    Case id `large-order/<order>`.
    """

    process = "large-order"
    LETTERS = {
        "bulk-too-few": frozenset({"units", "least", "goods_price"}),
        "bulk-details-question": frozenset({"units", "address", "place", "packaging", "answer_by"}),
        "bulk-details-question-reminder": frozenset({"units", "address", "place", "answer_by"}),
        "bulk-being-checked": frozenset({"units", "answer_by"}),
        "bulk-offer": frozenset({*SUMMARY, "decided", "reply_by"}),
        "bulk-offer-reminder": frozenset({"units", "bulk_discount", "bulk_total", "reply_by"}),
        "bulk-confirmed": frozenset(SUMMARY),
        "bulk-closed": frozenset({"why"}),
    }
    HEARS = (Message, BulkRequested, OrderCancelled)
    OPTIONS = {
        "together": "the customer wants all units packed in one parcel",
        "apart": "the customer wants each unit packed by itself",
        "accept": "the customer confirms the offer of the last letter; it is settled",
        "more": "the customer would like more off; a supervisor is asked next",
        "change": "place or packaging are to be others; the customer is asked for what the message does not say",
        "decline": "the customer does not want the units any more; the case closes",
        "price": "the goods cost the amount that you name, before the discount",
        "as_ordered": "the goods cost so many times what those of the order cost",
        "approve": "offer the amount in the question, or another one that you name",
        "ordinary": "no more than what was offered or every large order has; the customer is told so",
    }

    WAITS = {
        "bulk-details-question": Waits("customer", "bulk.details_window", "the customer: the request lapses"),
        "bulk-offer": Waits("customer", "bulk.bulk_offer_window", "the customer: the offer ends"),
    }

    place = ""
    """Where the goods go, as the customer said it, or the order's address; empty while it is not known."""
    packaging = ""
    """`together` or `apart`; empty while it is not known."""
    price: Decimal | None = None
    """What the goods cost without a discount; None before it is found out."""
    discount = Decimal(0)
    """What is taken off."""
    decided = ""
    """What a supervisor said about more: `more` or `same`; empty where none was asked."""
    said = ""
    """What the customer last answered."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.learn(cast(BulkRequested, opened.trigger))
        if await self.is_repeated():
            return await self.close("declined")
        while True:
            match await self.settled():
                case "accept":
                    return await self.confirm()
                case "silent":
                    return await self.close("lapsed")
                case "cancelled":
                    await self.send("bulk-closed", why="cancelled")
                    return await self.close("lapsed")
                case "decline":
                    await self.send("bulk-closed", why="declined")
                    return await self.close("declined")
                case "too_few":
                    return await self.too_few()
                case _:
                    continue

    async def is_repeated(self) -> bool:
        """Whether these goods have had their discount by an earlier case: another one is for a person to give."""
        if self.asked.units > bulk.units_in(self.order) or not workflow.patched("one-discount-an-order"):
            return False
        if await commands.given_before(self, "apply_discount"):
            await self.tell(self.asked.identity, "the goods of this order have had their discount")
            await messages.acknowledge(self)
            return True
        return False

    async def settled(self) -> End:
        """How the request ends: first the details, then the price, then an offer that the customer confirms."""
        if self.asked.units < self.policy.bulk.bulk_units:
            return "too_few"
        if not (self.place and self.packaging) and (end := await self.details()) != "ready":
            return end
        if self.price is None:
            await self.set_price()
        return await self.offer()

    async def too_few(self) -> Outcome:
        """Say what the units cost, and from how many on they cost less."""
        least, price = self.policy.bulk.bulk_units, bulk.price_of(self.order, self.asked.units)
        await self.send("bulk-too-few", units=self.asked.units, least=least, goods_price=price)
        return await self.close("declined")

    async def details(self) -> End:
        """Ask where the goods go and how they are packed."""
        by = self.until(self.policy.bulk.details_window)
        end: End | None = await self.ask(
            "bulk-details-question",
            self.answered,
            by=by,
            units=self.asked.units,
            address=self.address,
            place=self.place,
            packaging=self.packaging,
            answer_by=by,
        )
        return end or "silent"

    async def answered(self, by: datetime) -> End | None:
        """What the customer says about place and packaging by this moment; no place named is that of the order."""
        unclear = "" if self.packaging else "together"
        while fact := await self.next(Reply, BulkRequested, OrderCancelled, by=by, unclear=unclear):
            match fact:
                case Reply(intent="unclear", text=text) if not self.place_in(text):
                    await self.to_a_person(fact, "the customer wrote about a large order without naming a place")
                case Reply(intent=intent, text=text):
                    self.packaging = self.packaging if intent == "unclear" else intent
                    self.place = self.place_in(text) or self.place or self.address
                    return self.overtaken() or "ready"
                case BulkRequested():
                    return self.learn(fact)
                case _:
                    return "cancelled"
        return None

    async def set_price(self) -> None:
        """What the goods cost, and what is taken off: what every large order has, or what a supervisor says."""
        self.price = bulk.price_of(self.order, self.asked.units)
        if not bulk.is_of_the_order(self.order, self.asked.units):
            question = (
                f"What do {self.asked.units} units cost before the discount (name an amount)? The order has "
                f"{bulk.units_in(self.order)} of several products; in its proportions it is {self.priced(self.price)}."
            )
            most = bulk.dearest(self.order, self.asked.units)
            if await self.decision(question, "price", "as_ordered", fallback="as_ordered", most=most) == "price":
                # Nothing costs 0.
                self.price = self.named_or(self.price) or self.price
        self.discount = self.off(self.policy.bulk.bulk_discount)
        if self.policy.bulk.asks_for_more(self.asked.wanted_discount):
            await self.ask_for_more(f"The request wants a discount of “{(self.asked.wanted_discount or '')[:200]}”.")

    async def offer(self) -> End:
        """Offer it in writing until the customer takes it, does not want it, or stays silent."""
        while not (end := self.overtaken()):
            by = self.until(self.policy.bulk.bulk_offer_window)
            said: dict[str, Value] = {**self.summary, "decided": self.decided, "reply_by": by}
            end = await self.ask("bulk-offer", self.heard, by=by, **said) or "silent"
            if end != "more":
                break
            await self.ask_for_more(f"The customer answered: “{self.said[:1000]}”.")
        return end

    async def heard(self, by: datetime) -> End | None:
        """What the customer says to the offer by this moment."""
        match await self.next(Reply, BulkRequested, OrderCancelled, by=by, unclear="more"):
            case None:
                return None
            case Reply(intent="change", text=text):
                self.place = self.place_in(text)
                return self.overtaken() or "again"
            case Reply(intent=intent, text=text):
                self.said = text or "no words"
                return self.overtaken() or cast(End, intent)
            case BulkRequested() as again:
                return self.learn(again)
            case _:
                return "cancelled"

    async def ask_for_more(self, words: str) -> None:
        """What a supervisor takes off for a customer who wants more; what was offered stays where none decides."""
        answer_by = self.until(self.policy.operators.operator_window)
        await self.send("bulk-being-checked", units=self.asked.units, answer_by=answer_by)
        most = self.off(self.policy.bulk.most_bulk_discount)
        wanted = min(self.off(bulk.wanted_share(self.asked.wanted_discount)) or most, most)
        costs = {"approve": max(wanted, self.discount)}
        question = (
            f"Take {self.priced(max(wanted, self.discount))} off for {self.asked.units} units at "
            f"{self.priced(self.price)}, or another amount (name it, at most {most})? Without a supervisor it is "
            f"{self.discount}. {words}"
        )
        choice = await self.decision(
            question, "approve", "ordinary", fallback="ordinary", most=most, role="supervisor", costs=costs
        )
        approved = self.named_or(wanted) if choice == "approve" else self.discount
        self.decided = "more" if approved > self.discount else "same"
        self.discount = max(approved, self.discount)
        await self.hand_strays_on("the customer wrote while a supervisor decided about a discount")

    async def confirm(self) -> Outcome:
        """Take the discount off and confirm everything in writing.

        Of goods that the order holds it lowers what the order has cost, so it counts like a refund (rule 8).
        """
        await self.command(
            "apply_discount",
            pays="refund" if self.asked.units <= bulk.units_in(self.order) else None,
            amount=self.discount,
            units=self.asked.units,
            place=self.place,
            packaging=self.packaging,
            goods_price=self.price,
        )
        await self.send("bulk-confirmed", **self.summary)
        return await self.close("agreed")

    def learn(self, request: BulkRequested) -> End:
        """Take a request; what it leaves out of place and packaging stays as it was said before."""
        self.asked, self.price, self.decided = request, None, ""
        self.place = request.place.strip()[:300] or self.place
        self.packaging = request.packaging or self.packaging
        return "again"

    def overtaken(self) -> End | None:
        """Whether the order was cancelled, or the request changed, while a person read or decided."""
        if self.arrived(OrderCancelled):
            return "cancelled"
        again = self.arrived(BulkRequested)
        return self.learn(again) if again else None

    def place_in(self, text: str) -> str:
        """Where the goods are to go by the customer's words; empty where they name no place."""
        return bulk.named_place(text, self.asked.units)

    def off(self, share: Decimal | None) -> Decimal:
        """A share of the price of the goods, as an amount; nothing for none."""
        return rounded((self.price or Decimal(0)) * (share or Decimal(0)), self.order.currency)

    def priced(self, amount: Decimal | None) -> str:
        """An amount for an operator."""
        return f"{amount} {self.order.currency}"

    @property
    def summary(self) -> dict[str, Value]:
        """What is agreed, in figures and words."""
        price = self.price or Decimal(0)
        return {
            "units": self.asked.units,
            "place": self.place,
            "packaging": self.packaging,
            "goods_price": price,
            "bulk_discount": self.discount,
            "bulk_total": price - self.discount,
        }

    @property
    def address(self) -> str:
        """The order's own address."""
        return bulk.in_one_line(self.order.ship_to)
