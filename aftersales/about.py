"""Which goods of its order a case is about, for the figures (`§20`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from aftersales.events import Event, Line
from aftersales.order import Order
from aftersales.outcome import Goods

_MOST = Decimal(999_999_999_999)
"""Of what an order may hold: quantity times price could be more than an amount may be."""


def goods_of(trigger: Event, order: Order, back: Mapping[str, int]) -> tuple[Goods, ...]:
    """The goods that a trigger names, all of the order where it names none.

    `back` says how many of each line came back as described; the line id "" stands for all.
    """
    named = {line.line_id: line.quantity for line in _lines(trigger)}
    found = []
    for item in order.lines(named):
        quantity = min(named.get(item.line_id, item.quantity), item.quantity)
        found.append(
            Goods(
                line_id=item.line_id,
                sku=item.sku,
                category=item.category,
                quantity=quantity,
                value=min(item.unit_price * quantity, _MOST),
                cost=min(item.unit_cost * quantity, _MOST),
                back=quantity if "" in back else min(back.get(item.line_id, 0), quantity),
            )
        )
    return tuple(found)


def _lines(trigger: Event) -> Sequence[Line]:
    terms = getattr(trigger, "terms", None)
    if lines := getattr(terms or trigger, "lines", ()):
        return tuple(lines)
    line_id = getattr(trigger, "line_id", "")
    return (Line(line_id=line_id),) if line_id else ()
