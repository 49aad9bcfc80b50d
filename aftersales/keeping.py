"""Another item than the ordered one arrived: what keeping it is worth, and whether it is worth sending back (`§10`)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from aftersales.events import ReceivedItem, ReturnLine
from aftersales.money import goods_value, paid_for, rounded
from aftersales.order import Item, Order


def is_other_item(item: Item, received: ReceivedItem | None) -> bool:
    """Whether the photo form names another SKU than the order; False where there is no form."""
    return received is not None and _sku(received.sku) != _sku(item.sku)


def compensation(order: Order, item: Item, received: ReceivedItem | None, share: Decimal) -> Decimal:
    """What we pay for keeping the wrong item, for the whole line in the order's currency.

    `share` (a fraction) of what the customer paid for the line, or the difference to what the received item is worth,
    whichever is more.
    """
    value = line_value(order, item)
    cheaper = value - received.value * item.quantity if received else Decimal(0)
    return rounded(max(value * share, cheaper), order.currency)


def worth_returning(order: Order, item: Item, received: ReceivedItem | None, freights: Mapping[str, Decimal]) -> bool:
    """Whether the wrong item is worth its way back: no, where the return freight is greater than its value.

    `freights` are the shop's return freights by currency; in another currency what the customer paid for the way out
    stands for it. An item whose value nobody named counts as much as the right one.
    """
    return freights.get(order.currency, order.freight_paid) <= received_value(order, item, received)


def received_value(order: Order, item: Item, received: ReceivedItem | None) -> Decimal:
    """What the received item is worth, for the whole line."""
    return received.value * item.quantity if received else line_value(order, item)


def line_value(order: Order, item: Item) -> Decimal:
    """What the customer paid for the whole line, without freight."""
    return goods_value(order, whole_line(item))


def line_refund(order: Order, item: Item) -> Decimal:
    """What goes back to the customer for the line; with the freight out where it is the whole order."""
    return paid_for(order, whole_line(item))


def whole_line(item: Item) -> tuple[ReturnLine]:
    """All of a line: a report names the line, not how many of it are wrong."""
    return (ReturnLine(line_id=item.line_id, quantity=item.quantity),)


def _sku(text: str) -> str:
    return text.strip().casefold()
