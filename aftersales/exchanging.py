"""An exchange: whether it may be, what it is about, and what the wanted goods cost more or less (`§11`)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Literal

from aftersales.events import ExchangeRequested, Line, ReturnReason
from aftersales.money import goods_value, rounded
from aftersales.order import Order
from aftersales.outcome import Cause

OUR_FAULT: frozenset[ReturnReason] = frozenset(
    {"defective", "damaged", "not_as_described", "wrong_item", "missing_part"}
)
"""The reasons that are our fault: such goods are exchanged whenever and in whatever state they come back."""
_CAUSES: dict[ReturnReason, Cause] = {"wrong_item": "service", "too_late": "logistics"}

Refusal = Literal["late", "opened", "labels_off"]
"""Why goods cannot be exchanged: asked for after the window, opened, or the labels are off."""


def refusals(order: Order, asked: ExchangeRequested, window: timedelta) -> list[Refusal]:
    """What speaks against an exchange, nothing where it may be. The window begins with the delivery."""
    if asked.reason in OUR_FAULT:
        return []
    late = order.delivered_at is not None and asked.happened_at > order.delivered_at + window
    found: dict[Refusal, bool] = {"late": late, "opened": asked.opened, "labels_off": not asked.labels_on}
    return [refusal for refusal, speaks in found.items() if speaks]


def exchanged_lines(order: Order, asked: ExchangeRequested) -> tuple[Line, ...]:
    """What comes back: the lines that were named, never more of one than was bought; none named means all."""
    wanted = {line.line_id: line.quantity for line in asked.lines}
    return tuple(
        Line(line_id=item.line_id, quantity=min(wanted.get(item.line_id, item.quantity), item.quantity))
        for item in order.lines(wanted.keys())
    )


def same_product(order: Order, asked: ExchangeRequested) -> bool:
    """Whether the customer wants the same product once more; a wish that names none does."""
    wanted = asked.wanted_sku.strip().casefold()
    bought = {item.sku.strip().casefold() for item in order.lines([line.line_id for line in asked.lines])}
    return not wanted or bought == {wanted}


def price_difference(order: Order, asked: ExchangeRequested) -> Decimal | None:
    """What the wanted goods cost more (or less, then negative) than was paid; None where nobody named their price.

    `wanted_price` is that of one piece, as many are wanted as come back.
    """
    if same_product(order, asked):
        return Decimal(0)
    if asked.wanted_price is None:
        return None
    lines = exchanged_lines(order, asked)
    price = asked.wanted_price * sum(line.quantity for line in lines)
    return rounded(price, order.currency) - goods_value(order, lines)


def cause(reason: ReturnReason | None, *, our_fault: bool) -> Cause:
    """What the outcome names as the cause of an exchange for this reason."""
    usual: Cause = "product" if our_fault else "customer"
    return _CAUSES.get(reason, usual) if reason else usual
