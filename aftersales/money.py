"""Arithmetic of money: shares and sums, rounded half up to the smallest unit of the currency."""

from __future__ import annotations

from collections.abc import Collection
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision

from aftersales.events import Line
from aftersales.order import Order


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units: cents of USD, yen of JPY."""
    return amount.quantize(Decimal(1).scaleb(-get_currency_precision(currency)), rounding=ROUND_HALF_UP)


def goods_value(order: Order, lines: Collection[Line] = ()) -> Decimal:
    """What the customer paid for these lines without freight; for no lines, for all."""
    asked = {line.line_id: line.quantity for line in lines}
    items = order.lines(asked.keys())
    value = sum((i.unit_price * min(asked.get(i.line_id, i.quantity), i.quantity) for i in items), Decimal(0))
    return rounded(min(value, order.total), order.currency)


def paid_for(order: Order, lines: Collection[Line] = ()) -> Decimal:
    """All that the customer paid for these lines; where the whole order is meant, its total with the freight out."""
    asked = {line.line_id: line.quantity for line in lines}
    whole = not asked or all(asked.get(i.line_id, 0) >= i.quantity for i in order.items)
    return order.total if whole else goods_value(order, lines)
