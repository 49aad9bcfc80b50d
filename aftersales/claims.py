"""A parcel's loss as its carrier sees it: what is claimed, when, and what ends the claim (`spec/processes.md` §5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, TypeAlias

from pydantic import BaseModel, JsonValue

from aftersales.deadlines import Hours, deadline
from aftersales.events import CarrierReplied, Checkpoint, Event, Line, LostParcel, OrderShipped, ParcelLost
from aftersales.lanes import ParcelWindows, way_of
from aftersales.model import Time
from aftersales.money import goods_value
from aftersales.order import Order
from aftersales.parcels import Loss, Tracking
from aftersales.scans import scan_meaning

News: TypeAlias = Literal["", "known", "found"]
"""What a fact is to a claim: nothing new, something that moves its dates, or the parcel itself."""


class Losing(BaseModel):
    """What is known of a lost parcel while its claim runs. The carrier's search counts from `since`."""

    kind: Loss
    since: Time
    last_at: Time | None = None

    @classmethod
    def of(cls, lost: ParcelLost) -> Losing:
        """What the process knew that hands the claim over."""
        last = lost.last_scan.happened_at if lost.last_scan else None
        return cls(kind=lost.kind, since=lost.traced_at or lost.time, last_at=last)

    def learn(self, fact: Event) -> News:
        """Take a scan or the carrier's word."""
        match fact:
            case CarrierReplied():
                return self._hear(fact)
            case Checkpoint():
                return self._see(fact)
            case _:
                return ""

    def _hear(self, reply: CarrierReplied) -> News:
        """What was said before the search began says nothing about its end."""
        if reply.time < self.since:
            return ""
        match reply.answer:
            case "found" | "moving":
                return "found"
            case "lost" | "damaged":
                self.kind = reply.answer
            case "returning":
                self.since = reply.time
        return "known"

    def _see(self, scan: Checkpoint) -> News:
        """A parcel that moves is searched for no longer, so the search begins anew once it is silent again.

        The delivery that the customer disputes is no news, however often it is told.
        """
        at, (state, trouble) = scan.happened_at, scan_meaning(scan)
        disputed = self.kind == "disputed" and at <= self.since
        if state in ("delivered", "returned") and not disputed:
            return "found"
        if state in ("handed_over", "delivered", "returned") or (self.last_at and at <= self.last_at):
            return ""
        self.last_at = at
        if trouble == "damaged":
            self.kind = "damaged"
        elif state == "lost":
            self.kind = "lost"
        else:
            self.kind = "silent" if self.kind == "lost" else self.kind
            self.since = max(self.since, at)
        return "known"


def last_date(lost: ParcelLost, windows: ParcelWindows) -> datetime:
    """When the carrier's time for a claim is over; its calendar knows no working hours."""
    return lost.handed_over_at + windows.claim_until


def files_at(lost: ParcelLost, losing: Losing, windows: ParcelWindows, hours: Hours) -> datetime:
    """When the claim is due: once the search is over, damage and the carrier's word at once, but inside its dates."""
    first = lost.handed_over_at + windows.claim_from
    match losing.kind:
        case "damaged":
            due = losing.since
        case "lost":
            due = max(losing.since, first)
        case "silent" | "disputed":
            due = max(deadline(losing.since, windows.trace_window, hours), first)
    return min(due, last_date(lost, windows) - windows.claim_lead)


def papers(lost: ParcelLost, order: Order) -> dict[str, JsonValue]:
    """What a claim is supported by: the goods and what the order cost, the way of the parcel, and its last scan."""
    items = order.lines([line.line_id for line in lost.lines])
    told: dict[str, JsonValue] = {
        "order_total": str(order.total),
        "currency": order.currency,
        "goods": [{"sku": item.sku, "title": item.title, "unit_price": str(item.unit_price)} for item in items],
        "lines": [line.model_dump(mode="json", include={"line_id", "quantity"}) for line in lost.lines],
        "origin": lost.parcel.origin,
        "destination": lost.parcel.destination,
        "handed_over_at": lost.handed_over_at.isoformat(),
        "traced_at": lost.traced_at.isoformat() if lost.traced_at else "",
        "rma": lost.rma,
    }
    if scan := lost.last_scan:
        told["last_scan"] = {"at": scan.happened_at.isoformat(), "place": scan.location, "text": scan.message}
    return {name: value for name, value in told.items() if value not in ("", [])}


def parcel_lost(shipped: OrderShipped, tracking: Tracking, order: Order, now: datetime) -> ParcelLost:
    """The loss of a parcel on its way to the customer."""
    _, origin, destination = way_of(shipped.parcel, order.ship_to)
    way = {"origin": origin, "destination": destination}
    return ParcelLost(
        **shipped.model_dump(include={"id", "source", "order_id"}),
        time=now,
        parcel=LostParcel.model_validate(shipped.parcel.model_dump() | way),
        lines=shipped.lines,
        value=goods_value(order, shipped.lines),
        kind=tracking.loss,
        handed_over_at=tracking.handed_over_at,
        last_scan=tracking.last,
        traced_at=tracking.traced_at,
    )


def return_lost(
    opener: Event,
    order: Order,
    way: Sequence[Event],
    *,
    rma: str,
    label: str,
    lines: tuple[Line, ...],
    value: Decimal,
    now: datetime,
    traced_for: timedelta | None = None,
) -> ParcelLost:
    """The loss of a return on its way to us; `way` is what was heard of it, the newest last.

    Its carrier took it over at the first scan in its hands, at the earliest possible moment where none is known.
    `traced_for` is how long the carrier has searched; None where it has said itself that the parcel is lost.
    """
    scans = [fact for fact in way if isinstance(fact, Checkpoint) and fact.proves_dispatch]
    numbers = [fact.parcel_no for fact in way if isinstance(fact, Checkpoint | CarrierReplied)]
    is_link = label.startswith("http")
    return ParcelLost(
        **opener.model_dump(include={"id", "source", "order_id"}),
        time=now,
        parcel=LostParcel(
            parcel_no=numbers[-1] if numbers else rma,
            tracking_number="" if is_link else label[:200],
            tracking_url=label[:2000] if is_link else "",
            origin=order.ship_to.country,
        ),
        lines=lines,
        value=value,
        kind="lost" if traced_for is None else "silent",
        handed_over_at=min([scan.happened_at for scan in scans], default=opener.happened_at),
        last_scan=max(scans, key=lambda scan: scan.happened_at, default=None),
        traced_at=None if traced_for is None else now - traced_for,
        rma=rma,
    )
