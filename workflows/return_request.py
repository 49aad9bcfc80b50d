"""return-request: which way a return goes."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import return_eligibility as eligibility
    from aftersales import return_words as words
    from aftersales.clocks import Waits
    from aftersales.events import (
        DisputeOpened,
        Event,
        Message,
        OrderCancelled,
        ReturnCancelled,
        ReturnReason,
        ReturnReceived,
        ReturnRequested,
        ReturnTerms,
    )
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Cause, Outcome
    from aftersales.return_eligibility import OUR_FAULT, REASONS, Judged
    from aftersales.returning import agreed, our_fault, shop_pays, wrong_item

from workflows import messages
from workflows.case import Case
from workflows.values import Value

F = TypeVar("F", bound=Event)


class _Withdrawn(Exception):
    """The wish to return was taken back, or the order was cancelled."""


class _Disputed(Exception):
    """The customer opened a dispute."""


@workflow.defn(name="return-request")
class ReturnRequest(Case):
    """A customer wants to return goods; this says which way (`spec/processes.md` §1, `003 §12`, `004 §2`).

    The reason comes first: who gives none is asked, with a reminder at half of the reason window, and the request
    lapses at its end. A reason that nobody can read is picked by an operator; where none does, the shop pays all.
    A wrong item goes to wrong-item. A fault of ours is confirmed by an operator, with photos that are asked for once;
    where nobody decides, the customer is believed, and return-parcel begins with the shop paying everything. Without a
    fault, goods that may come back go to return-parcel where the law or the channel says on which terms, else to
    return-escalation. For goods that may not, help or an exchange is offered before we say no, unless the customer is
    angry; who insists is offered a share of the value for keeping them, who refuses that is decided by an operator, and
    the no stands where none decides, because an exception needs an approval. Silence leaves the goods where they are.
    Who cancels has withdrawn the request. Who opens a dispute gets what the last step of the ladder offers; the dispute
    itself has a case of its own.

    Case id `return-request/<order>`, with `/<line ids>` for some lines only. Lapsed, it reopens when the customer
    writes before the goods' return window ends.
    """

    process = "return-request"
    LETTERS = {
        "ask-return-reason": frozenset({"reply_by"}),
        "ask-return-reason-reminder": frozenset({"reply_by"}),
        "ask-return-evidence": frozenset({"reason", "evidence_by"}),
        "ask-return-evidence-reminder": frozenset({"evidence_by"}),
        "return-fault-not-confirmed": frozenset({"reason", "photos"}),
        "retention-offer": frozenset({"reply_by"}),
        "return-not-eligible": frozenset({*eligibility.OBSTACLES, "delivered_at", "ended_at", "reply_by"}),
        "goodwill-offer": frozenset({"goodwill", "reply_by"}),
        "return-goodwill-paid": frozenset({"goodwill"}),
        "return-stays-refused": frozenset({"agreed"}),
        "return-accepted-after-all": frozenset(),
    }
    # Goods that come before the terms are agreed wait for the process that goes on.
    HEARS = (Message, ReturnRequested, ReturnCancelled, OrderCancelled, DisputeOpened, ReturnReceived)
    OPTIONS = {
        **words.REASON_OPTIONS,
        "confirmed": "it is our fault: the goods come back with our label, and all the money is refunded",
        "not_confirmed": "it is not: tell the customer so, and treat it as a return without a fault of ours",
        "all_lines": "something else came in each of them; every line gets a case of its own",
        "help": "the customer keeps the goods and is promised help with using them; you are told to give it",
        "exchange": "the customer is promised an exchange; you are told to arrange it",
        "insist": "the customer wants to return all the same; what comes next is written to the customer",
        "accept": "the customer agrees to what the last letter says, and the request is closed",
        "decline": "the customer does not take the money for keeping the goods; you decide about the return",
        "accept_return": "make an exception: the goods may come back, on the terms of a return without fault",
        "stay_refused": "the no stands; the customer is told so, and the request is closed",
    }
    WAITS = {
        "ask-return-reason": Waits("customer", "returns.reason_window", "the customer: the request lapses"),
        "ask-return-evidence": Waits(
            "customer", "returns.return_evidence_window", "the customer: the fault is judged without photos"
        ),
        "retention-offer": Waits(
            "customer", "returns.retention_window", "the customer: help or an exchange is offered no more, we say no"
        ),
        "return-not-eligible": Waits("customer", "returns.reply_window", "the customer: the return stays refused"),
        "goodwill-offer": Waits(
            "customer", "returns.reply_window", "the customer: the offer lapses, and the return stays refused"
        ),
    }
    REOPENS = {"lapsed": ""}

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.asked, self.said = cast(ReturnRequested, opened.trigger), list[str]()
        self.fault = eligibility.fault_of(self.asked.reason)
        try:
            if self.asked.disputed:
                return await self.settle_disputed()
            match await self.reason():
                case None:
                    return await self.finish("lapsed")
                case "wrong_item":
                    return await self.to_wrong_item()
                case "other":
                    return await self.to_parcel(shop_pays(self.order, self.asked))
                case reason if reason in OUR_FAULT and await self.confirmed(reason):
                    return await self.to_parcel(our_fault(self.order, self.asked, OUR_FAULT[reason]))
                case _:
                    return await self.no_fault(eligibility.judge(self.order, self.asked, self.policy))
        except _Withdrawn:
            return await self.finish("withdrawn")
        except _Disputed:
            return await self.settle_disputed()

    async def reason(self) -> ReturnReason | None:
        """Why the goods come back, as the request says, the customer when asked, or an operator; None where nobody."""
        reason: str | None = self.asked.reason
        if self.asked.text and not self.opened.resume:
            read = await self.read(words.as_message(self.asked))
            reason = reason or (None if read == "unclear" else read)
        if reason is None or (reason == "other" and not self.said):
            reason = await self.ask_why()
        if reason == "unclear" and self.state.angry:
            reason = "other"
        elif reason in ("other", "unclear"):
            reason = await self.decision(words.why(self.order, self.asked, self.said), *REASONS, fallback="other")
            await self.meanwhile()
        self.asked = self.asked.model_copy(update={"reason": reason})
        self.fault = eligibility.fault_of(self.asked.reason)
        return self.asked.reason

    async def ask_why(self) -> str | None:
        """Ask for the reason, or go on waiting where the case reopens; the code, `unclear`, or None for silence."""
        by = self.until(self.policy.returns.reason_window)
        if self.opened.resume:
            await self.send(self.opened.resume.letter, reply_by=by)
            return await self.told(by)
        return await self.ask("ask-return-reason", self.told, by=by, reply_by=by)

    async def told(self, by: datetime) -> str | None:
        """What the customer gives as the reason by this moment, in words or by sending the request again with it."""
        while fact := await self.hear(Message, ReturnRequested, by=by):
            if isinstance(fact, ReturnRequested) and fact.reason:
                self.keep(fact.text, fact.photos)
                return fact.reason
            read = await self.read(words.as_message(fact))
            if read != "unclear" or not (self.opened.resume or isinstance(fact, ReturnRequested)):
                return read
            if isinstance(fact, Message):
                await self.to_a_person(fact, "the customer wrote after the request had lapsed, without a reason")
        return None

    async def read(self, message: Message) -> str:
        """The reason in a message, or `unclear`; its words and photos are kept."""
        self.keep(message.text, message.attachments)
        self.state.choices = REASONS
        return (await messages.read(self, message, "")).intent

    def keep(self, text: str, photos: tuple[str, ...]) -> None:
        """Remember what the customer said and showed."""
        self.said += [text] if text else []
        self.asked = self.asked.model_copy(update={"photos": tuple(dict.fromkeys((*self.asked.photos, *photos)))})

    async def confirmed(self, reason: ReturnReason) -> bool:
        """Whether it is our fault: by the order's dates, else an operator; when none decides, the customer is right."""
        if reason == "too_late" and eligibility.dispatched_late(self.order, self.asked.happened_at):
            return True
        if reason != "too_late" and not self.asked.photos:
            by = self.until(self.policy.returns.return_evidence_window)
            await self.ask("ask-return-evidence", self.photos, by=by, reason=reason, evidence_by=by)
        question = words.is_our_fault(self.order, self.asked, self.said, reason)
        if await self.decision(question, "confirmed", "not_confirmed", fallback="confirmed") == "confirmed":
            await self.interrupted()
            return True
        self.fault = None
        await self.meanwhile()
        photos: JsonValue = list(self.asked.photos)
        await self.send("return-fault-not-confirmed", reason=reason, photos=photos)
        return False

    async def photos(self, by: datetime) -> Message | None:
        """The first message with photos by this moment; words alone are for a person, while we go on waiting."""
        while message := await self.hear(Message, by=by):
            self.keep(message.text, message.attachments)
            if message.attachments:
                return message
            await self.to_a_person(message, "the customer wrote about the fault without photos")
        return None

    async def to_wrong_item(self) -> Outcome:
        """Go on as wrong-item for the line that an operator names, or for each of them."""
        lines = self.order.lines([line.line_id for line in eligibility.lines_of(self.order, self.asked)])
        if len(lines) > 1:
            named = words.line_options(lines)
            question = words.in_which_line(lines, self.asked, self.said)
            chosen = await self.decision(question, *named, "all_lines", fallback="all_lines")
            await self.meanwhile()
            lines = (named[chosen],) if chosen in named else lines
        for item in lines[1:]:
            await self.open_case("wrong-item", wrong_item(self.order, self.asked, item.line_id))
        await self.hand_over("wrong-item", wrong_item(self.order, self.asked, lines[0].line_id))
        return await self.finish("handed_over", cause="service")

    async def no_fault(self, judged: Judged) -> Outcome:
        """Goods that may come back go on; for others there is an offer before a no."""
        if not judged.refused:
            return await self.go_on()
        if judged.eligible:
            return await self.split(judged)
        if not self.state.angry and await self.kept():
            return await self.finish("kept")
        match await self.refused(judged):
            case None:
                return await self.finish("refused")
            case Reply(intent="accept"):
                await self.send("return-stays-refused", agreed=True)
                return await self.finish("refused")
            case _:
                return await self.offer_goodwill()

    async def split(self, judged: Judged) -> Outcome:
        """The lines that may come back go on by themselves, the others become a request of their own."""
        eligible = self.asked.model_copy(update={"lines": judged.eligible})
        await self.open_case(*eligibility.goes_on_as(self.order, eligible, self.policy))
        await self.hand_over("return-request", eligibility.rest_of(self.asked, judged))
        return await self.finish("handed_over")

    async def go_on(self) -> Outcome:
        """Hand an eligible return over: to return-parcel where its terms need no talk, else to the ladder."""
        await self.hand_over(*eligibility.goes_on_as(self.order, self.asked, self.policy))
        return await self.finish("handed_over")

    async def to_parcel(self, terms: ReturnTerms) -> Outcome:
        """Go on as return-parcel on these terms."""
        await self.hand_over("return-parcel", agreed(self.order, self.asked, terms))
        return await self.finish("handed_over", cause=terms.cause, at_fault=terms.our_fault)

    async def kept(self) -> bool:
        """Whether help or an exchange keeps the customer; a person sees to it."""
        wish = await self.offer("retention-offer", self.policy.returns.retention_window, unclear="insist")
        if wish is None or wish.intent not in words.PROMISES:
            return False
        await self.to_a_person(wish, words.promised(self.order, self.asked, wish.intent))
        return True

    async def refused(self, judged: Judged) -> Reply | None:
        """Say with the reason why the goods may not come back; the customer's answer."""
        return await self.offer(
            "return-not-eligible",
            self.policy.returns.reply_window,
            unclear="insist",
            delivered_at=self.order.delivered_at or "",
            ended_at=eligibility.return_ends(self.order, self.policy) or "",
            **eligibility.refused_titles(self.order, judged),
        )

    async def offer_goodwill(self) -> Outcome:
        """Offer money for keeping the goods to a customer who insists; who refuses it is decided by an operator."""
        amount = eligibility.goodwill(self.order, self.asked, self.policy.returns.return_goodwill)
        if amount:
            window = self.policy.returns.reply_window
            answer = await self.offer("goodwill-offer", window, unclear="decline", goodwill=amount)
            if answer is None:
                return await self.finish("refused")
            if answer.intent == "accept":
                return await self.pay(amount)
        question = words.is_exception(self.order, self.asked, amount)
        choice = await self.decision(question, "accept_return", "stay_refused", fallback="stay_refused")
        await self.meanwhile()
        if choice == "accept_return":
            await self.send("return-accepted-after-all")
            return await self.go_on()
        await self.send("return-stays-refused", agreed=False)
        return await self.finish("refused")

    async def offer(self, letter: str, window: timedelta, *, unclear: str, **said: Value) -> Reply | None:
        """Send a letter with choices; the answer to it, or None."""
        by = self.until(window)
        await self.send(letter, **said, reply_by=by)
        return await self.hear(Reply, by=by, unclear=unclear)

    async def pay(self, amount: Decimal) -> Outcome:
        """Pay for keeping the goods."""
        lines: Value = [line.model_dump() for line in self.asked.lines]
        await self.command("pay_compensation", pays="compensation", amount=amount, purpose="goodwill", lines=lines)
        await self.send("return-goodwill-paid", goodwill=amount)
        return await self.finish("goodwill_paid")

    async def settle_disputed(self) -> Outcome:
        """A customer with a dispute is not asked any more: a fault is believed, any other return is free of charge."""
        if self.fault:
            return await self.to_parcel(our_fault(self.order, self.asked, self.fault))
        await self.hand_over("return-escalation", self.asked.model_copy(update={"disputed": True}))
        return await self.finish("handed_over")

    async def hear(self, *kinds: type[F], by: datetime, unclear: str = "") -> F | None:
        """The next fact of these kinds by this moment, unless the request ends before it."""
        fact = await self.next(*kinds, ReturnCancelled, OrderCancelled, DisputeOpened, by=by, unclear=unclear)
        await self.interrupted(fact)
        return cast(F | None, fact)

    async def meanwhile(self) -> None:
        """What came while an operator decided: the end of the request, or words, which answer no later letter."""
        await self.interrupted()
        await self.hand_strays_on("the customer wrote while an operator decided about the return")

    async def interrupted(self, fact: Event | None = None) -> None:
        """Leave the way that the request is on where it was taken back or is disputed."""
        end = fact or self.arrived(ReturnCancelled) or self.arrived(OrderCancelled) or self.arrived(DisputeOpened)
        if isinstance(end, ReturnCancelled | OrderCancelled):
            raise _Withdrawn
        if isinstance(end, DisputeOpened):
            if not workflow.patched("disputes-have-a-case"):
                await self.to_a_person(end, f"answer the platform by {end.respond_by or 'its date'}")
            raise _Disputed

    async def finish(self, result: str, *, cause: Cause = "customer", at_fault: bool = False) -> Outcome:
        """Close; a request that says again what we know is no news, one with another reason is for a person."""
        while again := self.arrived(ReturnRequested):
            if again.reason in (None, self.asked.reason):
                self.note("the request came again")
            else:
                await self.to_a_person(again, f"the request came again with another reason: {again.reason}")
        return await self.close(result, cause=cause, at_fault=at_fault)
