"""Whose fault a return is and which goods may come back (`spec/processes.md` §1). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple, get_args

from pydantic import JsonValue

from aftersales.events import Event, ReturnLine, ReturnReason, ReturnRequested, ReturnTerms
from aftersales.law import LawPack, fee_forbidden, withdrawal_ends
from aftersales.money import paid_for, rounded
from aftersales.order import Item, Order
from aftersales.outcome import Cause
from aftersales.policy import Policy
from aftersales.returning import agreed, by_law, customer_pays

REASONS: tuple[ReturnReason, ...] = get_args(ReturnReason)
"""The codes of reasons, in the order in which the customer is offered them."""
OUR_FAULT: Mapping[ReturnReason, Cause] = {
    "defective": "product",
    "damaged": "product",
    "not_as_described": "product",
    "missing_part": "product",
    "too_late": "logistics",
}
"""The reasons that are not the customer's doing, with the cause that the outcome names. A wrong item is not here: it
has a process of its own."""

Obstacle = Literal["late", "final_sale", "not_returnable", "opened", "labels_off"]
"""Why a line may not come back."""
OBSTACLES: tuple[Obstacle, ...] = get_args(Obstacle)
"""All of them, as the letter names them."""


class Judged(NamedTuple):
    """Lines of a request: those that may come back, and those that may not, each with its obstacle."""

    eligible: tuple[ReturnLine, ...]
    refused: Mapping[str, tuple[ReturnLine, Obstacle]]
    """By line id."""

    @property
    def refused_lines(self) -> tuple[ReturnLine, ...]:
        """The lines that may not come back."""
        return tuple(line for line, _ in self.refused.values())


def judge(order: Order, asked: ReturnRequested, policy: Policy) -> Judged:
    """Which of the lines asked for may come back, by the moment of the request.

    A channel that authorises returns itself has said yes already.
    """
    lines = lines_of(order, asked)
    if order.channel in policy.returns.self_authorised:
        return Judged(lines, {})
    found = {line.line_id: (line, _obstacle(order, line, asked.happened_at, policy)) for line in lines}
    refused = {line_id: (line, why) for line_id, (line, why) in found.items() if why}
    return Judged(tuple(line for line in lines if line.line_id not in refused), refused)


def way_back(order: Order, asked: ReturnRequested, policy: Policy) -> ReturnTerms | None:
    """The terms of a return without fault that need no talk: by law, or by the channel; None where the ladder offers
    them (§2)."""
    if fee_forbidden(policy.pack(order.market), order.delivered_at, asked.happened_at):
        return by_law(order, asked)
    if order.channel in policy.returns.self_authorised:
        return customer_pays(order, asked)
    return None


def goes_on_as(order: Order, asked: ReturnRequested, policy: Policy) -> tuple[str, Event]:
    """The process that goes on with goods that may come back without a fault of ours, and what it is told."""
    if terms := way_back(order, asked, policy):
        return "return-parcel", agreed(order, asked, terms)
    return "return-escalation", asked


def fault_of(reason: ReturnReason | None) -> Cause | None:
    """The cause of the fault of ours that a reason names; None for a reason without one."""
    return "service" if reason == "wrong_item" else OUR_FAULT.get(reason) if reason else None


def refused_titles(order: Order, judged: Judged) -> dict[Obstacle, list[JsonValue]]:
    """The titles of what may not come back, under each obstacle."""
    titles: dict[Obstacle, list[JsonValue]] = {why: [] for why in OBSTACLES}
    for line, why in judged.refused.values():
        titles[why].extend(item.title for item in order.lines([line.line_id]))
    return titles


def rest_of(asked: ReturnRequested, judged: Judged) -> ReturnRequested:
    """The request for the lines that may not come back; a fault that was not confirmed is not looked into again."""
    reason = "changed_mind" if asked.reason in OUR_FAULT else asked.reason
    return asked.model_copy(update={"lines": judged.refused_lines, "reason": reason})


def lines_of(order: Order, asked: ReturnRequested) -> tuple[ReturnLine, ...]:
    """The lines of a request; where it names none, all of the order, of which nothing is known to be opened."""
    return asked.lines or tuple(ReturnLine(line_id=item.line_id, quantity=item.quantity) for item in order.items)


def may_withdraw(pack: LawPack | None, delivered_at: datetime | None, asked_at: datetime) -> bool:
    """Whether the law gives the right to withdraw; goods that are not delivered yet are inside its period."""
    if pack is None or pack.withdrawal_days is None:
        return False
    end = withdrawal_ends(pack, delivered_at) if delivered_at else None
    return end is None or asked_at < end


def return_ends(order: Order, policy: Policy) -> datetime | None:
    """When the time to return ends by the policy, counted from delivery; None for what is not delivered yet."""
    return order.delivered_at + policy.returns.window_for(order.market) if order.delivered_at else None


def dispatched_late(order: Order, asked_at: datetime) -> bool:
    """Whether the order's own dates show that it left later than promised."""
    promised = order.promised_dispatch_by
    return promised is not None and (order.dispatched_at or asked_at) > promised


def goodwill(order: Order, asked: ReturnRequested, share: Decimal) -> Decimal:
    """What is offered for keeping goods that may not come back: a share of what was paid for them."""
    return rounded(paid_for(order, asked.lines) * share, order.currency)


def _obstacle(order: Order, line: ReturnLine, asked_at: datetime, policy: Policy) -> Obstacle | None:
    """The first obstacle of a line. A right to withdraw leaves only goods that are never taken back."""
    (item,) = order.lines([line.line_id])
    returns = policy.returns
    if may_withdraw(policy.pack(order.market), order.delivered_at, asked_at):
        return "not_returnable" if item.category in returns.not_returnable else None
    ends = return_ends(order, policy)
    if ends and asked_at >= ends:
        return "late"
    if item.final_sale:
        return "final_sale"
    if item.category in returns.not_returnable:
        return "not_returnable"
    return _unsealed(item, line, policy)


def _unsealed(item: Item, line: ReturnLine, policy: Policy) -> Obstacle | None:
    if item.category not in policy.returns.must_be_sealed:
        return None
    return "opened" if line.opened else None if line.labels_on else "labels_off"
