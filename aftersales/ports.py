"""The ports: what the domain needs from the outside. Adapters implement them; activities and the starter take them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol, TypeAlias

from aftersales.aliases import Alias
from aftersales.commands import Command, CommandAccepted
from aftersales.events import Event
from aftersales.evidence import EvidencePack, EvidenceRequest
from aftersales.figures import Period, Report, Warned
from aftersales.limits import Crossing
from aftersales.opening import CaseOpened
from aftersales.outcome import Outcome
from aftersales.records import CaseRecord, CaseRef, CommandRecord, EventRecord, EventStatus, LetterRecord, PaymentRecord
from aftersales.report_runs import Made
from aftersales.reporting import Reporting
from aftersales.sending import Outgoing


class Unavailable(Exception):
    """What takes events cannot do so now: the text says what is away. Nothing was acknowledged; try again later."""


class Intake(Protocol):
    """Where order events go in, from whichever door."""

    async def handle_all(self, raws: Sequence[object], *, shop: str = "") -> list[EventRecord]:
        """Take events, each a decoded JSON object or `Unreadable`; what became of each, in their order.

        `shop` is for whom the sender speaks: of another shop's orders nothing is taken from it. Empty is for all.

        Raises:
            Unavailable: Temporal or the database is away; the same events can be handed in again.
        """
        ...


class Delivery(Protocol):
    """A message of a queue, in our hands until one of its three ends is told: until then nobody else gets it.

    An end that cannot be told raises `Unavailable`: then the message comes again by itself.
    """

    @property
    def id(self) -> str:
        """What the queue calls it, the same on every delivery."""
        ...

    @property
    def body(self) -> bytes:
        """What was sent: an event, or an array of events."""
        ...

    @property
    def attempt(self) -> int:
        """1 on the first delivery."""
        ...

    async def done(self) -> None:
        """It has been taken and must not come again."""
        ...

    async def again(self, seconds: float) -> None:
        """It is to come again after so many seconds."""
        ...

    async def bury(self, reason: str) -> None:
        """It goes where undeliverable messages are kept, with the reason, and does not come again."""
        ...


class Queue(Protocol):
    """A queue of messages: NATS JetStream, SQS, or another."""

    @property
    def name(self) -> str:
        """What the queue is called in logs, such as `nats aftersales.events`."""
        ...

    async def take(self, most: int, seconds: float) -> Sequence[Delivery]:
        """Up to so many messages, as soon as there is one; none where none came within so many seconds.

        Cancelled, it leaves what it has to the queue, which brings it again.

        Raises:
            Unavailable: the queue does not answer.
        """
        ...


Trying: TypeAlias = Callable[[], Awaitable[None]]
"""What a channel awaits before it does what it could not do twice without the customer noticing."""


class Channel(Protocol):
    """How letters reach customers."""

    async def deliver(self, letter: Outgoing, trying: Trying) -> str:
        """Deliver one letter once per key, however often it is called; returns where it went.

        A channel that cannot tell a repeat by its key awaits `trying` just before the letter leaves, which writes down
        that it may be out, and passes on what that raises. One that can need not.

        Raises:
            NotSent: it is certainly not out; try again later.
            Undeliverable: it is certainly not out, and will not be taken.
            PerhapsSent: nobody can tell whether it is out.
        """
        ...


class Counterpart(Protocol):
    """Who does what a case commands: shop, warehouse, carrier, payment, platform, insurer."""

    async def execute(self, command: Command, *, shop: str) -> CommandAccepted:
        """Have it done once per key, however often it is called; `shop` is whose order it is about.

        Raises:
            CommandRefused: it will not be done; the message is the counterpart's.
            NotNow: nobody knows yet whether it will be done; to be tried again, after a time where one is named.
        """
        ...


class EvidenceLocker(Protocol):
    """Where evidence for disputes is kept."""

    async def build(self, request: EvidenceRequest) -> EvidencePack:
        """Collect the order's whole record in one place; a repeat finds the first one's pack and leaves it."""
        ...


class LetterLedger(Protocol):
    """Which letters were sent."""

    async def claim_letter(self, record: LetterRecord) -> LetterRecord:
        """Write the letter down before it is sent; what stands under its key, which may be there already."""
        ...

    async def letter_sent(self, key: str, *, at: datetime, reference: str) -> None:
        """Write down that a claimed letter is out, and where it went."""
        ...

    async def letter_tried(self, key: str, *, at: datetime, after: datetime | None) -> bool:
        """Write down that a claimed letter may be out from now on, though it is not known to be.

        `after` is the `tried_at` that was there when it was claimed. False where another try has been quicker: of those
        that saw the same, one is let through.
        """
        ...

    async def letter_not_sent(self, key: str, *, at: datetime) -> None:
        """Write down that the try of this moment certainly came to nothing; another one's mark stays."""
        ...


class CommandLedger(Protocol):
    """Which commands were given."""

    async def claim_command(self, record: CommandRecord) -> CommandRecord:
        """Write the command down before it is given; what stands under its key, which may be there already."""
        ...

    async def command_accepted(self, key: str, *, at: datetime, reference: str) -> None:
        """Write down that a claimed command was taken, and the counterpart's reference. What it pays is confirmed."""
        ...

    async def command_refused(self, key: str, *, reason: str) -> None:
        """Write down that a claimed command was refused, and why. What it would pay is released."""
        ...

    async def reserve(self, payment: PaymentRecord, *, cap: Decimal | None) -> Decimal | None:
        """Enter a payment before it is made; None where it may be made, else what all of the order would come to.

        All that has left for the order, or is about to, must stay within `cap`; return freight comes on top and is not
        counted. Of an order that the shop has cancelled and paid back itself the cap has left. Of two payments at once
        that do not both fit, one is let through. None is no cap. A payment that does not fit is released. The same key
        twice is one payment.
        """
        ...

    async def is_reserved(self, key: str) -> bool:
        """Whether a payment has been let through, and nobody knows yet whether it was made."""
        ...

    async def charge(self, payment: PaymentRecord) -> None:
        """Enter money that left without a command of ours, once per key."""
        ...

    async def given_before(self, type: str, *, case: CaseRef) -> bool:
        """Whether another case of the order, or another run of this one, had a command of this type accepted."""
        ...

    async def open_disputes(self, *, shop: str, order_id: str) -> list[str]:
        """The cases of disputes that are open about an order."""
        ...


class Cases(Protocol):
    """The cases that run."""

    async def open(self, process: str, opened: CaseOpened, *, again: bool) -> bool:
        """Open a case, or give the event that would open it to the one that runs; whether it was opened.

        `again` where an earlier try may have opened it and did not come to know.
        """
        ...

    async def tell(self, case_id: str, event: Event) -> bool:
        """Give an event to a case, which takes it once; False where the case does not run."""
        ...

    async def took(self, case_id: str, identity: str) -> bool:
        """Whether the newest run of a case, open or closed, was given this event."""
        ...


class CaseLedger(Protocol):
    """Which cases there are and how they ended."""

    async def open_case(self, record: CaseRecord) -> None:
        """Write down that a case runs; a repeat for its id and trigger changes nothing but a missing `opening`."""
        ...

    async def close_case(self, outcome: Outcome) -> None:
        """Record the outcome once and mark the case closed."""
        ...

    async def hand_back(self, identity: str, *, case_id: str, detail: str) -> None:
        """Mark an event that reached a case, which has no rule for it, as for a person."""
        ...

    async def open_cases(self, order_id: str) -> list[CaseRecord]:
        """The open cases of an order: first those with letters, the newest letter first, then the newest case first."""
        ...

    async def last_case(self, case_id: str) -> CaseRecord | None:
        """The newest run of a case, open or closed."""
        ...

    async def last_opening(self, order_id: str) -> str | None:
        """The newest `opening` of any case of the order."""
        ...

    async def case_of_command(self, *, type: str, reference: str) -> CaseRecord | None:
        """The case whose command of this type was given this reference (an RMA number, for example)."""
        ...

    async def case_of_key(self, key: str) -> CaseRecord | None:
        """The case that gave the command with this idempotency key."""
        ...


class Taken(NamedTuple):
    """What the ledger knows of events that were just written down."""

    before: list[EventStatus | None]
    """For each the status it had before, None where it is new."""
    aliases: Mapping[str, Sequence[Alias]]
    """What the aliases asked for stand for, those that are known; the newest first."""
    awaited: list[EventRecord]
    """The events that wait for an alias which was taught, oldest first."""


class EventLedger(Protocol):
    """Which events came in and what became of them."""

    async def take_events(self, records: Sequence[EventRecord], told: Sequence[Alias], asked: Collection[str]) -> Taken:
        """In one transaction: write events down, learn the aliases that they tell, and look others up.

        A new event, and one that was refused, is stored as given; every other row stays as it is.
        """
        ...

    async def aliases(self, wanted: Collection[str]) -> Mapping[str, Sequence[Alias]]:
        """What the aliases stand for, those that are known; the newest first."""
        ...

    async def settle_events(self, records: Sequence[EventRecord]) -> None:
        """Store what became of events (status, detail, cases) in one transaction."""
        ...

    async def events_of(self, order_id: str, types: Sequence[str]) -> list[EventRecord]:
        """The events of an order of these types that were taken, oldest first by when they happened."""
        ...

    async def waiting_events(self, order_id: str) -> list[EventRecord]:
        """The events of an order that no case awaited yet, oldest first by when they happened."""
        ...


class FiguresSource(Protocol):
    """Where the figures are computed."""

    async def shops(self) -> list[str]:
        """The shops of which there are any data."""
        ...

    async def report(self, *, shop: str, period: Period, as_of: datetime, terms: Reporting) -> Report:
        """The figures of a period as they were at a moment, of a shop or, where it is empty, of all."""
        ...

    async def crossings(self, *, shop: str, at: datetime, terms: Reporting) -> list[Warned]:
        """What is over its limit at a moment, of a shop or, where it is empty, of all together."""
        ...


class ReportMaker(Protocol):
    """Who makes reports, and compares figures with their limits."""

    async def shops(self) -> list[str]:
        """Of which shops reports are made; the empty one, which is all together, first."""
        ...

    async def make(self, shop: str, period: Period, as_of: datetime) -> Made:
        """Make a report, in the place of one of the same period that is there."""
        ...

    async def compare(self, at: datetime) -> None:
        """Compare the figures of every shop with their limits, and write down which are crossed."""
        ...

    def shelf(self, shop: str) -> str:
        """The folder of a shop's reports."""
        ...


class WarningLedger(Protocol):
    """Which limits are crossed, and who has been told."""

    async def settle(self, shop: str, at: datetime, seen: Sequence[Warned]) -> None:
        """Write down what is over its limit in a shop at a moment (`aftersales.limits.compared`).

        Once for each moment, and not for one that is before another which has been settled: what was to be known of
        it has been overtaken.
        """
        ...

    async def untold(self) -> list[Crossing]:
        """The crossings that are open and that staff has not been told of, the oldest first."""
        ...

    async def told(self, crossing: Crossing, at: datetime) -> None:
        """Write down that staff has been told; the first moment stays."""
        ...

    async def open(self, shop: str | None = None) -> list[Crossing]:
        """The crossings that are open, the oldest first: of one shop, or of each and of all together."""
        ...

    async def stopped(self, shop: str) -> frozenset[str]:
        """The variants of letters that are stopped for a shop, `<letter>.<variant>`."""
        ...

    async def start_again(self, variant: str, at: datetime, shop: str | None = None) -> list[Crossing]:
        """End the stop of a variant, in one shop or wherever it is stopped; what was ended."""
        ...
