"""return-request: which way a return goes."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TypeVar, cast

from pydantic import JsonValue
from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.events import (
        CustomerEvent,
        CustomerMessage,
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
    from aftersales.return_eligibility import (
        OUR_FAULT,
        REASONS,
        Judged,
        dispatched_late,
        goodwill,
        judge,
        lines_of,
        return_ends,
        way_back,
    )
    from aftersales.returning import agreed, our_fault, shop_pays, wrong_item

from workflows import messages
from workflows.case import Case
from workflows.values import Value

F = TypeVar("F", bound=Event)


class _Withdrawn(Exception):
    """The wish to return was taken back, or the order was cancelled."""


class _Disputed(Exception):
    """The customer opened a dispute, and a person was told."""


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
    Who cancels has withdrawn the request. A dispute is told to a person and settled like the last step of the ladder.

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
        "return-not-eligible": frozenset(
            {"late", "final_sale", "not_returnable", "opened", "labels_off", "delivered_at", "ended_at", "reply_by"}
        ),
        "goodwill-offer": frozenset({"goodwill", "reply_by"}),
        "return-goodwill-paid": frozenset({"goodwill"}),
        "return-stays-refused": frozenset({"agreed"}),
        "return-accepted-after-all": frozenset(),
    }
    # Goods that come before the terms are agreed wait for the process that goes on.
    HEARS = (Message, ReturnRequested, ReturnCancelled, OrderCancelled, DisputeOpened, ReturnReceived)
    REOPENS = {"lapsed": ""}

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.asked, self.said = cast(ReturnRequested, opened.trigger), list[str]()
        self.fault = self.claimed
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
                    return await self.no_fault(judge(self.order, self.asked, self.policy))
        except _Withdrawn:
            return await self.finish("withdrawn")
        except _Disputed:
            return await self.settle_disputed()

    async def reason(self) -> ReturnReason | None:
        """Why the goods come back, as the request says, the customer when asked, or an operator; None where nobody."""
        reason: str | None = self.asked.reason
        if self.asked.text and not self.opened.resume:
            read = await self.read(_message(self.asked))
            reason = reason or (None if read == "unclear" else read)
        if reason is None or (reason == "other" and not self.said):
            reason = await self.ask_why()
        if reason == "unclear" and self.state.angry:
            reason = "other"
        elif reason in ("other", "unclear"):
            reason = await self.decided(
                f"Why does the customer return {self.titles}? {self.shown_so_far} With other the shop pays everything.",
                *REASONS,
                fallback="other",
            )
        self.asked = self.asked.model_copy(update={"reason": reason})
        self.fault = self.claimed
        return cast(ReturnReason | None, reason)

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
            read = await self.read(_message(fact))
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
        if reason == "too_late" and dispatched_late(self.order, self.asked.happened_at):
            return True
        if reason != "too_late" and not self.asked.photos:
            by = self.until(self.policy.returns.return_evidence_window)
            await self.ask("ask-return-evidence", self.photos, by=by, reason=reason, evidence_by=by)
        question = f"Is it our fault ({reason}) that {self.titles} comes back? {self.shown_so_far}{self.dates}"
        if await self.decision(question, "confirmed", "not_confirmed", fallback="confirmed") == "confirmed":
            await self.interrupted()
            return True
        self.fault = None
        await self.interrupted()
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
        ids = [line.line_id for line in lines_of(self.order, self.asked)]
        if len(ids) > 1:
            names = [f"line_{number} ({item.title})" for number, item in enumerate(self.order.lines(ids), 1)]
            options = [f"line_{number}" for number in range(1, len(ids) + 1)]
            question = f"In which line did another item arrive: {', '.join(names)}? {self.shown_so_far}"
            named = await self.decided(question, *options, "all_lines", fallback="all_lines")
            ids = [item.line_id for item in self.order.lines(ids)]
            ids = ids if named == "all_lines" else [ids[options.index(named)]]
        for line in ids[1:]:
            await self.open_case("wrong-item", wrong_item(self.order, self.asked, line))
        await self.hand_over("wrong-item", wrong_item(self.order, self.asked, ids[0]))
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
        if terms := way_back(self.order, eligible, self.policy):
            await self.open_case("return-parcel", agreed(self.order, eligible, terms))
        else:
            await self.open_case("return-escalation", eligible)
        # A fault that was not confirmed is not looked into again.
        reason = "changed_mind" if self.asked.reason in OUR_FAULT else self.asked.reason
        rest = self.asked.model_copy(update={"lines": judged.refused_lines, "reason": reason})
        await self.hand_over("return-request", rest)
        return await self.finish("handed_over")

    async def go_on(self) -> Outcome:
        """Hand an eligible return over: to return-parcel where its terms need no talk, else to the ladder."""
        terms = way_back(self.order, self.asked, self.policy)
        if terms:
            return await self.to_parcel(terms)
        await self.hand_over("return-escalation", self.asked)
        return await self.finish("handed_over")

    async def to_parcel(self, terms: ReturnTerms) -> Outcome:
        """Go on as return-parcel on these terms."""
        await self.hand_over("return-parcel", agreed(self.order, self.asked, terms))
        return await self.finish("handed_over", cause=terms.cause, at_fault=terms.our_fault)

    async def kept(self) -> bool:
        """Whether help or an exchange keeps the customer; a person sees to it."""
        by = self.until(self.policy.returns.retention_window)
        await self.send("retention-offer", reply_by=by)
        match await self.hear(Reply, by=by, unclear="insist"):
            case Reply(intent="help" | "exchange" as wish) as reply:
                what = "help with using" if wish == "help" else "an exchange of"
                await self.to_a_person(reply, f"the customer keeps the order and was promised {what} {self.titles}")
                return True
            case _:
                return False

    async def refused(self, judged: Judged) -> Reply | None:
        """Say with the reason why the goods may not come back; the customer's answer."""
        by = self.until(self.policy.returns.reply_window)
        ends, delivered = return_ends(self.order, self.policy), self.order.delivered_at
        titles: dict[str, list[JsonValue]] = {}
        for line, why in judged.refused.values():
            titles.setdefault(why, []).extend(item.title for item in self.order.lines([line.line_id]))
        await self.send(
            "return-not-eligible",
            late=titles.get("late", []),
            final_sale=titles.get("final_sale", []),
            not_returnable=titles.get("not_returnable", []),
            opened=titles.get("opened", []),
            labels_off=titles.get("labels_off", []),
            delivered_at=delivered or "",
            ended_at=ends or "",
            reply_by=by,
        )
        return await self.hear(Reply, by=by, unclear="insist")

    async def offer_goodwill(self) -> Outcome:
        """Offer money for keeping the goods to a customer who insists; who refuses it is decided by an operator."""
        amount = goodwill(self.order, self.asked, self.policy.returns.return_goodwill)
        if amount:
            by = self.until(self.policy.returns.reply_window)
            await self.send("goodwill-offer", goodwill=amount, reply_by=by)
            match await self.hear(Reply, by=by, unclear="decline"):
                case None:
                    return await self.finish("refused")
                case Reply(intent="accept"):
                    return await self.pay(amount)
                case _:
                    pass
        refuses = f" and refuses {amount} {self.order.currency} of goodwill" if amount else ""
        question = f"{self.titles} may not come back. The customer insists{refuses}. Accept the return all the same?"
        if await self.decided(question, "accept_return", "stay_refused", fallback="stay_refused") == "accept_return":
            await self.send("return-accepted-after-all")
            return await self.go_on()
        await self.send("return-stays-refused", agreed=False)
        return await self.finish("refused")

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

    async def decided(self, question: str, *options: str, fallback: str) -> str:
        """What an operator decides, unless the request ended meanwhile."""
        option = await self.decision(question, *options, fallback=fallback)
        await self.interrupted()
        return option

    async def interrupted(self, fact: Event | None = None) -> None:
        """Leave the way that the request is on where it was taken back or is disputed."""
        match fact or self.arrived(ReturnCancelled) or self.arrived(OrderCancelled) or self.arrived(DisputeOpened):
            case ReturnCancelled() | OrderCancelled():
                raise _Withdrawn
            case DisputeOpened() as dispute:
                await self.to_a_person(dispute, f"answer the platform by {dispute.respond_by or 'its date'}")
                raise _Disputed
            case _:
                return

    async def finish(self, result: str, *, cause: Cause = "customer", at_fault: bool = False) -> Outcome:
        """Close; a request that says again what we know is no news, one with another reason is for a person."""
        while again := self.arrived(ReturnRequested):
            if again.reason in (None, self.asked.reason):
                self.note("the request came again")
            else:
                await self.to_a_person(again, f"the request came again with another reason: {again.reason}")
        return await self.close(result, cause=cause, at_fault=at_fault)

    @property
    def claimed(self) -> Cause | None:
        """The cause of the fault of ours that the customer names; None without one."""
        reason = self.asked.reason
        return "service" if reason == "wrong_item" else OUR_FAULT.get(reason) if reason else None

    @property
    def titles(self) -> str:
        """The goods, for operators."""
        return ", ".join(i.title for i in self.order.lines([line.line_id for line in self.asked.lines]))

    @property
    def shown_so_far(self) -> str:
        """What the customer said and showed, for operators."""
        said = " ".join(dict.fromkeys(self.said)) or "nothing"
        return f"The customer wrote: “{said[:1000]}”. Photos: {', '.join(self.asked.photos) or 'none'}."

    @property
    def dates(self) -> str:
        """When the order left and arrived, for operators."""
        known = {"dispatched": self.order.dispatched_at, "delivered": self.order.delivered_at}
        return "".join(f" It was {what} {at:%Y-%m-%d}." for what, at in known.items() if at)


def _message(fact: CustomerEvent) -> Message:
    """What the customer wrote, also where it stands in a request."""
    if not isinstance(fact, ReturnRequested):
        return cast(Message, fact)
    known = fact.model_dump(include={"id", "source", "order_id", "time", "text"})
    return CustomerMessage(**known, attachments=fact.photos)
