"""inquiry: a message that belongs to no open case."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from aftersales import inquiries
    from aftersales.clocks import Waits
    from aftersales.consignment import tracked
    from aftersales.deadlines import deadline
    from aftersales.events import CustomerConfirmed, Message, OrderCancelled, OrderShipped
    from aftersales.ids import case_id
    from aftersales.opening import CaseOpened
    from aftersales.order import Item
    from aftersales.outcome import Outcome
    from aftersales.people import Role
    from aftersales.return_eligibility import return_ends
    from aftersales.return_words import line_options
    from aftersales.units import format_duration

from workflows import messages
from workflows.case import Case
from workflows.passing import taken_by


@workflow.defn(name="inquiry")
class Inquiry(Case):
    """A customer writes, and no open case awaits it (`spec/processes.md` §17, `001`, `002`).

    The message is classified. What has a process starts that process, a question about a parcel that is watched goes to
    its watch, and what order and policy can answer is answered; then the customer is asked whether that helped. Silence
    for the confirm window says yes, as does the customer; a no goes to a supervisor, and what the customer writes
    besides is read like the first message. What the classifier is not sure of, or what is for a person by its nature,
    an operator reads, after an acknowledgement where the first response would come too late otherwise; where no
    operator does, a supervisor. What nobody solves is put on the list that a person reads. After as many answers as a
    case may give, a person reads what comes. Thanks get thanks.

    Case id `inquiry/<order>`.
    """

    process = "inquiry"
    LETTERS = {
        "acknowledgement": frozenset({"answer_by"}),
        "answer-order-state": frozenset(
            {"state", "sent_at", "delivered_at", "carrier", "tracking_number", "tracking_url"}
        ),
        "answer-return-policy": frozenset({"until", "window"}),
        "answer-cancel": frozenset({"state", "until"}),
        "answer-thanks": frozenset(),
        "solved-question": frozenset({"confirm_by"}),
        "inquiry-closed": frozenset(),
    }
    HEARS = (Message, CustomerConfirmed, OrderShipped)
    WAITS = {
        "solved-question": Waits("customer", "inquiries.confirm_window", "the customer: silence says that it is solved")
    }
    OPTIONS = {
        "where_is_my_order": "the customer asks for the order: one that has not left is seen to, else its state told",
        "return_policy": "the customer is told until when and how goods can be returned",
        "return": "the customer wants to return goods; a return request is opened",
        "wrong_item": "something else arrived than was ordered; a case of its own sees that the right item comes",
        "complaint": "goods, delivery or service are bad, such as goods that arrived damaged; a complaint is opened",
        "exchange": "the customer wants the same goods new; an exchange is opened. Another product: answer by hand",
        "repair": "the customer wants the goods repaired; a repair is opened",
        "change": "the customer wants the order changed, and is asked what. Where the message says it, enter it as a "
        "change yourself (./dev route … --as order.change_requested) and choose answered_by_hand",
        "invoice": "the customer wants an invoice",
        "gift": "the customer asks for a gift",
        "free_shipping": "the customer asks for free shipping",
        "answered_by_hand": "you have answered the customer yourself; we ask whether that helped",
        "nothing": "it asks for nothing; the inquiry is closed",
        "escalate": "a supervisor decides",
        "unsolved": "nobody can solve it now: the message goes on the list that a person reads",
        "all_lines": "the whole order is meant",
        "solved": "the question is answered; the inquiry is closed",
    }

    answers = 0
    """How many answers the customer has had, to this or that."""

    @workflow.run
    async def run(self, opened: CaseOpened) -> Outcome:
        """The rule."""
        self.begin(opened)
        topic = await self.read(cast(Message, opened.trigger))
        while True:
            match topic:
                case "solved":
                    return await self.finish("solved")
                case "thanks":
                    await self.send("answer-thanks")
                    return await self.close("answered")
                case "nothing":
                    return await self.finish("answered")
                case "unsolved":
                    return await self.escalated()
                case _ if await self.handed_on(topic):
                    return await self.close("handed_over")
                case _:
                    await self.answer(topic)
                    topic = await self.solved()

    def begin(self, opened: CaseOpened) -> None:
        """What is known of the order's past."""
        self.cancelled = self.arrived(OrderCancelled) is not None
        self.parcels = list[OrderShipped]()
        self.learn()

    def learn(self) -> None:
        """Take note of what has left."""
        while parcel := self.arrived(OrderShipped):
            self.parcels.append(parcel)

    async def read(self, message: Message) -> str:
        """The topic of a message: by the classifier where it is sure and the matter needs no person, else by one."""
        self.message = message
        read = await messages.classified(self, message)
        self.state.angry |= read.angry
        self.urgent = read.urgent
        moods = [name for name, shown in (("urgent", read.urgent), ("angry", read.angry)) if shown]
        language = read.language or message.language or self.order.customer.language
        self.told = (
            f"{', '.join(['A message', *moods])} in {language}, "
            f"likely about {read.intent} ({read.confidence:.0%}): “{message.text[:1000]}”. "
            f"Attachments: {', '.join(message.attachments) or 'none'}.{read.problem and f' ({read.problem})'}"
        )
        self.note(self.told)
        match inquiries.topic_of(read, message):
            case "thanks" if self.answers:
                return "solved"
            case "cancel" | "return" if not (self.left or self.cancelled):
                return await self.judged()
            case _ if self.answers >= self.policy.inquiries.answers_at_most and workflow.patched("answers-at-most"):
                return await self.judged(why=f"The customer has had {self.answers} answers. ")
            case topic:
                return topic or await self.judged()

    async def judged(self, *, by_supervisor: bool = False, why: str = "") -> str:
        """The topic that a person names; where no operator does, a supervisor, and where none does, it is unsolved."""
        await self.acknowledge()
        topics = ("where_is_my_order", "return_policy", "return", "wrong_item", "complaint", "exchange", "repair")
        others = ("change", "invoice", "gift", "free_shipping", "answered_by_hand")
        last = ("unsolved",) if by_supervisor else ("nothing", "escalate")
        role: Role = "supervisor" if by_supervisor else "operator"
        question = f"{why}{self.told} What is to be done?"
        choice = await self.decision(question, *topics, *others, *last, fallback=last[-1], role=role)
        if choice == "escalate":
            return await self.judged(by_supervisor=True, why="No operator has solved this. ")
        return choice

    async def acknowledge(self) -> None:
        """Tell the customer that a person reads the message, where the first answer could come too late otherwise."""
        channel = inquiries.channel_of(self.message, self.order)
        window = self.policy.inquiries.first_response_on(channel)
        due = deadline(self.message.happened_at, window, self.policy.operators.hours)
        answer_by = self.until(self.policy.operators.operator_window)
        if self.state.owes_an_answer and answer_by >= due:
            self.state.acknowledged_at = workflow.now()
            await self.send("acknowledgement", answer_by=answer_by)

    async def handed_on(self, topic: str) -> bool:
        """Whether another case goes on with the message: the watch of its parcel, or one that its topic starts."""
        self.learn()
        if topic == "where_is_my_order" and (self.left or self.cancelled):
            return await self.watched()
        lines = await self.lines() if topic in inquiries.ABOUT_LINES else ()
        requests = inquiries.requests(topic, self.message, self.order, lines, urgent=self.urgent)
        for request in requests[1:]:
            await self.open_case(request.process, request.event)
        for request in requests[:1]:
            await self.hand_over(request.process, request.event)
        return bool(requests)

    async def watched(self) -> bool:
        """Whether the watch of a parcel takes the message, the newest first; none where it comes from a watch."""
        if self.message is self.opened.trigger and self.message.case_id == self.ref.case_id:
            return False
        for parcel in reversed(self.parcels):
            if await taken_by(
                self, self.message, case_id("shipment-watch", self.ref.order_id, parcel.parcel.parcel_no)
            ):
                return True
        return False

    async def lines(self) -> Sequence[Item]:
        """The lines that the message is about, as it names them, else as an operator does; without one all of them."""
        if named := inquiries.lines_named(self.order, self.message.text):
            return named
        await self.acknowledge()
        options = line_options(self.order.items)
        names = ", ".join(f"{option} ({item.title})" for option, item in options.items())
        chosen = await self.decision(
            f"{self.told} Which line is it: {names}?", *options, "all_lines", fallback="all_lines"
        )
        return (options[chosen],) if chosen in options else self.order.items

    async def answer(self, topic: str) -> None:
        """Answer from what order and policy say; a person who has answered by hand has done it."""
        until = return_ends(self.order, self.policy)
        if until and until < workflow.now():
            until = None
        match topic:
            case "return_policy":
                window = format_duration(self.policy.returns.window_for(self.order.market))
                await self.send("answer-return-policy", until=until or "", window=window)
            case "cancel":
                await self.send("answer-cancel", state=self.order_state, until=until or "")
            case "where_is_my_order":
                await self.order_facts()
            case _:
                self.note("a person has answered")

    async def order_facts(self) -> None:
        """Where the order is, as far as we know."""
        parcel = tracked(self.parcels[-1]) if self.parcels else {}
        await self.send(
            "answer-order-state",
            state=self.order_state,
            sent_at=self.sent_at or "",
            delivered_at=self.order.delivered_at or "",
            carrier=parcel.get("carrier", ""),
            tracking_number=parcel.get("tracking_number", ""),
            tracking_url=parcel.get("tracking_url", ""),
        )

    async def solved(self) -> str:
        """Whether the answer helped; `solved`, what a supervisor says to a no, or the topic of the next message."""
        self.answers += 1
        await self.hand_strays_on("the customer wrote while a person decided about another message")
        by = self.until(self.policy.inquiries.confirm_window)
        await self.send("solved-question", confirm_by=by)
        match await self.next(Message, CustomerConfirmed, by=by):
            case None | CustomerConfirmed(solved=True):
                return "solved"
            case CustomerConfirmed():
                return await self.judged(by_supervisor=True, why="The customer says that this is not solved. ")
            case message:
                return await self.heard(cast(Message, message))

    async def heard(self, message: Message) -> str:
        """What a message says to the question whether the answer helped; one that does not say is read as a new one."""
        match (await messages.read(self, message, "")).intent:
            case "solved":
                return "solved"
            case "unsolved":
                why = f"The customer wrote, when we asked whether it is solved: “{message.text[:500]}”. "
                return await self.judged(by_supervisor=True, why=why)
            case _:
                return await self.read(message)

    async def finish(self, result: str) -> Outcome:
        """Close; the last word is ours."""
        if self.state.owes_an_answer:
            await self.send("inquiry-closed")
        return await self.close(result)

    async def escalated(self) -> Outcome:
        """Nobody could solve it: a person reads it, and the customer is told so."""
        await self.to_a_person(self.message, "the inquiry was not solved")
        return await self.close("unsolved_escalated", cause="service")

    @property
    def left(self) -> bool:
        """Whether something of the order has left."""
        return bool(self.parcels or self.order.dispatched_at or self.order.delivered_at)

    @property
    def sent_at(self) -> datetime | None:
        """When the newest parcel left."""
        return self.parcels[-1].happened_at if self.parcels else self.order.dispatched_at

    @property
    def order_state(self) -> str:
        """What the order is: `cancelled`, `delivered`, or `sent`."""
        if self.cancelled:
            return "cancelled"
        return "delivered" if self.order.delivered_at else "sent"
