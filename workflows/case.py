"""Case: the small toolkit that every process speaks.

A process is a concrete class whose `run` says its rule in these verbs: `send` a letter, await the `next` fact, ask for
a `decision`, give a `command`, `enter` a stage, `hand_over` to another process, `close`. Case itself has no run method.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, TypeVar, cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.outcomes import HandBackRequest, Introduction, OutcomeRequest
    from aftersales import deadlines
    from aftersales.about import goods_of
    from aftersales.clocks import Clock, Waits, waiting
    from aftersales.commands import CommandType
    from aftersales.correspondence import Correspondence
    from aftersales.events import Envelope, Event, Message, OrderUpdated
    from aftersales.money import rounded
    from aftersales.opening import CaseOpened, Reply
    from aftersales.outcome import Cause, DecisionTaken, Extended, Kind, Outcome
    from aftersales.people import Role

from workflows import commands, effects, handover, letters, messages
from workflows.board import Board
from workflows.details import WITH_AMOUNT, Question
from workflows.requests import Decide, Extend
from workflows.values import Value

F = TypeVar("F", bound=Event)
T = TypeVar("T")
_ALWAYS = datetime.max.replace(tzinfo=UTC)
_LONG_HISTORY = 3_000
"""Events of a run after which it continues as new, with room for what may still come in at once."""


class Case:
    """One run of one process for one order: its handlers and its verbs."""

    process: ClassVar[str]
    """The process's name, as in the last section of the rules."""
    LETTERS: ClassVar[Mapping[str, frozenset[str]]]
    """The letters it sends, each with the variables it gives beyond the common ones."""
    OPTIONS: ClassVar[Mapping[str, str]] = {}
    """The options of its decisions and what each one does, in the words that operators read beside it."""
    HEARS: ClassVar[tuple[type[Event], ...]]
    """The events that are meant for it while it runs."""
    WAITS: ClassVar[Mapping[str, Waits]] = {}
    """What its stages wait with: whose time runs, where its length is written, who loses when it passes."""
    REOPENS: ClassVar[Mapping[str, str]] = {}
    """The results after which a late message reopens it, each with what the message must mean; empty for anything."""

    @workflow.init
    def __init__(self, opened: CaseOpened) -> None:
        self.opened, self.order, self.policy = opened, opened.order, opened.policy
        self.ref = opened.ref(self.process, workflow.info().workflow_id)
        self.state = opened.memory(workflow.now())
        self._board = Board(self.state, self.policy.operators, self.order, self.WAITS)
        self.successor = ""
        """The case that goes on after this one, once it was handed over."""
        self.introduces: Introduction | None = None
        """The same, where it was opened for that: nobody outside knows it yet."""

    @workflow.signal(description="An event of the order, as docs/events.md describes it, its data beside its envelope")
    def event(self, envelope: Envelope) -> None:
        """Take an order event into the inbox; a repeat changes nothing."""
        event = envelope.root
        if self.state.receive(event, workflow.now()) and isinstance(event, OrderUpdated) and event.order:
            self.order = event.order
        if self._board.question:
            self._board.tell()

    @workflow.update(description='Decide: {"option": "…", "by": "your name", "reason": "why"}')
    def decide(self, decision: Decide) -> str:
        """Take an operator's decision."""
        return self._board.answer(decision)

    @decide.validator
    def _may_decide(self, decision: Decide) -> None:
        self._board.check_decision(decision)

    @workflow.update(
        description='Move the deadline: {"until": "2026-12-01T12:00:00Z", "by": "your name", "reason": "why"}'
    )
    def extend(self, extension: Extend) -> str:
        """Move the deadline that the case waits for."""
        until, before, by = cast(datetime, extension.until), cast(datetime, self._board.deadline), extension.by.strip()
        why = extension.reason.strip()
        self.state.extended.append(
            Extended(stage=self.state.stage, before=before, after=until, by=by, reason=why, at=workflow.now())
        )
        self.note(f"{by} moved the deadline from {before:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M %Z}: {why}")
        self._board.show(until)
        return f"waits until {until.isoformat(timespec='seconds')}"

    @extend.validator
    def _may_extend(self, extension: Extend) -> None:
        self._board.check_extension(extension)

    @workflow.query(description="The decision that is open now, with its options; null where none is")
    def open_decision(self) -> Question | None:
        """The question that waits for an operator."""
        return self._board.asked

    @workflow.query(description="The dates that run: whose they are, where they are written, who loses; nearest first")
    def clocks(self) -> list[Clock]:
        """Every clock of the case."""
        return self._board.clocks

    async def send(self, letter: str, **values: Value) -> None:
        """Send a letter in the customer's language; the case's stage is then the letter's name.

        The letter at which a lapsed case reopens keeps the key under which it was sent, so that it is not sent again.
        One that the order's channel forbids is held for an operator; without a decision it is left out.
        """
        await letters.send(self, letter, values)

    async def next(
        self, *kinds: type[F], within: timedelta = timedelta(), by: datetime | None = None, unclear: str = ""
    ) -> F | None:
        """The next fact of these kinds, or None at the deadline: `within` a window from now, or `by` a moment.

        A fact counts as in time by the clock in its message (rule 7). `Reply` stands for the customer's messages, read;
        with `unclear`, one that nobody can read goes to an operator, and this is what it means when none decides.
        Facts of other kinds stay for the stage that names them; a message that nobody awaits goes to a person.
        """
        awaited: tuple[type[Event], ...] = tuple(Message if kind is Reply else kind for kind in kinds)
        deadline = by or self.until(within)
        self._board.show(deadline)
        if waiting(self.state.stage, deadline, self.WAITS).whose == "customer":
            self.state.written.awaits(self.state.stage)
        while True:
            fact = self.state.take(awaited, before=self._board.deadline or deadline)
            if isinstance(fact, Message) and Reply in kinds:
                return cast(F, await messages.read(self, fact, unclear))
            if fact:
                self.note(f"{fact.type} arrived")
                return cast(F, fact)
            if Message not in awaited and self.state.awaits((Message,)):
                await self.hand_strays_on(f"the case had no question open at stage {self.state.stage}")
            elif not await self._wait(lambda: self.state.awaits((*awaited, Message))):
                self.note(f"nothing came by the deadline of {self.state.stage}")
                return None

    def arrived(self, kind: type[F]) -> F | None:
        """The earliest fact of this kind that is here already."""
        return cast(F | None, self.state.take((kind,), before=_ALWAYS))

    async def ask(
        self, letter: str, wait: Callable[[datetime], Awaitable[T | None]], *, by: datetime, **values: Value
    ) -> T | None:
        """Send a letter that asks for something; what `wait` brings by this moment, or None.

        Half-way without it, the letter's reminder goes out, with those of the letter's values that it takes.
        """
        await self.send(letter, **values)
        return await self.remind(letter, wait, by=by, **values)

    async def remind(
        self, letter: str, wait: Callable[[datetime], Awaitable[T | None]], *, by: datetime, **values: Value
    ) -> T | None:
        """As `ask`, where the letter itself is out already."""
        reminder = f"{letter}-reminder"
        found = await wait(deadlines.half(workflow.now(), by))
        if found is None:
            await self.send(reminder, **{name: values[name] for name in self.LETTERS[reminder]})
            found = await wait(by)
        return found

    async def decision(
        self,
        question: str,
        *options: str,
        fallback: str,
        within: timedelta | None = None,
        by: datetime | None = None,
        most: Decimal | None = None,
        role: Role = "operator",
        besides: tuple[str, ...] = (),
        costs: Mapping[str, Decimal] | None = None,
        source: str = "operators.operator_window",
    ) -> str:
        """An operator's choice among `options`; after the operator window the fallback, flagged as missed (rule 5).

        `within` is another window, `by` a moment, `source` where that is written. Where `most` is given, the operator
        may name an amount up to it with the options that take one (`WITH_AMOUNT`). `role` is who must decide, `besides`
        who must not, as it was their idea. `costs` is what options cost, where that is known: who decides about much
        money needs a role, or a second person.
        """
        stage, self.state.stage = self.state.stage, "decision"
        known = {**letters.OPTIONS, **commands.OPTIONS, **self.OPTIONS}
        takes = tuple(option for option in options if most is not None and option in WITH_AMOUNT)
        does = {option: known.get(option, "") for option in options}
        asked = self._board.ask(
            Question(
                text=question,
                options=options,
                does=does,
                fallback=fallback,
                most=most if takes else None,
                takes=takes,
                role=role,
                besides=besides,
                costs=costs or {},
                source=source,
            )
        )
        self._board.show(by or self.until(self.policy.operators.operator_window if within is None else within))
        while not asked.answer and await self._wait(lambda: asked.answer is not None):
            continue
        taken = asked.answer or DecisionTaken(question=question, option=fallback, at=workflow.now())
        self.state.stage, self._board.question = stage, None
        self.state.decisions.append(taken)
        both = f"{taken.by} and {taken.seconded_by}" if taken.seconded_by else taken.by
        who = f"{both} decided" if taken.by else "nobody decided in time, so the policy did"
        self.note(f"{who}: {taken.option}" + (f" ({taken.reason})" if taken.reason else ""))
        return taken.option

    def named_or(self, unnamed: Decimal) -> Decimal:
        """The amount that the last decision named, which may be 0; another where it named none."""
        said = self.state.decisions[-1].amount
        if said is None:
            return unnamed
        named = rounded(said, self.order.currency)
        # In a case of an earlier build a 0 is no amount.
        return named if named or workflow.patched("zero-is-an-amount") else unnamed

    async def command(
        self,
        name: CommandType,
        *,
        pays: Kind | None = None,
        amount: Decimal | None = None,
        instead: str = "",
        replaces: CommandType | None = None,
        **data: Value,
    ) -> str:
        """Have a counterpart do something, once; returns its reference.

        `pays` says under which kind the outcome books the amount, and that it counts against the order's total (rule
        8). What is refused, or over the total, goes to an operator; without a decision it is tried again. Where one
        that only asks (`ASKING`) is refused, a person is told and the case goes on; the reference is then empty. Where
        `instead` names another way, the operator may choose that one, and it is taken when none decides: then the
        reference is empty and nothing is booked; so it is where a supervisor says no to a payment over the total, and
        then no letter of the case goes out any more. The last command named by `replaces` came to nothing after all.
        """
        return await commands.give(self, name, pays, amount, instead=instead, replaces=replaces, data=data)

    def enter(self, stage: str) -> None:
        """Name the stage that the case is in; it shows with the next deadline."""
        self.state.stage = stage

    def clock(self, what: str, at: datetime | None, waits: Waits) -> None:
        """Show a date that runs beside the one that the case waits for; None where it runs no more."""
        self.state.clocks.pop(what, None)
        if at:
            self.state.clocks[what] = Clock(what=what, at=at, whose=waits.whose, source=waits.source, loses=waits.loses)

    def until(self, window: timedelta) -> datetime:
        """The moment at which a window from now ends, by the clock that the policy names (rule 10)."""
        return deadlines.deadline(workflow.now(), window, self.policy.operators.hours)

    async def hand_over(self, process: str, event: Event) -> None:
        """Open another process's case with this event; it lives on by itself, and its parent shows in the Web UI.

        It is the successor of this case, which hands it what is left in the inbox.
        """
        self.successor = await handover.hand_over(self, process, event)

    async def open_case(self, process: str, event: Event, *known: Event) -> None:
        """Open another process's case beside this one, which goes on; `known` is what it is to know from the start."""
        await handover.open_beside(self, process, event, known)

    async def to_a_person(self, event: Event, why: str, *, unless_taken_by: str = "") -> None:
        """Put an event for which there is no rule on the list that a person reads, and tell a customer so who wrote.

        `unless_taken_by` is another case, which may have had it from elsewhere.
        """
        await self.tell(event.identity, why, unless_taken_by=unless_taken_by)
        self.note(f"{event.type} for a person: {why}")
        if isinstance(event, Message | Reply):
            await messages.acknowledge(self)

    async def hand_strays_on(self, why: str) -> None:
        """Put messages that the case has no question for on the list that a person reads."""
        while stray := self.state.take((Message,), before=_ALWAYS):
            await self.to_a_person(stray, why)

    async def renew(self) -> None:
        """Continue as new before the history grows past 4,000 events, with all that the case remembers (§4)."""
        info = workflow.info()
        if info.is_continue_as_new_suggested() or info.get_current_history_length() >= _LONG_HISTORY:
            await workflow.wait_condition(workflow.all_handlers_finished)
            self.state.story = self.state.story[-30:]
            if not self.policy.counts:
                self.state.written, self.state.back = Correspondence(), {}
            workflow.continue_as_new(self.opened.model_copy(update={"order": self.order, "state": self.state}))

    async def close(self, result: str, *, cause: Cause = "customer", at_fault: bool = False) -> Outcome:
        """End the case: the last word is ours (rule 4), the outcome is written down (rule 9), the inbox is empty."""
        stage, outcome = self.state.stage, None
        while outcome is None or self.state.inbox:
            while self.state.inbox:
                await handover.clear(self, self.state.inbox.pop(0).event)
            if self.state.owes_an_answer and not self.successor:
                await messages.acknowledge(self)
            outcome = self.state.outcome(
                self.ref,
                result=result,
                stage=stage,
                cause=cause,
                at_fault=at_fault,
                currency=self.order.currency,
                policy_version=self.policy.version,
                at=workflow.now(),
                goods=goods_of(self.opened.trigger, self.order, self.state.back),
                reply_within=self.policy.report.reply_within if self.policy.counts else None,
            )
            self.state.stage = "closed"
            self._board.show(None, result)
            await effects.record_outcome(
                self.state.next_id("outcome"), OutcomeRequest(outcome=outcome, successor=self.introduces)
            )
        await workflow.wait_condition(workflow.all_handlers_finished)
        return outcome

    async def _wait(self, arrived: Callable[[], bool]) -> bool:
        """Wait until something arrived or the deadline moved; False when the deadline passed first."""
        deadline = cast(datetime, self._board.deadline)
        left = deadline - workflow.now()
        if left <= timedelta():
            return False
        summary = f"{self.state.stage}: until {deadline:%Y-%m-%d %H:%M:%S} UTC"
        try:
            await workflow.wait_condition(
                lambda: arrived() or self._board.deadline != deadline, timeout=left, timeout_summary=summary
            )
        except TimeoutError:
            return arrived() or self._board.deadline != deadline
        except asyncio.CancelledError:
            # The Web UI offers it first, and it would end the case without outcome and answer.
            cast("asyncio.Task[Any]", asyncio.current_task()).uncancel()
            self.note("cancellation was asked for and not followed: a case ends by its rule, or by a decision")
            self._board.show(deadline)
        return True

    async def tell(self, identity: str, why: str, *, unless_taken_by: str = "") -> None:
        """Put something on the list that a person reads, under this identity."""
        request = HandBackRequest(case=self.ref, identity=identity, detail=why, unless_taken_by=unless_taken_by)
        await effects.hand_back(self.state.next_id("hand_back"), request)

    def key(self, activity_id: str, trigger: str = "") -> str:
        """The idempotency key of an effect: the same on every retry, and after a reset, which changes the run id."""
        return f"{self.ref.case_id}#{trigger or self.ref.trigger}#{activity_id}"

    def note(self, what: str) -> None:
        """Add a line to the story that operators read."""
        self.state.note(what, workflow.now())
