"""dispute: a customer takes an order to the platform or to the bank."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales.clocks import Waits
    from aftersales.disputes import Claim, End, Word
    from aftersales.events import (
        DisputeDecided,
        DisputeOpened,
        DisputeUpdated,
        DisputeWithdrawn,
        Event,
        FurtherDispute,
        Message,
        OrderCancelled,
    )
    from aftersales.ids import case_id
    from aftersales.money import rounded
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import DecisionTaken, Outcome

from workflows import commands
from workflows.beside import at_most, until_not, whenever
from workflows.case import Case
from workflows.evidence import collected, filed
from workflows.values import Value

_CUSTOMER = Waits("customer", "disputes.evidence_lead", "the customer: the platform gets our evidence and decides")
_RULING = Waits("platform", "disputes.ruling_window", "nobody: an operator finds out what it decided")
_ANSWER = Waits("platform", "disputes.respond_within", "the shop: the platform decides without our evidence")


@workflow.defn(name="dispute")
class Dispute(Case):
    """A customer claims money back at the platform or the bank (`spec/processes.md` §18, `003 §13`, `000`).

    All that is known of the order is collected as evidence. A supervisor offers the money, or a part of it, or
    contests. Who accepts is asked to withdraw, and is paid once the platform says so, as is anybody who withdraws and
    has not refused. Shortly before the platform's date, which may move at any time, or as soon as somebody refuses,
    the evidence is submitted, again and again where it is not taken: silence never loses a case. Then the ruling is
    awaited, and an operator finds out where none comes. A lost one is appealed against where the policy finds it worth
    it. What a ruling takes counts as paid, and nothing that was offered is paid on top.

    Case id `dispute/<order>`; a further one, opened while that is open, `dispute/<order>/<claim id>`.
    """

    process = "dispute"
    LETTERS = {
        "dispute-solution": frozenset({"kind", "refund", "reply_by"}),
        "dispute-solution-reminder": frozenset({"kind", "refund", "reply_by"}),
        "dispute-withdraw-request": frozenset({"kind", "claim_id", "refund", "withdraw_by"}),
        "dispute-withdraw-request-reminder": frozenset({"kind", "claim_id", "refund", "withdraw_by"}),
        "dispute-goes-on": frozenset({"kind", "refund"}),
        "dispute-refunded": frozenset({"refund"}),
    }
    HEARS = (Message, DisputeOpened, DisputeUpdated, DisputeWithdrawn, DisputeDecided, OrderCancelled)
    OPTIONS = {
        "full": "offer all that is claimed and not yet paid back, for withdrawing the dispute",
        "partial": "offer a part: the amount that you name, else the policy's share",
        "settled": "the money is back already: ask the customer to withdraw the dispute",
        "contest": "offer nothing and submit the evidence to the platform now",
        "accept": "the customer takes the offer and is asked to withdraw the dispute",
        "decline": "the customer does not take the offer; the evidence is submitted",
        "leave": "do not give it to the platform; it decides without",
        "won": "the platform has decided for us",
        "lost": "the platform has decided for the customer: name what it takes, if that is not all that was claimed, "
        "or after an appeal what the first ruling took",
        "withdrawn": "the customer has withdrawn the dispute",
        "wait": "nothing is decided yet: it stays as it is, and you are asked again where that is due",
    }

    WAITS = dict.fromkeys(("dispute-solution", "dispute-withdraw-request"), _CUSTOMER) | dict.fromkeys(
        ("ruling", "appeal"), _RULING
    )

    promised = Decimal(0)
    """What the customer was offered and did not refuse; paid when the dispute is withdrawn."""
    offered = refunded = deciding = finding_out = stirring = False
    """Whether something was offered; the shop has paid the order back itself; a supervisor is choosing a solution;
    nothing is left but to find out how it ended; what does not wait is being taken in."""
    reference = ""
    """The platform's number for our evidence."""
    end: End | None = None
    """What has ended the dispute."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        await self.begin()
        await self.settle()
        if not self.is_over():
            await self.submit()
        elif self.due:
            # Evidence that is due and not wanted any more would leave no time to hear what has ended the dispute.
            self.claim.answered = True
        end = await self.ruling("ruling")
        if isinstance(end, DisputeDecided) and not end.won and await self.appeals(end):
            match await self.ruling("appeal"):
                case DisputeDecided(won=False) as lost:
                    amount = end.amount if lost.amount is None else lost.amount
                    return await self.finish("appealed_lost", lost.model_copy(update={"amount": amount}))
                case _:
                    return await self.finish("appealed_won")
        match end:
            case DisputeWithdrawn():
                return await self.withdrawn()
            case DisputeDecided(won=True):
                return await self.finish("won")
            case lost:
                return await self.finish("lost", lost)

    async def begin(self) -> None:
        """What is known when the dispute comes, and a watch over what may come at any time."""
        trigger = self.opened.trigger
        dispute = trigger.dispute if isinstance(trigger, FurtherDispute) else trigger
        assert isinstance(dispute, DisputeOpened), "routing opens it for nothing else"
        self.claim = Claim(dispute, self.policy.disputes, is_further=bool(self.ref.part))
        self.show_answer()
        self.watch = whenever(self.is_stirred, self.stir)
        self.pack = await collected(self, self.claim)

    async def settle(self) -> None:
        """Come to terms with the customer, as far as there is time before evidence is due."""
        choice = await self.solution()
        await self.hand_strays_on("the customer wrote before a solution was offered")
        if choice == "contest" or self.is_over():
            return
        self.offered, settled = True, choice == "settled" or self.refunded
        self.promised = Decimal(0) if settled else self.named(choice)
        if settled or await self.offer() == "accept":
            await self.ask_to_withdraw()

    async def solution(self) -> str:
        """What a supervisor chooses; when none does before evidence is due, we contest."""
        if self.due:
            return "contest"
        most, currency = self.most, self.order.currency
        ask = f"Offer money back, {most} {currency} at most, or contest" if most else "Is it settled, or do we contest"
        options = ("full", "partial", "contest") if most else ("settled", "contest")
        self.deciding = True
        choice = await self.decision(
            f"{ask}? {self.claim.dispute.kind} {self.claim.dispute.claim_id} over {self.claim.amount(self.order)} "
            f"{currency}, to be answered by {self.claim.respond_by:%Y-%m-%d %H:%M} UTC. The customer says: "
            f"“{self.claim.dispute.text[:1000] or 'nothing'}”. {self.pack.in_words}",
            *options,
            fallback="contest",
            by=self.claim.submit_at,
            source="disputes.evidence_lead",
            most=most or None,
            role="supervisor",
            costs={"full": most, "partial": self.claim.part(most, currency)} if most else {},
        )
        self.deciding = False
        return choice

    async def offer(self) -> str:
        """What the customer says to the offer: `accept`, `refused`, `over` where the dispute ended, else `due`."""
        by = self.claim.submit_at
        said: dict[str, Value] = {"kind": self.claim.dispute.kind, "refund": self.promised, "reply_by": by}
        if not await at_most(self.send("dispute-solution", **said), by, "dispute-solution"):
            return "due"
        return await self.remind("dispute-solution", self.reply, by=by, **said) or await self.late(self.reply)

    async def reply(self, by: datetime) -> str | None:
        """What the customer answers by this moment; what nobody can read leaves the offer open."""
        while fact := await self.hear(Reply, by=by, unclear="wait"):
            match fact:
                case Reply(intent="accept"):
                    return "accept"
                case Reply(intent="decline") | Reply(angry=True):
                    self.promised = Decimal(0)
                    return "refused"
                case Reply():
                    continue
                case _:
                    return "over"
        return self.due

    async def ask_to_withdraw(self) -> None:
        """Ask the customer to withdraw the dispute, and wait for that until evidence is due."""
        by, dispute = self.claim.submit_at, self.claim.dispute
        said: dict[str, Value] = {
            "kind": dispute.kind,
            "claim_id": dispute.claim_id,
            "refund": self.promised,
            "withdraw_by": by,
        }
        if await at_most(self.send("dispute-withdraw-request", **said), by, "dispute-withdraw-request"):
            await self.remind("dispute-withdraw-request", self.over, by=by, **said) or await self.late(self.over)

    async def over(self, by: datetime) -> str | None:
        """Whether the dispute ends by this moment."""
        return "over" if await self.hear(by=by) else self.due

    async def late(self, wait: Callable[[datetime], Awaitable[str | None]]) -> str:
        """What comes where the platform has moved its date back meanwhile."""
        found: str | None = None
        while not (found or self.due):
            found = await wait(self.claim.submit_at)
        return found or "due"

    async def submit(self) -> None:
        """Give the platform our evidence, and tell a customer who was offered something that the dispute goes on."""
        self.pack = await collected(self, self.claim)
        last = None if workflow.patched("evidence-is-given-by-a-date-that-moves") else self.claim.respond_by
        self.reference = await filed(self, self.claim, self.pack, "submit_evidence", last, self.is_over)
        self.claim.answered = True
        self.show_answer()
        if self.offered and not self.is_over():
            await self.send("dispute-goes-on", kind=self.claim.dispute.kind, refund=self.promised)

    async def ruling(self, stage: str) -> End:
        """What the platform decides, or the customer; where nothing comes, an operator finds out."""
        window = self.policy.disputes.ruling_window
        if not self.end:
            # A message does not wait for weeks until somebody has found out how it ended.
            self.finding_out = workflow.patched("what-comes-in-a-ruling-is-handed-on")
            self.enter(stage)
            await self.hear(by=self.until(window))
        while not self.end:
            question = (
                f"The platform has not said how the dispute {self.claim.name} ended (evidence "
                f"{self.reference or 'not submitted'}). What does it say there?"
            )
            options = ("won", "lost", "withdrawn", "wait")
            choice = await self.decision(
                question,
                *options,
                fallback="wait",
                within=window,
                source="disputes.ruling_window",
                most=self.order.total,
            )
            if self.is_over() or (choice == "wait" and self.state.decisions[-1].by):
                await self.hear(by=self.until(window))
            else:
                self.end = self.claim.found(choice, self.state.decisions[-1].amount, workflow.now())
        return self.end

    async def appeals(self, lost: DisputeDecided) -> bool:
        """Whether we have appealed: where the policy finds it worth it, there is evidence, and it is not too late."""
        terms, taken = self.policy.disputes, self.taken(lost)
        last = lost.time + terms.ruling_appeal_window
        if not (terms.worth_an_appeal(taken, self.order.currency) and self.pack.proofs):
            return False
        if workflow.now() >= last:
            return False
        self.end, self.pack = None, await collected(self, self.claim)
        return bool(await filed(self, self.claim, self.pack, "appeal", last, self.is_over))

    async def withdrawn(self) -> Outcome:
        """Pay what was promised, less what has come back to the customer by another way meanwhile, and say so."""
        if self.promised:
            self.pack = await collected(self, self.claim)
        owed = Decimal(0) if self.refunded else min(self.promised, self.pack.left(self.order))
        if owed:
            await self.command("refund", pays="refund", amount=owed, claim_id=self.claim.dispute.claim_id)
        if self.offered:
            await self.send("dispute-refunded", refund=owed)
        return await self.finish("withdrawn", at_fault=bool(owed))

    async def finish(self, result: str, lost: DisputeDecided | None = None, *, at_fault: bool = False) -> Outcome:
        """Close the case: what a lost ruling takes has left for the order, and each further dispute has its case."""
        if lost and (amount := self.taken(lost)):
            await commands.charge(self, "claim_lost", amount)
        stage, at_fault, outcome = self.state.stage, at_fault or lost is not None, None
        await self.opened_others()
        while outcome is None or (await self.opened_others() and self.state.inbox):
            self.state.stage = stage
            outcome = await self.close(result, cause="service" if at_fault else "customer", at_fault=at_fault)
        return outcome

    async def opened_others(self) -> bool:
        """Wait until what does not wait is taken in, as a case that has ended opens none; whether there was any."""
        if not (self.opens_another() and workflow.patched("a-further-dispute-has-its-case-before-the-end")):
            return False
        await until_not(self.opens_another)
        return True

    def opens_another(self) -> bool:
        """Whether a further dispute may not have its case yet."""
        return not self.watch.done() and (self.stirring or self.state.awaits((DisputeOpened,)))

    async def hear(self, *kinds: type[Event], by: datetime, unclear: str = "") -> Event | None:
        """The next of these facts, or what ends the dispute, by this moment and at most until evidence is due."""
        kinds = (*kinds, DisputeWithdrawn, DisputeDecided)
        while fact := await self.next(*kinds, by=min(by, self.claim.last), unclear=unclear):
            match fact:
                case DisputeWithdrawn() | DisputeDecided() if not self.claim.is_meant(fact):
                    await self.not_meant(fact)
                case DisputeWithdrawn() | DisputeDecided():
                    self.end, self.claim.answered = fact, True
                    return fact
                case _:
                    return fact
        return None

    def show_answer(self) -> None:
        """Show by when the platform wants our answer, for as long as it has none."""
        dated = _ANSWER._replace(source="the platform's respond_by")
        at = None if self.claim.answered else self.claim.respond_by
        self.clock("answer", at, dated if self.claim.is_dated else _ANSWER)

    def is_over(self) -> bool:
        """Whether something is here that ends the dispute."""
        here = (item.event for item in self.state.inbox)
        return bool(self.end) or any(isinstance(event, End) and self.claim.is_meant(event) for event in here)

    def is_stirred(self) -> bool:
        """Whether something has come that does not wait: another date, another dispute, or the end of this one."""
        news, deadline = self.state.awaits((DisputeOpened, DisputeUpdated, OrderCancelled)), self._board.deadline
        return (
            news
            or (self.asks and not self.end and self.is_over())
            or (self.asks and self.finding_out and self.state.awaits((Message,)))
            or (deadline is not None and deadline > self.claim.last)
        )

    async def stir(self) -> None:
        """Take it in, whatever the case is waiting for; an open question ends with the dispute, or in time."""
        self.stirring = True
        while moved := self.arrived(DisputeUpdated):
            self.note(f"{moved.type}: answer by {moved.respond_by:%Y-%m-%d %H:%M %Z}")
            if self.claim.is_meant(moved):
                self.claim.move(moved.respond_by, moved.time)
            else:
                await self.not_meant(moved)
        while cancelled := self.arrived(OrderCancelled):
            self.refunded |= cancelled.refunded
            self.note(f"{cancelled.type}: {'paid back' if cancelled.refunded else 'not paid back yet'}")
            if not cancelled.refunded:
                await self.to_a_person(cancelled, "the order was cancelled, in a dispute about it: is its money back?")
        while opened := self.arrived(DisputeOpened):
            if self.claim.is_new(opened):
                known: dict[str, Any] = opened.model_dump(include={"id", "source", "order_id", "time"})
                await self.open_case("dispute", FurtherDispute(**known, order=self.order, dispute=opened))
        if self.finding_out:
            await self.hand_strays_on("the customer wrote when nothing was left but to hear how the dispute ended")
        self.show_answer()
        question, deadline = self._board.question, self._board.deadline
        if question and self.asks and not self.end and self.is_over():
            question.answer = DecisionTaken(
                question=question.text,
                option=question.fallback,
                by="the platform",
                reason="the dispute is over",
                at=workflow.now(),
            )
        elif deadline and (self.deciding or deadline > self.claim.last):
            self._board.show(self.claim.last)
        self.stirring = False

    async def not_meant(self, word: Word) -> None:
        """What is said of another dispute is for its case, or for a person where there is none."""
        part = [word.claim_id] if word.claim_id and not self.claim.is_further else []
        other = case_id("dispute", self.ref.order_id, *part)
        await self.to_a_person(word, f"it is about another dispute than {self.claim.name}", unless_taken_by=other)

    def named(self, choice: str) -> Decimal:
        """The money of a solution: all, or the part that was named, else the policy's share of it."""
        if choice == "full":
            return self.most
        named, currency = self.state.decisions[-1].amount, self.order.currency
        return self.claim.part(self.most, currency) if named is None else rounded(named, currency)

    def taken(self, lost: DisputeDecided) -> Decimal:
        """What a ruling takes: what the platform says, else what was claimed and is not paid back yet."""
        return self.most if lost.amount is None else lost.amount

    @property
    def most(self) -> Decimal:
        """What can be offered: what is claimed, and not yet paid back."""
        return min(self.claim.amount(self.order), self.pack.left(self.order))

    @property
    def due(self) -> str | None:
        """`due` once evidence is."""
        return "due" if workflow.now() >= self.claim.submit_at else None

    @property
    def asks(self) -> bool:
        """Whether a question is open."""
        return self._board.question is not None and self._board.question.answer is None
