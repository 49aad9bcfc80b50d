"""What a running case remembers: everything that must survive continue-as-new, in one value."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from operator import not_
from typing import Annotated, Any, cast

from pydantic import BaseModel, Field

from aftersales.clocks import Clock
from aftersales.correspondence import Correspondence, Written
from aftersales.events import (
    AnyEvent,
    CustomerConfirmed,
    Event,
    Message,
    OrderCancelled,
    PaymentReceived,
    ReturnCancelled,
    ReturnReceived,
)
from aftersales.model import Amount, Time
from aftersales.outcome import Cause, DecisionTaken, Extended, Goods, Kind, Outcome
from aftersales.parcels import Tracking
from aftersales.records import CaseRef
from aftersales.variants import key_of

_ENVELOPE = set(Event.model_fields)
_DEEDS = (CustomerConfirmed, PaymentReceived, ReturnCancelled, ReturnReceived)
"""Events by which a customer does what a letter asks, or says that it is not wanted any more."""


class Arrival(BaseModel):
    """An event that reached the case and when. It counts from when it happened, but never later than it arrived."""

    event: AnyEvent
    arrived_at: Time

    @property
    def counts_at(self) -> datetime:
        """The moment that is compared with a deadline (rule 7)."""
        return min(self.event.happened_at, self.arrived_at)

    @property
    def line(self) -> str:
        """What an operator reads of it while it waits."""
        at = f"{self.counts_at:%Y-%m-%d %H:%M} UTC"
        if isinstance(self.event, Message):
            return f"{at}, the customer wrote: “{(self.event.text or f'choice {self.event.choice}')[:300]}”"
        told = self.event.model_dump(mode="json", exclude=_ENVELOPE, exclude_defaults=True)
        facts = ", ".join(f"{name} {value}" for name, value in told.items() if isinstance(value, str | int))
        return f"{at}, {self.event.type}" + (f": {facts[:300]}" if facts else "")


class Happening(BaseModel):
    """One line of the case's story, as operators read it."""

    at: Time
    what: str


class CaseState(BaseModel):
    """The memory of a case: its inbox, what it did so far, and what it will write down when it closes."""

    stage: str = "opened"
    inbox: list[Arrival] = []
    seen: set[str] = Field(default_factory=set)
    done: dict[str, int] = {}
    """How often each letter and command was sent, by its activity's name: gives every effect its own id."""
    choices: tuple[str, ...] = ()
    """The ids of the choices in the last letter that offered any."""
    angry: bool = False
    amounts: dict[Kind, Amount] = {}
    letters_sent: int = 0
    template_versions: dict[str, str] = {}
    first_message_at: Time | None = None
    first_response_at: Time | None = None
    last_message_at: Time | None = None
    last_letter_at: Time | None = None
    acknowledged_at: Time | None = None
    decisions: list[DecisionTaken] = []
    extended: Annotated[list[Extended], Field(exclude_if=not_)] = []
    story: list[Happening] = []
    clocks: Annotated[dict[str, Clock], Field(exclude_if=not_)] = {}
    """Dates that run beside the one that the case waits for, by what they are about."""
    unpaid: Annotated[str, Field(exclude_if=not_)] = ""
    """What a supervisor has said no to, though the rule owed it: letters would tell of money that does not come."""
    written: Annotated[Correspondence, Field(exclude_if=lambda kept: not (kept.letters or kept.messages))] = Field(
        default_factory=Correspondence
    )
    back: Annotated[dict[str, int], Field(exclude_if=not_)] = {}
    """How many of each line came back as described; of the line id "" where the warehouse named no lines: all."""
    parcel: Tracking | None = None
    """What is known of the parcel, in a case about one."""

    @classmethod
    def opened_by(cls, opener: Event, at: datetime, *, again: bool) -> CaseState:
        """The memory of a case that this event opens; a customer who asked for something is owed an answer.

        A case that opens `again` finds the message which reopened it in its inbox.
        """
        state = cls()
        if again:
            state.receive(opener, at)
        elif opener.by_customer:
            state.customer_wrote(min(opener.happened_at, at))
        state.seen.add(opener.identity)
        state.note(f"{'reopened' if again else 'opened'} by {opener.type}", at)
        return state

    def note(self, what: str, at: datetime) -> None:
        """Add a line to the story."""
        self.story.append(Happening(at=at, what=what))

    def receive(self, event: Event, at: datetime) -> bool:
        """Put an event into the inbox; False where it is a repeat, which changes nothing."""
        if event.identity in self.seen:
            return False
        self.seen.add(event.identity)
        self.inbox.append(Arrival.model_construct(event=cast(Any, event), arrived_at=at))
        happened_at = min(event.happened_at, at)
        if isinstance(event, Message):
            self.customer_wrote(happened_at)
        elif event.by_customer or isinstance(event, _DEEDS):
            self.written.answered(happened_at)
        elif isinstance(event, OrderCancelled):
            self.written.called_off(happened_at)
        if isinstance(event, CustomerConfirmed) and event.solved:
            self.written.read_as("solved", happened_at)
        if isinstance(event, ReturnReceived):
            self.came_back(event)
        return True

    def customer_wrote(self, at: datetime) -> None:
        """Note a message of the customer, for response times and for the last word (rules 4, 5)."""
        self.first_message_at = min(self.first_message_at or at, at)
        self.last_message_at = max(self.last_message_at or at, at)
        self.written.customer_wrote(at)

    def came_back(self, received: ReturnReceived) -> None:
        """Note goods that can be sold again."""
        for line in received.lines:
            if line.condition == "as_described":
                self.back[line.line_id] = self.back.get(line.line_id, 0) + line.quantity
        if not received.lines:
            self.back[""] = 1

    def we_wrote(self, letter: Written, version: str, composed_at: datetime) -> None:
        """Note a letter of ours, with its template's version; it answers what had come when it was composed."""
        self.letters_sent += 1
        self.template_versions[f"{key_of(letter.letter, letter.variant)}.{letter.language}"] = version
        self.written.we_wrote(letter, composed_at)
        self.last_letter_at = composed_at
        if self.first_message_at and not self.first_response_at:
            self.first_response_at = letter.sent_at

    def take(self, kinds: Sequence[type[Event]], before: datetime) -> Event | None:
        """The earliest event of these kinds that counts before this moment, taken out; None without one."""
        fitting = [item for item in self.inbox if isinstance(item.event, tuple(kinds)) and item.counts_at < before]
        if not fitting:
            return None
        first = min(fitting, key=lambda item: item.counts_at)
        self.inbox = [item for item in self.inbox if item is not first]
        return first.event

    def awaits(self, kinds: Sequence[type[Event]]) -> bool:
        """Whether the inbox holds an event of these kinds."""
        return any(isinstance(item.event, tuple(kinds)) for item in self.inbox)

    @property
    def unread(self) -> tuple[str, ...]:
        """What is in the inbox, a line each, in the order in which it happened."""
        return tuple(item.line for item in sorted(self.inbox, key=lambda item: item.counts_at))

    def next_id(self, name: str) -> str:
        """The activity id of the next effect of this name: `letter:return-terms`, then `letter:return-terms:2`."""
        self.done[name] = count = self.done.get(name, 0) + 1
        return name if count == 1 and name.startswith("letter:") else f"{name}:{count}"

    def book(self, kind: Kind, amount: Decimal) -> None:
        """Add money to what the outcome will list under this kind."""
        self.amounts[kind] = self.amounts.get(kind, Decimal(0)) + amount

    @property
    def owes_an_answer(self) -> bool:
        """Whether the newest message is the customer's (rule 4)."""
        return bool(self.last_message_at and (not self.last_letter_at or self.last_message_at > self.last_letter_at))

    def outcome(
        self,
        ref: CaseRef,
        *,
        result: str,
        stage: str,
        cause: Cause,
        at_fault: bool,
        currency: str,
        policy_version: str,
        at: datetime,
        goods: tuple[Goods, ...] = (),
        reply_within: timedelta | None = None,
    ) -> Outcome:
        """What is written down when the case closes now (rule 9); nothing for the figures without `reply_within`."""
        asked, answered = self.first_message_at, self.first_response_at
        for_figures: dict[str, Any] = {}
        if reply_within is not None:
            for_figures = {
                "goods": goods,
                "letters": tuple(self.written.letters),
                "messages": self.written.messages,
                "replies": tuple(self.written.replies),
                "replied_in_time": sum(each <= reply_within.total_seconds() for each in self.written.replies),
            }
        return Outcome(
            **ref.model_dump(include={"case_id", "trigger", "process", "order_id", "shop", "opened_at"}),
            currency=currency,
            result=result,
            stage=stage,
            cause=cause,
            at_fault=at_fault,
            amounts=self.amounts,
            letters_sent=self.letters_sent,
            first_response_time=(answered - asked).total_seconds() if asked and answered else None,
            resolution_time=(at - ref.opened_at).total_seconds(),
            decisions=tuple(self.decisions),
            extended=tuple(self.extended),
            decisions_missed=sum(not taken.by for taken in self.decisions),
            angry=self.angry,
            policy_version=policy_version,
            template_versions=self.template_versions,
            closed_at=at,
            **for_figures,
        )
