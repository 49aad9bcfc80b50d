"""Routing: which case an order event starts, and which open cases await it. Pure; the starter carries it out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import unquote

from aftersales.disputes import is_about, part_of
from aftersales.events import (
    BulkRequested,
    ChangeRequested,
    Complaint,
    DispatchBlocked,
    DisputeDecided,
    DisputeOpened,
    DisputeUpdated,
    DisputeWithdrawn,
    Event,
    ExchangeRequested,
    ExpediteRequested,
    FurtherDispute,
    InsurancePaid,
    InvoiceRequested,
    Message,
    OrderCancelled,
    OrderPaid,
    OrderShipped,
    ParcelLost,
    PerkRequested,
    RepairRequested,
    ReturnAgreed,
    ReturnReceived,
    ReturnRequested,
    ReviewPublished,
    ReviewThreatened,
    WrongItemReported,
)
from aftersales.ids import case_id, line_parts, parse_case_id
from aftersales.order import Order
from aftersales.policy import Policy
from aftersales.records import CaseRecord

RETURNING = frozenset({"return-parcel", "wrong-item", "exchange", "repair"})
"""The processes in which the customer sends a parcel back."""
SETTLING = frozenset({"return-escalation", "return-parcel"})
"""The processes that have a return in hand: who asks for it again is told by them, and no second return opens."""
UNSENT = frozenset({"fulfilment-check", "expedite", "late-dispatch", "order-change", "inquiry", "perk-request"})
"""The processes about an order that may not have left; whether it has, or was cancelled, may be known already."""
SETTLING_NOTHING = frozenset({"shipment-watch", "inquiry"})
"""The processes that take any message and settle nothing which a lapsed case could settle as well."""
CHANGING = frozenset({"order-change"})
"""The processes about a whole order that have its parcels stopped or redirected."""


class Start(NamedTuple):
    """An event opens a case of this process; `trigger` is the event as the process takes it."""

    process: str
    trigger: Event


class NotServed(NamedTuple):
    """An event should open a case, but no process here may take it; `reason` says what a person must do."""

    reason: str


STARTING = (
    OrderShipped,
    WrongItemReported,
    ReturnRequested,
    Complaint,
    ChangeRequested,
    DispatchBlocked,
    ExchangeRequested,
    RepairRequested,
    OrderPaid,
    ExpediteRequested,
    BulkRequested,
    ReviewThreatened,
    ReviewPublished,
    InvoiceRequested,
    PerkRequested,
    DisputeOpened,
)
"""The events that can open a case whatever is open; a message opens one only where no case awaits it."""
FOR_ONE = (Message, ReturnReceived, InsurancePaid)
"""The events that answer one thing, and so reach one case."""


def start_for(event: Event, order: Order, policy: Policy) -> Start | NotServed | None:
    """The case that an event opens; None where it opens none."""
    match event:
        case OrderPaid():
            return Start("fulfilment-check", event)
        case ExpediteRequested():
            return Start("expedite", event)
        case OrderShipped():
            return Start("shipment-watch", event)
        case WrongItemReported():
            return Start("wrong-item", event)
        case ReturnRequested(lines=returned):
            return _known(order, *(line.line_id for line in returned)) or Start("return-request", event)
        case ExchangeRequested(lines=lines):
            return _known(order, *(line.line_id for line in lines)) or Start("exchange", event)
        case RepairRequested(line_id=line):
            return _known(order, line) or Start("repair", event)
        case Complaint():
            return Start("compensation", event)
        case BulkRequested():
            return Start("large-order", event)
        case ReviewThreatened() | ReviewPublished():
            return Start("review-recovery", event)
        case InvoiceRequested():
            return Start("invoice", event)
        case PerkRequested():
            return Start("perk-request", event)
        case ChangeRequested():
            return Start("order-change", event)
        case DispatchBlocked():
            return Start("late-dispatch", event)
        case DisputeOpened():
            return Start("dispute", event)
        case Message():
            return Start("inquiry", event)
        case _:
            return None


def _known(order: Order, *line_ids: str) -> NotServed | None:
    """Why no case opens for lines that the order, known from an earlier event, does not have."""
    unknown = set(line_ids) - {item.line_id for item in order.items}
    return NotServed(f"data: line_id {min(unknown)!r} is not a line of the order") if unknown else None


def case_for(process: str, trigger: Event, order: Order) -> str:
    """The id of the case that a trigger opens: for the order, for one parcel of it, or for some of its lines."""
    match trigger:
        case OrderShipped():
            return case_id(process, order.order_id, trigger.parcel.parcel_no)
        case ReturnRequested(lines=lines):
            parts = line_parts(order, [line.line_id for line in lines])
        case ExchangeRequested(lines=wanted):
            parts = line_parts(order, [line.line_id for line in wanted])
        case RepairRequested(line_id=line):
            parts = (line,)
        case ReturnAgreed(terms=terms):
            parts = line_parts(order, [line.line_id for line in terms.lines])
        case WrongItemReported(line_id=line):
            parts = line_parts(order, [line])
        case ParcelLost(parcel=parcel):
            return case_id(process, order.order_id, parcel.parcel_no)
        case FurtherDispute(dispute=dispute):
            parts = (part_of(dispute),)
        case _:
            parts = ()
    return case_id(process, order.order_id, *parts)


def listeners(
    event: Event, cases: Iterable[CaseRecord], hears: Mapping[str, tuple[type[Event], ...]]
) -> list[CaseRecord]:
    """Those of the open cases, given newest conversation first, that an event is meant for.

    What happens to a parcel reaches that parcel's cases, the one that watches it and the one that claims it; a parcel
    that has none is on its way back, so it reaches a case that awaits one. A case that has the order's parcels stopped
    hears of every parcel. What a platform says of a dispute reaches that dispute's case, else the order's first one. A
    message, a received return and an insurer's payment answer one thing and reach one case; everything else reaches
    every case that has a rule for it.
    """
    hearing = [case for case in cases if isinstance(event, hears.get(case.process, ()))]
    if isinstance(event, ReturnRequested):
        # The case of its own lines gets it by its start.
        hearing = [case for case in hearing if case.process != "return-request"]
        hearing = [case for case in hearing if case.process not in SETTLING or _shares_lines(event, case)]
    if isinstance(event, DisputeUpdated | DisputeWithdrawn | DisputeDecided):
        own = [case for case in hearing if is_about(case.part, event.claim_id)]
        return own or [case for case in hearing if not case.part] or hearing
    if getattr(event, "parcel_no", None):
        stopping = [case for case in hearing if case.process in CHANGING]
        own = of_parcel(event, hearing) or [case for case in hearing if case.process in RETURNING][:1]
        return [*own, *stopping]
    return hearing[:1] if isinstance(event, FOR_ONE) else hearing


def in_hand(event: Event, reached: Iterable[str]) -> bool:
    """Whether one of the cases that an event reached carries out already what it asks for."""
    if isinstance(event, DisputeOpened):
        return any(is_about(parse_case_id(case).part, part_of(event)) for case in reached)
    return isinstance(event, ReturnRequested) and any(parse_case_id(case).process in SETTLING for case in reached)


def _shares_lines(asked: ReturnRequested, case: CaseRecord) -> bool:
    """Whether a case is about lines of a request; no lines are those of the whole order, on either side."""
    lines = {line.line_id for line in asked.lines}
    return not case.part or not lines or not lines.isdisjoint(map(unquote, case.part.split("+")))


def came_early(event: Event, case: CaseRecord, hears: Mapping[str, tuple[type[Event], ...]], since: datetime) -> bool:
    """Whether an event that no case awaited is for one that opened later, about what began at a moment.

    What happened before is of something earlier, unless it happened to the very parcel that the case is about.
    """
    is_its_own = event.happened_at >= since or bool(of_parcel(event, [case]))
    return is_its_own and bool(listeners(event, [case], hears))


def known_by_now(event: Event, *, settled: bool) -> Event:
    """What lasts of an order's past, as a case takes it that opens afterwards.

    A cancellation that another case has `settled` needs no refund any more.
    """
    refunded = isinstance(event, OrderCancelled) and settled
    return event.model_copy(update={"refunded": True}) if refunded else event


def of_parcel(event: Event, cases: Iterable[CaseRecord]) -> list[CaseRecord]:
    """Those of the cases that are about the very parcel of an event."""
    parcel = getattr(event, "parcel_no", "")
    return [case for case in cases if parcel and case.case_id == case_id(case.process, event.order_id, parcel)]
