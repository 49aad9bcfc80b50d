"""Goods that leave: what a parcel holds and what that cost the shop (`spec/processes.md` §20)."""

from __future__ import annotations

from typing import NamedTuple

from aftersales.about import MOST, quantities
from aftersales.events import OrderShipped
from aftersales.losses import UNITS


class Shipped(NamedTuple):
    """A line of an order in a parcel; `cost` is what it cost the shop, in ten-thousandths of a unit."""

    line_id: str
    sku: str
    category: str
    quantity: int
    cost: int
    capped: bool
    """It would have cost more than any amount may be, and counts as `MOST`."""


def shipped(event: OrderShipped) -> list[Shipped]:
    """What a parcel holds: its lines, the whole order where it names none; nothing where the order is not known.

    A line never counts as more than the order has of it.
    """
    if event.order is None:
        return []
    named = quantities(event)
    found = []
    for item in event.order.lines(named):
        quantity = min(named.get(item.line_id, item.quantity), item.quantity)
        cost = item.unit_cost * quantity
        counted = int(min(cost, MOST) * UNITS)
        found.append(Shipped(item.line_id, item.sku, item.category, quantity, counted, cost > MOST))
    return found


def lane(event: OrderShipped) -> str:
    """The lane of a parcel as its shop calls it, else carrier, origin and destination: `DHL:DE>FR`."""
    parcel = event.parcel
    return parcel.lane or f"{parcel.carrier}:{parcel.origin}>{parcel.destination}"
