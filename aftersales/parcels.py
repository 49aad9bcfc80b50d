"""The tracking of one parcel: what is known of it, and what silence brings next (`spec/processes.md` §4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from operator import not_
from typing import Annotated, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, Field

from aftersales.deadlines import Hours, deadline
from aftersales.events import CarrierReplied, Checkpoint, Event, WarehouseAnswered
from aftersales.lanes import ParcelWindows
from aftersales.model import Time
from aftersales.scans import End, Place, Trouble, scan_meaning

State: TypeAlias = Place | End | Literal["disputed"]
"""What is known of a parcel; `disputed` is delivered as the carrier says, but not as the customer does."""
Step: TypeAlias = Literal["pickup_overdue", "pickup_late", "stuck", "delivered", "returned", "lost"]
"""What the clock brings: something to do for the parcel, or its end."""
Loss: TypeAlias = Literal["silent", "lost", "damaged", "disputed"]
"""Why a parcel is treated as lost."""


class Due(NamedTuple):
    """The next thing that the clock brings, and when."""

    at: datetime
    step: Step


class Tracking(BaseModel):
    """What is known of a parcel. Silence counts from `since`, which never moves backwards."""

    handed_over_at: Time
    since: Time
    state: State = "handed_over"
    trouble: Trouble | Literal["silent", "not_delivered", ""] = ""
    """Why the parcel is stuck; empty while all is well."""
    loss: Loss = "silent"
    traced_at: Time | None = None
    """When its carrier was told to search for it."""
    remedy: Literal["", "reshipped", "refunded"] = ""
    """What the customer got for the loss."""
    watched_until: Time | None = None
    """How long a parcel with a remedy is watched for, in case it turns up."""
    offered_until: Time | None = None
    """How long a parcel that turned up is offered to the customer; none while it is not."""
    last: Checkpoint | None = None
    last_at: Time | None = None
    done: set[Step] = set()
    """What was done about the present silence."""
    paid_back: Annotated[bool, Field(exclude_if=not_)] = False
    """The shop has cancelled the order and given the money back itself."""
    out_of_stock: bool = False
    answered_with: str = ""
    answered_at: Time | None = None

    @property
    def is_away(self) -> bool:
        """Whether the customer cannot have the parcel, as it is lost, or goes back to us."""
        return self.state in ("lost", "returning", "returned")

    def learn(self, fact: Event, now: datetime) -> bool:
        """Take a scan, the carrier's word or the warehouse's; False for a fact that changes nothing."""
        match fact:
            case Checkpoint():
                return self.see(fact, now)
            case CarrierReplied():
                return self.hear(fact, now)
            case WarehouseAnswered(answer="out_of_stock"):
                self.out_of_stock = True
                return True
            case _:
                return False

    def see(self, scan: Checkpoint, now: datetime) -> bool:
        """Take a scan; False for one that tells nothing new: a repeat, an older one, one behind a delivery.

        A delivery, a return and the first scan behind a label count however late they are told.
        """
        at = min(scan.happened_at, now)
        state, trouble = scan_meaning(scan)
        if state == "handed_over":
            return self._see_label(scan, at)
        first = self.state == "handed_over"
        if not self._is_news(scan, at, whenever=first or state in ("delivered", "returned")):
            return False
        if (state, trouble) != (self.state, self.trouble) or not trouble:
            self.done.clear()
        self.state, self.trouble = state, trouble or ""
        self.last, self.last_at, self.since = scan, at, max(self.since, at)
        if state == "lost":
            self.loss = "lost"
        return True

    def hear(self, reply: CarrierReplied, now: datetime) -> bool:
        """Take the carrier's word; False where it tells nothing new, as it is older than the last scan."""
        at = min(reply.time, now)
        over = self.state in ("delivered", "returned")
        if over or (self.last_at and at < self.last_at) or (self.state == "disputed" and at < self.since):
            return False
        match reply.answer:
            case "lost" | "damaged":
                if self.state == "lost":
                    return False
                self.lose(reply.answer)
            case "moving" | "found":
                self.state, self.trouble = "moving", ""
            case "returning":
                self.state, self.trouble = "returning", ""
        self.since = max(self.since, at)
        self.done.clear()
        return True

    def stall(self) -> None:
        """Silence has lasted so long that the parcel is stuck; an exception scan has said so itself."""
        self.done.add("stuck")
        if not self.trouble:
            self.trouble = "silent" if self.state == "moving" else "not_delivered"

    def dispute(self, now: datetime) -> None:
        """The customer says that the delivered parcel is not there."""
        self.state, self.since = "disputed", now

    def arrive(self, now: datetime) -> None:
        """The customer says that the parcel is there, which needs no proof."""
        self.state, self.trouble, self.since, self.done = "delivered", "", max(self.since, now), {"delivered"}

    def lose(self, loss: Loss) -> None:
        """Treat the parcel as lost."""
        self.state, self.loss = "lost", loss

    def may_answer(self, letter: str, now: datetime, every: timedelta) -> bool:
        """Whether a customer who asks gets this letter: not again so soon while there is nothing new to say."""
        answer = f"{letter} {self.since.isoformat()}"
        if answer == self.answered_with and self.answered_at and now - self.answered_at < every:
            return False
        self.answered_with, self.answered_at = answer, now
        return True

    def due(self, windows: ParcelWindows, hours: Hours) -> Due:
        """What the clock brings next, as the table of §4 has it."""

        def after(window: timedelta, start: datetime = self.since) -> datetime:
            return deadline(start, window, hours)

        lost = after(windows.lost_after)
        match self.state:
            case "delivered":
                return Due(self.since if "delivered" in self.done else after(windows.dispute_window), "delivered")
            case "returned" | "lost":
                return Due(self.since, self.state)
            case "disputed":
                return Due(after(windows.proof_window), "lost")
            case "returning":
                return Due(lost, "lost")
            case "handed_over":
                told = after(windows.pickup_letter_after, self.handed_over_at)
                steps = [
                    Due(after(windows.pickup_window, self.handed_over_at), "pickup_overdue"),
                    Due(told, "pickup_late"),
                    Due(max(lost, told), "lost"),
                ]
            case "moving" | "out_for_delivery" | "awaiting_collection" as place:
                patience = {
                    "out_for_delivery": windows.delivery_window,
                    "awaiting_collection": windows.collection_window,
                }.get(place, windows.stuck_after)
                # A parcel that may rest longer before it is stuck is lost as much later.
                spared = max(windows.lost_after, patience + windows.lost_after - windows.stuck_after)
                steps = [
                    Due(self.since if self.trouble else after(patience), "stuck"),
                    Due(after(spared), "lost"),
                ]
        return next(due for due in steps if due.step not in self.done)

    def _see_label(self, scan: Checkpoint, at: datetime) -> bool:
        """What a carrier says of a label is a sign of life, but says nothing about where the parcel is."""
        if self.state in ("delivered", "disputed", "returned", "lost") or at <= self.since:
            return False
        self.since = at
        if self.state == "handed_over":
            self.last, self.last_at = scan, at
        return True

    def _is_news(self, scan: Checkpoint, at: datetime, *, whenever: bool) -> bool:
        match self.state:
            case "returned":
                return False
            case "delivered":
                return scan.status == "returned"
            case "disputed":
                return at > self.since
            case "lost" if self.loss == "damaged":
                return False
            case "lost" if self.loss == "disputed":
                return at > self.since
            case _:
                pass
        if self.last is None or self.last_at is None or whenever or at > self.last_at:
            return True
        told = {"status", "substatus", "location", "message"}
        return at == self.last_at and scan.model_dump(include=told) != self.last.model_dump(include=told)
