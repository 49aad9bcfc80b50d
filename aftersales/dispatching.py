"""When an order has to leave, what follows when it does not, and what is still to be sent (`§6`, `§9`)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

from aftersales.deadlines import Hours, deadline
from aftersales.events import Line, OrderShipped
from aftersales.law import LawPack
from aftersales.money import paid_for
from aftersales.order import Order

StepName = Literal["late", "delay_notice", "deemed_cancelled", "gone", "follow_up"]


class Step(NamedTuple):
    """What the clock brings next, and when."""

    at: datetime
    name: StepName


@dataclass
class Delay:
    """What is known of an order that has not left yet.

    `promised_by` is what the customer was told. `limit` is the law's date, and `consent` how long a first delay may be
    at most to which silence is consent; None where no law says so. `expected` is the date that the warehouse named,
    `offered` the one in the last notice of a delay, `cancel_at` when the order counts as cancelled without the
    customer's word. `ask_at` is when the warehouse is asked next, None before the order is late; `asked` is how often
    it was, since it last named a date.
    """

    promised_by: datetime
    limit: datetime | None = None
    consent: timedelta = timedelta()
    expected: datetime | None = None
    offered: datetime | None = None
    cancel_at: datetime | None = None
    ask_at: datetime | None = None
    asked: int = 0
    noticed: bool = False
    unanswered: bool = False
    gone: bool = False

    @property
    def step(self) -> Step:
        """What comes next; of two at the same moment the first in the list of `StepName`."""
        if self.gone and self.ask_at:
            return Step(self.ask_at, "gone")
        steps = [Step(self.ask_at, "follow_up") if self.ask_at else Step(self.promised_by, "late")]
        if self.limit and not self.noticed:
            steps.append(Step(self.limit, "delay_notice"))
        if self.cancel_at:
            steps.append(Step(self.cancel_at, "deemed_cancelled"))
        order = ("late", "delay_notice", "deemed_cancelled", "gone", "follow_up")
        return min(steps, key=lambda step: (step.at, order.index(step.name)))

    def notify(self, earliest: datetime) -> Literal["wait", "cancel"]:
        """Offer the customer the delay; what silence means to it. Nobody is cut off before `earliest`.

        A date within the law's time needs no word of the customer, and is the last day. Without one the order may still
        leave until that time is over. A notice after the first moves nothing: only the customer's word does.
        """
        self.offered, self.unanswered = self.expected, True
        if not self.noticed and self.limit:
            self.noticed = True
            latest = self.limit + self.consent
            silent = self.expected is not None and self.expected <= latest
            self.cancel_at = max(self.expected if silent and self.expected else latest, earliest)
            return "wait" if silent else "cancel"
        return "wait" if self.waits_silently(self.expected) else "cancel"

    def agree(self) -> None:
        """The customer agrees to the delay: to the date that was named, or until the customer says otherwise."""
        self.noticed, self.unanswered = True, False
        self.cancel_at = self.offered if self.limit else None
        if self.offered and not self.ask_at:
            self.promised_by = max(self.promised_by, self.offered)

    def expect(self, date: datetime | None) -> None:
        """Take that it has not left, and the date that the warehouse names; until then it need not be asked."""
        self.expected, self.gone = date, False
        if date:
            self.asked = 0
            self.ask_at = max(self.ask_at, date) if self.ask_at else None

    def coming(self, now: datetime) -> datetime | None:
        """The date that the warehouse named, where it lies ahead."""
        return self.expected if self.expected and self.expected > now else None

    def moved(self, promise: datetime | None, now: datetime) -> bool:
        """Take another promised date; whether it is news for the customer: a later one does not undo the promise."""
        if promise is None or promise in (self.promised_by, self.expected):
            return False
        if promise < self.promised_by and not self.ask_at:
            self.promised_by = promise
        elif promise > now:
            self.expect(promise)
            return True
        return False

    @property
    def needs_notice(self) -> bool:
        """Whether the expected date lies behind the last day that the law, or the customer, allows."""
        last_day = self.cancel_at if self.noticed else self.limit
        return bool(self.expected and last_day and self.expected > last_day)

    def starts_anew(self, ask_at: datetime) -> None:
        """Other goods are got ready, for which no date is known; where it is late, the warehouse is asked then."""
        self.expected, self.asked = None, 0
        self.ask_at = ask_at if self.ask_at else None

    def goes_out(self, ask_at: datetime) -> None:
        """It could not be stopped any more, so there is nothing to agree to; at this moment the warehouse is asked."""
        self.noticed, self.unanswered, self.cancel_at, self.ask_at = True, False, None, ask_at

    def waits_silently(self, until: datetime | None) -> bool:
        """Whether an order may wait for goods that come then, without a word of the customer."""
        if until is None:
            return False
        if self.limit is None or (self.noticed and self.cancel_at is None):
            return True
        return until <= (self.cancel_at or self.limit + self.consent)


@dataclass
class Sending:
    """What is known of an order that is on its way out: the parcels that left, and whether its money went back.

    `missing` is what was still to be sent before these parcels, where some had left already; `refunded` whether the
    shop has paid the money back itself.
    """

    parcels: list[OrderShipped] = field(default_factory=list)
    missing: tuple[Line, ...] = ()
    refunded: bool = False

    def left(self, order: Order) -> tuple[Line, ...]:
        """What is still to be sent."""
        return still_to_send(order, self.parcels, self.missing)

    def owed(self, order: Order, given: Decimal) -> Decimal:
        """What was paid for what has not left, less what was `given` back already; nothing where the shop did that."""
        left = self.left(order)
        return max(paid_for(order, left) - given, Decimal(0)) if left and not self.refunded else Decimal(0)


def promised_by(order: Order, within: timedelta, hours: Hours, since: datetime | None = None) -> datetime:
    """When an order is to be dispatched: its own promise, else `within` from its placing, or from `since`.

    A promise that had passed before `since` (paid late, corrected late) was none any more.
    """
    promise = order.promised_dispatch_by
    if promise and (since is None or promise > since):
        return promise
    return deadline(since or order.placed_at, within, hours)


def law_limit(pack: LawPack | None, order: Order) -> datetime | None:
    """The law's date for the dispatch: the time stated, else the law's own; None without a rule for delays."""
    if pack is None or pack.dispatch_limit is None or pack.delay_consent is None:
        return None
    return order.promised_dispatch_by or order.placed_at + pack.dispatch_limit


def still_to_send(order: Order, parcels: Iterable[OrderShipped], missing: Iterable[Line] = ()) -> tuple[Line, ...]:
    """What of an order is in none of these parcels; a parcel of which no lines are known holds all.

    `missing` is what was still to be sent before them, where some had left already.
    """
    ordered = {item.line_id: item.quantity for item in order.items}
    known = {line.line_id: line.quantity for line in missing}
    left = {line: min(count, known.get(line, 0)) if known else count for line, count in ordered.items()}
    for parcel in {shipped.parcel.parcel_no: shipped for shipped in parcels}.values():
        if not parcel.lines:
            return ()
        for line in parcel.lines:
            if line.line_id in left:
                left[line.line_id] -= line.quantity
    return tuple(Line(line_id=line_id, quantity=count) for line_id, count in left.items() if count > 0)


def gift_cost(order: Order, costs: Mapping[str, Decimal], most: Decimal) -> Decimal | None:
    """What a small gift costs us in the order's currency; None where it has no cost there or more than the share."""
    cost = costs.get(order.currency)
    return cost if cost and cost <= order.total * most else None
