"""compensation: a complaint about goods that need not come back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import Waits
    from aftersales.complaints import ComplaintCause, reason_of
    from aftersales.events import (
        Complaint,
        CustomerMessage,
        DisputeOpened,
        Event,
        ExchangeRequested,
        Message,
        OrderCancelled,
        ReturnRequested,
    )
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome

from workflows.case import Case


@workflow.defn(name="compensation")
class Compensation(Case):
    """A customer complains, and the goods need not come back (`spec/processes.md` §13, `003 §1`).

    The cause first: where the customer names none, an operator does. Then we offer the compensation of the band for
    this cause and this order's value; above the supervisor's limit a supervisor says how much. Who accepts is paid, who
    stays silent for the offer window has let the complaint lapse. Who refuses, is angry in words that nobody can read,
    or opens a dispute, chooses among the three guarantees: return, exchange, or compensation of the loss, whose amount
    a person names. Who does not choose is paid what was offered, as the letter said. Where nobody names the loss it is
    what was offered too, and without an offer the goods may come back. An order that is cancelled settles it; a
    customer who asks for a return or an exchange on the way has chosen.

    Case id `compensation/<order>`. Lapsed, it reopens when the customer accepts late, before the goods' return window
    ends.
    """

    process = "compensation"
    LETTERS = {
        "complaint-received": frozenset({"answer_by"}),
        "compensation-offer": frozenset({"compensation", "reply_by"}),
        "compensation-offer-reminder": frozenset({"compensation", "reply_by"}),
        "compensation-paid": frozenset({"compensation"}),
        "three-guarantees": frozenset({"compensation", "choose_by"}),
        "three-guarantees-reminder": frozenset({"compensation", "choose_by"}),
        "compensation-of-loss": frozenset({"answer_by"}),
        "compensation-closed": frozenset({"why"}),
    }
    HEARS = (Message, Complaint, ReturnRequested, ExchangeRequested, OrderCancelled, DisputeOpened)
    OPTIONS = {
        "product": "something is wrong with the goods; the compensation for that is offered",
        "logistics": "the delivery went wrong; the compensation for that is offered",
        "service": "we served the customer badly; the compensation for that is offered",
        "approve": "offer the amount in the question, or the lower one that you name",
        "limit": "offer the most that needs no supervisor",
        "no_offer": "offer no money; the customer chooses a return, an exchange, or compensation of the loss",
        "accept": "the customer takes the compensation of the last letter; it is paid",
        "decline": "the customer does not take it and chooses a return, an exchange, or compensation of the loss",
        "return": "the customer returns the goods; a return request is opened",
        "exchange": "the customer wants the goods exchanged; an exchange is opened",
        "loss": "the customer keeps the goods and wants the loss paid; you are asked next how much it is",
        "pay": "pay the amount that you name, else what was offered",
        "as_offered": "pay what was offered before",
    }
    WAITS = {
        "compensation-offer": Waits("customer", "complaints.offer_window", "the customer: the offer lapses"),
        "three-guarantees": Waits(
            "customer", "complaints.guarantee_window", "the customer: what was offered is paid, without a choice"
        ),
    }
    REOPENS = {"lapsed": "accept"}

    amount = Decimal(0)
    """What is offered, in the end what is paid."""
    said = ""
    """What the customer last answered."""
    disputed = False
    """Whether a dispute was opened on the way."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        if self.was_cancelled:
            return await self.close("lapsed")
        cause = await self.cause()
        self.amount = await self.offer(cause)
        answer = await self.answer()
        if answer == "decline":
            answer = await self.guarantees()
        if answer == "loss":
            answer = await self.loss()
        match answer:
            case "accept":
                return await self.compensate(cause)
            case "return":
                await self.hand_over("return-request", self.as_return(cause))
                return await self.close("to_return", cause=cause)
            case "exchange":
                await self.hand_over("exchange", self.as_exchange(cause))
                return await self.close("to_exchange", cause=cause)
            case "returning":
                return await self.close("to_return", cause=cause)
            case "exchanging":
                return await self.close("to_exchange", cause=cause)
            case why:
                return await self.lapse(why, cause)

    async def cause(self) -> ComplaintCause:
        """What the complaint is about: as the customer says, else as an operator reads it."""
        if self.complaint.cause:
            return self.complaint.cause
        question = f"What is the complaint about? {self.words}"
        named = await self.judged(question, "product", "logistics", "service", fallback="product")
        return cast(ComplaintCause, named)

    async def offer(self, cause: ComplaintCause) -> Decimal:
        """What is offered: the band's amount, above the limit what a supervisor says; zero for no offer.

        Nobody says so: the limit. But an offer that had lapsed need not have been the limit, so it is not made again.
        """
        amount = self.policy.complaints.offer(self.order, cause)
        limit = self.policy.operators.limit_in(self.order.currency)
        if amount <= limit:
            return amount
        question = (
            f"Offer {amount} {self.order.currency} for this complaint about {cause}, or less (name an amount)? "
            f"Without a supervisor it is {limit} at most. {self.words}"
        )
        if self.opened.resume:
            question += " The customer answers late: the letter compensation-offer names what was offered."
        within_limit = ["limit"] if limit else []
        fallback = "limit" if limit and not self.opened.resume else "no_offer"
        costs = {"approve": amount, "limit": limit}
        asked = self.judged(question, "approve", *within_limit, "no_offer", fallback=fallback, most=amount, costs=costs)
        match await asked:
            case "approve":
                return self.named_or(amount)
            case "limit":
                return limit
            case _:
                return Decimal(0)

    async def judged(
        self,
        question: str,
        *options: str,
        fallback: str,
        most: Decimal | None = None,
        costs: Mapping[str, Decimal] = {},
    ) -> str:
        """A person's choice before anything is offered; the customer is told at once that one is looking.

        What the customer writes meanwhile cannot be an answer, so a person reads that too.
        """
        if not self.opened.resume and not self.state.letters_sent:
            await self.send("complaint-received", answer_by=self.until(self.policy.operators.operator_window))
        choice = await self.decision(question, *options, fallback=fallback, most=most, costs=costs)
        while not self.opened.resume and (early := self.arrived(Message)):
            await self.to_a_person(early, "the customer wrote before compensation was offered")
        while again := self.arrived(Complaint):
            await self.another(again)
        return choice

    async def answer(self) -> str:
        """What the customer says to the offer: `accept` or `decline`, `silent`, or what made it needless."""
        if overtaken := self.overtaken():
            return overtaken
        if dispute := self.arrived(DisputeOpened):
            await self.dispute(dispute)
        if self.disputed or not self.amount:
            return "decline"
        by = self.until(self.policy.complaints.offer_window)
        heard = partial(self.heard, "decline")
        said = await self.ask("compensation-offer", heard, by=by, compensation=self.amount, reply_by=by)
        return said or "silent"

    async def guarantees(self) -> str:
        """Which guarantee the customer chooses: `return`, `exchange` or `loss`; in silence what was offered."""
        by = self.until(self.policy.complaints.guarantee_window)
        heard = partial(self.heard, "loss")
        chosen = await self.ask("three-guarantees", heard, by=by, compensation=self.amount, choose_by=by)
        return chosen or ("accept" if self.amount else "silent")

    async def heard(self, unclear: str, by: datetime) -> str | None:
        """What the customer says or does by this moment; `unclear` is what an answer means that nobody can read."""
        while True:
            match await self.next(
                *(Reply, Complaint, ReturnRequested, ExchangeRequested, OrderCancelled, DisputeOpened),
                by=by,
                unclear=unclear,
            ):
                case None:
                    return None
                case Reply(intent=intent, text=text):
                    self.said = text
                    return intent
                case Complaint() as again:
                    await self.another(again)
                case DisputeOpened() as dispute:
                    await self.dispute(dispute)
                    return unclear
                case fact:
                    return _overtaking(fact)

    async def loss(self) -> str:
        """How much the loss is: `accept` with the amount that a person names, or `return` where there is none."""
        await self.send("compensation-of-loss", answer_by=self.until(self.policy.operators.operator_window))
        fallback = "as_offered" if self.amount else "return"
        told = f" And last: “{self.said[:500]}”." if self.said else ""
        question = (
            f"How much is the customer's loss (name an amount)? Offered was {self.amount} {self.order.currency}; above "
            f"{self.policy.operators.limit_in(self.order.currency)} a supervisor decides. {self.words}{told}"
        )
        costs = {"pay": self.amount, "as_offered": self.amount}
        choice = await self.decision(question, "pay", fallback, fallback=fallback, most=self.order.total, costs=costs)
        if choice == "pay":
            self.amount = self.named_or(self.amount)
        return self.overtaken() or ("accept" if self.amount else "return")

    async def compensate(self, cause: ComplaintCause) -> Outcome:
        """Pay, registered with the cause, and say so."""
        await self.command("pay_compensation", pays="compensation", amount=self.amount, cause=cause)
        await self.send("compensation-paid", compensation=self.amount)
        return await self.close("compensated", cause=cause, at_fault=True)

    async def lapse(self, why: str, cause: ComplaintCause) -> Outcome:
        """Close without a payment and say why; who was silent may still accept the letter that was open."""
        unanswered = self.state.stage.removesuffix("-reminder")
        await self.send("compensation-closed", why=why)
        if why == "silent":
            self.enter(unanswered)
        return await self.close("lapsed", cause=cause)

    async def another(self, complaint: Complaint) -> None:
        """A complaint that comes while this one is open is read by a person, as a message is."""
        known = complaint.model_dump(include={"id", "source", "order_id", "time", "text"})
        message = CustomerMessage(**known, attachments=complaint.photos)
        await self.to_a_person(message, "the customer complains again while a complaint is open")

    async def dispute(self, dispute: DisputeOpened) -> None:
        """A dispute has a case of its own; a return that follows begins where the ladder ends."""
        self.disputed = True
        if not workflow.patched("disputes-have-a-case"):
            await self.to_a_person(dispute, f"answer the platform by {dispute.respond_by or 'its date'}")

    def overtaken(self) -> str:
        """What has come meanwhile that leaves nothing to offer; empty for nothing."""
        fact = self.arrived(OrderCancelled) or self.arrived(ReturnRequested) or self.arrived(ExchangeRequested)
        return _overtaking(fact) if fact else ""

    def as_return(self, cause: ComplaintCause) -> ReturnRequested:
        """The return that the customer chose."""
        said, photos = self.complaint.text, self.complaint.photos
        return ReturnRequested(**self.known, reason=reason_of(cause), text=said, photos=photos, disputed=self.disputed)

    def as_exchange(self, cause: ComplaintCause) -> ExchangeRequested:
        """The exchange that the customer chose: the same goods again."""
        return ExchangeRequested(**self.known, reason=reason_of(cause))

    @property
    def complaint(self) -> Complaint:
        """The customer's complaint."""
        return cast(Complaint, self.opened.trigger)

    @property
    def known(self) -> dict[str, Any]:
        """What the process that goes on is told of the complaint."""
        told = self.complaint.model_dump(include={"id", "source", "order_id", "time"})
        return {**told, "order": self.order}

    @property
    def words(self) -> str:
        """The complaint as a person who decides reads it."""
        photos = f" Photos: {', '.join(self.complaint.photos)}." if self.complaint.photos else ""
        return f"The customer wrote: “{self.complaint.text[:1000] or 'nothing'}”.{photos}"

    @property
    def was_cancelled(self) -> bool:
        """Whether the case reopens after the order was cancelled: then there is nothing left to accept."""
        return self.opened.resume is not None and self.opened.resume.letter == "compensation-closed"


def _overtaking(fact: Event) -> str:
    match fact:
        case ReturnRequested():
            return "returning"
        case ExchangeRequested():
            return "exchanging"
        case _:
            return "cancelled"
