"""Routing: which case an order event starts, and which open cases await it. Pure; the starter carries it out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from aftersales.events import (
    Event,
    InsurancePaid,
    Message,
    OrderShipped,
    ReturnAgreed,
    ReturnReceived,
    ReturnRequested,
    ReturnTerms,
    WrongItemReported,
)
from aftersales.ids import case_id, line_parts
from aftersales.law import fee_forbidden
from aftersales.order import Order
from aftersales.policy import Policy
from aftersales.records import CaseRecord
from aftersales.returning import by_law, customer_pays

NO_FAULT = frozenset({"changed_mind", "no_longer_needed", "bought_by_other", "found_cheaper", "size"})
"""The reasons of a return that are no fault of the shop (`spec/events.md`)."""
RETURNING = frozenset({"return-parcel", "wrong-item"})
"""The processes in which the customer sends a parcel back."""


class Start(NamedTuple):
    """An event opens a case of this process; `trigger` is the event as the process takes it."""

    process: str
    trigger: Event


class NotServed(NamedTuple):
    """An event should open a case, but no process here may take it; `reason` says what a person must do."""

    reason: str


STARTING = (OrderShipped, WrongItemReported, ReturnRequested)
"""The events that can open a case."""
FOR_ONE = (Message, ReturnReceived, InsurancePaid)
"""The events that answer one thing, and so reach one case."""


def start_for(event: Event, order: Order, policy: Policy) -> Start | NotServed | None:
    """The case that an event opens; None where it opens none."""
    match event:
        case OrderShipped():
            return Start("shipment-watch", event)
        case WrongItemReported():
            return Start("wrong-item", event)
        case ReturnRequested():
            return _return(event, order, policy)
        case _:
            return None


def _return(asked: ReturnRequested, order: Order, policy: Policy) -> Start | NotServed:
    """Which way a return goes (§1, §2): the reason first, then who authorises, then what the law allows."""
    if asked.reason is None:
        return NotServed(
            "data.reason: is missing; ask the customer why, then send the event again with the reason (rule 1)"
        )
    if asked.reason == "wrong_item":
        lines = asked.lines or order.items
        if len(lines) > 1:
            return NotServed("data.lines: name the one line that was wrong, and send the event again")
        reported = WrongItemReported(
            **asked.model_dump(include={"id", "source", "order_id", "time"}),
            order=asked.order,
            line_id=lines[0].line_id,
            text=asked.text,
        )
        return Start("wrong-item", reported)
    if asked.reason not in NO_FAULT:
        return NotServed(
            f"data.reason: {asked.reason} may be our fault, which a person must confirm; "
            "agree on the return with the customer by hand"
        )
    if order.channel in policy.returns.self_authorised:
        return Start("return-parcel", _agreed(asked, order, customer_pays(order, asked)))
    if fee_forbidden(policy.pack(order.market), order.delivered_at, asked.happened_at):
        return Start("return-parcel", _agreed(asked, order, by_law(order, asked)))
    return Start("return-escalation", asked)


def _agreed(asked: ReturnRequested, order: Order, terms: ReturnTerms) -> ReturnAgreed:
    return ReturnAgreed(**asked.model_dump(include={"id", "source", "order_id", "time"}), order=order, terms=terms)


def case_for(process: str, trigger: Event, order: Order) -> str:
    """The id of the case that a trigger opens: for the order, for one parcel of it, or for some of its lines."""
    match trigger:
        case OrderShipped():
            return case_id(process, order.order_id, trigger.parcel.parcel_no)
        case ReturnRequested(lines=lines):
            parts = line_parts(order, [line.line_id for line in lines])
        case ReturnAgreed(terms=terms):
            parts = line_parts(order, [line.line_id for line in terms.lines])
        case WrongItemReported(line_id=line):
            parts = line_parts(order, [line])
        case _:
            parts = ()
    return case_id(process, order.order_id, *parts)


def listeners(
    event: Event, cases: Iterable[CaseRecord], hears: Mapping[str, tuple[type[Event], ...]]
) -> list[CaseRecord]:
    """Those of the open cases, given newest conversation first, that an event is meant for.

    What happens to a parcel reaches that parcel's case; a parcel that has none is on its way back, so it reaches a case
    that awaits one. A message, a received return and an insurer's payment answer one thing and reach one case;
    everything else reaches every case that has a rule for it.
    """
    hearing = [case for case in cases if isinstance(event, hears.get(case.process, ()))]
    if parcel := getattr(event, "parcel_no", None):
        own = [case for case in hearing if case.case_id == case_id(case.process, event.order_id, parcel)]
        return own or [case for case in hearing if case.process in RETURNING][:1]
    return hearing[:1] if isinstance(event, FOR_ONE) else hearing
