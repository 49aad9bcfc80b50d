"""Which goods of its order a case is about, for the figures (`§20`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from aftersales.events import (
    DispatchOverdue,
    Event,
    ExchangeRequested,
    Line,
    OrderShipped,
    ParcelLost,
    RepairRequested,
    ReturnAgreed,
    ReturnRequested,
    WrongItemReported,
)
from aftersales.order import Order
from aftersales.outcome import Goods

MOST = Decimal(999_999_999_999)
"""What goods are worth or cost at most, as any amount: quantity times price could be more than an amount may be."""


def goods_of(trigger: Event, order: Order, back: Mapping[str, int]) -> tuple[Goods, ...]:
    """The goods that a trigger names, all of the order where it names none.

    `back` says how many of each line came back as described; the line id "" stands for all. What a line is worth or
    costs is `MOST` where it would be more.
    """
    named = quantities(trigger)
    found = []
    for item in order.lines(named):
        quantity = min(named.get(item.line_id, item.quantity), item.quantity)
        found.append(
            Goods(
                line_id=item.line_id,
                sku=item.sku,
                category=item.category,
                quantity=quantity,
                value=min(item.unit_price * quantity, MOST),
                cost=min(item.unit_cost * quantity, MOST),
                back=quantity if "" in back else min(back.get(item.line_id, 0), quantity),
            )
        )
    return tuple(found)


def quantities(event: Event) -> Mapping[str, int]:
    """How many of which lines an event names; a line that stands in it twice is added up. Empty where it names none."""
    lines: Sequence[Line] = ()
    match event:
        case ReturnAgreed():
            lines = event.terms.lines
        case ReturnRequested() | ExchangeRequested() | OrderShipped() | DispatchOverdue() | ParcelLost():
            lines = event.lines
        case WrongItemReported() | RepairRequested():
            lines = (Line(line_id=event.line_id),)
        case _:
            pass
    named = Counter[str]()
    for line in lines:
        named[line.line_id] += line.quantity
    return named
