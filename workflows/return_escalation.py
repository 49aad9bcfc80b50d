"""return-escalation: the three-letter ladder for returns that are nobody's fault."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import Waits
    from aftersales.events import (
        DisputeOpened,
        Event,
        Message,
        OrderCancelled,
        ReturnAgreed,
        ReturnCancelled,
        ReturnReceived,
        ReturnRequested,
        ReturnTerms,
    )
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Outcome
    from aftersales.return_words import as_message
    from aftersales.returning import customer_pays, shop_pays

from workflows.case import Case

_ANSWER = Waits("customer", "returns.reply_window", "the customer: the request is closed as abandoned")


@workflow.defn(name="return-escalation")
class ReturnEscalation(Case):
    """A customer returns goods without any fault of ours (`spec/processes.md` §2, `000`).

    We first write that the return freight and a restocking fee are the customer's; who insists is offered the return
    without the fee; who insists again, is angry, or opens a dispute, gets a prepaid label and a full refund. Who agrees
    goes on to return-parcel on the terms of the letter, who stays silent for the reply window has abandoned the return,
    who cancels has withdrawn it. The dispute itself has a case of its own. A reply that nobody can read goes to an
    operator, and counts as insisting when none decides.

    Case id `return-escalation/<order>`, with `/<line ids>` for some lines only. Abandoned, it reopens at the same
    letter when the customer accepts late, before the goods' return window ends.
    """

    process = "return-escalation"
    LETTERS = {
        "return-terms": frozenset({"fee", "fee_share", "reply_by"}),
        "waive-restocking": frozenset({"fee", "reply_by"}),
        "return-label": frozenset({"refund"}),
    }
    # Goods that come before the terms are agreed wait for return-parcel.
    HEARS = (Message, ReturnRequested, ReturnCancelled, OrderCancelled, DisputeOpened, ReturnReceived)
    OPTIONS = {
        "accept": "the customer agrees to the terms of the last letter and is told how to send the goods",
        "insist": "the customer does not agree; the next letter offers better terms, the last one a free return",
    }
    WAITS = {"return-terms": _ANSWER, "waive-restocking": _ANSWER}
    REOPENS = {"abandoned": "accept"}

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        for letter, terms in self.ladder():
            await self.send(letter, **self.offer(letter))
            match await self.answer():
                case None:
                    return await self.close("abandoned")
                case ReturnCancelled() | OrderCancelled():
                    return await self.close("withdrawn")
                case Reply(intent="accept"):
                    await self.hand_over("return-parcel", self.agreed(terms))
                    return await self.close("terms_accepted")
                case DisputeOpened() as dispute:
                    if not workflow.patched("disputes-have-a-case"):
                        await self.to_a_person(dispute, f"answer the platform by {dispute.respond_by or 'its date'}")
                    break
                case Reply(angry=True):
                    break
                case _:
                    continue
        free = shop_pays(self.order, self.asked)
        await self.send("return-label", refund=free.refund)
        await self.hand_over("return-parcel", self.agreed(free))
        return await self.close("label_sent")

    async def answer(self) -> Event | None:
        """What ends the waiting for an answer; who asks for the return once more is read by a person meanwhile."""
        by = self.until(self.policy.returns.reply_window)
        ends = (Reply, ReturnCancelled, OrderCancelled, DisputeOpened)
        while isinstance(fact := await self.next(*ends, ReturnRequested, by=by, unclear="insist"), ReturnRequested):
            await self.to_a_person(as_message(fact), "the customer asks again for a return whose terms are offered")
        return fact

    @property
    def asked(self) -> ReturnRequested:
        """The customer's request."""
        return cast(ReturnRequested, self.opened.trigger)

    @property
    def terms(self) -> ReturnTerms:
        """The terms of the first letter."""
        return customer_pays(self.order, self.asked, fee_share=self.policy.returns.restocking_fee)

    def ladder(self) -> list[tuple[str, ReturnTerms]]:
        """The letters that offer terms, from the first or the one at which the case reopens; none in a dispute."""
        steps = [("return-terms", self.terms), ("waive-restocking", customer_pays(self.order, self.asked))]
        if self.asked.disputed:
            return []
        return steps[1:] if self.opened.resume and self.opened.resume.letter == steps[1][0] else steps

    def offer(self, letter: str) -> dict[str, Decimal | datetime]:
        """What a letter of the ladder says in figures."""
        said: dict[str, Decimal | datetime] = {
            "fee": self.terms.fee,
            "reply_by": self.until(self.policy.returns.reply_window),
        }
        return said | ({"fee_share": self.policy.returns.restocking_fee} if letter == "return-terms" else {})

    def agreed(self, terms: ReturnTerms) -> ReturnAgreed:
        """What return-parcel is told."""
        known = self.asked.model_dump(include={"id", "source", "order_id", "time"})
        return ReturnAgreed(**known, order=self.order, terms=terms)
