"""return-parcel: carrying out agreed terms, from the RMA number to the refund."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeVar, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.claims import return_lost
    from aftersales.clocks import LAST_CLAIM, NEXT_SCAN, SEARCH, Waits, by_law
    from aftersales.events import (
        CarrierReplied,
        Checkpoint,
        Event,
        InsurancePaid,
        Message,
        ParcelLost,
        ReturnAgreed,
        ReturnCancelled,
        ReturnReceived,
        ReturnRequested,
        ReturnTerms,
    )
    from aftersales.law import refund_due_at
    from aftersales.money import goods_value, rounded
    from aftersales.opening import CaseOpened
    from aftersales.outcome import Outcome
    from aftersales.return_words import as_message
    from aftersales.returning import asks_the_same, return_freight

from workflows.case import Case
from workflows.goods import last_claim
from workflows.own_claim import claims_itself
from workflows.values import Value, link

F = TypeVar("F", bound=Event)


@workflow.defn(name="return-parcel")
class ReturnParcel(Case):
    """Goods come back on terms that are settled (`spec/processes.md` §3, `003 §12`, `004 §2`).

    The customer gets an RMA number and instructions, with a label when the shop pays the freight, a reminder at half
    of the ship-back window, and at its end the return has lapsed. Goods received as described are refunded less the
    fee; for others a supervisor chooses full or partial refund or sends them back, with the photos to the customer. A
    return lost on its way is claimed from the carrier and refunded. The law's refund date beats a slow inspection.
    Where the shop's freight insurance owes the customer, we see to it that the insurer pays. Who asks for the same
    return again before the goods are sent gets the instructions again; what is new about it is for a person.

    Case id `return-parcel/<order>`, with `/<line ids>` for some lines only.
    """

    process = "return-parcel"
    LETTERS = {
        "return-instructions": frozenset(
            {"rma", "freight_paid_by", "label_url", "return_address", "fee", "refund", "ship_by"}
        ),
        "return-instructions-reminder": frozenset({"rma", "ship_by"}),
        "return-lapsed": frozenset({"rma"}),
        "return-received": frozenset({"rma"}),
        "refund-sent": frozenset({"refund", "fee", "freight"}),
        "inspection-differs": frozenset({"findings", "photos", "solution", "refund"}),
        "return-sent-back": frozenset({"findings", "photos", "tracking_number"}),
        "return-freight-lost": frozenset({"refund", "tracking_number"}),
    }
    HEARS = (Message, ReturnRequested, ReturnCancelled, ReturnReceived, Checkpoint, CarrierReplied, InsurancePaid)
    OPTIONS = {
        "full": "refund all that was agreed, whatever the warehouse found",
        "partial": "refund a part: the amount that you name, else the policy's share; the photos go to the customer",
        "send_back": "no refund: the goods go back to the customer, with the photos",
        "paid": "the insurer has paid the customer; the case is closed",
        "written_off": "the insurer is not chased any more; the case is closed",
    }
    WAITS = {
        "return-instructions": Waits(
            "customer",
            "returns.ship_back_window",
            "the customer: the return lapses, unless the goods are on their way",
        ),
        "refund-sent": Waits(
            "insurer",
            "returns.insurer_window",
            "the customer: the insured freight stays unpaid, and the insurer is chased",
        ),
    }

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        await self.authorise()
        match await self.goods():
            case "lapsed":
                await self.send("return-lapsed", rma=self.rma)
                return await self.finish("not_shipped")
            case "cancelled":
                return await self.finish("not_shipped")
            case "lost":
                self.clock("last date for a claim", last_claim(self, self.lost), LAST_CLAIM)
                if own := claims_itself(self):
                    await self.command("file_carrier_claim", rma=self.rma, value=self.terms.refund)
                await self.refund(self.terms.refund)
                await self.send("return-freight-lost", refund=self.terms.refund, tracking_number=self.label)
                await self.send("refund-sent", refund=self.terms.refund, fee=self.terms.fee, freight=Decimal(0))
                if not own:
                    await self.open_case("carrier-claim", self.lost)
                return await self.finish("lost_refunded")
            case "due":
                await self.refund(self.terms.refund)
                await self.send("refund-sent", refund=self.terms.refund, fee=self.terms.fee, freight=Decimal(0))
                return await self.finish("refunded")
            case ReturnReceived() as received:
                await self.send("return-received", rma=self.rma)
                return await self.settle(received, await self.verdict(received))

    async def authorise(self) -> None:
        """RMA number, and a label where the shop pays the freight."""
        self.rma = await self.command("create_rma", lines=[line.model_dump() for line in self.terms.lines])
        self.way: list[Event] = []
        self.traced_for: timedelta | None = None
        shop_pays = self.terms.freight == "shop"
        self.label = await self.command("issue_return_label", rma=self.rma) if shop_pays else ""

    async def goods(self) -> ReturnReceived | Literal["lapsed", "cancelled", "lost", "due"]:
        """What became of the goods: received, never sent, cancelled, lost, or sent and due for refund by law."""
        by = self.until(self.policy.returns.ship_back_window)
        self.instructions: dict[str, Value] = {
            "rma": self.rma,
            "freight_paid_by": self.terms.freight,
            "label_url": link(self.label),
            "return_address": self.policy.returns.return_address,
            "fee": self.terms.fee,
            "refund": self.terms.refund,
            "ship_by": by,
        }
        match await self.ask("return-instructions", self.sent, by=by, **self.instructions):
            case ReturnReceived() as received:
                return received
            case None:
                return "lapsed"
            case ReturnCancelled():
                return "cancelled"
            case CarrierReplied(answer="lost"):
                return "lost"
            case proof:
                found = await self.on_its_way(proof)
                self.clock("next scan", None, NEXT_SCAN)
                return found

    async def sent(self, by: datetime) -> Event | None:
        """The first fact that tells what became of the goods; a label that the carrier only knows of tells nothing."""
        while True:
            match await self.hear(ReturnReceived, ReturnCancelled, CarrierReplied, Checkpoint, by=by):
                case Checkpoint(proves_dispatch=False):
                    continue
                case fact:
                    self.way += [fact] if fact else []
                    return fact

    async def hear(self, *kinds: type[F], by: datetime) -> F | None:
        """The next fact of these kinds by this moment; who asks for the return once more is answered meanwhile."""
        while isinstance(fact := await self.next(*kinds, ReturnRequested, by=by), ReturnRequested):
            if self.state.stage.startswith("return-instructions") and asks_the_same(self.terms, fact):
                await self.send("return-instructions", **self.instructions)
            else:
                why = f"the customer asks again ({fact.reason or 'no reason'}) for a return whose terms are settled"
                await self.to_a_person(as_message(fact), why)
        return cast(F | None, fact)

    async def on_its_way(self, proof: Event) -> ReturnReceived | Literal["lost", "due"]:
        """Goods that this scan proves sent: no scan for the lost window starts a trace, no answer to it means lost.

        Goods that the carrier delivered are not lost when the warehouse is slow to say so: they are due for refund.
        """
        due = self.due(None, proof.happened_at)
        traced, delivered = False, _delivered(proof)
        while True:
            silence = self.policy.parcels.carrier_answer_window if traced else self.policy.parcels.lost_after
            silent_at = self.until(silence)
            self.clock("next scan", silent_at, SEARCH if traced else NEXT_SCAN)
            match await self.hear(ReturnReceived, CarrierReplied, Checkpoint, by=min(silent_at, due or silent_at)):
                case ReturnReceived() as received:
                    return received
                case CarrierReplied(answer="lost") as word:
                    self.way.append(word)
                    return "lost"
                case None if due and workflow.now() >= due:
                    return "due"
                case None if traced:
                    self.traced_for = silence
                    return "due" if delivered else "lost"
                case None:
                    await self.command("ask_warehouse" if delivered else "carrier_trace", rma=self.rma)
                    traced = True
                case fact:
                    self.way.append(fact)
                    traced, delivered = False, delivered or _delivered(fact)

    async def verdict(self, received: ReturnReceived) -> str:
        """`as_described`, else what a supervisor chooses; the law's refund date beats a slow inspection."""
        due = self.due(workflow.now())
        if not received.findings:
            return "as_described"
        by = self.until(self.policy.returns.inspection_window)
        return await self.decision(
            f"The warehouse found: {', '.join(received.findings)}. Photos: {', '.join(received.photos) or 'none'}. "
            f"Refund {self.terms.refund} {self.order.currency}, a part of it (name an amount), or send the goods back?",
            "full",
            "partial",
            "send_back",
            fallback="full",
            by=min(by, due) if due else by,
            most=self.terms.refund,
            role="supervisor",
            costs={"full": self.terms.refund},
        )

    async def settle(self, received: ReturnReceived, verdict: str) -> Outcome:
        """Carry the verdict out: money or goods back, with the photos where something differs."""
        refund = {"send_back": Decimal(0), "partial": self.partial}.get(verdict, self.terms.refund)
        seen: dict[str, JsonValue] = {"findings": list(received.findings), "photos": list(received.photos)}
        if verdict != "as_described":
            await self.send("inspection-differs", **seen, solution=verdict, refund=refund)
        if verdict == "send_back":
            self.show_refund(None)
            tracking = await self.command("send_back", rma=self.rma)
            await self.send("return-sent-back", **seen, tracking_number=tracking)
            return await self.finish("sent_back")
        caps = self.policy.returns.insurance_cap
        freight = return_freight(self.opened.order, self.terms, received.freight_receipt, caps)
        await self.refund(refund)
        if freight.shop:
            await self.command("pay_compensation", pays="freight", amount=freight.shop, purpose="return_freight")
        await self.send("refund-sent", refund=refund, fee=self.terms.fee, freight=freight.shop)
        if freight.insurer:
            await self.collect(freight.insurer)
        return await self.finish("partly_refunded" if verdict == "partial" else "refunded")

    async def collect(self, amount: Decimal) -> None:
        """The insurer's payout is due inside its window after the refund; else we chase it, then a person (`004`)."""
        window = self.policy.returns.insurer_window
        if await self.hear(InsurancePaid, by=self.until(window)):
            return
        await self.command("chase_insurer", amount=amount)
        if not await self.hear(InsurancePaid, by=self.until(window)):
            question = f"The insurer has not paid {amount} {self.order.currency} of return freight, though chased."
            await self.decision(question, "paid", "written_off", fallback="written_off")

    async def refund(self, amount: Decimal) -> None:
        """Pay money back; a fee is what we keep."""
        if self.terms.fee:
            self.state.book("fee", self.terms.fee)
        await self.command("refund", pays="refund", amount=amount, rma=self.rma)
        self.show_refund(None)

    async def finish(self, result: str) -> Outcome:
        """Close with the cause that the terms name."""
        return await self.close(result, cause=self.terms.cause, at_fault=self.terms.our_fault)

    @property
    def terms(self) -> ReturnTerms:
        """The terms that were agreed."""
        return cast(ReturnAgreed, self.opened.trigger).terms

    @property
    def lost(self) -> ParcelLost:
        """The loss, as the case that claims it is told."""
        return return_lost(
            self.opened.trigger,
            self.opened.order,
            self.way,
            rma=self.rma,
            label=self.label,
            lines=self.terms.lines,
            value=goods_value(self.opened.order, self.terms.lines),
            now=workflow.now(),
            traced_for=self.traced_for,
        )

    def due(self, received_at: datetime | None, dispatch_proved_at: datetime | None = None) -> datetime | None:
        """When we refund at the latest: the policy's lead before the law's date, which is shown; None without one."""
        law = self.policy.pack(self.order.market)
        date = refund_due_at(law, self.opened.trigger.time, received_at, dispatch_proved_at)
        self.show_refund(date)
        return date - self.policy.returns.refund_lead if date else None

    def show_refund(self, date: datetime | None) -> None:
        """Show the law's date for the refund beside the awaited one; None once it is kept."""
        if law := self.policy.pack(self.order.market):
            self.clock("refund by law", date, by_law(law, "the shop: the refund is late"))

    @property
    def partial(self) -> Decimal:
        """The partial refund: what the supervisor named, else the policy's share."""
        named = self.state.decisions[-1].amount if self.state.decisions else None
        if named is not None:
            return named
        return rounded(self.terms.refund * self.policy.returns.partial_refund, self.order.currency)


def _delivered(fact: Event) -> bool:
    return isinstance(fact, Checkpoint) and fact.status == "delivered"
