"""review-recovery: a customer threatens with a bad review, or one is out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import Waits
    from aftersales.events import (
        DisputeOpened,
        Message,
        OrderCancelled,
        PlatformDecided,
        ReviewPublished,
        ReviewThreatened,
    )
    from aftersales.money import rounded
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Cause, Outcome
    from aftersales.people import Role

from workflows.case import Case

Settled = Literal["refunded", "compensated", "declined"]
"""What a customer got in the end."""


@workflow.defn(name="review-recovery")
class ReviewRecovery(Case):
    """A customer threatens with a bad review or a complaint, or a bad review is out (`spec/processes.md` §19,
    `004 §1.4`).

    Who threatens has a problem with the order, and that is what we settle: a small order is refunded at once, for a
    larger one compensation is offered, and who refuses it is decided by a supervisor. A published review that leaks
    personal data, insults, or comes from a competitor is appealed to the platform; without an answer it is asked once
    more, then an operator looks. A fair one, or one that the platform leaves there: an operator names the root cause,
    and what the customer gets to put it right. No letter mentions the review, and nothing depends on it (rule 12): an
    offer that is out stands although the review appears meanwhile.

    Case id `review-recovery/<order>`.
    """

    process = "review-recovery"
    LETTERS = {
        "recovery-refund": frozenset({"refund"}),
        "recovery-offer": frozenset({"compensation", "reply_by"}),
        "recovery-offer-reminder": frozenset({"compensation", "reply_by"}),
        "recovery-being-checked": frozenset({"answer_by"}),
        "recovery-paid": frozenset({"compensation"}),
        "recovery-declined": frozenset(),
        "recovery-closed": frozenset({"why"}),
    }
    HEARS = (Message, ReviewThreatened, ReviewPublished, PlatformDecided, OrderCancelled, DisputeOpened)
    OPTIONS = {
        "accept": "the customer takes the compensation of the last letter; it is paid",
        "decline": "the customer does not take it; a supervisor is asked next",
        "refund": "give the whole amount of the order back; the goods stay with the customer",
        "pay": "pay the amount that you name, else the ordinary compensation in the question",
        "no_more": "pay nothing more",
        "granted": "the platform takes the review down",
        "denied": "the platform leaves the review where it is",
        "leave": "no appeal: the review stays where it is",
        "product": "something is wrong with the goods",
        "logistics": "the delivery went wrong",
        "service": "we served the customer badly",
        "customer": "nothing that we did; the case closes without a payment",
    }

    WAITS = {
        "recovery-offer": Waits("customer", "reviews.recovery_window", "the customer: the offer ends"),
        "appeal": Waits("platform", "reviews.review_appeal_window", "the shop: the review stays until it is answered"),
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        if isinstance(opened.trigger, ReviewPublished):
            return await self.published(opened.trigger)
        settled = await self.threatened()
        if review := self.arrived(ReviewPublished):
            return await self.published(review)
        match settled:
            case "refunded":
                return await self.close("refunded")
            case "compensated":
                return await self.close("compensated")
            case "declined":
                return await self.close("declined")

    async def threatened(self) -> Settled:
        """Settle what is behind a threat: a refund at once, or an offer, then a supervisor."""
        if self.policy.reviews.refunds_at_once(self.order):
            return await self.refund() or await self.decline()
        match await self.answer():
            case "accept":
                return await self.pay(self.offered) or await self.decline()
            case "decline":
                return await self.supervised()
            case "silent":
                return "declined"
            case why:
                await self.send("recovery-closed", why=why)
                return "declined"

    async def answer(self) -> str:
        """What the customer says to the offer: `accept` or `decline`, `silent`, or what made it needless."""
        if not self.offered:
            return "decline"
        by = self.until(self.policy.reviews.recovery_window)
        return await self.ask("recovery-offer", self.heard, by=by, compensation=self.offered, reply_by=by) or "silent"

    async def heard(self, by: datetime) -> str | None:
        """What the customer says or does by this moment; a threat that is repeated is for a person."""
        kinds = Reply, ReviewThreatened, OrderCancelled, DisputeOpened
        while fact := await self.next(*kinds, by=by, unclear="decline"):
            match fact:
                case Reply(intent=intent):
                    return self.overtaken() or intent
                case ReviewThreatened():
                    await self.to_a_person(fact, "the customer threatens again while an offer is out")
                case DisputeOpened():
                    return "disputed"
                case _:
                    return "cancelled"
        return None

    async def supervised(self) -> Settled:
        """What a supervisor gives to a customer who does not take the offer; when none decides, what was offered."""
        await self.send("recovery-being-checked", answer_by=self.until(self.policy.operators.operator_window))
        refused = (
            f"does not take {self.offered} {self.order.currency}" if self.offered else "could be offered nothing yet"
        )
        question = f"The customer {refused}. Pay more, or nothing more?"
        fallback = "pay" if self.offered else "no_more"
        return await self.judged(f"{question} {self.words}", fallback, role="supervisor") or await self.decline()

    async def judged(self, question: str, fallback: str, role: Role = "operator") -> Settled | None:
        """What a person has paid; None for nothing. Who was not written to before need not hear that it is needless."""
        total = self.order.total
        options = "refund", "pay", "no_more"
        costs = {"refund": total, "pay": self.offered}
        choice = await self.decision(question, *options, fallback=fallback, most=total, role=role, costs=costs)
        named = self.state.decisions[-1].amount
        amount = self.offered if named is None else rounded(named, self.order.currency)
        if why := self.overtaken():
            if self.state.letters_sent:
                await self.send("recovery-closed", why=why)
            return "declined"
        if choice == "refund":
            return await self.refund()
        return await self.pay(amount) if choice == "pay" and amount else None

    async def published(self, review: ReviewPublished) -> Outcome:
        """Have one that breaks the platform's rules taken down; of a bad one that stays, learn and put it right."""
        if review.violates and await self.taken_down(review):
            self.overtaken()
            return await self.close("appealed")
        if not self.policy.reviews.is_bad(review.rating):
            return await self.close("recorded")
        cause = await self.cause(review)
        if cause != "customer" and not self.state.amounts:
            await self.put_right(review, cause)
        return await self.close("recorded", cause=cause, at_fault=cause != "customer")

    async def taken_down(self, review: ReviewPublished) -> bool:
        """Whether the platform takes it down: it is asked, asked again, then an operator finds out."""
        for _ in ("asked", "asked again"):
            broken, text = review.violates or "", review.text[:2000]
            if not await self.command("appeal", instead="leave", subject="review_appeal", violates=broken, text=text):
                return False
            self.enter("appeal")
            ruling = await self.ruling(self.until(self.policy.reviews.review_appeal_window))
            if ruling:
                return ruling.granted
        question = "The platform has not answered the appeal against the review. What does it say there?"
        decided = await self.decision(f"{question} {self.quoted(review)}", "granted", "denied", fallback="denied")
        while not self.state.decisions[-1].by and (late := self.arrived(PlatformDecided)):
            if late.subject == "review_appeal":
                return late.granted
        return decided == "granted"

    async def ruling(self, by: datetime) -> PlatformDecided | None:
        """The platform's decision about the appeal by this moment; one about something else is not for us."""
        while ruling := await self.next(PlatformDecided, by=by):
            if ruling.subject == "review_appeal":
                return ruling
        return None

    async def cause(self, review: ReviewPublished) -> Cause:
        """The root cause, as an operator reads it; when none does, our service, which blames nobody else."""
        question = f"What is the root cause of this review? {self.quoted(review)}"
        named = await self.decision(question, "product", "logistics", "service", "customer", fallback="service")
        return cast(Cause, named)

    async def put_right(self, review: ReviewPublished, cause: Cause) -> None:
        """What the customer gets, whatever becomes of the review; unasked for nothing to one that broke the rules."""
        if self.overtaken():
            return
        question = (
            f"How do we put it right ({cause})? The ordinary compensation is {self.offered} {self.order.currency}. "
            f"The customer is asked for nothing. {self.quoted(review)}"
        )
        fallback = "pay" if self.offered and not review.violates else "no_more"
        await self.judged(question, fallback)

    async def refund(self) -> Settled | None:
        """Give everything back; None where the order has had it before and nobody approves more (rule 8)."""
        if not await self.command("refund", pays="refund", amount=self.order.total, instead="no_more"):
            await self.unpaid()
            return None
        await self.send("recovery-refund", refund=self.order.total)
        return "refunded"

    async def pay(self, amount: Decimal) -> Settled | None:
        """Pay compensation; None where the order has had too much before and nobody approves more (rule 8)."""
        if not await self.command("pay_compensation", pays="compensation", amount=amount, instead="no_more"):
            await self.unpaid()
            return None
        await self.send("recovery-paid", compensation=amount)
        return "compensated"

    async def unpaid(self) -> None:
        """A payment that was refused and that nobody looked at is put on the list that a person reads."""
        if not self.state.decisions[-1].by:
            await self.to_a_person(self.opened.trigger, "a payment was refused, and nobody decided about it")

    async def decline(self) -> Settled:
        """Say that there is no more to be had."""
        await self.send("recovery-declined")
        return "declined"

    def overtaken(self) -> str:
        """What came meanwhile that leaves nothing to pay here; empty for nothing. A dispute has a case of its own."""
        if self.arrived(OrderCancelled):
            return "cancelled"
        return "disputed" if self.arrived(DisputeOpened) else ""

    def quoted(self, review: ReviewPublished) -> str:
        """A review as a person who decides reads it."""
        stars = f", {review.rating} of 5" if review.rating else ""
        return f"The review{stars}: “{review.text[:1000] or 'no words'}”."

    @property
    def offered(self) -> Decimal:
        """The ordinary compensation, which needs no supervisor."""
        return self.policy.reviews.offer(self.order, self.policy.operators.limit_in(self.order.currency))

    @property
    def words(self) -> str:
        """The threat as a person who decides reads it."""
        threat = cast(ReviewThreatened, self.opened.trigger)
        return f"The customer wrote: “{threat.text[:1000] or 'nothing'}”."
